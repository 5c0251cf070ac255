"""The places between which a simulated district moves: few enough that all times are held, and what happens at each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.simulate.world import Ints, Roads
from anlan.response.travel import Network

MOST_HELD = 1500


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Places:
    """Nodes of a street network that stand for all of it.

    ``street_m`` (N,) is the length of street for which each stands: where incidents are drawn without better knowledge.
    """

    nodes: Ints
    xy_m: Floats
    street_m: Floats
    network: Network

    @classmethod
    def of(cls, network: Network, keep: npt.ArrayLike = (), most: int = MOST_HELD) -> Places:
        """Return at most so many places of the network's largest piece, spread over squares, with the nodes to keep.

        Raises
        ------
        BadInput
            If a node to keep does not lie in the largest piece.
        """
        graph, main = network.graph, network.main_piece()
        kept = np.unique(np.asarray(keep, np.int64))
        if not np.isin(kept, main).all():
            raise BadInput("nodes to keep", "must lie in the largest piece of the streets", "use graph.nearest(among=)")
        if most <= len(kept):
            raise BadInput(f"most={most}", f"must be above the {len(kept)} nodes to keep", "allow more places")
        nodes, side = np.union1d(main, kept), 20.0
        while len(nodes) > most:
            cell = np.column_stack([graph.x_m[main] // side, graph.y_m[main] // side])
            _, first = np.unique(cell, axis=0, return_index=True)
            nodes, side = np.union1d(main[first], kept), side * 1.2
        xy = np.column_stack([graph.x_m[nodes], graph.y_m[nodes]])
        length = np.bincount(graph.tail, graph.length_m, graph.n_nodes)[main] / 2
        owner = KDTree(xy).query(np.column_stack([graph.x_m[main], graph.y_m[main]]))[1]
        return cls(
            nodes=nodes.astype(np.int64),
            xy_m=xy,
            street_m=np.asarray(np.bincount(owner, length, len(nodes)), float),
            network=network,
        )

    def roads(self) -> Roads:
        """Return the times between the places, slower in the hours in which the mode is slower."""
        share = self.network.mode.by_hour
        now = share[self.network.conditions.hour]
        return Roads.of(self.network, self.nodes, tuple(now / one for one in share))

    def nearest(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Ints, Floats]:
        """Return for each point (degrees) the nearest place and how far off it is, m."""
        x, y = self.network.graph.plane.to_metres(lon, lat)
        far, place = KDTree(self.xy_m).query(np.column_stack([np.atleast_1d(x), np.atleast_1d(y)]))
        return place.astype(np.int64), np.asarray(far, float)
