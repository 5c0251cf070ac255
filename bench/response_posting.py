"""How good plans of posts are, and how soon they are there: published optima, a real district, the plan of a day."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.sparse import csr_array, eye_array
from scipy.sparse.csgraph import floyd_warshall
from scipy.spatial import KDTree

from anlan.planning import Asked, Ground, demand_of, plan_posts
from anlan.response.posting import (
    DoubleStandard,
    Goal,
    Lscp,
    Mclp,
    Mexclp,
    PCenter,
    Plan,
    PMedian,
    Problem,
    Stop,
    solve,
)
from anlan.response.posting.program import Program
from anlan.response.travel import VEHICLE, Conditions, Network, StreetGraph
from ground import DATA, real_huangpu
from row import Row

KEY = ("南京东路步行街", "中山东一路", "豫园")
UNSEEN = {
    500: (5, 10, 50, 100, 167),
    600: (5, 10, 60, 120, 200),
    700: (5, 10, 70, 140),
    800: (5, 10, 80),
    900: (5, 10, 90),
}


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """3.3 published optima, 3.4 covers of a district, 3.5 the plan of a day, 3.6 a city."""
    yield from published(quick=quick, say=say)
    yield from unseen(quick=quick, say=say)
    yield from covers(say)
    yield from day(quick=quick, say=say)
    yield city(quick=quick, say=say)


# -- 3.3 -------------------------------------------------------------------------------------------------------------


def library(path: str) -> tuple[Problem, int]:
    """Return a problem of the OR-Library; where an edge is given twice the last line counts."""
    numbers = np.array((DATA / "location_benchmarks" / "orlib_pmed" / path).read_text().split(), int)
    n, m, p = (int(one) for one in numbers[:3])
    length = np.zeros((n, n))
    for a, b, cost in numbers[3 : 3 + 3 * m].reshape(m, 3):
        length[a - 1, b - 1] = length[b - 1, a - 1] = cost
    return Problem(times_s=floyd_warshall(length)), p


def drawn(n: int, seed: int) -> Problem:
    """Return a problem as Beasley (1985) drew his: a connected graph of n²/50 edges with lengths 1 to 100."""
    draw = np.random.default_rng(seed)
    length = np.zeros((n, n))
    chain = draw.permutation(n)
    ends = np.concatenate([np.column_stack([chain[:-1], chain[1:]]), draw.integers(0, n, (n * n // 50 - n + 1, 2))])
    for (a, b), cost in zip(ends, draw.integers(1, 101, len(ends)), strict=True):
        if a != b:
            length[a, b] = length[b, a] = cost
    return Problem(times_s=floyd_warshall(csr_array(length), directed=False))


def published(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """OR-Library pmed1-20, p-median and p-center at the published optimum."""
    folder = DATA / "location_benchmarks" / "orlib_pmed"
    if not folder.is_dir():
        yield Row(id="3.3a", what="OR-Library: not in ANLAN_DATA", value=None, unit="")
        return
    wanted = {line.split(",")[0]: line.split(",") for line in (folder / "optima.csv").read_text().splitlines()}
    head = wanted.pop(next(iter(wanted)))
    median, center = head.index("pmedian_optimum"), head.index("pcenter_optimum")
    names = list(wanted)[: 4 if quick else None]
    right, begin = 0, time.perf_counter()
    for name in names:
        problem, p = library(f"{name.removesuffix('.txt')}.txt")
        for goal, column in ((PMedian(n=p), median), (PCenter(n=p), center)):
            plan = solve(problem, goal, stop=Stop(seconds=120))
            good = plan.proved and plan.objective == float(wanted[name][column])
            right += good
            if not good:
                say(
                    f"{name} {type(goal).__name__}: {plan.objective} (bound {plan.bound}), published {wanted[name][column]}"
                )
    took = time.perf_counter() - begin
    say(f"OR-Library: {right} of {2 * len(names)} in {took:.0f} s")
    yield Row(
        id="3.3a", what=f"OR-Library p-median and p-center at the published optimum, proved, of {2 * len(names)}",
        value=right, unit="", goal=f"{2 * len(names)}", ok=right == 2 * len(names),
    )  # fmt: skip
    yield Row(id="3.3b", what="their time in all", value=took, unit="s", goal="<= 120", ok=took <= 120)


def unseen(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Instances of up to 900 nodes that nobody has tuned anything on."""
    asked = [(n, p) for n, every in UNSEEN.items() for p in every][: 2 if quick else None]
    right, begin, gaps = 0, time.perf_counter(), [0.0]
    for k, (n, p) in enumerate(asked):
        problem = drawn(n, 1000 + k)
        for goal in (PMedian(n=p), PCenter(n=p)):
            plan = solve(problem, goal, stop=Stop(seconds=120))
            right, gaps = right + plan.proved, [*gaps, plan.gap]
            if not plan.proved:
                say(f"{n} nodes, p = {p}, {type(goal).__name__}: gap {plan.gap:.3%}")
    took = time.perf_counter() - begin
    say(f"unseen: {right} of {2 * len(asked)} in {took:.0f} s, largest gap {max(gaps):.3%}")
    yield Row(
        id="3.3c", what=f"unseen instances of 500 to 900 nodes proved, of {2 * len(asked)}; largest gap {max(gaps):.2%}",
        value=right, unit="", goal=f"{2 * len(asked)}", ok=right == 2 * len(asked),
    )  # fmt: skip
    yield Row(id="3.3d", what="their time in all", value=took, unit="s", goal="<= 600", ok=took <= 600)


# -- 3.4 -------------------------------------------------------------------------------------------------------------


def huangpu_problem() -> Problem | None:
    """Return every junction of the real district as point and site, vehicles in the evening peak."""
    pack = real_huangpu()
    if pack is None:
        return None
    graph = StreetGraph.of(pack.streets, pack.projection)
    network = Network.of(graph, VEHICLE, Conditions(hour=18, siren=True))
    nodes = np.intersect1d(np.intersect1d(graph.junctions(), graph.inside(pack.boundary)), network.main_piece())
    times = network.reach(nodes, 900).matrix_s(nodes).astype(float)
    weight = np.bincount(graph.tail, graph.length_m, graph.n_nodes)[nodes].round()
    return Problem(times_s=times, weight=weight)


def covers(say: Callable[[str], None]) -> Iterator[Row]:
    """LSCP, MCLP, double standard, MEXCLP on the real net, beside spopt with the same solver where it has the model."""
    problem = huangpu_problem()
    if problem is None:
        yield Row(id="3.4a", what="real Huangpu: not in ANLAN_DATA", value=None, unit="")
        return
    asked: tuple[tuple[str, Goal], ...] = (
        ("LSCP", Lscp(within_s=180)),
        ("MCLP", Mclp(n=7, within_s=180)),
        ("double standard", DoubleStandard(n=24, within_s=180, all_within_s=300, share=0.9)),
        ("MEXCLP", Mexclp(n=7, within_s=180, busy=0.3)),
    )
    for letter, (name, goal) in zip("abcd", asked, strict=True):
        solve(problem, goal, stop=Stop(seconds=0.1))  # compiles
        begin, cpu = time.perf_counter(), time.process_time()
        plan = solve(problem, goal, stop=Stop(seconds=120))
        took, cpu = time.perf_counter() - begin, time.process_time() - cpu
        theirs = by_spopt(problem, goal, plan, say)
        straight = as_published(problem, goal) if isinstance(goal, DoubleStandard) else ""
        say(f"{name}: {plan.objective:g}, gap {plan.gap:.3%}, {took:.1f} s ({cpu:.1f} s of processor); spopt {theirs}")
        goal_told = "proved" + (", 10 x spopt" if theirs else "")
        yield Row(
            id=f"3.4{letter}",
            what=f"{name}, every junction of the real Huangpu a point and a site ({problem.n_sites:,}), gap {plan.gap:.2%}",
            value=cpu,
            unit="s of processor",
            goal=goal_told,
            ok=plan.proved and (theirs is None or theirs >= 10 * cpu),
            peer=f"not in spopt{straight}" if theirs is None else f"spopt with HiGHS {theirs:.1f} s of processor",
        )


def as_published(problem: Problem, goal: DoubleStandard) -> str:
    """Hand the double standard as Gendreau, Laporte and Semet wrote it to HiGHS, for as long as ours may take."""
    times, n = np.asarray(problem.times_s), problem.n_points
    short, long = (csr_array((times <= limit).T.astype(float)) for limit in (goal.within_s, goal.all_within_s))
    points, weight = eye_array(n, format="csr"), problem.weights
    program = Program(maximise=True)
    x = program.columns(np.zeros(problem.n_sites), float(goal.per_site), whole=True)
    once, twice = program.columns(np.zeros(n), 1.0, whole=True), program.columns(weight, 1.0, whole=True)
    program.rows([(x, short), (once, -points), (twice, -points)], 0.0, np.inf)
    program.rows([(once, points), (twice, -points)], 0.0, np.inf)
    program.rows([(x, long)], 1.0, np.inf)
    program.rows([(once, csr_array(weight[None, :]))], goal.share * float(weight.sum()), np.inf)
    program.rows([(x, csr_array(np.ones((1, problem.n_sites))))], 0.0, float(goal.n))
    begin = time.process_time()
    made = program.solve(seconds=120)
    took = time.process_time() - begin
    found = "no plan" if made.values is None else f"{made.objective:,.0f}, gap {made.bound / made.objective - 1:.2%}"
    return f"; HiGHS with the model as published: {found} after {took:.0f} s of processor"


def by_spopt(problem: Problem, goal: Goal, ours: Plan, say: Callable[[str], None]) -> float | None:
    """Build and solve the same model there; None where spopt or the model is missing."""
    if not isinstance(goal, Lscp | Mclp):
        return None
    try:
        import pulp  # noqa: PLC0415 - a peer may be missing
        import spopt.locate  # noqa: PLC0415 - the same
    except ImportError:
        say("spopt is not installed: pip install --group bench")
        return None
    table, solver = np.asarray(problem.times_s).T, pulp.HiGHS(msg=False, threads=1, timeLimit=300)
    begin = time.process_time()
    if isinstance(goal, Lscp):
        made = spopt.locate.LSCP.from_cost_matrix(table, goal.within_s).solve(solver)
    else:
        made = spopt.locate.MCLP.from_cost_matrix(table, problem.weights, goal.within_s, goal.n).solve(solver)
    took = time.process_time() - begin
    found = float(made.problem.objective.value())
    say(f"spopt finds {found:g}, we {ours.objective:g}")
    return took


# -- 3.5, 3.6 --------------------------------------------------------------------------------------------------------


def day(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Three rings, six periods, busy units, key areas, on the real district."""
    pack = real_huangpu()
    if pack is None:
        yield Row(id="3.5", what="real Huangpu: not in ANLAN_DATA", value=None, unit="")
        return
    plain = Ground.of(pack)
    areas = tuple(plain.key_area(name) for name in KEY)
    ground = plain.with_key(areas)
    asked = Asked(key_areas=areas, stop=Stop(seconds=5 if quick else 60, gap=0.002))
    made = plan_posts(ground, demand_of(ground), asked)
    say(f"day: {made.plan.objective:g} unit-hours, gap {made.plan.gap:.3%} in {made.plan.seconds:.0f} s")
    yield Row(
        id="3.5a",
        what=f"plan of a day (3 rings, 6 periods, busy units, key areas; {len(ground.sites):,} sites): gap",
        value=100 * made.plan.gap,
        unit="%",
        goal="<= 1",
        ok=made.plan.gap <= 0.01,
    )
    seconds = made.plan.seconds
    yield Row(
        id="3.5b",
        what="its time, beside whatever else the machine does",
        value=seconds,
        unit="s",
        goal="<= 60",
        ok=seconds <= 60,
    )


def city(*, quick: bool, say: Callable[[str], None]) -> Row:
    """A million demand points in towns and countryside, 5,000 sites: most within reach of 100 units."""
    n_points, n_sites = (50_000, 1_000) if quick else (1_000_000, 5_000)
    draw = np.random.default_rng(6)
    centres = draw.random((60, 2)) * 60_000
    spread = draw.uniform(800, 4_000, 60)
    which = draw.integers(0, 60, n_points)
    points = centres[which] + draw.normal(0, 1, (n_points, 2)) * spread[which, None]
    sites = points[draw.choice(n_points, n_sites, replace=False)]
    near = KDTree(points).query_ball_point(sites, 1_500)
    first = np.concatenate([[0], np.cumsum([len(one) for one in near])])
    point = np.concatenate([np.sort(one) for one in near]).astype(np.int32)
    site = np.repeat(np.arange(n_sites), np.diff(first))
    seconds = np.hypot(*(points[point] - sites[site]).T) / (1_500 / 180)
    problem = Problem(
        times_s=csr_array((seconds, point, first), shape=(n_sites, n_points)),
        weight=draw.integers(1, 10, n_points).astype(float),
    )
    solve(problem, Mclp(n=2, within_s=180), stop=Stop(seconds=1))  # compiles
    begin = time.perf_counter()
    plan = solve(problem, Mclp(n=100, within_s=180), stop=Stop(seconds=60, gap=0.01))
    took = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    say(f"city: gap {plan.gap:.3%} in {took:.0f} s, {len(point):,} pairs, {peak:.1f} GiB")
    return Row(
        id="3.6",
        what=f"{n_points:,} points, {n_sites:,} sites, {len(point):,} pairs: gap after {took:.0f} s, at most {peak:.1f} GiB so far",
        value=100 * plan.gap,
        unit="%",
        goal="<= 1 in 60 s and 4 GB",
        ok=plan.gap <= 0.01 and took <= 62 and peak <= 4,
    )
