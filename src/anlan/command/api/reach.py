"""Incidents and units: raised, recommended, sent, followed, closed, proven."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import APIRouter, Body, Query, Response

from anlan.command import reach_views as seen
from anlan.command import views
from anlan.command.access import Admitted, Asker
from anlan.command.api import reach_forms as forms
from anlan.command.api.asked import Opened, Where
from anlan.command.api.forms import raw
from anlan.command.whereabouts import ASK
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import Conflict, NotAllowed
from anlan.kernel.records import Unit
from anlan.kernel.response import IncidentNow, PositionReport, UnitNow
from anlan.reach import Key, Wanted

router = APIRouter(tags=["reach"])

Hours = Annotated[float, Query(ge=0, le=24 * 400, description="How far back, in hours")]
NOT_WALKABLE, NEVER = 65535, 65534


@router.get("/playbooks", response_model=forms.Playbooks, summary="Kinds of incident, and who must go")
def playbooks(district: Opened) -> dict[str, Any]:
    """Return what there are playbooks for, and how each kind of unit moves."""
    return seen.playbooks(district.reach.playbooks)


@router.get("/incidents", response_model=forms.Incidents, summary="Open incidents, as they wait")
def incidents(district: Opened, asker: Admitted, where: Where, past_hours: Hours = 0) -> dict[str, Any]:
    """Return the open incidents, the most urgent first, and those closed in so many hours."""
    now = district.clock.now()
    every = district.reach.incidents(now - timedelta(hours=past_hours) if past_hours else None)
    found = [one for one in every if asker.scope.covers(where.of_point(one.incident.lon, one.incident.lat))]
    return {"at": views.moment(now), "incidents": [seen.incident(one) for one in found]}


@router.post("/incidents", response_model=forms.Incident, summary="Raise an incident")
def raise_incident(
    district: Opened, asker: Admitted, where: Where, made: forms.Raising, idempotency_key: forms.OnceKey = None
) -> dict[str, Any]:
    """Note a kind, a place, and a few words about the need: never about whoever called.

    With an ``Idempotency-Key`` the same request may be sent again, after an answer that never came: it raises nothing
    new and is answered by the incident as it stands.
    """
    lon, lat = made.at
    _within(asker, where, lon, lat, "this place")
    if idempotency_key is None:
        raised = district.reach.raise_incident(made.kind, lon, lat, asker.name, priority=made.priority, note=made.note)
    else:
        wanted = Wanted(made.kind, lon, lat, made.priority, made.note)
        raised = district.reach.raise_once(wanted, Key(asker.name, idempotency_key))
    return seen.incident(raised)


@router.get("/incidents/{incident_id}", response_model=forms.Incident, summary="One incident")
def incident(district: Opened, asker: Admitted, where: Where, incident_id: str) -> dict[str, Any]:
    """Return one incident with its note, while that is kept."""
    return seen.incident(_own(district, asker, where, incident_id))


@router.get("/incidents/{incident_id}/recommendation", response_model=forms.Recommendation, summary="Who should go")
def recommendation(district: Opened, asker: Admitted, where: Where, incident_id: str) -> Response:
    """Return who should go now, by arrival, capability and what cover would be left; and who could not, and why.

    Of an incident that is closed there is none, and the reason: who watches it may ask in that very moment.
    """
    _own(district, asker, where, incident_id)
    try:
        made = seen.recommendation(district.reach.recommend(incident_id))
    except Conflict:
        found = district.reach.incident(incident_id)
        if found.incident.closed_at is None:
            raise
        made = seen.nobody_to_send(found)
    # told as it is: looking through hundreds of units once more would take longer than weighing them
    return Response(msgspec.json.encode(made), media_type="application/json")


@router.post("/incidents/{incident_id}/dispatch", response_model=forms.Incident, summary="Send units")
def dispatch(district: Opened, asker: Admitted, where: Where, incident_id: str, sent: forms.Sending) -> dict[str, Any]:
    """Send units, all or none; others than recommended need a reason. Conflict where somebody was sooner."""
    _own(district, asker, where, incident_id)
    made = district.reach.dispatch(incident_id, sent.units, asker.name, reason=sent.reason, version=sent.version)
    return seen.incident(made)


@router.post("/incidents/{incident_id}/recall", response_model=forms.Incident, summary="Call a unit back")
def recall(
    district: Opened, asker: Admitted, where: Where, incident_id: str, unit: Annotated[str, Body(embed=True)]
) -> dict[str, Any]:
    """Call back a unit that has not arrived."""
    _own(district, asker, where, incident_id)
    return seen.incident(district.reach.recall(incident_id, unit, asker.name))


@router.post("/incidents/{incident_id}/close", response_model=forms.Incident, summary="Close an incident")
def close(
    district: Opened, asker: Admitted, where: Where, incident_id: str, outcome: Annotated[str, Body(embed=True)]
) -> dict[str, Any]:
    """Close it with what came of it; whoever is still on it is free."""
    _own(district, asker, where, incident_id)
    return seen.incident(district.reach.close(incident_id, outcome, asker.name))


@router.get("/units", response_model=forms.Units, summary="Every unit as it is now")
def units(district: Opened, asker: Admitted, where: Where) -> dict[str, Any]:
    """Return status, last position and incident of every unit."""
    found = [one for one in district.reach.units() if _sees(district, asker, where, one)]
    books = district.reach.playbooks
    return {
        "at": views.moment(district.clock.now()),
        "units": [seen.unit(one, books) for one in found],
        "posts": seen.posts(district.pack),
    }


@router.post("/units", response_model=forms.Unit, summary="Add a unit that the pack does not have")
def add_unit(district: Opened, asker: Admitted, made: forms.NewUnit) -> dict[str, Any]:
    """Add one that a neighbour lends, or a patrol of one night."""
    unit = Unit(
        unit_id=made.id,
        name=made.name,
        kind=made.kind,
        crew=made.crew,
        capabilities=tuple(made.capabilities),
        agency=made.agency,
    )
    return seen.unit(district.reach.add_unit(unit, made.at[0], made.at[1], asker.name), district.reach.playbooks)


@router.delete("/units/{unit_id}", status_code=204, summary="Remove a unit that was added")
def remove_unit(district: Opened, asker: Admitted, unit_id: str) -> None:
    """Remove it; one of the pack is set out of service instead."""
    district.reach.remove_unit(unit_id, asker.name)


@router.post("/units/positions", response_model=forms.Positions, summary="Report positions")
def positions(
    district: Opened,
    asker: Admitted,
    where: Where,
    positions: Annotated[list[forms.Position], Body(embed=True, max_length=2000)],
) -> dict[str, Any]:
    """Take positions, each judged by itself; only the last of a unit is kept."""
    reports = [PositionReport(unit_id=one.unit, at=parse_moment(one.at), lon=one.lon, lat=one.lat) for one in positions]
    for unit_id in {one.unit for one in positions}:
        _check_unit(district, asker, where, unit_id)
    n, faults = district.reach.report(reports)
    return {"taken": n, "refused": _refused(reports, faults)}


@router.post("/units/{unit_id}/status", response_model=forms.Unit, summary="Report a unit's next step")
def status(district: Opened, asker: Admitted, where: Where, unit_id: str, step: forms.Step) -> dict[str, Any]:
    """Take the step, where it may follow the present one; reported again, nothing happens."""
    _check_unit(district, asker, where, unit_id)
    moment = None if step.at is None else parse_moment(step.at)
    made = district.reach.step(unit_id, step.status, asker.name, moment, outcome=step.outcome)
    return seen.unit(made, district.reach.playbooks)


@router.post("/units/{unit_id}/move", response_model=forms.Unit, summary="Give an idle unit another post")
def move(
    district: Opened, asker: Admitted, where: Where, unit_id: str, post: Annotated[str, Body(embed=True)]
) -> dict[str, Any]:
    """Let it wait there from now on."""
    _check_unit(district, asker, where, unit_id)
    return seen.unit(district.reach.move(unit_id, post, asker.name), district.reach.playbooks)


@router.get("/reach/cover", response_model=forms.Cover, summary="Expected cover, and the move that would gain most")
def cover(district: Opened) -> dict[str, Any]:
    """Return the expected share of demand that the free units reach within three minutes."""
    return {
        "cover": views.rounded(district.reach.cover(), 4),
        "move_up": seen.move_up(district.reach.move_up()),
    }


@router.get(
    "/reach/cells", summary="How soon the next incident would be reached, by cell", response_class=Response,
    responses=raw("application/octet-stream"),
)  # fmt: skip
def reach_cells(district: Opened) -> Response:
    """Return s by cell as little-endian 16-bit numbers, northernmost row first.

    65534: not within five minutes; 65535: nobody walks there.
    """
    cells = district.cells
    soonest = district.reach.soonest_s(cells.x_m, cells.y_m)
    told = np.where(np.isfinite(soonest), np.minimum(np.rint(soonest), 3600), NEVER)
    grid = cells.raster(told)
    body = np.where(np.isfinite(grid), grid, NOT_WALKABLE).astype("<u2")
    return Response(body.tobytes(), media_type="application/octet-stream")


@router.get("/reach/proof", response_model=forms.Proof, summary="What was really reached")
def prove(district: Opened, past_hours: Hours = 24) -> dict[str, Any]:
    """Return arrivals within one, three and five minutes by kind and area, and how right the promises were."""
    return seen.proof(district.reach.prove(district.clock.now() - timedelta(hours=past_hours)))


def _refused(reports: list[PositionReport], faults: Iterable[Exception | None]) -> list[dict[str, Any]]:
    return [
        {"index": k, "unit": one.unit_id, "message": str(fault)}
        for k, (one, fault) in enumerate(zip(reports, faults, strict=True))
        if fault is not None
    ]


def _own(district: Opened, asker: Asker, where: Where, incident_id: str) -> IncidentNow:
    """Return an incident that lies in the asker's areas."""
    found = district.reach.incident(incident_id)
    _within(asker, where, found.incident.lon, found.incident.lat, f"incident {incident_id!r}")
    return found


def _within(asker: Asker, where: Where, lon: float, lat: float, what: str) -> None:
    if not asker.scope.everywhere and not asker.scope.covers(where.of_point(lon, lat)):
        raise NotAllowed(what, "must lie in an area that is granted to you", ASK)


def _sees(district: Opened, asker: Asker, where: Where, unit: UnitNow) -> bool:
    """Tell whether a unit belongs to, or is in, the asker's areas: one that crosses a border must go on reporting."""
    if asker.scope.everywhere:
        return True
    here = None if unit.lon is None or unit.lat is None else (unit.lon, unit.lat)
    spots = (district.reach.home(unit.unit.unit_id), here)
    return any(asker.scope.covers(where.of_point(*spot)) for spot in spots if spot is not None)


def _check_unit(district: Opened, asker: Asker, where: Where, unit_id: str) -> None:
    if asker.scope.everywhere:
        return
    if not _sees(district, asker, where, district.reach.unit(unit_id)):
        raise NotAllowed(f"unit {unit_id!r}", "must belong to, or be in, an area that is granted to you", ASK)
