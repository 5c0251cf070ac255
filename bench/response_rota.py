"""Rota: 500 members for 28 days, who is missing, and rules that clash."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from anlan.response.posting import Stop
from anlan.response.rota import (
    Contradiction,
    Duty,
    Member,
    RotaProblem,
    Shift,
    check_rota,
    loads_of,
    plan_rota,
    replan_rota,
)
from row import Row

BEGIN = date(2026, 12, 7)
KM2 = (1.1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
N_VEHICLES, PER_VEHICLE = 8, 16
SHIFTS = (
    Shift(shift_id="early", label={"en": "early"}, begin_h=6, length_h=8),
    Shift(shift_id="late", label={"en": "late"}, begin_h=14, length_h=8),
    Shift(shift_id="night", label={"en": "night"}, begin_h=22, length_h=8),
    Shift(shift_id="full", label={"en": "24 h"}, begin_h=8, length_h=24, rest_after_h=48),
)


def problem(n_members: int, seed: int = 1) -> RotaProblem:
    """Return areas of 5 km² with 16 on patrol per km² at every hour, eight vehicles with crews of four, leave and wishes."""
    draw = np.random.default_rng(seed)
    n_patrol = n_members - N_VEHICLES * PER_VEHICLE
    heads = [round(n_patrol * one / sum(KM2)) for one in KM2]
    heads[0] += n_patrol - sum(heads)
    duties, members = [], []
    for i, (km2, n) in enumerate(zip(KM2, heads, strict=True)):
        name = f"area{i}"
        duties.append(Duty.patrol(
            name, {"en": name}, shifts=("early", "late", "night"), area_km2=km2, per_km2=16, needs={"sergeant": 2}
        ))  # fmt: skip
        members += [member(f"{name}-{j}", name, {"sergeant"} if j % 3 == 0 else set(), draw) for j in range(n)]
    for i in range(N_VEHICLES):
        name = f"engine{i}"
        duties.append(Duty.vehicle(name, {"en": name}, shifts=("full",), needs={"driver": 1, "leader": 1}))
        skills = [{"driver"} if j % 2 == 0 else {"leader"} for j in range(PER_VEHICLE)]
        members += [member(f"{name}-{j}", name, skills[j], draw) for j in range(PER_VEHICLE)]
    return RotaProblem(begin_on=BEGIN, n_days=28, shifts=SHIFTS, duties=tuple(duties), members=tuple(members))


def member(name: str, duty: str, skills: set[str], draw: np.random.Generator) -> Member:
    """Return a member; about a third are on leave for two to five days, and each wishes one day free."""
    leave: frozenset[date] = frozenset()
    if draw.random() < 0.35:
        first = int(draw.integers(26))
        leave = frozenset(BEGIN + timedelta(days=first + j) for j in range(int(draw.integers(2, 6))))
    wish = frozenset({BEGIN + timedelta(days=int(draw.integers(28)))})
    return Member(member_id=name, duties=frozenset({duty}), skills=frozenset(skills), leave=leave, wishes=wish)


def smaller(whole: RotaProblem, duties: set[str]) -> RotaProblem:
    """Return a problem of some of the duties."""
    return replace(
        whole,
        duties=tuple(one for one in whole.duties if one.duty_id in duties),
        members=tuple(one for one in whole.members if one.duties <= duties),
    )


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Row 3.12."""
    whole = problem(500)
    plan_rota(smaller(whole, {"area6"}), stop=Stop(seconds=1))  # compiles what is compiled
    asked = smaller(whole, {"area5", "area6", "engine0"}) if quick else whole
    begin = time.perf_counter()
    rota = plan_rota(asked, stop=Stop(seconds=60, gap=0.005))
    took = time.perf_counter() - begin
    assert not isinstance(rota, tuple)
    n = len(asked.members)
    say(f"rota of {n} planned in {took:.0f} s")
    loads = [one for one in loads_of(asked, rota) if one.n_leave == 0 and one.member_id.startswith("area")]
    nights = [one.n_nights for one in loads]
    yield Row(
        id="3.12a", what=f"rota, {n} members, 28 days: gap to the bound", value=100 * rota.gap, unit="%", goal="<= 2", ok=rota.gap <= 0.02,
        peer=f"{rota.duty_h:,.0f} h of duty, cost {rota.cost_h:,.1f} h, bound {rota.bound_h:,.1f} h; beyond the hours of duty {rota.cost_h - rota.duty_h:,.1f} h, of which the bound proves {rota.bound_h - rota.duty_h:,.1f} h",
    )  # fmt: skip
    broken = len(check_rota(asked, rota.served))
    yield Row(
        id="3.12b",
        what="hard rules broken, counted from moments alone",
        value=broken,
        unit="",
        goal="0",
        ok=broken == 0,
    )
    yield Row(id="3.12c", what=f"rota, {n} members: time", value=took, unit="s", goal="<= 60", ok=took <= 60)
    yield Row(
        id="3.12d",
        what="nights of patrol members without leave: most less fewest",
        value=max(nights) - min(nights),
        unit="",
    )
    part = smaller(whole, {"area6"})
    kept = plan_rota(part, stop=Stop(seconds=20, gap=0.005))
    assert not isinstance(kept, tuple)
    on = BEGIN + timedelta(days=9)
    away = sorted(who for who, day in kept.served if day == on)[:2]
    begin = time.perf_counter()
    anew = replan_rota(
        part, kept, dict.fromkeys(away, frozenset({on, on + timedelta(days=1)})), from_on=on, stop=Stop(seconds=60)
    )
    assert not isinstance(anew, tuple)
    yield Row(
        id="3.12e", what=f"two of {len(part.members)} missing for two days: changes beyond the fewest proved", unit="",
        value=len(anew.changes) - anew.least_changes, goal="0", ok=anew.proved and anew.rota.kept,
        peer=f"{len(anew.changes)} changes for {len(anew.gone)} turns that fell out, {time.perf_counter() - begin:.0f} s",
    )  # fmt: skip
    sergeants = [one for one in part.members if "sergeant" in one.skills]
    short = replace(
        part, members=tuple(replace(one, leave=one.leave | {on}) if one in sergeants else one for one in part.members)
    )
    begin = time.perf_counter()
    clash = plan_rota(short, stop=Stop(seconds=60))
    assert isinstance(clash, tuple)
    assert isinstance(clash[0], Contradiction)
    yield Row(
        id="3.12f", what="every sergeant on leave on one day: rules in the smallest set that clash", unit="", value=len(clash[0].rules),
        goal="minimal", ok=clash[0].minimal, peer=f"{time.perf_counter() - begin:.0f} s",
    )  # fmt: skip
