"""The whole story of an incident, as a dispatcher sees it: raised, recommended, sent, on the way, there, proven."""

from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect
from shapely.geometry import Point
from tests.browser.conftest import STATIC, Visit
from tests.command.conftest import BEGIN, served
from tests.small import PLANE, town_pack
from tests.waiting import PATIENCE_S

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def at(x, y):
    point = PLANE.unproject(Point(x, y))
    return [point.x, point.y]


class Town:
    """A district with units; the test drives its time, and speaks for its units by HTTP."""

    def __init__(self, folder):
        self.clock = FollowedClock(BEGIN)
        self.district = District.open(town_pack(), folder, clock=self.clock)

    def later(self, seconds):
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    def position(self, unit, x, y):
        lon, lat = at(x, y)
        told = {"unit": unit, "at": self.clock.now().isoformat(), "lon": lon, "lat": lat}
        made = self.http.post("/units/positions", json={"positions": [told]})
        assert made.json()["taken"] == 1, made.text

    def step(self, unit, status, **more):
        made = self.http.post(f"/units/{unit}/status", json={"status": status, **more})
        assert made.status_code == 200, made.text


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    try:
        with served(create_app(made.district)) as made.url, httpx.Client(timeout=PATIENCE_S) as made.http:
            made.http.base_url = f"{made.url}/api/v1"
            yield made
    finally:
        made.district.close()


@pytest.fixture
def desk(chromium, town):
    assert STATIC.is_dir()
    visit = Visit(chromium, town.url)
    visit.page.goto(town.url)
    visit.page.wait_for_selector(".map canvas")
    visit.find("tab-reach").click()
    visit.page.wait_for_selector("[data-test=unit-v1]")
    yield visit
    visit.context.close()


def drawn_at(desk, town, unit, x, y):
    """Wait until the map draws a unit at this place, in metres."""

    def is_drawn():
        town.district.reach.beat()  # as a server does every second: what came too soon after another is told then
        return desk.page.evaluate(
            """([id, lon, lat]) => {
                const map = document.querySelector('.map').anlanMap;
                const found = map.querySourceFeatures('units').find((one) => one.properties.id === id);
                const [east, north] = found?.geometry.coordinates ?? [0, 0];
                return Math.abs(east - lon) < 3e-5 && Math.abs(north - lat) < 3e-5;
            }""",
            [unit, *at(x, y)],
        )

    assert desk.until(is_drawn)


def test_an_incident_is_raised_sent_for_followed_and_proven(desk, town):
    page = desk.page
    page.wait_for_function("() => document.querySelector('.map').anlanMap?.getSource('units')")
    desk.settle()  # or the ground moves under the pointer
    page.keyboard.press("i")
    desk.find("raise-here").wait_for()
    x, y = desk.at(*at(-400, 100))
    page.mouse.click(x, y)
    desk.find("raise-form").wait_for()
    page.locator("label.choice", has_text="Disturbance").click()
    desk.find("raise-note").fill("a bin burns")
    desk.find("raise").click()

    for words in ("recommended", "in time", "crew of 2"):
        expect(desk.find("option-f1")).to_contain_text(words)
    expect(desk.find("dispatch")).to_be_enabled()
    page.keyboard.press("d")
    desk.find("part-f1").wait_for()
    incident = town.http.get("/incidents").json()["incidents"][0]
    assert (incident["state"], incident["assignments"][0]["overridden"]) == ("dispatched", False)

    town.later(10)
    town.step("f1", "en_route")
    page.wait_for_selector("[data-test=unit-f1][data-status=en_route]")
    for k in (1, 2):
        town.later(10)
        town.position("f1", -400, 30 * k)
        drawn_at(desk, town, "f1", -400, 30 * k)

    town.later(25)
    town.step("f1", "on_scene")
    page.wait_for_selector("[data-test=unit-f1][data-status=on_scene]")
    desk.find("incident-clock").get_by_text("first arrival").wait_for()
    expect(desk.find("part-f1")).to_contain_text("response 00:55")
    town.step("f1", "returning", outcome="resolved")
    page.get_by_text("Closed at").wait_for()
    proof = desk.find("proof")
    expect(proof).to_contain_text("1/1")
    expect(proof).to_contain_text("100%")
    desk.find("language").click()
    page.wait_for_function("() => document.documentElement.lang === 'zh-Hans'")
    expect(proof).to_contain_text("实际到达")
    assert desk.complained() == []


def test_others_than_recommended_are_sent_with_a_reason_alone(desk, town):
    made = town.http.post("/incidents", json={"kind": "disturbance", "at": at(-400, 100)}).json()
    expect(desk.find("incident")).to_have_count(1)
    desk.find("incident").get_by_role("button").click()
    desk.find("option-f1").get_by_role("checkbox").uncheck()
    desk.find("option-v1").get_by_role("checkbox").check()
    expect(desk.find("dispatch")).to_be_disabled()
    desk.find("reason").fill("needs a vehicle")
    desk.find("dispatch").click()
    desk.find("part-v1").wait_for()
    sent = town.http.get(f"/incidents/{made['id']}").json()
    assert [(part["unit"], part["overridden"]) for part in sent["assignments"]] == [("v1", True)]
    assert sent["reason"] == "needs a vehicle"


def test_what_is_left_of_the_target_runs_down(desk, town):
    town.http.post("/incidents", json={"kind": "disturbance", "at": at(-400, 100)})
    desk.find("incident").get_by_role("button").click()
    expect(desk.find("left")).to_contain_text("left of the target")
    expect(desk.find("left")).not_to_have_text(desk.find("left").inner_text())


def test_a_search_that_finds_no_incident_does_not_say_that_nothing_needs_a_response(desk, town):
    town.http.post("/incidents", json={"kind": "disturbance", "at": at(-400, 100)})
    desk.find("incident").wait_for()
    desk.find("seek").fill("nothing is called so")
    expect(desk.find("incident")).to_have_count(0)
    desk.find("left-out").wait_for()
    expect(desk.page.locator(".list")).not_to_contain_text("Nothing needs a response")


def test_what_closes_gives_the_focus_back_to_what_opened_it(desk, town):
    town.http.post("/incidents", json={"kind": "disturbance", "at": at(-400, 100)})
    row = desk.find("incident").get_by_role("button")
    row.click()
    desk.find("advice").wait_for()
    desk.page.keyboard.press("Escape")
    expect(desk.find("card")).to_have_count(0)
    expect(row).to_be_focused()
    row.press("Enter")
    desk.page.locator(".card-head button").click()
    expect(row).to_be_focused()
    desk.find("coordinates").click()
    expect(desk.find("corners-text")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.find("corners-text")).to_have_count(0)
    expect(desk.find("coordinates")).to_be_focused()
    desk.find("raise-list").click()
    desk.find("raise-here").click()
    desk.find("raise-note").fill("half a senten")
    desk.page.keyboard.press("Escape")
    expect(desk.find("raise-note")).to_have_value("half a senten")  # it is not thrown away by a key


TWICE = "(button) => (button.click(), button.click())"


def test_what_is_pressed_twice_is_asked_for_once(desk):
    desk.find("raise-list").click()
    desk.find("raise-here").click()
    desk.page.locator("label.choice", has_text="Disturbance").click()
    desk.find("raise").evaluate(TWICE)
    expect(desk.find("dispatch")).to_be_enabled()
    desk.find("dispatch").evaluate(TWICE)
    desk.find("sent").wait_for()
    desk.find("close-incident").evaluate(TWICE)
    desk.page.get_by_text("Closed at").wait_for()
    assert desk.complained() == []  # a second order would have been refused
    writes = [url.rpartition("/")[2] for url in desk.wrote]
    assert writes == ["incidents", "dispatch", "close"]


def test_every_tab_has_room(desk):
    desk.tabs_have_room()
