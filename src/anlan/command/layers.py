"""Sheets of bytes that many screens ask for: the map's layers and the density, packed once, with a fingerprint."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from fastapi import Request
from shapely.geometry.base import BaseGeometry
from starlette.responses import Response

from anlan.kernel.errors import NotFound
from anlan.kernel.geo import to_geojson
from anlan.kernel.pack import Pack
from anlan.kernel.records import Label

NOT_WALKABLE = 65535
UNKNOWN = 65534
MOST = 65000
"""Densities are told in thousandths of a person per m², up to 65 persons per m²."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Bytes to send, plain and packed, and their fingerprint."""

    plain: bytes
    packed: bytes
    etag: str
    media_type: str

    @classmethod
    def of(cls, plain: bytes, media_type: str) -> Sheet:
        """Pack bytes."""
        digest = hashlib.sha256(plain).hexdigest()[:20]
        return cls(plain, gzip.compress(plain, 5, mtime=0), f'W/"{digest}"', media_type)

    def answer(self, request: Request, headers: Mapping[str, str] | None = None) -> Response:
        """Return these bytes, or 304 where the asker has them; packed where it can unpack."""
        told = {"etag": self.etag, "cache-control": "no-cache", "vary": "Accept-Encoding", **(headers or {})}
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=told)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.packed, media_type=self.media_type, headers={**told, "content-encoding": "gzip"})
        return Response(self.plain, media_type=self.media_type, headers={**told, "content-encoding": "identity"})


class Layers:
    """The layers of a district's map as GeoJSON in degrees. Each is made when it is first asked for, then kept."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._makers: dict[str, Callable[[Pack], Iterable[dict[str, Any]]]] = dict(_MAKERS)
        self._sheets: dict[str, Sheet] = {}
        self._lock = threading.Lock()
        self._density: tuple[bytes, Sheet] | None = None

    def layer(self, name: str) -> Sheet:
        """Return a layer.

        Raises
        ------
        NotFound
            If there is no layer of that name.
        """
        if name not in self._makers:
            raise NotFound(f"layer={name!r}", f"must be one of {', '.join(self._makers)}", "choose one")
        return self._kept(name, lambda: self._makers[name](self._pack))

    def areas(self, level: str) -> Sheet:
        """Return the areas of a level that have an outline.

        Raises
        ------
        NotFound
            If the district has no such level.
        """
        known = [one.key for one in self._pack.areas.levels]
        if level not in known:
            raise NotFound(f"level={level!r}", f"must be one of {', '.join(known)}", "choose one")
        return self._kept(f"areas/{level}", lambda: _areas(self._pack, level))

    def density(self, per_m2: npt.NDArray[np.float64]) -> Sheet:
        """Return densities packed as the API tells them; the last one is kept."""
        plain = packed_density(per_m2)
        kept = self._density
        if kept is None or kept[0] != plain:
            kept = (plain, Sheet.of(plain, "application/octet-stream"))
            self._density = kept
        return kept[1]

    def _kept(self, key: str, make: Callable[[], Iterable[dict[str, Any]]]) -> Sheet:
        with self._lock:
            if key not in self._sheets:
                collection = {"type": "FeatureCollection", "features": list(make())}
                text = json.dumps(collection, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
                self._sheets[key] = Sheet.of(text.encode(), "application/geo+json")
            return self._sheets[key]


def packed_density(per_m2: npt.NDArray[np.float64]) -> bytes:
    """Return densities as little-endian uint16, thousandths of a person per m², row by row.

    Examples
    --------
    >>> np.frombuffer(packed_density(np.array([0.0, 1.5, 99.0, np.inf, np.nan])), "<u2").tolist()
    [0, 1500, 65000, 65534, 65535]
    """
    told = np.full(per_m2.shape, NOT_WALKABLE, "<u2")
    told[np.isposinf(per_m2)] = UNKNOWN
    known = np.isfinite(per_m2)
    told[known] = np.minimum(np.round(np.maximum(per_m2[known], 0) * 1000), MOST).astype("<u2")
    return told.tobytes()


def _feature(geometry: BaseGeometry, name: Label, **properties: Any) -> dict[str, Any]:
    names = {f"name_{language}": text for language, text in name.items()}
    return {"type": "Feature", "properties": {**properties, **names}, "geometry": to_geojson(geometry)}


def _areas(pack: Pack, level: str) -> Iterable[dict[str, Any]]:
    for area in pack.areas.of_level(level):
        if area.polygon is not None:
            yield _feature(area.polygon, area.name, id=area.area_id, parent=area.parent_id, level=level)


def _boundary(pack: Pack) -> Iterable[dict[str, Any]]:
    if not pack.boundary.is_empty:
        yield _feature(pack.boundary, pack.name, id=pack.areas.root.area_id)


def _places(pack: Pack) -> Iterable[dict[str, Any]]:
    for place in pack.places:
        own = {"kind": place.kind, "capacity": place.capacity, "closed": place.closed, "key": place.key}
        yield _feature(place.polygon, place.name, id=place.place_id, **own)


def _streets(pack: Pack) -> Iterable[dict[str, Any]]:
    for street in pack.streets:
        own = {"class": street.street_class, "width_m": street.width_m, "oneway": street.oneway, "walk": street.walk}
        yield _feature(street.line, street.name, id=street.street_id, **own)


def _devices(pack: Pack) -> Iterable[dict[str, Any]]:
    for device in pack.devices:
        own = {"kind": device.kind.value, "place": device.place_id, "directed": device.directed}
        yield _feature(device.geometry, device.name, id=device.device_id, **own)


_MAKERS: Mapping[str, Callable[[Pack], Iterable[dict[str, Any]]]] = {
    "boundary": _boundary,
    "water": lambda pack: (_feature(polygon, {}, id=f"water-{k}") for k, polygon in enumerate(pack.water)),
    "green": lambda pack: (_feature(polygon, {}, id=f"green-{k}") for k, polygon in enumerate(pack.green)),
    "streets": _streets,
    "places": _places,
    "devices": _devices,
    "gateways": lambda pack: (_feature(g.point, g.name, id=g.gateway_id, kind=g.kind) for g in pack.gateways),
    "stations": lambda pack: (_feature(s.point, s.name, id=s.station_id) for s in pack.stations),
    "posts": lambda pack: (_feature(p.point, p.name, id=p.post_id) for p in pack.posts),
}
