"""Shifts in a store: filled, swapped, served, completed; what the station sees, and for how long."""

import pytest
from tests.volunteers.conftest import EVERYWHERE, HOUR, spot

from anlan.community import RestBroken
from anlan.kernel.access import Scope
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.volunteers.calling import forget_old
from anlan.volunteers.joining import tallies
from anlan.volunteers.rostering import (
    NewShift,
    cancel,
    complete_shift,
    enter,
    give_up,
    here,
    of_volunteer,
    offer_place,
    offers,
    open_to,
    plan,
    settle_offer,
    shift,
    shifts,
    take_offer,
)


def held(kept, number):
    return {one.shift_id: one.seated for one in of_volunteer(kept.hall, number)}


def test_places_fill_a_list_waits_and_moves_up(kept):
    people = [kept.joined(name) for name in ("One", "Two", "Three")]
    shift_id = kept.shift(places=2)
    assert [enter(kept.hall, one, shift_id) for one in people] == [True, True, False]
    told, _, inside = shift(kept.hall, shift_id, EVERYWHERE)
    assert (told.n_seated, told.n_waiting) == (2, 1)
    assert [row["shown_name"] for row, _ in inside] == ["One", "Two", "Three"]
    give_up(kept.hall, people[0], shift_id)
    assert held(kept, people[2]) == {shift_id: True}
    assert held(kept, people[0]) == {}


def test_rest_counts_other_shifts_of_the_store(kept):
    one = kept.joined()
    enter(kept.hall, one, kept.shift(24))
    with pytest.raises(RestBroken, match="8 h of rest"):
        enter(kept.hall, one, kept.shift(30))
    assert enter(kept.hall, one, kept.shift(48))


def test_a_swap_is_agreed_by_both_and_seen_by_nobody_else_while_it_is_answered(kept):
    one, two, three = (kept.joined(name) for name in ("One", "Two", "Three"))
    first, second = kept.shift(24, places=1), kept.shift(72, places=1)
    enter(kept.hall, one, first)
    enter(kept.hall, two, second)
    key = offer_place(kept.hall, one, first)
    assert offer_place(kept.hall, one, first) == key
    assert [row["giver"] for row in offers(kept.hall, three)] == ["One"]
    take_offer(kept.hall, two, key, second)
    assert offers(kept.hall, three) == []
    assert [(row["taker"], row["back_id"]) for row in offers(kept.hall, one)] == [("Two", second)]
    with pytest.raises(NotFound):
        settle_offer(kept.hall, three, key, agreed=True)
    settle_offer(kept.hall, one, key, agreed=True)
    assert (held(kept, one), held(kept, two)) == ({second: True}, {first: True})
    assert offers(kept.hall, one) == []


def test_an_answer_may_be_taken_back_and_an_offer_withdrawn(lite):
    one, two = lite.joined("One"), lite.joined("Two")
    shift_id = lite.shift(places=1)
    enter(lite.hall, one, shift_id)
    key = offer_place(lite.hall, one, shift_id)
    take_offer(lite.hall, two, key)
    settle_offer(lite.hall, two, key, agreed=False)
    assert [row["taker"] for row in offers(lite.hall, two)] == [None]
    settle_offer(lite.hall, one, key, agreed=False)
    assert offers(lite.hall, two) == []
    assert held(lite, one) == {shift_id: True}


def test_an_offer_of_a_place_given_up_is_gone(lite):
    one, two = lite.joined("One"), lite.joined("Two")
    shift_id = lite.shift(places=1)
    enter(lite.hall, one, shift_id)
    key = offer_place(lite.hall, one, shift_id)
    give_up(lite.hall, one, shift_id)
    with pytest.raises(NotFound):
        take_offer(lite.hall, two, key)


def test_the_code_of_the_place_counts_hours_and_the_station_completes_them(kept):
    one, two, three = (kept.joined(name) for name in ("One", "Two", "Three"))
    shift_id = kept.shift(1, 4, places=3)
    for number in (one, two, three):
        enter(kept.hall, number, shift_id)
    code = shift(kept.hall, shift_id, EVERYWHERE)[1]
    with pytest.raises(NotFound):
        here(kept.hall, one, "WRONGONE")
    kept.wait(minutes=45)
    assert here(kept.hall, one, code.lower()).in_at == kept.clock.now()
    kept.wait(hours=2)
    assert here(kept.hall, two, code).minutes is None
    kept.wait(minutes=30)
    assert here(kept.hall, one, code).minutes == 135
    with pytest.raises(Conflict):
        complete_shift(kept.hall, shift_id, EVERYWHERE, "test")
    kept.wait(hours=2)
    assert complete_shift(kept.hall, shift_id, EVERYWHERE, "test") == (2, 135 + 135)
    assert [one.minutes for one in of_volunteer(kept.hall, three)] == [None]
    assert {one["what"]: one["n"] for one in tallies(kept.hall, EVERYWHERE)}["minutes"] == 270


def test_who_was_in_a_shift_is_seen_for_thirty_days_and_how_many_for_ever(lite):
    one, shift_id = lite.joined(), lite.shift(1)
    enter(lite.hall, one, shift_id)
    lite.wait(days=29)
    assert len(shift(lite.hall, shift_id, EVERYWHERE)[2]) == 1
    lite.wait(days=3)
    told, _, inside = shift(lite.hall, shift_id, EVERYWHERE)
    assert (inside, told.n_seated) == ([], 1)


def test_a_shift_is_seen_and_planned_in_the_areas_of_the_scope_only(kept):
    west, east = Scope(False, frozenset({"d-w"})), Scope(False, frozenset({"d-e"}))
    shift_id, begin = kept.shift(at=(-300, -300)), kept.clock.now()
    assert len(shifts(kept.hall, west, begin, begin + 48 * HOUR)) == 1
    assert shifts(kept.hall, east, begin, begin + 48 * HOUR) == []
    lon, lat = spot(-300, -300)
    new = NewShift(name={"zh": "岗"}, lon=lon, lat=lat, begin_at=begin + HOUR, end_at=begin + 2 * HOUR, places=1)
    for refused in (
        lambda: shift(kept.hall, shift_id, east), lambda: cancel(kept.hall, shift_id, east, "x"),
        lambda: plan(kept.hall, new, east, "x"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            refused()


def test_a_cancelled_shift_takes_nobody_and_costs_nobody_their_rest(lite):
    one, first = lite.joined(), lite.shift(24)
    enter(lite.hall, one, first)
    cancel(lite.hall, first, EVERYWHERE, "test")
    assert enter(lite.hall, one, lite.shift(25))
    with pytest.raises(Conflict):
        enter(lite.hall, lite.joined("Two"), first)


def test_a_shift_of_an_alliance_is_shown_to_its_members(lite):
    one, member = lite.joined("One"), lite.joined("Two", alliances=("silk",))
    shift_id = lite.shift(alliance="silk")
    assert open_to(lite.hall, one) == []
    assert [found.shift_id for found in open_to(lite.hall, member)] == [shift_id]
    with pytest.raises(NotAllowed):
        enter(lite.hall, one, shift_id)


@pytest.mark.parametrize("more", [{"begin_h": -1}, {"at": (5000, 0)}, {"needs": {"flying": 1}}, {"alliance": "none"}])
def test_a_shift_that_cannot_be_planned_is_refused(lite, more):
    with pytest.raises(BadInput):
        lite.shift(**more)


def test_offers_of_shifts_that_have_begun_are_forgotten(lite):
    one, shift_id = lite.joined(), lite.shift(1)
    enter(lite.hall, one, shift_id)
    key = offer_place(lite.hall, one, shift_id)
    lite.wait(hours=2)
    forget_old(lite.hall)
    with pytest.raises(NotFound):
        settle_offer(lite.hall, one, key, agreed=False)
