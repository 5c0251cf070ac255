import gzip
import tempfile
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from tests.pack.conftest import line
from tests.pack.strategies import packs, same

from anlan.kernel.areas import Area, AreaTree
from anlan.kernel.errors import BadInput, NotFound, Unavailable
from anlan.kernel.geo import gcj02_to_wgs84
from anlan.pack import check_pack, find_pack, read_pack, write_pack


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(packs())
def test_a_written_pack_reads_back_the_same(pack):
    with tempfile.TemporaryDirectory() as folder:
        write_pack(pack, folder)
        assert not [fault for fault in check_pack(folder) if fault.blocking]
        assert same(pack, read_pack(folder))


def test_a_pack_is_read_with_its_defaults(folder):
    pack = read_pack(folder.path)
    assert (pack.pack_id, pack.cell_m, pack.block_share) == ("old-town", 25.0, 0.1)
    assert pack.place("garden").capacity == 500
    assert pack.device("gate-1").interval_s == 60.0
    assert [area.name for area in pack.areas.of_level("street")] == [{"zh": "一街"}]
    assert pack.units[0].post_id == "post-1"


def test_gzipped_files_are_read(folder):
    plain = folder.path / "streets.geojson"
    (folder.path / "streets.geojson.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert "must not both be there" in [fault.rule for fault in check_pack(folder.path)]
    plain.unlink()
    assert len(read_pack(folder.path).streets) == 1


@pytest.mark.parametrize(("datum", "shift_m"), [("gcj02", (300, 900)), ("bd09", (700, 1700))])
def test_a_declared_datum_is_converted_everywhere(folder, datum, shift_m):
    plain = read_pack(folder.path)
    folder.header("format = 1", f'format = 1\ndatum = "{datum}"')
    moved = read_pack(folder.path)
    for mine, theirs in [(plain.boundary, moved.boundary), (plain.streets[0].line, moved.streets[0].line)]:
        there = shapely.get_coordinates(plain.projection.project(theirs))[0]
        here = shapely.get_coordinates(plain.projection.project(mine))[0]
        assert shift_m[0] < np.hypot(*(there - here)) < shift_m[1]
    x, y = plain.projection.to_metres(moved.lon, moved.lat)
    assert shift_m[0] < np.hypot(x, y) < shift_m[1]


def test_gcj02_is_converted_to_the_point_of_the_kernel(folder):
    folder.header("format = 1", 'format = 1\ndatum = "gcj02"')
    lon, lat = gcj02_to_wgs84(121.47, 31.21)
    assert read_pack(folder.path).streets[0].line.coords[0] == pytest.approx((float(lon), float(lat)), abs=1e-12)


def test_writing_is_the_same_to_the_byte_each_time(folder, tmp_path):
    pack = read_pack(folder.path)
    for name in ("one", "two"):
        write_pack(pack, tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


def test_writing_over_a_pack_leaves_nothing_of_the_old_one(folder):
    folder.features("green.geojson", (line((121.47, 31.21), (121.475, 31.215)), {}))
    (folder.path / "green.geojson").unlink()
    other = read_pack(folder.path)
    (folder.path / "README.md").write_text("kept", "utf-8")
    folder.features("water.geojson", (line((121.47, 31.21), (121.475, 31.215)), {}))
    write_pack(other, folder.path)
    assert same(other, read_pack(folder.path))
    assert (folder.path / "README.md").read_text("utf-8") == "kept"


def test_a_pack_is_found_by_path_and_a_stranger_is_refused(folder, tmp_path):
    assert find_pack(folder.path) == folder.path
    with pytest.raises(NotFound, match="neither a folder nor a pack"):
        find_pack("atlantis")
    with pytest.raises(BadInput, match=r"must hold a district\.toml"):
        find_pack(tmp_path)
    with pytest.raises(NotFound):
        read_pack(tmp_path / "absent")


def test_a_folder_that_cannot_be_written_is_told(folder, tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(Unavailable, match="cannot be written"):
        write_pack(read_pack(folder.path), tmp_path / "file" / "pack")


def test_ten_thousand_outlines_and_five_thousand_streets_are_read(folder, tmp_path):
    pack = read_pack(folder.path)
    rng = np.random.default_rng(1)
    corners = rng.uniform((121.461, 31.201), (121.499, 31.239), (10_000, 2))
    cells = [
        Area(area_id=f"m{k}", level="street", parent_id="31", name={"zh": f"微网格{k}"},
             polygon=shapely.Point(at).buffer(0.0003, quad_segs=3))
        for k, at in enumerate(corners)
    ]  # fmt: skip
    street = pack.streets[0]
    many = replace(
        pack,
        areas=AreaTree(pack.areas.levels, [pack.areas.root, *cells]),
        streets=tuple(replace(street, street_id=f"w{k}") for k in range(5_000)),
    )
    write_pack(many, tmp_path / "many")
    read = read_pack(tmp_path / "many")
    assert (len(read.areas), len(read.streets)) == (10_001, 5_000)
