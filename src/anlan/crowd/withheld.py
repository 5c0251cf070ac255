"""A day estimated again with views withheld in turn, and what they counted held against the estimate without them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd.conformal import factors_that_hold
from anlan.crowd.estimate import Estimator
from anlan.crowd.field import Field
from anlan.crowd.filter import speaks
from anlan.crowd.rows import view_noise
from anlan.crowd.state import State
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, Observation

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

N_FOLDS = 4
"""A quarter of the views is withheld at a time: each fold costs a day's estimates, and what is left must be like what
runs."""
TOGETHER = 5
"""So many neighbours are withheld together: most ground has no camera beside it, and is told by what is farther off."""
EVERY = timedelta(minutes=30)
LEAST_PRESENT = 5.0
"""Where fewer are expected in a view, its count is chance, and says nothing of the estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A withheld count against the estimate without it: how many were counted and expected, and the factor that holds.

    ``factor`` as :func:`anlan.crowd.conformal.factors_that_hold` has it.
    """

    device_id: str
    at: datetime
    counted: float
    expected: float
    factor: float


def folds_of(pack: Pack, views: Sequence[Device], n_folds: int = N_FOLDS) -> tuple[frozenset[str], ...]:
    """Return which views are withheld together: neighbours, a handful at a time, and such groups far from each other.

    Groups are halves of halves of the map, cut across its longer side. Each joins the smallest fold; of equal ones that
    whose nearest view is farthest away.

    References
    ----------
    D. R. Roberts et al., *Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic
    structure*, Ecography 2017: what stands beside what is withheld must be withheld too.
    """
    middle = [pack.projection.project(one.geometry).centroid for one in views]
    at = np.array([(point.x, point.y) for point in middle]).reshape(-1, 2)
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    folds: list[list[int]] = [[] for _ in range(n_folds)]
    for group in _groups(at, np.arange(len(at)), min(TOGETHER, -(-len(at) // n_folds))):
        least = min(map(len, folds))
        room = [fold for fold in folds if len(fold) == least]
        nearest = [float(apart[group][:, fold].min(initial=np.inf)) for fold in room]
        room[int(np.argmax(nearest))].extend(group.tolist())
    return tuple(frozenset(views[k].device_id for k in fold) for fold in folds if fold)


def _groups(at: Floats, mine: Numbers, most: int) -> list[Numbers]:
    """Return points (n, 2) in groups of so many neighbours at most, each by their numbers."""
    if len(mine) <= most:
        return [mine] if len(mine) else []
    axis = int(np.argmax(np.ptp(at[mine], axis=0)))
    order = mine[np.lexsort((at[mine, 1 - axis], at[mine, axis]))]
    half = len(mine) // 2
    return [*_groups(at, order[:half], most), *_groups(at, order[half:], most)]


def replayed(
    estimator: Estimator,
    state: State,
    minutes: Iterable[tuple[datetime, Sequence[Observation]]],
    folds: Sequence[frozenset[str]],
    judge_from: datetime,
) -> Iterator[tuple[datetime, list[Score]]]:
    """Yield each minute, with the scores of all views in every half hour from ``judge_from`` on.

    The estimates that a view is held against have not heard it since ``state``. The devices' health is watched with all
    counts, so that a view at fault is not held against anything.

    Parameters
    ----------
    estimator : Estimator
    state : State
        From which each fold begins.
    minutes : iterable of (datetime, sequence of Observation)
        In order; whose windows end by then.
    folds : sequence of frozenset of str
        Views that are withheld together (:func:`folds_of`).
    judge_from : datetime
    """
    states, health, newest = [state] * len(folds), state.health, dict[str, Observation]()
    for at, observations in minutes:
        surprise = {name: off for one in states for name, off in one.present.surprise.items()}
        health = estimator.watcher.watch(health, observations, surprise, at)
        states = [
            estimator.advance(one, [seen for seen in observations if seen.device_id not in fold], at)
            for one, fold in zip(states, folds, strict=True)
        ]
        newest |= {seen.device_id: seen for seen in sorted(observations, key=lambda one: one.end_at)}
        scores: list[Score] = []
        if at >= judge_from and at.timestamp() % EVERY.total_seconds() == 0:
            distrusted = estimator.watcher.distrusted(health)
            for one, fold in zip(states, folds, strict=True):
                believed = {name: newest[name] for name in fold if name in newest and name not in distrusted}
                scores += scored(estimator, estimator.field(one), believed)
        yield at, scores


def scored(estimator: Estimator, field: Field, seen: Mapping[str, Observation]) -> list[Score]:
    """Return what withheld views counted against a field, where both tell of this minute.

    Left out are views whose ground lies mostly behind counted gates, which tell of it, those that expect next to
    nobody, and those whose ground nothing else informs.
    """
    views = estimator.sources.views
    which = [
        k for k, device in enumerate(views.devices)
        if device.device_id in seen and speaks(device, seen[device.device_id].end_at, field.at)
    ]  # fmt: skip
    if not which:
        return []
    weights: sp.csr_matrix = views.weights[which]
    mean, spread, common = field.parts(weights)
    live = np.nan_to_num(field.informed_until, nan=-np.inf) >= field.at.timestamp()
    informed, outside = np.asarray(weights @ (np.column_stack([live, field.open_ground]) * field.persons[:, None])).T
    told = (mean >= LEAST_PRESENT) & (informed >= 0.5 * mean) & (outside >= 0.5 * mean)
    error = np.array([views.devices[k].expected_error for k in which])
    own = (view_noise(error, mean) + estimator.params.view_spread**2) * mean**2
    counted = np.array([float(seen[views.devices[k].device_id].n_present or 0) for k in which])
    factors = factors_that_hold(counted, mean, spread, common + own)
    return [
        Score(
            device_id=views.devices[k].device_id, at=field.at,
            counted=float(counted[i]), expected=float(mean[i]), factor=float(factors[i]),
        )
        for i, k in enumerate(which) if told[i]
    ]  # fmt: skip
