"""Where things lie in the tree of areas: what decides who may see and change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapely.geometry.base import BaseGeometry

from anlan.kernel.access import Scope
from anlan.kernel.errors import NotAllowed, NotFound
from anlan.kernel.geo import polygon_from
from anlan.kernel.pack import Pack

ASK = "ask whoever keeps the accounts"


class Whereabouts:
    """The areas of everything in a pack, found once each."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._found: dict[str, frozenset[str]] = {}

    def of_place(self, place_id: str) -> frozenset[str]:
        """Return the areas, of every level, in which a place lies: those of a point inside it."""
        return self._kept(f"place:{place_id}", lambda: self._pack.place(place_id).polygon)

    def of_device(self, device_id: str) -> frozenset[str]:
        """Return the areas in which a device stands."""
        return self._kept(f"device:{device_id}", lambda: self._pack.device(device_id).geometry)

    def of_point(self, lon: float, lat: float) -> frozenset[str]:
        """Return the areas, of every level, in which a point (degrees) lies."""
        areas = self._pack.areas
        found = [areas.at(lon, lat, level.key) for level in areas.levels]
        return frozenset(area.area_id for area in found if area is not None)

    def of_subject(self, subject_id: str) -> frozenset[str]:
        """Return the areas of what an alert is about, ``place:ID`` or ``device:ID``; none where it has gone."""
        kind, _, own_id = subject_id.partition(":")
        try:
            return self.of_place(own_id) if kind == "place" else self.of_device(own_id)
        except NotFound:
            return frozenset()

    def inside(self, scope: Scope, polygon: Mapping[str, Any] | BaseGeometry) -> bool:
        """Tell whether a polygon (degrees) lies wholly in the areas of a scope, but for a thousandth of it."""
        if scope.everywhere:
            return True
        rest = geometry = polygon if isinstance(polygon, BaseGeometry) else polygon_from(polygon)
        for area_id in scope.area_ids:
            ground = self._pack.areas.area(area_id).polygon
            if ground is not None:
                rest = rest.difference(ground)
        return bool(rest.area <= 0.001 * geometry.area)

    def check_place(self, scope: Scope, place_id: str) -> None:
        """Refuse a place outside a scope; NotFound where there is none."""
        _check(scope.covers(self.of_place(place_id)), f"place {place_id!r}")

    def check_device(self, scope: Scope, device_id: str) -> None:
        """Refuse a device outside a scope; NotFound where there is none."""
        _check(scope.covers(self.of_device(device_id)), f"device {device_id!r}")

    def check_polygon(self, scope: Scope, polygon: Mapping[str, Any] | BaseGeometry) -> None:
        """Refuse a polygon that is not wholly inside a scope."""
        _check(self.inside(scope, polygon), "this polygon")

    def _kept(self, key: str, shape: Any) -> frozenset[str]:
        if key not in self._found:
            point, areas = shape().representative_point(), self._pack.areas
            found = [areas.at(point.x, point.y, level.key) for level in areas.levels]
            self._found[key] = frozenset(area.area_id for area in found if area is not None)
        return self._found[key]


def _check(inside: bool, what: str) -> None:  # noqa: FBT001 - a claim is a claim
    if not inside:
        raise NotAllowed(what, "must lie in an area that is granted to you", ASK)
