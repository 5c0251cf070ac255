"""Which sites reach which points in time, as small as it can be made without changing any answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.problem import Ints, Mask, Problem

_LARGEST_COMPARED = 6000
"""Above this many rows, pairs of rows are not compared with each other."""
_LARGEST_DENSE = 40_000_000
"""Entries of a table that is still compared as a whole."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cover:
    """Points that the same sites reach are one row, with the sum of their weights; who cannot be reached has none.

    The sets are compared by two sums of 64 random bits over their sites: two different ones agree with a chance of
    about 1e-38 for each pair.
    """

    weight: Floats
    number: Ints
    """Of every point, its row; -1 where no site reaches it or it was left out."""
    sfirst: Ints
    spoint: npt.NDArray[np.int32]
    pfirst: Ints
    psite: npt.NDArray[np.int32]

    @property
    def n_sites(self) -> int:
        """How many sites there are."""
        return len(self.sfirst) - 1

    @classmethod
    def of(cls, problem: Problem, within_s: float, among: Mask | None = None) -> Cover:
        """Return the cover of a problem within a time, of the points ``among``."""
        first, point = problem.within(within_s)
        draw = np.random.default_rng(20_260_101)  # fixed: it only tells sets apart, no answer depends on it
        one, two = draw.integers(1, 2**63, (2, problem.n_sites), dtype=np.uint64)
        a, b, n = kernel.hashed(first, point, one, two, problem.n_points)
        used = np.flatnonzero((n > 0) if among is None else (n > 0) & among)
        order = np.lexsort((b[used], a[used]))
        one, two = a[used][order], b[used][order]
        starts = np.concatenate([[True], (one[1:] != one[:-1]) | (two[1:] != two[:-1])])[: len(used)]
        begin = order[starts]
        inverse = np.empty(len(used), np.int64)
        inverse[order] = np.cumsum(starts) - 1
        number = np.full(problem.n_points, -1, np.int64)
        number[used] = inverse
        stands = np.full(problem.n_points, -1, np.int64)
        stands[used[begin]] = np.arange(len(begin))
        weight = np.asarray(np.bincount(inverse, problem.weights[used], len(begin)), float)
        return cls._of(weight, number, *kernel.kept_entries(first, point, stands))

    @classmethod
    def _of(cls, weight: Floats, number: Ints, sfirst: Ints, spoint: npt.NDArray[np.int32]) -> Cover:
        pfirst, psite = kernel.transposed(sfirst, spoint, len(weight))
        return cls(weight=weight, number=number, sfirst=sfirst, spoint=spoint, pfirst=pfirst, psite=psite)

    @property
    def matrix(self) -> csr_array:
        """Rows by sites, 1 where the site reaches the row."""
        return csr_array((np.ones(len(self.psite)), self.psite, self.pfirst), shape=(len(self.weight), self.n_sites))

    def counts(self, units: Floats) -> Floats:
        """Return how many of the units (S,) are in reach of each row."""
        return np.asarray(self.matrix @ units, float)

    def value(self, units: Floats, gain: Floats) -> float:
        """Return what units are worth: weight times the sum of the gains of as many units as are in reach."""
        total = np.concatenate([[0.0], np.cumsum(gain)])
        count = np.minimum(np.rint(self.counts(units)).astype(np.int64), len(gain))
        return float(self.weight @ total[count])


def merged_rows(matrix: csr_array, weight: Floats) -> tuple[csr_array, Floats]:
    """Return the rows with those merged that have become equal, and without those that nothing reaches."""
    begin, number = numbered_rows(matrix)
    some = number >= 0
    return csr_array(matrix[begin]), np.asarray(np.bincount(number[some], weight[some], len(begin)), float)


def numbered_rows(matrix: csr_array) -> tuple[Ints, Ints]:
    """Return one row of each set of sites, and of every row the number of its set; -1 where nothing reaches it."""
    draw = np.random.default_rng(7).random((matrix.shape[1], 2))
    keys = matrix @ draw
    some = np.flatnonzero(np.diff(matrix.indptr) > 0)
    _, begin, inverse = np.unique(np.round(keys[some], 9), axis=0, return_index=True, return_inverse=True)
    number = np.full(matrix.shape[0], -1, np.int64)
    number[some] = inverse.ravel()
    return some[begin], number


def undominated_sites(matrix: csr_array, cost: Floats | None = None) -> Ints:
    """Return the sites (columns) left when each that reaches no more than another, and is not cheaper, goes.

    Valid where a further unit at the wider site is worth as much, or worth nothing at both: any plan is as good with
    the wider site in its place.
    """
    return _maximal(csr_array(matrix.T), np.zeros(matrix.shape[1]) if cost is None else -cost)


def needed_rows(matrix: csr_array, need: Floats | None = None) -> Ints:
    """Return the rows left when each whose sites include all sites of another goes: it is reached when the other is.

    ``need`` (R,) is how many units each wants in reach; a row of less need never stands for one of more.
    """
    return _minimal(matrix, np.ones(matrix.shape[0]) if need is None else need)


def _shared(sets: csr_array) -> tuple[Ints, Ints, Floats]:
    """Return pairs of sets and how many members they share; where many are, a dense product is several times faster."""
    n, m = sets.shape
    if sets.nnz > 0.04 * n * m and n * m <= _LARGEST_DENSE:
        table = sets.toarray().astype(np.float32)
        shared = table @ table.T
        i, k = np.nonzero(shared)
        return i, k, np.rint(shared[i, k])
    found = (sets @ sets.T).tocoo()
    return found.coords[0], found.coords[1], found.data


def _maximal(sets: csr_array, merit: Floats) -> Ints:
    """Return which sets (rows) lie in no other of at least the same merit; of equal ones the first stays."""
    n = sets.shape[0]
    if n > _LARGEST_COMPARED:
        return np.arange(n)
    size = np.diff(sets.indptr)
    i, k, shared = _shared(sets)
    inside = (shared == size[i]) & (i != k) & (merit[i] <= merit[k])
    equal = (size[i] == size[k]) & (merit[i] == merit[k])
    gone = np.zeros(n, np.bool_)
    gone[i[inside & (~equal | (i > k))]] = True
    gone[size == 0] = True
    return np.flatnonzero(~gone)


def _minimal(sets: csr_array, need: Floats) -> Ints:
    """Return which sets (rows) hold no other set of at least the same need; of equal ones the first stays."""
    n = sets.shape[0]
    if n > _LARGEST_COMPARED:
        return np.arange(n)
    size = np.diff(sets.indptr)
    i, k, shared = _shared(sets)
    holds = (shared == size[k]) & (i != k) & (need[k] >= need[i])
    equal = (size[i] == size[k]) & (need[i] == need[k])
    gone = np.zeros(n, np.bool_)
    gone[i[holds & (~equal | (i > k))]] = True
    return np.flatnonzero(~gone)
