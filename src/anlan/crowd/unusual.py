"""How unusual the present is, by region: the spread that the day itself shows about what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd.cells import Cells
from anlan.crowd.knots import hats
from anlan.crowd.layout import Layout, Params
from anlan.crowd.rows import Blocks, passages_counted, views_counted
from anlan.crowd.sources import Sources
from anlan.kernel.records import Observation

Floats = npt.NDArray[np.float64]

BEYOND = 3.0
"""A count that strays further from the others than so many of its widest spreads tells no more by it."""
LEAST, MOST = 0.04, 4.0
"""Between these the spread of regions is held: the calmest day is not without doubt."""
LEVELS = 0.1, 16.0
"""Between these that of the whole district."""
APART = 0.17
"""Variance by which regions stray at least, by how far (a log-ratio) the district does: eyes stand where most people
come, and agree with each other more than with what they do not see."""


@dataclass(frozen=True, eq=False)
class Eye:
    """A view or a counter across a street: by how much it is in which regions, and how far what it sees may stray.

    ``most`` is the variance by itself, ``level`` how many times as far as usual places it moves with the district.
    """

    regions: npt.NDArray[np.int64]
    share: Floats
    most: float
    level: float


@dataclass(frozen=True, eq=False)
class Unusual:
    r"""Learns by how much people stray from the usual, beside how far they may on any day, from who sees them.

    An eye (a view, a counter across a street) tells the log-ratio :math:`e_i` to what it should see on a usual day,
    with noise and bias of variance :math:`r_i`, where log-ratios stray by :math:`q_i` at most by themselves, and
    :math:`g_i` times as far as elsewhere with the whole district. The median :math:`\bar e` of :math:`e_i / g_i` is
    what the whole district has more or less of, and shows :math:`\bar e^2 / q` of what its level may stray by. About
    it, of the district and then of each region with eyes of weight :math:`w_i` in it,

    .. math:: d_i = \frac{(e_i - g_i \bar e)^2 - r_i}{q_i}, \qquad v = \frac{a + \sum_i d_i}{a + n}, \qquad
              v_r = \frac{a v + \sum_i w_i d_i}{a + \sum_i w_i}

    are the moments of a variance with :math:`a` eyes' worth of what is known without them, and more at least the
    larger :math:`|\bar e|` is. On an ordinary day the usual is held on to, and a location grid that sees a little more
    is not taken for a crowd; on a feast there may be many times as many, and yet where they are usually. The first look
    is taken as it is; from then on it rises within minutes and falls slowly. A grid takes no part: what it sees more of
    is as often indoors.

    Without a survey nobody knows what is usual: it stays at one. The first number is the level's, then come regions.
    """

    layout: Layout
    params: Params
    sources: Sources
    walkable_m2: Floats
    of_knots: sp.csr_matrix
    of_blocks: sp.csr_matrix
    of_eyes: Mapping[str, Eye]
    learns: bool

    @classmethod
    def of(cls, cells: Cells, layout: Layout, blocks: Blocks, sources: Sources, params: Params) -> Unusual:
        """Lay regions over a district, and see which eyes are in which."""
        of_knots, _, _ = hats(*layout.out_at, params.unusual_knots_m)
        smooth = layout.out_hats[:, : layout.n_knots]
        n_cells = np.asarray(blocks.of_cell.sum(axis=0)).ravel()
        of_blocks = sp.csr_matrix(sp.diags(1 / n_cells) @ blocks.of_cell.T @ smooth @ of_knots[: layout.n_knots])
        most = (np.diag(layout.stationary)[layout.out] - layout.level**2)[: layout.n_knots]
        level = layout.level[: layout.n_knots] / params.out_level
        eyes: dict[str, Eye] = {}
        passages = zip(sources.passages.devices, smooth[sources.passages.cell], strict=True)
        views = zip(sources.views.devices, sources.views.weights @ smooth, strict=True)
        for device, knots in (*passages, *views):
            share = knots / max(knots.sum(), 1e-12)
            regions = sp.csr_matrix(share @ of_knots[: layout.n_knots])
            eyes[device.device_id] = Eye(
                regions=regions.indices.astype(np.int64),
                share=regions.data,
                most=float((share @ most)[0]),
                level=float((share @ level)[0]),
            )
        return cls(layout, params, sources, cells.walkable_m2, of_knots, of_blocks, eyes, cells.surveyed)

    def start(self) -> Floats:
        """Return that nothing is known of the day, shape (1 + n_regions,)."""
        return np.ones(1 + self.of_knots.shape[1])

    def looked(self, unusual: Floats) -> bool:
        """Tell whether any eye has looked at this day yet."""
        return bool((unusual != 1.0).any())

    def scale(self, unusual: Floats) -> Floats:
        """Return how much of its widest spread each number of the vector has, shape (d,)."""
        out = np.ones(self.layout.size)
        out[self.layout.out] = np.sqrt(self.of_knots @ unusual[1:])
        return out

    def level(self, unusual: Floats) -> Floats:
        """Return by how much each number strays with what all share: usually, and at present, shape (2, d)."""
        out = np.zeros((2, self.layout.size))
        out[:, self.layout.out] = np.sqrt([[1.0], [unusual[0]]]) * self.layout.level
        return out

    def fine(self, unusual: Floats) -> Floats:
        """Return the spread of the pattern within blocks, shape (n_blocks,)."""
        if not self.learns:
            return np.full(self.of_blocks.shape[0], self.params.fine)
        return np.asarray(self.params.fine * np.sqrt(np.clip(self.of_blocks @ unusual[1:], *self.params.unusual_fine)))

    def after(self, unusual: Floats, usual: Floats, seen: Mapping[str, Observation], minutes: float) -> Floats:
        """Return it after some minutes, with what eyes have seen where people are usually so many (n_cells,)."""
        if not self.learns or minutes <= 0:
            return unusual
        shown = self._shown(usual, seen)
        if shown is None:
            return unusual
        if not self.looked(unusual):
            return shown
        slow = np.where(shown > unusual, self.params.unusual_rises_min, self.params.unusual_falls_min)
        return np.asarray(unusual + (1 - np.exp(-minutes / slow)) * (shown - unusual))

    def _shown(self, usual: Floats, seen: Mapping[str, Observation]) -> Floats | None:
        kinds = (
            (passages_counted(self.sources.passages, seen, usual / self.walkable_m2), self.params.passage_spread),
            (views_counted(self.sources.views, seen, usual), self.params.view_spread),
        )
        names = [device.device_id for one in (self.sources.passages, self.sources.views) for device in one.devices]
        told = [(counted, bias) for counted, bias in kinds if counted is not None]
        if not told:
            return None
        e = np.concatenate([counted.surprise for counted, _ in told])
        noise = np.concatenate([counted.noise + bias**2 for counted, bias in told])
        eyes = [self.of_eyes[name] for name in names if name in seen]
        own = np.array([eye.level for eye in eyes])
        most = np.array([eye.most for eye in eyes])
        middle = float(np.median(e / own))
        strayed = np.minimum(((e - middle * own) ** 2 - noise) / most, BEYOND**2)
        there, weight = np.zeros(self.of_knots.shape[1]), np.zeros(self.of_knots.shape[1])
        for eye, more in zip(eyes, strayed, strict=True):
            there[eye.regions] += eye.share * more
            weight[eye.regions] += eye.share
        doubt = self.params.unusual_doubt
        least = LEAST + APART * abs(middle) / float(most.mean())
        whole = max((doubt + strayed.sum()) / (doubt + len(e)), least)
        level = np.clip(middle**2 / self.params.out_level**2, *LEVELS)
        return np.array([level, *np.clip((doubt * whole + there) / (doubt + weight), min(least, MOST), MOST)])
