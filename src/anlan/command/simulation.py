"""The port to a simulated or replayed district: what the page may ask of whoever plays it."""

from __future__ import annotations

from typing import Any, Protocol


class Simulation(Protocol):
    """Somebody who plays a district, and lets the pace be changed."""

    def status(self) -> dict[str, Any]:
        """Return scenario, scenarios, speed, paused, now, kind and what is wrong, if anything."""
        ...

    def control(self, scenario: str | None, speed: float | None, paused: bool | None) -> dict[str, Any]:  # noqa: FBT001 - as the page sends it
        """Change what is given, and return the status."""
        ...
