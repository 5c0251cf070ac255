"""What time it is: asked of a port, so that live running, replay and simulation run the same code."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

from anlan.kernel.errors import BadInput

FIRST_YEAR, LAST_YEAR = 1000, 9000
"""Between these, what is written is taken for a moment."""


class Clock(Protocol):
    """Anything that knows the time of the district."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class FollowedClock:
    """A clock that is set by a time source outside: a simulated district, or a recording that is replayed.

    It never runs by itself, so a slow source slows the district and makes nothing late.
    """

    def __init__(self, at: datetime) -> None:
        self._lock = threading.Lock()
        self._at = as_utc(at, "at")

    def now(self) -> datetime:
        """Return the moment last announced by the source, in UTC."""
        with self._lock:
            return self._at

    def set(self, at: datetime) -> None:
        """Take the source's time; it may also jump back when the source starts another day."""
        with self._lock:
            self._at = as_utc(at, "at")


def as_utc(at: datetime, name: str) -> datetime:
    """Return an aware moment in UTC; refuse a naive one, whose place on the globe is unknown.

    Raises
    ------
    BadInput
        If ``at`` carries no zone.
    """
    if at.tzinfo is None:
        raise BadInput(f"{name}={at.isoformat()}", "must carry a time zone", "add an offset such as +08:00 or Z")
    return at.astimezone(UTC)


def parse_moment(text: str, name: str = "at") -> datetime:
    """Return the moment written in ISO 8601 with its offset, in UTC.

    Examples
    --------
    >>> parse_moment("2026-12-31T18:00:00+08:00").isoformat()
    '2026-12-31T10:00:00+00:00'

    Raises
    ------
    BadInput
        If the text is no ISO 8601 moment or carries no zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{name}={text!r}", "must be an ISO 8601 moment", "write it like 2026-12-31T18:00:00+08:00"
        ) from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:  # a span that is added must not leave what a calendar knows
        raise BadInput(f"{name}={text!r}", f"must be of the years {FIRST_YEAR} to {LAST_YEAR}", "correct the year")
    return as_utc(at, name)


def minute_of(at: datetime) -> datetime:
    """Return the start of the minute that holds ``at``."""
    return at.replace(second=0, microsecond=0)


def minutes_between(begin_at: datetime, end_at: datetime) -> list[datetime]:
    """Return every minute mark after ``begin_at``, up to and with ``end_at``."""
    first = minute_of(begin_at) + timedelta(minutes=1)
    count = int((end_at - first).total_seconds() // 60) + 1
    return [first + timedelta(minutes=k) for k in range(max(count, 0))]
