"""Walking between cells, compiled."""

from __future__ import annotations

import numba
import numpy as np

PER_DENSITY = 50
"""Entries of the tables for each person per m²."""
MOST_PER_M2 = 6.5
"""Density at which a cell takes nobody more, 1/m²: above Weidmann's 5.4, as a jam still creeps and packs."""


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
def spread(persons, near, ground, rounds):  # type: ignore[no-untyped-def]  # numba infers types
    """Push whoever stands above ``MOST_PER_M2`` on to neighbouring cells, in place, nobody lost.

    Neighbours with room come first, by their room; where none has, all get as many, who go on in the next round.
    """
    n = len(persons)
    room = np.zeros(4)
    for _ in range(rounds):
        moved = False
        for c in range(n):
            excess = persons[c] - MOST_PER_M2 * ground[c]
            if excess <= 1e-9 * ground[c]:
                continue
            doors = 0
            for m in range(4):
                room[m] = 0.0
                to = near[c, m]
                if to >= 0:
                    doors += 1
                    room[m] = max(MOST_PER_M2 * ground[to] - persons[to], 0.0)
            total = room.sum()
            for m in range(4):
                to = near[c, m]
                if to >= 0:
                    step = min(excess, total) * room[m] / total if total > 0.0 else excess / (doors + 1)
                    persons[c] -= step
                    persons[to] += step
                    moved = True
        if not moved:
            break


@numba.njit(cache=True, nogil=True)
def room_in(density, ground, supply, dt, size):  # type: ignore[no-untyped-def]  # numba infers types
    """Return how many a cell takes in a step: what the flow relation lets in, and never more than fit."""
    at = min(int(density * PER_DENSITY), len(supply) - 1)
    return min(supply[at] * ground / size * dt, max(MOST_PER_M2 - density, 0.0) * ground)


@numba.njit(cache=True, nogil=True)
def admit(outside, walkers, staying, sink, ground, supply, dt, size, door):  # type: ignore[no-untyped-def]  # numba
    """Let those waiting beyond the ways in come, in place, as many as doors pass and cells take; return how many.

    ``outside`` (n, K) are persons; ``door`` (n,) how many at least a cell's doors pass in a step.
    """
    came = 0.0
    n, n_classes = walkers.shape
    for c in range(n):
        waiting = 0.0
        for k in range(n_classes):
            waiting += outside[c, k]
        if waiting <= 0.0:
            continue
        here = staying[c]
        for k in range(n_classes):
            here += walkers[c, k]
        room = room_in(here / ground[c], ground[c], supply, dt, size)
        share = min(1.0, min(room, max(sink[c] * dt, door[c])) / waiting)
        for k in range(n_classes):
            step = outside[c, k] * share
            outside[c, k] -= step
            walkers[c, k] += step
            came += step
    return came


@numba.njit(cache=True, nogil=True)
def set_off(  # type: ignore[no-untyped-def]  # numba infers types
    walkers, staying, turn, ground, leaving, demand, dt, size, want, pace, total
):
    """Let those leave who have stayed long enough; tell how many want to cross each border, and how fast they walk.

    ``want`` (n, 4), ``pace`` (n,) as the share of a cell walked in the step, and ``total`` (n,) persons are filled in.
    """
    n, n_classes = walkers.shape
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
        at = min(int(density * PER_DENSITY), len(demand) - 1)
        pace[c] = min(1.0, demand[at] / max(density, 1.0 / PER_DENSITY) * dt / size)
        for k in range(n_classes):
            if walkers[c, k] > 0.0:
                for m in range(4):
                    want[c, m] += walkers[c, k] * pace[c] * turn[c, k, m]


@numba.njit(cache=True, nogil=True)
def share_out(  # type: ignore[no-untyped-def]  # numba infers types
    want, near, width, gated, allow, ajar, total, ground, supply, dt, size, most, incoming
):
    """Turn what is wanted over each border into the share that its width and its gate let pass, in place.

    ``incoming`` (n,) becomes the share of those at its borders that each cell takes.
    """
    n = len(total)
    asked = 0.0
    for c in range(n):
        for m in range(4):
            if gated[c, m] and want[c, m] > 0.0:
                asked += min(want[c, m], most * width[c, m] * dt * ajar)
    let = 1.0 if asked <= allow else allow / asked
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
            incoming[c] = min(1.0, room_in(total[c] / ground[c], ground[c], supply, dt, size) / incoming[c])


@numba.njit(cache=True, nogil=True)
def cross(walkers, near, turn, pace, share, incoming, moved):  # type: ignore[no-untyped-def]  # numba infers types
    """Sum up in ``moved`` (n, K) who crosses: what leaves a cell comes to its neighbour."""
    n, n_classes = walkers.shape
    for c in range(n):
        if pace[c] <= 0.0:
            continue
        for k in range(n_classes):
            if walkers[c, k] > 0.0:
                for m in range(4):
                    if turn[c, k, m] > 0.0:
                        to = near[c, m]
                        step = walkers[c, k] * pace[c] * turn[c, k, m] * share[c, m] * incoming[to]
                        moved[c, k] -= step
                        moved[to, k] += step


@numba.njit(cache=True, nogil=True)
def arrive(  # type: ignore[no-untyped-def]  # numba infers types
    walkers, staying, moved, ground, home, sink, peak, above, limits, dt
):
    """Let those who crossed arrive, stay where they wanted to, or leave the district; return how many have left."""
    n, n_classes = walkers.shape
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
def walk(  # type: ignore[no-untyped-def]  # numba infers types
    walkers, staying, near, width, turn, ground, home, leaving, gated, allow, ajar, sink, demand, supply, peak, above,
    limits, dt, size, most,
):  # fmt: skip
    """Move everybody by one step, in place; return how many have left the district.

    ``walkers`` (n, K) and ``staying`` (n,) are persons; ``near`` (n, 4) the neighbours, -1 where there is none;
    ``width`` (n, 4) metres of open border; ``turn`` (n, K, 4) where walkers of a class turn; ``gated`` (n, 4) borders
    that ``allow`` persons cross together, open for the share ``ajar`` of the step; ``demand`` and ``supply`` the two
    branches of the flow relation by density. ``peak`` and ``above`` are kept up to date. No cell that is below
    ``MOST_PER_M2`` rises above it.
    """
    n = len(staying)
    want, pace, total, incoming = np.zeros((n, 4)), np.zeros(n), np.zeros(n), np.zeros(n)
    set_off(walkers, staying, turn, ground, leaving, demand, dt, size, want, pace, total)
    share_out(want, near, width, gated, allow, ajar, total, ground, supply, dt, size, most, incoming)
    moved = np.zeros(walkers.shape)
    cross(walkers, near, turn, pace, want, incoming, moved)
    return arrive(walkers, staying, moved, ground, home, sink, peak, above, limits, dt)


@numba.njit(cache=True, nogil=True)
def stroll(staying, walkers, usual, near, width, home, ground, dt):  # type: ignore[no-untyped-def]  # numba infers
    """Let those who stay in a place drift back, within it, to how they usually spread; in place, nobody lost.

    Over each of its borders a cell takes at most a quarter of its room.
    """
    n = len(staying)
    drift, room = np.zeros(n), np.zeros(n)
    share = min(0.2, dt / 120.0)
    for c in range(n):
        if home[c] > 0:
            room[c] = max(MOST_PER_M2 * ground[c] - staying[c] - walkers[c].sum(), 0.0) / 4
    for c in range(n):
        if home[c] <= 0:
            continue
        for m in (1, 3):
            to = near[c, m]
            if to >= 0 and home[to] == home[c] and width[c, m] > 0.0:
                step = share * min(usual[c], usual[to]) * (staying[c] / usual[c] - staying[to] / usual[to])
                step = min(max(step, -room[c]), room[to])
                drift[c] -= step
                drift[to] += step
    for c in range(n):
        staying[c] = staying[c] + drift[c]


@numba.njit(cache=True, nogil=True)
def walk_on(  # type: ignore[no-untyped-def]  # numba infers types
    walkers, staying, arrivals, usual, near, width, turn, ground, home, leaving, gated, allow, ajar, sink, demand,
    supply, peak, above, limits, dt, size, most, per_minute,
):  # fmt: skip
    """Take ``len(allow)`` steps, in place; return who came, who left, who waits outside, and by minute who was where.

    ``arrivals`` (n, K) come to the ways in in every step, and wait there while the cell is full; ``per_minute`` steps
    are a minute. By minute: who walked (minutes,), and who was in each cell (minutes, n).
    """
    n, n_classes = walkers.shape
    shown = np.zeros((len(allow) // per_minute, n))
    walking = np.zeros(len(allow) // per_minute)
    came, left = 0.0, 0.0
    outside, door = np.zeros((n, n_classes)), arrivals.sum(axis=1)
    for step in range(len(allow)):
        outside += arrivals
        came += admit(outside, walkers, staying, sink, ground, supply, dt, size, door)
        left += walk(
            walkers, staying, near, width, turn, ground, home, leaving, gated, allow[step], ajar[step], sink, demand,
            supply, peak, above, limits, dt, size, most,
        )  # fmt: skip
        stroll(staying, walkers, usual, near, width, home, ground, dt)
        if (step + 1) % per_minute == 0:
            for c in range(n):
                here = 0.0
                for k in range(n_classes):
                    here += walkers[c, k]
                walking[step // per_minute] += here
                shown[step // per_minute, c] = staying[c] + here
    return came, left, outside.sum(), walking, shown
