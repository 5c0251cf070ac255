"""Expected cover: how likely it is that somebody free is in reach, what a unit takes with it, and where one is missed.

The same sums serve a plan, the simulator and live dispatch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.cover import kernel

Ints = npt.NDArray[np.int64]
_DEEPEST = 1024
"""No row is counted to be in reach of more idle units than this."""


def checked_busy(busy: float) -> float:
    """Return a busy fraction.

    Raises
    ------
    BadInput
        If it is not in 0..1, below 1.
    """
    if not 0 <= busy < 1:
        raise BadInput(f"busy={busy}", "must be in 0..1, below 1", "give the share of time a unit is busy")
    return float(busy)


def offered_busy(per_hour: float, mean_busy_s: float, n_units: int) -> float:
    r"""Return the busy fraction :math:`q = \lambda \tau / n` of equal units that lose nobody.

    Parameters
    ----------
    per_hour : float
        Incidents an hour, times the units each needs.
    mean_busy_s : float
        From being sent to being free again, s.
    n_units : int

    Returns
    -------
    float
        May be 1 or more: then the queue grows without end.

    Raises
    ------
    BadInput
        If there is no unit, or a rate or time is negative.

    Examples
    --------
    >>> offered_busy(per_hour=8, mean_busy_s=900, n_units=5)
    0.4
    """
    if n_units < 1 or not (per_hour >= 0 and mean_busy_s >= 0):
        raise BadInput(
            f"per_hour={per_hour}, mean_busy_s={mean_busy_s}, n_units={n_units}",
            "must be >= 0 per hour, >= 0 s and at least one unit",
            "correct it",
        )
    return per_hour * mean_busy_s / 3600 / n_units


@dataclass(frozen=True, eq=False, kw_only=True)
class ExpectedCover:
    r"""Which points each site reaches in time, with the weight of the points and the busy fraction of units.

    A point that :math:`k` idle units reach is covered with probability :math:`1 - q^k`, each unit being taken by
    somebody else with probability q independently. Make it with :meth:`of`. Sites are wherever units are or may be:
    posts, or for live dispatch the units' own places, one row each.

    Parameters
    ----------
    weight : array of shape (R,)
        Incidents expected at each row; points that the same sites reach are one row.
    number : array of shape (D,)
        Row of every point; -1 where no site reaches it.
    first, row : arrays
        The rows that site j reaches: ``row[first[j]:first[j + 1]]``.
    total : float
        Weight of all points, those out of reach included.
    busy : float
        q.

    References
    ----------
    M. S. Daskin (1983), "A maximum expected covering location model", eq. 1-5. C. J. Jagtenberg, S. Bhulai, R. D. van
    der Mei (2015), "An efficient heuristic for real-time ambulance redeployment", section 4: the same sum over idle
    units at their destinations.

    Examples
    --------
    Two posts; the middle point is in reach of both.

    >>> times = np.array([[0.0, 60.0, 120.0], [120.0, 60.0, 0.0]])
    >>> cover = ExpectedCover.of(times, np.array([1.0, 2.0, 1.0]), within_s=60, busy=0.4)
    >>> round(cover.share([0, 1]), 2)   # 0.6, 0.84 and 0.6
    0.72
    >>> cover.losses([0, 1]).round(2).tolist()   # what each would take with it
    [1.08, 1.08]
    """

    weight: Floats
    number: Ints
    first: Ints
    row: npt.NDArray[np.int32]
    total: float
    busy: float

    @classmethod
    def of(
        cls, times_s: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, within_s: float, busy: float
    ) -> ExpectedCover:
        """Return the cover of points by sites.

        Parameters
        ----------
        times_s : array of shape (S, D)
            Seconds from site to point, turn-out included where it is to count; infinite where no way leads.
        weight : array of shape (D,), optional
            Incidents expected at each point; ones where left out.
        within_s : float
            The promise, s.
        busy : float
            Busy fraction of units, 0..1.

        Raises
        ------
        BadInput
            If a shape, weight, time or the busy fraction is wrong.
        """
        times = np.asarray(times_s)
        checked_busy(busy)
        if times.ndim != 2 or times.shape[1] == 0 or np.isnan(times).any():
            raise BadInput(f"times_s of shape {times.shape}", "must be (sites, points) in s, without NaN", "correct it")
        given = np.ones(times.shape[1]) if weight is None else np.asarray(weight, float)
        if given.shape != times.shape[1:] or not ((given >= 0) & np.isfinite(given)).all():
            raise BadInput(f"weight of shape {given.shape}", f"must be {times.shape[1]} numbers >= 0", "correct it")
        if not within_s >= 0:
            raise BadInput(f"within_s={within_s}", "must be >= 0 s", "give the time promised in seconds")
        inside = times <= within_s
        alike = np.packbits(inside, axis=0).T
        sets, begin, inverse = np.unique(alike, axis=0, return_index=True, return_inverse=True)
        number = inverse.reshape(-1).astype(np.int64)
        summed = np.asarray(np.bincount(number, given, len(sets)), float)
        reached = inside[:, begin].any(axis=0)
        rank = np.where(reached, np.cumsum(reached) - 1, -1)
        site, row = np.nonzero(inside[:, begin[reached]])
        return cls(
            weight=summed[reached],
            number=rank[number],
            first=np.searchsorted(site, np.arange(len(times) + 1)).astype(np.int64),
            row=row.astype(np.int32),
            total=float(given.sum()),
            busy=float(busy),
        )

    @classmethod
    def of_rows(cls, first: Ints, row: npt.NDArray[np.int32], weight: npt.ArrayLike, *, busy: float) -> ExpectedCover:
        """Return the cover of points (D,) of which it is known which each site reaches: ``row[first[j]:first[j + 1]]``.

        Raises
        ------
        BadInput
            If the busy fraction is not in 0..1, or a point is none.
        """
        given = np.asarray(weight, float)
        if len(row) and not 0 <= row.min() <= row.max() < len(given):
            raise BadInput(f"row {row.max()}", f"must be one of {len(given)} points", "give a weight for each point")
        return cls(
            weight=given,
            number=np.arange(len(given)),
            first=np.asarray(first, np.int64),
            row=np.asarray(row, np.int32),
            total=float(given.sum()),
            busy=checked_busy(busy),
        )

    @property
    def n_sites(self) -> int:
        """How many sites there are."""
        return len(self.first) - 1

    def with_busy(self, busy: float) -> ExpectedCover:
        """Return the same cover under another busy fraction."""
        return replace(self, busy=checked_busy(busy))

    def chance(self, n_units: int) -> Floats:
        """Return the probability that the k-th unit in reach is the first free one, k = 0..n + 1; 0 for k = 0."""
        if not 0 <= n_units <= _DEEPEST:
            raise BadInput(f"n_units={n_units}", f"must be 0..{_DEEPEST}", "give how many units may be idle at once")
        return self._chances(n_units)

    def _chances(self, n_units: int) -> Floats:
        k = np.arange(n_units + 2)
        return np.where(k > 0, (1 - self.busy) * self.busy ** np.maximum(k - 1, 0), 0.0)

    def counts(self, at: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Return how many of the idle units at sites ``at`` (U,) reach each row (R,)."""
        count = np.zeros(len(self.weight), np.int32)
        kernel.counted(self.first, self.row, self._sites(at), count)
        return count

    def _sites(self, at: npt.ArrayLike) -> Ints:
        sites = np.atleast_1d(np.asarray(at, np.int64))
        if len(sites) and not (sites.min() >= 0 and sites.max() < self.n_sites):
            raise BadInput(f"sites {sites.min()}..{sites.max()}", f"must be 0..{self.n_sites - 1}", "name sites")
        return sites

    def value(self, at: npt.ArrayLike) -> float:
        r"""Return the weight expected to find a free unit in reach, :math:`\sum_i d_i (1 - q^{k_i})`."""
        return float(self.weight @ (1 - self.busy ** self.counts(at).astype(float)))

    def share(self, at: npt.ArrayLike) -> float:
        """Return that weight as a share of all; 0 where there is no weight."""
        return self.value(at) / self.total if self.total > 0 else 0.0

    def by_point(self, at: npt.ArrayLike) -> Floats:
        """Return for each point (D,) the probability that a free unit is in reach."""
        covered = 1 - self.busy ** self.counts(at).astype(float)
        return np.append(covered, 0.0)[self.number]

    def losses(self, at: npt.ArrayLike) -> Floats:
        r"""Return for each idle unit (U,) what goes with it, :math:`\sum_i d_i (1 - q) q^{k_i - 1}`, in weight."""
        return self.losses_of(at, self.counts(at))

    def losses_of(self, at: npt.ArrayLike, count: npt.NDArray[np.int32]) -> Floats:
        """Return what goes with each unit (U,) where ``count`` (R,) units, these among them, reach the rows."""
        chance = self._chances(int(count.max(initial=0)))
        return np.asarray(kernel.losses(self.first, self.row, self.weight, chance, count, self._sites(at)), float)

    def share_of(self, count: npt.NDArray[np.int32]) -> float:
        """Return the share of the weight expected to find a free unit where ``count`` (R,) of them reach the rows."""
        return float(self.weight @ (1 - self.busy ** count.astype(float))) / self.total if self.total > 0 else 0.0

    def gains(self, at: npt.ArrayLike) -> Floats:
        r"""Return for each site (S,) what one more idle unit there adds, :math:`\sum_i d_i (1 - q) q^{k_i}`."""
        sites = self._sites(at)
        count, chance = self.counts(sites), self.chance(len(sites))
        each = range(self.n_sites)
        return np.array([kernel.gain(self.first, self.row, self.weight, chance, count, j) for j in each], float)

    def site_for(self, at: npt.ArrayLike, travel_s: npt.ArrayLike, longest_s: float = math.inf) -> int | None:
        """Return where one unit that has just become free should wait: DMEXCLP's move-up.

        Parameters
        ----------
        at : array of shape (U,)
            The sites of the other idle units, or those they are on the way to.
        travel_s : array of shape (S,)
            From where it is to each site, s; infinite for sites it may not take.
        longest_s : float
            Farther sites are left out, s.

        Returns
        -------
        int or None
            The site with most gain, the nearest of equals; None where none is in reach.
        """
        sites = self._sites(at)
        travel = np.asarray(travel_s, float)
        if travel.shape != (self.n_sites,):
            raise BadInput(f"travel_s of shape {travel.shape}", f"must be ({self.n_sites},)", "give one for each site")
        count, chance = self.counts(sites), self.chance(len(sites))
        found = kernel.best_site(self.first, self.row, self.weight, chance, count, travel, longest_s)
        return None if found < 0 else int(found)


def unit_for(arrive_s: npt.ArrayLike, losses: npt.ArrayLike, within_s: float) -> int | None:
    """Return which unit to send so that the promise is kept and as much cover as possible stays behind.

    Parameters
    ----------
    arrive_s : array of shape (U,)
        When each would be there, s; infinite for units that cannot be sent.
    losses : array of shape (U,)
        What each takes with it; see :meth:`ExpectedCover.losses`.
    within_s : float
        The promise, s.

    Returns
    -------
    int or None
        Of the units in time the one of least loss, the nearest of equals; where none is in time, the first to arrive;
        None where none can be sent.

    References
    ----------
    C. J. Jagtenberg, S. Bhulai, R. D. van der Mei (2017), "Dynamic ambulance dispatching: is the closest-idle policy
    always optimal?", section 5.2. They take the least loss also where nobody is in time; here the first to arrive goes.

    Examples
    --------
    >>> unit_for([40.0, 55.0, 90.0], [3.0, 1.0, 0.0], within_s=60)
    1
    >>> unit_for([400.0, 355.0], [3.0, 5.0], within_s=60)
    1
    """
    arrive, taken = np.asarray(arrive_s, float), np.asarray(losses, float)
    if arrive.shape != taken.shape or arrive.ndim != 1 or np.isnan(arrive).any():
        raise BadInput(f"arrive_s of shape {arrive.shape}", f"must be {taken.shape} in s, without NaN", "correct it")
    found = kernel.best_unit(arrive, taken, within_s)
    return None if found < 0 else int(found)
