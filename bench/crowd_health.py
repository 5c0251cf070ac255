"""How fast a faulty device is found, and how often a healthy one is accused: faults put into the simulated streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from anlan.crowd.watch import Watcher
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Observation
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from row import Row

Stream = Sequence[tuple[datetime, Sequence[Observation]]]

BUSY = 10.0
"""A device is judged where it counted so many a minute in the ten minutes before its fault."""
FAULT_MIN, REST_MIN = 15, 150
KINDS = ("zero", "stuck", "lost", "swapped")
WITHIN = {"zero": 3, "stuck": 3, "lost": 10, "swapped": 10}


@dataclass(frozen=True)
class Fault:
    """A fault put into a stream: its device, when, how many it counted a minute, how unequal its directions were."""

    kind: str
    device_id: str
    begin: int
    per_minute: float
    unequal: float
    found_min: float = np.inf


def number(seen: Observation) -> int:
    """Return all people in a count."""
    return sum(value or 0 for value in (seen.n_in, seen.n_out, seen.n_passed, seen.n_present))


def spoilt(kind: str, seen: Observation, frozen: Observation, rng: np.random.Generator) -> Observation:
    """Return a count as a faulty device would have sent it."""
    if kind == "swapped":
        return replace(seen, n_in=seen.n_out, n_out=seen.n_in)
    names = [name for name in ("n_in", "n_out", "n_passed", "n_present") if getattr(seen, name) is not None]
    if kind == "zero":
        return replace(seen, **dict.fromkeys(names, 0))
    if kind == "stuck":
        return replace(seen, **{name: getattr(frozen, name) for name in names})
    return replace(seen, **{name: int(rng.binomial(getattr(seen, name), 0.5)) for name in names})


class World:
    """A stream by device and minute, into which faults are put one after the other."""

    def __init__(self, pack: Pack, stream: Stream) -> None:
        self.stream = stream
        self.devices = {d.device_id: d for d in pack.devices if d.kind is not DeviceKind.GRID}
        self.sent = {name: {} for name in self.devices}
        for k, (_, seen) in enumerate(stream):
            for one in seen:
                if one.device_id in self.sent:
                    self.sent[one.device_id][k] = one

    def faults(self, kind: str, rng: np.random.Generator) -> list[Fault]:
        """Draw faults: a device at random every ten minutes or so, each for a quarter of an hour."""
        names, found, free, k = sorted(self.devices), [], {}, 40
        while True:
            k += int(rng.integers(6, 15))
            if k > len(self.stream) - FAULT_MIN - 5:
                return found
            name = names[int(rng.integers(len(names)))]
            before = [self.sent[name].get(j) for j in range(k - 30, k)]
            during = [j in self.sent[name] for j in range(k - 1, k + FAULT_MIN)]
            directed = self.devices[name].directed and self.devices[name].kind is not DeviceKind.AREA
            if free.get(name, 0) > k or not all(during) or (kind == "swapped" and not directed):
                continue
            ways = [sum(getattr(one, way) or 0 for one in before if one) for way in ("n_in", "n_out")]
            lately = [number(one) for one in before[-10:] if one]
            unequal = abs(ways[0] - ways[1]) / max(sum(ways), 1)
            found.append(Fault(kind, name, k, float(np.mean(lately)) if lately else 0.0, unequal))
            free[name] = k + FAULT_MIN + REST_MIN

    def found(self, faults: Sequence[Fault], rng: np.random.Generator) -> list[Fault]:
        """Watch the stream with the faults in it; return each with how many minutes it took to be found."""
        bad = {(fault.device_id, k): fault for fault in faults for k in range(fault.begin, fault.begin + FAULT_MIN)}
        watcher = Watcher(read_pack(find_pack("huangpu")))
        health, before, since = watcher.start(), frozenset(), {}
        for k, (at, seen) in enumerate(self.stream):
            sent = []
            for one in seen:
                fault = bad.get((one.device_id, k))
                frozen = self.sent[one.device_id][fault.begin - 1] if fault else one
                sent.append(spoilt(fault.kind, one, frozen, rng) if fault else one)
            health, _ = watcher.watch(health, sent, {}, at)
            now = watcher.distrusted(health)
            for name in now - before:
                fault = bad.get((name, k))
                if fault is not None:
                    since.setdefault((name, fault.begin), k - fault.begin + 1)
            before = now
        return [replace(f, found_min=since.get((f.device_id, f.begin), np.inf)) for f in faults]


def accused(pack: Pack, stream: Stream) -> list[tuple[datetime, str, str]]:
    """Return who is accused in a stream without faults, when and of what."""
    watcher = Watcher(pack)
    health, before, found = watcher.start(), frozenset(), []
    for at, seen in stream:
        health, verdicts = watcher.watch(health, seen, {}, at)
        now = watcher.distrusted(health)
        found += [(at, name, str(verdicts[name].fault)) for name in sorted(now - before)]
        before = now
    return found


def accused_by_rule(stream: Stream, n: int) -> int:
    """Return how often the usual rule, so many zeros in a row after a count, accuses somebody in a stream."""
    runs: dict[str, deque[int]] = {}
    times = 0
    for _, seen in stream:
        for one in seen:
            run = runs.setdefault(one.device_id, deque(maxlen=n + 1))
            run.append(number(one))
            times += len(run) == n + 1 and run[0] > 0 and not any(list(run)[1:])
    return times


def measured(pack: Pack, streams: Sequence[Stream], n_worlds: int, say: Callable[[str], None]) -> Iterator[Row]:
    """Return the rows: found, in time, and accused in vain."""
    n_devices = sum(d.kind is not DeviceKind.GRID for d in pack.devices)
    hours = sum(len(stream) for stream in streams) / 60
    found: dict[str, list[Fault]] = {kind: [] for kind in KINDS}
    for s, stream in enumerate(streams):
        world = World(pack, stream)
        for kind in KINDS:
            for w in range(n_worlds):
                rng = np.random.default_rng((s, w, KINDS.index(kind)))
                found[kind] += world.found(world.faults(kind, rng), rng)
            say(f"stream {s + 1} of {len(streams)}: {kind}, {len(found[kind])} faults")
    wrong = [one for stream in streams for one in accused(pack, stream)]
    per_hour = len(wrong) / hours * 106 / n_devices
    by_rule = sum(accused_by_rule(stream, 3) for stream in streams) / hours * 106 / n_devices
    kinds = {d.device_id: str(d.kind) for d in pack.devices}
    both = busy(found["zero"]) + busy(found["stuck"])
    yield Row(
        id="2.8a", what=f"stuck or zero device of {BUSY:g} a minute or more found within 3 min", value=share(both),
        unit="%", goal=">= 99", ok=share(both) >= 99,
        peer=f"{len(both)} faults: zero {by_kind(busy(found['zero']), kinds)}; stuck {by_kind(busy(found['stuck']), kinds)}",
    )  # fmt: skip
    lost = busy(found["lost"])
    yield Row(
        id="2.8b", what=f"device of {BUSY:g} a minute or more that loses half found within 10 min", value=share(lost),
        unit="%", goal=">= 95", ok=share(lost) >= 95,
        peer=f"{len(lost)} faults: {by_kind(lost, kinds)}; {by_flow(lost)}",
    )  # fmt: skip
    yield Row(
        id="2.8c", what=f"false alarms per hour and 106 devices, over {hours:.0f} h", value=per_hour, unit="/h",
        goal="<= 0.25", ok=per_hour <= 0.25, peer=f"the rule of three zeros in a row {by_rule:.1f}",
    )  # fmt: skip
    turned = [f for f in busy(found["swapped"]) if f.unequal > 0.2]
    yield Row(
        id="2.8d", what="swapped directions, where one carried 1.5 times the other, found within 10 min",
        value=share(turned), unit="%", peer=f"{len(turned)} faults",
    )  # fmt: skip
    late = [f.found_min for f in busy(found["stuck"])]
    yield Row(
        id="2.8e", what="stuck device of as many, minutes until 99 of 100 are found", unit="min",
        value=float(np.quantile(late, 0.99, method="higher")) if late else None,
    )  # fmt: skip


def busy(faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults of devices that counted enough to be judged in minutes."""
    return [fault for fault in faults if fault.per_minute >= BUSY]


def share(faults: Sequence[Fault]) -> float:
    """Return how many in a hundred were found in time."""
    return 100 * float(np.mean([f.found_min <= WITHIN[f.kind] for f in faults])) if faults else float("nan")


def by_kind(faults: Sequence[Fault], kinds: dict[str, str]) -> str:
    """Return the shares found by kind of device."""
    split = {kind: [f for f in faults if kinds[f.device_id] == kind] for kind in ("gate", "passage", "area")}
    return ", ".join(f"{kind} {share(mine):.0f} % of {len(mine)}" for kind, mine in split.items() if mine)


def by_flow(faults: Sequence[Fault]) -> str:
    """Return the shares found by how many were counted a minute."""
    split = [(a, b, [f for f in faults if a <= f.per_minute < b]) for a, b in ((10, 20), (20, 50), (50, 1e9))]
    return ", ".join(f"from {a:g} {share(mine):.0f} %" for a, _, mine in split if mine)


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """A whole ordinary day and New Year's Eve with its night, with faults at random moments of both."""
    pack = read_pack(find_pack("huangpu"))
    known = {scenario.scenario_id: scenario for scenario in scenarios(pack)}
    plans = [("normal_day", 31, 16 if quick else 0, 4 if quick else 24), ("new_years_eve", 32, 17, 2 if quick else 9)]
    streams = []
    for scenario_id, seed, hour, hours in plans:
        scenario = known[scenario_id]
        begin_at = scenario.opens_at.replace(hour=hour, minute=0)
        minutes = simulate(pack, scenario, seed, begin_at, begin_at + timedelta(hours=hours))
        streams.append([(m.at, [s for s in m.observations if s.counts is None and s.end_at <= m.at]) for m in minutes])
        say(f"{scenario_id}: {hours} h simulated")
    yield from measured(pack, [stream[20:] for stream in streams], 1 if quick else 4, say)
