from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.cases import WorkTime
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Calendar

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
AMOUNTS = st.integers(1, 200 * 3600).map(lambda s: timedelta(seconds=s))


def test_a_make_up_saturday_counts_and_the_holiday_does_not(work):
    friday = parse_moment("2026-02-13T15:00:00+08:00")
    assert work.after(friday, timedelta(hours=10)) == parse_moment("2026-02-14T17:00:00+08:00")
    assert work.after(friday, timedelta(hours=11)) == parse_moment("2026-02-24T10:00:00+08:00")
    assert work.between(friday, parse_moment("2026-02-24T09:00:00+08:00")) == timedelta(hours=10)


@given(begin=MOMENTS, amount=AMOUNTS)
def test_so_much_after_is_so_much_between(work, begin, amount):
    assert work.between(begin, work.after(begin, amount)) == amount


@given(a=MOMENTS, b=MOMENTS, c=MOMENTS)
def test_working_time_adds_up_and_is_never_below_zero(work, a, b, c):
    a, b, c = sorted((a, b, c))
    assert work.between(a, b) + work.between(b, c) == work.between(a, c)
    assert work.between(b, a) == timedelta() or a == b


def day_by_day(work, begin, end):
    """Work out the time between two moments by walking through every day."""
    total, on = timedelta(), begin.astimezone(work.zone).date()
    while on <= end.astimezone(work.zone).date():
        opens, closes = (datetime.combine(on, at, work.zone) for at in (work.opens, work.closes))
        if work.calendar.is_working(on):
            total += max(min(closes, end) - max(opens, begin), timedelta())
        on += timedelta(days=1)
    return total


@given(a=MOMENTS, b=MOMENTS)
def test_days_that_are_counted_at_once_are_those_that_are_walked_through(work, a, b):
    assert work.between(a, b) == day_by_day(work, a, b)


@given(begin=MOMENTS, hours=st.integers(0, 600))
def test_an_end_is_the_first_moment_at_which_so_much_has_gone(work, begin, hours):
    end, amount = work.after(begin, timedelta(hours=hours)), timedelta(hours=hours)
    assert day_by_day(work, begin, end) == amount
    if hours:
        assert day_by_day(work, begin, end - timedelta(microseconds=1)) < amount


def test_a_calendar_without_working_days_has_no_end(work):
    never = Calendar(rest_days={date(year, 1, 1) + timedelta(days=k): {"en": "rest"}
                                for year in range(2026, 2040) for k in range(366)})  # fmt: skip
    with pytest.raises(BadInput, match="must end within 11 years"):
        WorkTime(calendar=never, zone=work.zone).after(parse_moment("2026-01-01T09:00:00+08:00"), timedelta(hours=1))


def test_a_year_that_nobody_confirmed_is_told(work):
    begin = parse_moment("2026-12-30T09:00:00+08:00")
    assert work.unconfirmed(begin, parse_moment("2027-01-05T09:00:00+08:00")) == (2027,)


def test_hours_of_no_length_are_refused(work):
    with pytest.raises(BadInput, match="closes"):
        WorkTime(calendar=work.calendar, zone=work.zone, opens=work.closes, closes=work.opens)
