"""The event loop, compiled: incidents come, units are sent, come free, wait or drive to a post.

Nothing is drawn here: when incidents come and how long they take is handed in, so that two policies meet the same year.
A unit has one coming moment (it comes free, its shift begins or ends); the loop takes the earliest of these and of the
next incident. What a unit does in between is computed when somebody asks where it is.

What changes stands in a few plain arrays, because a compiled call pays for every array that is handed over inside a
tuple. Numba's counting of references to arrays, which took two thirds of the time, is off: only ``steps`` makes any.
The units are ``uf`` (.., U) and ``ui`` (.., U), the incidents ``df`` (M, ..) and ``di`` (M, ..). Seconds to a place
(row) from a place are ``to`` (N, N), those from the posts ``near`` (N, P), the next place on the way to a post ``step``
(P, N), the posts' places ``post`` (P,), the factor on travel times by hour ``pace`` (24,), who can serve which kind
``able`` (K, U). The first ``tally[N_IDLE]`` of ``idle`` (2, U) are the idle units, with each unit's place in that list
beside them; ``travel`` (P,) is room for one choice. Of the cover, ``first``, ``row``, ``weight``, ``chance`` are as in
``response.cover.kernel`` with the posts as sites, and ``count`` the idle units that reach each row.
"""

from __future__ import annotations

from functools import partial

import numba
import numpy as np

from anlan.response.cover import kernel as cover_kernel

_bare = partial(numba.njit, cache=True, nogil=True, _nrt=False)
OFF, IDLE, BUSY = 0, 1, 2
HOME, FREED, EACH = 0, 1, 2
DAY_S = 86400.0
LONGEST_QUEUE_S = 30 * DAY_S
_TRIED = 3
"""How many of the idle units that are missed least are tried elsewhere after a dispatch."""

# uf: the next moment, when an idle unit reaches its post, the factor on travel times under which it drives there; of
# what a busy one does, when it set off and arrives; shift, its end, since when on duty; sums; of the choice at hand.
NEXT, HOME_AT, PACE, START_AT, ARRIVE_AT, ON_S, OFF_S, SHIFT_END, DUTY_FROM, DUTY_S, ROAD_S, ARRIVE, LOSS = range(13)
N_UF = 13
# ui: phase, post to wait at, place reached next on the way there, own post, incident, where from, line of the log,
# moves.
PHASE, DEST, LEG, OWN, DOING, ORIGIN, ENTRY, MOVES = range(8)
N_UI = 8
# df and di: of an incident. AFTER is who waits behind it, -1 if nobody does.
AT, TURNOUT, ON_SCENE = range(3)
PLACE, KIND, PRIORITY, NEED, AFTER = range(5)
# Of the rule.
KEEPS, KEEPS_FROM, MOVING, LONGEST_S, LEAST, CALL_OFF, QUEUES, WITHIN_S = range(8)
# Of the queues (2, priorities), and the tally.
HEAD, TAIL = 0, 1
N_LOG, N_BUSY, N_WAITING, N_CALLED_OFF, N_IDLE = range(5)


@numba.njit(cache=True, nogil=True)
def steps(times, post, slack):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the next place on the way from each place to each post (P, N), found from the times alone.

    A place lies on the way if going over it takes no longer; of these it is the nearest. The time left falls at each
    step, so that every way ends.
    """
    n = len(times)
    made = np.empty((len(post), n), np.int32)
    there = np.empty((len(post), n), times.dtype)
    for p in range(len(post)):
        for i in range(n):
            there[p, i] = times[i, post[p]]
    for i in range(n):
        order = np.argsort(times[i])
        for p in range(len(post)):
            made[p, i] = post[p]
            for k in order:
                if k != i and there[p, k] < there[p, i] and times[i, k] + there[p, k] <= there[p, i] + slack:
                    made[p, i] = k
                    break
    return made


@_bare()
def _factor(pace, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    return pace[(int(t) // 3600) % 24]


@_bare()
def _where(to, step, post, uf, ui, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Move an idle unit along its way; return how long until it is at ``LEG``; 0 where it waits."""
    dest = ui[DEST, u]
    if uf[HOME_AT, u] <= t:
        ui[LEG, u] = post[dest]
        return 0.0
    row = to[post[dest]]
    left, factor = uf[HOME_AT, u] - t, uf[PACE, u]
    k = ui[LEG, u]
    while row[k] * factor > left:
        k = step[dest, k]
    ui[LEG, u] = k
    return left - row[k] * factor


@_bare()
def _on_duty(uf, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    on, off = uf[ON_S, u], uf[OFF_S, u]
    return on == off or (t - on) % DAY_S < (off - on) % DAY_S


@_bare()
def _shift_end(uf, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    if uf[ON_S, u] == uf[OFF_S, u]:
        return np.inf
    ahead = (uf[OFF_S, u] - t) % DAY_S
    return t + (ahead if ahead > 0 else DAY_S)


@_bare()
def _to_idle(to, post, pace, first, row, count, uf, ui, idle, tally, u, place, t, dest):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Let a unit drive from a place to a post and wait there."""
    factor = _factor(pace, t)
    way = to[post[dest], place] * factor
    ui[PHASE, u], ui[DEST, u], ui[LEG, u] = IDLE, dest, place
    uf[PACE, u], uf[HOME_AT, u] = factor, t + way
    uf[ROAD_S, u] += way
    uf[NEXT, u] = uf[SHIFT_END, u]
    k = tally[N_IDLE]
    idle[0, k], idle[1, u] = u, k
    tally[N_IDLE] = k + 1
    if len(count):
        cover_kernel.shift(first, row, count, dest, 1)


@_bare()
def _leave(first, row, count, uf, ui, idle, tally, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Take a unit out of the idle ones; what it did not drive is not counted."""
    k, last = idle[1, u], tally[N_IDLE] - 1
    other = idle[0, last]
    idle[0, k], idle[1, other] = other, k
    tally[N_IDLE] = last
    if uf[HOME_AT, u] > t:
        uf[ROAD_S, u] -= uf[HOME_AT, u] - t
    if len(count):
        cover_kernel.shift(first, row, count, ui[DEST, u], -1)


@_bare()
def _send(to, pace, df, di, uf, ui, log_i, log_f, tally, u, i, t, ready, place):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Send a unit that sets off at ``ready`` from a place."""
    arrive = ready + to[di[i, PLACE], place] * _factor(pace, ready)
    free = arrive + df[i, ON_SCENE]
    e = tally[N_LOG]
    log_i[e, 0], log_i[e, 1], log_i[e, 2], log_i[e, 3] = i, u, place, 0
    log_f[e, 0], log_f[e, 1], log_f[e, 2], log_f[e, 3] = t, ready, arrive, free
    tally[N_LOG] = e + 1
    tally[N_BUSY] += 1
    ui[PHASE, u], ui[DOING, u], ui[ORIGIN, u], ui[ENTRY, u] = BUSY, i, place, e
    uf[START_AT, u], uf[ARRIVE_AT, u], uf[NEXT, u] = ready, arrive, free
    di[i, NEED] -= 1


@_bare()
def _send_idle(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, step, post, pace, first, row, count, df, di, uf, ui, idle, log_i, log_f, tally, u, i, t
):
    """Send an idle unit: from its post after the turn-out, or from the road at once."""
    wait = _where(to, step, post, uf, ui, u, t)
    if uf[HOME_AT, u] <= t:
        wait = df[i, TURNOUT]
    _leave(first, row, count, uf, ui, idle, tally, u, t)
    _send(to, pace, df, di, uf, ui, log_i, log_f, tally, u, i, t, t + wait, ui[LEG, u])


@_bare()
def _nearest(to, near, step, post, pace, able, df, di, uf, ui, idle, n_idle, i, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the idle unit that is there first, and how soon; (-1, inf) if none is idle."""
    place, kind, turnout, factor = di[i, PLACE], di[i, KIND], df[i, TURNOUT], _factor(pace, t)
    best, soon = -1, np.inf
    for k in range(n_idle):
        u = idle[0, k]
        if not able[kind, u]:
            continue
        if uf[HOME_AT, u] <= t:
            arrive = turnout + near[place, ui[DEST, u]] * factor
        else:
            arrive = _where(to, step, post, uf, ui, u, t) + to[place, ui[LEG, u]] * factor
        if arrive < soon or (arrive == soon and u < best):
            best, soon = u, arrive
    return best, soon


@_bare()
def _keeping(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, step, post, pace, able, first, row, weight, chance, count, df, di, uf, ui, i, t, within
):
    """Return the idle unit that keeps the promise and leaves most cover, and how soon it is there."""
    place, kind, factor = di[i, PLACE], di[i, KIND], _factor(pace, t)
    left = within - (t - df[i, AT])
    for u in range(ui.shape[1]):
        uf[ARRIVE, u], uf[LOSS, u] = np.inf, 0.0
        if ui[PHASE, u] != IDLE or not able[kind, u]:
            continue
        wait = _where(to, step, post, uf, ui, u, t)
        if uf[HOME_AT, u] <= t:
            wait = df[i, TURNOUT]
        uf[ARRIVE, u] = wait + to[place, ui[LEG, u]] * factor
        if uf[ARRIVE, u] <= left:
            uf[LOSS, u] = cover_kernel.loss(first, row, weight, chance, count, ui[DEST, u])
    best = cover_kernel.best_unit(uf[ARRIVE], uf[LOSS], left)
    return best, (uf[ARRIVE, best] if best >= 0 else np.inf)


@_bare()
def _on_road(to, di, uf, ui, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the place that a unit on its way to an incident reaches next, and when."""
    begin, end = ui[ORIGIN, u], di[ui[DOING, u], PLACE]
    if t <= uf[START_AT, u]:
        return begin, t
    whole = to[end, begin]
    if whole <= 0:
        return end, uf[ARRIVE_AT, u]
    factor = (uf[ARRIVE_AT, u] - uf[START_AT, u]) / whole
    left = (uf[ARRIVE_AT, u] - t) / factor
    best, most = end, 0.0
    for k in range(len(to)):
        if most < to[end, k] <= left and to[k, begin] + to[end, k] <= whole + 0.25:
            best, most = k, to[end, k]
    return best, uf[ARRIVE_AT, u] - most * factor


@_bare()
def _lesser(to, pace, able, di, uf, ui, i, t, soon):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the unit on its way to a lesser incident that is there first, if sooner than ``soon``; -1 if none."""
    place, kind, factor = di[i, PLACE], di[i, KIND], _factor(pace, t)
    best, begin, ready = -1, 0, t
    for u in range(ui.shape[1]):
        if ui[PHASE, u] != BUSY or uf[ARRIVE_AT, u] <= t or not able[kind, u]:
            continue
        if di[ui[DOING, u], PRIORITY] <= di[i, PRIORITY]:
            continue
        k, at = _on_road(to, di, uf, ui, u, t)
        arrive = at - t + to[place, k] * factor
        if arrive < soon:
            best, begin, ready, soon = u, k, at, arrive
    return best, begin, ready


@_bare()
def _wait(di, queue, tally, i):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Put an incident into the queue of its priority, in the order of time."""
    p = di[i, PRIORITY]
    tally[N_WAITING] += 1
    di[i, AFTER] = -1
    if queue[HEAD, p] < 0:
        queue[HEAD, p] = queue[TAIL, p] = i
    elif i > queue[TAIL, p]:
        di[queue[TAIL, p], AFTER] = i
        queue[TAIL, p] = i
    elif i < queue[HEAD, p]:
        di[i, AFTER] = queue[HEAD, p]
        queue[HEAD, p] = i
    else:
        k = queue[HEAD, p]
        while di[k, AFTER] < i:
            k = di[k, AFTER]
        di[i, AFTER] = di[k, AFTER]
        di[k, AFTER] = i


@_bare()
def _unlink(di, queue, tally, i, before):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    p = di[i, PRIORITY]
    tally[N_WAITING] -= 1
    if before < 0:
        queue[HEAD, p] = di[i, AFTER]
    else:
        di[before, AFTER] = di[i, AFTER]
    if queue[TAIL, p] == i:
        queue[TAIL, p] = before
    di[i, AFTER] = -1


@_bare()
def _drop(di, queue, tally, ui, log_i, log_f, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Break off what a unit is on the way to; its incident waits again, in its old place."""
    i, e = ui[DOING, u], ui[ENTRY, u]
    log_i[e, 3] = 1
    log_f[e, 1] = min(log_f[e, 1], t)
    log_f[e, 2], log_f[e, 3] = np.nan, t
    di[i, NEED] += 1
    tally[N_BUSY] -= 1
    tally[N_CALLED_OFF] += 1
    if di[i, AFTER] < 0 and queue[TAIL, di[i, PRIORITY]] != i:
        _wait(di, queue, tally, i)


@_bare()
def _serve(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to,
    near,
    step,
    post,
    pace,
    able,
    first,
    row,
    weight,
    chance,
    count,
    rule,
    df,
    di,
    uf,
    ui,
    idle,
    queue,
    log_i,
    log_f,
    tally,
    i,
    t,
):
    """Send as many units as an incident lacks and as can be had; return whether somebody was called off for it."""
    called_off = False
    while di[i, NEED] > 0:
        if rule[KEEPS] and di[i, PRIORITY] >= rule[KEEPS_FROM]:
            u, soon = _keeping(
                to, step, post, pace, able, first, row, weight, chance, count, df, di, uf, ui, i, t, rule[WITHIN_S]
            )
        else:
            u, soon = _nearest(to, near, step, post, pace, able, df, di, uf, ui, idle, tally[N_IDLE], i, t)
        if tally[N_CALLED_OFF] < rule[CALL_OFF] and soon > rule[WITHIN_S] - (t - df[i, AT]):
            v, place, ready = _lesser(to, pace, able, di, uf, ui, i, t, soon)
            if v >= 0:
                _drop(di, queue, tally, ui, log_i, log_f, v, t)
                _send(to, pace, df, di, uf, ui, log_i, log_f, tally, v, i, t, ready, place)
                called_off = True
                continue
        if u < 0:
            break
        _send_idle(to, step, post, pace, first, row, count, df, di, uf, ui, idle, log_i, log_f, tally, u, i, t)
    return called_off


@_bare()
def _drain(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, near, step, post, pace, able, first, row, count, df, di, uf, ui, idle, queue, log_i, log_f, tally, t
):
    """Send idle units to whoever waits, by priority and time."""
    for p in range(queue.shape[1]):
        before, i = -1, queue[HEAD, p]
        while i >= 0:
            then = di[i, AFTER]
            while di[i, NEED] > 0:
                u, _ = _nearest(to, near, step, post, pace, able, df, di, uf, ui, idle, tally[N_IDLE], i, t)
                if u < 0:
                    break
                _send_idle(to, step, post, pace, first, row, count, df, di, uf, ui, idle, log_i, log_f, tally, u, i, t)
            if di[i, NEED] == 0:
                _unlink(di, queue, tally, i, before)
            else:
                before = i
            i = then


@_bare()
def _take_next(to, pace, able, df, di, uf, ui, queue, log_i, log_f, tally, u, place, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Send a unit that has just come free to the first who waits and whom it can serve; tell whether there was one."""
    if tally[N_WAITING] == 0:
        return False
    for p in range(queue.shape[1]):
        before, i = -1, queue[HEAD, p]
        while i >= 0:
            if able[di[i, KIND], u]:
                _send(to, pace, df, di, uf, ui, log_i, log_f, tally, u, i, t, t, place)
                if di[i, NEED] == 0:
                    _unlink(di, queue, tally, i, before)
                return True
            before, i = i, di[i, AFTER]
    return False


@_bare()
def _dest(to, post, pace, first, row, weight, chance, count, rule, ui, travel, u, place, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the post to which a unit drives that has come free."""
    if rule[MOVING] == HOME:
        return ui[OWN, u]
    factor = _factor(pace, t)
    for p in range(len(post)):
        travel[p] = to[post[p], place] * factor
    best = cover_kernel.best_site(first, row, weight, chance, count, travel, rule[LONGEST_S])
    return best if best >= 0 else ui[OWN, u]


@_bare()
def _rebalance(to, step, post, pace, first, row, weight, chance, count, rule, uf, ui, idle, travel, tally, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Move one of the idle units that are missed least to where it adds more, if it adds enough."""
    factor = _factor(pace, t)
    for u in range(ui.shape[1]):
        uf[LOSS, u] = np.inf
        if ui[PHASE, u] == IDLE:
            uf[LOSS, u] = cover_kernel.loss(first, row, weight, chance, count, ui[DEST, u])
    mover, target, most = -1, -1, rule[LEAST]
    for _ in range(_TRIED):
        u = int(np.argmin(uf[LOSS]))
        lost = uf[LOSS, u]
        if lost == np.inf:
            break
        uf[LOSS, u] = np.inf
        wait = _where(to, step, post, uf, ui, u, t)
        for p in range(len(post)):
            travel[p] = wait + to[post[p], ui[LEG, u]] * factor
        cover_kernel.shift(first, row, count, ui[DEST, u], -1)
        p = cover_kernel.best_site(first, row, weight, chance, count, travel, rule[LONGEST_S])
        if p >= 0 and p != ui[DEST, u]:
            more = cover_kernel.gain(first, row, weight, chance, count, p) - lost
            if more > most:
                mover, target, most = u, p, more
        cover_kernel.shift(first, row, count, ui[DEST, u], 1)
    if mover >= 0:
        wait = _where(to, step, post, uf, ui, mover, t)
        _leave(first, row, count, uf, ui, idle, tally, mover, t)
        _to_idle(to, post, pace, first, row, count, uf, ui, idle, tally, mover, ui[LEG, mover], t, target)
        uf[HOME_AT, mover] += wait
        uf[ROAD_S, mover] += wait
        ui[MOVES, mover] += 1


@_bare(fastmath={"nnan", "nsz"})
def _least(moments):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the least, several compared at once: no moment is NaN."""
    least = np.inf
    for k in range(len(moments)):
        least = min(least, moments[k])
    return least


@_bare()
def _finish(uf, ui, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """End a shift; the next one begins when the clock next shows its hour."""
    ui[PHASE, u] = OFF
    uf[DUTY_S, u] += t - uf[DUTY_FROM, u]
    uf[NEXT, u] = t + (uf[ON_S, u] - t) % DAY_S


@_bare()
def run(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, near, step, post, pace, able, first, row, weight, chance, count, rule, df, di, uf, ui, idle, travel,
    queue, log_i, log_f, tally,
):  # fmt: skip
    """Run until every incident is over; return when that is."""
    n, n_incidents = ui.shape[1], len(df)
    for u in range(n):  # whose shift is on begins it at once
        ui[PHASE, u] = OFF
        uf[NEXT, u] = 0.0 if _on_duty(uf, u, 0.0) else uf[ON_S, u]
    i, t = 0, 0.0
    last = df[n_incidents - 1, AT] if n_incidents else 0.0
    while i < n_incidents or tally[N_BUSY] or tally[N_WAITING]:
        soonest = _least(uf[NEXT])
        if i < n_incidents and df[i, AT] < soonest:
            t = df[i, AT]
            called_off = _serve(
                to, near, step, post, pace, able, first, row, weight, chance, count, rule, df, di, uf, ui, idle, queue,
                log_i, log_f, tally, i, t,
            )  # fmt: skip
            if di[i, NEED] > 0 and rule[QUEUES]:
                _wait(di, queue, tally, i)
            if called_off:
                _drain(
                    to,
                    near,
                    step,
                    post,
                    pace,
                    able,
                    first,
                    row,
                    count,
                    df,
                    di,
                    uf,
                    ui,
                    idle,
                    queue,
                    log_i,
                    log_f,
                    tally,
                    t,
                )
            if rule[MOVING] == EACH:
                _rebalance(
                    to, step, post, pace, first, row, weight, chance, count, rule, uf, ui, idle, travel, tally, t
                )
            i += 1
            continue
        if soonest > last + LONGEST_QUEUE_S:
            break
        t, u = soonest, 0
        while uf[NEXT, u] != soonest:
            u += 1
        if ui[PHASE, u] == IDLE:
            _leave(first, row, count, uf, ui, idle, tally, u, t)
            _finish(uf, ui, u, t)
            continue
        if ui[PHASE, u] == OFF:
            uf[SHIFT_END, u], uf[DUTY_FROM, u] = _shift_end(uf, u, t), t
            place, dest = post[ui[OWN, u]], ui[OWN, u]
            ui[DEST, u] = dest
        else:
            tally[N_BUSY] -= 1
            place, dest = np.int64(di[ui[DOING, u], PLACE]), -1
            if uf[SHIFT_END, u] <= t and _on_duty(uf, u, t):
                uf[SHIFT_END, u] = _shift_end(uf, u, t)
            if uf[SHIFT_END, u] <= t:
                _finish(uf, ui, u, t)
                continue
        if _take_next(to, pace, able, df, di, uf, ui, queue, log_i, log_f, tally, u, place, t):
            continue
        if dest < 0:
            dest = _dest(to, post, pace, first, row, weight, chance, count, rule, ui, travel, u, place, t)
            if dest != ui[DEST, u]:
                ui[MOVES, u] += 1
        _to_idle(to, post, pace, first, row, count, uf, ui, idle, tally, u, place, t, dest)
    for u in range(n):
        if ui[PHASE, u] != OFF:
            uf[DUTY_S, u] += t - uf[DUTY_FROM, u]
            if ui[PHASE, u] == IDLE and uf[HOME_AT, u] > t:
                uf[ROAD_S, u] -= uf[HOME_AT, u] - t
    return t
