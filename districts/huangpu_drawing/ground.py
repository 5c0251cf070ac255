"""The ground: land, river and creek, scaled to the district's exact area; curves through what is drawn by hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import shapely
from scipy.interpolate import PchipInterpolator
from shapely.geometry import LineString, Polygon

from anlan.kernel.geo import Projection
from huangpu_drawing import hand

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

LON, LAT = 121.485, 31.219
PLANE = Projection(LON, LAT)
AREA_M2 = 20.52e6
STEP_M = 45.0
_CREEK_HALF_KM = 0.026


@dataclass(frozen=True)
class Ground:
    """The district's outline, its land and water, and the line where land meets river, all in metres."""

    outline: Polygon
    land: Polygon
    water: Polygon
    bank: LineString
    creek: LineString


def curve(points: hand.Line | Floats, step_m: float = STEP_M) -> Floats:
    """Return a smooth curve through points in metres, without overshoot; two points give a straight line."""
    xy = np.asarray(points, float)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    if len(xy) == 2:
        return xy
    at = np.linspace(0.0, along[-1], max(2, round(along[-1] / step_m)) + 1)
    return np.asarray(_tangent_spline(along, xy, at))


def _tangent_spline(along: Floats, xy: Floats, at: Floats) -> Floats:
    """Catmull-Rom by arc length: smooth in direction, and near the polygon of its points."""
    slope = np.gradient(xy, along, axis=0, edge_order=1)
    k = np.clip(np.searchsorted(along, at, side="right") - 1, 0, len(along) - 2)
    span = (along[k + 1] - along[k])[:, None]
    t = (at - along[k])[:, None] / span
    return (
        (2 * t**3 - 3 * t**2 + 1) * xy[k]
        + (t**3 - 2 * t**2 + t) * span * slope[k]
        + (3 * t**2 - 2 * t**3) * xy[k + 1]
        + (t**3 - t**2) * span * slope[k + 1]
    )


@cache
def metres_per_km() -> float:
    """Return how many metres a drawn km is, so that the outline has exactly the district's area."""
    return 1000.0 * float(np.sqrt(AREA_M2 / _outline(1000.0)[0].area))


def metres(points: hand.Line) -> Floats:
    """Return drawn points (km) in metres."""
    return np.asarray(points, float) * metres_per_km()


def _outline(scale: float) -> tuple[Polygon, Polygon, LineString, LineString]:
    bank, middle = curve(np.array(hand.BANK) * scale), curve(np.array(hand.MID_RIVER) * scale)
    creek, west = curve(np.array(hand.CREEK) * scale), np.array(hand.WEST) * scale
    creek_line = LineString(creek)
    mid_creek = shapely.get_coordinates(creek_line.offset_curve(-_CREEK_HALF_KM * scale))  # north of it
    land = Polygon(np.vstack([bank[::-1], creek[1:], west[1:-1]]))
    outline = Polygon(np.vstack([middle[::-1], mid_creek[mid_creek[:, 0] < creek[0, 0]], west]))
    return outline, land, LineString(bank), creek_line


@cache
def draw_ground() -> Ground:
    """Draw land and water."""
    outline, land, bank, creek = _outline(metres_per_km())
    land = land.intersection(outline)
    return Ground(outline, land, outline.difference(land), bank, creek)


def shore(bank: LineString) -> Floats:
    """Return the course of the road along the bank, inland by what is drawn by hand."""
    xy = shapely.get_coordinates(bank)
    at_points = [bank.project(shapely.Point(p)) for p in metres(hand.BANK)]
    along = np.array([bank.project(shapely.Point(p)) for p in xy])
    inland = PchipInterpolator(at_points, np.array(hand.SHORE_M, float))(along)
    heading = np.gradient(xy, axis=0)
    heading /= np.hypot(*heading.T)[:, None]
    return np.asarray(xy + np.column_stack([heading[:, 1], -heading[:, 0]]) * inland[:, None])


def largest(shape: shapely.Geometry) -> Polygon:
    """Return the largest polygon of a shape."""
    return max((p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"), key=lambda p: p.area)
