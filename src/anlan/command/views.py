"""Records as JSON."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from shapely.geometry.base import BaseGeometry

from anlan.kernel.alerts import Grounds
from anlan.kernel.answers import (
    AlertNow,
    AreaCoverage,
    AreaNow,
    BorderFlow,
    BorderNow,
    CurvePoint,
    DeviceNow,
    DeviceProposal,
    Forecast,
    LineFlow,
    Mark,
    PlaceNow,
    Suspicion,
    Watch,
    Why,
)
from anlan.kernel.geo import to_geojson
from anlan.kernel.ingress import Receipt
from anlan.kernel.records import Change, Estimate, Label, Observation
from anlan.kernel.weather import HourAhead, WeatherHour, WeatherNow, WeatherReceipt

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


def border(made: BorderNow) -> Json:
    """Return what goes over the district's border."""
    return {"at": moment(made.at), "people": _over(made.people), "vehicles": _over(made.vehicles)}


def _over(made: BorderFlow) -> Json:
    known = made.in_per_min is not None and made.out_per_min is not None
    return {
        "in_per_minute": rounded(made.in_per_min, 1),
        "out_per_minute": rounded(made.out_per_min, 1),
        "net_per_minute": rounded((made.in_per_min or 0.0) - (made.out_per_min or 0.0), 1) if known else None,
        "net_sd_per_minute": rounded(made.net_sd_per_min, 1),
        "counted_in_per_minute": rounded(made.counted_in_per_min, 1),
        "counted_out_per_minute": rounded(made.counted_out_per_min, 1),
        "over_s": made.over_s,
        "lines": list(made.lines),
        "silent": list(made.silent),
    }


def flow(made: LineFlow) -> Json:
    """Return the people over a drawn line."""
    return {
        "per_minute": rounded(made.per_min, 1),
        "low": rounded(made.low_per_min, 1),
        "high": rounded(made.high_per_min, 1),
        "in_per_minute": rounded(made.in_per_min, 1),
        "out_per_minute": rounded(made.out_per_min, 1),
        "width_m": round(made.width_m, 1),
        "counted_share": rounded(made.counted_share, 3),
        "devices": list(made.devices),
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
        "usual": None if made.usual is None else round(made.usual),
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
    return {"at": moment(made.at), **{name: rounded(n) for name, n in numbers.items()}, "hidden": made.hidden}


def forecast(made: Forecast) -> Json:
    """Return a forecast with what it rests on."""
    return {
        "made_at": moment(made.made_at),
        "basis": None if made.basis is None else str(made.basis),
        "by_weather": made.by_weather,
        "days": round(made.days, 1),
        "points": [point(one) for one in made.points],
    }


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
        "delay_s": rounded(now.delay_s, 1),
        "last": None if last is None else scalars(last),
        "per_minute": rounded(now.per_minute, 2),
        "suspicion": None if now.suspicion is None else suspicion(now.suspicion),
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


def suspicion(of: Suspicion) -> Json:
    """Return what a device is suspected of, with its evidence."""
    return {
        "fault": str(of.fault),
        "left_out": of.left_out,
        "since_at": moment(of.since_at),
        "counted_per_min": rounded(of.counted_per_min, 2),
        "expected_per_min": rounded(of.expected_per_min, 2),
        "minutes": of.minutes,
        "off_s": rounded(of.off_s, 1),
        "ratio": rounded(of.ratio, 3),
    }


def area_coverage(of: AreaCoverage) -> Json:
    """Return how well an area is seen, and by what."""
    return {
        "id": of.area_id,
        "name": dict(of.name),
        "relative_sd": rounded(of.coverage.relative_sd, 3),
        "unseen_sd": rounded(of.coverage.unseen_sd, 3),
        "seen_share": rounded(of.coverage.seen_share, 3),
        "told_by": list(of.coverage.told_by),
    }


def proposal(of: DeviceProposal) -> Json:
    """Return a site for a new device."""
    return {
        "kind": str(of.kind),
        "name": dict(of.name),
        "geometry": to_geojson(of.geometry),
        "narrows": rounded(of.narrows, 4),
        "sd_left": rounded(of.sd_left, 4),
    }


def alert(now: AlertNow, clock_at: datetime) -> Json:
    """Return an alert: what is announced, since when, why, and what those on duty have done about it."""
    made, kind_of, own_id = now.alert, *now.alert.subject_id.split(":", 1)
    expected = made.expected_at
    return {
        "id": made.alert_id,
        "subject": {"kind": kind_of, "id": own_id, "name": dict(now.name)},
        "kind": str(made.kind),
        "rung": made.rung.name.lower(),
        "highest": made.highest.name.lower(),
        "since_at": moment(made.since_at),
        "changed_at": moment(made.changed_at),
        "reached_at": moment(made.reached_at),
        "expected_at": moment(expected),
        "lead_s": None if expected is None else max(rounded((expected - clock_at).total_seconds()) or 0.0, 0.0),
        "ended_at": moment(made.ended_at),
        "unknown": None if made.unknown is None else str(made.unknown),
        "grounds": None if made.grounds is None else grounds(made.grounds),
        "standing": now.standing,
        "version": now.version,
        "acknowledged": mark(now.acknowledged),
        "closed": mark(now.closed),
    }


def grounds(made: Grounds) -> Json:
    """Return the rule behind an alert, its source, its numbers and its devices."""
    return {
        "measure": str(made.measure),
        "limit": made.limit,
        "also": None if made.also is None else str(made.also),
        "above": made.above,
        "source": made.source if isinstance(made.source, str) else dict(made.source),
        "value": rounded(made.value, 4),
        "sd": rounded(made.sd, 4),
        "probability": rounded(made.probability, 3),
        "ahead_s": made.ahead_s,
        "occupancy": rounded(made.occupancy),
        "net_inflow": rounded(made.net_inflow, 3),
        "other": rounded(made.other, 3),
        "devices": list(made.devices),
        "rests_on": [str(one) for one in made.rests_on],
    }


def mark(made: Mark | None) -> Json | None:
    """Return who has seen or closed something, when, and the note."""
    return None if made is None else {"by": made.by, "at": moment(made.at), "note": made.note}


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


def weather(now: WeatherNow) -> Json:
    """Return the weather as it is known."""
    return {
        "at": moment(now.at),
        "measured": None if now.measured is None else weather_hour(now.measured),
        "ahead": [weather_hour(one) for one in now.ahead],
    }


def weather_hour(hour: WeatherHour | HourAhead) -> Json:
    """Return an hour of weather, null where it is unknown."""
    return {
        "time": moment(hour.begin_at),
        "rain_mm": rounded(hour.rain_mm, 1),
        "temperature_c": rounded(hour.temperature_c, 1),
    }


def weather_receipt(made: WeatherReceipt) -> Json:
    """Return what became of a message of weather."""
    return {"measured": made.n_measured, "foreseen": made.n_foreseen}


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
