"""How many people go over a line: counted where a device counts on it, else from how densely they stand and walk."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.lines import Lines, Window
from anlan.crowd.measures import walking_speed
from anlan.kernel.answers import LineFlow
from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import LEAST_PERSONS, DeviceKind, UnknownReason

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

LONGEST_M = 5000.0
SHORTEST_M = 2.0
NEAR_M = 15.0
"""A counter's line stands for a drawn one that is not further from it than this."""
WITHIN = 0.8
"""Part of a counter's line that the drawn one has to go along, or it leaves out some of those counted."""
ASTRAY = math.radians(45)
"""A counter's line that is turned further against the drawn one counts another stream."""
USUAL = {False: math.log(1.0), True: math.log(0.3)}
"""Logarithm of the flow over a line against density times speed times width, before any counter has told: across a
street, and across a place, where most stand and the others go every way."""
SPREAD = 1.0
"""Of these logarithms, from line to line. Density says little of how many pass."""
WORTH = 4.0
"""Counters that this is worth."""
OVER_S = 300.0
"""Flows are told over five minutes."""


@dataclass(frozen=True, slots=True)
class _Covered:
    """A stretch of the drawn line that a counter stands for, metres along it, and whether both run the same way."""

    device_id: str
    begin_m: float
    end_m: float
    along: bool


@dataclass(frozen=True, eq=False)
class Ways:
    """Where people walk: places, and streets with their direction. All in metres."""

    tree: shapely.STRtree
    shapes: tuple[BaseGeometry, ...]
    axes: tuple[LineString | None, ...]

    @classmethod
    def of(cls, pack: Pack) -> Ways:
        """Return the places of a pack, and behind them its streets, the widest first."""
        places = [pack.projection.project(place.polygon) for place in pack.places]
        streets = sorted((street for street in pack.streets if street.walk), key=lambda street: -street.width_m)
        axes = [pack.projection.project(street.line) for street in streets]
        bands = [axis.buffer(street.width_m / 2) for axis, street in zip(axes, streets, strict=True)]
        shapes = (*places, *bands)
        return cls(shapely.STRtree(shapes), shapes, (*(None for _ in places), *axes))

    def mostly_places(self, line: LineString) -> bool:
        """Tell whether more of a line lies across places than across streets."""
        found = self.stretches(line)
        in_places = sum(end - begin for begin, end, _, open_ground in found if open_ground)
        return in_places > sum(end - begin for begin, end, _, open_ground in found if not open_ground)

    def stretches(self, line: LineString) -> list[tuple[float, float, float, bool]]:
        """Return where along a line one can walk across it: begin, end, sine of the angle, whether a place."""
        found: list[tuple[float, float, float, bool]] = []
        rest: BaseGeometry = line
        for k in sorted(self.tree.query(line, predicate="intersects").tolist()):
            for part in shapely.get_parts(shapely.intersection(rest, self.shapes[k])):
                if isinstance(part, LineString) and part.length > 0:
                    ends = sorted(line.project(shapely.Point(part.coords[j])) for j in (0, -1))
                    axis = self.axes[k]
                    across = 1.0 if axis is None else abs(math.sin(_turned(axis, part, axis.project(part.centroid))))
                    found.append((ends[0], ends[1], across, axis is None))
            rest = shapely.difference(rest, self.shapes[k])
        return found


@dataclass(frozen=True, eq=False)
class Flows:
    """The flows of one district. It knows the cells and the counters' lines; counts come with the question."""

    cells: Cells
    ground: Ways
    lines: Lines
    drawn: Mapping[str, LineString]
    """The counters' lines, metres."""

    @classmethod
    def of(cls, pack: Pack, cells: Cells) -> Flows:
        """Return the flows of a district."""
        lines = Lines.of(pack)
        drawn = {name: pack.projection.project(device.geometry) for name, device in lines.devices.items()}
        return cls(
            cells, Ways.of(pack), lines, {name: line for name, line in drawn.items() if isinstance(line, LineString)}
        )

    def on(self, line: LineString) -> tuple[str, ...]:
        """Return the counters that stand for a part of a line (metres)."""
        return tuple(one.device_id for one in self._covered(line, self.drawn))

    def flow(
        self, line: LineString, field: Field | None, counted: Mapping[str, Sequence[Window]], now_s: float
    ) -> LineFlow:
        r"""Return the people per minute over a line (metres), both ways, and each way where counters tell that.

        What no counter stands for is taken from the estimate,

        .. math:: q = \sum_c \rho_c \, v(\rho_c) \, w_c, \quad w_c = \ell_c \sin\varphi

        over the cells :math:`c` in which the line goes across a street or place for :math:`\ell_c` metres, at an angle
        :math:`\varphi` to the street, with density :math:`\rho` and walking speed :math:`v`, times what the counters of
        the district count of it at their own lines just now: some people stand, and some walk along a line. How
        much the counters differ in this is the spread that comes on top of the estimate's own. Which way people walk
        it cannot tell.

        Parameters
        ----------
        line : LineString
            "In" is from its left to its right, seen from its first point to its last.
        field : Field, optional
            The estimate of now.
        counted : mapping of str to sequence of Window
            By counter, its windows of the last minutes; a counter that is not in it is taken to be silent.
        now_s : float
            Seconds since 1970.

        Raises
        ------
        BadInput
            If the line is shorter than 2 m or longer than 5 km.

        References
        ----------
        U. Weidmann, *Transporttechnik der Fussgänger*, 1993 (speed by density); the hydrodynamic relation q = rho v w.
        """
        if not SHORTEST_M <= line.length <= LONGEST_M:
            raise BadInput(
                f"line of {line.length:.0f} m",
                f"must be {SHORTEST_M:.0f} to {LONGEST_M:.0f} m long",
                "draw it across the way people walk",
            )
        covered = self._covered(line, counted)
        number, width = self._crossed(line, covered)
        told = [self.lines.flow(one.device_id, counted[one.device_id]) for one in covered]
        guess, variance, live = self._guessed(field, number, width, now_s)
        if guess:
            walkers, spread = self._walkers(line, field, counted, now_s)
            variance = walkers**2 * (variance + math.expm1(spread**2) * guess**2)
            guess *= walkers
        total = sum(one.in_per_s + one.out_per_s for one in told)
        whole_width = float(width.sum()) + sum(one.width_m for one in told)
        unknown = None
        if not whole_width:
            unknown = UnknownReason.NOT_WALKABLE
        elif width.sum() and field is None:
            unknown = UnknownReason.NOT_STARTED
        elif width.sum() and not live:
            unknown = UnknownReason.NO_DEVICE
        if unknown is not None:
            return LineFlow(width_m=whole_width, devices=self.on(line), unknown=unknown)
        both = total + guess
        devices = tuple(one.device_id for one in covered)
        freshest = max((w[1] for one in devices for w in counted[one]), default=None)
        shape = LineFlow(
            width_m=whole_width,
            devices=devices,
            counted_share=total / both if both else float(bool(told)),
            freshness_s=None if freshest is None else now_s - freshest,
        )
        if both * OVER_S < LEAST_PERSONS:
            return replace(shape, high_per_min=60 * LEAST_PERSONS / OVER_S, hidden=True)
        low, high = _lopsided(both, variance + guess / OVER_S + sum(one.sd_per_s**2 for one in told))
        directed = bool(told) and not width.sum() and all(one.directed for one in told)
        ways = [
            (f.in_per_s, f.out_per_s) if c.along else (f.out_per_s, f.in_per_s)
            for c, f in zip(covered, told, strict=True)
        ]
        middle = math.sqrt(low * high) if guess else both  # of so lopsided a guess the mean says too much
        return replace(
            shape,
            per_min=60 * middle,
            low_per_min=60 * low,
            high_per_min=60 * high,
            in_per_min=60 * sum(a for a, _ in ways) if directed else None,
            out_per_min=60 * sum(b for _, b in ways) if directed else None,
        )

    def _covered(self, line: LineString, counted: Mapping[str, object]) -> list[_Covered]:
        """Return the stretches that counters stand for, none twice."""
        found: list[_Covered] = []
        for name in counted:
            counter = self.drawn.get(name)
            if counter is None or counter.distance(line) > NEAR_M or counter.centroid.distance(line) > NEAR_M:
                continue
            first, last = (line.project(shapely.Point(counter.coords[k])) for k in (0, -1))
            length = abs(last - first)
            if length < WITHIN * counter.length or _turned(line, counter, (first + last) / 2) > ASTRAY:
                continue
            one = _Covered(name, min(first, last), max(first, last), last >= first)
            if not any(min(one.end_m, other.end_m) - max(one.begin_m, other.begin_m) > length / 2 for other in found):
                found.append(one)
        return found

    def _crossed(self, line: LineString, covered: Sequence[_Covered]) -> tuple[Numbers, Floats]:
        """Return the cells that a line goes through, and the walkable width of each that no counter stands for."""
        number: list[Numbers] = []
        width: list[Floats] = []
        for begin, end, across, _ in self.ground.stretches(line):
            free = [(begin, end)]
            for one in covered:
                free = [part for a, b in free for part in ((a, min(b, one.begin_m)), (max(a, one.end_m), b))]
            left = sum(max(b - a, 0.0) for a, b in free)
            if left < end - begin and left < (end - begin) / 2:
                continue  # the rest of a way that a counter stands for, beside its line as it was drawn
            for a, b in free:
                if b > a:
                    cell, length = _pieces(substring(line, a, b), self.cells)
                    number.append(cell)
                    width.append(length * across)
        if not number:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate(number), np.concatenate(width)

    def _guessed(self, field: Field | None, number: Numbers, width: Floats, now_s: float) -> tuple[float, float, bool]:
        """Return the flow by the estimate (1/s), its variance, and whether most of it is informed."""
        if field is None or not len(number):
            return 0.0, 0.0, field is not None
        walkable = self.cells.walkable_m2[number]
        density = np.nan_to_num(field.persons[number]) / walkable
        weights = np.asarray(walking_speed(density)) * width / walkable
        row = sp.csr_matrix((weights, (np.zeros(len(number), int), number)), shape=(1, len(self.cells)))
        row.sum_duplicates()
        mean, variance = field.sums(row)
        if not np.isfinite(mean[0]):
            return 0.0, 0.0, False
        flow = weights * field.persons[number]
        live = np.nan_to_num(field.informed_until[number], nan=-np.inf) >= now_s
        return float(mean[0]), float(variance[0]), bool((flow * live).sum() >= 0.5 * flow.sum())

    def _walkers(
        self, line: LineString, field: Field | None, counted: Mapping[str, Sequence[Window]], now_s: float
    ) -> tuple[float, float]:
        """Return the mean of counted over inferred flow at the counters' own lines, and the spread of its logarithm.

        Only counters across streets tell of a street, only those across places of a place.
        """
        found, in_place = [], self.ground.mostly_places(line)
        for name, windows in counted.items():
            own = self.drawn.get(name)
            if own is None:  # vehicles: nobody walks over it
                continue
            told = self.lines.flow(name, windows)
            if self.lines.devices[name].kind is not DeviceKind.PASSAGE or told.n < LEAST_PERSONS:
                continue
            if self.ground.mostly_places(own) is in_place:
                guess, _, live = self._guessed(field, *self._crossed(own, ()), now_s)
                if guess and live:
                    found.append(math.log((told.in_per_s + told.out_per_s) / guess))
        ratios, usual = np.array(found), USUAL[in_place]
        mean = float(ratios.sum() + WORTH * usual) / (len(found) + WORTH)
        squares = float(((ratios - mean) ** 2).sum()) + WORTH * (SPREAD**2 + (usual - mean) ** 2)
        variance = squares / (len(found) + WORTH)
        return math.exp(mean + min(variance, SPREAD**2) / 2), math.sqrt(variance)


def _pieces(line: LineString, cells: Cells) -> tuple[Numbers, Floats]:
    """Return the cell of each piece of a line, and its length in metres; what lies in no cell is left out."""
    points = np.asarray(line.coords)[:, :2]
    middle: list[Floats] = []
    length: list[Floats] = []
    for (x0, y0), (x1, y1) in itertools.pairwise(points.tolist()):
        inner = [_cuts(x0, x1, cells.west_m, cells), _cuts(y0, y1, cells.south_m, cells)]
        cuts = np.unique(np.concatenate([[0.0, 1.0], *inner]))
        at = (cuts[1:] + cuts[:-1]) / 2
        middle.append(np.column_stack([x0 + at * (x1 - x0), y0 + at * (y1 - y0)]))
        length.append(np.diff(cuts) * math.hypot(x1 - x0, y1 - y0))
    where = np.concatenate(middle)
    column = np.floor((where[:, 0] - cells.west_m) / cells.size_m).astype(np.int64)
    row = np.floor((where[:, 1] - cells.south_m) / cells.size_m).astype(np.int64)
    inside = (row >= 0) & (row < cells.n_rows) & (column >= 0) & (column < cells.n_columns)
    number = np.where(inside, cells.number[np.where(inside, row, 0), np.where(inside, column, 0)], -1)
    return number[number >= 0], np.concatenate(length)[number >= 0]


def _cuts(a: float, b: float, origin: float, cells: Cells) -> Floats:
    """Return where a way from a to b passes a line of the grid, as parts of the way."""
    if a == b:
        return np.empty(0)
    first, last = sorted(((a - origin) / cells.size_m, (b - origin) / cells.size_m))
    at = (origin + np.arange(math.ceil(first), math.floor(last) + 1) * cells.size_m - a) / (b - a)
    return np.asarray(at[(at > 0) & (at < 1)])


def _turned(line: LineString, counter: LineString, at_m: float) -> float:
    """Return the angle between a line, at a place along it, and a counter's, 0 to a quarter turn."""
    step = max(counter.length / 2, 1.0)
    here, there = line.interpolate(max(at_m - step, 0.0)), line.interpolate(min(at_m + step, line.length))
    (x0, y0), (x1, y1) = counter.coords[0][:2], counter.coords[-1][:2]
    turned = abs(math.atan2(there.y - here.y, there.x - here.x) - math.atan2(y1 - y0, x1 - x0)) % math.pi
    return min(turned, math.pi - turned)


def _lopsided(mean: float, variance: float) -> tuple[float, float]:
    r"""Return the 90 % interval of a guess by a factor: lognormal, :math:`m e^{-s^2/2 \pm 1.645 s}`."""
    s2 = math.log1p(variance / max(mean, 1e-9) ** 2)
    middle, reach = max(mean, 1e-9) * math.exp(-s2 / 2), math.exp(1.6448536 * math.sqrt(s2))
    return middle / reach, middle * reach
