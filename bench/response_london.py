"""Arrivals and demand learned from London's dwelling fires of January to June 2009, judged on July and August."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np
import pandas as pd
from scipy.stats import poisson

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.response.demand import Calls, fit_demand, hours_of, slot_of
from anlan.response.travel import ArrivalFit, Runs, fit_arrivals
from ground import DATA
from row import Row

BEGIN, CUT, END = (datetime.fromisoformat(day) for day in ("2009-01-01", "2009-07-01", "2009-09-01"))
ANY_SPEED_M_S = 10.0
PROMISE_S = 300.0


def fires() -> pd.DataFrame:
    """Return the fires whose first pump's station is known, with the straight line from it."""
    folder = DATA / "london_fire_2009"
    table = pd.read_csv(folder / "dwelling_fires_2009.csv.gz", parse_dates=["call_time"])
    stations = pd.read_csv(folder / "fire_stations.csv")
    place = {
        key(name): (x, y)
        for name, x, y in zip(stations["name"], stations["easting"], stations["northing"], strict=True)
    }
    start = np.array([place.get(key(one), (np.nan, np.nan)) for one in table["first_pump_from"]])
    table["line_m"] = np.hypot(table["easting"] - start[:, 0], table["northing"] - start[:, 1])
    table["ward_id"] = table["borough"] + "/" + table["ward"]
    return table[table["line_m"].notna()].reset_index(drop=True)


def key(name: str) -> str:
    """Return a station's name in one spelling."""
    bare = re.sub(r"(including|license).*", "", name.lower())
    return re.sub(r"[^a-z]", "", bare).replace("wimblendon", "wimbledon")


def runs_of(table: pd.DataFrame) -> Runs:
    """Return the ways of the first pumps."""
    return Runs(
        nominal_s=table["line_m"].to_numpy() / ANY_SPEED_M_S,
        hour=(table["call_time"].dt.hour + table["call_time"].dt.minute / 60).to_numpy(),
        origin=list(table["first_pump_from"]),
        x_m=table["easting"].to_numpy(float),
        y_m=table["northing"].to_numpy(float),
    )


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:  # noqa: ARG001 - it is quick as it is
    """Row 3.10, and demand."""
    if not (DATA / "london_fire_2009").is_dir():
        yield Row(id="3.10a", what=f"London: not measured, no data in {DATA.name}", value=None, unit="")
        return
    table = fires()
    early = (table["call_time"] < CUT).to_numpy()
    taken = table["first_pump_s"].to_numpy(float)
    begin = time.perf_counter()
    fit = fit_arrivals(runs_of(table[early]), taken[early])
    say(f"fitted to {early.sum():,} arrivals in {time.perf_counter() - begin:.0f} s")
    yield from arrival_rows(table, taken, early, fit)
    yield from demand_rows(table, early)


def arrival_rows(table: pd.DataFrame, taken: np.ndarray, early: np.ndarray, fit: ArrivalFit) -> Iterator[Row]:
    """Error, interval and the share in time, on July and August."""
    late = ~early
    line = table["line_m"].to_numpy()
    told = fit.expected(runs_of(table[late]))
    error = np.abs(taken[late] - told.median_s).mean()
    slow = (line[early] @ taken[early]) / (line[early] @ line[early])
    straight = np.abs(taken[late] - slow * line[late]).mean()
    level, per_m = np.linalg.lstsq(np.stack([np.ones(early.sum()), line[early]], axis=1), taken[early], rcond=None)[0]
    affine = np.abs(taken[late] - level - per_m * line[late]).mean()
    yield Row(
        id="3.10a", what=f"London, {late.sum():,} arrivals: error less than a straight line at constant speed by", unit="%",
        value=100 * (1 - error / straight), goal=">= 25", ok=error <= 0.75 * straight,
        peer=f"{error:.1f} s; straight line at {1 / slow:.1f} m/s {straight:.1f} s; with a constant for turning out {affine:.1f} s",
    )  # fmt: skip
    held = ((told.low_s <= taken[late]) & (taken[late] <= told.high_s)).mean()
    yield Row(
        id="3.10b", what=f"London: 90 % interval (mean width {(told.high_s - told.low_s).mean():.0f} s) holds the arrival",
        value=100 * held, unit="%", goal="88-92", ok=bool(0.88 <= held <= 0.92),
    )  # fmt: skip
    chance, kept = fit.chance_within(runs_of(table[late]), PROMISE_S), taken[late] <= PROMISE_S
    yield Row(
        id="3.10c", what=f"London: share within {PROMISE_S:.0f} s, told less recorded ({100 * kept.mean():.1f} %)", unit="points",
        value=100 * (chance.mean() - kept.mean()), goal="within 5", ok=bool(abs(chance.mean() - kept.mean()) <= 0.05),
    )  # fmt: skip
    ground = table["station_ground"].to_numpy()
    busy = [one for one, n in table["station_ground"].value_counts().items() if n >= 50]
    off, by_chance, seen, draw = [], [], [], np.random.default_rng(1)
    for one in busy:
        here = ground[late] == one
        off.append(chance[here].mean() - kept[here].mean())
        trials = draw.random((2000, int(here.sum()))) < chance[here]
        by_chance.append(np.abs(trials.mean(axis=1) - chance[here].mean()))
        counted = trials.sum(axis=1) + draw.random(len(trials)) - 0.5  # ties are split at random
        seen.append(np.quantile(counted, 0.05) <= kept[here].sum() <= np.quantile(counted, 0.95))
    within = np.mean(np.abs(off) <= 0.05)
    at_best = np.mean(np.array(by_chance) <= 0.05)
    yield Row(
        id="3.10d", what=f"London: station grounds within 5 points, of {len(busy)} with 50 calls or more in eight months", unit="%",
        value=100 * within, goal="100", ok=bool(within == 1),
        peer=f"chance alone leaves {100 * at_best:.0f} % within 5 points where every probability is exact: {late.sum() / len(set(ground)):.0f} calls a ground; mean off {100 * np.mean(np.abs(off)):.1f} points, by chance {100 * np.mean(by_chance):.1f}",
    )  # fmt: skip
    most = int(table["station_ground"][late].value_counts().max())
    held = float(np.mean(seen))
    spare = 1.645 * np.sqrt(0.9 * 0.1 / len(busy))
    yield Row(
        id="3.10g", what=f"London: of these {len(busy)} grounds, those whose number in time lies in the 90 % interval that was foreseen", unit="%",
        value=100 * held, goal=f"{100 * (0.9 - spare):.0f}-{min(100, 100 * (0.9 + spare)):.0f}", ok=bool(abs(held - 0.9) <= spare),
        peer=f"no ground has more than {most} calls in July and August; with 50 the standard error of a share is 7 points",
    )  # fmt: skip


def demand_rows(table: pd.DataFrame, early: np.ndarray) -> Iterator[Row]:
    """How much likelier July and August's calls are than by flat or raw rates."""
    levels = [Level(key=one, label={}) for one in ("city", "borough", "ward")]
    areas = [Area(area_id="London", level="city", parent_id=None, name={}, polygon=None)]
    areas += [
        Area(area_id=one, level="borough", parent_id="London", name={}, polygon=None)
        for one in sorted(set(table["borough"]))
    ]
    areas += [
        Area(area_id=one, level="ward", parent_id=one.split("/")[0], name={}, polygon=None)
        for one in sorted(set(table["ward_id"]))
    ]
    tree = AreaTree(levels, areas)

    def calls(part: pd.DataFrame, begin: datetime, end: datetime) -> Calls:
        return Calls(
            area_id=list(part["ward_id"]), kind=["dwelling fire"] * len(part), hours=hours_of(begin, end),
            slot=np.array([slot_of(at) for at in part["call_time"]]),
        )  # fmt: skip

    before, after = calls(table[early], BEGIN, CUT), calls(table[~early], CUT, END)
    found = fit_demand(tree, "ward", before)
    count = np.zeros((len(found.area_ids), 168))
    seen = np.zeros(len(found.area_ids))
    row = {one: i for i, one in enumerate(found.area_ids)}
    for one in before.area_id:
        seen[row[one]] += 1
    for one, slot in zip(after.area_id, after.slot, strict=True):
        count[row[one], slot] += 1
    flat = np.full_like(count, seen.sum() / len(seen) / before.hours.sum()) * after.hours
    raw = ((seen + 0.5) / before.hours.sum())[:, None] * after.hours
    ours = found.log_likelihood(after)
    n = len(after.area_id)
    for letter, name, other in (
        ("e", "flat", poisson.logpmf(count, flat).sum()),
        ("f", "each ward's own, half a call added", poisson.logpmf(count, raw).sum()),
    ):
        yield Row(
            id=f"3.10{letter}", what=f"London, demand of {len(seen)} wards: log-likelihood per call above rates that are {name}",
            value=(ours - other) / n, unit="nats", goal="> 0", ok=bool(ours > other),
        )  # fmt: skip
