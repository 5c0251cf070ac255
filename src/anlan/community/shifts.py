"""Shifts and who signs up for them: places by skill, a waiting list, rest, and swaps to which both sides agree.

A `Book` holds shifts with their entries; every function here returns another one or refuses. Whoever keeps it loads
the part that a step can touch, takes the step, and writes what became different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from anlan.community.volunteer import Volunteer
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.kernel.records import Label

LONGEST_H = 12.0
MOST_PLACES = 500
EARLY = timedelta(minutes=30)
"""So long before a shift one may check in."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestRule:
    """How volunteers rest: between two shifts, and how much in any 24 hours and any 7 days, hours.

    Raises
    ------
    BadInput
        If a number is not in 0..168 h.
    """

    least_rest_h: float = 8.0
    most_day_h: float = 8.0
    most_week_h: float = 20.0

    def __post_init__(self) -> None:
        for name in ("least_rest_h", "most_day_h", "most_week_h"):
            if not 0 <= getattr(self, name) <= 168:
                raise BadInput(f"{name}={getattr(self, name)}", "must be 0..168 h", "correct it")

    def broken(self, spans: Iterable[Span]) -> tuple[str, float] | None:
        """Return the first rule that these stretches of duty break, with its limit in hours; None where they keep all.

        Examples
        --------
        >>> from datetime import UTC
        >>> at = lambda hour: datetime(2026, 12, 5, hour, tzinfo=UTC)
        >>> RestRule().broken([(at(8), at(12)), (at(14), at(16))])
        ('least_rest_h', 8.0)
        """
        own = sorted(spans)
        for before, after in pairwise(own):
            if after[0] < before[1]:
                return "overlap", 0.0
            if (after[0] - before[1]).total_seconds() < self.least_rest_h * 3600:
                return "least_rest_h", self.least_rest_h
        for name, wide_h, most_h in (("most_day_h", 24, self.most_day_h), ("most_week_h", 168, self.most_week_h)):
            if any(_within(own, window) > most_h * 3600 for window in _windows(own, timedelta(hours=wide_h))):
                return name, most_h
        return None


def _windows(spans: Sequence[Span], wide: timedelta) -> Iterable[Span]:
    """Yield the windows among which the fullest is: those that begin or end as a stretch does."""
    for begin, end in spans:
        yield begin, begin + wide
        yield end - wide, end


def _within(spans: Sequence[Span], window: Span) -> float:
    low, high = window
    return sum(max((min(end, high) - max(begin, low)).total_seconds(), 0.0) for begin, end in spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A stretch of help at a place. ``needs`` says how many of its ``places`` are for which skill.

    ``alliance`` is the one whose members alone may sign up; None where everybody may.

    Raises
    ------
    BadInput
        If it does not end after it begins, is longer than 12 h, or has fewer places than it needs.
    """

    shift_id: str
    name: Label
    lon: float
    lat: float
    area_id: str
    begin_at: datetime
    end_at: datetime
    places: int
    needs: Mapping[str, int] = field(default_factory=dict)
    alliance: str | None = None
    state: str = "planned"
    """``planned``, ``cancelled`` or ``completed``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin_at", as_utc(self.begin_at, "begin_at"))
        object.__setattr__(self, "end_at", as_utc(self.end_at, "end_at"))
        hours = (self.end_at - self.begin_at).total_seconds() / 3600
        if not 0 < hours <= LONGEST_H:
            raise BadInput(f"shift of {hours:g} h", f"must last more than 0 and up to {LONGEST_H:g} h", "correct it")
        if not 1 <= self.places <= MOST_PLACES:
            raise BadInput(f"places={self.places}", f"must be 1..{MOST_PLACES} people", "correct it")
        if any(n < 1 for n in self.needs.values()) or sum(self.needs.values()) > self.places:
            shown = f"needs={dict(self.needs)}"
            raise BadInput(shown, f"must be >= 1 each and {self.places} at most in all", "correct them, or add places")

    @property
    def span(self) -> Span:
        """Begin and end."""
        return self.begin_at, self.end_at

    def seats(self, skills: Sequence[frozenset[str]]) -> bool:
        """Tell whether people with these skills all find a place, with as many kept for each skill as it needs.

        Nobody sits on two places: who has two skills fills one need. That is a matching of people and places.
        """
        kept = [skill for skill, n in self.needs.items() for _ in range(n)]
        if len(skills) > self.places:
            return False
        if not kept or len(skills) <= self.places - len(kept):
            return True
        able = csr_array(np.array([[skill in own for skill in kept] for own in skills]))
        matched = int((maximum_bipartite_matching(able, perm_type="column") >= 0).sum())
        return len(skills) - matched <= self.places - len(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A volunteer in a shift: with a place, or waiting for one."""

    volunteer_id: str
    shift_id: str
    seated: bool
    since_at: datetime
    in_at: datetime | None = None
    out_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A place that its holder would give away. ``taker_id`` would take it, for a place of ``back_id`` where given."""

    offer_id: str
    shift_id: str
    giver_id: str
    taker_id: str | None = None
    back_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Shifts, who is in them in the order of signing up, and the rule of rest."""

    shifts: Mapping[str, Shift]
    volunteers: Mapping[str, Volunteer]
    entries: tuple[Entry, ...] = ()
    rule: RestRule = field(default_factory=RestRule)

    def of_shift(self, shift_id: str) -> list[Entry]:
        """Return who is in a shift, in the order of signing up."""
        return [one for one in self.entries if one.shift_id == shift_id]

    def entry(self, volunteer_id: str, shift_id: str) -> Entry | None:
        """Return the entry of a volunteer in a shift."""
        own = (one for one in self.entries if (one.volunteer_id, one.shift_id) == (volunteer_id, shift_id))
        return next(own, None)

    def spans(self, volunteer_id: str) -> list[Span]:
        """Return when a volunteer is on duty: where they have a place."""
        return [
            self.shifts[one.shift_id].span
            for one in self.entries
            if one.volunteer_id == volunteer_id and one.seated and self.shifts[one.shift_id].state != "cancelled"
        ]

    def seated_skills(self, shift_id: str) -> list[frozenset[str]]:
        """Return the skills of those who have a place."""
        return [self.volunteers[one.volunteer_id].skills for one in self.of_shift(shift_id) if one.seated]


def sign_up(book: Book, volunteer_id: str, shift_id: str, *, at: datetime) -> Book:
    """Return the book with a volunteer in a shift: with a place where one is free for them, else waiting.

    Raises
    ------
    Conflict
        If the shift has begun or is off, they are in it already, or rest would be too short.
    NotAllowed
        If it is an alliance's own, of which they are no member.
    """
    shift = _open(book, shift_id, at)
    who = book.volunteers[volunteer_id]
    if shift.alliance is not None and shift.alliance not in who.alliances:
        raise NotAllowed("this shift", "is for members of its alliance", "choose another shift")
    if book.entry(volunteer_id, shift_id) is not None:
        raise Conflict("this shift", "has you on its list already", "see your shifts")
    _check_rest(book, [*book.spans(volunteer_id), shift.span])
    seated = shift.seats([*book.seated_skills(shift_id), who.skills])
    made = Entry(volunteer_id=volunteer_id, shift_id=shift_id, seated=seated, since_at=at)
    return replace(book, entries=(*book.entries, made))


def withdraw(book: Book, volunteer_id: str, shift_id: str, *, at: datetime) -> Book:
    """Return the book without a volunteer in a shift; whoever waited longest and fits takes the place.

    Raises
    ------
    Conflict
        If the shift has begun: then the station is to be told.
    NotFound
        If they are not in it.
    """
    _open(book, shift_id, at)
    _own(book, volunteer_id, shift_id)
    return promote(_without(book, volunteer_id, {shift_id}), shift_id, at=at)


def leave(book: Book, volunteer_id: str, *, at: datetime) -> Book:
    """Return the book without any trace of a volunteer; places in shifts to come go to whoever waits."""
    own = {one.shift_id for one in book.entries if one.volunteer_id == volunteer_id}
    rest = {key: one for key, one in book.volunteers.items() if key != volunteer_id}
    made = replace(_without(book, volunteer_id, own), volunteers=rest)
    for shift_id in sorted(own):
        made = promote(made, shift_id, at=at)
    return made


def promote(book: Book, shift_id: str, *, at: datetime) -> Book:
    """Return the book with places that are free given to whoever waits, the first first, if they fit and have rest."""
    shift = book.shifts[shift_id]
    if shift.state != "planned" or at >= shift.begin_at:
        return book
    for one in book.of_shift(shift_id):
        if one.seated or book.rule.broken([*book.spans(one.volunteer_id), shift.span]):
            continue
        if shift.seats([*book.seated_skills(shift_id), book.volunteers[one.volunteer_id].skills]):
            book = _replaced(book, one, replace(one, seated=True))
    return book


def answer_offer(book: Book, offer: Offer, taker_id: str, back_id: str | None, *, at: datetime) -> Offer:
    """Return an offer with whoever would take it, for a place of their own where ``back_id`` is given.

    Raises
    ------
    Conflict
        If somebody else has answered, it is their own, or the swap would break a rule.
    """
    if taker_id == offer.giver_id or offer.taker_id not in {None, taker_id}:
        raise Conflict("this offer", "is your own, or has been answered", "see the other offers")
    made = replace(offer, taker_id=taker_id, back_id=back_id)
    swap(book, made, at=at)
    return made


def swap(book: Book, offer: Offer, *, at: datetime) -> Book:
    """Return the book after a swap to which both sides agreed.

    Raises
    ------
    Conflict
        If a shift has begun, somebody has no such place any more, rest would be too short, or a skill would lack.
    NotAllowed
        If a shift is for members of an alliance of which whoever would come is none.
    """
    taker_id = offer.taker_id
    if taker_id is None:
        raise Conflict("this offer", "has not been answered", "wait until somebody would take the place")
    moves = [(offer.shift_id, offer.giver_id, taker_id)]
    if offer.back_id is not None:
        moves.append((offer.back_id, taker_id, offer.giver_id))
    made = book
    for shift_id, giver, taker in moves:
        made = _handed_on(made, (_open(book, shift_id, at), giver, taker), at)
    for shift_id, _, taker in moves:
        if not made.shifts[shift_id].seats(made.seated_skills(shift_id)):
            raise Conflict("this swap", "would leave a skill too rare in the shift", "ask somebody with that skill")
        _check_rest(made, made.spans(taker))
    for shift_id, _, _ in moves:
        made = promote(made, shift_id, at=at)
    return made


def _handed_on(book: Book, move: tuple[Shift, str, str], at: datetime) -> Book:
    shift, giver, taker = move
    held, there = book.entry(giver, shift.shift_id), book.entry(taker, shift.shift_id)
    if held is None or not held.seated:
        raise Conflict("this offer", "is of a place that is not held any more", "see the other offers")
    if there is not None and there.seated:
        raise Conflict("this shift", "has you on its list already", "see your shifts")
    if shift.alliance is not None and shift.alliance not in book.volunteers[taker].alliances:
        raise NotAllowed("this shift", "is for members of its alliance", "choose another shift")
    rest = _without(_without(book, giver, {shift.shift_id}), taker, {shift.shift_id})
    made = Entry(volunteer_id=taker, shift_id=shift.shift_id, seated=True, since_at=at)
    return replace(rest, entries=(*rest.entries, made))


def check_in(book: Book, volunteer_id: str, shift_id: str, *, at: datetime) -> Book:
    """Return the book with a volunteer at the place: the first time they came, the second time they go.

    Raises
    ------
    Conflict
        If it is more than half an hour before the shift, the shift is over, or they have come and gone.
    NotFound
        If they have no place in it.
    """
    shift, one = book.shifts[shift_id], _own(book, volunteer_id, shift_id)
    if not one.seated:
        raise NotFound("your place in this shift", "does not exist: you are on its waiting list", "ask the station")
    if shift.state != "planned":
        raise Conflict("this shift", f"is {shift.state}", "ask the station")
    if one.in_at is None:
        if not shift.begin_at - EARLY <= at < shift.end_at:
            rule = "can be done from half an hour before the shift until its end"
            raise Conflict("checking in", rule, "come then, or ask the station")
        return _replaced(book, one, replace(one, in_at=at))
    if one.out_at is not None:
        raise Conflict("this shift", "is over for you", "see your hours")
    return _replaced(book, one, replace(one, out_at=max(at, one.in_at)))


def complete(book: Book, shift_id: str, *, at: datetime) -> Book:
    """Return the book with a shift that is over: whoever came and did not check out stayed until its end.

    Raises
    ------
    Conflict
        If it has not ended, or is off.
    """
    shift = book.shifts[shift_id]
    if shift.state != "planned" or at < shift.end_at:
        raise Conflict("this shift", "has not ended, or is no shift to complete", "wait until its end")
    for one in book.of_shift(shift_id):
        if one.in_at is not None and one.out_at is None:
            book = _replaced(book, one, replace(one, out_at=shift.end_at))
    shifts = {**book.shifts, shift_id: replace(shift, state="completed")}
    return replace(book, shifts=shifts)


def minutes_served(shift: Shift, one: Entry) -> int | None:
    """Return the minutes of an entry that count, within the shift; None where they are not known (yet)."""
    if one.in_at is None or one.out_at is None:
        return None
    served = min(one.out_at, shift.end_at) - max(one.in_at, shift.begin_at)
    return max(int(served.total_seconds()) // 60, 0)


def _open(book: Book, shift_id: str, at: datetime) -> Shift:
    shift = book.shifts[shift_id]
    if shift.state != "planned" or at >= shift.begin_at:
        raise Conflict("this shift", "has begun or is off", "choose another, or tell the station")
    return shift


def _own(book: Book, volunteer_id: str, shift_id: str) -> Entry:
    one = book.entry(volunteer_id, shift_id)
    if one is None:
        raise NotFound("your place in this shift", "does not exist", "see your shifts")
    return one


RULES = {
    "overlap": "must not overlap with another of yours",
    "least_rest_h": "must leave {limit:g} h of rest between shifts",
    "most_day_h": "must not make more than {limit:g} h in 24 h",
    "most_week_h": "must not make more than {limit:g} h in 7 days",
}


class RestBroken(Conflict):
    """Rest would be too short; ``broken`` is the rule and ``limit`` its hours, for whoever tells it in other words."""

    def __init__(self, broken: str, limit: float) -> None:
        self.broken, self.limit = broken, limit
        super().__init__("this shift", RULES[broken].format(limit=limit), "choose another time")


def _check_rest(book: Book, spans: list[Span]) -> None:
    found = book.rule.broken(spans)
    if found is not None:
        raise RestBroken(*found)


def _without(book: Book, volunteer_id: str, shift_ids: set[str]) -> Book:
    kept = (one for one in book.entries if not (one.volunteer_id == volunteer_id and one.shift_id in shift_ids))
    return replace(book, entries=tuple(kept))


def _replaced(book: Book, old: Entry, new: Entry) -> Book:
    return replace(book, entries=tuple(new if one is old else one for one in book.entries))
