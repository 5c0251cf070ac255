"""What runs say: fractiles, shares in time, waits and work, with intervals over repetitions; and policies compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.simulate.running import Run
from anlan.response.simulate.telling import PROMISES_S, Told, late, tell
from anlan.response.simulate.world import Ints


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
    half = float(stdtrit(len(known) - 1, 0.5 + level / 2) * known.std(ddof=1) / np.sqrt(len(known)))
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


def summary(
    policy: str, runs: Sequence[Run], *, promises_s: Sequence[float] = PROMISES_S, since_s: float = 0.0
) -> Summary:
    """Return what runs of one policy say; incidents before ``since_s``, while the day begins, are left out."""
    return summed(policy, [tell(run, promises_s[0], promises_s=promises_s, since_s=since_s) for run in runs])


def summed(policy: str, told: Sequence[Told]) -> Summary:
    """Return what the figures of runs of one policy say.

    Raises
    ------
    BadInput
        If there is no incident in any of them.
    """
    n = sum(one.n for one in told)
    if not n:
        raise BadInput(f"{len(told)} runs", "must have incidents", "draw more, or begin earlier")
    return Summary(
        policy=policy,
        n_runs=len(told),
        n_incidents=n,
        within={s: figure([one.shares[s] for one in told]) for s in told[0].shares},
        response_s={f: figure([one.response_s[f] for one in told]) for f in told[0].response_s},
        waited=figure([one.waited for one in told]),
        wait_s=figure([one.wait_s for one in told]),
        lost=figure([one.lost for one in told]),
        busy=figure([one.busy for one in told]),
        busiest=figure([one.busiest for one in told]),
        road_share=figure([one.road_share for one in told]),
        moves_per_day=figure([one.moves_per_day for one in told]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Late arrivals of one policy or plan for each of another's, on the same incidents: 0.8 is a fifth fewer."""

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
    """Compare two policies on the same drawn incidents; see :func:`compared`.

    Raises
    ------
    BadInput
        If the runs are not of the same incidents, or none was late.
    """
    if len(runs) != len(others) or any(a.incidents is not b.incidents for a, b in zip(runs, others, strict=True)):
        raise BadInput(f"{len(runs)} and {len(others)} runs", "must be of the same incidents in pairs", "use each()")
    mine, theirs = ([tell(run, within_s, since_s=since_s) for run in both] for both in (runs, others))
    return compared(policy, mine, against, theirs)


def compared(policy: str, told: Sequence[Told], against: str, others: Sequence[Told]) -> Comparison:
    """Compare the figures of two policies, or of two plans, year by year.

    The ratio is that of the sums over all repetitions; its interval is the jackknife's, each repetition left out in
    turn, which uses that both met the same incidents.

    Raises
    ------
    BadInput
        If they are not of as many incidents and of one promise, or none of the others was late.

    References
    ----------
    M. H. Quenouille (1956), "Notes on bias in estimation"; J. W. Tukey (1958).
    """
    if [(one.n, one.within_s) for one in told] != [(one.n, one.within_s) for one in others]:
        raise BadInput(f"{len(told)} and {len(others)} years", "must be the same in pairs", "compare what met the same")
    mine, theirs = (np.array([one.n_late for one in both]) for both in (told, others))
    if theirs.sum() == 0:
        raise BadInput(f"late arrivals of {against}", "must be at least one", "draw more incidents, or promise less")
    ratio, n = float(mine.sum() / theirs.sum()), len(told)
    low = high = None
    left = theirs.sum() - theirs
    if n > 1 and (left > 0).all():
        each = n * ratio - (n - 1) * (mine.sum() - mine) / left
        half = float(stdtrit(n - 1, 0.975) * each.std(ddof=1) / np.sqrt(n))
        low, high = ratio - half, ratio + half
    slower = [a.mean_s - b.mean_s for a, b in zip(told, others, strict=True)]
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
    return worst(np.column_stack([np.bincount(which), np.bincount(which, were)]).astype(np.int64))


def worst(counts: Ints) -> tuple[LateAt, ...]:
    """Return the groups that had an incident, those with most late arrivals first.

    ``counts`` (G, 2) are all incidents and the late ones of each; see ``by_hour`` and ``by_place`` of :class:`Told`.
    """
    order = np.argsort(-counts[:, 1], kind="stable")
    return tuple(LateAt(group=int(k), n=int(counts[k, 0]), n_late=int(counts[k, 1])) for k in order if counts[k, 0])


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
