"""The fabric: named roads cut the land into faces, and rules cut the faces into blocks, as fine as the quarter is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
import shapely.ops
from shapely.geometry import LineString, Point, Polygon

from huangpu_drawing import hand
from huangpu_drawing.ground import Floats, Ground, Indices, curve, metres, metres_per_km, shore

GRID_M = 0.01
_DANGLE_M = 240.0
_REACH_M = 5000.0

WIDTH_M = {
    "primary": 14.0, "secondary": 10.0, "tertiary": 8.0, "residential": 6.0, "living_street": 5.0, "pedestrian": 12.0,
    "footway": 4.0, "steps": 12.0, "trunk": 0.0, "trunk_link": 0.0,
}  # fmt: skip
SPEED_KMH = {
    "primary": 50.0, "secondary": 40.0, "tertiary": 30.0, "residential": 25.0, "living_street": 15.0, "pedestrian": 5.0,
    "footway": 5.0, "steps": 3.0, "trunk": 80.0, "trunk_link": 40.0,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stroke:
    """One drawn line of a street, in metres, before it is cut at junctions."""

    line: LineString
    street_class: str
    zh: str = ""
    en: str = ""
    width_m: float | None = None
    oneway: bool = False
    inner: bool = False
    """Drawn within a place: no border of a block."""

    @property
    def walk(self) -> bool:
        """True where one may walk."""
        return not self.street_class.startswith("trunk")


@dataclass(frozen=True)
class Grain:
    """How fine a quarter is: the usual block, how far its streets are askew, and its kinds of street."""

    block_m2: float
    askew_deg: float
    classes: tuple[str, str]
    lane_share: float


OLD_TOWN = Grain(5200.0, 11.0, ("living_street", "footway"), 0.10)
SETTLEMENT = Grain(8500.0, 3.0, ("residential", "living_street"), 0.30)
CONCESSION = Grain(13500.0, 4.0, ("residential", "living_street"), 0.75)
ESTATES = Grain(16500.0, 5.0, ("residential", "living_street"), 0.45)


@dataclass(eq=False)
class Sketch:
    """What is drawn so far: strokes, and the faces between them that no rule may cut."""

    strokes: list[Stroke] = field(default_factory=list)
    kept: list[Polygon] = field(default_factory=list)


def named_roads(ground: Ground) -> list[Stroke]:
    """Return the named roads and the roads along river, creek and border, overshooting tails cut off."""
    roads = [
        Stroke(LineString(curve(metres(r.course))), r.street_class, r.zh, r.en, oneway=r.oneway) for r in hand.ROADS
    ]
    roads += _along_water(ground)
    return _without_tails(roads, ground)


def _along_water(ground: Ground) -> list[Stroke]:
    """Return the road along the river in its sections, and the one along the creek."""
    xy = shore(ground.bank)
    north = xy[0] + (xy[0] - xy[1]) / np.hypot(*(xy[0] - xy[1])) * 200.0
    course = max(lines_in(LineString([north, *xy]).intersection(ground.outline)), key=lambda part: part.length)
    cuts = [course.project(Point(p)) for p in metres([(0.92, 2.88), (1.02, 1.45), (1.33, 0.80), (1.72, -1.72)])]
    sections = [
        ("外白渡桥", "Waibaidu Bridge", "primary"),
        ("中山东一路", "East First Zhongshan Road", "primary"),
        ("中山东二路", "East Second Zhongshan Road", "primary"),
        ("外马路", "Waima Road", "tertiary"),
        ("苗江路", "Miaojiang Road", "tertiary"),
    ]
    ends = [0.0, *cuts, course.length]
    strokes = [
        Stroke(shapely.ops.substring(course, begin, end), kind, zh, en)
        for (zh, en, kind), begin, end in zip(sections, ends, ends[1:], strict=False)
    ]
    creek = ground.creek.offset_curve(34.0)
    return [*strokes, Stroke(creek, "tertiary", "南苏州路", "South Suzhou Road")]


def _without_tails(roads: list[Stroke], ground: Ground) -> list[Stroke]:
    """Cut the tails that roads were drawn beyond their last junction, but those that leave the district."""
    roads = [
        replace(road, line=max(lines_in(road.line.intersection(ground.outline)), key=lambda p: p.length))
        for road in roads
    ]
    pieces = shapely.get_parts(shapely.union_all([road.line for road in roads], grid_size=GRID_M))
    corner, number = ends_of(pieces)
    free = (np.bincount(number.ravel()) == 1)[number]
    tails = [
        (Point(corner[number[k, int(free[k, 0])]]), Point(corner[number[k, 1 - int(free[k, 0])]]))
        for k, piece in enumerate(pieces)
        if free[k].sum() == 1 and piece.length < _DANGLE_M and piece.distance(ground.outline.exterior) > 1.0
    ]
    return [replace(road, line=_shortened(road.line, tails)) for road in roads]


def lines_in(shape: shapely.Geometry) -> list[LineString]:
    """Return the lines of a shape that have a length."""
    return [part for part in shapely.get_parts(shape) if part.geom_type == "LineString" and part.length > 0]


def ends_of(lines: Sequence[LineString]) -> tuple[Floats, Indices]:
    """Return the corners at which lines end, shape (m, 2), and the numbers of each line's first and last, shape (n, 2)."""
    ends = np.round(np.array([[line.coords[0], line.coords[-1]] for line in lines]), 2)
    corner, number = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    return corner, number.reshape(-1, 2)


def _shortened(line: LineString, tails: list[tuple[Point, Point]]) -> LineString:
    """Return the line without the tails at its ends; a tail is told by its junction and its loose end."""
    begin, end = 0.0, line.length
    first, last = Point(line.coords[0]), Point(line.coords[-1])
    joints: dict[int, Point] = {}
    for junction, loose in tails:
        if loose.distance(first) < 0.05 and junction.distance(line) < 0.05:
            begin, joints[0] = line.project(junction), junction
        if loose.distance(last) < 0.05 and junction.distance(line) < 0.05:
            end, joints[-1] = line.project(junction), junction
    xy = shapely.get_coordinates(shapely.ops.substring(line, begin, end))
    for place, junction in joints.items():
        xy[place] = junction.coords[0]
    return LineString(xy)


def faces_of(lines: Iterable[LineString], edge: LineString, within: Polygon) -> list[Polygon]:
    """Return the faces that lines and an edge cut a polygon into."""
    web = shapely.union_all([*lines, edge], grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(web)))
    inner = shapely.point_on_surface(faces)
    shapely.prepare(within)
    return [face for face, point in zip(faces, inner, strict=True) if within.contains(point)]


def cut_face(
    face: Polygon, grain: Grain, old: list[Point], rng: np.random.Generator
) -> tuple[list[Polygon], list[tuple[LineString, int]]]:
    """Cut a face into blocks, each time across its longer side; streets of neighbours are met where they arrive.

    Returns the blocks, and the cuts with their depth: 0 for the first through the face.
    """
    todo, blocks, cuts = [(face, 0)], [], []
    while todo:
        part, depth = todo.pop()
        if part.area < grain.block_m2 * rng.uniform(1.25, 1.9):
            blocks.append(part)
            continue
        best = _best_cut(part, grain, old, rng)
        if best is None:
            blocks.append(part)
            continue
        cuts.append((best, depth))
        old.extend(Point(c) for c in (best.coords[0], best.coords[-1]))
        pieces = [p for p in shapely.get_parts(shapely.ops.split(part, longer(best, 0.02))) if p.area > 1.0]
        todo.extend((piece, depth + 1) for piece in pieces)
    return blocks, cuts


def longer(line: LineString, by_m: float) -> LineString:
    """Return the line a little longer at both ends, so that it surely meets what it should end at."""
    xy = shapely.get_coordinates(line)
    xy[0] += (xy[0] - xy[1]) / np.hypot(*(xy[0] - xy[1])) * by_m
    xy[-1] += (xy[-1] - xy[-2]) / np.hypot(*(xy[-1] - xy[-2])) * by_m
    return LineString(xy)


def _best_cut(part: Polygon, grain: Grain, old: list[Point], rng: np.random.Generator) -> LineString | None:
    """Try some cuts and return the best: even halves, clear of corners, meeting the streets across the road."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(part))[:4]
    sides = np.diff(corners, axis=0)[:2]
    lengths = np.hypot(*sides.T)
    longer = int(np.argmax(lengths))
    along, length = sides[longer] / lengths[longer], float(lengths[longer])
    if lengths.min() < 36.0:
        return None
    middle = np.array(part.centroid.coords[0])
    joints = [p for p in old if part.exterior.distance(p) < 0.05]
    bends = shapely.points(_bends(part))
    room = part.buffer(0.5)
    shapely.prepare(room)
    best, best_score = None, 60.0
    for _ in range(14):
        turn = np.radians(rng.normal(0, grain.askew_deg))
        heading = np.array(
            [-along[1] * np.cos(turn) - along[0] * np.sin(turn), along[0] * np.cos(turn) - along[1] * np.sin(turn)]
        )
        spot = middle + along * rng.normal(0, 0.07) * length
        cut = _chord(part, spot, heading)
        if cut is None:
            continue
        score, cut = _score(part, room, cut, joints, bends)
        if score < best_score:
            best, best_score = cut, score
    return best


def _chord(part: Polygon, spot: Floats, heading: Floats) -> LineString | None:
    whole = part.intersection(LineString([spot - heading * _REACH_M, spot + heading * _REACH_M]))
    pieces = [p for p in shapely.get_parts(whole) if p.geom_type == "LineString" and p.length > 5.0]
    return min(pieces, key=lambda p: p.distance(Point(spot))) if pieces else None


def _score(
    part: Polygon, room: Polygon, cut: LineString, joints: list[Point], bends: Floats
) -> tuple[float, LineString]:
    """Return how bad a cut is, in metres or so, and the cut with its ends moved onto streets that arrive there."""
    score, ends = 0.0, []
    for end in (cut.coords[0], cut.coords[-1]):
        point = Point(end)
        near = min(joints, key=point.distance, default=None)
        if near is not None and point.distance(near) < 26.0:
            score -= 14.0
            point = near
        elif near is not None and point.distance(near) < 38.0:
            score += 12.0
        gap = float(shapely.distance(bends, point).min()) if len(bends) else 99.0
        score += max(0.0, 26.0 - gap) * 1.5
        ends.append(point)
    moved = LineString(ends)
    if moved.length < 25.0 or not room.contains(moved):
        return 99.0, cut
    halves = shapely.get_parts(shapely.ops.split(part, longer(moved, 0.02)))
    if len(halves) != 2:
        return 99.0, cut
    smaller, larger = sorted(h.area for h in halves)
    slim = min(h.area / shapely.minimum_rotated_rectangle(h).area for h in halves)
    return score + 40.0 * (1 - smaller / larger) + 60.0 * max(0.0, 0.8 - slim), moved


def _bends(part: Polygon) -> Floats:
    """Return the corners of a polygon that turn by more than 25 degrees."""
    xy = shapely.get_coordinates(part.exterior)[:-1]
    before, after = xy - np.roll(xy, 1, axis=0), np.roll(xy, -1, axis=0) - xy
    turn = np.abs(np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1)))
    return np.asarray(xy[turn > np.radians(25)])


def lane_into(block: Polygon, rng: np.random.Generator) -> LineString | None:
    """Return a lane that runs from the middle of a block's long side into it, as in a row of lilong houses."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block))[:4]
    sides = np.diff(corners, axis=0)[:2]
    along = sides[int(np.argmax(np.hypot(*sides.T)))]
    along /= np.hypot(*along)
    heading = np.array([-along[1], along[0]]) * rng.choice([-1.0, 1.0])
    spot = np.array(block.centroid.coords[0]) + along * rng.uniform(-12, 12)
    chord = _chord(block, spot, heading)
    if chord is None or chord.length < 55.0:
        return None
    xy = shapely.get_coordinates(chord)
    begin, end = (xy[0], xy[-1]) if (xy[-1] - xy[0]) @ heading > 0 else (xy[-1], xy[0])
    return LineString([begin, begin + (end - begin) * rng.uniform(0.55, 0.78)])


def grain_at(point: Point) -> Grain:
    """Tell how fine the fabric is at a point (metres)."""
    x, y = point.x / metres_per_km(), point.y / metres_per_km()
    if Polygon(metres(hand.ring(0, 360))).buffer(15.0).contains(point):
        return OLD_TOWN
    if y < -0.91 - 0.14 * max(x, 0.0):
        return ESTATES
    return SETTLEMENT if x > -0.15 or y > max(1.08, 1.01 + 0.13 * x) else CONCESSION


def fill(sketch: Sketch, ground: Ground, rng: np.random.Generator) -> list[Polygon]:
    """Cut every face of the land that is not kept, adding the streets to the sketch; return all faces in the end."""
    lines = [s.line for s in sketch.strokes if not s.inner]
    shut = shapely.union_all(sketch.kept) if sketch.kept else Polygon()
    shapely.prepare(shut)
    blocks: list[Polygon] = []
    old = _junctions(lines)
    for face in sorted(faces_of(lines, ground.land.exterior, ground.land), key=lambda f: -f.area):
        if shut.contains(face.point_on_surface()):
            blocks.append(face)
            continue
        grain = grain_at(face.centroid)
        near = [p for p in old if face.distance(p) < 1.0]
        n_before = len(near)
        made, cuts = cut_face(face, grain, near, rng)
        old.extend(near[n_before:])
        blocks += made
        for cut, depth in cuts:
            kind = grain.classes[0] if depth < 2 else grain.classes[1]
            sketch.strokes.append(Stroke(cut, kind, oneway=kind == "residential" and rng.random() < 0.3))
        for block in made:
            lane = lane_into(block, rng) if rng.random() < grain.lane_share else None
            if lane is not None:
                sketch.strokes.append(Stroke(lane, "living_street", width_m=4.0, inner=True))
    return blocks


def _junctions(lines: list[LineString]) -> list[Point]:
    return [Point(corner) for corner in ends_of(lines_in(shapely.union_all(lines, grid_size=GRID_M)))[0]]
