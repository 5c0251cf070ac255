"""Count: how right, how sure and how fast, beside what others would use."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np

import accuracy
import crowd_accuracy
import crowd_adapters
import crowd_alerts
import crowd_counting
import crowd_forecast
import crowd_health
import crowd_known
import crowd_whatif
from anlan.crowd import Cells, Estimator
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from row import Row


def stepping(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Time the minute's step at both sizes of a district."""
    for k, (n_cells, _) in enumerate(crowd_counting.SIZES[:1] if quick else crowd_counting.SIZES):
        yield from steps(n_cells, "ab" if k == 0 else "cd", say)
    if not quick:
        yield from border(say)


def steps(n_cells: int, letters: str, say: Callable[[str], None]) -> Iterator[Row]:
    """Time the minute's step and a late grid, at about so many cells: gates, passages and cameras of the district."""
    pack = crowd_counting.cut(read_pack(find_pack("huangpu")), n_cells)
    pack = replace(pack, devices=tuple(device for device in pack.devices if not device.border))
    cells, plain, late = timed(pack)
    kinds = Counter(device.kind for device in pack.devices)
    n_counters, n_cameras = kinds[DeviceKind.GATE] + kinds[DeviceKind.PASSAGE], kinds[DeviceKind.AREA]
    say(f"filter stepped at {len(cells):,} cells")
    yield Row(
        id=f"2.3{letters[0]}",
        what=f"minute step, {len(cells):,} cells, {n_counters} counters and {n_cameras} cameras",
        value=plain,
        unit="ms",
        goal="<= 40",
        ok=plain <= 40,
    )
    yield Row(
        id=f"2.3{letters[1]}",
        what=f"minute step that takes in a grid 5 min late, {len(cells):,} cells",
        value=late,
        unit="ms",
        goal="<= 500",
        ok=late <= 500,
    )


def border(say: Callable[[str], None]) -> Iterator[Row]:
    """Time the minute's step of the district as it is shipped, with counters on its border."""
    pack = crowd_counting.cut(read_pack(find_pack("huangpu")), crowd_counting.SIZES[0][0])
    cells, plain, _ = timed(pack)
    n_border = sum(device.border for device in pack.devices)
    say("filter stepped with the counters on the border")
    yield Row(
        id="2.3e",
        what=f"minute step, {len(cells):,} cells, with {n_border} more counters on the border",
        value=plain,
        unit="ms",
    )


def timed(pack: Pack) -> tuple[Cells, float, float]:
    """Return the district's cells, and how long the minute's step took, plain and with a late grid: medians, ms."""
    cells = Cells.of(pack)
    estimator = Estimator(pack, cells)
    scenario = scenarios(pack)[0]
    begin_at = scenario.opens_at
    state = estimator.start(begin_at)
    plain, late = [], []
    for minute in simulate(pack, scenario, 1, begin_at, begin_at + timedelta(minutes=40), ()):
        ripe = [seen for seen in minute.observations if seen.end_at <= minute.at]
        begin = time.perf_counter()
        state = estimator.advance(state, ripe, minute.at)
        took = 1000 * (time.perf_counter() - begin)
        (late if any(seen.counts is not None for seen in ripe) else plain).append(took)
    return cells, float(np.median(plain)), float(np.median(late))


PARTS = {
    "start": accuracy.rows,
    "accuracy": crowd_accuracy.rows,
    "counting": crowd_counting.rows,
    "step": stepping,
    "health": crowd_health.rows,
    "forecast": crowd_forecast.rows,
    "known": crowd_known.rows,
    "alerts": crowd_alerts.rows,
    "whatif": crowd_whatif.rows,
    "adapters": crowd_adapters.rows,
}


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Accuracy against the simulated truth, then each capability beside its peers."""
    for part in PARTS.values():
        yield from part(quick=quick, say=say)
