r"""Arrival times learned from recorded ones: how long it takes from a station to a place, and how sure that is.

The logarithm of the seconds is a sum of the way (by street or as the crow flies), the hour, the station and the place:

.. math:: \ln t = a + b\,(s/s_0)^p + h(\text{hour}) + u_{\text{station}} + f(x, y) + \varepsilon

with h a sum of six harmonics of the day, u shrunk towards nought the more the fewer calls a station has, f a smooth
field, and epsilon of a width that goes with the way. How much to shrink is learned too (empirical Bayes), p and the
width of the field by cross-validation. Intervals are quantiles of what was wrong about calls that had been left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput, NoData
from anlan.kernel.geo import Floats

POWERS = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
WIDTHS_M = (1500.0, 3000.0, 6000.0)
FEWEST = 100
"""Fewer records tell too little of ten effects and a tail."""
MOST_CENTRES = 400
HARMONICS = 3
ROUNDS, ROUNDS_AGAIN = 6, 2
REFERENCE_S = 300.0
HUBER = 2.0
"""Errors beyond so many widths count by their size only: some recorded times are slips of the pen."""
_LEVELS = np.linspace(0.0025, 0.9975, 200)
_KNOTS = 5
_MIDDLES = slice(2, None, 5)
"""The middle one of every five levels: a mean over them is as good."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Runs:
    """Recorded arrivals, or ways to be told; one row each.

    Parameters
    ----------
    nominal_s : array of shape (N,)
        Seconds that the way takes by the street network, or by the straight line at any one speed.
    hour : array of shape (N,)
        Of the day on the clock of the wall, 0 to below 24.
    origin : sequence of str
        The station or post it begins at.
    x_m, y_m : array of shape (N,)
        Where help is needed, metres in a local plane.

    Raises
    ------
    BadInput
        If lengths differ, or a number is missing, negative or no hour.
    """

    nominal_s: Floats
    hour: Floats
    origin: Sequence[str]
    x_m: Floats
    y_m: Floats

    def __post_init__(self) -> None:
        n = len(self.origin)
        for name in ("nominal_s", "hour", "x_m", "y_m"):
            values = np.asarray(getattr(self, name), float)
            if values.shape != (n,):
                raise BadInput(f"{name} of shape {values.shape}", f"must be ({n},), as origin", "give one for each")
            wrong = np.flatnonzero(~np.isfinite(values))
            if len(wrong):
                raise BadInput(f"{name}[{wrong[0]}]={values[wrong[0]]}", "must be a number", "leave the record out")
            object.__setattr__(self, name, values)
        if n and self.nominal_s.min() < 0:
            raise BadInput(f"nominal_s={self.nominal_s.min()}", "must be >= 0 s", "give seconds of travel")
        if n and not (self.hour.min() >= 0 and self.hour.max() < 24):
            raise BadInput(
                f"hour={self.hour.min()}..{self.hour.max()}", "must be in 0..24, below 24", "give hours of the day"
            )

    def __len__(self) -> int:
        return len(self.origin)

    def part(self, chosen: npt.NDArray[Any]) -> Runs:
        """Return some of them, by number or mask."""
        rows = np.arange(len(self))[chosen]
        return Runs(
            nominal_s=self.nominal_s[rows], hour=self.hour[rows], origin=[self.origin[k] for k in rows],
            x_m=self.x_m[rows], y_m=self.y_m[rows],
        )  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Expected:
    """What is to be expected of each run, s: the median and an interval."""

    median_s: Floats
    low_s: Floats
    high_s: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class ArrivalFit:
    """What was learned of arrivals; plain arrays, so that it can be kept and read again."""

    power: float
    width_m: float
    origins: tuple[str, ...]
    centres_m: Floats
    """(C, 2)."""
    weights: Floats
    knots_s: Floats
    scales: Floats
    """Width of the error in logarithms at ways of ``knots_s``."""
    quantiles: Floats
    """Of errors over their width, at the levels of ``_LEVELS``."""
    n_records: int

    def median_s(self, runs: Runs) -> Floats:
        """Return the median of each, s."""
        return np.exp(_design(runs, self.power, self.width_m, self.origins, self.centres_m) @ self.weights)

    def expected(self, runs: Runs, *, level: float = 0.9) -> Expected:
        """Return the median and the interval that holds the arrival with a probability.

        Raises
        ------
        BadInput
            If the level is not in 0.5..0.99.
        """
        if not 0.5 <= level <= 0.99:
            raise BadInput(f"level={level}", "must be in 0.5..0.99", "give the probability as a fraction")
        middle, width = np.log(self.median_s(runs)), self._width(runs)
        ends = np.interp([(1 - level) / 2, (1 + level) / 2], _LEVELS, self.quantiles)
        centre = np.interp(0.5, _LEVELS, self.quantiles)
        return Expected(
            median_s=np.exp(middle + width * centre),
            low_s=np.exp(middle + width * ends[0]),
            high_s=np.exp(middle + width * ends[1]),
        )

    def chance_within(self, runs: Runs, within_s: float) -> Floats:
        """Return the probability of each to arrive in time.

        Raises
        ------
        BadInput
            If the time is not above 0.
        """
        if not within_s > 0:
            raise BadInput(f"within_s={within_s}", "must be > 0 s", "give the time promised in seconds")
        wrong = (np.log(within_s) - np.log(self.median_s(runs))) / self._width(runs)
        return np.asarray(np.interp(wrong, self.quantiles, _LEVELS, left=0.0, right=1.0))

    def _width(self, runs: Runs) -> Floats:
        return np.asarray(np.interp(runs.nominal_s, self.knots_s, self.scales))

    # -- many units to one place -----------------------------------------------------------------------------------

    def number_of(self, origins: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return for each origin its number among those that were learned, -1 where it is not."""
        known = {name: k for k, name in enumerate(self.origins)}
        return np.array([known.get(name, -1) for name in origins], np.int64)

    def at(
        self, nominal_s: Floats, origin: npt.NDArray[np.int64], hour: float, xy_m: tuple[float, float]
    ) -> tuple[Floats, Floats]:
        """Return middle and width (N,) of the logarithm of the seconds to one place from many origins.

        ``origin`` are numbers of ``number_of``. The same as of ``median_s``, but the field is looked at once.
        """
        x, y = (np.array([float(value)]) for value in xy_m)
        here = Runs(nominal_s=np.zeros(1), hour=np.array([hour]), origin=[""], x_m=x, y_m=y)
        common = (_design(here, self.power, self.width_m, self.origins, self.centres_m) @ self.weights)[0]
        own = np.append(self.weights[_N_COMMON : _N_COMMON + len(self.origins)], 0.0)[origin]
        way = self.weights[1] * (nominal_s / REFERENCE_S) ** self.power
        return common + own + way, np.asarray(np.interp(nominal_s, self.knots_s, self.scales))

    def told(self, middle: Floats, width: Floats, level: float = 0.9) -> tuple[Floats, Floats, Floats]:
        """Return mean, and the ends of the interval, s, of logarithms with a middle and width (N,)."""
        ends = np.interp([(1 - level) / 2, (1 + level) / 2], _LEVELS, self.quantiles)
        mean = np.exp(middle[:, None] + width[:, None] * self.quantiles[_MIDDLES]).mean(axis=1)
        return mean, np.exp(middle + width * ends[0]), np.exp(middle + width * ends[1])

    def chance_below(self, errors: Floats | float) -> Floats:
        """Return the chance that an error, in its width, is below each of these."""
        return np.asarray(np.interp(errors, self.quantiles, _LEVELS, left=0.0, right=1.0))

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {name: np.asarray(getattr(self, name)).tolist() for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> ArrivalFit:
        """Return what ``to_dict`` gave.

        Raises
        ------
        BadInput
            If a part is missing or does not fit the others.
        """
        gone = sorted(set(cls.__dataclass_fields__) - set(kept))
        if gone:
            raise BadInput(f"arrival fit without {gone[0]}", "must have every part", "keep it with to_dict")
        try:
            made = cls(
                power=float(kept["power"]), width_m=float(kept["width_m"]), origins=tuple(map(str, kept["origins"])),
                centres_m=np.array(kept["centres_m"], float).reshape(-1, 2), n_records=int(kept["n_records"]),
                **{name: np.array(kept[name], float) for name in ("weights", "knots_s", "scales", "quantiles")},
            )  # fmt: skip
        except (TypeError, ValueError) as fault:
            raise BadInput(f"arrival fit ({fault})", "must hold numbers", "keep it with to_dict") from None
        n = _N_COMMON + len(made.origins) + len(made.centres_m)
        fits = made.weights.shape == (n,) and made.quantiles.shape == _LEVELS.shape
        if not fits or made.scales.shape != made.knots_s.shape:
            raise BadInput(f"{len(made.weights)} weights", f"must be {n}, with their tables", "keep it with to_dict")
        return made


_N_COMMON = 2 + 2 * HARMONICS


def fit_arrivals(runs: Runs, arrival_s: npt.ArrayLike, *, n_folds: int = 5) -> ArrivalFit:
    """Learn arrival times from records.

    Parameters
    ----------
    runs : Runs
        At least a hundred.
    arrival_s : array of shape (N,)
        Recorded seconds from mobilising (or from the call: what is recorded is what is told) to arriving.
    n_folds : int
        Of the cross-validation; the k-th record is in fold k modulo this, so that no draw is needed.

    Raises
    ------
    BadInput
        If an arrival is not above 0 s.
    NoData
        If there are fewer than a hundred.

    References
    ----------
    D. J. C. MacKay (1992), "Bayesian interpolation": how much to shrink. P. J. Huber (1964), "Robust estimation of a
    location parameter". J. Lei, M. G'Sell, A. Rinaldo, R. Tibshirani, L. Wasserman (2018), "Distribution-free
    predictive inference for regression", section 5.2; here with errors of records left out in turn.
    """
    taken = np.asarray(arrival_s, float)
    if taken.shape != (len(runs),):
        raise BadInput(f"arrival_s of shape {taken.shape}", f"must be ({len(runs)},)", "give one for each run")
    if len(runs) < FEWEST:
        raise NoData(f"{len(runs)} records", f"are too few, {FEWEST} are needed", "collect more arrivals")
    wrong = np.flatnonzero(~(np.isfinite(taken) & (taken > 0)))
    if len(wrong):
        raise BadInput(f"arrival_s[{wrong[0]}]={taken[wrong[0]]}", "must be > 0 s", "leave the record out")
    if n_folds < 2:
        raise BadInput(f"n_folds={n_folds}", "must be >= 2", "leave some records out each time")
    told = np.log(taken)
    fold = np.arange(len(runs)) % n_folds

    def left_out(power: float, width_m: float) -> Floats:
        """Return the error of each record by what was learned of the others."""
        wrong = np.empty(len(told))
        origins, centres = tuple(sorted(set(map(str, runs.origin)))), _centres(runs.x_m, runs.y_m, width_m)
        columns = _design(runs, power, width_m, origins, centres)
        sizes = (2, 2 * HARMONICS, len(origins), len(centres))
        whole = _shrunk(columns, told, sizes, _Size.unknown(told), ROUNDS)
        for k in range(n_folds):
            own = fold == k
            rest = _shrunk(columns[~own], told[~own], sizes, whole.size, ROUNDS_AGAIN)
            wrong[own] = told[own] - columns[own] @ rest.weights
        return wrong

    power = min(POWERS, key=lambda one: float(np.abs(left_out(one, 0.0)).mean()))
    by_width = {one: left_out(power, one) for one in (0.0, *WIDTHS_M)}
    width_m = min(by_width, key=lambda one: float(np.abs(by_width[one]).mean()))
    errors = by_width[width_m]
    knots, scales = _scales(runs.nominal_s, errors)
    over_width = errors / np.interp(runs.nominal_s, knots, scales)
    origins, centres = tuple(sorted(set(map(str, runs.origin)))), _centres(runs.x_m, runs.y_m, width_m)
    columns = _design(runs, power, width_m, origins, centres)
    sizes = (2, 2 * HARMONICS, len(origins), len(centres))
    weights = _shrunk(columns, told, sizes, _Size.unknown(told), ROUNDS).weights
    return ArrivalFit(
        power=power, width_m=width_m, origins=origins, centres_m=centres, weights=weights, knots_s=knots, scales=scales,
        quantiles=np.quantile(over_width, _LEVELS), n_records=len(runs),
    )  # fmt: skip


def _scales(nominal_s: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Return the width of errors at a few lengths of the way: the mean size within each fifth of the records."""
    order = np.argsort(nominal_s, kind="stable")
    parts = np.array_split(order, _KNOTS)
    knots = np.array([np.median(nominal_s[part]) for part in parts])
    scales = np.array([np.abs(errors[part]).mean() for part in parts])
    apart = np.concatenate([[True], np.diff(knots) > 0])
    return knots[apart], np.maximum(scales[apart], 1e-3)


def _centres(x_m: Floats, y_m: Floats, width_m: float) -> Floats:
    """Return where the field is set up: the middle of the records in each square as wide as the field."""
    if width_m == 0:
        return np.zeros((0, 2))
    side = width_m
    while True:
        square = np.stack([np.floor(x_m / side), np.floor(y_m / side)], axis=1)
        _, own, n = np.unique(square, axis=0, return_inverse=True, return_counts=True)
        if len(n) <= MOST_CENTRES:
            own = own.ravel()
            return np.stack([np.bincount(own, x_m) / n, np.bincount(own, y_m) / n], axis=1)
        side *= 1.25


def _design(runs: Runs, power: float, width_m: float, origins: Sequence[str], centres: Floats) -> Floats:
    """Return the columns: one, way, harmonics, origins (all nought for one that is not known), field."""
    turn = 2 * np.pi * runs.hour / 24
    common = [np.ones(len(runs)), (runs.nominal_s / REFERENCE_S) ** power]
    common += [wave(j * turn) for j in range(1, HARMONICS + 1) for wave in (np.cos, np.sin)]
    number = {name: k for k, name in enumerate(origins)}
    own = np.zeros((len(runs), len(origins)))
    for i, name in enumerate(runs.origin):
        if name in number:
            own[i, number[name]] = 1.0
    if not len(centres):
        return np.hstack([np.stack(common, axis=1), own])
    far = (runs.x_m[:, None] - centres[:, 0]) ** 2 + (runs.y_m[:, None] - centres[:, 1]) ** 2
    return np.hstack([np.stack(common, axis=1), own, np.exp(-far / (2 * width_m**2))])


@dataclass(frozen=True, slots=True)
class _Size:
    """How much each group of weights is shrunk, and the variance of what stays unexplained."""

    shrink: tuple[float, ...]
    noise: float

    @classmethod
    def unknown(cls, told: Floats) -> _Size:
        return cls((1e-6, 10.0, 10.0, 10.0), float(np.var(told)))


@dataclass(frozen=True, eq=False, slots=True)
class _Shrunk:
    weights: Floats
    size: _Size


def _shrunk(columns: Floats, told: Floats, sizes: tuple[int, ...], size: _Size, n_rounds: int) -> _Shrunk:
    """Return weights by ridge regression, each group (common, hour, origin, field) shrunk as its size asks for."""
    group = np.repeat(np.arange(4), sizes)
    shrink, noise, trust = np.array(size.shrink), size.noise, np.ones(len(told))
    weights = np.zeros(columns.shape[1])
    for _ in range(n_rounds):
        gram = (columns * trust[:, None]).T @ columns / noise
        spread = np.linalg.inv(gram + np.diag(shrink[group]))
        weights = spread @ (columns.T @ (trust * told)) / noise
        wrong = told - columns @ weights
        trust = np.minimum(1.0, HUBER * np.sqrt(noise) / np.maximum(np.abs(wrong), 1e-12))
        determined = 1 - shrink[group] * np.diag(spread)
        for g in range(1, 4):
            if sizes[g]:
                told_by = float(np.clip(determined[group == g].sum(), 1e-6, None))
                shrink[g] = np.clip(told_by / max(float((weights[group == g] ** 2).sum()), 1e-9), 1e-3, 1e6)
        noise = max(float((trust * wrong**2).sum()) / max(len(told) - float(determined.sum()), 1.0), 1e-8)
    return _Shrunk(weights, _Size(tuple(map(float, shrink)), noise))
