"""Cells, estimate and count on a small district."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crowd.conftest import AT, GRID, MINUTE, Small, degrees, gate, grid_counts, passage, seen, view

from anlan.crowd import Cells, Estimator, count, level_of_service
from anlan.crowd.count import interval
from anlan.crowd.scan import shares
from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Device, DeviceKind, UnknownReason

ANGLES = st.lists(st.floats(0, 2 * np.pi), min_size=5, max_size=12, unique=True)


@settings(max_examples=60)
@given(ANGLES, st.floats(60, 900), st.floats(-300, 300), st.floats(-300, 300), st.booleans())
def test_cell_shares_add_up_to_the_area_holes_left_out(angles, radius, x, y, hole):
    shape = shapely.Polygon([(x + radius * np.cos(a), y + radius * np.sin(a)) for a in sorted(angles)])
    if not shape.is_valid or shape.area < 2000:
        return
    if hole:
        shape = shape.difference(shape.centroid.buffer(15))
    _, _, share = shares(shape, -1000, -1000, 25)
    assert share.sum() * 625 == pytest.approx(shape.area, rel=0.01, abs=30)
    assert share.max() <= 1 + 1e-9


def test_shares_of_many_shapes_are_right_to_a_thousandth():
    rng = np.random.default_rng(1)
    total = exact = 0.0
    for _ in range(200):
        shape = shapely.Point(*rng.uniform(-500, 500, 2)).buffer(
            rng.uniform(40, 400), quad_segs=int(rng.integers(1, 9))
        )
        total += shares(shape, -1000, -1000, 25)[2].sum() * 625
        exact += shape.area
    assert total == pytest.approx(exact, rel=1e-3)


def test_walkable_ground_is_streets_places_and_a_part_of_the_blocks(everything):
    cells = everything.cells
    index, share = cells.shares(shapely.box(-500, -500, 500, 500))
    walkable = float(cells.walkable_m2[index] @ share)
    hall, water = 120 * 120, 150 * 150
    streets = 20 * 1000 * 10 - 100 * 100  # twenty streets of 10 m, each crossing counted once
    most = hall + streets + 0.1 * (1e6 - streets - hall - water)
    assert 0.93 * most < walkable < 1.01 * most
    index, share = cells.shares(shapely.box(360, 360, 490, 490))
    assert float(cells.walkable_m2[index] @ share) < 1


def test_cells_are_kept_and_known_again(everything):
    again = Cells.from_bytes(everything.cells.to_bytes())
    assert np.array_equal(again.walkable_m2, everything.cells.walkable_m2)
    assert again.digest == everything.cells.digest
    with pytest.raises(BadInput, match="must be whole"):
        Cells.from_bytes(b"nothing")


def test_a_raster_has_the_north_on_top(everything):
    sheet = everything.cells.raster(everything.cells.y_m)
    rows = sheet[np.isfinite(sheet).any(axis=1)]
    assert np.nanmax(rows[0]) > np.nanmax(rows[-1])


def test_nothing_reported_is_unknown_and_not_zero(everything):
    state = everything.run(2, lambda _at, _k: [])
    made = everything.many(state, [shapely.box(-400, -400, 400, 400)])[0]
    assert made.unknown is not None
    assert made.occupancy is None


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (shapely.box(-5, -400, 5, -390), UnknownReason.TOO_SMALL),
        (shapely.box(380, 380, 460, 460), UnknownReason.NOT_WALKABLE),
    ],
)
def test_little_ground_is_not_told(everything, shape, reason):
    assert everything.many(everything.run(1, lambda _at, _k: []), [shape])[0].unknown is reason


def test_outside_the_district_is_refused(everything):
    with pytest.raises(BadInput, match="must touch the district"):
        count(everything.counter, None, degrees(shapely.box(5000, 5000, 6000, 6000)), AT)


def test_only_passing_people_cannot_tell_how_many_are_there():
    small = Small([passage(1, 200, directed=False, interval_s=3600.0)], places=())
    state = small.run(3, lambda at, k: [seen("passage-1", at, k, 60 * MINUTE, n_passed=900)])
    made = small.many(state, [shapely.box(100, -500, 300, -400)])[0]
    assert made.unknown is UnknownReason.FLOW_ONLY
    assert state.present.newest["passage-1"] == state.present.at


def test_a_grid_brings_the_estimate_near_the_truth(everything):
    rng = np.random.default_rng(3)
    truth = everything.cells.expected * 3.0

    def counts(at, k):
        if k % 5:
            return []
        people = grid_counts(everything, truth + everything.cells.indoors)
        return [seen("lbs", at, k, 5 * MINUTE, counts=rng.poisson(people).astype(float))]

    state = everything.run(40, counts)
    made = everything.many(state, [shapely.box(-500, -500, 500, 500)])[0]
    assert made.low < truth.sum() < made.high


def test_a_late_grid_counts_as_if_it_had_been_in_time(everything):
    counts = grid_counts(everything, everything.cells.expected * 2 + everything.cells.indoors)
    window = seen("lbs", AT + 5 * MINUTE, 0, 5 * MINUTE, counts=counts)
    in_time = everything.run(10, lambda _at, k: [window] if k == 5 else [])
    late = everything.run(10, lambda _at, k: [window] if k == 9 else [])
    assert np.allclose(in_time.present.mean, late.present.mean, atol=1e-6)


def test_gates_carry_the_change_of_a_closed_place(everything):
    calm = everything.run(
        30, lambda at, k: [seen(f"gate-{g}", at, k, n_in=50 + k % 2, n_out=50 + k % 2) for g in (1, 2)]
    )
    filled = everything.run(
        30, lambda at, k: [seen(f"gate-{g}", at, k, n_in=60 + k % 2, n_out=40 + k % 2) for g in (1, 2)]
    )
    hall = shapely.box(-60, -60, 60, 60)
    before, after = (everything.many(state, [hall])[0] for state in (calm, filled))
    assert after.occupancy - before.occupancy == pytest.approx(30 * 40, rel=0.45)


def test_a_view_pulls_its_surroundings(everything):
    few, many = (everything.run(20, lambda at, k, n=n: [seen("view-1", at, k, n_present=n + k % 2)]) for n in (5, 400))
    shape = shapely.box(-470, -470, -430, -430)
    assert everything.many(many, [shape])[0].occupancy > 5 * (everything.many(few, [shape])[0].high or 0)


def test_an_absurd_count_moves_little(everything):
    shape = shapely.box(-500, -500, 500, 500)

    def counts(at, k):
        n = 1_000_000 if k == 25 else 60
        grid = (
            [] if k % 5 else [seen("lbs", at, k, 5 * MINUTE, counts=grid_counts(everything, everything.cells.indoors))]
        )
        return [seen("view-1", at, k, n_present=n), *grid]

    calm = everything.run(24, counts)
    shaken = everything.run(1, lambda at, _k: counts(at, 25), calm)
    before, after = (everything.estimator.field(state).persons.sum() for state in (calm, shaken))
    assert after < 2 * before
    assert everything.many(shaken, [shape])[0].unknown is None


@pytest.mark.parametrize(
    ("west", "south", "east", "north"), [(73, 18, 135, 54), (-58, -89, 179, 89), (-180, -90, 180, 90)]
)
def test_a_polygon_however_far_it_reaches_holds_the_district(everything, west, south, east, north):
    whole, far = (
        everything.counter.shares(one)
        for one in (degrees(shapely.box(-600, -600, 600, 600)), shapely.box(west, south, east, north))
    )
    assert everything.counter.walkable_m2(far) == pytest.approx(everything.counter.walkable_m2(whole))
    elsewhere = everything.counter.shares(shapely.box(0, 0, 10, 10))
    assert everything.counter.walkable_m2(elsewhere) == 0.0


def test_a_state_comes_back_exactly_and_goes_on_the_same(everything):
    counts = grid_counts(everything, everything.cells.expected + everything.cells.indoors)

    def feed(at, k):
        return [seen("view-1", at, k, n_present=30 + k)] + (
            [seen("lbs", at, k, 5 * MINUTE, counts=counts)] if k % 5 == 0 else []
        )

    state = everything.run(12, feed)
    again = everything.estimator.restore(state.to_bytes())
    assert np.array_equal(again.present.mean, state.present.mean)
    assert np.array_equal(np.tril(again.present.covariance), np.tril(state.present.covariance))
    on, on_again = (everything.run(3, feed, s) for s in (state, again))
    assert np.array_equal(on.present.mean, on_again.present.mean)


def test_a_state_is_not_taken_for_one_of_other_devices_though_as_many():
    before, after = Small([view(1, -470, -470), view(2, 130, 130)]), Small([view(1, -470, -470), view(3, 230, 230)])
    turned = Small([view(2, 130, 130), view(1, -470, -470)])
    body = before.run(3, lambda at, k: [seen("view-1", at, k, n_present=90)]).to_bytes()
    assert before.estimator.restore(body).present.at == AT + 3 * MINUTE
    for other in (after, turned):
        with pytest.raises(BadInput, match="state of other places and devices"):
            other.estimator.restore(body)


def test_a_state_is_not_taken_for_one_of_ground_that_has_moved():
    small = Small([view(1, -470, -470)])
    state = small.run(3, lambda at, k: [seen("view-1", at, k, n_present=90)])
    outline = degrees(shapely.box(-460, -500, 500, 500))
    root = replace(small.pack.areas.root, polygon=outline)
    areas = AreaTree(small.pack.areas.levels, [root])
    moved = replace(small.pack, areas=areas)
    other = Estimator(moved, Cells.of(moved))
    assert len(other.start(AT).present.mean) == len(state.present.mean)  # as many knots, elsewhere
    with pytest.raises(BadInput, match="state of other ground"):
        other.restore(state.to_bytes())
    of_before = replace(state, names=state.names._replace(ground=""))
    assert other.restore(of_before.to_bytes()).present.at == state.present.at


def test_a_road_that_is_new_costs_the_district_what_it_knows_of_its_devices_health_and_no_more():
    line = degrees(shapely.LineString([(0, 0), (5, 0)]))
    road, other = (Device(device_id=name, kind=DeviceKind.ROAD, name={}, geometry=line) for name in ("a", "b"))
    before, after = Small([view(1, -470, -470), road]), Small([view(1, -470, -470), other])
    state = before.run(3, lambda at, k: [seen("view-1", at, k, n_present=90), seen("a", at, k, n_in=9, n_out=7)])
    again = after.estimator.restore(state.to_bytes())
    assert np.array_equal(again.present.mean, state.present.mean)
    assert np.isnan(again.health.newest_s).all()


def test_the_order_of_the_observations_does_not_matter(everything):
    def feed(at, k):
        return [
            seen("view-1", at, k, n_present=30),
            seen("gate-1", at, k, n_in=9, n_out=4),
            seen("passage-1", at, k, n_in=20, n_out=9),
        ]

    forth = everything.run(5, feed)
    back = everything.run(5, lambda at, k: feed(at, k)[::-1])
    assert np.array_equal(forth.present.mean, back.present.mean)


def test_parts_add_up_to_the_whole(everything):
    counts = grid_counts(everything, everything.cells.expected * 4 + everything.cells.indoors)
    state = everything.run(5, lambda at, k: [seen("lbs", at, k, 5 * MINUTE, counts=counts)] if k == 5 else [])
    west, east, whole = everything.many(
        state, [shapely.box(-500, -500, 0, 500), shapely.box(0, -500, 500, 500), shapely.box(-500, -500, 500, 500)]
    )
    assert west.occupancy + east.occupancy == pytest.approx(whole.occupancy, rel=1e-3)
    assert whole.low < whole.occupancy < whole.high


def test_a_silent_district_goes_stale(everything):
    counts = grid_counts(everything, everything.cells.expected + everything.cells.indoors)
    state = everything.run(5, lambda at, k: [seen("lbs", at, k, 5 * MINUTE, counts=counts)] if k == 5 else [])
    later = everything.run(40, lambda _at, _k: [], state)
    made = everything.many(later, [shapely.box(-400, -400, 400, 400)])[0]
    assert made.unknown is UnknownReason.STALE


def test_more_devices_never_make_it_less_sure():
    shape = shapely.box(-470, -470, -330, -330)
    fewer, more = Small([GRID]), Small([GRID, view(1, -470, -470), view(2, -400, -400)])

    def feed(small, at, k):
        told = [seen(d.device_id, at, k, n_present=20) for d in small.pack.devices if d.device_id != "lbs"]
        if k % 5 == 0:
            people = grid_counts(small, small.cells.expected * 2 + small.cells.indoors)
            told.append(seen("lbs", at, k, 5 * MINUTE, counts=people))
        return told

    widths = []
    for small in (fewer, more):
        state = small.run(15, lambda at, k, small=small: feed(small, at, k))
        field = small.estimator.field(state)
        widths.append(np.trace(field.covariance))
    assert widths[1] < widths[0]
    assert shape.area > 0


@given(st.floats(10, 1e6), st.floats(0.01, 2.0))
def test_an_interval_is_positive_and_grows_with_doubt(mean, relative):
    low, high = interval(mean, (mean * relative) ** 2)
    lower, higher = interval(mean, (mean * relative * 1.5) ** 2)
    assert 0 < lower < low <= high
    assert low < mean * 1.0001
    assert higher / lower > high / low


def test_service_gets_worse_with_density():
    letters = [level_of_service(d / 100) for d in range(1, 400)]
    assert letters == sorted(letters)
    assert set(letters) == set("ABCDEF")


def test_a_gate_alone_leaves_the_street_unknown():
    small = Small([gate(1, -40)])
    state = small.run(3, lambda at, k: [seen("gate-1", at, k, n_in=5, n_out=5)])
    hall, street = small.many(state, [shapely.box(-60, -60, 60, 60), shapely.box(-500, -500, -200, -200)])
    assert hall.unknown is None
    assert street.unknown is UnknownReason.NO_DEVICE
