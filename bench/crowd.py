"""Count: how right, how sure and how fast, beside what others would use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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
from anlan.kernel.records import DeviceKind
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from row import Row


def stepping(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Time the minute's step at both sizes of a district."""
    for k, (n_cells, _) in enumerate(crowd_counting.SIZES[:1] if quick else crowd_counting.SIZES):
        yield from steps(n_cells, "ab" if k == 0 else "cd", say)


def steps(n_cells: int, letters: str, say: Callable[[str], None]) -> Iterator[Row]:
    """Time the minute's step and a late grid, at about so many cells."""
    pack = crowd_counting.cut(read_pack(find_pack("huangpu")), n_cells)
    cells = Cells.of(pack)
    n_devices = sum(d.kind is not DeviceKind.GRID for d in pack.devices)
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
    say(f"filter stepped at {len(cells):,} cells")
    yield Row(
        id=f"2.3{letters[0]}",
        what=f"minute step, {len(cells):,} cells, {n_devices} devices",
        value=float(np.median(plain)),
        unit="ms",
        goal="<= 40",
        ok=float(np.median(plain)) <= 40,
    )
    yield Row(
        id=f"2.3{letters[1]}",
        what=f"minute step that takes in a grid 5 min late, {len(cells):,} cells",
        value=float(np.median(late)),
        unit="ms",
        goal="<= 500",
        ok=float(np.median(late)) <= 500,
    )


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
