"""The next hours of places and polygons, from the history that is kept."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anlan.crowd import Course
from anlan.crowd.forecast import Known, PlannedEvent, Series
from anlan.crowd.forecast.live import LEAST_DAYS, STEP, from_trend, from_usual
from anlan.kernel.alerts import Basis
from anlan.kernel.answers import CurvePoint, Forecast
from anlan.kernel.errors import AnlanError
from anlan.kernel.pack import Pack
from anlan.kernel.records import Estimate
from anlan.outlook.courses import LOOKS_BACK, Courses
from anlan.outlook.quarters import Lately, Quarters, Read, of_subjects, quarter_of
from anlan.outlook.trees import Trees
from anlan.store import DuckHistory

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

FOLLOWED = timedelta(hours=2)
KEPT = timedelta(days=30)
"""How far back the usual of a polygon looks, where its cells are kept for so long."""
DAY_S = 86_400.0


def _nothing(at: datetime) -> tuple[PlannedEvent, ...]:
    del at
    return ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """A polygon whose next hours are asked for, and what there is of it.

    ``past`` reads its last two hours by the minute, ``quarters`` its last weeks; ``part_of`` tells which part of a
    place's ground it has, by ``place:ID``.
    """

    key: bytes
    past: Callable[[], Sequence[CurvePoint]]
    quarters: Read
    part_of: Callable[[str], float]


class Outlooks:
    """Forecasts of a district's subjects. What was told for a minute is told again without computing it."""

    def __init__(self, pack: Pack, history: DuckHistory, folder: Path | None = None) -> None:
        self._pack = pack
        self._zone = ZoneInfo(pack.time_zone)
        self._history = history
        self._courses = Courses(pack, history)
        self.trees = None if folder is None else Trees(pack, history, folder)
        self._kept: dict[str, tuple[datetime, Forecast]] = {}
        self._lately = Lately(KEPT)
        self._told: dict[bytes, tuple[datetime, Forecast]] = {}
        self._telling = threading.Lock()
        self._plans: tuple[datetime, tuple[PlannedEvent, ...]] | None = None
        self.planned: Callable[[datetime], tuple[PlannedEvent, ...]] = _nothing
        """What is planned, as known at a moment; whoever opens the district says by whom it is told."""

    def forget(self) -> None:
        """Begin anew, where the district begins another day."""
        self._kept, self._told, self._plans = {}, {}, None
        self._lately.forget()
        self._courses.forget()
        if self.trees is not None:
            self.trees.forget()

    def tend(self, now: datetime) -> None:
        """Let trees learn where it is time for it; they do so beside."""
        if self.trees is not None:
            self.trees.tend(now, self.planned(now))

    def close(self) -> None:
        """Stop what is being learned."""
        if self.trees is not None:
            self.trees.close()

    def courses(self, estimates: Mapping[str, Estimate], at: datetime) -> dict[str, Course]:
        """Return what is known of places' next minutes beside their trend, for the judge of a minute's alerts.

        Where it cannot be told, as the log says, a minute is judged by trends alone.
        """
        try:
            return self._courses.of(estimates, at, self._planned(at))
        except AnlanError as fault:
            log.warning("alerts go by trends alone: %s", fault)
            return {}

    def subject(self, subject_id: str, present: Estimate) -> Forecast:
        """Return the forecast of a subject whose estimate is stored every minute ("place:bund")."""
        kept = self._kept.get(subject_id)
        if kept is not None and kept[0] == present.at:
            return kept[1]
        made = self._by_trees(subject_id, present) or self._by_usual(subject_id, present)
        made = self._as_before(made, subject_id, present)
        self._kept[subject_id] = (present.at, made)
        return made

    def polygon(self, asked: Ground, present: Estimate) -> Forecast:
        """Return the forecast of a polygon: by what is usual of it, from the cells of a month that are kept.

        Of those who are planned to come to a place, it has as large a part as it has of the place's ground.
        """
        minute = present.at.replace(second=0, microsecond=0)
        kept = self._told.get(asked.key)
        if kept is not None and kept[0] == minute:
            return kept[1]
        begin_at, counts = self._lately.until(asked.key, asked.quarters, quarter_of(present.at))
        days, points = self._usual("polygon", present, begin_at, counts, self._planned_in(asked, present.at))
        if points:
            made = Forecast(made_at=present.at, basis=Basis.USUAL, days=days, points=points)
        else:
            made = self._by_trend(asked.past(), present, days)
        with self._telling:
            fresh = {key: told for key, told in self._told.items() if told[0] == minute}
            self._told = fresh | {asked.key: (minute, made)}
        return made

    def _planned_in(self, asked: Ground, at: datetime) -> list[PlannedEvent]:
        """Return what is planned, with those whom it brings to a polygon."""
        found = []
        for one in self._planned(at):
            added = sum(n * asked.part_of(name) for name, n in one.added.items())
            if added > 0:
                found.append(replace(one, added={"polygon": added}, like_at=None))
        return found

    def _as_before(self, made: Forecast, subject_id: str, present: Estimate) -> Forecast:
        """Return a forecast whose next hour goes as on an earlier occasion, where what is planned repeats one."""
        if made.basis in {None, Basis.PLAN} or all(one.like_at is None for one in self._planned(present.at)):
            return made
        course = self.courses({subject_id: present}, present.at).get(subject_id)
        if course is None or not course.again:
            return made
        hour = self._by_trend(self._past(subject_id, present), present, made.days, course)
        later = tuple(point for point in made.points if hour.points and point.at > hour.points[-1].at)
        return replace(hour, points=(*hour.points, *later)) if hour.points else made

    def _past(self, subject_id: str, present: Estimate) -> list[CurvePoint]:
        past = self._history.estimates(subject_id, present.at - FOLLOWED, present.at)
        return [CurvePoint.of(one) for one in past]

    def _by_trees(self, subject_id: str, present: Estimate) -> Forecast | None:
        """Return what trees expect; None where they do not."""
        if self.trees is None or self.trees.grown is None or present.unknown is not None:
            return None
        told = self.trees.ahead(present.at, self._planned(present.at)).get(subject_id)
        grown = self.trees.grown
        if told is None or not told.points or grown is None:
            return None
        return Forecast(
            made_at=present.at,
            basis=Basis.TREES,
            days=grown.days,
            points=told.points,
            by_weather=told.by_weather,
        )

    def _by_usual(self, subject_id: str, present: Estimate) -> Forecast:
        """Return what is expected by what is usual; before the eighth day, by how the last two hours went."""
        begin_at, counts = Quarters(of_subjects(self._history, [subject_id]), LOOKS_BACK).until(present.at)
        days, points = self._usual(subject_id, present, begin_at, counts, self._planned(present.at))
        if points:
            return Forecast(made_at=present.at, basis=Basis.USUAL, days=days, points=points)
        course = self.courses({subject_id: present}, present.at).get(subject_id)
        return self._by_trend(self._past(subject_id, present), present, days, course)

    def _usual(
        self, name: str, present: Estimate, begin_at: datetime, counts: Floats, planned: Sequence[PlannedEvent]
    ) -> tuple[float, tuple[CurvePoint, ...]]:
        """Return how many days are known of one subject, and what is expected by what is usual of it, if anything."""
        days = len(counts) * STEP.total_seconds() / DAY_S
        if days < LEAST_DAYS or present.unknown is not None:
            return days, ()
        series = Series(
            subjects=(name,),
            begin_at=begin_at,
            step=STEP,
            counts=counts,
            zone=self._zone,
            calendar=self._pack.calendar,
            known=Known(planned=tuple(planned)),
        )
        return days, from_usual(series)

    def _planned(self, at: datetime) -> tuple[PlannedEvent, ...]:
        """Return what is planned, read once a minute for all subjects."""
        plans = self._plans
        if plans is None or plans[0] != at:
            self._plans = plans = at, self.planned(at)
        return plans[1]

    @staticmethod
    def _by_trend(past: Sequence[CurvePoint], present: Estimate, days: float, course: Course | None = None) -> Forecast:
        """Return the next hour by how the last two have gone, bent by what is known beside that."""
        points, rests_on = from_trend(past, present, course) if present.unknown is None else ((), ())
        basis = next((one for one in Basis if one in rests_on), None)
        return Forecast(made_at=present.at, basis=basis if points else None, days=days, points=points)
