"""Move running cases to another version of their type, or tell of each what does not fit. Nothing is bent to fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from anlan.cases.definition import MIGRATE, OPEN, CaseType
from anlan.cases.machine import By, Case, CaseChange
from anlan.cases.reading import Fault
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput, Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What a move of one case would take. It is possible where ``misfits`` is empty."""

    case_id: str
    version: int
    misfits: tuple[Fault, ...]


def migrated(case: Case, old: CaseType, new: CaseType) -> Migration:
    """Return what of a case does not fit another version of its type; nothing is moved by asking.

    A case fits where the new version knows each state and step of its history (guards, four eyes and clocks look at
    them), takes every value as it is kept, misses no field that is required or that its next clock runs to, and finds
    its area. A case that has ended or was forgotten stays with the version under which it ended.

    Raises
    ------
    BadInput
        If the two are not versions of the case's type.
    """
    if (old.type_id, old.version) != (case.type_id, case.version) or new.type_id != old.type_id:
        told = f"{new.type_id} version {new.version} for a case of {case.type_id} version {case.version}"
        raise BadInput(told, "must be another version of the same type", "give the versions of that type")
    found = [*_standing(case, old, new), *_procedure(case, new), *_values(case, new)]
    return Migration(case_id=case.case_id, version=new.version, misfits=tuple(found))


def migrate(case: Case, old: CaseType, new: CaseType, by: By, at: datetime) -> tuple[Case, CaseChange]:
    """Return a case under another version, and the line of its history that says so. State and values stay.

    Raises
    ------
    Conflict
        If it does not fit; every reason is told.
    """
    at = as_utc(at, "at")
    plan = migrated(case, old, new)
    if plan.misfits:
        told = "; ".join(f"{one.where}: {one.value} {one.rule}" for one in plan.misfits)
        rule = f"does not fit version {new.version}: {told}"
        raise Conflict(f"case {case.case_id}", rule, "bring it to its end under its own version, or mend the new one")
    if at < case.history[-1].at:
        raise BadInput(f"at={at.isoformat()}", "must not be before the last change", "give the present moment")
    change = CaseChange(
        transition=MIGRATE, source=case.state, target=case.state, at=at, actor_id=by.actor_id, unit_id=by.unit_id,
        filled={}, evidence={}, note=f"version {old.version} -> {new.version}", owner_level=case.owner_level,
    )  # fmt: skip
    return replace(case, version=new.version, history=(*case.history, change)), change


def _standing(case: Case, old: CaseType, new: CaseType) -> Iterable[Fault]:
    if new.version == old.version:
        yield Fault("version", str(new.version), "must be another than the case has", "choose another version")
    if case.forgotten_at is not None or old.states[case.state].closed:
        yield Fault("state", case.state, "has ended, and stays with its version", "leave it")
    for level in {new.entry_level, case.owner_level} - set(case.areas):
        yield Fault("areas", level, "must be a level in which the case lies", "leave it with its version")


def _procedure(case: Case, new: CaseType) -> Iterable[Fault]:
    for name in sorted({one.target for one in case.history} - set(new.states)):
        yield Fault("history", f"state {name!r}", "must be a state of the new version", "keep that state in it")
    for name in sorted({one.transition for one in case.history} - set(new.transitions) - {OPEN, MIGRATE}):
        yield Fault("history", f"step {name!r}", "must be a step of the new version", "keep that step in it")
    for name in sorted({one for change in case.history for one in change.evidence} - set(new.evidence)):
        yield Fault("history", f"evidence {name!r}", "must be known to the new version", "keep that evidence in it")


def _values(case: Case, new: CaseType) -> Iterable[Fault]:
    # The history is checked, and not the present values alone: whoever reads the past reads it under the new version.
    told = [(name, value) for change in case.history for name, value in change.filled.items()]
    seen = set()
    for name, value in told:
        if (name, repr(value)) in seen:
            continue
        seen.add((name, repr(value)))
        if name not in new.fields:
            yield Fault("values", f"field {name!r}", "must be a field of the new version", "keep that field in it")
            continue
        try:
            kept = new.fields[name].check(value)
        except BadInput as fault:
            yield Fault("values", fault.value, fault.rule, fault.next_step)
            continue
        if kept != value:
            yield Fault("values", f"{name}={value!r}", f"would become {kept!r}", "keep the kind of that field")
    for name, one in new.fields.items():
        if one.required and name not in case.values:
            yield Fault("values", f"field {name!r}", "is required, and the case has none", "do not require it")
    for clock in new.clocks:
        runs = case.state in clock.starts | clock.pauses
        if clock.until and not clock.optional and runs and clock.until not in case.values:
            yield Fault(f"clocks.{clock.clock_id}", clock.until, "must be known where the case stands", "fill it first")
