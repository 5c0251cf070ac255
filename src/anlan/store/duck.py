"""Observations, estimates and the estimator's state: one DuckDB file, one writer, closed days in Parquet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anlan.kernel.errors import AnlanError, Unavailable
from anlan.kernel.ingress import Refusal, Tally, Verdict
from anlan.kernel.records import HIDDEN_PERSONS, Counts, Estimate, Observation
from anlan.kernel.weather import WeatherHour, WeatherLog
from anlan.store import columns
from anlan.store.history import Persons, Retention, Step
from anlan.store.sealed import DAY_ROWS, SealedDays
from anlan.store.weather import TOLD, keep_hours, log_from

log = logging.getLogger(__name__)

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "2GB",
    "checkpoint_threshold": "1TB",
}
"""No checkpoint inside a commit: where it fails, the commit stands all the same, and its caller would be told that it
does not. See :meth:`DuckHistory._tidy_log`."""

LOG_BYTES = 16_000_000
"""The log is folded into the file when it is this long. Measured: longer saves no time and leaves a larger file."""

CLOSES_AFTER = timedelta(hours=6)
"""A day (UTC) is sealed so long after its end, when nothing makes its minutes again."""

DISK_FAULTS = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
    duckdb.InternalException,
    duckdb.ConnectionException,
)


class DuckHistory:
    """The history in one folder. One process may hold it; in it, any thread may call.

    Writers take turns; a reader sees the last commit and waits for nobody.

    Examples
    --------
    >>> history = DuckHistory.open(getfixture("tmp_path"))
    >>> history.arrived(0)
    ([], 0)
    >>> history.close()
    """

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection, retention: Retention) -> None:
        self.folder = folder
        self.retention = retention
        self._lock = threading.RLock()
        self._sealing = threading.Lock()
        self._oldest_made = date.max  # oldest day that a step has touched since sealing began
        self._fold_at = LOG_BYTES
        self._days = SealedDays(folder / "occupancy")
        self._attach(connection)
        self._days.tidy(self._sealed())

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take up the file as it is."""
        self._down = False
        self._root = connection  # only gives cursors, so that no reader waits for a statement of the writer
        self._writer = connection.cursor()
        self._writer.execute(columns.SCHEMA)
        # Persisted cursors count too: after retention took every observation, arrivals go on where they were.
        self._n_arrived: int = self._one(
            "SELECT greatest((SELECT coalesce(max(arrival), 0) FROM observation),"
            " (SELECT coalesce(max(high), 0) FROM step), (SELECT coalesce(max(high), 0) FROM state))"
        )
        self._tallies = columns.tallies_from(self._table("SELECT * FROM tally").to_pylist(), self._newest())

    @classmethod
    def open(cls, folder: Path, retention: Retention | None = None) -> DuckHistory:
        """Open, or make, the history in a folder.

        Raises
        ------
        Unavailable
            If another process holds it, or the folder cannot be written or its file not read.
        """
        path = folder / "history.duckdb"
        try:
            (folder / "occupancy").mkdir(parents=True, exist_ok=True)
            connection = duckdb.connect(path, config=CONFIG)
            try:
                return cls(folder, connection, retention or Retention())
            except BaseException:
                connection.close()
                raise
        except OSError as fault:
            raise Unavailable(
                f"folder {folder}", f"must be writable ({fault.strerror})", "give it to this user, or choose another"
            ) from fault
        except duckdb.Error as fault:
            raise _not_opened(path, fault) from fault

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
            with self._writing() as write:
                keys = self._committed(write, observations)
                tallies = dict(self._tallies)
                verdicts: list[Verdict] = []
                fresh: list[Observation] = []
                for k, seen in enumerate(observations):
                    key = columns.key_of(seen)
                    tally = tallies.get(seen.device_id)
                    verdict = _verdict(seen, tally, repeated=key in keys, late=bool(late and late[k]))
                    tallies[seen.device_id] = columns.tallied(tally, seen, verdict, received_at)
                    verdicts.append(verdict)
                    if verdict is not Verdict.DUPLICATE:
                        keys.add(key)
                        fresh.append(seen)
                for refusal in refusals:
                    tallies[refusal.device_id or ""] = columns.refused(tallies.get(refusal.device_id or ""), refusal)
                if fresh:
                    _insert(write, "observation", columns.observation_table(fresh, self._n_arrived, received_at))
                if refusals:
                    _insert(write, "refusal", columns.refusal_table(refusals, received_at))
                touched = [tally for name, tally in tallies.items() if tally is not self._tallies.get(name)]
                if touched:
                    _insert(write, "tally", columns.tally_table(touched), "OR REPLACE")
            self._tallies = tallies
            self._n_arrived += len(fresh)
        return verdicts

    def _committed(self, write: duckdb.DuckDBPyConnection, observations: Sequence[Observation]) -> set[columns.Key]:
        """Return which of these were committed before.

        A window that ends after everything its device sent cannot be among them, so only the others are looked up.
        """
        asked = [
            seen
            for seen in observations
            if (tally := self._tallies.get(seen.device_id)) is not None
            and tally.last_end_at is not None
            and seen.end_at <= tally.last_end_at
        ]
        if not asked:
            return set()
        write.register("asked", columns.key_table(asked))
        try:
            # The bound on time lets DuckDB skip every block of rows that is older.
            found = write.execute(
                "SELECT o.device_id, epoch_us(o.end_at), o.sequence FROM observation o SEMI JOIN asked a ON"
                " o.device_id = a.device_id AND o.end_at = a.end_at AND o.sequence = a.sequence WHERE o.end_at >= ?",
                [columns.naive(min(seen.end_at for seen in asked))],
            ).fetchall()
        finally:
            write.unregister("asked")
        return set(found)

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

    def hand_over(self, begin_at: datetime, end_at: datetime, into: Path) -> int:
        """Write what was observed in windows that end after ``begin_at`` and by ``end_at`` for a program beside.

        It is a Parquet file with the columns of the history and ``received_at``; return how many rows it has.
        """
        path = str(into).replace("'", "''")
        with self._reading() as read:
            found = read.execute(
                "COPY (SELECT * FROM observation WHERE end_at > ? AND end_at <= ? ORDER BY end_at, arrival)"
                f" TO '{path}' (FORMAT parquet)",
                [columns.naive(begin_at), columns.naive(end_at)],
            ).fetchone()
        return 0 if found is None else int(found[0])

    def tallies(self) -> dict[str, Tally]:
        """Return what each device has sent so far, by device id; "" holds what came under no known device."""
        return dict(self._tallies)

    # -- steps -----------------------------------------------------------------------------------------------------

    def commit_step(self, step: Step) -> None:
        """Commit one minute with all that belongs to it, replacing the same minute made before and all after it.

        Raises
        ------
        Unavailable
            If the disk refuses; then nothing of the step was kept.
        """
        at = columns.naive(step.at)
        with self._lock:
            reopened = [day for day in self._sealed() if day >= at.date()]
            with self._writing() as write:
                for day in reopened:  # a clock that was set back makes a closed day's minutes again
                    if rows := self._days.rows([day]):
                        write.execute(f"INSERT INTO occupancy SELECT * FROM ({rows})")
                    write.execute("DELETE FROM sealed WHERE day = ?", [day])
                last = write.execute("SELECT max(made_at) FROM step").fetchone()
                if last and last[0] is not None and last[0] >= at:
                    for name in ("step", "estimate", "occupancy"):
                        write.execute(f"DELETE FROM {name} WHERE made_at >= ?", [at])
                write.execute("INSERT INTO step VALUES (?, ?, ?)", [at, step.low, step.high])
                if step.estimates:
                    _insert(write, "estimate", columns.estimate_table(step.at, step.estimates))
                if step.occupancy is not None:
                    _insert(write, "occupancy", columns.occupancy_table(step.at, step.occupancy))
                if step.state is not None:
                    write.execute("DELETE FROM state")
                    write.execute("INSERT INTO state VALUES (?, ?, ?, ?)", [at, step.low, step.high, step.state])
                    write.execute("DELETE FROM judged")
                    if step.alerts is not None:
                        write.execute("INSERT INTO judged VALUES (?, ?)", [at, step.alerts])
            self._oldest_made = min(self._oldest_made, at.date())
            for day in reopened:
                self._days.forget(day)

    def latest_step(self) -> Step | None:
        """Return time, cursors and state of the last step that carried a state, or None before the first."""
        rows = self._table("SELECT made_at, low, high, body FROM state").to_pylist()
        if not rows:
            return None
        row = rows[0]
        judged = self._table("SELECT body FROM judged WHERE made_at = ?", [row["made_at"]]).to_pylist()
        return Step(
            at=row["made_at"].replace(tzinfo=UTC),
            low=row["low"],
            high=row["high"],
            state=row["body"],
            alerts=judged[0]["body"] if judged else None,
        )

    def clear_estimates(self) -> int:
        """Forget every step, estimate and state; return the cursor behind everything that was committed.

        For a simulated district that starts another day; what was observed stays.
        """
        with self._lock:
            sealed = self._sealed()
            with self._writing() as write:
                for name in ("step", "estimate", "occupancy", "state", "judged", "sealed"):
                    write.execute(f"DELETE FROM {name}")
            self._oldest_made = date.min
            for day in sealed:
                self._days.forget(day)
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
        begin_at, end_at : datetime
            Aware; the first is left out, the last is in.
        cells : array of int, optional
            Only these cells, each once, in this order; all where None.

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
        first, last = (at.astimezone(UTC).date() for at in (begin_at, end_at))
        with self._reading() as read:  # one snapshot decides which days are sealed, and reads the others
            days = [day for day in self._sealed(read) if first <= day <= last]
            sealed = self._days.rows(days)
            source = f"(FROM occupancy UNION ALL {sealed})" if sealed else "occupancy"
            found = read.execute(
                f"SELECT made_at, cell, persons FROM {source} WHERE made_at > ? AND made_at <= ?{wanted}", asked
            ).to_arrow_table()
        return columns.occupancies_from(found, cells)

    def occupancy_quarters(
        self, cells: npt.NDArray[np.int64], share: npt.NDArray[np.float64], begin_at: datetime, n_quarters: int
    ) -> Counts:
        """Return the mean people in parts of cells over each quarter of an hour from one on, (T,).

        A quarter holds the minutes from its begin on and before its end. NaN where nothing was kept, and where under
        half of the people are such that something tells of.

        Parameters
        ----------
        cells : int64, shape (n,)
            Each once.
        share : float64, shape (n,)
            Which part of each counts, 0 to 1.
        begin_at : datetime
            Of a quarter.
        """
        first = columns.naive(begin_at)
        with self._reading() as read:  # one snapshot decides which days are sealed, and reads the others
            return self._days.means(read, self._sealed(read), cells, share, first, n_quarters)

    def estimates(self, subject_id: str, begin_at: datetime, end_at: datetime) -> list[Estimate]:
        """Return what was estimated for a subject ("place:bund") after ``begin_at`` and up to ``end_at``."""
        found = self._table(
            "SELECT * FROM estimate WHERE subject_id = ? AND made_at > ? AND made_at <= ? ORDER BY made_at",
            [subject_id, columns.naive(begin_at), columns.naive(end_at)],
        )
        return columns.estimates_from(found)

    def estimate_means(self, subject_ids: Sequence[str], begin_at: datetime, n_steps: int, step: timedelta) -> Counts:
        """Return the mean occupancy of each subject in each of ``n_steps`` steps from a moment on, (T, S).

        A step holds the minutes after its begin up to its end; NaN where nothing was estimated. Of minutes of which no
        number is told the middle of what it may be is taken: without them nearly empty places would seem fuller.
        """
        begin, end = columns.naive(begin_at), columns.naive(begin_at + n_steps * step)
        subjects = list(subject_ids)
        found = self._table(
            "SELECT CAST(ceil(epoch(made_at - ?) / ?) AS BIGINT) - 1 AS step,"
            " list_position(?, subject_id) - 1 AS subject, avg(coalesce(occupancy, ?)) AS mean FROM estimate"
            " WHERE made_at > ? AND made_at <= ? AND (occupancy IS NOT NULL OR hidden)"
            " AND subject_id IN (SELECT unnest(?)) GROUP BY step, subject_id",
            [begin, step.total_seconds(), subjects, HIDDEN_PERSONS, begin, end, subjects],
        )
        means = np.full((n_steps, len(subject_ids)), np.nan)
        means[found.column("step").to_numpy(), found.column("subject").to_numpy()] = found.column("mean").to_numpy()
        return means

    # -- weather ---------------------------------------------------------------------------------------------------

    def accept_weather(self, hours: Sequence[WeatherHour], *, received_at: datetime) -> None:
        """Commit hours of weather in one transaction; of one hour the last delivery stands, value by value.

        Raises
        ------
        Unavailable
            If the disk refuses; then nothing of them was taken.
        """
        if hours:
            with self._lock, self._writing() as write:
                keep_hours(write, hours, received_at)

    def weather(self, begin_at: datetime, end_at: datetime, known_by: datetime) -> WeatherLog:
        """Return every delivery about hours that begin from ``begin_at`` on and before ``end_at``, as known by then."""
        return log_from(self._table(TOLD, [columns.naive(at) for at in (begin_at, end_at, known_by)]))

    # -- housekeeping ----------------------------------------------------------------------------------------------

    def seal(self, now: datetime) -> list[date]:
        """Move closed days of cell occupancy into Parquet; return the days sealed.

        Commits go on while the file of a day is written; only its last act takes the writer's turn.

        Raises
        ------
        Unavailable
            If the disk refuses; then the day is still in the database.
        """
        closed = (now - CLOSES_AFTER).astimezone(UTC).date()
        with self._sealing:
            self._oldest_made = date.max
            found = self._table("SELECT DISTINCT CAST(made_at AS DATE) AS day FROM occupancy").column("day")
            days = sorted(day for day in found.to_pylist() if day < closed)
            made = [day for day in days if self._seal_day(day)]
            with self._reading() as read:
                self._days.complete(read, self._sealed(read))
            return made

    def _seal_day(self, day: date) -> bool:
        with self._reading() as read:
            self._days.write(read, day)
        with self._lock:
            if self._oldest_made <= day:  # its minutes were made again while the file was written: another time
                self._days.forget(day)
                return False
            with self._writing() as write:
                write.execute(f"DELETE FROM occupancy WHERE {DAY_ROWS}", [day])
                write.execute("INSERT INTO sealed VALUES (?)", [day])
        return True

    def retain(self, now: datetime) -> None:
        """Forget what is older than the retention says; what may be sent again stays known.

        Raises
        ------
        Unavailable
            If the disk refuses; then nothing was forgotten.
        """
        keep = self.retention
        ages = (
            ("observation", "end_at", max(keep.observations, keep.inbox)),
            ("occupancy", "made_at", keep.occupancies),
            ("estimate", "made_at", keep.estimates),
            ("refusal", "made_at", keep.refusals),
            ("step", "made_at", keep.estimates),
            ("weather", "hour_at", keep.weather),
        )
        with self._lock:
            last_day = columns.naive(now - keep.occupancies).date()
            gone = [day for day in self._sealed() if day < last_day]
            with self._writing() as write:
                for name, column, age in ages:
                    write.execute(f"DELETE FROM {name} WHERE {column} < ?", [columns.naive(now - age)])
                write.execute("DELETE FROM sealed WHERE day < ?", [last_day])
            for day in gone:
                self._days.forget(day)

    def close(self) -> None:
        """Write the checkpoint and let go of the file."""
        with self._lock:
            self._writer.close()
            self._root.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn DuckDB's complaint into one error of three parts."""
        try:
            yield
        except AnlanError:
            raise
        except (*DISK_FAULTS, OSError) as fault:
            raise Unavailable(
                f"history in {self.folder}",
                f"must be readable and writable ({fault})",
                "free some space, or mend the disk; what was committed stands",
            ) from fault

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the one write transaction; roll back on any fault."""
        with self._told():
            self._stand_up()
            write = self._writer
            write.execute("BEGIN")
            try:
                yield write
                write.execute("COMMIT")
            except BaseException:
                self._undo()
                raise
        self._tidy_log()

    def _undo(self) -> None:
        try:
            self._writer.execute("ROLLBACK")
        except duckdb.TransactionException:
            log.debug("nothing to roll back: the failing statement had ended the transaction")
        except duckdb.Error as fault:
            self._fall(fault)

    def _tidy_log(self) -> None:
        """Fold a long log into the file, after the commit that made it long was done and safe."""
        written = self.folder / "history.duckdb.wal"
        if not written.exists() or written.stat().st_size < self._fold_at:
            return
        try:
            self._writer.execute("CHECKPOINT")
            self._fold_at = LOG_BYTES
        except duckdb.TransactionException as fault:
            log.debug("the log is folded later: %s", fault)
        except duckdb.Error as fault:
            self._fold_at = written.stat().st_size + LOG_BYTES  # no space: what is committed goes on in the log
            self._fall(fault)

    def _fall(self, fault: duckdb.Error) -> None:
        """Note that DuckDB has shut itself down in memory; on the disk everything committed is whole."""
        log.error("the history in %s stopped and is opened again: %s", self.folder, fault)
        self._down = True

    def _stand_up(self) -> None:
        """Open the file again if DuckDB has shut down."""
        if not self._down:
            return
        with self._lock:
            if self._down:
                self._writer.close()
                self._root.close()
                self._attach_again()

    def _attach_again(self) -> None:
        try:
            self._attach(duckdb.connect(self.folder / "history.duckdb", config=CONFIG))
        except BaseException:
            self._down = True
            raise

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a snapshot of the last commit, beside whatever is being written."""
        with self._told():
            self._stand_up()
            read = self._root.cursor()
            try:
                read.execute("BEGIN")
                yield read
            finally:
                read.close()

    def _table(self, sql: str, values: Sequence[Any] = ()) -> pa.Table:
        with self._reading() as read:
            return read.execute(sql, list(values)).to_arrow_table()

    def _one(self, sql: str) -> Any:
        return self._table(sql).column(0)[0].as_py()

    def _sealed(self, read: duckdb.DuckDBPyConnection | None = None) -> list[date]:
        if read is None:
            with self._reading() as read_now:
                return self._sealed(read_now)
        return [day for (day,) in read.execute("SELECT day FROM sealed ORDER BY day").fetchall()]

    def _newest(self) -> dict[str, Observation]:
        found = self._table(
            "SELECT o.* FROM observation o JOIN tally t ON o.device_id = t.device_id AND o.end_at = t.last_end_at"
        )
        return {seen.device_id: seen for seen in columns.observations_from(found)}


def _insert(write: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, how: str = "") -> None:
    write.register("incoming", rows)
    try:
        write.execute(f"INSERT {how} INTO {name} SELECT * FROM incoming")
    finally:
        write.unregister("incoming")


def _not_opened(path: Path, fault: duckdb.Error) -> Unavailable:
    said = str(fault)
    if "Conflicting lock" in said or "Could not set lock" in said:
        return Unavailable(f"history {path}", "is open in another process", "stop it, or choose another --data folder")
    if "newer version" in said or "storage version" in said:
        return Unavailable(
            f"history {path}", f"must have a form that this version knows ({said})", "start the newer Anlan"
        )
    return Unavailable(
        f"history {path}",
        f"must be readable and writable ({said})",
        "free some space, restore the file from a copy, or choose another --data folder",
    )


def _verdict(seen: Observation, tally: Tally | None, *, repeated: bool, late: bool) -> Verdict:
    if repeated:
        return Verdict.DUPLICATE
    if late:
        return Verdict.LATE
    if tally is not None and tally.last_end_at is not None and seen.end_at < tally.last_end_at:
        return Verdict.OUT_OF_ORDER
    return Verdict.ACCEPTED
