"""A measure against doing nothing: the same ensemble with and without, and the difference with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student
from shapely.geometry.base import BaseGeometry

from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.measures import level_of_service
from anlan.crowd.parcels import LEAST_M2, LEAST_PERSONS
from anlan.crowd.whatif.ahead import (
    COMING_SPREAD,
    DWELL_S,
    DWELL_SPREAD,
    PACE_SPREAD,
    Course,
    Habit,
    Habitat,
    Routes,
    Shares,
    run,
)
from anlan.crowd.whatif.ground import Ground
from anlan.crowd.whatif.measure import Measure, MeasureKind, Ordered, cells_in
from anlan.kernel.errors import BadInput, NoData
from anlan.kernel.pack import Pack

Floats = npt.NDArray[np.float64]
MEMBERS = 6


@dataclass(frozen=True, kw_only=True)
class Band:
    """A mean over the ensemble with the 90 % interval of one more member (Student's t, as members are few)."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Floats, least: float = -np.inf) -> Band:
        """Return the band of the members' values, shape (members,), which cannot be less than ``least``."""
        mean, n = float(values.mean()), len(values)
        half = float(values.std(ddof=1) * np.sqrt(1 + 1 / n) * student.ppf(0.95, n - 1))
        return cls(mean=mean, low=max(mean - half, least), high=mean + half)


@dataclass(frozen=True, kw_only=True)
class PlaceChange:
    """A place at the end of the hour, without and with the measure. ``hidden``: so few people that no number is told.

    The peak is of a cell's density within the hour; ``crowded_min`` the longest time that a cell was above 2 people
    per m², minutes.
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
    covariance = field.covariance.astype(float)
    value, vector = np.linalg.eigh(covariance * field.params.widen)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    spread = np.asarray(field.hats @ root)
    half = 0.5 * np.einsum("ij,ij->i", spread, spread)
    made = []
    for _ in range(members):
        ratio = np.exp(spread @ rng.standard_normal(len(value)) - half)
        made.append(
            Habit(
                persons=field.persons * ratio,
                dwell_s=DWELL_S * float(np.exp(DWELL_SPREAD * rng.standard_normal())),
                coming=float(np.exp(COMING_SPREAD * rng.standard_normal())),
                pace=float(np.exp(PACE_SPREAD * rng.standard_normal())),
            )
        )
    return made


class Trials:
    """Tries measures on one district. It knows the ground and the places; the field comes with each question."""

    def __init__(self, pack: Pack, cells: Cells) -> None:
        self._pack = pack
        self._cells = cells
        self.ground = Ground.of(pack, cells)
        self._places: Mapping[str, Shares] = {
            place.place_id: cells.shares(pack.projection.project(place.polygon)) for place in pack.places
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
        habitat = Habitat.of(self.ground, field.persons, shares, asked)
        usual = Routes.of(Ordered.nothing(self.ground), habitat, field.persons)
        ways = Routes.of(ordered, habitat, field.persons)
        without = [run(usual, habitat, habit, shares, minutes) for habit in drawn]
        under = [run(ways, habitat, habit, shares, minutes) for habit in drawn]
        gap = np.stack([b.persons - a.persons for a, b in zip(without, under, strict=True)])
        peaks = np.stack([b.peak_per_m2 - a.peak_per_m2 for a, b in zip(without, under, strict=True)])
        cut = ways.no_way_out & ~usual.no_way_out
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
            without=Band.of(before, 0.0),
            under=Band.of(after, 0.0),
            difference=Band.of(after - before),
            peak_without_per_m2=Band.of(peaks[0], 0.0),
            peak_under_per_m2=Band.of(peaks[1], 0.0),
            service_without=level_of_service(float(before.mean()) / ground),
            service_under=level_of_service(float(after.mean()) / ground),
            crowded_without_min=Band.of(crowded[0], 0.0),
            crowded_under_min=Band.of(crowded[1], 0.0),
        )


__all__ = ["Band", "Measure", "MeasureKind", "PlaceChange", "Trial", "Trials"]
