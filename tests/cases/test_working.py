from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.cases import WorkTime
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput

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


def test_a_year_that_nobody_confirmed_is_told(work):
    begin = parse_moment("2026-12-30T09:00:00+08:00")
    assert work.unconfirmed(begin, parse_moment("2027-01-05T09:00:00+08:00")) == (2027,)


def test_hours_of_no_length_are_refused(work):
    with pytest.raises(BadInput, match="closes"):
        WorkTime(calendar=work.calendar, zone=work.zone, opens=work.closes, closes=work.opens)
