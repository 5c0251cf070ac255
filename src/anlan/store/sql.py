"""Records and the change log on SQLite or PostgreSQL, in one text of SQL."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from anlan.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from anlan.kernel.records import Change, Draft, Record
from anlan.store.records import GENESIS, Audit, canonical, change_hash

MIGRATIONS = Path(__file__).with_name("migrations")
APPEND_LOCK = 0x616E6C616E
"""Advisory lock of an append on PostgreSQL: a sequence is not commit order, and a reader that follows the log would
miss a row that commits after a later one."""

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
    def open(cls, url: str) -> SqlStore:
        """Open, and bring the schema to this version.

        Parameters
        ----------
        url : str
            ``sqlite:///path/to/file.db`` or ``postgresql+psycopg://user@host/database``.

        Raises
        ------
        BadInput
            If the URL is of another kind.
        Unavailable
            If the database cannot be reached or written, or was made by a newer version.
        """
        try:
            parsed = sa.make_url(url)
            dialect = parsed.get_backend_name()
        except sa.exc.ArgumentError:
            dialect = ""
        if dialect not in {"sqlite", "postgresql"}:
            raise BadInput(f"store={url!r}", "must be a sqlite:/// or postgresql+psycopg:// address", "correct it")
        engine = sa.create_engine(url, **({"connect_args": {"timeout": 30}} if dialect == "sqlite" else {}))
        if dialect == "sqlite":
            _prepare_sqlite(engine)
        store = cls(engine)
        try:
            store._migrate()
        except BaseException:
            engine.dispose()
            raise
        return store

    def _migrate(self) -> None:
        steps = Config()
        steps.set_main_option("script_location", str(MIGRATIONS))
        with self._writing() as connection:
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

    def apply(self, drafts: Sequence[Draft], *, at: datetime) -> tuple[Change, ...]:
        """Write every draft with its line in the log, or none.

        Raises
        ------
        Conflict
            If a record has moved on since the version that the draft expects.
        Unavailable
            If the database cannot be written; nothing was.
        """
        with self._writing() as connection:
            last = connection.execute(
                sa.select(_change.c.change_id, _change.c.hash).order_by(_change.c.change_id.desc()).limit(1)
            ).first()
            change_id, previous_hash = (last.change_id, last.hash) if last else (0, GENESIS)
            made = []
            for draft in drafts:
                change_id += 1
                change = self._write(connection, draft, change_id, previous_hash, at.astimezone(UTC))
                previous_hash = change.hash
                made.append(change)
        return tuple(made)

    def _write(
        self, connection: sa.Connection, draft: Draft, change_id: int, previous_hash: str, at: datetime
    ) -> Change:
        same = (_record.c.kind == draft.kind) & (_record.c.record_id == draft.record_id)
        version = connection.execute(sa.select(_record.c.version).where(same)).scalar()
        if version != draft.expected_version:
            raise Conflict(
                f"{draft.kind} {draft.record_id!r} version {draft.expected_version}",
                f"must be its current version {version}",
                "read it again and decide",
            )
        if draft.body is None and version is None:
            raise NotFound(f"{draft.kind} {draft.record_id!r}", "does not exist", "list what there is")
        # A version goes on counting after its record ended, so that no two changes of one id share a version.
        last = connection.execute(
            sa.select(sa.func.max(_change.c.version)).where(
                (_change.c.kind == draft.kind) & (_change.c.record_id == draft.record_id)
            )
        ).scalar()
        row = {
            "change_id": change_id,
            "at": at.isoformat(),
            "kind": draft.kind,
            "record_id": draft.record_id,
            "version": (last or 0) + 1,
            "action": draft.action,
            "actor": draft.actor,
            "body": canonical(draft.body),
            "previous_hash": previous_hash,
        }
        row["hash"] = _hash_of(row)
        connection.execute(_change.insert(), row)
        connection.execute(_record.delete().where(same))
        if draft.body is not None:
            connection.execute(
                _record.insert(),
                {name: row[name] for name in ("kind", "record_id", "version", "body")} | {"changed_at": row["at"]},
            )
        return _change_from(row)

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
            rows = connection.execute(sa.select(_record).where(_record.c.kind == kind).order_by(_record.c.record_id))
            return [_record_from(row._asdict()) for row in rows]

    def changes(self, after: int = 0, limit: int = 1000, kind: str | None = None) -> list[Change]:
        """Return up to ``limit`` changes behind change id ``after``, oldest first."""
        asked = sa.select(_change).where(_change.c.change_id > after).order_by(_change.c.change_id).limit(limit)
        if kind is not None:
            asked = asked.where(_change.c.kind == kind)
        with _told(self._engine), self._engine.connect() as connection:
            return [_change_from(row._asdict()) for row in connection.execute(asked)]

    def verify(self) -> Audit:
        """Recompute the chain row by row, then the current state from it."""
        expected: dict[tuple[str, str], tuple[int, str]] = {}
        previous_hash, n_changes = GENESIS, 0
        with _told(self._engine), self._engine.connect() as connection:
            for row in connection.execute(sa.select(_change).order_by(_change.c.change_id)).mappings():
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
        for key in sorted(expected.keys() | found.keys()):
            if expected.get(key) != found.get(key):
                fault = f"the current {key[0]} {key[1]!r} is not what the log says"
                return Audit(n_changes=n_changes, ok=False, fault=fault)
        return Audit(n_changes=n_changes, ok=True)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Set WAL, full durability and immediate transactions on each connection.

    ``synchronous=FULL`` syncs the write-ahead log at every commit, so that an acknowledged change outlives a power cut;
    changes are made by people, some per second at most, and pay about a millisecond each.
    """
    path = engine.url.database
    if path and path != ":memory:":
        folder = Path(path).resolve().parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise Unavailable(f"folder {folder}", "must exist and be writable", "make it, or choose another --data")

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin below speaks instead of the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
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
    except (OperationalError, DBAPIError) as fault:
        hint = "free some space" if "full" in str(fault.orig) else "check that it runs, and who may write there"
        raise Unavailable(where, f"must be readable and writable ({fault.orig})", hint) from fault


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
