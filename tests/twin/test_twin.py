"""The simulated district: nobody is made or lost, gates see every entry, and devices err as devices do."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crowd.conftest import GRID, degrees, gate, passage, small_pack, view

from anlan.kernel.errors import BadInput
from anlan.pack import find_pack, read_pack
from anlan.twin import Twin, beats, record, scenarios, simulate
from anlan.twin import kernel as walking
from anlan.twin.network import network_of
from anlan.twin.scenario import DeviceFault, Fault

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def pack():
    devices = [gate(1, -40), gate(2, 30), view(1, -470, -470), passage(1, 200), GRID]
    return small_pack(devices, figures={"visitors_per_day": 20_000.0, "residents": 3_000.0})


@pytest.fixture(scope="module")
def scenario(pack):
    return scenarios(pack)[0]


@pytest.fixture
def twin(pack, scenario):
    return Twin(pack, scenario, seed=4)


def test_who_entered_and_has_not_left_is_present(twin):
    for _ in range(20):
        twin.step(15.0)
        assert twin.n_present == twin.n_entered - int(twin.tally.left[0])
    x, y, _ = twin.positions()
    assert len(x) == len(y) == twin.n_present > 100


def test_gates_see_everybody_who_goes_into_a_closed_place(twin):
    closed = [k for k, door in enumerate(twin.network.doors) if door.device_id is not None]
    assert {twin.network.doors[k].device_id for k in closed} == {"gate-1", "gate-2"}
    for _ in range(40):
        twin.step(15.0)
    crossed = twin.tally.gates[closed].sum(axis=0)
    assert crossed[0] > 0
    assert (
        crossed[0] - crossed[1] == twin.inside[0] == np.isin(twin._w.state, (walking.IN_PLACE, walking.LEAVING)).sum()
    )


def test_a_lone_walker_walks_at_a_walkers_speed(twin):
    before, was_walking = twin._w.pos.copy(), twin._w.state == walking.WALKING
    edge = twin._w.edge.copy()
    twin.step(2.0)
    same = was_walking & (twin._w.state == walking.WALKING) & (twin._w.edge == edge)
    speed = (twin._w.pos - before)[same] / 2.0
    assert 1.0 < np.median(speed) < 1.6
    assert speed.max() < 2.5


@given(st.floats(0, 20))
def test_a_crowd_slows_and_never_flows_more_than_a_walkway_can(density):
    speed = 1.34 * walking._slowed(density)
    assert 0 < speed <= 1.34
    if density <= 6:  # denser than that nobody packs
        assert speed * density < 1.35


def test_the_same_seed_gives_the_same_day(pack, scenario):
    def run(seed):
        at = scenario.opens_at
        return [
            (m.n_present, m.truth.tolist(), [(o.device_id, o.sequence, o.n_in, o.n_present) for o in m.observations])
            for m in simulate(pack, scenario, seed, at, at + 5 * MINUTE, [pack.boundary])
        ]

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_the_truth_of_the_whole_is_everybody_in_public_space(pack, scenario):
    at = scenario.opens_at
    minute = next(simulate(pack, scenario, 4, at, at + MINUTE, [degrees(shapely.box(-900, -900, 900, 900))]))
    assert 0 < minute.truth[0] <= minute.n_present


def test_devices_miss_a_little_and_never_make_people_up(pack, scenario):
    twin = Twin(pack, scenario, seed=3)
    at = scenario.opens_at
    counted = sum(
        seen.n_in
        for m in simulate(pack, scenario, 3, at, at + 60 * MINUTE)
        for seen in m.observations
        if seen.device_id.startswith("gate")
    )
    before = twin.tally.gates[[0, 1], 0].sum()
    twin.advance(at + 60 * MINUTE, 20.0)
    entered = twin.tally.gates[[0, 1], 0].sum() - before
    assert before > 0
    assert 0.6 * entered < counted < 1.1 * entered


def test_a_location_grid_comes_late_and_hides_small_squares(pack, scenario):
    at = scenario.opens_at
    grids = [
        (m.at, seen)
        for m in simulate(pack, scenario, 3, at, at + 30 * MINUTE)
        for seen in m.observations
        if seen.device_id == "lbs"
    ]
    assert len(grids) >= 4
    for delivered_at, seen in grids:
        assert delivered_at - seen.end_at >= 5 * MINUTE
        told = seen.counts[np.isfinite(seen.counts)]
        assert (told >= GRID.grid.suppressed_below).all()


def test_messages_come_late_twice_and_out_of_order_now_and_then(pack, scenario):
    at = scenario.opens_at
    sent = [(m.at, seen) for m in simulate(pack, scenario, 5, at, at + 240 * MINUTE) for seen in m.observations]
    keys = [(seen.device_id, seen.sequence) for _, seen in sent]
    assert 0 < len(keys) - len(set(keys)) < 0.02 * len(keys)
    late = [delivered - seen.end_at > MINUTE for delivered, seen in sent if seen.device_id != "lbs"]
    assert 0 < sum(late) < 0.1 * len(late)


def test_a_live_stream_delivers_in_step_with_its_time(pack, scenario):
    stream = beats(pack, scenario, 1, scenario.opens_at, timedelta(seconds=15))
    for _ in range(20):
        at, observations = next(stream)
        assert all(seen.end_at <= at for seen in observations)


def test_a_recording_tells_the_truth_of_every_place(pack, scenario, tmp_path):
    at = scenario.opens_at
    n = sum(len(seen) for _, seen in record(pack, scenario, tmp_path, seed=1, begin_at=at, end_at=at + 3 * MINUTE))
    table = pq.read_table(tmp_path / "truth.parquet")
    assert n > 0
    assert table.num_rows == 3
    assert "place:hall" in table.column_names


@settings(max_examples=20)
@given(st.integers(0, 23))
def test_every_hour_can_be_entered(hour):
    devices = [gate(1, -40), view(1, -470, -470)]
    pack = small_pack(devices, figures={"visitors_per_day": 2_000.0})
    scenario = scenarios(pack)[0]
    twin = Twin(pack, scenario, 1, scenario.opens_at.replace(hour=hour))
    assert twin.n_present == twin.n_entered - int(twin.tally.left[0])


def test_a_pack_without_streets_is_refused(pack, scenario):
    with pytest.raises(BadInput, match="must have a street"):
        Twin(replace(pack, streets=()), scenario)


@pytest.mark.parametrize(
    ("fault", "right"),
    [
        ("zero", lambda _, after: not any(after)),
        ("stuck", lambda before, after: set(after) == {before[-1]}),
        ("half", lambda before, after: 0.1 < np.mean(after) / np.mean(before) < 0.75),
    ],
)
def test_a_scenario_breaks_a_device_from_a_moment_on(pack, scenario, fault, right):
    after_at = scenario.opens_at + 20 * MINUTE
    broken = replace(scenario, faults={"view-1": DeviceFault(fault=Fault(fault), after_at=after_at)})
    before, after = [], []
    for minute in simulate(pack, broken, 3, scenario.opens_at, scenario.opens_at + 60 * MINUTE):
        for seen in minute.observations:
            if seen.device_id == "view-1":
                (after if seen.end_at > after_at else before).append(seen.n_present)
    assert np.mean(before) > 2
    assert len(after) > 20
    assert right(before, after)


def test_a_grid_is_rounded_as_its_scenario_says(pack, scenario):
    coarse = replace(scenario, grid_rounded_to=10)
    run = simulate(pack, coarse, 3, scenario.opens_at, scenario.opens_at + 12 * MINUTE)
    counts = np.concatenate([seen.counts for minute in run for seen in minute.observations if seen.counts is not None])
    told = counts[np.isfinite(counts)]
    assert len(told)
    assert not (told % 10).any()


def test_people_stand_by_the_water_where_they_like_to():
    pack = read_pack(find_pack("huangpu"))
    place = next(p for p in pack.places if p.place_id == "bund-promenade")
    water = pack.projection.project(shapely.union_all(pack.water))
    number = [p.place_id for p in pack.places].index(place.place_id)
    away = [
        shapely.distance(
            shapely.points(network_of(pack, np.random.default_rng(1), liked).samples[number]), water
        ).mean()
        for liked in ((), {place.place_id})
    ]
    assert away[1] < 0.8 * away[0]


def test_what_lasts_in_a_district_lasts_from_day_to_day(pack, scenario):
    one, other = (Twin(pack, scenario, seed=seed) for seed in (1, 2))
    elsewhere = Twin(pack, replace(scenario, district_seed=2), seed=1)
    assert np.array_equal(one.network.spot_node, other.network.spot_node)
    assert not np.array_equal(one.network.spot_node, elsewhere.network.spot_node)
    assert one.n_entered != other.n_entered


def test_a_countdown_holds_whoever_comes_in_the_evening_and_nobody_after_it(pack, scenario):
    place = next(p for p in pack.places if p.closed)
    pull = replace(scenario.pulls[place.place_id], hold_until="23:00", stay_min=10.0)
    counting = replace(scenario, pulls={**scenario.pulls, place.place_id: pull})
    held = {}
    for hour in (2, 20):
        twin = Twin(pack, counting, seed=5, begin_at=scenario.opens_at.replace(hour=hour, minute=0))
        states = twin._w.state == walking.IN_PLACE
        left_s = twin._w.until[states] - (twin.at - twin._origin).total_seconds()
        held[hour] = (left_s > 2 * 3600).sum()
        assert states.sum() > 0
    assert held[2] == 0
    assert held[20] > 20
