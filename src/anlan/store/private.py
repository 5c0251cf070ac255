"""What must be forgotten on schedule stands beside the log, never in it: a log that is chained cannot forget.

The log says that something was kept or forgotten, by an id that means nothing elsewhere; what it was lies here, and is
wiped from the file when it goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput
from anlan.store.records import Keeping, Kept, canonical

schema = sa.MetaData()
kept = sa.Table("kept", schema, *(sa.Column(name, sa.Text) for name in ("kind", "key", "body", "forget_at")))


def put(connection: sa.Connection, keepings: Iterable[Keeping]) -> None:
    """Keep or forget, within the caller's transaction."""
    for one in keepings:
        if not one.kind or not one.key or "\0" in one.kind + one.key:
            raise BadInput(f"kind and key {(one.kind, one.key)!r}", "must be words", "fill in both")
        connection.execute(kept.delete().where((kept.c.kind == one.kind) & (kept.c.key == one.key)))
        if one.body is not None:
            until = None if one.forget_at is None else as_utc(one.forget_at, "forget_at").isoformat()
            row = {"kind": one.kind, "key": one.key, "body": canonical(one.body), "forget_at": until}
            connection.execute(kept.insert(), row)


def read(connection: sa.Connection, kind: str, key: str | None) -> list[Kept]:
    """Return what is kept of a kind, by key; of one key where it is given."""
    asked = sa.select(kept).where(kept.c.kind == kind)
    if key is not None:
        asked = asked.where(kept.c.key == key)
    found = [_kept_from(row) for row in connection.execute(asked).mappings()]
    return sorted(found, key=lambda one: one.key)


def due(connection: sa.Connection, at: datetime) -> list[Kept]:
    """Return what is to be forgotten by a moment."""
    moment = as_utc(at, "at").isoformat()
    asked = sa.select(kept).where(kept.c.forget_at.is_not(None))
    return [_kept_from(row) for row in connection.execute(asked).mappings() if row["forget_at"] <= moment]


def wipe(engine: sa.Engine) -> None:
    """Take what was deleted out of the database's files too.

    SQLite overwrites deleted rows (``secure_delete``), and its write-ahead log is emptied here; PostgreSQL frees and
    rewrites the table.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM (FULL) kept")
        else:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _kept_from(row: sa.RowMapping) -> Kept:
    until = row["forget_at"]
    return Kept(
        kind=row["kind"],
        key=row["key"],
        body=json.loads(row["body"]),
        forget_at=None if until is None else datetime.fromisoformat(until),
    )
