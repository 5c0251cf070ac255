"""How well people are counted once a night was seen: error, coverage and width by size of place, and with parts lost.

Each day is of a district of its own that has been counted and surveyed for a day before (see :mod:`learned`). It is
judged in its busy hours, from four in the afternoon. The estimator was tuned on seeds 101 to 104, none of which is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from accuracy import Naive
from anlan.crowd import Cells, Counter, Estimator
from anlan.crowd.state import State
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Observation
from anlan.pack import find_pack, read_pack
from beside import beside
from crowd_exact import held_by_exact, lasting, together
from learned import FROM, learned
from row import Row

Floats = npt.NDArray[np.float64]

GOALS = {"cordons": (6.0, 14.0), "1 km": (9.0, 20.0), "250 m": (12.5, 35.0), "50 x 100 m": (21.0, 55.0)}
"""Error and half-width at most, per cent."""
SPREAD = {"1 km": 50.0, "250 m": 50.0, "50 x 100 m": 60.0}
"""Error at most, as a part of the error of the location grid spread over the map, per cent."""
DAYS = (
    ("normal_day", 201),
    ("new_years_eve", 202),
    ("lantern_festival", 203),
    ("normal_day", 204),
    ("new_years_eve", 205),
)
N_SMALL = 200
JUDGE_FROM, JUDGE_TO = time(16), time(21, 30)
GRID_LOST = time(17), time(18)
DEAD_SHARE = 0.2
JUDGE_EVERY_MIN = 10


@dataclass
class Judged:
    """What was answered and what was true, by size of place: lists of arrays of one moment each."""

    sizes: dict[str, slice]
    told: list[Floats] = field(default_factory=list)
    together: list[Floats] = field(default_factory=list)
    """How the errors of all polygons go together, once an hour."""

    def add(self, truth: Floats, answers: Sequence[Floats], naive: Floats) -> None:
        """Keep a moment: truth, mean, low, high and what the location grid alone says, each of shape (polygons,)."""
        self.told.append(np.array([truth, *answers, naive]))

    def of(self, size: str) -> Floats:
        """Return truth, mean, low, high, naive of a size, shape (5, n), where a number was told."""
        found = np.concatenate([one[:, self.sizes[size]] for one in self.told], axis=1)
        return found[:, np.isfinite(found[1])]

    def by_exact(self, size: str, lag: float) -> tuple[float, float]:
        """Return between which numbers of a hundred an exact interval would hold on nine days of ten like this."""
        here = self.sizes[size]
        correlation = np.mean(self.together, axis=0)[here, here]
        return held_by_exact(correlation, lag, len(self.told), np.random.default_rng(1))


def shapes_of(pack: Pack, cells: Cells, rng: np.random.Generator) -> tuple[list[BaseGeometry], dict[str, slice]]:
    """Return the judged polygons (degrees) and which of them are of which size."""
    plane = pack.projection
    border = plane.project(pack.boundary)
    gated = {d.place_id for d in pack.devices if d.kind is DeviceKind.GATE}
    made = {"cordons": [plane.project(p.polygon) for p in pack.places if p.closed and p.place_id in gated]}
    x0, y0, x1, y1 = border.bounds
    for size, side in (("1 km", 1000.0), ("250 m", 250.0)):
        squares = [
            shapely.box(x, y, x + side, y + side).intersection(border)
            for x in np.arange(x0, x1, side)
            for y in np.arange(y0, y1, side)
        ]
        made[size] = [s for s in squares if _walkable(cells, s) > 0.05 * side**2]
    made["50 x 100 m"] = []
    while len(made["50 x 100 m"]) < N_SMALL:
        k = int(rng.integers(len(cells)))
        across, along = rng.permutation([50.0, 100.0]) / 2
        x, y = cells.x_m[k], cells.y_m[k]
        small = shapely.box(x - across, y - along, x + across, y + along)
        if _walkable(cells, small) > 500 and border.contains(small):
            made["50 x 100 m"].append(small)
    ends = np.cumsum([0, *map(len, made.values())])
    sizes = {size: slice(int(a), int(b)) for size, a, b in zip(made, ends[:-1], ends[1:], strict=True)}
    return [plane.unproject(shape) for group in made.values() for shape in group], sizes


def _walkable(cells: Cells, shape: BaseGeometry) -> float:
    index, share = cells.shares(shape)
    return float(cells.walkable_m2[index] @ share)


@dataclass
class Way:
    """One way of running the same day: what is kept from the estimator, and what it answered."""

    judged: Judged
    state: State
    withhold: Callable[[Observation], bool]
    begins: time
    ends: time


def judge(pack: Pack, scenario_id: str, seed: int, say: Callable[[str], None]) -> dict[str, Judged]:
    """Run a day whole, without its location grid for an hour, and without a fifth of its devices."""
    rng = np.random.default_rng(seed)
    polygons, sizes = shapes_of(pack, Cells.of(pack), rng)
    eyes = [d.device_id for d in pack.devices if d.kind is not DeviceKind.GRID]
    dead = set(rng.choice(eyes, round(DEAD_SHARE * len(eyes)), replace=False))
    grids = {d.device_id for d in pack.devices if d.kind is DeviceKind.GRID}
    hours = JUDGE_TO.hour + JUDGE_TO.minute / 60 - FROM.hour
    known = learned(pack, scenario_id, seed, hours, polygons)
    pack, estimator, state = known.pack, known.estimator, known.state
    counter = Counter(pack, known.cells)
    parts = [counter.shares(polygon) for polygon in polygons]
    naive = Naive(pack, known.cells, parts)
    say(f"{scenario_id} seed {seed}: an ordinary day was surveyed and learned from")
    ways: dict[str, Way] = {}
    for minute in known.minutes:
        now = minute.at.astimezone(known.begin_at.tzinfo).time()
        ripe = [seen for seen in minute.observations if seen.end_at <= minute.at]
        naive.see(ripe)
        if now == JUDGE_FROM:
            ways["whole"] = Way(Judged(sizes), state, lambda _: False, JUDGE_FROM, JUDGE_TO)
            ways["dead"] = Way(Judged(sizes), state, lambda seen: seen.device_id in dead, JUDGE_FROM, JUDGE_TO)
        if now == GRID_LOST[0]:
            ways["lost"] = Way(Judged(sizes), ways["whole"].state, lambda seen: seen.device_id in grids, *GRID_LOST)
        if not ways:
            state = estimator.advance(state, ripe, minute.at)
        for name, way in ways.items():
            if way.begins <= now <= way.ends:
                kept = [seen for seen in ripe if not way.withhold(seen)]
                way.state = estimator.advance(way.state, kept, minute.at)
                if now.minute % JUDGE_EVERY_MIN == 0 and now != way.begins:
                    answers = _answers(counter, estimator, way.state, parts, minute.at)
                    way.judged.add(minute.truth, answers, naive.answers()["location grid spread over the map"])
                    if name == "whole" and now.minute == 0:
                        way.judged.together.append(together(estimator.field(way.state), parts))
        if now.minute == 0:
            say(f"{scenario_id} seed {seed} {now:%H:%M}")
    return {name: way.judged for name, way in ways.items()}


def _answers(
    counter: Counter,
    estimator: Estimator,
    state: State,
    parts: Sequence[tuple[npt.NDArray[np.int64], Floats]],
    at: datetime,
) -> Floats:
    made = counter.many(estimator.field(state), parts, at)
    told = [(e.occupancy, e.low, e.high) if e.occupancy is not None else (np.nan,) * 3 for e in made]
    return np.array(told, float).T


def error(found: Floats) -> float:
    """Return the WAPE of the means, per cent."""
    return 100 * float(np.abs(found[1] - found[0]).sum() / found[0].sum())


def covered(found: Floats) -> float:
    """Return how often the 90 % interval held the truth, per cent."""
    return 100 * float(((found[2] <= found[0]) & (found[0] <= found[3])).mean())


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Five days, each in a district of its own; one ordinary day where it has to be quick."""
    pack = read_pack(find_pack("huangpu"))
    days = beside(judge, [(pack, *day) for day in (DAYS[:1] if quick else DAYS)], say)
    for letter, (size, (most, width)) in zip("abcd", GOALS.items(), strict=True):
        found = [day["whole"].of(size) for day in days]
        every = np.concatenate(found, axis=1)
        off = error(every)
        yield Row(
            id=f"2.4{letter}", what=f"error (WAPE), {size}, {len(days)} days", value=off, unit="%",
            goal=f"<= {most:g}", ok=off <= most, peer="by day " + ", ".join(f"{error(one):.0f}" for one in found),
        )  # fmt: skip
        if size in SPREAD:
            alone = 100 * float(np.abs(every[4] - every[0]).sum() / every[0].sum())
            yield Row(
                id=f"2.5{letter}", what=f"error beside the location grid spread over the map, {size}",
                value=100 * off / alone, unit="% of its", goal=f"<= {SPREAD[size]:g}",
                ok=100 * off / alone <= SPREAD[size], peer=f"spread over the map {alone:.0f} %",
            )  # fmt: skip
        held = [covered(one) for one in found]
        lag = lasting(np.array(day["whole"].told)[:, :, day["whole"].sizes[size]] for day in days)
        exact = [day["whole"].by_exact(size, lag) for day in days]
        yield Row(
            id=f"2.6{letter}1", what=f"90 % interval holds the truth, {size}", value=covered(every), unit="%",
            goal="87-93, each day", ok=all(87 <= one <= 93 for one in held),
            peer="by day (an exact interval, nine days of ten) "
            + ", ".join(f"{one:.0f} ({a:.0f}-{b:.0f})" for one, (a, b) in zip(held, exact, strict=True)),
        )  # fmt: skip
        half = 50 * float((every[3] - every[2]).sum() / every[1].sum())
        yield Row(
            id=f"2.6{letter}2", what=f"half-width of the interval, {size}", value=half, unit="%",
            goal=f"<= {width:g}", ok=half <= width,
        )  # fmt: skip
    for letter, name, what, most in (
        ("a", "lost", "location grid lost for an hour", 10.0),
        ("b", "dead", "a fifth of the devices dead", 9.0),
    ):
        found = np.concatenate([day[name].of("cordons") for day in days], axis=1)
        off, held_here = error(found), covered(found)
        yield Row(
            id=f"2.7{letter}1",
            what=f"{what}: error of cordons",
            value=off,
            unit="%",
            goal=f"<= {most:g}",
            ok=off <= most,
        )
        yield Row(
            id=f"2.7{letter}2", what=f"{what}: coverage", value=held_here, unit="%", goal=">= 85", ok=held_here >= 85
        )
