"""Which rules clash: a smallest set that no rota can keep, found by leaving rules out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum

import numpy as np
from ortools.sat.python import cp_model

from anlan.response.posting.problem import Stop, Watch
from anlan.response.rota.answer import Contradiction, Rule
from anlan.response.rota.assigning import Programme
from anlan.response.rota.counting import Counting
from anlan.response.rota.fairness import Fairness
from anlan.response.rota.part import Part
from anlan.response.rota.problem import Rules
from anlan.response.rota.searching import Search

GENERAL = ("rest", "weekly_rest", "week_hours", "hours", "nights")
TRY_S = 10.0
TRY_MOVES, TRY_HEAT = 5_000, (3000.0, 300.0)


class Verdict(Enum):
    """Whether some rota keeps the rules; ``OPEN`` where the time did not do to tell."""

    POSSIBLE = "possible"
    IMPOSSIBLE = "impossible"
    OPEN = "open"


def rules_of(part: Part) -> list[Rule]:
    """Return every rule of a part, those of everybody first."""
    made = [Rule(kind=kind) for kind in GENERAL]
    made += [Rule(kind="leave", member_id=one.member_id) for one in part.members if one.leave]
    return made + [Rule(kind="cover", cover=cover) for cover in part.covers]


def under(part: Part, kept: Sequence[Rule]) -> Part:
    """Return the part with these rules alone; that nobody is in two places stays."""
    kinds = {rule.kind for rule in kept}
    leaving = {rule.member_id for rule in kept if rule.kind == "leave"}
    given = part.problem.rules
    rules = Rules(
        least_rest_h=given.least_rest_h if "rest" in kinds else 0.0,
        weekly_rest_h=given.weekly_rest_h if "weekly_rest" in kinds else 0.0,
        most_week_h=given.most_week_h if "week_hours" in kinds else 168.0,
        most_28d_h=given.most_28d_h if "hours" in kinds else 672.0,
        most_nights=given.most_nights if "nights" in kinds else 10_000,
    )
    shifts = part.problem.shifts
    if "rest" not in kinds:
        shifts = tuple(replace(one, rest_after_h=0.0) for one in shifts)
    return replace(
        part,
        problem=replace(part.problem, rules=rules, shifts=shifts),
        members=tuple(one if one.member_id in leaving else replace(one, leave=frozenset()) for one in part.members),
        covers=tuple(rule.cover for rule in kept if rule.cover is not None),
    )


def verdict(part: Part, *, seconds: float, seed: int = 0) -> Verdict:
    """Tell whether any rota keeps the rules of a part.

    Counting proves quickly that there is none where numbers do not suffice; swaps find one quickly where there is room;
    what is between them is left to CP-SAT.
    """
    counting = Counting(part)
    values = counting.least(seconds=max(seconds, TRY_S))
    if values is None:
        return Verdict.IMPOSSIBLE
    if not part.members:
        return Verdict.POSSIBLE
    watch = Watch(Stop(seconds=seconds))
    search = Search(part=part, fairness=Fairness(part=part, totals=counting.totals(values)))
    rows = search.begin(counting.numbers(values), np.random.default_rng(seed))
    if search.anneal(rows, n_moves=TRY_MOVES * len(part.members), heat=TRY_HEAT, seed=seed, watch=watch)[1] == 0:
        return Verdict.POSSIBLE
    return proved(part, seconds=seconds, seed=seed)


def proved(part: Part, *, seconds: float, seed: int = 0) -> Verdict:
    """Tell by CP-SAT alone."""
    programme = Programme(part=part)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = 0  # counting has done what a linear program can
    status = solver.solve(programme.sat)
    if status == cp_model.INFEASIBLE:
        return Verdict.IMPOSSIBLE
    return Verdict.POSSIBLE if status in {cp_model.OPTIMAL, cp_model.FEASIBLE} else Verdict.OPEN


def contradiction(part: Part, watch: Watch, seed: int = 0) -> Contradiction:
    """Return a smallest set of rules that clash in a part known to have no rota.

    Every rule of it was left out once and a rota was found, or ``minimal`` is False: the time did not do.

    References
    ----------
    U. Junker (2004), "QuickXplain: preferred explanations and relaxations for over-constrained problems".
    """
    open_ = [False]

    def clash(kept: Sequence[Rule]) -> bool:
        if watch.is_over:
            open_[0] = True
            return False
        told = verdict(under(part, kept), seconds=min(TRY_S, watch.left_s), seed=seed)
        open_[0] |= told is Verdict.OPEN
        return told is Verdict.IMPOSSIBLE

    found = _smallest((), tuple(rules_of(part)), clash, grown=False)
    return Contradiction(
        rules=found,
        told=tuple(rule.told(part.problem) for rule in found),
        minimal=not open_[0],
        duties=tuple(sorted({duty_id for duty_id, _ in part.turns})),
        n_members=len(part.members),
    )


def _smallest(
    given: tuple[Rule, ...], rules: tuple[Rule, ...], clash: Callable[[Sequence[Rule]], bool], *, grown: bool
) -> tuple[Rule, ...]:
    """Return a smallest part of the rules that clashes with those given."""
    if grown and clash(given):
        return ()
    if len(rules) == 1:
        return rules
    half = len(rules) // 2
    first, second = rules[:half], rules[half:]
    late = _smallest((*given, *first), second, clash, grown=True)
    early = _smallest((*given, *late), first, clash, grown=bool(late))
    return (*early, *late)
