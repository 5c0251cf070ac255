"""The plan of an event on its page: rehearsed before, live on the night, fired and answered, begun again next year."""

import re
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import STATIC, Visit
from tests.browser.test_cases_page import Desk, opened_id
from tests.cli.test_underway import Hands
from tests.command.conftest import served
from tests.matters.conftest import tall_pack
from tests.matters.test_keeping import StorePlayer
from tests.waiting import PATIENCE_S

from anlan.kernel.records import Observation
from anlan.pack import read_pack, write_pack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MINUTE = timedelta(minutes=1)
REHEARSED_MS = 240_000


class Night(Desk):
    """The desk on the night of the example's event, or on the days before it."""

    def __init__(self, folder, until="running"):
        write_pack(tall_pack(), folder / "pack")
        super().__init__(folder / "data", read_pack(folder / "pack"))
        kind = self.district.matters.kinds.current("planned_event")
        self.case_id = StorePlayer(Hands(self.district)).play(kind, until=until).case_id
        self.sent = 0

    def minutes(self, n, persons):
        for _ in range(n):
            at = self.clock.now().replace(second=0, microsecond=0) + MINUTE
            self.sent += 1
            seen = Observation(
                device_id="bund-promenade-view-1", begin_at=at - MINUTE, end_at=at, sequence=self.sent,
                n_present=persons,
            )  # fmt: skip
            self.clock.set(at + timedelta(seconds=15))
            self.district.observe([seen])
            self.district.advance()


@pytest.fixture
def opened(tmp_path, chromium):
    made, visits = [], []

    def on(until="running", **context):
        night = Night(tmp_path, until)
        served_at = served(night.app)
        night.url = served_at.__enter__()
        night.http = httpx.Client(timeout=PATIENCE_S, base_url=f"{night.url}/api/v1")
        made.append((night, served_at))
        visit = Visit(chromium, night.url, **context)
        visits.append(visit)
        visit.page.goto(f"{night.url}/#/cases/{night.case_id}")
        visit.page.wait_for_selector("[data-test=case]")
        return night, visit

    assert STATIC.is_dir()
    yield on
    for one in visits:
        assert one.complained() == []
        one.context.close()
    for night, served_at in made:
        night.http.close()
        served_at.__exit__(None, None, None)
        night.district.close()


def test_zones_fill_a_trigger_fires_and_is_answered(opened):
    night, visit = opened(locale="en-GB")
    expect(visit.find("trigger").first).to_contain_text("cannot be counted now")  # which is not "below"
    night.minutes(3, 9_000)
    expect(visit.find("trigger").first).to_contain_text("below")
    expect(visit.find("zone").first.locator("th")).to_have_text("A")
    expect(visit.find("zone").first).to_contain_text("bund-promenade")
    night.minutes(8, 30_000)
    first = visit.page.locator("[data-test=firing][data-row='1']")
    expect(first).to_contain_text("关闭二号入口")
    first.locator("[data-test=done]").click()
    visit.page.wait_for_selector("[data-test=firing][data-row='1'].is-marked")
    second = visit.page.locator("[data-test=firing][data-row='2']")
    second.locator("[data-test=overrule-ask]").click()
    second.locator("[data-test=overrule-note]").fill("烟火延后")
    second.locator("[data-test=overrule]").click()
    visit.page.wait_for_selector("[data-test=firing][data-row='2'].is-marked")
    marks = {one["row"]: one["mark"] for one in night.http.get("/firings").json()["firings"]}
    assert marks == {1: "done", 2: "overruled"}


def test_what_fired_leads_the_alerts_beside_the_map_and_leads_to_its_plan(opened):
    night, visit = opened()
    night.minutes(8, 30_000)
    visit.page.goto(f"{night.url}/#/map")
    visit.find("tab-alerts").click()
    visit.page.wait_for_selector("[data-test=firings] [data-test=firing]")
    visit.page.locator("[data-test=firing] a").first.click()
    visit.page.wait_for_selector("[data-test=live]")


def test_the_end_of_an_event_is_counted_and_the_next_one_begins_like_it(opened):
    night, visit = opened()
    night.minutes(6, 30_000)
    visit.find("step-end").click()
    expect(visit.page.locator(".step-form .hint")).to_have_count(2)  # both numbers may be left to the district
    visit.find("take-step").click()
    expect(visit.find("step-end")).to_have_count(0)
    fields = night.http.get(f"/cases/{night.case_id}").json()["fields"]
    assert fields["n_triggered"] == 2
    assert "n_peak" not in fields  # nothing looks at zone B: the most in both is unknown, and not that of one
    visit.find("next-like").click()
    visit.page.wait_for_selector("[data-test=like]")
    expect(visit.find("field-triggers").locator("tbody tr")).to_have_count(2)
    visit.find("field-begins_at").fill("2027-10-01T19:00")
    visit.find("field-ends_at").fill("2027-10-01T22:00")
    ground = visit.page.locator("[data-test=field-zones] [data-test=field-ground]").first
    expect(ground).to_have_value("place:bund-promenade")
    visit.find("open-case").click()
    made = opened_id(visit)
    assert len(night.http.get(f"/cases/{made}").json()["fields"]["headings"]) == 30


def test_a_plan_is_rehearsed_on_its_page_and_its_record_is_the_evidence(opened):
    night, visit = opened(until="permitted")
    visit.page.wait_for_selector("[data-test=rehearsals]")
    visit.find("rehearsal-crowd").fill("10")
    visit.find("rehearse").click()
    visit.page.wait_for_selector("[data-test=rehearsal-going]")
    visit.page.wait_for_selector("[data-test=rehearsal]", timeout=REHEARSED_MS)
    expect(visit.find("rehearsed-trigger")).to_have_count(2)
    ground = visit.find("rehearsed-ground").first
    expect(ground).to_have_text(re.compile(r"\S"))
    expect(ground).not_to_contain_text("place:")
    with visit.page.expect_download() as download:
        visit.find("record-pdf").click()
    assert download.value.suggested_filename.endswith(".pdf")
    visit.find("step-rehearse").click()
    visit.find("field-rehearsal_result").select_option("passed")
    visit.find("from-rehearsal").click()
    expect(visit.find("sent-rehearsal")).to_contain_text("sent")
    visit.find("take-step").click()
    expect(visit.find("step-form")).to_have_count(0)
    assert night.state(night.case_id) == "rehearsed"
