"""The ground of places: small squares on which people stand and stroll, and the ways over them to the doors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.sparse as sp
import shapely
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

SQUARES = 1500
"""About how many squares a place is cut into, where that makes squares of 1.2 to 5 m."""
MARGIN_M = 0.05
"""Squares keep this far inside the outline, so that rounding puts nobody on it."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The squares of one place that lie wholly in it, in metres. A place too thin for any has none.

    ``at[row, column]`` is the square's number or -1; ``x``, ``y`` are the lower left corners, ``m2`` is what can be
    walked on of each.
    """

    west: float
    south: float
    size_m: float
    at: npt.NDArray[np.int32]
    x: Floats
    y: Floats
    m2: float

    def __len__(self) -> int:
        return len(self.x)

    def nearest(self, x_m: float, y_m: float) -> int:
        """Return the square nearest to a point."""
        half = self.size_m / 2
        return int(np.argmin((self.x + half - x_m) ** 2 + (self.y + half - y_m) ** 2))

    def ways(self, squares: Indices) -> npt.NDArray[np.int32]:
        """Return ``[k, square]``: the next square on the shortest way to each of the given ones (itself: there)."""
        n = len(self)
        rows, columns, lengths = [], [], []
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            here = self.at[: self.at.shape[0] - dy, max(0, -dx) : self.at.shape[1] - max(0, dx)]
            there = self.at[dy:, max(0, dx) : self.at.shape[1] + min(0, dx)]
            both = (here >= 0) & (there >= 0)
            rows.append(here[both])
            columns.append(there[both])
            lengths.append(np.full(int(both.sum()), np.hypot(dx, dy)))
        graph = sp.coo_matrix(
            (np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n)
        ).tocsr()
        _, before = dijkstra(graph, directed=False, indices=squares, return_predecessors=True)
        return np.where(before < 0, np.arange(n, dtype=np.int32), before).astype(np.int32)


def ground_of(area: BaseGeometry, walkable_m2: float) -> Ground:
    """Cut an area (metres) into the squares that lie in it; of a scattered one, its largest part."""
    x0, y0, x1, y1 = area.bounds
    size = float(np.clip(np.sqrt(area.area / SQUARES), 1.2, 5.0))
    columns, rows = int((x1 - x0) / size) + 1, int((y1 - y0) / size) + 1
    column, row = np.meshgrid(np.arange(columns), np.arange(rows))
    x, y = x0 + column * size, y0 + row * size
    inner = area.buffer(-MARGIN_M)
    shapely.prepare(inner)
    lies_in = shapely.contains_properly(inner, shapely.box(x, y, x + size, y + size))
    part, n_parts = scipy.ndimage.label(lies_in)
    if n_parts > 1:
        lies_in = part == np.bincount(part.ravel())[1:].argmax() + 1
    at = np.full(lies_in.shape, -1, np.int32)
    n = int(lies_in.sum())
    at[lies_in] = np.arange(n)
    return Ground(float(x0), float(y0), size, at, x[lies_in], y[lies_in], walkable_m2 / max(n, 1))
