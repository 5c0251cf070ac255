"""Places, pedestrian streets and gateways that are given as GeoJSON beside an extract."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import LineString, Point

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import polygon_from, to_geojson
from anlan.kernel.records import Gateway, Label, Place
from anlan.pack.forms import GATEWAY_KINDS, PLACES, Column, Kind
from anlan.pack.landmarks import Ground, widened
from anlan.pack.osm import Way
from anlan.pack.sources import Feature, read_features
from anlan.pack.streets import label_of
from anlan.pack.survey import place_of
from anlan.pack.tables import Row, convert

_GATEWAY_WORDS = {"metro": "metro", "subway": "metro", "bus": "bus", "ferry": "ferry", "rail": "rail"}
_MALL_WIDTH_M = 24.0
_WIDTH = Column(name="width_m", kind=Kind.NUMBER, above=0, most=200, unit="m")
_DECIMALS = 14


@dataclass(slots=True)
class Given:
    """What the files hold."""

    places: list[Place] = field(default_factory=list)
    gateways: list[Gateway] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    """Pedestrian lines, to be joined into the streets."""


def read_given(paths: Iterable[Path], ground: Ground, datum: str) -> Given:
    """Return the places, pedestrian streets and gateways of GeoJSON files.

    A polygon is a place, with the columns of ``places.geojson``. A line is a pedestrian street ``width_m`` wide (24 m
    where it does not say): a place, all lines of one name together, and a street. A point is a gateway; its kind is
    the property ``kind``, else the first of metro, bus, ferry, rail that the file's name holds, else road.

    Raises
    ------
    NotFound
        If a file is missing.
    BadInput
        If a feature is neither of the three, has a faulty value, or is a polygon outside the district, told with its
        file and row.
    """
    found = Given()
    lines: dict[str, list[tuple[LineString, Feature]]] = {}
    for path in paths:
        for feature in read_features(path, datum):
            if feature.geometry.geom_type == "Point":
                found.gateways.append(_gateway(path, feature, ground))
            elif feature.geometry.geom_type in ("LineString", "MultiLineString"):
                text = str(feature.properties.get("name") or feature.properties.get("name_zh") or feature.where)
                pieces = [(part, feature) for part in shapely.get_parts(feature.geometry)]
                lines.setdefault(text, []).extend(pieces)
            else:
                found.places.append(_place(feature, ground))
    for k, pieces in enumerate(lines.values(), 1):
        found.ways += _ways(k, pieces)
        mall = widened([(line, _width(feature)) for line, feature in pieces], ground)
        if mall is not None:
            name = label_of(_texts(pieces[0][1].properties), ground.languages)
            found.places.append(Place(place_id=_slug(name) or f"mall-{k}", name=name, kind="promenade", polygon=mall))
    return found


def _gateway(path: Path, feature: Feature, ground: Ground) -> Gateway:
    kind = str(feature.properties.get("kind") or "")
    if kind not in GATEWAY_KINDS:
        kind = next((found for word, found in _GATEWAY_WORDS.items() if word in path.name.lower()), "road")
    lon, lat = shapely.get_coordinates(feature.geometry)[0]
    key = str(feature.properties.get("id") or f"{kind}-{lon:.6f}-{lat:.6f}")
    name = label_of(_texts(feature.properties), ground.languages)
    return Gateway(gateway_id=key, kind=kind, name=name, point=Point(lon, lat))


def _place(feature: Feature, ground: Ground) -> Place:
    polygon = polygon_from(to_geojson(feature.geometry, _DECIMALS), feature.where)
    clipped = ground.clipped(polygon)
    if clipped is None:
        raise BadInput(feature.where, "must cover 400 m² of the district", "check the polygon and its datum")
    name = label_of(_texts(feature.properties), ground.languages)
    usual = {"id": _slug(name) or re.sub(r"\W+", "-", feature.where), "kind": "venue"}
    values: dict[str, Any] = {}
    for column in PLACES.columns:
        given = feature.properties.get(column.name)
        values[column.name], rule = convert(usual.get(column.name) if given in (None, "") else given, column)
        if rule:
            raise BadInput(f"{feature.where}: {column.name}={given!r}", rule, f"correct {column.name}")
    return place_of(Row(0, values, name, clipped))


def _ways(k: int, pieces: Sequence[tuple[LineString, Feature]]) -> list[Way]:
    ways = []
    for n, (line, feature) in enumerate(pieces, 1):
        tags = _texts(feature.properties) | {"highway": "pedestrian", "width": f"{_width(feature):g}"}
        points = tuple((round(x, 7), round(y, 7)) for x, y in shapely.get_coordinates(line).tolist())
        ways.append(Way(f"given{k}.{n}", tags, points))
    return ways


def _width(feature: Feature) -> float:
    given = feature.properties.get("width_m")
    width, rule = convert(given, _WIDTH)
    if rule:
        raise BadInput(f"{feature.where}: width_m={given!r}", rule, "give the width of the street in metres")
    return width or _MALL_WIDTH_M


def _texts(properties: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in properties.items() if value is not None}


def _slug(name: Label) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.get("en", "").lower()).strip("-")
