"""The quarters of an hour of every place, up to a moment: read once, and then only what is new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from anlan.crowd.forecast.live import STEP
from anlan.store import DuckHistory

Floats = npt.NDArray[np.float64]


def quarter_of(at: datetime) -> datetime:
    """Return the last full quarter of an hour at or before a moment."""
    length = STEP.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // length * length, UTC)


class Quarters:
    """Means of what was estimated of some subjects, for so long back. Not by itself safe to share."""

    def __init__(self, history: DuckHistory, subjects: tuple[str, ...], back: timedelta) -> None:
        self._history, self._subjects, self._n_steps = history, subjects, back // STEP
        self._kept: tuple[datetime, Floats] | None = None

    def forget(self) -> None:
        """Begin anew."""
        self._kept = None

    def until(self, until: datetime) -> tuple[datetime, Floats]:
        """Return when the first step begins that is told, and the means up to a moment, (T, S); NaN where unknown."""
        gone = None if self._kept is None else (until - self._kept[0]) / STEP
        if self._kept is not None and gone is not None and gone == int(gone) and 0 <= gone < self._n_steps:
            fresh = self._history.estimate_means(self._subjects, self._kept[0], int(gone), STEP)
            counts = np.vstack([self._kept[1][int(gone) :], fresh])
        else:
            counts = self._history.estimate_means(self._subjects, until - self._n_steps * STEP, self._n_steps, STEP)
        self._kept = until, counts
        told = np.flatnonzero(np.isfinite(counts).any(axis=1))
        first = int(told[0]) if len(told) else self._n_steps
        return until - (self._n_steps - first) * STEP, counts[first:]
