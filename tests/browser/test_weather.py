"""The weather stands beside the clock: what it is and what the next hours bring, or that nobody knows."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit, played

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOTS = os.environ.get("ANLAN_SHOTS")
HOUR = timedelta(hours=1)


def told(made, first, rows, **more):
    """Hand in hours from so many hours after the present one on: rain and temperature of each."""
    begin_at = made.clock.now().replace(minute=0) + first * HOUR
    hours = [
        {"time": (begin_at + k * HOUR).isoformat(), "rain_mm": rain, "temperature_c": warmth}
        for k, (rain, warmth) in enumerate(rows)
    ]
    assert made.http.post("/weather", json={"hours": hours} | more).status_code == 200


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", ["Weather unknown", "no rain", "dry until 22:00", "rain from 21:00, 4.5 mm", "next hours unknown"]),
        ("zh-CN", ["天气未知", "无雨", "22:00 前无雨", "21:00 起有雨 4.5 mm", "后续未知"]),
    ],
)
def test_the_weather_comes_to_the_page_and_goes_when_it_is_old(chromium, tmp_path, locale, words):
    nothing, dry, until, wet, unknown = words
    with played(tmp_path, minutes=5) as made:
        seen = Visit(chromium, made.url, locale=locale, viewport={"width": 1360, "height": 820}).open()
        weather = seen.find("weather")
        expect(weather).to_have_text(nothing)
        told(made, -1, [(0.0, 6.4)])
        expect(weather).to_contain_text(f"6 °C · {dry}")
        expect(weather).to_contain_text(unknown)
        issued_at = made.clock.now().isoformat()
        told(made, 0, [(0.0, 6.0)] * 4, issued_at=issued_at)
        expect(weather).to_contain_text(until)
        told(made, 3, [(4.5, 5.0)], issued_at=(made.clock.now() + timedelta(seconds=30)).isoformat())
        expect(weather).to_contain_text(wet)
        for width in (1360, 1920):
            seen.page.set_viewport_size({"width": width, "height": 820})
            expect(weather).to_be_visible()
            if SHOTS:
                seen.page.screenshot(path=Path(SHOTS) / f"weather-{locale[:2]}-{width}.png")
        made.clock.set(made.clock.now() + 4 * HOUR)
        made.minute()
        expect(weather).to_have_text(nothing)
        assert seen.complained() == []
        seen.context.close()
