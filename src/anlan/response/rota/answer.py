"""What is answered: a rota with its bound, or the rules that cannot all be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from anlan.response.rota.problem import Cover, RotaProblem, Turn

Served = Mapping[tuple[str, date], Turn]
"""Of (member, day), the duty and shift that begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, by its kind and whose it is.

    ``kind`` is ``rest``, ``weekly_rest``, ``week_hours``, ``hours`` or ``nights`` (of everybody), ``leave`` (of a
    member) or ``cover`` (of a duty on a day).
    """

    kind: str
    member_id: str = ""
    cover: Cover | None = None

    def told(self, problem: RotaProblem) -> str:
        """Return the rule in words with its numbers."""
        rules = problem.rules
        general = {
            "rest": f"at least {rules.least_rest_h:g} h of rest between shifts, more where a shift says so",
            "weekly_rest": f"{rules.weekly_rest_h:g} h of rest within any 7 days",
            "week_hours": f"at most {rules.most_week_h:g} h a calendar week",
            "hours": f"at most {problem.caps_min()[1] / 60:g} h in {problem.n_days} days",
            "nights": f"at most {rules.most_nights} nights in a row",
        }
        if self.cover is None:
            return general.get(self.kind) or f"leave of {self.member_id}: {_days(problem, self.member_id)}"
        cover = self.cover
        on = problem.days[cover.on]
        hours = f"{_clock(cover.begin_min)}-{_clock(cover.end_min)}"
        number = f"{'exactly' if cover.exact else 'at least'} {cover.least}"
        return f"{number}{f' with {cover.skill}' if cover.skill else ''} on {cover.duty_id}, {on} {hours}"


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24 if minute != 1440 else 24:02d}:{minute % 60:02d}"


def _days(problem: RotaProblem, member_id: str) -> str:
    leave = sorted(on for on in problem.member_of[member_id].leave if on in problem.days)
    return f"{len(leave)} days from {leave[0]}" if len(leave) > 1 else ", ".join(map(str, leave))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Rules that no rota can keep together; without any one of them, one could, where ``minimal`` is True.

    Parameters
    ----------
    told : tuple of str
        The rules in words.
    duties, n_members : tuple of str, int
        The part of the problem in which they clash, and how many may serve there.
    """

    rules: tuple[Rule, ...]
    told: tuple[str, ...]
    minimal: bool
    duties: tuple[str, ...]
    n_members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that a rota breaks: of whom or what, and how."""

    kind: str
    subject: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """Who begins what on which day, what it costs in hours of duty, and what no rota can beat.

    Parameters
    ----------
    cost_h, bound_h : float
        Hours of duty, and what unfairness, overtime and wishes not kept are worth in such hours.
    duty_h : float
        The hours of duty alone.
    breaches : tuple of Breach
        Empty, unless the search was stopped before it found a rota that keeps every rule.
    """

    served: Served
    cost_h: float
    bound_h: float
    duty_h: float
    seconds: float
    breaches: tuple[Breach, ...] = ()

    @property
    def kept(self) -> bool:
        """True where every hard rule is kept."""
        return not self.breaches

    @property
    def gap(self) -> float:
        """How far the cost may be from the least one, as a share of it."""
        return max(0.0, self.cost_h - self.bound_h) / max(self.cost_h, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A day of a member that is not as it was; None where nothing begins."""

    member_id: str
    on: date
    was: Turn | None
    now: Turn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanned:
    """A rota for a new situation, with what changed and the fewest changes that any needs.

    ``changes`` are those of members who are not missing; ``least_changes`` is a bound on their number.
    """

    rota: Rota
    changes: tuple[Change, ...]
    least_changes: int
    gone: tuple[Change, ...] = field(default_factory=tuple)
    """What the missing members would have served."""

    @property
    def proved(self) -> bool:
        """True where no rota needs fewer changes."""
        return len(self.changes) <= self.least_changes
