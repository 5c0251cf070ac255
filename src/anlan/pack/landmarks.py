"""Places, gateways, water and green, told from the tags of an extract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point

from anlan.kernel.geo import Area2D, Projection
from anlan.kernel.records import Gateway, Place, Street
from anlan.pack.osm import Extract, Spot, Way
from anlan.pack.streets import label_of, street_width_m

_PLACE_TAGS: Mapping[tuple[str, str], str] = {
    ("leisure", "park"): "park",
    ("leisure", "garden"): "park",
    ("place", "square"): "square",
    ("highway", "pedestrian"): "square",
    ("tourism", "attraction"): "attraction",
    ("tourism", "museum"): "venue",
    ("amenity", "marketplace"): "venue",
    ("amenity", "theatre"): "venue",
    ("shop", "mall"): "venue",
    ("shop", "department_store"): "venue",
}
PLACE_KINDS = frozenset({*_PLACE_TAGS.values(), "promenade"})
"""The kinds of places that an extract gives."""
_WATER_TAGS = {"natural": ("water", "bay"), "waterway": ("riverbank", "dock"), "landuse": ("basin", "reservoir")}
_GREEN_TAGS = {
    "leisure": ("park", "garden"),
    "landuse": ("grass", "forest", "recreation_ground", "village_green"),
    "natural": ("wood", "grassland", "scrub"),
}
_STREET_CARRIERS = ("primary", "secondary", "tertiary")
_LEAST_PLACE_M2 = 400.0
_LEAST_GAP_M2 = 20_000.0
_GAP_M = 40.0
_SAME_STOP_M = 300.0
_SAME_ROAD_M = 60.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Where landmarks are looked for."""

    outline: Area2D
    plane: Projection
    languages: tuple[str, ...]

    def near(self, margin_m: float) -> Area2D:
        """Return the outline (degrees) widened by a margin in metres."""
        return self.plane.unproject(self.plane.project(self.outline).buffer(margin_m))

    def clipped(self, polygon: Area2D) -> Area2D | None:
        """Return the polygon's part in the district, None where that is under 400 m²."""
        cut = shapely.intersection(polygon, self.outline)
        parts = [part for part in shapely.get_parts(cut) if part.geom_type == "Polygon"]
        if sum(self.plane.project(part).area for part in parts) < _LEAST_PLACE_M2:
            return None
        return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def extract_places(extract: Extract, ground: Ground) -> list[Place]:
    """Return the named parks, squares, attractions, venues and pedestrian streets of the extract."""
    places = []
    for shape in extract.shapes:
        kind = next((kind for (key, value), kind in _PLACE_TAGS.items() if shape.tags.get(key) == value), None)
        name = label_of(shape.tags, ground.languages)
        polygon = ground.clipped(shape.polygon) if kind and name else None
        if kind and polygon is not None:
            places.append(Place(place_id=f"{kind}-{shape.shape_id}", name=name, kind=kind, polygon=polygon))
    lines: dict[str, list[Way]] = {}
    for way in extract.ways:
        if way.tags.get("highway") == "pedestrian" and way.tags.get("name"):
            lines.setdefault(way.tags["name"], []).append(way)
    for ways in lines.values():
        mall = widened([(LineString(way.points), street_width_m(way.tags)) for way in ways], ground)
        if mall is not None:
            name = label_of(ways[0].tags, ground.languages)
            places.append(Place(place_id=f"promenade-{ways[0].way_id}", name=name, kind="promenade", polygon=mall))
    return places


def extract_gateways(extract: Extract, ground: Ground) -> list[Gateway]:
    """Return metro entrances (stations where no entrance is drawn), bus stops and ferries of the extract."""
    shapely.prepare(ground.outline)
    inside = [spot for spot in extract.spots if ground.outline.intersects(Point(spot.lon, spot.lat))]
    entrances = [spot for spot in inside if spot.tags.get("railway") == "subway_entrance"]
    metro = entrances or [spot for spot in inside if _is_metro_station(spot)]
    stops = [s for s in inside if s.tags.get("highway") == "bus_stop" or s.tags.get("bus") == "yes"]
    ferries = [spot for spot in inside if spot.tags.get("amenity") == "ferry_terminal"]
    return [
        *(_gateway(spot, "metro", ground) for spot in metro),
        *(_gateway(spot, "ferry", ground) for spot in ferries),
        *merged([_gateway(spot, "bus", ground) for spot in stops if spot.tags.get("name")], ground, _SAME_STOP_M),
    ]


def road_gateways(streets: Sequence[Street], ground: Ground) -> list[Gateway]:
    """Return a gateway wherever a primary, secondary or tertiary street crosses the district's border."""
    border = ground.outline.boundary
    shapely.prepare(border)
    gateways = []
    for street in streets:
        if street.street_class in _STREET_CARRIERS and street.walk and border.intersects(street.line):
            crossings = shapely.get_coordinates(shapely.intersection(border, street.line))
            gateways += [
                Gateway(gateway_id=f"road-{street.street_id}-{k}", kind="road", name=street.name, point=Point(*at))
                for k, at in enumerate(crossings[:1])
            ]
    return merged(gateways, ground, _SAME_ROAD_M)


def merged(gateways: Sequence[Gateway], ground: Ground, within_m: float) -> list[Gateway]:
    """Return one gateway for those of one kind and name that lie within ``within_m`` of the first."""
    kept: dict[tuple[str, str], list[tuple[Point, Gateway]]] = {}
    for gateway in gateways:
        key = (gateway.kind, str(sorted(gateway.name.items())))
        point = ground.plane.project(gateway.point)
        if all(point.distance(other) > within_m for other, _ in kept.setdefault(key, [])):
            kept[key].append((point, gateway))
    return [gateway for found in kept.values() for _, gateway in found]


def extract_polygons(extract: Extract, kind: str, outline: Area2D) -> list[Area2D]:
    """Return the water or green polygons of the extract, cut to an outline (degrees)."""
    wanted = _WATER_TAGS if kind == "water" else _GREEN_TAGS
    shapes = [s for s in extract.shapes if any(s.tags.get(key) in values for key, values in wanted.items())]
    if not shapes:
        return []
    cut = shapely.intersection(np.array([shape.polygon for shape in shapes], dtype=object), outline)
    return [part for part in shapely.get_parts(cut) if part.geom_type == "Polygon" and part.is_valid]


def guessed_water(streets: Sequence[Street], ground: Ground, away_m: float) -> list[Area2D]:
    """Return the wide gaps at the border where no street is: in a roads-only extract they are most likely a river.

    A gap is ground farther than ``away_m`` from any street, at least 40 m wide and 2 ha large, that touches the
    district's border.
    """
    if not streets:
        return []
    outline = ground.plane.project(ground.outline)
    lines = np.array([ground.plane.project(street.line) for street in streets], dtype=object)
    gaps = outline.difference(shapely.union_all(shapely.buffer(lines, away_m, quad_segs=4)))
    parts = shapely.get_parts(gaps.buffer(-_GAP_M / 2).buffer(_GAP_M / 2))
    return [
        ground.plane.unproject(part)
        for part in parts
        if part.area >= _LEAST_GAP_M2 and part.distance(outline.boundary) < 1.0
    ]


def distinct(places: Sequence[Place]) -> list[Place]:
    """Return the places with ids that come once: a later one of the same id is numbered."""
    seen: dict[str, int] = {}
    named = []
    for place in places:
        n = seen.get(place.place_id, 0)
        seen[place.place_id] = n + 1
        named.append(replace(place, place_id=f"{place.place_id}-{n + 1}") if n else place)
    return named


def widened(pieces: Sequence[tuple[LineString, float]], ground: Ground) -> Area2D | None:
    """Return the ground of pedestrian lines (degrees) of given widths (metres), None where it misses the district."""
    strips = [ground.plane.project(line).buffer(width / 2, cap_style="flat") for line, width in pieces]
    # The flat ends of two pieces leave a wedge open at a bend: close it, and keep the straight ends.
    joined = shapely.union_all(strips).buffer(2, join_style="mitre").buffer(-2, join_style="mitre")
    return ground.clipped(ground.plane.unproject(joined))


def _is_metro_station(spot: Spot) -> bool:
    return spot.tags.get("railway") in ("station", "halt") and spot.tags.get("station") in ("subway", "light_rail")


def _gateway(spot: Spot, kind: str, ground: Ground) -> Gateway:
    name = label_of(spot.tags, ground.languages)
    return Gateway(gateway_id=f"{kind}-{spot.spot_id}", kind=kind, name=name, point=Point(spot.lon, spot.lat))
