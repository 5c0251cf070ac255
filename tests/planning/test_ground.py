import numpy as np
import pytest
from tests.planning.conftest import street, town
from tests.small import PLANE, square

from anlan.kernel.errors import BadInput, NotFound
from anlan.planning import PERIODS, Ground, demand_from, demand_of
from anlan.response.travel import FOOT, VEHICLE


@pytest.fixture(scope="module")
def ground(pack):
    return Ground.of(pack, "en").with_key([square(150, 150, 300)])


def test_units_may_wait_at_junctions_and_in_key_areas(ground):
    assert len(ground.junctions) == 32  # the four corners are bends
    assert set(ground.junctions) <= set(ground.sites)
    assert set(ground.key) <= set(ground.sites)
    assert len(ground.sites) > 32  # mid-street nodes of the square


def test_a_vehicle_that_waits_at_a_post_of_today_is_found_at_its_junction(ground):
    (site,) = ground.existing("vehicle")
    assert sorted(ground.site_xy_m[site]) == pytest.approx([800, 1000], abs=0.5)  # beside the bend
    assert ground.existing("foot") == ()


def test_the_last_metres_are_walked(ground):
    lon, lat = PLANE.to_degrees([200.0, 200.0], [0.0, -90.0])
    text = f"lon,lat,weight\n{lon[0]},{lat[0]},1\n{lon[1]},{lat[1]},2\n"
    demand = demand_from(ground, text)
    times = ground.times_s("foot", 12, demand).toarray()
    start = int(np.hypot(*(ground.site_xy_m - [200, 0]).T).argmin())
    assert times[start, 0] == pytest.approx(0.0, abs=0.2)
    assert times[start, 1] == pytest.approx(45.0, abs=0.2)  # 90 m at 2 m/s


def test_demand_of_a_pack_is_shared_between_people_out_and_residents(ground):
    demand = demand_of(ground)
    assert demand.weight.shape == (6, len(demand))
    assert demand.weight.sum(axis=1) == pytest.approx(np.ones(6))
    assert (demand.weight > 0).all()
    hall = int(np.hypot(demand.x_m - 800, demand.y_m - 800).argmin())
    by_day, by_night = demand.weight[2, hall], demand.weight[0, hall]
    assert by_day > 2 * by_night  # sixty thousand are in the hall by day


def test_a_file_may_give_each_period_its_own_weight(ground):
    lon, lat = PLANE.to_degrees(0.0, 0.0)
    demand = demand_from(ground, f"lon,lat,weight,night,name\n{lon},{lat},2,5,gate\n")
    assert demand.weight[:, 0].tolist() == [5, 2, 2, 2, 2, 2]
    assert demand.names == ("gate",)
    assert demand.source == "file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lon,lat\n1,2\n", "add weight"),
        ("lon,lat,weight\n", "at least one row"),
        ("lon,lat,weight\n121.48,31.22,-1\n", "line 2 with weight -1"),
        ("lon,lat,weight\n121.48,31.22,many\n", "line 2"),
        ("lon,lat,weight\n31.22,121.48,1\n", "longitude first"),
        ("lon,lat,weight\n121.48,31.22,nan\n", "finite"),
    ],
)
def test_a_demand_file_that_does_not_fit_is_told_with_its_line(ground, text, said):
    with pytest.raises(BadInput, match=said):
        demand_from(ground, text)


def test_key_areas_are_places_streets_and_areas_by_name(ground):
    assert ground.key_area("square").area == pytest.approx(ground.key_area("广场").area)
    assert PLANE.project(ground.key_area("row-0-0")).area > 60 * 200 * 0.5
    with pytest.raises(NotFound, match="'Atlantis'"):
        ground.key_area("Atlantis")


def test_the_slowest_hour_of_a_period_is_planned_for():
    morning = PERIODS[1]
    assert morning.slowest(VEHICLE) == 8
    assert morning.slowest(FOOT) == 6
    assert sum(one.length for one in PERIODS) == 24


def test_streets_in_pieces_leave_no_site_that_is_cut_off():
    apart = street("island", (300, 1080), (500, 1080))
    ground = Ground.of(town(more=(apart,)), "en")
    (main, island) = ground.pieces("vehicle")
    assert main.n_nodes > island.n_nodes
    assert island.name["en"] == "island"
    assert not set(ground.sites) & set(island.nodes.tolist())


def test_a_district_without_streets_inside_is_refused():
    with pytest.raises(BadInput, match="streets within its boundary"):
        Ground.of(town(1, more=(street("far", (5000, 0), (5300, 0)),)))


def test_an_absurd_speed_is_refused_with_the_street():
    ground = Ground.of(town(2, more=(street("absurd", (0, 200), (0, 390), speed_kmh=-30.0),)), "en")
    with pytest.raises(BadInput, match="'absurd'"):
        _ = ground.networks
