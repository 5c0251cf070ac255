"""Measures to try before ordering them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import Field

from anlan.command import views
from anlan.command.api.asked import Opened
from anlan.command.api.forms import Form, GeoJson, Level, Moment, Refused
from anlan.crowd.whatif import Band, Measure, MeasureKind, PlaceChange
from anlan.district import District
from anlan.kernel.errors import BadInput
from anlan.kernel.geo import polygon_from
from anlan.kernel.records import LEAST_PERSONS

router = APIRouter(tags=["what-if"])


class Ask(Form):
    """A measure, and where: a place of the district, or a polygon."""

    kind: Literal["closure", "one_way", "metering", "staged_crossing", "skip_stop", "extra_exit"]
    place: str | None = Field(None, description="Id of a place.", examples=["bund"])
    polygon: GeoJson | None = None
    gateway: str | None = Field(
        None, description="Id of the gateway that is skipped, or of a station: the common begin of its entrances' ids."
    )
    per_minute: float | None = Field(None, description="Most people let in, per minute.")
    bearing_deg: float | None = Field(None, description="Direction allowed, clockwise from north.")
    open_s: float | None = Field(None, description="How long it is open in every cycle, s.")
    cycle_s: float | None = None
    width_m: float | None = Field(None, description="Clear width of the extra exit.")
    minutes: int = Field(60, description="How far ahead, 5 to 180.")


class BandForm(Form):
    """Mean of the ensemble, with the 90 % interval."""

    mean: float
    low: float
    high: float


class CurveForm(Form):
    """People at the end of each minute: mean, low and high, null where they are too few to be told."""

    without: list[tuple[int, int, int] | None]
    under: list[tuple[int, int, int] | None]


class Changed(Form):
    """A place without and with the measure. ``hidden``: so few people that nothing is told."""

    id: str
    hidden: bool
    without: BandForm | None
    under: BandForm | None
    difference: BandForm | None
    peak_without_per_m2: BandForm | None
    peak_under_per_m2: BandForm | None
    service_without: Level | None
    service_under: Level | None
    crowded_without_min: BandForm | None
    crowded_under_min: BandForm | None
    curve: CurveForm | None = Field(description="Null where the measure makes a difference of under ten all the time.")


class Tried(Form):
    """What changes within the time: by place, by cell, and who is cut off."""

    at: Moment
    minutes: int
    n_members: int = Field(description="Size of the ensemble.")
    known_share: float = Field(description="Share of people who are where a device of presence reports.")
    places: list[Changed]
    cells: list[tuple[int, int, float, float]] = Field(
        description="Row from the north, column, persons more or fewer, their standard deviation; where at least ten."
    )
    under_way: BandForm = Field(description="How many more are on the way or waiting at once, at the worst minute.")
    under_way_h: BandForm = Field(description="How much longer all together are on the way or waiting, person-hours.")
    turned_away: BandForm = Field(description="People who would have come and do not.")
    cut_off: float = Field(description="People who could leave the district before and cannot under the measure.")
    cut_off_places: list[str]


class Cleared(Form):
    """How long clearing takes; null where longer than four hours. Those without a way out are told apart."""

    persons: float
    half_s: float | None
    most_s: float | None = Field(description="Until 95 % are out.")
    all_s: float | None
    no_way_out: float


@router.post("/what-if", response_model=Tried | Refused, summary="Try a measure against doing nothing")
def try_measure(district: Opened, ask: Ask) -> dict[str, Any]:
    """Return the differences by place and cell, with their uncertainty, and who would be cut off."""
    measure = Measure(
        kind=MeasureKind(ask.kind),
        polygon=_where(district, ask),
        gateway_id=ask.gateway,
        per_minute=ask.per_minute,
        bearing_deg=ask.bearing_deg,
        open_s=ask.open_s,
        cycle_s=ask.cycle_s,
        width_m=ask.width_m,
    )
    made, cells = district.try_measure(measure, minutes=ask.minutes), district.cells
    told = [k for k in range(len(cells)) if abs(made.difference[k]) >= LEAST_PERSONS]
    return {
        "at": views.moment(made.at),
        "minutes": made.minutes,
        "n_members": made.n_members,
        "known_share": round(made.known_share, 3),
        "places": [_changed(one) for one in made.places],
        "cells": [
            (
                cells.n_rows - 1 - int(cells.row[k]),
                int(cells.column[k]),
                float(round(made.difference[k])),
                float(round(made.difference_sd[k])),
            )
            for k in told
        ],
        "under_way": _band(made.under_way, 0),
        "under_way_h": _band(made.under_way_h, 0),
        "turned_away": _band(made.turned_away, 0),
        "cut_off": round(made.n_cut_off),
        "cut_off_places": list(made.cut_off_places),
    }


@router.post(
    "/clearance", response_model=Cleared | Refused, summary="How long clearing a polygon or the district takes"
)
def clear(
    district: Opened, polygon: Annotated[dict[str, Any] | None, Body(embed=True, description="GeoJSON")] = None
) -> dict[str, Any]:
    """Return until when half, 95 % and all are out, and who has no way."""
    made = district.clearance(polygon)
    return {
        "persons": round(made.n_persons),
        "half_s": made.half_s,
        "most_s": made.most_s,
        "all_s": made.all_s,
        "no_way_out": round(made.n_stuck),
    }


def _where(district: District, ask: Ask) -> Any:
    if ask.place is not None and ask.polygon is not None:
        raise BadInput(f"place={ask.place!r} and a polygon", "must not both be given", "choose one")
    if ask.place is not None:
        return district.pack.place(ask.place).polygon
    return None if ask.polygon is None else polygon_from(ask.polygon)


def _band(made: Band | None, digits: int) -> dict[str, float] | None:
    if made is None:
        return None
    return {name: round(getattr(made, name), digits) for name in ("mean", "low", "high")}


def _changed(one: PlaceChange) -> dict[str, Any]:
    return {
        "id": one.place_id,
        "hidden": one.hidden,
        "without": _band(one.without, 0),
        "under": _band(one.under, 0),
        "difference": _band(one.difference, 0),
        "peak_without_per_m2": _band(one.peak_without_per_m2, 2),
        "peak_under_per_m2": _band(one.peak_under_per_m2, 2),
        "service_without": one.service_without,
        "service_under": one.service_under,
        "crowded_without_min": _band(one.crowded_without_min, 1),
        "crowded_under_min": _band(one.crowded_under_min, 1),
        "curve": _curve(one),
    }


def _curve(one: PlaceChange) -> dict[str, Any] | None:
    """Return both curves where the measure makes a difference that can be told at any minute."""
    pairs = zip(one.curve_without, one.curve_under, strict=True)
    if not any(a is None or b is None or abs(b.mean - a.mean) >= LEAST_PERSONS for a, b in pairs):
        return None
    without, under = (
        [None if band is None else (round(band.mean), round(band.low), round(band.high)) for band in bands]
        for bands in (one.curve_without, one.curve_under)
    )
    return {"without": without, "under": under}
