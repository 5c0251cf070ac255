"""What each kind of device says about the vector: linear rows about the present guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd.balance import Told
from anlan.crowd.cells import Cells
from anlan.crowd.layout import Layout, Params
from anlan.crowd.measures import walking_speed
from anlan.crowd.sources import Cordons, Grid, Passages, Sources, Views
from anlan.crowd.spread import entries, strayed
from anlan.kernel.records import Device, Observation

Floats = npt.NDArray[np.float64]


ASLEEP = 0.05
"""Spread of the logarithm of how many residents are at home in the small hours, by a kilometre or two."""
WITHIN = 0.02
"""Part of the unresolved variance of a closed place that is left to its row: the gates count everybody, wherever they
stand inside."""
CARRIED = 0.001
"""What a balance misses from one minute to the next, as a part of those inside, before the first night."""
LEAST_SUM = 0.01
"""Thousands of persons below which a closed place counts as empty."""
JAM_DOUBT = 0.5
"""Spread of the log of a flow about its density, where the slope of one against the other has fallen to a half."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Linear observations about the present guess.

    ``matrix`` (m, d), ``surprise`` (m,) observed minus predicted, ``noise`` (m,) variance; ``doubted``: may be absurd;
    ``devices``: whose count each row is, where it is one device's.
    """

    matrix: sp.csr_matrix
    surprise: Floats
    noise: Floats
    doubted: bool
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Blocks:
    """The finest parts whose sums are followed: squares of several cells by the knots, closed places by their gates.

    ``of_cell`` (n, k) has a one for each cell.
    """

    of_cell: sp.csr_matrix
    cell_m: float

    @classmethod
    def of(cls, cells: Cells, side_m: float, closed: sp.csr_matrix) -> Blocks:
        """Lay blocks over a district's cells; ``closed`` (m, n) is the part of each that is in a closed place."""
        side = max(round(side_m / cells.size_m), 1)
        n = len(cells)
        place = np.zeros(n, np.int64)
        mostly = closed.tocoo()
        place[mostly.col[mostly.data > 0.5]] = 1 + mostly.row[mostly.data > 0.5]
        square = (cells.row // side) * cells.n_columns + cells.column // side
        found, number = np.unique(square * (1 + closed.shape[0]) + place, return_inverse=True)
        return cls(sp.csr_matrix((np.ones(n), (np.arange(n), number)), shape=(n, len(found))), cells.size_m)

    def held(self, persons: Floats, doubt: Floats | None = None) -> tuple[Floats, Floats, Floats]:
        """Return sums by block of persons in cells, and of the squares of those who may stray, and these by cell.

        ``doubt`` (n,) is which part of each cell's persons may stray, all where it is not given.
        """
        may = persons if doubt is None else doubt * persons
        number, n_blocks = self.of_cell.indices, self.of_cell.shape[1]  # a cell lies in one block
        held, squares = (np.asarray(np.bincount(number, values, n_blocks), float) for values in (persons, may**2))
        return held, squares, may


def unresolved(
    weights: sp.csr_matrix,
    persons: Floats,
    blocks: Blocks,
    fine: Floats,
    patch_m: float,
    held: tuple[Floats, Floats, Floats] | None = None,
) -> Floats:
    r"""Return the variance of sums of cells that the knots do not resolve, shape (m,).

    .. math:: \min\Bigl(n \sum_b \tau_b^2 \sum_{c \in b} (w_c - f_b)^2 d_c^2 x_c^2,
              (\sum_b \tau_b \sum_{c \in b} w_c d_c x_c)^2\Bigr)
              + \sum_c w_c^2 x_c, \quad f_b = \frac{\sum_{c \in b} w_c x_c}{\sum_{c \in b} x_c}

    with :math:`n` cells in a patch that strays together: a fine pattern of spread :math:`\tau_b` within blocks whose
    sums the knots follow, so that only blocks that are covered in part (:math:`0 < f_b < 1`) add to it; and people
    being whole. Of a cell that a view sees, a part :math:`d_c` of the pattern is left to doubt.

    Parameters
    ----------
    weights : sparse, shape (m, n)
    persons : float64, shape (n,)
    blocks : Blocks
    fine : float64, shape (n_blocks,)
    patch_m : float
    held : (float64, float64, float64), optional
        What the blocks hold, where whoever asks knows it.
    """
    _, of_cell, _ = entries(blocks.of_cell)
    sums, squares, may = held or blocks.held(persons)
    strays, total, whole = strayed(entries(weights), (persons, may), of_cell, (sums, squares, fine))
    together = max(1.0, (patch_m / blocks.cell_m) ** 2)
    return np.asarray(np.minimum(strays * together, total**2) + whole)


def slopes(weights: sp.csr_matrix, persons: Floats, hats: sp.csr_matrix) -> sp.csr_matrix:
    """Return the derivative of ``weights @ persons`` by each knot's log-ratio, shape (m, k)."""
    parts = weights.copy()
    parts.data = parts.data * persons[parts.indices]
    return parts @ hats


def scaled(rows: sp.csr_matrix, by: Floats) -> sp.csr_matrix:
    """Return sparse rows (m, k), each times its own number (m,)."""
    values = rows.data * np.repeat(by, np.diff(rows.indptr))
    return sp.csr_matrix((values, rows.indices, rows.indptr), shape=rows.shape)


def placed(size: int, parts: Sequence[tuple[int, sp.csr_matrix]]) -> sp.csr_matrix:
    """Return sparse blocks side by side in rows of ``size`` columns, each from its first column on."""
    each = np.arange(parts[0][1].shape[0])
    row = np.concatenate([np.repeat(each, np.diff(block.indptr)) for _, block in parts])
    column = np.concatenate([first + block.indices for first, block in parts])
    values = np.concatenate([block.data for _, block in parts])
    return sp.csr_matrix((values, (row, column)), shape=(len(each), size))


def _ones(numbers: Floats | npt.NDArray[np.int64], size: int, values: Floats | float = 1.0) -> sp.csr_matrix:
    """Return one value in each row, at the column of its number."""
    n = len(numbers)
    return sp.csr_matrix((np.broadcast_to(values, n), numbers, np.arange(n + 1)), shape=(n, size))


def per_minute(seen: Observation) -> float:
    """Return the people per minute over a line, both directions."""
    minutes = (seen.end_at - seen.begin_at).total_seconds() / 60
    return float(seen.n_passed if seen.n_passed is not None else (seen.n_in or 0) + (seen.n_out or 0)) / minutes


@dataclass(frozen=True, eq=False)
class Counted:
    """What devices counted against a guess, all (m,): which they are, the slope of its log, surprise, and noise."""

    which: npt.NDArray[np.int64]
    slope: Floats
    surprise: Floats
    noise: Floats

    def rows(
        self, devices: Sequence[Device], mean: Floats, biases: Sequence[slice], out: sp.csr_matrix, layout: Layout
    ) -> Rows:
        """Return rows about a guess: ``out`` (m, k) are slopes at the outdoor knots, beside what devices are off by.

        ``biases``: a number for each device, or one for all of them.
        """
        columns = [np.minimum(part.start + self.which, part.stop - 1) for part in biases]
        parts = [(layout.out.start, out), *((0, _ones(column, layout.size)) for column in columns)]
        off = sum((mean[column] for column in columns), np.zeros(len(self.which)))
        names = tuple(devices[k].device_id for k in self.which)
        return Rows(placed(layout.size, parts), self.surprise - off, self.noise, doubted=True, devices=names)


def passages_counted(passages: Passages, seen: Mapping[str, Observation], density: Floats) -> Counted | None:
    """Return what counters across streets counted against a density by cell, were they without bias."""
    which = [k for k, device in enumerate(passages.devices) if device.device_id in seen]
    if not which:
        return None
    rho = np.maximum(density[passages.cell[which]], 1e-6)
    flow = np.maximum(60 * rho * walking_speed(rho) * passages.width_m[which], 0.5)
    step = 1e-3
    up = rho * (1 + step)
    slope = (np.log(up * walking_speed(up)) - np.log(rho * walking_speed(rho))) / step
    # The denser it is, the less a flow tells; past the density of greatest flow, fewer pass the more people stand.
    slope = np.clip(slope, 1e-3, 1)
    jammed = (JAM_DOUBT * (1 - slope) / slope) ** 2
    counted = np.array([per_minute(seen[passages.devices[k].device_id]) for k in which])
    error = np.array([passages.devices[k].expected_error for k in which])
    noise = 0.10**2 + error**2 + 1 / np.maximum(flow, 1) + jammed
    return Counted(np.array(which), slope, np.log(np.maximum(counted, 0.5)) - np.log(flow), noise)


def views_counted(views: Views, seen: Mapping[str, Observation], persons: Floats) -> Counted | None:
    """Return what counters of a view counted against people by cell, were they without bias."""
    which = [k for k, device in enumerate(views.devices) if device.device_id in seen]
    if not which:
        return None
    present = np.maximum(np.asarray(views.weights @ persons).ravel()[which], 0.5)
    counted = np.array([float(seen[views.devices[k].device_id].n_present or 0) for k in which])
    error = np.array([views.devices[k].expected_error for k in which])
    noise = view_noise(error, present)
    return Counted(np.array(which), 1 / present, np.log(np.maximum(counted, 0.5)) - np.log(present), noise)


def view_noise(error: Floats, present: Floats) -> Floats:
    """Return the relative variance of what a view counts of so many, beside its bias."""
    return np.asarray(0.08**2 + error**2 + 2 / np.maximum(present, 1))


def passage_rows(
    layout: Layout, sources: Sources, seen: Mapping[str, Observation], mean: Floats, density: Floats
) -> Rows | None:
    r"""Return rows of counters across streets.

    .. math:: \log q = \log(60\, \rho\, v(\rho)\, w) + a + s

    with flow :math:`q` per minute, width :math:`w`, Weidmann's speed :math:`v`, :math:`a` by how much fewer cross all
    lines than would if everybody walked straight across, and :math:`s` the counter's own bias: how much the flow at its
    line stands for its surroundings. Without a survey it wanders, so a passage tells changes better than levels.
    """
    passages = sources.passages
    counted = passages_counted(passages, seen, density)
    if counted is None:
        return None
    out = scaled(layout.out_hats[passages.cell[counted.which]], counted.slope)
    return counted.rows(passages.devices, mean, (layout.pace, layout.passage), out, layout)


def view_rows(
    layout: Layout, sources: Sources, seen: Mapping[str, Observation], mean: Floats, persons: Floats
) -> Rows | None:
    r"""Return rows of counters of a view: :math:`\log n = \log \sum_c w_c x_c + s`."""
    views = sources.views
    counted = views_counted(views, seen, persons)
    if counted is None:
        return None
    out = scaled(slopes(views.weights[counted.which], persons, layout.out_hats), counted.slope)
    return counted.rows(views.devices, mean, (layout.view,), out, layout)


def secant(total: Floats, target: Floats) -> Floats:
    r"""Return by how much slopes at a sum are to be steepened, so that one step leads to a target.

    .. math:: \frac{L(t, s)}{s}, \quad L(t, s) = \frac{t - s}{\log t - \log s}

    with the logarithmic mean :math:`L` of sum :math:`s` and target :math:`t`. At a nearly empty place the slope
    itself is nearly nothing: a step along it would overshoot a thousandfold when people come.
    """
    total, target = np.maximum(total, LEAST_SUM), np.maximum(target, LEAST_SUM)
    far = np.log(target / total)
    near = np.abs(far) < 1e-6
    return np.where(near, 1.0, (target / total - 1) / np.where(near, 1.0, far))


def cordon_rows(
    layout: Layout, cordons: Cordons, told: Told, mean: Floats, persons: Floats, fine: Floats
) -> Rows | None:
    r"""Return rows of closed places, in thousands of persons.

    .. math:: \sum_c w_c x_c - o - \delta F - \kappa D = B

    with balance :math:`B` of the gates, offset :math:`o` (who was inside when counting began, and what was lost
    since), through-flow :math:`F`, and :math:`\delta` by how much more the gates miss one way than the other. Without
    the last, one per cent of asymmetry would grow into a fifth of the occupancy in seven hours. Full gates miss a part
    :math:`\kappa` more: of those who come in a dense stream while few go, :math:`D`, too few are counted. What gates
    have not
    sent yet widens the row. Before the first night the offset is the estimate's own of a minute ago
    (:func:`anlan.crowd.dawn.inside_by_estimate`): what the row misses is then missed again each minute.

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
    offset, asymmetry = layout.offset.start + heard, layout.asymmetry.start + heard
    crowded = told.crowded[heard] / 1000
    target = net + mean[offset] + through * mean[asymmetry] + crowded * mean[layout.crowding]
    out = scaled(slopes(weights, persons, layout.out_hats), secant(total, target) / 1000)
    drift = [(0, _ones(offset, layout.size, -1.0)), (0, _missed(layout, heard, through, crowded))]
    matrix = placed(layout.size, [(layout.out.start, out), *drift])
    surprise = target - total
    misfit = np.where(
        told.untold[heard], (CARRIED * total) ** 2 + 1e-8, WITHIN * fine[heard] / 1e6 + (0.01 * total) ** 2 + 1e-4
    )
    noise = misfit + told.missing_var[heard] / 1e6
    return Rows(matrix, surprise, noise, doubted=True)


def cordon_slopes(
    layout: Layout,
    weights: sp.csr_matrix,
    which: npt.NDArray[np.int64],
    through: Floats,
    crowded: Floats,
    persons: Floats,
) -> sp.csr_matrix:
    """Return the derivative of who is inside some cordons, less what gates miss more one way, in thousands, (m, d).

    Parameters
    ----------
    weights : sparse, shape (m, n)
    which : int64, shape (m,)
        Their numbers among the cordons.
    through, crowded : float64, shape (m,)
        Through-flow, and net weighed by how full the gates were, in thousands.
    persons : float64, shape (n,)
    """
    out = slopes(weights, persons, layout.out_hats) / 1000
    return placed(layout.size, [(layout.out.start, out), (0, _missed(layout, which, through, crowded))])


def _missed(layout: Layout, which: npt.NDArray[np.int64], through: Floats, crowded: Floats) -> sp.csr_matrix:
    """Return the derivative of a balance that is too high by what gates miss one way, and when they are full."""
    full = np.full(len(which), layout.crowding.start)
    return _ones(layout.asymmetry.start + which, layout.size, -through) + _ones(full, layout.size, -crowded)


def asleep_rows(layout: Layout, mean: Floats) -> Rows:
    """Return rows that say that in the small hours those are at home whom the census has there.

    It tells how many of them a location grid counts, which at any other hour could as well be how many are at home.
    """
    knots = np.arange(layout.shift.start, layout.shift.stop)
    return Rows(_ones(knots, layout.size), -mean[knots], np.full(len(knots), ASLEEP**2), doubted=False)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a location grid should count: of people in public space by cell, and of people indoors by square.

    With those in public space come the visitors of shops and offices beside them. ``share`` (n_squares,) is by how much
    more or fewer of all of them it counts in a square than its holder tells, ``grown`` (n_squares,) the log-ratio of
    those in public space to the usual.
    """

    outdoors: Floats
    indoors: Floats
    share: Floats
    grown: Floats

    def by_square(self, grid: Grid) -> Floats:
        """Return the count to be expected of each square."""
        return np.asarray(self.share * (np.asarray(grid.weights @ self.outdoors).ravel() + self.indoors))


@dataclass(frozen=True, eq=False)
class GridNoise:
    r"""The relative variance of a grid square's count.

    .. math:: R = p\, \tau_g^2 / \mu^2 + 1.3 / \mu + (3 / \mu)^2 + m^2 + d^2 \max(|r| - r_0, 0)^2

    for a mean count :math:`\mu`, where people are :math:`e^r` times the usual: the fine pattern :math:`\tau_g` that the
    knots do not resolve (it lasts, so repeats are no new evidence: factor :math:`p`), whole people seen at a share,
    rounding, and the misfit :math:`m` of the rest. How many are indoors beside those outside was learned on other days:
    the further from the usual, the more doubt :math:`d` there is about it.
    """

    params: Params
    blocks: Blocks
    fine: Floats

    def variance(self, weights: sp.csr_matrix, seen: Seen, expected: Floats, told: npt.NDArray[np.int64]) -> Floats:
        """Return it for squares ``told`` (m,), given by their rows of weights, shape (m,)."""
        fine = unresolved(weights, seen.outdoors, self.blocks, self.fine, self.params.patch_m)
        rounding, (near, doubt) = (3.0 / np.maximum(expected, 10)) ** 2, self.params.grid_far
        return np.asarray(
            self.params.grid_persistence * fine / expected**2
            + 1.3 / expected
            + rounding
            + self.params.grid_misfit**2
            + (doubt * np.maximum(np.abs(seen.grown[told]) - near, 0.0)) ** 2
        )


def grid_rows(layout: Layout, grid: Grid, number: int, counts: Floats, seen: Seen, noise: GridNoise) -> Rows | None:
    r"""Return rows of a location grid.

    .. math:: \log n_g = s_g + \log \Bigl(y_g + \sum_c h_{gc} r_c (1 + b_c) x_c\Bigr)

    with position error :math:`h`, people in public space :math:`x` and visitors beside each of them :math:`b`, how many
    of both it counts :math:`r` (a smooth field about what its holder tells), and whom it counts at home
    :math:`y`, a number for each square that is learned where and when few are out. A suppressed square says that its
    count is below the limit: it is used where more are expected, at half the limit with a wide noise, and says nothing
    elsewhere.

    Parameters
    ----------
    number : int
        Of the grid among the district's.
    counts : float64, shape (n_squares,)
        NaN where suppressed.
    """
    expected = seen.by_square(grid)
    limit = max(grid.suppressed_below, 1)
    suppressed = np.isnan(counts)
    told = np.flatnonzero(np.where(suppressed, expected > 1.5 * limit, expected > 0.5))
    if not len(told):
        return None
    weights, suppressed = scaled(grid.weights[told], seen.share[told]), suppressed[told]
    expected = np.maximum(expected[told], 1.0)
    out = scaled(slopes(weights, seen.outdoors, layout.out_hats), 1 / expected)
    share = scaled(slopes(weights, seen.outdoors, layout.share_hats), 1 / expected)
    lived_in = grid.lived_in
    indoors = sp.csr_matrix(
        ((seen.share * seen.indoors)[lived_in], (lived_in, np.arange(len(lived_in)))),
        shape=(len(counts), len(lived_in)),
    )
    homes = scaled(indoors[told], 1 / expected)
    shift = homes @ layout.shift_hats[number]
    parts = [(layout.out.start, out), (layout.homes[number].start, homes), (layout.shift.start, shift)]
    parts += [(layout.share[number].start, share), (layout.holder[number].start, layout.holder_hats[number][told])]
    matrix = placed(layout.size, parts)
    counted = np.where(suppressed, limit / 2, np.maximum(counts[told], 1.0))
    variance = noise.variance(weights, seen, expected, told) + np.where(suppressed, 0.5**2, 0.0)
    return Rows(matrix, np.log(counted) - np.log(expected), variance, doubted=True)


def doubted(surprise: Floats, variance: Floats, noise: Floats, limit: Floats) -> Floats:
    r"""Return the noise of observations, more for those that surprise beyond belief.

    .. math:: R' = R + \max(e^2 / k^2 - S, 0)

    with surprise :math:`e`, its variance :math:`S` and :math:`k` standard deviations at most: what an observation can
    move is bounded, and falls the more absurd it is, while one that goes on is believed within minutes.

    References
    ----------
    P. J. Huber, *Robust Estimation of a Location Parameter*, 1964 (the idea of a bounded influence; the rule is ours).
    """
    return np.asarray(noise + np.maximum(surprise**2 / limit**2 - variance, 0.0))
