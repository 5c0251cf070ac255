"""The community over HTTP: each answer only of one's areas, contacts for the gateway alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.command.conftest import BEGIN, served
from tests.command.test_staff import House, code
from tests.small import town_pack

from anlan.command.views import moment
from anlan.community import Reply
from anlan.kernel.records import Calendar
from anlan.volunteers import Profile, tend
from anlan.volunteers.calling import reply
from anlan.volunteers.joining import Invitation, invite, join, who
from anlan.volunteers.rostering import enter, offer_place, take_offer

WEST, EAST = [121.4785, 31.2205], [121.4815, 31.2205]
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("community")
    (folder / "pack").mkdir()
    lists = '[alliances]\nsilk = { name = { zh = "丝", en = "Silk" }, trade = "retail", area = "31-w" }\n'
    (folder / "pack" / "community.toml").write_text(lists, encoding="utf-8")
    head = "id,kind,lon,lat,name_zh,name_en,hours\n"
    rows = "a,police_room,121.4785,31.2205,甲,A,00:00-24:00\nb,aed,121.4815,31.2205,乙,B,\n"
    (folder / "pack" / "service_points.csv").write_text(head + rows, encoding="utf-8")
    made = House(folder / "data", replace(town_pack(), folder=folder / "pack", calendar=Calendar()))
    with served(made.app) as made.url:
        made.hall = made.district.community
        link = invite(made.hall, Invitation(label="x", area_id="31"), "test")[1]
        told = {"home_id": "31-w", "skills": ("aed",), "contact": "mailto:a@b.c"}
        made.west = who(made.hall, join(made.hall, link, Profile(shown_name="West", **told)))["volunteer_no"]
        east = Profile(shown_name="East", home_id="31-e", alliances=("silk",))
        made.east = who(made.hall, join(made.hall, link, east))["volunteer_no"]
        yield made
    made.district.close()


@pytest.fixture
def officer(house):
    with house.as_role("alliance_officer", "31-w") as client:
        yield client


def new_shift(at=WEST, **more):
    told = {"name": {"zh": "引导", "en": "Guide"}, "at": at, "places": 2}
    return told | {"begin_at": moment(BEGIN + 24 * HOUR), "end_at": moment(BEGIN + 28 * HOUR)} | more


def test_the_board_and_the_list_hold_ones_own_areas_and_no_contact(house, officer):
    board = officer.get("/community").json()
    assert [one["members"] for one in board["alliances"]] == [0]
    assert (board["volunteers"], board["by_skill"]["aed"], len(board["trades"])) == (1, 1, 8)
    found = officer.get("/community/volunteers").json()["volunteers"]
    assert [one["name"] for one in found] == ["West"]
    assert "mailto" not in officer.get("/community/volunteers").text
    with house.as_role("commander") as whole:
        assert len(whole.get("/community/volunteers").json()["volunteers"]) == 2
        page = whole.get("/community/volunteers", params={"limit": 1}).json()
        rest = whole.get("/community/volunteers", params={"limit": 1, "after": page["next"]}).json()
        assert [page["volunteers"][0]["name"], rest["volunteers"][0]["name"]] == ["West", "East"]


def test_an_invitation_is_told_once_and_ended(officer):
    made = officer.post("/community/invitations", json={"label": "fair", "area": "31-w", "days": 3, "most": 5}).json()
    assert made["path"].startswith("/v/join/")
    assert made["link"].endswith(made["path"])
    assert made["code"].startswith("<svg")
    listed = officer.get("/community/invitations")
    assert [one["left"] for one in listed.json()["invitations"]] == [5]
    assert made["path"].rpartition("/")[2] not in listed.text
    assert officer.delete(f"/community/invitations/{made['id']}").status_code == 204
    assert code(officer.post("/community/invitations", json={"label": "x", "area": "31-e"})) == (403, "not_allowed")


def test_shifts_are_planned_seen_and_called_off_in_ones_areas(house, officer):
    assert code(officer.post("/community/shifts", json=new_shift(EAST))) == (403, "not_allowed")
    made = officer.post("/community/shifts", json=new_shift(needs={"aed": 1})).json()
    whole = officer.get(f"/community/shifts/{made['id']}").json()
    assert (whole["area"], whole["needs"], whole["people"]) == ("31-w", {"aed": 1}, [])
    assert whole["path"] == f"/v/here/{whole['code']}"
    assert whole["here"].endswith(whole["path"])
    drawn = officer.get(f"/community/shifts/{made['id']}/code.svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.text != officer.get(f"/community/shifts/{made['id']}/code.svg", params={"what": "sign_up"}).text
    calendar = officer.get("/community/shifts.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert made["id"] in calendar.text
    assert code(officer.post(f"/community/shifts/{made['id']}/complete")) == (409, "conflict")
    with house.as_role("alliance_officer", "31-e") as other:
        assert other.get("/community/shifts").json()["shifts"] == []
        assert code(other.get(f"/community/shifts/{made['id']}")) == (403, "not_allowed")
    assert officer.delete(f"/community/shifts/{made['id']}").status_code == 204
    assert officer.get(f"/community/shifts/{made['id']}").json()["state"] == "cancelled"


def test_a_shift_tells_its_swaps_that_wait(house, officer):
    made = officer.post("/community/shifts", json=new_shift()).json()
    enter(house.hall, house.east, made["id"])
    offer_id = offer_place(house.hall, house.east, made["id"])
    assert officer.get(f"/community/shifts/{made['id']}").json()["swaps"] == [{"giver": "East", "taker": None}]
    take_offer(house.hall, house.west, offer_id)
    whole = officer.get(f"/community/shifts/{made['id']}").json()
    assert (whole["offers"], whole["swaps"]) == (1, [{"giver": "East", "taker": "West"}])
    assert officer.delete(f"/community/shifts/{made['id']}").status_code == 204
    assert officer.get(f"/community/shifts/{made['id']}").json()["swaps"] == []


def test_the_list_is_narrowed(house):
    with house.as_role("commander") as whole:
        for asked, names in (
            ({"area": "31-e"}, ["East"]),
            ({"due_days": 30}, []),
            ({"due_days": 400}, ["West", "East"]),
        ):
            found = whole.get("/community/volunteers", params=asked).json()["volunteers"]
            assert [one["name"] for one in found] == names
        assert code(whole.get("/community/volunteers", params={"area": "nowhere"})) == (422, "bad_input")
        assert code(whole.get("/community/volunteers", params={"due_days": -1}))[0] == 422


def test_a_call_out_tells_counts_and_who_comes_and_is_stopped(house, officer):
    made = officer.post("/community/call-outs", json={"at": WEST, "quota": 1, "words": "guide"}).json()
    assert (made["state"], made["asked"], made["quota"]) == ("open", 2, 1)
    reply(house.hall, house.west, made["id"], Reply.YES)
    whole = officer.get(f"/community/call-outs/{made['id']}").json()
    assert (whole["state"], whole["yes"], whole["coming"]) == ("met", 1, ["West"])
    assert officer.post(f"/community/call-outs/{made['id']}/stop").json()["state"] == "stopped"
    assert code(officer.post("/community/call-outs", json={"at": EAST, "quota": 1, "words": "x"}))[0] == 403
    assert [one["id"] for one in officer.get("/community/call-outs").json()["call_outs"]] == [made["id"]]
    near = officer.get("/community/near", params={"lon": WEST[0], "lat": WEST[1], "skill": "aed"}).json()["near"]
    assert near[-1] == {"within_m": 6000.0, "volunteers": 1}


def test_first_helpers_of_an_incident_are_called_until_it_is_closed(house):
    with house.as_role("dispatcher") as desk:
        incident = desk.post("/incidents", json={"kind": "medical", "at": WEST, "note": "third floor"}).json()
        told = {"quota": 1, "words": "bring the defibrillator", "skills": ["aed"]}
        made = desk.post(f"/community/helpers/{incident['id']}", json=told).json()
        assert (made["matter"], made["asked"]) == (f"incident:{incident['id']}", 1)
        assert "third floor" not in str(made)
        again = desk.post(f"/community/helpers/{incident['id']}", json=told).json()
        assert again["asked"] == 0
        tend(house.hall, house.district.reach)
        assert desk.get(f"/community/call-outs/{made['id']}").json()["state"] == "open"
        desk.post(f"/incidents/{incident['id']}/close", json={"outcome": "resolved"})
        tend(house.hall, house.district.reach)
        assert desk.get(f"/community/call-outs/{made['id']}").json()["state"] == "over"
        assert code(desk.post(f"/community/helpers/{incident['id']}", json=told)) == (409, "conflict")
        assert code(desk.post("/community/helpers/none", json=told)) == (404, "not_found")


def test_the_gateway_alone_reads_contacts_and_deletes_what_it_sent(house, officer):
    house.district.clock.set(house.district.clock.now() + 25 * HOUR)
    officer.post("/community/call-outs", json={"at": WEST, "quota": 5, "words": "guide", "skills": ["aed"]})
    assert code(officer.get("/community/outbox")) == (403, "not_allowed")
    with house.as_role("message_gateway") as gateway:
        found = gateway.get("/community/outbox").json()["messages"]
        assert [one["contact"] for one in found] == ["mailto:a@b.c"]
        assert code(gateway.get("/community/volunteers")) == (403, "not_allowed")
        assert gateway.post("/community/outbox/sent", json={"ids": [one["id"] for one in found]}).json() == {"n": 1}
        assert gateway.get("/community/outbox").json()["messages"] == []


def test_service_points_and_their_coverage_are_open_to_all_who_are_signed_in(officer):
    found = officer.get("/community/points").json()["points"]
    assert [(one["id"], one["open"]) for one in found] == [("a", True), ("b", None)]
    made = officer.get("/community/points/coverage", params={"within_s": [60, 600], "level": "street"}).json()
    assert [one["kind"] for one in made["kinds"]] == ["police_room", "aed"]
    assert made["levels"] == ["district", "street"]
    rooms = made["kinds"][0]["shares"]
    assert rooms[0]["residents"] is None
    assert 0 < rooms[0]["ground"] < rooms[1]["ground"]
    west = next(one for one in made["areas"]["features"] if one["properties"]["id"] == "31-w")
    assert west["properties"]["police_room_60"] > 0
    assert west["geometry"]["type"] == "Polygon"
    assert code(officer.get("/community/points/coverage", params={"within_s": 0}))[0] == 422


def test_what_is_told_of_changes_names_no_volunteer(house):
    kinds = {"shift", "call_out", "invitation", "outbox"}
    bodies = [str(change.body) for change in house.district.store.changes() if change.kind in kinds]
    assert len(bodies) > 5
    assert not [body for body in bodies if "West" in body or "East" in body or "mailto" in body]
