"""How many people are out at which hour, before anything is observed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

_OUTDOORS = (
    0.20, 0.14, 0.10, 0.08, 0.10, 0.18, 0.35, 0.60, 0.80, 0.85, 0.92, 1.00,
    1.05, 1.00, 1.00, 1.05, 1.15, 1.25, 1.30, 1.25, 1.10, 0.85, 0.55, 0.32,
)  # fmt: skip
_INDOORS = (
    1.10, 1.10, 1.10, 1.10, 1.10, 1.08, 1.05, 1.00, 1.00, 1.05, 1.05, 1.05,
    1.00, 1.05, 1.05, 1.05, 1.00, 0.95, 0.92, 0.92, 0.95, 1.00, 1.05, 1.08,
)  # fmt: skip
"""Relative to noon, by local hour; a first guess from which the field of log-ratios departs freely."""


def outdoors(at: datetime, zone: ZoneInfo) -> float:
    """Return the share of noon's people to be expected in public space."""
    return _between(_OUTDOORS, at.astimezone(zone))


def indoors(at: datetime, zone: ZoneInfo) -> float:
    """Return the share of noon's people to be expected indoors."""
    return _between(_INDOORS, at.astimezone(zone))


def _between(hours: tuple[float, ...], local: datetime) -> float:
    return float(np.interp(local.hour + local.minute / 60, range(25), [*hours, hours[0]]))
