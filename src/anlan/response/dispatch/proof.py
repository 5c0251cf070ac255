"""What was really reached: arrivals by kind and area, broken promises with their cause, how right the promises were."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from anlan.kernel.response import Assignment, Incident
from anlan.response.measures import Cause, Responses, Share, broken, busy_share, share_of

CLOCKS_S = (60.0, 180.0, 300.0)
FRACTILES = (0.5, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How soon the first unit was there, of one group of incidents.

    Incidents that nobody reached count among those that missed every clock; they have no time, so fractiles are of
    those that were reached.
    """

    group: str
    n: int
    n_reached: int
    response_s: dict[float, float | None]
    """By fractile, s, from receipt to the first arrival."""
    within: dict[float, Share]
    """By clock, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise:
    """An incident that was reached later than its kind promises, or by nobody, and which segment was most to blame."""

    incident_id: str
    target_s: float
    late_s: float | None
    """None where nobody came."""
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a proof is of: the time from ``since_at`` to ``until_at``, how many units, and targets by kind, s."""

    since_at: datetime
    until_at: datetime
    n_units: int
    target_s: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was done in a time: in all, by kind, by area; the segments of assignments; how right promises were."""

    overall: Reached
    by_kind: tuple[Reached, ...]
    by_area: tuple[Reached, ...]
    turnout_s: dict[float, float | None]
    travel_s: dict[float, float | None]
    on_scene_s: dict[float, float | None]
    promised: Share
    """Arrivals inside the interval that was told when the unit was sent; nine of ten would be right."""
    overridden: Share
    """Units that were sent against the recommendation."""
    kept: Share
    """Incidents that somebody reached within the target of their kind."""
    broken: tuple[BrokenPromise, ...]
    """The others, latest first."""
    busy: float | None
    """Share of their time for which units were on an incident; None where no time was looked at."""


def proof(asked: Asked, incidents: Sequence[Incident], assignments: Iterable[Assignment]) -> Proof:
    """Return what was really reached.

    Parameters
    ----------
    asked : Asked
    incidents : sequence of Incident
        Those of the time asked about that are closed or were reached; one that still waits proves nothing yet.
    assignments : iterable of Assignment
        Of these incidents; others tell only who was busy meanwhile.
    """
    every = list(assignments)
    ids = {one.incident_id for one in incidents}
    own = [one for one in every if one.incident_id in ids]
    told = [one for one in own if one.on_scene_at is not None and one.low_s is not None and one.high_s is not None]
    right = sum(
        (one.low_s or 0.0) <= (one.on_scene_at - one.dispatched_at).total_seconds() <= (one.high_s or 0.0)
        for one in told
        if one.on_scene_at is not None
    )
    late = _broken(asked, incidents, every)
    promised = [one for one in incidents if one.kind in asked.target_s]
    return Proof(
        overall=_reached("", incidents),
        by_kind=_groups(incidents, [one.kind for one in incidents]),
        by_area=_groups(incidents, [one.area_id or "" for one in incidents]),
        turnout_s=_fractiles(one.turnout_s for one in own),
        travel_s=_fractiles(one.travel_s for one in own),
        on_scene_s=_fractiles(one.on_scene_s for one in own),
        promised=share_of(right, len(told)),
        overridden=share_of(sum(one.overridden for one in own), len(own)),
        kept=share_of(len(promised) - len(late), len(promised)),
        broken=late,
        busy=_busy(asked, every),
    )


def _broken(
    asked: Asked, incidents: Sequence[Incident], assignments: Sequence[Assignment]
) -> tuple[BrokenPromise, ...]:
    """Return the broken promises; every assignment tells whether somebody was free, also those of other incidents."""
    of = {one.incident_id: one for one in incidents if one.kind in asked.target_s}
    names = list(dict.fromkeys(one.incident_id for one in assignments))
    # No hour of the day is asked of these columns, so any moment does to count from.
    columns = Responses.of(assignments, midnight_at=asked.since_at, n_units=asked.n_units)
    targets = np.array([asked.target_s[of[name].kind] if name in of else math.inf for name in names])
    made = [
        BrokenPromise(
            incident_id=names[one.incident],
            target_s=float(targets[one.incident]),
            late_s=one.late_s if math.isfinite(one.late_s) else None,
            cause=one.cause,
        )
        for one in broken(columns, targets)
        if names[one.incident] in of
    ]
    unsent = of.keys() - set(names)
    made += [
        BrokenPromise(incident_id=name, target_s=asked.target_s[of[name].kind], late_s=None, cause=Cause.NOBODY_CAME)
        for name in unsent
    ]
    return tuple(sorted(made, key=lambda one: (-(one.late_s or math.inf), one.incident_id)))


def _busy(asked: Asked, assignments: Sequence[Assignment]) -> float | None:
    """Return the mean share of the time asked about for which a unit was on an incident."""
    since_s = (asked.until_at - asked.since_at).total_seconds()
    if since_s <= 0 or asked.n_units == 0:
        return None
    meanwhile = [one for one in assignments if asked.since_at <= one.dispatched_at < asked.until_at]
    columns = Responses.of(meanwhile, midnight_at=asked.since_at, n_units=asked.n_units)
    return float(busy_share(columns, since_s, since_s).mean())


def _groups(incidents: Sequence[Incident], keys: Sequence[str]) -> tuple[Reached, ...]:
    by_key: dict[str, list[Incident]] = {}
    for one, key in zip(incidents, keys, strict=True):
        by_key.setdefault(key, []).append(one)
    made = [_reached(key, own) for key, own in by_key.items()]
    return tuple(sorted(made, key=lambda one: (-one.n, one.group)))


def _reached(group: str, incidents: Sequence[Incident]) -> Reached:
    times = [(one.on_scene_at - one.received_at).total_seconds() for one in incidents if one.on_scene_at is not None]
    return Reached(
        group=group,
        n=len(incidents),
        n_reached=len(times),
        response_s=_fractiles(times),
        within={clock: share_of(sum(s <= clock for s in times), len(incidents)) for clock in CLOCKS_S},
    )


def _fractiles(times: Iterable[float | None]) -> dict[float, float | None]:
    known = [s for s in times if s is not None]
    return {of: float(np.quantile(known, of)) if known else None for of in FRACTILES}
