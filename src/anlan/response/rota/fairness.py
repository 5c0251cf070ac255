"""What is fair: each member's share of the nights, weekends and hours that the duties ask; and what straying costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from anlan.response.rota.part import Part

MEASURES = ("night", "weekend", "hours")
PER_HOUR = 600
"""Costs are whole numbers: a minute of duty is 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A measure of a member is free of cost within low..high; each unit outside costs so much."""

    low: int
    high: int
    cost: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Fairness:
    """The bands of every member of a part, by measure; and what a turn adds to each measure.

    ``night`` and ``weekend`` are numbers of shifts, ``hours`` are minutes. The fair number is a member's share of the
    least total that the duties ask, by contracted hours and the days not on leave.
    """

    part: Part
    totals: Mapping[str, float]

    def adds(self, measure: str, on: int, k: int) -> int:
        """Return what turn k on a day adds to a measure."""
        shift = self.part.shifts[k]
        if measure == "night":
            return int(shift.is_night)
        if measure == "weekend":
            return int(self.part.problem.is_rest_day(self.part.problem.days[on]))
        return shift.length_min

    @cached_property
    def presence(self) -> tuple[float, ...]:
        """How much of a full member each is: contracted hours over 40, times the share of days not on leave."""
        days = self.part.problem.days
        return tuple(one.week_h / 40 * sum(on not in one.leave for on in days) / len(days) for one in self.part.members)

    @cached_property
    def bands(self) -> dict[str, tuple[Band, ...]]:
        """For each measure, every member's band."""
        weights = self.part.problem.weights
        prices = {
            "night": round(PER_HOUR * weights.night_h),
            "weekend": round(PER_HOUR * weights.weekend_h),
            "hours": round(PER_HOUR / 60 * weights.share_h),
        }
        return {measure: self._banded(measure, prices[measure]) for measure in MEASURES}

    def _banded(self, measure: str, price: int) -> tuple[Band, ...]:
        who = self._who(measure)
        whole = sum(self.presence[m] for m in who)
        made = []
        for m in range(len(self.part.members)):
            if m not in who or whole == 0:
                made.append(Band(low=0, high=10**9, cost=0))
                continue
            fair = self.totals[measure] * self.presence[m] / whole
            slack = max(self.part.shifts[k].length_min for k in self.part.may[m]) / 2 if measure == "hours" else 0
            made.append(
                Band(low=max(0, math.floor(fair - slack + 1e-6)), high=math.ceil(fair + slack - 1e-6), cost=price)
            )
        return tuple(made)

    def _who(self, measure: str) -> set[int]:
        may = self.part.may
        if measure == "night":
            return {m for m in range(len(may)) if any(self.part.shifts[k].is_night for k in may[m])}
        return {m for m in range(len(may)) if may[m]}


def contract_min(part: Part) -> Sequence[int]:
    """Return the contracted minutes of each member over the plan, days of leave taken off."""
    days = part.problem.days
    return [math.floor(60 * one.week_h * sum(on not in one.leave for on in days) / 7 + 1e-6) for one in part.members]
