"""Where units wait in a district: fewest that keep the rings by period, the price of a promise, and the best for n."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack
from scipy.spatial import KDTree

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D
from anlan.kernel.records import Label
from anlan.planning.ground import PERIODS, Demand, Ground, Hours
from anlan.planning.rings import RINGS, RingAsked
from anlan.planning.settling import Load, SettledDay, settled
from anlan.response.posting import (
    Day,
    DayPlan,
    Lscp,
    Mclp,
    Mexclp,
    Period,
    Plan,
    Problem,
    Ring,
    Stop,
    marginal_values,
    plan_day,
    solve,
)
from anlan.response.travel import MODES, Conditions

MINUTES = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
"""Promises whose price is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of a district.

    ``vehicles`` are the units whose best places for one, three and five minutes are looked for; ``busy`` takes the
    place of what is assumed of every period; ``place_cost`` is what room for a unit at a new post is worth, unit-hours.
    """

    rings: tuple[RingAsked, ...] = RINGS
    periods: tuple[Hours, ...] = PERIODS
    key_areas: tuple[Area2D, ...] = ()
    key_names: tuple[Label, ...] = ()
    """What the key areas are called, where that is known."""
    vehicles: int = 7
    busy: float | None = None
    place_cost: float = 0.0
    load: Load | None = None
    """Where given, how busy units are in each period is not assumed, but what the plan leads to."""
    stop: Stop = field(default_factory=lambda: Stop(seconds=60.0, gap=0.005))
    seed: int = 0

    def __post_init__(self) -> None:
        if self.vehicles < 1:
            raise BadInput(f"vehicles={self.vehicles}", "must be >= 1", "give how many vehicles there are")
        if self.busy is not None and not 0 <= self.busy < 1:
            raise BadInput(f"busy={self.busy}", "must be in 0..1, below 1", "give the share of time a unit is busy")
        if any(ring.key for ring in self.rings) and not self.key_areas:
            raise BadInput(
                "a ring of key areas",
                "must have key areas",
                "name places or streets, or mark places of the pack as key",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveStep:
    """One step of the price of a promise: so many units, minutes, and the share of the demand that is reached."""

    n: int
    minutes: float
    share: float
    bound: float
    """Nothing better than this: units where they are counted, the share otherwise."""
    proved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seven:
    """Where n vehicles stand for the most demand within one, three and five minutes, each counted alike."""

    period: str
    plan: Plan
    shares: tuple[tuple[float, float], ...]
    """Minutes, and the share of the demand with a vehicle in reach."""
    worth: dict[int, float]
    """By site: the share of the demand that no longer finds a free vehicle within three minutes without one unit."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PostsPlan:
    """The answer: the plan of the day, the price curves in the slowest period, and the best places for n vehicles."""

    asked: Asked
    ground: Ground
    demand: Demand
    day: Day
    plan: DayPlan
    slowest: Hours
    by_minutes: tuple[CurveStep, ...]
    by_units: tuple[CurveStep, ...]
    seven: Seven
    worth: dict[int, float]
    """The same of each vehicle post of the day's plan in the slowest period."""
    settled: SettledDay | None = None
    """Whether the busy shares agree with the plan; None where they were assumed."""


def plan_posts(
    ground: Ground, demand: Demand, asked: Asked, *, tell: Callable[[str, float], None] = lambda _w, _s: None
) -> PostsPlan:
    """Return where units wait: the plan of the day, what promises cost, and the best places for n vehicles.

    Parameters
    ----------
    ground : Ground
        A ring of key areas holds for the demand points that are nearest to its key nodes.
    demand : Demand
    asked : Asked
        Its ``stop`` holds for the plan of the day; curves and the n vehicles get as long again.
    tell : callable
        Is told what is being done, and how far it is.
    """
    tell("travel times", 0.0)
    day, found = _day(ground, demand, asked), None
    if asked.load is not None:
        tell("how busy units become", 0.05)
        brief = Stop(seconds=asked.stop.seconds / 4, gap=max(asked.stop.gap, 0.01))
        found = settled(day, asked.periods, demand, asked.load, brief, asked.seed)
        asked = replace(asked, periods=found.periods, busy=None)
        day = _day(ground, demand, asked)
    tell("plan of the day", 0.2)
    plan = plan_day(day, stop=asked.stop, seed=asked.seed)
    slowest = min(asked.periods, key=lambda one: MODES["vehicle"].by_hour[one.slowest(MODES["vehicle"])])
    k = asked.periods.index(slowest)
    times = day.periods[k].times_s.get("vehicle")
    if times is None:
        times = ground.times_s("vehicle", slowest.slowest(MODES["vehicle"]), demand)
    problem = Problem(
        times_s=times,
        weight=demand.weight[k] / max(float(demand.weight[k].sum()), 1e-12),
        names=demand.names,
        point_xy_m=day.point_xy_m,
        site_xy_m=day.site_xy_m,
    )
    busy = slowest.busy if asked.busy is None else asked.busy
    tell("price of the promise", 0.5)
    stop = Stop(seconds=asked.stop.seconds / 16, gap=max(asked.stop.gap, 0.002))
    by_minutes = tuple(_price(problem, minutes, stop, asked.seed) for minutes in MINUTES)
    fewest = next((one.n for one in by_minutes if one.minutes == 3), 1)
    by_units = tuple(_reach(problem, n, stop, asked.seed) for n in _numbers(max(fewest, 1)))
    tell("best places", 0.8)
    posts = plan.periods[k].posts.get("vehicle", ())
    goal = Mexclp(n=max(len(posts), 1), within_s=180, busy=busy)
    return PostsPlan(
        asked=asked,
        ground=ground,
        demand=demand,
        day=day,
        plan=plan,
        slowest=slowest,
        by_minutes=by_minutes,
        by_units=by_units,
        seven=_seven(problem, asked, slowest.key, busy),
        worth=marginal_values(problem, goal, replace(_EMPTY, posts=posts)),
        settled=found,
    )


_EMPTY = Plan(posts=(), objective=0.0, bound=0.0, proved=True, reached_share=0.0, seconds=0.0)


def _day(ground: Ground, demand: Demand, asked: Asked) -> Day:
    kinds = sorted({kind for ring in asked.rings for kind in ring.kinds})
    at = _key_mask(ground, demand)
    known: dict[tuple[str, float], csr_array] = {}
    periods = []
    for one, weight in zip(asked.periods, demand.weight, strict=True):
        times = {}
        for kind in kinds:
            mode = MODES[kind]
            hour = one.slowest(mode)
            pace = (kind, mode.by_hour[hour])  # the hour changes nothing but this
            if pace not in known:
                known[pace] = ground.times_s(kind, hour, demand)
            times[kind] = known[pace]
        busy = one.busy if asked.busy is None else asked.busy
        periods.append(
            Period(key=one.key, hours=one.length, weight=weight, times_s=times, busy=dict.fromkeys(kinds, busy))
        )
    rings = [
        Ring(
            key=ring.name,
            within_s=ring.within_s,
            kinds=ring.kinds,
            share=ring.share,
            reliability=ring.reliability,
            at=at if ring.key else None,
        )
        for ring in asked.rings
    ]
    return Day(
        periods=periods,
        rings=rings,
        existing={kind: ground.existing(kind) for kind in kinds},
        place_cost=asked.place_cost,
        names=demand.names,
        point_xy_m=np.column_stack([demand.x_m, demand.y_m]),
        site_xy_m=ground.site_xy_m,
    )


def _key_mask(ground: Ground, demand: Demand) -> npt.NDArray[np.bool_]:
    """Return which demand points are those of key areas: the nearest point of each of their nodes."""
    made = np.zeros(len(demand), np.bool_)
    if len(key := ground.key):
        tree = KDTree(np.column_stack([demand.x_m, demand.y_m]))
        made[tree.query(np.column_stack([ground.graph.x_m[key], ground.graph.y_m[key]]))[1]] = True
    return made


def _numbers(fewest: int) -> Sequence[int]:
    """Return about a dozen numbers of units up to a third more than the fewest that reach all."""
    top = max(8, fewest + fewest // 3)
    return sorted(
        {*range(1, min(top, 8) + 1), *np.linspace(8, top, 6).astype(int).tolist()} if top > 8 else range(1, 9)
    )


def _price(problem: Problem, minutes: float, stop: Stop, seed: int) -> CurveStep:
    plan = solve(problem, Lscp(within_s=60 * minutes), stop=stop, seed=seed)
    return CurveStep(n=len(plan.posts), minutes=minutes, share=plan.reached_share, bound=plan.bound, proved=plan.proved)


def _reach(problem: Problem, n: int, stop: Stop, seed: int) -> CurveStep:
    plan = solve(problem, Mclp(n=n, within_s=180), stop=stop, seed=seed)
    return CurveStep(n=n, minutes=3.0, share=plan.objective, bound=min(plan.bound, 1.0), proved=plan.proved)


def _seven(problem: Problem, asked: Asked, period: str, busy: float) -> Seven:
    """Place n vehicles: a point counts once for each of three times, so one table of all three is a cover problem."""
    assert isinstance(problem.times_s, csr_array)  # noqa: S101 - made by this module
    minutes = (1.0, 3.0, 5.0)
    parts = [csr_array(problem.times_s / (60 * one)) for one in minutes]
    stacked = Problem(
        times_s=csr_array(hstack(parts, format="csr")), weight=np.tile(problem.weights / len(minutes), len(minutes))
    )
    goal = Mexclp(n=asked.vehicles, within_s=1.0, busy=busy, per_site=1)
    plan = solve(stacked, goal, stop=Stop(seconds=asked.stop.seconds / 2, gap=asked.stop.gap), seed=asked.seed)
    nearest = problem.nearest_s(plan.posts)
    return Seven(
        period=period,
        plan=plan,
        shares=tuple((one, float(problem.weights[nearest <= 60 * one].sum())) for one in minutes),
        worth=marginal_values(problem, Mexclp(n=asked.vehicles, within_s=180, busy=busy), plan),
    )


def hour_of(plan: PostsPlan) -> Conditions:
    """Return the conditions for which the curves and the n vehicles were computed."""
    return Conditions(hour=plan.slowest.slowest(MODES["vehicle"]), siren=True)
