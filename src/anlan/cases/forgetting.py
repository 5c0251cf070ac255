"""Forgetting on schedule: what a closed case said is destroyed, and a record says that it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from anlan.cases.definition import CaseType, Measured
from anlan.cases.machine import Case, closed_at
from anlan.cases.working import WorkTime
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """What was destroyed of a case, when and by which rule. It holds nothing of what the case said.

    ``digests`` name the stored files that must go with it.
    """

    case_id: str
    type_id: str
    version: int
    closed_at: datetime
    destroyed_at: datetime
    fields: tuple[str, ...]
    n_notes: int
    digests: tuple[str, ...]
    basis: str


def forget_at(kind: CaseType, case: Case, work: WorkTime) -> datetime | None:
    """Return when a case must be forgotten; None while it is open."""
    ended_at = closed_at(kind, case)
    if ended_at is None:
        return None
    after = kind.retention.after
    if after.measured is Measured.WORKING:
        return work.after(ended_at, after.length(work.day_s))
    return ended_at + after.length(86400.0)


def forget(kind: CaseType, case: Case, work: WorkTime, at: datetime) -> tuple[Case, Destruction]:
    """Return a case without what is to be forgotten, and the record of it.

    Kept are the fields that the type keeps for statistics, the steps with their moments, and areas no finer than the
    retention's level. Notes, evidence, other fields and who acted go.

    Raises
    ------
    Conflict
        If the case is open or already forgotten, or its time has not come.
    """
    at, due_at, ended_at = as_utc(at, "at"), forget_at(kind, case, work), closed_at(kind, case)
    if due_at is None or ended_at is None:
        raise Conflict(f"case {case.case_id}", "must be closed before it is forgotten", "bring it to its end")
    if case.forgotten_at is not None:
        raise Conflict(f"case {case.case_id}", "has been forgotten already", "see its destruction record")
    if at < due_at:
        raise Conflict(f"at={at.isoformat()}", f"must not be before {due_at.isoformat()}", "wait until then")
    keeps, levels = kind.retention.keeps, list(case.areas)
    # Where a district has no such level, only its top is kept: rather too coarse than too fine.
    n_kept = levels.index(kind.retention.level) + 1 if kind.retention.level in levels else 1
    kept_levels = levels[:n_kept]
    history = tuple(
        replace(
            one, actor_id="", unit_id="", evidence={}, note="",
            filled={name: value for name, value in one.filled.items() if name in keeps},
        )
        for one in case.history
    )  # fmt: skip
    record = Destruction(
        case_id=case.case_id, type_id=case.type_id, version=case.version, closed_at=ended_at, destroyed_at=at,
        fields=tuple(sorted(set(case.values) - keeps)), n_notes=sum(bool(one.note) for one in case.history),
        digests=tuple(sorted({digest for one in case.history for digest in one.evidence.values()})),
        basis=kind.retention.basis["en"],
    )  # fmt: skip
    values = {name: value for name, value in case.values.items() if name in keeps}
    areas = {one: case.areas[one] for one in kept_levels}
    return replace(case, history=history, values=values, areas=areas, forgotten_at=at), record
