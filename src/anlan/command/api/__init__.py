"""The routes, by subject."""

from anlan.command.api import alerts, cases, coverage, crowd, devices, district, live, log, reach, staff, whatif

ROUTERS = tuple(
    part.router for part in (district, crowd, coverage, alerts, cases, reach, whatif, devices, log, live, staff)
)

__all__ = ["ROUTERS"]
