"""A cover of millions as a game of two sides, compiled: where units stand, and what one in reach of a point is worth.

Beside a cover (see ``posting.kernel``) there are units x (S,), parts of units allowed, and worths u (R,). For any u

    sum_i sum_k max(0, w_i g_k - u_i) + the p largest of (bonus_j + sum of u over the points of site j)

is a bound of what p units can reach; the lowest one is that of the linear program.
"""

from __future__ import annotations

import numba
import numpy as np

from anlan.response.posting.kernel import best_move, moved, worth


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


@numba.njit(cache=True, nogil=True)
def worth_of_parts(pfirst, psite, weight, gain, bonus, x):  # type: ignore[no-untyped-def]  # compiled
    """Return what units x reach, parts of units allowed: no lower than what the best whole ones do."""
    total = 0.0
    for i in range(len(weight)):
        left = 0.0
        for e in range(pfirst[i], pfirst[i + 1]):
            left += x[psite[e]]
        for k in range(len(gain)):
            if left <= 0:
                break
            total += weight[i] * gain[k] * min(1.0, left)
            left -= 1.0
    for j in range(len(bonus)):
        total += bonus[j] * min(1.0, x[j])
    return total


@numba.njit(cache=True, nogil=True)
def _beside(sfirst, spoint, pfirst, psite, weight, held, j, shared):  # type: ignore[no-untyped-def]  # compiled
    """Add to the sites that hold units the weight they share with site j."""
    for e in range(sfirst[j], sfirst[j + 1]):
        i = spoint[e]
        for f in range(pfirst[i], pfirst[i + 1]):
            if held[psite[f]] > 0:
                shared[psite[f]] += weight[i]


@numba.njit(cache=True, nogil=True)
def _drawn(merit, held, most):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the site of most merit that has room, each taken between half and whole by chance; -1 where none has."""
    b, high = -1, -1e300
    for j in range(len(merit)):
        if held[j] < most and merit[j] > high:
            this = merit[j] * (1.0 - 0.5 * np.random.random())
            if this > high:
                b, high = j, this
    return b


@numba.njit(cache=True, nogil=True)
def _taken_away(cover, here, p):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Take up to four units away that share points, the first by chance; return how many, and what they added.

    ``cover`` is what covers what, and its worth; ``here`` the bonus of sites, how many units they hold, how often each
    point is covered, what one more unit would add, and room for what shares points and for who waits: written into.
    """
    (sfirst, spoint, pfirst, psite, weight, gain), (bonus, held, count, add, shared, waits) = cover, here
    n_sites, out, lost = len(held), 0, 0.0
    waits[:] = False
    wanted = 1 + np.random.randint(min(4, p))
    shared[:] = 0.0
    left, a = np.random.randint(p), -1
    while left >= 0:
        a += 1
        left -= held[a]
    while a >= 0:
        _beside(sfirst, spoint, pfirst, psite, weight, held, a, shared)
        held[a] -= 1
        moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, a, -1)
        lost += add[a] + (bonus[a] if held[a] == 0 else 0.0)
        out += 1
        a, high = -1, 0.0
        for j in range(n_sites):
            if held[j] > 0 and shared[j] > 0:
                waits[j] = True
                this = shared[j] * np.random.random()
                if out < wanted and this > high:
                    a, high = j, this
    return out, lost


@numba.njit(cache=True, nogil=True)
def _put_back(cover, here, most):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Put a unit where one adds much; return what it adds."""
    (sfirst, spoint, pfirst, psite, weight, gain), (bonus, held, count, add, shared, waits) = cover, here
    merit = np.empty(len(held))
    for j in range(len(held)):
        merit[j] = add[j] + (bonus[j] if held[j] == 0 else 0.0)
    b = _drawn(merit, held, most)
    held[b] += 1
    moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, b, 1)
    shared[:] = 0.0
    _beside(sfirst, spoint, pfirst, psite, weight, held, b, shared)
    waits |= shared > 0
    waits[b] = True
    return merit[b]


@numba.njit(cache=True, nogil=True)
def _moved_on(cover, here, most, value):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Let units that wait move until none gains, and those beside them; return the value."""
    (sfirst, spoint, pfirst, psite, weight, gain), (bonus, held, count, add, shared, waits) = cover, here
    n_sites = len(held)
    a, still = np.random.randint(n_sites), 0
    while still < n_sites:
        a, still = (a + 1) % n_sites, still + 1
        if not waits[a] or held[a] == 0:
            continue
        waits[a] = False
        held[a] -= 1
        moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, a, -1)
        lost = add[a] + (bonus[a] if held[a] == 0 else 0.0)
        b, high = best_move(add, bonus, held, most, a, lost + 1e-7 * (1.0 + abs(value)))
        held[b] += 1
        moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, b, 1)
        if b != a:
            value += high - lost
            shared[:] = 0.0
            _beside(sfirst, spoint, pfirst, psite, weight, held, a, shared)
            _beside(sfirst, spoint, pfirst, psite, weight, held, b, shared)
            waits |= shared > 0
            still = 0
    return value


@numba.njit(cache=True, nogil=True)
def wandered(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    sfirst, spoint, pfirst, psite, weight, gain, bonus, most, begin, tries, slack, seed
):
    """Return the best units found from ``begin`` by tries that each change one neighbourhood, and where it ended.

    A try takes away up to four units that share points, puts as many where they add much, and lets those beside move
    until none gains. It stands where it costs no more than a chance that is ``slack`` in the mean.
    """
    np.random.seed(seed)
    n_sites, p = len(sfirst) - 1, len(begin)
    count, held = np.zeros(len(weight), np.int32), np.zeros(n_sites, np.int32)
    add, shared, value = np.zeros(n_sites), np.zeros(n_sites), 0.0
    for j in range(n_sites):
        add[j] = worth(sfirst, spoint, weight, gain, count, j)
    for j in begin:
        value += add[j] + (bonus[j] if held[j] == 0 else 0.0)
        held[j] += 1
        moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, j, 1)
    now, now_value, best, best_value = held.copy(), value, held.copy(), value
    waits = held > 0
    cover = sfirst, spoint, pfirst, psite, weight, gain
    here = bonus, held, count, add, shared, waits
    for t in range(tries + 1):
        if t > 0:
            out, lost = _taken_away(cover, here, p)
            value -= lost
            for _put in range(out):
                value += _put_back(cover, here, most)
        value = _moved_on(cover, here, most, value)
        if value > best_value + 1e-9 * abs(best_value):
            best_value, best = value, held.copy()
        if value >= now_value + slack * np.log(1.0 - np.random.random()):
            now_value = value
            now[:] = held
            continue
        for step in (-1, 1):  # back to where it was: units taken away first, then put
            for j in range(n_sites):
                while (now[j] - held[j]) * step > 0:
                    held[j] += step
                    moved(*cover, count, add, j, step)
        value = now_value
    return np.repeat(np.arange(n_sites), best), np.repeat(np.arange(n_sites), now)
