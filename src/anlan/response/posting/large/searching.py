"""Most weight by n posts where points are millions: a bound by a game of two sides, a search among what it favours."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from anlan.kernel.geo import Floats
from anlan.response.posting import kernel
from anlan.response.posting.cover import Cover, merged_rows
from anlan.response.posting.large.game import Game, Standing, played_in_part
from anlan.response.posting.large.kernel import wandered
from anlan.response.posting.most import program_of_most
from anlan.response.posting.problem import Ints, Watch

_FIRST_ROUNDS, _FIRST_SHARE, _ROUGHLY = 240, 0.25, 0.01
"""The whole game goes on for so many rounds, or this share of the time, or until the sides are so close."""
_BLOCK = 40
_SLIGHT = 0.05
"""The sides are left alone while they are this little apart, as a share of what plan and bound are."""
_SEEN = 0.02
"""Sites that hold less of a unit than this are not searched."""
_WALKS, _TRIES, _STRIDE, _SLACK = 5, 5, 250, 5e-5
"""So many walks are joined, each of so many tries for a unit, so many of them at once; worse by this share is borne."""
_MERGED_S, _CROWDED = 5.0, 2.5
"""Plans are joined within so many seconds, with at most so many sites for each unit."""


def most_of_many(
    cover: Cover, gain: Floats, bonus: Floats, size: tuple[int, int], watch: Watch, seed: int
) -> tuple[Ints, float, float]:
    """Return posts, their value, and the bound; it stops when they are as close as asked, or the time is used up."""
    n, per_site = size
    by_site = cover.sfirst, cover.spoint
    posts = kernel.greedy(*by_site, cover.weight, gain, bonus, per_site, np.empty(n, np.int64))
    search = _Search(cover, gain, bonus, size, watch, seed, posts)
    game = Game.of(cover, gain, bonus, size)
    at = game.begun(cover, posts)
    for r in range(_FIRST_ROUNDS // _BLOCK):
        rough = at.bound - at.reached <= _ROUGHLY * abs(at.bound)
        if rough or (r and watch.spent_s > _FIRST_SHARE * watch.stop.seconds):
            break
        at = game.play(at, _BLOCK, watch)
    bound, turn = min(at.bound, float(cover.weight.sum() * gain.sum() + bonus.sum())), 0
    while turn == 0 or not (watch.is_over or search.is_enough(bound)):
        if turn == 0 or bound - at.reached > _SLIGHT * (bound - search.value):
            at = played_in_part(cover, game, at, watch)
            bound = min(bound, at.bound)
        search.turn(at, bound)
        turn += 1
    return search.posts, search.value, max(bound, search.value)


@dataclass(eq=False, slots=True)
class _Search:
    """The best plan so far, and how far walks from it may stray."""

    cover: Cover
    gain: Floats
    bonus: Floats
    size: tuple[int, int]
    watch: Watch
    seed: int
    posts: Ints
    value: float = field(init=False)
    wide: float = 2.0

    def __post_init__(self) -> None:
        self.value = self._value(self.posts)

    def _value(self, posts: Ints) -> float:
        units = np.bincount(posts, minlength=self.cover.n_sites).astype(float)
        return self.cover.value(units, self.gain) + float(self.bonus[np.unique(posts)].sum())

    def is_enough(self, bound: float) -> bool:
        """Return whether plan and bound are as close as asked."""
        return bound - self.value <= max(self.watch.stop.gap, 1e-6) * max(abs(self.value), abs(bound))

    def turn(self, at: Standing, bound: float) -> None:
        """Walk among the sites that hold part of a unit, and join what was found; the longer in vain, the farther.

        References
        ----------
        C. C. Aggarwal, J. B. Orlin, R. P. Tai (1997), "Optimized crossover for the independent set problem": the best
        plan among the sites of others is a small program of its own.
        """
        begin, before, n = self.posts, self.value, self.size[0]
        sites = np.unique(np.concatenate([np.flatnonzero(at.x > _SEEN), self.posts]))
        rows, weight = merged_rows(csr_array(self.cover.matrix[:, sites]), self.cover.weight)
        columns = csr_array(rows.T)
        by_site = columns.indptr.astype(np.int64), columns.indices.astype(np.int32)
        by_row = rows.indptr.astype(np.int64), rows.indices.astype(np.int32)
        found: list[Ints] = []
        slack = self.wide * _SLACK * self.value
        for _walk in range(_WALKS):
            now = np.searchsorted(sites, begin).astype(np.int64)
            for _stride in range(-(-_TRIES * n // _STRIDE)):
                self.seed += 1
                rest = (weight, self.gain, self.bonus[sites], self.size[1], now, _STRIDE, slack)
                best, now = wandered(*by_site, *by_row, *rest, self.seed)
                self._keep(sites[best])
                if self.watch.is_over or self.is_enough(bound):
                    return
            found += [best, now]
        self._join(rows, weight, sites, found)
        self.wide = 2.0 if self.value > before else min(2 * self.wide, 8.0)

    def _keep(self, posts: Ints) -> None:
        made = np.sort(posts).astype(np.int64)
        value = self._value(made)
        if value > self.value:
            self.posts, self.value = made, value

    def _join(self, rows: csr_array, weight: Floats, sites: Ints, found: list[Ints]) -> None:
        """Solve the program of the sites of the best plan and of those found, as long as they are few."""
        n, per_site = self.size
        among = np.searchsorted(sites, np.unique(self.posts))
        for one in found:
            wider = np.union1d(among, one)
            among = wider if len(wider) <= _CROWDED * n else among
        few, heavy = merged_rows(csr_array(rows[:, among]), weight)
        program = program_of_most(few, heavy, self.gain, self.bonus[sites[among]], self.size)
        made = program.solve(seconds=min(_MERGED_S, self.watch.left_s), gap=_SLACK, seed=self.seed)
        if made.values is None:
            return
        units = np.rint(made.values[: len(among)]).astype(np.int64)
        posts = sites[np.repeat(among, units)]
        spare = np.repeat(sites[among], per_site - units)
        self._keep(np.concatenate([posts, spare[: n - len(posts)]]))
