"""Where walkers walk: straight pieces of street, and the ways into places and out of the district."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import shapely
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Place

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

SAMPLES = 3000
"""Points in a place between which people stroll."""
SPOTS = 250
"""Street corners that are destinations of their own: shops, offices, homes."""
AT_THE_RAIL_M, FAR_SHARE = 8.0, 0.25
"""Where people like to stand at the water: how fast that falls with the way from the rail, and to what part."""
TASTES = 3
"""Ways of seeing which way is the shortest: people between the same two points do not all walk the same streets."""
TASTE_SPREAD = 0.35
"""Spread of the logarithm of how long a piece of street seems."""


@dataclass(frozen=True, eq=False)
class Door:
    """A way into a place: the node outside, the point on the boundary, and the gate device there, if any."""

    place: int
    node: int
    x_m: float
    y_m: float
    device_id: str | None


@dataclass(frozen=True, eq=False)
class Network:
    """The walk network in metres.

    Nodes ``x``, ``y`` (n,); edges ``tail``, ``head``, ``length``, ``width`` (m,), each walked both ways. Destination d
    is a place (by its doors), a gateway, or a street spot. ``next_edge[t, d, node]`` leads there by the way that seems
    shortest to taste t (-1: there, or cut off), ``reach[d, node]`` is how long that way seems to the first taste.
    """

    x: Floats
    y: Floats
    tail: Indices
    head: Indices
    length: Floats
    width: Floats
    places: tuple[Place, ...]
    place_m2: Floats
    samples: npt.NDArray[np.float64]
    doors: tuple[Door, ...]
    gateway_node: Indices
    gateway_kind: tuple[str, ...]
    spot_node: Indices
    spot_weight: Floats
    next_edge: npt.NDArray[np.int32]
    reach: npt.NDArray[np.float32]

    @property
    def n_places(self) -> int:
        """How many places there are."""
        return len(self.places)

    @property
    def first_gateway(self) -> int:
        """Number of the first destination that is a gateway."""
        return len(self.places)

    @property
    def first_spot(self) -> int:
        """Number of the first destination that is a street spot."""
        return len(self.places) + len(self.gateway_node)


def network_of(pack: Pack, rng: np.random.Generator, by_the_water: Collection[str] = ()) -> Network:
    """Lay the network of a pack.

    Parameters
    ----------
    pack : Pack
    rng : Generator
    by_the_water : collection of str
        Places where people like to stand at the water.

    Raises
    ------
    BadInput
        If the pack has no street on which one may walk.
    """
    plane = pack.projection
    areas = [plane.project(place.polygon) for place in pack.places]
    water = plane.project(shapely.union_all(pack.water)) if pack.water else None
    closed = shapely.union_all([a.buffer(-0.5) for p, a in zip(pack.places, areas, strict=True) if p.closed])
    shapely.prepare(closed)
    x, y, tail, head, width, busy = _pieces(pack, closed)
    x, y, tail, head, width, busy = _one_piece(x, y, tail, head, width, busy)
    tree = cKDTree(np.column_stack([x, y]))
    doors = _doors(pack, areas, tree, x, y)
    border = plane.project(pack.boundary)
    gateway_node, gateway_kind = _gateways(pack, border, tree, x, y)
    spot_node = rng.choice(len(x), min(SPOTS, len(x)), replace=False, p=busy / busy.sum())
    length = np.maximum(np.hypot(x[head] - x[tail], y[head] - y[tail]), 0.5)
    targets: list[Indices] = [np.array([d.node for d in doors if d.place == k], np.int64) for k in range(len(areas))]
    targets += [np.array([node], np.int64) for node in (*gateway_node, *spot_node)]
    # A wide street seems shorter than it is; beyond that each taste sees every piece in its own way.
    seeming = length * (np.maximum(width, 2.0) / 8.0) ** -0.25
    ways = [
        _ways(targets, tail, head, seeming * np.exp(TASTE_SPREAD * rng.standard_normal(len(length))), len(x))
        for _ in range(TASTES)
    ]
    return Network(
        x=x,
        y=y,
        tail=tail,
        head=head,
        length=length,
        width=width,
        places=pack.places,
        place_m2=np.array([a.area * p.walkable_share for p, a in zip(pack.places, areas, strict=True)]),
        samples=np.array(
            [
                _sample(a, rng, water if p.place_id in by_the_water else None)
                for p, a in zip(pack.places, areas, strict=True)
            ]
        ).reshape(-1, SAMPLES, 2),
        doors=doors,
        gateway_node=gateway_node,
        gateway_kind=gateway_kind,
        spot_node=spot_node,
        spot_weight=busy[spot_node] / busy[spot_node].sum(),
        next_edge=np.stack([next_edge for next_edge, _ in ways]),
        reach=ways[0][1],
    )


def _pieces(pack: Pack, closed: BaseGeometry) -> tuple[Floats, Floats, Indices, Indices, Floats, Floats]:
    """Cut streets into straight pieces between shared vertices; inside closed places nobody walks past the gates."""
    points: list[Floats] = []
    widths: list[float] = []
    weights: list[float] = []
    classes = {"pedestrian": 5.0, "primary": 2.5, "secondary": 2.5, "tertiary": 1.5}
    for street in pack.streets:
        if street.walk:
            line = pack.projection.project(street.line)
            for a, b in zip(shapely.get_coordinates(line), shapely.get_coordinates(line)[1:], strict=False):
                points.append(np.concatenate([a, b]))
                widths.append(street.width_m)
                weights.append(classes.get(street.street_class, 1.0))
    if not points:
        raise BadInput(f"pack {pack.pack_id!r}", "must have a street to walk on", "add streets.geojson")
    ends = np.array(points)
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
    kept = ~shapely.intersects(closed, lines) if not closed.is_empty else np.ones(len(ends), bool)
    ends, width, weight = ends[kept], np.array(widths)[kept], np.array(weights)[kept]
    keys = np.round(ends.reshape(-1, 2) * 2).astype(np.int64)  # vertices within half a metre are the same
    _, first, node = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    xy = ends.reshape(-1, 2)[first]
    node = node.reshape(-1, 2)
    real = node[:, 0] != node[:, 1]
    _, single = np.unique(np.sort(node, axis=1), axis=0, return_index=True)  # a piece drawn twice is walked once
    real &= np.isin(np.arange(len(node)), single)
    busy: Floats = np.bincount(node[real].ravel(), np.repeat(weight[real], 2), len(xy)).astype(np.float64)
    node = node.astype(np.int64)
    return xy[:, 0], xy[:, 1], node[real, 0], node[real, 1], width[real], busy


def _one_piece(
    x: Floats, y: Floats, tail: Indices, head: Indices, width: Floats, busy: Floats
) -> tuple[Floats, Floats, Indices, Indices, Floats, Floats]:
    """Keep the largest connected part: who stands on an island of the map could go nowhere."""
    links = sp.coo_matrix((np.ones(len(tail)), (tail, head)), shape=(len(x), len(x)))
    _, part = connected_components(links, directed=False)
    main = part == np.bincount(part).argmax()
    number = np.cumsum(main, dtype=np.int64) - 1
    kept = main[tail]
    return x[main], y[main], number[tail[kept]], number[head[kept]], width[kept], busy[main]


def _doors(pack: Pack, areas: list[BaseGeometry], tree: cKDTree, x: Floats, y: Floats) -> tuple[Door, ...]:
    doors = []
    for k, (place, area) in enumerate(zip(pack.places, areas, strict=True)):
        found: list[tuple[BaseGeometry, str | None]]
        if place.closed:
            gates = [d for d in pack.devices if d.kind is DeviceKind.GATE and d.place_id == place.place_id]
            found = [
                (pack.projection.project(g.geometry).interpolate(0.5, normalized=True), g.device_id) for g in gates
            ]
        else:
            inside = np.flatnonzero(shapely.contains_xy(area.buffer(4.0), x, y))
            found = [(shapely.Point(x[n], y[n]), None) for n in inside[:: max(1, len(inside) // 24)]]
        if not found:
            _, near = tree.query(
                shapely.get_coordinates(area.exterior if hasattr(area, "exterior") else area.convex_hull)
            )
            node = int(np.atleast_1d(near)[0])
            found = [(shapely.Point(x[node], y[node]), None)]
        for point, device_id in found:
            _, node = tree.query([point.x, point.y])
            doors.append(Door(k, int(node), float(point.x), float(point.y), device_id))
    return tuple(doors)


def _gateways(pack: Pack, border: BaseGeometry, tree: cKDTree, x: Floats, y: Floats) -> tuple[Indices, tuple[str, ...]]:
    nodes, kinds = [], []
    near = border.buffer(150.0)
    for gateway in pack.gateways:
        point = pack.projection.project(gateway.point)
        if near.contains(point):
            nodes.append(int(tree.query([point.x, point.y])[1]))
            kinds.append(gateway.kind)
    if not nodes:  # a pack that tells none: the streets' ends at the border
        ring = (
            border.boundary if not border.is_empty else shapely.MultiPoint(np.column_stack([x, y])).convex_hull.boundary
        )
        distance = shapely.distance(ring, shapely.points(x, y))
        nodes = [int(n) for n in np.argsort(distance)[:40:2]]
        kinds = ["road"] * len(nodes)
    return np.array(nodes, np.int64), tuple(kinds)


def _ways(
    targets: list[Indices], tail: Indices, head: Indices, length: Floats, n: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return, for each destination and node, the first edge of the shortest way and its length."""
    edge_of = sp.coo_matrix((np.arange(1, len(tail) + 1), (tail, head)), shape=(n, n)).tocsr()
    links = sp.coo_matrix((length, (tail, head)), shape=(n, n)).tocsr()
    next_edge = np.full((len(targets), n), -1, np.int32)
    reach = np.full((len(targets), n), np.inf, np.float32)
    node = np.arange(n)
    for k, target in enumerate(targets):
        if not len(target):
            continue
        far, before, _ = dijkstra(links, directed=False, indices=target, min_only=True, return_predecessors=True)
        reach[k] = far
        on = before >= 0
        if not on.any():
            continue  # nobody can come there from anywhere else
        forth = np.asarray(edge_of[node[on], before[on]]).ravel()
        back = np.asarray(edge_of[before[on], node[on]]).ravel()
        next_edge[k, on] = np.where(forth > 0, forth, back) - 1
    return next_edge, reach


def _sample(area: BaseGeometry, rng: np.random.Generator, water: BaseGeometry | None) -> Floats:
    """Return points at random over a polygon: evenly, or more of them the nearer to the water."""
    x0, y0, x1, y1 = area.bounds
    found = np.empty((0, 2))
    while len(found) < SAMPLES:
        points = rng.uniform((x0, y0), (x1, y1), (4 * SAMPLES, 2))
        points = points[shapely.contains_xy(area, points[:, 0], points[:, 1])]
        if water is not None:
            away_m = shapely.distance(shapely.points(points), water)
            liked = FAR_SHARE + (1 - FAR_SHARE) * np.exp(-(away_m - away_m.min(initial=np.inf)) / AT_THE_RAIL_M)
            points = points[rng.random(len(points)) < liked]
        found = np.vstack([found, points])
    return found[:SAMPLES]
