"""The routes, by subject."""

from anlan.command.api import (
    alerts,
    cases,
    community,
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
    for part in (district, crowd, coverage, alerts, cases, community, reach, whatif, devices, log, live, staff)
)

__all__ = ["ROUTERS"]
