"""What is asked and what is answered: where help is needed, where one may wait, and the plan with its proof or gap."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """Demand points, candidate sites, and how long it takes from each site to each point.

    Parameters
    ----------
    times_s : array of shape (S, D) or csr_array
        Seconds from site to point, infinite where no way leads. In a sparse one what is not stored is out of reach, and
        a stored zero is zero seconds.
    weight : array of shape (D,)
        Incidents expected at each point; ones where left out.
    existing : tuple of int
        Sites at which a post stands today, each once.
    moving_cost : float
        What giving up one existing post costs, in the unit of the objective (weight reached, weight times seconds, or
        posts where posts are counted).
    names : tuple of str
        Of the demand points, for what is told of them; their numbers where left out.
    point_xy_m, site_xy_m : array of shape (D, 2) and (S, 2), optional
        Where they lie, to tell how far the nearest site is from a point that none reaches.

    Raises
    ------
    BadInput
        If shapes disagree, a weight or time is negative or not a number, or an existing post is no site.

    Examples
    --------
    >>> Problem(times_s=np.array([[0.0, 50.0], [50.0, 0.0]]), weight=np.array([1.0, -2.0]))
    Traceback (most recent call last):
    anlan.kernel.errors.BadInput: weight[1]=-2.0 must be >= 0 and finite; give incidents expected at the point.
    """

    times_s: Floats | csr_array
    weight: Floats | None = None
    existing: tuple[int, ...] = ()
    moving_cost: float = 0.0
    names: tuple[str, ...] = ()
    point_xy_m: Floats | None = None
    site_xy_m: Floats | None = None

    def __post_init__(self) -> None:
        shape = self.times_s.shape
        if len(shape) != 2 or 0 in shape:
            raise BadInput(f"times_s of shape {shape}", "must be (sites, points), none of them 0", "give both")
        stored = self.times_s.data if isinstance(self.times_s, csr_array) else np.asarray(self.times_s)
        if stored.size and not (stored.min() >= 0):  # NaN fails too
            raise BadInput("times_s", "must be >= 0 s, or infinite", "look for negative or missing times")
        weight = np.ones(shape[1]) if self.weight is None else np.asarray(self.weight, float)
        if weight.shape != (shape[1],):
            raise BadInput(f"weight of shape {weight.shape}", f"must be ({shape[1]},)", "give one for each point")
        wrong = np.flatnonzero(~((weight >= 0) & np.isfinite(weight)))
        if len(wrong):
            raise BadInput(
                f"weight[{wrong[0]}]={weight[wrong[0]]}",
                "must be >= 0 and finite",
                "give incidents expected at the point",
            )
        if len(set(self.existing)) < len(self.existing) or not all(0 <= j < shape[0] for j in self.existing):
            raise BadInput(f"existing={self.existing}", f"must be sites 0..{shape[0] - 1}, each once", "correct it")
        if not (self.moving_cost >= 0 and math.isfinite(self.moving_cost)):
            raise BadInput(f"moving_cost={self.moving_cost}", "must be >= 0", "give what giving up a post costs")
        if self.names and len(self.names) != shape[1]:
            raise BadInput(f"{len(self.names)} names", f"must be {shape[1]}", "name each point")
        object.__setattr__(self, "weight", weight)

    @property
    def n_sites(self) -> int:
        """How many sites there are to choose from."""
        return int(self.times_s.shape[0])

    @property
    def n_points(self) -> int:
        """How many demand points there are."""
        return int(self.times_s.shape[1])

    @property
    def weights(self) -> Floats:
        """The weight of every point."""
        assert self.weight is not None  # noqa: S101 - set at construction
        return self.weight

    def name(self, point: int) -> str:
        """Return what a point is called."""
        return self.names[point] if self.names else str(point)

    def kept_bonus(self) -> Floats:
        """Return what opening each site saves: the moving cost at existing posts."""
        bonus = np.zeros(self.n_sites)
        bonus[list(self.existing)] = self.moving_cost
        return bonus

    def within(self, within_s: float) -> tuple[Ints, npt.NDArray[np.int32]]:
        """Return the points that each site reaches in time: where those of a site begin, and which they are."""
        if not within_s >= 0:
            raise BadInput(f"within_s={within_s}", "must be >= 0 s", "give the time promised in seconds")
        if isinstance(self.times_s, csr_array):
            kept = self.times_s.data <= within_s
            first = np.concatenate([[0], np.cumsum(kept)])[self.times_s.indptr].astype(np.int64)
            return first, self.times_s.indices[kept].astype(np.int32)
        site, point = np.nonzero(np.asarray(self.times_s) <= within_s)
        return np.searchsorted(site, np.arange(self.n_sites + 1)).astype(np.int64), point.astype(np.int32)

    def nearest_s(self, posts: npt.ArrayLike | None = None) -> Floats:
        """Return for each point the seconds from the nearest of the posts (all sites where none are named)."""
        rows = self.times_s if posts is None else self.times_s[np.unique(np.asarray(posts, np.int64))]
        if not isinstance(rows, csr_array):
            return np.asarray(rows, float).min(axis=0, initial=np.inf)
        best = np.full(self.n_points, np.inf)
        np.minimum.at(best, rows.indices, rows.data)
        return best

    def beyond(self, points: npt.ArrayLike) -> tuple[Beyond, ...]:
        """Return what is known of points that no site reaches in time."""
        found = np.asarray(points, np.int64)
        far_s = self.nearest_s()[found]
        far_m = np.full(len(found), np.nan)
        if len(found) and self.point_xy_m is not None and self.site_xy_m is not None:
            far_m = KDTree(self.site_xy_m).query(self.point_xy_m[found])[0]
        return tuple(
            Beyond(
                point=int(i),
                name=self.name(int(i)),
                nearest_s=float(s) if np.isfinite(s) else None,
                nearest_m=float(m) if np.isfinite(m) else None,
            )
            for i, s, m in zip(found, far_s, far_m, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """A demand point that no site reaches in time, and how far its nearest site is, where that is known."""

    point: int
    name: str
    nearest_s: float | None
    nearest_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When to stop: after this many seconds of search, or as soon as the gap is as small as this."""

    seconds: float = 60.0
    gap: float = 0.0

    def __post_init__(self) -> None:
        if not self.seconds > 0 or not 0 <= self.gap < 1:
            raise BadInput(f"{self}", "must have seconds > 0 and a gap in 0..1", "give how long to search")


class Watch:
    """How much of the time allowed is left. It measures a duration and knows no date."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        self._begin = time.perf_counter()

    @property
    def spent_s(self) -> float:
        """Seconds since the search began."""
        return time.perf_counter() - self._begin

    @property
    def left_s(self) -> float:
        """Seconds that are left, at least a hundredth."""
        return max(0.01, self.stop.seconds - self.spent_s)

    @property
    def is_over(self) -> bool:
        """True when the time is used up."""
        return self.spent_s >= self.stop.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where units wait, what that is worth, and how sure it is that nothing better exists.

    Parameters
    ----------
    posts : tuple of int
        Sites, in order; one that stands twice has two units.
    objective, bound : float
        What the plan reaches in the goal's own unit, and what no plan can beat.
    reached_share : float
        Share of the weight that a post of the plan reaches in the goal's time.
    kept : bool
        False where the promise cannot be kept by any plan; then this is the best that can be had.
    beyond : tuple of Beyond
        Points of weight that no site reaches in time, with their nearest distance.
    reached : mapping
        Further measures by name.
    """

    posts: tuple[int, ...]
    objective: float
    bound: float
    proved: bool
    reached_share: float
    seconds: float
    kept: bool = True
    beyond: tuple[Beyond, ...] = ()
    moved: tuple[int, ...] = ()
    """Existing posts that are given up."""
    reached: Mapping[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """How far the objective may be from the best one, as a share of it; 0 where it is proved."""
        if self.proved:
            return 0.0
        return abs(self.bound - self.objective) / max(abs(self.objective), abs(self.bound), 1e-12)
