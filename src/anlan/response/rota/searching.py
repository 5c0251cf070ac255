"""Swaps until nothing is broken: the fast way to a rota, whose cost is then held against the bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from anlan.response.posting.problem import Watch
from anlan.response.rota import kernel
from anlan.response.rota.counting import weeks_of
from anlan.response.rota.fairness import MEASURES, PER_HOUR, Fairness, contract_min
from anlan.response.rota.part import LONGEST_REACH_DAYS, Part, weekly_too_short
from anlan.response.rota.problem import rest_broken

PAST = 9
"""Days before the plan that may bear on it."""
STANDING = 10**7
"""What leaving out a turn that stands costs: more than any rota."""
STRETCHES = 20
"""After each of them a search looks at the time."""
Rows = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False, kw_only=True)
class Search:
    """A part as arrays, for the compiled search."""

    part: Part
    fairness: Fairness
    extra: npt.NDArray[np.int64] | None = None
    """What each turn costs more, (M, D, K + 1), ``OFF`` first: how a plan that stands is kept."""

    @property
    def past(self) -> int:
        """How many days before the plan the rows hold."""
        return PAST if self.part.past else 0

    @cached_property
    def may(self) -> npt.NDArray[np.bool_]:
        """Whether a member may begin a turn on a day."""
        part = self.part
        may = np.zeros((len(part.members), part.problem.n_days, len(part.turns)), bool)
        for m, days in enumerate(part.free):
            for on, ks in enumerate(days):
                may[m, on, list(ks)] = True
        return may

    @cached_property
    def _fixed(self) -> tuple[Any, ...]:
        part, problem = self.part, self.part.problem
        shifts, n = part.shifts, len(part.turns)
        minute = PER_HOUR // 60
        turns = np.array([[one.length_min, one.is_night, one.length_min * minute] for one in shifts], np.int64)
        too_soon = np.array([
            [[rest_broken(problem, a, b, later) for b in shifts] for a in shifts]
            for later in range(1, LONGEST_REACH_DAYS)
        ])  # fmt: skip
        reach = int(np.flatnonzero(too_soon.any(axis=(1, 2))).max(initial=-1)) + 1
        short = np.zeros((2, 2, n, n), bool)
        for i, j in np.ndindex(2, 2):
            for a, b in np.ndindex(n, n):
                short[i, j, a, b] = weekly_too_short(part, a, b, i + j + 2)
        week = np.zeros(problem.n_days, np.int64)
        for w, days in enumerate(weeks_of(part)):
            week[days] = w
        resting = np.array([problem.is_rest_day(on) for on in problem.days], np.int64)
        caps = problem.caps_min()
        rules = problem.rules
        law = np.array([
            self.past, caps[0], caps[1], rules.most_nights, rules.weekly_rest_h > 0
        ], np.int64)  # fmt: skip
        bands = np.zeros((len(part.members), 11), np.int64)
        for i, measure in enumerate(MEASURES):
            bands[:, 3 * i : 3 * i + 3] = [(one.low, one.high, one.cost) for one in self.fairness.bands[measure]]
        bands[:, 9] = contract_min(part)
        bands[:, 10] = round(minute * problem.weights.overtime_h)
        return self._cell_costs(), bands, law, turns, too_soon[:reach], short, week, resting

    def _cell_costs(self) -> npt.NDArray[np.int64]:
        part, problem = self.part, self.part.problem
        made = np.zeros((len(part.members), problem.n_days, len(part.turns) + 1), np.int64)
        wished = np.array([[on in one.wishes for on in problem.days] for one in part.members])
        made[..., 1:] += round(PER_HOUR * problem.weights.wish_h) * wished[..., None]
        for (m, on), k in part.fixed.items():
            if k != kernel.OFF:
                made[m, on, 0] += STANDING
        return made if self.extra is None else made + self.extra

    @cached_property
    def _covers(self) -> tuple[Any, ...]:
        part = self.part
        n_days, n_turns = part.problem.n_days, len(part.turns)
        lists: list[list[list[int]]] = [[[] for _ in range(n_turns)] for _ in range(n_days)]
        counts_for = np.zeros((len(part.covers), len(part.members)), np.bool_)
        least = np.zeros(len(part.covers), np.int64)
        for c, cover in enumerate(part.covers):
            counts_for[c] = [not cover.skill or cover.skill in one.skills for one in part.members]
            least[c] = cover.least
            for on, k in part.serving(cover):
                if on >= 0:
                    lists[on][k].append(c)
                else:
                    least[c] -= sum(counts_for[c, m] for (m, d), k2 in part.past.items() if (d, k2) == (on, k))
        first = np.zeros((n_days, n_turns + 1), np.int64)
        which: list[int] = []
        for on in range(n_days):
            for k in range(n_turns):
                first[on, k] = len(which)
                which += lists[on][k]
            first[on, n_turns] = len(which)
        exact = np.array([cover.exact for cover in part.covers], np.bool_)
        return first, np.array(which, np.int64), counts_for, least, exact

    def begin(self, numbers: dict[tuple[tuple[int, ...], int, int], int], rng: np.random.Generator) -> Rows:
        """Return rows in which so many of each kind of member begin each turn, whoever they are."""
        rows = self.rows_of({})
        for (kind, on, k), n in numbers.items():
            able = [m for m in kind if rows[m, self.past + on] < 0 and self.may[m, on, k]]
            rows[rng.permutation(able)[:n].astype(np.int64), self.past + on] = k
        return rows

    def cells(self, rows: Rows) -> dict[tuple[int, int], int]:
        """Return what is served of rows: of (member, day), the turn."""
        m, on = np.nonzero(rows[:, self.past :] != kernel.OFF)
        return {(int(a), int(b)): int(rows[a, self.past + b]) for a, b in zip(m, on, strict=True)}

    def rows_of(self, cells: Mapping[tuple[int, int], int]) -> Rows:
        """Return the rows of what is served, the days before the plan with them."""
        rows = np.full((len(self.part.members), self.past + self.part.problem.n_days), kernel.OFF, np.int16)
        for (m, on), k in (*self.part.past.items(), *cells.items()):
            if -on <= self.past:
                rows[m, self.past + on] = k
        return rows

    def anneal(
        self, rows: Rows, *, n_moves: int, heat: tuple[float, float], seed: int, watch: Watch,
        prices: tuple[int, int] | None = None,
    ) -> tuple[Rows, int, int]:  # fmt: skip
        """Return the best rows of a search, in how many places they break a rule or miss a cover, and their cost.

        ``prices`` are those of a broken rule and of a head that is missing, while it searches. It stops with the watch.
        """
        dearest = int(max(one.length_min for one in self.part.shifts)) * (PER_HOUR // 60)
        told = np.array(prices or (8 * PER_HOUR, 2 * dearest + 8 * PER_HOUR), np.int64)
        heats = np.geomspace(*heat, STRETCHES + 1)
        now, best = rows.copy(), (rows, np.iinfo(np.int64).max, 0)
        for k in range(STRETCHES):
            tried = kernel.search(  # type: ignore[call-arg]  # its arguments are three tuples of arrays
                now, self.may, *self._fixed, *self._covers, told, heats[k], heats[k + 1], n_moves // STRETCHES,
                seed + 1000 * k,
            )  # fmt: skip
            best = min(best, tried, key=lambda one: (one[1], one[2]))
            if watch.is_over or n_moves == 0:
                break
        return best
