"""A p-median of few posts proved by branching: a site is taken, or it is not, each with a bound of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.problem import Ints, Watch

FEW = 12
"""With so few posts the relaxation is a per cent off, and a program of all pairs too large; trees stay small."""
_PAIRS = 6000
"""The last two posts are found by trying, where there are no more pairs of sites than these."""
_TURNS, _TURNS_ANEW = 60, 25


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """Part of the tree: sites taken, sites still open, and what is known of plans in it."""

    inside: tuple[int, ...]
    free: Ints
    bound: float
    u: Floats


@dataclass(eq=False, slots=True)
class _Known:
    """The best plan so far, by its rows in the table."""

    posts: Ints
    value: float


def branched(
    cost: Floats,
    extra: Floats,
    size: tuple[int, float],
    known: tuple[Ints, float, float, Floats, Floats],
    watch: Watch,
) -> tuple[Ints, float, float, bool]:
    """Return posts, value, bound and whether it is proved, from what interchange and multipliers know.

    Depth first, the more often taken side first. What a part cannot hold by its reduced costs leaves it at once; where
    one or two posts are left, every choice is tried.

    References
    ----------
    J. E. Beasley (1985), "A note on solving large p-median problems": Lagrangian bounds with penalty tests in a tree.
    We try the last two posts, and warm the multipliers of a part from those of the part above.
    """
    (n, step), (posts, value, bound, u, rho) = size, known
    best = _Known(posts, value)
    every = np.arange(len(cost))
    free = every[_penalty(rho, every, n) < value - bound - step + _slight(value)]
    waiting = [_Part((), free, bound, u)]
    while waiting and not watch.is_over:
        if watch.stop.gap and best.value - min(one.bound for one in waiting) <= watch.stop.gap * abs(best.value):
            break
        part = waiting.pop()
        if best.value - part.bound >= step:
            waiting += _parted(cost, extra, (n, step), part, best)
    low = min((one.bound for one in waiting), default=best.value)
    proved = not waiting or best.value - low < step
    return best.posts, best.value, best.value if proved else min(max(bound, low), best.value), proved


def _slight(value: float) -> float:
    """Return what sums of floats may be off."""
    return 1e-9 * max(1.0, abs(value))


def _penalty(rho: Floats, free: npt.NDArray[np.int64], left: int) -> Floats:
    """Return by how much the bound rises if each free site is taken that was not."""
    of_free = rho[free]
    if left >= len(free):
        return np.zeros(len(free))
    return np.maximum(of_free - np.partition(of_free, left - 1)[left - 1], 0.0)


def _parted(cost: Floats, extra: Floats, size: tuple[int, float], part: _Part, best: _Known) -> list[_Part]:
    """Return what is left to look at of a part, the last of it first; better plans are taken on the way."""
    (n, step), free = size, part.free
    left = n - len(part.inside)
    inside = np.array(part.inside, np.int64)
    if len(free) < left:
        return []
    if left <= 2 and (left < 2 or len(free) ** 2 <= 2 * _PAIRS):
        value, one, two = kernel.best_two(cost, extra, inside, free, left)
        if value < best.value - _slight(value):
            best.posts, best.value = np.unique([*part.inside, one, two]).astype(np.int64), float(value)
        return []
    turns = _TURNS if part.inside else _TURNS_ANEW
    bound, u, rho, often = kernel.dual_median(cost, extra, inside, free, left, best.value, part.u, step, 0.6, turns)
    bound = max(bound, part.bound)
    taken = np.concatenate([inside, free[np.argsort(rho[free], kind="stable")[:left]]])
    value = float(cost[taken].min(axis=0).sum() + extra[taken].sum())
    if value < best.value - _slight(value):
        best.posts, best.value = taken, value
    room = best.value - bound - step
    if room < 0:
        return []
    free = free[_penalty(rho, free, left) <= room + _slight(value)]
    if len(free) <= left:
        return [_Part((*part.inside, *map(int, free[:-1])), free[-1:], bound, u)] if len(free) == left else []
    site = int(free[np.argmax(often[free])])
    rest = free[free != site]
    return [_Part(part.inside, rest, bound, u), _Part((*part.inside, site), rest, bound, u)]
