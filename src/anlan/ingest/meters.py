"""Running totals become the people of a window: resets, wrap-around, repeats and silences. Views are added up.

Most counters publish how many they have counted *since their last reset*. What the district needs is how many passed in
a window, so totals are subtracted here; a total that is missed costs nothing, because the next one holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from anlan.kernel.errors import BadInput

WIDTHS = (2**16, 2**31, 2**32)
"""Where counters of two and four bytes begin again at 0."""
MOST_PER_S = 20.0
"""More than any line counts: 10 m of effective width at the highest flow seen on a walkway, 2 persons/(m s)."""
SLACK = 50
SILENCE_S = 3600.0
REMEMBERED = 64


def difference(before: int, after: int, most: float, widths: Iterable[int] = WIDTHS) -> int:
    r"""Return how many were counted between two totals of one counter.

    .. math:: d = a - b \text{ if } a \ge b; \quad a + w - b \text{ after a wrap at } w; \quad a \text{ after a reset}

    A fall is a wrap where ``before`` lay within ``min(most, w / 16)`` of a width w and no more than ``most`` were
    counted; else it is a reset, and what was counted between the last total and the reset is lost.

    Parameters
    ----------
    before, after : int
        Totals, people.
    most : float
        More than can have been counted meanwhile, people.
    widths : iterable of int
        Where the counter may begin again.

    Raises
    ------
    BadInput
        If neither rise, wrap nor reset explains the second total.

    Examples
    --------
    >>> difference(100, 112, most=500), difference(65_530, 4, most=500), difference(840, 3, most=500)
    (12, 10, 3)
    """
    if 0 <= after - before <= most:
        return after - before
    if after < before:
        for width in widths:
            wrapped = after + width - before
            if 0 < width - before <= min(most, width / 16) and wrapped <= most:
                return wrapped
        if after <= most:
            return after
    raise BadInput(
        "the total's change",
        f"must be at most {most:.0f} people in this time",
        "check the counter; it goes on from the new total",
    )


class Window(msgspec.Struct, frozen=True, gc=False):
    """How many each counter of a device counted between two moments."""

    begin_at: datetime
    end_at: datetime
    counted: Mapping[str, int]


class Meter:
    """The counters of one device. A repeat of a message is answered as the first was: a resend is seen to be one.

    A window is closed when every counter has told its total, or after one and a half intervals without a word from one
    of them: a device that publishes on change says nothing where nobody passes. It is never closed before every counter
    has told its first total, and not before half an interval has passed.

    Parameters
    ----------
    counters : iterable of str
        Names of the device's counters.
    interval_s : float
        Length of a window, seconds.
    most_per_s : float
        More than one counter can count, people per second.
    widths : iterable of int
        Where its counters may begin again at 0.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 12, 31, 10, tzinfo=UTC)
    >>> meter = Meter(["fw", "bw"], interval_s=60)
    >>> meter.take(at, {"fw": 65_530, "bw": 7}) is None
    True
    >>> dict(meter.take(at + timedelta(seconds=60), {"fw": 4, "bw": 9}).counted)
    {'fw': 10, 'bw': 2}
    """

    def __init__(
        self,
        counters: Iterable[str],
        interval_s: float,
        most_per_s: float = MOST_PER_S,
        widths: Iterable[int] = WIDTHS,
    ) -> None:
        self._interval_s = interval_s
        self._silence_s = max(SILENCE_S, 2 * interval_s)
        self._most_per_s = most_per_s
        self._widths = tuple(widths)
        self._last: dict[str, tuple[datetime, int] | None] = dict.fromkeys(counters)
        self._counted = dict.fromkeys(self._last, 0)
        self._fresh: set[str] = set()
        self._begin_at: datetime | None = None
        self._answered: dict[tuple[datetime, frozenset[tuple[str, int]]], Window | None] = {}

    def take(self, at: datetime, totals: Mapping[str, int]) -> Window | None:
        """Take totals of a moment; return the window that they close, if they close one.

        Raises
        ------
        BadInput
            If a total is older than one before, cannot follow it, or comes after a silence too long to be one window.
        """
        key = (at, frozenset(totals.items()))
        if key in self._answered:
            return self._answered[key]
        self._count(at, totals)
        made = self._close(at)
        self._answered[key] = made
        if len(self._answered) > REMEMBERED:
            del self._answered[next(iter(self._answered))]  # the oldest
        return made

    def _count(self, at: datetime, totals: Mapping[str, int]) -> None:
        for name in totals:
            last = self._last[name]
            if last is not None and at <= last[0]:
                raise BadInput(
                    "a total of the past", "must be newer than the last", "do nothing: the last one holds its people"
                )
        fault: BadInput | None = None
        for name, total in totals.items():
            last = self._last[name]
            self._last[name] = (at, total)
            if last is None:
                continue
            most = SLACK + self._most_per_s * (at - last[0]).total_seconds()
            try:
                self._counted[name] += difference(last[1], total, most, self._widths)
            except BadInput as found:
                fault = found
            self._fresh.add(name)
        if fault is not None:  # the window holds a gap, and a gap is not a count
            self._begin(at)
            raise fault

    def _begin(self, at: datetime) -> None:
        self._begin_at = at
        self._fresh.clear()
        self._counted = dict.fromkeys(self._last, 0)

    def _close(self, at: datetime) -> Window | None:
        if None in self._last.values():
            return None
        begin_at = self._begin_at
        if begin_at is None:
            self._begin(at)
            return None
        passed_s = (at - begin_at).total_seconds()
        if passed_s > self._silence_s:
            self._begin(at)
            raise BadInput(
                "a total after a silence",
                f"must come within {self._silence_s:.0f} s of the last",
                "see why the device was silent; it counts on from here",
            )
        whole = len(self._fresh) == len(self._last)
        if passed_s < self._interval_s / 2 or not (whole or passed_s >= 1.5 * self._interval_s):
            return None
        made = Window(begin_at, at, self._counted)
        self._begin(at)
        return made


class Gauge:
    """The people in view of the counters that add up to one device, which may come one by one.

    A sum is told when every counter has told its number since the last sum, none longer than one and a half intervals
    ago: part of a view is no view. A repeat of a message is answered as the first was.

    Parameters
    ----------
    counters : iterable of str
        Names of the device's counters.
    interval_s : float
        How often each tells its number, seconds.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 12, 31, 10, tzinfo=UTC)
    >>> gauge = Gauge(["left", "right"], interval_s=60)
    >>> gauge.take(at, {"left": 30}) is None
    True
    >>> dict(gauge.take(at + timedelta(seconds=1), {"right": 50}))
    {'left': 30, 'right': 50}
    """

    def __init__(self, counters: Iterable[str], interval_s: float) -> None:
        self._counters = frozenset(counters)
        self._patience_s = 1.5 * interval_s
        self._told: dict[str, tuple[datetime, int]] = {}
        self._answered: dict[tuple[datetime, frozenset[tuple[str, int]]], Mapping[str, int] | None] = {}

    def take(self, at: datetime, numbers: Mapping[str, int]) -> Mapping[str, int] | None:
        """Take the numbers of a moment; return those of every counter where they are whole.

        Raises
        ------
        BadInput
            If a number that needs others beside it is older than one before.
        """
        if len(numbers) == len(self._counters):
            return numbers
        key = (at, frozenset(numbers.items()))
        if key in self._answered:
            return self._answered[key]
        made = self._added(at, numbers)
        self._answered[key] = made
        if len(self._answered) > REMEMBERED:
            del self._answered[next(iter(self._answered))]  # the oldest
        return made

    def _added(self, at: datetime, numbers: Mapping[str, int]) -> Mapping[str, int] | None:
        if any(at < then for then, _ in self._told.values()):
            raise BadInput(
                "people in view of the past", "must not be older than the last", "do nothing: it is too late"
            )
        self._told |= {name: (at, number) for name, number in numbers.items()}
        fresh = {name: one for name, one in self._told.items() if (at - one[0]).total_seconds() <= self._patience_s}
        whole = len(fresh) == len(self._counters)
        self._told = {} if whole else fresh
        return {name: number for name, (_, number) in fresh.items()} if whole else None
