"""Bounded shortest times from many origins, compiled.

Times are whole deciseconds, so the queue is a row of buckets (Dial 1969): to take the nearest open vertex and to move
one nearer cost a few instructions, where a heap pays its depth. What was reached is written as it is settled; an origin
costs what lies within the limit, however large the graph is.
"""

from __future__ import annotations

import numba
import numpy as np

FAR = np.int32(2**31 - 1)


@numba.njit(cache=True, nogil=True)
def _grown(old, used):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    wider = np.empty((2 * len(old), 2), np.int32)
    wider[:used] = old[:used]
    return wider


@numba.njit(cache=True, nogil=True)
def reach(first, arcs, begins, offset, limit, room):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return what each origin reaches: ``begin`` (K+1,) and rows (node, time) in the order of time.

    ``first`` (N+1,) and ``arcs`` (M, 2: head, weight >= 1) are the graph; ``begins`` (K,) the origins' nodes,
    ``offset`` (K,) the time at which each starts; ``room`` how many rows are expected.
    """
    n = len(first) - 1
    time = np.full(n, FAR, np.int32)
    bucket = np.full(limit + 1, -1, np.int32)
    entry = np.empty((len(arcs) + 1, 2), np.int32)
    found = np.empty((max(room, 16), 2), np.int32)
    begin = np.zeros(len(begins) + 1, np.int64)
    used = 0
    for k in range(len(begins)):
        start = used
        if offset[k] <= limit:
            time[begins[k]] = offset[k]
            entry[0, 0], entry[0, 1] = begins[k], -1
            bucket[offset[k]] = 0
            n_entries, n_open, now = 1, 1, np.int64(offset[k])
            while n_open > 0:
                while bucket[now] < 0:
                    now += 1
                e = bucket[now]
                bucket[now] = -1
                while e >= 0:
                    node, e = entry[e, 0], entry[e, 1]
                    n_open -= 1
                    if time[node] != now:
                        continue
                    if used == len(found):
                        found = _grown(found, used)
                    found[used, 0], found[used, 1] = node, now
                    used += 1
                    for a in range(first[node], first[node + 1]):
                        head, then = arcs[a, 0], now + arcs[a, 1]
                        if then < time[head] and then <= limit:
                            time[head] = then
                            entry[n_entries, 0], entry[n_entries, 1] = head, bucket[then]
                            bucket[then] = n_entries
                            n_entries += 1
                            n_open += 1
                now += 1
            for r in range(start, used):
                time[found[r, 0]] = FAR
        begin[k + 1] = used
    return begin, found[:used].copy()


@numba.njit(cache=True, nogil=True)
def reach_turning(first, arcs, out_first, out_arc, into, begins, offset, limit, room):  # type: ignore[no-untyped-def]  # compiled
    """Return the same where turns cost: the vertices are the arcs of the streets, settled when their head is reached.

    ``first``, ``arcs`` hold the turns: from an arc to the next one, with the turn and the next arc together as weight.
    ``out_first``, ``out_arc`` (pairs: arc, weight) are the arcs that leave a node, ``into`` (M,) the node at an arc's
    head. A node's time is that of the first arc that comes in.
    """
    n_nodes = len(out_first) - 1
    time = np.full(len(into), FAR, np.int32)
    seen = np.zeros(n_nodes, np.bool_)
    bucket = np.full(limit + 1, -1, np.int32)
    entry = np.empty((len(arcs) + len(into) + 1, 2), np.int32)
    touched = np.empty(len(into), np.int32)
    found = np.empty((max(room, 16), 2), np.int32)
    begin = np.zeros(len(begins) + 1, np.int64)
    used = 0
    for k in range(len(begins)):
        start, n_touched, n_entries, n_open, now = used, 0, 0, 0, np.int64(offset[k])
        if now <= limit:
            if used == len(found):
                found = _grown(found, used)
            found[used, 0], found[used, 1] = begins[k], now
            seen[begins[k]] = True
            used += 1
            for a in range(out_first[begins[k]], out_first[begins[k] + 1]):
                arc, then = out_arc[a, 0], now + out_arc[a, 1]
                if then <= limit and then < time[arc]:
                    time[arc] = then
                    touched[n_touched] = arc
                    n_touched += 1
                    entry[n_entries, 0], entry[n_entries, 1] = arc, bucket[then]
                    bucket[then] = n_entries
                    n_entries += 1
                    n_open += 1
        while n_open > 0:
            while bucket[now] < 0:
                now += 1
            e = bucket[now]
            bucket[now] = -1
            while e >= 0:
                arc, e = entry[e, 0], entry[e, 1]
                n_open -= 1
                if time[arc] != now:
                    continue
                node = into[arc]
                if not seen[node]:
                    seen[node] = True
                    if used == len(found):
                        found = _grown(found, used)
                    found[used, 0], found[used, 1] = node, now
                    used += 1
                for a in range(first[arc], first[arc + 1]):
                    head, then = arcs[a, 0], now + arcs[a, 1]
                    if then < time[head] and then <= limit:
                        if time[head] == FAR:
                            touched[n_touched] = head
                            n_touched += 1
                        time[head] = then
                        entry[n_entries, 0], entry[n_entries, 1] = head, bucket[then]
                        bucket[then] = n_entries
                        n_entries += 1
                        n_open += 1
            now += 1
        for r in range(n_touched):
            time[touched[r]] = FAR
        for r in range(start, used):
            seen[found[r, 0]] = False
        begin[k + 1] = used
    return begin, found[:used].copy()
