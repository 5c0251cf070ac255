"""A calendar of cases: which days are worked, what is due on each, and what is held then."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from anlan.cases import CaseType
from anlan.cases.definition import Field, FieldKind
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Label
from anlan.matters.keeping import Matters, Seen
from anlan.matters.listing import Asked, checked, list_cases, seen_of
from anlan.matters.standing import NARROW, Standing
from anlan.store import casebook, caselists

LONGEST_DAYS = 62
YEARS = (1970, 2200)
SHOWN_A_DAY = 5
"""Of what is due on a day, so many cases are told; of the rest, how many there are."""
LOOKED_AT = 5000
"""Of cases that hold dates, so many are looked through; beyond that the calendar says that it is not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day. ``name`` is that of the holiday, or of the make-up day; ``confirmed`` whether its year's calendar is.

    ``n_due`` counts by light what is due on it.
    """

    on: date
    working: bool
    name: Label | None
    confirmed: bool
    n_due: Mapping[str, int]
    due: tuple[Seen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A date that a case was opened with and that anybody may know: a class is held, an event begins."""

    seen: Seen
    field: Field
    on: date
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """Some days, and what is dated on them; not ``whole`` where there was more to look through."""

    days: tuple[Day, ...]
    dated: tuple[Dated, ...]
    whole: bool


def date_fields(kind: CaseType) -> tuple[Field, ...]:
    """Return the fields of a type that say when something is: public dates and moments that an opening must tell."""
    if kind.confidentiality in NARROW:
        return ()
    kinds = {FieldKind.DATE, FieldKind.MOMENT}
    return tuple(one for one in kind.fields.values() if one.public and one.required and one.kind in kinds)


def agenda(matters: Matters, asked: Asked, who: Standing, days: tuple[date, date]) -> Agenda:
    """Return the days from the first to the last, of the cases that somebody may see.

    Parameters
    ----------
    matters, asked, who
        The cases, what is wanted of them (neither words nor one's own steps are sought), and who asks.
    days : tuple of date
        The first and the last, in the district's time zone.

    Raises
    ------
    BadInput
        If there are none or too many days, or too far off, or words are sought.
    """
    first, last = days
    n_days = (last - first).days + 1
    if not 1 <= n_days <= LONGEST_DAYS:
        raise BadInput(f"{first} to {last}", f"must be 1 to {LONGEST_DAYS} days", "ask for one month")
    if first.year < YEARS[0] or last.year > YEARS[1]:
        raise BadInput(f"{first} to {last}", f"must lie within {YEARS[0]} to {YEARS[1]}", "ask for another month")
    if asked.sought or asked.mine:
        raise BadInput("q or mine with a calendar", "must not be given", "list the cases that hold it")
    begins = [_begin(matters, first + timedelta(days=k)) for k in range(n_days + 1)]
    query, _ = checked(matters, asked, who)
    query = replace(query, due_from=begins[0], due_before=begins[-1])
    with matters.store.reading() as connection:
        told = caselists.due_between(connection, matters.sight(who), query, at=matters.clock.now())
        ends = [casebook.micros(one) for one in begins[1:]]
        by_day: list[list[tuple[int, str]]] = [[] for _ in range(n_days)]
        for number, due_at, light in told:
            by_day[bisect_right(ends, due_at)].append((number, light))
        numbers = [number for day in by_day for number, _ in day[:SHOWN_A_DAY]]
        rows = casebook.rows_of(connection, numbers)
        shown = {one.row["case_no"]: one for one in seen_of(matters, connection, rows, who)}
    made = [_day(matters, first + timedelta(days=k), day, shown) for k, day in enumerate(by_day)]
    dated, whole = _dated(matters, asked, who, days)
    return Agenda(days=tuple(made), dated=tuple(dated), whole=whole)


def _day(matters: Matters, on: date, due: list[tuple[int, str]], shown: Mapping[int, Seen]) -> Day:
    calendar = matters.work.calendar
    return Day(
        on=on, working=calendar.is_working(on), name=calendar.working_days.get(on) or calendar.rest_days.get(on),
        confirmed=on.year in calendar.confirmed_years, n_due=Counter(light for _, light in due),
        due=tuple(shown[number] for number, _ in due[:SHOWN_A_DAY]),
    )  # fmt: skip


def _dated(matters: Matters, asked: Asked, who: Standing, days: tuple[date, date]) -> tuple[list[Dated], bool]:
    wanted = set(asked.query.type_ids)
    types = {one.type_id for one in matters.kinds.every() if date_fields(one)}
    types &= wanted or types
    if not types:
        return [], True
    query = replace(asked.query, type_ids=tuple(sorted(types)), changed_from=_begin(matters, days[0]))
    look = replace(asked, query=query, order="changed", after="", limit=200)
    found: list[Dated] = []
    n_looked = 0
    while True:
        page = list_cases(matters, look, who)
        found += [one for seen in page.cases for one in _dates_of(matters, seen) if days[0] <= one.on <= days[1]]
        n_looked += len(page.cases)
        if page.next is None or n_looked >= LOOKED_AT:
            return sorted(found, key=_moment_of), page.next is None
        look = replace(look, after=page.next)


def _dates_of(matters: Matters, seen: Seen) -> Iterator[Dated]:
    for field in date_fields(seen.kind):
        told: Any = seen.fields.get(field.field_id)
        if told is None:
            continue
        if field.kind is FieldKind.DATE:
            yield Dated(seen=seen, field=field, on=date.fromisoformat(told), at=None)
        else:
            at = datetime.fromisoformat(told)
            yield Dated(seen=seen, field=field, on=at.astimezone(matters.work.zone).date(), at=at)


def _moment_of(one: Dated) -> tuple[date, str, str]:
    return one.on, "" if one.at is None else one.at.astimezone(UTC).isoformat(), one.seen.case.case_id


def _begin(matters: Matters, on: date) -> datetime:
    """Return when a day of the district begins."""
    return datetime.combine(on, time.min, matters.work.zone).astimezone(UTC)
