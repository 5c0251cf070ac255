"""How many people are out at which hour, before anything is observed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

OUTDOORS = (
    0.20, 0.14, 0.10, 0.08, 0.10, 0.18, 0.35, 0.60, 0.80, 0.85, 0.92, 1.00,
    1.05, 1.00, 1.00, 1.05, 1.15, 1.25, 1.30, 1.25, 1.10, 0.85, 0.55, 0.32,
)  # fmt: skip
_INDOORS = (
    1.10, 1.10, 1.10, 1.10, 1.10, 1.08, 1.05, 1.00, 1.00, 1.05, 1.05, 1.05,
    1.00, 1.05, 1.05, 1.05, 1.00, 0.95, 0.92, 0.92, 0.95, 1.00, 1.05, 1.08,
)  # fmt: skip
"""Relative to noon, by local hour; a first guess from which the field of log-ratios departs freely."""


_AT_HOME = (
    0.97, 0.97, 0.97, 0.97, 0.97, 0.96, 0.91, 0.80, 0.70, 0.64, 0.61, 0.60,
    0.61, 0.61, 0.61, 0.61, 0.63, 0.68, 0.75, 0.81, 0.86, 0.91, 0.95, 0.97,
)  # fmt: skip
"""Share of residents at home by local hour, about as time-use surveys of cities have it: nearly all in the small hours,
three of five at noon."""


def at_home(at: datetime, zone: ZoneInfo) -> float:
    """Return the share of residents to be expected at home."""
    return _between(_AT_HOME, at.astimezone(zone))


def indoors(at: datetime, zone: ZoneInfo) -> float:
    """Return the share of noon's people to be expected indoors."""
    return _between(_INDOORS, at.astimezone(zone))


def _between(hours: tuple[float, ...], local: datetime) -> float:
    return float(np.interp(local.hour + local.minute / 60, range(25), [*hours, hours[0]]))
