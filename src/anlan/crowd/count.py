"""How many people are in a polygon, a place, an area: the estimate as an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from shapely.geometry.base import BaseGeometry

from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.measures import level_of_service
from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Estimate, UnknownReason

Floats = npt.NDArray[np.float64]
Shares = tuple[npt.NDArray[np.int64], Floats]

LEAST_M2 = 400.0
"""Under this walkable area no number is given: it could single out people."""
LEAST_PERSONS = 10.0
"""Under this many expected persons only "<10" is given."""
Z_90 = 1.6448536269514722
"""Half-width of the normal distribution's 90 % interval, in standard deviations."""


class Counter:
    """Counts in polygons of one district. It knows the cells, and which of them only passing people are counted in."""

    def __init__(self, pack: Pack, cells: Cells) -> None:
        self._plane = pack.projection
        self._cells = cells
        self._boundary = pack.boundary
        lines = [pack.projection.project(d.geometry) for d in pack.devices if d.kind is DeviceKind.PASSAGE]
        cell = [cells.at(line.centroid.x, line.centroid.y) for line in lines]
        self._passed = np.zeros(len(cells), bool)
        self._passed[[number for number in cell if number is not None]] = True
        kinds = {device.kind for device in pack.devices}
        self._flow_only = kinds == {DeviceKind.PASSAGE}

    def shares(self, polygon: BaseGeometry) -> Shares:
        """Return the cells that a polygon (degrees) touches and the part of each inside."""
        return self._cells.shares(self._plane.project(polygon))

    def touches(self, polygon: BaseGeometry) -> bool:
        """Tell whether a polygon (degrees) touches the district at all."""
        return bool(self._boundary.intersects(polygon))

    def walkable_m2(self, shares: Shares) -> float:
        """Return the ground in a polygon that can be walked on."""
        return float(self._cells.walkable_m2[shares[0]] @ shares[1])

    def many(self, field: Field | None, parts: Sequence[Shares], at: datetime) -> list[Estimate]:
        """Return the estimates of several polygons, in one go."""
        if not parts:
            return []
        row = np.repeat(np.arange(len(parts)), [len(index) for index, _ in parts])
        column = np.concatenate([index for index, _ in parts])
        share = np.concatenate([share for _, share in parts])
        weights = sp.csr_matrix((share, (row, column)), shape=(len(parts), len(self._cells)))
        if field is None:
            return [self._unknown(part, at, UnknownReason.NOT_STARTED) for part in parts]
        mean, variance = field.sums(weights)
        return [
            self._estimate(field, part, at, float(m), float(v))
            for part, m, v in zip(parts, mean, variance, strict=True)
        ]

    def _unknown(self, part: Shares, at: datetime, reason: UnknownReason) -> Estimate:
        walkable = self.walkable_m2(part)
        if not walkable:
            reason = UnknownReason.NOT_WALKABLE
        elif walkable < LEAST_M2:
            reason = UnknownReason.TOO_SMALL
        return Estimate(at=at, walkable_m2=walkable, unknown=reason)

    def _estimate(self, field: Field, part: Shares, at: datetime, mean: float, variance: float) -> Estimate:
        index, share = part
        walkable = self.walkable_m2(part)
        if walkable < LEAST_M2:
            return self._unknown(part, at, UnknownReason.TOO_SMALL)
        persons = share * field.persons[index]
        now, until = at.timestamp(), field.informed_until[index]
        told = np.isfinite(until)
        if not told.any() or not np.isfinite(mean) or persons[told].sum() < 0.5 * mean:
            return self._unknown(part, at, self._why(index))
        live = told & (np.nan_to_num(until) >= now)
        if persons[live].sum() < 0.5 * mean:
            return self._unknown(part, at, UnknownReason.STALE)
        freshness = now - float(np.max(field.informed_at[index][live]))
        if mean < LEAST_PERSONS:
            return Estimate(
                at=at,
                walkable_m2=walkable,
                high=LEAST_PERSONS,
                hidden=True,
                level_of_service="A",
                freshness_s=freshness,
            )
        low, high = interval(mean, variance)
        density = mean / walkable
        return Estimate(
            at=at,
            walkable_m2=walkable,
            occupancy=mean,
            sd=float(np.sqrt(variance)),
            low=low,
            high=high,
            density_per_m2=density,
            level_of_service=level_of_service(density),
            freshness_s=freshness,
        )

    def _why(self, index: npt.NDArray[np.int64]) -> UnknownReason:
        if self._flow_only or self._passed[index].all():
            return UnknownReason.FLOW_ONLY
        return UnknownReason.NO_DEVICE


def interval(mean: float, variance: float) -> tuple[float, float]:
    r"""Return the 90 % interval of a positive number of the given mean and variance.

    Lognormal with :math:`s^2 = \log(1 + v/m^2)`: :math:`m e^{-s^2/2 \pm 1.645 s}`.

    Examples
    --------
    >>> low, high = interval(1000.0, 100.0**2)
    >>> round(low), round(high)
    (844, 1172)
    """
    s2 = np.log1p(variance / max(mean, 1e-9) ** 2)
    centre, spread = np.log(max(mean, 1e-9)) - s2 / 2, Z_90 * np.sqrt(s2)
    return float(np.exp(centre - spread)), float(np.exp(centre + spread))


def count(counter: Counter, field: Field | None, polygon: BaseGeometry, at: datetime) -> Estimate:
    """Return how many people are in a polygon (degrees).

    Raises
    ------
    BadInput
        If the polygon lies outside the district.
    """
    part = counter.shares(polygon)
    if not len(part[0]):
        west, south, east, north = polygon.bounds
        if not counter.touches(polygon):
            raise BadInput(
                f"polygon within {west:.4f},{south:.4f},{east:.4f},{north:.4f}",
                "must touch the district",
                "draw it inside the outline",
            )
        return Estimate(at=at, walkable_m2=0.0, unknown=UnknownReason.NOT_WALKABLE)
    return counter.many(field, [part], at)[0]
