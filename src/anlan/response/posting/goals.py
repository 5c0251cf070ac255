"""What a plan is to achieve, in the terms of location science."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats

_SLIGHT = 1e-7
"""A further unit that adds less than this share of a point's weight is counted, but not searched for."""


def _checked(n: int, within_s: float = 0.0, share: float = 0.5) -> None:
    if n < 1:
        raise BadInput(f"n={n}", "must be >= 1", "give how many units there are")
    if not within_s >= 0:
        raise BadInput(f"within_s={within_s}", "must be >= 0 s", "give the time promised in seconds")
    if not 0 <= share <= 1:
        raise BadInput(f"share={share}", "must be in 0..1", "give a share as a fraction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lscp:
    """Fewest posts so that every point is reached in time by at least ``times`` of them.

    References
    ----------
    C. Toregas, R. Swain, C. ReVelle, L. Bergman (1971), "The location of emergency service facilities".
    """

    within_s: float
    times: int = 1

    def __post_init__(self) -> None:
        _checked(self.times, self.within_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mclp:
    """Most weight reached in time by n posts.

    References
    ----------
    R. Church, C. ReVelle (1974), "The maximal covering location problem".
    """

    n: int
    within_s: float
    per_site: int = 1

    def __post_init__(self) -> None:
        _checked(self.n, self.within_s)

    def gains(self) -> Floats:
        """Return what the first, second, ... unit in reach adds."""
        return np.ones(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Most weight reached once, and a second time at a lower value.

    References
    ----------
    K. Hogan, C. ReVelle (1986), "Concepts and applications of backup coverage", the weighted form.
    """

    n: int
    within_s: float
    second: float = 0.5
    per_site: int = 1

    def __post_init__(self) -> None:
        _checked(self.n, self.within_s, self.second)

    def gains(self) -> Floats:
        """Return what the first and the second unit in reach add."""
        return np.array([1.0, self.second])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mexclp:
    r"""Most weight expected to find a free unit in reach, each unit being busy with probability q independently.

    The k-th unit in reach adds :math:`(1 - q) q^{k-1}`.

    References
    ----------
    M. S. Daskin (1983), "A maximum expected covering location model".
    """

    n: int
    within_s: float
    busy: float
    per_site: int = 1

    def __post_init__(self) -> None:
        _checked(self.n, self.within_s)
        if not 0 <= self.busy < 1:
            raise BadInput(f"busy={self.busy}", "must be in 0..1, below 1", "give the share of time a unit is busy")

    def gains(self) -> Floats:
        """Return what the first, second, ... unit in reach adds; what is below 1e-7 is left out."""
        return busy_gains(self.busy, self.n)


def busy_gains(busy: float, n: int) -> Floats:
    """Return the chance that the k-th of n units is the first free one, k = 1..K, where K leaves out less than 1e-7.

    Examples
    --------
    >>> busy_gains(0.5, 3)
    array([0.5  , 0.25 , 0.125])
    """
    deep = n if busy > 0 else 1
    if 0 < busy < 1:
        deep = min(n, math.ceil(math.log(_SLIGHT) / math.log(busy)))
    return np.asarray((1 - busy) * busy ** np.arange(deep), float)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleStandard:
    """Everybody within ``all_within_s``, a share within ``within_s``, and most weight there twice.

    References
    ----------
    M. Gendreau, G. Laporte, F. Semet (1997), "Solving an ambulance location model by tabu search".
    """

    n: int
    within_s: float
    all_within_s: float
    share: float = 0.9
    per_site: int = 2

    def __post_init__(self) -> None:
        _checked(self.n, self.within_s, self.share)
        if not self.all_within_s >= self.within_s:
            raise BadInput(
                f"all_within_s={self.all_within_s}", f"must be >= within_s={self.within_s}", "give the longer standard"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PMedian:
    """Least sum of weight times seconds to the nearest of n posts.

    References
    ----------
    S. L. Hakimi (1964), "Optimum locations of switching centers and the absolute centers and medians of a graph".
    """

    n: int

    def __post_init__(self) -> None:
        _checked(self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class PCenter:
    """Shortest time within which n posts reach every point.

    References
    ----------
    S. L. Hakimi (1964), as above; solved as a row of set covers (Minieka 1970, "The m-center problem").
    """

    n: int

    def __post_init__(self) -> None:
        _checked(self.n)


Goal = Lscp | Mclp | Backup | Mexclp | DoubleStandard | PMedian | PCenter
