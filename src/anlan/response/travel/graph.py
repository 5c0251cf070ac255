"""The streets of a district as a graph: junctions, and both directions of every street between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops
from scipy.spatial import KDTree
from shapely.geometry import LineString

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D, Floats, Projection
from anlan.kernel.records import Label, Street

Ints = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
S = TypeVar("S", bound=np.generic)

_PLACES = 7
"""Decimals of a degree at which two ends are one junction (about 1 cm)."""
_LEAST_M = 0.5
"""A shorter street is taken for this long, so that no time is zero."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StreetGraph:
    """Nodes and directed edges, in the local plane. Edge ``2k`` runs along a piece of street, ``2k + 1`` back.

    Parameters
    ----------
    x_m, y_m : array of shape (N,)
        The nodes, metres.
    tail, head : array of shape (E,)
        The edges' nodes; both directions of every street are there, whether one may drive them or not.
    length_m : array of shape (E,)
    street : array of shape (E,)
        Index into ``streets``.
    against : array of shape (E,)
        True where the edge runs against a one-way street.
    bearing_in, bearing_out : array of shape (E,)
        Direction at the tail and at the head of each edge, radians from east, for the cost of turns.
    """

    streets: tuple[Street, ...]
    plane: Projection
    x_m: Floats
    y_m: Floats
    tail: Ints
    head: Ints
    length_m: Floats
    street: Ints
    against: Mask
    bearing_in: Floats
    bearing_out: Floats
    piece_line: npt.NDArray[np.object_]
    """The line (metres) of each even edge."""

    @property
    def n_nodes(self) -> int:
        """How many junctions and pieces' ends there are."""
        return len(self.x_m)

    @property
    def n_edges(self) -> int:
        """How many directed edges there are."""
        return len(self.tail)

    @classmethod
    def of(cls, streets: Sequence[Street], plane: Projection, *, piece_m: float | None = None) -> StreetGraph:
        """Return the graph of streets that are cut where they meet.

        Parameters
        ----------
        streets : sequence of Street
            Their lines in degrees. Two ends at one coordinate (to 1e-7 degrees) are one node.
        plane : Projection
            The local plane of the district.
        piece_m : float, optional
            Cut longer streets into equal pieces of at most this length, metres, so that a kerb or a door in mid-street
            has a node near it.

        Raises
        ------
        BadInput
            If there is no street, or ``piece_m`` is under 5 m.

        Examples
        --------
        >>> from anlan.kernel.records import Street
        >>> line = LineString([(121.480, 31.22), (121.484, 31.22)])
        >>> one = Street(street_id="a", name={}, street_class="residential", line=line, width_m=5, speed_kmh=30)
        >>> graph = StreetGraph.of([one], Projection(121.48, 31.22), piece_m=100)
        >>> graph.n_nodes, graph.n_edges, round(float(graph.length_m.sum()))
        (5, 8, 762)
        """
        if not streets:
            raise BadInput("streets=[]", "must hold at least one street", "give the streets of a district pack")
        if piece_m is not None and not piece_m >= 5:
            raise BadInput(f"piece_m={piece_m}", "must be >= 5 m", "give the length of a piece of street in metres")
        number: dict[tuple[float, float], int] = {}
        places: list[tuple[float, float]] = []
        lines, tails, heads, owner = [], [], [], []
        for k, street in enumerate(streets):
            line = plane.project(street.line)
            parts = _cut(line, piece_m)
            ends = [_key(street.line.coords[0]), *[(k + 0.5, float(n)) for n in range(1, len(parts))]]
            ends.append(_key(street.line.coords[-1]))
            for part, (begin, end) in zip(parts, pairwise(ends), strict=True):
                for name, at in ((begin, part.coords[0]), (end, part.coords[-1])):
                    if name not in number:
                        number[name] = len(number)
                        places.append((at[0], at[1]))
                lines.append(part)
                tails.append(number[begin])
                heads.append(number[end])
                owner.append(k)
        return cls._joined(tuple(streets), plane, np.array(places), lines, np.array([tails, heads, owner]))

    @classmethod
    def _joined(
        cls,
        streets: tuple[Street, ...],
        plane: Projection,
        places: Floats,
        lines: list[LineString],
        ends: npt.NDArray[np.int64],
    ) -> StreetGraph:
        order = _along_curve(places)
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order))
        tail, head, owner = rank[ends[0]], rank[ends[1]], ends[2].astype(np.int32)
        pieces = np.array(lines, dtype=object)
        length = np.maximum(shapely.length(pieces), _LEAST_M)
        leaving, arriving = _bearings(lines)
        oneway = np.array([street.oneway for street in streets])[owner]
        return cls(
            streets=streets,
            plane=plane,
            x_m=places[order, 0],
            y_m=places[order, 1],
            tail=_both(tail, head),
            head=_both(head, tail),
            length_m=_both(length, length),
            street=_both(owner, owner),
            against=_both(np.zeros_like(oneway), oneway),
            bearing_in=_both(leaving, arriving + np.pi),
            bearing_out=_both(arriving, leaving + np.pi),
            piece_line=pieces,
        )

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(np.column_stack([self.x_m, self.y_m]))

    def nearest(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike, among: Ints | None = None) -> tuple[Ints, Floats]:
        """Return for each point the nearest node (of those ``among``, where given) and how far it is, metres."""
        points = np.column_stack([np.atleast_1d(np.asarray(x_m, float)), np.atleast_1d(np.asarray(y_m, float))])
        tree = self._tree if among is None else KDTree(np.column_stack([self.x_m[among], self.y_m[among]]))
        far_m, found = tree.query(points)
        nodes = found if among is None else among[found]
        return np.asarray(nodes, np.int32), np.asarray(far_m, float)

    def inside(self, area: Area2D) -> Ints:
        """Return the nodes that lie in an area (degrees)."""
        polygon = self.plane.project(area)
        shapely.prepare(polygon)
        return np.flatnonzero(shapely.intersects_xy(polygon, self.x_m, self.y_m)).astype(np.int32)

    def crossing(self, area: Area2D) -> Ints:
        """Return the edges whose street touches an area (degrees)."""
        polygon = self.plane.project(area)
        shapely.prepare(polygon)
        hit = np.flatnonzero(shapely.intersects(polygon, self.piece_line))
        return np.sort(np.concatenate([2 * hit, 2 * hit + 1])).astype(np.int32)

    def edges_of(self, street_ids: Sequence[str]) -> Ints:
        """Return the edges, both directions, of the streets named.

        Raises
        ------
        BadInput
            If the graph has no street of one of these ids.
        """
        number = {street.street_id: k for k, street in enumerate(self.streets)}
        wrong = [one for one in street_ids if one not in number]
        if wrong:
            raise BadInput(f"street_id={wrong[0]!r}", "must be a street of the graph", "list the streets of the pack")
        return np.flatnonzero(np.isin(self.street, [number[one] for one in street_ids])).astype(np.int32)

    def junctions(self) -> Ints:
        """Return the nodes where streets meet or end: those that are not in the middle of one."""
        degree = np.bincount(self.tail, minlength=self.n_nodes)
        return np.flatnonzero(degree != 2).astype(np.int32)

    def lon_lat(self, nodes: npt.ArrayLike) -> Floats:
        """Return the degrees (n, 2) of nodes."""
        at = np.asarray(nodes, np.int64)
        return np.column_stack(self.plane.to_degrees(self.x_m[at], self.y_m[at]))

    def name_of(self, node: int) -> Label:
        """Return what a person calls a node: the names of up to two streets that meet there, by language.

        A node of nameless streets is called by its degrees.
        """
        edges = np.flatnonzero(self.tail == node)
        named: dict[str, list[str]] = {}
        for edge in edges:
            for language, text in self.streets[self.street[edge]].name.items():
                if text and text not in named.setdefault(language, []):
                    named[language].append(text)
        if named:
            return {language: " / ".join(texts[:2]) for language, texts in named.items()}
        lon, lat = self.lon_lat([node])[0]
        return {"en": f"{lon:.5f}, {lat:.5f}"}


def _key(at: Sequence[float]) -> tuple[float, float]:
    return round(at[0], _PLACES), round(at[1], _PLACES)


def _both(forth: npt.NDArray[S], back: npt.NDArray[S]) -> npt.NDArray[S]:
    """Return an array whose even entries are of the edges along, the odd ones of the edges back."""
    made = np.empty(2 * len(forth), forth.dtype)
    made[0::2], made[1::2] = forth, back
    return made


def _cut(line: LineString, piece_m: float | None) -> list[LineString]:
    n = 1 if piece_m is None else int(np.ceil(line.length / piece_m))
    if n < 2:
        return [line]
    cuts = np.linspace(0, line.length, n + 1)
    return [shapely.ops.substring(line, begin, end) for begin, end in pairwise(cuts)]


def _bearings(lines: Sequence[LineString]) -> tuple[Floats, Floats]:
    first = np.array([[*line.coords[0][:2], *line.coords[1][:2]] for line in lines])
    last = np.array([[*line.coords[-2][:2], *line.coords[-1][:2]] for line in lines])
    return (
        np.arctan2(first[:, 3] - first[:, 1], first[:, 2] - first[:, 0]),
        np.arctan2(last[:, 3] - last[:, 1], last[:, 2] - last[:, 0]),
    )


def _along_curve(places: Floats) -> npt.NDArray[np.int64]:
    """Return the order of points along Morton's curve, so that what is near on the ground is near in memory."""
    span = np.ptp(places, axis=0).max() or 1.0
    cell = np.clip((places - places.min(axis=0)) / span * 65535, 0, 65535).astype(np.uint64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        cell = (cell | (cell << np.uint64(shift))) & np.uint64(mask)
    return np.argsort(cell[:, 0] | (cell[:, 1] << np.uint64(1)), kind="stable")
