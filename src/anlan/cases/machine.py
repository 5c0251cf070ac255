"""A running case: opened, moved by one allowed step at a time, never edited. Its history is all there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from anlan.cases.definition import OPEN, CaseType, Field, FieldKind, Transition
from anlan.cases.guards import Covers, Facts, Name, Over
from anlan.cases.triggers import read_live
from anlan.kernel.access import Grant
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Whoever acts: the account's id, the unit it acts for, and its grants."""

    actor_id: str
    unit_id: str
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Another case that this one waits for or has made."""

    case_id: str
    type_id: str
    state: str
    closed: bool
    child: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody wants to do. ``evidence`` maps its kind to the SHA-256 of the stored file.

    ``seen`` is how many changes of the case the actor had read; None where that does not matter.
    """

    transition: str
    filled: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    seen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """One line of a case's history: what an action changed, by whom and when."""

    transition: str
    source: str
    target: str
    at: datetime
    actor_id: str
    unit_id: str
    filled: Mapping[str, Any]
    evidence: Mapping[str, str]
    note: str
    owner_level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A matter with a procedure. It lies in ``areas`` (level to area id, top first), and not with anybody."""

    case_id: str
    type_id: str
    version: int
    areas: Mapping[str, str]
    history: tuple[CaseChange, ...]
    values: Mapping[str, Any]
    parent_id: str | None = None
    forgotten_at: datetime | None = None

    @property
    def state(self) -> str:
        """The state in which it stands."""
        return self.history[-1].target

    @property
    def owner_level(self) -> str:
        """The level of the area that owns it now."""
        return self.history[-1].owner_level

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""
        return self.history[0].at

    def times(self, transition: str) -> int:
        """Return how often a step was taken."""
        return sum(one.transition == transition for one in self.history)

    @property
    def entered_at(self) -> datetime:
        """When it came into its present state; a step that leads back to the same state changes nothing."""
        at = self.history[-1].at
        for change in reversed(self.history):
            at = change.at
            if change.source != change.target:
                break
        return at


def open_case(kind: CaseType, case: tuple[str, Mapping[str, str]], action: Action, by: By, at: datetime) -> Case:
    """Open a case in an area.

    Parameters
    ----------
    kind : CaseType
        Its type; the case stays with this version.
    case : tuple
        Its id, and the areas that hold it, level to area id, top first.
    action : Action
        Fields and evidence told at the opening; ``transition`` is ``"open"``.
    by, at : By, datetime
        Who opens it, and when.

    Raises
    ------
    NotAllowed
        If nobody has granted the actor a role that opens such cases here.
    BadInput
        If the area is not of the type's level, or a required field is missing or wrong.
    """
    case_id, areas = case
    for level in (kind.entry_level, kind.owner_level):
        if level not in areas:
            told = ", ".join(areas) or "none"
            raise BadInput(f"areas of levels {told}", f"must reach the {level}", "give a place inside the district")
    _require_role(kind.opened_by, areas, None, by, at)
    filled = _checked(kind, action.filled, kind.told_at_opening)
    _require_order(kind, filled, filled)
    _require_sound_plan(kind, filled, filled)
    missing = [one.field_id for one in kind.fields.values() if one.required and one.field_id not in filled]
    _require_filled(missing, "open")
    first = CaseChange(
        transition=OPEN, source="", target=kind.opens, at=as_utc(at, "at"), actor_id=by.actor_id, unit_id=by.unit_id,
        filled=filled, evidence=_evidence(kind, action.evidence), note=action.note, owner_level=kind.owner_level,
    )  # fmt: skip
    return Case(
        case_id=case_id, type_id=kind.type_id, version=kind.version, areas=dict(areas), history=(first,), values=filled
    )


def advance(
    kind: CaseType, case: Case, action: Action, by: By, *, at: datetime, linked: Iterable[Linked] = ()
) -> CaseChange:
    """Return what an action changes; nothing is changed by asking. See `applied`.

    Checked in this order: version, who has seen what, the step leaves the state, role and area, four eyes, children,
    gates, how long it has stood there, fields, evidence, note, guard.

    Parameters
    ----------
    kind : CaseType
        The very type and version that the case was opened under.
    case, action, by, at
        The case as it stands, what is wanted, who wants it, and when.
    linked : iterable of Linked
        The cases it waits for and the cases it made.

    Raises
    ------
    Conflict
        If somebody was faster, the case stands elsewhere, a gate is shut, a child is open, or the guard does not hold.
    NotAllowed
        If the actor has no such role here, or took a step that this one must be independent of.
    BadInput
        If a field, evidence or the note is missing or wrong.
    NotFound
        If the type has no such step.
    """
    at, linked = as_utc(at, "at"), tuple(linked)
    if (kind.type_id, kind.version) != (case.type_id, case.version):
        told = f"case of {case.type_id} version {case.version}"
        raise Conflict(told, f"cannot run as {kind.type_id} version {kind.version}", "take its own version")
    if case.forgotten_at is not None:
        raise Conflict(f"case {case.case_id}", "has been forgotten and cannot go on", "open a new one")
    if action.seen is not None and action.seen != len(case.history):
        told = f"seen={action.seen} of {len(case.history)} changes"
        raise Conflict(told, "must be all of them: somebody was faster", "read the case again and decide")
    if at < case.history[-1].at:
        raise BadInput(f"at={at.isoformat()}", "must not be before the last change", "give the present moment")
    step = _step(kind, case, action.transition)
    _require_role(step.roles, case.areas, case.owner_level if step.owner else step.level, by, at)
    _require_other_eyes(step, case, by)
    _require_unit(step, case, by)
    _require_linked(kind, step, linked)
    _require_time(step, case, at)
    filled = _checked(kind, action.filled, step.fills)
    values = {**case.values, **filled}
    _require_order(kind, filled, values)
    _require_sound_plan(kind, filled, values)
    missing = [name for name in step.needs if name not in values]
    _require_filled([*missing, *(name for name in step.anew if name not in filled)], step.transition_id)
    evidence = _evidence(kind, action.evidence)
    missing = [one for one in step.evidence if one not in evidence]
    if missing:
        raise BadInput(f"evidence {', '.join(missing)}", f"must come with {step.transition_id}", "add the file")
    _require_apart(step, case, evidence)
    if step.note and not action.note.strip():
        raise BadInput("note=''", f"must say why, with {step.transition_id}", "write a note")
    _require_guard(kind, step, case, (values, evidence))
    return CaseChange(
        transition=step.transition_id, source=case.state, target=step.target, at=at, actor_id=by.actor_id,
        unit_id=by.unit_id, filled=filled, evidence=evidence, note=action.note, owner_level=_owner(step, case),
    )  # fmt: skip


def applied(case: Case, change: CaseChange) -> Case:
    """Return the case after a change.

    Raises
    ------
    Conflict
        If the change was made for another state of it.
    """
    if change.source != case.state or change.at < case.history[-1].at:
        raise Conflict(f"change from {change.source!r}", f"must begin at {case.state!r}", "read the case again")
    return replace(case, history=(*case.history, change), values={**case.values, **change.filled})


def closed_at(kind: CaseType, case: Case) -> datetime | None:
    """Return when a case came to its present end; None while it is open.

    A step from one end to another, such as a rating, delays nothing.
    """
    at = None
    for change in reversed(case.history):
        if not kind.states[change.target].closed:
            break
        at = change.at
    return at


def next_steps(kind: CaseType, case: Case, by: By, at: datetime) -> tuple[Transition, ...]:
    """Return the steps that an actor's roles allow from here; what each still takes is told when it is tried."""
    found = []
    for step in kind.steps_from(case.state):
        try:
            _require_role(step.roles, case.areas, case.owner_level if step.owner else step.level, by, at)
            _require_other_eyes(step, case, by)
            _require_unit(step, case, by)
        except NotAllowed:
            continue
        found.append(step)
    return tuple(found)


def ripe_steps(kind: CaseType, case: Case, by: By, at: datetime) -> tuple[Transition, ...]:
    """Return the steps of `next_steps` that neither time nor a guard shuts, whatever is filled in with them."""
    given = [name for one in case.history for name in one.evidence]
    times = {one.transition: case.times(one.transition) for one in case.history}
    found = []
    for step in next_steps(kind, case, by, at):
        try:
            _require_time(step, case, as_utc(at, "at"))
        except Conflict:
            continue
        values = {name: value for name, value in case.values.items() if name not in step.fills}
        shut = step.guard is not None and step.guard.holds(facts_of(kind, values, given, times)) is False
        if not shut:
            found.append(step)
    return tuple(found)


def readable(kind: CaseType, case: Case, by: By, at: datetime) -> dict[str, Any]:
    """Return the fields that an actor may read.

    A type that is restricted or sealed is read by its own roles only, a field with readers by these only, and a field
    of one's own by whoever wrote it last; no role is above that, and none reads everything.

    Raises
    ------
    NotAllowed
        If the type is not for the actor's roles at all.
    """
    roles = _roles_of_a_reader(kind, case, by, at)
    return {
        name: value
        for name, value in case.values.items()
        if _is_read(kind.fields[name], roles) and (not kind.fields[name].own or _wrote_last(case, name, by))
    }


def readable_history(kind: CaseType, case: Case, by: By, at: datetime) -> tuple[CaseChange, ...]:
    """Return the history of a case with those fields only that an actor may read, each as it was told then.

    Raises
    ------
    NotAllowed
        If the type is not for the actor's roles at all.
    """
    roles = _roles_of_a_reader(kind, case, by, at)
    return tuple(
        replace(
            one,
            filled={
                name: value
                for name, value in one.filled.items()
                if _is_read(kind.fields[name], roles) and (not kind.fields[name].own or one.actor_id == by.actor_id)
            },
        )
        for one in case.history
    )


def public_fields(kind: CaseType, case: Case) -> dict[str, Any]:
    """Return the fields that anybody may read; none of a type that is restricted or sealed."""
    if kind.closed_circle:
        return {}
    return {name: value for name, value in case.values.items() if kind.fields[name].public}


def carried(kind: CaseType, case: Case) -> dict[str, Any]:
    """Return what a case hands on to its next edition: last year's plan, to be opened anew and told again."""
    return {name: case.values[source] for name, source in kind.handed_on.items() if source in case.values}


def facts_of(kind: CaseType, values: Mapping[str, Any], evidence: Iterable[str], times: Mapping[str, int]) -> Facts:
    """Return what a guard of a type may ask about."""
    options = {
        f"{name}.{column}": frozenset(one.options)
        for name, table in kind.fields.items()
        for column, one in table.columns.items()
        if one.kind is FieldKind.CHOICE
    }
    return Facts(values, frozenset(evidence), times, options)


def _roles_of_a_reader(kind: CaseType, case: Case, by: By, at: datetime) -> set[str]:
    roles = {one.role_id for one in by.grants if one.holds(at) and one.area_id in case.areas.values()}
    if not roles or (kind.closed_circle and not roles & kind.readers):
        raise NotAllowed(f"case {case.case_id}", "must be open to one of your roles here", "ask its owner")
    return roles


def _is_read(one: Field, roles: set[str]) -> bool:
    return not one.readers or bool(roles & one.readers)


def _wrote_last(case: Case, name: str, by: By) -> bool:
    writers = [change.actor_id for change in case.history if name in change.filled]
    return bool(writers) and writers[-1] == by.actor_id


def _step(kind: CaseType, case: Case, transition: str) -> Transition:
    step = kind.transitions.get(transition)
    if step is None:
        told = ", ".join(one.transition_id for one in kind.steps_from(case.state)) or "none"
        raise NotFound(f"step {transition!r}", f"does not exist in {kind.type_id}", f"from here there are: {told}")
    if case.state not in step.sources:
        told = ", ".join(one.transition_id for one in kind.steps_from(case.state)) or "none"
        raise Conflict(f"step {transition!r}", f"does not leave {case.state!r}", f"from here there are: {told}")
    return step


def _require_role(roles: Iterable[str], areas: Mapping[str, str], level: str | None, by: By, at: datetime) -> None:
    order = list(areas)
    reach = order[: order.index(level) + 1] if level in order else order if level is None else order[:1]
    allowed = {areas[one] for one in reach}
    if not any(one.role_id in roles and one.area_id in allowed and one.holds(at) for one in by.grants):
        where = f"here, at {level} level or above" if level else "here"
        raise NotAllowed(
            f"one of the roles {', '.join(sorted(roles))}", f"must be granted to you {where}", "ask who holds it"
        )


def _require_other_eyes(step: Transition, case: Case, by: By) -> None:
    for one in case.history:
        if one.transition in step.other_than and one.actor_id == by.actor_id:
            raise NotAllowed(
                step.transition_id, f"must not be done by whoever did {one.transition}", "ask a colleague to do it"
            )
        if one.transition in step.other_unit_than and one.unit_id == by.unit_id:
            raise NotAllowed(
                step.transition_id, f"must be done by another unit than {one.transition}", "ask another unit"
            )


def _require_time(step: Transition, case: Case, at: datetime) -> None:
    stood = at - case.entered_at
    told = f"{step.transition_id} after {stood.total_seconds() / 86400:.1f} days in {case.state!r}"
    least, most = step.waits, step.within
    if least is not None and stood < least.length(86400.0):
        raise Conflict(told, f"must be there at least {least.n} {least.unit}", "wait, or take another step")
    if most is not None and stood > most.length(86400.0):
        raise Conflict(told, f"must be there at most {most.n} {most.unit}", "wait, or take another step")


def _require_apart(step: Transition, case: Case, evidence: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name, digest in [item for one in case.history for item in one.evidence.items()] + list(evidence.items()):
        if name not in step.apart:
            continue
        if seen.setdefault(digest, name) != name:
            raise BadInput(
                f"evidence {name} of {step.transition_id}", f"must be another file than {seen[digest]}",
                "store a picture of each",
            )  # fmt: skip


def _require_unit(step: Transition, case: Case, by: By) -> None:
    if step.unit is not None and case.values.get(step.unit) != by.unit_id:
        told = case.values.get(step.unit, "nobody yet")
        raise NotAllowed(f"unit {by.unit_id}", f"must be {told}, as {step.unit} says", "ask that unit")


def _require_linked(kind: CaseType, step: Transition, linked: tuple[Linked, ...]) -> None:
    unfinished = [one.case_id for one in linked if one.child and not one.closed]
    if step.children_closed and unfinished:
        raise Conflict(f"open children {', '.join(unfinished[:5])}", "must be closed first", "close each of them")
    pending = [one for one in linked if one.type_id in step.clear_of and not one.closed]
    if pending:
        told = ", ".join(f"{one.type_id} {one.case_id}" for one in pending[:5])
        raise Conflict(f"{told} in {pending[0].state!r}", f"must be closed before {step.transition_id}", "resolve it")
    for gate in kind.gates:
        if gate.transition != step.transition_id:
            continue
        if not any(one.type_id == gate.type_id and one.state in gate.states for one in linked):
            told = " or ".join(sorted(gate.states))
            rule = f"must wait for a {gate.type_id} that is {told}"
            raise Conflict(step.transition_id, rule, f"link the {gate.type_id} when it is there")


def _checked(kind: CaseType, filled: Mapping[str, Any], allowed: tuple[str, ...]) -> dict[str, Any]:
    for name in filled:
        if name not in allowed:
            told = ", ".join(allowed) or "none"
            raise BadInput(f"field {name!r}", "must be one that this step fills", f"fill any of: {told}")
    return {name: kind.fields[name].check(value) for name, value in filled.items()}


def _require_order(kind: CaseType, filled: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuse an end before its beginning where one of the two is told now."""
    for name in values:
        for before in kind.fields[name].after:
            if before not in values or not {name, before} & filled.keys():
                continue
            told, other, step = values[name], values[before], "correct one of the two"
            if told < other:
                raise BadInput(f"{name}={told}", f"must not be before {before}={other}", step)
            # On one day both may be due; nothing ends at the moment at which it begins.
            if told == other and kind.fields[name].kind is FieldKind.MOMENT:
                raise BadInput(f"{name}={told}", f"must be later than {before}", step)


def _require_sound_plan(kind: CaseType, filled: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuse triggers that could never run, as soon as they are told."""
    live = kind.live
    if live is not None and {live.zones, live.triggers, live.devices} & filled.keys():
        read_live(live, values)


def _require_filled(missing: list[str], step: str) -> None:
    if missing:
        raise BadInput(f"field {', '.join(missing)}", f"must be filled in for {step}", "fill it in")


def _evidence(kind: CaseType, evidence: Mapping[str, str]) -> dict[str, str]:
    for name, digest in evidence.items():
        if name not in kind.evidence:
            told = ", ".join(kind.evidence) or "none"
            raise BadInput(f"evidence {name!r}", "must be of a kind that the type knows", f"give any of: {told}")
        if not _DIGEST.fullmatch(digest):
            raise BadInput(f"evidence {name}={digest[:70]!r}", "must be a SHA-256 in hex", "store the file first")
    return dict(evidence)


def _require_guard(
    kind: CaseType, step: Transition, case: Case, told: tuple[Mapping[str, Any], Mapping[str, str]]
) -> None:
    values, evidence = told
    if step.guard is None:
        return
    given = [*(name for one in case.history for name in one.evidence), *evidence]
    times = {one.transition: case.times(one.transition) for one in case.history}
    truth = step.guard.holds(facts_of(kind, values, given, times))
    if truth:
        return
    if truth is None:
        asked = {part.name for part in step.guard.parts() if isinstance(part, Name)}
        asked |= {part.table for part in step.guard.parts() if isinstance(part, Over | Covers)}
        _require_filled(sorted(asked - set(values)), step.transition_id)
    why = (step.because or {}).get("en") or step.guard.text
    raise Conflict(step.transition_id, f"must wait: {why}", "do that first, or take another step", because=step.because)


def _owner(step: Transition, case: Case) -> str:
    if not step.moves_up:
        return case.owner_level
    levels = list(case.areas)
    k = levels.index(case.owner_level)
    if k == 0:
        raise Conflict(step.transition_id, "cannot go above the top of the district", "decide it here")
    return levels[k - 1]
