"""Boosted trees of a running district: grown at night in a program beside, served by the quarter of an hour."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from anlan.crowd.forecast import Known, PlannedEvent, Series, boosting_installed
from anlan.crowd.forecast.boosting import ROUNDS
from anlan.crowd.forecast.grown import LEAST_DAYS, Grown
from anlan.crowd.forecast.live import STEP
from anlan.errand import Errand, Json, Lane
from anlan.kernel.answers import CurvePoint
from anlan.kernel.errors import AnlanError
from anlan.kernel.pack import Pack
from anlan.outlook.quarters import Quarters, of_subjects, quarter_of
from anlan.outlook.weather import weather_log
from anlan.store import DuckHistory

log = logging.getLogger(__name__)

MODULE = "anlan.outlook.worker"
DAY = timedelta(days=1)
LEARNS_FROM = timedelta(weeks=26)
"""Half a year at most: more costs memory, and places change."""
SEES = timedelta(weeks=10)
"""What is looked at to tell what comes: five weeks make a usual, and the trees look three weeks back."""
LASTS = timedelta(days=21)
"""Trees whose newest lesson is older learn anew: so do they each week, for two weeks are kept to judge them."""
AGAIN = timedelta(hours=20)
NIGHT = range(1, 5)
"""Local hours in which trees that are there already learn."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What trees expect of a place, and whether it would be something else if nothing of the weather were known."""

    points: tuple[CurvePoint, ...]
    by_weather: bool


class Trees:
    """The trees of a district, where LightGBM is installed and ten weeks were counted. Any thread may ask.

    They learn from all places together, once a week; their errors, and with them the intervals, are learned every
    night. Alerts do not go by them: when they are grown depends on how busy the machine is.
    """

    def __init__(self, pack: Pack, history: DuckHistory, folder: Path) -> None:
        self._pack, self._history = pack, history
        self._zone = ZoneInfo(pack.time_zone)
        self._subjects = tuple(f"place:{place.place_id}" for place in pack.places)
        self._file, self._counts_file = folder / "forecast" / "trees.json", folder / "forecast" / "counts.npz"
        self._lock, self._learning = threading.Lock(), threading.Lock()
        self._quarters = Quarters(of_subjects(history, self._subjects), SEES)
        self._told: tuple[datetime, dict[str, Expected]] | None = None
        self._grown: Grown | None = None
        self._read_file = False
        self._lane = Lane()
        self.n_rounds = ROUNDS

    def forget(self) -> None:
        """Begin anew, where the district begins another day; what was learned stays."""
        with self._lock:
            self._told = None
            self._quarters.forget()

    def close(self) -> None:
        """Stop what is being learned."""
        self._lane.close()

    def wait(self, seconds: float) -> None:
        """Wait until what is being learned is learned."""
        self._lane.wait(seconds)

    @property
    def grown(self) -> Grown | None:
        """What was learned last, None where nothing was, or where it was of other places."""
        if not self._read_file and boosting_installed():
            self._read_file = True
            if self._file.is_file():
                self._take()
        return self._grown

    def ahead(self, at: datetime, planned: Sequence[PlannedEvent]) -> dict[str, Expected]:
        """Return what is expected of each place from the last full quarter of an hour on; empty where nothing is."""
        with self._lock:
            grown = self.grown
            if grown is None:
                return {}
            until = quarter_of(at)
            if self._told is None or self._told[0] != until:
                begin_at, counts = self._quarters.until(until)
                series = Series(
                    subjects=self._subjects, begin_at=begin_at, step=STEP, counts=counts, zone=self._zone,
                    calendar=self._pack.calendar,
                    known=Known(planned=tuple(planned), weather=weather_log(self._history, until, until)),
                )  # fmt: skip
                self._told = until, _expected(grown, series) if len(series) else {}
            return self._told[1]

    def tend(self, now: datetime, planned: Sequence[PlannedEvent]) -> None:
        """Begin to learn where it is time for it. It goes on beside; nobody waits."""
        with self._learning:
            if self._lane.closed or self._is_learning() or not boosting_installed() or not self._is_due(now):
                return
            self._lane.begin("trees", lambda: self._ask(now, tuple(planned)))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _is_learning(self) -> bool:
        errand = self._lane.errand
        if errand is not None and errand.is_over:
            if errand.fault is not None:
                log.warning("trees were not grown: %s", errand.fault)
            self._lane.errand = None
        return self._lane.is_asking or self._lane.errand is not None

    def _is_due(self, now: datetime) -> bool:
        grown = self.grown
        if grown is not None:
            return now.astimezone(self._zone).hour in NIGHT and now - grown.until > AGAIN
        first = now - (LEAST_DAYS + 1) * DAY
        return bool(np.isfinite(self._history.estimate_means(self._subjects, first, DAY // STEP, STEP)).any())

    def _ask(self, now: datetime, planned: tuple[PlannedEvent, ...]) -> Errand | None:
        """Read half a year, and ask the program beside."""
        try:
            until = quarter_of(now)
            begin_at, counts = Quarters(of_subjects(self._history, self._subjects), LEARNS_FROM).until(until)
            self._counts_file.parent.mkdir(parents=True, exist_ok=True)
            log_of = weather_log(self._history, begin_at, until)
            np.savez(self._counts_file, counts=counts, **({} if log_of is None else asdict(log_of)))
        except (AnlanError, OSError) as fault:
            log.warning("trees were not grown: %s", fault)
            return None
        if self._lane.closed:
            return None
        grown = self._grown
        asked = {
            "counts": str(self._counts_file),
            "begin_at": begin_at.isoformat(),
            "subjects": list(self._subjects),
            "zone": self._pack.time_zone,
            "rest_days": [on.isoformat() for on in self._pack.calendar.rest_days],
            "working_days": [on.isoformat() for on in self._pack.calendar.working_days],
            "planned": [
                {
                    "begin_at": one.begin_at.isoformat(),
                    "end_at": one.end_at.isoformat(),
                    "added": dict(one.added),
                    "arrive_min": one.arrive_min,
                    "leave_min": one.leave_min,
                }
                for one in planned
            ],
            "into": str(self._file),
            "rounds": self.n_rounds,
            "again": grown is not None and until - grown.learned_until < LASTS,
        }
        return Errand(MODULE, asked, self._keep)

    def _keep(self, told: Json) -> None:
        del told
        self._take()
        self._counts_file.unlink(missing_ok=True)

    def _take(self) -> None:
        """Take up what was learned; what cannot be read, or is of other places, is left, and is learned anew."""
        try:
            grown = Grown.read(json.loads(self._file.read_text(encoding="utf-8")))
        except (AnlanError, OSError, ValueError) as fault:
            log.warning("the trees in %s are left: %s", self._file, fault)
            return
        self._grown, self._told = (grown if grown.subjects == self._subjects else None), None


def _expected(grown: Grown, series: Series) -> dict[str, Expected]:
    moved = grown.moved_by_weather(series)
    return {name: Expected(points, name in moved) for name, points in grown.ahead(series).items()}
