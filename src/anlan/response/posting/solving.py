"""One door to every goal, the price of a promise, and what each post is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from anlan.response.posting.covering import solve_lscp, solve_most
from anlan.response.posting.double import solve_double_standard
from anlan.response.posting.goals import Backup, DoubleStandard, Goal, Lscp, Mclp, Mexclp, PMedian
from anlan.response.posting.median import solve_p_center, solve_p_median
from anlan.response.posting.problem import Plan, Problem, Stop, Watch


def solve(problem: Problem, goal: Goal, *, stop: Stop | None = None, seed: int = 0) -> Plan:
    """Return the best plan found for a goal, with its bound.

    Parameters
    ----------
    problem : Problem
    goal : Lscp, Mclp, Backup, Mexclp, DoubleStandard, PMedian or PCenter
    stop : Stop, optional
        One minute where left out. A search that is stopped returns its best plan and the gap.
    seed : int
        Of the search. It may change which of equally good plans is found, and never a proved objective.

    Returns
    -------
    Plan
        ``kept`` is False where nobody can keep the promise: then it is the best that can be had, and ``beyond`` names
        the points that no site reaches, with their nearest distance.

    Raises
    ------
    BadInput
        If goal and problem do not fit.

    Examples
    --------
    Four junctions in a row, 60 s apart; posts may stand at any.

    >>> place = np.arange(4) * 60.0
    >>> problem = Problem(times_s=np.abs(place[:, None] - place), weight=np.array([5.0, 1.0, 1.0, 4.0]))
    >>> plan = solve(problem, Mclp(n=1, within_s=60))
    >>> plan.posts, plan.objective, plan.proved
    ((1,), 7.0, True)
    >>> len(solve(problem, Lscp(within_s=60)).posts)
    2
    """
    watch = Watch(stop or Stop())
    if isinstance(goal, Lscp):
        return solve_lscp(problem, goal, watch, seed)
    if isinstance(goal, DoubleStandard):
        return solve_double_standard(problem, goal, watch, seed)
    if isinstance(goal, PMedian):
        return solve_p_median(problem, goal, watch, seed)
    if isinstance(goal, Mclp | Backup | Mexclp):
        return solve_most(problem, goal, watch, seed)
    return solve_p_center(problem, goal, watch, seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a number of units can promise."""

    n: int
    plan: Plan


def price_curve(
    problem: Problem, goal: Mclp | Mexclp | Backup, numbers: Sequence[int], *, stop: Stop | None = None, seed: int = 0
) -> tuple[Price, ...]:
    """Return the plan of each number of units: what one more buys. ``stop`` holds for each plan."""
    return tuple(Price(n=n, plan=solve(problem, replace(goal, n=n), stop=stop, seed=seed)) for n in sorted(numbers))


def marginal_values(problem: Problem, goal: Mclp | Mexclp | Backup, plan: Plan) -> dict[int, float]:
    """Return for each post of a plan the weight that is no longer reached when one unit there goes and none moves."""
    first, point = problem.within(goal.within_s)
    count = np.zeros(problem.n_points, np.int64)
    for j in plan.posts:
        count[point[first[j] : first[j + 1]]] += 1
    gain = np.append(goal.gains(), 0.0)
    last = gain[np.clip(count - 1, 0, len(gain) - 1)] * problem.weights
    return {j: float(last[point[first[j] : first[j + 1]]].sum()) for j in sorted(set(plan.posts))}
