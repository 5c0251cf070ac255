"""The whole story of an incident, as a dispatcher sees it: raised, recommended, sent, on the way, there, proven."""

from datetime import timedelta

import httpx
import pytest
from shapely.geometry import Point
from tests.browser.conftest import STATIC, Visit
from tests.command.conftest import BEGIN, served
from tests.small import PLANE, town_pack

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
        with served(create_app(made.district)) as made.url, httpx.Client(timeout=30) as made.http:
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


def shown_at(desk, unit):
    """Return where the map draws a unit, degrees."""
    return desk.page.evaluate(
        """(id) => {
            const map = document.querySelector('.map').anlanMap;
            const found = map.querySourceFeatures('units').find((one) => one.properties.id === id);
            return found ? found.geometry.coordinates : null;
        }""",
        unit,
    )


def test_an_incident_is_raised_sent_for_followed_and_proven(desk, town):
    page = desk.page
    page.wait_for_function("() => document.querySelector('.map').anlanMap?.getSource('units')")
    page.keyboard.press("i")
    desk.find("raise-here").wait_for()
    x, y = desk.at(*at(-400, 100))
    page.mouse.click(x, y)
    desk.find("raise-form").wait_for()
    page.locator("label.choice", has_text="Disturbance").click()
    desk.find("raise-note").fill("a bin burns")
    desk.find("raise").click()

    option = desk.find("option-f1")
    option.wait_for()
    assert "recommended" in option.inner_text()
    assert "in time" in option.inner_text()
    assert "crew of 2" in option.inner_text()
    desk.find("dispatch").wait_for()
    page.keyboard.press("d")
    desk.find("part-f1").wait_for()
    incident = town.http.get("/incidents").json()["incidents"][0]
    assert (incident["state"], incident["assignments"][0]["overridden"]) == ("dispatched", False)

    town.later(10)
    town.step("f1", "en_route")
    page.wait_for_selector("[data-test=unit-f1][data-status=en_route]")
    before = shown_at(desk, "f1")
    town.later(20)
    town.position("f1", -400, 60)
    page.wait_for_function(
        """([id, lat]) => {
            const map = document.querySelector('.map').anlanMap;
            const found = map.querySourceFeatures('units').find((one) => one.properties.id === id);
            return found && Math.abs(found.geometry.coordinates[1] - lat) < 3e-5;
        }""",
        arg=["f1", at(-400, 60)[1]],
    )
    assert shown_at(desk, "f1") != before

    town.later(25)
    town.step("f1", "on_scene")
    page.wait_for_selector("[data-test=unit-f1][data-status=on_scene]")
    desk.find("incident-clock").get_by_text("first arrival").wait_for()
    assert "response 00:55" in desk.find("part-f1").inner_text()
    town.step("f1", "returning", outcome="resolved")
    page.get_by_text("Closed at").wait_for()
    proof = desk.find("proof")
    proof.wait_for()
    assert "1/1" in proof.inner_text()
    assert "100%" in proof.inner_text()
    desk.find("language").click()
    page.wait_for_function("() => document.documentElement.lang === 'zh-Hans'")
    assert "实际到达" in proof.inner_text()
    assert desk.complaints == []


def test_others_than_recommended_are_sent_with_a_reason_alone(desk, town):
    made = town.http.post("/incidents", json={"kind": "disturbance", "at": at(-400, 100)}).json()
    row = desk.find("incident").first
    row.get_by_role("button").click()
    desk.find("option-f1").get_by_role("checkbox").uncheck()
    desk.find("option-v1").get_by_role("checkbox").check()
    assert desk.find("dispatch").is_disabled()
    desk.find("reason").fill("needs a vehicle")
    desk.find("dispatch").click()
    desk.find("part-v1").wait_for()
    sent = town.http.get(f"/incidents/{made['id']}").json()
    assert [(part["unit"], part["overridden"]) for part in sent["assignments"]] == [("v1", True)]
    assert sent["reason"] == "needs a vehicle"


def test_every_tab_has_room(desk):
    cut = desk.page.evaluate(
        """() => {
            const box = document.querySelector('.tabs').getBoundingClientRect();
            return [...document.querySelectorAll('.tabs [role=tab]')].filter(
                (tab) => tab.getBoundingClientRect().right > box.right + 1).map((tab) => tab.id);
        }"""
    )
    assert cut == []
