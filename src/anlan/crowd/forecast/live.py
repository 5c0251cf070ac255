"""The next hour of a place that is being counted: from what its hours are used to, or from how it has been changing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from anlan.crowd.count import interval
from anlan.crowd.course import Course, bent
from anlan.crowd.forecast.conformal import bands
from anlan.crowd.forecast.ratio import Ratio
from anlan.crowd.forecast.series import Series
from anlan.crowd.trend import Trend, followed
from anlan.kernel.alerts import Basis
from anlan.kernel.answers import CurvePoint
from anlan.kernel.records import HIDDEN_PERSONS, HIDDEN_SD, Estimate

STEP = timedelta(minutes=15)
HOUR_AHEAD = (1, 2, 3, 4)
DAY_AHEAD = (8, 12, 24, 48, 96)
"""Steps of a quarter of an hour: the four of the next hour, then two, three, six, twelve and twenty-four hours."""
LEAST_DAYS = 8
"""From then on the same slot of the week has been seen."""
CALIBRATES_DAYS = 14
SD_90 = 1.645
"""Half of a 90 % interval in standard deviations."""


def from_usual(series: Series) -> tuple[CurvePoint, ...]:
    """Return what is expected of one subject, from quarters of an hour up to now; empty under eight days of history.

    A point tells the mean of the quarter of an hour that ends at its moment. The interval comes from the errors that
    the same forecaster would have made over the last two weeks.

    Parameters
    ----------
    series : Series
        (T, 1) at steps of 15 min; its last step ends now.
    """
    if np.isfinite(series.counts).sum() < LEAST_DAYS * 24 * series.per_hour:
        return ()
    ratio, now = Ratio(), len(series) - 1
    found = []
    for ahead in HOUR_AHEAD + DAY_AHEAD:
        first = max(now - CALIBRATES_DAYS * 24 * series.per_hour, 0)
        origins = np.arange(first, now + 1)
        expected = ratio.ahead(series, origins, ahead)
        came = np.full_like(expected, np.nan)
        known = origins + ahead <= now
        came[known] = series.counts[origins[known] + ahead]
        made = bands(expected, came, series.hour_of_day[origins + ahead], ahead)
        value, low, high = (float(one[-1, 0]) for one in (expected, made.low, made.high))
        if np.isfinite([value, low, high]).all():
            at = series.begin_at + (len(series) + ahead) * series.step
            found.append(CurvePoint.told(at, value, low, high))
    return tuple(found)


def from_trend(
    past: Sequence[CurvePoint], present: Estimate, course: Course | None = None
) -> tuple[tuple[CurvePoint, ...], tuple[Basis, ...]]:
    """Return the next hour by how it has been changing, and what it rests on; empty before ten minutes of that.

    Parameters
    ----------
    past : sequence of CurvePoint
        The last hour or two, minute by minute.
    present : Estimate
        Known.
    course : Course, optional
        What is known beside the trend, which bends it.
    """
    trend: Trend | None = None
    for point in past:
        sd = None if point.low is None or point.high is None else (point.high - point.low) / (2 * SD_90)
        persons, sd = (HIDDEN_PERSONS, HIDDEN_SD) if point.hidden else (point.occupancy, sd)
        if persons is not None:
            known = Estimate(at=point.at, walkable_m2=present.walkable_m2, occupancy=persons, sd=sd)
            trend = followed(trend, known)
    if trend is None or present.unknown is not None:
        return (), ()
    found, rests_on = [], set()
    for one in bent(trend, course or Course(), (15, 30, 45, 60)):
        low, high = interval(one.occupancy, one.sd**2)
        at = present.at + timedelta(seconds=one.ahead_s)
        found.append(CurvePoint.told(at, one.occupancy, low, high))
        rests_on |= set(one.rests_on)
    return tuple(found), tuple(one for one in Basis if one in rests_on)
