"""Plans of posts by HTTP: solved beside by another program, told how far, stopped, kept, taken along."""

import io
import time

import httpx
import openpyxl
import pytest
from tests.command.conftest import BEGIN, served
from tests.planning.conftest import town

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.pack import read_pack, write_pack

PATIENCE_S = 240


class Planned:
    """A district of a town in a folder, served."""

    def __init__(self, folder):
        write_pack(town(5), folder / "town")
        self.folder = folder
        self.open()

    def open(self):
        pack = read_pack(self.folder / "town")
        self.district = District.open(pack, self.folder / "data", clock=FollowedClock(BEGIN))
        self.app = create_app(self.district)

    def until(self, there):
        """Ask until something is so."""
        begun = time.monotonic()
        while not there(told := self.http.get("/plans").json()):
            assert time.monotonic() - begun < PATIENCE_S, told
            time.sleep(0.1)
        return told


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    made = Planned(tmp_path_factory.mktemp("planned"))
    with served(made.app) as url, httpx.Client(base_url=f"{url}/api/v1", timeout=30) as made.http:
        yield made
    made.district.close()


@pytest.fixture(scope="module")
def plan_id(planned):
    made = planned.http.post("/plans", json={"vehicles": 2, "seconds": 10})
    assert made.status_code == 202
    assert planned.http.post("/plans", json={"vehicles": 2}).status_code == 409
    told = planned.until(lambda now: now["plans"] or now["making"]["fault"])
    assert told["making"] is None
    return told["plans"][0]["id"]


def test_a_plan_is_made_and_tells_rings_price_vehicles_and_worth(planned, plan_id):
    made = planned.http.get(f"/plans/{plan_id}").json()
    plan = made["plan"]
    assert plan["kept"]
    assert len(plan["periods"]) == 6
    assert len(plan["vehicles"]["posts"]) == 2
    assert all(0 <= one["worth"] <= 1 for one in plan["vehicles"]["posts"])
    shares = [one["share"] for one in plan["by_units"]]
    assert shares == pytest.approx(sorted(shares))
    drawn = {one["properties"]["what"] for one in made["geojson"]["features"]}
    assert drawn == {"ring", "post", "best_vehicle"}
    assert (made["facts"]["en"][0][0], made["facts"]["zh"][0][0]) == ("Fewest units by period", "各时段最少单元")


@pytest.mark.parametrize(
    ("form", "begin"),
    [("posts.geojson", b"{"), ("plan.xlsx", b"PK"), ("plan.html", b"<!doctype html>"), ("plan.pdf", b"%PDF")],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_is_taken_along_as_a_file(planned, plan_id, form, begin, lang):
    made = planned.http.get(f"/plans/{plan_id}/{form}?lang={lang}")
    assert made.status_code == 200
    assert made.content.startswith(begin)
    if form == "plan.xlsx":
        word = {"zh": "夜间", "en": "night"}[lang]
        assert openpyxl.load_workbook(io.BytesIO(made.content))["1"]["A3"].value == word


def test_what_there_is_not_is_not_found(planned, plan_id):
    assert planned.http.get("/plans/nothing").status_code == 404
    assert planned.http.get(f"/plans/{plan_id}/plan.doc").status_code == 404
    assert planned.http.delete("/plans/making").status_code == 404


@pytest.mark.parametrize("wrong", [{"vehicles": 0}, {"seconds": 0}, {"calls": -1}, {"minutes": 2000}])
def test_what_no_plan_can_be_asked_is_refused(planned, wrong):
    assert planned.http.post("/plans", json=wrong).status_code == 422


def test_a_wrong_ring_is_told_as_the_fault_of_the_making(planned, plan_id):
    assert planned.http.post("/plans", json={"rings": "3:boat"}).status_code == 202
    told = planned.until(lambda now: now["making"]["fault"])
    assert "must be MINUTES:KINDS" in told["making"]["fault"]
    assert [one["id"] for one in told["plans"]] == [plan_id]


def test_a_plan_is_stopped_and_leaves_nothing(planned, plan_id):
    assert planned.http.post("/plans", json={"seconds": 300}).status_code == 202
    worker = planned.district.plans._worker
    assert planned.http.delete("/plans/making").status_code == 204
    assert planned.http.get("/plans").json()["making"]["stopped"]
    assert worker.wait(30) != 0
    assert [one["id"] for one in planned.http.get("/plans").json()["plans"]] == [plan_id]


def test_a_plan_is_in_the_log_with_its_hash_and_outlives_a_restart(planned, plan_id):
    lines = [one for one in planned.district.changes() if one.kind == "plan"]
    assert [one.record_id for one in lines] == [plan_id]
    assert len(lines[0].body["sha256"]) == 64
    planned.district.close()
    planned.open()
    assert [one.plan_id for one in planned.district.plans.plans()] == [plan_id]
    assert planned.district.plans.plan(plan_id)["plan"]["kept"]
