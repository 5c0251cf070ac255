"""Whether a number of incidents has changed, and how sure that is: two counts, and the rest of the district beside."""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy  # statistics by the first who asks (response/measures.py)
from scipy.special import betaincinv

from anlan.kernel.errors import BadInput

LEVEL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio with the interval that holds the truth with probability ``LEVEL``; ``high`` is None where it is open."""

    value: float | None
    """None where nothing was counted before."""
    low: float
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Counts of a place before and after, over their days, and the ratio of their rates.

    ``elsewhere`` are the counts of the rest of the district; ``against`` is the ratio beyond what happened there.
    ``verdict`` is ``fell`` or ``rose`` where the interval of the last of the two excludes one, else ``not_told_apart``.
    """

    n_before: int
    n_after: int
    days_before: float
    days_after: float
    ratio: Ratio
    elsewhere: tuple[int, int] | None
    against: Ratio | None
    verdict: str


def change_between(
    counts: tuple[int, int], days: tuple[float, float], *, elsewhere: tuple[int, int] | None = None
) -> Change:
    """Compare two counts of incidents.

    Given their sum, the later of two Poisson counts is binomial, which gives the ratio of rates an exact interval
    (Clopper and Pearson). Beside the rest of the district, whose season and reporting are the same, the four counts are
    a table whose odds ratio has Fisher's exact interval. A place is chosen because its number is high, so that some of
    its fall would have come by itself: no interval tells that apart.

    Parameters
    ----------
    counts, days : tuple
        Before and after; days > 0.
    elsewhere : tuple, optional
        The counts of everywhere else over the same days.

    Raises
    ------
    BadInput
        If a count is below zero, or days are not above it.

    References
    ----------
    Clopper and Pearson 1934, Biometrika 26(4); Fisher 1935, J. R. Stat. Soc. 98(1); Hauer 1997, Observational
    Before-After Studies in Road Safety.

    Examples
    --------
    >>> made = change_between((40, 18), (90, 90), elsewhere=(900, 880))
    >>> made.verdict, round(made.ratio.value, 2), round(made.ratio.low, 2), round(made.ratio.high, 2)
    ('fell', 0.45, 0.27, 0.74)
    """
    if min(*counts, *(elsewhere or (0, 0))) < 0 or min(days) <= 0:
        raise BadInput(f"counts {counts} in {days} days", "must be >= 0 in days > 0", "correct them")
    ratio = _ratio(counts, days)
    against = None
    if elsewhere is not None and min(elsewhere) > 0:
        against = _against(counts, elsewhere)
    last = against or ratio
    verdict = "not_told_apart"
    if last.high is not None and last.high < 1:
        verdict = "fell"
    elif last.low > 1:
        verdict = "rose"
    return Change(
        n_before=counts[0], n_after=counts[1], days_before=days[0], days_after=days[1], ratio=ratio,
        elsewhere=elsewhere, against=against, verdict=verdict,
    )  # fmt: skip


def _ratio(counts: tuple[int, int], days: tuple[float, float]) -> Ratio:
    before, after = counts
    scale = days[0] / days[1]
    tail, n = (1 - LEVEL) / 2, before + after
    low = float(betaincinv(after, before + 1, tail)) if after else 0.0
    high = float(betaincinv(after + 1, before, 1 - tail)) if before else 1.0
    return Ratio(
        value=scale * after / before if before else None,
        low=scale * low / (1 - low) if n else 0.0,
        high=scale * high / (1 - high) if high < 1 else None,
    )


def _against(counts: tuple[int, int], elsewhere: tuple[int, int]) -> Ratio:
    if sum(counts) == 0:
        return Ratio(value=None, low=0.0, high=None)
    made = scipy.stats.contingency.odds_ratio([[counts[1], counts[0]], [elsewhere[1], elsewhere[0]]])
    found = made.confidence_interval(confidence_level=LEVEL)
    value, high = float(made.statistic), float(found.high)
    return Ratio(
        value=value if math.isfinite(value) else None, low=float(found.low), high=high if math.isfinite(high) else None
    )
