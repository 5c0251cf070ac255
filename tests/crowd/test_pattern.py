"""A view tells of its own ground what the knots are too coarse for."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from tests.crowd.conftest import Small, passage, seen, view

from anlan.crowd.pattern import drawn
from anlan.crowd.state import State

ITS_GROUND = shapely.box(-470, -470, -430, -430)


@pytest.fixture(scope="module")
def drawing(everything):
    """Return what is drawn where views count, over people who are alike everywhere, and the persons before."""
    estimator = everything.estimator
    persons = np.full(len(everything.cells), 20.0)
    blocks, fine = estimator._blocks, np.full(estimator._blocks.of_cell.shape[1], 0.5)

    def draw(viewed):
        return drawn(persons, estimator.sources.views, viewed, blocks, fine, estimator.params)

    weights = estimator.sources.views.weights[0]
    return draw, persons, weights, float((weights @ persons)[0]), blocks


def test_where_no_view_counts_nothing_is_drawn(drawing):
    draw, persons, *_ = drawing
    there, doubt = draw({})
    assert (there == persons).all()
    assert (doubt == 1).all()


def test_the_ground_of_a_view_is_drawn_towards_its_count_and_others_make_room_in_its_block(drawing):
    draw, persons, weights, smooth, blocks = drawing
    there, doubt = draw({"view-1": 1.6 * smooth})
    told = float((weights @ there)[0])
    assert 1.15 * smooth < told < 1.6 * smooth, "its bias and noise take their part"
    assert blocks.held(there)[0] == pytest.approx(blocks.held(persons)[0])
    its = weights.indices
    assert (doubt[its] < 0.85).all()
    elsewhere = np.setdiff1d(np.arange(len(persons)), its)
    assert (doubt[elsewhere] == 1).all()
    assert there[elsewhere].max() <= 20.0


def test_what_one_expects_of_a_view_draws_nothing_and_makes_it_surer(drawing):
    draw, persons, weights, smooth, _ = drawing
    there, doubt = draw({"view-1": smooth})
    assert there == pytest.approx(persons)
    assert (doubt[weights.indices] < 1).all()


def test_an_absurd_count_draws_less_than_a_large_one(drawing):
    draw, _, weights, smooth, _ = drawing
    large, absurd = (float((weights @ draw({"view-1": times * smooth})[0])[0]) for times in (4.0, 10_000.0))
    assert smooth < absurd < large


def test_the_ground_of_a_view_is_told_nearer_to_its_count_and_surer_than_by_the_knots_alone(everything):
    rng = np.random.default_rng(1)

    def counts(at, k):
        return [seen("view-1", at, k, n_present=int(rng.poisson(150))), seen("view-2", at, k, n_present=40 + k % 3)]

    state = everything.run(30, counts)
    smooth = replace(state, present=replace(state.present, viewed={}))
    drawn_so, by_knots = (everything.many(one, [ITS_GROUND])[0] for one in (state, smooth))
    count = state.present.viewed["view-1"]
    assert abs(drawn_so.occupancy - count) < abs(by_knots.occupancy - count)
    assert drawn_so.sd / drawn_so.occupancy < 0.9 * by_knots.sd / by_knots.occupancy


def test_a_view_that_fell_silent_or_is_distrusted_draws_nothing_more():
    small = Small([view(1, -470, -470), view(2, 130, 130), passage(1, 200)])
    rng = np.random.default_rng(2)

    def both(at, k):
        return [seen(f"view-{v}", at, k, n_present=int(rng.poisson(90))) for v in (1, 2)]

    state = small.run(5, both)
    assert set(state.present.viewed) == {"view-1", "view-2"}
    state = small.run(4, lambda at, k: [one for one in both(at, 5 + k) if one.device_id == "view-2"], state)
    assert set(state.present.viewed) == {"view-2"}
    stuck = small.run(12, lambda at, k: [seen("view-2", at, 9 + k, n_present=77), *both(at, 9 + k)[:1]], state)
    assert "view-2" in small.estimator.watcher.distrusted(stuck.health)
    assert set(stuck.present.viewed) == {"view-1"}


def test_what_views_counted_outlives_a_restart():
    small = Small([view(1, -470, -470), passage(1, 200)])
    state = small.run(3, lambda at, k: [seen("view-1", at, k, n_present=60 + k)])
    again = small.estimator.restore(state.to_bytes())
    assert isinstance(again, State)
    assert again.present.viewed == {"view-1": 63.0}
    before, after = (small.estimator.field(one) for one in (state, again))
    assert after.persons == pytest.approx(before.persons)
    assert after.doubt == pytest.approx(before.doubt)
