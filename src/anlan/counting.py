"""How many people are anywhere, now and before: the newest field, those kept with their uncertainty, the history."""

from __future__ import annotations

import json
import logging
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from anlan.crowd import (
    LEAST_M2,
    Cells,
    Counter,
    Estimator,
    Evidence,
    Field,
    Spots,
    State,
    count,
    why,
)
from anlan.kernel.answers import CurvePoint, Why
from anlan.kernel.clock import Clock
from anlan.kernel.geo import polygon_from
from anlan.kernel.pack import Pack
from anlan.kernel.records import LEAST_PERSONS, Estimate, UnknownReason
from anlan.store import QUARTER, DuckHistory, Persons, kept_persons, told_persons

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]
Shares = tuple[npt.NDArray[np.int64], Floats]
Shape: TypeAlias = Mapping[str, Any] | str | BaseGeometry
"""GeoJSON, WKT or a geometry, in degrees."""

SPREAD_EVERY = timedelta(minutes=5)
SPREAD_KEPT = timedelta(minutes=65)
"""Fields with their uncertainty stay this long in memory, so that a new polygon's last hour has intervals."""
NUMBERED = "cells.json"
"""The file in a district's folder that tells since when its cells have had their numbers."""
LEVEL_KEPT = 50
"""Levels of at most so many areas have their estimate stored every minute; larger ones are computed when asked."""


class Counting:
    """Answers about people in polygons of one district. What changes is the field; it is taken whole, once a minute."""

    def __init__(
        self, pack: Pack, cells: Cells, estimator: Estimator, history: DuckHistory, clock: Clock, folder: Path
    ) -> None:
        self._numbered = folder / NUMBERED
        self._since = _numbered_since(self._numbered, cells, clock.now())  # what was kept before is of other ground
        self._pack = pack
        self._cells = cells
        self._estimator = estimator
        self._history = history
        self._clock = clock
        self._zone = ZoneInfo(pack.time_zone)
        self.counter = Counter(pack, cells)
        self.field: Field | None = None
        self._state: State | None = None
        self._evidence: tuple[State, Evidence | None] | None = None
        self._spread: deque[Field] = deque()

    def nothing(self, shares: Shares) -> Estimate:
        """Return the estimate of a polygon of which nothing is known yet."""
        return self.counter.many(None, [shares], self._clock.now())[0]

    def take(self, field: Field, state: State) -> None:
        """Take the field of a new minute, and the state that it was made from."""
        self.field, self._state = field, state
        if field.at.timestamp() % SPREAD_EVERY.total_seconds() == 0:
            self._spread.append(field)
            while self._spread and field.at - self._spread[0].at > SPREAD_KEPT:
                self._spread.popleft()

    def forget(self) -> None:
        """Begin anew, where the district begins another day."""
        self.field, self._state, self._evidence = None, None, None
        self._spread.clear()
        self._since = None
        _note_numbered(self._numbered, self._cells, None)

    @staticmethod
    def kept(field: Field) -> Persons | None:
        """Return the people by cell of a minute, as the history keeps them; None where nothing tells of any."""
        told = np.isfinite(field.informed_until)
        return kept_persons(field.persons, told) if told.any() else None

    def count(self, polygon: Shape, at: datetime | None = None) -> Estimate:
        """Return how many people are in a polygon (degrees), now or at a moment of the past.

        Raises
        ------
        BadInput
            If it is no polygon, crosses itself, or lies outside the district.
        """
        geometry = polygon if isinstance(polygon, BaseGeometry) else polygon_from(polygon)
        if at is None:
            return count(self.counter, self.field, geometry, self._clock.now())
        kept = [field for field in self._spread if field.at <= at]
        if kept and at - kept[-1].at < SPREAD_EVERY:
            return count(self.counter, kept[-1], geometry, kept[-1].at)
        now = count(self.counter, None, geometry, at)
        found = self._kept_at(at)
        index, share = self.counter.shares(geometry)
        if found is None or now.unknown is not UnknownReason.NOT_STARTED:
            return now  # nothing kept of that moment, or too little ground to tell
        persons = float(_sums(found[1][index], share))
        if np.isnan(persons):
            return replace(now, unknown=UnknownReason.NO_DEVICE)
        if persons < LEAST_PERSONS:
            return replace(now, at=found[0], high=LEAST_PERSONS, hidden=True, unknown=None)
        return replace(now, at=found[0], occupancy=persons, density_per_m2=persons / now.walkable_m2, unknown=None)

    def curve(self, polygon: Shape, begin_at: datetime, end_at: datetime) -> list[CurvePoint]:
        """Return the people in a polygon (degrees) minute by minute; intervals where the uncertainty was kept."""
        geometry = polygon if isinstance(polygon, BaseGeometry) else polygon_from(polygon)
        index, share = self.counter.shares(geometry)
        if not len(index) or self.counter.walkable_m2((index, share)) < LEAST_M2:
            return []
        since = begin_at if self._since is None else max(begin_at, self._since)
        times, persons = self._history.occupancies(since, end_at, index)
        bands = {field.at: self.counter.many(field, [(index, share)], field.at)[0] for field in self._spread}
        points = []
        for at, total in zip(times, _sums(persons, share).tolist(), strict=True):
            band = bands.get(at)
            if np.isnan(total):
                points.append(CurvePoint(at=at, occupancy=None, low=None, high=None))
            else:
                points.append(CurvePoint.told(at, total, band.low if band else None, band.high if band else None))
        return points

    def quarters(self, geometry: BaseGeometry, begin_at: datetime, n_quarters: int) -> Floats:
        """Return the mean people in a polygon (degrees) over quarters of an hour, (T,); NaN where unknown."""
        index, share = self.counter.shares(geometry)
        if self.counter.walkable_m2((index, share)) < LEAST_M2:
            return np.full(n_quarters, np.nan)
        found = self._history.occupancy_quarters(index, share, begin_at, n_quarters)
        if self._since is not None:  # what was kept before is of other ground
            found[: max(math.ceil((self._since - begin_at) / QUARTER), 0)] = np.nan
        return found

    def part_of(self, geometry: BaseGeometry, subject_id: str) -> float:
        """Return which part of the walkable ground of a place ("place:bund") a polygon (degrees) has, 0 to 1."""
        place = next((one for one in self._pack.places if f"place:{one.place_id}" == subject_id), None)
        if place is None:
            return 0.0  # a plan may name a place that the pack has no more
        both, whole = np.zeros((2, len(self._cells)))
        for held, shape in ((both, geometry), (whole, place.polygon)):
            index, share = self.counter.shares(shape)
            held[index] = share
        here = float(self._cells.walkable_m2 @ whole)
        return float(self._cells.walkable_m2 @ np.minimum(both, whole)) / here if here > 0 else 0.0

    def why(self, polygon: Shape) -> Why | None:
        """Return what makes the present number of a polygon (degrees), None where no number is told."""
        geometry = polygon if isinstance(polygon, BaseGeometry) else polygon_from(polygon)
        state, field, made = self._state, self.field, self.count(geometry)
        if state is None or field is None or made.occupancy is None or made.sd is None:
            return None
        kept = self._evidence
        if kept is None or kept[0] is not state:
            kept = self._evidence = state, self._estimator.evidence(state)
        if kept[1] is None:
            return None
        part = self.counter.shares(geometry)
        return replace(why(kept[1], self._spots, field, part, made.sd**2), usual=self._usual(state.present.at, part))

    def _usual(self, at: datetime, part: Shares) -> float | None:
        """Return how many people a survey counted in a part of the district at an hour, where it did."""
        if not self._cells.surveyed:
            return None
        index, share = part
        local = at.astimezone(self._zone)
        persons = float(self._cells.usual_at(local.hour + local.minute / 60)[index] @ share)
        return persons if persons >= LEAST_PERSONS else None

    def density(self) -> tuple[datetime | None, npt.NDArray[np.float64]]:
        """Return the minute, and people per m² of walkable ground on the grid, northernmost row first.

        NaN where nobody can walk, infinity where the number is unknown.
        """
        field = self.field
        if field is None:
            return None, self._cells.raster(np.full(len(self._cells), np.inf))
        live = np.nan_to_num(field.informed_until, nan=-np.inf) >= self._clock.now().timestamp()
        live &= bool(field.persons.sum() >= LEAST_PERSONS)  # of so few, in all, nothing is told
        return field.at, self._cells.raster(np.where(live, field.persons / self._ground_m2, np.inf))

    def density_at(self, at: datetime) -> tuple[datetime | None, npt.NDArray[np.float64]]:
        """Return the same of a past minute; all unknown where none was kept."""
        found = self._kept_at(at)
        if found is None:
            return None, self._cells.raster(np.full(len(self._cells), np.inf))
        persons, told = told_persons(found[1])
        return found[0], self._cells.raster(np.where(told, persons, np.inf) / self._ground_m2)

    def _kept_at(self, at: datetime) -> tuple[datetime, Persons] | None:
        """Return the people by cell that were kept of a moment; None where none were, or of cells that were others."""
        found = self._history.occupancy_at(at)
        if found is None or len(found[1]) != len(self._cells) or (self._since is not None and found[0] <= self._since):
            return None
        return found

    def crowds(self, x_m: Floats, y_m: Floats) -> tuple[datetime, Floats] | None:
        """Return the minute, and people per m² at points (metres), NaN where nobody walks or the number is unknown."""
        field, cells = self.field, self._cells
        if field is None:
            return None
        number = cells.numbers_at(x_m, y_m)
        live = (number >= 0) & (np.nan_to_num(field.informed_until, nan=-np.inf)[number] >= field.at.timestamp())
        return field.at, np.where(live, field.persons[number] / self._ground_m2[number], np.nan)

    @cached_property
    def _ground_m2(self) -> Floats:
        # A cell with a strip of ground would show a density that no one stands in: at least a tenth of it counts.
        return np.maximum(self._cells.walkable_m2, 0.1 * self._cells.size_m**2)

    @cached_property
    def area_shares(self) -> dict[str, Shares]:
        """The cells of each area, by its id."""
        nothing = (np.empty(0, np.int64), np.empty(0))
        return {
            area.area_id: nothing if area.polygon is None else self.counter.shares(area.polygon)
            for area in self._pack.areas
        }

    @cached_property
    def subjects(self) -> dict[str, Shares]:
        """The subjects whose estimate is stored every minute, watches aside."""
        found = {"district": self.area_shares[self._pack.areas.root.area_id]}
        for place in self._pack.places:
            found[f"place:{place.place_id}"] = self.counter.shares(place.polygon)
        for level in self._pack.areas.levels:
            areas = self._pack.areas.of_level(level.key)
            if 1 < len(areas) <= LEVEL_KEPT:
                found |= {f"area:{area.area_id}": self.area_shares[area.area_id] for area in areas}
        return found

    @cached_property
    def _spots(self) -> Spots:
        return Spots.of(self._pack, self._cells)


def _sums(kept: Persons, share: Floats) -> Floats:
    """Return the people of a polygon from its kept cells (.., n), NaN where under half of them are told; shape (..)."""
    persons, told = told_persons(kept)
    every, some = persons @ share, np.where(told, persons, 0.0) @ share
    return np.where(told.any(axis=-1) & (some >= 0.5 * every), every, np.nan)


def _numbered_since(path: Path, cells: Cells, at: datetime) -> datetime | None:
    """Return since when the cells of the history have had the numbers of now; None where they always had.

    A map with other streets or water has other cells, and what was kept by their numbers is of other ground.
    """
    since: datetime | None = at
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["digest"] == cells.digest:
            return kept["since"] and datetime.fromisoformat(kept["since"])
    except FileNotFoundError:
        since = None  # a new district, or one of an earlier version
    except (ValueError, KeyError, TypeError) as fault:
        log.warning("%s cannot be read, so what was kept before is told no more: %s", path.name, fault)
    _note_numbered(path, cells, since)
    return since


def _note_numbered(path: Path, cells: Cells, since: datetime | None) -> None:
    """Note since when the cells have had their numbers."""
    fresh, told = path.with_suffix(".new"), {"digest": cells.digest, "since": since and since.isoformat()}
    fresh.write_text(json.dumps(told), "utf-8")
    fresh.replace(path)  # whole or not at all, should the program be killed here
