"""Triggers of a planned event as data: zone A above 4/m² for three minutes, so gate 2 is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput

Series = Sequence[tuple[datetime, float | None]]
"""What was measured of one zone, in order of time; None where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What is to be done when a measure of a zone has been above a limit for a time."""

    zone: str
    measure: str
    above: float
    for_s: float
    action: str
    office: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """That a trigger fired: from when its limit was passed, and when it had been for long enough."""

    trigger: Trigger
    since_at: datetime
    at: datetime
    highest: float


def read_triggers(values: Mapping[str, Any]) -> tuple[Trigger, ...]:
    """Return the triggers in the values of a planned event.

    Raises
    ------
    BadInput
        If a trigger watches a zone that the plan does not have.
    """
    zones = {row["zone"] for row in values.get("zones", ())}
    found = tuple(
        Trigger(
            zone=row["zone"], measure=row["measure"], above=row["above"], for_s=row["for_min"] * 60,
            action=row["action"], office=row["office"],
        )
        for row in values.get("triggers", ())
    )  # fmt: skip
    lost = sorted({one.zone for one in found} - zones)
    if lost:
        raise BadInput(f"trigger of zone {lost[0]!r}", f"must be one of {', '.join(sorted(zones))}", "correct the plan")
    return found


def fired(
    triggers: Iterable[Trigger], measured: Mapping[tuple[str, str], Series], *, longest_gap_s: float = 120.0
) -> list[Triggered]:
    """Return every firing of triggers over what was measured, in order of time: live, replayed, or in a rehearsal.

    A trigger fires once each time its measure has stayed above its limit for its time, and again only after it was at
    or below the limit. What is unknown proves nothing: neither that the limit was passed, nor that it was kept, so
    the time begins anew after an unknown value or a gap.

    Parameters
    ----------
    triggers : iterable of Trigger
        The triggers of a plan.
    measured : mapping
        Values by zone and measure, each in order of time.
    longest_gap_s : float
        Two values further apart than this, s, say nothing of the time between.

    Raises
    ------
    BadInput
        If values are not in order of time.

    Examples
    --------
    >>> from anlan.kernel.clock import parse_moment
    >>> begin = parse_moment("2026-10-01T20:00:00+08:00")
    >>> hold = Trigger(zone="A", measure="density_per_m2", above=4, for_s=180, action="hold gate 2", office="gate 2")
    >>> crowd = [(begin + timedelta(minutes=k), d) for k, d in enumerate([3.9, 4.2, 4.4, 4.5, 4.6])]
    >>> [told.at.minute for told in fired([hold], {("A", "density_per_m2"): crowd})]
    [4]
    """
    found = []
    for trigger in triggers:
        found += _of_one(trigger, measured.get((trigger.zone, trigger.measure), ()), longest_gap_s)
    return sorted(found, key=lambda one: (one.at, one.trigger.zone, one.trigger.above))


def _of_one(trigger: Trigger, series: Series, longest_gap_s: float) -> list[Triggered]:
    found: list[Triggered] = []
    since_at, before_at, told, highest = None, None, False, 0.0
    for moment, value in series:
        at = as_utc(moment, "at")
        if before_at is not None and at < before_at:
            raise BadInput(f"at={at.isoformat()}", "must not be before the value before it", "give them in order")
        gap = before_at is not None and at - before_at > timedelta(seconds=longest_gap_s)
        before_at = at
        if value is None or gap:
            since_at = None
        if value is None:
            continue
        if value <= trigger.above:
            since_at, told = None, False
            continue
        if since_at is None:
            since_at, highest = at, value
        highest = max(highest, value)
        if not told and (at - since_at).total_seconds() >= trigger.for_s:
            found.append(Triggered(trigger=trigger, since_at=since_at, at=at, highest=highest))
            told = True
    return found
