"""A rehearsal: simulated people, counted by simulated devices, estimated and judged as on the night itself."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shapely.ops import unary_union

from anlan.cases.definition import LiveRule
from anlan.cases.triggers import DENSITY, FLOW, OCCUPANCY, LivePlan, Series, Zone, fired, read_live
from anlan.crowd.whatif import Clearance, Trials, clearance
from anlan.district import District
from anlan.errand import Json, Tell
from anlan.kernel.clock import FollowedClock, parse_moment
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.geo import polygon_from
from anlan.kernel.pack import Pack
from anlan.kernel.records import Estimate, Place
from anlan.pack import read_pack
from anlan.rehearsal.crowd import Crowd, drawn
from anlan.store import told_persons
from anlan.twin import Scenario, scenarios, simulate
from anlan.underway.measuring import MINUTE, flow_per_min, of_estimate, summed, windows_of

BEFORE, AFTER = timedelta(minutes=90), timedelta(minutes=30)
"""A rehearsal begins so long before the event, and goes on so long after it."""
LONGEST = timedelta(hours=8)
SETTLED = timedelta(seconds=15)
"""After the end of a minute, when its counts are in and it is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be rehearsed.

    ``values`` are those of the case, ``watches`` the watched polygons that its zones refer to (GeoJSON, by id).
    ``scenario`` is the day without the event, the ordinary one where empty, with ``share`` of its visits; ``crowd`` is
    the share of those expected who come for the event.
    """

    pack: str
    cells: str
    live: LiveRule
    values: Mapping[str, Any]
    watches: Mapping[str, Any]
    scenario: str = ""
    share: float = 1.0
    crowd: float = 1.0
    seed: int = 1


def rehearse(asked: Asked, tell: Tell) -> Json:
    """Run a plan over a simulated crowd, and return what it came to.

    Nothing is told to the estimate but what devices count; what the simulation knows beside it is in no answer.

    Raises
    ------
    BadInput, NotFound
        If the plan says not when and for how many it is, or there is no such day.
    """
    plan, (n_expected, begins_at, ends_at) = read_live(asked.live, asked.values), _expected(asked)
    pack, plan = _with_zones(read_pack(Path(asked.pack)), plan, asked.watches)
    zone = ZoneInfo(pack.time_zone)
    places = {one.ground.removeprefix("place:"): float(one.capacity) for one in plan.zones.values()}
    crowd = Crowd(n_expected=max(1, round(asked.crowd * n_expected)), begins_at=begins_at, ends_at=ends_at,
                  places=places)  # fmt: skip
    usual_day = _day(pack, asked.scenario)
    scenario = drawn(usual_day, crowd, zone, asked.share)
    begin_at, end_at = begins_at - BEFORE, min(ends_at + AFTER, begins_at - BEFORE + LONGEST)
    with tempfile.TemporaryDirectory(prefix="anlan-rehearsal-") as folder:
        if asked.cells and Path(asked.cells).is_file():
            shutil.copy(asked.cells, Path(folder) / "cells.npz")
        clock = FollowedClock(begin_at)
        tell("opening", 0.0)
        with contextlib.closing(_Stage(pack, Path(folder), clock)) as stage:
            for minute in simulate(pack, scenario, asked.seed, begin_at, end_at):
                stage.minute(list(minute.observations), minute.at)
                tell("walking", 0.95 * (minute.at - begin_at) / (end_at - begin_at))
            made = stage.told(plan)
    return made | {
        "scenario": usual_day.scenario_id, "day": dict(usual_day.name), "share": asked.share,
        "crowd": asked.crowd, "seed": asked.seed,
        "n_expected": crowd.n_expected, "begin_at": begin_at.isoformat(), "end_at": end_at.isoformat(),
        "begins_at": begins_at.isoformat(), "ends_at": ends_at.isoformat(), "cut": end_at < ends_at + AFTER,
    }  # fmt: skip


def days(folder: str) -> Json:
    """Return the days without an event that a district can be simulated on, the ordinary one first."""
    pack = read_pack(Path(folder))
    ordinary = _day(pack, "")
    every = sorted(scenarios(pack), key=lambda one: one.scenario_id != ordinary.scenario_id)
    return {"days": [{"id": one.scenario_id, "name": dict(one.name), "visits": round(one.visits)} for one in every]}


class _Stage:
    """A district of its own, that is gone afterwards."""

    def __init__(self, pack: Pack, folder: Path, clock: FollowedClock) -> None:
        self._district, self._clock, self._pack = District.open(pack, folder, clock=clock), clock, pack
        self._estimates: list[tuple[datetime, Mapping[str, Estimate]]] = []
        self._district.subscribe(self._hear)

    def close(self) -> None:
        """Let go of it."""
        self._district.close()

    def _hear(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "minute":
            self._estimates.append((content["at"], content["estimates"]))

    def minute(self, observations: Sequence[Any], at: datetime) -> None:
        """Let a minute go by: what was delivered in it goes through the door."""
        self._clock.set(at + SETTLED)
        self._district.observe(observations)
        self._district.advance()

    def told(self, plan: LivePlan) -> Json:
        """Return what the plan came to."""
        series = {key: self._series(plan, *key) for key in _keys(plan)}
        zones = [_zone(one, self._estimates, series) for one in plan.zones.values()]
        fires = fired(plan.triggers, series)
        triggers = []
        for k, one in enumerate(plan.triggers):
            known = [value for _, value in series[one.zone, one.measure] if value is not None]
            triggers.append(
                {
                    "row": k + 1, "zone": one.zone, "measure": one.measure, "above": one.above, "for_s": one.for_s,
                    "action": one.action, "office": one.office, "highest": max(known, default=None),
                    "fired": [
                        {"since_at": told.since_at.isoformat(), "at": told.at.isoformat()}
                        for told in fires if told.trigger == one
                    ],
                }
            )  # fmt: skip
        return {
            "minutes": [at.isoformat() for at, _ in self._estimates], "zones": zones, "triggers": triggers,
            "clearance": self._clearance(plan),
        }  # fmt: skip

    def _series(self, plan: LivePlan, zone: str, measure: str) -> Series:
        ground = plan.zones[zone].ground
        if measure != FLOW:
            return [(at, of_estimate(measure, every.get(ground))) for at, every in self._estimates]
        begin_at, end_at = self._estimates[0][0] - 10 * MINUTE, self._estimates[-1][0]
        counters = [
            windows_of(self._district.history.device_observations(one, begin_at, end_at)) for one in plan.counters(zone)
        ]
        return [(at, summed(flow_per_min(one, at) for one in counters)) for at, _ in self._estimates]

    def _clearance(self, plan: LivePlan) -> Json | None:
        """Return how long clearing all zones takes from the minute in which most people are in them."""
        grounds = {one.ground for one in plan.zones.values()}
        sums = [
            (summed(of_estimate(OCCUPANCY, every.get(one)) for one in grounds), at) for at, every in self._estimates
        ]
        known = [(total, at) for total, at in sums if total is not None]
        if not known:
            return None
        at = max(known)[1]
        found = self._district.history.occupancy_at(at)
        if found is None:
            return None
        persons, told = told_persons(found[1])
        if not told.all():
            return None
        trials = Trials(self._pack, self._district.cells)
        whole = unary_union([self._pack.place(one.removeprefix("place:")).polygon for one in grounds])
        made: Clearance = clearance(trials.ground, persons, trials.inside(whole))
        return {
            "at": at.isoformat(), "n_persons": round(made.n_persons), "half_s": made.half_s, "most_s": made.most_s,
            "n_stuck": round(made.n_stuck),
        }  # fmt: skip


def _keys(plan: LivePlan) -> Iterator[tuple[str, str]]:
    for zone in plan.zones:
        yield zone, DENSITY
        yield zone, OCCUPANCY
    yield from ((one.zone, FLOW) for one in plan.triggers if one.measure == FLOW)


def _zone(zone: Zone, estimates: Sequence[tuple[datetime, Mapping[str, Estimate]]],
          series: Mapping[tuple[str, str], Series]) -> Json:  # fmt: skip
    """Return how a zone went, minute by minute, and how long it was beyond what its plan allows."""
    persons = [value for _, value in series[zone.zone, OCCUPANCY]]
    dense = [value for _, value in series[zone.zone, DENSITY]]
    own = [every.get(zone.ground) for _, every in estimates]
    highest = max(((value, k) for k, value in enumerate(persons) if value is not None), default=None)
    peak = None
    if highest is not None:
        value, k = highest
        one = own[k]
        peak = {
            "at": estimates[k][0].isoformat(), "occupancy": round(value),
            "low": None if one is None or one.low is None else round(one.low),
            "high": None if one is None or one.high is None else round(one.high),
            "density_per_m2": None if dense[k] is None else round(float(dense[k] or 0), 2),
        }  # fmt: skip
    return {
        "zone": zone.zone, "ground": zone.ground, "capacity": zone.capacity, "most_per_m2": zone.most_per_m2,
        "occupancy": [None if value is None else round(value) for value in persons],
        "low": [None if one is None or one.low is None else round(one.low) for one in own],
        "high": [None if one is None or one.high is None else round(one.high) for one in own],
        "peak": peak,
        "over_capacity_min": sum(value is not None and value > zone.capacity for value in persons),
        "over_density_min": sum(value is not None and value > zone.most_per_m2 for value in dense),
        "unknown_min": sum(value is None for value in persons),
    }  # fmt: skip


def _expected(asked: Asked) -> tuple[int, datetime, datetime]:
    live, values = asked.live, asked.values
    names = (live.expected, live.begins, live.ends)
    missing = [name or "" for name in names if name is None or name not in values]
    if missing:
        raise BadInput(f"field {', '.join(missing)}", "must be told to rehearse the plan", "fill it in")
    n, begins, ends = (values[str(name)] for name in names)
    return int(n), parse_moment(begins, "begins"), parse_moment(ends, "ends")


def _day(pack: Pack, scenario_id: str) -> Scenario:
    """Return a day of the district; the one with the fewest visits where none is named: the ordinary one."""
    every = scenarios(pack)
    if not scenario_id:
        return min(every, key=lambda one: one.visits)
    found = next((one for one in every if one.scenario_id == scenario_id), None)
    if found is None:
        told = ", ".join(one.scenario_id for one in every)
        raise NotFound(f"scenario={scenario_id[:40]!r}", f"must be one of {told}", "choose one")
    return found


def _with_zones(pack: Pack, plan: LivePlan, watches: Mapping[str, Any]) -> tuple[Pack, LivePlan]:
    """Return the pack with a place for each zone that is a watched polygon, where people of the simulation can go."""
    if not plan.zones:
        raise BadInput("zones", "must be told to rehearse the plan", "plan them first")
    zones, places = {}, list(pack.places)
    for k, (name, one) in enumerate(plan.zones.items()):
        kind, _, own_id = one.ground.partition(":")
        if kind == "place":
            pack.place(own_id)
            zones[name] = one
            continue
        if own_id not in watches:
            raise NotFound(f"watch {own_id[:40]!r}", "does not exist any more", "plan the zone anew")
        place_id = f"zone-{k + 1}"
        label = {"zh": name, "en": name}
        places.append(Place(place_id=place_id, name=label, kind="square", polygon=polygon_from(watches[own_id])))
        zones[name] = replace(one, ground=f"place:{place_id}")
    return replace(pack, places=tuple(places)), replace(plan, zones=zones)
