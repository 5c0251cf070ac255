"""The ground of dispatch: how soon any unit can be anywhere, and where the next incident is to be expected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from scipy.special import ndtri

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
OWN_SD_S = 10.0
"""What stays uncertain of the shortest way, s."""
LEVEL_Z = float(ndtri(0.95))
SQUARE_M = 150.0
"""Demand is gathered in squares of this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a unit would be there, from now, s. ``low_s``..``high_s`` holds the truth nine times of ten."""

    expected_s: float
    low_s: float
    high_s: float
    mu: float = field(repr=False)
    sigma: float = field(repr=False)

    def probability_within(self, limit_s: float) -> float:
        """Return how likely the unit is there within a limit, s."""
        if limit_s <= 0:
            return 0.0
        return 0.5 * math.erfc((self.mu - math.log(limit_s)) / (self.sigma * math.sqrt(2)))


def arrival(turnout_s: float, travel_s: float, spread: float, age_s: float = 0.0) -> Arrival:
    r"""Return the arrival of a unit that must turn out and travel.

    .. math:: T = o + t, \quad \sigma_T^2 = (o / 2)^2 + (s t)^2 + \sigma_0^2 + (\min(a, 120) / 3)^2

    with turn-out :math:`o`, travel :math:`t`, its relative spread :math:`s`, what is always uncertain :math:`\sigma_0`
    (10 s) and the age :math:`a` of the position, all in s. T is taken as lognormal with that mean and deviation.

    References
    ----------
    S. Budge, A. Ingolfsson, D. Zerom (2010), "Empirical analysis of ambulance travel times: the case of Calgary
    emergency medical services", Management Science 56: the logarithm of a travel time is near symmetric. We take one
    relative spread for all distances, where theirs falls with distance.

    Examples
    --------
    >>> made = arrival(30, 120, 0.3)
    >>> round(made.expected_s), round(made.low_s), round(made.high_s), round(made.probability_within(180), 2)
    (150, 94, 224, 0.79)
    """
    mean = max(float(turnout_s + travel_s), 1.0)
    variance = float(turnout_s / 2) ** 2 + float(spread * travel_s) ** 2 + OWN_SD_S**2 + (min(age_s, 120.0) / 3) ** 2
    sigma = math.sqrt(math.log1p(variance / mean**2))
    mu = math.log(mean) - sigma**2 / 2
    return Arrival(
        expected_s=mean,
        low_s=math.exp(mu - LEVEL_Z * sigma),
        high_s=math.exp(mu + LEVEL_Z * sigma),
        mu=mu,
        sigma=sigma,
    )


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
        node, last_s = self.nearest(mode, np.array([x_m]), np.array([y_m]))
        return self.back[mode].reach(node, FARTHEST_S, last_s).matrix_s()[0]

    def covers(self, mode: str, limit_s: float) -> npt.NDArray[np.bool_]:
        """Return (nodes, demand points): whether one reaches the other within a limit of travel, s."""
        key = (mode, round(limit_s))
        if key not in self._covers:
            node, last_s = self.nearest(mode, self.demand.x_m, self.demand.y_m)
            made = np.zeros((self.graph.n_nodes, len(node)), np.bool_)
            reach = self.back[mode].reach(node, max(limit_s, 0.0), last_s)
            made[reach.node, np.repeat(np.arange(len(node)), np.diff(reach.first))] = True
            self._covers[key] = made
        return self._covers[key]

    @cached_property
    def _covers(self) -> dict[tuple[str, int], npt.NDArray[np.bool_]]:
        return {}


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
