"""The linear algebra of the filter: dense, symmetric, lower triangles only."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import scipy.linalg as sla
from scipy.linalg.blas import dsymm, dsyrk

Floats = npt.NDArray[np.float64]


@numba.njit(cache=True)
def _relax(covariance, stationary, keep):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    side = len(keep)
    out = np.empty((side, side)).T  # Fortran order
    for j in range(side):
        for i in range(j, side):
            both = keep[i] * keep[j]
            out[i, j] = covariance[i, j] * both + stationary[i, j] * (1 - both)
    return out


def relax(covariance: Floats, stationary: Floats, keep: Floats) -> Floats:
    r"""Return the covariance after a time in which each number keeps a part of itself and regains its prior spread.

    .. math:: P_{ij} \leftarrow \phi_i \phi_j P_{ij} + (1 - \phi_i \phi_j) Q_{ij}

    Parameters
    ----------
    covariance, stationary : float64, shape (d, d)
        :math:`P` now and :math:`Q` in the long run; lower triangles.
    keep : float64, shape (d,)
        :math:`\phi`, 1 where nothing relaxes.
    """
    return np.asarray(_relax(covariance, stationary, keep))


@numba.njit(cache=True)
def _whole(covariance, side):  # type: ignore[no-untyped-def]  # the same
    out = np.empty((side, side), np.float32)
    for j in range(side):
        for i in range(j, side):
            out[i, j] = out[j, i] = covariance[i, j]
    return out


def whole(covariance: Floats, side: int) -> npt.NDArray[np.float32]:
    """Return the first ``side`` rows and columns, both triangles of them, in single precision (enough for a spread)."""
    return np.asarray(_whole(covariance, side))


def gained(covariance: Floats, rows: Floats) -> Floats:
    """Return ``covariance @ rows.T`` from the lower triangle, shape (d, m)."""
    return np.asarray(dsymm(1.0, covariance, np.asfortranarray(rows.T), lower=1))


@dataclass(frozen=True, eq=False)
class Innovation:
    """Linear observations, ready to be believed: gains and the factor of their joint variance."""

    spread: Floats
    lower: Floats

    @classmethod
    def of(cls, covariance: Floats, rows: Floats, noise: Floats, spread: Floats | None = None) -> Innovation:
        """Factor the variance of rows (m, d) with noise variances (m,); ``spread`` (d, m) where already known."""
        spread = gained(covariance, rows) if spread is None else spread
        variance = rows @ spread
        variance[np.diag_indices_from(variance)] += noise
        return cls(spread, sla.cholesky(variance, lower=True, overwrite_a=True, check_finite=False))

    def moved(self, mean: Floats, surprise: Floats) -> Floats:
        """Return the mean after the observations; ``surprise`` (m,) is observed minus predicted."""
        return np.asarray(mean + self.spread @ sla.cho_solve((self.lower, True), surprise, check_finite=False))

    def narrowed(self, covariance: Floats) -> Floats:
        r"""Return the covariance after the observations.

        .. math:: P - V^T V, \quad V = L^{-1} H P, \quad H P H^T + R = L L^T

        References
        ----------
        R. E. Kalman, *A New Approach to Linear Filtering and Prediction Problems*, 1960; in square-root form of the
        innovation, which keeps the result symmetric and needs half the work.
        """
        v = sla.solve_triangular(self.lower, self.spread.T, lower=True, check_finite=False)
        return np.asarray(dsyrk(-1.0, np.asfortranarray(v), beta=1.0, c=covariance, trans=1, lower=1))
