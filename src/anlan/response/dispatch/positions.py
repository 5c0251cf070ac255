"""What a unit says of its position, judged before it is believed."""

from __future__ import annotations

import math
from datetime import datetime

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Projection
from anlan.kernel.response import PositionReport, UnitNow
from anlan.response.dispatch.steps import AHEAD
from anlan.response.travel.speeds import FASTEST_KMH

FAR_M = 30_000.0
"""How far from the middle of its district a unit may be."""
SLACK_M = 250.0
"""What a satellite fix may be off between two reports."""


def check_position(report: PositionReport, before: UnitNow, now: datetime, plane: Projection) -> bool:
    """Tell whether a position is newer than the one before; refuse one that cannot be.

    Raises
    ------
    BadInput
        If it is no place on the globe, lies in the future or too far away, or nobody gets there so fast.
    """
    name = f"position of unit {report.unit_id!r}"
    if not (math.isfinite(report.lon) and math.isfinite(report.lat)) or abs(report.lon) > 180 or abs(report.lat) > 90:
        raise BadInput(
            f"{name}=({report.lon}, {report.lat})", "must be (longitude, latitude) in degrees", "send WGS 84 degrees"
        )
    if report.at > now + AHEAD:
        raise BadInput(
            f"{name} of {report.at.isoformat()}",
            f"must be at most {AHEAD.total_seconds():.0f} s ahead of {now.isoformat()}",
            "set the unit's clock",
        )
    x, y = (float(value) for value in plane.to_metres(report.lon, report.lat))
    if math.hypot(x, y) > FAR_M:
        raise BadInput(
            f"{name}=({report.lon:.5f}, {report.lat:.5f})",
            f"must be within {FAR_M / 1000:g} km of the district's middle",
            "check for swapped numbers or another datum",
        )
    if before.lon is None or before.lat is None or before.position_at is None:
        return True
    if report.at <= before.position_at:
        return False
    was_x, was_y = (float(value) for value in plane.to_metres(before.lon, before.lat))
    gone_m = math.hypot(x - was_x, y - was_y)
    most_m = SLACK_M + FASTEST_KMH / 3.6 * (report.at - before.position_at).total_seconds()
    if gone_m > most_m:
        raise BadInput(
            f"{name}, {gone_m / 1000:.1f} km from the one before",
            f"must be at most {most_m / 1000:.1f} km from it ({FASTEST_KMH:g} km/h)",
            "check the unit's receiver",
        )
    return True
