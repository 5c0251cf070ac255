"""Plans of posts by HTTP: solved beside by another program, told how far, stopped, kept, taken along."""

import io
import time

import httpx
import openpyxl
import pytest
from tests.command.conftest import BEGIN, served
from tests.planning.conftest import town
from tests.waiting import PATIENCE_S

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.pack import read_pack, write_pack
from anlan.planning.desk import _read, _wished


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
    with served(made.app) as url, httpx.Client(base_url=f"{url}/api/v1", timeout=PATIENCE_S) as made.http:
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


RING = {"within_s": 180, "kinds": ["vehicle"]}


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ({"vehicles": 0}, "vehicles=0"),
        ({"seconds": 0}, "seconds=0.0"),
        ({"calls": -1}, "calls=-1.0"),
        ({"minutes": 2000}, "minutes=2000.0"),
        ({"rings": [RING, RING | {"within_s": 0}]}, "rings.1.within_s=0"),
        ({"rings": [RING | {"kinds": ["boat"]}]}, "rings.0.kinds=boat"),
        ({"rings": [RING | {"share": 1.5}]}, "rings.0.share=1.5"),
        ({"rings": [RING | {"reliability": 1}]}, "rings.0.reliability=1"),
        ({"rings": [RING | {"share": None}]}, "rings.0.share=None"),
        ({"rings": [RING, RING]}, "rings.1.within_s=180"),
        ({"rings": [RING | {"within_s": 60 * k} for k in range(1, 8)]}, "rings=7"),
        ({"rings": [RING, RING | {"key": True}], "key": []}, "rings.1.key=true"),
        ({"key": ["square", "moon"]}, "key.1='moon'"),
        ({"key": ["square", "square"]}, "key.1='square'"),
    ],
)
def test_what_no_plan_can_be_asked_is_refused_beside_its_field_in_both_languages(planned, wrong, value):
    made = planned.http.post("/plans", json=wrong)
    fault = made.json()["error"]
    assert (made.status_code, fault["value"]) == (422, value)
    assert fault["rule"].startswith("must ")
    assert all(fault["zh"][part] for part in ("rule", "next_step"))  # the value is what was sent


def test_rings_and_key_areas_are_asked_for_and_stand_in_the_kept_plan_and_its_papers(planned, plan_id):
    ring = {"within_s": 90, "kinds": ["bicycle", "foot"], "key": True, "share": 0.9, "reliability": 0.5}
    wish = {"vehicles": 1, "seconds": 5, "rings": [RING, ring], "key": ["hall"]}
    assert planned.http.post("/plans", json=wish).status_code == 202
    told = planned.until(lambda now: len(now["plans"]) > 1 or now["making"]["fault"])
    newest = told["plans"][0]
    assert newest["id"] != plan_id
    assert newest["wish"]["rings"] == [RING | {"key": False, "share": 1.0, "reliability": 0.9}, ring]
    assert newest["wish"]["key"] == ["hall"]
    made = planned.http.get(f"/plans/{newest['id']}").json()
    assert made["plan"]["asked"] == {"rings": newest["wish"]["rings"], "key_areas": [{"zh": "馆", "en": "Hall"}]}
    for lang, wanted in (("en", "90 s bicycle+foot patrol, key areas"), ("zh", "90 秒 骑行+步巡（重点区域）")):
        page = planned.http.get(f"/plans/{newest['id']}/plan.html?lang={lang}").text
        assert wanted in page
        assert {"en": "key area: Hall", "zh": "重点区域: 馆"}[lang] in page
    for period in made["plan"]["periods"]:
        assert [one["ring"] for one in period["rings"]] == ["3 min vehicle", "90 s bicycle+foot @key"]


def test_the_usual_rings_and_the_names_to_choose_from_are_told(planned):
    told = planned.http.get("/plans/usual").json()
    assert [(one["within_s"], one["kinds"], one["key"]) for one in told["rings"]] == [
        (60, ["foot"], True),
        (180, ["vehicle"], False),
        (300, ["vehicle"], False),
    ]
    assert told["key"] == ["square"]
    names = {one["key"]: one["name"]["en"] for one in told["names"]}
    assert (names["hall"], names["row-0-0路"]) == ("Hall", "row-0-0")


def test_a_wish_that_was_kept_when_rings_were_a_text_is_read():
    body = {"rings": "1:foot@key 3:vehicle/0.95", "vehicles": 7, "seconds": 60.0, "calls": None, "minutes": 30.0}
    wish = _read(body)
    assert [one.name for one in wish.rings] == ["1 min foot @key", "3 min vehicle"]
    assert (wish.rings[1].share, wish.key) == (0.95, None)
    assert _read(_wished(wish)) == wish
    assert _read(body | {"rings": "20:vehicle"}).rings == ()  # longer than a ring may be now


def test_a_plan_is_stopped_and_leaves_nothing(planned, plan_id):
    assert planned.http.post("/plans", json={"seconds": 300}).status_code == 202
    errand, _ = planned.district.plans._making
    assert planned.http.delete("/plans/making").status_code == 204
    assert planned.http.get("/plans").json()["making"]["stopped"]
    errand.wait(PATIENCE_S)
    assert errand.is_over
    assert plan_id in [one["id"] for one in planned.http.get("/plans").json()["plans"]]


@pytest.mark.usefixtures("plan_id")
def test_who_is_told_of_a_plan_that_is_kept_finds_it_made(planned, monkeypatch):
    desk, found = planned.district.plans, []
    tell, before = desk._tell, desk.standing()[1]
    monkeypatch.setattr(desk, "_tell", lambda changes: (found.append(desk.standing()), tell(changes)))
    assert planned.http.post("/plans", json={"vehicles": 1, "seconds": 1}).status_code == 202
    planned.until(lambda now: found and now["making"] is None)
    ((making, kept),) = found
    assert making is None
    assert kept[1:] == before


def test_a_plan_is_in_the_log_with_its_hash_and_outlives_a_restart(planned, plan_id):
    lines = [one for one in planned.district.changes() if one.kind == "plan"]
    assert lines[0].record_id == plan_id
    kept = [one.plan_id for one in planned.district.plans.standing()[1]]
    assert len(lines[0].body["sha256"]) == 64
    planned.district.close()
    planned.open()
    assert [one.plan_id for one in planned.district.plans.standing()[1]] == kept
    assert planned.district.plans.plan(plan_id)["plan"]["kept"]
