"""How right a forecaster would have been: learned up to a moment, judged after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from anlan.crowd.forecast.conformal import bands
from anlan.crowd.forecast.port import Forecaster
from anlan.crowd.forecast.series import Floats, Series
from anlan.kernel.errors import BadInput

WARM_WEEKS = 8
"""Weeks before the judged ones in which the intervals find their width."""
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Score:
    """How right one forecaster was so far ahead.

    ``wape`` is the sum of errors over the sum of persons; ``mase`` the mean over subjects of the mean error over that
    of last week's count in the history (Hyndman and Koehler 2006); ``coverage`` the share of truths inside the 90 %
    interval and ``half_width`` half of that interval over the persons expected, summed. ``hours`` names those that
    were judged.
    """

    forecaster: str
    ahead: timedelta
    wape: float
    mase: float
    coverage: float
    half_width: float
    n: int
    hours: str = ALL


def backtest(
    forecasters: Iterable[Forecaster],
    series: Series,
    n_history: int,
    steps_ahead: Iterable[int],
    *,
    apart: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> list[Score]:
    """Let each learn from the first ``n_history`` steps, and judge what it tells of every step after them.

    A forecast of step *k* is made from step *k - steps_ahead*, with everything counted until then.

    Parameters
    ----------
    apart : mapping of str to ndarray of bool, optional
        Steps and subjects, (T, S), that are judged apart, too; those that hold no count after the history are left out.

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
    came = np.isfinite(series.counts[n_history:])
    parts = {
        name: where[n_history:] & came
        for name, where in {ALL: np.ones_like(series.counts, bool), **(apart or {})}.items()
    }
    history = series.until(n_history)
    counts = series.counts
    last_weeks = np.nanmean(np.abs(counts[series.week : n_history] - counts[: n_history - series.week]), axis=0)
    found = []
    horizons = list(steps_ahead)
    for forecaster in forecasters:
        learned = forecaster.learn(history)
        for h in horizons:
            found += _scores(learned, series, {name: part for name, part in parts.items() if part.any()}, h, last_weeks)
    return found


def _scores(
    learned: Forecaster,
    series: Series,
    parts: Mapping[str, npt.NDArray[np.bool_]],
    steps_ahead: int,
    last_weeks: Floats,
) -> list[Score]:
    """Return a score of each part of the judged steps; intervals find their width on all of them."""
    n_judged = len(next(iter(parts.values())))
    first = len(series) - n_judged - steps_ahead
    begin = first - WARM_WEEKS * series.week
    origins = np.arange(begin, len(series) - steps_ahead)
    expected = learned.ahead(series, origins, steps_ahead)
    came = series.counts[origins + steps_ahead]
    made = bands(expected, came, series.hour_of_day[origins + steps_ahead], steps_ahead)
    judged = slice(first - begin, None)
    x, y, low, high = expected[judged], came[judged], made.low[judged], made.high[judged]
    found = []
    for name, part in parts.items():
        told = np.isfinite(x) & np.isfinite(y) & part
        if not told.any():
            continue
        error = np.where(told, np.abs(x - y), np.nan)
        inside = (low[told] <= y[told]) & (y[told] <= high[told])
        found.append(
            Score(
                forecaster=learned.name,
                ahead=steps_ahead * series.step,
                wape=float(np.nansum(error) / y[told].sum()),
                mase=_mase(error, told, last_weeks),
                coverage=float(inside.mean()),
                half_width=float((high[told] - low[told]).sum() / 2 / x[told].sum()),
                n=int(told.sum()),
                hours=name,
            )
        )
    return found


def _mase(error: Floats, told: npt.NDArray[np.bool_], last_weeks: Floats) -> float:
    n = told.sum(axis=0)
    return float(np.mean(np.nansum(error, axis=0)[n > 0] / n[n > 0] / last_weeks[n > 0]))
