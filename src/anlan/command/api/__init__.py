"""The routes, by subject."""

from anlan.command.api import (
    alerts,
    case_many,
    cases,
    coverage,
    crowd,
    devices,
    district,
    live,
    log,
    reach,
    staff,
    whatif,
)

ROUTERS = tuple(
    part.router
    for part in (district, crowd, coverage, alerts, case_many, cases, reach, whatif, devices, log, live, staff)
)

__all__ = ["ROUTERS"]
