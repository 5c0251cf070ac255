"""Smooth fields by few numbers: knots of a lattice, hat functions between them, Matérn covariances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]


def hats(x_m: Floats, y_m: Floats, spacing_m: float) -> tuple[sp.csr_matrix, Floats, Floats]:
    r"""Return the bilinear weights of points on a lattice of knots, knots without any point left out.

    Parameters
    ----------
    x_m, y_m : float64, shape (n,)
    spacing_m : float
        Distance of the knots.

    Returns
    -------
    weights : sparse, shape (n, k)
        Four non-zeros a row at most, summing to one: a field at the points is ``weights @ knots``.
    knot_x_m, knot_y_m : float64, shape (k,)
    """
    west, south = x_m.min() - spacing_m / 2, y_m.min() - spacing_m / 2
    n_columns = int((x_m.max() - west) // spacing_m) + 2
    column, row = (x_m - west) / spacing_m, (y_m - south) / spacing_m
    c0, r0 = column.astype(np.int64), row.astype(np.int64)
    fc, fr = column - c0, row - r0
    parts = [(0, 0, (1 - fc) * (1 - fr)), (1, 0, fc * (1 - fr)), (0, 1, (1 - fc) * fr), (1, 1, fc * fr)]
    points = np.tile(np.arange(len(x_m)), 4)
    knots = np.concatenate([(r0 + dr) * n_columns + c0 + dc for dc, dr, _ in parts])
    used, index = np.unique(knots, return_inverse=True)
    weights = sp.csr_matrix((np.concatenate([w for _, _, w in parts]), (points, index)), shape=(len(x_m), len(used)))
    return weights, west + (used % n_columns) * spacing_m, south + (used // n_columns) * spacing_m


def matern(x_m: Floats, y_m: Floats, scales: Sequence[tuple[float, float]]) -> Floats:
    r"""Return the covariance of a sum of Matérn fields of smoothness 3/2 between knots.

    .. math:: \sum_s \sigma_s^2 (1 + \sqrt 3 d / \ell_s) e^{-\sqrt 3 d / \ell_s}

    Parameters
    ----------
    x_m, y_m : float64, shape (k,)
    scales : sequence of (length :math:`\ell_s` in m, standard deviation :math:`\sigma_s`)

    References
    ----------
    C. E. Rasmussen, C. K. I. Williams, *Gaussian Processes for Machine Learning*, 2006, eq. 4.17.
    """
    distance = np.hypot(x_m[:, None] - x_m, y_m[:, None] - y_m)
    out = np.zeros_like(distance)
    for length_m, sd in scales:
        far = np.sqrt(3.0) * distance / length_m
        out += sd**2 * (1 + far) * np.exp(-far)
    return out
