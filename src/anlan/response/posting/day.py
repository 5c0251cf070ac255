"""The plan of a day: fewest units in every period and where they wait, so that rings are kept while some are busy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.posting.cheapest import Needs, cheapest
from anlan.response.posting.problem import Beyond, Ints, Mask, Problem, Stop, Watch


@dataclass(frozen=True, eq=False, kw_only=True)
class Ring:
    """A promise: a share of the weight within a time, by units of some kinds, also when some of them are busy.

    Parameters
    ----------
    key : str
    within_s : float
    kinds : tuple of str
        Whose units keep it.
    share : float
        Of the weight, in each period; 1 is everybody.
    reliability : float
        Chance that a unit in reach is free: a point counts as reached where so many units are in reach that not all of
        them are busy with at least this chance.
    at : array of bool of shape (D,), optional
        The points it holds for (key areas); all where left out.

    References
    ----------
    C. ReVelle, K. Hogan (1989), "The maximum availability location problem": units busy independently of each other.
    """

    key: str
    within_s: float
    kinds: tuple[str, ...]
    share: float = 1.0
    reliability: float = 0.0
    at: Mask | None = None

    def __post_init__(self) -> None:
        if not (self.within_s > 0 and math.isfinite(self.within_s)):
            raise BadInput(f"within_s={self.within_s} of ring {self.key!r}", "must be > 0 s", "give the time promised")
        if not 0 < self.share <= 1:
            raise BadInput(f"share={self.share} of ring {self.key!r}", "must be in 0..1, above 0", "give a fraction")
        if not 0 <= self.reliability < 1:
            raise BadInput(
                f"reliability={self.reliability} of ring {self.key!r}", "must be in 0..1, below 1", "give a chance"
            )
        if not self.kinds:
            raise BadInput(f"kinds=() of ring {self.key!r}", "must name a kind of unit", "name who keeps it")

    def need(self, busy: float) -> int:
        """Return how many units must be in reach where each is busy with this chance: least n with 1 - busy^n >= r.

        Examples
        --------
        >>> Ring(key="3 min", within_s=180, kinds=("vehicle",), reliability=0.9).need(0.3)
        2
        """
        if busy <= 0 or self.reliability <= 0:
            return 1
        return max(1, math.ceil(math.log(1 - self.reliability) / math.log(busy) - 1e-9))


@dataclass(frozen=True, eq=False, kw_only=True)
class Period:
    """Hours of a day in which demand, travel times and how busy units are stay the same.

    Parameters
    ----------
    key : str
    hours : float
    weight : array of shape (D,)
        Demand of each point.
    times_s : mapping of kind to csr_array of shape (S, D)
        Seconds from site to point; what is not stored is out of reach.
    busy : mapping of kind to float
        Share of the time in which a unit is not free; 0 where left out.
    """

    key: str
    hours: float
    weight: Floats
    times_s: Mapping[str, csr_array]
    busy: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.hours <= 24:
            raise BadInput(f"hours={self.hours} of period {self.key!r}", "must be in 0..24, above 0", "give its length")
        for kind, share in self.busy.items():
            if not 0 <= share < 1:
                raise BadInput(
                    f"busy[{kind!r}]={share} of period {self.key!r}",
                    "must be in 0..1, below 1",
                    "give the share of time a unit is busy",
                )


@dataclass(frozen=True, eq=False, kw_only=True)
class Day:
    """What is asked for a day.

    Parameters
    ----------
    periods : sequence of Period
    rings : sequence of Ring
    existing : mapping of kind to sites
        Posts of today.
    place_cost : float
        What room for one unit at a new post costs, in unit-hours: what moving is worth. At existing posts it is free.
    per_site : int
        Most units of one kind at a site.
    names, point_xy_m, site_xy_m
        As in ``Problem``.

    Raises
    ------
    BadInput
        If shapes disagree, a weight is negative, a ring names a kind without times, or an existing post is no site.
    """

    periods: Sequence[Period]
    rings: Sequence[Ring]
    existing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    place_cost: float = 0.0
    per_site: int = 4
    names: tuple[str, ...] = ()
    point_xy_m: Floats | None = None
    site_xy_m: Floats | None = None

    def __post_init__(self) -> None:
        if not self.periods or not self.rings:
            raise BadInput("a day without periods or rings", "must have at least one of each", "give what is promised")
        if not (self.place_cost >= 0 and math.isfinite(self.place_cost)):
            raise BadInput(f"place_cost={self.place_cost}", "must be >= 0 unit-hours", "give what moving is worth")
        for period in self.periods:
            missing = {kind for ring in self.rings for kind in ring.kinds} - set(period.times_s)
            if missing:
                raise BadInput(f"kind {min(missing)!r}", f"must have times in period {period.key!r}", "give its times")
            for kind in period.times_s:
                self.problem(period, kind)

    def problem(self, period: Period, kind: str) -> Problem:
        """Return the times of one kind in one period as a problem, which checks them."""
        return Problem(
            times_s=period.times_s[kind],
            weight=period.weight,
            existing=self.existing.get(kind, ()),
            names=self.names,
            point_xy_m=self.point_xy_m,
            site_xy_m=self.site_xy_m,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKept:
    """What becomes of a ring in a period."""

    ring: str
    need: int
    """Units wanted in reach of a point."""
    share: float
    """Promised."""
    reached: float
    """Share of the weight with a unit in reach."""
    reliable: float
    """Share of the weight with as many units in reach as the reliability wants."""
    kept: bool
    beyond: tuple[Beyond, ...]
    """Points of weight that no site reaches in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPlan:
    """Who waits where in one period: by kind the sites, one that stands twice has two units."""

    period: str
    hours: float
    posts: Mapping[str, tuple[int, ...]]
    fewest: int
    """No plan keeps as much with fewer units."""
    rings: tuple[RingKept, ...]

    @property
    def n_units(self) -> int:
        """How many units are on duty."""
        return sum(len(sites) for sites in self.posts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """The plan of a day in unit-hours, with the bound that no plan beats.

    ``moved`` are existing posts that no period uses, by kind. ``kept`` is False where a ring cannot be kept by
    anybody; then the plan reaches all that can be reached, and the ring's ``beyond`` names the rest.
    """

    periods: tuple[PeriodPlan, ...]
    objective: float
    bound: float
    proved: bool
    seconds: float
    new_places: int
    moved: Mapping[str, tuple[int, ...]]

    @property
    def gap(self) -> float:
        """How far the objective may be from the best one, as a share of it; 0 where it is proved."""
        return 0.0 if self.proved else (self.objective - self.bound) / max(self.objective, 1e-12)

    @property
    def kept(self) -> bool:
        """True where every ring is kept in every period."""
        return all(ring.kept for period in self.periods for ring in period.rings)


def plan_day(day: Day, *, stop: Stop | None = None, seed: int = 0) -> DayPlan:
    r"""Return the fewest unit-hours that keep every ring in every period, and where the units wait.

    .. math:: \min \sum_t h_t \sum_{k,j} x_{kjt} + p \sum_{k,j \notin E_k} \max_t x_{kjt}
    .. math:: \sum_{k \in r} \sum_{j \in N_{ri}} x_{kjt} \ge b_{rt} z_{rit}, \quad
              \sum_i w_{it} z_{rit} \ge \alpha_r \sum_i w_{it}

    with :math:`x` the units of kind k at site j in period t, :math:`h` its hours, :math:`p` the cost of a place,
    :math:`E` the existing posts, :math:`N_{ri}` the sites from which ring r reaches point i in time, :math:`b` the
    units that reliability wants, :math:`\alpha` the share. Kinds that no ring joins, and periods where places cost
    nothing, are planned by themselves. Where kinds of one ring differ in how busy they are, all are taken to be as busy
    as the busiest: the promise is never weaker than told.

    Examples
    --------
    >>> from anlan.response.posting import Stop
    >>> place = np.arange(5) * 100.0
    >>> times = csr_array(np.abs(place[:, None] - place) + 1.0)
    >>> night = Period(key="night", hours=8, weight=np.ones(5), times_s={"vehicle": times}, busy={"vehicle": 0.1})
    >>> rush = Period(key="rush", hours=4, weight=np.ones(5), times_s={"vehicle": times}, busy={"vehicle": 0.4})
    >>> ring = Ring(key="3 min", within_s=180, kinds=("vehicle",), reliability=0.8)
    >>> plan = plan_day(Day(periods=(night, rush), rings=(ring,)))
    >>> [(one.period, one.n_units) for one in plan.periods], plan.proved
    ([('night', 2), ('rush', 4)], True)
    """
    watch = Watch(stop or Stop())
    units: list[dict[str, Ints]] = [{} for _ in day.periods]
    fewest = np.zeros(len(day.periods), np.int64)
    objective, bound, proved = 0.0, 0.0, True
    parts = _components(day)
    for k, kinds in enumerate(parts):
        share = Watch(Stop(seconds=watch.left_s / (len(parts) - k), gap=watch.stop.gap))
        found = _Part(day, kinds, share, seed).planned()
        for mine, more in zip(units, found.units, strict=True):
            mine.update(more)
        fewest += found.fewest
        objective, bound, proved = objective + found.objective, bound + found.bound, proved and found.proved
    plans = tuple(
        PeriodPlan(
            period=period.key,
            hours=period.hours,
            posts={kind: tuple(np.repeat(np.arange(len(x)), x).tolist()) for kind, x in mine.items()},
            fewest=int(least),
            rings=tuple(_kept(day, period, ring, mine) for ring in day.rings),
        )
        for period, mine, least in zip(day.periods, units, fewest, strict=True)
    )
    kinds_all = sorted({kind for one in units for kind in one})
    used = {kind: np.max([one[kind] for one in units], axis=0) for kind in kinds_all}
    return DayPlan(
        periods=plans,
        objective=objective,
        bound=bound,
        proved=proved,
        seconds=watch.spent_s,
        new_places=sum(int(_places(day, kind, x)) for kind, x in used.items()),
        moved={
            kind: tuple(j for j in sites if not used.get(kind, np.zeros(j + 1))[j])
            for kind, sites in day.existing.items()
        },
    )


def _components(day: Day) -> list[tuple[str, ...]]:
    """Return the kinds that rings join, each component by itself."""
    groups: list[set[str]] = []
    for ring in day.rings:
        mine, rest = set(ring.kinds), []
        for group in groups:
            if group & mine:
                mine |= group
            else:
                rest.append(group)
        groups = [*rest, mine]
    return [tuple(sorted(group)) for group in groups]


def _places(day: Day, kind: str, most: Ints) -> int:
    new = np.ones(len(most), np.bool_)
    new[list(day.existing.get(kind, ()))] = False
    return int(most[new].sum())


def _busiest(period: Period, ring: Ring) -> float:
    return max(period.busy.get(kind, 0.0) for kind in ring.kinds)


def _within(period: Period, ring: Ring, kind: str) -> csr_array:
    """Return points by sites, 1 where a unit of the kind is there in time."""
    times = period.times_s[kind]
    kept = times.data <= ring.within_s
    first = np.concatenate([[0], np.cumsum(kept)])[times.indptr]
    return csr_array(csr_array((np.ones(int(first[-1])), times.indices[kept], first), shape=times.shape).T)


def _kept(day: Day, period: Period, ring: Ring, units: Mapping[str, Ints]) -> RingKept:
    """Return what becomes of a ring, counted anew from the units."""
    count, can = np.zeros(len(period.weight)), np.zeros(len(period.weight), np.bool_)
    for kind in ring.kinds:
        reach = _within(period, ring, kind)
        count += reach @ units[kind]
        can |= np.diff(reach.indptr) > 0
    weight = period.weight if ring.at is None else np.where(ring.at, period.weight, 0.0)
    total, need = float(weight.sum()), ring.need(_busiest(period, ring))
    told = [float(weight[count >= n].sum()) / total if total > 0 else 1.0 for n in (1, need)]
    lost = np.flatnonzero(~can & (weight > 0))
    nearest: dict[int, Beyond] = {}
    for kind in ring.kinds if len(lost) else ():
        for one in day.problem(period, kind).beyond(lost):
            known = nearest.get(one.point)
            if known is None or (one.nearest_s or math.inf) < (known.nearest_s or math.inf):
                nearest[one.point] = one
    return RingKept(
        ring=ring.key,
        need=need,
        share=ring.share,
        reached=told[0],
        reliable=told[1],
        kept=not ((weight > 0) & (count < need)).any() if ring.share == 1 else told[1] >= ring.share - 1e-9,
        beyond=tuple(nearest.values()),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Found:
    units: list[dict[str, Ints]]
    fewest: Ints
    objective: float
    bound: float
    proved: bool


class _Part:
    """The kinds that rings join, over all periods."""

    def __init__(self, day: Day, kinds: tuple[str, ...], watch: Watch, seed: int) -> None:
        self._day, self._kinds, self._watch, self._seed = day, kinds, watch, seed
        self._rings = [ring for ring in day.rings if set(ring.kinds) <= set(kinds)]
        self._needs = [self._needs_of(period) for period in day.periods]
        self._sites = len(self._needs[0].cost)
        self._solved: dict[bytes, tuple[Ints, float, bool]] = {}
        n_sites = self._sites // len(kinds)
        self._new = np.ones(self._sites, np.bool_)
        for k, kind in enumerate(kinds):
            self._new[[k * n_sites + j for j in day.existing.get(kind, ())]] = False

    def planned(self) -> _Found:
        """Plan each period by itself; where places cost, the fullest again with them, and the others around it."""
        day, hours = self._day, np.array([period.hours for period in self._day.periods])
        n_more = len(hours) if day.place_cost > 0 else 0
        alone = [self._solve(k, np.ones(self._sites), len(hours) - k + n_more) for k in range(len(hours))]
        units, least = [one[0] for one in alone], np.array([one[1] for one in alone])
        bound = float(hours @ least)
        if n_more:
            order = np.argsort([-one.sum() for one in units], kind="stable")
            peak, open_now, tied = int(order[0]), ~self._new, list(units)
            for left, k in zip(range(len(hours), 0, -1), order, strict=True):
                cost = hours[k] + np.where(open_now, 0.0, day.place_cost)
                tied[k], low, _ = self._solve(int(k), cost, left)
                if k == peak:  # a place is paid once, whenever: all of it may be put on one period
                    bound += max(low, hours[k] * least[k]) - hours[k] * least[k]
                open_now = open_now | (tied[k] > 0)
            units = min((tied, units), key=lambda made: self._price(made, hours))
        objective = self._price(units, hours)
        n_sites = self._sites // len(self._kinds)
        return _Found(
            units=[{kind: x[k * n_sites : (k + 1) * n_sites] for k, kind in enumerate(self._kinds)} for x in units],
            fewest=np.ceil(least - 1e-6).astype(np.int64),
            objective=objective,
            bound=min(bound, objective),
            proved=bound >= objective - 1e-6,
        )

    def _price(self, units: list[Ints], hours: Floats) -> float:
        most = np.max(units, axis=0)
        return float(hours @ [one.sum() for one in units]) + self._day.place_cost * float(most[self._new].sum())

    def _solve(self, k: int, cost: Floats, left: int) -> tuple[Ints, float, bool]:
        """Return units (columns), the bound and whether it is proved; a question asked before is not asked again."""
        needs = replace(self._needs[k], cost=cost)
        key = _print_of(needs)
        if key not in self._solved:
            seconds = max(self._watch.left_s / max(left, 1), 0.01)
            watch = Watch(Stop(seconds=seconds, gap=self._watch.stop.gap))
            x, low, proved = cheapest(needs, watch, self._seed) if len(needs.need) else (0.0 * cost, 0.0, True)
            self._solved[key] = (np.rint(x).astype(np.int64), low, proved)
        return self._solved[key]

    def _needs_of(self, period: Period) -> Needs:
        """Return the rows of all rings in a period, without what nobody can reach."""
        day, blocks, need, weight, group, budget = self._day, [], [], [], [], []
        n_sites = period.times_s[self._kinds[0]].shape[0]
        for r, ring in enumerate(self._rings):
            nothing = csr_array((len(period.weight), n_sites))
            row = [_within(period, ring, kind) if kind in ring.kinds else nothing for kind in self._kinds]
            whole = csr_array(hstack(row, format="csr"))
            mine = period.weight if ring.at is None else np.where(ring.at, period.weight, 0.0)
            points = np.flatnonzero((mine > 0) & (np.diff(whole.indptr) > 0))
            spare = float(mine[points].sum() - ring.share * mine.sum())
            blocks.append(csr_array(whole[points]))
            need.append(np.full(len(points), ring.need(_busiest(period, ring)), np.int64))
            weight.append(mine[points])
            group.append(np.full(len(points), r, np.int64))
            least = float(mine[points].min(initial=np.inf))
            budget.append(spare if spare >= least else 0.0)
        wanted = np.concatenate(need)
        return Needs(
            matrix=csr_array(vstack(blocks, format="csr")),
            need=wanted,
            cost=np.ones(n_sites * len(self._kinds)),
            cap=max(day.per_site, int(wanted.max(initial=1))),
            weight=np.concatenate(weight),
            group=np.concatenate(group),
            budget=np.array(budget),
        )


def _print_of(needs: Needs) -> bytes:
    """Return what tells two questions apart; weights say nothing where every row must be met."""
    made = hashlib.blake2b()
    for part in (needs.matrix.indptr, needs.matrix.indices, needs.need, needs.cost, needs.groups, needs.budget):
        made.update(np.ascontiguousarray(part).tobytes())
    if needs.loose.any():
        made.update(np.ascontiguousarray(needs.weights).tobytes())
    return made.digest()
