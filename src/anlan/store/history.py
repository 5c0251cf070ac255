"""The port of observations and estimates: what is observed and what is made of it, each committed whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anlan.kernel.ingress import Refusal, Tally, Verdict
from anlan.kernel.records import Counts, Estimate, Observation
from anlan.kernel.weather import WeatherHour, WeatherLog

Persons = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long each thing is kept, by the district's clock.

    Observations are their own ledger of what came before, so they stay at least ``inbox`` (longer than the oldest
    window that the door takes), however short ``observations`` is.
    """

    observations: timedelta = timedelta(days=30)
    occupancies: timedelta = timedelta(days=30)
    estimates: timedelta = timedelta(days=400)
    refusals: timedelta = timedelta(days=30)
    weather: timedelta = timedelta(days=400)
    inbox: timedelta = timedelta(days=2)


QUARTER = timedelta(minutes=15)
"""Means of cells are told over quarters of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One minute as it is kept. ``low`` and ``high`` are cursors in arrival order (see the engine's port).

    ``occupancy`` has a number for each cell, NaN where unknown; what it means is known to whoever gives it.
    ``state`` comes only now and then.
    """

    at: datetime
    low: int
    high: int
    occupancy: Persons | None = None
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    state: bytes | None = None
    alerts: bytes | None = None
    """What the judge of alerts carries; it comes with the state."""


class History(Protocol):
    """What was observed and what was made of it. Whatever a call has committed is durable when the call returns."""

    def accept(
        self,
        observations: Sequence[Observation],
        *,
        received_at: datetime,
        late: Sequence[bool] = (),
        refusals: Sequence[Refusal] = (),
    ) -> list[Verdict]:
        """Commit observations with their tallies and refusals in one transaction; duplicates are not stored again."""
        ...

    def arrived(self, after: int, limit: int = 100_000, *, until: int | None = None) -> tuple[list[Observation], int]:
        """Return observations behind a cursor in the order of their commit, and the new cursor."""
        ...

    def device_observations(self, device_id: str, begin_at: datetime, end_at: datetime) -> list[Observation]:
        """Return what one device counted in windows that end after ``begin_at`` and by ``end_at``, oldest first."""
        ...

    def hand_over(self, begin_at: datetime, end_at: datetime, into: Path) -> int:
        """Write what was observed in windows that end after ``begin_at`` and by ``end_at`` for a program beside.

        It is a Parquet file with the columns of the history and ``received_at``; return how many rows it has.
        """
        ...

    def tallies(self) -> dict[str, Tally]:
        """Return what each device has sent so far; under "" what came under no known device."""
        ...

    def commit_step(self, step: Step) -> None:
        """Commit one minute: occupancy, estimates, cursors and state together; a minute made again is replaced."""
        ...

    def latest_step(self) -> Step | None:
        """Return time, cursors and state of the last step that carried a state."""
        ...

    def occupancy_at(self, at: datetime) -> tuple[datetime, Persons] | None:
        """Return the cells' occupancy of the last minute at or before ``at`` (within five minutes), with its time."""
        ...

    def occupancies(
        self, begin_at: datetime, end_at: datetime, cells: npt.NDArray[np.int64] | None = None
    ) -> tuple[list[datetime], Persons]:
        """Return the minutes after ``begin_at`` up to ``end_at``, and the persons of each by cell."""
        ...

    def occupancy_quarters(
        self, cells: npt.NDArray[np.int64], share: npt.NDArray[np.float64], begin_at: datetime, n_quarters: int
    ) -> Counts:
        """Return the mean people in parts of cells over each quarter of an hour from one on, (T,).

        A quarter holds the minutes from its begin on and before its end. NaN where nothing was kept, and where under
        half of the people are such that something tells of.
        """
        ...

    def estimates(self, subject_id: str, begin_at: datetime, end_at: datetime) -> list[Estimate]:
        """Return what was estimated for a subject after ``begin_at`` and up to ``end_at``."""
        ...

    def estimate_means(self, subject_ids: Sequence[str], begin_at: datetime, n_steps: int, step: timedelta) -> Counts:
        """Return the mean occupancy of each subject in each of ``n_steps`` steps from a moment on, (T, S).

        A step holds the minutes after its begin up to its end; NaN where nothing was estimated. Of minutes of which no
        number is told the middle of what it may be is taken.
        """
        ...

    def accept_weather(self, hours: Sequence[WeatherHour], *, received_at: datetime) -> None:
        """Commit hours of weather in one transaction; of one hour the last delivery stands, value by value."""
        ...

    def weather(self, begin_at: datetime, end_at: datetime, known_by: datetime) -> WeatherLog:
        """Return every delivery about hours that begin from ``begin_at`` on and before ``end_at``, as known by then."""
        ...

    def seal(self, now: datetime) -> list[date]:
        """Put closed days where they are small and fast to read; every answer stays the same."""
        ...

    def retain(self, now: datetime) -> None:
        """Forget what is older than the retention says."""
        ...

    def clear_estimates(self) -> int:
        """Forget every step, estimate and state; return the cursor behind everything that was committed."""
        ...

    def close(self) -> None:
        """Let go of the folder."""
        ...
