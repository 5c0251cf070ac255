"""What is known ahead is used: what is planned is added, weather is heard; what is unknown stays so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from anlan.crowd.forecast import (
    Blend,
    Boosting,
    Known,
    PlannedEvent,
    Ratio,
    Weather,
    backtest,
    boosting_installed,
)
from anlan.crowd.forecast.checks import BEGIN, WEEKS, sample, told_weather
from anlan.crowd.forecast.profile import usual
from anlan.kernel.errors import BadInput

TREES = pytest.mark.skipif(not boosting_installed(), reason="LightGBM is not installed: the extra forecast")
HOUR = timedelta(hours=1)
FAIR_AT = BEGIN + timedelta(weeks=11, hours=18)


def fair(n=5_000.0, at=FAIR_AT):
    return PlannedEvent(begin_at=at, end_at=at + 4 * HOUR, added={"s0": n}, arrive_min=60, leave_min=60)


def with_known(series, *planned, weather=None):
    return replace(series, known=Known(planned=planned, weather=weather))


def test_what_is_planned_is_added_to_the_usual_where_and_when_it_is():
    series = with_known(sample(), fair())
    k = series.index_of(FAIR_AT)
    plain = Ratio().ahead(sample(), [k - 12], 13)
    told = Ratio().ahead(series, [k - 12], 13)
    assert told[0, 0] - plain[0, 0] == pytest.approx(5_000, rel=0.1)
    assert np.array_equal(told[0, 1:], plain[0, 1:])
    assert np.array_equal(Ratio().ahead(series, [k - 12], 5), Ratio().ahead(sample(), [k - 12], 5))


def test_a_gathering_that_fewer_come_to_bends_its_own_forecast():
    series = with_known(sample(), fair())
    k = series.index_of(FAIR_AT)
    told = []
    for came in (1_000, 5_000):
        counts = series.counts.copy()
        counts[k : k + 2, 0] += came
        told.append(Ratio().ahead(replace(series, counts=counts), [k + 1], 1)[0, 0])
    few, full = told
    assert few < 0.6 * full
    assert full == pytest.approx(5_000 + sample().counts[k + 2, 0], rel=0.2)


def test_hours_for_which_something_is_planned_teach_nothing():
    counts = sample().counts.copy()
    k = sample().index_of(FAIR_AT - timedelta(weeks=1))
    counts[k : k + 4, 0] *= 2
    before = usual(sample())
    told = usual(with_known(replace(sample(), counts=counts), fair(at=FAIR_AT - timedelta(weeks=1))))
    assert told[k + 168, 0] == before[k, 0]
    assert usual(replace(sample(), counts=counts))[k + 168, 0] > before[k + 168, 0]


def test_nothing_known_is_as_nothing_said():
    known = with_known(sample(), weather=Weather(begin_at=BEGIN, rain_mm=np.empty(0), temperature_c=np.empty(0)))
    assert np.isnan(known.weather(np.arange(len(known)), 0)).all()
    for one in (Ratio(), Blend(n_rounds=20)):
        n = 10 * 168
        assert np.array_equal(
            one.learn(known.until(n)).ahead(known, [n], 1), one.learn(sample().until(n)).ahead(sample(), [n], 1)
        )


def test_an_hour_without_weather_is_unknown_and_not_dry():
    weather = Weather(begin_at=BEGIN, rain_mm=np.array([0.0, np.nan, 2.0]), temperature_c=np.array([1.0, 2.0, 3.0]))
    rain, warmth = with_known(sample(), weather=weather).weather(np.arange(4), 0)
    assert np.array_equal(rain, [0.0, np.nan, 2.0, np.nan], equal_nan=True)
    assert np.array_equal(warmth, [1.0, 2.0, 3.0, np.nan], equal_nan=True)


def rainy(seed=4):
    """Return counts that rain halves, and its hours; it comes and goes as a chain of its own."""
    series, rng = sample(seed=seed), np.random.default_rng(seed)
    rains = np.zeros(len(series), bool)
    for k in range(1, len(rains)):
        rains[k] = rng.random() < (0.6 if rains[k - 1] else 0.08)
    counts = series.counts * np.where(rains, 0.5, 1.0)[:, None]
    return replace(series, counts=counts), np.where(rains, 3.0, 0.0)


@TREES
def test_trees_hear_rain_that_is_foreseen():
    series, rain = rainy()
    n, warmth = 10 * 168, np.full(len(series), 20.0)
    told = with_known(series, weather=Weather(begin_at=BEGIN, rain_mm=rain, temperature_c=warmth, foreseen=True))
    seeing, blind = (backtest((Boosting(n_rounds=80),), one, n, (1,))[0].wape for one in (told, series))
    assert seeing < 0.8 * blind


@TREES
def test_rain_that_was_measured_is_not_used_before_it_falls():
    series, rain = rainy()
    n, warmth = 10 * 168, np.full(len(series), 20.0)
    one = with_known(series, weather=Weather(begin_at=BEGIN, rain_mm=rain, temperature_c=warmth))
    later = rain.copy()
    later[n + 1 :] = 9.0
    other = with_known(series, weather=Weather(begin_at=BEGIN, rain_mm=later, temperature_c=warmth))
    learned = Boosting(n_rounds=40).learn(one.until(n))
    assert np.array_equal(learned.ahead(one, [n], 1), learned.ahead(other, [n], 1))
    assert not np.array_equal(learned.ahead(one, [n + 2], 1), learned.ahead(other, [n + 2], 1))


def test_the_hour_that_is_going_on_is_not_measured_yet_by_quarters():
    series, rain = sample(), np.arange(float(WEEKS * 168))
    quarters = replace(series, step=HOUR / 4, counts=np.repeat(series.counts, 4, axis=0))
    measured = with_known(quarters, weather=Weather(begin_at=BEGIN, rain_mm=rain, temperature_c=rain % 60))
    origins = np.array([40, 41, 42, 43, 44])  # the quarters from 10:00 to 11:00, and the next
    assert measured.weather(origins, 0)[0].tolist() == [9.0, 9.0, 9.0, 10.0, 10.0]
    assert measured.weather(origins, 3)[0].tolist() == [6.0, 6.0, 6.0, 7.0, 7.0]
    assert np.isnan(measured.weather_ahead(origins, 1)).all()
    told = with_known(quarters, weather=told_weather(rain))
    assert told.weather(origins, 0)[0].tolist() == [9.0, 9.0, 9.0, 10.0, 10.0]
    assert told.weather_ahead(origins, 4)[0].tolist() == [11.0, 11.0, 11.0, 11.0, 12.0]


@TREES
def test_trees_that_learn_what_was_known_when_hear_rain_and_say_so():
    series, rain = rainy()
    n = 10 * 168
    told = with_known(series, weather=told_weather(rain))
    seeing, blind = (backtest((Boosting(n_rounds=80),), one, n, (1,))[0].wape for one in (told, series))
    assert seeing < 0.8 * blind
    learned = Boosting(n_rounds=80).learn(told.until(n))
    assert learned.moved_by_weather(told, np.arange(n, n + 50), 1).mean() > 0.9
    assert not learned.moved_by_weather(series, np.arange(n, n + 50), 1).any()
    deaf = Boosting(n_rounds=80).learn(series.until(n))
    assert not deaf.moved_by_weather(told, np.arange(n, n + 50), 1).any()


@TREES
def test_weather_that_stops_coming_is_unknown_and_not_dry_nor_freezing():
    series, rain = rainy()
    n = 10 * 168
    warmth = np.where(rain > 0, 5.0, 25.0)
    told, gone = (
        with_known(series, weather=Weather(begin_at=BEGIN, rain_mm=one, temperature_c=other, foreseen=True))
        for one, other in ((rain, warmth), (np.full(len(rain), np.nan), np.full(len(rain), np.nan)))
    )
    origins, came = np.arange(n, len(series) - 1), series.counts[n + 1 :]
    learned = Boosting(n_rounds=80).learn(told.until(n))
    blind = Boosting(n_rounds=80).learn(series.until(n))
    off, usual_off = (np.abs(one.ahead(gone, origins, 1) - came).sum() for one in (learned, blind))
    assert off < 1.1 * usual_off


def test_planned_hours_are_judged_apart():
    series = with_known(sample(), fair())
    scores = backtest((Ratio(),), series, 10 * 168, (1,), apart={"planned": series.added[: len(series)] > 0})
    assert {one.hours: one.n for one in scores} == {"all": 2 * 168 * 3, "planned": 6}
    assert {one.hours for one in backtest((Ratio(),), series, 10 * 168, (1,), apart={"none": series.counts < 0})} == {
        "all"
    }


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (lambda: fair(-1.0), "must be >= 0 persons"),
        (lambda: fair(np.nan), "must be >= 0 persons"),
        (lambda: replace(fair(), end_at=FAIR_AT), "must be after"),
        (lambda: replace(fair(), arrive_min=-1.0), "must be >= 0 min"),
        (lambda: weather([-1.0], [10.0]), "must be >= 0 mm in an hour"),
        (lambda: weather([0.0], [290.0]), "must be -70 to 70 °C"),
        (lambda: weather([0.0, 1.0], [10.0]), "must be of one length"),
    ],
)
def test_what_cannot_be_is_refused(wrong, rule):
    with pytest.raises(BadInput, match=rule):
        wrong()


def weather(rain, warmth):
    return Weather(begin_at=datetime(2026, 1, 1, tzinfo=UTC), rain_mm=np.array(rain), temperature_c=np.array(warmth))
