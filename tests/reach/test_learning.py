"""What a district's own past teaches dispatch: rates of an hour and area, and arrivals as they really were."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.reach.test_reach import BEGIN, House, at
from tests.small import town_pack

from anlan.kernel.records import Unit
from anlan.kernel.response import Assignment, Incident, UnitNow, UnitStatus
from anlan.reach.books import playbooks_of
from anlan.reach.learning import FEWEST_INCIDENTS, Learned, demand_at, demand_level, learn
from anlan.response.dispatch import Dispatcher, Ground, demand_of

NOW = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
VEHICLE = UnitNow(unit=Unit(unit_id="v1", name={}, kind="vehicle", crew=4), status=UnitStatus.AVAILABLE)


@pytest.fixture(scope="module")
def pack():
    return town_pack()


@pytest.fixture(scope="module")
def ground(pack):
    return Ground.of(pack, hour=20)


def past(n, *, slower=1.6, west=0.9, seed=1):
    """Incidents of a month, most of them in the west, each reached by a vehicle that takes ``slower`` times as long."""
    draw = np.random.default_rng(seed)
    incidents, parts = [], []
    for k in range(n):
        x = draw.uniform(-450, -50) if draw.random() < west else draw.uniform(50, 450)
        lon, lat = at(x, draw.uniform(-450, 450))
        moment = NOW - timedelta(minutes=float(draw.uniform(60, 40_000)))
        nominal = float(draw.uniform(60, 300))
        made = {"incident_id": f"i{k}", "received_at": moment}
        incidents.append(Incident(kind="fight", priority=1, lon=lon, lat=lat, closed_at=moment, **made))
        took = timedelta(seconds=nominal * slower * float(np.exp(0.1 * draw.standard_normal())))
        parts.append(
            Assignment(
                assignment_id=f"i{k}-1", unit_id="v1", dispatched_at=moment, on_scene_at=moment + took,
                nominal_s=nominal, **made,
            )
        )  # fmt: skip
    return incidents, parts


def test_too_few_teach_nothing_and_what_was_withdrawn_never_does(pack):
    incidents, parts = past(FEWEST_INCIDENTS)
    assert learn(pack, incidents[:-1], parts[:99], [VEHICLE], NOW) == Learned()
    gone = [replace(one, outcome="withdrawn") for one in incidents]
    assert learn(pack, gone, parts, [VEHICLE], NOW) == Learned()


def test_demand_goes_where_calls_came_from_and_stays_a_whole(pack, ground):
    assert demand_level(pack) == "street"
    incidents, parts = past(400)
    rates = learn(pack, incidents, parts, [VEHICLE], NOW).demand
    usual = demand_of(pack, ground.graph)
    made = demand_at(pack, usual, rates, NOW)
    assert made.weight.sum() == pytest.approx(1.0)
    west = usual.x_m < -1
    assert made.weight[west].sum() == pytest.approx(0.9, abs=0.05)
    assert usual.weight[west].sum() < 0.7
    assert demand_at(pack, usual, None, NOW) is usual


def test_cover_that_is_left_is_judged_by_what_was_learned(pack, ground):
    incidents, parts = past(400)
    rates = learn(pack, incidents, parts, [VEHICLE], NOW).demand
    walker = replace(VEHICLE, unit=replace(VEHICLE.unit, kind="foot", crew=2), lon=at(-400, 0)[0], lat=at(-400, 0)[1])
    usual = Dispatcher(pack=pack, ground=ground, playbooks=playbooks_of())
    learned = replace(usual, ground=ground.for_demand(demand_at(pack, ground.demand, rates, NOW)))
    assert learned.cover([walker]) > usual.cover([walker])


def test_arrivals_are_told_as_they_were_with_the_uncertainty_they_had(pack, ground):
    incidents, parts = past(600)
    fit = learn(pack, incidents, parts, [VEHICLE], NOW).fit
    asked = replace(incidents[0], incident_id="now", received_at=NOW)
    where = dict(zip(("lon", "lat"), at(300, -300), strict=True))
    plain = Dispatcher(pack=pack, ground=ground, playbooks=playbooks_of())
    before, after = (
        one.arrivals(asked.lon, asked.lat, [replace(VEHICLE, **where)], NOW)["v1"]
        for one in (plain, replace(plain, fit=fit))
    )
    assert after.nominal_s == before.nominal_s == before.expected_s
    assert after.expected_s == pytest.approx(1.6 * before.expected_s, rel=0.05)
    assert np.log(after.high_s / after.low_s) == pytest.approx(2 * 1.645 * 0.1, rel=0.25)
    assert after.probability_within(after.low_s) == pytest.approx(0.05, abs=0.02)
    made = replace(plain, fit=fit).recommend(asked, [replace(VEHICLE, **where)], NOW)
    assert made.candidates[0].arrival == after


def test_a_district_learns_once_a_day_from_what_it_keeps(tmp_path):
    house = House(tmp_path)
    incidents, parts = past(FEWEST_INCIDENTS + 50)
    kept = house.reach._kept
    kept.incidents |= {one.incident_id: one for one in incidents}
    kept.assignments |= {one.assignment_id: replace(one, unit_id="v1") for one in parts}
    assert "v1" in kept.units
    house.reach.warm()
    fit = house.reach._advice.dispatcher().fit
    assert fit is not None
    assert fit.n_records == len(parts)
    assert (
        house.reach._advice.dispatcher().ground.demand.weight
        != demand_of(town_pack(), Ground.of(town_pack()).graph).weight
    ).any()
    house.later(3600)
    house.reach.beat()
    assert house.reach._advice.dispatcher().fit is fit
    house.store.close()


def test_what_is_sent_keeps_what_streets_alone_let_expect(tmp_path):
    house = House(tmp_path)
    one = house.raised()
    made = house.reach.dispatch(one, house.reach.recommend(one).chosen, "desk").assignments[0]
    assert made.nominal_s == made.expected_s
    assert made.dispatched_at == BEGIN
    house.store.close()
