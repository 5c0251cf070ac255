"""Shifts that are kept: planned by the station, filled by volunteers, swapped, served and completed.

Each step loads the part of the book that it can touch, takes it there (`anlan.community.shifts`), and writes what
became different, in one transaction.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from anlan.community import (
    Book,
    Entry,
    Offer,
    Shift,
    answer_offer,
    check_in,
    complete,
    leave,
    minutes_served,
    sign_up,
    swap,
    withdraw,
)
from anlan.kernel.access import Scope
from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.records import Draft, Json, Label
from anlan.store import volunteerbook as book
from anlan.store.casebook import Row, micros
from anlan.store.records import canonical
from anlan.volunteers.hall import Hall, at_of, notify, tally, volunteer_of

SHIFT = "shift"
AROUND = timedelta(days=9)
"""So far around a shift its volunteers' other shifts bear on their rest: seven days, and the length of two shifts."""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of codes: none that is read for another."""
LONGEST_NAME = 60
SEEN = timedelta(days=30)
"""So long after a shift the station sees who was in it; the numbers stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShift:
    """A shift to be planned. ``name`` tells what is done there, in both languages or in one."""

    name: Label
    lon: float
    lat: float
    begin_at: datetime
    end_at: datetime
    places: int
    needs: Mapping[str, int] = field(default_factory=dict)
    alliance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """A shift as one volunteer sees it; ``seated`` is None where they are not in it. The numbers are of all."""

    shift_id: str
    name: Label
    area_id: str
    lon: float
    lat: float
    begin_at: datetime
    end_at: datetime
    places: int
    needs: Mapping[str, int]
    alliance: str | None
    state: str
    n_seated: int
    n_waiting: int
    sequence: int
    n_offers: int = 0
    seated: bool | None = None
    in_at: datetime | None = None
    out_at: datetime | None = None
    minutes: int | None = None


# -- planning --------------------------------------------------------------------------------------------------------


def plan(hall: Hall, new: NewShift, scope: Scope, actor: str) -> str:
    """Plan a shift; return its id.

    Raises
    ------
    BadInput
        If it lies outside the district, is over, or a skill or alliance is in no list.
    NotAllowed
        If its place is not granted to the actor.
    """
    area_id = hall.area_at(new.lon, new.lat)
    hall.check_scope(scope, area_id)
    hall.lists.check(skills=new.needs, alliances=() if new.alliance is None else (new.alliance,))
    name = {key: text.strip() for key, text in new.name.items() if key in {"zh", "en"} and text.strip()}
    if not name or max(map(len, name.values())) > LONGEST_NAME:
        rule = f"must have 1..{LONGEST_NAME} characters in zh or en"
        raise BadInput(f"name={dict(new.name)}", rule, "say what is done")
    key = secrets.token_hex(6)
    made = Shift(
        shift_id=key, name=name, lon=new.lon, lat=new.lat, area_id=area_id, begin_at=new.begin_at, end_at=new.end_at,
        places=new.places, needs=new.needs, alliance=new.alliance,
    )  # fmt: skip

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        if made.begin_at <= at:
            raise BadInput(f"begin_at={made.begin_at.isoformat()}", "must be after now", "plan a later one")
        number = book.next_number(connection, book.shift.c.shift_no)
        book.add(connection, book.shift, _row(hall, made, number, at))
        body: Json = {"area": area_id, "begin_at": made.begin_at.isoformat(), "places": made.places}
        return [hall.draft(connection, (SHIFT, key, "plan"), actor, body)], None

    hall.write(work)
    return key


def _row(hall: Hall, made: Shift, number: int, at: datetime) -> Row:
    code = "".join(secrets.choice(LETTERS) for _ in range(8))
    return {
        "shift_no": number, "shift_id": made.shift_id, "name": canonical(dict(made.name)), "area_id": made.area_id,
        "rank": hall.ground.rank(made.area_id), "lon": made.lon, "lat": made.lat, "begin_at": micros(made.begin_at),
        "end_at": micros(made.end_at), "places": made.places, "needs": canonical(dict(made.needs)),
        "alliance": made.alliance or "", "state": "planned", "code": code, "n_came": 0, "minutes": 0,
        "changed_at": micros(at), "sequence": 0,
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A shift as a number is counted from it: who was in it is not told."""

    shift_id: str
    area_id: str
    begin_at: datetime
    end_at: datetime
    state: str
    n_came: int
    minutes: int


def between(hall: Hall, begin_at: datetime, end_at: datetime) -> list[Given]:
    """Return the shifts that begin before ``end_at`` and end at or after ``begin_at``, without those called off."""
    shift = book.shift.c
    here = (shift.begin_at < micros(end_at)) & (shift.end_at >= micros(begin_at)) & (shift.state != "cancelled")
    with hall.store.reading() as connection:
        return [
            Given(
                shift_id=row["shift_id"], area_id=row["area_id"], begin_at=_when(row["begin_at"]),
                end_at=_when(row["end_at"]), state=row["state"], n_came=row["n_came"], minutes=row["minutes"],
            )
            for row in book.rows(connection, book.shift, here)
        ]  # fmt: skip


def cancel(hall: Hall, shift_id: str, scope: Scope, actor: str) -> None:
    """Call a shift off that has not ended; whoever is in it is told."""

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        row = _of_station(hall, connection, shift_id, scope)
        if row["state"] != "planned" or row["end_at"] <= micros(at):
            raise Conflict(f"shift {shift_id!r}", "has ended or is off already", "see the shifts")
        here = book.shift.c.shift_no == row["shift_no"]
        book.change(
            connection, book.shift, here, state="cancelled", sequence=row["sequence"] + 1, changed_at=micros(at)
        )
        book.drop(connection, book.offer, book.offer.c.shift_no == row["shift_no"])
        entries = book.rows(connection, book.sign_up, book.sign_up.c.shift_no == row["shift_no"])
        told = book.members(connection, [one["volunteer_no"] for one in entries])
        notify(connection, told, ("cancelled", row["shift_no"]), at)
        return [hall.draft(connection, (SHIFT, shift_id, "cancel"), actor, {"area": row["area_id"]})], None

    hall.write(work)


def complete_shift(hall: Hall, shift_id: str, scope: Scope, actor: str) -> tuple[int, int]:
    """Complete a shift that is over; return how many came, and their minutes in all."""

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], tuple[int, int]]:
        row = _of_station(hall, connection, shift_id, scope)
        key = str(row["shift_no"])
        before = _load(hall, connection, [row["shift_no"]], ())
        after = complete(before, key, at=at)
        served = [minutes_served(after.shifts[key], one) for one in after.of_shift(key)]
        came = [one for one in served if one is not None]
        _keep(connection, before, after, at)
        here = book.shift.c.shift_no == row["shift_no"]
        book.change(connection, book.shift, here, state="completed", n_came=len(came), minutes=sum(came))
        tally(hall, connection, row["area_id"], "came", len(came))
        tally(hall, connection, row["area_id"], "minutes", sum(came))
        body: Json = {"area": row["area_id"], "n_came": len(came), "minutes": sum(came)}
        return [hall.draft(connection, (SHIFT, shift_id, "complete"), actor, body)], (len(came), sum(came))

    made: tuple[int, int] = hall.write(work)
    return made


def _of_station(hall: Hall, connection: sa.Connection, shift_id: str, scope: Scope) -> Row:
    row = book.first(connection, book.shift, book.shift.c.shift_id == shift_id)
    if row is None:
        raise NotFound(f"shift {shift_id!r}", "does not exist", "list the shifts")
    hall.check_scope(scope, row["area_id"])
    return row


# -- what volunteers do ----------------------------------------------------------------------------------------------


def enter(hall: Hall, number: int, shift_id: str) -> bool:
    """Sign a volunteer up; return whether they have a place, or wait."""

    def step(before: Book, one: str, key: str, at: datetime) -> Book:
        return sign_up(before, one, key, at=at)

    entry = _step(hall, number, shift_id, step)
    return entry is not None and entry.seated


def give_up(hall: Hall, number: int, shift_id: str) -> None:
    """Take a volunteer out of a shift; whoever waits moves up."""
    _step(hall, number, shift_id, lambda before, one, key, at: withdraw(before, one, key, at=at))


def here(hall: Hall, number: int, code: str) -> Mine:
    """Check a volunteer in, or out, by the code that hangs at the place; return the shift as it then is for them."""
    row = by_code(hall, code)
    _step(hall, number, row["shift_id"], lambda before, one, key, at: check_in(before, one, key, at=at))
    return next(one for one in of_volunteer(hall, number) if one.shift_id == row["shift_id"])


def by_code(hall: Hall, code: str) -> Row:
    """Return the shift of a code; NotFound where it is of none."""
    with hall.store.reading() as connection:
        row = book.first(connection, book.shift, book.shift.c.code == code.strip().upper())
    if row is None:
        raise NotFound("this code", "is of no shift", "scan it again, or ask the station")
    return row


def _step(hall: Hall, number: int, shift_id: str, step: Callable[[Book, str, str, datetime], Book]) -> Entry | None:
    """Take a volunteer's step in a shift; return their entry as it is afterwards."""

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], Entry | None]:
        row = book.first(connection, book.shift, book.shift.c.shift_id == shift_id)
        if row is None:
            raise NotFound(f"shift {shift_id!r}", "does not exist", "see the shifts")
        before = _load(hall, connection, [row["shift_no"]], [number])
        after = step(before, str(number), str(row["shift_no"]), at)
        _keep(connection, before, after, at)
        return [], after.entry(str(number), str(row["shift_no"]))

    made: Entry | None = hall.write(work)
    return made


def clear(hall: Hall, connection: sa.Connection, number: int, at: datetime) -> None:
    """Take a volunteer out of every shift to come, within the caller's transaction; whoever waits moves up."""
    asked = sa.select(book.shift.c.shift_no).join(book.sign_up, book.sign_up.c.shift_no == book.shift.c.shift_no)
    ahead = (book.sign_up.c.volunteer_no == number) & (book.shift.c.begin_at > micros(at))
    own = list(connection.execute(asked.where(ahead)).scalars())
    if own:
        before = _load(hall, connection, own, [number])
        _keep(connection, before, leave(before, str(number), at=at), at)


# -- swaps -----------------------------------------------------------------------------------------------------------


def offer_place(hall: Hall, number: int, shift_id: str) -> str:
    """Offer the place that one holds in a shift to come; return the offer's id."""
    key = secrets.token_hex(6)

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], str]:
        row = book.first(connection, book.shift, book.shift.c.shift_id == shift_id)
        held = None if row is None else _held(connection, row["shift_no"], number)
        if row is None or held is None or not held["seated"] or row["begin_at"] <= micros(at):
            raise Conflict("this offer", "must be of a place that you hold in a shift to come", "see your shifts")
        there = (book.offer.c.shift_no == row["shift_no"]) & (book.offer.c.giver_no == number)
        old = book.first(connection, book.offer, there)
        if old is None:
            made = {"offer_id": key, "shift_no": row["shift_no"], "giver_no": number, "made_at": micros(at)}
            book.add(connection, book.offer, made | {"taker_no": None, "back_no": None})
        return [], key if old is None else str(old["offer_id"])

    made: str = hall.write(work)
    return made


def take_offer(hall: Hall, number: int, offer_id: str, back_shift_id: str = "") -> None:
    """Answer an offer: one would take the place, for one's own in ``back_shift_id`` where given; the giver agrees."""

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        row = _offer(connection, offer_id)
        back = None
        if back_shift_id:
            given = book.first(connection, book.shift, book.shift.c.shift_id == back_shift_id)
            if given is None:
                raise NotFound(f"shift {back_shift_id!r}", "does not exist", "choose one of your own")
            back = given["shift_no"]
        shifts = [row["shift_no"], *([] if back is None else [back])]
        before = _load(hall, connection, shifts, [number, row["giver_no"]])
        answer_offer(before, _offer_of(row), str(number), None if back is None else str(back), at=at)
        book.change(connection, book.offer, book.offer.c.offer_id == offer_id, taker_no=number, back_no=back)
        notify(connection, book.members(connection, [row["giver_no"]]), ("offer", row["shift_no"]), at)
        return [], None

    hall.write(work)


def settle_offer(hall: Hall, number: int, offer_id: str, *, agreed: bool) -> None:
    """Agree to whoever answered one's offer, or not; without an answer, or not agreed, it is withdrawn.

    Whoever answered may take the answer back the same way, and the offer stands again.
    """

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        row = _offer(connection, offer_id)
        this = book.offer.c.offer_id == offer_id
        if row["taker_no"] == number and not agreed:
            book.change(connection, book.offer, this, taker_no=None, back_no=None)
            return [], None
        if row["giver_no"] != number:
            raise NotFound("this offer", "is not yours", "see your shifts")
        if agreed:
            shifts = [row["shift_no"], *([] if row["back_no"] is None else [row["back_no"]])]
            people = [one for one in (row["giver_no"], row["taker_no"]) if one is not None]
            before = _load(hall, connection, shifts, people)
            _keep(connection, before, swap(before, _offer_of(row), at=at), at)
            notify(connection, book.members(connection, people[1:]), ("swapped", row["shift_no"]), at)
        book.drop(connection, book.offer, this)
        return [], None

    hall.write(work)


def offers(hall: Hall, number: int) -> list[Row]:
    """Return the offers that concern a volunteer, each with its shift and the names that its parties show.

    They are one's own, those that one has answered, and open ones of shifts that one might take.
    """
    now = micros(hall.clock.now())
    giver, taker = book.volunteer.alias("giver"), book.volunteer.alias("taker")
    back = book.shift.alias("back")
    asked = (
        sa.select(
            book.offer, book.shift.c.shift_id, book.shift.c.name, book.shift.c.begin_at, book.shift.c.end_at,
            book.shift.c.area_id, book.shift.c.alliance, giver.c.shown_name.label("giver"),
            taker.c.shown_name.label("taker"), back.c.shift_id.label("back_id"), back.c.name.label("back_name"),
            back.c.begin_at.label("back_begin_at"),
        )
        .join(book.shift, book.shift.c.shift_no == book.offer.c.shift_no)
        .join(giver, giver.c.volunteer_no == book.offer.c.giver_no)
        .join(taker, taker.c.volunteer_no == book.offer.c.taker_no, isouter=True)
        .join(back, back.c.shift_no == book.offer.c.back_no, isouter=True)
        .where(book.shift.c.begin_at > now)
        .order_by(book.shift.c.begin_at)
    )  # fmt: skip
    with hall.store.reading() as connection:
        own = next(iter(book.members(connection, [number])), None)
        member = set() if own is None else set(json.loads(own["alliances"]))
        held = {one["shift_no"] for one in book.rows(connection, book.sign_up, book.sign_up.c.volunteer_no == number)}
        every = [dict(one) for one in connection.execute(asked).mappings()]
    return [
        one
        for one in every
        if number in {one["giver_no"], one["taker_no"]}
        or (one["taker_no"] is None and one["shift_no"] not in held and one["alliance"] in {"", *member})
    ]


def _offer(connection: sa.Connection, offer_id: str) -> Row:
    row = book.first(connection, book.offer, book.offer.c.offer_id == offer_id)
    if row is None:
        raise NotFound("this offer", "does not exist any more", "see the other offers")
    return row


def _offer_of(row: Row) -> Offer:
    return Offer(
        offer_id=row["offer_id"], shift_id=str(row["shift_no"]), giver_id=str(row["giver_no"]),
        taker_id=None if row["taker_no"] is None else str(row["taker_no"]),
        back_id=None if row["back_no"] is None else str(row["back_no"]),
    )  # fmt: skip


def _held(connection: sa.Connection, shift_no: int, number: int) -> Row | None:
    this = (book.sign_up.c.shift_no == shift_no) & (book.sign_up.c.volunteer_no == number)
    return book.first(connection, book.sign_up, this)


# -- reading ---------------------------------------------------------------------------------------------------------


def shifts(hall: Hall, scope: Scope, from_at: datetime, until_at: datetime) -> list[Mine]:
    """Return the shifts in the areas of a scope that touch a stretch of time, by their begin."""
    where = (
        book.within(book.shift.c.rank, hall.ranges(scope)), book.shift.c.end_at > micros(from_at),
        book.shift.c.begin_at < micros(until_at),
    )  # fmt: skip
    with hall.store.reading() as connection:
        return _told(connection, book.rows(connection, book.shift, *where), None)


def shift(hall: Hall, shift_id: str, scope: Scope) -> tuple[Mine, str, list[tuple[Row, Entry]]]:
    """Return a shift with its code, and who is in it (until 30 days after it), in the order of signing up."""
    with hall.store.reading() as connection:
        row = _of_station(hall, connection, shift_id, scope)
        entries = book.rows(connection, book.sign_up, book.sign_up.c.shift_no == row["shift_no"])
        entries.sort(key=lambda one: int(one["k"]))
        people = {
            one["volunteer_no"]: one for one in book.members(connection, [one["volunteer_no"] for one in entries])
        }
        told = _told(connection, [row], None)[0]
    if row["end_at"] < micros(hall.clock.now() - SEEN):
        entries = []
    return told, row["code"], [(people[one["volunteer_no"]], _entry_of(one)) for one in entries]


def swaps(hall: Hall, shift_id: str, scope: Scope) -> list[tuple[str, str | None]]:
    """Return the places of a shift that are offered: (who offers, who would take it), by the names that they show."""
    giver, taker = book.volunteer.alias("giver"), book.volunteer.alias("taker")
    asked = (
        sa.select(giver.c.shown_name, taker.c.shown_name)
        .select_from(book.offer)
        .join(giver, giver.c.volunteer_no == book.offer.c.giver_no)
        .join(taker, taker.c.volunteer_no == book.offer.c.taker_no, isouter=True)
        .order_by(book.offer.c.made_at, book.offer.c.offer_id)
    )
    with hall.store.reading() as connection:
        row = _of_station(hall, connection, shift_id, scope)
        found = connection.execute(asked.where(book.offer.c.shift_no == row["shift_no"]))
        return [(one[0], one[1]) for one in found]


def of_volunteer(hall: Hall, number: int) -> list[Mine]:
    """Return the shifts in which a volunteer is, or was, by their begin."""
    with hall.store.reading() as connection:
        own = sa.select(book.sign_up.c.shift_no).where(book.sign_up.c.volunteer_no == number)
        return _told(connection, book.rows(connection, book.shift, book.shift.c.shift_no.in_(own)), number)


def open_to(hall: Hall, number: int, days: int = 28) -> list[Mine]:
    """Return the shifts of the next days that a volunteer is not in and could sign up for."""
    now = hall.clock.now()
    where = (
        book.shift.c.begin_at > micros(now), book.shift.c.begin_at < micros(now + timedelta(days=days)),
        book.shift.c.state == "planned",
    )  # fmt: skip
    with hall.store.reading() as connection:
        own = next(iter(book.members(connection, [number])), None)
        member = set() if own is None else set(json.loads(own["alliances"]))
        found = _told(connection, book.rows(connection, book.shift, *where), number)
    return [one for one in found if one.seated is None and (one.alliance is None or one.alliance in member)]


def _told(connection: sa.Connection, rows: Collection[Row], number: int | None) -> list[Mine]:
    numbers = [one["shift_no"] for one in rows]
    asked = sa.select(book.sign_up.c.shift_no, book.sign_up.c.seated, sa.func.count())
    asked = asked.where(book.sign_up.c.shift_no.in_(numbers)).group_by(book.sign_up.c.shift_no, book.sign_up.c.seated)
    n = {(one[0], one[1]): one[2] for one in connection.execute(asked)}
    given = sa.select(book.offer.c.shift_no, sa.func.count()).where(book.offer.c.shift_no.in_(numbers))
    offered = {one[0]: one[1] for one in connection.execute(given.group_by(book.offer.c.shift_no))}
    own = {}
    if number is not None:
        mine = book.rows(connection, book.sign_up, book.sign_up.c.volunteer_no == number)
        own = {one["shift_no"]: _entry_of(one) for one in mine}
    made = []
    for row in rows:
        key = row["shift_no"]
        made.append(_mine(row, (n.get((key, 1), 0), n.get((key, 0), 0), offered.get(key, 0)), own))
    return sorted(made, key=lambda one: (one.begin_at, one.shift_id))


def _mine(row: Row, n: tuple[int, int, int], own: Mapping[int, Entry]) -> Mine:
    shift_, entry = shift_of(row), own.get(row["shift_no"])
    return Mine(
        shift_id=row["shift_id"], name=shift_.name, area_id=row["area_id"], lon=row["lon"], lat=row["lat"],
        begin_at=shift_.begin_at, end_at=shift_.end_at, places=shift_.places, needs=shift_.needs,
        alliance=shift_.alliance, state=shift_.state, n_seated=n[0], n_waiting=n[1], n_offers=n[2],
        sequence=row["sequence"],
        seated=None if entry is None else entry.seated, in_at=None if entry is None else entry.in_at,
        out_at=None if entry is None else entry.out_at,
        minutes=None if entry is None else minutes_served(shift_, entry),
    )  # fmt: skip


# -- loading and keeping ---------------------------------------------------------------------------------------------


def _load(hall: Hall, connection: sa.Connection, shift_nos: Collection[int], numbers: Collection[int]) -> Book:
    """Return the book of some shifts, with every other shift of whoever is in them or named, as far as rest asks."""
    given = book.rows(connection, book.shift, book.shift.c.shift_no.in_(list(shift_nos)))
    inside = book.rows(connection, book.sign_up, book.sign_up.c.shift_no.in_(list(shift_nos)))
    people = {one["volunteer_no"] for one in inside} | set(numbers)
    low = min(one["begin_at"] for one in given) - AROUND // timedelta(microseconds=1)
    high = max(one["end_at"] for one in given) + AROUND // timedelta(microseconds=1)
    own = sa.select(book.sign_up.c.shift_no).where(book.sign_up.c.volunteer_no.in_(people))
    near = book.rows(
        connection, book.shift, book.shift.c.shift_no.in_(own), book.shift.c.end_at > low, book.shift.c.begin_at < high
    )
    every = {one["shift_no"]: one for one in [*near, *given]}
    entries = book.rows(
        connection, book.sign_up, book.sign_up.c.volunteer_no.in_(people), book.sign_up.c.shift_no.in_(list(every))
    )
    entries.sort(key=lambda one: (int(one["k"]), int(one["volunteer_no"])))
    found = {str(one["volunteer_no"]): one for one in book.members(connection, people)}
    return Book(
        shifts={str(key): shift_of(one, str(key)) for key, one in every.items()},
        volunteers={key: volunteer_of(one, key) for key, one in found.items()},
        entries=tuple(_entry_of(one) for one in entries if str(one["volunteer_no"]) in found),
        rule=hall.lists.rest,
    )


def _keep(connection: sa.Connection, before: Book, after: Book, at: datetime) -> None:
    """Write the entries that became different; whoever moved up is told, and offers of places given up end."""
    old = {(one.shift_id, one.volunteer_id): one for one in before.entries}
    new = {(one.shift_id, one.volunteer_id): one for one in after.entries}
    for key in old.keys() - new.keys():
        shift_no, number = int(key[0]), int(key[1])
        this = (book.sign_up.c.shift_no == shift_no, book.sign_up.c.volunteer_no == number)
        book.drop(connection, book.sign_up, *this)
        book.drop(connection, book.offer, book.offer.c.shift_no == shift_no, book.offer.c.giver_no == number)
        lent = (book.offer.c.back_no == shift_no) & (book.offer.c.taker_no == number)
        book.change(connection, book.offer, lent, taker_no=None, back_no=None)
    moved = []
    for key, one in new.items():
        shift_no, number = int(key[0]), int(key[1])
        if key not in old:
            last = sa.select(sa.func.coalesce(sa.func.max(book.sign_up.c.k), 0) + 1)
            k = int(connection.execute(last.where(book.sign_up.c.shift_no == shift_no)).scalar_one())
            row = {"shift_no": shift_no, "volunteer_no": number, "k": k, "since_at": micros(one.since_at)}
            book.add(connection, book.sign_up, row | _changing(one))
        elif one != old[key]:
            this_one = (book.sign_up.c.shift_no == shift_no) & (book.sign_up.c.volunteer_no == number)
            book.change(connection, book.sign_up, this_one, **_changing(one))
            moved += [(shift_no, number)] if one.seated and not old[key].seated else []
    for shift_no, number in moved:
        notify(connection, book.members(connection, [number]), ("promoted", shift_no), at)


def _changing(one: Entry) -> Row:
    in_at = None if one.in_at is None else micros(one.in_at)
    return {"seated": int(one.seated), "in_at": in_at, "out_at": None if one.out_at is None else micros(one.out_at)}


def shift_of(row: Row, key: str | None = None) -> Shift:
    """Return the shift of a row, under another id where one is given."""
    begin_at, end_at = at_of(row["begin_at"]), at_of(row["end_at"])
    assert begin_at is not None  # noqa: S101 - a shift always has both
    assert end_at is not None  # noqa: S101 - the same
    return Shift(
        shift_id=key or row["shift_id"], name=json.loads(row["name"]), lon=row["lon"], lat=row["lat"],
        area_id=row["area_id"], begin_at=begin_at, end_at=end_at, places=row["places"], needs=json.loads(row["needs"]),
        alliance=row["alliance"] or None, state=row["state"],
    )  # fmt: skip


def _entry_of(row: Row) -> Entry:
    since_at = at_of(row["since_at"])
    assert since_at is not None  # noqa: S101 - it is always given
    return Entry(
        volunteer_id=str(row["volunteer_no"]), shift_id=str(row["shift_no"]), seated=bool(row["seated"]),
        since_at=since_at, in_at=at_of(row["in_at"]), out_at=at_of(row["out_at"]),
    )  # fmt: skip


def forget_offers(connection: sa.Connection, at: datetime) -> None:
    """Forget offers of shifts that have begun."""
    begun = sa.select(book.shift.c.shift_no).where(book.shift.c.begin_at <= micros(at))
    book.drop(connection, book.offer, book.offer.c.shift_no.in_(begun))


def _when(count: int) -> datetime:
    at = at_of(count)
    assert at is not None  # noqa: S101 - a shift begins and ends
    return at
