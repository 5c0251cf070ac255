"""What happens on a simulated day: how many come, when, where to, and how long they stay."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import Label

DAY = (
    0.6, 0.3, 0.2, 0.2, 0.4, 1.2, 3.5, 6.5, 7.5, 6.5, 6.5, 6.5,
    6.5, 6.5, 6.5, 6.5, 6.5, 7.0, 7.0, 5.5, 3.5, 2.2, 1.4, 0.9,
)  # fmt: skip
"""Arrivals by local hour on an ordinary day, relative."""


class Towards(StrEnum):
    """What draws people to one side of a place."""

    ANYWHERE = "anywhere"
    WATER = "water"
    MIDDLE = "middle"


class Fault(StrEnum):
    """What can be wrong with a device for good. None of it is on unless a scenario says so."""

    STUCK = "stuck"
    """It repeats its last count."""
    ZERO = "zero"
    """It counts nobody."""
    HALF = "half"
    """It misses more than half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """How a place draws people: relative weight by local hour (24 numbers), and minutes of stay (median)."""

    weight: tuple[float, ...]
    stay_min: float = 30.0
    hold_until: str | None = None
    """Local time "HH:MM" of a countdown or a show: the nearer it is, the more of those who come stay for it, and
    leave over the half hour after it."""
    towards: Towards = Towards.ANYWHERE
    """Where in the place people like to stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFault:
    """A device that goes wrong at a moment and stays so."""

    fault: Fault
    after_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A day of the simulated district.

    ``visits`` are people who come over 24 hours by ``arrivals`` (24 relative weights by local hour), each making about
    ``stops`` stops: a share ``streets`` of them at shop windows, ``buildings`` inside private buildings (a home, an
    office: out of public space, and yet seen by location grids), the rest at places by ``pulls``. ``residents`` are at
    home in the district and seen by location grids only. After ``last_metro`` (local "HH:MM") no metro gateway is open
    until five; people start going home in the hour before.
    """

    scenario_id: str
    name: Label
    opens_at: datetime
    visits: float
    arrivals: tuple[float, ...] = DAY
    pulls: Mapping[str, Pull] = field(default_factory=dict)
    streets: float = 0.25
    buildings: float = 0.35
    building_stay_min: float = 60.0
    residents: float = 0.0
    stops: float = 2.2
    last_metro: str = "23:30"
    grid_rounded_to: int = 1
    """Location grids give counts rounded to this number of people."""
    faults: Mapping[str, DeviceFault] = field(default_factory=dict)
    district_seed: int = 1
    """Draws what stays from day to day: ways taken for short, corners, homes, what each device misses."""


_NUMBERS = ("visits", "streets", "buildings", "building_stay_min", "stops", "residents")


def read_scenarios(pack: Pack, path: Path) -> list[Scenario]:
    """Return the scenarios of a twin.toml.

    Raises
    ------
    BadInput
        If it is no TOML, names a place or device that the pack does not have, or a value is missing or out of range.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadInput(f"{path.name}", f"must be TOML ({fault})", "correct it") from None
    rhythms = {
        name: _hours(hours, f"{path.name} rhythms.{name}") for name, hours in _table(told, "rhythms", path.name).items()
    }
    entries = _table(told, "scenario", path.name)
    if not entries:
        raise BadInput(f"{path.name}", "must have a [scenario.NAME]", "add one, or remove the file for the defaults")
    return [_scenario(pack, key, entry, rhythms) for key, entry in entries.items()]


def _scenario(pack: Pack, key: str, entry: Any, rhythms: Mapping[str, tuple[float, ...]]) -> Scenario:
    where = f"twin.toml scenario.{key}"
    if not isinstance(entry, dict):
        raise BadInput(where, "must be a table", f"write [scenario.{key}]")
    for needed in ("name", "opens_at", "visits"):
        if needed not in entry:
            raise BadInput(where, f"must have {needed}", "add it")
    known = {place.place_id for place in pack.places}
    pulls = {}
    for place_id, pull in _table(entry, "pulls", where).items():
        if place_id not in known:
            raise BadInput(f"{where}.pulls.{place_id}", "must be a place of the pack", "correct the id")
        pulls[place_id] = _pull(pull, f"{where}.pulls.{place_id}", rhythms)
    numbers = {name: _number(entry[name], f"{where}.{name}") for name in _NUMBERS if name in entry}
    numbers.setdefault("residents", pack.figures.get("residents", 0.0))
    if numbers.get("streets", 0.25) + numbers.get("buildings", 0.35) > 1:
        raise BadInput(f"{where}: streets + buildings", "must be shares of stops, at most 1 together", "lower one")
    arrivals = entry.get("arrivals", DAY)
    return Scenario(
        scenario_id=key,
        name=entry["name"],
        opens_at=_local(entry["opens_at"], f"{where}.opens_at", pack.time_zone),
        arrivals=rhythms[arrivals] if arrivals in rhythms else _hours(arrivals, f"{where}.arrivals"),
        pulls=pulls,
        last_metro=_clock(entry.get("last_metro", "23:30"), f"{where}.last_metro"),
        grid_rounded_to=int(_number(entry.get("grid_rounded_to", 1), f"{where}.grid_rounded_to")),
        faults=_faults(pack, entry, where),
        **numbers,  # type: ignore[arg-type]  # names and kinds are those of _NUMBERS
    )


def _pull(told: Any, where: str, rhythms: Mapping[str, tuple[float, ...]]) -> Pull:
    if not isinstance(told, dict):
        raise BadInput(where, "must be a table", "write { weight = 1.0, rhythm = ..., stay_min = 30 }")
    rhythm = told.get("rhythm")
    if rhythm is not None and rhythm not in rhythms:
        raise BadInput(f"{where}.rhythm={rhythm!r}", f"must be one of {', '.join(rhythms)}", "add it to [rhythms]")
    weight = told.get("weight", 1.0)
    hours = _hours(weight, f"{where}.weight") if isinstance(weight, list) else (_number(weight, where),) * 24
    shape = rhythms[rhythm] if rhythm else (1.0,) * 24
    towards = told.get("towards", "anywhere")
    if towards not in list(Towards):
        raise BadInput(f"{where}.towards={towards!r}", f"must be one of {', '.join(Towards)}", "correct it")
    hold = told.get("hold_until")
    return Pull(
        weight=tuple(a * b for a, b in zip(hours, shape, strict=True)),
        stay_min=_number(told.get("stay_min", 30.0), f"{where}.stay_min"),
        hold_until=None if hold is None else _clock(hold, f"{where}.hold_until"),
        towards=Towards(towards),
    )


def _faults(pack: Pack, entry: Mapping[str, Any], where: str) -> dict[str, DeviceFault]:
    known = {device.device_id for device in pack.devices}
    faults = {}
    for device_id, told in _table(entry, "faults", where).items():
        name = f"{where}.faults.{device_id}"
        if device_id not in known:
            raise BadInput(name, "must be a device of the pack", "correct the id")
        if not isinstance(told, dict) or told.get("fault") not in list(Fault):
            raise BadInput(name, f"must have fault = one of {', '.join(Fault)}", "correct it")
        after_at = _local(told.get("after_at"), f"{name}.after_at", pack.time_zone)
        faults[device_id] = DeviceFault(fault=Fault(told["fault"]), after_at=after_at)
    return faults


def _table(told: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    found = told.get(key, {})
    if not isinstance(found, dict):
        raise BadInput(f"{where} {key}", "must be a table", f"write [{key}...]")
    return found


def _hours(weights: Any, where: str) -> tuple[float, ...]:
    right = isinstance(weights, list | tuple) and len(weights) == 24 and all(_is_number(w) for w in weights)
    if not right or min(weights) < 0 or sum(weights) <= 0:
        raise BadInput(where, "must be 24 weights >= 0, one for each local hour", "correct it")
    return tuple(float(w) for w in weights)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any, where: str) -> float:
    if not _is_number(value) or not 0 <= value < 1e9:
        raise BadInput(f"{where}={value!r}", "must be a number >= 0", "correct it")
    return float(value)


def _clock(told: Any, where: str) -> str:
    try:
        hour, minute = (int(part) for part in str(told).split(":"))
    except ValueError:
        hour, minute = -1, -1
    if not (0 <= hour < 24 and 0 <= minute < 60):
        raise BadInput(f"{where}={told!r}", 'must be a local time "HH:MM"', "correct it")
    return f"{hour:02d}:{minute:02d}"


def _local(told: Any, where: str, time_zone: str) -> datetime:
    if not isinstance(told, datetime):
        raise BadInput(f"{where}={told!r}", "must be a date and time", "write it like 2026-12-31T18:00:00")
    return told if told.tzinfo else told.replace(tzinfo=ZoneInfo(time_zone))


def local_hour(at: datetime, zone: ZoneInfo) -> float:
    """Return the local time of day in hours."""
    local = at.astimezone(zone)
    return local.hour + local.minute / 60 + local.second / 3600


def next_time(clock: str, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the next moment at which local clocks show "HH:MM"."""
    hour, minute = (int(part) for part in clock.split(":"))
    local = after.astimezone(zone)
    found = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return found if found > local else found + timedelta(days=1)
