"""A survey of footfall in the simulated district: people who walk its streets on a past day and count whom they see."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from anlan.kernel.pack import Pack, Usual
from anlan.twin.waves import waves

Floats = npt.NDArray[np.float64]

HOURS = (3, 8, 11, 14, 17, 19, 21, 23)
"""Local hours at which each square is looked at."""
MINUTES = (0, 5, 10, 15)
"""Minutes of those hours at which who is in it is counted; what is told is their mean."""
HASTE, HABIT, HABIT_M = 0.08, 0.05, 300.0
"""Spread of the error of one square's number, and of what the one who counts around here has in common."""


class Surveyor:
    """Counts people in public space by square at chosen hours of a day, with the errors of counting by hand.

    Parameters
    ----------
    pack : Pack
    seed : int
        Of who counts where, and how well.
    size_m : float
        Side of the squares.
    """

    def __init__(self, pack: Pack, seed: int, size_m: float = 25.0) -> None:
        self._plane = pack.projection
        self._rng = np.random.default_rng((seed, 7))
        self._size = size_m
        x0, y0, x1, y1 = self._plane.project(pack.boundary).bounds
        self._west, self._south = np.floor(x0 / size_m) * size_m, np.floor(y0 / size_m) * size_m
        self._columns = int(np.ceil((x1 - self._west) / size_m))
        self._rows = int(np.ceil((y1 - self._south) / size_m))
        self._seen = np.zeros((len(HOURS), self._rows * self._columns))
        self._looks = np.zeros(len(HOURS), int)
        self._told = self._walked(pack)

    def look(self, hour: int, minute: int, x: Floats, y: Floats) -> None:
        """Count those in public space, should it be a moment at which one counts."""
        if hour not in HOURS or minute not in MINUTES:
            return
        column = ((x - self._west) // self._size).astype(np.int64)
        row = ((y - self._south) // self._size).astype(np.int64)
        on = (column >= 0) & (column < self._columns) & (row >= 0) & (row < self._rows)
        k = HOURS.index(hour)
        self._seen[k] += np.bincount(row[on] * self._columns + column[on], minlength=self._seen.shape[1])
        self._looks[k] += 1

    def made(self) -> Usual:
        """Return what was counted, rounded to tenths, of every square with a street or a place in it."""
        hours = np.flatnonzero(self._looks)
        x, y = (
            self._west + (self._told % self._columns + 0.5) * self._size,
            self._south + (self._told // self._columns + 0.5) * self._size,
        )
        off = HASTE * self._rng.standard_normal(len(x)) + HABIT * waves(x, y, HABIT_M, self._rng)
        seen = self._seen[hours] / self._looks[hours, None]
        lon, lat = self._plane.to_degrees(x, y)
        return Usual(
            lon=np.asarray(lon),
            lat=np.asarray(lat),
            size_m=np.full(len(x), self._size),
            hours=tuple(HOURS[k] for k in hours),
            persons=np.round(seen[:, self._told].T * np.exp(off)[:, None], 1),
        )

    def _walked(self, pack: Pack) -> npt.NDArray[np.int64]:
        """Return the squares that touch a street or a place."""
        number = np.arange(self._rows * self._columns)
        west, south = (
            self._west + number % self._columns * self._size,
            self._south + number // self._columns * self._size,
        )
        tree = shapely.STRtree(shapely.box(west, south, west + self._size, south + self._size))
        ground = [self._plane.project(place.polygon) for place in pack.places]
        ground += [
            self._plane.project(street.line).buffer(street.width_m / 2, cap_style="flat")
            for street in pack.streets
            if street.walk
        ]
        return np.unique(tree.query(np.array(ground, object), predicate="intersects")[1])
