"""The tree of areas: blocks between streets, gathered into committees, grids and streets, and cut into micro-grids.

Everything is gathered from the same pieces with the same corners, so that each level tiles the one above it exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely.geometry import LineString, Polygon

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.records import Label
from huangpu_drawing import facts
from huangpu_drawing.ground import PLANE, Floats, Ground, Indices, metres, shore

N_MICRO = 10_400
CORNER_M = 0.5
"""Corners of areas lie on a grid as fine as this, so that no rounding makes two of one or crosses an edge."""
WATER_EVERY_M = 170.0
LEAST_BLOCK_M2 = 700.0
LEAST_MICRO_M2 = 120.0
N_GRIDS = 3
RESIDENTS_SEED, UNEVEN = 660, 0.35
"""Of the made-up residents by committee: the spread of the logarithm of their density."""
ORDINALS = "一二三"
DISTRICT = "310101"

REGIONS = {
    "310101002": [(-1.7, 2.9), (0.10, 2.9), (0.15, 1.33), (-0.60, 1.24), (-1.27, 1.13), (-1.7, 1.0)],
    "310101013": [(0.10, 2.9), (1.6, 3.3), (1.75, 1.3), (1.30, 1.02), (1.02, 0.86), (0.74, 0.91), (0.42, 0.87), (0.15, 1.33)],
    "310101018": [(0.15, 1.33), (0.42, 0.87), (0.74, 0.91), (1.02, 0.86), (1.30, 0.60), (1.22, 0.25), (1.20, 0.02), (0.70, -0.015), (-0.16, 0.035), (-0.40, 1.27)],
    "310101017": [(1.30, 1.02), (1.75, 1.3), (3.0, -0.5), (3.0, -1.35), (1.92, -1.30), (1.50, -1.325), (1.00, -1.25), (0.66, -0.05), (0.70, -0.015), (1.20, 0.02), (1.22, 0.25), (1.30, 0.60), (1.02, 0.86)],
    "310101019": [(-0.16, 0.035), (0.70, -0.015), (0.66, -0.05), (1.00, -1.25), (0.55, -1.12), (0.10, -0.99), (-0.33, -0.91), (-0.33, -0.42), (-0.26, -0.20)],
    "310101022": [(-0.40, 1.27), (-0.16, 0.035), (-0.26, -0.20), (-0.36, -0.39), (-1.00, -0.365), (-1.06, 0.08), (-1.17, 0.60), (-1.27, 1.13)],
    "310101023": [(-1.27, 1.13), (-1.17, 0.60), (-1.06, 0.08), (-1.00, -0.37), (-1.76, -0.375), (-2.9, -0.43), (-2.9, 1.0)],
    "310101021": [(-2.9, -0.43), (-1.76, -0.375), (-0.36, -0.39), (-0.33, -0.42), (-0.33, -0.91), (-0.98, -0.86), (-1.44, -0.87), (-1.43, -1.18), (-2.9, -1.25)],
    "310101020": [(-2.9, -1.25), (-1.43, -1.18), (-1.44, -0.87), (-0.98, -0.86), (-0.42, -0.90), (-0.37, -1.40), (-0.29, -1.95), (-0.25, -2.62), (-0.22, -3.4), (-2.5, -3.8)],
    "310101015": [(-0.42, -0.90), (0.10, -0.99), (0.55, -1.12), (1.00, -1.25), (1.50, -1.325), (1.92, -1.30), (3.0, -1.35), (3.0, -3.5), (-0.22, -3.4), (-0.25, -2.62), (-0.29, -1.95), (-0.37, -1.40)],
}  # fmt: skip
"""Roughly where each street lies (km); the blocks decide the exact line, which runs along roads."""


@dataclass(eq=False)
class Block:
    """A face between streets, or a stretch of river, with the micro-grids it is cut into."""

    shape: Polygon
    wet: bool
    parts: list[Polygon]


def draw_areas(ground: Ground, lines: Sequence[LineString]) -> AreaTree:
    """Draw the tree of areas over all of the district, river included."""
    levels = (
        Level(key="district", label=_label("区", "District")),
        Level(key="street", label=_label("街道", "Street")),
        Level(key="grid", label=_label("综合网格", "Grid")),
        Level(key="committee", label=_label("居委会", "Committee")),
        Level(key="micro_grid", label=_label("微网格", "Micro-grid")),
    )
    blocks = _cut_into_micro_grids(_blocks(ground, lines), ground)
    by_street = _by_street(blocks)
    below: list[Area] = []
    outlines = []
    for subdistrict in facts.SUBDISTRICTS:
        found = _areas_of(subdistrict, by_street[subdistrict.code])
        outlines.append(found[0].polygon)
        below += found
    root = _area(DISTRICT, "district", None, _label("黄浦区", "Huangpu District"), shapely.coverage_union_all(outlines))
    return AreaTree(levels, [root, *_with_residents(below, ground)])


def _with_residents(areas: Iterable[Area], ground: Ground) -> list[Area]:
    """Give each committee a made-up number of residents: by its land, some lived in twice as densely as others."""
    areas, rng = list(areas), np.random.default_rng(RESIDENTS_SEED)
    committees = [k for k, area in enumerate(areas) if area.level == "committee"]
    land = np.array([areas[k].polygon.intersection(ground.land).area for k in committees])
    people = land * np.exp(UNEVEN * rng.standard_normal(len(land)))
    people = np.floor(people / people.sum() * facts.FIGURES["residents"])
    people[np.argmax(people)] += facts.FIGURES["residents"] - people.sum()
    for k, n in zip(committees, people, strict=True):
        areas[k] = replace(areas[k], residents=int(n))
    return areas


def _areas_of(subdistrict: facts.Subdistrict, blocks: list[Block]) -> list[Area]:
    """Return a street and all below it; polygons still in metres become degrees in ``_area``."""
    code, zh, en = subdistrict.code, subdistrict.zh, subdistrict.en
    names = [(at, f"{name}居委会", f"{told} Residents' Committee") for at, name, told in subdistrict.committees]
    if facts.UNLISTED[0] == code:
        names.append(facts.UNLISTED[1:])
    counts = [len(names) // N_GRIDS + (g < len(names) % N_GRIDS) for g in range(N_GRIDS)]
    areas: list[Area] = []
    grids = []
    for g, group in enumerate(_divide(blocks, counts)):
        grid_id = f"{code}-g{g + 1}"
        own, names = names[: counts[g]], names[counts[g] :]
        committees = []
        for (committee_id, committee_zh, committee_en), members in zip(
            own, _divide(group, [1] * counts[g]), strict=True
        ):
            name = _label(committee_zh, committee_en)
            parts = [part for block in members for part in block.parts]
            committees.append(_area(committee_id, "committee", grid_id, name, shapely.coverage_union_all(parts)))
            areas += _micro_grids(committee_id, members)
        grid_name = _label(f"{zh[:-2]}第{ORDINALS[g]}综合网格", f"{en} Grid {g + 1}")
        grids.append(
            _area(grid_id, "grid", code, grid_name, shapely.coverage_union_all([a.polygon for a in committees]))
        )
        areas += committees
    street = _area(
        code,
        "street",
        DISTRICT,
        _label(zh, f"{en} Subdistrict"),
        shapely.coverage_union_all([a.polygon for a in grids]),
    )
    return [street, *grids, *areas]


def _micro_grids(committee_id: str, members: Sequence[Block]) -> list[Area]:
    parts = [(part, block.wet) for block in members for part in block.parts]
    parts.sort(key=lambda pair: (pair[1], -round(pair[0].centroid.y, 1), round(pair[0].centroid.x, 1)))
    return [
        _area(
            f"{committee_id}-{k:03d}", "micro_grid", committee_id,
            _label(f"微网格{k:03d}" + ("（水域）" if wet else ""), f"Micro-grid {k:03d}" + (" (water)" if wet else "")), part,
        )
        for k, (part, wet) in enumerate(parts, 1)
    ]  # fmt: skip


def _label(zh: str, en: str) -> Label:
    return {"zh": zh, "en": en}


def _area(area_id: str, level: str, parent_id: str | None, name: Label, shape: Polygon) -> Area:
    return Area(area_id=area_id, level=level, parent_id=parent_id, name=name, polygon=shape)


def in_degrees(tree: AreaTree) -> AreaTree:
    """Return the tree with its polygons, drawn in metres, in degrees to 6 digits (0.1 m), corner by corner alike."""

    def turned(area: Area) -> Area:
        shape = shapely.transform(PLANE.unproject(area.polygon), lambda xy: np.round(xy, 6))
        return replace(area, polygon=shape)

    return AreaTree(tree.levels, [turned(area) for area in tree])


def _blocks(ground: Ground, lines: Iterable[LineString]) -> list[Block]:
    """Return the faces between streets and stretches of water, the smallest joined to a neighbour."""
    edges = [ground.outline.exterior, ground.land.exterior, *_over_water(ground)]
    web = shapely.union_all([*lines, *edges], grid_size=CORNER_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(web)))
    inner = shapely.point_on_surface(faces)
    shapely.prepare(ground.outline)
    shapely.prepare(ground.land)
    faces = [
        Block(f, not ground.land.contains(p), [])
        for f, p in zip(faces, inner, strict=True)
        if ground.outline.contains(p)
    ]
    return _joined(faces)


def _over_water(ground: Ground) -> list[LineString]:
    """Return lines from the road along the river to the middle of the river."""
    xy = shore(ground.bank)
    course = LineString(xy)
    lines = []
    for at in np.arange(WATER_EVERY_M / 2, course.length, WATER_EVERY_M):
        here, there = (np.array(course.interpolate(v).coords[0]) for v in (at, at + 5.0))
        heading = (there - here) / 5.0
        lines.append(LineString([here, here + np.array([-heading[1], heading[0]]) * 900.0]))
    return [max(shapely.get_parts(line.intersection(ground.outline)), key=lambda part: part.length) for line in lines]


def _joined(blocks: list[Block]) -> list[Block]:
    """Join blocks too small to stand alone to the neighbour, of the same kind, with the longest common edge."""
    blocks = sorted(blocks, key=lambda b: b.shape.area)
    k = 0
    while k < len(blocks) and blocks[k].shape.area < LEAST_BLOCK_M2:
        small = blocks.pop(k)
        common = [
            small.shape.boundary.intersection(b.shape.boundary).length if b.shape.distance(small.shape) < 0.01 else 0.0
            for b in blocks
        ]
        best = max(range(len(blocks)), key=lambda j: (common[j] > 1.0, blocks[j].wet == small.wet, common[j]))
        host = blocks.pop(best)
        k -= best < k
        merged = shapely.union_all([host.shape, small.shape])
        blocks.append(Block(max(shapely.get_parts(merged), key=lambda p: p.area), host.wet, []))
        blocks.sort(key=lambda b: b.shape.area)
        k = 0
    return blocks


def _cut_into_micro_grids(blocks: list[Block], ground: Ground) -> list[Block]:
    """Cut the blocks, and give every piece the corners that its neighbours have on its edge."""
    per_m2 = N_MICRO / ground.land.area
    lines: list[LineString] = []
    for block in blocks:
        n = 1 if block.wet else max(1, round(block.shape.area * per_m2))
        lines += [piece.boundary for piece in _halves(block.shape, n)]
    web = shapely.union_all(lines, grid_size=CORNER_M)
    pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(web)))
    tree = shapely.STRtree([block.shape for block in blocks])
    points = shapely.point_on_surface(pieces)
    for number, owner in zip(*tree.query(points, predicate="within"), strict=True):
        blocks[owner].parts.append(pieces[number])
    for block in blocks:
        block.parts = _without_slivers(block.parts)
    return blocks


def _without_slivers(parts: list[Polygon]) -> list[Polygon]:
    """Join what a cut left too small to the neighbour with the longest common edge."""
    parts = sorted(parts, key=lambda p: p.area)
    while len(parts) > 1 and (
        parts[0].area < LEAST_MICRO_M2 or shapely.maximum_inscribed_circle(parts[0]).length < 2.0
    ):
        small, *others = parts
        host = max(others, key=lambda p: p.boundary.intersection(small.boundary).length)
        others.remove(host)
        parts = sorted([*others, shapely.coverage_union(host, small)], key=lambda p: p.area)
    return parts


def _halves(shape: Polygon, n: int) -> list[Polygon]:
    """Cut a polygon into n parts of about equal area, each time across its longer side."""
    if n == 1:
        return [shape]
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))[:4]
    sides = np.diff(corners, axis=0)[:2]
    along = sides[int(np.argmax(np.hypot(*sides.T)))]
    along /= np.hypot(*along)
    across = np.array([-along[1], along[0]]) * 5000.0
    reach = [_fused(x, along[0], y * along[1]) for x, y in shapely.get_coordinates(shape)]
    low, high = min(reach), max(reach)
    first = n // 2

    def below(cut: float) -> Polygon:
        x, y = shape.centroid.coords[0]
        a = along * cut + across / 5000.0 * (_fused(y, across[1], x * across[0]) / 5000.0)
        return Polygon([a + across, a - across, a - across - along * 5000.0, a + across - along * 5000.0])

    for _ in range(9):
        cut = (low + high) / 2
        low, high = (cut, high) if shape.intersection(below(cut)).area < shape.area * first / n else (low, cut)
    one, other = shape.intersection(below(cut)), shape.difference(below(cut))
    shares = [(one, first), (other, n - first)]
    return [
        part for half, k in shares for whole in _polygons(half) for part in _halves(whole, k if _single(half) else 1)
    ]


def _fused(a: float, b: float, c: float) -> float:
    """Return a b + c, rounded once, as a processor with one instruction for it does.

    A matrix product has its last digit by the processor, and where a corner then falls to another point of the grid,
    other areas are drawn. T. J. Dekker, *A floating-point technique for extending the available precision*, 1971.
    """
    a, b, product = float(a), float(b), float(a) * float(b)
    (high, low), (upper, lower) = _halved(a), _halved(b)
    rest = ((high * upper - product) + high * lower + low * upper) + low * lower
    return math.fsum((product, rest, float(c)))


def _halved(number: float) -> tuple[float, float]:
    """Return a number as the sum of two, of half its digits each."""
    scaled = (2.0**27 + 1.0) * number
    high = scaled - (scaled - number)
    return high, number - high


def _longest(spread: Floats, weight: Floats) -> Floats:
    """Return the way, of length one, along which weighted points about their middle lie farthest apart.

    To nine digits, so that every processor finds the same.
    """
    x, y = spread.T
    xx, yy, xy = (math.fsum(weight * one) for one in (x * x, y * y, x * y))
    angle = math.atan2(2 * xy, xx - yy) / 2
    way = np.round([math.cos(angle), math.sin(angle)], 9)
    return np.asarray(way * np.sign(way[np.argmax(np.abs(way))]))


def _polygons(shape: shapely.Geometry) -> list[Polygon]:
    return [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 0.5]


def _single(shape: shapely.Geometry) -> bool:
    return len(_polygons(shape)) == 1


def _by_street(blocks: Sequence[Block]) -> dict[str, list[Block]]:
    """Give each block to the street in whose region most of it lies, then mend what got cut off."""
    codes = list(REGIONS)
    regions = [Polygon(metres(REGIONS[code])) for code in codes]
    shares = np.array([[block.shape.intersection(region).area for region in regions] for block in blocks])
    nearest = np.array([[block.shape.distance(region) for region in regions] for block in blocks])
    owner = np.where(shares.max(axis=1) > 0, shares.argmax(axis=1), nearest.argmin(axis=1))
    owner = _mended(_contacts(blocks), owner, np.array([b.shape.area for b in blocks]))
    return {code: [b for b, k in zip(blocks, owner, strict=True) if k == number] for number, code in enumerate(codes)}


def _contacts(blocks: Sequence[Block]) -> Floats:
    """Return the length of the common edge of each two blocks, shape (n, n)."""
    shapes = [b.shape for b in blocks]
    tree = shapely.STRtree(shapes)
    found = np.zeros((len(shapes), len(shapes)))
    for i, j in zip(*tree.query(shapes, predicate="intersects"), strict=True):
        if i < j:
            found[i, j] = found[j, i] = shapes[i].boundary.intersection(shapes[j].boundary).length
    return found


def _mended(contact: Floats, owner: Indices, weight: Floats) -> Indices:
    """Give every group's cut-off parts to the neighbouring group with the longest common edge."""
    owner = owner.copy()
    for _ in range(12):
        moved = False
        for k in np.unique(owner):
            members = np.flatnonzero(owner == k)
            n, part = connected_components(coo_matrix(contact[np.ix_(members, members)] > 1.0), directed=False)
            if n == 1:
                continue
            sizes = np.bincount(part, weight[members])
            for stray in members[part != sizes.argmax()]:
                edges = np.bincount(owner, contact[stray], minlength=int(owner.max()) + 1)
                edges[k] = 0.0
                if edges.max() > 1.0:
                    owner[stray] = int(edges.argmax())
                    moved = True
        if not moved:
            break
    return owner


def _divide(blocks: list[Block], counts: list[int]) -> list[list[Block]]:
    """Divide blocks into connected groups whose land is as the counts, across the longer side each time."""
    contact = _contacts(blocks)
    owner = np.zeros(len(blocks), np.int64)
    weight = np.array([0.02 if b.wet else 1.0 for b in blocks]) * [b.shape.area for b in blocks]
    centre = np.array([b.shape.centroid.coords[0] for b in blocks])

    def split(members: Indices, first: int, last: int) -> None:
        if last - first == 1:
            owner[members] = first
            return
        middle = (first + last) // 2
        share = sum(counts[first:middle]) / sum(counts[first:last])
        spread = centre[members] - np.average(centre[members], axis=0, weights=weight[members])
        along = _longest(spread, weight[members])
        order = members[np.argsort(spread[:, 0] * along[0] + spread[:, 1] * along[1], kind="stable")]
        run = np.cumsum(weight[order])
        cut = int(np.clip(np.searchsorted(run, share * run[-1]), middle - first, len(order) - (last - middle)))
        split(order[:cut], first, middle)
        split(order[cut:], middle, last)

    split(np.arange(len(blocks)), 0, len(counts))
    owner = _mended(contact, owner, weight)
    return [[b for b, k in zip(blocks, owner, strict=True) if k == number] for number in range(len(counts))]
