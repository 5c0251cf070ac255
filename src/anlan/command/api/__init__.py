"""The routes, by subject."""

from anlan.command.api import coverage, crowd, devices, district, live, log

ROUTERS = (district.router, crowd.router, coverage.router, devices.router, log.router, live.router)

__all__ = ["ROUTERS"]
