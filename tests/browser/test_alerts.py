"""What stands announced, as somebody on duty sees it and takes it."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import MINUTE, Visit, played

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def stream(live, n_in, n_out, minutes=6):
    """Let a stream go over the walk, which is 20 m wide."""
    for _ in range(minutes):
        live.clock.set(live.clock.now() + MINUTE)
        seen = [live.seen("quay-1", n_present=4000), live.seen("walk-1", n_in=n_in, n_out=n_out)]
        live.district.observe([*seen, live.seen("garden-1", n_in=5, n_out=5), live.seen("garden-2", n_in=5, n_out=5)])
        live.district.advance()


def test_an_alert_comes_with_its_grounds_is_on_the_map_and_is_taken(visit, live):
    seen = visit()
    seen.find("tab-alerts").click()
    stream(live, 1500, 1200)
    row = seen.find("alert").filter(has_text="Walk 1")
    for word in (
        "Red",  # once the page shows the last of the minutes
        "Flow per metre over 109 people/(m·min)",
        "now",
        "probability",
        "Green Guide",
        "Devices: Walk 1",
    ):
        expect(row).to_contain_text(word)
    seen.page.wait_for_function(
        """() => {
            const map = document.querySelector('.map').anlanMap;
            return map.querySourceFeatures('alerts').some((one) => one.properties.id === 'walk-1');
        }"""
    )
    seen.find("seek").fill("nothing is called so")
    expect(row).to_have_count(0)
    expect(seen.find("left-out")).to_contain_text(re.compile(r"The search leaves out \d+\."))
    expect(seen.page.locator(".list")).not_to_contain_text("Nothing stands announced")
    seen.find("show-all").click()
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Acknowledge").evaluate("(button) => (button.click(), button.click())")
    row.get_by_text("Acknowledged at").wait_for()
    ask = row.get_by_role("button", name="Close…")
    ask.click()
    expect(row.get_by_label("Why is it closed?")).to_be_focused()
    seen.page.keyboard.press("Escape")
    expect(ask).to_be_focused()
    ask.click()
    row.get_by_label("Why is it closed?").fill("a parade")
    row.get_by_role("button", name="Close", exact=True).click()
    expect(row).to_have_count(0)
    last = [change for change in live.district.changes() if change.kind == "alert"][-2:]
    assert [change.action for change in last] == ["acknowledge", "close"]
    assert sum(url.endswith("/acknowledge") for url in seen.wrote) == 1
    seen.find("language").click()
    seen.page.wait_for_function("() => document.documentElement.lang === 'zh-Hans'")
    expect(seen.find("tab-alerts")).to_contain_text("预警")
    assert seen.complained() == []


def test_an_alert_that_is_estimated_under_its_limit_does_not_say_now(chromium, tmp_path):
    with played(tmp_path) as own:  # in the district of all tests somebody may have closed it
        seen = Visit(chromium, own.url)
        seen.open()
        seen.find("tab-alerts").click()
        stream(own, 1500, 1200)
        row = seen.find("alert").filter(has_text="Walk 1")
        expect(row).to_contain_text("Flow per metre over 109 people/(m·min) · now")
        told = seen.page.evaluate("() => fetch('/api/v1/alerts').then((answer) => answer.json())")
        for grounds in filter(None, (one["grounds"] for one in told["alerts"])):  # what is unseen has none
            grounds["value"] = 0.9 * grounds["limit"]  # raised at less than an even chance, or not yet surely left
        seen.page.route("**/api/v1/alerts", lambda route: route.fulfill(json=told))
        seen.page.reload()
        seen.find("tab-alerts").click()
        expect(row).to_contain_text("Flow per metre over 109 people/(m·min) · not ruled out")
        seen.find("language").click()
        expect(seen.find("alert").filter(has_text="步一")).to_contain_text("尚不能排除")
        seen.context.close()


def test_no_sound_is_made_until_it_is_turned_on(visit):
    seen = visit()
    seen.find("tab-alerts").click()
    expect(seen.find("sound")).to_have_attribute("aria-pressed", "false")
    seen.find("sound").click()
    expect(seen.find("sound")).to_have_attribute("aria-pressed", "true")
    seen.page.wait_for_function("() => localStorage.getItem('anlan.sound') === 'on'")


def test_every_tab_has_room(visit):
    seen = visit()
    seen.tabs_have_room()
