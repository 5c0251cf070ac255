"""The pattern finer than the knots, where a view sees it: what a camera counts on its ground is told of that ground."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from anlan.crowd.layout import Params
from anlan.crowd.rows import Blocks, doubted, unresolved, view_noise
from anlan.crowd.sources import Views

Floats = npt.NDArray[np.float64]

HALF = 0.5
"""Of a cell of which so much is seen, as much is told as if it was seen whole."""


def drawn(
    persons: Floats, views: Views, viewed: Mapping[str, float], blocks: Blocks, fine: Floats, params: Params
) -> tuple[Floats, Floats]:
    r"""Return persons by cell with the fine pattern that views tell, and which part of it is left to doubt, (n,) each.

    .. math:: \delta_v = \frac{\tau_v^2}{\tau_v^2 + R_v} \log \frac{n_v}{\sum_c w_{vc} x_c}, \qquad
              x_c' \propto x_c \Bigl(1 + \sum_v \min(2 w_{vc}, 1) (e^{\delta_v} - 1)\Bigr)

    A view that still counts more than the smooth estimate has on its ground is off itself (noise and bias,
    :math:`R_v`), or stands where more people are than about it: what a fine pattern of relative variance
    :math:`\tau_v^2` (see :func:`anlan.crowd.rows.unresolved`) explains of it is told of its ground. Blocks keep their
    sums, for these the knots follow. A count beyond belief draws the less, the further it is off. The filter itself
    knows nothing of all this.

    Parameters
    ----------
    persons : float64, shape (n,)
        The smooth estimate.
    viewed : mapping of str to float
        What views counted, by device.

    References
    ----------
    C. Rasmussen, C. Williams, *Gaussian Processes for Machine Learning*, 2006, section 2.2 (a field given a noisy sum).
    """
    which = np.array([k for k, device in enumerate(views.devices) if device.device_id in viewed], np.int64)
    if not len(which):
        return persons, np.ones(len(persons))
    weights = views.weights[which]
    present = np.maximum(np.asarray(weights @ persons).ravel(), 0.5)
    counted = np.maximum([viewed[views.devices[k].device_id] for k in which], 0.5)
    error = np.array([views.devices[k].expected_error for k in which])
    strays = unresolved(weights, persons, blocks, fine, params.patch_m) / present**2
    off, noise = np.log(counted / present), view_noise(error, present) + params.view_spread**2
    gain = strays / (strays + doubted(off, strays + noise, noise, np.full(len(off), params.belief)))
    more = np.exp(gain * off) - 1
    sides = weights.copy()
    sides.data = np.minimum(sides.data / HALF, 1.0)  # the pattern is wider than a cell: seen by half, it is seen
    seen = np.maximum(np.asarray(sides.sum(axis=0)).ravel(), 1.0)  # ground that two views see is told by both
    there = persons * (1 + np.asarray(more @ sides).ravel() / seen)
    doubt = np.sqrt(np.clip(1 - np.asarray(gain @ sides).ravel() / seen, 0.0, 1.0))
    number = blocks.of_cell.indices
    before, after = (np.bincount(number, values, blocks.of_cell.shape[1]) for values in (persons, there))
    return there * (before / np.maximum(after, 1e-12))[number], doubt
