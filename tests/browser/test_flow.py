"""The line tool of the page: drawn with the mouse or typed, it tells the flow that the API tells."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import played
from tests.browser.test_page import degrees

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """Serve an evening so young that a counter which repeats itself is still believed."""
    with played(tmp_path_factory.mktemp("young"), minutes=8) as made:
        yield made


def draw_line(seen, points):
    """Draw a line with the mouse, given its points in metres, and return what was asked and told."""
    page = seen.page
    seen.find("draw-line").click()
    expect(seen.find("draw-line")).to_have_attribute("aria-pressed", "true")
    seen.settle()  # or the ground moves under the pointer
    page.wait_for_timeout(300)
    where = [seen.at(*degrees(*point)) for point in points]
    with page.expect_response(lambda answer: answer.url.endswith("/api/v1/flow")) as told:
        for x, y in [*where, where[-1]]:
            page.mouse.move(x, y)
            page.wait_for_timeout(120)
            page.mouse.click(x, y)
            page.wait_for_timeout(250)
    return told.value.request.post_data_json["line"], told.value.json()


def test_a_line_across_a_counted_street_shows_its_count_each_way(visit):
    seen = visit()
    line, told = draw_line(seen, [(-40, 0), (40, 0)])
    assert line["type"] == "LineString"
    assert told["devices"] == ["walk-1"]
    assert told["per_minute"] == 600
    seen.shows("flow", 600)
    expect(seen.find("ways")).to_have_text("southwards 300 · northwards 300")
    assert seen.complained() == []


def test_a_line_where_nothing_counts_says_that_it_is_inferred(visit):
    seen = visit()
    _, told = draw_line(seen, [(-40, 200), (40, 200)])
    assert told["counted_share"] == 0
    expect(seen.find("ways")).to_contain_text("unknown")
    assert seen.complained() == []


def test_two_typed_points_are_a_line(visit):
    seen = visit()
    (x0, y0), (x1, y1) = degrees(-40, 0), degrees(40, 0)
    seen.find("coordinates").click()
    seen.find("corners-text").fill(f"{x0}, {y0}\n{x1}, {y1}")
    seen.find("corners-count").click()
    seen.shows("flow", 600)


def test_escape_ends_the_drawing_of_a_line(visit):
    seen = visit()
    seen.find("draw-line").click()
    expect(seen.find("draw-line")).to_have_attribute("aria-pressed", "true")
    seen.page.keyboard.press("Escape")
    expect(seen.find("draw-line")).to_have_attribute("aria-pressed", "false")
