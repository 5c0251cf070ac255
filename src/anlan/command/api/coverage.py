"""How well the devices see the district, and where the next one belongs."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response

from anlan.command import views
from anlan.command.api import forms
from anlan.command.api.asked import Opened

router = APIRouter(tags=["devices"])

NOT_WALKABLE, UNKNOWN, SCALE = 65535, 65534, 1000


@router.get("/coverage", response_model=forms.Coverage, summary="How well the areas of a level are seen")
def coverage(district: Opened, level: Annotated[str | None, Query(description="Level of the tree.")] = None) -> Any:
    """Return each area's spread now and without any device, and the devices that tell it."""
    level = level or district.pack.areas.levels[-1].key
    return {"areas": [views.area_coverage(one) for one in district.sensing.areas(level)]}


@router.get(
    "/coverage/cells", summary="How well each cell of the grid is seen", response_class=Response,
    responses=forms.raw("application/octet-stream"),
)  # fmt: skip
def coverage_cells(district: Opened) -> Response:
    """Return little-endian uint16 for each cell of the grid, northernmost row first.

    A value is the part (times 1000) of the uncertainty that the devices have taken away; 65535 where nobody can walk,
    65534 where nothing is estimated.
    """
    seen = district.sensing.cells()
    told = np.where(np.isnan(seen), NOT_WALKABLE, UNKNOWN).astype(np.uint16)
    known = np.isfinite(seen)
    told[known] = np.round(seen[known] * SCALE).astype(np.uint16)
    return Response(told.astype("<u2").tobytes(), media_type="application/octet-stream")


@router.get("/coverage/proposed", response_model=forms.DeviceProposals, summary="Where the next devices belong")
def coverage_proposed(
    district: Opened, n: Annotated[int, Query(description="How many sites, 1 to 50.")] = 5
) -> dict[str, Any]:
    """Return the sites whose devices narrow the estimate of now most, one after the other."""
    return {"proposals": [views.proposal(one) for one in district.sensing.propose(n)]}
