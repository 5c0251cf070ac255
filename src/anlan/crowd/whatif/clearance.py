"""How long it takes until everybody is out: of the district, or of a part of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.crowd.whatif.ground import DEMAND, MOST_FLOW, SUPPLY, Ground
from anlan.crowd.whatif.kernel import walk

Floats = npt.NDArray[np.float64]
STEP_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Clearance:
    """How long clearing takes. A time is None where it is longer than what was computed.

    ``n_stuck`` people have no way out at all and are in neither time; ``stuck_cells`` tells where they are.
    """

    n_persons: float
    half_s: float | None
    most_s: float | None
    """Until 95 % are out."""
    all_s: float | None
    """Until fewer than one person is left."""
    n_left: float
    n_remaining: float
    n_stuck: float
    stuck_cells: tuple[int, ...]


def clearance(
    ground: Ground, persons: Floats, inside: npt.NDArray[np.bool_] | None = None, longest_s: float = 4 * 3600.0
) -> Clearance:
    """Return how long it takes until people are out, if all set off at once and spread over the ways out.

    Parameters
    ----------
    ground : Ground
    persons : float64, shape (n,)
    inside : bool, shape (n,), optional
        The part to be cleared, whose people need only reach the ground beyond it or a way out of the district in it;
        the whole district where None.
    longest_s : float
        Simulated time to give up after, s.

    Notes
    -----
    Nobody hesitates, searches for others or meets stairs: in truth it takes longer. People spread over the ways out so
    that no other would be sooner, queues included, as if led: unled, they crowd at the nearest ones.

    References
    ----------
    C. F. Daganzo, *The cell transmission model, part II*, Transportation Research B 29, 1995; U. Weidmann,
    *Transporttechnik der Fussgänger*, ETH Zürich, 1993.
    """
    sink = ground.sink()
    here = persons.astype(float)
    if inside is not None:
        beyond = np.zeros(len(ground), bool)
        own, border = np.nonzero(inside[:, None] & (ground.near >= 0) & (ground.width_m > 0))
        beyond[ground.near[own, border]] = True
        beyond &= ~inside
        sink = np.where(beyond, 1e9, np.where(inside, sink, 0.0))  # whoever has crossed the border is out
        here = np.where(inside, here, 0.0)
    seconds, _ = ground.queued(here, here, sink, 0.0)
    stuck = ~np.isfinite(seconds) & (here > 0)
    n_stuck, total = float(here[stuck].sum()), float(here.sum())
    walkers = np.where(stuck, 0.0, here)[:, None]
    times, n_left = _empty(ground, walkers, sink, ground.turns(seconds), longest_s)
    return Clearance(
        n_persons=total,
        half_s=times[0],
        most_s=times[1],
        all_s=times[2],
        n_left=n_left,
        n_remaining=float(walkers.sum()) + n_stuck,
        n_stuck=n_stuck,
        stuck_cells=tuple(int(k) for k in np.flatnonzero(stuck)),
    )


def _empty(
    ground: Ground, walkers: Floats, sink: Floats, turn: Floats, longest_s: float
) -> tuple[list[float | None], float]:
    """Walk until nobody is left; return when half, 95 %, and all but one were out, and how many left."""
    n, total = len(ground), float(walkers.sum())
    goals = [0.5 * total, 0.05 * total, 1.0]
    times: list[float | None] = [None if total > goal else 0.0 for goal in goals]
    nobody, no_home = np.zeros(n), np.zeros(n, np.int64)
    no_gate, peak, above = np.zeros((n, 4), bool), np.zeros(n), np.zeros((0, n))
    left = 0.0
    for step in range(1, int(longest_s / STEP_S) + 1):
        if times[2] is not None:
            break
        left += walk(
            walkers, nobody, ground.near, ground.width_m, turn[:, None], ground.ground_m2, no_home, nobody, no_gate,
            np.inf, 1.0, sink, DEMAND, SUPPLY, peak, above, np.zeros(0), STEP_S, ground.size_m, MOST_FLOW,
        )  # fmt: skip
        remaining = total - left
        times = [step * STEP_S if t is None and remaining <= goal else t for t, goal in zip(times, goals, strict=True)]
    return times, left
