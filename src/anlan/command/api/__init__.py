"""The routes, by subject."""

from anlan.command.api import alerts, cases, coverage, crowd, devices, district, live, log, reach, staff, whatif

_PARTS = (district, crowd, coverage, alerts, reach, cases, whatif, devices, log, live, staff)
ROUTERS = tuple(part.router for part in _PARTS)

__all__ = ["ROUTERS"]
