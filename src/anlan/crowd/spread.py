"""How sure sums over polygons are, as far as the knots tell."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]


def variances(
    weights: sp.csr_matrix, persons: Floats, hats: sp.csr_matrix, covariance: npt.NDArray[np.float32]
) -> Floats:
    r"""Return the variance of weighted sums of persons by the covariance of the knots' log-ratios, shape (m,).

    .. math:: g^T P g, \quad g_k = \sum_c w_c x_c \varphi_{ck}

    A polygon touches few knots, so only their pairs of :math:`P` are read.

    Parameters
    ----------
    weights : sparse, shape (m, n)
    persons : float64, shape (n,)
    hats : sparse, shape (n, k)
    covariance : float32, shape (k, k)
    """
    return np.asarray(_variances(_parts(weights), persons, _parts(hats), covariance))


def _parts(matrix: sp.csr_matrix) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    return matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data


@numba.njit(cache=True)
def _variances(sums, persons, hats, covariance):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    (begin, cell, share), (first, knot, hat) = sums, hats
    n_knots = len(covariance)
    out, slope, touched = np.zeros(len(begin) - 1), np.zeros(n_knots), np.empty(n_knots, np.int64)
    met = np.zeros(n_knots, np.bool_)
    for m in range(len(begin) - 1):
        n = 0
        for i in range(begin[m], begin[m + 1]):
            c = cell[i]
            x = share[i] * persons[c]
            for j in range(first[c], first[c + 1]):
                k = knot[j]
                if not met[k]:
                    met[k], touched[n] = True, k
                    n += 1
                slope[k] += x * hat[j]
        whole = np.sort(touched[:n])
        total = 0.0
        for a in range(n):
            k = whole[a]
            row = 0.5 * covariance[k, k] * slope[k]
            for b in range(a):
                row += covariance[k, whole[b]] * slope[whole[b]]
            total += 2 * row * slope[k]
        out[m] = total
        for a in range(n):
            slope[whole[a]], met[whole[a]] = 0.0, False
    return out
