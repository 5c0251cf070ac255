"""The best anybody could do at finding a faulty device: who knows every true rate, at the same rate of false alarms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.special import gammaln, ndtr

Floats = npt.NDArray[np.float64]

SMOOTH_MIN = 5.0
"""A rate is what was counted within so many minutes before and after: hindsight that no watcher has."""
LEAST = 8.0


def lines_of(counts: Floats) -> Floats:
    """Return counts without gaps, (n_minutes, n, 2): what did not come lies between its neighbours."""
    found = counts.copy()
    minutes = np.arange(len(counts))
    for column in found.reshape(len(counts), -1).T:
        told = np.isfinite(column)
        column[~told] = np.interp(minutes[~told], minutes[told], column[told]) if told.any() else 0.0
    return found


class Bound:
    """Likelihood-ratio tests that are told every rate, beside the watcher in the table.

    Parameters
    ----------
    counts : float64, shape (n_minutes, n, 2)
    view : bool, shape (n,)
        Which devices see people present rather than passing.
    per_hour : float
        False alarms that are allowed, over all devices.
    """

    def __init__(self, counts: Floats, view: npt.NDArray[np.bool_], per_hour: float, rng: np.random.Generator) -> None:
        self._ways = lines_of(counts)
        self._rates = np.maximum(gaussian_filter1d(self._ways, SMOOTH_MIN, axis=0, mode="nearest"), 0.02)
        self._rate = self._rates.sum(axis=2)
        self._view, self._rng = view, rng
        off = (self._ways.sum(axis=2) - self._rate) / np.maximum(self._rate, 1)
        self._sd = np.maximum(np.sqrt((off**2).mean(axis=0)) * self._rate, 0.5)
        allowed = per_hour * len(counts) / 60
        self._lost_nats = self._limit_of_lost(allowed)
        self._stuck_nats = self._limit_of_stuck(allowed)

    def lost(self, device: int, begin: int, minutes: int = 10, n_tries: int = 20) -> float:
        """Return how often a loss of half is found in time: Page's test between the true rate and half of it."""
        rate = self._rate[begin : begin + minutes, device]
        counted = self._rng.poisson(0.5 * rate, (n_tries, minutes))
        return float(
            (_page(counted.T.astype(float), np.repeat(rate[:, None], n_tries, 1)).max(axis=0) >= self._lost_nats).mean()
        )

    def stuck(self, device: int, begin: int) -> float:
        """Return 1 where three repeats of what was counted last are rare enough to be told, else 0."""
        return float(3 * self._rarity(begin - 1, device) >= self._stuck_nats)

    def _limit_of_lost(self, allowed: float) -> float:
        score = _page(self._rng.poisson(self._rate).astype(float), self._rate)
        above = np.where(self._rate >= LEAST, score, 0.0)
        peaks = [_alarm_scores(column) for column in above.T]
        found = np.sort(np.concatenate(peaks))[::-1]
        n = int(np.floor(allowed))
        return float(found[n]) if n < len(found) else 0.0

    def _limit_of_stuck(self, allowed: float) -> float:
        minutes, devices = np.nonzero(self._rate >= LEAST)
        nats = 3 * np.array([self._rarity(int(t), int(d)) for t, d in zip(minutes, devices, strict=True)])
        order = np.argsort(-nats)
        cost = np.cumsum(np.exp(-nats[order]))  # how often a healthy device repeats that value three times
        n = int(np.searchsorted(cost, allowed))
        return float(nats[order][min(n, len(order) - 1)])

    def _rarity(self, minute: int, device: int) -> float:
        rates, counted = self._rates[minute, device], np.round(self._ways[minute, device])
        if self._view[device]:
            off, sd = counted[0] - rates[0], self._sd[minute, device]
            return float(-np.log(max(ndtr((off + 0.5) / sd) - ndtr((off - 0.5) / sd), 1e-12)))
        return float(-(counted * np.log(rates) - rates - gammaln(counted + 1)).sum())


def _page(counted: Floats, rate: Floats) -> Floats:
    score, found = np.zeros(counted.shape[1]), np.zeros(counted.shape)
    for k, (now, mean) in enumerate(zip(counted, rate, strict=True)):
        score = np.maximum(score, 0) + now * np.log(0.5) + 0.5 * mean
        found[k] = score
    return found


def _alarm_scores(column: Floats) -> Floats:
    """Return the peak of each excursion above nothing: at a limit below it, it is one false alarm."""
    starts = np.flatnonzero((column[1:] > 0) & (column[:-1] <= 0)) + 1
    return np.maximum.reduceat(column, starts) if len(starts) else np.zeros(0)


def share_of(found: Sequence[float]) -> float:
    """Return how many in a hundred."""
    return 100 * float(np.mean(found)) if len(found) else float("nan")
