"""What is planned, as forecasts hear of it: how many people an approved event is to bring to which ground, and when."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from anlan.cases import Case, CaseType
from anlan.cases.triggers import read_live
from anlan.crowd.forecast import PlannedEvent
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput
from anlan.matters import Matters
from anlan.store import SqlStore, casebook

log = logging.getLogger(__name__)


def planned_events(matters: Matters, store: SqlStore, at: datetime) -> tuple[PlannedEvent, ...]:
    """Return the planned events that are approved by a moment, run, or are over and not yet put away.

    Those of a closed circle are left out: whoever reads a forecast would read of them. One that is approved later
    than ``at`` is not known yet, so that a minute made again is told the same; one that has been put away or called
    off since is not known any more.
    """
    kinds = [
        one
        for one in matters.kinds.every()
        if one.live is not None and one.live.can_be_rehearsed and not one.closed_circle
    ]
    states = {
        ((one.type_id, one.version), state)
        for one in kinds
        if one.live is not None
        for state in one.live.foreseen | one.live.states
    }
    if not states:
        return ()
    with store.reading() as connection:
        cases = [matters.load(connection, row["case_id"])[:2] for row in casebook.standing_in(connection, states)]
    return tuple(_planned((kind, case) for kind, case in cases if _approved_at(kind, case) <= at))


def _approved_at(kind: CaseType, case: Case) -> datetime:
    """Return when a case first came into a state that forecasts count on."""
    assert kind.live is not None  # noqa: S101 - only those that are live are asked for
    counted = kind.live.foreseen | kind.live.states
    return next((one.at for one in case.history if one.target in counted), case.entered_at)


def _planned(cases: Iterable[tuple[CaseType, Case]]) -> Iterable[PlannedEvent]:
    for kind, case in cases:
        try:
            made = planned_of(kind, case.values)
        except (BadInput, KeyError) as fault:  # a plan of a type that was written by hand
            log.warning("what is planned in case %s cannot be expected: %s", case.case_id, fault)
            continue
        if made is not None:
            yield made


def planned_of(kind: CaseType, values: Any) -> PlannedEvent | None:
    """Return what a plan is expected to bring; None where it does not tell when, how many, or into which zones.

    Those expected are shared by the capacity of the zones, and none holds more than its capacity.

    Raises
    ------
    BadInput
        If it ends before it begins, or its tables do not fit each other.
    """
    rule = kind.live
    if rule is None or rule.expected is None or rule.begins is None or rule.ends is None:
        return None
    zones = list(read_live(rule, values).zones.values())
    told = [values.get(name) for name in (rule.expected, rule.begins, rule.ends)]
    if None in told or not zones:
        return None
    n_expected, begins, ends = told
    whole = sum(one.capacity for one in zones)
    added: dict[str, float] = {}
    for one in zones:
        share = min(n_expected * one.capacity / whole, one.capacity)
        added[one.ground] = added.get(one.ground, 0.0) + share
    begin_at = parse_moment(str(begins), rule.begins)
    last = None if rule.repeats is None else values.get(rule.repeats)
    like_at = None if last is None else parse_moment(str(last), str(rule.repeats))
    if like_at is not None and like_at >= begin_at:
        log.warning("a plan of %s repeats one of %s, which is not earlier: its own numbers stand", begin_at, like_at)
        like_at = None
    return PlannedEvent(begin_at=begin_at, end_at=parse_moment(str(ends), rule.ends), added=added, like_at=like_at)
