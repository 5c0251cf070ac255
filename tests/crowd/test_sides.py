"""A square that the outline of a place runs through is on one side of it."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.crowd.conftest import GRID, Small, degrees, gate, seen, view
from tests.crowd.test_unusual import Surveyed

from anlan.crowd import Estimator, Params
from anlan.crowd.sides import Side, told_apart
from anlan.kernel.records import Device, DeviceKind, Place

X_M, Y_M = np.arange(5) * 25.0, np.zeros(5)
PART = arrays(float, (5, 2, 2), elements=st.floats(0, 100))


def halves(west, east):
    """Ground of one square in its western and its eastern parts."""
    return [[west, east], [west, east]]


@given(open_m2=PART, first=PART, second=PART)
def test_no_ground_and_nobody_expected_is_lost(open_m2, first, second):
    open_m2[:, 0, 0] += 1.0
    ground = open_m2 + first + second
    sides = [Side(first, 0.1), Side(second, 0.2)]
    people = 0.01 * open_m2.sum(axis=(1, 2)) + sum(s.density * s.ground_m2.sum(axis=(1, 2)) for s in sides)
    parts, walkable, expected, side = told_apart(ground, people, sides, X_M, Y_M, 50.0)
    assert walkable.sum() == pytest.approx(ground.sum())
    assert expected.sum() == pytest.approx(people.sum())
    assert parts.sum(axis=(1, 2)) == pytest.approx(np.ones(5))
    assert parts.min() >= 0
    most = np.array([open_m2, first, second]).sum(axis=(2, 3)).argmax(axis=0)
    assert (side == most - 1).all()


def test_a_square_on_the_outline_goes_to_the_side_of_which_it_has_most():
    inside = np.array([halves(100, 100), halves(100, 30), halves(40, 0), halves(0, 0), halves(0, 0)], float)
    street = np.array([halves(0, 0), halves(0, 60), halves(0, 100), halves(90, 90), halves(90, 90)], float)
    people = 0.1 * inside.sum(axis=(1, 2)) + 0.01 * street.sum(axis=(1, 2))
    parts, walkable, expected, side = told_apart(inside + street, people, [Side(inside, 0.1)], X_M, Y_M, 50.0)
    assert walkable == pytest.approx([400, 260 + 80, 200 + 120, 360, 360])
    assert expected == pytest.approx([40, 34, 3.2, 3.6, 3.6])
    assert side.tolist() == [0, 0, -1, -1, -1]
    assert parts[2] == pytest.approx(np.array(halves(0.0, 0.5)))  # what is left of it is the street
    assert parts[1] == pytest.approx(np.array(halves(100, 30)) / 260)


def test_a_place_without_a_square_of_its_own_within_reach_stays_where_it_is():
    kiosk, street = np.zeros((5, 2, 2)), np.full((5, 2, 2), 100.0)
    kiosk[2] = 10.0
    parts, walkable, _, side = told_apart(street + kiosk, np.ones(5), [Side(kiosk, 0.1)], X_M, Y_M, 50.0)
    assert walkable == pytest.approx([400, 400, 440, 400, 400])
    assert (side == -1).all()
    assert parts[2] == pytest.approx(np.full((2, 2), 0.25))


class Hall(Surveyed):
    """The hall fills up to five times its usual while the streets about it stay as they are."""

    devices = (view(1, -470, -470), view(2, 130, 130), gate(1, -20), gate(2, 20), GRID)

    def fill(self, minutes=60, times=5.0):
        inside = self.cells.shares(self.hall)
        usual = self.cells.usual_at(12.0)
        views = self.estimator.sources.views.weights @ usual
        comes = (times - 1) * (usual[inside[0]] @ inside[1]) / minutes / 2
        rng = np.random.default_rng(4)

        def counts(at, k):
            gates = [seen(f"gate-{n}", at, k, n_in=rng.poisson(comes), n_out=rng.poisson(1)) for n in (1, 2)]
            return [*gates, *(seen(f"view-{n + 1}", at, k, n_present=rng.poisson(views[n])) for n in range(2))]

        return self.run(minutes, counts)

    def ratio(self, shape, state):
        """Return how many times the usual are told in a shape."""
        index, share = self.cells.shares(shape)
        return self.estimator.field(state).persons[index] @ share / (self.cells.usual_at(12.0)[index] @ share)

    @property
    def hall(self):
        return self.pack.projection.project(self.pack.places[0].polygon)


def test_a_crowd_behind_a_fence_does_not_stand_in_the_streets_around_it():
    district = Hall()
    around = district.hall.buffer(100).difference(district.hall.buffer(40))
    state = district.fill()
    assert district.ratio(district.hall, state) > 2.5
    assert district.ratio(around, state) < 2
    district.estimator = Estimator(district.pack, district.cells, Params(ground_spread=(1e-3, 1e-3)))
    assert district.ratio(around, district.fill()) > 3  # with nothing for the hall as a whole


# -- a place that is open ----------------------------------------------------------------------------------------------

QUAY = shapely.box(-60, 200, 60, 290)
STAIR = shapely.box(-30, 240, -10, 260)


def quay_pack():
    places = (
        Place(place_id="quay", name={}, kind="promenade", polygon=degrees(QUAY)),
        Place(place_id="stair", name={}, kind="promenade", polygon=degrees(STAIR)),
    )
    camera = Device(
        device_id="view-1", kind=DeviceKind.AREA, name={}, geometry=degrees(shapely.box(-60, 200, -25, 290))
    )
    return Small([camera, GRID], places=places)


def test_an_open_place_has_its_own_squares_whole_and_all_of_its_ground():
    small = quay_pack()
    cell, share = small.counter.shares(degrees(QUAY))
    assert (share == 1).all()
    assert (small.cells.place[cell] == 0).all()
    assert small.cells.walkable_m2[cell].sum() == pytest.approx(QUAY.area)
    drawn = small.counter.shares(degrees(QUAY.buffer(0.5)))  # any other polygon is cut along its outline
    assert (drawn[1] < 1).any()


def test_a_stair_on_a_promenade_has_no_square_to_itself_and_is_told_by_what_lies_in_it():
    small = quay_pack()
    cell, share = small.counter.shares(degrees(STAIR))
    assert not (small.cells.place == 1).any()
    assert (small.cells.place[cell] == 0).all()
    assert 0 < share @ small.cells.walkable_m2[cell] < small.cells.walkable_m2[cell].sum()


def test_a_camera_over_the_width_of_a_place_sees_all_who_stand_on_its_ground():
    small = quay_pack()
    seen_of = small.estimator.sources.views.weights.toarray()[0]
    whole = small.cells.of_place(0, QUAY)[0]
    west = whole[small.cells.x_m[whole] < -40]  # squares that reach beyond the outline, whose ground is all in view
    assert seen_of[west] == pytest.approx(1.0)
    assert seen_of[whole[small.cells.x_m[whole] > 0]] == pytest.approx(0.0)
