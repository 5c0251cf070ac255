r"""Parcels: the smallest unions of cells of which a number is told.

Whoever may ask for any polygon may ask for two that differ by a doorway, and subtract. So no answer is made from single
cells. Each minute the cells are joined to parcels, each with at least 400 m² of walkable ground and ten people, and
within a parcel its people are spread by what is to be expected there, a constant that no device has a part in:

.. math:: \tilde x_c = X_a \frac{e_c}{E_a}, \quad X_a = \sum_{c \in a} x_c, \quad E_a = \sum_{c \in a} e_c

Every answer is computed from :math:`\tilde x`, hence from the :math:`X_a` alone, each of which could be asked for by
itself. However many polygons are asked and subtracted, nothing about less than a parcel is in the differences.

References
----------
L. Sweeney, *k-anonymity*, 2002 (a least number behind every cell of a table); C. Dwork, A. Roth, *The Algorithmic
Foundations of Differential Privacy*, 2014, proposition 2.1 (what is computed from a release tells no more than it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.crowd.cells import Cells
from anlan.kernel.pack import Pack
from anlan.kernel.records import LEAST_PERSONS

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

LEAST_M2 = 400.0
"""Under this walkable area no number is given: it could single out people."""


@dataclass(frozen=True, eq=False)
class Parcels:
    """Joins the cells of a district to parcels. It holds constants only; the people come with each question.

    Examples
    --------
    >>> parcels = Parcels(
    ...     row=np.array([0, 0, 0, 0]),
    ...     column=np.array([0, 1, 2, 3]),
    ...     walkable_m2=np.full(4, 500.0),
    ...     expected=np.array([1.0, 1.0, 1.0, 3.0]),
    ...     side=np.array([-1, -1, -1, -1]),
    ... )
    >>> parcels.numbers(np.array([90.0, 40.0, 4.0, 8.0])).tolist()
    [0, 1, 2, 2]
    >>> parcels.spread(np.array([90.0, 40.0, 4.0, 8.0])).tolist()
    [90.0, 40.0, 3.0, 9.0]
    """

    row: Numbers
    column: Numbers
    walkable_m2: Floats
    expected: Floats
    side: Numbers
    """Number of the place that has most of a cell's ground, -1 for none, shape (n,)."""

    @classmethod
    def of(cls, cells: Cells, pack: Pack) -> Parcels:
        """Return the parcels' constants of a district."""
        side = cells.place.copy()
        for number, place in enumerate(pack.places):
            if place.closed:
                index, share = cells.of_place(number, pack.projection.project(place.polygon))
                side[index[share >= 0.5]] = number
        return cls(cells.row, cells.column, cells.walkable_m2, cells.expected, side)

    def numbers(self, persons: Floats) -> Numbers:
        """Return the parcel of each cell.

        A cell that holds enough is a parcel by itself. What is left over in a square of two by two cells is joined, and
        is a parcel where that is enough; else it waits for the square of twice the side. So a crowd keeps its cells,
        and what is nearly empty joins only with what is nearly empty around it. First it joins on its own side of the
        outline of a place, so that a park that empties has no part in the street before it; what a whole place has
        left over, with whatever is around it.

        Parameters
        ----------
        persons : float64, shape (n,)

        Returns
        -------
        int64, shape (n,)
            Numbered from 0.
        """
        parcel, n_made = np.full(len(persons), -1, np.int64), 0
        for side in (self.side + 1, np.zeros(len(persons), np.int64)):
            n_made = self._joined(persons, side, parcel, n_made)
        loose = np.flatnonzero(parcel < 0)
        if len(loose):  # too few in all: they join whichever parcel has the fewest, which tells least of either
            sums = np.bincount(parcel[parcel >= 0], persons[parcel >= 0], n_made)
            parcel[loose] = int(sums.argmin()) if n_made else 0
        return parcel

    def _joined(self, persons: Floats, side: Numbers, parcel: Numbers, n_made: int) -> int:
        """Number the parcels of those without one, side by side, from ``n_made`` on; return how many there are."""
        loose, level, n_sides = np.flatnonzero(parcel < 0), 0, int(side.max(initial=0)) + 1
        while len(loose):
            row, column = self.row[loose] >> level, self.column[loose] >> level
            block = row * (int(column.max()) + 1) + column
            if level:  # a cell by itself stands on one side
                block = block * n_sides + side[loose]
            held = np.bincount(block, persons[loose])
            enough = (held >= LEAST_PERSONS) & (np.bincount(block, self.walkable_m2[loose]) >= LEAST_M2)
            number = n_made - 1 + np.cumsum(enough)
            made = enough[block]
            parcel[loose[made]] = number[block[made]]
            n_made += int(enough.sum())
            loose, done = loose[~made], not (row.any() or column.any())
            if done:
                break
            level += 1
        return n_made

    def spread(self, persons: Floats) -> Floats:
        """Return the people of each parcel spread over its cells by what is to be expected there; the sum stays.

        Where nothing is known of a cell (NaN), nothing is told of any.
        """
        if not np.isfinite(persons).all():
            return np.full(len(persons), np.nan)
        parcel = self.numbers(persons)
        return np.asarray((np.bincount(parcel, persons) / np.bincount(parcel, self.expected))[parcel] * self.expected)
