"""A plan of posts for programs and files: JSON, GeoJSON, a workbook."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from anlan.kernel.errors import Unavailable
from anlan.kernel.geo import to_geojson
from anlan.planning.facts import Facts, facts_of
from anlan.planning.ground import Ground
from anlan.planning.page import plan_page, rings_of
from anlan.planning.papers import workbook_of
from anlan.planning.posts import CurveStep, PostsPlan
from anlan.planning.rings import ring_form
from anlan.response.posting import PeriodPlan, RingKept


def _where(ground: Ground, site: int) -> dict[str, Any]:
    lon, lat = ground.graph.lon_lat([ground.sites[site]])[0]
    return {"name": ground.site_name(site), "lon": round(float(lon), 6), "lat": round(float(lat), 6)}


def as_json_of(made: PostsPlan) -> dict[str, Any]:
    """Return the plan as JSON for programs."""
    plan, seven = made.plan, made.seven
    return {
        "unit_hours": plan.objective,
        "bound": plan.bound,
        "proved": plan.proved,
        "gap": plan.gap,
        "kept": plan.kept,
        "demand": made.demand.source,
        "asked": {
            "rings": [ring_form(one) for one in made.asked.rings],
            "key_areas": [dict(one) for one in made.asked.key_names],
        },
        "busy_agrees": None if made.settled is None else made.settled.agreed,
        "periods": [
            {**_period(made.ground, one), "busy": hours.busy if made.asked.busy is None else made.asked.busy}
            for one, hours in zip(plan.periods, made.asked.periods, strict=True)
        ],
        "by_minutes": [_step(one) for one in made.by_minutes],
        "by_units": [_step(one) for one in made.by_units],
        "vehicles": {
            "period": seven.period,
            "posts": [{**_where(made.ground, site), "worth": seven.worth.get(site, 0.0)} for site in seven.plan.posts],
            "shares": [{"minutes": minutes, "share": share} for minutes, share in seven.shares],
            "proved": seven.plan.proved,
            "gap": seven.plan.gap,
        },
    }


def _period(ground: Ground, one: PeriodPlan) -> dict[str, Any]:
    return {
        "period": one.period,
        "hours": one.hours,
        "units": one.n_units,
        "at_least": one.fewest,
        "posts": [
            {"kind": kind, "units": sites.count(site), **_where(ground, site)}
            for kind, sites in one.posts.items()
            for site in sorted(set(sites))
        ],
        "rings": [_ring(ring) for ring in one.rings],
    }


def _ring(ring: RingKept) -> dict[str, Any]:
    return {
        "ring": ring.ring,
        "units_needed": ring.need,
        "share": ring.share,
        "reached": ring.reached,
        "reliable": ring.reliable,
        "kept": ring.kept,
        "beyond": [
            {"name": lost.name, "nearest_s": lost.nearest_s, "nearest_m": lost.nearest_m} for lost in ring.beyond
        ],
    }


def _step(one: CurveStep) -> dict[str, Any]:
    return {"units": one.n, "minutes": one.minutes, "share": one.share, "bound": one.bound, "proved": one.proved}


def write_files(made: PostsPlan, facts: Facts, out: Path, lang: str) -> None:
    """Write posts.geojson, plan.xlsx and plan.html into a folder."""
    book = workbook_of(facts)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "posts.geojson").write_text(json.dumps(geojson_of(made), ensure_ascii=False), encoding="utf-8")
        (out / "plan.html").write_text(plan_page(made, lang, facts), encoding="utf-8")
        (out / "plan.xlsx").write_bytes(book)
    except OSError as fault:
        raise Unavailable(f"folder {out}", f"cannot be written ({fault.strerror})", "choose another") from None


def geojson_of(made: PostsPlan) -> dict[str, Any]:
    """Return posts of every period, the best vehicles and their rings as GeoJSON."""
    told, features = as_json_of(made), []
    for minutes, area in rings_of(made):
        features.append(
            {"type": "Feature", "properties": {"what": "ring", "minutes": minutes}, "geometry": to_geojson(area)}
        )
    groups = [("post", {"period": one["period"]}, one["posts"]) for one in told["periods"]]
    groups.append(("best_vehicle", {"period": told["vehicles"]["period"]}, told["vehicles"]["posts"]))
    for what, more, every in groups:
        for one in every:
            rest = {name: value for name, value in one.items() if name not in {"lon", "lat"}}
            point = {"type": "Point", "coordinates": [one["lon"], one["lat"]]}
            features.append({"type": "Feature", "properties": {"what": what, **more, **rest}, "geometry": point})
    return {"type": "FeatureCollection", "attribution": made.ground.pack.attribution, "features": features}


def told_of(made: PostsPlan, languages: tuple[str, ...] = ("zh", "en")) -> dict[str, Any]:
    """Return all that is kept of a plan: numbers, map, and in each language its tables and its page."""
    in_words = {one: replace(made, ground=replace(made.ground, language=one)) for one in languages}
    facts = {one: facts_of(plan, one) for one, plan in in_words.items()}
    return {
        "plan": as_json_of(made),
        "geojson": geojson_of(made),
        "facts": {one: [[title, rows] for title, rows in tables] for one, tables in facts.items()},
        "page": {one: plan_page(plan, one, facts[one]) for one, plan in in_words.items()},
    }
