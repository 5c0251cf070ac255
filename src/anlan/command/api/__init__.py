"""The routes, by subject."""

from anlan.command.api import (
    alerts,
    case_many,
    case_papers,
    cases,
    community,
    coverage,
    crowd,
    devices,
    district,
    indicators,
    live,
    log,
    plans,
    proof,
    reach,
    staff,
    underway,
    weather,
    whatif,
)

_CASES = (underway, cases, case_many, case_papers, indicators)
_DESK = (district, crowd, coverage, proof, weather, alerts)
_PARTS = (*_DESK, *_CASES, community, reach, plans, whatif, devices, log, live, staff)
ROUTERS = tuple(part.router for part in _PARTS)

__all__ = ["ROUTERS"]
