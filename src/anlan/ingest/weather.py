"""The wire form of weather: hours that were measured, or that a forecast tells, and nothing else."""

from __future__ import annotations

from typing import Annotated

import msgspec

from anlan.ingest.wire import FAULTS, Moment, place_and_rule
from anlan.kernel.errors import BadInput
from anlan.kernel.weather import WeatherHour

WEATHER_TOPICS = "anlan/weather/"
"""Weather is published under this prefix and any name of a station."""
MOST_HOURS = 20_000
"""Hours in one message."""

_MOMENT = "write it like 2026-12-31T18:00:00+08:00"
_NEXT = {
    "time": _MOMENT,
    "issued_at": _MOMENT,
    "rain_mm": "send mm of the hour, or leave it out where unknown",
    "temperature_c": "send °C, or leave it out where unknown",
    "hours": "send 1 to 20,000 hours",
}


class SentHour(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One hour as it is sent; ``issued_at`` where it is another than the message's."""

    time: Moment
    rain_mm: float | None = None
    temperature_c: float | None = None
    issued_at: Moment | None = None


class SentWeather(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A message: hours, and when the forecast of them was made; without it they were measured."""

    hours: Annotated[list[SentHour], msgspec.Meta(min_length=1, max_length=MOST_HOURS)]
    issued_at: Moment | None = None


_sent = msgspec.json.Decoder(SentWeather)


def weather_from(body: bytes) -> list[WeatherHour]:
    """Return the hours of a message, each once.

    Raises
    ------
    BadInput
        If it is no such message, or one of its hours cannot be; then none of it is taken.

    Examples
    --------
    >>> [hour] = weather_from(b'{"hours": [{"time": "2026-12-31T18:00:00+08:00", "rain_mm": 0.4}]}')
    >>> hour.rain_mm, hour.temperature_c, hour.begin_at.isoformat()
    (0.4, None, '2026-12-31T10:00:00+00:00')
    """
    try:
        sent = _sent.decode(body)
    except FAULTS as fault:
        name, rule = place_and_rule(fault, "the weather")
        last = name.rpartition(".")[2].partition("[")[0]
        raise BadInput(
            name, f"must be of the wire form ({rule.removeprefix('be ')})", _NEXT.get(last, "see docs/connect.md")
        ) from None
    found: dict[object, WeatherHour] = {}
    for index, one in enumerate(sent.hours):
        try:
            hour = WeatherHour(
                begin_at=one.time,
                rain_mm=one.rain_mm,
                temperature_c=one.temperature_c,
                issued_at=one.issued_at or sent.issued_at,
            )
        except BadInput as fault:
            raise BadInput(f"hours[{index}].{fault.value}", fault.rule, fault.next_step) from None
        except OverflowError:  # a moment that in UTC leaves the calendar
            raise BadInput(f"hours[{index}]", "must be of moments of this age", _MOMENT) from None
        key = hour.begin_at, hour.issued_at
        if found.setdefault(key, hour) != hour:
            raise BadInput(
                f"hours[{index}].time={one.time.isoformat()}", "must not come twice with other values", "send it once"
            )
    return list(found.values())


def weather_message(hours: list[WeatherHour]) -> bytes:
    """Return the wire form of hours; the inverse of :func:`weather_from`."""
    sent = [
        SentHour(time=hour.begin_at, rain_mm=hour.rain_mm, temperature_c=hour.temperature_c, issued_at=hour.issued_at)
        for hour in hours
    ]
    return msgspec.json.encode(SentWeather(hours=sent))
