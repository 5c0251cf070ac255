"""Play the example history that a type carries: the proof that its procedure can be walked as its author meant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from anlan.cases.definition import OPEN, CaseType, Trial
from anlan.cases.machine import Action, By, Case, Linked, advance, applied, open_case
from anlan.kernel.access import Grant
from anlan.kernel.errors import AnlanError, BadInput

LEVELS = ("district", "street", "grid", "committee", "micro_grid")
"""The levels of the area in which examples lie, one area of each."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one line of an example: the case after it, or why it was refused."""

    trial: Trial
    case: Case | None
    refusal: AnlanError | None


def replay(kind: CaseType) -> tuple[Told, ...]:
    """Return what comes of each line of a type's example.

    Raises
    ------
    BadInput
        If a line is refused that should not be, is taken that should be refused, or ends in another state.
    """
    case: Case | None = None
    told = []
    for k, trial in enumerate(kind.example, 1):
        refusal = None
        try:
            case = _taken(kind, case, trial)
        except AnlanError as fault:
            refusal = fault
        found = refusal.code if refusal else ""
        state = case.state if case else ""
        if found != trial.refused or (trial.state and state != trial.state):
            came = f"refused: {refusal.value} {refusal.rule}" if refusal else state
            wanted = trial.refused or trial.state or "to be taken"
            raise BadInput(
                f"example {k} ({trial.do}) of {kind.type_id}", f"must be {wanted}, and is {came}",
                "correct the example or the type",
            )  # fmt: skip
        told.append(Told(trial, case, refusal))
    return tuple(told)


def _areas(kind: CaseType) -> dict[str, str]:
    """Return one area of each level above a case; a district with other levels has those that the type names."""
    own = [LEVELS[0], kind.owner_level, kind.retention.level, kind.entry_level]
    levels = LEVELS[: LEVELS.index(kind.entry_level) + 1] if kind.entry_level in LEVELS else tuple(dict.fromkeys(own))
    return {level: f"{level}-1" for level in levels}


def _taken(kind: CaseType, case: Case | None, trial: Trial) -> Case:
    areas = _areas(kind)
    level = trial.level or kind.entry_level
    if level not in areas:
        raise BadInput(f"level={level!r} of an example", f"must be one of {', '.join(areas)}", "correct it")
    area_id = areas[level]
    grant = Grant(role_id=trial.role, area_id=area_id, from_at=datetime.min.replace(tzinfo=UTC))
    by = By(actor_id=trial.by, unit_id=trial.unit, grants=(grant,))
    files = {name: hashlib.sha256(name.encode()).hexdigest() for name in trial.evidence}
    action = Action(transition=trial.do, filled=trial.filled, evidence=files, note=trial.note)
    if trial.do == OPEN:
        return open_case(kind, ("example", areas), action, by, trial.at)
    if case is None:
        raise BadInput(f"example of {kind.type_id}", "must begin with open", "write that line first")
    linked = [Linked(case_id=one, type_id=one, state=state, closed=True) for one, state in trial.linked.items()]
    linked += [Linked(case_id=one, type_id=one, state="open", closed=False, child=True) for one in trial.open_parts]
    return applied(case, advance(kind, case, action, by, at=trial.at, linked=linked))
