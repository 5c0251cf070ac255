"""Which number of the filter's vector is what, how far each may stray, and how fast it forgets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd.cells import Cells
from anlan.crowd.knots import hats, matern
from anlan.crowd.sources import Sources

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Params:
    """The estimator's constants. Lengths in metres, times in minutes, spreads as standard deviations of log-ratios.

    ``out_scales`` and ``in_scales`` are (length, spread) of the Matérn fields of people outdoors and indoors; ``*_level`` is the
    spread of what all knots share. ``gate_miss`` is the part of crossings that gates miss on average, ``asymmetry`` the
    spread of in against out about it. ``fine`` and ``patch_m`` describe what the knots cannot resolve. ``widen`` is the
    factor on the variance of an answer that calibration on withheld devices asks for.
    """

    out_knots_m: float = 140.0
    in_knots_m: float = 300.0
    share_knots_m: float = 600.0
    out_scales: tuple[tuple[float, float], ...] = ((1200.0, 0.35), (400.0, 0.60), (140.0, 0.45))
    out_level: float = 0.40
    in_scales: tuple[tuple[float, float], ...] = ((450.0, 0.30),)
    in_level: float = 0.15
    share_scales: tuple[tuple[float, float], ...] = ((700.0, 0.22),)
    share_level: float = 0.12
    out_forgets_min: float = 90.0
    in_forgets_min: float = 400.0
    share_forgets_min: float = 3000.0
    passage_spread: float = 0.42
    passage_forgets_min: float = 150.0
    view_spread: float = 0.18
    view_forgets_min: float = 300.0
    gate_miss: float = 0.05
    asymmetry: float = 0.012
    fine: float = 0.25
    patch_m: float = 60.0
    widen: float = 1.35
    surprise_limit: float = 20.0
    """An observation more surprising than this (squared, in its own variance) is not believed this minute."""
    grid_persistence: float = 6.0
    """How much longer than one window the fine pattern of a grid square lasts: repeats are not independent."""
    grid_wait_min: float = 20.0
    """How late a location grid may come and still be put in its place in time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """The vector: outdoor knots, indoor knots, a share field for each grid, and a number or two for each device.

    ``stationary`` (d, d) is its covariance before anything is observed, ``keep`` (d,) the part of itself that each number
    keeps over a minute.
    """

    out: slice
    indoors: slice
    share: slice
    passage: slice
    view: slice
    offset: slice
    asymmetry: slice
    size: int
    out_hats: sp.csr_matrix
    in_hats: sp.csr_matrix
    share_hats: sp.csr_matrix
    stationary: Floats
    keep: Floats


def layout_of(cells: Cells, sources: Sources, params: Params) -> Layout:
    """Lay out the vector for a district's sources; what nothing can inform is left out."""
    out_hats, out_x, out_y = hats(cells.x_m, cells.y_m, params.out_knots_m)
    in_hats, in_x, in_y = hats(cells.x_m, cells.y_m, params.in_knots_m)
    share_hats, share_x, share_y = hats(cells.x_m, cells.y_m, params.share_knots_m)
    grids = 1 if sources.grids else 0
    n_cordons = len(sources.cordons.place_ids)
    lengths = (
        out_hats.shape[1],
        in_hats.shape[1] * grids,
        share_hats.shape[1] * len(sources.grids),
        len(sources.passages.devices),
        len(sources.views.devices),
        n_cordons,
        n_cordons,
    )
    ends = np.cumsum((0, *lengths))
    out, indoors, share, passage, view, offset, asymmetry = (
        slice(int(a), int(b)) for a, b in zip(ends, ends[1:], strict=False)
    )
    size = int(ends[-1])
    stationary = np.zeros((size, size), order="F")
    stationary[out, out] = matern(out_x, out_y, params.out_scales) + params.out_level**2
    if grids:
        stationary[indoors, indoors] = matern(in_x, in_y, params.in_scales) + params.in_level**2
        one = matern(share_x, share_y, params.share_scales) + params.share_level**2
        for k in range(len(sources.grids)):
            here = slice(share.start + k * len(one), share.start + (k + 1) * len(one))
            stationary[here, here] = one
    expected = sources.cordons.weights @ cells.expected if n_cordons else np.empty(0)
    spread = np.zeros(size)
    spread[passage] = params.passage_spread
    spread[view] = params.view_spread
    spread[offset] = np.maximum(expected, 50.0) / 1000.0  # nobody knows how many were inside when counting began
    spread[asymmetry] = params.asymmetry
    stationary[np.diag_indices(size)] += spread**2
    keep = np.ones(size)
    keep[out] = np.exp(-1 / params.out_forgets_min)
    keep[indoors] = np.exp(-1 / params.in_forgets_min)
    keep[share] = np.exp(-1 / params.share_forgets_min)
    keep[passage] = np.exp(-1 / params.passage_forgets_min)
    keep[view] = np.exp(-1 / params.view_forgets_min)
    return Layout(
        out=out,
        indoors=indoors,
        share=share,
        passage=passage,
        view=view,
        offset=offset,
        asymmetry=asymmetry,
        size=size,
        out_hats=out_hats,
        in_hats=in_hats,
        share_hats=share_hats,
        stationary=stationary,
        keep=keep,
    )
