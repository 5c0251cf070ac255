"""What is true: how many points lie in each polygon, exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from anlan.kernel.geo import Projection

Floats = npt.NDArray[np.float64]

PIXEL_M = 5.0
"""Points in pixels wholly in a polygon need no test; those in the pixels on its outline are tested one by one."""


class Truth:
    """Counts people in polygons (degrees), exactly, at any number of moments."""

    def __init__(self, projection: Projection, polygons: Sequence[BaseGeometry]) -> None:
        projected = [projection.project(polygon) for polygon in polygons]
        drawn = [polygon for polygon in projected if not polygon.is_empty]
        x0, y0, x1, y1 = shapely.total_bounds(drawn) if drawn else (0.0, 0.0, 0.0, 0.0)
        self._west, self._south = float(x0) - PIXEL_M, float(y0) - PIXEL_M
        self._columns = int((x1 - self._west) / PIXEL_M) + 2
        self._rows = int((y1 - self._south) / PIXEL_M) + 2
        parts = [self._pixels(polygon) for polygon in projected]
        self._inner, self._inner_begin = _joined([part[0] for part in parts], np.int64)
        self._edge, self._edge_begin = _joined([part[1] for part in parts], np.int64)
        self._sides, self._sides_begin = _joined([part[2] for part in parts], np.float64)
        self._sides = self._sides.reshape(-1, 4)

    def count(self, x: Floats, y: Floats) -> Floats:
        """Return how many of the points (metres) are in each polygon."""
        column = np.floor((x - self._west) / PIXEL_M)
        row = np.floor((y - self._south) / PIXEL_M)
        on = (column >= 0) & (column < self._columns) & (row >= 0) & (row < self._rows)
        pixel = (row[on] * self._columns + column[on]).astype(np.int64)
        begin = np.zeros(self._rows * self._columns + 1, np.int64)
        np.cumsum(np.bincount(pixel, minlength=self._rows * self._columns), out=begin[1:])
        inner, edge = (self._inner, self._inner_begin), (self._edge, self._edge_begin)
        counted: Floats = _count(x[on], y[on], pixel, begin, inner, edge, (self._sides, self._sides_begin))
        return counted

    def _pixels(self, polygon: BaseGeometry) -> tuple[Floats, Floats, Floats]:
        """Return the pixels wholly in a polygon, those on its outline, and its sides (ax, ay, bx, by)."""
        if polygon.is_empty:
            return np.empty(0), np.empty(0), np.empty((0, 4))
        x0, y0, x1, y1 = polygon.bounds
        columns = np.arange(int((x0 - self._west) / PIXEL_M), int((x1 - self._west) / PIXEL_M) + 1)
        rows = np.arange(int((y0 - self._south) / PIXEL_M), int((y1 - self._south) / PIXEL_M) + 1)
        column, row = (a.ravel() for a in np.meshgrid(columns, rows))
        x, y = self._west + column * PIXEL_M, self._south + row * PIXEL_M
        squares = shapely.box(x, y, x + PIXEL_M, y + PIXEL_M)
        shapely.prepare(polygon)
        inner = shapely.contains_properly(polygon, squares)
        touched = shapely.intersects(polygon, squares) & ~inner
        number = row * self._columns + column
        rings = shapely.get_rings(polygon)
        sides = [np.column_stack([c[:-1], c[1:]]) for c in map(shapely.get_coordinates, rings)]
        return number[inner], number[touched], np.concatenate(sides)


def _joined(parts: list[Floats], kind: type) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.int64]]:
    """Return parts in one array, and where each begins in it."""
    begin = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return np.concatenate([*parts, np.empty((0, *parts[0].shape[1:]) if parts else 0)]).astype(kind), begin


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _count(x, y, pixel, begin, inner, edge, sides):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, C901
    """Sum the points by polygon; ``inner``, ``edge``, ``sides`` are (values, where each polygon's begin)."""
    place = begin[:-1].copy()
    order = np.empty(len(x), np.int64)
    for k in range(len(x)):
        order[place[pixel[k]]] = k
        place[pixel[k]] += 1
    n = len(inner[1]) - 1
    found = np.zeros(n)
    for p in range(n):
        for j in range(inner[1][p], inner[1][p + 1]):
            found[p] += begin[inner[0][j] + 1] - begin[inner[0][j]]
        for j in range(edge[1][p], edge[1][p + 1]):
            for k in range(begin[edge[0][j]], begin[edge[0][j] + 1]):
                px, py = x[order[k]], y[order[k]]
                odd = False  # of sides crossed by a ray to the east: holes and parts come right by themselves
                for s in range(sides[1][p], sides[1][p + 1]):
                    ax, ay, bx, by = sides[0][s]
                    if (ay > py) != (by > py) and px < ax + (py - ay) / (by - ay) * (bx - ax):
                        odd = not odd
                found[p] += odd
    return found
