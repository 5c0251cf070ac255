"""Quarters of an hour of places and polygons, up to a moment: read once, and then only what is new."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anlan.crowd.forecast.live import STEP
from anlan.store import DuckHistory

Floats = npt.NDArray[np.float64]
Read: TypeAlias = Callable[[datetime, int], Floats]
"""Returns the means of so many quarters of an hour from one on, (T, S); NaN where unknown."""

REMEMBERED = 64
"""Polygons whose quarters are kept: the last that were asked for."""


def quarter_of(at: datetime) -> datetime:
    """Return the last full quarter of an hour at or before a moment."""
    length = STEP.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // length * length, UTC)


def of_subjects(history: DuckHistory, subjects: Sequence[str]) -> Read:
    """Return the reader of subjects whose estimates are stored every minute ("place:bund")."""
    return lambda begin_at, n_steps: history.estimate_means(subjects, begin_at, n_steps, STEP)


class Quarters:
    """Means of what was estimated of some subjects, for so long back. Not by itself safe to share."""

    def __init__(self, read: Read, back: timedelta) -> None:
        self._read, self._n_steps = read, back // STEP
        self._kept: tuple[datetime, Floats] | None = None

    def forget(self) -> None:
        """Begin anew."""
        self._kept = None

    def until(self, until: datetime) -> tuple[datetime, Floats]:
        """Return when the first step begins that is told, and the means up to a moment, (T, S); NaN where unknown."""
        gone = None if self._kept is None else (until - self._kept[0]) / STEP
        if self._kept is not None and gone is not None and gone == int(gone) and 0 <= gone < self._n_steps:
            fresh = self._read(self._kept[0], int(gone))
            counts = np.vstack([self._kept[1][int(gone) :], fresh])
        else:
            counts = self._read(until - self._n_steps * STEP, self._n_steps)
        self._kept = until, counts
        told = np.flatnonzero(np.isfinite(counts).any(axis=1))
        first = int(told[0]) if len(told) else self._n_steps
        return until - (self._n_steps - first) * STEP, counts[first:]


class Lately:
    """The quarters of the polygons that were asked for last, by whatever names them. Any thread may ask."""

    def __init__(self, back: timedelta) -> None:
        self._back = back
        self._lock = threading.Lock()
        self._kept: dict[bytes, Quarters] = {}

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._kept = {}

    def until(self, key: bytes, read: Read, until: datetime) -> tuple[datetime, Floats]:
        """Return the same as :meth:`Quarters.until` of one polygon, (T, 1)."""
        with self._lock:
            mine = self._kept.pop(key, None) or Quarters(read, self._back)
            while len(self._kept) >= REMEMBERED:
                del self._kept[next(iter(self._kept))]  # who was not asked for longest
            self._kept[key] = mine
            return mine.until(until)
