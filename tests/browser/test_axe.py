"""Whoever hears the desk, or goes through it by keys, finds every name, way and contrast (axe-core, WCAG 2.2)."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit
from tests.browser.test_underway_page import Night
from tests.command.conftest import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RULES = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
FAULTS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    (one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 4).join(", ")}`)"""
PAGES = {
    "map": ".map canvas",
    "cases": ".case-row",
    "cases/board": "[data-test^=column-]",
    "cases/calendar": "[data-test=days]",
    "cases/new": "#cases h2",
    "cases/check": "#cases form",
    "plans": "#plans h2",
    "indicators": "[data-test=overview] table",
    "community/volunteers": "#community h2 ~ :not(.empty)",
    "community/shifts": "#community h2 ~ :not(.empty)",
    "community/callouts": "#community h2 ~ :not(.empty)",
    "community/points": "#community h2 ~ :not(.empty)",
}


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    made = Night(tmp_path_factory.mktemp("axe"), "running")
    with served(made.app) as made.url:
        made.minutes(3, 9_000)
        yield made
    made.district.close()


@pytest.mark.parametrize(
    "context",
    [
        {"locale": "zh-CN", "color_scheme": "dark"},
        {"locale": "en-GB", "color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    ],
    ids=["wide, dark, zh", "phone, light, en"],
)
def test_every_page_has_its_names_its_order_and_its_contrast(chromium, night, context):
    visit, found = Visit(chromium, night.url, **context), {}
    for where, there in (PAGES | {f"cases/{night.case_id}": "[data-test=case]"}).items():
        visit.page.goto("about:blank")
        visit.page.goto(f"{night.url}/#/{where}")
        expect(visit.page.locator(there).first).to_be_attached()
        visit.page.evaluate(RULES)
        if faults := visit.faults(FAULTS):
            found[where] = list(faults)
    assert found == {}
    assert visit.complained() == []
    visit.context.close()


def test_a_nameless_button_is_found(chromium, night):
    visit = Visit(chromium, night.url)
    visit.page.goto(f"{night.url}/#/cases")
    expect(visit.page.locator(".case-row").first).to_be_visible()
    visit.page.evaluate(RULES)
    visit.page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    found = visit.page.evaluate(FAULTS)
    assert [one.split(":")[0] for one in found] == ["button-name"]  # one look: nothing else is under way
    visit.context.close()
