"""A plan over a simulated crowd, through the district's own door and estimate, in a program beside."""

import time
from dataclasses import replace

import pytest
from tests.matters.conftest import LONG_AGO, tall_pack
from tests.matters.test_keeping import HOME
from tests.small import ring, square
from tests.waiting import PATIENCE_S

from anlan.cases import Action, shipped_types
from anlan.district import District
from anlan.kernel.access import Access, Actor, Grant
from anlan.kernel.clock import FollowedClock, parse_moment
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.matters import NewCase, forget_due, standing
from anlan.pack import read_pack, write_pack
from anlan.rehearsal import Asked, rehearse
from anlan.staff import read_roles
from anlan.underway import Wish

pytestmark = pytest.mark.slow

BEGINS, ENDS = "2026-10-01T19:00:00+08:00", "2026-10-01T19:30:00+08:00"
ZONES = [
    {"zone": "A", "ground": "place:quay", "capacity": 3000, "area_m2": 48_000, "most_per_m2": 4},
    {"zone": "B", "ground": "place:garden", "capacity": 1000, "area_m2": 40_000, "most_per_m2": 4},
]
TRIGGERS = [
    {"zone": "A", "measure": "occupancy", "above": 2500, "for_min": 3, "action": "hold the gate", "office": "gate"},
    {"zone": "A", "measure": "density_per_m2", "above": 6, "for_min": 1, "action": "stop", "office": "commander"},
    {"zone": "B", "measure": "flow_per_min", "above": 0, "for_min": 0, "action": "look", "office": "garden"},
]
DEVICES = [{"device": "garden-1", "zone": "B", "measure": "flow_per_min", "limit": 90}]
VALUES = {
    "n_expected": 2500, "begins_at": BEGINS, "ends_at": ENDS, "zones": ZONES, "triggers": TRIGGERS, "devices": DEVICES,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("pack") / "small"
    write_pack(tall_pack(), made)
    return made


def asked(folder, **more):
    live = shipped_types().get("planned_event").live
    return Asked(pack=str(folder), cells="", live=live, values=VALUES | more, watches={})


@pytest.fixture(scope="module")
def told(folder):
    said = []
    return rehearse(asked(folder), lambda what, share: said.append((what, share))) | {"said": said}


def test_it_counts_a_crowd_that_comes_and_says_when_triggers_fire(told):
    a = told["zones"][0]
    known = [one for one in a["occupancy"] if one is not None]
    assert max(known) == a["peak"]["occupancy"] > 2500
    assert max(known) > 1.5 * known[0]
    assert a["over_capacity_min"] == sum(one > 3000 for one in known) > 0
    assert [bool(one["fired"]) for one in told["triggers"]] == [True, False, True]
    assert told["triggers"][0]["fired"][0]["since_at"] < told["triggers"][0]["fired"][0]["at"] < told["end_at"]


def test_it_says_how_far_it_is(told):
    shares = [share for _, share in told["said"]]
    assert shares == sorted(shares)
    assert told["said"][0][0] == "opening"
    assert len(told["minutes"]) > 120
    assert told["clearance"]["n_persons"] > 400


def test_twice_the_crowd_is_more(told, folder):
    made = rehearse(replace(asked(folder), crowd=2.0), lambda *_: None)
    assert made["n_expected"] == 2 * told["n_expected"]
    assert made["zones"][0]["peak"]["occupancy"] > 1.2 * told["zones"][0]["peak"]["occupancy"]


def test_a_watched_polygon_is_a_ground_and_where_nothing_looks_its_interval_is_wide(folder):
    zones = [ZONES[0] | {"ground": "watch:w1"}, ZONES[1]]
    made = rehearse(replace(asked(folder, zones=zones), watches={"w1": ring(square(200, 150, 150))}), lambda *_: None)
    peak = made["zones"][0]["peak"]
    assert (peak["high"] - peak["low"]) / peak["occupancy"] > 1


def test_what_cannot_be_rehearsed_is_told(folder):
    with pytest.raises(NotFound, match="does not exist any more"):
        rehearse(asked(folder, zones=[ZONES[0] | {"ground": "watch:gone"}, ZONES[1]]), lambda *_: None)
    with pytest.raises(NotFound, match="must be one of"):
        rehearse(replace(asked(folder), scenario="doomsday"), lambda *_: None)
    with pytest.raises(BadInput, match="zones must be told"):
        rehearse(asked(folder, zones=[], triggers=[], devices=[]), lambda *_: None)
    missing = {name: value for name, value in VALUES.items() if name != "ends_at"}
    with pytest.raises(BadInput, match="field ends_at must be told"):
        rehearse(replace(asked(folder), values=missing), lambda *_: None)


@pytest.fixture
def desk(folder, tmp_path):
    """A district with a planned event, and who keeps it."""
    clock = FollowedClock(parse_moment("2026-09-01T09:00:00+08:00"))
    district = District.open(read_pack(folder), tmp_path, clock=clock)
    grant = Grant(role_id="", area_id="d", from_at=LONG_AGO)
    rights = frozenset({"cases.read", "cases.act", "cases.planned_event.planner", "cases.planned_event.commander"})
    access = Access(read_roles(), district.pack.areas)
    who = standing(access, Actor(actor_id="planner", grants=(grant,), rights=rights), LONG_AGO)
    reader = standing(access, Actor(actor_id="r", grants=(grant,), rights=frozenset({"cases.read"})), LONG_AGO)
    filled = VALUES | {"title": "灯会", "kind": "festival", "organised": False, "venue": "码头"}
    case_id = district.matters.open(NewCase(type_id="planned_event", area_id=HOME, filled=filled), who).case_id
    yield district, case_id, who, reader
    district.close()


def finished(district, case_id, who, seconds=180):
    for _ in range(10 * seconds):
        if (going := district.rehearsals.going(case_id, who)) is None or going.is_over:
            return going
        time.sleep(0.1)
    raise AssertionError("it did not end")


def test_a_rehearsal_is_kept_with_its_case_put_on_paper_and_forgotten_with_it(desk, told):
    district, case_id, who, reader = desk
    with pytest.raises(NotAllowed):
        district.rehearsals.begin(case_id, Wish(), reader, "r")
    district.rehearsals.begin(case_id, Wish(), who, "planner")
    with pytest.raises(Conflict, match="is under way already"):
        district.rehearsals.begin(case_id, Wish(), who, "planner")
    assert finished(district, case_id, who) is None
    (one,) = district.rehearsals.rehearsals(case_id, reader)
    assert one.told["zones"] == told["zones"]  # the same seed, the same evening, in whatever program
    district.rehearsals.wait(PATIENCE_S)
    assert next(day["id"] for day in district.rehearsals.days()) == one.told["scenario"]
    pdf = district.rehearsals.paper(case_id, one.rehearsal_id, "pdf", "zh", reader)
    assert pdf.startswith(b"%PDF")
    digest = district.rehearsals.file(case_id, one.rehearsal_id, "zh", who)
    district.matters.act(case_id, Action(transition="plan", evidence={"map": digest}), who)
    assert "灯会" not in str([line.body for line in district.changes()])
    district.matters.act(case_id, Action(transition="cancel", note="rain"), who)
    district.clock.set(parse_moment("2037-01-01T00:00:00+08:00"))
    assert forget_due(district.matters, district.clock.now()) == 1
    assert district.store.kept("rehearsal") == []


def test_a_rehearsal_that_is_stopped_leaves_nothing(desk):
    district, case_id, who, _ = desk
    with pytest.raises(NotFound, match="under way"):
        district.rehearsals.stop(case_id, who)
    district.rehearsals.begin(case_id, Wish(), who, "planner")
    district.rehearsals.stop(case_id, who)
    going = finished(district, case_id, who)
    assert (going.stopped, going.fault) == (True, None)
    assert district.rehearsals.rehearsals(case_id, who) == []


def test_a_fault_of_the_plan_is_told_as_the_error_that_it_is(desk):
    district, case_id, who, _ = desk
    district.rehearsals.begin(case_id, Wish(scenario="doomsday"), who, "planner")
    going = finished(district, case_id, who)
    assert isinstance(going.fault, NotFound)
    assert (going.fault.value, going.fault.rule[:14]) == ("scenario='doomsday'", "must be one of")


@pytest.mark.parametrize("wrong", [{"share": -1}, {"share": 4}, {"crowd": 0}, {"seed": -1}])
def test_a_wish_out_of_range_is_refused(wrong):
    with pytest.raises(BadInput, match="must be"):
        Wish(**wrong)
