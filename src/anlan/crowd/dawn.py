"""Closed places before their first night, and what nights tell: how few were inside, which way gates miss more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.crowd.balance import Balance, Told
from anlan.crowd.kalman import crossed
from anlan.crowd.layout import Layout
from anlan.crowd.rows import cordon_slopes
from anlan.crowd.sources import Cordons
from anlan.crowd.state import Moment

Floats = npt.NDArray[np.float64]

NIGHT_PERSONS, NIGHT_SHARE = 10.0, 0.0005
"""Who is in a closed place when fewest are: so many, and such a part of those who came since the night before."""
MISSED = 0.14
"""Variance by which the balance of a gate strays, as a part of its crossings: what it misses by chance, and that people
come by one gate and go by another that misses more."""
WATCHED_S = 4 * 3600.0
"""For how long before dawn gates must have counted, to tell the lowest of a night."""
STRAYS = 0.002
"""By how much the asymmetry of a cordon changes from one day to the next."""
SURE_AFTER = 2
"""Nights after which the gates alone tell who is inside: the first tells the offset, the second the asymmetry."""


@dataclass(frozen=True, eq=False)
class Inside:
    """Who was inside closed places that no night has told of, as the estimate had it: (m,) of them.

    ``number`` (m,) is of their offsets in the vector, ``offset`` (m,) thousands of persons, ``crossed`` (m, d) and
    ``own`` (m, m) their covariance with the vector and among each other.
    """

    number: npt.NDArray[np.int64]
    offset: Floats
    crossed: Floats
    own: Floats

    def put(self, mean: Floats, covariance: Floats, keep: Floats) -> None:
        """Write it into a mean and a covariance (lower) that are ``keep`` (d,) of what they were, and wider."""
        mean[self.number] = self.offset
        for number, row in zip(self.number, self.crossed * keep, strict=True):
            covariance[number, :number], covariance[number:, number] = row[:number], row[number:]
        first, second = np.tril_indices(len(self.number))
        covariance[self.number[first], self.number[second]] = self.own[first, second]


def inside_by_estimate(layout: Layout, cordons: Cordons, told: Told, moment: Moment, persons: Floats) -> Inside | None:
    r"""Return the offsets of closed places that no night has told of: those inside by the estimate, less the balance.

    .. math:: o = \max\bigl(\sum_c w_c x_c - \delta F - \kappa D - B,\ 0\bigr)

    with its covariance, linear about the present guess: fewer than nobody were not inside before. Their gates tell who
    came and went since the last minute and nothing about how many there are, which all other sources tell. Were the
    offset a number of the filter by itself, each minute's balance, laid about another guess, would seem to tell a
    little of it, and within minutes a place that is counted from the afternoon on would be sure of the first guess: the
    false certainty of a linearised filter about what cannot be observed.

    Parameters
    ----------
    layout : Layout
    cordons : Cordons
    told : Told
        What the balance of the moment says.
    moment : Moment
    persons : float64, shape (n,)
        By cell, as the moment has it; only those in closed places are read.

    References
    ----------
    G. Huang, A. Mourikis, S. Roumeliotis, *Observability-based Rules for Designing Consistent EKF SLAM Estimators*,
    2010 (why it goes wrong; the remedy here is simpler, as the offset follows from the rest).
    """
    untold = np.flatnonzero(told.untold)
    if not len(untold):
        return None
    net, through, crowded = (part[untold] / 1000 for part in (told.net, told.through, told.crowded))
    rows = cordon_slopes(layout, cordons.weights[untold], untold, through, crowded, persons)
    missed = through * moment.mean[layout.asymmetry.start + untold] + crowded * moment.mean[layout.crowding]
    total = np.asarray(cordons.weights[untold] @ persons).ravel() / 1000
    spread = crossed(rows, moment.covariance)
    return Inside(
        number=layout.offset.start + untold,
        offset=np.maximum(total - net - missed, 0.0),
        crossed=spread,
        own=np.asarray(rows @ spread.T),
    )


def dawned(
    layout: Layout, balance: Balance, mean: Floats, covariance: Floats, now_s: float, belief: float
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    r"""Return the mean with what the night told of cordons that were watched; the covariance (lower) is written into.

    .. math:: B_{min} + o + \delta F_{min} + \kappa D_{min} = n \pm n, \quad n = n_0 + \epsilon F_{min}

    with the lowest balance of the night :math:`B_{min}` and the through-flow :math:`F_{min}` since the last one: of all
    who came, hardly any were still there. Whenever that lowest was, the place is not assumed to close at an hour. The
    balance has to begin anew from there (see :func:`anlan.crowd.balance.begun_anew`), with offset
    :math:`B_{min} + o + \delta F_{min}`, so that a month of crossings is no lever for a change of :math:`\delta`.

    The first night sets the offset, the second tells :math:`\delta` by what the day between seems to have left inside;
    what was guessed before from the surroundings is dropped. A night that surprises by more than ``belief`` standard
    deviations makes an offset that was held certain give way.

    Parameters
    ----------
    layout : Layout
    balance : Balance
    mean : float64, shape (d,)
    covariance : float64, shape (d, d)
    now_s : float
        Seconds since 1970.
    belief : float

    Returns
    -------
    mean : float64, shape (d,)
    watched : bool, shape (n_cordons,)
    """
    mean, dawns = mean.copy(), balance.dawns
    watched = np.isfinite(balance.least) & (now_s - balance.begin_s >= WATCHED_S)
    for k in np.flatnonzero(watched):
        o, delta = layout.offset.start + k, layout.asymmetry.start + k
        missed = float(mean[layout.crowding.start]) * balance.least_crowded[k]
        net, through = (balance.least[k] + missed) / 1000, balance.least_through[k] / 1000
        few = NIGHT_PERSONS / 1000 + NIGHT_SHARE * through
        guess, spread = mean[[o, delta]], covariance[[[o, delta], [delta, delta]], [[o, o], [o, delta]]]
        if dawns[k] < SURE_AFTER:
            guess, spread = np.array([few, 0.0]), np.diag([few**2, layout.stationary[delta, delta]])
            spread[0, 0] += (2 * MISSED * through / 1000 + balance.least_var[k] / 1e6) * (dawns[k] > 0)
        moved = np.array([[1.0, through], [0.0, 1.0]])
        if dawns[k] > 0:
            guess, spread = moved @ guess + [net, 0.0], moved @ spread @ moved.T
            surprise = few - guess[0]
            spread[0, 0] += max(surprise**2 - belief**2 * (spread[0, 0] + few**2), 0.0)
            gain = spread[:, 0] / (spread[0, 0] + few**2)
            guess, spread = guess + gain * surprise, spread - np.outer(gain, spread[0])
        spread[1, 1] = min(spread[1, 1] + STRAYS**2, layout.stationary[delta, delta])
        for number in (o, delta):
            covariance[number, :number], covariance[number:, number] = 0.0, 0.0
        mean[[o, delta]] = guess
        covariance[[o, delta, delta], [o, o, delta]] = spread[[0, 1, 1], [0, 0, 1]]
    return mean, watched


def told_by_nights(layout: Layout, balance: Balance) -> npt.NDArray[np.int64]:
    """Return which numbers of the vector nothing else may move: what nights have told, and what full gates miss more.

    What surrounds a closed place says too little of it, and says the same every minute: hours of one wrong guess would
    pass for as many different ones, and outweigh a night.
    """
    sure = np.flatnonzero(balance.dawns >= SURE_AFTER)
    full = np.arange(layout.crowding.start, layout.crowding.stop)
    return np.concatenate([layout.offset.start + sure, layout.asymmetry.start + sure, full])
