"""A plan of posts for programs and files: JSON, GeoJSON, a workbook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlan.kernel.errors import Unavailable

if TYPE_CHECKING:
    from anlan.planning import CurveStep, Ground, PostsPlan
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
        "periods": [_period(made.ground, one) for one in plan.periods],
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


def write_files(made: PostsPlan, facts: list[tuple[str, list[list[str]]]], out: Path, lang: str) -> None:
    """Write posts.geojson, plan.xlsx and plan.html into a folder."""
    from anlan.cli.plan_page import plan_page

    try:
        from openpyxl import Workbook
    except ImportError:
        raise Unavailable("library openpyxl", "is not installed", "pip install 'anlan[plan]'") from None
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "posts.geojson").write_text(json.dumps(geojson_of(made), ensure_ascii=False), encoding="utf-8")
        (out / "plan.html").write_text(plan_page(made, lang, facts), encoding="utf-8")
        book = Workbook()
        book.remove(book.worksheets[0])
        for k, (title, rows) in enumerate(facts, 1):
            sheet = book.create_sheet(f"{k}")
            sheet.append([title])
            for row in rows:
                sheet.append([_cell(one) for one in row])
        book.save(out / "plan.xlsx")
    except OSError as fault:
        raise Unavailable(f"folder {out}", f"cannot be written ({fault.strerror})", "choose another") from None


def _cell(text: str) -> str | float:
    """Return a number where a cell is one, so that a workbook can compute with it."""
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return text


def geojson_of(made: PostsPlan) -> dict[str, Any]:
    """Return posts of every period, the best vehicles and their rings as GeoJSON."""
    from anlan.cli.plan_page import rings_of
    from anlan.kernel.geo import to_geojson

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
