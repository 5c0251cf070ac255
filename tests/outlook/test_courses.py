"""What the judge is handed: the usual of each place and what is planned, the same however often it is asked for."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.command.conftest import Live
from tests.small import small_pack

from anlan.crowd import Turnout
from anlan.crowd.forecast import PlannedEvent
from anlan.kernel.alerts import Basis
from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.records import Estimate, UnknownReason
from anlan.outlook import Outlooks
from anlan.outlook.courses import Courses
from anlan.store import DuckHistory, Step

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Noon in Shanghai: what is usual was learned up to four in the morning, eight hours before."""
QUARTER, MINUTE, DAY = timedelta(minutes=15), timedelta(minutes=1), timedelta(days=1)
QUAY, GARDEN = "place:quay", "place:garden"


def people(at):
    """Return a day that rises by 400 people from ten o'clock until noon in Shanghai."""
    hour = (at.hour + at.minute / 60 + 8) % 24
    return 600 + 400 * float(np.clip((hour - 10) / 2, 0, 1)) * (hour < 20)


def estimate(at, occupancy, sd=50.0):
    return Estimate(at=at, walkable_m2=1e4, occupancy=occupancy, sd=sd, low=occupancy - 80, high=occupancy + 80)


def keep(history, at, **places):
    named = {f"place:{name}": estimate(at, n) for name, n in places.items()}
    history.commit_step(Step(at=at, low=0, high=0, estimates=named))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep ten days of the quay and three of the garden, whose days are like each other."""
    rng, history = np.random.default_rng(3), DuckHistory.open(tmp_path_factory.mktemp("history"))
    for k in range(10 * 96, 0, -1):
        at = NOW - k * QUARTER - timedelta(minutes=7)  # the middle of its quarter
        garden = {"garden": 300.0} if k <= 3 * 96 else {}
        keep(history, at, quay=people(at) * float(np.exp(rng.normal(0, 0.02))), **garden)
    yield history
    history.close()


def asked(history, at=NOW, n=None, planned=(), names=(QUAY, GARDEN)):
    n = people(at) if n is None else n
    return Courses(small_pack(), history).of({name: estimate(at, n) for name in names}, at, planned)


def fair(name=QUAY, n=2_000.0, begin_at=NOW + timedelta(hours=1)):
    return PlannedEvent(begin_at=begin_at, end_at=begin_at + timedelta(hours=3), added={name: n}, arrive_min=60)


def test_ten_days_tell_how_the_place_is_used_to_change(kept):
    at = NOW - timedelta(hours=1, minutes=30)
    found = asked(kept, at)
    assert set(found) == {QUAY}  # three days of the garden tell of no day of the week
    course = found[QUAY]
    assert course.usual.at(-15) == pytest.approx(people(at - QUARTER), rel=0.03)
    assert course.usual.at(60) - course.usual.at(0) == pytest.approx(200, rel=0.15)
    for _, sd in course.usual_sd:
        assert 0.01 < sd < 0.15  # two quarters that stray by 2 % each
    assert course.planned is None


def test_what_comes_after_a_minute_changes_nothing_of_what_was_told_in_it(kept):
    at = NOW - DAY
    before = asked(kept, at)
    held = Courses(small_pack(), kept)
    held.of({QUAY: estimate(NOW, 900.0)}, NOW)
    assert held.of({QUAY: estimate(at, people(at))}, at)[QUAY] == before[QUAY]


def test_going_on_from_day_to_day_is_the_same_as_beginning_anew(kept):
    held, at = Courses(small_pack(), kept), NOW - DAY
    held.of({QUAY: estimate(at, people(at))}, at)
    assert held.of({QUAY: estimate(NOW, 900.0)}, NOW) == asked(kept, NOW, 900.0, names=(QUAY,))


def test_an_unknown_place_has_no_course(kept):
    unknown = Estimate(at=NOW, walkable_m2=1e4, unknown=UnknownReason.STALE)
    assert Courses(small_pack(), kept).of({QUAY: unknown}, NOW, [fair()]) == {}


def test_a_plan_tells_of_a_place_without_a_history(kept):
    course = asked(kept, NOW, 300.0, [fair(GARDEN)])[GARDEN]
    assert course.usual is None
    assert course.turnout == Turnout()
    assert course.planned.at(0) == 0
    assert course.planned.at(30) == pytest.approx(1_000, rel=0.01)
    assert asked(kept, NOW, 300.0, [fair(GARDEN, begin_at=NOW + timedelta(hours=3))]).get(GARDEN) is None


@pytest.fixture
def evening(tmp_path):
    """Keep an hour of the garden, to which a thousand are to come in the next."""
    history = DuckHistory.open(tmp_path)
    for k in range(60, 0, -1):
        keep(history, NOW - k * MINUTE, garden=300.0)
    yield history
    history.close()


@pytest.mark.parametrize(("came", "least", "most"), [(0, 0.0, 0.25), (500, 0.9, 1.1), (250, 0.4, 0.7)])
def test_how_many_have_come_tells_how_many_will(evening, came, least, most):
    plan = fair(GARDEN, 1_000.0, NOW + timedelta(hours=1))
    course = asked(evening, NOW + timedelta(minutes=30), 300.0 + came, [plan])[GARDEN]
    assert course.planned.at(0) == pytest.approx(500)
    assert least <= course.turnout.part <= most
    assert course.turnout.sd < Turnout().sd


def test_where_nobody_counted_before_no_more_have_come_than_are_there(evening):
    plan = fair("place:kiosk", 1_000.0, NOW + timedelta(hours=1))
    course = asked(evening, NOW + timedelta(minutes=30), 100.0, [plan], ("place:kiosk",))["place:kiosk"]
    assert course.turnout == Turnout(part=0.2)


def test_the_next_hour_of_a_place_without_a_history_tells_of_the_plan(evening):
    outlooks = Outlooks(small_pack(), evening)
    at = NOW - MINUTE
    plain = outlooks.subject(GARDEN, estimate(at, 300.0))
    outlooks.forget()
    outlooks.planned = lambda _: (fair(GARDEN),)
    told = outlooks.subject(GARDEN, estimate(at, 300.0))
    assert (plain.basis, told.basis) == (Basis.TREND, Basis.PLAN)
    assert told.points[-1].occupancy == pytest.approx(2_300, rel=0.05)
    wide = [one.points[-1].high - one.points[-1].low for one in (plain, told)]
    assert wide[1] > 2 * 1.6 * 2_000 / 3 > wide[0]


def test_where_plans_cannot_be_read_alerts_go_by_trends_alone(evening):
    def broken(at):
        raise Unavailable(f"plans of {at:%H:%M}", "must be readable", "mend the disk")

    outlooks = Outlooks(small_pack(), evening)
    outlooks.planned = broken
    assert outlooks.courses({GARDEN: estimate(NOW, 300.0)}, NOW) == {}


# -- an earlier occasion -------------------------------------------------------------------------------------------

LAST_YEAR = NOW - timedelta(days=364)


def countdown(at):
    """Return the people of the garden on last year's evening: they come from an hour before it begins to the begin."""
    return 200 + 3_000 * float(np.clip((at - LAST_YEAR + timedelta(hours=1)) / timedelta(hours=1), 0, 1))


@pytest.fixture
def year(tmp_path):
    """Keep last year's evening in the garden, and an hour of this year's, to which half as many have come so far."""
    history = DuckHistory.open(tmp_path)
    for k in range(-240, 300):
        at = LAST_YEAR + k * MINUTE
        keep(history, at, garden=countdown(at))
    for k in range(120, 60, -1):
        keep(history, NOW - k * MINUTE, garden=200.0)
    yield history
    history.close()


def again(**other):
    plan = {"begin_at": NOW, "end_at": NOW + timedelta(hours=2), "added": {QUAY: 500.0}, "like_at": LAST_YEAR}
    return PlannedEvent(**plan | other)


def test_what_is_repeated_goes_as_the_last_time_in_every_place_that_was_counted_then(year):
    course = asked(year, NOW - timedelta(minutes=30), 850.0, [again()])[GARDEN]  # 1,700 were there at that hour
    assert course.again
    assert course.planned.at(0) == pytest.approx(1_700, rel=0.02)
    assert course.planned.at(15) - course.planned.at(0) == pytest.approx(750, rel=0.05)
    assert course.turnout.part == pytest.approx(0.5, abs=0.03)


def test_the_next_hour_of_what_is_repeated_is_last_years_with_as_many_as_come_now(year):
    outlooks = Outlooks(small_pack(), year)
    outlooks.planned = lambda _: (again(),)
    told = outlooks.subject(GARDEN, estimate(NOW - timedelta(minutes=70), 200.0))
    assert told.basis is Basis.PLAN
    expected = [countdown(LAST_YEAR - timedelta(minutes=70 - ahead)) for ahead in (15, 30, 45, 60)]
    assert [one.occupancy for one in told.points] == pytest.approx(expected, rel=0.06)
    outlooks.forget()
    outlooks.planned = lambda _: (again(like_at=None),)
    plain = outlooks.subject(GARDEN, estimate(NOW - timedelta(minutes=70), 200.0))
    assert plain.points[-1].occupancy == pytest.approx(200, abs=30)


@pytest.mark.parametrize("like_at", [LAST_YEAR - timedelta(days=364), NOW - timedelta(days=2), NOW - MINUTE])
def test_where_the_last_time_was_not_counted_or_is_not_over_the_plan_goes_by_its_own_numbers(year, like_at):
    plain, told = (
        asked(year, NOW - timedelta(minutes=61), 300.0, [again(like_at=one, added={GARDEN: 800.0})])[GARDEN]
        for one in (None, like_at)
    )
    assert told == plain
    assert not told.again


def test_a_plan_repeats_nothing_that_comes_after_it():
    with pytest.raises(BadInput, match="name an earlier one"):
        again(like_at=NOW)


def test_many_plans_that_are_asked_in_turn_are_told_the_same(year):
    held = Courses(small_pack(), year)
    at = NOW - timedelta(minutes=45)
    first = held.of({GARDEN: estimate(at, 475.0)}, at, [again()])
    for k in range(1, 40):
        held.of({GARDEN: estimate(at, 475.0)}, at, [again(end_at=NOW + timedelta(hours=2, minutes=k))])
    assert held.of({GARDEN: estimate(at, 475.0)}, at, [again()]) == first


# -- a district ----------------------------------------------------------------------------------------------------


def gathering():
    """Return a plan of a hundred thousand people who come to the quay from the 20th minute on."""
    begin_at = datetime(2026, 12, 31, 11, 20, tzinfo=UTC)
    return PlannedEvent(begin_at=begin_at, end_at=begin_at + timedelta(hours=2), added={QUAY: 100_000.0}, arrive_min=60)


def planned(made):
    plan = gathering()
    made.district._outlooks.planned = lambda _: (plan,)
    return made


def announced(made):
    return [(one.action, one.record_id, one.at, one.body) for one in made.district.store.changes(kind="alert")]


def test_the_gathering_of_the_evening_is_announced_before_anybody_comes(tmp_path):
    made = planned(Live(tmp_path))
    made.grid()
    made.minute(19)
    (alert,) = [one.alert for one in made.district.alerts() if one.alert.subject_id == QUAY]
    assert alert.reached_at is None
    assert Basis.PLAN in alert.grounds.rests_on
    made.district.close()


def test_a_district_that_is_opened_again_announces_the_same(tmp_path):
    whole, cut = planned(Live(tmp_path / "whole")), planned(Live(tmp_path / "cut"))
    for made in (whole, cut):
        made.grid()
        made.minute(14)
    cut.district.close()
    clock, sent = cut.clock, cut.sent
    again = planned(Live(tmp_path / "cut"))
    again.clock.set(clock.now())
    again.sent = sent
    for made in (whole, again):
        made.minute(10)
    assert announced(again) == announced(whole)
    assert [action for action, *_ in announced(whole)].count("raise") >= 1
    for made in (whole, again):
        made.district.close()
