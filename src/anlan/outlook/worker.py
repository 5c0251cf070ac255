"""Grows trees for a district in a program of its own, so that no minute waits for them.

It reads what is asked as one JSON object from its standard input, tells how far it is as JSON lines, writes the trees
into the file that is asked for, and tells that they are there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from anlan.crowd.forecast import Known, PlannedEvent, Series
from anlan.crowd.forecast.grown import Grown, grow
from anlan.crowd.forecast.live import STEP
from anlan.errand import Tell, answer
from anlan.kernel.records import Calendar
from anlan.kernel.weather import WeatherLog


def grown(asked: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Grow the trees that are asked for, and write them.

    ``asked`` holds ``counts`` (a file of them, (T, S), by quarters from ``begin_at`` on, and of what was told of the
    weather, if anything was), ``subjects``, ``zone``,
    ``rest_days`` and ``working_days``, ``planned`` field by field, ``into`` (a file), ``rounds`` (trees in a
    forest), and ``again``: whether trees that are there already learn their errors alone.

    Raises
    ------
    AnlanError
        If the history is too short, or LightGBM is not installed.
    """
    planned = tuple(
        PlannedEvent(**one | {name: datetime.fromisoformat(one[name]) for name in ("begin_at", "end_at")})
        for one in asked["planned"]
    )
    with np.load(asked["counts"], allow_pickle=False) as kept:
        counts = kept["counts"]
        told = {name: kept[name] for name in kept.files if name != "counts"}
    series = Series(
        subjects=tuple(asked["subjects"]),
        begin_at=datetime.fromisoformat(asked["begin_at"]),
        step=STEP,
        counts=counts,
        zone=ZoneInfo(asked["zone"]),
        calendar=Calendar(
            rest_days={date.fromisoformat(on): {} for on in asked["rest_days"]},
            working_days={date.fromisoformat(on): {} for on in asked["working_days"]},
        ),
        known=Known(planned=planned, weather=WeatherLog(**told) if told else None),
    )
    into = Path(asked["into"])
    before = Grown.read(json.loads(into.read_text(encoding="utf-8"))) if asked["again"] else None
    made = grow(series, before, tell, n_rounds=asked["rounds"])
    beside = into.with_suffix(".part")
    beside.write_text(json.dumps(made.written()), encoding="utf-8")
    beside.replace(into)
    return {"until": made.until.isoformat()}


if __name__ == "__main__":
    sys.exit(answer(grown))
