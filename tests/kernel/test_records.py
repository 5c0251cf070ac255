from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from anlan.kernel.clock import FollowedClock, SystemClock, minutes_between, parse_moment
from anlan.kernel.errors import KINDS, BadInput
from anlan.kernel.records import Calendar, Observation

AT = datetime(2026, 12, 31, 18, tzinfo=UTC)


def seen(**values):
    window = {"begin_at": AT, "end_at": AT + timedelta(minutes=1)}
    return Observation(**{"device_id": "a", "sequence": 0, **window, **values})


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({}, "must be one of"),
        ({"n_in": 1}, "must come as a pair"),
        ({"n_in": 1, "n_out": 1, "n_present": 4}, "must be one of"),
        ({"n_present": -1}, r"present=-1 must be >= 0"),
        ({"counts": np.array([1.0, -2.0])}, "must be >= 0"),
        ({"n_present": 1, "end_at": AT}, "must be after begin_at"),
        ({"n_present": 1, "begin_at": datetime(2026, 12, 31)}, "must carry a time zone"),  # noqa: DTZ001 - the fault
        ({"n_present": 1, "sequence": -1}, "must be >= 0"),
    ],
)
def test_a_faulty_observation_is_refused_at_construction(values, rule):
    with pytest.raises(BadInput, match=rule):
        seen(**values)


def test_a_suppressed_square_is_not_zero():
    kept = seen(counts=np.array([12.0, np.nan]))
    assert np.isnan(kept.counts[1])


def test_moments_are_kept_in_utc():
    shanghai = timezone(timedelta(hours=8))
    kept = seen(n_present=1, begin_at=datetime(2027, 1, 1, 1, 59, tzinfo=shanghai), end_at=AT + timedelta(minutes=1))
    assert kept.begin_at == datetime(2026, 12, 31, 17, 59, tzinfo=UTC)


def test_an_observation_has_no_field_for_an_identity():
    assert {f.name for f in fields(Observation)} == {
        "device_id", "begin_at", "end_at", "sequence", "n_in", "n_out", "n_passed", "n_present", "counts",
    }  # fmt: skip


def test_a_make_up_day_is_worked_and_a_holiday_is_not():
    calendar = Calendar(
        rest_days={date(2026, 2, 17): {"en": "Spring Festival"}}, working_days={date(2026, 2, 14): {"en": "make-up"}}
    )
    assert calendar.is_working(date(2026, 2, 14))  # a Saturday
    assert not calendar.is_working(date(2026, 2, 17))  # a Tuesday
    assert not calendar.is_working(date(2026, 2, 22))  # a Sunday


def test_a_followed_clock_stands_still_between_its_ticks():
    clock = FollowedClock(AT)
    assert clock.now() == clock.now() == AT
    clock.set(AT - timedelta(days=1))
    assert clock.now() == AT - timedelta(days=1)
    assert SystemClock().now().tzinfo is UTC


def test_minute_marks_after_and_up_to():
    marks = minutes_between(AT + timedelta(seconds=30), AT + timedelta(minutes=3))
    assert marks == [AT + timedelta(minutes=k) for k in (1, 2, 3)]
    assert minutes_between(AT, AT) == []


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-12-31T18:00:00", "0001-01-01T00:00:00+08:00", "9999-12-31T23:00:00-08:00"]
)
def test_an_unclear_moment_is_refused(text):
    with pytest.raises(BadInput):
        parse_moment(text)


def test_each_kind_of_error_has_its_own_codes():
    assert len({kind.code for kind in KINDS}) == len({kind.exit_code for kind in KINDS}) == len(KINDS)
