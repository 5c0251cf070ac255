"""How many people are anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Query, Request, Response

from anlan.command import views
from anlan.command.access import Admitted
from anlan.command.api import forms
from anlan.command.api.asked import Minutes, Opened, Where
from anlan.command.whereabouts import ASK
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import NotAllowed, NotFound
from anlan.kernel.geo import polygon_from

router = APIRouter(tags=["crowd"])

Polygon = Annotated[dict[str, Any], Body(embed=True, description="GeoJSON Polygon or MultiPolygon, degrees")]
At = Annotated[str | None, Query(description="A moment of the past, ISO 8601 with offset")]

NOT_WALKABLE, UNKNOWN, MOST = 65535, 65534, 65000


@router.get(
    "/density", summary="People per m² on the grid of cells", response_class=Response,
    responses=forms.raw("application/octet-stream", also="As the etag that was given"),
)  # fmt: skip
def density(request: Request, district: Opened, at: At = None) -> Response:
    """Return little-endian uint16 for each cell of the grid, northernmost row first.

    A value is people per m² of walkable ground times 1000, 65000 at most; 65535 where nobody can walk, 65534 where it
    is unknown. The header X-Anlan-At tells the minute.
    """
    made_at, field = district.density() if at is None else district.density_at(parse_moment(at))
    # The counts of a minute stand; only how many cells have gone stale since may change.
    tag = f'W/"{views.moment(made_at)}-{int(np.isinf(field).sum())}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if made_at is not None:
        headers["x-anlan-at"] = str(views.moment(made_at))
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    told = np.where(np.isnan(field), NOT_WALKABLE, np.where(np.isinf(field), UNKNOWN, 0)).astype(np.uint16)
    known = np.isfinite(field)
    told[known] = np.minimum(np.round(field[known] * 1000), MOST).astype(np.uint16)
    return Response(told.astype("<u2").tobytes(), media_type="application/octet-stream", headers=headers)


@router.get("/places", response_model=forms.Places, summary="Every named place with its estimate")
def places(district: Opened, asker: Admitted, where: Where) -> dict[str, Any]:
    """Return places with occupancy, interval, density, level of service and share of capacity."""
    every = district.places()
    return {"places": [views.place(one) for one in every if asker.scope.covers(where.of_place(one.place.place_id))]}


@router.get("/places/{place_id}", response_model=forms.Place, summary="One place")
def place(district: Opened, asker: Admitted, where: Where, place_id: str) -> dict[str, Any]:
    """Return one place with its estimate."""
    where.check_place(asker.scope, place_id)
    return views.place(district.place(place_id))


@router.get("/places/{place_id}/curve", response_model=forms.Curve, summary="A place's people over time")
def place_curve(
    district: Opened, asker: Admitted, where: Where, place_id: str, minutes: Minutes = 60
) -> dict[str, Any]:
    """Return a point for each minute, with its interval."""
    where.check_place(asker.scope, place_id)
    now = district.clock.now()
    points = district.place_curve(place_id, now - timedelta(minutes=minutes), now)
    return {"points": [views.point(point) for point in points]}


@router.get(
    "/places/{place_id}/forecast", response_model=forms.Forecast, summary="A place's people over the next hours"
)
def place_forecast(district: Opened, asker: Admitted, where: Where, place_id: str) -> dict[str, Any]:
    """Return 15, 30, 45 and 60 minutes ahead, and with a week of history up to a day."""
    where.check_place(asker.scope, place_id)
    return views.forecast(district.place_forecast(place_id))


@router.get("/areas/{level}", response_model=forms.Areas, summary="The areas of a level with their estimates")
def areas(district: Opened, asker: Admitted, level: str) -> dict[str, Any]:
    """Return every area of one level of the tree."""
    return {"areas": [views.area(one) for one in district.areas(level) if asker.scope.covers([one.area_id])]}


@router.get("/areas/{level}/{area_id}", response_model=forms.Area, summary="One area")
def area(district: Opened, asker: Admitted, level: str, area_id: str) -> dict[str, Any]:
    """Return one area with its estimate."""
    now = district.area(area_id)
    if now.level != level:
        raise NotFound(f"area {area_id!r}", f"is of level {now.level}", f"ask /areas/{now.level}/{area_id}")
    if not asker.scope.covers([area_id]):
        raise NotAllowed(f"area {area_id!r}", "must be granted to you", ASK)
    return views.area(now)


@router.get("/places/{place_id}/why", response_model=forms.Reason, summary="What made a place's number")
def place_why(district: Opened, asker: Admitted, where: Where, place_id: str) -> dict[str, Any]:
    """Return the devices behind the number with their shares, and what would narrow it most."""
    where.check_place(asker.scope, place_id)
    return {"why": views.why(district.why(district.pack.place(place_id).polygon))}


@router.post("/count", response_model=forms.Count, summary="People in any polygon, now or at a moment of the past")
def count(
    district: Opened,
    asker: Admitted,
    where: Where,
    polygon: Polygon,
    at: Annotated[str | None, Body(embed=True)] = None,
    why: Annotated[bool, Body(embed=True, description="Tell what made the number; only of the present.")] = False,  # noqa: FBT002 - a field of the request
) -> dict[str, Any]:
    """Return occupancy with its 90 % interval, density, level of service and freshness; or unknown, and why."""
    where.check_polygon(asker.scope, polygon)
    made = views.estimate(district.count(polygon, None if at is None else parse_moment(at)))
    return {**made, "why": views.why(district.why(polygon)) if why and at is None else None}


@router.post("/count/curve", response_model=forms.Curve, summary="People in any polygon over time")
def count_curve(
    district: Opened,
    asker: Admitted,
    where: Where,
    polygon: Polygon,
    minutes: Annotated[int, Body(embed=True, ge=1, le=1440)] = 60,
) -> dict[str, Any]:
    """Return a point for each minute kept; intervals where the uncertainty was kept."""
    geometry, now = polygon_from(polygon), district.clock.now()
    where.check_polygon(asker.scope, geometry)
    district.count(geometry)  # refuses what lies outside
    points = district.curve(geometry, now - timedelta(minutes=minutes), now)
    return {"points": [views.point(point) for point in points]}


@router.post("/count/forecast", response_model=forms.Forecast, summary="People in any polygon over the next hours")
def count_forecast(district: Opened, asker: Admitted, where: Where, polygon: Polygon) -> dict[str, Any]:
    """Return 15, 30, 45 and 60 minutes ahead, and once a week of it is kept up to a day."""
    geometry = polygon_from(polygon)
    where.check_polygon(asker.scope, geometry)
    return views.forecast(district.forecast(geometry))


@router.post("/flow", response_model=forms.Flow, summary="People per minute over any line")
def flow(
    district: Opened,
    line: Annotated[dict[str, Any], Body(embed=True, description="GeoJSON LineString, degrees")],
) -> dict[str, Any]:
    """Return both ways together with the 90 % interval; each way where devices count all of it.

    "In" is from the line's left to its right, seen from its first point to its last.
    """
    return views.flow(district.flow(line))


@router.get("/watches", response_model=forms.Watches, summary="Saved polygons with their estimates")
def watches(district: Opened, asker: Admitted, where: Where) -> dict[str, Any]:
    """Return the polygons that are counted every minute."""
    every = district.watches()
    return {"watches": [views.watch(one) for one in every if where.inside(asker.scope, one.polygon)]}


@router.post(
    "/watches", response_model=forms.Watch, summary="Save a polygon that is counted every minute", status_code=201
)
def watch(
    district: Opened, asker: Admitted, where: Where, polygon: Polygon, name: Annotated[str, Body(embed=True)]
) -> dict[str, Any]:
    """Save it; the log tells."""
    where.check_polygon(asker.scope, polygon)
    return views.watch(district.watch(name, polygon, asker.name))


@router.delete("/watches/{watch_id}", response_model=forms.Change, summary="End a saved polygon")
def unwatch(
    district: Opened, asker: Admitted, where: Where, watch_id: str, version: Annotated[int, Query(ge=1)]
) -> dict[str, Any]:
    """End it, if nobody has changed it since that version."""
    found = next((one for one in district.watches() if one.watch_id == watch_id), None)
    if found is not None:
        where.check_polygon(asker.scope, found.polygon)
    return views.change(district.unwatch(watch_id, version, asker.name))


@router.get("/border", response_model=forms.Border, summary="People and vehicles over the district's border")
def border(district: Opened) -> dict[str, Any]:
    """Return what all counters on the border counted over five minutes, by the minute; unknown where one is silent."""
    return views.border(district.border())
