"""Clocks of a case, computed from its history at any moment: nothing ticks, so nothing is missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from anlan.cases.definition import CaseType, Climb, ClockRule
from anlan.cases.machine import Case, CaseChange
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

    ``first_due_at`` is what was promised when its present run began: pauses and extensions move ``due_at``, and never
    this. ``provisional_years`` are years of working time whose calendar is not confirmed: the date may still move.
    """

    clock_id: str
    phase: Phase
    light: Light
    elapsed: timedelta
    limit: timedelta
    due_at: datetime | None
    provisional_years: tuple[int, ...] = ()
    first_due_at: datetime | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the limit was kept; None while that is not decided, for the clock goes on or never began."""
        if self.light is Light.RED:
            return False
        return True if self.phase is Phase.STOPPED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When a clock that runs or rests turns yellow and red; None where it will not while it rests."""

    clock_id: str
    yellow_at: datetime | None
    red_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a clock from its start to its stop: the stretches in which it ran, and its limit from when on."""

    stretches: tuple[tuple[datetime, datetime | None], ...]
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
    return tuple(_read(rule, _runs(kind, case, rule, work, at), work, at) for rule in kind.clocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """How a clock went: whether its limit was kept (None while that is not decided), and how long it ran."""

    rule: ClockRule
    kept: bool | None
    stopped: bool
    elapsed: timedelta


def how_clocks_went(kind: CaseType, case: Case, work: WorkTime, at: datetime) -> tuple[Went, ...]:
    """Return how every clock of a case that began had gone by a moment: what is counted of it, and nothing more."""
    found = []
    for rule in kind.clocks:
        runs, phase = _runs(kind, case, rule, work, at)
        if runs:
            stopped = phase is Phase.STOPPED
            elapsed = _elapsed(rule, runs[-1], work, at)
            late = elapsed >= runs[-1].limits[-1][1]
            found.append(Went(rule=rule, kept=False if late else True if stopped else None, stopped=stopped,
                              elapsed=elapsed))  # fmt: skip
    return tuple(found)


def turns(kind: CaseType, case: Case, work: WorkTime) -> tuple[Turn, ...]:
    """Return when the clocks that run or rest turn yellow and red, if nothing happens.

    So the light of a case at any moment is told by comparing, and a list need not compute clocks.

    Parameters
    ----------
    kind, case, work : CaseType, Case, WorkTime
        The case with the type it is pinned to, and the working time of the district.
    """
    found = []
    for rule in kind.clocks:
        runs, phase = _runs(kind, case, rule, work, case.history[-1].at)
        if phase in {Phase.RUNNING, Phase.RESTING}:
            limit = runs[-1].limits[-1][1]
            red_at = _gone(rule, runs[-1], limit, work)
            found.append(
                Turn(
                    clock_id=rule.clock_id, yellow_at=_gone(rule, runs[-1], limit * rule.warn_share, work),
                    red_at=red_at, due_at=red_at if phase is Phase.RUNNING else None,
                )
            )  # fmt: skip
    return tuple(found)


def firings(kind: CaseType, case: Case, work: WorkTime, *, since_at: datetime, until_at: datetime) -> list[Firing]:
    """Return whom clocks tell after ``since_at``, up to and with ``until_at``, in order of time.

    What is asked hour by hour and what is asked once for a year are the same firings.
    """
    since_at, until_at = as_utc(since_at, "since_at"), as_utc(until_at, "until_at")
    found = []
    for rule in kind.clocks:
        steps = [Climb(share=rule.warn_share, to="owner"), *rule.climbs]
        for run in _runs(kind, case, rule, work, until_at)[0]:
            for step in steps:
                found += [
                    Firing(clock_id=rule.clock_id, at=at, share=step.share, to=step.to, letter=step.letter)
                    for at in _moments(rule, run, step.share, work)
                    if since_at < at <= until_at
                ]
    return sorted(found, key=lambda one: (one.at, one.clock_id, one.share))


def _runs(kind: CaseType, case: Case, rule: ClockRule, work: WorkTime, at: datetime) -> tuple[list[_Run], Phase]:
    """Return every run of a clock up to a moment, and what it does at its end."""
    runs: list[_Run] = []
    values: dict[str, Any] = {}
    phase, over = Phase.NOT_STARTED, False
    for change in case.history:
        if change.at > at or over:
            break
        values |= change.filled
        before, phase = phase, _phase(kind, rule, phase, change.target)
        if change.transition in rule.stopped_by:
            over, phase = True, before if before is Phase.NOT_STARTED else Phase.STOPPED
        if phase is Phase.RUNNING and before in {Phase.NOT_STARTED, Phase.STOPPED}:
            whole = _whole(rule, work, values, change.at)
            if whole is None:  # the date is not known yet, and no time is told of what is not known
                phase = before
            else:
                runs.append(_Run(((change.at, None),), ((change.at, whole),)))
        elif runs:
            runs[-1] = _moved(rule, runs[-1], (before, phase), change, _whole(rule, work, values, _begin(runs[-1])))
    return runs, phase


def _begin(run: _Run) -> datetime:
    return run.stretches[0][0]


def _moved(
    rule: ClockRule, run: _Run, phases: tuple[Phase, Phase], change: CaseChange, whole: timedelta | None
) -> _Run:
    """Return a run after a change: it may rest, go on, stop, be extended, or have its date moved."""
    (before, phase), stretches, limits = phases, run.stretches, run.limits
    if phase is Phase.RUNNING and before is Phase.RESTING:
        stretches = (*stretches, (change.at, None))
    elif phase is not Phase.RUNNING and before is Phase.RUNNING:
        stretches = (*stretches[:-1], (stretches[-1][0], change.at))
    if before is Phase.STOPPED or whole is None:
        return _Run(stretches, limits)
    if rule.until is not None and whole != limits[-1][1]:
        limits = (*limits, (change.at, whole))
    elif rule.until is None and change.transition == rule.extended_by:
        limits = (*limits, (change.at, limits[-1][1] + whole))
    return _Run(stretches, limits)


def _whole(rule: ClockRule, work: WorkTime, values: Mapping[str, Any], begin_at: datetime) -> timedelta | None:
    """Return the time that a run has from its beginning; None where it ends on a date that nobody has told."""
    if rule.limit is not None:
        return rule.limit.length(work.day_s if rule.working else 86400.0)
    told = values.get(str(rule.until))
    if told is None:
        return None
    moment = "T" in told
    end_at = datetime.fromisoformat(told) if moment else datetime.combine(date.fromisoformat(told), time.max, work.zone)
    return max(end_at - begin_at, timedelta())


def _phase(kind: CaseType, rule: ClockRule, before: Phase, state: str) -> Phase:
    going = before in {Phase.RUNNING, Phase.RESTING}
    if kind.states[state].closed or state in rule.stops:
        return Phase.STOPPED if going else before
    if state in rule.pauses:
        return Phase.RESTING if going else before
    return Phase.RUNNING if going or state in rule.starts else before


def _spent(rule: ClockRule, begin_at: datetime, end_at: datetime, work: WorkTime) -> timedelta:
    return work.between(begin_at, end_at) if rule.working else end_at - begin_at


def _elapsed(rule: ClockRule, run: _Run, work: WorkTime, at: datetime) -> timedelta:
    return sum((_spent(rule, begin_at, end_at or at, work) for begin_at, end_at in run.stretches), timedelta())


def _gone(rule: ClockRule, run: _Run, amount: timedelta, work: WorkTime) -> datetime | None:
    """Return when so much time of a run had gone; None where it stopped or rests before."""
    left = amount
    for begin_at, end_at in run.stretches:
        spent = None if end_at is None else _spent(rule, begin_at, end_at, work)
        if spent is None or spent >= left:
            return work.after(begin_at, left) if rule.working else begin_at + left
        left -= spent
    return None


def _moments(rule: ClockRule, run: _Run, share: float, work: WorkTime) -> list[datetime]:
    """Return when a share of the limit had gone, by the limit that held then: an extension silences the old.

    A date that is moved to before the present is over at once.
    """
    ends = [begin_at for begin_at, _ in run.limits[1:]] + [None]
    found: list[datetime] = []
    for (begin_at, limit), end_at in zip(run.limits, ends, strict=True):
        at = _gone(rule, run, limit * share, work)
        if at is not None and at < begin_at and not found:
            at = begin_at
        if at is not None and begin_at <= at and (end_at is None or at < end_at):
            found.append(at)
    return found


def _read(rule: ClockRule, told: tuple[list[_Run], Phase], work: WorkTime, at: datetime) -> Reading:
    runs, phase = told
    if not runs:
        limit = _whole(rule, work, {}, at) or timedelta()
        return Reading(
            clock_id=rule.clock_id, phase=phase, light=Light.GREEN, elapsed=timedelta(), limit=limit, due_at=None
        )
    run = runs[-1]
    limit = run.limits[-1][1]
    elapsed = _elapsed(rule, run, work, at)
    due_at = _gone(rule, run, limit, work) if phase is Phase.RUNNING else None
    light = Light.RED if elapsed >= limit else Light.YELLOW if elapsed >= limit * rule.warn_share else Light.GREEN
    years: tuple[int, ...] = ()
    if rule.working:
        years = work.unconfirmed(_begin(run), due_at or run.stretches[-1][1] or at)
    first = _Run(((_begin(run), None),), ())
    return Reading(
        clock_id=rule.clock_id, phase=phase, light=light, elapsed=elapsed, limit=limit, due_at=due_at,
        provisional_years=years, first_due_at=_gone(rule, first, run.limits[0][1], work),
    )  # fmt: skip
