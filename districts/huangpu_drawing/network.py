"""From strokes to streets: cut at every junction, joined where nothing branches, one whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
import shapely.ops
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely.geometry import LineString, Point

from anlan.kernel.records import Street
from huangpu_drawing.fabric import GRID_M, SPEED_KMH, WIDTH_M, Stroke, ends_of, lines_in, longer
from huangpu_drawing.ground import PLANE, Floats, Ground, metres

ON_FOOT = {"pedestrian", "footway", "steps"}
_LOOSE_M = 12.0
_SAME_M = 4.0
_OVER_M = 0.05
_DECK_M = 7.0
"""How far beside the middle of its road the elevated one is drawn, so that both are seen."""

Piece = tuple[LineString, Stroke]


def join(strokes: Sequence[Stroke], gates: Sequence[Point]) -> list[Piece]:
    """Cut strokes where they meet and at gates, and join what nothing branches from; each piece knows its stroke.

    Overshooting ends shorter than 12 m and pieces without a way to the rest are left out.
    """
    pieces = [longer(stroke.line, _OVER_M) for stroke in strokes]
    for _ in range(3):  # a junction that was moved may cross what it did not cross before
        pieces = _contracted(_without_loose(lines_in(shapely.union_all(pieces, grid_size=GRID_M))))
    tree = shapely.STRtree(gates)
    pieces = [
        part
        for line in _merged(pieces)
        for part in _split_at(line, [gates[k] for k in tree.query(line, "dwithin", distance=0.02)])
    ]
    tree = shapely.STRtree([stroke.line for stroke in strokes])
    owner = tree.nearest(shapely.line_interpolate_point(pieces, 0.5, normalized=True))
    named = [(piece, strokes[int(k)]) for piece, k in zip(pieces, owner, strict=True)]
    main = _component([piece for piece, _ in named], directed=False, oneway=[False] * len(named))
    return [pair for pair, is_main in zip(named, main, strict=True) if is_main]


def _contracted(pieces: list[LineString]) -> list[LineString]:
    """Make one junction of junctions nearer than 4 m along a street."""
    node, number = ends_of(pieces)
    short = np.array([p.length < _SAME_M for p in pieces])
    links = coo_matrix((np.ones(short.sum()), number[short].T), shape=(len(node),) * 2)
    _, cluster = connected_components(links, directed=False)
    _, first = np.unique(cluster, return_index=True)
    kept: dict[tuple[int, int, int], LineString] = {}
    for piece, (a, b) in zip(pieces, first[cluster[number]], strict=True):
        if a != b:
            xy = shapely.get_coordinates(piece)
            line = LineString([node[a], *xy[1:-1], node[b]])
            kept.setdefault((min(a, b), max(a, b), round(line.length)), line)
    return list(kept.values())


def _merged(pieces: list[LineString]) -> list[LineString]:
    return lines_in(shapely.line_merge(shapely.multilinestrings(pieces)))


def _without_loose(pieces: list[LineString]) -> list[LineString]:
    _, number = ends_of(pieces)
    loose = (np.bincount(number.ravel()) == 1)[number].any(axis=1)
    return [p for p, is_loose in zip(pieces, loose, strict=True) if not is_loose or p.length > _LOOSE_M]


def _component(lines: Sequence[LineString], *, directed: bool, oneway: Sequence[bool]) -> list[bool]:
    """Tell which lines lie wholly in the largest (strongly) connected part."""
    corner, number = ends_of(lines)
    tail, head = number.T
    both = ~np.array(oneway)
    rows, columns = np.concatenate([tail, head[both]]), np.concatenate([head, tail[both]])
    links = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(corner),) * 2)
    _, part = connected_components(links, directed=directed, connection="strong")
    main = part == np.bincount(part).argmax()
    return [bool(v) for v in main[tail] & main[head]]


def elevated(ground: Ground, pieces: Sequence[Piece]) -> list[Piece]:
    """Draw the elevated roads beside those below, with ramps to their junctions, and the two bridges they end in."""
    corners = np.unique(
        np.array([c for p, s in pieces if s.street_class == "primary" for c in (p.coords[0], p.coords[-1])]), axis=0
    )
    decks = [_deck(parts, pieces) for parts in (
        (("Middle Yan'an Road", "East Yan'an Road"), "延安高架路", "Yan'an Elevated Road"),
        (("North Chengdu Road", "Middle Chongqing Road", "South Chongqing Road", "Luban Road"), "南北高架路", "South-North Elevated Road"),
        (("South First Zhongshan Road",), "内环高架路", "Inner Ring Elevated Road"),
    )]  # fmt: skip
    lupu = _bridge(decks[1], [(-1.16, -2.95), (-1.20, -3.20)], "卢浦大桥", "Lupu Bridge")
    nanpu = _bridge(decks[2], _spiral(), "南浦大桥", "Nanpu Bridge")
    decks += [lupu, nanpu]
    ramps = [ramp for deck in decks[:3] for ramp in _ramps(deck.line, corners)]
    web = shapely.union_all([d.line.intersection(ground.outline) for d in decks], grid_size=GRID_M)
    cut = lines_in(web)
    tree = shapely.STRtree([d.line for d in decks])
    found = []
    for line in cut:
        deck = decks[int(tree.nearest(line.interpolate(0.5, normalized=True)))]
        found += [(part, deck) for part in _split_at(line, [Point(r.coords[0]) for r in ramps])]
    ramp_stroke = Stroke(ramps[0], "trunk_link")
    return found + [(ramp, ramp_stroke) for ramp in ramps]


def _deck(told: tuple[tuple[str, ...], str, str], pieces: Sequence[Piece]) -> Stroke:
    names, zh, en = told
    below = shapely.line_merge(shapely.multilinestrings([p for p, s in pieces if s.en in names]))
    line = max(shapely.get_parts(below), key=lambda part: part.length)
    return Stroke(line.offset_curve(_DECK_M).simplify(0.3), "trunk", zh, en)


def _bridge(deck: Stroke, beyond: list[tuple[float, float]], zh: str, en: str) -> Stroke:
    """Return the bridge that continues a deck from its end nearer to the river."""
    ends = [np.array(deck.line.coords[0]), np.array(deck.line.coords[-1])]
    onwards = metres(beyond)
    start = min(ends, key=lambda end: float(np.hypot(*(end - onwards[0]))))
    return Stroke(LineString([start, *onwards]), "trunk", zh, en)


def _spiral() -> list[tuple[float, float]]:
    """Return the turns by which the road climbs to the bridge, and the bridge, in km."""
    x, y, wide = 1.86, -1.56, 0.095
    angle = np.radians(np.linspace(250, 250 - 630, 36))
    radius = wide * np.linspace(1.0, 0.72, 36)
    turns = list(zip((x + radius * np.cos(angle)).tolist(), (y + radius * np.sin(angle)).tolist(), strict=True))
    return [*turns, (2.45, -1.62)]


def _ramps(deck: LineString, corners: Floats) -> list[LineString]:
    """Return ramps from a deck down to junctions of the road below, some 900 m apart."""
    near = [Point(c) for c in corners if deck.distance(Point(c)) < _DECK_M + 1.0]
    ramps: list[LineString] = []
    last = -np.inf
    for corner in sorted(near, key=deck.project):
        at = deck.project(corner)
        if at - last > 900.0 and 90.0 < at < deck.length - 20.0:
            last = at
            ramps.append(LineString([deck.interpolate(at - 75.0), corner]))
    return ramps


def _split_at(line: LineString, points: Sequence[Point]) -> list[LineString]:
    """Return the parts of a line between those of the points that lie on it, sharing their exact coordinates."""
    on = sorted((line.project(p), p) for p in points if line.distance(p) < 0.05)
    parts, begin, first = [], 0.0, None
    for at, point in [*on, (line.length, None)]:
        if at - begin < 1.0:
            continue
        xy = shapely.get_coordinates(shapely.ops.substring(line, begin, at))
        if first is not None:
            xy[0] = first.coords[0]
        if point is not None:
            xy[-1] = point.coords[0]
        parts.append(LineString(xy))
        begin, first = at, point
    return parts


def streets_of(pieces: Sequence[Piece]) -> list[Street]:
    """Return the streets. One may drive from each that is for vehicles to each other.

    A lane that vehicles cannot reach is a footway; a one-way street that would be a trap has two ways.
    """
    pieces = sorted(pieces, key=lambda pair: (-round(pair[0].centroid.y, 1), round(pair[0].centroid.x, 1)))
    lines = [_with_stroke(piece, stroke) for piece, stroke in pieces]
    strokes = [stroke for _, stroke in pieces]
    drive = [k for k, stroke in enumerate(strokes) if stroke.street_class not in ON_FOOT]
    reached = _component([lines[k] for k in drive], directed=False, oneway=[False] * len(drive))
    for k, is_reached in zip(drive, reached, strict=True):
        if not is_reached:
            strokes[k] = replace(strokes[k], street_class="footway", oneway=False)
    drive = [k for k, is_reached in zip(drive, reached, strict=True) if is_reached]
    oneway = [stroke.oneway for stroke in strokes]
    for _ in range(20):
        good = _component([lines[k] for k in drive], directed=True, oneway=[oneway[k] for k in drive])
        blocked = [k for k, is_good in zip(drive, good, strict=True) if not is_good and oneway[k]]
        if not blocked:
            break
        for k in blocked:
            oneway[k] = False
    told = zip(lines, strokes, oneway, strict=True)
    return [_street(k, line, stroke, oneway=is_oneway) for k, (line, stroke, is_oneway) in enumerate(told, 1)]


def _with_stroke(piece: LineString, stroke: Stroke) -> LineString:
    """Return the piece in the direction of its stroke."""
    begin, end = (stroke.line.project(Point(c)) for c in (piece.coords[0], piece.coords[-1]))
    return piece if begin <= end else piece.reverse()


def _street(number: int, line: LineString, stroke: Stroke, *, oneway: bool) -> Street:
    kind = stroke.street_class
    return Street(
        street_id=f"s{number:05d}",
        name={"zh": stroke.zh, "en": stroke.en} if stroke.zh else {},
        street_class=kind,
        line=PLANE.unproject(line),
        width_m=stroke.width_m if stroke.width_m is not None else WIDTH_M[kind],
        speed_kmh=SPEED_KMH[kind],
        oneway=oneway,
        walk=stroke.walk,
    )
