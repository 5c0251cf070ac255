"""The next hours of places and polygons, from the history that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from anlan.crowd.forecast import Known, PlannedEvent, Series
from anlan.crowd.forecast.live import LEAST_DAYS, STEP, from_trend, from_usual
from anlan.kernel.answers import Basis, CurvePoint, Forecast
from anlan.kernel.pack import Pack
from anlan.kernel.records import Estimate
from anlan.store import DuckHistory

LOOKS_BACK = timedelta(days=42)
"""The usual of a slot of the week is made of six weeks at most."""
FOLLOWED = timedelta(hours=2)
DAY_S = 86_400.0


class Outlooks:
    """Forecasts of a district's subjects. What was told for a minute is told again without computing it."""

    def __init__(self, pack: Pack, history: DuckHistory) -> None:
        self._pack = pack
        self._zone = ZoneInfo(pack.time_zone)
        self._history = history
        self._kept: dict[str, tuple[datetime, Forecast]] = {}
        self._plans: tuple[datetime, tuple[PlannedEvent, ...]] | None = None
        self.planned: Callable[[], tuple[PlannedEvent, ...]] = tuple
        """What is planned; whoever opens the district says by whom it is told."""

    def forget(self) -> None:
        """Begin anew, where the district begins another day."""
        self._kept, self._plans = {}, None

    def subject(self, subject_id: str, present: Estimate) -> Forecast:
        """Return the forecast of a subject whose estimate is stored every minute ("place:bund")."""
        kept = self._kept.get(subject_id)
        if kept is not None and kept[0] == present.at:
            return kept[1]
        n_steps = LOOKS_BACK // STEP
        begin_at = present.at - n_steps * STEP
        means = self._history.estimate_means(subject_id, begin_at, n_steps, STEP)
        known = np.flatnonzero(np.isfinite(means))
        days = 0.0 if len(known) == 0 else (n_steps - known[0]) * STEP.total_seconds() / DAY_S
        points: tuple[CurvePoint, ...] = ()
        if days >= LEAST_DAYS and present.occupancy is not None:
            first = int(known[0])
            series = Series(
                subjects=(subject_id,),
                begin_at=begin_at + first * STEP,
                step=STEP,
                counts=means[first:, None],
                zone=self._zone,
                calendar=self._pack.calendar,
                known=Known(planned=self._planned(present.at)),
            )
            points = from_usual(series)
        if points:
            made = Forecast(made_at=present.at, basis=Basis.USUAL, days=days, points=points)
        else:
            past = [
                CurvePoint(at=one.at, occupancy=one.occupancy, low=one.low, high=one.high)
                for one in self._history.estimates(subject_id, present.at - FOLLOWED, present.at)
            ]
            made = self.by_trend(past, present, days)
        self._kept[subject_id] = (present.at, made)
        return made

    def _planned(self, at: datetime) -> tuple[PlannedEvent, ...]:
        """Return what is planned, read once a minute for all subjects."""
        if self._plans is None or self._plans[0] != at:
            self._plans = at, self.planned()
        return self._plans[1]

    @staticmethod
    def by_trend(past: Sequence[CurvePoint], present: Estimate, days: float = 0.0) -> Forecast:
        """Return the next hour by how the last two have gone: what is told of a polygon, whose weeks are not kept."""
        points = from_trend(past, present) if present.occupancy is not None else ()
        return Forecast(made_at=present.at, basis=Basis.TREND if points else None, days=days, points=points)
