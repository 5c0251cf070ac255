"""What is to be expected, what a measure would change, and who may look: on the page."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit, played
from tests.browser.test_page import QUAY
from tests.command.conftest import BEGIN, MINUTE, Live, served
from tests.small import ring, square

from anlan.command import create_app
from anlan.crowd.forecast import PlannedEvent
from anlan.kernel.records import Estimate
from anlan.staff import NewOffice, Staff, read_roles
from anlan.store import DuckHistory, Step

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = "four calm waters"


def chosen(seen):
    """Select the first place of the list."""
    seen.find("tab-places").click()
    seen.page.locator(".list").get_by_role("button").first.click()
    seen.find("card").wait_for()


def test_the_next_hour_is_told_with_its_interval_and_what_it_rests_on(visit):
    seen = visit()
    chosen(seen)
    for words in ("expected", "90", "by how the last hour went"):
        expect(seen.find("forecast")).to_contain_text(words)
    expect(seen.page.locator(".curve-key").first).to_contain_text("Expected")
    assert seen.complained() == []


def with_history(folder, days=10):
    """Keep so many days of the quay: thousands by day, and at night so few that no number is told."""
    history = DuckHistory.open(folder)
    for k in range(days * 96, 0, -1):
        at = BEGIN - k * 15 * MINUTE
        if (at.hour + 8) % 24 in range(8, 22):
            seen = Estimate(at=at, walkable_m2=1e4, occupancy=4000.0, sd=200.0, low=3700.0, high=4300.0)
        else:
            seen = Estimate(at=at, walkable_m2=1e4, high=10.0, hidden=True)
        history.commit_step(Step(at=at, low=0, high=0, occupancy=None, estimates={"place:quay": seen}, state=None))
    history.close()


def test_the_day_ahead_is_told_once_there_is_a_week(chromium, tmp_path):
    with_history(tmp_path)
    with played(tmp_path) as made:
        seen = Visit(chromium, made.url).open()
        seen.find("tab-places").click()
        seen.page.locator(".list").get_by_role("button").filter(has_text="Quay").click()
        expect(seen.find("forecast")).to_contain_text("by what this hour is used to (10 days of history)")
        rows = seen.find("next-day").locator("tbody tr")
        expect(rows).to_have_count(5)
        spans = ("in 2 h", "in 3 h", "in 6 h", "in 12 h", "in 24 h")
        for row, span in zip(rows.all(), spans, strict=True):
            expect(row).to_contain_text(span)
        expect(rows.nth(3).locator("td").first).to_have_text("<10")
        for k in (0, 4):
            expect(rows.nth(k).locator("td").first).to_have_text(re.compile(r"^\d[\d,]*$"))
        seen.find("language").click()
        expect(seen.find("next-day")).to_contain_text("未来一天")
        expect(rows.first).to_contain_text("2 小时后")
        assert seen.complained() == []
        seen.page.set_viewport_size({"width": 390, "height": 844})
        seen.fits()
        seen.context.close()


def test_what_is_planned_is_told_with_the_alert_that_it_is_expected_by(chromium, tmp_path):
    made = Live(tmp_path)  # ninety people in front of the quay's camera
    begin_at = made.clock.now() + timedelta(minutes=101)
    fair = PlannedEvent(begin_at=begin_at, end_at=begin_at + timedelta(hours=2), added={"place:quay": 300_000.0})
    made.district._outlooks.planned = lambda _: (fair,)
    made.grid()
    made.minute(12)
    with served(made.app) as url:
        seen = Visit(chromium, url).open()
        seen.find("tab-alerts").click()
        row = seen.find("alert").filter(has_text="Quay")
        expect(row).to_contain_text("expected by how it is changing, what is planned")
        row.get_by_role("button").first.click()
        expect(seen.find("forecast")).to_contain_text("by how the last hour went, and by what is planned")
        seen.find("language").click()
        expect(seen.find("alert").first).to_contain_text("预计依据：近期变化、计划活动")
        assert seen.complained() == []
        seen.context.close()
    made.district.close()


def test_a_measure_is_tried_and_its_change_is_on_the_map(visit):
    seen = visit()
    chosen(seen)
    seen.find("try").locator("summary").click()
    seen.find("try-kind").select_option("closure")
    seen.find("try-go").click()
    expect(seen.find("try-outcome")).to_contain_text("Against doing nothing")
    expect(seen.find("layer-changed")).to_have_attribute("aria-pressed", "true")
    seen.find("try-clear").click()
    expect(seen.find("layer-people")).to_have_attribute("aria-pressed", "true")
    expect(seen.find("layer-changed")).to_have_count(0)
    assert seen.complained() == []


def typed(seen, ring):
    """Choose a polygon by its corners."""
    seen.find("coordinates").click()
    seen.find("corners-text").fill("\n".join(f"{lon}, {lat}" for lon, lat in ring["coordinates"][0][:-1]))
    seen.find("corners-count").click()


def test_what_was_tried_of_another_polygon_or_another_measure_does_not_stand_under_this_one(visit):
    seen = visit()
    typed(seen, ring(QUAY))
    seen.find("try").locator("summary").click()
    seen.find("try-kind").select_option("closure")
    seen.find("try-go").click()
    seen.find("try-outcome").wait_for()
    seen.find("try-kind").select_option("extra_exit")
    expect(seen.find("try-outcome")).to_have_count(0)
    expect(seen.find("layer-changed")).to_have_count(0)
    seen.find("try-go").click()
    seen.find("try-outcome").wait_for()
    typed(seen, ring(square(100, -400, 60, 500)))
    expect(seen.find("try-outcome")).to_have_count(0)
    expect(seen.find("layer-changed")).to_have_count(0)
    assert seen.complained() == []


def test_nobody_looks_without_signing_in(chromium, tmp_path):
    with played(tmp_path, minutes=2) as made:
        staff = Staff(made.district.store, read_roles(), made.district.pack.areas)
        now, root = datetime.now(UTC), made.district.pack.areas.root.area_id
        office = NewOffice(name={"en": "Duty officer"}, role_ids=("duty_officer",), area_id=root)
        staff.open_account("lin", "Lin", WORDS, "test", now, office=office)
        app = create_app(made.district, simulation=made.player, staff=staff)
        with served(app) as url:
            seen = Visit(chromium, url)
            seen.page.goto(url)
            seen.find("sign-in-name").fill("lin")
            seen.find("sign-in-password").fill("something else")
            seen.find("sign-in-go").click()
            expect(seen.find("sign-in-fault")).to_contain_text("must belong together")
            seen.find("sign-in-password").fill(WORDS)
            seen.find("sign-in-go").click()
            seen.page.wait_for_selector(".map canvas")
            seen.find("account").click()
            expect(seen.find("account-card")).to_contain_text("Duty officer")
            seen.find("sign-out").click()
            seen.find("sign-in-name").wait_for()
            assert [one for one in seen.complained() if "403" not in one] == []
            seen.context.close()
