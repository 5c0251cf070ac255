"""What may follow what: the states of units and incidents as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from anlan.kernel.errors import BadInput, Conflict
from anlan.kernel.response import Assignment, IncidentState, UnitStatus

S = UnitStatus
UNIT_STEPS: Mapping[UnitStatus, frozenset[UnitStatus]] = {
    S.AVAILABLE: frozenset({S.DISPATCHED, S.OUT_OF_SERVICE}),
    S.DISPATCHED: frozenset({S.EN_ROUTE, S.ON_SCENE, S.AVAILABLE, S.RETURNING, S.DISPATCHED, S.OUT_OF_SERVICE}),
    S.EN_ROUTE: frozenset({S.ON_SCENE, S.AVAILABLE, S.RETURNING, S.DISPATCHED, S.OUT_OF_SERVICE}),
    S.ON_SCENE: frozenset({S.RETURNING, S.AVAILABLE}),
    S.RETURNING: frozenset({S.AVAILABLE, S.DISPATCHED, S.OUT_OF_SERVICE}),
    S.OUT_OF_SERVICE: frozenset({S.AVAILABLE}),
}
"""Every step that a unit may take. A unit that has arrived is never sent elsewhere before it is free; one that breaks
down on its way is out of service at once."""

REPORTED: frozenset[UnitStatus] = frozenset(set(UnitStatus) - {S.DISPATCHED})
"""What a unit may say of itself: it is sent by somebody else."""

INCIDENT_STEPS: Mapping[IncidentState, frozenset[IncidentState]] = {
    IncidentState.WAITING: frozenset({IncidentState.DISPATCHED, IncidentState.CLOSED}),
    IncidentState.DISPATCHED: frozenset({IncidentState.WAITING, IncidentState.ON_SCENE, IncidentState.CLOSED}),
    IncidentState.ON_SCENE: frozenset({IncidentState.WAITING, IncidentState.DISPATCHED, IncidentState.CLOSED}),
    IncidentState.CLOSED: frozenset(),
}
"""An incident that was attended waits again where everybody left before it was closed."""

AHEAD = timedelta(seconds=60)
"""How far a report's clock may be ahead of ours."""


def check_step(unit_id: str, before: UnitStatus, after: UnitStatus) -> None:
    """Refuse a step that is not among ``UNIT_STEPS``.

    Raises
    ------
    Conflict
        If the unit may not go from the one to the other.

    Examples
    --------
    >>> check_step("vehicle-1", UnitStatus.ON_SCENE, UnitStatus.DISPATCHED)
    Traceback (most recent call last):
    anlan.kernel.errors.Conflict: unit 'vehicle-1' is on_scene, from which it may become available or returning, not dispatched; read it again.
    """  # noqa: E501 - a message is one line
    allowed = UNIT_STEPS[before]
    if after not in allowed:
        named = " or ".join(sorted(allowed - {S.DISPATCHED})) or "nothing else"
        raise Conflict(
            f"unit {unit_id!r}", f"is {before}, from which it may become {named}, not {after}", "read it again"
        )


def check_moment(at: datetime, after: datetime | None, now: datetime) -> None:
    """Refuse a step that lies in the future, or before the step it follows.

    Raises
    ------
    BadInput
        If ``at`` is more than a minute ahead of ``now``, or before ``after``.
    """
    if at > now + AHEAD:
        raise BadInput(
            f"at={at.isoformat()}",
            f"must be at most {AHEAD.total_seconds():.0f} s ahead of the district's time, {now.isoformat()}",
            "set the clock of whoever reports",
        )
    if after is not None and at < after:
        raise BadInput(
            f"at={at.isoformat()}", f"must not be before the step it follows ({after.isoformat()})", "read the unit"
        )


def state_of(assignments: Iterable[Assignment], *, closed: bool) -> IncidentState:
    """Return where an incident stands by who is on it now.

    Examples
    --------
    >>> str(state_of([], closed=False))
    'waiting'
    """
    if closed:
        return IncidentState.CLOSED
    going = [one for one in assignments if one.available_at is None]
    if any(one.on_scene_at is not None for one in going):
        return IncidentState.ON_SCENE
    return IncidentState.DISPATCHED if going else IncidentState.WAITING
