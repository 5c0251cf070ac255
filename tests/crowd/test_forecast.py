from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anlan.crowd.forecast import (
    Blend,
    Boosting,
    Persistence,
    Ratio,
    SeasonalNaive,
    Series,
    backtest,
    bands,
    boosting_installed,
)
from anlan.crowd.forecast.checks import FORECASTER_CHECKS, sample
from anlan.crowd.forecast.live import from_trend, from_usual
from anlan.crowd.forecast.profile import usual
from anlan.kernel.alerts import Basis
from anlan.kernel.answers import CurvePoint
from anlan.kernel.errors import BadInput, NoData
from anlan.kernel.records import Calendar, Estimate, UnknownReason

TREES = pytest.mark.skipif(not boosting_installed(), reason="LightGBM is not installed: the extra forecast")
FORECASTERS = [
    pytest.param(Persistence(), id="persistence"),
    pytest.param(SeasonalNaive(), id="seasonal naive"),
    pytest.param(Ratio(), id="ratio"),
    pytest.param(Boosting(n_rounds=40), id="trees", marks=TREES),
    pytest.param(Blend(n_rounds=40), id="blend"),
]


@pytest.mark.parametrize("check", FORECASTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("forecaster", FORECASTERS)
def test_every_forecaster_keeps_the_contract(forecaster, check):
    check(forecaster)


@dataclass(frozen=True)
class Seer:
    """Looks one step ahead of its origin."""

    name: str = "seer"

    def learn(self, _history):
        return self

    def ahead(self, series, origins, steps_ahead):
        return series.counts[np.minimum(np.asarray(origins) + steps_ahead, len(series) - 1)]


@dataclass(frozen=True)
class Frog:
    """Feels the rain of the step to come."""

    name: str = "frog"

    def learn(self, _history):
        return self

    def ahead(self, series, origins, steps_ahead):
        then = np.asarray(origins) + steps_ahead
        rain = np.zeros(len(series)) if series.known.weather is None else series.known.weather.rain_mm
        return series.counts[origins] - rain[then][:, None]


@dataclass(frozen=True)
class Weathercock:
    """Knows what was measured of the step to come, whenever that was told."""

    name: str = "weathercock"

    def learn(self, _history):
        return self

    def ahead(self, series, origins, steps_ahead):
        then = np.asarray(origins) + steps_ahead
        rain, _ = series.known.weather.measured(series._middle_s[then], np.full(len(then), 1e9 * 3))
        return series.counts[origins] - rain[:, None]


@dataclass(frozen=True)
class Clock:
    """Knows the hour, and never looks at a count."""

    name: str = "clock"

    def learn(self, _history):
        return self

    def ahead(self, series, origins, _steps_ahead):
        return np.repeat(np.asarray(origins, float)[:, None] % 24 * 10, len(series.subjects), axis=1)


@pytest.mark.parametrize(
    ("planted", "caught_by"),
    [
        (Seer(), "check_the_future_changes_nothing"),
        (Frog(), "check_weather_that_has_not_come_changes_nothing"),
        (Weathercock(), "check_weather_that_was_told_later_changes_nothing"),
        (Clock(), "check_the_present_changes_something"),
    ],
)
def test_a_planted_fault_is_caught(planted, caught_by):
    check = next(one for one in FORECASTER_CHECKS if one.__name__ == caught_by)
    with pytest.raises(AssertionError):
        check(planted)


def test_the_usual_is_learned_slot_by_slot():
    hours = np.tile(np.arange(168.0), 6)[:, None]
    series = replace(sample(n_subjects=1), counts=hours)
    learned = usual(series)
    assert np.isnan(learned[:168]).all()
    assert np.allclose(np.exp(learned[168 : len(hours) + 168, 0]) - 10, np.tile(np.arange(168.0), 6))


def test_a_feast_does_not_become_the_rule():
    counts = np.full((6 * 168, 1), 100.0)
    counts[4 * 168] = 40_000
    learned = usual(replace(sample(n_subjects=1), counts=counts))
    assert np.exp(learned[5 * 168, 0]) - 10 < 150


def test_days_of_rest_are_sundays_and_make_up_days_are_working_days():
    monday, saturday = date(2026, 1, 5), date(2026, 1, 10)
    calendar = Calendar(rest_days={monday: {"en": "rest"}}, working_days={saturday: {"en": "work"}})
    series = replace(sample(), calendar=calendar)
    assert series.weekday[0] == 6
    assert series.weekday[24] == 1
    assert series.weekday[5 * 24] == 2
    assert series.rests[0]


def test_the_wall_clock_rules_the_slots():
    zone = ZoneInfo("Australia/Melbourne")  # summer time ends on 5 April 2026
    begin = datetime(2026, 4, 4, 13, tzinfo=UTC)
    counts = np.ones((48, 1))
    series = Series(subjects=("a",), begin_at=begin, step=timedelta(hours=1), counts=counts, zone=zone)
    assert series.hour_of_day[:6].tolist() == [0, 1, 2, 2, 3, 4]


def test_zeros_of_the_dead_are_unknown_and_those_of_a_night_are_zeros():
    counts = np.full((200, 1), 50.0)
    counts[10:16] = 0
    counts[100:160] = 0
    logs = replace(sample(n_subjects=1), counts=counts).logs
    assert np.isfinite(logs[10:16]).all()
    assert np.isfinite(logs[100:123]).all()
    assert np.isnan(logs[123:160]).all()


def test_the_ratio_carries_on_and_fades():
    counts = np.full((6 * 168, 1), 1000.0)
    counts[-1] = counts[-2] = 2000.0
    series = replace(sample(n_subjects=1), counts=counts)
    told = [Ratio().ahead(series, [len(counts) - 1], hours)[0, 0] for hours in (1, 2, 6, 24)]
    assert told[0] == pytest.approx(1010 * (2010 / 1010) ** 0.8 - 10)
    assert told == sorted(told, reverse=True)
    assert told[-1] == pytest.approx(1000, rel=0.01)


@TREES
def test_too_short_a_history_is_told():
    with pytest.raises(NoData, match="must have 8 or more"):
        Boosting().learn(sample().until(4 * 168))


def test_without_enough_history_the_blend_is_the_ratio():
    series = sample().until(5 * 168)
    learned = Blend().learn(series)
    assert np.array_equal(learned.ahead(series, [700], 1), Ratio().ahead(series, [700], 1))


@pytest.mark.parametrize("steps_ahead", [0, 25])
def test_a_horizon_beyond_a_day_is_refused(steps_ahead):
    with pytest.raises(BadInput, match="between one step and a day"):
        Ratio().ahead(sample(), [300], steps_ahead)


@pytest.mark.parametrize(("forecast_sd", "shift"), [(0.1, 0.0), (0.3, 0.2)])
def test_intervals_hold_nine_times_of_ten_also_where_the_forecast_is_off(forecast_sd, shift):
    rng = np.random.default_rng(3)
    truth = np.exp(rng.normal(6, 0.4, (6000, 2)))
    forecast = truth * np.exp(rng.normal(shift, forecast_sd, truth.shape))
    made = bands(forecast, truth, np.arange(6000) % 24, 1)
    inside = (made.low <= truth) & (truth <= made.high)
    assert 0.88 < inside[1000:].mean() < 0.92


def test_intervals_follow_a_change():
    rng = np.random.default_rng(4)
    truth = np.full((6000, 1), 500.0)
    spread = np.where(np.arange(6000) < 3000, 0.05, 0.3)[:, None]
    forecast = truth * np.exp(rng.normal(0, 1, truth.shape) * spread)
    made = bands(forecast, truth, np.arange(6000) % 24, 1)
    inside = (made.low <= truth) & (truth <= made.high)
    assert 0.87 < inside[4000:].mean() < 0.97  # it widens at once, and narrows slowly


def test_an_interval_never_sees_its_own_truth():
    rng = np.random.default_rng(5)
    truth = np.exp(rng.normal(6, 0.3, (400, 1)))
    forecast = np.full_like(truth, 400.0)
    one = bands(forecast, truth, np.arange(400) % 24, 3)
    truth[200:] *= 9
    other = bands(forecast, truth, np.arange(400) % 24, 3)
    assert np.array_equal(one.high[:203], other.high[:203], equal_nan=True)
    assert not np.array_equal(one.high[203:], other.high[203:])


def test_a_backtest_tells_the_better_from_the_worse():
    series = sample()
    scores = backtest((Ratio(), Persistence(), SeasonalNaive()), series, 10 * 168, (1, 2))
    by = {(one.forecaster, one.ahead.total_seconds()): one for one in scores}
    assert len(by) == 6
    assert by["ratio to the usual", 3600.0].wape < by["persistence", 3600.0].wape
    assert all(0.8 < one.coverage < 0.97 for one in scores)
    assert all(one.n == 2 * 168 * 3 for one in scores)


def test_a_backtest_needs_weeks_before_it():
    with pytest.raises(BadInput, match="split it elsewhere"):
        backtest((Ratio(),), sample(), 3 * 168, (1,))


def quarters(days, rate=lambda hour: 200 + 100 * np.sin(hour / 24 * 2 * np.pi)):
    hours = np.arange(days * 96) / 4
    counts = np.asarray(rate(hours % 24), float)[:, None]
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    return Series(subjects=("a",), begin_at=begin, step=timedelta(minutes=15), counts=counts, zone=ZoneInfo("UTC"))


def test_the_next_hour_and_day_of_a_place_with_history():
    series = quarters(20)
    points = from_usual(series)
    assert [point.at - (series.begin_at + len(series) * series.step) for point in points] == [
        timedelta(minutes=m) for m in (15, 30, 45, 60, 120, 180, 360, 720, 1440)
    ]
    begun = [point.at - timedelta(minutes=15) for point in points]
    truth = [200 + 100 * np.sin((at.hour + at.minute / 60) / 24 * 2 * np.pi) for at in begun]
    assert [point.occupancy for point in points] == pytest.approx(truth, rel=0.02)
    assert all(point.low <= point.occupancy <= point.high for point in points)


def test_a_place_without_history_has_no_usual():
    assert from_usual(quarters(5)) == ()


def test_the_next_hour_by_its_trend():
    at = datetime(2026, 12, 31, 10, tzinfo=UTC)
    past = [
        CurvePoint(at=at - timedelta(minutes=60 - k), occupancy=1000.0 + 20 * k, low=None, high=None) for k in range(61)
    ]
    present = Estimate(at=at, walkable_m2=1e4, occupancy=2200.0, sd=150.0)
    points, rests_on = from_trend(past, present)
    assert rests_on == (Basis.TREND,)
    assert [point.at - at for point in points] == [timedelta(minutes=m) for m in (15, 30, 45, 60)]
    assert 2200 < points[0].occupancy < points[3].occupancy < 3500  # 3400 if it went on for ever as it goes
    widths = [point.high - point.low for point in points]
    assert widths == sorted(widths)
    assert from_trend(past[:5], present) == ((), ())


def test_of_fewer_than_ten_no_number_is_expected():
    usual = from_usual(quarters(20, lambda hour: np.where((hour >= 1) & (hour < 6), 4.0, 60.0)))
    begin = datetime(2026, 1, 25, tzinfo=UTC)
    few = {point.at - begin for point in usual if point.hidden}
    assert few == {timedelta(hours=h) for h in (2, 3, 6)}  # each point tells the quarter before it
    assert all((point.occupancy, point.low, point.high) == (None, None, 10.0) for point in usual if point.hidden)
    assert all(point.occupancy > 50 for point in usual if not point.hidden)


def test_a_place_with_fewer_than_ten_has_a_next_hour():
    at = datetime(2026, 12, 31, 3, tzinfo=UTC)
    few = Estimate(at=at, walkable_m2=1e4, high=10.0, hidden=True)
    past = [CurvePoint.of(replace(few, at=at - timedelta(minutes=k))) for k in range(30, -1, -1)]
    points, rests_on = from_trend(past, few)
    assert rests_on == (Basis.TREND,)
    assert [point.hidden for point in points] == [True] * 4
    filling = [
        CurvePoint.told(at - timedelta(minutes=60 - k), 2.0 + 3 * k, max(3 * k - 8.0, 0), 3 * k + 12.0)
        for k in range(61)
    ]
    assert filling[0].hidden
    present = Estimate(at=at, walkable_m2=1e4, occupancy=182.0, sd=6.0)
    points, _ = from_trend(filling, present)
    assert 182 < points[0].occupancy < points[-1].occupancy
    assert from_trend(past, replace(few, high=None, hidden=False, unknown=UnknownReason.STALE)) == ((), ())
