from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString
from tests.small import PLANE, line, square

from anlan.kernel.errors import BadInput
from anlan.kernel.records import Street
from anlan.response.travel import (
    BICYCLE,
    FOOT,
    VEHICLE,
    Conditions,
    Mode,
    Network,
    StreetGraph,
    StreetRouter,
    Turns,
    speeds_kmh,
)

DRIVE = Mode(key="drive", of_limit=1.0, oneway=True)


def street(name, *points, **more):
    given = {"street_class": "residential", "width_m": 5.0, "speed_kmh": 36.0} | more
    return Street(street_id=name, name={"en": name}, line=line(*points), **given)


def grid(n=4, side=100.0):
    """Streets of a square town: n by n junctions, west-east ones in one direction."""
    rows = [
        street(f"row {k}", (i * side, k * side), ((i + 1) * side, k * side), oneway=True)
        for k in range(n)
        for i in range(n - 1)
    ]
    columns = [
        street(f"column {i}", (i * side, k * side), (i * side, (k + 1) * side)) for i in range(n) for k in range(n - 1)
    ]
    return [replace(one, street_id=f"{one.street_id}.{k}") for k, one in enumerate([*rows, *columns])]


@pytest.fixture(scope="module")
def town():
    return StreetGraph.of(grid(), PLANE)


def at(graph, x, y):
    return int(graph.nearest(x, y)[0][0])


def time_s(network, begin, end, **more):
    graph = network.graph
    return float(network.reach([at(graph, *begin)], 3600, **more).matrix_s([at(graph, *end)])[0, 0])


def test_a_way_takes_its_length_over_its_speed(town):
    assert time_s(Network.of(town, DRIVE), (0, 0), (300, 0)) == pytest.approx(30.0, abs=0.2)


def test_nobody_drives_against_a_one_way_street_but_a_walker_does(town):
    assert time_s(Network.of(town, DRIVE), (300, 0), (0, 0)) == np.inf
    assert time_s(Network.of(town, FOOT), (300, 0), (0, 0)) == pytest.approx(150.0, abs=0.5)


def test_turns_cost_what_they_say_left_more_than_right(town):
    turning = Network.of(town, replace(DRIVE, turns=Turns(left_s=10, right_s=3, straight_s=2, back_s=None)))
    assert time_s(turning, (0, 0), (100, 100)) == pytest.approx(20 + 3, abs=0.2)  # up first, then right
    assert time_s(turning, (100, 0), (100, 200)) == pytest.approx(20 + 2, abs=0.2)
    assert time_s(turning, (0, 300), (100, 200)) == pytest.approx(20 + 3, abs=0.2)
    assert time_s(turning, (0, 0), (100, 100), turns=False) == pytest.approx(20, abs=0.2)


def test_a_dead_end_may_be_left_where_turning_back_is_forbidden():
    ends = [street("a", (0, 0), (100, 0)), street("b", (100, 0), (200, 0)), street("c", (100, 0), (100, 100))]
    network = Network.of(StreetGraph.of(ends, PLANE), replace(DRIVE, turns=Turns(left_s=5, back_s=None)))
    assert time_s(network, (200, 0), (100, 100)) == pytest.approx(20.0, abs=0.2)


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), limit_s=st.integers(1, 400))
def test_bounded_times_are_dijkstras(seed, limit_s):
    rng = np.random.default_rng(seed)
    graph = StreetGraph.of(grid(6, float(rng.uniform(60, 300))), PLANE)
    network = Network.of(graph, DRIVE)
    weights = coo_array((network.time_ds, (graph.tail, graph.head)), shape=(graph.n_nodes,) * 2).tocsr()
    origins = rng.choice(graph.n_nodes, 5, replace=False)
    made = network.reach(origins, limit_s).matrix_s()
    expected = dijkstra(weights, indices=origins) / 10
    expected[expected > limit_s] = np.inf
    assert np.allclose(made, expected)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_turns_without_cost_change_nothing(seed):
    rng = np.random.default_rng(seed)
    graph = StreetGraph.of(grid(5), PLANE)
    dear = Network.of(graph, replace(DRIVE, turns=Turns(back_s=None)))
    origins = rng.choice(graph.n_nodes, 4)
    assert np.array_equal(
        dear.reach(origins, 200).matrix_s(), Network.of(graph, DRIVE).reach(origins, 200).matrix_s()
    )  # who cannot turn back loses nothing where each way out was open from the start


def test_rows_come_in_the_order_of_time(town):
    reach = Network.of(town, FOOT).reach([0, 5, 9], 200)
    assert all((np.diff(reach.time_ds[b:e]) >= 0).all() for b, e in zip(reach.first, reach.first[1:], strict=False))


def test_a_closed_street_is_gone_round_and_opened_again(town):
    network = Network.of(town, FOOT)
    shut = network.under(Conditions(closed=town.crossing(square(20, -10, 60, 20))))
    assert time_s(shut, (0, 0), (100, 0)) == pytest.approx(150.0, abs=0.5)
    assert time_s(shut.under(Conditions()), (0, 0), (100, 0)) == time_s(network, (0, 0), (100, 0))


def test_a_crowd_slows_and_what_nobody_knows_slows_nobody(town):
    network = Network.of(town, FOOT)
    crowd = np.full(town.n_edges, np.nan)
    assert time_s(network.under(Conditions(crowd_per_m2=crowd)), (0, 0), (100, 0)) == pytest.approx(50, abs=0.2)
    crowd[:] = 2.7  # half of what stops walkers
    assert time_s(network.under(Conditions(crowd_per_m2=crowd)), (0, 0), (100, 0)) == pytest.approx(100, abs=0.5)
    assert time_s(Network.of(town, BICYCLE, Conditions(crowd_per_m2=crowd)), (0, 0), (100, 0)) == np.inf


def test_the_hour_slows_and_the_siren_quickens(town):
    network = Network.of(town, VEHICLE)
    night, rush = (time_s(network.under(Conditions(hour=h)), (0, 0), (300, 300)) for h in (3, 8))
    siren = time_s(network.under(Conditions(hour=8, siren=True)), (0, 0), (300, 300))
    assert night < siren < rush


def test_an_offset_is_time_lost_before_the_start(town):
    network = Network.of(town, FOOT)
    reach = network.reach([at(town, 0, 0)], 120, offset_s=[30])
    assert reach.matrix_s([at(town, 100, 0)])[0, 0] == pytest.approx(80, abs=0.2)
    assert len(network.reach([0], 20, offset_s=[30]).node) == 0


def test_pieces_are_told_with_names():
    island = street("Isle Lane", (2000, 2000), (2100, 2000))
    pieces = Network.of(StreetGraph.of([*grid(), island], PLANE), FOOT).pieces()
    assert [one.n_nodes for one in pieces] == [16, 2]
    assert pieces[1].name == {"en": "Isle Lane"}


def test_a_junction_is_called_by_the_streets_that_meet_there(town):
    assert town.name_of(at(town, 100, 100)) == {"en": "row 1 / column 1"}


def test_a_long_street_can_be_cut_into_pieces():
    graph = StreetGraph.of([street("a", (0, 0), (100, 0))], PLANE, piece_m=30)
    assert graph.n_nodes == 5
    assert np.allclose(graph.length_m, 25, atol=0.01)
    assert len(graph.junctions()) == 2


def test_an_isochrone_goes_as_far_as_the_time(town):
    ground = PLANE.project(Network.of(town, FOOT).isochrone([at(town, 0, 0)], 75, width_m=5))
    assert ground.bounds == pytest.approx((-5, -5, 155, 155), abs=3)


def test_the_router_walks_the_last_metres(town):
    router = StreetRouter(Network.of(town, FOOT))
    points = np.column_stack(PLANE.to_degrees([0, 300], [20, 20]))
    assert router.times_s(points[:1], points[1:], 300)[0, 0] == pytest.approx(150 + 20, abs=0.5)
    assert router.times_s(points[:1], points[1:], 160)[0, 0] == np.inf


@pytest.mark.parametrize("kmh", [-5.0, 0.0, 250.0, float("nan"), float("inf")])
def test_absurd_speeds_are_refused(kmh):
    with pytest.raises(BadInput, match="200 km/h"):
        Mode(key="odd", kmh={"residential": kmh})
    wrong = StreetGraph.of([replace(grid()[0], speed_kmh=kmh)], PLANE)
    with pytest.raises(BadInput, match=r"of street 'row 0\.0'"):
        speeds_kmh(wrong, DRIVE, Conditions())


@pytest.mark.parametrize(
    ("limit_s", "origins", "offset_s"),
    [(-1, [0], None), (1e9, [0], None), (60, [-1], None), (60, [99], None), (60, [0], [-2.0]), (60, [0], [1.0, 2.0])],
)
def test_wrong_questions_are_refused(town, limit_s, origins, offset_s):
    with pytest.raises(BadInput):
        Network.of(town, FOOT).reach(origins, limit_s, offset_s)


def test_a_street_that_is_not_there_cannot_be_closed(town):
    with pytest.raises(BadInput, match="list the streets"):
        town.edges_of(["nowhere"])


def test_streets_join_only_where_their_ends_meet():
    apart = [street("a", (0, 0), (100, 0)), street("b", (100.5, 0), (200, 0))]
    assert StreetGraph.of(apart, PLANE).n_nodes == 4
    with pytest.raises(BadInput):
        StreetGraph.of([], PLANE)
    assert LineString(StreetGraph.of(apart, PLANE).piece_line[0]).length == pytest.approx(100)
