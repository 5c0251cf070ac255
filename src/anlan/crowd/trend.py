"""The next half hour of a place, from its estimate and how it has been changing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from anlan.kernel.records import Estimate

LONGEST_GAP_MIN = 15.0
"""After so long without an estimate a trend begins anew."""
SETTLES_MIN = 10.0
"""Before a trend has been followed for so long its slope is mostly the finding of its feet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """People expected in a place ``ahead_s`` seconds from now, and the standard deviation of that."""

    ahead_s: float
    occupancy: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendParams:
    """How a trend is followed. Times in minutes, spreads as parts of the people present.

    ``jitter`` is by how much the estimate of one minute jumps about its course, ``stray`` by how much that course
    strays from its slope in a minute (the estimate's own error wanders), ``bend`` by how much the slope may change in a
    minute (per minute), ``lasts_min`` how long a slope lasts before it is e times weaker; ``waver`` by how much what
    comes and goes in a few minutes stands about the slope.
    """

    jitter: float = 0.008
    stray: float = 0.015
    bend: float = 0.0008
    slope: float = 0.01
    lasts_min: float = 180.0
    waver: float = 0.003
    least: float = 30.0
    """Persons at least that spreads are parts of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Level (persons) and slope (persons per minute) of a place, with their covariance."""

    at: datetime
    begun_at: datetime
    level: float
    slope: float
    var_level: float
    cov: float
    var_slope: float


def followed(
    trend: Trend | None,
    estimate: Estimate,
    params: TrendParams | None = None,
    gained: tuple[float, float] | None = None,
) -> Trend:
    r"""Return the trend with one more estimate: a local linear trend, followed by a Kalman filter.

    .. math:: \ell_t = \ell_{t-1} + \Delta\, b_{t-1}, \quad b_t = \phi^\Delta b_{t-1} + \epsilon, \quad
        \hat N_t = \ell_t + \eta

    with level :math:`\ell`, slope :math:`b` persons per minute, :math:`\phi = e^{-1/T}`, and the estimate
    :math:`\hat N`. The estimate's own error is nearly the same from minute to minute, so it does not blur the slope;
    it comes back in :func:`outlook`.

    Parameters
    ----------
    trend : Trend, optional
        None before the first estimate.
    estimate : Estimate
        Known: its occupancy is a number.
    params : TrendParams, optional
    gained : (float, float), optional
        What gates say that the place gains, persons per minute, and the standard deviation of that: the slope itself,
        without the wandering of the estimate.

    References
    ----------
    A. C. Harvey, *Forecasting, Structural Time Series Models and the Kalman Filter*, 1989, section 2.3 (local linear
    trend); E. S. Gardner, E. McKenzie, *Forecasting Trends in Time Series*, 1985 (damped trend).

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> begin, trend = datetime(2026, 12, 31, 10, tzinfo=UTC), None
    >>> for k in range(90):
    ...     at = begin + timedelta(minutes=k)
    ...     trend = followed(trend, Estimate(at=at, walkable_m2=1e4, occupancy=1000.0 + 50 * k, sd=100.0))
    >>> 35 < trend.slope < 50
    True
    """
    params = params or TrendParams()
    value = estimate.occupancy
    assert value is not None  # noqa: S101 - only a known estimate is followed
    size = max(value, params.least)
    noise = (params.jitter * size) ** 2
    gap = 0.0 if trend is None else (estimate.at - trend.at).total_seconds() / 60
    if trend is None or gap <= 0 or gap > LONGEST_GAP_MIN:
        return Trend(
            at=estimate.at,
            begun_at=estimate.at,
            level=value,
            slope=0.0,
            var_level=noise,
            cov=0.0,
            var_slope=(params.slope * size) ** 2,
        )
    keep = math.exp(-gap / params.lasts_min)
    level = trend.level + gap * trend.slope
    var_level = trend.var_level + 2 * gap * trend.cov + gap**2 * trend.var_slope + gap * (params.stray * size) ** 2
    cov = keep * (trend.cov + gap * trend.var_slope)
    var_slope = keep**2 * trend.var_slope + gap * (params.bend * size) ** 2
    gain_level, gain_slope = var_level / (var_level + noise), cov / (var_level + noise)
    surprise = value - level
    made = Trend(
        at=estimate.at,
        begun_at=trend.begun_at,
        level=level + gain_level * surprise,
        slope=keep * trend.slope + gain_slope * surprise,
        var_level=(1 - gain_level) * var_level,
        cov=(1 - gain_level) * cov,
        var_slope=var_slope - gain_slope * cov,
    )
    return made if gained is None else _gaining(made, *gained, waver=params.waver * size)


def _gaining(trend: Trend, per_min: float, sd: float, waver: float) -> Trend:
    """Return the trend after its slope was counted."""
    noise = sd**2 + waver**2
    gain_level, gain_slope = trend.cov / (trend.var_slope + noise), trend.var_slope / (trend.var_slope + noise)
    surprise = per_min - trend.slope
    return replace(
        trend,
        level=trend.level + gain_level * surprise,
        slope=trend.slope + gain_slope * surprise,
        var_level=trend.var_level - gain_level * trend.cov,
        cov=(1 - gain_slope) * trend.cov,
        var_slope=(1 - gain_slope) * trend.var_slope,
    )


def outlook(
    trend: Trend, estimate: Estimate, ahead_min: Sequence[float], params: TrendParams | None = None
) -> tuple[Outlook, ...]:
    r"""Return the people expected some minutes ahead: the estimate, and its slope going on while it weakens.

    .. math:: N_{t+h} = \hat N_t + B_h b, \quad
        \sigma_h^2 = (\sigma N_{t+h} / \hat N_t)^2 + B_h^2 \sigma_b^2 + \tfrac{h^3}{3} q,
        \quad B_h = T (1 - e^{-h/T})

    with the slope's variance :math:`\sigma_b^2` and what it gains in a minute :math:`q`. Nothing is expected of a trend
    that has not been followed for ten minutes.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 12, 31, 10, tzinfo=UTC)
    >>> now = Estimate(at=at, walkable_m2=1e4, occupancy=1000.0, sd=100.0)
    >>> begun_at = at - timedelta(hours=1)
    >>> rising = Trend(
    ...     at=at, begun_at=begun_at, level=1000.0, slope=50.0, var_level=1.0, cov=0.0, var_slope=25.0
    ... )
    >>> [round(one.occupancy) for one in outlook(rising, now, (0, 10, 20))]
    [1000, 1486, 1946]
    """
    params = params or TrendParams()
    if (trend.at - trend.begun_at).total_seconds() < 60 * SETTLES_MIN:
        return ()
    present, sd = max(estimate.occupancy or 0.0, 0.0), estimate.sd or 0.0
    bend = (params.bend * max(present, params.least)) ** 2
    found = []
    for ahead in ahead_min:
        reach = params.lasts_min * (1 - math.exp(-ahead / params.lasts_min))
        expected = max(present + reach * trend.slope, 0.0)
        grown = sd * expected / max(present, 1.0)
        spread = math.sqrt(grown**2 + reach**2 * trend.var_slope + ahead**3 / 3 * bend)
        found.append(Outlook(ahead_s=60.0 * ahead, occupancy=expected, sd=spread))
    return tuple(found)
