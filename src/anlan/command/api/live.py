"""The live feed, and the controls of a district that is played."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Header, Query, Request

from anlan.command.live import Hub, LiveAnswer
from anlan.command.simulation import Simulation
from anlan.kernel.errors import NotFound

router = APIRouter(tags=["live"])


@router.get(
    "/live", summary="Server-sent messages: minute, change, clock, resync", response_class=LiveAnswer, status_code=200
)
async def live(
    request: Request,
    last_event_id: Annotated[int | None, Header()] = None,
    after: Annotated[int | None, Query(alias="last_event_id")] = None,
) -> LiveAnswer:
    """Stream every minute and change; Last-Event-ID resumes behind the message seen last."""
    hub = cast(Hub, request.app.state.hub)
    seen = last_event_id if last_event_id is not None else after
    return LiveAnswer(hub, seen)


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
