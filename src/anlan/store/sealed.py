"""Closed days of cell occupancy as Parquet files. The database's table ``sealed`` says which of them count.

A file without its row is a remnant of a kill, and is removed; the rows of a day are deleted from the database in the
very transaction that writes its row in ``sealed``. So a day is always read whole, from one place.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anlan.store.history import QUARTER
from anlan.store.signs import UNTOLD

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

DAY_ROWS = "CAST(made_at AS DATE) = ?"
QUARTERS = f"""SELECT time_bucket(INTERVAL 15 MINUTE, made_at) AS quarter, cell,
    avg(CASE WHEN persons >= 0 THEN persons ELSE 0 END) AS told,
    avg(CASE WHEN persons < 0 THEN -persons - {UNTOLD} ELSE 0 END) AS untold,
    avg(CASE WHEN persons >= 0 THEN 1 ELSE 0 END) AS heard
    FROM ({{rows}}) WHERE NOT isnan(persons){{some}} GROUP BY ALL"""
"""Means of each cell over a quarter of an hour: people that something tells of, others, and in what part of it any."""


SUFFIXES = {".parquet", ".quarters"}


class SealedDays:
    """The folder of sealed days."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, day: date) -> Path:
        """Return where a day's file is."""
        return self.folder / f"{day.isoformat()}.parquet"

    def write(self, reader: duckdb.DuckDBPyConnection, day: date) -> None:
        """Write a day's rows to its file, and their quarters to another; both are on the disk when this returns.

        Sorted by (hour, cell, minute): a minute reads one hour of the file, a place's hour a few blocks of it, and the
        file is as small as one sorted by (cell, minute), which would have to be read whole for a single minute. The
        quarters are a twentieth of it, by cell: who asks what is usual of a polygon reads weeks of them.
        """
        minutes = f"SELECT made_at, cell, persons FROM occupancy WHERE {DAY_ROWS}"
        order = "date_trunc('hour', made_at), cell, made_at"
        self._write(reader, self.path(day), f"{minutes} ORDER BY {order}", [day])
        self._write_quarters(reader, day)

    def complete(self, reader: duckdb.DuckDBPyConnection, days: Collection[date]) -> None:
        """Write the quarters of days that an earlier version sealed, which wrote none."""
        for day in days:
            if self.path(day).exists() and not self._quarters(day).exists():
                self._write_quarters(reader, day)

    def _write_quarters(self, reader: duckdb.DuckDBPyConnection, day: date) -> None:
        asked = QUARTERS.format(rows=self.rows([day]), some="")
        rounded = ", ".join(f"round({name}, 2)::FLOAT AS {name}" for name in ("told", "untold", "heard"))
        rows = f"SELECT quarter, cell, {rounded} FROM ({asked}) ORDER BY cell, quarter"
        self._write(reader, self._quarters(day), rows, [])

    def _write(self, reader: duckdb.DuckDBPyConnection, path: Path, rows: str, asked: list[date]) -> None:
        partial = path.with_suffix(".partial")
        try:
            reader.execute(f"COPY ({rows}) TO '{_quoted(partial)}' (FORMAT parquet, COMPRESSION zstd)", asked)
            _sync(partial)
        except BaseException:
            partial.unlink(missing_ok=True)  # on a full disk the half of it is in the way
            raise
        partial.rename(path)
        _sync(self.folder)

    def tidy(self, sealed: Collection[date]) -> None:
        """Remove what a kill left, and tell what somebody took away."""
        for path in self.folder.iterdir():
            if path.suffix == ".partial" or (path.suffix in SUFFIXES and path.stem not in map(str, sealed)):
                path.unlink()
        for day in sealed:
            if not self.path(day).exists():
                log.error("the sealed day %s is missing in %s: its minutes are unknown", day, self.folder)

    def forget(self, day: date) -> None:
        """Remove a day's files, if they are there."""
        self.path(day).unlink(missing_ok=True)
        self._quarters(day).unlink(missing_ok=True)

    def rows(self, days: Collection[date]) -> str:
        """Return the SQL of these days' rows, without those whose files are gone."""
        files = [f"'{_quoted(self.path(day))}'" for day in sorted(days) if self.path(day).exists()]
        return f"SELECT made_at, cell, persons FROM read_parquet([{', '.join(files)}])" if files else ""

    def means(
        self,
        reader: duckdb.DuckDBPyConnection,
        sealed: Collection[date],
        cells: npt.NDArray[np.int64],
        share: Floats,
        first: datetime,
        n_quarters: int,
    ) -> Floats:
        """Return the means of :meth:`anlan.store.History.occupancy_quarters`, of these days and of those not sealed."""
        means = np.full(n_quarters, np.nan)
        if not len(cells) or n_quarters <= 0:
            return means
        end = first + n_quarters * QUARTER
        between = f"cell BETWEEN {int(cells.min())} AND {int(cells.max())}"
        reader.register("part", pa.table({"cell": cells.astype(np.int32), "share": share.astype(np.float64)}))
        source = self._source(
            [day for day in sealed if first.date() <= day <= end.date()],
            f" AND {between} AND made_at >= ? AND made_at < ?",
        )
        found = reader.execute(
            "SELECT quarter, sum(share * told) AS told, sum(share * untold) AS untold, max(heard) AS heard"
            f" FROM ({source}) JOIN part USING (cell)"
            f" WHERE {between} AND quarter >= ? AND quarter < ? GROUP BY quarter",
            [first, end, first, end],
        ).fetchnumpy()
        told, whole = found["told"], found["told"] + found["untold"]
        at = ((found["quarter"] - np.datetime64(first)) // np.timedelta64(QUARTER)).astype(np.int64)
        means[at] = np.where((found["heard"] > 0) & (told >= 0.5 * whole), whole, np.nan)
        return means

    def _source(self, days: Collection[date], some: str) -> str:
        """Return the SQL of the quarters of sealed days and of those not sealed, of ``some`` of their minutes.

        Of days that an earlier version sealed, and that are not complete yet, they are made of their minutes.
        """
        made = [day for day in sorted(days) if self._quarters(day).exists() and self.path(day).exists()]
        others = self.rows(set(days) - set(made))
        rows = "SELECT made_at, cell, persons FROM occupancy" + (f" UNION ALL {others}" if others else "")
        parts = [QUARTERS.format(rows=rows, some=some)]
        if made:
            files = ", ".join(f"'{_quoted(self._quarters(day))}'" for day in made)
            parts.append(f"SELECT quarter, cell, told, untold, heard FROM read_parquet([{files}])")
        return " UNION ALL ".join(parts)

    def _quarters(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.quarters"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
