from dataclasses import replace

import numpy as np
import pytest
from tests.planning.conftest import town
from tests.small import PLANE, square

from anlan.kernel.errors import BadInput
from anlan.planning import Asked, Ground, Load, demand_from, demand_of, plan_posts, rings_from
from anlan.response.posting import Stop

KEY = (square(150, 150, 300),)
QUICK = Stop(seconds=20, gap=0.0)


@pytest.fixture(scope="module")
def ground(pack):
    return Ground.of(pack, "en").with_key(KEY)


@pytest.fixture(scope="module")
def made(ground):
    asked = Asked(rings=rings_from("1:foot@key 3:vehicle"), key_areas=KEY, vehicles=2, stop=QUICK)
    return plan_posts(ground, demand_of(ground), asked)


def test_every_ring_is_kept_in_every_period(made):
    assert made.plan.kept
    assert made.plan.proved
    for period in made.plan.periods:
        assert [ring.reliable for ring in period.rings] == pytest.approx([1.0, 1.0])
        assert set(period.posts) == {"foot", "vehicle"}
        assert period.n_units == period.fewest


def test_busier_periods_want_more_units(made):
    units = {one.period: one.n_units for one in made.plan.periods}
    assert units["night"] < units["evening"]
    assert made.slowest.key in {"morning", "evening"}


def test_the_price_falls_with_the_minutes_and_rises_with_the_share(made):
    posts = [one.n for one in made.by_minutes]
    assert posts == sorted(posts, reverse=True)
    shares = [one.share for one in made.by_units]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_the_best_vehicles_tell_their_rings_and_what_each_is_worth(made):
    seven = made.seven
    assert len(seven.plan.posts) == 2
    assert [share for _, share in seven.shares] == sorted(share for _, share in seven.shares)
    assert set(seven.worth) == set(seven.plan.posts)
    assert all(worth >= 0 for worth in seven.worth.values())


def test_a_post_of_today_is_kept_where_moving_costs(ground):
    asked = Asked(rings=rings_from("5:vehicle~0.0"), vehicles=1, stop=QUICK, busy=0.0)
    free = plan_posts(ground, demand_of(ground), replace(asked, place_cost=0.0))
    dear = plan_posts(ground, demand_of(ground), replace(asked, place_cost=12.0))
    assert dear.plan.moved["vehicle"] == ()
    assert dear.plan.new_places <= free.plan.new_places
    assert dear.plan.gap <= 0.4


def test_a_point_that_nobody_reaches_is_named_with_its_distance(ground):
    lon, lat = PLANE.to_degrees([200.0, 2000.0], [0.0, 200.0])
    demand = demand_from(ground, f"lon,lat,weight,name\n{lon[0]},{lat[0]},3,corner\n{lon[1]},{lat[1]},1,lighthouse\n")
    made = plan_posts(ground, demand, Asked(rings=rings_from("3:vehicle"), vehicles=1, stop=QUICK))
    assert not made.plan.kept
    ring = made.plan.periods[0].rings[0]
    assert ring.reached == pytest.approx(0.75)
    (lost,) = ring.beyond
    assert lost.name == "lighthouse"
    assert lost.nearest_m == pytest.approx(1000, abs=2)
    assert lost.nearest_s == pytest.approx(500, abs=5)


def test_a_search_that_is_stopped_early_tells_its_gap():
    asked = Asked(rings=rings_from("1:vehicle/0.9"), vehicles=3, stop=Stop(seconds=0.2))
    ground = Ground.of(town(12), "en")
    made = plan_posts(ground, demand_of(ground), asked)
    assert 0 <= made.plan.gap < 1
    assert made.plan.bound > 0
    assert made.plan.bound <= made.plan.objective
    assert all(ring.kept for period in made.plan.periods for ring in period.rings)


def test_every_kind_of_unit_may_keep_a_ring(ground):
    asked = Asked(rings=rings_from("3:bicycle+vehicle"), vehicles=1, stop=QUICK, busy=0.2)
    made = plan_posts(ground, demand_of(ground), asked)
    assert made.plan.kept
    assert np.isfinite(made.plan.objective)


@pytest.mark.parametrize("text", ["", "3", "3:boat", "x:foot", "3:foot@home", "3:foot/1.5"])
def test_rings_that_cannot_be_read_are_refused(ground, text):
    with pytest.raises(BadInput):
        plan_posts(ground, demand_of(ground), Asked(rings=rings_from(text), stop=QUICK))


def test_a_key_ring_wants_key_areas():
    with pytest.raises(BadInput, match="key areas"):
        Asked(rings=rings_from("1:foot@key"))


@pytest.mark.parametrize("more", [{"vehicles": 0}, {"busy": 1.0}])
def test_wrong_numbers_are_refused(more):
    with pytest.raises(BadInput):
        Asked(rings=rings_from("3:vehicle"), **more)


def test_busy_units_are_what_the_plan_leads_to(ground):
    asked = Asked(rings=rings_from("3:vehicle"), vehicles=1, stop=QUICK, load=Load(per_hour=4.0, busy_s=1200))
    made = plan_posts(ground, demand_of(ground), asked)
    assert made.settled.agreed
    for hours, period in zip(made.asked.periods, made.plan.periods, strict=True):
        assert 4.0 * 1200 / 3600 / period.n_units <= hours.busy < 0.9  # no busier than was assumed
    busier = plan_posts(ground, demand_of(ground), replace(asked, load=Load(per_hour=16.0, busy_s=1200)))
    assert busier.plan.objective > made.plan.objective


def test_more_work_than_any_plan_bears_is_refused(ground):
    asked = Asked(rings=rings_from("5:vehicle~0.0"), vehicles=1, stop=QUICK, load=Load(per_hour=200.0, busy_s=3600))
    with pytest.raises(BadInput, match="incidents an hour"):
        plan_posts(ground, demand_of(ground), asked)
