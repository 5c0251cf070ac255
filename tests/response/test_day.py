"""The plan of a day, beside trying everything."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from anlan.kernel.errors import BadInput
from anlan.response.posting import Day, Period, Ring, Stop, plan_day
from anlan.response.posting.cheapest import Needs, cheapest
from anlan.response.posting.problem import Watch

SEEDS = st.integers(0, 10_000)


def near(times, limit_s=1000.0):
    """Return a table as what is within a limit, a zero as a stored zero."""
    kept = np.where(times <= limit_s, times + 1, 0)
    made = csr_array(kept)
    made.data -= 1
    return made


def town(seed, n_sites=6, n_points=14):
    draw = np.random.default_rng(seed)
    sites, points = draw.random((n_sites, 2)) * 100, draw.random((n_points, 2)) * 100
    return np.rint(np.hypot(*(sites[:, None] - points).transpose(2, 0, 1))), draw.integers(1, 9, n_points).astype(float)


def reliable(times, weight, units, ring, busy):
    count = (times[list(units)] <= ring.within_s).sum(axis=0)
    return weight[1 - busy ** count.astype(float) >= ring.reliability].sum() if busy else weight[count >= 1].sum()


@given(SEEDS, st.sampled_from([1.0, 0.8, 0.6]), st.sampled_from([0.0, 0.3, 0.5]))
@settings(max_examples=25)
def test_fewest_units_of_a_period_are_what_trying_all_finds(seed, share, busy):
    times, weight = town(seed)
    ring = Ring(key="r", within_s=45, kinds=("vehicle",), share=share, reliability=0.7)
    period = Period(key="p", hours=2, weight=weight, times_s={"vehicle": near(times)}, busy={"vehicle": busy})
    plan = plan_day(Day(periods=(period,), rings=(ring,), per_site=3))
    can = weight[(times <= 45).any(axis=0)].sum()
    wanted = min(share * weight.sum(), can)
    least = next(
        n
        for n in range(20)
        for units in combinations_with_replacement(range(6), n)
        if reliable(times, weight, units, ring, busy) >= wanted - 1e-9
    )
    assert plan.proved
    assert plan.periods[0].n_units == plan.periods[0].fewest == least
    assert plan.objective == 2 * least
    assert plan.kept == (can >= share * weight.sum() - 1e-9)


@given(SEEDS)
@settings(max_examples=20)
def test_what_a_ring_is_told_to_keep_it_keeps(seed):
    draw = np.random.default_rng(seed)
    times, weight = town(seed, 12, 40)
    periods = [
        Period(
            key=str(k),
            hours=4,
            weight=weight * draw.random(40),
            times_s={"foot": near(3 * times), "vehicle": near(times * draw.uniform(1, 2))},
            busy={"foot": 0.1, "vehicle": float(draw.uniform(0, 0.6))},
        )
        for k in range(3)
    ]
    rings = (
        Ring(key="1", within_s=40, kinds=("foot", "vehicle"), share=0.7, at=draw.random(40) < 0.3),
        Ring(key="3", within_s=60, kinds=("vehicle",), share=0.9, reliability=0.8),
    )
    plan = plan_day(Day(periods=periods, rings=rings, place_cost=0.5, existing={"vehicle": (0, 3)}))
    for period, made in zip(periods, plan.periods, strict=True):
        for ring, told in zip(rings, made.rings, strict=True):
            at = np.ones(40, bool) if ring.at is None else ring.at
            tables = {"foot": 3 * times, "vehicle": period.times_s["vehicle"].toarray()}
            count = sum((tables[kind][list(made.posts[kind])] <= ring.within_s).sum(axis=0) for kind in ring.kinds)
            share = period.weight[at & (count >= told.need)].sum() / period.weight[at].sum()
            assert told.reliable == pytest.approx(share)
            assert told.kept == (share >= ring.share - 1e-9)
            assert told.kept or told.beyond
    assert plan.bound <= plan.objective + 1e-9


@given(SEEDS, st.sampled_from([0.0, 0.5, 3.0]))
@settings(max_examples=12)
def test_places_are_priced_and_no_plan_beats_the_bound(seed, place_cost):
    times, weight = town(seed, 4, 8)
    slow = times * 1.4
    ring = Ring(key="r", within_s=60, kinds=("vehicle",))
    periods = [
        Period(key=key, hours=1, weight=weight, times_s={"vehicle": near(table)})
        for key, table in (("a", times), ("b", slow))
    ]
    plan = plan_day(Day(periods=periods, rings=(ring,), place_cost=place_cost, existing={"vehicle": (1,)}))
    sets = [units for n in range(5) for units in combinations_with_replacement(range(4), n)]

    def serves(table, units):
        can = (table <= 60).any(axis=0)
        return not can.any() or (len(units) > 0 and (table[list(units)][:, can] <= 60).any(axis=0).all())

    def price(a, b):
        most = np.maximum(np.bincount(a, minlength=4), np.bincount(b, minlength=4))
        return len(a) + len(b) + place_cost * most[[0, 2, 3]].sum()

    best = min(price(list(a), list(b)) for a in sets if serves(times, a) for b in sets if serves(slow, b))
    assert plan.bound <= best + 1e-9 <= plan.objective + 2e-9
    assert plan.gap >= 0
    if place_cost == 0:
        assert plan.proved
    if plan.proved:
        assert plan.objective == pytest.approx(best)


def test_a_ring_that_nobody_can_keep_reaches_what_can_be_reached_and_names_the_rest():
    times = np.array([[0.0, 50.0, 500.0], [50.0, 0.0, 400.0]])
    period = Period(key="day", hours=24, weight=np.array([1.0, 1.0, 2.0]), times_s={"vehicle": near(times)})
    day = Day(
        periods=(period,),
        rings=(Ring(key="3 min", within_s=180, kinds=("vehicle",)),),
        names=("Bund", "quay", "island"),
        point_xy_m=np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 900.0]]),
        site_xy_m=np.array([[0.0, 0.0], [100.0, 0.0]]),
    )
    plan = plan_day(day)
    told = plan.periods[0].rings[0]
    assert not plan.kept
    assert (told.reached, told.kept, plan.periods[0].n_units) == (0.5, False, 1)
    assert [(one.name, one.nearest_s, one.nearest_m) for one in told.beyond] == [("island", 400.0, 900.0)]


def test_where_everybody_is_promised_nobody_is_negligible():
    times = np.array([[0.0, 500.0], [500.0, 0.0]])
    period = Period(key="day", hours=24, weight=np.array([1e9, 1e-9]), times_s={"vehicle": near(times)})
    plan = plan_day(Day(periods=(period,), rings=(Ring(key="r", within_s=60, kinds=("vehicle",)),)))
    assert plan.periods[0].posts == {"vehicle": (0, 1)}
    assert plan.kept


def test_a_search_that_is_stopped_returns_a_plan_that_keeps_the_rings_and_its_gap():
    times, weight = town(4, 150, 400)
    period = Period(key="day", hours=24, weight=weight, times_s={"bicycle": near(times)})
    ring = Ring(key="r", within_s=9, kinds=("bicycle",), share=0.9)
    plan = plan_day(Day(periods=(period,), rings=(ring,)), stop=Stop(seconds=0.05))
    assert not plan.proved
    assert 0 < plan.gap < 1
    assert plan.bound < plan.objective
    assert plan.periods[0].rings[0].reliable >= min(0.9, weight[(times <= 9).any(axis=0)].sum() / weight.sum()) - 1e-9


def test_a_period_that_asks_the_same_is_not_solved_twice_and_tells_the_same():
    times, weight = town(8, 40, 120)
    periods = [Period(key=str(k), hours=4, weight=weight * (k + 1), times_s={"vehicle": near(times)}) for k in range(3)]
    plan = plan_day(Day(periods=periods, rings=(Ring(key="r", within_s=20, kinds=("vehicle",)),)))
    assert len({one.posts["vehicle"] for one in plan.periods}) == 1


@given(SEEDS, st.integers(1, 3))
@settings(max_examples=15)
def test_the_cheapest_cover_costs_what_the_cheapest_of_all_costs(seed, need):
    draw = np.random.default_rng(seed)
    matrix = (draw.random((12, 6)) < 0.4).astype(float)
    matrix[matrix.sum(axis=1) == 0, 0] = 1
    cost = draw.integers(1, 5, 6) / 2
    needs = Needs(matrix=csr_array(matrix), need=np.full(12, need), cost=cost, cap=need)
    units, bound, proved = cheapest(needs, Watch(Stop(seconds=20)), seed)
    ways = np.stack(np.meshgrid(*[np.arange(need + 1)] * 6, indexing="ij"), -1).reshape(-1, 6)
    best = min(float(cost @ way) for way in ways if (matrix @ way >= need).all())
    assert proved
    assert cost @ units == bound == pytest.approx(best)
    assert (matrix @ units >= need).all()


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Ring(key="r", within_s=0, kinds=("foot",)), "within_s"),
        (lambda: Ring(key="r", within_s=60, kinds=()), "kinds"),
        (lambda: Ring(key="r", within_s=60, kinds=("foot",), share=1.2), "share"),
        (lambda: Ring(key="r", within_s=60, kinds=("foot",), reliability=1.0), "reliability"),
        (lambda: Period(key="p", hours=0, weight=np.ones(1), times_s={}), "hours"),
        (lambda: Period(key="p", hours=1, weight=np.ones(1), times_s={}, busy={"foot": 1.0}), "busy"),
        (lambda: Day(periods=(), rings=()), "periods"),
    ],
)
def test_wrong_days_are_told(make, word):
    with pytest.raises(BadInput, match=word):
        make()


@pytest.mark.parametrize(
    ("times", "weight", "more", "word"),
    [
        (np.array([[1.0, -2.0]]), np.ones(2), {}, "times_s"),
        (np.ones((1, 2)), np.array([1.0, -1.0]), {}, r"weight\[1\]"),
        (np.ones((1, 2)), np.ones(2), {"existing": {"vehicle": (7,)}}, "existing"),
        (np.ones((1, 2)), np.ones(2), {"place_cost": -1.0}, "place_cost"),
    ],
)
def test_a_day_checks_what_it_is_made_of(times, weight, more, word):
    period = Period(key="p", hours=1, weight=weight, times_s={"vehicle": csr_array(times)})
    with pytest.raises(BadInput, match=word):
        Day(periods=(period,), rings=(Ring(key="r", within_s=60, kinds=("vehicle",)),), **more)


def test_a_ring_of_a_kind_without_times_is_refused():
    period = Period(key="p", hours=1, weight=np.ones(2), times_s={"vehicle": csr_array(np.ones((1, 2)))})
    with pytest.raises(BadInput, match="'foot'"):
        Day(periods=(period,), rings=(Ring(key="r", within_s=60, kinds=("foot",)),))
