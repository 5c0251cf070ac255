"""Simulation: how fast, how true, and what keeping cover is worth on a busy day."""

from __future__ import annotations

import csv
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import poisson

from anlan.kernel.geo import Projection
from anlan.kernel.records import Street
from anlan.pack import find_pack, read_pack
from anlan.pack.osm import read_extract
from anlan.pack.streets import streets_of
from anlan.response.queueing import erlang_b, erlang_c, erlang_wait_s, nearest_order, settle, workloads
from anlan.response.simulate import (
    BOTH,
    KEEPING,
    MOVING,
    NEAREST,
    Fleet,
    Incidents,
    Kind,
    Policy,
    Roads,
    Run,
    compare,
    each,
    figure,
    simulate,
    summary,
)
from anlan.response.travel import VEHICLE, Conditions, Network, StreetGraph
from row import Row

try:
    from anlan.response.posting import Mexclp, Problem, Stop, solve
except ImportError:
    solve = None
try:
    import simpy
except ImportError:
    simpy = None
try:
    import ciw
except ImportError:
    ciw = None

ROADS = Path(os.environ.get("ANLAN_DATA", Path(__file__).parents[2] / "shared" / "data")) / "huangpu_roads"
N_UNITS = 30
BUSY = 0.4
ON_SCENE_S = 900.0
TURNOUT_S = 30.0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class City:
    """Places with times between them, the length of street at each, and sites where units may wait."""

    name: str
    roads: Roads
    weight: Floats
    sites: npt.NDArray[np.int64]


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Speed, truth, and what policies are worth."""
    city = _city(say)
    yield from speed(city, quick=quick, say=say)
    yield from truth(city, quick=quick, say=say)
    yield from policies(city, quick=quick, say=say)


def _city(say: Callable[[str], None]) -> City:
    streets, name, near = _streets(say)
    lon, lat = near.mean(axis=0)
    graph = StreetGraph.of(streets, Projection(float(lon), float(lat)))
    network = Network.of(graph, VEHICLE, Conditions(hour=11, siren=True))
    nodes = np.unique(graph.nearest(*graph.plane.to_metres(near[:, 0], near[:, 1]), network.main_piece())[0])
    length = np.bincount(graph.tail, graph.length_m, graph.n_nodes)[nodes]
    cell = np.column_stack([graph.x_m[nodes] // 500, graph.y_m[nodes] // 500])
    _, sites = np.unique(cell, axis=0, return_index=True)
    city = City(name, Roads.of(network, nodes), length, np.sort(sites))
    say(f"{name}: {city.roads.n_places} places, {len(sites)} sites, mean {city.roads.times_s.mean():.0f} s apart")
    return city


def _streets(say: Callable[[str], None]) -> tuple[list[Street], str, Floats]:
    """Return streets, what they are, and the junctions of the district (degrees)."""
    if ROADS.is_dir():
        with (ROADS / "nodes.csv").open() as told:
            near = [(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(told) if row["subdistrict"]]
        extract = read_extract(ROADS / "huangpu_roads_2025-08-09.osm.gz", (121.3, 31.1, 121.7, 31.4), lambda *_: None)
        return streets_of(extract.ways, ("zh",)), "Huangpu's streets", np.array(near)
    say(f"the schematic map of the shipped pack stands in: no {ROADS}")
    pack = read_pack(find_pack("huangpu"))
    ends = np.array([street.line.coords[0] for street in pack.streets])
    return list(pack.streets), "the schematic Huangpu", ends


def busy_day(city: City, rng: np.random.Generator, n_units: int, busy: float, days: int) -> Incidents:
    """Draw incidents that keep units about so busy, on streets by their length."""
    rate = n_units * busy * 3600 / (ON_SCENE_S + 150)
    return Incidents.drawn(
        rng,
        per_hour=rate,
        weight=city.weight,
        days=days,
        kinds=[
            Kind(key="urgent", share=0.3, priority=0, on_scene_s=ON_SCENE_S),
            Kind(key="other", share=0.7, priority=1, on_scene_s=ON_SCENE_S),
        ],
        turnout_s=TURNOUT_S,
    )


# -- 3.7 ---------------------------------------------------------------------------------------------------------------


def speed(city: City, *, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Count incidents a second of processor time, of one core, and of SimPy and Ciw."""
    rng = np.random.default_rng(7)
    posts = rng.choice(city.sites, N_UNITS, replace=False)
    incidents = busy_day(city, rng, N_UNITS, BUSY, 100 if quick else 1000)
    fleet = Fleet(posts=posts)
    ours = simulate(city.roads, fleet, incidents)  # compiles
    spent = [_cpu_s(lambda: simulate(city.roads, fleet, incidents)) for _ in range(5)]
    rate = len(incidents) / min(spent)
    few = _first(incidents, 3_000 if quick else 20_000)
    peers, slow = [], []
    for name, package, act in PEERS:
        if package is None:
            peers.append(f"{name} is not installed")
            say(f"3.7, {name}, is left out: it is not installed")
            continue
        told: list[npt.ArrayLike] = []
        spent = [_cpu_s(lambda act=act, told=told: told.append(act(city.roads, posts, few))) for _ in range(3)]
        slow.append(len(few) / min(spent))
        off = float(np.abs(np.asarray(told[0]).mean() - ours.response_s[: len(few)].mean()))
        peers.append(f"{name} {slow[-1]:,.0f}/s, mean response {off:.1f} s off ours")
    yield Row(
        id="3.7",
        what=f"incidents simulated per second of one core, {N_UNITS} units, {city.roads.n_places} places of {city.name}",
        value=rate,
        unit="1/s",
        goal=">= 1,000,000",
        ok=bool(rate >= 1_000_000),
        peer="; ".join(peers),
    )
    if slow:
        yield Row(
            id="3.7b",
            what="times the fastest peer",
            value=rate / max(slow),
            unit="x",
            goal=">= 50",
            ok=bool(rate / max(slow) >= 50),
        )


def _cpu_s(act: Callable[[], object]) -> float:
    begin = time.process_time()
    act()
    return time.process_time() - begin


def _first(incidents: Incidents, n: int) -> Incidents:
    names = ("at_s", "place", "on_scene_s", "turnout_s", "kind", "priority", "n_units")
    return Incidents(**{name: np.asarray(getattr(incidents, name))[:n] for name in names})


@dataclass(eq=False)
class _Listed:
    """A city and its incidents in Python's own lists, which is what an interpreter is quickest with."""

    times: list[list[float]]
    step: list[list[int]]
    post: list[int]
    at: list[float]
    place: list[int]
    on_scene: list[float]
    turnout: list[float]
    urgency: list[int]
    leg: list[int]
    home_at: list[float]

    @classmethod
    def of(cls, roads: Roads, posts: npt.NDArray[np.int64], incidents: Incidents) -> _Listed:
        names = ("at_s", "place", "on_scene_s", "turnout_s", "priority")
        told = [np.asarray(getattr(incidents, name)).tolist() for name in names]
        times, steps, post = roads.times_s.tolist(), roads.steps(posts).tolist(), posts.tolist()
        return cls(times, steps, post, *told, leg=list(post), home_at=[-1.0] * len(post))

    def arrival(self) -> Callable[[int, int, float], tuple[float, float, int]]:
        """Return what tells of a unit and an incident when it is there, sets off, and from where."""
        times, step, post, place, turnout = self.times, self.step, self.post, self.place, self.turnout
        leg, home_at = self.leg, self.home_at

        def arrival(u: int, i: int, now: float) -> tuple[float, float, int]:
            if home_at[u] <= now:
                return now + turnout[i] + times[post[u]][place[i]], now + turnout[i], post[u]
            k = leg[u]
            while times[k][post[u]] > home_at[u] - now:
                k = step[u][k]
            leg[u] = k
            ready = home_at[u] - times[k][post[u]]
            return ready + times[k][place[i]], ready, k

        return arrival


def by_simpy(roads: Roads, posts: npt.NDArray[np.int64], incidents: Incidents) -> list[float]:
    """The same rules as SimPy processes and timeouts, as quick as we could: who is idle and who waits are plain lists."""
    told = _Listed.of(roads, posts, incidents)
    arrival, times, at, place = told.arrival(), told.times, told.at, told.place
    world, idle, queue, there = simpy.Environment(), set(range(len(posts))), [], [0.0] * len(at)

    def job(u: int, i: int, ready: float, begin: int) -> Iterator[object]:
        arrive = ready + times[begin][place[i]]
        there[i] = arrive - at[i]
        yield world.timeout(arrive + told.on_scene[i] - world.now)
        if queue:
            head = min(queue)
            queue.remove(head)
            world.process(job(u, head[1], world.now, place[i]))
            return
        told.leg[u], told.home_at[u] = place[i], world.now + times[place[i]][told.post[u]]
        idle.add(u)

    def source() -> Iterator[object]:
        for i, moment in enumerate(at):
            yield world.timeout(moment - world.now)
            if not idle:
                queue.append((told.urgency[i], i))
                continue
            u = min(idle, key=lambda one: arrival(one, i, moment)[0])
            _, ready, begin = arrival(u, i, moment)
            idle.discard(u)
            world.process(job(u, i, ready, begin))

    world.process(source())
    world.run()
    return there


def by_simpy_resource(roads: Roads, posts: npt.NDArray[np.int64], incidents: Incidents) -> list[float]:
    """The same rules in SimPy's own words: an incident asks a priority resource, and takes the nearest from a store."""
    told = _Listed.of(roads, posts, incidents)
    arrival, times, at, place = told.arrival(), told.times, told.at, told.place
    world, there = simpy.Environment(), [0.0] * len(at)
    units, idle = simpy.PriorityResource(world, capacity=len(posts)), simpy.FilterStore(world)
    idle.items.extend(range(len(posts)))

    def incident(i: int) -> Iterator[object]:
        with units.request(priority=told.urgency[i]) as turn:
            yield turn
            u = min(idle.items, key=lambda one: arrival(one, i, world.now)[0])
            arrive, _, _ = arrival(u, i, world.now)
            yield idle.get(lambda one: one == u)
            there[i] = arrive - at[i]
            yield world.timeout(arrive + told.on_scene[i] - world.now)
            told.leg[u], told.home_at[u] = place[i], world.now + times[place[i]][told.post[u]]
            yield idle.put(u)

    def source() -> Iterator[object]:
        for i, moment in enumerate(at):
            yield world.timeout(moment - world.now)
            world.process(incident(i))

    world.process(source())
    world.run()
    return there


def by_ciw(roads: Roads, posts: npt.NDArray[np.int64], incidents: Incidents) -> Floats:
    """As near as Ciw comes: the nearest free unit by its post, one queue; nobody is on the way back."""
    times = roads.times_s[posts].tolist()
    at = np.asarray(incidents.at_s)
    gaps = np.diff(at, prepend=0.0).tolist()
    place, on_scene, turnout = (
        np.asarray(getattr(incidents, name)).tolist() for name in ("place", "on_scene_s", "turnout_s")
    )

    class Scene(ciw.dists.Distribution):
        def sample(self, t: float | None = None, ind: object = None) -> float:  # noqa: ARG002 - Ciw's own form
            i = ind.id_number - 1
            return turnout[i] + times[ind.server.id_number - 1][place[i]] + on_scene[i]

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*gaps, 1e12])],
        service_distributions=[Scene()],
        number_of_servers=[len(posts)],
        server_priority_functions=[lambda server, ind: times[server.id_number - 1][place[ind.id_number - 1]]],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(len(at), method="Finish")
    told = simulation.get_all_records()
    return np.array([one.service_end_date - on_scene[one.id_number - 1] - one.arrival_date for one in told])


PEERS = (
    ("SimPy", simpy, by_simpy),
    ("SimPy with its resource and store", simpy, by_simpy_resource),
    ("Ciw", ciw, by_ciw),
)


# -- 3.8 ---------------------------------------------------------------------------------------------------------------


def truth(city: City, *, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Hold the simulator against formulas: how many of them lie inside its joint 95 % interval."""
    n = 60_000 if quick else 600_000
    checks = [*_erlang(n), *_infinite(n), *_published(n), *_hypercube(city, n)]
    level = 1 - 0.05 / len(checks)  # Bonferroni: all at once with 95 %
    outside, alone = [], 0
    for name, exact, parts in checks:
        joint, single = figure(parts, level), figure(parts)
        alone += single.low <= exact <= single.high
        if not joint.low <= exact <= joint.high:
            outside.append(f"{name}: {joint.low:.5g}..{joint.high:.5g}, exact {exact:.5g}")
    for line in outside:
        say(f"3.8 outside: {line}")
    halves = [(one := figure(parts)).high - one.value for _, _, parts in checks]
    relative = statistics.median(half / exact for half, (_, exact, _) in zip(halves, checks, strict=True))
    yield Row(
        id="3.8",
        what="simulator against Erlang B and C, M/G/infinity, the hypercube as published and of twelve units on streets: "
        "formulas outside the joint 95 % interval",
        value=len(outside),
        unit=f"of {len(checks)}",
        goal="0",
        ok=not outside,
        peer=f"{alone} of {len(checks)} inside their own 95 % interval, of median half-width {100 * relative:.2g} %",
    )


Check = tuple[str, float, Floats]


def parts_of(values: npt.ArrayLike, n: int = 30) -> Floats:
    told = np.asarray(values, float)
    return np.array([part.mean() for part in np.array_split(told[len(told) // 10 :], n)])


def _stream(seed: int, load: float, n: int, draw: Callable[[np.random.Generator, int], Floats]) -> Incidents:
    rng = np.random.default_rng(seed)
    return Incidents(
        at_s=np.cumsum(rng.exponential(3600 / load, n)),
        place=np.zeros(n, np.int64),
        on_scene_s=draw(rng, n),
        turnout_s=0.0,
    )


def _exponential(rng: np.random.Generator, n: int) -> Floats:
    return rng.exponential(3600.0, n)


def _skewed(rng: np.random.Generator, n: int) -> Floats:
    return 3600.0 * np.exp(rng.normal(-0.5, 1.0, n))


def _erlang(n: int) -> Iterator[Check]:
    roads = Roads(times_s=np.zeros((1, 1)))
    for k, (load, units) in enumerate(((1.5, 3), (4.2, 7), (5.0, 10), (16.0, 20))):
        fleet = Fleet(posts=[0], home=np.zeros(units, np.int64))
        for name, draw in (("exponential", _exponential), ("lognormal", _skewed)):
            run = simulate(roads, fleet, _stream(10 + k, load, n, draw), Policy(queues=False))
            yield f"Erlang B {load}/{units}, {name}", erlang_b(load, units), parts_of(run.lost)
        run = simulate(roads, fleet, _stream(20 + k, load, n, _exponential))
        yield f"Erlang C {load}/{units}", erlang_c(load, units), parts_of(run.wait_s > 0)
        yield f"wait {load}/{units}", erlang_wait_s(load, units, 3600.0), parts_of(run.wait_s)


def _infinite(n: int) -> Iterator[Check]:
    """M/G/infinity: whom an incident finds busy is Poisson, whatever the durations.

    The formula is asked of the load that was drawn, and not of the one that was asked for: the draws of half a million
    incidents are off by half a per cent now and then, and that is nothing of the simulator's.
    """
    load, units = 12.0, 80
    fleet = Fleet(posts=[0], home=np.zeros(units, np.int64))
    told = _stream(30, load, n, _skewed)
    run = simulate(Roads(times_s=np.zeros((1, 1))), fleet, told)
    seen = np.arange(n) - np.searchsorted(np.sort(run.free_s), run.incidents.at_s)
    gaps = np.diff(told.at_s, prepend=0.0)
    drawn = parts_of(told.on_scene_s) / parts_of(gaps)
    load = float(drawn.mean())
    yield "M/G/inf mean", load, parts_of(seen) - drawn + load
    yield "M/G/inf variance", load, parts_of((seen - load) ** 2)
    yield "M/G/inf at most 20", float(poisson.cdf(20, load)), parts_of(seen <= 20)


def shares_of(run: Run, n_units: int, n: int = 30) -> Floats:
    """Return each unit's busy share in n spans of time after a tenth of it (n, U)."""
    edge = np.linspace(run.incidents.at_s[-1] / 10, run.incidents.at_s[-1], n + 1)
    made = np.empty((n, n_units))
    for u in range(n_units):
        mine = run.unit == u
        begin, end = run.sent_s[mine], run.free_s[mine]
        order = np.argsort(begin)
        done = np.concatenate([[0.0], np.cumsum((end - begin)[order])])
        k = np.searchsorted(begin[order], edge)
        over = np.where(k > 0, np.maximum(end[order][np.maximum(k - 1, 0)] - edge, 0.0), 0.0)
        made[:, u] = np.diff(done[k] - over) / np.diff(edge)
    return made


def preferring(order: npt.NDArray[np.int64], rate: Floats, n: int, seed: int) -> Run:
    """Simulate units that are asked in an order and are there at once."""
    n_classes, n_units = order.shape
    rng = np.random.default_rng(seed)
    times = np.full((n_classes + n_units,) * 2, 1e-3)
    for j in range(n_classes):
        times[n_classes + order[j], j] = 1e-3 * np.arange(1, n_units + 1)
    incidents = Incidents(
        at_s=np.cumsum(rng.exponential(3600 / rate.sum(), n)),
        place=rng.choice(n_classes, n, p=rate / rate.sum()),
        on_scene_s=rng.exponential(3600, n),
        turnout_s=0.0,
    )
    return simulate(Roads(times_s=times), Fleet(posts=n_classes + np.arange(n_units)), incidents)


def _published(n: int) -> Iterator[Check]:
    """Larson and Odoni (1981), section 5.4.3: three units, workloads as computed, which are those printed there."""
    rate = np.array([0.25, 0.25, 0.35, 0.25, 0.40])
    order = np.array([[0, 1, 2], [0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 0, 1]])
    exact = workloads(rate, order, 3600.0)
    assert np.allclose(exact.busy, [0.5574, 0.4734, 0.4693], atol=5e-5)
    told = shares_of(preferring(order, rate, n, 40), 3)
    for u in range(3):
        yield f"Larson's unit {u + 1}", float(exact.busy[u]), told[:, u]


def _hypercube(city: City, n: int) -> Iterator[Check]:
    """Twelve units on the streets, all 4,096 sets balanced."""
    rng = np.random.default_rng(50)
    posts = rng.choice(city.sites, 12, replace=False)
    places = rng.choice(city.roads.n_places, 60, replace=False, p=city.weight / city.weight.sum())
    order = nearest_order(city.roads.times_s[np.ix_(posts, places)])
    rate = rng.random(60)
    rate *= 12 * 0.5 / rate.sum()
    exact, told = workloads(rate, order, 3600.0), shares_of(preferring(order, rate, n, 51), 12)
    for u in range(12):
        yield f"hypercube's unit {u + 1}", float(exact.busy[u]), told[:, u]


# -- 3.9 ---------------------------------------------------------------------------------------------------------------


def policies(city: City, *, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Compare cover-keeping dispatch and move-up with the nearest, on the same drawn busy days."""
    if solve is None:
        say("3.9 is left out: HiGHS is not installed, which plans where units wait")
        return
    n_units, busy, within_s = N_UNITS, 0.45, 180.0
    rng = np.random.default_rng(90)
    home = _planned(city, n_units, busy, within_s - TURNOUT_S, say)
    fleet = Fleet(posts=city.sites, home=home)
    years = [busy_day(city, one, n_units, busy, 3 if quick else 10) for one in rng.spawn(5 if quick else 20)]
    tried = [NEAREST, KEEPING, MOVING, BOTH, Policy(key="each, cover kept", keeps_cover=True, moves_up="each")]
    runs = each(city.roads, fleet, years, tried, within_s=within_s)
    plain = summary("nearest", runs[0])
    say(f"3.9: nearest, within {within_s:.0f} s {plain.within[within_s].value:.1%}, busy {plain.busy.value:.2f}")
    for policy, mine in zip(tried[1:], runs[1:], strict=True):
        made = compare(policy.key, mine, "nearest", runs[0], within_s=within_s)
        told, ratio = summary(policy.key, mine), made.ratio
        fewer = 1 - ratio.value
        main = policy is BOTH
        yield Row(
            id="3.9" if main else f"3.9{'bcde'[tried.index(policy) - 1]}",
            what=f"late arrivals fewer than by nearest-free from the planned posts, {policy.key}, {n_units} units "
            f"{plain.busy.value:.0%} busy, within {within_s:.0f} s",
            value=100 * fewer,
            unit="%",
            goal=">= 15" if main else None,
            ok=bool(fewer >= 0.15 and ratio.high < 1) if main else None,
            peer=f"95 %: {100 * (1 - ratio.high):.1f}..{100 * (1 - ratio.low):.1f}; late {1 - told.within[within_s].value:.1%} "
            f"against {1 - plain.within[within_s].value:.1%}; mean arrival {made.slower_s.value:+.0f} s; "
            f"{told.moves_per_day.value / n_units:.0f} moves a day each, {told.road_share.value:.0%} of the time driving",
        )


def _planned(
    city: City, n_units: int, busy: float, within_s: float, say: Callable[[str], None]
) -> npt.NDArray[np.int64]:
    """Plan posts that agree with the busy fraction to which they lead."""
    times = city.roads.times_s[city.sites].astype(float)
    rate = n_units * busy * 3600 / (ON_SCENE_S + 150) * city.weight / city.weight.sum()
    problem = Problem(times_s=times, weight=city.weight)

    def plan(q: float) -> tuple[int, ...]:
        goal = Mexclp(n=n_units, within_s=within_s, busy=q, per_site=n_units)
        return solve(problem, goal, stop=Stop(seconds=10, gap=0.005)).posts

    def load(posts: tuple[int, ...]) -> float:
        there = times[list(posts)]
        return workloads(rate, nearest_order(there), TURNOUT_S + there + ON_SCENE_S).mean_busy

    made = settle(plan, load, begin=busy, within=5e-3, rounds=6)
    say(f"3.9: planned for {made.assumed:.3f} busy, leads to {made.busy:.3f}, agreed {made.agreed}")
    return np.array(made.plan, np.int64)
