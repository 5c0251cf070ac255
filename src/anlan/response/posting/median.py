"""Plans by travel time: the least total (p-median) and the shortest longest time (p-center)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.branching import FEW, branched
from anlan.response.posting.cheapest import Needs, cheapest
from anlan.response.posting.covering import plan_of
from anlan.response.posting.goals import PCenter, PMedian
from anlan.response.posting.problem import Ints, Plan, Problem, Watch
from anlan.response.posting.program import Program


def _times(problem: Problem) -> tuple[Floats, Ints, Ints]:
    """Return the whole table, the points that some site reaches, and those of weight that none does."""
    if isinstance(problem.times_s, csr_array):
        table = np.full(problem.times_s.shape, np.inf)
        rows = np.repeat(np.arange(problem.n_sites), np.diff(problem.times_s.indptr))
        table[rows, problem.times_s.indices] = problem.times_s.data
    else:
        table = np.asarray(problem.times_s, float)
    reachable = np.isfinite(table).any(axis=0)
    wanted = problem.weights > 0
    return table, np.flatnonzero(reachable & wanted), np.flatnonzero(~reachable & wanted)


def solve_p_median(problem: Problem, goal: PMedian, watch: Watch, seed: int) -> Plan:
    """Least weight times seconds: interchange, multipliers, and a program of the sites and pairs left open."""
    table, points, gone = _times(problem)
    n, extra = min(goal.n, problem.n_sites), -problem.kept_bonus()
    paid = problem.moving_cost * len(problem.existing)
    finite = table[:, points]
    far = finite[np.isfinite(finite)].max(initial=0.0)
    never = 10.0 * (far + 1.0) * max(len(points), 1)
    weight = problem.weights[points]
    cost = np.ascontiguousarray(np.where(np.isfinite(finite), finite, never) * weight)
    posts, value, bound, proved = _median(cost, extra, n, watch, seed)
    held_s = problem.nearest_s(posts)[points]
    told = Plan(
        posts=(),
        objective=value + paid,
        bound=bound + paid,
        proved=proved,
        reached_share=0.0,
        seconds=watch.spent_s,
        kept=not len(gone) and bool(np.isfinite(held_s).all()),
        beyond=problem.beyond(gone),
    )
    return plan_of(problem, posts, np.finfo(float).max, told)


def _median(cost: Floats, extra: Floats, n: int, watch: Watch, seed: int) -> tuple[Ints, float, float, bool]:
    if n == 1 or not cost.size:
        total = cost.sum(axis=1) + extra
        best = np.argsort(total, kind="stable")[:n].astype(np.int64)
        value = float(cost[best].min(axis=0).sum() + extra[best].sum()) if cost.size else float(extra[best].sum())
        return best, value, value, True
    whole = bool((cost == np.rint(cost)).all() and (extra == np.rint(extra)).all())
    step = 1 - 1e-6 if whole else 1e-9 * max(1.0, float(cost.min(axis=0).sum()))
    posts, value = kernel.interchange(cost, extra, n, 10, seed)
    begin = np.partition(cost, min(len(cost) - 1, max(1, len(cost) // (2 * n))), axis=0)
    u = begin[min(len(cost) - 1, max(1, len(cost) // (2 * n)))].copy()
    bound, rho, best_u, theta = -np.inf, np.zeros(len(cost)), u, 1.5
    none, every = np.zeros(0, np.int64), np.arange(len(cost))
    for turn in range(6):
        low, u, found, _ = kernel.dual_median(cost, extra, none, every, n, value, best_u, step, theta, 400)
        gained = low - bound
        if low > bound:  # multipliers, bound and reduced costs belong together
            bound, rho, best_u = low, found, u
        if value - bound < step or value - bound <= watch.stop.gap * abs(value) or watch.is_over:
            break
        again, better = kernel.interchange(cost, extra, n, 5, seed + 1 + turn)
        if better < value:
            posts, value = again, better
        if turn and gained < 1e-3 * (value - bound):
            break
        theta *= 0.5
    if value - bound < step or value - bound <= watch.stop.gap * abs(value) or watch.is_over:
        return posts, float(value), float(bound), bool(value - bound < step)
    known = (posts, float(value), float(bound), best_u, rho)
    if n <= FEW:
        return branched(cost, extra, (n, step), known, watch)
    return _median_proved(cost, extra, (n, step), known, watch, seed)


def _median_proved(
    cost: Floats,
    extra: Floats,
    size: tuple[int, float],
    known: tuple[Ints, float, float, Floats, Floats],
    watch: Watch,
    seed: int,
) -> tuple[Ints, float, float, bool]:
    """Prove the plan known or find a better one: only what the multipliers do not rule out stands in the program."""
    (n, step), (posts, value, bound, u, rho) = size, known
    last = np.partition(rho, n - 1)[n - 1]
    dearer = np.maximum(rho - last, 0.0)
    slack = value - bound + 1e-9 * max(1.0, abs(value))  # what sums of floats may be off
    held = np.zeros(len(cost), np.bool_)
    held[posts] = True
    sites = np.flatnonzero((dearer <= slack) | held)
    pair = (np.maximum(cost[sites] - u, 0.0) + dearer[sites, None]) <= slack
    owner = cost[posts].argmin(axis=0)
    place = np.searchsorted(sites, posts)
    pair[place[owner], np.arange(cost.shape[1])] = True
    site, point = np.nonzero(pair)
    k, n_points = len(site), cost.shape[1]
    program = Program(maximise=False)
    x = program.columns(extra[sites], 1.0, whole=True)
    y = program.columns(cost[sites[site], point], 1.0)
    each, ones = np.arange(k), np.ones(k)
    program.rows([(y, csr_array((ones, (point, each)), shape=(n_points, k)))], 1.0, 1.0)
    link = csr_array((ones, (each, site)), shape=(k, len(sites)))
    program.rows([(x, link), (y, csr_array((-ones, (each, each)), shape=(k, k)))], 0.0, np.inf)
    program.rows([(x, csr_array(np.ones((1, len(sites)))))], 0.0, float(n))
    made = program.solve(seconds=watch.left_s, gap=watch.stop.gap, within=0.999 if step > 0.5 else 0.0, seed=seed)
    sound = made.bound <= value + step  # the plan known stands in the program: a bound above it is a wrong one
    if made.values is not None and made.objective < value - 1e-9 * abs(value):
        chosen = sites[made.values[: len(sites)] > 0.5]
        spare = np.setdiff1d(np.arange(len(cost)), chosen)[: n - len(chosen)]
        posts = np.concatenate([chosen, spare]).astype(np.int64)
        value = float(cost[posts].min(axis=0).sum() + extra[posts].sum())
    limit = min(max(bound, made.bound), value) if sound else bound
    proved = value - limit < step or (sound and made.proved and watch.stop.gap == 0)
    return posts, value, value if proved else limit, proved


def solve_p_center(problem: Problem, goal: PCenter, watch: Watch, seed: int) -> Plan:
    """Shortest time that n posts can promise everybody: halve the times between what fails and what works."""
    if problem.existing and problem.moving_cost > 0:
        raise BadInput(
            f"moving_cost={problem.moving_cost} with a p-center",
            "must be 0: seconds and posts moved have no common unit",
            "leave it out, or use p_median",
        )
    table, points, gone = _times(problem)
    n = min(goal.n, problem.n_sites)
    table = table[:, points]
    steps = np.unique(table[np.isfinite(table)])
    posts = _farthest_first(table, n)
    reach = table[posts].min(axis=0).max(initial=0.0)
    high = int(np.searchsorted(steps, reach)) if np.isfinite(reach) else len(steps)
    floor = table.min(axis=0).max(initial=0.0)
    low = int(np.searchsorted(steps, floor))  # nobody can promise less than the point that is farthest from all sites
    while low < high and not watch.is_over:
        middle = (low + high) // 2
        found, sure = _within(table, float(steps[middle]), n, watch, seed)
        if found is not None:
            posts, high = found, middle
            high = min(high, int(np.searchsorted(steps, table[found].min(axis=0).max())))
        elif sure:
            low = middle + 1
        else:
            break
    value = float(table[posts].min(axis=0).max(initial=0.0)) if len(points) else 0.0
    bound = float(steps[min(low, len(steps) - 1)]) if len(steps) else 0.0
    kept = not len(gone) and bool(np.isfinite(value))
    told = Plan(
        posts=(),
        objective=value,
        bound=min(bound, value),
        proved=low >= high,
        reached_share=0.0,
        seconds=watch.spent_s,
        kept=kept,
        beyond=problem.beyond(gone),
    )
    return replace(plan_of(problem, posts, value, told))


def _farthest_first(table: Floats, n: int) -> Ints:
    """Return n sites, each the best for the point that is worst off so far (Gonzalez 1985)."""
    posts: list[int] = []
    best = np.full(table.shape[1], np.inf)
    for _ in range(n):
        worst = int(np.argmax(best)) if len(best) else 0
        order = np.argsort(table[:, worst], kind="stable") if len(best) else np.arange(len(table))
        posts.append(next(int(j) for j in order if int(j) not in posts))
        best = np.minimum(best, table[posts[-1]])
    return np.array(posts, np.int64)


def _within(table: Floats, within_s: float, n: int, watch: Watch, seed: int) -> tuple[Ints | None, bool]:
    """Return n sites that reach every point in time, or None; and whether None is sure."""
    matrix = csr_array((table <= within_s).T.astype(float))
    needs = Needs(matrix=matrix, need=np.ones(matrix.shape[0], np.int64), cost=np.ones(len(table)))
    units, bound, _ = cheapest(needs, watch, seed, enough=n)
    chosen = np.flatnonzero(units > 0)
    if len(chosen) <= n:
        spare = np.setdiff1d(np.arange(len(table)), chosen)[: n - len(chosen)]
        return np.concatenate([chosen, spare]).astype(np.int64), True
    return None, bound > n + 1e-6
