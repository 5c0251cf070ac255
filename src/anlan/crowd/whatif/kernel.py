"""Walking between cells, compiled."""

from __future__ import annotations

import numba
import numpy as np

PER_DENSITY = 50
"""Entries of the tables for each person per m²."""


@numba.njit(cache=True, nogil=True)
def reach(begin, near, turn):  # type: ignore[no-untyped-def]  # numba infers types
    """Return which cells anybody comes through who begins in some cells, by class, and follows the turns, (n,)."""
    n, n_classes = begin.shape
    found = np.zeros(n, np.bool_)
    stack = np.empty(n, np.int64)
    for k in range(n_classes):
        met = begin[:, k].copy()
        top = 0
        for c in range(n):
            if met[c]:
                stack[top] = c
                top += 1
        while top > 0:
            top -= 1
            c = stack[top]
            for m in range(4):
                to = near[c, m]
                if turn[c, k, m] > 0.0 and not met[to]:
                    met[to] = True
                    stack[top] = to
                    top += 1
        found |= met
    return found


@numba.njit(cache=True, nogil=True)
def downhill(order, near, best, goal):  # type: ignore[no-untyped-def]  # numba infers types
    """Return the number of the goal that each cell's best turns lead to, (n,); -1 where none.

    ``order`` holds the cells by rising time to the goals, ``goal`` (n,) the number of a goal or -1.
    """
    found = goal.copy()
    for c in order:
        if found[c] < 0 and near[c, best[c]] >= 0:
            found[c] = found[near[c, best[c]]]
    return found


@numba.njit(cache=True, nogil=True)
def through(order, near, turn, source, sink):  # type: ignore[no-untyped-def]  # numba infers types
    """Return how many go through each cell, 1/s, if so many set off in each (n,) and the turns (n, 4) are taken.

    ``order`` holds the cells by rising time to the goal; at most ``sink`` end in a cell, and whoever has no turn does.
    """
    flow = source.copy()
    for i in range(len(order) - 1, -1, -1):
        c = order[i]
        for m in range(4):
            if turn[c, m] > 0.0:
                flow[near[c, m]] += max(flow[c] - sink[c], 0.0) * turn[c, m]
    return flow


@numba.njit(cache=True, nogil=True)
def walk(  # type: ignore[no-untyped-def]  # numba infers types
    walkers, staying, near, width, turn, ground, home, leaving, gated, allow, ajar, sink, demand, supply, peak, above,
    limits, dt, size, most,
):  # fmt: skip
    """Move everybody by one step, in place; return how many have left the district.

    ``walkers`` (n, K) and ``staying`` (n,) are persons; ``near`` (n, 4) the neighbours, -1 where there is none;
    ``width`` (n, 4) metres of open border; ``turn`` (n, K, 4) where walkers of a class turn; ``gated`` (n, 4) borders
    that ``allow`` persons cross together, open for the share ``ajar`` of the step; ``demand`` and ``supply`` the two
    branches of the flow relation by density. ``peak`` and ``above`` are kept up to date.
    """
    n, n_classes = walkers.shape
    n_table = len(demand)
    want = np.zeros((n, 4))
    pace = np.zeros(n)
    total = np.zeros(n)
    asked = 0.0
    for c in range(n):
        gone = staying[c] * leaving[c]
        staying[c] -= gone
        walkers[c, 0] += gone
        here = 0.0
        for k in range(n_classes):
            here += walkers[c, k]
        total[c] = here + staying[c]
        if here <= 0.0:
            continue
        density = total[c] / ground[c]
        at = min(int(density * PER_DENSITY), n_table - 1)
        pace[c] = min(1.0, demand[at] / max(density, 1.0 / PER_DENSITY) * dt / size)
        for k in range(n_classes):
            if walkers[c, k] > 0.0:
                for m in range(4):
                    want[c, m] += walkers[c, k] * pace[c] * turn[c, k, m]
        for m in range(4):
            if want[c, m] > 0.0 and gated[c, m]:
                asked += min(want[c, m], most * width[c, m] * dt * ajar)
    let = 1.0 if asked <= allow else allow / asked
    incoming = np.zeros(n)
    for c in range(n):
        for m in range(4):
            if want[c, m] > 0.0:
                share = min(1.0, most * width[c, m] * dt * (ajar if gated[c, m] else 1.0) / want[c, m])
                if gated[c, m]:
                    share *= let
                incoming[near[c, m]] += want[c, m] * share
                want[c, m] = share
    for c in range(n):
        if incoming[c] > 0.0:
            at = min(int(total[c] / ground[c] * PER_DENSITY), n_table - 1)
            incoming[c] = min(1.0, supply[at] * ground[c] / size * dt / incoming[c])
    moved = np.zeros((n, n_classes))
    for c in range(n):
        if pace[c] <= 0.0:
            continue
        for k in range(n_classes):
            if walkers[c, k] > 0.0:
                for m in range(4):
                    if turn[c, k, m] > 0.0:
                        to = near[c, m]
                        step = walkers[c, k] * pace[c] * turn[c, k, m] * want[c, m] * incoming[to]
                        moved[c, k] -= step
                        moved[to, k] += step
    left = 0.0
    for c in range(n):
        here = 0.0
        for k in range(n_classes):
            walkers[c, k] = max(walkers[c, k] + moved[c, k], 0.0)
            if k > 0 and home[c] == k and walkers[c, k] > 0.0:
                rests = 0.25 * walkers[c, k]
                walkers[c, k] -= rests
                staying[c] += rests
            here += walkers[c, k]
        if sink[c] > 0.0:
            out = min(walkers[c, 0], sink[c] * dt)
            walkers[c, 0] -= out
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


@numba.njit(cache=True, nogil=True)
def walk_on(  # type: ignore[no-untyped-def]  # numba infers types
    walkers, staying, arrivals, usual, near, width, turn, ground, home, leaving, gated, allow, ajar, sink, demand,
    supply, peak, above, limits, dt, size, most, per_minute,
):  # fmt: skip
    """Take ``len(allow)`` steps, in place; return who came, who left, and by minute who walked and who was where.

    ``arrivals`` (n, K) come in every step; ``per_minute`` steps are a minute.
    """
    n, n_classes = walkers.shape
    shown = np.zeros((len(allow) // per_minute, n))
    walking = np.zeros(len(allow) // per_minute)
    came, left = 0.0, 0.0
    for step in range(len(allow)):
        for c in range(n):
            for k in range(n_classes):
                walkers[c, k] += arrivals[c, k]
                came += arrivals[c, k]
        left += walk(
            walkers, staying, near, width, turn, ground, home, leaving, gated, allow[step], ajar[step], sink, demand,
            supply, peak, above, limits, dt, size, most,
        )  # fmt: skip
        stroll(staying, usual, near, width, home, dt)
        if (step + 1) % per_minute == 0:
            for c in range(n):
                here = 0.0
                for k in range(n_classes):
                    here += walkers[c, k]
                walking[step // per_minute] += here
                shown[step // per_minute, c] = staying[c] + here
    return came, left, walking, shown
