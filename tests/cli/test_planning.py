import json

import openpyxl
import pytest
from tests.planning.conftest import town

from anlan.pack import write_pack


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("packs") / "town"
    write_pack(town(5), made)
    return made


@pytest.fixture
def asked(folder):
    return ("plan", "posts", "--district", folder, "--vehicles", "2", "--seconds", "20")


def test_the_plan_is_told_by_period_and_written_to_files(asked, anlan, tmp_path):
    status, out, _ = anlan(*asked, "--lang", "en", "--out", tmp_path / "plan")
    assert status == 0
    for part in (
        "Fewest units by period",
        "evening peak",
        "1 min foot patrol, key areas",
        "Price of the promise",
        "Best 1-3-5 of 2",
    ):
        assert part in out
    told = json.loads((tmp_path / "plan" / "posts.geojson").read_text())
    kinds = {feature["properties"]["what"] for feature in told["features"]}
    assert kinds == {"ring", "post", "best_vehicle"}
    book = openpyxl.load_workbook(tmp_path / "plan" / "plan.xlsx")
    assert (book["1"]["A3"].value, book["1"]["A8"].value) == ("night", "closing time")
    page = (tmp_path / "plan" / "plan.html").read_text()
    assert page.count("<svg") == 3
    assert "http" not in page.replace("http://www.w3.org", "")  # it asks no host for anything
    assert "<script" not in page


def test_json_tells_the_same_in_numbers(asked, anlan):
    status, out, _ = anlan(*asked, "--rings", "3:vehicle", "--busy", "0.2", "--json")
    assert status == 0
    told = json.loads(out)
    assert told["kept"]
    assert len(told["periods"]) == 6
    for period in told["periods"]:
        assert sum(post["units"] for post in period["posts"]) == period["units"]
    assert told["bound"] <= told["unit_hours"]


def test_a_promise_that_nobody_can_keep_is_told_with_the_point(asked, anlan, tmp_path):
    file = tmp_path / "demand.csv"
    file.write_text("lon,lat,weight,name\n121.48,31.22,3,corner\n121.52,31.22,1,lighthouse\n")
    status, out, _ = anlan(*asked, "--rings", "3:vehicle", "--demand", file)
    assert status == 0
    assert "未能兑现" in out
    assert "lighthouse" in out


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        (("--rings", "3:boat"), 2, "MINUTES:KINDS"),
        (("--key", "Atlantis"), 3, "Atlantis"),
        (("--demand", "nowhere.csv"), 3, "nowhere.csv"),
        (("--vehicles", "0"), 2, "vehicles=0"),
    ],
)
def test_what_does_not_fit_is_told_in_three_parts(asked, anlan, more, status, said):
    found, _, err = anlan(*asked, *more, "--lang", "en")
    assert found == status
    assert said in err


def test_a_key_area_may_be_drawn(asked, anlan, tmp_path):
    file = tmp_path / "key.geojson"
    line = {"type": "LineString", "coordinates": [[121.48, 31.22], [121.482, 31.22]]}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": line}]}))
    status, out, _ = anlan(*asked, "--key", file, "--rings", "1:foot@key", "--json")
    assert status == 0
    assert {post["kind"] for period in json.loads(out)["periods"] for post in period["posts"]} == {"foot"}
