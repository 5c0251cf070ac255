"""Volunteers, shifts and call-outs in a terminal; service points without a server."""

import json

import httpx
import pytest
from tests.cli.conftest import Started
from tests.small import town_pack
from tests.waiting import PATIENCE_S

from anlan.pack import write_pack

AT = "121.4785,31.2205"


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volunteering")
    write_pack(town_pack(), folder / "pack")
    head = "id,kind,lon,lat,name_zh,name_en,hours\n"
    (folder / "pack" / "service_points.csv").write_text(f"{head}a,aed,{AT},甲,A,\n", encoding="utf-8")
    lists = '[alliances]\nsilk = { name = { zh = "丝绸联盟", en = "Silk" }, trade = "retail", area = "31-w" }\n'
    (folder / "pack" / "community.toml").write_text(lists, encoding="utf-8")
    one = Started(
        "serve", "--district", folder / "pack", "--data", folder / "data", "--port", 0, "--mqtt-port", 0, wait_s=300
    )
    one.folder = folder
    yield one
    one.kill()


def told(anlan, serving, *ask):
    status, out, err = anlan(*ask, "--url", serving.url, "--json")
    assert status == 0, err
    return json.loads(out)


def test_an_invitation_leads_to_a_page_and_whoever_joins_is_listed_and_called(serving, anlan):
    poster = serving.folder / "poster.svg"
    ask = ("volunteers", "invite", "fair", "--area", "31", "--alliance", "silk", "--poster", poster)
    link = told(anlan, serving, *ask)["link"]
    assert poster.read_text().startswith("<?xml")
    with httpx.Client(follow_redirects=True, timeout=PATIENCE_S) as phone:
        form = {"name": "Li", "home": "31-w", "agree": "yes", "alliance": "silk", "free": "night"}
        assert phone.post(link, data=form | {"free": ["night", "working_morning"]}).status_code == 200
    assert [one["name"] for one in told(anlan, serving, "volunteers", "list")["volunteers"]] == ["Li"]
    assert anlan("volunteers", "board", "--url", serving.url)[1].count("丝绸联盟") == 1
    ask = ("callout", "begin", "--at", AT, "--quota", 2, "--words", "guide people")
    key = told(anlan, serving, *ask)["id"]
    assert told(anlan, serving, "callout", "show", key)["quota"] == 2
    assert "guide people" in anlan("callout", "list", "--url", serving.url)[1]
    assert told(anlan, serving, "callout", "stop", key)["state"] == "stopped"
    status, _, err = anlan("callout", "stop", key, "--url", serving.url, "--lang", "en")
    assert (status, "is over" in err) == (5, True)


def test_first_helpers_are_called_to_an_incident(serving, anlan):
    raised = told(anlan, serving, "incident", "raise", "medical", AT)
    made = told(anlan, serving, "callout", "helpers", raised["id"], "--quota", 1, "--words", "bring the AED")
    assert made["matter"] == f"incident:{raised['id']}"


def test_a_shift_is_planned_listed_coded_and_written_for_a_calendar(serving, anlan):
    ask = ("volunteers", "plan", "--at", AT, "--from", "2099-01-01T10:00:00+08:00", "--until")
    ask += ("2099-01-01T14:00:00+08:00", "--places", 3, "--zh", "引导", "--need", "first_aid=1")
    made = told(anlan, serving, *ask)
    assert (made["places"], made["needs"]) == (3, {"first_aid": 1})
    listed = told(anlan, serving, "volunteers", "shifts", "--days", 400)["shifts"]
    assert listed == []
    picture = serving.folder / "code.png"
    status, out, _ = anlan("volunteers", "code", made["id"], picture, "--url", serving.url)
    assert (status, picture.read_bytes()[:4]) == (0, b"\x89PNG")
    assert len(out.strip().rpartition(" ")[2]) == 8
    calendar = serving.folder / "shifts.ics"
    assert anlan("volunteers", "shifts", "--calendar", calendar, "--url", serving.url)[0] == 0
    assert calendar.read_bytes().startswith(b"BEGIN:VCALENDAR")
    status, _, err = anlan("volunteers", "complete", made["id"], "--url", serving.url, "--lang", "en")
    assert (status, "has not ended" in err) == (5, True)


def test_walks_are_told_without_a_server_and_a_table_of_ones_own_is_checked(serving, anlan):
    pack = serving.folder / "pack"
    status, out, err = anlan("points", "coverage", "--district", pack, "--json")
    assert status == 0, err
    assert [one["kind"] for one in json.loads(out)["kinds"]] == ["aed"]
    table = serving.folder / "own.csv"
    table.write_text("id,kind,lon,lat,name_zh,name_en,hours\na,inn,121.48,31.22,甲,A,\n", encoding="utf-8")
    status, _, err = anlan("points", "coverage", "--district", pack, "--table", table)
    assert (status, "kind='inn'" in err) == (2, True)
    status, out, _ = anlan("points", "coverage", "--district", pack, "--lang", "en")
    assert "defibrillator" in out
