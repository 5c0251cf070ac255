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
from anlan.crowd.whatif.kernel import MOST_PER_M2, PER_DENSITY, downhill
from anlan.kernel.errors import NoData
from anlan.kernel.pack import Pack

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WAY_OUT_M = {"metro": 6.0, "bus": 3.0, "ferry": 4.0}
OTHER_WAY_OUT_M = 10.0
"""Assumed clear width of a way out of the district by its kind, metres; a pack does not tell it."""
ROUNDS, AGREED_S = 40, 20.0
"""How often waits at the ways out are corrected at most, and the agreement that is enough."""
DIRECTIONS = np.array([(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)])
"""West, east, south, north: the order of a cell's borders."""

_DENSITIES = (np.arange(8 * PER_DENSITY) + 0.5) / PER_DENSITY
_FLOWS = _DENSITIES * walking_speed(_DENSITIES)
MOST_FLOW = float(_FLOWS.max())
"""Most people over a metre of border, 1/(m·s): the top of Weidmann's relation, 1.22."""
_TOP = int(_FLOWS.argmax())
DEMAND = np.where(np.arange(len(_FLOWS)) <= _TOP, _FLOWS, MOST_FLOW)
"""How many would go on from a cell, by its density: the free branch, 1/(m·s) (Daganzo 1995)."""
SUPPLY = np.where(np.arange(len(_FLOWS)) <= _TOP, MOST_FLOW, np.where(_DENSITIES < MOST_PER_M2, _FLOWS, 0.0))
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

    def without(self, closed: Mask) -> Ground:
        """Return the ground with borders closed, shape (n, 4)."""
        return replace(self, width_m=np.where(closed, 0.0, self.width_m))

    def into(self, inside: Mask) -> Mask:
        """Return which borders lead from outside into a set of cells, shape (n, 4)."""
        return (self.near >= 0) & ~inside[:, None] & inside[np.maximum(self.near, 0)]

    def sink(self) -> Floats:
        """Return how many may leave the district from each cell, 1/s."""
        return np.bincount(self.exit_cell, MOST_FLOW * self.exit_m, len(self)).astype(float)

    def backwards(self, persons: Floats) -> sp.csr_matrix:
        """Return the walking times over all open borders in the present crowd, from beyond to here, s."""
        here, border = np.nonzero(self.width_m > 0)
        there = self.near[here, border]
        pace = np.maximum(walking_speed(persons / self.ground_m2), 0.2)
        cost = self.size_m * 0.5 * (1 / pace[here] + 1 / pace[there])
        return sp.csr_matrix((cost, (there, here)), shape=(len(self), len(self)))

    def seconds_to(self, goals: Indices, persons: Floats) -> Floats:
        """Return the walking time from each cell to the nearest goal in the present crowd.

        Infinite where no way leads.

        Parameters
        ----------
        goals : int64, shape (g,)
        persons : float64, shape (n,)
        """
        return seconds_over(self.backwards(persons), goals)

    def queued(self, load: Floats, persons: Floats, sink: Floats, window_s: float) -> tuple[Floats, Mask]:
        """Return the walking and waiting time to the way out that is best if everybody chooses so, and which are used.

        Both are of shape (n,): seconds, and whether the way out in the cell is not passed by for another. The wait at a
        way out is how much longer than the window it needs for those who take it. Waits are moved towards that, each by
        its own step, which halves whenever it has gone too far, until they agree within ``AGREED_S`` on average.

        Parameters
        ----------
        load : float64, shape (n,)
            Persons of each cell who leave within the window.
        persons : float64, shape (n,)
            The crowd that slows walking.
        sink : float64, shape (n,)
            How many may leave from each cell, 1/s.
        window_s : float
            Time over which they set off, evenly; 0 if all do at once.

        References
        ----------
        J. G. Wardrop, *Some theoretical aspects of road traffic research*, 1952, first principle. Where we differ: all
        in a cell choose the same, so the agreement is as fine as the cells; steps after M. Riedmiller, H. Braun, 1993.
        """
        goals = np.flatnonzero(sink > 0)
        graph, wait = self.backwards(persons), np.zeros(len(goals))
        seconds, ends = seconds_over(graph, goals), np.zeros(len(self), bool)
        ends[goals] = True
        best = np.inf, seconds, ends
        step, before = np.full(len(goals), np.inf), np.zeros(len(goals))
        for _ in range(ROUNDS if load.any() and len(goals) > 1 else 0):
            chosen = self.led(seconds, ends)
            got = (chosen >= 0) & (load > 0)
            taken = np.bincount(chosen[got], load[got], len(self))[goals]
            gap = np.maximum(taken / sink[goals] - window_s, 0.0) - wait
            off = float(np.abs(gap) @ np.where(gap < 0, np.minimum(sink[goals] * wait, load.sum()), taken) / load.sum())
            best = (off, seconds, ends) if off < best[0] else best
            if off < AGREED_S:
                break
            step = np.where(np.isinf(step), 0.5 * np.abs(gap).max(), np.where(gap * before < 0, 0.5, 1.1) * step)
            before, wait = gap, np.maximum(wait + np.clip(gap, -step, step), 0.0)
            seconds, ends = seconds_over(graph, goals, wait), np.zeros(len(self), bool)
            ends[goals] = seconds[goals] > wait - 1e-3
        return best[1], best[2]

    def led(self, seconds: Floats, ends: Mask) -> Indices:
        """Return the cell that each cell's best turns end in, -1 where in none, shape (n,).

        Parameters
        ----------
        seconds : float64, shape (n,)
            Times to the goals.
        ends : bool, shape (n,)
            Where goals are.
        """
        beyond = np.where(self.width_m > 0, seconds[np.maximum(self.near, 0)], np.inf)
        own = np.where(ends, np.arange(len(self)), -1)
        return np.asarray(downhill(np.argsort(seconds, kind="stable"), self.near, beyond.argmin(axis=1), own))

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


def seconds_over(backwards: sp.csr_matrix, goals: Indices, wait_s: Floats | None = None) -> Floats:
    """Return the time from each cell to the goal that is soonest reached, each goal's wait included, shape (n,).

    Parameters
    ----------
    backwards : sparse, shape (n, n)
        Times over the borders, from beyond to here.
    goals : int64, shape (g,)
    wait_s : float64, shape (g,), optional
    """
    n = backwards.shape[0]
    if not len(goals):
        return np.full(n, np.inf)
    if wait_s is None:
        return np.asarray(dijkstra(backwards, indices=np.unique(goals), min_only=True))
    # A node that is none of the ground leads to every goal after its wait.
    first = sp.csr_matrix((wait_s + 1e-6, (np.zeros(len(goals), int), goals)), shape=(1, n))
    joined = sp.bmat([[backwards, None], [first, sp.csr_matrix((1, 1))]], format="csr")
    return np.asarray(dijkstra(joined, indices=n))[:n]
