"""A second city: the published ambulance system of Manhattan, simulated, and held against the hypercube of the same city.

What is published with JEMSS are its inputs, no outcome: so the proof is that two independent
ways to the same figures agree, the simulation and the balance of all 4,096 sets of busy ambulances.
"""

from __future__ import annotations

import csv
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import KDTree

from anlan.engine import threads
from anlan.response.queueing import nearest_order, workloads
from anlan.response.simulate import Carrying, Ensemble, Fleet, Kind, Roads, Told, Trial, figure, summed
from ground import DATA
from response_simulation import Check, parts_of, preferring, shares_of
from row import Row

FOLDER = DATA / "jemss_manhattan"
PER_DAY = 451.2
DISPATCH_S, ON_SCENE_S, HANDOVER_S, CARRIED = 150.0, 456.0, 240.0, 0.85
WITHOUT_SIREN = 14.7 / 11
PROMISE_S = 480.0
MOST_PLACES = 1000
M_PER_DEGREE = 111_200.0
WIDTH, HEIGHT, BITS, PACKED, STRIPS, STRIP_BYTES, PIXEL, TIE = 256, 257, 258, 259, 273, 279, 33550, 33922
TIFF_KINDS = {3: "H", 4: "I", 12: "d"}
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Manhattan:
    """Places with times between them, people at each, and where ambulances and hospitals are."""

    roads: Roads
    people: Floats
    posts: Ints
    home: Ints
    hospitals: Ints


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Agreement with the hypercube, and the city as it is told."""
    if not FOLDER.is_dir():
        say(f"3.8b and 3.8c are left out: no {FOLDER}")
        return
    city = manhattan(FOLDER)
    n_places, n_units = city.roads.n_places, len(city.home)
    say(f"Manhattan: {n_places} places, {n_units} ambulances, {len(city.hospitals)} hospitals")
    checks = list(agreements(city, 60_000 if quick else 600_000))
    told = [(name, exact, figure(parts, 1 - 0.05 / len(checks))) for name, exact, parts in checks]  # Bonferroni
    outside = [
        f"{name}: {made.low:.5g}..{made.high:.5g}, exact {exact:.5g}"
        for name, exact, made in told
        if not made.low <= exact <= made.high
    ]
    for line in outside:
        say(f"3.8b outside: {line}")
    mean = told[-1]
    yield Row(
        id="3.8b",
        what=f"simulator against the hypercube of Manhattan, {n_units} ambulances, {n_places} places: busy shares and "
        "mean travel outside the joint 95 % interval",
        value=len(outside),
        unit=f"of {len(checks)}",
        goal="0",
        ok=not outside,
        peer=f"mean travel {mean[1]:.1f} s by the hypercube, {mean[2].low:.1f}..{mean[2].high:.1f} s simulated",
    )
    yield as_told(city, 4 if quick else 20)


def manhattan(folder: Path, most: int = MOST_PLACES) -> Manhattan:
    """Read the city: its largest strongly connected piece of road, thinned to so many places."""
    with zipfile.ZipFile(folder / "roads.zip") as packed:
        nodes = _table(packed.read("nodes.csv").decode(), "x", "y")
        arcs = _table(packed.read("arcs.csv").decode(), "fromNode", "toNode", "mode_1")
    arcs = arcs[np.lexsort(arcs.T[::-1])]  # of several arcs between two nodes the quickest comes first
    arcs = arcs[np.append(True, (np.diff(arcs[:, :2], axis=0) != 0).any(axis=1))]
    ends = tuple(arcs[:, :2].astype(int).T - 1)
    graph = csr_matrix((arcs[:, 2] * 86400, ends), (len(nodes), len(nodes)))
    _, piece = connected_components(graph, connection="strong")
    main = np.flatnonzero(piece == np.bincount(piece).argmax())
    stretch = np.array([M_PER_DEGREE * np.cos(np.deg2rad(nodes[:, 1].mean())), M_PER_DEGREE])
    xy = nodes * stretch
    stations, hospitals = (
        main[KDTree(xy[main]).query(_table((folder / name).read_text(), "x", "y") * stretch)[1]]
        for name in ("stations_1.csv", "hospitals_1.csv")
    )
    kept, side = main, 20.0
    while len(kept) > most:
        _, first = np.unique(xy[main] // side, axis=0, return_index=True)
        kept, side = np.unique(np.concatenate([main[first], stations, hospitals])), side * 1.1
    home = _table((folder / "ambulances_1.csv").read_text(), "stationIndex")[:, 0].astype(int) - 1
    used, home = np.unique(home, return_inverse=True)
    return Manhattan(
        roads=Roads(times_s=dijkstra(graph, indices=kept)[:, kept]),
        people=_people(folder, xy[kept], stretch),
        posts=np.searchsorted(kept, stations[used]),
        home=home,
        hospitals=np.searchsorted(kept, hospitals),
    )


def _table(text: str, *names: str) -> Floats:
    """Return these columns of the table that begins with the line of its column names; lines above are of another form."""
    lines = text.splitlines(keepends=True)
    begin = next(k for k, line in enumerate(lines) if line.startswith("index,"))
    return np.array([[float(row[name]) for name in names] for row in csv.DictReader(lines[begin:]) if row["index"]])


def _people(folder: Path, xy: Floats, stretch: Floats) -> Floats:
    """Return how many people live nearest to each place: the cells of the raster, each to its nearest."""
    with zipfile.ZipFile(folder / "manhattan_pop_densit_20m.zip") as packed:
        cells, (west, north), (wide, high) = _raster(packed.read("manhattan_pop_densit_20m.tif"))
    row, column = np.nonzero(np.isfinite(cells) & (cells > 0))
    at = np.column_stack([west + (column + 0.5) * wide, north - (row + 0.5) * high]) * stretch
    return np.asarray(np.bincount(KDTree(xy).query(at)[1], cells[row, column], len(xy)), float)


def _raster(told: bytes) -> tuple[Floats, tuple[float, float], tuple[float, float]]:
    """Return the cells of a GeoTIFF of plain 64-bit numbers, its corner in the north-west, and the size of a cell."""
    begin = struct.unpack_from("<I", told, 4)[0]
    tags: dict[int, tuple[float, ...]] = {}
    for k in range(struct.unpack_from("<H", told, begin)[0]):
        tag, kind, count, _ = struct.unpack_from("<HHII", told, begin + 2 + 12 * k)
        if kind in TIFF_KINDS:
            form = f"<{count}{TIFF_KINDS[kind]}"
            here = begin + 10 + 12 * k
            at = here if struct.calcsize(form) <= 4 else struct.unpack_from("<I", told, here)[0]
            tags[tag] = struct.unpack_from(form, told, at)
    shape = int(tags[HEIGHT][0]), int(tags[WIDTH][0])
    if tags[BITS] != (64,) or tags[PACKED] != (1,) or set(np.diff(tags[STRIPS])) != {int(tags[STRIP_BYTES][0])}:
        raise ValueError("the raster must be of plain 64-bit numbers, one strip after the other")
    cells = np.frombuffer(told, "<f8", shape[0] * shape[1], int(tags[STRIPS][0])).reshape(shape)
    return cells, (tags[TIE][3], tags[TIE][4]), (tags[PIXEL][0], tags[PIXEL][1])


# -- 3.8b --------------------------------------------------------------------------------------------------------------


def agreements(city: Manhattan, n: int) -> Iterator[Check]:
    """Yield each ambulance's busy share and the mean travel, by the balance of all sets and as simulated in parts.

    As in the hypercube, an ambulance is asked in a fixed order, from its post, and busy for as long on average whatever
    it does: that long which it takes in this city from the nearest post.
    """
    lived = np.flatnonzero(city.people > 0)
    times = city.roads.times_s[city.posts][city.home][:, lived].astype(float)
    share = city.people[lived] / city.people.sum()
    busy_s = float(share @ (times.min(axis=0) + _after_s(city)[lived]))
    load = share * PER_DAY / 86400 * busy_s  # incidents in the time for which one keeps an ambulance
    order = nearest_order(times)
    exact = workloads(load, order, 3600.0)
    run = preferring(order, load, n, 60)
    told = shares_of(run, len(city.home))
    for u in range(len(city.home)):
        yield f"ambulance {u + 1}", float(exact.busy[u]), told[:, u]
    went = times[run.unit, run.incidents.place[run.incident]]
    yield "mean travel", float((exact.sent * times).sum(axis=0) @ share), parts_of(went)


def _after_s(city: Manhattan) -> Floats:
    """Return the mean time from an arrival at each place until the ambulance is free."""
    way = city.roads.times_s[:, city.hospitals].min(axis=1).astype(float) * WITHOUT_SIREN
    return np.asarray(ON_SCENE_S + CARRIED * (way + HANDOVER_S), float)


# -- 3.8c --------------------------------------------------------------------------------------------------------------


def as_told(city: Manhattan, n_years: int) -> Row:
    """Simulate the city: hospitals, the way back, and whoever is nearest then."""
    fleet = Fleet(posts=city.posts, home=city.home)
    trial = Trial(
        roads=city.roads, plans=[fleet], within_s=PROMISE_S - DISPATCH_S, promises_s=(PROMISE_S - DISPATCH_S,)
    )
    drawn = Ensemble(
        trial=trial,
        per_hour=PER_DAY / 24,
        weight=city.people,
        days=365,
        kinds=[Kind(on_scene_s=ON_SCENE_S)],
        turnout_s=0.0,  # an incident is known here when it is dispatched
        carrying=Carrying(hospitals=city.hospitals, share=CARRIED, handover_s=HANDOVER_S, slower=WITHOUT_SIREN),
        seed=61,
    )
    with threads() as pool:
        told: list[Told] = [year[0][0] for year in pool.spread(drawn.told, range(n_years))]
    made = summed("nearest", told)
    within, busy = made.within[PROMISE_S - DISPATCH_S], made.busy
    times = city.roads.times_s[city.posts][city.home].astype(float)
    share = city.people / city.people.sum()
    by_sets = workloads(share * PER_DAY / 24, nearest_order(times), times + _after_s(city), exact=False)
    mean = float(np.mean([one.mean_s for one in told]))
    return Row(
        id="3.8c",
        what=f"Manhattan, nearest free, {PER_DAY} calls a day: there within 8 min of the call, lights and sirens for all",
        value=100 * within.value,
        unit="%",
        peer=f"{n_years} years, ±{50 * (within.high - within.low):.2f}; mean response {(mean + DISPATCH_S) / 60:.2f} min, "
        f"busy {busy.value:.1%}; by the hypercube, from posts only, {by_sets.mean_busy:.1%} and "
        f"{(float((by_sets.sent * times).sum(axis=0) @ share) + DISPATCH_S) / 60:.2f} min",
    )
