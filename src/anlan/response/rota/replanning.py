"""Somebody is missing: a rota that holds again, with as few days changed as can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from ortools.sat.python import cp_model

from anlan.kernel.errors import BadInput
from anlan.response.posting.problem import Stop, Watch
from anlan.response.rota.answer import Change, Contradiction, Replanned, Rota
from anlan.response.rota.assigning import Programme
from anlan.response.rota.conflict import contradiction
from anlan.response.rota.counting import Counting
from anlan.response.rota.fairness import PER_HOUR, Fairness
from anlan.response.rota.kernel import OFF
from anlan.response.rota.part import Part, parts_of
from anlan.response.rota.planning import COUNT_S, Found, joined, solver_for
from anlan.response.rota.problem import DAY_MIN, RotaProblem
from anlan.response.rota.searching import Search

CHANGED = 100 * PER_HOUR
"""What a changed day costs in the search."""
BROKEN = 3 * CHANGED
MOVES_PER_MEMBER = 6_000
NEVER: frozenset[date] = frozenset()


def replan_rota(
    problem: RotaProblem, rota: Rota, missing: Mapping[str, frozenset[date]], *, from_on: date,
    stop: Stop | None = None, seed: int = 0,
) -> Replanned | tuple[Contradiction, ...]:  # fmt: skip
    """Return a rota in which members are missing on some days, and the fewest other days changed.

    Days before ``from_on`` stay. A changed day is one on which a member begins something else than before, or
    begins where nothing was, or the other way round; what a missing member cannot serve is not counted. Among rotas of
    equally few changes the cheaper is taken, as far as the time does.

    Parameters
    ----------
    problem : RotaProblem
        That of the rota.
    missing : mapping of str to frozenset of date
        Who is missing, and on which days.

    Returns
    -------
    Replanned, or a tuple of Contradiction where no rota keeps the rules without them.

    Raises
    ------
    BadInput
        If a member is not in the problem, or a day is before ``from_on``.
    """
    watch = Watch(stop or Stop(seconds=60, gap=0.005))
    for member_id, days in missing.items():
        if member_id not in problem.member_of:
            raise BadInput(f"member {member_id!r}", "must be in the rota", "give the id of a member")
        early = min(days, default=from_on)
        if early < from_on:
            raise BadInput(
                f"missing on {early}", f"must not be before {from_on}", "give days that can still be changed"
            )
    on_duty = _still_on_duty(problem, rota, from_on)
    now = replace(problem, members=tuple(
        replace(one, leave=one.leave | (missing.get(one.member_id, NEVER) - on_duty.get(one.member_id, NEVER)))
        for one in problem.members
    ))  # fmt: skip
    found: list[Found] = []
    clashing: list[Part] = []
    least = 0
    for part in parts_of(now):
        fresh = _replanned(part, rota, missing, from_on, watch, seed)
        if fresh is None:
            clashing.append(part)
        else:
            found.append(fresh[0])
            least += fresh[1]
    if clashing:
        asking = Watch(watch.stop)
        return tuple(contradiction(part, asking, seed) for part in clashing)
    made = joined(now, found, watch)
    changes, gone = _compared(problem, rota, made, missing)
    return Replanned(rota=made, changes=changes, gone=gone, least_changes=least)


def _still_on_duty(problem: RotaProblem, rota: Rota, from_on: date) -> dict[str, frozenset[date]]:
    """Return who ends a shift on the first day that is planned anew: it stands, whoever is missing from then on."""
    before = from_on - timedelta(days=1)
    return {
        one.member_id: frozenset({from_on})
        for one in problem.members
        if (turn := rota.served.get((one.member_id, before))) and problem.shift_of[turn[1]].end_min > DAY_MIN
    }


def _replanned(
    part: Part, rota: Rota, missing: Mapping[str, frozenset[date]], from_on: date, watch: Watch, seed: int
) -> tuple[Found, int] | None:
    """Return what a part came to and the fewest changes that it needs; None where no rota keeps its rules."""
    number = {turn: k for k, turn in enumerate(part.turns)}
    days = part.problem.days
    was = {
        (m, d): number[turn]
        for m, one in enumerate(part.members)
        for d, on in enumerate(days)
        if (turn := rota.served.get((one.member_id, on))) in number
    }
    every = [(m, d) for m in range(len(part.members)) for d in range(len(days))]
    past = {(m, d): was.get((m, d), OFF) for m, d in every if days[d] < from_on}
    past |= {
        (m, d): OFF
        for m, one in enumerate(part.members)
        for d, on in enumerate(days)
        if on >= from_on and on in missing.get(one.member_id, ())
    }
    part = replace(part, fixed=past)
    counting = Counting(part)
    values = counting.least(seconds=max(watch.left_s, COUNT_S))
    if values is None:
        return None
    if not part.members:
        return Found(part=part, cells={}, cost=0.0, bound=0.0), 0
    fairness = Fairness(part=part, totals=counting.totals(values))
    bound = max(0.0, counting.priced(fairness, seconds=min(10.0, watch.left_s), seed=seed).bound)
    free = part.free
    stays = {(m, d): k for (m, d), k in was.items() if k in free[m][d]}
    if not any(one.member_id in missing for one in part.members):
        return Found(part=part, cells=stays, cost=_price(Search(part=part, fairness=fairness), stays), bound=bound), 0
    return _fewest(part, fairness, stays, bound, watch, seed)


def _fewest(
    part: Part, fairness: Fairness, stays: Mapping[tuple[int, int], int], bound: float, watch: Watch, seed: int
) -> tuple[Found, int] | None:
    extra = np.full((len(part.members), part.problem.n_days, len(part.turns) + 1), CHANGED, np.int64)
    for m, d in np.ndindex(extra.shape[:2]):
        extra[m, d, stays.get((m, d), OFF) + 1] = 0
    search = Search(part=part, fairness=fairness, extra=extra)
    n_moves = MOVES_PER_MEMBER * len(part.members)
    rows, _, _ = search.anneal(
        search.rows_of(stays),
        n_moves=n_moves,
        heat=(CHANGED / 2, CHANGED / 100),
        seed=seed,
        watch=watch,
        prices=(BROKEN, BROKEN),
    )
    programme = Programme(part=part)
    changes = sum(
        1 - programme.x[m, d, stays[m, d]] if (m, d) in stays else sum(programme.on_day(m, d))
        for m, d in np.ndindex(extra.shape[:2])
    )
    programme.hint(search.cells(rows))
    programme.sat.minimize(changes)
    solver = solver_for(Watch(Stop(seconds=max(0.01, 0.7 * watch.left_s))), seed)
    status = solver.solve(programme.sat)
    if status == cp_model.INFEASIBLE:
        return None
    search = Search(part=part, fairness=fairness)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        cells = search.cells(rows)
        return Found(part=part, cells=cells, cost=_price(search, cells), bound=bound), 0
    cells = _served(programme, solver)
    least = round(solver.best_objective_bound)
    programme.sat.add(changes <= round(solver.objective_value))
    programme.sat.minimize(programme.cost(fairness))
    programme.hint(cells)
    cheaper = solver_for(watch, seed)
    if cheaper.solve(programme.sat) in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        cells = _served(programme, cheaper)
    return Found(part=part, cells=cells, cost=_price(search, cells), bound=bound), least


def _served(programme: Programme, solver: cp_model.CpSolver) -> dict[tuple[int, int], int]:
    return {(m, d): k for (m, d, k), one in programme.x.items() if solver.boolean_value(one)}


def _price(search: Search, cells: Mapping[tuple[int, int], int]) -> float:
    return float(search.anneal(search.rows_of(cells), n_moves=0, heat=(1.0, 1.0), seed=0, watch=Watch(Stop()))[2])


def _compared(
    problem: RotaProblem, before: Rota, after: Rota, missing: Mapping[str, frozenset[date]]
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Return what changed, and apart from it what those who are missing would have served."""
    changes: list[Change] = []
    gone: list[Change] = []
    for who, on in sorted({*before.served, *after.served}, key=lambda cell: (cell[1], cell[0])):
        was, now = before.served.get((who, on)), after.served.get((who, on))
        if was == now:
            continue
        away = replace(problem.member_of[who], leave=missing.get(who, NEVER))
        forced = was is not None and not problem.is_free_for(away, problem.shift_of[was[1]], on)
        (gone if forced else changes).append(Change(member_id=who, on=on, was=was, now=now))
    return tuple(changes), tuple(gone)
