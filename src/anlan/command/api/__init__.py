"""The routes, by subject."""

from anlan.command.api import alerts, coverage, crowd, devices, district, live, log, whatif

ROUTERS = tuple(part.router for part in (district, crowd, coverage, alerts, whatif, devices, log, live))

__all__ = ["ROUTERS"]
