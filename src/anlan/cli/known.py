"""Files of what is known beside the counts: what is planned, and the weather."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from anlan.crowd.forecast import PlannedEvent, Weather
    from anlan.kernel.weather import WeatherHour

HOUR = timedelta(hours=1)
MOST_HOURS = 50 * 366 * 24


def planned_from(file: Path, subjects: tuple[str, ...]) -> tuple[PlannedEvent, ...]:
    """Read what is planned: ``begin_at, end_at, counter, added``, and ``arrive_min, leave_min`` where they are told.

    Raises
    ------
    BadInput
        If the file cannot be read, a counter is not among those counted, or a value is missing or out of range.
    """
    from anlan.crowd.forecast import PlannedEvent
    from anlan.crowd.forecast.known import ARRIVE_MIN, LEAVE_MIN

    found = []
    for number, row in _rows(file, ("begin_at", "end_at", "counter", "added")):
        where = f"{file.name} row {number}"
        if row["counter"] not in subjects:
            raise BadInput(f"{where}: counter={row['counter']!r}", "must be one that is counted", "correct it")
        arrive_min, leave_min = (_number(row.get(key, ""), key, where) for key in ("arrive_min", "leave_min"))
        added = _number(row["added"], "added", where)
        if added is None:
            raise BadInput(f"{where}: added", "must be the persons who are expected", "give it")
        found.append(
            PlannedEvent(
                begin_at=moment(row["begin_at"]),
                end_at=moment(row["end_at"]),
                added={row["counter"]: added},
                arrive_min=ARRIVE_MIN if arrive_min is None else arrive_min,
                leave_min=LEAVE_MIN if leave_min is None else leave_min,
            )
        )
    return tuple(found)


def weather_from(file: Path, *, foreseen: bool) -> Weather:
    """Read hours of weather: ``time, rain_mm, temperature_c``; what is empty, or missing, is unknown.

    Raises
    ------
    BadInput
        If the file cannot be read, or a value is out of range.
    """
    import numpy as np

    from anlan.crowd.forecast import Weather

    rows = [(moment(row["time"]), number, row) for number, row in _rows(file, ("time", "rain_mm", "temperature_c"))]
    if not rows:
        raise BadInput(f"{file}", "must have an hour", "give a row for each hour")
    begin_at = min(at for at, *_ in rows).replace(minute=0, second=0, microsecond=0)
    n_hours = (max(at for at, *_ in rows) - begin_at) // HOUR + 1
    if n_hours > MOST_HOURS:
        raise BadInput(f"{file}: {n_hours} hours", "must be 50 years at most", "correct the first or last time")
    told = {name: np.full(n_hours, np.nan) for name in ("rain_mm", "temperature_c")}
    for at, number, row in rows:
        for name, values in told.items():
            value = _number(row[name], name, f"{file.name} row {number}")
            if value is not None:
                values[(at - begin_at) // HOUR] = value
    return Weather(begin_at=begin_at, foreseen=foreseen, **told)


def hours_from(file: Path, zone: str | None, issued_at: datetime | None) -> list[WeatherHour]:
    """Read hours of weather for a running district: ``time, rain_mm, temperature_c``, and ``issued_at`` of forecasts.

    Parameters
    ----------
    zone : str, optional
        Of moments that carry no offset; without it they are refused.
    issued_at : datetime, optional
        When the forecast was made, where no row says it; what neither says was measured.

    Raises
    ------
    BadInput
        If the file cannot be read, or a row of it cannot be; then nothing of it is sent.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from anlan.kernel.weather import WeatherHour

    try:
        local = None if zone is None else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"zone={zone!r}", "must be a time zone such as Asia/Shanghai", "correct it") from None
    found = []
    for number, row in _rows(file, ("time", "rain_mm", "temperature_c")):
        where = f"{file.name} row {number}"
        rain, warmth = (_number(row[name], name, where) for name in ("rain_mm", "temperature_c"))
        if rain is None and warmth is None:
            continue
        try:
            issued = _moment_in(local, row["issued_at"], "issued_at") if row.get("issued_at") else issued_at
            begin_at = _moment_in(local, row["time"], "time")
            found.append(WeatherHour(begin_at=begin_at, rain_mm=rain, temperature_c=warmth, issued_at=issued))
        except BadInput as fault:
            raise BadInput(f"{where}: {fault.value}", fault.rule, fault.next_step) from None
    if not found:
        raise BadInput(f"{file}", "must have an hour", "give a row for each hour")
    return found


def _moment_in(zone: ZoneInfo | None, text: str, name: str) -> datetime:
    """Return a moment; one without an offset is of that zone, and refused where none is given."""
    if zone is not None:
        with suppress(ValueError):
            at = datetime.fromisoformat(text)
            text = (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()
    return parse_moment(text, name)


def moment(value: Any) -> datetime:
    """Return a moment in UTC; one without an offset is what a clock on the wall shows, and is kept as it is.

    Raises
    ------
    BadInput
        If it is none.
    """
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise BadInput(f"time={value!r}", "must be an ISO 8601 moment", "write it like 2025-01-01T06:00") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _rows(file: Path, needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    import csv

    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            table = csv.DictReader(opened)
            lacks = [name for name in needed if name not in (table.fieldnames or [])]
            if lacks:
                raise BadInput(f"{file}", f"must have the columns {', '.join(needed)}", f"add {', '.join(lacks)}")
            return [
                (number, {key: value or "" for key, value in row.items() if key}) for number, row in enumerate(table, 2)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise BadInput(f"{file}", f"must be a CSV file ({fault})", "correct it") from None


def _number(told: str, name: str, where: str) -> float | None:
    if not told.strip():
        return None
    try:
        return float(told)
    except ValueError:
        raise BadInput(f"{where}: {name}={told!r}", "must be a number", "correct it") from None
