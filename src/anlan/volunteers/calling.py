"""Call-outs that are kept: begun by a station or for an incident, asked in waves, answered, stopped by themselves."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from anlan.community import Answers, CallOut, Pool, Reply, next_wave, slot_of, take_reply
from anlan.community.callouts import RADII_M, Wave
from anlan.kernel.access import Scope
from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.records import Draft, Json
from anlan.store import volunteerbook as book
from anlan.store.casebook import NEVER, Row, micros
from anlan.volunteers.hall import Hall, at_of, notify, set_text, slots_of, tally
from anlan.volunteers.rostering import forget_offers

CALL_OUT = "call_out"
LONGEST_WORDS = 120
KEPT = timedelta(days=30)
"""So long it is known who was asked, so that nobody is asked twice for one matter; then only how many."""
DAY = timedelta(hours=24)
STALE = timedelta(hours=24)
"""A message that nobody fetched in this time is of no use any more."""
OPEN, MET, STOPPED, OVER = "open", "met", "stopped", "over"
CALLS = book.call_out.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Helpers that are wanted at a place. ``words`` tell the need, never anybody's name.

    ``matter_id`` joins call-outs of one matter: nobody is asked twice for it. Where None, the call-out is its own.
    """

    lon: float
    lat: float
    quota: int
    words: str
    skills: Collection[str] = ()
    alliance: str | None = None
    hours: float = 2.0
    matter_id: str | None = None
    radii_m: tuple[float, ...] = RADII_M
    patience_s: float = 120.0


def call_out(hall: Hall, new: Wanted, scope: Scope, actor: str) -> Row:
    """Begin a call-out and ask the first few.

    Raises
    ------
    BadInput
        If its place, quota, skills, words or time are out of range.
    NotAllowed
        If its place is not granted to the actor.
    """
    area_id = hall.area_at(new.lon, new.lat)
    hall.check_scope(scope, area_id)
    hall.lists.check(skills=new.skills, alliances=() if new.alliance is None else (new.alliance,))
    if not 1 <= len(new.words.strip()) <= LONGEST_WORDS:
        raise BadInput(
            f"words of {len(new.words.strip())} characters", f"must have 1..{LONGEST_WORDS}", "tell the need"
        )
    if not 0 < new.hours <= 24:
        raise BadInput(f"hours={new.hours:g}", "must be more than 0 and up to 24 h", "say how long helpers are wanted")
    key, seed = secrets.token_hex(6), secrets.randbits(62)

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], Row]:
        made = CallOut(
            call_out_id=key, matter_id=new.matter_id or key, quota=new.quota, begun_at=at,
            ends_at=at + timedelta(hours=new.hours), skills=frozenset(new.skills), alliance=new.alliance,
            radii_m=new.radii_m, patience_s=new.patience_s,
        )  # fmt: skip
        row: Row = {
            "call_out_no": book.next_number(connection, CALLS.call_out_no), "call_out_id": key,
            "matter_id": made.matter_id, "area_id": area_id, "rank": hall.ground.rank(area_id), "lon": new.lon,
            "lat": new.lat, "quota": made.quota, "begun_at": micros(at), "ends_at": micros(made.ends_at), "circle": 0,
            "next_at": micros(at), "seed": seed, "wave": 0, "patience_s": round(made.patience_s), "n_asked": 0,
            "n_yes": 0, "n_no": 0, "n_left": 0, "skills": set_text(made.skills),
            "alliance": made.alliance or "", "words": new.words.strip(), "state": OPEN,
            "radii": json.dumps(made.radii_m),
        }  # fmt: skip
        book.add(connection, book.call_out, row)
        body: Json = {"area": area_id, "lon": new.lon, "lat": new.lat, "quota": made.quota, "matter": made.matter_id}
        draft = hall.draft(connection, (CALL_OUT, key, "begin"), actor, body)
        _ask(hall, connection, row, at)
        return [draft], _row(connection, key)

    made: Row = hall.write(work)
    return made


def beat(hall: Hall, is_over: Callable[[str], bool] = lambda _matter_id: False) -> int:
    """Do what is due: ask more, or end; return how many call-outs were looked at. Asked every second.

    ``is_over`` tells whether a matter has ended, whose call-outs then end too.
    """
    now = hall.clock.now()
    with hall.store.reading() as connection:
        live = CALLS.state.in_((OPEN, MET))
        due = book.rows(
            connection, book.call_out, live & ((CALLS.next_at <= micros(now)) | (CALLS.ends_at <= micros(now)))
        )
        matters = connection.execute(sa.select(CALLS.matter_id).where(live).distinct()).scalars().all()
    gone = {one for one in matters if is_over(one)}
    for one in gone:
        stop_matter(hall, one)
    for row in due:
        if row["matter_id"] not in gone:
            _look(hall, row["call_out_id"])
    return len(due)


def _look(hall: Hall, call_out_id: str) -> None:
    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        row = _row(connection, call_out_id)
        if row["state"] not in {OPEN, MET}:
            return [], None
        if row["ends_at"] <= micros(at):
            return [_end(hall, connection, row, (OVER, "clock"))], None
        _ask(hall, connection, row, at)
        return [], None

    hall.write(work)


def _ask(hall: Hall, connection: sa.Connection, row: Row, at: datetime) -> None:
    """Ask the next wave, and note when to look again."""
    asks = book.rows(connection, book.ask, book.ask.c.call_out_no == row["call_out_no"])
    pool = hall.pool(connection, alone=True)
    made = choose(hall, connection, row, (pool, answers_of(row, asks, at)), at)
    # Somebody may have left since the pool was read; nothing may be written of them any more.
    chosen = book.members(connection, [int(one) for one in pool.number[made.chosen]])
    numbers = [int(one["volunteer_no"]) for one in chosen]
    new = [
        {"call_out_no": row["call_out_no"], "volunteer_no": one, "asked_at": micros(at), "matter_id": row["matter_id"],
         "reply": "", "replied_at": None}
        for one in numbers
    ]  # fmt: skip
    book.add(connection, book.ask, new)
    notify(connection, chosen, ("ask", row["call_out_no"]), at)
    here = CALLS.call_out_no == row["call_out_no"]
    next_at = micros(at + timedelta(seconds=row["patience_s"]))
    book.change(
        connection, book.call_out, here, circle=made.circle, wave=row["wave"] + 1, next_at=next_at, n_left=made.n_left,
        n_asked=row["n_asked"] + len(numbers),
    )  # fmt: skip


def choose(hall: Hall, connection: sa.Connection, row: Row, who: tuple[Pool, Answers], at: datetime) -> Wave:
    """Return whom a call-out asks next: who can, is near, wants to be asked now, and was not asked too often."""
    pool, answers = who
    call = call_of(row)
    may = askable(hall, connection, pool, (call.skills, call.alliance, at))
    may &= ~pool.at(book.asked_numbers(connection, row["matter_id"]))
    rng = np.random.default_rng([row["seed"], row["wave"]])
    circle = row["circle"] + (1 if row["wave"] else 0)
    return next_wave(call, answers, hall.distances_m(pool, row["lon"], row["lat"]), may, circle=circle, rng=rng)


def askable(
    hall: Hall, connection: sa.Connection, pool: Pool, asked: tuple[Collection[str], str | None, datetime]
) -> npt.NDArray[np.bool_]:
    """Return who could be asked at a moment, for (skills, alliance, moment): whoever is not on duty, nor too often."""
    skills, alliance, at = asked
    slot = slots_of([slot_of(at, hall.zone, hall.pack.calendar)])
    bits = hall.lists.bits("alliances", () if alliance is None else (alliance,))
    may = pool.able(skills=hall.lists.bits("skills", skills), alliance=bits, slot=slot)
    busy = book.on_duty(connection, micros(at), micros(at + timedelta(minutes=1)))
    often = book.asked_often(connection, micros(at - DAY), hall.lists.most_asked_a_day)
    return may & ~pool.at(busy | often)


def answers_of(row: Row, asks: Collection[Row], at: datetime) -> Answers:
    """Return how a call-out stands, without the answers of those who have left since."""
    waits = micros(at - timedelta(seconds=row["patience_s"]))
    silent = [one for one in asks if not one["reply"]]
    n_pending = sum(one["asked_at"] > waits for one in silent)
    n_no = sum(one["reply"] == Reply.NO for one in asks)
    return Answers(n_yes=row["n_yes"], n_no=n_no, n_pending=n_pending, n_silent=len(silent) - n_pending)


def call_of(row: Row) -> CallOut:
    """Return the call-out of a row."""
    begun_at, ends_at = at_of(row["begun_at"]), at_of(row["ends_at"])
    assert begun_at is not None  # noqa: S101 - a call-out always has both
    assert ends_at is not None  # noqa: S101 - the same
    return CallOut(
        call_out_id=row["call_out_id"], matter_id=row["matter_id"], quota=row["quota"], begun_at=begun_at,
        ends_at=ends_at, skills=frozenset(json.loads(row["skills"])), alliance=row["alliance"] or None,
        radii_m=tuple(json.loads(row["radii"])), patience_s=float(row["patience_s"]),
    )  # fmt: skip


# -- answering -------------------------------------------------------------------------------------------------------


def reply(hall: Hall, number: int, call_out_id: str, said: Reply) -> str:
    """Take a volunteer's answer; return the state of the call-out. A yes may be taken back, and others are asked then.

    Raises
    ------
    NotFound
        If they were not asked.
    Conflict
        If enough are coming, or it is over.
    """

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], str]:
        row = _row(connection, call_out_id)
        this = (book.ask.c.call_out_no == row["call_out_no"]) & (book.ask.c.volunteer_no == number)
        own = book.first(connection, book.ask, this)
        if own is None:
            raise NotFound(f"call {call_out_id!r}", "was not sent to you", "see your page")
        others = row["n_yes"] - (own["reply"] == Reply.YES)
        taken = take_reply(call_of(row), said, others, stopped=row["state"] in {STOPPED, OVER}, at=at)
        book.change(connection, book.ask, this, reply=str(taken), replied_at=micros(at))
        n_no = row["n_no"] - (own["reply"] == Reply.NO) + (taken is Reply.NO)
        after = {"n_yes": others + (taken is Reply.YES), "n_no": n_no}
        return _settled(hall, connection, row | after, at)

    made: str = hall.write(work)
    return made


def _settled(hall: Hall, connection: sa.Connection, row: Row, at: datetime) -> tuple[list[Draft], str]:
    """Write the answers of a call-out, and let it rest where enough are coming."""
    here = CALLS.call_out_no == row["call_out_no"]
    book.change(connection, book.call_out, here, n_yes=row["n_yes"], n_no=row["n_no"])
    if row["state"] in {STOPPED, OVER}:
        return [], str(row["state"])
    state = MET if row["n_yes"] >= row["quota"] else OPEN
    drafts = []
    if state != row["state"]:
        next_at = NEVER if state == MET else micros(at)
        book.change(connection, book.call_out, here, state=state, next_at=next_at)
        if state == MET:
            _unsend(connection, row["call_out_no"])
            drafts = [hall.draft(connection, (CALL_OUT, row["call_out_id"], "met"), "clock", _body(row))]
    return drafts, state


def stop(hall: Hall, call_out_id: str, scope: Scope, actor: str) -> Row:
    """Stop a call-out: nobody is asked any more, and no yes is taken."""

    def work(connection: sa.Connection, _at: datetime) -> tuple[list[Draft], Row]:
        row = _row(connection, call_out_id)
        hall.check_scope(scope, row["area_id"])
        if row["state"] in {STOPPED, OVER}:
            raise Conflict(f"call-out {call_out_id!r}", "is over", "begin another")
        draft = _end(hall, connection, row, (STOPPED, actor))
        return [draft], _row(connection, call_out_id)

    made: Row = hall.write(work)
    return made


def stop_matter(hall: Hall, matter_id: str) -> None:
    """End every call-out of a matter that is over."""

    def work(connection: sa.Connection, _at: datetime) -> tuple[list[Draft], None]:
        rows = book.rows(connection, book.call_out, CALLS.matter_id == matter_id, CALLS.state.in_((OPEN, MET)))
        return [_end(hall, connection, row, (OVER, "clock")) for row in rows], None

    hall.write(work)


def _end(hall: Hall, connection: sa.Connection, row: Row, how: tuple[str, str]) -> Draft:
    state, actor = how
    here = CALLS.call_out_no == row["call_out_no"]
    book.change(connection, book.call_out, here, state=state, next_at=NEVER)
    _unsend(connection, row["call_out_no"])
    tally(hall, connection, row["area_id"], "called")
    tally(hall, connection, row["area_id"], "asked", row["n_asked"])
    tally(hall, connection, row["area_id"], "said_yes", row["n_yes"])
    return hall.draft(connection, (CALL_OUT, row["call_out_id"], state), actor, _body(row))


def _unsend(connection: sa.Connection, call_out_no: int) -> None:
    this = (book.message.c.kind == "ask", book.message.c.about_no == call_out_no)
    book.drop(connection, book.message, *this)


def _body(row: Row) -> Json:
    return {"area": row["area_id"], "lon": row["lon"], "lat": row["lat"], "quota": row["quota"],
            "n_asked": row["n_asked"], "n_yes": row["n_yes"]}  # fmt: skip


# -- reading ---------------------------------------------------------------------------------------------------------


def call_outs(hall: Hall, scope: Scope, since_at: datetime) -> list[Row]:
    """Return the call-outs in the areas of a scope that are open, or were begun since a moment, newest first."""
    live = CALLS.state.in_((OPEN, MET)) | (CALLS.begun_at >= micros(since_at))
    with hall.store.reading() as connection:
        found = book.rows(connection, book.call_out, live, book.within(CALLS.rank, hall.ranges(scope)))
    return sorted(found, key=lambda one: (-one["begun_at"], one["call_out_id"]))


def one_call_out(hall: Hall, call_out_id: str, scope: Scope) -> tuple[Row, list[str]]:
    """Return a call-out, and the names that those show who said yes; never who said no, or nothing."""
    with hall.store.reading() as connection:
        row = _row(connection, call_out_id)
        hall.check_scope(scope, row["area_id"])
        yes = (book.ask.c.call_out_no == row["call_out_no"], book.ask.c.reply == Reply.YES)
        numbers = [one["volunteer_no"] for one in book.rows(connection, book.ask, *yes)]
        return row, sorted(one["shown_name"] for one in book.members(connection, numbers))


def asked_of(hall: Hall, number: int) -> list[tuple[Row, Row]]:
    """Return the call-outs that are open to a volunteer, each with what they were asked: (call-out, ask)."""
    now = micros(hall.clock.now())
    with hall.store.reading() as connection:
        asks = {one["call_out_no"]: one for one in book.rows(connection, book.ask, book.ask.c.volunteer_no == number)}
        live = CALLS.call_out_no.in_(list(asks)) & CALLS.state.in_((OPEN, MET)) & (CALLS.ends_at > now)
        found = book.rows(connection, book.call_out, live)
    return [(one, asks[one["call_out_no"]]) for one in sorted(found, key=lambda one: -one["begun_at"])]


def near(hall: Hall, lon: float, lat: float, skills: Collection[str] = ()) -> list[tuple[float, int]]:
    """Return how many volunteers could be asked now within each circle around a point: (m, how many)."""
    hall.lists.check(skills=skills)
    with hall.store.reading() as connection:
        pool = hall.pool(connection, alone=False)
        may = askable(hall, connection, pool, (skills, None, hall.clock.now()))
    far = hall.distances_m(pool, lon, lat)
    return [(radius, int((may & (far <= radius)).sum())) for radius in RADII_M]


def _row(connection: sa.Connection, call_out_id: str) -> Row:
    row = book.first(connection, book.call_out, CALLS.call_out_id == call_out_id)
    if row is None:
        raise NotFound(f"call-out {call_out_id!r}", "does not exist", "list the call-outs")
    return row


def forget_old(hall: Hall) -> None:
    """Forget who was asked a month ago and what the need was, messages that nobody fetched, offers that are over."""

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        old = micros(at - KEPT)
        book.drop(connection, book.ask, book.ask.c.asked_at < old)
        book.change(connection, book.call_out, CALLS.begun_at < old, words="")
        book.drop(connection, book.message, book.message.c.made_at < micros(at - STALE))
        forget_offers(connection, at)
        return [], None

    hall.write(work)
