"""The routes, by subject."""

from anlan.command.api import alerts, crowd, devices, district, live, log

ROUTERS = (district.router, crowd.router, alerts.router, devices.router, log.router, live.router)

__all__ = ["ROUTERS"]
