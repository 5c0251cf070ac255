import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pack.conftest import line, point, ring

from anlan.kernel.errors import BadInput
from anlan.pack import check_pack, read_pack
from anlan.pack.forms import DISTRICT_KEYS

STREET = {"id": "w1", "class": "residential", "width_m": 4, "speed_kmh": 30}
PASSAGE = {"id": "d1", "kind": "passage"}
ACROSS = line((121.48, 31.221), (121.48, 31.2211))
CROSSED = [[121.47, 31.21], [121.48, 31.22], [121.48, 31.21], [121.47, 31.22], [121.47, 31.21]]
BOW_TIE = {"type": "Polygon", "coordinates": [CROSSED]}
GRID = {"west_m": 0, "south_m": 0, "size_m": 200, "n_columns": 3, "n_rows": 2}


def told(folder, file, *, blocking=True):
    """Return the faults of one file."""
    return [fault for fault in check_pack(folder.path) if fault.file == file and fault.blocking is blocking]


def only(faults):
    assert len(faults) == 1, [str(fault) for fault in faults]
    return faults[0]


def test_a_sound_pack_has_no_fault(folder):
    assert check_pack(folder.path) == []


def test_latitude_first_is_told_with_the_swap(folder):
    folder.features("streets.geojson", (line((31.21, 121.47), (31.215, 121.475)), STREET))
    fault = only(told(folder, "streets.geojson"))
    assert (fault.row, fault.value) == (1, "coordinate (31.21, 121.47)")
    assert "swap" in fault.remedy


def test_latitude_first_is_told_where_both_would_be_on_the_globe(folder):
    folder.header("centre = [121.48, 31.22]", "centre = [13.40, 52.52]")
    folder.features("areas/district.geojson", (ring(13.38, 52.50, 0.04), {"code": "31"}))
    folder.features("areas/street.geojson")
    folder.features("posts.geojson", (point(52.51, 13.41), {"id": "post-1"}))
    assert "swap" in only(told(folder, "posts.geojson")).remedy


def test_a_feature_in_another_city_is_told(folder):
    folder.features("posts.geojson", (point(116.4, 39.9), {"id": "post-1"}))
    assert "within 2° of the district's centre" in only(told(folder, "posts.geojson")).rule


def test_metres_are_told_to_be_no_degrees(folder):
    folder.features("posts.geojson", (point(13523000, 3660000), {"id": "post-1"}))
    assert "metres are not degrees" in only(told(folder, "posts.geojson")).remedy


def test_a_self_crossing_polygon_is_told_with_the_point(folder):
    garden = {"id": "garden", "kind": "venue"}
    folder.features("places.geojson", (ring(121.48, 31.22), {"id": "a", "kind": "venue"}), (BOW_TIE, garden))
    fault = only(told(folder, "places.geojson"))
    assert fault.row == 2
    assert "[121.475 31.215]" in fault.value


@pytest.mark.parametrize(
    ("row", "value", "rule"),
    [
        ({"id": "garden", "kind": "venue", "capacity": 0}, "capacity=0", "must be >= 1 persons"),
        ({"id": "garden", "kind": "venue", "capacity": "many"}, "capacity='many'", "must be a whole number"),
        ({"id": "garden", "kind": "venue", "thresholds": [2, 4, 3, 5]}, "thresholds=[2.0, 4.0, 3.0, 5.0]", "rise"),
        ({"id": "garden", "kind": "venue", "thresholds": [2, 3]}, "thresholds with 2 numbers", "four"),
        ({"id": "garden", "kind": "venue", "walkable_share": 1.5}, "walkable_share=1.5", "must be <= 1"),
        ({"id": "garden"}, "kind=None", "must be given"),
        ({"id": "garden", "kind": "venue", "capactiy": 9}, "column 'capactiy'", "no column of format 1"),
    ],
)
def test_a_faulty_place_is_told(folder, row, value, rule):
    folder.features("places.geojson", (ring(121.48, 31.22), row))
    fault = only(told(folder, "places.geojson"))
    assert (fault.row, fault.value) == (1, value)
    assert rule in fault.rule


@pytest.mark.parametrize(
    ("geometry", "row", "rule"),
    [
        (ACROSS, {"id": "d1", "kind": "camera"}, "must be one of gate, passage, road, area, grid"),
        (ACROSS, {"id": "d1", "kind": "area"}, "must be a Polygon for kind area"),
        (ACROSS, {"id": "d1", "kind": "gate"}, "must be given"),
        (ACROSS, PASSAGE | {"place": "gardn"}, "must be in places.geojson"),
        (ACROSS, PASSAGE | {"interval_s": 0}, "must be > 0 s"),
        (line((121.6, 31.3), (121.6, 31.31)), PASSAGE, "must lie in the district"),
        (ring(121.48, 31.22), {"id": "d1", "kind": "grid"}, "must be given for a grid"),
        (ring(121.48, 31.22), {"id": "d1", "kind": "grid", "grid": GRID | {"market_share": 0}}, "must be > 0"),
        (ring(121.48, 31.22), {"id": "d1", "kind": "grid", "grid": GRID | {"size": 2}}, "no grid field"),
    ],
)
def test_a_faulty_device_is_told(folder, geometry, row, rule):
    folder.features("devices.geojson", (geometry, row))
    assert rule in only(told(folder, "devices.geojson")).rule


def test_an_id_that_comes_twice_is_told_with_both_rows(folder):
    folder.features("devices.geojson", (ACROSS, PASSAGE), (ACROSS, PASSAGE))
    fault = only(told(folder, "devices.geojson"))
    assert (fault.row, fault.rule) == (2, "must be unique (row 1 has it)")


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"code": "31-1", "parent": "32"}, "must be the code of an area"),
        ({"code": "31-1"}, "must be given below the top level"),
        ({"code": "31-1", "parent": "31-1"}, "must be of a level above street"),
        ({"code": "31", "parent": "31"}, "must be unique (district has it)"),
    ],
)
def test_a_faulty_area_is_told(folder, row, rule):
    folder.features("areas/street.geojson", (None, row))
    assert rule in only(told(folder, "areas/street.geojson")).rule


def test_an_area_outside_the_district_is_told(folder):
    folder.features("areas/street.geojson", (ring(121.6, 31.3), {"code": "31-1", "parent": "31"}))
    assert only(told(folder, "areas/street.geojson")).rule == "must lie in the district"


def test_an_unusual_gateway_is_told_and_does_not_block(folder):
    folder.features("gateways.geojson", (point(121.48, 31.22), {"id": "g", "kind": "metor"}))
    assert only(told(folder, "gateways.geojson", blocking=False)).value == "kind='metor'"


def test_two_roots_are_told(folder):
    root = ring(121.46, 31.20, 0.04)
    folder.features("areas/district.geojson", (root, {"code": "31"}), (root, {"code": "32"}))
    assert only(told(folder, "areas/district.geojson")).value == "2 areas of the top level"


def test_a_missing_level_file_is_told(folder):
    (folder.path / "areas/street.geojson").unlink()
    assert "must be there" in only(told(folder, "areas/street.geojson")).rule


def test_a_level_that_is_declared_nowhere_is_told(folder):
    folder.features("areas/committee.geojson", (None, {"code": "31-1-1", "parent": "31-1"}))
    assert only(told(folder, "areas/committee.geojson", blocking=False)).rule == "is no file of format 1"


def test_a_misspelt_file_is_told_with_the_right_name(folder):
    (folder.path / "devices.geojson").rename(folder.path / "device.geojson")
    assert "'devices.geojson'" in only(told(folder, "device.geojson")).remedy


def test_a_day_of_rest_and_work_is_told(folder):
    folder.text("calendar.csv", "on,kind\n2026-10-01,rest\n2026-10-01,work\n")
    fault = only(told(folder, "calendar.csv"))
    assert (fault.row, fault.value) == (3, "2026-10-01 work")


def test_a_year_that_nobody_confirmed_is_told_and_does_not_block(folder):
    folder.text("calendar.csv", "on,kind\n2027-02-06,rest\n")
    assert only(told(folder, "calendar.csv", blocking=False)).value == "year 2027"
    assert read_pack(folder.path).calendar.rest_days


def test_a_closed_place_without_gates_is_told_and_does_not_block(folder):
    folder.features("devices.geojson")
    assert "gate" in only(told(folder, "places.geojson", blocking=False)).rule
    assert read_pack(folder.path).place("garden").closed


@pytest.mark.parametrize(
    ("line_of_csv", "rule"),
    [
        ("car-1,vehicle,4,st-1,post-9", "must be in posts.geojson"),
        ("car-1,vehicle,4,st-9,post-1", "must be in stations.geojson"),
        ("car-1,vehicle,0,st-1,post-1", "must be >= 1 persons"),
        ("car-1,vehicle,4,st-1,post-1,more", "must not have more values than the header"),
    ],
)
def test_a_faulty_unit_is_told(folder, line_of_csv, rule):
    folder.text("units.csv", f"id,kind,crew,station,post\n{line_of_csv}\n")
    fault = only(told(folder, "units.csv"))
    assert (fault.row, fault.rule) == (2, rule)


def test_a_missing_csv_column_is_told_once(folder):
    folder.text("units.csv", "id,kind\ncar-1,vehicle\ncar-2,vehicle\n")
    assert only(told(folder, "units.csv")).value == "column 'crew'"


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("format = 1", "format = 2", "format=2"),
        ("[121.48, 31.22]", "[31.22, 121.48]", "centre=[31.22, 121.48]"),
        ('"Asia/Shanghai"', '"Asia/Huangpu"', "time_zone='Asia/Huangpu'"),
        ("format = 1", 'format = 1\ndatum = "gps"', "datum='gps'"),
        ("format = 1", "format = 1\nblock_share = 3", "block_share=3"),
        ("format = 1", "format = 1\ncel_m = 20", "key 'cel_m'"),
        ('zh = "区"', 'fr = "quartier"', "levels.district.label.fr"),
        ('key = "street"', 'key = "district"', "levels.key='district'"),
        ('id = "old-town"', "", "id=None"),
    ],
)
def test_a_faulty_header_is_told(folder, old, new, value):
    folder.header(old, new)
    assert value in [fault.value for fault in told(folder, "district.toml")]


def test_broken_files_are_told_with_what_they_must_be(folder):
    folder.text("district.toml", "format = ")
    folder.text("streets.geojson", '{"type": "FeatureCollection", "features": [')
    folder.text("posts.geojson", json.dumps({"features": [{"properties": {"id": "a"}}, {"properties": 3}]}))
    (folder.path / "green.geojson.gz").write_bytes(b"not gzip")
    (folder.path / "units.csv").write_bytes(b"id,kind\n\xff\xfe")
    rules = {fault.file: fault for fault in check_pack(folder.path) if fault.file != "district.toml"}
    assert "must be TOML" in told(folder, "district.toml")[0].rule
    assert "FeatureCollection" in rules["streets.geojson"].rule
    assert rules["posts.geojson"].row == 2
    assert "gzip" in rules["green.geojson.gz"].rule
    assert "UTF-8" in rules["units.csv"].rule


def test_all_faults_are_told_at_once_and_reading_tells_the_first(folder):
    folder.header("format = 1", "format = 7")
    folder.features("streets.geojson", (line((121.47, 31.21), (121.475, 31.215)), STREET | {"width_m": -1}))
    folder.features("posts.geojson", (point(31.2, 121.4), {"id": "post-1"}))
    folder.text("units.csv", "id,kind,crew\ncar-1,vehicle,none\n")
    assert {fault.file for fault in check_pack(folder.path) if fault.blocking} == {
        "district.toml", "streets.geojson", "posts.geojson", "units.csv"
    }  # fmt: skip
    with pytest.raises(BadInput, match=r"district\.toml: format=7 must be 1.*and 1 more") as refused:
        read_pack(folder.path)
    assert "anlan district check" in refused.value.next_step


GEOJSON_FILES = ("areas/street.geojson", "places.geojson", "devices.geojson", "streets.geojson", "posts.geojson")
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_anything = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner)
)
_columns = st.sampled_from(["id", "code", "parent", "kind", "place", "capacity", "closed", "grid", "thresholds", "on"])
_kinds = st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", "Circle"])
_geometries = st.none() | _anything | st.fixed_dictionaries({"type": _kinds, "coordinates": _anything})
_rows = st.lists(st.tuples(_geometries, st.dictionaries(_columns, _anything)), max_size=3)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(GEOJSON_FILES), _rows)
def test_whatever_stands_in_a_file_is_told_and_never_crashes(folder, file, rows):
    kept = (folder.path / file).read_bytes()
    folder.features(file, *rows)
    for fault in check_pack(folder.path):
        assert fault.value
        assert fault.rule
        assert fault.remedy
    (folder.path / file).write_bytes(kept)


_toml_values = st.sampled_from(
    ["3", "-1.5", '"x"', "[]", "[1]", '["a"]', "{}", "{ zh = 1 }", "true", "1e400", '"../.."']
)
_toml_keys = st.sampled_from(DISTRICT_KEYS)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(_toml_keys, _toml_values, min_size=1, max_size=8))
def test_whatever_stands_in_the_header_is_told_and_never_crashes(folder, keys):
    kept = (folder.path / "district.toml").read_bytes()
    folder.text("district.toml", "\n".join(f"{key} = {value}" for key, value in keys.items()))
    assert check_pack(folder.path)
    (folder.path / "district.toml").write_bytes(kept)
