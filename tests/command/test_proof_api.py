"""The proof of the intervals over HTTP: what is told, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from tests.command.conftest import served
from tests.command.test_api import refused
from tests.crowd.test_withheld import PACK
from tests.proof.test_proofs import NOW, YESTERDAY, told
from tests.waiting import PATIENCE_S

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock

NOTHING = {
    "factor": 1.0, "from_at": None, "raw": None, "hours": 0.0, "n_views": 0, "n_days": 0,
    "day": None, "proving": None, "fault": None,
}  # fmt: skip


@pytest.fixture
def house(tmp_path):
    district = District.open(replace(PACK, folder=tmp_path), tmp_path / "data", clock=FollowedClock(NOW))
    with served(create_app(district)) as url, httpx.Client(base_url=f"{url}/api/v1", timeout=PATIENCE_S) as http:
        yield district, http
    district.close()


def test_before_the_first_night_nothing_is_proven(house):
    assert house[1].get("/proof").json() == NOTHING


def test_what_is_proven_is_told_camera_by_camera(house):
    district, http = house
    district.proofs._keep(YESTERDAY, told(1.5))
    made = http.get("/proof").json()
    assert made["factor"] == round(district.proofs.factor_at(datetime(2027, 1, 1, tzinfo=UTC)), 4) > 1.1
    assert (made["raw"], made["n_views"], made["n_days"]) == (1.5, 12, 1)
    assert made["from_at"] == "2026-12-31T18:02:00Z"
    day = made["day"]
    assert (day["on"], day["before"], day["after"]) == ("2026-12-31", 1.0, made["factor"])
    assert (day["n_counts"], day["hours"], day["held_before"], day["held"]) == (12 * 32, 12 * 16, 0.0, 0.0)
    assert [one["id"] for one in day["views"]] == sorted(f"camera-{k}" for k in range(12))
    one = day["views"][0]
    assert one | {"name": 0} == {
        "id": "camera-0", "name": 0, "hours": 16, "n_counts": 32, "held_before": 0.0, "held": 0.0, "error": 0.1,
    }  # fmt: skip


def test_a_proof_that_comes_to_nothing_says_why(house):
    district, http = house
    begun = http.post("/proof", json={"on": "2026-12-30"})
    assert begun.status_code == 202
    district.proofs.wait(PATIENCE_S)
    told_now = http.get("/proof").json()
    assert told_now["proving"] is None
    assert told_now["fault"] == "nothing was counted on 2026-12-30"


@pytest.mark.parametrize("on", ["2027-01-01", "2027-03-01", "2026-11-01"])
def test_days_that_are_not_over_or_not_kept_are_refused_in_both_languages(house, on):
    fault = refused(house[1].post("/proof", json={"on": on}), 422, "bad_input")
    assert fault["value"] == f"on={on}"
    assert fault["zh"]["rule"] == "须为最近 30 天内、已结束的一天"


def test_what_is_no_day_is_refused(house):
    refused(house[1].post("/proof", json={"on": "yesterday"}), 422, "bad_input")
