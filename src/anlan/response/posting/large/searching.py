"""Most weight by n posts where points are millions: a bound by a game of two sides, a search among what it favours."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.cover import Cover, merged_rows
from anlan.response.posting.large.kernel import bound_of, played
from anlan.response.posting.problem import Ints, Watch

_ROUNDS = 25
_RATIO = 0.01
_SEEN = 0.005
"""Sites that hold less of a unit than this are not searched."""
_SHAKES, _MOVED = 30, 4
"""A plan is shaken so often in each turn, by so few units: its other parts are good already."""


def most_of_many(
    cover: Cover, gain: Floats, bonus: Floats, size: tuple[int, int], watch: Watch, seed: int
) -> tuple[Ints, float, float]:
    """Return posts, their value, and the bound; it stops when they are as close as asked, or the time is used up.

    References
    ----------
    A. Chambolle, T. Pock (2011), "A first-order primal-dual algorithm for convex problems with applications to
    imaging", algorithm 1; T. Pock, A. Chambolle (2011), "Diagonal preconditioning for first order primal-dual
    algorithms in convex optimization". We start again from the mean where its bound is the lower one.
    """
    n, per_site = size
    by_site, by_point = (cover.sfirst, cover.spoint), (cover.pfirst, cover.psite)
    given = (*by_point, cover.weight, gain, bonus, per_site, n)
    posts = kernel.greedy(*by_site, cover.weight, gain, bonus, per_site, np.empty(n, np.int64))
    value = _value(cover, gain, bonus, posts)
    x = np.bincount(posts, minlength=cover.n_sites).astype(float)
    steps = np.append(gain, 0.0)
    count = np.minimum(np.rint(cover.counts(x)).astype(np.int64), len(gain))
    u = cover.weight * (steps[count] + steps[np.maximum(count - 1, 0)]) / 2  # between what the last and the next add
    bound, turn = float(cover.weight.sum() * gain.sum() + bonus.sum()), 0
    while turn == 0 or not (watch.is_over or bound - value <= max(watch.stop.gap, 1e-6) * abs(value)):
        mean_u, mean_x = played(*given, u, x, _RATIO, _ROUNDS)
        here, there = bound_of(*given, u), bound_of(*given, mean_u)
        bound = min(bound, here, there)
        if there <= here:
            u, x = mean_u, mean_x
        again, better = _searched(cover, gain, bonus, (per_site, mean_x), posts, seed + turn)
        if better > value:
            posts, value = again, better
        turn += 1
    return posts, value, max(bound, value)


def _value(cover: Cover, gain: Floats, bonus: Floats, posts: Ints) -> float:
    units = np.bincount(posts, minlength=cover.n_sites).astype(float)
    return cover.value(units, gain) + float(bonus[np.unique(posts)].sum())


def _searched(
    cover: Cover, gain: Floats, bonus: Floats, among: tuple[int, Floats], posts: Ints, seed: int
) -> tuple[Ints, float]:
    """Search among the sites that hold part of a unit, and those of the plan: points merge, and swaps cost little."""
    per_site, x = among
    sites = np.union1d(np.flatnonzero(x > _SEEN), posts)
    rows, weight = merged_rows(csr_array(cover.matrix[:, sites]), cover.weight)
    columns = csr_array(rows.T)
    by_site = columns.indptr.astype(np.int64), columns.indices.astype(np.int32)
    by_row = rows.indptr.astype(np.int64), rows.indices.astype(np.int32)
    begin = np.searchsorted(sites, posts).astype(np.int64)
    found, _ = kernel.swapped(*by_site, *by_row, weight, gain, bonus[sites], per_site, begin, _SHAKES, seed, _MOVED)
    made = np.sort(sites[found]).astype(np.int64)
    return made, _value(cover, gain, bonus, made)
