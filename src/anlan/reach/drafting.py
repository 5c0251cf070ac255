"""What each step of a response means for units, assignments and incidents, as drafts: nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from anlan.kernel.errors import Conflict
from anlan.kernel.records import Draft
from anlan.kernel.response import Assignment, Incident, IncidentState, UnitNow, UnitStatus
from anlan.reach.keeping import Kept, freed, over
from anlan.response.dispatch import Arrival, check_step, state_of


@dataclass(frozen=True, slots=True)
class Sending:
    """Who goes to an incident, who sends them and when, and how soon each is expected there.

    Attributes
    ----------
    incident : Incident
    units : sequence of UnitNow
    arrivals : mapping
        What is expected of each unit, by id; one that no way leads from is absent.
    overridden : frozenset
        The units that no recommendation named, by id.
    actor : str
    at : datetime
    """

    incident: Incident
    units: Sequence[UnitNow]
    arrivals: Mapping[str, Arrival]
    overridden: frozenset[str]
    actor: str
    at: datetime


def check_can_go(kept: Kept, unit: UnitNow, incident: Incident) -> None:
    """Raise Conflict where a unit cannot be sent to an incident: it is busy with one as urgent, or out of service."""
    name = f"unit {unit.unit.unit_id!r}"
    check_step(unit.unit.unit_id, unit.status, UnitStatus.DISPATCHED)
    if unit.incident_id is None:
        return
    if unit.incident_id == incident.incident_id:
        raise Conflict(name, "goes to this incident already", "read the incident again")
    other = kept.incident(unit.incident_id)
    if other.priority <= incident.priority:
        raise Conflict(
            name,
            f"is on its way to incident {other.incident_id!r} of priority {other.priority}",
            "choose another, or recall it there first",
        )


def drafts_of_sending(kept: Kept, what: Sending) -> list[Draft]:
    """Return every draft of one dispatch: what each unit leaves, its new part, and the incidents concerned."""
    incident, drafts = what.incident, []
    made: list[Assignment] = []
    left: dict[str, list[Assignment]] = {}
    for n, unit in enumerate(what.units, start=len(kept.of_incident.get(incident.incident_id, ())) + 1):
        if unit.assignment_id is not None and unit.incident_id is not None:
            ended = over(kept.assignments[unit.assignment_id], what.at, "pre_empted")
            drafts.append(kept.draft(ended, "pre_empt", what.actor))
            left.setdefault(unit.incident_id, []).append(ended)
        own = _part(what, unit.unit.unit_id, n)
        made.append(own)
        sent = replace(
            unit,
            status=UnitStatus.DISPATCHED,
            since_at=what.at,
            incident_id=incident.incident_id,
            assignment_id=own.assignment_id,
        )
        drafts += [kept.draft(own, "dispatch", what.actor), kept.draft(sent, "dispatched", what.actor)]
    for other_id, overs in left.items():
        drafts.append(kept.draft(_moved_on(kept, kept.incident(other_id), overs), "pre_empt", what.actor))
    now = replace(incident, dispatched_at=incident.dispatched_at or what.at)
    drafts.append(kept.draft(_moved_on(kept, now, made), "dispatch", what.actor))
    return drafts


def drafts_of_step(
    kept: Kept, unit: UnitNow, after: UnitStatus, actor: str, at: datetime, outcome: str | None = None
) -> list[Draft]:
    """Return a unit's step with what it means for its assignment and incident; Conflict where it may not follow.

    Whoever leaves the scene as the last one closes the incident, where an ``outcome`` is told.
    """
    check_step(unit.unit.unit_id, unit.status, after)
    if unit.assignment_id is None or unit.incident_id is None:
        return [kept.draft(replace(unit, status=after, since_at=at), str(after), actor)]
    assignment, incident = kept.assignments[unit.assignment_id], kept.incident(unit.incident_id)
    moved = replace(unit, status=after, since_at=at)
    if after is UnitStatus.EN_ROUTE:
        assignment = replace(assignment, en_route_at=at)
    elif after is UnitStatus.ON_SCENE:
        assignment = replace(assignment, on_scene_at=at)
        first = at if incident.on_scene_at is None else min(at, incident.on_scene_at)
        incident = replace(incident, on_scene_at=first)
    else:
        assignment, moved = over(assignment, at, _ended(unit)), freed(unit, after, at)
    drafts = [kept.draft(assignment, str(after), actor), kept.draft(moved, str(after), actor)]
    incident = _moved_on(kept, incident, [assignment])
    if outcome and incident.state is IncidentState.WAITING:
        incident = replace(incident, state=IncidentState.CLOSED, closed_at=at, outcome=outcome)
    if incident != kept.incident(incident.incident_id):
        drafts.append(kept.draft(incident, str(incident.state), actor))
    return drafts


def drafts_of_closing(kept: Kept, incident: Incident, outcome: str, actor: str, at: datetime) -> list[Draft]:
    """Return an incident that is closed, with whoever is still on it on the way back."""
    drafts = []
    for unit in kept.units.values():
        if unit.incident_id == incident.incident_id and unit.assignment_id is not None:
            ended = _ended(unit)
            drafts.append(kept.draft(over(kept.assignments[unit.assignment_id], at, ended), ended, actor))
            drafts.append(kept.draft(freed(unit, UnitStatus.RETURNING, at), "returning", actor))
    closed = replace(
        incident,
        state=IncidentState.CLOSED,
        closed_at=at,
        outcome=outcome,
        unattended=incident.on_scene_at is None,
    )
    return [*drafts, kept.draft(closed, "close", actor)]


def _part(what: Sending, unit_id: str, n: int) -> Assignment:
    """Return the part of one unit in a response, the n-th of its incident."""
    found = what.arrivals.get(unit_id)
    return Assignment(
        assignment_id=f"{what.incident.incident_id}-{n}",
        incident_id=what.incident.incident_id,
        unit_id=unit_id,
        received_at=what.incident.received_at,
        dispatched_at=what.at,
        expected_s=None if found is None else round(found.expected_s, 1),
        low_s=None if found is None else round(found.low_s, 1),
        high_s=None if found is None else round(found.high_s, 1),
        nominal_s=None if found is None or found.nominal_s is None else round(found.nominal_s, 1),
        overridden=unit_id in what.overridden,
    )


def _ended(unit: UnitNow) -> str:
    return "cleared" if unit.status is UnitStatus.ON_SCENE else "recalled"


def _moved_on(kept: Kept, incident: Incident, changed: Sequence[Assignment]) -> Incident:
    """Return an incident in the state that its assignments, some of them changed, leave it in."""
    own = {one.assignment_id: one for one in kept.assignments_of(incident.incident_id)}
    own |= {one.assignment_id: one for one in changed}
    return replace(incident, state=state_of(own.values(), closed=incident.closed_at is not None))
