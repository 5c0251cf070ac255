"""Who should go, and why; what steps may be taken; what is not believed."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point
from tests.small import PLANE, town_pack

from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.records import Unit
from anlan.kernel.response import Assignment, Incident, IncidentState, PositionReport, UnitNow, UnitStatus
from anlan.response.dispatch import (
    INCIDENT_STEPS,
    UNIT_STEPS,
    Dispatcher,
    Ground,
    arrival,
    check_moment,
    check_position,
    check_step,
    queue,
    read_playbooks,
    soonest_s,
    state_of,
)
from anlan.response.dispatch.proof import Asked, proof
from anlan.response.measures import Cause
from anlan.response.travel import VEHICLE, Network, StreetGraph

NOW = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
BOOKS = read_playbooks(files("anlan.reach").joinpath("playbooks.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def pack():
    return town_pack()


@pytest.fixture(scope="module")
def ground(pack):
    return Ground.of(pack, hour=3)


@pytest.fixture
def dispatcher(pack, ground):
    posts = {post.post_id: (post.point.x, post.point.y) for post in pack.posts}
    return Dispatcher(pack=pack, ground=ground, playbooks=BOOKS, posts=posts)


def at(x, y):
    point = PLANE.unproject(Point(x, y))
    return {"lon": point.x, "lat": point.y}


def unit(name, x, y, *, kind="vehicle", crew=4, can=(), **more):
    return UnitNow(
        unit=Unit(unit_id=name, name={}, kind=kind, crew=crew, capabilities=can),
        status=more.pop("status", UnitStatus.AVAILABLE),
        position_at=more.pop("position_at", NOW),
        **at(x, y),
        **more,
    )


def incident(kind="disturbance", x=200, y=100, **more):
    book = BOOKS.of(kind)
    made = {"incident_id": "1", "kind": kind, "priority": book.priority, "received_at": NOW}
    return Incident(**{**made, **at(x, y), **more})


def by_id(made):
    return {one.unit_id: one for one in made.candidates}


def test_the_way_back_takes_as_long_as_the_way_forth(pack):
    graph = StreetGraph.of(pack.streets, pack.projection, piece_m=60)
    network = Network.of(graph, VEHICLE)
    nodes = network.main_piece()
    forth = network.reach(nodes, 900).matrix_s(nodes)
    back = network.reversed().reach(nodes, 900).matrix_s(nodes)
    np.testing.assert_allclose(back.T, forth, atol=0.11)
    assert np.isfinite(forth).all()


def test_the_nearest_by_street_goes_and_says_when_and_how_sure(dispatcher):
    made = dispatcher.recommend(incident(), [unit("far", -400, -300), unit("near", 100, 100)], NOW)
    assert made.chosen == ("near",)
    near, far = by_id(made)["near"], by_id(made)["far"]
    assert near.arrival.low_s < near.arrival.expected_s < near.arrival.high_s
    assert near.arrival.expected_s < far.arrival.expected_s
    assert near.within > far.within
    assert near.has == ("patrol",)


def test_who_cannot_do_what_is_needed_is_told_so_and_stays(dispatcher):
    made = dispatcher.recommend(
        incident("medical"), [unit("near", 190, 100), unit("aid", -400, -100, can=("medical",))], NOW
    )
    assert made.chosen == ("aid",)
    assert by_id(made)["near"].barred == "not_needed"


def test_a_playbook_of_several_is_filled_at_the_least_total_and_what_lacks_is_told(dispatcher):
    units = [unit("v1", 150, 100), unit("v2", -300, 100), unit("f1", 180, 100, kind="foot", crew=2)]
    made = dispatcher.recommend(incident("fight"), units, NOW)
    assert set(made.chosen) == {"v1", "f1"}
    lacking = dispatcher.recommend(incident("fight"), units[2:], NOW)
    assert lacking.chosen == ("f1",)
    assert [need.crew for need in lacking.missing] == [4]


def test_whoever_is_on_it_already_is_not_sent_for_again(dispatcher):
    going = unit("v1", 150, 100, status=UnitStatus.EN_ROUTE, incident_id="1")
    made = dispatcher.recommend(incident(), [going, unit("v2", 190, 100)], NOW)
    assert (made.chosen, made.missing, made.on_it) == ((), (), ("v1",))
    assert by_id(made)["v1"].barred == "assigned"


def test_a_unit_is_taken_from_a_less_urgent_incident_only_where_that_is_much_sooner(dispatcher):
    going = unit("v1", 190, 100, status=UnitStatus.EN_ROUTE, incident_id="2")
    far = unit("v2", -480, -300)
    made = dispatcher.recommend(incident("fight", received_at=NOW), [going, far], NOW, {"2": 3})
    assert by_id(made)["v1"].takes_from == "2"
    assert "v1" in made.chosen
    same = dispatcher.recommend(incident("fight"), [going, far], NOW, {"2": 1})
    assert by_id(same)["v1"].barred == "assigned"
    near = dispatcher.recommend(incident("disturbance"), [going, unit("v3", 200, 0)], NOW, {"2": 3})
    assert near.chosen == ("v3",)


@pytest.mark.parametrize(
    ("status", "barred"), [(UnitStatus.ON_SCENE, "on_scene"), (UnitStatus.OUT_OF_SERVICE, "out_of_service")]
)
def test_nobody_is_called_away_from_a_scene_or_out_of_rest(dispatcher, status, barred):
    made = dispatcher.recommend(
        incident("fight"), [unit("v1", 190, 100, status=status, incident_id="2")], NOW, {"2": 3}
    )
    assert made.chosen == ()
    assert by_id(made)["v1"].barred == barred


def test_a_unit_without_a_position_or_of_an_unknown_kind_is_told_and_not_guessed(dispatcher):
    lost = replace(unit("v1", 0, 0), lon=None, lat=None, position_at=None)
    made = dispatcher.recommend(incident(), [lost, unit("h1", 0, 0, kind="hovercraft")], NOW)
    assert made.chosen == ()
    assert {one.unit_id: one.barred for one in made.candidates} == {"v1": "no_position", "h1": "kind_unknown"}


def test_cover_left_is_told_and_sways_only_where_no_life_is_at_stake(dispatcher):
    walking = {"kind": "foot", "crew": 2}
    alone = unit("alone", 400, 400, **walking)
    pair = [unit("a", -400, -400, **walking), unit("b", -400, -390, **walking)]
    made = dispatcher.recommend(incident("lost_or_found", x=0, y=100), [alone, *pair], NOW)
    assert made.cover_after < made.cover_now
    lost = by_id(made)
    assert lost["alone"].cover_lost > lost["a"].cover_lost > 0
    assert made.cover_after == pytest.approx(made.cover_now - lost[made.chosen[0]].cover_lost)
    urgent = by_id(dispatcher.recommend(incident("fight", x=0, y=100), [alone, *pair], NOW))["alone"]
    assert lost["alone"].cost_s - lost["alone"].arrival.expected_s > urgent.cost_s - urgent.arrival.expected_s


def test_an_old_position_of_a_moving_unit_widens_its_interval(dispatcher):
    fresh = unit("v1", 100, 100, status=UnitStatus.RETURNING)
    old = replace(fresh, position_at=NOW - timedelta(seconds=90))
    spans = [by_id(dispatcher.recommend(incident(), [one], NOW))["v1"].arrival for one in (fresh, old)]
    assert spans[1].high_s - spans[1].low_s > spans[0].high_s - spans[0].low_s


def test_a_kind_without_a_playbook_is_not_found(dispatcher):
    dragon = Incident(incident_id="x", kind="dragon", priority=1, received_at=NOW, **at(0, 0))
    with pytest.raises(NotFound, match="disturbance, fight"):
        dispatcher.recommend(dragon, [], NOW)


@settings(max_examples=25)
@given(
    places=st.lists(st.tuples(st.integers(-480, 480), st.integers(-480, 480)), min_size=1, max_size=6),
    more=st.tuples(st.integers(-480, 480), st.integers(-480, 480)),
)
def test_one_more_free_unit_never_lowers_cover_nor_delays_help(places, more):
    pack = town_pack()
    dispatcher = Dispatcher(pack=pack, ground=_GROUND, playbooks=BOOKS)
    units = [unit(f"u{k}", x, y) for k, (x, y) in enumerate(places)]
    grown = [*units, unit("more", *more)]
    assert dispatcher.cover(grown) >= dispatcher.cover(units) - 1e-12
    first, second = (dispatcher.recommend(incident("fight", x=0, y=0), some, NOW) for some in (units, grown))
    assert len(second.missing) <= len(first.missing)
    first_cost = min(one.cost_s for one in first.candidates)
    assert min(one.cost_s for one in second.candidates) <= first_cost + 1e-9


_GROUND = Ground.of(town_pack(), hour=3)


def test_a_move_up_fills_the_gap_and_is_told_with_its_gain(dispatcher):
    posts = {"p-1": tuple(at(-400, 400).values()), "p-2": tuple(at(400, -400).values())}
    mover = replace(dispatcher, posts=posts)
    here = [unit("a", -400, 400, post_id="p-1"), unit("b", -400, 390, post_id="p-1")]
    slow = [replace(one, unit=replace(one.unit, kind="foot")) for one in here]
    made = mover.move_up(slow)
    assert (made.post_id, made.unit_id in {"a", "b"}) == ("p-2", True)
    assert made.cover_after > made.cover_now
    assert mover.move_up([replace(one, status=UnitStatus.ON_SCENE) for one in slow]) is None


def test_the_soonest_of_the_free_units_is_what_the_layer_shows(ground):
    x, y = np.array([-300.0, 300.0]), np.array([200.0, 200.0])
    both = soonest_s(ground, ["vehicle", "foot"], x, y, np.array([30.0, 10.0]), 300)
    one = soonest_s(ground, ["vehicle"], x[:1], y[:1], np.array([30.0]), 300)
    assert (both <= one).all()
    assert both.min() == pytest.approx(10.0, abs=20)


def test_what_is_kept_up_as_units_change_is_what_a_new_dispatcher_reads(dispatcher, pack, ground):
    units = [unit(f"u{k}", 90 * k - 300, 40 * k - 100, kind=("vehicle", "foot", "hovercraft")[k % 3]) for k in range(9)]
    dispatcher.recommend(incident("fight"), units, NOW)
    units[0] = replace(units[0], status=UnitStatus.RETURNING, **at(300, 300))
    units[1] = replace(units[1], status=UnitStatus.ON_SCENE, incident_id="2")
    units[4] = replace(units[4], lon=None, lat=None)
    later = NOW + timedelta(seconds=40)
    fresh = Dispatcher(pack=pack, ground=ground, playbooks=BOOKS, posts=dispatcher.posts)
    kept, new = (one.recommend(incident("fight"), units, later) for one in (dispatcher, fresh))
    assert kept.candidates == new.candidates
    assert (kept.cover_now, kept.cover_after) == (new.cover_now, new.cover_after)
    fewer = units[:3]
    assert dispatcher.recommend(incident("fight"), fewer, later).candidates == (
        fresh.recommend(incident("fight"), fewer, later).candidates
    )


def test_what_is_searched_once_is_what_a_search_tells(ground):
    again = Ground.of(town_pack(), hour=3)
    first = again.times_to_s("vehicle", 120.0, -40.0)
    assert again.times_to_s("vehicle", 120.0, -40.0) is first
    np.testing.assert_array_equal(first, ground.times_to_s("vehicle", 120.0, -40.0))


def test_waiting_goes_by_urgency_then_age():
    later = NOW + timedelta(minutes=1)
    made = [
        incident("traffic", incident_id="c"),
        incident("fight", incident_id="b", received_at=later),
        incident("fight", incident_id="a"),
    ]
    assert [one.incident_id for one in queue(made)] == ["a", "b", "c"]


def test_an_arrival_holds_its_interval_nine_times_of_ten():
    made = arrival(30, 120, 0.3)
    drawn = np.exp(made.mu + made.sigma * np.random.default_rng(1).standard_normal(20_000))
    assert np.mean((drawn >= made.low_s) & (drawn <= made.high_s)) == pytest.approx(0.9, abs=0.01)
    assert np.mean(drawn) == pytest.approx(made.expected_s, rel=0.01)
    assert np.mean(drawn <= 180) == pytest.approx(made.probability_within(180), abs=0.01)


# -- steps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), list(itertools.product(UnitStatus, UnitStatus)))
def test_a_step_is_taken_exactly_where_the_table_has_it(before, after):
    if after in UNIT_STEPS[before]:
        check_step("v1", before, after)
    else:
        with pytest.raises(Conflict, match=f"is {before}"):
            check_step("v1", before, after)


def test_every_status_and_state_is_in_the_tables_and_a_closed_incident_stays_closed():
    assert set(UNIT_STEPS) == set(UnitStatus)
    assert set(INCIDENT_STEPS) == set(IncidentState)
    assert not INCIDENT_STEPS[IncidentState.CLOSED]


def test_a_step_is_neither_of_the_future_nor_before_the_last():
    check_moment(NOW + timedelta(seconds=50), NOW - timedelta(minutes=1), NOW)
    with pytest.raises(BadInput, match="at most 60 s ahead"):
        check_moment(NOW + timedelta(seconds=61), None, NOW)
    with pytest.raises(BadInput, match="must not be before"):
        check_moment(NOW - timedelta(seconds=1), NOW, NOW)


def test_an_incident_is_attended_while_somebody_is_there():
    sent = Assignment(assignment_id="1", incident_id="1", unit_id="v", received_at=NOW, dispatched_at=NOW)
    there = replace(sent, en_route_at=NOW, on_scene_at=NOW + timedelta(seconds=90))
    assert state_of([sent], closed=False) is IncidentState.DISPATCHED
    assert state_of([sent, there], closed=False) is IncidentState.ON_SCENE
    assert state_of([replace(there, available_at=NOW + timedelta(seconds=900))], closed=False) is IncidentState.WAITING
    assert state_of([there], closed=True) is IncidentState.CLOSED
    assert (there.turnout_s, there.travel_s, there.response_s, there.on_scene_s) == (0, 90, 90, None)


# -- positions -----------------------------------------------------------------------------------------------------


def report(x, y, moment=NOW + timedelta(seconds=10)):
    return PositionReport(unit_id="v1", at=moment, **at(x, y))


def test_a_position_that_is_newer_counts_and_an_older_one_is_left():
    before = unit("v1", 0, 0)
    assert check_position(report(80, 0), before, NOW, PLANE)
    assert not check_position(report(80, 0, NOW), before, NOW, PLANE)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (report(0, 50_000), "within 30 km"),
        (report(20_000, 0), "200 km/h"),
        (report(0, 0, NOW + timedelta(minutes=5)), "60 s ahead"),
        (PositionReport(unit_id="v1", at=NOW, lon=float("nan"), lat=31), "degrees"),
        (PositionReport(unit_id="v1", at=NOW, lon=31.2, lat=121.4), "degrees"),
    ],
)
def test_a_jump_the_future_and_no_place_are_refused(wrong, rule):
    with pytest.raises(BadInput, match=rule):
        check_position(wrong, unit("v1", 0, 0), NOW, PLANE)


# -- playbooks -----------------------------------------------------------------------------------------------------


def test_every_fault_of_a_playbook_is_told_at_once():
    text = """
    [unit_kind.boat]
    name = { en = "Boat" }
    mode = "swim"
    [incident.flood]
    name = {}
    priority = 0
    target_s = -5
    needs = [{ units = 0, capabilities = ["A b"], hats = 1 }]
    [other]
    """
    with pytest.raises(BadInput) as told:
        read_playbooks(text)
    for wanted in (
        "mode='swim'",
        "incident.flood.name",
        "priority=0",
        "target_s=-5",
        "units=0",
        "hats",
        "other must be",
    ):
        assert wanted in str(told.value)


@pytest.mark.parametrize("text", ["[incident", "", "incident = 3", "[incident]\na = 1"])
def test_what_is_no_playbook_is_refused(text):
    with pytest.raises(BadInput):
        read_playbooks(text)


def arrived(name, *, told, off, there, free=None):
    """An incident of the kind "fight" at noon, and who was sent: after so many seconds."""
    moments = {"dispatched_at": told, "en_route_at": off, "on_scene_at": there, "available_at": free}
    known = {key: NOW + timedelta(seconds=s) for key, s in moments.items() if s is not None}
    scene = known.get("on_scene_at")
    made = Incident(
        incident_id=name, kind="fight", priority=1, lon=0.0, lat=0.0, received_at=NOW, on_scene_at=scene, closed_at=NOW
    )
    part = Assignment(
        assignment_id=f"{name}-1", incident_id=name, unit_id=name, received_at=NOW, expected_s=150.0, **known
    )
    return made, part


@pytest.mark.parametrize(
    ("moments", "cause", "late_s"),
    [
        ({"told": 200, "off": 220, "there": 250}, Cause.LATE_DISPATCH, 70),
        ({"told": 10, "off": 180, "there": 200}, Cause.SLOW_TURNOUT, 20),
        ({"told": 10, "off": 30, "there": 400}, Cause.SLOW_TRAVEL, 220),
        ({"told": 10, "off": None, "there": None}, Cause.NOBODY_CAME, None),
        ({"told": 10, "off": 40, "there": 170}, None, None),
    ],
)
def test_a_promise_that_was_not_kept_is_told_with_its_cause(moments, cause, late_s):
    incident, part = arrived("a", **moments)
    asked = Asked(since_at=NOW, until_at=NOW + timedelta(hours=1), n_units=3, target_s={"fight": 180.0})
    made = proof(asked, [incident], [part])
    assert [(one.cause, one.late_s) for one in made.broken] == ([] if cause is None else [(cause, late_s)])
    assert made.kept.n == (cause is None)


def test_the_busy_share_is_of_every_unit_and_the_time_asked_about():
    incident, part = arrived("a", told=0, off=30, there=100, free=1200)
    asked = Asked(since_at=NOW, until_at=NOW + timedelta(hours=1), n_units=2, target_s={})
    assert proof(asked, [incident], [part]).busy == pytest.approx(1200 / 3600 / 2)
    assert proof(replace(asked, until_at=NOW), [incident], [part]).busy is None
