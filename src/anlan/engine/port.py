"""The seam between what is computed and where it runs.

A step is pure: ``step(state, observations, at) -> state``. It asks no clock, does no input or output and draws no
random number, so that an engine may run it live, replay it, or move it to another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from anlan.kernel.records import Observation

S = TypeVar("S")
P = TypeVar("P")
R = TypeVar("R")


class Feed(Protocol):
    """Where committed observations come from, in the order in which they were committed."""

    def arrived(self, after: int, limit: int = 100_000, *, until: int | None = None) -> tuple[list[Observation], int]:
        """Return the observations after a cursor (up to and with ``until``), and the cursor behind the last of them."""
        ...


@dataclass(frozen=True, slots=True)
class Due:
    """What the engine needs to know of time: the step's length, and how long after its end its counts may come in."""

    every: timedelta = timedelta(minutes=1)
    settle: timedelta = timedelta(seconds=10)
    catch_up: timedelta = timedelta(hours=6)
    """After a longer absence the state starts afresh, this long before now."""


@dataclass(frozen=True, slots=True)
class Made(Generic[S]):
    """One step that was made.

    ``low`` and ``high`` let a restart continue exactly: everything up to ``high`` was read, and what of it was not yet
    due lies behind ``low``.
    """

    at: datetime
    state: S
    low: int
    high: int
    n_observations: int


Sink = Callable[[Made[S]], None]
Step = Callable[[S, Sequence[Observation], datetime], S]


class Engine(Protocol):
    """Runs the steps that are due, each once and in order."""

    def advance(self, now: datetime) -> int:
        """Run every step that is due at ``now``; return how many."""
        ...


class Spread(Protocol):
    """Does the same pure work on many parts, wherever there is room: on all cores here, or on many machines."""

    def spread(self, work: Callable[[P], R], parts: Sequence[P]) -> Iterator[R]:
        """Yield what the work makes of each part, in the order of the parts, whoever was done first.

        What a part raises is raised here; parts not yet begun are not done then.
        """
        ...
