"""The weather hour by hour: what was measured, what was foreseen, and since when each was known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOUR = timedelta(hours=1)
HOUR_S = 3600.0
MOST_RAIN_MM, MOST_C = 300.0, 60.0
"""It has never rained more in an hour, nor been warmer, or colder by as much where people gather."""
MOST_AHEAD_H = 240
"""A forecast tells ten days at most."""
FORECAST_LASTS = timedelta(hours=24)
"""An older forecast tells nothing any more."""
BIT = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherHour:
    """Rain (mm in the hour) and temperature (°C) of the hour that begins at ``begin_at``; None is unknown.

    ``issued_at`` is when a forecast was made; None where it was measured.

    Raises
    ------
    BadInput
        If it is no full hour, tells nothing, or a number is out of range; if a forecast tells what was over when it
        was made, or more than ten days ahead.

    Examples
    --------
    >>> from datetime import UTC
    >>> WeatherHour(begin_at=datetime(2026, 12, 31, 10, tzinfo=UTC), rain_mm=0.4).is_foreseen
    False
    """

    begin_at: datetime
    rain_mm: float | None = None
    temperature_c: float | None = None
    issued_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin_at", as_utc(self.begin_at, "time"))
        if (self.begin_at.minute, self.begin_at.second, self.begin_at.microsecond) != (0, 0, 0):
            raise BadInput(
                f"time={self.begin_at.isoformat()}", "must be a full hour of UTC", "give the beginning of the hour"
            )
        if self.rain_mm is None and self.temperature_c is None:
            raise BadInput(
                f"time={self.begin_at.isoformat()}", "must come with rain_mm or temperature_c", "leave out the hour"
            )
        if self.rain_mm is not None and not 0 <= self.rain_mm <= MOST_RAIN_MM:
            raise BadInput(f"rain_mm={self.rain_mm:g}", "must be 0 to 300 mm in an hour", "leave out what is unknown")
        if self.temperature_c is not None and not -MOST_C <= self.temperature_c <= MOST_C:
            raise BadInput(f"temperature_c={self.temperature_c:g}", "must be -60 to 60 °C", "leave out what is unknown")
        if self.issued_at is not None:
            object.__setattr__(self, "issued_at", as_utc(self.issued_at, "issued_at"))
            self._check_ahead(self.issued_at)

    def _check_ahead(self, issued_at: datetime) -> None:
        if self.end_at <= issued_at:
            raise BadInput(
                f"time={self.begin_at.isoformat()}",
                f"must not be over when its forecast is made ({issued_at.isoformat()})",
                "leave out issued_at where it was measured",
            )
        if self.begin_at - issued_at > MOST_AHEAD_H * HOUR:
            raise BadInput(
                f"time={self.begin_at.isoformat()}",
                f"must be 240 hours at most after issued_at ({issued_at.isoformat()})",
                "leave out what is further ahead",
            )

    @property
    def end_at(self) -> datetime:
        """When the hour is over."""
        return self.begin_at + HOUR

    @property
    def is_foreseen(self) -> bool:
        """Whether it was told before it came."""
        return self.issued_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherReceipt:
    """What became of a message of weather, after the commit: hours that were measured, and hours that are foreseen."""

    n_measured: int
    n_foreseen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourAhead:
    """What is foreseen of the hour that begins at ``begin_at``; None is unknown."""

    begin_at: datetime
    rain_mm: float | None
    temperature_c: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherNow:
    """The weather as it is known at a moment.

    ``measured`` is the last full hour, or the one before it, where one of them was measured; ``ahead`` are the hours
    from the present one on, none left out.
    """

    at: datetime
    measured: WeatherHour | None
    ahead: tuple[HourAhead, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class WeatherLog:
    """What was told of the weather, row by row, and since when it was known; seconds since 1970.

    ``issued_s`` is NaN where the hour at ``hour_s`` was measured. ``rain_mm`` and ``temperature_c`` are NaN where that
    row tells nothing of them.

    Examples
    --------
    >>> rain = np.array([2.0, 5.0])
    >>> issued, known = np.array([3600.0, np.nan]), np.array([3600.0, 11_000.0])
    >>> log = WeatherLog(
    ...     hour_s=np.full(2, 7200.0), issued_s=issued, known_s=known, rain_mm=rain, temperature_c=np.full(2, np.nan)
    ... )
    >>> about = np.full(4, 8000.0)  # the hour from 7200 on: not told, foreseen, still so, measured
    >>> log.known(about, np.array([0.0, 3600.0, 10_800.0, 11_000.0]))[0].tolist()
    [nan, 2.0, 2.0, 5.0]
    """

    hour_s: Floats
    issued_s: Floats
    known_s: Floats
    rain_mm: Floats
    temperature_c: Floats

    def __len__(self) -> int:
        return len(self.hour_s)

    def known(self, about_s: Floats, at_s: Floats) -> tuple[Floats, Floats]:
        """Return rain and temperature of the hours that hold the moments ``about_s``, as known at ``at_s``; (N,) each.

        What was measured stands before what was foreseen. Of forecasts the newest stands, and none that is a day old.
        NaN where nothing was known.
        """
        hour = np.floor(about_s / HOUR_S) * HOUR_S
        found = []
        for measured, foreseen in self._newest:
            told = foreseen.known(hour, at_s, oldest_s=FORECAST_LASTS.total_seconds())
            seen = measured.known(hour, at_s)
            found.append(np.where(np.isfinite(seen), seen, told))
        return found[0], found[1]

    def measured(self, about_s: Floats, at_s: Floats) -> tuple[Floats, Floats]:
        """Return the same of what was measured alone."""
        hour = np.floor(about_s / HOUR_S) * HOUR_S
        rain, warmth = (pair[0].known(hour, at_s) for pair in self._newest)
        return rain, warmth

    @cached_property
    def _newest(self) -> tuple[tuple[_Rows, _Rows], ...]:
        """Rows that were measured and that were foreseen, for rain and for temperature."""
        is_foreseen, pairs = np.isfinite(self.issued_s), []
        for values in (self.rain_mm, self.temperature_c):
            told = np.isfinite(values)
            pairs.append((self._rows(told & ~is_foreseen, values), self._rows(told & is_foreseen, values)))
        return tuple(pairs)

    def _rows(self, of: npt.NDArray[np.bool_], values: Floats) -> _Rows:
        return _Rows.of(self.hour_s[of], self.issued_s[of], self.known_s[of], values[of])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows by hour and by when they were known, so that the last that was known is found by halving."""

    keys: Ints
    issued_s: Floats
    values: Floats
    first_hour_s: float

    @classmethod
    def of(cls, hour_s: Floats, issued_s: Floats, known_s: Floats, values: Floats) -> _Rows:
        first = float(hour_s.min()) if len(hour_s) else 0.0
        order = np.lexsort((np.nan_to_num(issued_s), known_s, hour_s))
        hour = ((hour_s[order] - first) // HOUR_S).astype(np.int64)
        issued = np.nan_to_num(issued_s[order]).astype(np.int64)
        by_issue = hour * BIT + issued
        stands = by_issue >= np.maximum.accumulate(by_issue) if len(order) else np.empty(0, bool)  # not one that is
        keys = hour * BIT + np.ceil(known_s[order]).astype(np.int64)  # older than what was known before it
        return cls(keys[stands], issued_s[order][stands], values[order][stands], first)

    def known(self, hour_s: Floats, at_s: Floats, oldest_s: float = np.inf) -> Floats:
        """Return the values of hours as known at moments; NaN where none was."""
        if not len(self.keys):
            return np.full(len(hour_s), np.nan)
        hour = ((hour_s - self.first_hour_s) // HOUR_S).astype(np.int64)
        asked = hour * BIT + np.clip(np.floor(at_s), 0, BIT - 1).astype(np.int64)
        row = np.searchsorted(self.keys, asked, side="right") - 1
        there = (row >= 0) & (self.keys[row] // BIT == hour)
        if np.isfinite(oldest_s):
            there &= at_s - self.issued_s[row] < oldest_s
        return np.where(there, self.values[row], np.nan)
