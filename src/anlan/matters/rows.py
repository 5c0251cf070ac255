"""A case as rows of tables, and back: nothing is added on the way, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from anlan.cases import Case, CaseChange, CaseType, WorkTime, closed_at, firings, forget_at, turns
from anlan.cases.counting import tally_of
from anlan.cases.definition import Field, FieldKind
from anlan.matters.ground import Ground
from anlan.matters.routing import owner_area
from anlan.matters.standing import NARROW
from anlan.store import casebook
from anlan.store.casebook import NEVER, Filed, Row, micros, moment
from anlan.store.records import canonical

FAR = timedelta(days=11_000)
"""How far ahead the next thing that a clock tells is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What is kept of a case beside what the engine knows: its number, part of what, where, and who has taken it on."""

    number: int
    parent_no: int | None
    lon: float | None
    lat: float | None
    post: str
    told_at: datetime


def filed_of(kind: CaseType, case: Case, aside: Aside, ground: Ground, work: WorkTime) -> Filed:
    """Return a case as the tables keep it."""
    made = tally_of(kind, case, work)
    entry = {
        "case_no": aside.number, "case_id": case.case_id, "type_id": kind.type_id,
        "area_id": list(made.areas.values())[-1],
        "from_at": micros(made.from_at), "until_at": NEVER if made.until_at is None else micros(made.until_at),
        "told": canonical(dict(made.values)),
        "pending": canonical({name: micros(at) for name, at in made.pending.items()}),
    }  # fmt: skip
    return Filed(_row_of(kind, case, aside, ground, work), entry)


def _row_of(kind: CaseType, case: Case, aside: Aside, ground: Ground, work: WorkTime) -> Row:
    """Return the row by which lists find a case, its clocks' turning points computed."""
    area_id = list(case.areas.values())[-1]
    over = case.forgotten_at is not None
    turning = () if over else turns(kind, case, work)
    told = [] if over else firings(kind, case, work, since_at=aside.told_at, until_at=case.history[-1].at + FAR)
    due_at = None if over else forget_at(kind, case, work)
    hidden = over or kind.confidentiality in NARROW
    return {
        "case_no": aside.number,
        "case_id": case.case_id,
        "kind": f"{kind.type_id}/{kind.version}",
        "type_id": kind.type_id,
        "version": kind.version,
        "state": case.state,
        "closed": int(closed_at(kind, case) is not None),
        "owner_level": case.owner_level,
        "area_id": area_id,
        "rank": ground.rank(area_id),
        "owner_area_id": owner_area(case.areas, case.owner_level),
        "post": "" if over else aside.post,
        "opened_at": micros(case.opened_at),
        "changed_at": micros(case.forgotten_at or case.history[-1].at),
        "due_at": _first(one.due_at for one in turning),
        "yellow_at": _first(one.yellow_at for one in turning),
        "red_at": _first(one.red_at for one in turning),
        "clocked": int(bool(turning)),
        "next_at": _first(one.at for one in told),
        "told_at": micros(aside.told_at),
        "forget_at": NEVER if due_at is None else micros(due_at),
        "forgotten": int(over),
        "n_changes": len(case.history),
        "parent_no": aside.parent_no,
        # A point is finer than any area: where only its own roles may know of a case, none is kept.
        "lon": None if hidden else aside.lon,
        "lat": None if hidden else aside.lat,
    }


def aside_of(row: Row) -> Aside:
    """Return what the row keeps beside the engine's case."""
    told_at = moment(row["told_at"])
    assert told_at is not None  # noqa: S101 - it is written with every row
    return Aside(
        number=row["case_no"], parent_no=row["parent_no"], lon=row["lon"], lat=row["lat"], post=row["post"],
        told_at=told_at,
    )  # fmt: skip


def step_of(number: int, k: int, change: CaseChange) -> Row:
    """Return a line of a history as it is kept."""
    return {
        "case_no": number,
        "k": k,
        "at": micros(change.at),
        "transition": change.transition,
        "source": change.source,
        "target": change.target,
        "owner_level": change.owner_level,
        "actor_id": change.actor_id,
        "unit_id": change.unit_id,
        "filled": canonical(dict(change.filled)),
        "evidence": canonical(dict(change.evidence)),
        "note": change.note,
    }


def change_of(row: Row) -> CaseChange:
    """Return a line of a history as the engine knows it."""
    at = moment(row["at"])
    assert at is not None  # noqa: S101 - a line has a moment
    return CaseChange(
        transition=row["transition"], source=row["source"], target=row["target"], at=at, actor_id=row["actor_id"],
        unit_id=row["unit_id"], filled=json.loads(row["filled"]), evidence=json.loads(row["evidence"]),
        note=row["note"], owner_level=row["owner_level"],
    )  # fmt: skip


def case_of(row: Row, steps: Iterable[Row], ground: Ground) -> Case:
    """Return a case; its values are those of its history, and nothing else."""
    history = tuple(change_of(one) for one in steps)
    values = {name: value for one in history for name, value in one.filled.items()}
    return Case(
        case_id=row["case_id"], type_id=row["type_id"], version=row["version"], areas=ground.lies(row["area_id"]),
        history=history, values=values,
        forgotten_at=casebook.moment(row["changed_at"]) if row["forgotten"] else None,
    )  # fmt: skip


def texts_of(kind: CaseType, filled: Mapping[str, object], note: str = "") -> list[str]:
    """Return what can be sought in a line of a history: texts, the labels of what was chosen, tables, and the note."""
    return ([note] if note else []) + list(_texts(kind.fields, filled))


def _texts(fields: Mapping[str, Field], filled: Mapping[str, object]) -> Iterator[str]:
    for name, value in filled.items():
        one = fields.get(name)
        if one is None:
            continue
        if one.kind is FieldKind.TEXT:
            yield str(value)
        elif one.kind is FieldKind.CHOICE and str(value) in one.options:
            yield from one.options[str(value)].values()
        elif one.kind is FieldKind.TABLE and isinstance(value, list):
            for row in value:
                yield from _texts(one.columns, row)


def _first(moments: Iterable[datetime | None]) -> int:
    return min((micros(one) for one in moments if one is not None), default=NEVER)
