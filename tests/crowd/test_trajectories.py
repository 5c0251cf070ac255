"""Measures of laboratory trajectories equal the reference; where the recordings are absent, the claims are skipped."""

import os
from pathlib import Path

import numpy as np
import pytest
import shapely

from anlan.crowd.trajectories import Trajectories, classical_density, crossing_times, specific_flow, voronoi_density
from anlan.kernel.errors import BadInput

LABORATORY = (
    Path(os.environ.get("ANLAN_DATA", Path(__file__).parents[3] / "shared" / "data")) / "pedestrian_experiments"
)
recorded = pytest.mark.skipif(not LABORATORY.is_dir(), reason=f"no laboratory recordings in {LABORATORY}")
AREA = shapely.box(-0.4, 0.5, 0.4, 1.3)
LEFT = [
    (-0.7, -1.1),
    (-0.25, -1.1),
    (-0.25, -0.15),
    (-0.4, 0),
    (-2.8, 0),
    (-2.8, 6.7),
    (-3.05, 6.7),
    (-3.05, -0.3),
    (-0.7, -0.3),
]
FLOOR = shapely.box(-3.5, -2, 3.5, 8) - shapely.union_all(
    [shapely.Polygon(LEFT), shapely.Polygon([(-x, y) for x, y in LEFT])]
)


def read(path, per_s):
    rows = np.loadtxt(path)
    rows = rows[np.lexsort([rows[:, 1], rows[:, 0]])]
    return Trajectories(
        walker=rows[:, 0].astype(int), frame=rows[:, 1].astype(int), x_m=rows[:, 2], y_m=rows[:, 3], per_s=per_s
    )


@pytest.fixture(scope="module")
def bottleneck():
    return read(LABORATORY / "bottleneck_040" / "040_c_56_h-.txt.gz", 25.0)


@recorded
def test_classical_density_is_that_of_the_reference():
    folder = LABORATORY / "jpsreport_bottleneck"
    seen = read(folder / "traj.txt.gz", 16.0)
    told = np.loadtxt(folder / "rho_v_Classic_traj.txt_id_1.dat.gz")[:, 1]
    made = classical_density(seen, shapely.box(-0.60, -0.53, 2.40, 0.53))
    assert len(made) == len(told)
    assert np.abs(made - told).max() <= 0.001


@recorded
def test_densities_are_those_of_pedpy(bottleneck):
    pedpy = pytest.importorskip("pedpy", reason="PedPy is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    few = bottleneck.frame % 50 == 0
    table = pandas.DataFrame(
        {"id": bottleneck.walker, "frame": bottleneck.frame, "x": bottleneck.x_m, "y": bottleneck.y_m}
    )[few]
    theirs = pedpy.TrajectoryData(table.reset_index(drop=True), frame_rate=25.0)
    area = pedpy.MeasurementArea(AREA)
    some = Trajectories(
        walker=bottleneck.walker[few], frame=bottleneck.frame[few] // 50, x_m=bottleneck.x_m[few],
        y_m=bottleneck.y_m[few], per_s=0.5,
    )  # fmt: skip
    cells = pedpy.compute_individual_voronoi_polygons(traj_data=theirs, walkable_area=pedpy.WalkableArea(FLOOR))
    voronoi, _ = pedpy.compute_voronoi_density(individual_voronoi_data=cells, measurement_area=area)
    classic = pedpy.compute_classic_density(traj_data=theirs, measurement_area=area)
    for made, told in ((voronoi_density(some, FLOOR, AREA), voronoi), (classical_density(some, AREA), classic)):
        by_frame = told.set_index("frame") if "frame" in told.columns else told
        expected = by_frame["density"].reindex(some.frames * 50).fillna(0.0).to_numpy()
        assert expected.max() > 1
        assert np.abs(made - expected).max() <= 0.001


@recorded
def test_everybody_passes_the_bottleneck_once(bottleneck):
    times = crossing_times(bottleneck, shapely.LineString([(0.4, 0), (-0.4, 0)]))
    assert len(times) == 75
    assert times[-1] - times[0] == pytest.approx(64.5, abs=0.5)


def test_two_walkers_share_the_floor_by_halves():
    seen = Trajectories(
        walker=np.array([0, 1]), frame=np.array([0, 0]), x_m=np.array([1.0, 3.0]), y_m=np.array([1.0, 1.0]), per_s=1.0
    )
    floor = shapely.box(0, 0, 4, 2)
    assert voronoi_density(seen, floor, shapely.box(0, 0, 1, 2)) == pytest.approx([0.25])
    assert voronoi_density(seen, floor, floor) == pytest.approx([0.25])


def test_a_flow_of_one_crossing_is_refused():
    with pytest.raises(BadInput, match="must be two at least"):
        specific_flow(np.array([1.0]), 0.8)
