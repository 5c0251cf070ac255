"""What runs say: fractiles, shares in time, waits and work, with intervals over repetitions; and policies compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.simulate.running import Run
from anlan.response.simulate.world import DAY_S, Ints

PROMISES_S = (60.0, 180.0, 300.0)
FRACTILES = (0.5, 0.9, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean over repetitions with its interval (Student's t); ``low`` and ``high`` are None for a single one."""

    value: float
    low: float | None
    high: float | None


def figure(values: Sequence[float] | Floats, level: float = 0.95) -> Figure:
    """Return the mean of repetitions and its interval.

    Raises
    ------
    BadInput
        If there is no number among them.

    Examples
    --------
    >>> figure([1.0, 2.0, 3.0]).value
    2.0
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not len(known):
        raise BadInput("values=[]", "must hold at least one number", "run at least one repetition with incidents")
    mean = float(known.mean())
    if len(known) < 2:
        return Figure(value=mean, low=None, high=None)
    half = float(student.ppf(0.5 + level / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return Figure(value=mean, low=mean - half, high=mean + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a plan under a policy brings, over its repetitions.

    ``within`` by promise in s: the share of all incidents whose first unit is there in time; who is lost is late.
    ``response_s`` by fractile, of incidents that somebody came to. ``waited`` is the share that found nobody free,
    ``wait_s`` their mean wait, 0 where nobody waited. ``busy`` is that of all units, ``busiest`` that of the busiest.
    ``road_share`` is the part of their duty that units drive to a post.
    """

    policy: str
    n_runs: int
    n_incidents: int
    within: dict[float, Figure]
    response_s: dict[float, Figure]
    waited: Figure
    wait_s: Figure
    lost: Figure
    busy: Figure
    busiest: Figure
    road_share: Figure
    moves_per_day: Figure


def late(run: Run, within_s: float, *, since_s: float = 0.0) -> Floats:
    """Return for each incident from ``since_s`` on whether it was late: nobody there in time, or nobody at all."""
    told = run.response_s[run.incidents.at_s >= since_s]
    return np.asarray(~(told <= within_s), float)


def summary(
    policy: str, runs: Sequence[Run], *, promises_s: Sequence[float] = PROMISES_S, since_s: float = 0.0
) -> Summary:
    """Return what runs of one policy say; incidents before ``since_s``, while the day begins, are left out."""
    kept = [run.response_s[run.incidents.at_s >= since_s] for run in runs]
    waits = [run.wait_s[run.incidents.at_s >= since_s] for run in runs]
    if not sum(map(len, kept)):
        raise BadInput(f"{len(runs)} runs", "must have incidents", "draw more, or begin earlier")

    def over(measure: Callable[[Run], float]) -> Figure:
        return figure([measure(run) for run in runs])

    return Summary(
        policy=policy,
        n_runs=len(runs),
        n_incidents=sum(map(len, kept)),
        within={s: figure([float((one <= s).mean()) for one in kept if len(one)]) for s in promises_s},
        response_s={
            f: figure([float(np.quantile(come, f)) for one in kept if len(come := one[np.isfinite(one)])])
            for f in FRACTILES
        },
        waited=figure([float((one > 0).mean()) for one in waits if len(one)]),
        wait_s=figure([float(one[one > 0].mean()) if (one > 0).any() else 0.0 for one in waits]),
        lost=over(lambda run: float(run.lost.mean()) if len(run.lost) else 0.0),
        busy=over(lambda run: run.mean_busy),
        busiest=over(lambda run: float(np.nanmax(run.busy))),
        road_share=over(lambda run: float(run.road_s.sum() / max(run.duty_s.sum(), 1e-9))),
        moves_per_day=over(lambda run: float(run.n_moves.sum() * DAY_S / max(run.ended_s, 1.0))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many late arrivals one policy has for each of another, on the same incidents: 0.8 is a fifth fewer."""

    policy: str
    against: str
    ratio: Figure
    slower_s: Figure
    """How much later the mean first arrival is, s."""


def compare(
    policy: str,
    runs: Sequence[Run],
    against: str,
    others: Sequence[Run],
    *,
    within_s: float,
    since_s: float = 0.0,
) -> Comparison:
    """Compare two policies on the same drawn incidents.

    The ratio is that of the sums over all repetitions; its interval is the jackknife's, each repetition left out in
    turn, which uses that both met the same incidents.

    Raises
    ------
    BadInput
        If the runs are not of the same incidents, or none was late.

    References
    ----------
    M. H. Quenouille (1956), "Notes on bias in estimation"; J. W. Tukey (1958).
    """
    if len(runs) != len(others) or any(a.incidents is not b.incidents for a, b in zip(runs, others, strict=True)):
        raise BadInput(f"{len(runs)} and {len(others)} runs", "must be of the same incidents in pairs", "use each()")
    mine = np.array([late(run, within_s, since_s=since_s).sum() for run in runs])
    theirs = np.array([late(run, within_s, since_s=since_s).sum() for run in others])
    if theirs.sum() == 0:
        raise BadInput(f"late arrivals of {against}", "must be at least one", "draw more incidents, or promise less")
    ratio, n = float(mine.sum() / theirs.sum()), len(runs)
    low = high = None
    left = theirs.sum() - theirs
    if n > 1 and (left > 0).all():
        each = n * ratio - (n - 1) * (mine.sum() - mine) / left
        half = float(student.ppf(0.975, n - 1) * each.std(ddof=1) / np.sqrt(n))
        low, high = ratio - half, ratio + half
    slower = [float(np.nanmean(a.response_s) - np.nanmean(b.response_s)) for a, b in zip(runs, others, strict=True)]
    return Comparison(
        policy=policy, against=against, ratio=Figure(value=ratio, low=low, high=high), slower_s=figure(slower)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LateAt:
    """How many incidents of a group (a place, an hour) there were, and how many of them were late."""

    group: int
    n: int
    n_late: int


def late_by(runs: Sequence[Run], groups: Sequence[Ints], within_s: float) -> tuple[LateAt, ...]:
    """Return late arrivals by group, those with most first; ``groups`` holds the group of each run's incidents."""
    which = np.concatenate(list(groups)) if len(groups) else np.zeros(0, np.int64)
    were = np.concatenate([late(run, within_s) for run in runs]) if len(runs) else np.zeros(0)
    n, n_late = np.bincount(which), np.bincount(which, were)
    order = np.argsort(-n_late, kind="stable")
    return tuple(LateAt(group=int(k), n=int(n[k]), n_late=int(n_late[k])) for k in order if n[k])


def hours_of(run: Run) -> Ints:
    """Return the hour of the day of each incident."""
    return np.asarray(run.incidents.at_s % DAY_S // 3600, np.int64)


def batches(run: Run, values: Floats, n: int = 20, *, warm: float = 0.1, level: float = 0.95) -> Figure:
    """Return the mean of what is told of each incident, with an interval by batch means.

    The first ``warm`` of the incidents are left out, the rest is cut into n batches, each long enough for its mean to
    be nearly independent of the next one's.

    References
    ----------
    A. M. Law (2015), "Simulation modeling and analysis", section 9.5.3.
    """
    if len(values) != len(run.incidents) or len(values) < 10 * n:
        raise BadInput(f"{len(values)} values", f"must be one for each incident, {10 * n} at least", "run for longer")
    return figure([float(np.nanmean(part)) for part in np.array_split(values[int(warm * len(values)) :], n)], level)
