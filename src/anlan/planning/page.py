"""A plan of posts as one HTML page: map, price curves and tables, drawn here and readable without a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from anlan.kernel.geo import Area2D
from anlan.planning.posts import CurveStep, PostsPlan, hour_of
from anlan.planning.rings import WORDS

WIDTH = 960.0
RING_FILL = ((5.0, "#dbe9f6"), (3.0, "#9ecae1"), (1.0, "#4292c6"))
KIND_FILL = {"vehicle": "#d7301f", "bicycle": "#31a354", "foot": "#756bb1"}

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{padding:.2rem .7rem;border-bottom:1px solid #ccc;text-align:right}
td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}.note{color:#555}.short{color:#b30000}
"""


def plan_page(made: PostsPlan, language: str, facts: Sequence[tuple[str, list[list[str]]]]) -> str:
    """Return the page; ``facts`` are the tables of the terminal, each a title and rows with their heading first."""
    zh, pack = language == "zh", made.ground.pack
    title = f"{made.ground.named(pack.name)} · {'布防方案' if zh else 'Plan of posts'}"
    notes = [made.ground.named(pack.notice), pack.attribution]
    parts = [
        f"<!doctype html><html lang='{'zh-CN' if zh else 'en'}'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width'>",
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1>",
        f"<p class='note'>{escape(' '.join(note for note in notes if note))}</p>",
        _map(made, language),
        f"<h2>{'承诺的代价' if zh else 'The price of a promise'}</h2>",
        _curves(made, zh=zh),
    ]
    for name, rows in facts:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
        parts.append(f"<h2>{escape(name)}</h2><table><tr>{head}</tr>{body}</table>")
    return "\n".join(parts) + "\n"


class _Frame:
    """From the local plane (metres) to the picture."""

    def __init__(self, bounds: tuple[float, float, float, float]) -> None:
        self.west, self.south, self.east, self.north = bounds
        self.scale = WIDTH / max(self.east - self.west, 1.0)
        self.height = max((self.north - self.south) * self.scale, 1.0)

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.west) * self.scale, (self.north - y) * self.scale

    def path(self, geometry: BaseGeometry) -> str:
        """Return the outline of lines and polygons as an SVG path."""
        made = []
        for part in shapely.get_parts(geometry):
            rings = [part.exterior, *part.interiors] if isinstance(part, Polygon) else [part]
            for ring in rings:
                points = [self.at(x, y) for x, y in np.asarray(ring.coords)[:, :2]]
                closed = "" if isinstance(part, LineString) else "Z"
                made.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + closed)
        return "".join(made)


def rings_of(made: PostsPlan) -> list[tuple[float, Area2D]]:
    """Return the ground (degrees) that the best vehicles reach in five, three and one minutes, widest first."""
    ground = made.ground
    network = ground.networks["vehicle"].under(hour_of(made))
    origins = [int(ground.sites[j]) for j in made.seven.plan.posts]
    return [(minutes, network.isochrone(origins, 60 * minutes)) for minutes, _ in RING_FILL]


def _map(made: PostsPlan, language: str) -> str:
    ground, plane, zh = made.ground, made.ground.graph.plane, language == "zh"
    edge = plane.project(ground.pack.boundary)
    frame = _Frame((edge if not edge.is_empty else MultiPolygon([plane.project(made.ground.pack.boundary)])).bounds)
    drawn = [f"<svg viewBox='0 0 {WIDTH:.0f} {frame.height:.0f}' role='img' aria-label='{'地图' if zh else 'map'}'>"]
    for (minutes, area), (_, fill) in zip(rings_of(made), RING_FILL, strict=True):
        outline = frame.path(plane.project(area))
        told = f"<title>{minutes:g} min</title>"
        drawn.append(f"<path d='{outline}' fill='{fill}' fill-rule='evenodd'>{told}</path>")
    lines = shapely.intersection(shapely.union_all(ground.graph.piece_line[:]), shapely.buffer(edge, 200))
    drawn.append(f"<path d='{frame.path(shapely.line_merge(lines))}' fill='none' stroke='#999' stroke-width='.8'/>")
    drawn += [
        f"<path d='{frame.path(plane.project(area))}' fill='#fdae6b' fill-opacity='.45'/>"
        for area in made.asked.key_areas
    ]
    drawn.append(f"<path d='{frame.path(edge)}' fill='none' stroke='#333' stroke-width='2'/>")
    k = made.asked.periods.index(made.slowest)
    for kind, sites in made.plan.periods[k].posts.items():
        for site in sorted(set(sites)):
            x, y = frame.at(*made.ground.site_xy_m[site])
            told = f"{WORDS[kind][0 if zh else 1]} × {sites.count(site)} · {ground.site_name(site)}"
            drawn.append(_dot(x, y, 4.0 if kind == "vehicle" else 3.0, KIND_FILL[kind], told))
    for n, site in enumerate(made.seven.plan.posts, 1):
        x, y = frame.at(*made.ground.site_xy_m[site])
        told = f"{'车' if zh else 'vehicle '}{n} · {ground.site_name(site)}"
        drawn.append(
            f"<g><title>{escape(told)}</title>"
            f"<rect x='{x - 9:.1f}' y='{y - 9:.1f}' width='18' height='18' fill='#08306b'/>"
            f"<text x='{x:.1f}' y='{y + 5:.1f}' fill='#fff' font-size='13' text-anchor='middle'>{n}</text></g>"
        )
    key = [f"<b style='color:{KIND_FILL[one]}'>●</b> {WORDS[one][0 if zh else 1]}" for one in WORDS if _used(made, one)]
    n = len(made.seven.plan.posts)
    best = f"{n} 辆车的最佳驻点与 1、3、5 分钟圈" if zh else f"best posts of {n} vehicles, and their 1, 3 and 5 minutes"
    key.append(f"<b style='color:#08306b'>■</b> {best}")
    when = ground.named(made.slowest.label)
    told = f"{'时段' if zh else 'period'}: {when}"
    return "\n".join(drawn) + f"</svg><p>{' &nbsp; '.join(key)} · {escape(told)}</p>"


def _used(made: PostsPlan, kind: str) -> bool:
    return any(one.posts.get(kind) for one in made.plan.periods)


def _dot(x: float, y: float, radius: float, fill: str, told: str) -> str:
    return (
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{fill}' stroke='#fff' stroke-width='1'>"
        f"<title>{escape(told)}</title></circle>"
    )


def _curves(made: PostsPlan, *, zh: bool) -> str:
    units = [(float(one.n), 100 * one.share, one) for one in made.by_units]
    minutes = [(one.minutes, float(one.n), one) for one in made.by_minutes]
    return _chart(
        units, "车辆数" if zh else "vehicles", "三分钟内到达的需求 %" if zh else "% of demand within 3 min"
    ) + _chart(minutes, "承诺分钟数" if zh else "minutes promised", "驻点数" if zh else "posts that keep it everywhere")


def _chart(points: Sequence[tuple[float, float, CurveStep]], across: str, up: str) -> str:
    """Return a curve with every point told on hovering."""
    wide, high, left, low = 460.0, 260.0, 46.0, 40.0
    top_x, top_y = max(x for x, _, _ in points), max(1.0, *(y for _, y, _ in points))

    def at(x: float, y: float) -> tuple[float, float]:
        return left + (wide - left - 12) * x / top_x, high - low - (high - low - 14) * y / top_y

    line = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y, _ in points)
    drawn = [
        f"<svg viewBox='0 0 {wide:.0f} {high:.0f}' width='{wide:.0f}' role='img' aria-label='{escape(up)}'>",
        f"<polyline points='{line}' fill='none' stroke='#08519c' stroke-width='2'/>",
    ]
    for x, y, one in points:
        drawn.append(_dot(*at(x, y), 4.0, "#08519c" if one.proved else "#6baed6", f"{x:g} → {y:.4g}"))
    for value in _ticks(top_y):
        x, y = at(0, value)
        drawn.append(f"<path d='M{x:.1f} {y:.1f}H{wide - 12:.0f}' stroke='#ddd'/>")
        drawn.append(f"<text x='{x - 5:.1f}' y='{y + 4:.1f}' font-size='11' text-anchor='end'>{value}</text>")
    for value in _ticks(top_x):
        x, y = at(value, 0)[0], high - low + 15
        drawn.append(f"<text x='{x:.1f}' y='{y:.1f}' font-size='11' text-anchor='middle'>{value}</text>")
    drawn.append(
        f"<text x='{wide / 2:.0f}' y='{high - 6:.0f}' font-size='12' text-anchor='middle'>{escape(across)}</text>"
    )
    drawn.append(f"<text x='{left:.0f}' y='11' font-size='12'>{escape(up)}</text></svg>")
    return "\n".join(drawn)


def _ticks(top: float) -> list[int]:
    """Return round whole numbers up to the top, three to six of them: there is no half a post."""
    decade = 10 ** max(0, math.floor(math.log10(top / 4)))
    step = next(one * decade for one in (1, 2, 5, 10) if one * decade >= top / 4 - 1e-9)
    return list(range(0, math.floor(top + 1e-9) + 1, step))
