"""The simulated district at a moment: its people, and what moves them."""

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

from anlan.kernel.clock import as_utc
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device
from anlan.twin import kernel
from anlan.twin.network import Network, Ways, lines_of, network_of
from anlan.twin.scenario import Pull, Scenario, Towards, local_hour, next_time
from anlan.twin.truth import Truth

Floats = npt.NDArray[np.float64]

WARM_UP = timedelta(hours=3)
"""A day is entered by walking through the hours before in coarse steps."""
WARM_STEP_S = 90.0
ENTRANCE = {"metro": 6.0, "bus": 2.0, "road": 1.5, "ferry": 1.0}
"""How many people one gateway of a kind brings, relative."""
SHORE_M = 12.0
"""How near to the water people like to stand."""
NOTHING = Pull(weight=(0.0,) * 24)
DETOURS_PER_MINUTE = 150_000
"""Nodes whose ways are found anew each simulated minute while there is a jam."""
DENSEST_NODE_M2 = 10.0

# ruff: noqa: PYI024 - compiled code takes plain named tuples of arrays
_Net = namedtuple(
    "_Net",
    "x y tail head length width spread begin end edge_place edge_m2 room first_gateway first_spot next_edge reach "
    "gateway_node spots place_m2 west south size columns rows at at_begin first_square square_x square_y square_m2 "
    "door_begin door_place door_node door_square door_width onward onward_begin "
    "line_begin line_at line_device line_in across_begin across across_device",
)
_Walkers = namedtuple(
    "_Walkers", "state edge pos goal forth side speed x y tx ty dest until rest stops place square door hidden"
)
_WALKER_KINDS = (np.uint8, np.int32, np.float32, np.float32, np.bool_, *(np.float32,) * 6, np.int32, np.float64,
                 np.float64, np.int32, np.int32, np.int32, np.int32, np.bool_)  # fmt: skip
_Live = namedtuple("_Live", "gates passed left inside people load slow budget door_budget turn rng")
_Pulls = namedtuple("_Pulls", "places gateways stay_s hold_s liked streets buildings indoors_s going_home")


class Twin:
    """A simulated district at a moment.

    People come by gateways, visit places, streets and buildings, walk slower where it is dense, wait where it is full,
    and leave. Whoever entered and has not left is present: nobody is made or lost on the way.

    Parameters
    ----------
    pack : Pack
    scenario : Scenario
    seed : int
        The same seed gives the same day.
    begin_at : datetime, optional
        The scenario's opening where None. The hours before are walked through in coarse steps.

    Raises
    ------
    BadInput
        If the pack has no street to walk on, or ``begin_at`` carries no zone.

    References
    ----------
    Weidmann (1993), Transporttechnik der Fussgänger: speed 1.34 ± 0.26 m/s, its fall with density, 1.22 persons/(m·s).
    """

    def __init__(self, pack: Pack, scenario: Scenario, seed: int = 1, begin_at: datetime | None = None) -> None:
        self.pack = pack
        self.scenario = scenario
        self.zone = ZoneInfo(pack.time_zone)
        begin_at = as_utc(begin_at or scenario.opens_at, "begin_at")
        self._rng = np.random.default_rng(seed)
        self.network: Network = network_of(pack, self._rng)
        self.lines: list[Device] = lines_of(pack, self.network.doors)
        self._ways = Ways(self.network)
        self._net = _compiled(pack, self.network, self._ways, self.lines)
        self._w = _Walkers(*(np.zeros(20_000, kind) for kind in _WALKER_KINDS))
        self._live = _live(self._net, len(self.lines), int(self._rng.integers(2**63)))
        self._liked = self._likings()
        self.n_entered = 0
        self._origin = begin_at - WARM_UP
        self.at = self._origin
        self.advance(begin_at, WARM_STEP_S)

    def advance(self, to: datetime, dt_s: float = 10.0) -> None:
        """Walk on to a moment, in steps of ``dt_s``."""
        while self.at < to:
            self._step(min(dt_s, (to - self.at).total_seconds()))

    @property
    def n_left(self) -> int:
        """People who have left since the twin began."""
        return int(self._live.left[0])

    @property
    def n_present(self) -> int:
        """People who entered and have not left, in public space or in buildings."""
        return int(np.count_nonzero(self._w.state))

    def positions(self) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        """Return x, y in metres of everybody present, and who of them is in public space."""
        n = self.n_present
        x, y, public = np.empty(n), np.empty(n), np.empty(n, np.bool_)
        kernel.positions(self._w, self._net, x, y, public)
        return x, y, public

    def truth(self, polygons: Sequence[BaseGeometry]) -> Floats:
        """Return the people in public space in each polygon (degrees), exactly."""
        x, y, public = self.positions()
        return Truth(self.pack.projection, polygons).count(x[public], y[public])

    def inside(self) -> dict[str, int]:
        """Return who is on the ground of each place, by its id."""
        return {p.place_id: int(n) for p, n in zip(self.network.places, self._live.inside, strict=False)}

    def densest(self) -> dict[str, float]:
        """Return the density (1/m²) of each place on its fullest ground of about 25 m²."""
        found = {}
        for k, (place, ground) in enumerate(zip(self.network.places, self.network.grounds, strict=True)):
            first = self._net.first_square[k]
            people = np.zeros(ground.at.shape)
            people[ground.at >= 0] = self._live.people[first : first + len(ground)]
            wide = max(1, round(5.0 / ground.size_m))
            view = np.lib.stride_tricks.sliding_window_view(people, (min(wide, len(people)), min(wide, people.shape[1])))
            found[place.place_id] = float(view.sum(axis=(2, 3)).max() / (view.shape[2] * view.shape[3] * ground.m2))
        return found

    def crossed(self) -> dict[str, tuple[int, int]]:
        """Return the true crossings of each line so far, in (from its left to its right) and out, by device id."""
        found = {d.device_id: (int(n[0]), int(n[1])) for d, n in zip(self.lines, self._live.passed, strict=False)}
        for door, (entries, exits) in zip(self.network.doors, self._live.gates, strict=False):
            if door.device_id is not None:
                both = (int(entries), int(exits))
                found[door.device_id] = both if door.in_is_entry else both[::-1]
        return found

    # -- inside ----------------------------------------------------------------------------------------------------

    def _step(self, dt_s: float) -> None:
        t = (self.at - self._origin).total_seconds()
        pulls = self._pulls(t)
        self._enter(dt_s, pulls)
        self.at += timedelta(seconds=dt_s)
        kernel.step(self._w, self._live, self._net, pulls, t + dt_s, dt_s)
        if int((t + dt_s) // 60) > int(t // 60) and self._live.slow.min() < 0.5:
            n = max(2, DETOURS_PER_MINUTE // len(self._net.x))
            self._ways.update(self._net.length / self._live.slow, n)

    def _weight(self, weights: Sequence[float]) -> float:
        hour = local_hour(self.at, self.zone)
        return float(np.interp(hour, np.arange(26) - 0.5, [weights[-1], *weights, weights[0]]))

    def _pulls(self, t: float) -> Any:
        scenario, network = self.scenario, self.network
        pulls = [scenario.pulls.get(place.place_id, NOTHING) for place in network.places] or [NOTHING]
        doors = np.diff(self._net.door_begin)
        until_last = self._until_last_metro()
        opened = [0.0 if until_last <= 0 and k == "metro" else ENTRANCE.get(k, 1.0) for k in network.gateway_kind]
        return _Pulls(
            np.cumsum([self._weight(pull.weight) * bool(n) for pull, n in zip(pulls, doors, strict=True)]),
            np.cumsum(opened if sum(opened) > 0 else np.ones(len(opened))),
            np.array([pull.stay_min * 60 for pull in pulls]),
            np.array([self._hold_s(pull) for pull in pulls]),
            self._liked,
            float(scenario.streets),
            float(scenario.buildings),
            scenario.building_stay_min * 60,
            float(np.clip(1 - until_last, 0, 1) * 0.5),
        )

    def _hold_s(self, pull: Pull) -> float:
        if pull.hold_until is None:
            return -1.0
        return (next_time(pull.hold_until, self._origin, self.zone) - self._origin).total_seconds()

    def _until_last_metro(self) -> float:
        """Return hours until the last metro; 0 from then until five."""
        hour, minute = (int(part) for part in self.scenario.last_metro.split(":"))
        last = (hour + minute / 60) % 24
        ahead = (last - local_hour(self.at, self.zone)) % 24
        return 0.0 if ahead > 24 - (5 - last) % 24 else ahead

    def _enter(self, dt_s: float, pulls: Any) -> None:
        arrivals = self.scenario.arrivals
        n = int(self._rng.poisson(self.scenario.visits * self._weight(arrivals) / sum(arrivals) / 3600 * dt_s))
        slots = np.flatnonzero(self._w.state == kernel.FREE)[:n]
        if len(slots) < n:
            more = len(self._w.state) // 2 + n
            self._w = _Walkers(*(np.concatenate([a, np.zeros(more, a.dtype)]) for a in self._w))
            slots = np.flatnonzero(self._w.state == kernel.FREE)[:n]
        weights = np.diff(pulls.gateways, prepend=0)
        gateways = self._rng.choice(len(weights), n, p=weights / weights.sum())
        stops = 1 + self._rng.poisson(max(self.scenario.stops - 1, 0), n)
        kernel.enter(self._w, slots, gateways, stops, self._live, self._net, pulls)
        self.n_entered += n

    def _likings(self) -> Floats:
        """Return how much each square of ground is liked, by what people want to see."""
        liked = np.ones(max(len(self._net.square_x), 1))
        water = shapely.union_all([self.pack.projection.project(w) for w in self.pack.water])
        for k, (place, ground) in enumerate(zip(self.network.places, self.network.grounds, strict=True)):
            towards = self.scenario.pulls.get(place.place_id, NOTHING).towards
            points = shapely.points(ground.x, ground.y)
            if towards is Towards.WATER and not water.is_empty and len(ground):
                away = shapely.distance(water, points)
                away -= away.min()
            elif towards is Towards.MIDDLE:
                away = shapely.distance(self.pack.projection.project(place.polygon).centroid, points)
            else:
                continue
            first = self._net.first_square[k]
            liked[first : first + len(ground)] = 0.15 + np.exp(-away / SHORE_M)
        return liked


def _live(net: Any, n_lines: int, seed: int) -> Any:
    return _Live(
        gates=np.zeros((len(net.door_node), 2), np.int64),
        passed=np.zeros((max(n_lines, 1), 2), np.int64),
        left=np.zeros(1, np.int64),
        inside=np.zeros(len(net.place_m2), np.int64),
        people=np.zeros(len(net.square_x)),
        load=np.zeros(len(net.length)),
        slow=np.ones(len(net.length)),
        budget=np.full(len(net.length), np.inf),
        door_budget=np.zeros(len(net.door_node)),
        turn=np.zeros(1, np.int64),
        rng=np.array([seed], np.uint64),
    )


def _compiled(pack: Pack, network: Network, ways: Ways, lines: list[Device]) -> Any:
    """Return the network as arrays."""
    pieces, doors, grounds = network.pieces, network.doors, network.grounds
    n_places = max(len(network.places), 1)
    edge_m2 = np.maximum(pieces.length, DENSEST_NODE_M2 / pieces.width) * pieces.width
    onward = [
        ground.ways(np.array([d.square for d in doors if d.place == k], np.int64))
        for k, ground in enumerate(grounds)
        if len(ground)
    ]
    first_square = np.concatenate([[0], np.cumsum([len(g) for g in grounds] or [0])]).astype(np.int64)
    at_begin = np.concatenate([[0], np.cumsum([g.at.size for g in grounds] or [0])]).astype(np.int64)
    number = [np.where(g.at >= 0, g.at + first, -1).ravel() for g, first in zip(grounds, first_square, strict=False)]
    ways_out = np.concatenate([[0], np.cumsum([len(grounds[d.place]) for d in doors])]).astype(np.int64)
    return _Net(
        **{name: getattr(pieces, name) for name in ("x", "y", "tail", "head", "length", "width", "spread")},
        begin=pieces.begin,
        end=pieces.end,
        edge_place=pieces.place,
        edge_m2=edge_m2,
        room=0.9 * kernel.JAM_PER_M2 * edge_m2,
        first_gateway=network.first_gateway,
        first_spot=network.first_spot,
        next_edge=ways.next_edge,
        reach=ways.reach,
        gateway_node=network.gateway_node,
        spots=np.cumsum(pieces.busy[network.spot_node]),
        place_m2=np.array(list(network.place_m2) or [1.0]),
        **{name: np.array([getattr(g, name) for g in grounds] or [0.0]) for name in ("west", "south")},
        size=np.array([g.size_m for g in grounds] or [1.0]),
        columns=np.array([g.at.shape[1] for g in grounds] or [0], np.int64),
        rows=np.array([g.at.shape[0] for g in grounds] or [0], np.int64),
        at=np.concatenate([*number, [-1]]).astype(np.int32),
        at_begin=at_begin,
        first_square=first_square,
        square_x=np.concatenate([*(g.x for g in grounds), [0.0]]),
        square_y=np.concatenate([*(g.y for g in grounds), [0.0]]),
        square_m2=np.array([g.m2 for g in grounds] or [1.0]),
        door_begin=np.searchsorted([d.place for d in doors], np.arange(n_places + 1)).astype(np.int64),
        door_place=np.array([d.place for d in doors] or [0], np.int64),
        door_node=np.array([d.node for d in doors] or [0], np.int64),
        door_square=np.array([d.square + first_square[d.place] for d in doors] or [0], np.int64),
        door_width=np.array([d.width_m for d in doors] or [0.0]),
        onward=np.concatenate([*(o.ravel() for o in onward), [0]]).astype(np.int32),
        onward_begin=ways_out,
        **_lines_across(pack, network, lines),
    )


def _lines_across(pack: Pack, network: Network, lines: list[Device]) -> dict[str, Any]:
    """Return where counting lines lie across streets, and across the grounds of places."""
    pieces = network.pieces
    drawn = [pack.projection.project(device.geometry) for device in lines]
    ends = np.stack([np.column_stack([pieces.x[i], pieces.y[i]]) for i in (pieces.tail, pieces.head)], axis=1)
    walked = shapely.linestrings(ends)
    tree = shapely.STRtree(walked)
    found: list[tuple[int, float, int, bool]] = []
    for k, line in enumerate(drawn):
        for edge in tree.query(line, predicate="intersects"):
            at = float(shapely.line_locate_point(walked[edge], shapely.intersection(walked[edge], line).centroid))
            at = float(np.clip(at, 0.001 * pieces.length[edge], 0.999 * pieces.length[edge]))
            found.append((int(edge), at, k, _goes_in(line, ends[edge])))
    found.sort()
    across = [
        (place, *shapely.get_coordinates(line)[[0, -1]].ravel(), k)
        for place, area in enumerate(pack.projection.project(p.polygon) for p in network.places)
        for k, line in enumerate(drawn)
        if line.intersects(area)
    ]
    n_places = max(len(network.places), 1)
    return {
        "line_begin": np.searchsorted([f[0] for f in found], np.arange(len(ends) + 1)).astype(np.int64),
        "line_at": np.array([f[1] for f in found] or [0.0]),
        "line_device": np.array([f[2] for f in found] or [0], np.int64),
        "line_in": np.array([f[3] for f in found] or [False]),
        "across_begin": np.searchsorted([a[0] for a in across], np.arange(n_places + 1)).astype(np.int64),
        "across": np.array([a[1:5] for a in across] or [(0.0, 0.0, 0.0, 0.0)], float),
        "across_device": np.array([a[5] for a in across] or [0], np.int64),
    }


def _goes_in(line: LineString, piece: Floats) -> bool:
    """Tell whether walking a piece from its tail to its head crosses a line from its left to its right."""
    (ax, ay), (bx, by) = shapely.get_coordinates(line)[[0, -1]]
    (px, py), (qx, qy) = piece
    return bool((bx - ax) * (qy - py) - (by - ay) * (qx - px) < 0)
