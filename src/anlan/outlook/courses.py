"""The courses that the judge of alerts is handed: what places are used to, learned once a day, and what is planned."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anlan.crowd import Course, Curve, Turnout
from anlan.crowd.course import BACK_MIN, SHY, STRAYS, turnout
from anlan.crowd.forecast import Known, PlannedEvent, Ratio, Series
from anlan.crowd.forecast.conformal import widths
from anlan.crowd.forecast.live import CALIBRATES_DAYS, LEAST_DAYS, SD_90, STEP
from anlan.crowd.forecast.series import unlog
from anlan.crowd.judging import persons
from anlan.kernel.pack import Pack
from anlan.kernel.records import Estimate
from anlan.outlook.occasions import Occasions, Steps
from anlan.outlook.quarters import Quarters, of_subjects
from anlan.store import DuckHistory

Floats = npt.NDArray[np.float64]

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LOOKS_BACK = timedelta(days=42)
"""The usual of a slot of the week is made of six weeks at most."""
LEARNS_AT = time(4)
"""When the usual of the next day is learned, by the district's clock on the wall: few are about."""
STEPS_A_DAY = DAY // STEP
HORIZONS = (1, 2, 3, 4)
"""Steps ahead for which it is known how wrong the growth of the usual was."""
KNOTS = tuple(float(k) for k in range(-int(BACK_MIN), 61, 5))
"""Minutes from now at which a course is told."""


@dataclass(frozen=True, eq=False)
class _Usual:
    """What is usual from a day before ``until`` to a day and two hours after it, and how wrong its growth was.

    ``course`` is NaN where nothing is usual; ``sds`` is (H, 24, S), by step ahead and local hour.
    """

    until: datetime
    course: Steps
    sds: Floats


class Courses:
    """What is known of each place's next minutes beside its trend. Any thread may ask.

    It depends on nothing but the minutes stored before the one that is asked for, and on what is planned: a minute made
    again is told the same. The usual of a place does not change for a week, so it is learned once a day for all places,
    from the minutes up to four in the morning; so are the errors that its growth had in the last two weeks.
    """

    def __init__(self, pack: Pack, history: DuckHistory) -> None:
        self._pack, self._history = pack, history
        self._zone = ZoneInfo(pack.time_zone)
        self._subjects = tuple(f"place:{place.place_id}" for place in pack.places)
        self._lock = threading.Lock()
        self._quarters = Quarters(of_subjects(history, self._subjects), LOOKS_BACK)
        self._occasions = Occasions(history, self._subjects)
        self._usual: _Usual | None = None
        self._before: dict[tuple[str, datetime], tuple[float, float] | None] = {}

    def forget(self) -> None:
        """Begin anew, where the district begins another day."""
        with self._lock:
            self._usual, self._before = None, {}
            self._quarters.forget()
            self._occasions.forget()

    def of(
        self, estimates: Mapping[str, Estimate], at: datetime, planned: Sequence[PlannedEvent] = ()
    ) -> dict[str, Course]:
        """Return the courses of those places of which more is known than the trend.

        Parameters
        ----------
        estimates : mapping of str to Estimate
            By ``place:ID``, of the minute ``at``.
        planned : sequence of PlannedEvent
            What is planned, past ones among them: their hours teach the usual nothing.
        """
        with self._lock:
            usual = self._learned(at, planned)
            moments = [at + timedelta(minutes=k) for k in KNOTS]
            known, near = usual.course.at(moments), [one for one in planned if _touches(one, at)]
            again = self._again(near, moments)
            hour = at.astimezone(self._zone).hour
            found = {}
            for k, name in enumerate(self._subjects):
                estimate = estimates.get(name)
                if estimate is None or estimate.unknown is not None:
                    continue
                if again is not None and np.isfinite(again[:, k]).all():
                    found[name] = _repeated(again[:, k], estimate)
                    continue
                wrong, curve = usual.sds[:, hour, k], None
                sds: tuple[tuple[float, float], ...] = ()
                if np.isfinite(known[:, k]).all() and np.isfinite(wrong).all():
                    curve = Curve(minutes=KNOTS, persons=tuple(known[:, k].tolist()))
                    sds = tuple((h * STEP / MINUTE, float(sd)) for h, sd in zip(HORIZONS, wrong, strict=True))
                touching = [one for one in near if one.added.get(name)]
                added, came = None, Turnout()
                if touching:
                    added, came = self._gathering(name, estimate, at, touching, usual)
                if curve is not None or added is not None:
                    found[name] = Course(usual=curve, usual_sd=sds, planned=added, turnout=came)
            return found

    # -- inside ----------------------------------------------------------------------------------------------------

    def _again(self, near: Sequence[PlannedEvent], moments: Sequence[datetime]) -> Floats | None:
        """Return who was where when what is planned was held before, (M, S); None where nothing of it is a repetition.

        Of two that are repeated at once the one with more people tells.
        """
        told = [self._occasions.at(one, moments) for one in near if one.like_at is not None]
        return np.fmax.reduce(told) if told else None

    def _gathering(
        self, name: str, estimate: Estimate, at: datetime, touching: Sequence[PlannedEvent], usual: _Usual
    ) -> tuple[Curve, Turnout]:
        """Return how many are planned to be in a place in addition, and which part of them is seen to come."""
        moments = at.timestamp() + 60 * np.array(KNOTS)
        added = np.sum([one.present(moments) * one.added[name] for one in touching], axis=0)
        curve = Curve(minutes=KNOTS, persons=tuple(added.tolist()))
        due = curve.at(0.0)
        if due < SHY:
            return curve, Turnout()
        people, sd = persons(estimate)
        begun_at = min(one.begin_at - timedelta(minutes=one.arrive_min) for one in touching)
        before = self._there_before(name, begun_at)
        if before is None:  # nobody counted then: no more of those planned have come than are there
            return curve, Turnout(part=min(1.0, people / due))
        n_before, sd_before = before
        k = self._subjects.index(name)
        then, now = usual.course.at([begun_at, at])[:, k]
        if np.isfinite([then, now]).all():
            n_before = max(n_before + (now - then) * min(n_before / max(then, SHY), 1.0), 0.0)
        strayed = float(np.hypot(STRAYS * n_before, SHY))
        return curve, turnout(people - n_before, float(np.hypot(np.hypot(sd, sd_before), strayed)), due)

    def _there_before(self, name: str, at: datetime) -> tuple[float, float] | None:
        """Return how many were in a place before somebody was to come, and its standard deviation; None if unknown."""
        key = name, at
        if key not in self._before:
            told = [persons(one) for one in self._history.estimates(name, at - STEP, at) if one.unknown is None]
            means, sds = np.array(told).mean(axis=0) if told else (np.nan, np.nan)
            self._before[key] = (float(means), float(sds)) if told else None
        return self._before[key]

    def _learned(self, at: datetime, planned: Sequence[PlannedEvent]) -> _Usual:
        """Return what is usual as was known by the last four in the morning, learned once."""
        until = self._last_learning(at)
        if self._usual is None or self._usual.until != until:
            self._usual = _learn(self._read(until), until, self._zone, self._pack, planned)
            self._before = {key: told for key, told in self._before.items() if key[1] > at - 2 * DAY}
        return self._usual

    def _last_learning(self, at: datetime) -> datetime:
        """Return the last moment of learning before a minute: that minute is not stored yet."""
        local = (at - MINUTE).astimezone(self._zone)
        on = local.date() if local.time() >= LEARNS_AT else local.date() - DAY
        return datetime.combine(on, LEARNS_AT, self._zone).astimezone(at.tzinfo)

    def _read(self, until: datetime) -> Series:
        """Return the quarters of an hour of six weeks."""
        begin_at, counts = self._quarters.until(until)
        return Series(
            subjects=self._subjects,
            begin_at=begin_at,
            step=STEP,
            counts=counts,
            zone=self._zone,
            calendar=self._pack.calendar,
        )


def _repeated(persons_then: Floats, estimate: Estimate) -> Course:
    """Return the course of a place that goes as on an earlier occasion, by as many times as there are people now."""
    curve = Curve(minutes=KNOTS, persons=tuple(persons_then.tolist()))
    due = curve.at(0.0)
    if due < SHY:
        return Course(planned=curve, again=True)
    people, sd = persons(estimate)
    return Course(planned=curve, turnout=turnout(people, float(np.hypot(sd, SHY)), due), again=True)


def _touches(one: PlannedEvent, at: datetime) -> bool:
    """Tell whether it brings people within the hour, has them there, or has just seen them go."""
    begin_at = one.begin_at - timedelta(minutes=one.arrive_min)
    end_at = one.end_at + timedelta(minutes=one.leave_min)
    return begin_at - timedelta(minutes=KNOTS[-1]) < at < end_at + timedelta(minutes=BACK_MIN)


def _learn(plain: Series, until: datetime, zone: ZoneInfo, pack: Pack, planned: Sequence[PlannedEvent]) -> _Usual:
    """Return what is usual for a day and two hours, and the sizes of its errors, hour by hour."""
    n_before, n_after = min(STEPS_A_DAY, len(plain)), STEPS_A_DAY + 8
    first_at = until - n_before * STEP + STEP / 2
    n_places = len(plain.subjects)
    found = np.full((n_before + n_after, n_places), np.nan)
    sds = np.full((len(HORIZONS), 24, n_places), np.nan)
    enough = np.isfinite(plain.counts).sum(axis=0) >= LEAST_DAYS * STEPS_A_DAY
    if not enough.any():
        return _Usual(until, Steps(first_at, STEP, found), sds)
    series = Series(
        subjects=plain.subjects, begin_at=plain.begin_at, step=STEP, counts=plain.counts, zone=zone,
        calendar=pack.calendar, known=Known(planned=tuple(planned)),
    )  # fmt: skip
    steady = Ratio(fades_in=1.0, newest=1.0)  # those present, grown as the usual grows
    begin = len(series) - n_before
    found[:, enough] = unlog(steady.usual(series))[begin : begin + n_before + n_after, enough]
    for k, ahead in enumerate(HORIZONS):
        sds[k][:, enough] = _errors(steady, series, ahead)[:, enough]
    return _Usual(until, Steps(first_at, STEP, found), sds)


def _errors(steady: Ratio, series: Series, ahead: int) -> Floats:
    """Return by which part the usual's growth over so many steps was wrong, as a standard deviation; (24, S)."""
    now = len(series) - 1
    origins = np.arange(max(now - CALIBRATES_DAYS * STEPS_A_DAY, 0), now + 1)
    expected = steady.ahead(series, origins, ahead)
    came = np.full_like(expected, np.nan)
    known = origins + ahead <= now
    quiet = (series.added[origins] == 0) & (series.added[origins + ahead] == 0)
    came[known] = np.where(quiet[known], series.counts[origins[known] + ahead], np.nan)
    below, above = widths(expected, came, series.hour_of_day[origins + ahead], ahead)
    return np.asarray((below + above) / (2 * SD_90), np.float64)
