"""What one run says, in figures: little enough that it travels, and that thousands of them are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anlan.kernel.geo import Floats
from anlan.response.simulate.running import Run
from anlan.response.simulate.world import DAY_S, Ints

PROMISES_S = (60.0, 180.0, 300.0)
FRACTILES = (0.5, 0.9, 0.95)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Told:
    """The figures of one run; NaN where there was nothing to tell of.

    ``n`` incidents, of which ``n_late`` had nobody there within ``within_s``; ``shares`` are by promise in s,
    ``response_s`` by fractile, and what is not named here is as in :class:`Summary`. ``mean_s`` is the mean first
    arrival. ``by_hour`` (24, 2) and ``by_place`` (N, 2) count all
    incidents and the late ones; ``busy_of`` (U,) is the busy share of each unit.
    """

    n: int
    n_late: int
    within_s: float
    shares: dict[float, float]
    response_s: dict[float, float]
    mean_s: float
    waited: float
    wait_s: float
    lost: float
    busy: float
    busiest: float
    road_share: float
    moves_per_day: float
    by_hour: Ints
    by_place: Ints
    busy_of: Floats


def late(run: Run, within_s: float, *, since_s: float = 0.0) -> Floats:
    """Return for each incident from ``since_s`` on whether it was late: nobody there in time, or nobody at all."""
    told = run.response_s[run.incidents.at_s >= since_s]
    return np.asarray(~(told <= within_s), float)


def hours_of(run: Run) -> Ints:
    """Return the hour of the day of each incident."""
    return np.asarray(run.incidents.at_s % DAY_S // 3600, np.int64)


def tell(
    run: Run, within_s: float, *, promises_s: Sequence[float] = PROMISES_S, since_s: float = 0.0, n_places: int = 0
) -> Told:
    """Return what a run says; incidents before ``since_s`` are in the counts by hour and place alone."""
    kept = run.incidents.at_s >= since_s
    response, wait, were = run.response_s[kept], run.wait_s[kept], late(run, within_s)
    came = response[np.isfinite(response)]
    at_all = run.response_s[np.isfinite(run.response_s)]

    def counted(groups: Ints, n: int) -> Ints:
        both = np.bincount(groups, minlength=n), np.bincount(groups, were, minlength=n)
        return np.column_stack(both).astype(np.int64)

    return Told(
        n=len(response),
        n_late=int(were[kept].sum()),
        within_s=within_s,
        shares={s: float((response <= s).mean()) if len(response) else np.nan for s in promises_s},
        response_s={f: float(np.quantile(came, f)) if len(came) else np.nan for f in FRACTILES},
        mean_s=float(at_all.mean()) if len(at_all) else np.nan,
        waited=float((wait > 0).mean()) if len(wait) else np.nan,
        wait_s=float(wait[wait > 0].mean()) if (wait > 0).any() else 0.0,
        lost=float(run.lost.mean()) if len(run.lost) else 0.0,
        busy=run.mean_busy,
        busiest=float(np.nanmax(run.busy)),
        road_share=float(run.road_s.sum() / max(run.duty_s.sum(), 1e-9)),
        moves_per_day=float(run.n_moves.sum() * DAY_S / max(run.ended_s, 1.0)),
        by_hour=counted(hours_of(run), 24),
        by_place=counted(run.incidents.place, n_places),
        busy_of=run.busy,
    )
