"""What a commander can order, as a record, and what it does to the ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from anlan.crowd.cells import Cells
from anlan.crowd.whatif.ground import DIRECTIONS, Ground
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.pack import Pack

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class MeasureKind(StrEnum):
    """What is ordered."""

    CLOSURE = "closure"
    ONE_WAY = "one_way"
    METERING = "metering"
    STAGED_CROSSING = "staged_crossing"
    SKIP_STOP = "skip_stop"
    EXTRA_EXIT = "extra_exit"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure to try.

    Attributes
    ----------
    kind : MeasureKind
        ``closure``: nobody may enter the polygon, whoever is inside leaves. ``one_way``: in the polygon nobody walks
        against the bearing. ``metering``: at most ``per_minute`` people enter it. ``staged_crossing``: it is entered
        during the first ``open_s`` of every ``cycle_s``. ``skip_stop``: the gateway, or every entrance of
        the station (``metro-people`` has ``metro-people-1`` and so on), takes and gives nobody.
        ``extra_exit``: people may leave the district in the polygon, over ``width_m`` metres.
    polygon : Polygon or MultiPolygon, degrees, optional
        Where; every kind but ``skip_stop`` needs it.
    bearing_deg : float, optional
        Clockwise from north, 0 to 360.

    Raises
    ------
    BadInput
        If what its kind needs is missing or out of range.
    """

    kind: MeasureKind
    polygon: BaseGeometry | None = None
    gateway_id: str | None = None
    per_minute: float | None = None
    bearing_deg: float | None = None
    open_s: float | None = None
    cycle_s: float | None = None
    width_m: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be ordered."""
        kind = self.kind
        if kind is MeasureKind.SKIP_STOP and not self.gateway_id:
            raise BadInput("gateway_id=None", "must be given for skip_stop", "name the station that is skipped")
        if kind is not MeasureKind.SKIP_STOP and self.polygon is None:
            raise BadInput("polygon=None", f"must be given for {kind}", "draw where it applies, or name a place")
        if kind is MeasureKind.METERING:
            _within("per_minute", self.per_minute, 0.0, 100_000.0, "persons per minute")
        if kind is MeasureKind.ONE_WAY:
            _within("bearing_deg", self.bearing_deg, 0.0, 360.0, "degrees from north")
        if kind is MeasureKind.EXTRA_EXIT:
            _within("width_m", self.width_m, 0.5, 500.0, "metres")
        if kind is MeasureKind.STAGED_CROSSING:
            cycle = _within("cycle_s", self.cycle_s, 30.0, 3600.0, "seconds")
            _within("open_s", self.open_s, 0.0, cycle, "seconds")


def _within(name: str, value: float | None, low: float, high: float, unit: str) -> float:
    if value is None or not low <= value <= high:
        raise BadInput(f"{name}={value}", f"must be {low:g} to {high:g} {unit}", "correct it")
    return value


@dataclass(frozen=True, eq=False)
class Ordered:
    """The ground under a measure.

    ``gated`` (n, 4) tells which borders only so many may cross; ``inside`` (n,) where it is; ``shut`` (e,) which ways
    out are shut.
    """

    ground: Ground
    gated: Mask
    inside: Mask
    shut: Mask
    measure: Measure | None = None

    @classmethod
    def nothing(cls, ground: Ground) -> Ordered:
        """Return the ground as it is."""
        n = len(ground)
        return cls(ground, np.zeros((n, 4), bool), np.zeros(n, bool), np.zeros(len(ground.exit_cell), bool))

    @classmethod
    def of(cls, ground: Ground, pack: Pack, cells: Cells, measure: Measure) -> Ordered:
        """Lay a measure over the ground.

        Raises
        ------
        NotFound, BadInput
            If the gateway is unknown, or the polygon touches no ground of the district that can be walked on.
        """
        plain = replace(cls.nothing(ground), measure=measure)
        if measure.kind is MeasureKind.SKIP_STOP:
            shut = np.array([_is_of(one, measure.gateway_id or "") for one in ground.exit_id])
            if not shut.any():
                known = ", ".join(ground.exit_id[:5])
                raise NotFound(f"gateway_id={measure.gateway_id!r}", f"is no gateway ({known} ...)", "choose one")
            return replace(plain, shut=shut)
        inside = cells_in(pack, cells, measure.polygon)
        into = ground.into(inside)
        plain = replace(plain, inside=inside)
        match measure.kind:
            case MeasureKind.CLOSURE:
                # A way out that lies inside takes whoever is inside, and gives nobody.
                return replace(plain, ground=ground.without(into), shut=inside[ground.exit_cell])
            case MeasureKind.ONE_WAY:
                angle = np.radians(measure.bearing_deg or 0.0)
                against = DIRECTIONS @ np.array([np.sin(angle), np.cos(angle)]) < -0.38  # more than 112° off
                return replace(plain, ground=ground.without(inside[:, None] & against[None, :]))
            case MeasureKind.EXTRA_EXIT:
                number = np.flatnonzero(inside)
                wide = np.full(len(number), (measure.width_m or 0.0) / len(number))
                more = replace(
                    ground,
                    exit_cell=np.concatenate([ground.exit_cell, number]),
                    exit_m=np.concatenate([ground.exit_m, wide]),
                    exit_id=(*ground.exit_id, *[""] * len(number)),
                )
                return replace(plain, ground=more, shut=np.zeros(len(more.exit_cell), bool))
            case _:
                return replace(plain, gated=into)

    @property
    def emptied(self) -> bool:
        """Whether whoever is inside has to go."""
        return self.measure is not None and self.measure.kind is MeasureKind.CLOSURE

    def allowed(self, n_steps: int, step_s: float) -> tuple[Floats, Floats]:
        """Return how many may cross the gated borders in each step, and for which share of it they are open.

        Both are of shape (n_steps,).
        """
        asked, most, ajar = self.measure, np.full(n_steps, np.inf), np.ones(n_steps)
        if asked is not None and asked.kind is MeasureKind.METERING:
            most[:] = (asked.per_minute or 0.0) * step_s / 60
        if asked is not None and asked.kind is MeasureKind.STAGED_CROSSING and asked.cycle_s:
            ends = np.arange(n_steps + 1) * step_s
            opened = ends // asked.cycle_s * (asked.open_s or 0.0) + np.minimum(ends % asked.cycle_s, asked.open_s or 0)
            ajar = np.diff(opened) / step_s
        return most, ajar


def _is_of(gateway_id: str, asked: str) -> bool:
    """Return whether it is that gateway, or an entrance of that station, whose ids continue the station's by a dash."""
    return gateway_id == asked or gateway_id.startswith(f"{asked}-")


def cells_in(pack: Pack, cells: Cells, polygon: BaseGeometry | None) -> Mask:
    """Return the cells of which at least half lies in a polygon (degrees), or the one with most of it.

    Raises
    ------
    BadInput
        If it touches no ground of the district that can be walked on.
    """
    inside = np.zeros(len(cells), bool)
    if polygon is not None:
        index, share = cells.shares(pack.projection.project_near(polygon))
        inside[index[share >= 0.5]] = True
        if not inside.any() and len(index):
            inside[index[share.argmax()]] = True
    if not inside.any():
        raise BadInput(
            "polygon",
            "must lie on ground of the district that can be walked on",
            "draw it inside the outline",
        )
    return inside
