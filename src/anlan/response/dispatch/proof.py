"""What was really reached: arrivals by kind and area, and how right the promises were."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from anlan.kernel.response import Assignment, Incident

CLOCKS_S = (60.0, 180.0, 300.0)
FRACTILES = (0.5, 0.9)
_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of so many, with its 95 % interval; None of nobody."""

    n: int
    of: int
    share: float | None
    low: float | None
    high: float | None


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


def share(n: int, of: int) -> Share:
    r"""Return a share with Wilson's interval.

    .. math:: \frac{\hat p + z^2/2n \pm z \sqrt{\hat p (1 - \hat p)/n + z^2/4n^2}}{1 + z^2/n}

    References
    ----------
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.

    Examples
    --------
    >>> made = share(9, 10)
    >>> round(made.low, 3), round(made.high, 3)
    (0.596, 0.982)
    >>> share(0, 0).share is None
    True
    """
    if of == 0:
        return Share(n=0, of=0, share=None, low=None, high=None)
    p, z2 = n / of, _Z * _Z
    middle = p + z2 / (2 * of)
    half = _Z * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    scale = 1 + z2 / of
    return Share(n=n, of=of, share=p, low=max(0.0, (middle - half) / scale), high=min(1.0, (middle + half) / scale))


def proof(incidents: Sequence[Incident], assignments: Iterable[Assignment]) -> Proof:
    """Return what was really reached.

    Parameters
    ----------
    incidents : sequence of Incident
        Those of the time asked about that are closed or were reached; one that still waits proves nothing yet.
    assignments : iterable of Assignment
        Of these incidents; others are left aside.
    """
    ids = {one.incident_id for one in incidents}
    own = [one for one in assignments if one.incident_id in ids]
    told = [one for one in own if one.on_scene_at is not None and one.low_s is not None and one.high_s is not None]
    kept = sum(
        (one.low_s or 0.0) <= (one.on_scene_at - one.dispatched_at).total_seconds() <= (one.high_s or 0.0)
        for one in told
        if one.on_scene_at is not None
    )
    return Proof(
        overall=_reached("", incidents),
        by_kind=_groups(incidents, [one.kind for one in incidents]),
        by_area=_groups(incidents, [one.area_id or "" for one in incidents]),
        turnout_s=_fractiles(one.turnout_s for one in own),
        travel_s=_fractiles(one.travel_s for one in own),
        on_scene_s=_fractiles(one.on_scene_s for one in own),
        promised=share(kept, len(told)),
        overridden=share(sum(one.overridden for one in own), len(own)),
    )


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
        within={clock: share(sum(s <= clock for s in times), len(incidents)) for clock in CLOCKS_S},
    )


def _fractiles(times: Iterable[float | None]) -> dict[float, float | None]:
    known = [s for s in times if s is not None]
    return {of: float(np.quantile(known, of)) if known else None for of in FRACTILES}
