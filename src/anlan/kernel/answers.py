"""What a district answers: plain records for screens, terminals and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shapely.geometry.base import BaseGeometry

from anlan.kernel.alerts import Alert, Basis
from anlan.kernel.geo import Area2D
from anlan.kernel.ingress import Tally
from anlan.kernel.records import LEAST_PERSONS, Device, DeviceKind, Estimate, Label, Place, UnknownReason


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
    """It reports, but what it sends is refused, or cannot be believed."""
    WITHDRAWN = "withdrawn"
    """Somebody took it out; what it sends is kept and not used."""


class Fault(StrEnum):
    """What may be wrong with a device that reports."""

    ZERO = "zero"
    """It counts nobody where many are to be expected."""
    STUCK = "stuck"
    """It repeats one count."""
    LOST = "lost"
    """It counts about half, or less, of what is to be expected."""
    SWAPPED = "swapped"
    """In and out have changed places."""
    CLOCK = "clock"
    """Its clock drifts: the ends of its windows move."""
    RESTARTED = "restarted"
    """It has begun anew to number its messages."""
    CONTRADICTS = "contradicts"
    """It counts what no other device can be reconciled with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What a device is suspected of, with the evidence.

    ``left_out`` tells whether the estimate does without it meanwhile. Of a swapped device, counted and expected are the
    part of those who went in; ``ratio`` is counted over expected where a device contradicts the others, ``off_s`` by
    how much a clock has drifted.
    """

    fault: Fault
    left_out: bool = False
    since_at: datetime | None = None
    counted_per_min: float | None = None
    expected_per_min: float | None = None
    minutes: int | None = None
    off_s: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """A device, how it is doing and why, and what it last counted."""

    device: Device
    state: DeviceState
    reason: str | None
    per_minute: float | None
    """People per minute over the line, both directions, in its last window; None for devices without a line."""
    tally: Tally | None
    suspicion: Suspicion | None = None

    @property
    def delay_s(self) -> float | None:
        """How long after its window the newest count came in, s; None where nothing has."""
        told = self.tally
        if told is None or told.last_end_at is None or told.last_received_at is None:
            return None
        return (told.last_received_at - told.last_end_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well the devices see an area.

    ``relative_sd`` of its people now, ``unseen_sd`` what it would be without any device; ``seen_share`` (0..1) is by
    how much the devices have narrowed it; ``told_by`` are the devices that see a part of it.
    """

    relative_sd: float | None
    unseen_sd: float | None
    seen_share: float | None
    told_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCoverage:
    """An area and how well it is seen."""

    area_id: str
    name: Label
    coverage: Coverage


class SiteKind(StrEnum):
    """What could stand at a site."""

    CAMERA = "camera"
    """A camera that counts the people in its view."""
    COUNTER = "counter"
    """A counter over a line across a street."""
    HIGH = "high"
    """A camera from a high viewpoint, which sees far and less exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProposal:
    """A site for a new device (degrees).

    ``narrows`` is the part of the summed variance of all squares that it takes away, ``sd_left`` what is then left of
    the spread, both after those proposed before it.
    """

    kind: SiteKind
    name: Label
    geometry: BaseGeometry
    narrows: float
    sd_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """People at a moment, of the past or expected. Unknown is None; under ten are ``hidden``, as in an estimate.

    ``low`` and ``high`` are None where only the mean was kept.
    """

    at: datetime
    occupancy: float | None
    low: float | None
    high: float | None
    hidden: bool = False

    @classmethod
    def told(cls, at: datetime, persons: float, low: float | None = None, high: float | None = None) -> CurvePoint:
        """Return a point of so many people, or of fewer than ten, where no number is told.

        Examples
        --------
        >>> from datetime import UTC
        >>> one = CurvePoint.told(datetime(2026, 12, 31, 3, tzinfo=UTC), 4.2, 1.0, 9.0)
        >>> one.occupancy, one.low, one.high, one.hidden
        (None, None, 10.0, True)
        """
        if persons < LEAST_PERSONS:
            return cls(at=at, occupancy=None, low=None, high=LEAST_PERSONS, hidden=True)
        return cls(at=at, occupancy=persons, low=low, high=high)

    @classmethod
    def of(cls, made: Estimate) -> CurvePoint:
        """Return the point of an estimate that was kept."""
        return cls(at=made.at, occupancy=made.occupancy, low=made.low, high=made.high, hidden=made.hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """People expected in a place: ``points`` with their 90 % intervals, none where ``basis`` is None.

    ``days`` is how much history there is; ``by_weather`` whether something else would be told if nothing of the weather
    were known.
    """

    made_at: datetime
    basis: Basis | None
    days: float
    points: tuple[CurvePoint, ...]
    by_weather: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFlow:
    """People over a drawn line per minute, with the 90 % interval of both ways together.

    ``in_per_min`` is from the line's left to its right, seen from its first point to its last; None where no device
    tells directions. ``counted_share`` (0..1) is the part that ``devices`` counted; the rest is inferred from density
    and walking speed. ``width_m`` is walkable. So few that no number is told are ``hidden``, as in an estimate.
    """

    width_m: float
    devices: tuple[str, ...]
    per_min: float | None = None
    low_per_min: float | None = None
    high_per_min: float | None = None
    in_per_min: float | None = None
    out_per_min: float | None = None
    counted_share: float | None = None
    freshness_s: float | None = None
    hidden: bool = False
    unknown: UnknownReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderFlow:
    """People, or vehicles, over all ``lines`` on the border, per minute over the last ``over_s`` seconds.

    ``counted_*`` is what the lines that report counted. The whole (``in_per_min``, ``out_per_min``) is unknown where a
    line is ``silent``, or where there is none. ``net_sd_per_min`` is the deviation of in minus out.
    """

    lines: tuple[str, ...]
    silent: tuple[str, ...]
    over_s: float = 0.0
    counted_in_per_min: float | None = None
    counted_out_per_min: float | None = None
    in_per_min: float | None = None
    out_per_min: float | None = None
    net_sd_per_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderNow:
    """What goes over the district's border; ``at`` is None before the first minute."""

    at: datetime | None
    people: BorderFlow
    vehicles: BorderFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A saved polygon (degrees) that is counted every minute."""

    watch_id: str
    version: int
    name: str
    polygon: Area2D
    estimate: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """That somebody on duty has seen, or closed, something: in which role, when, and what was noted."""

    by: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNow:
    """An alert with its present numbers, and what those on duty have done about it."""

    alert: Alert
    name: Label
    version: int
    acknowledged: Mark | None
    closed: Mark | None

    @property
    def standing(self) -> bool:
        """Whether it asks for somebody: it has not ended, and nobody has closed it."""
        return self.alert.ended_at is None and self.closed is None


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
    """What made a number. ``explained`` is the part of what is unknown without any source that all take off.

    ``usual`` is how many a survey counted there at this hour; None without one, and where it counted fewer than ten.
    """

    explained: float
    by_kind: Mapping[DeviceKind, float]
    sources: tuple[SourceShare, ...]
    narrower: Narrower | None
    usual: float | None = None
