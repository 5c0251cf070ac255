"""What is remembered of every counting device, and the constants by which it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anlan.kernel.answers import Fault

Floats = npt.NDArray[np.float64]

KEPT = 64
"""Minutes of counts that are remembered."""
LATELY = 12
"""Minutes of which it is remembered how far each count was off the estimate."""
FAULTS = (Fault.ZERO, Fault.STUCK, Fault.LOST, Fault.SWAPPED)
"""Those for which a device is left out of the estimate, in the order of their numbers from 1."""
ZERO, STUCK, LOST, SWAPPED = 1, 2, 3, 4


class Surprise(NamedTuple):
    """By how much a count was off what the estimate led to expect; log-ratios.

    ``variance`` is that of ``off``. ``alone`` is by how much it was off what all other counts of its minute lead to
    expect as well (NaN where that is not known), and ``believed`` the part of that by which the estimate was moved.
    """

    off: float
    variance: float
    alone: float = np.nan
    believed: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Constants of the tests. Evidence in nats, times in minutes, counts per minute.

    The limits of evidence were set on simulated days (ordinary ones, a Lantern Festival and New Year's Eves until
    three) that are not those of the bench, where they give one false alarm in two hours over 106 devices.
    """

    zero_nats: float = 9.5
    lost_nats: float = 8.0
    lost_road_nats: float = 7.0
    led_nats: tuple[float, float] = (9.0, 8.5)
    """What is asked for of a half where the estimate is heard, of lines and of views."""
    swapped_nats: float = 11.0
    stuck_nats: float = 6.5
    stuck_view_nats: float = 5.5
    believed_nats: float = 6.0
    """Evidence of counting as before, after which a device is trusted again."""
    quiet: float = 9.0
    quiet_nats: float = 2.0
    zero_quiet_nats: float = 3.0
    """So much more is asked for where fewer than these are to be expected, for a half and for nobody."""
    stuck_least: float = 9.5
    stuck_quiet_nats: float = 12.0
    """What is asked for of repeats where fewer than these were counted in the ten minutes before, and of a second one:
    the third may come late."""
    zero_least: float = 3.0
    lost_least: float = 8.0
    """Nobody is accused of losing a share where fewer than this are to be expected."""
    share_left: float = 0.5
    zero_share: float = 0.03
    longest: int = LATELY
    shortest: int = 3
    longest_zero: int = 5
    few_repeats: int = 2
    least_repeats: int = 3
    longest_run: int = 15
    before: int = 30
    fades_min: float = 12.0
    fades_road_min: float = 30.0
    """A count weighs e times less in what is to be expected after so many minutes: people come and go in waves."""
    lately: float = 1.1
    lately_min: int = 8
    """No more than so many times the eight minutes before is to be expected."""
    rising: float = 2.0
    shrink: float = 40.0
    """Counts of the neighbours that weigh as much as the belief that nothing has changed about them."""
    first_spread: float = 0.12
    least_spread: float = 0.03
    first_lasting: float = 0.0144
    least_lasting: float = 0.001
    guess_weighs: float = 30.0
    kind_weighs: float = 60.0
    remembers_min: float = 120.0
    horizon: int = 5
    """Minutes over which it is learnt how far a device strays for longer."""
    unrest_min: tuple[int, ...] = (3, 8)
    unrest_usual: float = 0.005
    wave: float = 2.0
    wave_weighs: float = 0.5
    """Nobody who counted less than half as many within the hour is accused of losing half: so ends a wave of people."""
    moved_weighs: float = 0.3
    falling: float = 0.15
    falling_weighs: float = 2.0
    """Where most devices around have fallen by more than this log-ratio within 40 minutes, so may anybody."""
    led_weighs: tuple[float, float] = (0.5, 0.8)
    """What the estimate says of half a line's counts or a view's, beside what its own counts before say."""
    led_lasting: tuple[float, float] = (0.002, 0.004)
    led_spread: tuple[float, float] = (0.006, 0.02)
    """The variance by which lines and views stray from the estimate, for minutes and from one to the next."""
    led_unsteady: float = 1.5
    """How much of the doubt about a device's own level is doubt about the estimate's."""
    slides: float = 0.2
    """A device loses a share from one minute to the next; where the later half of a window's counts is below the first
    by more than this (a log-ratio) and two standard deviations, people go."""
    upright_nats: float = 2.0
    """A device that loses half loses it both ways: neither may speak against it by more."""
    way_spread: float = 0.01
    """The variance by which a direction strays for itself."""
    settles_min: float = 60.0
    """A device that stays at its new level for so long is taken at it; its bias in the estimate carries the rest."""
    drift_s: float = 5.0
    contradicts: float = 4.0
    """Standard deviations by which a device is off the others, on average over twenty minutes."""
    agreed: float = 1.0
    """Where the devices around are themselves further off than this, the estimate is at fault and no device."""
    settled: int = 30
    """Minutes before which the estimate has not found itself, and nobody contradicts it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Health:
    """What is remembered of every device, in the watcher's order; arrays of shape (n,) unless told otherwise.

    ``counts`` (KEPT, n, 2) by minute up to ``at``: in and out of a line that tells them apart, else the one number; NaN
    where nothing came. ``alone`` and ``believed_of`` (LATELY, n) are what the estimate said of each minute's counts up
    to the one before (see :class:`Surprise`), NaN where nothing. ``spread`` is the variance of relative deviations from
    minute to minute beyond that of whole people, ``strayed`` over ``n_strayed`` (a sum of squares, and its weight) that
    of falling short for several.
    ``fault`` is 0 or a number of FAULTS, from ``since_s`` on; ``counted`` and ``expected`` per minute over ``minutes``
    are its evidence, ``believed`` the evidence since that it counts as before.
    """

    at: datetime | None
    counts: Floats
    alone: Floats
    believed_of: Floats
    spread: Floats
    strayed: Floats
    n_strayed: Floats
    stuck: Floats
    fault: Floats
    since_s: Floats
    counted: Floats
    expected: Floats
    minutes: Floats
    believed: Floats
    newest_s: Floats
    sequence: Floats
    phase_s: Floats
    moved_s: Floats
    restarted_s: Floats
    against: Floats

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the arrays by name, as they are serialised."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "at"}
        return {**found, "at": np.array("" if self.at is None else self.at.isoformat())}

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Health:
        """Return the health of :meth:`arrays`."""
        at = str(arrays["at"])
        return cls(
            at=datetime.fromisoformat(at) if at else None,
            **{f.name: np.asarray(arrays[f.name], float) for f in fields(cls) if f.name != "at"},
        )
