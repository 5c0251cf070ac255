"""The scenarios of a district: those its pack tells, or ones derived from its places and streets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from anlan.kernel.pack import Pack
from anlan.kernel.records import Place
from anlan.twin.scenario import Pull, Scenario, Towards, read_scenarios

KINDS = {"promenade": 1.6, "pedestrian": 1.8, "bazaar": 1.8, "square": 1.2, "venue": 1.2, "attraction": 1.4,
         "park": 0.6, "garden": 0.6, "passage": 0.2}  # fmt: skip
"""How strongly a square metre of a place draws people, by its kind."""
STAYS_MIN = {"passage": 3.0, "pedestrian": 25.0, "square": 20.0, "venue": 45.0, "bazaar": 40.0}
GATHERING = ("promenade", "square", "pedestrian", "bazaar", "park", "garden")
"""Where people wait for midnight, the likeliest kind first."""
VISITS_PER_KM2 = 30_000.0
RESIDENTS_PER_KM2 = 15_000.0
FREE_DAY = tuple(0.15 + 0.85 * (10 <= hour <= 21) + 0.6 * (12 <= hour <= 20) for hour in range(24))
EVE = (0.6, 0.15, 0.1, 0.1, 0.15, 0.3, 0.8, 1.8, 3.0, 4.0, 4.5, 5.0,
       5.5, 6.0, 6.5, 7.0, 8.0, 9.0, 9.5, 9.5, 9.0, 8.0, 5.5, 2.5)  # fmt: skip
"""Arrivals by local hour on a day whose evening is the feast, relative."""
COUNTDOWN = (0.2, 0.02, 0.02, 0.02, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.9, 1.0,
             1.2, 1.4, 1.6, 2.0, 3.0, 4.5, 6.0, 7.0, 7.5, 8.0, 8.0, 6.0)  # fmt: skip
"""How a place where people wait for midnight draws them by local hour."""


def scenarios(pack: Pack) -> list[Scenario]:
    """Return the scenarios of a pack's twin.toml, the opening one first; derived ones where it has none.

    Raises
    ------
    BadInput
        If twin.toml is no TOML, names what the pack does not have, or a value is missing or out of range.
    """
    path = pack.folder / "twin.toml" if pack.folder else None
    if path is not None and path.is_file():
        return read_scenarios(pack, path)
    return [_new_years_eve(pack), _normal_day(pack)]


def _normal_day(pack: Pack) -> Scenario:
    """Return a free day on which places draw by their kind and size."""
    km2 = max(pack.projection.project(pack.boundary).area / 1e6, 0.01)
    pulls = {
        place.place_id: Pull(
            weight=tuple(_appeal(pack, place) * w for w in FREE_DAY),
            stay_min=STAYS_MIN.get(place.kind, 30.0),
            towards=Towards.WATER if place.kind == "promenade" and pack.water else Towards.ANYWHERE,
        )
        for place in pack.places
    }
    return Scenario(
        scenario_id="normal_day",
        name={"zh": "平常的一天", "en": "A normal day"},
        opens_at=_evening(pack, date(2026, 11, 14)),
        visits=pack.figures.get("visitors_per_day", VISITS_PER_KM2 * km2),
        pulls=pulls,
        residents=pack.figures.get("residents", RESIDENTS_PER_KM2 * km2),
        streets=0.3 if pulls else 0.65,
    )


def _new_years_eve(pack: Pack) -> Scenario:
    """Return the same district on an evening when many wait for midnight at its likeliest place."""
    ordinary = _normal_day(pack)
    pulls = dict(ordinary.pulls)
    if pack.places:
        chosen = max(pack.places, key=lambda p: (p.kind in GATHERING, not p.closed, _appeal(pack, p)))
        whole = sum(sum(pull.weight) for pull in pulls.values())
        pulls[chosen.place_id] = Pull(
            weight=tuple(0.35 * whole * w / sum(COUNTDOWN) for w in COUNTDOWN),
            stay_min=50.0,
            hold_until="00:00",
            towards=pulls[chosen.place_id].towards,
        )
    return replace(
        ordinary,
        scenario_id="new_years_eve",
        name={"zh": "跨年夜", "en": "New Year's Eve"},
        opens_at=_evening(pack, date(2026, 12, 31)),
        visits=pack.figures.get("visitors_holiday", 2.0 * ordinary.visits),
        arrivals=EVE,
        pulls=pulls,
        buildings=0.25,
        last_metro="01:00",
    )


def _appeal(pack: Pack, place: Place) -> float:
    m2 = pack.projection.project(place.polygon).area * place.walkable_share
    return float(KINDS.get(place.kind, 1.0) * m2**0.7)


def _evening(pack: Pack, on: date) -> datetime:
    return datetime.combine(on, time(0), tzinfo=ZoneInfo(pack.time_zone)) + timedelta(hours=18)
