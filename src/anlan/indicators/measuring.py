"""Compute an indicator over entries: a number with the list behind it, or unknown with the reason."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from anlan.indicators.definition import Counted, Form, Indicator
from anlan.indicators.periods import Period, year_before
from anlan.kernel.areas import AreaTree
from anlan.kernel.entries import Entry
from anlan.kernel.errors import BadInput

NO_RECORDS = "no_records"
"""The source does not reach over the whole period."""
NOTHING = "nothing_to_measure"
"""No entry tells what is asked."""
NO_DIVISOR = "no_divisor"
"""What it is divided by is not known, or zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The list behind a number: ask it of the entries, and these are what was counted."""

    indicator_id: str
    sources: tuple[str, ...]
    counted: Counted
    from_at: datetime
    until_at: datetime
    area_id: str
    where: tuple[str, ...]

    def __str__(self) -> str:
        told = [f"{self.counted}={self.from_at.isoformat()}/{self.until_at.isoformat()}", f"area={self.area_id}"]
        return f"{'+'.join(self.sources)}?{'&'.join([*told, *self.where])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What an indicator is for one area and period; ``value`` is None where it is unknown, with the reason.

    ``n`` is how many entries are behind it, ``n_of`` how many of these a share counts. ``year_ago`` is the same
    number a year before, and ``change`` the relative change since; None where either is unknown.
    """

    indicator_id: str
    area_id: str
    period: str
    value: float | None
    n: int
    n_of: int | None
    unknown: str | None
    query: Query
    year_ago: float | None = None

    @property
    def change(self) -> float | None:
        """Change since a year before, as a fraction."""
        if self.value is None or not self.year_ago:
            return None
        return self.value / self.year_ago - 1


@dataclass(frozen=True, slots=True)
class Records:
    """The entries that there are, and since when and until when each source keeps them.

    Without that a quiet month could not be told from a month of which nothing is known.
    """

    entries: tuple[Entry, ...]
    kept: Mapping[str, tuple[datetime, datetime]]

    def reach(self, source: str, period: Period) -> bool:
        """Tell whether a source reaches over a whole period."""
        if source not in self.kept:
            return False
        begin, end = self.kept[source]
        return begin <= period.from_at and period.until_at <= end


def by_area(records: Records, levels: Collection[str] | None = None) -> Mapping[str, Records]:
    """Return the records of each area: whoever measures many areas need not look through all of them for each."""
    found: dict[str, list[Entry]] = {}
    for entry in records.entries:
        for level, area_id in entry.areas.items():
            if levels is None or level in levels:
                found.setdefault(area_id, []).append(entry)
    return {area_id: Records(tuple(entries), records.kept) for area_id, entries in found.items()}


def measure(one: Indicator, records: Records, tree: AreaTree, area_id: str, period: Period) -> Number:
    """Return an indicator for an area and a period.

    Raises
    ------
    BadInput
        If the area is finer than the indicator may be told, or the period is of another length than its own.
    NotFound
        If there is no such area.
    """
    now, ago = (number_of(one, records, tree, area_id, when) for when in (period, year_before(period)))
    return replace(now, year_ago=ago.value)


def by_value(one: Indicator, records: Records, tree: AreaTree, area_id: str, period: Period) -> dict[str, Number]:
    """Return an indicator for each word of the value that breaks it down, in the order of the words.

    Raises
    ------
    BadInput
        If it is not broken down by anything.
    """
    if one.by is None:
        raise BadInput(f"by of {one.indicator_id}", "must be given to break it down", "choose another indicator")
    words = sorted({str(entry.values[one.by]) for entry in records.entries
                    if entry.source in one.sources and one.by in entry.values})  # fmt: skip
    found = {}
    for word in words:
        part = tuple(
            entry
            for entry in records.entries
            if entry.source not in one.sources or str(entry.values.get(one.by)) == word
        )
        number = measure(one, Records(part, records.kept), tree, area_id, period)
        found[word] = replace(number, query=replace(number.query, where=(*number.query.where, f"{one.by}={word}")))
    return found


def drilled(one: Indicator, records: Records, tree: AreaTree, area_id: str, period: Period) -> dict[str, Number]:
    """Return an indicator for an area and each area directly below it, the area first; not what it was a year before.

    Below the finest level at which it may be told there are none.
    """
    found = {area_id: number_of(one, records, tree, area_id, period)}
    order = [level.key for level in tree.levels]
    finest = order.index(one.level) if one.level in order else 0
    below = [child for child in tree.children(area_id) if order.index(child.level) <= finest]
    parts, nothing = by_area(records, {child.level for child in below}), Records((), records.kept)
    return found | {
        child.area_id: number_of(one, parts.get(child.area_id, nothing), tree, child.area_id, period) for child in below
    }


def listed(query: Query, one: Indicator, records: Records, tree: AreaTree) -> list[Entry]:
    """Return the entries behind a number, in order of their beginning.

    Raises
    ------
    BadInput
        If the query is of another indicator.
    """
    if query.indicator_id != one.indicator_id:
        raise BadInput(f"query of {query.indicator_id}", f"must be of {one.indicator_id}", "take its own indicator")
    spare = [text for text in query.where if one.by and text.startswith(f"{one.by}=")]
    words = {text.partition("=")[2] for text in spare}
    found = _behind(one, records, tree, (query.area_id, query.from_at, query.until_at))
    kept = [entry for entry in found if not words or str(entry.values.get(str(one.by))) in words]
    return sorted(kept, key=lambda entry: (entry.from_at, entry.source, entry.entry_id))


def _require_level(one: Indicator, tree: AreaTree, area_id: str) -> None:
    order = [level.key for level in tree.levels]
    level = tree.area(area_id).level
    # Where a district has no such level, only its top is told: rather too coarse than too fine.
    finest = order.index(one.level) if one.level in order else 0
    if order.index(level) > finest:
        raise BadInput(
            f"{one.indicator_id} of a {level}", f"must not be finer than a {order[finest]}", "ask an area above"
        )


def _behind(one: Indicator, records: Records, tree: AreaTree, asked: tuple[str, datetime, datetime]) -> list[Entry]:
    area_id, from_at, until_at = asked
    level = tree.area(area_id).level
    return [
        entry
        for entry in records.entries
        if _counts(one.counted, entry, from_at, until_at)
        and entry.source in one.sources
        and entry.areas.get(level) == area_id
        and all(condition.holds(entry) for condition in one.where)
        and (one.value is None or entry.values.get(one.value) is not None)
        and (one.weight is None or entry.values.get(one.weight) is not None)
    ]


def _counts(counted: Counted, entry: Entry, from_at: datetime, until_at: datetime) -> bool:
    if counted is Counted.BEGUN:
        return from_at <= entry.from_at < until_at
    if counted is Counted.ENDED:
        return entry.until_at is not None and from_at <= entry.until_at < until_at
    return entry.from_at < until_at and (entry.until_at is None or entry.until_at >= until_at)


def number_of(one: Indicator, records: Records, tree: AreaTree, area_id: str, period: Period) -> Number:
    """Return the same as `measure`, without what it was a year before."""
    _require_level(one, tree, area_id)
    if period.kind is not one.period:
        raise BadInput(
            f"period={period.name} of {one.indicator_id}", f"must be a {one.period}", "ask for its own period"
        )
    query = Query(
        indicator_id=one.indicator_id, sources=one.sources, counted=one.counted, from_at=period.from_at,
        until_at=period.until_at, area_id=area_id, where=tuple(str(condition) for condition in one.where),
    )  # fmt: skip
    behind = _behind(one, records, tree, (area_id, period.from_at, period.until_at))
    n_of = sum(all(part.holds(entry) for part in one.of) for entry in behind) if one.form is Form.SHARE else None
    value, unknown = None, None
    if not all(records.reach(source, period) for source in one.sources):
        unknown = NO_RECORDS
    else:
        value, unknown = _value(one, behind, n_of)
    if value is not None and one.per is not None:
        divisor = _divisor(one, records, tree, area_id, period)
        value, unknown = (value * one.per.times / divisor, None) if divisor else (None, NO_DIVISOR)
    return Number(
        indicator_id=one.indicator_id, area_id=area_id, period=period.name, value=value, n=len(behind), n_of=n_of,
        unknown=unknown, query=query,
    )  # fmt: skip


def _value(one: Indicator, behind: list[Entry], n_of: int | None) -> tuple[float | None, str | None]:
    told: list[Any] = [entry.values[one.value] for entry in behind] if one.value else []
    if one.form in {Form.COUNT, Form.SUM}:
        return float(len(behind)) if one.form is Form.COUNT else math.fsum(told), None
    if not behind:
        return None, NOTHING
    if one.form is Form.MEAN:
        return _mean(told, [entry.values[one.weight] for entry in behind] if one.weight else [1.0] * len(told))
    return 100.0 * (n_of or 0) / len(behind) if one.form is Form.SHARE else fractile(told, one.fractile or 0.5), None


def _mean(values: list[float], weights: list[float]) -> tuple[float | None, str | None]:
    total = math.fsum(weights)
    if not total:
        return None, NO_DIVISOR
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / total, None


def fractile(values: Iterable[float], share: float) -> float:
    """Return the least of the values within which at least a share of them lies.

    It is a value that was measured, so "nine of ten arrived within it" is true as it stands (the inverse of the
    empirical distribution; Hyndman and Fan 1996, definition 1).

    Examples
    --------
    >>> fractile([60, 90, 120, 150, 400], 0.8)
    150.0
    """
    ordered = sorted(values)
    return float(ordered[max(math.ceil(share * len(ordered) - 1e-9), 1) - 1])


def _divisor(one: Indicator, records: Records, tree: AreaTree, area_id: str, period: Period) -> float:
    per = one.per
    assert per is not None  # noqa: S101 - asked only where there is one
    level = tree.area(area_id).level
    return math.fsum(
        entry.values.get(per.value, 0.0)
        for entry in records.entries
        if entry.source == per.source
        and entry.areas.get(level) == area_id
        and _counts(Counted.STANDING, entry, period.from_at, period.until_at)
    )
