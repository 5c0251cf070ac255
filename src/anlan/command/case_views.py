"""Cases as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from anlan.cases import CaseChange, CaseType, Reading
from anlan.cases.definition import OPEN, Field, Transition
from anlan.command.views import moment
from anlan.kernel.records import Label
from anlan.kernel.refusals import parts_in_chinese
from anlan.matters import Agenda, Imported, Moved, Route, Seen, Standing, Taken
from anlan.matters.standing import NARROW
from anlan.store import casebook
from anlan.store.casebook import Row


def _when(count: int) -> str | None:
    at = casebook.moment(count)
    return None if at is None else moment(at)


def brief(seen: Seen) -> dict[str, Any]:
    """Return a case in a list."""
    row, kind = seen.row, seen.kind
    return {
        "id": row["case_id"],
        "type": row["type_id"],
        "version": row["version"],
        "label": dict(kind.label),
        "state": row["state"],
        "state_label": dict(kind.states[row["state"]].label),
        "closed": bool(row["closed"]),
        "light": seen.light,
        "area": row["area_id"],
        "owner_level": row["owner_level"],
        "owner_area": row["owner_area_id"],
        "post": row["post"],
        "opened_at": _when(row["opened_at"]),
        "changed_at": _when(row["changed_at"]),
        "due_at": _when(row["due_at"]),
        "n_changes": row["n_changes"],
        "forgotten": bool(row["forgotten"]),
        "lon": row["lon"],
        "lat": row["lat"],
        "fields": {} if kind.confidentiality in NARROW else dict(seen.fields),
    }


def case(seen: Seen) -> dict[str, Any]:
    """Return a whole case."""
    labels = {rule.clock_id: dict(rule.label) for rule in seen.kind.clocks}
    return brief(seen) | {
        "fields": dict(seen.fields),
        "field_labels": {name: dict(one.label) for name, one in seen.kind.fields.items()},
        "clocks": [clock(one, labels[one.clock_id]) for one in seen.clocks],
        "steps": [step(one) for one in seen.steps],
        "others": [_of_others(one, seen.kind) for one in _left(seen)],
        "parent": seen.parent_id,
        "children": [_linked(one) for one in seen.children],
        "waits_for": [_linked(one) for one in seen.waits_for],
        "told": [told(one) for one in seen.told],
        "files": [
            {"digest": one["digest"], "media_type": one["media_type"], "n_bytes": one["n_bytes"]} for one in seen.files
        ],
    }


def clock(one: Reading, label: dict[str, str]) -> dict[str, Any]:
    """Return a clock as it stands."""
    return {
        "id": one.clock_id,
        "label": label,
        "phase": one.phase,
        "light": one.light,
        "elapsed_s": one.elapsed.total_seconds(),
        "limit_s": one.limit.total_seconds(),
        "due_at": None if one.due_at is None else moment(one.due_at),
        "provisional_years": list(one.provisional_years),
    }


def step(one: Transition) -> dict[str, Any]:
    """Return a step that may be tried."""
    return {
        "id": one.transition_id,
        "label": dict(one.label),
        "to": one.target,
        "fills": list(one.fills),
        "needs": list(one.needs),
        "anew": list(one.anew),
        "evidence": list(one.evidence),
        "note": one.note,
        "because": None if one.because is None else dict(one.because),
    }


def _left(seen: Seen) -> list[Transition]:
    """Return the steps from where a case stands that its reader may not take."""
    if seen.case.forgotten_at is not None:
        return []
    own = {one.transition_id for one in seen.steps}
    from_here = [one for one in seen.kind.transitions.values() if seen.case.state in one.sources]
    return [one for one in from_here if one.transition_id not in own]


def _of_others(one: Transition, kind: CaseType) -> dict[str, Any]:
    return {
        "id": one.transition_id,
        "label": dict(one.label),
        "roles": [dict(kind.roles[name]) for name in sorted(one.roles) if name in kind.roles],
        "apart_from": sorted(one.other_than | one.other_unit_than),
    }


def _linked(row: Row) -> dict[str, Any]:
    return {"id": row["case_id"], "type": row["type_id"], "state": row["state"], "closed": bool(row["closed"])}


def told(row: Row) -> dict[str, Any]:
    """Return what a clock told."""
    return {
        "clock": row["clock_id"],
        "at": _when(row["at"]),
        "share": row["share"],
        "to": row["climb"],
        "area": row["area_id"],
        "letter": bool(row["letter"]),
    }


def line(one: CaseChange, kind: CaseType, unit_name: Label | None) -> dict[str, Any]:
    """Return a line of a history."""
    step = kind.transitions.get(one.transition)
    roles = sorted(kind.opened_by if one.transition == OPEN else step.roles if step is not None else ())
    return {
        "step": one.transition,
        "source": one.source,
        "target": one.target,
        "at": moment(one.at),
        "actor": one.actor_id,
        "unit": one.unit_id,
        "unit_name": None if unit_name is None else dict(unit_name),
        "roles": [dict(kind.roles[name]) for name in roles if name in kind.roles],
        "filled": dict(one.filled),
        "evidence": dict(one.evidence),
        "note": one.note,
        "owner_level": one.owner_level,
    }


def taken(one: Taken) -> dict[str, Any]:
    """Return what became of an opening or a step."""
    return {
        "id": one.case_id, "type": one.type_id, "state": one.state, "n_changes": one.n_changes, "area": one.area_id,
    }  # fmt: skip


def route(way: Route, kind: CaseType, sees: Callable[[str], bool]) -> dict[str, Any]:
    """Return where a case would go, with every rule that was looked at; ``sees`` tells of which cases may be told."""
    level = way.owner_level
    usual = {"zh": f"按事项类型由 {level} 层级承办", "en": f"{kind.type_id} is owned at {level} level"}
    return {
        "areas": dict(way.areas),
        "owner_level": level,
        "owner_area": way.owner_area_id,
        "post": way.post,
        "because": dict(way.rule.because) if way.rule else usual,
        "rules": [
            {
                "id": one.rule.rule_id,
                "level": one.rule.level,
                "post": one.rule.post,
                "areas": list(one.rule.area_ids),
                "when": None if one.rule.when is None else one.rule.when.text,
                "because": dict(one.rule.because),
                "ruled_in": one.rule.case_id if one.rule.case_id and sees(one.rule.case_id) else None,
                "missed": one.missed,
            }
            for one in way.weighed
        ],
    }


def kind(one: CaseType, who: Standing) -> dict[str, Any]:
    """Return a type in force, and whether the asker may open cases of it."""
    held = {grant.role_id for grant in who.roles.get(one.type_id, ())}
    return {
        "id": one.type_id,
        "version": one.version,
        "label": dict(one.label),
        "purpose": dict(one.purpose),
        "confidentiality": one.confidentiality,
        "entry_level": one.entry_level,
        "may_open": bool(who.acts) and bool(held & one.opened_by),
        "fields": [_field(field) for field in one.fields.values()],
        "states": {state.state_id: dict(state.label) for state in one.states.values()},
        "evidence": {name: dict(label) for name, label in one.evidence.items()},
        "closed": [state.state_id for state in one.states.values() if state.closed],
        "opening": list(one.told_at_opening),
        "steps": {step.transition_id: dict(step.label) for step in one.transitions.values()},
        "clocks": {rule.clock_id: dict(rule.label) for rule in one.clocks},
        "children": sorted(one.children),
        "carried": sorted(one.carried),
        "handed_on": one.handed_on,
        "runs": one.live is not None,
        "gates": [{"step": gate.transition, "type": gate.type_id, "states": sorted(gate.states)} for gate in one.gates],
    }


def _field(one: Field) -> dict[str, Any]:
    return {
        "id": one.field_id,
        "label": dict(one.label),
        "kind": one.kind,
        "required": one.required,
        "options": {name: dict(label) for name, label in one.options.items()},
        "least": one.least,
        "most": one.most,
        "columns": [_field(column) for column in one.columns.values()],
        "because": None if one.because is None else dict(one.because),
        "refers": one.refers,
        "counted": one.counted is not None,
        "after": list(one.after),
    }


def agenda(made: Agenda) -> dict[str, Any]:
    """Return a calendar."""
    return {
        "days": [
            {
                "on": day.on.isoformat(),
                "working": day.working,
                "name": None if day.name is None else dict(day.name),
                "confirmed": day.confirmed,
                "n_due": dict(day.n_due),
                "due": [brief(one) for one in day.due],
            }
            for day in made.days
        ],
        "dated": [
            {
                "case": brief(one.seen),
                "field": one.field.field_id,
                "label": dict(one.field.label),
                "on": one.on.isoformat(),
                "at": None if one.at is None else moment(one.at),
            }
            for one in made.dated
        ],
        "whole": made.whole,
    }


def destroyed(row: Row) -> dict[str, Any]:
    """Return the record of what was destroyed of a case."""
    body = json.loads(row["body"])
    return {
        "case": row["case_id"],
        "type": row["type_id"],
        "destroyed_at": _when(row["destroyed_at"]),
        "fields": body["fields"],
        "n_notes": body["n_notes"],
        "n_files": len(body["digests"]),
        "basis": body["basis"],
    }


def imported(one: Imported) -> dict[str, Any]:
    """Return what became of a sheet."""
    faults = [asdict(fault) | {"zh": asdict(parts_in_chinese(fault.rule, fault.next_step))} for fault in one.faults]
    return {"n_cases": one.n_cases, "faults": faults, "opened": list(one.case_ids)}


def moved(one: Moved) -> dict[str, Any]:
    """Return what became of running cases."""
    misfits = [
        {"case": each.case_id, "where": fault.where, "value": fault.value, "rule": fault.rule,
         "next_step": fault.next_step, "zh": asdict(parts_in_chinese(fault.rule, fault.next_step))}
        for each in one.misfits for fault in each.misfits
    ]  # fmt: skip
    return {"to": one.version, "n_cases": one.n_cases, "misfits": misfits, "n_moved": one.n_moved}
