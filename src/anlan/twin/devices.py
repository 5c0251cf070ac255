"""What the simulated district's devices report of the truth: with misses, drift, outages, delays and repeats."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import shapely

from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind, GridSpec, Observation
from anlan.twin.scenario import Fault, local_hour
from anlan.twin.walkers import Truth, Twin
from anlan.twin.waves import waves

Floats = npt.NDArray[np.float64]

OUTAGE_PER_MINUTE = 1 / 4000
LATE_SHARE = 0.002
REPEAT_SHARE = 0.002
LEFT_OF_HALF = 0.4
"""What a device that misses more than half still counts."""
CENSUS_OFF = 0.08
"""Spread of the logarithm of who really lives in an area to whom the census tells."""
HOME_POINTS = 5
"""Points along each side of a grid's square at which homes are laid."""
VEHICLES_PER_H_AND_M, STAYS_H = 25.0, 2.0
"""Vehicles over a road each way, by its width; and how long they stay."""
GRID_DELAY = timedelta(minutes=5)
AT_HOME = (1.0, 1.0, 1.0, 1.0, 1.0, 0.98, 0.92, 0.80, 0.68, 0.62, 0.60, 0.60,
           0.62, 0.60, 0.60, 0.60, 0.62, 0.68, 0.76, 0.82, 0.88, 0.93, 0.97, 1.0)  # fmt: skip
"""Share of the residents who are at home by local hour; whoever is not has left the district or is elsewhere in it."""


class Observer:
    """All devices of a district with their faults; the scenario's ``district_seed`` draws those that last for days.

    A gate misses a few per cent, a little more one way than the other and more where it is dense; a view has a bias and
    sees less of a dense crowd; now and then a device is out for minutes and sends what it kept afterwards; some
    messages come late or twice. A location grid sees a share of all people, indoors too, that differs by place from the
    told one; it blurs them, rounds, suppresses small squares and comes five minutes late. A scenario may break a device
    for good at a moment.
    """

    def __init__(self, pack: Pack, twin: Twin, seed: int) -> None:
        rng = np.random.default_rng((twin.scenario.district_seed, 1))
        self._twin = twin
        self._rng = np.random.default_rng((seed, 1))
        self._on_the_way: list[tuple[datetime, int, Observation]] = []
        self._n_sent = 0
        self._out_until: dict[str, datetime] = {}
        self._kept: dict[str, list[Observation]] = {}
        self._sequence: dict[str, int] = {}
        self._last: dict[str, Observation] = {}
        self._begin: dict[str, datetime] = {}
        lines = [d for d in pack.devices if d.kind in {DeviceKind.GATE, DeviceKind.PASSAGE}]
        self._lines = [d for d in lines if not d.border]
        # Counters on the border have chances of their own: whatever else counts does so alike with them and without.
        self._border = [d for d in lines if d.border]
        self._roads = [_Road(d, pack, twin) for d in pack.devices if d.kind is DeviceKind.ROAD]
        self._at_border = np.random.default_rng((seed, 7))
        self._views = [d for d in pack.devices if d.kind is DeviceKind.AREA]
        self._seen = Truth(pack, [d.geometry for d in self._views])
        self._view_m2 = np.array([max(pack.projection.project(d.geometry).area, 1.0) for d in self._views])
        self._grids = [
            _GridHolder(pack, d, d.grid, twin, self._rng, rng)
            for d in pack.devices
            if d.kind is DeviceKind.GRID and d.grid
        ]
        self._miss = {device.device_id: _missed(device, rng) for device in self._lines}
        lasting = np.random.default_rng((twin.scenario.district_seed, 7))
        self._miss |= {device.device_id: _missed(device, lasting) for device in self._border}
        self._bias = rng.normal(0, 0.08, len(self._views))
        self._at_gate = {device_id: k for k, device_id in enumerate(twin.gate_ids) if device_id is not None}
        self._at_passage = {device_id: k for k, device_id in enumerate(twin.passage_ids)}
        # Counting begins now: of who is inside already no gate has a count.
        self._crossed = {device.device_id: self._tallied(device.device_id) for device in lines}

    def look(self, at: datetime, x: Floats, y: Floats, public: npt.NDArray[np.bool_]) -> None:
        """Count a minute that ends at ``at``; messages go on their way."""
        for device in self._lines:
            if self._ends(device, at):
                self._send(self._broken(self._line_count(device, at, self._rng)), at, self._rng)
        present = self._seen.count(x[public], y[public])
        for k, device in enumerate(self._views):
            if self._ends(device, at):
                self._send(self._broken(self._view_count(k, device, present[k], at)), at, self._rng)
        self._look_at_border(at)
        for holder in self._grids:
            holder.look(x, y)
            if at.timestamp() % holder.device.interval_s == 0:
                seen = holder.made(at, self._number(holder.device))
                delay = GRID_DELAY + timedelta(seconds=float(self._rng.uniform(0, 20)))
                self._deliver(seen, at + delay)

    def delivered(self, at: datetime) -> Iterator[Observation]:
        """Return what has arrived by a moment, in the order of arrival."""
        while self._on_the_way and self._on_the_way[0][0] <= at:
            yield heapq.heappop(self._on_the_way)[2]

    # -- inside ----------------------------------------------------------------------------------------------------

    def _ends(self, device: Device, at: datetime) -> bool:
        self._begin.setdefault(device.device_id, at - timedelta(seconds=60))
        return at.timestamp() % device.interval_s == 0

    def _number(self, device: Device) -> int:
        self._sequence[device.device_id] = number = self._sequence.get(device.device_id, -1) + 1
        return number

    def _tallied(self, name: str) -> npt.NDArray[np.int64]:
        """Return how many have crossed a line each way since the day was entered."""
        tally = self._twin.tally
        if name in self._at_gate:
            return tally.gates[self._at_gate[name]].copy()
        if name in self._at_passage:
            return tally.passed[self._at_passage[name]].copy()
        return np.zeros(2, np.int64)

    def _line_count(self, device: Device, at: datetime, rng: np.random.Generator) -> Observation:
        name = device.device_id
        total = self._tallied(name)
        crossed = total - self._crossed[name]
        self._crossed[name] = total
        minutes = (at - self._begin[name]).total_seconds() / 60
        dense = 0.02 * min(crossed.sum() / max(minutes, 1) / 200.0, 1.0)  # more are missed in a dense stream
        counted = rng.binomial(crossed, 1 - np.clip(self._miss[name] + dense, 0, 0.5))
        begin_at, self._begin[name] = self._begin[name], at
        return Observation(
            device_id=name,
            begin_at=begin_at,
            end_at=at,
            sequence=self._number(device),
            n_in=int(counted[0]) if device.directed else None,
            n_out=int(counted[1]) if device.directed else None,
            n_passed=None if device.directed else int(counted.sum()),
        )

    def _look_at_border(self, at: datetime) -> None:
        for device in self._border:
            if self._ends(device, at):
                self._send(self._broken(self._line_count(device, at, self._at_border)), at, self._at_border)
        for road in self._roads:
            if self._ends(road.device, at):
                self._send(self._broken(self._road_count(road, at)), at, self._at_border)

    def _road_count(self, road: _Road, at: datetime) -> Observation:
        name = road.device.device_id
        begin_at, self._begin[name] = self._begin[name], at
        n_in, n_out = self._at_border.poisson(road.expected(at, (at - begin_at).total_seconds()))
        sequence = self._number(road.device)
        return Observation(
            device_id=name, begin_at=begin_at, end_at=at, sequence=sequence, n_in=int(n_in), n_out=int(n_out)
        )

    def _view_count(self, k: int, device: Device, present: float, at: datetime) -> Observation:
        density = present / self._view_m2[k]
        hidden = 1 - 0.03 * min(density / 2, 2)
        counted = present * (1 + self._bias[k]) * hidden * np.exp(self._rng.normal(0, 0.06)) + self._rng.normal(0, 1)
        begin_at, self._begin[device.device_id] = self._begin[device.device_id], at
        return Observation(
            device_id=device.device_id,
            begin_at=begin_at,
            end_at=at,
            sequence=self._number(device),
            n_present=max(round(float(counted)), 0),
        )

    def _broken(self, seen: Observation) -> Observation:
        """Return what a device sends in the place of a count, should it have gone wrong by then."""
        wrong = self._twin.scenario.faults.get(seen.device_id)
        if wrong is None or seen.end_at <= wrong.after_at:
            self._last[seen.device_id] = seen
            return seen
        last = self._last.get(seen.device_id)

        def sent(name: str) -> int | None:
            counted = getattr(seen, name)
            if counted is None or (wrong.fault is Fault.STUCK and last is None):
                return counted
            if wrong.fault is Fault.STUCK:
                return getattr(last, name)
            return 0 if wrong.fault is Fault.ZERO else int(self._rng.binomial(counted, LEFT_OF_HALF))

        return replace(
            seen,
            n_in=sent("n_in"),
            n_out=sent("n_out"),
            n_passed=sent("n_passed"),
            n_present=sent("n_present"),
        )

    def _send(self, seen: Observation, at: datetime, rng: np.random.Generator) -> None:
        """Send a count, or keep it while the device is out: lines send it afterwards, views have lost it."""
        name = seen.device_id
        if name not in self._out_until and rng.random() < OUTAGE_PER_MINUTE:
            self._out_until[name] = at + timedelta(minutes=float(rng.uniform(3, 15)))
        if name in self._out_until:
            if at < self._out_until[name]:
                if seen.n_present is None:
                    self._kept.setdefault(name, []).append(seen)
                return
            del self._out_until[name]
            for late in self._kept.pop(name, []):
                self._deliver(late, at + timedelta(seconds=float(rng.uniform(1, 5))))
        delay = min(rng.exponential(1.5), 8.0)
        if rng.random() < LATE_SHARE:
            delay = rng.uniform(30, 200)
        self._deliver(seen, at + timedelta(seconds=float(delay)))
        if rng.random() < REPEAT_SHARE:
            self._deliver(seen, at + timedelta(seconds=float(delay) + 5.0))

    def _deliver(self, seen: Observation, at: datetime) -> None:
        self._n_sent += 1
        heapq.heappush(self._on_the_way, (at, self._n_sent, seen))


def _missed(device: Device, rng: np.random.Generator) -> Floats:
    """Return the shares that a line misses, in and out."""
    miss = rng.uniform(0.02, 0.08) if device.kind is DeviceKind.GATE else rng.uniform(0.03, 0.12)
    return np.clip(miss + np.array([0.0, rng.normal(0, 0.01)]), 0.005, 0.2)


class _Road:
    """Vehicles over a line: as many come in as people arrive in that hour, and leave two hours later.

    Nobody of the simulated people sits in them: they are a stream beside, by the width of the road.
    """

    def __init__(self, device: Device, pack: Pack, twin: Twin) -> None:
        self.device = device
        self._zone = twin.zone
        width_m = float(pack.projection.project(device.geometry).length)
        hours = np.array(twin.scenario.arrivals)
        self._per_s = VEHICLES_PER_H_AND_M * width_m / 3600 * np.append(hours, hours[0]) / hours.mean()

    def expected(self, at: datetime, length_s: float) -> Floats:
        """Return how many are expected in and out in a window that ends at a moment."""
        hour = local_hour(at, self._zone)
        hours = np.array([hour, (hour - STAYS_H) % 24])
        return np.asarray(np.interp(hours, np.arange(25), self._per_s) * length_s)


class _GridHolder:
    """Whoever holds phone locations: makes counts by square of them, and lets nothing else out."""

    def __init__(
        self,
        pack: Pack,
        device: Device,
        spec: GridSpec,
        twin: Twin,
        rng: np.random.Generator,
        lasting: np.random.Generator,
    ) -> None:
        self.device = device
        self._spec = spec
        self._twin = twin
        self._rng = rng
        self._people = np.zeros(spec.n_columns * spec.n_rows)
        self._n_looks = 0
        self._rounded_to = twin.scenario.grid_rounded_to
        column, row = np.meshgrid(np.arange(spec.n_columns), np.arange(spec.n_rows))
        x = np.asarray(spec.west_m + (column.ravel() + 0.5) * spec.size_m, np.float64)
        y = np.asarray(spec.south_m + (row.ravel() + 0.5) * spec.size_m, np.float64)
        self._share = np.clip(spec.market_share * 0.93 * np.exp(0.18 * waves(x, y, 900.0, lasting)), 0.02, 0.95)
        self._at_home = self._homes(pack, x, y, lasting)

    def _homes(self, pack: Pack, x: Floats, y: Floats, lasting: np.random.Generator) -> Floats:
        """Residents by square: spread unevenly over the ground of the district, but not over water and places."""
        open_ground = shapely.union_all([*pack.water, *(place.polygon for place in pack.places)])
        ground = Truth(pack, [pack.boundary.difference(open_ground)])
        offsets = (np.arange(HOME_POINTS) - (HOME_POINTS - 1) / 2) * self._spec.size_m / HOME_POINTS
        dx, dy = (axis.ravel() for axis in np.meshgrid(offsets, offsets))
        px, py = (x[:, None] + dx).ravel(), (y[:, None] + dy).ravel()
        uneven = np.repeat(np.exp(0.6 * waves(x, y, 500.0, lasting)), len(dx))
        home = ground.inside(px, py) * uneven
        home *= self._twin.scenario.residents / max(home.sum(), 1.0)
        home *= _census(pack, px, py, home, lasting)
        return np.asarray(home.reshape(len(x), -1).sum(axis=1))

    def look(self, x: Floats, y: Floats) -> None:
        spec = self._spec
        blur = self._rng.normal(0, spec.blur_m, (2, len(x))) if spec.blur_m else np.zeros((2, len(x)))
        column = np.floor((x + blur[0] - spec.west_m) / spec.size_m).astype(np.int64)
        row = np.floor((y + blur[1] - spec.south_m) / spec.size_m).astype(np.int64)
        on = (column >= 0) & (column < spec.n_columns) & (row >= 0) & (row < spec.n_rows)
        self._people += np.bincount(row[on] * spec.n_columns + column[on], minlength=len(self._people))
        self._n_looks += 1

    def made(self, at: datetime, sequence: int) -> Observation:
        hour = local_hour(at, self._twin.zone)
        home = self._at_home * np.interp(hour, range(25), [*AT_HOME, AT_HOME[0]])
        people = self._people / self._n_looks + self._rng.poisson(home)
        counts = self._rng.binomial(people.astype(np.int64), self._share).astype(float)
        counts = np.round(counts / self._rounded_to) * self._rounded_to
        counts[counts < self._spec.suppressed_below] = np.nan
        begin_at = at - timedelta(minutes=self._n_looks)
        self._people[:] = 0
        self._n_looks = 0
        return Observation(
            device_id=self.device.device_id, begin_at=begin_at, end_at=at, sequence=sequence, counts=counts
        )


def _census(pack: Pack, x: Floats, y: Floats, home: Floats, lasting: np.random.Generator) -> Floats:
    """Return the factor at each point that makes the residents of each area those of the census, nearly."""
    told = [area for area in pack.areas if area.residents is not None and area.polygon is not None]
    factor = np.ones(len(x))
    if not told:
        return factor
    tree = shapely.STRtree([pack.projection.project(area.polygon) for area in told])
    point, area = tree.query(shapely.points(x, y), predicate="intersects")
    there = np.bincount(area, home[point], len(told))
    people = np.array([a.residents or 0.0 for a in told]) * np.exp(CENSUS_OFF * lasting.standard_normal(len(told)))
    factor[point] = np.divide(people, there, out=np.ones(len(told)), where=there > 0)[area]
    return factor
