"""Compiled: what a member's row of a rota costs and breaks, and the search that swaps cells until nothing is broken."""

from __future__ import annotations

import numba as nb
import numpy as np

OFF = -1


@nb.njit(cache=True, nogil=True)
def row_cost(row, cell_cost, band, law, turns, too_soon, short, week_of, rest_day):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return what a row breaks (in hours or shifts too many) and what it costs.

    Parameters
    ----------
    row : int16 (P + D)
        Turn of each day, the P days before the plan first; ``OFF`` where none begins.
    band : int64 (11)
        low, high, price of nights, weekends and minutes; contract, price of overtime.
    cell_cost : int64 (D, K + 1)
        What each turn costs more on each day, ``OFF`` first.
    law : int64 (5)
        P, most minutes a week and in all, most nights in a row, whether a weekly rest is due.
    turns : int64 (K, 3)
        Minutes, whether it is a night, cost.
    too_soon : bool (R, K, K); short : bool (2, 2, K, K)
        Whether b, so many days after a, breaks the rest; whether the stretch from a to b is too short for a weekly one.
    """
    past, most_week, most_all, most_nights = law[0], law[1], law[2], law[3]
    n, reach = len(row), too_soon.shape[0]
    broken, cost, minutes, nights, weekends, in_a_row = 0, 0, 0, 0, 0, 0
    week, this_week = -1, 0
    last_rest = -1
    for d in range(n):
        k = row[d]
        if k < 0:
            in_a_row = 0
            if law[4]:
                fine = True
                for i in range(2):
                    a = row[d - 1 - i] if d - 1 - i >= 0 else OFF
                    if a >= 0:
                        for j in range(2):
                            b = row[d + 1 + j] if d + 1 + j < n else OFF
                            if b >= 0 and short[i, j, a, b]:
                                fine = False
                if fine:
                    last_rest = d
        else:
            for later in range(reach):
                if d + 1 + later >= n:
                    break
                b = row[d + 1 + later]
                if b >= 0 and d + 1 + later >= past and too_soon[later, k, b]:
                    broken += 1
            in_a_row = in_a_row + 1 if turns[k, 1] else 0
            if in_a_row > most_nights and d >= past:
                broken += 1
            if d >= past:
                cost += turns[k, 2]
                minutes += turns[k, 0]
                nights += turns[k, 1]
                weekends += rest_day[d - past]
        if d >= past:
            cost += cell_cost[d - past, k + 1]
            if week_of[d - past] != week:
                week, this_week = week_of[d - past], 0
            if k >= 0:
                before = max(0, this_week - most_week)
                this_week += turns[k, 0]
                broken += (max(0, this_week - most_week) - before + 59) // 60
        if law[4] and d - last_rest >= 7 and d >= past:
            broken += 1
    broken += (max(0, minutes - most_all) + 59) // 60
    for i, value in enumerate((nights, weekends, minutes)):
        cost += band[3 * i + 2] * (max(0, band[3 * i] - value) + max(0, value - band[3 * i + 1]))
    cost += band[10] * max(0, minutes - band[9])
    return broken, cost


@nb.njit(cache=True, nogil=True)
def covered(count, least, exact):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return by how many heads a cover is missed."""
    if count < least:
        return least - count
    return count - least if exact else 0


@nb.njit(cache=True, nogil=True)
def put(rows, m, d, k, past, first, which, counts_for, counts, least, exact):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Set a cell and return by how much what is missed of the covers grows."""
    grown = 0
    for half in range(2):
        turn = np.int64(k) if half else np.int64(rows[m, past + d])
        step = 1 if half else -1
        if turn >= 0:
            for at in range(first[d, turn], first[d, turn + 1]):
                c = which[at]
                if counts_for[c, m]:
                    grown -= covered(counts[c], least[c], exact[c])
                    counts[c] += step
                    grown += covered(counts[c], least[c], exact[c])
    rows[m, past + d] = k
    return grown


@nb.njit(cache=True, nogil=True)
def search(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    rows,
    may,
    cell_cost,
    bands,
    law,
    turns,
    too_soon,
    short,
    week_of,
    rest_day,
    first,
    which,
    counts_for,
    least,
    exact,
    prices,
    hot,
    cold,
    n_moves,
    seed,
):
    """Swap cells of two members, or set one, for so many moves, ever more strictly; keep what breaks least.

    ``prices`` are those of a broken rule and of a head that is missing.
    Returns the best rows, what they break and cost.
    """
    np.random.seed(seed)
    n_members, past = len(rows), law[0]
    n_days = rows.shape[1] - past
    counts = np.zeros(len(least), np.int64)
    for m in range(n_members):
        for d in range(-past, n_days):
            k = rows[m, past + d]
            if k >= 0 and d >= 0:
                for at in range(first[d, k], first[d, k + 1]):
                    counts[which[at]] += counts_for[which[at], m]
    missed = 0
    for c in range(len(least)):
        missed += covered(counts[c], least[c], exact[c])
    broken, cost = np.zeros(n_members, np.int64), np.zeros(n_members, np.int64)
    for m in range(n_members):
        broken[m], cost[m] = row_cost(rows[m], cell_cost[m], bands[m], law, turns, too_soon, short, week_of, rest_day)
    now_broken, now_cost = broken.sum(), cost.sum()
    best, best_broken, best_cost = rows.copy(), now_broken + missed, now_cost
    n_turns = len(turns)
    old = np.zeros((2, n_days), np.int16)
    cooling = (cold / hot) ** (1.0 / max(1, n_moves // 64))
    heat = hot
    for move in range(n_moves):
        if move % 64 == 63:
            heat *= cooling
        a, b = np.random.randint(n_members), np.random.randint(n_members)
        d = np.random.randint(n_days)
        kind = np.random.random()
        begin, end, both = d, d + 1, True
        if kind < 0.12:
            both = False
            k = np.random.randint(-1, n_turns)
            if k == rows[a, past + d] or (k >= 0 and not may[a, d, k]):
                continue
        elif kind < 0.45:
            end = min(n_days, d + 1 + np.random.randint(1, 5))
        if both:
            if a == b:
                continue
            same, fit = True, True
            for t in range(begin, end):
                x, y = rows[a, past + t], rows[b, past + t]
                same = same and x == y
                if (y >= 0 and not may[a, t, y]) or (x >= 0 and not may[b, t, x]):
                    fit = False
                    break
            if same or not fit:
                continue
        grown = 0
        for t in range(begin, end):
            x, y = rows[a, past + t], rows[b, past + t]
            old[0, t], old[1, t] = x, y
            if both:
                if x != y:
                    grown += put(rows, a, t, y, past, first, which, counts_for, counts, least, exact)
                    grown += put(rows, b, t, x, past, first, which, counts_for, counts, least, exact)
            else:
                grown += put(rows, a, t, k, past, first, which, counts_for, counts, least, exact)
        broken_a, cost_a = row_cost(rows[a], cell_cost[a], bands[a], law, turns, too_soon, short, week_of, rest_day)
        broken_b, cost_b = broken[b], cost[b]
        if both:
            broken_b, cost_b = row_cost(rows[b], cell_cost[b], bands[b], law, turns, too_soon, short, week_of, rest_day)
        more_broken = broken_a - broken[a] + (broken_b - broken[b] if both else 0)
        more_cost = cost_a - cost[a] + (cost_b - cost[b] if both else 0)
        worse = more_cost + prices[0] * more_broken + prices[1] * grown
        if worse <= 0 or np.random.random() < np.exp(-worse / heat):
            broken[a], cost[a] = broken_a, cost_a
            if both:
                broken[b], cost[b] = broken_b, cost_b
            now_broken += more_broken
            now_cost += more_cost
            missed += grown
            wrong = now_broken + missed
            if wrong < best_broken or (wrong == best_broken and now_cost < best_cost):
                best[:], best_broken, best_cost = rows, wrong, now_cost
        else:
            for t in range(begin, end):
                put(rows, a, t, old[0, t], past, first, which, counts_for, counts, least, exact)
                if both:
                    put(rows, b, t, old[1, t], past, first, which, counts_for, counts, least, exact)
    return best, best_broken, best_cost
