"""How well the devices see each part of the district, and where the next one would narrow the estimate most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.inside import Inside, Shares
from anlan.crowd.layout import Layout, Params
from anlan.crowd.measures import walking_speed
from anlan.crowd.rows import scaled, slopes
from anlan.crowd.sources import Sources
from anlan.kernel.answers import Coverage, DeviceProposal, SiteKind
from anlan.kernel.pack import Pack
from anlan.kernel.records import Label, Street

Floats = npt.NDArray[np.float64]

CAMERA_M, HIGH_M = 30.0, 120.0
"""How far a camera in the street, and one on a roof, sees about its middle."""
CAMERA_ERROR, HIGH_ERROR, COUNTER_ERROR = 0.10, 0.25, 0.05
APART_M = 80.0
"""Candidate sites of one kind stand at least about so far apart."""
SQUARE_M = 250.0
"""What is to be narrowed is the number of people in each square of this size."""


def seen_share(field: Field, layout: Layout) -> Floats:
    r"""Return how much of each cell's uncertainty the devices have taken away, shape (n,).

    .. math:: 1 - \sqrt{h_c^T P h_c \, / \, h_c^T Q h_c}

    with the covariance of the knots' log-ratios now, :math:`P`, and before anything is observed, :math:`Q`, and the
    cell's weights of the knots :math:`h_c`: 0 where nothing is seen, 1 where everything is known.
    """
    prior = np.asarray(layout.stationary[layout.out, layout.out], np.float32)
    hats = layout.out_hats.astype(np.float32)
    now, before = (np.asarray(hats.multiply(hats @ spread).sum(axis=1)).ravel() for spread in (field.covariance, prior))
    return np.asarray(np.clip(1 - np.sqrt(np.maximum(now, 0) / before), 0, 1), float)


def seen_parts(field: Field, layout: Layout, sources: Sources, parts: Sequence[Shares]) -> list[Coverage]:
    """Return how well polygons are seen: the relative spread of their people now and before, and by which devices.

    Parameters
    ----------
    parts : sequence of (cells, shares)
        As :meth:`anlan.crowd.count.Counter.shares` returns them.
    """
    unseen = replace(field, covariance=np.asarray(layout.stationary[layout.out, layout.out], np.float32))
    weights = Inside.of(parts).weights(len(field.persons))
    mean, now = field.sums(weights)
    _, before = unseen.sums(weights)
    seeing = _seeing(sources, weights)
    return [
        Coverage(
            relative_sd=float(np.sqrt(now[k]) / mean[k]) if mean[k] > 0 else None,
            unseen_sd=float(np.sqrt(before[k]) / mean[k]) if mean[k] > 0 else None,
            seen_share=float(np.clip(1 - np.sqrt(now[k] / before[k]), 0, 1)) if mean[k] > 0 else None,
            told_by=seeing[k],
        )
        for k in range(len(parts))
    ]


def _seeing(sources: Sources, weights: sp.csr_matrix) -> list[tuple[str, ...]]:
    """Return the devices that see a part of each polygon, those nearest to the ground first."""
    touched = (weights > 0).astype(np.int32)
    found: list[list[str]] = [[] for _ in range(weights.shape[0])]

    def say(who: sp.csr_matrix, names: Sequence[Sequence[str]]) -> None:
        for k, j in zip(*(touched @ (who > 0).astype(np.int32).T).nonzero(), strict=True):
            found[k].extend(names[j])

    cells, n = sources.passages.cell, weights.shape[1]
    say(sources.views.weights, [[device.device_id] for device in sources.views.devices])
    say(sources.cordons.weights, [[gate.device_id for gate in gates] for gates in sources.cordons.devices])
    crossing = sp.csr_matrix((np.ones(len(cells)), (np.arange(len(cells)), cells)), shape=(len(cells), n))
    say(crossing, [[device.device_id] for device in sources.passages.devices])
    for grid in sources.grids:
        whole = sp.csr_matrix(np.asarray(grid.weights.sum(axis=0)).reshape(1, -1))
        say(whole, [[grid.device.device_id]])
    return [tuple(dict.fromkeys(names)) for names in found]


@dataclass(frozen=True, eq=False)
class Sites:
    """Where a device could stand: its kind, name and shape (metres), and the cells that it would see."""

    kinds: tuple[SiteKind, ...]
    names: tuple[Label, ...]
    shapes: tuple[BaseGeometry, ...]
    weights: sp.csr_matrix


def sites_of(pack: Pack, cells: Cells) -> Sites:
    """Return the candidate sites of a district.

    Cameras at the middles and ends of walkable streets and in every place, counters across walkable streets, high
    viewpoints over places and wide streets; none where one of the pack's devices of that kind stands within 80 m.
    """
    plane = pack.projection
    standing = [plane.project(device.geometry).centroid for device in pack.devices if device.grid is None]
    taken = shapely.union_all([point.buffer(APART_M / 2) for point in standing]) if standing else shapely.Point()
    found: list[tuple[SiteKind, Label, BaseGeometry]] = []
    for place in pack.places:
        middle = plane.project(place.polygon).representative_point()
        found += [(kind, place.name, middle) for kind in (SiteKind.CAMERA, SiteKind.HIGH)]
    for street in sorted(pack.streets, key=lambda one: (-one.width_m, one.street_id)):
        line = plane.project(street.line)
        if not street.walk or not isinstance(line, LineString) or line.length < 20:
            continue
        middle = line.interpolate(0.5, normalized=True)
        found += [(SiteKind.CAMERA, street.name, middle), (SiteKind.CAMERA, street.name, line.interpolate(0.0))]
        found.append((SiteKind.COUNTER, street.name, _across(line, street)))
        if street.width_m >= 12:
            found.append((SiteKind.HIGH, street.name, middle))
    return _laid(cells, _thinned(found, taken))


def _across(line: LineString, street: Street) -> LineString:
    """Return the line of a counter across the middle of a street."""
    ends = [line.interpolate(line.length / 2 + step) for step in (-1.0, 1.0)]
    dx, dy = ends[1].x - ends[0].x, ends[1].y - ends[0].y
    half = max(street.width_m, 4.0) / 2 / max(float(np.hypot(dx, dy)), 1e-9)
    middle = line.interpolate(0.5, normalized=True)
    return LineString([(middle.x - dy * half, middle.y + dx * half), (middle.x + dy * half, middle.y - dx * half)])


def _thinned(
    found: Sequence[tuple[SiteKind, Label, BaseGeometry]], taken: BaseGeometry
) -> list[tuple[SiteKind, Label, BaseGeometry]]:
    """Keep one site of a kind in a square, the first; high viewpoints in squares twice as wide."""
    shapely.prepare(taken)
    kept: dict[tuple[SiteKind, int, int], tuple[SiteKind, Label, BaseGeometry]] = {}
    for kind, name, shape in found:
        middle, side = shape.centroid, APART_M * (2 if kind is SiteKind.HIGH else 1)
        if kind is SiteKind.HIGH or not taken.contains(middle):
            kept.setdefault((kind, int(middle.x // side), int(middle.y // side)), (kind, name, shape))
    return list(kept.values())


def _laid(cells: Cells, found: Sequence[tuple[SiteKind, Label, BaseGeometry]]) -> Sites:
    kept, rows = [], []
    for kind, name, shape in found:
        middle = shape.centroid
        if kind is SiteKind.COUNTER:
            number = cells.at(middle.x, middle.y)
            seen = (np.array([] if number is None else [number], np.int64), np.ones(int(number is not None)))
        else:
            view = middle.buffer(HIGH_M if kind is SiteKind.HIGH else CAMERA_M, quad_segs=4)
            seen = cells.shares(view)
        if len(seen[0]):
            kept.append((kind, name, shape if kind is SiteKind.COUNTER else view))
            rows.append(seen)
    weights = Inside.of(rows).weights(len(cells))
    return Sites(tuple(k for k, _, _ in kept), tuple(n for _, n, _ in kept), tuple(s for *_, s in kept), weights)


def proposed(pack: Pack, cells: Cells, field: Field, sites: Sites, n: int) -> list[DeviceProposal]:
    r"""Return the sites at which the next devices narrow the estimate most, one after the other.

    Of all candidates with rows :math:`h` and noise :math:`r`, the one with the largest

    .. math:: \sum_g \frac{(t_g^T P h)^2}{h^T P h + r}

    the fall of the summed variance of people over squares of 250 m, whose slopes by the knots are :math:`t_g`; then
    the covariance :math:`P` is narrowed as if it stood there, and so on. A device's own bias is part of its noise. Such
    greedy choice is the usual one, near the best for a related criterion.

    Parameters
    ----------
    pack : Pack
    cells : Cells
    field : Field
        The estimate of now: with the devices that there are, and the people where they are.
    sites : Sites
    n : int
        How many to propose, at least 1.

    References
    ----------
    A. Krause, A. Singh, C. Guestrin, *Near-Optimal Sensor Placements in Gaussian Processes*, J. Mach. Learn. Res. 9,
    2008 (greedy placement; its criterion is mutual information, ours the variance itself).
    """
    if not sites.kinds or not len(field.covariance):
        return []
    rows, noise = _instruments(cells, field, sites)
    spread = field.covariance.astype(float)
    targets = slopes(_squares(cells), field.persons, field.hats)
    total = float(targets.multiply(targets @ spread).sum())
    reach = np.asarray(rows @ spread)
    inner, toward = np.asarray(rows.multiply(reach).sum(axis=1)).ravel(), np.asarray(targets @ reach.T)
    chosen: list[DeviceProposal] = []
    left = total
    while len(chosen) < min(n, len(sites.kinds)):
        falls = (toward**2).sum(axis=0) / (inner + noise)
        k = int(np.argmax(falls))
        moved = spread @ rows[k].toarray().ravel()
        own, gain = rows @ moved, toward[:, k].copy()
        variance = inner[k] + noise[k]
        inner = inner - own**2 / variance
        toward -= np.outer(gain, own) / variance
        spread -= np.outer(moved, moved) / variance
        left -= float(falls[k])
        chosen.append(
            DeviceProposal(
                kind=sites.kinds[k],
                name=sites.names[k],
                geometry=pack.projection.unproject(sites.shapes[k]),
                narrows=float(falls[k]) / total,
                sd_left=float(np.sqrt(max(left, 0) / total)),
            )
        )
    return chosen


def _instruments(cells: Cells, field: Field, sites: Sites) -> tuple[sp.csr_matrix, Floats]:
    """Return each candidate's row of log-ratios, and the variance of its own error, bias and whole people."""
    params: Params = field.params
    present = np.maximum(np.asarray(sites.weights @ field.persons).ravel(), 0.5)
    rows = scaled(slopes(sites.weights, field.persons, field.hats), 1 / present)
    kind = np.array([str(one) for one in sites.kinds])
    counter, high = kind == SiteKind.COUNTER, kind == SiteKind.HIGH
    ground = np.maximum(np.asarray(sites.weights @ cells.walkable_m2).ravel(), 1.0)
    rho = present / ground
    width = np.array([max(shape.length, 1.0) for shape in sites.shapes])
    flow = 60 * rho * walking_speed(rho) * width
    error = np.where(high, HIGH_ERROR, CAMERA_ERROR) ** 2 + params.view_spread**2 + 2 / np.maximum(present, 1)
    crossing = COUNTER_ERROR**2 + params.passage_spread**2 + 1 / np.maximum(flow, 1)
    return sp.csr_matrix(rows), np.where(counter, crossing, error)


def _squares(cells: Cells) -> sp.csr_matrix:
    """Return the cells of each square whose people are to be told."""
    across = int(np.ceil(cells.n_columns * cells.size_m / SQUARE_M))
    number = (cells.y_m - cells.south_m) // SQUARE_M * across + (cells.x_m - cells.west_m) // SQUARE_M
    _, square = np.unique(number, return_inverse=True)
    n = len(cells)
    return sp.csr_matrix((np.ones(n), (square, np.arange(n))), shape=(int(square.max(initial=0)) + 1, n))
