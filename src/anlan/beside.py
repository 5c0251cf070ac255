"""What numbers are counted from beside cases: incidents and arrivals, shifts of volunteers, how well devices see.

Each source says since when it is kept, so that a quiet month can be told from one of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from anlan.crowd.sensing import Sensing
from anlan.indicators import Period, PeriodKind, period_named, period_of
from anlan.kernel.areas import AreaTree
from anlan.kernel.entries import Entry, Source
from anlan.kernel.pack import Pack
from anlan.kernel.response import NO_CALL
from anlan.reach import Reach
from anlan.store import Keeping, SqlStore
from anlan.volunteers import Hall
from anlan.volunteers.rostering import between

INCIDENTS, VOLUNTEERS, DEVICES = "incidents.read", "volunteers.read", "devices.read"
"""The rights without which nobody is told of single entries."""
SEEN = "coverage_month"


def sources_of(pack: Pack, store: SqlStore, reach: Reach, hall: Hall) -> dict[str, Source]:
    """Return the sources of a district beside its cases, by name."""

    def opened_at() -> datetime | None:
        first = store.changes(limit=1)
        return first[0].at if first else None

    tree, zone = pack.areas, ZoneInfo(pack.time_zone)
    made = (
        Source("incident", INCIDENTS, opened_at, lambda begin, _end: _incidents(reach, tree, begin)),
        Source("response", INCIDENTS, opened_at, lambda begin, _end: _arrivals(reach, pack, begin)),
        Source("shift", VOLUNTEERS, opened_at, lambda begin, end: _shifts(hall, tree, begin, end)),
        Source("coverage", DEVICES, lambda: _seen_since(store), lambda _begin, _end: _seen(store, tree, zone)),
    )
    return {one.name: one for one in made}


def keep_coverage(store: SqlStore, sensing: Sensing, pack: Pack, at: datetime) -> None:
    """Keep how well the devices see each area at this moment, in the place of what was kept of the same month.

    So the last of a month is how it ended. Nothing is kept before the first estimate.
    """
    level = "committee" if any(one.key == "committee" for one in pack.areas.levels) else pack.areas.levels[-1].key
    told: dict[str, Any] = {}
    for one in sensing.areas(level):
        polygon = pack.areas.area(one.area_id).polygon
        if one.coverage.seen_share is not None and polygon is not None:
            told[one.area_id] = [100 * one.coverage.seen_share, pack.projection.project(polygon).area]
    if told:
        month = period_of(PeriodKind.MONTH, at, ZoneInfo(pack.time_zone)).name
        store.keep([Keeping(kind=SEEN, key=month, body={"at": at.isoformat(), "areas": told})])


def _lies(tree: AreaTree, area_id: str | None) -> dict[str, str]:
    known = area_id if area_id is not None and area_id in tree else tree.root.area_id
    return {one.level: one.area_id for one in tree.path(known)}


def _incidents(reach: Reach, tree: AreaTree, begin_at: datetime) -> Iterator[Entry]:
    for now in reach.incidents(begin_at):
        one = now.incident
        if one.outcome not in NO_CALL:
            yield Entry(
                entry_id=one.incident_id, source="incident", from_at=one.received_at, until_at=one.closed_at,
                areas=_lies(tree, one.area_id), values={"kind": one.kind, "priority": one.priority},
            )  # fmt: skip


def _arrivals(reach: Reach, pack: Pack, begin_at: datetime) -> Iterator[Entry]:
    """Yield the first arrival of each incident; one to which nobody came ends when it is closed, and has no time."""
    for now in reach.incidents(begin_at):
        one = now.incident
        if one.outcome in NO_CALL:
            continue
        values: dict[str, Any] = {
            "kind": one.kind, "key_area": one.place_id is not None and pack.place(one.place_id).key,
        }  # fmt: skip
        if one.on_scene_at is not None:
            values["response_s"] = (one.on_scene_at - one.received_at).total_seconds()
        yield Entry(
            entry_id=one.incident_id, source="response", from_at=one.received_at,
            until_at=one.on_scene_at or one.closed_at, areas=_lies(pack.areas, one.area_id), values=values,
        )  # fmt: skip


def _shifts(hall: Hall, tree: AreaTree, begin_at: datetime, end_at: datetime) -> Iterator[Entry]:
    """Yield shifts; the hours of one are known when its station has completed it."""
    for one in between(hall, begin_at, end_at):
        values: dict[str, Any] = {"state": one.state}
        if one.state == "completed":
            values |= {"hours_given": one.minutes / 60, "n_came": one.n_came}
        yield Entry(
            entry_id=one.shift_id, source="shift", from_at=one.begin_at, until_at=one.end_at,
            areas=_lies(tree, one.area_id), values=values,
        )  # fmt: skip


def _seen_since(store: SqlStore) -> datetime | None:
    return min((datetime.fromisoformat(one.body["at"]) for one in store.kept(SEEN)), default=None)


def _seen(store: SqlStore, tree: AreaTree, zone: ZoneInfo) -> Iterator[Entry]:
    """Yield how well each area was seen in each month, as it was when the month ended."""
    for kept in store.kept(SEEN):
        month: Period = period_named(PeriodKind.MONTH, kept.key, zone)
        for area_id, (share_percent, area_m2) in kept.body["areas"].items():
            yield Entry(
                entry_id=f"{area_id}/{kept.key}", source="coverage", from_at=month.from_at, until_at=month.until_at,
                areas=_lies(tree, area_id), values={"share_percent": share_percent, "area_m2": area_m2},
            )  # fmt: skip
