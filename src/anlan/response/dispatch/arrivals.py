"""When units would be there, all of them at once: a time, an interval, and the chance of keeping a promise."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from anlan.kernel.geo import Floats
from anlan.response.travel import ArrivalFit
from anlan.response.travel.graph import Ints

OWN_SD_S = 10.0
"""What stays uncertain of the shortest way, s."""
OLDEST_S = 120.0
"""A position that is older than this is no less certain for it, s."""
LEVEL_Z = float(ndtri(0.95))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a unit would be there, from now, s. ``low_s``..``high_s`` holds the truth nine times of ten."""

    expected_s: float
    low_s: float
    high_s: float
    mu: float = field(repr=False)
    sigma: float = field(repr=False)
    fit: ArrivalFit | None = field(default=None, repr=False, compare=False)
    nominal_s: float | None = field(default=None, repr=False)
    """What streets and turn-out alone let expect, s; from this, arrivals are learned."""

    def probability_within(self, limit_s: float) -> float:
        """Return how likely the unit is there within a limit, s."""
        if limit_s <= 0:
            return 0.0
        z = (math.log(limit_s) - self.mu) / self.sigma
        return float(ndtr(z) if self.fit is None else self.fit.chance_below(z))


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Arrivals:
    """The same of every unit, as arrays (U,); NaN of whoever cannot get there.

    The logarithm of a time is ``mu`` plus ``sigma`` times an error: a standard normal one, or what ``fit`` learned of
    errors where the district has recorded enough arrivals.
    """

    expected_s: Floats
    low_s: Floats
    high_s: Floats
    mu: Floats
    sigma: Floats
    nominal_s: Floats
    fit: ArrivalFit | None = None

    def __len__(self) -> int:
        return len(self.mu)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Who can get there."""
        return np.isfinite(self.mu)

    def within(self, limit_s: float) -> Floats:
        """Return how likely each is there within a limit, s; NaN of whoever cannot get there."""
        if limit_s <= 0:
            return np.where(self.known, 0.0, np.nan)
        z = (math.log(limit_s) - self.mu) / self.sigma
        chance = ndtr(z) if self.fit is None else self.fit.chance_below(z)
        return np.where(self.known, chance, np.nan)

    def one(self, k: int) -> Arrival | None:
        """Return the arrival of one unit, None where it cannot get there."""
        if not math.isfinite(self.mu[k]):
            return None
        named = {
            name: float(getattr(self, name)[k])
            for name in ("expected_s", "low_s", "high_s", "mu", "sigma", "nominal_s")
        }
        return Arrival(fit=self.fit, **named)


def arrivals(turnout_s: Floats, travel_s: Floats, spread: Floats, age_s: Floats) -> Arrivals:
    r"""Return the arrivals of units that must turn out and travel, each argument of shape (U,).

    .. math:: T = o + t, \quad \sigma_T^2 = (o / 2)^2 + (s t)^2 + \sigma_0^2 + (\min(a, 120) / 3)^2

    with turn-out :math:`o`, travel :math:`t` (infinite where no way leads), its relative spread :math:`s`, what is
    always uncertain :math:`\sigma_0` (10 s) and the age :math:`a` of the position, all in s. T is taken as lognormal
    with that mean and deviation.

    References
    ----------
    S. Budge, A. Ingolfsson, D. Zerom (2010), "Empirical analysis of ambulance travel times: the case of Calgary
    emergency medical services", Management Science 56: the logarithm of a travel time is near symmetric. We take one
    relative spread for all distances, where theirs falls with distance.

    Examples
    --------
    >>> one = np.array
    >>> made = arrivals(one([30.0, 30.0]), one([120.0, np.inf]), one([0.3, 0.3]), np.zeros(2))
    >>> made.expected_s.round().tolist(), made.within(180).round(2).tolist()
    ([150.0, nan], [0.79, nan])
    >>> round(made.one(0).low_s), round(made.one(0).high_s), made.one(1)
    (94, 224, None)
    """
    mean = np.maximum(np.where(np.isfinite(travel_s), turnout_s + travel_s, np.nan), 1.0)
    age = np.minimum(np.maximum(age_s, 0.0), OLDEST_S) / 3
    way = np.where(np.isfinite(travel_s), travel_s, 0.0)
    variance = (turnout_s / 2) ** 2 + (spread * way) ** 2 + OWN_SD_S**2 + age**2
    sigma = np.sqrt(np.log1p(variance / mean**2))
    mu = np.log(mean) - sigma**2 / 2
    return Arrivals(
        expected_s=mean,
        low_s=np.exp(mu - LEVEL_Z * sigma),
        high_s=np.exp(mu + LEVEL_Z * sigma),
        mu=mu,
        sigma=sigma,
        nominal_s=mean,
    )


def arrival(turnout_s: float, travel_s: float, spread: float, age_s: float = 0.0) -> Arrival:
    """Return the arrival of one unit; see ``arrivals``.

    Examples
    --------
    >>> made = arrival(30, 120, 0.3)
    >>> round(made.expected_s), round(made.low_s), round(made.high_s), round(made.probability_within(180), 2)
    (150, 94, 224, 0.79)
    """
    parts = (np.array([float(value)]) for value in (turnout_s, travel_s, spread, age_s))
    made = arrivals(*parts).one(0)
    assert made is not None  # noqa: S101 - a finite way was given
    return made


def learned_arrivals(made: Arrivals, fit: ArrivalFit, hour: float, xy_m: tuple[float, float], kinds: Ints) -> Arrivals:
    """Return the same arrivals by what was learned of recorded ones; ``kinds`` (U,) are numbers among its origins."""
    known = np.flatnonzero(made.known)
    mu, sigma = np.full(len(made), np.nan), np.full(len(made), np.nan)
    mu[known], sigma[known] = fit.at(made.nominal_s[known], np.asarray(kinds, np.int64)[known], hour, xy_m)
    mean, low, high = (np.full(len(made), np.nan) for _ in range(3))
    mean[known], low[known], high[known] = fit.told(mu[known], sigma[known])
    return Arrivals(expected_s=mean, low_s=low, high_s=high, mu=mu, sigma=sigma, nominal_s=made.nominal_s, fit=fit)
