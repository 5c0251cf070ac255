"""Who begins which turn on which day: the programme for OR-Tools CP-SAT, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ortools.sat.python import cp_model

from anlan.response.rota.counting import weeks_of
from anlan.response.rota.fairness import MEASURES, PER_HOUR, Fairness, contract_min
from anlan.response.rota.kernel import OFF
from anlan.response.rota.part import Part, weekly_too_short
from anlan.response.rota.problem import DAY_MIN

Linear = cp_model.LinearExprT


@dataclass(slots=True)
class Programme:
    """Variables x[m, d, k]: member m begins turn k on day d; and every rule that a rota must keep."""

    part: Part
    sat: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    x: dict[tuple[int, int, int], cp_model.IntVar] = field(default_factory=dict)
    rest_on: dict[tuple[int, int], cp_model.IntVar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        part = self.part
        for m in range(len(part.members)):
            for on in range(part.problem.n_days):
                for k in part.free[m][on]:
                    self.x[m, on, k] = self.sat.new_bool_var("")
                self.sat.add_at_most_one(self.on_day(m, on))
        for (m, on), k in part.fixed.items():
            if k != OFF:
                self.sat.add(self.x[m, on, k] == 1)
        self._cover()
        self._rest()
        if part.problem.rules.weekly_rest_h > 0:
            self._weekly_rest()
        self._hours()
        self._nights()

    def on_day(self, m: int, on: int, turns: Iterable[int] | None = None) -> list[cp_model.IntVar | int]:
        """Return what says that a member begins (one of) the turns on a day; days before the plan are known."""
        ks = self.part.may[m] if turns is None else turns
        if on < 0:
            return [1] if self.part.past.get((m, on)) in set(ks) else []
        return [self.x[m, on, k] for k in ks if (m, on, k) in self.x]

    def _cover(self) -> None:
        for cover in self.part.covers:
            serving = self.part.serving(cover)
            found: list[cp_model.IntVar | int] = []
            for m, one in enumerate(self.part.members):
                if not cover.skill or cover.skill in one.skills:
                    for on, k in serving:
                        found += self.on_day(m, on, (k,))
            terms = [one for one in found if not isinstance(one, int)]
            given = len(found) - len(terms)
            most = cover.least - given if cover.exact else len(terms)
            if terms:  # where there are none, counting has told already whether that will do
                self.sat.add_linear_constraint(sum(terms), cover.least - given, max(most, cover.least - given))

    def _rest(self) -> None:
        reach = max((later for later, _, _ in self.part.rest_sets), default=0)
        n_days = self.part.problem.n_days
        for m in range(len(self.part.members)):
            may = set(self.part.may[m])
            for later, first, second in self.part.rest_sets:
                if not may & set(first) or not may & set(second):
                    continue
                for on in range(-reach, n_days - later):
                    if on + later >= 0:
                        self._one_of([*self.on_day(m, on, first), *self.on_day(m, on + later, second)])
            for days, ks in self.part.spans:
                for on in range(n_days - days + 1) if may & set(ks) else ():
                    self._one_of([one for j in range(days) for one in self.on_day(m, on + j, ks)])

    def _one_of(self, terms: list[cp_model.IntVar | int]) -> None:
        variables = [one for one in terms if not isinstance(one, int)]
        if len(variables) == len(terms):
            self.sat.add_at_most_one(variables)
        else:
            for one in variables:  # a shift before the plan stands already
                self.sat.add(one == 0)

    def _weekly_rest(self) -> None:
        part, n_days = self.part, self.part.problem.n_days
        every = range(len(part.turns))
        short = [
            (i, j, b, before)
            for i, j, b in product((1, 2), (1, 2), every)
            if (before := tuple(a for a in every if weekly_too_short(part, a, b, i + j)))
        ]
        begin = -6 if part.past else 0
        for m in range(len(part.members)):
            for on in range(begin, n_days):
                rest = self.rest_on[m, on] = self.sat.new_bool_var("")
                for one in self.on_day(m, on):
                    self.sat.add(rest + one <= 1)
                for i, j, b, before in short:
                    first, last = self.on_day(m, on - i, before), self.on_day(m, on + j, (b,))
                    if first and last:
                        self.sat.add(rest + sum(first) + sum(last) <= 2)
            for first_on in range(begin, n_days - 6):
                self.sat.add_bool_or([self.rest_on[m, on] for on in range(first_on, first_on + 7)])

    def _hours(self) -> None:
        part = self.part
        week, whole = part.problem.caps_min()
        for m in range(len(part.members)):
            for days in weeks_of(part):
                self.sat.add(self.minutes(m, days) <= week)
            self.sat.add(self.minutes(m, range(part.problem.n_days)) <= whole)

    def minutes(self, m: int, days: Iterable[int]) -> Linear:
        """Return the minutes of duty that a member begins on these days."""
        return sum(
            self.part.shifts[k].length_min * self.x[m, on, k]
            for on in days for k in self.part.may[m] if (m, on, k) in self.x
        )  # fmt: skip

    def _nights(self) -> None:
        part, most = self.part, self.part.problem.rules.most_nights
        nights = [k for k in range(len(part.turns)) if part.shifts[k].is_night]
        for m in range(len(part.members)):
            if most >= part.problem.n_days + 1 or not set(part.may[m]) & set(nights):
                continue
            for first in range(-most, part.problem.n_days - most):
                terms = [one for j in range(most + 1) for one in self.on_day(m, first + j, nights)]
                if len(terms) > most:
                    self.sat.add(sum(terms) <= most)

    def cost(self, fairness: Fairness) -> Linear:
        """Return what a rota costs: duty, unfairness, overtime and wishes."""
        part, weights = self.part, self.part.problem.weights
        cost: Any = sum(part.shifts[k].length_min * (PER_HOUR // 60) * one for (_, _, k), one in self.x.items())
        contract = contract_min(part)
        for m, one in enumerate(part.members):
            for measure in MEASURES:
                cost += self._outside(m, measure, fairness)
            overtime = self.sat.new_int_var(0, max(0, part.problem.n_days * DAY_MIN - contract[m]), "")
            self.sat.add(overtime >= self.minutes(m, range(part.problem.n_days)) - contract[m])
            cost += round(PER_HOUR / 60 * weights.overtime_h) * overtime
            wished = [d for d, on in enumerate(part.problem.days) if on in one.wishes]
            cost += round(PER_HOUR * weights.wish_h) * sum(y for d in wished for y in self.on_day(m, d))
        return cost

    def _outside(self, m: int, measure: str, fairness: Fairness) -> Linear:
        band = fairness.bands[measure][m]
        terms = [
            fairness.adds(measure, on, k) * self.x[m, on, k]
            for on in range(self.part.problem.n_days) for k in self.part.may[m] if (m, on, k) in self.x
        ]  # fmt: skip
        if not terms or band.cost == 0:
            return band.cost * band.low
        most = self.part.problem.n_days * (DAY_MIN if measure == "hours" else 1)
        under, over = self.sat.new_int_var(0, band.low, ""), self.sat.new_int_var(0, most, "")
        self.sat.add(under >= band.low - sum(terms))
        self.sat.add(over >= sum(terms) - band.high)
        return band.cost * (under + over)

    def hint(self, served: Mapping[tuple[int, int], int]) -> None:
        """Begin the search at a rota."""
        self.sat.clear_hints()  # type: ignore[no-untyped-call]  # it has no annotation
        for (m, on, k), one in self.x.items():
            self.sat.add_hint(one, int(served.get((m, on)) == k))
