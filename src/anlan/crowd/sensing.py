"""How well a district is seen, and where the next device belongs: asked of its present estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from anlan.crowd.coverage import Sites, proposed, seen_parts, seen_share, sites_of
from anlan.crowd.estimate import Estimator
from anlan.crowd.field import Field
from anlan.crowd.inside import Shares
from anlan.kernel.answers import AreaCoverage, DeviceProposal
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.pack import Pack

MOST = 50


class Sensing:
    """Answers about coverage, from the newest field of the estimator."""

    def __init__(
        self,
        pack: Pack,
        estimator: Estimator,
        field: Callable[[], Field | None],
        shares: Callable[[], Mapping[str, Shares]],
    ) -> None:
        self._pack = pack
        self._estimator = estimator
        self._field = field
        self._shares = shares

    def cells(self) -> npt.NDArray[np.float64]:
        """Return by how much (0..1) the devices have narrowed each cell, on the grid, northernmost row first.

        NaN where nobody can walk, infinity where nothing is estimated.
        """
        cells, layout, field = self._estimator.cells, self._estimator.layout, self._field()
        if layout is None or field is None:
            return cells.raster(np.full(len(cells), np.inf))
        return cells.raster(seen_share(field, layout))

    def areas(self, level: str) -> list[AreaCoverage]:
        """Return how well each area of a level is seen; nothing before the first estimate.

        Raises
        ------
        NotFound
            If the district has no such level.
        """
        if level not in {one.key for one in self._pack.areas.levels}:
            known = ", ".join(one.key for one in self._pack.areas.levels)
            raise NotFound(f"level={level!r}", f"must be one of {known}", "choose one")
        layout, field = self._estimator.layout, self._field()
        if layout is None or field is None:
            return []
        areas = self._pack.areas.of_level(level)
        parts = [self._shares()[area.area_id] for area in areas]
        made = seen_parts(field, layout, self._estimator.sources, parts)
        return [
            AreaCoverage(area_id=area.area_id, name=area.name, coverage=coverage)
            for area, coverage in zip(areas, made, strict=True)
        ]

    def propose(self, n: int) -> list[DeviceProposal]:
        """Return the n sites whose devices narrow the estimate of now most; nothing before the first estimate.

        Raises
        ------
        BadInput
            If n is not 1 to 50.
        """
        if not 1 <= n <= MOST:
            raise BadInput(f"n={n}", f"must be 1 to {MOST} devices", "ask for a few")
        field = self._field()
        return [] if field is None else proposed(self._pack, self._estimator.cells, field, self._sites, n)

    @cached_property
    def _sites(self) -> Sites:
        return sites_of(self._pack, self._estimator.cells)
