"""A case as an entry that can be counted: what its type keeps for statistics, and how its clocks went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anlan.cases.clocks import how_clocks_went, turns
from anlan.cases.definition import CaseType
from anlan.cases.machine import Case, closed_at
from anlan.cases.working import WorkTime
from anlan.kernel.entries import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a case counts for at any moment until it changes: ``pending`` are limits that will be broken, and when."""

    from_at: datetime
    until_at: datetime | None
    areas: Mapping[str, str]
    values: Mapping[str, Any]
    pending: Mapping[str, datetime]

    def values_at(self, at: datetime) -> dict[str, Any]:
        """Return what it tells at a moment."""
        return values_at(self.values, self.pending, at)


def values_at(values: Mapping[str, Any], pending: Mapping[str, Any], at: Any) -> dict[str, Any]:
    """Return values, with the limits that are broken by a moment; moments of any one kind that can be compared."""
    return {**values, **{name: False for name, red_at in pending.items() if red_at <= at}}


def tally_of(kind: CaseType, case: Case, work: WorkTime) -> Tally:
    """Return what a case counts for from its last change on.

    It tells only what outlasts forgetting (`Retention`): fields that are kept, areas no finer than the retention's
    level, its state, and for each clock ``CLOCK_kept`` (true, false, or left out while undecided) and ``CLOCK_s``
    (seconds that it ran, once it has stopped). So a number is the same before and after a case was forgotten.
    """
    keeps, levels = kind.retention, list(case.areas)
    n_kept = levels.index(keeps.level) + 1 if keeps.level in levels else 1
    values = {name: value for name, value in case.values.items() if name in keeps.keeps}
    values["state"] = case.state
    red = {one.clock_id: one.red_at for one in turns(kind, case, work)}
    pending: dict[str, datetime] = {}
    for went in how_clocks_went(kind, case, work, case.history[-1].at):
        clock_id = went.rule.clock_id
        if went.rule.until is not None and went.rule.until not in keeps.keeps:
            continue
        red_at = red.get(clock_id)
        if went.kept is not None:
            values[f"{clock_id}_kept"] = went.kept
        elif red_at is not None:
            pending[f"{clock_id}_kept"] = red_at
        if went.stopped:
            values[f"{clock_id}_s"] = went.elapsed.total_seconds()
    return Tally(
        from_at=case.opened_at, until_at=closed_at(kind, case), values=values, pending=pending,
        areas={level: case.areas[level] for level in levels[:n_kept]},
    )  # fmt: skip


def entry_of(kind: CaseType, case: Case, work: WorkTime, at: datetime) -> Entry:
    """Return a case as it is counted at a moment, which is not before its last change."""
    made = tally_of(kind, case, work)
    return Entry(
        entry_id=case.case_id, source=kind.type_id, from_at=made.from_at, until_at=made.until_at, areas=made.areas,
        values=made.values_at(at),
    )  # fmt: skip
