"""Nobody is told of a case, by any route, what their role in their area may not see."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.command.case_house import NARROW, READING, ROLES, SIDES, opened
from tests.command.test_staff import code
from tests.matters.conftest import PLAYED
from tests.small import LAT, LON

from anlan.command.access import ROUTES
from anlan.kernel.access import Actor, Grant
from anlan.matters import Asked, NewCase, list_cases, standing


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("cases")) as made:
        made.fill()
        yield made


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("fresh")) as made:
        yield made


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
        yield "export in words", client.get("/cases/export", params={"type": kind.type_id, "lang": "zh"}).text
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
