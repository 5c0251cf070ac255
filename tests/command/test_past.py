"""What was kept is told by the rule of the present, and of the ground that it was counted on."""

from dataclasses import replace

import numpy as np
import pytest
from tests.command.conftest import BEGIN, MINUTE, Live
from tests.command.test_api import QUAY
from tests.small import ring, small_pack, square

from anlan.district import District
from anlan.kernel.records import UnknownReason


def test_what_was_kept_by_the_cells_of_another_map_is_not_told_of_this_one(tmp_path):
    held, end = Live(tmp_path), BEGIN + 12 * MINUTE
    held.grid()
    held.minute(12)
    assert all(point.occupancy > 10 for point in held.district.curve(QUAY, BEGIN + 5 * MINUTE, end))
    held.district.close()
    drained = replace(small_pack(), water=())  # its cells have other numbers from where the water was
    for _ in range(2):
        again = District.open(drained, tmp_path, clock=held.clock)
        assert again.curve(QUAY, BEGIN + 5 * MINUTE, end) == []
        assert again.count(QUAY, BEGIN + 8 * MINUTE).unknown is UnknownReason.NOT_STARTED
        assert again.density_at(BEGIN + 8 * MINUTE)[0] is None
        again.close()
    again = District.open(drained, tmp_path, clock=held.clock)
    held.district = again
    held.grid()
    held.minute(12)
    assert len(again.curve(QUAY, BEGIN, held.clock.now())) >= 10
    again.close()


def test_a_polygon_of_which_half_is_told_has_its_past_as_its_present(tmp_path):
    only_eyes = replace(small_pack(), devices=tuple(one for one in small_pack().devices if one.device_id != "grid"))
    held = Live(tmp_path)
    held.district.close()
    held.district = District.open(only_eyes, tmp_path, clock=held.clock)
    for _ in range(8):
        held.clock.set(held.clock.now() + MINUTE)
        held.district.observe([held.seen("quay-1", n_present=4000)])
        held.district.advance()
    last = held.clock.now()
    seen, beyond, far = (ring(square(*one)) for one in ((115, -195, 50), (105, -205, 70), (-450, -450, 200)))
    for polygon, is_told in ((seen, True), (beyond, True), (far, False)):
        now, past = held.district.count(polygon), held.district.curve(polygon, last - 3 * MINUTE, last)
        assert (now.occupancy is not None, past[-1].occupancy is not None) == (is_told, is_told)
        if is_told:
            assert past[-1].occupancy == pytest.approx(now.occupancy, rel=0.01)
    held.clock.set(last + 70 * MINUTE)
    held.district.advance()
    assert held.district.count(beyond, last).occupancy == pytest.approx(past_of(held, beyond, last), rel=0.01)
    assert held.district.count(far, last).unknown is UnknownReason.NO_DEVICE
    raster = held.district.density_at(last)[1]
    assert np.isinf(raster).any()
    assert np.isfinite(raster).any()
    held.district.close()


def past_of(held, polygon, at):
    return held.district.curve(polygon, at - MINUTE, at)[-1].occupancy
