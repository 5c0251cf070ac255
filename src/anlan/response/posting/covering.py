"""Plans by what is covered: fewest posts for all, and most for n posts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.cheapest import Needs, cheapest
from anlan.response.posting.cover import Cover, merged_rows, undominated_sites
from anlan.response.posting.goals import Backup, Lscp, Mclp, Mexclp
from anlan.response.posting.large import most_of_many
from anlan.response.posting.most import program_of_most
from anlan.response.posting.problem import Ints, Plan, Problem, Watch

_LARGEST_EXACT = 4_000_000
"""Entries of a program that is still handed to the exact solver."""
_TURNS = 8


def units_of(posts: Ints, n_sites: int) -> Floats:
    """Return how many units stand at each site."""
    return np.bincount(posts, minlength=n_sites).astype(float)


def posts_of(units: Floats) -> Ints:
    """Return the sites of the units, each as often as it has one."""
    whole = np.rint(units).astype(np.int64)
    return np.repeat(np.arange(len(whole)), whole)


def plan_of(problem: Problem, posts: Ints, within_s: float, told: Plan) -> Plan:
    """Return the plan with what every plan tells: who is reached, and which existing posts are given up."""
    reached = problem.nearest_s(posts) <= within_s if len(posts) else np.zeros(problem.n_points, np.bool_)
    total = float(problem.weights.sum())
    return replace(
        told,
        posts=tuple(int(j) for j in np.sort(posts)),
        reached_share=float(problem.weights[reached].sum() / total) if total > 0 else 0.0,
        moved=tuple(j for j in problem.existing if j not in set(posts.tolist())),
    )


def told_of(objective: float, bound: float, watch: Watch, *, proved: bool) -> Plan:
    """Return a plan with what is known of its value, and no posts yet."""
    return Plan(
        posts=(),
        objective=float(objective),
        bound=float(bound),
        proved=bool(proved),
        reached_share=0.0,
        seconds=watch.spent_s,
    )


def solve_lscp(problem: Problem, goal: Lscp, watch: Watch, seed: int) -> Plan:
    """Fewest posts for everybody. Points that nobody reaches are named and left out of the promise."""
    cover = Cover.of(problem, goal.within_s)
    short = np.flatnonzero(cover.number < 0)
    if goal.times > 1:
        few = np.diff(cover.pfirst) < goal.times
        short = np.flatnonzero((cover.number < 0) | few[cover.number])
    if not len(cover.weight):
        told = replace(told_of(0.0, 0.0, watch, proved=True), kept=False, beyond=problem.beyond(short))
        return plan_of(problem, np.zeros(0, np.int64), goal.within_s, told)
    matrix = cover.matrix
    need = np.minimum(goal.times, np.diff(matrix.indptr)).astype(np.int64)
    cost = 1.0 - problem.kept_bonus()
    units, bound, proved = cheapest(Needs(matrix=matrix, need=need, cost=cost), watch, seed)
    paid = problem.moving_cost * len(problem.existing)
    told = replace(
        told_of(float(cost @ units) + paid, bound + paid, watch, proved=proved),
        kept=not len(short),
        beyond=problem.beyond(short),
    )
    return plan_of(problem, posts_of(units), goal.within_s, told)


def solve_most(problem: Problem, goal: Mclp | Backup | Mexclp, watch: Watch, seed: int) -> Plan:
    """Most weight by n posts: search, bound by multipliers, leave out what cannot be better, then prove the rest."""
    cover, gain, bonus = Cover.of(problem, goal.within_s), goal.gains(), problem.kept_bonus()
    gone = np.flatnonzero(cover.number < 0)
    n = min(goal.n, goal.per_site * problem.n_sites)
    paid = problem.moving_cost * len(problem.existing)
    if not len(cover.weight):
        begin = np.array([*problem.existing, *range(problem.n_sites)] * goal.per_site, np.int64)[:n]
        told = told_of(0.0, 0.0, watch, proved=True)
        return plan_of(problem, np.sort(begin), goal.within_s, replace(told, kept=False, beyond=problem.beyond(gone)))
    posts, value, bound, proved = most(cover, gain, bonus, n, goal.per_site, watch, seed)
    told = told_of(value - paid, bound - paid, watch, proved=proved)
    lost = gone[problem.weights[gone] > 0]
    return plan_of(problem, posts, goal.within_s, replace(told, kept=not len(lost), beyond=problem.beyond(lost)))


def most(  # noqa: PLR0913, PLR0917 - the numbers of one problem and the clock
    cover: Cover, gain: Floats, bonus: Floats, n: int, per_site: int, watch: Watch, seed: int
) -> tuple[Ints, float, float, bool]:
    """Return posts, their value, the bound, and whether it is proved."""
    step = grain_of(cover.weight, gain, bonus)
    if len(cover.psite) > _LARGEST_EXACT:
        posts, value, bound = most_of_many(cover, gain, bonus, (n, per_site), watch, seed)
        return posts, value, bound, bound - value < step
    by_site, by_point = (cover.sfirst, cover.spoint), (cover.pfirst, cover.psite)
    posts = kernel.greedy(*by_site, cover.weight, gain, bonus, per_site, np.empty(n, np.int64))
    u, state = cover.weight * gain[0] * 0.3, np.array([1e300, 1.0, 0.0])
    best_u, pull, value, r = u.copy(), np.zeros(cover.n_sites), -np.inf, 0
    while r < _TURNS and not (r and watch.is_over):
        rounds = 30 if r == 0 else 10
        posts, value = kernel.swapped(*by_site, *by_point, cover.weight, gain, bonus, per_site, posts, rounds, seed + r)
        best_before = state[0]
        found = kernel.dual_cover(*by_point, cover.weight, gain, bonus, per_site, n, value, u, best_u, state, 150)
        pull = found if found.any() else pull
        r += 1
        if _is_enough(value, state[0], step, watch.stop.gap) or (r > 3 and best_before - state[0] < 1e-7 * value):
            break
    bound = min(state[0], float(cover.weight.sum() * gain.sum() + bonus.sum()))
    if bound - value < step or watch.is_over or _is_enough(value, bound, step, watch.stop.gap):
        return posts, value, max(bound, value), bound - value < step
    # what is ruled out by the multipliers goes by their own bound, not by a lower one from elsewhere
    return _proved(cover, gain, bonus, (n, per_site), (posts, value, float(state[0]), pull), step, watch, seed)


def _is_enough(value: float, bound: float, step: float, gap: float) -> bool:
    return bound - value < step or bound - value <= gap * abs(value)


def grain_of(weight: Floats, gain: Floats, bonus: Floats) -> float:
    """Return what two different values differ by at least (a little less): 1 where all parts are whole numbers."""
    parts = np.concatenate([np.outer(gain, [1.0]).ravel(), weight, bonus])
    whole = bool((parts == np.rint(parts)).all())
    return 1 - 1e-6 if whole else 1e-9 * max(1.0, float(weight.sum()))


def _proved(  # noqa: PLR0913, PLR0917 - what is known so far, and what is asked
    cover: Cover,
    gain: Floats,
    bonus: Floats,
    size: tuple[int, int],
    known: tuple[Ints, float, float, Floats],
    step: float,
    watch: Watch,
    seed: int,
) -> tuple[Ints, float, float, bool]:
    """Prove the plan known, or find a better one, among the sites that the bound leaves open."""
    (n, per_site), (posts, value, bound, pull) = size, known
    held = units_of(posts, cover.n_sites)
    order = np.argsort(-pull)
    last = pull[order[min(-(-n // per_site), cover.n_sites) - 1]]
    open_sites = (bound - (last - pull) >= value) | (held > 0) if pull.any() else np.ones(cover.n_sites, np.bool_)
    sites = np.flatnonzero(open_sites)
    matrix = csr_array(cover.matrix[:, sites])
    if per_site == 1 and len(gain) == 1 and not bonus.any():
        kept = np.union1d(undominated_sites(matrix), np.flatnonzero(held[sites] > 0))
        sites, matrix = sites[kept], csr_array(matrix[:, kept])
    program = program_of_most(*merged_rows(matrix, cover.weight), gain, bonus[sites], size)
    made = program.solve(seconds=watch.left_s, gap=watch.stop.gap, within=0.999 if step > 0.5 else 0.0, seed=seed)
    sound = made.bound >= value - step  # the plan known stands in the program: a bound below it is a wrong one
    limit = max(min(bound, made.bound), value) if sound else bound
    if made.values is not None and made.objective > value + 1e-9 * abs(value):
        found = np.zeros(cover.n_sites)
        found[sites] = np.rint(made.values[: len(sites)])
        posts = _filled(posts_of(found), n, per_site, cover.n_sites)
        value = cover.value(units_of(posts, cover.n_sites), gain) + float(bonus[np.unique(posts)].sum())
    limit = max(limit, value)
    done = limit - value < step or (sound and made.proved and watch.stop.gap == 0)
    return posts, value, value if done else limit, done


def _filled(posts: Ints, n: int, per_site: int, n_sites: int) -> Ints:
    """Return n posts: the solver leaves out units that add nothing."""
    spare = np.repeat(np.arange(n_sites), np.maximum(per_site - np.bincount(posts, minlength=n_sites), 0))
    return np.concatenate([posts, spare[: n - len(posts)]])
