"""What a district is made of, as read from its pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import NotFound
from anlan.kernel.geo import Area2D, Projection
from anlan.kernel.ladders import Ladder
from anlan.kernel.records import Calendar, Device, Gateway, Label, Place, Post, Station, Street, Unit

PACK_FORMAT = 1
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Usual:
    """How many people are usually where in public space, as a survey of footfall found it on ordinary days.

    Attributes
    ----------
    lon, lat : float64, shape (n,)
        Centres of the squares that were looked at, degrees.
    size_m : float64, shape (n,)
        Their sides, along east and north.
    hours : tuple of int
        Local hours at which they were looked at, rising.
    persons : float64, shape (n, len(hours))
        People present; NaN where nobody looked.
    """

    lon: Floats
    lat: Floats
    size_m: Floats
    hours: tuple[int, ...]
    persons: Floats


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A district as data. All geometry is in degrees WGS84, longitude first.

    ``block_share`` is the part of the ground between streets that can be walked on (lanes, courts, forecourts).
    """

    pack_id: str
    version: str
    name: Label
    time_zone: str
    languages: tuple[str, ...]
    lon: float
    lat: float
    areas: AreaTree
    places: tuple[Place, ...] = ()
    streets: tuple[Street, ...] = ()
    devices: tuple[Device, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    water: tuple[Area2D, ...] = ()
    green: tuple[Area2D, ...] = ()
    stations: tuple[Station, ...] = ()
    posts: tuple[Post, ...] = ()
    units: tuple[Unit, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    ladders: tuple[Ladder, ...] = ()
    usual: Usual | None = None
    """A survey of footfall, where the district has one."""
    cell_m: float = 25.0
    block_share: float = 0.1
    schematic: bool = False
    notice: Label = field(default_factory=dict)
    """Shown on every map: that it is schematic, or whose data it is."""
    attribution: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Published figures of the district by name: ``residents``, ``visitors_per_day``, ``area_km2`` ..."""
    folder: Path | None = None

    @cached_property
    def projection(self) -> Projection:
        """The local plane in which everything is computed."""
        return Projection(self.lon, self.lat)

    @cached_property
    def boundary(self) -> Area2D:
        """The district's outline (degrees): the root area, or the hull of everything drawn where it has none."""
        if self.areas.root.polygon is not None:
            return self.areas.root.polygon
        return Polygon()

    def device(self, device_id: str) -> Device:
        """Return the device of that id.

        Raises
        ------
        NotFound
            If the pack has none.
        """
        try:
            return self._devices[device_id]
        except KeyError:
            raise NotFound(
                f"device_id={device_id!r}", "is not in the district pack", "add it to devices.geojson, or list devices"
            ) from None

    def place(self, place_id: str) -> Place:
        """Return the place of that id.

        Raises
        ------
        NotFound
            If the pack has none.
        """
        try:
            return self._places[place_id]
        except KeyError:
            raise NotFound(f"place_id={place_id!r}", "is not in the district pack", "list the places") from None

    @cached_property
    def _devices(self) -> dict[str, Device]:
        return {device.device_id: device for device in self.devices}

    @cached_property
    def _places(self) -> dict[str, Place]:
        return {place.place_id: place for place in self.places}
