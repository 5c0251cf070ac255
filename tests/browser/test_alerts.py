"""What stands announced, as somebody on duty sees it and takes it."""

import pytest
from tests.browser.conftest import MINUTE

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
    row.filter(has_text="Red").wait_for()  # the page may still show the orange of the minutes before
    text = row.inner_text()
    for word in (
        "Red",
        "Flow per metre over 109 people/(m·min)",
        "now",
        "probability",
        "Green Guide",
        "Devices: Walk 1",
    ):
        assert word in text
    seen.page.wait_for_function(
        """() => {
            const map = document.querySelector('.map').anlanMap;
            return map.querySourceFeatures('alerts').some((one) => one.properties.id === 'walk-1');
        }"""
    )
    row.get_by_role("button", name="Acknowledge").click()
    row.get_by_text("Acknowledged at").wait_for()
    row.get_by_role("button", name="Close…").click()
    row.get_by_label("Why is it closed?").fill("a parade")
    row.get_by_role("button", name="Close", exact=True).click()
    row.wait_for(state="detached")
    last = [change for change in live.district.changes() if change.kind == "alert"][-2:]
    assert [change.action for change in last] == ["acknowledge", "close"]
    seen.find("language").click()
    seen.page.wait_for_function("() => document.documentElement.lang === 'zh-Hans'")
    assert "预警" in seen.find("tab-alerts").inner_text()
    assert seen.complaints == []


def test_no_sound_is_made_until_it_is_turned_on(visit):
    seen = visit()
    seen.find("tab-alerts").click()
    assert seen.find("sound").get_attribute("aria-pressed") == "false"
    seen.find("sound").click()
    assert seen.find("sound").get_attribute("aria-pressed") == "true"
    assert seen.page.evaluate("() => localStorage.getItem('anlan.sound')") == "on"


def test_every_tab_has_room(visit):
    seen = visit()
    cut = seen.page.evaluate(
        """() => {
            const box = document.querySelector('.tabs').getBoundingClientRect();
            return [...document.querySelectorAll('.tabs [role=tab]')].filter(
                (tab) => tab.getBoundingClientRect().right > box.right + 1).map((tab) => tab.id);
        }"""
    )
    assert cut == []
