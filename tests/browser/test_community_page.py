"""The pages of the community, as an alliance officer uses them, against the real server over the tall district."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import STATIC, Visit
from tests.browser.test_cases_page import Desk
from tests.command.conftest import served
from tests.matters.conftest import AT, ground_point, tall_pack
from tests.waiting import PATIENCE_S

from anlan.command.views import moment
from anlan.community import Reply
from anlan.volunteers import Profile, tend
from anlan.volunteers.calling import reply
from anlan.volunteers.joining import Invitation, invite, join, who
from anlan.volunteers.rostering import enter, here, offer_place, take_offer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOUR = timedelta(hours=1)
LISTS = """
[alliances]
silk = { name = { zh = "丝绸联盟", en = "Silk alliance" }, trade = "retail", area = "d-w" }
"""
POINTS = "id,kind,lon,lat,name_zh,name_en,hours\n"


class Hall(Desk):
    """The tall district with an alliance, two service points, and volunteers who answer when the test says so."""

    def __init__(self, folder):
        (folder / "pack").mkdir()
        (folder / "pack" / "community.toml").write_text(LISTS, encoding="utf-8")
        rows = [
            f"{key},{kind},{lon},{lat},{name}\n"
            for key, kind, name, (lon, lat) in (
                ("a", "police_room", "警务室,Police room,00:00-24:00", ground_point("d-w-s-w-s")),
                ("b", "peace_house", "平安屋,Peace house,", ground_point("d-e-n-e-n")),
            )
        ]
        (folder / "pack" / "service_points.csv").write_text(POINTS + "".join(rows), encoding="utf-8")
        super().__init__(folder / "data", replace(tall_pack(), folder=folder / "pack"))
        self.hall = self.district.community
        self.link = invite(self.hall, Invitation(label="poster", area_id="d", days=400), "test")[1]

    def joined(self, name, home="d-w-s-w", **more):
        """Let somebody join; return their number."""
        token = join(self.hall, self.link, Profile(shown_name=name, home_id=home, **more))
        return who(self.hall, token)["volunteer_no"]

    def shift(self, begin=24 * HOUR, places=2, **more):
        """Plan a shift; return its id."""
        at = self.clock.now() + begin
        told = {"name": {"zh": "引导", "en": "Guide"}, "at": ground_point("d-w-s-w-s"), "places": places}
        told |= {"begin_at": moment(at), "end_at": moment(at + 4 * HOUR)} | more
        made = self.http.post("/community/shifts", json=told)
        assert made.status_code == 201, made.text
        return made.json()["id"]


@pytest.fixture
def hall(tmp_path):
    made = Hall(tmp_path)
    try:
        with served(made.app) as made.url, httpx.Client(timeout=PATIENCE_S) as made.http:
            made.http.base_url = f"{made.url}/api/v1"
            yield made
    finally:
        made.district.close()


@pytest.fixture
def seen(chromium, hall):
    assert STATIC.is_dir()
    made = []

    def opened(where="#/community", **context):
        visit = Visit(chromium, hall.url, **context)
        made.append(visit)
        visit.page.goto(f"{hall.url}/{where}")
        visit.page.wait_for_selector("main#community")
        return visit

    yield opened
    for one in made:
        assert one.complained() == []
        one.context.close()


def wait_texts(visit, name, wanted):
    """Wait until the things of a name begin with these texts."""
    visit.page.wait_for_function(
        "([name, wanted]) => JSON.stringify([...document.querySelectorAll(`[data-test=${name}]`)]"
        ".map((one) => one.querySelector('th, strong').textContent)) === JSON.stringify(wanted)",
        arg=[name, wanted],
    )


def wait_points(visit, wanted):
    """Wait until the map shows these service points and no others."""
    visit.page.wait_for_function(
        "(wanted) => JSON.stringify([...new Set(document.querySelector('[data-test=points-map]').anlanMap"
        ".querySourceFeatures('points').map((one) => one.properties.id))].sort()) === JSON.stringify(wanted)",
        arg=wanted,
    )


def test_volunteers_are_narrowed_and_tell_no_contact(hall, seen):
    hall.joined("Old", alliances=("silk",), trade="retail", contact="mailto:old@b.c")
    hall.clock.set(hall.clock.now() + timedelta(days=340))
    hall.joined("New", skills=("aed",), contact="mailto:new@b.c")
    hall.joined("East", home="d-e")
    visit = seen()
    wait_texts(visit, "volunteer", ["Old", "New", "East"])
    assert "mailto" not in visit.page.content()  # one look: all three stand there
    visit.find("volunteer-due").select_option("30")
    wait_texts(visit, "volunteer", ["Old"])
    expect(visit.find("volunteer")).to_contain_text("d left")
    visit.page.evaluate(  # both before the browser tells the page that the address has changed
        """() => {
            document.querySelector('[data-test=volunteer-clear]').click();
            const area = document.querySelector('[data-test=volunteer-area-0]');
            area.value = 'd-e';
            area.dispatchEvent(new Event('change', { bubbles: true }));
        }"""
    )
    wait_texts(visit, "volunteer", ["East"])
    visit.find("volunteer-clear").click()
    visit.find("alliance-silk").click()
    wait_texts(visit, "volunteer", ["Old"])
    expect(visit.page).to_have_url(re.compile("alliance=silk"))
    visit.find("alliance-silk").click()
    visit.find("volunteer-skill").select_option("aed")
    wait_texts(visit, "volunteer", ["New"])


def test_an_invitation_is_made_with_a_code_told_once_and_withdrawn(seen):
    visit = seen()
    visit.find("invitations-open").click()
    wait_texts(visit, "invitation", ["poster"])
    visit.find("invite-label").fill("fair")
    visit.find("invite").click()
    wait_texts(visit, "invitation", ["fair", "poster"])
    expect(visit.find("link-invitation")).to_have_text(re.compile("http"))
    link = visit.find("link-invitation").inner_text()
    assert httpx.get(link).status_code == 200  # one look: the whole link stands there
    visit.page.wait_for_function("() => document.querySelector('[data-test=code-invitation] img')?.naturalWidth > 0")
    visit.page.reload()
    visit.find("invitations-open").click()
    wait_texts(visit, "invitation", ["fair", "poster"])
    expect(visit.find("link-invitation")).to_have_count(0)
    visit.find("invitation").first.locator("[data-test=withdraw]").click()
    wait_texts(visit, "invitation", ["poster"])
    assert httpx.get(link).status_code == 404  # one look: the same


def test_a_shift_is_planned_filled_swapped_and_its_hours_counted(hall, seen):
    li, wu, xu = (hall.joined(name) for name in ("Li", "Wu", "Xu"))
    visit = seen("#/community/shifts")
    visit.page.keyboard.press("n")
    visit.find("shift-en").fill("Stairs")
    begin = AT + timedelta(hours=8 + 24)  # as the clocks of Shanghai show it
    visit.find("shift-begin").fill(f"{begin:%Y-%m-%dT%H:%M}")
    visit.find("shift-end").fill(f"{begin + 4 * HOUR:%Y-%m-%dT%H:%M}")
    visit.find("shift-places").fill("2")
    lon, lat = ground_point("d-w-s-w-s")
    visit.find("lon").fill(str(lon))
    visit.find("lat").fill(str(lat))
    visit.find("lat").blur()
    visit.find("plan-shift").click()
    visit.find("shift").get_by_text("Nobody yet.").wait_for()
    shift_id = visit.find("shift").get_attribute("data-shift")
    for number in (li, wu, xu):
        enter(hall.hall, number, shift_id)
    wait_texts(visit, "in-shift", ["Li", "Wu", "Xu"])  # read again by itself: an answer is no line of the log
    expect(visit.find("in-shift").nth(2)).to_contain_text("waits")
    offer_id = offer_place(hall.hall, li, shift_id)
    visit.find("swaps").get_by_text("Li offers a place").wait_for()
    take_offer(hall.hall, hall.joined("Yu"), offer_id)
    visit.find("swaps").get_by_text("Yu would take Li's place").wait_for()
    visit.find("lacks-swaps").click()
    wait_texts(visit, "shift-row", ["Stairs"])
    visit.page.wait_for_function("() => document.querySelector('[data-test=code-here] img')?.naturalWidth > 0")
    code = hall.http.get(f"/community/shifts/{shift_id}").json()["code"]
    expect(visit.find("link-here")).to_have_text(re.compile(f"/v/here/{re.escape(code)}$"))
    hall.clock.set(AT + 24 * HOUR)
    here(hall.hall, wu, code)
    hall.clock.set(AT + 29 * HOUR)
    visit.page.goto(f"{hall.url}/#/community/shifts?lacks=hours")
    visit.page.reload()
    wait_texts(visit, "shift-row", ["Stairs"])
    visit.find("shift-row").click()
    visit.find("complete-shift").click()
    visit.find("shift").get_by_text("completed", exact=True).wait_for()
    state = hall.http.get(f"/community/shifts/{shift_id}").json()["state"]
    assert state == "completed"


def test_a_shift_is_called_off_after_asking(hall, seen):
    shift_id = hall.shift()
    visit = seen(f"#/community/shifts/{shift_id}")
    visit.page.on("dialog", lambda dialog: dialog.accept())
    visit.find("cancel-shift").click()
    visit.find("shift").get_by_text("called off", exact=True).wait_for()
    assert hall.http.get(f"/community/shifts/{shift_id}").json()["state"] == "cancelled"


def test_answers_to_a_call_out_come_in_by_themselves_and_it_is_stopped(hall, seen):
    li, _wu, _xu = (hall.joined(name) for name in ("Li", "Wu", "Xu"))
    visit = seen("#/community/callouts?new=1")
    lon, lat = ground_point("d-w-s-w-s")
    visit.find("call-words").fill("Guide people")
    visit.find("call-quota").fill("2")
    visit.find("lon").fill(str(lon))
    visit.find("lat").fill(str(lat))
    visit.find("lat").blur()
    expect(visit.find("nearby").locator("b").last).to_have_text("3")
    visit.find("call").click()
    visit.find("call-out").wait_for()
    call_id = visit.find("call-out").get_attribute("data-call")
    expect(visit.find("answer-yes")).to_have_text("0")
    reply(hall.hall, li, call_id, Reply.YES)
    visit.find("coming").get_by_text("Li").wait_for()
    expect(visit.find("answer-yes")).to_have_text("1")
    visit.find("stop-call").click()
    expect(visit.find("call-state")).to_have_text("stopped")
    state = hall.http.get(f"/community/call-outs/{call_id}").json()["state"]
    assert state == "stopped"
    expect(visit.find("stop-call")).to_have_count(0)


def test_first_helpers_are_called_from_an_incident_and_end_with_it(hall, seen):
    hall.joined("Li")
    at = ground_point("d-w-s-w-s")
    incident = hall.http.post("/incidents", json={"kind": "medical", "at": at, "note": "third floor"}).json()
    visit = seen(f"#/community/callouts?new=1&incident={incident['id']}")
    expect(visit.find("call-incident")).to_have_value(incident["id"])
    visit.find("call-words").fill("Bring the defibrillator")
    visit.find("call-quota").fill("1")
    visit.find("call").click()
    visit.find("call-out").get_by_text(incident["id"]).wait_for()
    expect(visit.find("call-out")).not_to_contain_text("third floor")
    hall.http.post(f"/incidents/{incident['id']}/close", json={"outcome": "resolved"})
    tend(hall.hall, hall.district.reach)
    expect(visit.find("call-state")).to_have_text("over")


def test_points_and_who_lives_within_a_walk_are_on_the_map_and_in_a_table(hall, seen):
    visit = seen("#/community/points?level=street")
    visit.find("kind-peace_house").click()
    visit.find("points").get_by_text("Peace house").wait_for()
    visit.find("points").get_by_text("hours unknown").wait_for()
    visit.page.wait_for_selector("[data-test=points-map][data-state=drawn]")
    drawn = "document.querySelector('[data-test=points-map]').anlanMap"
    visit.page.wait_for_function(
        f"() => {drawn}.querySourceFeatures('points').some((one) => one.properties.id === 'b')"
    )
    visit.page.wait_for_function(f"() => {drawn}.queryRenderedFeatures({{ layers: ['area-fills'] }}).length > 0")
    told = hall.http.get("/community/points/coverage", params={"level": "street"}).json()
    share = {one["properties"]["id"]: one["properties"]["peace_house_300"] for one in told["areas"]["features"]}
    least = min(share, key=lambda key: share[key])
    row = visit.find("covered-areas").locator("tbody tr").first
    expect(row.locator("th")).to_have_text(least)
    expect(row).to_contain_text(f"{share[least]:.0%}")
    visit.find("kind-police_room").click()
    wait_points(visit, ["a"])


@pytest.mark.parametrize("page", ["volunteers", "shifts", "callouts", "points"])
def test_a_page_speaks_chinese_and_fits_a_telephone(hall, seen, page):
    hall.joined("Li", alliances=("silk",), trade="retail", skills=("aed",))
    hall.shift()
    visit = seen(f"#/community/{page}", locale="zh-CN", viewport={"width": 390, "height": 844})
    loaded = {"volunteers": "volunteer", "shifts": "shift-row", "callouts": "call-outs", "points": "covered-areas"}
    visit.page.wait_for_selector(f"[data-test={loaded[page]}]", state="attached")
    words = {"volunteers": "平安商户联盟", "shifts": "缺人", "callouts": "发起召集", "points": "步行"}
    expect(visit.page.locator("main#community")).to_contain_text(words[page])
    visit.fits()


def test_without_the_right_there_is_no_community(chromium, hall):
    visit = Visit(chromium, hall.url)
    visit.page.goto(hall.entering("grid_worker"))
    visit.find("account").wait_for()
    expect(visit.find("nav-cases")).to_have_count(1)
    expect(visit.find("nav-community")).to_have_count(0)
    visit.page.goto(f"{hall.url}/#/community/volunteers")
    visit.page.wait_for_selector(".map canvas")
    expect(visit.page.locator("main#community")).to_have_count(0)
    visit.context.close()
