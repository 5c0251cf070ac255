"""Which side of a place's outline a square belongs to: what a place holds does not stand in the street beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Side:
    """The ground of a place by square and its parts (m², (n, p, p)), and the persons per m² to be expected."""

    ground_m2: Floats
    density: float


def told_apart(
    ground_m2: Floats, expected: Floats, places: Sequence[Side], x_m: Floats, y_m: Floats, reach_m: float
) -> tuple[Floats, Floats, Floats, Indices]:
    """Give each square on the outline of a place to one side: that of which it has most ground.

    A square has one number of people. Where an outline runs through it, part of a crowd behind the fence, or on the
    quay, would be told in the quiet street before it. So the square is wholly on one side, and the ground of the other
    goes to the nearest square that is on that one; no ground and nobody expected is lost. Where none is within reach it
    stays: a place of a few metres has no square to itself.

    Parameters
    ----------
    ground_m2 : float64, shape (n, p, p)
        Ground that can be walked on, by square and its parts.
    expected : float64, shape (n,)
        Persons.
    places : sequence of Side
        Parts of that ground, which do not overlap.
    x_m, y_m : float64, shape (n,)
        Middles of the squares.
    reach_m : float

    Returns
    -------
    parts : float64, shape (n, p, p)
        How the ground of its own side lies in each square: shares that add up to one.
    walkable_m2, expected : float64, shape (n,)
    side : int64, shape (n,)
        On which of the places each square is, -1 for none.
    """
    behind = sum((side.ground_m2 for side in places), np.zeros_like(ground_m2))
    people = [side.ground_m2.sum(axis=(1, 2)) * side.density for side in places]
    grounds = [np.maximum(ground_m2 - behind, 0.0), *(side.ground_m2 for side in places)]
    people = [np.maximum(expected - sum(people, np.zeros(len(expected))), 0.0), *people]
    own, kept = ground_m2.copy(), ground_m2.sum(axis=(1, 2))
    expected = expected.copy()
    held = np.array([ground.sum(axis=(1, 2)) for ground in grounds])
    side = held.argmax(axis=0)
    for number, (cell, target) in enumerate(_moves(held, side, np.column_stack([x_m, y_m]), reach_m)):
        ground, those = grounds[number][cell], people[number][cell]
        own[cell] -= ground
        for values, moved in ((kept, ground.sum(axis=(1, 2))), (expected, those)):
            np.subtract.at(values, cell, moved)
            np.add.at(values, target, moved)
    own = np.maximum(own, 0.0)
    return own / own.sum(axis=(1, 2), keepdims=True), kept, expected, side - 1


def _moves(held: Floats, side: Indices, at: Floats, reach_m: float) -> Iterator[tuple[Indices, Indices]]:
    """Return, side by side, the squares that have some of its ground and are not on it, and where that ground goes."""
    fenced = np.flatnonzero((held > 0).sum(axis=0) > 1)
    for number in range(len(held)):
        cell, there = fenced[(held[number, fenced] > 0) & (side[fenced] != number)], np.flatnonzero(side == number)
        if not len(cell) or not len(there):
            yield cell[:0], cell[:0]
            continue
        far, near = cKDTree(at[there]).query(at[cell])
        yield cell[far <= reach_m], there[near[far <= reach_m]]
