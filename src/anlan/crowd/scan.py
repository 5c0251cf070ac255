r"""Sums over polygons on a grid of squares, exact along every edge: each edge is walked square by square.

For numbers spread evenly over their square, with :math:`G(x, y)` the sum from the west end of a row up to :math:`x`,

.. math:: \iint_A f \, dx \, dy = \oint_{\partial A} G \, dy

where the outline runs with the inside on its left (Green's theorem). :math:`G` is linear inside a square, so a piece of
an edge there counts by its middle, and nothing is rounded. The cost is that of the outline, not of the ground inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of many polygons in squares of a grid: x0, y0, x1, y1, inside on the left; ``begin`` (m + 1,)."""

    begin: Indices
    edge: Floats

    @classmethod
    def of(cls, polygons: Sequence[BaseGeometry], west: float, south: float, size: float) -> Edges:
        """Return the edges of valid polygons and multipolygons (metres), whichever way their rings run."""
        parts, of_part = shapely.get_parts(np.asarray(polygons, object), return_index=True)
        rings, of_ring = shapely.get_rings(parts, return_index=True)
        points = shapely.get_coordinates(rings)
        until = np.cumsum(shapely.get_num_coordinates(rings))
        hole = np.zeros(len(rings), bool)
        hole[1:] = of_ring[1:] == of_ring[:-1]
        edge = _edges(points, until, hole, west, south, size)
        last = np.searchsorted(of_part[of_ring], np.arange(len(polygons) + 1))  # a ring has an edge less than points
        begin = np.concatenate([[0], until])[last] - last
        return cls(begin.astype(np.int64), edge)


def prefix(sheet: Floats) -> Floats:
    """Return the sums of each row from the west up to each square, shape (n_rows, n_columns + 1, q)."""
    out = np.zeros((sheet.shape[0], sheet.shape[1] + 1, sheet.shape[2]))
    np.cumsum(sheet, axis=1, out=out[:, 1:])
    return out


def sums(edges: Edges, prefixes: Floats) -> Floats:
    """Return for each polygon the sum of each quantity of :func:`prefix`, by the part of each square inside, (m, q).

    Examples
    --------
    >>> square = shapely.box(5, 5, 25, 15)
    >>> edges = Edges.of([square], 0.0, 0.0, 10.0)
    >>> sums(edges, prefix(np.ones((3, 3, 1)))).tolist()
    [[2.0]]
    """
    return np.asarray(_sums(edges.begin, edges.edge, prefixes))


def shares(polygon: BaseGeometry, west: float, south: float, size: float) -> tuple[int, int, Floats]:
    """Return the part of each square that lies in a polygon.

    Parameters
    ----------
    polygon : Polygon or MultiPolygon
        In metres, valid; holes are left out.
    west, south : float
        South-western corner of square (0, 0), metres.
    size : float
        Side of a square, metres.

    Returns
    -------
    row, column : int
        Place of the array's first square in the grid (rows from the south); may be negative.
    share : float64, shape (n_rows, n_columns)
        0..1 over the polygon's bounding squares.
    """
    return shares_of(Edges.of([polygon], west, south, size).edge)


def shares_of(edge: Floats) -> tuple[int, int, Floats]:
    """Return the same for the edges of one polygon, in squares of the grid, shape (n, 4)."""
    if not len(edge):
        return 0, 0, np.zeros((0, 0))
    column, row = (int(np.floor(edge[:, k::2].min())) for k in (0, 1))
    n_columns, n_rows = (int(np.floor(edge[:, k::2].max())) + 1 - first for k, first in ((0, column), (1, row)))
    return row, column, np.asarray(_shares(edge - (column, row, column, row), n_rows, n_columns))


def gathered(edges: Edges, part: Floats, number: Indices) -> tuple[Indices, Indices, Floats]:
    """Return which larger squares each polygon touches, and how much of what is in each lies inside.

    Parameters
    ----------
    edges : Edges
        In squares of the grid.
    part : float64, shape (n_rows, n_columns)
        How much of what is in its larger square each square holds.
    number : int64, shape (n_rows / k, n_columns / k)
        Number of the larger squares, of k by k each; -1 for those that do not matter.

    Returns
    -------
    begin : int64, shape (m + 1,)
        Where each polygon's squares begin.
    numbers : int64, shape (q,)
    shares : float64, shape (q,)
        Above 0, at most 1.
    """
    begin, found, share = _gathered(edges.begin, edges.edge, part, number)
    return np.asarray(begin), np.asarray(found), np.asarray(share)


@numba.njit(cache=True)
def _edges(points, until, hole, west, south, size):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    out = np.empty((len(points) - len(until), 4))
    n = first = 0
    for k in range(len(until)):
        twice, x, y = 0.0, points[first, 0], points[first, 1]  # about a corner, so that a small area keeps its digits
        for i in range(first, until[k] - 1):
            twice += (points[i, 0] - x) * (points[i + 1, 1] - y) - (points[i + 1, 0] - x) * (points[i, 1] - y)
        turned = (twice > 0) == hole[k]
        for i in range(first, until[k] - 1):
            j, h = (i + 1, i) if turned else (i, i + 1)
            out[n, 0], out[n, 1] = (points[j, 0] - west) / size, (points[j, 1] - south) / size
            out[n, 2], out[n, 3] = (points[h, 0] - west) / size, (points[h, 1] - south) / size
            n += 1
        first = until[k]
    return out


@numba.njit(cache=True, inline="always")
def _in_row(x0, y0, x1, y1, row):  # type: ignore[no-untyped-def]  # the same
    """Return of the part of an edge in a row: its west and east end, and its height, upwards positive."""
    slope = (x1 - x0) / (y1 - y0)
    low, high = max(min(y0, y1), float(row)), min(max(y0, y1), row + 1.0)
    xa, xb = x0 + (low - y0) * slope, x0 + (high - y0) * slope
    return min(xa, xb), max(xa, xb), (high - low if y1 > y0 else low - high)


@numba.njit(cache=True)
def _rows_of(y0, y1, n_rows):  # type: ignore[no-untyped-def]  # the same
    if y0 == y1:
        return 0, 0
    return max(int(np.floor(min(y0, y1))), 0), min(int(np.ceil(max(y0, y1))), n_rows)


@numba.njit(cache=True)
def _along(until, left, right, tall, out):  # type: ignore[no-untyped-def]  # the same
    """Add the integral of ``until`` over a piece of edge within a row; west of the grid there is nothing."""
    n_columns = len(until) - 1
    wide = right - left
    for c in range(max(int(np.floor(left)), 0), min(int(np.floor(right)), n_columns - 1) + 1):
        here, there = max(left, float(c)), min(right, c + 1.0)
        part = tall * (there - here) / wide if wide > 0 else tall
        middle = (here + there) / 2 - c
        for q in range(len(out)):
            out[q] += part * (until[c, q] + middle * (until[c + 1, q] - until[c, q]))
    if right >= n_columns:
        part = tall * (right - max(left, float(n_columns))) / wide if wide > 0 else tall
        for q in range(len(out)):
            out[q] += part * until[n_columns, q]


@numba.njit(cache=True)
def _sums(begin, edge, prefixes):  # type: ignore[no-untyped-def]  # the same
    out = np.zeros((len(begin) - 1, prefixes.shape[2]))
    for m in range(len(begin) - 1):
        mine = out[m]
        for e in range(begin[m], begin[m + 1]):
            x0, y0, x1, y1 = edge[e, 0], edge[e, 1], edge[e, 2], edge[e, 3]
            first, last = _rows_of(y0, y1, prefixes.shape[0])
            for row in range(first, last):
                left, right, tall = _in_row(x0, y0, x1, y1, row)
                _along(prefixes[row], left, right, tall, mine)
    return out


@numba.njit(cache=True)
def _shares(edge, n_rows, n_columns):  # type: ignore[no-untyped-def]  # the same
    own, west_of = np.zeros((n_rows, n_columns)), np.zeros((n_rows, n_columns))
    for e in range(len(edge)):
        x0, y0, x1, y1 = edge[e]
        first, last = _rows_of(y0, y1, n_rows)
        for row in range(first, last):
            left, right, tall = _in_row(x0, y0, x1, y1, row)
            wide = right - left
            for c in range(int(left), min(int(right), n_columns - 1) + 1):
                here, there = max(left, float(c)), min(right, c + 1.0)
                part = tall * (there - here) / wide if wide > 0 else tall
                own[row, c] += part * ((here + there) / 2 - c)
                west_of[row, c] += part
    for row in range(n_rows):
        whole = 0.0
        for c in range(n_columns - 1, -1, -1):
            share = own[row, c] + whole
            whole += west_of[row, c]
            own[row, c] = min(share, 1.0) if share > 1e-9 else 0.0  # less is what the last digits do not cancel
    return own


@numba.njit(cache=True)
def _bounds(edge, size):  # type: ignore[no-untyped-def]  # the same
    """Return the squares of so many squares' side that edges lie in: first and end of rows and of columns."""
    x0, x1, y0, y1 = np.inf, -np.inf, np.inf, -np.inf
    for e in range(len(edge)):
        x0, x1 = min(x0, edge[e, 0], edge[e, 2]), max(x1, edge[e, 0], edge[e, 2])
        y0, y1 = min(y0, edge[e, 1], edge[e, 3]), max(y1, edge[e, 1], edge[e, 3])
    return int(y0 // size), int(y1 // size) + 1, int(x0 // size), int(x1 // size) + 1


@numba.njit(cache=True)
def _gathered(begin, edge, part, number):  # type: ignore[no-untyped-def]  # the same
    size = part.shape[0] // number.shape[0]
    begins = np.zeros(len(begin), np.int64)
    found, shares, n = np.empty(1024, np.int64), np.empty(1024), 0
    for m in range(len(begin) - 1):
        begins[m + 1] = n
        mine = edge[begin[m] : begin[m + 1]]
        if not len(mine):
            continue
        first, last, west, east = _bounds(mine, size)
        corner = np.array([west, first, west, first]) * size
        inside = _shares(mine - corner, (last - first) * size, (east - west) * size)
        for r in range(max(first, 0), min(last, number.shape[0])):
            for c in range(max(west, 0), min(east, number.shape[1])):
                if number[r, c] < 0:
                    continue
                share = 0.0
                for i in range(size):
                    for j in range(size):
                        held = part[r * size + i, c * size + j]
                        share += held * inside[(r - first) * size + i, (c - west) * size + j]
                if share > 0:
                    if n == len(found):
                        found = np.concatenate((found, np.empty(n, np.int64)))
                        shares = np.concatenate((shares, np.empty(n)))
                    found[n], shares[n] = number[r, c], min(share, 1.0)
                    n += 1
        begins[m + 1] = n
    return begins, found[:n].copy(), shares[:n].copy()
