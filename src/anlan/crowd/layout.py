"""Which number of the filter's vector is what, how far each may stray, and how fast it forgets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.linalg as sla
import scipy.sparse as sp

from anlan.crowd.cells import Cells
from anlan.crowd.knots import hats, matern
from anlan.crowd.sources import Grid, Sources

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Params:
    """The estimator's constants. Lengths in metres, times in minutes, spreads as standard deviations of log-ratios.

    ``*_scales`` are (length, spread) of the Matérn fields that add up, ``*_level`` is the spread of what all knots
    share, ``*_forgets_min`` the time after which a part 1/e of a deviation is left.

    ``out`` are people in public space: a smooth field, and ``ground_spread`` for each place as a whole (an open one,
    one behind counted gates), whose outline a crowd may fill and not pass. ``busier`` is by how much farther they all
    move together where e times as many go on any day. ``homes`` is where people are indoors, day after day: a number
    for each square of a grid, with ``homes_nugget`` of its own; ``shift`` by how much more or fewer of them are there
    now; ``share`` how many a location grid sees for each person in public space, about what its holder tells: it sees
    other shares of them by place. ``visitors`` are in shops and offices beside each of them on a usual day, whom it
    sees as well (see :func:`anlan.crowd.sources.visited`). It forgets within hours, for nothing
    but a count on the spot can tell it from people: remembered longer, the filter would take the usual for the true.
    ``passage_spread`` is how far the flow over a line may fail to stand for its surroundings, ``pace`` how far all
    lines may together: of those about a line not all walk over it. Against a survey both can be told, for some hours:
    how a crowd walks changes with the hour.
    ``view_spread`` is the bias of a view. ``gate_miss`` is the part of crossings that gates miss on average,
    ``asymmetry`` the spread of in against out about it, ``crowding`` how many more they miss, as a part of who crosses,
    where a gate is full, and the spread of that: of all gates, for they are of a kind. ``fine`` and ``patch_m``
    describe what the knots cannot resolve: a pattern of that spread, in patches of that size, within blocks of
    ``block_m`` whose sums the knots follow. ``widen`` is the factor on the variance that the knots leave; ``split`` the
    spread of a common factor on whoever is not behind counted gates: a location grid never tells wholly who is out from
    who is indoors.
    """

    out_knots_m: float = 140.0
    shift_knots_m: float = 1500.0
    share_knots_m: float = 600.0
    out_scales: tuple[tuple[float, float], ...] = ((1200.0, 0.35), (400.0, 0.60), (140.0, 0.45))
    out_level: float = 0.40
    ground_spread: tuple[float, float] = (0.3, 0.6)
    busier: float = 0.0
    homes_scales: tuple[tuple[float, float], ...] = ((1200.0, 0.50), (350.0, 0.50))
    homes_level: float = 0.30
    homes_nugget: float = 0.15
    holder_scales: tuple[tuple[float, float], ...] = ((900.0, 0.18),)
    holder_level: float = 0.12
    shift_scales: tuple[tuple[float, float], ...] = ((2000.0, 0.12),)
    shift_level: float = 0.5
    share_scales: tuple[tuple[float, float], ...] = ((700.0, 0.22),)
    share_level: float = 0.35
    visitors: float = 0.0
    out_forgets_min: float = 90.0
    homes_forgets_min: float = 14_400.0
    shift_forgets_min: float = 240.0
    share_forgets_min: float = 240.0
    holder_forgets_min: float = 43_200.0
    pace: float = 0.0
    pace_forgets_min: float = 300.0
    passage_spread: float = 0.42
    passage_forgets_min: float = 150.0
    view_spread: float = 0.15
    view_forgets_min: float = 300.0
    gate_miss: float = 0.05
    asymmetry: float = 0.012
    crowding: tuple[float, float] = (0.05, 0.05)
    fine: float = 0.8
    patch_m: float = 90.0
    block_m: float = 200.0
    widen: float = 3.0
    split: float = 0.2
    unsettled: float = 0.45
    """Spread of everything together before the first night: who is indoors has not been told from who is out yet."""
    belief: float = 3.0
    """A count that surprises by more standard deviations than this is given the noise at which it would surprise by
    just so many: it moves the estimate less the more absurd it is, and is yet believed if it goes on."""
    grid_persistence: float = 2.0
    """How much longer than one window the fine pattern of a grid square lasts: repeats are not independent."""
    grid_misfit: float = 0.06
    """What remains between a square and its prediction, as a part of its count."""
    grid_far: tuple[float, float] = (0.5, 0.3)
    """A log-ratio of people to the usual from which on a square's count says less about them, and by how much less: how
    many are indoors beside a crowd was learned without the crowd."""
    grid_wait_min: float = 20.0
    """How late a location grid, or a missing window of a gate, may come and still be put in its place in time."""
    surveyed_scales: tuple[tuple[float, float], ...] = ((1200.0, 0.25), (400.0, 0.35), (140.0, 0.30))
    surveyed_level: float = 0.35
    surveyed_busier: float = 0.25
    surveyed_fine: float = 0.36
    surveyed_widen: float = 0.5
    surveyed_split: float = 0.05
    surveyed_pace: float = 0.35
    surveyed_passage: tuple[float, float] = (0.7, 300.0)
    unusual_knots_m: float = 700.0
    unusual_doubt: float = 2.0
    unusual_rises_min: float = 5.0
    unusual_falls_min: float = 30.0
    unusual_fine: tuple[float, float] = (0.2, 1.5)
    """How unusual a day is, is learned in regions of that width, against ``unusual_doubt`` eyes' worth of doubt;
    ``unusual_fine`` holds the factor on the variance of the fine pattern (see :mod:`anlan.crowd.unusual`)."""
    counted_scales: tuple[tuple[float, float], ...] = ((350.0, 0.35),)
    counted_level: float = 0.08
    counted_shift: float = 0.2
    counted_unsettled: tuple[float, float, float] = (0.12, 0.01, 0.33)
    counted_asleep: tuple[float, float] = (0.004, 10.0)
    counted_share: tuple[float, float, tuple[tuple[float, float], ...]] = (0.4, 0.15, ((700.0, 0.18),))
    """What takes the place of the others where a survey of footfall, and a census by area, tell what is to be
    expected. ``counted_unsettled`` is what ``unsettled`` is by itself, how much more for each who is indoors beside one
    who is out, and what it is behind gates whose first night is to come. ``counted_asleep`` is by how much more open
    ground is doubted on any night for each who is indoors beside one who is out, beyond so many."""

    def given(self, cells: Cells) -> Params:
        """Return the constants for what is known of a district."""
        found = self
        if cells.surveyed:
            found = replace(found, out_scales=self.surveyed_scales, out_level=self.surveyed_level)
            found = replace(found, busier=self.surveyed_busier)
            found = replace(found, fine=self.surveyed_fine, widen=self.surveyed_widen, split=self.surveyed_split)
            spread, forgets_min = self.surveyed_passage
            found = replace(found, pace=self.surveyed_pace, passage_spread=spread, passage_forgets_min=forgets_min)
        if cells.counted_at_home:
            visitors, level, scales = self.counted_share
            found = replace(found, homes_scales=self.counted_scales, homes_level=self.counted_level)
            found = replace(
                found, shift_level=self.counted_shift, visitors=visitors, share_level=level, share_scales=scales
            )
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """The vector: knots of each field of log-ratios (see :class:`Params`), and a number or two for each device.

    ``stationary`` (d, d) is its covariance before anything is observed: blocks, with nothing between them; ``ends``
    (d,) is where each number's block ends. ``keep`` (d,) is the part of itself that each number keeps over a minute.
    Of ``out``, the first ``n_knots`` are a smooth field, then comes one for each place; ``out_hats`` (n, k) are the
    cells' parts in them, ``out_at`` where they are, ``level`` (k,) how far they stray together.
    """

    out: slice
    homes: tuple[slice, ...]
    shift: slice
    share: tuple[slice, ...]
    holder: tuple[slice, ...]
    pace: slice
    passage: slice
    view: slice
    offset: slice
    asymmetry: slice
    crowding: slice
    size: int
    out_hats: sp.csr_matrix
    out_at: tuple[Floats, Floats]
    n_knots: int
    level: Floats
    shift_hats: tuple[sp.csr_matrix, ...]
    share_hats: sp.csr_matrix
    holder_hats: tuple[sp.csr_matrix, ...]
    stationary: Floats
    ends: npt.NDArray[np.int64]
    keep: Floats


def layout_of(cells: Cells, sources: Sources, params: Params) -> Layout:
    """Lay out the vector for a district's sources; what nothing can inform is left out."""
    laid = _Laid()
    out_hats, x_m, y_m = hats(cells.x_m, cells.y_m, params.out_knots_m)
    out_at = np.vstack([np.column_stack([x_m, y_m]), sources.grounds.middles])
    n_knots = len(x_m)
    level = params.out_level * _busier(cells, out_hats, params.busier)
    smooth = matern(x_m, y_m, params.out_scales) + np.outer(level, level)
    apart = np.array(params.ground_spread)[sources.grounds.gated.astype(int)]
    out = laid.put(sla.block_diag(smooth, np.diag(apart**2)), params.out_forgets_min)
    homes = tuple(laid.homes(grid, params) for grid in sources.grids)
    shift, shift_hats = laid.shared(sources.grids, params)
    share_hats, x_m, y_m = hats(cells.x_m, cells.y_m, params.share_knots_m)
    block = matern(x_m, y_m, params.share_scales) + params.share_level**2
    share = tuple(laid.put(block, params.share_forgets_min) for _ in sources.grids)
    holders = [laid.holder(grid, params) for grid in sources.grids]
    n_cordons = len(sources.cordons.place_ids)
    expected = sources.cordons.weights @ cells.expected if n_cordons else np.empty(0)
    return Layout(
        out=out,
        homes=homes,
        shift=shift,
        share=share,
        holder=tuple(where for where, _ in holders),
        pace=laid.each(np.full(min(len(sources.passages.devices), 1), params.pace), params.pace_forgets_min),
        passage=laid.each(np.full(len(sources.passages.devices), params.passage_spread), params.passage_forgets_min),
        view=laid.each(np.full(len(sources.views.devices), params.view_spread), params.view_forgets_min),
        # Nobody knows how many were inside when counting began; in thousands, as the rows of cordons are.
        offset=laid.each(1.0 + 3.0 * expected / 1000.0, np.inf),
        asymmetry=laid.each(np.full(n_cordons, params.asymmetry), np.inf),
        crowding=laid.each(np.full(min(n_cordons, 1), params.crowding[1]), np.inf),
        size=laid.size,
        out_hats=sp.csr_matrix(sp.hstack([out_hats, sources.grounds.cells.T])),
        out_at=(out_at[:, 0], out_at[:, 1]),
        n_knots=n_knots,
        level=np.concatenate([level, np.zeros(len(apart))]),
        shift_hats=shift_hats,
        share_hats=share_hats,
        holder_hats=tuple(found for _, found in holders),
        stationary=np.asfortranarray(sla.block_diag(*laid.blocks)),
        ends=np.concatenate(laid.ends),
        keep=np.concatenate(laid.keeps),
    )


def _busier(cells: Cells, out_hats: sp.csr_matrix, part: float) -> Floats:
    r"""Return how far each knot strays with the whole district, about one, shape (k,).

    .. math:: 1 + b \log(\rho_k / \tilde\rho), \quad 0.5 \text{ to } 1.5

    with the density :math:`\rho_k` that is usual there, and its median: a feast draws people to where they go anyhow.
    """
    people, ground = out_hats.T @ cells.expected, out_hats.T @ cells.walkable_m2
    density = np.divide(people, ground, out=np.full(len(ground), np.nan), where=ground > 0)
    density = np.where(density > 0, density, np.nanmedian(density))  # a knot on the rim may have no ground
    return np.asarray(np.clip(1 + part * np.log(density / np.median(density)), 0.5, 1.5))


class _Laid:
    """The vector as far as it is laid out."""

    def __init__(self) -> None:
        self.blocks: list[Floats] = []
        self.ends: list[npt.NDArray[np.int64]] = []
        self.keeps: list[Floats] = []
        self.size = 0

    def put(self, block: Floats, forgets_min: float) -> slice:
        """Add numbers with a covariance; return where they stand."""
        self.blocks.append(block)
        self.keeps.append(np.full(len(block), np.exp(-1 / forgets_min)))
        begin, self.size = self.size, self.size + len(block)
        self.ends.append(np.full(len(block), self.size))
        return slice(begin, self.size)

    def each(self, spread: Floats, forgets_min: float) -> slice:
        """Add independent numbers."""
        where = self.put(np.diag(spread**2), forgets_min)
        self.ends[-1] = np.arange(where.start, where.stop) + 1
        return where

    def homes(self, grid: Grid, params: Params) -> slice:
        """Add by how much more or fewer are at home in each square of a grid that is lived in."""
        x_m, y_m = _lived_in(grid)
        block = matern(x_m, y_m, params.homes_scales) + params.homes_level**2
        block[np.diag_indices_from(block)] += params.homes_nugget**2
        return self.put(block, params.homes_forgets_min)

    def holder(self, grid: Grid, params: Params) -> tuple[slice, sp.csr_matrix]:
        """Add the field by which a grid's holder sees more or fewer than he tells; return also its squares' parts."""
        found, x_m, y_m = hats(*grid.middles, params.share_knots_m)
        block = matern(x_m, y_m, params.holder_scales) + params.holder_level**2
        return self.put(block, params.holder_forgets_min), found

    def shared(self, grids: Sequence[Grid], params: Params) -> tuple[slice, tuple[sp.csr_matrix, ...]]:
        """Add the field by which more or fewer are indoors, which all grids see, at the squares of each."""
        if not grids:
            return slice(self.size, self.size), ()
        x_m, y_m = np.concatenate([_lived_in(grid) for grid in grids], axis=1)
        found, x_m, y_m = hats(x_m, y_m, params.shift_knots_m)
        where = self.put(matern(x_m, y_m, params.shift_scales) + params.shift_level**2, params.shift_forgets_min)
        ends = np.cumsum([0, *(len(grid.lived_in) for grid in grids)])
        return where, tuple(found[a:b] for a, b in itertools.pairwise(ends))


def _lived_in(grid: Grid) -> Floats:
    """Return the middles of a grid's squares with people indoors, shape (2, n_lived_in)."""
    return np.array(grid.middles)[:, grid.lived_in]
