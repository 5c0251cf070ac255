"""How fast a faulty device is found, and how often a healthy one is accused: faults put into the simulated streams."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from anlan.crowd import Cells, Estimator
from anlan.crowd.watch import Watcher
from anlan.crowd.watched import Health
from anlan.kernel.answers import Fault as Suspected
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Observation
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from crowd_bound import Bound, share_of
from row import Row

Stream = Sequence[tuple[datetime, Sequence[Observation]]]

BUSY = 10.0
"""A device is judged where it counted so many a minute in the ten minutes before its fault."""
FAULT_MIN, REST_MIN = 15, 150
KINDS = ("zero", "stuck", "lost", "swapped", "clock", "restarted")
WITHIN = {"zero": 3, "stuck": 3, "lost": 10, "swapped": 10, "clock": 15, "restarted": 1}
NAMED = (Suspected.CLOCK, Suspected.RESTARTED)
"""Told, while the device goes on being used."""
FALSE_PER_HOUR = 0.25
DRIFT_S = 0.5
"""By which a drifting clock falls behind in a minute."""
TIMES = 3.0
"""What a device counts of one, where it contradicts all others."""


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
    """Return a count as a faulty device would have sent it; ``frozen`` is its last one in good order."""
    if kind == "clock":
        behind = DRIFT_S * (seen.end_at - frozen.end_at)
        off = timedelta(seconds=behind.total_seconds() / 60)
        return replace(seen, begin_at=seen.begin_at - off, end_at=seen.end_at - off)
    if kind == "swapped":
        return replace(seen, n_in=seen.n_out, n_out=seen.n_in)
    if kind == "restarted":
        # A count that was kept through an outage is older than the last in good order.
        return replace(seen, sequence=max(seen.sequence - frozen.sequence - 1, 0))
    names = [name for name in ("n_in", "n_out", "n_passed", "n_present") if getattr(seen, name) is not None]
    if kind == "zero":
        return replace(seen, **dict.fromkeys(names, 0))
    if kind == "stuck":
        return replace(seen, **{name: getattr(frozen, name) for name in names})
    return replace(seen, **{name: int(rng.binomial(getattr(seen, name), 0.5)) for name in names})


class Led:
    """The watcher as a district has it: beside it an estimate, from the same counts, without location grids."""

    def __init__(self, pack: Pack, begin_at: datetime) -> None:
        self._estimator = Estimator(pack, Cells.of(pack))
        self._state = self._estimator.start(begin_at - timedelta(minutes=1))
        self.watcher = self._estimator.watcher

    def watch(self, seen: Sequence[Observation], at: datetime) -> Health:
        """Return the health at a later minute."""
        self._state = self._estimator.advance(self._state, seen, at)
        return self._state.health


class Alone:
    """The watcher by itself: of all faults but a half the estimate says nothing, and takes most of the time."""

    def __init__(self, pack: Pack, _begin_at: datetime) -> None:
        self.watcher = Watcher(pack)
        self._health = self.watcher.start()

    def watch(self, seen: Sequence[Observation], at: datetime) -> Health:
        """Return the health at a later minute."""
        self._health = self.watcher.watch(self._health, seen, {}, at)
        return self._health


class World:
    """A stream by device and minute, into which faults are put one after the other."""

    def __init__(self, pack: Pack, stream: Stream) -> None:
        self.pack, self.stream = pack, stream
        self.devices = {d.device_id: d for d in pack.devices if d.kind is not DeviceKind.GRID}
        self.sent = {name: {} for name in self.devices}
        for k, (_, seen) in enumerate(stream):
            for one in seen:
                if one.device_id in self.sent:
                    self.sent[one.device_id][k] = one

    def faults(self, kind: str, rng: np.random.Generator) -> list[Fault]:
        """Draw faults: every ten minutes or so a device at random that counts enough, each for a quarter of an hour."""
        names, found, free, k = sorted(self.devices), [], {}, 40
        while True:
            k += int(rng.integers(6, 15))
            if k > len(self.stream) - FAULT_MIN - 5:
                return found
            able = [name for name in names if free.get(name, 0) <= k and self.lately(name, k) >= BUSY]
            if not able:
                continue
            name = able[int(rng.integers(len(able)))]
            before = [self.sent[name].get(j) for j in range(k - 30, k)]
            during = [j in self.sent[name] for j in range(k - 1, k + FAULT_MIN)]
            directed = self.devices[name].directed and self.devices[name].kind is not DeviceKind.AREA
            if not all(during) or (kind == "swapped" and not directed):
                continue
            ways = [sum(getattr(one, way) or 0 for one in before if one) for way in ("n_in", "n_out")]
            unequal = abs(ways[0] - ways[1]) / max(sum(ways), 1)
            found.append(Fault(kind, name, k, self.lately(name, k), unequal))
            free[name] = k + FAULT_MIN + REST_MIN

    def lately(self, name: str, k: int) -> float:
        """Return how many a device counted a minute in the ten minutes before."""
        counted = [number(one) for j in range(k - 10, k) if (one := self.sent[name].get(j))]
        return float(np.mean(counted)) if counted else 0.0

    def bound(self, faults: Sequence[Fault], kind: str, rng: np.random.Generator) -> list[float]:
        """Return how surely each fault is found in time by who knows the true rates."""
        names = sorted(self.devices)
        counts = np.full((len(self.stream), len(names), 2), np.nan)
        for d, name in enumerate(names):
            for k, one in self.sent[name].items():
                n_in = one.n_in if one.n_in is not None else number(one)
                counts[k, d] = n_in, one.n_out or 0
        view = np.array([self.devices[name].kind is DeviceKind.AREA for name in names], bool)
        best = Bound(counts, view, FALSE_PER_HOUR * len(names) / 106, rng)
        ask = best.lost if kind == "lost" else best.stuck
        return [ask(names.index(fault.device_id), fault.begin) for fault in faults]

    def found(self, faults: Sequence[Fault], rng: np.random.Generator) -> list[Fault]:
        """Watch the stream with the faults in it; return each with how many minutes it took to be found."""
        bad = {(fault.device_id, k): fault for fault in faults for k in range(fault.begin, fault.begin + FAULT_MIN)}
        watched = (Led if faults and faults[0].kind == "lost" else Alone)(self.pack, self.stream[0][0])
        before, since = frozenset(), {}
        for k, (at, seen) in enumerate(self.stream):
            sent = []
            for one in seen:
                fault = bad.get((one.device_id, k))
                frozen = self.sent[one.device_id][fault.begin - 1] if fault else one
                sent.append(spoilt(fault.kind, one, frozen, rng) if fault else one)
            health = watched.watch(sent, at)
            told = {name for name, of in watched.watcher.verdicts(health).items() if of.fault in NAMED}
            now = watched.watcher.distrusted(health) if faults and faults[0].kind not in NAMED else frozenset(told)
            for name in now - before:
                fault = bad.get((name, k))
                if fault is not None:
                    since.setdefault((name, fault.begin), k - fault.begin + 1)
            before = now
        return [replace(f, found_min=since.get((f.device_id, f.begin), np.inf)) for f in faults]


def accused(pack: Pack, stream: Stream) -> list[tuple[datetime, str, str]]:
    """Return who is accused in a stream without faults, when and of what."""
    watched, before, found = Led(pack, stream[0][0]), frozenset(), []
    for at, seen in stream:
        health = watched.watch(seen, at)
        now, verdicts = watched.watcher.distrusted(health), watched.watcher.verdicts(health)
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
    bound: dict[str, list[float]] = {"stuck": [], "lost": []}
    for s, stream in enumerate(streams):
        world = World(pack, stream)
        for kind in KINDS:
            for w in range(n_worlds):
                rng = np.random.default_rng((s, w, KINDS.index(kind)))
                faults = world.faults(kind, rng)
                found[kind] += world.found(faults, rng)
                if kind in bound:
                    bound[kind] += world.bound(faults, kind, rng)
            say(f"stream {s + 1} of {len(streams)}: {kind}, {len(found[kind])} faults")
    wrong = [one for stream in streams for one in accused(pack, stream)]
    per_hour = len(wrong) / hours * 106 / n_devices
    by_rule = sum(accused_by_rule(stream, 3) for stream in streams) / hours * 106 / n_devices
    kinds = {d.device_id: str(d.kind) for d in pack.devices}
    both = found["zero"] + found["stuck"]
    yield Row(
        id="2.8a", what=f"stuck or zero device of {BUSY:g} a minute or more found within 3 min", value=share(both),
        unit="%", goal=">= 99", ok=share(both) >= 99,
        peer=f"who knows every true rate {share_of([*bound['stuck'], *[1.0] * len(found['zero'])]):.1f}; {len(both)} faults: "
        f"zero {by_kind(found['zero'], kinds)}; stuck {by_kind(found['stuck'], kinds)}; "
        f"stuck {by_flow(found['stuck'], bound['stuck'])}",
    )  # fmt: skip
    lost = found["lost"]
    yield Row(
        id="2.8b", what=f"device of {BUSY:g} a minute or more that loses half found within 10 min", value=share(lost),
        unit="%", goal=">= 95", ok=share(lost) >= 95,
        peer=f"who knows every true rate {share_of(bound['lost']):.1f}; "
        f"{len(lost)} faults: {by_kind(lost, kinds)}; {by_flow(lost, bound['lost'])}",
    )  # fmt: skip
    yield Row(
        id="2.8c", what=f"false alarms per hour and 106 devices, over {hours:.0f} h", value=per_hour, unit="/h",
        goal="<= 0.25", ok=per_hour <= 0.25, peer=f"{by_fault(wrong)}; the rule of three zeros in a row {by_rule:.1f}",
    )  # fmt: skip
    turned = [f for f in found["swapped"] if f.unequal > 0.2]
    yield Row(
        id="2.8d", what="swapped directions, where one carried 1.5 times the other, found within 10 min",
        value=share(turned), unit="%", peer=f"{len(turned)} faults",
    )  # fmt: skip
    late = [f.found_min for f in found["stuck"]]
    yield Row(
        id="2.8e", what="stuck device of as many, minutes until 99 of 100 are found", unit="min",
        value=float(np.quantile(late, 0.99, method="higher")) if late else None,
    )  # fmt: skip
    for letter, kind, what in (
        ("f", "clock", f"clock that falls behind by {DRIFT_S:g} s a minute named within 15 min"),
        (
            "g",
            "restarted",
            "numbering that begins anew (a reset, a counter that wraps around) named in the same minute",
        ),
    ):
        yield Row(id=f"2.8{letter}", what=what, value=share(found[kind]), unit="%", peer=f"{len(found[kind])} faults")


def share(faults: Sequence[Fault]) -> float:
    """Return how many in a hundred were found in time."""
    return 100 * float(np.mean([f.found_min <= WITHIN[f.kind] for f in faults])) if faults else float("nan")


def by_kind(faults: Sequence[Fault], kinds: dict[str, str]) -> str:
    """Return the shares found by kind of device."""
    split = {kind: [f for f in faults if kinds[f.device_id] == kind] for kind in ("gate", "passage", "road", "area")}
    return ", ".join(f"{kind} {share(mine):.0f} % of {len(mine)}" for kind, mine in split.items() if mine)


def by_flow(faults: Sequence[Fault], bound: Sequence[float]) -> str:
    """Return the shares found by how many were counted a minute, and those that are found by who knows every rate."""
    split = {
        a: [(f, best) for f, best in zip(faults, bound, strict=True) if a <= f.per_minute < b]
        for a, b in ((10, 20), (20, 50), (50, 1e9))
    }
    return ", ".join(
        f"from {a:g} {share([f for f, _ in mine]):.0f} (bound {share_of([best for _, best in mine]):.0f}) % of {len(mine)}"
        for a, mine in split.items()
        if mine
    )


def by_fault(wrong: Sequence[tuple[datetime, str, str]]) -> str:
    """Return of what how many were accused in vain."""
    return ", ".join(f"{fault} {n}" for fault, n in Counter(fault for _, _, fault in wrong).most_common()) or "none"


def contradicted(pack: Pack, minutes: Sequence[tuple[datetime, Sequence[Observation]]]) -> Row:
    """Return how long it takes until views that count three times as many as there are are named by the estimate."""
    estimator = Estimator(pack, Cells.of(pack))
    views = sorted(d.device_id for d in pack.devices if d.kind is DeviceKind.AREA)
    wrong, named = set(views[::5]), dict[str, int]()
    state, others = estimator.start(minutes[0][0] - timedelta(minutes=1)), set[str]()
    for k, (at, seen) in enumerate(minutes):
        sent = [
            replace(one, n_present=round(TIMES * (one.n_present or 0))) if one.device_id in wrong else one
            for one in seen
        ]
        state = estimator.advance(state, sent, at)
        for name, of in estimator.watcher.verdicts(state.health).items():
            if of.fault is Suspected.CONTRADICTS:
                named.setdefault(name, k + 1)
                others |= {name} - wrong
    took = sorted(named[name] for name in wrong & set(named))
    return Row(
        id="2.8h", what=f"views that count {TIMES:g} times as many from the start, named as contradicting the others "
        f"within {len(minutes) / 60:.0f} h", value=100 * len(took) / len(wrong), unit="%",
        peer=f"{len(wrong)} views, after {', '.join(map(str, took)) or 'no'} min; {len(others)} others named in vain",
    )  # fmt: skip


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """A whole ordinary day and New Year's Eve with its night, with faults at random moments of both."""
    pack = read_pack(find_pack("huangpu"))
    known = {scenario.scenario_id: scenario for scenario in scenarios(pack)}
    plans = [("normal_day", 31, 16 if quick else 0, 4 if quick else 24), ("new_years_eve", 32, 17, 2 if quick else 9)]
    streams = []
    for scenario_id, seed, hour, hours in plans:
        scenario = known[scenario_id]
        begin_at = scenario.opens_at.replace(hour=hour, minute=0)
        minutes = list(simulate(pack, scenario, seed, begin_at, begin_at + timedelta(hours=hours)))
        if scenario_id == "normal_day":
            from_noon = minutes if quick else minutes[720:960]
            watched = [(m.at, [s for s in m.observations if s.end_at <= m.at]) for m in from_noon]
        streams.append([(m.at, [s for s in m.observations if s.counts is None and s.end_at <= m.at]) for m in minutes])
        say(f"{scenario_id}: {hours} h simulated")
    yield from measured(pack, [stream[20:] for stream in streams], 1 if quick else 4, say)
    yield contradicted(pack, watched)
