"""What others would use for the same sums, and how long a call takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import exactextract
import geopandas
import numpy as np
import numpy.typing as npt
import shapely
from exactextract.raster import NumPyRasterSource
from shapely.geometry.base import BaseGeometry

from anlan.crowd import Cells
from anlan.crowd.scan import PARTS

Floats = npt.NDArray[np.float64]
ROUNDS = 5
METRES = "EPSG:32651"
METRES_WKT = geopandas.GeoSeries([], crs=METRES).crs.to_wkt()
"""A peer wants a name for the plane; any in metres will do."""


def median_ms(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median time of several calls, after one that is not counted."""
    act()
    took = []
    for _ in range(rounds):
        begin = time.perf_counter()
        act()
        took.append(time.perf_counter() - begin)
    return 1000 * float(np.median(took))


def error(guess: Floats, exact: Floats) -> float:
    """Return the summed absolute difference in per cent."""
    return 100 * float(np.abs(guess - exact).sum() / exact.sum())


def parts(cells: Cells, persons: Floats) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Return the persons in each part of a cell, and its square (metres)."""
    sheet = cells.cut(persons[:, None])[..., 0]
    row, column = np.nonzero(sheet)
    size = cells.size_m / PARTS
    west, south = cells.west_m + column * size, cells.south_m + row * size
    return sheet[row, column], shapely.box(west, south, west + size, south + size)


def exact_sums(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]) -> Floats:
    """Return the sums by exact areas of intersection with each part of a cell."""
    held, squares = parts(cells, persons)
    tree = shapely.STRtree(squares)
    polygon, part = tree.query(list(plane), predicate="intersects")
    inside = shapely.area(shapely.intersection(np.array(plane)[polygon], squares[part]))
    return np.bincount(polygon, inside / (cells.size_m / PARTS) ** 2 * held[part], len(plane))


def by_exactextract(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]) -> Floats:
    """Return the sums by exactextract, over a raster of the parts of cells."""
    east, north = cells.west_m + cells.n_columns * cells.size_m, cells.south_m + cells.n_rows * cells.size_m
    sheet = cells.cut(persons[:, None])[::-1, :, 0]
    raster = NumPyRasterSource(sheet, cells.west_m, cells.south_m, east, north, srs_wkt=METRES_WKT)
    frame = geopandas.GeoDataFrame(geometry=list(plane), crs=METRES)
    made = exactextract.exact_extract(raster, frame, ["sum"], output="pandas")
    return np.asarray(made["sum"], float)


def by_geopandas(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]) -> Floats:
    """Return the sums of cells whose centre lies inside, by a spatial join."""
    points = geopandas.GeoDataFrame({"persons": persons}, geometry=geopandas.points_from_xy(cells.x_m, cells.y_m))
    shapes = geopandas.GeoDataFrame({"k": range(len(plane))}, geometry=list(plane))
    joined = geopandas.sjoin(points, shapes, predicate="within")
    return np.bincount(joined["k"], joined["persons"], len(plane))
