"""The pages of cases, as a duty officer and a grid worker use them, against the real server over the tall district."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import STATIC, Visit
from tests.command.conftest import served
from tests.matters.conftest import AT, ground_point, picture, tall_pack
from tests.waiting import PATIENCE_S

from anlan.cli.terminal import everything
from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.staff import NewOffice, Staff, read_roles

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOME = "d-w-s-w-s"
FILES = {"name": "photo.png", "mimeType": "image/png"}


class Desk:
    """The tall district with everybody's roles for a guest; the test drives its time, and is a colleague by HTTP."""

    def __init__(self, folder, pack=None):
        self.clock = FollowedClock(AT)
        self.district = District.open(pack or tall_pack(), folder, clock=self.clock)
        areas, matters = self.district.pack.areas, self.district.matters
        self.staff = Staff(self.district.store, read_roles(), areas)
        self.app = create_app(self.district, staff=self.staff, guest=everything("guest", areas, matters.kinds.rights()))

    def asked(self, what, kind="light", area=HOME, **more):
        """Open a resident's request."""
        filled = {"kind": kind, "source": "hotline", "what": what}
        made = self.http.post("/cases", json={"type": "resident_request", "area": area, "filled": filled} | more)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def step(self, case_id, step, **more):
        made = self.http.post(f"/cases/{case_id}/steps", json={"step": step, **more})
        assert made.status_code == 200, made.text

    def entering(self, role, area="d-w"):
        """Return the link by which somebody signs in who holds a role in an area."""
        now = datetime.now(UTC)
        account = self.staff.open_account(role, role, None, "test", now)
        office = self.staff.make_office(NewOffice(name={"en": role}, role_ids=(role,), area_id=area), "test", now)
        self.staff.appoint(office.office_id, account.account_id, "test", now)
        return f"{self.url}/#enter={self.staff.link(account.account_id, 'test', now)}"

    def state(self, case_id):
        return self.http.get(f"/cases/{case_id}").json()["state"]


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    try:
        with served(made.app) as made.url, httpx.Client(timeout=PATIENCE_S) as made.http:
            made.http.base_url = f"{made.url}/api/v1"
            yield made
    finally:
        made.district.close()


@pytest.fixture
def seen(chromium, desk):
    assert STATIC.is_dir()
    made = []

    def opened(where="#/cases", **context):
        visit = Visit(chromium, desk.url, **context)
        made.append(visit)
        visit.page.goto(f"{desk.url}/{where}")
        visit.page.wait_for_selector("main.cases")
        return visit

    yield opened
    for one in made:
        assert one.complained() == []
        one.context.close()


def opened_id(visit):
    """Wait until the page is at a case, which is no new one, and return its id."""
    expect(visit.page).to_have_url(re.compile(r"#/cases/(?!new\b)[^/?]+$"))
    visit.find("case").wait_for()
    return visit.page.url.rsplit("/", 1)[1]


def wait_rows(visit, wanted):
    visit.page.wait_for_function(
        "(ids) => JSON.stringify([...document.querySelectorAll('[data-test=case-row]')].map((one) => one.dataset.case))"
        " === JSON.stringify(ids)",
        arg=wanted,
    )


def wait_light(visit, light, wanted):
    expect(visit.find(f"light-{light}").locator("b")).to_have_text(str(wanted))


def test_a_list_is_narrowed_sought_and_handed_on_by_its_address(desk, seen):
    lamp, road = desk.asked("弄堂口路灯不亮"), desk.asked("hole in Yuyuan Road", kind="road", area="d-e-n-e-n")
    visit = seen()
    wait_rows(visit, [lamp, road])
    visit.find("filter-area-0").select_option("d-e")
    wait_rows(visit, [road])
    expect(visit.page).to_have_url(re.compile("area=d-e"))
    visit.find("filter-clear").click()
    wait_rows(visit, [lamp, road])
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("路灯")
    wait_rows(visit, [lamp])
    expect(visit.page).to_have_url(re.compile("q="))
    handed_on = visit.page.url.split("/", 3)[3]
    other = seen(handed_on)
    wait_rows(other, [lamp])
    expect(other.find("case-search")).to_have_value("路灯")
    other.find("filter-clear").click()
    wait_rows(other, [lamp, road])
    other.find("filter-due").select_option("24")
    wait_rows(other, [lamp, road])
    other.page.wait_for_timeout(1500)
    assert (
        len([url for url in other.asked if "due_before" in url and "/cases?" in url]) <= 2
    )  # once, or as a minute ends
    other.find("case-search").fill("nothing of the kind")
    other.find("no-cases").get_by_text("No case is like that").wait_for()


def test_lights_are_counted_and_change_with_what_is_told(desk, seen):
    first = desk.asked("dark")
    visit = seen()
    wait_rows(visit, [first])
    wait_light(visit, "green", 1)
    second = desk.asked("darker")
    wait_rows(visit, [first, second])
    desk.clock.set(desk.clock.now() + timedelta(days=30))
    visit.page.reload()
    wait_light(visit, "red", 2)
    visit.find("light-yellow").click()
    visit.find("no-cases").get_by_text("No case is like that").wait_for()
    visit.find("light-red").click()
    wait_rows(visit, [first, second])


def test_a_long_list_is_read_part_by_part(desk, seen):
    made = [desk.asked(f"request {k}") for k in range(55)]
    visit = seen("#/cases?order=opened")
    visit.find("more").wait_for()
    wait_rows(visit, made[:4:-1])
    visit.find("more").click()
    wait_rows(visit, made[::-1])
    limits = [url for url in visit.asked if "/cases?" in url]
    assert all("limit=50" in url for url in limits)


def test_the_list_and_a_case_go_by_keys(desk, seen):
    first, second = desk.asked("one"), desk.asked("two")
    visit = seen()
    wait_rows(visit, [first, second])
    for at in (first, second):
        visit.page.keyboard.press("j")
        expect(visit.page.locator(f"[data-case='{at}']")).to_be_focused()
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(f"[data-test=case] >> text={second}")
    visit.page.keyboard.press("Escape")
    wait_rows(visit, [first, second])
    visit.page.keyboard.press("?")
    visit.find("keys-help").wait_for()
    visit.page.keyboard.press("Escape")
    expect(visit.find("keys-help")).to_have_count(0)  # while it is open, it has the keys
    visit.page.keyboard.press("b")
    visit.find("board").wait_for()
    visit.page.keyboard.press("c")
    visit.find("days").wait_for()


def both_sent(visit, names, file):
    """Choose a file for each name, and let the first be answered when the second is on its way too."""
    held = []

    def hold(route):
        held.append(route)

    visit.page.route("**/cases/files*", hold)
    for k, name in enumerate(names, 1):
        visit.find(f"file-{name}").set_input_files(file)
        assert visit.until(lambda k=k: len(held) == k)
    for name, route in zip(names, held, strict=True):
        route.continue_()
        visit.find(f"sent-{name}").get_by_text("sent").wait_for()
    visit.page.unroute("**/cases/files*")
    for name in names:  # what came first is still there
        expect(visit.find(f"sent-{name}")).to_contain_text("sent")


def test_a_step_is_taken_by_a_form_that_asks_for_what_it_takes(desk, seen):
    case_id = desk.asked("路灯不亮")
    desk.step(case_id, "assign")
    desk.step(case_id, "accept")
    visit = seen(f"#/cases/{case_id}")
    visit.find("step-fix").click()
    visit.page.wait_for_function("() => document.activeElement.dataset.test === 'field-answer'")
    visit.find("field-answer").fill("已更换灯泡")
    both_sent(visit, ("photo_before", "photo_after"), FILES | {"buffer": picture("the same")})
    visit.find("take-step").click()
    expect(visit.find("refusal").locator("dd")).to_have_text(
        ["evidence photo_after of fix", "must be another file than photo_before", "store a picture of each"]
    )
    expect(visit.find("field-answer")).to_have_value("已更换灯泡")
    visit.refused()
    with visit.page.expect_response("**/cases/files*") as sent:  # that the one before was sent still stands there
        visit.find("file-photo_after").set_input_files(FILES | {"buffer": picture("another")})
    assert sent.value.ok
    visit.find("sent-photo_after").get_by_text("sent").wait_for()
    visit.find("take-step").click()
    visit.find("step-form").wait_for(state="detached")
    assert desk.state(case_id) == "fixed"
    visit.page.wait_for_selector("[data-test=history] img.thumb")
    wide = "() => [...document.querySelectorAll('[data-test=history] img.thumb')].map((one) => one.naturalWidth)"
    visit.page.wait_for_function(f"() => ({wide})().every((n) => n === 8)")
    expect(visit.find("fields")).to_contain_text("已更换灯泡")


def test_a_file_that_did_not_arrive_goes_with_the_next_try(desk, seen):
    case_id = desk.asked("dark")
    desk.step(case_id, "assign")
    desk.step(case_id, "accept")
    visit = seen(f"#/cases/{case_id}")
    visit.find("step-fix").click()
    visit.find("field-answer").fill("mended")
    visit.page.route("**/cases/files*", lambda route: route.abort())
    for name in ("photo_before", "photo_after"):
        visit.find(f"file-{name}").set_input_files(FILES | {"buffer": picture(name)})
        visit.find(f"again-{name}").wait_for()
    visit.refused()
    visit.page.unroute("**/cases/files*")
    visit.find("again-photo_before").click()
    visit.find("sent-photo_before").get_by_text("sent").wait_for()
    visit.find("take-step").click()
    visit.find("step-form").wait_for(state="detached")
    assert desk.state(case_id) == "fixed"


def test_a_form_that_is_left_gives_the_focus_back(desk, seen):
    visit = seen(f"#/cases/{desk.asked('dark')}")
    visit.find("step-assign").wait_for()
    asking = visit.page.locator("[data-test^=step-][aria-expanded]").first
    asking.click()
    visit.find("step-form").wait_for()
    visit.page.keyboard.press("Escape")
    expect(visit.find("step-form")).to_have_count(0)
    expect(asking).to_be_focused()


def test_who_was_slower_is_told_and_keeps_what_was_written(desk, seen):
    case_id = desk.asked("dark")
    desk.step(case_id, "assign")
    visit = seen(f"#/cases/{case_id}")
    visit.find("step-refuse").click()
    visit.find("step-note").fill("not ours")
    desk.step(case_id, "accept")
    told = visit.find("overtaken")
    expect(told).to_contain_text("take on")
    expect(told).to_contain_text("no longer possible")
    expect(visit.find("step-note")).to_have_value("not ours")
    expect(visit.find("take-step")).to_be_disabled()
    other = desk.asked("dark, too")
    visit = seen(f"#/cases/{other}")
    visit.find("step-forward").click()
    visit.find("field-forwarded_to").select_option("utility")
    visit.find("field-answer").fill("passed on")
    desk.step(other, "assign")
    visit.find("go-on").click()
    visit.find("take-step").click()
    visit.find("step-form").wait_for(state="detached")
    assert desk.state(other) == "forwarded"


def test_a_refusal_is_read_in_chinese(desk, seen):
    case_id = desk.asked("dark")
    visit = seen(f"#/cases/{case_id}", locale="zh-CN")
    visit.find("step-confer").click()
    refusal = visit.find("refusal")
    for words in ("条件未满足", "两次退单后方可会商", "先满足条件，或办其他步骤", "提交会商"):
        expect(refusal).to_contain_text(words)
    visit.refused()


def test_a_new_case_shows_where_it_would_go_and_what_is_open_around_it(desk, seen):
    lon, lat = ground_point(HOME)
    near = desk.asked("a lamp", area=None, lon=lon, lat=lat)
    visit = seen("#/cases/new")
    visit.find("new-type").select_option("resident_request")
    visit.find("field-kind").select_option("light")
    visit.find("lon").fill(str(lon))
    visit.find("lat").fill(str(lat + 1e-4))
    visit.find("lat").blur()
    visit.find("route-owner").get_by_text("d-w-s").wait_for()
    expect(visit.find("near").locator("[data-test=case-row]")).to_have_attribute("data-case", near)
    visit.find("field-kind").select_option("safety")
    expect(visit.find("route-owner")).to_have_text("d-w")
    expect(visit.find("route")).to_contain_text("what is a danger goes to the street at once")
    visit.find("field-source").select_option("counter")
    visit.find("field-what").fill("loose rail")
    visit.find("open-case").click()
    visit.find("owner").wait_for()
    made = desk.http.get(f"/cases/{opened_id(visit)}").json()
    assert (made["fields"]["what"], made["owner_area"]) == ("loose rail", "d-w")
    assert made["lat"] == pytest.approx(lat + 1e-4)


def test_a_click_on_the_map_says_where(seen):
    visit = seen("#/cases/route?type=resident_request")
    visit.page.wait_for_selector(".spot-map canvas")
    visit.page.wait_for_function("() => document.querySelector('.spot-map').anlanMap.loaded()")
    lon, lat = ground_point("d-e-n-e-n")
    visit.page.wait_for_selector(".spot-map[data-state=drawn]")
    x, y = visit.page.evaluate(
        """([lon, lat]) => {
            const map = document.querySelector('.spot-map');
            map.scrollIntoView();
            const [point, box] = [map.anlanMap.project([lon, lat]), map.getBoundingClientRect()];
            return [point.x + box.left, point.y + box.top];
        }""",
        [lon, lat],
    )
    visit.page.mouse.click(x, y)
    visit.find("route-owner").get_by_text("d-e-n").wait_for()
    visit.page.wait_for_function(
        "(lon) => Math.abs(Number(document.querySelector('[data-test=lon]').value) - lon) < 1e-4", arg=lon
    )
    expect(visit.find("rule")).to_contain_text("cannot tell whether kind == 'safety'")
    visit.find("field-kind").select_option("safety")
    visit.find("rule").get_by_text("It fits, and decides").wait_for()


def test_a_case_moves_on_the_board_by_its_menu(desk, seen):
    case_id = desk.asked("dark")
    visit = seen("#/cases/board?type=resident_request")
    card = visit.page.locator("[data-test=column-received] [data-test=board-card]")
    card.locator("[data-test=card-steps]").focus()
    visit.page.keyboard.press("Enter")
    visit.find("card-step-assign").wait_for()
    visit.page.wait_for_function("() => document.activeElement.dataset.test === 'card-step-assign'")
    visit.page.keyboard.press("Enter")
    moved = visit.page.locator("[data-test=column-assigned] [data-test=board-card]")
    moved.wait_for()
    expect(card).to_have_count(0)
    assert desk.state(case_id) == "assigned"
    moved.locator("[data-test=card-steps]").click()
    visit.find("card-step-refuse").click()
    visit.find("step-note").fill("not ours")
    visit.find("take-step").click()
    card.wait_for()
    assert desk.state(case_id) == "received"


def test_a_calendar_shows_what_is_due_what_is_held_and_make_up_days(desk, seen):
    case_id = desk.asked("dark")
    filled = {"topic": "crowd", "form": "class", "audience": "merchants", "held_on": "2026-02-20"}
    made = desk.http.post("/cases", json={"type": "public_class", "area": "d-w-s-w", "filled": filled})
    assert made.status_code == 201, made.text
    visit = seen("#/cases/calendar")
    expect(visit.find("month")).to_have_text("February 2026")
    expect(visit.find("day-2026-02-14")).to_contain_text("make-up day")
    expect(visit.find("day-2026-02-16")).to_contain_text("Spring Festival")
    held = visit.find("day-2026-02-20").locator(".is-held a")
    expect(held).to_have_text(re.compile("^held on crowd safety, class"))
    due = desk.http.get(f"/cases/{case_id}").json()["due_at"]
    assert due == "2026-02-10T09:00:00Z"  # one working day, taken on at nine in the morning of Shanghai
    visit.find("day-2026-02-10").locator("[data-test=day-due]").click()
    wait_rows(visit, [case_id])
    visit.page.go_back()
    visit.find("day-2026-02-10").focus()
    visit.page.keyboard.press("ArrowDown")
    expect(visit.find("day-2026-02-17")).to_be_focused()
    visit.find("month-after").click()
    expect(visit.find("month")).to_have_text("March 2026")


def test_what_begins_and_what_ends_is_told_apart_however_long_its_name_is(desk, seen):
    filled = {
        "title": "New Year's Eve on the promenade " * 3, "kind": "festival", "organised": False, "venue": "quay",
        "n_expected": 900, "begins_at": "2026-02-18T18:00:00+08:00", "ends_at": "2026-02-19T02:00:00+08:00",
    }  # fmt: skip
    made = desk.http.post("/cases", json={"type": "planned_event", "area": "d-w", "filled": filled})
    assert made.status_code == 201, made.text
    visit = seen("#/cases/calendar")
    for day, word in (("18", "begins"), ("19", "ends")):
        held = visit.find(f"day-2026-02-{day}").locator(".is-held a")
        told = held.locator("[data-test=held-as]")
        expect(told).to_have_text(word)
        right = visit.until(lambda told=told, held=held: ends_within(told, held))
        assert right, f"{word!r} is cut off"


def ends_within(inner, outer):
    inside, box = inner.bounding_box(), outer.bounding_box()
    return inside["x"] + inside["width"] <= box["x"] + box["width"]


def test_a_list_is_exported_in_the_words_of_the_page(desk, seen):
    desk.asked("dark")
    visit = seen(locale="zh-CN")
    with visit.page.expect_download() as waiting:
        visit.page.get_by_role("link", name="导出 CSV 表格").click()
    written = waiting.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert written[0].startswith("事项编号,类型,类型（代码）")
    assert ",市民诉求,resident_request," in written[1]


def test_a_step_taken_outside_any_office_is_told_by_its_role(desk, seen):
    case_id = desk.asked("dark")
    visit = seen(f"#/cases/{case_id}", locale="zh-CN")
    unit = visit.find("history").locator("[data-step=open] [data-test=unit]")
    expect(unit).to_have_text("受理岗或诉求人（guest）")


def test_what_waits_for_others_is_told_with_their_roles_and_who_may_not(desk, seen):
    made = desk.http.post("/cases", json={"type": "mediation", "area": "d-w-s-w", "filled": {"kind": "neighbours"}})
    case_id = made.json()["id"]
    desk.step(case_id, "propose")
    visit = seen(f"#/cases/{case_id}")
    visit.find("step-refuse_mediator").wait_for()
    visit.find("others").locator("summary").click()
    expect(visit.find("others-begin")).to_contain_text("begin · mediator")
    expect(visit.find("others-begin")).to_contain_text("did none of: Opened, propose a mediator")


@pytest.mark.usefixtures("desk")
def test_an_area_that_is_too_large_for_a_type_is_told_before_anything_is_sent(seen):
    visit = seen("#/cases/new?type=hazard&area=d-w", locale="zh-CN", viewport={"width": 390, "height": 844})
    expect(visit.find("coarse")).to_contain_text("请继续选择下级区域")
    expect(visit.find("open-case")).to_be_disabled()
    expect(visit.find("route-owner")).to_have_count(0)
    for k in range(1, 4):
        visit.find(f"new-area-{k}").select_option(index=1)
    expect(visit.find("coarse")).to_have_count(0)
    expect(visit.find("open-case")).to_be_enabled()
    visit.page.wait_for_function(
        """() => {
            const box = (name) => document.querySelector(`[data-test=${name}]`).getBoundingClientRect();
            const [place, button] = [box('place-input'), box('open-case')];
            return place.bottom <= button.top; // nobody has to go back up to the button
        }"""
    )
    visit.fits()


def test_tables_are_filled_in_row_by_row_and_shown(desk, seen):
    visit = seen("#/cases/new?type=planned_event&area=d-w")
    for name, text in {"title": "Lantern walk", "venue": "quay", "n_expected": "900"}.items():
        visit.find(f"field-{name}").fill(text)
    visit.find("field-kind").select_option("festival")
    visit.find("field-organised").select_option("true")
    visit.find("field-begins_at").fill("2026-03-01T18:00")
    visit.find("field-ends_at").fill("2026-03-01T22:00")
    visit.page.locator(".more-fields summary").first.click()
    visit.find("add-row-zones").click()
    zones = visit.find("field-zones")
    zones.locator("[data-test=field-zone]").fill("A")
    zones.locator("[data-test=field-ground] option[value='place:quay']").wait_for(state="attached")
    zones.locator("[data-test=field-ground]").select_option("place:quay")
    zones.locator("[data-test=field-capacity]").fill("8000")
    zones.locator("[data-test=field-area_m2]").fill("4200")
    zones.locator("[data-test=field-most_per_m2]").fill("3.5")
    visit.find("open-case").click()
    visit.find("fields").get_by_text("Lantern walk").first.wait_for()
    told = desk.http.get(f"/cases/{opened_id(visit)}").json()["fields"]
    assert told["zones"] == [
        {"zone": "A", "ground": "place:quay", "capacity": 8000, "area_m2": 4200, "most_per_m2": 3.5}
    ]
    assert told["begins_at"].startswith("2026-03-01T10:00:00")  # eighteen o'clock in Shanghai, wherever the browser is
    shown = visit.find("fields").locator("table")
    expect(shown).to_contain_text("8,000")
    expect(shown).not_to_contain_text("place:quay")  # what it refers to is shown by its name


def test_the_way_leads_between_map_and_cases_and_speaks_chinese(desk, seen):
    lon, lat = ground_point(HOME)
    case_id = desk.asked("弄堂口路灯不亮", area=None, lon=lon, lat=lat)
    visit = seen(locale="zh-CN", timezone_id="America/New_York")
    wait_rows(visit, [case_id])
    for words in ("列表", "看板", "日历", "派单试算", "新建事项", "市民诉求", "已受理", "期限内", "剩 7 小时"):
        expect(visit.page.locator("main.cases")).to_contain_text(words)
    visit.find("case-row").click()
    expect(visit.find("clocks")).to_contain_text("2月10日 17:00 到期")
    visit.find("to-map").click()
    visit.page.wait_for_selector(".map canvas")
    visit.page.wait_for_function(
        """([lon, lat]) => {
            const map = document.querySelector('.map').anlanMap;
            const centre = map.getCenter();
            return Math.abs(centre.lng - lon) < 1e-4 && Math.abs(centre.lat - lat) < 1e-4;
        }""",
        arg=[lon, lat],
    )
    visit.find("back-to-case").click()
    visit.find("case").wait_for()


@pytest.mark.parametrize(("role", "shown", "steps"), [("engineer", 0, 0), ("grid_worker", 1, 2)])
def test_each_role_sees_its_own_cases_and_steps(chromium, desk, role, shown, steps):
    case_id, _ = desk.asked("dark"), desk.asked("elsewhere", area="d-e-n-e-n")
    desk.step(case_id, "assign")
    visit = Visit(chromium, desk.url)
    visit.page.goto(desk.entering(role))
    visit.find("account").wait_for()
    expect(visit.find("nav-cases")).to_have_count(shown)
    if shown:
        visit.find("nav-cases").click()
        wait_rows(visit, [case_id])
        visit.find("mine").click()
        desk.step(case_id, "refuse", note="not ours")
        visit.find("no-cases").wait_for()  # whoever handles waits for the desk now
        desk.step(case_id, "assign")
        visit.find("case-row").click()
        expect(visit.find("steps").get_by_role("button")).to_have_count(steps)
    assert visit.complained() == []
    visit.context.close()
