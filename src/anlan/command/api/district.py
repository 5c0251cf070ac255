"""What the district is: its description, and its map."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

import shapely
from fastapi import APIRouter, Request, Response
from shapely.geometry.base import BaseGeometry

from anlan.command import views
from anlan.command.access import Admitted, now
from anlan.command.api import forms
from anlan.command.api.asked import Opened
from anlan.kernel.errors import NotFound

router = APIRouter(tags=["district"])


@router.get("/district", response_model=forms.District, summary="What this district is")
def describe(request: Request, district: Opened, asker: Admitted) -> dict[str, Any]:
    """Return names, levels, figures, the grid of cells, and the district's clock; its people to whom may see all."""
    staff = request.app.state.staff
    whole = staff is None or staff.access.scope(asker.actor, "crowd.read", now()).everywhere
    pack, cells = district.pack, district.cells
    corners = cells.corners()
    west, south, east, north = pack.boundary.bounds if not pack.boundary.is_empty else (*corners[3], *corners[1])
    return {
        "id": pack.pack_id,
        "name": dict(pack.name),
        "version": pack.version,
        "schematic": pack.schematic,
        "notice": dict(pack.notice),
        "attribution": pack.attribution,
        "time_zone": pack.time_zone,
        "languages": list(pack.languages),
        "centre": [pack.lon, pack.lat],
        "bounds": [west, south, east, north],
        "root": pack.areas.root.area_id,
        "levels": [{"key": level.key, "label": dict(level.label)} for level in pack.areas.levels],
        "figures": dict(pack.figures),
        "grid": {
            "n_columns": cells.n_columns,
            "n_rows": cells.n_rows,
            "size_m": cells.size_m,
            "n_cells": len(cells),
            "corners": [list(corner) for corner in corners],
        },
        "simulated": request.app.state.simulation is not None,
        "now": views.moment(district.clock.now()),
        "estimated_at": views.moment(district.estimated_at),
        "estimate": views.estimate(district.total()) if whole else None,
        "n_devices": len(pack.devices),
        "n_areas": {level.key: len(pack.areas.of_level(level.key)) for level in pack.areas.levels},
    }


@router.get(
    "/map/areas/{level}", summary="The areas of one level as GeoJSON", response_class=Response, responses=forms.GEOJSON
)
def map_areas(request: Request, district: Opened, level: str) -> Response:
    """Return the outlines of one level of the area tree."""
    areas = district.pack.areas.of_level(level)
    if not areas:
        known = ", ".join(one.key for one in district.pack.areas.levels)
        raise NotFound(f"level={level!r}", f"must be one of {known}", "choose one")
    features = [
        views.feature(a.polygon, a.area_id, a.name, level=level, parent=a.parent_id)
        for a in areas
        if a.polygon is not None
    ]
    return _kept(request, f"areas/{level}", lambda: views.collection(features))


@router.get("/areas", summary="The tree of areas: names, levels, parents")
def tree(request: Request, district: Opened) -> Response:
    """Return every area without its outline, parents before what lies in them."""

    def made() -> dict[str, Any]:
        every = sorted(district.pack.areas, key=lambda one: len(district.pack.areas.path(one.area_id)))
        return {
            "areas": [
                {"id": one.area_id, "level": one.level, "parent": one.parent_id, "name": dict(one.name)}
                for one in every
            ]
        }

    return _kept(request, "tree", made, "application/json")


@router.get("/map/{layer}", summary="One layer of the map as GeoJSON", response_class=Response, responses=forms.GEOJSON)
def map_layer(request: Request, district: Opened, layer: str) -> Response:
    """Return boundary, water, green, streets, places, devices, gateways, stations or posts."""
    if layer not in LAYERS:
        raise NotFound(f"layer={layer!r}", f"must be one of {', '.join(LAYERS)}", "choose one")
    return _kept(request, layer, lambda: views.collection(LAYERS[layer](district)))


def _plain(shapes: tuple[BaseGeometry, ...]) -> list[dict[str, Any]]:
    return [views.feature(shape, str(k), {}) for k, shape in enumerate(shapes) if not shapely.is_empty(shape)]


LAYERS = {
    "boundary": lambda d: _plain((d.pack.boundary,)),
    "water": lambda d: _plain(d.pack.water),
    "green": lambda d: _plain(d.pack.green),
    "streets": lambda d: [
        views.feature(s.line, s.street_id, s.name, **{"class": s.street_class}, width_m=s.width_m, walk=s.walk)
        for s in d.pack.streets
    ],
    "places": lambda d: [
        views.feature(p.polygon, p.place_id, p.name, kind=p.kind, key=p.key, closed=p.closed, capacity=p.capacity)
        for p in d.pack.places
    ],
    "devices": lambda d: [
        views.feature(x.geometry, x.device_id, x.name, kind=str(x.kind), place=x.place_id) for x in d.pack.devices
    ],
    "gateways": lambda d: [views.feature(g.point, g.gateway_id, g.name, kind=g.kind) for g in d.pack.gateways],
    "stations": lambda d: [views.feature(s.point, s.station_id, s.name) for s in d.pack.stations],
    "posts": lambda d: [views.feature(p.point, p.post_id, p.name) for p in d.pack.posts],
}


def _kept(
    request: Request, layer: str, make: Callable[[], dict[str, Any]], media_type: str = "application/geo+json"
) -> Response:
    """Answer a layer, packed once; a map does not change while the district is open."""
    kept = request.app.state.__dict__.setdefault("layers", {})
    if layer not in kept:
        text = json.dumps(make(), ensure_ascii=False, separators=(",", ":")).encode()
        kept[layer] = (gzip.compress(text, 6, mtime=0), text, f'"{hashlib.sha256(text).hexdigest()[:24]}"')
    packed, plain, tag = kept[layer]
    headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(packed, media_type=media_type, headers=headers)
    return Response(plain, media_type=media_type, headers=headers)
