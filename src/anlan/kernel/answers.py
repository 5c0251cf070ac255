"""What a district answers: plain records for screens, terminals and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anlan.kernel.geo import Area2D
from anlan.kernel.ingress import Tally
from anlan.kernel.records import Device, DeviceKind, Estimate, Label, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceNow:
    """A place with its present estimate. ``share_of_capacity`` is a fraction, None where either is unknown."""

    place: Place
    estimate: Estimate
    share_of_capacity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaNow:
    """A node of the area tree with its present estimate."""

    area_id: str
    level: str
    parent_id: str | None
    name: Label
    estimate: Estimate


class DeviceState(StrEnum):
    """How a device is doing."""

    OK = "ok"
    """It reports in time."""
    LATE = "late"
    """It reports, but its counts come after their minute was estimated."""
    SILENT = "silent"
    """It has reported before, and not for longer than two of its intervals and a minute."""
    NEVER = "never"
    """It has not been heard of."""
    SUSPECT = "suspect"
    """It reports, but much of what it sends is refused."""
    WITHDRAWN = "withdrawn"
    """Somebody took it out; what it sends is kept and not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """A device, how it is doing and why, and what it last counted."""

    device: Device
    state: DeviceState
    reason: str | None
    per_minute: float | None
    """People per minute over the line, both directions, in its last window; None for devices without a line."""
    tally: Tally | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """People at a moment. ``low`` and ``high`` are None where only the mean was kept."""

    at: datetime
    occupancy: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A saved polygon (degrees) that is counted every minute."""

    watch_id: str
    version: int
    name: str
    polygon: Area2D
    estimate: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """A device, and its share (a fraction) in how sure a number is."""

    device_id: str
    kind: DeviceKind
    name: Label
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrower:
    """One more device that would narrow a number: its kind, where, and by what part the interval would shrink."""

    kind: DeviceKind
    place_id: str | None
    lon: float
    lat: float
    narrowed_by: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What made a number. ``explained`` is the part of what is unknown without any source that all take off."""

    explained: float
    by_kind: Mapping[DeviceKind, float]
    sources: tuple[SourceShare, ...]
    narrower: Narrower | None
