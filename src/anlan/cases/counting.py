"""A case as an entry that can be counted: what its type keeps for statistics, and how its clocks went."""

from __future__ import annotations

from datetime import datetime

from anlan.cases.clocks import how_clocks_went
from anlan.cases.definition import CaseType
from anlan.cases.machine import Case, closed_at
from anlan.cases.working import WorkTime
from anlan.kernel.entries import Entry


def entry_of(kind: CaseType, case: Case, work: WorkTime, at: datetime) -> Entry:
    """Return a case as it is counted at a moment.

    It tells only what outlasts forgetting (`Retention`): fields that are kept, areas no finer than the retention's
    level, its state, and for each clock ``CLOCK_kept`` (true, false, or left out while undecided) and ``CLOCK_s``
    (seconds that it ran, once it has stopped). So a number is the same before and after a case was forgotten.
    """
    keeps, levels = kind.retention, list(case.areas)
    n_kept = levels.index(keeps.level) + 1 if keeps.level in levels else 1
    values = {name: value for name, value in case.values.items() if name in keeps.keeps}
    values["state"] = case.state
    for went in how_clocks_went(kind, case, work, at):
        if went.rule.until is not None and went.rule.until not in keeps.keeps:
            continue
        if went.kept is not None:
            values[f"{went.rule.clock_id}_kept"] = went.kept
        if went.stopped:
            values[f"{went.rule.clock_id}_s"] = went.elapsed.total_seconds()
    return Entry(
        entry_id=case.case_id, source=kind.type_id, from_at=case.opened_at, until_at=closed_at(kind, case),
        areas={level: case.areas[level] for level in levels[:n_kept]}, values=values,
    )  # fmt: skip
