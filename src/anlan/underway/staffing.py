"""Who is at the zones of a plan: what it asks for, and what the volunteers' shifts there have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import shapely
from shapely.geometry.base import BaseGeometry

from anlan.kernel.access import Scope
from anlan.kernel.clock import parse_moment
from anlan.kernel.pack import Pack
from anlan.matters import Matters, Standing
from anlan.volunteers.hall import Hall
from anlan.volunteers.rostering import shifts

BESIDE_M = 50.0
"""A shift that meets so near a zone is of it."""
READ = "volunteers.read"
Watched: TypeAlias = Callable[[str], BaseGeometry | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffed:
    """A zone: staff and volunteers that the plan asks for, and places and people of the shifts that meet there.

    The last two are None where whoever asks may not read shifts.
    """

    zone: str
    n_staff: int
    n_volunteers: int
    n_places: int | None
    n_seated: int | None


def staffed(matters: Matters, hall: Hall, pack: Pack, watched: Watched, case_id: str, who: Standing) -> list[Staffed]:
    """Return how each zone of a plan is staffed from its begin to its end; nothing where its type tells none of it.

    Parameters
    ----------
    watched : callable
        Gives the outline (degrees) of a watched polygon by its id.

    Raises
    ------
    NotFound
        If there is no such case for them.
    """
    seen = matters.read(case_id, who)
    live = seen.kind.live
    if live is None or live.staffing is None or not live.can_be_rehearsed:
        return []
    zones = {str(row["zone"]): str(row["ground"]) for row in seen.fields.get(live.zones, ())}
    asked = dict.fromkeys(zones, (0, 0))
    for row in seen.fields.get(live.staffing, ()):
        n_staff, n_volunteers = asked.get(row["zone"], (0, 0))
        asked[row["zone"]] = n_staff + int(row["n_staff"]), n_volunteers + int(row.get("n_volunteers") or 0)
    begins, ends = (seen.fields.get(str(name)) for name in (live.begins, live.ends))
    scope = who.scope_of(READ)
    known = bool(scope) and begins is not None and ends is not None
    stretch = (parse_moment(str(begins), "begins"), parse_moment(str(ends), "ends")) if known else None
    given = [] if stretch is None else shifts(hall, scope, *stretch)
    found = []
    for zone, (n_staff, n_volunteers) in asked.items():
        outline = _outline(pack, watched, zones.get(zone, ""))
        if not known or outline is None or not _covers(scope, pack, outline):
            found.append(Staffed(zone=zone, n_staff=n_staff, n_volunteers=n_volunteers, n_places=None, n_seated=None))
            continue
        near = pack.projection.project(outline).buffer(BESIDE_M)
        mine = [
            one for one in given
            if one.state != "cancelled"
            and shapely.intersects(near, pack.projection.project(shapely.Point(one.lon, one.lat)))
        ]  # fmt: skip
        found.append(
            Staffed(
                zone=zone, n_staff=n_staff, n_volunteers=n_volunteers, n_places=sum(one.places for one in mine),
                n_seated=sum(one.n_seated for one in mine),
            )
        )  # fmt: skip
    return found


def _outline(pack: Pack, watched: Watched, ground: str) -> BaseGeometry | None:
    kind, _, own_id = ground.partition(":")
    if kind == "watch":
        return watched(own_id)
    return next((one.polygon for one in pack.places if one.place_id == own_id), None)


def _covers(scope: Scope, pack: Pack, outline: BaseGeometry) -> bool:
    """Tell whether shifts in the middle of a zone may be read."""
    point = outline.representative_point()
    levels = [pack.areas.at(point.x, point.y, one.key) for one in pack.areas.levels]
    return scope.covers({area.area_id for area in levels if area is not None})
