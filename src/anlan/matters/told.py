"""What is told of a case, as it is kept: places, watches and devices by their ids, and numbers that nobody typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from anlan.cases import Case, CaseType
from anlan.cases.definition import CountRule, Field, Refers
from anlan.kernel.errors import NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Json, Label
from anlan.store import SqlStore
from anlan.store.casebook import Row

WATCH = "watch"
"""The records of polygons that are counted every minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lies:
    """Where a case lies, what it says, and what became of it so far (None while it is opened)."""

    values: Mapping[str, Any]
    areas: Mapping[str, str]
    point: tuple[float, float] | None
    """Degrees, longitude first."""
    at: datetime
    case: Case | None = None


Count: TypeAlias = Callable[[CountRule, Lies], int | None]
"""Counts what a rule asks for; None where the district cannot know."""


class Known:
    """What a text may refer to: the places and devices of the pack, and what is watched at this moment."""

    def __init__(self, pack: Pack, store: SqlStore) -> None:
        self._pack, self._store = pack, store

    def names(self, refers: Refers) -> dict[str, Label]:
        """Return what there is to refer to, by id."""
        if refers is Refers.DEVICE:
            return {one.device_id: dict(one.name) for one in self._pack.devices}
        found: dict[str, Label] = {f"place:{one.place_id}": dict(one.name) for one in self._pack.places}
        for one in self._store.records(WATCH):
            found[f"{WATCH}:{one.record_id}"] = {"zh": str(one.body["name"]), "en": str(one.body["name"])}
        return found

    def settled(self, kind: CaseType, filled: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is told, with all that refers to something by its id; a name that one alone has will do.

        Raises
        ------
        NotFound
            If there is no such thing: a plan that waits for it would wait for ever.
        """
        made, names = dict(filled), cache(self.names)
        for name, value in filled.items():
            field = kind.fields.get(name)
            if field is None:
                continue
            if field.refers is not None and isinstance(value, str):
                made[name] = _id(field, value, names(field.refers))
            columns = [one for one in field.columns.values() if one.refers is not None]
            if columns and isinstance(value, list | tuple):
                made[name] = [_row(columns, row, names) if isinstance(row, Mapping) else row for row in value]
        return made


def _row(columns: Iterable[Field], row: Mapping[str, Any], names: Callable[[Refers], dict[str, Label]]) -> Json:
    told = {
        one.field_id: _id(one, row[one.field_id], names(one.refers))
        for one in columns
        if one.refers is not None and isinstance(row.get(one.field_id), str)
    }
    return {**row, **told}


def _id(field: Field, value: str, known: Mapping[str, Label]) -> str:
    word = value.strip()
    if word in known:
        return word
    called = [name for name, label in known.items() if word in label.values()]
    if len(called) == 1:
        return called[0]
    rule = {
        Refers.GROUND: "must be a named place or a watched polygon",
        Refers.DEVICE: "must be a device of the district",
        None: "must be known",
    }[field.refers]
    raise NotFound(f"{field.field_id}={value[:60]!r}", rule, "give its id, or a name that one alone has")


def counted(
    kind: CaseType, names: Iterable[str], filled: Mapping[str, Any], count: Callable[[CountRule], int | None]
) -> dict[str, int]:
    """Return the number of each of these fields that nobody told and the district can count."""
    made: dict[str, int] = {}
    for name, rule in _rules(kind, names):
        number = None if name in filled else count(rule)
        if number is not None:
            made[name] = number
    return made


def _rules(kind: CaseType, names: Iterable[str]) -> Iterator[tuple[str, CountRule]]:
    for name in names:
        rule = kind.fields[name].counted if name in kind.fields else None
        if rule is not None:
            yield name, rule


def lies_of(case: Case, row: Row, at: datetime) -> Lies:
    """Return where a case lies, from its row."""
    point = None if row["lon"] is None else (float(row["lon"]), float(row["lat"]))
    return Lies(values=case.values, areas=case.areas, point=point, at=at, case=case)
