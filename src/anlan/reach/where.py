"""Where something is, in the words of the pack."""

from __future__ import annotations

import shapely

from anlan.kernel.pack import Pack


def area_of(pack: Pack, lon: float, lat: float) -> str | None:
    """Return the lowest area that a point (degrees) lies in; None outside all."""
    for level in reversed(pack.areas.levels):
        found = pack.areas.at(lon, lat, level.key)
        if found is not None:
            return found.area_id
    return None


def place_of(pack: Pack, lon: float, lat: float) -> str | None:
    """Return the smallest named place that a point (degrees) lies in; None outside all."""
    point = shapely.Point(lon, lat)
    holding = [place for place in pack.places if place.polygon.intersects(point)]
    return min(holding, key=lambda place: place.polygon.area).place_id if holding else None
