"""Cases as a sheet: one line a case, for programs by ids alone, for people with the words beside every code."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from anlan.cases import CaseType
from anlan.cases.definition import Field, FieldKind, Refers
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Draft, Label
from anlan.matters.keeping import Matters, Seen
from anlan.matters.listing import MOST, Asked, list_cases
from anlan.matters.standing import NARROW, Standing
from anlan.store.casebook import moment

EXPORTS = "case_export"
HEADS: dict[str, Label] = {
    "case": {"zh": "事项编号", "en": "case"},
    "type": {"zh": "类型", "en": "type"},
    "version": {"zh": "类型版本", "en": "version of the type"},
    "state": {"zh": "状态", "en": "state"},
    "light": {"zh": "时限", "en": "time limit"},
    "area": {"zh": "区域", "en": "area"},
    "owner_area": {"zh": "承办区域", "en": "owner"},
    "post": {"zh": "承办岗位", "en": "duty"},
    "opened_at": {"zh": "立案时间", "en": "opened"},
    "changed_at": {"zh": "变动时间", "en": "changed"},
    "due_at": {"zh": "到期时间", "en": "due"},
}
LIGHTS: dict[str, Label] = {
    "red": {"zh": "超期", "en": "over the limit"},
    "yellow": {"zh": "临期", "en": "limit is near"},
    "green": {"zh": "期限内", "en": "in time"},
    "none": {"zh": "无时限", "en": "no clock"},
}
ANSWERS: dict[bool, Label] = {True: {"zh": "是", "en": "yes"}, False: {"zh": "否", "en": "no"}}
CODED = ("type", "state", "light", "area", "owner_area")
CODE = {"zh": "{}（代码）", "en": "{} (code)"}


def export_cases(matters: Matters, asked: Asked, who: Standing, language: str | None = None) -> Iterator[str]:
    """Yield lines of CSV of the cases that somebody may see; that they were exported is a line of the log.

    With one type asked for, each of its fields is a column, as far as it may be read. Moments are the district's own,
    with their offset.

    Parameters
    ----------
    matters, asked, who
        The cases, what is wanted of them, and who asks.
    language : str, optional
        ``zh`` or ``en``: headings and values in its words, each code in a column beside its word. None leaves the
        words out and names columns and values by their ids, for a program.

    Raises
    ------
    BadInput
        If what is asked for, or the language, is none.
    """
    if language not in {None, "zh", "en"}:
        raise BadInput(f"lang={language!r}", "must be zh or en", "choose one, or leave it out for ids alone")
    list_cases(matters, replace(asked, limit=1), who)  # refuses what cannot be asked before anything is told
    types = tuple(asked.query.type_ids)
    kind = matters.kinds.current(types[0]) if len(types) == 1 else None
    draft = Draft(kind=EXPORTS, record_id=f"{who.actor_id}/{token_hex(6)}", action="export",
                  actor=who.actor_id, body={"types": list(types)})  # fmt: skip
    matters.announce(matters.store.apply([draft], at=matters.clock.now()))
    sheet = _Coded(matters, kind) if language is None else _Worded(matters, kind, language)
    return _lines(matters, asked, who, sheet)


def _lines(matters: Matters, asked: Asked, who: Standing, sheet: _Coded) -> Iterator[str]:
    yield "\ufeff" + _csv(sheet.heads())  # the mark by which office programs know UTF-8
    after: str | None = asked.after
    while after is not None:
        page = list_cases(matters, replace(asked, after=after, limit=MOST), who)
        for one in page.cases:
            yield _csv(sheet.row(one))
        after = page.next


class _Coded:
    """The sheet for programs: ids and numbers as they are kept."""

    def __init__(self, matters: Matters, kind: CaseType | None) -> None:
        self.matters, self.zone = matters, matters.work.zone
        self.fields: Sequence[Field] = [] if kind is None else list(kind.fields.values())

    def heads(self) -> list[str]:
        return [*HEADS, *(one.field_id for one in self.fields)]

    def row(self, seen: Seen) -> list[Any]:
        return [*self.codes(seen).values(), *(self.told(one, self.value(seen, one)) for one in self.fields)]

    def codes(self, seen: Seen) -> dict[str, Any]:
        """Return what every case has, in the order of the headings."""
        row = seen.row
        found = {
            "case": row["case_id"], "type": row["type_id"], "version": row["version"], "state": row["state"],
            "light": seen.light, "area": row["area_id"], "owner_area": row["owner_area_id"], "post": row["post"],
        }  # fmt: skip
        return found | {name: _local(moment(row[name]), self.zone) for name in ("opened_at", "changed_at", "due_at")}

    @staticmethod
    def value(seen: Seen, one: Field) -> Any:
        """Return what a case tells in a field; what its own roles alone may read does not leave the house."""
        return None if seen.kind.confidentiality in NARROW else seen.fields.get(one.field_id)

    def told(self, one: Field, value: Any) -> Any:
        """Return a value as a cell."""
        if value is None:
            return ""
        if one.kind is FieldKind.MOMENT:
            return _local(datetime.fromisoformat(value), self.zone)
        return json.dumps(value, ensure_ascii=False) if one.kind is FieldKind.TABLE else value


class _Worded(_Coded):
    """The sheet for people: words, and each code beside its word."""

    def __init__(self, matters: Matters, kind: CaseType | None, language: str) -> None:
        super().__init__(matters, kind)
        self.language = language
        self.names = cache(matters.known.names)

    def heads(self) -> list[str]:
        told: list[str] = []
        for name, label in HEADS.items():
            told += self.headed(label, coded=name in CODED)
        for one in self.fields:
            told += self.headed(one.label, coded=_is_coded(one))
        return told

    def headed(self, label: Label, *, coded: bool) -> list[str]:
        word = self.word(label)
        return [word, CODE[self.language].format(word)] if coded else [word]

    def row(self, seen: Seen) -> list[Any]:
        codes, areas = self.codes(seen), self.matters.ground.areas
        words = {
            "type": seen.kind.label, "state": seen.kind.states[codes["state"]].label, "light": LIGHTS[seen.light],
        } | {name: areas.area(codes[name]).name for name in ("area", "owner_area") if codes[name] in areas}  # fmt: skip
        told: list[Any] = []
        for name, code in codes.items():
            told += [self.word(words.get(name, {}), code), code] if name in CODED else [code]
        for one in self.fields:
            value = self.value(seen, one)
            told += (
                [self.worded(one, value), "" if value is None else value]
                if _is_coded(one)
                else [self.worded(one, value)]
            )
        return told

    def word(self, label: Mapping[str, str], fallback: str = "") -> str:
        return label.get(self.language) or label.get("zh") or label.get("en") or fallback

    def worded(self, one: Field, value: Any) -> Any:
        """Return a value in words; rows of a table one after another, each cell under its heading."""
        if value is None:
            return ""
        if one.kind is FieldKind.CHOICE:
            return self.word(one.options.get(str(value), {}), str(value))
        if one.kind is FieldKind.BOOLEAN:
            return self.word(ANSWERS[bool(value)])
        if one.refers is not None:
            return self.word(self.names(one.refers).get(str(value), {}), str(value))
        if one.kind is not FieldKind.TABLE:
            return self.told(one, value)
        return "\n".join(
            "; ".join(
                f"{self.word(cell.label)}: {self.worded(cell, row[name])}"
                for name, cell in one.columns.items()
                if name in row
            )
            for row in value
        )


def _is_coded(one: Field) -> bool:
    return one.kind is FieldKind.CHOICE or isinstance(one.refers, Refers)


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as the district's clocks show it, to the second, with their offset."""
    return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")


def _csv(values: Sequence[Any]) -> str:
    """Return a line of CSV in which no office program takes a text for a formula."""
    written = io.StringIO()
    formulas = ("=", "+", "-", "@", "\t", "\r")
    safe = [f"'{one}" if isinstance(one, str) and one.startswith(formulas) else one for one in values]
    csv.writer(written).writerow(safe)
    return written.getvalue()
