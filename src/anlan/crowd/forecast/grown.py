"""Trees that serve a running district: grown on what is older than two weeks, with the errors they made since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from anlan.crowd.forecast.boosting import LEAST_WEEKS, ROUNDS, Blend, Boosting
from anlan.crowd.forecast.conformal import widths
from anlan.crowd.forecast.live import CALIBRATES_DAYS, DAY_AHEAD, HOUR_AHEAD
from anlan.crowd.forecast.series import SOFTEN, Floats, Series, unlog
from anlan.kernel.answers import CurvePoint
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput, NoData

HORIZONS = HOUR_AHEAD + DAY_AHEAD
LEAST_DAYS = 7 * LEAST_WEEKS + CALIBRATES_DAYS
"""Eight weeks to learn from, and two in which to see how wrong that was."""
Tell = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Grown:
    """Trees with the intervals of what they tell: ``down`` and ``up`` of log(persons + 10), (H, 24, S), by local hour.

    They learned from ``days`` days up to ``learned_until``, and their errors up to ``until``.
    """

    subjects: tuple[str, ...]
    trees: Boosting
    learned_until: datetime
    until: datetime
    days: float
    down: Floats
    up: Floats

    def ahead(self, series: Series) -> dict[str, tuple[CurvePoint, ...]]:
        """Return what is expected of each subject: means of the quarters of an hour that end at each moment.

        Parameters
        ----------
        series : Series
            Of the same subjects, at steps of 15 min; its last step ends now.
        """
        now, blend = len(series) - 1, Blend(HORIZONS, trees=self.trees)
        found: dict[str, list[CurvePoint]] = {name: [] for name in self.subjects}
        for h, ahead in enumerate(HORIZONS):
            expected = blend.ahead(series, [now], ahead)[0]
            hour = series.hour_of_day[now + ahead]
            logs = np.log(expected + SOFTEN)
            low, high = unlog(logs - self.down[h, hour]), unlog(logs + self.up[h, hour])
            at = series.begin_at + (now + 1 + ahead) * series.step
            for k, name in enumerate(self.subjects):
                told = [float(one[k]) for one in (expected, low, high)]
                if np.isfinite(told).all():
                    found[name].append(CurvePoint.told(at, *told))
        return {name: tuple(points) for name, points in found.items()}

    def moved_by_weather(self, series: Series) -> frozenset[str]:
        """Return of which subjects something else would be expected if nothing of the weather were known."""
        if series.known.weather is None:
            return frozenset()
        now = np.array([len(series) - 1])
        moved = np.any([self.trees.moved_by_weather(series, now, ahead)[0] for ahead in HORIZONS], axis=0)
        return frozenset(name for name, is_moved in zip(self.subjects, moved, strict=True) if is_moved)

    def written(self) -> dict[str, Any]:
        """Return it as plain values, from which :meth:`read` makes the same again."""
        return {
            "subjects": list(self.subjects),
            "trees": self.trees.written(),
            "learned_until": self.learned_until.isoformat(),
            "until": self.until.isoformat(),
            "days": self.days,
            "down": self.down.tolist(),
            "up": self.up.tolist(),
        }

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Grown:
        """Return it from its plain values.

        Raises
        ------
        BadInput
            If they are of another form.
        Unavailable
            If LightGBM is not installed.
        """
        try:
            made = cls(
                subjects=tuple(written["subjects"]),
                trees=Boosting.read(written["trees"]),
                learned_until=as_utc(datetime.fromisoformat(written["learned_until"]), "learned_until"),
                until=as_utc(datetime.fromisoformat(written["until"]), "until"),
                days=float(written["days"]),
                down=np.array(written["down"], np.float64),
                up=np.array(written["up"], np.float64),
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise BadInput("learned trees", f"must be of this version's form ({fault})", "learn anew") from None
        shape = (len(HORIZONS), 24, len(made.subjects))
        if made.down.shape != shape or made.up.shape != shape or set(made.trees.forests) != set(HORIZONS):
            raise BadInput(f"learned trees of {made.down.shape}", f"must be of {shape}", "learn anew")
        return made


def grow(series: Series, before: Grown | None = None, tell: Tell | None = None, *, n_rounds: int = ROUNDS) -> Grown:
    """Return trees for a series whose last step ends now.

    They learn from what is older than two weeks, so that their errors since are errors on what they have not seen.

    Parameters
    ----------
    before : Grown, optional
        Trees that learned already, of which the errors alone are to be learned anew.
    tell : callable, optional
        Hears what is being done, and which share of the whole is.
    n_rounds : int
        Trees in each forest.

    Raises
    ------
    NoData
        If the series is shorter than ten weeks.
    Unavailable
        If LightGBM is not installed.
    """
    n_judged, now = CALIBRATES_DAYS * 24 * series.per_hour, len(series) - 1
    days = (len(series) - n_judged) / (24 * series.per_hour)
    tell = tell or _nobody
    if before is None:
        if len(series) < LEAST_DAYS * 24 * series.per_hour:
            told = f"a history of {len(series) / (24 * series.per_hour):.0f} days"
            raise NoData(told, f"must have {LEAST_DAYS} or more", "go on counting")
        tell("trees", 0.0)
        trees = Boosting(HORIZONS, n_rounds=n_rounds).learn(series.until(len(series) - n_judged))
        learned_until = series.begin_at + (len(series) - n_judged) * series.step
    else:
        trees, learned_until, days = before.trees, before.learned_until, before.days
    blend, down, up = Blend(HORIZONS, trees=trees), [], []
    for k, ahead in enumerate(HORIZONS):
        tell("errors", 0.8 + 0.2 * k / len(HORIZONS))
        origins = np.arange(max(now - n_judged, 0), now + 1)
        expected = blend.ahead(series, origins, ahead)
        came = np.full_like(expected, np.nan)
        known = origins + ahead <= now
        came[known] = series.counts[origins[known] + ahead]
        below, above = widths(expected, came, series.hour_of_day[origins + ahead], ahead)
        down.append(below)
        up.append(above)
    return Grown(
        subjects=series.subjects, trees=trees, learned_until=learned_until,
        until=series.begin_at + len(series) * series.step, days=days, down=np.array(down), up=np.array(up),
    )  # fmt: skip


def _nobody(what: str, share: float) -> None:
    del what, share
