"""The page, driven as a duty officer drives it, against the real server over a small district."""

import re
import time
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from shapely.geometry import Point, Polygon, shape
from tests.browser.conftest import Visit, played
from tests.small import PLANE, ring, square

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUAY = square(100, -400, 80, 600)
GREY = 65534


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
    assert "Small" in seen.page.title()
    assert seen.find("notice").inner_text() == "Schematic map"
    assert "Simulated district" in seen.page.inner_text(".simulation")
    assert total["simulated"]
    assert {urlsplit(url).netloc for url in seen.asked if not url.startswith(("blob:", "data:"))} == {
        urlsplit(live.url).netloc
    }
    assert seen.complaints == []


def test_the_strip_shows_the_districts_number(visit, live):
    seen = visit()
    live.minute()
    told = live.district.total()
    shown = seen.page.wait_for_function(
        "(text) => document.querySelector('[data-test=total]').textContent === text", arg=written(told.occupancy)
    )
    assert shown


def test_each_cell_is_drawn_by_its_density_and_the_unknown_is_not_drawn_as_empty(visit, live):
    seen = visit()
    answer = live.http.get("/density")
    grid = live.http.get("/district").json()["grid"]
    cells = np.frombuffer(answer.content, "<u2").reshape(grid["n_rows"], grid["n_columns"])
    size = 4
    drawn = np.array(
        seen.page.evaluate(
            """() => {
                const picture = document.querySelector('.map').anlanMap.getSource('density').getCanvas();
                return [...picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data];
            }"""
        )
    ).reshape(grid["n_rows"], size, grid["n_columns"], size, 4)
    opaque = drawn[..., 3].max(axis=(1, 3)) > 0
    walkable = cells < GREY
    assert (walkable & (cells >= 100)).any()
    assert (cells == GREY).any() or live.district.total().unknown is None
    assert not opaque[cells == 65535].any()
    assert not opaque[walkable & (cells < 100)].any()
    assert opaque[walkable & (cells >= 100)].all()
    assert opaque[cells == GREY].all()
    hatched = drawn[..., 3].std(axis=(1, 3)) > 0
    assert hatched[cells == GREY].all()
    assert not hatched[walkable].any()
    steps = np.digitize(cells, [100, 300, 700, 1000, 2000, 3000, 4000, 5000])
    colours = drawn[:, 0, :, 0, :3]
    for step in np.unique(steps[walkable & (cells >= 100)]):
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
    assert seen.pixels(lon, lat, half=3) != shown


def test_a_drawn_polygon_gets_the_very_number_of_the_api(visit, live):
    seen = visit()
    polygon, told = draw(seen, CORNERS)
    number = seen.page.wait_for_selector("[data-test=occupancy]")
    asked = live.http.post("/count", json={"polygon": polygon}).json()
    assert asked["occupancy"] == told["occupancy"] > 10
    assert float(number.get_attribute("data-value")) == asked["occupancy"]
    assert number.inner_text().split()[0] == written(asked["occupancy"])
    interval = seen.find("interval").inner_text()
    assert interval == f"between {written(asked['low'])} and {written(asked['high'])} with 90% probability"
    drawn = PLANE.project(shape(polygon))
    assert drawn.symmetric_difference(Polygon(CORNERS)).area < 0.05 * drawn.area
    seen.page.wait_for_selector(".curve canvas")
    assert seen.complaints == []


def test_the_shown_polygon_is_counted_again_each_minute(visit, live):
    seen = visit()
    polygon, _ = draw(seen, CORNERS)
    seen.page.wait_for_selector("[data-test=occupancy]")
    live.minute(2)
    told = live.http.post("/count", json={"polygon": polygon}).json()
    seen.page.wait_for_function(
        "(n) => Number(document.querySelector('[data-test=occupancy]').dataset.value) === n", arg=told["occupancy"]
    )


def test_a_drawn_polygon_survives_the_change_of_theme(visit):
    seen = visit()
    draw(seen, CORNERS)
    seen.page.wait_for_selector("[data-test=occupancy]")
    edge = degrees(-180, 55)
    with_line = seen.pixels(*edge, half=4)
    seen.find("theme").click()
    seen.settle()
    assert seen.page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    dark = np.array(seen.pixels(*edge, half=4)).reshape(-1, 4)
    assert dark.tolist() != np.array(with_line).reshape(-1, 4).tolist()
    assert ((dark[:, 0] > 200) & (dark[:, 1] < 160)).any()  # the selection's line, in the dark theme's colour
    assert seen.complaints == []


def test_corners_can_be_typed_instead_of_drawn(visit, live):
    seen = visit()
    seen.find("coordinates").press("Enter")
    text = "\n".join(f"{lon}, {lat}" for lon, lat in ring(QUAY)["coordinates"][0][:-1])
    seen.find("corners-text").fill("hello")
    seen.find("corners-count").press("Enter")
    assert "cannot be read" in seen.page.inner_text("dialog")
    seen.find("corners-text").fill(text)
    seen.find("corners-count").press("Enter")
    number = seen.page.wait_for_selector("[data-test=occupancy]")
    told = live.http.post("/count", json={"polygon": ring(QUAY)}).json()
    assert float(number.get_attribute("data-value")) == told["occupancy"]


def test_a_polygon_that_crosses_itself_is_answered_with_the_rule(visit):
    seen = visit()
    seen.find("coordinates").click()
    bow = [degrees(*at) for at in [(-400, 0), (-200, 200), (-200, 0), (-400, 200)]]
    seen.find("corners-text").fill("\n".join(f"{lon}, {lat}" for lon, lat in bow))
    seen.find("corners-count").click()
    told = seen.page.wait_for_selector(".card [role=alert]").inner_text()
    assert "cross" in told.lower() or "intersect" in told.lower()


def test_unknown_is_said_with_its_reason_and_never_as_zero(visit):
    seen = visit()
    seen.find("place-kiosk").click()
    card = seen.page.wait_for_selector("[data-test=card]").inner_text()
    assert "Unknown" in card
    assert "single out people" in card
    assert "unknown" in seen.find("place-kiosk").inner_text()


def test_the_language_changes_in_place(visit):
    seen = visit()
    seen.page.evaluate("() => { window.stillHere = true; }")
    before = seen.pixels(*degrees(140, -100), half=20)
    assert "Quay" in seen.page.inner_text(".list")
    seen.find("language").click()
    seen.page.wait_for_function("() => document.documentElement.lang === 'zh-Hans'")
    assert "滩" in seen.page.inner_text(".list")
    assert "模拟的区" in seen.page.inner_text(".simulation")
    assert seen.find("notice").inner_text() == "示意图"
    assert seen.page.title().startswith("小区")
    assert seen.pixels(*degrees(140, -100), half=20) != before
    assert seen.page.evaluate("() => window.stillHere")
    assert seen.complaints == []


def test_no_text_of_one_language_is_left_in_the_other(visit):
    seen = visit()
    for tab in ("places", "devices", "areas", "watches"):
        seen.find(f"tab-{tab}").click()
        text = seen.page.inner_text("body").replace("中", "")  # the name of the other language
        assert not [sign for sign in text if "\u4e00" <= sign <= "\u9fff"], tab


def test_chinese_labels_are_drawn_by_the_bundled_font(visit):
    seen = visit(locale="zh-CN")
    fonts = [url for url in seen.asked if url.endswith(".woff2")]
    assert any("noto-sans-sc" in url for url in fonts)
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

    blank, quays, gardens = drawn(""), drawn("滩"), drawn("园")
    ink = [(np.abs(one - blank).sum(axis=1) > 60).sum() for one in (quays, gardens)]
    assert min(ink) > 60
    assert (np.abs(quays - gardens).sum(axis=1) > 60).sum() > 60  # boxes for missing signs would all look alike


def test_the_theme_follows_the_system_until_it_is_chosen(visit):
    seen = visit(color_scheme="dark")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    dark = seen.page.evaluate(ground)
    sea = seen.pixels(*degrees(450, -450), half=2)
    seen.find("theme").click()
    seen.settle()
    assert seen.page.evaluate(ground) != dark
    assert seen.pixels(*degrees(450, -450), half=2) != sea
    seen.page.reload()
    seen.page.wait_for_selector(".map canvas")
    assert seen.page.evaluate("() => document.documentElement.dataset.theme") == "light"


def test_a_device_shows_its_curve_its_health_and_its_tally(visit, live):
    seen = visit()
    x, y = seen.at(*degrees(140, -170))
    seen.page.mouse.click(x, y)
    seen.page.wait_for_selector("[data-test=card] .curve canvas")
    card = seen.page.inner_text("[data-test=card]")
    told = live.http.get("/devices/quay-1").json()
    assert "Quay 1" in card
    assert f"{told['last']['present']:,} present" in card
    assert f"Accepted\t{told['tally']['accepted']}" in card


def test_a_watch_area_is_saved_listed_and_deleted(visit, live):
    seen = visit()
    draw(seen, CORNERS)
    seen.find("watch-name").fill("north entrance")
    seen.find("watch-save").click()
    seen.find("tab-watches").click()
    seen.page.wait_for_selector("[data-test=watch]")
    (kept,) = live.http.get("/watches").json()["watches"]
    assert kept["name"] == "north entrance"
    assert "north entrance" in seen.find("watch").inner_text()
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
    seen.page.wait_for_function("() => document.querySelector('[data-test=scenario]').value === 'day'")
    assert live.player.scenario == "day"
    live.player.control("eve", 10.0, paused=False)


def test_a_lost_server_is_said_with_the_time_of_the_last_data(chromium, tmp_path):
    with played(tmp_path, minutes=3) as made:
        seen = Visit(chromium, made.url)
        seen.open()
        seen.page.wait_for_selector(".live-live")
        at = made.district.estimated_at.astimezone(ZoneInfo("Asia/Shanghai"))
    seen.page.wait_for_selector("[data-test=stale]")
    told = seen.find("live").inner_text()
    seen.context.close()
    assert told == f"Connection lost, last data 31 Dec, {at:%H:%M}"


def test_it_is_said_by_how_much_numbers_and_counts_are_behind(chromium, tmp_path):
    with played(tmp_path, minutes=3) as made:
        made.player.paused = True  # the page's own clock stands: how long it took to open is no delay
        seen = Visit(chromium, made.url)
        seen.open()
        seen.page.wait_for_selector(".live-live")
        assert seen.find("lag").count() == 0
        made.clock.set(made.clock.now() + timedelta(minutes=4))
        late = made.seen("quay-1", end_at=made.clock.now() - timedelta(minutes=3), n_present=4000)
        made.district.observe([late, made.seen("walk-1", n_in=300, n_out=300)])
        seen.open()
        seen.page.wait_for_selector("[data-test=lag]")
        told = seen.find("lag").inner_text()
        found = re.fullmatch(r"numbers (\d+) min behind; counts come 3 min late \(1 of 6 devices\)", told)
        assert found, told
        assert 4 <= int(found[1]) <= 5  # the minute that is being made may count
        seen.context.close()


def test_everything_that_can_be_pressed_has_a_name_and_is_large_enough(visit):
    seen = visit()
    draw(seen, CORNERS)
    seen.page.wait_for_selector("[data-test=occupancy]")
    faults = seen.page.evaluate(
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
    ratios = seen.page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const lightness = (hex) => {
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
            });
        }"""
    )
    assert [pair for pair in ratios if pair[1] < 4.5] == []


def test_the_page_fits_a_phone(visit):
    seen = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    overflow = seen.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    map_box, list_box = (seen.page.locator(name).bounding_box() for name in (".stage", ".lists"))
    assert list_box["y"] >= map_box["y"] + map_box["height"]
    assert map_box["height"] >= 300


def test_two_tabs_share_one_stream(visit, live):
    first = visit()
    second = first.context.new_page()
    second.goto(live.url)
    second.wait_for_selector(".live-live")
    before = first.find("clock").inner_text()
    live.minute(2)
    told = written(live.district.total().occupancy)
    for page in (first.page, second):
        page.wait_for_function("(text) => document.querySelector('[data-test=total]').textContent === text", arg=told)
    time.sleep(0.2)
    assert live.app.state.hub.n_clients == 1
    assert first.find("clock").inner_text() != before


def test_the_api_page_works_offline(chromium, live):
    seen = Visit(chromium, f"{live.url}/docs")
    seen.page.goto(seen.url)
    seen.page.wait_for_selector(".opblock")
    assert "/api/v1/count" in seen.page.inner_text("#api")
    hosts = {urlsplit(url).netloc for url in seen.asked if not url.startswith("data:")}
    seen.context.close()
    assert hosts == {urlsplit(live.url).netloc}
    assert seen.complaints == []
