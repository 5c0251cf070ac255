"""Observations, estimates and the estimator's state: one DuckDB file, one writer, closed days in Parquet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anlan.kernel.errors import Unavailable
from anlan.kernel.ingress import Refusal, Tally, Verdict
from anlan.kernel.records import Estimate, Observation
from anlan.store import columns

log = logging.getLogger(__name__)

Persons = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long each thing is kept. The inbox remembers what may be sent again at least ``inbox``."""

    observations: timedelta = timedelta(days=30)
    occupancies: timedelta = timedelta(days=30)
    estimates: timedelta = timedelta(days=400)
    refusals: timedelta = timedelta(days=30)
    inbox: timedelta = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One minute as it is kept. ``low`` and ``high`` are cursors in arrival order (see the engine's port).

    ``occupancy`` has a number of persons for each cell, NaN where unknown. ``state`` comes only now and then.
    """

    at: datetime
    low: int
    high: int
    occupancy: Persons | None = None
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    state: bytes | None = None


class History(Protocol):
    """What was observed and what was made of it. Whatever a call has committed is durable when the call returns."""

    def accept(
        self,
        observations: Sequence[Observation],
        *,
        received_at: datetime,
        late: Sequence[bool] = (),
        refusals: Sequence[Refusal] = (),
    ) -> list[Verdict]:
        """Commit observations with their tallies and refusals in one transaction; duplicates are not stored again."""
        ...

    def arrived(self, after: int, limit: int = 100_000, *, until: int | None = None) -> tuple[list[Observation], int]:
        """Return observations behind a cursor in the order of their commit, and the new cursor."""
        ...

    def commit_step(self, step: Step) -> None:
        """Commit one minute: occupancy, estimates, cursors and state together; a minute made again is replaced."""
        ...

    def latest_step(self) -> Step | None:
        """Return time, cursors and state of the last step that carried a state."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class DuckHistory:
    """The history in one folder. One process may hold it; in it, any thread may call."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection, retention: Retention) -> None:
        self.folder = folder
        self.retention = retention
        self._connection = connection
        self._lock = threading.RLock()
        connection.execute(columns.SCHEMA)
        self._n_arrived = self._one("SELECT coalesce(max(arrival), 0) FROM observation")
        self._tallies = columns.tallies_from(self._rows("SELECT * FROM tally"), self._newest())
        self._seen = self._keys_since(self._one("SELECT max(end_at) FROM observation"))
        self._sealed = {date.fromisoformat(path.stem) for path in (folder / "occupancy").glob("????-??-??.parquet")}
        for day in self._sealed:  # a kill between sealing and deleting leaves both; the sealed one is whole
            self._write_off(day)

    @classmethod
    def open(cls, folder: Path, retention: Retention | None = None) -> DuckHistory:
        """Open, or make, the history in a folder.

        Raises
        ------
        Unavailable
            If another process holds it, or the folder cannot be written.
        """
        path = folder / "history.duckdb"
        try:
            (folder / "occupancy").mkdir(parents=True, exist_ok=True)
            connection = duckdb.connect(path, config={"threads": 2, "memory_limit": "2GB"})
        except OSError as fault:
            raise Unavailable(
                f"folder {folder}", f"must be writable ({fault.strerror})", "give it to this user, or choose another"
            ) from fault
        except duckdb.Error as fault:
            held = "lock" in str(fault).lower()
            raise Unavailable(
                f"history {path}",
                "must not be open in another process" if held else f"must be readable ({fault})",
                "use --url to ask the running server, or choose another --data folder"
                if held
                else "restore the file from a copy, or choose another --data folder",
            ) from fault
        return cls(folder, connection, retention or Retention())

    # -- observations ----------------------------------------------------------------------------------------------

    def accept(
        self,
        observations: Sequence[Observation],
        *,
        received_at: datetime,
        late: Sequence[bool] = (),
        refusals: Sequence[Refusal] = (),
    ) -> list[Verdict]:
        """Commit a batch in one transaction, and tell what became of each observation.

        Parameters
        ----------
        observations : sequence of Observation
            Judged by the door; those that were committed before are not stored again.
        received_at : datetime
            When the batch came, by the district's clock.
        late : sequence of bool
            Which of them came after their minute; all in time where empty.
        refusals : sequence of Refusal
            What the door did not take; counted by device.

        Raises
        ------
        Unavailable
            If the disk refuses; then nothing of the batch was taken.
        """
        with self._lock:
            tallies = dict(self._tallies)
            verdicts: list[Verdict] = []
            fresh: list[Observation] = []
            keys = set()
            for k, seen in enumerate(observations):
                key = columns.key_of(seen)
                repeated = key in self._seen or key in keys
                verdict = _verdict(seen, tallies.get(seen.device_id), repeated=repeated, late=bool(late and late[k]))
                tallies[seen.device_id] = columns.tallied(tallies.get(seen.device_id), seen, verdict, received_at)
                verdicts.append(verdict)
                if not repeated:
                    keys.add(key)
                    fresh.append(seen)
            for refusal in refusals:
                tallies[refusal.device_id or ""] = columns.refused(tallies.get(refusal.device_id or ""), refusal)
            touched = {seen.device_id for seen in observations} | {refusal.device_id or "" for refusal in refusals}
            with self._writing() as write:
                if fresh:
                    self._insert(write, "observation", columns.observation_table(fresh, self._n_arrived, received_at))
                if refusals:
                    self._insert(write, "refusal", columns.refusal_table(refusals, received_at))
                if touched:
                    self._insert(
                        write, "tally", columns.tally_table([tallies[d] for d in sorted(touched)]), "OR REPLACE"
                    )
            self._tallies = tallies
            self._seen |= keys
            self._n_arrived += len(fresh)
        return verdicts

    def arrived(self, after: int, limit: int = 100_000, *, until: int | None = None) -> tuple[list[Observation], int]:
        """Return the observations behind a cursor (up to and with ``until``) and the cursor behind the last."""
        stop = min(after + limit, self._n_arrived if until is None else until)
        if stop <= after:
            return [], after
        found = self._table(
            "SELECT * FROM observation WHERE arrival > ? AND arrival <= ? ORDER BY arrival", [after, stop]
        )
        return columns.observations_from(found), stop

    def device_observations(self, device_id: str, begin_at: datetime, end_at: datetime) -> list[Observation]:
        """Return what one device counted in windows that end after ``begin_at`` and by ``end_at``, oldest first."""
        found = self._table(
            "SELECT * FROM observation WHERE device_id = ? AND end_at > ? AND end_at <= ? ORDER BY end_at, arrival",
            [device_id, columns.naive(begin_at), columns.naive(end_at)],
        )
        return columns.observations_from(found)

    def tallies(self) -> dict[str, Tally]:
        """Return what each device has sent so far, by device id; "" holds what came under no known device."""
        with self._lock:
            return dict(self._tallies)

    # -- steps -----------------------------------------------------------------------------------------------------

    def commit_step(self, step: Step) -> None:
        """Commit one minute with all that belongs to it, replacing the same minute made before.

        Raises
        ------
        Unavailable
            If the disk refuses; then nothing of the step was kept.
        """
        at = columns.naive(step.at)
        with self._lock, self._writing() as write:
            last = write.execute("SELECT max(made_at) FROM step").fetchone()
            if last and last[0] is not None and last[0] >= at:
                for name in ("step", "estimate", "occupancy"):
                    write.execute(f"DELETE FROM {name} WHERE made_at >= ?", [at])
            write.execute("INSERT INTO step VALUES (?, ?, ?)", [at, step.low, step.high])
            if step.estimates:
                self._insert(write, "estimate", columns.estimate_table(step.at, step.estimates))
            if step.occupancy is not None:
                self._insert(write, "occupancy", columns.occupancy_table(step.at, step.occupancy))
            if step.state is not None:
                write.execute("DELETE FROM state")
                write.execute("INSERT INTO state VALUES (?, ?, ?, ?)", [at, step.low, step.high, step.state])

    def latest_step(self) -> Step | None:
        """Return time, cursors and state of the last step that carried a state, or None before the first."""
        rows = self._rows("SELECT made_at, low, high, body FROM state")
        if not rows:
            return None
        row = rows[0]
        return Step(at=row["made_at"].replace(tzinfo=UTC), low=row["low"], high=row["high"], state=row["body"])

    def clear_estimates(self) -> int:
        """Forget every step, estimate and state; return the cursor behind everything that was committed.

        For a simulated district that starts another day; what was observed stays.
        """
        with self._lock, self._writing() as write:
            for name in ("step", "estimate", "occupancy", "state"):
                write.execute(f"DELETE FROM {name}")
        for path in (self.folder / "occupancy").glob("*.parquet"):
            path.unlink()
        self._sealed = set()
        return self._n_arrived

    def occupancy_at(self, at: datetime) -> tuple[datetime, Persons] | None:
        """Return the cells' occupancy of the last minute at or before ``at`` (within five minutes), with its time."""
        times, found = self.occupancies(at - timedelta(minutes=5), at)
        return (times[-1], found[-1]) if times else None

    def occupancies(
        self, begin_at: datetime, end_at: datetime, cells: npt.NDArray[np.int64] | None = None
    ) -> tuple[list[datetime], Persons]:
        """Return the minutes after ``begin_at`` up to ``end_at``, and the persons of each by cell.

        Parameters
        ----------
        cells : array of int, optional
            Only these cells, in this order; all where None.

        Returns
        -------
        times : list of datetime
            UTC, ascending.
        persons : float32, shape (len(times), len(cells))
        """
        wanted = "" if cells is None else " AND cell IN (SELECT unnest(?))"
        asked: list[Any] = [columns.naive(begin_at), columns.naive(end_at)]
        if cells is not None:
            asked.append([int(cell) for cell in cells])
        source = self._occupancy_source(begin_at, end_at)
        found = self._table(
            f"SELECT made_at, cell, persons FROM {source} WHERE made_at > ? AND made_at <= ?{wanted}", asked
        )
        return columns.occupancies_from(found, cells)

    def estimates(self, subject_id: str, begin_at: datetime, end_at: datetime) -> list[Estimate]:
        """Return what was estimated for a subject ("place:bund") after ``begin_at`` and up to ``end_at``."""
        found = self._table(
            "SELECT * FROM estimate WHERE subject_id = ? AND made_at > ? AND made_at <= ? ORDER BY made_at",
            [subject_id, columns.naive(begin_at), columns.naive(end_at)],
        )
        return columns.estimates_from(found)

    # -- housekeeping ----------------------------------------------------------------------------------------------

    def seal(self, now: datetime) -> list[date]:
        """Move closed days of cell occupancy into Parquet sorted by (cell, at); return the days sealed.

        A day closes six hours after its end (UTC), when nothing makes its minutes again.
        """
        closed = (now - timedelta(hours=6)).astimezone(UTC).date()
        days = [row["day"] for row in self._rows("SELECT DISTINCT CAST(made_at AS DATE) AS day FROM occupancy")]
        sealed = []
        for day in sorted(day for day in days if day < closed and day not in self._sealed):
            path = self.folder / "occupancy" / f"{day.isoformat()}.parquet"
            partial = path.with_suffix(".partial")
            with self._told():
                self._connection.cursor().execute(
                    "COPY (SELECT made_at, cell, persons FROM occupancy WHERE CAST(made_at AS DATE) = ? ORDER BY cell, made_at) "
                    f"TO '{partial}' (FORMAT parquet, COMPRESSION zstd)",
                    [day],
                )
            partial.rename(path)
            self._sealed.add(day)
            self._write_off(day)
            sealed.append(day)
        return sealed

    def retain(self, now: datetime) -> None:
        """Forget what is older than the retention says, and what the inbox no longer needs to know."""
        keep = self.retention
        ages = (
            ("observation", "end_at", max(keep.observations, keep.inbox)),
            ("occupancy", "made_at", keep.occupancies),
            ("estimate", "made_at", keep.estimates),
            ("refusal", "made_at", keep.refusals),
            ("step", "made_at", keep.estimates),
        )
        with self._lock, self._writing() as write:
            for name, column, age in ages:
                write.execute(f"DELETE FROM {name} WHERE {column} < ?", [columns.naive(now - age)])
        for day in [day for day in self._sealed if day < (now - keep.occupancies).date()]:
            self._sealed.discard(day)
            (self.folder / "occupancy" / f"{day.isoformat()}.parquet").unlink(missing_ok=True)
        forgotten = columns.micros(now - keep.inbox)
        with self._lock:
            self._seen = {key for key in self._seen if key[1] >= forgotten}

    def close(self) -> None:
        """Write the checkpoint and let go of the file."""
        with self._lock:
            self._connection.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn DuckDB's complaint into one error of three parts."""
        try:
            yield
        except (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException) as fault:
            raise Unavailable(
                f"history in {self.folder}", f"must be writable ({fault})", "free some space; what was committed stands"
            ) from fault

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the one write transaction; roll back on any fault."""
        with self._told():
            write = self._connection
            write.execute("BEGIN")
            try:
                yield write
                write.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def _undo(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.FatalException:  # a failed write of the log shuts the database down: open it again from disk
            log.warning("the history in %s is opened again after a failed commit", self.folder)
            self._connection.close()
            self._connection = duckdb.connect(self.folder / "history.duckdb", config={"threads": 2})
        except duckdb.TransactionException:  # the failing statement had ended the transaction already
            log.debug("nothing to roll back")

    @staticmethod
    def _insert(write: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, how: str = "") -> None:
        write.register("incoming", rows)
        try:
            write.execute(f"INSERT {how} INTO {name} SELECT * FROM incoming")
        finally:
            write.unregister("incoming")

    def _table(self, sql: str, values: Sequence[Any] = ()) -> pa.Table:
        with self._lock:
            reader = self._connection.cursor()
        with self._told():
            try:
                return reader.execute(sql, list(values)).to_arrow_table()
            finally:
                reader.close()

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        return self._table(sql).to_pylist()

    def _one(self, sql: str) -> Any:
        return self._table(sql).column(0)[0].as_py()

    def _newest(self) -> dict[str, Observation]:
        found = self._table(
            "SELECT o.* FROM observation o JOIN tally t ON o.device_id = t.device_id AND o.end_at = t.last_end_at"
        )
        return {seen.device_id: seen for seen in columns.observations_from(found)}

    def _keys_since(self, newest_end_at: datetime | None) -> set[columns.Key]:
        if newest_end_at is None:
            return set()
        found = self._table(
            "SELECT * FROM observation WHERE end_at >= ?", [newest_end_at - self.retention.inbox - timedelta(hours=1)]
        )
        return {columns.key_of(seen) for seen in columns.observations_from(found)}

    def _write_off(self, day: date) -> None:
        with self._lock, self._writing() as write:
            write.execute("DELETE FROM occupancy WHERE CAST(made_at AS DATE) = ?", [day])

    def _occupancy_source(self, begin_at: datetime, end_at: datetime) -> str:
        first, last = begin_at.astimezone(UTC).date(), end_at.astimezone(UTC).date()
        days = sorted(day for day in self._sealed if first <= day <= last)
        if not days:
            return "occupancy"
        files = ", ".join(f"'{self.folder / 'occupancy' / (day.isoformat() + '.parquet')}'" for day in days)
        gone = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
        return (
            f"(SELECT made_at, cell, persons FROM read_parquet([{files}]) UNION ALL "
            f"SELECT made_at, cell, persons FROM occupancy WHERE CAST(made_at AS DATE) NOT IN ({gone}))"
        )


def _verdict(seen: Observation, tally: Tally | None, *, repeated: bool, late: bool) -> Verdict:
    if repeated:
        return Verdict.DUPLICATE
    if late:
        return Verdict.LATE
    if tally is not None and tally.last_end_at is not None and seen.end_at < tally.last_end_at:
        return Verdict.OUT_OF_ORDER
    return Verdict.ACCEPTED
