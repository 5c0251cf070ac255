"""What an exact interval would show on one day: the errors of a day go together, so that even it holds more or fewer than nine of ten.

An estimate that is too high in one square is too high beside it, and ten minutes later still. So a day of thirty moments
and eight places is not 240 answers, and a day's coverage wanders about 90 % however right the intervals are. How errors
go together from place to place is what the estimate says of itself (its covariance); how long they last is seen in
them (their correlation ten minutes apart, of all days together). Days are drawn by both, with intervals that are exact.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd.field import Field
from anlan.crowd.inside import Inside, Shares

Floats = npt.NDArray[np.float64]
DRAWS = 400
REACHES = 1.645
"""Standard deviations to each side that hold nine of ten of a normal distribution."""
JITTER = 1e-6


def together(field: Field, parts: list[Shares]) -> Floats:
    """Return how the errors of polygons go together by the estimate's own covariance: correlations, shape (n, n).

    What its knots do not resolve is taken to be each polygon's own.
    """
    weights = Inside.of(parts).weights(len(field.persons))
    _, variance = field.sums(weights)
    apart = np.asarray(weights @ (field.persons * field.open_ground))
    slopes = sp.csr_matrix(weights.multiply(field.persons)) @ field.hats
    smooth = np.asarray(slopes @ (slopes @ field.covariance.astype(np.float64)).T)
    common = field.params.split**2 * np.outer(apart, apart)
    if field.unsettled is not None:
        unsettled = np.asarray(weights @ (field.persons * field.unsettled))
        common += np.outer(unsettled, unsettled)
    sd = np.sqrt(np.maximum(variance, 1e-9))
    found = (field.params.widen * smooth + common) / np.outer(sd, sd)
    np.fill_diagonal(found, 1.0)
    return np.clip(found, -1.0, 1.0)


def lasting(days: Iterable[Floats]) -> float:
    """Return the correlation of errors one moment apart, of all days together.

    Parameters
    ----------
    days : iterable of float64, shape (moments, 5, polygons)
        Truth, mean, low, high and what is not asked for; NaN where nothing was told.
    """
    both = square = 0.0
    for told in days:
        truth, mean, _, high = np.moveaxis(told, 1, 0)[:4]
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.log(truth / mean) / np.log(high / mean)
        now, then = off[:-1], off[1:]
        known = np.isfinite(now) & np.isfinite(then)
        both += float((now[known] * then[known]).sum())
        square += float((now[known] ** 2 + then[known] ** 2).sum()) / 2
    return min(max(both / square, 0.0), 1.0) if square else 0.0


def held_by_exact(correlation: Floats, lag: float, n_moments: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return between which numbers of a hundred an exact interval holds on nine days of ten.

    Parameters
    ----------
    correlation : float64, shape (n, n)
        Of the polygons' errors at one moment.
    lag : float
        Correlation of an error with itself one moment later.
    """
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, JITTER))
    z = rng.normal(size=(DRAWS, len(root))) @ root.T
    held = np.zeros(DRAWS)
    for _ in range(n_moments):
        held += (np.abs(z) < REACHES).mean(axis=1)
        z = lag * z + np.sqrt(1 - lag**2) * (rng.normal(size=z.shape) @ root.T)
    low, high = np.quantile(100 * held / n_moments, (0.05, 0.95))
    return float(low), float(high)
