"""Weeks, months, quarters and years of a district, in its own time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput


class PeriodKind(StrEnum):
    """How long a period is."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """From one moment up to, and without, another."""

    kind: PeriodKind
    begins_on: date
    from_at: datetime
    until_at: datetime
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Tell whether a moment lies in it."""
        return self.from_at <= at < self.until_at

    @property
    def name(self) -> str:
        """``2026-03``, ``2026-Q1``, ``2026``, or the Monday of a week."""
        year, month = self.begins_on.year, self.begins_on.month
        names = {"week": self.begins_on.isoformat(), "month": f"{year}-{month:02}", "year": str(year)}
        return names.get(self.kind, f"{year}-Q{(month + 2) // 3}")


def period_of(kind: PeriodKind, at: datetime, zone: ZoneInfo) -> Period:
    """Return the period that holds a moment.

    Examples
    --------
    >>> from anlan.kernel.clock import parse_moment
    >>> period_of(PeriodKind.QUARTER, parse_moment("2026-03-31T23:00:00+08:00"), ZoneInfo("Asia/Shanghai")).name
    '2026-Q1'
    """
    on = as_utc(at, "at").astimezone(zone).date()
    if kind is PeriodKind.WEEK:
        first = on - timedelta(days=on.weekday())
        return _period(kind, first, first + timedelta(days=7), zone)
    n_months = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}[kind]
    first = date(on.year, (on.month - 1) // n_months * n_months + 1, 1)
    return _period(kind, first, _months_on(first, n_months), zone)


_NAMES = {
    PeriodKind.WEEK: r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
    PeriodKind.MONTH: r"(?P<year>\d{4})-(?P<month>\d\d)",
    PeriodKind.QUARTER: r"(?P<year>\d{4})-Q(?P<quarter>[1-4])",
    PeriodKind.YEAR: r"(?P<year>\d{4})",
}
_LIKE = {"week": "2026-03-02", "month": "2026-03", "quarter": "2026-Q1", "year": "2026"}


def period_named(kind: PeriodKind, name: str, zone: ZoneInfo) -> Period:
    """Return the period of a name: ``2026-03``, ``2026-Q1``, ``2026``, or a day of a week.

    Raises
    ------
    BadInput
        If it is no name of such a period.

    Examples
    --------
    >>> period_named(PeriodKind.QUARTER, "2026-Q2", ZoneInfo("Asia/Shanghai")).begins_on
    datetime.date(2026, 4, 1)
    """
    fault = BadInput(f"period={name[:40]!r}", f"must be a {kind}", f"write it like {_LIKE[kind]}")
    found = re.fullmatch(_NAMES[kind], name, re.ASCII)
    if found is None:
        raise fault
    told = {key: int(value) for key, value in found.groupdict().items()}
    month = told.get("month", 3 * told.get("quarter", 1) - 2)
    try:
        on = date(told["year"], month, told.get("day", 1))
    except ValueError:
        raise fault from None
    return period_of(kind, datetime.combine(on, time(12), zone), zone)


def before(period: Period) -> Period:
    """Return the period before."""
    return period_of(period.kind, period.from_at - timedelta(hours=12), period.zone)


def year_before(period: Period) -> Period:
    """Return the same period of the year before; a week, the one of 52 weeks before."""
    if period.kind is PeriodKind.WEEK:
        on = period.begins_on - timedelta(weeks=52)
    else:
        on = date(period.begins_on.year - 1, period.begins_on.month, 1)
    return period_of(period.kind, datetime.combine(on, time(12), period.zone), period.zone)


def _months_on(on: date, n: int) -> date:
    k = on.month - 1 + n
    return date(on.year + k // 12, k % 12 + 1, 1)


def _period(kind: PeriodKind, first: date, end: date, zone: ZoneInfo) -> Period:
    from_at, until_at = (as_utc(datetime.combine(on, time(), zone), "at") for on in (first, end))
    return Period(kind, first, from_at, until_at, zone)
