"""The linear algebra of the filter: dense, symmetric, lower triangles only."""

from __future__ import annotations

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


def gained(covariance: Floats, rows: Floats) -> Floats:
    """Return ``covariance @ rows.T`` from the lower triangle, shape (d, m)."""
    return np.asarray(dsymm(1.0, covariance, np.asfortranarray(rows.T), lower=1))


def update(mean: Floats, covariance: Floats, rows: Floats, surprise: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Return mean and covariance after linear observations.

    Parameters
    ----------
    mean : float64, shape (d,)
    covariance : float64, shape (d, d)
        Lower triangle; not written into.
    rows : float64, shape (m, d)
    surprise : float64, shape (m,)
        Observed minus predicted.
    noise : float64, shape (m,)
        Variance of each observation.

    References
    ----------
    R. E. Kalman, 1960; in square-root form of the innovation: with :math:`S = LL^T`, :math:`V = L^{-1} H P`,
    :math:`x + V^T L^{-1} e` and :math:`P - V^T V`.
    """
    spread = gained(covariance, rows)
    innovation = rows @ spread
    innovation[np.diag_indices_from(innovation)] += noise
    lower = sla.cholesky(innovation, lower=True, overwrite_a=True, check_finite=False)
    v = sla.solve_triangular(lower, spread.T, lower=True, check_finite=False)
    e = sla.solve_triangular(lower, surprise, lower=True, check_finite=False)
    return mean + v.T @ e, dsyrk(-1.0, np.asfortranarray(v), beta=1.0, c=covariance, trans=1, lower=1)
