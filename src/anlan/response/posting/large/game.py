"""The linear program of a cover of millions, played: in full to see which sites matter, then among those alone.

Among few sites most points become equal and merge, so a round costs a fraction. What those points are worth is shared
out by weight again, and bounds the whole: nothing that was left out is assumed to be worthless.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from anlan.kernel.geo import Floats
from anlan.response.posting.cover import Cover, numbered_rows
from anlan.response.posting.large.kernel import bound_of, played, worth_of_parts
from anlan.response.posting.problem import Ints, Watch

_BLOCK = 40
"""Rounds between two looks at how far apart the sides are."""
_ANEW, _LONGEST = 0.4, 12
"""A mean begins anew when the sides are this much closer than when it began, or after so many blocks."""
_ROUNDS = 400
_NEARLY = 0.02
"""Sites whose points are worth up to this much less than those of the last unit are played, too."""
_CLOSE = 1e-4
"""Sides this close are left as they are."""


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """The best worths and units so far, what they bound and reach, and what a unit's step is to a worth's."""

    u: Floats
    x: Floats
    bound: float
    reached: float
    ratio: float
    among: tuple[int, ...] = ()
    """The sites among which it was played, where not among all."""


@dataclass(frozen=True, eq=False, slots=True)
class Game:
    """What is played for: points by weight, gains and bonuses, and how many units."""

    by_point: tuple[Ints, npt.NDArray[np.int32]]
    weight: Floats
    gain: Floats
    bonus: Floats
    size: tuple[int, int]

    @classmethod
    def of(cls, cover: Cover, gain: Floats, bonus: Floats, size: tuple[int, int]) -> Game:
        """Return the game on a whole cover."""
        return cls((cover.pfirst, cover.psite), cover.weight, gain, bonus, size)

    def begun(self, cover: Cover, posts: Ints) -> Standing:
        """Return how it stands at first, from a plan: worths lie between what the last unit and the next add."""
        x = np.bincount(posts, minlength=len(self.bonus)).astype(float)
        steps = np.append(self.gain, 0.0)
        count = np.minimum(np.rint(cover.counts(x)).astype(np.int64), len(self.gain))
        u = self.weight * (steps[count] + steps[np.maximum(count - 1, 0)]) / 2
        row, site = self._degrees()
        ratio = float(np.sqrt((site * x**2).sum()) / max(np.sqrt((row * u**2).sum()), 1e-300))
        return Standing(u, x, self.bound(u), self.worth(x), 3 * ratio)

    def bound(self, u: Floats) -> float:
        """Return the bound that worths give."""
        n, per_site = self.size
        return float(bound_of(*self.by_point, self.weight, self.gain, self.bonus, per_site, n, u))

    def worth(self, x: Floats) -> float:
        """Return what units reach, parts of units allowed."""
        return float(worth_of_parts(*self.by_point, self.weight, self.gain, self.bonus, x))

    def _degrees(self) -> tuple[Floats, Floats]:
        site = np.bincount(self.by_point[1], minlength=len(self.bonus))
        return np.diff(self.by_point[0]).astype(float), site.astype(float)

    def play(self, at: Standing, rounds: int, watch: Watch) -> Standing:
        """Play up to so many rounds, or until the sides are close.

        Both sides begin anew from their mean when that has come much closer, and the ratio of their steps follows how
        far each went meanwhile.

        References
        ----------
        A. Chambolle, T. Pock (2011), "A first-order primal-dual algorithm for convex problems with applications to
        imaging", algorithm 1; T. Pock, A. Chambolle (2011), "Diagonal preconditioning for first order primal-dual
        algorithms in convex optimization"; D. Applegate et al. (2021), "Practical large-scale linear programming
        using primal-dual hybrid gradient", restarts and primal weight. We know both sides' values and restart by them.
        """
        n, per_site = self.size
        row, site = self._degrees()
        given = (*self.by_point, self.weight, self.gain, self.bonus, per_site, n)
        u, x, ratio = at.u.copy(), at.x.copy(), at.ratio
        from_u, from_x, total_u, total_x, blocks, apart = u.copy(), x.copy(), 0.0 * u, 0.0 * x, 0, 0.0
        for r in range(-(-rounds // _BLOCK)):
            block_u, block_x = played(*given, u, x, ratio, _BLOCK)
            total_u, total_x, blocks = total_u + block_u, total_x + block_x, blocks + 1
            sides = [(u.copy(), x.copy()), (total_u / blocks, total_x / blocks)]
            values = [(self.bound(one), self.worth(other)) for one, other in sides]
            for (one, other), (bound, reached) in zip(sides, values, strict=True):
                if bound < at.bound:
                    at = Standing(one, at.x, bound, at.reached, ratio)
                if reached > at.reached:
                    at = Standing(at.u, other, at.bound, reached, ratio)
            if watch.is_over or at.bound - at.reached <= _CLOSE * abs(at.bound):
                break
            near = [bound - reached for bound, reached in values]
            apart = min(near) if r == 0 or blocks == 1 else apart
            if blocks > 1 and (min(near) < _ANEW * apart or blocks >= _LONGEST):
                if near[1] < near[0]:
                    u, x = sides[1]
                far_u, far_x = np.sqrt((row * (u - from_u) ** 2).sum()), np.sqrt((site * (x - from_x) ** 2).sum())
                if far_u > 0 and far_x > 0:
                    ratio = float(np.sqrt(ratio * far_x / far_u))
                from_u, from_x, total_u, total_x, blocks = u.copy(), x.copy(), 0.0 * u, 0.0 * x, 0
        return Standing(at.u, at.x, at.bound, at.reached, ratio)


def played_in_part(cover: Cover, game: Game, at: Standing, watch: Watch) -> Standing:
    """Return how it stands after rounds among the sites that may matter, shared out to all points again.

    Sites once played among stay: their points are worth little because they are there.
    """
    n, per_site = game.size
    pull = game.bonus + cover.matrix.T @ at.u
    last = np.sort(pull)[-min(-(-n // per_site), len(pull))]
    sites = np.union1d(np.flatnonzero((at.x > 1e-4) | (pull >= (1 - _NEARLY) * last)), np.array(at.among, np.int64))
    matrix = csr_array(cover.matrix[:, sites])
    begin, number = numbered_rows(matrix)
    rows, some = csr_array(matrix[begin]), number >= 0
    weight = np.asarray(np.bincount(number[some], cover.weight[some], len(begin)), float)
    by_point = rows.indptr.astype(np.int64), rows.indices.astype(np.int32)
    part = Game(by_point, weight, game.gain, game.bonus[sites], game.size)
    u, x = np.asarray(np.bincount(number[some], at.u[some], len(begin)), float), at.x[sites]
    found = part.play(Standing(u, x, part.bound(u), part.worth(x), at.ratio), _ROUNDS, watch)
    each = np.append(found.u / np.maximum(weight, 1e-300), 0.0)
    spread = cover.weight * np.where(some, each[number], game.gain[0])
    units = np.zeros(cover.n_sites)
    units[sites] = found.x
    return Standing(spread, units, game.bound(spread), found.reached, found.ratio, tuple(sites.tolist()))
