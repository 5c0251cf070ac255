"""A day of a simulated district whose centre has counted before: an ordinary day surveyed by hand, then the day itself.

Each day is of a district of its own: other ways, corners, homes and faults of devices than any that the estimator was
made with. Counting begins on an ordinary day, at three at night; on that day the footfall is surveyed by hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from shapely.geometry.base import BaseGeometry

from anlan.crowd import Cells, Estimator
from anlan.crowd.state import State
from anlan.kernel.pack import Pack
from anlan.twin import Scenario, Surveyor, Twin, scenarios, walk
from anlan.twin.stream import Minute

FROM = time(3)
"""Local time at which counting begins, and at which the day begins that is looked at."""


@dataclass(frozen=True)
class Learned:
    """A district at three at night before the day: what was surveyed, what is estimated, and the minutes to come."""

    pack: Pack
    cells: Cells
    estimator: Estimator
    state: State
    begin_at: datetime
    minutes: Iterator[Minute]


def scenario_of(pack: Pack, scenario_id: str) -> Scenario:
    """Return a day by its name."""
    return next(s for s in scenarios(pack) if s.scenario_id == scenario_id)


def learned(pack: Pack, scenario_id: str, seed: int, hours: float, polygons: Sequence[BaseGeometry]) -> Learned:
    """Count and survey an ordinary day, and hand over before the day itself, of which so many hours will be walked."""
    day = replace(scenario_of(pack, scenario_id), district_seed=seed)
    begin_at = day.opens_at.replace(hour=FROM.hour, minute=0)
    before = replace(scenario_of(pack, "normal_day"), opens_at=begin_at - timedelta(days=1), district_seed=seed)
    surveyor = Surveyor(pack, seed)
    twin = Twin(pack, before, seed, before.opens_at, at_most=day.visits)
    end_at = begin_at + timedelta(hours=hours)
    days = walk(twin, seed, end_at, polygons, then=(begin_at, day), surveyor=surveyor)
    seen = [minute.observations for minute in itertools.islice(days, 24 * 60)]
    pack = replace(pack, usual=surveyor.made())
    cells = Cells.of(pack)
    estimator = Estimator(pack, cells)
    state = estimator.start(before.opens_at)
    for k, observations in enumerate(seen):
        at = before.opens_at + timedelta(minutes=k + 1)
        state = estimator.advance(state, [one for one in observations if one.end_at <= at], at)
    return Learned(pack, cells, estimator, state, begin_at, days)
