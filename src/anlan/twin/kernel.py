"""One step of every walker, compiled. Walkers are anonymous: slots of arrays, used again when somebody has left.

The compiled functions take named tuples of arrays (laid out in :mod:`anlan.twin.walkers`): ``w`` the walkers, ``live``
what changes in a step (loads, tallies, random numbers), ``net`` the network, ``pull`` what draws people just now.
"""
# ruff: noqa: ANN001, ANN202, C901, PLR0912, PLR0913, PLR0915 - numba infers types, and compiles one function faster than ten
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False, disallow-untyped-decorators=False

from __future__ import annotations

import numba
import numpy as np

FREE, WALKING, IN_PLACE, LEAVING, STANDING, INDOORS = range(6)
"""What a walker is doing. STANDING is on a street, LEAVING on the way to a door inside a place."""

STROLL_M_PER_S = 0.6
JAM_PER_M2 = 5.4
"""Nobody moves any more (Weidmann 1993)."""
FULL_PER_M2 = 6.0
"""Nobody steps on ground that is fuller than this."""
SHUT_PER_M2 = 4.5
"""A place as a whole that is fuller than this is waited for outside."""
CAPACITY_PER_M_S = 1.22
"""Most people that pass a metre of width in a second (Weidmann 1993)."""
NEAR_M = 300.0
"""Who walks to a spot on the street may stop this much before it."""
HOLD_S = 5400.0
"""The nearer a countdown, by this scale, the likelier it is waited for."""


@numba.njit(cache=True)
def _random(live):
    # SplitMix64 (Steele, Lea, Flood 2014): one state per district, so that two of them do not disturb each other
    z = live.rng[0] + np.uint64(0x9E3779B97F4A7C15)
    live.rng[0] = z
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float64((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@numba.njit(cache=True)
def _normal(live):
    return np.sqrt(-2.0 * np.log(1.0 - _random(live))) * np.cos(2.0 * np.pi * _random(live))


@numba.njit(cache=True)
def _pick(live, cumulative):
    return min(np.searchsorted(cumulative, _random(live) * cumulative[-1]), len(cumulative) - 1)


@numba.njit(cache=True)
def slowed(density):
    """Return walking speed at a density (1/m²) as a share of the free one (Weidmann 1993); a jam creeps."""
    if density < 0.2:
        return 1.0
    return max(1.0 - np.exp(-1.913 * (1.0 / density - 1.0 / JAM_PER_M2)), 0.03)


@numba.njit(cache=True)
def _square_at(net, place, x, y):
    size = net.size[place]
    column = int(np.floor((x - net.west[place]) / size))
    row = int(np.floor((y - net.south[place]) / size))
    if column < 0 or row < 0 or column >= net.columns[place] or row >= net.rows[place]:
        return -1
    return net.at[net.at_begin[place] + row * net.columns[place] + column]


@numba.njit(cache=True)
def _on_street(w, i, net):
    edge = w.edge[i]
    a, b = net.tail[edge], net.head[edge]
    length = net.length[edge]
    along = w.pos[i] if w.forth[i] else length - w.pos[i]
    along = min(max(along, net.begin[edge]), net.end[edge]) / length
    dx, dy = net.x[b] - net.x[a], net.y[b] - net.y[a]
    off = w.side[i] * net.spread[edge] / length
    return net.x[a] + along * dx - dy * off, net.y[a] + along * dy + dx * off


@numba.njit(cache=True)
def _decide(w, i, node, live, net, pull):
    """Give walker i its next destination from a node."""
    if pull.going_home > 0.0 and _random(live) < pull.going_home:
        w.stops[i] = 0
    w.hidden[i] = 0
    if w.stops[i] > 0:
        w.stops[i] -= 1
        u = _random(live)
        if pull.places[-1] <= 0.0:
            u *= pull.streets + pull.buildings
        if u < pull.streets + pull.buildings:
            w.hidden[i] = u >= pull.streets
            w.dest[i] = net.first_spot + _pick(live, net.spots)
        else:
            w.dest[i] = _pick(live, pull.places)
        return
    best = np.inf
    for _ in range(3):  # people leave by a near gateway, though not always the nearest
        gateway = net.first_gateway + _pick(live, pull.gateways)
        if net.reach[gateway, node] < best:
            best = net.reach[gateway, node]
            w.dest[i] = gateway


@numba.njit(cache=True)
def _take(w, i, edge, node, live, net):
    w.edge[i] = edge
    w.pos[i] = 0.0
    w.forth[i] = net.tail[edge] == node
    w.goal[i] = -1.0
    if w.dest[i] >= net.first_spot and net.reach[w.dest[i], node] < NEAR_M and _random(live) < 0.25:
        w.goal[i] = _random(live) * net.length[edge]
    live.load[edge] += 1.0


@numba.njit(cache=True)
def _set_out(w, i, node, pressing, live, net, pull):
    """Send walker i from a node to its next destination. False: the street there is full, and it stays."""
    for _ in range(4):
        _decide(w, i, node, live, net, pull)
        dest = w.dest[i]
        edge = net.next_edge[dest, node]
        if edge < 0:
            if net.first_gateway <= dest < net.first_spot:
                break
            continue
        if not pressing and (live.budget[edge] < 1.0 or live.load[edge] >= net.room[edge]):
            w.stops[i] += dest < net.first_gateway or dest >= net.first_spot
            return False
        live.budget[edge] -= 1.0
        w.state[i] = WALKING
        _take(w, i, edge, node, live, net)
        return True
    w.state[i] = FREE
    live.left[0] += 1
    return True


@numba.njit(cache=True)
def _cross_street(w, i, begin, end, live, net):
    edge = w.edge[i]
    for k in range(net.line_begin[edge], net.line_begin[edge + 1]):
        at = net.line_at[k] if w.forth[i] else net.length[edge] - net.line_at[k]
        if begin < at <= end:
            live.passed[net.line_device[k], 0 if net.line_in[k] == w.forth[i] else 1] += 1


@numba.njit(cache=True)
def _move_to(w, i, x, y, square, live, net):
    """Move walker i over the ground of its place, over any counting line on it."""
    place = w.place[i]
    for k in range(net.across_begin[place], net.across_begin[place + 1]):
        ax, ay, bx, by = net.across[k]
        d0 = (bx - ax) * (w.y[i] - ay) - (by - ay) * (w.x[i] - ax)
        d1 = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if (d0 > 0) == (d1 > 0):
            continue
        e0 = (x - w.x[i]) * (ay - w.y[i]) - (y - w.y[i]) * (ax - w.x[i])
        e1 = (x - w.x[i]) * (by - w.y[i]) - (y - w.y[i]) * (bx - w.x[i])
        if (e0 > 0) != (e1 > 0):
            live.passed[net.across_device[k], 0 if d0 > 0 else 1] += 1  # from the left to the right is in
    live.people[w.square[i]] -= 1.0
    live.people[square] += 1.0
    w.x[i], w.y[i], w.square[i] = x, y, square


@numba.njit(cache=True)
def _aim(w, i, live, net, pull):
    """Choose where to stroll: somewhere near that is liked and not crowded."""
    place = w.place[i]
    first, n = net.first_square[place], net.first_square[place + 1] - net.first_square[place]
    size, best = net.size[place], -1.0
    for _ in range(5):
        square = first + int(_random(live) * n)
        x = net.square_x[square] + size * (0.02 + 0.96 * _random(live))
        y = net.square_y[square] + size * (0.02 + 0.96 * _random(live))
        away = abs(x - w.x[i]) + abs(y - w.y[i])
        density = live.people[square] / net.square_m2[place]
        score = pull.liked[square] * np.exp(-0.6 * density - away / 150.0) * (0.2 + _random(live))
        if score > best:
            best = score
            w.tx[i], w.ty[i] = x, y


@numba.njit(cache=True)
def _enter_place(w, i, t, door, live, net, pull):
    place, square = net.door_place[door], net.door_square[door]
    live.door_budget[door] -= 1.0
    live.gates[door, 0] += 1
    live.inside[place] += 1
    live.load[w.edge[i]] -= 1.0
    live.people[square] += 1.0
    size = net.size[place]
    w.state[i], w.place[i], w.square[i] = IN_PLACE, place, square
    w.x[i] = net.square_x[square] + size * (0.02 + 0.96 * _random(live))
    w.y[i] = net.square_y[square] + size * (0.02 + 0.96 * _random(live))
    w.rest[i] = 0.0
    w.until[i] = t + pull.stay_s[place] * np.exp(0.6 * _normal(live))
    until_show = pull.hold_s[place] - t
    if until_show > 0.0 and (
        _random(live) < np.exp(-until_show / HOLD_S) or w.until[i] > pull.hold_s[place] - 1200.0
    ):
        w.until[i] = pull.hold_s[place] + 2400.0 * _random(live)
    _aim(w, i, live, net, pull)


@numba.njit(cache=True)
def _arrive(w, i, node, t, live, net, pull):
    dest = w.dest[i]
    if net.first_gateway <= dest < net.first_spot:
        w.state[i] = FREE
        live.left[0] += 1
        live.load[w.edge[i]] -= 1.0
        return
    if dest >= net.first_spot:
        _stop(w, i, t, live, pull)
        return
    if live.inside[dest] > SHUT_PER_M2 * net.place_m2[dest]:
        w.state[i] = STANDING  # they wait outside, and then think again
        w.until[i] = t + 120.0 + 240.0 * _random(live)
        w.stops[i] += 1
        return
    for door in range(net.door_begin[dest], net.door_begin[dest + 1]):
        if net.door_node[door] == node:
            density = live.people[net.door_square[door]] / net.square_m2[dest]
            if live.door_budget[door] >= 1.0 and density < FULL_PER_M2:
                _enter_place(w, i, t, door, live, net, pull)
                return


@numba.njit(cache=True)
def _stop(w, i, t, live, pull):
    if w.hidden[i]:
        w.state[i] = INDOORS
        w.x[i], w.y[i] = 15.0 * _normal(live), 15.0 * _normal(live)
        w.until[i] = t + pull.indoors_s * np.exp(0.8 * _normal(live))
        live.load[w.edge[i]] -= 1.0
    else:
        w.state[i] = STANDING
        w.until[i] = t + 420.0 * np.exp(0.6 * _normal(live))


@numba.njit(cache=True)
def _walk(w, i, t, dt, live, net, pull):
    left = dt
    factor = -1.0
    edge = w.edge[i]
    if net.edge_place[edge] >= 0:
        x, y = _on_street(w, i, net)
        square = _square_at(net, net.edge_place[edge], x, y)
        if square >= 0:
            factor = slowed(live.people[square] / net.square_m2[net.edge_place[edge]])
    for _ in range(200):
        edge = w.edge[i]
        speed = w.speed[i] * (live.slow[edge] if factor < 0.0 else min(factor, live.slow[edge]))
        factor = -1.0
        begin = w.pos[i]
        stop = net.length[edge] if w.goal[i] < 0.0 else w.goal[i]
        if speed * left < stop - begin:
            w.pos[i] = begin + speed * left
            _cross_street(w, i, begin, w.pos[i], live, net)
            return
        w.pos[i] = stop
        _cross_street(w, i, begin, w.pos[i], live, net)
        if w.goal[i] >= 0.0:
            _stop(w, i, t, live, pull)
            return
        left -= (stop - begin) / speed
        node = net.head[edge] if w.forth[i] else net.tail[edge]
        following = net.next_edge[w.dest[i], node]
        if following < 0:
            _arrive(w, i, node, t, live, net, pull)
            return
        full = live.load[following] >= net.room[following] and _random(live) > 0.05
        if following != edge and (live.budget[following] < 1.0 or full):
            return  # wait at the corner
        live.budget[following] -= 1.0
        live.load[edge] -= 1.0
        _take(w, i, following, node, live, net)


@numba.njit(cache=True)
def _stroll(w, i, t, dt, live, net, pull):
    place = w.place[i]
    if t >= w.until[i]:
        best = np.inf  # time to go: by the nearest door, mostly
        for k in range(net.door_begin[place], net.door_begin[place + 1]):
            square = net.door_square[k]
            away = np.hypot(net.square_x[square] - w.x[i], net.square_y[square] - w.y[i])
            away *= 0.6 + 0.8 * _random(live)
            if away < best:
                best, w.door[i] = away, k
        w.state[i] = LEAVING
        return
    if t < w.rest[i]:
        return
    here = live.people[w.square[i]] / net.square_m2[place]
    reach = STROLL_M_PER_S * slowed(here) * dt
    dx, dy = w.tx[i] - w.x[i], w.ty[i] - w.y[i]
    far = np.hypot(dx, dy)
    x, y = w.tx[i], w.ty[i]
    if far > reach:
        x, y = w.x[i] + dx / far * reach, w.y[i] + dy / far * reach
    else:
        w.rest[i] = t + 240.0 * _random(live)
    square = _square_at(net, place, x, y)
    if square >= 0:
        there = live.people[square] / net.square_m2[place]
        if square == w.square[i] or there < FULL_PER_M2 or there < here:
            _move_to(w, i, x, y, square, live, net)
            if far > reach:
                return
    _aim(w, i, live, net, pull)


@numba.njit(cache=True)
def _leave(w, i, dt, live, net, pull):
    """Go on towards the door, square by square, and out."""
    place, door = w.place[i], w.door[i]
    first, size = net.first_square[place], net.size[place]
    density = live.people[w.square[i]] / net.square_m2[place]
    left = w.speed[i] * slowed(density) * dt
    for _ in range(400):
        onward = net.onward[net.onward_begin[door] + w.square[i] - first] + first
        if onward == w.square[i]:
            if live.door_budget[door] < 1.0 or not _set_out(w, i, net.door_node[door], False, live, net, pull):
                return
            live.door_budget[door] -= 1.0
            live.gates[door, 1] += 1
            live.inside[place] -= 1
            live.people[onward] -= 1.0
            return
        x = net.square_x[onward] + size * (0.02 + 0.96 * _random(live))
        y = net.square_y[onward] + size * (0.02 + 0.96 * _random(live))
        far = np.hypot(x - w.x[i], y - w.y[i])
        if far > left and _random(live) * far > left:
            return  # a whole square or nothing, so that the speed is right on average
        there = live.people[onward] / net.square_m2[place]
        if there > FULL_PER_M2 and there > density and _random(live) < 0.7:
            return
        left -= far
        _move_to(w, i, x, y, onward, live, net)
        if left <= 0.0:
            return


@numba.njit(cache=True)
def step(w, live, net, pull, t, dt):
    """Move every walker by dt seconds to time t (seconds since the district began)."""
    live.load[:] = 0.0
    live.people[:] = 0.0
    n = len(w.state)
    for i in range(n):
        state = w.state[i]
        if state == WALKING or state == STANDING:
            edge = w.edge[i]
            live.load[edge] += 1.0
            place = net.edge_place[edge]
            if place >= 0:
                x, y = _on_street(w, i, net)
                square = _square_at(net, place, x, y)
                if square >= 0:
                    live.people[square] += 1.0
        elif state == IN_PLACE or state == LEAVING:
            live.people[w.square[i]] += 1.0
    for e in range(len(live.load)):
        live.slow[e] = slowed(live.load[e] / net.edge_m2[e])
        live.budget[e] = CAPACITY_PER_M_S * net.width[e] * dt
    for k in range(len(live.door_budget)):
        live.door_budget[k] = CAPACITY_PER_M_S * net.door_width[k] * dt
    live.turn[0] += 1
    for j in range(n):
        i = j if live.turn[0] % 2 else n - 1 - j  # nobody is always first in the queue
        state = w.state[i]
        if state == WALKING:
            _walk(w, i, t, dt, live, net, pull)
        elif state == IN_PLACE:
            _stroll(w, i, t, dt, live, net, pull)
        elif state == LEAVING:
            _leave(w, i, dt, live, net, pull)
        elif (state == STANDING or state == INDOORS) and t >= w.until[i]:
            edge = w.edge[i]
            if state == INDOORS:
                live.load[edge] += 1.0
            _decide(w, i, net.head[edge] if w.forth[i] else net.tail[edge], live, net, pull)
            w.state[i], w.goal[i] = WALKING, -1.0


@numba.njit(cache=True)
def enter(w, slots, gateways, stops, live, net, pull):
    """Let people in at gateways (their numbers), into free slots."""
    for k in range(len(slots)):
        i = slots[k]
        w.stops[i] = stops[k]
        w.speed[i] = max(0.6, 1.34 + 0.26 * _normal(live))  # Weidmann 1993
        w.side[i] = _random(live) - 0.5
        _set_out(w, i, net.gateway_node[gateways[k]], True, live, net, pull)


@numba.njit(cache=True)
def positions(w, net, x, y, public):
    """Write where everybody is; ``public`` tells who is in public space. Return how many are present at all."""
    k = 0
    for i in range(len(w.state)):
        state = w.state[i]
        if state == FREE:
            continue
        if state == IN_PLACE or state == LEAVING:
            x[k], y[k] = w.x[i], w.y[i]
        else:
            x[k], y[k] = _on_street(w, i, net)
            if state == INDOORS:
                x[k] += w.x[i]
                y[k] += w.y[i]
        public[k] = state != INDOORS
        k += 1
    return k
