"""Searches over covers and times, compiled: greedy, swaps, and the multipliers that bound what nobody has found.

A cover is held twice: by point (``pfirst``, ``psite``: which sites reach it) and by site (``sfirst``, ``spoint``: which
points it reaches). ``gain[k]`` is what the (k+1)-th unit in reach of a point adds to one unit of its weight; it falls.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def hashed(first, point, one, two, n_points):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return two sums of random numbers for each point over the sites that reach it, and how many do."""
    a, b, n = np.zeros(n_points, np.uint64), np.zeros(n_points, np.uint64), np.zeros(n_points, np.int32)
    for j in range(len(first) - 1):
        for e in range(first[j], first[j + 1]):
            a[point[e]] += one[j]
            b[point[e]] += two[j]
            n[point[e]] += 1
    return a, b, n


@numba.njit(cache=True, nogil=True)
def kept_entries(first, point, number):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the cover by site with the points renumbered; those with number -1 are left out."""
    n_sites = len(first) - 1
    begin = np.zeros(n_sites + 1, np.int64)
    for j in range(n_sites):
        n = 0
        for e in range(first[j], first[j + 1]):
            if number[point[e]] >= 0:
                n += 1
        begin[j + 1] = begin[j] + n
    kept = np.empty(begin[n_sites], np.int32)
    q = 0
    for j in range(n_sites):
        for e in range(first[j], first[j + 1]):
            if number[point[e]] >= 0:
                kept[q] = number[point[e]]
                q += 1
    return begin, kept


@numba.njit(cache=True, nogil=True)
def transposed(first, inner, n_inner):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the same entries ordered by what was inside."""
    begin = np.zeros(n_inner + 1, np.int64)
    for e in range(len(inner)):
        begin[inner[e] + 1] += 1
    for i in range(n_inner):
        begin[i + 1] += begin[i]
    at = begin[:-1].copy()
    outer = np.empty(len(inner), np.int32)
    for j in range(len(first) - 1):
        for e in range(first[j], first[j + 1]):
            outer[at[inner[e]]] = j
            at[inner[e]] += 1
    return begin, outer


@numba.njit(cache=True, nogil=True)
def worth(sfirst, spoint, weight, gain, count, j):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return what one more unit at site j adds."""
    made = 0.0
    for e in range(sfirst[j], sfirst[j + 1]):
        c = count[spoint[e]]
        if c < len(gain):
            made += weight[spoint[e]] * gain[c]
    return made


@numba.njit(cache=True, nogil=True)
def greedy(sfirst, spoint, weight, gain, bonus, most, chosen):  # type: ignore[no-untyped-def]  # compiled
    """Fill ``chosen`` with the site that adds most, again and again; values only fall, so stale ones are bounds."""
    n_sites = len(sfirst) - 1
    count = np.zeros(len(weight), np.int32)
    held = np.zeros(n_sites, np.int32)
    value = np.empty(n_sites)
    stamp = np.zeros(n_sites, np.int32)
    for j in range(n_sites):
        value[j] = worth(sfirst, spoint, weight, gain, count, j) + bonus[j]
    for k in range(len(chosen)):
        while True:
            b = np.argmax(value)
            if stamp[b] == k:
                break
            value[b] = worth(sfirst, spoint, weight, gain, count, b) + (bonus[b] if held[b] == 0 else 0.0)
            stamp[b] = k
        chosen[k] = b
        held[b] += 1
        for e in range(sfirst[b], sfirst[b + 1]):
            count[spoint[e]] += 1
        if held[b] >= most:
            value[b] = -1e300
            stamp[b] = 2**30
        else:
            stamp[b] = -1
    return chosen


@numba.njit(cache=True, nogil=True)
def moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, j, step):  # type: ignore[no-untyped-def]  # compiled
    """Put a unit at site j (step 1) or take one away (-1), and keep what each site would add."""
    for e in range(sfirst[j], sfirst[j + 1]):
        i = spoint[e]
        before = gain[count[i]] if count[i] < len(gain) else 0.0
        count[i] += step
        after = gain[count[i]] if count[i] < len(gain) else 0.0
        change = weight[i] * (after - before)
        if change != 0.0:
            for f in range(pfirst[i], pfirst[i + 1]):
                add[psite[f]] += change


@numba.njit(cache=True, nogil=True)
def best_move(add, bonus, held, most, site, least):  # type: ignore[no-untyped-def]  # compiled
    """Return the site with room where a unit adds most, and how much; ``site`` and ``least`` where none adds more."""
    for j in range(len(add)):
        if held[j] < most:
            this = add[j] + (bonus[j] if held[j] == 0 else 0.0)
            if this > least:
                site, least = j, this
    return site, least


@numba.njit(cache=True, nogil=True)
def swapped(sfirst, spoint, pfirst, psite, weight, gain, bonus, most, begin, rounds, seed, shaken=0):  # type: ignore[no-untyped-def]  # compiled
    """Return the best set found from ``begin`` by swaps, shaken ``rounds`` times, and its value.

    At most ``shaken`` units are moved anywhere each time; a quarter of them where that is 0.
    """
    np.random.seed(seed)
    n_sites, p = len(sfirst) - 1, len(begin)
    best, best_value = begin.copy(), -1e300
    held = np.zeros(n_sites, np.int32)
    for r in range(rounds + 1):
        now = best.copy()
        if r > 0:
            held[:] = 0
            for a in range(p):
                held[now[a]] += 1
            many = 1 + np.random.randint(shaken if shaken > 0 else max(2, p // 4))
            for _ in range(max(1, min(p // 2, many))):
                a, j = np.random.randint(p), np.random.randint(n_sites)
                if held[j] < most:
                    held[now[a]] -= 1
                    held[j] += 1
                    now[a] = j
        held[:] = 0
        count = np.zeros(len(weight), np.int32)
        add = np.zeros(n_sites)
        value = 0.0
        for j in range(n_sites):
            add[j] = worth(sfirst, spoint, weight, gain, count, j)
        for a in range(p):
            j = now[a]
            value += add[j] + (bonus[j] if held[j] == 0 else 0.0)
            held[j] += 1
            moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, j, 1)
        better = True
        while better:
            better = False
            for a in range(p):
                old = now[a]
                held[old] -= 1
                moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, old, -1)
                lost = add[old] + (bonus[old] if held[old] == 0 else 0.0)
                b, most_worth = best_move(add, bonus, held, most, old, lost + 1e-7 * (1.0 + abs(value)))
                if b != old:
                    better = True
                    value += most_worth - lost
                now[a] = b
                held[b] += 1
                moved(sfirst, spoint, pfirst, psite, weight, gain, count, add, b, 1)
        if value > best_value + 1e-9 * abs(best_value):
            best_value = value
            best = now
    return best, best_value


@numba.njit(cache=True, nogil=True)
def dual_cover(pfirst, psite, weight, gain, bonus, most, p, low, u, best_u, state, iters):  # type: ignore[no-untyped-def]  # compiled
    """Improve the bound on what p units can add; ``state``: best bound, step, stalled; returns reduced worth of sites.

    Relaxed: a point's k-th unit counts only if k units are in reach. For multipliers u the bound is
    sum_i sum_k max(0, w_i g_k - u_i) + the p largest of (sum of u over the points of a site).
    """
    n, n_sites = len(weight), len(bonus)
    x = np.zeros(n_sites)
    way = np.zeros(n)
    best_pull = np.zeros(n_sites)
    for _it in range(iters):
        pull = bonus.copy()
        bound = 0.0
        for i in range(n):
            for k in range(len(gain)):
                v = weight[i] * gain[k] - u[i]
                if v > 0:
                    bound += v
            for e in range(pfirst[i], pfirst[i + 1]):
                pull[psite[e]] += u[i]
        x[:] = 0
        left = p
        for j in np.argsort(-pull):
            x[j] = min(most, left)
            # a bonus is given once: taking it with every copy only loosens the bound
            bound += x[j] * pull[j]
            left -= x[j]
            if left == 0:
                break
        if bound < state[0] * (1 - 1e-9):
            state[0] = bound
            best_u[:] = u
            best_pull[:] = pull
            state[2] = 0
        else:
            state[2] += 1
        if state[2] > 10:
            state[1] *= 0.7
            state[2] = 0
            u[:] = best_u
            way[:] = 0
            continue
        if state[0] - low <= 1e-9 * abs(low) or state[1] < 1e-6:
            break
        square = 0.0
        for i in range(n):
            reached = 0.0
            for e in range(pfirst[i], pfirst[i + 1]):
                reached += x[psite[e]]
            wanted = 0
            for k in range(len(gain)):
                if weight[i] * gain[k] > u[i]:
                    wanted += 1
            way[i] = reached - wanted + 0.6 * way[i]
            square += way[i] * way[i]
        if square == 0:
            break
        step = state[1] * max(bound - low, 1e-9) / square
        for i in range(n):
            u[i] = min(weight[i] * gain[0], max(0.0, u[i] - step * way[i]))
    return best_pull


@numba.njit(cache=True, nogil=True)
def interchange(cost, extra, p, starts, seed):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return p sites with a low sum of costs (S, D) to the nearest, plus ``extra`` of the sites, by swaps.

    Gains and losses of all swaps of one turn are taken together (Whitaker 1983; Resende, Werneck 2007).
    """
    np.random.seed(seed)
    n_sites, n = cost.shape
    best_value, best = 1e300, np.arange(p)
    for s in range(starts):
        now = best.copy()
        if s == 0 or np.random.random() < 0.3:
            now = np.random.permutation(n_sites)[:p]
        else:
            inside = np.zeros(n_sites, np.bool_)
            inside[now] = True
            for _ in range(max(1, p // 5)):
                j, a = np.random.randint(n_sites), np.random.randint(p)
                if not inside[j]:
                    inside[now[a]] = False
                    inside[j] = True
                    now[a] = j
        nearest, d1, d2 = np.empty(n, np.int64), np.empty(n), np.empty(n)
        out = np.empty(p)
        while True:
            value = 0.0
            loss = np.empty(p)
            for a in range(p):
                loss[a] = -extra[now[a]]
                value += extra[now[a]]
            for i in range(n):
                d1[i], d2[i], nearest[i] = 1e300, 1e300, -1
                for a in range(p):
                    v = cost[now[a], i]
                    if v < d1[i]:
                        d2[i], d1[i], nearest[i] = d1[i], v, a
                    elif v < d2[i]:
                        d2[i] = v
                value += d1[i]
                loss[nearest[i]] += (d2[i] if p > 1 else 1e18) - d1[i]
            open_now = np.zeros(n_sites, np.bool_)
            open_now[now] = True
            step, b, r = -1e-7 * (1.0 + abs(value)), -1, -1
            for j in range(n_sites):
                if open_now[j]:
                    continue
                gain = -extra[j]
                out[:] = 0
                for i in range(n):
                    v = cost[j, i]
                    if v < d1[i]:
                        gain += d1[i] - v
                        out[nearest[i]] += (d2[i] if p > 1 else 1e18) - d1[i]
                    elif p == 1:
                        out[0] += 1e18 - v
                    elif v < d2[i]:
                        out[nearest[i]] += d2[i] - v
                for a in range(p):
                    change = loss[a] - out[a] - gain
                    if change < step:
                        step, b, r = change, j, a
            if b < 0:
                break
            now[r] = b
        if value < best_value - 1e-9 * abs(best_value):
            best_value, best = value, now.copy()
    return best, best_value


@numba.njit(cache=True, nogil=True, fastmath=True)
def _pulled(cost, u):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return what a site saves below the multipliers: sum_i min(0, cost_i - u_i)."""
    total = 0.0
    for i in range(len(u)):
        total += min(0.0, cost[i] - u[i])
    return total


@numba.njit(cache=True, nogil=True)
def dual_median(cost, extra, inside, free, left, high, u, enough, theta, iters):  # type: ignore[no-untyped-def]  # compiled
    """Return a lower bound of the p-median, its multipliers, reduced costs (S,), and how often each site was taken.

    The sites ``inside`` are taken, ``left`` more are to be found among ``free``. Relaxed: every point is served once.
    For multipliers u the bound is sum u + sum over ``inside`` of rho_j + the ``left`` smallest of ``free``, with
    rho_j = extra_j + sum_i min(0, cost_ij - u_i).
    """
    n_sites, n = cost.shape
    u = u.copy()
    best, stalled, turns = -1e300, 0, 0
    best_u, best_rho, rho = u.copy(), np.zeros(n_sites), np.zeros(n_sites)
    often, way = np.zeros(n_sites), np.empty(n)
    of_free = np.empty(len(free))
    for _it in range(iters):
        bound = u.sum()
        for j in inside:
            rho[j] = extra[j] + _pulled(cost[j], u)
            bound += rho[j]
        for a in range(len(free)):
            rho[free[a]] = of_free[a] = extra[free[a]] + _pulled(cost[free[a]], u)
        order = np.argsort(of_free)[:left]
        for a in order:
            bound += of_free[a]
        if bound > best + 1e-9 * abs(best):
            best, stalled = bound, 0
            best_u[:], best_rho[:] = u, rho
        else:
            stalled += 1
        turns += 1
        often *= 0.98
        for a in order:
            often[free[a]] += 0.02
        if stalled > 12:
            theta *= 0.6
            stalled = 0
            u[:] = best_u
            if theta < 1e-5:
                break
        if high - best < enough:
            break
        way[:] = 1.0
        for j in inside:
            for i in range(n):
                if cost[j, i] < u[i]:
                    way[i] -= 1
        for a in order:
            j = free[a]
            for i in range(n):
                if cost[j, i] < u[i]:
                    way[i] -= 1
        square = (way * way).sum()
        if square == 0:
            break
        u += theta * (high + 0.0005 * abs(high) - bound) / square * way
    return best, best_u, best_rho, often / (1 - 0.98**turns)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _nearer(held, cost):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    total = 0.0
    for i in range(len(held)):
        total += min(held[i], cost[i])
    return total


@numba.njit(cache=True, nogil=True)
def best_two(cost, extra, inside, free, left):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the cheapest one or two sites of ``free`` (a < b; a = b where one) beside ``inside``, and the value."""
    n = cost.shape[1]
    held = np.full(n, 1e300)
    paid = 0.0
    for j in inside:
        paid += extra[j]
        for i in range(n):
            held[i] = min(held[i], cost[j, i])
    both = np.empty(n)
    value, one, two = 1e300, -1, -1
    for a in range(len(free)):
        if left == 1:
            v = paid + extra[free[a]] + _nearer(held, cost[free[a]])
            if v < value:
                value, one, two = v, free[a], free[a]
            continue
        for i in range(n):
            both[i] = min(held[i], cost[free[a], i])
        for b in range(a + 1, len(free)):
            v = paid + extra[free[a]] + extra[free[b]] + _nearer(both, cost[free[b]])
            if v < value:
                value, one, two = v, free[a], free[b]
    return value, one, two


@numba.njit(cache=True, nogil=True)
def _shifted(sfirst, spoint, pfirst, psite, need, heavy, count, add, drop, j, step):  # type: ignore[no-untyped-def]  # compiled
    """Put a unit at site j (step 1) or take one away (-1), and keep what adding and dropping at each site weighs."""
    for e in range(sfirst[j], sfirst[j + 1]):
        i = spoint[e]
        was = count[i]
        count[i] = was + step
        if step == 1 and was == need[i] - 1:  # met now: nothing to add, still something to lose
            for f in range(pfirst[i], pfirst[i + 1]):
                add[psite[f]] -= heavy[i]
        elif step == 1 and was == need[i]:
            for f in range(pfirst[i], pfirst[i + 1]):
                drop[psite[f]] -= heavy[i]
        elif step == -1 and was == need[i]:
            for f in range(pfirst[i], pfirst[i + 1]):
                add[psite[f]] += heavy[i]
        elif step == -1 and was == need[i] + 1:
            for f in range(pfirst[i], pfirst[i + 1]):
                drop[psite[f]] += heavy[i]


@numba.njit(cache=True, nogil=True)
def cheapest_cover(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    sfirst, spoint, pfirst, psite, need, weight, group, budget, cost, cap, units, enough, steps, seed
):
    """Return units (S,) at a low cost that leave no group more weight short than its budget, and that cost.

    Row i is met by ``need[i]`` units in reach. ``units`` must be such a cover; the search takes units away and mends
    what is short, and what is short for long weighs more (Gao, Weise, Li 2014, "weighting-based local search").
    """
    np.random.seed(seed)
    n, n_sites = len(need), len(cost)
    now, best = units.copy(), units.copy()
    count = np.zeros(n, np.int64)
    scale = weight.sum() / max(n, 1)
    heavy = weight / (scale if scale > 0 else 1.0) + 1e-3
    grow = heavy.copy()
    add, drop, stamp = np.zeros(n_sites), np.zeros(n_sites), np.zeros(n_sites, np.int64)
    for i in range(n):
        for f in range(pfirst[i], pfirst[i + 1]):
            count[i] += now[psite[f]]
    short = np.zeros(len(budget))
    for i in range(n):
        if count[i] < need[i]:
            short[group[i]] += weight[i]
        for f in range(pfirst[i], pfirst[i + 1]):
            if count[i] < need[i]:
                add[psite[f]] += heavy[i]
            if count[i] <= need[i]:
                drop[psite[f]] += heavy[i]
    total = (now * cost).sum()
    best_cost = total
    last_in = -1
    for t in range(1, steps + 1):
        if best_cost <= enough + 1e-9:
            break
        for turn in range(n_sites * cap + 2):
            fits = True
            for r in range(len(budget)):
                if short[r] > budget[r]:
                    fits = False
            if fits and total < best_cost - 1e-9:
                best_cost = total
                best[:] = now
            if not fits and turn > 0 and total < best_cost - 1e-9:
                break
            out, least = -1, 1e300
            for j in range(n_sites):
                if now[j] > 0 and (fits or j != last_in):
                    v = drop[j] / cost[j]
                    if v < least or (v == least and stamp[j] < stamp[out]):
                        out, least = j, v
            if out < 0:
                break
            for e in range(sfirst[out], sfirst[out + 1]):
                if count[spoint[e]] == need[spoint[e]]:
                    short[group[spoint[e]]] += weight[spoint[e]]
            _shifted(sfirst, spoint, pfirst, psite, need, heavy, count, add, drop, out, -1)
            now[out] -= 1
            total -= cost[out]
            stamp[out] = t
            if not fits and total < best_cost - 1e-9:
                break
        for _mend in range(n_sites):
            i, seen = -1, 0
            for q in range(n):
                if count[q] < need[q] and short[group[q]] > budget[group[q]]:
                    seen += 1
                    if np.random.randint(seen) == 0:
                        i = q
            if i < 0:
                break
            into, most_add = -1, -1.0
            for f in range(pfirst[i], pfirst[i + 1]):
                j = psite[f]
                if now[j] < cap and stamp[j] < t and total + cost[j] < best_cost - 1e-9:
                    v = add[j] / cost[j]
                    if v > most_add or (v == most_add and stamp[j] < stamp[into]):
                        into, most_add = j, v
            if into < 0:
                break
            for e in range(sfirst[into], sfirst[into + 1]):
                if count[spoint[e]] == need[spoint[e]] - 1:
                    short[group[spoint[e]]] -= weight[spoint[e]]
            _shifted(sfirst, spoint, pfirst, psite, need, heavy, count, add, drop, into, 1)
            now[into] += 1
            total += cost[into]
            stamp[into] = t
            last_in = into
        for i in range(n):
            if count[i] < need[i] and short[group[i]] > budget[group[i]]:
                heavy[i] += grow[i]
                for f in range(pfirst[i], pfirst[i + 1]):
                    add[psite[f]] += grow[i]
                    drop[psite[f]] += grow[i]
    return best, best_cost
