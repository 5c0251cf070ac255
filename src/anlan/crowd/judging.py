"""Numbers against a ladder: the probability that each limit is exceeded, now and in the minutes ahead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from anlan.crowd.lines import Flow
from anlan.crowd.trend import Outlook
from anlan.kernel.alerts import Grounds
from anlan.kernel.ladders import Also, Ladder, Measure, Rung
from anlan.kernel.records import HIDDEN_PERSONS, HIDDEN_SD, Estimate, Place

GROWING = 1.03
"""By how much more people must be expected for it to be an expectation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One rung of one ladder: the grounds now, and those of the first moment ahead at which they would do, if any."""

    rung: Rung
    now: Grounds
    ahead: Grounds | None = None
    met_ahead: bool = False
    """Whether some moment ahead does."""
    holds_ahead: bool = False
    """Whether some moment ahead is not clearly below, more people expected then or not: on it an expectation stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The rungs that a subject's numbers reach (``up``), and those that they have not clearly left (``hold``)."""

    up: Rung
    hold: Rung
    ahead_up: Rung
    ahead_hold: Rung
    judged: tuple[Judged, ...]

    def grounds(self, rung: Rung, *, reached: bool) -> Grounds | None:
        """Return the grounds of a rung: of the rule that speaks for it most."""
        every = [one.now if reached else (one.ahead or one.now) for one in self.judged if one.rung is rung]
        return max(every, key=lambda one: one.probability, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """Probabilities at which a limit counts as exceeded (``rise``), and as clearly left (``fall``); ahead, too.

    ``ahead`` gives minutes and the probability that is asked for so far ahead, nearest first. The sooner, the less: who
    is told in vain looks at a screen, who is told late stands in a crowd. Ahead, half of it counts as not left,
    ``fall_ahead`` at most.

    Examples
    --------
    >>> odds = Odds()
    >>> [round(odds.rise_ahead(60.0 * ahead), 2) for ahead in (5, 15, 18, 20, 30)]
    [0.2, 0.2, 0.26, 0.3, 0.3]
    """

    rise: float = 0.4
    fall: float = 0.2
    ahead: tuple[tuple[float, float], ...] = ((15.0, 0.2), (20.0, 0.3))
    fall_ahead: float = 0.1

    def rise_ahead(self, ahead_s: float) -> float:
        """Return the probability that is asked for so many seconds ahead, on straight lines between those given."""
        minutes = ahead_s / 60
        if minutes <= self.ahead[0][0]:
            return self.ahead[0][1]
        for (begin, low), (end, high) in pairwise(self.ahead):
            if minutes <= end:
                return low + (high - low) * (minutes - begin) / (end - begin)
        return self.ahead[-1][1]

    def holds(self, ahead_s: float, probability: float) -> bool:
        """Tell whether an expectation so many seconds ahead still stands."""
        return probability >= min(self.fall_ahead, self.rise_ahead(ahead_s) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """People in minus people out per second and its standard deviation; and the flow that it is of, where counted."""

    per_s: float
    sd: float
    flow: Flow | None = None


def exceeds(limit: float, mean: float, sd: float) -> float:
    r"""Return the probability that a positive number of that mean and standard deviation is above a limit.

    .. math:: P(X > L) = \Phi\left(\frac{\ln m - s^2/2 - \ln L}{s}\right), \quad s^2 = \ln(1 + \sigma^2 / m^2)

    Lognormal, as the interval of an estimate is.

    Examples
    --------
    >>> round(exceeds(1000.0, 1000.0, 50.0), 2), round(exceeds(1100.0, 1000.0, 50.0), 3)
    (0.49, 0.027)
    >>> exceeds(10.0, 0.0, 0.0)
    0.0
    """
    if mean <= 0 or limit <= 0:
        return 0.0 if limit > 0 else 1.0
    s = math.sqrt(math.log1p((sd / mean) ** 2))
    if s < 1e-9:
        return float(mean > limit)
    return _normal((math.log(mean / limit) - s * s / 2) / s)


def above(limit: float, mean: float, sd: float) -> float:
    """Return the probability that a number of either sign, normal about its mean, is above a limit.

    Examples
    --------
    >>> round(above(1.5, 1.5, 0.4), 2), round(above(1.5, 2.3, 0.4), 2)
    (0.5, 0.98)
    """
    return _normal((mean - limit) / max(sd, 1e-9))


def _normal(z: float) -> float:
    """Return the normal distribution's probability of less than z."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def judge_place(
    place: Place,
    ladders: Iterable[Ladder],
    estimate: Estimate,
    net: Gain | None,
    outlooks: Sequence[Outlook],
    odds: Odds,
) -> Verdict:
    r"""Return which rungs of its ladders a place has reached, and will.

    A limit of density :math:`L` is one of :math:`L A` people on the walkable area :math:`A`, a share one of
    :math:`L C` for the capacity :math:`C`. With a second condition, both must hold: :math:`P = P_1 P_2`.

    Parameters
    ----------
    estimate : Estimate
        Known.
    net : Gain, optional
        None where nothing tells it.
    outlooks : sequence of Outlook
        The same place some minutes ahead, nearest first.
    """
    mean, sd = persons(estimate)
    judged = []
    for ladder in ladders:
        if ladder.measure is Measure.NET_INFLOW:
            judged += _by_net(ladder, estimate, net)
            continue
        per, second = _persons_per_unit(ladder.measure, place, estimate), _second(ladder, net)
        if per is None or second is None:
            continue
        also, other = second
        for rung, limit in ladder.given:
            now = Grounds(
                measure=ladder.measure, limit=limit, value=mean / per, sd=sd / per,
                probability=exceeds(limit * per, mean, sd) * also, source=ladder.source, occupancy=mean,
                net_inflow=None if net is None else net.per_s, also=ladder.also, above=ladder.above, other=other,
            )  # fmt: skip
            chances = [exceeds(limit * per, look.occupancy, look.sd) * also for look in outlooks]
            looks = list(zip(outlooks, chances, strict=True))
            ahead = _ahead(now, per, looks, odds)
            judged.append(
                Judged(
                    rung=rung, now=now, ahead=ahead,
                    met_ahead=ahead is not None and ahead.probability >= odds.rise_ahead(ahead.ahead_s),
                    holds_ahead=any(odds.holds(look.ahead_s, p) for look, p in looks),
                )
            )  # fmt: skip
    return _verdict(judged, odds)


def judge_line(ladders: Iterable[Ladder], flow: Flow, odds: Odds) -> Verdict:
    """Return which rungs of its ladders the flow over a line has reached. Nothing is foretold of a line."""
    judged = []
    net = Gain(per_s=flow.net_per_s, sd=flow.sd_per_s, flow=flow) if flow.directed else None
    for ladder in ladders:
        by_flow, second = ladder.measure is Measure.SPECIFIC_FLOW, _second(ladder, net)
        if second is None or (net is None and not by_flow):
            continue
        value = flow.specific if by_flow else abs(flow.net_per_s)
        sd = flow.sd_per_s / (flow.width_m if by_flow else 1.0)
        also, other = second
        for rung, limit in ladder.given:
            now = Grounds(
                measure=ladder.measure, limit=limit, value=value, sd=sd, probability=above(limit, value, sd) * also,
                source=ladder.source, net_inflow=flow.net_per_s if flow.directed else None, also=ladder.also,
                above=ladder.above, other=other,
            )  # fmt: skip
            judged.append(Judged(rung=rung, now=now))
    return _verdict(judged, odds)


def persons(estimate: Estimate) -> tuple[float, float]:
    """Return mean and standard deviation of a known estimate; under ten people it is five, give or take three."""
    if estimate.occupancy is None:
        return HIDDEN_PERSONS, HIDDEN_SD
    return estimate.occupancy, estimate.sd if estimate.sd is not None and math.isfinite(estimate.sd) else 0.0


def _persons_per_unit(measure: Measure, place: Place, estimate: Estimate) -> float | None:
    """Return how many people one unit of the measure is; None where it is not told by people present."""
    if measure is Measure.DENSITY:
        return estimate.walkable_m2
    if measure is Measure.SHARE and place.capacity:
        return float(place.capacity)
    return None


def _by_net(ladder: Ladder, estimate: Estimate, net: Gain | None) -> list[Judged]:
    """Judge what a place gains; nothing is judged where nothing tells it."""
    second = _second(ladder, net)
    if net is None or second is None:
        return []
    also, other = second
    return [
        Judged(
            rung=rung,
            now=Grounds(
                measure=ladder.measure, limit=limit, value=net.per_s, sd=net.sd,
                probability=above(limit, net.per_s, net.sd) * also, source=ladder.source,
                occupancy=estimate.occupancy, net_inflow=net.per_s, also=ladder.also, above=ladder.above, other=other,
            ),
        )
        for rung, limit in ladder.given
    ]  # fmt: skip


def _second(ladder: Ladder, net: Gain | None) -> tuple[float, float | None] | None:
    r"""Return the probability of the second condition, and its number; None where nothing tells it.

    Where there is none it is certain. That :math:`r` come in for each who goes out is judged as
    :math:`n_{in} - r\, n_{out} > 0`, which is as sure as both counts are, :math:`\sigma^2 = n_{in} + r^2 n_{out}`.
    """
    if ladder.also is None:
        return 1.0, None
    if net is None or ladder.above is None:
        return None
    if ladder.also is Also.FILLING:
        return above(ladder.above, net.per_s, net.sd), net.per_s
    flow, limit = net.flow, ladder.above
    if flow is None or not flow.directed or flow.n == 0:
        return None
    if ladder.also is Also.COUNTERFLOW:
        share = flow.weaker_share or 0.0
        return above(limit, share, math.sqrt(max(share * (1 - share), 0.01) / flow.n)), share
    part = flow.in_per_s / (flow.in_per_s + flow.out_per_s)
    n_in, n_out = flow.n * part, flow.n * (1 - part)
    return above(0.0, n_in - limit * n_out, math.sqrt(n_in + limit**2 * n_out + 1)), flow.in_per_out


def _ahead(now: Grounds, per: float, looks: Sequence[tuple[Outlook, float]], odds: Odds) -> Grounds | None:
    """Return the grounds of the first moment ahead at which the limit is exceeded, else of the likeliest one.

    Only where more people are expected than there are: that an unsure number may be above the limit is said of now.
    """
    growing = [(look, p) for look, p in looks if look.occupancy >= GROWING * (now.occupancy or 0.0)]
    if not growing:
        return None
    first = next((one for one in growing if one[1] >= odds.rise_ahead(one[0].ahead_s)), None)
    look, probability = first or max(growing, key=lambda one: one[1])
    return replace(
        now, value=look.occupancy / per, sd=look.sd / per, probability=probability, ahead_s=look.ahead_s,
        rests_on=look.rests_on,
    )  # fmt: skip


def _verdict(judged: Sequence[Judged], odds: Odds) -> Verdict:
    def highest(probabilities: Iterable[tuple[Rung, float]], least: float) -> Rung:
        return max((rung for rung, p in probabilities if p >= least), default=Rung.CALM)

    now = [(one.rung, one.now.probability) for one in judged]
    return Verdict(
        up=highest(now, odds.rise),
        hold=highest(now, odds.fall),
        ahead_up=max((one.rung for one in judged if one.met_ahead), default=Rung.CALM),
        ahead_hold=max((one.rung for one in judged if one.holds_ahead), default=Rung.CALM),
        judged=tuple(judged),
    )
