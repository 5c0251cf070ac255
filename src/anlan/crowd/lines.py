"""What goes over each line, in the last few minutes: the flow per metre, its directions, and what a place gains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind, Observation

OVER = timedelta(minutes=5)
"""Flows are told over this long: a single minute is noise."""
LEAST_WIDTH_M = 2.0
"""A line drawn shorter than this is a point that stands for a door."""

ON_FOOT = frozenset({DeviceKind.GATE, DeviceKind.PASSAGE})
LINED = ON_FOOT | {DeviceKind.ROAD}

Window = tuple[float, float, int, int, bool]
"""Begin and end in seconds since 1970, in, out, and whether the directions were told apart (else all are "in")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """People over a line: per second each way, and the standard deviation of their sum and of their difference."""

    in_per_s: float
    out_per_s: float
    sd_per_s: float
    directed: bool
    width_m: float
    n: int

    @property
    def specific(self) -> float:
        """Both ways, per metre, 1/(m·s)."""
        return (self.in_per_s + self.out_per_s) / self.width_m

    @property
    def net_per_s(self) -> float:
        """In minus out, 1/s."""
        return self.in_per_s - self.out_per_s

    @property
    def in_per_out(self) -> float | None:
        """How many come in for each who goes out; None where directions are not told apart or nobody goes out."""
        return self.in_per_s / self.out_per_s if self.directed and self.out_per_s > 0 else None

    @property
    def weaker_share(self) -> float | None:
        """The weaker direction as a part of the flow; None where directions are not told apart or nobody passed."""
        total = self.in_per_s + self.out_per_s
        return min(self.in_per_s, self.out_per_s) / total if self.directed and total > 0 else None


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a district's counters, with their widths."""

    devices: Mapping[str, Device]
    width_m: Mapping[str, float]
    gates: Mapping[str, tuple[str, ...]]
    """By the place that they close."""

    @classmethod
    def of(cls, pack: Pack, kinds: frozenset[DeviceKind] = ON_FOOT) -> Lines:
        """Return the lines of a pack: those that people walk over where ``kinds`` does not say otherwise."""
        lines = {d.device_id: d for d in pack.devices if d.kind in kinds}
        width = {
            name: max(float(pack.projection.project(d.geometry).length), LEAST_WIDTH_M) for name, d in lines.items()
        }
        gates = {
            place.place_id: tuple(
                d.device_id for d in lines.values() if d.kind is DeviceKind.GATE and d.place_id == place.place_id
            )
            for place in pack.places
            if place.closed
        }
        return cls(lines, width, {place: found for place, found in gates.items() if found})

    def heard(
        self, kept: Mapping[str, Sequence[Window]], seen: Iterable[Observation], at: datetime
    ) -> dict[str, tuple[Window, ...]]:
        """Return the windows of the last minutes, with new ones; each once, whatever their order."""
        # What was kept may be of a pack that had other lines: those that are gone are no lines any more.
        every: dict[str, set[Window]] = {name: set(windows) for name, windows in kept.items() if name in self.devices}
        for one in seen:
            if one.device_id in self.devices:
                every.setdefault(one.device_id, set()).add(_window(one))
        kept_s = {name: max(OVER.total_seconds(), 2 * self.devices[name].interval_s) for name in every}
        fresh = {
            name: tuple(sorted(w for w in windows if w[1] > at.timestamp() - kept_s[name]))
            for name, windows in every.items()
        }
        return {name: windows for name, windows in fresh.items() if windows}

    def flow(self, device_id: str, windows: Sequence[Window]) -> Flow:
        """Return the flow over one line in its windows; at least one is given."""
        length = sum(end - begin for begin, end, *_ in windows)
        n_in, n_out = sum(w[2] for w in windows), sum(w[3] for w in windows)
        error = self.devices[device_id].expected_error
        sd = math.sqrt(n_in + n_out + 1 + (error * (n_in + n_out)) ** 2) / length
        return Flow(
            in_per_s=n_in / length,
            out_per_s=n_out / length,
            sd_per_s=sd,
            directed=all(w[4] for w in windows),
            width_m=self.width_m[device_id],
            n=n_in + n_out,
        )

    def through(self, place_id: str, kept: Mapping[str, Sequence[Window]]) -> Flow | None:
        """Return the people over all gates of a closed place together; None where a gate is silent."""
        gates = self.gates.get(place_id, ())
        if not gates or any(gate not in kept for gate in gates):
            return None
        flows = [self.flow(gate, kept[gate]) for gate in gates]
        return Flow(
            in_per_s=sum(flow.in_per_s for flow in flows),
            out_per_s=sum(flow.out_per_s for flow in flows),
            sd_per_s=math.sqrt(sum(flow.sd_per_s**2 for flow in flows)),
            directed=True,
            width_m=sum(flow.width_m for flow in flows),
            n=sum(flow.n for flow in flows),
        )

    def gained(self, place_id: str, kept: Mapping[str, Sequence[Window]]) -> tuple[float, float] | None:
        """Return what a closed place gains, 1/s, and the standard deviation of that; None where a gate is silent."""
        gates = self.gates.get(place_id, ())
        if not gates or any(gate not in kept for gate in gates):
            return None
        flows = [self.flow(gate, kept[gate]) for gate in gates]
        # The errors of one gate are alike both ways, so they fall out of the difference but for the counting itself.
        spread = [flow.n / max(flow.n / max(flow.in_per_s + flow.out_per_s, 1e-9), 1.0) ** 2 for flow in flows]
        return sum(flow.net_per_s for flow in flows), math.sqrt(sum(spread))


def _window(seen: Observation) -> Window:
    directed = seen.n_passed is None
    n_in = seen.n_in if directed else seen.n_passed
    return seen.begin_at.timestamp(), seen.end_at.timestamp(), n_in or 0, (seen.n_out or 0) if directed else 0, directed
