"""Count: how right, how sure and how fast, beside what others would use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import exactextract
import geopandas
import numpy as np
import numpy.typing as npt
import shapely
from exactextract.raster import NumPyRasterSource
from shapely.geometry.base import BaseGeometry

import accuracy
from anlan.crowd import Cells, Counter, Estimator
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from row import Row

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


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Accuracy against the simulated truth, then speed against peers."""
    yield from accuracy.rows(quick=quick, say=say)
    yield from speed(say)


def speed(say: Callable[[str], None]) -> Iterator[Row]:
    """Time the minute's step, a late grid, and a thousand polygons."""
    pack = read_pack(find_pack("huangpu"))
    cells = Cells.of(pack)
    estimator, counter = Estimator(pack, cells), Counter(pack, cells)
    scenario = scenarios(pack)[0]
    begin_at = scenario.opens_at
    state = estimator.start(begin_at)
    plain, late = [], []
    for minute in simulate(pack, scenario, 1, begin_at, begin_at + timedelta(minutes=40), ()):
        ripe = [seen for seen in minute.observations if seen.end_at <= minute.at]
        begin = time.perf_counter()
        state = estimator.advance(state, ripe, minute.at)
        took = 1000 * (time.perf_counter() - begin)
        (late if any(seen.counts is not None for seen in ripe) else plain).append(took)
    say("filter stepped")
    yield Row(
        id="1.20",
        what=f"minute step, {len(cells):,} cells, 106 devices",
        value=float(np.median(plain)),
        unit="ms",
        goal="<= 40",
        ok=float(np.median(plain)) <= 40,
    )
    yield Row(
        id="1.21",
        what="minute step that takes in a grid 5 min late",
        value=float(np.median(late)),
        unit="ms",
        goal="<= 500",
        ok=float(np.median(late)) <= 500,
    )
    field = estimator.field(state)
    polygons = accuracy.random_polygons(pack, cells, 1000, np.random.default_rng(9))
    plane = [pack.projection.project(polygon) for polygon in polygons]
    exact = exact_sums(cells, field.persons, plane)

    def means() -> Floats:
        return np.array([field.persons[index] @ share for index, share in map(cells.shares, plane)])

    peers = {
        "exactextract": lambda: by_exactextract(cells, field.persons, plane),
        "geopandas": lambda: by_geopandas(cells, field.persons, plane),
    }
    told = "; ".join(
        f"{name} {median_ms(act, 1):,.0f} ms, error {error(act(), exact):.2f} %" for name, act in peers.items()
    )
    yield Row(id="1.22", what="1,000 polygons, mean", value=median_ms(means), unit="ms", peer=told)
    yield Row(
        id="1.23",
        what="1,000 polygons, error against exact areas",
        value=error(means(), exact),
        unit="%",
        goal="<= 0.1",
        ok=error(means(), exact) <= 0.1,
    )
    parts = [cells.shares(polygon) for polygon in plane]
    yield Row(
        id="1.24",
        what="1,000 polygons with interval, cells known",
        value=median_ms(lambda: counter.many(field, parts, state.present.at), 2),
        unit="ms",
    )
    one = counter.shares(polygons[0])
    yield Row(
        id="1.25",
        what="one polygon with interval",
        value=median_ms(lambda: counter.many(field, [one], state.present.at), 50),
        unit="ms",
    )


def error(guess: Floats, exact: Floats) -> float:
    """Return the summed absolute difference in per cent."""
    return 100 * float(np.abs(guess - exact).sum() / exact.sum())


def exact_sums(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]) -> Floats:
    """Return the sums by exact areas of intersection."""
    west = cells.west_m + cells.column * cells.size_m
    south = cells.south_m + cells.row * cells.size_m
    squares = shapely.box(west, south, west + cells.size_m, south + cells.size_m)
    tree = shapely.STRtree(squares)
    polygon, cell = tree.query(list(plane), predicate="intersects")
    parts = shapely.area(shapely.intersection(np.array(plane)[polygon], squares[cell])) / cells.size_m**2
    return np.bincount(polygon, parts * persons[cell], len(plane))


def by_exactextract(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]) -> Floats:
    """Return the sums by exactextract."""
    east, north = cells.west_m + cells.n_columns * cells.size_m, cells.south_m + cells.n_rows * cells.size_m
    raster = NumPyRasterSource(cells.raster(persons, 0.0), cells.west_m, cells.south_m, east, north, srs_wkt=METRES_WKT)
    frame = geopandas.GeoDataFrame(geometry=list(plane), crs=METRES)
    made = exactextract.exact_extract(raster, frame, ["sum"], output="pandas")
    return np.asarray(made["sum"], float)


def by_geopandas(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]) -> Floats:
    """Return the sums of cells whose centre lies inside, by a spatial join."""
    points = geopandas.GeoDataFrame({"persons": persons}, geometry=geopandas.points_from_xy(cells.x_m, cells.y_m))
    shapes = geopandas.GeoDataFrame({"k": range(len(plane))}, geometry=list(plane))
    joined = geopandas.sjoin(points, shapes, predicate="within")
    return np.bincount(joined["k"], joined["persons"], len(plane))
