"""The whole way of a case through HTTP."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.command.case_house import ROLES, SIDES, opened
from tests.command.test_staff import code
from tests.matters.conftest import PLAYED, ground_point, picture, wide_pack
from tests.matters.playing import Player

from anlan.cases import OPEN, shipped_types
from anlan.matters import documents, tell_due
from anlan.papers import verified
from anlan.staff import NewOffice


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("fresh")) as made:
        yield made


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("wide"), wide_pack()) as made:
        yield made


def role_for(kind, role):
    """Return a shipped role of staff that holds a role of a type."""
    return next(one for one, told in ROLES.items() if f"cases.{kind.type_id}.{role}" in told.rights)


def test_some_role_of_staff_holds_each_role_of_each_type():
    missing = [
        (kind.type_id, role) for kind in shipped_types() for role in kind.roles
        if not any(f"cases.{kind.type_id}.{role}" in told.rights for told in ROLES.values())
    ]  # fmt: skip
    unknown = [
        right for told in ROLES.values() for right in told.rights
        if right.count(".") == 2 and right.split(".")[2] not in shipped_types().get(right.split(".")[1]).roles
    ]  # fmt: skip
    assert (missing, unknown) == ([], [])


class Stage(Player):
    """Plays examples through HTTP: each person of each type signs in, with an office for each of their roles."""

    def __init__(self, house):
        self.house, self.clients, self.signed_in, self.held, self.units = house, {}, [], set(), {}
        self.areas = house.matters.ground.lies(SIDES["d-w"])

    def client(self, kind, by):
        if (kind.type_id, by) not in self.clients:
            signing = self.house.as_role("hotline", "d-e-n-e-n")  # an office elsewhere, to sign in with
            self.signed_in.append(signing)
            self.clients[kind.type_id, by] = signing.__enter__()
        return self.clients[kind.type_id, by]

    def holder(self, kind, trial, level):
        """Return the client of whoever a line is by, who holds its role in the area of a level, for its unit."""
        client, role = self.client(kind, trial.by), role_for(kind, trial.role)
        held = (kind.type_id, trial.by, role, level)
        if held not in self.held:
            self.held.add(held)
            account = client.get("/me").json()["account"]["id"]
            if trial.unit == "unit":
                self.house.give(account, role, self.areas[level])
            else:
                office = self.house.staff.office(self.unit(kind, trial.unit))
                if account not in {one.account_id for one in office.holdings}:
                    deputy = bool(office.holdings)
                    self.house.staff.appoint(office.office_id, account, "test", datetime.now(UTC), deputy=deputy)
        return client

    def unit(self, kind, name):
        """Return the one office of a unit, in which the first person is its head, and the others are deputies."""
        if (kind.type_id, name) not in self.units:
            lines = [one for one in kind.example if one.unit == name]
            roles = tuple(sorted({role_for(kind, one.role) for one in lines}))
            area = self.areas[lines[0].level or kind.entry_level]
            made = self.house.staff.make_office(NewOffice(name={"en": name}, role_ids=roles, area_id=area), "test",
                                                datetime.now(UTC))  # fmt: skip
            self.units[kind.type_id, name] = made.office_id
        return self.units[kind.type_id, name]

    def filled(self, kind, trial):
        """Return what a line fills in, as JSON has it: units are offices there."""
        # TOML knows dates and JSON does not; where an example gives one instead of a text, it wants to be refused.
        told = {name: [one.year] if isinstance(one, date) else one for name, one in trial.filled.items()}
        return told | {name: self.unit(kind, told[name]) for name in kind.unit_fields & set(told)}

    def do(self, kind, k, played, parent_id):
        trial = kind.example[k]
        self.house.clock.set(trial.at)
        client = self.holder(kind, trial, "district" if parent_id else trial.level or kind.entry_level)
        files = {
            name: client.post("/cases/files", content=picture(f"{kind.type_id}{k}{name}")).json()["digest"]
            for name in trial.evidence
        }
        body = {"filled": self.filled(kind, trial), "evidence": files, "note": trial.note}
        if trial.do == OPEN:
            opening = {"type": kind.type_id, "area": SIDES["d-w"], "parent": parent_id}
            made = client.post("/cases", json=body | opening)
        else:
            made = client.post(f"/cases/{played.case_id}/steps", json=body | {"step": trial.do})
        if made.status_code < 300:
            played.case_id, played.state = made.json()["id"], made.json()["state"]
        return code(made)[1] or ""

    def link(self, kind, at, played, other_id):
        self.house.clock.set(at)
        opener = kind.example[0]
        client = self.holder(kind, opener, "district")
        self.house.give(client.get("/me").json()["account"]["id"], role_for(kind, opener.role), "d")
        made = client.post(f"/cases/{played.case_id}/links/{other_id}")
        assert made.status_code == 200, made.text

    def close(self):
        for one in self.signed_in:
            one.__exit__(None, None, None)


@pytest.mark.parametrize("type_id", [one.type_id for one in PLAYED])
def test_every_type_runs_from_its_opening_to_its_end_among_ten_thousand_micro_grids(wide, type_id):
    kind, stage = shipped_types().get(type_id), Stage(wide)
    played = stage.play(kind)
    assert played.codes == [one.refused for one in kind.example]
    assert kind.states[played.state].closed
    asked = f"/cases/{played.case_id}"
    reader = next(one for one in stage.clients.values() if one.get(asked).status_code == 200)
    seen = reader.get(asked).json()
    assert (seen["state"], seen["closed"], seen["light"]) == (played.state, True, "none")
    assert len(reader.get(f"{asked}/history").json()["history"]) == seen["n_changes"]
    stage.close()


def request_of(client, **more):
    filled = {"kind": "light", "source": "hotline", "what": "弄堂口两盏路灯不亮"} | more
    body = {"type": "resident_request", "area": SIDES["d-w"], "filled": filled}
    return client.post("/cases", json=body).json()["id"]


def test_whoever_was_slower_is_told_what_the_other_did(fresh):
    with fresh.as_role("intake_desk") as one, fresh.as_role("intake_desk", "d-w") as other:
        case_id = request_of(one)
        assert one.post(f"/cases/{case_id}/steps", json={"step": "assign", "seen": 1}).status_code == 200
        answer = other.post(f"/cases/{case_id}/steps", json={"step": "assign", "seen": 1})
        assert code(answer) == (409, "conflict")
        assert "since then: assign to assigned" in answer.json()["error"]["rule"]


def test_the_next_steps_are_those_that_one_may_try(fresh):
    with fresh.as_role("intake_desk") as desk, fresh.as_role("commander") as commander:
        case_id = request_of(desk)
        assert [one["id"] for one in desk.get(f"/cases/{case_id}").json()["steps"]] == [
            "assign", "confer", "forward", "merge",
        ]  # fmt: skip
        assert commander.get(f"/cases/{case_id}").json()["steps"] == []


@pytest.mark.parametrize("words", ["豫园", "路灯", "lamp", "LAMPS", "路灯 lamps", "豫园路"])
def test_two_characters_are_enough_to_find_a_case(fresh, words):
    with fresh.as_role("intake_desk") as desk:
        case_id = request_of(desk, what="豫园路口路灯不亮, lamps are out")
        found = desk.get("/cases", params={"q": words, "limit": 200}).json()["cases"]
        assert case_id in {one["id"] for one in found}
        nothing = desk.get("/cases", params={"q": "园豫"}).json()["cases"]
        assert nothing == []


def test_an_export_is_safe_to_open_and_is_logged(fresh):
    with fresh.as_role("intake_desk") as desk:
        request_of(desk, what="=HYPERLINK(1)")
        text = desk.get("/cases/export", params={"type": "resident_request"}).text
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        me = desk.get("/me").json()["account"]["id"]
        worded = desk.get("/cases/export", params={"type": "resident_request", "lang": "zh"}).text
        assert code(desk.get("/cases/export", params={"lang": "fr"})) == (422, "bad_input")
    assert "'=HYPERLINK(1)" in {one["what"] for one in rows}
    assert worded.splitlines()[0].startswith("\ufeff事项编号,类型,类型（代码）,")
    assert [one.actor for one in fresh.district.store.changes(kind="case_export", limit=10_000)][-1] == me


def test_where_it_would_go_and_why_can_be_asked_first(fresh):
    with fresh.as_role("intake_desk") as desk:
        asked = {"type": "resident_request", "area": SIDES["d-w"], "filled": {"kind": "safety"}}
        told = desk.post("/cases/route", json=asked).json()
        usual = desk.post("/cases/route", json=asked | {"filled": {"kind": "road"}}).json()
    assert (told["owner_area"], told["rules"][-1]["missed"]) == ("d-w", "")
    assert (usual["owner_area"], usual["rules"][-1]["missed"]) == ("d-w-s", "not so: kind == 'safety'")


def test_a_file_is_sent_read_and_refused(fresh):
    with fresh.as_role("intake_desk") as desk:
        assert code(desk.post("/cases/files", content=b"#!/bin/sh")) == (422, "bad_input")
        assert code(desk.post("/cases/files", content=b"")) == (422, "bad_input")
        large = desk.post("/cases/files", content=b"\x89PNG\r\n\x1a\n" + bytes(30_000_000))
        assert code(large)[0] == 413
        digest = desk.post("/cases/files", content=picture("one")).json()["digest"]
        body = {"type": "resident_request", "area": SIDES["d-w"], "evidence": {"photo_before": digest},
                "filled": {"kind": "light", "source": "counter", "what": "dark"}}  # fmt: skip
        case_id = desk.post("/cases", json=body).json()["id"]
        answer = desk.get(f"/cases/{case_id}/files/{digest}")
        assert answer.headers["content-type"] == "image/png"
        assert code(desk.get(f"/cases/{request_of(desk)}/files/{digest}")) == (404, "not_found")


def test_what_a_clock_told_reaches_the_areas_it_is_for(fresh):
    with fresh.as_role("grid_worker", "d-e-n-e-n") as patrol:
        body = {"type": "hazard", "area": SIDES["d-e"], "filled": {"kind": "barrier", "source": "patrol"}}
        case_id = patrol.post("/cases", json=body).json()["id"]
    fresh.clock.set(fresh.clock.now() + timedelta(hours=3))
    tell_due(fresh.matters, fresh.clock.now())
    heard = {}
    for area in ("d-e", "d-e-n", "d-w"):
        with fresh.as_role("street_lead", area) as client:
            told = client.get("/cases/told", params={"hours": 4}).json()["told"]
            heard[area] = [(one["area"], one["share"]) for one in told if one["case"] == case_id]
    assert heard == {"d-e": [("d-e", 1.0), ("d-e-n", 0.5)], "d-e-n": [("d-e-n", 0.5)], "d-w": []}


def test_a_sheet_comes_in_over_http_with_offices_by_their_names(fresh):
    office = NewOffice(name={"zh": "西街平安办", "en": "West safety"}, role_ids=("responsible_unit",), area_id="d-w")
    office_id = fresh.staff.make_office(office, "test", datetime.now(UTC)).office_id
    heads = "任务编号,任务名称,完成标准,责任单位,完成期限,区域\n"
    asked = {"type": "programme_task", "file": "tasks.csv"}
    with fresh.as_role("planner") as planner:
        wrong = heads + "1,a,m,西街平安办,2026-09-30,d-w\n2,b,m,nobody,2026-09-30,d-w\n"
        told = planner.post("/cases/import", params=asked, content=wrong.encode()).json()
        assert [(one["row"], one["value"]) for one in told["faults"]] == [(3, "responsible_unit='nobody'")]
        assert told["opened"] == []
        right = wrong.replace("nobody", "West safety").encode()
        assert planner.post("/cases/import", params=asked | {"dry_run": True}, content=right).json()["opened"] == []
        opened = planner.post("/cases/import", params=asked, content=right).json()["opened"]
        assert {planner.get(f"/cases/{one}").json()["fields"]["responsible_unit"] for one in opened} == {office_id}


def test_running_cases_are_moved_by_whoever_holds_a_role_everywhere(fresh):
    with fresh.as_role("intake_desk") as desk, fresh.as_role("intake_desk", "d-w") as west:
        body = {"type": "resident_request", "to": 2, "dry_run": True}
        assert desk.post("/cases/migrate", json=body).json() == {"to": 2, "n_cases": 0, "misfits": [], "n_moved": 0}
        assert code(west.post("/cases/migrate", json=body)) == (403, "not_allowed")
        assert code(desk.post("/cases/migrate", json=body | {"to": 7})) == (404, "not_found")


def test_a_certificate_is_got_over_http_and_verified_by_nobody_in_particular(fresh):
    stage, kind = Stage(fresh), shipped_types().get("certification")
    played = stage.play(kind, until="certified")
    certifier = stage.clients["certification", "post-c"]
    asked = f"/cases/{played.case_id}/papers"
    assert certifier.get(asked).json()["papers"][0]["missed"] == ""
    for form, begins in (("pdf", b"%PDF"), ("docx", b"PK")):
        answer = certifier.get(f"{asked}/certificate", params={"form": form, "lang": "en"})
        assert (answer.status_code, answer.content[: len(begins)]) == (200, begins)
    assert code(certifier.get(f"{asked}/plate")) == (404, "not_found")
    with fresh.district.store.reading() as connection:
        _, case, _ = fresh.matters.load(connection, played.case_id)
    on_paper = documents.code_of(fresh.matters, kind, case, "certificate")
    with fresh.asking() as nobody:
        told = nobody.get("/papers/verify", params={"code": on_paper}).json()
        assert (told["stands"], told["told"]["case"]) == (True, played.case_id)
        assert code(nobody.get("/papers/verify", params={"code": on_paper[:-4] + "AAAA"})) == (403, "not_allowed")
        assert verified(on_paper, bytes.fromhex(nobody.get("/papers/key").json()["key"])).told == told["told"]
    stage.close()


def test_a_type_tells_all_that_a_form_needs_in_the_version_that_is_asked_for(fresh):
    with fresh.as_role("planner") as planner:
        listed = {one["id"]: one for one in planner.get("/cases/types").json()["types"]}
        told = planner.get("/cases/types/planned_event", params={"version": 4}).json()
        assert told == listed["planned_event"]
        assert code(planner.get("/cases/types/planned_event", params={"version": 99})) == (404, "not_found")
        assert code(planner.get("/cases/types/none")) == (404, "not_found")
    zones = next(one for one in told["fields"] if one["id"] == "zones")
    assert [one["kind"] for one in zones["columns"]][:3] == ["text", "text", "integer"]
    assert [one["refers"] for one in zones["columns"]][:3] == [None, "ground", None]
    assert told["runs"]
    assert {"triggers", "headings"} <= set(told["carried"])
    assert next(one for one in told["fields"] if one["id"] == "n_triggered")["counted"]
    assert "zones" in told["opening"]
    assert "authority" not in told["opening"]
    assert told["children"] == ["hazard"]
    assert {"step": "permit_major", "type": "decision_assessment"}.items() <= told["gates"][0].items()


def test_a_history_names_the_office_and_a_case_its_files(fresh):
    with fresh.as_role("intake_desk") as desk:
        digest = desk.post("/cases/files", content=picture("one more")).json()["digest"]
        body = {"type": "resident_request", "area": SIDES["d-w"], "evidence": {"photo_before": digest},
                "filled": {"kind": "light", "source": "counter", "what": "dark"}}  # fmt: skip
        case_id = desk.post("/cases", json=body).json()["id"]
        (line,) = desk.get(f"/cases/{case_id}/history").json()["history"]
        (file,) = desk.get(f"/cases/{case_id}").json()["files"]
    assert line["unit_name"] == {"en": "intake_desk"}
    assert {"zh": "受理岗", "en": "intake desk"} in line["roles"]
    assert (file["digest"], file["media_type"]) == (digest, "image/png")


def test_a_calendar_counts_what_is_due_by_day(fresh):
    with fresh.as_role("intake_desk") as desk:
        due = desk.get(f"/cases/{request_of(desk)}").json()["due_at"]
        on = datetime.fromisoformat(due).astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
        answer = desk.get("/cases/calendar", params={"first": on, "last": on})
        assert answer.status_code == 200, answer.text
        (day,) = answer.json()["days"]
        until = f"{date.fromisoformat(on) + timedelta(days=1)}T00:00:00+08:00"
        span = {"due_from": f"{on}T00:00:00+08:00", "due_before": until, "limit": 200}
        listed = desk.get("/cases", params=span).json()["cases"]
        assert code(desk.get("/cases/calendar", params={"first": on, "last": "2031-01-01"})) == (422, "bad_input")
    assert (day["on"], sum(day["n_due"].values())) == (on, len(listed))
    assert {one["id"] for one in day["due"]} <= {one["id"] for one in listed}


def test_what_lies_near_a_point_is_asked_in_metres(fresh):
    lon, lat = ground_point(SIDES["d-w"])
    with fresh.as_role("intake_desk") as desk:
        body = {"type": "resident_request", "lon": lon, "lat": lat,
                "filled": {"kind": "road", "source": "counter", "what": "hole"}}  # fmt: skip
        case_id = desk.post("/cases", json=body).json()["id"]
        asked = {"near": f"{lon},{lat + 4e-4}", "closed": False}  # some 44 m to the north
        near, far = (desk.get("/cases", params=asked | {"within_m": m}).json()["cases"] for m in (50, 40))
        for nowhere in ("here", "nan,nan", "inf,0", "1,2,3", "0,91", ""):
            assert code(desk.get("/cases", params={"near": nowhere})) == (422, "bad_input"), nowhere
    assert [(one["id"], one["lon"]) for one in near] == [(case_id, lon)]
    assert far == []


def test_the_tree_of_areas_names_parents_first(fresh):
    with fresh.as_role("hotline") as anybody:
        areas = anybody.get("/areas").json()["areas"]
    assert len(areas) == len(fresh.district.pack.areas)
    seen = set()
    for one in areas:
        assert one["parent"] in seen or one["parent"] is None
        seen.add(one["id"])


@pytest.mark.parametrize(
    "after", ["9223372036854775808.1", "-9223372036854775809.1", "1", "x.1", "1.x", "9" * 30 + ".1"]
)
def test_a_page_is_gone_on_from_only_where_one_ended(fresh, after):
    with fresh.as_role("commander") as client:
        answer = client.get("/cases", params={"after": after})
    assert answer.status_code == 422
    assert "must be the next of a page" in answer.text
