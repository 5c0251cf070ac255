"""The page of plans of posts, as a planner uses it: asked for, watched, stopped, shown, taken along."""

import os
from pathlib import Path

import httpx
import pytest
from tests.browser.conftest import Visit
from tests.command.conftest import served
from tests.command.test_plans_api import Planned

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE_MS = 240_000
SHOTS = os.environ.get("ANLAN_SHOTS")


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    made = Planned(tmp_path_factory.mktemp("planned"))
    with served(made.app) as made.url, httpx.Client(base_url=f"{made.url}/api/v1", timeout=30) as made.http:
        yield made
    made.district.close()


@pytest.fixture
def visit(chromium, planned):
    made = []

    def opened(path="#/plans", **context):
        made.append(Visit(chromium, f"{planned.url}/{path}", **context))
        made[-1].page.goto(made[-1].url)
        made[-1].page.wait_for_selector("[data-test=plan-list]", state="attached")
        return made[-1]

    yield opened
    for one in made:
        one.context.close()


def drawn(tab):
    """Wait until the map of the plan stands with its posts."""
    tab.page.wait_for_function(
        """() => {
            const map = document.querySelector('.plan-map')?.anlanMap;
            if (!map || !map.getSource('plan-posts') || !map.loaded()) return false;
            return map.querySourceFeatures('plan-posts').length > 0;
        }""",
        timeout=PATIENCE_MS,
    )


def shot(tab, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        tab.page.screenshot(path=f"{SHOTS}/{name}.png")


@pytest.fixture(scope="module")
def plan_id(planned):
    assert planned.http.post("/plans", json={"vehicles": 2, "seconds": 10}).status_code == 202
    told = planned.until(lambda now: now["plans"] or now["making"]["fault"])
    return told["plans"][0]["id"]


@pytest.mark.usefixtures("plan_id")
def test_a_plan_is_asked_for_watched_and_shown(visit, planned):
    tab = visit()
    tab.find("plan-vehicles").fill("3")
    tab.find("plan-seconds").fill("10")
    tab.find("plan-begin").click()
    tab.find("plan-making").wait_for()
    assert tab.find("plan-begin").is_disabled()
    shot(tab, "making-en")
    tab.page.wait_for_function(
        "() => document.querySelectorAll('[data-test=plan-list] li').length > 1", timeout=PATIENCE_MS
    )
    assert tab.find("plan-making").count() == 0
    newest = planned.http.get("/plans").json()["plans"][0]
    assert newest["wish"]["vehicles"] == 3
    drawn(tab)
    assert tab.page.locator(".plan-map .plan-vehicle").count() == 3
    assert not tab.complaints


@pytest.mark.parametrize(("locale", "night"), [("zh-CN", "夜间"), ("en-GB", "night")])
def test_map_curve_tables_and_files_are_in_the_reader_s_language(visit, plan_id, locale, night):
    tab = visit(f"#/plans/{plan_id}", locale=locale)
    drawn(tab)
    assert tab.page.locator(".plan-map .plan-vehicle").all_inner_texts() == ["1", "2"]
    assert tab.find("price-units").locator("circle").count() >= 3
    assert tab.page.locator(".plan-table").first.locator("tbody tr").first.locator("td").first.inner_text() == night
    lang = locale[:2]
    for form in ("plan.xlsx", "plan.pdf", "plan.html", "posts.geojson"):
        assert (
            tab.find(f"file-{form.partition('.')[2]}").get_attribute("href").endswith(f"/{plan_id}/{form}?lang={lang}")
        )
    tab.find("plan-period").select_option("night")
    tab.page.wait_for_function(
        """() => {
            const shown = document.querySelector('.plan-map').anlanMap.getSource('plan-posts').serialize().data;
            return shown.features.every((one) => one.properties.period === 'night');
        }"""
    )
    shot(tab, f"plan-{lang}")
    tab.page.locator(".plan-body").evaluate("(body) => body.scrollTo(0, body.scrollHeight)")
    shot(tab, f"plan-{lang}-tables")
    assert not tab.complaints


@pytest.mark.usefixtures("plan_id")
def test_a_plan_is_stopped_from_the_page(visit, planned):
    tab = visit()
    kept = len(planned.http.get("/plans").json()["plans"])
    tab.find("plan-seconds").fill("300")
    tab.find("plan-begin").click()
    tab.find("plan-stop").click()
    tab.find("plan-stopped").wait_for()
    assert len(planned.http.get("/plans").json()["plans"]) == kept
