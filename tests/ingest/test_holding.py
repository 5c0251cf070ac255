import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.conftest import NOW
from tests.small import small_pack
from typer.testing import CliRunner

from anlan.cli.commands import app
from anlan.ingest import adapters_of
from anlan.ingest.holding import Suppression, lines_of, read_places, suppress
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.records import GridSpec
from anlan.pack import find_pack, read_pack

GRID = GridSpec(west_m=0, south_m=0, size_m=100, n_columns=2, n_rows=2)
counts = st.lists(st.integers(0, 500), min_size=1, max_size=50)


@given(counts, st.integers(5, 60), st.sampled_from([1, 5, 10]))
def test_nothing_below_k_leaves(people, k, round_to):
    told = suppress(np.array(people, float), Suppression(k=k, round_to=round_to), np.random.default_rng(1))
    for n, shown in zip(people, told, strict=True):
        assert math.isnan(shown) if n < k else abs(shown - n) <= round_to / 2


def test_noise_has_the_stated_scale_and_no_drift():
    told = suppress(np.full(200_000, 1000.0), Suppression(noise=5), np.random.default_rng(1)) - 1000
    assert abs(told.mean()) < 0.1
    share = np.exp(-1 / 5)
    assert told.std() == pytest.approx(math.sqrt(2 * share) / (1 - share), rel=0.02)


def test_points_and_squares_are_summed(tmp_path):
    projection = small_pack().projection
    lon, lat = projection.to_degrees([50, 150, 150, 950], [50, 50, 60, 950])
    file = tmp_path / "points.csv"
    rows = [f"{x},{y},{n}" for x, y, n in zip(lon, lat, (12, 5, 6, 99), strict=True)]
    file.write_text("\n".join(["lon,lat,count", *rows]))
    assert read_places(file, projection, GRID).tolist() == [12, 11, 0, 0]
    file.write_text("column,row,count\n0,1,30\n0,1,4\n7,7,50\n")
    assert read_places(file, projection, GRID).tolist() == [0, 0, 34, 0]


@pytest.mark.parametrize(
    "text",
    [
        "lon,lat,imei\n1,2,x", "lon,lat,count\n1,2,-5", "lon,lat\n1", "column,row,count\na,b,c", "lon,lat\nnan,1",
        "lon,lat\ninf,1", "lon,lat\n31.22,121.48",
    ],
)  # fmt: skip
def test_a_file_with_anything_else_in_it_is_not_read(tmp_path, text):
    file = tmp_path / "in.csv"
    file.write_text(text)
    with pytest.raises(BadInput):
        read_places(file, small_pack().projection, GRID)
    with pytest.raises(NotFound):
        read_places(tmp_path / "none.csv", small_pack().projection, GRID)


def test_a_suppression_that_hides_nobody_is_refused():
    with pytest.raises(BadInput, match="k=1 must be >= 5"):
        Suppression(k=1)
    with pytest.raises(BadInput, match="noise"):
        Suppression(noise=-1)


def test_what_leaves_the_holder_is_what_anlan_reads():
    told = suppress(np.array([12.0, 9, 40, 0]), Suppression(), np.random.default_rng(1))
    begin_at = NOW - timedelta(minutes=5)
    body = "".join(lines_of(told, GRID, begin_at.isoformat(), NOW.isoformat())).encode()
    grid = {"device": "grid", "source": "holder", "n_columns": 2, "n_rows": 2}
    [_, adapter] = adapters_of({"grid": [grid]})
    [(_, seen)], refusals = adapter.decode("grid/holder", body, NOW)
    assert refusals == []
    np.testing.assert_array_equal(seen.counts, told)


def test_the_command_fills_the_grid_of_a_pack(tmp_path):
    pack = read_pack(find_pack("huangpu"))
    [device] = [one for one in pack.devices if one.grid is not None]
    (tmp_path / "in.csv").write_text("column,row,count\n3,4,120\n4,4,7\n")
    asked = ["grid", str(tmp_path / "in.csv"), "--device", device.device_id, "--out", str(tmp_path / "out.csv")]
    asked += ["--from", "2026-12-31T18:00:00+08:00", "--to", "2026-12-31T18:05:00+08:00"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert len(lines) == 1 + device.grid.n_columns * device.grid.n_rows
    assert [one for one in lines[1:] if not one.endswith(",")] == [
        "2026-12-31T10:00:00+00:00,2026-12-31T10:05:00+00:00,3,4,120"
    ]
