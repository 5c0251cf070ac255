"""Cells that nothing tells of are kept with their people, below zero: half of a polygon's people may be such."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anlan.store.history import Persons

Floats = npt.NDArray[np.float64]

UNTOLD = 0.1
"""They are kept by this much further below zero: a zero would lose its sign."""


def kept_persons(persons: Floats, told: npt.NDArray[np.bool_]) -> Persons:
    """Return people by cell as they are kept, with whether anything tells of them; :func:`told_persons` reads them.

    A polygon is told when half of its people are: who keeps only those of some cells could not tell it again.

    Examples
    --------
    >>> kept = kept_persons(np.array([3.0, 3.0, 0.0]), np.array([True, False, False]))
    >>> persons, told = told_persons(kept)
    >>> persons.round(1).tolist(), told.tolist()
    ([3.0, 3.0, 0.0], [True, False, False])
    """
    return np.where(told, persons, -persons - UNTOLD).astype(np.float32)


def told_persons(kept: Persons) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the people of :func:`kept_persons`, and of which cells something told; NaN of others in old days."""
    told = kept >= 0
    persons = np.where(told, kept, -kept - np.float32(UNTOLD)).astype(np.float64)
    return persons, told
