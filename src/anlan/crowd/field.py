"""The estimate of one minute: persons in each cell, how sure that is, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd.layout import Params
from anlan.crowd.rows import Blocks, unresolved
from anlan.crowd.spread import variances

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Field:
    """Persons by cell at a moment, with the covariance of the knots behind them.

    Attributes
    ----------
    at : datetime
        The minute it speaks of.
    persons : float64, shape (n,)
        Mean persons in public space by cell.
    informed_at : float64, shape (n,)
        When the newest observation that tells presence here ended, seconds since 1970; NaN where nothing ever did.
    informed_until : float64, shape (n,)
        Until when that observation stands; NaN where nothing ever did.
    covariance : float32, shape (k, k)
        Of the log-ratios at the outdoor knots.
    doubt : float64, shape (n,)
        Which part of the fine pattern no view tells.
    open_ground : bool, shape (n,)
        Outside the closed places whose gates are counted, in a district with a location grid.
    unsettled : float64, shape (n,), optional
        Spread of a common factor on everything, as a part of it, by cell; None where there is none.
    proven : float
        Factor on the standard deviation of what is told of open ground, as withheld views have shown
        (:mod:`anlan.crowd.conformal`). What stands behind counted gates they say nothing of.
    """

    at: datetime
    persons: Floats
    informed_at: Floats
    informed_until: Floats
    covariance: npt.NDArray[np.float32]
    hats: sp.csr_matrix
    blocks: Blocks
    fine: Floats
    doubt: Floats
    params: Params
    open_ground: npt.NDArray[np.bool_]
    unsettled: Floats | None = None
    proven: float = 1.0

    @cached_property
    def _held(self) -> tuple[Floats, Floats, Floats]:
        return self.blocks.held(self.persons, self.doubt)

    @cached_property
    def _counted(self) -> Floats:
        """Persons by cell, those of them on open ground, and what all may be off by together, if anything."""
        told = [self.persons, self.persons * self.open_ground]
        return np.column_stack(told if self.unsettled is None else [*told, self.persons * self.unsettled])

    def sums(self, weights: sp.csr_matrix) -> tuple[Floats, Floats]:
        """Return mean and variance of weighted sums of persons.

        Parameters
        ----------
        weights : sparse, shape (m, n)

        Returns
        -------
        mean, variance : float64, shape (m,)
        """
        mean, spread, common = self.parts(weights)
        return mean, spread + common

    def parts(self, weights: sp.csr_matrix) -> tuple[Floats, Floats, Floats]:
        """Return the mean of weighted sums, the variance of what the devices leave open, and that common to all.

        The first of the two is scaled by what is proven, on open ground; shape (m,) each.
        """
        mean, apart, *unsettled = np.asarray(weights @ self._counted).T
        if not len(self.covariance):
            return mean, np.full(len(mean), np.nan), np.full(len(mean), np.nan)
        smooth = variances(weights, self.persons, self.hats, self.covariance)
        fine = unresolved(weights, self.persons, self.blocks, self.fine, self.params.patch_m, self._held)
        common = (self.params.split * apart) ** 2 + sum(one**2 for one in unsettled)
        spread = self.params.widen * smooth + fine
        if self.proven != 1.0:
            spread = spread * self.scale(mean, apart)
        return mean, spread, common

    def scale(self, mean: Floats, apart: Floats) -> Floats:
        """Return the proven factor on the variance of sums, of whose mean a part is on open ground, shape (m,)."""
        outside = np.divide(apart, mean, out=np.zeros(len(mean)), where=mean > 0)
        return np.asarray(1 + (self.proven**2 - 1) * outside)
