"""Which part of each square of a grid lies in a polygon: scan lines, exact along each line."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]

LINES = 16
"""Scan lines in each row of squares: areas are right to some 0.005 % for shapes of a thousand squares."""


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
    x0, y0, x1, y1 = polygon.bounds
    row, column = int(np.floor((y0 - south) / size)), int(np.floor((x0 - west) / size))
    n_rows = int(np.floor((y1 - south) / size)) - row + 1
    n_columns = int(np.floor((x1 - west) / size)) - column + 1
    edges = _edges(polygon)
    edges[:, 0::2] = (edges[:, 0::2] - west) / size - column
    edges[:, 1::2] = (edges[:, 1::2] - south) / size - row
    return row, column, _scan(edges, n_rows, n_columns, LINES)


def _edges(polygon: BaseGeometry) -> Floats:
    """Return x0, y0, x1, y1 of every edge of every ring."""
    rings = shapely.get_rings(shapely.get_parts(polygon))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return np.column_stack([points[:-1][same], points[1:][same]])


@numba.njit(cache=True)
def _scan(edges, n_rows, n_columns, n_lines):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    out = np.zeros((n_rows, n_columns))
    n_all = n_rows * n_lines
    # Edges by the lines they cross, counted first, so that a large polygon costs no more than its crossings.
    n_crossing = np.zeros(n_all + 1, np.int64)
    for e in range(len(edges)):
        low, high = min(edges[e, 1], edges[e, 3]), max(edges[e, 1], edges[e, 3])
        first = max(int(np.ceil(low * n_lines - 0.5)), 0)
        last = min(int(np.ceil(high * n_lines - 0.5)), n_all)
        for k in range(first, last):
            n_crossing[k + 1] += 1
    begin = np.cumsum(n_crossing)
    filled = begin[:-1].copy()
    crossing = np.empty(begin[-1])
    for e in range(len(edges)):
        xa, ya, xb, yb = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        low, high = min(ya, yb), max(ya, yb)
        first = max(int(np.ceil(low * n_lines - 0.5)), 0)
        last = min(int(np.ceil(high * n_lines - 0.5)), n_all)
        for k in range(first, last):
            y = (k + 0.5) / n_lines
            crossing[filled[k]] = xa + (y - ya) * (xb - xa) / (yb - ya)
            filled[k] += 1
    weight = 1.0 / n_lines
    for k in range(n_all):
        row = k // n_lines
        line = np.sort(crossing[begin[k] : begin[k + 1]])
        for j in range(0, len(line) - 1, 2):
            xa, xb = max(line[j], 0.0), min(line[j + 1], float(n_columns))
            if xb <= xa:
                continue
            ca, cb = int(xa), min(int(xb), n_columns - 1)
            if ca == cb:
                out[row, ca] += (xb - xa) * weight
                continue
            out[row, ca] += (ca + 1 - xa) * weight
            for c in range(ca + 1, cb):
                out[row, c] += weight
            out[row, cb] += (xb - cb) * weight
    return out
