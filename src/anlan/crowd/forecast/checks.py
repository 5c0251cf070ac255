"""What every forecaster must keep: run these on your own, as the tests do on ours.

Each check takes a forecaster that has not learned yet and raises AssertionError with what it found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from anlan.crowd.forecast.known import Known, Weather
from anlan.crowd.forecast.port import Forecaster
from anlan.crowd.forecast.series import Floats, Ints, Series
from anlan.kernel.weather import WeatherLog

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
WEEKS = 12
LEARNS_WEEKS = 10


def sample(*, seed: int = 1, n_subjects: int = 3) -> Series:
    """Return twelve weeks of hours with the shape of days and weeks, each subject about twice the one before."""
    rng = np.random.default_rng(seed)
    hours = np.arange(WEEKS * 168)
    day = 1.1 + np.sin((hours % 24 - 9) / 24 * 2 * np.pi)
    week = np.where(hours // 24 % 7 >= 5, 1.4, 1.0)
    drift = np.exp(0.15 * np.cumsum(rng.normal(size=(len(hours), n_subjects)), axis=0) / np.sqrt(1 + hours)[:, None])
    mean = 300 * 2.0 ** np.arange(n_subjects) * (day * week)[:, None] * drift
    return Series(
        subjects=tuple(f"s{k}" for k in range(n_subjects)),
        begin_at=BEGIN,
        step=timedelta(hours=1),
        counts=rng.poisson(mean).astype(np.float64),
        zone=ZoneInfo("UTC"),
    )


def _must(claim: bool, what: object) -> None:  # noqa: FBT001 - a claim is a claim
    if not claim:
        raise AssertionError(what)


def _learned(forecaster: Forecaster, series: Series) -> tuple[Forecaster, Ints]:
    n_history = LEARNS_WEEKS * series.week
    return forecaster.learn(series.until(n_history)), np.arange(n_history, len(series) - 1, 7)


def _told(forecaster: Forecaster, series: Series, origins: Ints) -> Floats:
    return forecaster.ahead(series, origins, 1)


def check_the_future_changes_nothing(forecaster: Forecaster) -> None:
    """What comes after an origin does not change what is told from it."""
    series = sample()
    learned, origins = _learned(forecaster, series)
    for origin in origins[:: len(origins) // 4]:
        later = series.counts.copy()
        later[origin + 1 :] = 7 * later[origin + 1 :] + 100
        before = _told(learned, series, np.array([origin]))
        after = _told(learned, replace(series, counts=later), np.array([origin]))
        _must(np.allclose(before, after, equal_nan=True), f"the forecast from step {origin} saw what came after it")


def check_weather_that_has_not_come_changes_nothing(forecaster: Forecaster) -> None:
    """Measured weather is not known before it falls, however much of it the series holds."""
    series, rain = sample(), np.zeros(WEEKS * 168)
    rain[::5] = 2.0
    origin, later = LEARNS_WEEKS * series.week + 5, rain.copy()
    later[origin + 1 :] = 9.0
    warmth = np.full(len(rain), 12.0)
    dry, wet = (
        replace(series, known=Known(weather=Weather(begin_at=BEGIN, rain_mm=one, temperature_c=warmth)))
        for one in (rain, later)
    )
    learned, _ = _learned(forecaster, dry)
    before, after = (_told(learned, one, np.array([origin])) for one in (dry, wet))
    _must(np.allclose(before, after, equal_nan=True), f"the forecast from step {origin} felt rain that came after it")


def told_weather(rain_mm: Floats, *, later_than_s: float = np.inf, later_mm: float = 0.0) -> WeatherLog:
    """Return hours from ``BEGIN`` on that a forecast told a day before, and that were measured once they were over.

    Whatever was told after a moment (seconds since 1970) says ``later_mm``.
    """
    hour_s = BEGIN.timestamp() + 3600 * np.arange(len(rain_mm))
    known_s = np.concatenate([hour_s - 86_000, hour_s + 3600])
    return WeatherLog(
        hour_s=np.tile(hour_s, 2),
        issued_s=np.concatenate([hour_s - 86_000, np.full(len(rain_mm), np.nan)]),
        known_s=known_s,
        rain_mm=np.where(known_s > later_than_s, later_mm, np.tile(rain_mm, 2)),
        temperature_c=np.full(2 * len(rain_mm), 12.0),
    )


def check_weather_that_was_told_later_changes_nothing(forecaster: Forecaster) -> None:
    """What was foreseen, or measured, after an origin is not known at it."""
    series, rain = sample(), np.zeros(WEEKS * 168)
    rain[::5] = 2.0
    origin = LEARNS_WEEKS * series.week + 5
    origin_s = (BEGIN + (origin + 1) * series.step).timestamp()
    then, now = (
        replace(series, known=Known(weather=one))
        for one in (told_weather(rain), told_weather(rain, later_than_s=origin_s, later_mm=9.0))
    )
    learned, _ = _learned(forecaster, then)
    before, after = (_told(learned, one, np.array([origin])) for one in (then, now))
    _must(np.allclose(before, after, equal_nan=True), f"the forecast from step {origin} knew what was told after it")


def check_the_present_changes_something(forecaster: Forecaster) -> None:
    """A forecaster looks at what is counted: other histories give other forecasts."""
    learned, origins = _learned(forecaster, sample())
    one, other = _told(learned, sample(), origins), _told(learned, sample(seed=9), origins)
    _must(not np.allclose(one, other), "two histories give one forecast")


def check_no_forecast_is_below_zero(forecaster: Forecaster) -> None:
    """There are never fewer than no people, not even in a place that was empty for long."""
    series = sample()
    empty = series.counts.copy()
    empty[-3 * series.week :, 0] = np.minimum(empty[-3 * series.week :, 0], 1)
    learned, origins = _learned(forecaster, replace(series, counts=empty))
    told = _told(learned, replace(series, counts=empty), origins)
    _must(bool((told[np.isfinite(told)] >= 0).all()), "a forecast is below zero")


def check_gaps_stay_where_they_are(forecaster: Forecaster) -> None:
    """A day that is missing for one subject leaves the others a number, and breaks nothing."""
    series = sample()
    gaps = series.counts.copy()
    gaps[-5 * 24 : -4 * 24, 0] = np.nan
    holed = replace(series, counts=gaps)
    learned, _ = _learned(forecaster, holed)
    told = _told(learned, holed, np.arange(len(series) - 5 * 24, len(series) - 1))
    _must(bool(np.isfinite(told[:, 1:]).all()), "a gap of one subject hides another")


def check_it_is_near_the_truth(forecaster: Forecaster) -> None:
    """On days that are like each other, an hour ahead is told within a half of the persons."""
    series = sample()
    learned, origins = _learned(forecaster, series)
    told, came = _told(learned, series, origins), series.counts[origins + 1]
    error = np.nansum(np.abs(told - came)) / came.sum()
    _must(error < 0.5, f"an hour ahead is wrong by {error:.0%}")


def check_learning_changes_no_forecaster(forecaster: Forecaster) -> None:
    """Learning returns another forecaster, and the same history teaches the same."""
    series = sample()
    one, origins = _learned(forecaster, series)
    other, _ = _learned(forecaster, series)
    first = _told(one, series, origins)
    _must(np.array_equal(first, _told(other, series, origins), equal_nan=True), "the same history teaches two things")


FORECASTER_CHECKS: tuple[Callable[[Forecaster], None], ...] = (
    check_the_future_changes_nothing,
    check_weather_that_has_not_come_changes_nothing,
    check_weather_that_was_told_later_changes_nothing,
    check_the_present_changes_something,
    check_no_forecast_is_below_zero,
    check_gaps_stay_where_they_are,
    check_it_is_near_the_truth,
    check_learning_changes_no_forecaster,
)
