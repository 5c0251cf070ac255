"""Who is at the zones of a planned event: what its plan asks for, and what volunteers' shifts there have."""

from datetime import timedelta

import pytest
from tests.matters.conftest import LONG_AGO, tall_pack
from tests.small import PLANE, ring, square

from anlan.district import District
from anlan.kernel.access import Access, Actor, Grant, Scope
from anlan.kernel.clock import FollowedClock, parse_moment
from anlan.matters import NewCase, standing
from anlan.staff import read_roles
from anlan.volunteers import Profile
from anlan.volunteers.joining import Invitation, invite, join, who
from anlan.volunteers.rostering import NewShift, enter, plan

BEGINS = parse_moment("2026-10-01T19:00:00+08:00")
HOME, COMMITTEE = "d-w-s-w-s", "d-w-s-w"
EVERYWHERE = Scope(True, frozenset())


@pytest.fixture
def district(tmp_path):
    opened = District.open(tall_pack(), tmp_path, clock=FollowedClock(BEGINS - timedelta(days=9)))
    yield opened
    opened.close()


def reader(district, *rights, area="d"):
    grant = Grant(role_id="", area_id=area, from_at=LONG_AGO)
    held = frozenset({"cases.read", "cases.act", "cases.planned_event.planner", *rights})
    return standing(
        Access(read_roles(), district.pack.areas), Actor(actor_id="p", grants=(grant,), rights=held), LONG_AGO
    )


def shift(district, x, y, hours=0, n=0):
    """Plan a shift there, so many hours after the event begins, and let so many volunteers sign up."""
    (lon,), (lat,) = PLANE.to_degrees([x], [y])
    begin_at = BEGINS + timedelta(hours=hours)
    new = NewShift(name={"zh": "引导", "en": "guides"}, lon=float(lon), lat=float(lat), begin_at=begin_at,
                   end_at=begin_at + timedelta(hours=2), places=5, needs={})  # fmt: skip
    shift_id = plan(district.community, new, EVERYWHERE, "t")
    for _ in range(n):
        token = invite(district.community, Invitation(label="x", area_id="d", days=9, most=9), "t")[1]
        code = join(district.community, token, Profile(shown_name="team", home_id=COMMITTEE))
        enter(district.community, int(who(district.community, code)["volunteer_no"]), shift_id)


def event(district, ground="place:quay"):
    zones = [{"zone": "A", "ground": ground, "capacity": 900, "area_m2": 9, "most_per_m2": 4}]
    staffing = [
        {"zone": "A", "shift": "early", "duty": "gate", "n_staff": 6, "n_volunteers": 3},
        {"zone": "A", "shift": "late", "duty": "gate", "n_staff": 4},
        {"zone": "outside", "shift": "late", "duty": "bus", "n_staff": 2, "n_volunteers": 1},
    ]
    filled = {
        "title": "灯会", "kind": "festival", "organised": False, "venue": "码头", "n_expected": 900, "zones": zones,
        "staffing": staffing, "begins_at": BEGINS.isoformat(), "ends_at": (BEGINS + timedelta(hours=3)).isoformat(),
    }  # fmt: skip
    new = NewCase(type_id="planned_event", area_id=HOME, filled=filled)
    return district.matters.open(new, reader(district)).case_id


def test_shifts_at_a_zone_while_it_lasts_are_counted_and_no_others(district):
    shift(district, 140, -300, n=2)
    shift(district, 70, -300, hours=1)  # 30 m beside the zone
    shift(district, -300, -300, n=1)
    shift(district, 140, -300, hours=4)
    a, outside = district.staffing(event(district), reader(district, "volunteers.read"))
    assert (a.n_staff, a.n_volunteers, a.n_places, a.n_seated) == (10, 3, 10, 2)
    assert (outside.zone, outside.n_volunteers, outside.n_seated) == ("outside", 1, None)


def test_a_watched_polygon_is_a_zone_too(district):
    watch = district.watch("square", ring(square(-320, -320, 60)), "t")
    shift(district, -300, -300)
    (a, _) = district.staffing(event(district, f"watch:{watch.watch_id}"), reader(district, "volunteers.read"))
    assert a.n_places == 5


def test_whoever_may_not_read_shifts_is_told_what_the_plan_asks_for_only(district):
    shift(district, 140, -300)
    case_id = event(district)
    for asker in (reader(district), reader(district, "volunteers.read", area="d-w")):
        (a, _) = district.staffing(case_id, asker)
        assert (a.n_staff, a.n_places, a.n_seated) == (10, None, None)
