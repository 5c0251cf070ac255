"""What a forecaster is: two verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from anlan.crowd.forecast.series import Floats, Ints, Series


class Forecaster(Protocol):
    """Learns from a history, and then tells what comes. :mod:`anlan.crowd.forecast.checks` says what it must keep."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def learn(self, history: Series) -> Forecaster:
        """Return a forecaster that has learned from a history; this one is unchanged."""
        ...

    def ahead(self, series: Series, origins: Sequence[int] | Ints, steps_ahead: int) -> Floats:
        """Return the persons expected ``steps_ahead`` steps after each origin, (O, S); NaN where nothing is known.

        ``series`` may go beyond the origins: nothing after an origin may change what is told from it.
        """
        ...
