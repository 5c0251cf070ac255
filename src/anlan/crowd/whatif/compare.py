"""A measure against doing nothing: the same ensemble with and without, and the difference with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse as sp
from scipy.special import ndtri, stdtrit
from shapely.geometry.base import BaseGeometry

from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.measures import level_of_service
from anlan.crowd.parcels import LEAST_M2
from anlan.crowd.whatif.ahead import COMING_SPREAD, PACE_SPREAD, STAY_SPREAD, Course, Habit, run
from anlan.crowd.whatif.ground import Ground
from anlan.crowd.whatif.measure import Measure, MeasureKind, Ordered, cells_in
from anlan.crowd.whatif.routes import Habitat, Routes, Shares
from anlan.kernel.errors import BadInput, NoData
from anlan.kernel.pack import Pack
from anlan.kernel.records import LEAST_PERSONS

Floats = npt.NDArray[np.float64]
MEMBERS = 8


@dataclass(frozen=True, kw_only=True)
class Band:
    """A mean over the ensemble with the 90 % interval of one more member (Student's t, as members are few)."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Floats) -> Band:
        """Return the band of the members' values, shape (members,)."""
        mean, half = float(values.mean()), float(values.std(ddof=1)) * _reach(len(values))
        return cls(mean=mean, low=mean - half, high=mean + half)

    @classmethod
    def positive(cls, values: Floats) -> Band:
        """Return the band of values that cannot be negative: even on the scale of their square roots."""
        roots = np.sqrt(np.maximum(values, 0.0))
        mean, half = float(roots.mean()), float(roots.std(ddof=1)) * _reach(len(values))
        told = float(values.mean())
        return cls(mean=told, low=min(max(mean - half, 0.0) ** 2, told), high=max((mean + half) ** 2, told))


@cache
def _reach(n: int) -> float:
    """Return how many standard deviations of n members one more lies within, with probability 0.9."""
    return float(np.sqrt(1 + 1 / n) * stdtrit(n - 1, 0.95))


@dataclass(frozen=True, kw_only=True)
class PlaceChange:
    """A place at the end of the hour, without and with the measure. ``hidden``: so few people that no number is told.

    The peak is of a cell's density within the hour; ``crowded_min`` the longest time that a cell was above 2 people
    per m², minutes. The curves hold the people of every minute, None where they are too few to be told.
    """

    place_id: str
    hidden: bool
    without: Band | None = None
    under: Band | None = None
    difference: Band | None = None
    peak_without_per_m2: Band | None = None
    peak_under_per_m2: Band | None = None
    service_without: str | None = None
    service_under: str | None = None
    crowded_without_min: Band | None = None
    crowded_under_min: Band | None = None
    curve_without: tuple[Band | None, ...] = ()
    curve_under: tuple[Band | None, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """What a measure changes within an hour.

    Attributes
    ----------
    difference : float64, shape (n,)
        Persons by cell at the end of the hour, with the measure less without, mean of the ensemble.
    difference_sd : float64, shape (n,)
    peak_difference_per_m2 : float64, shape (n,)
        The same of the peak density.
    under_way, under_way_h : Band
        How many more people are on the way or waiting at the same time, at the worst minute, and the time that all of
        them together spend so, person-hours.
    turned_away : Band
        People who would have come within the time and do not.
    n_cut_off, cut_off_cells, cut_off_places
        People who had a way out of the district before and have none under the measure, and where they are.
    known_share : float
        Share of people who are where a device of presence reports.
    lost_share : float
        People missing from the books of the worst run, as a share of all: rounding only.
    """

    at: datetime
    measure: Measure
    minutes: int
    n_members: int
    places: tuple[PlaceChange, ...]
    difference: Floats
    difference_sd: Floats
    peak_difference_per_m2: Floats
    under_way: Band
    under_way_h: Band
    turned_away: Band
    n_cut_off: float
    cut_off_cells: tuple[int, ...]
    cut_off_places: tuple[str, ...]
    known_share: float
    lost_share: float


def habits(field: Field, rng: np.random.Generator, members: int = MEMBERS) -> list[Habit]:
    """Draw what the members take for true: the field within its covariance, and how people behave.

    Raises
    ------
    NoData
        If nothing tells how many people are present.
    """
    if not len(field.covariance) or not np.isfinite(field.persons).all():
        raise NoData("the estimate", "must know how many people are present", "add a device that tells presence")
    covariance = field.covariance.astype(float) * field.params.widen
    spread = field.hats @ (_root(covariance) @ rng.standard_normal((len(covariance), members)))
    half = 0.5 * _variances_by_cell(field.hats, covariance)
    common = np.sqrt(np.log1p((0.0 if field.unsettled is None else field.unsettled) ** 2))
    shared, stay, coming, pace = (_evenly(rng, members) for _ in range(4))
    return [
        Habit(
            persons=field.persons * np.exp(spread[:, k] - half + common * shared[k] - 0.5 * common**2),
            stay=float(np.exp(STAY_SPREAD * stay[k])),
            coming=float(np.exp(COMING_SPREAD * coming[k])),
            pace=float(np.exp(PACE_SPREAD * pace[k])),
        )
        for k in range(members)
    ]


def _evenly(rng: np.random.Generator, members: int) -> Floats:
    """Return standard normal numbers in any order, one from the middle of each of so many equal parts, (members,).

    So few drawn freely would often lie all to one side (M. D. McKay et al., *Technometrics* 21, 1979).
    """
    spread = ndtri((np.arange(members) + 0.5) / members)
    return rng.permutation(spread / spread.std(ddof=1))


def _root(covariance: Floats) -> Floats:
    """Return a matrix whose product with its transpose is the covariance; rounding may have left it just not so."""
    try:
        return scipy.linalg.cholesky(
            covariance + 1e-6 * np.mean(np.diag(covariance)) * np.eye(len(covariance)), lower=True
        )
    except np.linalg.LinAlgError:
        value, vector = np.linalg.eigh(covariance)
        return np.asarray(vector * np.sqrt(np.maximum(value, 0.0)))


def _variances_by_cell(hats: sp.csr_matrix, covariance: Floats) -> Floats:
    """Return the variance of the log-ratio of each cell, (n,), from its few knots only."""
    most = int(np.diff(hats.indptr).max())
    knot, weight = np.zeros((hats.shape[0], most), int), np.zeros((hats.shape[0], most))
    row = np.repeat(np.arange(hats.shape[0]), np.diff(hats.indptr))
    place = np.arange(hats.nnz) - hats.indptr[row]
    knot[row, place], weight[row, place] = hats.indices, hats.data
    return np.asarray(
        sum(weight[:, i] * weight[:, j] * covariance[knot[:, i], knot[:, j]] for i in range(most) for j in range(most))
    )


class Trials:
    """Tries measures on one district. It knows the ground and the places; the field comes with each question."""

    def __init__(self, pack: Pack, cells: Cells) -> None:
        self._pack = pack
        self._cells = cells
        self.ground = Ground.of(pack, cells)
        self._places: Mapping[str, Shares] = {
            place.place_id: cells.of_place(number, pack.projection.project(place.polygon))
            for number, place in enumerate(pack.places)
        }

    def inside(self, polygon: BaseGeometry) -> npt.NDArray[np.bool_]:
        """Return which cells lie in a polygon (degrees); BadInput where none does."""
        return cells_in(self._pack, self._cells, polygon)

    def measure(
        self, field: Field, measure: Measure, rng: np.random.Generator, *, minutes: int = 60, members: int = MEMBERS
    ) -> Trial:
        """Return what a measure changes, against doing nothing, from the present estimate on.

        Both run with the same draws, so that the difference is the measure's alone.

        Raises
        ------
        BadInput, NotFound
            If the measure does not fit the district, or ``minutes`` or ``members`` is out of range.
        NoData
            If nothing tells how many people are present.
        """
        if not 5 <= minutes <= 180:
            raise BadInput(f"minutes={minutes}", "must be 5 to 180", "look less far ahead")
        if not 2 <= members <= 100:
            raise BadInput(f"members={members}", "must be 2 to 100", "choose another size of the ensemble")
        ordered = Ordered.of(self.ground, self._pack, self._cells, measure)
        asked = (np.flatnonzero(ordered.inside), np.ones(int(ordered.inside.sum()))) if ordered.inside.any() else None
        drawn = habits(field, rng, members)
        shares = list(self._places.values())
        habitat = Habitat.of(self.ground, field.persons, shares, asked, minutes)
        usual = Routes.of(Ordered.nothing(self.ground), habitat, field.persons)
        ways = Routes.of(ordered, habitat, field.persons)
        without = [run(usual, habitat, habit, shares, minutes) for habit in drawn]
        under = [run(ways, habitat, habit, shares, minutes) for habit in drawn]
        gap = np.stack([b.persons - a.persons for a, b in zip(without, under, strict=True)])
        peaks = np.stack([b.peak_per_m2 - a.peak_per_m2 for a, b in zip(without, under, strict=True)])
        cut = ways.no_way_out & ~usual.no_way_out
        walking = np.stack([b.walking - a.walking for a, b in zip(without, under, strict=True)])
        informed = field.persons[np.isfinite(field.informed_until)].sum()
        return Trial(
            at=field.at,
            measure=measure,
            minutes=minutes,
            n_members=members,
            places=tuple(self._change(k, without, under) for k in range(len(shares))),
            difference=gap.mean(axis=0),
            difference_sd=gap.std(axis=0, ddof=1),
            peak_difference_per_m2=peaks.mean(axis=0),
            under_way=Band.of(walking[:, walking.mean(axis=0).argmax()]),
            under_way_h=Band.of(walking.sum(axis=1) / 60),
            turned_away=Band.of(np.array([a.n_came - b.n_came for a, b in zip(without, under, strict=True)])),
            n_cut_off=float(field.persons[cut].sum()),
            cut_off_cells=tuple(int(k) for k in np.flatnonzero(cut)),
            cut_off_places=tuple(one for one, (index, _) in self._places.items() if cut[index].any()),
            known_share=float(informed / max(field.persons.sum(), 1e-9)),
            lost_share=max(course.lost for course in (*without, *under)),
        )

    def _change(self, k: int, without: Sequence[Course], under: Sequence[Course]) -> PlaceChange:
        place_id = self._pack.places[k].place_id
        index, share = self._places[place_id]
        ground = float(self._cells.walkable_m2[index] @ share)
        before, after = (np.array([course.occupancy[-1, k] for course in runs]) for runs in (without, under))
        whole = index[share >= 0.5]
        if ground < LEAST_M2 or not len(whole) or max(before.mean(), after.mean()) < LEAST_PERSONS:
            return PlaceChange(place_id=place_id, hidden=True)
        peaks = [np.array([course.peak_per_m2[whole].max() for course in runs]) for runs in (without, under)]
        crowded = [np.array([course.above_s[0, whole].max() / 60 for course in runs]) for runs in (without, under)]
        return PlaceChange(
            place_id=place_id,
            hidden=False,
            without=Band.positive(before),
            under=Band.positive(after),
            difference=Band.of(after - before),
            peak_without_per_m2=Band.positive(peaks[0]),
            peak_under_per_m2=Band.positive(peaks[1]),
            service_without=level_of_service(float(before.mean()) / ground),
            service_under=level_of_service(float(after.mean()) / ground),
            crowded_without_min=Band.positive(crowded[0]),
            crowded_under_min=Band.positive(crowded[1]),
            curve_without=_curve(without, k),
            curve_under=_curve(under, k),
        )


def _curve(runs: Sequence[Course], k: int) -> tuple[Band | None, ...]:
    """Return the people of a place by minute; None where they are too few to be told."""
    by_minute = np.stack([course.occupancy[:, k] for course in runs], axis=1)
    return tuple(Band.positive(values) if values.mean() >= LEAST_PERSONS else None for values in by_minute)


__all__ = ["Band", "Measure", "MeasureKind", "PlaceChange", "Trial", "Trials"]
