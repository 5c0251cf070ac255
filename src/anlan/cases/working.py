"""Working time of a district: the hours of its working days, make-up days and statutory rest days included."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from anlan.kernel.errors import BadInput
from anlan.kernel.records import Calendar

_LONGEST_DAYS = 4000
"""Days that are looked through for the end of a limit; more is a calendar without working days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTime:
    """When a district works: its calendar, its time zone, and the hours of a working day.

    Raises
    ------
    BadInput
        If it closes before it opens.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from anlan.kernel.clock import parse_moment
    >>> week = WorkTime(calendar=Calendar(), zone=ZoneInfo("Asia/Shanghai"))
    >>> friday = parse_moment("2026-11-20T16:00:00+08:00")
    >>> week.after(friday, timedelta(hours=2)).astimezone(week.zone).isoformat()
    '2026-11-23T10:00:00+08:00'
    """

    calendar: Calendar
    zone: ZoneInfo
    opens: time = field(default=time(9))
    closes: time = field(default=time(17))

    def __post_init__(self) -> None:
        if self.closes <= self.opens:
            raise BadInput(f"closes={self.closes}", f"must be after opens={self.opens}", "give the hours of one day")

    @property
    def day_s(self) -> float:
        """Length of one working day, s."""
        opens, closes = (timedelta(hours=one.hour, minutes=one.minute) for one in (self.opens, self.closes))
        return (closes - opens).total_seconds()

    def between(self, begin_at: datetime, end_at: datetime) -> timedelta:
        """Return the working time between two moments; zero where the second is not later."""
        total, on = timedelta(), begin_at.astimezone(self.zone).date()
        last = end_at.astimezone(self.zone).date()
        while on <= last:
            if self.calendar.is_working(on):
                opens, closes = self._hours(on)
                total += max(min(closes, end_at) - max(opens, begin_at), timedelta())
            on += timedelta(days=1)
        return total

    def after(self, begin_at: datetime, amount: timedelta) -> datetime:
        """Return the moment at which ``amount`` of working time has gone since ``begin_at``, in UTC.

        Raises
        ------
        BadInput
            If the calendar has no working day within years.
        """
        on, left = begin_at.astimezone(self.zone).date(), amount
        for _ in range(_LONGEST_DAYS):
            if self.calendar.is_working(on):
                opens, closes = self._hours(on)
                opens = max(opens, begin_at)
                if closes - opens >= left and closes > opens:
                    return (opens + left).astimezone(UTC)
                left -= max(closes - opens, timedelta())
            on += timedelta(days=1)
        raise BadInput(f"limit of {amount}", f"must end within {_LONGEST_DAYS} days", "correct the calendar")

    def unconfirmed(self, begin_at: datetime, end_at: datetime) -> tuple[int, ...]:
        """Return the years touched whose calendar nobody has confirmed: what is told of them may move."""
        first, last = (at.astimezone(self.zone).year for at in (begin_at, end_at))
        return tuple(year for year in range(first, last + 1) if year not in self.calendar.confirmed_years)

    def _hours(self, on: date) -> tuple[datetime, datetime]:
        opens = datetime.combine(on, self.opens, self.zone).astimezone(UTC)
        return opens, datetime.combine(on, self.closes, self.zone).astimezone(UTC)
