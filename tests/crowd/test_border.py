"""What goes over the border is summed where all of it is counted, and unknown where a counter is silent."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.small import line, small_pack

from anlan.crowd import LINED, Lines, over_border
from anlan.kernel.records import Device, DeviceKind, Observation

AT = datetime(2026, 12, 31, 10, tzinfo=UTC)


def counter(device_id, kind, *, border=True, x=-490):
    return Device(device_id=device_id, kind=kind, name={}, geometry=line((x, 110), (x, 90)), border=border)


BORDER = (
    counter("west-walk", DeviceKind.PASSAGE),
    counter("east-walk", DeviceKind.PASSAGE, x=490),
    counter("west-drive", DeviceKind.ROAD),
    counter("inner-drive", DeviceKind.ROAD, border=False, x=0),
)
PACK = replace(small_pack(), devices=(*small_pack().devices, *BORDER))
LINES = Lines.of(PACK, LINED)


def seen(device_id, n_in, n_out, minutes_ago=0):
    end_at = AT - timedelta(minutes=minutes_ago)
    return Observation(
        device_id=device_id, begin_at=end_at - timedelta(minutes=1), end_at=end_at, sequence=1, n_in=n_in, n_out=n_out
    )


def over(*observations):
    return over_border(LINES, LINES.heard({}, observations, AT))


def test_people_and_vehicles_are_summed_apart_each_way():
    people, vehicles = over(seen("west-walk", 30, 10), seen("east-walk", 8, 12), seen("west-drive", 20, 25))
    assert (people.in_per_min, people.out_per_min, people.silent) == (38.0, 22.0, ())
    assert people.net_sd_per_min == pytest.approx(math.sqrt(60))
    assert (vehicles.in_per_min, vehicles.out_per_min, vehicles.lines) == (20.0, 25.0, ("west-drive",))


def test_a_silent_counter_makes_the_whole_unknown_and_not_less():
    people, vehicles = over(seen("west-walk", 30, 10), seen("east-walk", 8, 12, minutes_ago=6))
    assert (people.in_per_min, people.net_sd_per_min, people.silent) == (None, None, ("east-walk",))
    assert (people.counted_in_per_min, people.counted_out_per_min) == (30.0, 10.0)
    assert (vehicles.in_per_min, vehicles.counted_in_per_min, vehicles.silent) == (None, None, ("west-drive",))


def test_a_district_without_counters_on_its_border_knows_nothing_of_it():
    people, vehicles = over_border(Lines.of(small_pack(), LINED), {})
    assert (people.lines, people.silent, people.in_per_min, vehicles.in_per_min) == ((), (), None, None)


def test_what_does_not_stand_on_the_border_is_no_part_of_it():
    alone, _ = over(seen("west-walk", 30, 10), seen("east-walk", 8, 12))
    among, _ = over(seen("west-walk", 30, 10), seen("east-walk", 8, 12), seen("walk-1", 500, 3))
    assert alone == among
