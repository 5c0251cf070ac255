"""Lists of cases in somebody's sight: page by page, counted, sought."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from anlan.cases import Case, CaseType
from anlan.kernel.errors import BadInput
from anlan.matters.keeping import Matters, Seen, steps_for
from anlan.matters.rows import case_of, texts_of
from anlan.matters.standing import Standing
from anlan.matters.words import holds, wanted
from anlan.store import casebook, caselists
from anlan.store.casebook import Row
from anlan.store.caselists import LIGHTS, ORDERS, Query

MOST = 200
SOUGHT_AT_ONCE = 200
"""Of cases that may hold what is sought, so many are looked at in one go."""
LOOKED_AT = 5000
"""A search that has looked at so many ends with what it found, and says where to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted of a list. ``sought`` are words; ``after`` is the ``next`` of the page before.

    ``mine`` wants only those of which a step waits for whoever asks.
    """

    query: Query = Query()  # noqa: RUF009 - it is frozen
    area_id: str | None = None
    parent_id: str | None = None
    sought: str = ""
    mine: bool = False
    order: str = "changed"
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, and where the next begins; None at the end."""

    cases: tuple[Seen, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many cases of a type stand in a state under a light."""

    type_id: str
    state: str
    light: str
    n_cases: int


def list_cases(matters: Matters, asked: Asked, who: Standing) -> Page:
    """Return a page of the cases that somebody may see, in a stable order.

    Raises
    ------
    BadInput
        If the order, the light, the area, the limit, the words or the place to go on are none.
    """
    query, key = checked(matters, asked, who)
    at = matters.clock.now()
    sight = matters.sight(who)
    way = caselists.way(sight, query, asked.order, at)
    if asked.mine:
        waits = caselists.standing_in(_where_steps_wait(matters, who), sight.last)
        way = replace(way, conditions=(waits, *way.conditions))
    column = ORDERS[asked.order][0].name
    found: list[Seen] = []
    n_looked = 0
    size = SOUGHT_AT_ONCE if asked.sought else asked.limit + 1
    wanted = partial(_waits_for, who, at) if asked.mine else None
    with matters.store.reading() as connection:
        while True:
            rows = caselists.page(connection, way, asked.order, key, size)
            for seen in seen_of(matters, connection, rows, who, wanted):
                if asked.sought and not holds(asked.sought, _texts(seen)):
                    continue
                if len(found) == asked.limit:
                    return Page(cases=tuple(found), next=_key(found[-1].row, column))
                found.append(seen)
            n_looked += len(rows)
            if len(rows) < size:
                return Page(cases=tuple(found), next=None)
            key, size = (rows[-1][column], rows[-1]["case_no"]), SOUGHT_AT_ONCE
            if n_looked >= LOOKED_AT:
                return Page(cases=tuple(found), next=_key(rows[-1], column))


def count_cases(matters: Matters, asked: Asked, who: Standing) -> list[Count]:
    """Return how many cases there are by type, state and light, of those that somebody may see.

    Raises
    ------
    BadInput
        If words, or one's own steps, are sought: what holds them is told case by case.
    """
    if asked.sought or asked.mine:
        raise BadInput(
            f"{'q' if asked.sought else 'mine'} with counts", "must not be given", "list the cases that hold it"
        )
    query, _ = checked(matters, asked, who)
    with matters.store.reading() as connection:
        rows = caselists.counts(connection, matters.sight(who), query, at=matters.clock.now())
    return [Count(type_id=one[0], state=one[1], light=one[2], n_cases=one[3]) for one in rows]


def told_to(matters: Matters, who: Standing, since_at: datetime, limit: int = MOST) -> list[Row]:
    """Return what clocks told the areas in which somebody reads, newest first."""
    with matters.store.reading() as connection:
        ranges = matters.ground.of_scope(who.reads)
        return caselists.tellings(connection, matters.sight(who), ranges, since_at, limit)


def checked(matters: Matters, asked: Asked, who: Standing) -> tuple[Query, tuple[int, int] | None]:
    """Return what is asked for as the database takes it, and the place to go on from; refuse what is none."""
    for name, value, known in (("order", asked.order, tuple(ORDERS)), ("light", asked.query.light or "red", LIGHTS)):
        if value not in known:
            raise BadInput(f"{name}={value!r}", f"must be one of {', '.join(known)}", "choose one")
    if not 1 <= asked.limit <= MOST:
        raise BadInput(f"limit={asked.limit}", f"must be from 1 to {MOST}", "ask for less, page by page")
    query = asked.query
    if asked.area_id is not None:
        query = replace(query, ranks=matters.ground.range_of(asked.area_id))
    if asked.parent_id is not None:
        query = replace(query, parent_no=matters.read(asked.parent_id, who).row["case_no"])
    if asked.sought:
        query = replace(query, words=wanted(asked.sought))
    return query, _key_of(asked.after)


def _where_steps_wait(matters: Matters, who: Standing) -> Iterator[caselists.Stands]:
    """Yield where a step may wait for somebody's roles; each case is asked in the end.

    A step of a unit waits for them only where the history names one of their offices, or them.
    """
    for kind in matters.kinds.every():
        held: dict[str, list[str]] = {}
        for grant in who.roles.get(kind.type_id, ()):
            held.setdefault(grant.role_id, []).append(grant.area_id)
        units = {one.office_id for one in who.roles.get(kind.type_id, ()) if one.office_id} | {who.actor_id}
        for role_id, area_ids in held.items():
            steps = [one for one in kind.transitions.values() if role_id in one.roles]
            free = {state for one in steps if one.unit is None for state in one.sources}
            bound = {state for one in steps for state in one.sources} - free
            name, ranges = f"{kind.type_id}/{kind.version}", matters.ground.ranges(area_ids)
            yield caselists.Stands(name, free, ranges)
            yield caselists.Stands(name, bound, ranges, told=units)


def seen_of(
    matters: Matters, connection: Any, rows: Sequence[Row], who: Standing,
    wanted: Callable[[CaseType, Case], bool] | None = None,
) -> Iterator[Seen]:  # fmt: skip
    """Yield cases as somebody may see them, by rows that are in their sight; only the wanted, where that is asked."""
    steps = casebook.steps_of(connection, [row["case_no"] for row in rows])
    for row in rows:
        kind, case = matters.kinds.of(row), case_of(row, steps[row["case_no"]], matters.ground)
        if wanted is None or wanted(kind, case):
            yield matters.seen(kind, case, row, who)


def _waits_for(who: Standing, at: datetime, kind: CaseType, case: Case) -> bool:
    return bool(steps_for(kind, case, who, at))


def _texts(seen: Seen) -> list[str]:
    """Return what may be sought in a case: only what its reader may read."""
    found = [seen.case.case_id, *texts_of(seen.kind, seen.fields)]
    return found + [text for one in seen.history for text in texts_of(seen.kind, one.filled, one.note)]


def _key(row: Row, column: str) -> str:
    return f"{row[column]}.{row['case_no']}"


def _key_of(after: str) -> tuple[int, int] | None:
    if not after:
        return None
    value, _, number = after.partition(".")
    if not (value.lstrip("-").isascii() and value.lstrip("-").isdigit() and number.isascii() and number.isdigit()):
        raise BadInput(f"after={after[:40]!r}", "must be the next of a page", "give it as it came")
    if len(value) > 20 or len(number) > 18 or not -(2**63) <= int(value) < 2**63:
        raise BadInput(f"after={after[:40]!r}", "must be the next of a page", "give it as it came")
    return int(value), int(number)
