"""The linear algebra of the filter: dense, symmetric, lower triangles only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import scipy.linalg as sla
import scipy.sparse as sp
from scipy.linalg.blas import dsyrk, dtrmm
from scipy.linalg.lapack import dtrtri

Floats = npt.NDArray[np.float64]


_plain: dict[str, Any] = {"cache": True, "error_model": "numpy"}


@numba.njit(**_plain)
def _fade(out, past, keep, own):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    for i in range(len(out)):
        out[i] = past[i] * (keep[i] * own)


@numba.njit(**_plain)
def _regain(out, past, keep, usual, may, own):  # type: ignore[no-untyped-def]  # the same
    (scale, has, given), (kept, scaled, had, gives) = may, own
    for i in range(len(out)):
        regained = (usual[i] - has[i] * had) * scale[i] * scaled + given[i] * gives
        out[i] = regained + (past[i] - regained) * (keep[i] * kept)


@numba.njit(**_plain)
def _relax(covariance, stationary, ends, keep, scale, level):  # type: ignore[no-untyped-def]  # the same
    side = len(keep)
    out = np.empty((side, side)).T  # Fortran order
    has, given = level
    for j in range(side):  # by calls, so that the compiler sees that nothing overlaps, and takes four at once
        end, own = ends[j], (keep[j], scale[j], has[j], given[j])
        may = scale[j:end], has[j:end], given[j:end]
        _regain(out[j:end, j], covariance[j:end, j], keep[j:end], stationary[j:end, j], may, own)
        _fade(out[end:, j], covariance[end:, j], keep[end:], keep[j])
    return out


def relax(
    covariance: Floats,
    stationary: Floats,
    ends: npt.NDArray[np.int64],
    keep: Floats,
    scale: Floats,
    level: Floats,
) -> Floats:
    r"""Return the covariance after a time in which each number keeps a part of itself and regains its prior spread.

    .. math:: P_{ij} \leftarrow \phi_i \phi_j P_{ij} + (1 - \phi_i \phi_j) (s_i s_j (Q_{ij} - q_i q_j) + q'_i q'_j)

    Parameters
    ----------
    covariance, stationary : float64, shape (d, d)
        :math:`P` now and :math:`Q` in the long run; lower triangles.
    ends : int64, shape (d,)
        Where the block of :math:`Q` that a column stands in ends; below it :math:`Q` is zero and is not read.
    keep : float64, shape (d,)
        :math:`\phi`, 1 where nothing relaxes.
    scale : float64, shape (d,)
        :math:`s`, how much wider than :math:`Q` each may stray at present, without what all of its block share.
    level : float64, shape (2, d)
        By how much each strays with what all of its block share: :math:`q` that is in :math:`Q`, and :math:`q'` at
        present.
    """
    return np.asarray(_relax(covariance, stationary, ends, keep, scale, level))


@numba.njit(cache=True)
def _gathered(lower, wanted):  # type: ignore[no-untyped-def]  # the same
    side, n = len(lower), len(wanted)
    out = np.empty((n, side))
    for k in range(n):
        for i in range(wanted[k], side):
            out[k, i] = lower[i, wanted[k]]
    for j in range(side):
        for k in range(n):
            if wanted[k] > j:
                out[k, j] = lower[wanted[k], j]
    return out


def crossed(rows: sp.csr_matrix, lower: Floats) -> Floats:
    """Return sparse rows (m, d) times a symmetric matrix given by its lower triangle; only what they touch is read."""
    wanted, place = np.unique(rows.indices, return_inverse=True)
    few = sp.csr_matrix((rows.data, place, rows.indptr), shape=(rows.shape[0], len(wanted)))
    return np.asarray(few @ _gathered(lower, wanted))


@numba.njit(cache=True)
def _mirror(lower, out):  # type: ignore[no-untyped-def]  # the same
    side, block = out.shape[0], 32  # in blocks, so that the strided half stays in the cache
    for jb in range(0, side, block):
        for ib in range(jb, side, block):
            for j in range(jb, min(jb + block, side)):
                for i in range(max(ib, j), min(ib + block, side)):
                    out[i, j] = lower[i, j]
                    out[j, i] = lower[i, j]


def whole(lower: Floats, side: int | None = None, kind: type[np.floating] = np.float64) -> npt.NDArray[Any]:
    """Return the first ``side`` rows and columns of a symmetric matrix given by its lower triangle."""
    side = len(lower) if side is None else side
    out = np.empty((side, side), kind)
    _mirror(lower, out)
    return out


def dots(rows: sp.csr_matrix, spread: Floats) -> Floats:
    """Return the sum of products of each row with its own row of ``spread``, shape (m,)."""
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return np.asarray(np.bincount(row, rows.data * spread[row, rows.indices], rows.shape[0]))


@dataclass(frozen=True, eq=False)
class Innovation:
    """Linear observations, ready to be believed: their covariance with the vector, and the factor of their own."""

    spread: Floats
    lower: Floats

    @classmethod
    def of(cls, rows: sp.csr_matrix, spread: Floats, noise: Floats) -> Innovation:
        """Factor the variance of rows (m, d): ``spread`` (m, d) is rows times covariance, ``noise`` (m,) variances."""
        variance = rows @ spread.T
        variance[np.diag_indices_from(variance)] += noise
        return cls(spread, sla.cholesky(variance.T, lower=True, overwrite_a=True, check_finite=False))

    def moved(self, mean: Floats, surprise: Floats) -> Floats:
        """Return the mean after the observations; ``surprise`` (m,) is observed minus predicted."""
        return np.asarray(mean + self.spread.T @ sla.cho_solve((self.lower, True), surprise, check_finite=False))

    @cached_property
    def _turned(self) -> Floats:
        return np.asarray(dtrtri(self.lower, lower=1)[0])

    def alone(self, surprise: Floats) -> tuple[Floats, Floats]:
        r"""Return by how much each observation is off what the vector and all others lead to expect, and its variance.

        .. math:: \frac{(S^{-1} e)_i}{(S^{-1})_{ii}}, \quad \frac{1}{(S^{-1})_{ii}}, \qquad S = H P H^T + R

        References
        ----------
        R. D. Cook, S. Weisberg, *Residuals and Influence in Regression*, 1982 (deletion residuals).
        """
        precision = (self._turned**2).sum(axis=0)
        return np.asarray(self._turned.T @ (self._turned @ surprise) / precision), np.asarray(1 / precision)

    def narrowed(self, covariance: Floats, *, in_place: bool = False) -> Floats:
        r"""Return the covariance after the observations; ``in_place``: written over the one given.

        .. math:: P - V^T V, \quad V = L^{-1} H P, \quad H P H^T + R = L L^T

        References
        ----------
        R. E. Kalman, *A New Approach to Linear Filtering and Prediction Problems*, 1960; in square-root form of the
        innovation, which keeps the result symmetric and needs half the work.
        """
        # By the inverse, from the right: of few rows, solving takes many times as long, and the rest needs no copy.
        v = dtrmm(1.0, self._turned, self.spread.T, side=1, lower=1, trans_a=1)
        return np.asarray(dsyrk(-1.0, v, beta=1.0, c=covariance, lower=1, overwrite_c=in_place))
