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
    return matrix.indptr.astype(np.int32, copy=False), matrix.indices.astype(np.int32, copy=False), matrix.data


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


@numba.njit(cache=True)
def strayed(sums, persons, block, of_blocks):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return, by row of weights, how far each strays from its blocks' own shares (squared), its sum, and that of w²x.

    ``block`` (n,) numbers each cell's block, ``of_blocks`` are the sums of persons and of their squares by block, and
    how far the pattern of each strays; the last of what is returned knows nothing of it.
    """
    (begin, cell, share), (held, squares, fine) = sums, of_blocks
    n = len(begin) - 1
    strays, total, whole = np.zeros(n), np.zeros(n), np.zeros(n)
    inside, crossed = np.zeros(len(held)), np.zeros(len(held))
    for m in range(n):
        for i in range(begin[m], begin[m + 1]):
            c, w = cell[i], share[i]
            x, tau = persons[c], fine[block[c]]
            total[m] += tau * w * x
            whole[m] += w * w * x
            strays[m] += (tau * w * x) ** 2
            inside[block[c]] += w * x
            crossed[block[c]] += w * x * x
        for i in range(begin[m], begin[m + 1]):
            b = block[cell[i]]
            if inside[b] != 0.0:
                part = inside[b] / max(held[b], 1e-9)
                strays[m] += fine[b] ** 2 * part * (part * squares[b] - 2 * crossed[b])
                inside[b], crossed[b] = 0.0, 0.0
        strays[m] = max(strays[m], 0.0)
    return strays, total, whole


@numba.njit(cache=True)
def informed(sums, persons, walkable_m2, since, until, now_s):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return, by row of weights, walkable ground, persons where anything ever, and still, informs; and the newest time.

    ``sums`` are where each row begins, its cells and their weights; ``since`` and ``until`` (n,) when what informs each
    cell ended, and until when it stands, NaN where nothing ever did. Without any, the newest is minus infinity.
    """
    begin, cell, share = sums
    n = len(begin) - 1
    out, newest = np.zeros((n, 3)), np.full(n, -np.inf)
    for m in range(n):
        for i in range(begin[m], begin[m + 1]):
            c = cell[i]
            x = 0.0 if np.isnan(persons[c]) else share[i] * persons[c]
            out[m, 0] += share[i] * walkable_m2[c]
            if not np.isnan(until[c]):
                out[m, 1] += x
                if until[c] >= now_s:
                    out[m, 2] += x
                    newest[m] = max(newest[m], 0.0 if np.isnan(since[c]) else since[c])
    return out, newest
