"""Whether a rota keeps its rules: told from moments alone, with nothing of the way it was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from anlan.response.rota.answer import Breach, Served
from anlan.response.rota.problem import Duty, Member, RotaProblem, Shift, Turn


def check_rota(problem: RotaProblem, served: Served) -> tuple[Breach, ...]:
    """Return every breach of a hard rule.

    Examples
    --------
    >>> from anlan.response.rota.problem import Duty
    >>> long = Shift(shift_id="long", label={}, begin_h=8, length_h=12)
    >>> gate = Duty.vehicle("gate", {}, shifts=("long",), crew=2)
    >>> monday, staff = date(2026, 12, 7), (Member(member_id="a"),)
    >>> problem = RotaProblem(begin_on=monday, n_days=1, shifts=(long,), duties=(gate,), members=staff)
    >>> [breach.told for breach in check_rota(problem, {("a", monday): ("gate", "long")})]
    ['12 h in 1 days', '1 of exactly 2 on 2026-12-07 at 08:00']
    """
    found = list(_unknown(problem, served))
    if found:
        return tuple(found)
    for member in problem.members:
        turns = {on: turn for (who, on), turn in {**problem.before, **served}.items() if who == member.member_id}
        found += _of_member(problem, member, turns)
    for duty in problem.duties:
        found += _of_duty(problem, duty, {**problem.before, **served})
    return tuple(found)


def _unknown(problem: RotaProblem, served: Served) -> Iterator[Breach]:
    for (who, on), turn in served.items():
        member = problem.member_of.get(who)
        if member is None or on not in problem.days or turn not in problem.turns_of(member):
            yield Breach(kind="unknown", subject=who, told=f"{turn} on {on} is nothing that {who} may serve")


def span(shift: Shift, on: date) -> tuple[datetime, datetime]:
    """Return when a shift that begins on a day begins and ends, on the clock of the wall."""
    begin = datetime.combine(on, time()) + timedelta(minutes=shift.begin_min)
    return begin, begin + timedelta(minutes=shift.length_min)


def _of_member(problem: RotaProblem, member: Member, turns: Mapping[date, Turn]) -> Iterator[Breach]:
    rules, who = problem.rules, member.member_id
    spans = [(on, *span(problem.shift_of[turns[on][1]], on), problem.shift_of[turns[on][1]]) for on in sorted(turns)]
    planned = [one for one in spans if one[0] >= problem.begin_on]
    for (_, _, end, shift), (on, begin, _, _) in pairwise(spans):
        due = timedelta(hours=max(rules.least_rest_h, shift.rest_after_h))
        if on >= problem.begin_on and begin - end < due:
            yield Breach(kind="rest", subject=who, told=f"{begin - end} of rest before {begin}, due are {due}")
    for on in sorted(member.leave):
        midnight = datetime.combine(on, time())
        if any(begin < midnight + timedelta(days=1) and end > midnight for _, begin, end, _ in planned):
            yield Breach(kind="leave", subject=who, told=f"duty on {on}, a day of leave")
    weeks: dict[tuple[int, int], float] = {}
    for on, _, _, shift in planned:
        week = on.isocalendar()[:2]
        weeks[week] = weeks.get(week, 0.0) + shift.length_h
    for week, hours in weeks.items():
        if hours > rules.most_week_h + 1e-6:
            yield Breach(kind="week_hours", subject=who, told=f"{hours:g} h in week {week[1]} of {week[0]}")
    whole = sum(weeks.values())
    if whole > rules.most_28d_h * problem.n_days / 28 + 1e-6:
        yield Breach(kind="hours", subject=who, told=f"{whole:g} h in {problem.n_days} days")
    yield from _nights(problem, who, turns)
    if rules.weekly_rest_h > 0:
        yield from _weekly_rest(problem, who, [(on, begin, end) for on, begin, end, _ in spans])


def _nights(problem: RotaProblem, who: str, turns: Mapping[date, Turn]) -> Iterator[Breach]:
    in_a_row = 0
    on = min(turns, default=problem.begin_on)
    while on <= problem.days[-1]:
        in_a_row = in_a_row + 1 if on in turns and problem.shift_of[turns[on][1]].is_night else 0
        if in_a_row > problem.rules.most_nights and on >= problem.begin_on:
            yield Breach(kind="nights", subject=who, told=f"{in_a_row} nights in a row on {on}")
        on += timedelta(days=1)


def _weekly_rest(problem: RotaProblem, who: str, spans: list[tuple[date, datetime, datetime]]) -> Iterator[Breach]:
    first = problem.begin_on - timedelta(days=6 if problem.before else 0)
    least = timedelta(hours=problem.rules.weekly_rest_h)
    serving = {on for on, _, _ in spans}

    def rests(on: date) -> bool:
        if on in serving:
            return False
        ended = max((end for day, _, end in spans if day < on), default=datetime.min)  # noqa: DTZ901 - a wall clock
        begins = min((begin for day, begin, _ in spans if day > on), default=datetime.max)  # noqa: DTZ901 - a wall clock
        return begins - ended >= least

    last_rest = first - timedelta(days=1)
    on = first
    while on <= problem.days[-1]:
        if rests(on):
            last_rest = on
        elif on - last_rest >= timedelta(days=7) and on >= problem.begin_on:
            yield Breach(kind="weekly_rest", subject=who, told=f"no rest of {least} in the 7 days up to {on}")
        on += timedelta(days=1)


def _of_duty(problem: RotaProblem, duty: Duty, served: Served) -> Iterator[Breach]:
    here = [
        (who, on, *span(problem.shift_of[shift_id], on), problem.shift_of[shift_id])
        for (who, on), (duty_id, shift_id) in served.items()
        if duty_id == duty.duty_id
    ]
    for on in problem.days:
        if duty.crew is not None:
            for shift in (problem.shift_of[one] for one in duty.shifts):
                crew = [who for who, day, _, _, of in here if day == on and of is shift]
                at = f"{on} at {span(shift, on)[0]:%H:%M}"
                if len(crew) != duty.crew:
                    yield Breach(kind="cover", subject=duty.duty_id, told=f"{len(crew)} of exactly {duty.crew} on {at}")
                yield from _skilled(problem, duty, crew, duty.crew, at)
        else:
            yield from _hourly(problem, duty, [one[:4] for one in here], on)


def _hourly(
    problem: RotaProblem, duty: Duty, here: list[tuple[str, date, datetime, datetime]], on: date
) -> Iterator[Breach]:
    shifts = [problem.shift_of[one] for one in duty.shifts]
    for minute in range(0, 1440, 5):
        asked = duty.least_by_hour[minute // 60]
        at = datetime.combine(on, time()) + timedelta(minutes=minute)
        if on == problem.begin_on and not problem.before and any(one.end_min - 1440 > minute for one in shifts):
            continue  # served by who began before the plan, of whom nothing is known
        there = [who for who, _, begin, end in here if begin <= at < end]
        if len(there) < asked:
            yield Breach(
                kind="cover", subject=duty.duty_id, told=f"{len(there)} of at least {asked} at {at:%Y-%m-%d %H:%M}"
            )
        yield from _skilled(problem, duty, there, asked, f"{at:%Y-%m-%d %H:%M}")


def _skilled(problem: RotaProblem, duty: Duty, there: list[str], asked: int, at: str) -> Iterator[Breach]:
    for skill, least in duty.needs.items():
        able = sum(skill in problem.member_of[who].skills for who in there)
        if able < min(least, asked):
            yield Breach(kind="cover", subject=duty.duty_id, told=f"{able} of {least} with {skill} at {at}")
