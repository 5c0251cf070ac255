"""Fewest units that meet needs: reduce, bound by the linear program, search, and prove only what is left open."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array

from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.cover import needed_rows, undominated_sites
from anlan.response.posting.problem import Ints, Watch
from anlan.response.posting.program import Program

_STEPS = 2000
_ROUNDS = 25
_FINEST = 1e-3
"""Costs that are whole multiples of this are taken to be exact."""


def _none() -> Floats:
    return np.zeros(1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Needs:
    """Rows that want units in reach, and columns (sites, or sites of each kind) at which units cost something.

    Parameters
    ----------
    matrix : csr_array of shape (R, C)
        1 where a unit at the column reaches the row.
    need : array of shape (R,)
        Units wanted in reach, at least 1.
    cost : array of shape (C,)
        Of one unit.
    cap : int
        Most units at one column.
    weight : array of shape (R,), optional
    group : array of shape (R,), optional
        Rows of one promise share a group.
    budget : array of shape (G,)
        Weight of a group that may stay short; where it is 0 every row of the group must be met.
    """

    matrix: csr_array
    need: Ints
    cost: Floats
    cap: int = 1
    weight: Floats | None = None
    group: Ints | None = None
    budget: Floats = field(default_factory=_none)

    @property
    def weights(self) -> Floats:
        """The weight of every row."""
        return np.ones(len(self.need)) if self.weight is None else self.weight

    @property
    def groups(self) -> Ints:
        """The group of every row."""
        return np.zeros(len(self.need), np.int64) if self.group is None else self.group

    @property
    def loose(self) -> npt.NDArray[np.bool_]:
        """Rows that may stay short."""
        return np.asarray(self.budget[self.groups] > 0, np.bool_)

    def are_met(self, units: npt.NDArray[np.float64] | Ints) -> bool:
        """Return whether units (C,) leave no group more short than it may be."""
        lacking = self.matrix @ np.asarray(units, float) < self.need - 1e-9
        short = np.bincount(self.groups[lacking], self.weights[lacking], len(self.budget))
        spare = self.budget + 1e-9 * max(float(self.weights.sum()), 1e-12)
        return not lacking[~self.loose].any() and bool((short <= spare)[self.budget > 0].all())


def cheapest(needs: Needs, watch: Watch, seed: int, enough: float | None = None) -> tuple[Floats, float, bool]:
    """Return units (C,) that meet the needs at least cost, the bound of that cost, and whether it is proved.

    With ``enough`` it stops at any plan of at most that cost, or as soon as there can be none.
    """
    small, kept = _reduced(needs)
    free = small.cost <= 1e-12
    grain = 0.0 if free.any() else _grain(small.cost)
    linear, x = _program(small)
    relaxed = linear.relax(seconds=watch.left_s)
    low = relaxed.bound if relaxed.proved else _least(small)
    bound = _rounded(low, grain)
    units = _begin(small, free)
    target = bound if enough is None else max(bound, enough)
    if not free.any():
        units = _searched(small, units, target, watch, seed)
    value = float(small.cost @ units)
    done = value <= bound + 1e-9
    close = value - bound <= watch.stop.gap * abs(value)
    settled = enough is not None and (bound > enough + 1e-9 or value <= enough + 1e-9)
    if not (done or close or settled or watch.is_over):
        step = grain or 1e-7 * max(1.0, abs(value))
        above = value - step if enough is None else min(value - step, enough)
        excess = relaxed.reduced[x : x + len(small.cost)] - (above - low) if relaxed.proved else -small.cost
        known = units, value, bound
        units, value, bound = _proved(small, known, (above, step, grain), excess, watch, seed, stops=enough is not None)
        done = value <= bound + 1e-9
    whole = np.zeros(needs.matrix.shape[1])
    whole[kept] = units
    return whole, min(bound, value) if enough is None else bound, bool(done)


def _least(needs: Needs) -> float:
    """Return a bound that costs nothing: what the one row that wants most, at the cheapest, must cost."""
    if (needs.cost < 0).any():
        return float(np.minimum(needs.cost, 0.0).sum() * needs.cap)
    firm = needs.need[~needs.loose]
    short = np.bincount(needs.groups, needs.weights, len(needs.budget)) > needs.budget
    fewest = firm.max(initial=0) if len(firm) else needs.need.min(initial=1) * bool(short.any())
    return float(fewest * needs.cost.min(initial=np.inf)) if len(needs.cost) else 0.0


def _reduced(needs: Needs) -> tuple[Needs, Ints]:
    """Leave out rows and columns that others make needless, again and again; return what is left and its columns."""
    now, columns = _merged(needs), np.arange(needs.matrix.shape[1])
    while now.cap >= now.need.max(initial=1):
        kept = undominated_sites(now.matrix, now.cost)
        matrix = csr_array(now.matrix[:, kept])
        firm = np.flatnonzero(~now.loose)
        left = firm[needed_rows(csr_array(matrix[firm]), now.need[firm].astype(float))] if len(firm) else firm
        rows = np.sort(np.concatenate([left, np.flatnonzero(now.loose)]))
        shrunk = len(kept) < len(now.cost) or len(rows) < len(now.need)
        now, columns = _of_rows(replace(now, matrix=matrix, cost=now.cost[kept]), rows), columns[kept]
        if not shrunk:
            break
    return now, columns


def _of_rows(needs: Needs, rows: Ints) -> Needs:
    return replace(
        needs,
        matrix=csr_array(needs.matrix[rows]),
        need=needs.need[rows],
        weight=needs.weights[rows],
        group=needs.groups[rows],
    )


def _merged(needs: Needs) -> Needs:
    """Merge rows of one group that the same columns reach and that want as many."""
    draw = np.random.default_rng(7).random((needs.matrix.shape[1], 2))  # fixed: it only tells sets apart
    keys = np.column_stack([needs.groups, needs.need, np.round(needs.matrix @ draw, 9)])
    _, begin, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    weight = np.bincount(inverse.ravel(), needs.weights, len(begin))
    return replace(_of_rows(needs, begin), weight=np.asarray(weight, float))


def _grain(cost: Floats) -> float:
    """Return what all costs are whole multiples of; 0 where there is no such thing."""
    if not len(cost):
        return 0.0
    whole = np.rint(cost / _FINEST)
    if (np.abs(whole * _FINEST - cost) > 1e-9).any() or (whole <= 0).any():
        return 0.0
    return float(np.gcd.reduce(whole.astype(np.int64)) * _FINEST)


def _rounded(bound: float, grain: float) -> float:
    return float(np.ceil(bound / grain - 1e-6) * grain) if grain else bound


def _program(needs: Needs) -> tuple[Program, int]:
    program = Program(maximise=False)
    x = program.columns(needs.cost, float(needs.cap), whole=True)
    firm, loose = np.flatnonzero(~needs.loose), np.flatnonzero(needs.loose)
    if len(firm):
        program.rows([(x, csr_array(needs.matrix[firm]))], needs.need[firm].astype(float), np.inf)
    if len(loose):
        z = program.columns(np.zeros(len(loose)), 1.0, whole=True)
        wanted = csr_array(diags_array(-needs.need[loose].astype(float)))
        program.rows([(x, csr_array(needs.matrix[loose])), (z, wanted)], 0.0, np.inf)
        for g in np.flatnonzero(needs.budget > 0):
            weight = np.where(needs.groups[loose] == g, needs.weights[loose], 0.0)
            scale = max(float(weight.max(initial=0.0)), 1e-12)
            least = (weight.sum() - needs.budget[g]) / scale
            program.rows([(z, csr_array(weight[None, :] / scale))], least - 1e-9 * abs(least), np.inf)
    return program, x


def _begin(needs: Needs, free: npt.NDArray[np.bool_]) -> Floats:
    """Return units that meet every row: the widest first, then without those that are not needed."""
    matrix, left = csr_array(needs.matrix), needs.need.astype(float).copy()
    units = np.zeros(matrix.shape[1])
    columns = csr_array(matrix.T)
    units[free] = needs.cap
    left -= matrix @ units
    cost = np.where(free, 1.0, np.maximum(needs.cost, 1e-12))
    while (left > 0).any():
        worth = columns @ (left > 0).astype(float) / cost
        worth[units >= needs.cap] = -1
        widest = int(np.argmax(worth))
        if worth[widest] <= 0:
            break
        units[widest] += 1
        left[columns.indices[columns.indptr[widest] : columns.indptr[widest + 1]]] -= 1
    for j in np.flatnonzero((units > 0) & ~free):
        mine = columns.indices[columns.indptr[j] : columns.indptr[j + 1]]
        while units[j] > 0 and (left[mine] < 0).all():
            units[j] -= 1
            left[mine] += 1
    return units


def _searched(needs: Needs, units: Floats, target: float, watch: Watch, seed: int) -> Floats:
    """Take units away and mend what is short, until the target is met or nothing is found for a while."""
    columns = csr_array(needs.matrix.T)
    by_site = columns.indptr.astype(np.int64), columns.indices.astype(np.int32)
    by_row = needs.matrix.indptr.astype(np.int64), needs.matrix.indices.astype(np.int32)
    scale = float(needs.weights.mean()) or 1.0
    weights = np.where(needs.loose, needs.weights / scale, 1.0)  # where all must be met, none is negligible
    rows = needs.need.astype(np.int64), weights, needs.groups.astype(np.int64)
    best, value, stalled = np.rint(units).astype(np.int64), float(needs.cost @ units), 0
    budget = needs.budget / scale + 1e-9  # what sums that go up and down may be off
    for turn in range(_ROUNDS):
        if value <= target + 1e-9 or stalled >= 8 or (turn and watch.is_over):
            break
        best, found = kernel.cheapest_cover(
            *by_site, *by_row, *rows, budget, needs.cost, needs.cap, best, target, _STEPS, seed + turn
        )
        stalled = 0 if found < value - 1e-9 else stalled + 1
        value = float(found)
    return best.astype(float) if needs.are_met(best) else units


def _proved(  # noqa: PLR0913 - what is known so far, and what is asked
    needs: Needs,
    known: tuple[Floats, float, float],
    limits: tuple[float, float, float],
    excess: Floats,
    watch: Watch,
    seed: int,
    *,
    stops: bool,
) -> tuple[Floats, float, float]:
    """Look for a plan of at most ``limits[0]``; none has a column whose reduced cost is above that (``excess`` > 0)."""
    (units, value, bound), (above, step, grain) = known, limits
    kept = np.flatnonzero(excess <= 1e-6 * max(1.0, abs(value)))
    left = replace(needs, matrix=csr_array(needs.matrix[:, kept]), cost=needs.cost[kept])
    program, x = _program(left)
    program.rows([(x, csr_array(left.cost[None, :]))], -np.inf, above + 1e-9 * max(1.0, abs(above)))
    within, target = 0.999 * grain, above if stops else None
    made = program.solve(seconds=watch.left_s, gap=watch.stop.gap, within=within, seed=seed, enough=target)
    if made.values is not None:
        whole = np.zeros(len(needs.cost))
        whole[kept] = np.rint(made.values[x : x + len(kept)])
        if needs.are_met(whole) and float(needs.cost @ whole) < value - 1e-9:
            units, value = whole, float(needs.cost @ whole)
    if made.infeasible:
        return units, value, max(bound, min(value, above + step))
    low = _rounded(made.bound, grain) if np.isfinite(made.bound) else bound
    return units, value, max(bound, min(low, value))
