"""Signing up, waiting, swapping, checking in: whatever is done, places, skills and rest are kept."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.community.conftest import AT, shift, volunteer

from anlan.community import (
    Book,
    Offer,
    RestBroken,
    RestRule,
    answer_offer,
    check_in,
    complete,
    leave,
    minutes_served,
    sign_up,
    swap,
    withdraw,
)
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotAllowed, NotFound

HOUR = timedelta(hours=1)


def book(shifts, volunteers, **more):
    return Book(
        shifts={one.shift_id: one for one in shifts}, volunteers={one.volunteer_id: one for one in volunteers}, **more
    )


def seated(made, name="s"):
    return [one.volunteer_id for one in made.of_shift(name) if one.seated]


def test_who_comes_after_the_last_place_waits_and_moves_up_in_order():
    made = book([shift()], [volunteer(name) for name in "abcd"])
    for name in "abcd":
        made = sign_up(made, name, "s", at=AT)
    assert seated(made) == ["a", "b"]
    assert seated(withdraw(made, "a", "s", at=AT)) == ["b", "c"]
    assert seated(leave(made, "b", at=AT)) == ["a", "c"]


def test_places_for_a_skill_are_kept_for_it():
    aid = frozenset({"first_aid"})
    made = book([shift(places=3, needs={"first_aid": 2})], [volunteer("a"), volunteer("b"), volunteer("c", skills=aid)])
    for name in "abc":
        made = sign_up(made, name, "s", at=AT)
    assert seated(made) == ["a", "c"]
    assert seated(withdraw(made, "a", "s", at=AT)) == ["b", "c"]


def test_one_with_two_skills_fills_one_need():
    needs = {"first_aid": 1, "driving": 1}
    both, aid = frozenset({"first_aid", "driving"}), frozenset({"first_aid"})
    own = shift(places=2, needs=needs)
    assert own.seats([both, aid])
    assert not own.seats([aid, aid])
    assert not own.seats([both, frozenset()])


@pytest.mark.parametrize(
    ("begin_h", "length_h", "rule"),
    [(26, 4, "overlap"), (30, 2, "least_rest_h"), (36, 5, "most_day_h"), (48, 4, None)],
)
def test_a_shift_too_near_to_another_is_refused_with_the_rule(begin_h, length_h, rule):
    made = sign_up(book([shift(), shift("t", begin_h, length_h)], [volunteer()]), "a", "s", at=AT)
    if rule is None:
        assert len(sign_up(made, "a", "t", at=AT).entries) == 2
        return
    with pytest.raises(RestBroken) as refused:
        sign_up(made, "a", "t", at=AT)
    assert refused.value.broken == rule


def test_more_than_the_hours_of_a_week_are_refused():
    shifts = [shift(f"s{k}", 24 * (k + 1), 6) for k in range(4)]
    made = book(shifts, [volunteer()])
    for k in range(3):
        made = sign_up(made, "a", f"s{k}", at=AT)
    with pytest.raises(RestBroken, match="20 h in 7 days"):
        sign_up(made, "a", "s3", at=AT)


def test_a_shift_of_an_alliance_is_for_its_members():
    made = book([shift(alliance="silk")], [volunteer("a"), volunteer("b", alliances=frozenset({"silk"}))])
    with pytest.raises(NotAllowed):
        sign_up(made, "a", "s", at=AT)
    assert seated(sign_up(made, "b", "s", at=AT)) == ["b"]


def test_a_swap_needs_both_and_gives_each_the_place_of_the_other():
    made = book([shift(), shift("t", 48)], [volunteer("a"), volunteer("b")])
    made = sign_up(sign_up(made, "a", "s", at=AT), "b", "t", at=AT)
    offer = Offer(offer_id="o", shift_id="s", giver_id="a")
    with pytest.raises(Conflict, match="has not been answered"):
        swap(made, offer, at=AT)
    after = swap(made, answer_offer(made, offer, "b", "t", at=AT), at=AT)
    assert (seated(after), seated(after, "t")) == (["b"], ["a"])


def test_a_swap_that_would_cost_the_other_their_rest_is_refused_before_anybody_agrees():
    made = book([shift(), shift("t", 30)], [volunteer("a"), volunteer("b")])
    made = sign_up(sign_up(made, "a", "s", at=AT), "b", "t", at=AT)
    with pytest.raises(RestBroken):
        answer_offer(made, Offer(offer_id="o", shift_id="s", giver_id="a"), "b", None, at=AT)


def test_an_offer_that_was_answered_is_not_anybody_elses():
    made = sign_up(book([shift()], [volunteer(name) for name in "abc"]), "a", "s", at=AT)
    offer = answer_offer(made, Offer(offer_id="o", shift_id="s", giver_id="a"), "b", None, at=AT)
    for name in ("a", "c"):
        with pytest.raises(Conflict):
            answer_offer(made, offer, name, None, at=AT)


def test_coming_and_going_count_within_the_shift_only():
    own = shift()
    made = sign_up(book([own], [volunteer()]), "a", "s", at=AT)
    with pytest.raises(Conflict, match="half an hour before"):
        check_in(made, "a", "s", at=own.begin_at - HOUR)
    made = check_in(made, "a", "s", at=own.begin_at - HOUR / 4)
    assert minutes_served(own, made.entries[0]) is None
    made = check_in(made, "a", "s", at=own.end_at + HOUR)
    assert minutes_served(own, made.entries[0]) == 240
    with pytest.raises(Conflict):
        check_in(made, "a", "s", at=own.end_at)


def test_who_waits_cannot_check_in():
    made = book([shift(places=1)], [volunteer("a"), volunteer("b")])
    made = sign_up(sign_up(made, "a", "s", at=AT), "b", "s", at=AT)
    with pytest.raises(NotFound, match="waiting list"):
        check_in(made, "b", "s", at=AT + 24 * HOUR)


def test_who_forgot_to_check_out_stayed_until_the_end_and_who_never_came_has_no_hours():
    own = shift()
    made = sign_up(sign_up(book([own], [volunteer("a"), volunteer("b")]), "a", "s", at=AT), "b", "s", at=AT)
    made = check_in(made, "a", "s", at=own.begin_at + HOUR)
    with pytest.raises(Conflict):
        complete(made, "s", at=own.begin_at + HOUR)
    made = complete(made, "s", at=own.end_at)
    assert [minutes_served(own, one) for one in made.entries] == [180, None]
    with pytest.raises(Conflict):
        sign_up(made, "a", "s", at=own.end_at)


@pytest.mark.parametrize(
    "more",
    [{"length_h": 0}, {"length_h": 13}, {"places": 0}, {"places": 1, "needs": {"aed": 2}}, {"needs": {"aed": 0}}],
)
def test_a_shift_that_cannot_be_is_refused(more):
    with pytest.raises(BadInput):
        shift(**more)


NAMES = ("a", "b", "c", "d")
SHIFTS = ("s", "t", "u", "v")
STEP = st.tuples(
    st.sampled_from(["sign_up", "withdraw", "leave", "swap", "swap_back", "wait"]),
    st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(SHIFTS), st.sampled_from(SHIFTS),
)  # fmt: skip


def taken(made, step, at):
    verb, one, other, first, second = step
    if verb == "sign_up":
        return sign_up(made, one, first, at=at)
    if verb == "withdraw":
        return withdraw(made, one, first, at=at)
    if verb == "leave":
        return leave(made, one, at=at)
    offer = Offer(offer_id="o", shift_id=first, giver_id=one)
    answered = answer_offer(made, offer, other, second if verb == "swap_back" else None, at=at)
    return swap(made, answered, at=at)


@settings(max_examples=150)
@given(st.lists(STEP, max_size=40), st.lists(st.tuples(st.integers(1, 40), st.integers(1, 6)), min_size=4, max_size=4))
def test_no_sequence_of_steps_breaks_rest_places_skills_or_alliances(steps, times):
    skills = (frozenset({"aed"}), frozenset({"aed", "driving"}), frozenset(), frozenset({"driving"}))
    members = (frozenset({"silk"}), frozenset(), frozenset({"silk"}), frozenset())
    people = [volunteer(n, skills=s, alliances=m) for n, s, m in zip(NAMES, skills, members, strict=True)]
    needs = ({}, {"aed": 1}, {"aed": 1, "driving": 1}, {"driving": 1})
    shifts = [
        shift(name, begin, length, places=2, needs=need, alliance="silk" if name == "v" else None)
        for name, (begin, length), need in zip(SHIFTS, times, needs, strict=True)
    ]
    made, at = book(shifts, people, rule=RestRule(least_rest_h=5, most_day_h=8, most_week_h=12)), AT
    for step in steps:
        if step[0] == "wait":
            at += HOUR
            continue
        if not {step[1], step[2]} <= set(made.volunteers):
            continue
        before = made
        try:
            made = taken(made, step, at)
        except AnlanError:
            assert made is before
        for name in made.volunteers:
            assert made.rule.broken(made.spans(name)) is None
        for own in shifts:
            assert own.seats(made.seated_skills(own.shift_id))
            names = [one.volunteer_id for one in made.of_shift(own.shift_id)]
            assert len(names) == len(set(names))
            assert own.alliance is None or all(own.alliance in made.volunteers[name].alliances for name in names)
        gone = set(NAMES) - set(made.volunteers)
        assert not [one for one in made.entries if one.volunteer_id in gone]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 12)), max_size=12))
def test_the_fullest_window_is_found_by_its_edges(times):
    spans = [(AT + begin * HOUR, AT + (begin + length) * HOUR) for begin, length in times]
    found = RestRule(least_rest_h=0, most_day_h=8, most_week_h=168).broken(spans)
    starts = [AT + k * HOUR for k in range(-30, 440)]
    hours = [sum(max((min(e, w + 24 * HOUR) - max(b, w)) / HOUR, 0) for b, e in spans) for w in starts]
    overlaps = any(
        b < e and x[0] < y[1] and y[0] < x[1] for k, x in enumerate(spans) for y in spans[:k] for b, e in [x]
    )
    expected = "overlap" if overlaps else "most_day_h" if max(hours, default=0) > 8 else None
    assert (found or (None,))[0] == expected


def test_the_book_is_not_changed_by_what_is_refused():
    made = sign_up(book([shift()], [volunteer()]), "a", "s", at=AT)
    kept = replace(made)
    with pytest.raises(Conflict):
        sign_up(made, "a", "s", at=AT)
    assert made == kept
