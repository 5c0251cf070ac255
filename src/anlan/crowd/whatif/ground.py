"""The ground that people walk on: borders between cells, ways out, and which way leads there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from anlan.crowd.cells import Cells
from anlan.crowd.measures import walking_speed
from anlan.crowd.whatif.kernel import PER_DENSITY
from anlan.kernel.errors import NoData
from anlan.kernel.pack import Pack

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

WAY_OUT_M = {"metro": 6.0, "bus": 3.0, "ferry": 4.0}
OTHER_WAY_OUT_M = 10.0
"""Assumed clear width of a way out of the district by its kind, metres; a pack does not tell it."""
DIRECTIONS = np.array([(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)])
"""West, east, south, north: the order of a cell's borders."""

_DENSITIES = (np.arange(8 * PER_DENSITY) + 0.5) / PER_DENSITY
_FLOWS = _DENSITIES * walking_speed(_DENSITIES)
MOST_FLOW = float(_FLOWS.max())
"""Most people over a metre of border, 1/(m·s): the top of Weidmann's relation, 1.22."""
_TOP = int(_FLOWS.argmax())
DEMAND = np.where(np.arange(len(_FLOWS)) <= _TOP, _FLOWS, MOST_FLOW)
"""How many would go on from a cell, by its density: the free branch, 1/(m·s) (Daganzo 1995)."""
SUPPLY = np.where(np.arange(len(_FLOWS)) <= _TOP, MOST_FLOW, np.where(_DENSITIES < 6.5, _FLOWS, 0.0))
"""How many a cell takes, by its density: the jammed branch, 1/(m·s)."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Cells as walkers meet them, ``n`` of them with four borders each (west, east, south, north).

    Attributes
    ----------
    near : int64, shape (n, 4)
        The neighbour beyond each border, -1 where there is none.
    width_m : float64, shape (n, 4)
        Border that can be crossed outwards: the narrower of the two cells' walkable ground over the cell's side.
    ground_m2 : float64, shape (n,)
    exit_cell, exit_m : shape (e,)
        The cell and the clear width of each way out of the district.
    """

    near: Indices
    width_m: Floats
    ground_m2: Floats
    size_m: float
    exit_cell: Indices
    exit_m: Floats
    exit_id: tuple[str, ...]

    @classmethod
    def of(cls, pack: Pack, cells: Cells) -> Ground:
        """Return the ground of a district, every gateway a way out.

        Raises
        ------
        NoData
            If the pack has no gateway, so that nobody could leave.
        """
        if not pack.gateways:
            raise NoData("the district pack", "must have a gateway for anybody to leave by", "add gateways.geojson")
        number = np.pad(cells.number, 1, constant_values=-1)
        row, column = cells.row + 1, cells.column + 1
        beyond = [number[row + int(dy), column + int(dx)] for dx, dy in DIRECTIONS]
        near = np.ascontiguousarray(np.column_stack(beyond))
        # A cell with a strip of ground would show a density that no one stands in: a tenth of it counts at least.
        ground = np.maximum(cells.walkable_m2, 0.1 * cells.size_m**2)
        width = np.minimum(ground[:, None], ground[np.maximum(near, 0)]) / cells.size_m
        points = [pack.projection.project(gateway.point) for gateway in pack.gateways]
        tree = cKDTree(np.column_stack([cells.x_m, cells.y_m]))
        return cls(
            near=near,
            width_m=np.where(near >= 0, width, 0.0),
            ground_m2=ground,
            size_m=cells.size_m,
            exit_cell=np.asarray(tree.query([(p.x, p.y) for p in points])[1], np.int64),
            exit_m=np.array([WAY_OUT_M.get(gateway.kind, OTHER_WAY_OUT_M) for gateway in pack.gateways]),
            exit_id=tuple(gateway.gateway_id for gateway in pack.gateways),
        )

    def __len__(self) -> int:
        return len(self.ground_m2)

    def without(self, closed: npt.NDArray[np.bool_]) -> Ground:
        """Return the ground with borders closed, shape (n, 4)."""
        return replace(self, width_m=np.where(closed, 0.0, self.width_m))

    def into(self, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which borders lead from outside into a set of cells, shape (n, 4)."""
        return (self.near >= 0) & ~inside[:, None] & inside[np.maximum(self.near, 0)]

    def sink(self) -> Floats:
        """Return how many may leave the district from each cell, 1/s."""
        return np.bincount(self.exit_cell, MOST_FLOW * self.exit_m, len(self)).astype(float)

    def seconds_to(self, goals: Indices, persons: Floats) -> Floats:
        """Return the walking time from each cell to the nearest goal in the present crowd.

        Infinite where no way leads.

        Parameters
        ----------
        goals : int64, shape (g,)
        persons : float64, shape (n,)
        """
        if not len(goals):
            return np.full(len(self), np.inf)
        here, border = np.nonzero(self.width_m > 0)
        there = self.near[here, border]
        pace = np.maximum(walking_speed(persons / self.ground_m2), 0.2)
        cost = self.size_m * 0.5 * (1 / pace[here] + 1 / pace[there])
        backwards = sp.csr_matrix((cost, (there, here)), shape=(len(self), len(self)))
        return np.asarray(dijkstra(backwards, indices=np.unique(goals), min_only=True))

    def turns(self, seconds: Floats) -> Floats:
        """Return the part of those in each cell who cross each border, down a field of times, shape (n, 4).

        All borders that save at least half of what the best one saves are taken, by their width.
        """
        beyond = np.where(self.width_m > 0, seconds[np.maximum(self.near, 0)], np.inf)
        own = np.where(np.isfinite(seconds), seconds, -np.inf)
        saved = np.where(np.isfinite(beyond), own[:, None] - beyond, 0.0)
        saved = np.where(saved >= np.maximum(0.5 * saved.max(axis=1, keepdims=True), 1e-9), saved, 0.0)
        weight = saved * self.width_m
        total = weight.sum(axis=1, keepdims=True)
        return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
