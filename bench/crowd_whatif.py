"""What-if and clearance: how fast, and whether anybody is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from anlan.crowd import Cells
from anlan.crowd.whatif import Ground, Measure, MeasureKind, clearance
from anlan.crowd.whatif.ahead import DWELL_S, Habit, Habitat, Routes, run
from anlan.crowd.whatif.measure import Ordered
from anlan.pack import find_pack, read_pack
from row import Row


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Time one hour ahead under a measure, and clearing 200,000 people; compare the books."""
    pack = read_pack(find_pack("huangpu"))
    cells = Cells.of(pack)
    ground = Ground.of(pack, cells)
    persons = cells.expected * (200_000 / cells.expected.sum())
    shares = [cells.shares(pack.projection.project(place.polygon)) for place in pack.places]
    measure = Measure(kind=MeasureKind.METERING, polygon=pack.places[0].polygon, per_minute=60.0)
    habit = Habit(persons=persons, dwell_s=DWELL_S, coming=1.0, pace=1.0)
    took, lost = [], 0.0
    for _ in range(3 if quick else 6):
        begin = time.perf_counter()
        habitat = Habitat.of(ground, persons, shares)
        course = run(Routes.of(Ordered.of(ground, pack, cells, measure), habitat, persons), habitat, habit, shares)
        took.append(time.perf_counter() - begin)
        lost = max(lost, course.lost)
    hour = float(np.median(took[1:]))
    say(f"one hour ahead at {len(cells):,} cells: {hour:.2f} s")
    yield Row(
        id="2.11",
        what=f"one-hour what-if, {len(cells):,} cells, one member, routes included",
        value=hour,
        unit="s",
        goal="<= 1",
        ok=hour <= 1,
    )
    yield Row(id="2.11", what="people lost, share of all", value=lost, unit="", goal="<= 1e-9", ok=lost <= 1e-9)
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        made = clearance(ground, persons)
        took.append(time.perf_counter() - begin)
    clear = float(np.median(took))
    yield Row(id="2.11", what="clearance of 200,000 people, compute", value=clear, unit="s", goal="<= 5", ok=clear <= 5)
    lost = abs(made.n_left + made.n_remaining - made.n_persons) / made.n_persons
    yield Row(
        id="2.11", what="people lost in clearance, share of all", value=lost, unit="", goal="<= 1e-9", ok=lost <= 1e-9
    )
