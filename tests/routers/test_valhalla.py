"""Valhalla behind the port of travel times, beside the built-in router on the same streets."""

import importlib.util

import numpy as np
import pytest
from shapely.geometry import Point
from tests.planning.conftest import town

from anlan.kernel.errors import BadInput, NotFound, Unavailable
from anlan.response.travel import FOOT, Network, StreetGraph, StreetRouter
from anlan.routers import ValhallaRouter, build_tiles

HERE = importlib.util.find_spec("valhalla") is not None
needs_it = pytest.mark.skipif(not HERE, reason="Valhalla is not installed: pip install 'anlan[valhalla]'")
PACE_KMH = 7.2
"""Of ``FOOT``, so that only the ways can differ."""


def extract_of(pack, path):
    """Write the streets of a pack as an OpenStreetMap extract."""
    number, nodes, ways = {}, [], []
    for k, street in enumerate(pack.streets, 1):
        refs = []
        for lon, lat in street.line.coords:
            at = (round(lon, 7), round(lat, 7))
            if at not in number:
                number[at] = len(number) + 1
                nodes.append(f"<node id='{number[at]}' version='1' lon='{at[0]}' lat='{at[1]}'/>")
            refs.append(f"<nd ref='{number[at]}'/>")
        ways.append(f"<way id='{k}' version='1'>{''.join(refs)}<tag k='highway' v='residential'/></way>")
    path.write_text(f"<osm version='0.6'>{''.join(nodes)}{''.join(ways)}</osm>")
    return path


@pytest.fixture(scope="module")
def pack():
    return town(6)


@pytest.fixture(scope="module")
def tiles(pack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("valhalla")
    return build_tiles(extract_of(pack, folder / "town.osm"), folder / "tiles")


@pytest.fixture(scope="module")
def walker(tiles):
    return ValhallaRouter(tiles=tiles, kind="foot", pace_kmh=PACE_KMH)


@pytest.fixture(scope="module")
def corners(pack):
    """Every junction of the town, in degrees."""
    return np.array(sorted({(round(x, 7), round(y, 7)) for one in pack.streets for x, y in one.line.coords}))


@needs_it
def test_times_on_foot_agree_with_the_built_in_router_within_a_twentieth(pack, walker, corners):
    graph = StreetGraph.of(pack.streets, pack.projection)
    ours = StreetRouter(Network.of(graph, FOOT)).times_s(corners, corners, 3600)
    theirs = walker.times_s(corners, corners, 3600)
    assert theirs.shape == ours.shape == (36, 36)
    assert theirs.dtype == ours.dtype
    apart = ~np.eye(36, dtype=bool)
    ratio = theirs[apart] / ours[apart]
    assert ratio.min() > 0.95
    assert ratio.max() < 1.05


@needs_it
def test_beyond_the_limit_is_infinite_and_long_tables_are_asked_in_parts(walker, corners):
    many = np.repeat(corners, 4, axis=0)
    whole = walker.times_s(many, corners[:3], 3600)
    assert whole.shape == (144, 3)
    assert np.array_equal(whole[::4], walker.times_s(corners, corners[:3], 3600))
    near = walker.times_s(corners, corners[:3], 200)
    assert np.isinf(near[whole[::4] > 200]).all()
    assert np.isfinite(near[whole[::4] <= 200]).all()


@needs_it
def test_an_isochrone_holds_what_is_reached_well_in_time_and_nothing_far_beyond(walker, corners):
    times = walker.times_s(corners[:1], corners, 3600)[0]
    area = walker.isochrone(tuple(corners[0]), 300)
    inside = np.array([area.buffer(1e-5).covers(Point(one)) for one in corners])
    assert inside[times <= 240].all()
    assert not inside[times >= 400].any()


@needs_it
def test_a_route_leads_from_one_end_to_the_other_along_the_streets(walker, corners):
    made = walker.route(tuple(corners[0]), tuple(corners[-1]))
    assert made.length_m == pytest.approx(2000, rel=0.02)
    assert made.travel_s == pytest.approx(made.length_m / PACE_KMH * 3.6, rel=0.05)
    ends = np.array(made.line.coords)[[0, -1]]
    assert np.abs(ends - corners[[0, -1]]).max() < 1e-4


@needs_it
def test_a_vehicle_is_faster_than_a_walker(tiles, walker, corners):
    by_car = ValhallaRouter(tiles=tiles).times_s(corners[:1], corners[-1:], 3600)
    assert by_car[0, 0] < walker.times_s(corners[:1], corners[-1:], 3600)[0, 0] / 2


@needs_it
def test_what_it_cannot_do_is_told(tiles, tmp_path, walker, corners):
    with pytest.raises(BadInput, match="must be one of vehicle, bicycle, foot"):
        ValhallaRouter(tiles=tiles, kind="boat")
    with pytest.raises(BadInput, match=r"must be 1\.\.25 km/h"):
        ValhallaRouter(tiles=tiles, pace_kmh=50)
    with pytest.raises(NotFound, match="holds no tiles"):
        ValhallaRouter(tiles=tmp_path)
    with pytest.raises(NotFound, match="does not exist"):
        build_tiles(tmp_path / "nothing.osm.pbf", tmp_path)
    (tmp_path / "empty.osm").write_text("<osm version='0.6'></osm>")
    with pytest.raises(Unavailable, match="were not built"):
        build_tiles(tmp_path / "empty.osm", tmp_path / "none")
    with pytest.raises(BadInput, match="must be > 0 s"):
        walker.isochrone(tuple(corners[0]), 0)


@pytest.mark.skipif(HERE, reason="Valhalla is installed")
def test_without_the_library_it_says_what_to_install(tmp_path):
    (tmp_path / "one.gph").touch()
    with pytest.raises(Unavailable, match=r"pip install 'anlan\[valhalla\]'"):
        ValhallaRouter(tiles=tmp_path)
    with pytest.raises(Unavailable, match="is not installed"):
        build_tiles(tmp_path / "town.osm", tmp_path)
