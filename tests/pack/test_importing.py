import gzip
import json
from collections import Counter

import numpy as np
import osmium
import pytest
import shapely
from tests.pack.conftest import line, point, ring

from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.geo import wgs84_to_gcj02
from anlan.pack import ImportOptions, check_pack, import_osm, read_pack
from anlan.pack.streets import walk_network
from anlan.pack.zones import nearest_zone

# A cross of two streets, a side street onto a ring road, an islet of footway, a park with a pond, a square.
NODES = {
    1: (121.470, 31.220), 2: (121.475, 31.220), 3: (121.480, 31.220), 4: (121.475, 31.215), 5: (121.475, 31.225),
    6: (121.4775, 31.220), 7: (121.4775, 31.222), 8: (121.4785, 31.222), 9: (121.4785, 31.2205),
    10: (121.471, 31.2235), 11: (121.472, 31.2235), 20: (121.471, 31.216), 21: (121.473, 31.216),
    22: (121.473, 31.218), 23: (121.471, 31.218), 30: (121.4715, 31.2165), 31: (121.4725, 31.2165),
    32: (121.4725, 31.2175), 33: (121.4715, 31.2175), 40: (121.52, 31.22), 41: (121.53, 31.22),
}  # fmt: skip
WAYS = {
    100: ([1, 2, 6, 3], {"highway": "secondary", "name": "南京路", "name:en": "Nanjing Road", "oneway": "-1"}),
    101: ([4, 2, 5], {"highway": "residential", "name": "河南路", "maxspeed": "20 mph"}),
    102: ([6, 7, 8, 9, 6], {"highway": "residential", "junction": "roundabout"}),
    103: ([10, 11], {"highway": "footway"}),
    104: ([40, 41], {"highway": "primary"}),
    105: ([1, 10], {"highway": "construction"}),
    110: ([20, 21, 22, 23, 20], {"leisure": "park", "name": "人民公园", "name:en": "People's Park"}),
    111: ([30, 31, 32, 33, 30], {"natural": "water"}),
    112: ([7, 8, 9, 7], {"highway": "pedestrian", "area": "yes", "name": "广场"}),
}
SPOTS = {
    50: ((121.4751, 31.2201), {"railway": "subway_entrance", "name": "1号口"}),
    51: ((121.476, 31.2201), {"railway": "station", "station": "subway", "name": "站"}),
    52: ((121.4752, 31.2202), {"highway": "bus_stop", "name": "河南路"}),
    53: ((121.4754, 31.2202), {"highway": "bus_stop", "name": "河南路"}),
    54: ((121.6, 31.22), {"railway": "subway_entrance", "name": "远"}),
}
COMMITTEES = "code,name,street_code\n11,河南路居委会,1\n12,东居委会,1\n13,南居委会,1\n21,一居委会,2\n"


@pytest.fixture
def sources(tmp_path):
    """An extract, two subdistricts side by side, a committee list."""
    with osmium.SimpleWriter(str(tmp_path / "town.osm")) as writer:
        for key, at in NODES.items():
            writer.add_node(osmium.osm.mutable.Node(id=key, location=at))
        for key, (at, tags) in SPOTS.items():
            writer.add_node(osmium.osm.mutable.Node(id=key, location=at, tags=tags))
        for key, (nodes, tags) in WAYS.items():
            writer.add_way(osmium.osm.mutable.Way(id=key, nodes=nodes, tags=tags))
    halves = [
        (ring(121.468, 31.213, 0.014), {"code": "1", "name": "西街道"}),
        (ring(121.482, 31.213, 0.014), {"code": "2"}),
    ]
    _write(tmp_path / "subdistricts.geojson", halves)
    (tmp_path / "committees.csv").write_text(COMMITTEES, "utf-8")
    return tmp_path


def _write(path, rows):
    features = [{"type": "Feature", "properties": row, "geometry": geometry} for geometry, row in rows]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def imported(sources, **more):
    return import_osm(sources / "town.osm", sources / "subdistricts.geojson", sources / "town", **more)


def test_streets_are_cut_at_junctions_and_take_their_tags(sources):
    streets = {street.street_id: street for street in imported(sources).streets}
    assert sorted(streets) == ["w100-0", "w100-1", "w100-2", "w101-0", "w101-1", "w102-0"]
    nanjing = streets["w100-0"]
    assert nanjing.name == {"zh": "南京路", "en": "Nanjing Road"}
    assert nanjing.oneway
    assert nanjing.line.coords[0] == NODES[2]  # drawn from 1 to 2, driven from 2 to 1
    assert streets["w101-0"].speed_kmh == pytest.approx(32.2, abs=0.1)
    assert streets["w102-0"].oneway  # a roundabout says so by itself


def test_what_the_extract_holds_becomes_places_gateways_water_and_green(sources):
    pack = imported(sources)
    assert {place.place_id: place.kind for place in pack.places} == {"park-w110": "park", "square-w112": "square"}
    assert pack.place("park-w110").name == {"zh": "人民公园", "en": "People's Park"}
    kinds = Counter(gateway.kind for gateway in pack.gateways)
    assert kinds == {"metro": 1, "bus": 1}
    assert (len(pack.water), len(pack.green)) == (1, 1)
    assert pack.attribution == "© OpenStreetMap contributors (ODbL)"


def test_an_imported_pack_is_sound_and_reads_back(sources):
    made = imported(sources, committees=sources / "committees.csv")
    assert check_pack(sources / "town") == []
    read = read_pack(sources / "town")
    assert [street.street_id for street in read.streets] == [street.street_id for street in made.streets]
    assert read.time_zone == "Asia/Shanghai"
    assert [level.key for level in read.areas.levels] == ["district", "subdistrict", "committee"]


@pytest.mark.parametrize("suffix", [".osm.gz", ".osm.pbf"])
def test_every_kind_of_extract_gives_the_same_district(sources, suffix):
    packed = sources / f"town{suffix}"
    if suffix == ".osm.gz":
        packed.write_bytes(gzip.compress((sources / "town.osm").read_bytes()))
    else:
        with osmium.SimpleWriter(str(packed)) as writer:
            for thing in osmium.FileProcessor(str(sources / "town.osm")):
                writer.add(thing)
    plain = imported(sources)
    other = import_osm(packed, sources / "subdistricts.geojson", sources / "other")
    assert other.streets == plain.streets
    assert other.places == plain.places


def test_committees_divide_their_subdistrict_without_gap_or_overlap_and_say_they_are_schematic(sources):
    pack = imported(sources, committees=sources / "committees.csv")
    for parent in pack.areas.of_level("subdistrict"):
        cells = [pack.projection.project(area.polygon) for area in pack.areas.children(parent.area_id)]
        whole = pack.projection.project(parent.polygon)
        assert sum(cell.area for cell in cells) == pytest.approx(whole.area, rel=1e-5)
        assert shapely.union_all(cells).area == pytest.approx(whole.area, rel=1e-5)
    assert "schematic" in pack.notice["en"]
    assert "示意" in pack.notice["zh"]


def test_a_committee_that_bears_a_streets_name_is_where_that_street_is(sources):
    pack = imported(sources, committees=sources / "committees.csv")
    henan = shapely.union_all([street.line for street in pack.streets if street.name.get("zh") == "河南路"])
    shares = {
        area.area_id: shapely.intersection(area.polygon, henan).length for area in pack.areas.of_level("committee")
    }
    assert max(shares, key=shares.get) == "11"


def test_a_line_given_beside_the_extract_becomes_a_place_and_joins_the_walk_network(sources):
    mall = line((121.47001, 31.22001), (121.4711, 31.2219))  # its first end is a metre off node 1
    path = _write(sources / "mall.geojson", [(mall, {"name": "步行街", "name_en": "The Mall", "width_m": 20})])
    pack = imported(sources, places=[path])
    street = next(street for street in pack.streets if street.street_class == "pedestrian")
    assert street.width_m == 20
    assert street.line.coords[0] == NODES[1]
    metres = pack.projection.project(pack.place("the-mall").polygon)
    assert metres.area == pytest.approx(20 * pack.projection.project(street.line).length, rel=0.05)


def test_given_points_are_gateways_that_replace_those_of_the_extract(sources):
    path = _write(sources / "metro.geojson", [(point(121.475, 31.22), {"id": "m1", "name": "人民广场"}),
                                              (point(121.7, 31.22), {"id": "far"})])  # fmt: skip
    pack = imported(sources, places=[path])
    assert [gateway.gateway_id for gateway in pack.gateways if gateway.kind == "metro"] == ["m1"]


def test_progress_rises_to_the_end(sources):
    told = []
    imported(sources, progress=lambda what, share: told.append((share, what)))
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[-1] == (1.0, "done")


def test_a_folder_that_holds_a_pack_is_not_overwritten(sources):
    imported(sources)
    with pytest.raises(Conflict, match="must not hold a pack already"):
        imported(sources)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("town.osm", "<osm><way", "must be an OpenStreetMap extract"),
        ("subdistricts.geojson", "{}", "must be a GeoJSON FeatureCollection"),
        ("subdistricts.geojson", '{"features": []}', "must hold a feature"),
        ("committees.csv", "code,name\n1,a\n", "must have code, name, street_code"),
        ("committees.csv", "code,name,street_code\n1,a,99\n", "must be the code of an outlined area"),
        ("committees.csv", "code,name,street_code\n1,a,1\n1,b,1\n", "row 3"),
    ],
)
def test_a_faulty_file_is_told(sources, file, text, told):
    (sources / file).write_text(text, "utf-8")
    with pytest.raises(BadInput, match=told):
        imported(sources, committees=sources / "committees.csv")
    assert not (sources / "town").exists()


def test_an_outline_without_code_or_outside_is_told_with_its_row(sources):
    _write(sources / "subdistricts.geojson", [(ring(121.468, 31.213), {"code": "1"}), (ring(121.482, 31.213), {})])
    with pytest.raises(BadInput, match=r"subdistricts\.geojson, row 2"):
        imported(sources)
    with pytest.raises(NotFound):
        import_osm(sources / "absent.osm", _write(sources / "a.geojson", [(ring(121.46, 31.2), {"code": "1"})]), "x")


def test_the_nearest_zone_is_found_from_the_table():
    assert nearest_zone(174.77, -36.84) == "Pacific/Auckland"
    assert nearest_zone(-179.9, -16.5) == "Pacific/Fiji"


def test_the_real_huangpu_has_its_area_its_subdistricts_and_its_committees(huangpu):
    n_areas = [len(huangpu.areas.of_level(level.key)) for level in huangpu.areas.levels]
    assert n_areas == [1, 10, 170]
    assert huangpu.figures["area_km2"] == pytest.approx(20.52, abs=0.1)
    assert huangpu.name["zh"] == "黄浦区"


def test_the_real_streets_are_one_walk_network(huangpu):
    assert len(huangpu.streets) > 2000
    _, lost = walk_network(huangpu.streets)
    assert lost == []
    assert sum(street.street_class == "pedestrian" for street in huangpu.streets) == 10


def test_the_real_pack_is_sound_and_its_committees_share_the_streets(huangpu):
    assert [str(fault) for fault in check_pack(huangpu.folder)] == []
    streets = shapely.union_all([huangpu.projection.project(s.line) for s in huangpu.streets if s.walk])
    for parent in huangpu.areas.of_level("subdistrict"):
        cells = [huangpu.projection.project(area.polygon) for area in huangpu.areas.children(parent.area_id)]
        lengths = shapely.length(shapely.intersection(np.array(cells, dtype=object), streets))
        assert lengths.min() > 0.5 * lengths.mean()
        assert lengths.max() < 1.5 * lengths.mean()


def test_the_guessed_water_lies_in_the_river_and_not_in_the_park(huangpu):
    water = shapely.union_all(huangpu.water)
    assert water.intersects(shapely.Point(121.4885, 31.238))  # off the Bund
    assert not water.intersects(shapely.Point(121.4686, 31.2333))  # People's Park
    assert "guess" in huangpu.notice["en"]


def test_water_is_not_guessed_when_told_not_to(sources):
    extract = sources / "town.osm"
    extract.write_text(extract.read_text("utf-8").replace('v="water"', 'v="stone"'), "utf-8")
    guessed = imported(sources)
    assert guessed.water
    assert "guess" in guessed.notice["en"]
    dry = import_osm(
        extract, sources / "subdistricts.geojson", sources / "dry", options=ImportOptions(water_beyond_m=None)
    )
    assert dry.water == ()
    assert "guess" not in dry.notice["en"]


def test_boundaries_in_gcj02_are_converted(sources):
    lon, lat = np.array([121.468, 121.482, 121.482, 121.468]), np.array([31.213, 31.213, 31.227, 31.227])
    x, y = wgs84_to_gcj02(lon, lat)
    shifted = {"type": "Polygon", "coordinates": [[*zip(x.tolist(), y.tolist(), strict=True), (x[0], y[0])]]}
    path = _write(sources / "gcj.geojson", [(shifted, {"code": "1"})])
    pack = import_osm(sources / "town.osm", path, sources / "gcj", options=ImportOptions(datum="gcj02"))
    drawn = shapely.Polygon(np.column_stack([lon, lat]))
    assert pack.projection.project(pack.boundary).hausdorff_distance(pack.projection.project(drawn)) < 0.1


def test_an_extract_of_another_city_is_told(sources):
    far = _write(sources / "far.geojson", [(ring(116.4, 39.9), {"code": "1"})])
    with pytest.raises(BadInput, match="must hold streets of the district"):
        import_osm(sources / "town.osm", far, sources / "far")


@pytest.mark.parametrize(
    ("geometry", "row", "told"),
    [
        (ring(121.470, 31.215), {"capacity": "many"}, "capacity='many' must be a whole number"),
        (ring(121.470, 31.215), {"capacity": 0}, "capacity=0 must be >= 1"),
        (ring(121.6, 31.215), {}, "must cover 400 m² of the district"),
        (line((121.47, 31.22), (121.475, 31.22)), {"width_m": -3}, "width_m=-3 must be > 0 m"),
        ({"type": "Point", "coordinates": [31.2, 121.4]}, {}, "latitude"),
        ({"type": "Point"}, {}, "must be a GeoJSON geometry"),
    ],
)
def test_a_faulty_given_place_is_told_with_file_and_row(sources, geometry, row, told):
    path = _write(sources / "given.geojson", [(geometry, row)])
    with pytest.raises(BadInput, match=told) as refused:
        imported(sources, places=[path])
    assert "given.geojson, row 1" in str(refused.value)


def test_levels_in_one_file_are_told_apart_by_their_level(sources):
    rows = [
        (ring(121.468, 31.213, 0.014), {"code": "d", "level": "city"}),
        (ring(121.468, 31.213, 0.007), {"code": "a", "level": "ward"}),
        (ring(121.475, 31.213, 0.007), {"code": "b", "level": "ward", "parent": "d"}),
    ]
    pack = import_osm(sources / "town.osm", _write(sources / "all.geojson", rows), sources / "levels")
    assert [level.key for level in pack.areas.levels] == ["city", "ward"]
    assert [area.parent_id for area in pack.areas.of_level("ward")] == ["d", "d"]
