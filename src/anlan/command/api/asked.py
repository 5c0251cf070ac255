"""What the routes need of a request."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Query, Request

from anlan.district import District

Minutes = Annotated[int, Query(ge=1, le=7 * 1440, description="How far back, in minutes")]


def _district(request: Request) -> District:
    return cast(District, request.app.state.district)


Opened = Annotated[District, Depends(_district)]
ACTOR = "desk"
"""Who writes, until people sign in."""
