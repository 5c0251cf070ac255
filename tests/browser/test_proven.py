"""Beside the devices' health it stands how their intervals held, or that nobody knows yet."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit, played
from tests.proof.test_proofs import told

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(
    ("locale", "nothing", "proven"),
    [
        ("en-GB", "not proven on withheld cameras yet", "on 12 withheld cameras: 0 of 100 counts within the interval"),
        ("zh-CN", "区间尚未用留出的摄像机验证", "用 12 台留出的摄像机验证：每 100 个计数有 0 个在区间内"),
    ],
)
def test_the_list_of_devices_says_how_the_intervals_held(chromium, tmp_path, locale, nothing, proven):
    with played(tmp_path, minutes=3) as made:
        seen = Visit(chromium, made.url, locale=locale, viewport={"width": 1360, "height": 820}).open()
        seen.find("tab-devices").click()
        expect(seen.find("intervals-proven")).to_contain_text(nothing)
        made.district.proofs._keep((made.clock.now() - timedelta(days=1)).date(), told(1.5))
        seen.find("tab-places").click()
        seen.find("tab-devices").click()
        expect(seen.find("intervals-proven")).to_contain_text(proven)
        expect(seen.find("intervals-proven")).to_contain_text(f"× {made.district.proofs.now().proven.factor:.2f}")
        assert seen.complained() == []
        seen.context.close()
