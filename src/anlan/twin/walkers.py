"""The simulated district: its network, its people, and what is true about them."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind
from anlan.twin import kernel
from anlan.twin.network import TASTES, Network, network_of
from anlan.twin.scenario import Pull, Scenario, Towards, local_hour, next_time

Floats = npt.NDArray[np.float64]

PIXEL_M = 2.5
"""The truth of a polygon is summed over squares of this side."""
WARM_UP = timedelta(hours=4)
"""A day is entered by walking through the hours before in coarse steps."""
ENTRANCE = {"metro": 6.0, "bus": 2.0, "road": 1.5, "ferry": 1.0}
"""How many people one gateway of a kind brings, relative."""

_Net = namedtuple(  # noqa: PYI024 - compiled code takes a plain named tuple of arrays
    "_Net",
    "x y tail head length width first_gateway first_spot next_edge reach gateway_node spots samples place_m2 "
    "door_begin door_node door_x door_y line_begin line_at line_device line_in across_begin across across_device",
)
_Walkers = namedtuple(  # noqa: PYI024 - the same
    "_Walkers", "state edge pos forth side speed x y tx ty dest until stops place node indoors_next taste"
)
_Pulls = namedtuple("_Pulls", "places gateways stay_s hold_s streets buildings")  # noqa: PYI024 - the same
_Tally = namedtuple("_Tally", "gates passed left")  # noqa: PYI024 - the same


class Twin:
    """A simulated district at a moment.

    People come by gateways, visit places, streets and buildings, walk slower where it is dense, and leave. Whoever
    entered
    and has not left is present: nobody is made or lost on the way.

    Parameters
    ----------
    pack : Pack
    scenario : Scenario
        Its ``district_seed`` draws what stays from day to day.
    seed : int
        The same seed gives the same day.
    begin_at : datetime, optional
        The scenario's opening where None. The hours before are walked through in coarse steps.
    at_most : float, optional
        Visits of the fullest day that ``scenario`` may be exchanged for later.
    """

    def __init__(
        self,
        pack: Pack,
        scenario: Scenario,
        seed: int = 1,
        begin_at: datetime | None = None,
        *,
        at_most: float | None = None,
    ) -> None:
        self.pack = pack
        self.scenario = scenario
        self.rng = np.random.default_rng(seed)
        self.zone = ZoneInfo(pack.time_zone)
        begin_at = begin_at or scenario.opens_at
        by_the_water = {place_id for place_id, pull in scenario.pulls.items() if pull.towards is Towards.WATER}
        self.network: Network = network_of(pack, np.random.default_rng((scenario.district_seed, 3)), by_the_water)
        self._origin = begin_at - WARM_UP
        self.at = self._origin
        self._net = _compiled(pack, self.network)
        self._w = _empty(int(max(20_000, 0.45 * max(scenario.visits, at_most or 0.0))))
        self.gate_ids = [door.device_id for door in self.network.doors]
        self.passage_ids = [d.device_id for d in pack.devices if d.kind is DeviceKind.PASSAGE]
        self.tally = _Tally(
            np.zeros((len(self.gate_ids), 2), np.int64),
            np.zeros((max(len(self.passage_ids), 1), 2), np.int64),
            np.zeros(1, np.int64),
        )
        self.inside = np.zeros(max(self.network.n_places, 1))
        self.n_entered = 0
        kernel.seed(int(self.rng.integers(2**31)))
        while self.at < begin_at:
            self.step(120.0)

    def advance(self, to: datetime, dt_s: float = 10.0) -> None:
        """Walk on to a moment, in steps of ``dt_s``."""
        while self.at < to:
            self.step(min(dt_s, (to - self.at).total_seconds()))

    def step(self, dt_s: float) -> None:
        """Walk on by one step."""
        t = (self.at - self._origin).total_seconds()
        pulls = self._pulls()
        self._enter(t, dt_s, pulls)
        self.at += timedelta(seconds=dt_s)
        kernel.step(self._w, t + dt_s, dt_s, self._net, pulls, self.tally, self.inside)

    @property
    def n_present(self) -> int:
        """People who entered and have not left."""
        return int(np.count_nonzero(self._w.state))

    def positions(self) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        """Return x, y in metres of everybody present, and who of them is in public space."""
        n = self.n_present
        x, y, public = np.empty(n), np.empty(n), np.empty(n, bool)
        kernel.positions(self._w, self._net, x, y, public)
        return x, y, public

    # -- inside ----------------------------------------------------------------------------------------------------

    def _hour_weight(self, weights: Sequence[float]) -> float:
        hour = local_hour(self.at, self.zone)
        return float(np.interp(hour, np.arange(26) - 0.5, [weights[-1], *weights, weights[0]]))

    def _pulls(self) -> Any:
        scenario, network = self.scenario, self.network
        nothing = Pull(weight=(0.0,) * 24)
        pulls = [scenario.pulls.get(place.place_id, nothing) for place in network.places] or [nothing]
        hold_s = [
            -1.0
            if pull.hold_until is None
            else (next_time(pull.hold_until, self.at, self.zone) - self._origin).total_seconds()
            for pull in pulls
        ]
        closed = self._metro_closed()
        open_gateways = [
            0.0 if closed and kind == "metro" else ENTRANCE.get(kind, 1.0) for kind in network.gateway_kind
        ]
        if sum(open_gateways) <= 0:
            open_gateways = [1.0] * len(open_gateways)
        return _Pulls(
            np.cumsum([self._hour_weight(pull.weight) for pull in pulls]),
            np.cumsum(open_gateways),
            np.array([pull.stay_min * 60 for pull in pulls]),
            np.array(hold_s),
            float(scenario.streets),
            float(scenario.buildings),
        )

    def _metro_closed(self) -> bool:
        hour, minute = (int(part) for part in self.scenario.last_metro.split(":"))
        last = hour + minute / 60
        now = local_hour(self.at, self.zone)
        return last <= now or now < 5.0 if last > 5.0 else last <= now < 5.0

    def _enter(self, t: float, dt_s: float, pulls: Any) -> None:
        rate = self.scenario.visits * self._hour_weight(self.scenario.arrivals) / sum(self.scenario.arrivals) / 3600
        n = int(self.rng.poisson(rate * dt_s))
        slots = np.flatnonzero(self._w.state == kernel.FREE)[:n]
        weights = np.diff(pulls.gateways, prepend=0)
        gateways = self.rng.choice(len(weights), len(slots), p=weights / weights.sum())
        stops = 1 + self.rng.poisson(max(self.scenario.stops - 1, 0), len(slots))
        kernel.enter(self._w, slots, gateways, stops, t, self._net, pulls, self.tally)
        self.n_entered += len(slots)


class Truth:
    """Sums people in polygons: the squares of each are found once."""

    def __init__(self, pack: Pack, polygons: Sequence[BaseGeometry]) -> None:
        projected = [pack.projection.project(polygon) for polygon in polygons]
        x0, y0, x1, y1 = shapely.total_bounds([*projected, pack.projection.project(pack.boundary)])
        self._west, self._south = x0 - 50, y0 - 50
        self._columns = int((x1 + 50 - self._west) / PIXEL_M) + 1
        self._rows = int((y1 + 50 - self._south) / PIXEL_M) + 1
        self._pixels = [self._inside(polygon) for polygon in projected]

    def _inside(self, polygon: BaseGeometry) -> npt.NDArray[np.int64]:
        if polygon.is_empty:
            return np.empty(0, np.int64)
        x0, y0, x1, y1 = polygon.bounds
        c0, c1 = int((x0 - self._west) / PIXEL_M), int((x1 - self._west) / PIXEL_M) + 1
        r0, r1 = int((y0 - self._south) / PIXEL_M), int((y1 - self._south) / PIXEL_M) + 1
        column, row = np.meshgrid(np.arange(c0, c1), np.arange(r0, r1))
        x, y = self._west + (column + 0.5) * PIXEL_M, self._south + (row + 0.5) * PIXEL_M
        inside = shapely.contains_xy(polygon, x.ravel(), y.ravel()).reshape(x.shape)
        return np.asarray((row * self._columns + column)[inside])

    def inside(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Tell which points are in the first polygon."""
        on = np.zeros(self._rows * self._columns, bool)
        on[self._pixels[0]] = True
        column, row = ((x - self._west) / PIXEL_M).astype(np.int64), ((y - self._south) / PIXEL_M).astype(np.int64)
        within = (column >= 0) & (column < self._columns) & (row >= 0) & (row < self._rows)
        found = np.zeros(len(x), bool)
        found[within] = on[row[within] * self._columns + column[within]]
        return found

    def count(self, x: Floats, y: Floats) -> Floats:
        """Return how many of the points are in each polygon."""
        column = np.clip((x - self._west) / PIXEL_M, 0, self._columns - 1).astype(np.int64)
        row = np.clip((y - self._south) / PIXEL_M, 0, self._rows - 1).astype(np.int64)
        people = np.bincount(row * self._columns + column, minlength=self._rows * self._columns)
        return np.array([people[pixels].sum() for pixels in self._pixels], float)


def _empty(n: int) -> Any:
    f4, i4 = np.float32, np.int32
    kinds = (np.uint8, i4, f4, bool, f4, f4, f4, f4, f4, f4, i4, np.float64, i4, i4, i4, np.uint8)
    return _Walkers._make([*(np.zeros(n, kind) for kind in kinds), np.arange(n) % TASTES])


def _compiled(pack: Pack, network: Network) -> Any:
    """Return the network as arrays, with the passages that lie across its edges and in its places."""
    plane = pack.projection
    passages = [d for d in pack.devices if d.kind is DeviceKind.PASSAGE]
    lines = [plane.project(d.geometry) for d in passages]
    ends = np.stack([np.column_stack([network.x[i], network.y[i]]) for i in (network.tail, network.head)], axis=1)
    pieces = shapely.linestrings(ends)
    tree = shapely.STRtree(pieces)
    found: list[tuple[int, float, int, bool]] = []
    for k, line in enumerate(lines):
        for edge in tree.query(line, predicate="intersects"):
            crossing = shapely.intersection(pieces[edge], line)
            at = float(shapely.line_locate_point(pieces[edge], crossing.centroid))
            found.append((int(edge), at, k, _goes_in(line, ends[edge])))
    found.sort()
    edges = np.array([f[0] for f in found], np.int64)
    across = [
        (place, *shapely.get_coordinates(line)[[0, -1]].ravel(), k)
        for place, area in enumerate(plane.project(p.polygon) for p in network.places)
        for k, line in enumerate(lines)
        if line.intersects(area)
    ]
    doors = network.doors
    places = max(network.n_places, 1)
    samples = network.samples if network.n_places else np.zeros((1, 1, 2))
    return _Net(
        network.x,
        network.y,
        network.tail,
        network.head,
        network.length,
        network.width,
        network.first_gateway,
        network.first_spot,
        network.next_edge,
        network.reach,
        network.gateway_node,
        np.cumsum(network.spot_weight),
        samples,
        network.place_m2 if network.n_places else np.ones(1),
        np.searchsorted([d.place for d in doors], np.arange(places + 1)).astype(np.int64),
        np.array([d.node for d in doors] or [0], np.int64),
        np.array([d.x_m for d in doors] or [0.0]),
        np.array([d.y_m for d in doors] or [0.0]),
        np.searchsorted(edges, np.arange(len(network.length) + 1)).astype(np.int64),
        np.array([f[1] for f in found] or [0.0]),
        np.array([f[2] for f in found] or [0], np.int64),
        np.array([f[3] for f in found] or [False]),
        np.searchsorted([a[0] for a in across], np.arange(places + 1)).astype(np.int64),
        np.array([a[1:5] for a in across] or [(0.0, 0.0, 0.0, 0.0)], float),
        np.array([a[5] for a in across] or [0], np.int64),
    )


def _goes_in(line: LineString, piece: Floats) -> bool:
    """Tell whether walking a piece from its tail to its head crosses a line from its left to its right."""
    (ax, ay), (bx, by) = shapely.get_coordinates(line)[[0, -1]]
    (px, py), (qx, qy) = piece
    return bool((bx - ax) * (qy - py) - (by - ay) * (qx - px) < 0)
