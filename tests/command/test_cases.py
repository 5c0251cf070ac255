import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.command.conftest import served
from tests.command.test_staff import House, code
from tests.matters.conftest import LONG_AGO, PLAYED, ground_point, picture, tall_pack, wide_pack
from tests.matters.playing import Player
from tests.matters.test_keeping import WORDS
from tests.small import LAT, LON

from anlan.cases import OPEN, shipped_types
from anlan.cases.definition import Confidentiality, FieldKind
from anlan.command.access import ROUTES
from anlan.kernel.access import Actor, Grant
from anlan.kernel.records import Draft
from anlan.matters import Asked, NewCase, documents, list_cases, standing, tell_due
from anlan.matters.words import numbers_of
from anlan.papers import verified
from anlan.staff import NewOffice, read_roles
from anlan.store import Keeping, casebook
from anlan.store.records import canonical

ROLES = {role.role_id: role for role in read_roles()}
READING = sorted(name for name, role in ROLES.items() if "cases.read" in role.rights)
SIDES = {"d-w": "d-w-s-w-s", "d-e": "d-e-n-e-n"}
NARROW = {Confidentiality.RESTRICTED, Confidentiality.SEALED}


class CaseHouse(House):
    """The tall district with staff, and a case of each type in each of its two streets."""

    def __init__(self, folder, pack=None):
        super().__init__(folder, pack or tall_pack())
        self.matters = self.district.matters
        self.clock = self.district.clock
        every = self.matters.kinds.rights() | {"cases.read", "cases.act"}
        grant = Grant(role_id="", area_id="d", from_at=LONG_AGO)
        self.anybody = standing(
            self.staff.access, Actor(actor_id="maker", grants=(grant,), rights=frozenset(every)), datetime.now(UTC)
        )

    def give(self, account_id, role_id, area_id):
        """Give an account another office."""
        now = datetime.now(UTC)
        office = NewOffice(name={"en": role_id}, role_ids=(role_id,), area_id=area_id)
        self.staff.appoint(self.staff.make_office(office, "test", now).office_id, account_id, "test", now)

    def whisper(self, case_id, private):
        """Let a case hold what later steps would fill in, for the readers of these fields alone."""
        with self.district.store.writing() as connection:
            row = casebook.row_of(connection, case_id)
            (line,) = casebook.steps_of(connection, [row["case_no"]])[row["case_no"]]
            told = canonical(json.loads(line["filled"]) | private)
            casebook.rewrite_steps(connection, row["case_no"], [line | {"filled": told}])
            casebook.add_words(connection, row["case_no"], numbers_of(private.values()))

    def run(self, case_id, action):
        """Let an event have a plan whose trigger fired, and a rehearsal, each saying a secret."""
        row = {"zone": "A", "measure": "occupancy", "above": 5, "for_min": 1, "action": action, "office": "gate"}
        ground = {"zone": "A", "ground": "place:quay", "capacity": 9, "area_m2": 9, "most_per_m2": 4}
        with self.district.store.writing() as connection:
            number = casebook.row_of(connection, case_id)["case_no"]
            (line,) = casebook.steps_of(connection, [number])[number]
            told = canonical(json.loads(line["filled"]) | {"zones": [ground], "triggers": [row]})
            casebook.rewrite_steps(connection, number, [line | {"filled": told}])
        at = self.clock.now().isoformat()
        body = {"case": case_id, "row": 1, "measure": "occupancy", "above": 5, "since_at": at, "at": at, "highest": 9,
                "ended_at": None}  # fmt: skip
        fired = Draft(
            kind="trigger", record_id=f"f-{case_id}", action="fire", actor="t", body=body, expected_version=None
        )
        made = self.district.underway._apply([fired], self.clock.now())
        whole = {**dict.fromkeys(("scenario", "begin_at", "end_at", "begins_at", "ends_at"), at), "clearance": None,
                 "share": 1.0, "crowd": 1.0, "day": {"zh": "日", "en": "d"},
                 "n_expected": 9, "cut": False, "minutes": [at], "zones": []}  # fmt: skip
        fires = {"zone": "A", "measure": "occupancy", "above": 5, "for_s": 60, "highest": 9, "fired": [], "row": 1}
        whole["triggers"] = [fires | {"action": action, "office": "gate"}]
        wish = {"scenario": "", "share": 1.0, "crowd": 1.0, "seed": 1}
        kept = {"case": case_id, "made_at": at, "actor": "t", "wish": wish, "told": whole}
        self.district.store.keep([Keeping(kind="rehearsal", key=f"{case_id}-r", body=kept)])
        return made

    def fill(self):
        """Open the cases; remember where each lies, its type, and each secret with the field it stands in."""
        self.cases = {}
        self.narrow_names = {name for kind in PLAYED for name, one in kind.fields.items() if one.readers or one.own}
        for side, home in SIDES.items():
            for kind in PLAYED:
                secrets = {"note": f"note-{side}-{kind.type_id}"}
                filled = {}
                for name, one in kind.fields.items():
                    if one.kind is FieldKind.TEXT:
                        filled[name] = secrets[name] = f"{name}-{side}-{kind.type_id}"
                    elif one.required:
                        filled[name] = WORDS[one.kind](one)
                files = {}
                if kind.evidence:
                    files[min(kind.evidence)] = self.matters.room.put(picture(f"{side} {kind.type_id}"), "maker")
                area_id = list(self.matters.ground.lies(home).values())
                new = NewCase(
                    type_id=kind.type_id, filled=filled, evidence=files, note=secrets["note"],
                    area_id=home if kind.entry_level != "district" else area_id[0],
                )  # fmt: skip
                later = [name for name in filled if name not in kind.told_at_opening]
                private = {name: filled.pop(name) for name in later}
                made = self.matters.open(new, self.anybody)
                self.whisper(made.case_id, private)
                if kind.live is not None:
                    secrets["triggers"] = f"action-{side}-{kind.type_id}"
                    self.run(made.case_id, secrets["triggers"])
                self.cases[made.case_id] = (side, kind, secrets, files, made.area_id)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = CaseHouse(tmp_path_factory.mktemp("cases"))
    made.fill()
    with served(made.app) as made.url:
        yield made
    made.district.close()


def allowed(house, role_id, area_id):
    """What a role in an area may see by the words of the types and the roles, worked out apart from the code."""
    role, seen, texts = ROLES[role_id], set(), set()
    for case_id, (_, kind, secrets, _, lies) in house.cases.items():
        areas = {area.area_id for area in house.district.pack.areas.path(lies)}
        here = area_id in areas
        mine = {right.rsplit(".", 1)[1] for right in role.rights if right.startswith(f"cases.{kind.type_id}.") and here}
        reads = here or role.rights["cases.read"] == "district"
        if not reads or (kind.confidentiality in NARROW and not mine & kind.readers):
            continue
        seen.add(case_id)
        for name, text in secrets.items():
            if name != "note" and kind.fields[name].own:
                continue  # the maker wrote it, and none of those who ask here is the maker
            if name == "note" or not kind.fields[name].readers or mine & kind.fields[name].readers:
                texts.add(text)
    return seen, texts


def answers(house, client):
    """Ask every reading route of cases in every way that could tell something."""
    yield "list", client.get("/cases", params={"limit": 200}).text
    yield "counts", client.get("/cases/counts").text
    yield "mine", client.get("/cases", params={"mine": True, "limit": 200}).text
    yield "told", client.get("/cases/told", params={"hours": 8000}).text
    yield "types", client.get("/cases/types").text
    for first in ("2026-12-31", "2027-01-31"):
        last = f"{date.fromisoformat(first) + timedelta(days=30)}"
        yield "calendar", client.get("/cases/calendar", params={"first": first, "last": last}).text
    yield "around", client.get("/cases", params={"near": f"{LON},{LAT}", "within_m": 2000, "limit": 200}).text
    for kind in PLAYED:
        yield f"type {kind.type_id}", client.get(f"/cases/types/{kind.type_id}").text
        yield "export", client.get("/cases/export", params={"type": kind.type_id}).text
    for case_id, (_, _, _, files, _) in house.cases.items():
        yield f"case {case_id}", client.get(f"/cases/{case_id}").text
        yield f"history {case_id}", client.get(f"/cases/{case_id}/history").text
        for digest in files.values():
            yield f"file {case_id}", client.get(f"/cases/{case_id}/files/{digest}").status_code
        yield f"papers {case_id}", client.get(f"/cases/{case_id}/papers").text
        yield f"letter {case_id}", client.get(f"/cases/{case_id}/papers/letter").text
        for part in ("live", "counted", "rehearsals", "rehearsals/going"):
            yield f"{part} {case_id}", client.get(f"/cases/{case_id}/{part}").text
        if house.cases[case_id][1].live is not None:
            record = client.get(f"/cases/{case_id}/rehearsals/{case_id}-r/record", params={"form": "docx"})
            yield f"record {case_id}", record.status_code
    yield "firings", client.get("/firings", params={"past_hours": 720}).text
    yield "references", client.get("/cases/references").text
    yield f"part of {case_id}", client.get("/cases", params={"parent": case_id}).text
    # Each field that some may not read is sought by itself; the others need be sought but once.
    for name in sorted(house.narrow_names | {"note", "what"}):
        yield f"search {name}", client.get("/cases", params={"q": name, "limit": 200}).text


@pytest.mark.parametrize("area", ["d", "d-w"])
@pytest.mark.parametrize("role", READING)
def test_no_route_tells_what_a_role_in_an_area_may_not_see(house, role, area):
    seen, texts = allowed(house, role, area)
    with house.as_role(role, area) as client:
        for asked, answer in answers(house, client):
            if isinstance(answer, int):
                assert (answer == 200) == (asked.split()[1] in seen), asked
                continue
            for case_id, (_, _, secrets, _, _) in house.cases.items():
                if case_id not in seen and case_id not in asked:
                    assert case_id not in answer, asked
                for name, text in secrets.items():
                    assert text in texts or text not in answer, (asked, text)
                    if asked == f"search {name}" and text in texts:
                        assert case_id in answer, (asked, case_id)
        listed = {one["id"] for one in client.get("/cases", params={"limit": 200}).json()["cases"]}
        n_counted = sum(one["n_cases"] for one in client.get("/cases/counts").json()["counts"])
    assert listed == seen
    assert n_counted == len(seen)


@pytest.mark.parametrize("role", ["commander", "analyst", "supervisor", "street_lead"])
def test_nobody_above_reads_a_mediation_or_a_crisis(house, role):
    with house.as_role(role) as client:
        for case_id, (_, kind, _, _, _) in house.cases.items():
            narrow = kind.type_id in {"mediation", "co_response"}
            assert client.get(f"/cases/{case_id}").status_code == (404 if narrow else 200)


def test_private_notes_are_for_the_mediator_alone_who_wrote_them(house):
    (case_id, told), *_ = ((one, told) for one, told in house.cases.items() if told[1].type_id == "mediation")
    notes = told[2]["private_notes"]
    for role in ("mediation_registrar", "mediator"):
        with house.as_role(role) as client:
            fields = client.get(f"/cases/{case_id}").json()["fields"]
            assert "kind" in fields
            assert "private_notes" not in fields
            assert notes not in client.get(f"/cases/{case_id}/history").text
            assert client.get("/cases", params={"q": notes}).json()["cases"] == []
    assert house.matters.read(case_id, house.anybody).fields["private_notes"] == notes
    found = list_cases(house.matters, Asked(sought=notes), house.anybody).cases
    assert case_id in {one.case.case_id for one in found}


def test_reading_a_restricted_case_is_a_line_of_the_log(house):
    case_id = next(one for one, told in house.cases.items() if told[1].type_id == "mediation")
    with house.as_role("mediator") as client:
        before = len(house.district.store.changes(kind="case_read", limit=100_000))
        client.get(f"/cases/{case_id}")
        me = client.get("/me").json()["account"]["id"]
    made = house.district.store.changes(kind="case_read", limit=100_000)[before:]
    assert [(one.record_id, one.actor, one.body) for one in made] == [(case_id, me, {"type": "mediation"})]


def test_an_office_that_has_ended_sees_nothing(house):
    now = datetime.now(UTC)
    ended = Grant(role_id="intake_desk", area_id="d", from_at=now - timedelta(days=9), until_at=now - timedelta(days=1))
    who = standing(house.staff.access, Actor(actor_id="gone", grants=(ended,)), now)
    assert not any(house.matters.sees(who, case_id) for case_id in house.cases)


@pytest.mark.parametrize(
    ("role", "area", "told"),
    [
        ("mediator", "d-w", [True, False]),
        ("mediator", "d-e", [False, True]),
        ("intake_desk", "d-e", [False, True]),
        ("commander", "d", [False, True]),
        ("engineer", "d", [False, False]),
    ],
)
def test_the_live_feed_tells_of_a_case_to_whoever_may_see_it(fresh, role, area, told):
    mediation = NewCase(type_id="mediation", area_id="d-w-s-w", filled={"kind": "rent"})
    filled = {"kind": "road", "source": "web", "what": "hole"}
    request = NewCase(type_id="resident_request", area_id=SIDES["d-e"], filled=filled)
    begun = fresh.app.state.hub._last_id
    made = [fresh.matters.open(one, fresh.anybody).case_id for one in (mediation, request)]
    fresh.app.state.hub.publish("clock", {"now": "last"})
    text = ""
    asked = {"last_event_id": begun}
    with fresh.as_role(role, area) as client, client.stream("GET", "/live", params=asked) as stream:
        for chunk in stream.iter_text():
            text += chunk
            if '"now":"last"' in text:
                break
    assert [case_id in text for case_id in made] == told


@pytest.mark.parametrize(
    ("role", "area", "told"),
    [("planner", "d-w", True), ("commander", "d", True), ("planner", "d-e", False), ("engineer", "d", False)],
)
def test_the_live_feed_tells_of_a_firing_to_whoever_may_see_its_case(fresh, role, area, told):
    filled = {
        "title": "lanterns", "kind": "festival", "organised": False, "venue": "quay", "n_expected": 9,
        "begins_at": "2026-05-01T08:00:00+08:00", "ends_at": "2026-05-01T09:00:00+08:00",
    }  # fmt: skip
    new = NewCase(type_id="planned_event", area_id="d-w", filled=filled)
    case_id = fresh.matters.open(new, fresh.anybody).case_id
    begun = fresh.app.state.hub._last_id
    fresh.district._tell_changes(fresh.run(case_id, "hold the gate"))
    fresh.app.state.hub.publish("clock", {"now": "last"})
    text = ""
    with fresh.as_role(role, area) as client, client.stream("GET", "/live", params={"last_event_id": begun}) as stream:
        for chunk in stream.iter_text():
            text += chunk
            if '"now":"last"' in text:
                break
    assert ('"kind":"trigger"' in text and case_id in text) is told
    assert (case_id in text) is told


# -- the whole way through HTTP ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    made = CaseHouse(tmp_path_factory.mktemp("fresh"))
    with served(made.app) as made.url:
        yield made
    made.district.close()


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    made = CaseHouse(tmp_path_factory.mktemp("wide"), wide_pack())
    with served(made.app) as made.url:
        yield made
    made.district.close()


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
    assert "'=HYPERLINK(1)" in {one["what"] for one in rows}
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


@pytest.mark.parametrize("role", ["grid_lead", "street_lead", "mediator"])
def test_no_indicator_tells_of_areas_or_single_mediations_of_others(house, role):
    before = house.clock.now()
    house.clock.set(datetime(2027, 4, 2, tzinfo=UTC))
    with house.as_role(role, "d-w") as client:
        for one in client.get("/indicators").json()["indicators"]:
            asked = f"/indicators/{one['id']}"
            assert code(client.get(asked, params={"area": "d-e"})) == (404, "not_found")
            assert code(client.get(f"{asked}/cases")) == (404, "not_found")
            told = client.get(asked, params={"area": "d-w"})
            if told.status_code == 422:  # it is told for the whole district only
                continue
            listed = client.get(f"{asked}/cases", params={"area": "d-w"}).json()["cases"]
            assert {house.cases[each["id"]][0] for each in listed} <= {"d-w"}
            narrow = {"mediation", "co_response"} & set(one["sources"])
            if narrow and role != "mediator":
                assert (told.json()["whole"]["n"], listed) == (None, [])
        assert code(client.get("/indicators/public")) == (403, "not_allowed")
        assert code(client.get("/indicators/bulletin", params={"month": "2027-03"})) == (404, "not_found")
    house.clock.set(before)


def test_what_is_published_is_got_over_http(house):
    with house.as_role("analyst") as client:
        numbers = client.get("/indicators/public").json()["numbers"]
        text = client.get("/indicators/public", params={"form": "csv"}).text
    assert len(text.splitlines()) == len(numbers) + 1
    assert {one["area"] for one in numbers} >= {"d", "d-w", "d-e"}


def test_a_type_tells_all_that_a_form_needs_in_the_version_that_is_asked_for(fresh):
    with fresh.as_role("planner") as planner:
        listed = {one["id"]: one for one in planner.get("/cases/types").json()["types"]}
        told = planner.get("/cases/types/planned_event", params={"version": 2}).json()
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


def test_every_route_of_cases_was_asked():
    asked = {"/cases", "/cases/counts", "/cases/export", "/cases/types", "/cases/told", "/cases/{case_id}",
             "/cases/{case_id}/history", "/cases/{case_id}/files/{digest}", "/cases/{case_id}/papers",
             "/cases/{case_id}/papers/{document}", "/cases/types/{type_id}", "/cases/calendar", "/cases/references",
                 "/cases/{case_id}/live", "/cases/{case_id}/counted", "/cases/{case_id}/rehearsals", "/firings",
                 "/cases/{case_id}/rehearsals/going",
                 "/cases/{case_id}/rehearsals/{rehearsal_id}/record",
             "/indicators", "/indicators/public", "/indicators/bulletin", "/indicators/{indicator_id}",
             "/indicators/{indicator_id}/cases"}  # fmt: skip
    reading = {path for (method, path), (right, _) in ROUTES.items() if right == "cases.read" and method == "GET"}
    assert reading == asked


@pytest.mark.parametrize(
    "after", ["9223372036854775808.1", "-9223372036854775809.1", "1", "x.1", "1.x", "9" * 30 + ".1"]
)
def test_a_page_is_gone_on_from_only_where_one_ended(house, after):
    with house.as_role("commander") as client:
        answer = client.get("/cases", params={"after": after})
    assert answer.status_code == 422
    assert "must be the next of a page" in answer.text
