"""Where walkers walk: straight pieces of street, the grounds of places with their doors, and the ways between them."""

from __future__ import annotations

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
from anlan.kernel.records import Device, DeviceKind, Place
from anlan.twin.grounds import Ground, ground_of

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

SPOTS = 120
"""Street corners round which people shop, work and live."""
BUSY = {"pedestrian": 5.0, "primary": 2.5, "secondary": 2.5, "tertiary": 1.5}
"""How much a street draws people by its class, against any other street."""
OPEN_DOORS = 24
"""At most this many ways into an open place."""
NEAR_DOOR_M = 4.0
OUTLINE_M = 0.5
"""A street may reach this far over the outline of a closed place that it ends at."""


@dataclass(frozen=True, eq=False)
class Door:
    """A way into a place: the node outside and the square inside, its clear width, and the gate device there, if any.

    ``in_is_entry`` tells whether the device's "in" (left to right) is into the place.
    """

    place: int
    node: int
    square: int
    width_m: float
    device_id: str | None
    in_is_entry: bool = True


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of street between nodes, each walked both ways.

    Walkers spread over ``spread`` metres across and keep between ``begin`` and ``end`` along a piece, so that nobody on
    a street stands in a closed place. ``place`` is the open place that a piece runs through, or -1.
    """

    x: Floats
    y: Floats
    tail: Indices
    head: Indices
    width: Floats
    busy: Floats
    length: Floats
    spread: Floats
    begin: Floats
    end: Floats
    place: Indices


@dataclass(frozen=True, eq=False)
class Network:
    """The walk network in metres. Destinations are numbered: places, then gateways, then spots on streets."""

    pieces: Pieces
    places: tuple[Place, ...]
    grounds: tuple[Ground, ...]
    place_m2: Floats
    doors: tuple[Door, ...]
    gateway_node: Indices
    gateway_kind: tuple[str, ...]
    spot_node: Indices
    targets: tuple[Indices, ...]

    @property
    def first_gateway(self) -> int:
        """Number of the first gateway among destinations."""
        return len(self.places)

    @property
    def first_spot(self) -> int:
        """Number of the first street spot among destinations."""
        return len(self.places) + len(self.gateway_node)


def network_of(pack: Pack, rng: np.random.Generator) -> Network:
    """Lay the network of a pack.

    Raises
    ------
    BadInput
        If the pack has no street on which one may walk.
    """
    areas = [pack.projection.project(place.polygon) for place in pack.places]
    pieces = _laid(pack, areas)
    tree = cKDTree(np.column_stack([pieces.x, pieces.y]))
    shut = [area for place, area in zip(pack.places, areas, strict=True) if place.closed]
    place_m2 = np.array([a.area * p.walkable_share for p, a in zip(pack.places, areas, strict=True)])
    grounds = tuple(
        ground_of(area.difference(shapely.union_all([s for s in shut if s is not area]).buffer(0.1)), float(m2))
        for area, m2 in zip(areas, place_m2, strict=True)
    )
    doors = tuple(
        door
        for k, area in enumerate(areas)
        if len(grounds[k])
        for door in _doors(pack, k, area, grounds[k], (tree, pieces))
    )
    gateway_node, gateway_kind = _gateways(pack, tree, pieces)
    spot_node = rng.choice(
        len(pieces.x), min(SPOTS, len(pieces.x)), replace=False, p=pieces.busy / pieces.busy.sum()
    ).astype(np.int64)
    targets = [np.unique([d.node for d in doors if d.place == k]).astype(np.int64) for k in range(len(areas))]
    targets += [np.array([node]) for node in (*gateway_node, *spot_node)]
    return Network(
        pieces, pack.places, grounds, place_m2, doors, gateway_node, gateway_kind, spot_node, tuple(targets)
    )


class Ways:
    """Shortest ways from every node to destinations, as costs change.

    ``next_edge[d, node]`` leads towards destination d (-1: there, or cut off), ``reach[d, node]`` is the cost of it.
    """

    def __init__(self, network: Network) -> None:
        pieces = network.pieces
        self._targets = network.targets
        self._n = n = len(pieces.x)
        self._pieces = pieces
        self._turn = 0
        self.next_edge = np.full((len(self._targets), n), -1, np.int32)
        self.reach = np.full((len(self._targets), n), np.inf, np.float32)
        self.update(pieces.length, len(self._targets))

    def update(self, cost: Floats, n_destinations: int) -> None:
        """Find the ways to the next few destinations in turn, by the cost of each edge."""
        pieces, n = self._pieces, self._n
        cheapest = np.argsort(cost, kind="stable")  # of two pieces between the same nodes the cheaper is walked
        tail, head = pieces.tail[cheapest], pieces.head[cheapest]
        keys, first = np.unique(np.concatenate([tail * n + head, head * n + tail]), return_index=True)
        edge = np.concatenate([cheapest, cheapest])[first]
        links = sp.csr_matrix((cost[edge], (keys // n, keys % n)), shape=(n, n))
        node = np.arange(n)
        for _ in range(n_destinations):
            k = self._turn
            self._turn = (self._turn + 1) % len(self._targets)
            if not len(self._targets[k]):
                continue
            far, before, _ = dijkstra(
                links, directed=True, indices=self._targets[k], min_only=True, return_predecessors=True
            )
            on = before >= 0
            self.reach[k] = far
            self.next_edge[k] = -1
            self.next_edge[k, on] = edge[np.searchsorted(keys, node[on] * n + before[on])]


def lines_of(pack: Pack, doors: tuple[Door, ...]) -> list[Device]:
    """Return the devices that count over a line anywhere but at a door."""
    at_doors = {door.device_id for door in doors}
    kinds = {DeviceKind.GATE, DeviceKind.PASSAGE}
    return [d for d in pack.devices if d.kind in kinds and d.device_id not in at_doors]


def _laid(pack: Pack, areas: list[BaseGeometry]) -> Pieces:
    """Cut streets into straight pieces, keep them out of closed places, and keep the largest connected part."""
    xy, width, busy = _cut(pack)
    closed = shapely.union_all([a for p, a in zip(pack.places, areas, strict=True) if p.closed])
    kept, begin, end, spread = _kept_out(xy, width, closed)
    keys = np.round(xy[kept].reshape(-1, 2) * 2).astype(np.int64)  # vertices within half a metre are the same
    _, first, number = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    corner, node = xy[kept].reshape(-1, 2)[first], number.reshape(-1, 2)
    main = _largest(node, len(corner))
    real = (node[:, 0] != node[:, 1]) & main[node[:, 0]]
    if not real.any():
        raise BadInput(f"pack {pack.pack_id!r}", "must have a street outside closed places", "add one to walk on")
    kept = np.flatnonzero(kept)[real]
    tail, head = (np.cumsum(main) - 1)[node[real]].T
    x, y = corner[main].T
    length = np.maximum(np.hypot(x[head] - x[tail], y[head] - y[tail]), 0.5)
    return Pieces(
        x=x,
        y=y,
        tail=tail,
        head=head,
        width=width[kept],
        busy=np.bincount(np.concatenate([tail, head]), np.tile(busy[kept] * length, 2), len(x)),
        length=length,
        spread=spread[kept],
        begin=np.minimum(begin[kept], length),
        end=np.minimum(end[kept], length),
        place=_places_along(pack, areas, xy[kept]),
    )


def _cut(pack: Pack) -> tuple[Floats, Floats, Floats]:
    """Return the straight pieces (m, 2 ends, 2), their widths and how they draw people by the metre."""
    ends, width, busy = [], [], []
    for street in pack.streets:
        if street.walk:
            along = shapely.get_coordinates(pack.projection.project(street.line))
            ends.append(np.stack([along[:-1], along[1:]], axis=1))
            width += [max(street.width_m, 1.0)] * (len(along) - 1)
            busy += [BUSY.get(street.street_class, 1.0)] * (len(along) - 1)
    if not ends:
        raise BadInput(f"pack {pack.pack_id!r}", "must have a street to walk on", "add streets.geojson")
    return np.concatenate(ends), np.array(width), np.array(busy)


def _kept_out(xy: Floats, width: Floats, closed: BaseGeometry) -> tuple[npt.NDArray[np.bool_], Floats, Floats, Floats]:
    """Tell which pieces stay out of closed places, and where along and across them one may be seen."""
    begin, end, spread = np.zeros(len(xy)), np.hypot(*(xy[:, 1] - xy[:, 0]).T), 0.95 * width
    lines = shapely.linestrings(xy)
    kept = ~shapely.intersects(closed.buffer(-OUTLINE_M), lines)
    wall = closed.buffer(0.1)
    shapely.prepare(wall)
    for k in np.flatnonzero(kept & (shapely.distance(closed, lines) < width / 2 + 0.2)):
        free = shapely.difference(lines[k], wall)
        free = max(getattr(free, "geoms", [free]), key=lambda part: part.length)
        if free.length < 1.0:
            kept[k] = False
            continue
        begin[k], end[k] = sorted(lines[k].project(shapely.Point(c)) for c in (free.coords[0], free.coords[-1]))
        while spread[k] > 0.1 and wall.intersects(free.buffer(spread[k] / 2, cap_style="flat")):
            spread[k] *= 0.7
        spread[k] = spread[k] if spread[k] > 0.1 else 0.0
    return kept, begin, end, spread


def _largest(node: Indices, n: int) -> npt.NDArray[np.bool_]:
    """Tell which nodes are in the largest connected part: who stands on an island of the map could go nowhere."""
    links = sp.coo_matrix((np.ones(len(node)), (node[:, 0], node[:, 1])), shape=(n, n))
    _, part = connected_components(links, directed=False)
    return np.asarray(part == np.bincount(part).argmax())


def _places_along(pack: Pack, areas: list[BaseGeometry], xy: Floats) -> Indices:
    """Return the open place in which the middle of each piece lies, or -1."""
    found = np.full(len(xy), -1, np.int64)
    middle = xy.mean(axis=1)
    for k, (place, area) in enumerate(zip(pack.places, areas, strict=True)):
        if not place.closed:
            found[shapely.contains_xy(area, middle[:, 0], middle[:, 1])] = k
    return found


def _doors(
    pack: Pack, k: int, area: BaseGeometry, ground: Ground, streets: tuple[cKDTree, Pieces]
) -> list[Door]:
    """Return the ways into a place: its gates if it is closed, else the street corners in and at it."""
    tree, pieces = streets
    place = pack.places[k]
    if place.closed:
        return [
            _gate(pack, k, ground, device, tree)
            for device in pack.devices
            if device.kind is DeviceKind.GATE and device.place_id == place.place_id
        ]
    near = np.flatnonzero(shapely.contains_xy(area.buffer(NEAR_DOOR_M), pieces.x, pieces.y))
    if not len(near):
        near = np.array([np.argmin(shapely.distance(area, shapely.points(pieces.x, pieces.y)))])
    width = {int(n): pieces.width[(pieces.tail == n) | (pieces.head == n)].sum() for n in near}
    return [
        Door(k, int(n), ground.nearest(pieces.x[n], pieces.y[n]), float(width[int(n)]), None)
        for n in near[:: -(-len(near) // OPEN_DOORS)]
    ]


def _gate(pack: Pack, k: int, ground: Ground, device: Device, tree: cKDTree) -> Door:
    line = pack.projection.project(device.geometry)
    (ax, ay), (bx, by) = shapely.get_coordinates(line)[[0, -1]]
    x, y = (ax + bx) / 2, (ay + by) / 2
    square = ground.nearest(x, y)
    inner_x, inner_y = ground.x[square] + ground.size_m / 2, ground.y[square] + ground.size_m / 2
    in_is_entry = (bx - ax) * (inner_y - ay) - (by - ay) * (inner_x - ax) < 0  # the place is on the right
    return Door(k, int(tree.query([x, y])[1]), square, float(line.length), device.device_id, bool(in_is_entry))


def _gateways(pack: Pack, tree: cKDTree, pieces: Pieces) -> tuple[Indices, tuple[str, ...]]:
    """Return the nodes of the pack's gateways; of a pack that tells none, the streets' ends at its border."""
    border = pack.projection.project(pack.boundary)
    nodes, kinds = [], []
    near = border.buffer(150.0)
    for gateway in pack.gateways:
        point = pack.projection.project(gateway.point)
        if border.is_empty or near.contains(point):
            nodes.append(int(tree.query([point.x, point.y])[1]))
            kinds.append(gateway.kind)
    if nodes:
        return np.array(nodes, np.int64), tuple(kinds)
    points = shapely.points(pieces.x, pieces.y)
    ring = border.boundary if not border.is_empty else shapely.multipoints(points).convex_hull.boundary
    found = np.argsort(shapely.distance(ring, points))[:40:2].astype(np.int64)
    return found, ("road",) * len(found)
