"""Erlang's formulas: equal units that serve whoever comes, with loss or with a queue."""

from __future__ import annotations

import math

import numpy as np

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats


def _checked(load: float, n: int) -> None:
    if not (load >= 0 and math.isfinite(load)) or n < 1:
        raise BadInput(
            f"load={load}, n={n}", "must be >= 0 erlang and at least one unit", "give the rate times the busy time"
        )


def erlang_b(load: float, n: int) -> float:
    r"""Return the probability that all n units are busy where nobody waits.

    .. math:: B = \frac{a^n / n!}{\sum_{k=0}^{n} a^k / k!}

    Parameters
    ----------
    load : float
        :math:`a = \lambda \tau`, erlang.
    n : int

    Raises
    ------
    BadInput
        If the load is negative or there is no unit.

    References
    ----------
    A. K. Erlang (1917), "Solution of some problems in the theory of probabilities of significance in automatic
    telephone exchanges", by the usual recursion over n. It holds for every distribution of the busy time.

    Examples
    --------
    >>> round(erlang_b(2.0, 3), 4)
    0.2105
    """
    _checked(load, n)
    loss = 1.0
    for k in range(1, n + 1):
        loss = load * loss / (k + load * loss)
    return loss


def erlang_c(load: float, n: int) -> float:
    r"""Return the probability of having to wait for one of n units; 1 where the load is n or more.

    .. math:: C = \frac{B}{1 - (a / n)(1 - B)}

    For exponential busy times. ``load`` in erlang; raises as :func:`erlang_b`.

    Examples
    --------
    >>> round(erlang_c(2.0, 3), 4)
    0.4444
    """
    loss = erlang_b(load, n)
    return 1.0 if load >= n else loss / (1 - load / n * (1 - loss))


def erlang_wait_s(load: float, n: int, busy_s: float) -> float:
    r"""Return the mean wait of all, :math:`C \tau / (n - a)`, s; infinite where the load is n or more.

    For exponential busy times of mean ``busy_s`` and one queue, first come first served.

    Examples
    --------
    >>> round(erlang_wait_s(2.0, 3, 900.0), 1)
    400.0
    """
    return math.inf if load >= n else erlang_c(load, n) * busy_s / (n - load)


def busy_levels(load: float, n: int, *, queue: bool) -> Floats:
    """Return the probabilities (n + 1,) that 0, 1, ... n units are busy; the last one with all who wait behind it.

    Raises
    ------
    BadInput
        As :func:`erlang_b`, and with a queue if the load is n or more: nothing is steady then.
    """
    _checked(load, n)
    if queue and load >= n:
        raise BadInput(f"load={load}", f"must be below the {n} units", "add units, or let incidents be lost")
    steps = np.concatenate([[0.0], np.cumsum(np.log(max(load, 1e-300)) - np.log(np.arange(1, n + 1)))])
    level = np.exp(steps - steps.max())
    if queue:
        level[n] /= 1 - load / n
    return np.asarray(level / level.sum(), float)
