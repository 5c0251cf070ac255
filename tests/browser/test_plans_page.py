"""The page of plans of posts, as a planner uses it: asked for, watched, stopped, shown, taken along."""

import os
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit
from tests.command.conftest import served
from tests.command.test_plans_api import Planned
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE_MS = 240_000
SHOTS = os.environ.get("ANLAN_SHOTS")


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    made = Planned(tmp_path_factory.mktemp("planned"))
    with served(made.app) as made.url, httpx.Client(base_url=f"{made.url}/api/v1", timeout=PATIENCE_S) as made.http:
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


def made_already(planned):
    """Wait until nothing is being made, and return the plans that are kept."""
    return planned.until(lambda now: now["making"] is None or now["making"]["stopped"] or now["making"]["fault"])[
        "plans"
    ]


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


def test_before_the_first_plan_the_page_says_what_one_tells(chromium, tmp_path):
    empty = Planned(tmp_path)
    try:
        with served(empty.app) as url:
            tab = Visit(chromium, f"{url}/#/plans", locale="zh-CN")
            tab.page.goto(tab.url)
            expect(tab.page.locator("[data-test=plan-first]")).to_contain_text("开始测算")
            shot(tab, "plan-first")
            tab.context.close()
    finally:
        empty.district.close()


@pytest.mark.usefixtures("plan_id")
def test_a_plan_is_asked_for_watched_and_shown(visit, planned):
    before = len(made_already(planned))
    tab = visit()
    expect(tab.find("plan-list").get_by_role("listitem")).to_have_count(before)
    tab.find("plan-vehicles").fill("3")
    tab.find("plan-seconds").fill("10")
    tab.find("plan-begin").click()
    tab.find("plan-making").wait_for()
    expect(tab.find("plan-begin")).to_be_disabled()
    shot(tab, "making-en")
    kept = tab.find("plan-list").get_by_role("listitem")
    expect(kept).to_have_count(before + 1, timeout=PATIENCE_MS)
    expect(tab.find("plan-making")).to_have_count(0)
    expect(tab.find("plan-begin")).to_be_enabled()
    newest = planned.http.get("/plans").json()["plans"][0]
    assert newest["wish"]["vehicles"] == 3
    expect(kept.first.locator("a[aria-current=page]")).to_contain_text(newest["id"])
    expect(tab.page.locator(".plan-map .plan-vehicle")).to_have_count(3)
    drawn(tab)
    assert not tab.complained()


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_tables_of_a_plan_name_every_column_and_are_reached_by_keys_on_a_phone(visit, plan_id, locale):
    tab = visit(f"#/plans/{plan_id}", locale=locale, viewport={"width": 390, "height": 844})
    tab.find("plan-body").wait_for()
    tab.page.wait_for_function(
        """() => {
            const heads = [...document.querySelectorAll('.plan-table th')];
            return heads.length > 20 && heads.every((head) => head.innerText.trim() !== '');
        }"""
    )
    tab.fits()
    tables = tab.page.locator(".plan-table")
    for k in range(tables.count()):
        table = tables.nth(k).get_by_role("group")
        expect(table).to_have_accessible_name(tables.nth(k).locator("h3").inner_text())
        table.focus()
        expect(table).to_be_focused()
    made = tab.find("plan-made").first
    expect(made).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(tab.page.locator(".price-key").first).to_be_visible()
    shot(tab, f"tables-{locale[:2]}")
    assert not tab.complained()


def test_a_plan_that_is_not_there_is_told_in_the_language_of_the_page(visit):
    tab = visit("#/plans/none", locale="zh-CN")
    told = tab.page.locator(".plan-body [data-test=refusal] dd")
    expect(told.nth(1)).to_have_text("不存在")
    tab.page.wait_for_function(
        "() => document.querySelector('[data-test=refusal]').clientHeight < 300"  # it does not fill the page
    )
    tab.refused()


def within_sight(tab, name):
    """Wait until something can be read without scrolling."""
    tab.page.wait_for_function(
        """(name) => {
            const found = document.querySelector(`[data-test=${name}]`)?.getBoundingClientRect();
            return found && found.height > 0 && found.top >= 0 && found.bottom <= innerHeight;
        }""",
        arg=name,
    )


@pytest.mark.usefixtures("plan_id")
def test_how_far_a_plan_is_and_why_it_came_to_nothing_stand_in_sight_in_the_language_of_the_page(visit, planned):
    made_already(planned)
    tab = visit(locale="zh-CN", viewport={"width": 1280, "height": 720})
    tab.find("plan-begin").click()
    within_sight(tab, "plan-making")
    planned.district.plans._making[0]._worker.kill()  # as a machine without memory does
    within_sight(tab, "plan-fault")
    told = tab.find("plan-fault").locator("dd")
    expect(told).to_have_text(["anlan.planning.worker", "未给出结果就已结束", "请查看服务器日志后重试"])
    shot(tab, "fault-zh")
    assert not tab.complained()


@pytest.mark.parametrize(("locale", "night"), [("zh-CN", "夜间"), ("en-GB", "night")])
def test_map_curve_tables_and_files_are_in_the_reader_s_language(visit, plan_id, locale, night):
    tab = visit(f"#/plans/{plan_id}", locale=locale)
    drawn(tab)
    expect(tab.page.locator(".plan-map .plan-vehicle")).to_have_text(["1", "2"])
    expect(tab.find("price-units").locator("circle").nth(2)).to_be_attached()
    expect(tab.page.locator(".plan-table").first.locator("tbody tr").first.locator("td").first).to_have_text(night)
    lang = locale[:2]
    for form in ("plan.xlsx", "plan.pdf", "plan.html", "posts.geojson"):
        link = re.compile(re.escape(f"/{plan_id}/{form}?lang={lang}") + "$")
        expect(tab.find(f"file-{form.partition('.')[2]}")).to_have_attribute("href", link)
    tab.find("plan-period").select_option("night")
    tab.page.wait_for_function(
        """() => {
            const shown = document.querySelector('.plan-map').anlanMap.getSource('plan-posts').serialize().data;
            return shown.features.length > 0 && shown.features.every((one) => one.properties.period === 'night');
        }"""
    )
    shot(tab, f"plan-{lang}")
    tab.page.locator(".plan-body").evaluate("(body) => body.scrollTo(0, body.scrollHeight)")
    shot(tab, f"plan-{lang}-tables")
    assert not tab.complained()


@pytest.mark.usefixtures("plan_id")
def test_a_plan_is_stopped_from_the_page(visit, planned):
    kept = len(made_already(planned))
    tab = visit()
    tab.find("plan-seconds").fill("300")
    tab.find("plan-begin").click()
    tab.find("plan-stop").click()
    tab.find("plan-stopped").wait_for()
    expect(tab.find("plan-list").get_by_role("listitem")).to_have_count(kept)
    assert len(planned.http.get("/plans").json()["plans"]) == kept


def test_the_usual_rings_stand_in_the_form_and_fit_at_every_width(visit):
    for lang, width in (("zh-CN", 1280), ("en-GB", 1280), ("zh-CN", 1024), ("en-GB", 1024)):
        tab = visit(locale=lang, viewport={"width": width, "height": 900})
        tab.find("ring-2").wait_for()
        for k, within in enumerate(("60", "180", "300")):
            expect(tab.find(f"ring-{k}-within")).to_have_value(within)
        expect(tab.find("ring-0-where")).to_have_value("key")
        for kind in ("foot", "bicycle", "vehicle"):
            expect(tab.find(f"ring-0-{kind}")).to_be_checked(checked=kind == "foot")
        expect(tab.find("ring-2-reliability")).to_have_value("98")
        square = re.compile({"zh-CN": "^广场", "en-GB": "^Square"}[lang])
        expect(tab.page.locator("[data-test=key-areas] li").first).to_have_text(square)
        tab.page.wait_for_function(
            """() => {
                const side = document.querySelector('.plans-side');
                return document.fonts.status === 'loaded' && side.scrollWidth <= side.clientWidth;
            }"""
        )
        shot(tab, f"form-{lang[:2]}-{width}")
        tab.page.keyboard.press("Escape")
        assert not tab.complained()


@pytest.mark.parametrize(("locale", "rule"), [("zh-CN", "须大于 0，不超过 1（100 %）"), ("en-GB", "must be above 0")])
def test_what_is_refused_stands_beside_its_field_in_three_parts(visit, locale, rule):
    tab = visit(locale=locale)
    tab.find("ring-1-share").fill("150")
    tab.find("plan-begin").click()
    fault = tab.find("ring-1").locator("[data-test=field-fault]")
    expect(fault.locator("dd")).to_contain_text(["150 %", rule, re.compile(r"\S")])
    expect(tab.find("field-fault")).to_have_count(1)
    share = tab.find("ring-1-share")
    expect(share).to_have_attribute("aria-invalid", "true")
    expect(share).to_be_focused()
    tab.page.wait_for_function(
        "() => document.querySelector('[data-test=ring-1-share]').getAttribute('aria-describedby')"
        " === document.querySelector('[data-test=field-fault]').id"
    )
    shot(tab, f"fault-{locale[:2]}")
    share.fill("")
    tab.find("plan-begin").click()
    expect(tab.find("field-fault")).to_contain_text(re.compile("空|empty"))
    share.fill("100")
    for kind in ("foot", "bicycle", "vehicle"):
        tab.find(f"ring-1-{kind}").uncheck()
    tab.find("plan-begin").click()
    expect(tab.page.locator(".ring-kinds[aria-invalid]")).to_have_count(1)
    assert tab.until(lambda: len(tab.complaints) >= 2)  # the browser tells of each answer that is a refusal
    assert ["422" in one for one in tab.complained()] == [True, True]


def test_rings_and_key_areas_are_written_by_keyboard_and_asked_for(visit, planned):
    tab = visit()
    made_already(planned)
    tab.find("ring-2").wait_for()
    tab.find("ring-2-remove").press("Enter")
    expect(tab.find("ring-2")).to_have_count(0)
    tab.find("ring-1-remove").press("Enter")
    expect(tab.find("ring-1")).to_have_count(0)
    tab.find("ring-0-within").fill("90")
    tab.find("ring-0-bicycle").press("Space")
    tab.find("ring-0-share").fill("92.5")
    tab.find("key-name").fill("hall")
    tab.find("key-name").press("Enter")
    tab.find("key-name").fill("moon")
    tab.find("key-add").press("Enter")
    tab.find("plan-vehicles").fill("1")
    tab.find("plan-seconds").fill("5")
    tab.find("plan-begin").press("Enter")
    fault = tab.page.locator("[data-key=moon] [data-test=field-fault]")
    fault.wait_for()
    shot(tab, "fault-key")
    tab.page.locator("[data-key=moon] button").press("Enter")
    n = len(planned.http.get("/plans").json()["plans"])
    tab.find("plan-begin").press("Enter")
    told = planned.until(lambda now: len(now["plans"]) > n or now["making"]["fault"])
    ring = {"within_s": 90, "kinds": ["bicycle", "foot"], "key": True, "share": 0.925, "reliability": 0.9}
    assert told["plans"][0]["wish"]["rings"] == [ring]
    assert told["plans"][0]["wish"]["key"] == ["square", "hall"]


def test_posts_are_counted_in_whole_numbers_on_the_axis(visit, plan_id):
    tab = visit(f"#/plans/{plan_id}")
    drawn(tab)
    for name, unit in (("price-minutes", ""), ("price-units", " %")):
        expect(tab.find(name).locator(".tick").nth(1)).to_be_attached()
        ticks = tab.find(name).locator(".tick").all_text_contents()  # the whole axis is drawn at once
        values = [int(one.removesuffix(unit)) for one in ticks]
        assert values == sorted(set(values))
    page = tab.page.request.get(f"{tab.url.partition('#')[0]}api/v1/plans/{plan_id}/plan.html?lang=en").text()
    at_axes = re.findall(r"font-size='11' text-anchor='\w+'>([^<]*)<", page)
    assert len(at_axes) >= 8
    assert not [one for one in at_axes if "." in one]
