"""Estimates a day again with views withheld, in a program of its own, so that no minute waits for it.

It reads what is asked as one JSON object from its standard input, tells how far it is as JSON lines, and at last what
each view counted against the estimate without it.
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anlan.crowd import Cells, Estimator, State
from anlan.crowd.conformal import SEARCHED
from anlan.crowd.withheld import Score, folds_of, replayed
from anlan.engine import Due
from anlan.errand import Tell, answer
from anlan.kernel.errors import BadInput, NoData
from anlan.kernel.records import Observation
from anlan.pack import read_pack
from anlan.store import columns

log = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
AFRESH = timedelta(hours=10)
"""From the start of a day that begins with nothing known, until its first night is learned from."""
LATE = timedelta(minutes=30)
"""What came later than this was read in afterwards: it is taken as if it had come in time."""


def proved(asked: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Return what the views of a day counted against estimates that had not heard them.

    ``asked`` holds ``pack`` (a folder), ``cells`` (a file), ``observations`` (Parquet), ``state`` (a file, or None),
    after which it is judged from ``settles_s`` on, ``begin_at`` and ``end_at`` of the day, and ``withdrawn`` (devices).

    Raises
    ------
    AnlanError
        If the pack is wrong, or no view counted anything that could be held against an estimate.
    """
    pack = read_pack(Path(asked["pack"]))
    estimator = Estimator(pack, Cells.cached(pack, Path(asked["cells"])))
    views = [one for one in estimator.sources.views.devices if one.device_id not in asked["withdrawn"]]
    state, judge_from = _begun(estimator, asked)
    begin_at, end_at = state.present.at, datetime.fromisoformat(asked["end_at"])
    known = {one.device_id for one in pack.devices} - set(asked["withdrawn"])
    minutes = _minutes(pq.read_table(asked["observations"]), known, begin_at, end_at)
    found: dict[str, list[Score]] = defaultdict(list)
    for at, scores in replayed(estimator, state, minutes, folds_of(pack, views), judge_from):
        for score in scores:
            found[score.device_id].append(score)
        if at.minute == 0:
            tell("estimating again", (at - begin_at) / (end_at - begin_at))
    if not found:
        raise NoData("that day", "must have counts of views on ground that others see as well", "choose another day")
    return {
        "afresh": begin_at == datetime.fromisoformat(asked["begin_at"]),
        "views": {name: _told(scores) for name, scores in sorted(found.items())},
    }


def _begun(estimator: Estimator, asked: Mapping[str, Any]) -> tuple[State, datetime]:
    """Return the state that the day is estimated from, and from when on it is judged."""
    begin_at = datetime.fromisoformat(asked["begin_at"])
    if asked["state"] is not None:
        try:
            state = estimator.restore(Path(asked["state"]).read_bytes())
        except (BadInput, OSError, ValueError, KeyError) as fault:
            log.warning("the day is estimated afresh: the state kept of it does not fit any more (%s)", fault)
        else:
            return state, state.present.at + timedelta(seconds=asked["settles_s"])
    return estimator.start(begin_at), begin_at + AFRESH


def _minutes(
    table: pa.Table, known: Collection[str], begin_at: datetime, end_at: datetime
) -> Iterator[tuple[datetime, list[Observation]]]:
    """Yield every minute with what had come by then, as the engine had it."""
    due: dict[datetime, list[Observation]] = defaultdict(list)
    received = [at.replace(tzinfo=UTC) for at in table.column("received_at").to_pylist()]
    for seen, received_at in zip(columns.observations_from(table), received, strict=True):
        if seen.device_id in known:
            came = received_at - Due().settle
            moment = max(seen.end_at, came) if came - seen.end_at <= LATE else seen.end_at
            due[_minute_from(moment)].append(seen)
    at = begin_at + MINUTE
    while at <= end_at:
        yield at, due.get(at.astimezone(UTC), [])
        at += MINUTE


def _minute_from(moment: datetime) -> datetime:
    """Return the first whole minute that is not before a moment."""
    whole = moment.astimezone(UTC).replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE


def _told(scores: list[Score]) -> dict[str, Any]:
    return {
        "factors": [round(min(one.factor, SEARCHED + 1), 4) for one in scores],
        "hours": len({one.at.replace(minute=0) for one in scores}),
        "counted": sum(one.counted for one in scores),
        "off": sum(abs(one.counted - one.expected) for one in scores),
    }


if __name__ == "__main__":
    sys.exit(answer(proved))
