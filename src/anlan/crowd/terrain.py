"""What lies on a district's ground: where one can walk, who is to be expected there, and what is built up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from anlan.crowd import scan
from anlan.crowd.scan import PARTS
from anlan.kernel.pack import Pack

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

PLACE_DENSITY = {"metro": 0.12, "venue": 0.10, "bazaar": 0.12, "promenade": 0.06, "pedestrian": 0.08, "passage": 0.10}
OTHER_PLACE_DENSITY = 0.05
STREET_DENSITY = {"pedestrian": 0.05, "primary": 0.02, "secondary": 0.02, "tertiary": 0.015}
OTHER_STREET_DENSITY = 0.010
BLOCK_DENSITY = 0.002
"""People per m² of walkable ground to be expected at noon of an ordinary day, where nothing else is known. Only their
ratios matter where anything reports: the estimator's field of log-ratios spans factors of ten."""

LEAST_OWN = 4.0
"""Squares of ground from which on a place has squares to itself; a stair or a footbridge shares those of its
surroundings."""


@dataclass(frozen=True)
class Sheet:
    """A grid of parts of squares in the local plane: row 0 is the southernmost, ``size`` is the side of a part (m)."""

    west: float
    south: float
    size: float
    n_rows: int
    n_columns: int

    def share(self, polygon: BaseGeometry) -> Floats:
        """Return which part of each a polygon (metres) covers, shape (n_rows, n_columns)."""
        out = np.zeros((self.n_rows, self.n_columns))
        if polygon.is_empty:
            return out
        row, column, share = scan.shares(polygon, self.west, self.south, self.size)
        r0, c0 = max(-row, 0), max(-column, 0)
        r1, c1 = min(share.shape[0], self.n_rows - row), min(share.shape[1], self.n_columns - column)
        if r1 > r0 and c1 > c0:
            out[row + r0 : row + r1, column + c0 : column + c1] = share[r0:r1, c0:c1]
        return np.minimum(out, 1.0)

    def share_of_all(self, polygons: list[BaseGeometry]) -> Floats:
        """Return which part of each is covered by any of many polygons."""
        return self.share(shapely.union_all(polygons)) if polygons else np.zeros((self.n_rows, self.n_columns))


@dataclass(frozen=True, eq=False)
class Terrain:
    """What lies on each part of a square, all (n_rows, n_columns) but the last.

    ``land`` is the share that is not water, ``walkable`` the one that can be walked on, ``bare`` what is neither street
    nor place, ``built`` what is built up in places; ``people`` are to be expected by day per m² of all of it.
    ``grounds`` has of each place, but small ones and those within another, its number in the pack, the walkable share
    that is its own, and the people per m² of that.
    """

    land: Floats
    walkable: Floats
    bare: Floats
    built: Floats
    people: Floats
    grounds: tuple[tuple[int, Floats, float], ...]

    @classmethod
    def of(cls, pack: Pack, sheet: Sheet) -> Terrain:
        """Lay a district's places, streets and blocks on a sheet, each on what those before have left."""
        plane = pack.projection
        land = sheet.share(_without(plane.project(pack.boundary), [plane.project(w) for w in pack.water]))
        walkable, people, built, grounds = _lay_places(pack, sheet)
        open_ground = np.maximum(land - sheet.share_of_all([plane.project(p.polygon) for p in pack.places]), 0)
        paved, on_streets = _lay_streets(pack, sheet)
        paved_open = np.minimum(paved, open_ground)
        block = np.maximum(open_ground - paved_open, 0) * pack.block_share
        scale = np.divide(paved_open, paved, out=np.zeros_like(paved), where=paved > 0)
        return cls(
            land=land,
            walkable=np.minimum(walkable, land) + paved_open + block,
            bare=open_ground - paved_open,
            built=np.minimum(built, land),
            people=people + on_streets * scale + block * BLOCK_DENSITY,
            grounds=tuple(grounds),
        )


def whole(parts: Floats) -> Floats:
    """Return the means of the squares from those of their parts, ``PARTS`` each way."""
    n_rows, n_columns = parts.shape
    return np.asarray(parts.reshape(n_rows // PARTS, PARTS, n_columns // PARTS, PARTS).mean(axis=(1, 3)))


def _without(outline: BaseGeometry, water: list[BaseGeometry]) -> BaseGeometry:
    return shapely.difference(outline, shapely.union_all(water)) if water else outline


def by_part(sheet: Floats, row: Indices, column: Indices) -> Floats:
    """Return the values of a sheet of parts by cell, shape (n, PARTS, PARTS)."""
    n_rows, n_columns = sheet.shape
    return np.asarray(sheet.reshape(n_rows // PARTS, PARTS, n_columns // PARTS, PARTS)[row, :, column])


def _lay_places(pack: Pack, sheet: Sheet) -> tuple[Floats, Floats, Floats, list[tuple[int, Floats, float]]]:
    """Return the walkable share, the persons per m² of square to be expected, and the share built up, of the places.

    With it comes what is the own ground of each place that does not lie within another.
    """
    walkable, expected, built, taken = (np.zeros((sheet.n_rows, sheet.n_columns)) for _ in range(4))
    outlines = [pack.projection.project(place.polygon) for place in pack.places]
    grounds = []
    for number, (place, outline) in enumerate(zip(pack.places, outlines, strict=True)):
        cover = sheet.share(outline)
        built = np.maximum(built, cover * (1 - place.walkable_share))
        share = cover * place.walkable_share
        fresh = np.minimum(share, np.maximum(1.0 - walkable, 0.0))  # places may overlap: ground counts once
        density = PLACE_DENSITY.get(place.kind, OTHER_PLACE_DENSITY)
        walkable += fresh
        expected += fresh * density
        own = np.minimum(share, np.maximum(1.0 - taken, 0.0))
        if own.sum() >= LEAST_OWN * PARTS**2 and not _within_another(outline, outlines):
            taken += own
            grounds.append((number, own, density))
    return walkable, expected, built, grounds


def _within_another(outline: BaseGeometry, outlines: Sequence[BaseGeometry]) -> bool:
    """Tell whether most of a place lies in a larger one: a stair on a promenade, a bridge in a garden."""
    larger = [other for other in outlines if other.area > outline.area and other.intersects(outline)]
    return any(other.intersection(outline).area > 0.5 * outline.area for other in larger)


def _lay_streets(pack: Pack, sheet: Sheet) -> tuple[Floats, Floats]:
    """Return the share paved by streets, junctions once, and the persons per m² of square to be expected."""
    by_density: dict[float, list[BaseGeometry]] = {}
    for street in pack.streets:
        if street.walk:
            density = STREET_DENSITY.get(street.street_class, OTHER_STREET_DENSITY)
            band = pack.projection.project(street.line).buffer(street.width_m / 2, cap_style="flat")
            by_density.setdefault(density, []).append(band)
    paved, expected = np.zeros((sheet.n_rows, sheet.n_columns)), np.zeros((sheet.n_rows, sheet.n_columns))
    for density in sorted(by_density, reverse=True):
        share = sheet.share_of_all(by_density[density])
        fresh = np.minimum(share, np.maximum(1.0 - paved, 0.0))
        paved += fresh
        expected += fresh * density
    return paved, expected
