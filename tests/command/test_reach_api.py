"""Incidents and units by HTTP: the whole story, its rights, and the feed."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from shapely.geometry import Point
from tests.command.conftest import BEGIN, served
from tests.command.test_api import refused, strict
from tests.small import PLANE, town_pack
from tests.waiting import PATIENCE_S

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.staff import NewOffice, Staff, read_roles


def at(x, y):
    point = PLANE.unproject(Point(x, y))
    return [point.x, point.y]


class Town:
    """A district with units, served, whose time the test drives."""

    def __init__(self, folder):
        self.clock = FollowedClock(BEGIN)
        self.district = District.open(town_pack(), folder, clock=self.clock)
        self.app = create_app(self.district)

    def later(self, seconds):
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    with served(made.app) as made.url, httpx.Client(base_url=f"{made.url}/api/v1", timeout=PATIENCE_S) as made.http:
        yield made
    made.district.close()


async def moved(client, unit, x, y, after_s):
    lon, lat = at(x, y)
    told = {"unit": unit, "at": (BEGIN + timedelta(seconds=after_s)).isoformat(), "lon": lon, "lat": lat}
    return await client.post("/units/positions", json={"positions": [told]})


def raised(town, kind="disturbance", x=-400, y=100, **more):
    return strict(town.http.post("/incidents", json={"kind": kind, "at": at(x, y), **more}))


def test_an_incident_is_raised_recommended_sent_followed_and_proven(town):
    one = raised(town, note="a bin burns")
    assert (one["state"], one["area"], one["priority"]) == ("waiting", "31-w", 2)
    made = strict(town.http.get(f"/incidents/{one['id']}/recommendation"))
    best = made["candidates"][0]
    assert made["reason"] is None
    assert made["chosen"] == [best["unit"]] == ["f1"]
    assert best["low_s"] < best["expected_s"] < best["high_s"]
    assert made["cover_after"] <= made["cover_now"]
    sent = strict(town.http.post(f"/incidents/{one['id']}/dispatch", json={"units": ["f1"], "version": one["version"]}))
    assert sent["state"] == "dispatched"
    town.later(10)
    now = town.clock.now().isoformat()
    assert strict(town.http.post("/units/f1/status", json={"status": "en_route", "at": now}))["status"] == "en_route"
    town.later(30)
    lon, lat = at(-400, 60)
    body = {"positions": [{"unit": "f1", "at": town.clock.now().isoformat(), "lon": lon, "lat": lat}]}
    assert strict(town.http.post("/units/positions", json=body)) == {"taken": 1, "refused": []}
    unit = next(unit for unit in strict(town.http.get("/units"))["units"] if unit["id"] == "f1")
    assert unit["at"] == pytest.approx([lon, lat])
    town.later(20)
    town.http.post("/units/f1/status", json={"status": "on_scene"})
    assert strict(town.http.get(f"/incidents/{one['id']}"))["assignments"][0]["response_s"] == 60
    town.later(300)
    town.http.post("/units/f1/status", json={"status": "returning", "outcome": "resolved"})
    closed = strict(town.http.get(f"/incidents/{one['id']}"))
    assert (closed["state"], closed["outcome"], closed["note"]) == ("closed", "resolved", "a bin burns")
    proof = strict(town.http.get("/reach/proof"))
    assert proof["overall"]["within"]["60"] | {"low": 0, "high": 0} == {
        "n": 1, "of": 1, "share": 1.0, "low": 0, "high": 0,
    }  # fmt: skip
    assert proof["by_kind"][0]["group"] == "disturbance"
    assert (proof["kept"]["n"], proof["broken"]) == (1, [])
    assert 0 < proof["busy"] < 1
    assert strict(town.http.get("/audit"))["ok"]


def test_whoever_is_second_gets_a_conflict_and_an_outcome_is_one_of_the_list(town):
    first, second = raised(town, "fight"), raised(town, "fight")
    send = {"units": ["v1"], "reason": "near"}
    assert town.http.post(f"/incidents/{first['id']}/dispatch", json=send).status_code == 200
    refused(town.http.post(f"/incidents/{second['id']}/dispatch", json=send), 409, "conflict")
    refused(town.http.post(f"/incidents/{first['id']}/close", json={"outcome": "fine"}), 422, "bad_input")
    assert strict(town.http.post(f"/incidents/{first['id']}/recall", json={"unit": "v1"}))["state"] == "waiting"
    assert strict(town.http.post(f"/incidents/{first['id']}/close", json={"outcome": "duplicate"}))["unattended"]
    made = strict(town.http.get(f"/incidents/{first['id']}/recommendation"))
    assert (made["reason"], made["chosen"], made["candidates"], made["cover_now"]) == ("closed", [], [], None)
    refused(town.http.post(f"/incidents/{first['id']}/dispatch", json=send), 409, "conflict")
    listed = strict(town.http.get("/incidents?past_hours=1"))["incidents"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("post", "/incidents", {"kind": "dragon", "at": [121.48, 31.22]}, 404),
        ("post", "/incidents", {"kind": "fight", "at": [31.22, 121.48]}, 422),
        ("post", "/incidents", {"kind": "fight", "at": [121.48]}, 422),
        ("post", "/incidents", {"kind": "fight", "at": [121.48, 31.22], "caller": "A"}, 422),
        ("get", "/incidents/none", None, 404),
        ("post", "/units/ghost/status", {"status": "available"}, 404),
        ("post", "/units/v1/status", {"status": "flying"}, 422),
        ("post", "/units/v1/status", {"status": "on_scene"}, 409),
        ("post", "/units/v1/move", {"post": "moon"}, 404),
        ("delete", "/units/v1", None, 409),
        ("post", "/units", {"id": "a b", "kind": "vehicle", "crew": 1, "at": [121.48, 31.22]}, 422),
    ],
)
def test_what_cannot_be_is_refused_in_three_parts(town, verb, path, body, status):
    answer = town.http.request(verb.upper(), path, json=body)
    refused(answer, status, {404: "not_found", 409: "conflict", 422: "bad_input"}[status])
    assert strict(town.http.get("/changes"))["changes"] == []


def test_a_jump_and_the_future_are_refused_one_by_one(town):
    now = town.clock.now()
    lon, lat = at(0, 0)
    told = [
        {"unit": "v1", "at": now.isoformat(), "lon": lon, "lat": lat},
        {"unit": "v2", "at": now.isoformat(), "lon": lon + 0.5, "lat": lat},
        {"unit": "v3", "at": (now + timedelta(hours=1)).isoformat(), "lon": lon, "lat": lat},
        {"unit": "ghost", "at": now.isoformat(), "lon": lon, "lat": lat},
    ]
    made = strict(town.http.post("/units/positions", json={"positions": told}))
    assert (made["taken"], [one["unit"] for one in made["refused"]]) == (1, ["v2", "v3", "ghost"])


def test_a_move_that_gains_cover_is_proposed_and_taken(town):
    made = strict(town.http.get("/reach/cover"))
    assert 0 < made["cover"] <= 1
    assert strict(town.http.post("/units/v1/move", json={"post": "p-4"}))["post"] == "p-4"


def test_the_layer_of_arrival_has_a_number_for_each_cell(town):
    district = strict(town.http.get("/district"))
    cells = np.frombuffer(town.http.get("/reach/cells").content, "<u2")
    assert len(cells) == district["grid"]["n_columns"] * district["grid"]["n_rows"]
    told = cells[cells < 65534]
    assert len(told) > 100
    assert told.min() < 60 <= told.max() <= 300


def test_an_incident_that_is_posted_again_with_its_key_is_answered_by_the_first(town):
    body = {"kind": "fight", "at": at(-400, 100), "note": "two of them"}
    key = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
    first, again = (town.http.post("/incidents", json=body, headers=key) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert len(town.http.get("/incidents").json()["incidents"]) == 1
    other = town.http.post("/incidents", json=body | {"note": "three of them"}, headers=key)
    assert (other.status_code, other.json()["error"]["zh"]["rule"]) == (422, "此键已用于另一请求")
    assert town.http.post("/incidents", json=body).json()["id"] != first.json()["id"]


def test_the_feed_tells_steps_as_changes_and_positions_without_keeping_them(town):
    published, passed = [], []
    town.app.state.hub.publish = lambda kind, content: published.append((kind, content))
    town.app.state.hub.pass_on = lambda kind, content: passed.append((kind, content))
    one = raised(town)
    town.http.post(f"/incidents/{one['id']}/dispatch", json={"units": ["v1"], "reason": "near"})
    lon, lat = at(-300, 0)
    body = {"positions": [{"unit": "v1", "at": town.clock.now().isoformat(), "lon": lon, "lat": lat}]}
    town.http.post("/units/positions", json=body)
    assert [content["kind"] for _, content in published] == ["incident", "assignment", "unit", "incident"]
    assert [kind for kind, _ in passed] == ["units"]
    assert ["v1", round(lon, 6), round(lat, 6)] in [told[:3] for told in passed[0][1]["units"]]


def test_who_has_one_area_sees_and_sends_there_alone(tmp_path):
    town = Town(tmp_path)
    staff = Staff(town.district.store, read_roles(), town.district.pack.areas)
    app = create_app(town.district, staff=staff)
    now = datetime.now(UTC)
    account = staff.open_account("west", "West", None, "test", now)
    office = staff.make_office(NewOffice(name={"en": "w"}, role_ids=("unit_terminal",), area_id="31-w"), "test", now)
    staff.appoint(office.office_id, account.account_id, "test", now)
    other = town.district.reach.raise_incident("fight", *at(400, 0), "desk").incident.incident_id
    own = town.district.reach.raise_incident("fight", *at(-400, 0), "desk").incident.incident_id

    async def asked():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as client:
            entered = await client.post("/enter", json={"link": staff.link(account.account_id, "test", now)})
            client.headers["x-anlan-guard"] = entered.json()["guard"]
            listed = (await client.get("/incidents")).json()["incidents"]
            units = (await client.get("/units")).json()["units"]
            answers = [
                (await client.get(f"/incidents/{other}")).status_code,
                (await client.post("/units/v2/status", json={"status": "out_of_service"})).status_code,
                (await client.post("/units/v1/status", json={"status": "out_of_service"})).status_code,
                (await moved(client, "v1", 300, 0, 0)).status_code,
                (await moved(client, "v1", 320, 0, 60)).status_code,
                (await client.post(f"/incidents/{own}/dispatch", json={"units": ["v1"]})).status_code,
            ]
            return [one["id"] for one in listed], {one["id"] for one in units}, answers

    listed, units, answers = asyncio.run(asked())
    town.district.close()
    assert listed == [own]
    assert units <= {"v1", "f1", "v3"}
    assert "v2" not in units
    assert answers == [403, 403, 200, 200, 200, 403]  # also from beyond the border, a unit of this area reports
