"""How well people are counted, against the simulated district's truth, beside what a centre would do without Anlan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from anlan.crowd import Cells, Counter, Estimator
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Observation
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from row import Row

Floats = npt.NDArray[np.float64]
N_POLYGONS = 200
HECTARES = (0.5, 50.0)
CLASSES = (("0.5-2 ha", 0.0, 2.0), ("2-10 ha", 2.0, 10.0), ("10-50 ha", 10.0, 60.0), ("all", 0.0, 60.0))
EVERY_MIN = 5


def random_polygons(pack: Pack, cells: Cells, n: int, rng: np.random.Generator) -> list[BaseGeometry]:
    """Return polygons of 0.5 to 50 hectares on walkable ground: stars of five to nine corners, some with a hole."""
    found: list[BaseGeometry] = []
    while len(found) < n:
        hectares = float(np.exp(rng.uniform(*np.log(HECTARES))))
        corners = int(rng.integers(5, 10))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        star = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]) * rng.uniform(0.6, 1.4, (corners, 1)))
        if not star.is_valid or star.area < 0.5:
            continue
        scale = np.sqrt(hectares * 1e4 / star.area)
        k = int(rng.integers(len(cells)))
        shape = affinity.translate(affinity.scale(star, scale, scale, origin=(0, 0)), cells.x_m[k], cells.y_m[k])
        if rng.random() < 0.2:
            shape = shape.difference(shape.centroid.buffer(scale * 0.25))
        index, share = cells.shares(shape)
        if len(index) and cells.walkable_m2[index] @ share > 500 and isinstance(shape, shapely.Polygon):
            found.append(pack.projection.unproject(shape))
    return found


@dataclass
class Naive:
    """What centres do: the location grid spread over the map, the density of the nearest device, and their mean."""

    pack: Pack
    cells: Cells
    parts: Sequence[tuple[npt.NDArray[np.int64], Floats]]

    def __post_init__(self) -> None:
        self._grid = next(d for d in self.pack.devices if d.kind is DeviceKind.GRID)
        spec = self._grid.grid
        assert spec is not None
        column = ((self.cells.x_m - spec.west_m) // spec.size_m).astype(int)
        row = ((self.cells.y_m - spec.south_m) // spec.size_m).astype(int)
        self._square = row * spec.n_columns + column
        ground = np.bincount(self._square, self.cells.walkable_m2, spec.n_columns * spec.n_rows)
        self._part = self.cells.walkable_m2 / ground[self._square]
        self._spread = np.zeros(len(self.cells))
        views = [d for d in self.pack.devices if d.kind is DeviceKind.AREA]
        shapes = [self.pack.projection.project(d.geometry) for d in views]
        self._view_m2 = {d.device_id: s.area for d, s in zip(views, shapes, strict=True)}
        self._near = cKDTree([s.centroid.coords[0] for s in shapes]) if views else None
        self._views = [d.device_id for d in views]
        self._density = dict.fromkeys(self._views, 0.0)

    def see(self, observations: Sequence[Observation]) -> None:
        """Take what was delivered."""
        for seen in observations:
            if seen.counts is not None and self._grid.grid is not None:
                people = np.nan_to_num(seen.counts, nan=5.0) / self._grid.grid.market_share
                self._spread = people[self._square] * self._part
            elif seen.n_present is not None:
                self._density[seen.device_id] = seen.n_present / self._view_m2[seen.device_id]

    def answers(self) -> dict[str, Floats]:
        """Return the people in each polygon by each way."""
        grid = np.array([self._spread[index] @ share for index, share in self.parts])
        near = np.zeros(len(grid))
        if self._near is not None:
            xy = [(self.cells.x_m[index].mean(), self.cells.y_m[index].mean()) for index, _ in self.parts]
            _, nearest = self._near.query(xy)
            density = np.array([self._density[self._views[k]] for k in nearest])
            near = density * np.array([self.cells.walkable_m2[index] @ share for index, share in self.parts])
        return {"location grid spread over the map": grid, "nearest device": near, "mean of both": (grid + near) / 2}


@dataclass
class Run:
    """Numbers of one simulated stretch, each of shape (moments, polygons)."""

    hectares: Floats
    truth: Floats
    mean: Floats
    low: Floats
    high: Floats
    naive: dict[str, Floats]


def run(pack: Pack, scenario_id: str, seed: int, begin_at: datetime, hours: float, say: Callable[[str], None]) -> Run:
    """Simulate, estimate from what is delivered, and put both side by side. The first half hour is not judged."""
    cells = Cells.of(pack)
    polygons = random_polygons(pack, cells, N_POLYGONS, np.random.default_rng(seed + 1000))
    counter = Counter(pack, cells)
    parts = [counter.shares(polygon) for polygon in polygons]
    estimator = Estimator(pack, cells)
    state = estimator.start(begin_at)
    naive = Naive(pack, cells, parts)
    scenario = next(s for s in scenarios(pack) if s.scenario_id == scenario_id)
    end_at = begin_at + timedelta(hours=hours)
    kept: list[tuple[Floats, Floats, Floats, Floats, dict[str, Floats]]] = []
    for minute in simulate(pack, scenario, seed, begin_at, end_at, polygons):
        ripe = [seen for seen in minute.observations if seen.end_at <= minute.at]
        state = estimator.advance(state, ripe, minute.at)
        naive.see(ripe)
        if minute.at - begin_at <= timedelta(minutes=30) or minute.at.minute % EVERY_MIN:
            continue
        made = counter.many(estimator.field(state), parts, minute.at)
        told = [(e.occupancy, e.low, e.high) if e.occupancy is not None else (np.nan,) * 3 for e in made]
        mean, low, high = np.array(told, float).T
        kept.append((minute.truth, mean, low, high, naive.answers()))
        if minute.at.minute == 0:
            say(f"{scenario_id} seed {seed} {minute.at:%H:%M} UTC: {np.nansum(mean):,.0f} of {minute.truth.sum():,.0f}")
    truth, mean, low, high = (np.array([k[i] for k in kept]) for i in range(4))
    ways = {name: np.array([k[4][name] for k in kept]) for name in kept[0][4]}
    hectares = np.array([pack.projection.project(p).area / 1e4 for p in polygons])
    return Run(hectares, truth, mean, low, high, ways)


def wape(guess: Floats, truth: Floats) -> float:
    """Return the weighted absolute percentage error: sum of |guess - truth| over sum of truth."""
    told = np.isfinite(guess)
    return 100 * float(np.abs(guess - truth)[told].sum() / truth[told].sum())


def rows_of(made: Run, what: str, first: int) -> Iterator[Row]:
    """Return error, bias, coverage and half-width by size of polygon, with the naive ways beside."""
    for k, (size, least, most) in enumerate(CLASSES):
        here = (made.hectares >= least) & (made.hectares < most)
        truth, mean = made.truth[:, here], made.mean[:, here]
        told = np.isfinite(mean)
        peer = "; ".join(f"{name} {wape(guess[:, here], truth):.0f} %" for name, guess in made.naive.items())
        best = min(wape(guess[:, here], truth) for guess in made.naive.values())
        error = wape(mean, truth)
        row_id = f"1.{first + k}"
        yield Row(
            id=f"{row_id}a", what=f"{what}, {size} ({int(here.sum())}): error (WAPE)", value=error, unit="%",
            goal="below every naive way", ok=error < best, peer=peer,
        )  # fmt: skip
        bias = 100 * float((mean - truth)[told].sum() / truth[told].sum())
        yield Row(id=f"{row_id}b", what=f"{what}, {size}: bias", value=bias, unit="%")
        inside = (made.low[:, here] <= truth) & (truth <= made.high[:, here])
        yield Row(
            id=f"{row_id}c", what=f"{what}, {size}: 90 % interval holds the truth", value=100 *
            float(inside[told].mean()),
            unit="%", goal="80-97 %", ok=80 <= 100 * float(inside[told].mean()) <= 97,
        )  # fmt: skip
        half = (made.high - made.low)[:, here][told] / 2
        yield Row(
            id=f"{row_id}d",
            what=f"{what}, {size}: half-width",
            value=100 * float(half.sum() / mean[told].sum()),
            unit="%",
        )


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """A whole ordinary day, and the hours of New Year's Eve in which the promenade fills and empties."""
    pack = read_pack(find_pack("huangpu"))
    days = {s.scenario_id: s.opens_at for s in scenarios(pack)}
    plans = [("normal_day", 1, 3.0 if quick else 24.0), ("new_years_eve", 2, 2.0 if quick else 8.0)]
    for k, (scenario_id, seed, hours) in enumerate(plans):
        begin_at = days[scenario_id].replace(hour=17 if scenario_id == "new_years_eve" or quick else 0, minute=0)
        made = run(pack, scenario_id, seed, begin_at, hours, say)
        yield from rows_of(made, scenario_id.replace("_", " "), 1 + k * len(CLASSES))
