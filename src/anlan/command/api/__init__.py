"""The routes, by subject."""

from anlan.command.api import crowd, devices, district, live, log, whatif

ROUTERS = (district.router, crowd.router, devices.router, log.router, live.router, whatif.router)

__all__ = ["ROUTERS"]
