"""How many begin each turn on each day, members of one kind taken together: the least duty, and a bound for every rota.

Every rota gives such numbers, at the same cost; so the best numbers cost no more than the best rota.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import gcd

import numpy as np
from scipy.sparse import coo_array, csr_array

from anlan.kernel.errors import Unavailable
from anlan.kernel.geo import Floats
from anlan.response.posting.program import Answer, Program
from anlan.response.rota.fairness import MEASURES, PER_HOUR, Band, Fairness, contract_min
from anlan.response.rota.part import Part
from anlan.response.rota.problem import groups_of


@dataclass(slots=True)
class _Rows:
    """Rows of a program as triplets."""

    row: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
        """Add low <= sum of terms <= high."""
        if not terms:
            terms = [(0, 0.0)]
        self.row += [len(self.low)] * len(terms)
        self.column += [column for column, _ in terms]
        self.value += [value for _, value in terms]
        self.low.append(low)
        self.high.append(high)

    def copy(self) -> _Rows:
        """Return the same rows, to be added to."""
        return _Rows(list(self.row), list(self.column), list(self.value), list(self.low), list(self.high))

    def into(self, program: Program) -> None:
        """Hand the rows to a program whose columns are all there."""
        shape = (len(self.low), program.n_columns)
        block = csr_array(coo_array((self.value, (self.row, self.column)), shape=shape))
        program.rows([(0, block)], np.array(self.low), np.array(self.high))


class Counting:
    """The numbers of a part: columns of (kind of member, day, turn), and what every rota keeps of them."""

    def __init__(self, part: Part) -> None:
        self.part = part
        index = {one.member_id: m for m, one in enumerate(part.members)}
        self.kinds = [
            [index[one.member_id] for one in group]
            for group in groups_of(part.members, lambda one: (part.may[index[one.member_id]], one.skills))
        ]
        self.column: dict[tuple[int, int, int], int] = {}
        upper: list[int] = []
        for c, kind in enumerate(self.kinds):
            for on in range(part.problem.n_days):
                for k in part.may[kind[0]]:
                    self.column[c, on, k] = len(upper)
                    upper.append(sum(k in part.free[m][on] for m in kind))
        self.upper = np.array(upper, float)
        self.rows = _Rows()
        self._cover()
        self._rest()
        self._hours()

    def _cover(self) -> None:
        for cover in self.part.covers:
            serving, given = self.part.serving(cover), 0
            terms: list[tuple[int, float]] = []
            for c, kind in enumerate(self.kinds):
                if cover.skill and cover.skill not in self.part.members[kind[0]].skills:
                    continue
                terms += [(self.column[c, on, k], 1.0) for on, k in serving if (c, on, k) in self.column]
                given += sum(self.part.past.get((m, on)) == k for m in kind for on, k in serving if on < 0)
            self.rows.add(terms, cover.least - given, cover.least - given if cover.exact else np.inf)

    def _rest(self) -> None:
        part, n_days = self.part, self.part.problem.n_days
        for c, kind in enumerate(self.kinds):
            may = part.may[kind[0]]
            for on in range(n_days):
                here = sum(bool(part.free[m][on]) for m in kind)
                self.rows.add([(self.column[c, on, k], 1.0) for k in may], -np.inf, here)
            sets = [
                (later, (first, *((),) * (later - 1), second)) for later, first, second in part.rest_sets if later == 1
            ]
            sets += [(days - 1, (ks,) * days) for days, ks in part.spans]
            for later, chain in sets:
                for on in range(n_days - later):
                    terms = [
                        (self.column[c, on + j, k], 1.0) for j, ks in enumerate(chain) for k in ks if k in may
                    ]  # fmt: skip
                    present = sum(any(part.free[m][on + j] for j in range(later + 1)) for m in kind)
                    self.rows.add(terms, -np.inf, present)

    def _hours(self) -> None:
        part, problem = self.part, self.part.problem
        week, whole = problem.caps_min()
        for c, kind in enumerate(self.kinds):
            may = part.may[kind[0]]
            if not may:
                continue
            step = reduce(gcd, (part.shifts[k].length_min for k in may))
            length = {k: float(part.shifts[k].length_min) for k in may}
            for days in weeks_of(part):
                present = sum(any(part.free[m][on] for on in days) for m in kind)
                terms = [(self.column[c, on, k], length[k]) for on in days for k in may]
                self.rows.add(terms, -np.inf, present * (week // step * step))
            every = range(problem.n_days)
            terms = [(self.column[c, on, k], length[k]) for on in every for k in may]
            self.rows.add(terms, -np.inf, len(kind) * (whole // step * step))
            for first in range(problem.n_days - 6):
                days = list(range(first, first + 7))
                most = sum(
                    min(7 if problem.rules.weekly_rest_h == 0 else 6, sum(bool(part.free[m][on]) for on in days))
                    for m in kind
                )
                self.rows.add([(self.column[c, on, k], 1.0) for on in days for k in may], -np.inf, most)

    def least(self, *, seconds: float) -> Floats | None:
        """Return the numbers, not whole, of the least duty that covers everything; None where none does."""
        if not len(self.upper):
            return None if self.part.covers else self.upper
        program = Program(maximise=False)
        program.columns(self.duty_cost(), self.upper)
        self.rows.into(program)
        answer = program.relax(seconds=seconds)
        if answer.values is None and not answer.infeasible:
            raise Unavailable(f"{seconds:.1f} s", "did not do to count what the duties need", "allow more time")
        return answer.values

    def totals(self, values: Floats) -> dict[str, float]:
        """Return the nights, weekends and minutes of such numbers."""
        measures = Fairness(part=self.part, totals={})
        return {
            measure: float(sum(values[j] * measures.adds(measure, on, k) for (_, on, k), j in self.column.items()))
            for measure in MEASURES
        }

    def numbers(self, values: Floats) -> dict[tuple[tuple[int, ...], int, int], int]:
        """Return how many of each kind (its members) begin each turn on each day."""
        return {(tuple(self.kinds[c]), on, k): round(values[j]) for (c, on, k), j in self.column.items()}

    def duty_cost(self) -> Floats:
        """Return what each column costs in duty alone."""
        cost = np.zeros(len(self.upper))
        for (_, _, k), j in self.column.items():
            cost[j] = self.part.shifts[k].length_min * PER_HOUR / 60
        return cost

    def priced(self, fairness: Fairness, *, seconds: float, seed: int = 0) -> Answer:
        """Return the best numbers at the cost of a rota, with the bound; ``values`` begin with those of the columns."""
        program = Program(maximise=False)
        program.columns(self.duty_cost(), self.upper, whole=True)
        rows = self.rows.copy()
        for measure in MEASURES:
            bands = fairness.bands[measure]
            for c, kind in enumerate(self.kinds):
                terms = [
                    (j, float(fairness.adds(measure, on, k))) for (c2, on, k), j in self.column.items() if c2 == c
                ]  # fmt: skip
                self._shares(program, rows, terms, [bands[m] for m in kind], self._most(measure))
        self._overtime(program, rows)
        rows.into(program)
        return program.solve(seconds=seconds, gap=1e-4, seed=seed)

    def _most(self, measure: str) -> float:
        if measure == "hours":
            return float(self.part.problem.caps_min()[1])
        return float(self.part.problem.n_days)

    def _shares(
        self, program: Program, rows: _Rows, terms: list[tuple[int, float]], bands: list[Band], most: float
    ) -> None:
        """Sum over a kind = sum of its members' shares, each below, within or above its band."""
        low = np.array([band.low for band in bands], float)
        cost = np.array([band.cost for band in bands], float)
        under = program.columns(cost, low)
        within = program.columns(np.zeros(len(bands)), np.array([band.high - band.low for band in bands], float))
        over = program.columns(cost, most)
        shares = [(under + i, 1.0) for i in range(len(bands))]
        shares += [(first + i, -1.0) for first in (within, over) for i in range(len(bands))]
        rows.add([*terms, *shares], float(low.sum()), float(low.sum()))

    def _overtime(self, program: Program, rows: _Rows) -> None:
        part = self.part
        price = round(part.problem.weights.overtime_h * PER_HOUR / 60)
        contract = contract_min(part)
        for c, kind in enumerate(self.kinds):
            over = program.columns(np.array([float(price)]), np.inf)
            terms = [(j, float(part.shifts[k].length_min)) for (c2, _, k), j in self.column.items() if c2 == c]
            rows.add([*terms, (over, -1.0)], -np.inf, float(sum(contract[m] for m in kind)))


def weeks_of(part: Part) -> list[list[int]]:
    """Return the days of the plan by calendar week."""
    found: dict[tuple[int, int], list[int]] = {}
    for d, on in enumerate(part.problem.days):
        found.setdefault(on.isocalendar()[:2], []).append(d)
    return list(found.values())
