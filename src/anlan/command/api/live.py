"""The live feed, and the controls of a district that is played."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Header, Query, Request

from anlan.command.access import Admitted, Asker, now, seen_live
from anlan.command.api.asked import Where
from anlan.command.live import Hub, LiveAnswer, Seen
from anlan.command.simulation import Simulation
from anlan.district import District
from anlan.kernel.access import Actor
from anlan.kernel.errors import NotFound
from anlan.matters import KIND as CASE
from anlan.matters import standing
from anlan.matters.follow import REHEARSAL
from anlan.staff import Staff
from anlan.underway import KIND as TRIGGER

router = APIRouter(tags=["live"])


@router.get(
    "/live", summary="Server-sent messages: minute, change, clock, resync", response_class=LiveAnswer, status_code=200
)
async def live(
    request: Request,
    asker: Admitted,
    where: Where,
    last_event_id: Annotated[int | None, Header()] = None,
    after: Annotated[int | None, Query(alias="last_event_id")] = None,
) -> LiveAnswer:
    """Stream every minute and change; Last-Event-ID resumes behind the message seen last."""
    hub = cast(Hub, request.app.state.hub)
    seen = last_event_id if last_event_id is not None else after
    staff: Staff | None = request.app.state.staff
    if staff is None:
        return LiveAnswer(hub, seen)

    matters = cast(District, request.app.state.district).matters

    def sees(kind: str, content: Any) -> Any | None:
        actor = _still(staff, asker)
        if kind == "change" and content["kind"] in {CASE, TRIGGER, REHEARSAL}:
            # Seen by whoever may see the case, and by nobody else.
            case_id = content["record"] if content["kind"] == CASE else (content["body"] or {}).get("case", "")
            return content if matters.sees(standing(staff.access, actor, now()), case_id) else None
        return seen_live(staff, where, actor, kind, content)

    return LiveAnswer(hub, seen, Seen(sees, lambda: _proven(staff, asker)))


def _still(staff: Staff, asker: Asker) -> Actor:
    """Return what the listener may do now: offices change while a stream stays open."""
    return asker.actor if asker.signed_in is None else staff.actor(asker.signed_in.account_id, now())


def _proven(staff: Staff, asker: Asker) -> bool:
    """Tell whether the listener is still signed in."""
    return asker.signed_in is None or any(one.mark == asker.signed_in.mark for one in staff.signed_in())


def _simulation(request: Request) -> Simulation:
    found = request.app.state.simulation
    if found is None:
        raise NotFound("simulation", "does not exist: this district is real", "start anlan demo to see one")
    return cast(Simulation, found)


@router.get("/simulation", summary="What is played, and how fast")
def simulation(request: Request) -> dict[str, Any]:
    """Return scenario, speed and time; 404 where the district is real."""
    return _simulation(request).status()


@router.post("/simulation", summary="Change scenario, speed or pause")
async def control(
    request: Request,
    scenario: Annotated[str | None, Body(embed=True)] = None,
    speed: Annotated[float | None, Body(embed=True, gt=0, le=100_000)] = None,
    paused: Annotated[bool | None, Body(embed=True)] = None,
) -> dict[str, Any]:
    """Change what is given; a new scenario begins the district's time anew."""
    played = _simulation(request)
    status = await asyncio.to_thread(played.control, scenario, speed, paused)
    if scenario is not None:
        cast(Hub, request.app.state.hub).forget()
    return status


@router.get("/healthz", summary="Whether the server answers", include_in_schema=False)
def healthz() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}
