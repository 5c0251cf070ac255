"""Whether a case type can run: every name leads somewhere, every state leads to an end, every guard can be decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anlan.cases.definition import (
    MIGRATE,
    OPEN,
    CaseType,
    ClockRule,
    Field,
    FieldKind,
    Measured,
    PublicSide,
    Refers,
    Transition,
)
from anlan.cases.guards import Ask, Both, Covers, Expression, Literal, Name, Node, Not, Over
from anlan.cases.reading import Fault, Faults, parse_type
from anlan.kernel.errors import BadInput

_KINDS = {
    FieldKind.TEXT: "text", FieldKind.CHOICE: "text", FieldKind.DATE: "text", FieldKind.MOMENT: "text",
    FieldKind.NUMBER: "number", FieldKind.INTEGER: "number", FieldKind.BOOLEAN: "truth", FieldKind.TABLE: "table",
}  # fmt: skip


def read_type(text: str, where: str = "case type") -> CaseType:
    """Return the case type that a TOML text describes.

    Raises
    ------
    BadInput
        If anything in it is wrong; all of it is told at once.
    """
    made, faults = _checked(text, where)
    blocking = [one for one in faults if one.blocking]
    if made is None or blocking:
        told = "; ".join(f"{one.where}: {one.value} {one.rule}" for one in blocking)
        raise BadInput(f"case type in {where}", f"has {len(blocking)} faults: {told}", "correct every one of these")
    return made


def lint_type(text: str, where: str = "case type") -> list[Fault]:
    """Return everything that is wrong with a case type, and advice; an empty list for a sound one."""
    return list(_checked(text, where)[1])


def _checked(text: str, where: str) -> tuple[CaseType | None, Faults]:
    made, faults = parse_type(text, where)
    if made is not None:
        _check_names(made, faults)
        _check_guards(made, faults)
        _check_ends(made, faults)
        _check_clocks(made, faults)
        _check_public(made, faults)
        _check_counted(made, faults)
        _check_live(made, faults)
        if not made.example:
            faults.append(Fault(where, "example", "should show one history", "add [[example]] rows", blocking=False))
    return made, faults


def _known(faults: Faults, where: str, names: Iterable[str], known: Iterable[str], what: str) -> None:
    every = set(known)
    for name in sorted(set(names) - every):
        told = ", ".join(sorted(every)) or "none"
        faults.add(where, repr(name), f"is no {what} of this type", f"declare it, or choose one of {told}")


def _check_names(kind: CaseType, faults: Faults) -> None:
    _known(faults, "opens", [kind.opens], kind.states, "state")
    _known(faults, "opened_by", kind.opened_by, kind.roles, "role")
    _known(faults, "readers", kind.readers, kind.roles, "role")
    _check_secrecy(kind, faults)
    for name, one in kind.fields.items():
        _known(faults, f"fields.{name} readers", one.readers, kind.roles, "role")
        alike = [key for key, other in kind.fields.items() if other.kind is one.kind and key != name]
        _known(faults, f"fields.{name} after", one.after, alike, f"other {one.kind}")
    _check_steps(kind, faults)
    for gate in kind.gates:
        _known(faults, "gates", [gate.transition], kind.transitions, "step")
    _known(faults, "retention keeps", kind.retention.keeps, kind.fields, "field")
    _known(faults, "opening", kind.opening, kind.fields, "field")
    _known(faults, "carried", kind.handed_on, kind.told_at_opening, "field that is told at the opening")
    for name, paper in kind.documents.items():
        _known(faults, f"documents.{name}", paper.states, kind.states, "state")
    for name in sorted(kind.retention.keeps & kind.fields.keys()):
        if kind.fields[name].kind is FieldKind.TABLE:
            faults.add("retention keeps", name, "must not be a table", "keep choices, numbers and dates")
        if kind.fields[name].kind is FieldKind.TEXT:
            faults.add("retention keeps", name, "must not be free text", "keep choices, numbers and dates")


def _check_secrecy(kind: CaseType, faults: Faults) -> None:
    if kind.closed_circle:
        if not kind.readers:
            faults.add("readers", "none", f"must be given where a type is {kind.confidentiality}", "name its roles")
        told = [name for name, one in kind.fields.items() if one.public]
        for name in [*told, *(clock.clock_id for clock in kind.clocks if clock.public)]:
            faults.add(name, "public", f"must not be in a type that is {kind.confidentiality}", "take it out")


def _check_counted(kind: CaseType, faults: Faults) -> None:
    for name, one in kind.fields.items():
        rule = one.counted
        if rule is None:
            continue
        where = f"fields.{name} counted"
        _known(faults, where, filter(None, [rule.before, rule.after]), {*kind.transitions, OPEN}, "step")
        if rule.by is not None or rule.kinds:
            by = kind.fields.get(rule.by or "")
            options = by.options if by is not None else {}
            _known(faults, f"{where} kinds", rule.kinds, options, f"option of {rule.by}")


_LIVE = {
    "zones": {"zone": "text", "ground": Refers.GROUND, "capacity": "number", "most_per_m2": "number"},
    "triggers": {
        "zone": "text", "measure": "text", "above": "number", "for_min": "number", "action": "text", "office": "text"
    },
    "devices": {"device": Refers.DEVICE, "zone": "text", "measure": "text", "limit": "number"},
    "staffing": {"zone": "text", "n_staff": "number"},
}  # fmt: skip
"""The columns without which a plan cannot run, and what each holds."""


def _check_live(kind: CaseType, faults: Faults) -> None:
    live = kind.live
    if live is None:
        return
    _known(faults, "live states", live.states | live.foreseen, kind.states, "state")
    for word, name, holds in (
        ("expected", live.expected, FieldKind.INTEGER),
        ("begins", live.begins, FieldKind.MOMENT),
        ("ends", live.ends, FieldKind.MOMENT),
        ("repeats", live.repeats, FieldKind.MOMENT),
    ):
        field = kind.fields.get(name or "")
        if name is not None and (field is None or field.kind is not holds):
            faults.add(f"live {word}", name, f"must be a field that holds a {holds}", "correct it")
    for name, needed in _LIVE.items():
        if getattr(live, name) is None:
            continue
        table = kind.fields.get(getattr(live, name))
        columns = {} if table is None else table.columns
        for column, what in needed.items():
            one = columns.get(column)
            sound = one is not None and one.required
            sound = sound and one is not None and (one.refers is what or _KINDS[one.kind] == what)
            if not sound:
                told = f"refer to a {what}" if isinstance(what, Refers) else f"hold a {what}"
                rule = f"must have a required column {column} that is to {told}"
                faults.add(f"live {name}", getattr(live, name), rule, "add it")


def _check_public(kind: CaseType, faults: Faults) -> None:
    """Refuse a public side that could not take a report, or would tell what is not the public's."""
    side = kind.public_side
    if side is None:
        return
    if kind.closed_circle:
        faults.add("public", kind.confidentiality, "must not be of a type of a closed circle", "take [public] out")
    _known(faults, "public role", [side.role], kind.opened_by, "role that opens it")
    named = [one for one in (side.by, side.words, side.where, side.source) if one]
    _known(faults, "public", named, kind.told_at_opening, "field told at the opening")
    _known(faults, "public tells", side.tells, kind.fields, "field")
    _known(faults, "public notes", side.notes, kind.transitions, "step")
    _known(faults, "public photo, shows", {*filter(None, [side.photo]), *side.shows}, kind.evidence, "evidence")
    by = kind.fields.get(side.by)
    if by is not None and not (by.kind is FieldKind.CHOICE and by.public and by.required):
        faults.add("public by", side.by, "must be a choice that is public and required", "name another field")
    texts = [name for name, one in kind.fields.items() if one.kind is FieldKind.TEXT]
    for name in {side.words, side.where or side.words} & kind.fields.keys() - set(texts):
        faults.add("public words, where", name, "must be a text", "name another field")
    for name in sorted(side.tells & kind.fields.keys()):
        if kind.fields[name].readers or kind.fields[name].own:
            faults.add("public tells", name, "must not be a field with readers of its own", "take it out")
    source = kind.fields.get(side.source or "")
    if source is not None:
        _known(faults, "public source", [side.page, side.open311], source.options, "option")
    _check_services(kind, side, faults)


def _check_services(kind: CaseType, side: PublicSide, faults: Faults) -> None:
    always = {side.by, side.words, side.source}
    options = kind.fields[side.by].options if side.by in kind.fields else {}
    for name, one in side.services.items():
        where = f"public.services.{name}"
        _known(faults, where, [name], options, f"option of {side.by}")
        _known(faults, f"{where} asks", one.asks, _askable(kind) - always, "public field told at the opening")
        _known(faults, f"{where} needs", one.needs, one.asks, "field that it asks")
        required = {field.field_id for field in kind.fields.values() if field.required} - always - one.needs
        for missing in sorted(required):
            faults.add(where, missing, "is required, so reports must be asked for it", "add it to asks and needs")


def _askable(kind: CaseType) -> set[str]:
    return {
        name for name in kind.told_at_opening
        if kind.fields[name].public and kind.fields[name].kind is not FieldKind.TABLE
    }  # fmt: skip


def _check_steps(kind: CaseType, faults: Faults) -> None:
    steps = {*kind.transitions, OPEN}
    for name in {OPEN, MIGRATE} & kind.transitions.keys():
        faults.add(f"transitions.{name}", name, "is a name of the engine's own", "give it another name")
    for name, step in kind.transitions.items():
        where = f"transitions.{name}"
        _known(faults, f"{where} from", step.sources, kind.states, "state")
        _known(faults, f"{where} to", [step.target], kind.states, "state")
        _known(faults, f"{where} roles", step.roles, kind.roles, "role")
        _known(faults, f"{where} evidence", step.evidence, kind.evidence, "evidence")
        _known(faults, where, {*step.fills, *step.needs}, kind.fields, "field")
        _known(faults, f"{where} anew", step.anew, step.fills, "field that the step fills")
        _known(faults, f"{where} unit", filter(None, [step.unit]), kind.fields, "field")
        _known(faults, f"{where} apart", step.apart, kind.evidence, "evidence")
        _check_waits(where, step, faults)
        _known(faults, where, step.other_than | step.other_unit_than, steps, "step")
        if not step.roles:
            faults.add(where, "roles", "must name somebody who may do it", "name a role")
        if step.level and step.owner:
            faults.add(where, "level", "must not stand beside owner", "choose one")


def _check_waits(where: str, step: Transition, faults: Faults) -> None:
    for word, amount in (("waits", step.waits), ("within", step.within)):
        if amount is not None and amount.measured is Measured.WORKING:
            faults.add(where, word, "must be calendar time", "write it like '90 days'; a clock counts working time")
    if step.waits and step.within and step.waits.length(86400.0) > step.within.length(86400.0):
        faults.add(where, "waits", "must not be longer than within", "correct one of the two")


def _check_guards(kind: CaseType, faults: Faults) -> None:
    known = {"given": kind.fields, "has": kind.evidence, "times": {**kind.transitions, OPEN: None}}
    known["rows"] = {name: one for name, one in kind.fields.items() if one.kind is FieldKind.TABLE}
    for name, step in kind.transitions.items():
        if step.guard is not None:
            found = _guard_fault(step.guard, kind.fields, known)
            if found:
                faults.add(f"transitions.{name} guard", repr(step.guard.text), found)
    for name, table in kind.fields.items():
        if table.each is not None:
            found = _guard_fault(table.each, table.columns, {"given": table.columns})
            if found:
                faults.add(f"fields.{name} each", repr(table.each.text), found)


def _guard_fault(guard: Expression, fields: Mapping[str, Field], known: Mapping[str, Iterable[str]]) -> str:
    for node in guard.parts():
        if isinstance(node, Name) and node.name not in fields:
            return f"asks for the field {node.name!r}, which there is not"
        if isinstance(node, Ask) and node.name not in known.get(node.what, ()):
            return f"asks {node.what}({node.name}), which there is not"
        found = _table_fault(node, fields) if isinstance(node, Over | Covers) else ""
        if found:
            return found
    try:
        whole = _kind_of(guard.root, fields)
    except BadInput as fault:
        return f"{fault.value} {fault.rule}"
    return "" if whole == "truth" else f"must be true or false, and is a {whole}"


def _table_fault(node: Over | Covers, fields: Mapping[str, Field]) -> str:
    columns = fields[node.table].columns if node.table in fields else {}
    if not columns:
        return f"asks for the table {node.table!r}, which there is not"
    if isinstance(node, Covers):
        sound = node.column in columns and columns[node.column].options
        return "" if sound else f"asks for the choices of {node.table}.{node.column}, which there are not"
    found = _guard_fault(Expression("", node.part), columns, {"given": columns})
    return f"{found} in {node.table}" if found else ""


def _kind_of(node: Node, fields: Mapping[str, Field]) -> str:
    """Return truth, number, text or list; raise where a part cannot be decided."""
    if isinstance(node, Literal):
        value = node.value
        return (
            "truth" if isinstance(value, bool) else "text" if isinstance(value, str)
            else "list" if isinstance(value, tuple) else "number"
        )  # fmt: skip
    if isinstance(node, Name):
        return _KINDS[fields[node.name].kind]
    if isinstance(node, Ask):
        return "number" if node.what in {"times", "rows"} else "truth"
    if isinstance(node, Over | Covers):
        return "truth"
    if isinstance(node, Not):
        return _need(node.part, "truth", fields)
    return _kind_of_both(node, fields)


def _kind_of_both(node: Both, fields: Mapping[str, Field]) -> str:
    if node.sign in {"and", "or"}:
        _need(node.left, "truth", fields)
        return _need(node.right, "truth", fields)
    left, right = _kind_of(node.left, fields), _kind_of(node.right, fields)
    if (node.sign == "in") != (right == "list") or left == "list":
        raise BadInput(
            f"{node.sign!r}", "must have a value on the left, and a list on the right of in only", "correct it"
        )
    literal = node.right.value if isinstance(node.right, Literal) else None
    if "table" in {left, right}:
        raise BadInput(f"{node.sign!r}", "must not compare a table", "ask for its rows, or for some or every row")
    if node.sign != "in" and left != right:
        raise BadInput(f"{node.sign!r}", f"must not compare a {left} with a {right}", "correct it")
    if node.sign in {"<", "<=", ">", ">="} and left == "truth":
        raise BadInput(f"{node.sign!r}", "must not order what is true or false", "use == or the field alone")
    if isinstance(node.left, Name) and fields[node.left.name].options and literal is not None:
        told = literal if isinstance(literal, tuple) else (literal,)
        wrong = [one for one in told if one not in fields[node.left.name].options]
        if wrong:
            raise BadInput(repr(wrong[0]), f"must be an option of {node.left.name}", "correct it")
    return "truth"


def _need(node: Node, wanted: str, fields: Mapping[str, Field]) -> str:
    found = _kind_of(node, fields)
    if found != wanted:
        raise BadInput(f"a {found}", "must be true or false there", "compare it with something")
    return found


def _check_ends(kind: CaseType, faults: Faults) -> None:
    closed = {name for name, one in kind.states.items() if one.closed}
    if not closed:
        faults.add("states", "none", "is closed: a case could never end", "set closed = true on the last state")
        return
    forth, back = _reached({kind.opens}, kind, back=False), _reached(closed, kind, back=True)
    for name in kind.states:
        if name not in forth:
            faults.add("states", repr(name), "cannot be reached from the opening", "add a step to it, or take it out")
        elif name not in back:
            faults.add("states", repr(name), "leads to no closed state: a case could never end", "add a step onward")


def _reached(begin: set[str], kind: CaseType, *, back: bool) -> set[str]:
    found = set(begin)
    while True:
        if back:
            more = {one for step in kind.transitions.values() if step.target in found for one in step.sources} - found
        else:
            more = {step.target for step in kind.transitions.values() if step.sources & found} - found
        if not more:
            return found
        found |= more


def _check_clocks(kind: CaseType, faults: Faults) -> None:
    for clock in kind.clocks:
        where = f"clocks.{clock.clock_id}"
        _known(faults, where, clock.starts | clock.stops | clock.pauses, kind.states, "state")
        _known(faults, where, [*clock.stopped_by, *filter(None, [clock.extended_by])], kind.transitions, "step")
        if clock.until is not None:
            _check_until(kind, clock, faults)
        twice = (clock.starts & clock.stops) | (clock.starts & clock.pauses) | (clock.stops & clock.pauses)
        for name in sorted(twice):
            faults.add(
                where, repr(name), "must start, rest or stop it, and only one of these", "take it out of the others"
            )
        for name in sorted(clock.starts):
            if name in kind.states and kind.states[name].closed:
                faults.add(where, repr(name), "must not start a clock where a case has ended", "take it out")


def _check_until(kind: CaseType, clock: ClockRule, faults: Faults) -> None:
    """A clock that runs to a date: the date is known before it begins, and it neither rests nor is extended."""
    where, name = f"clocks.{clock.clock_id}", str(clock.until)
    _known(faults, f"{where} until", [name], kind.fields, "field")
    if name not in kind.fields:
        return
    if kind.fields[name].kind not in {FieldKind.DATE, FieldKind.MOMENT}:
        faults.add(where, f"until={name}", "must be a date or a moment", "choose another field")
    if clock.pauses or clock.extended_by:
        faults.add(where, "pauses, extended_by", "must not stand beside until", "let a step fill another date")
    told = {step.transition_id for step in kind.transitions.values() if name in (*step.needs, *step.anew)}
    for step in kind.transitions.values():
        enters = step.target in clock.starts and not step.sources <= clock.starts
        if enters and not clock.optional and not kind.fields[name].required and step.transition_id not in told:
            faults.add(
                where, f"until={name}", f"must be known when {step.transition_id} begins it", "let it need the date"
            )
    if kind.opens in clock.starts and not clock.optional and not kind.fields[name].required:
        faults.add(where, f"until={name}", "must be known at the opening", "set required = true")
