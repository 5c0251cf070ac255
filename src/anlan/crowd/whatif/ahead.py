"""An hour ahead, with a measure and without: what changes, where, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from anlan.crowd.whatif.ground import DEMAND, MOST_FLOW, SUPPLY, Ground
from anlan.crowd.whatif.kernel import spread, walk_on
from anlan.crowd.whatif.routes import Habitat, Routes, Shares

Floats = npt.NDArray[np.float64]

STEP_S = 15.0
PER_MINUTE = 4
LIMITS_PER_M2 = np.array([2.0, 3.0, 4.0])
"""Densities above which time is counted: noticed, warned of (Seoul's alarm), critical for movement (Still)."""

STAY_SPREAD = 0.35
COMING_SPREAD = 0.25
PACE_SPREAD = 0.10
"""Assumed: the spread of the logarithm of how long people stay in a place, of how many more or fewer come than leave,
and of how much faster or slower they walk than Weidmann says. Members of the ensemble differ in all of them."""


@dataclass(frozen=True, kw_only=True)
class Habit:
    """What one member of the ensemble takes for true: persons by cell now, and how people behave.

    ``stay``, ``coming`` and ``pace`` are how much longer they stay, how many more come than leave, and how much faster
    they walk than assumed.
    """

    persons: Floats
    stay: float = 1.0
    coming: float = 1.0
    pace: float = 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """One run: persons by cell at the end, the peak density by cell, seconds above each limit, and the books."""

    persons: Floats
    peak_per_m2: Floats
    above_s: Floats
    n_begin: float
    n_came: float
    n_left: float
    n_outside: float
    """Who came to a way in and still waits beyond it, because the ground behind it is full."""
    walking: Floats
    """People on the way or waiting, at every minute, shape (minutes,)."""
    occupancy: Floats
    """People in each place at every minute, shape (minutes, places)."""

    @property
    def lost(self) -> float:
        """How many are missing from the books, as a share of all: rounding only."""
        books = self.n_begin + self.n_came - self.n_left - float(self.persons.sum())
        return abs(books) / max(self.n_begin + self.n_came, 1.0)


def run(routes: Routes, habitat: Habitat, habit: Habit, places: Sequence[Shares], minutes: int = 60) -> Course:
    """Return what becomes of people within an hour.

    People stay in the places that draw them and leave after a while for the nearest way out; as many come as left.
    Elsewhere, coming and going are in balance and are not followed. Walkers move by the cell transmission rule, and no
    cell takes anybody above 6.5 per m²: they wait in the cell before it, or beyond the way in.

    Parameters
    ----------
    routes : Routes
    habitat : Habitat
    habit : Habit
    places : sequence of (cells, share inside)
    minutes : int

    References
    ----------
    C. F. Daganzo, *The cell transmission model*, Transportation Research B 28 and 29, 1994, 1995; R. L. Hughes, *A
    continuum theory for the flow of pedestrians*, Transportation Research B 36, 2002 (potentials); U. Weidmann,
    *Transporttechnik der Fussgänger*, ETH Zürich, 1993. Where we differ: potentials are of the present crowd and stay.
    """
    ground, live, step = routes.ordered.ground, routes.live, STEP_S
    home, on = routes.home, ground.ground_m2[live]
    habit = replace(habit, persons=fitted(ground, habit.persons))
    here = habit.persons[live]
    walkers = _set_off(routes, habitat, habit)
    staying = np.maximum(here - walkers.sum(axis=1), 0.0)
    come = np.zeros((len(ground), walkers.shape[1]))
    more = habitat.more(habit.persons)
    np.add.at(come, ground.exit_cell, _arrivals(routes, habit, np.minimum(more, 1.0)))
    leaving = -np.expm1(-step * (habitat.per_s / np.maximum(more, 1.0))[home] / habit.stay)
    begun = habit.persons / ground.ground_m2
    peak, above = begun[live], np.zeros((len(LIMITS_PER_M2), len(live)))
    allow, ajar = routes.ordered.allowed(minutes * PER_MINUTE, step)
    came, left, outside, walking, shown = walk_on(
        walkers, staying, come[live], np.maximum(here, 1e-3 * on), routes.near, routes.width_m, routes.turn, on, home,
        leaving, routes.gated, allow, ajar, routes.sink,
        DEMAND * habit.pace, SUPPLY * habit.pace, peak, above, LIMITS_PER_M2, step, ground.size_m,
        MOST_FLOW * habit.pace, PER_MINUTE,
    )  # fmt: skip
    return Course(
        persons=_with(habit.persons, live, staying + walkers.sum(axis=1)),
        peak_per_m2=_with(begun, live, peak),
        above_s=np.stack(
            [
                _with(60.0 * minutes * (begun > limit), live, one)
                for limit, one in zip(LIMITS_PER_M2, above, strict=True)
            ]
        ),
        n_begin=float(habit.persons.sum()),
        n_came=came,
        n_left=left,
        n_outside=outside,
        walking=walking,
        occupancy=_occupancy(habit.persons, live, shown, places),
    )


def fitted(ground: Ground, persons: Floats) -> Floats:
    """Return the persons by cell, none denser than people can stand as far as there is room, and as many in all.

    An estimate tells how many are in a place better than in which of its cells: what does not fit into one is put into
    those around it, in a thousand rounds at most: where hardly any room is left, a cell may stay a hair above.

    Examples
    --------
    >>> row = np.array([[-1, 1, -1, -1], [0, -1, -1, -1]])
    >>> ground = Ground(near=row, width_m=np.ones((2, 4)), ground_m2=np.full(2, 10.0), size_m=5.0,
    ...                 exit_cell=np.zeros(0, int), exit_m=np.zeros(0), exit_id=())
    >>> fitted(ground, np.array([75.0, 5.0])).tolist()
    [65.0, 15.0]
    """
    made = persons.astype(float)
    spread(made, ground.near, ground.ground_m2, 1000)
    return made


def _set_off(routes: Routes, habitat: Habitat, habit: Habit) -> Floats:
    """Return who is on the way at the begin, by class; whoever has lost the goal, or may not stay, is going out."""
    live, here = routes.live, habit.persons[routes.live]
    walkers = habitat.walking[live] * here[:, None]
    lost = np.where(routes.turned, walkers, 0.0)
    walkers = walkers - lost
    walkers[:, 0] += lost.sum(axis=1)
    if routes.ordered.emptied:
        inside = routes.ordered.inside[live]
        walkers[inside] = 0.0
        walkers[inside, 0] = here[inside]
    return walkers


def _arrivals(routes: Routes, habit: Habit, part: Floats) -> Floats:
    """Return who comes in a step by each way in, by class: as many as leave, but no more than fit through it."""
    come = routes.come * part * (habit.coming * STEP_S / habit.stay)
    fit = MOST_FLOW * habit.pace * STEP_S * routes.ordered.ground.exit_m
    total = come.sum(axis=1)
    return come * np.divide(fit, total, out=np.ones_like(fit), where=total > fit)[:, None]


def _with(everywhere: Floats, live: npt.NDArray[np.int64], values: Floats) -> Floats:
    """Return the values of all cells, with those that anybody walks through put in."""
    made = everywhere.copy()
    made[live] = values
    return made


def _occupancy(persons: Floats, live: npt.NDArray[np.int64], shown: Floats, places: Sequence[Shares]) -> Floats:
    """Return the people in each place by minute, shape (minutes, places)."""
    told = np.zeros((len(shown), len(places)))
    number = np.full(len(persons), -1, np.int64)
    number[live] = np.arange(len(live))
    for k, (index, share) in enumerate(places):
        moving = number[index] >= 0
        still = float(persons[index[~moving]] @ share[~moving])
        told[:, k] = shown[:, number[index[moving]]] @ share[moving] + still
    return told
