"""The tables of cases, and what is asked of them. Nothing here is in the log, which cannot forget.

``matter`` has one narrow row for each case, by which lists are made; ``matter_step`` holds its history with whatever
was filled in. Moments are microseconds since 1970: integers compare alike on both databases. Where an area lies is its
``rank``, its place in a walk through the tree, so that an area with all below it is one range.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from anlan.kernel.clock import as_utc

NEVER = 2**62
"""The moment of what does not come: it sorts behind every other."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

schema = sa.MetaData()
"""The tables as they are asked; migrations make them, with their indexes."""


def _table(name: str, key: tuple[str, ...], whole: tuple[str, ...], text: tuple[str, ...], *more: Any) -> sa.Table:
    columns: list[sa.Column[Any]] = [
        sa.Column(one, sa.BigInteger, nullable=False, autoincrement=False) for one in whole
    ]
    columns += [sa.Column(one, sa.Text, nullable=False) for one in text]
    return sa.Table(name, schema, *columns, *more, sa.PrimaryKeyConstraint(*key), sqlite_with_rowid=len(key) < 2)


kind_text = _table("case_type", ("type_id", "version"), ("version", "kept_at"), ("type_id", "body"))
matter = _table(
    "matter",
    ("case_no",),
    (
        "case_no", "version", "closed", "rank", "opened_at", "changed_at", "due_at", "yellow_at", "red_at", "clocked",
        "next_at", "told_at", "forget_at", "forgotten", "n_changes",
    ),
    ("case_id", "kind", "type_id", "state", "owner_level", "area_id", "owner_area_id", "post"),
    sa.Column("parent_no", sa.BigInteger),
    sa.Column("lon", sa.Float(53)),
    sa.Column("lat", sa.Float(53)),
    sa.UniqueConstraint("case_id"),
)  # fmt: skip
step = _table(
    "matter_step",
    ("case_no", "k"),
    ("case_no", "k", "at"),
    ("transition", "source", "target", "owner_level", "actor_id", "unit_id", "filled", "evidence", "note"),
)
word = _table("matter_word", ("word", "case_no"), ("word", "case_no"), ())
link = _table("matter_link", ("case_no", "other_no"), ("case_no", "other_no"), ())
telling = _table(
    "matter_telling",
    ("case_no", "clock_id", "at", "share"),
    ("case_no", "at", "letter", "rank"),
    ("clock_id", "climb", "area_id"),
    sa.Column("share", sa.Float(53), nullable=False),
)
entry = _table(
    "matter_entry", ("case_no",), ("case_no", "from_at", "until_at"),
    ("case_id", "type_id", "area_id", "told", "pending"),
)  # fmt: skip
"""What a case counts for; nothing of it that is not kept when the case is forgotten."""
stored_file = _table(
    "matter_file",
    ("digest", "case_no", "actor_id"),
    ("case_no", "put_at", "n_bytes"),
    ("digest", "actor_id", "media_type"),
)
destruction = _table("destruction", ("case_id",), ("destroyed_at", "rank"), ("case_id", "type_id", "body"))
setting = _table("matter_setting", ("key",), (), ("key", "body"))

Row = dict[str, Any]
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Filed:
    """A case as the tables keep it: the row that lists go by, and the entry that numbers are counted from."""

    row: Row
    entry: Row


def micros(at: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return (as_utc(at, "at") - _EPOCH) // timedelta(microseconds=1)


def moment(count: int) -> datetime | None:
    """Return the moment of so many microseconds; None for never."""
    return None if count >= NEVER else _EPOCH + timedelta(microseconds=count)


# -- one case --------------------------------------------------------------------------------------------------------


def row_of(connection: sa.Connection, case_id: str) -> Row | None:
    """Return the row of a case, None where there is none."""
    found = connection.execute(sa.select(matter).where(matter.c.case_id == case_id)).mappings().first()
    return None if found is None else dict(found)


def rows_of(connection: sa.Connection, numbers: Iterable[int]) -> list[Row]:
    """Return the rows of some cases, by number."""
    asked = sa.select(matter).where(matter.c.case_no.in_(list(numbers))).order_by(matter.c.case_no)
    return [dict(one) for one in connection.execute(asked).mappings()]


def steps_of(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, list[Row]]:
    """Return the histories of some cases, each in order."""
    asked = sa.select(step).where(step.c.case_no.in_(list(numbers))).order_by(step.c.case_no, step.c.k)
    found: dict[int, list[Row]] = {}
    for one in connection.execute(asked).mappings():
        found.setdefault(one["case_no"], []).append(dict(one))
    return found


def next_number(connection: sa.Connection) -> int:
    """Return the number of the next case. The caller writes, so nobody else takes it."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(matter.c.case_no), 0) + 1)).scalar_one())


def add_cases(
    connection: sa.Connection, rows: Sequence[Filed], steps: Sequence[Row], words: Mapping[int, Iterable[int]]
) -> None:
    """Write cases that were just opened: their rows, the first lines of their histories, and their words."""
    connection.execute(matter.insert(), [one.row for one in rows])
    connection.execute(entry.insert(), [one.entry for one in rows])
    connection.execute(step.insert(), list(steps))
    found = [{"word": one, "case_no": number} for number, some in words.items() for one in sorted(some)]
    if found:
        connection.execute(word.insert(), found)


def put_row(connection: sa.Connection, made: Filed) -> None:
    """Write the row of a case anew, and what it counts for."""
    number = made.row["case_no"]
    connection.execute(matter.update().where(matter.c.case_no == number).values(made.row))
    if not connection.execute(entry.update().where(entry.c.case_no == number).values(made.entry)).rowcount:
        connection.execute(entry.insert(), made.entry)  # it was kept before entries were


def add_step(connection: sa.Connection, row: Row) -> None:
    """Add a line to a history."""
    connection.execute(step.insert(), row)


def rewrite_steps(connection: sa.Connection, number: int, rows: Sequence[Row]) -> None:
    """Put a history that was forgotten in the place of the one that said everything."""
    connection.execute(step.delete().where(step.c.case_no == number))
    connection.execute(step.insert(), list(rows))


def add_words(connection: sa.Connection, number: int, words: Iterable[int]) -> None:
    """Let a case be found by these words."""
    wanted = set(words)
    if not wanted:
        return
    have = set(
        connection.execute(sa.select(word.c.word).where((word.c.case_no == number) & word.c.word.in_(wanted))).scalars()
    )
    rows = [{"word": one, "case_no": number} for one in sorted(wanted - have)]
    if rows:
        connection.execute(word.insert(), rows)


def linked_to(connection: sa.Connection, number: int) -> tuple[list[Row], list[Row]]:
    """Return the children of a case, and the cases that it waits for."""
    children = connection.execute(sa.select(matter).where(matter.c.parent_no == number)).mappings()
    waits = sa.select(matter).join(link, link.c.other_no == matter.c.case_no).where(link.c.case_no == number)
    return [dict(one) for one in children], [dict(one) for one in connection.execute(waits).mappings()]


def add_link(connection: sa.Connection, number: int, other: int) -> None:
    """Let a case wait for another; a second time changes nothing."""
    there = (link.c.case_no == number) & (link.c.other_no == other)
    if connection.execute(sa.select(link.c.case_no).where(there)).first() is None:
        connection.execute(link.insert(), {"case_no": number, "other_no": other})


# -- many ------------------------------------------------------------------------------------------------------------


def entries_of(
    connection: sa.Connection, type_ids: Collection[str], counted: str, span: tuple[datetime, datetime]
) -> list[tuple[Any, ...]]:
    """Return the entries of some types that have ``begun`` or ``ended`` in a span, or were ``standing`` at its end.

    Of each: id of the case, type, area, from when and until when, what it tells, and what it will when.
    """
    c, (begin, end) = entry.c, (micros(at) for at in span)
    there = {
        "begun": (c.from_at >= begin) & (c.from_at < end),
        "ended": (c.until_at >= begin) & (c.until_at < end),
        "standing": (c.from_at < end) & (c.until_at >= end),
    }[counted]
    asked = (
        sa.select(c.case_id, c.type_id, c.area_id, c.from_at, c.until_at, c.told, c.pending)
        .where(c.type_id.in_(list(type_ids)), there)
        .order_by(c.case_no)
    )
    return [tuple(one) for one in connection.execute(asked)]


def kept_since(connection: sa.Connection) -> dict[str, datetime]:
    """Return since when cases of each type can have been opened."""
    asked = sa.select(kind_text.c.type_id, sa.func.min(kind_text.c.kept_at)).group_by(kind_text.c.type_id)
    return {one[0]: _EPOCH + timedelta(microseconds=int(one[1])) for one in connection.execute(asked)}


def running(connection: sa.Connection, type_id: str, but: int) -> list[Row]:
    """Return the rows of a type that have not ended and are of other versions than one."""
    asked = sa.select(matter).where((matter.c.type_id == type_id) & (matter.c.closed == 0) & (matter.c.version != but))
    return [dict(one) for one in connection.execute(asked.order_by(matter.c.case_no)).mappings()]


def standing_in(connection: sa.Connection, states: Iterable[tuple[tuple[str, int], str]]) -> list[Row]:
    """Return the rows of cases that stand in any of these states, each of a type in a version."""
    any_of = [
        (matter.c.kind == f"{type_id}/{version}") & (matter.c.state == state) for (type_id, version), state in states
    ]
    asked = sa.select(matter).where((matter.c.closed == 0) & sa.or_(*any_of)).order_by(matter.c.case_no)
    return [dict(one) for one in connection.execute(asked).mappings()]


def due(connection: sa.Connection, at: datetime, limit: int) -> list[Row]:
    """Return cases of which a clock has something to tell by a moment."""
    asked = sa.select(matter).where(matter.c.next_at <= micros(at)).order_by(matter.c.next_at, matter.c.case_no)
    return [dict(one) for one in connection.execute(asked.limit(limit)).mappings()]


def to_forget(connection: sa.Connection, at: datetime, limit: int) -> list[Row]:
    """Return cases whose time to be forgotten has come."""
    asked = sa.select(matter).where((matter.c.forget_at <= micros(at)) & (matter.c.forgotten == 0))
    return [
        dict(one)
        for one in connection.execute(asked.order_by(matter.c.forget_at, matter.c.case_no).limit(limit)).mappings()
    ]


def add_tellings(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Keep what clocks told."""
    if rows:
        connection.execute(telling.insert(), list(rows))


def tellings_of(connection: sa.Connection, number: int) -> list[Row]:
    """Return what the clocks of one case told, oldest first."""
    asked = sa.select(telling).where(telling.c.case_no == number).order_by(telling.c.at, telling.c.share)
    return [dict(one) for one in connection.execute(asked).mappings()]


def forget(connection: sa.Connection, number: int) -> list[str]:
    """Delete whatever else is known of a case; return the digests of its files that no other case has."""
    digests = _drop_files(connection, stored_file.c.case_no == number)
    for table in (word, telling):
        connection.execute(table.delete().where(table.c.case_no == number))
    connection.execute(link.delete().where((link.c.case_no == number) | (link.c.other_no == number)))
    return digests


def wipe(engine: sa.Engine) -> None:
    """Take what was deleted out of the database's files too (see `anlan.store.private.wipe`)."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for table in (matter, step, entry, word, telling, stored_file, link):
                connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
        else:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


# -- types, files, settings ------------------------------------------------------------------------------------------


def kept_types(connection: sa.Connection) -> dict[tuple[str, int], str]:
    """Return the text of every type and version that was ever in force."""
    return {(one.type_id, one.version): one.body for one in connection.execute(sa.select(kind_text))}


def kept_type_moments(connection: sa.Connection) -> dict[tuple[str, int], datetime]:
    """Return when each type and version came into force."""
    asked = sa.select(kind_text.c.type_id, kind_text.c.version, kind_text.c.kept_at)
    found = [(one.type_id, one.version, moment(one.kept_at)) for one in connection.execute(asked)]
    return {(type_id, version): at for type_id, version, at in found if at is not None}


def keep_type(connection: sa.Connection, type_id: str, version: int, body: str, at: datetime) -> None:
    """Keep the text of a type, so that its cases go on by it."""
    row = {"type_id": type_id, "version": version, "body": body, "kept_at": micros(at)}
    connection.execute(kind_text.insert(), row)


def read_setting(connection: sa.Connection, key: str) -> str | None:
    """Return what is kept under a key."""
    found: str | None = connection.execute(sa.select(setting.c.body).where(setting.c.key == key)).scalar()
    return found


def keep_setting(connection: sa.Connection, key: str, body: str) -> None:
    """Keep something under a key."""
    connection.execute(setting.delete().where(setting.c.key == key))
    connection.execute(setting.insert(), {"key": key, "body": body})


def files_of(connection: sa.Connection, digest: str) -> list[Row]:
    """Return who has a file: ``case_no`` is 0 until a case takes it from whoever stored it."""
    found = connection.execute(sa.select(stored_file).where(stored_file.c.digest == digest)).mappings()
    return [dict(one) for one in found]


def files_in(connection: sa.Connection, number: int) -> list[Row]:
    """Return the files of a case."""
    found = connection.execute(sa.select(stored_file).where(stored_file.c.case_no == number)).mappings()
    return [dict(one) for one in found]


def put_file(connection: sa.Connection, row: Row) -> None:
    """Note that somebody stored a file."""
    connection.execute(stored_file.insert(), row)


def take_file(connection: sa.Connection, digest: str, actor_id: str, number: int) -> None:
    """Let a case have a file that its actor stored."""
    own = (stored_file.c.digest == digest) & (stored_file.c.actor_id == actor_id) & (stored_file.c.case_no == 0)
    connection.execute(stored_file.update().where(own).values(case_no=number))


def unclaimed(connection: sa.Connection, before_at: datetime) -> list[str]:
    """Forget files that no case has taken since a moment; return the digests that nobody has any more."""
    return _drop_files(connection, (stored_file.c.case_no == 0) & (stored_file.c.put_at < micros(before_at)))


def _drop_files(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[str]:
    digests = set(connection.execute(sa.select(stored_file.c.digest).where(which)).scalars())
    connection.execute(stored_file.delete().where(which))
    left = connection.execute(sa.select(stored_file.c.digest).where(stored_file.c.digest.in_(digests))).scalars()
    return sorted(digests - set(left))


def file_digests(connection: sa.Connection) -> set[str]:
    """Return the digest of every file that is known."""
    return set(connection.execute(sa.select(stored_file.c.digest)).scalars())


def keep_destruction(connection: sa.Connection, row: Row) -> None:
    """Keep the record of what was destroyed."""
    connection.execute(destruction.insert(), row)


def destructions(connection: sa.Connection, limit: int) -> list[Row]:
    """Return the newest records of what was destroyed."""
    asked = sa.select(destruction).order_by(destruction.c.destroyed_at.desc(), destruction.c.case_id).limit(limit)
    return [dict(one) for one in connection.execute(asked).mappings()]


def every_row(connection: sa.Connection, after: int, limit: int) -> list[Row]:
    """Return rows by number, for what must be computed anew."""
    asked = sa.select(matter).where(matter.c.case_no > after).order_by(matter.c.case_no).limit(limit)
    return [dict(one) for one in connection.execute(asked).mappings()]
