"""The ground of dispatch: how soon any unit can be anywhere, and where the next incident is to be expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from anlan.kernel.geo import Floats
from anlan.kernel.pack import Pack
from anlan.response.travel import MODES, Conditions, Mode, Network, StreetGraph
from anlan.response.travel.graph import Ints

PIECE_M = 60.0
ACCESS_MS = 2.0
"""Pace of the last metres between the street and the spot, m/s: hurrying on foot."""
FARTHEST_S = 1800.0
"""No unit that needs longer is looked for."""
SPREAD = {"foot": 0.15, "bicycle": 0.2, "vehicle": 0.3}
"""Standard deviation of a travel time as a share of it. An assumption: the proof tells how often it held."""
KEPT_SEARCHES = 256
"""Of so many incidents the times from everywhere are kept: they are asked about again and again as units move."""
SQUARE_M = 150.0
"""Demand is gathered in squares of this size."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Demand:
    """Where the next incident is to be expected: points (metres), and weights that sum to 1."""

    x_m: Floats
    y_m: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.weight)


def demand_of(pack: Pack, graph: StreetGraph) -> Demand:
    """Return a first guess of demand for a district that has recorded none.

    Half of it lies along the streets by their length, half in the places by their capacity (a key place counts
    double, one of unknown capacity as 500 people). An assumption until incidents have been recorded.
    """
    row, column = np.floor(graph.y_m / SQUARE_M), np.floor(graph.x_m / SQUARE_M)
    length = np.bincount(graph.tail, graph.length_m, minlength=graph.n_nodes)
    _, square = np.unique(np.column_stack([row, column]), axis=0, return_inverse=True)
    total = np.bincount(square, length)
    x = np.bincount(square, length * graph.x_m) / total
    y = np.bincount(square, length * graph.y_m) / total
    weight = total / total.sum()
    if pack.places:
        points = [pack.projection.project(place.polygon).representative_point() for place in pack.places]
        people = np.array([(place.capacity or 500) * (2.0 if place.key else 1.0) for place in pack.places])
        x = np.concatenate([x, [point.x for point in points]])
        y = np.concatenate([y, [point.y for point in points]])
        weight = np.concatenate([weight / 2, people / people.sum() / 2])
    return Demand(x_m=x, y_m=y, weight=weight)


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """The streets of a district for every way of moving, under the conditions of an hour, lights and siren on.

    Make it with :meth:`of`. What the hour does not change is shared by :meth:`under`.
    """

    graph: StreetGraph
    demand: Demand
    conditions: Conditions
    forth: Mapping[str, Network]
    back: Mapping[str, Network]
    nodes: Mapping[str, Ints]
    """Of each mode: the nodes from which one gets everywhere and back."""

    @classmethod
    def of(
        cls, pack: Pack, *, demand: Demand | None = None, modes: Mapping[str, Mode] = MODES, hour: int = 12
    ) -> Ground:
        """Return the ground of a district.

        Raises
        ------
        BadInput
            If the pack has no street, or a mode can use none of them.
        """
        graph = StreetGraph.of(pack.streets, pack.projection, piece_m=PIECE_M)
        conditions = Conditions(hour=hour, siren=True)
        forth = {key: Network.of(graph, mode, conditions) for key, mode in modes.items()}
        return cls(
            graph=graph,
            demand=demand_of(pack, graph) if demand is None else demand,
            conditions=conditions,
            forth=forth,
            back={key: network.reversed() for key, network in forth.items()},
            nodes={key: network.main_piece() for key, network in forth.items()},
        )

    def under(self, conditions: Conditions) -> Ground:
        """Return the same ground in another hour, with other closures or crowds."""
        forth = {key: network.under(conditions) for key, network in self.forth.items()}
        return replace(
            self,
            conditions=conditions,
            forth=forth,
            back={key: network.under(conditions) for key, network in self.back.items()},
            nodes={key: network.main_piece() for key, network in forth.items()},
        )

    def for_demand(self, demand: Demand) -> Ground:
        """Return the same ground with another demand."""
        return self if demand is self.demand else replace(self, demand=demand)

    @cached_property
    def _trees(self) -> dict[str, KDTree]:
        graph = self.graph
        return {
            mode: KDTree(np.column_stack([graph.x_m[nodes], graph.y_m[nodes]])) for mode, nodes in self.nodes.items()
        }

    def nearest(self, mode: str, x_m: Floats, y_m: Floats) -> tuple[Ints, Floats]:
        """Return for each point the nearest node that the mode can use, and how long the last metres take, s."""
        far_m, found = self._trees[mode].query(np.column_stack([x_m, y_m]))
        return self.nodes[mode][found], np.asarray(far_m, float) / ACCESS_MS

    def times_to_s(self, mode: str, x_m: float, y_m: float) -> npt.NDArray[np.float32]:
        """Return how long each node is from a point, s, by one search backwards; infinite beyond half an hour."""
        return self._searched(mode, x_m, y_m)

    @cached_property
    def _searched(self) -> Callable[[str, float, float], npt.NDArray[np.float32]]:
        @lru_cache(maxsize=KEPT_SEARCHES)
        def searched(mode: str, x_m: float, y_m: float) -> npt.NDArray[np.float32]:
            node, last_s = self.nearest(mode, np.array([x_m]), np.array([y_m]))
            return self.back[mode].reach(node, FARTHEST_S, last_s).matrix_s()[0]

        return searched

    def reached(self, mode: str, limit_s: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return the demand points that each node reaches within a limit of travel: where those of a node begin, which.

        A point is reached at the nearest node, the last metres included.
        """
        node, last_s = self.nearest(mode, self.demand.x_m, self.demand.y_m)
        found = self.back[mode].reach(node, max(limit_s, 0.0), last_s)
        point = np.repeat(np.arange(len(node), dtype=np.int32), np.diff(found.first))
        order = np.argsort(found.node, kind="stable")
        first = np.searchsorted(found.node[order], np.arange(self.graph.n_nodes + 1)).astype(np.int64)
        return first, point[order]


def soonest_s(
    ground: Ground, mode: Sequence[str], x_m: Floats, y_m: Floats, turnout_s: Floats, limit_s: float
) -> Floats:
    """Return for each node how soon the first of these units would be there, s; infinite beyond the limit.

    ``mode``, ``x_m``, ``y_m``, ``turnout_s`` are of each unit.
    """
    best = np.full(ground.graph.n_nodes, np.inf)
    of = np.array(mode, dtype=object)
    for key in set(mode):
        own = np.flatnonzero(of == key)
        node, first_s = ground.nearest(key, x_m[own], y_m[own])
        found = ground.forth[key].reach(node, limit_s, np.minimum(first_s + turnout_s[own], limit_s + 1)).nearest_s()
        best = np.minimum(best, found)
    return best
