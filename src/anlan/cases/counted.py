"""What the district counts for a case, so that nobody types it: over which days, and which kinds of incidents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from anlan.cases.definition import CountRule
from anlan.cases.machine import Case


def window_of(rule: CountRule, case: Case | None, at: datetime) -> tuple[datetime, datetime] | None:
    """Return the days over which incidents count, None where they have not begun.

    Parameters
    ----------
    case : Case, optional
        None while it is being opened.
    at : datetime
        Now: the moment of the step that is being taken, where it is the one that the days go by.

    Examples
    --------
    >>> from anlan.cases.definition import Counted
    >>> from anlan.kernel.clock import parse_moment
    >>> rule = CountRule(of=Counted.INCIDENTS, days=90, before="open")
    >>> begin, end = window_of(rule, None, parse_moment("2026-06-30T12:00:00+08:00"))
    >>> begin.date().isoformat(), end.date().isoformat()
    ('2026-04-01', '2026-06-30')
    """
    days, name = timedelta(days=rule.days), rule.before or rule.after
    taken = [one.at for one in case.history if one.transition == name] if case is not None else []
    if rule.before is not None:
        # A place that is listed again is compared with the days before it was first listed.
        end = taken[0] if taken else at
        return end - days, end
    if not taken:
        return None
    return taken[-1], taken[-1] + days


def kinds_of(rule: CountRule, values: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the kinds of incidents that count, None where all do."""
    chosen = rule.kinds.get(str(values.get(rule.by or "", "")))
    return None if chosen is None else frozenset(chosen)
