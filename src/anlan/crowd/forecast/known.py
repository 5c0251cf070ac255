"""What is known of steps that are still to come: what is planned for them, and the weather."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput
from anlan.kernel.weather import HOUR_S, WeatherLog

Floats = npt.NDArray[np.float64]

ARRIVE_MIN, LEAVE_MIN = 90.0, 45.0


@dataclass(frozen=True, kw_only=True)
class PlannedEvent:
    """A gathering that is planned: when, and by how much it is expected to change the count of each subject.

    ``added`` is persons at its height, by subject; whom it does not name it does not touch. They come in the
    ``arrive_min`` before ``begin_at`` and are gone ``leave_min`` after ``end_at``. ``like_at`` is when an earlier one
    began that it repeats, as every year's countdown does: where that one was counted, its evening is what is expected.

    Raises
    ------
    BadInput
        If it ends before it begins, begins before the one that it repeats, or a number is below zero.

    Examples
    --------
    >>> from datetime import UTC
    >>> begin_at = datetime(2026, 12, 31, 12, tzinfo=UTC)
    >>> eve = PlannedEvent(begin_at=begin_at, end_at=datetime(2026, 12, 31, 16, tzinfo=UTC), added={"bund": 40_000.0})
    >>> minutes = np.array([-90.0, -45.0, 0.0, 240.0, 285.0])
    >>> eve.present(begin_at.timestamp() + 60 * minutes).tolist()
    [0.0, 0.5, 1.0, 1.0, 0.0]
    """

    begin_at: datetime
    end_at: datetime
    added: Mapping[str, float]
    arrive_min: float = ARRIVE_MIN
    leave_min: float = LEAVE_MIN
    like_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin_at", as_utc(self.begin_at, "begin_at"))
        object.__setattr__(self, "end_at", as_utc(self.end_at, "end_at"))
        if self.end_at <= self.begin_at:
            raise BadInput(
                f"end_at={self.end_at.isoformat()}", f"must be after {self.begin_at.isoformat()}", "correct it"
            )
        if self.like_at is not None:
            object.__setattr__(self, "like_at", like_at := as_utc(self.like_at, "like_at"))
            if like_at >= self.begin_at:
                rule = f"must be before it begins itself, {self.begin_at.isoformat()}"
                raise BadInput(f"like_at={like_at.isoformat()}", rule, "name an earlier one, or none")
        wrong = next((name for name, n in self.added.items() if not 0 <= n < np.inf), None)
        if wrong is not None:
            raise BadInput(
                f"added={self.added[wrong]} to {wrong!r}", "must be >= 0 persons", "leave out who is not known"
            )
        if not (0 <= self.arrive_min < np.inf and 0 <= self.leave_min < np.inf):
            raise BadInput(
                f"arrive_min={self.arrive_min}, leave_min={self.leave_min}", "must be >= 0 min", "correct it"
            )

    def present(self, at_s: Floats) -> Floats:
        r"""Return which part of its people is there at moments (seconds since 1970).

        :math:`3u^2 - 2u^3` of the part :math:`u` of the time in which they come, or go: most come in the middle of it.
        """
        came = (at_s - (self.begin_at.timestamp() - 60 * self.arrive_min)) / max(60 * self.arrive_min, 1.0)
        left = (self.end_at.timestamp() + 60 * self.leave_min - at_s) / max(60 * self.leave_min, 1.0)
        part = np.clip(np.minimum(came, left), 0.0, 1.0)
        return np.asarray(part * part * (3 - 2 * part), np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Weather:
    """Rain (mm in the hour) and temperature (°C) hour by hour from ``begin_at`` on; NaN is unknown, which is not dry.

    ``foreseen`` tells whether the hours are what was forecast, and so may be used before they have come. Where they
    were measured, whoever forecasts from a step sees those before it alone.

    Raises
    ------
    BadInput
        If both are not of one length, it rains less than nothing, or no such temperature is known on earth.
    """

    begin_at: datetime
    rain_mm: Floats
    temperature_c: Floats
    foreseen: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin_at", as_utc(self.begin_at, "begin_at"))
        if self.rain_mm.ndim != 1 or self.rain_mm.shape != self.temperature_c.shape:
            raise BadInput(
                f"rain of {self.rain_mm.shape} and temperature of {self.temperature_c.shape} hours",
                "must be of one length", "give both for each hour, NaN where unknown",
            )  # fmt: skip
        if bool((self.rain_mm < 0).any()):
            raise BadInput(f"rain_mm={np.nanmin(self.rain_mm):g}", "must be >= 0 mm in an hour", "leave unknown empty")
        if bool((np.abs(self.temperature_c) > 70).any()):
            worst = self.temperature_c[np.nanargmax(np.abs(self.temperature_c))]
            raise BadInput(f"temperature_c={worst:g}", "must be -70 to 70 °C", "convert it")

    def at(self, at_s: Floats) -> tuple[Floats, Floats]:
        """Return rain and temperature of the hours that hold these moments (seconds since 1970); NaN outside."""
        hour = np.floor((at_s - self.begin_at.timestamp()) / HOUR_S).astype(np.int64)
        there = (hour >= 0) & (hour < len(self.rain_mm))
        found = []
        for values in (self.rain_mm, self.temperature_c):
            told = np.full(len(at_s), np.nan)
            told[there] = values[hour[there]]
            found.append(told)
        return found[0], found[1]

    def known(self, about_s: Floats, at_s: Floats) -> tuple[Floats, Floats]:
        """Return rain and temperature of the hours that hold the moments ``about_s``, as known at ``at_s``; (N,) each.

        What was measured is known once its hour is over; what was foreseen, always.
        """
        rain, warmth = self.at(about_s)
        if self.foreseen:
            return rain, warmth
        begin_s = self.begin_at.timestamp()
        is_over = (np.floor((about_s - begin_s) / HOUR_S) + 1) * HOUR_S + begin_s <= at_s
        return np.where(is_over, rain, np.nan), np.where(is_over, warmth, np.nan)


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What a forecaster may know beside the counts. The kind of each day is in the series' calendar.

    A ``WeatherLog`` tells what was measured and foreseen with the time since when it was known; a ``Weather`` is one
    or the other.
    """

    planned: tuple[PlannedEvent, ...] = ()
    weather: Weather | WeatherLog | None = None

    def added(self, subjects: tuple[str, ...], at_s: Floats) -> Floats:
        """Return the persons that are planned to come in addition, (T, S), at moments (seconds since 1970)."""
        found = np.zeros((len(at_s), len(subjects)))
        for one in self.planned:
            by = np.array([one.added.get(name, 0.0) for name in subjects])
            if by.any():
                found += one.present(at_s)[:, None] * by
        return found


NOTHING = Known()
