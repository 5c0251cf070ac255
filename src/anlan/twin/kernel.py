"""One step of every walker, compiled. Walkers are anonymous: slots of arrays, used again when somebody has left."""

from __future__ import annotations

import numba
import numpy as np

FREE, WALKING, IN_PLACE, LEAVING, STANDING, INDOORS = range(6)
"""What a walker is doing. STANDING is on a street, LEAVING on the way to a door inside a place."""

STROLL = 0.5
"""Speed inside a place, m/s."""
FULL_PER_M2 = 5.5
"""Nobody goes into a place that is fuller than this."""
HELD, SURE_S, STAYS_S = 0.8, 4 * 3600.0, 8 * 3600.0
"""Share of those who come in the last hours before a countdown that stay for it; nobody comes so long ahead."""


@numba.njit(cache=True)
def seed(number):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Seed the compiled code's own generator."""
    np.random.seed(number)


@numba.njit(cache=True)
def _pick(cumulative):  # type: ignore[no-untyped-def]  # compiled
    return min(np.searchsorted(cumulative, np.random.random() * cumulative[-1]), len(cumulative) - 1)


@numba.njit(cache=True)
def _slowed(density):  # type: ignore[no-untyped-def]  # compiled
    # Older 1968: speed falls in a line with density. Packed people still shuffle: about one a second and metre gets by.
    return max(1.0 - 0.26 * density, 0.15)


@numba.njit(cache=True)
def _stay(median_s):  # type: ignore[no-untyped-def]  # compiled
    return median_s * np.exp(0.6 * np.random.randn())


@numba.njit(cache=True)
def choose(w, i, node, t, net, pull, tally):  # type: ignore[no-untyped-def]  # compiled
    """Give walker i its next destination from a node and set it walking; whoever has nowhere to go has left."""
    first_gateway, first_spot = net.first_gateway, net.first_spot
    for _ in range(4):
        dest = -1
        w.indoors_next[i] = 0
        if w.stops[i] > 0:
            u = np.random.random()
            if u < pull.streets + pull.buildings or pull.places[-1] <= 0:
                dest = first_spot + _pick(net.spots)
                w.indoors_next[i] = u >= pull.streets
            else:
                dest = _pick(pull.places)
        else:
            best = np.inf
            for _ in range(3):  # people leave by a near gateway, though not always the nearest
                gateway = first_gateway + _pick(pull.gateways)
                if net.reach[gateway, node] < best:
                    best, dest = net.reach[gateway, node], gateway
        if dest >= 0 and net.next_edge[w.taste[i], dest, node] >= 0:
            edge = net.next_edge[w.taste[i], dest, node]
            w.state[i], w.dest[i], w.edge[i], w.pos[i] = WALKING, dest, edge, 0.0
            w.forth[i] = net.tail[edge] == node
            w.stops[i] -= 1
            return
    w.state[i] = FREE
    tally.left[0] += 1


@numba.njit(cache=True)
def _cross_street(w, i, begin, end, net, tally):  # type: ignore[no-untyped-def]  # compiled
    edge = w.edge[i]
    for k in range(net.line_begin[edge], net.line_begin[edge + 1]):
        at = net.line_at[k] if w.forth[i] else net.length[edge] - net.line_at[k]
        if begin < at <= end:
            inward = net.line_in[k] == w.forth[i]
            tally.passed[net.line_device[k], 0 if inward else 1] += 1


@numba.njit(cache=True)
def _cross_place(x0, y0, x1, y1, place, net, tally):  # type: ignore[no-untyped-def]  # compiled
    for k in range(net.across_begin[place], net.across_begin[place + 1]):
        ax, ay, bx, by = net.across[k]
        d0 = (bx - ax) * (y0 - ay) - (by - ay) * (x0 - ax)
        d1 = (bx - ax) * (y1 - ay) - (by - ay) * (x1 - ax)
        if (d0 > 0) == (d1 > 0):
            continue
        e0 = (x1 - x0) * (ay - y0) - (y1 - y0) * (ax - x0)
        e1 = (x1 - x0) * (by - y0) - (y1 - y0) * (bx - x0)
        if (e0 > 0) != (e1 > 0):
            tally.passed[net.across_device[k], 0 if d0 > 0 else 1] += 1  # from the left to the right is in


@numba.njit(cache=True)
def _arrive(w, i, node, t, net, pull, tally, inside):  # type: ignore[no-untyped-def]  # compiled
    dest = w.dest[i]
    if net.first_gateway <= dest < net.first_spot:
        w.state[i] = FREE
        tally.left[0] += 1
        return
    if dest >= net.first_spot:
        w.x[i] = net.x[node] + 3 * np.random.randn()
        w.y[i] = net.y[node] + 3 * np.random.randn()
        w.node[i] = node
        w.state[i] = INDOORS if w.indoors_next[i] else STANDING
        w.until[i] = t + _stay(2700.0 if w.indoors_next[i] else 420.0)
        return
    if inside[dest] / net.place_m2[dest] > FULL_PER_M2:
        choose(w, i, node, t, net, pull, tally)
        return
    door = net.door_begin[dest]
    n_doors = net.door_begin[dest + 1] - door
    pick, far = door, np.inf
    for k in range(door, door + n_doors):  # the door at this node; if several, any
        distance = abs(net.x[net.door_node[k]] - net.x[node]) + abs(net.y[net.door_node[k]] - net.y[node])
        distance += np.random.random()
        if distance < far:
            pick, far = k, distance
    tally.gates[pick, 0] += 1
    inside[dest] += 1
    w.state[i], w.place[i] = IN_PLACE, dest
    w.x[i], w.y[i] = net.door_x[pick], net.door_y[pick]
    sample = net.samples[dest, np.random.randint(net.samples.shape[1])]
    w.tx[i], w.ty[i] = sample[0], sample[1]
    w.until[i] = t + _stay(pull.stay_s[dest])
    ahead_s = pull.hold_s[dest] - t
    if ahead_s > 0 and np.random.random() < min(HELD, HELD * (STAYS_S - ahead_s) / (STAYS_S - SURE_S)):
        w.until[i] = pull.hold_s[dest] + 1800 * np.random.random()


@numba.njit(cache=True)
def _walk(w, i, t, dt, net, pull, tally, inside, slow):  # type: ignore[no-untyped-def]  # compiled
    left = dt
    for _ in range(200):
        edge = w.edge[i]
        speed = w.speed[i] * slow[edge]
        todo = net.length[edge] - w.pos[i]
        if speed * left < todo:
            begin = w.pos[i]
            w.pos[i] = begin + speed * left
            _cross_street(w, i, begin, w.pos[i], net, tally)
            return
        _cross_street(w, i, w.pos[i], net.length[edge] + 1e-6, net, tally)
        left -= todo / speed
        node = net.head[edge] if w.forth[i] else net.tail[edge]
        following = net.next_edge[w.taste[i], w.dest[i], node]
        if following < 0:
            _arrive(w, i, node, t, net, pull, tally, inside)
            return
        w.edge[i], w.pos[i], w.forth[i] = following, 0.0, net.tail[following] == node


@numba.njit(cache=True)
def _stroll(w, i, t, dt, net, pull, tally, inside):  # type: ignore[no-untyped-def]  # compiled
    place = w.place[i]
    pace = STROLL if w.state[i] == IN_PLACE else w.speed[i]
    reach = pace * _slowed(inside[place] / net.place_m2[place]) * dt
    dx, dy = w.tx[i] - w.x[i], w.ty[i] - w.y[i]
    far = np.hypot(dx, dy)
    x0, y0 = w.x[i], w.y[i]
    if far > reach:
        w.x[i], w.y[i] = x0 + dx / far * reach, y0 + dy / far * reach
        _cross_place(x0, y0, w.x[i], w.y[i], place, net, tally)
        if w.state[i] == LEAVING or t < w.until[i]:
            return
    else:
        w.x[i], w.y[i] = w.tx[i], w.ty[i]
        _cross_place(x0, y0, w.x[i], w.y[i], place, net, tally)
        if w.state[i] == LEAVING:
            door = w.node[i]
            tally.gates[door, 1] += 1
            inside[place] -= 1
            choose(w, i, net.door_node[door], t, net, pull, tally)
            return
        if t < w.until[i]:
            best = np.inf  # stroll to somewhere near
            for _ in range(4):
                sample = net.samples[place, np.random.randint(net.samples.shape[1])]
                distance = np.hypot(sample[0] - w.x[i], sample[1] - w.y[i])
                if distance < best:
                    best, w.tx[i], w.ty[i] = distance, sample[0], sample[1]
            return
    best = np.inf  # time to go: by the nearest door, mostly
    for k in range(net.door_begin[place], net.door_begin[place + 1]):
        distance = np.hypot(net.door_x[k] - w.x[i], net.door_y[k] - w.y[i]) * (0.7 + 0.6 * np.random.random())
        if distance < best:
            best, w.node[i] = distance, k
    w.state[i] = LEAVING
    w.tx[i], w.ty[i] = net.door_x[w.node[i]], net.door_y[w.node[i]]


@numba.njit(cache=True)
def _slowed_edges(w, net):  # type: ignore[no-untyped-def]  # compiled
    on_edge = np.zeros(len(net.length))
    for i in range(len(w.state)):
        if w.state[i] == WALKING:
            on_edge[w.edge[i]] += 1
    slow = np.empty(len(on_edge))
    for e in range(len(on_edge)):
        slow[e] = _slowed(on_edge[e] / (max(net.length[e], 10.0) * net.width[e]))
    return slow


@numba.njit(cache=True)
def step(w, t, dt, net, pull, tally, inside):  # type: ignore[no-untyped-def]  # compiled
    """Move every walker by dt seconds to time t (seconds since the twin began)."""
    slow = _slowed_edges(w, net)
    for i in range(len(w.state)):
        state = w.state[i]
        if state == WALKING:
            # Most only go on along their way. A call takes both tuples by value, array for array: dearer than the walk.
            edge = w.edge[i]
            ahead = w.speed[i] * slow[edge] * dt
            if ahead < net.length[edge] - w.pos[i] and net.line_begin[edge] == net.line_begin[edge + 1]:
                w.pos[i] = w.pos[i] + ahead
                continue
            _walk(w, i, t, dt, net, pull, tally, inside, slow)
        elif state in (IN_PLACE, LEAVING):
            place = w.place[i]
            if (state == LEAVING or t < w.until[i]) and net.across_begin[place] == net.across_begin[place + 1]:
                pace = STROLL if state == IN_PLACE else w.speed[i]
                reach = pace * _slowed(inside[place] / net.place_m2[place]) * dt
                dx, dy = w.tx[i] - w.x[i], w.ty[i] - w.y[i]
                far = np.hypot(dx, dy)
                if far > reach:
                    w.x[i], w.y[i] = w.x[i] + dx / far * reach, w.y[i] + dy / far * reach
                    continue
            _stroll(w, i, t, dt, net, pull, tally, inside)
        elif state in (STANDING, INDOORS) and t >= w.until[i]:
            choose(w, i, w.node[i], t, net, pull, tally)


@numba.njit(cache=True)
def enter(w, slots, gateways, stops, t, net, pull, tally):  # type: ignore[no-untyped-def]  # compiled
    """Let people in at gateways (indices of gateways), into free slots."""
    for k in range(len(slots)):
        i = slots[k]
        w.stops[i] = stops[k]
        w.speed[i] = max(0.6, 1.3 + 0.2 * np.random.randn())
        w.side[i] = np.random.random() - 0.5
        choose(w, i, net.gateway_node[gateways[k]], t, net, pull, tally)


@numba.njit(cache=True)
def positions(w, net, x, y, public):  # type: ignore[no-untyped-def]  # compiled
    """Write where everybody is; ``public`` tells who is in public space. Return how many are present at all."""
    k = 0
    for i in range(len(w.state)):
        state = w.state[i]
        if state == FREE:
            continue
        if state == WALKING:
            edge = w.edge[i]
            a, b = net.tail[edge], net.head[edge]
            part = w.pos[i] / net.length[edge] if w.forth[i] else 1 - w.pos[i] / net.length[edge]
            dx, dy = (net.x[b] - net.x[a]) / net.length[edge], (net.y[b] - net.y[a]) / net.length[edge]
            off = w.side[i] * net.width[edge] * 0.95
            x[k] = net.x[a] + part * (net.x[b] - net.x[a]) - dy * off
            y[k] = net.y[a] + part * (net.y[b] - net.y[a]) + dx * off
        else:
            x[k], y[k] = w.x[i], w.y[i]
        public[k] = state != INDOORS
        k += 1
    return k
