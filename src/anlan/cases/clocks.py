"""Clocks of a case, computed from its history at any moment: nothing ticks, so nothing is missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from anlan.cases.definition import CaseType, ClockRule, Measured
from anlan.cases.machine import Case
from anlan.cases.working import WorkTime
from anlan.kernel.clock import as_utc


class Phase(StrEnum):
    """What a clock is doing."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    RESTING = "resting"
    STOPPED = "stopped"


class Light(StrEnum):
    """How a clock stands: computed, never chosen by whoever owns the case."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """The exact moment at which somebody must be told: a warning, a breach (share 1), or a climb beyond it."""

    clock_id: str
    at: datetime
    share: float
    to: str
    letter: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A clock at a moment. ``due_at`` is None unless it runs: while it rests nobody knows.

    ``provisional_years`` are years of working time whose calendar is not confirmed: the date may still move.
    """

    clock_id: str
    phase: Phase
    light: Light
    elapsed: timedelta
    limit: timedelta
    due_at: datetime | None
    provisional_years: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    """Stretches in which a clock ran, the last one still open where ``end`` is None, and its limit."""

    stretches: tuple[tuple[datetime, datetime | None], ...]
    phase: Phase
    limits: tuple[tuple[datetime, timedelta], ...]


def read_clocks(kind: CaseType, case: Case, work: WorkTime, at: datetime) -> tuple[Reading, ...]:
    """Return every clock of a case as it stood at a moment.

    Elapsed time is the sum over the stretches in which the clock ran up to ``at``; a clock that starts again after it
    stopped begins anew. Yellow from the warning share of the limit on, red from the whole limit on.

    Parameters
    ----------
    kind, case : CaseType, Case
        The case with the type it is pinned to.
    work : WorkTime
        Working hours and calendar of the district.
    at : datetime
        The moment, aware; later history is not looked at.
    """
    at = as_utc(at, "at")
    return tuple(_read(rule, _run(kind, case, rule, work, at), work, at) for rule in kind.clocks)


def firings(kind: CaseType, case: Case, work: WorkTime, *, since_at: datetime, until_at: datetime) -> list[Firing]:
    """Return whom clocks tell after ``since_at``, up to and with ``until_at``, in order of time.

    What is asked hour by hour and what is asked once for a year are the same firings.
    """
    until_at = as_utc(until_at, "until_at")
    found: list[Firing] = []
    for rule in kind.clocks:
        run = _run(kind, case, rule, work, until_at)
        steps = [(rule.warn_share, "owner", False), *((one.share, one.to, one.letter) for one in rule.climbs)]
        for share, to, letter in steps:
            at = _moment(rule, run, share, work)
            if at is not None and since_at < at <= until_at:
                found.append(Firing(clock_id=rule.clock_id, at=at, share=share, to=to, letter=letter))
    return sorted(found, key=lambda one: (one.at, one.share, one.clock_id))


def _run(kind: CaseType, case: Case, rule: ClockRule, work: WorkTime, at: datetime) -> _Run:
    stretches: list[tuple[datetime, datetime | None]] = []
    day_s = work.day_s if rule.limit.measured is Measured.WORKING else 86400.0
    whole = rule.limit.length(day_s)
    limits: list[tuple[datetime, timedelta]] = []
    phase = Phase.NOT_STARTED
    for change in case.history:
        if change.at > at:
            break
        if change.transition == rule.extended_by and limits:
            limits.append((change.at, limits[-1][1] + whole))
        before = phase
        phase = _phase(kind, rule, phase, change.target)
        if phase is Phase.RUNNING and before in {Phase.NOT_STARTED, Phase.STOPPED}:
            stretches, limits = [(change.at, None)], [(change.at, whole)]
        elif phase is Phase.RUNNING and before is Phase.RESTING:
            stretches.append((change.at, None))
        elif phase is not Phase.RUNNING and before is Phase.RUNNING:
            stretches[-1] = (stretches[-1][0], change.at)
    return _Run(tuple(stretches), phase, tuple(limits) or ((case.opened_at, whole),))


def _phase(kind: CaseType, rule: ClockRule, before: Phase, state: str) -> Phase:
    going = before in {Phase.RUNNING, Phase.RESTING}
    if kind.states[state].closed or state in rule.stops:
        return Phase.STOPPED if going else before
    if state in rule.pauses:
        return Phase.RESTING if going else before
    return Phase.RUNNING if going or state in rule.starts else before


def _spent(rule: ClockRule, begin_at: datetime, end_at: datetime, work: WorkTime) -> timedelta:
    return work.between(begin_at, end_at) if rule.limit.measured is Measured.WORKING else end_at - begin_at


def _later(rule: ClockRule, begin_at: datetime, amount: timedelta, work: WorkTime) -> datetime:
    return work.after(begin_at, amount) if rule.limit.measured is Measured.WORKING else begin_at + amount


def _moment(rule: ClockRule, run: _Run, share: float, work: WorkTime) -> datetime | None:
    """Return when a share of the limit had gone, by the limit that held at that moment; None where it never has."""
    ends = [at for at, _ in run.limits[1:]] + [None]
    for (_, limit), end in zip(run.limits, ends, strict=True):
        left = limit * share
        for begin_at, end_at in run.stretches:
            spent = None if end_at is None else _spent(rule, begin_at, end_at, work)
            if spent is not None and spent < left:
                left -= spent
                continue
            at = _later(rule, begin_at, left, work)
            if end_at is not None and at > end_at:
                break
            if end is None or at < end:
                return at
            break
    return None


def _read(rule: ClockRule, run: _Run, work: WorkTime, at: datetime) -> Reading:
    limit = run.limits[-1][1]
    elapsed = sum((_spent(rule, begin, end or at, work) for begin, end in run.stretches), timedelta())
    due_at = None
    if run.phase is Phase.RUNNING:
        before = sum((_spent(rule, begin, end, work) for begin, end in run.stretches if end is not None), timedelta())
        begin_at = run.stretches[-1][0]
        due_at = _later(rule, begin_at, limit - before, work) if before < limit else _moment(rule, run, 1.0, work)
    light = Light.RED if elapsed >= limit else Light.YELLOW if elapsed >= limit * rule.warn_share else Light.GREEN
    years: tuple[int, ...] = ()
    if rule.limit.measured is Measured.WORKING and run.stretches:
        years = work.unconfirmed(run.stretches[0][0], due_at or run.stretches[-1][1] or at)
    return Reading(
        clock_id=rule.clock_id, phase=run.phase, light=light, elapsed=elapsed, limit=limit, due_at=due_at,
        provisional_years=years,
    )  # fmt: skip
