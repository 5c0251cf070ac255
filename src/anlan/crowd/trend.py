"""The next half hour of a place, from its estimate and how it has been changing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from anlan.kernel.alerts import Basis
from anlan.kernel.records import Estimate

LONGEST_GAP_MIN = 15.0
"""After so long without an estimate a trend begins anew."""
SETTLES_MIN = 10.0
"""Before a trend has been followed for so long nothing is expected of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """People expected in a place ``ahead_s`` seconds from now, the standard deviation of that, and what it rests on."""

    ahead_s: float
    occupancy: float
    sd: float
    rests_on: tuple[Basis, ...] = (Basis.TREND,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendParams:
    """How a trend is followed. Times in minutes; all else on the logarithm of people, that is, as parts of them.

    ``jitter`` is by how much the estimate of one minute jumps about its course; its own error, of the size that it is
    told with, is forgotten in ``error_lasts_min``. ``stray`` is by how much people stray from their growth in a minute,
    ``bend`` by how much that growth may change (per minute, in a minute), ``growth`` how large it may be to begin
    with, ``lasts_min`` how long before it is e times weaker; ``waver`` by how much what comes and goes in a few minutes
    stands about it.
    """

    jitter: float = 0.001
    error_lasts_min: float = 60.0
    stray: float = 0.002
    bend: float = 0.0002
    growth: float = 0.01
    lasts_min: float = 600.0
    waver: float = 0.002
    soften: float = 30.0
    """Persons added before a logarithm is taken: that two become four means nothing."""


Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Logarithm of the people in a place, its growth per minute, and that of the estimate's error; their covariance.

    ``softened`` is the persons that were added before the logarithm was taken.
    """

    at: datetime
    begun_at: datetime
    mean: Three
    cov: tuple[Three, Three, Three]
    softened: float

    @property
    def people(self) -> float:
        """People, without the error that the estimate is told apart from."""
        return max(math.exp(self.mean[0]) - self.softened, 0.0)

    @property
    def settled(self) -> bool:
        """Whether it has been followed for ten minutes: before, its growth is mostly the finding of its feet."""
        return (self.at - self.begun_at).total_seconds() >= 60 * SETTLES_MIN

    @property
    def slope(self) -> float:
        """How many more there are each minute."""
        return math.exp(self.mean[0]) * self.mean[1]

    @property
    def sd_slope(self) -> float:
        """Standard deviation of the slope, persons per minute."""
        return math.exp(self.mean[0]) * math.sqrt(max(self.cov[1][1], 0.0))


def followed(
    trend: Trend | None,
    estimate: Estimate,
    params: TrendParams | None = None,
    gained: tuple[float, float] | None = None,
) -> Trend:
    r"""Return the trend with one more estimate: growth and the estimate's own error, told apart by a Kalman filter.

    .. math:: \ell_t = \ell_{t-1} + \Delta\, b_{t-1} + \epsilon, \quad b_t = \phi^\Delta b_{t-1} + \epsilon', \quad
        u_t = \rho^\Delta u_{t-1} + \epsilon'', \quad \log(\hat N_t + s) = \ell_t + u_t + \eta

    with the people :math:`N = e^\ell - s`, their growth :math:`b` per minute, :math:`\phi = e^{-1/T}`, and the
    error :math:`u` of the estimate :math:`\hat N`, whose variance is the one it is told with. That error wanders for
    an hour, as growth does not: were it taken for growth, each of its waves would be foretold as a crowd.

    Parameters
    ----------
    trend : Trend, optional
        None before the first estimate.
    estimate : Estimate
        Known: its occupancy is a number.
    params : TrendParams, optional
    gained : (float, float), optional
        What gates say that the place gains, persons per minute, and the standard deviation of that: the growth itself,
        without the wandering of the estimate.

    References
    ----------
    A. C. Harvey, *Forecasting, Structural Time Series Models and the Kalman Filter*, 1989, section 2.3 (local linear
    trend) and 3.2 (errors that follow each other); E. S. Gardner, E. McKenzie, *Forecasting Trends in Time Series*,
    1985 (damped trend).

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> begin, trend = datetime(2026, 12, 31, 10, tzinfo=UTC), None
    >>> for k in range(120):
    ...     at = begin + timedelta(minutes=k)
    ...     trend = followed(trend, Estimate(at=at, walkable_m2=1e4, occupancy=1000.0 * 1.01**k, sd=50.0))
    >>> round(trend.slope / trend.people, 3)
    0.01
    """
    params = params or TrendParams()
    value = estimate.occupancy
    assert value is not None  # noqa: S101 - only a known estimate is followed
    seen = math.log(max(value, 0.0) + params.soften)
    spread = (estimate.sd or 0.0) / (max(value, 0.0) + params.soften)
    var_error = math.log1p(spread**2)
    gap = 0.0 if trend is None else (estimate.at - trend.at).total_seconds() / 60
    if trend is None or gap <= 0 or gap > LONGEST_GAP_MIN:
        return Trend(
            at=estimate.at,
            begun_at=estimate.at,
            mean=(seen, 0.0, 0.0),
            cov=(
                (var_error + params.jitter**2, 0.0, -var_error),
                (0.0, params.growth**2, 0.0),
                (-var_error, 0.0, var_error),
            ),
            softened=params.soften,
        )
    mean, cov = _moved(trend, gap, var_error, params)
    mean, cov = _told(mean, cov, (1.0, 0.0, 1.0), seen, params.jitter**2)
    if gained is not None:
        per_min, sd = gained
        people = math.exp(mean[0])
        mean, cov = _told(mean, cov, (0.0, 1.0, 0.0), per_min / people, (sd / people) ** 2 + params.waver**2)
    return Trend(at=estimate.at, begun_at=trend.begun_at, mean=mean, cov=cov, softened=params.soften)


def _moved(trend: Trend, gap: float, var_error: float, params: TrendParams) -> tuple[Three, tuple[Three, Three, Three]]:
    """Return mean and covariance after so many minutes in which nothing was seen."""
    keep, recall = math.exp(-gap / params.lasts_min), math.exp(-gap / params.error_lasts_min)
    (level, growth, error), ((ll, lg, le), (_, gg, ge), (_, _, ee)) = trend.mean, trend.cov
    new_ll = ll + 2 * gap * lg + gap**2 * gg + gap * params.stray**2
    new_lg, new_le = keep * (lg + gap * gg), recall * (le + gap * ge)
    new_gg, new_ge = keep**2 * gg + gap * params.bend**2, keep * recall * ge
    new_ee = recall**2 * ee + (1 - recall**2) * var_error
    mean = (level + gap * growth, keep * growth, recall * error)
    return mean, ((new_ll, new_lg, new_le), (new_lg, new_gg, new_ge), (new_le, new_ge, new_ee))


def _told(
    mean: Three, cov: tuple[Three, Three, Three], by: Three, value: float, noise: float
) -> tuple[Three, tuple[Three, Three, Three]]:
    """Return mean and covariance once a number is known: ``by`` times the mean, give or take its noise."""
    along = tuple(sum(a * b for a, b in zip(row, by, strict=True)) for row in cov)
    whole = sum(a * b for a, b in zip(along, by, strict=True)) + noise
    if whole <= 0:
        return mean, cov
    surprise = (value - sum(a * b for a, b in zip(mean, by, strict=True))) / whole
    moved = [m + a * surprise for m, a in zip(mean, along, strict=True)]
    narrowed = [[c - a * b / whole for c, b in zip(row, along, strict=True)] for row, a in zip(cov, along, strict=True)]
    first, second, third = narrowed
    return (
        (moved[0], moved[1], moved[2]),
        ((first[0], first[1], first[2]), (second[0], second[1], second[2]), (third[0], third[1], third[2])),
    )


def outlook(trend: Trend, ahead_min: Sequence[float], params: TrendParams | None = None) -> tuple[Outlook, ...]:
    r"""Return the people expected some minutes ahead: those there are, and their growth going on while it weakens.

    .. math:: N_{t+h} = e^\ell (1 + B_h b) - s \text{ where it fills, and } e^{\ell + B_h b} - s \text{ where it
        empties}, \quad \sigma_h^2 = P_{\ell\ell} + 2 B_h P_{\ell b} + B_h^2 P_{bb} + h q_\ell + \tfrac{h^3}{3} q_b,
        \quad B_h = T (1 - e^{-h/T})

    with what level and growth gain in variance a minute, :math:`q`: as many come each minute as now, and of those who
    are there the same part goes. Nothing is expected of a trend that has not been followed for ten minutes.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 12, 31, 10, tzinfo=UTC)
    >>> sure = ((1e-4, 0.0, 0.0), (0.0, 1e-6, 0.0), (0.0, 0.0, 0.0))
    >>> rising = Trend(
    ...     at=at, begun_at=at - timedelta(hours=1), mean=(math.log(1030.0), 0.02, 0.0), cov=sure, softened=30.0
    ... )
    >>> [round(one.occupancy) for one in outlook(rising, (0, 10, 20))]
    [1000, 1204, 1405]
    """
    params = params or TrendParams()
    if not trend.settled:
        return ()
    found = []
    for ahead in ahead_min:
        grown = growing(trend, ahead, params)
        softened = math.exp(trend.mean[0]) * (1 + grown.part)
        variance = trend.cov[0][0] + 2 * grown.shared + grown.variance
        expected = max(softened - trend.softened, 0.0)
        found.append(Outlook(ahead_s=60.0 * ahead, occupancy=expected, sd=softened * math.sqrt(max(variance, 0.0))))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """By which part of themselves the people of a trend grow until some minutes ahead, as the trend has it.

    ``variance`` is that of the growth, and ``shared`` its covariance with the present level; ``reach_min`` is the
    minutes for which the present growth would have to go on unweakened.
    """

    reach_min: float
    part: float
    variance: float
    shared: float


def growing(trend: Trend, ahead: float, params: TrendParams) -> Growing:
    """Return the growth of a trend over so many minutes."""
    (_, growth, _), ((_, lg, _), (_, gg, _), _) = trend.mean, trend.cov
    reach = params.lasts_min * (1 - math.exp(-ahead / params.lasts_min))
    return Growing(
        reach_min=reach,
        part=carried(growth, reach),
        variance=reach**2 * gg + ahead * params.stray**2 + ahead**3 / 3 * params.bend**2,
        shared=reach * lg,
    )


def carried(growth: float, minutes: float) -> float:
    """Return what a growth per minute comes to, as a part of those present: as many come each minute, the part goes.

    Examples
    --------
    >>> carried(0.01, 20.0), round(carried(-0.01, 20.0), 3)
    (0.2, -0.181)
    """
    return minutes * growth if growth > 0 else math.expm1(minutes * growth)
