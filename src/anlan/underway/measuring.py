"""What the triggers of a plan wait for, as it is measured now and as it was: from estimates, and from devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from anlan.cases.triggers import DENSITY, FLOW, OCCUPANCY, LivePlan
from anlan.crowd.lines import OVER, Window
from anlan.kernel.records import Estimate, Observation

MINUTE = timedelta(minutes=1)


def of_estimate(measure: str, estimate: Estimate | None) -> float | None:
    """Return the occupancy or the density of an estimate, None where it is unknown.

    Of a number that is hidden because it is small, the largest that it may be is taken.
    """
    if estimate is None or estimate.unknown is not None:
        return None
    persons = estimate.high if estimate.hidden else estimate.occupancy
    if persons is None or measure == OCCUPANCY:
        return persons
    return persons / estimate.walkable_m2 if estimate.walkable_m2 > 0 else None


def flow_per_min(windows: Iterable[Window], at: datetime) -> float | None:
    """Return the people over a line per minute, both ways, in the windows of the last minutes; None without any.

    Examples
    --------
    >>> from anlan.kernel.clock import parse_moment
    >>> at = parse_moment("2026-10-01T20:00:00+08:00")
    >>> now = at.timestamp()
    >>> flow_per_min([(now - 120, now - 60, 30, 10, True), (now - 60, now, 50, 30, True)], at)
    60.0
    """
    end_s = at.timestamp()
    fresh = [one for one in windows if end_s - OVER.total_seconds() < one[1] <= end_s]
    length_s = sum(end - begin for begin, end, *_ in fresh)
    return 60 * sum(one[2] + one[3] for one in fresh) / length_s if length_s > 0 else None


def windows_of(seen: Iterable[Observation]) -> list[Window]:
    """Return the windows of a line's counts."""
    return [
        (
            one.begin_at.timestamp(), one.end_at.timestamp(),
            one.n_passed if one.n_passed is not None else one.n_in or 0, one.n_out or 0, one.n_passed is None,
        )
        for one in seen
        if one.n_passed is not None or one.n_in is not None
    ]  # fmt: skip


def summed(values: Iterable[float | None]) -> float | None:
    """Return the sum, None where a part is unknown or there is none: the rest of it would pass for the whole.

    Examples
    --------
    >>> summed([1.0, 2.0]), summed([1.0, None]), summed([])
    (3.0, None, None)
    """
    every = list(values)
    known = [one for one in every if one is not None]
    return sum(known) if every and len(known) == len(every) else None


def measured_now(
    plan: LivePlan, estimates: Mapping[str, Estimate], windows: Mapping[str, Sequence[Window]], at: datetime
) -> dict[tuple[str, str], float | None]:
    """Return what each zone and measure of a plan is at a minute; None where it is unknown."""
    found: dict[tuple[str, str], float | None] = {}
    for name, zone in plan.zones.items():
        estimate = estimates.get(zone.ground)
        found[name, DENSITY], found[name, OCCUPANCY] = (of_estimate(one, estimate) for one in (DENSITY, OCCUPANCY))
        found[name, FLOW] = summed(flow_per_min(windows.get(one, ()), at) for one in plan.counters(name))
    return found
