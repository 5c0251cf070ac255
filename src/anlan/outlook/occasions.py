"""Earlier occasions of what is planned again: who was where every five minutes, as it was counted then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from anlan.crowd.forecast import PlannedEvent
from anlan.store import DuckHistory

Floats = npt.NDArray[np.float64]

FIVE = timedelta(minutes=5)
"""An evening is remembered by means of so many minutes: quarters of an hour do not tell when people begin to come."""
BEFORE, AFTER = timedelta(hours=1, minutes=30), timedelta(hours=1, minutes=30)
"""So much before the first come and after the last have gone is read: a course is told an hour ahead."""
MOST = 16
"""So many evenings are held at once; then the one that was read first is forgotten."""
LONGEST = timedelta(days=3)
"""Of what goes on for weeks no more is read than its first days: no hour of the tenth is like one of the first."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Persons of some subjects at even steps whose middles begin at ``first_at``, (T, S); NaN where unknown."""

    first_at: datetime
    step: timedelta
    persons: Floats

    def at(self, moments: Sequence[datetime]) -> Floats:
        """Return the persons at these moments, (M, S), straight between two steps; NaN where either is unknown."""
        place = np.array([(at - self.first_at) / self.step for at in moments])
        low = np.floor(place).astype(np.int64)
        there = (low >= 0) & (low + 1 < len(self.persons))
        low = np.clip(low, 0, len(self.persons) - 2)
        part = (place - low)[:, None]
        found = (1 - part) * self.persons[low] + part * self.persons[low + 1]
        return np.where(there[:, None], found, np.nan)


class Occasions:
    """What was counted on the earlier occasions of what is planned. Not by itself safe to share.

    They are over, so each is read once, and a minute made again is told the same.
    """

    def __init__(self, history: DuckHistory, subjects: tuple[str, ...]) -> None:
        self._history, self._subjects = history, subjects
        self._kept: dict[tuple[datetime, timedelta], Steps] = {}

    def forget(self) -> None:
        """Begin anew."""
        self._kept = {}

    def at(self, one: PlannedEvent, moments: Sequence[datetime]) -> Floats:
        """Return who was where when the earlier one was as far as what is planned is at these moments, (M, S).

        Unknown where that one was not over before people set out for this one.
        """
        arrive, leave = timedelta(minutes=one.arrive_min), timedelta(minutes=one.leave_min)
        length = min(one.end_at - one.begin_at + arrive + leave + BEFORE + AFTER, LONGEST)
        if one.like_at is None or one.begin_at - one.like_at < length:
            return np.full((len(moments), len(self._subjects)), np.nan)
        ago, begin_at = one.begin_at - one.like_at, one.like_at - arrive - BEFORE
        key = begin_at, length
        if key not in self._kept:
            if len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            counts = self._history.estimate_means(self._subjects, begin_at, length // FIVE, FIVE)
            self._kept[key] = Steps(begin_at + FIVE / 2, FIVE, counts)
        return self._kept[key].at([at - ago for at in moments])
