"""Incidents, units and assignments: what needs a response, who responds, and when each segment of it began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anlan.kernel.records import Label, Unit

NO_CALL = frozenset({"withdrawn", "duplicate"})
"""Outcomes of what was never a call of its own."""


class UnitStatus(StrEnum):
    """What a unit is doing. The steps between them are data: ``response.dispatch.UNIT_STEPS``."""

    AVAILABLE = "available"
    DISPATCHED = "dispatched"
    """It was told, and has not set out."""
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    RETURNING = "returning"
    """Free again, and on the way to its post."""
    OUT_OF_SERVICE = "out_of_service"


class IncidentState(StrEnum):
    """Where an incident stands."""

    WAITING = "waiting"
    """Nobody is assigned to it."""
    DISPATCHED = "dispatched"
    """Somebody is assigned, nobody has arrived."""
    ON_SCENE = "on_scene"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that needs a response: a kind, a place and the times of it. It has no field for who called, or why.

    ``dispatched_at`` and ``on_scene_at`` are of the first unit. ``priority`` 1 is the highest.
    """

    incident_id: str
    kind: str
    priority: int
    lon: float
    lat: float
    received_at: datetime
    state: IncidentState = IncidentState.WAITING
    area_id: str | None = None
    """The finest area that has a drawn ground under it."""
    place_id: str | None = None
    dispatched_at: datetime | None = None
    on_scene_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    unattended: bool = False
    """True where it was closed before anybody arrived."""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One unit's part in an incident, in the segments of APCO and NFPA: told, set out, arrived, free again.

    ``expected_s``, ``low_s``, ``high_s`` are what was promised when it was sent, from then to arrival, s.
    """

    assignment_id: str
    incident_id: str
    unit_id: str
    received_at: datetime
    dispatched_at: datetime
    en_route_at: datetime | None = None
    on_scene_at: datetime | None = None
    available_at: datetime | None = None
    expected_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None
    nominal_s: float | None = None
    """What streets and turn-out alone let expect when it was sent, s: from this, arrivals are learned."""
    overridden: bool = False
    """True where somebody sent it against the recommendation, with a reason that is kept beside the log."""
    ended: str | None = None
    """``cleared``, ``recalled`` before it arrived, or ``pre_empted`` by a more urgent incident."""

    @property
    def turnout_s(self) -> float | None:
        """From told to set out, s."""
        return _between(self.dispatched_at, self.en_route_at)

    @property
    def travel_s(self) -> float | None:
        """From set out to arrived, s."""
        return _between(self.en_route_at, self.on_scene_at)

    @property
    def response_s(self) -> float | None:
        """From the incident's receipt to this unit's arrival, s."""
        return _between(self.received_at, self.on_scene_at)

    @property
    def on_scene_s(self) -> float | None:
        """From arrived to free again, s."""
        return _between(self.on_scene_at, self.available_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNow:
    """A unit as it is now. Only its last position is ever kept: there is no record of where it has been."""

    unit: Unit
    status: UnitStatus
    since_at: datetime | None = None
    """When it took this status; None where it never took another."""
    lon: float | None = None
    lat: float | None = None
    position_at: datetime | None = None
    """When it was there; None where it has never said, and is taken to be at its post."""
    post_id: str | None = None
    incident_id: str | None = None
    assignment_id: str | None = None
    version: int = 0

    @property
    def is_free(self) -> bool:
        """True where it can be sent without taking it from anybody."""
        return self.status in {UnitStatus.AVAILABLE, UnitStatus.RETURNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReport:
    """Where a unit says that it was."""

    unit_id: str
    at: datetime
    lon: float
    lat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNow:
    """An incident with everybody who was sent to it, and the note about the need while it is kept."""

    incident: Incident
    name: Label
    """Of its kind."""
    assignments: tuple[Assignment, ...] = ()
    note: str | None = None
    reason: str | None = None
    """Why somebody sent others than recommended, while it is kept."""
    target_s: float | None = None


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()
