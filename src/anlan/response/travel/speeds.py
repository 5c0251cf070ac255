"""How fast who moves where and when: ways of moving as data, the hour, lights and siren, crowds and closures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.travel.graph import Ints, Mask, StreetGraph

FASTEST_KMH = 200.0
"""Nothing that drives in a district is faster; a higher number is a unit mistaken."""
HOURS = 24
ALL_DAY = (1.0,) * HOURS
TRAFFIC = (
    *(1.0, 1.0, 1.0, 1.0, 1.0, 0.95, 0.85, 0.65, 0.59, 0.62, 0.68, 0.70),
    *(0.72, 0.70, 0.70, 0.68, 0.65, 0.60, 0.59, 0.65, 0.75, 0.85, 0.92, 0.97),
)
"""Share of the free speed of cars by hour of a working day: an assumption shaped on the delay index of about 1.7 that
navigation firms print for Shanghai's peaks. Replace it with what your own vehicles record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What a turn costs, seconds, where traffic keeps to the right. A turn back is only made where it is allowed."""

    left_s: float = 0.0
    right_s: float = 0.0
    straight_s: float = 0.0
    """At a crossing of three streets or more, nothing on the way along one street."""
    back_s: float | None = 0.0
    """None forbids it, but in a dead end."""

    def __post_init__(self) -> None:
        for name in ("left_s", "right_s", "straight_s", "back_s"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 600:
                raise BadInput(f"{name}={value}", "must be 0 to 600 s", "give what the turn costs in seconds")

    @property
    def are_free(self) -> bool:
        """True where no turn costs anything, so that a search over junctions is exact."""
        return self.left_s == self.right_s == self.straight_s == self.back_s == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A way of moving.

    Parameters
    ----------
    key : str
        ``foot``, ``bicycle``, ``vehicle`` or a name of your own.
    kmh : mapping
        Speed by class of street, km/h. A class that is not named is not used; ``"*"`` stands for all others.
    of_limit : float, optional
        Instead of ``kmh`` for the classes not named: this share of the street's own speed.
    by_hour : tuple of 24 floats
        Share of that speed in each hour of the day.
    siren : float
        Factor on speed with lights and siren, and divisor of what turns cost.
    oneway : bool
        True where one-way rules hold (without lights and siren).
    siren_oneway : bool
        The same with lights and siren.
    walk_only : bool
        True where only streets with a walk are used.
    turns : Turns
    stops_at_per_m2 : float
        Density of people on a street at which nobody gets through any more; in between the speed falls in a line.

    Raises
    ------
    BadInput
        If a speed is negative, zero, not a number, or above 200 km/h; a share is not in 0..1; or hours are not 24.

    Examples
    --------
    >>> Mode(key="foot", kmh={"*": -5.0})
    Traceback (most recent call last):
    anlan.kernel.errors.BadInput: kmh['*']=-5.0 of mode 'foot' must be > 0 and <= 200 km/h; give the speed in km/h.
    """

    key: str
    kmh: Mapping[str, float] = field(default_factory=dict)
    of_limit: float | None = None
    by_hour: tuple[float, ...] = ALL_DAY
    siren: float = 1.0
    oneway: bool = False
    siren_oneway: bool = False
    walk_only: bool = False
    turns: Turns = field(default_factory=Turns)
    stops_at_per_m2: float = 6.0

    def __post_init__(self) -> None:
        for name, value in self.kmh.items():
            if not 0 < value <= FASTEST_KMH:
                raise BadInput(
                    f"kmh[{name!r}]={value} of mode {self.key!r}",
                    "must be > 0 and <= 200 km/h",
                    "give the speed in km/h",
                )
        if len(self.by_hour) != HOURS or not all(0 < share <= 1.5 for share in self.by_hour):
            raise BadInput(f"by_hour of mode {self.key!r}", "must be 24 shares in 0..1.5", "give one for each hour")
        if self.of_limit is not None and not 0 < self.of_limit <= 2:
            raise BadInput(
                f"of_limit={self.of_limit} of mode {self.key!r}", "must be in 0..2", "give a share of the limit"
            )
        if not 1 <= self.siren <= 3:
            raise BadInput(f"siren={self.siren} of mode {self.key!r}", "must be 1 to 3", "give the factor on speed")
        if not (self.stops_at_per_m2 > 0 and math.isfinite(self.stops_at_per_m2)):
            raise BadInput(
                f"stops_at_per_m2={self.stops_at_per_m2}",
                "must be > 0 people per m²",
                "give the density of a standstill",
            )
        object.__setattr__(self, "kmh", MappingProxyType(dict(self.kmh)))


FOOT = Mode(key="foot", kmh={"steps": 3.6, "*": 7.2}, walk_only=True, stops_at_per_m2=5.4)
"""Hurrying, 2.0 m/s: about where people change from walking to running (Hreljac 1993). A crowd stops at 5.4/m²
(Weidmann 1993)."""
BICYCLE = Mode(
    key="bicycle",
    kmh={
        "steps": 3.0,
        "footway": 8.0,
        "path": 8.0,
        "corridor": 6.0,
        "pedestrian": 8.0,
        "living_street": 12.0,
        "*": 15.0,
    },
    walk_only=True,
    turns=Turns(left_s=5.0, right_s=1.0, straight_s=3.0),
    stops_at_per_m2=1.5,
)
"""15 km/h on streets, the pace of city cycling; slower among walkers. An assumption: time your own."""
VEHICLE = Mode(
    key="vehicle",
    kmh={"pedestrian": 10.0, "footway": 6.0},
    of_limit=0.8,
    by_hour=TRAFFIC,
    siren=4 / 3,
    oneway=True,
    siren_oneway=True,
    turns=Turns(left_s=8.0, right_s=3.0, straight_s=4.0, back_s=25.0),
    stops_at_per_m2=0.7,
)
"""0.8 of the limit in free traffic. With lights and siren 4/3 as fast: the ratio in the road model of Manhattan that
comes with JEMSS (Ridler, Mason, Raith 2022). What turns cost is an assumption."""
MODES: Mapping[str, Mode] = {mode.key: mode for mode in (FOOT, BICYCLE, VEHICLE)}
_CARLESS = frozenset({"path", "steps", "corridor", "cycleway"})


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Conditions:
    """What holds at the moment: the hour, lights and siren, closed edges, people on the streets.

    Raises
    ------
    BadInput
        If the hour is not 0..23.
    """

    hour: int = 3
    siren: bool = False
    closed: Ints | None = None
    """Edges that nobody uses; see ``StreetGraph.crossing`` and ``edges_of``."""
    crowd_per_m2: Floats | None = None
    """People per m² of every edge (E,); NaN where nothing is known, which slows nobody."""

    def __post_init__(self) -> None:
        if not 0 <= self.hour < HOURS:
            raise BadInput(f"hour={self.hour}", "must be 0..23", "give the local hour of the day")


def speeds_kmh(graph: StreetGraph, mode: Mode, conditions: Conditions) -> Floats:
    r"""Return the speed on every edge, km/h; 0 where the mode does not go.

    .. math:: v_e = v_{c(e)} \, s_h \, f \, \max(0, 1 - \rho_e / \rho_0)

    with :math:`v_c` the mode's speed on the class of street, or its share of the street's own speed, :math:`s_h` the
    share in hour h, :math:`f` the factor of lights and siren, :math:`\rho_e` people per m² on the edge and
    :math:`\rho_0` the density at which the mode stands still.

    Parameters
    ----------
    graph : StreetGraph
    mode : Mode
    conditions : Conditions

    Returns
    -------
    array of shape (E,)

    Raises
    ------
    BadInput
        If a street's own speed is negative, zero or above 200 km/h, and the mode uses it; the street is named.
    """
    by_street = np.zeros(len(graph.streets))
    for k, street in enumerate(graph.streets):
        kmh = mode.kmh.get(street.street_class, mode.kmh.get("*", 0.0))
        if street.street_class not in mode.kmh and mode.of_limit is not None and street.street_class not in _CARLESS:
            if not 0 < street.speed_kmh <= FASTEST_KMH:
                raise BadInput(
                    f"speed_kmh={street.speed_kmh} of street {street.street_id!r}",
                    "must be > 0 and <= 200 km/h",
                    "correct it in streets.geojson",
                )
            kmh = mode.of_limit * street.speed_kmh
        by_street[k] = 0.0 if mode.walk_only and not street.walk else kmh
    speed = by_street[graph.street] * mode.by_hour[conditions.hour] * (mode.siren if conditions.siren else 1.0)
    if mode.siren_oneway if conditions.siren else mode.oneway:
        speed[graph.against] = 0.0
    if conditions.crowd_per_m2 is not None:
        speed *= np.clip(1 - np.nan_to_num(conditions.crowd_per_m2) / mode.stops_at_per_m2, 0.0, 1.0)
    if conditions.closed is not None:
        speed[conditions.closed] = 0.0
    return speed


def allowed(speed_kmh: Floats) -> Mask:
    """Return which edges one gets along at all: slower than a crawl of 0.2 km/h is blocked."""
    return np.asarray(speed_kmh > 0.2, np.bool_)


def turn_costs_s(turns: Turns, angle: npt.NDArray[np.float64], crossing: Mask) -> Floats:
    """Return what each turn costs, seconds; infinite where it is forbidden.

    ``angle`` is the change of direction in radians, -pi..pi, left positive; ``crossing`` tells where streets meet.
    """
    degrees = np.degrees(np.abs(angle))
    back = np.inf if turns.back_s is None else turns.back_s
    side = np.where(angle > 0, turns.left_s, turns.right_s)
    cost = np.where(degrees < 40, turns.straight_s, side)
    cost = np.where(crossing, cost, 0.0)
    return np.asarray(np.where(degrees > 170, back, cost), float)
