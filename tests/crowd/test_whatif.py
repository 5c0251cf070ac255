"""What a measure changes: conserved people, ways that close, and how long clearing takes."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point
from tests.crowd.conftest import GRID, MINUTE, Small, degrees, gate, grid_counts, seen, view

from anlan.crowd.whatif import Ground, Measure, MeasureKind, Trials, clearance
from anlan.crowd.whatif.ahead import Habit, run
from anlan.crowd.whatif.ground import MOST_FLOW
from anlan.crowd.whatif.kernel import MOST_PER_M2
from anlan.crowd.whatif.measure import Ordered
from anlan.crowd.whatif.routes import Habitat, Routes
from anlan.kernel.errors import BadInput, NoData, NotFound
from anlan.kernel.records import Gateway

HALL = degrees(shapely.box(-60, -60, 60, 60))
CLOSED = degrees(shapely.box(-75, -75, 75, 75))
WAYS = tuple(
    Gateway(gateway_id=name, kind="metro", name={}, point=degrees(Point(x, y)))
    for name, x, y in (("west", -495, 50), ("east", 495, -50))
)


@pytest.fixture(scope="module")
def small():
    return Small([gate(1, -40), gate(2, 30), view(1, -470, -470), GRID], gateways=WAYS)


@pytest.fixture(scope="module")
def field(small):
    persons = small.cells.expected * 3

    def counts(at, k):
        return [seen("lbs", at, k, length=5 * MINUTE, counts=grid_counts(small, persons))] if k % 5 == 0 else []

    return small.estimator.field(small.run(10, counts))


@pytest.fixture(scope="module")
def trials(small):
    return Trials(small.pack, small.cells)


def tried(trials, field, measure, members=3):
    return trials.measure(field, measure, np.random.default_rng(1), minutes=30, members=members)


def hall_of(trial):
    return next(one for one in trial.places if one.place_id == "hall")


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    crowd=st.floats(1, 400_000),
    kind=st.sampled_from(["none", "closure", "metering", "one_way"]),
)
def test_nobody_is_lost_or_made_whatever_the_crowd_and_the_measure(small, seed, crowd, kind):
    ground, rng = Ground.of(small.pack, small.cells), np.random.default_rng(seed)
    persons = rng.random(len(small.cells)) * crowd / len(small.cells) * 2
    more = {"metering": {"per_minute": 5.0}, "one_way": {"bearing_deg": 90.0}}.get(kind, {})
    ordered = Ordered.nothing(ground)
    if kind != "none":
        ordered = Ordered.of(ground, small.pack, small.cells, Measure(kind=MeasureKind(kind), polygon=HALL, **more))
    shares = [small.counter.shares(HALL)]
    habitat = Habitat.of(ground, persons, shares)
    habit = Habit(persons=persons, stay=0.5)
    course = run(Routes.of(ordered, habitat, persons), habitat, habit, shares, 20)
    assert course.lost <= 1e-9
    assert course.persons.min() >= -1e-9


def test_a_closed_place_empties_and_nobody_else_comes(trials, field):
    hall = hall_of(tried(trials, field, Measure(kind=MeasureKind.CLOSURE, polygon=CLOSED)))
    assert hall.under.mean < 0.05 * hall.without.mean
    assert hall.difference.low <= hall.difference.mean <= hall.difference.high
    assert hall.difference.mean < 0


def test_a_gate_that_lets_nobody_in_leaves_fewer_inside_than_one_that_lets_a_few(trials, field):
    shut, few = (
        hall_of(tried(trials, field, Measure(kind=MeasureKind.METERING, polygon=HALL, per_minute=rate)))
        for rate in (0.0, 2.0)
    )
    assert shut.under.mean < few.under.mean < few.without.mean + 1e-6


def test_a_crossing_that_is_never_open_is_a_shut_gate(trials, field):
    never = Measure(kind=MeasureKind.STAGED_CROSSING, polygon=HALL, open_s=0.0, cycle_s=60.0)
    shut = Measure(kind=MeasureKind.METERING, polygon=HALL, per_minute=0.0)
    assert hall_of(tried(trials, field, never)).under == hall_of(tried(trials, field, shut)).under


def test_skipping_a_station_takes_nobody_in_and_out_there(trials, small, field):
    trial = tried(trials, field, Measure(kind=MeasureKind.SKIP_STOP, gateway_id="west"))
    west = small.cells.x_m < -400
    assert trial.difference[west].sum() != 0
    assert trial.n_cut_off == 0


def test_the_difference_of_a_measure_that_changes_nothing_is_nothing(trials, field):
    trial = tried(trials, field, Measure(kind=MeasureKind.METERING, polygon=HALL, per_minute=100_000.0))
    assert np.abs(trial.difference).max() < 1e-9


def test_a_measure_that_cuts_the_network_says_who_cannot_leave_and_where(trials, small, field):
    ring = degrees(shapely.Point(0, 0).buffer(200).difference(shapely.Point(0, 0).buffer(130)))
    trial = tried(trials, field, Measure(kind=MeasureKind.CLOSURE, polygon=ring))
    assert trial.n_cut_off > 0
    assert trial.cut_off_places == ("hall",)
    where = np.hypot(small.cells.x_m, small.cells.y_m)[list(trial.cut_off_cells)]
    assert where.max() < 160


def test_uncertainty_of_the_field_widens_the_answer(trials, field):
    sure = replace(field, covariance=field.covariance * 1e-6)
    measure = Measure(kind=MeasureKind.CLOSURE, polygon=HALL)
    wide, narrow = (hall_of(tried(trials, one, measure, 6)).without for one in (field, sure))
    assert wide.high - wide.low > narrow.high - narrow.low > 0


def test_a_measure_is_the_same_with_the_same_draws(trials, field):
    measure = Measure(kind=MeasureKind.CLOSURE, polygon=HALL)
    assert tried(trials, field, measure).places == tried(trials, field, measure).places


def test_an_extra_exit_gets_the_first_half_out_sooner(small):
    ground = Ground.of(small.pack, small.cells)
    persons = small.cells.expected * 40
    measure = Measure(kind=MeasureKind.EXTRA_EXIT, polygon=HALL, width_m=20.0)
    more = Ordered.of(ground, small.pack, small.cells, measure).ground
    assert clearance(more, persons).half_s < clearance(ground, persons).half_s


def test_clearance_takes_as_long_as_the_ways_out_are_wide(small):
    ground = Ground.of(small.pack, small.cells)
    crowd = np.where(ground.sink() > 0, 500.0, 0.0)
    least = crowd.sum() / (MOST_FLOW * ground.exit_m.sum())
    assert clearance(ground, crowd).all_s == pytest.approx(least, abs=30)


def test_clearance_tells_who_has_no_way_out_and_loses_nobody(small):
    ground = Ground.of(small.pack, small.cells)
    inside = np.zeros(len(small.cells), bool)
    inside[small.counter.shares(HALL)[0]] = True
    walled = ground.without(inside[:, None] & ~inside[np.maximum(ground.near, 0)])
    made = clearance(walled, small.cells.expected)
    assert made.n_stuck == pytest.approx(small.cells.expected[inside].sum())
    assert set(made.stuck_cells) == set(np.flatnonzero(inside))
    assert made.n_left + made.n_remaining == pytest.approx(made.n_persons, rel=1e-9)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"kind": MeasureKind.METERING, "polygon": HALL, "per_minute": -1.0}, "per_minute=-1.0"),
        ({"kind": MeasureKind.METERING, "polygon": HALL, "per_minute": float("nan")}, "per_minute=nan"),
        ({"kind": MeasureKind.METERING, "polygon": HALL}, "per_minute=None"),
        ({"kind": MeasureKind.CLOSURE}, "polygon=None"),
        ({"kind": MeasureKind.ONE_WAY, "polygon": HALL, "bearing_deg": 400.0}, "bearing_deg=400.0"),
        ({"kind": MeasureKind.STAGED_CROSSING, "polygon": HALL, "open_s": 90.0, "cycle_s": 60.0}, "open_s=90.0"),
        ({"kind": MeasureKind.EXTRA_EXIT, "polygon": HALL, "width_m": 0.0}, "width_m=0.0"),
        ({"kind": MeasureKind.SKIP_STOP}, "gateway_id=None"),
    ],
)
def test_what_cannot_be_ordered_is_refused(wrong, named):
    with pytest.raises(BadInput) as refused:
        Measure(**wrong)
    assert refused.value.value == named


def test_a_closure_outside_the_district_and_an_unknown_station_are_refused(trials, field):
    away = degrees(shapely.box(5000, 5000, 5100, 5100))
    with pytest.raises(BadInput, match="must lie on ground of the district"):
        tried(trials, field, Measure(kind=MeasureKind.CLOSURE, polygon=away))
    with pytest.raises(NotFound, match="is no gateway"):
        tried(trials, field, Measure(kind=MeasureKind.SKIP_STOP, gateway_id="nowhere"))


def test_a_district_without_gateways_says_so(everything):
    with pytest.raises(NoData, match="must have a gateway"):
        Trials(everything.pack, everything.cells)


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), crowd=st.floats(50_000, 600_000), stay=st.floats(0.05, 1.0))
def test_no_cell_is_ever_denser_than_people_can_stand_and_nobody_is_lost(small, seed, crowd, stay):
    ground, rng = Ground.of(small.pack, small.cells), np.random.default_rng(seed)
    persons = rng.lognormal(0.0, 2.0, len(ground)) * ground.ground_m2
    persons *= crowd / persons.sum()
    shares = [small.counter.shares(HALL)]
    habitat = Habitat.of(ground, persons, shares)
    routes = Routes.of(Ordered.nothing(ground), habitat, persons)
    course = run(routes, habitat, Habit(persons=persons, stay=stay, coming=10.0), shares, 20)
    assert course.peak_per_m2.max() <= MOST_PER_M2 + 1e-4  # a nearly full district is evened out in finite rounds
    assert course.lost <= 1e-9
