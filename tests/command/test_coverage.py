"""Coverage and proposals over HTTP, and a device at fault as the desk sees it."""

import numpy as np
import pytest
from tests.command.conftest import Live

from anlan.crowd.watched import KEPT


def test_areas_tell_how_well_they_are_seen(http):
    areas = {one["id"]: one for one in http.get("/coverage", params={"level": "street"}).json()["areas"]}
    assert set(areas) == {"31-w", "31-e"}
    for one in areas.values():
        assert 0 < one["relative_sd"] < one["unseen_sd"]
        assert "grid" in one["told_by"]


def test_cells_tell_how_well_they_are_seen(http, live):
    told = np.frombuffer(http.get("/coverage/cells").content, "<u2")
    cells = live.district.cells
    assert len(told) == cells.n_rows * cells.n_columns
    known = told < 65_534
    assert known.sum() == len(cells)
    assert told[known].max() <= 1000


def test_sites_are_proposed_best_first(http):
    found = http.get("/coverage/proposed", params={"n": 3}).json()["proposals"]
    assert len(found) == 3
    left = [one["sd_left"] for one in found]
    assert left == sorted(left, reverse=True)
    assert {one["geometry"]["type"] for one in found} <= {"Polygon", "LineString"}


@pytest.mark.parametrize(("path", "status"), [("/coverage?level=moon", 404), ("/coverage/proposed?n=0", 422)])
def test_what_cannot_be_asked_is_refused(http, path, status):
    assert http.get(path).status_code == status


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A district in which a camera shows one picture for ever."""
    made = Live(tmp_path_factory.mktemp("faulty"))
    made.grid()
    made.minute(24)
    yield made
    made.district.close()


def test_a_device_at_fault_is_suspect_with_its_evidence(faulty):
    now = faulty.district.device("quay-1")
    assert (str(now.state), now.reason) == ("suspect", "stuck")
    assert now.suspicion.left_out
    assert now.suspicion.counted_per_min == 90


def test_what_was_watched_survives_a_restart(faulty):
    state = faulty.district.estimator.restore(faulty.district.history.latest_step().state)
    assert state.health.counts.shape[0] == KEPT
