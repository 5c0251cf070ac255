"""The weather of the simulated district, as a station measures it and a weather service foresees it.

It is made up, hour by hour, and has no influence: nobody who walks in the simulation heeds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from anlan.kernel.weather import HOUR, WeatherHour

PERIODS_H = np.array([5.3, 9.7, 17.0, 31.0, 61.0, 103.0, 167.0])
"""Weather comes and goes in waves of these lengths, which never fall together again."""
WET = 1.1
"""Where the waves stand higher than this, it rains: about an hour in seven."""
MM = 3.0
FORESEES_H = 48
ISSUES_EVERY_H = 3
REACHES_BACK_H = 6
SENDS_AFTER = timedelta(minutes=2)
WARMEST_DAY = 200


@dataclass(frozen=True)
class Station:
    """A station at a latitude (degrees) in a zone that is ``offset`` from UTC. The same seed gives the same weather."""

    seed: int
    lat: float
    offset: timedelta

    def measured(self, begin_at: datetime) -> WeatherHour:
        """Return what is measured of an hour."""
        return self._hour(begin_at, np.zeros(2), None)

    def foreseen(self, issued_at: datetime) -> list[WeatherHour]:
        """Return the next two days as they are foreseen: right for the next hour, half wrong a day ahead."""
        rng = np.random.default_rng([self.seed, int(issued_at.timestamp())])
        strays = rng.normal(size=2)
        hours = [issued_at + k * HOUR for k in range(FORESEES_H)]
        return [self._hour(at, strays * min(k / 24, 1.0), issued_at) for k, at in enumerate(hours)]

    def told(self, after_at: datetime, at: datetime) -> Iterator[list[WeatherHour]]:
        """Yield the messages that are sent after one moment and up to another."""
        hour = after_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while hour + SENDS_AFTER <= at:
            if hour + SENDS_AFTER > after_at:
                yield [self.measured(hour - HOUR)]
                if hour.hour % ISSUES_EVERY_H == 0:
                    yield self.foreseen(hour)
            hour += HOUR

    def first(self, at: datetime) -> Iterator[list[WeatherHour]]:
        """Yield what a station says when it begins: the hours before, and the last forecast."""
        hour = (at - SENDS_AFTER).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        yield [self.measured(hour - k * HOUR) for k in range(REACHES_BACK_H, 0, -1)]
        yield self.foreseen(hour - hour.hour % ISSUES_EVERY_H * HOUR)

    def _hour(self, begin_at: datetime, strays: np.ndarray, issued_at: datetime | None) -> WeatherHour:
        local, hours = begin_at + self.offset, begin_at.timestamp() / 3600
        season = math.cos((local.timetuple().tm_yday - WARMEST_DAY) / 365.25 * 2 * math.pi) * (
            1 if self.lat >= 0 else -1
        )
        day = math.cos((local.hour - 14) / 24 * 2 * math.pi)
        usual = 28 - 0.35 * abs(self.lat) + 0.35 * abs(self.lat) * season
        warmth = usual + 3 * day + 2.5 * self._wave(hours, 1) + 2.5 * strays[0]
        wet = max(self._wave(hours, 2) + float(strays[1]) - WET, 0.0)
        return WeatherHour(
            begin_at=begin_at,
            rain_mm=round(MM * wet, 1),
            temperature_c=round(float(np.clip(warmth, -50, 50)), 1),
            issued_at=issued_at,
        )

    def _wave(self, hours: float, kind: int) -> float:
        """Return a number about 0 with a spread of 1 that changes from hour to hour."""
        phases = np.random.default_rng([self.seed, kind]).uniform(0, 2 * np.pi, len(PERIODS_H))
        return float(np.sin(2 * np.pi * hours / PERIODS_H + phases).sum() * math.sqrt(2 / len(PERIODS_H)))
