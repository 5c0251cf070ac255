"""The way to a rota: numbers first, then who; part by part, two at a time, and never longer than allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
from ortools.sat.python import cp_model

from anlan.response.posting.problem import Stop, Watch
from anlan.response.rota.answer import Contradiction, Rota
from anlan.response.rota.assigning import Programme
from anlan.response.rota.checking import check_rota
from anlan.response.rota.conflict import TRY_S, Verdict, contradiction, proved
from anlan.response.rota.counting import Counting
from anlan.response.rota.fairness import PER_HOUR, Fairness
from anlan.response.rota.part import Part, parts_of
from anlan.response.rota.problem import RotaProblem, Turn
from anlan.response.rota.searching import Rows, Search

THREADS = 2
MOVES_PER_MEMBER = 12_000
HOT, COLD = 3000.0, 100.0
ROUNDS = 4
COUNT_S = 20.0
"""Counting takes well under a second, and without it there is nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a part came to."""

    part: Part
    cells: Mapping[tuple[int, int], int]
    cost: float
    bound: float


def plan_rota(problem: RotaProblem, *, stop: Stop | None = None, seed: int = 0) -> Rota | tuple[Contradiction, ...]:
    """Return the best rota found, with its bound; or a smallest set of rules that clash, of each part that has none.

    The problem falls into parts that share nobody. For each, a program over numbers (how many of one kind begin each
    turn on each day) gives the least cost that any rota can have; swaps of cells look for a rota at that cost; where
    none is found that keeps every rule, CP-SAT finds one or proves that there is none.

    Parameters
    ----------
    problem : RotaProblem
    stop : Stop, optional
        60 s or a gap of 0.5 % where left out. A search that is stopped returns its best rota and the gap.
    seed : int
        Of the search.

    Examples
    --------
    Six members keep a post of two by day for a week; nobody has more than one hour more than the others' share.

    >>> from datetime import date
    >>> from anlan.response.rota import Duty, Member, Shift
    >>> day = Shift(shift_id="day", label={"en": "day"}, begin_h=8, length_h=8)
    >>> gate = Duty.vehicle("gate", {"en": "gate"}, shifts=("day",), crew=2)
    >>> staff = tuple(Member(member_id=f"m{k}") for k in range(6))
    >>> week = RotaProblem(begin_on=date(2026, 12, 7), n_days=7, shifts=(day,), duties=(gate,), members=staff)
    >>> rota = plan_rota(week)
    >>> rota.kept, float(rota.duty_h), rota.gap
    (True, 112.0, 0.0)
    """
    given = stop or Stop(seconds=60, gap=0.005)
    watch = Watch(given)
    parts = sorted(parts_of(problem), key=lambda part: -len(part.members))
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda part: _planned(part, watch, seed), parts))
    clashing = [part for part, one in zip(parts, found, strict=True) if one is None]
    if clashing:
        asking = Watch(given)
        return tuple(contradiction(part, asking, seed) for part in clashing)
    return joined(problem, [one for one in found if one is not None], watch)


def _planned(part: Part, watch: Watch, seed: int) -> Found | None:
    """Return what a part came to; None where it is proved that no rota keeps its rules."""
    counting = Counting(part)
    least = counting.least(seconds=max(watch.left_s, COUNT_S))
    if least is None:
        return None
    if not part.members:
        return Found(part=part, cells={}, cost=0.0, bound=0.0)
    fairness = Fairness(part=part, totals=counting.totals(least))
    priced = counting.priced(fairness, seconds=min(watch.left_s, 10.0), seed=seed)
    if priced.infeasible:
        return None
    bound = max(priced.bound, float(counting.duty_cost() @ least))
    search = Search(part=part, fairness=fairness)
    rows = search.begin(
        counting.numbers(least if priced.values is None else priced.values), np.random.default_rng(seed)
    )
    n_moves = MOVES_PER_MEMBER * len(part.members)
    cost: float
    best, wrong, cost = search.anneal(rows, n_moves=n_moves, heat=(HOT, COLD), seed=seed, watch=watch)
    for again in range(1, ROUNDS):
        if watch.is_over or (not wrong and cost - bound <= watch.stop.gap * cost):
            break
        if wrong and again == 2:  # it may be that there is none
            told = proved(part, seconds=min(TRY_S, watch.left_s), seed=seed)
            if told is Verdict.IMPOSSIBLE:
                return None
        tried = search.anneal(best, n_moves=2 * n_moves, heat=(HOT / 2, COLD / 2), seed=seed + again, watch=watch)
        if tried[1:] < (wrong, cost):
            best, wrong, cost = tried
    if (wrong or cost - bound > watch.stop.gap * cost) and not watch.is_over:
        return _polished(search, best, (wrong, cost, bound), watch, seed)
    return Found(part=part, cells=search.cells(best), cost=cost, bound=bound)


def _polished(search: Search, best: Rows, known: tuple[int, float, float], watch: Watch, seed: int) -> Found | None:
    """Let CP-SAT go on from what was found: to a rota, a better one, or the proof that there is none."""
    part, (wrong, cost, bound) = search.part, known
    programme = Programme(part=part)
    programme.sat.minimize(programme.cost(search.fairness))
    programme.hint(search.cells(best))
    solver = solver_for(watch, seed)
    status = solver.solve(programme.sat)
    if status == cp_model.INFEASIBLE:
        return None
    cells = search.cells(best)
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        bound = max(bound, solver.best_objective_bound)
        if wrong or solver.objective_value < cost:
            cost = solver.objective_value
            cells = {(m, on): k for (m, on, k), one in programme.x.items() if solver.boolean_value(one)}
    return Found(part=part, cells=cells, cost=cost, bound=bound)


def solver_for(watch: Watch, seed: int) -> cp_model.CpSolver:
    """Return a solver that stops with the watch."""
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = watch.left_s
    solver.parameters.relative_gap_limit = watch.stop.gap
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    return solver


def joined(problem: RotaProblem, found: Sequence[Found], watch: Watch) -> Rota:
    """Return the rota of all parts, checked from its moments."""
    served: dict[tuple[str, date], Turn] = {}
    cost = bound = 0.0
    for one in found:
        cost, bound = cost + one.cost, bound + one.bound
        for (m, on), k in one.cells.items():
            served[one.part.members[m].member_id, problem.days[on]] = one.part.turns[k]
    ordered = dict(sorted(served.items(), key=lambda cell: (cell[0][1], cell[0][0])))
    return Rota(
        served=ordered,
        cost_h=cost / PER_HOUR,
        bound_h=bound / PER_HOUR,
        duty_h=sum(problem.shift_of[shift_id].length_h for _, shift_id in ordered.values()),
        seconds=watch.spent_s,
        breaches=check_rota(problem, ordered),
    )
