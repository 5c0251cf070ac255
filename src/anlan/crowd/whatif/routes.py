"""Where people are drawn to, and the ways they take there and out of the district."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.crowd.measures import walking_speed
from anlan.crowd.whatif.ground import MOST_FLOW, Ground, seconds_over
from anlan.crowd.whatif.kernel import reach, through
from anlan.crowd.whatif.measure import MeasureKind, Ordered

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Shares = tuple[Indices, Floats]

N_GOALS = 8
"""So many places, those with the most people, are goals of their own."""
DWELL_S = 40 * 60.0
CARRIED = 0.5
"""Assumed: how long people stay in a place that draws them, on average, unless its ways would then have to carry more
than this part of what they can; then so long that they need not."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Habitat:
    """Where people are drawn to, and how they come and go now.

    Attributes
    ----------
    home : int64, shape (n,)
        The number of a cell's goal (0: none).
    per_s : float64, shape (K,)
        Part of those in each goal who leave in a second; as many come.
    coming : float64, shape (e, K)
        Persons of each goal who come and go by each way in.
    walking : float64, shape (n, K)
        Part of those now in a cell who are on the way out (first) or to each goal.
    load : float64, shape (n,)
        Persons who leave within ``window_s``.
    persons : float64, shape (n,)
        The mean estimate.
    """

    home: Indices
    per_s: Floats
    coming: Floats
    walking: Floats
    load: Floats
    window_s: float
    persons: Floats

    def more(self, persons: Floats) -> Floats:
        """Return how many times as many people are in each goal, shape (K,), as in the mean estimate.

        Where there are more, no more of them come and go: their ways carry no more.
        """
        size = len(self.per_s)
        usual = np.bincount(self.home, self.persons, size)
        return np.divide(np.bincount(self.home, persons, size), usual, out=np.ones(size), where=usual > 0)

    @classmethod
    def of(
        cls, ground: Ground, persons: Floats, places: Sequence[Shares], asked: Shares | None = None, minutes: int = 60
    ) -> Habitat:
        """Take the places with the most people for goals, and let as many come to each as leave it, the same ways.

        ``asked`` is where a measure applies: it is always a goal, so that the measure meets those who come and go.
        People stay longer than ``DWELL_S`` in a place whose ways would not carry so many.
        """
        home, n_goals = _homes(ground, persons, places, asked)
        there = np.where(home > 0, persons, 0.0)
        sink, graph = ground.sink(), ground.backwards(persons)
        inward = [seconds_over(graph, np.flatnonzero(home == k)) for k in range(1, n_goals + 1)]
        per_s = np.append(0.0, np.full(n_goals, 1 / DWELL_S))
        ends = np.bincount(ground.exit_cell, minlength=len(ground)) > 0
        out = seconds_over(graph, ground.exit_cell)
        for _ in range(2):  # first as if nobody queued, to learn what the ways carry
            coming = _coming(ground, home, there, ground.led(out, ends), n_goals)
            flow = _flows(ground, out, inward, there * per_s[home], coming * per_s)
            per_s = per_s * _carried(ground, flow, home)
            load = there * -np.expm1(-60.0 * minutes * per_s[home])
            out, ends = ground.queued(load, persons, sink, 60.0 * minutes)
        pace = np.maximum(walking_speed(persons / ground.ground_m2), 0.2)
        part = flow * (ground.size_m / pace / np.maximum(persons, 1e-9))[:, None]
        part = np.where((home > 0)[:, None], 0.0, part / np.maximum(part.sum(axis=1, keepdims=True), 1.0))
        return cls(
            home=home,
            per_s=per_s,
            coming=coming,
            walking=part,
            load=load,
            window_s=60.0 * minutes,
            persons=persons,
        )


def _homes(ground: Ground, persons: Floats, places: Sequence[Shares], asked: Shares | None) -> tuple[Indices, int]:
    """Return the number of each cell's goal, 0 where none, and how many goals there are."""
    places = [*([] if asked is None else [asked]), *places]
    told = [float(persons[index] @ share) for index, share in places]
    if asked is not None:
        told[0] = np.inf
    home = np.zeros(len(ground), np.int64)
    ranked = [k for k in np.argsort(told)[::-1] if told[k] >= 10][:N_GOALS]
    for number, k in reversed(list(enumerate(ranked, 1))):
        index, share = places[k]
        home[index[share >= 0.5]] = number
    return home, len(ranked)


def _coming(ground: Ground, home: Indices, there: Floats, ways: Indices, n_goals: int) -> Floats:
    """Return the persons of each goal whose way out is each way in, shape (e, K)."""
    found = ways >= 0
    by_cell = np.zeros((len(ground), n_goals + 1))
    np.add.at(by_cell, (ways[found], home[found]), there[found])
    by_cell[:, 0] = 0.0
    part = MOST_FLOW * ground.exit_m / ground.sink()[ground.exit_cell]
    return np.asarray(by_cell[ground.exit_cell] * part[:, None])


def _flows(ground: Ground, out: Floats, inward: Sequence[Floats], leaving: Floats, come: Floats) -> Floats:
    """Return how many of each class go through each cell now, 1/s, shape (n, K)."""
    flow = [through(np.argsort(out, kind="stable"), ground.near, ground.turns(out), leaving, ground.sink())]
    for k, one in enumerate(inward, 1):
        come_in = np.bincount(ground.exit_cell, come[:, k], len(ground)).astype(float)
        no_end = np.zeros(len(ground))
        flow.append(through(np.argsort(one, kind="stable"), ground.near, ground.turns(one), come_in, no_end))
    return np.stack(flow, axis=1)


def _carried(ground: Ground, flow: Floats, home: Indices) -> Floats:
    """Return the part of the coming and going of each goal that the ways to it carry in comfort, shape (K,)."""
    used = flow.sum(axis=1) / (MOST_FLOW * ground.ground_m2 / ground.size_m)
    part = np.ones(flow.shape[1])
    for k in range(1, flow.shape[1]):
        on = (flow[:, k] > 0.01 * flow[:, k].max()) & (home == 0)
        most = float(used[on].max()) if on.any() else 0.0
        part[k] = min(1.0, CARRIED / most) if most > 0 else 1.0
    return part


@dataclass(frozen=True, eq=False, kw_only=True)
class Routes:
    """Turns of each class under a measure, on the cells that anybody walks through, and who has no way.

    ``live`` (m,) are those cells; ``near`` (m, 4), ``width_m`` (m, 4), ``gated`` (m, 4), ``turn`` (m, K, 4), ``home``
    (m,) and ``sink`` (m,) are of them, with neighbours numbered among them. ``no_way_out`` (n,); ``come`` (e, K) who
    come, 1/s, none where no way leads to their goal; ``turned`` (m, K) where walkers of a class have lost their goal.
    """

    ordered: Ordered
    live: Indices
    near: Indices
    width_m: Floats
    gated: Mask
    turn: Floats
    home: Indices
    sink: Floats
    come: Floats
    turned: Mask
    no_way_out: Mask

    @classmethod
    def of(cls, ordered: Ordered, habitat: Habitat, persons: Floats) -> Routes:
        """Find the ways."""
        ground, asked = ordered.ground, ordered.measure
        n_classes = len(habitat.per_s)
        skipped = ordered.shut if asked is not None and asked.kind is MeasureKind.SKIP_STOP else ordered.shut & False
        open_m = np.where(skipped, 0.0, ground.exit_m)
        sink = np.bincount(ground.exit_cell, MOST_FLOW * open_m, len(ground)).astype(float)
        home = np.where(ordered.inside, 0, habitat.home) if ordered.emptied else habitat.home
        load = np.where(ordered.inside, persons, habitat.load) if ordered.emptied else habitat.load
        out, _ = ground.queued(load, persons, sink, habitat.window_s)
        turn = np.zeros((len(ground), n_classes, 4))
        turn[:, 0] = ground.turns(out)
        come = np.zeros((len(ground.exit_cell), n_classes))
        come[: len(habitat.coming)] = habitat.coming * habitat.per_s
        come[ordered.shut] = 0.0
        begin = habitat.walking > 0
        begin[:, 0] |= (home > 0) | (ordered.inside & ordered.emptied)
        turned = np.zeros((len(ground), n_classes), bool)
        graph = ground.backwards(persons)
        for k in range(1, n_classes):
            seconds = seconds_over(graph, np.flatnonzero(home == k))
            turn[:, k] = ground.turns(seconds)
            turned[:, k] = ~np.isfinite(seconds)
            begin[:, 0] |= turned[:, k] & begin[:, k]
            come[~np.isfinite(seconds[ground.exit_cell]), k] = 0.0
            begin[ground.exit_cell[come[:, k] > 0], k] = True
        live = np.flatnonzero(reach(begin, ground.near, turn))
        number = np.full(len(ground) + 1, -1, np.int64)
        number[live] = np.arange(len(live))
        near = number[ground.near[live]]  # a border without a neighbour, -1, finds the last entry: -1
        return cls(
            ordered=ordered,
            live=live,
            near=near,
            width_m=ground.width_m[live],
            gated=ordered.gated[live],
            turn=turn[live],
            home=home[live],
            sink=sink[live],
            come=come,
            turned=turned[live],
            no_way_out=~np.isfinite(out),
        )
