"""One step of walking between cells, compiled."""

from __future__ import annotations

import numba
import numpy as np

PER_DENSITY = 50
"""Entries of the tables for each person per m²."""


@numba.njit(cache=True, nogil=True)
def walk(  # type: ignore[no-untyped-def]  # numba infers types
    walkers, staying, near, width, turn, ground, home, leaving, gate, allow, sink, demand, supply, peak, above, limits,
    dt, size, most,
):  # fmt: skip
    """Move everybody by one step, in place; return how many have left the district.

    ``walkers`` (K, n) and ``staying`` (n,) are persons; ``near`` (n, 4) the neighbours, -1 where there is none;
    ``width`` (n, 4) metres of open border; ``turn`` (K, n, 4) where walkers of a class turn; ``demand`` and ``supply``
    the two branches of the flow relation by density. ``peak`` and ``above`` are kept up to date.
    """
    n_classes, n = walkers.shape
    n_table = len(demand)
    want = np.zeros((n, 4))
    pace = np.zeros(n)
    total = np.zeros(n)
    asked = np.zeros(len(allow))
    for c in range(n):
        gone = staying[c] * leaving[c]
        staying[c] -= gone
        walkers[0, c] += gone
        here = 0.0
        for k in range(n_classes):
            here += walkers[k, c]
        total[c] = here + staying[c]
        if here <= 0.0:
            continue
        density = total[c] / ground[c]
        at = min(int(density * PER_DENSITY), n_table - 1)
        pace[c] = min(1.0, demand[at] / max(density, 1.0 / PER_DENSITY) * dt / size)
        for k in range(n_classes):
            if walkers[k, c] > 0.0:
                for m in range(4):
                    want[c, m] += walkers[k, c] * pace[c] * turn[k, c, m]
        for m in range(4):
            if want[c, m] > 0.0 and gate[c, m] >= 0:
                asked[gate[c, m]] += min(want[c, m], most * width[c, m] * dt)
    incoming = np.zeros(n)
    part = np.zeros((n, 4))
    for c in range(n):
        for m in range(4):
            if want[c, m] > 0.0:
                share = min(1.0, most * width[c, m] * dt / want[c, m])
                g = gate[c, m]
                if g >= 0 and asked[g] > allow[g]:
                    share *= allow[g] / asked[g]
                part[c, m] = share
                incoming[near[c, m]] += want[c, m] * share
    for c in range(n):
        if incoming[c] > 0.0:
            at = min(int(total[c] / ground[c] * PER_DENSITY), n_table - 1)
            incoming[c] = min(1.0, supply[at] * ground[c] / size * dt / incoming[c])
    moved = np.zeros((n_classes, n))
    for c in range(n):
        if pace[c] <= 0.0:
            continue
        for k in range(n_classes):
            if walkers[k, c] > 0.0:
                for m in range(4):
                    if turn[k, c, m] > 0.0:
                        to = near[c, m]
                        step = walkers[k, c] * pace[c] * turn[k, c, m] * part[c, m] * incoming[to]
                        moved[k, c] -= step
                        moved[k, to] += step
    left = 0.0
    for c in range(n):
        here = 0.0
        for k in range(n_classes):
            walkers[k, c] = max(walkers[k, c] + moved[k, c], 0.0)
            if k > 0 and home[c] == k and walkers[k, c] > 0.0:
                rests = 0.25 * walkers[k, c]
                walkers[k, c] -= rests
                staying[c] += rests
            here += walkers[k, c]
        if sink[c] > 0.0:
            out = min(walkers[0, c], sink[c] * dt)
            walkers[0, c] -= out
            left += out
            here -= out
        density = (here + staying[c]) / ground[c]
        peak[c] = max(peak[c], density)
        for j in range(len(limits)):
            if density > limits[j]:
                above[j, c] += dt
    return left


@numba.njit(cache=True, nogil=True)
def stroll(staying, usual, near, width, home, dt):  # type: ignore[no-untyped-def]  # numba infers types
    """Let those who stay in a place drift back, within it, to how they usually spread; in place, nobody lost."""
    n = len(staying)
    drift = np.zeros(n)
    share = min(0.2, dt / 120.0)
    for c in range(n):
        if home[c] <= 0:
            continue
        for m in (1, 3):
            to = near[c, m]
            if to >= 0 and home[to] == home[c] and width[c, m] > 0.0:
                step = share * min(usual[c], usual[to]) * (staying[c] / usual[c] - staying[to] / usual[to])
                drift[c] -= step
                drift[to] += step
    for c in range(n):
        staying[c] = staying[c] + drift[c]
