r"""Sums over polygons on a grid of squares, exact along every edge: each edge is walked square by square.

For numbers spread evenly over their square, with :math:`G(x, y)` the sum from the west end of a row up to :math:`x`,

.. math:: \iint_A f \, dx \, dy = \oint_{\partial A} G \, dy

where the outline runs with the inside on its left (Green's theorem). :math:`G` is linear inside a square, so a piece of
an edge there counts by its middle, and nothing is rounded. The cost is that of the outline, not of the ground inside.

References
----------
J. Amanatides, A. Woo, *A Fast Voxel Traversal Algorithm for Ray Tracing*, Eurographics 1987: which line of the grid a
segment meets next. Ours has no branch in a step, for which one it will be cannot be guessed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
POLYGON, MULTIPOLYGON = 3, 6
PARTS = 2
"""A square is cut into so many by so many parts when its people are counted: they stand where one can walk. A street
of twelve metres fills a strip of a square, and a polygon's edge that cuts the square beside it would else count its
people by the metre of ground."""
NOTHING = 1e-9
"""Part of a square below which nothing of it lies inside: it is what the last digits do not cancel."""
_walked: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
"""How what walks is compiled: a division asks not whether it is by zero, and no zero has a sign."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """The rings of many polygons, one after the other, in squares of a grid.

    ``points`` (k, 2) run closed with the inside on the left; ``until`` (n_rings,) is where each ring ends among them,
    ``last`` (m,) where each polygon ends among the rings.
    """

    points: Floats
    until: Indices
    last: Indices

    @classmethod
    def of(cls, polygons: Sequence[BaseGeometry], west: float, south: float, size: float) -> Outlines:
        """Return those of valid polygons and multipolygons (metres), whichever way their rings run."""
        shapes = np.fromiter(polygons, object, len(polygons))
        kind = shapely.get_type_id(shapes)
        for k in np.flatnonzero((kind != POLYGON) & (kind != MULTIPOLYGON)):  # what an intersection leaves, at times
            parts, kind[k] = shapely.get_parts(shapes[k]), MULTIPOLYGON
            shapes[k] = shapely.MultiPolygon(parts[shapely.get_type_id(parts) == POLYGON].tolist())
        points, n_points = shapely.get_coordinates(shapes), shapely.get_num_coordinates(shapes)
        n_rings, several = 1 + shapely.get_num_interior_rings(shapes), kind == MULTIPOLYGON
        n_rings[several] = shapely.get_num_geometries(shapes[several])
        rings, odd = _closed(points, n_points, n_rings, several)
        if odd.any():
            rings = np.concatenate([rings, _taken_apart(shapes, np.flatnonzero(odd))])
            rings = rings[np.argsort(rings[:, 0], kind="stable")]
        until, last = np.cumsum(rings[:, 1]), np.searchsorted(rings[:, 0], np.arange(len(shapes)), "right")
        return cls(_laid(points, until, rings[:, 2] > 0, (west, south, size)), until, last)


def _taken_apart(shapes: npt.NDArray[np.object_], which: Indices) -> Indices:
    """Return the rings of some polygons as :func:`_closed` does, by what they are made of, ten times as dear."""
    parts, of_part = shapely.get_parts(shapes[which], return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    hole = np.diff(of_ring, prepend=-1) == 0
    return np.column_stack([which[of_part[of_ring]], shapely.get_num_coordinates(rings), hole])


def prefix(sheet: Floats) -> Floats:
    """Return the sums of each row from the west up to each square, of two quantities.

    With a row and a column more than it takes, so that an outline along the edge of the grid needs no question.

    Parameters
    ----------
    sheet : float64, shape (n_rows, n_columns, 2)

    Returns
    -------
    float64, shape (n_rows + 1, n_columns + 2, 2)
        :func:`sums` takes them as float32 as well, which is faster and right to a hundred-thousandth or so.
    """
    out = np.zeros((sheet.shape[0] + 1, sheet.shape[1] + 2, 2))
    np.cumsum(sheet, axis=1, out=out[:-1, 1:-1])
    out[:, -1] = out[:, -2]
    return out


def sums(outlines: Outlines, prefixes: Floats | npt.NDArray[np.float32]) -> Floats:
    """Return for each polygon the sum of both quantities of :func:`prefix`, by the part of each square inside, (m, 2).

    Examples
    --------
    >>> square = shapely.box(5, 5, 25, 15)
    >>> outlines = Outlines.of([square], 0.0, 0.0, 10.0)
    >>> sums(outlines, prefix(np.full((3, 3, 2), [1.0, 4.0]))).round(9).tolist()
    [[2.0, 8.0]]
    """
    return np.asarray(_sums(outlines.points, outlines.until, outlines.last, prefixes))


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
    outlines = Outlines.of([polygon], west, south, size)
    if not len(outlines.points):
        return 0, 0, np.zeros((0, 0))
    row, n_rows, column, n_columns = _bounds(outlines.points, 1)
    share = _shares(outlines.points, outlines.until, (column, row), n_rows - row, n_columns - column)
    return row, column, np.asarray(share)


def gathered(outlines: Outlines, part: Floats, number: Indices) -> tuple[Indices, npt.NDArray[np.int32], Floats]:
    """Return which larger squares each polygon touches, and how much of what is in each lies inside.

    Parameters
    ----------
    outlines : Outlines
        In squares of the grid.
    part : float64, shape (n_rows, n_columns)
        How much of what is in its larger square each square holds; adds up to one in each.
    number : int64, shape (n_rows / PARTS, n_columns / PARTS)
        Number of the larger squares, of PARTS by PARTS each; -1 for those that do not matter.

    Returns
    -------
    begin : int64, shape (m + 1,)
        Where each polygon's squares begin.
    numbers : int32, shape (q,)
    shares : float64, shape (q,)
        Above 0, at most 1.
    """
    begin, found, share = _gathered(outlines.points, outlines.until, outlines.last, part, number)
    return np.asarray(begin), np.asarray(found), np.asarray(share)


@numba.njit(cache=True)
def _closed(points, n_points, n_rings, several):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return polygon, number of points and whether it is a hole of each ring, and which polygons are not so clear.

    A ring of a valid polygon comes to its first point again at its end and not before, save for points that stand
    there twice. A polygon's first ring is its outside; where a multipolygon has a hole, its rings do not tell.
    """
    rings, n = np.empty((n_rings.sum(), 3), np.int64), 0
    odd, begin = np.zeros(len(n_points), np.bool_), 0
    for m in range(len(n_points)):
        end, found, first = begin + n_points[m], 0, begin
        while first < end and found < n_rings[m]:
            x, y, i = points[first, 0], points[first, 1], first
            before, more = x, True
            while more and i + 1 < end:
                i += 1
                here = points[i, 0]
                if here in (x, before):  # hardly ever
                    if points[i, 1] == points[i - 1, 1] and here == before:
                        i = end
                    more = i < end and not (here == x and points[i, 1] == y)
                before = here
            rings[n + found, 0], rings[n + found, 1], rings[n + found, 2] = m, i + 1 - first, 0 if several[m] else found
            found, first = found + 1, end + 1 if more else i + 1
            if first < end and points[first, 0] == x and points[first, 1] == y:
                break  # does the ring end twice, or another begin here?
        odd[m] = end > begin and (found != n_rings[m] or first != end)
        n, begin = n if odd[m] else n + found * (end > begin), end
    return rings[:n], odd


@numba.njit(**_walked)
def _laid(points, until, hole, grid):  # type: ignore[no-untyped-def]  # the same
    """Return points in squares of the grid, rings turned so that the inside is on the left."""
    west, south, size = grid
    out, per = np.empty_like(points), 1.0 / size
    first = 0
    for k in range(len(until)):
        end, twice = until[k], 0.0
        for i in range(first, end - 1):  # about a corner, so that a small area keeps its digits
            x, y = points[i, 0] - points[first, 0], points[i, 1] - points[first, 1]
            twice += x * (points[i + 1, 1] - points[first, 1]) - (points[i + 1, 0] - points[first, 0]) * y
        turned = (twice > 0) == hole[k]
        for i in range(first, end):
            j = first + end - 1 - i if turned else i
            out[i, 0], out[i, 1] = (points[j, 0] - west) * per, (points[j, 1] - south) * per
        first = end
    return out


ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)


@numba.njit(inline="always", **_walked)
def _along(flat, stride, x0, y0, x1, y1):  # type: ignore[no-untyped-def]  # the same
    """Return the integrals of both quantities along an edge that keeps within the grid.

    ``flat`` are the prefix sums, ``stride`` numbers a row. The edge runs over t from 0 to 1; it meets the next line
    between columns at ``tx``, between rows at ``ty``, and those after at twice ``half_x`` and ``half_y`` further;
    what is not met again stands at 2, behind its end.
    """
    dx, dy = x1 - x0, y1 - y0
    if dy == 0:
        return 0.0, 0.0
    column, row = np.floor(x0), np.floor(y0)
    n_columns, n_rows = abs(np.floor(x1) - column), abs(np.floor(y1) - row)
    per_x, per_y = 1.0 / dx, 1.0 / dy
    tx = (column + (dx > 0) - x0) * per_x if n_columns > 0 else 2.0
    ty = (row + (dy > 0) - y0) * per_y if n_rows > 0 else 2.0
    half_x, half_y = min(0.5 * abs(per_x), 1.0), min(0.5 * abs(per_y), 1.0)
    aside, half = (2, 0.5) if dx > 0 else (-2, -0.5)
    up = stride if dy > 0 else -stride
    either, less = (up + aside) // 2, (aside - up) // 2
    at, x, t = int(row) * stride + 2 * int(column), x0 - column, 0.0
    first = second = 0.0
    for _ in range(int(n_columns + n_rows)):
        side = math.copysign(1.0, ty - tx)  # 1 where a column is next, -1 where a row is
        then, k = min(tx, ty), np.uint64(at)  # without a sign, no index is looked at twice
        part, middle = then - t, x + 0.5 * dx * (t + then)
        first += part * (flat[k] + middle * (flat[k + TWO] - flat[k]))
        second += part * (flat[k + ONE] + middle * (flat[k + THREE] - flat[k + ONE]))
        at += either + int(side) * less
        x, t = (x - half) - side * half, then
        tx, ty = (tx + half_x) + side * half_x, (ty + half_y) - side * half_y
    part, middle, k = 1.0 - t, x + 0.5 * dx * (t + 1.0), np.uint64(at)
    first += part * (flat[k] + middle * (flat[k + TWO] - flat[k]))
    second += part * (flat[k + ONE] + middle * (flat[k + THREE] - flat[k + ONE]))
    return dy * first, dy * second


@numba.njit(**_walked)
def _beyond(flat, within, x0, y0, x1, y1):  # type: ignore[no-untyped-def]  # the same
    """Return the same for an edge that leaves the grid: north and south of it is nothing, nor is there more aside."""
    n_rows, n_columns, stride = within
    if max(y0, y1) <= 0 or min(y0, y1) >= n_rows or y0 == y1:
        return 0.0, 0.0
    slope = (x1 - x0) / (y1 - y0)
    ya, yb = min(max(y0, 0.0), n_rows), min(max(y1, 0.0), n_rows)
    xa, dx = x0 + (ya - y0) * slope, (yb - ya) * slope
    west = east = 0.0
    if dx != 0:
        west, east = min(max(-xa / dx, 0.0), 1.0), min(max((n_columns - xa) / dx, 0.0), 1.0)
    first = second = 0.0
    x, y = min(max(xa, 0.0), n_columns), ya
    for t in (min(west, east), max(west, east), 1.0):
        there, upon = min(max(xa + t * dx, 0.0), n_columns), min(max(ya + t * (yb - ya), 0.0), n_rows)
        one, other = _along(flat, stride, x, y, there, upon)
        first, second = first + one, second + other
        x, y = there, upon
    return first, second


@numba.njit(**_walked)
def _sums(points, until, last, prefixes):  # type: ignore[no-untyped-def]  # the same
    out = np.zeros((len(last), 2))
    flat, stride = prefixes.reshape(-1), 2 * prefixes.shape[1]
    n_rows, n_columns = float(prefixes.shape[0] - 1), float(prefixes.shape[1] - 2)
    within = n_rows, n_columns, stride
    ring = begin = 0
    for m in range(len(last)):
        first = second = 0.0
        for k in range(ring, last[m]):
            for i in range(begin, until[k] - 1):
                x0, y0, x1, y1 = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
                if min(x0, x1) < 0 or max(x0, x1) > n_columns or min(y0, y1) < 0 or max(y0, y1) > n_rows:
                    one, other = _beyond(flat, within, x0, y0, x1, y1)
                else:
                    one, other = _along(flat, stride, x0, y0, x1, y1)
                first, second = first + one, second + other
            begin = until[k]
        ring = last[m]
        out[m, 0], out[m, 1] = first, second
    return out


@numba.njit(inline="always", **_walked)
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


@numba.njit(**_walked)
def _edges_within(points, until, corner, left, met):  # type: ignore[no-untyped-def]  # the same
    """Add the edges to squares from a corner on: ``left`` how much lies in each west of an edge, how tall the edge is.

    ``met`` is set for the larger squares that any edge runs through.
    """
    begin, (west, south), (n_rows, n_columns) = 0, corner, left.shape[:2]
    for k in range(len(until)):
        for i in range(begin, until[k] - 1):
            x0, y0 = points[i, 0] - west, points[i, 1] - south
            x1, y1 = points[i + 1, 0] - west, points[i + 1, 1] - south
            first, last = _rows_of(y0, y1, n_rows)
            for row in range(first, last):
                near, far, tall = _in_row(x0, y0, x1, y1, row)
                wide = far - near
                per = tall / wide if wide > 0 else 0.0
                for c in range(int(near), min(int(far), n_columns - 1) + 1):
                    here, there = max(near, float(c)), min(far, c + 1.0)
                    part = per * (there - here) if wide > 0 else tall
                    left[row, c, 0] += part * ((here + there) / 2 - c)
                    left[row, c, 1] += part
                    met[row // PARTS, c // PARTS] = True
        begin = until[k]


@numba.njit(cache=True, inline="always")
def _share(inside):  # type: ignore[no-untyped-def]  # the same
    return min(inside, 1.0) if inside > NOTHING else 0.0


@numba.njit(cache=True)
def _shares(points, until, corner, n_rows, n_columns):  # type: ignore[no-untyped-def]  # the same
    left, out = np.zeros((n_rows, n_columns, 2)), np.empty((n_rows, n_columns))
    _edges_within(points, until, corner, left, np.empty((n_rows // PARTS + 1, n_columns // PARTS + 1), np.bool_))
    for row in range(n_rows):
        whole = 0.0
        for c in range(n_columns):
            whole -= left[row, c, 1]
            out[row, c] = _share(left[row, c, 0] + whole)
    return out


@numba.njit(cache=True)
def _bounds(points, size):  # type: ignore[no-untyped-def]  # the same
    """Return the squares of so many squares' side that points lie in: first and end of rows and of columns."""
    x0, x1, y0, y1 = np.inf, -np.inf, np.inf, -np.inf
    for i in range(len(points)):
        x0, x1 = min(x0, points[i, 0]), max(x1, points[i, 0])
        y0, y1 = min(y0, points[i, 1]), max(y1, points[i, 1])
    return int(y0 // size), int(y1 // size) + 1, int(x0 // size), int(x1 // size) + 1


@numba.njit(cache=True)
def _boxes(points, until, last, n_rows):  # type: ignore[no-untyped-def]  # the same
    """Return the larger squares around each polygon: first and end of rows, of the grid's only, and of columns."""
    boxes, begin = np.zeros((len(last), 4), np.int64), 0
    for m in range(len(last)):
        end = until[last[m] - 1] if last[m] > 0 else 0
        if end > begin:
            first, top, west, east = _bounds(points[begin:end], PARTS)
            first = min(max(first, 0), n_rows)
            boxes[m] = first, max(min(top, n_rows), first), west, east
        begin = end
    return boxes


@numba.njit(**_walked)
def _inside(edges, held, west, found, shares):  # type: ignore[no-untyped-def]  # the same
    """Write the larger squares that a polygon touches, and their shares; return how many. The edges are cleared.

    Where no edge is met, a square is as the one west of it ends: outside, inside, or what a level edge leaves of it.
    """
    (left, met), (part, number) = edges, held
    whole, n = np.zeros(PARTS), 0
    for row in range(len(met)):
        whole[:], level = 0.0, 0.0
        for k in range(met.shape[1]):
            at = west + k
            on, share = 0 <= at < number.shape[1] and number[row, at] >= 0, level
            if met[row, k] or np.isnan(level):
                share, least, most, met[row, k] = 0.0, 1.0, 0.0, False
                for i in range(PARTS):
                    for j in range(PARTS):
                        r, c = PARTS * row + i, PARTS * k + j
                        whole[i] -= left[r, c, 1]
                        if on:
                            share += _share(left[r, c, 0] + whole[i]) * part[r, PARTS * at + j]
                        left[r, c, 0] = left[r, c, 1] = 0.0
                    least, most = min(least, whole[i]), max(most, whole[i])
                level = 1.0 if least > 1 - NOTHING else 0.0 if most < NOTHING else np.nan
            if on and share > 0:
                found[n], shares[n] = number[row, at], min(share, 1.0)
                n += 1
    return n


@numba.njit(**_walked)
def _gathered(points, until, last, part, number):  # type: ignore[no-untyped-def]  # the same
    boxes = _boxes(points, until, last, len(number))
    tall, wide = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    room = (tall * np.minimum(wide, number.shape[1])).sum()
    found, shares = np.empty(room, np.int32), np.empty(room)
    begins, most = np.zeros(len(last) + 1, np.int64), (tall * wide).max() if len(last) else 0
    left, met = np.zeros(most * PARTS * PARTS * 2), np.zeros(most, np.bool_)
    ring = begin = n = 0
    for m in range(len(last)):
        (first, top, west), size = boxes[m, :3], tall[m] * wide[m]
        ends, ring = until[ring : last[m]] - begin, last[m]
        if size > 0:
            shape, twice = (tall[m], wide[m]), (PARTS * tall[m], PARTS * wide[m], 2)
            edges = left[: PARTS * PARTS * 2 * size].reshape(twice), met[:size].reshape(shape)
            _edges_within(points[begin : begin + ends[-1]], ends, (PARTS * west, PARTS * first), *edges)
            n += _inside(edges, (part[PARTS * first : PARTS * top], number[first:top]), west, found[n:], shares[n:])
        begin += ends[-1] if len(ends) else 0
        begins[m + 1] = n
    return begins, found[:n], shares[:n]
