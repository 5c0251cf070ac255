"""Papers, sheets and moves to a new version on the pages of cases; and how soon a small map shows its streets."""

import io
from datetime import timedelta
from pathlib import Path

import docx
import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit
from tests.browser.test_cases_page import HOME, Desk, desk, seen  # noqa: F401 - fixtures
from tests.command.conftest import served
from tests.matters.conftest import ground_point
from tests.waiting import PATIENCE_S

from anlan.cases.library import shipped_text
from anlan.matters import documents, kinds

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVENT = {
    "title": "Lantern walk", "kind": "festival", "organised": True, "guard_class": "activity", "venue": "quay",
    "n_expected": 900, "begins_at": "2026-03-01T10:00:00Z", "ends_at": "2026-03-01T14:00:00Z",
}  # fmt: skip


def saved(visit, name):
    """Press a button and return the file that comes."""
    with visit.page.expect_download() as got:
        visit.find(name).click()
    return Path(got.value.path()).read_bytes(), got.value.suggested_filename


def planned(at, **more):
    made = at.http.post("/cases", json={"type": "planned_event", "area": "d-w", "filled": EVENT | more})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def test_a_paper_waits_for_its_state_and_is_then_issued_in_both_forms(desk, seen):  # noqa: F811
    case_id = planned(desk)
    visit = seen(f"#/cases/{case_id}")
    waits = visit.find("paper-plan")
    waits.get_by_text("given in:").wait_for()
    expect(visit.find("issue-plan-pdf")).to_have_count(0)
    desk.step(case_id, "plan")
    visit.find("issue-plan-pdf").wait_for()
    content, name = saved(visit, "issue-plan-pdf")
    assert content.startswith(b"%PDF")
    assert name == f"plan-{case_id}.pdf"
    written = docx.Document(io.BytesIO(saved(visit, "issue-plan-docx")[0]))
    cells = [cell.text for table in written.tables for row in table.rows for cell in row.cells]
    assert "Lantern walk" in "\n".join([*(one.text for one in written.paragraphs), *cells])
    lines = desk.district.store.changes(kind="case")
    assert [one.body["form"] for one in lines if one.action == "issue"] == ["pdf", "docx"]


def test_a_code_on_paper_is_checked(desk, seen):  # noqa: F811
    case_id = planned(desk)
    matters = desk.district.matters
    with matters.store.reading() as connection:
        kind, case, _ = matters.load(connection, case_id)
    code = documents.code_of(matters, kind, case, "plan")
    visit = seen("#/cases/check")
    visit.find("paper-code").fill(code)
    visit.find("check-code").click()
    visit.find("verified").get_by_text("Its case has moved on").wait_for()  # it is announced, and not planned yet
    desk.step(case_id, "plan")
    visit.find("check-code").click()
    visit.find("verified").get_by_text("Its case stands as it did").wait_for()
    visit.find("verified").get_by_role("link", name=case_id).wait_for()
    visit.find("paper-code").fill("nothing of ours")
    visit.find("check-code").click()
    visit.find("refusal").wait_for()
    expect(visit.find("verified")).to_have_count(0)
    visit.refused()


def sheet(*rows, name="hazards.csv"):
    lines = ["类别,source,area", *rows]
    return {"name": name, "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}


def test_of_a_sheet_every_fault_is_told_and_then_all_of_it_is_opened(desk, seen):  # noqa: F811
    visit = seen("#/cases/import?type=hazard")
    visit.find("sheet-headings").get_by_text("crowd barrier").wait_for()
    visit.find("sheet-file").set_input_files(sheet(f"barrier,patrol,{HOME}", "nonsense,patrol,nowhere", ",patrol,d"))
    visit.find("sheet-read").click()
    rows = visit.find("sheet-faults").locator("tbody tr td:first-child")
    expect(rows).to_have_text(["3", "3", "4", "4"])
    expect(visit.find("sheet-open")).to_have_count(0)
    visit.find("sheet-file").set_input_files(sheet(f"barrier,patrol,{HOME}", f"照明,patrol,{HOME}"))
    visit.find("sheet-faults").wait_for(state="detached")
    visit.find("sheet-read").click()
    visit.find("sheet-fits").get_by_text("2 cases can be opened").wait_for()
    assert desk.http.get("/cases", params={"type": "hazard"}).json()["cases"] == []
    visit.find("sheet-open").click()
    visit.find("sheet-opened").get_by_role("link").click()
    expect(visit.find("case-row")).to_have_count(2)
    assert len(desk.http.get("/cases", params={"type": "hazard"}).json()["cases"]) == 2


def newer(monkeypatch, *changes):
    """Let another version of the resident's request be in force for whoever opens the district next."""
    text = shipped_text("resident_request").replace("version = 2", "version = 3")
    for one, other in changes:
        assert one in text
        text = text.replace(one, other)
    real = kinds.shipped_text
    monkeypatch.setattr(kinds, "shipped_text", lambda name: text if name == "resident_request" else real(name))


@pytest.mark.parametrize("fits", [True, False])
def test_running_cases_are_moved_after_a_trial_or_told_what_does_not_fit(chromium, tmp_path, monkeypatch, fits):
    first = Desk(tmp_path)
    with served(first.app) as first.url, httpx.Client(base_url=f"{first.url}/api/v1", timeout=PATIENCE_S) as first.http:
        case_id = first.asked("dark")
        first.step(case_id, "assign")
    first.district.close()
    gone = [] if fits else [("[transitions.assign]", "[transitions.give_out]"), ('do = "assign"', 'do = "give_out"')]
    newer(monkeypatch, *gone)
    then = Desk(tmp_path)
    then.clock.set(then.clock.now() + timedelta(minutes=1))
    with served(then.app) as then.url, httpx.Client(base_url=f"{then.url}/api/v1", timeout=PATIENCE_S) as then.http:
        visit = Visit(chromium, then.url)
        visit.page.goto(f"{then.url}/#/cases/migrate")
        visit.find("migrate-type").locator("[value=resident_request]").wait_for(state="attached")
        visit.find("migrate-type").select_option("resident_request")
        visit.find("migrate-try").click()
        if fits:
            visit.find("migrate-do").click()
            visit.find("migrate-outcome").get_by_text("1 case was moved to version 3").wait_for()
        else:
            visit.find("misfits").get_by_text("step 'assign'").wait_for()
            expect(visit.find("migrate-do")).to_have_count(0)
        assert then.http.get(f"/cases/{case_id}").json()["version"] == (3 if fits else 2)
        assert visit.complained() == []
        visit.context.close()
    then.district.close()


def test_a_small_map_shows_streets_although_another_layer_does_not_come(desk, seen):  # noqa: F811
    lon, lat = ground_point(HOME)
    case_id = desk.asked("dark", area=None, lon=lon, lat=lat)
    visit = seen()
    held = []

    def hold(route):
        held.append(route)  # asked for, and never answered

    visit.page.route("**/api/v1/map/places", hold)
    visit.page.goto(f"{desk.url}/#/cases/{case_id}")
    visit.page.reload()
    visit.page.wait_for_function(
        "() => document.querySelector('.spot-map')?.anlanMap?.queryRenderedFeatures()"
        ".some((one) => one.layer.id.startsWith('street-'))"
    )
    assert held
    expect(visit.find("spot-map")).to_have_attribute("data-state", "loading")
    visit.page.unroute_all(behavior="ignoreErrors")
