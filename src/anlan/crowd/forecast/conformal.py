"""Intervals that hold as often as they say, kept so while the world changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anlan.crowd.forecast.series import SOFTEN, Floats, Ints, unlog

FORGETS = 0.03
"""Weight of the newest error in the usual error of an hour of the day."""
PACE = 0.02
"""How fast the width follows what was missed."""
BEGINS = 2.0
"""Where the quantile of errors, in usual errors, begins."""
MANY = 1e5
"""Persons about whom the width of an interval is asked for: it is a part of them."""


@dataclass(frozen=True)
class Bands:
    """Low and high of forecasts, (O, S); NaN where nothing was known."""

    low: Floats
    high: Floats


def bands(forecast: Floats, truth: Floats, hour_of_day: Ints, steps_ahead: int, *, level: float = 0.9) -> Bands:
    r"""Return an interval around each forecast, from the errors of those before it alone.

    Errors are :math:`e = \log(x + 10) - \log(\hat{x} + 10)`, in parts of the usual size of an error at that hour of
    the day. Both sides follow their quantile by tracking: after each truth

    .. math:: q^{+} \leftarrow q^{+} + \gamma\,([e > q^{+} s] - \tfrac{1 - level}{2})

    and the same for the low side, which makes the long-run share outside what was asked whatever the errors do.

    Parameters
    ----------
    forecast, truth : ndarray
        Persons (O, S) expected from each of O origins that follow each other, and what came; NaN where unknown.
    hour_of_day : ndarray
        Local hour (O,) of the step that is forecast.
    steps_ahead : int
        The truth of an origin is known this many origins later.
    level : float
        Share of truths that the interval is to hold.

    References
    ----------
    Angelopoulos, Candès and Tibshirani, Conformal PID control for time series prediction, NeurIPS 2023: quantile
    tracking. We track both sides apart, on errors divided by their usual size.
    """
    expected, came = np.log(forecast + SOFTEN), np.log(truth + SOFTEN)
    n_origins, n_subjects = forecast.shape
    size = np.full((24, n_subjects), np.nan)
    up, down = np.full(n_subjects, BEGINS), np.full(n_subjects, BEGINS)
    low, high = np.full(forecast.shape, np.nan), np.full(forecast.shape, np.nan)
    miss = (1 - level) / 2
    for k in range(n_origins):
        then = k - steps_ahead
        if then >= 0:
            hour = hour_of_day[then]
            error = came[then] - expected[then]
            told = np.isfinite(error)
            before = size[hour]
            if np.isnan(before).any():
                before = np.where(np.isnan(before), _first_size(size, error), before)
            up = np.where(told, np.maximum(up + PACE * ((error > up * before) - miss), 0), up)
            down = np.where(told, np.maximum(down + PACE * ((-error > down * before) - miss), 0), down)
            later = before + FORGETS * (np.minimum(np.abs(error), 5 * before) - before)
            size[hour] = np.where(told, later, size[hour])
        width = size[hour_of_day[k]]
        low[k], high[k] = expected[k] - down * width, expected[k] + up * width
    return Bands(low=unlog(low), high=unlog(high))


def widths(forecast: Floats, truth: Floats, hour_of_day: Ints, steps_ahead: int) -> tuple[Floats, Floats]:
    """Return how far below and above a forecast a 90 % interval would reach after the last origin, by local hour.

    In log(persons + 10), (24, S) each; NaN where nothing was known. The arguments are those of :func:`bands`.
    """
    hours = np.arange(24)
    asked = np.full((24, forecast.shape[1]), MANY)
    made = bands(
        np.vstack([forecast, asked]),
        np.vstack([truth, np.full_like(asked, np.nan)]),
        np.concatenate([hour_of_day, hours]),
        steps_ahead,
    )
    middle = np.log(MANY + SOFTEN)
    return middle - np.log(made.low[-24:] + SOFTEN), np.log(made.high[-24:] + SOFTEN) - middle


def _first_size(size: Floats, error: Floats) -> Floats:
    """Return what an hour begins with: the mean of the hours that are known, or the first error itself."""
    known = np.isfinite(size)
    mean = np.where(known, size, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known.any(axis=0), mean, np.maximum(np.abs(error), 0.05))
