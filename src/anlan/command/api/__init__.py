"""The routes, by subject."""

from anlan.command.api import alerts, cases, coverage, crowd, devices, district, live, log, staff, whatif

ROUTERS = tuple(part.router for part in (district, crowd, coverage, alerts, cases, whatif, devices, log, live, staff))

__all__ = ["ROUTERS"]
