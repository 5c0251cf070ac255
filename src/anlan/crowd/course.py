"""The course that a place is expected to take: its trend, bent by what the hour is used to and by what is planned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anlan.crowd.trend import Growing, Outlook, Trend, TrendParams, carried, growing, outlook
from anlan.kernel.alerts import Basis

BACK_MIN = 15.0
"""How fast a course rises now is told over so many minutes: a trend is as far behind."""
TURNOUT_SD = 1 / 3
"""How far those who come are from those expected: a third. With the numbers of the year before, two planned nights were
told 28 % wrong an hour ahead (docs/how-it-works.md); a plan's own number is not better."""
STRAYS = 0.2
"""Part of those who were there before a plan began to bring people by which they may have changed since."""
SHY = 10.0
"""Persons by which any number of them may be off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Persons at minutes from now, straight between them. The minutes rise, and are as many as the persons."""

    minutes: tuple[float, ...]
    persons: tuple[float, ...]

    def at(self, minutes: float) -> float:
        """Return the persons so many minutes from now; before 0 is the past."""
        return float(np.interp(minutes, self.minutes, self.persons))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnout:
    """Which part of those who are planned to come does come, and its standard deviation."""

    part: float = 1.0
    sd: float = TURNOUT_SD


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is known of a place's next minutes beside its trend.

    ``usual`` is how many the hour is used to, and ``usual_sd`` tells by which part (a standard deviation) the growth
    that it foretells was wrong before, so many minutes ahead: pairs of both, the nearest first. ``planned`` is how many
    are planned to be there in addition, of whom ``turnout`` come; ``again`` tells that it is all who were there on an
    earlier occasion instead.
    """

    usual: Curve | None = None
    usual_sd: tuple[tuple[float, float], ...] = ()
    planned: Curve | None = None
    turnout: Turnout = Turnout()
    again: bool = False


def turnout(came: float, sd: float, due: float) -> Turnout:
    r"""Return which part of those planned comes, where ``came`` (give or take ``sd``) are there of ``due`` by now.

    .. math:: p = \frac{1/\sigma_0^2 + d\,c/s^2}{1/\sigma_0^2 + d^2/s^2}, \quad \sigma_p^{-2} = 1/\sigma_0^2 + d^2/s^2

    with those who came, :math:`c \pm s`, those due, :math:`d`, and :math:`\sigma_0` a third: all who are expected come,
    until it is seen how many do.

    Examples
    --------
    >>> turnout(0.0, 100.0, 0.0) == Turnout()
    True
    >>> nobody = turnout(came=0.0, sd=500.0, due=10_000.0)
    >>> round(nobody.part, 2), round(nobody.sd, 2)
    (0.02, 0.05)
    """
    known, told = 1 / TURNOUT_SD**2, (due / sd) ** 2
    part = (known + due * came / sd**2) / (known + told)
    return Turnout(part=max(part, 0.0), sd=1 / math.sqrt(known + told))


def bent(
    trend: Trend, course: Course, ahead_min: Sequence[float], params: TrendParams | None = None
) -> tuple[Outlook, ...]:
    r"""Return the people expected some minutes ahead by the trend of a place and the course that is expected of it.

    A trend takes the present growth :math:`g` to go on; a course tells the growth ahead :math:`c`, and its own growth
    now :math:`c_0`. So the trend is bent by :math:`\beta = c - c_0`, and its departure from the course,
    :math:`\delta = g - c_0`, is believed as far as it is surer than the usual:

    .. math:: N_{t+h} = N_t (1 + g + \beta - K\delta), \quad
        K = \frac{P_{\ell g} + G}{G + V}, \quad
        \sigma^2 = P_{\ell\ell} + 2 P_{\ell g} + G - \frac{(P_{\ell g} + G)^2}{G + V} + V_\beta

    all as parts of those present, with the trend's variance of the level :math:`P_{\ell\ell}`, that of its growth
    :math:`G`, and their covariance :math:`P_{\ell g}`. It is what follows from both telling the same growth,
    independently of each other; the error of the present number, which both share, stays whole. :math:`V` is the
    usual's variance, infinite where there is none, and at least :math:`\delta^2 - G`: a day that departs from the usual
    further than both explain is left to its trend. The bend is as unsure as the usual was wrong, at most wholly,
    and as the turnout of what is planned: :math:`V_\beta`. Where more than usual are present, no more come than usual;
    where fewer are, the same part fewer; and of those present the same part goes.

    Parameters
    ----------
    ahead_min : sequence of float
        Minutes ahead.

    Returns
    -------
    tuple of Outlook
        Empty before the trend has been followed for ten minutes.

    References
    ----------
    A. Gelb (ed.), *Applied Optimal Estimation*, 1974, section 4.2 (two tellings of one number).
    """
    params = params or TrendParams()
    if not trend.settled or (course.usual is None and course.planned is None):
        return outlook(trend, ahead_min, params)
    return tuple(_look(trend, course, ahead, growing(trend, ahead, params)) for ahead in ahead_min)


def _look(trend: Trend, course: Course, ahead: float, grown: Growing) -> Outlook:
    softened = math.exp(trend.mean[0])
    bend, slope, sure, variance, rests_on = 0.0, 0.0, math.inf, 0.0, [Basis.TREND]
    if course.usual is not None:
        then, slope = _usual(course.usual, ahead, grown.reach_min, trend.people, softened)
        bend = then - slope
        sure = _variance(course.usual_sd, ahead)
        variance = min(sure, bend**2)
        rests_on.append(Basis.USUAL)
    if course.planned is not None:
        more, rising = _planned(course.planned, ahead, grown.reach_min)
        part, doubt = course.turnout.part / softened, course.turnout.sd / softened
        bend += part * (more - rising)
        slope += part * rising
        sure += (doubt * rising) ** 2
        variance += (doubt * (more - rising)) ** 2
        if abs(part * more) * softened > SHY:
            rests_on.append(Basis.PLAN)
    apart = grown.part - slope
    gain = 0.0
    if math.isfinite(sure):
        sure = max(sure, apart**2 - grown.variance, 1e-12)
        gain = (grown.shared + grown.variance) / (grown.variance + sure)
    whole = max(softened * (1 + grown.part + bend - gain * apart), 0.0)
    spread = (
        trend.cov[0][0] + 2 * grown.shared + grown.variance - gain * (grown.shared + grown.variance)
        + variance / max(1 + grown.part + bend - gain * apart, 0.1) ** 2
    )  # fmt: skip
    return Outlook(
        ahead_s=60.0 * ahead,
        occupancy=max(whole - trend.softened, 0.0),
        sd=whole * math.sqrt(max(spread, 0.0)),
        rests_on=tuple(rests_on),
    )


def _usual(usual: Curve, ahead: float, reach: float, people: float, softened: float) -> tuple[float, float]:
    """Return by which part those present grow until then as is usual, and by which if it went on as usual now."""
    before, now, then = usual.at(-BACK_MIN), usual.at(0.0), usual.at(ahead)
    here = min(people / max(now, SHY), 1.0) / softened  # what one more of the usual people is of those present
    grows = here * (then - now) if then > now else (then + SHY) / (now + SHY) - 1
    per_min = here * (now - before) if now > before else math.log((now + SHY) / (before + SHY))
    return grows, carried(per_min / BACK_MIN, reach)


def _planned(planned: Curve, ahead: float, reach: float) -> tuple[float, float]:
    """Return how many more are planned to be there then, and how many if they went on coming, or going, as now."""
    now = planned.at(0.0)
    return planned.at(ahead) - now, (now - planned.at(-BACK_MIN)) / BACK_MIN * reach


def _variance(known: Sequence[tuple[float, float]], ahead: float) -> float:
    """Return the variance of the usual's growth so many minutes ahead: straight between what is known, 0 for now."""
    minutes, sds = zip(*known, strict=True)
    return float(np.interp(ahead, (0.0, *minutes), (0.0, *(sd**2 for sd in sds))))
