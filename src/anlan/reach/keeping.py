"""Incidents, units and assignments as records, and back. What must be forgotten lies beside the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from anlan.kernel.errors import NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft, Json
from anlan.kernel.response import Assignment, Incident, UnitNow, UnitStatus
from anlan.reach.raising import RAISED
from anlan.store import Keeping, SqlStore

INCIDENT, UNIT, ASSIGNMENT = "incident", "unit", "assignment"
NOTE, POSITION = "incident_note", "unit_position"
NOTE_DAYS = 30
"""A note about the need, and the reason of an override, are forgotten after so many days."""
POSITION_HOURS = 24
OUTCOMES = ("resolved", "handed_over", "nothing_found", "false_report", "duplicate", "withdrawn")
"""What can have come of an incident; ``withdrawn`` also where a played district begins another day."""


class Kept:
    """What the store holds of reach, in memory; it changes only with the log, all or nothing."""

    def __init__(self, pack: Pack, store: SqlStore) -> None:
        self._store = store
        self.incidents: dict[str, Incident] = {}
        self.assignments: dict[str, Assignment] = {}
        self.of_incident: dict[str, list[str]] = {}
        self.units: dict[str, UnitNow] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self.spots = {one.post_id: one.point for one in pack.posts}
        self.spots |= {one.station_id: one.point for one in pack.stations}
        for unit in pack.units:
            self.units[unit.unit_id] = self._at_post(UnitNow(unit=unit, status=UnitStatus.AVAILABLE), unit.post_id)
        for kind in (INCIDENT, ASSIGNMENT, UNIT):
            for record in store.records(kind):
                self._take(kind, record.record_id, record.version, record.body)
        for kept in store.kept(POSITION):
            if kept.key in self.units:
                at = datetime.fromisoformat(kept.body["at"])
                self.units[kept.key] = replace(
                    self.units[kept.key], lon=kept.body["lon"], lat=kept.body["lat"], position_at=at
                )

    # -- reading ---------------------------------------------------------------------------------------------------

    def incident(self, incident_id: str) -> Incident:
        """Return an incident; NotFound where there is none of that id."""
        try:
            return self.incidents[incident_id]
        except KeyError:
            raise NotFound(f"incident {incident_id!r}", "does not exist", "list the incidents") from None

    def unit(self, unit_id: str) -> UnitNow:
        """Return a unit; NotFound where there is none of that id."""
        try:
            return self.units[unit_id]
        except KeyError:
            raise NotFound(f"unit {unit_id!r}", "does not exist", "list the units") from None

    def assignments_of(self, incident_id: str) -> list[Assignment]:
        """Return who was sent to an incident, in the order of sending."""
        return [self.assignments[one] for one in self.of_incident.get(incident_id, ())]

    def note(self, incident_id: str) -> Json:
        """Return the note and the reason of an incident, where they are still kept."""
        found = self._store.kept(NOTE, incident_id)
        return found[0].body if found else {}

    def raised_by(self, key: str) -> Json | None:
        """Return what was raised by a key, and by which request; None where nothing is kept of it."""
        found = self._store.kept(RAISED, key)
        return found[0].body if found else None

    # -- writing ---------------------------------------------------------------------------------------------------

    def apply(self, drafts: Sequence[Draft], at: datetime, keeping: Iterable[Keeping] = ()) -> tuple[Change, ...]:
        """Write drafts with their lines in the log, then take them over; nothing changes where one is refused."""
        made = self._store.apply(drafts, at=at, keeping=list(keeping))
        for change in made:
            self._take(change.kind, change.record_id, change.version, change.body)
        return made

    def keep(self, keeping: Sequence[Keeping]) -> None:
        """Keep or forget what the log need not tell of."""
        self._store.keep(keeping)

    def draft(self, what: Incident | Assignment | UnitNow, action: str, actor: str) -> Draft:
        """Return the draft of one thing as it is to be."""
        if isinstance(what, Incident):
            kind, key = INCIDENT, what.incident_id
            body: Json = msgspec.to_builtins(what)
        elif isinstance(what, Assignment):
            kind, key = ASSIGNMENT, what.assignment_id
            body = msgspec.to_builtins(what)
        else:
            kind, key = UNIT, what.unit.unit_id
            body = msgspec.to_builtins(what)
            for name in ("lon", "lat", "position_at"):  # where a unit was is nothing for a log that never forgets
                del body[name]
        body.pop("version", None)
        return Draft(
            kind=kind,
            record_id=key,
            action=action,
            actor=actor,
            body=body,
            expected_version=self._versions.get((kind, key)),
        )

    def ended(self, unit_id: str, actor: str) -> Draft:
        """Return the draft that ends a unit."""
        version = self._versions.get((UNIT, unit_id))
        return Draft(kind=UNIT, record_id=unit_id, action="remove", actor=actor, body=None, expected_version=version)

    def _take(self, kind: str, key: str, version: int, body: Json | None) -> None:
        if body is None:
            self._versions.pop((kind, key), None)
            if kind == UNIT:
                self.units.pop(key, None)
            return
        self._versions[kind, key] = version
        if kind == INCIDENT:
            self.incidents[key] = replace(msgspec.convert(body, Incident), version=version)
        elif kind == ASSIGNMENT:
            made = msgspec.convert(body, Assignment)
            self.assignments[key] = made
            own = self.of_incident.setdefault(made.incident_id, [])
            if key not in own:
                own.append(key)
        elif kind == UNIT:
            now = replace(msgspec.convert(body, UnitNow), version=version)
            before = self.units.get(key)
            if before is None:  # one that was added; what one of the pack is, the pack says, which may have changed
                self.units[key] = self._at_post(now, now.post_id)
            else:
                self.units[key] = replace(
                    now, unit=before.unit, lon=before.lon, lat=before.lat, position_at=before.position_at
                )

    def _at_post(self, now: UnitNow, post_id: str | None) -> UnitNow:
        """Return a unit that never told a position, at its post or station."""
        spot = self.spots.get(post_id or now.unit.station_id or "")
        home = replace(now, post_id=post_id)
        return home if spot is None else replace(home, lon=spot.x, lat=spot.y)


def note_keeping(incident_id: str, body: Json, at: datetime) -> Keeping:
    """Return the keeping of a note that is forgotten in time."""
    return Keeping(kind=NOTE, key=incident_id, body=body, forget_at=at + timedelta(days=NOTE_DAYS))


def position_keeping(now: UnitNow) -> Keeping:
    """Return the keeping of a unit's last position; it replaces the one before."""
    at = now.position_at
    body = None if at is None else {"lon": now.lon, "lat": now.lat, "at": at.isoformat()}
    until = None if at is None else at + timedelta(hours=POSITION_HOURS)
    return Keeping(kind=POSITION, key=now.unit.unit_id, body=body, forget_at=until)


def over(assignment: Assignment, at: datetime, ended: str) -> Assignment:
    """Return a part that is over."""
    return replace(assignment, available_at=at, ended=ended)


def freed(unit: UnitNow, status: UnitStatus, at: datetime) -> UnitNow:
    """Return a unit that is on no incident any more."""
    return replace(unit, status=status, since_at=at, incident_id=None, assignment_id=None)
