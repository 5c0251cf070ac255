"""Messages to volunteers: they wait here until the district's gateway fetches them, the only one that sees a contact.

Anlan sends nothing by itself: it knows no telephone network. A gateway is a program of the district that asks with a
key of its own, sends, and says what it has sent, which is deleted then.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from anlan.kernel.records import Draft
from anlan.store import volunteerbook as book
from anlan.store.casebook import Row
from anlan.volunteers.hall import Hall, at_of

OUTBOX = "outbox"
MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that is ready to be sent."""

    message_no: int
    contact: str
    language: str
    text: str


def outbox(hall: Hall, actor: str, limit: int = MOST) -> list[Message]:
    """Return the messages that wait, oldest first. That contacts were read, and how many, is a line of the log."""

    def work(connection: sa.Connection, _at: Any) -> tuple[list[Draft], list[Message]]:
        asked = sa.select(book.message).order_by(book.message.c.message_no).limit(limit)
        waiting = [dict(one) for one in connection.execute(asked).mappings()]
        numbers = {one["volunteer_no"] for one in waiting}
        people = {one["volunteer_no"]: one for one in book.members(connection, numbers)}
        shifts = _by_number(connection, book.shift, "shift_no", waiting)
        calls = _by_number(connection, book.call_out, "call_out_no", waiting)
        made = [
            _message(hall, one, people[one["volunteer_no"]], (calls if one["kind"] == "ask" else shifts))
            for one in waiting
            if one["volunteer_no"] in people
        ]
        if not made:
            return [], []
        return [hall.draft(connection, (OUTBOX, "contacts", "read"), actor, {"n": len(made)})], made

    found: list[Message] = hall.write(work)
    return found


def sent(hall: Hall, numbers: Collection[int]) -> int:
    """Delete messages that the gateway has sent; return how many."""

    def work(connection: sa.Connection, _at: Any) -> tuple[list[Draft], int]:
        return [], book.drop(connection, book.message, book.message.c.message_no.in_(list(numbers)))

    made: int = hall.write(work)
    return made


def _by_number(connection: sa.Connection, table: sa.Table, key: str, waiting: list[Row]) -> dict[int, Row]:
    numbers = [one["about_no"] for one in waiting]
    return {one[key]: one for one in book.rows(connection, table, table.c[key].in_(numbers))}


def _message(hall: Hall, one: Row, reader: Row, about: dict[int, Row]) -> Message:
    language = reader["spoken"]
    text = _texts()[one["kind"]][language].format(**_words(hall, about.get(one["about_no"]), language))
    where = {"zh": " 请打开：", "en": " Open: "}[language] + f"{hall.lists.page}/v" if hall.lists.page else ""
    contact = hall.sealing.unsealed(reader["contact"])
    return Message(message_no=one["message_no"], contact=contact, language=language, text=text + where)


def _words(hall: Hall, row: Row | None, language: str) -> dict[str, str]:
    if row is None:
        return {"district": str(hall.pack.name.get(language, ""))}
    area = hall.known_area(row["area_id"]).name
    words = {
        "district": str(hall.pack.name.get(language, "")),
        "area": str(area.get(language, "")),
        "need": row.get("words", ""),
    }
    if "name" in row:
        name = json.loads(row["name"])
        begin_at = at_of(row["begin_at"])
        words["shift"] = name.get(language) or next(iter(name.values()))
        words["when"] = "" if begin_at is None else f"{begin_at.astimezone(hall.zone):%m-%d %H:%M}"
    return words


@cache
def _texts() -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = json.loads(
        files("anlan.volunteers").joinpath("messages.json").read_text(encoding="utf-8")
    )
    return told
