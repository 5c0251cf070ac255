"""A cover of millions as a game of two sides, compiled: where units stand, and what one in reach of a point is worth.

Beside a cover (see ``posting.kernel``) there are units x (S,), parts of units allowed, and worths u (R,). For any u

    sum_i sum_k max(0, w_i g_k - u_i) + the p largest of (bonus_j + sum of u over the points of site j)

is a bound of what p units can reach; the lowest one is that of the linear program.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def played(pfirst, psite, weight, gain, bonus, most, p, u, x, ratio, rounds):  # type: ignore[no-untyped-def]  # compiled
    """Let both sides step ``rounds`` times, changing u and x, and return their means (Chambolle, Pock 2011).

    Steps are as long as each row and site allows (Pock, Chambolle 2011); ``ratio`` is what a unit's step is to a
    worth's.
    """
    n, n_sites = len(weight), len(bonus)
    step = np.zeros(n_sites)
    pull = np.zeros(n_sites)
    for i in range(n):
        for e in range(pfirst[i], pfirst[i + 1]):
            step[psite[e]] += 1.0
            pull[psite[e]] += u[i]
    for j in range(n_sites):
        step[j] = ratio / max(step[j], 1.0)
    mean_u, mean_x, wish = np.zeros(n), np.zeros(n_sites), np.empty(n_sites)
    for _round in range(rounds):
        low, high = 0.0, 0.0
        for j in range(n_sites):
            wish[j] = x[j] + step[j] * (pull[j] + bonus[j])
            high = max(high, wish[j] / step[j])
        for _half in range(50):  # the price at which no more than p units are wished for
            price, total = 0.5 * (low + high), 0.0
            for j in range(n_sites):
                total += min(max(wish[j] - step[j] * price, 0.0), most)
            if total > p:
                low = price
            else:
                high = price
        for j in range(n_sites):
            x[j] = min(max(wish[j] - step[j] * high, 0.0), most)
            mean_x[j] += x[j]
            pull[j] = 0.0
        for i in range(n):
            begin, end = pfirst[i], pfirst[i + 1]
            if begin == end:
                continue
            reached = 0.0
            for e in range(begin, end):
                reached += x[psite[e]]
            pace = 1.0 / (ratio * (end - begin))
            worth = u[i] - pace * reached
            for k in range(len(gain), 0, -1):  # as long as k of the gains lie above it, it rises k times as fast
                if worth + pace * k <= weight[i] * gain[k - 1]:
                    worth += pace * k
                    break
                if worth + pace * (k - 1) < weight[i] * gain[k - 1]:
                    worth = weight[i] * gain[k - 1]
                    break
            worth = max(worth, 0.0)
            for e in range(begin, end):
                pull[psite[e]] += 2 * worth - u[i]
            u[i] = worth
            mean_u[i] += worth
    return mean_u / rounds, mean_x / rounds


@numba.njit(cache=True, nogil=True)
def bound_of(pfirst, psite, weight, gain, bonus, most, p, u):  # type: ignore[no-untyped-def]  # compiled
    """Return the bound that worths u give."""
    pull, total = bonus.copy(), 0.0
    for i in range(len(weight)):
        for k in range(len(gain)):
            total += max(0.0, weight[i] * gain[k] - u[i])
        for e in range(pfirst[i], pfirst[i + 1]):
            pull[psite[e]] += u[i]
    left = p
    for j in np.argsort(-pull):
        total += min(most, left) * pull[j]
        left -= min(most, left)
        if left == 0:
            break
    return total
