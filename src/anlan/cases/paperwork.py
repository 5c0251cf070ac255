"""What papers are made of: the words of a case, of a letter when a clock runs out, of a bulletin over many tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from anlan.cases.clocks import Firing, Light, Phase, Reading, read_clocks
from anlan.cases.definition import CaseType, Field, FieldKind
from anlan.cases.machine import Case, closed_at
from anlan.cases.working import WorkTime
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import Conflict, NotFound
from anlan.kernel.records import Label

LETTER_DAYS = 5
"""Working days within which a supervision letter is to be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who a letter is from, whom it goes to, where the matter lies, and what is asked."""

    sender: Label
    recipient: Label
    where: Label
    reason: str = ""


def case_words(
    kind: CaseType, case: Case, values: Mapping[str, Any], work: WorkTime, called: Mapping[str, Label] | None = None
) -> dict[str, Any]:
    """Return the words that a paper of a case may use.

    Choices become their labels, moments the district's own time, what a text refers to its name in ``called`` (by id),
    and rows of tables the same. ``values`` are those that the asker may read (`readable`): what is left out of them is
    in no paper.
    """
    told: dict[str, Any] = {
        name: _worded(kind.fields[name], value, work, called or {}) for name, value in values.items()
    }
    return {
        **told, "case_id": case.case_id, "case_kind": kind.label, "state": kind.states[case.state].label,
        "opened_on": case.opened_at.astimezone(work.zone).date(),
    }  # fmt: skip


def paper_of(kind: CaseType, case: Case, document: str) -> str:
    """Return the template of a document that a case gives where it stands.

    Raises
    ------
    NotFound
        If its type has no such document.
    Conflict
        If it gives that document in another state.
    """
    rule = kind.documents.get(document)
    if rule is None:
        told = ", ".join(kind.documents) or "none"
        raise NotFound(f"document {document!r}", f"does not exist in {kind.type_id}", f"choose one of: {told}")
    if case.state not in rule.states:
        raise Conflict(
            f"document {document!r} in {case.state!r}", f"must be asked in {', '.join(sorted(rule.states))}",
            "wait until the case stands there",
        )  # fmt: skip
    return rule.paper


def letter_words(kind: CaseType, case: Case, firing: Firing, work: WorkTime, sender: Sender) -> dict[str, Any]:
    """Return the words of the supervision letter that goes with a firing of a clock.

    Raises
    ------
    Conflict
        If the clock has stopped in time, or the firing is no breach: nothing is to be supervised.
    """
    reading = next(one for one in read_clocks(kind, case, work, firing.at) if one.clock_id == firing.clock_id)
    if firing.share < 1 or reading.light is not Light.RED:
        raise Conflict(f"clock {firing.clock_id} at {firing.share:g}", "must be over", "warn its owner instead")
    rule = next(one for one in kind.clocks if one.clock_id == firing.clock_id)
    spent = reading.elapsed / reading.limit if reading.limit else 1.0
    return {
        "recipient": sender.recipient, "sender": sender.sender, "where": sender.where, "reason": sender.reason or None,
        "case_kind": kind.label, "matter": _matter(kind, case), "case_id": case.case_id, "clock": rule.label,
        "state": kind.states[case.state].label, "percent": round(100 * spent),
        "due_at": _day(reading.due_at or firing.at, work), "at": _day(firing.at, work),
        "answer_by": _day(work.after(firing.at, timedelta(seconds=LETTER_DAYS * work.day_s)), work),
    }  # fmt: skip


def bulletin_words(
    cases: Iterable[tuple[CaseType, Case]], clock_id: str, work: WorkTime, at: datetime, titles: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the words of a bulletin over many tasks: by unit, and what is late, the latest first.

    Parameters
    ----------
    cases : iterable of (CaseType, Case)
        Tasks with ``responsible_unit``, each with the type it is pinned to.
    clock_id : str
        The clock by which they are judged.
    work, at : WorkTime, datetime
        The district's calendar, and the moment as of which it is told.
    titles : mapping
        ``matter`` and ``sender``.
    """
    at = as_utc(at, "at")
    units: dict[str, dict[str, Any]] = {}
    late = []
    for kind, case in cases:
        reading = next((one for one in read_clocks(kind, case, work, at) if one.clock_id == clock_id), None)
        if reading is None:
            raise NotFound(f"clock {clock_id!r}", f"does not exist in {kind.type_id}", "choose one of its clocks")
        unit = str(case.values.get("responsible_unit", "—"))
        row = units.setdefault(unit, {"unit": unit, **dict.fromkeys(_COUNTS, 0)})
        _count(row, reading, done=closed_at(kind, case) is not None)
        if reading.light is Light.RED and reading.phase is Phase.RUNNING and reading.due_at is not None:
            late.append(
                {"item": case.values.get("item_no", case.case_id), "matter": _matter(kind, case), "unit": unit,
                 "due_on": _day(reading.due_at, work), "days_late": (at - reading.due_at).days}
            )  # fmt: skip
    rows = sorted(units.values(), key=lambda one: (-one["n_red"], one["unit"]))
    sums = {name: sum(row[name] for row in rows) for name in _COUNTS}
    late.sort(key=lambda one: -one["days_late"])
    return {**titles, **sums, "at": _day(at, work), "units": rows, "late": late}


_COUNTS = ("n_tasks", "n_done", "n_done_late", "n_red", "n_yellow", "n_green")


def _count(row: dict[str, Any], reading: Reading, *, done: bool) -> None:
    row["n_tasks"] += 1
    if done:
        row["n_done"] += 1
        row["n_done_late"] += reading.light is Light.RED
    else:
        row[f"n_{reading.light}"] += 1


def _day(at: datetime, work: WorkTime) -> str:
    return at.astimezone(work.zone).strftime("%Y-%m-%d")


def _matter(kind: CaseType, case: Case) -> str | Label:
    """Return what a case is about, in words that its type publishes; else the name of its kind."""
    for name in ("title", "subject", "place"):
        if name in case.values and kind.fields[name].public:
            return str(case.values[name])
    return kind.label


def _worded(one: Field, value: Any, work: WorkTime, called: Mapping[str, Label]) -> Any:
    if one.kind is FieldKind.TABLE:
        return [{name: _worded(one.columns[name], cell, work, called) for name, cell in row.items()} for row in value]
    if one.refers is not None:
        return called.get(value, value)
    if one.kind is FieldKind.CHOICE:
        return one.options[value]
    if one.kind is FieldKind.MOMENT:
        return datetime.fromisoformat(value).astimezone(work.zone)
    return value
