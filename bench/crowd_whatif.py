"""What-if and clearance: how fast, and whether anybody is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from anlan.crowd import Cells, Estimator
from anlan.crowd.trajectories import Trajectories, classical_density, voronoi_density
from anlan.crowd.whatif import Ground, Measure, MeasureKind, Trials, clearance
from anlan.crowd.whatif.ahead import Habit, run
from anlan.crowd.whatif.measure import Ordered
from anlan.crowd.whatif.routes import Habitat, Routes
from anlan.kernel.pack import Pack
from anlan.kernel.records import Place
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from row import Row

try:
    import pedpy
except ImportError:
    pedpy = None

LABORATORY = (
    Path(os.environ.get("ANLAN_DATA", Path(__file__).parents[2] / "shared" / "data")) / "pedestrian_experiments"
)
AREA = shapely.box(-0.60, -0.53, 2.40, 0.53)
"""Of the reference results that come with the recording AO_300 of the Forschungszentrum Jülich."""


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """What-if, then the measures of the laboratory."""
    yield from ahead(quick=quick, say=say)
    yield from laboratory(quick=quick, say=say)


def laboratory(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Compare densities with the reference results of JPSreport, and with PedPy where it is installed."""
    folder = LABORATORY / "jpsreport_bottleneck"
    if not folder.is_dir():
        say(f"2.13 is left out: no laboratory recordings in {LABORATORY}")
        return
    lines = np.loadtxt(folder / "traj.txt.gz")
    lines = lines[np.lexsort([lines[:, 1], lines[:, 0]])]
    walker, frame = lines[:, 0].astype(int), lines[:, 1].astype(int)
    seen = Trajectories(walker=walker, frame=frame, x_m=lines[:, 2], y_m=lines[:, 3], per_s=16.0)
    told = np.loadtxt(folder / "rho_v_Classic_traj.txt_id_1.dat.gz")[:, 1]
    off = float(np.abs(classical_density(seen, AREA) - told).max())
    yield Row(
        id="2.13",
        what=f"classical density, {len(told)} frames, largest difference to JPSreport",
        value=off,
        unit="1/m²",
        goal="<= 0.001",
        ok=off <= 0.001,
    )
    if pedpy is None:
        say("2.13, Voronoi density, is left out: PedPy is not installed")
        return
    every = 40 if quick else 5
    few = frame % every == 0
    wall = shapely.Polygon(
        [
            (4, 6.25),
            (4, 0.53),
            (2.4, 0.53),
            (2.4, -0.53),
            (4, -0.53),
            (4, -8.5),
            (-2.25, -8.5),
            (-2.25, -0.53),
            (-0.6, -0.53),
            (-0.6, 0.53),
            (-2.25, 0.53),
            (-2.25, 6.25),
        ]
    )
    table = pd.DataFrame({"id": walker[few], "frame": frame[few], "x": lines[few, 2], "y": lines[few, 3]})
    theirs = pedpy.compute_individual_voronoi_polygons(
        traj_data=pedpy.TrajectoryData(table, frame_rate=16.0), walkable_area=pedpy.WalkableArea(wall)
    )
    peer, _ = pedpy.compute_voronoi_density(
        individual_voronoi_data=theirs, measurement_area=pedpy.MeasurementArea(AREA)
    )
    peer = peer.set_index("frame") if "frame" in peer.columns else peer
    some = Trajectories(
        walker=walker[few], frame=frame[few] // every, x_m=lines[few, 2], y_m=lines[few, 3], per_s=16.0 / every
    )
    expected = peer["density"].reindex(some.frames * every).fillna(0.0).to_numpy()
    off = float(np.abs(voronoi_density(some, wall, AREA) - expected).max())
    yield Row(
        id="2.13",
        what=f"Voronoi density, {len(expected)} frames, largest difference to PedPy",
        value=off,
        unit="1/m²",
        goal="<= 0.001",
        ok=off <= 0.001,
        peer=f"PedPy {pedpy.__version__}",
    )


def answer(pack: Pack, cells: Cells, *, quick: bool) -> Row:
    """Time a whole answer, from an estimate of the simulated district to every place's interval."""
    estimator, scenario = Estimator(pack, cells), scenarios(pack)[0]
    state = estimator.start(scenario.opens_at)
    for minute in simulate(pack, scenario, 1, scenario.opens_at, scenario.opens_at + timedelta(minutes=12), ()):
        ripe = [seen for seen in minute.observations if seen.end_at <= minute.at]
        state = estimator.advance(state, ripe, minute.at)
    field, trials, took = estimator.field(state), Trials(pack, cells), []
    busy = max(pack.places, key=lambda place: float(field.persons @ _whole(cells, pack, place)))
    for kind, more in ((MeasureKind.METERING, {"per_minute": 60.0}), (MeasureKind.CLOSURE, {})):
        measure = Measure(kind=kind, polygon=busy.polygon, **more)
        for _ in range(2 if quick else 4):
            begin = time.perf_counter()
            made = trials.measure(field, measure, np.random.default_rng(1))
            took.append(time.perf_counter() - begin)
    worst = max(took[1:])
    return Row(
        id="2.11",
        what=f"whole answer with interval, {len(cells):,} cells, {made.n_members} members with and without, slowest",
        value=worst,
        unit="s",
        goal="<= 3",
        ok=worst <= 3,
    )


def _whole(cells: Cells, pack: Pack, place: Place) -> np.ndarray:
    index, share = cells.shares(pack.projection.project(place.polygon))
    return np.bincount(index, share, len(cells))


def ahead(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Time one hour ahead under a measure, and clearing 200,000 people; compare the books."""
    pack = read_pack(find_pack("huangpu"))
    cells = Cells.of(pack)
    ground = Ground.of(pack, cells)
    persons = cells.expected * (200_000 / cells.expected.sum())
    shares = [cells.shares(pack.projection.project(place.polygon)) for place in pack.places]
    measure = Measure(kind=MeasureKind.METERING, polygon=pack.places[0].polygon, per_minute=60.0)
    took, lost = [], 0.0
    for _ in range(3 if quick else 6):
        begin = time.perf_counter()
        habitat = Habitat.of(ground, persons, shares)
        routes = Routes.of(Ordered.of(ground, pack, cells, measure), habitat, persons)
        course = run(routes, habitat, Habit(persons=persons), shares)
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
    yield answer(pack, cells, quick=quick)
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
