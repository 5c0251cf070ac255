"""Records and the change log on SQLite or PostgreSQL, in one text of SQL."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError, IntegrityError

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from anlan.kernel.records import Change, Draft, Record
from anlan.store import private
from anlan.store.records import GENESIS, Audit, Keeping, Kept, canonical, change_hash

Made = TypeVar("Made")

MIGRATIONS = Path(__file__).with_name("migrations")
APPEND_LOCK = 0x616E6C616E
"""Advisory lock of an append on PostgreSQL: a sequence is not commit order, and a reader that follows the log would
miss a row that commits after a later one."""

_migrating = threading.Lock()
"""Alembic keeps what it migrates in a place that all threads share."""

_schema = sa.MetaData()
_change = sa.Table(
    "change",
    _schema,
    *(
        sa.Column(name, sa.BigInteger if name in {"change_id", "version"} else sa.Text)
        for name in (
            "change_id",
            "at",
            "kind",
            "record_id",
            "version",
            "action",
            "actor",
            "body",
            "previous_hash",
            "hash",
        )
    ),
)
_record = sa.Table(
    "record",
    _schema,
    *(
        sa.Column(name, sa.BigInteger if name == "version" else sa.Text)
        for name in ("kind", "record_id", "version", "body", "changed_at")
    ),
)


class SqlStore:
    """The store of records on a SQL database. Open it with :meth:`open`; it may be used from several threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str, *, patience_s: float = 10.0) -> SqlStore:
        """Open, and bring the schema to this version.

        Parameters
        ----------
        url : str
            ``sqlite:///path/to/file.db`` or ``postgresql://user@host/database``.
        patience_s : float
            How long to wait for the database's lock, or its host, in s.

        Raises
        ------
        BadInput
            If the URL is of another kind.
        Unavailable
            If the database cannot be reached or written, or was made by a newer version.
        """
        engine = _engine(_address(url), patience_s)
        store = cls(engine)
        try:
            store._migrate()
        except BaseException:
            engine.dispose()
            raise
        return store

    def _migrate(self) -> None:
        steps = Config()
        steps.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with _migrating, self._writing() as connection:
            steps.attributes["connection"] = connection
            try:
                command.upgrade(steps, "head")
            except CommandError:
                newest = ScriptDirectory.from_config(steps).get_current_head()
                raise Unavailable(
                    f"store {self._engine.url.render_as_string()}",
                    f"must have a schema that this version knows (up to {newest})",
                    "start the newer Anlan that made it",
                ) from None

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that no other writer interleaves."""
        with _told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPEND_LOCK})
            yield connection

    def apply(self, drafts: Sequence[Draft], *, at: datetime, keeping: Sequence[Keeping] = ()) -> tuple[Change, ...]:
        """Write every draft with its line in the log, and what is kept beside it, or none.

        Parameters
        ----------
        drafts : sequence of Draft
            In this order; a later one may build on an earlier one.
        at : datetime
            When the changes are made, by the district's clock; aware.
        keeping : sequence of Keeping
            What is kept out of the log, or forgotten, in the same transaction.

        Raises
        ------
        BadInput
            If a draft holds what JSON cannot say (NaN, half a character).
        Conflict
            If a record has moved on since the version that the draft expects.
        NotFound
            If a draft ends what does not live.
        Unavailable
            If the database cannot be written; nothing was.
        """
        moment = as_utc(at, "at").isoformat()
        with self._writing() as connection:
            made = _append(connection, drafts, moment)
            private.put(connection, keeping)
        if any(one.body is None for one in keeping):
            self._wipe()
        return made

    def together(
        self, at: datetime, work: Callable[[sa.Connection], tuple[Sequence[Draft], Made]]
    ) -> tuple[tuple[Change, ...], Made]:
        """Let ``work`` read and write tables beside the log, and append the drafts it returns, all or nothing.

        No other writer comes in between, so what it reads is still true when it writes. ``expected_version`` of a
        draft is found by `version_of`.
        """
        moment = as_utc(at, "at").isoformat()
        with self._writing() as connection:
            drafts, result = work(connection)
            made = _append(connection, drafts, moment)
        return made, result

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction on the tables beside the log, for what the log need not tell of."""
        with self._writing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection that reads one moment of the tables beside the log."""
        with _told(self._engine), self._snapshot() as connection:
            yield connection

    def wipe(self, work: Callable[[sa.Engine], None]) -> None:
        """Take what was deleted out of the files too, as ``work`` does it."""
        with _told(self._engine):
            work(self._engine)

    def kept(self, kind: str, key: str | None = None) -> list[Kept]:
        """Return what is kept beside the log, of a kind and, where given, of one key."""
        with _told(self._engine), self._engine.connect() as connection:
            return private.read(connection, kind, key)

    def keep(self, keeping: Sequence[Keeping]) -> None:
        """Keep or forget what the log need not tell of (when somebody was last seen): all of it, or nothing."""
        with self._writing() as connection:
            private.put(connection, keeping)
        if any(one.body is None for one in keeping):
            self._wipe()

    def forget_due(self, at: datetime) -> list[Kept]:
        """Forget whatever is due at a moment; return what it was, so that the log can be told without saying it."""
        with self._writing() as connection:
            gone = private.due(connection, at)
            private.put(connection, [Keeping(kind=one.kind, key=one.key, body=None) for one in gone])
        if gone:
            self._wipe()
        return gone

    def _wipe(self) -> None:
        with _told(self._engine):
            private.wipe(self._engine)

    def record(self, kind: str, record_id: str) -> Record:
        """Return the current record.

        Raises
        ------
        NotFound
            If none lives under that id.
        """
        with _told(self._engine), self._engine.connect() as connection:
            row = connection.execute(
                sa.select(_record).where((_record.c.kind == kind) & (_record.c.record_id == record_id))
            ).first()
        if row is None:
            raise NotFound(f"{kind} {record_id!r}", "does not exist", "list what there is")
        return _record_from(row._asdict())

    def records(self, kind: str) -> list[Record]:
        """Return the living records of a kind, by id."""
        with _told(self._engine), self._engine.connect() as connection:
            rows = connection.execute(sa.select(_record).where(_record.c.kind == kind))
            found = [_record_from(row._asdict()) for row in rows]
        return sorted(found, key=lambda record: record.record_id)  # databases differ in how they order text

    def changes(self, after: int = 0, limit: int = 1000, kind: str | None = None) -> list[Change]:
        """Return up to ``limit`` changes behind change id ``after``, oldest first."""
        asked = sa.select(_change).where(_change.c.change_id > after).order_by(_change.c.change_id).limit(limit)
        if kind is not None:
            asked = asked.where(_change.c.kind == kind)
        with _told(self._engine), self._engine.connect() as connection:
            return [_change_from(row._asdict()) for row in connection.execute(asked)]

    def verify(self) -> Audit:
        """Recompute the chain row by row, then the current state from it; name the first row that does not fit.

        Whoever can rewrite the whole file can also rewrite the whole chain: keep the last change's hash elsewhere from
        time to time to notice that.
        """
        expected: dict[tuple[str, str], tuple[int, str]] = {}
        previous_hash, n_changes = GENESIS, 0
        with _told(self._engine), self._snapshot() as connection:
            for row in connection.execute(sa.select(_change).order_by(_change.c.change_id)).yield_per(1000).mappings():
                n_changes += 1
                fault = _fault_in(row, n_changes, previous_hash)
                if fault:
                    return Audit(n_changes=n_changes, ok=False, broken_at=row["change_id"], fault=fault)
                previous_hash = row["hash"]
                key = (row["kind"], row["record_id"])
                if row["body"] == "null":
                    expected.pop(key, None)
                else:
                    expected[key] = (row["version"], row["body"])
            rows = connection.execute(sa.select(_record)).mappings()
            found = {(row["kind"], row["record_id"]): (row["version"], row["body"]) for row in rows}
        for key in sorted(expected.keys() | found.keys(), key=str):
            if expected.get(key) != found.get(key):
                fault = f"the current {key[0]} {key[1]!r} is not what the log says"
                return Audit(n_changes=n_changes, ok=False, fault=fault)
        return Audit(n_changes=n_changes, ok=True)

    def _snapshot(self) -> sa.Connection:
        """Open a connection whose statements all see one moment. On SQLite a transaction does so by itself."""
        connection = self._engine.connect()
        if connection.dialect.name == "postgresql":
            return connection.execution_options(isolation_level="REPEATABLE READ")
        return connection

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def _append(connection: sa.Connection, drafts: Sequence[Draft], moment: str) -> tuple[Change, ...]:
    """Write drafts with their lines in the chain."""
    written = [_written(draft) for draft in drafts]
    last = connection.execute(
        sa.select(_change.c.change_id, _change.c.hash).order_by(_change.c.change_id.desc()).limit(1)
    ).first()
    change_id, previous_hash = (last.change_id, last.hash) if last else (0, GENESIS)
    made = []
    for draft, body in zip(drafts, written, strict=True):
        change_id += 1
        row = {
            "change_id": change_id,
            "at": moment,
            "kind": draft.kind,
            "record_id": draft.record_id,
            "version": _next_version(connection, draft),
            "action": draft.action,
            "actor": draft.actor,
            "body": body,
            "previous_hash": previous_hash,
        }
        previous_hash = row["hash"] = _hash_of(row)
        _put(connection, row)
        made.append(_change_from(row))
    return tuple(made)


def version_of(connection: sa.Connection, kind: str, record_id: str) -> int | None:
    """Return the version of a living record, None where none lives."""
    of_record = (_record.c.kind == kind) & (_record.c.record_id == record_id)
    version: int | None = connection.execute(sa.select(_record.c.version).where(of_record)).scalar()
    return version


def _next_version(connection: sa.Connection, draft: Draft) -> int:
    """Return the version that a draft makes, if the record is still as its writer saw it."""
    version = version_of(connection, draft.kind, draft.record_id)
    if draft.body is None and version is None:
        raise NotFound(f"{draft.kind} {draft.record_id!r}", "does not exist", "list what there is")
    if version != draft.expected_version:
        found = "does not exist" if version is None else f"is now at version {version}"
        raise Conflict(
            f"{draft.kind} {draft.record_id!r} expected at version {draft.expected_version}",
            found,
            "read it again and decide",
        )
    if version is None:
        # A version goes on counting after its record ended, so that no two changes of one id share a version.
        of_change = (_change.c.kind == draft.kind) & (_change.c.record_id == draft.record_id)
        version = connection.execute(sa.select(sa.func.max(_change.c.version)).where(of_change)).scalar()
    return (version or 0) + 1


def _put(connection: sa.Connection, row: dict[str, Any]) -> None:
    """Write a line of the log, and what it leaves as the current state."""
    connection.execute(_change.insert(), row)
    connection.execute(
        _record.delete().where((_record.c.kind == row["kind"]) & (_record.c.record_id == row["record_id"]))
    )
    if row["body"] != "null":
        kept = {name: row[name] for name in ("kind", "record_id", "version", "body")}
        connection.execute(_record.insert(), kept | {"changed_at": row["at"]})


def _written(draft: Draft) -> str:
    """Return the draft's body as it is kept; refuse what would not come back as it was."""
    words = (draft.kind, draft.record_id, draft.action, draft.actor)
    try:
        body = canonical(draft.body)
        "".join((*words, body)).encode()
    except (TypeError, ValueError) as fault:
        raise BadInput(f"{draft.kind!r} {draft.record_id!r}", f"must be plain JSON ({fault})", "correct it") from None
    if not all(words) or any("\0" in word for word in words):
        raise BadInput(
            f"kind, id, action and actor {words!r}", "must be words without a NUL character", "fill in all four"
        )
    return body


def _address(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        shown = url.split(":", 1)[0]  # whatever stands behind it may hold a password
        raise BadInput(f"store={shown!r}", "must be a sqlite:/// or postgresql:// address", "correct it") from None
    drivers = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    dialect = parsed.drivername.split("+")[0]
    if dialect not in drivers:
        raise BadInput(f"store={parsed}", "must be a sqlite:/// or postgresql:// address", "correct it")
    if dialect == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise BadInput(f"store={parsed}", "must name a file", "write sqlite:///path/to/file.db")
    return parsed.set(drivername=drivers[dialect])


def _engine(url: sa.URL, patience_s: float) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": patience_s})
        engine.dialect.statement_compiler = _Hinted
        _prepare_sqlite(engine)
        return engine
    patience = {
        "connect_timeout": max(2, round(patience_s)),  # libpq counts whole seconds, and takes 0 for ever
        "options": f"-c lock_timeout={round(patience_s * 1000)}",
    }
    try:
        return sa.create_engine(url, pool_pre_ping=True, connect_args=patience)
    except ImportError:
        raise Unavailable(
            f"store {url}", "needs the driver of PostgreSQL", "install it: pip install 'anlan[postgres]'"
        ) from None


class _Hinted(SQLiteCompiler):
    """SQLAlchemy leaves hints out for SQLite, which knows ``INDEXED BY``."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:  # noqa: ARG002 - it hints at any
        return text


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Set WAL, full durability and immediate transactions on each connection.

    ``synchronous=FULL`` syncs the write-ahead log at every commit, so that an acknowledged change outlives a power cut;
    changes are made by people, some per second at most, and pay about a millisecond each.
    """
    folder = Path(str(engine.url.database)).resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise Unavailable(f"folder {folder}", "must exist and be writable", "make it, or choose another --data")

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin below speaks instead of the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told(engine: sa.Engine) -> Iterator[None]:
    """Turn a database's complaint into one error of three parts."""
    where = f"store {engine.url.render_as_string()}"
    try:
        yield
    except IntegrityError as fault:
        raise Conflict(where, f"must take each change once ({fault.orig})", "read again and decide") from fault
    except DBAPIError as fault:
        said = str(fault.orig)
        next_step = next((step for words, step in _NEXT_STEPS if words in said), "check that it runs, then try again")
        raise Unavailable(where, f"must be readable and writable ({said.strip()})", next_step) from fault


_NEXT_STEPS = (
    ("full", "free some space; what was committed stands"),
    ("No space left", "free some space; what was committed stands"),
    ("lock timeout", "end the other program that writes to it, then try again"),
    ("locked", "end the other program that writes to it, then try again"),
    ("readonly", "give this user write permission, or choose another --data folder"),
    ("unable to open", "give this user read and write permission, or choose another --data folder"),
    ("permission denied", "give this user the right to create tables there"),
    ("not a database", "choose another file; this one holds something else"),
    ("malformed", "restore the file from a copy; it is damaged"),
    ("disk I/O error", "mend or free the disk; what was committed stands"),
    ("refused", "start the database server, or correct the address"),
    ("does not exist", "create it, or correct the address"),
)


_HASHED = ("change_id", "at", "kind", "record_id", "version", "action", "actor", "body")


def _hash_of(row: Any) -> str:
    return change_hash(row["previous_hash"], [str(row[name]) for name in _HASHED])


def _fault_in(row: Any, position: int, previous_hash: str) -> str | None:
    if row["change_id"] != position:
        return f"a change is missing before change {row['change_id']}"
    if row["previous_hash"] != previous_hash:
        return f"change {position} does not follow the one before it"
    if row["hash"] != _hash_of(row):
        return f"change {position} was altered"
    return None


def _change_from(row: dict[str, Any]) -> Change:
    return Change(**{**row, "at": datetime.fromisoformat(row["at"]), "body": json.loads(row["body"])})


def _record_from(row: dict[str, Any]) -> Record:
    return Record(
        kind=row["kind"],
        record_id=row["record_id"],
        version=row["version"],
        body=json.loads(row["body"]),
        changed_at=datetime.fromisoformat(row["changed_at"]),
    )
