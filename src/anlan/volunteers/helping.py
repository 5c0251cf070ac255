"""First helpers of an incident: volunteers near it are called while units are on their way, until it is closed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from anlan.kernel.access import Scope
from anlan.kernel.errors import Conflict, NotFound
from anlan.reach import Reach
from anlan.store.casebook import Row
from anlan.volunteers.calling import Wanted, beat, call_out
from anlan.volunteers.hall import Hall

MATTER = "incident:"
HOURS = 2.0
PATIENCE_S = 45.0
RADII_M = (300.0, 600.0, 1200.0)
"""Whoever lives farther away is not a first helper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """How many first helpers are wanted, what they must be able to do, and what they are told of the need."""

    quota: int
    words: str
    skills: Collection[str] = ()


def first_helpers(hall: Hall, reach: Reach, incident_id: str, wanted: Helpers, who: tuple[Scope, str]) -> Row:
    """Call volunteers near an incident; ``who`` is where the actor may call, and who that is.

    They are told the need in the caller's words and the area, never the incident's note or its point: that they see
    on the spot. Nobody is asked twice for one incident, however often somebody calls.

    Raises
    ------
    NotFound
        If there is no such incident.
    Conflict
        If it is closed.
    """
    scope, actor = who
    incident = reach.incident(incident_id).incident
    if incident.closed_at is not None:
        raise Conflict(f"incident {incident_id!r}", "is closed", "raise a new one")
    new = Wanted(
        lon=incident.lon, lat=incident.lat, quota=wanted.quota, words=wanted.words, skills=wanted.skills, hours=HOURS,
        matter_id=MATTER + incident_id, radii_m=RADII_M, patience_s=PATIENCE_S,
    )  # fmt: skip
    return call_out(hall, new, scope, actor)


def tend(hall: Hall, reach: Reach) -> int:
    """Do what call-outs have due; those of an incident that was closed end. Asked every second."""

    def is_over(matter_id: str) -> bool:
        if not matter_id.startswith(MATTER):
            return False
        try:
            return reach.incident(matter_id.removeprefix(MATTER)).incident.closed_at is not None
        except NotFound:
            return True

    return beat(hall, is_over)
