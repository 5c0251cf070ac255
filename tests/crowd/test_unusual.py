"""How unusual a day is, learned by region, where a survey tells what is usual."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from tests.crowd.conftest import GRID, MINUTE, Small, degrees, grid_counts, passage, seen, small_pack, view

from anlan.counting import Counting
from anlan.crowd import Cells, Counter, Estimator, Params
from anlan.crowd.measures import walking_speed
from anlan.crowd.rows import Blocks, GridNoise, Seen
from anlan.kernel.clock import FollowedClock
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


def test_a_first_look_after_an_hour_of_a_grid_forgets_nothing(surveyed):
    west = surveyed.cells.x_m < -100
    people = surveyed.cells.usual_at(12.0) * np.where(west, 6.0, 1.0)
    there = grid_counts(surveyed, people + surveyed.cells.indoors)
    east = float((surveyed.estimator.sources.views.weights @ people)[1])

    def counts(at, k):
        eye = [seen("view-2", at, k, n_present=round(east))] if k > 60 else []
        return [*eye, *([seen("lbs", at, k, 5 * MINUTE, counts=there)] if k % 5 == 0 and k <= 60 else [])]

    before, after = (surveyed.estimator.field(surveyed.run(n, counts)).persons[west].sum() for n in (60, 62))
    assert before > 1.15 * surveyed.cells.usual_at(12.0)[west].sum()
    assert after > 0.95 * before


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


# -- lines against a survey --------------------------------------------------------------------------------------------


class Lined(Surveyed):
    """The same with counters over streets, of whom a part walks: three lines count what one knows, times ``pace``."""

    devices = (*DEVICES, *(passage(k, 100.0 * k) for k in range(-2, 3)))

    def flows(self, times, pace):
        lines = self.estimator.sources.passages
        density = times * (self.cells.usual_at(12.0) / self.cells.walkable_m2)[lines.cell]
        return 60 * density * walking_speed(density) * lines.width_m * pace

    def hours(self, times, pace, state=None, *, look=True):
        """Run an hour; ``look``: grid and views count, too."""
        rng = np.random.default_rng(7)
        people = self.cells.usual_at(12.0) * times
        views = self.estimator.sources.views.weights @ people
        flows = self.flows(times, pace)
        names = [device.device_id for device in self.estimator.sources.passages.devices]

        def counts(at, k):
            told = [
                seen(name, at, k, n_in=rng.poisson(q / 2), n_out=rng.poisson(q / 2))
                for name, q in zip(names, flows, strict=True)
            ]
            if look:
                told += [seen(f"view-{n + 1}", at, k, n_present=rng.poisson(views[n])) for n in range(2)]
                if k % 5 == 0:
                    told.append(seen("lbs", at, k, 5 * MINUTE, counts=grid_counts(self, people + self.cells.indoors)))
            return told

        return self.run(60, counts, state)

    def off(self, state, times):
        """Return the log-ratio of all who are told to all who are there."""
        return float(np.log(self.estimator.field(state).persons.sum() / self.cells.usual_at(12.0).sum() / times))


def test_that_half_of_those_about_a_line_stand_is_learned_of_all_lines_at_once():
    district = Lined()
    state = district.hours(1.0, 0.5)
    pace = state.present.mean[district.estimator.layout.pace]
    assert pace.shape == (1,)
    assert pace[0] < -0.2
    assert abs(district.off(state, 1.0)) < 0.1
    unaware = Lined()
    unaware.estimator = Estimator(
        unaware.pack, unaware.cells, Params(surveyed_pace=0.0, surveyed_passage=(0.42, 150.0))
    )
    assert district.off(state, 1.0) > unaware.off(unaware.hours(1.0, 0.5), 1.0)


def test_without_a_survey_lines_have_no_common_pace():
    small = Small([view(1, -470, -470), passage(1, 200), GRID])
    assert small.estimator.params.pace == 0.0
    assert small.run(5, lambda _at, _k: []).present.mean[small.estimator.layout.pace] == 0.0


def test_the_further_from_the_usual_the_less_a_square_of_a_location_grid_says(surveyed):
    estimator, told = surveyed.estimator, np.arange(4)
    grid, people = estimator.sources.grids[0], surveyed.cells.usual_at(12.0)
    blocks = Blocks.of(surveyed.cells, 200.0, estimator.sources.cordons.weights)
    noise = GridNoise(estimator.params, blocks, np.full(blocks.of_cell.shape[1], 0.3))
    grown = np.zeros(36)
    grown[:4] = 0.4, -0.4, 1.5, -2.5
    seen_now = Seen(outdoors=people, indoors=np.zeros(36), share=np.ones(36), grown=grown)
    weights, expected = grid.weights[told], np.full(4, 500.0)
    near, doubt = estimator.params.grid_far
    more = noise.variance(weights, seen_now, expected, told) - noise.variance(
        weights, replace(seen_now, grown=np.zeros(36)), expected, told
    )
    assert more == pytest.approx([0.0, 0.0, (doubt * (1.5 - near)) ** 2, (doubt * (2.5 - near)) ** 2])


def test_a_crowd_that_eyes_see_is_not_talked_down_by_a_grid_that_sees_many_indoors():
    told = {}
    for doubt in (0.0, Params().grid_far[1]):
        district = Surveyed()
        district.estimator = Estimator(district.pack, district.cells, Params(grid_far=(0.5, doubt)))
        usual = district.cells.usual_at(12.0)
        views = district.estimator.sources.views.weights @ usual

        def counts(at, k, usual=usual, views=views, district=district):
            times = 1.0 if k <= 60 else 8.0  # as many are indoors as out on any day, and no more on this one
            seen_now = [seen(f"view-{n + 1}", at, k, n_present=round(times * views[n])) for n in range(2)]
            if k % 5 == 0:
                grid = grid_counts(district, (times + 1.0) * usual + district.cells.indoors)
                seen_now.append(seen("lbs", at, k, 5 * MINUTE, counts=grid))
            return seen_now

        field = district.estimator.field(district.run(120, counts))
        told[doubt] = field.persons.sum() / (8 * usual.sum())
    assert told[0.0] < told[Params().grid_far[1]] < 1.1


def test_a_number_is_told_beside_what_the_survey_counted_there(surveyed, ordinary, tmp_path):
    assert because(surveyed, ordinary, tmp_path).usual == pytest.approx(surveyed.cells.usual_at(12.0).sum(), rel=0.05)
    bare = Small(DEVICES)
    there = grid_counts(bare, bare.cells.expected)
    state = bare.run(1, lambda at, k: [seen("lbs", at, k, 5 * MINUTE, counts=there)])
    assert because(bare, state, tmp_path).usual is None


def because(small, state, folder):
    """Return what is told of why all people are so many."""
    counting = Counting(small.pack, small.cells, small.estimator, None, FollowedClock(state.present.at), folder)
    counting.take(small.estimator.field(state), state)
    return counting.why(degrees(ALL))
