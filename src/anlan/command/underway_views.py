"""Plans that run, what fired, rehearsals, and what the district counts for a case, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from anlan.command.views import estimate, moment, rounded
from anlan.indicators.change import LEVEL, Change, Ratio
from anlan.kernel.refusals import form_of
from anlan.underway import Compared, Firing, Going, LiveNow, Number, Rehearsed, Staffed, Wish

Json = dict[str, Any]


def live(made: LiveNow, staffing: Iterable[Staffed], sees: Callable[[str], bool]) -> Json:
    """Return a plan at this minute; ``sees`` tells of which grounds numbers may be told."""
    grounds = {one.zone: one.ground for one in made.zones}

    def told(zone: str, value: float | None, digits: int) -> float | None:
        return rounded(value, digits) if sees(grounds.get(zone, "")) else None

    return {
        "at": moment(made.at),
        "runs": made.runs,
        "zones": [
            {
                "zone": one.zone,
                "ground": one.ground,
                "capacity": one.capacity,
                "most_per_m2": one.most_per_m2,
                "estimate": None if one.estimate is None or not sees(one.ground) else estimate(one.estimate),
                "flow_per_min": told(one.zone, one.flow_per_min, 1),
            }
            for one in made.zones
        ],
        "triggers": [
            {
                "row": one.row,
                "zone": one.trigger.zone,
                "measure": one.trigger.measure,
                "above": one.trigger.above,
                "for_s": one.trigger.for_s,
                "action": one.trigger.action,
                "office": one.trigger.office,
                "value": told(one.trigger.zone, one.value, 2),
                "since_at": moment(one.since_at),
                "firing": one.firing_id,
            }
            for one in made.triggers
        ],
        "devices": [
            {
                "device": one.device_id,
                "zone": one.zone,
                "measure": one.measure,
                "limit": one.limit,
                "value": told(one.zone, one.value, 2),
            }
            for one in made.devices
        ],
        "staffing": [asdict(one) for one in staffing],
        "firings": [firing(one) for one in made.firings],
    }


def firing(one: Firing) -> Json:
    """Return what fired, and how it was answered."""
    trigger = one.trigger
    return {
        "id": one.firing_id,
        "case": one.case_id,
        "row": one.row,
        "zone": None if trigger is None else trigger.zone,
        "measure": one.measure,
        "above": one.above,
        "action": None if trigger is None else trigger.action,
        "office": None if trigger is None else trigger.office,
        "since_at": moment(one.since_at),
        "at": moment(one.at),
        "highest": rounded(one.highest, 2),
        "ended_at": moment(one.ended_at),
        "mark": one.mark,
        "by": one.by,
        "marked_at": moment(one.marked_at),
        "note": one.note,
    }


def numbers(made: Iterable[Number], compared: Iterable[Compared]) -> Json:
    """Return what is counted for a case."""
    return {
        "numbers": [
            {
                "field": one.field_id,
                "value": one.value,
                "from_at": moment(one.from_at),
                "until_at": moment(one.until_at),
                "whole": one.whole,
            }
            for one in made
        ],
        "compared": [
            {"before": one.before, "after": one.after, "level": LEVEL} | _change(one.change) for one in compared
        ],
    }


def _change(made: Change) -> Json:
    return {
        "n_before": made.n_before,
        "n_after": made.n_after,
        "days_before": round(made.days_before, 1),
        "days_after": round(made.days_after, 1),
        "ratio": _ratio(made.ratio),
        "elsewhere_before": None if made.elsewhere is None else made.elsewhere[0],
        "elsewhere_after": None if made.elsewhere is None else made.elsewhere[1],
        "against": None if made.against is None else _ratio(made.against),
        "verdict": made.verdict,
    }


def _ratio(one: Ratio) -> Json:
    return {"value": rounded(one.value, 3), "low": rounded(one.low, 3), "high": rounded(one.high, 3)}


def going(one: Going) -> Json:
    """Return how far a rehearsal is."""
    return {
        "wish": _wish(one.wish),
        "by": one.actor,
        "begun_at": moment(one.begun_at),
        "doing": one.doing,
        "share": rounded(one.share, 3),
        "fault": None if one.fault is None else form_of(one.fault),
        "stopped": one.stopped,
        "over": one.is_over,
    }


def rehearsal(one: Rehearsed) -> Json:
    """Return a rehearsal, whole."""
    told = one.told
    return {
        "id": one.rehearsal_id,
        "case": one.case_id,
        "made_at": moment(one.made_at),
        "by": one.actor,
        "wish": _wish(one.wish),
        **{
            name: told[name]
            for name in ("scenario", "day", "n_expected", "cut", "minutes", "zones", "triggers", "clearance")
        },
        **{name: told[name] for name in ("begin_at", "end_at", "begins_at", "ends_at")},
    }


def _wish(one: Wish) -> Json:
    return {"scenario": one.scenario, "share": one.share, "crowd": one.crowd, "seed": one.seed}
