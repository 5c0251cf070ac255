"""How right a forecaster would have been: learned up to a moment, judged after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from anlan.crowd.forecast.conformal import bands
from anlan.crowd.forecast.port import Forecaster
from anlan.crowd.forecast.series import Floats, Series
from anlan.kernel.errors import BadInput

WARM_WEEKS = 8
"""Weeks before the judged ones in which the intervals find their width."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """How right one forecaster was so far ahead.

    ``wape`` is the sum of errors over the sum of persons; ``mase`` the mean over subjects of the mean error over that
    of last week's count in the history (Hyndman and Koehler 2006); ``coverage`` the share of truths inside the 90 %
    interval and ``half_width`` half of that interval over the persons expected, summed.
    """

    forecaster: str
    ahead: timedelta
    wape: float
    mase: float
    coverage: float
    half_width: float
    n: int


def backtest(
    forecasters: Iterable[Forecaster], series: Series, n_history: int, steps_ahead: Iterable[int]
) -> list[Score]:
    """Let each learn from the first ``n_history`` steps, and judge what it tells of every step after them.

    A forecast of step *k* is made from step *k - steps_ahead*, with everything counted until then.

    Raises
    ------
    BadInput
        If fewer than nine weeks come before the judged steps, or none comes after.
    """
    if not (WARM_WEEKS + 1) * series.week <= n_history < len(series):
        raise BadInput(
            f"n_history={n_history}",
            f"must be {(WARM_WEEKS + 1) * series.week} to {len(series) - 1}",
            "split it elsewhere",
        )
    history = series.until(n_history)
    counts = series.counts
    last_weeks = np.nanmean(np.abs(counts[series.week : n_history] - counts[: n_history - series.week]), axis=0)
    found = []
    horizons = list(steps_ahead)
    for forecaster in forecasters:
        learned = forecaster.learn(history)
        found += [_score(learned, series, n_history, h, last_weeks) for h in horizons]
    return found


def _score(learned: Forecaster, series: Series, n_history: int, steps_ahead: int, last_weeks: Floats) -> Score:
    first = n_history - steps_ahead
    begin = first - WARM_WEEKS * series.week
    origins = np.arange(begin, len(series) - steps_ahead)
    expected = learned.ahead(series, origins, steps_ahead)
    came = series.counts[origins + steps_ahead]
    made = bands(expected, came, series.hour_of_day[origins + steps_ahead], steps_ahead)
    judged = slice(first - begin, None)
    x, y, low, high = expected[judged], came[judged], made.low[judged], made.high[judged]
    told = np.isfinite(x) & np.isfinite(y)
    error = np.where(told, np.abs(x - y), np.nan)
    inside = (low[told] <= y[told]) & (y[told] <= high[told])
    return Score(
        forecaster=learned.name,
        ahead=steps_ahead * series.step,
        wape=float(np.nansum(error) / y[told].sum()),
        mase=float(np.nanmean(np.nanmean(error, axis=0) / last_weeks)),
        coverage=float(inside.mean()),
        half_width=float((high[told] - low[told]).sum() / 2 / x[told].sum()),
        n=int(told.sum()),
    )
