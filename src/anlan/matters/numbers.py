"""Indicators of a district over the cases that it keeps: told to staff as they are, to the public without small counts.

Of a type that is restricted or sealed only its own readers get the number as it is. All others get what is published:
that there was one mediation in a street is not for them to know.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from anlan.cases.counting import values_at
from anlan.indicators import (
    Indicator,
    Number,
    Period,
    PeriodKind,
    Records,
    Shown,
    before,
    bulletin_words,
    drilled,
    listed,
    number_of,
    period_named,
    period_of,
    published,
    year_before,
)
from anlan.kernel.entries import Entry
from anlan.kernel.errors import NotFound
from anlan.matters.documents import as_file, template_of
from anlan.matters.keeping import Matters, Seen
from anlan.matters.standing import NARROW, Standing
from anlan.papers import compose
from anlan.store import casebook
from anlan.store.records import canonical

MOST_LISTED = 500
NOTHING = canonical({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A number as somebody may have it. ``n`` is how many entries are behind it, None where that is not for them."""

    area_id: str
    value: float | None
    unknown: str | None
    hidden: bool = False
    n: int | None = None
    n_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An indicator of an area and a period, beside what it was before, and what it is in the areas directly below.

    Where the period is not ``complete``, the number is of what has happened so far.
    """

    indicator: Indicator
    period: Period
    complete: bool
    whole: Told
    before: Told
    year_ago: Told
    parts: tuple[Told, ...]

    @property
    def change(self) -> float | None:
        """Change since a year before, as a fraction; None where either is unknown, or the period goes on."""
        if not self.complete or self.whole.value is None or not self.year_ago.value:
            return None
        return self.whole.value / self.year_ago.value - 1


def records_of(matters: Matters, one: Indicator, periods: Iterable[Period]) -> Records:
    """Return what the cases of a district tell of some periods, and since when each of their types is kept.

    A period that goes on reaches as far as it will: what is told of it is what has happened so far.
    """
    at, kept = matters.clock.now(), list(periods)
    sources = {*one.sources, *([one.per.source] if one.per else [])}
    with matters.store.reading() as connection:
        since = {name: when for name, when in casebook.kept_since(connection).items() if name in sources}
        entries: dict[str, Entry] = {}
        lies, now = cache(matters.ground.lies), casebook.micros(at)
        for period in kept:
            for names, counted in ((one.sources, one.counted), ((one.per.source,) if one.per else (), "standing")):
                known = [name for name in names if name in since]
                found = casebook.entries_of(connection, known, counted, (period.from_at, period.until_at))
                entries |= {row[0]: _entry(row, lies, now) for row in found if row[0] not in entries}
    beside = [matters.sources[name] for name in sorted(sources - set(since)) if name in matters.sources]
    for source in beside:
        begun_at = source.since()
        if begun_at is not None:
            since[source.name] = begun_at
        for period in kept:
            told = source.entries(period.from_at, period.until_at)
            entries |= {f"{source.name}/{entry.entry_id}": entry for entry in told}
    until = max([at, *(period.until_at for period in kept if period.holds(at))])
    return Records(tuple(entries.values()), {name: (when, until) for name, when in since.items()})


def _entry(row: tuple[Any, ...], lies: Callable[[str], Mapping[str, str]], now: int) -> Entry:
    case_id, type_id, area_id, from_at, until_at, told, pending = row
    values = msgspec.json.decode(told)
    if pending != NOTHING:
        values = values_at(values, msgspec.json.decode(pending), now)
    began_at = casebook.moment(from_at)
    assert began_at is not None  # noqa: S101 - an entry begins
    return Entry(
        entry_id=case_id, source=type_id, from_at=began_at, until_at=casebook.moment(until_at),
        areas=lies(area_id), values=values,
    )  # fmt: skip


def answer(matters: Matters, indicator_id: str, area_id: str, name: str, who: Standing) -> Answer:
    """Return an indicator for an area and a period, with what is below it.

    Raises
    ------
    NotFound
        If there is no such indicator, or no such area for this actor.
    BadInput
        If the area is finer than it may be told, or the period is none of its own.
    """
    one, period = asked_for(matters, indicator_id, name)
    _require_reading(matters, area_id, who)
    periods = (period, before(period), year_before(period))
    records, tree = records_of(matters, one, periods), matters.ground.areas
    numbers = drilled(one, records, tree, area_id, period)
    complete = period.until_at <= matters.clock.now()
    then = [number_of(one, records, tree, area_id, when) for when in periods[1:]]
    if _reads_all(matters, one, area_id, who):
        told = {key: _plain(number) for key, number in numbers.items()}
        was = [_plain(number) for number in then]
    else:
        # Of a period that goes on nothing is told: what a number grew by since yesterday would be a single case.
        shown = published(one, records, tree, period) if complete else {}
        told = {key: _masked(key, shown[key]) if complete else Told(area_id=key, value=None, unknown=None, hidden=True)
                for key in numbers}  # fmt: skip
        was = [_masked(area_id, published(one, records, tree, when)[area_id]) for when in periods[1:]]
    parts = tuple(made for key, made in told.items() if key != area_id)
    return Answer(
        indicator=one, period=period, complete=complete, whole=told[area_id],
        before=was[0], year_ago=was[1], parts=parts,
    )  # fmt: skip


def behind(matters: Matters, indicator_id: str, area_id: str, name: str, who: Standing) -> list[Seen]:
    """Return the cases behind a number, as far as somebody may see them, oldest first and at most `MOST_LISTED`.

    Raises
    ------
    NotFound, BadInput
        As `answer` does.
    """
    entries = _listed(matters, indicator_id, area_id, name, who)
    sight = matters.sight(who)
    found: list[Seen] = []
    with matters.store.reading() as connection:
        for entry in entries:
            row = casebook.row_of(connection, entry.entry_id)
            if row is not None and sight.sees(row) and len(found) < MOST_LISTED:
                kind, case, _ = matters.load(connection, entry.entry_id)
                found.append(matters.seen(kind, case, row, who))
    return found


def _listed(matters: Matters, indicator_id: str, area_id: str, name: str, who: Standing) -> list[Entry]:
    """Return every entry behind a number that somebody may read, whether they may see the entry or not."""
    one, period = asked_for(matters, indicator_id, name)
    _require_reading(matters, area_id, who)
    tree = matters.ground.areas
    records = records_of(matters, one, [period])
    return list(listed(number_of(one, records, tree, area_id, period).query, one, records, tree))


def entries_behind(matters: Matters, indicator_id: str, area_id: str, name: str, who: Standing) -> list[Entry]:
    """Return what else than cases is behind a number, as far as somebody may see it, as `behind` does.

    Raises
    ------
    NotFound, BadInput
        As `answer` does.
    """
    entries = _listed(matters, indicator_id, area_id, name, who)
    beside = [one for one in entries if one.source in matters.sources]
    scopes = {name: who.scope_of(source.right) for name, source in matters.sources.items()}
    return [one for one in beside if scopes[one.source].covers(set(one.areas.values()))][:MOST_LISTED]


def public_numbers(matters: Matters, at: datetime) -> list[tuple[Indicator, Mapping[str, Shown]]]:
    """Return what is published of every indicator, of its last period that has ended."""
    told: list[tuple[Indicator, Mapping[str, Shown]]] = []
    for one in matters.indicators.values():
        period = before(period_of(one.period, at, matters.work.zone))
        told.append((one, published(one, records_of(matters, one, [period]), matters.ground.areas, period)))
    return told


def public_csv(told: Sequence[tuple[Indicator, Mapping[str, Shown]]]) -> str:
    """Return published numbers as CSV; what is hidden or unknown has no value, and says which of the two it is."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["indicator", "area", "period", "value", "unit", "told"])
    for one, shown in told:
        for area_id, number in shown.items():
            state = "hidden" if number.hidden else number.unknown or "known"
            value = "" if number.value is None else f"{number.value:.6g}"
            rows.writerow([one.indicator_id, area_id, number.period, value, one.unit["en"], state])
    return "\ufeff" + written.getvalue()


def bulletin(matters: Matters, area_id: str, month: str, who: Standing, form: tuple[str, str]) -> bytes:
    """Return the bulletin of an area for a month, as a file of a form and in a language.

    It has the indicators of months, and of longer periods those that end with that month. Only what is published is in
    it.

    Raises
    ------
    NotFound
        If there is no such area for this actor.
    BadInput
        If the month is none, or nothing can be told.
    """
    _require_reading(matters, area_id, who)
    zone, tree = matters.work.zone, matters.ground.areas
    asked = period_named(PeriodKind.MONTH, month, zone)
    told = []
    for one in matters.indicators.values():
        period = period_of(one.period, asked.until_at - timedelta(seconds=1), zone)
        if one.period is PeriodKind.WEEK or period.until_at != asked.until_at:
            continue
        records = records_of(matters, one, (period, before(period)))
        told.append((one, published(one, records, tree, period), published(one, records, tree, before(period))))
    kinds = {kind.type_id: kind.label for kind in matters.kinds.in_force.values()}
    words = bulletin_words(told, tree, area_id, kinds) | {"period": asked.name}
    language = form[1]
    paper = compose(template_of(matters.pack_folder, "monthly_bulletin"), words, language)
    return as_file(paper, form[0], matters.clock.now())


def asked_for(matters: Matters, indicator_id: str, name: str) -> tuple[Indicator, Period]:
    """Return an indicator and a period of its own: that of a name, the one that goes on where the name is empty."""
    if indicator_id not in matters.indicators:
        known = ", ".join(matters.indicators)
        raise NotFound(f"indicator {indicator_id!r}", "does not exist", f"choose one of {known}")
    one, zone = matters.indicators[indicator_id], matters.work.zone
    return one, period_named(one.period, name, zone) if name else period_of(one.period, matters.clock.now(), zone)


def _require_reading(matters: Matters, area_id: str, who: Standing) -> None:
    areas = matters.ground.areas
    if area_id not in areas or not who.reads.covers({one.area_id for one in areas.path(area_id)}):
        raise NotFound(f"area {area_id!r}", "does not exist, or not for you", "choose an area of your own")


def _reads_all(matters: Matters, one: Indicator, area_id: str, who: Standing) -> bool:
    """Tell whether somebody may know of each single case behind a number of an area."""
    path = {area.area_id for area in matters.ground.areas.path(area_id)}
    beside = [matters.sources[name] for name in one.sources if name in matters.sources]
    if not all(who.scope_of(source.right).covers(path) for source in beside):
        return False
    kinds = [kind for kind in matters.kinds.every() if kind.type_id in one.sources and kind.confidentiality in NARROW]
    return all(any(grant.role_id in kind.readers for grant in who.by(kind, path).grants) for kind in kinds)


def _plain(number: Number) -> Told:
    return Told(area_id=number.area_id, value=number.value, unknown=number.unknown, n=number.n, n_of=number.n_of)


def _masked(area_id: str, shown: Shown) -> Told:
    return Told(area_id=area_id, value=shown.value, unknown=shown.unknown, hidden=shown.hidden)
