"""How fast travel times come: bounded times from many posts beside the libraries, and a district's after a closure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString

from anlan.kernel.geo import Projection
from anlan.kernel.records import Street
from anlan.pack import find_pack, read_pack
from anlan.response.travel import VEHICLE, Conditions, Mode, Network, StreetGraph
from ground import real_huangpu
from row import Row

LIMIT_S = 300.0
N_ORIGINS = 200
PLAIN = Mode(key="plain", of_limit=1.0)


def cpu_ms(act: Callable[[], object], rounds: int = 5) -> float:
    """Return the least processor time of several calls after one not counted: one thread, whoever else is at work."""
    act()
    took = []
    for _ in range(rounds):
        begin = time.process_time()
        act()
        took.append(time.process_time() - begin)
    return 1000 * min(took)


def street_like(side: int, seed: int = 1) -> StreetGraph:
    """Return a town of side x side junctions some 100 m apart, a fifth of its streets missing, at 20 to 60 km/h."""
    draw = np.random.default_rng(seed)
    number = np.arange(side * side).reshape(side, side)
    x, y = (np.indices((side, side)).reshape(2, -1) * 100.0) + draw.normal(0, 20, (2, side * side))
    pairs = np.concatenate(
        [
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
        ]
    )
    pairs = pairs[draw.random(len(pairs)) > 0.2].astype(np.int32)
    length = np.hypot(x[pairs[:, 0]] - x[pairs[:, 1]], y[pairs[:, 0]] - y[pairs[:, 1]])
    both = np.repeat(pairs, 2, axis=0)
    both[1::2] = both[1::2, ::-1]
    line = LineString([(121.48, 31.22), (121.49, 31.22)])
    streets = tuple(
        Street(street_id=str(v), name={}, street_class="residential", line=line, width_m=5, speed_kmh=v)
        for v in (20, 30, 40, 50, 60)
    )
    n = len(both)
    return StreetGraph(
        streets=streets,
        plane=Projection(121.48, 31.22),
        x_m=x,
        y_m=y,
        tail=both[:, 0],
        head=both[:, 1],
        length_m=np.repeat(length, 2),
        street=np.repeat(draw.integers(0, 5, len(pairs)), 2).astype(np.int32),
        against=np.zeros(n, np.bool_),
        bearing_in=np.zeros(n),
        bearing_out=np.zeros(n),
        piece_line=np.empty(0, dtype=object),
    )


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """3.1 beside the libraries, 3.2 on a district."""
    for letter, side, goal in (("a", 71, 40.0), ("b", 548, 100.0))[: 1 if quick else 2]:
        graph = street_like(side)
        network = Network.of(graph, PLAIN)
        origins = np.random.default_rng(2).choice(graph.n_nodes, N_ORIGINS, replace=False)
        ours = cpu_ms(lambda n=network, o=origins: n.reach(o, LIMIT_S))
        told = dict(peers(network, origins, say))
        say(f"200 posts on {graph.n_nodes:,} nodes: {ours:.0f} ms, {told}")
        fastest = min((value for value in told.values() if value is not None), default=np.inf)
        yield Row(
            id=f"3.1{letter}",
            what=f"200 posts x every node within 300 s, {graph.n_nodes:,} nodes, one thread, processor time",
            value=ours,
            unit="ms",
            goal=f"<= {goal:g}, ahead of all",
            ok=ours <= goal and ours < fastest,
            peer=", ".join(
                f"{name} {'missing' if value is None else f'{value:,.0f} ms'}" for name, value in told.items()
            ),
        )
    yield from refreshed(say)


def peers(network: Network, origins: np.ndarray, say: Callable[[str], None]) -> Iterator[tuple[str, float | None]]:
    """Time what others would use for the same question; None where it is not installed."""
    graph, limit = network.graph, LIMIT_S * 10  # whole tenths of a second: sums are exact
    weights = csr_array((network.time_ds.astype(float), (graph.tail, graph.head)), shape=(graph.n_nodes,) * 2)
    expected = int(network.reach(origins, LIMIT_S).first[-1])
    made = dijkstra(weights, indices=origins, limit=limit)
    assert int(np.isfinite(made).sum()) == expected
    yield "scipy", cpu_ms(lambda: dijkstra(weights, indices=origins, limit=limit), 3)
    for name, measure in (("igraph", by_igraph), ("pandana", by_pandana), ("networkx", by_networkx)):
        try:
            yield name, measure(network, origins)
        except ImportError:
            say(f"{name} is not installed: pip install --group bench")
            yield name, None


def by_igraph(network: Network, origins: np.ndarray) -> float:
    """It has no limit: all nodes, from as many origins as are bearable, scaled to 200."""
    import igraph  # noqa: PLC0415 - a peer may be missing

    graph = network.graph
    town = igraph.Graph(n=graph.n_nodes, edges=np.column_stack([graph.tail, graph.head]), directed=True)
    seconds, some = (network.time_ds / 10).tolist(), origins[: 200 if graph.n_nodes < 10_000 else 10].tolist()
    return cpu_ms(lambda: town.distances(some, weights=seconds), 1) * len(origins) / len(some)


def by_pandana(network: Network, origins: np.ndarray) -> float:
    """Contraction hierarchies are built before the clock starts."""
    import pandana  # noqa: PLC0415 - a peer may be missing
    import pandas as pd  # noqa: PLC0415 - comes with it

    graph = network.graph
    town = pandana.Network(
        pd.Series(graph.x_m), pd.Series(graph.y_m), pd.Series(graph.tail), pd.Series(graph.head),
        pd.DataFrame({"s": network.time_ds / 10}), twoway=False,
    )  # fmt: skip
    return cpu_ms(lambda: town.nodes_in_range(origins.tolist(), LIMIT_S), 1)


def by_networkx(network: Network, origins: np.ndarray) -> float:
    """From as many origins as are bearable, scaled to 200."""
    import networkx as nx  # noqa: PLC0415 - a peer may be missing

    graph, town = network.graph, nx.DiGraph()
    town.add_weighted_edges_from(
        zip(graph.tail.tolist(), graph.head.tolist(), (network.time_ds / 10).tolist(), strict=True)
    )
    some = [int(one) for one in origins[:20] if int(one) in town]

    def act() -> None:
        for one in some:
            nx.single_source_dijkstra_path_length(town, one, cutoff=LIMIT_S)

    return cpu_ms(act, 1) * len(origins) / len(some)


def refreshed(say: Callable[[str], None]) -> Iterator[Row]:
    """All posts of a district to all its junctions, again after a street is closed and in another hour."""
    pack, name = real_huangpu(), "real Huangpu"
    if pack is None:
        pack, name = read_pack(find_pack("huangpu")), "schematic Huangpu (the real one is not in ANLAN_DATA)"
    graph = StreetGraph.of(pack.streets, pack.projection)
    network = Network.of(graph, VEHICLE, Conditions(siren=True))
    nodes = np.intersect1d(np.intersect1d(graph.junctions(), graph.inside(pack.boundary)), network.main_piece())
    posts = np.random.default_rng(3).choice(nodes, min(N_ORIGINS, len(nodes)), replace=False)
    closed = graph.edges_of([pack.streets[0].street_id])
    for letter, what, now in (
        ("a", "a closure", Conditions(siren=True, closed=closed)),
        ("b", "another hour", Conditions(hour=18, siren=True)),
    ):
        took = cpu_ms(lambda now=now: network.under(now).reach(posts, LIMIT_S).matrix_s(nodes))
        say(f"matrix after {what}: {took:.0f} ms")
        yield Row(
            id=f"3.2{letter}",
            what=f"{len(posts)} posts x {len(nodes):,} junctions within 300 s after {what}, with turns, {name}, processor time",
            value=took,
            unit="ms",
            goal="<= 100",
            ok=took <= 100,
        )
    took = cpu_ms(
        lambda: network.under(Conditions(hour=18, siren=True)).reach(nodes, LIMIT_S, turns=False).matrix_s(nodes)
    )
    yield Row(
        id="3.2c",
        what=f"all {len(nodes):,} x {len(nodes):,} junctions within 300 s in another hour, without turns, {name}",
        value=took,
        unit="ms",
        goal="<= 100",
        ok=took <= 100,
    )
