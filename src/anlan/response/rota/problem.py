"""What a rota must keep: shifts, duties with their least numbers, members of staff, and the rules of rest and hours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

from anlan.kernel.errors import BadInput
from anlan.kernel.records import Label

DAY_MIN = 1440
MOST_DAYS = 92
NIGHT_FROM_H, NIGHT_TO_H, NIGHT_LEAST_H = 22, 6, 3


def refuse(value: str, rule: str, next_step: str, *, unless: bool) -> None:
    """Raise ``BadInput`` unless the rule holds."""
    if not unless:
        raise BadInput(value, rule, next_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A stretch of duty that begins at one time of the day.

    Parameters
    ----------
    begin_h : float
        On the clock of the wall, 0 to below 24; whole minutes.
    length_h : float
        Up to 24 h.
    rest_after_h : float
        Least rest after it, where more than the rule's is due: 48 h after a duty of 24 h, say.
    """

    shift_id: str
    label: Label
    begin_h: float
    length_h: float
    rest_after_h: float = 0.0

    def __post_init__(self) -> None:
        name = f"shift {self.shift_id!r}"
        refuse(f"{name} begin_h={self.begin_h}", "must be in 0..24, below 24", "give the hour it begins at",
               unless=0 <= self.begin_h < 24)  # fmt: skip
        refuse(f"{name} length_h={self.length_h}", "must be over 0 and at most 24 h", "give its length in hours",
               unless=0 < self.length_h <= 24)  # fmt: skip
        refuse(f"{name} rest_after_h={self.rest_after_h}", "must be in 0..168 h", "give the rest after it in hours",
               unless=0 <= self.rest_after_h <= 168)  # fmt: skip
        whole = all(abs(60 * one - round(60 * one)) < 1e-6 for one in (self.begin_h, self.length_h))
        refuse(f"{name} begin_h={self.begin_h}, length_h={self.length_h}", "must be whole minutes", "round them",
               unless=whole)  # fmt: skip

    @property
    def begin_min(self) -> int:
        """Minutes from midnight at which it begins."""
        return round(60 * self.begin_h)

    @property
    def length_min(self) -> int:
        """How long it lasts, minutes."""
        return round(60 * self.length_h)

    @property
    def end_min(self) -> int:
        """Minutes from the midnight before it at which it ends; above 1440 on the next day."""
        return self.begin_min + self.length_min

    @property
    def is_night(self) -> bool:
        """True where three hours of it or more lie between 22:00 and 06:00."""
        nights = ((-DAY_MIN + NIGHT_FROM_H * 60, NIGHT_TO_H * 60), (NIGHT_FROM_H * 60, DAY_MIN + NIGHT_TO_H * 60))
        inside = sum(max(0, min(self.end_min, end) - max(self.begin_min, begin)) for begin, end in nights)
        return inside >= NIGHT_LEAST_H * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What must be staffed: the patrol of an area, or a vehicle with its crew.

    Parameters
    ----------
    shifts : tuple of str
        The shifts in which it is worked.
    least_by_hour : tuple of 24 int
        Least number on duty in each hour of the day; see ``patrol``.
    crew : int, optional
        Exactly so many begin in each of its shifts each day; see ``vehicle``.
    needs : mapping
        Of skill, how many at least of those on duty must have it, at every hour.
    skill : str
        Without which nobody serves here; empty where anybody may.

    Examples
    --------
    >>> Duty.patrol("bund", {"en": "Bund"}, shifts=("early",), area_km2=1.3, per_km2=16).least_by_hour[:2]
    (21, 21)
    """

    duty_id: str
    label: Label
    shifts: tuple[str, ...]
    least_by_hour: tuple[int, ...] = ()
    crew: int | None = None
    needs: Mapping[str, int] = field(default_factory=dict)
    skill: str = ""

    def __post_init__(self) -> None:
        name = f"duty {self.duty_id!r}"
        refuse(f"{name} shifts=()", "must name at least one shift", "name those in which it is worked",
               unless=bool(self.shifts))  # fmt: skip
        refuse(f"{name}", "must have a crew or a least number by hour, not both", "give one of them",
               unless=(self.crew is None) == bool(self.least_by_hour))  # fmt: skip
        refuse(f"{name} with {len(self.least_by_hour)} hours", "must have 24", "give a least number for each hour",
               unless=len(self.least_by_hour) in {0, 24})  # fmt: skip
        low = min((*self.least_by_hour, *self.needs.values(), self.crew or 0))
        refuse(f"{name} number={low}", "must be >= 0", "give numbers of members", unless=low >= 0)
        refuse(f"{name} crew={self.crew}", "must be >= 1", "give the size of the crew", unless=self.crew != 0)
        most = self.crew if self.crew is not None else max(self.least_by_hour)
        wrong = next((f"{skill}={n}" for skill, n in self.needs.items() if n > most), "")
        refuse(f"{name} needs {wrong}", f"must be at most the {most} on duty", "correct one of them", unless=not wrong)

    @classmethod
    def patrol(
        cls, duty_id: str, label: Label, *, shifts: tuple[str, ...], area_km2: float,
        per_km2: float | tuple[float, ...], needs: Mapping[str, int] | None = None,
    ) -> Duty:  # fmt: skip
        """Return the patrol of an area: so many per km² in every hour, or in each of 24, rounded up."""
        refuse(f"duty {duty_id!r} area_km2={area_km2}", "must be over 0", "give the area in km²",
               unless=0 < area_km2 < math.inf)  # fmt: skip
        hours = per_km2 if isinstance(per_km2, tuple) else (per_km2,) * 24
        wrong = next((one for one in hours if not 0 <= one < 10_000), None)
        refuse(f"duty {duty_id!r} per_km2={wrong}", "must be >= 0 per km²", "correct it", unless=wrong is None)
        least = tuple(math.ceil(area_km2 * one - 1e-9) for one in hours)
        return cls(duty_id=duty_id, label=label, shifts=shifts, least_by_hour=least, needs=needs or {})

    @classmethod
    def vehicle(
        cls, duty_id: str, label: Label, *, shifts: tuple[str, ...], crew: int = 4,
        needs: Mapping[str, int] | None = None, skill: str = "",
    ) -> Duty:  # fmt: skip
        """Return a vehicle that is never without its crew."""
        return cls(duty_id=duty_id, label=label, shifts=shifts, crew=crew, needs=needs or {}, skill=skill)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of staff, by the id of the account. Nothing else is known of anybody.

    Parameters
    ----------
    duties : frozenset of str
        Where the member may serve; everywhere where empty.
    week_h : float
        Contracted hours a week.
    leave : frozenset of date
        On which no minute of a shift may lie.
    wishes : frozenset of date
        Days that the member would rather have free; kept where that costs little.
    """

    member_id: str
    label: str = ""
    skills: frozenset[str] = frozenset()
    duties: frozenset[str] = frozenset()
    week_h: float = 40.0
    leave: frozenset[date] = frozenset()
    wishes: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        refuse(f"member {self.member_id!r} week_h={self.week_h}", "must be over 0 and at most 168 h",
               "give the contracted hours a week", unless=0 < self.week_h <= 168)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Hard rules of rest and hours.

    Parameters
    ----------
    least_rest_h : float
        Between the end of one shift and the beginning of the next.
    weekly_rest_h : float
        A stretch without duty of this length, 24 to 48 h, around a day on which none begins, within any seven days; 0
        asks for none.
    most_week_h, most_28d_h : float
        Most hours that begin in a calendar week, and in 28 days (a shorter or longer plan in proportion).
    most_nights : int
        Most nights in a row.

    References
    ----------
    Labour Law of the People's Republic of China (1994): art. 38, one day of rest a week; art. 41, at most 36 h of
    overtime a month. State Council order 174 (1995): 40 h a week. So 4 times 40 plus 36 h in 28 days, where hours are
    reckoned over the month. It states no rest between shifts; the 11 h are those of directive 2003/88/EC, art. 3.
    """

    least_rest_h: float = 11.0
    weekly_rest_h: float = 24.0
    most_week_h: float = 60.0
    most_28d_h: float = 196.0
    most_nights: int = 4

    def __post_init__(self) -> None:
        for name in ("least_rest_h", "most_week_h"):
            value = getattr(self, name)
            refuse(f"{name}={value}", "must be in 0..168 h", "give hours", unless=0 <= value <= 168)
        refuse(f"weekly_rest_h={self.weekly_rest_h}", "must be 0 or in 24..48 h", "give the length of the weekly rest",
               unless=self.weekly_rest_h == 0 or 24 <= self.weekly_rest_h <= 48)  # fmt: skip
        refuse(f"most_28d_h={self.most_28d_h}", "must be in 0..672 h", "give hours", unless=0 <= self.most_28d_h <= 672)
        refuse(f"most_nights={self.most_nights}", "must be >= 1", "give nights in a row", unless=self.most_nights >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What is worth how many hours of duty, where a rota may choose.

    Parameters
    ----------
    night_h, weekend_h : float
        A night, or a shift on a day of rest, more than the fair number rounded up, or fewer than it rounded down.
    share_h : float
        An hour more or fewer than the fair number of hours, beyond half of the longest shift.
    overtime_h : float
        An hour beyond the contract.
    wish_h : float
        A shift on a day that was wished free.
    """

    night_h: float = 4.0
    weekend_h: float = 4.0
    share_h: float = 0.5
    overtime_h: float = 0.5
    wish_h: float = 4.0

    def __post_init__(self) -> None:
        for name in ("night_h", "weekend_h", "share_h", "overtime_h", "wish_h"):
            value = getattr(self, name)
            refuse(f"{name}={value}", "must be in 0..1000 h", "give a weight in hours", unless=0 <= value <= 1000)


Turn = tuple[str, str]
"""A duty and the shift in which it is served."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RotaProblem:
    """Everything a rota must keep and may choose.

    Parameters
    ----------
    begin_on, n_days : date, int
        The days that are planned.
    before : mapping
        Of (member, date), the turn served in the days before, so that rest runs on over the first day. Where nothing is
        given, hours of the first day that a shift of the day before would cover are not asked for.
    days_of_rest : frozenset of date, optional
        On which a shift counts as one of a weekend; Saturdays and Sundays where left out.

    Raises
    ------
    BadInput
        If an id comes twice, or a duty, shift, skill or day is named that there is not.
    """

    begin_on: date
    n_days: int
    shifts: tuple[Shift, ...]
    duties: tuple[Duty, ...]
    members: tuple[Member, ...]
    rules: Rules = field(default_factory=Rules)
    weights: Weights = field(default_factory=Weights)
    before: Mapping[tuple[str, date], Turn] = field(default_factory=dict)
    days_of_rest: frozenset[date] | None = None

    def __post_init__(self) -> None:
        refuse(f"n_days={self.n_days}", f"must be in 1..{MOST_DAYS}", "plan a month or a quarter",
               unless=1 <= self.n_days <= MOST_DAYS)  # fmt: skip
        for kind, ids in (
            ("shift", [one.shift_id for one in self.shifts]),
            ("duty", [one.duty_id for one in self.duties]),
            ("member", [one.member_id for one in self.members]),
        ):
            refuse(f"no {kind}", "must be at least one", f"give a {kind}", unless=bool(ids))
            twice = (
                next((one for k, one in enumerate(ids) if one in set(ids[:k])), None)
                if len(set(ids)) < len(ids)
                else None
            )
            refuse(f"{kind} {twice!r}", "must be there once", "rename one of the two", unless=twice is None)
        self._check_names()

    def _check_names(self) -> None:
        shifts, duties = {one.shift_id for one in self.shifts}, {one.duty_id for one in self.duties}
        for duty in self.duties:
            gone = next((one for one in duty.shifts if one not in shifts), None)
            refuse(f"shift {gone!r} of duty {duty.duty_id!r}", "must exist", "declare it", unless=gone is None)
        for one in self.members:
            gone = next(iter(sorted(one.duties - duties)), None)
            refuse(f"duty {gone!r} of member {one.member_id!r}", "must exist", "declare it", unless=gone is None)
        members = {one.member_id for one in self.members}
        for (who, on), (duty_id, shift_id) in self.before.items():
            known = who in members and duty_id in duties and shift_id in shifts
            refuse(f"before: {who}, {duty_id}, {shift_id}", "must name a member, a duty and a shift", "correct it",
                   unless=known)  # fmt: skip
            refuse(f"before: {on}", f"must be before {self.begin_on}", "correct it", unless=on < self.begin_on)

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days that are planned."""
        return tuple(self.begin_on + timedelta(days=k) for k in range(self.n_days))

    @cached_property
    def shift_of(self) -> dict[str, Shift]:
        """Shifts by id."""
        return {one.shift_id: one for one in self.shifts}

    @cached_property
    def duty_of(self) -> dict[str, Duty]:
        """Duties by id."""
        return {one.duty_id: one for one in self.duties}

    @cached_property
    def member_of(self) -> dict[str, Member]:
        """Members by id."""
        return {one.member_id: one for one in self.members}

    def is_rest_day(self, on: date) -> bool:
        """Tell whether a shift that begins on this day counts as one of a weekend."""
        return on.weekday() >= 5 if self.days_of_rest is None else on in self.days_of_rest

    def turns_of(self, member: Member) -> tuple[Turn, ...]:
        """Return the duties and shifts that a member may serve."""
        return tuple(
            (duty.duty_id, shift_id)
            for duty in self.duties
            if (not member.duties or duty.duty_id in member.duties) and (not duty.skill or duty.skill in member.skills)
            for shift_id in duty.shifts
        )

    def is_free_for(self, member: Member, shift: Shift, on: date) -> bool:
        """Tell whether no minute of a shift that begins on this day lies on the member's leave."""
        last = on + timedelta(days=(shift.end_min - 1) // DAY_MIN)
        return on not in member.leave and last not in member.leave

    def caps_min(self) -> tuple[int, int]:
        """Return the most minutes in a calendar week and in the whole plan."""
        whole = self.rules.most_28d_h * self.n_days / 28
        return math.floor(60 * self.rules.most_week_h + 1e-6), math.floor(60 * whole + 1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """At least, or exactly, so many on duty in a stretch of one day.

    ``turns`` are (day, shift) that serve it; ``skill`` is empty where everybody counts.
    """

    duty_id: str
    on: int
    begin_min: int
    end_min: int
    least: int
    skill: str
    turns: tuple[tuple[int, str], ...]
    exact: bool = False


def covers_of(problem: RotaProblem) -> tuple[Cover, ...]:
    """Return what must be covered: one for each stretch of a day in which the same shifts are on, and skill."""
    made: list[Cover] = []
    for duty in problem.duties:
        shifts = [problem.shift_of[one] for one in duty.shifts]
        for on in range(problem.n_days):
            made += _crews(duty, shifts, on) if duty.crew is not None else _hours(problem, duty, shifts, on)
    return tuple(made)


def _crews(duty: Duty, shifts: Iterable[Shift], on: int) -> list[Cover]:
    made = []
    for shift in shifts:
        for skill, least in (("", duty.crew or 0), *sorted(duty.needs.items())):
            if least:
                made.append(Cover(
                    duty_id=duty.duty_id, on=on, begin_min=shift.begin_min, end_min=shift.end_min, least=least,
                    skill=skill, turns=((on, shift.shift_id),), exact=not skill,
                ))  # fmt: skip
    return made


def _hours(problem: RotaProblem, duty: Duty, shifts: list[Shift], on: int) -> list[Cover]:
    edges = {0, DAY_MIN, *(60 * h for h in range(1, 24))}
    edges |= {
        edge for one in shifts for edge in (one.begin_min, one.end_min - DAY_MIN, one.end_min) if 0 < edge < DAY_MIN
    }
    cuts = sorted(edges)
    found: dict[tuple[tuple[tuple[int, str], ...], str], Cover] = {}
    for begin, end in pairwise(cuts):
        serving = [(on, one.shift_id) for one in shifts if one.begin_min <= begin and end <= one.end_min]
        before = [(on - 1, one.shift_id) for one in shifts if end <= one.end_min - DAY_MIN]
        if on == 0 and before and not problem.before:
            continue
        turns = tuple(sorted(before + serving))
        hourly = duty.least_by_hour[begin // 60]
        for skill, asked in (("", hourly), *((skill, min(n, hourly)) for skill, n in sorted(duty.needs.items()))):
            last = found.get((turns, skill))
            if asked and (last is None or asked > last.least):
                found[turns, skill] = Cover(
                    duty_id=duty.duty_id, on=on, begin_min=begin, end_min=end, least=asked, skill=skill, turns=turns
                )
            elif asked and last is not None and asked == last.least and last.end_min == begin:
                found[turns, skill] = Cover(
                    duty_id=duty.duty_id,
                    on=on,
                    begin_min=last.begin_min,
                    end_min=end,
                    least=asked,
                    skill=skill,
                    turns=turns,
                )
    return list(found.values())


def rest_broken(problem: RotaProblem, first: Shift, second: Shift, days_later: int) -> bool:
    """Tell whether a shift comes too soon after another that began so many days before it."""
    gap = days_later * DAY_MIN + second.begin_min - first.end_min
    return gap < 60 * max(problem.rules.least_rest_h, first.rest_after_h)


def groups_of(members: Iterable[Member], key: Callable[[Member], object]) -> list[list[Member]]:
    """Return the members in groups of one key each, in the order in which they come."""
    found: dict[object, list[Member]] = {}
    for one in members:
        found.setdefault(key(one), []).append(one)
    return list(found.values())
