"""The 106 counters, the cameras over open places, what counts on the border, and the feed of the location grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
import shapely.ops
from shapely.geometry import LineString, Point, Polygon

from anlan.kernel.records import Device, DeviceKind, Gateway, GridSpec, Place
from huangpu_drawing.fabric import WIDTH_M, Stroke
from huangpu_drawing.ground import PLANE, Ground, metres
from huangpu_drawing.network import Piece
from huangpu_drawing.places import GATE_HALF_M, Gate

N_COUNTERS = 106
"""Gates and passages together."""
GRID_M = 200.0
INWARD_M = 10.0
"""How far inside the border its counters stand."""
DRIVEN = ("primary", "secondary", "tertiary", "residential")

PASSAGES = (
    ("Nanjing Road Pedestrian Street", (-0.40, 1.92)), ("Nanjing Road Pedestrian Street", (-0.06, 1.96)),
    ("Nanjing Road Pedestrian Street", (0.24, 2.00)), ("Nanjing Road Pedestrian Street", (0.62, 2.05)),
    ("East Beijing Road", (0.62, 2.42)), ("Fuzhou Road", (0.76, 1.71)), ("Jiujiang Road", (0.66, 1.95)),
    ("Hankou Road", (0.20, 1.76)), ("East Yan'an Road", (0.80, 1.43)), ("East Jinling Road", (0.88, 1.17)),
    ("Middle Sichuan Road", (0.52, 2.22)), ("Middle Henan Road", (0.34, 1.72)), ("Middle Zhejiang Road", (-0.06, 1.66)),
    ("Middle Xizang Road", (-0.52, 1.80)), ("West Nanjing Road", (-0.98, 1.84)), ("South Henan Road", (0.55, 0.40)),
    ("Fuyou Road", (0.64, 0.612)), ("Middle Fangbang Road", (1.30, 0.25)), ("Renmin Road", (1.15, 0.80)),
    ("Yuyuan Old Street", (0.957, 0.545)), ("South Xizang Road", (-0.25, 0.46)), ("Middle Huaihai Road", (-0.62, 0.71)),
    ("Middle Huaihai Road", (-1.92, 0.54)), ("Middle Fuxing Road", (-0.80, 0.075)), ("Taikang Road", (-1.60, -0.615)),
    ("Lujiabang Road", (0.30, -1.05)), ("East Fuxing Road", (1.30, 0.03)), ("South First Zhongshan Road", (0.45, -1.98)),
    ("South Zhongshan Road", (1.62, 0.20)), ("South Suzhou Road", (0.50, 2.66)),
    ("East First Zhongshan Road", (0.88, 1.75)), ("East First Zhongshan Road", (0.80, 2.35)),
    ("Middle Jiangxi Road", (0.42, 1.65)), ("Middle Shandong Road", (0.22, 1.60)), ("Guangdong Road", (0.74, 1.53)),
    ("Middle Fujian Road", (0.03, 1.70)), ("Middle Yunnan Road", (-0.30, 1.50)), ("South Huangpi Road", (-0.62, 0.75)),
    ("Madang Road", (-0.83, 0.50)), ("East Huaihai Road", (0.00, 0.78)), ("Second Ruijin Road", (-1.72, 0.30)),
    ("South Shaanxi Road", (-2.42, 0.40)), ("Anren Street", (1.13, 0.60)), ("Jiujiaochang Road", (0.735, 0.50)),
    ("Waima Road", (1.55, 0.40)),
)  # fmt: skip
"""Streets with a counter across them, the busiest first, each near a point (km)."""

VIEWS = (
    ("bund-north", 3), ("bund-chenyi", 3), ("bund-promenade", 5), ("bund-south", 3), ("bund-stairs", 1), ("shiliupu", 2),
    ("nanjing-west", 3), ("nanjing-middle", 3), ("nanjing-east", 3), ("people-square", 3), ("nine-turn-bridge", 1),
    ("huaihai-middle", 4), ("nanwaitan", 2), ("expo-park", 2), ("dapuqiao-plaza", 1), ("luwan-stadium", 1),
)  # fmt: skip
"""Open places with cameras, and how many: forty, most where crowds were dangerous before."""


def draw_devices(
    places: Sequence[Place], gates: Sequence[Gate], pieces: Sequence[Piece], ground: Ground
) -> list[Device]:
    """Place the devices: gates close the closed places, passages are the other counters, cameras see open places."""
    found = [_gate(gate, place, k) for place in places for k, gate in _of(place, gates)]
    views = [view for place_id, n in VIEWS for view in _views(next(p for p in places if p.place_id == place_id), n)]
    n_passages = N_COUNTERS - len(found)
    found += [_passage(k, en, at, pieces) for k, (en, at) in enumerate(PASSAGES[:n_passages], 1)]
    return [*found, *views, _grid(ground)]


def _of(place: Place, gates: Sequence[Gate]) -> list[tuple[int, Gate]]:
    return list(enumerate((gate for gate in gates if gate.place_id == place.place_id), 1))


def _gate(gate: Gate, place: Place, number: int) -> Device:
    """Return the counter of a gate: along the outline, so that from its left to its right is into the place."""
    x, y = gate.middle.coords[0]
    dx, dy = gate.heading * GATE_HALF_M
    return Device(
        device_id=f"{place.place_id}-gate-{number}",
        kind=DeviceKind.GATE,
        name={"zh": f"{place.name['zh']}{number}号门", "en": f"{place.name['en']} Gate {number}"},
        geometry=PLANE.unproject(LineString([(x - dx, y - dy), (x + dx, y + dy)])),
        place_id=place.place_id,
        expected_error=0.03 + 0.01 * (number % 3),
    )


def _passage(number: int, en: str, at: tuple[float, float], pieces: Sequence[Piece]) -> Device:
    """Return a counter across the piece of a street nearest to a point, where it is straight."""
    spot = Point(metres([at])[0])
    line, stroke, width = min(_wide(pieces, en), key=lambda told: told[0].distance(spot))
    along = float(np.clip(line.project(spot), 8.0, max(8.0, line.length - 8.0)))
    a, b = (np.array(line.interpolate(v).coords[0]) for v in (along - 1.0, along + 1.0))
    middle, across = (a + b) / 2, np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a)) * (width / 2 + 1.5)
    return Device(
        device_id=f"passage-{number:02d}",
        kind=DeviceKind.PASSAGE,
        name={"zh": f"{stroke.zh}断面{number}", "en": f"{en} passage {number}"},
        geometry=PLANE.unproject(LineString([middle + across, middle - across])),
        expected_error=0.06 + 0.02 * (number % 4),
    )


def _wide(pieces: Sequence[Piece], en: str) -> list[tuple[LineString, Stroke, float]]:
    return [(p, s, s.width_m or WIDTH_M[s.street_class]) for p, s in pieces if s.en == en and p.length > 20.0]


def _views(place: Place, n: int) -> list[Device]:
    """Return cameras spread along the longer side of a place, each seeing about 50 m of it."""
    ground = PLANE.project(place.polygon)
    corners = np.array(shapely.minimum_rotated_rectangle(ground).exterior.coords)[:4]
    sides = [(corners[k], corners[k + 1]) for k in range(2)]
    a, b = max(sides, key=lambda side: float(np.hypot(*(side[1] - side[0]))))
    shift = np.array(ground.centroid.coords[0]) - (a + b) / 2
    devices = []
    for k in range(n):
        aim = Point(a + (b - a) * (k + 0.5) / n + shift)
        spot = shapely.ops.nearest_points(ground.buffer(-2.0), aim)[0]
        view = shapely.intersection(spot.buffer(27.0, quad_segs=4), ground)
        view = max(shapely.get_parts(view), key=lambda part: part.area)
        devices.append(
            Device(
                device_id=f"{place.place_id}-view-{k + 1}",
                kind=DeviceKind.AREA,
                name={"zh": f"{place.name['zh']}客流眼{k + 1}", "en": f"{place.name['en']} view {k + 1}"},
                geometry=PLANE.unproject(view),
                place_id=place.place_id,
                expected_error=0.08 + 0.02 * (k % 3),
            )
        )
    return devices


def draw_border(gateways: Sequence[Gateway], pieces: Sequence[Piece]) -> list[Device]:
    """Place counters of people, and of vehicles where they drive, on the roads that end at the border.

    Most roads come in from across another one that runs along the border; no line can be drawn there.
    """
    ends = [(line, stroke, end) for line, stroke in pieces for end in (0.0, line.length)]
    roads = []
    for gateway in gateways:
        spot = PLANE.project(gateway.point)
        found = [(line, stroke, end) for line, stroke, end in ends if line.interpolate(end).distance(spot) < 0.5]
        if gateway.kind == "road" and len(found) == 1:
            line, stroke, end = found[0]
            roads.append((gateway, stroke, _inward(line, end, _width(stroke))))
    on_foot = [_at_border(told, DeviceKind.PASSAGE, "walk") for told in roads]
    driven = [_at_border(told, DeviceKind.ROAD, "drive") for told in roads if told[1].street_class in DRIVEN]
    return [*on_foot, *driven]


def _width(stroke: Stroke) -> float:
    return stroke.width_m or WIDTH_M[stroke.street_class]


def _inward(line: LineString, end: float, width: float) -> LineString:
    """Return a line across a road near its end: from its left to its right is into the district."""
    near = min(INWARD_M, line.length / 2)
    at = near if end == 0.0 else line.length - near
    a, b = (np.array(line.interpolate(v).coords[0]) for v in (end, at))
    middle, across = b, np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a)) * (width / 2 + 1.5)
    return LineString([middle - across, middle + across])


def _at_border(told: tuple[Gateway, Stroke, LineString], kind: DeviceKind, word: str) -> Device:
    gateway, _, line = told
    zh, en = {"walk": ("行人", "people"), "drive": ("车流", "vehicles")}[word]
    return Device(
        device_id=f"border-{word}-{gateway.gateway_id.removeprefix('road-')}",
        kind=kind,
        name={"zh": f"{gateway.name['zh']}{zh}", "en": f"{gateway.name['en']} {en}"},
        geometry=PLANE.unproject(line),
        expected_error=0.06 if kind is DeviceKind.PASSAGE else 0.03,
        border=True,
    )


def _grid(ground: Ground) -> Device:
    """Return the feed of counted phones in squares of 200 m."""
    x0, y0, x1, y1 = ground.outline.bounds
    west, south = np.floor(x0 / GRID_M) * GRID_M, np.floor(y0 / GRID_M) * GRID_M
    n_columns, n_rows = int(np.ceil((x1 - west) / GRID_M)), int(np.ceil((y1 - south) / GRID_M))
    east, north = west + n_columns * GRID_M, south + n_rows * GRID_M
    return Device(
        device_id="lbs",
        kind=DeviceKind.GRID,
        name={"zh": "手机位置栅格", "en": "Phone location grid"},
        geometry=PLANE.unproject(Polygon([(west, south), (east, south), (east, north), (west, north)])),
        interval_s=300.0,
        expected_error=0.1,
        grid=GridSpec(
            west_m=float(west), south_m=float(south), size_m=GRID_M, n_columns=n_columns, n_rows=n_rows,
            suppressed_below=10, market_share=0.30, blur_m=60.0,
        ),
    )  # fmt: skip
