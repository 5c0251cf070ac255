"""Random walks through case types: whoever may, does whatever the file allows, and sometimes what it does not."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from anlan.cases import (
    OPEN,
    Action,
    By,
    Case,
    CaseType,
    Linked,
    advance,
    applied,
    open_case,
    replay,
    shipped_types,
)
from anlan.cases.definition import FieldKind
from anlan.cases.replay import LEVELS
from anlan.kernel.access import Grant
from anlan.kernel.errors import AnlanError

LONG_AGO = datetime.min.replace(tzinfo=UTC)
BEGIN = datetime(2026, 2, 10, 1, tzinfo=UTC)


@dataclass
class Walk:
    kind: CaseType
    case: Case
    refused: list = field(default_factory=list)


def areas_of(kind):
    return {level: f"{level}-1" for level in LEVELS[: LEVELS.index(kind.entry_level) + 1]}


def someone(actor, role, *, area="district-1", unit=None):
    grant = Grant(role_id=role, area_id=area, from_at=LONG_AGO)
    return By(actor_id=actor, unit_id=unit or f"unit of {actor}", grants=(grant,))


def at_state(type_id, state):
    """The case of an example as it first stood in a state."""
    kind = shipped_types().get(type_id)
    return kind, next(told.case for told in replay(kind) if told.case.state == state)


def rank_of(kind, one):
    """How many moments come one after the other before this one."""
    return 1 + max((rank_of(kind, kind.fields[name]) for name in one.after), default=-1)


def values_of(kind, one):
    if one.kind is FieldKind.BOOLEAN:
        return st.booleans()
    if one.kind is FieldKind.CHOICE:
        return st.sampled_from(sorted(one.options))
    if one.kind is FieldKind.TABLE:
        return tables_of(one)
    if one.kind in {FieldKind.NUMBER, FieldKind.INTEGER}:
        return st.integers(int(one.least or 0), int(one.most or 9))
    texts = {FieldKind.DATE: "2026-05-01", FieldKind.MOMENT: f"2026-05-01T{8 + rank_of(kind, one):02}:00:00+08:00"}
    return st.just(texts.get(one.kind, "text"))


def tables_of(table):
    """A whole table, one row for each option of its first choice; sometimes a row short, sometimes nonsense."""
    options = next(([*one.options] for one in table.columns.values() if one.options), ["only"])
    rows = [{name: one_cell(one, k, options) for name, one in table.columns.items()} for k in range(len(options))]
    return st.sampled_from([rows, rows, rows, rows[1:] or rows, [{}]])


def one_cell(one, k, options):
    if one.options:
        return options[k] if [*one.options] == options else sorted(one.options)[k % len(one.options)]
    if one.kind is FieldKind.BOOLEAN:
        return True
    if one.kind in {FieldKind.NUMBER, FieldKind.INTEGER}:
        return int(max(one.least or 0, 1))
    return "2026-05-01" if one.kind is FieldKind.DATE else f"text {k}"


def action_for(draw, kind, name, fills, evidence, note):
    filled = {one: draw(values_of(kind, kind.fields[one])) for one in fills if draw(st.integers(0, 29))}
    kept = [one for one in evidence if draw(st.integers(0, 19))]
    extra = [one for one in kind.evidence if one not in evidence and not draw(st.integers(0, 2))]
    files = {one: hashlib.sha256(f"{one}{draw(st.integers(0, 3))}".encode()).hexdigest() for one in kept + extra}
    return Action(transition=name, filled=filled, evidence=files, note="why" if note else "")


@st.composite
def walks(draw, kind, most=25):
    people = ["a", "b", "c", "d"]
    required = {name: draw(values_of(kind, one)) for name, one in kind.fields.items() if one.required}
    opener = someone(draw(st.sampled_from(people)), min(kind.opened_by))
    walk = Walk(kind, open_case(kind, ("c-1", areas_of(kind)), Action(transition=OPEN, filled=required), opener, BEGIN))
    at = BEGIN
    for _ in range(draw(st.integers(0, most))):
        at += timedelta(minutes=draw(st.integers(0, 20_000)))
        steps = kind.steps_from(walk.case.state) if draw(st.integers(0, 5)) else tuple(kind.transitions.values())
        if not steps:
            break
        step = draw(st.sampled_from(steps))
        role = draw(st.sampled_from(sorted(step.roles if draw(st.integers(0, 5)) else set(kind.roles))))
        unit = walk.case.values.get(step.unit) if step.unit and draw(st.integers(0, 5)) else None
        by = someone(draw(st.sampled_from(people)), role, unit=unit)
        action = action_for(draw, kind, step.transition_id, step.fills, step.evidence, draw(st.integers(0, 5)))
        gates = [gate for gate in kind.gates if draw(st.booleans())]
        linked = [
            Linked(case_id="other", type_id=gate.type_id, state=draw(st.sampled_from([*sorted(gate.states), "no"])),
                   closed=True)
            for gate in gates
        ]  # fmt: skip
        before = walk.case
        try:
            change = advance(kind, before, action, by, at=at, linked=linked)
        except AnlanError as refusal:
            walk.refused.append(refusal)
            assert walk.case is before
            continue
        walk.case = applied(before, change)
        assert all(
            any(one.type_id == gate.type_id and one.state in gate.states for one in linked)
            for gate in kind.gates
            if gate.transition == change.transition
        )
    return walk
