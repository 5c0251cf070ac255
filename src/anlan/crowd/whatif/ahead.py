"""An hour ahead, with a measure and without: what changes, where, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.crowd.whatif.ground import DEMAND, MOST_FLOW, SUPPLY, Ground
from anlan.crowd.whatif.kernel import stroll, walk
from anlan.crowd.whatif.measure import MeasureKind, Ordered

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Shares = tuple[Indices, Floats]

STEP_S = 15.0
LIMITS_PER_M2 = np.array([2.0, 3.0, 4.0])
"""Densities above which time is counted: noticed, warned of (Seoul's alarm), critical for movement (Still)."""
N_GOALS = 6
"""So many places, those with the most people, are goals of their own."""

DWELL_S, DWELL_SPREAD = 40 * 60.0, 0.35
COMING_SPREAD = 0.25
PACE_SPREAD = 0.10
"""Assumed: how long people stay in a place (mean, spread of the logarithm); by how much fewer or more come than leave;
by how much faster or slower they walk than Weidmann says. Members of the ensemble differ in all of them."""


@dataclass(frozen=True, kw_only=True)
class Habit:
    """What one member of the ensemble takes for true: persons by cell now, and how people behave."""

    persons: Floats
    dwell_s: float
    coming: float
    pace: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """One run: persons by cell at the end, the peak density by cell, seconds above each limit, and the books."""

    persons: Floats
    peak_per_m2: Floats
    above_s: Floats
    n_begin: float
    n_came: float
    n_left: float
    occupancy: Floats
    """People in each place at every minute, shape (minutes, places)."""

    @property
    def lost(self) -> float:
        """How many are missing from the books, as a share of all: rounding only."""
        books = self.n_begin + self.n_came - self.n_left - float(self.persons.sum())
        return abs(books) / max(self.n_begin + self.n_came, 1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Habitat:
    """Where people are drawn to.

    ``home`` (n,) is the number of a cell's goal (0: none), ``n_goals`` how many there are; ``coming`` (e, n_goals + 1)
    the persons of each goal who are nearest to each way in.
    """

    home: Indices
    n_goals: int
    coming: Floats

    @classmethod
    def of(cls, ground: Ground, persons: Floats, places: Sequence[Shares], asked: Shares | None = None) -> Habitat:
        """Take the places with the most people for goals, and let as many come to each as leave it, the nearest way.

        ``asked`` is where a measure applies: it is always a goal, so that the measure meets those who come and go.
        """
        places = [*([] if asked is None else [asked]), *places]
        told = [float(persons[index] @ share) for index, share in places]
        if asked is not None:
            told[0] = np.inf
        home = np.zeros(len(ground), np.int64)
        ranked = [k for k in np.argsort(told)[::-1] if told[k] >= 10][:N_GOALS]
        for number, k in reversed(list(enumerate(ranked, 1))):
            index, share = places[k]
            home[index[share >= 0.5]] = number
        points = np.unique(ground.exit_cell)
        nearest = _nearest(ground, points, persons)
        coming = np.zeros((len(ground.exit_cell), len(ranked) + 1))
        for e, cell in enumerate(ground.exit_cell):
            own = nearest == np.searchsorted(points, cell)
            sharing = int((ground.exit_cell == cell).sum())
            coming[e] = np.bincount(home[own], persons[own], len(ranked) + 1) / sharing
        coming[:, 0] = 0.0
        return cls(home=home, n_goals=len(ranked), coming=coming)


def _nearest(ground: Ground, points: Indices, persons: Floats) -> Indices:
    """Return the number of the way out that is nearest to each cell; -1 where none is, by following the turns down."""
    seconds = ground.seconds_to(points, persons)
    order = np.argsort(seconds, kind="stable")
    best = ground.turns(seconds).argmax(axis=1)
    found = np.full(len(ground), -1, np.int64)
    found[points] = np.arange(len(points))
    for c in order[np.isfinite(seconds[order])]:
        if found[c] < 0:
            found[c] = found[ground.near[c, best[c]]]
    return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Routes:
    """Turns of each class under a measure, and who has no way.

    ``turn`` (K, n, 4); ``no_way_out`` (n,); ``no_way`` (K, n) where no way leads to the class's goal; ``sink`` (n,)
    persons per second who may leave.
    """

    ordered: Ordered
    turn: Floats
    no_way_out: npt.NDArray[np.bool_]
    no_way: npt.NDArray[np.bool_]
    sink: Floats

    @classmethod
    def of(cls, ordered: Ordered, habitat: Habitat, persons: Floats) -> Routes:
        """Find the ways."""
        ground, asked = ordered.ground, ordered.measure
        skipped = ordered.shut if asked is not None and asked.kind is MeasureKind.SKIP_STOP else ordered.shut & False
        open_m = np.where(skipped, 0.0, ground.exit_m)
        sink = np.bincount(ground.exit_cell, MOST_FLOW * open_m, len(ground))
        out = ground.seconds_to(ground.exit_cell[~skipped], persons)
        closed = asked is not None and asked.kind is MeasureKind.CLOSURE
        seconds = [out]
        for k in range(1, habitat.n_goals + 1):
            goal = habitat.home == k
            seconds.append(ground.seconds_to(np.flatnonzero(goal & ~ordered.inside if closed else goal), persons))
        field = np.stack(seconds)
        return cls(
            ordered=ordered,
            turn=np.stack([ground.turns(one) for one in field]),
            no_way_out=~np.isfinite(out),
            no_way=~np.isfinite(field),
            sink=sink.astype(float),
        )


def run(routes: Routes, habitat: Habitat, habit: Habit, places: Sequence[Shares], minutes: int = 60) -> Course:
    """Return what becomes of people within an hour.

    People stay in the places that draw them and leave after a while for the nearest way out; as many come as left.
    Elsewhere, coming and going are in balance and are not followed. Walkers move by the cell transmission rule.

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
    ordered, ground = routes.ordered, routes.ordered.ground
    n, step = len(ground), STEP_S
    staying, walkers = habit.persons.copy(), np.zeros((habitat.n_goals + 1, n))
    closed = ordered.measure is not None and ordered.measure.kind is MeasureKind.CLOSURE
    if closed:  # whoever is inside is asked to go
        walkers[0] = np.where(ordered.inside, staying, 0.0)
        staying = np.where(ordered.inside, 0.0, staying)
    home = np.where(ordered.inside, 0, habitat.home) if closed else habitat.home
    usual = np.maximum(habit.persons, 1e-3 * ground.ground_m2)
    leaving = np.where(home > 0, 1 - np.exp(-step / habit.dwell_s), 0.0)
    arrivals = _arrivals(routes, habitat, habit)
    demand, supply = DEMAND * habit.pace, SUPPLY * habit.pace
    gate = np.where(ordered.gated, 0, -1).astype(np.int64)
    begun = (staying + walkers.sum(axis=0)) / ground.ground_m2
    peak, above = begun.copy(), np.zeros((len(LIMITS_PER_M2), n))
    came = left = 0.0
    shown = []
    for k in range(int(minutes * 60 / step)):
        walkers += arrivals
        came += float(arrivals.sum())
        left += walk(
            walkers, staying, ground.near, ground.width_m, routes.turn, ground.ground_m2, home, leaving, gate,
            np.array([ordered.allowed(k * step, step)]), routes.sink, demand, supply, peak, above, LIMITS_PER_M2,
            step, ground.size_m, MOST_FLOW * habit.pace,
        )  # fmt: skip
        stroll(staying, usual, ground.near, ground.width_m, home, step)
        if (k + 1) * step % 60 == 0:
            persons = staying + walkers.sum(axis=0)
            shown.append([float(persons[index] @ share) for index, share in places])
    return Course(
        persons=staying + walkers.sum(axis=0),
        peak_per_m2=peak,
        above_s=above,
        n_begin=float(habit.persons.sum()),
        n_came=came,
        n_left=left,
        occupancy=np.array(shown).reshape(len(shown), len(places)),
    )


def _arrivals(routes: Routes, habitat: Habitat, habit: Habit) -> Floats:
    """Return who comes in each step, by class and cell; whoever finds the goal or the stop shut does not come."""
    ground = routes.ordered.ground
    per_step = habit.coming * (1 - np.exp(-STEP_S / habit.dwell_s))
    rows = np.zeros((len(ground.exit_cell), habitat.n_goals + 1))
    rows[: len(habitat.coming)] = habitat.coming * per_step
    rows[routes.ordered.shut] = 0.0
    come = np.zeros((habitat.n_goals + 1, len(ground)))
    for k in range(1, habitat.n_goals + 1):
        come[k] = np.bincount(ground.exit_cell, rows[:, k], len(ground))
    return np.where(routes.no_way, 0.0, come)
