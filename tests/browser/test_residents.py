"""The public page in a real browser that runs no script, on a telephone and on a desk."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit
from tests.command.residents.conftest import HOME, Town
from tests.matters.conftest import ground_point, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with Town(tmp_path_factory.mktemp("residents")).serving() as made:
        yield made


class Reader(Visit):
    """Somebody whose browser runs no script."""

    def fill(self, **more):
        page, (lon, lat) = self.page, ground_point(HOME)
        page.check("input[value='resident_request.light']")
        page.locator("summary").click()
        for name, value in {"lon": f"{lon:.6f}", "lat": f"{lat:.6f}", "words": "two lamps", **more}.items():
            page.fill(f"#{name}", value)


@pytest.fixture
def reader(chromium, town):
    made = []

    def opened(width=390, locale="en-GB", **context):
        size = {"width": width, "height": 844}
        made.append(
            Reader(chromium, f"{town.url}/report", java_script_enabled=False, viewport=size, locale=locale, **context)
        )
        made[-1].page.goto(made[-1].url)
        return made[-1]

    yield opened
    for one in made:
        one.context.close()


def test_a_report_goes_all_the_way_without_a_script(reader, town, tmp_path):
    seen = reader()
    page = seen.page
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture())
    seen.fill()
    page.set_input_files("#photo", photo)
    page.get_by_label("Number of lamps").fill("2")
    page.get_by_role("button", name="Send").click()
    code = page.locator(".code").inner_text()
    case_id = page.locator("dd code").inner_text()
    case = town.matters.read(case_id, town.anybody)
    assert case.fields["n_lamps"] == 2
    assert set(case.history[0].evidence) == {"photo_reported"}
    for step in ("assign", "accept", "fix"):
        town.step(case_id, step)
    page.goto(f"{town.url}/report")
    page.get_by_label("You have a code? Code").fill(code.lower())
    page.get_by_role("button", name="Look").click()
    assert seen.until(lambda: page.locator("figure img").evaluate("one => one.naturalWidth") == 8)
    page.locator("#dispute-note").fill("one is still dark")
    page.get_by_role("button", name="Dispute").click()
    expect(page.locator("main")).to_contain_text("We have what you said")
    state = town.matters.read(case_id, town.anybody).case.state
    assert state == "reopened"
    assert seen.complained() == []


def test_what_a_service_asks_is_shown_when_it_is_chosen(reader):
    seen = reader()
    page = seen.page
    lamps = page.get_by_label("Number of lamps")
    expect(lamps).to_be_hidden()
    page.check("input[value='resident_request.light']")
    expect(lamps).to_be_visible()
    expect(page.get_by_label("Where the noise comes from")).to_be_hidden()
    trap = page.locator("#website")
    assert seen.until(lambda: not trap.is_visible() or trap.bounding_box()["x"] < 0)


def test_what_is_missing_is_said_with_a_link_to_the_field(reader):
    page = reader(locale="zh-CN").page
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".faults")).to_contain_text("请选择反映什么")
    page.get_by_role("link", name="请选择地点").click()
    expect(page).to_have_url(re.compile("#place$"))


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_cut_or_scrolls_sideways(reader, town, width, locale):
    code = town.reported()[1]
    for path in ("/report", f"/report/{code}?new=1", "/report/none"):
        page = reader(width, locale).page
        page.goto(f"{town.url}{path}")
        wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert wide  # one look: no script changes the page once it is there
        small = page.evaluate(
            """[...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, .button')]
                .filter((one) => one.checkVisibility() && one.type !== 'radio' && one.id !== 'website')
                .filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"""
        )
        assert small == []  # one look: the same


def test_a_large_photo_is_refused_with_a_page_that_says_so(reader, tmp_path):
    seen = reader()
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff\xd8\xff" + bytes(30_000_000))
    seen.fill()
    seen.page.set_input_files("#photo", large)
    seen.page.get_by_role("button", name="Send").click()
    expect(seen.page.locator(".faults")).to_contain_text("The photo is too large: 7.5 MB at most")


def test_with_a_script_the_browser_fills_in_where_it_is(chromium, town):
    lon, lat = ground_point(HOME)
    seen = Visit(
        chromium, f"{town.url}/report", geolocation={"longitude": lon, "latitude": lat}, permissions=["geolocation"]
    )
    seen.page.goto(seen.url)
    seen.page.get_by_role("button", name="Use where I am now").click()
    for name, told in (("lon", lon), ("lat", lat)):
        field = seen.page.locator(f"#{name}")
        expect(field).not_to_have_value("")  # it asks the page, which lets no text be run
        assert seen.until(lambda field=field, told=told: abs(float(field.input_value()) - told) < 1e-5)
    assert {one.split("/")[2] for one in seen.asked} == {town.url.split("/")[2]}
    assert seen.complained() == []
    seen.context.close()
