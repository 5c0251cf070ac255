"""Numbers for the public: small counts are hidden, and so is whatever would let them be found by subtracting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from anlan.indicators.definition import Form, Indicator
from anlan.indicators.measuring import Number, Records, by_area, by_value, measure, number_of
from anlan.indicators.periods import Period
from anlan.kernel.areas import AreaTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A number as the public sees it: its value, or that it is unknown, or that it is hidden."""

    indicator_id: str
    key: str
    period: str
    value: float | None
    unknown: str | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What protects a number: the counts that it would give away. A share gives away two, a count one."""

    counts: tuple[int, ...]

    def small(self, least: int) -> bool:
        """Tell whether it would give away a count of 1 to ``least`` - 1."""
        return any(0 < n < least for n in self.counts)


def published(one: Indicator, records: Records, tree: AreaTree, period: Period) -> dict[str, Shown]:
    """Return an indicator for the public: the whole district, and every area down to its finest level.

    1. A number that would give away a count of 1 to ``least`` - 1 is hidden.
    2. What lies below a hidden area is hidden.
    3. Below a shown area either nothing is hidden, or at least two parts are, and each count over all that is hidden
       comes to nothing or to ``least`` and more: so subtracting what is shown from the whole gives no small count, and
       no single part. The smallest parts are added until that holds; where it cannot, the area itself is hidden.
    Numbers are published in their own period only: overlapping periods could be subtracted, too. Two indicators of
    which one counts a part of the other could be, as well: whoever writes indicators for the public keeps them apart.

    References
    ----------
    Cell suppression in a hierarchy: Hundepool et al. 2012, *Statistical Disclosure Control*, ch. 4. The secondary cells
    are chosen greedily, and not with the least loss.
    """
    order = [level.key for level in tree.levels]
    finest = order.index(one.level) if one.level in order else 0
    told: dict[str, list[str]] = {}
    numbers: dict[str, Number] = {}
    parts, nothing = by_area(records), Records((), records.kept)
    waiting = [tree.root.area_id]
    while waiting:
        area_id = waiting.pop()
        numbers[area_id] = number_of(one, parts.get(area_id, nothing), tree, area_id, period)
        below = [area.area_id for area in tree.children(area_id) if order.index(area.level) <= finest]
        told[area_id] = below
        waiting += below
    cells = {area_id: _cell(one, number) for area_id, number in numbers.items()}
    hidden = hide(tree.root.area_id, told, cells, one.least)
    return {area_id: _shown(number, area_id, area_id in hidden) for area_id, number in numbers.items()}


def published_by_value(one: Indicator, records: Records, tree: AreaTree, period: Period) -> dict[str, Shown]:
    """Return an indicator of the whole district for the public, for each word that breaks it down.

    Words and areas are never crossed: a table of both could be solved from its edges.
    """
    root = tree.root.area_id
    numbers = by_value(one, records, tree, root, period)
    whole = measure(one, records, tree, root, period)
    cells = {"": _cell(one, whole), **{word: _cell(one, number) for word, number in numbers.items()}}
    # The same whole is published by areas; it is hidden here exactly where it is small, and so it is there.
    hidden = hide("", {"": list(numbers)}, cells, one.least)
    return {word: _shown(number, word, word in hidden) for word, number in numbers.items()}


def hide(root: str, below: Mapping[str, list[str]], cells: Mapping[str, Cell], least: int) -> frozenset[str]:
    """Return the keys of a tree whose numbers are not to be shown; see `published` for the rule.

    Parameters
    ----------
    root : str
        The key at the top.
    below : mapping
        The keys directly below each key.
    cells : mapping
        What each number would give away.
    least : int
        Counts from 1 to ``least`` - 1 are small.

    Examples
    --------
    >>> cells = {"all": Cell((40,)), "a": Cell((3,)), "b": Cell((12,)), "c": Cell((25,))}
    >>> sorted(hide("all", {"all": ["a", "b", "c"]}, cells, 5))
    ['a', 'b']
    """
    hidden = {key for key, cell in cells.items() if cell.small(least)}
    for key in _from_below(root, below):
        if key not in hidden and below.get(key):
            _settle(key, below[key], cells, (hidden, least))
    _sink(root, below, hidden)
    return frozenset(hidden)


def _from_below(key: str, below: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the keys of a tree, each after those below it: whatever cannot be shown is reckoned with above."""
    for part in below.get(key, []):
        yield from _from_below(part, below)
    yield key


def _settle(key: str, parts: list[str], cells: Mapping[str, Cell], told: tuple[set[str], int]) -> None:
    """Hide parts of a key until nothing small is left to be found by subtracting, or else the key itself."""
    hidden, least = told
    rest = _less(cells[key], [cells[part] for part in parts])
    among = [cells[part] for part in parts if part in hidden]
    if not among and not Cell(rest).small(least):
        return
    # What lies in none of the parts is shown by nobody, and so it is hidden with those that are.
    n_hidden, sums = len(among) + any(rest), list(rest)
    for cell in among:
        sums = _more(sums, cell)
    spare = [part for part in parts if part not in hidden and any(cells[part].counts)]
    for part in sorted(spare, key=lambda one: (sum(cells[one].counts), one)):
        if _is_safe(n_hidden, sums, least):
            return
        hidden.add(part)
        n_hidden, sums = n_hidden + 1, _more(sums, cells[part])
    if not _is_safe(n_hidden, sums, least):
        hidden.add(key)


def _sink(key: str, below: Mapping[str, list[str]], hidden: set[str]) -> None:
    for part in below.get(key, []):
        if key in hidden:
            hidden.add(part)
        _sink(part, below, hidden)


def _is_safe(n_hidden: int, sums: list[int], least: int) -> bool:
    return n_hidden >= 2 and all(total == 0 or total >= least for total in sums)


def _more(sums: list[int], cell: Cell) -> list[int]:
    return [one + two for one, two in zip(sums, cell.counts, strict=True)]


def _less(whole: Cell, parts: list[Cell]) -> tuple[int, ...]:
    return tuple(n - sum(part.counts[k] for part in parts) for k, n in enumerate(whole.counts))


def _cell(one: Indicator, number: Number) -> Cell:
    if one.form is Form.SHARE:
        n_of = number.n_of or 0
        return Cell((n_of, number.n - n_of))
    if one.form is Form.SUM and str(one.value).startswith("n_"):  # a sum of counts is a count
        return Cell((number.n, round(number.value or 0)))
    return Cell((number.n,))


def _shown(number: Number, key: str, hidden: bool) -> Shown:  # noqa: FBT001 - the claim that it is hidden
    return Shown(
        indicator_id=number.indicator_id, key=key, period=number.period, value=None if hidden else number.value,
        unknown=None if hidden else number.unknown, hidden=hidden,
    )  # fmt: skip
