"""The crews of a simulated district: they are told where to go, and say where they are. Their pace is their own.

What they do is the truth that Anlan's expected arrivals are judged by: nothing here is shared with how it expects.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from anlan.kernel.pack import Pack

Floats = npt.NDArray[np.float64]
Spot = tuple[float, float]

WALKING_MS = 1.8
CARLESS = frozenset({"path", "steps", "corridor", "cycleway", "footway"})
TURNOUT_S = {"vehicle": 26.0, "bicycle": 14.0, "foot": 9.0}
"""Median; half of the logarithm's spread of a trip."""
TRIP_SPREAD = 0.22
ON_SCENE_S = 420.0
OUTCOMES = ("resolved", "resolved", "resolved", "handed_over", "nothing_found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a crew is told of itself: its status, and where it is to be (degrees) for which incident, or its post."""

    unit_id: str
    kind: str
    status: str
    incident_id: str | None
    towards: Spot | None
    here: Spot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What a crew says: a step, or where it is (degrees)."""

    unit_id: str
    at: datetime
    status: str | None = None
    outcome: str | None = None
    position: Spot | None = None


@dataclass(slots=True, eq=False)
class _Trip:
    """A way in the plane: points (m), and the seconds at which each is passed."""

    x: Floats
    y: Floats
    s: Floats
    begin_at: datetime

    def at(self, now: datetime) -> tuple[float, float]:
        gone = (now - self.begin_at).total_seconds()
        return float(np.interp(gone, self.s, self.x)), float(np.interp(gone, self.s, self.y))

    @property
    def end_at(self) -> datetime:
        return self.begin_at + timedelta(seconds=float(self.s[-1]))


@dataclass(slots=True, eq=False)
class _Crew:
    """One crew: where it is (m), what it is on, and when it does the next thing."""

    x: float
    y: float
    task: tuple[str, str | None] | None = None
    trip: _Trip | None = None
    next_at: datetime | None = None


@dataclass(slots=True, eq=False)
class _Ways:
    """The streets for one way of moving."""

    x: Floats
    y: Floats
    matrix: coo_array
    tree: cKDTree
    usable: npt.NDArray[np.int64]
    lines: Mapping[tuple[int, int], Floats] = field(default_factory=dict)


class Crews:
    """All crews of a district. They move when :meth:`advance` is told the time; random numbers come from ``rng``."""

    def __init__(self, pack: Pack, rng: np.random.Generator) -> None:
        self._plane = pack.projection
        self._rng = rng
        self._ways = {kind: _ways(pack, vehicle=kind == "vehicle") for kind in ("vehicle", "foot")}
        self._crews: dict[str, _Crew] = {}

    def advance(self, now: datetime, orders: Sequence[Order]) -> list[Saying]:
        """Let every crew do what is due by now; return what they say, in the order of time."""
        said: list[Saying] = []
        for order in orders:
            if order.here is None:
                continue
            crew = self._crews.get(order.unit_id)
            if crew is None:
                x, y = self._metres(order.here)
                crew = self._crews[order.unit_id] = _Crew(x, y)
            said += self._one(crew, order, now)
        return sorted(said, key=lambda one: one.at)

    def _one(self, crew: _Crew, order: Order, now: datetime) -> list[Saying]:
        task = (order.status, order.incident_id)
        if order.status == "dispatched" and (crew.task is None or crew.task[1] != order.incident_id):
            crew.task, crew.trip = task, None
            crew.next_at = now + timedelta(seconds=self._drawn(TURNOUT_S.get(order.kind, 20.0), 0.4))
        said: list[Saying] = []
        if order.status == "dispatched" and crew.next_at and now >= crew.next_at:
            said.append(Saying(unit_id=order.unit_id, at=crew.next_at, status="en_route"))
            crew.trip = self._trip(crew, order, crew.next_at)
        elif order.status == "en_route":
            if crew.trip is None or crew.task is None or crew.task[1] != order.incident_id:
                crew.task, crew.trip = task, self._trip(crew, order, now)
            if crew.trip and now >= crew.trip.end_at:
                said.append(Saying(unit_id=order.unit_id, at=crew.trip.end_at, status="on_scene"))
                crew.next_at = crew.trip.end_at + timedelta(seconds=self._drawn(ON_SCENE_S, 0.5))
        elif order.status == "on_scene" and crew.next_at and now >= crew.next_at:
            outcome = OUTCOMES[int(self._rng.integers(len(OUTCOMES)))]
            said.append(Saying(unit_id=order.unit_id, at=crew.next_at, status="returning", outcome=outcome))
            crew.trip = None
        elif order.status in {"returning", "available"}:
            said += self._homewards(crew, order, now)
        return [*self._move(crew, order, now), *said]

    def _homewards(self, crew: _Crew, order: Order, now: datetime) -> list[Saying]:
        if order.towards is None:
            crew.trip = None
            return []
        task = ("home", f"{order.towards}")
        if crew.task != task:
            crew.task, crew.trip = task, None
            x, y = self._metres(order.towards)
            if np.hypot(x - crew.x, y - crew.y) > 15:
                crew.trip = self._trip(crew, order, now)
        said: list[Saying] = []
        if crew.trip is not None and now >= crew.trip.end_at:
            said = self._move(crew, order, now)
            crew.trip = None
        if crew.trip is None and order.status == "returning":
            said.append(Saying(unit_id=order.unit_id, at=now, status="available"))
        return said

    def _move(self, crew: _Crew, order: Order, now: datetime) -> list[Saying]:
        if crew.trip is None:
            return []
        crew.x, crew.y = crew.trip.at(now)
        lon, lat = self._plane.to_degrees(crew.x, crew.y)
        return [Saying(unit_id=order.unit_id, at=now, position=(float(lon), float(lat)))]

    def _drawn(self, median: float, spread: float) -> float:
        return float(median * np.exp(spread * self._rng.standard_normal()))

    def _metres(self, spot: Spot) -> tuple[float, float]:
        x, y = self._plane.to_metres(*spot)
        return float(x), float(y)

    def _trip(self, crew: _Crew, order: Order, begin_at: datetime) -> _Trip | None:
        """Return the soonest way along the streets, with the last metres on foot, at the pace of this trip."""
        if order.towards is None:
            return None
        ways = self._ways["vehicle" if order.kind == "vehicle" else "foot"]
        end = self._metres(order.towards)
        first, last = (int(ways.usable[ways.tree.query(at)[1]]) for at in ((crew.x, crew.y), end))
        time, came_from = dijkstra(ways.matrix, indices=last, return_predecessors=True)  # both ways cost the same
        if not np.isfinite(time[first]):
            return None
        nodes = [first]
        while nodes[-1] != last:
            nodes.append(int(came_from[nodes[-1]]))
        x, y, s = [crew.x], [crew.y], [0.0]

        def go(to_x: float, to_y: float, took_s: float) -> None:
            x.append(to_x)
            y.append(to_y)
            s.append(s[-1] + took_s)

        walk = np.hypot(ways.x[first] - crew.x, ways.y[first] - crew.y) / WALKING_MS
        go(ways.x[first], ways.y[first], walk)
        for a, b in itertools.pairwise(nodes):
            line = ways.lines[a, b]
            part = np.hypot(np.diff(line[:, 0]), np.diff(line[:, 1]))
            whole = max(float(part.sum()), 0.1)
            for k in range(1, len(line)):
                go(line[k, 0], line[k, 1], (time[a] - time[b]) * float(part[k - 1]) / whole)
        go(end[0], end[1], np.hypot(end[0] - x[-1], end[1] - y[-1]) / WALKING_MS)
        pace = float(np.exp(TRIP_SPREAD * self._rng.standard_normal()))
        return _Trip(np.array(x), np.array(y), np.array(s) * pace, begin_at)


def _ways(pack: Pack, *, vehicle: bool) -> _Ways:
    """Return the streets that a vehicle, or somebody on foot, may use; one-way rules do not hold for either."""
    number: dict[tuple[float, float], int] = {}
    x, y, tail, head, cost = [], [], [], [], []
    lines: dict[tuple[int, int], Floats] = {}
    for street in pack.streets:
        slow = street.street_class in {"pedestrian", "living_street"}
        if street.street_class in CARLESS if vehicle else not street.walk:
            continue
        line = np.array(pack.projection.project(street.line).coords)[:, :2]
        ends = []
        for coordinate, point in zip((street.line.coords[0], street.line.coords[-1]), (line[0], line[-1]), strict=True):
            key = (round(coordinate[0], 7), round(coordinate[1], 7))
            if key not in number:
                number[key] = len(number)
                x.append(point[0])
                y.append(point[1])
            ends.append(number[key])
        pace_ms = (2.8 if slow else 0.75 * street.speed_kmh / 3.6) if vehicle else WALKING_MS
        took = max(float(np.hypot(*np.diff(line, axis=0).T).sum()), 0.5) / pace_ms
        a, b = ends
        if a == b or ((a, b) in lines):
            continue
        lines[a, b], lines[b, a] = line, line[::-1]
        tail += [a, b]
        head += [b, a]
        cost += [took, took]
    n = len(number)
    matrix = coo_array((np.array(cost), (np.array(tail), np.array(head))), shape=(n, n)).tocsr()
    _, piece = connected_components(matrix, directed=False)
    usable = np.flatnonzero(piece == np.bincount(piece).argmax())
    spots = np.column_stack([x, y])
    return _Ways(np.array(x), np.array(y), matrix, cKDTree(spots[usable]), usable, lines)
