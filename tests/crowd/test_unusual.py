"""How unusual a day is, learned by region, where a survey tells what is usual."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from tests.crowd.conftest import GRID, MINUTE, Small, degrees, grid_counts, seen, small_pack, view

from anlan.crowd import Cells, Counter, Estimator, Params
from anlan.kernel.pack import Usual

DEVICES = [view(1, -470, -470), view(2, 130, 130), GRID]
ALL = shapely.box(-500, -500, 500, 500)


class Surveyed(Small):
    """The small district with a survey by squares of a hundred metres: what is expected, at every hour."""

    devices = DEVICES

    def __init__(self):
        plain = small_pack(self.devices)
        cells = Cells.of(plain)
        middles = np.arange(-450.0, 500.0, 100.0)
        x, y = (flat.ravel() for flat in np.meshgrid(middles, middles))
        points = [degrees(shapely.Point(*at)) for at in zip(x, y, strict=True)]
        there = [cells.shares(shapely.box(a - 50, b - 50, a + 50, b + 50)) for a, b in zip(x, y, strict=True)]
        persons = np.array([10 * cells.expected[index] @ share for index, share in there])
        usual = Usual(
            lon=np.array([p.x for p in points]),
            lat=np.array([p.y for p in points]),
            size_m=np.full(len(points), 100.0),
            hours=(0, 12),
            persons=np.column_stack([persons, persons]),
        )
        self.pack = replace(plain, usual=usual)
        self.cells = Cells.of(self.pack)
        self.estimator = Estimator(self.pack, self.cells)
        self.counter = Counter(self.pack, self.cells)

    def day(self, times, minutes=90, noise=0.0, state=None):
        """Run with so many times the usual people, seen by the grid and both views."""
        rng = np.random.default_rng(5)
        people = self.cells.usual_at(12.0) * times
        views = self.estimator.sources.views.weights @ people

        def counts(at, k):
            told = [seen(f"view-{n + 1}", at, k, n_present=round(views[n])) for n in range(2)]
            if k % 5 == 0:
                grid = grid_counts(self, people + self.cells.indoors) * np.exp(rng.normal(0, noise, 36))
                told.append(seen("lbs", at, k, 5 * MINUTE, counts=np.round(grid)))
            return told

        return self.run(minutes, counts, state)


@pytest.fixture(scope="module")
def surveyed():
    return Surveyed()


@pytest.fixture(scope="module")
def ordinary(surveyed):
    return surveyed.day(1.0, noise=0.05)


def half_width(small, state):
    made = small.many(state, [ALL])[0]
    return (made.high - made.low) / 2 / made.occupancy


def test_on_an_ordinary_day_the_usual_is_held_on_to(surveyed, ordinary):
    assert (ordinary.present.unusual < 0.8).all()
    field = surveyed.estimator.field(ordinary)
    assert (field.fine < surveyed.estimator.params.fine).all()
    assert field.persons.sum() == pytest.approx(surveyed.cells.usual_at(12.0).sum(), rel=0.1)


def test_a_feast_is_let_stray_and_is_less_sure(surveyed, ordinary):
    feast = surveyed.day(8.0)
    assert (feast.present.unusual > 1).all()
    assert half_width(surveyed, feast) > half_width(surveyed, ordinary)
    truth = 8 * surveyed.cells.usual_at(12.0).sum()
    made = surveyed.many(feast, [ALL])[0]
    assert made.low < truth < made.high


def test_a_crowd_after_an_ordinary_morning_is_believed_within_minutes(surveyed, ordinary):
    truth = 8 * surveyed.cells.usual_at(12.0).sum()
    before = surveyed.many(ordinary, [ALL])[0].occupancy
    after = surveyed.many(surveyed.day(8.0, minutes=11, state=ordinary), [ALL])[0].occupancy
    assert after - before > 0.7 * (truth - before)


def test_where_nothing_tells_the_day_it_stays_as_unknown_as_on_any(surveyed):
    state = surveyed.run(60, lambda _at, _k: [])
    assert np.allclose(state.present.unusual, 1.0, atol=0.02)


def test_without_a_survey_nobody_knows_what_is_usual():
    plain = Small(DEVICES)
    state = plain.run(20, lambda at, k: [seen("view-1", at, k, n_present=400)])
    assert np.array_equal(state.present.unusual, np.ones(len(state.present.unusual)))
    assert np.allclose(plain.estimator.field(state).fine, plain.estimator.params.fine)


def test_it_comes_back_with_the_state(surveyed, ordinary):
    again = surveyed.estimator.restore(ordinary.to_bytes())
    assert np.array_equal(again.present.unusual, ordinary.present.unusual)


def test_the_district_moves_farther_where_more_go_on_any_day(surveyed):
    layout, cells = surveyed.estimator.layout, surveyed.cells
    hall = cells.at(0.0, 0.0)
    level = layout.out_hats @ layout.level
    assert level[hall] > 1.1 * np.median(level)
    assert layout.level[layout.n_knots :] == pytest.approx(0)  # a place beside it moves with its surroundings
    plain = Estimator(surveyed.pack, cells, Params(surveyed_busier=0.0)).layout
    assert plain.level[: plain.n_knots] == pytest.approx(np.full(plain.n_knots, Params().surveyed_level))
