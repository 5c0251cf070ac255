r"""Where and when help is called for: rates by place, kind and hour of the week, learned from what was called before.

A small place has few calls, and its own rate says little; so each area borrows from the one above it:

.. math:: n_a \sim \mathrm{Poisson}(r_a\,\theta_{p(a)}\,E_a), \qquad r_a \sim \mathrm{Gamma}(m_\ell, m_\ell)

n are the calls of one kind in area a, E its exposure (hours, or people present times hours, weighed by the profile of
the week), theta the rate of the area above, and m how alike areas of one level are, learned from all of them. Only
places are told apart, by what happened there: never who called, or who lives there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import scipy  # statistics by the first who asks (response/measures.py)
from scipy.optimize import minimize_scalar
from scipy.special import gammaincinv, gammaln

from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.geo import Floats

SLOTS = 168
"""Hours of a week, from Monday 00:00 on the clock of the wall."""
_LEAST, _MOST = 0.05, 1e4
"""Bounds of how alike areas are; the most is as good as all alike."""
_EMPTY = 1e-9
_NEAR = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
"""How much hours beside an hour tell of it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Calls:
    """Calls for help of a time that was recorded whole.

    Parameters
    ----------
    area_id, kind : sequence of str, shape (N,)
        Where, as an area of one level, and what kind of incident.
    slot : array of shape (N,)
        Hour of the week, 0..167; see ``slot_of``.
    hours : array of shape (168,)
        How many hours of each slot were recorded; see ``hours_of``.
    """

    area_id: Sequence[str]
    kind: Sequence[str]
    slot: npt.NDArray[np.int64]
    hours: Floats

    def __post_init__(self) -> None:
        n, slot, hours = len(self.area_id), np.asarray(self.slot), np.asarray(self.hours, float)
        if len(self.kind) != n or slot.shape != (n,):
            raise BadInput(
                f"{len(self.kind)} kinds and {len(slot)} slots", f"must be {n}, as areas", "give one for each"
            )
        if n and not (np.issubdtype(slot.dtype, np.integer) and 0 <= slot.min() <= slot.max() < SLOTS):
            raise BadInput("slot", f"must be whole, 0..{SLOTS - 1}", "give the hour of the week from Monday 00:00")
        if hours.shape != (SLOTS,) or not (np.isfinite(hours).all() and hours.min() >= 0 and hours.sum() > 0):
            raise BadInput(
                "hours", f"must be {SLOTS} numbers >= 0 h, not all 0", "give the hours recorded of each slot"
            )
        if n and hours[slot].min() <= 0:
            at = int(slot[np.argmin(hours[slot])])
            raise BadInput(f"hours[{at}]=0", "must be > 0 h where calls are", "give what was recorded")
        object.__setattr__(self, "slot", slot.astype(np.int64))
        object.__setattr__(self, "hours", hours)


def slot_of(at: datetime) -> int:
    """Return the hour of the week of a moment on the clock of the wall.

    Examples
    --------
    >>> slot_of(datetime(2026, 11, 26, 13, 5))  # a Thursday
    85
    """
    return 24 * at.weekday() + at.hour


def hours_of(begin_at: datetime, end_at: datetime) -> Floats:
    """Return how many hours of each slot lie between two moments on the clock of the wall.

    Examples
    --------
    >>> float(hours_of(datetime(2026, 11, 26), datetime(2026, 12, 10)).sum())
    336.0

    Raises
    ------
    BadInput
        If the end is not after the beginning.
    """
    if not end_at > begin_at:
        raise BadInput(f"end_at={end_at}", f"must be after begin_at={begin_at}", "give the time that was recorded")
    made = np.zeros(SLOTS)
    at = begin_at
    while at < end_at:
        later = min(end_at, at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
        made[slot_of(at)] += (later - at).total_seconds() / 3600
        at = later
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Calls per hour, with an interval that holds the true rate nine times of ten."""

    per_hour: float
    low_per_hour: float
    high_per_hour: float


@dataclass(frozen=True, eq=False, kw_only=True)
class DemandRates:
    """What was learned: of each area and kind, calls per exposure, and the week's profile of each kind.

    ``shape`` and ``per`` are those of the gamma of each leaf's rate, (L, K); ``profile`` is (K, 168) with mean 1.
    """

    level: str
    area_ids: tuple[str, ...]
    kinds: tuple[str, ...]
    shape: Floats
    per: Floats
    profile: Floats
    people: Floats | None
    alike: Mapping[tuple[str, str], float]
    """Of (level, kind), how alike its areas are: m, in calls."""

    def _row(self, area_id: str, kind: str) -> tuple[int, int]:
        try:
            return self.area_ids.index(area_id), self.kinds.index(kind)
        except ValueError:
            raise NotFound(
                f"area_id={area_id!r}, kind={kind!r}",
                "is not among what was learned",
                f"give a {self.level} and a kind",
            ) from None

    def rate(self, area_id: str, kind: str, slot: int, *, people: float | None = None) -> Rate:
        """Return calls per hour of an area, for as many people as were usual, or as are there.

        Raises
        ------
        NotFound
            If the area or kind was not learned.
        BadInput
            If the slot is no hour of the week, or ``people`` is negative or given where none were learned with.
        """
        if not 0 <= slot < SLOTS:
            raise BadInput(f"slot={slot}", f"must be in 0..{SLOTS - 1}", "give the hour of the week")
        i, k = self._row(area_id, kind)
        factor = self.profile[k, slot] * self._exposed(i, slot, people)
        ends = gammaincinv(self.shape[i, k], [0.05, 0.95]) / self.per[i, k]
        middle = self.shape[i, k] / self.per[i, k]
        return Rate(
            per_hour=float(middle * factor), low_per_hour=float(ends[0] * factor), high_per_hour=float(ends[1] * factor)
        )

    def _exposed(self, i: int, slot: int, people: float | None) -> float:
        if self.people is None:
            if people is not None:
                raise BadInput(f"people={people}", "must be left out: rates are by the hour alone", "learn with people")
            return 1.0
        if people is not None and not 0 <= people < math.inf:
            raise BadInput(f"people={people}", "must be >= 0", "give how many are present")
        return float(self.people[i, slot]) if people is None else people

    def per_hour(self, kind: str, slot: int) -> Floats:
        """Return calls per hour of every area, in the order of ``area_ids``: weights for demand points."""
        _, k = self._row(self.area_ids[0], kind)
        here = np.ones(len(self.area_ids)) if self.people is None else self.people[:, slot]
        return np.asarray(self.shape[:, k] / self.per[:, k] * self.profile[k, slot] * here, float)

    def log_likelihood(self, calls: Calls) -> float:
        """Return the log-probability of other calls: how well they were foreseen, by area, kind and hour.

        The rate of an area is not sure, so its counts are negative binomial; hours share their sum by profile.
        """
        n, expected = self._held(calls)
        total, mean = n.sum(axis=2), expected.sum(axis=2)
        per = self.per / (self.per + mean)
        whole = scipy.stats.nbinom.logpmf(total, self.shape, per).sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.where(n > 0, n * np.log(expected / mean[..., None]) - gammaln(n + 1), 0.0).sum()
        return float(whole + gammaln(total + 1).sum() + spread)

    def _held(self, calls: Calls) -> tuple[Floats, Floats]:
        """Return other calls as counts, and exposure by profile, (L, K, 168)."""
        n = _counted(calls, self.area_ids, self.kinds)
        here = np.ones((len(self.area_ids), SLOTS)) if self.people is None else self.people
        return n, here[:, None, :] * self.profile[None] * calls.hours


def fit_demand(
    tree: AreaTree, level: str, calls: Calls, *, people: Mapping[str, npt.ArrayLike] | None = None
) -> DemandRates:
    """Learn rates of calls for every area of a level.

    Parameters
    ----------
    tree : AreaTree
        An area without any call has the rate of the area above, less what its own silence says.
    level : str
        Of the areas in which calls are recorded.
    people : mapping of area to array of shape (168,), optional
        People usually present in each hour of the week; rates are then per head. Left out, they are per hour.

    Raises
    ------
    BadInput
        If an area is not of the level, there is no call, or numbers of people are missing or negative.

    References
    ----------
    D. G. Clayton, J. Kaldor (1987), "Empirical Bayes estimates of age-standardized relative risks": the gamma-Poisson
    form, here down a tree of areas.
    """
    leaves = tree.of_level(level)
    ids = tuple(area.area_id for area in leaves)
    if not len(calls.area_id) or not ids:
        raise BadInput(
            f"{len(calls.area_id)} calls in {len(ids)} areas", "must be at least one", "give calls of the level"
        )
    kinds = tuple(sorted(set(calls.kind)))
    n = _counted(calls, ids, kinds)
    here = _people(people, ids)
    exposure = (np.ones((len(ids), SLOTS)) if here is None else here) * calls.hours
    profile = np.stack(
        [_profile(n[:, k].sum(axis=0), exposure.sum(axis=0), n.sum(axis=(0, 1))) for k in range(len(kinds))]
    )
    exposed = np.einsum("ls,ks->lk", exposure, profile)
    total = n.sum(axis=2)
    shape, per = np.empty_like(exposed), np.empty_like(exposed)
    alike: dict[tuple[str, str], float] = {}
    paths = [tuple(area.area_id for area in tree.path(one)) for one in ids]
    levels = {area.area_id: area.level for area in tree}
    for k, kind in enumerate(kinds):
        shape[:, k], per[:, k], found = _down(paths, levels, total[:, k], exposed[:, k])
        alike |= {(level_key, kind): m for level_key, m in found.items()}
    return DemandRates(
        level=level, area_ids=ids, kinds=kinds, shape=shape, per=per, profile=profile, people=here, alike=alike
    )


def _counted(calls: Calls, ids: Sequence[str], kinds: Sequence[str]) -> Floats:
    """Return calls as counts (L, K, 168)."""
    rows = {one: i for i, one in enumerate(ids)}
    columns = {one: k for k, one in enumerate(kinds)}
    gone = next((one for one in calls.area_id if one not in rows), None)
    if gone is not None:
        raise BadInput(
            f"area_id={gone!r}", "must be an area of the level that is learned", "locate calls in that level"
        )
    strange = next((one for one in calls.kind if one not in columns), None)
    if strange is not None:
        raise BadInput(f"kind={strange!r}", f"must be one of {', '.join(kinds)}", "leave out what was not learned")
    n = np.zeros((len(ids), len(kinds), SLOTS))
    i = np.array([rows[one] for one in calls.area_id], np.int64)
    k = np.array([columns[one] for one in calls.kind], np.int64)
    np.add.at(n, (i, k, calls.slot), 1.0)
    return n


def _people(people: Mapping[str, npt.ArrayLike] | None, ids: Sequence[str]) -> Floats | None:
    if people is None:
        return None
    made = np.empty((len(ids), SLOTS))
    for i, one in enumerate(ids):
        if one not in people:
            raise BadInput(f"people of area {one!r}", "are missing; unknown is not zero", "give them for every area")
        usual = np.asarray(people[one], float)
        if usual.shape != (SLOTS,) or not (np.isfinite(usual).all() and usual.min() >= 0):
            raise BadInput(
                f"people of area {one!r}", f"must be {SLOTS} numbers >= 0", "give one for each hour of the week"
            )
        made[i] = usual
    return made


def _profile(n: Floats, exposure: Floats, of_all: Floats) -> Floats:
    """Return calls per exposure over the week, mean 1: hours and days of the kind, both shrunk towards those of all."""
    usual = _smooth_week(of_all, exposure)
    expected = usual * exposure
    expected *= n.sum() / max(expected.sum(), _EMPTY)
    for axis, near in ((0, _NEAR), (1, np.ones(1))):
        seen, awaited = n.reshape(7, 24).sum(axis=axis), expected.reshape(7, 24).sum(axis=axis)
        m = _alike(seen, awaited)
        ratio = (m + _smoothed(seen, near)) / (m + _smoothed(awaited, near))
        by_slot = np.tile(ratio, 7) if axis == 0 else np.repeat(ratio, 24)
        usual, expected = usual * by_slot, expected * by_slot
    m = _alike(n, expected)
    made = usual * (m + n) / (m + expected)
    return np.asarray(made / max(float((made * exposure).sum() / max(exposure.sum(), _EMPTY)), _EMPTY))


def _smoothed(of_hours: Floats, near: Floats) -> Floats:
    """Return a mean over neighbours; the day is a ring."""
    half = len(near) // 2
    return np.asarray(sum(w * np.roll(of_hours, j - half) for j, w in enumerate(near)))


def _smooth_week(n: Floats, exposure: Floats) -> Floats:
    """Return weekday times hour of the day, hours smoothed over their neighbours."""
    week, seen = n.reshape(7, 24), exposure.reshape(7, 24)
    rate = (n.sum() + 1) / max(float(exposure.sum()), _EMPTY)
    hour = (_smoothed(week.sum(axis=0), _NEAR) + 1) / (_smoothed(seen.sum(axis=0), _NEAR) * rate + 1)
    expected = seen * hour * rate
    by_day = expected.sum(axis=1)
    m = _alike(week.sum(axis=1), by_day)
    day = (m + week.sum(axis=1)) / (m + by_day)
    return np.asarray((day[:, None] * hour[None, :]).ravel(), float)


def _alike(n: Floats, expected: Floats) -> float:
    """Return the m under which counts about what was expected are most likely: negative binomial, by its logarithm."""
    seen = expected > _EMPTY
    n, expected = n[seen], expected[seen]
    if len(n) < 2:
        return _MOST

    def unlikely(log_m: float) -> float:
        m = math.exp(log_m)
        return -float(
            (gammaln(n + m) - gammaln(m) + m * np.log(m / (m + expected)) + n * np.log(expected / (m + expected))).sum()
        )

    found = minimize_scalar(unlikely, bounds=(math.log(_LEAST), math.log(_MOST)), method="bounded")
    return math.exp(float(found.x))


def _down(
    paths: Sequence[tuple[str, ...]], levels: Mapping[str, str], n: Floats, exposed: Floats
) -> tuple[Floats, Floats, dict[str, float]]:
    """Return shape and rate of the gamma of each leaf, down the tree, and how alike the areas of each level are."""
    rate = {paths[0][0]: (n.sum() + 0.5) / max(float(exposed.sum()), _EMPTY)}
    alike: dict[str, float] = {}
    shape, per = np.full(len(n), n.sum() + 0.5), np.full(len(n), max(float(exposed.sum()), _EMPTY))
    for depth in range(1, max(map(len, paths))):
        counted: dict[str, float] = {}
        awaited: dict[str, float] = {}
        above: dict[str, str] = {}
        for i, path in enumerate(paths):
            if len(path) > depth:
                one = path[depth]
                counted[one] = counted.get(one, 0.0) + n[i]
                awaited[one] = awaited.get(one, 0.0) + exposed[i] * rate[path[depth - 1]]
                above[one] = path[depth - 1]
        by_level: dict[str, list[str]] = {}
        for one in counted:
            by_level.setdefault(levels[one], []).append(one)
        for level, ids in by_level.items():
            m = _alike(np.array([counted[one] for one in ids]), np.array([awaited[one] for one in ids]))
            alike[level] = m
            for one in ids:
                rate[one] = rate[above[one]] * (m + counted[one]) / (m + awaited[one])
        for i, path in enumerate(paths):
            if len(path) == depth + 1:
                m, parent = alike[levels[path[depth]]], rate[path[depth - 1]]
                shape[i], per[i] = m + n[i], m / parent + exposed[i]
    return shape, per, alike
