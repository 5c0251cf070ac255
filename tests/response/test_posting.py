import os
from itertools import combinations, combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import floyd_warshall

from anlan.kernel.errors import BadInput
from anlan.response.posting import (
    Backup,
    DoubleStandard,
    Lscp,
    Mclp,
    Mexclp,
    PCenter,
    PMedian,
    Problem,
    Stop,
    marginal_values,
    price_curve,
    solve,
)
from anlan.response.posting.branching import branched
from anlan.response.posting.cover import Cover
from anlan.response.posting.large import most_of_many
from anlan.response.posting.large.game import Game, played_in_part
from anlan.response.posting.large.kernel import bound_of, wandered
from anlan.response.posting.most import program_of_most
from anlan.response.posting.problem import Watch
from anlan.response.posting.program import Program

BENCHMARKS = Path(os.environ.get("ANLAN_DATA", "../shared/data")) / "location_benchmarks"
SEEDS = st.integers(0, 10_000)


def town(seed, n_sites=8, n_points=20, **more):
    draw = np.random.default_rng(seed)
    sites, points = draw.random((n_sites, 2)) * 100, draw.random((n_points, 2)) * 100
    times = np.rint(np.hypot(*(sites[:, None] - points).transpose(2, 0, 1)))
    return Problem(times_s=times, weight=draw.integers(0, 9, n_points).astype(float), **more)


def expected(problem, posts, within_s, gain):
    count = (np.asarray(problem.times_s)[list(posts)] <= within_s).sum(axis=0)
    total = np.concatenate([[0], np.cumsum(gain)])
    return float(problem.weights @ total[np.minimum(count, len(gain))])


@given(SEEDS, st.integers(1, 4), st.sampled_from([15.0, 30.0, 50.0]))
@settings(max_examples=25)
def test_most_weight_is_what_trying_all_finds(seed, n, within_s):
    problem = town(seed)
    for goal in (
        Mclp(n=n, within_s=within_s),
        Backup(n=n, within_s=within_s),
        Mexclp(n=n, within_s=within_s, busy=0.4),
    ):
        plan = solve(problem, goal, seed=seed)
        best = max(expected(problem, posts, within_s, goal.gains()) for posts in combinations(range(8), n))
        assert plan.proved
        assert plan.objective == pytest.approx(best)
        assert expected(problem, plan.posts, within_s, goal.gains()) == pytest.approx(plan.objective)
        assert len(plan.posts) == n


@given(SEEDS)
@settings(max_examples=15)
def test_units_may_share_a_site(seed):
    problem, goal = town(seed), Mexclp(n=3, within_s=30, busy=0.5, per_site=3)
    best = max(expected(problem, p, 30, goal.gains()) for p in combinations_with_replacement(range(8), 3))
    assert solve(problem, goal).objective == pytest.approx(best)


@given(SEEDS, st.sampled_from([20.0, 35.0, 60.0]))
@settings(max_examples=25)
def test_fewest_posts_are_what_trying_all_finds(seed, within_s):
    problem = town(seed)
    plan = solve(problem, Lscp(within_s=within_s))
    can = problem.nearest_s() <= within_s
    least = next(
        n
        for n in range(9)
        for posts in combinations(range(8), n)
        if not can.any() or (n and (np.asarray(problem.times_s)[list(posts)][:, can].min(axis=0) <= within_s).all())
    )
    assert plan.proved
    assert len(plan.posts) == plan.bound == least
    assert plan.kept == bool(can.all())
    assert {one.point for one in plan.beyond} == set(np.flatnonzero(~can))


@given(SEEDS, st.integers(1, 4))
@settings(max_examples=25)
def test_median_and_center_are_what_trying_all_finds(seed, n):
    problem = town(seed)
    times, wanted = np.asarray(problem.times_s), problem.weights > 0
    nearest = [times[list(posts)].min(axis=0) for posts in combinations(range(8), n)]
    median, center = solve(problem, PMedian(n=n), seed=seed), solve(problem, PCenter(n=n), seed=seed)
    assert median.proved
    assert median.objective == pytest.approx(min(problem.weights @ one for one in nearest))
    assert center.proved
    assert center.objective == min(one[wanted].max() for one in nearest)


@given(SEEDS)
@settings(max_examples=15)
def test_double_standard_is_what_trying_all_finds(seed):
    problem = town(seed)
    goal = DoubleStandard(n=4, within_s=35, all_within_s=70, share=0.6, per_site=1)
    times, best = np.asarray(problem.times_s), None
    for posts in combinations(range(8), 4):
        near, far = (times[list(posts)] <= 35).sum(axis=0), (times[list(posts)] <= 70).any(axis=0)
        if far.all() and problem.weights[near >= 1].sum() >= 0.6 * problem.weights.sum():
            best = max(best or 0.0, float(problem.weights[near >= 2].sum()))
    plan = solve(problem, goal)
    assert plan.kept == (best is not None)
    if best is not None:
        assert plan.proved
        assert plan.objective == pytest.approx(best)


@given(SEEDS, st.sampled_from([(4, 0.1), (4, 0.6), (5, 0.1)]))
@settings(max_examples=20)
def test_double_standard_with_two_at_a_site_is_what_trying_all_finds(seed, size):
    (n, share), problem = size, town(seed)
    goal = DoubleStandard(n=n, within_s=35, all_within_s=80, share=share)
    times, best = np.asarray(problem.times_s), None
    for posts in combinations(np.repeat(range(8), 2), n):
        near, far = (times[list(posts)] <= 35).sum(axis=0), (times[list(posts)] <= 80).any(axis=0)
        if far.all() and problem.weights[near >= 1].sum() >= share * problem.weights.sum():
            best = max(best or 0.0, float(problem.weights[near >= 2].sum()))
    plan = solve(problem, goal)
    assert plan.kept == (best is not None)
    if best is not None:
        assert plan.proved
        assert plan.objective == pytest.approx(best)
        assert np.bincount(plan.posts).max() <= 2
        assert len(plan.posts) <= n


def test_a_double_standard_that_is_stopped_has_a_plan_and_a_bound_close_to_it():
    problem = town(2, n_sites=150, n_points=400)
    goal = DoubleStandard(n=16, within_s=14, all_within_s=60, share=0.5)
    plan = solve(problem, goal, stop=Stop(seconds=2))
    assert plan.kept
    assert plan.reached["within"] >= 0.5
    assert plan.objective == pytest.approx(plan.reached["twice"] * problem.weights.sum())
    assert plan.gap < 0.05
    assert plan.bound >= plan.objective


def test_a_table_of_what_is_near_gives_the_same_plan():
    whole = town(3)
    near = np.where(np.asarray(whole.times_s) <= 40, np.asarray(whole.times_s) + 1, 0)
    sparse = csr_array(near)
    sparse.data -= 1  # a stored zero is a time, too
    part = Problem(times_s=sparse, weight=whole.weights)
    for goal in (Mclp(n=3, within_s=30), Lscp(within_s=40), Mexclp(n=4, within_s=40, busy=0.3)):
        assert solve(part, goal).objective == pytest.approx(solve(whole, goal).objective)


def test_who_cannot_be_reached_is_named_with_the_nearest_distance():
    problem = Problem(
        times_s=np.array([[10.0, np.inf, 500.0]]),
        names=("Bund", "island", "Yu Garden"),
        point_xy_m=np.array([[0.0, 0.0], [300.0, 400.0], [0.0, 900.0]]),
        site_xy_m=np.zeros((1, 2)),
    )
    plan = solve(problem, Lscp(within_s=180))
    assert not plan.kept
    assert [(one.name, one.nearest_s, one.nearest_m) for one in plan.beyond] == [
        ("island", None, 500.0),
        ("Yu Garden", 500.0, 900.0),
    ]
    assert plan.posts == (0,)


def test_two_standards_that_nobody_can_keep_return_the_best_there_is():
    problem = Problem(times_s=np.array([[0.0, 400.0, 900.0], [400.0, 0.0, 400.0], [900.0, 400.0, 0.0]]))
    plan = solve(problem, DoubleStandard(n=1, within_s=60, all_within_s=100, share=1.0))
    assert not plan.kept
    assert len(plan.posts) == 1
    assert plan.reached["within"] == pytest.approx(1 / 3)


def test_a_search_that_is_stopped_returns_its_best_plan_and_a_gap():
    problem = town(1, n_sites=300, n_points=900)
    plan = solve(problem, Mexclp(n=25, within_s=9, busy=0.4), stop=Stop(seconds=0.05))
    assert len(plan.posts) == 25
    assert not plan.proved
    assert 0 < plan.gap < 0.2
    assert plan.bound >= plan.objective


def test_an_existing_post_is_given_up_only_for_what_it_costs():
    times = np.array([[0.0, 99.0], [99.0, 0.0]])
    weight = np.array([5.0, 7.0])
    cheap = Problem(times_s=times, weight=weight, existing=(0,), moving_cost=1.0)
    dear = Problem(times_s=times, weight=weight, existing=(0,), moving_cost=3.0)
    goal = Mclp(n=1, within_s=10)
    assert (solve(cheap, goal).posts, solve(cheap, goal).moved, solve(cheap, goal).objective) == ((1,), (0,), 6.0)
    assert (solve(dear, goal).posts, solve(dear, goal).moved, solve(dear, goal).objective) == ((0,), (), 5.0)


def test_more_units_never_reach_less_and_a_posts_worth_is_what_goes_with_it():
    problem, goal = town(5, n_sites=12, n_points=40), Mclp(n=1, within_s=25)
    curve = price_curve(problem, goal, range(1, 7))
    reached = [one.plan.objective for one in curve]
    assert reached == sorted(reached)
    plan = curve[3].plan
    for post, worth in marginal_values(problem, goal, plan).items():
        rest = [j for j in plan.posts if j != post]
        assert plan.objective - worth == pytest.approx(expected(problem, rest, 25, goal.gains()))


def test_seeds_do_not_change_what_is_proved():
    problem = town(9, n_sites=40, n_points=150)
    made = [solve(problem, Mclp(n=6, within_s=15), seed=seed) for seed in (0, 1, 2)]
    assert all(plan.proved for plan in made)
    assert len({plan.objective for plan in made}) == 1


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"weight": np.array([1.0, -1.0])}, r"weight\[1\]"),
        ({"weight": np.ones(3)}, "shape"),
        ({"existing": (4,)}, "existing"),
        ({"moving_cost": -1.0}, "moving_cost"),
        ({"times_s": np.array([[np.nan, 1.0]])}, "times_s"),
        ({"names": ("one",)}, "names"),
    ],
)
def test_wrong_problems_are_told(more, word):
    with pytest.raises(BadInput, match=word):
        Problem(**{"times_s": np.ones((2, 2)), **more})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Mclp(n=0, within_s=60),
        lambda: Mclp(n=1, within_s=-60),
        lambda: Mexclp(n=1, within_s=60, busy=1.0),
        lambda: DoubleStandard(n=1, within_s=60, all_within_s=30),
        lambda: Stop(seconds=0),
    ],
)
def test_wrong_goals_are_told(make):
    with pytest.raises(BadInput):
        make()


def library(name):
    numbers = np.array((BENCHMARKS / "orlib_pmed" / f"{name}.txt").read_text().split(), int)
    n, m, p = numbers[:3]
    length = np.zeros((n, n))
    for a, b, cost in numbers[3 : 3 + 3 * m].reshape(m, 3):
        length[a - 1, b - 1] = length[b - 1, a - 1] = cost  # the last line of an edge counts
    return Problem(times_s=floyd_warshall(length)), int(p)


@pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="OR-Library files are not in ANLAN_DATA")
@pytest.mark.parametrize(
    ("name", "median", "center"),
    [("pmed1", 5819, 127), ("pmed6", 7824, 84), ("pmed5", 1355, 48), ("pmed19", 2845, 18), ("pmed20", 1789, 13)],
)
def test_published_optima_of_the_or_library(name, median, center):
    """Beasley (1985), "A note on solving large p-median problems"; the values of the library's own list."""
    problem, p = library(name)
    first, second = solve(problem, PMedian(n=p)), solve(problem, PCenter(n=p))
    assert (first.objective, first.proved) == (median, True)
    assert (second.objective, second.proved) == (center, True)


@given(SEEDS)
@settings(max_examples=8)
def test_what_is_left_out_before_the_proof_changes_no_optimum(seed):
    """The whole p-median program, nothing left out, solved beside."""
    problem = town(seed, n_sites=30, n_points=60)
    cost = np.asarray(problem.times_s) * problem.weights
    n_sites, n_points = cost.shape
    site, point = np.divmod(np.arange(cost.size), n_points)
    each, ones = np.arange(cost.size), np.ones(cost.size)
    whole = Program(maximise=False)
    x, y = whole.columns(np.zeros(n_sites), 1.0, whole=True), whole.columns(cost.ravel(), 1.0)
    whole.rows([(y, csr_array((ones, (point, each)), shape=(n_points, cost.size)))], 1.0, 1.0)
    link = csr_array((ones, (each, site)), shape=(cost.size, n_sites))
    whole.rows([(x, link), (y, csr_array((-ones, (each, each)), shape=(cost.size, cost.size)))], 0.0, np.inf)
    whole.rows([(x, csr_array(np.ones((1, n_sites))))], 0.0, 6.0)
    plan = solve(problem, PMedian(n=6), seed=seed)
    assert plan.proved
    assert plan.objective == pytest.approx(whole.solve(seconds=60).objective)


@given(SEEDS, st.integers(1, 5), st.booleans())
@settings(max_examples=25)
def test_branching_finds_what_trying_all_finds_even_from_a_poor_plan(seed, n, whole):
    draw = np.random.default_rng(seed)
    cost = draw.integers(1, 60, (11, 14)).astype(float) + (0 if whole else draw.random((11, 14)))
    extra = draw.integers(-9, 9, 11).astype(float)
    worth = {p: cost[list(p)].min(axis=0).sum() + extra[list(p)].sum() for p in combinations(range(11), n)}
    step = 1 - 1e-6 if whole else 1e-7
    known = (np.arange(n), worth[tuple(range(n))], -1e6, cost.min(axis=0), np.zeros(11))
    posts, value, bound, proved = branched(cost, extra, (n, step), known, Watch(Stop(seconds=600)))
    assert proved
    assert value == bound == pytest.approx(min(worth.values()))
    assert worth[tuple(sorted(posts))] == pytest.approx(value)


@given(SEEDS, st.sampled_from([(Mclp(n=4, within_s=25), 1), (Mexclp(n=5, within_s=30, busy=0.4, per_site=2), 2)]))
@settings(max_examples=15)
def test_a_game_of_two_sides_bounds_and_nearly_finds_what_is_proved(seed, asked):
    (goal, per_site), problem = asked, town(seed, n_sites=30, n_points=90)
    best = solve(problem, goal, stop=Stop(seconds=600))
    assert best.proved
    cover, bonus = Cover.of(problem, goal.within_s), np.zeros(30)
    watch = Watch(Stop(seconds=600, gap=0.05))
    posts, value, bound = most_of_many(cover, goal.gains(), bonus, (goal.n, per_site), watch, seed)
    assert value <= best.objective + 1e-6 <= bound + 2e-6
    assert bound <= 1.06 * value
    assert expected(problem, posts, goal.within_s, goal.gains()) == pytest.approx(value)


@given(SEEDS, st.floats(0, 1))
@settings(max_examples=25)
def test_any_worths_bound_what_units_reach(seed, part):
    problem, goal = town(seed), Mexclp(n=2, within_s=30, busy=0.3)
    cover, gain = Cover.of(problem, 30), goal.gains()
    u = np.random.default_rng(seed).random(len(cover.weight)) * cover.weight * part
    bound = bound_of(cover.pfirst, cover.psite, cover.weight, gain, np.zeros(8), 1, 2, u)
    assert bound >= max(expected(problem, posts, 30, gain) for posts in combinations(range(8), 2)) - 1e-9


@given(SEEDS, st.sampled_from([Mclp(n=2, within_s=30), Mexclp(n=3, within_s=30, busy=0.3)]))
@settings(max_examples=25)
def test_a_game_among_few_sites_bounds_what_units_at_all_sites_reach(seed, goal):
    problem, watch = town(seed), Watch(Stop(seconds=600))
    cover, gain = Cover.of(problem, 30), goal.gains()
    best = max(expected(problem, posts, 30, gain) for posts in combinations(range(8), goal.n))
    game = Game.of(cover, gain, np.zeros(8), (goal.n, 1))
    at = game.begun(cover, np.arange(goal.n))
    for _ in range(4):
        at = played_in_part(cover, game, at, watch)
        assert at.bound >= best - 1e-9
        assert 0 <= at.x.min() <= at.x.max() <= 1
        assert at.x.sum() <= goal.n + 1e-9


@given(SEEDS)
@settings(max_examples=15)
def test_a_game_played_long_enough_comes_close_to_the_linear_program(seed):
    problem, watch = town(seed, n_sites=30, n_points=90), Watch(Stop(seconds=600))
    cover = Cover.of(problem, 25)
    linear = program_of_most(cover.matrix, cover.weight, np.ones(1), np.zeros(30), (4, 1)).relax(seconds=60)
    game = Game.of(cover, np.ones(1), np.zeros(30), (4, 1))
    at = game.begun(cover, np.arange(4))
    for _ in range(12):
        at = played_in_part(cover, game, at, watch)
    assert at.reached - 1e-6 <= linear.bound <= at.bound + 1e-6
    assert at.bound <= 1.005 * linear.bound


@given(SEEDS, st.integers(1, 2))
@settings(max_examples=25)
def test_a_walk_keeps_the_number_of_units_and_never_ends_below_its_beginning(seed, per_site):
    problem, gain = town(seed), np.array([1.0, 0.4])
    cover, bonus = Cover.of(problem, 30), np.random.default_rng(seed).integers(0, 3, 8).astype(float)
    worth = lambda posts: expected(problem, posts, 30, gain) + bonus[np.unique(posts)].sum()  # noqa: E731
    by_site, by_point = (cover.sfirst, cover.spoint), (cover.pfirst, cover.psite)
    begin = np.arange(3)
    best, last = wandered(*by_site, *by_point, cover.weight, gain, bonus, per_site, begin, 40, 1.0, seed)
    for posts in (best, last):
        assert len(posts) == 3
        assert np.bincount(posts).max() <= per_site
    assert worth(best) >= max(worth(begin), worth(last)) - 1e-9
