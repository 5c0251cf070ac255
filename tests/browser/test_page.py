"""The page, driven as a duty officer drives it, against the real server over a small district."""

import re
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from playwright.sync_api import expect
from shapely.geometry import Point, Polygon, shape
from tests.browser.conftest import Visit, played
from tests.small import PLANE, ring, square

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUAY = square(100, -400, 80, 600)
GREY = 65534


OVER = """([over, others]) => {
    const box = document.querySelector(over).getBoundingClientRect();
    return others.filter((name) => {
        const other = document.querySelector(name).getBoundingClientRect();
        const across = other.left < box.right && box.left < other.right;
        return across && other.top < box.bottom && box.top < other.bottom;
    });
}"""
"""Which of others lie where one lies."""


def degrees(x_m, y_m):
    point = PLANE.unproject(Point(x_m, y_m))
    return point.x, point.y


def written(n):
    """Return a number as the page writes it in English."""
    step = 1000 if n >= 100_000 else 100 if n >= 10_000 else 10 if n >= 1_000 else 1
    return f"{int(n / step + 0.5) * step:,}"  # halves go up, as in the browser


def draw(seen, corners):
    """Draw a polygon with the mouse, given its corners in metres, and return what was asked of the server."""
    page = seen.page
    seen.find("draw").click()
    expect(seen.find("draw")).to_have_attribute("aria-pressed", "true")
    seen.settle()  # or the ground moves under the pointer
    page.wait_for_timeout(300)
    where = [seen.at(*degrees(*corner)) for corner in corners]
    with page.expect_response(lambda answer: answer.url.endswith("/api/v1/count")) as counted:
        for x, y in [*where, where[0]]:
            page.mouse.move(x, y)
            page.wait_for_timeout(120)
            page.mouse.click(x, y)
            page.wait_for_timeout(250)
    return counted.value.request.post_data_json["polygon"], counted.value.json()


CORNERS = [(-450, -100), (-180, -100), (-180, 260), (-450, 260)]


def test_the_page_opens_quietly_and_asks_no_other_host(visit, live):
    seen = visit()
    total = live.http.get("/district").json()
    expect(seen.page).to_have_title(re.compile("Small"))
    expect(seen.find("notice")).to_have_text("Schematic map")
    expect(seen.page.locator(".simulation")).to_contain_text("Simulated district")
    assert total["simulated"]
    assert {urlsplit(url).netloc for url in seen.asked if not url.startswith(("blob:", "data:"))} == {
        urlsplit(live.url).netloc
    }
    assert seen.complained() == []


def test_the_strip_shows_the_districts_number(visit, live):
    seen = visit()
    live.minute()
    expect(seen.find("total")).to_have_text(written(live.district.total().occupancy))


def test_each_cell_is_drawn_by_its_density_and_the_unknown_is_not_drawn_as_empty(visit, live):
    seen = visit()
    answer = live.http.get("/density")
    grid = live.http.get("/district").json()["grid"]
    cells = np.frombuffer(answer.content, "<u2").reshape(grid["n_rows"], grid["n_columns"])
    size = 4

    def picture():
        drawn = seen.page.evaluate(
            """() => {
                const picture = document.querySelector('.map').anlanMap.getSource('density').getCanvas();
                return [...picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data];
            }"""
        )
        return np.array(drawn).reshape(grid["n_rows"], size, grid["n_columns"], size, 4)

    walkable = cells < GREY
    crowded = walkable & (cells >= 100)
    assert crowded.any()
    assert (cells == GREY).any() or live.district.total().unknown is None

    def is_drawn():
        opaque = picture()[..., 3].max(axis=(1, 3)) > 0
        return (opaque == (crowded | (cells == GREY))).all()

    assert seen.until(is_drawn)
    drawn = picture()
    hatched = drawn[..., 3].std(axis=(1, 3)) > 0
    assert hatched[cells == GREY].all()
    assert not hatched[walkable].any()
    steps = np.digitize(cells, [100, 300, 700, 1000, 2000, 3000, 4000, 5000])
    colours = drawn[:, 0, :, 0, :3]
    for step in np.unique(steps[crowded]):
        assert len(np.unique(colours[walkable & (steps == step)], axis=0)) == 1


def test_the_density_is_on_the_map(visit, live):
    seen = visit()
    densities = live.district.density()[1]
    known = np.where(np.isfinite(densities), densities, 0)
    assert known.max() > 0.1
    row, column = np.unravel_index(known.argmax(), known.shape)
    grid = live.http.get("/district").json()["grid"]
    (w, n), (e, _), _, (_, s) = grid["corners"]
    lon = w + (column + 0.5) / grid["n_columns"] * (e - w)
    lat = n + (row + 0.5) / grid["n_rows"] * (s - n)
    shown = seen.pixels(lon, lat, half=3)
    seen.page.evaluate(
        "() => document.querySelector('.map').anlanMap.setLayoutProperty('density', 'visibility', 'none')"
    )
    assert seen.until(lambda: seen.pixels(lon, lat, half=3) != shown)


def test_a_drawn_polygon_gets_the_very_number_of_the_api(visit, live):
    seen = visit()
    polygon, told = draw(seen, CORNERS)
    asked = live.http.post("/count", json={"polygon": polygon}).json()
    assert asked["occupancy"] == told["occupancy"] > 10  # nobody but the test lets a minute pass
    seen.shows("occupancy", asked["occupancy"])
    expect(seen.find("occupancy")).to_have_text(re.compile(rf"^{written(asked['occupancy'])}\s*\D+$"))
    between = f"between {written(asked['low'])} and {written(asked['high'])} with 90% probability"
    expect(seen.find("interval")).to_have_text(between)
    drawn = PLANE.project(shape(polygon))
    assert drawn.symmetric_difference(Polygon(CORNERS)).area < 0.05 * drawn.area
    seen.page.wait_for_selector(".curve canvas")
    assert seen.complained() == []


def test_the_shown_polygon_is_counted_again_each_minute(visit, live):
    seen = visit()
    polygon, _ = draw(seen, CORNERS)
    seen.page.wait_for_selector("[data-test=occupancy]")
    live.minute(2)
    told = live.http.post("/count", json={"polygon": polygon}).json()
    seen.shows("occupancy", told["occupancy"])


def test_a_drawn_polygon_survives_the_change_of_theme(visit):
    seen = visit()
    draw(seen, CORNERS)
    seen.page.wait_for_selector("[data-test=occupancy]")
    edge = degrees(-180, 55)
    with_line = seen.pixels(*edge, half=4)
    seen.find("theme").click()
    expect(seen.page.locator("html")).to_have_attribute("data-theme", "dark")

    def dark():
        shown = np.array(seen.pixels(*edge, half=4)).reshape(-1, 4)
        line = (shown[:, 0] > 200) & (shown[:, 1] < 160)  # the selection's, in the dark theme's colour
        return line.any() and shown.ravel().tolist() != with_line

    assert seen.until(dark)
    assert seen.complained() == []


def test_corners_can_be_typed_instead_of_drawn(visit, live):
    seen = visit()
    seen.find("coordinates").press("Enter")
    text = "\n".join(f"{lon}, {lat}" for lon, lat in ring(QUAY)["coordinates"][0][:-1])
    seen.find("corners-text").fill("hello")
    seen.find("corners-count").press("Enter")
    expect(seen.page.locator("dialog")).to_contain_text("cannot be read")
    seen.find("corners-text").fill(text)
    seen.find("corners-count").press("Enter")
    told = live.http.post("/count", json={"polygon": ring(QUAY)}).json()
    seen.shows("occupancy", told["occupancy"])


def test_the_address_leads_back_to_what_is_chosen_and_to_the_open_list(visit, live):
    seen = visit()
    seen.find("place-quay").click()
    seen.find("tab-devices").click()
    seen.page.wait_for_function("() => location.hash === '#/map?place=quay&tab=devices'")
    other = visit(f"{live.url}/{seen.page.evaluate('() => location.hash')}")
    expect(other.find("card").get_by_role("heading", level=2)).to_have_text("Quay")
    expect(other.find("tab-devices")).to_have_attribute("aria-selected", "true")
    other.page.evaluate("() => { location.hash = '#/map?tab=reach&device=quay-1' }")
    expect(other.find("tab-reach")).to_have_attribute("aria-selected", "true")
    expect(other.find("card")).to_contain_text("quay-1")
    other.page.locator(".card-head button").click()
    other.page.wait_for_function("() => location.hash === '#/map?tab=reach'")
    corners = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in ring(QUAY)["coordinates"][0][:-1])
    drawn = visit(f"{live.url}/#/map?polygon={corners}")
    drawn.find("occupancy").wait_for()
    drawn.page.reload()
    drawn.find("occupancy").wait_for()
    assert drawn.complained() == []


def test_a_polygon_that_crosses_itself_is_answered_with_the_rule(visit):
    seen = visit()
    seen.find("coordinates").click()
    bow = [degrees(*at) for at in [(-400, 0), (-200, 200), (-200, 0), (-400, 200)]]
    seen.find("corners-text").fill("\n".join(f"{lon}, {lat}" for lon, lat in bow))
    seen.find("corners-count").click()
    crosses = re.compile("cross|intersect", re.IGNORECASE)
    expect(seen.page.locator(".card [role=alert]")).to_contain_text(crosses)


def test_unknown_is_said_with_its_reason_and_never_as_zero(visit):
    seen = visit()
    seen.find("place-kiosk").click()
    expect(seen.find("card")).to_contain_text("Unknown")
    expect(seen.find("card")).to_contain_text("single out people")
    expect(seen.find("place-kiosk")).to_contain_text("unknown")


def test_the_language_changes_in_place(visit):
    seen = visit()
    seen.page.evaluate("() => { window.stillHere = true; }")
    before = seen.pixels(*degrees(140, -100), half=20)
    expect(seen.page.locator(".list")).to_contain_text("Quay")
    seen.find("language").click()
    seen.page.wait_for_function("() => document.documentElement.lang === 'zh-Hans'")
    expect(seen.page.locator(".list")).to_contain_text("滩")
    expect(seen.page.locator(".simulation")).to_contain_text("模拟的区")
    expect(seen.find("notice")).to_have_text("示意图")
    expect(seen.page).to_have_title(re.compile("^小区"))
    assert seen.until(lambda: seen.pixels(*degrees(140, -100), half=20) != before)
    assert seen.page.evaluate("() => window.stillHere")  # one look: nothing could bring it back
    assert seen.complained() == []


def test_no_text_of_one_language_is_left_in_the_other(visit):
    seen = visit()
    for tab in ("places", "devices", "areas", "watches"):
        seen.find(f"tab-{tab}").click()
        expect(seen.find(f"tab-{tab}")).to_have_attribute("aria-selected", "true")
        assert seen.until(lambda: not seen.under_way)  # or what is still to come has not been looked at
        other = re.compile("[\u4e00-\u4e2c\u4e2e-\u9fff]")  # 中 is the name of the other language
        expect(seen.page.locator("body")).not_to_contain_text(other)


def test_chinese_labels_are_drawn_by_the_bundled_font(visit):
    seen = visit(locale="zh-CN")
    assert seen.until(lambda: [url for url in seen.asked if "noto-sans-sc" in url and url.endswith(".woff2")])
    quay = degrees(140, -100)

    def drawn(sign):
        seen.page.evaluate(
            """(sign) => {
                const map = document.querySelector('.map').anlanMap;
                map.setLayoutProperty('device-symbols', 'visibility', 'none');
                map.setLayoutProperty('place-names', 'text-field', sign);
                map.setLayoutProperty('place-names', 'text-size', 30);
            }""",
            sign,
        )
        return np.array(seen.pixels(*quay, half=18)).reshape(-1, 4)

    def are_told_apart():
        blank, quays, gardens = drawn(""), drawn("滩"), drawn("园")
        ink = [(np.abs(one - blank).sum(axis=1) > 60).sum() for one in (quays, gardens)]
        # boxes for missing signs would all look alike
        return min(ink) > 60 and (np.abs(quays - gardens).sum(axis=1) > 60).sum() > 60

    assert seen.until(are_told_apart)


def test_the_theme_follows_the_system_until_it_is_chosen(visit):
    seen = visit(color_scheme="dark")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    dark = seen.page.evaluate(ground)
    sea = seen.pixels(*degrees(450, -450), half=2)
    seen.find("theme").click()
    assert seen.until(lambda: seen.page.evaluate(ground) != dark)
    assert seen.until(lambda: seen.pixels(*degrees(450, -450), half=2) != sea)
    seen.page.reload()
    seen.page.wait_for_selector(".map canvas")
    expect(seen.page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_device_shows_its_curve_its_health_and_its_tally(visit, live):
    seen = visit()
    x, y = seen.at(*degrees(140, -170))
    seen.page.mouse.click(x, y)
    seen.page.wait_for_selector("[data-test=card] .curve canvas")
    told = live.http.get("/devices/quay-1").json()
    for words in ("Quay 1", f"{told['last']['present']:,} present"):
        expect(seen.find("card")).to_contain_text(words)
    accepted = seen.find("card").locator("tr", has=seen.page.get_by_role("rowheader", name="Accepted"))
    expect(accepted.locator("td").first).to_have_text(f"{told['tally']['accepted']:,}")


def test_a_watch_area_is_saved_listed_and_deleted(visit, live):
    seen = visit()
    draw(seen, CORNERS)
    seen.find("watch-name").fill("north entrance")
    seen.find("watch-save").click()
    seen.find("tab-watches").click()
    expect(seen.find("watch")).to_contain_text("north entrance")
    (kept,) = live.http.get("/watches").json()["watches"]
    assert kept["name"] == "north entrance"
    seen.page.on("dialog", lambda asked: asked.accept())
    seen.find("watch-end").click()
    seen.page.wait_for_selector("[data-test=watch]", state="detached")
    assert live.http.get("/watches").json()["watches"] == []


def test_the_pace_of_a_played_district_is_changed_on_the_page(visit, live):
    seen = visit()
    seen.page.get_by_role("button", name="30×").click()
    seen.page.wait_for_selector("button[aria-pressed=true]:has-text('30×')")
    assert live.player.speed == 30
    seen.find("pause").click()
    seen.page.wait_for_selector("[data-test=pause][aria-pressed=true]")
    assert live.player.paused is True
    with seen.page.expect_response(lambda answer: "/simulation" in answer.url and answer.request.method != "GET"):
        seen.find("scenario").select_option("day")
    expect(seen.find("scenario")).to_have_value("day")
    assert live.player.scenario == "day"
    live.player.control("eve", 10.0, paused=False)


def test_a_lost_server_is_said_with_the_time_of_the_last_data(chromium, tmp_path):
    with played(tmp_path, minutes=3) as made:
        seen = Visit(chromium, made.url)
        seen.open()
        seen.page.wait_for_selector(".live-live")
        at = made.district.estimated_at.astimezone(ZoneInfo("Asia/Shanghai"))
    seen.page.wait_for_selector("[data-test=stale]")
    expect(seen.find("live")).to_have_text(f"Connection lost, last data 31 Dec, {at:%H:%M}")
    seen.context.close()


def test_it_is_said_by_how_much_numbers_and_counts_are_behind(chromium, tmp_path):
    with played(tmp_path, minutes=3) as made:
        made.player.paused = True  # the page's own clock stands: how long it took to open is no delay
        seen = Visit(chromium, made.url)
        seen.open()
        seen.page.wait_for_selector(".live-live")
        expect(seen.find("lag")).to_have_count(0)
        made.clock.set(made.clock.now() + timedelta(minutes=4))
        late = made.seen("quay-1", end_at=made.clock.now() - timedelta(minutes=3), n_present=4000)
        made.district.observe([late, made.seen("walk-1", n_in=300, n_out=300)])
        seen.open()
        # the minute that is being made may count
        said = r"^numbers [45] min behind; counts come 3 min late \(1 of 6 devices\)$"
        expect(seen.find("lag")).to_have_text(re.compile(said))
        seen.context.close()


def test_everything_that_can_be_pressed_has_a_name_and_is_large_enough(visit):
    seen = visit()
    draw(seen, CORNERS)
    seen.page.wait_for_selector("[data-test=occupancy]")
    faults = seen.faults(
        """() => [...document.querySelectorAll('button, select, input, textarea, a[href], summary')].flatMap((one) => {
            const { width, height } = one.getBoundingClientRect();
            if (width === 0 || one.matches('.skip') || one.closest('.maplibregl-ctrl-attrib')) return [];
            const name = one.getAttribute('aria-label') || one.innerText || one.title || one.labels?.[0]?.innerText;
            const faults = [];
            if (!name?.trim()) faults.push(`no name: ${one.outerHTML.slice(0, 120)}`);
            if (width < 24 || height < 24) faults.push(`${width}x${height}: ${one.outerHTML.slice(0, 120)}`);
            return faults;
        })"""
    )
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_in_both_themes(visit, theme):
    seen = visit(color_scheme=theme)
    seen.find("tab-devices").click()
    faint = seen.faults(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const ink = new OffscreenCanvas(1, 1).getContext('2d');
            const lightness = (colour) => {
                ink.fillStyle = colour;
                const hex = ink.fillStyle; // in six digits, however few it was written with
                const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
                const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const pairs = [
                ['ink', 'paper'], ['ink', 'ground'], ['ink', 'raised'], ['ink', 'chosen'], ['paper', 'ink'],
                ['quiet', 'paper'], ['quiet', 'ground'], ['quiet', 'chosen'], ['quiet', 'hover'],
                ['on-accent', 'accent'], ['accent', 'paper'], ['fine', 'paper'], ['warn', 'warn-ground'],
                ['alarm', 'alarm-ground'], ['alarm', 'paper'],
            ];
            return pairs.map(([a, b]) => {
                const [x, y] = [a, b].map((name) => lightness(style.getPropertyValue(`--${name}`).trim()));
                return [`${a} on ${b}`, (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)];
            }).filter(([, ratio]) => !(ratio >= 4.5));
        }"""
    )
    assert faint == []


def test_the_page_fits_a_phone(visit):
    seen = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    seen.fits()
    seen.page.wait_for_function(
        """() => {
            const box = (name) => document.querySelector(name).getBoundingClientRect();
            const [map, list] = [box('.stage'), box('.lists')];
            return list.top >= map.bottom && map.height >= 300;
        }"""
    )


def test_no_level_of_areas_is_cut_in_the_legend(visit):
    seen = visit()
    cut = """() => [...document.querySelectorAll('.legend select')].filter((select) => {
        if (select.options[0].text !== 'Micro-grid (10,460)') select.options[0].text = 'Micro-grid (10,460)';
        const has = select.clientWidth;
        select.style.cssText = 'flex: none; max-width: none';
        const needs = select.clientWidth;
        select.style.cssText = '';
        return needs > has;
    }).length"""
    assert seen.until(lambda: seen.page.evaluate(cut) == 0)


def test_on_a_phone_no_notice_lies_on_the_legend(visit):
    seen = visit(viewport={"width": 390, "height": 844})
    seen.page.route("**/api/v1/district", lambda route: route.fulfill(json=route.fetch().json() | {"schematic": True}))
    seen.page.reload()
    seen.find("notice").wait_for()
    assert seen.faults(OVER, ["[data-test=notice]", [".legend", ".tools", ".maplibregl-ctrl-bottom-right"]]) == []
    seen.page.locator(".legend summary").click()
    expect(seen.page.locator(".legend-kinds")).to_be_visible()
    expect(seen.find("notice")).not_to_be_visible()
    assert seen.faults(OVER, [".legend", [".maplibregl-ctrl-top-right"]]) == []


def test_two_tabs_share_one_stream(visit, live):
    first = visit()
    second = first.context.new_page()
    second.goto(live.url)
    second.wait_for_selector(".live-live")
    before = first.find("clock").inner_text()
    live.minute(2)
    told = written(live.district.total().occupancy)
    for page in (first.page, second):
        expect(page.locator("[data-test=total]")).to_have_text(told)
    assert first.until(lambda: live.app.state.hub.n_clients == 1)  # those of tabs closed before may still be leaving
    expect(first.find("clock")).not_to_have_text(before)


def test_the_api_page_works_offline(chromium, live):
    seen = Visit(chromium, f"{live.url}/docs")
    seen.page.goto(seen.url)
    seen.page.wait_for_selector(".opblock")
    expect(seen.page.locator("#api")).to_contain_text("/api/v1/count")
    complaints = seen.complained()
    hosts = {urlsplit(url).netloc for url in seen.asked if not url.startswith("data:")}
    seen.context.close()
    assert hosts == {urlsplit(live.url).netloc}
    assert complaints == []


def test_a_long_list_says_how_many_it_does_not_show(chromium, live):
    seen = Visit(chromium, live.url)
    told = live.http.get("/devices").json()["devices"]
    many = told + [{**told[0], "id": f"further-{k}"} for k in range(230 - len(told))]
    seen.page.route("**/api/v1/devices", lambda route: route.fulfill(json={"devices": many}))
    seen.open()
    seen.find("tab-devices").click()
    expect(seen.page.locator(".list tbody tr")).to_have_count(200)
    expect(seen.find("more")).to_have_text("30 more; find them by name.")
    seen.find("seek").fill("further-1")
    expect(seen.find("more")).to_have_count(0)
    seen.context.close()
