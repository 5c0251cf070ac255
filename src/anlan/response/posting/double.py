"""The double standard: everybody within the long time, a share within the short one, and most weight there twice.

Two units at one place reach all it reaches twice, so the best plan of half as many pairs is a plan of this, too, and
the linear programs of both are one. It is where the search begins; mostly it is where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, eye_array, vstack

from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.cover import Cover, merged_rows, needed_rows, undominated_sites
from anlan.response.posting.covering import grain_of, plan_of, posts_of, told_of, units_of
from anlan.response.posting.goals import DoubleStandard
from anlan.response.posting.problem import Ints, Plan, Problem, Watch
from anlan.response.posting.program import Program

_ROUNDS, _SHAKEN = 600, 4


@dataclass(frozen=True, eq=False, slots=True)
class _Reach:
    """What the sites that are left reach: points within the short time, merged, and those that want the long one."""

    short: csr_array
    weight: Floats
    long: csr_array


def solve_double_standard(problem: Problem, goal: DoubleStandard, watch: Watch, seed: int) -> Plan:
    """Most weight twice within the short time, under both standards.

    Where the standards cannot be kept with n units, the share and then the points of the long standard are what can
    be had: the plan says so with ``kept=False``.
    """
    near, far = problem.within(goal.within_s), problem.within(goal.all_within_s)
    shape = (problem.n_sites, problem.n_points)
    short = csr_array(csr_array((np.ones(len(near[1])), near[1], near[0]), shape=shape).T)
    long = csr_array(csr_array((np.ones(len(far[1])), far[1], far[0]), shape=shape).T)
    gone = np.flatnonzero(np.diff(long.indptr) == 0)
    sites = _wide_sites(short, long, problem, goal.per_site)
    long_rows = csr_array(long[np.diff(long.indptr) > 0][:, sites])
    long_rows = csr_array(merged_rows(long_rows, np.ones(long_rows.shape[0]))[0])
    long_rows = csr_array(long_rows[needed_rows(long_rows)])
    rows, weight = merged_rows(csr_array(short[:, sites]), problem.weights)
    reach = _Reach(rows, weight, long_rows)
    known = None if problem.kept_bonus().any() else _paired(problem, goal, (short, long), seed)
    value = 0.0 if known is None else float(problem.weights[short @ known >= 2].sum())
    if known is not None and value >= goal.share * problem.weights.sum():
        units, bound, proved = _twice(goal, reach, (sites, known, value), watch, seed)
        kept = True
    else:
        values, bound, proved, kept = _double(goal, reach, (problem, sites), watch, seed)
        units = np.rint(values)
    count = short @ units
    twice, once = float(problem.weights[count >= 2].sum()), float(problem.weights[count >= 1].sum())
    total = max(float(problem.weights.sum()), 1e-12)
    paid = problem.moving_cost * sum(units[j] == 0 for j in problem.existing)
    told = replace(
        told_of(twice - paid, max(bound, twice - paid), watch, proved=proved),
        kept=kept and not len(gone),
        beyond=problem.beyond(gone),
        reached={
            "within": once / total,
            "twice": twice / total,
            "all_within": float(problem.weights[long @ units > 0].sum()) / total,
        },
    )
    return plan_of(problem, posts_of(units), goal.within_s, told)


def _wide_sites(short: csr_array, long: csr_array, problem: Problem, per_site: int) -> Ints:
    """Return the sites left when each goes whose reach, by both standards, lies within another's.

    A unit there does as much at the wider site; where that holds two units already, it adds nothing.
    """
    if per_site < 2 or problem.kept_bonus().any():
        return np.arange(problem.n_sites)
    return undominated_sites(csr_array(vstack([short, long])))


def _double(
    goal: DoubleStandard,
    reach: _Reach,
    asked: tuple[Problem, Ints],
    watch: Watch,
    seed: int,
) -> tuple[Floats, float, bool, bool]:
    """Return units, bound, proved, and whether both standards are kept."""
    problem, sites = asked
    rows, weight, far = reach.short, reach.weight, reach.long
    bonus, m = problem.kept_bonus()[sites], len(sites)
    paid = problem.moving_cost * len(problem.existing)
    need = goal.share * float(problem.weights.sum())
    slack_cost = 4.0 * max(float(problem.weights.sum()) + paid, 1.0)
    made = None
    for strict in (True, False):
        program = Program(maximise=True)
        x = program.columns(np.zeros(m), float(goal.per_site), whole=True)
        first = program.columns(bonus, 1.0)
        some, points = eye_array(m, format="csr"), eye_array(len(weight), format="csr")
        one = program.columns(np.zeros(len(weight)), 1.0, whole=True)  # else one unit would count as half of two
        two = program.columns(weight, 1.0)
        program.rows([(x, some), (first, -some)], 0.0, np.inf)
        program.rows([(x, rows), (one, -points), (two, -points)], 0.0, np.inf)
        program.rows([(one, points), (two, -points)], 0.0, np.inf)
        long_parts, share_parts = [(x, far)], [(one, csr_array(weight[None, :]))]
        if not strict:
            miss = program.columns(np.full(far.shape[0], -slack_cost), 1.0)
            under = program.columns(np.array([-slack_cost / max(need, 1e-9)]), max(need, 0.0))
            long_parts.append((miss, eye_array(far.shape[0], format="csr")))
            share_parts.append((under, csr_array(np.ones((1, 1)))))
        program.rows(long_parts, 1.0, np.inf)
        program.rows(share_parts, need * (1 - 1e-9), np.inf)
        program.rows([(x, csr_array(np.ones((1, m))))], 0.0, float(goal.n))
        within = 0.999 if strict and grain_of(weight, np.ones(1), bonus) > 0.5 else 0.0
        made = program.solve(seconds=watch.left_s, gap=watch.stop.gap, within=within, seed=seed)
        if made.values is not None:
            units = np.zeros(problem.n_sites)
            units[sites] = made.values[:m]
            return units, made.bound - paid, made.proved and watch.stop.gap == 0, strict
        if not made.infeasible:
            break
    most_twice = float(weight.sum())
    return np.zeros(problem.n_sites), most_twice, False, False


def _paired(problem: Problem, goal: DoubleStandard, reach: tuple[csr_array, csr_array], seed: int) -> Floats | None:
    """Return units (S,) of a plan that keeps both standards: pairs found as for one standard, then single swaps."""
    cover, pairs = Cover.of(problem, goal.within_s), min(goal.n // 2, problem.n_sites)
    if goal.per_site < 2 or not pairs or not len(cover.weight):
        return None
    free, one = np.zeros(problem.n_sites), np.ones(1)
    by_site, by_point = (cover.sfirst, cover.spoint), (cover.pfirst, cover.psite)
    posts = kernel.greedy(*by_site, cover.weight, one, free, 1, np.empty(pairs, np.int64))
    posts, _ = kernel.swapped(*by_site, *by_point, cover.weight, one, free, 1, posts, _ROUNDS, seed)
    odd = np.setdiff1d(np.arange(problem.n_sites), posts)[: goal.n - 2 * pairs]
    begin = np.concatenate([np.repeat(posts, 2), odd[:1]])
    second = np.array([0.0, 1.0])  # the first unit in reach adds nothing, the second all
    posts, _ = kernel.swapped(*by_site, *by_point, cover.weight, second, free, 2, begin, _ROUNDS // 20, seed, _SHAKEN)
    units, (short, long) = units_of(posts, problem.n_sites), reach
    once = problem.weights[short @ units >= 1].sum()
    all_reached = (long @ units >= 1)[np.diff(long.indptr) > 0].all()
    return units if all_reached and once >= goal.share * problem.weights.sum() else None


def _twice(
    goal: DoubleStandard, reach: _Reach, asked: tuple[Ints, Floats, float], watch: Watch, seed: int
) -> tuple[Floats, float, bool]:
    """Prove the plan known, or find a better one; return units, bound, and whether it is proved.

    Whatever is better has more weight twice within the short time than the share that wants to be there once: so that
    standard needs no rows, and no column tells whether a point is reached once.
    """
    sites, units, value = asked
    step = grain_of(reach.weight, np.ones(1), np.zeros(1))
    relaxed = _halves(goal, reach).relax(seconds=watch.left_s)
    if not relaxed.proved:
        return units, float(reach.weight.sum()), False
    bound = max(relaxed.bound, value)
    if bound - value < step or watch.is_over or bound - value <= watch.stop.gap * value:
        return units, value if bound - value < step else bound, bound - value < step
    high, fall = relaxed.bound + 1e-9 * max(1.0, value), relaxed.reduced[: len(sites)]
    left = np.flatnonzero(high + fall / 2 >= value + step)  # one unit is half a pair
    pair = high + fall[left] >= value + step
    program = _better(goal, reach, (left, pair), value + step)
    within = 0.999 if step > 0.5 else 0.0
    made = program.solve(seconds=watch.left_s, gap=watch.stop.gap, within=within, seed=seed, knows_plan=True)
    if made.infeasible:
        return units, value, True
    if made.values is not None and made.objective > value:
        units, value = np.zeros(len(units)), made.objective
        units[sites[left]] = np.rint(made.values[: len(left)] + made.values[len(left) : 2 * len(left)])
    bound = max(min(bound, made.bound), value)
    done = bound - value < step or (made.proved and watch.stop.gap == 0)
    return units, value if done else bound, done


def _halves(goal: DoubleStandard, reach: _Reach) -> Program:
    """Return the relaxation, in pairs of units: a point that one unit reaches counts as half reached twice."""
    program, m, n = Program(maximise=True), reach.short.shape[1], len(reach.weight)
    x = program.columns(np.zeros(m), min(goal.per_site, 2) / 2)
    z = program.columns(reach.weight, 1.0)
    program.rows([(x, reach.short), (z, -eye_array(n, format="csr"))], 0.0, np.inf)
    program.rows([(x, reach.long)], 0.5, np.inf)
    program.rows([(x, csr_array(np.ones((1, m))))], 0.0, goal.n / 2)
    return program


def _better(goal: DoubleStandard, reach: _Reach, open_to: tuple[Ints, npt.NDArray[np.bool_]], least: float) -> Program:
    """Return the program of plans of at least a value, among the sites left: one unit there, and where there are two.

    That a site is used at all is a column of its own: without it, branching takes a pair away and finds the same at
    once in two single units beside it.
    """
    left, pair = open_to
    short, weight = merged_rows(csr_array(reach.short[:, left]), reach.weight)
    some, points = eye_array(len(left), format="csr"), eye_array(len(weight), format="csr")
    program, long, every = Program(maximise=True), csr_array(reach.long[:, left]), csr_array(np.ones((1, len(left))))
    one = program.columns(np.zeros(len(left)), 1.0, whole=True)
    two = program.columns(np.zeros(len(left)), pair.astype(float) * (goal.per_site > 1), whole=True)
    twice = program.columns(weight, 1.0, whole=True)
    program.rows([(one, some), (two, -some)], 0.0, np.inf)
    program.rows([(one, short), (two, short), (twice, -2 * points)], 0.0, np.inf)
    program.rows([(one, long)], 1.0, np.inf)
    program.rows([(one, every), (two, every)], 0.0, float(goal.n))
    scale = max(float(weight.max(initial=0.0)), 1e-12)
    program.rows([(twice, csr_array(weight[None, :] / scale))], least / scale, np.inf)
    return program
