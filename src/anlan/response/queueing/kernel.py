"""The hypercube's balance, compiled: one state for each set of busy units."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def upward(order, rate, n):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return for each state (2^n, n) the rate at which each free unit is sent: bit u of a state is 1 if u is busy."""
    rates = np.zeros((1 << n, n))
    for state in range((1 << n) - 1):
        for j in range(len(rate)):
            for k in range(n):
                u = order[j, k]
                if not (state >> u) & 1:
                    rates[state, u] += rate[j]
                    break
    return rates


@numba.njit(cache=True, nogil=True)
def balanced(up, down, total, n, tail, tolerance, rounds):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the probabilities of the states by Gauss-Seidel sweeps, and how many were made; -1 if it did not settle.

    ``tail`` is how much more probability waits behind the full state (queues), as a multiple of that state's.
    """
    size = 1 << n
    full = size - 1
    p = np.full(size, 1.0 / size)
    for sweep in range(rounds):
        change, largest = 0.0, 0.0
        for at in range(size):
            state = at if sweep % 2 == 0 else size - 1 - at
            inward, outward = 0.0, 0.0
            for u in range(n):
                bit = 1 << u
                if state & bit:
                    inward += p[state ^ bit] * up[state ^ bit, u]
                    outward += down[u]
                else:
                    inward += p[state | bit] * down[u]
            if state != full:
                outward += total
            now = inward / outward
            change = max(change, abs(now - p[state]))
            largest = max(largest, now)
            p[state] = now
        scale = 1.0 / (p.sum() + tail * p[full])
        p *= scale
        if change <= tolerance * largest:
            return p, sweep + 1
    return p, -1


@numba.njit(cache=True, nogil=True)
def sent(p, order, n):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return for each unit and class (n, J) the probability that the unit is the first free one of its order."""
    made = np.zeros((n, len(order)))
    for state in range((1 << n) - 1):
        for j in range(len(order)):
            for k in range(n):
                u = order[j, k]
                if not (state >> u) & 1:
                    made[u, j] += p[state]
                    break
    return made
