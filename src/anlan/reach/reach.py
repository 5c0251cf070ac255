"""Reach: incidents are raised, units are sent and report; every step is one transaction with its line in the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import shapely

from anlan.kernel.clock import Clock, as_utc
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft, Unit
from anlan.kernel.response import (
    Incident,
    IncidentNow,
    PositionReport,
    UnitNow,
    UnitStatus,
)
from anlan.reach.advising import Advice, Crowds
from anlan.reach.books import playbooks_of
from anlan.reach.drafting import Sending, check_can_go, drafts_of_closing, drafts_of_sending, drafts_of_step
from anlan.reach.keeping import OUTCOMES, Kept, freed, note_keeping, position_keeping
from anlan.reach.learning import Learned, learn
from anlan.reach.proving import proven
from anlan.reach.raising import Key, Wanted
from anlan.reach.where import area_of, place_of
from anlan.reach.wire import position_from
from anlan.response.dispatch import (
    REPORTED,
    MoveUp,
    Recommendation,
    check_moment,
    check_position,
    queue,
)
from anlan.response.dispatch.proof import Proof
from anlan.store import Keeping, SqlStore

log = logging.getLogger(__name__)

LONGEST_TEXT = 500
GIVEN_FOR = timedelta(seconds=120)
"""A recommendation that was shown is followed without a reason for so long, whatever has moved since."""
TOLD_EVERY_S = 0.4
"""Positions are told to the screens at most so often (the machine's time, s)."""
KEPT_EVERY_S = 15.0
MANY = 10
"""So many positions at once are taken note of at once; fewer cost whoever asks next less than a tenth of that."""
Told = Callable[[str, dict[str, Any]], None]


class Reach:
    """The incidents and units of a district. Any thread may call; two who act at once are told apart by Conflict."""

    def __init__(self, pack: Pack, store: SqlStore, clock: Clock, tell: Told, crowds: Crowds | None = None) -> None:
        self._pack = pack
        self._clock = clock
        self._tell = tell
        self._kept = Kept(pack, store)
        self.playbooks = playbooks_of(pack.folder)
        self._advice = Advice(pack, clock, self.playbooks, crowds, self._learn)
        self._zone = ZoneInfo(pack.time_zone)
        self._lock = threading.RLock()
        self._given: dict[str, list[tuple[datetime, frozenset[str]]]] = {}
        self._moved: set[str] = set()
        self._unkept: set[str] = set()
        self._told_at = self._flushed_at = 0.0
        shapely.prepare(pack.boundary)

    # -- incidents -------------------------------------------------------------------------------------------------

    def raise_incident(
        self, kind: str, lon: float, lat: float, actor: str, *, priority: int | None = None, note: str = ""
    ) -> IncidentNow:
        """Note that something needs a response.

        Parameters
        ----------
        kind : str
            A kind that a playbook tells of.
        lon, lat : float
            Where, degrees.
        actor : str
            Who notes it.
        priority : int, optional
            1 to 3; that of the playbook where None.
        note : str
            About the need, never about anybody; it is kept beside the log and forgotten in time.

        Raises
        ------
        NotFound
            If no playbook is of that kind.
        BadInput
            If the place is outside the district, the priority none, or the note too long.
        """
        return self._raise(Wanted(kind, lon, lat, priority, note), actor)

    def raise_once(self, wanted: Wanted, key: Key) -> IncidentNow:
        """Note that something needs a response, or return what was noted by the same key before, as it stands now.

        Two who ask at once are served one after the other, so neither is told to wait.

        Raises
        ------
        BadInput
            If the key came with something else before, or as :meth:`raise_incident`.
        """
        with self._lock:
            before = self._kept.raised_by(key.name)
            if before is None:
                return self._raise(wanted, key.actor, key)
            key.check(before, wanted)
            return self.incident(before["incident"])

    def _raise(self, wanted: Wanted, actor: str, key: Key | None = None) -> IncidentNow:
        kind, lon, lat, priority, note = astuple(wanted)
        book = self.playbooks.of(kind)
        if priority is not None and priority not in {1, 2, 3}:
            raise BadInput(f"priority={priority}", "must be 1, 2 or 3", "leave it out for the playbook's own")
        _check_text("note", note)
        if not (np.isfinite(lon) and np.isfinite(lat)) or not self._pack.boundary.intersects(shapely.Point(lon, lat)):
            raise BadInput(
                f"at=({lon}, {lat})", "must lie in the district", "give longitude, latitude in degrees, inside it"
            )
        with self._lock:
            at = self._clock.now()
            made = Incident(
                incident_id=self._next_id(at),
                kind=kind,
                priority=priority or book.priority,
                lon=float(lon),
                lat=float(lat),
                received_at=at,
                area_id=area_of(self._pack, lon, lat),
                place_id=place_of(self._pack, lon, lat),
            )
            kept = [note_keeping(made.incident_id, {"note": note.strip()}, at)] if note.strip() else []
            kept += [key.keeping(wanted, made.incident_id, at)] if key else []
            self._write([self._kept.draft(made, "raise", actor)], at, kept)
            raised = self.incident(made.incident_id)
        self._advice.expect(lon, lat)  # the next thing that is asked is who should go
        return raised

    def incident(self, incident_id: str) -> IncidentNow:
        """Return one incident with whoever was sent; NotFound where there is none of that id."""
        with self._lock:
            made = self._now(self._kept.incident(incident_id))
            beside = self._kept.note(incident_id)
        return replace(made, note=beside.get("note"), reason=beside.get("reason"))

    def incidents(self, since_at: datetime | None = None) -> list[IncidentNow]:
        """Return the open incidents as they wait, and those that were closed after a moment, newest first."""
        with self._lock:
            every = list(self._kept.incidents.values())
            open_ones = queue(one for one in every if one.closed_at is None)
            past = [one for one in every if one.closed_at and since_at and one.closed_at >= since_at]
            past.sort(key=lambda one: one.closed_at or one.received_at, reverse=True)
            return [self._now(one) for one in [*open_ones, *past]]

    def recommend(self, incident_id: str) -> Recommendation:
        """Return who should go now, each with the reason.

        Raises
        ------
        NotFound
            If there is no such incident.
        Conflict
            If it is closed.
        """
        with self._lock:
            incident = self._open(incident_id)
            units = self.units()
            urgency = {one.incident_id: one.priority for one in self._kept.incidents.values() if one.closed_at is None}
        at = self._clock.now()
        made = self._advice.dispatcher().recommend(incident, units, at, urgency)
        with self._lock:
            kept = [one for one in self._given.get(incident_id, ()) if at - one[0] <= GIVEN_FOR]
            self._given[incident_id] = [*kept, (at, frozenset(made.chosen))]
        return made

    def dispatch(
        self, incident_id: str, unit_ids: Sequence[str], actor: str, *, reason: str = "", version: int | None = None
    ) -> IncidentNow:
        """Send units to an incident, all or none.

        A unit that no recommendation of the last two minutes named needs a reason. One that is on its way to a less
        urgent incident is taken from it, which then waits again.

        Raises
        ------
        NotFound
            If there is no such incident or unit.
        BadInput
            If no unit is named, one twice, or the reason is missing or too long.
        Conflict
            If the incident is closed or has changed since ``version``, or a unit cannot be sent: somebody was sooner.
        """
        if not unit_ids or len(set(unit_ids)) != len(unit_ids):
            raise BadInput(f"units={list(unit_ids)}", "must name at least one unit, each once", "list the units")
        _check_text("reason", reason)
        self._open(incident_id)
        recommended = self._recently(incident_id) or self.recommend(incident_id).chosen
        against = set(unit_ids) - set(recommended)
        if against and not reason.strip():
            raise BadInput(
                f"units={sorted(against)}",
                "are not the recommended ones, which needs a reason",
                "say why in a few words",
            )
        with self._lock:
            incident = self._open(incident_id)
            if version is not None and version != incident.version:
                raise Conflict(
                    f"incident {incident_id!r}", f"has changed since version {version}", "read it again and decide"
                )
            at = self._clock.now()
            units = [self._kept.unit(one) for one in unit_ids]
            for unit in units:
                check_can_go(self._kept, unit, incident)
            arrivals = self._advice.dispatcher().arrivals(incident.lon, incident.lat, units, at)
            sending = Sending(incident, units, arrivals, frozenset(against), actor, at)
            kept = []
            if against:
                beside = self._kept.note(incident_id) | {"reason": reason.strip()}
                kept = [note_keeping(incident_id, beside, at)]
            self._write(drafts_of_sending(self._kept, sending), at, kept)
            self._given.pop(incident_id, None)
        return self.incident(incident_id)

    def recall(self, incident_id: str, unit_id: str, actor: str) -> IncidentNow:
        """Call a unit back that is not needed; Conflict where it is not on that incident or has arrived."""
        with self._lock:
            unit = self._kept.unit(unit_id)
            if unit.incident_id != incident_id or unit.status is UnitStatus.ON_SCENE:
                raise Conflict(f"unit {unit_id!r}", f"is not on the way to incident {incident_id!r}", "read it again")
            self._step(unit, UnitStatus.RETURNING, actor, self._clock.now())
            return self.incident(incident_id)

    def close(self, incident_id: str, outcome: str, actor: str) -> IncidentNow:
        """Close an incident with what came of it; whoever is still on it is free from now on.

        Raises
        ------
        BadInput
            If the outcome is none of ``OUTCOMES``.
        Conflict
            If it is closed already.
        """
        _check_outcome(outcome)
        with self._lock:
            incident = self._open(incident_id)
            at = self._clock.now()
            self._write(drafts_of_closing(self._kept, incident, outcome, actor, at), at)
            self._given.pop(incident_id, None)
            return self.incident(incident_id)

    # -- units -----------------------------------------------------------------------------------------------------

    def units(self) -> list[UnitNow]:
        """Return every unit as it is now, by id."""
        with self._lock:
            return [self._kept.units[key] for key in sorted(self._kept.units)]

    def unit(self, unit_id: str) -> UnitNow:
        """Return one unit; NotFound where there is none of that id."""
        return self._kept.unit(unit_id)

    def home(self, unit_id: str) -> tuple[float, float] | None:
        """Return where a unit belongs, degrees: its post, else its station; None where it has neither."""
        unit = self._kept.unit(unit_id)
        spot = self._kept.spots.get(unit.unit.post_id or unit.unit.station_id or "")
        return None if spot is None else (spot.x, spot.y)

    def add_unit(self, unit: Unit, lon: float, lat: float, actor: str) -> UnitNow:
        """Add a unit that the pack does not have: one lent by a neighbour, a patrol of one night.

        Raises
        ------
        Conflict
            If there is one of that id.
        BadInput
            If its kind stands in no playbook, it has no crew, or it is too far away.
        """
        if unit.unit_id in self._kept.units:
            raise Conflict(f"unit {unit.unit_id!r}", "exists already", "choose another id")
        if self.playbooks.kind_of(unit) is None:
            raise BadInput(
                f"kind={unit.kind!r}", f"must be one of {', '.join(self.playbooks.unit_kinds)}", "choose one"
            )
        if unit.crew < 1:
            raise BadInput(f"crew={unit.crew}", "must be >= 1 persons", "give how many go with it")
        with self._lock:
            at = self._clock.now()
            made = UnitNow(unit=unit, status=UnitStatus.AVAILABLE, since_at=at, post_id=unit.post_id)
            check_position(
                PositionReport(unit_id=unit.unit_id, at=at, lon=lon, lat=lat), made, at, self._pack.projection
            )
            made = replace(made, lon=lon, lat=lat, position_at=at)
            self._write([self._kept.draft(made, "add", actor)], at, [position_keeping(made)])
            self._kept.units[unit.unit_id] = replace(self._kept.units[unit.unit_id], lon=lon, lat=lat, position_at=at)
            return self._kept.unit(unit.unit_id)

    def remove_unit(self, unit_id: str, actor: str) -> None:
        """Remove a unit that was added; Conflict where it belongs to the pack, or is on an incident."""
        with self._lock:
            unit = self._kept.unit(unit_id)
            if any(one.unit_id == unit_id for one in self._pack.units):
                raise Conflict(f"unit {unit_id!r}", "belongs to the district pack", "set it out of service")
            if unit.incident_id is not None:
                raise Conflict(f"unit {unit_id!r}", f"is on incident {unit.incident_id!r}", "recall it first")
            forgotten = replace(unit, position_at=None)
            self._write([self._kept.ended(unit_id, actor)], self._clock.now(), [position_keeping(forgotten)])

    def step(
        self, unit_id: str, status: str, actor: str, at: datetime | None = None, *, outcome: str | None = None
    ) -> UnitNow:
        """Take a unit's next step, as it or somebody on duty reports it.

        Whoever leaves the scene as the last one and says what came of it closes the incident with that ``outcome``;
        without one, the incident waits again.

        Reported again, nothing happens: a terminal without a net sends again what it does not know to have arrived.

        Raises
        ------
        BadInput
            If there is no such status, it is not for a unit to say, or the moment cannot be.
        Conflict
            If it may not follow the present one.
        """
        _check_outcome(outcome, optional=True)
        if status not in set(REPORTED):
            raise BadInput(f"status={status!r}", f"must be one of {', '.join(sorted(REPORTED))}", "choose one")
        with self._lock:
            unit = self._kept.unit(unit_id)
            after = UnitStatus(status)
            if unit.status is after:
                return unit
            now = self._clock.now()
            moment = now if at is None else as_utc(at, "at")
            check_moment(moment, unit.since_at, now)
            self._step(unit, after, actor, moment, outcome if unit.status is UnitStatus.ON_SCENE else None)
            return self._kept.unit(unit_id)

    def move(self, unit_id: str, post_id: str, actor: str) -> UnitNow:
        """Give an idle unit another post to wait at; Conflict where it is not free."""
        with self._lock:
            unit = self._kept.unit(unit_id)
            if post_id not in self._kept.spots:
                raise NotFound(f"post {post_id!r}", "does not exist", "list the posts of the pack")
            if not unit.is_free:
                raise Conflict(f"unit {unit_id!r}", f"is {unit.status}, and not free", "choose an idle one")
            self._write([self._kept.draft(replace(unit, post_id=post_id), "move", actor)], self._clock.now())
            return self._kept.unit(unit_id)

    def report(self, reports: Iterable[PositionReport]) -> tuple[int, list[AnlanError | None]]:
        """Take positions; return how many counted, and for each what is wrong with it, None where nothing is.

        Only the last position of a unit is kept. One that is older than what is known is left without a word.
        """
        faults: list[AnlanError | None] = []
        n = 0
        with self._lock:
            now = self._clock.now()
            for one in reports:
                fault: AnlanError | None = None
                try:
                    before = self._kept.unit(one.unit_id)
                    if check_position(one, before, now, self._pack.projection):
                        self._kept.units[one.unit_id] = replace(
                            before, lon=one.lon, lat=one.lat, position_at=as_utc(one.at, "at")
                        )
                        self._moved.add(one.unit_id)
                        self._unkept.add(one.unit_id)
                        n += 1
                except (BadInput, NotFound) as refused:
                    fault = refused
                faults.append(fault)
            units = self.units() if n >= MANY else []
        if units:  # while those who report wait, and not those who ask
            self._advice.follow(units)
        self._tell_positions()
        return n, faults

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a position that came by MQTT.

        Raises
        ------
        BadInput, NotFound
            If it cannot be read or believed, or there is no such unit.
        """
        _, faults = self.report([position_from(topic, payload)])
        if faults[0] is not None:
            raise faults[0]

    def move_up(self) -> MoveUp | None:
        """Return the one move of an idle unit that would gain most cover, None where none is worth it."""
        return self._advice.dispatcher().move_up(self.units())

    def cover(self) -> float:
        """Return the expected share of demand that the free units reach within three minutes."""
        return self._advice.dispatcher().cover(self.units())

    def soonest_s(self, x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return how soon the first free unit would be at each point (metres), s; infinite beyond five minutes."""
        return self._advice.soonest_s(self.units(), x_m, y_m)

    # -- proving ---------------------------------------------------------------------------------------------------

    def prove(self, since_at: datetime | None = None) -> Proof:
        """Return what was really reached since a moment: incidents that are closed, or that somebody has reached."""
        with self._lock:
            return proven(self._kept, self.playbooks, since_at, self._clock.now())

    # -- keeping up ------------------------------------------------------------------------------------------------

    def warm(self) -> None:
        """Build what the first recommendation would wait for."""
        if not self._pack.units:
            return
        try:
            self._advice.learn()
            self._advice.dispatcher().cover(self.units())
            for one in [*self._kept.incidents.values()]:
                if one.closed_at is None:
                    self._advice.expect(one.lon, one.lat)
        except AnlanError as fault:
            log.warning("nobody can be recommended: %s", fault)

    def beat(self) -> None:
        """Keep the last positions, tell those that were not told yet, and look at crowds; called every second or so."""
        self._tell_positions()
        if self._advice.keep_up():
            self.warm()  # learns once a day, and in this thread: nobody who asks waits for it
        if time.monotonic() - self._flushed_at >= KEPT_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Keep the last positions now."""
        with self._lock:
            waiting = [position_keeping(self._kept.units[one]) for one in self._unkept if one in self._kept.units]
            self._unkept.clear()
            self._flushed_at = time.monotonic()
        if waiting:
            self._kept.keep(waiting)

    def reset(self) -> None:
        """Close whatever is open and call everybody back, where a played district begins another day."""
        with self._lock:
            open_ones = [one.incident_id for one in self._kept.incidents.values() if one.closed_at is None]
            for one in open_ones:
                self.close(one, "withdrawn", "anlan")
            at = self._clock.now()
            busy = [one for one in self._kept.units.values() if one.status is not UnitStatus.AVAILABLE]
            idle = [freed(one, UnitStatus.AVAILABLE, at) for one in busy]
            self._write([self._kept.draft(one, "available", "anlan") for one in idle], at)
            forgotten = []
            for key, unit in self._kept.units.items():
                spot = self._kept.spots.get(unit.post_id or unit.unit.station_id or "")
                where = (unit.lon, unit.lat) if spot is None else (spot.x, spot.y)
                made = replace(unit, lon=where[0], lat=where[1], position_at=None, since_at=None)
                self._kept.units[key] = made
                forgotten.append(position_keeping(made))
            self._unkept.clear()
            self._kept.keep(forgotten)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _learn(self) -> Learned:
        with self._lock:
            kept = self._kept
            incidents, parts, units = [*kept.incidents.values()], [*kept.assignments.values()], [*kept.units.values()]
        return learn(self._pack, incidents, parts, units, self._clock.now())

    def _recently(self, incident_id: str) -> set[str]:
        at = self._clock.now()
        with self._lock:
            given = [units for when, units in self._given.get(incident_id, ()) if at - when <= GIVEN_FOR]
        return set().union(*given)

    def _step(self, unit: UnitNow, after: UnitStatus, actor: str, at: datetime, outcome: str | None = None) -> None:
        self._write(drafts_of_step(self._kept, unit, after, actor, at, outcome), self._clock.now())

    def _write(self, drafts: Sequence[Draft], at: datetime, keeping: Sequence[Keeping] = ()) -> None:
        if not drafts:
            return
        made: tuple[Change, ...] = self._kept.apply(drafts, at, keeping)
        for change in made:
            self._tell("change", {"change": change})

    def _tell_positions(self) -> None:
        with self._lock:
            if not self._moved or time.monotonic() - self._told_at < TOLD_EVERY_S:
                return
            self._moved.clear()
            self._told_at = time.monotonic()
            units = [one for one in self._kept.units.values() if one.lon is not None]
        self._tell("units", {"units": units})

    def _now(self, incident: Incident) -> IncidentNow:
        book = self.playbooks.kinds.get(incident.kind)
        return IncidentNow(
            incident=incident,
            name={} if book is None else book.name,
            assignments=tuple(self._kept.assignments_of(incident.incident_id)),
            target_s=None if book is None else book.target_s,
        )

    def _open(self, incident_id: str) -> Incident:
        incident = self._kept.incident(incident_id)
        if incident.closed_at is not None:
            raise Conflict(f"incident {incident_id!r}", "is closed", "raise a new one")
        return incident

    def _next_id(self, at: datetime) -> str:
        day = f"{at.astimezone(self._zone):%Y%m%d}"
        used = [int(one.rpartition("-")[2]) for one in self._kept.incidents if one.startswith(f"{day}-")]
        return f"{day}-{max(used, default=0) + 1:03d}"


def _check_text(name: str, text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise BadInput(f"{name} of {len(text)} characters", f"must have at most {LONGEST_TEXT}", "shorten it")


def _check_outcome(outcome: str | None, *, optional: bool = False) -> None:
    if outcome not in OUTCOMES and not (optional and outcome is None):
        raise BadInput(f"outcome={outcome!r}", f"must be one of {', '.join(OUTCOMES)}", "choose one")
