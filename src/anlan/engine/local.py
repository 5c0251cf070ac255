"""The engine in this program: reads what was committed, hands each minute its observations, keeps the order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic

from anlan.engine.port import Due, Feed, Made, S, Sink, Step
from anlan.kernel.clock import minute_of
from anlan.kernel.records import Observation


class LocalEngine(Generic[S]):
    """Steps through time in this program, one minute after the other.

    A step at ``at`` receives every observation that was committed by then and whose window ended by ``at``; late ones
    come with the next step. An observation of a window that ends later waits.

    Parameters
    ----------
    feed : Feed
        Committed observations.
    step : callable
        ``step(state, observations, at) -> state``, pure.
    start : callable
        ``start(at) -> state``: a state that knows nothing yet.
    sink : callable
        Receives each step made; the engine goes on only after it returns.
    due : Due
        Length of a step and patience.
    """

    def __init__(
        self, feed: Feed, step: Step[S], start: Callable[[datetime], S], sink: Sink[S], due: Due | None = None
    ) -> None:
        self._feed = feed
        self._step = step
        self._start = start
        self._sink = sink
        self._due = due or Due()
        self._at: datetime | None = None
        self._state: S | None = None
        self._high = 0
        self._waiting: list[tuple[int, Observation]] = []

    @property
    def at(self) -> datetime | None:
        """The end of the last step made, or None before the first."""
        return self._at

    def resume(self, made: Made[S]) -> None:
        """Continue behind a step made earlier, by this engine or another."""
        self._at, self._state, self._high = made.at, made.state, made.high
        self._waiting = []
        if made.low < made.high:
            before, _ = self._feed.arrived(made.low, until=made.high)
            self._waiting = [(made.low, seen) for seen in before if seen.end_at > made.at]

    def reset(self, cursor: int = 0) -> None:
        """Forget state and time; what was committed up to ``cursor`` will not be read again."""
        self._at, self._state, self._high, self._waiting = None, None, cursor, []

    def advance(self, now: datetime) -> int:
        """Run every step that is due at ``now``; return how many."""
        last_due = minute_of(now - self._due.settle)
        if self._at is None or last_due - self._at > self._due.catch_up:
            # The step before the first due one: nothing is known there, and nothing older is replayed.
            begin = last_due - self._due.every if self._at is None else last_due - self._due.catch_up
            self._at, self._state = begin, self._start(begin)
        n_steps = 0
        while self._at + self._due.every <= last_due:
            self._run(self._at + self._due.every)
            n_steps += 1
        return n_steps

    def _run(self, at: datetime) -> None:
        while True:
            before = self._high
            fresh, self._high = self._feed.arrived(before)
            self._waiting.extend((before, seen) for seen in fresh)
            if self._high == before:
                break
        ripe = [seen for _, seen in self._waiting if seen.end_at <= at]
        self._waiting = [(low, seen) for low, seen in self._waiting if seen.end_at > at]
        assert self._state is not None  # noqa: S101 - advance() sets it before the first step
        self._state = self._step(self._state, ripe, at)
        self._at = at
        low = min((low for low, _ in self._waiting), default=self._high)
        self._sink(Made(at=at, state=self._state, low=low, high=self._high, n_observations=len(ripe)))
