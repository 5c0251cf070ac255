from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import shapely

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Place, Street
from anlan.pack import check_pack, propose_devices, propose_places, write_pack

STEP = 0.002


@pytest.fixture
def town():
    """A town of 9 by 9 streets, with a closed garden and no device."""
    lon, lat = 121.47, 31.21
    streets = []
    for i in range(9):
        for k in range(8):
            for name, a, b in (("横", (k, i), (k + 1, i)), ("纵", (i, k), (i, k + 1))):
                ends = [(lon + x * STEP, lat + y * STEP) for x, y in (a, b)]
                street_class = "secondary" if i % 4 == 0 else "residential"
                streets.append(
                    Street(
                        street_id=f"{name}{i}-{k}", name={"zh": f"{name}{i}路"}, street_class=street_class,
                        line=shapely.LineString(ends), width_m=7.0 if i % 4 == 0 else 4.0, speed_kmh=30.0,
                    )
                )  # fmt: skip
    root = Area(area_id="t", level="district", parent_id=None, name={},
                polygon=shapely.box(lon - STEP, lat - STEP, lon + 9 * STEP, lat + 9 * STEP))  # fmt: skip
    corners = [at + k * STEP for at, k in ((lon, 3.1), (lat, 3.1), (lon, 3.9), (lat, 3.9))]
    garden = Place(place_id="garden", name={"zh": "园"}, kind="venue", closed=True, polygon=shapely.box(*corners))
    return Pack(
        pack_id="t", version="1", name={"zh": "镇"}, time_zone="Asia/Shanghai", languages=("zh", "en"),
        lon=121.478, lat=31.218, areas=AreaTree([Level(key="district", label={})], [root]),
        streets=tuple(streets), places=(garden,),
    )  # fmt: skip


@pytest.fixture
def laid_out(town):
    return propose_devices(town, 40, np.random.default_rng(7))


def test_the_asked_number_of_devices_is_proposed_and_the_pack_stays_sound(laid_out, tmp_path):
    assert len(laid_out.devices) == 40
    kinds = Counter(device.kind for device in laid_out.devices)
    assert (kinds[DeviceKind.GATE], kinds[DeviceKind.GRID]) == (3, 1)
    assert kinds[DeviceKind.PASSAGE] > kinds[DeviceKind.AREA] >= 5
    write_pack(laid_out, tmp_path)
    assert check_pack(tmp_path) == []


def test_a_gates_left_is_outside_and_its_right_is_inside(laid_out):
    garden = laid_out.projection.project(laid_out.place("garden").polygon)
    gates = [device for device in laid_out.devices if device.kind is DeviceKind.GATE]
    for gate in gates:
        (x0, y0), (x1, y1) = laid_out.projection.project(gate.geometry).coords
        aside = np.array([y1 - y0, x0 - x1]) / np.hypot(x1 - x0, y1 - y0)  # to the right of the line
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        assert garden.contains(shapely.Point(middle + aside))
        assert not garden.contains(shapely.Point(middle - aside))


def test_a_passage_lies_across_its_street(laid_out):
    streets = shapely.union_all([laid_out.projection.project(street.line) for street in laid_out.streets])
    for device in laid_out.devices:
        if device.kind is DeviceKind.PASSAGE:
            line = laid_out.projection.project(device.geometry)
            assert line.crosses(streets)
            assert 8 <= line.length <= 40


def test_cameras_see_25_to_60_m(laid_out):
    views = [laid_out.projection.project(d.geometry) for d in laid_out.devices if d.kind is DeviceKind.AREA]
    assert all(25**2 * 0.9 <= view.area <= 60 * 40 for view in views)


def test_the_grid_covers_the_district(laid_out):
    grid = next(device for device in laid_out.devices if device.kind is DeviceKind.GRID)
    assert shapely.covers(laid_out.projection.project(grid.geometry), laid_out.projection.project(laid_out.boundary))
    spec = grid.grid
    west, south, east, north = laid_out.projection.project(grid.geometry).bounds
    assert (west, south) == pytest.approx((spec.west_m, spec.south_m), abs=0.01)
    assert (east, north) == pytest.approx((west + spec.n_columns * 200, south + spec.n_rows * 200), abs=0.02)
    assert (spec.suppressed_below, spec.market_share, spec.blur_m) == (10, 0.3, 60.0)


def test_passages_are_spread(laid_out):
    at = [
        shapely.get_coordinates(laid_out.projection.project(shapely.centroid(device.geometry)))[0]
        for device in laid_out.devices
        if device.kind is DeviceKind.PASSAGE
    ]
    gaps = np.hypot(*(np.array(at)[:, None] - np.array(at)[None]).transpose(2, 0, 1))
    assert gaps[~np.eye(len(at), dtype=bool)].min() > 100


def test_the_same_seed_gives_the_same_layout_and_devices_are_left_alone(town, laid_out):
    assert propose_devices(town, 40, np.random.default_rng(7)).devices == laid_out.devices
    assert propose_devices(laid_out, 5, np.random.default_rng(1)) is laid_out


def test_proposed_places_say_that_they_are(town, tmp_path):
    pack = propose_places(replace(town, places=()), n=5)
    assert len(pack.places) == 5
    assert all("建议" in place.name["zh"] and "proposed" in place.name["en"] for place in pack.places)
    assert propose_places(town) is town
    write_pack(pack, tmp_path)
    assert check_pack(tmp_path) == []


def test_nothing_can_be_proposed_where_nothing_is_drawn(town):
    with pytest.raises(BadInput, match="n=0"):
        propose_devices(town, 0, np.random.default_rng(1))
    bare = AreaTree([Level(key="district", label={})], [replace(town.areas.root, polygon=None)])
    with pytest.raises(BadInput, match="must have an outline"):
        propose_devices(replace(town, areas=bare), 10, np.random.default_rng(1))


def test_a_district_without_streets_gets_its_gates_and_its_grid(town):
    pack = propose_devices(replace(town, streets=()), 20, np.random.default_rng(1))
    assert Counter(device.kind for device in pack.devices) == {
        DeviceKind.GATE: 3,
        DeviceKind.GRID: 1,
        DeviceKind.AREA: 1,
    }


def test_the_real_huangpu_gets_its_106_devices(huangpu, tmp_path):
    pack = propose_devices(huangpu, 106, np.random.default_rng(1))
    assert len(pack.devices) == 106
    write_pack(pack, tmp_path)
    assert check_pack(tmp_path) == []
    watched = {
        area.area_id
        for area in pack.areas.of_level("subdistrict")
        for device in pack.devices
        if device.kind is DeviceKind.PASSAGE and shapely.intersects(area.polygon, device.geometry)
    }
    assert len(watched) == 10
