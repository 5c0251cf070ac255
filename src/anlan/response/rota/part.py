"""A part of a rota that can be planned by itself: members and duties that share nobody with the rest, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import product

from anlan.response.rota.kernel import OFF
from anlan.response.rota.problem import DAY_MIN, Cover, Member, RotaProblem, Shift, Turn, covers_of, rest_broken

LONGEST_REACH_DAYS = 9
"""A shift of 24 h with a week of rest after it bears on this many days."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Members and what they may serve, by number: day d, turn k.

    ``may[m]`` are the turns of member m; ``free[m][d]`` those of them that begin on day d without touching leave.
    """

    problem: RotaProblem
    members: tuple[Member, ...]
    turns: tuple[Turn, ...]
    covers: tuple[Cover, ...]
    fixed: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Of (member, day), the turn that stands, or ``OFF``."""

    @cached_property
    def shifts(self) -> tuple[Shift, ...]:
        """The shift of each turn."""
        return tuple(self.problem.shift_of[shift_id] for _, shift_id in self.turns)

    @cached_property
    def may(self) -> tuple[tuple[int, ...], ...]:
        """The turns that each member may serve."""
        number = {turn: k for k, turn in enumerate(self.turns)}
        return tuple(tuple(number[turn] for turn in self.problem.turns_of(one)) for one in self.members)

    @cached_property
    def free(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The turns that each member may begin on each day, leave and what is fixed considered."""
        return tuple(
            tuple(self._free(m, one, d, on) for d, on in enumerate(self.problem.days))
            for m, one in enumerate(self.members)
        )

    def _free(self, m: int, member: Member, d: int, on: date) -> tuple[int, ...]:
        if (m, d) in self.fixed:
            return tuple(k for k in (self.fixed[m, d],) if k != OFF)
        if not member.leave:
            return self.may[m]
        return tuple(k for k in self.may[m] if self.problem.is_free_for(member, self.shifts[k], on))

    def serving(self, cover: Cover) -> list[tuple[int, int]]:
        """Return the (day, turn) that serve a cover."""
        number = {turn: k for k, turn in enumerate(self.turns)}
        return [(on, number[cover.duty_id, shift_id]) for on, shift_id in cover.turns]

    @cached_property
    def past(self) -> dict[tuple[int, int], int]:
        """Turns served before the plan: of (member, day below 0)."""
        turn_of = {turn: k for k, turn in enumerate(self.turns)}
        who = {one.member_id: m for m, one in enumerate(self.members)}
        return {
            (who[member_id], (on - self.problem.begin_on).days): turn_of[turn]
            for (member_id, on), turn in self.problem.before.items()
            if member_id in who and turn in turn_of
        }

    @cached_property
    def rest_sets(self) -> tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]:
        """Sets of turns of which one member serves at most one: (days later, those on the first day, on the later)."""
        found: set[tuple[int, tuple[int, ...], tuple[int, ...]]] = set()
        every = range(len(self.turns))
        for later in range(1, LONGEST_REACH_DAYS):
            too_soon = {
                (a, b) for a, b in product(every, every)
                if rest_broken(self.problem, self.shifts[a], self.shifts[b], later)
            }  # fmt: skip
            for b in every:
                first = tuple(a for a in every if (a, b) in too_soon)
                if first:
                    second = tuple(c for c in every if all((a, c) in too_soon for a in first))
                    found.add((later, first, second))
        return tuple(sorted(found))

    @cached_property
    def spans(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Turns of which one member begins at most one in so many days in a row: ``rest_sets`` of one turn, joined."""
        found: dict[int, list[int]] = {}
        for k in range(len(self.turns)):
            later = 1
            while rest_broken(self.problem, self.shifts[k], self.shifts[k], later):
                later += 1
            if later > 2:
                found.setdefault(later, []).append(k)
        return tuple((days, tuple(ks)) for days, ks in sorted(found.items()) if self._all_apart(ks, days))

    def _all_apart(self, ks: list[int], days: int) -> bool:
        pairs = [(self.shifts[a], self.shifts[b]) for a, b in product(ks, ks)]
        return all(rest_broken(self.problem, a, b, later) for a, b in pairs for later in range(1, days))


def parts_of(problem: RotaProblem) -> tuple[Part, ...]:
    """Return the parts of a problem that share neither members nor duties."""
    root = {one.duty_id: one.duty_id for one in problem.duties}

    def find(duty_id: str) -> str:
        while root[duty_id] != duty_id:
            duty_id = root[duty_id]
        return duty_id

    served = {one.member_id: sorted({duty_id for duty_id, _ in problem.turns_of(one)}) for one in problem.members}
    for duties in served.values():
        for other in duties[1:]:
            root[find(other)] = find(duties[0])
    covers = covers_of(problem)
    past: dict[str, dict[Turn, None]] = {}
    for (member_id, _), turn in problem.before.items():
        past.setdefault(member_id, {})[turn] = None
    made = []
    for head in dict.fromkeys(find(one.duty_id) for one in problem.duties):
        inside = {one.duty_id for one in problem.duties if find(one.duty_id) == head}
        members = tuple(one for one in problem.members if served[one.member_id] and served[one.member_id][0] in inside)
        turns = [(d.duty_id, s) for d in problem.duties if d.duty_id in inside for s in d.shifts]
        turns += [
            turn for one in members for turn in past.get(one.member_id, ())
        ]  # served elsewhere before, rest is due
        made.append(
            Part(
                problem=problem,
                members=members,
                turns=tuple(dict.fromkeys(turns)),
                covers=tuple(one for one in covers if one.duty_id in inside),
            )
        )
    return tuple(made)


def weekly_too_short(part: Part, a: int, b: int, days_later: int) -> bool:
    """Tell whether the stretch from turn a to turn b, so many days later, is too short for a weekly rest."""
    gap = days_later * DAY_MIN + part.shifts[b].begin_min - part.shifts[a].end_min
    return gap < 60 * part.problem.rules.weekly_rest_h
