"""Geometry: degrees (WGS84, longitude first) outside, metres of one local plane inside."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon, box, mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from anlan.kernel.errors import BadInput

Floats = npt.NDArray[np.float64]
Area2D: TypeAlias = Polygon | MultiPolygon
G = TypeVar("G", bound=BaseGeometry)

# Krasovsky 1940, on which the GCJ-02 shift is defined.
_GCJ_A = 6378245.0
_GCJ_E2 = 0.006693421622965943
_BD_TURN = math.pi * 3000.0 / 180.0

REACH_DEG = 5.0
"""How far from its centre a plane is true enough to draw on; a district is a hundredth of it."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The local plane of a district: transverse Mercator about its centre, in metres.

    Within 20 km of the centre lengths are true to 5 parts in a million.

    Parameters
    ----------
    lon, lat : float
        Centre, degrees WGS84.
    """

    lon: float
    lat: float
    _there: pyproj.Transformer = field(init=False, repr=False, compare=False)
    _back: pyproj.Transformer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        plane = pyproj.CRS.from_proj4(
            f"+proj=tmerc +lat_0={self.lat} +lon_0={self.lon} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"
        )
        object.__setattr__(self, "_there", pyproj.Transformer.from_crs("OGC:CRS84", plane, always_xy=True))
        object.__setattr__(self, "_back", pyproj.Transformer.from_crs(plane, "OGC:CRS84", always_xy=True))

    def to_metres(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return x (east) and y (north) in metres from the centre."""
        x, y = self._there.transform(np.asarray(lon, float), np.asarray(lat, float))
        return np.asarray(x), np.asarray(y)

    def to_degrees(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return longitude and latitude in degrees of points given in metres."""
        lon, lat = self._back.transform(np.asarray(x, float), np.asarray(y, float))
        return np.asarray(lon), np.asarray(lat)

    def project(self, geometry: G) -> G:
        """Return the geometry, given in degrees, in metres."""
        return shapely.transform(geometry, lambda p: np.column_stack(self.to_metres(p[:, 0], p[:, 1])))

    def project_near(self, polygon: BaseGeometry) -> BaseGeometry:
        """Return what lies within reach of the centre of a polygon (degrees), in metres.

        Farther off a transverse Mercator folds and ends: a polygon around half the globe would have no inside.
        """
        west, south, east, north = polygon.bounds
        x, y, most = self.lon, self.lat, REACH_DEG
        if x - west > most or east - x > most or y - south > most or north - y > most:
            return self.project(polygon.intersection(box(x - most, y - most, x + most, y + most)))
        return self.project(polygon)

    def unproject(self, geometry: G) -> G:
        """Return the geometry, given in metres, in degrees."""
        return shapely.transform(geometry, lambda p: np.column_stack(self.to_degrees(p[:, 0], p[:, 1])))


def geometry_from(geojson: Mapping[str, Any] | str, name: str = "geometry") -> BaseGeometry:
    """Return the geometry of a GeoJSON geometry, Feature, or FeatureCollection of one, in degrees.

    Raises
    ------
    BadInput
        If it is no GeoJSON, holds no geometry, or leaves the globe's degrees (often: latitude written first).
    """
    found: Any = geojson
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except json.JSONDecodeError as fault:
            raise BadInput(f"{name} at character {fault.pos}", f"must be JSON ({fault.msg})", "send GeoJSON") from None
    if not isinstance(found, Mapping):
        raise BadInput(f"{name}={type(found).__name__}", "must be a GeoJSON object", "send GeoJSON")
    if found.get("type") == "FeatureCollection":
        features = found.get("features") or []
        if not isinstance(features, Sequence) or len(features) != 1:
            number = len(features) if isinstance(features, Sequence) else "no list of"
            raise BadInput(f"{name} with {number} features", "must hold exactly one", "send one feature")
        found = features[0]
    if isinstance(found, Mapping) and found.get("type") == "Feature":
        found = found.get("geometry") or {}
    try:
        geometry = shape(found)
    except Exception:  # noqa: BLE001 - shapely raises a dozen kinds for a malformed mapping; the caller needs one
        kind = found.get("type") if isinstance(found, Mapping) else None
        raise BadInput(
            f"{name} of type {str(kind)[:40]!r}", "must be a GeoJSON geometry", "see RFC 7946 section 3.1"
        ) from None
    if geometry.is_empty:
        raise BadInput(f"{name}", "must not be empty", "give at least one point")
    check_degrees(geometry, name)
    return geometry


def check_degrees(geometry: BaseGeometry, name: str = "geometry") -> None:
    """Refuse a geometry that does not lie on the globe in degrees, longitude first.

    Raises
    ------
    BadInput
        If a longitude leaves -180..180 or a latitude -90..90, or a coordinate is not finite.
    """
    points = shapely.get_coordinates(geometry)
    if not np.isfinite(points).all():
        raise BadInput(f"{name}", "must have finite coordinates", "remove NaN and infinity")
    lon, lat = points[:, 0], points[:, 1]
    wrong = (np.abs(lon) > 180) | (np.abs(lat) > 90)
    if not wrong.any():
        return
    first = points[int(np.argmax(wrong))]
    swapped = bool((np.abs(lat) <= 180).all() and (np.abs(lon) <= 90).all())
    hint = "swap them: it looks like latitude was written first" if swapped else "give degrees, longitude first"
    raise BadInput(f"{name} coordinate ({first[0]:g}, {first[1]:g})", "must be (longitude, latitude) in degrees", hint)


def polygon_from(geojson: Mapping[str, Any] | str, name: str = "polygon") -> Area2D:
    """Return a valid polygon or multipolygon in degrees, holes kept.

    Raises
    ------
    BadInput
        If it is no polygon, crosses itself (the crossing point is told), or has no area.
    """
    geometry = geometry_from(geojson, name)
    if not isinstance(geometry, Polygon | MultiPolygon):
        raise BadInput(
            f"{name}={geometry.geom_type}", "must be a Polygon or MultiPolygon", "close the ring and send it"
        )
    if not geometry.is_valid:
        raise BadInput(
            f"{name} ({explain_validity(geometry)})", "must not cross itself", "redraw it without crossing edges"
        )
    if geometry.area == 0:
        raise BadInput(f"{name}", "must have an area", "give at least three corners that are not on one line")
    return geometry


def line_from(geojson: Mapping[str, Any] | str, name: str = "line") -> LineString:
    """Return a line in degrees.

    Raises
    ------
    BadInput
        If it is no line, or one of no length.
    """
    geometry = geometry_from(geojson, name)
    if not isinstance(geometry, LineString):
        raise BadInput(f"{name}={geometry.geom_type}", "must be a LineString", "give two points or more")
    if geometry.length == 0:
        raise BadInput(f"{name}", "must have a length", "give two points that differ")
    return geometry


def to_geojson(geometry: BaseGeometry, decimals: int = 6) -> dict[str, Any]:
    """Return the geometry as a GeoJSON mapping, rounded (6 decimals are 0.1 m)."""
    rounded = shapely.transform(geometry, lambda p: np.round(p, decimals))
    return dict(mapping(rounded))


def _gcj_shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 105.0, lat - 35.0
    pi = np.pi
    root = np.sqrt(np.abs(x))
    wave = 20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    d_lat = d_lat + (wave + 20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)) * 2.0 / 3.0
    d_lat = d_lat + (160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y * pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    d_lon = d_lon + (wave + 20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)) * 2.0 / 3.0
    d_lon = d_lon + (150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)) * 2.0 / 3.0
    rad = np.radians(lat)
    magic = 1.0 - _GCJ_E2 * np.sin(rad) ** 2
    d_lat = d_lat * 180.0 / ((_GCJ_A * (1 - _GCJ_E2)) / (magic * np.sqrt(magic)) * pi)
    d_lon = d_lon * 180.0 / (_GCJ_A / np.sqrt(magic) * np.cos(rad) * pi)
    return d_lon, d_lat


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return GCJ-02 degrees, as Chinese map services use them, of WGS84 degrees.

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02(121.4900, 31.2400)
    >>> round(float(lon) - 121.49, 4), round(float(lat) - 31.24, 4)
    (0.0045, -0.002)
    """
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    d_lon, d_lat = _gcj_shift(lon, lat)
    return lon + d_lon, lat + d_lat


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return WGS84 degrees of GCJ-02 degrees, by fixed-point iteration to 1e-9 degrees (0.1 mm)."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    out_lon, out_lat = lon, lat
    for _ in range(6):  # the shift's slope is below 1e-3, so each round gains three digits
        d_lon, d_lat = _gcj_shift(out_lon, out_lat)
        out_lon, out_lat = lon - d_lon, lat - d_lat
    return out_lon, out_lat


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return GCJ-02 degrees of BD-09 degrees."""
    x, y = np.asarray(lon, float) - 0.0065, np.asarray(lat, float) - 0.006
    radius = np.hypot(x, y) - 0.00002 * np.sin(y * _BD_TURN)
    angle = np.arctan2(y, x) - 0.000003 * np.cos(x * _BD_TURN)
    return radius * np.cos(angle), radius * np.sin(angle)


def bd09_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return WGS84 degrees of BD-09 degrees (about 1 m: BD-09 has no exact inverse)."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def into_wgs84(geometry: G, datum: str) -> G:
    """Return the geometry in WGS84 degrees, given in a declared ``datum``: wgs84, gcj02 or bd09.

    Raises
    ------
    BadInput
        If the datum is none of the three.
    """
    ways = {"wgs84": None, "gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}
    if datum not in ways:
        raise BadInput(f"datum={datum!r}", "must be wgs84, gcj02 or bd09", "declare what the file holds")
    way = ways[datum]
    if way is None:
        return geometry
    return shapely.transform(geometry, lambda p: np.column_stack(way(p[:, 0], p[:, 1])))
