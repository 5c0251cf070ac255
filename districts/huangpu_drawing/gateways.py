"""Where people come in, and where those who respond wait."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
import shapely.ops
from shapely.geometry import LineString, Point

from anlan.kernel.areas import AreaTree
from anlan.kernel.records import Gateway, Post, Station, Unit
from huangpu_drawing import facts
from huangpu_drawing.fabric import Stroke, ends_of
from huangpu_drawing.ground import PLANE, Floats, Ground, metres
from huangpu_drawing.network import Piece

ENTRANCE_M = (35.0, 190.0)
"""How far entrances lie from the middle of their station."""
BUS_EVERY_M = 620.0
BORDER_APART_M = 150.0
BUS_ROADS = (
    "East Beijing Road", "West Nanjing Road", "Fuzhou Road", "East Yan'an Road", "Middle Yan'an Road", "Middle Xizang Road",
    "South Xizang Road", "Middle Henan Road", "South Henan Road", "Renmin Road", "Zhonghua Road", "Middle Huaihai Road",
    "East Fuxing Road", "Middle Fuxing Road", "Xujiahui Road", "Lujiabang Road", "South Zhongshan Road",
    "South First Zhongshan Road", "Second Ruijin Road", "Dapu Road", "Zhizaoju Road", "East Longhua Road",
    "South Chezhan Road", "Bansongyuan Road", "East Jianguo Road", "South Shaanxi Road", "Xietu Road",
)  # fmt: skip

POSTS = (
    ("bund", "外滩", "The Bund", (0.80, 2.02)), ("people", "人民广场", "People's Square", (-0.56, 1.50)),
    ("yuyuan", "豫园", "Yu Garden", (0.76, 0.64)), ("xintiandi", "新天地", "Xintiandi", (-0.95, 0.20)),
    ("ruijin", "瑞金", "Ruijin", (-1.79, 0.36)), ("dapu", "打浦桥", "Dapuqiao", (-1.42, -1.20)),
    ("nanpu", "南浦", "Nanpu", (1.10, -1.76)),
)  # fmt: skip
FOOT = ("bund", "people", "yuyuan", "xintiandi")
SKILLS = {
    "bund": ("medical", "crowd"),
    "people": ("medical",),
    "yuyuan": ("crowd",),
    "xintiandi": ("medical",),
    "dapu": ("medical",),
}
"""What the vehicles at these posts can do beyond what every vehicle can: equipment and training as drawn, not known."""
EXTRA_STATIONS = (
    ("station-bund", "外滩治安派出所", "Bund Public Order Police Station", (0.73, 1.72)),
    ("station-people", "人民广场治安派出所", "People's Square Public Order Police Station", (-0.87, 1.50)),
    ("station-yuyuan", "豫园商城警务站", "Yu Garden Bazaar Police Post", (0.70, 0.61)),
)


def draw_gateways(pieces: Sequence[Piece], ground: Ground) -> list[Gateway]:
    """Place metro entrances, ferries, bus stops, and the roads over the border; all stand on the walk network."""
    walked = [(line, stroke) for line, stroke in pieces if stroke.walk]
    streets = [line for line, stroke in walked if stroke.street_class != "footway"]  # no entrance within a venue
    corners, _ = ends_of(streets)
    found = [gate for station in facts.METRO for gate in _entrances(station, corners)]
    for key, zh, en, at in facts.FERRIES:
        found.append(_gateway(f"ferry-{key}", "ferry", zh, en, _nearest(corners, metres([at])[0])))
    return [*found, *_bus_stops(walked), *_border_roads(walked, ground)]


def _entrances(station: tuple[str, str, str, tuple[float, float], int], corners: Floats) -> list[Gateway]:
    """Return a station's entrances: street corners near it, each in another direction."""
    key, zh, en, at, n = station
    middle = metres([at])[0]
    away = corners - middle
    far = np.hypot(*away.T)
    near = np.flatnonzero((far > ENTRANCE_M[0]) & (far < ENTRANCE_M[1]))
    chosen: list[int] = []
    for k in range(n):
        aim = 2 * np.pi * (k + 0.35) / n
        turn = np.abs(np.angle(np.exp(1j * (np.arctan2(away[near, 1], away[near, 0]) - aim))))
        cost = far[near] + 90.0 * turn + 1e6 * np.isin(near, chosen)
        chosen.append(int(near[np.argmin(cost)]))
    return [
        _gateway(f"metro-{key}-{k}", "metro", f"{zh}站{k}号口", f"{en} Station Exit {k}", corners[number])
        for k, number in enumerate(chosen, 1)
    ]


def _bus_stops(pieces: Sequence[Piece]) -> list[Gateway]:
    """Return bus stops at junctions of the roads that buses run on."""
    found: list[Gateway] = []
    taken: list[Point] = []
    for en in BUS_ROADS:
        parts = [(line, stroke) for line, stroke in pieces if stroke.en == en]
        ends = sorted({tuple(np.round(c, 2)) for line, _ in parts for c in (line.coords[0], line.coords[-1])})
        for end in ends:
            point = Point(end)
            if all(point.distance(other) > BUS_EVERY_M for other in taken):
                taken.append(point)
                zh, number = parts[0][1].zh, len(found) + 1
                found.append(
                    _gateway(
                        f"bus-{number:02d}", "bus", f"{zh}公交站{number}", f"{en} bus stop {number}", np.array(end)
                    )
                )
    return found


def _border_roads(pieces: Sequence[Piece], ground: Ground) -> list[Gateway]:
    """Return the roads' ends at the border, except over the river."""
    border = ground.outline.exterior
    ends = [(Point(c), stroke) for line, stroke in pieces for c in (line.coords[0], line.coords[-1]) if stroke.zh]
    ends = sorted((pair for pair in ends if pair[0].distance(border) < 40.0), key=lambda pair: border.project(pair[0]))
    rank = {"primary": 0, "secondary": 1, "tertiary": 2}
    kept: list[tuple[Point, Stroke]] = []
    for point, stroke in sorted(ends, key=lambda pair: rank.get(pair[1].street_class, 3)):
        if all(point.distance(other) > BORDER_APART_M for other, _ in kept):
            kept.append((point, stroke))
    kept.sort(key=lambda pair: border.project(pair[0]))
    return [
        _gateway(f"road-{k:02d}", "road", f"{stroke.zh}界口", f"{stroke.en} border", np.array(point.coords[0]))
        for k, (point, stroke) in enumerate(kept, 1)
    ]


def _nearest(corners: Floats, at: Floats) -> Floats:
    return np.asarray(corners[int(np.argmin(np.hypot(*(corners - at).T)))])


def _gateway(gateway_id: str, kind: str, zh: str, en: str, at: Floats) -> Gateway:
    return Gateway(gateway_id=gateway_id, kind=kind, name={"zh": zh, "en": en}, point=PLANE.unproject(Point(at)))


def draw_response(areas: AreaTree, pieces: Sequence[Piece]) -> tuple[list[Station], list[Post], list[Unit]]:
    """Place a station in each street and three more, seven posts with a vehicle of four, and foot patrols."""
    roads = shapely.union_all(
        [line for line, stroke in pieces if stroke.street_class in {"secondary", "tertiary", "residential"}]
    )
    stations = []
    for subdistrict in facts.SUBDISTRICTS:
        outline = areas.area(subdistrict.code).polygon
        inner = shapely.ops.nearest_points(roads, PLANE.project(shapely.centroid(outline)))[0]
        name = {"zh": f"{subdistrict.zh[:-2]}派出所", "en": f"{subdistrict.en} Police Station"}
        stations.append(Station(station_id=f"station-{subdistrict.code[-3:]}", name=name, point=PLANE.unproject(inner)))
    for key, zh, en, at in EXTRA_STATIONS:
        stations.append(Station(station_id=key, name={"zh": zh, "en": en}, point=PLANE.unproject(_on(roads, at))))
    posts = [
        Post(post_id=f"post-{key}", name={"zh": f"{zh}驻点", "en": f"{en} post"}, point=PLANE.unproject(_on(roads, at)))
        for key, zh, en, at in POSTS
    ]
    units = [
        Unit(
            unit_id=f"vehicle-{k}",
            name={"zh": f"快反{k}号车", "en": f"Response vehicle {k}"},
            kind="vehicle",
            crew=4,
            post_id=f"post-{key}",
            capabilities=SKILLS.get(key, ()),
        )
        for k, (key, *_) in enumerate(POSTS, 1)
    ]
    units += [
        Unit(
            unit_id=f"foot-{k}",
            name={"zh": f"步巡{k}组", "en": f"Foot patrol {k}"},
            kind="foot",
            crew=2,
            post_id=f"post-{key}",
        )
        for k, key in enumerate(FOOT, 1)
    ]
    return stations, posts, units


def _on(roads: LineString, at: tuple[float, float]) -> Point:
    return shapely.ops.nearest_points(roads, Point(metres([at])[0]))[0]
