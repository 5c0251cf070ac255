"""A place that fills on schedule is announced before its trend shows it; who does not come is not waited for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crowd.test_alerts import Desk

from anlan.crowd import Course, Curve, Outlook
from anlan.crowd.course import TURNOUT_SD, Turnout, bent, turnout
from anlan.crowd.trend import followed, outlook
from anlan.kernel.alerts import AlertAction, Basis
from anlan.kernel.ladders import Rung
from anlan.kernel.records import Estimate

BEGIN = datetime(2026, 12, 31, 10, tzinfo=UTC)
KNOTS = tuple(float(k) for k in range(-15, 61, 5))
LEADS = (5.0, 10.0, 15.0, 20.0)
SURE = ((15.0, 0.05), (30.0, 0.07))


def curve(people, minute=0.0):
    """Return a course of so many people at each minute of the day, as seen from one of them."""
    return Curve(minutes=KNOTS, persons=tuple(float(people(minute + k)) for k in KNOTS))


def trend_of(numbers, share=0.05):
    trend = None
    for k, people in enumerate(numbers):
        at = BEGIN + timedelta(minutes=k)
        trend = followed(trend, Estimate(at=at, walkable_m2=1e4, occupancy=float(people), sd=share * people))
    return trend


FLAT = trend_of([10_000.0] * 60)


def filling(minute):
    """Return ten thousand people, to whom twenty thousand more come from the 120th minute on, within the hour."""
    part = np.clip((minute - 120) / 60, 0, 1)
    return 10_000 + 20_000 * part * part * (3 - 2 * part)


def test_without_anything_known_it_is_the_trend():
    assert bent(FLAT, Course(), LEADS) == outlook(FLAT, LEADS)


def test_what_the_hour_is_used_to_bends_the_trend():
    course = Course(usual=curve(filling, 115), usual_sd=SURE)
    told = bent(FLAT, course, LEADS)
    for one, plain in zip(told, outlook(FLAT, LEADS), strict=True):
        assert one.occupancy == pytest.approx(filling(115 + one.ahead_s / 60), rel=0.02)
        if one.occupancy > 1.05 * plain.occupancy:
            assert one.sd > plain.sd  # a bend is less sure than that it goes on
        assert one.rests_on == (Basis.TREND, Basis.USUAL)


def test_where_both_tell_the_same_growth_it_is_surer_than_either():
    rising = trend_of(5_000 + 50 * np.arange(120.0))
    course = Course(usual=curve(lambda k: 11_000 + 50 * k), usual_sd=SURE)
    told, plain = bent(rising, course, LEADS)[-1], outlook(rising, LEADS)[-1]
    assert told.occupancy == pytest.approx(plain.occupancy, rel=0.02)
    assert told.sd < plain.sd


def test_a_day_that_is_not_as_usual_is_left_to_its_trend():
    feast = trend_of(5_000 * 1.02 ** np.arange(120.0))
    quiet = Course(usual=curve(lambda _: 2_000), usual_sd=SURE)
    told, plain = bent(feast, quiet, LEADS), outlook(feast, LEADS)
    for one, other in zip(told, plain, strict=True):
        assert one.occupancy == pytest.approx(other.occupancy, rel=0.05)


def test_a_crowd_ten_times_the_usual_does_not_grow_ten_times_as_usual():
    crowd = trend_of([20_000.0] * 60)
    course = Course(usual=curve(lambda k: filling(118 + k) / 5), usual_sd=SURE)
    grown = bent(crowd, course, (20.0,))[0].occupancy - 20_000
    assert grown == pytest.approx((filling(138) - filling(118)) / 5, rel=0.15)


def test_what_is_planned_is_added_with_the_doubt_of_its_number():
    course = Course(planned=curve(lambda k: filling(120 + k) - 10_000))
    told, plain = bent(FLAT, course, (20.0,))[0], outlook(FLAT, (20.0,))[0]
    more = filling(140) - 10_000
    assert told.occupancy == pytest.approx(10_000 + more, rel=0.02)
    assert told.sd == pytest.approx(np.hypot(TURNOUT_SD * more, plain.sd * told.occupancy / 10_000), rel=0.1)
    assert told.rests_on == (Basis.TREND, Basis.PLAN)


def test_a_plan_of_the_evening_says_nothing_of_the_morning():
    course = Course(planned=curve(lambda _: 0.0))
    assert bent(FLAT, course, LEADS) == outlook(FLAT, LEADS)


def test_those_who_leave_are_not_waited_for():
    course = Course(planned=curve(lambda k: 8_000 * (1 - np.clip(k / 30, 0, 1))), turnout=Turnout(part=1.0, sd=0.05))
    assert bent(FLAT, course, (20.0,))[0].occupancy == pytest.approx(10_000 - 8_000 * 2 / 3, rel=0.05)


@settings(max_examples=50)
@given(came=st.floats(-5_000, 50_000), sd=st.floats(1, 10_000), due=st.floats(0, 50_000))
def test_who_is_seen_makes_the_turnout_surer_and_never_less_than_nobody(came, sd, due):
    told = turnout(came, sd, due)
    assert told.part >= 0
    assert 0 < told.sd <= TURNOUT_SD
    assert turnout(due, sd, due).part == pytest.approx(1.0)


@settings(max_examples=50)
@given(
    numbers=st.lists(st.floats(0, 1e5), min_size=12, max_size=40),
    usual=st.lists(st.floats(0, 1e5), min_size=16, max_size=16),
    planned=st.lists(st.floats(0, 1e5), min_size=16, max_size=16),
    part=st.floats(0, 3),
)
def test_whatever_is_known_the_outlook_is_of_people(numbers, usual, planned, part):
    course = Course(
        usual=Curve(minutes=KNOTS, persons=tuple(usual)),
        usual_sd=((15.0, 0.0), (30.0, 3.0)),
        planned=Curve(minutes=KNOTS, persons=tuple(planned)),
        turnout=Turnout(part=part, sd=0.2),
    )
    for one in bent(trend_of(numbers), course, LEADS):
        assert one.occupancy >= 0
        assert np.isfinite([one.occupancy, one.sd]).all()


# -- judged --------------------------------------------------------------------------------------------------------


def first(desk, course_of, people, minutes=180):
    """Return at which minute the quay is first announced, with what is known each minute."""
    for k in range(minutes):
        if desk.minute(people(k), outlooks={"place:quay": course_of(k)}):
            return k
    return None


def nothing(_):
    return Course()


def crowd(minute):
    """Return people who are 30,000, the yellow limit, at the 146th minute."""
    return 2.5 * filling(minute) / 1.5


def estimated(seed, sd=0.05):
    """Return what is estimated of them: an error that wanders for an hour at a time."""
    rng, keep = np.random.default_rng(seed), np.exp(-1 / 60)
    error = [rng.normal(0, sd)]
    for _ in range(200):
        error.append(keep * error[-1] + rng.normal(0, sd * np.sqrt(1 - keep**2)))
    return lambda minute: crowd(minute) * np.exp(error[minute])


@pytest.mark.parametrize(
    "known",
    [
        lambda k: Course(usual=curve(crowd, k), usual_sd=SURE),
        lambda k: Course(planned=curve(lambda minute: crowd(minute) - crowd(0), k)),
    ],
    ids=["usual", "plan"],
)
def test_a_place_that_fills_on_schedule_is_announced_before_its_trend_shows_it(known):
    earlier = []
    for seed in range(6):
        told, plain = first(Desk(), known, estimated(seed)), first(Desk(), nothing, estimated(seed))
        assert told < plain
        earlier.append(plain - told)
    assert np.mean(earlier) >= 4
    breached = next(k for k in range(180) if crowd(k) > 30_000)
    assert breached - first(Desk(), known, crowd) >= 20


def test_the_alert_says_on_what_it_is_expected():
    desk = Desk()
    first(desk, lambda k: Course(planned=curve(lambda minute: 4 * (filling(minute) - 10_000), k)), filling)
    (alert,) = desk.state.standing()
    assert alert.expected_at > desk.at
    assert alert.grounds.rests_on == (Basis.TREND, Basis.PLAN)
    there = Desk()
    there.minute(43_000)
    assert there.state.standing()[0].grounds.rests_on == ()  # it is there: nothing is expected any more


def test_a_plan_that_nobody_comes_to_is_announced_once_and_taken_back():
    desk = Desk()

    def plan(k):
        due = 3 * (filling(k) - 10_000)
        known = Turnout() if due < 10 else turnout(0.0, 1_000.0, due)
        return Course(planned=curve(lambda minute: 3 * (filling(minute) - 10_000), k), turnout=known)

    for k in range(240):
        desk.minute(10_000, outlooks={"place:quay": plan(k)})
    assert [one.action for one in desk.news] == [AlertAction.RAISE, AlertAction.END]
    assert all(one.alert.reached_at is None for one in desk.news)
    raised, ended = desk.news
    assert ended.alert.changed_at - raised.alert.changed_at < timedelta(minutes=40)


def test_an_unusual_crowd_is_announced_as_early_as_without_the_usual():
    def feast(minute):
        return 8_000 + 220 * minute

    told = first(Desk(), lambda k: Course(usual=curve(lambda _: 3_000, k), usual_sd=SURE), feast)
    plain = first(Desk(), nothing, feast)
    assert abs(told - plain) <= 2


def test_forecasts_that_replace_the_trend_still_do():
    desk = Desk()
    for _ in range(10):
        desk.minute(15_000)
    looks = {"place:quay": (Outlook(ahead_s=1200.0, occupancy=45_000.0, sd=2_000.0),)}
    assert desk.minute(15_000, outlooks=looks) == [(AlertAction.RAISE, Rung.ORANGE)]
    told = replace(desk.state.standing()[0].grounds)
    assert told.ahead_s == 1200.0
