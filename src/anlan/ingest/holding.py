"""The tool of whoever holds locations: people by square, suppressed below k, before anything leaves the holder.

What goes in are points or counts without any mark of who they are; what comes out is a grid that Anlan reads.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.geo import Projection
from anlan.kernel.records import GridSpec

POINTS = {"lon", "lat", "count"}
SQUARES = {"column", "row", "count"}
LEAST_K = 5

Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """What is done to a grid before it leaves: squares below ``k`` are blank, counts are rounded, and noise is added.

    ``noise`` is the scale of two-sided geometric noise (0: none); it is drawn before suppression and rounding, so that
    what is published is a function of the noisy count alone.
    """

    k: int = 10
    round_to: int = 1
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.k < LEAST_K:
            raise BadInput(f"k={self.k}", f"must be >= {LEAST_K} people", "suppress more; 10 is usual")
        if self.round_to < 1 or not 0 <= self.noise < math.inf:
            raise BadInput(
                f"round_to={self.round_to}, noise={self.noise}", "must be >= 1 and >= 0", "give people, or leave out"
            )


def read_places(path: Path, projection: Projection, grid: GridSpec) -> Counts:
    """Return the people by square of a CSV with ``lon,lat[,count]`` or ``column,row,count``; others are outside.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If it has any other column: what marks a person or a device must not even be read.
    """
    sums = np.zeros(grid.n_columns * grid.n_rows)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for column, row, number in _rows(csv.DictReader(file, strict=True), projection, grid):
                if 0 <= column < grid.n_columns and 0 <= row < grid.n_rows:
                    sums[row * grid.n_columns + column] += number
    except FileNotFoundError:
        raise NotFound(f"file {path}", "does not exist", "correct the path") from None
    except (ValueError, UnicodeDecodeError, OverflowError, csv.Error):
        raise BadInput(path.name, "must hold numbers only", "correct it") from None
    return sums


def _rows(rows: csv.DictReader[str], projection: Projection, grid: GridSpec) -> Iterator[tuple[int, int, float]]:
    names = set(rows.fieldnames or ())
    points = {"lon", "lat"} <= names <= POINTS
    if not points and names != SQUARES:
        raise BadInput(
            "columns", "must be lon,lat[,count] or column,row,count, and no other", "remove whatever marks a person"
        )
    for row in rows:
        if None in row or None in row.values():
            raise BadInput("a row", "must have as many fields as the heading", "write it again")
        number = float(row.get("count", 1))
        if not 0 <= number < math.inf:
            raise BadInput("count", "must be >= 0 people", "correct it")
        if points:
            lon, lat = float(row["lon"]), float(row["lat"])
            if not (abs(lon) <= 180 and abs(lat) <= 90):
                raise BadInput("lon, lat", "must be degrees, longitude first", "correct it; they may be swapped")
            x_m, y_m = projection.to_metres(lon, lat)
            yield (
                math.floor((float(x_m) - grid.west_m) / grid.size_m),
                math.floor((float(y_m) - grid.south_m) / grid.size_m),
                number,
            )
        else:
            yield int(row["column"]), int(row["row"]), number


def suppress(sums: Counts, rule: Suppression, rng: np.random.Generator) -> Counts:
    r"""Return what may leave the holder: NaN where fewer than k, the rest with noise, rounded.

    Noise is two-sided geometric, :math:`P(n) \propto e^{-|n|/s}` with scale s people: adding or removing one location
    changes the probability of any answer by at most :math:`e^{1/s}`.

    Parameters
    ----------
    sums : array of shape (n_squares,)
        People by square.
    rule : Suppression
        How.
    rng : numpy.random.Generator
        For the noise.

    Returns
    -------
    array of shape (n_squares,)
        People, NaN where suppressed.

    References
    ----------
    Ghosh, Roughgarden, Sundararajan (2009), Universally utility-maximizing privacy mechanisms, section 2.

    Examples
    --------
    >>> suppress(np.array([0.0, 9.0, 10.0, 123.0]), Suppression(round_to=10), np.random.default_rng(1))
    array([ nan,  nan,  10., 120.])
    """
    told = np.rint(sums)
    if rule.noise > 0:
        stop = 1 - math.exp(-1 / rule.noise)
        told = told + rng.geometric(stop, len(told)) - rng.geometric(stop, len(told))
    rounded = np.rint(told / rule.round_to) * rule.round_to
    return np.where(told < rule.k, np.nan, rounded)


def lines_of(told: Counts, grid: GridSpec, begin: str, end: str) -> Iterable[str]:
    """Return the CSV that the grid adapter reads: every square, blank where suppressed."""
    yield "begin,end,column,row,count\n"
    for k, people in enumerate(told):
        shown = "" if np.isnan(people) else f"{people:.0f}"
        yield f"{begin},{end},{k % grid.n_columns},{k // grid.n_columns},{shown}\n"
