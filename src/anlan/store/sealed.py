"""Closed days of cell occupancy as Parquet files. The database's table ``sealed`` says which of them count.

A file without its row is a remnant of a kill, and is removed; the rows of a day are deleted from the database in the
very transaction that writes its row in ``sealed``. So a day is always read whole, from one place.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from datetime import date
from pathlib import Path

import duckdb

log = logging.getLogger(__name__)

DAY_ROWS = "CAST(made_at AS DATE) = ?"


class SealedDays:
    """The folder of sealed days."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, day: date) -> Path:
        """Return where a day's file is."""
        return self.folder / f"{day.isoformat()}.parquet"

    def write(self, reader: duckdb.DuckDBPyConnection, day: date) -> None:
        """Write a day's rows to its file, on the disk when this returns.

        Sorted by (hour, cell, minute): a minute reads one hour of the file, a place's hour a few blocks of it, and the
        file is as small as one sorted by (cell, minute), which would have to be read whole for a single minute.
        """
        partial = self.path(day).with_suffix(".partial")
        try:
            reader.execute(
                f"COPY (SELECT made_at, cell, persons FROM occupancy WHERE {DAY_ROWS} "
                "ORDER BY date_trunc('hour', made_at), cell, made_at) "
                f"TO '{_quoted(partial)}' (FORMAT parquet, COMPRESSION zstd)",
                [day],
            )
            _sync(partial)
        except BaseException:
            partial.unlink(missing_ok=True)  # on a full disk the half of it is in the way
            raise
        partial.rename(self.path(day))
        _sync(self.folder)

    def tidy(self, sealed: Collection[date]) -> None:
        """Remove what a kill left, and tell what somebody took away."""
        for path in self.folder.iterdir():
            if path.suffix == ".partial" or (path.suffix == ".parquet" and path.stem not in map(str, sealed)):
                path.unlink()
        for day in sealed:
            if not self.path(day).exists():
                log.error("the sealed day %s is missing in %s: its minutes are unknown", day, self.folder)

    def forget(self, day: date) -> None:
        """Remove a day's file, if it is there."""
        self.path(day).unlink(missing_ok=True)

    def rows(self, days: Collection[date]) -> str:
        """Return the SQL of these days' rows, without those whose files are gone."""
        files = [f"'{_quoted(self.path(day))}'" for day in sorted(days) if self.path(day).exists()]
        return f"SELECT made_at, cell, persons FROM read_parquet([{', '.join(files)}])" if files else ""


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
