"""Draw the schematic Huangpu: `python districts/draw_huangpu.py` writes districts/huangpu.

Everything is drawn here by hand and by rule. Names, codes and figures of the district's administration are facts; no shape is
taken from a map. The same run gives the same files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops
from shapely import affinity
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.geo import Projection
from anlan.kernel.pack import Pack
from anlan.kernel.records import (
    Calendar,
    Device,
    DeviceKind,
    Gateway,
    GridSpec,
    Label,
    Place,
    Post,
    Station,
    Street,
    Unit,
)
from anlan.pack import write_pack

OUT = Path(__file__).with_name("huangpu")
LON, LAT = 121.485, 31.219
AREA_KM2 = 20.52
RIVER_M = 240.0
PLANE = Projection(LON, LAT)
Floats = npt.NDArray[np.float64]

# The bank of the river from north to south, and the land's edge back to the north, km from the centre.
BANK = [(1.32, 2.74), (1.50, 2.35), (1.56, 1.85), (1.52, 1.30), (1.58, 0.80), (1.80, 0.25), (2.08, -0.30), (2.28, -0.95),
        (2.30, -1.60), (2.08, -2.20), (1.62, -2.72), (1.00, -3.08), (0.25, -3.22), (-0.55, -3.12)]  # fmt: skip
LAND_EDGE = [(-1.25, -2.86), (-1.75, -2.30), (-2.35, -1.80), (-2.72, -1.05), (-2.78, -0.20), (-2.45, 0.45), (-2.10, 0.95),
             (-1.80, 1.55), (-1.62, 2.20), (-1.10, 2.42), (-0.45, 2.40), (0.35, 2.62)]  # fmt: skip

# code, zh, en, seed of its cell in km, number of residents' committees
STREETS = [
    ("310101002", "南京东路街道", "East Nanjing Road Subdistrict", (-0.55, 1.85), 19),
    ("310101013", "外滩街道", "The Bund Subdistrict", (0.85, 1.75), 17),
    ("310101015", "半淞园路街道", "Bansongyuan Road Subdistrict", (0.75, -2.25), 22),
    ("310101017", "小东门街道", "Xiaodongmen Subdistrict", (1.55, -0.75), 16),
    ("310101018", "豫园街道", "Yuyuan Subdistrict", (0.75, 0.45), 14),
    ("310101019", "老西门街道", "Laoximen Subdistrict", (0.10, -0.55), 16),
    ("310101020", "五里桥街道", "Wuliqiao Subdistrict", (-0.80, -2.05), 19),
    ("310101021", "打浦桥街道", "Dapuqiao Subdistrict", (-1.70, -1.20), 18),
    ("310101022", "淮海中路街道", "Middle Huaihai Road Subdistrict", (-0.75, 0.50), 17),
    ("310101023", "瑞金二路街道", "Second Ruijin Road Subdistrict", (-1.90, 0.05), 13),
]
MICRO_PER_COMMITTEE = 60

EAST_WEST = [("北京东路", "East Beijing Road"), ("南京东路", "East Nanjing Road"), ("福州路", "Fuzhou Road"), ("延安东路", "East Yan'an Road"),
             ("金陵东路", "East Jinling Road"), ("淮海中路", "Middle Huaihai Road"), ("复兴中路", "Middle Fuxing Road"),
             ("建国东路", "East Jianguo Road"), ("徐家汇路", "Xujiahui Road"), ("陆家浜路", "Lujiabang Road"),
             ("斜土路", "Xietu Road"), ("中山南一路", "South First Zhongshan Road"), ("龙华东路", "East Longhua Road"),
             ("半淞园路", "Bansongyuan Road")]  # fmt: skip
NORTH_SOUTH = [("陕西南路", "South Shaanxi Road"), ("茂名南路", "South Maoming Road"), ("瑞金二路", "Second Ruijin Road"),
               ("思南路", "Sinan Road"), ("重庆南路", "South Chongqing Road"), ("黄陂南路", "South Huangpi Road"),
               ("西藏中路", "Middle Xizang Road"), ("浙江中路", "Middle Zhejiang Road"), ("福建中路", "Middle Fujian Road"),
               ("河南中路", "Middle Henan Road"), ("四川中路", "Middle Sichuan Road"), ("丽水路", "Lishui Road"),
               ("安仁街", "Anren Street"), ("外马路", "Waima Road")]  # fmt: skip

METRO = [("people", "人民广场", "People's Square", (-0.55, 1.55), 6), ("nanjing-e", "南京东路", "East Nanjing Road", (0.60, 1.95), 6),
         ("yuyuan", "豫园", "Yuyuan Garden", (0.62, 0.78), 4), ("dashijie", "大世界", "Dashijie", (-0.10, 1.02), 4),
         ("laoximen", "老西门", "Laoximen", (-0.15, -0.30), 4), ("huangpi", "黄陂南路", "South Huangpi Road", (-0.85, 0.78), 4),
         ("xintiandi", "新天地", "Xintiandi", (-0.78, 0.18), 4), ("shaanxi", "陕西南路", "South Shaanxi Road", (-2.05, 0.45), 4),
         ("dapuqiao", "打浦桥", "Dapuqiao", (-1.62, -0.98), 3), ("madang", "马当路", "Madang Road", (-0.90, -0.75), 3),
         ("luban", "鲁班路", "Luban Road", (-1.35, -1.85), 2), ("xizang", "西藏南路", "South Xizang Road", (-0.10, -1.62), 4),
         ("lujiabang", "陆家浜路", "Lujiabang Road", (0.10, -1.08), 4), ("xiaonanmen", "小南门", "Xiaonanmen", (1.35, -0.85), 3),
         ("nanpu", "南浦大桥", "Nanpu Bridge", (1.62, -1.85), 3), ("expo", "世博会博物馆", "Expo Museum", (0.10, -2.45), 2)]  # fmt: skip
FERRIES = [("jinling", "金陵东路渡口", "Jinling Ferry", (1.48, 1.05)), ("fuxing", "复兴东路渡口", "Fuxing Ferry", (1.95, -0.35)),
           ("dongjiadu", "董家渡", "Dongjiadu Ferry", (2.18, -1.15))]  # fmt: skip

# id, zh, en, kind, centre km, half width and half height m, turn in degrees, capacity, closed, key, walkable share
VENUES = [
    ("people-square", "人民广场", "People's Square", "square", (-0.52, 1.33), (190, 130), 4, 30000, False, False, 0.55),
    ("people-park", "人民公园", "People's Park", "garden", (-0.72, 1.70), (150, 120), 4, 14000, True, False, 0.35),
    ("yuyuan-garden", "豫园", "Yu Garden", "venue", (0.90, 0.62), (95, 105), 6, 9000, True, True, 0.55),
    ("yuyuan-bazaar", "豫园商城", "Yu Garden Bazaar", "bazaar", (0.78, 0.38), (150, 110), 6, 22000, True, True, 0.50),
    ("city-god-temple", "城隍庙", "City God Temple", "venue", (1.05, 0.37), (80, 85), 6, 6000, True, True, 0.60),
    ("xintiandi", "新天地", "Xintiandi", "venue", (-0.72, 0.38), (130, 150), -4, 16000, True, False, 0.55),
    ("tianzifang", "田子坊", "Tianzifang", "venue", (-1.60, -0.72), (110, 100), -6, 7000, True, False, 0.45),
    ("fuxing-park", "复兴公园", "Fuxing Park", "garden", (-1.30, 0.15), (160, 130), -5, 12000, True, False, 0.40),
    ("great-world", "大世界", "Great World", "venue", (-0.22, 0.88), (75, 70), 3, 5000, True, False, 0.70),
    ("huaihai-middle", "淮海中路商业街", "Huaihai Road Shops", "pedestrian", (-1.45, 0.62), (380, 22), -5, 12000, False, False, 0.75),
    ("dapuqiao-plaza", "日月光广场", "Dapuqiao Plaza", "square", (-1.48, -1.02), (90, 70), -8, 7000, False, False, 0.70),
    ("laoximen-plaza", "老西门广场", "Laoximen Plaza", "square", (-0.05, -0.42), (70, 60), 0, 4000, False, False, 0.70),
    ("expo-park", "滨江世博园", "Riverside Expo Park", "garden", (0.25, -2.72), (330, 120), 6, 20000, False, False, 0.50),
]  # fmt: skip


@dataclass(frozen=True)
class Bank:
    """The land, the river, and the line between them, in metres."""

    outline: Polygon
    land: Polygon
    water: Polygon
    bank: LineString


def label(zh: str, en: str) -> Label:
    return {"zh": zh, "en": en}


def smooth(points: list[tuple[float, float]], step_m: float = 60.0) -> Floats:
    """Return a curve through points given in km, in metres."""
    from scipy.interpolate import CubicSpline

    xy = np.array(points) * 1000
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    return np.asarray(CubicSpline(along, xy)(np.arange(0, along[-1], step_m)))


def draw_land() -> Bank:
    """Draw land and river, and scale them to the district's exact area."""
    bank = smooth(BANK)
    edge = smooth([BANK[-1], *LAND_EDGE, BANK[0]])
    land = Polygon(np.vstack([bank, edge[1:-1]]))
    river_side = (
        LineString(bank)
        .buffer(RIVER_M, single_sided=True, cap_style="flat")
        .union(LineString(bank).buffer(-RIVER_M, single_sided=True, cap_style="flat"))
    )
    water = river_side.difference(land)
    water = max(getattr(water, "geoms", [water]), key=lambda part: part.area)
    outline = land.union(water).buffer(0.5).buffer(-0.5)
    scale = float(np.sqrt(AREA_KM2 * 1e6 / outline.area))
    land, water, line = (affinity.scale(g, scale, scale, origin=(0, 0)) for g in (land, water, LineString(bank)))
    outline = affinity.scale(outline, scale, scale, origin=(0, 0))
    return Bank(outline, land, outline.difference(land), line)


def cells_of(parent: BaseGeometry, seeds: Floats) -> list[BaseGeometry]:
    """Divide a polygon among seeds: each gets the ground nearest to it."""
    cells = shapely.get_parts(shapely.voronoi_polygons(MultiPoint(seeds), extend_to=parent.envelope.buffer(2000)))
    tree = shapely.STRtree(cells)
    order = [int(tree.query(Point(seed), predicate="intersects")[0]) for seed in seeds]
    return [largest(cells[k].intersection(parent)) for k in order]


def largest(shape: BaseGeometry) -> BaseGeometry:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def even_seeds(parent: BaseGeometry, n: int, rng: np.random.Generator) -> Floats:
    """Return n points spread evenly in a polygon (Lloyd's rounds)."""
    x0, y0, x1, y1 = parent.bounds
    cloud = rng.uniform((x0, y0), (x1, y1), (4000, 2))
    cloud = cloud[shapely.contains_xy(parent, cloud[:, 0], cloud[:, 1])]
    seeds = cloud[:n].copy()
    for _ in range(30):
        nearest = np.argmin(np.hypot(cloud[:, None, 0] - seeds[:, 0], cloud[:, None, 1] - seeds[:, 1]), axis=1)
        seeds = np.array([cloud[nearest == k].mean(axis=0) if (nearest == k).any() else seeds[k] for k in range(n)])
    return seeds


def halves(shape: BaseGeometry, n: int, rng: np.random.Generator) -> list[BaseGeometry]:
    """Cut a polygon into n parts of about equal area, across its longer side each time."""
    if n == 1:
        return [shape]
    box = shape.minimum_rotated_rectangle
    corners = np.array(box.exterior.coords)
    sides = np.diff(corners, axis=0)[:2]
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    along = sides[int(np.argmax(lengths))] / lengths.max()
    across = np.array([-along[1], along[0]])
    first = n // 2
    points = shapely.get_coordinates(shape) @ along
    low, high = points.min(), points.max()
    reach = 20_000.0
    origin = np.array(shape.centroid.coords[0]) - along * (np.array(shape.centroid.coords[0]) @ along)

    def part(cut: float) -> BaseGeometry:
        a = origin + along * cut
        return shapely.Polygon(
            [
                a + across * reach,
                a - across * reach,
                a - across * reach - along * reach,
                a + across * reach - along * reach,
            ]
        )

    for _ in range(22):
        cut = (low + high) / 2
        if shape.intersection(part(cut)).area < shape.area * first / n:
            low = cut
        else:
            high = cut
    left, right = shape.intersection(part(cut)), shape.difference(part(cut))
    return halves(largest(left), first, rng) + halves(largest(right), n - first, rng)


def draw_areas(bank: Bank, rng: np.random.Generator) -> AreaTree:
    """Draw the tree: district, streets, grids, committees, micro-grids; each level tiles the one above."""
    levels = (
        Level(key="district", label=label("区", "District")),
        Level(key="street", label=label("街道", "Street")),
        Level(key="grid", label=label("综合网格", "Grid")),
        Level(key="committee", label=label("居委会", "Committee")),
        Level(key="micro_grid", label=label("微网格", "Micro-grid")),
    )
    areas = [area("310101", "district", None, "黄浦区", "Huangpu District", bank.outline)]
    cells = cells_of(bank.outline, np.array([seed for *_, seed, _ in STREETS]) * 1000)
    ordinal = "一二三"
    for (code, zh, en, _, n_committees), street in zip(STREETS, cells, strict=True):
        areas.append(area(code, "street", "310101", zh, en, street))
        number = 0
        for g, grid in enumerate(cells_of(street, even_seeds(street, 3, rng))):
            grid_id = f"{code}-g{g + 1}"
            areas.append(
                area(
                    grid_id,
                    "grid",
                    code,
                    f"{zh[:-2]}第{ordinal[g]}综合网格",
                    f"{en.removesuffix(' Subdistrict')} Grid {g + 1}",
                    grid,
                )
            )
            n = n_committees // 3 + (g < n_committees % 3)
            for committee in cells_of(grid, even_seeds(grid, n, rng)):
                number += 1
                committee_id = f"{code}{number:03d}"
                areas.append(
                    area(
                        committee_id,
                        "committee",
                        grid_id,
                        f"{zh[:-2]}第{number}居委会",
                        f"{en.removesuffix(' Subdistrict')} Committee {number}",
                        committee,
                    )
                )
                for m, micro in enumerate(halves(committee, MICRO_PER_COMMITTEE, rng)):
                    areas.append(
                        area(
                            f"{committee_id}-{m + 1:02d}",
                            "micro_grid",
                            committee_id,
                            f"微网格{m + 1}",
                            f"Micro-grid {m + 1}",
                            micro,
                        )
                    )
    return AreaTree(levels, areas)


def area(area_id: str, level: str, parent_id: str | None, zh: str, en: str, shape: BaseGeometry) -> Area:
    return Area(area_id=area_id, level=level, parent_id=parent_id, name=label(zh, en), polygon=PLANE.unproject(shape))


def warp(x: Floats, y: Floats) -> Floats:
    """Bend a square lattice so that it looks like a city that grew."""
    turn = np.radians(-5.0) + 0.10 * np.tanh((y - 200) / 1500) + 0.05 * np.sin(x / 1400)
    u = x * np.cos(turn) - y * np.sin(turn) + 55 * np.sin(y / 610 + 0.7) + 28 * np.sin(x / 340 + y / 270)
    v = x * np.sin(turn) + y * np.cos(turn) + 60 * np.sin(x / 690) + 25 * np.sin(x / 250 - y / 390)
    return np.stack([u, v], axis=-1)


def draw_lines(bank: Bank, rng: np.random.Generator) -> list[tuple[LineString, str, Label, float, float]]:
    """Draw the fabric: (line, class, name, walkable width, speed). A warped lattice, the road along the river, and squares' edges."""
    dx, dy = 98.0, 108.0
    i, j = np.meshgrid(np.arange(-38, 39), np.arange(-38, 39), indexing="ij")
    nodes = warp(i * dx, j * dy)
    inner = bank.land.buffer(-12)
    inside = shapely.contains_xy(inner, nodes[..., 0], nodes[..., 1])
    kinds = {0: ("primary", 11.0, 50.0), 2: ("tertiary", 7.0, 40.0), 1: ("residential", 5.0, 30.0)}
    found = []
    for axis in (0, 1):
        for a in range(i.shape[0]):
            for b in range(i.shape[1]):
                c, d = (a + 1, b) if axis == 0 else (a, b + 1)
                if c >= i.shape[0] or d >= i.shape[1] or not (inside[a, b] and inside[c, d]):
                    continue
                index = (b if axis == 0 else a) - 38
                rank = 0 if index % 4 == 0 else 2 if index % 2 == 0 else 1
                if rank == 1 and rng.random() < 0.12:
                    continue  # a block that was never cut through
                kind, width, speed = kinds[rank]
                if rank == 0 and index % 8 == 4:
                    kind, width = "secondary", 9.0
                names = EAST_WEST if axis == 0 else NORTH_SOUTH
                name = label("", "")
                if rank == 0:
                    order = (24 - index) // 4 if axis == 0 else (index + 28) // 4
                    if 0 <= order < len(names):
                        name = label(*names[order])
                line = LineString([nodes[a, b], nodes[c, d]])
                if line.within(inner):
                    found.append((line, kind, name, width, speed))
    along = bank.bank.offset_curve(-78)
    along = along if along.within(bank.land.buffer(1)) else bank.bank.offset_curve(78)
    named = label("中山东一路", "East First Zhongshan Road")
    south = label("外马路", "Waima Road")
    points = shapely.get_coordinates(along.simplify(8))
    for p, q in zip(points, points[1:], strict=False):
        north = (p[1] + q[1]) / 2 > 700
        found.append((LineString([p, q]), "primary", named if north else south, 14.0, 50.0))
    return found


def node_lines(lines: list[tuple[LineString, str, Label, float, float]]) -> list[tuple[LineString, int]]:
    """Split lines where they meet; each piece remembers its line."""
    pieces = shapely.get_parts(shapely.node(shapely.union_all([line for line, *_ in lines], grid_size=0.01)))
    tree = shapely.STRtree([line for line, *_ in lines])
    owner = tree.nearest(shapely.line_interpolate_point(pieces, 0.5, normalized=True))
    return [(piece, int(k)) for piece, k in zip(pieces, owner, strict=True) if piece.length > 1.0]


def venue(centre: tuple[float, float], half: tuple[float, float], turn: float) -> Polygon:
    x, y = centre[0] * 1000, centre[1] * 1000
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array(half)
    box = Polygon(corners).buffer(-6).buffer(6)
    return affinity.translate(affinity.rotate(box, turn), x, y)


def strip(line: LineString, begin: float, end: float, near: float, far: float, land: Polygon) -> Polygon:
    """Return the ground between two distances from a line, over a stretch of it, on land."""
    part = shapely.ops.substring(line, begin, end)
    outer, inner = part.buffer(far, cap_style="flat"), part.buffer(near, cap_style="flat")
    shape = outer.difference(inner).intersection(land).buffer(-0.5).buffer(0.5).simplify(0.2)
    return max(shapely.get_parts(shape), key=lambda p: p.area)


def draw_places(bank: Bank) -> list[Place]:
    """Draw the named places: the promenade along the river, the pedestrian street, gardens, venues, squares."""

    places = [
        make(place_id, zh, en, kind, venue(centre, half, turn), capacity, closed=closed, key=key, share=share)
        for place_id, zh, en, kind, centre, half, turn, capacity, closed, key, share in VENUES
    ]
    sections = [
        ("bund-north", "外滩源", "Bund North", 80, 520, 16000),
        ("bund-chenyi", "外滩陈毅广场", "Chen Yi Square, the Bund", 520, 900, 20000),
        ("bund-promenade", "外滩观景平台", "Bund Promenade", 900, 1500, 34000),
        ("bund-south", "外滩南段", "Bund South", 1500, 1950, 18000),
        ("shiliupu", "十六铺", "Shiliupu Wharf", 1950, 2600, 15000),
        ("nanwaitan", "南外滩滨江", "South Bund Riverside", 3300, 4500, 16000),
    ]
    for place_id, zh, en, begin, end, capacity in sections:
        shape = strip(bank.bank, begin, end, 6, 56, bank.land)
        places.append(make(place_id, zh, en, "promenade", shape, capacity, key=place_id.startswith("bund"), share=0.85))
    stairs = strip(bank.bank, 690, 730, 56, 70, bank.land)
    places.append(
        make(
            "bund-stairs",
            "陈毅广场台阶",
            "Chen Yi Square Stairs",
            "passage",
            stairs,
            900,
            key=True,
            share=0.9,
            ladder=(1.5, 2.0, 3.0, 4.0),
        )
    )
    mall = LineString(shapely.get_coordinates(MALL))
    names = [("nanjing-west", "南京路步行街西段", "Nanjing Road West End"), ("nanjing-middle", "南京路步行街中段", "Nanjing Road Middle"),
             ("nanjing-east", "南京路步行街东段", "Nanjing Road East End")]  # fmt: skip
    for k, (place_id, zh, en) in enumerate(names):
        part = shapely.ops.substring(mall, mall.length * k / 3, mall.length * (k + 1) / 3)
        places.append(
            make(place_id, zh, en, "pedestrian", part.buffer(15, cap_style="flat"), 15000, key=True, share=0.9)
        )
    return places


MALL = LineString([(-380, 1985), (-60, 2010), (300, 2052), (700, 2105), (1080, 2150)])


def make(
    place_id: str, zh: str, en: str, kind: str, shape: BaseGeometry, capacity: int, *, closed: bool = False,
    key: bool = False, share: float = 1.0, ladder: tuple[float, float, float, float] = (2.0, 3.0, 4.0, 5.0),
) -> Place:  # fmt: skip
    from anlan.kernel.records import Thresholds

    limits = Thresholds(notice_per_m2=ladder[0], yellow_per_m2=ladder[1], orange_per_m2=ladder[2], red_per_m2=ladder[3])
    return Place(
        place_id=place_id, name=label(zh, en), kind=kind, polygon=PLANE.unproject(shape), capacity=capacity, closed=closed,
        key=key, walkable_share=share, thresholds=limits,
    )  # fmt: skip


def draw_streets(
    bank: Bank, places: list[Place], rng: np.random.Generator
) -> tuple[list[Street], dict[str, list[Point]]]:
    """Draw streets; inside closed places there are none, and where one would go in there is an entrance."""
    lines = draw_lines(bank, rng)
    mall = shapely.get_coordinates(MALL)
    for p, q in zip(mall, mall[1:], strict=False):
        lines.append(
            (LineString([p, q]), "pedestrian", label("南京路步行街", "Nanjing Road Pedestrian Street"), 28.0, 10.0)
        )
    closed = {p.place_id: PLANE.project(p.polygon) for p in places if p.closed}
    entrances: dict[str, list[Point]] = {place_id: [] for place_id in closed}
    kept: list[tuple[LineString, int]] = []
    for piece, owner in node_lines(lines):
        rest: BaseGeometry = piece
        for place_id, ground in closed.items():
            if not piece.intersects(ground):
                continue
            for point in shapely.get_parts(piece.intersection(ground.exterior)):
                if point.geom_type == "Point":
                    entrances[place_id].append(point)
            rest = rest.difference(ground.buffer(0.6))
        kept.extend(
            (part, owner) for part in shapely.get_parts(rest) if part.geom_type == "LineString" and part.length > 1
        )
    kept = main_part(kept)
    streets = []
    for k, (piece, owner) in enumerate(kept):
        _, kind, name, width, speed = lines[owner]
        oneway = kind in {"residential", "tertiary"} and rng.random() < 0.25
        streets.append(
            Street(
                street_id=f"s{k + 1:05d}",
                name=name,
                street_class=kind,
                line=PLANE.unproject(piece),
                width_m=width,
                speed_kmh=speed,
                oneway=oneway,
            )
        )
    return streets, entrances


def main_part(pieces: list[tuple[LineString, int]]) -> list[tuple[LineString, int]]:
    """Keep the connected part; a lane that leads nowhere is not drawn."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = np.round(np.array([[p.coords[0], p.coords[-1]] for p, _ in pieces]) * 10).astype(np.int64)
    _, node = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    node = node.reshape(-1, 2)
    links = coo_matrix((np.ones(len(node)), (node[:, 0], node[:, 1])), shape=(node.max() + 1,) * 2)
    _, part = connected_components(links, directed=False)
    return [p for p, n in zip(pieces, node[:, 0], strict=True) if part[n] == np.bincount(part).argmax()]


def draw_devices(
    bank: Bank, places: list[Place], streets: list[Street], entrances: dict[str, list[Point]], rng: np.random.Generator
) -> list[Device]:
    """Place 106 counters and the feed of the location grid."""
    devices = []
    for place in places:
        if place.closed:
            devices.extend(gates(place, entrances[place.place_id]))
    n_views = 20
    devices.extend(passages(streets, places, 106 - len(devices) - n_views, rng))
    devices.extend(views(places, n_views))
    west, south, east, north = bank.outline.bounds
    west, south = np.floor(west / 200) * 200, np.floor(south / 200) * 200
    spec = GridSpec(
        west_m=float(west), south_m=float(south), size_m=200.0, n_columns=int(np.ceil((east - west) / 200)),
        n_rows=int(np.ceil((north - south) / 200)), suppressed_below=10, market_share=0.30, blur_m=60.0,
    )  # fmt: skip
    ground = shapely.box(west, south, west + spec.n_columns * 200, south + spec.n_rows * 200)
    devices.append(
        Device(
            device_id="lbs",
            kind=DeviceKind.GRID,
            name=label("位置栅格", "Location grid"),
            geometry=PLANE.unproject(ground),
            interval_s=300.0,
            expected_error=0.1,
            grid=spec,
        )
    )
    return devices


def gates(place: Place, found: list[Point]) -> list[Device]:
    """Put a gate at each entrance, eight at most, along the boundary so that left to right is in."""
    ring = PLANE.project(place.polygon).exterior
    ring = (
        LineString(ring.coords[::-1]) if ring.is_ccw else LineString(ring.coords)
    )  # clockwise: inside lies to the right
    along = sorted({round(ring.project(point), 1) for point in found})
    while len(along) > 8:
        gaps = np.diff([*along, along[0] + ring.length])
        along.pop(int(np.argmin(gaps)))
    out = []
    for k, at in enumerate(along):
        line = LineString([ring.interpolate((at - 4) % ring.length), ring.interpolate((at + 4) % ring.length)])
        out.append(
            Device(
                device_id=f"{place.place_id}-gate-{k + 1}",
                kind=DeviceKind.GATE,
                geometry=PLANE.unproject(line),
                place_id=place.place_id,
                name=label(f"{place.name['zh']}{k + 1}号门", f"{place.name['en']} Gate {k + 1}"),
                expected_error=0.04,
            )  # fmt: skip
        )
    return out


def passages(streets: list[Street], places: list[Place], n: int, rng: np.random.Generator) -> list[Device]:
    """Put counters across busy streets, spread over the district: each next one far from those before."""
    busy = [
        s
        for s in streets
        if s.street_class in {"primary", "secondary", "pedestrian"} and PLANE.project(s.line).length > 40
    ]
    middle = np.array([PLANE.project(s.line).interpolate(0.5, normalized=True).coords[0] for s in busy])
    mall = [k for k, s in enumerate(busy) if s.street_class == "pedestrian"]
    chosen = mall[:: max(1, len(mall) // 4)][:4]
    closed = shapely.union_all([PLANE.project(p.polygon) for p in places if p.closed]).buffer(25)
    free = ~shapely.contains_xy(closed, middle[:, 0], middle[:, 1])
    while len(chosen) < n:
        far = np.min(np.hypot(middle[:, None, 0] - middle[chosen, 0], middle[:, None, 1] - middle[chosen, 1]), axis=1)
        chosen.append(int(np.argmax(far * free * (0.7 + 0.3 * rng.random(len(far))))))
    out = []
    for k, number in enumerate(chosen):
        street = busy[number]
        line = PLANE.project(street.line)
        a, b = np.array(line.coords[0]), np.array(line.coords[-1])
        across = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a)) * (street.width_m / 2 + 1)
        cut = LineString([middle[number] + across, middle[number] - across])
        zh, en = street.name["zh"] or "街口", street.name["en"] or "Street"
        out.append(
            Device(
                device_id=f"passage-{k + 1:02d}",
                kind=DeviceKind.PASSAGE,
                geometry=PLANE.unproject(cut),
                name=label(f"{zh}断面{k + 1}", f"{en} passage {k + 1}"),
                expected_error=0.08,
            )
        )
    return out


def views(places: list[Place], n: int) -> list[Device]:
    """Put area cameras in the open places, more where more people are allowed."""
    open_places = [p for p in places if not p.closed and p.kind != "passage"]
    weight = np.array([float(p.capacity or 1) for p in open_places])
    each = np.maximum(1, np.floor(weight / weight.sum() * n)).astype(int)
    while each.sum() > n:
        each[np.argmax(each)] -= 1
    while each.sum() < n:
        each[np.argmax(weight / each)] += 1
    out = []
    for place, count in zip(open_places, each, strict=True):
        ground = PLANE.project(place.polygon)
        axis = ground.minimum_rotated_rectangle
        corners = np.array(axis.exterior.coords)[:4]
        sides = [(corners[k], corners[(k + 1) % 4]) for k in range(4)]
        a, b = max(sides[:2], key=lambda s: float(np.hypot(*(s[1] - s[0]))))
        for k in range(count):
            where = a + (b - a) * (k + 0.5) / count
            spot = shapely.ops.nearest_points(
                ground.buffer(-12), Point(where + (ground.centroid.coords[0] - (a + b) / 2))
            )[0]
            view = spot.buffer(28, quad_segs=3).intersection(ground)
            view = max(shapely.get_parts(view), key=lambda p: p.area)
            out.append(
                Device(
                    device_id=f"{place.place_id}-view-{k + 1}",
                    kind=DeviceKind.AREA,
                    geometry=PLANE.unproject(view),
                    place_id=place.place_id,
                    name=label(f"{place.name['zh']}客流眼{k + 1}", f"{place.name['en']} view {k + 1}"),
                    expected_error=0.10,
                )  # fmt: skip
            )
    return out


def draw_gateways(bank: Bank, streets: list[Street]) -> list[Gateway]:
    """Place metro entrances, ferries, bus stops, and the roads over the border."""
    out = []
    for key, zh, en, (x, y), n in METRO:
        for k in range(n):
            turn = 2 * np.pi * k / n + 0.4
            point = Point(x * 1000 + 70 * np.cos(turn), y * 1000 + 70 * np.sin(turn))
            out.append(gateway(f"metro-{key}-{k + 1}", "metro", f"{zh}站{k + 1}号口", f"{en} Exit {k + 1}", point))
    for key, zh, en, (x, y) in FERRIES:
        out.append(
            gateway(
                f"ferry-{key}",
                "ferry",
                zh,
                en,
                shapely.ops.nearest_points(bank.land.buffer(-15), Point(x * 1000, y * 1000))[0],
            )
        )
    ends = [
        Point(c) for s in streets if s.street_class in {"primary", "secondary"} for c in PLANE.project(s.line).coords
    ]
    edge = [p for p in ends if p.distance(bank.outline.exterior) < 60 and p.distance(bank.water) > 150]
    edge.sort(key=lambda p: float(np.arctan2(p.y, p.x)))
    for k, point in enumerate(edge[:: max(1, len(edge) // 24)][:24]):
        out.append(gateway(f"road-{k + 1:02d}", "road", f"边界道路{k + 1}", f"Border road {k + 1}", point))
    major = [PLANE.project(s.line).interpolate(0.5, normalized=True) for s in streets if s.street_class == "primary"]
    for k, point in enumerate(major[:: max(1, len(major) // 40)][:40]):
        out.append(gateway(f"bus-{k + 1:02d}", "bus", f"公交站{k + 1}", f"Bus stop {k + 1}", point))
    return out


def gateway(gateway_id: str, kind: str, zh: str, en: str, point: Point) -> Gateway:
    return Gateway(gateway_id=gateway_id, kind=kind, name=label(zh, en), point=PLANE.unproject(point))


def draw_units(areas: AreaTree) -> tuple[list[Station], list[Post], list[Unit]]:
    """Place a station in each street, seven posts with a vehicle of four, and foot patrols at the key areas."""
    stations = []
    for (code, zh, en, _, _), cell in zip(STREETS, areas.of_level("street"), strict=True):
        assert cell.polygon is not None
        name = label(f"{zh[:-2]}派出所", f"{en.removesuffix(' Subdistrict')} Police Station")
        stations.append(
            Station(station_id=f"station-{code[-3:]}", name=name, point=cell.polygon.representative_point())
        )
    spots = [("bund", "外滩", "The Bund", (1.38, 1.95)), ("people", "人民广场", "People's Square", (-0.50, 1.60)), ("yuyuan", "豫园", "Yu Garden", (0.70, 0.70)),
             ("xintiandi", "新天地", "Xintiandi", (-0.80, 0.05)), ("ruijin", "瑞金", "Ruijin", (-1.95, -0.10)), ("dapu", "打浦桥", "Dapuqiao", (-1.30, -1.45)),
             ("nanpu", "南浦", "Nanpu", (1.10, -1.75))]  # fmt: skip
    posts, units = [], []
    for k, (key, zh, en, (x, y)) in enumerate(spots):
        posts.append(
            Post(
                post_id=f"post-{key}",
                name=label(f"{zh}驻点", f"{en} post"),
                point=PLANE.unproject(Point(x * 1000, y * 1000)),
            )
        )
        units.append(
            Unit(
                unit_id=f"vehicle-{k + 1}",
                name=label(f"快反{k + 1}号车", f"Response vehicle {k + 1}"),
                kind="vehicle",
                crew=4,
                post_id=f"post-{key}",
            )
        )
    for k, key in enumerate(("bund", "people", "yuyuan")):
        units.append(
            Unit(
                unit_id=f"foot-{k + 1}",
                name=label(f"步巡{k + 1}组", f"Foot patrol {k + 1}"),
                kind="foot",
                crew=2,
                post_id=f"post-{key}",
            )
        )
    return stations, posts, units


def draw_calendar() -> Calendar:
    """Statutory rest and make-up days of 2026 as published by the State Council in November 2025; 2027 is not confirmed."""
    spans = [((1, 1), (1, 3), "元旦", "New Year"), ((2, 15), (2, 23), "春节", "Spring Festival"), ((4, 4), (4, 6), "清明节", "Qingming"),
             ((5, 1), (5, 5), "劳动节", "Labour Day"), ((6, 19), (6, 21), "端午节", "Dragon Boat Festival"),
             ((9, 25), (9, 27), "中秋节", "Mid-Autumn Festival"), ((10, 1), (10, 7), "国庆节", "National Day")]  # fmt: skip
    rest = {
        date.fromordinal(day): label(zh, en)
        for begin, end, zh, en in spans
        for day in range(date(2026, *begin).toordinal(), date(2026, *end).toordinal() + 1)
    }
    work = {
        date(2026, m, d): label("调休上班", "Make-up working day")
        for m, d in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))
    }
    return Calendar(rest_days=rest, working_days=work, confirmed_years=frozenset({2026}))


def main() -> None:
    """Draw, and write the pack."""
    rng = np.random.default_rng(310101)
    bank = draw_land()
    areas = draw_areas(bank, rng)
    places = draw_places(bank)
    streets, entrances = draw_streets(bank, places, rng)
    stations, posts, units = draw_units(areas)
    pack = Pack(
        pack_id="huangpu",
        version="1",
        name=label("黄浦区", "Huangpu District"),
        time_zone="Asia/Shanghai",
        languages=("zh", "en"),
        lon=LON,
        lat=LAT,
        areas=areas,
        places=tuple(places),
        streets=tuple(streets),
        devices=tuple(draw_devices(bank, places, streets, entrances, rng)),
        gateways=tuple(draw_gateways(bank, streets)),
        water=(PLANE.unproject(bank.water),),
        green=tuple(p.polygon for p in places if p.kind == "garden"),
        stations=tuple(stations),
        posts=tuple(posts),
        units=tuple(units),
        calendar=draw_calendar(),
        schematic=True,
        notice=label(
            "示意地图：位置与边界为示意绘制，不可用于导航或定界",
            "Schematic map: drawn, not surveyed; not for navigation or boundaries",
        ),
        figures={
            "residents": 660000,
            "visitors_per_day": 700000,
            "visitors_holiday": 2000000,
            "area_km2": AREA_KM2,
            "streets": 10,
            "grids": 30,
            "committees": 171,
            "devices": 106,
            "vehicles": 7,
        },  # fmt: skip
    )
    write_pack(pack, OUT)


if __name__ == "__main__":
    main()
