"""Numbers of incidents, arrivals, shifts and coverage come from what the district keeps, each with its list."""

from dataclasses import replace
from datetime import timedelta

import pytest
from shapely.geometry import Point
from tests.command.conftest import BEGIN, Live
from tests.small import PLANE, town_pack

from anlan.beside import keep_coverage
from anlan.district import District
from anlan.kernel.access import Scope
from anlan.kernel.clock import FollowedClock, parse_moment
from anlan.kernel.response import UnitStatus
from anlan.matters import numbers, plain_reader
from anlan.volunteers import Profile
from anlan.volunteers.joining import Invitation, invite, join, who
from anlan.volunteers.rostering import NewShift, complete_shift, enter, here, plan, shift

EVERYWHERE = Scope(True, frozenset())
READER = plain_reader("r")
NOVEMBER = parse_moment("2026-11-20T09:00:00+08:00")


def spot(x, y):
    made = PLANE.unproject(Point(x, y))
    return made.x, made.y


@pytest.fixture
def town(tmp_path):
    clock = FollowedClock(NOVEMBER)
    district = District.open(town_pack(), tmp_path, clock=clock)
    corners = [spot(0, 0), spot(90, 0), spot(90, 90), spot(0, 0)]
    district.watch("opened", {"type": "Polygon", "coordinates": [corners]}, "t")
    clock.set(BEGIN - timedelta(hours=20))
    yield district
    district.close()


def later(district, **much):
    district.clock.set(district.clock.now() + timedelta(**much))


def called(district, seconds=None, outcome="resolved"):
    """Raise an incident, let a unit reach it after so many seconds, or nobody; close it."""
    reach = district.reach
    one = reach.raise_incident("disturbance", *spot(-400, 100), "desk").incident
    if seconds is not None:
        reach.dispatch(one.incident_id, ["f1"], "desk", reason="drill")
        reach.step("f1", UnitStatus.EN_ROUTE, "f1")
        later(district, seconds=seconds)
        reach.step("f1", UnitStatus.ON_SCENE, "f1")
    later(district, minutes=5)
    reach.close(one.incident_id, outcome, "desk")
    if seconds is not None:
        reach.step("f1", UnitStatus.AVAILABLE, "f1")
    return one.incident_id


def told(district, indicator, period="2026-12", who=READER):
    return numbers.answer(district.matters, indicator, district.matters.ground.root, period, who).whole


def behind(district, indicator, period="2026-12", who=READER):
    return numbers.entries_behind(district.matters, indicator, district.matters.ground.root, period, who)


def test_calls_and_arrivals_are_counted_and_open_the_incidents_behind_them(town):
    ids = [called(town, seconds) for seconds in (50, 150, 400)]
    nobody = called(town, outcome="nothing_found")
    called(town, outcome="duplicate")
    assert told(town, "calls_for_help").value == 4
    assert sorted(one.entry_id for one in behind(town, "calls_for_help")) == sorted([*ids, nobody])
    assert told(town, "arrival_median_s").value == 150
    assert told(town, "arrival_p90_s").value == 400
    assert told(town, "arrival_three_minutes").value == 50  # nobody came to one of the four
    assert {one.entry_id for one in behind(town, "arrival_p90_s")} == set(ids)


def test_before_the_platform_was_opened_nothing_is_known(town):
    for period in ("2026-10", "2026-11"):
        assert told(town, "calls_for_help", period).unknown == "no_records"
    assert told(town, "calls_for_help").value == 0
    assert told(town, "calls_for_help").unknown is None


def test_who_may_not_see_incidents_is_not_told_of_single_ones(town):
    called(town, 50)
    blind = replace(READER, scope_of=lambda _right: Scope(False, frozenset()))
    seen = told(town, "calls_for_help", who=blind)
    assert (seen.value, seen.n, seen.hidden) == (None, None, True)
    assert behind(town, "calls_for_help", who=blind) == []


def test_hours_of_shifts_are_given_once_their_station_has_completed_them(town):
    hall = town.community
    token = join(hall, invite(hall, Invitation(label="p", area_id=town.matters.ground.root, days=40, most=9), "t")[1],
                 Profile(shown_name="Li", home_id=hall.homes[0]))  # fmt: skip
    number = who(hall, token)["volunteer_no"]
    begin_at = town.clock.now() + timedelta(hours=2)
    lon, lat = spot(-300, 100)
    shift_id = plan(hall, NewShift(name={"en": "Guide"}, lon=lon, lat=lat, begin_at=begin_at,
                                   end_at=begin_at + timedelta(hours=3), places=2), EVERYWHERE, "t")  # fmt: skip
    enter(hall, number, shift_id)
    code = shift(hall, shift_id, EVERYWHERE)[1]
    for wait in (2, 3):
        later(town, hours=wait)
        here(hall, number, code)
    assert told(town, "hours_given").value == 0
    complete_shift(hall, shift_id, EVERYWHERE, "t")
    assert told(town, "hours_given").value == pytest.approx(3)
    assert [(one.source, one.entry_id) for one in behind(town, "hours_given")] == [("shift", shift_id)]


def test_coverage_of_a_month_is_as_it_was_at_its_end(tmp_path):
    live = Live(tmp_path)
    live.grid()
    live.minute(3)
    district = live.district
    root = district.matters.ground.root
    first, december = parse_moment("2026-11-01T00:00:00+08:00"), parse_moment("2026-12-31T20:00:00+08:00")
    keep_coverage(district.store, district.sensing, district.pack, first)
    assert told(district, "coverage", "2026-10").unknown == "no_records"
    keep_coverage(district.store, district.sensing, district.pack, december)
    seen = numbers.answer(district.matters, "coverage", root, "2026-12", READER).whole
    assert 0 < seen.value < 100
    assert {one.entry_id.split("/")[1] for one in behind(district, "coverage")} == {"2026-12"}
    district.close()
