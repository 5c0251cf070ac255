"""The tables of volunteers, shifts and call-outs. None of it is in the log, which cannot forget.

Moments are microseconds since 1970, as in `anlan.store.casebook`; ``rank`` is where an area lies in a walk through the
tree. Whoever leaves is deleted from every table; ``volunteer_tally`` keeps numbers that name nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from anlan.store.casebook import Range, Row

schema = sa.MetaData()
"""The tables as they are asked; migrations make them, with their indexes."""


Names = tuple[str, ...]


def _table(name: str, key: Names, whole: Names, text: Names, *more: Any, maybe: Names = ()) -> sa.Table:
    columns: list[sa.Column[Any]] = [
        sa.Column(one, sa.BigInteger, nullable=False, autoincrement=False) for one in whole
    ]
    columns += [sa.Column(one, sa.Text, nullable=False) for one in text]
    columns += [sa.Column(one, sa.BigInteger) for one in maybe]
    return sa.Table(name, schema, *columns, *more, sa.PrimaryKeyConstraint(*key), sqlite_with_rowid=len(key) < 2)


def _degrees() -> tuple[sa.Column[Any], ...]:
    return sa.Column("lon", sa.Float(53), nullable=False), sa.Column("lat", sa.Float(53), nullable=False)


volunteer = _table(
    "volunteer",
    ("volunteer_no",),
    ("volunteer_no", "rank", "consented_at", "ends_at", "reminded"),
    (
        "volunteer_id", "shown_name", "home_id", "skills", "languages", "alliances", "trade", "free", "spoken",
        "contact", "token_key", "calendar_key",
    ),
    sa.UniqueConstraint("volunteer_id"),
    sa.UniqueConstraint("token_key"),
)  # fmt: skip
invitation = _table(
    "volunteer_invitation",
    ("invitation_id",),
    ("rank", "made_at", "until_at", "n_left"),
    ("invitation_id", "token_key", "label", "area_id", "alliance"),
    sa.UniqueConstraint("token_key"),
)
shift = _table(
    "volunteer_shift",
    ("shift_no",),
    ("shift_no", "rank", "begin_at", "end_at", "places", "n_came", "minutes", "changed_at", "sequence"),
    ("shift_id", "name", "area_id", "needs", "alliance", "state", "code"),
    *_degrees(),
    sa.UniqueConstraint("shift_id"),
    sa.UniqueConstraint("code"),
)
sign_up = _table(
    "volunteer_sign_up",
    ("shift_no", "volunteer_no"),
    ("shift_no", "volunteer_no", "k", "seated", "since_at"),
    (),
    maybe=("in_at", "out_at"),
)
offer = _table(
    "volunteer_offer", ("offer_id",), ("shift_no", "giver_no", "made_at"), ("offer_id",), maybe=("taker_no", "back_no")
)
call_out = _table(
    "volunteer_call_out",
    ("call_out_no",),
    (
        "call_out_no", "rank", "quota", "begun_at", "ends_at", "circle", "next_at", "seed", "wave", "patience_s",
        "n_asked", "n_yes", "n_no", "n_left",
    ),
    ("call_out_id", "matter_id", "area_id", "skills", "alliance", "words", "state", "radii"),
    *_degrees(),
    sa.UniqueConstraint("call_out_id"),
)  # fmt: skip
ask = _table(
    "volunteer_ask",
    ("call_out_no", "volunteer_no"),
    ("call_out_no", "volunteer_no", "asked_at"),
    ("matter_id", "reply"),
    maybe=("replied_at",),
)
message = _table("volunteer_message", ("message_no",), ("message_no", "volunteer_no", "made_at", "about_no"), ("kind",))
tally = _table("volunteer_tally", ("month", "area_id", "what"), ("rank", "n"), ("month", "area_id", "what"))

OF_VOLUNTEER = (
    (sign_up, "volunteer_no"), (ask, "volunteer_no"), (message, "volunteer_no"), (offer, "giver_no"),
    (offer, "taker_no"), (volunteer, "volunteer_no"),
)  # fmt: skip
"""Every table and column in which a volunteer stands: whoever leaves is deleted from each."""


def rows(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[Row]:
    """Return rows of a table."""
    return [dict(one) for one in connection.execute(sa.select(table).where(*where)).mappings()]


def first(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> Row | None:
    """Return one row of a table, None where there is none."""
    found = connection.execute(sa.select(table).where(*where)).mappings().first()
    return None if found is None else dict(found)


def add(connection: sa.Connection, table: sa.Table, made: Row | Sequence[Row]) -> None:
    """Write new rows."""
    if made:
        connection.execute(table.insert(), made)


def change(connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool], **values: Any) -> int:
    """Change rows; return how many."""
    return int(connection.execute(table.update().where(where).values(values)).rowcount)


def drop(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    """Delete rows; return how many."""
    return int(connection.execute(table.delete().where(*where)).rowcount)


def next_number(connection: sa.Connection, column: sa.Column[Any]) -> int:
    """Return the number of the next row. The caller writes, so nobody else takes it."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1)).scalar_one())


def within(column: sa.Column[Any], ranges: Iterable[Range]) -> sa.ColumnElement[bool]:
    """Return that a rank lies in one of these ranges, as a condition; nothing lies in none."""
    parts = [column.between(low, high) for low, high in ranges]
    return sa.or_(*parts) if parts else sa.false()


def forget(connection: sa.Connection, number: int) -> None:
    """Delete a volunteer from every table."""
    change(connection, offer, offer.c.taker_no == number, taker_no=None, back_no=None)
    for table, column in OF_VOLUNTEER:
        drop(connection, table, table.c[column] == number)


def count(connection: sa.Connection, key: tuple[str, str, int, str], n: int) -> None:
    """Add to a number of a month, an area with its rank, and a kind (``joined``, ``left``, ``minutes`` ...)."""
    month, area_id, rank, what = key
    where = (tally.c.month == month) & (tally.c.area_id == area_id) & (tally.c.what == what)
    if not connection.execute(tally.update().where(where).values(n=tally.c.n + n)).rowcount:
        add(connection, tally, {"month": month, "area_id": area_id, "rank": rank, "what": what, "n": n})


def rerank(connection: sa.Connection, rank_of: Callable[[str], int]) -> None:
    """Write where every area lies anew, after the tree of areas has changed."""
    lies = ((volunteer, "home_id"), (invitation, "area_id"), (shift, "area_id"), (call_out, "area_id"),
            (tally, "area_id"))  # fmt: skip
    for table, column in lies:
        for area_id in connection.execute(sa.select(table.c[column]).distinct()).scalars().all():
            change(connection, table, table.c[column] == area_id, rank=rank_of(area_id))


def asked_numbers(connection: sa.Connection, matter_id: str) -> set[int]:
    """Return who was asked for a matter, by whichever call-out."""
    return set(connection.execute(sa.select(ask.c.volunteer_no).where(ask.c.matter_id == matter_id)).scalars())


def asked_often(connection: sa.Connection, since_at: int, most: int) -> set[int]:
    """Return who was asked as often as may be since a moment."""
    asked = sa.select(ask.c.volunteer_no).where(ask.c.asked_at > since_at)
    found = asked.group_by(ask.c.volunteer_no).having(sa.func.count() >= most)
    return set(connection.execute(found).scalars())


def on_duty(connection: sa.Connection, begin_at: int, end_at: int) -> set[int]:
    """Return who has a place in a shift that touches a stretch of time."""
    busy = (shift.c.begin_at < end_at) & (shift.c.end_at > begin_at) & (shift.c.state == "planned")
    found = sa.select(sign_up.c.volunteer_no).join(shift, shift.c.shift_no == sign_up.c.shift_no)
    return set(connection.execute(found.where(busy, sign_up.c.seated == 1)).scalars())


def pool_rows(connection: sa.Connection) -> Sequence[sa.Row[Any]]:
    """Return what a call-out weighs of every volunteer."""
    names = ("volunteer_no", "home_id", "skills", "alliances", "free")
    return connection.execute(
        sa.select(*(volunteer.c[name] for name in names)).order_by(volunteer.c.volunteer_no)
    ).all()


def wipe(engine: sa.Engine) -> None:
    """Take what was deleted out of the database's files too (see `anlan.store.private.wipe`)."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for table in (volunteer, sign_up, ask, message, offer):
                connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
        else:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def members(connection: sa.Connection, numbers: Collection[int]) -> list[Row]:
    """Return volunteers by number."""
    return rows(connection, volunteer, volunteer.c.volunteer_no.in_(list(numbers)))
