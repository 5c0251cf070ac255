"""Incidents and units through the store and its log: written together, refused, kept over a kill."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point
from tests.small import PLANE, town_pack

from anlan.kernel.clock import FollowedClock
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotFound
from anlan.kernel.records import Unit
from anlan.kernel.response import Incident, IncidentState, PositionReport, UnitStatus
from anlan.reach import Key, Reach, Wanted
from anlan.reach.raising import KEY_HOURS, RAISED
from anlan.response.dispatch import INCIDENT_STEPS, UNIT_STEPS
from anlan.store import SqlStore

BEGIN = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)


class House:
    """A district's reach on a store of its own, whose time and crowds the test drives."""

    def __init__(self, folder):
        self.folder = folder
        self.crowd = None
        self.clock = FollowedClock(BEGIN)
        self.told = []
        self.open()

    def open(self):
        self.store = SqlStore.open(f"sqlite:///{self.folder / 'records.db'}")
        tell = lambda kind, content: self.told.append((kind, content))  # noqa: E731 - a listener of one line
        self.reach = Reach(town_pack(), self.store, self.clock, tell, self.crowds)

    def crowds(self, x, _y):
        return None if self.crowd is None else (self.clock.now(), np.full(len(x), self.crowd))

    def later(self, seconds):
        self.clock.set(self.clock.now() + seconds * S)

    def raised(self, kind="disturbance", x=-400, y=100, **more):
        return self.reach.raise_incident(kind, *at(x, y), "desk", **more).incident.incident_id

    def position(self, unit, x, y, moment=None):
        lon, lat = at(x, y)
        return self.reach.report([PositionReport(unit_id=unit, at=moment or self.clock.now(), lon=lon, lat=lat)])

    def actions(self):
        return [(change.kind, change.action) for change in self.store.changes()]


def at(x, y):
    point = PLANE.unproject(Point(x, y))
    return point.x, point.y


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.store.close()


def wanted(note="smoke", x=-400):
    return Wanted("disturbance", *at(x, 100), note=note)


def test_who_sends_the_same_again_by_a_key_raises_one_incident_also_after_a_restart(house):
    key = Key("desk", "8e03978e")
    one = house.reach.raise_once(wanted(), key)
    assert house.reach.raise_once(wanted(), Key("desk", '"8e03978e"')) == one
    house.store.close()
    house.open()
    assert house.reach.raise_once(wanted(), key).incident.incident_id == one.incident.incident_id
    assert house.actions() == [("incident", "raise")]
    assert house.reach.raise_once(wanted(), Key("another", "8e03978e")).incident.incident_id != one.incident.incident_id


def test_another_request_by_the_same_key_is_refused(house):
    key = Key("desk", "8e03978e")
    house.reach.raise_once(wanted(), key)
    for other in (wanted(note="fire"), wanted(x=-380)):
        with pytest.raises(BadInput, match="must come with the request that it came with first"):
            house.reach.raise_once(other, key)
    assert house.actions() == [("incident", "raise")]


def test_what_was_refused_holds_no_key(house):
    key = Key("desk", "8e03978e")
    with pytest.raises(NotFound):
        house.reach.raise_once(replace(wanted(), kind="parade"), key)
    assert house.reach.raise_once(wanted(), key).note == "smoke"


def test_a_key_is_forgotten_with_its_day_and_tells_nothing_of_its_sender(house):
    key = Key("desk", "8e03978e")
    first = house.reach.raise_once(wanted(), key)
    (kept,) = house.store.kept(RAISED)
    assert "desk" not in kept.key + str(kept.body)
    assert "8e03978e" not in kept.key
    house.later(KEY_HOURS * 3600 + 1)
    house.store.forget_due(house.clock.now())
    assert house.store.kept(RAISED) == []
    assert house.reach.raise_once(wanted(), key).incident.incident_id != first.incident.incident_id


def test_two_who_send_one_key_at_once_are_told_of_one_incident(house):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: house.reach.raise_once(wanted(), Key("desk", "k")), range(8)))
    assert len({one.incident.incident_id for one in made}) == 1


@pytest.mark.parametrize("text", ["", '""', "k" * 201, "tab\tinside", "键"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(BadInput, match="printable ASCII"):
        Key("desk", text)


def test_an_incident_is_raised_answered_reached_and_proven(house):
    one = house.raised(note="smoke from a bin")
    assert house.reach.incident(one).incident.area_id == "31-w"
    assert house.reach.recommend(one).chosen == ("f1",)
    house.later(20)
    made = house.reach.dispatch(one, ["f1"], "desk", version=1)
    assert (made.incident.state, made.assignments[0].overridden) == (IncidentState.DISPATCHED, False)
    house.reach.step("f1", "en_route", "f1", house.clock.now() + 5 * S)
    house.later(60)
    house.reach.step("f1", "on_scene", "f1")
    assert house.reach.incident(one).incident.state is IncidentState.ON_SCENE
    house.later(300)
    closed = house.reach.close(one, "resolved", "desk")
    part = closed.assignments[0]
    assert (part.turnout_s, part.travel_s, part.response_s, part.on_scene_s) == (5, 55, 80, 300)
    assert part.ended == "cleared"
    assert house.reach.unit("f1").status is UnitStatus.RETURNING
    proof = house.reach.prove()
    assert (proof.overall.n_reached, proof.overall.response_s[0.5]) == (1, 80.0)
    assert {clock: share.n for clock, share in proof.overall.within.items()} == {60.0: 0, 180.0: 1, 300.0: 1}
    assert (proof.by_kind[0].group, proof.by_area[0].group) == ("disturbance", "31-w")
    assert house.store.verify().ok


def test_whoever_was_never_reached_misses_every_clock(house):
    reached, missed = house.raised(), house.raised()
    house.reach.recommend(reached)
    house.reach.dispatch(reached, ["f1"], "desk")
    house.reach.step("f1", "on_scene", "f1")
    house.reach.close(missed, "nothing_found", "desk")
    overall = house.reach.prove().overall
    assert (overall.n, overall.n_reached, overall.within[300.0].share) == (2, 1, 0.5)
    assert house.reach.incident(missed).incident.unattended


def test_every_step_of_a_dispatch_is_one_transaction_with_its_lines(house):
    one = house.raised("fight", x=0, y=0)
    chosen = house.reach.recommend(one).chosen
    before = house.store.changes()[-1].change_id
    house.reach.dispatch(one, chosen, "desk")
    lines = house.store.changes(before)
    assert [line.kind for line in lines] == ["assignment", "unit"] * len(chosen) + ["incident"]
    assert len({line.at for line in lines}) == 1
    assert [kind for kind, _ in house.told].count("change") == 1 + len(lines)


def test_two_who_send_the_same_unit_at_once_are_told_apart(house):
    first, second = house.raised(x=-400, y=0), house.raised(x=-380, y=0)
    for one in (first, second):
        assert house.reach.recommend(one).chosen == ("f1",)
    outcomes, ready = [], threading.Barrier(2)

    def send(incident):
        ready.wait()
        try:
            house.reach.dispatch(incident, ["f1"], incident)
            outcomes.append("sent")
        except Conflict as refused:
            outcomes.append(str(refused))

    threads = [threading.Thread(target=send, args=(one,)) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("sent") == 1
    assert "is on its way to incident" in next(one for one in outcomes if one != "sent")


def test_another_program_that_was_sooner_is_a_conflict_and_nothing_is_half_done(house):
    one = house.raised()
    other = Reach(town_pack(), house.store, house.clock, lambda *_: None)
    other.dispatch(one, ["v1"], "elsewhere", reason="ours")
    lines = len(house.store.changes())
    house.reach.recommend(one)
    with pytest.raises(Conflict):
        house.reach.dispatch(one, ["f1"], "desk")
    assert len(house.store.changes()) == lines
    assert house.reach.unit("f1").status is UnitStatus.AVAILABLE


def test_an_incident_that_has_moved_on_is_read_again_first(house):
    one = house.raised()
    house.reach.dispatch(one, house.reach.recommend(one).chosen, "desk", version=1)
    with pytest.raises(Conflict, match="has changed since version 1"):
        house.reach.dispatch(one, ["v2"], "other desk", version=1, reason="closer")


def test_against_the_recommendation_needs_a_reason_that_is_kept_beside_the_log(house):
    one = house.raised()
    house.reach.recommend(one)
    with pytest.raises(BadInput, match="needs a reason"):
        house.reach.dispatch(one, ["v2"], "desk")
    made = house.reach.dispatch(one, ["v2"], "desk", reason="knows the caller's courtyard")
    assert made.assignments[0].overridden
    assert made.reason == "knows the caller's courtyard"
    assert not any("courtyard" in str(change.body) for change in house.store.changes())
    house.reach.step("v2", "on_scene", "v2")
    assert house.reach.prove().overridden.n == 1


def test_what_was_recommended_a_minute_ago_may_still_be_sent(house):
    one = house.raised()
    assert house.reach.recommend(one).chosen == ("f1",)
    house.later(60)
    house.position("f1", -400, -400)
    assert house.reach.recommend(one).chosen != ("f1",)
    assert not house.reach.dispatch(one, ["f1"], "desk").assignments[0].overridden


def test_a_note_is_forgotten_on_schedule_and_was_never_in_the_log(house):
    one = house.raised(note="third floor, door on the left")
    assert house.reach.incident(one).note == "third floor, door on the left"
    assert not any("third floor" in str(change.body) for change in house.store.changes())
    house.store.forget_due(BEGIN + timedelta(days=29))
    assert house.reach.incident(one).note is not None
    house.store.forget_due(BEGIN + timedelta(days=31))
    assert house.reach.incident(one).note is None
    assert house.store.verify().ok


def test_a_unit_is_taken_from_a_less_urgent_incident_which_then_waits_again(house):
    low = house.raised("lost_or_found", x=0, y=-400)
    for unit in ("v1", "v3"):
        house.reach.step(unit, "out_of_service", "desk")
    house.reach.dispatch(low, ["v2"], "desk", reason="the only one awake")
    high = house.raised("medical", x=400, y=0)
    made = house.reach.recommend(high)
    assert made.chosen == ("v2",)
    assert made.candidates[0].takes_from == low
    house.reach.dispatch(high, ["v2"], "desk")
    left = house.reach.incident(low)
    assert (left.incident.state, left.assignments[0].ended) == (IncidentState.WAITING, "pre_empted")
    assert house.reach.unit("v2").incident_id == high
    assert [one.incident.incident_id for one in house.reach.incidents()] == [high, low]


def test_a_unit_on_its_way_is_not_taken_by_an_equal(house):
    first, second = house.raised("fight", x=-400, y=0), house.raised("fight", x=-400, y=50)
    house.reach.dispatch(first, ["v1"], "desk", reason="near")
    with pytest.raises(Conflict, match="on its way to incident"):
        house.reach.dispatch(second, ["v1"], "desk", reason="nearer")


def test_a_step_that_may_not_follow_is_refused_and_a_repeated_one_changes_nothing(house):
    with pytest.raises(Conflict, match="is available"):
        house.reach.step("v1", "on_scene", "v1")
    with pytest.raises(BadInput, match="must be one of"):
        house.reach.step("v1", "dispatched", "v1")
    with pytest.raises(BadInput, match="60 s ahead"):
        house.reach.step("v1", "out_of_service", "v1", BEGIN + timedelta(hours=1))
    house.reach.step("v1", "out_of_service", "v1")
    lines = len(house.store.changes())
    house.reach.step("v1", "out_of_service", "v1")
    assert len(house.store.changes()) == lines
    with pytest.raises(Conflict, match="out_of_service"):
        house.reach.dispatch(house.raised(), ["v1"], "desk", reason="now")


@pytest.mark.parametrize(
    ("kind", "x", "y", "more", "wrong"),
    [
        ("dragon", 0, 0, {}, NotFound),
        ("fight", 0, 50_000, {}, BadInput),
        ("fight", 501, 0, {}, BadInput),
        ("fight", 0, 0, {"priority": 7}, BadInput),
        ("fight", 0, 0, {"note": "x" * 501}, BadInput),
    ],
)
def test_what_is_no_incident_of_the_district_is_refused_and_not_written(house, kind, x, y, more, wrong):
    with pytest.raises(wrong):
        house.raised(kind, x, y, **more)
    assert house.store.changes() == []


def test_positions_count_one_by_one_and_leave_no_trace_in_the_log(house):
    lines = len(house.store.changes())
    good, far = at(-300, 0), at(0, 50_000)
    n, faults = house.reach.report(
        [
            PositionReport(unit_id="v1", at=BEGIN, lon=good[0], lat=good[1]),
            PositionReport(unit_id="v2", at=BEGIN, lon=far[0], lat=far[1]),
            PositionReport(unit_id="ghost", at=BEGIN, lon=good[0], lat=good[1]),
            PositionReport(unit_id="v3", at=BEGIN + timedelta(hours=1), lon=good[0], lat=good[1]),
        ]
    )
    assert n == 1
    assert [type(fault) for fault in faults] == [type(None), BadInput, NotFound, BadInput]
    assert len(house.store.changes()) == lines
    assert [kind for kind, _ in house.told] == ["units"]


def test_a_kill_loses_nothing_that_was_written(house):
    one = house.raised()
    house.reach.dispatch(one, house.reach.recommend(one).chosen, "desk")
    house.position("f1", -400, 50)
    house.reach.flush()
    house.reach.move("v1", "p-4", "desk")
    before = (house.reach.units(), house.reach.incidents(), house.reach.prove())
    house.open()  # nothing of the first was closed
    assert (house.reach.units(), house.reach.incidents(), house.reach.prove()) == before
    house.reach.step("f1", "on_scene", "f1")
    assert house.reach.incident(one).incident.state is IncidentState.ON_SCENE
    assert house.store.verify().ok


def test_a_lent_unit_is_added_sent_and_removed(house):
    lent = Unit(unit_id="lent-1", name={"zh": "支援车", "en": "Lent"}, kind="vehicle", crew=3, agency="neighbour")
    house.reach.add_unit(lent, *at(0, 0), "desk")
    with pytest.raises(Conflict, match="exists already"):
        house.reach.add_unit(lent, *at(0, 0), "desk")
    one = house.raised(x=0, y=0)
    assert house.reach.recommend(one).chosen == ("lent-1",)
    house.reach.dispatch(one, ["lent-1"], "desk")
    with pytest.raises(Conflict, match="recall it first"):
        house.reach.remove_unit("lent-1", "desk")
    house.reach.recall(one, "lent-1", "desk")
    house.open()
    assert house.reach.unit("lent-1").unit == lent
    house.reach.remove_unit("lent-1", "desk")
    with pytest.raises(NotFound):
        house.reach.unit("lent-1")
    with pytest.raises(Conflict, match="district pack"):
        house.reach.remove_unit("v1", "desk")
    assert house.reach.add_unit(lent, *at(0, 0), "desk").status is UnitStatus.AVAILABLE
    house.open()
    assert house.reach.unit("lent-1").unit == lent


def test_a_unit_that_was_called_back_has_not_arrived(house):
    one = house.raised()
    house.reach.dispatch(one, house.reach.recommend(one).chosen, "desk")
    made = house.reach.recall(one, "f1", "desk")
    assert (made.incident.state, made.assignments[0].ended) == (IncidentState.WAITING, "recalled")
    with pytest.raises(Conflict, match="not on the way"):
        house.reach.recall(one, "f1", "desk")


def test_a_day_that_begins_anew_closes_what_is_open_and_sends_everybody_home(house):
    one = house.raised()
    house.reach.dispatch(one, house.reach.recommend(one).chosen, "desk")
    house.clock.set(BEGIN - timedelta(days=30))
    house.reach.reset()
    assert house.reach.incidents() == []
    assert {unit.status for unit in house.reach.units()} == {UnitStatus.AVAILABLE}
    assert house.reach.prove().overall.n == 0
    house.reach.step("f1", "out_of_service", "f1")


def test_no_record_of_reach_in_the_log_holds_a_position_of_a_unit(house):
    house.position("v1", -300, 0)
    house.reach.step("v1", "out_of_service", "v1")
    bodies = [change.body for change in house.store.changes() if change.kind == "unit"]
    assert bodies
    assert not {"lon", "lat", "position_at"} & {name for body in bodies for name in body}


def test_the_layer_tells_where_the_next_incident_would_be_reached(house):
    points = [-400.0, 400.0], [0.0, 0.0]
    assert (house.reach.soonest_s(*points) < 60).all()
    house.reach.step("v2", "out_of_service", "desk")
    later = house.reach.soonest_s(*points)
    assert later[0] < 60 < later[1]
    for unit in ("v1", "v3", "f1"):
        house.reach.step(unit, "out_of_service", "desk")
    assert not (house.reach.soonest_s(*points) < float("inf")).any()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["raise", "dispatch", "step", "close", "recall", "later"]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(sorted(UnitStatus)),
    ),
    max_size=25,
)


def act(house, ids, step):
    """Take one drawn action, whatever is said to it."""
    action, k, n, status = step
    unit = ["v1", "v2", "v3", "f1"][k]
    one = ids[n % len(ids)] if ids else "none"
    verbs = {
        "raise": lambda: ids.append(house.raised("fight" if n % 2 else "traffic", x=100 * n - 200, y=0)),
        "step": lambda: house.reach.step(unit, status, "unit"),
        "later": lambda: house.later(30),
        "dispatch": lambda: house.reach.dispatch(one, [unit], "desk", reason="drawn"),
        "close": lambda: house.reach.close(one, "resolved", "desk"),
        "recall": lambda: house.reach.recall(one, unit, "desk"),
    }
    with contextlib.suppress(AnlanError):
        verbs[action]()


@settings(max_examples=20)
@given(steps=STEPS)
def test_no_sequence_of_actions_reaches_a_state_that_is_not_declared(tmp_path_factory, steps):
    house, ids = House(tmp_path_factory.mktemp("walk")), []
    for step in steps:
        act(house, ids, step)
    seen = {}
    for change in house.store.changes():
        key = (change.kind, change.record_id)
        if change.kind in {"unit", "incident"}:
            table, name = (UNIT_STEPS, "status") if change.kind == "unit" else (INCIDENT_STEPS, "state")
            first = "available" if change.kind == "unit" else "waiting"
            before, after = seen.get(key, first), change.body[name]
            assert before == after or after in table[type(next(iter(table)))(before)]
            seen[key] = after
    going = [one for one in house.reach.units() if one.incident_id]
    for one in going:
        part = [a for a in house.reach.incident(one.incident_id).assignments if a.available_at is None]
        assert one.unit.unit_id in {a.unit_id for a in part}
        assert house.reach.incident(one.incident_id).incident.closed_at is None
    assert house.store.verify().ok
    house.store.close()


def test_an_incident_has_no_field_for_whoever_called():
    assert not {field.name for field in fields(Incident)} & {"caller", "phone", "name", "victim", "reporter", "note"}


def test_a_crowd_in_the_streets_slows_whoever_is_sent(house):
    one = house.raised(x=0, y=0)
    free = house.reach.recommend(one).candidates[0].arrival.expected_s
    house.crowd = 0.35  # half of what stops a vehicle
    house.reach.beat()
    slowed = house.reach.recommend(one).candidates[0].arrival.expected_s
    assert slowed > 1.3 * free
    house.crowd = 0.0
    house.later(60)
    house.reach.beat()
    assert house.reach.recommend(one).candidates[0].arrival.expected_s == slowed  # looked at every five minutes
    house.later(300)
    house.reach.beat()
    assert house.reach.recommend(one).candidates[0].arrival.expected_s == pytest.approx(free)
