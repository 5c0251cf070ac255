"""Who should go: by expected arrival, what is needed, and what would be left; each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from anlan.kernel.geo import Floats
from anlan.kernel.pack import Pack
from anlan.kernel.records import Unit
from anlan.kernel.response import Incident, UnitNow, UnitStatus
from anlan.response.dispatch.ground import SPREAD, Arrival, Ground, arrival
from anlan.response.dispatch.playbooks import Need, Playbook, Playbooks
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
ROLLING = 1 / 3
"""Part of the turn-out that a unit on the move needs."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Who should go to an incident now. ``missing`` is what nobody can fill; ``on_it`` is who goes already."""

    incident_id: str
    at: datetime
    target_s: float
    within_s: float
    """What is left of the target at this moment, s."""
    candidates: tuple[Candidate, ...]
    missing: tuple[Need, ...] = ()
    on_it: tuple[str, ...] = ()
    cover_now: float = 0.0
    cover_after: float = 0.0

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the units that should go."""
        return tuple(one.unit_id for one in self.candidates if one.chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUp:
    """An idle unit that would keep more of the district covered at another post."""

    unit_id: str
    post_id: str
    cover_now: float
    cover_after: float
    travel_s: float


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Fleet:
    """The units as arrays: where they are, by node of their own mode."""

    units: tuple[UnitNow, ...]
    can: tuple[frozenset[str], ...]
    mode: tuple[str | None, ...]
    turnout_s: Floats
    node: Ints
    first_s: Floats
    """From where the unit is to its node, s."""
    known: npt.NDArray[np.bool_]
    free: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Dispatcher:
    """Recommends units. It decides nothing: whoever dispatches may take others, and says why."""

    pack: Pack
    ground: Ground
    playbooks: Playbooks
    busy: float = BUSY
    posts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Where each post or station is, degrees."""

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
        fleet = self._fleet(units)
        on_it = [one for one in units if one.incident_id == incident.incident_id and one.status != UnitStatus.AVAILABLE]
        open_needs = self._open_needs(book, on_it)
        within_s = book.target_s - (at - incident.received_at).total_seconds()
        lost, now = self._cover(fleet)
        if fleet.free.any():  # who is taken from another incident must be replaced there
            lost = np.where(fleet.free, lost, lost[fleet.free].min())
        made = self._candidates(incident, book, fleet, at, (within_s, lost, urgency or {}))
        chosen, missing = self._matched(open_needs, made, fleet)
        order = sorted(
            (replace(one, chosen=True) if k in chosen else one for k, one in enumerate(made)),
            key=lambda one: (not one.chosen, one.barred is not None, one.cost_s or 0.0, one.unit_id),
        )
        return Recommendation(
            incident_id=incident.incident_id,
            at=at,
            target_s=book.target_s,
            within_s=within_s,
            candidates=tuple(order),
            missing=missing,
            on_it=tuple(one.unit.unit_id for one in on_it),
            cover_now=now,
            cover_after=self._cover(fleet, without=chosen)[1],
        )

    def arrivals(self, lon: float, lat: float, units: Sequence[UnitNow], at: datetime) -> dict[str, Arrival]:
        """Return when each unit that can move would be at a point (degrees), by one search for each way of moving."""
        fleet = self._fleet(units)
        made = self._arrivals(lon, lat, fleet, at)
        return {one.unit.unit_id: found for one, found in zip(units, made, strict=True) if found is not None}

    def _candidates(
        self,
        incident: Incident,
        book: Playbook,
        fleet: _Fleet,
        at: datetime,
        weighing: tuple[float, Floats, Mapping[str, int]],
    ) -> list[Candidate]:
        within_s, lost, urgency = weighing
        asked = frozenset().union(*(need.capabilities for need in book.needs))
        price = POINT_PRICE_S.get(incident.priority, 0.0)
        made = []
        for k, (now, found) in enumerate(
            zip(fleet.units, self._arrivals(incident.lon, incident.lat, fleet, at), strict=True)
        ):
            can = fleet.can[k]
            has = tuple(sorted(can & asked))
            barred = self._barred(now, incident, urgency, found)
            if barred is None and not any(_fits(need, now.unit, can) for need in book.needs):
                barred = "not_needed"
            within = None if found is None else found.probability_within(within_s)
            cost = None
            takes = None if now.is_free or barred else now.incident_id
            if barred is None and found is not None and within is not None:
                cost = found.expected_s + LATE_S * (1 - within) + 100 * price * lost[k] + (TAKEN_S if takes else 0.0)
            made.append(
                Candidate(
                    unit_id=now.unit.unit_id,
                    arrival=found,
                    within=within,
                    has=has,
                    crew=now.unit.crew,
                    takes_from=takes,
                    cover_lost=float(lost[k]),
                    cost_s=cost,
                    barred=barred,
                )
            )
        return made

    def _barred(
        self, now: UnitNow, incident: Incident, urgency: Mapping[str, int], found: Arrival | None
    ) -> str | None:
        if now.status in {UnitStatus.OUT_OF_SERVICE, UnitStatus.ON_SCENE}:
            return str(now.status)
        if now.incident_id == incident.incident_id:
            return "assigned"
        if not now.is_free and urgency.get(now.incident_id or "", 0) <= incident.priority:
            return "assigned"
        if found is not None:
            return None
        kind_known = self.playbooks.kind_of(now.unit) is not None
        return "kind_unknown" if not kind_known else "no_position" if now.lon is None else "out_of_reach"

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

    def _matched(
        self, slots: Sequence[Need], made: Sequence[Candidate], fleet: _Fleet
    ) -> tuple[set[int], tuple[Need, ...]]:
        if not slots or not made:
            return set(), tuple(slots)
        cost = np.full((len(slots), len(made)), _NEVER)
        for s, slot in enumerate(slots):
            for k, one in enumerate(made):
                if one.cost_s is not None and _fits(slot, fleet.units[k].unit, fleet.can[k]):
                    cost[s, k] = one.cost_s
        rows, columns = linear_sum_assignment(cost)
        filled = {int(s): int(k) for s, k in zip(rows, columns, strict=True) if cost[s, k] < _NEVER}
        return set(filled.values()), tuple(slot for s, slot in enumerate(slots) if s not in filled)

    # -- where units are, and what they cover ----------------------------------------------------------------------

    def _fleet(self, units: Sequence[UnitNow]) -> _Fleet:
        n = len(units)
        kinds = [self.playbooks.kind_of(one.unit) for one in units]
        told = [one.lon is not None and kind is not None for one, kind in zip(units, kinds, strict=True)]
        known = np.array(told, np.bool_)
        lon = np.array([one.lon or 0.0 for one in units])
        lat = np.array([one.lat or 0.0 for one in units])
        turnout = np.array([0.0 if kind is None else kind.turnout_s for kind in kinds])
        rolling = [one.status in {UnitStatus.RETURNING, UnitStatus.EN_ROUTE} for one in units]
        node, first_s = np.zeros(n, np.int32), np.zeros(n)
        if known.any():
            x, y = self.pack.projection.to_metres(lon, lat)
            mode = np.array([None if kind is None else kind.mode for kind in kinds], dtype=object)
            for key in {kind.mode for kind in kinds if kind is not None}:
                own = np.flatnonzero((mode == key) & known)
                node[own], first_s[own] = self.ground.nearest(key, x[own], y[own])
        return _Fleet(
            units=tuple(units),
            can=tuple(self.playbooks.capabilities_of(one.unit) for one in units),
            mode=tuple(None if kind is None else kind.mode for kind in kinds),
            turnout_s=np.where(rolling, ROLLING * turnout, turnout),
            node=node,
            first_s=first_s,
            known=known,
            free=known & np.array([one.is_free for one in units], np.bool_),
        )

    def _arrivals(self, lon: float, lat: float, fleet: _Fleet, at: datetime) -> list[Arrival | None]:
        x, y = self.pack.projection.to_metres(lon, lat)
        found: list[Arrival | None] = []
        times = {mode: self.ground.times_to_s(mode, float(x), float(y)) for mode in set(fleet.mode) if mode is not None}
        for k, now in enumerate(fleet.units):
            mode = fleet.mode[k]
            travel = np.inf if mode is None or not fleet.known[k] else float(times[mode][fleet.node[k]])
            if not np.isfinite(travel) or mode is None:
                found.append(None)
                continue
            # A unit that stands at its post is where it was, however long ago it said so.
            moves = now.status in {UnitStatus.RETURNING, UnitStatus.EN_ROUTE}
            age_s = (at - now.position_at).total_seconds() if moves and now.position_at else 0.0
            spread = SPREAD.get(mode, 0.3)
            found.append(arrival(fleet.turnout_s[k], travel + fleet.first_s[k], spread, max(age_s, 0.0)))
        return found

    def _rows(self, fleet: _Fleet, without: Iterable[int] = ()) -> npt.NDArray[np.bool_]:
        """Return (units, demand points): which point each free unit reaches in time; nothing of those not free."""
        free = fleet.free.copy()
        free[list(without)] = False
        rows = np.zeros((len(fleet.units), len(self.ground.demand)), np.bool_)
        for k in np.flatnonzero(free):
            kind = self.playbooks.kind_of(fleet.units[k].unit)
            if kind is not None:
                rows[k] = self.ground.covers(kind.mode, COVER_S - kind.turnout_s)[fleet.node[k]]
        return rows

    def _cover(self, fleet: _Fleet, without: Iterable[int] = ()) -> tuple[Floats, float]:
        """Return what goes with each unit that is free, and the expected cover of all that are, as shares."""
        rows = self._rows(fleet, without)
        last, total = self._last(rows.sum(axis=0))
        return np.asarray(rows @ last, float), total

    def _last(self, count: npt.NDArray[np.int64]) -> tuple[Floats, float]:
        """Return what the last unit adds at each point that so many reach, and the cover of all points."""
        weight, q = self.ground.demand.weight, self.busy
        last = np.where(count > 0, weight * (1 - q) * q ** np.maximum(count - 1, 0), 0.0)
        return last, float(weight @ (1 - q**count))

    def cover(self, units: Sequence[UnitNow]) -> float:
        """Return the expected share of demand that the free units reach within three minutes."""
        return self._cover(self._fleet(units))[1]

    def move_up(self, units: Sequence[UnitNow], *, least: float = 0.01) -> MoveUp | None:
        """Return the one move of an idle unit to an empty post that gains most cover; None below ``least``.

        References
        ----------
        Jagtenberg, Bhulai, van der Mei (2015), as above: one unit at a time, when one becomes busy or free.
        """
        fleet = self._fleet(units)
        taken = {one.post_id for one in units if one.status is not UnitStatus.OUT_OF_SERVICE and one.is_free}
        rows = self._rows(fleet)
        count = rows.sum(axis=0)
        now = self._last(count)[1]
        best: tuple[float, int, str] | None = None
        for post_id in (one for one in self.posts if one not in taken):
            for kind in {one.unit.kind for one, free in zip(units, fleet.free, strict=True) if free}:
                own = [k for k in np.flatnonzero(fleet.free) if units[int(k)].unit.kind == kind]
                after = self._after(post_id, kind, rows[own], count)
                k = int(np.argmax(after))
                if after[k] - now >= least and (best is None or after[k] > best[0]):
                    best = float(after[k]), int(own[k]), post_id
        if best is None:
            return None
        after_s, k, post_id = best
        x, y = self.pack.projection.to_metres(*self.posts[post_id])
        travel = self.ground.times_to_s(fleet.mode[k] or "", float(x), float(y))[fleet.node[k]]
        return MoveUp(
            unit_id=units[k].unit.unit_id,
            post_id=post_id,
            cover_now=now,
            cover_after=after_s,
            travel_s=float(travel),
        )

    def _after(self, post_id: str, kind: str, rows: npt.NDArray[np.bool_], count: npt.NDArray[np.int64]) -> Floats:
        """Return the cover after each of these units of a kind has moved to a post."""
        of = self.playbooks.unit_kinds[kind]
        x, y = self.pack.projection.to_metres(*self.posts[post_id])
        node, _ = self.ground.nearest(of.mode, np.array([float(x)]), np.array([float(y)]))
        moved = count + self.ground.covers(of.mode, COVER_S - of.turnout_s)[node[0]]
        last, total = self._last(moved)
        return np.asarray(total - rows @ last, float)


def _fits(need: Need, unit: Unit, can: frozenset[str]) -> bool:
    return unit.crew >= need.crew and need.capabilities <= can and need.agency in {None, unit.agency}


def queue(incidents: Iterable[Incident]) -> list[Incident]:
    """Return incidents in the order in which they wait: the most urgent first, then the oldest."""
    return sorted(incidents, key=lambda one: (one.priority, one.received_at, one.incident_id))
