"""The routes, by subject."""

from anlan.command.api import alerts, coverage, crowd, devices, district, live, log

ROUTERS = tuple(part.router for part in (district, crowd, coverage, alerts, devices, log, live))

__all__ = ["ROUTERS"]
