"""Triggers of a planned event as data: zone A above 4/m² for three minutes, so gate 2 is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from anlan.cases.definition import LiveRule
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput

Series = Sequence[tuple[datetime, float | None]]
"""What was measured of one zone, in order of time; None where nothing is known."""
DENSITY, OCCUPANCY, FLOW = "density_per_m2", "occupancy", "flow_per_min"
"""What a trigger may wait for."""
LONGEST_GAP_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the ground of a plan: by what it is counted, how many fit, and how dense it may become."""

    zone: str
    ground: str
    capacity: int
    most_per_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDevice:
    """A device that watches a zone, and the limit above which what it measures is to be looked at."""

    device_id: str
    zone: str
    measure: str
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What is to be done when a measure of a zone has been above a limit for a time."""

    zone: str
    measure: str
    above: float
    for_s: float
    action: str
    office: str

    @property
    def key(self) -> str:
        """What names it within its plan."""
        return f"{self.zone}/{self.measure}/{self.above:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePlan:
    """A plan that can run: zones by name, what is to be done when, and the devices that watch."""

    zones: Mapping[str, Zone]
    triggers: tuple[Trigger, ...]
    devices: tuple[ZoneDevice, ...]

    def measured(self) -> tuple[tuple[str, str], ...]:
        """Return each zone and measure that a trigger waits for, once."""
        return tuple(dict.fromkeys((one.zone, one.measure) for one in self.triggers))

    def counters(self, zone: str) -> tuple[str, ...]:
        """Return the devices whose flow is the flow of a zone."""
        return tuple(one.device_id for one in self.devices if one.zone == zone and one.measure == FLOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a trigger is: since when its measure is above the limit, and whether that was told."""

    since_at: datetime | None = None
    before_at: datetime | None = None
    highest: float = 0.0
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """That a trigger fired: from when its limit was passed, and when it had been for long enough."""

    trigger: Trigger
    since_at: datetime
    at: datetime
    highest: float


def read_live(rule: LiveRule, values: Mapping[str, Any]) -> LivePlan:
    """Return the plan in the values of a case; what is not told yet is missing from it.

    Raises
    ------
    BadInput
        If a trigger or a device names a zone that the plan does not have, or a trigger waits for a flow that no device
        of its zone counts.
    """
    zones = {
        row["zone"]: Zone(
            zone=row["zone"], ground=row["ground"], capacity=row["capacity"], most_per_m2=row["most_per_m2"]
        )
        for row in values.get(rule.zones, ())
    }
    triggers = tuple(
        Trigger(
            zone=row["zone"], measure=row["measure"], above=row["above"], for_s=row["for_min"] * 60,
            action=row["action"], office=row["office"],
        )
        for row in values.get(rule.triggers, ())
    )  # fmt: skip
    devices = tuple(
        ZoneDevice(device_id=row["device"], zone=row["zone"], measure=row["measure"], limit=row["limit"])
        for row in values.get(rule.devices, ())
    )
    for what, name in [*(("trigger", one.zone) for one in triggers), *(("device", one.zone) for one in devices)]:
        if zones and name not in zones:
            known = f"must be one of {', '.join(sorted(zones))}"
            raise BadInput(f"{what} of zone {name!r}", known, "correct the plan")
    made = LivePlan(zones=zones, triggers=triggers, devices=devices)
    dumb = [one.zone for one in triggers if one.measure == FLOW and not made.counters(one.zone)]
    if devices and dumb:
        told = f"flow in zone {dumb[0]!r}"
        raise BadInput(told, "must be counted by a device of that zone", f"link a device that counts {FLOW}")
    return made


def stepped(trigger: Trigger, progress: Progress, at: datetime, value: float | None, *,
          longest_gap_s: float = LONGEST_GAP_S) -> tuple[Progress, Triggered | None]:  # fmt: skip
    """Return how far a trigger is after one more value, and that it fired, if it did.

    It fires once when its measure has stayed above its limit for its time, and again only after it was at or below the
    limit. What is unknown proves nothing: neither that the limit was passed, nor that it was kept, so the time begins
    anew after an unknown value or a gap.

    Raises
    ------
    BadInput
        If the value is older than the one before.
    """
    at, before_at = as_utc(at, "at"), progress.before_at
    if before_at is not None and at < before_at:
        raise BadInput(f"at={at.isoformat()}", "must not be before the value before it", "give them in order")
    gap = before_at is not None and at - before_at > timedelta(seconds=longest_gap_s)
    since_at = None if gap else progress.since_at
    if value is None:
        return replace(progress, since_at=None, before_at=at), None
    if value <= trigger.above:
        return Progress(before_at=at), None
    highest = value if since_at is None else max(progress.highest, value)
    since_at = since_at or at
    made = replace(progress, since_at=since_at, before_at=at, highest=highest)
    if made.told or (at - since_at).total_seconds() < trigger.for_s:
        return made, None
    return replace(made, told=True), Triggered(trigger=trigger, since_at=since_at, at=at, highest=highest)


def fired(
    triggers: Iterable[Trigger],
    measured: Mapping[tuple[str, str], Series],
    *,
    longest_gap_s: float = LONGEST_GAP_S,
) -> list[Triggered]:
    """Return every firing of triggers over what was measured, in order of time: replayed, or in a rehearsal.

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
        progress = Progress()
        for at, value in measured.get((trigger.zone, trigger.measure), ()):
            progress, told = stepped(trigger, progress, at, value, longest_gap_s=longest_gap_s)
            if told is not None:
                found.append(told)
    return sorted(found, key=lambda one: (one.at, one.trigger.zone, one.trigger.above))
