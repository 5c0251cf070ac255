"""Travel times over the street graph: kept for one way of moving, and new for every hour, closure and crowd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry import MultiPolygon, Polygon

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D, Floats
from anlan.kernel.records import Label
from anlan.response.travel import kernel
from anlan.response.travel.graph import Ints, StreetGraph
from anlan.response.travel.speeds import Conditions, Mode, allowed, speeds_kmh, turn_costs_s

LONGEST_S = 6 * 3600.0
_DS = 10.0
_BLOCKED = np.int32(2**29)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Reach:
    """What each origin reaches within a limit, in the order of time: row k is ``first[k]:first[k + 1]``.

    ``node`` (int32) is where, ``time_ds`` (int32) when, in tenths of a second.
    """

    limit_s: float
    n_nodes: int
    first: npt.NDArray[np.int64]
    node: Ints
    time_ds: Ints

    def __len__(self) -> int:
        return len(self.first) - 1

    def matrix_s(self, nodes: npt.ArrayLike | None = None) -> npt.NDArray[np.float32]:
        """Return the times (origins, nodes) in seconds, infinite beyond the limit; all nodes where none are named."""
        made = np.full((len(self), self.n_nodes), np.inf, np.float32)
        rows = np.repeat(np.arange(len(self)), np.diff(self.first))
        made[rows, self.node] = self.time_ds / np.float32(_DS)
        return made if nodes is None else made[:, np.asarray(nodes, np.int64)]

    def nearest_s(self) -> Floats:
        """Return for each node the time from the origin that is there first, s; infinite where none is in time."""
        best = np.full(self.n_nodes, np.inf)
        np.minimum.at(best, self.node, self.time_ds / _DS)
        return best


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the graph within which one gets from everywhere to everywhere."""

    n_nodes: int
    length_m: float
    name: Label
    """Of a junction in it."""
    nodes: Ints = field(repr=False, compare=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class Network:
    """A street graph for one mode, with the time of every edge under the conditions of the moment.

    Make it with ``Network.of`` and let it follow with ``under``: only the times are computed anew, since nothing is
    prepared that a closure or another hour could spoil.

    Examples
    --------
    >>> from shapely.geometry import LineString
    >>> from anlan.kernel.geo import Projection
    >>> from anlan.kernel.records import Street
    >>> from anlan.response.travel import FOOT
    >>> line = LineString([(121.480, 31.22), (121.484, 31.22)])
    >>> one = Street(street_id="a", name={}, street_class="residential", line=line, width_m=5, speed_kmh=30)
    >>> network = Network.of(StreetGraph.of([one], Projection(121.48, 31.22), piece_m=100), FOOT)
    >>> reach = network.reach([0], limit_s=100)
    >>> [round(t / 10) for t in reach.time_ds]  # 381 m in four pieces, at 2 m/s
    [0, 48, 95]
    """

    graph: StreetGraph
    mode: Mode
    conditions: Conditions
    time_ds: Ints
    """Of every edge, deciseconds; blocked ones far above every limit."""

    @classmethod
    def of(cls, graph: StreetGraph, mode: Mode, conditions: Conditions | None = None) -> Network:
        """Return the network of a mode.

        Raises
        ------
        BadInput
            If a speed is absurd (see ``speeds_kmh``).
        """
        now = conditions or Conditions()
        return cls(graph=graph, mode=mode, conditions=now, time_ds=_times_ds(graph, mode, now))

    def under(self, conditions: Conditions) -> Network:
        """Return the same network under other conditions: another hour, closures, crowds."""
        made = replace(self, conditions=conditions, time_ds=_times_ds(self.graph, self.mode, conditions))
        made.__dict__["_rows"] = self._rows  # what does not depend on times
        if "_turns" in self.__dict__:
            made.__dict__["_turns"] = self._turns
        return made

    def reach(
        self, origins: npt.ArrayLike, limit_s: float, offset_s: npt.ArrayLike | None = None, *, turns: bool = True
    ) -> Reach:
        """Return which nodes each origin reaches within a limit, and when.

        Parameters
        ----------
        origins : array of shape (K,)
            Nodes at which somebody waits.
        limit_s : float
            Nothing later is looked for, s.
        offset_s : array of shape (K,), optional
            When each starts: turn-out, or the way from the building to the street, s.
        turns : bool
            False leaves out what turns cost, which is two to three times as fast.

        Raises
        ------
        BadInput
            If the limit is not in 0..6 h, an origin is no node, or an offset is negative.

        References
        ----------
        E. W. Dijkstra (1959), "A note on two problems in connexion with graphs"; R. B. Dial (1969), "Algorithm 360:
        shortest-path forest with topological ordering": the queue as a row of buckets.
        """
        nodes = np.atleast_1d(np.asarray(origins, np.int32))
        start = np.zeros(len(nodes)) if offset_s is None else np.atleast_1d(np.asarray(offset_s, float))
        self._check(nodes, limit_s, start)
        limit, begin = np.int32(round(limit_s * _DS)), np.rint(start * _DS).astype(np.int32)
        room = int(min(len(nodes) * self.graph.n_nodes, 4096 * len(nodes) + 16))
        if turns and not self.mode.turns.are_free:
            made = kernel.reach_turning(*self._arcs_turning, nodes, begin, limit, room)
        else:
            made = kernel.reach(*self._arcs, nodes, begin, limit, room)
        return Reach(
            limit_s=float(limit_s),
            n_nodes=self.graph.n_nodes,
            first=made[0],
            node=made[1][:, 0],
            time_ds=made[1][:, 1],
        )

    def _check(self, nodes: Ints, limit_s: float, start: Floats) -> None:
        if not 0 <= limit_s <= LONGEST_S:
            raise BadInput(f"limit_s={limit_s}", f"must be 0..{LONGEST_S:g} s", "give the longest time of interest")
        if len(nodes) and not (nodes.min() >= 0 and nodes.max() < self.graph.n_nodes):
            raise BadInput(
                f"origins with node {nodes.max()}", f"must be nodes 0..{self.graph.n_nodes - 1}", "use graph.nearest"
            )
        if len(start) != len(nodes) or not (start >= 0).all():
            raise BadInput("offset_s", "must be >= 0 s, one for each origin", "give when each origin starts")

    @cached_property
    def _rows(self) -> tuple[Ints, npt.NDArray[np.int64]]:
        """The edges in the order of their tail: where each node's begin, and which they are."""
        order = np.argsort(self.graph.tail, kind="stable")
        first = np.zeros(self.graph.n_nodes + 1, np.int32)
        np.cumsum(np.bincount(self.graph.tail, minlength=self.graph.n_nodes), out=first[1:])
        return first, order

    @cached_property
    def _arcs(self) -> tuple[Ints, npt.NDArray[np.int32]]:
        first, order = self._rows
        return first, np.column_stack([self.graph.head[order], self.time_ds[order]])

    @cached_property
    def _turns(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Every turn from an edge to the next: where those of an edge begin, from, to, and what it costs, s."""
        graph, (first, order) = self.graph, self._rows
        counts = np.diff(first)[graph.head]
        begin = np.zeros(graph.n_edges + 1, np.int32)
        np.cumsum(counts, out=begin[1:])
        origin = np.repeat(np.arange(graph.n_edges, dtype=np.int32), counts)
        within = np.arange(begin[-1]) - np.repeat(begin[:-1], counts)
        onto = order[first[graph.head[origin]] + within].astype(np.int32)
        angle = np.angle(np.exp(1j * (graph.bearing_in[onto] - graph.bearing_out[origin])))
        angle = np.where(onto == (origin ^ 1), np.pi, angle)
        degree = np.diff(first)[graph.head[origin]]
        cost = turn_costs_s(self.mode.turns, angle, degree > 2)
        cost = np.where(degree == 1, 0.0, cost)  # a dead end leaves no choice
        return begin, origin, onto, cost

    @cached_property
    def _arcs_turning(self) -> tuple[Ints, npt.NDArray[np.int32], Ints, npt.NDArray[np.int32], Ints]:
        begin, _, onto, cost = self._turns
        siren = self.mode.siren if self.conditions.siren else 1.0
        with np.errstate(invalid="ignore"):
            extra = np.where(np.isfinite(cost), np.rint(cost / siren * _DS), _BLOCKED).astype(np.int32)
        weight = np.minimum(self.time_ds[onto] + extra, _BLOCKED)
        first, order = self._rows
        leaving = np.column_stack([order.astype(np.int32), self.time_ds[order]])
        return begin, np.column_stack([onto, weight]), first, leaving, self.graph.head

    def reversed(self) -> Network:
        """Return the network run backwards: what its ``reach`` tells is how long it takes *to* each origin.

        One search from where help is needed then tells the time of every unit, however many there are.

        Examples
        --------
        >>> from shapely.geometry import LineString
        >>> from anlan.kernel.geo import Projection
        >>> from anlan.kernel.records import Street
        >>> from anlan.response.travel import VEHICLE
        >>> ends = [(121.480, 31.22), (121.484, 31.22)]
        >>> one = Street(
        ...     street_id="a", name={}, street_class="primary", line=LineString(ends), width_m=5, speed_kmh=40,
        ...     oneway=True,
        ... )
        >>> network = Network.of(StreetGraph.of([one], Projection(121.48, 31.22)), VEHICLE)
        >>> [len(network.reach([k], 300).node) for k in (0, 1)]  # one may only drive from the first to the second
        [2, 1]
        >>> [len(network.reversed().reach([k], 300).node) for k in (0, 1)]
        [1, 2]
        """
        graph, turns = self.graph, self.mode.turns
        back = replace(
            graph,
            tail=graph.head,
            head=graph.tail,
            bearing_in=graph.bearing_out + np.pi,
            bearing_out=graph.bearing_in + np.pi,
        )
        mode = replace(self.mode, turns=replace(turns, left_s=turns.right_s, right_s=turns.left_s))
        return replace(self, graph=back, mode=mode)

    def pieces(self, among: Ints | None = None) -> list[Piece]:
        """Return the parts of the graph within which one gets everywhere and back, largest first, each with a name.

        A node that no usable edge touches belongs to no piece. ``among`` keeps what holds at least one of these nodes.
        """
        graph, open_edges = self.graph, self.time_ds < _BLOCKED
        tail, head = graph.tail[open_edges], graph.head[open_edges]
        links = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(graph.n_nodes, graph.n_nodes))
        n, label = connected_components(links, directed=True, connection="strong")
        used = np.zeros(graph.n_nodes, np.bool_)
        used[tail] = used[head] = True
        size = np.bincount(label[used], minlength=n)
        inner = label[tail] == label[head]
        length = np.bincount(label[tail][inner], graph.length_m[open_edges][inner], minlength=n)
        kept = np.unique(label[used] if among is None else label[among][used[among]])
        order = kept[np.argsort(-size[kept], kind="stable")]
        made = []
        for one in order:
            nodes = np.flatnonzero((label == one) & used).astype(np.int32)
            made.append(
                Piece(n_nodes=len(nodes), length_m=float(length[one]), name=graph.name_of(int(nodes[0])), nodes=nodes)
            )
        return made

    def main_piece(self) -> Ints:
        """Return the nodes of the largest piece.

        Raises
        ------
        BadInput
            If the mode can use no street of the graph.
        """
        pieces = self.pieces()
        if not pieces:
            raise BadInput(
                f"mode {self.mode.key!r}", "must be able to use a street of the graph", "check its speeds and closures"
            )
        return pieces[0].nodes

    def isochrone(self, origins: Sequence[int], limit_s: float, width_m: float = 25.0) -> Area2D:
        """Return the ground (degrees) along the streets that are reached from any of the origins within the limit.

        An edge is taken as far as the time suffices; ``width_m`` is how far beside the street the ground reaches.
        """
        best = np.full(self.graph.n_nodes, np.inf)
        reach = self.reach(np.asarray(origins, np.int32), limit_s)
        np.minimum.at(best, reach.node, reach.time_ds)
        left = limit_s * _DS - best[self.graph.tail]
        edges = np.flatnonzero((left > 0) & (self.time_ds < _BLOCKED))
        share = np.minimum(left[edges] / self.time_ds[edges], 1.0)
        parts = []
        for edge, part in zip(edges, share, strict=True):
            line = self.graph.piece_line[edge // 2]
            begin, end = (0.0, part) if edge % 2 == 0 else (1.0 - part, 1.0)
            parts.append(shapely.ops.substring(line, begin, end, normalized=True))
        ground = shapely.union_all(shapely.buffer(np.array(parts, dtype=object), width_m, quad_segs=4))
        if not isinstance(ground, Polygon | MultiPolygon):
            ground = MultiPolygon()
        return self.graph.plane.unproject(shapely.simplify(ground, 2.0))


def _times_ds(graph: StreetGraph, mode: Mode, conditions: Conditions) -> Ints:
    speed = speeds_kmh(graph, mode, conditions)
    can = allowed(speed)
    time = np.full(graph.n_edges, _BLOCKED, np.int32)
    time[can] = np.clip(np.rint(_DS * 3.6 * graph.length_m[can] / speed[can]), 1, _BLOCKED)
    return time


class Router(Protocol):
    """The port of travel times: between points in degrees, whatever router answers.

    ``times_s(origins, targets, limit_s)`` takes (K, 2) and (M, 2) longitudes and latitudes and returns (K, M) seconds,
    infinite beyond the limit and where no way leads.
    """

    def times_s(self, origins: Floats, targets: Floats, limit_s: float) -> npt.NDArray[np.float32]:
        """Return the times of all pairs."""
        ...  # pragma: no cover - a port has no body


@dataclass(frozen=True, slots=True)
class StreetRouter:
    """The built-in router: from the nearest junction to the nearest junction, the last metres on foot.

    ``access_kmh`` is the pace between a point and its junction.
    """

    network: Network
    access_kmh: float = 7.2

    def times_s(self, origins: Floats, targets: Floats, limit_s: float) -> npt.NDArray[np.float32]:
        """Return the times (K, M) in seconds between points in degrees, infinite beyond the limit."""
        graph, main = self.network.graph, self.network.main_piece()
        ends = []
        for points in (origins, targets):
            node, far_m = graph.nearest(*graph.plane.to_metres(points[:, 0], points[:, 1]), main)
            ends.append((node, far_m * 3.6 / self.access_kmh))
        (begin, start_s), (end, last_s) = ends
        made = self.network.reach(begin, limit_s, start_s).matrix_s(end) + last_s.astype(np.float32)
        return np.where(made <= limit_s, made, np.float32(np.inf))
