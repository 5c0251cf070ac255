"""The pages of indicators, from a number down to the cases behind it, against the real server."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import STATIC, Visit
from tests.browser.test_cases_page import HOME, desk, wait_rows  # noqa: F401 - a fixture
from tests.matters.conftest import picture

from anlan.kernel.clock import parse_moment

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ID = "hazards_safe_on_time"


@pytest.fixture
def march(desk):  # noqa: F811
    """Hazards of March: seven in a committee of the west, two in one of the east, one of each made safe in time."""
    desk.clock.set(parse_moment("2026-03-02T09:00:00+08:00"))
    for area, n in ((HOME, 7), ("d-e-n-e-n", 2)):
        for k in range(n):
            told = {"type": "hazard", "area": area, "filled": {"kind": "barrier", "source": "patrol"}}
            case_id = desk.http.post("/cases", json=told).json()["id"]
            if k == 0:
                photo = desk.http.post("/cases/files", content=picture(f"{area}{k}")).json()["digest"]
                filled = {"danger": "soon", "measure": "fenced"}
                desk.step(case_id, "secure", filled=filled, evidence={"photo_before": photo})
    desk.clock.set(parse_moment("2026-04-02T09:00:00+08:00"))
    return desk


@pytest.fixture
def seen(chromium, march):
    assert STATIC.is_dir()
    made = []

    def opened(where="#/indicators", **context):
        visit = Visit(chromium, march.url, **context)
        made.append(visit)
        visit.page.goto(f"{march.url}/{where}")
        visit.page.wait_for_selector("main#indicators")
        return visit

    yield opened
    for one in made:
        assert one.complained() == []
        one.context.close()


def test_a_number_opens_the_areas_below_and_the_cases_behind_it(march, seen):
    visit = seen()
    expect(visit.find("month")).to_have_text("March 2026")  # the last whole month
    row = visit.find(f"indicator-{ID}")
    row.get_by_text("22.2 %").wait_for()
    expect(row).to_contain_text("2 of 9")
    row.get_by_role("link", name="hazards made safe in time").click()
    visit.find("whole").get_by_text("22.2 %").wait_for()
    expect(visit.find("formula")).to_have_text(march.http.get(f"/indicators/{ID}").json()["indicator"]["formula"])
    visit.find("year-ago").get_by_text("not recorded over the whole period").wait_for()
    visit.find("part-d-e").get_by_text("50 %").wait_for()
    visit.find("value-d-e").click()
    visit.find("behind").get_by_text("1 of 2").wait_for()
    expect(visit.page).to_have_url(re.compile(re.escape("#/cases?indicator=")))
    told = march.http.get(f"/indicators/{ID}/cases", params={"area": "d-e", "period": "2026-03"}).json()["cases"]
    assert len(told) == 2
    wait_rows(visit, [one["id"] for one in told])
    visit.find("to-indicator").click()
    visit.find("whole").get_by_text("50 %").wait_for()  # of the east, which the list was of
    visit.page.keyboard.press("Escape")
    visit.find("overview").wait_for()


def test_an_area_and_a_month_are_chosen_and_stay_in_the_address(seen):
    visit = seen()
    visit.find("indicator-area-0").select_option("d-w")
    row = visit.find(f"indicator-{ID}")
    row.get_by_text("14.3 %").wait_for()
    expect(visit.page).to_have_url(re.compile("area=d-w"))
    visit.page.keyboard.press("[")
    row.get_by_text("February 2026").wait_for()
    expect(visit.page).to_have_url(re.compile("month=2026-02"))
    for month in ("March 2026", "April 2026"):
        visit.find("month-after").click()
        expect(visit.find("month")).to_have_text(month)
    row.get_by_text("so far").wait_for()
    visit.find("indicator-area-1").select_option("d-w-s")
    visit.find("overview").get_by_text("are not told as fine").wait_for()


def test_what_would_tell_of_single_cases_is_hidden_from_whoever_may_not_read_them(chromium, march):
    filled = {"kind": "rent"}
    for area, n in (("d-w-s-w", 2), ("d-e-n-e", 9)):
        for _ in range(n):
            told = {"type": "mediation", "area": area, "filled": filled}
            assert march.http.post("/cases", json=told).status_code == 201
    march.clock.set(parse_moment("2026-07-02T09:00:00+08:00"))
    visit = Visit(chromium, march.url)
    visit.page.goto(march.entering("commander", "d"))
    visit.find("account").wait_for()
    visit.page.goto(f"{march.url}/#/indicators/dispute_backlog")
    visit.find("whole").get_by_text("11").wait_for()
    visit.find("value-d-w").get_by_text("hidden").wait_for()
    expect(visit.find("parts").get_by_text("hidden", exact=True)).to_have_count(2)
    expect(visit.page.locator("span[data-test=value-d-w]")).to_have_count(1)  # there is no list to open
    expect(visit.page.locator("a[data-test=value-d-w]")).to_have_count(0)
    visit.find("whole").click()
    visit.find("no-cases").wait_for()
    assert visit.complained() == []
    visit.context.close()


def test_a_bulletin_comes_as_a_file_of_either_form(seen):
    visit = seen()
    for form, begins in (("pdf", b"%PDF"), ("docx", b"PK")):
        with visit.page.expect_download(timeout=120_000) as got:  # every indicator is computed for it
            visit.find(f"bulletin-{form}").click()
        assert Path(got.value.path()).read_bytes().startswith(begins)
        assert got.value.suggested_filename == f"bulletin-d-2026-03.{form}"


@pytest.mark.parametrize("where", ["#/indicators", f"#/indicators/{ID}"])
def test_a_page_speaks_chinese_and_fits_a_telephone(seen, where):
    visit = seen(where, locale="zh-CN", viewport={"width": 390, "height": 844})
    visit.page.get_by_text("22.2 %").first.wait_for()
    for words in ("隐患及时管控率", "此期间没有完整记录"):
        expect(visit.page.locator("main#indicators")).to_contain_text(words)
    visit.fits()
