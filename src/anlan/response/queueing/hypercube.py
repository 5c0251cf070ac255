"""The hypercube: how busy each unit is when the nearest free one goes, and who serves whom."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.geo import Floats
from anlan.response.queueing import kernel
from anlan.response.queueing.erlang import busy_levels

Ints = npt.NDArray[np.int64]
P = TypeVar("P")
MOST_EXACT = 12
"""Units up to which all sets of busy ones are gone through."""
_SETTLED = 1e-10
_ROUNDS = 500


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Workloads:
    """How the work falls to the units.

    Parameters
    ----------
    busy : array of shape (N,)
        Share of its time that each unit is busy.
    sent : array of shape (N, J)
        Share of the incidents of each class that the unit serves. What is left to 1 is lost, where nobody waits.
    all_busy : float
        Probability that no unit is free.
    exact : bool
        False where Larson's approximation was used.
    """

    busy: Floats
    sent: Floats
    all_busy: float
    exact: bool

    @property
    def mean_busy(self) -> float:
        """The mean of the units' busy fractions: MEXCLP's q."""
        return float(self.busy.mean())


def workloads(
    per_hour: npt.ArrayLike,
    order: npt.ArrayLike,
    busy_s: npt.ArrayLike,
    *,
    queue: bool = True,
    exact: bool | None = None,
) -> Workloads:
    r"""Return how busy each unit is when each incident gets the first free unit of its order.

    Up to twelve units all :math:`2^N` sets of busy units are balanced; above that the units are taken to be busy
    independently, corrected by :math:`Q(N, \rho, j)` for there being few of them: of a class, its j-th unit serves
    :math:`Q(N, \rho, j - 1) \prod_{l < j} \rho_l (1 - \rho_j)`.

    Parameters
    ----------
    per_hour : array of shape (J,)
        Incidents an hour of each class (demand point).
    order : array of shape (J, N)
        The units in the order in which they are asked; see :func:`nearest_order`.
    busy_s : float, or array of shape (N,) or (N, J)
        Mean time for which an incident keeps a unit, s. By unit and class, each unit's mean is found by iteration.
    queue : bool
        True where incidents wait for the next free unit; False where they are lost to somebody else.
    exact : bool, optional
        Go through all sets, or not, whatever the number of units.

    Raises
    ------
    BadInput
        If shapes disagree, an order is no permutation, or with a queue there is more work than units.

    References
    ----------
    R. C. Larson (1974), "A hypercube queuing model for facility location and redistricting in urban emergency
    services"; R. C. Larson (1975), "Approximating the performance of urban emergency service systems", eq. 19-24; J. P.
    Jarvis (1985), "Approximating the equilibrium behavior of multi-server loss systems", for unequal busy times. Those
    who waited are taken to be spread evenly over the units, as Larson does.

    Examples
    --------
    Two units, each nearest to one half: alike, and as busy as Erlang says.

    >>> made = workloads([2.0, 2.0], [[0, 1], [1, 0]], 900.0, queue=False)
    >>> made.busy.round(4).tolist(), round(made.all_busy, 4)
    ([0.4, 0.4], 0.2)
    """
    rate, sent_first, means = _checked(per_hour, order, busy_s)
    n = sent_first.shape[1]
    in_full = n <= MOST_EXACT if exact is None else exact
    if in_full and n > 20:
        raise BadInput(f"{n} units with exact=True", "must be at most 20: 2^n sets are gone through", "leave it out")
    mean = means.mean(axis=1)
    made: Workloads | None = None
    for _ in range(_ROUNDS):
        made = _exact(rate, sent_first, mean, queue) if in_full else _approximate(rate, sent_first, mean, queue)
        weight = made.sent * rate
        then = (weight * means).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)
        then = np.where(weight.sum(axis=1) > 0, then, mean)
        if np.abs(then - mean).max() <= 1e-7 * mean.max():
            return made
        mean = then
    raise Unavailable(f"workloads of {n} units", f"did not settle in {_ROUNDS} rounds", "report it with its input")


def nearest_order(times_s: npt.ArrayLike) -> Ints:
    """Return for each point (J, N) the units from the nearest to the farthest; ``times_s`` (N, J) in s."""
    return np.argsort(np.asarray(times_s, float), axis=0, kind="stable").T.astype(np.int64)


def _checked(per_hour: npt.ArrayLike, order: npt.ArrayLike, busy_s: npt.ArrayLike) -> tuple[Floats, Ints, Floats]:
    rate = np.asarray(per_hour, float) / 3600
    asked = np.ascontiguousarray(order, np.int64)
    if rate.ndim != 1 or not len(rate) or not ((rate >= 0) & np.isfinite(rate)).all() or rate.sum() == 0:
        raise BadInput(f"per_hour of shape {rate.shape}", "must be rates >= 0 per hour, not all 0", "correct it")
    if asked.ndim != 2 or asked.shape[0] != len(rate) or asked.shape[1] == 0:
        raise BadInput(f"order of shape {asked.shape}", f"must be ({len(rate)}, units)", "give one row for each class")
    n = asked.shape[1]
    if not (np.sort(asked, axis=1) == np.arange(n)).all():
        raise BadInput("order", f"must name each of the {n} units once in every row", "use nearest_order")
    given = np.asarray(busy_s, float)
    if given.ndim == 1:
        given = given[:, None]
    try:
        means = np.broadcast_to(given, (n, len(rate)))
    except ValueError:
        raise BadInput(f"busy_s of shape {given.shape}", f"must be one, ({n},) or ({n}, {len(rate)})", "") from None
    if not ((means > 0) & np.isfinite(means)).all():
        raise BadInput("busy_s", "must be > 0 s", "give for how long an incident keeps a unit")
    return rate, asked, means


def _stable(load: float, n: int, *, queue: bool) -> None:
    if queue and load >= n:
        raise BadInput(f"{load:.3g} erlang of work", f"must be below the {n} units", "add units")


def _exact(rate: Floats, order: Ints, mean_s: Floats, queue: bool) -> Workloads:  # noqa: FBT001 - private, one caller
    n, total, down = order.shape[1], float(rate.sum()), 1 / mean_s
    _stable(total / float(down.sum()) * n, n, queue=queue)
    share = total / float(down.sum())
    tail = share / (1 - share) if queue else 0.0
    up = kernel.upward(order, rate, n)
    p, rounds = kernel.balanced(up, down, total, n, tail, 1e-13, 20_000)
    if rounds < 0:
        raise Unavailable(f"the hypercube of {n} units", "did not settle", "report it with its input")
    full = float(p[-1])
    states = np.arange(1 << n)
    busy = np.array([p[(states >> u) & 1 == 1].sum() for u in range(n)]) + tail * full
    sent = kernel.sent(p, order, n)
    all_busy = full * (1 + tail)
    if queue:
        sent += all_busy * (down / down.sum())[:, None]
    return Workloads(busy=busy, sent=sent, all_busy=all_busy, exact=True)


def _corrections(level: Floats) -> Floats:
    """Return Q (N,): how much likelier it is than for independent units that j given ones are busy and a next is free.

    With P_k the probability of k busy units and their mean share busy r, it is the sum over k of P_k times the chance
    that j drawn units are busy and the next one is free, over r^j (1 - r).
    """
    n = len(level) - 1
    share = float(level @ np.arange(n + 1)) / n
    made = np.empty(n)
    for j in range(n):
        total = 0.0
        for k in range(j, n):
            drawn = math.exp(math.lgamma(k + 1) - math.lgamma(k - j + 1) + math.lgamma(n - j + 1) - math.lgamma(n + 1))
            total += level[k] * drawn * (n - k) / (n - j)
        made[j] = total / (share**j * (1 - share)) if share > 0 else 1.0
    return made


def _approximate(rate: Floats, order: Ints, mean_s: Floats, queue: bool) -> Workloads:  # noqa: FBT001 - one caller
    n, total = order.shape[1], float(rate.sum())
    rows = np.arange(len(rate))
    busy = np.full(n, min(0.9, total * float(mean_s.mean()) / n))
    pooled = float(mean_s.mean())
    for _ in range(_ROUNDS):
        load = total * pooled
        _stable(load, n, queue=queue)
        level = busy_levels(load, n, queue=queue)
        q, waits = _corrections(level), float(level[-1])
        before, reach = np.ones(len(rate)), np.zeros((n, len(rate)))
        for k in range(n):
            unit = order[:, k]
            reach[unit, rows] = q[k] * before
            before = before * busy[unit]
        served = reach * (1 - busy)[:, None]
        served *= (1 - waits) / np.maximum(served.sum(axis=0), 1e-300)
        queued = waits / n if queue else 0.0
        then = ((served + queued) @ rate) * mean_s
        whole = (served + queued) * rate
        pooled = float((whole.sum(axis=1) * mean_s).sum() / whole.sum())
        # half a step: a full one swings between two answers where few units share much work
        then = np.minimum(0.5 * (busy + then), 1 - 1e-9)
        if np.abs(then - busy).max() <= _SETTLED:
            return Workloads(busy=then, sent=served + queued, all_busy=waits, exact=False)
        busy = then
    raise Unavailable(f"the approximation for {n} units", "did not settle", "report it with its input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(Generic[P]):
    """A plan with the busy fraction under which it was made and the one to which it leads.

    ``agreed`` is False where no plan leads to its own fraction; then it is the one that comes nearest.
    """

    plan: P
    assumed: float
    busy: float
    n_rounds: int
    agreed: bool


def settle(
    plan_of: Callable[[float], P],
    busy_of: Callable[[P], float],
    *,
    begin: float = 0.3,
    within: float = 1e-3,
    rounds: int = 30,
) -> Settled[P]:
    """Return a plan whose busy fraction is the one under which it was planned.

    The busy fraction is an outcome of a plan: who stands far off is busy for longer. So plan, ask how busy the units
    become, plan again. Plans are discrete, so that two may lead to each other for ever: a plan seen twice ends it.

    Parameters
    ----------
    plan_of : callable
        ``plan_of(q)`` returns a plan, hashable (a tuple of posts).
    busy_of : callable
        ``busy_of(plan)`` returns its busy fraction, of :func:`workloads` or of a simulation.
    begin : float
        The first q.
    within : float
        Fractions nearer than this agree.
    rounds : int
        Most plans made.

    Examples
    --------
    >>> far = settle(lambda q: (0, 1) if q < 0.5 else (0, 0), lambda plan: 0.42 if plan == (0, 1) else 0.6)
    >>> far.plan, far.busy, far.agreed
    ((0, 1), 0.42, True)
    """
    if not 0 <= begin < 1 or rounds < 1:
        raise BadInput(f"begin={begin}, rounds={rounds}", "must be in 0..1, below 1, and at least 1", "correct it")
    q, known, best = begin, {}, None
    for k in range(1, rounds + 1):
        plan = plan_of(q)
        key: Hashable = plan
        if key not in known:
            known[key] = busy_of(plan)
        became = known[key]
        off = abs(became - q)
        if best is None or off < abs(best.busy - best.assumed):
            best = Settled(plan=plan, assumed=q, busy=became, n_rounds=k, agreed=off <= within)
        if best.agreed:
            return best
        q = min(became if k < rounds // 2 else 0.5 * (q + became), 1 - 1e-6)
    assert best is not None  # noqa: S101 - at least one round was made
    return best
