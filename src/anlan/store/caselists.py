"""Lists of cases: what somebody may see, what is wanted of it, and the index by which a page of that is found soonest.

A database without statistics guesses which index to take, and guesses wrong where a filter is rare or a scope has many
parts: it then looks up most of the table for a page of fifty. So the index is named. That of each order holds whatever
a list may ask for, and a page that finds nothing costs one walk along it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from anlan.store.casebook import Range, Row, matter, micros, step, telling, word

NARROW_SHARE = 0.02
"""Cases of a range of at most this share of all areas are found sooner by their areas than along an order."""
LOW_DEG = 0.01
"""Cases of a box of at most this height, in degrees, are found sooner by where they lie."""
FEW_RANGES = 3
ORDERS = {"changed": (matter.c.changed_at, True), "opened": (matter.c.opened_at, True), "due": (matter.c.due_at, False)}
"""By what lists may be sorted, and whether downwards."""
LIGHTS = ("red", "yellow", "green", "none")
Conditions = Sequence[sa.ColumnElement[bool]]


def within(ranges: Sequence[Range], last: int) -> sa.ColumnElement[bool]:
    """Return that a case lies in one of some ranges of ranks, in order, where the last of the district is known.

    Many ranges are asked by halves: a row is held against a few of them, and not against each.
    """
    if any(low <= 0 and high >= last for low, high in ranges):
        return sa.true()
    if len(ranges) <= FEW_RANGES:
        return sa.or_(sa.false(), *(matter.c.rank.between(low, high) for low, high in ranges))
    half = len(ranges) // 2
    below, above = within(ranges[:half], last), within(ranges[half:], last)
    return sa.case((matter.c.rank < ranges[half][0], below), else_=above)


@dataclass(frozen=True, slots=True)
class Sight:
    """What may be seen: for kinds (``type/version``), ranges of ranks. The one filter of whatever is told of cases.

    Nothing stands in it that was not granted, so an empty one sees nothing. ``last`` is the last rank of the district.
    """

    parts: tuple[tuple[tuple[str, ...], tuple[Range, ...]], ...]
    last: int

    def where(self) -> sa.ColumnElement[bool]:
        """Return it as a condition of SQL."""
        found = [
            sa.and_(within(ranges, self.last), matter.c.kind.in_(kinds))
            for kinds, ranges in self.parts
            if kinds and ranges
        ]
        return sa.or_(*found) if found else sa.false()

    def hull(self) -> Range:
        """Return the range that holds all of it; one that holds nothing where nothing may be seen."""
        every = [one for kinds, ranges in self.parts if kinds for one in ranges]
        return min((low for low, _ in every), default=0), max((high for _, high in every), default=-1)

    def sees(self, row: Mapping[str, Any]) -> bool:
        """Tell the same of one row."""
        return any(
            row["kind"] in kinds and any(low <= row["rank"] <= high for low, high in ranges)
            for kinds, ranges in self.parts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is wanted of a list. Everything that is None or empty is not asked for; ``words`` must all be there.

    ``box`` is west, south, east, north in degrees; a case of which no point is kept lies in none. What has ended before
    ``changed_from`` is left out, and whatever goes on is not.
    """

    type_ids: Collection[str] = ()
    states: Collection[str] = ()
    closed: bool | None = None
    ranks: Range | None = None
    owner_area_id: str | None = None
    post: str | None = None
    light: str | None = None
    due_before: datetime | None = None
    due_from: datetime | None = None
    changed_from: datetime | None = None
    box: tuple[float, float, float, float] | None = None
    parent_no: int | None = None
    words: Collection[int] = ()

    def where(self, at: datetime) -> list[sa.ColumnElement[bool]]:
        """Return it as conditions of SQL, with lights as they stand at a moment."""
        c = matter.c
        ends = (self.due_before, c.due_at.__lt__), (self.due_from, c.due_at.__ge__)
        found = [compare(micros(value)) for value, compare in ends if value is not None]
        exact = (
            (c.closed, None if self.closed is None else int(self.closed)), (c.owner_area_id, self.owner_area_id),
            (c.post, self.post), (c.parent_no, self.parent_no),
        )  # fmt: skip
        found += [column == wanted for column, wanted in exact if wanted is not None]
        found += [column.in_(some) for column, some in ((c.type_id, self.type_ids), (c.state, self.states)) if some]
        if self.ranks is not None:
            found.append(c.rank.between(*self.ranks))
        if self.light is not None:
            found += lit(self.light, at)
        if self.changed_from is not None:
            found.append((c.closed == 0) | (c.changed_at >= micros(self.changed_from)))
        if self.box is not None:
            west, south, east, north = self.box
            found += [c.lat.between(south, north), c.lon.between(west, east)]
        return [*found, *(c.case_no.in_(sa.select(word.c.case_no).where(word.c.word == one)) for one in self.words)]


@dataclass(frozen=True, slots=True)
class Way:
    """How a page is found: its conditions, the cheap ones first, and the index to go by; any, where it is empty."""

    conditions: tuple[sa.ColumnElement[bool], ...]
    index: str


def way(sight: Sight, query: Query, order: str, at: datetime) -> Way:
    """Return how a page of what is wanted, as far as it may be seen, is found in an order of `ORDERS`."""
    wanted = query.where(at)
    if query.words or query.parent_no is not None:
        return Way((*wanted, sight.where()), "")
    if query.box is not None and query.box[3] - query.box[1] <= LOW_DEG:
        return Way((*wanted, sight.where()), "matter_by_lat")
    (low, high), asked = sight.hull(), query.ranks or (0, sight.last)
    low, high = max(low, asked[0]), min(high, asked[1])
    if high - low <= NARROW_SHARE * sight.last:
        return Way((matter.c.rank.between(low, high), *wanted, sight.where()), "matter_by_rank")
    return Way((*wanted, sight.where()), along(order))


def along(order: str) -> str:
    """Return the index of an order."""
    return f"matter_by_{ORDERS[order][0].name}"


@dataclass(frozen=True, slots=True)
class Stands:
    """Where cases stand: of a kind (``type/version``), in one of some states, within ranges of ranks.

    Where ``told`` is not empty, one of these texts must stand in their history, as JSON.
    """

    kind: str
    states: Collection[str]
    ranges: Sequence[Range]
    told: Collection[str] = ()

    def where(self, last: int) -> sa.ColumnElement[bool]:
        """Return it as a condition of SQL."""
        found = [matter.c.kind == self.kind, matter.c.state.in_(self.states), within(self.ranges, last)]
        if self.told:
            named = sa.or_(
                *(
                    step.c.filled.contains(json.dumps(one, ensure_ascii=False), autoescape=True)
                    for one in sorted(self.told)
                )
            )
            found.append(sa.exists().where(step.c.case_no == matter.c.case_no, named))
        return sa.and_(*found)


def standing_in(parts: Iterable[Stands], last: int) -> sa.ColumnElement[bool]:
    """Return a condition of SQL: that a case stands in one of these ways."""
    found = [one.where(last) for one in parts if one.states and one.ranges]
    return sa.or_(*found) if found else sa.false()


def lit(light: str, at: datetime) -> list[sa.ColumnElement[bool]]:
    """Return a light as conditions that an index may answer; ``none`` where no clock runs or rests."""
    now = micros(at)
    if light == "none":
        return [(matter.c.closed == 1) | (matter.c.clocked == 0)]
    ticking = [matter.c.closed == 0, matter.c.clocked == 1]
    return {
        "red": [*ticking, matter.c.red_at <= now],
        "yellow": [*ticking, matter.c.red_at > now, matter.c.yellow_at <= now],
        "green": [*ticking, matter.c.red_at > now, matter.c.yellow_at > now],
    }[light]


def light_of(row: Mapping[str, Any], at: datetime) -> str:
    """Return the light of one case at a moment: ``none`` where no clock runs or rests."""
    if row["closed"] or not row["clocked"]:
        return "none"
    now = micros(at)
    return "red" if row["red_at"] <= now else "yellow" if row["yellow_at"] <= now else "green"


def page(connection: sa.Connection, found_by: Way, order: str, after: tuple[int, int] | None, limit: int) -> list[Row]:
    """Return up to ``limit`` rows behind a key (sorted value, number), in an order of `ORDERS`."""
    column, down = ORDERS[order]
    asked = sa.select(matter).where(*found_by.conditions).limit(limit)
    if found_by.index:
        asked = asked.with_hint(matter, f"INDEXED BY {found_by.index}", "sqlite")
    if after is not None:
        value, number = after
        here, there = sa.tuple_(column, matter.c.case_no), sa.tuple_(value, number)
        asked = asked.where(here < there if down else here > there)
    keys = (column.desc(), matter.c.case_no.desc()) if down else (column, matter.c.case_no)
    return [dict(one) for one in connection.execute(asked.order_by(*keys)).mappings()]


def counts(connection: sa.Connection, sight: Sight, query: Query, *, at: datetime) -> list[tuple[str, str, str, int]]:
    """Return how many cases there are by type, state and light."""
    lights = [sa.func.sum(sa.case((sa.and_(*lit(one, at)), 1), else_=0)) for one in LIGHTS]
    names = (matter.c.type_id, matter.c.state)
    asked = sa.select(*names, *lights).where(*query.where(at), sight.where()).group_by(*names)
    rows = connection.execute(asked)
    return sorted(
        (row[0], row[1], light, int(n)) for row in rows for light, n in zip(LIGHTS, row[2:], strict=True) if n
    )


def due_between(connection: sa.Connection, sight: Sight, query: Query, *, at: datetime) -> list[tuple[int, int, str]]:
    """Return number, moment due and light of every case of a query, what is due first at the top."""
    c = matter.c
    narrow = sa.select(c.case_no, c.due_at, c.yellow_at, c.red_at, c.closed, c.clocked)
    asked = narrow.where(*query.where(at), sight.where()).order_by(c.due_at, c.case_no)
    return [(one["case_no"], one["due_at"], light_of(dict(one), at)) for one in connection.execute(asked).mappings()]


def tellings(
    connection: sa.Connection, sight: Sight, ranges: Sequence[Range], since_at: datetime, limit: int
) -> list[Row]:
    """Return what clocks told areas within ``ranges`` since a moment, newest first, of cases that may be seen."""
    told = sa.or_(*(telling.c.rank.between(low, high) for low, high in ranges)) if ranges else sa.false()
    asked = (
        sa.select(telling, matter.c.case_id, matter.c.type_id, matter.c.state)
        .join(matter, matter.c.case_no == telling.c.case_no)
        .where(sight.where(), told, telling.c.at >= micros(since_at))
        .order_by(telling.c.at.desc(), telling.c.case_no, telling.c.share.desc())
    )
    return [dict(one) for one in connection.execute(asked.limit(limit)).mappings()]
