"""Who lives within a walk of a service point: by the streets, for each kind, in the whole district and area by area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anlan.community.points import ServicePoint, Share, kinds_of, read_points, shares
from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.geo import Floats
from anlan.kernel.pack import Pack
from anlan.response.travel import Mode, Network, StreetGraph

FILE = "service_points.csv"
WALKS_S = (300.0, 600.0)
PIECE_M = 50.0
LONGEST_S = 1800.0
PACE_M_PER_S = 1.2
"""A usual walk; older people take a sixth longer, at 1.0 m/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaShare:
    """An area with what part of it is within a walk of a point, for each limit."""

    area_id: str
    residents: float | None
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCoverage:
    """How one kind of point covers the district: its shares, and the areas of a level, the worst first."""

    kind: str
    n_points: int
    shares: tuple[Share, ...]
    areas: tuple[AreaShare, ...]


def points_of(pack: Pack, own: Path | None = None) -> tuple[ServicePoint, ...]:
    """Return the service points of a district: those in its own table where it has one, else those of its pack.

    Raises
    ------
    BadInput
        If a line of the table does not fit, or a point lies outside the district.
    """
    path = next((one for one in (own, pack.folder) if one is not None and (one / FILE).is_file()), None)
    if path is None:
        return ()
    try:
        text = (path / FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise Unavailable(f"file {path / FILE}", f"cannot be read ({fault})", "give a table in UTF-8") from None
    return check_points(pack, read_points(text, FILE))


def check_points(pack: Pack, points: Sequence[ServicePoint]) -> tuple[ServicePoint, ...]:
    """Return points that all lie in the district; refuse them where one does not."""
    top = pack.areas.levels[0].key
    outside = [one.point_id for one in points if pack.areas.at(one.lon, one.lat, top) is None]
    if outside:
        raise BadInput(f"points {', '.join(outside[:10])}", "must lie in the district", "correct their degrees")
    return tuple(points)


class Walks:
    """The streets of a district as people walk them, and who lives along them.

    Residents of an area without finer ones of its own are spread evenly over the street nodes in it (every 50 m), and
    so is its ground. Where the pack does not tell residents, shares of them are not told either.

    Parameters
    ----------
    pack : Pack
        With streets.
    pace_m_per_s : float
        How fast people walk, m/s.
    """

    def __init__(self, pack: Pack, pace_m_per_s: float = PACE_M_PER_S) -> None:
        if not 0.3 <= pace_m_per_s <= 2.5:
            raise BadInput(f"pace={pace_m_per_s:g}", "must be 0.3..2.5 m/s", "say how fast people walk")
        self._pack = pack
        self._pace = pace_m_per_s
        self._graph = StreetGraph.of(pack.streets, pack.projection, piece_m=PIECE_M)
        kmh = 3.6 * pace_m_per_s
        self._network = Network.of(self._graph, Mode(key="walk", kmh={"steps": kmh / 2, "*": kmh}, walk_only=True))
        self._main = self._network.main_piece()

    def coverage(
        self, points: Sequence[ServicePoint], *, level: str | None = None, walks_s: Sequence[float] = WALKS_S
    ) -> tuple[KindCoverage, ...]:
        """Return how each kind that there are points of covers the district, and the areas of a level.

        Parameters
        ----------
        points : sequence of ServicePoint
            All kinds.
        level : str, optional
            The finest level that tells residents where None.
        walks_s : sequence of float
            Walks that count as near, s.

        Raises
        ------
        BadInput
            If the level is none, or a walk is not in 1..1800 s.
        """
        if not walks_s or not all(1 <= one <= LONGEST_S for one in walks_s):
            raise BadInput(f"within_s={list(walks_s)}", f"must be 1..{LONGEST_S:g} s", "give walks in seconds")
        keys = [one.key for one in self._pack.areas.levels]
        wanted = level or self._level
        if wanted not in keys:
            raise BadInput(f"level={wanted!r}", f"must be one of {', '.join(keys)}", "choose one")
        return tuple(self._of_kind(kind, points, wanted, walks_s) for kind in kinds_of(points))

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels whose areas can be told of, the coarsest first."""
        keys = [one.key for one in self._pack.areas.levels]
        return tuple(keys[: keys.index(self._level) + 1])

    def nearest_s(self, points: Sequence[ServicePoint]) -> Floats:
        """Return the walk from each street node to the nearest point, s; infinite beyond half an hour."""
        if not points:
            return np.full(self._graph.n_nodes, np.inf)
        x, y = self._pack.projection.to_metres([one.lon for one in points], [one.lat for one in points])
        node, far_m = self._graph.nearest(x, y, self._main)
        return self._network.reach(node, LONGEST_S, far_m / self._pace).nearest_s()

    def _of_kind(
        self, kind: str, points: Sequence[ServicePoint], level: str, walks_s: Sequence[float]
    ) -> KindCoverage:  # fmt: skip
        own = [one for one in points if one.kind == kind]
        node, residents, ground, _ = self._spread
        near = self.nearest_s(own)[node]
        whole = shares(near, residents, ground, walks_s, np.ones(len(near), np.bool_))
        areas = [
            AreaShare(
                area_id=area_id, residents=float(residents[inside].sum()) if self._told else None,
                shares=shares(near, residents, ground, walks_s, inside),
            )
            for area_id, inside in self._inside(level).items()
        ]  # fmt: skip
        areas.sort(key=lambda one: (one.shares[0].residents or 0.0, one.shares[0].ground or 0.0, one.area_id))
        return KindCoverage(kind=kind, n_points=len(own), shares=whole, areas=tuple(areas))

    @cached_property
    def _told(self) -> bool:
        return any(one.residents is not None for one in self._pack.areas)

    @cached_property
    def _level(self) -> str:
        """The finest level whose areas tell residents; else the finest that is drawn."""
        tree = self._pack.areas
        for wanted in ("residents", "polygon"):
            for one in reversed(tree.levels):
                areas = tree.of_level(one.key)
                if areas and all(getattr(area, wanted) is not None for area in areas):
                    return one.key
        return tree.levels[0].key

    @cached_property
    def _spread(self) -> tuple[npt.NDArray[np.int64], Floats, Floats, npt.NDArray[np.int64]]:
        """Node, residents, ground (m²) and the index of the area that gave them, of each piece of each area.

        A node on the border of two areas is a piece of both.
        """
        pieces = []
        for k, area in enumerate(self._pack.areas.of_level(self._level)):
            if area.polygon is None:
                continue
            inside = np.intersect1d(self._graph.inside(area.polygon), self._main)
            if not len(inside):  # no street in it: whoever lives there goes to the nearest
                at = area.polygon.representative_point()
                inside = self._graph.nearest(*self._pack.projection.to_metres(at.x, at.y), self._main)[0]
            n, ground = len(inside), self._pack.projection.project(area.polygon).area
            each = np.full(n, (area.residents or 0.0) / n), np.full(n, ground / n), np.full(n, k)
            pieces.append((inside, *each))
        if not pieces:
            nobody = np.empty(0, np.int64)
            return nobody, np.empty(0), np.empty(0), nobody
        node, residents, ground_m2, owner = (np.concatenate(one) for one in zip(*pieces, strict=True))
        return node.astype(np.int64), residents, ground_m2, owner.astype(np.int64)

    def _inside(self, level: str) -> Mapping[str, npt.NDArray[np.bool_]]:
        """Return for each area of a level the pieces that are its own."""
        tree, (*_, owner) = self._pack.areas, self._spread
        givers = [one.area_id for one in tree.of_level(self._level)]
        keys = [one.key for one in tree.levels]
        if keys.index(level) > keys.index(self._level):
            rule = f"must be {self._level} or above: finer areas do not tell who lives there"
            raise BadInput(f"level={level!r}", rule, "choose a coarser one")
        above = {giver: next((one.area_id for one in tree.path(giver) if one.level == level), None) for giver in givers}
        made = {}
        for area in tree.of_level(level):
            own = [k for k, giver in enumerate(givers) if above[giver] == area.area_id]
            made[area.area_id] = np.isin(owner, own)
        return made
