"""Running a year of incidents against a plan and a policy, and what came of each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.cover import ExpectedCover
from anlan.response.measures import Responses
from anlan.response.simulate import kernel
from anlan.response.simulate.world import MOVES, NEAREST, Fleet, Incidents, Ints, Policy, Roads


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Run:
    """What came of every incident and unit.

    Parameters
    ----------
    response_s : array of shape (M,)
        From when the incident was known to its first unit on scene; NaN where nobody came.
    full_s : array of shape (M,)
        The same to the last unit that it needs.
    wait_s : array of shape (M,)
        Until its first unit that arrived was sent: 0 where one was free at once.
    lost : array of shape (M,)
        True where not as many units came as are needed.
    incident, unit, origin : arrays of shape (A,)
        Each sending of a unit: for which incident, which unit, from which place.
    broken_off : array of shape (A,)
        True where the unit was called off on its way.
    sent_s, set_off_s, there_s, free_s : arrays of shape (A,)
        Its moments; ``there_s`` is NaN where it was called off.
    busy_s, duty_s, road_s : arrays of shape (U,)
        Busy, on duty, and driving to a post.
    n_moves : array of shape (U,)
        How often a unit was sent to another post than the one it had before.
    ended_s : float
        When the last incident was over.
    """

    incidents: Incidents
    response_s: Floats
    full_s: Floats
    wait_s: Floats
    lost: npt.NDArray[np.bool_]
    incident: npt.NDArray[np.int32]
    unit: npt.NDArray[np.int32]
    origin: npt.NDArray[np.int32]
    broken_off: npt.NDArray[np.bool_]
    sent_s: Floats
    set_off_s: Floats
    there_s: Floats
    free_s: Floats
    busy_s: Floats
    duty_s: Floats
    road_s: Floats
    n_moves: Ints
    ended_s: float

    @property
    def busy(self) -> Floats:
        """Share of its time on duty that each unit is busy (U,); NaN for one that never was on duty."""
        return np.divide(self.busy_s, self.duty_s, out=np.full(len(self.busy_s), np.nan), where=self.duty_s > 0)

    @property
    def mean_busy(self) -> float:
        """Busy time of all units over their time on duty."""
        return float(self.busy_s.sum() / self.duty_s.sum()) if self.duty_s.sum() > 0 else 0.0


def simulate(
    roads: Roads,
    fleet: Fleet,
    incidents: Incidents,
    policy: Policy = NEAREST,
    *,
    within_s: float = 180.0,
    cover: ExpectedCover | None = None,
) -> Run:
    """Run incidents against a plan and a policy.

    Of the units that are idle and able, the policy's choice is sent from where it is, also while it drives back; where
    none is, the incident waits, first come first served within its priority. A unit stays on scene from its own
    arrival, drives to where the incident ends and hands over there; it then serves the first who waits, or drives to
    a post.

    Parameters
    ----------
    roads : Roads
    fleet : Fleet
    incidents : Incidents
    policy : Policy
    within_s : float
        The promise, from when an incident is known to the first arrival, s. Cover-keeping and calling off go by it.
    cover : ExpectedCover, optional
        Whose sites are the fleet's posts. Where left out and needed: the incidents' own places as weight, their mean
        turn-out, and the busy fraction that their mean durations lead to; see :func:`cover_of`.

    Raises
    ------
    BadInput
        If a place is none of the roads, a kind has no unit, or the cover is of other posts.

    References
    ----------
    C. J. Jagtenberg, S. Bhulai, R. D. van der Mei (2015), "An efficient heuristic for real-time ambulance
    redeployment".

    Examples
    --------
    One unit, two incidents a minute apart at its own door, ten minutes of work each.

    >>> roads = Roads(times_s=np.zeros((1, 1)))
    >>> two = Incidents(at_s=[0.0, 60.0], place=[0, 0], on_scene_s=600.0, turnout_s=0.0)
    >>> simulate(roads, Fleet(posts=[0]), two).response_s.tolist()
    [0.0, 540.0]
    """
    _check(roads, fleet, incidents, within_s)
    if cover is None and policy.weighs_cover:
        cover = cover_of(roads, fleet, incidents, within_s)
    if cover is not None and cover.n_sites != len(fleet.posts):
        raise BadInput(f"cover of {cover.n_sites} sites", f"must be of the {len(fleet.posts)} posts", "use cover_of")
    used = cover if policy.weighs_cover else None
    tables = _Tables.of(fleet, incidents, called_off=len(incidents) if policy.preempts else 0)
    run: Callable[..., float] = kernel.run
    ended = run(
        roads.inward_s,
        np.ascontiguousarray(roads.times_s[fleet.posts].T),
        roads.ranked(fleet.posts),
        roads.steps(fleet.posts),
        fleet.posts,
        np.asarray(roads.pace, float),
        _able(fleet, incidents),
        *_cover(used, fleet.n_units),
        _rule(policy, incidents, within_s, used),
        *tables.arrays,
    )
    return _run(incidents, fleet, tables, float(ended))


def cover_of(
    roads: Roads, fleet: Fleet, incidents: Incidents, within_s: float, busy: float | None = None
) -> ExpectedCover:
    """Return the expected cover of the incidents' places by the fleet's posts.

    The mean turn-out is taken off the promise. Where ``busy`` is left out, it is what the incidents' units, durations
    and the mean time from the nearest post lead to, at most 0.95.
    """
    weight = np.bincount(incidents.place, incidents.needs, roads.n_places)
    turnout = float(np.mean(np.asarray(incidents.turnout_s))) if len(incidents) else 0.0
    times = roads.times_s[fleet.posts] + np.float32(turnout)
    if busy is None:
        after = np.asarray(incidents.on_scene_s) + np.asarray(incidents.carry_s) + np.asarray(incidents.handover_s)
        spent = incidents.needs * (after + times.min(axis=0)[incidents.place])
        over_s = float(incidents.at_s[-1]) if len(incidents) else 0.0
        shift = (np.asarray(fleet.off_s) - np.asarray(fleet.on_s)) % 86400 / 86400
        on_duty = float(np.where(shift == 0, 1.0, shift).sum())
        busy = min(0.95, float(spent.sum()) / (on_duty * over_s)) if over_s > 0 else 0.0
    return ExpectedCover.of(times, weight, within_s=within_s, busy=busy)


def _check(roads: Roads, fleet: Fleet, incidents: Incidents, within_s: float) -> None:
    if not within_s >= 0:
        raise BadInput(f"within_s={within_s}", "must be >= 0 s", "give the time promised in seconds")
    for name, places in (("posts", fleet.posts), ("place", incidents.place), ("ends", incidents.where_free)):
        if len(places) and places.max() >= roads.n_places:
            raise BadInput(f"{name} with place {places.max()}", f"must be 0..{roads.n_places - 1}", "correct it")
    able = _able(fleet, incidents)
    most = np.zeros(len(able), np.int64)
    np.maximum.at(most, np.asarray(incidents.kind), incidents.needs)
    short = np.flatnonzero(able.sum(axis=1) < most)
    if len(short):
        raise BadInput(
            f"kind {short[0]} with {int(able[short[0]].sum())} able units",
            "must have as many as an incident of it needs",
            "add units, or let more serve it",
        )


def _able(fleet: Fleet, incidents: Incidents) -> npt.NDArray[np.bool_]:
    n_kinds = int(np.max(np.asarray(incidents.kind), initial=0)) + 1
    if fleet.able is None:
        return np.ones((n_kinds, fleet.n_units), np.bool_)
    if len(fleet.able) < n_kinds:
        raise BadInput(f"able of {len(fleet.able)} kinds", f"must tell of {n_kinds}", "give a row for each kind")
    return np.ascontiguousarray(fleet.able, np.bool_)


def _cover(cover: ExpectedCover | None, n_units: int) -> tuple[npt.NDArray[Any], ...]:
    """Return first, row, weight, chance and the count of idle units in reach; an empty count where nobody asks."""
    if cover is None:
        none = np.zeros(0)
        return np.zeros(1, np.int64), np.zeros(0, np.int32), none, none, np.zeros(0, np.int32)
    return cover.first, cover.row, cover.weight, cover.chance(n_units), np.zeros(len(cover.weight), np.int32)


def _rule(policy: Policy, incidents: Incidents, within_s: float, cover: ExpectedCover | None) -> Floats:
    rule = np.zeros(8)
    rule[kernel.KEEPS], rule[kernel.KEEPS_FROM] = policy.keeps_cover, policy.nearest_below
    rule[kernel.MOVING], rule[kernel.LONGEST_S] = MOVES[policy.moves_up], policy.longest_move_s
    rule[kernel.LEAST] = policy.least_gain * (cover.total if cover is not None else 0.0)
    rule[kernel.CALL_OFF] = len(incidents) if policy.preempts else 0
    rule[kernel.QUEUES], rule[kernel.WITHIN_S] = policy.queues, within_s
    return rule


@dataclass(frozen=True, eq=False, slots=True)
class _Tables:
    """What the loop reads and writes; see its columns in ``kernel``."""

    df: Floats
    di: npt.NDArray[np.int32]
    on: Floats
    uf: Floats
    ui: Ints
    idle: Ints
    at: Ints
    bracket: Ints
    travel: Floats
    queue: Ints
    log_i: npt.NDArray[np.int32]
    log_f: Floats
    tally: Ints

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        return (
            self.df,
            self.di,
            self.on,
            self.uf,
            self.ui,
            self.idle,
            self.at,
            self.bracket,
            self.travel,
            self.queue,
            self.log_i,
            self.log_f,
            self.tally,
        )

    @classmethod
    def of(cls, fleet: Fleet, incidents: Incidents, called_off: int) -> _Tables:
        n, m = fleet.n_units, len(incidents)
        room = int(incidents.needs.sum()) + called_off
        wide = 1 << max(1, (n - 1).bit_length())
        uf, ui = np.zeros((kernel.N_UF, wide)), np.zeros((kernel.N_UI, n), np.int64)
        uf[[kernel.NEXT, kernel.ARRIVE, kernel.LOSS], n:] = np.inf  # nobody's
        uf[kernel.ON_S, :n], uf[kernel.OFF_S, :n], ui[kernel.OWN] = fleet.on_s, fleet.off_s, fleet.homes
        one = incidents
        df, di, on = np.empty((m, 3)), np.empty((m, 5), np.int32), np.empty((m if one.ends is not None else 0, 3))
        for k, seconds in enumerate((one.at_s, one.turnout_s, one.on_scene_s)):
            df[:, k] = seconds
        for k, whole in enumerate((one.place, one.kind, one.priority, one.needs, -1)):
            di[:, k] = whole
        if one.ends is not None:
            for k, then in enumerate((one.carry_s, one.handover_s, one.where_free)):
                on[:, k] = then
        return cls(
            df=df,
            di=di,
            on=on,
            uf=uf,
            ui=ui,
            idle=np.zeros((4, n), np.int64),
            at=np.full(len(fleet.posts), -1),
            bracket=np.full(wide, wide - 1, np.int64),
            travel=np.zeros(len(fleet.posts)),
            queue=np.full((2, 10), -1, np.int64),
            log_i=np.empty((room, 4), np.int32),
            log_f=np.empty((room, 4)),
            tally=np.zeros(5, np.int64),
        )


def _run(incidents: Incidents, fleet: Fleet, tables: _Tables, ended: float) -> Run:
    n_log, m = int(tables.tally[kernel.N_LOG]), len(incidents)
    who, when, busy = tables.log_i[:n_log], tables.log_f[:n_log], np.zeros(fleet.n_units)
    first, last, sent = np.empty(m), np.empty(m), np.empty(m)
    kernel.outcomes(who, when, tables.df, tables.di, first, last, sent, busy)
    return Run(
        incidents=incidents,
        response_s=first,
        full_s=last,
        wait_s=sent,
        lost=tables.di[:, kernel.NEED] > 0,
        incident=who[:, 0],
        unit=who[:, 1],
        origin=who[:, 2],
        broken_off=who[:, 3] > 0,
        sent_s=when[:, 0],
        set_off_s=when[:, 1],
        there_s=when[:, 2],
        free_s=when[:, 3],
        busy_s=busy,
        duty_s=tables.uf[kernel.DUTY_S, : fleet.n_units],
        road_s=tables.uf[kernel.ROAD_S, : fleet.n_units],
        n_moves=tables.ui[kernel.MOVES],
        ended_s=ended,
    )


def responses_of(run: Run, area: Ints | None = None) -> Responses:
    """Return a run as a history, for the same proof as of what really happened; ``area`` (N,) is that of each place."""
    there = np.flatnonzero(~run.broken_off)
    incident = run.incident[there].astype(np.int64)
    return Responses(
        incident=incident,
        unit=run.unit[there].astype(np.int64),
        area=np.zeros(len(there), np.int64) if area is None else area[run.incidents.place[incident]],
        received_s=run.incidents.at_s[incident],
        dispatched_s=run.sent_s[there],
        en_route_s=run.set_off_s[there],
        on_scene_s=run.there_s[there],
        available_s=run.free_s[there],
        expected_s=run.there_s[there] - run.sent_s[there],
        n_incidents=len(run.incidents),
        n_units=len(run.busy_s),
    )


def each(
    roads: Roads,
    fleet: Fleet,
    years: Sequence[Incidents],
    policies: Sequence[Policy],
    *,
    within_s: float = 180.0,
) -> list[list[Run]]:
    """Return the runs of every policy (outer) over the same drawn years (inner)."""
    return [[simulate(roads, fleet, year, policy, within_s=within_s) for year in years] for policy in policies]
