"""What each kind of device says about the vector: linear rows about the present guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd.balance import Told
from anlan.crowd.layout import Layout, Params
from anlan.crowd.measures import walking_speed
from anlan.crowd.sources import Cordons, Grid, Sources
from anlan.kernel.records import Observation

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """``matrix`` (m, d), ``surprise`` (m,) observed minus predicted, ``noise`` (m,) variance; ``doubted``: it may be absurd."""

    matrix: Floats
    surprise: Floats
    noise: Floats
    doubted: bool


def unresolved(weights: sp.csr_matrix, persons: Floats, size_m: float, params: Params) -> Floats:
    r"""Return the variance of sums of cells that the knots do not resolve, shape (m,).

    .. math:: \tau^2 \min(n \sum_c (w_c x_c)^2, (\sum_c w_c x_c)^2) + \sum_c w_c^2 x_c

    with :math:`n` cells in a patch that strays together: a fine pattern of spread :math:`\tau`, and people being whole.
    """
    parts = weights.multiply(persons[None, :]).tocsr()
    total = np.asarray(parts.sum(axis=1)).ravel()
    squares = np.asarray(parts.multiply(parts).sum(axis=1)).ravel()
    together = max(1.0, (params.patch_m / size_m) ** 2)
    whole = np.asarray(weights.multiply(weights) @ persons).ravel()
    return np.asarray(params.fine**2 * np.minimum(squares * together, total**2) + whole)


def slopes(weights: sp.csr_matrix, persons: Floats, hats: sp.csr_matrix) -> Floats:
    """Return the derivative of ``weights @ persons`` by each knot's log-ratio, shape (m, k)."""
    return np.asarray((weights.multiply(persons[None, :]).tocsr() @ hats).todense())


def per_minute(seen: Observation) -> float:
    """Return the people per minute over a line, both directions."""
    minutes = (seen.end_at - seen.begin_at).total_seconds() / 60
    return float(seen.n_passed if seen.n_passed is not None else (seen.n_in or 0) + (seen.n_out or 0)) / minutes


def passage_rows(
    layout: Layout, sources: Sources, seen: Mapping[str, Observation], mean: Floats, density: Floats
) -> Rows | None:
    r"""Return rows of counters across streets.

    .. math:: \log q = \log(60\, \rho\, v(\rho)\, w) + s

    with flow :math:`q` per minute, width :math:`w`, Weidmann's speed :math:`v`, and :math:`s` the counter's own bias: how much the
    flow at its line stands for its surroundings. It wanders, so a passage tells changes better than levels.
    """
    told = [k for k, device in enumerate(sources.passages.devices) if device.device_id in seen]
    if not told:
        return None
    cell, width = sources.passages.cell[told], sources.passages.width_m[told]
    rho = np.maximum(density[cell], 1e-6)
    flow = np.maximum(60 * rho * walking_speed(rho) * width, 0.5)
    step = 1e-3
    up = rho * (1 + step)
    slope = (np.log(up * walking_speed(up)) - np.log(rho * walking_speed(rho))) / step
    matrix = np.zeros((len(told), layout.size))
    # Past the density of greatest flow the slope turns; there a count cannot tell a jam from an empty street.
    matrix[:, layout.out] = layout.out_hats[cell].toarray() * np.clip(slope, 0.15, 1)[:, None]
    bias = layout.passage.start + np.array(told)
    matrix[np.arange(len(told)), bias] = 1
    counted = np.array([per_minute(seen[sources.passages.devices[k].device_id]) for k in told])
    error = np.array([sources.passages.devices[k].expected_error for k in told])
    surprise = np.log(np.maximum(counted, 0.5)) - np.log(flow) - mean[bias]
    return Rows(matrix, surprise, 0.10**2 + error**2 + 1 / np.maximum(flow, 1), doubted=True)


def view_rows(
    layout: Layout, sources: Sources, seen: Mapping[str, Observation], mean: Floats, persons: Floats
) -> Rows | None:
    r"""Return rows of counters of a view: :math:`\log n = \log \sum_c w_c x_c + s`."""
    told = [k for k, device in enumerate(sources.views.devices) if device.device_id in seen]
    if not told:
        return None
    weights = sources.views.weights[told]
    present = np.maximum(np.asarray(weights @ persons).ravel(), 0.5)
    matrix = np.zeros((len(told), layout.size))
    matrix[:, layout.out] = slopes(weights, persons, layout.out_hats) / present[:, None]
    bias = layout.view.start + np.array(told)
    matrix[np.arange(len(told)), bias] = 1
    counted = np.array([float(seen[sources.views.devices[k].device_id].n_present or 0) for k in told])
    error = np.array([sources.views.devices[k].expected_error for k in told])
    surprise = np.log(np.maximum(counted, 0.5)) - np.log(present) - mean[bias]
    return Rows(matrix, surprise, 0.08**2 + error**2 + 2 / np.maximum(present, 1), doubted=True)


def cordon_rows(
    layout: Layout, cordons: Cordons, told: Told, mean: Floats, persons: Floats, fine: Floats
) -> Rows | None:
    r"""Return rows of closed places, in thousands of persons.

    .. math:: \sum_c w_c x_c - o - \delta F = B

    with balance :math:`B` of the gates, offset :math:`o` (who was inside when counting began, and what was lost since), through-flow
    :math:`F`, and :math:`\delta` by how much more the gates miss one way than the other. Without the last, one per cent of asymmetry
    would grow into a fifth of the occupancy in seven hours. What gates have not sent yet widens the row.

    References
    ----------
    D. Duives, T. van Oijen, S. Hoogendoorn, *Monitoring the Number of Pedestrians in an Area*, J. Adv. Transp. 2018.
    """
    heard = np.flatnonzero(np.isfinite(told.missing_var))
    if not len(heard):
        return None
    weights = cordons.weights[heard]
    total = np.asarray(weights @ persons).ravel() / 1000
    net, through = told.net[heard] / 1000, told.through[heard] / 1000
    matrix = np.zeros((len(heard), layout.size))
    matrix[:, layout.out] = slopes(weights, persons, layout.out_hats) / 1000
    each = np.arange(len(heard))
    offset, asymmetry = layout.offset.start + heard, layout.asymmetry.start + heard
    matrix[each, offset] = -1
    matrix[each, asymmetry] = -through
    surprise = net - total + mean[offset] + through * mean[asymmetry]
    # The fine pattern inside is hardly noise here: the gates count everybody, wherever they stand.
    noise = (0.2 * fine[heard] + told.missing_var[heard]) / 1e6 + (0.01 * total) ** 2 + 1e-4
    return Rows(matrix, surprise, noise, doubted=False)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a location grid should see by cell: people in public space, people indoors (both times its share)."""

    outdoors: Floats
    indoors: Floats


def grid_rows(
    layout: Layout, grid: Grid, share_knots: slice, counts: Floats, seen: Seen, params: Params, size_m: float
) -> Rows | None:
    r"""Return rows of a location grid.

    .. math:: \log n_g = \log \sum_c h_{gc}\, r_c\, (x_c + y_c)

    with position error :math:`h`, the holder's share :math:`r` of people (a smooth field about what it tells), people in public
    space :math:`x` and indoors :math:`y`. A suppressed square says that its count is below the limit: it is used where more
    are expected, at half the limit with a wide noise, and says nothing elsewhere.
    """
    expected = np.asarray(grid.weights @ (seen.outdoors + seen.indoors)).ravel()
    limit = max(grid.suppressed_below, 1)
    suppressed = np.isnan(counts)
    told = np.flatnonzero(np.where(suppressed, expected > 1.5 * limit, expected > 0.5))
    if not len(told):
        return None
    weights = grid.weights[told]
    expected = np.maximum(expected[told], 1.0)
    matrix = np.zeros((len(told), layout.size))
    for knots, persons, hats in (
        (layout.out, seen.outdoors, layout.out_hats),
        (layout.homes, seen.indoors, layout.homes_hats),
        (layout.shift, seen.indoors, layout.shift_hats),
        (share_knots, seen.outdoors + seen.indoors, layout.share_hats),
    ):
        matrix[:, knots] = slopes(weights, persons, hats) / expected[:, None]
    counted = np.where(suppressed[told], limit / 2, np.maximum(counts[told], 1.0))
    fine = unresolved(weights, seen.outdoors, size_m, params)
    rounding = (3.0 / np.maximum(expected, 10)) ** 2
    noise = params.grid_persistence * fine / expected**2 + 1.3 / expected + rounding + 0.03**2
    noise += np.where(suppressed[told], 0.5**2, 0.0)
    return Rows(matrix, np.log(counted) - np.log(expected), noise, doubted=True)


def doubted(surprise: Floats, variance: Floats, noise: Floats, limit: float) -> Floats:
    r"""Return the noise of observations, more for those that surprise beyond belief.

    .. math:: R' = R + \max(e^2 / k^2 - S, 0)

    with surprise :math:`e`, its variance :math:`S` and :math:`k` standard deviations at most: what an observation can move is
    bounded, and falls the more absurd it is, while one that goes on is believed within minutes.

    References
    ----------
    P. J. Huber, *Robust Estimation of a Location Parameter*, 1964 (the idea of a bounded influence; the rule is ours).
    """
    return np.asarray(noise + np.maximum(surprise**2 / limit**2 - variance, 0.0))
