"""Schematic outlines for areas that nobody has drawn: equal shares of a subdistrict's streets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import shapely
from scipy.optimize import linear_sum_assignment
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from anlan.kernel.areas import Area
from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D, Floats, Projection
from anlan.kernel.records import Street
from anlan.pack.outlines import COMMITTEE_LEVEL, Committee

_SAMPLE_M = 20.0
_ROUNDS = 120
_FEW_PER_CELL = 8


def committee_areas(
    committees: Sequence[Committee], parents: Sequence[Area], streets: Sequence[Street], plane: Projection
) -> list[Area]:
    """Return an outline for each committee, dividing every subdistrict among those that name it.

    The subdistrict is cut into a power diagram whose cells hold equal street length, a stand-in for doors. A
    committee that bears the name of a street gets, as far as can be, the cell where that street runs; the others are
    dealt by code. The outlines are schematic.

    Raises
    ------
    BadInput
        If a committee names a subdistrict that has no polygon.

    References
    ----------
    Aurenhammer, Hoffmann, Aronov (1998), "Minkowski-type theorems and least-squares clustering", Algorithmica 20:
    cells of given capacity are a power diagram; its weights are found here by damped ascent.
    """
    by_street: dict[str, list[Committee]] = {}
    for committee in committees:
        by_street.setdefault(committee.street_code, []).append(committee)
    drawn = {area.area_id: area for area in parents if area.polygon is not None}
    strangers = [code for code in by_street if code not in drawn]
    if strangers:
        raise BadInput(
            f"street_code={strangers[0]!r} of committee {by_street[strangers[0]][0].code!r}",
            "must be the code of an outlined area",
            f"use one of {', '.join(list(drawn)[:5])} …, or give that outline",
        )
    areas: list[Area] = []
    lines = np.array([plane.project(street.line) for street in streets if street.walk], dtype=object)
    names = [street.name for street in streets if street.walk]
    for code, members in by_street.items():
        parent = drawn[code]
        polygon = plane.project(parent.polygon)
        inside = shapely.intersects(polygon, lines)
        cells = divide(polygon, _along(lines[inside], polygon), len(members))
        namesakes = _namesakes(members, lines[inside], [n for n, is_in in zip(names, inside, strict=True) if is_in])
        for committee, cell in zip(members, _dealt(cells, namesakes), strict=True):
            areas.append(
                Area(
                    area_id=committee.code,
                    level=COMMITTEE_LEVEL,
                    parent_id=code,
                    name=committee.name,
                    polygon=plane.unproject(cell),
                )
            )
    return areas


def divide(polygon: Area2D, points: Floats, n_cells: int) -> list[Area2D]:
    """Return a division of the polygon (metres) into cells that hold equally many of the points.

    Parameters
    ----------
    polygon : Polygon or MultiPolygon
        What is divided, in metres.
    points : array of shape (n, 2)
        What the cells share, in metres; where there are few, a raster of the polygon is added.
    n_cells : int
        How many cells.
    """
    if n_cells == 1:
        return [polygon]
    if len(points) < _FEW_PER_CELL * n_cells:
        points = np.vstack([points.reshape(-1, 2), _raster(polygon, _FEW_PER_CELL * n_cells)])
    sites = _spread(points, n_cells)
    weights = np.zeros(n_cells)
    target = len(points) / n_cells
    step_m2 = polygon.area / n_cells
    for k in range(_ROUNDS):
        cost = ((points[:, None, :] - sites[None, :, :]) ** 2).sum(axis=2) - weights
        owner = cost.argmin(axis=1)
        counts = np.bincount(owner, minlength=n_cells)
        if k < _ROUNDS // 2:  # first let the cells find their places, then only balance them
            for axis in range(2):
                sums = np.bincount(owner, weights=points[:, axis], minlength=n_cells)
                sites[counts > 0, axis] = sums[counts > 0] / counts[counts > 0]
        weights += 0.3 * step_m2 * (1 - k / _ROUNDS) * np.clip((target - counts) / target, -1, 1)
    return [_cell(polygon, sites, weights, k) for k in range(n_cells)]


def _along(lines: npt.NDArray[np.object_], polygon: Area2D) -> Floats:
    """Return a point every 20 m along the parts of the lines that lie in the polygon."""
    parts = shapely.segmentize(shapely.intersection(lines, polygon), _SAMPLE_M)
    return shapely.get_coordinates(parts)


def _raster(polygon: Area2D, n_points: int) -> Floats:
    west, south, east, north = polygon.bounds
    size = np.sqrt(polygon.area / n_points) / 2
    x, y = np.meshgrid(np.arange(west + size / 2, east, size), np.arange(south + size / 2, north, size))
    shapely.prepare(polygon)
    inside = shapely.contains_xy(polygon, x.ravel(), y.ravel())
    return np.column_stack([x.ravel()[inside], y.ravel()[inside]])


def _spread(points: Floats, n: int) -> Floats:
    """Return n of the points, each as far as can be from those before."""
    chosen = [int(np.lexsort((points[:, 0], -points[:, 1]))[0])]
    nearest = np.full(len(points), np.inf)
    for _ in range(n - 1):
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    return points[chosen].astype(float)


def _cell(polygon: Area2D, sites: Floats, weights: Floats, k: int) -> Area2D:
    """Return cell ``k`` of the power diagram: the half-planes against every other site, then the polygon."""
    west, south, east, north = polygon.bounds
    corners = np.array([[west, south], [east, south], [east, north], [west, north]]) + np.array(
        [[-1, -1], [1, -1], [1, 1], [-1, 1]]
    )
    for j in range(len(sites)):
        if j != k and len(corners):
            normal = 2 * (sites[j] - sites[k])
            limit = (sites[j] ** 2).sum() - (sites[k] ** 2).sum() - weights[j] + weights[k]
            corners = _clipped(corners, normal, limit)
    if len(corners) < 3:
        return Polygon()
    cut = shapely.intersection(polygon, Polygon(corners))
    parts = [part for part in shapely.get_parts(cut) if part.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _clipped(corners: Floats, normal: Floats, limit: float) -> Floats:
    """Return the part of a convex polygon where ``normal · x <= limit``."""
    kept = []
    excess = corners @ normal - limit
    for k in range(len(corners)):
        begin, end = excess[k - 1], excess[k]
        if begin * end < 0:
            kept.append(corners[k - 1] + (corners[k] - corners[k - 1]) * begin / (begin - end))
        if end <= 0:
            kept.append(corners[k])
    return np.array(kept)


def _namesakes(
    members: Sequence[Committee], lines: npt.NDArray[np.object_], names: Sequence[Mapping[str, str]]
) -> list[BaseGeometry | None]:
    """Return for each committee the street whose name begins its own, None where there is none."""
    by_name: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        for text in name.values():
            by_name.setdefault(text, []).append(k)
    found: list[BaseGeometry | None] = []
    for committee in members:
        named = [text for text in by_name if any(whole.startswith(text) for whole in committee.name.values())]
        found.append(shapely.union_all(lines[by_name[max(named, key=len)]]) if named else None)
    return found


def _dealt(cells: Sequence[Area2D], namesakes: Sequence[BaseGeometry | None]) -> list[Area2D]:
    """Return the cells in the order of the committees: most of their street for some, the rest from north to south."""
    array = np.array(cells, dtype=object)
    array = array[np.argsort(-shapely.get_coordinates(shapely.centroid(array))[:, 1], kind="stable")]
    cost = np.zeros((len(cells), len(cells)))
    for row, street in enumerate(namesakes):
        if street is not None:
            cost[row] = -shapely.length(shapely.intersection(array, street)) / street.length
    _, chosen = linear_sum_assignment(cost)
    return list(array[chosen])
