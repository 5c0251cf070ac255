"""What happens on a simulated day: how many come, when, where to, and how long they stay."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """How a place draws people: relative weight by local hour (24 numbers), and minutes of stay (median)."""

    weight: tuple[float, ...]
    stay_min: float = 30.0
    hold_until: str | None = None
    """Local time "HH:MM" until which most who came stay (a countdown, a show); they leave over the next half hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A day of the simulated district.

    ``visits`` are people who come over 24 hours by ``arrivals`` (24 relative weights by local hour); ``pulls`` draw them to
    places by id; ``streets`` is the share of stops on streets and ``buildings`` that inside private buildings; the rest goes to places.
    ``residents`` are indoors and seen by location grids only.
    """

    scenario_id: str
    name: Label
    opens_at: datetime
    visits: float
    arrivals: tuple[float, ...] = DAY
    pulls: Mapping[str, Pull] = field(default_factory=dict)
    streets: float = 0.25
    buildings: float = 0.35
    residents: float = 0.0
    stops: float = 2.2
    last_metro: str = "23:30"


def scenarios(pack: Pack) -> list[Scenario]:
    """Return the scenarios of a pack's twin.toml, or an ordinary evening where it has none.

    Raises
    ------
    BadInput
        If twin.toml names a place that the pack does not have, or lacks a needed value.
    """
    path = pack.folder / "twin.toml" if pack.folder else None
    if path is None or not path.is_file():
        return [_ordinary(pack)]
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"{path}", f"must be TOML ({fault})", "correct it") from None
    return [_scenario(pack, key, entry) for key, entry in told.get("scenario", {}).items()]


def _scenario(pack: Pack, key: str, entry: Mapping[str, Any]) -> Scenario:
    known = {place.place_id for place in pack.places}
    pulls = {}
    for place_id, pull in entry.get("pulls", {}).items():
        if place_id not in known:
            raise BadInput(f"twin.toml scenario {key!r} place {place_id!r}", "must be in the pack", "correct the id")
        pulls[place_id] = Pull(
            weight=_day(pull["weight"], f"{key}.{place_id}.weight"),
            stay_min=float(pull.get("stay_min", 30)),
            hold_until=pull.get("hold_until"),
        )
    for needed in ("name", "opens_at", "visits"):
        if needed not in entry:
            raise BadInput(f"twin.toml scenario {key!r}", f"must have {needed}", "add it")
    optional = {name: entry[name] for name in ("streets", "buildings", "stops", "last_metro") if name in entry}
    return Scenario(
        scenario_id=key,
        name=entry["name"],
        opens_at=entry["opens_at"].replace(tzinfo=ZoneInfo(pack.time_zone)),
        visits=float(entry["visits"]),
        arrivals=_day(entry.get("arrivals", DAY), f"{key}.arrivals"),
        pulls=pulls,
        residents=pack.figures.get("residents", 0.0),
        **optional,
    )


def _day(weights: Any, name: str) -> tuple[float, ...]:
    if len(weights) != 24 or min(weights) < 0 or sum(weights) <= 0:
        raise BadInput(f"twin.toml {name}", "must be 24 weights >= 0, one for each hour", "correct it")
    return tuple(float(w) for w in weights)


def _ordinary(pack: Pack) -> Scenario:
    """A Saturday evening for a district that tells nothing of its own: places draw by their size."""
    plane = pack.projection
    size = {p.place_id: plane.project(p.polygon).area * p.walkable_share for p in pack.places}
    km2 = plane.project(pack.boundary).area / 1e6
    evening = tuple(1.0 + 0.8 * (11 <= h <= 13) + 1.5 * (17 <= h <= 21) for h in range(24))
    opens_at = datetime(2026, 12, 31, 18, 0, tzinfo=ZoneInfo(pack.time_zone))
    return Scenario(
        scenario_id="ordinary_evening",
        name={"zh": "平常的傍晚", "en": "An ordinary evening"},
        opens_at=opens_at,
        visits=pack.figures.get("visitors_per_day", 30_000.0 * km2),
        pulls={place_id: Pull(weight=tuple(m2**0.7 * w for w in evening)) for place_id, m2 in size.items()},
        residents=pack.figures.get("residents", 15_000.0 * km2),
        streets=0.35 if size else 0.6,
    )


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
