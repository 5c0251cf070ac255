"""What people and programs talk to over HTTP: the API, the live feed, the page."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anlan.command.app import create_app
    from anlan.command.desk import ScenarioName, Simulation, SimulationNow
    from anlan.command.serving import Server, listening

__all__ = ["ScenarioName", "Server", "Simulation", "SimulationNow", "create_app", "listening"]

_ROOMS = {
    "create_app": "app",
    "ScenarioName": "desk",
    "Simulation": "desk",
    "SimulationNow": "desk",
    "Server": "serving",
    "listening": "serving",
}


def __getattr__(name: str) -> Any:
    """Load the web framework only when it is asked for: the terminal's ``--help`` needs none of it."""
    if name not in _ROOMS:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"anlan.command.{_ROOMS[name]}"), name)
