"""Joining by an invitation, agreeing again every year, and leaving without a trace."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from anlan.community import Volunteer, consent_end
from anlan.community.volunteer import REMINDED
from anlan.kernel.access import Scope
from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.records import Draft, Json
from anlan.staff.proving import new_token, token_key
from anlan.store import volunteerbook as book
from anlan.store.casebook import Row, micros
from anlan.volunteers import rostering
from anlan.volunteers.hall import Hall, Profile, at_of, notify, set_text, tally, volunteer_of

INVITATION = "invitation"
LONGEST_DAYS = 400
MOST_JOINS = 5000
FULL_LABEL = 60
BATCH = 200
ME = book.volunteer.c


class UnknownLink(NotFound):
    """A link that belongs to nobody (any more)."""

    def __init__(self) -> None:
        super().__init__("this link", "belongs to nobody, has ended, or was replaced", "ask the station for another")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A poster or a link by which people join: for an area or an alliance, until a day, so many at most."""

    label: str
    area_id: str
    alliance: str | None = None
    days: int = 30
    most: int = 200


# -- invitations -----------------------------------------------------------------------------------------------------


def invite(hall: Hall, new: Invitation, actor: str) -> tuple[str, str]:
    """Return the id of a new invitation, and the token of its link, which is kept as a hash only.

    Raises
    ------
    BadInput
        If the area or alliance is none, or the days, the number or the label are out of range.
    """
    hall.ground.range_of(new.area_id)
    hall.lists.check(alliances=() if new.alliance is None else (new.alliance,))
    if not (
        1 <= new.days <= LONGEST_DAYS and 1 <= new.most <= MOST_JOINS and 1 <= len(new.label.strip()) <= FULL_LABEL
    ):
        given = f"days={new.days}, most={new.most}, label of {len(new.label.strip())} characters"
        rule = f"must be 1..{LONGEST_DAYS} days, 1..{MOST_JOINS} people, 1..{FULL_LABEL} characters"
        raise BadInput(given, rule, "correct them")
    token, key = new_token(), uuid()

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        row = {
            "invitation_id": key, "token_key": token_key(token), "label": new.label.strip(), "area_id": new.area_id,
            "alliance": new.alliance or "", "rank": hall.ground.rank(new.area_id), "made_at": micros(at),
            "until_at": micros(at + timedelta(days=new.days)), "n_left": new.most,
        }  # fmt: skip
        book.add(connection, book.invitation, row)
        body: Json = {"area": new.area_id, "alliance": new.alliance, "days": new.days, "most": new.most}
        return [hall.draft(connection, (INVITATION, key, "make"), actor, body)], None

    hall.write(work)
    return key, token


def invitations(hall: Hall, scope: Scope) -> list[Row]:
    """Return the invitations that are open in the areas of a scope."""
    now, own = micros(hall.clock.now()), book.invitation
    with hall.store.reading() as connection:
        found = book.rows(connection, own, book.within(own.c.rank, hall.ranges(scope)), own.c.until_at > now)
    return sorted(found, key=lambda one: (one["until_at"], one["invitation_id"]))


def withdraw_invitation(hall: Hall, invitation_id: str, scope: Scope, actor: str) -> None:
    """End an invitation at once; its link leads nowhere from then on."""

    def work(connection: sa.Connection, _at: datetime) -> tuple[list[Draft], None]:
        row = book.first(connection, book.invitation, book.invitation.c.invitation_id == invitation_id)
        if row is None:
            raise NotFound(f"invitation {invitation_id!r}", "does not exist", "list the invitations")
        hall.check_scope(scope, row["area_id"])
        book.drop(connection, book.invitation, book.invitation.c.invitation_id == invitation_id)
        return [hall.draft(connection, (INVITATION, invitation_id, "withdraw"), actor, None)], None

    hall.write(work)


def invited_by(hall: Hall, token: str) -> Row:
    """Return the invitation behind a link; `UnknownLink` where it is none, has ended or is used up."""
    with hall.store.reading() as connection:
        return _invitation(connection, token, hall.clock.now())


def _invitation(connection: sa.Connection, token: str, at: datetime) -> Row:
    row = book.first(connection, book.invitation, book.invitation.c.token_key == token_key(token))
    if row is None or row["until_at"] <= micros(at) or row["n_left"] < 1:
        raise UnknownLink
    return row


# -- joining and leaving ---------------------------------------------------------------------------------------------


def join(hall: Hall, invitation: str, told: Profile) -> str:
    """Return the token of somebody who joins by an invitation: it is all they need, and is kept as a hash only.

    Raises
    ------
    UnknownLink
        If the invitation is none (any more).
    BadInput
        If something that was told is in none of the lists.
    """
    token, sealed = new_token(), hall.sealing.seal(told.contact or "")

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        by = _invitation(connection, invitation, at)
        number = book.next_number(connection, ME.volunteer_no)
        row = _row(hall, told, uuid(), at) | {
            "volunteer_no": number, "contact": sealed, "token_key": token_key(token), "calendar_key": "",
            "reminded": 0,
        }  # fmt: skip
        book.add(connection, book.volunteer, row)
        left = book.invitation.c.invitation_id == by["invitation_id"]
        book.change(connection, book.invitation, left, n_left=by["n_left"] - 1)
        tally(hall, connection, told.home_id, "joined")
        return [], None

    hall.write(work)
    hall.forget_pool()
    return token


def _row(hall: Hall, told: Profile, key: str, at: datetime) -> Row:
    hall.check_home(told.home_id)
    hall.lists.check(skills=told.skills, languages=told.languages, alliances=told.alliances)
    if told.trade is not None and told.trade not in hall.lists.trades:
        raise BadInput(f"trade={told.trade!r}", f"must be one of {', '.join(hall.lists.trades)}", "choose one")
    if told.spoken not in {"zh", "en"}:
        raise BadInput(f"spoken={told.spoken!r}", "must be zh or en", "choose one")
    one = Volunteer(
        volunteer_id=key, shown_name=told.shown_name.strip(), home_id=told.home_id, consented_at=at,
        free=frozenset(told.free),
    )  # fmt: skip
    return {
        "volunteer_id": key, "shown_name": one.shown_name, "home_id": one.home_id, "skills": set_text(told.skills),
        "languages": set_text(told.languages), "alliances": set_text(told.alliances), "trade": told.trade or "",
        "free": set_text(told.free), "spoken": told.spoken, "rank": hall.ground.rank(told.home_id),
        "consented_at": micros(at), "ends_at": micros(one.ends_at),
    }  # fmt: skip


def who(hall: Hall, token: str) -> Row:
    """Return the row of the volunteer to whom a token belongs; `UnknownLink` where to nobody, or consent has ended."""
    with hall.store.reading() as connection:
        row = book.first(connection, book.volunteer, ME.token_key == token_key(token))
    if row is None or row["ends_at"] <= micros(hall.clock.now()):
        raise UnknownLink
    return row


def change_profile(hall: Hall, number: int, told: Profile) -> None:
    """Take what a volunteer tells of themselves now; places that they hold stay theirs."""
    sealed = None if told.contact is None else hall.sealing.seal(told.contact)

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        row = _row(hall, told, "same", at)
        for kept in ("volunteer_id", "consented_at", "ends_at"):
            del row[kept]
        if sealed is not None:
            row["contact"] = sealed
        book.change(connection, book.volunteer, ME.volunteer_no == number, **row)
        return [], None

    hall.write(work)
    hall.forget_pool()


def speak(hall: Hall, number: int, language: str) -> None:
    """Show and tell a volunteer everything in a language from now on: zh or en."""

    def work(connection: sa.Connection, _at: datetime) -> tuple[list[Draft], None]:
        book.change(connection, book.volunteer, ME.volunteer_no == number, spoken=language)
        return [], None

    hall.write(work)


def agree_again(hall: Hall, number: int) -> datetime:
    """Take a consent for another year; return when it ends."""

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], datetime]:
        ends_at = consent_end(at)
        here = ME.volunteer_no == number
        book.change(connection, book.volunteer, here, consented_at=micros(at), ends_at=micros(ends_at), reminded=0)
        return [], ends_at

    made: datetime = hall.write(work)
    return made


def new_link(hall: Hall, number: int, *, calendar: bool = False) -> str:
    """Return another token for a volunteer; the one before leads nowhere from then on.

    With ``calendar`` it is that of the calendar alone: whoever has it sees shifts, and nothing else.
    """
    token = new_token()
    column = "calendar_key" if calendar else "token_key"

    def work(connection: sa.Connection, _at: datetime) -> tuple[list[Draft], None]:
        book.change(connection, book.volunteer, ME.volunteer_no == number, **{column: token_key(token)})
        return [], None

    hall.write(work)
    return token


def behind_calendar(hall: Hall, token: str) -> Row:
    """Return the row of the volunteer whose calendar a token opens."""
    with hall.store.reading() as connection:
        row = book.first(connection, book.volunteer, ME.calendar_key == token_key(token))
    if row is None or row["ends_at"] <= micros(hall.clock.now()):
        raise UnknownLink
    return row


def leave(hall: Hall, number: int, *, what: str = "left") -> None:
    """Forget a volunteer at once, in every table and in the database's files; a number that names nobody stays.

    Places in shifts to come go to whoever waits; a yes to a call-out is taken back.
    """

    def work(connection: sa.Connection, at: datetime) -> tuple[list[Draft], None]:
        _forget(hall, connection, number, what, at)
        return [], None

    hall.write(work)
    hall.forget_pool()
    hall.store.wipe(book.wipe)


def _forget(hall: Hall, connection: sa.Connection, number: int, what: str, at: datetime) -> None:
    row = book.first(connection, book.volunteer, ME.volunteer_no == number)
    if row is None:
        raise Conflict("this volunteer", "has left already", "there is nothing to do")
    rostering.clear(hall, connection, number, at)
    given = book.rows(connection, book.ask, book.ask.c.volunteer_no == number, book.ask.c.reply == "yes")
    for one in given:
        here = (book.call_out.c.call_out_no == one["call_out_no"]) & book.call_out.c.state.in_(("open", "met"))
        values = {"n_yes": book.call_out.c.n_yes - 1, "state": "open", "next_at": micros(at)}
        book.change(connection, book.call_out, here, **values)
    book.forget(connection, number)
    tally(hall, connection, row["home_id"], what)


def lapse(hall: Hall, at: datetime) -> int:
    """Forget everybody whose consent has ended, and ask those for it whose will end soon; return how many went."""

    def work(connection: sa.Connection, now: datetime) -> tuple[list[Draft], int]:
        gone = book.rows(connection, book.volunteer, ME.ends_at <= micros(at))[:BATCH]
        for one in gone:
            _forget(hall, connection, one["volunteer_no"], "lapsed", now)
        soon = book.rows(connection, book.volunteer, ME.ends_at <= micros(at + REMINDED), ME.reminded == 0)[:BATCH]
        notify(connection, soon, ("consent", 0), now)
        for one in soon:
            book.change(connection, book.volunteer, ME.volunteer_no == one["volunteer_no"], reminded=1)
        return [], len(gone)

    total = 0
    while n := hall.write(work):
        total += n
        if n < BATCH:
            break
    if total:
        hall.forget_pool()
        hall.store.wipe(book.wipe)
    return total


# -- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which volunteers are looked for; empty is any. ``due_before`` are those whose consent ends before that moment."""

    area_id: str = ""
    alliance: str = ""
    trade: str = ""
    skill: str = ""
    due_before: datetime | None = None


ANYBODY = Sought()


def volunteers(hall: Hall, scope: Scope, sought: Sought = ANYBODY, *, after: int = 0, limit: int = 100) -> list[Row]:
    """Return volunteers at home in the areas of a scope, by number: never their contact.

    Raises
    ------
    BadInput
        If the area that is sought is none.
    """
    where = [book.within(ME.rank, hall.ranges(scope)), ME.volunteer_no > after]
    if sought.area_id:
        where.append(book.within(ME.rank, [hall.ground.range_of(sought.area_id)]))
    if sought.trade:
        where.append(ME.trade.in_([sought.trade]))
    if sought.due_before is not None:
        where.append(ME.ends_at < micros(sought.due_before))
    for column, wanted in ((ME.alliances, sought.alliance), (ME.skills, sought.skill)):
        if wanted:
            where.append(column.contains(f'"{wanted}"', autoescape=True))
    names = [one for one in book.volunteer.c if one.name not in {"contact", "token_key", "calendar_key"}]
    asked = sa.select(*names).where(*where).order_by(ME.volunteer_no).limit(limit)
    with hall.store.reading() as connection:
        return [dict(one) for one in connection.execute(asked).mappings()]


def counts(hall: Hall, scope: Scope) -> dict[str, int]:
    """Return how many volunteers there are in the areas of a scope, in all and by alliance, trade and skill."""
    asked = sa.select(ME.alliances, ME.skills, ME.trade, sa.func.count())
    asked = asked.where(book.within(ME.rank, hall.ranges(scope))).group_by(ME.alliances, ME.skills, ME.trade)
    found: dict[str, int] = {"all": 0}
    with hall.store.reading() as connection:
        for alliances, skills, trade, n in connection.execute(asked):
            found["all"] += n
            keys = [f"alliance:{one}" for one in _keys(alliances)] + [f"skill:{one}" for one in _keys(skills)]
            for key in [*keys, *([f"trade:{trade}"] if trade else [])]:
                found[key] = found.get(key, 0) + n
    return found


def tallies(hall: Hall, scope: Scope) -> list[Row]:
    """Return the numbers by month, area and kind that outlast those who made them."""
    with hall.store.reading() as connection:
        found = book.rows(connection, book.tally, book.within(book.tally.c.rank, hall.ranges(scope)))
    return sorted(found, key=lambda one: (one["month"], one["area_id"], one["what"]))


def mine(hall: Hall, number: int) -> dict[str, Any]:
    """Return everything that is kept of a volunteer, for themselves."""
    with hall.store.reading() as connection:
        row = book.first(connection, book.volunteer, ME.volunteer_no == number)
        if row is None:
            raise UnknownLink
        asks = book.rows(connection, book.ask, book.ask.c.volunteer_no == number)
        calls = {one["call_out_no"]: one["call_out_id"] for one in book.rows(connection, book.call_out)}
    one = volunteer_of(row)
    return {
        "shown_name": one.shown_name, "home": one.home_id, "skills": sorted(one.skills),
        "languages": sorted(one.languages), "alliances": sorted(one.alliances), "trade": one.trade,
        "free": sorted(one.free), "pages_in": row["spoken"], "contact": hall.sealing.unsealed(row["contact"]),
        "consented_at": one.consented_at.isoformat(), "consent_ends_at": one.ends_at.isoformat(),
        "shifts": [
            {"name": entry.name, "begin_at": entry.begin_at.isoformat(), "end_at": entry.end_at.isoformat(),
             "has_place": entry.seated, "in_at": _iso(entry.in_at), "out_at": _iso(entry.out_at)}
            for entry in rostering.of_volunteer(hall, number)
        ],
        "asked": [
            {"call_out": calls.get(ask["call_out_no"]), "asked_at": _iso(at_of(ask["asked_at"])),
             "reply": ask["reply"] or None}
            for ask in asks
        ],
    }  # fmt: skip


def _keys(text: str) -> Sequence[str]:
    return [one for one in text.strip("[]").replace('"', "").split(", ") if one]


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def uuid() -> str:
    """Return an id that means nothing elsewhere."""
    return secrets.token_hex(6)
