"""Streets out of OpenStreetMap ways: classes, junctions, and the one network that can be walked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry import LineString

from anlan.kernel.geo import Area2D, Projection
from anlan.kernel.records import Label, Street
from anlan.pack.osm import Coordinate, Way


@dataclass(frozen=True, slots=True)
class StreetClass:
    """What a class of street is taken for where its tags do not say."""

    speed_kmh: float
    width_m: float
    """Both pavements together, or the whole of a way without cars."""
    walk: bool = True


CLASSES: Mapping[str, StreetClass] = {
    "motorway": StreetClass(80, 0, walk=False),
    "motorway_link": StreetClass(40, 0, walk=False),
    "trunk": StreetClass(60, 0, walk=False),
    "trunk_link": StreetClass(40, 0, walk=False),
    "primary": StreetClass(50, 8),
    "primary_link": StreetClass(40, 4),
    "secondary": StreetClass(40, 7),
    "secondary_link": StreetClass(30, 4),
    "tertiary": StreetClass(40, 6),
    "tertiary_link": StreetClass(30, 4),
    "residential": StreetClass(30, 5),
    "unclassified": StreetClass(30, 4),
    "living_street": StreetClass(15, 6),
    "service": StreetClass(15, 3),
    "pedestrian": StreetClass(5, 12),
    "footway": StreetClass(5, 3),
    "path": StreetClass(5, 2),
    "steps": StreetClass(3, 2.5),
    "corridor": StreetClass(5, 3),
    "cycleway": StreetClass(15, 0, walk=False),
}
"""Class to speed, walkable width and walk access, used where the tags maxspeed, width, foot and sidewalk are silent."""

CARLESS = ("pedestrian", "footway", "path", "steps", "corridor")
_CLOSED = ("no", "private")
_KMH_PER_MPH = 1.609344
_WIDEST_M = 60.0


def label_of(tags: Mapping[str, str], languages: Sequence[str]) -> Label:
    """Return the names of a tagged thing; the bare ``name`` counts for the first language.

    Examples
    --------
    >>> label_of({"name": "威海路", "name:en": "Weihai Road"}, ("zh", "en"))
    {'zh': '威海路', 'en': 'Weihai Road'}
    """
    label = {}
    for k, language in enumerate(languages):
        keys = [f"name:{language}-Hans", f"name:{language}", f"name_{language}", *(["name"] if k == 0 else [])]
        text = next((tags[key] for key in keys if tags.get(key)), None)
        if text:
            label[language] = text
    return label


def streets_of(ways: Sequence[Way], languages: Sequence[str]) -> list[Street]:
    """Return the streets of the ways, cut wherever two ways meet or one meets itself."""
    known = [way for way in ways if way.tags.get("highway") in CLASSES]
    uses: Counter[Coordinate] = Counter()
    for way in known:
        uses.update(way.points)
        uses.update((way.points[0], way.points[-1]))
    streets = []
    for way in known:
        cuts = [k for k, point in enumerate(way.points) if uses[point] > 1]
        for n, (begin, end) in enumerate(pairwise(cuts)):
            points = way.points[begin : end + 1]
            if len(set(points)) > 1:
                streets.append(_street(way, n, points, languages))
    return streets


def _street(way: Way, n: int, points: Sequence[Coordinate], languages: Sequence[str]) -> Street:
    tags = way.tags
    taken = CLASSES[tags["highway"]]
    carless = tags["highway"] in CARLESS
    walk = taken.walk
    if tags.get("foot") in _CLOSED or (tags.get("tunnel") == "yes" and not carless):
        walk = False
    if tags.get("foot") in ("yes", "designated"):
        walk = True
    width_m = street_width_m(tags)
    backwards = tags.get("oneway") == "-1"
    return Street(
        street_id=f"{way.way_id}-{n}",
        name=label_of(tags, languages),
        street_class=tags["highway"],
        line=LineString(points[::-1] if backwards else points),
        width_m=width_m if width_m or not walk else CLASSES["footway"].width_m,
        speed_kmh=_kmh(tags.get("maxspeed")) or taken.speed_kmh,
        oneway=_is_oneway(tags),
        walk=walk,
    )


def street_width_m(tags: Mapping[str, str]) -> float:
    """Return what walkers may use of a tagged way, metres."""
    width_m = CLASSES[tags["highway"]].width_m
    if tags["highway"] in CARLESS:  # elsewhere the tag width is of the carriageway
        return _metres(tags.get("width")) or width_m
    return width_m / 2 if tags.get("sidewalk") in ("left", "right") else width_m


def _is_oneway(tags: Mapping[str, str]) -> bool:
    given = tags.get("oneway")
    if given is not None:
        return given in ("yes", "true", "1", "-1")
    return tags["highway"] == "motorway" or tags.get("junction") in ("roundabout", "circular")


def _metres(text: str | None) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*m?", text or "")
    width = float(found[1]) if found else 0.0
    return width if 0 < width <= _WIDEST_M else None


def _kmh(text: str | None) -> float | None:
    found = re.fullmatch(r"(\d+)\s*(mph|km/h)?", text or "")
    if not found or int(found[1]) == 0:
        return None
    return int(found[1]) * (_KMH_PER_MPH if found[2] == "mph" else 1.0)


def touching(streets: Sequence[Street], outline: Area2D) -> list[Street]:
    """Return the whole streets that touch the outline (degrees)."""
    shapely.prepare(outline)
    near = shapely.intersects(outline, np.array([street.line for street in streets], dtype=object))
    return [street for street, is_near in zip(streets, near, strict=True) if is_near]


def walk_network(streets: Sequence[Street]) -> tuple[list[Street], list[Street]]:
    """Return the streets without the walkable ones that nobody can reach on foot, and these, left out.

    Walking ignores one-way rules. The network is the connected component with the most streets.
    """
    afoot = [street for street in streets if street.walk]
    if not afoot:
        return list(streets), []
    ends = [(street.line.coords[0], street.line.coords[-1]) for street in afoot]
    number = {point: k for k, point in enumerate(dict.fromkeys(point for pair in ends for point in pair))}
    begins = np.array([number[begin] for begin, _ in ends])
    finishes = np.array([number[end] for _, end in ends])
    links = coo_array((np.ones(len(ends)), (begins, finishes)), shape=(len(number), len(number)))
    _, component = connected_components(links, directed=False)
    main = np.bincount(component[begins]).argmax()
    lost = {street.street_id for street, begin in zip(afoot, begins, strict=True) if component[begin] != main}
    return [s for s in streets if s.street_id not in lost], [s for s in streets if s.street_id in lost]


def snapped(ways: Sequence[Way], onto: Sequence[Way], plane: Projection, within_m: float) -> list[Way]:
    """Return the ways with each end moved onto the nearest point of other ways, where one is near enough.

    A line drawn by hand beside the extract would else be an island in the walk network.
    """
    points = np.array(sorted({point for way in onto if way.tags.get("highway") in CLASSES for point in way.points}))
    if not len(points):
        return list(ways)
    tree = shapely.STRtree(shapely.points(*plane.to_metres(points[:, 0], points[:, 1])))
    exact = set(map(tuple, points.tolist()))

    def moved(point: Coordinate) -> Coordinate:
        if point in exact:
            return point
        x, y = plane.to_metres(*point)
        near = tree.query_nearest(shapely.Point(x, y), max_distance=within_m)
        return (float(points[near[0], 0]), float(points[near[0], 1])) if len(near) else point

    return [Way(way.way_id, way.tags, (moved(way.points[0]), *way.points[1:-1], moved(way.points[-1]))) for way in ways]
