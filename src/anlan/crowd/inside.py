"""Which cells lie in polygons, and how much of each: the rows of weights that sums over polygons are made with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Shares = tuple[Indices, Floats]
"""The cells that a polygon touches, and the part of each one's ground that lies inside (0..1]."""


@dataclass(frozen=True, eq=False)
class Inside:
    """The cells of many polygons, one polygon after the other, and one at a time where somebody asks for it.

    Attributes
    ----------
    begin : int64, shape (m + 1,)
        Where each polygon's cells begin.
    cell : int32, shape (q,)
        Numbers as short as scipy has them, so that it copies none.
    share : float64, shape (q,)

    Examples
    --------
    >>> inside = Inside.of([(np.array([0, 2]), np.array([1.0, 0.5])), (np.array([2]), np.ones(1))])
    >>> inside.weights(3).toarray().tolist()
    [[1.0, 0.0, 0.5], [0.0, 0.0, 1.0]]
    >>> [cell.tolist() for cell, _ in inside]
    [[0, 2], [2]]
    """

    begin: Indices
    cell: npt.NDArray[np.int32]
    share: Floats

    @classmethod
    def of(cls, parts: Sequence[Shares] | Inside) -> Inside:
        """Return the same of polygons whose cells are known one by one."""
        if isinstance(parts, cls):
            return parts
        begin = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(cell) for cell, _ in parts], out=begin[1:])
        cell = np.concatenate([np.empty(0, np.int64), *(cell for cell, _ in parts)])
        return cls(begin, cell.astype(np.int32), np.concatenate([np.empty(0), *(share for _, share in parts)]))

    def __len__(self) -> int:
        return len(self.begin) - 1

    def __getitem__(self, k: int) -> Shares:
        first, end = self.begin[k], self.begin[k + 1]
        return self.cell[first:end].astype(np.int64), self.share[first:end]

    def __iter__(self) -> Iterator[Shares]:
        return (self[k] for k in range(len(self)))

    def weights(self, n_cells: int) -> sp.csr_matrix:
        """Return one sparse row for each polygon, shape (m, n_cells)."""
        return sp.csr_matrix((self.share, self.cell, self.begin), shape=(len(self), n_cells))
