"""Sums over a cover, compiled, so that the simulator and live dispatch weigh a unit by the same code.

A cover is held by site: ``first``, ``row`` (which rows of demand the site reaches in time). ``chance[k]`` is the
probability that the k-th unit in reach of a row is the first free one; ``chance[0]`` is 0. ``count`` (R,) tells how
many idle units reach each row; it must stay below ``len(chance) - 1``.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def shift(first, row, count, site, by):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Add ``by`` idle units at a site."""
    for e in range(first[site], first[site + 1]):
        count[row[e]] += by


@numba.njit(cache=True, nogil=True)
def loss(first, row, weight, chance, count, site):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return what goes when one of the idle units at a site goes."""
    total = 0.0
    for e in range(first[site], first[site + 1]):
        total += weight[row[e]] * chance[count[row[e]]]
    return total


@numba.njit(cache=True, nogil=True)
def counted(first, row, sites, count):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Add an idle unit at each of the sites."""
    for site in sites:
        for e in range(first[site], first[site + 1]):
            count[row[e]] += 1


@numba.njit(cache=True, nogil=True)
def losses(first, row, weight, chance, count, sites):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return for each of the sites what goes when one of the idle units there goes."""
    made = np.empty(len(sites))
    for k in range(len(sites)):
        made[k] = loss(first, row, weight, chance, count, sites[k])
    return made


@numba.njit(cache=True, nogil=True)
def gain(first, row, weight, chance, count, site):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return what one more idle unit at a site adds."""
    total = 0.0
    for e in range(first[site], first[site + 1]):
        total += weight[row[e]] * chance[count[row[e]] + 1]
    return total


@numba.njit(cache=True, nogil=True)
def best_site(first, row, weight, chance, count, travel_s, longest_s):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the site within ``longest_s`` where one more idle unit adds most, the nearest of equals; -1 if none is."""
    best, most, near = -1, -1.0, np.inf
    for j in range(len(first) - 1):
        if travel_s[j] > longest_s:
            continue
        worth = gain(first, row, weight, chance, count, j)
        slight = 1e-12 * max(1.0, most)
        if worth > most + slight or (worth > most - slight and travel_s[j] < near):
            best, most, near = j, max(worth, most), travel_s[j]
    return best


@numba.njit(cache=True, nogil=True)
def best_unit(arrive_s, loss_of, within_s):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return of the units that come within the promise the one whose loss is least (the nearest of equals).

    Where none does, the one that comes first. Units that cannot be sent have an infinite arrival; -1 if all have.
    """
    best, least, near = -1, np.inf, np.inf
    for u in range(len(arrive_s)):
        if arrive_s[u] > within_s:
            continue
        slight = 1e-12 * max(1.0, abs(loss_of[u]))
        if loss_of[u] < least - slight or (loss_of[u] <= least + slight and arrive_s[u] < near):
            best, least, near = u, min(loss_of[u], least), arrive_s[u]
    if best >= 0:
        return best
    for u in range(len(arrive_s)):
        if arrive_s[u] < near:
            best, near = u, arrive_s[u]
    return best
