"""The squares in which people are estimated: where one can walk, and how many are to be expected."""

from __future__ import annotations

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from anlan.crowd import scan
from anlan.crowd.inside import Inside, Shares
from anlan.crowd.scan import PARTS
from anlan.crowd.sides import Side, told_apart
from anlan.crowd.terrain import Sheet, Terrain, by_part, whole
from anlan.crowd.usual import people_at_home, usual_people
from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Projection
from anlan.kernel.pack import Pack

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

BUILD = "10"
"""Changes whenever cells of the same pack would come out otherwise."""

INDOOR_DENSITY = 0.015
"""People indoors per m² of ground, where the pack does not tell its number of residents."""
UNSEEN_HOUSES = 0.5
"""Share of any ground that is taken to be built up at least."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The active squares of a district: those with ground that can be walked on. ``n`` of them.

    Attributes
    ----------
    west_m, south_m, size_m, n_columns, n_rows
        The grid in the local plane; row 0 is the southernmost.
    row, column : int64, shape (n,)
    walkable_m2 : float64, shape (n,)
        Ground that can be walked on.
    parts : float64, shape (n, PARTS, PARTS)
        How that ground lies in the square, southernmost row first: shares that add up to one.
    place : int64, shape (n,)
        Number, in the pack's order, of the open place on whose ground a square is, -1 for none. Its other ground is
        its neighbour's. Closed places have their squares to themselves, too, but are cut along their outline.
    expected : float64, shape (n,)
        Persons in public space to be expected by day, before anything is observed.
    hours : int64, shape (k,)
        Local hours of the usual numbers, rising.
    usual : float64, shape (k, n)
        Persons usually in public space at those hours.
    indoors : float64, shape (n,)
        Persons indoors to be expected, whom a location grid sees as well.
    houses_m2 : float64, shape (n,)
        Ground that is built up, or neither street nor place.
    surveyed, counted_at_home
        Whether a survey of footfall, and a census by area, stand behind these numbers.
    """

    west_m: float
    south_m: float
    size_m: float
    n_columns: int
    n_rows: int
    lon: float
    lat: float
    row: Indices
    column: Indices
    walkable_m2: Floats
    parts: Floats
    place: Indices
    expected: Floats
    hours: Indices
    usual: Floats
    indoors: Floats
    houses_m2: Floats
    surveyed: bool
    counted_at_home: bool
    digest: str

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(cls, pack: Pack) -> Cells:
        """Lay cells over a district."""
        size = pack.cell_m
        x0, y0, x1, y1 = pack.projection.project(pack.boundary).bounds
        west, south = np.floor(x0 / size) * size, np.floor(y0 / size) * size
        n_columns, n_rows = int(np.ceil((x1 - west) / size)), int(np.ceil((y1 - south) / size))
        sheet = Sheet(west, south, size / PARTS, PARTS * n_rows, PARTS * n_columns)
        found = Terrain.of(pack, sheet)
        row, column = np.nonzero(whole(found.walkable) * size**2 >= 1.0)
        x_m, y_m = west + (column + 0.5) * size, south + (row + 0.5) * size
        sides = [Side(by_part(held, row, column) * sheet.size**2, density) for _, held, density in found.grounds]
        ground_m2 = by_part(found.walkable, row, column) * sheet.size**2
        expected = whole(found.people)[row, column] * size**2
        parts, walkable_m2, expected, side = told_apart(ground_m2, expected, sides, x_m, y_m, reach_m=2 * size)
        hours, usual = usual_people(pack, x_m, y_m, expected)
        # Maps do not show every house: a little of any ground is taken to be built up.
        houses = whole(np.maximum(found.bare + found.built, UNSEEN_HOUSES * found.land))[row, column]
        at_home = people_at_home(pack.areas, pack.projection, x_m, y_m, houses)
        people = pack.figures.get("residents") or INDOOR_DENSITY * float(found.land.sum()) * sheet.size**2
        return cls(
            west_m=float(west),
            south_m=float(south),
            size_m=size,
            n_columns=n_columns,
            n_rows=n_rows,
            lon=pack.lon,
            lat=pack.lat,
            row=row,
            column=column,
            walkable_m2=walkable_m2,
            parts=parts,
            place=_open_place(pack, [number for number, _, _ in found.grounds])[side],
            expected=np.maximum(expected, 1e-3) if pack.usual is None else usual.mean(axis=0),
            hours=hours,
            usual=usual,
            houses_m2=whole(np.maximum(found.bare, found.built))[row, column] * size**2,
            indoors=houses * (people / (float(houses.sum()) or 1.0)) if at_home is None else at_home,
            surveyed=pack.usual is not None,
            counted_at_home=at_home is not None,
            digest=digest_of(pack),
        )

    def usual_at(self, hour: float) -> Floats:
        """Return the people usually in public space in each cell at a local hour of 0 to 24, shape (n,)."""
        place = float(
            np.interp(hour, [self.hours[-1] - 24, *self.hours, self.hours[0] + 24], range(-1, len(self.hours) + 1))
        )
        before = int(np.floor(place))
        part = place - before
        n = len(self.hours)
        return np.asarray((1 - part) * self.usual[before % n] + part * self.usual[(before + 1) % n])

    def to_bytes(self) -> bytes:
        """Return the cells as bytes."""
        arrays: dict[str, Any] = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        out = io.BytesIO()
        np.savez(out, **arrays)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes) -> Cells:
        """Return the cells of :meth:`to_bytes`.

        Raises
        ------
        BadInput
            If the bytes are damaged or of another form.
        """
        try:
            with np.load(io.BytesIO(body), allow_pickle=False) as kept:
                return cls(**{f.name: kept[f.name] if kept[f.name].ndim else kept[f.name].item() for f in fields(cls)})
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as fault:
            raise BadInput(f"cells of {len(body)} bytes", f"must be whole ({fault})", "lay them again") from None

    @classmethod
    def cached(cls, pack: Pack, path: Path) -> Cells:
        """Return the cells kept at ``path``; lay and keep them where they are missing, damaged, or of another pack."""
        if path.is_file():
            with contextlib.suppress(BadInput):
                kept = cls.from_bytes(path.read_bytes())
                if kept.digest == digest_of(pack):
                    return kept
        made = cls.of(pack)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(made.to_bytes())
        fresh.replace(path)  # whole or not at all, should the program be killed here
        return made

    @cached_property
    def projection(self) -> Projection:
        """The local plane of the district."""
        return Projection(self.lon, self.lat)

    @cached_property
    def x_m(self) -> Floats:
        """East of the centre of each cell, shape (n,)."""
        return np.asarray(self.west_m + (self.column + 0.5) * self.size_m)

    @cached_property
    def y_m(self) -> Floats:
        """North of the centre of each cell, shape (n,)."""
        return np.asarray(self.south_m + (self.row + 0.5) * self.size_m)

    @cached_property
    def number(self) -> Indices:
        """Number of the cell in each square of the grid, -1 where none is active, shape (n_rows, n_columns)."""
        found = np.full((self.n_rows, self.n_columns), -1, np.int64)
        found[self.row, self.column] = np.arange(len(self))
        return found

    def shares(self, polygon: BaseGeometry) -> Shares:
        """Return which cells a polygon (metres) touches, and the part of each one's ground that lies inside (0..1]."""
        return self.shares_of([polygon])[0]

    def shares_of(self, polygons: Sequence[BaseGeometry]) -> Inside:
        """Return the same of many polygons (metres)."""
        return Inside(*scan.gathered(self.outlines_of(polygons), self._cut, self.number))

    def of_place(self, number: int, outline: BaseGeometry) -> Shares:
        """Return the cells of a place (its number in the pack, its outline in metres): of an open one its own, whole.

        A closed place, and one that has no square to itself, such as a stair on a promenade, has what lies in its
        outline, like any polygon.
        """
        own = np.flatnonzero(self.place == number)
        return (own, np.ones(len(own))) if len(own) else self.shares(outline)

    def outlines_of(self, polygons: Sequence[BaseGeometry]) -> scan.Outlines:
        """Return the outlines of polygons (metres) in parts of cells."""
        return scan.Outlines.of(polygons, self.west_m, self.south_m, self.size_m / PARTS)

    def cut(self, values: Floats) -> Floats:
        """Return values of the cells (n, q) by their parts on the whole grid, southernmost row first."""
        sheet = np.zeros((self.n_rows, PARTS, self.n_columns, PARTS, values.shape[1]))
        sheet[self.row, :, self.column] = self.parts[..., None] * values[:, None, None]
        return sheet.reshape(PARTS * self.n_rows, PARTS * self.n_columns, -1)

    @cached_property
    def _cut(self) -> Floats:
        return np.ascontiguousarray(self.cut(np.ones((len(self), 1)))[..., 0])

    def at(self, x_m: float, y_m: float) -> int | None:
        """Return the number of the cell at a point (metres), or None where none is active."""
        row, column = int((y_m - self.south_m) // self.size_m), int((x_m - self.west_m) // self.size_m)
        if not (0 <= row < self.n_rows and 0 <= column < self.n_columns):
            return None
        number = int(self.number[row, column])
        return number if number >= 0 else None

    def numbers_at(self, x_m: Floats, y_m: Floats) -> Indices:
        """Return the number of the cell at each point (metres), -1 where none is active, shape of the points."""
        row = ((y_m - self.south_m) // self.size_m).astype(np.int64)
        column = ((x_m - self.west_m) // self.size_m).astype(np.int64)
        on = (row >= 0) & (row < self.n_rows) & (column >= 0) & (column < self.n_columns)
        return np.where(on, self.number[np.where(on, row, 0), np.where(on, column, 0)], -1)

    def raster(self, values: Floats, fill: float = np.nan) -> Floats:
        """Return values of the cells on the whole grid, northernmost row first, ``fill`` where no cell is active."""
        sheet = np.full((self.n_rows, self.n_columns), fill)
        sheet[self.row, self.column] = values
        return sheet[::-1]

    def corners(self) -> list[tuple[float, float]]:
        """Return the grid's corners as (longitude, latitude): north-west, north-east, south-east, south-west."""
        east, north = self.west_m + self.n_columns * self.size_m, self.south_m + self.n_rows * self.size_m
        lon, lat = self.projection.to_degrees(
            [self.west_m, east, east, self.west_m], [north, north, self.south_m, self.south_m]
        )
        return [(float(a), float(b)) for a, b in zip(lon, lat, strict=True)]


def _open_place(pack: Pack, numbers: Sequence[int]) -> Indices:
    """Return the number of each open place, -1 of each closed one, and -1 at the end.

    With its squares whole, the balance of a closed place's gates was the same, but the street's crowd beside its fence
    pulled more at it (docs/why.md).
    """
    return np.array([*(-1 if pack.places[number].closed else number for number in numbers), -1], np.int64)


def digest_of(pack: Pack) -> str:
    """Return a fingerprint of everything in a pack that shapes its cells."""
    digest = hashlib.sha256(
        repr((BUILD, pack.lon, pack.lat, pack.cell_m, pack.block_share, pack.figures.get("residents"))).encode()
    )
    digest.update(shapely.to_wkb(pack.boundary))
    for place in pack.places:
        digest.update(repr((place.kind, place.walkable_share, place.closed)).encode() + shapely.to_wkb(place.polygon))
    for street in pack.streets:
        digest.update(repr((street.walk, street.street_class, street.width_m)).encode() + shapely.to_wkb(street.line))
    for area in pack.areas:
        if area.residents is not None:
            digest.update(repr((area.area_id, area.residents)).encode() + shapely.to_wkb(area.polygon))
    if pack.usual is not None:
        usual = pack.usual
        digest.update(repr(usual.hours).encode() + np.column_stack([usual.lon, usual.lat, usual.size_m]).tobytes())
        digest.update(usual.persons.tobytes())
    for polygon in pack.water:
        digest.update(shapely.to_wkb(polygon))
    return digest.hexdigest()
