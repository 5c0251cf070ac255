"""The head of the page: its figures are wholly seen, or folded on purpose, at the widths that screens have."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (1920, 1801, 1800, 1440, 1360, 1280, 1080, 720, 390)
SHOTS = os.environ.get("ANLAN_SHOTS")
WAYS = {"in_per_minute": None, "out_per_minute": None, "net_per_minute": None, "net_sd_per_minute": None}
WAYS |= {"counted_in_per_minute": 1320, "counted_out_per_minute": 1187, "over_s": 300}
BORDER = {name: WAYS | {"lines": ["a", "b"], "silent": ["b"]} for name in ("people", "vehicles")}
WET = {"rain_mm": 112.5, "temperature_c": -10.4}
WEATHER = {  # the longest that is told: nothing measured lately, and rain foreseen
    "measured": None,
    "ahead": [{"time": f"2026-12-31T{hour}:00:00Z", **WET} for hour in range(10, 22)],
}
CUT = """() => {
    const names = '.figures, .figures li, .figures li *, .top-nav, .top-end > *';
    const all = [...document.querySelectorAll(names)].filter(
        (one) => !(innerWidth <= 720 && one.matches('button .figure-note'))); // folded on a telephone
    const told = (one) => `${one.className || one.tagName} ${one.textContent.slice(0, 40)}`;
    const boxOf = (one) => one.getBoundingClientRect();
    const leaves = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1 ||
        inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    const figures = [...document.querySelectorAll('.figures li')];
    const faults = figures.length === 6 ? [] : [`${figures.length} figures`];
    for (const one of all) {
        const box = boxOf(one);
        if (box.width === 0) faults.push(`is not there: ${told(one)}`);
        if (one.clientWidth > 0 && one.scrollWidth > one.clientWidth) faults.push(`is cut: ${told(one)}`);
        if (leaves(box, boxOf(one.parentElement))) faults.push(`leaves its parent: ${told(one)}`);
        if (box.left < 0 || box.right > innerWidth) faults.push(`leaves the window: ${told(one)}`);
    }
    for (const one of [...figures, ...document.querySelectorAll('.top > :not(.figures)')])
        for (const other of figures) {
            const [a, b] = [boxOf(one), boxOf(other)];
            const beside = a.right <= b.left + 1 || b.right <= a.left + 1;
            const above = a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
            if (one !== other && !beside && !above) faults.push(`lies over another: ${told(one)}`);
        }
    return faults;
}"""


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_every_figure_of_the_head_is_wholly_seen(chromium, live, locale):
    seen = Visit(chromium, live.url, locale=locale, viewport={"width": WIDTHS[0], "height": 820})

    def busy(route):
        route.fulfill(json={"at": None, **BORDER})  # the longest that a figure gets

    def wet(route):
        now = seen.page.request.get(f"{live.url}/api/v1/district").json()["now"]
        route.fulfill(json={"at": now, **WEATHER})

    seen.page.route("**/api/v1/border", busy)
    seen.page.route("**/api/v1/weather", wet)
    seen.page.goto(live.url)
    expect(seen.page.locator(".figures li")).to_have_count(6)
    seen.page.wait_for_selector(".live-live")
    expect(seen.find("weather")).to_contain_text("-10 °C")
    for width in WIDTHS:
        seen.page.set_viewport_size({"width": width, "height": 820})
        assert seen.faults(CUT) == [], width
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            seen.page.screenshot(path=f"{SHOTS}/head-{locale[:2]}-{width}.png")
    assert seen.complained() == []
    seen.context.close()


def test_where_there_is_no_figure_the_head_keeps_no_room_for_them(visit):
    seen = visit(viewport={"width": 1360, "height": 820})
    seen.find("nav-cases").click()
    expect(seen.page.locator(".figures li")).to_have_count(0)
    assert seen.faults("() => [document.querySelector('.top').offsetHeight].filter((height) => height > 60)") == []
