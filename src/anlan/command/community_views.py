"""Records of the community as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from anlan.command.views import moment, rounded
from anlan.community import Entry, Lists
from anlan.community.points import KINDS, ServicePoint, Share
from anlan.kernel.geo import to_geojson
from anlan.kernel.pack import Pack
from anlan.planning.service_points import KindCoverage
from anlan.store.casebook import Row
from anlan.volunteers.hall import Hall, at_of
from anlan.volunteers.rostering import Mine

Json = dict[str, Any]


def board(lists: Lists, n: dict[str, int]) -> Json:
    """Return the alliances and lists with counts."""
    return {
        "alliances": [
            {"id": one.alliance_id, "name": dict(one.name), "trade": one.trade,
             "trade_name": dict(lists.trades[one.trade]), "area": one.area_id,
             "members": n.get(f"alliance:{one.alliance_id}", 0)}
            for one in lists.alliances.values()
        ],
        "trades": _labels(lists.trades), "skills": _labels(lists.skills), "languages": _labels(lists.languages),
        "volunteers": n["all"], "by_skill": {key: n.get(f"skill:{key}", 0) for key in lists.skills},
        "by_trade": {key: n.get(f"trade:{key}", 0) for key in lists.trades}, "home_level": lists.home_level,
    }  # fmt: skip


def _labels(told: Any) -> Json:
    return {key: dict(label) for key, label in told.items()}


def volunteer(row: Row) -> Json:
    """Return a volunteer as the station sees one."""
    return {
        "id": row["volunteer_id"], "name": row["shown_name"], "home": row["home_id"],
        "skills": json.loads(row["skills"]), "languages": json.loads(row["languages"]),
        "alliances": json.loads(row["alliances"]), "trade": row["trade"] or None,
        "consent_ends_at": moment(at_of(row["ends_at"])),
    }  # fmt: skip


def invitation(row: Row) -> Json:
    """Return an invitation without its link."""
    until_at = moment(at_of(row["until_at"]))
    told = {"id": row["invitation_id"], "label": row["label"], "area": row["area_id"], "left": row["n_left"]}
    return told | {"alliance": row["alliance"] or None, "until_at": until_at}


def shift(one: Mine) -> Json:
    """Return a shift with how it is filled."""
    return {
        "id": one.shift_id, "name": dict(one.name), "at": [one.lon, one.lat], "area": one.area_id,
        "begin_at": moment(one.begin_at), "end_at": moment(one.end_at), "places": one.places,
        "needs": dict(one.needs), "alliance": one.alliance, "state": one.state, "seated": one.n_seated,
        "waiting": one.n_waiting, "offers": one.n_offers,
    }  # fmt: skip


def in_shift(row: Row, entry: Entry) -> Json:
    """Return somebody in a shift."""
    return {"name": row["shown_name"], "skills": json.loads(row["skills"]), "seated": entry.seated,
            "in_at": moment(entry.in_at), "out_at": moment(entry.out_at)}  # fmt: skip


def call_out(row: Row) -> Json:
    """Return a call-out with its counts."""
    radii = json.loads(row["radii"])
    return {
        "id": row["call_out_id"], "matter": row["matter_id"], "at": [row["lon"], row["lat"]], "area": row["area_id"],
        "quota": row["quota"], "words": row["words"], "skills": json.loads(row["skills"]),
        "alliance": row["alliance"] or None, "state": row["state"], "begun_at": moment(at_of(row["begun_at"])),
        "ends_at": moment(at_of(row["ends_at"])), "asked": row["n_asked"], "yes": row["n_yes"], "no": row["n_no"],
        "circle_m": radii[min(row["circle"], len(radii) - 1)], "left": row["n_left"],
    }  # fmt: skip


def point(one: ServicePoint, hall: Hall, at: datetime) -> Json:
    """Return a service point, and whether it is open."""
    return {"id": one.point_id, "kind": one.kind, "kind_name": dict(KINDS[one.kind]), "name": dict(one.name),
            "at": [one.lon, one.lat], "open": one.is_open(at, hall.zone, hall.pack.calendar)}  # fmt: skip


def coverage_of(pack: Pack, found: Sequence[KindCoverage], levels: Sequence[str]) -> Json:
    """Return how points cover the district, with areas as GeoJSON, and the levels that may be asked for."""
    told: dict[str, Json] = {}
    for kind in found:
        for area in kind.areas:
            own = told.setdefault(area.area_id, {"id": area.area_id, "residents": rounded(area.residents, 0)})
            for one in area.shares:
                part = one.ground if one.residents is None else one.residents
                own[f"{kind.kind}_{one.within_s:.0f}"] = rounded(part, 4)
    features = []
    for key, properties in sorted(told.items()):
        area_ = pack.areas.area(key)
        geometry = None if area_.polygon is None else to_geojson(area_.polygon)
        named = {f"name_{language}": text for language, text in area_.name.items()}
        features.append({"type": "Feature", "properties": properties | named, "geometry": geometry})
    kinds = [
        {"kind": one.kind, "kind_name": dict(KINDS[one.kind]), "points": one.n_points, "shares": _shares(one.shares)}
        for one in found
    ]
    return {"kinds": kinds, "levels": list(levels), "areas": {"type": "FeatureCollection", "features": features}}


def _shares(told: Iterable[Share]) -> list[Json]:
    return [
        {"within_s": one.within_s, "residents": rounded(one.residents, 4), "ground": rounded(one.ground, 4)}
        for one in told
    ]
