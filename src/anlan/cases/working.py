"""Working time of a district: the hours of its working days, make-up days and statutory rest days included."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from anlan.kernel.errors import BadInput
from anlan.kernel.records import Calendar

_LONGEST_YEARS = 11
"""Years that are looked through for the end of a limit; more is a calendar without working days."""
_SINCE = 1970
_DAY = timedelta(days=1)


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
    _counted: dict[int, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Working days by year, counted once: a limit of months would otherwise be walked through day by day."""

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
        first, last = (at.astimezone(self.zone).date() for at in (begin_at, end_at))
        if last < first:
            return timedelta()
        total = self._of_day(first, begin_at, end_at)
        if last > first:
            n_whole = self._n_before(last) - self._n_before(first + _DAY)
            total += self._of_day(last, begin_at, end_at) + n_whole * timedelta(seconds=self.day_s)
        return total

    def after(self, begin_at: datetime, amount: timedelta) -> datetime:
        """Return the moment at which ``amount`` of working time has gone since ``begin_at``, in UTC.

        Raises
        ------
        BadInput
            If the calendar has no working day within years.
        """
        on = begin_at.astimezone(self.zone).date()
        if self.calendar.is_working(on):
            opens, closes = self._hours(on)
            opens = max(opens, begin_at)
            if closes - opens >= amount and closes > opens:
                return (opens + amount).astimezone(UTC)
            amount -= max(closes - opens, timedelta())
        day = timedelta(seconds=self.day_s)
        n_whole = max(-(-amount // day) - 1, 0)  # what ends with a day ends on it, and not when the next one opens
        wanted, year = self._n_before(on + _DAY) + n_whole + 1, on.year
        while self._of_year(year)[-1] < wanted:
            year += 1
            if year > on.year + _LONGEST_YEARS:
                rule = f"must end within {_LONGEST_YEARS} years"
                raise BadInput(f"limit of {amount}", rule, "correct the calendar")
        k = bisect_left(self._of_year(year), wanted)
        opens, _ = self._hours(date(year, 1, 1) + timedelta(days=k - 1))
        return (opens + amount - n_whole * day).astimezone(UTC)

    def unconfirmed(self, begin_at: datetime, end_at: datetime) -> tuple[int, ...]:
        """Return the years touched whose calendar nobody has confirmed: what is told of them may move."""
        first, last = (at.astimezone(self.zone).year for at in (begin_at, end_at))
        return tuple(year for year in range(first, last + 1) if year not in self.calendar.confirmed_years)

    def _of_day(self, on: date, begin_at: datetime, end_at: datetime) -> timedelta:
        """Return the working time of one day that lies between two moments."""
        if not self.calendar.is_working(on):
            return timedelta()
        opens, closes = self._hours(on)
        return max(min(closes, end_at) - max(opens, begin_at), timedelta())

    def _n_before(self, on: date) -> int:
        """Return the number of working days before a day, since the year `_SINCE` began."""
        return self._of_year(on.year)[(on - date(on.year, 1, 1)).days]

    def _of_year(self, year: int) -> tuple[int, ...]:
        """Return how many working days there were before each day of a year, and at last with all of it."""
        found = self._counted.get(year)
        if found is None:
            counted, on = [self._of_year(year - 1)[-1] if year > _SINCE else 0], date(year, 1, 1)
            while on.year == year:
                counted.append(counted[-1] + self.calendar.is_working(on))
                on += _DAY
            found = self._counted[year] = tuple(counted)
        return found

    def _hours(self, on: date) -> tuple[datetime, datetime]:
        opens = datetime.combine(on, self.opens, self.zone).astimezone(UTC)
        return opens, datetime.combine(on, self.closes, self.zone).astimezone(UTC)
