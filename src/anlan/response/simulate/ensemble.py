"""Many drawn years against plans and policies, each year by itself, so that they may run anywhere and in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput
from anlan.response.simulate.running import cover_of, simulate
from anlan.response.simulate.telling import PROMISES_S, Told, tell
from anlan.response.simulate.world import NEAREST, Carrying, Fleet, Incidents, Kind, Policy, Roads


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """Plans and policies that are tried on the same incidents.

    Parameters
    ----------
    roads : Roads
    plans : sequence of Fleet
    policies : sequence of Policy
    within_s : float
        The promise, s; see :func:`simulate`.
    promises_s : sequence of float
        Whose shares are told.

    Raises
    ------
    BadInput
        If there is no plan or no policy.
    """

    roads: Roads
    plans: Sequence[Fleet]
    policies: Sequence[Policy] = (NEAREST,)
    within_s: float = 180.0
    promises_s: Sequence[float] = PROMISES_S

    def __post_init__(self) -> None:
        if not self.plans or not self.policies:
            raise BadInput(
                f"{len(self.plans)} plans, {len(self.policies)} policies", "must be at least one of each", "add one"
            )

    def over(self, incidents: Incidents) -> tuple[tuple[Told, ...], ...]:
        """Return what every plan (outer) under every policy (inner) makes of the incidents."""
        return tuple(self._under(plan, incidents) for plan in self.plans)

    def _under(self, plan: Fleet, incidents: Incidents) -> tuple[Told, ...]:
        weighs = any(policy.weighs_cover for policy in self.policies)
        cover = cover_of(self.roads, plan, incidents, self.within_s) if weighs else None
        made = []
        for policy in self.policies:
            run = simulate(self.roads, plan, incidents, policy, within_s=self.within_s, cover=cover)
            made.append(tell(run, self.within_s, promises_s=self.promises_s, n_places=self.roads.n_places))
        return tuple(made)


@dataclass(frozen=True, eq=False, kw_only=True)
class Ensemble:
    """Years that are drawn where they are run: only the seed and the figures travel.

    Parameters
    ----------
    trial : Trial
    per_hour, weight, days, kinds, turnout_s
        See :meth:`Incidents.drawn`.
    carrying : Carrying, optional
        See :meth:`Incidents.carried`.
    seed : int
        Year k is drawn from the k-th child of this seed, whoever draws it.

    Examples
    --------
    >>> street = np.abs(np.subtract.outer(np.arange(9.0), np.arange(9.0))) * 60
    >>> tried = Trial(roads=Roads(times_s=street), plans=[Fleet(posts=[4]), Fleet(posts=[0, 8])])
    >>> drawn = Ensemble(trial=tried, per_hour=0.2, weight=np.ones(9), days=30)
    >>> [[under.n for under in plan] for plan in drawn.told(7)]     # both plans met the same year
    [[143], [143]]
    """

    trial: Trial
    per_hour: npt.ArrayLike
    weight: npt.ArrayLike
    days: int
    kinds: Sequence[Kind] = (Kind(),)
    turnout_s: float = 60.0
    carrying: Carrying | None = None
    seed: int = 1

    def year(self, k: int) -> Incidents:
        """Return the incidents of year k."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(k,)))
        drawn = Incidents.drawn(
            rng,
            per_hour=self.per_hour,
            weight=self.weight,
            days=self.days,
            kinds=self.kinds,
            turnout_s=self.turnout_s,
        )
        return drawn.carried(rng, self.trial.roads, self.carrying) if self.carrying else drawn

    def told(self, k: int) -> tuple[tuple[Told, ...], ...]:
        """Return what every plan (outer) under every policy (inner) makes of year k."""
        return self.trial.over(self.year(k))
