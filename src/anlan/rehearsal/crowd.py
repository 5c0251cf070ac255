"""The crowd of a rehearsal: an ordinary day of the district, and those who come for the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from anlan.kernel.errors import BadInput
from anlan.twin import Pull, Scenario

COME_BEFORE, COME_AFTER = timedelta(hours=2), timedelta(minutes=30)
"""Those who come for an event come so long before it begins, and until so long after."""
MOST_OF_STOPS = 0.95
"""Not every stop of an hour can be at the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many come for an event, when, and to which places, each with its part of them."""

    n_expected: int
    begins_at: datetime
    ends_at: datetime
    places: Mapping[str, float]

    def __post_init__(self) -> None:
        if self.ends_at <= self.begins_at:
            told = f"ends_at={self.ends_at.isoformat()}"
            raise BadInput(told, "must lie after the event begins", "correct the plan")


def drawn(usual_day: Scenario, crowd: Crowd, zone: ZoneInfo, share: float = 1.0) -> Scenario:
    """Return a day on which an event draws its crowd beside those who come anyway.

    Those who come for it arrive over the two hours before it begins and the half hour after; they stay until it ends.
    Whoever passes on an ordinary day is there too.

    Parameters
    ----------
    usual_day : Scenario
        The day without the event.
    zone : ZoneInfo
        Of the district: weights go by its hours.
    share : float
        Of the visits of the day without the event; 1.0 is as many as it has.
    """
    come = _hours_of(crowd.begins_at - COME_BEFORE, crowd.begins_at + COME_AFTER, zone)
    usual = _per_hour(usual_day, share)
    extra = [crowd.n_expected * part / sum(come) for part in come]
    both = [a + b for a, b in zip(usual, extra, strict=True)]
    inside = [k for k, part in enumerate(come) if part > 0]
    # Who comes for an event goes to it, and not to a window or a home: of all stops of those hours, so much fewer.
    theirs = sum(usual[k] for k in inside) / max(sum(both[k] for k in inside), 1e-9)
    streets, buildings = usual_day.streets * theirs, usual_day.buildings * theirs
    pulls = dict(usual_day.pulls)
    others = [sum(one.weight[k] for name, one in pulls.items()) or 1.0 for k in range(24)]
    length_min = (crowd.ends_at - crowd.begins_at) / timedelta(minutes=1)
    ends = crowd.ends_at.astimezone(zone)
    whole = sum(crowd.places.values())
    for name, part in crowd.places.items():
        added = []
        for k in range(24):
            stops = both[k] * usual_day.stops * (1 - streets - buildings)
            taken = min(MOST_OF_STOPS, extra[k] / stops) if stops > 0 else 0.0
            added.append(others[k] * taken / (1 - taken) * part / whole)
        before = usual_day.pulls.get(name, Pull(weight=(0.0,) * 24))
        pulls[name] = replace(
            before,
            weight=tuple(a + b for a, b in zip(before.weight, added, strict=True)),
            stay_min=max(30.0, length_min),
            hold_until=f"{ends.hour:02d}:{ends.minute:02d}",
        )
    return replace(
        usual_day, opens_at=crowd.begins_at, visits=sum(both), arrivals=tuple(both), pulls=pulls, streets=streets,
        buildings=buildings,
    )  # fmt: skip


def _per_hour(usual_day: Scenario, share: float) -> list[float]:
    total = sum(usual_day.arrivals)
    return [share * usual_day.visits * part / total for part in usual_day.arrivals]


def _hours_of(begin_at: datetime, end_at: datetime, zone: ZoneInfo) -> list[float]:
    """Return the hours between two moments, by the local hour in which they lie."""
    found = [0.0] * 24
    at = begin_at
    while at < end_at:
        local = at.astimezone(zone)
        until = min(end_at, at + timedelta(minutes=60 - local.minute, seconds=-local.second))
        found[local.hour] += (until - at) / timedelta(hours=1)
        at = until
    return found
