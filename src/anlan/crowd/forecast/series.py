"""Counts of several subjects at even steps, and which slot of the week each step is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anlan.crowd.forecast.known import NOTHING, Known
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Calendar
from anlan.kernel.weather import HOUR_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEEK_H = 168
SOFTEN = 10.0
"""Persons added before a logarithm is taken: at three in the morning a ratio of 2 to 1 means nothing."""
DEAD_H = 24
"""A counter that has told nothing but zero for so many hours is taken to be dead: its zeros are unknown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """What was counted, (T, S): T even steps from ``begin_at`` on, S subjects. NaN is missing, which is not zero.

    A step is the one that begins at ``begin_at + k * step``. Days of rest in ``calendar`` are taken for Sundays, and
    make-up working days for the Wednesdays of their week. ``known`` is what is planned, and the weather.

    Raises
    ------
    BadInput
        If the step does not divide an hour, the shapes do not fit, or a count is below zero.

    Examples
    --------
    >>> from datetime import UTC
    >>> hours = Series(
    ...     subjects=("bund",), begin_at=datetime(2026, 1, 5, tzinfo=UTC), step=timedelta(hours=1),
    ...     counts=np.arange(24.0)[:, None], zone=ZoneInfo("Asia/Shanghai"),
    ... )
    >>> hours.slot[:2]  # Monday, eight in the morning
    array([8, 9])
    """

    subjects: tuple[str, ...]
    begin_at: datetime
    step: timedelta
    counts: Floats
    zone: ZoneInfo
    calendar: Calendar = field(default_factory=Calendar)
    known: Known = NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin_at", as_utc(self.begin_at, "begin_at"))
        if self.step <= timedelta(0) or timedelta(hours=1) % self.step:
            raise BadInput(f"step={self.step}", "must divide an hour", "count by 5, 15 or 60 minutes")
        if self.counts.ndim != 2 or self.counts.shape[1] != len(self.subjects):
            raise BadInput(
                f"counts of shape {self.counts.shape}", f"must be (steps, {len(self.subjects)})", "give a column each"
            )
        if bool((self.counts < 0).any()):
            raise BadInput(f"counts with {np.nanmin(self.counts):g}", "must be >= 0 persons", "use NaN where missing")

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def per_hour(self) -> int:
        """Steps in an hour."""
        return timedelta(hours=1) // self.step

    @property
    def week(self) -> int:
        """Steps in a week."""
        return WEEK_H * self.per_hour

    @cached_property
    def _local(self) -> tuple[Ints, Ints, Ints, npt.NDArray[np.bool_]]:
        """Day of the week as it is lived (0 Monday), step of the day, day of the year, and whether it is of rest."""
        weekday, step_of_day, day_of_year, rests = [], [], [], []
        for k in range(len(self) + self.week):  # steps that are still ahead have a slot, too
            local = (self.begin_at + k * self.step).astimezone(self.zone)
            on = local.date()
            weekday.append(self.calendar.lived(on))
            step_of_day.append(local.hour * self.per_hour + local.minute * self.per_hour // 60)
            day_of_year.append(local.timetuple().tm_yday)
            rests.append(on in self.calendar.rest_days)
        return np.array(weekday), np.array(step_of_day), np.array(day_of_year), np.array(rests)

    @cached_property
    def slot(self) -> Ints:
        """Slot of the week (0 is Monday 0:00) of every step, a week beyond the last included; (T + week,)."""
        weekday, step_of_day, *_ = self._local
        return weekday * 24 * self.per_hour + step_of_day

    @cached_property
    def hour_of_day(self) -> Ints:
        """Local hour of every step, a week beyond the last included; (T + week,)."""
        return self._local[1] // self.per_hour

    @cached_property
    def weekday(self) -> Ints:
        """Day of the week as it is lived, 0 Monday; (T + week,)."""
        return self._local[0]

    @cached_property
    def day_of_year(self) -> Ints:
        """Day of the year, 1 to 366; (T + week,)."""
        return self._local[2]

    @cached_property
    def rests(self) -> npt.NDArray[np.bool_]:
        """Whether a step lies on a day of rest of the calendar; (T + week,)."""
        return self._local[3]

    @cached_property
    def _middle_s(self) -> Floats:
        step_s = self.step.total_seconds()
        steps = np.arange(len(self) + self.week, dtype=np.float64) + 0.5
        return np.asarray(self.begin_at.timestamp() + step_s * steps, np.float64)

    @cached_property
    def added(self) -> Floats:
        """Persons that are planned to come in addition, a week beyond the last step included; (T + week, S)."""
        return self.known.added(self.subjects, self._middle_s)

    def weather(self, origins: Ints, hours_before: int) -> tuple[Floats, Floats]:
        """Return rain (mm in the hour) and temperature (°C) of the last full hour at origins, or so many before it.

        As known at the end of each origin's step; NaN where unknown; (O,) each.
        """
        end_s = self._middle_s[origins] + self.step.total_seconds() / 2
        return self._weather_known((np.floor(end_s / HOUR_S) - 0.5 - hours_before) * HOUR_S, end_s)

    def weather_ahead(self, origins: Ints, steps_ahead: int) -> tuple[Floats, Floats]:
        """Return the same of the steps ahead of origins: what was foreseen of them by then."""
        end_s = self._middle_s[origins] + self.step.total_seconds() / 2
        return self._weather_known(self._middle_s[origins + steps_ahead], end_s)

    def _weather_known(self, about_s: Floats, at_s: Floats) -> tuple[Floats, Floats]:
        weather = self.known.weather
        if weather is None:
            return np.full(len(about_s), np.nan), np.full(len(about_s), np.nan)
        return weather.known(about_s, at_s)

    @cached_property
    def logs(self) -> Floats:
        """Return log(count + 10), (T, S), without the zeros of the dead.

        A zero is unknown once nothing but zeros has come for a day; whoever forecasts from an earlier step has it.
        """
        least = DEAD_H * self.per_hour
        run = np.zeros(self.counts.shape[1], np.int64)
        found = np.log(self.counts + SOFTEN)
        for k, row in enumerate(self.counts):
            run = np.where(row == 0, run + 1, np.where(np.isnan(row), run, 0))
            found[k, run >= least] = np.nan
        return found

    def until(self, n_steps: int) -> Series:
        """Return the first ``n_steps`` steps alone."""
        return replace(self, counts=self.counts[:n_steps])

    def index_of(self, at: datetime) -> int:
        """Return the number of the step that begins at a moment, or holds it."""
        return (as_utc(at, "at") - self.begin_at) // self.step


def unlog(logs: Floats) -> Floats:
    """Return persons for log(persons + 10), never below zero."""
    return np.maximum(np.exp(logs) - SOFTEN, 0.0)


def check_steps(steps_ahead: int, series: Series, origins: Sequence[int] | Ints) -> Ints:
    """Return origins as an array.

    Raises
    ------
    BadInput
        If an origin is not in the series, or the horizon is not between one step and a day.
    """
    found = np.asarray(origins, np.int64)
    if not 1 <= steps_ahead <= 24 * series.per_hour:
        raise BadInput(f"steps_ahead={steps_ahead}", "must be between one step and a day", "ask for less")
    if len(found) and (found.min() < 0 or found.max() >= len(series)):
        raise BadInput(
            f"origin {int(found.min())} or {int(found.max())}",
            f"must be a step of 0 to {len(series) - 1}",
            "correct it",
        )
    return found
