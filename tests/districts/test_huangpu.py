"""The schematic Huangpu: its figures hold, its areas tile, what is closed is closed, and it can be drawn again."""

import csv
import gzip
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry import Point

from anlan.crowd import Cells
from anlan.kernel.records import DeviceKind
from anlan.pack import check_pack, find_pack, read_pack

ROOT = Path(__file__).parents[2]
FOLDER = find_pack("huangpu")
DATA = Path(os.environ.get("ANLAN_DATA", ROOT / "../shared/data"))
LEVELS = {"district": 1, "street": 10, "grid": 30, "committee": 171}
ON_FOOT = {"pedestrian", "footway", "steps"}


@pytest.fixture(scope="module")
def pack():
    return read_pack(FOLDER)


@pytest.fixture(scope="module")
def closed(pack):
    return {p.place_id: pack.projection.project(p.polygon) for p in pack.places if p.closed}


@pytest.fixture(scope="module")
def walked(pack):
    """Walkable streets in metres."""
    return [pack.projection.project(street.line) for street in pack.streets if street.walk]


def of_kind(pack, kind):
    return [device for device in pack.devices if device.kind is kind]


def parts_of(lines, oneway=None):
    """Return how many (strongly) connected parts lines have that join where ends are exactly the same point."""
    ends = np.array([[line.coords[0], line.coords[-1]] for line in lines])
    _, number = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    tail, head = number.reshape(-1, 2).T
    both = np.ones(len(lines), bool) if oneway is None else ~np.array(oneway)
    rows, columns = np.concatenate([tail, head[both]]), np.concatenate([head, tail[both]])
    links = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(number.max() + 1,) * 2)
    return connected_components(links, directed=oneway is not None, connection="strong")[0]


def beside(line, side):
    """Return the point 3 m to the right (+1) or left (-1) of a line's middle."""
    (ax, ay), (bx, by) = line.coords[0], line.coords[-1]
    return Point((ax + bx) / 2 + side * 3 * (by - ay) / line.length, (ay + by) / 2 - side * 3 * (bx - ax) / line.length)


def test_the_pack_has_no_fault_but_a_year_that_is_not_confirmed():
    faults = check_pack(FOLDER)
    assert not [fault for fault in faults if fault.blocking]
    assert [fault.value for fault in faults] == ["year 2027"]


def test_the_figures_are_those_of_what_is_drawn(pack):
    figures = pack.figures
    assert {level: len(pack.areas.of_level(level)) for level in LEVELS} == LEVELS
    assert (figures["streets"], figures["grids"], figures["committees"]) == (10, 30, 171)
    assert len(pack.areas.of_level("micro_grid")) > 10_000
    assert pack.projection.project(pack.boundary).area / 1e6 == pytest.approx(figures["area_km2"], rel=1e-3)
    counters = [d for d in pack.devices if d.kind in {DeviceKind.GATE, DeviceKind.PASSAGE} and not d.border]
    assert len(counters) == figures["devices"] == 106
    vehicles = [unit for unit in pack.units if unit.kind == "vehicle"]
    assert [unit.crew for unit in vehicles] == [4] * 7
    assert figures["vehicles"] == len(vehicles)


@pytest.mark.parametrize("level", ["street", "grid", "committee", "micro_grid"])
def test_a_level_tiles_the_one_above_it_without_gap_or_overlap(pack, level):
    areas = pack.areas.of_level(level)
    assert shapely.coverage_is_valid([area.polygon for area in areas])
    for parent_id in {area.parent_id for area in areas}:
        parent = pack.areas.area(parent_id)
        union = shapely.coverage_union_all([child.polygon for child in pack.areas.children(parent_id)])
        assert pack.projection.project(union.symmetric_difference(parent.polygon)).area < 0.01, parent_id


def test_each_level_hangs_under_the_next(pack):
    above = dict(zip(["street", "grid", "committee", "micro_grid"], LEVELS, strict=True))
    for level, parent in above.items():
        assert {pack.areas.area(a.parent_id).level for a in pack.areas.of_level(level)} == {parent}
    assert {len(pack.areas.children(street.area_id)) for street in pack.areas.of_level("street")} == {3}


def test_areas_have_names_in_both_languages(pack):
    assert all(area.name["zh"] and area.name["en"] for area in pack.areas)
    assert pack.areas.area("310101002-g1").name["zh"] == "南京东路第一综合网格"
    committees = [area.name["zh"] for area in pack.areas.of_level("committee")]
    assert len(set(committees)) == len(committees)
    assert sum(name.endswith("居委会") for name in committees) == 170


def test_committees_and_streets_are_those_of_the_statistical_list(pack):
    told = DATA / "huangpu_admin" / "committees.csv"
    if not told.is_file():
        pytest.skip(f"no real data at {DATA}")
    with told.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    drawn = {area.area_id: area for area in pack.areas.of_level("committee")}
    assert {row["code"]: row["name"] for row in rows} == {
        code: area.name["zh"] for code, area in drawn.items() if code in {row["code"] for row in rows}
    }
    for row in rows:
        assert pack.areas.path(row["code"])[1].name["zh"] == row["street_name"]
    assert len(set(drawn) - {row["code"] for row in rows}) == 1


def test_no_junction_is_taken_from_a_map(pack):
    told = DATA / "huangpu_roads" / "nodes.csv"
    if not told.is_file():
        pytest.skip(f"no real data at {DATA}")
    with told.open(encoding="utf-8") as lines:
        real = [(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(lines)]
    real = np.column_stack(pack.projection.to_metres(*np.array(real).T))
    drawn = np.unique([c for s in pack.streets for c in (s.line.coords[0], s.line.coords[-1])], axis=0)
    away, _ = cKDTree(real).query(np.column_stack(pack.projection.to_metres(*drawn.T)))
    by_chance = len(real) * np.pi * 3**2 / pack.projection.project(shapely.envelope(shapely.multipoints(real))).area
    assert np.mean(away < 3) < 0.02, by_chance


def test_people_can_walk_from_anywhere_to_anywhere(pack):
    assert parts_of([street.line for street in pack.streets if street.walk]) == 1


def test_vehicles_can_drive_from_anywhere_to_anywhere_along_one_way_streets(pack):
    driven = [street for street in pack.streets if street.street_class not in ON_FOOT]
    assert sum(street.oneway for street in driven) > 300
    assert parts_of([street.line for street in driven], [street.oneway for street in driven]) == 1


def test_streets_are_cut_wherever_they_meet(pack, walked):
    assert 3000 < len(pack.streets) < 6000
    assert min(line.length for line in walked) > 2
    tree = shapely.STRtree(walked)
    first, second = tree.query(walked, predicate="crosses")
    crossings = [walked[i].intersection(walked[j]) for i, j in zip(first, second, strict=True) if i < j]
    assert not [point for point in crossings if shapely.get_coordinates(point).size]


def test_nobody_walks_on_water(pack, walked):
    water = shapely.union_all([pack.projection.project(polygon) for polygon in pack.water])
    assert shapely.union_all(walked).intersection(water).length < 1
    for place in pack.places:
        assert pack.projection.project(place.polygon).intersection(water).area < 5, place.place_id
    outline = pack.projection.project(pack.boundary)
    assert water.difference(outline).area < 0.002 * water.area


def test_there_are_about_thirty_thousand_cells(pack):
    assert len(Cells.of(pack)) == pytest.approx(30_000, rel=0.02)


def test_kinds_of_devices_are_mixed_as_the_district_has_them(pack):
    n = Counter(device.kind for device in pack.devices if not device.border)
    assert n[DeviceKind.GRID] == 1
    assert 55 <= n[DeviceKind.GATE] <= 65
    assert 40 <= n[DeviceKind.PASSAGE] <= 50
    assert n[DeviceKind.AREA] == 40
    assert {device.interval_s for device in pack.devices if device.grid is None} == {60.0}
    assert all(0.03 <= device.expected_error <= 0.12 for device in pack.devices)


def test_a_gate_counts_from_its_left_outside_to_its_right_inside(pack, closed):
    for gate in of_kind(pack, DeviceKind.GATE):
        line, ground = pack.projection.project(gate.geometry), closed[gate.place_id]
        assert ground.contains(beside(line, +1)), gate.device_id
        assert not ground.intersects(beside(line, -1)), gate.device_id
        assert ground.exterior.distance(line.centroid) < 0.05, gate.device_id


def test_one_enters_a_closed_place_only_through_its_gates(pack, closed, walked):
    tree = shapely.STRtree(walked)
    assert len(closed) == 8
    for place_id, ground in closed.items():
        gates = [pack.projection.project(gate.geometry) for gate in pack.devices if gate.place_id == place_id]
        wall = ground.exterior.buffer(0.05)
        at_wall = [walked[k].intersection(wall) for k in tree.query(wall, "intersects")]
        assert len(gates) >= 4
        assert all(min(shapely.distance(gates, part)) < 0.1 for part in at_wall), place_id
        for gate in gates:
            ends = [part for part in at_wall if gate.distance(part) < 0.1]
            assert len(ends) == 2, "one way leads up to a gate, and one on from it"


def test_places_stand_apart(pack):
    grounds = [pack.projection.project(place.polygon) for place in pack.places]
    for k, ground in enumerate(grounds):
        others = shapely.union_all(grounds[k + 1 :])
        assert ground.intersection(others).area < 60, pack.places[k].place_id


def test_a_passage_lies_across_one_street(pack, walked):
    for passage in of_kind(pack, DeviceKind.PASSAGE):
        line = pack.projection.project(passage.geometry)
        assert sum(line.crosses(street) for street in walked) == 1, passage.device_id


def test_a_camera_sees_its_own_place_only(pack):
    for view in of_kind(pack, DeviceKind.AREA):
        outside = view.geometry.difference(pack.place(view.place_id).polygon)
        assert pack.projection.project(outside).area < 0.5, view.device_id


def test_gateways_stand_on_the_walk_network(pack, walked):
    n = Counter(gateway.kind for gateway in pack.gateways)
    assert n["metro"] >= 60
    assert n["road"] >= 20
    assert n["bus"] >= 25
    assert n["ferry"] == 4
    ends = shapely.multipoints([point for line in walked for point in (line.coords[0], line.coords[-1])])
    assert all(ends.distance(pack.projection.project(gateway.point)) < 0.1 for gateway in pack.gateways)


def test_key_areas_are_the_bund_nanjing_road_and_yu_garden(pack):
    key = {place.place_id.split("-")[0] for place in pack.places if place.key}
    assert key == {"bund", "nanjing", "yuyuan", "city", "nine"}


def test_2026_is_confirmed_and_2027_is_not(pack):
    assert pack.calendar.confirmed_years == {2026}
    assert not pack.calendar.is_working(date(2026, 2, 17))
    assert pack.calendar.is_working(date(2026, 2, 28))
    assert pack.calendar.is_working(date(2026, 10, 10))


def test_the_map_says_that_it_is_schematic(pack):
    assert pack.schematic
    assert "示意" in pack.notice["zh"]
    assert "not for navigation" in pack.notice["en"]


def test_the_folder_is_small_and_its_archives_bear_no_date():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    assert max(path.stat().st_size for path in files) < 600_000
    assert all(path.read_bytes()[4:8] == bytes(4) for path in files if path.suffix == ".gz")


@pytest.mark.slow
def test_drawing_again_gives_the_same_files(tmp_path):
    subprocess.run([sys.executable, ROOT / "districts" / "draw_huangpu.py", tmp_path], check=True)  # noqa: S603
    drawn = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    kept = {
        path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.suffix in {".geojson", ".gz", ".csv", ".toml"}
    }
    assert set(drawn) == kept - {Path("twin.toml"), Path("community.toml"), Path("service_points.csv")}
    for name, path in drawn.items():
        ours, theirs = path.read_bytes(), (FOLDER / name).read_bytes()
        if path.suffix == ".gz":  # compressors differ between machines, what they hold does not
            ours, theirs = gzip.decompress(ours), gzip.decompress(theirs)
        assert ours == theirs, name


def test_setting_the_service_points_again_gives_the_same_table_and_none_is_a_defibrillator(tmp_path):
    script = ROOT / "districts" / "points_huangpu.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)  # noqa: S603
    made = (tmp_path / "service_points.csv").read_text(encoding="utf-8")
    assert made == (FOLDER / "service_points.csv").read_text(encoding="utf-8")
    assert ",aed," not in made


def test_counters_stand_on_the_roads_that_end_at_the_border_with_the_district_on_their_right(pack):
    outline = pack.projection.project(pack.boundary)
    counters = [d for d in pack.devices if d.border]
    assert {d.kind for d in counters} == {DeviceKind.PASSAGE, DeviceKind.ROAD}
    for device in counters:
        (ax, ay), (bx, by) = pack.projection.project(device.geometry).coords
        length = np.hypot(bx - ax, by - ay)
        middle, right = np.array([ax + bx, ay + by]) / 2, np.array([by - ay, ax - bx]) / length
        depth = [outline.exterior.distance(Point(middle + far * right)) for far in (-8.0, 0.0, 8.0)]
        assert depth[0] < depth[1] < depth[2] < 25.0, device.device_id
