"""By how much intervals are to be wider or narrower, from counts that were withheld: split conformal calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.crowd.count import intervals

Floats = npt.NDArray[np.float64]

HELD = 0.9
"""The part of counts that an interval is meant to hold."""
LEAST, MOST = 0.5, 3.0
"""Between these what a day asks for is held: outside them not the widths are wrong but the estimate, or the cameras."""
NARROWEST = 1.0
"""Nothing is narrowed. Cameras stand where their neighbours and counters tell more than elsewhere: intervals that are
wide enough for less on their ground are not so beside it. What does not hold even there holds nowhere."""
SEARCHED = 8.0
"""Up to this factor it is looked for what would hold a count; where nothing does, none is large enough."""
SCORES_AN_HOUR = 2
"""An error lasts for about an hour, so two scores of a device within one are told as half an hour each."""
DOUBT_HOURS = 300.0
"""So many hours of devices speak for leaving the intervals as they are: most of a day of thirty cameras. One day is one
draw of what a day may be like, however many cameras see it."""
FADES_DAYS = 14.0
"""A day counts e times less after so many days."""
LEAST_DEVICES = 10
"""Of fewer, one alone is more than a tenth of all, and a broken one would be what the interval is made to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What withheld counts say of the intervals.

    ``raw`` is the factor that would have held them, within bounds, None where no day had devices enough; ``factor`` is
    that one drawn to one, and one where it would be less; ``hours`` are the hours of devices behind it, those of older
    days for less.
    """

    factor: float
    raw: float | None
    hours: float
    n_devices: int


def factors_that_hold(counted: Floats, mean: Floats, spread: Floats, known: Floats) -> Floats:
    r"""Return the least factor on the standard deviation of the estimate with which each count is held, shape (n,).

    .. math:: f_i = \min \{f \ge 0 : n_i \in [q_{0.05}, q_{0.95}](\Gamma(m_i, f^2 S_i + R_i))\}

    Zero where what is known of the device's own error holds the count already, so that this is never taken for an error
    of the estimate; infinity where no factor up to eight does.

    Parameters
    ----------
    counted, mean : float64, shape (n,)
        What was counted, and the persons that the estimate has there without the count.
    spread : float64, shape (n,)
        Variance of the estimate that the factor scales, persons squared.
    known : float64, shape (n,)
        Variance that it does not scale: that of the device, and what all ground has in common.

    Examples
    --------
    >>> one = np.ones(3)
    >>> found = factors_that_hold(np.array([100.0, 140.0, 1e4]), 100 * one, 10.0**2 * one, 5.0**2 * one)
    >>> found.round(1).tolist()
    [0.0, 2.2, inf]
    """

    def held(factor: Floats) -> npt.NDArray[np.bool_]:
        low, high = intervals(mean, factor**2 * spread + known)
        return (low <= counted) & (counted <= high)

    below, above = np.zeros(len(mean)), np.full(len(mean), SEARCHED)
    already, never = held(below), ~held(above)
    for _ in range(24):
        middle = (below + above) / 2
        enough = held(middle)
        below, above = np.where(enough, below, middle), np.where(enough, middle, above)
    return np.where(already, 0.0, np.where(never, np.inf, above))


def quantile_of(scores: Mapping[str, Sequence[float]]) -> float | None:
    r"""Return the least factor that holds :math:`0.9 (n + 1) / n` of a day's counts; None of too few devices.

    The scores of a device weigh as many hours as they stand for, :math:`n` in all, and no device more than twice the
    middle one.

    Examples
    --------
    >>> quantile_of({f"camera-{k}": [0.8, 1.1, 1.3, 1.5] for k in range(40)})
    1.5
    """
    found = [np.asarray(of, float) for of in scores.values() if len(of)]
    if len(found) < LEAST_DEVICES:
        return None
    n_scores = np.array([len(of) for of in found])
    hours = float(n_scores.sum()) / SCORES_AN_HOUR
    each = np.minimum(1.0, 2 * np.median(n_scores) / n_scores)
    every, weight = np.concatenate(found), np.repeat(each, n_scores)
    order = np.argsort(every)
    reached = np.cumsum(weight[order]) / weight.sum()
    level = min(HELD * (1 + 1 / hours), 1.0)
    return float(every[order][min(int(np.searchsorted(reached, level - 1e-12)), len(every) - 1)])


def proof_of(days: Sequence[tuple[float, Mapping[str, Sequence[float]]]]) -> Proof:
    r"""Return the factor that the scores of some days ask for.

    .. math:: \log \hat f = \max\Bigl(\frac{1}{n + n_0} \sum_d n_d \log f_d, \; 0\Bigr), \qquad
              n = \sum_d n_d, \quad n_d = e^{-a_d / 14} h_d

    with what each day asks for by itself, :math:`f_d` (:func:`quantile_of`, held within bounds), its age in days
    :math:`a_d` and its hours of devices :math:`h_d`. The mean is taken over days and not over their scores together: of
    all scores of two weeks, one bad day is the worst tenth, and would be what is held. Where there are few hours, the
    intervals stay as they are.

    Parameters
    ----------
    days : sequence of (float, mapping of str to sequence of float)
        The age of each in days, and by device the scores of :func:`factors_that_hold`.

    References
    ----------
    H. Papadopoulos et al., *Inductive Confidence Machines for Regression*, ECML 2002 (the quantile of withheld scores).
    It holds for exchangeable scores; ours last for an hour, and the ground that cameras see is not all ground.

    Examples
    --------
    >>> cameras = {f"camera-{k}": [0.8, 1.1, 1.3, 1.5] for k in range(40)}
    >>> made = proof_of([(0.0, cameras)])
    >>> made.raw, round(made.factor, 2), made.hours, made.n_devices
    (1.5, 1.09, 80.0, 40)
    """
    asked, hours, names = [], [], set[str]()
    for age, scores in days:
        found = quantile_of(scores)
        if found is not None:
            asked.append(np.log(np.clip(found, LEAST, MOST)))
            hours.append(np.exp(-age / FADES_DAYS) * sum(map(len, scores.values())) / SCORES_AN_HOUR)
            names |= {name for name, of in scores.items() if of}
    if not asked:
        return Proof(factor=1.0, raw=None, hours=0.0, n_devices=0)
    n, mean = float(np.sum(hours)), float(np.average(asked, weights=hours))
    drawn = max(float(np.exp(n / (n + DOUBT_HOURS) * mean)), NARROWEST)
    return Proof(factor=drawn, raw=round(float(np.exp(mean)), 9), hours=n, n_devices=len(names))
