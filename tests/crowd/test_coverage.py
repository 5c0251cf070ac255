import numpy as np
import pytest
import shapely
from tests.crowd.conftest import AT, GRID, MINUTE, PLANE, Small, gate, grid_counts, passage, seen, view

from anlan.crowd import Sensing
from anlan.crowd.coverage import proposed, seen_share, sites_of
from anlan.kernel.answers import SiteKind
from anlan.kernel.errors import BadInput, NotFound


@pytest.fixture(scope="module")
def small():
    return Small([gate(1, -40), gate(2, 30), view(1, -450, -450), passage(1, 200), GRID])


@pytest.fixture(scope="module")
def state(small):
    counts = grid_counts(small, small.cells.expected * 2 + small.cells.indoors)

    def minute(at, k):
        window = [seen("lbs", at, 0, 5 * MINUTE, counts=counts)] if k == 5 else []
        return [seen("view-1", at, k, n_present=30 + k % 3), *window]

    return small.run(10, minute)


@pytest.fixture(scope="module")
def sensing(small, state):
    field = small.estimator.field(state)
    shares = {area.area_id: small.counter.shares(area.polygon) for area in small.pack.areas}
    return Sensing(small.pack, small.estimator, lambda: field, lambda: shares)


def test_nothing_is_seen_before_anything_is_observed(small):
    field = small.estimator.field(small.estimator.start(AT))
    assert np.allclose(seen_share(field, small.estimator.layout), 0, atol=1e-3)


def test_cells_in_a_view_are_seen_better_than_far_ones(small, state):
    share = seen_share(small.estimator.field(state), small.estimator.layout)
    near, far = (small.cells.at(x, -449) for x in (-449, 349))
    assert 0 < share[far] < share[near] < 1


def test_a_raster_covers_the_grid(small, sensing):
    raster = sensing.cells()
    assert raster.shape == (small.cells.n_rows, small.cells.n_columns)
    assert np.isfinite(raster).sum() == len(small.cells)


def test_an_area_knows_what_tells_it(sensing):
    west, east = (next(one for one in sensing.areas("half") if one.area_id == name) for name in ("w", "e"))
    assert "view-1" in west.coverage.told_by
    assert "view-1" not in east.coverage.told_by
    assert "lbs" in east.coverage.told_by
    for one in (west, east):
        assert one.coverage.relative_sd < one.coverage.unseen_sd
        assert 0 < one.coverage.seen_share < 1


def test_a_level_that_is_not_there_is_not_found(sensing):
    with pytest.raises(NotFound, match="half"):
        sensing.areas("street")


def test_the_first_proposal_takes_away_most_and_each_leaves_less(sensing):
    found = sensing.propose(6)
    assert len(found) == 6
    left = [one.sd_left for one in found]
    assert left == sorted(left, reverse=True)
    assert found[0].narrows == max(one.narrows for one in found)
    assert left[-1] ** 2 == pytest.approx(1 - sum(one.narrows for one in found))


def test_a_proposal_narrows_by_what_the_filter_then_gains(small, state):
    field = small.estimator.field(state)
    sites = sites_of(small.pack, small.cells)
    one, two = (proposed(small.pack, small.cells, field, sites, n) for n in (1, 2))
    assert one[0] == two[0]


def test_no_camera_is_proposed_where_a_device_stands(small, sensing):
    stands = small.pack.projection.project(small.pack.device("view-1").geometry).centroid
    for one in sensing.propose(20):
        if one.kind is not SiteKind.HIGH:
            assert PLANE.project(one.geometry).centroid.distance(stands) > 30
        assert shapely.intersects(small.pack.boundary, one.geometry)


@pytest.mark.parametrize("n", [0, 51])
def test_how_many_is_refused_beyond_reason(sensing, n):
    with pytest.raises(BadInput, match="must be 1 to 50"):
        sensing.propose(n)
