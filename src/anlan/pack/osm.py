"""Read an OpenStreetMap extract: the ways, polygons and points that a district pack is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import osmium
import osmium.filter
import osmium.geom
import osmium.osm
import shapely

from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.geo import Area2D

Progress = Callable[[str, float], None]
"""Told what is being done, and which part of the whole is behind (0..1)."""

ATTRIBUTION = "© OpenStreetMap contributors (ODbL)"

_KEYS = (
    "highway", "leisure", "natural", "water", "waterway", "landuse", "place", "tourism", "shop", "amenity",
    "railway", "public_transport",
)  # fmt: skip
_AREA_KEYS = ("leisure", "natural", "water", "waterway", "landuse", "place", "tourism", "shop", "amenity")
_TOLD_EVERY = 50_000

Coordinate = tuple[float, float]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Way:
    """A way with its tags; ``points`` are (lon, lat) in degrees, the same pair wherever ways share a node."""

    way_id: str
    tags: Mapping[str, str]
    points: tuple[Coordinate, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A closed way or multipolygon relation with its tags."""

    shape_id: str
    tags: Mapping[str, str]
    polygon: Area2D


@dataclass(frozen=True, slots=True)
class Spot:
    """A tagged node."""

    spot_id: str
    tags: Mapping[str, str]
    lon: float
    lat: float


@dataclass(slots=True)
class Extract:
    """What an extract holds inside the asked bounds."""

    ways: list[Way] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)


def read_extract(path: Path, bounds: Bounds, progress: Progress) -> Extract:
    """Return the streets, tagged polygons and tagged points of an extract that touch the bounds.

    Parameters
    ----------
    path : Path
        ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.pbf``.
    bounds : tuple of float
        West, south, east, north in degrees.
    progress : Progress
        Called every 50,000 objects.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If the file is no OpenStreetMap extract.
    """
    if not path.is_file():
        raise NotFound(f"osm={str(path)!r}", "is not a file", "give an .osm, .osm.gz or .pbf extract")
    found = Extract()
    factory = osmium.geom.WKBFactory()
    try:
        reader = osmium.FileProcessor(str(path)).with_locations().with_areas()
        for n_read, thing in enumerate(reader.with_filter(osmium.filter.KeyFilter(*_KEYS))):
            if n_read % _TOLD_EVERY == 0:
                progress(f"reading the extract ({n_read:,} objects)", 0.0)
            _take(thing, bounds, factory, found)
    except RuntimeError as fault:  # what pyosmium raises for anything it cannot parse
        raise BadInput(
            f"osm={str(path)!r}", f"must be an OpenStreetMap extract ({fault})", "give an .osm, .osm.gz or .pbf file"
        ) from None
    return found


def _take(thing: object, bounds: Bounds, factory: osmium.geom.WKBFactory, found: Extract) -> None:
    if isinstance(thing, osmium.osm.Node):
        if _overlap((thing.lon, thing.lat, thing.lon, thing.lat), bounds):
            found.spots.append(Spot(f"n{thing.id}", dict(thing.tags), thing.lon, thing.lat))
    elif isinstance(thing, osmium.osm.Way):
        if "highway" in thing.tags and thing.tags.get("area") != "yes":
            # Nodes beyond the extract's edge have no location: the way ends at the last one that has.
            points = tuple((node.lon, node.lat) for node in thing.nodes if node.location.valid())
            if len(points) > 1 and _overlap(_bounds(points), bounds):
                found.ways.append(Way(f"w{thing.id}", dict(thing.tags), points))
    elif isinstance(thing, osmium.osm.Area):
        _take_area(thing, bounds, factory, found)


def _take_area(area: osmium.osm.Area, bounds: Bounds, factory: osmium.geom.WKBFactory, found: Extract) -> None:
    tags = dict(area.tags)
    if not _is_drawn(tags):
        return
    try:
        polygon = shapely.from_wkb(factory.create_multipolygon(area))
    except RuntimeError:  # a ring that the extract cut open
        return
    if polygon.is_valid and not polygon.is_empty and _overlap(polygon.bounds, bounds):
        kind = "w" if area.from_way() else "r"
        found.shapes.append(Shape(f"{kind}{area.orig_id()}", tags, _single(polygon)))


def _is_drawn(tags: Mapping[str, str]) -> bool:
    """Tell whether a closed way is meant as an area: a ring road is not."""
    if "highway" in tags:
        return tags.get("area") == "yes"
    return any(key in tags for key in _AREA_KEYS)


def _single(polygon: Area2D) -> Area2D:
    return polygon.geoms[0] if polygon.geom_type == "MultiPolygon" and len(polygon.geoms) == 1 else polygon


def _bounds(points: tuple[Coordinate, ...]) -> Bounds:
    lon, lat = zip(*points, strict=True)
    return min(lon), min(lat), max(lon), max(lat)


def _overlap(one: Bounds, other: Bounds) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
