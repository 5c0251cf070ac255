"""The named places: blocks with gates, squares, stretches of street and of the river's promenade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon

from anlan.kernel.records import Place
from huangpu_drawing import hand
from huangpu_drawing.fabric import Grain, Sketch, Stroke, cut_face, faces_of, lines_in
from huangpu_drawing.ground import PLANE, Floats, Ground, curve, largest, metres

GATE_HALF_M = 4.0
PATHS_ASKEW_DEG = 5.0
WALL_CLEAR_M = 5.0
SQUARE_PATH_M2 = 11_000.0
OPEN_BLOCKS = [(-0.66, 1.38), (-1.90, -0.985)]
"""People's Square and the stadium's block, in km."""


@dataclass(frozen=True)
class Venue:
    """A place that fills the faces in which its seeds (km) lie."""

    place_id: str
    zh: str
    en: str
    kind: str
    seeds: tuple[tuple[float, float], ...]
    capacity: int
    share: float
    inset_m: float = 9.0
    n_gates: int = 0
    path_m2: float = 4000.0
    key: bool = False


@dataclass(frozen=True, eq=False)
class Gate:
    """An opening in the outline of a closed place: its middle, on the outline, and the heading of the outline there."""

    place_id: str
    middle: Point
    heading: Floats


VENUES = (
    Venue("people-park", "人民公园", "People's Park", "garden", ((-0.72, 1.70),), 14000, 0.28, 11, 7, 9000),
    Venue("people-square", "人民广场", "People's Square", "square", ((-0.66, 1.38),), 30000, 0.55, 11),
    Venue("great-world", "大世界", "Great World", "venue", ((-0.30, 1.205),), 5000, 0.70, 10, 4, 3200),
    Venue("yuyuan-garden", "豫园", "Yu Garden", "venue", ((1.06, 0.55),), 9000, 0.50, 8, 5, 4500, key=True),
    Venue("yuyuan-bazaar", "豫园商城", "Yu Garden Bazaar", "bazaar", ((0.86, 0.42),), 22000, 0.50, 8, 13, 3000, key=True),
    Venue("city-god-temple", "城隍庙", "City God Temple", "venue", ((1.06, 0.30),), 6000, 0.60, 8, 7, 2600, key=True),
    Venue("xintiandi", "新天地", "Xintiandi", "venue", ((-0.82, 0.36),), 16000, 0.50, 9, 11, 4500),
    Venue("tianzifang", "田子坊", "Tianzifang", "venue", ((-1.61, -0.50),), 7000, 0.40, 9, 8, 3600),
    Venue("fuxing-park", "复兴公园", "Fuxing Park", "garden", ((-1.28, 0.22),), 12000, 0.35, 9, 6, 9000),
)  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """A part of the promenade, by metres along the bank from the north."""

    place_id: str
    zh: str
    en: str
    begin_m: float
    end_m: float
    capacity: int
    key: bool = False
    far_m: float = 56.0
    kind: str = "promenade"
    share: float = 0.85


PROMENADE = (
    Stretch("bund-north", "外滩源", "Bund North", 110, 540, 16000, key=True),
    Stretch("bund-chenyi", "外滩陈毅广场", "Chen Yi Square, the Bund", 540, 910, 20000, key=True),
    Stretch("bund-promenade", "外滩观景平台", "Bund Promenade", 910, 1510, 34000, key=True),
    Stretch("bund-south", "外滩南段", "Bund South", 1510, 1960, 18000, key=True),
    Stretch("shiliupu", "十六铺", "Shiliupu Wharf", 1960, 2610, 15000),
    Stretch("nanwaitan", "南外滩滨江", "South Bund Riverside", 3200, 4400, 16000),
    Stretch("expo-park", "滨江世博园", "Riverside Expo Park", 6350, 6990, 20000, far_m=166.0, kind="garden", share=0.5),
)
NEAR_M, FAR_M = 6.0, 56.0
STAIRS_M = (56.0, 74.0)
STAIRS_ACROSS_M = 36.0
MALL = (
    ("nanjing-west", "南京路步行街西段", "Nanjing Road West End"),
    ("nanjing-middle", "南京路步行街中段", "Nanjing Road Middle"),
    ("nanjing-east", "南京路步行街东段", "Nanjing Road East End"),
)
BRIDGE = [(0.985, 0.408), (1.000, 0.418), (1.014, 0.398), (1.029, 0.418), (1.043, 0.398), (1.058, 0.418),
          (1.072, 0.398), (1.087, 0.418), (1.101, 0.398), (1.116, 0.418), (1.131, 0.408)]  # fmt: skip
"""The course of the Nine-turn Bridge, in km."""
UNCUT = [(1.06, 0.408), (-1.90, -0.985)]
"""Where a block stays whole round an open place: the pond, the stadium."""


def venue_grounds(sketch: Sketch, ground: Ground) -> dict[str, Polygon]:
    """Return the face of each venue, in metres, and keep it free of the fabric."""
    faces = faces_of([s.line for s in sketch.strokes if not s.inner], ground.land.exterior, ground.land)
    found = {}
    for venue in VENUES:
        seeds = [Point(p) for p in metres(list(venue.seeds))]
        own = shapely.union_all([face for face in faces if any(face.contains(seed) for seed in seeds)])
        found[venue.place_id] = largest(own)
        sketch.kept.append(own)
    sketch.kept += [face for face in faces if any(face.contains(Point(p)) for p in metres(UNCUT))]
    return found


def square_paths(sketch: Sketch, rng: np.random.Generator) -> list[Stroke]:
    """Draw paths over the blocks that are open all round."""
    grain = Grain(SQUARE_PATH_M2, PATHS_ASKEW_DEG, ("footway", "footway"), 0.0)
    spots = [Point(p) for p in metres(OPEN_BLOCKS)]
    faces = [face for face in sketch.kept if any(face.contains(spot) for spot in spots)]
    return [Stroke(cut, "footway", inner=True) for face in faces for cut, _ in cut_face(face, grain, [], rng)[1]]


def wall_of(venue: Venue, face: Polygon) -> Polygon:
    """Return the outline of a venue: its block less half a street, with corners that are not too sharp."""
    return largest(face.buffer(-venue.inset_m, join_style="mitre").simplify(0.5))


def open_paths(venue: Venue, face: Polygon, rng: np.random.Generator) -> tuple[list[Stroke], list[Gate]]:
    """Draw the paths of a closed place and choose its gates among their ends, as far apart as can be."""
    wall = wall_of(venue, face)
    grain = Grain(venue.path_m2, PATHS_ASKEW_DEG, ("footway", "footway"), 0.0)
    _, cuts = cut_face(face, grain, [], rng)
    ring = wall.exterior.reverse() if wall.exterior.is_ccw else wall.exterior  # clockwise: inside lies to the right
    found: list[tuple[float, Point, LineString]] = []
    for cut, _ in cuts:
        for piece in lines_in(cut.difference(wall)):
            where = [Point(c) for c in (piece.coords[0], piece.coords[-1]) if wall.exterior.distance(Point(c)) < 0.01]
            if where and _straight(ring, ring.project(where[0])):
                found.append((ring.project(where[0]), where[0], piece))
    gates: list[Gate] = []
    outer: list[tuple[float, float]] = []
    for k in _far_apart([at for at, _, _ in found], venue.n_gates, ring.length):
        at, middle, piece = found[k]
        ends = [np.array(ring.interpolate((at + step) % ring.length).coords[0]) for step in (-1.0, 1.0)]
        gates.append(Gate(venue.place_id, middle, (ends[1] - ends[0]) / 2.0))
        outer.append(piece.coords[0] if Point(piece.coords[-1]) == middle else piece.coords[-1])
    ways = [line for cut, _ in cuts for line in _ways(cut, wall, gates, outer)]
    return [Stroke(line, "footway", inner=True) for line in ways], gates


def _ways(
    cut: LineString, wall: Polygon, gates: Sequence[Gate], outer: Sequence[tuple[float, float]]
) -> list[LineString]:
    """Return a path, through its gates to the street; where there is no gate it ends before the wall."""
    kept = []
    for part in lines_in(cut.intersection(wall)):
        xy = shapely.get_coordinates(part)
        heading = (xy[-1] - xy[0]) / part.length
        before: list[tuple[float, float]] = []
        after: list[tuple[float, float]] = []
        for end, inwards, beyond in ((0, heading, before), (-1, -heading, after)):
            point = Point(xy[end])
            here = [k for k, gate in enumerate(gates) if gate.middle.distance(point) < 0.02]
            if here:
                beyond.append(outer[here[0]])
            elif wall.exterior.distance(point) < 0.02:
                xy[end] += inwards * WALL_CLEAR_M
        kept.append(LineString([*before, *xy, *after]))
    return kept


def _straight(ring: LineString, at: float) -> bool:
    """Tell whether the outline is straight for a gate's width and a little more."""
    reach = GATE_HALF_M + 1.5
    ends = [ring.interpolate((at + step) % ring.length) for step in (-reach, reach)]
    return bool(ends[0].distance(ends[1]) > 2 * reach * 0.999)


def _far_apart(spots: list[float], n: int, length: float) -> list[int]:
    """Return the numbers of n spots on a ring, dropping each time the one nearest to its neighbour."""
    order = sorted(range(len(spots)), key=spots.__getitem__)
    while len(order) > n:
        at = np.array([spots[k] for k in order])
        gap = np.append(np.diff(at), at[0] + length - at[-1])
        order.pop(int(np.argmin(gap + np.roll(gap, 1))) if gap.min() > 30.0 else int(np.argmin(gap)))
    return order


def strip(bank: LineString, begin_m: float, end_m: float, far_m: float = FAR_M, near_m: float = NEAR_M) -> Polygon:
    """Return the ground between two distances inland from the bank."""
    part = shapely.ops.substring(bank, begin_m, end_m)
    near, far = (shapely.get_coordinates(part.offset_curve(-m)) for m in (near_m, far_m))
    return Polygon(np.vstack([near, far[::-1]]))


def make(venue: Venue, polygon: Polygon) -> Place:
    """Return the place of a venue on its ground (metres)."""
    return Place(
        place_id=venue.place_id,
        name={"zh": venue.zh, "en": venue.en},
        kind=venue.kind,
        polygon=PLANE.unproject(polygon),
        capacity=venue.capacity,
        closed=venue.n_gates > 0,
        walkable_share=venue.share,
        key=venue.key,
    )


def open_places(ground: Ground, strokes: list[Stroke]) -> list[Place]:
    """Draw the places that one enters anywhere."""
    places = []
    for s in PROMENADE:
        venue = Venue(s.place_id, s.zh, s.en, s.kind, (), s.capacity, s.share, key=s.key)
        places.append(make(venue, strip(ground.bank, s.begin_m, s.end_m, s.far_m)))
    mall = _course(strokes, "Nanjing Road Pedestrian Street")
    stairs_at = ground.bank.project(Point(mall.coords[-1]))
    venue = Venue("bund-stairs", "陈毅广场台阶", "Chen Yi Square Stairs", "passage", (), 900, 0.9, key=True)
    half = STAIRS_ACROSS_M / 2
    places.append(make(venue, strip(ground.bank, stairs_at - half, stairs_at + half, STAIRS_M[1], STAIRS_M[0])))
    for k, (place_id, zh, en) in enumerate(MALL):
        part = shapely.ops.substring(
            mall, mall.length * k / 3 + (25 if k == 0 else 0), mall.length * (k + 1) / 3 - (25 if k == 2 else 0)
        )
        places.append(
            make(Venue(place_id, zh, en, "pedestrian", (), 15000, 0.9, key=True), part.buffer(15, cap_style="flat"))
        )
    huaihai = _course(strokes, "Middle Huaihai Road")
    begin, end = (huaihai.project(Point(metres([p])[0])) for p in ((-2.28, 0.52), (-1.19, 0.62)))
    venue = Venue("huaihai-middle", "淮海中路商业街", "Huaihai Road Shops", "pedestrian", (), 12000, 0.6)
    places.append(make(venue, shapely.ops.substring(huaihai, begin, end).buffer(19, cap_style="flat")))
    for place_id, zh, en, kind, centre, half_m, turn, capacity, share in SQUARES:
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array(half_m)
        shape = affinity.rotate(Polygon(corners).buffer(-6).buffer(6, quad_segs=3), turn)
        if kind == "stadium":
            shape = affinity.rotate(
                LineString([(-half_m[0] + half_m[1], 0), (half_m[0] - half_m[1], 0)]).buffer(half_m[1], quad_segs=6),
                turn,
            )
        x, y = metres([centre])[0]
        places.append(make(Venue(place_id, zh, en, kind, (), capacity, share), affinity.translate(shape, x, y)))
    venue = Venue("nine-turn-bridge", "九曲桥", "Nine-turn Bridge", "passage", (), 700, 1.0, key=True)
    bridge = LineString(metres(BRIDGE)).buffer(3.0, cap_style="flat", join_style="mitre")
    return [*places, make(venue, bridge)]


SQUARES = (
    ("dapuqiao-plaza", "日月光广场", "Dapuqiao Plaza", "square", (-1.60, -0.745), (80, 62), 2.0, 7000, 0.7),
    ("laoximen-plaza", "老西门广场", "Laoximen Plaza", "square", (-0.055, -0.075), (32, 48), 12.0, 4000, 0.9),
    ("luwan-stadium", "卢湾体育场", "Luwan Stadium", "stadium", (-1.90, -0.985), (92, 58), 3.0, 9000, 0.6),
)  # fmt: skip


def pond(places: Sequence[Place]) -> Polygon:
    """Return the water under the Nine-turn Bridge, in metres."""
    bridge = next(PLANE.project(p.polygon) for p in places if p.place_id == "nine-turn-bridge")
    lake = LineString(curve(metres([(1.012, 0.410), (1.06, 0.408), (1.104, 0.410)]))).buffer(21.0, quad_segs=5)
    return lake.difference(bridge)


def greens(places: Sequence[Place], blocks: Sequence[Polygon], ground: Ground) -> list[Polygon]:
    """Return what is green, in metres: the gardens, small parks, and a strip along the southern riverside."""
    found = [PLANE.project(p.polygon) for p in places if p.kind == "garden"]
    spots = [Point(p) for p in metres(hand.GREENS)]
    parks = [block for block in blocks if any(block.contains(spot) for spot in spots)]
    found += [largest(block.buffer(-7.0, join_style="mitre").intersection(ground.land)) for block in parks]
    begin, end = GREEN_BANK_M
    bank = strip(ground.bank, begin, end, 72.0, 42.0)
    return [*found, *(p for p in shapely.get_parts(bank.difference(shapely.union_all(found))) if p.area > 500.0)]


def _course(strokes: list[Stroke], en: str) -> LineString:
    return max((s.line for s in strokes if s.en == en), key=lambda line: line.length)


def bridge_path() -> Stroke:
    """Return the way over the Nine-turn Bridge, from street to street."""
    return Stroke(
        LineString(metres([(0.950, 0.408), *BRIDGE, (1.170, 0.408)])),
        "footway",
        "九曲桥",
        "Nine-turn Bridge",
        inner=True,
    )


def promenade_paths(ground: Ground, strokes: list[Stroke]) -> list[Stroke]:
    """Draw the walk along the river, and the ways across the road to it, most at the Bund."""
    walk = ground.bank.offset_curve(-(NEAR_M + FAR_M) / 2).intersection(ground.land.buffer(-12.0))
    roads = [s for s in strokes if s.en in ALONG_RIVER]
    along = shapely.union_all([s.line for s in roads])
    shapely.prepare(along)
    joining = [s.line for s in strokes if s.en not in ALONG_RIVER and not s.inner and s.line.distance(along) < 0.05]
    arrivals = [
        Point(p)
        for part in shapely.get_parts(along.intersection(shapely.union_all(joining).buffer(0.05)))
        for p in part.centroid.coords
    ]
    taken: list[float] = []
    paths = [Stroke(walk, "pedestrian", "滨江步道", "Riverside Walk", width_m=14.0, inner=True)]
    for point in sorted(arrivals, key=walk.project):
        at = walk.project(point)
        if taken and at - taken[-1] < (75.0 if point.y > BUND_SOUTH_M else 190.0):
            continue
        taken.append(at)
        paths.append(
            Stroke(
                LineString([along.interpolate(along.project(point)), walk.interpolate(at)]),
                "footway",
                width_m=10.0,
                inner=True,
            )
        )
    return paths


GREEN_BANK_M = (4450.0, 8050.0)
BUND_SOUTH_M = 900.0
ALONG_RIVER = (
    "Waibaidu Bridge", "East First Zhongshan Road", "East Second Zhongshan Road", "Waima Road", "Miaojiang Road",
)  # fmt: skip
