"""Hours of weather as rows of the history: each delivery by itself, so that what was known when can be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from anlan.kernel.weather import WeatherHour, WeatherLog
from anlan.store.columns import MOMENT, naive

READ_IN = timedelta(hours=24)
"""What comes so long after its time is a history that is read in: it is taken to have been known in time."""

NEWEST = """
SELECT i.hour_at, i.issued_at, greatest(i.known_at, n.known_at) AS known_at,
    coalesce(i.rain_mm, n.rain_mm) AS rain_mm, coalesce(i.temperature_c, n.temperature_c) AS temperature_c
FROM incoming i LEFT JOIN (
    SELECT hour_at, issued_at, max(known_at) AS known_at, arg_max(rain_mm, known_at) AS rain_mm,
        arg_max(temperature_c, known_at) AS temperature_c
    FROM weather WHERE hour_at BETWEEN ? AND ? GROUP BY hour_at, issued_at
) n ON i.hour_at = n.hour_at AND i.issued_at IS NOT DISTINCT FROM n.issued_at
WHERE n.hour_at IS NULL OR (i.rain_mm IS NOT NULL AND i.rain_mm IS DISTINCT FROM n.rain_mm)
    OR (i.temperature_c IS NOT NULL AND i.temperature_c IS DISTINCT FROM n.temperature_c)
"""
REPLACED = """
DELETE FROM weather w USING settled s WHERE w.hour_at = s.hour_at AND w.known_at = s.known_at
    AND w.issued_at IS NOT DISTINCT FROM s.issued_at
"""
TOLD = """
SELECT epoch(hour_at) AS hour_s, epoch(issued_at) AS issued_s, epoch(known_at) AS known_s,
    rain_mm::DOUBLE AS rain_mm, temperature_c::DOUBLE AS temperature_c
FROM weather WHERE hour_at >= ? AND hour_at < ? AND known_at <= ? ORDER BY hour_at, known_at
"""


def keep_hours(write: duckdb.DuckDBPyConnection, hours: Sequence[WeatherHour], received_at: datetime) -> None:
    """Add hours to the rows; what was told already is not written again, and what an hour leaves out stays as it was.

    Each hour stands once among them, as it was measured and as each forecast has it.
    """
    known = [_known_at(hour, received_at) for hour in hours]
    issued = [None if hour.issued_at is None else naive(hour.issued_at) for hour in hours]
    write.register(
        "incoming",
        pa.table(
            {
                "hour_at": pa.array([naive(hour.begin_at) for hour in hours], MOMENT),
                "issued_at": pa.array(issued, MOMENT),
                "known_at": pa.array([naive(at) for at in known], MOMENT),
                "rain_mm": pa.array([hour.rain_mm for hour in hours], pa.float64()),
                "temperature_c": pa.array([hour.temperature_c for hour in hours], pa.float64()),
            }
        ),
    )
    span = [naive(min(hour.begin_at for hour in hours)), naive(max(hour.begin_at for hour in hours))]
    settled = write.execute(NEWEST, span).to_arrow_table()
    write.unregister("incoming")
    write.register("settled", settled)
    write.execute(REPLACED)
    write.execute("INSERT INTO weather SELECT hour_at, issued_at, known_at, rain_mm, temperature_c FROM settled")
    write.unregister("settled")


def log_from(rows: pa.Table) -> WeatherLog:
    """Return what rows tell."""
    return WeatherLog(
        **{name: rows.column(name).to_numpy().astype(np.float64) for name in rows.column_names}
    )  # a null is NaN


def _known_at(hour: WeatherHour, received_at: datetime) -> datetime:
    """Return since when an hour counts as known: since it came, but for what is read in long after."""
    in_time = hour.end_at if hour.issued_at is None else hour.issued_at
    return in_time if received_at - in_time > READ_IN else received_at
