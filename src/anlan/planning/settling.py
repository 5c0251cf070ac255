"""How busy units are is an outcome of a plan: plan, ask how busy they become, plan again, until both agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from anlan.kernel.errors import BadInput
from anlan.planning.ground import Demand, Hours
from anlan.response.cover import offered_busy
from anlan.response.posting import Day, PeriodPlan, Stop, plan_day

MOST_BUSY = 0.9
"""Units that are busier than this keep no promise."""
ROUNDS = 8
WITHIN = 0.01
"""Fractions nearer than this agree: a plan is of whole units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much there is to do: incidents an hour over the day, and for how long one keeps a unit beside the way, s."""

    per_hour: float
    busy_s: float

    def __post_init__(self) -> None:
        if not (0 <= self.per_hour < math.inf and 0 <= self.busy_s < math.inf):
            raise BadInput(
                f"per_hour={self.per_hour}, busy_s={self.busy_s}", "must be >= 0 per hour and >= 0 s", "correct it"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledDay:
    """Periods with busy shares that the plans under them do not exceed; ``agreed`` is False where none were found."""

    periods: tuple[Hours, ...]
    n_rounds: int
    agreed: bool


def settled(day: Day, periods: tuple[Hours, ...], demand: Demand, load: Load, stop: Stop, seed: int = 0) -> SettledDay:
    r"""Return the periods, each with the least busy share found whose plan leaves units no busier than that.

    .. math:: q_t = \lambda_t (\tau + 2 \bar T_t) / n_t

    with :math:`\lambda` the incidents an hour of a period (as the demand shares them), :math:`\tau` what one keeps a
    unit beside the way, :math:`\bar T` the mean way from the nearest post, s, and n the units. Units that lose nobody
    are on average just so busy, whoever serves whom (Larson 1974). Plans are of whole units, so none may lead to its
    own share: then the one above it is taken, under which the promise holds.

    Raises
    ------
    BadInput
        If the units that keep the promise would be busy for more than nine tenths of their time.

    References
    ----------
    R. Batta, J. Dolan, N. Krishnamurthy (1989), "The maximal expected covering location problem: revisited".
    """
    mass = demand.weight.sum(axis=1)
    hours = np.array([one.length for one in periods])
    per_hour = load.per_hour * mass / max(float((mass * hours).sum() / hours.sum()), 1e-12)
    now = np.array([one.busy for one in periods])
    low, high = np.zeros(len(now)), np.full(len(now), np.nan)  # too little, and enough
    turn = 0
    while turn < ROUNDS:
        turn += 1
        asked = replace(
            day,
            periods=[
                replace(one, busy=dict.fromkeys(one.times_s, float(q))) for one, q in zip(day.periods, now, strict=True)
            ],
        )
        plan = plan_day(asked, stop=stop, seed=seed)
        parts = zip(plan.periods, per_hour, strict=True)
        then = np.array([_busy(asked, k, one, float(rate), load.busy_s) for k, (one, rate) in enumerate(parts)])
        holds = then <= now + 1e-9
        high = np.where(holds, np.fmin(high, now), high)
        low = np.where(holds, low, np.maximum(low, now))
        if (high - np.maximum(low, np.where(holds, then, low)) <= WITHIN).all():  # False where none is enough yet
            break
        upward = np.where(then > now, then + WITHIN / 2, MOST_BUSY)
        now = np.minimum(np.where(np.isnan(high), upward, (low + high) / 2), MOST_BUSY)
    if np.isnan(high).any() and (then >= MOST_BUSY).any():
        k = int(then.argmax())
        raise BadInput(
            f"{per_hour[k]:.1f} incidents an hour in period {periods[k].key!r}",
            f"must keep units busy for less than {MOST_BUSY:.0%} of their time, not {then[k]:.0%}",
            "plan with a higher reliability, or fewer incidents",
        )
    found = np.where(np.isnan(high), now, high)
    made = tuple(replace(one, busy=float(q)) for one, q in zip(periods, found, strict=True))
    return SettledDay(periods=made, n_rounds=turn, agreed=not bool(np.isnan(high).any()))


def _busy(day: Day, k: int, plan: PeriodPlan, per_hour: float, busy_s: float) -> float:
    """Return how busy the units of a period become: vehicles where there are any, else all."""
    period = day.periods[k]
    kind = "vehicle" if plan.posts.get("vehicle") else max(plan.posts, key=lambda one: len(plan.posts[one]))
    posts = np.unique(plan.posts[kind])
    times, best = period.times_s[kind][posts], np.full(len(period.weight), np.inf)
    np.minimum.at(best, times.indices, times.data)
    near = np.isfinite(best) & (period.weight > 0)
    way_s = float(np.average(best[near], weights=period.weight[near])) if near.any() else 0.0
    n_units = len(plan.posts[kind])
    return offered_busy(per_hour, busy_s + 2 * way_s, max(n_units, 1))
