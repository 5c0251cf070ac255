"""Incidents, units, recommendations and the proof as JSON."""

from __future__ import annotations

from typing import Any

from anlan.command.views import moment, rounded
from anlan.kernel.geo import to_geojson
from anlan.kernel.pack import Pack
from anlan.kernel.response import Assignment, IncidentNow, UnitNow
from anlan.response.dispatch import BARS, MoveUp, Need, Playbooks, Recommendation
from anlan.response.dispatch.proof import Proof, Reached
from anlan.response.measures import Share

Json = dict[str, Any]


def incident(now: IncidentNow) -> Json:
    """Return an incident with whoever was sent."""
    one = now.incident
    return {
        "id": one.incident_id,
        "kind": one.kind,
        "name": dict(now.name),
        "priority": one.priority,
        "at": [one.lon, one.lat],
        "area": one.area_id,
        "place": one.place_id,
        "state": str(one.state),
        "received_at": moment(one.received_at),
        "dispatched_at": moment(one.dispatched_at),
        "on_scene_at": moment(one.on_scene_at),
        "closed_at": moment(one.closed_at),
        "outcome": one.outcome,
        "unattended": one.unattended,
        "target_s": now.target_s,
        "version": one.version,
        "note": now.note,
        "reason": now.reason,
        "assignments": [assignment(part) for part in now.assignments],
    }


def assignment(part: Assignment) -> Json:
    """Return one unit's part, with its segments in s."""
    return {
        "id": part.assignment_id,
        "unit": part.unit_id,
        "dispatched_at": moment(part.dispatched_at),
        "en_route_at": moment(part.en_route_at),
        "on_scene_at": moment(part.on_scene_at),
        "available_at": moment(part.available_at),
        "turnout_s": part.turnout_s,
        "travel_s": part.travel_s,
        "response_s": part.response_s,
        "on_scene_s": part.on_scene_s,
        "expected_s": part.expected_s,
        "low_s": part.low_s,
        "high_s": part.high_s,
        "overridden": part.overridden,
        "ended": part.ended,
    }


def unit(now: UnitNow, books: Playbooks) -> Json:
    """Return a unit as it is now."""
    one = now.unit
    return {
        "id": one.unit_id,
        "name": dict(one.name),
        "kind": one.kind,
        "crew": one.crew,
        "capabilities": sorted(books.capabilities_of(one)),
        "agency": one.agency,
        "status": str(now.status),
        "since_at": moment(now.since_at),
        "at": None if now.lon is None or now.lat is None else [now.lon, now.lat],
        "position_at": moment(now.position_at),
        "post": now.post_id,
        "incident": now.incident_id,
        "version": now.version,
    }


def positions(units: list[UnitNow]) -> Json:
    """Return where units are, as the live feed tells it."""
    return {
        "units": [
            [one.unit.unit_id, round(one.lon, 6), round(one.lat, 6), moment(one.position_at)]
            for one in units
            if one.lon is not None and one.lat is not None
        ]
    }


def need(one: Need) -> Json:
    """Return what is asked for."""
    return {"units": one.units, "capabilities": sorted(one.capabilities), "crew": one.crew, "agency": one.agency}


def recommendation(made: Recommendation) -> Json:
    """Return who should go, and the reason of each."""
    return {
        "incident": made.incident_id,
        "at": moment(made.at),
        "reason": None,
        "target_s": made.target_s,
        "left_s": rounded(made.within_s, 1),
        "chosen": list(made.chosen),
        "on_it": list(made.on_it),
        "missing": [need(one) for one in made.missing],
        "cover_now": rounded(made.cover_now, 4),
        "cover_after": rounded(made.cover_after, 4),
        "candidates": _candidates(made),
    }


def nobody_to_send(closed: IncidentNow) -> Json:
    """Return the recommendation of an incident that is closed: none, and the reason."""
    return {
        "incident": closed.incident.incident_id,
        "at": moment(closed.incident.closed_at),
        "reason": "closed",
        "target_s": closed.target_s,
        "left_s": None,
        "chosen": [],
        "on_it": [],
        "missing": [],
        "cover_now": None,
        "cover_after": None,
        "candidates": [],
    }


def _candidates(made: Recommendation) -> list[Json]:
    """Return every unit that could go, or why it could not: from the arrays as they are, for there are hundreds."""
    weighed, fleet = made.weighed, made.weighed.fleet
    found = weighed.arrivals
    places = {"expected_s": 1, "low_s": 1, "high_s": 1, "within": 3, "cover_lost": 4, "cost_s": 1}
    columns: dict[str, list[float]] = {
        "expected_s": found.expected_s.tolist(),
        "low_s": found.low_s.tolist(),
        "high_s": found.high_s.tolist(),
        "within": weighed.within.tolist(),
        "cover_lost": weighed.cover_lost.tolist(),
        "cost_s": weighed.cost_s.tolist(),
    }
    told = {
        name: [None if one != one else round(one, places[name]) for one in column]  # noqa: PLR0124 - NaN is unknown
        for name, column in columns.items()
    }
    barred, taken, chosen = weighed.barred.tolist(), weighed.taken.tolist(), made.rows.tolist()
    units, crew = fleet.makeup.units, fleet.makeup.crew.tolist()
    return [
        {
            "unit": units[k].unit_id,
            "chosen": chosen[k],
            "barred": None if barred[k] < 0 else BARS[barred[k]],
            **{name: column[k] for name, column in told.items()},
            "has": list(weighed.has(k)),
            "crew": crew[k],
            "takes_from": fleet.incident[k] if taken[k] else None,
        }
        for k in made.order
    ]


def move_up(made: MoveUp | None) -> Json | None:
    """Return the move that would gain most cover, if any."""
    if made is None:
        return None
    return {
        "unit": made.unit_id,
        "post": made.post_id,
        "cover_now": rounded(made.cover_now, 4),
        "cover_after": rounded(made.cover_after, 4),
        "travel_s": rounded(made.travel_s, 1),
    }


def playbooks(books: Playbooks) -> Json:
    """Return the kinds of incident, with what each asks for, and the kinds of unit."""
    return {
        "kinds": [
            {
                "kind": one.kind,
                "name": dict(one.name),
                "priority": one.priority,
                "target_s": one.target_s,
                "needs": [need(part) for part in one.needs],
            }
            for one in books.kinds.values()
        ],
        "unit_kinds": [
            {
                "kind": one.kind,
                "name": dict(one.name),
                "mode": one.mode,
                "turnout_s": one.turnout_s,
                "capabilities": sorted(one.capabilities),
            }
            for one in books.unit_kinds.values()
        ],
    }


def posts(pack: Pack) -> list[Json]:
    """Return where units may wait."""
    return [
        {"id": one.post_id, "name": dict(one.name), "at": to_geojson(one.point)["coordinates"]} for one in pack.posts
    ]


def share(made: Share) -> Json:
    """Return a share with its interval."""
    return {
        "n": made.n,
        "of": made.of,
        "share": rounded(made.share, 4),
        "low": rounded(made.low, 4),
        "high": rounded(made.high, 4),
    }


def proof(made: Proof) -> Json:
    """Return what was really reached."""

    def fractiles(told: dict[float, float | None]) -> Json:
        return {f"p{100 * of:g}": rounded(s, 1) for of, s in told.items()}

    def reached(one: Reached) -> Json:
        return {
            "group": one.group,
            "n": one.n,
            "n_reached": one.n_reached,
            "response_s": fractiles(one.response_s),
            "within": {f"{clock:g}": share(part) for clock, part in one.within.items()},
        }

    return {
        "overall": reached(made.overall),
        "by_kind": [reached(one) for one in made.by_kind],
        "by_area": [reached(one) for one in made.by_area],
        "turnout_s": fractiles(made.turnout_s),
        "travel_s": fractiles(made.travel_s),
        "on_scene_s": fractiles(made.on_scene_s),
        "promised": share(made.promised),
        "overridden": share(made.overridden),
        "kept": share(made.kept),
        "broken": [
            {
                "incident": one.incident_id,
                "target_s": one.target_s,
                "late_s": rounded(one.late_s, 1),
                "cause": str(one.cause),
            }
            for one in made.broken
        ],
        "busy": rounded(made.busy, 4),
    }
