"""Records as JSON."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from shapely.geometry.base import BaseGeometry

from anlan.kernel.answers import AreaNow, CurvePoint, DeviceNow, PlaceNow, Watch, Why
from anlan.kernel.geo import to_geojson
from anlan.kernel.ingress import Receipt
from anlan.kernel.records import Change, Estimate, Label, Observation

Json = dict[str, Any]


def moment(at: datetime | None) -> str | None:
    """Return a moment in UTC as ISO 8601 with Z."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rounded(value: float | None, digits: int | None = None) -> float | None:
    """Return a number rounded, to a whole one where no digits are asked for; None for what is no number."""
    return None if value is None or not math.isfinite(value) else round(value, digits)


def estimate(made: Estimate) -> Json:
    """Return an estimate: people to a whole, where they can be told."""
    return {
        "at": moment(made.at),
        "occupancy": rounded(made.occupancy),
        "sd": rounded(made.sd, 1),
        "low": rounded(made.low),
        "high": rounded(made.high),
        "level": made.level,
        "density_per_m2": rounded(made.density_per_m2, 4),
        "level_of_service": made.level_of_service,
        "walkable_m2": round(made.walkable_m2),
        "freshness_s": rounded(made.freshness_s),
        "hidden": made.hidden,
        "unknown": None if made.unknown is None else str(made.unknown),
    }


def why(made: Why | None) -> Json | None:
    """Return what made a number, and what would narrow it."""
    if made is None:
        return None
    more = made.narrower
    return {
        "explained": round(made.explained, 3),
        "by_kind": {str(kind): round(share, 3) for kind, share in made.by_kind.items()},
        "sources": [
            {"device": one.device_id, "kind": str(one.kind), "name": dict(one.name), "share": round(one.share, 3)}
            for one in made.sources
        ],
        "narrower": None
        if more is None
        else {
            "kind": str(more.kind),
            "place": more.place_id,
            "at": [more.lon, more.lat],
            "narrowed_by": round(more.narrowed_by, 3),
        },
    }


def point(made: CurvePoint) -> Json:
    """Return a point of a curve."""
    numbers = {"occupancy": made.occupancy, "low": made.low, "high": made.high}
    return {"at": moment(made.at), **{name: rounded(n) for name, n in numbers.items()}}


def place(now: PlaceNow) -> Json:
    """Return a place with its estimate."""
    limits = now.place.thresholds
    return {
        "id": now.place.place_id,
        "name": dict(now.place.name),
        "kind": now.place.kind,
        "capacity": now.place.capacity,
        "closed": now.place.closed,
        "key": now.place.key,
        "thresholds": {
            "notice_per_m2": limits.notice_per_m2,
            "yellow_per_m2": limits.yellow_per_m2,
            "orange_per_m2": limits.orange_per_m2,
            "red_per_m2": limits.red_per_m2,
        },
        "estimate": estimate(now.estimate),
        "share_of_capacity": rounded(now.share_of_capacity, 4),
    }


def area(now: AreaNow) -> Json:
    """Return an area with its estimate."""
    return {
        "id": now.area_id,
        "level": now.level,
        "parent": now.parent_id,
        "name": dict(now.name),
        "estimate": estimate(now.estimate),
    }


def device(now: DeviceNow) -> Json:
    """Return a device, how it does, and its tally."""
    tally, last = now.tally, now.tally.last if now.tally else None
    return {
        "id": now.device.device_id,
        "name": dict(now.device.name),
        "kind": str(now.device.kind),
        "place": now.device.place_id,
        "interval_s": now.device.interval_s,
        "state": str(now.state),
        "reason": now.reason,
        "last_end_at": moment(tally.last_end_at) if tally else None,
        "last": None if last is None else scalars(last),
        "per_minute": rounded(now.per_minute, 2),
        "tally": None
        if tally is None
        else {
            "accepted": tally.n_accepted,
            "late": tally.n_late,
            "out_of_order": tally.n_out_of_order,
            "duplicate": tally.n_duplicate,
            "refused": tally.n_refused,
            "refused_by_code": dict(tally.refused_by_code),
        },
    }


def scalars(seen: Observation) -> Json:
    """Return the plain counts of an observation."""
    return {"in": seen.n_in, "out": seen.n_out, "passed": seen.n_passed, "present": seen.n_present}


def receipt(made: Receipt) -> Json:
    """Return what became of a batch."""
    return {
        "accepted": made.n_accepted,
        "late": made.n_late,
        "out_of_order": made.n_out_of_order,
        "duplicate": made.n_duplicate,
        "refused": [
            {"index": r.index, "device": r.device_id, "code": str(r.code), "message": r.message} for r in made.refusals
        ],
    }


def watch(now: Watch) -> Json:
    """Return a saved polygon with its estimate."""
    return {
        "id": now.watch_id,
        "version": now.version,
        "name": now.name,
        "polygon": to_geojson(now.polygon),
        "estimate": None if now.estimate is None else estimate(now.estimate),
    }


def change(made: Change) -> Json:
    """Return a line of the log."""
    return {
        "id": made.change_id,
        "at": moment(made.at),
        "kind": made.kind,
        "record": made.record_id,
        "version": made.version,
        "action": made.action,
        "actor": made.actor,
        "body": made.body,
        "hash": made.hash,
    }


def feature(geometry: BaseGeometry, feature_id: str, name: Label, **properties: object) -> Json:
    """Return a GeoJSON feature."""
    names = {f"name_{language}": text for language, text in name.items()}
    return {
        "type": "Feature",
        "id": feature_id,
        "geometry": to_geojson(geometry),
        "properties": {"id": feature_id, **names, **properties},
    }


def collection(features: list[Json]) -> Json:
    """Return a GeoJSON feature collection."""
    return {"type": "FeatureCollection", "features": features}
