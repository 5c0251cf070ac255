"""Who should go: by expected arrival, what is needed, and what would be left; each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from anlan.kernel.geo import Floats
from anlan.kernel.pack import Pack
from anlan.kernel.records import Unit
from anlan.kernel.response import Incident, UnitNow, UnitStatus
from anlan.response.cover import ExpectedCover
from anlan.response.dispatch.arrivals import Arrival, Arrivals, arrivals, learned_arrivals
from anlan.response.dispatch.fleet import STATUSES, Fleet, Follower, Mask
from anlan.response.dispatch.ground import Ground
from anlan.response.dispatch.playbooks import Need, Playbook, Playbooks
from anlan.response.travel import ArrivalFit
from anlan.response.travel.graph import Ints

COVER_S = 180.0
"""The promise by which cover is judged, s."""
BUSY = 0.3
"""Share of time that a unit is taken to be busy, until it is measured."""
POINT_PRICE_S: Mapping[int, float] = {1: 0.0, 2: 3.0, 3: 10.0}
"""How many seconds later help may come to keep one point of expected cover, by priority: none where lives are."""
LATE_S = 120.0
"""What missing the target weighs, in seconds of arrival."""
TAKEN_S = 60.0
"""How much sooner a unit must be to be taken from a less urgent incident."""
BARS = ("out_of_service", "on_scene", "assigned", "kind_unknown", "no_position", "out_of_reach", "not_needed")
_OUT, _ON_SCENE, _ASSIGNED, _KIND, _POSITION, _REACH, _NEEDED = range(len(BARS))
_NEVER = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A unit that could go, or why it could not.

    ``barred`` is a code: ``out_of_service``, ``on_scene``, ``assigned``, ``kind_unknown``, ``no_position``,
    ``out_of_reach``, ``not_needed`` (it has nothing that is asked for).
    """

    unit_id: str
    arrival: Arrival | None
    within: float | None
    """Probability of being there within the target."""
    has: tuple[str, ...]
    """What it can do that the playbook asks for."""
    crew: int
    takes_from: str | None = None
    """The less urgent incident that it would be taken from."""
    cover_lost: float = 0.0
    """Expected share of demand covered within three minutes that goes with it."""
    cost_s: float | None = None
    chosen: bool = False
    barred: str | None = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Weighed:
    """Every unit with what speaks for and against it, as arrays (U,) in the order of the fleet."""

    fleet: Fleet
    arrivals: Arrivals
    within: Floats
    barred: Ints
    """Number among ``BARS``, -1 of whoever can go."""
    taken: Mask
    """Who would be taken from another incident."""
    cover_lost: Floats
    cost_s: Floats
    """NaN of whoever cannot go."""
    asked: frozenset[str]
    """What the playbook asks for."""

    def has(self, k: int) -> tuple[str, ...]:
        """Return what a unit can do that is asked for."""
        return tuple(sorted(self.fleet.makeup.can[k] & self.asked))

    def order(self, chosen: Mask) -> list[int]:
        """Return the units in the order in which they are told: who should go, who could, who could not."""
        rank = self.fleet.makeup.rank
        cost = np.where(np.isnan(self.cost_s), 0.0, self.cost_s)
        return [int(k) for k in np.lexsort((rank, cost, self.barred >= 0, ~chosen))]

    def candidate(self, k: int, *, chosen: bool) -> Candidate:
        """Return one unit as an object."""
        found, bar = self.arrivals.one(k), int(self.barred[k])
        return Candidate(
            unit_id=self.fleet.makeup.units[k].unit_id,
            arrival=found,
            within=None if found is None else float(self.within[k]),
            has=self.has(k),
            crew=int(self.fleet.makeup.crew[k]),
            takes_from=self.fleet.incident[k] if self.taken[k] else None,
            cover_lost=float(self.cover_lost[k]),
            cost_s=None if np.isnan(self.cost_s[k]) else float(self.cost_s[k]),
            chosen=chosen,
            barred=None if bar < 0 else BARS[bar],
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Recommendation:
    """Who should go to an incident now. ``missing`` is what nobody can fill; ``on_it`` is who goes already."""

    incident_id: str
    at: datetime
    target_s: float
    within_s: float
    """What is left of the target at this moment, s."""
    weighed: Weighed = field(repr=False)
    rows: Mask = field(repr=False)
    """Which units of the fleet should go."""
    missing: tuple[Need, ...] = ()
    on_it: tuple[str, ...] = ()
    cover_now: float = 0.0
    cover_after: float = 0.0

    @cached_property
    def order(self) -> list[int]:
        """The units in the order in which they are told, by their place in the fleet."""
        return self.weighed.order(self.rows)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the units that should go."""
        units = self.weighed.fleet.makeup.units
        return tuple(units[k].unit_id for k in self.order[: int(self.rows.sum())])

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every unit: who should go, who could, and who could not, and why."""
        return tuple(self.weighed.candidate(k, chosen=bool(self.rows[k])) for k in self.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUp:
    """An idle unit that would keep more of the district covered at another post."""

    unit_id: str
    post_id: str
    cover_now: float
    cover_after: float
    travel_s: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Dispatcher:
    """Recommends units. It decides nothing: whoever dispatches may take others, and says why."""

    pack: Pack
    ground: Ground
    playbooks: Playbooks
    busy: float = BUSY
    posts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Where each post or station is, degrees."""
    fit: ArrivalFit | None = None
    """What was learned of arrivals, its origins being kinds of units; None where too few were recorded."""

    @cached_property
    def _follower(self) -> Follower:
        return Follower(self.ground, self.playbooks, self.pack.projection)

    @cached_property
    def _covered(self) -> dict[str, tuple[Fleet, _Covered]]:
        return {}

    def follow(self, units: Sequence[UnitNow]) -> None:
        """Take note of where units are now, so that a recommendation need not."""
        self._cover(self._follower.fleet(units))

    # -- who should go ---------------------------------------------------------------------------------------------

    def recommend(
        self,
        incident: Incident,
        units: Sequence[UnitNow],
        at: datetime,
        urgency: Mapping[str, int] | None = None,
    ) -> Recommendation:
        r"""Return who should go to an incident.

        One search backwards over the streets gives every unit's travel time. Units are matched to what the playbook
        asks for at least total cost (Kuhn's assignment), where the cost of a unit is

        .. math:: c = E[T] + 120 (1 - P(T \le \text{target})) + 100 \, p \, \Delta + 60 \, [\text{taken from another}]

        in s, with :math:`\Delta` the expected cover that goes with it (as a share) and :math:`p` the price of a point
        of it at this priority. Expected cover is that of Daskin (1983): a point that k free units reach in time counts
        :math:`1 - q^k`, with q the busy share; losing one of them costs :math:`(1 - q) q^{k-1}`.

        Parameters
        ----------
        incident : Incident
        units : sequence of UnitNow
            All units of the district; those that cannot go are told with the reason.
        at : datetime
            Now; aware.
        urgency : mapping of str to int, optional
            The priority of every open incident: a unit on the way to a less urgent one may be taken from it.

        Raises
        ------
        NotFound
            If no playbook is of the incident's kind.

        References
        ----------
        M. S. Daskin (1983), "A maximum expected covering location model", Transportation Science 17; C. J. Jagtenberg,
        S. Bhulai, R. D. van der Mei (2015), "An efficient heuristic for real-time ambulance redeployment", Operations
        Research for Health Care 4: the same marginal cover, there for moving units, here for sending them as well.
        """
        book = self.playbooks.of(incident.kind)
        fleet = self._follower.fleet(units)
        going = np.flatnonzero((fleet.incident == incident.incident_id) & (fleet.status != _AVAILABLE))
        on_it = [fleet.units[k] for k in going]
        now = self._cover(fleet)
        within_s = book.target_s - (at - incident.received_at).total_seconds()
        weighed = self._weighed(incident, book, (fleet, now), (at, within_s), urgency or {})
        rows, missing = _matched(self._open_needs(book, on_it), weighed)
        return Recommendation(
            incident_id=incident.incident_id,
            at=at,
            target_s=book.target_s,
            within_s=within_s,
            weighed=weighed,
            rows=rows,
            missing=missing,
            on_it=tuple(one.unit.unit_id for one in on_it),
            cover_now=now.share,
            cover_after=self._share_without(now, np.flatnonzero(rows & fleet.free)),
        )

    def arrivals(self, lon: float, lat: float, units: Sequence[UnitNow], at: datetime) -> dict[str, Arrival]:
        """Return when each unit that can move would be at a point (degrees), by one search for each way of moving."""
        few = Follower(self.ground, self.playbooks, self.pack.projection)  # these are not all: nobody follows them
        made = self._arrivals(lon, lat, few.fleet(units), at)
        told = ((now.unit.unit_id, made.one(k)) for k, now in enumerate(units))
        return {unit_id: one for unit_id, one in told if one is not None}

    def _weighed(
        self,
        incident: Incident,
        book: Playbook,
        now: tuple[Fleet, _Covered],
        moment: tuple[datetime, float],
        urgency: Mapping[str, int],
    ) -> Weighed:
        (fleet, cover), (at, within_s) = now, moment
        found = self._arrivals(incident.lon, incident.lat, fleet, at)
        within = found.within(within_s)
        lost = cover.lost
        if fleet.free.any():  # who is taken from another incident must be replaced there
            lost = np.where(fleet.free, lost, lost[fleet.free].min())
        barred = _barred(incident, book, fleet, found.known, urgency)
        taken = ~fleet.is_free & (barred < 0)
        price = POINT_PRICE_S.get(incident.priority, 0.0)
        cost = found.expected_s + LATE_S * (1 - within) + 100 * price * lost + TAKEN_S * taken
        return Weighed(
            fleet=fleet,
            arrivals=found,
            within=within,
            barred=barred,
            taken=taken,
            cover_lost=lost,
            cost_s=np.where(barred < 0, cost, np.nan),
            asked=frozenset().union(*(need.capabilities for need in book.needs)),
        )

    def _open_needs(self, book: Playbook, on_it: Sequence[UnitNow]) -> list[Need]:
        """Return a slot for each unit that is still needed; who is on it already fills the narrowest slots first."""
        slots = [replace(need, units=1) for need in book.needs for _ in range(need.units)]
        slots.sort(key=lambda need: -len(need.capabilities))
        rest = list(on_it)
        left = []
        for slot in slots:
            filled = next(
                (one for one in rest if _fits(slot, one.unit, self.playbooks.capabilities_of(one.unit))), None
            )
            if filled is None:
                left.append(slot)
            else:
                rest.remove(filled)
        return left

    # -- where units are, and what they cover ----------------------------------------------------------------------

    def _arrivals(self, lon: float, lat: float, fleet: Fleet, at: datetime) -> Arrivals:
        x, y = (float(value) for value in self.pack.projection.to_metres(lon, lat))
        travel, makeup = np.full(len(fleet), np.inf), fleet.makeup
        for k, mode in enumerate(makeup.modes):
            own = np.flatnonzero((makeup.mode == k) & fleet.known)
            if len(own):
                travel[own] = self.ground.times_to_s(mode, x, y)[fleet.node[own]] + fleet.first_s[own]
        made = arrivals(fleet.turnout_s, travel, makeup.spread, fleet.age_s(at.timestamp()))
        if self.fit is None:
            return made
        numbers = np.append(self.fit.number_of(makeup.kinds), -1)[makeup.kind]
        return learned_arrivals(made, self.fit, self.ground.conditions.hour, (x, y), numbers)

    @cached_property
    def expected_cover(self) -> ExpectedCover:
        """The expected cover of demand within three minutes; its sites are nodes, once for each kind of unit.

        The site of node i for the k-th kind of the playbooks is ``k * n_nodes + i``.
        """
        parts = [self.ground.reached(one.mode, COVER_S - one.turnout_s) for one in self.playbooks.unit_kinds.values()]
        first, rows, begin = [np.zeros(1, np.int64)], [np.empty(0, np.int32)], 0
        for ends, row in parts:
            first.append(ends[1:] + begin)
            rows.append(row)
            begin += len(row)
        weight = self.ground.demand.weight
        return ExpectedCover.of_rows(np.concatenate(first), np.concatenate(rows), weight, busy=self.busy)

    def _sites(self, fleet: Fleet, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return fleet.makeup.kind[rows].astype(np.int64) * self.ground.graph.n_nodes + fleet.node[rows]

    def _cover(self, fleet: Fleet) -> _Covered:
        """Return what the free units cover, and what goes with each."""
        known = self._covered.get("last")
        if known is not None and known[0] is fleet:
            return known[1]
        cover, free = self.expected_cover, np.flatnonzero(fleet.free)
        sites = np.full(len(fleet), -1, np.int64)
        sites[free] = self._sites(fleet, free)
        count = cover.counts(sites[free])
        lost = np.zeros(len(fleet))
        lost[free] = cover.losses_of(sites[free], count) / max(cover.total, 1e-12)
        made = _Covered(sites=sites, count=count, lost=lost, share=cover.share_of(count))
        self._covered["last"] = (fleet, made)
        return made

    def _share_without(self, now: _Covered, gone: npt.NDArray[np.int64]) -> float:
        """Return the cover when some of the free units are no longer free."""
        if not len(gone):
            return now.share
        return self.expected_cover.share_of(now.count - self.expected_cover.counts(now.sites[gone]))

    def cover(self, units: Sequence[UnitNow]) -> float:
        """Return the expected share of demand that the free units reach within three minutes."""
        return self._cover(self._follower.fleet(units)).share

    def move_up(self, units: Sequence[UnitNow], *, least: float = 0.01) -> MoveUp | None:
        """Return the one move of an idle unit to an empty post that gains most cover; None below ``least``.

        References
        ----------
        Jagtenberg, Bhulai, van der Mei (2015), as above: one unit at a time, when one becomes busy or free.
        """
        fleet = self._follower.fleet(units)
        now, cover, makeup = self._cover(fleet), self.expected_cover, fleet.makeup
        taken = {one.post_id for one in units if one.status is not UnitStatus.OUT_OF_SERVICE and one.is_free}
        best: tuple[float, int, str] | None = None
        for post_id in (one for one in self.posts if one not in taken):
            x, y = (float(value) for value in self.pack.projection.to_metres(*self.posts[post_id]))
            for kind in np.unique(makeup.kind[fleet.free]):
                own = np.flatnonzero(fleet.free & (makeup.kind == kind))
                mode = makeup.modes[makeup.mode[own[0]]]
                node, _ = self.ground.nearest(mode, np.array([x]), np.array([y]))
                count = now.count + cover.counts([int(kind) * self.ground.graph.n_nodes + int(node[0])])
                after = cover.share_of(count) - cover.losses_of(now.sites[own], count) / max(cover.total, 1e-12)
                k = int(np.argmax(after))
                if after[k] - now.share >= least and (best is None or after[k] > best[0]):
                    best = float(after[k]), int(own[k]), post_id
        if best is None:
            return None
        after_s, k, post_id = best
        x, y = (float(value) for value in self.pack.projection.to_metres(*self.posts[post_id]))
        travel = self.ground.times_to_s(makeup.modes[makeup.mode[k]], x, y)[fleet.node[k]]
        return MoveUp(
            unit_id=units[k].unit.unit_id,
            post_id=post_id,
            cover_now=now.share,
            cover_after=after_s,
            travel_s=float(travel),
        )


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Covered:
    """What the free units of a fleet cover."""

    sites: npt.NDArray[np.int64]
    """(U,) site of each free unit, -1 of the others."""
    count: npt.NDArray[np.int32]
    """How many of them reach each demand point."""
    lost: Floats
    """(U,) share of the demand whose cover goes with each; 0 of those that are not free."""
    share: float


_AVAILABLE = STATUSES.index(UnitStatus.AVAILABLE)


def _barred(
    incident: Incident, book: Playbook, fleet: Fleet, reached: Mask, urgency: Mapping[str, int]
) -> npt.NDArray[np.int32]:
    """Return why each unit cannot go, as its number among ``BARS``; -1 where it can."""
    out, scene = (fleet.status == STATUSES.index(one) for one in (UnitStatus.OUT_OF_SERVICE, UnitStatus.ON_SCENE))
    kept = np.zeros(len(fleet), np.bool_)
    engaged = np.flatnonzero(~fleet.is_free)
    kept[engaged] = [urgency.get(one or "", 0) <= incident.priority for one in fleet.incident[engaged]]
    useful = np.zeros(len(fleet), np.bool_)
    for need in book.needs:
        useful |= fleet.makeup.fits(need)
    reasons = (
        (out, _OUT),
        (scene, _ON_SCENE),
        ((fleet.incident == incident.incident_id) | kept, _ASSIGNED),
        (~reached & (fleet.makeup.kind < 0), _KIND),
        (~reached & ~fleet.placed, _POSITION),
        (~reached, _REACH),
        (~useful, _NEEDED),
    )
    made = np.full(len(fleet), -1, np.int32)
    for where, reason in reversed(reasons):  # the first that holds is told
        made[where] = reason
    return made


def _matched(slots: Sequence[Need], weighed: Weighed) -> tuple[Mask, tuple[Need, ...]]:
    """Return who goes, at the least total cost, and the slots that nobody fills."""
    rows = np.zeros(len(weighed.barred), np.bool_)
    able = np.flatnonzero(weighed.barred < 0)
    if not slots or not len(able):
        return rows, tuple(slots)
    fits = np.array([weighed.fleet.makeup.fits(slot)[able] for slot in slots])
    cost = np.where(fits, weighed.cost_s[able], _NEVER)
    slot, column = linear_sum_assignment(cost)
    filled = cost[slot, column] < _NEVER
    rows[able[column[filled]]] = True
    left = set(range(len(slots))) - {int(one) for one in slot[filled]}
    return rows, tuple(slots[k] for k in sorted(left))


def _fits(need: Need, unit: Unit, can: frozenset[str]) -> bool:
    return unit.crew >= need.crew and need.capabilities <= can and need.agency in {None, unit.agency}


def queue(incidents: Iterable[Incident]) -> list[Incident]:
    """Return incidents in the order in which they wait: the most urgent first, then the oldest."""
    return sorted(incidents, key=lambda one: (one.priority, one.received_at, one.incident_id))
