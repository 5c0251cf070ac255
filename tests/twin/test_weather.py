"""The simulated station is seeded, says each hour once, and is surer of the next hour than of tomorrow."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from anlan.ingest import weather_message
from anlan.ingest.weather import weather_from
from anlan.twin import Station

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 12, 31, 9, 40, tzinfo=UTC)
SHANGHAI = Station(seed=1, lat=31.2, offset=8 * HOUR)


def test_the_same_seed_gives_the_same_weather_and_another_gives_another():
    hours = [datetime(2026, 6, 1, tzinfo=UTC) + k * HOUR for k in range(200)]
    one = [SHANGHAI.measured(at) for at in hours]
    assert [Station(1, 31.2, 8 * HOUR).measured(at) for at in hours] == one
    assert [Station(2, 31.2, 8 * HOUR).measured(at) for at in hours] != one
    assert SHANGHAI.foreseen(hours[0]) == SHANGHAI.foreseen(hours[0])


@pytest.mark.parametrize("seed", range(4))
def test_it_is_cold_in_winter_and_it_rains_now_and_then(seed):
    station = Station(seed, 31.2, 8 * HOUR)
    year = [station.measured(datetime(2026, 1, 1, tzinfo=UTC) + k * HOUR) for k in range(8760)]
    warmth, rain = np.array([one.temperature_c for one in year]), np.array([one.rain_mm for one in year])
    assert 2 < warmth[:744].mean() < 12
    assert 22 < warmth[4344:5088].mean() < 32
    assert 0.05 < (rain > 0).mean() < 0.25
    assert 300 < rain.sum() < 3000


def test_the_door_takes_what_the_station_says():
    for hours in SHANGHAI.first(BEGIN):
        assert weather_from(weather_message(hours)) == hours


def test_a_forecast_is_righter_for_the_next_hours_than_for_tomorrow():
    off = []
    for k in range(100):
        issued_at = datetime(2026, 3, 1, tzinfo=UTC) + 31 * k * HOUR
        off.append(
            [
                abs(one.temperature_c - SHANGHAI.measured(one.begin_at).temperature_c)
                for one in SHANGHAI.foreseen(issued_at)
            ]
        )
    by_lead = np.mean(off, axis=0)
    assert by_lead[1] < 0.2
    assert by_lead[24] > 1.0


def test_each_hour_is_measured_once_and_a_forecast_comes_every_third():
    at, measured, issued = (
        BEGIN,
        [one.begin_at for hours in SHANGHAI.first(BEGIN) for one in hours if not one.is_foreseen],
        [],
    )
    for _ in range(6 * 60 * 6):
        then = at + timedelta(seconds=10)
        for hours in SHANGHAI.told(at, then):
            measured += [one.begin_at for one in hours if not one.is_foreseen]
            issued += [one.issued_at for one in hours[:1] if one.is_foreseen]
            assert all(one.end_at <= then for one in hours if not one.is_foreseen)
        at = then
    assert measured == [datetime(2026, 12, 31, 3, tzinfo=UTC) + k * HOUR for k in range(12)]
    assert [one.hour for one in issued] == [12, 15]
