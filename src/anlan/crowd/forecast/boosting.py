"""Gradient boosting of what the ratio leaves over, and the blend of both."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from anlan.crowd.forecast.profile import usual
from anlan.crowd.forecast.ratio import Ratio
from anlan.crowd.forecast.series import SOFTEN, Floats, Ints, Series, check_steps, unlog
from anlan.kernel.errors import BadInput, NoData, Unavailable

EARLIEST_WEEKS = 5
"""Steps before this have no usual worth the name, and are not learned from."""
LEAST_WEEKS = 8
NEIGHBOURS = 3
QUICK = 0.08
WEATHER = slice(-6, -1)
"""Which of what trees see is the weather: the columns before the last, which is whose counts they are."""
FORESEEN = slice(-3, -1)
"""Which of these is what is foreseen."""
UNTOLD = 0.05
"""Part of the origins at which trees learn without the weather, and as large a part without what was foreseen."""
ROUNDS = 400


def boosting_installed() -> bool:
    """Tell whether LightGBM is there."""
    return importlib.util.find_spec("lightgbm") is not None


@dataclass(frozen=True)
class Boosting:
    """Boosted trees on the log-ratio that remains after :class:`Ratio`: one forest for all subjects, for each horizon.

    What they see: the ratios of the last six steps, of the day and the week before, of neighbours (the subjects whose
    ratios went along most closely in the history) and of all together; how the usual is about to change; the hour, the
    day as it is lived, the day of the year, days of rest around; what is planned, and the weather. What is planned is
    added by the ratio, so that all else is seen as if it were not. Trees are fitted to the absolute error (a median),
    weighted by persons.
    """

    steps_ahead: tuple[int, ...] = (1,)
    n_forests: int = 1
    n_rounds: int = ROUNDS
    name: str = "boosted trees"
    ratio: Ratio = field(default_factory=Ratio)
    forests: Mapping[int, tuple[Any, ...]] = field(default_factory=dict, repr=False)
    near: Ints = field(default_factory=lambda: np.empty((0, 0), np.int64), repr=False)
    _quick: WeakKeyDictionary[Series, Floats] = field(default_factory=WeakKeyDictionary, repr=False, compare=False)

    def learn(self, history: Series) -> Boosting:
        """Return one whose forests have grown on a history.

        Raises
        ------
        Unavailable
            If LightGBM is not installed.
        NoData
            If the history is shorter than eight weeks.
        """
        if not boosting_installed():
            raise Unavailable("boosted trees", "need LightGBM", "install it: pip install 'anlan[forecast]'")
        if len(history) < LEAST_WEEKS * history.week:
            weeks = len(history) / history.week
            raise NoData(f"a history of {weeks:.1f} weeks", f"must have {LEAST_WEEKS} or more", "go on counting")
        view = self._view(history, _neighbours(history, self.ratio))
        grown = {h: self._grown(view, h) for h in self.steps_ahead}
        return replace(self, forests=grown, near=view.near)

    def _grown(self, view: _View, steps_ahead: int) -> tuple[Any, ...]:
        import lightgbm as lgb  # noqa: PLC0415 - an extra, which a district may lack

        series = view.series
        origins = np.arange(EARLIEST_WEEKS * series.week, len(series) - steps_ahead)
        seen = view.features(origins, steps_ahead)
        left = (series.logs[origins + steps_ahead] - self.ratio.logs_ahead(series, origins, steps_ahead)).ravel()
        scale = np.nanmean(np.abs(np.diff(series.counts, axis=0)), axis=0) + 1.0
        weight = (np.exp((view.usual + view.lift)[origins + steps_ahead]) / np.sqrt(scale)).ravel()
        _hide_weather(seen, len(origins))
        told = np.isfinite(left) & np.isfinite(weight)
        packed = lgb.Dataset(seen[told], left[told], weight=weight[told] / weight[told].mean())
        return tuple(lgb.train(_growth(seed), packed, self.n_rounds) for seed in range(self.n_forests))

    def _view(self, series: Series, near: Ints) -> _View:
        quick = self._quick.get(series)
        if quick is None:
            quick = self._quick[series] = usual(series, forgets=QUICK)
        return _View.of(series, self.ratio, near, quick)

    def written(self) -> dict[str, Any]:
        """Return what was learned as plain values, from which :meth:`read` makes the same again."""
        forests = {str(h): [one.model_to_string() for one in grown] for h, grown in self.forests.items()}
        return {"near": self.near.tolist(), "forests": forests}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Boosting:
        """Return what was learned from its plain values.

        Raises
        ------
        Unavailable
            If LightGBM is not installed.
        BadInput
            If they are of another form.
        """
        if not boosting_installed():
            raise Unavailable("boosted trees", "need LightGBM", "install it: pip install 'anlan[forecast]'")
        import lightgbm as lgb  # noqa: PLC0415 - an extra, which a district may lack

        try:
            forests = {
                int(h): tuple(lgb.Booster(model_str=one) for one in grown) for h, grown in written["forests"].items()
            }
            near = np.array(written["near"], np.int64)
        except (lgb.basic.LightGBMError, KeyError, TypeError, ValueError, AttributeError) as fault:
            raise BadInput("learned trees", f"must be of this version's form ({fault})", "learn anew") from None
        return cls(tuple(forests), forests=forests, near=near)

    def logs_ahead(self, series: Series, origins: Ints, steps_ahead: int) -> Floats:
        """Return log(persons + 10) expected; (O, S)."""
        if steps_ahead not in self.forests:
            known = ", ".join(map(str, self.forests)) or "none"
            raise NoData(f"steps_ahead={steps_ahead}", f"must have been learned ({known} were)", "let it learn first")
        rest = self._left(self._view(series, self.near).features(origins, steps_ahead), steps_ahead)
        return self.ratio.logs_ahead(series, origins, steps_ahead) + rest.reshape(len(origins), -1)

    def _left(self, seen: npt.NDArray[np.float32], steps_ahead: int) -> Floats:
        grown = self.forests[steps_ahead]
        return np.asarray(sum(forest.predict(seen) for forest in grown) / len(grown), np.float64)

    def moved_by_weather(self, series: Series, origins: Ints, steps_ahead: int) -> npt.NDArray[np.bool_]:
        """Return whether trees would expect something else if nothing of the weather were known; (O, S)."""
        seen = self._view(series, self.near).features(origins, steps_ahead)
        if np.isnan(seen[:, WEATHER]).all():
            return np.zeros((len(origins), len(series.subjects)), np.bool_)
        blind = seen.copy()
        blind[:, WEATHER] = np.nan
        moved = self._left(seen, steps_ahead) != self._left(blind, steps_ahead)
        return np.asarray(moved.reshape(len(origins), -1), np.bool_)

    def ahead(self, series: Series, origins: Sequence[int] | Ints, steps_ahead: int) -> Floats:
        """Return the persons expected; NaN before a slot was seen."""
        return unlog(self.logs_ahead(series, check_steps(steps_ahead, series, origins), steps_ahead))


@dataclass(frozen=True)
class Blend:
    """Boosted trees, with a part of the ratio: what is new to the trees does not run away with them.

    Without LightGBM, or with too short a history, it is the ratio alone.
    """

    steps_ahead: tuple[int, ...] = (1,)
    of_ratio: float = 0.1
    n_forests: int = 1
    n_rounds: int = ROUNDS
    name: str = "blend"
    ratio: Ratio = field(default_factory=Ratio)
    trees: Boosting | None = None

    def learn(self, history: Series) -> Blend:
        """Return one that has learned what it can."""
        if not boosting_installed() or len(history) < LEAST_WEEKS * history.week:
            return replace(self, trees=None)
        trees = Boosting(self.steps_ahead, self.n_forests, self.n_rounds, ratio=self.ratio)
        return replace(self, trees=trees.learn(history))

    def ahead(self, series: Series, origins: Sequence[int] | Ints, steps_ahead: int) -> Floats:
        """Return the persons expected; NaN before a slot was seen."""
        found = self.ratio.ahead(series, origins, steps_ahead)
        if self.trees is None or steps_ahead not in self.trees.forests:
            return found
        return self.of_ratio * found + (1 - self.of_ratio) * self.trees.ahead(series, origins, steps_ahead)


def _growth(seed: int) -> dict[str, Any]:
    return {
        "objective": "l1",
        "learning_rate": 0.05,
        "num_leaves": 63,
        "min_data_in_leaf": 60,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "max_bin": 127,
        "lambda_l2": 1.0,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
        "seed": seed,
    }


def _hide_weather(seen: npt.NDArray[np.float32], n_origins: int) -> None:
    """Leave out the weather of some origins, in place: where LightGBM never met an unknown number it takes it for zero.

    So trees learn what to expect where the weather is unknown, which is neither dry nor 0 °C.
    """
    if np.isnan(seen[:, WEATHER]).all():
        return
    chance = np.repeat(np.random.default_rng(0).random(n_origins), len(seen) // n_origins)
    seen[chance < UNTOLD, WEATHER] = np.nan
    seen[chance > 1 - UNTOLD, FORESEEN] = np.nan


def _neighbours(series: Series, ratio: Ratio) -> Ints:
    """Return for each subject those whose ratios went along most closely, (S, k)."""
    off = np.nan_to_num(series.logs - ratio.expected(series)[: len(series)])
    n_subjects = off.shape[1]
    spread = off.std(axis=0)
    alike = (off - off.mean(axis=0)).T @ (off - off.mean(axis=0)) / len(off) / (np.outer(spread, spread) + 1e-9)
    np.fill_diagonal(alike, -np.inf)
    return np.argsort(-alike, axis=1, kind="stable")[:, : min(NEIGHBOURS, n_subjects - 1)]


@dataclass(frozen=True, eq=False)
class _View:
    """A series as the trees see it: every array is (T, S) or (T + week, S), and its row k needs no step after k."""

    series: Series
    usual: Floats
    bare: Floats
    lift: Floats
    quick: Floats
    off: Floats
    total: Floats
    day: Floats
    week: Floats
    near: Ints

    @classmethod
    def of(cls, series: Series, ratio: Ratio, near: Ints, quick: Floats) -> _View:
        habit = ratio.usual(series)
        lift = ratio.expected(series) - habit
        bare = series.logs - lift[: len(series)]
        off = bare - habit[: len(series)]
        told = np.isfinite(off)
        persons = np.where(told, np.exp(bare) - SOFTEN, 0).sum(axis=1)
        expected = np.where(told, np.exp(habit[: len(series)]) - SOFTEN, 0).sum(axis=1)
        return cls(
            series=series,
            usual=habit,
            bare=bare,
            lift=lift,
            quick=quick,
            off=off,
            total=np.log(np.maximum(persons, 0) + SOFTEN) - np.log(np.maximum(expected, 0) + SOFTEN),
            day=_running_mean(off, 24 * series.per_hour),
            week=_running_mean(off, series.week),
            near=near,
        )

    def features(self, origins: Ints, steps_ahead: int) -> npt.NDArray[np.float32]:
        """Return what the trees see at each origin of each subject, (O * S, F)."""
        series, per_hour = self.series, self.series.per_hour
        then, logs, habit = origins + steps_ahead, self.bare, self.usual
        seen: list[Floats] = [self._at(self.off, origins - k) for k in range(6)]
        seen += [
            habit[then],
            habit[then] - habit[origins],
            habit[then + 1] - habit[then],
            self.quick[then] - habit[then],
        ]
        for hours in (24, 48, 72, 168, 336, 504):
            seen.append(self._at(logs, then - hours * per_hour) - habit[then])
        seen += [self._at(logs, origins - h * per_hour) - habit[origins] for h in (24, 168)]
        seen += [self._at(self.off, then - 24 * per_hour), self._at(self.off, origins - 24 * per_hour)]
        total = self.total[:, None]
        seen += [self._at(total, origins), self._at(total, origins - 1), self._at(total, then - 24 * per_hour)]
        beside = self._at(self.off, origins)
        seen += [beside[:, self.near[:, j]] for j in range(self.near.shape[1])]
        seen += [self.day[origins], self.week[origins]]
        days = [series.hour_of_day[then], series.weekday[then], series.day_of_year[then], series.rests[then]]
        days += [series.rests[np.minimum(then + d * 24 * per_hour, len(series.rests) - 1)] for d in (1, 2)]
        days += [series.rests[np.maximum(then - d * 24 * per_hour, 0)] for d in (1, 2)]
        seen += [one[:, None].astype(np.float64) for one in days]
        seen += [self.lift[origins], self.lift[then], *self._weather(origins, steps_ahead)]
        n_subjects = logs.shape[1]
        seen.append(np.arange(n_subjects, dtype=np.float64)[None])
        shape = (len(origins), n_subjects)
        flat = [np.broadcast_to(one, shape).astype(np.float32) for one in seen]  # trees see no more than that
        return np.stack(flat, axis=-1).reshape(-1, len(seen))

    def _weather(self, origins: Ints, steps_ahead: int) -> list[Floats]:
        """Return rain and temperature of the last full hour, rain of the three before, and what is foreseen; (O, 1)."""
        series = self.series
        seen = [*series.weather(origins, 0), np.mean([series.weather(origins, k)[0] for k in (1, 2, 3)], axis=0)]
        seen += series.weather_ahead(origins, steps_ahead)
        return [one[:, None] for one in seen]

    @staticmethod
    def _at(values: Floats, steps: Ints) -> Floats:
        """Return rows, NaN for those before the first."""
        found = values[np.maximum(steps, 0)].copy()
        found[steps < 0] = np.nan
        return found


def _running_mean(values: Floats, n_steps: int) -> Floats:
    """Return the mean of the last ``n_steps`` rows that are told; 0 where none is."""
    told = np.isfinite(values)
    sums, counts = np.nancumsum(values, axis=0), np.cumsum(told, axis=0).astype(np.float64)
    sums[n_steps:] -= sums[:-n_steps].copy() if len(sums) > n_steps else 0
    counts[n_steps:] -= counts[:-n_steps].copy() if len(counts) > n_steps else 0
    return sums / np.maximum(counts, 1)
