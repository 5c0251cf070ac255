"""A survey of footfall: how many people are usually in each square that was looked at, by the hour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from anlan.kernel.geo import Projection, into_wgs84
from anlan.kernel.pack import Usual
from anlan.pack.faults import Findings
from anlan.pack.header import Header
from anlan.pack.tables import Row, Table

HOURS = tuple(f"persons_{hour:02d}" for hour in range(24))
_TOUCHING = 0.9
"""Squares may touch, and their written centres be rounded: what overlaps by more than a tenth is told."""


def usual_of(table: Table, header: Header) -> Usual | None:
    """Return the survey of checked rows, None where there is none; hours at which nobody looked are left out."""
    if not table.rows:
        return None
    persons = np.array([[row.values[name] for name in HOURS] for row in table.rows], np.float64)
    looked = np.flatnonzero(np.isfinite(persons).any(axis=0))
    lon, lat = _centres(table.rows, header)
    return Usual(
        lon=lon,
        lat=lat,
        size_m=np.array([row.values["size_m"] for row in table.rows], np.float64),
        hours=tuple(map(int, looked)),
        persons=persons[:, looked],
    )


def check_usual(table: Table, header: Header, findings: Findings) -> None:
    """Tell of squares without a number, and of squares that lie on each other."""
    rows = [row for row in table.rows if None not in (row.values["lon"], row.values["lat"], row.values["size_m"])]
    for row in rows:
        if all(row.values[name] is None for name in HOURS):
            rule = "must hold a number for one hour at least"
            findings.add(table.at(row), f"{HOURS[0]} to {HOURS[-1]}", rule, "give what was counted, or drop the row")
    if len(rows) < 2:
        return
    x_m, y_m = Projection(*header.centre_wgs84).to_metres(*_centres(rows, header))
    half = np.array([row.values["size_m"] for row in rows], np.float64) * _TOUCHING / 2
    squares = shapely.box(x_m - half, y_m - half, x_m + half, y_m + half)
    one, other = shapely.STRtree(squares).query(squares, predicate="intersects")
    for a, b in zip(one[one < other], other[one < other], strict=True):
        value = f"square at ({rows[b].values['lon']:.5f}, {rows[b].values['lat']:.5f})"
        findings.add(table.at(rows[b]), value, f"must not lie on that of row {rows[a].number}", "keep one of the two")


def _centres(rows: Sequence[Row], header: Header) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    points = shapely.points([row.values["lon"] for row in rows], [row.values["lat"] for row in rows])
    if header.reading.datum != "wgs84":
        points = into_wgs84(points, header.reading.datum)
    return shapely.get_x(points), shapely.get_y(points)
