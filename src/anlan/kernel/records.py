"""Plain records that cross the floors. Frozen, named with units, and with no room for a person's identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D

Label = Mapping[str, str]
"""A text in the district's languages: ``{"zh": "外滩", "en": "The Bund"}``."""

Json = dict[str, Any]


class DeviceKind(StrEnum):
    """What a device counts."""

    GATE = "gate"
    """People in and out over a line at an entrance of a closed place."""
    PASSAGE = "passage"
    """People over a line across a street: both directions, or only their sum."""
    ROAD = "road"
    """Vehicles over a line across a road, each way. They are not people, and tell nothing of who is on foot."""
    AREA = "area"
    """People present in a field of view."""
    GRID = "grid"
    """People present in each square of a grid, aggregated by the holder of phone locations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSpec:
    """The squares of a location grid, aligned with the local plane of the district.

    Square ``k`` is column ``k % n_columns`` from the west and row ``k // n_columns`` from the south.
    ``west_m``, ``south_m`` are metres from the pack's centre.
    """

    west_m: float
    south_m: float
    size_m: float
    n_columns: int
    n_rows: int
    suppressed_below: int = 0
    market_share: float = 1.0
    """Told share of the people whom the holder sees (0..1]; the true one varies by place."""
    blur_m: float = 0.0
    """Standard deviation of the position error, metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A counting device, or a feed of counts.

    ``geometry`` (degrees): a line for gate and passage, a polygon for area and grid. Over a line, "in" is the
    crossing from its left side to its right side, seen from its first point to its last (ONVIF's rule for +1).
    """

    device_id: str
    kind: DeviceKind
    name: Label
    geometry: BaseGeometry
    place_id: str | None = None
    interval_s: float = 60.0
    expected_error: float = 0.05
    """Standard deviation of the relative error of one value (a fraction)."""
    directed: bool = True
    """False where a passage counter reports only the sum of both directions."""
    border: bool = False
    """True where its line stands on the district's border: "in" is into the district."""
    grid: GridSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Densities (1/m²) at which a place is noticed, warned of, restricted, closed; each higher than the last."""

    notice_per_m2: float = 2.0
    yellow_per_m2: float = 3.0
    orange_per_m2: float = 4.0
    red_per_m2: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A named place that people can be in: ``polygon`` (degrees) is where they can walk or stand."""

    place_id: str
    name: Label
    kind: str
    polygon: Area2D
    capacity: int | None = None
    closed: bool = False
    """True where every entrance has a gate device, so that in minus out is the change of occupancy."""
    walkable_share: float = 1.0
    """Part of the polygon that can be walked on (0..1]."""
    key: bool = False
    """True for a key area, which help must reach in one minute."""
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A street segment. ``width_m`` is what walkers may use (both pavements, or the whole of a pedestrian street)."""

    street_id: str
    name: Label
    street_class: str
    line: LineString
    width_m: float
    speed_kmh: float
    oneway: bool = False
    walk: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Where people come into the district: an entrance of the metro, a bus stop, a road at the border, a ferry."""

    gateway_id: str
    kind: str
    name: Label
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A building from which units start."""

    station_id: str
    name: Label
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A kerb at which a unit waits."""

    post_id: str
    name: Label
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A vehicle or patrol that responds: a team, never a person."""

    unit_id: str
    name: Label
    kind: str
    crew: int
    station_id: str | None = None
    post_id: str | None = None
    capabilities: tuple[str, ...] = ()
    """What it can do beyond what its kind can: ``medical``, ``crowd`` ... A playbook asks for them by name."""
    agency: str = ""
    """Whose it is; empty for the district's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Statutory rest days and make-up working days; a year not confirmed is a guess from weekdays alone."""

    rest_days: Mapping[date, Label] = field(default_factory=dict)
    working_days: Mapping[date, Label] = field(default_factory=dict)
    confirmed_years: frozenset[int] = frozenset()

    def is_working(self, on: date) -> bool:
        """Tell whether people work on that date: make-up days first, then rest days, then Monday to Friday."""
        if on in self.working_days:
            return True
        return on not in self.rest_days and on.weekday() < 5

    def lived(self, on: date) -> int:
        """Return the day of the week as it is lived, 0 Monday: a day of rest is a Sunday, a make-up day a Wednesday."""
        if on in self.working_days:
            return 2
        return 6 if on in self.rest_days else on.weekday()


Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one device counted between two moments. It has no field in which an identity would fit.

    Exactly one form is given: ``n_in`` with ``n_out`` (gate, passage), ``n_passed`` (a passage without direction),
    ``n_present`` (area), or ``counts`` (grid; NaN is a suppressed square, which is not zero).

    Raises
    ------
    BadInput
        If the window is empty, no form or more than one is given, or a count is below zero.
    """

    device_id: str
    begin_at: datetime
    end_at: datetime
    sequence: int
    n_in: int | None = None
    n_out: int | None = None
    n_passed: int | None = None
    n_present: int | None = None
    counts: Counts | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin_at", as_utc(self.begin_at, "begin_at"))
        object.__setattr__(self, "end_at", as_utc(self.end_at, "end_at"))
        if self.end_at <= self.begin_at:
            raise BadInput(
                f"end_at={self.end_at.isoformat()}", "must be after begin_at", "give the window of the count"
            )
        if self.sequence < 0:
            raise BadInput(f"sequence={self.sequence}", "must be >= 0", "count the device's messages from 0")
        if (self.n_in is None) != (self.n_out is None):
            raise BadInput("in without out", "must come as a pair", "send both, 0 where nobody crossed")
        scalars = (("in", self.n_in), ("out", self.n_out), ("passed", self.n_passed), ("present", self.n_present))
        for name, value in scalars:
            if value is not None and value < 0:
                raise BadInput(f"{name}={value}", "must be >= 0 people", "check the device for a counter reset")
        if self.counts is not None and bool((self.counts < 0).any()):
            raise BadInput(
                f"counts with {np.nanmin(self.counts):g}", "must be >= 0 people", "use null where suppressed"
            )
        without = (self.n_in is None, self.n_passed is None, self.n_present is None, self.counts is None)
        if without.count(False) != 1:
            raise BadInput(
                f"values of {self.device_id}", "must be one of in+out, passed, present, counts", "send one form"
            )


class UnknownReason(StrEnum):
    """Why a number is unknown. The texts in each language belong to the screens."""

    NOT_STARTED = "not_started"
    """No estimate has been made yet."""
    STALE = "stale"
    """Everything that informs this place is silent for longer than two of its intervals."""
    NO_DEVICE = "no_device"
    """Nothing that reports sees this place."""
    FLOW_ONLY = "flow_only"
    """Only passing people are counted here, which cannot tell how many are present."""
    TOO_SMALL = "too_small"
    """Under 400 m² of walkable area: a number could single out people."""
    NOT_WALKABLE = "not_walkable"
    """Nobody can walk here (water, no ground)."""


LEAST_PERSONS = 10.0
"""Of fewer people than these no number is told, of now, of then or of what is expected: it is "<10"."""
HIDDEN_PERSONS, HIDDEN_SD = 5.0, 3.0
"""What such a number is taken for where it goes into a mean or a trend: the middle of what it may be, give or take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How many people are somewhere, and how sure that is. Unknown is None with its reason, never zero.

    ``low``..``high`` holds the truth with probability ``level``. Under ten people expected, ``hidden`` is True and
    only ``high`` is given ("<10").
    """

    at: datetime
    walkable_m2: float
    occupancy: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.9
    density_per_m2: float | None = None
    level_of_service: str | None = None
    freshness_s: float | None = None
    """Age of the newest observation that informs this place."""
    hidden: bool = False
    unknown: UnknownReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change that somebody wants to make: one record of one kind gets a new body (None: it ends)."""

    kind: str
    record_id: str
    action: str
    actor: str
    body: Json | None
    expected_version: int | None = None
    """The version the writer saw; None where the record must be new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the log, chained to the line before by its hash."""

    change_id: int
    at: datetime
    kind: str
    record_id: str
    version: int
    action: str
    actor: str
    body: Json | None
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The current state of one thing, as the last change left it."""

    kind: str
    record_id: str
    version: int
    body: Json
    changed_at: datetime
