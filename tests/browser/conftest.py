import os
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from tests.command.conftest import MINUTE, Live, served
from tests.waiting import PATIENCE_S

from anlan.command import views

CHROMIUM = Path(os.environ.get("ANLAN_CHROMIUM", "/usr/bin/chromium"))
STATIC = Path(__file__).parents[2] / "src" / "anlan" / "command" / "static"
FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",  # a map without a graphics card: without these three there is no WebGL2 at all
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 60_000  # software rendering on a busy machine
QUIET_S = 10.0  # how long requests that nobody waits for are let finish
expect.set_options(timeout=WAIT_MS)


class Crowded(Live):
    """The small district on an evening on which people stand on the quay and queue for the garden."""

    def minute(self, n=1):
        for _ in range(n):
            self.clock.set(self.clock.now() + MINUTE)
            self.district.observe(
                [
                    self.seen("quay-1", n_present=4000),
                    self.seen("garden-1", n_in=600, n_out=100),
                    self.seen("garden-2", n_in=200, n_out=250),
                    self.seen("walk-1", n_in=300, n_out=300),
                ]
            )
            self.district.advance()


class Player:
    """Plays the small district: remembers the pace that the page asked for."""

    def __init__(self):
        self.live = None
        self.scenario, self.speed, self.paused = "eve", 10.0, False

    def status(self):
        return {
            "kind": "twin",
            "scenario": self.scenario,
            "scenarios": [
                {"id": "eve", "name": {"zh": "跨年夜", "en": "New Year's Eve"}},
                {"id": "day", "name": {"zh": "平日", "en": "Normal day"}},
            ],
            "speed": self.speed,
            "paused": self.paused,
            "now": views.moment(self.live.clock.now()),
        }

    def control(self, scenario, speed, paused):
        self.scenario = scenario or self.scenario
        self.speed = speed or self.speed
        self.paused = self.paused if paused is None else paused
        return self.status()


@contextmanager
def played(folder, minutes=15):
    """Serve the small district, some minutes into its evening."""
    player = Player()
    made = player.live = Crowded(folder, simulation=player)
    made.player = player
    made.grid()
    made.minute(minutes)
    try:
        with served(made.app) as made.url, httpx.Client(base_url=f"{made.url}/api/v1", timeout=PATIENCE_S) as made.http:
            yield made
    finally:
        made.district.close()


@pytest.fixture(scope="package")
def live(tmp_path_factory):
    with played(tmp_path_factory.mktemp("played")) as made:
        yield made


@pytest.fixture(scope="package")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: install Debian's, or name one by ANLAN_CHROMIUM")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run python hatch_build.py")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()


class Visit:
    """A tab on the page, with everything it asked for and complained of."""

    def __init__(self, browser, url, **context):
        self.url = url
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, "locale": "en-GB"} | context)
        self.asked, self.wrote, self.complaints, self.under_way = [], [], [], set()
        self.context.on("request", self._asks)
        for ended in ("requestfinished", "requestfailed"):
            self.context.on(ended, lambda request: self.under_way.discard(request))  # noqa: PLW0108 - the driver marks what it calls
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))

    def _asks(self, request):
        self.asked.append(request.url)
        if request.method != "GET":
            self.wrote.append(request.url)
        if not request.url.endswith("/api/v1/live") and "/live.worker" not in request.url:  # of which no end is told
            self.under_way.add(request)

    def complained(self):
        """Return what the page complained of, once what it still asks for is answered."""
        self.until(lambda: not self.under_way, QUIET_S)
        return self.complaints

    def faults(self, script, arg=None):
        """Return the faults that a script finds in the page, once it finds none or for good."""
        found = []

        def is_fine():
            found[:] = self.page.evaluate(script, arg)
            return not found and not self.under_way

        self.until(is_fine, 2 * QUIET_S)
        return found

    def refused(self):
        """Wait until the browser has written down what was refused, which is no fault of the page, and forget it."""
        assert self.until(lambda: self.complaints)
        self.complaints.clear()

    def until(self, look, patience_s=WAIT_MS / 1000):
        """Look until what is seen is something, and return it; at the end whatever is seen."""
        begun = time.monotonic()
        while not (seen := look()) and time.monotonic() - begun < patience_s:
            self.page.wait_for_timeout(100)
        return seen

    def shows(self, name, number):
        """Wait until the page shows this very number."""
        self.page.wait_for_function(
            "([name, number]) => Number(document.querySelector(`[data-test=${name}]`)?.dataset.value) === number",
            arg=[name, number],
        )

    def fits(self):
        """Wait until the page is no wider than its window, in letters that have come."""
        self.page.wait_for_function(
            "() => document.fonts.status === 'loaded' && document.documentElement.scrollWidth <= innerWidth"
        )

    def tabs_have_room(self):
        """Wait until no tab of the lists is cut off, in letters that have come."""
        self.page.wait_for_function(
            """() => {
                const box = document.querySelector('.tabs').getBoundingClientRect();
                const tabs = [...document.querySelectorAll('.tabs [role=tab]')];
                const ends = tabs.map((tab) => tab.getBoundingClientRect().right);
                return document.fonts.status === 'loaded' && tabs.length === 6 && Math.max(...ends) <= box.right + 1;
            }"""
        )

    def _heard(self, message):
        if message.type in {"error", "warning"} and "GPU stall due to ReadPixels" not in message.text:
            self.complaints.append(message.text)

    def open(self):
        self.page.goto(self.url)
        self.page.wait_for_selector(".map canvas")
        self.page.wait_for_function(
            """() => {
                const map = document.querySelector('.map').anlanMap;
                const drawn = (id) => map.getSource(id) && map.querySourceFeatures(id).length > 0;
                return map.getSource('density') && drawn('places') && drawn('devices');
            }"""
        )
        self.settle()
        return self

    def settle(self):
        """Wait until the map has drawn all it has."""
        self.page.wait_for_function(
            """() => {
                const map = document.querySelector('.map').anlanMap;
                return map.loaded() && !map.isMoving() && map.getSource('density');
            }"""
        )
        self.page.evaluate(
            """() => new Promise((done) => {
                const map = document.querySelector('.map').anlanMap;
                map.once('idle', () => requestAnimationFrame(done));
                map.triggerRepaint();
            })"""
        )

    def find(self, name):
        return self.page.locator(f"[data-test={name}]")

    def at(self, lon, lat):
        """Return where a position of the ground is on the screen."""
        x, y = self.page.evaluate(
            """([lon, lat]) => {
                const box = document.querySelector('.map');
                const point = box.anlanMap.project([lon, lat]);
                const { left, top } = box.getBoundingClientRect();
                return [point.x + left, point.y + top];
            }""",
            [lon, lat],
        )
        return x, y

    def pixels(self, lon, lat, half=8):
        """Return the colours that the map shows around a position."""
        self.settle()
        return self.page.evaluate(
            """([lon, lat, half]) => {
                const map = document.querySelector('.map').anlanMap;
                const drawn = map.getCanvas();
                const point = map.project([lon, lat]);
                const ratio = drawn.width / drawn.clientWidth;
                const copy = new OffscreenCanvas(2 * half, 2 * half).getContext('2d');
                const [x, y, side] = [point.x * ratio - half, point.y * ratio - half, 2 * half];
                copy.drawImage(drawn, x, y, side, side, 0, 0, side, side);
                return [...copy.getImageData(0, 0, 2 * half, 2 * half).data];
            }""",
            [lon, lat, half],
        )


@pytest.fixture
def visit(chromium, live):
    """Open the page in a fresh tab; at the end it must not have complained."""
    made = []

    def opened(url=None, **context):
        made.append(Visit(chromium, url or live.url, **context))
        return made[-1].open()

    yield opened
    for one in made:
        one.context.close()
