"""The district's weather: taken from whoever measures and foresees it, kept, and told as it is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from anlan.ingest.weather import weather_from
from anlan.kernel.clock import Clock
from anlan.kernel.errors import BadInput
from anlan.kernel.weather import HOUR, HourAhead, WeatherHour, WeatherLog, WeatherNow, WeatherReceipt
from anlan.store import DuckHistory

FAST = timedelta(seconds=60)
"""How far a sender's clock may run before the district's."""
LOOKS = timedelta(hours=6)
"""Trees look at the last full hour and the three before it."""
FORESEES = timedelta(hours=26)
"""They ask for an hour up to a day ahead."""
SHOWN_H = 12
MEASURED_LASTS_H = 2


class WeatherBook:
    """What was told of the weather. Any thread may call."""

    def __init__(self, history: DuckHistory, clock: Clock, told: Callable[[WeatherNow], None]) -> None:
        self._history, self._clock, self._told = history, clock, told

    def take(self, body: bytes) -> WeatherReceipt:
        """Commit the hours of a message in the wire form, all or none.

        Raises
        ------
        BadInput
            If it cannot be read, an hour was measured before it was over, a forecast is from the future, or an hour is
            older than what is kept.
        Unavailable
            If the disk refuses.
        """
        hours, now = weather_from(body), self._clock.now()
        for hour in hours:
            self._check(hour, now)
        self._history.accept_weather(hours, received_at=now)
        self._told(self.now())
        n_foreseen = sum(hour.is_foreseen for hour in hours)
        return WeatherReceipt(n_measured=len(hours) - n_foreseen, n_foreseen=n_foreseen)

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a message that came by MQTT; the station's name in its topic is not kept."""
        del topic
        self.take(payload)

    def now(self) -> WeatherNow:
        """Return what was measured last, and the next hours as they are foreseen."""
        at = self._clock.now()
        hour = at.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        log = self._history.weather(hour - MEASURED_LASTS_H * HOUR, hour + SHOWN_H * HOUR, at)
        begins = [hour - k * HOUR for k in range(1, MEASURED_LASTS_H + 1)]
        past = _hours(begins, *log.measured(_seconds(begins), np.full(len(begins), at.timestamp())))
        measured = next((one for one in past if (one.rain_mm, one.temperature_c) != (None, None)), None)
        begins = [hour + k * HOUR for k in range(SHOWN_H)]
        ahead = _hours(begins, *log.known(_seconds(begins), np.full(len(begins), at.timestamp())))
        return WeatherNow(
            at=at,
            measured=None
            if measured is None
            else WeatherHour(
                begin_at=measured.begin_at, rain_mm=measured.rain_mm, temperature_c=measured.temperature_c
            ),
            ahead=tuple(ahead),
        )

    def _check(self, hour: WeatherHour, now: datetime) -> None:
        told, oldest = f"time={hour.begin_at.isoformat()}", now - self._history.retention.weather
        if hour.issued_at is None and hour.end_at > now + FAST:
            raise BadInput(
                told, f"must be over when it is measured ({now.isoformat()})", "give issued_at where it is a forecast"
            )
        if hour.issued_at is not None and hour.issued_at > now + FAST:
            raise BadInput(
                f"issued_at={hour.issued_at.isoformat()}",
                f"must not be ahead of the district's clock ({now.isoformat()})",
                "set the sender's clock",
            )
        if hour.begin_at < oldest:
            raise BadInput(told, f"must not be before {oldest.isoformat()}", "leave out what is not kept")


def weather_log(history: DuckHistory, begin_at: datetime, until: datetime) -> WeatherLog | None:
    """Return what was known by ``until`` of the hours that whoever forecasts from ``begin_at`` on looks at, if any."""
    log = history.weather(begin_at - LOOKS, until + FORESEES, until)
    return log if len(log) else None


def _seconds(begins: list[datetime]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([at.timestamp() for at in begins])


def _hours(begins: list[datetime], rain_mm: np.ndarray, temperature_c: np.ndarray) -> list[HourAhead]:
    told = zip(begins, rain_mm.tolist(), temperature_c.tolist(), strict=True)
    return [HourAhead(begin_at=at, rain_mm=_known(rain), temperature_c=_known(warmth)) for at, rain, warmth in told]


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
