"""How sure sums over polygons are, as far as the knots tell."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]
Unsigned = npt.NDArray[np.uint32]
Entries = tuple[Unsigned, Unsigned, Floats]


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
    return np.asarray(_variances(entries(weights), persons, entries(hats), covariance))


def entries(matrix: sp.csr_matrix) -> Entries:
    """Return where each row begins, its columns and its values; no index has a sign, which would be asked each time."""
    begin, column = (index.astype(np.int32, copy=False).view(np.uint32) for index in (matrix.indptr, matrix.indices))
    return begin, column, matrix.data


@numba.njit(cache=True)
def _variances(sums, persons, hats, covariance):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    (begin, cell, share), (first, knot, hat) = sums, hats
    n_knots = len(covariance)
    out, slope = np.zeros(len(begin) - 1), np.zeros(n_knots)
    touched, slopes = np.empty(n_knots, np.uint32), np.empty(n_knots)
    for m in range(len(out)):
        for i in range(begin[m], begin[m + 1]):
            c = cell[i]
            x = share[i] * persons[c]
            for j in range(first[c], first[c + 1]):
                slope[knot[j]] += x * hat[j]
        n, total = 0, 0.0
        for k in range(n_knots):
            if slope[k] != 0.0:
                touched[n], slopes[n] = k, slope[k]
                slope[k] = 0.0
                n += 1
        for a in range(n):
            of_knot = covariance[touched[a]]
            row = 0.5 * of_knot[touched[a]] * slopes[a]
            for b in range(a):
                row += of_knot[touched[b]] * slopes[b]
            total += 2 * row * slopes[a]
        out[m] = total
    return out


@numba.njit(cache=True)
def strayed(sums, people, block, of_blocks):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return, by row of weights, how far each strays from its blocks' own shares (squared), its sum, and that of w²x.

    ``sums`` are the weights' :func:`entries`, ``people`` the persons of each cell and those of them who may stray,
    ``block`` (n,) numbers each cell's block, ``of_blocks`` are the sums by block of persons and of the squares of those
    who may stray, and how far the pattern of each strays; the last of what is returned knows nothing of it.
    """
    (begin, cell, share), (persons, may), (held, squares, fine) = sums, people, of_blocks
    n = len(begin) - 1
    strays, total, whole = np.zeros(n), np.zeros(n), np.zeros(n)
    inside, crossed, touched = np.zeros(len(held)), np.zeros(len(held)), np.empty(len(held), np.uint32)
    for m in range(n):
        met, own, stray, counted = 0, 0.0, 0.0, 0.0
        for i in range(begin[m], begin[m + 1]):
            c = cell[i]
            b, x, y = block[c], share[i] * persons[c], share[i] * may[c]
            if inside[b] == 0.0 and x != 0.0:
                touched[met] = b
                met += 1
            inside[b] += x
            crossed[b] += y * may[c]
            counted += share[i] * x
            own += fine[b] * y
            stray += (fine[b] * y) ** 2
        for k in range(met):
            b = touched[k]
            part = inside[b] / max(held[b], 1e-9)
            stray += fine[b] ** 2 * part * (part * squares[b] - 2 * crossed[b])
            inside[b], crossed[b] = 0.0, 0.0
        strays[m], total[m], whole[m] = max(stray, 0.0), own, counted
    return strays, total, whole


@numba.njit(cache=True)
def informed(sums, persons, walkable_m2, told, now_s):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return, by row of weights, walkable ground, persons where anything ever, and still, informs; and the newest time.

    ``sums`` are the :func:`entries` of the weights; ``told`` are when what informs each cell ended, and until when it
    stands, NaN where nothing ever did. Without any, the newest is minus infinity.
    """
    (begin, cell, share), (since, until) = sums, told
    n = len(begin) - 1
    out, newest = np.zeros((n, 3)), np.full(n, -np.inf)
    for m in range(n):
        ground = ever = still = 0.0
        for i in range(begin[m], begin[m + 1]):
            c = cell[i]
            ground += share[i] * walkable_m2[c]
            if not np.isnan(until[c]):
                x = 0.0 if np.isnan(persons[c]) else share[i] * persons[c]
                ever += x
                if until[c] >= now_s:
                    still += x
                    newest[m] = max(newest[m], 0.0 if np.isnan(since[c]) else since[c])
        out[m] = ground, ever, still
    return out, newest
