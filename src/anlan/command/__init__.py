"""The district over HTTP: a documented JSON API, a live feed, and the page."""

from anlan.command.app import create_app
from anlan.command.simulation import Simulation

__all__ = ["Simulation", "create_app"]
