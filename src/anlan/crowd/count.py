"""How many people are in a polygon, a place, an area: the estimate as an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv
from shapely.geometry.base import BaseGeometry

from anlan.crowd import scan
from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.inside import Indices, Inside, Shares
from anlan.crowd.measures import level_of_service
from anlan.crowd.parcels import LEAST_M2
from anlan.crowd.spread import entries, informed
from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import LEAST_PERSONS, DeviceKind, Estimate, UnknownReason

Floats = npt.NDArray[np.float64]
Sheet = npt.NDArray[np.float32]


class _Tally(NamedTuple):
    """The sums of one polygon; ``told`` and ``live`` are persons where anything ever, and still, informs."""

    mean: float
    sd: float
    low: float
    high: float
    walkable_m2: float
    told: float
    live: float
    freshness_s: float


class Counter:
    """Counts in polygons of one district. It knows the cells, and which of them only passing people are counted in."""

    def __init__(self, pack: Pack, cells: Cells) -> None:
        self._plane = pack.projection
        self._cells = cells
        self._boundary = pack.boundary
        self._places = {place.polygon.wkb: number for number, place in enumerate(pack.places)}
        self._sheets: tuple[Field, Sheet, Sheet | None] | None = None
        lines = [pack.projection.project(d.geometry) for d in pack.devices if d.kind is DeviceKind.PASSAGE]
        cell = [cells.at(line.centroid.x, line.centroid.y) for line in lines]
        self._passed = np.zeros(len(cells), bool)
        self._passed[[number for number in cell if number is not None]] = True
        kinds = {device.kind for device in pack.devices} - {DeviceKind.ROAD}
        self._flow_only = kinds == {DeviceKind.PASSAGE}

    def shares(self, polygon: BaseGeometry) -> Shares:
        """Return the cells that a polygon (degrees) touches, and the part of each inside; of a place, its own."""
        outline, number = self._plane.project_near(polygon), self._places.get(polygon.wkb)
        return self._cells.shares(outline) if number is None else self._cells.of_place(number, outline)

    def touches(self, polygon: BaseGeometry) -> bool:
        """Tell whether a polygon (degrees) touches the district at all."""
        return bool(self._boundary.intersects(polygon))

    def walkable_m2(self, shares: Shares) -> float:
        """Return the ground in a polygon that can be walked on."""
        return float(self._cells.walkable_m2[shares[0]] @ shares[1])

    def means(self, field: Field, polygons: Sequence[BaseGeometry]) -> Floats:
        """Return the mean persons in each of many polygons (metres), NaN where no number may be told, shape (m,).

        It costs the length of the outlines only; :meth:`many` gives intervals and reasons as well.
        """
        persons, live = self._prefixes(field)
        outlines = self._cells.outlines_of(polygons)
        mean, walkable = scan.sums(outlines, persons).T
        told = (walkable >= LEAST_M2) & (mean >= LEAST_PERSONS)
        if live is not None:
            told &= scan.sums(outlines, live)[:, 0] >= 0.5 * mean
        return np.where(told, mean, np.nan)

    def _prefixes(self, field: Field) -> tuple[Sheet, Sheet | None]:
        """Return the sums, by rows of parts of cells, of persons and walkable ground; and where something informs.

        The latter is None where that is everywhere.
        """
        if self._sheets is None or self._sheets[0] is not field:
            persons = np.nan_to_num(field.persons)
            live = np.nan_to_num(field.informed_until, nan=-np.inf) >= field.at.timestamp()
            made = [persons] if live[persons > 0].all() else [persons, persons * live]
            sheets = [self._cells.cut(np.column_stack([values, self._cells.walkable_m2])) for values in made]
            whole, *some = [scan.prefix(sheet).astype(np.float32) for sheet in sheets]  # half the memory to walk
            self._sheets = field, whole, some[0] if some else None
        return self._sheets[1:]

    def many(self, field: Field | None, parts: Sequence[Shares] | Inside, at: datetime) -> list[Estimate]:
        """Return the estimates of several polygons, in one go."""
        if not parts:
            return []
        if field is None:
            return [self._unknown(part, at, UnknownReason.NOT_STARTED) for part in parts]
        inside, now_s = Inside.of(parts), at.timestamp()
        weights = inside.weights(len(self._cells))
        mean, variance = field.sums(weights)
        told = field.informed_at, field.informed_until
        sums, newest = informed(entries(weights), field.persons, self._cells.walkable_m2, told, now_s)
        low, high = intervals(mean, variance)
        columns = (values.tolist() for values in (mean, np.sqrt(variance), low, high, *sums.T, now_s - newest))
        tallies = map(_Tally._make, zip(*columns, strict=True))
        return [self._estimate(inside, k, at, tally) for k, tally in enumerate(tallies)]

    def _unknown(self, part: Shares, at: datetime, reason: UnknownReason) -> Estimate:
        walkable = self.walkable_m2(part)
        if not walkable:
            reason = UnknownReason.NOT_WALKABLE
        elif walkable < LEAST_M2:
            reason = UnknownReason.TOO_SMALL
        return Estimate(at=at, walkable_m2=walkable, unknown=reason)

    def _estimate(self, inside: Inside, k: int, at: datetime, tally: _Tally) -> Estimate:
        mean, walkable, freshness = tally.mean, tally.walkable_m2, tally.freshness_s
        if walkable < LEAST_M2:
            return self._unknown(inside[k], at, UnknownReason.TOO_SMALL)
        if not math.isfinite(mean) or not tally.told or tally.told < 0.5 * mean:
            return self._unknown(inside[k], at, self._why(inside[k][0]))
        if tally.live < 0.5 * mean:
            return self._unknown(inside[k], at, UnknownReason.STALE)
        if mean < LEAST_PERSONS:
            return Estimate(
                at=at,
                walkable_m2=walkable,
                high=LEAST_PERSONS,
                hidden=True,
                level_of_service="A",
                freshness_s=freshness,
            )
        density = mean / walkable
        return Estimate(
            at=at,
            walkable_m2=walkable,
            occupancy=mean,
            sd=tally.sd,
            low=tally.low,
            high=tally.high,
            density_per_m2=density,
            level_of_service=level_of_service(density),
            freshness_s=freshness,
        )

    def _why(self, index: Indices) -> UnknownReason:
        if self._flow_only or self._passed[index].all():
            return UnknownReason.FLOW_ONLY
        return UnknownReason.NO_DEVICE


def intervals(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    r"""Return the 90 % intervals of positive numbers of given means and variances, each (m,).

    Of a gamma distribution of shape :math:`k = m^2 / v` and scale :math:`v / m`. What a model of log-ratios leaves open
    has a longer tail below than above its mean (a street is empty more often than it is three times as full), which a
    lognormal of the same variance denies: it held the truth less often, though it was wider.

    Examples
    --------
    >>> low, high = intervals(np.array([1000.0, 50.0]), np.array([100.0**2, 60.0**2]))
    >>> low.round().tolist(), high.round().tolist()
    ([841.0, 1.0], [1170.0, 171.0])
    """
    mean = np.maximum(mean, 1e-9)
    scale = np.maximum(variance / mean, 1e-12 * mean)
    shape = mean / scale
    return gammaincinv(shape, 0.05) * scale, gammaincinv(shape, 0.95) * scale


def interval(mean: float, variance: float) -> tuple[float, float]:
    """Return the 90 % interval of one number as :func:`intervals` does.

    Examples
    --------
    >>> [round(bound) for bound in interval(1000.0, 100.0**2)]
    [841, 1170]
    """
    low, high = intervals(np.array([mean]), np.array([variance]))
    return float(low[0]), float(high[0])


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
