"""What the routes need of a request."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Query, Request

from anlan.command.whereabouts import Whereabouts
from anlan.district import District
from anlan.kernel.errors import NotFound
from anlan.staff import Staff

Minutes = Annotated[int, Query(ge=1, le=7 * 1440, description="How far back, in minutes")]

# They look up and wait for nothing, so they run where the request is: a thread of the pool for each would take longer.


async def _district(request: Request) -> District:
    return cast(District, request.app.state.district)


async def _where(request: Request) -> Whereabouts:
    return cast(Whereabouts, request.app.state.where)


async def _staff(request: Request) -> Staff:
    staff = request.app.state.staff
    if staff is None:
        raise NotFound("staff", "is not kept by this server", "start it with anlan serve")
    return cast(Staff, staff)


Opened = Annotated[District, Depends(_district)]
Where = Annotated[Whereabouts, Depends(_where)]
Staffed = Annotated[Staff, Depends(_staff)]
