"""Forecasters that need no training: the last count, last week's, and the usual bent by the present ratio to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from anlan.crowd.forecast.profile import FORGETS, usual
from anlan.crowd.forecast.series import Floats, Ints, Series, check_steps, unlog


@dataclass(frozen=True)
class Persistence:
    """It stays as it is."""

    name: str = "persistence"

    def learn(self, history: Series) -> Persistence:
        """Nothing is to be learned."""
        del history
        return self

    def ahead(self, series: Series, origins: Sequence[int] | Ints, steps_ahead: int) -> Floats:
        """Return the count at each origin."""
        return np.asarray(series.counts[check_steps(steps_ahead, series, origins)], np.float64)


@dataclass(frozen=True)
class SeasonalNaive:
    """It is as it was a week before."""

    name: str = "seasonal naive"

    def learn(self, history: Series) -> SeasonalNaive:
        """Nothing is to be learned."""
        del history
        return self

    def ahead(self, series: Series, origins: Sequence[int] | Ints, steps_ahead: int) -> Floats:
        """Return the count of the same slot a week before; NaN where there was none."""
        then = check_steps(steps_ahead, series, origins) + steps_ahead - series.week
        found = np.full((len(then), len(series.subjects)), np.nan)
        found[then >= 0] = series.counts[then[then >= 0]]
        return found


@dataclass(frozen=True)
class Ratio:
    r"""The usual of the slot, times the present ratio to the usual, which fades.

    .. math:: \log(x_{t+h} + 10) = u'_{t+h} + \kappa^{h} (w r_t + (1 - w) r_{t-1}), \quad r = \log(x + 10) - u',
        \quad u' = \log(e^{u} + a)

    with *h* in hours and *a* the persons who are planned to come in addition. It trains nothing and explains itself: "a
    third more than usual, and that lasts". A planned event that fewer come to than was expected bends its own forecast.
    """

    fades_in: float = 0.8
    """What is left of a ratio after one hour."""
    newest: float = 0.75
    name: str = "ratio to the usual"
    _kept: WeakKeyDictionary[Series, Floats] = field(default_factory=WeakKeyDictionary, repr=False, compare=False)

    def learn(self, history: Series) -> Ratio:
        """Nothing is to be learned beyond what the series itself tells."""
        del history
        return self

    def usual(self, series: Series) -> Floats:
        """Return the usual of every step, (T + week, S), computed once for a series."""
        found = self._kept.get(series)
        if found is None:
            found = self._kept[series] = usual(series, forgets=FORGETS)
        return found

    def expected(self, series: Series) -> Floats:
        """Return the usual of every step with what is planned added, (T + week, S)."""
        return np.log(np.exp(self.usual(series)) + series.added) if series.known.planned else self.usual(series)

    def logs_ahead(self, series: Series, origins: Ints, steps_ahead: int) -> Floats:
        """Return log(persons + 10) expected; (O, S)."""
        habit = self.expected(series)
        off = np.nan_to_num(series.logs - habit[: len(series)])
        before = off[np.maximum(origins - 1, 0)]
        ratio = self.newest * off[origins] + (1 - self.newest) * before
        return np.asarray(habit[origins + steps_ahead] + self.fades_in ** (steps_ahead / series.per_hour) * ratio)

    def ahead(self, series: Series, origins: Sequence[int] | Ints, steps_ahead: int) -> Floats:
        """Return the usual, bent by the present ratio to it; NaN before a slot was seen."""
        return unlog(self.logs_ahead(series, check_steps(steps_ahead, series, origins), steps_ahead))
