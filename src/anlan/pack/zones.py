"""The time zone of a place that says none."""

from __future__ import annotations

import math
import re
from importlib import resources


def nearest_zone(lon: float, lat: float) -> str:
    """Return the IANA zone whose principal city is nearest: a guess that a district near a zone's edge corrects.

    Examples
    --------
    >>> nearest_zone(121.48, 31.22), nearest_zone(144.96, -37.81)
    ('Asia/Shanghai', 'Australia/Melbourne')
    """
    table = (resources.files("tzdata") / "zoneinfo" / "zone1970.tab").read_text("utf-8")
    best, nearest = "UTC", math.inf
    for line in table.splitlines():
        if line.startswith("#"):
            continue
        _, place, zone = line.split("\t")[:3]
        zone_lat, zone_lon = (_iso6709(part) for part in re.findall(r"[+-]\d+", place))
        across = (lon - zone_lon + 180) % 360 - 180
        away = math.hypot(across * math.cos(math.radians(lat)), lat - zone_lat)
        if away < nearest:
            best, nearest = zone, away
    return best


def _iso6709(text: str) -> float:
    """Return degrees of ±DDMM, ±DDDMM, ±DDMMSS or ±DDDMMSS."""
    sign, digits = (-1 if text[0] == "-" else 1), text[1:]
    n_degrees = len(digits) % 2 + 2
    degrees, minutes, seconds = digits[:n_degrees], digits[n_degrees : n_degrees + 2], digits[n_degrees + 2 :]
    return sign * (int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600)
