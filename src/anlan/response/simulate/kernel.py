"""The event loop, compiled: incidents come, units are sent, come free, wait or drive to a post.

Nothing is drawn here: when incidents come and how long they take is handed in, so that two policies meet the same year.
A unit has one coming moment (it comes free, its shift begins or ends); the loop takes the earliest of these, which
stands at the top of a knock-out among the units, and of the next incident. What a unit does in between is computed when
somebody asks where it is.

What changes stands in a few plain arrays, because a compiled call pays for every array that is handed over inside a
tuple. A call as such pays too, so that what every incident needs is laid into the loop (``_laid_in``). Numba's
counting of references to arrays, which took two thirds of the time, is off: only ``steps`` makes any. The units are
``uf`` (.., U) and ``ui`` (.., U), the incidents ``df`` (M, ..) and ``di`` (M, ..). Seconds to a place (row) from a
place are ``to`` (N, N), those from the posts ``near`` (N, P), the next place on the way to a post ``step`` (P, N), the
posts' places ``post`` (P,), the factor on travel times by hour ``pace`` (24,), who can serve which kind ``able`` (K,
U). ``uf`` and the knock-out ``bracket`` (.., W) are as wide as the next power of two, with nobody in the rest. Of the
posts, ``rank`` (N, P) has the nearest of each place first, ``at`` (P,) one of the units known to wait at each, -1 if
none is, and ``travel`` (P,) is room for one choice. Of the cover, ``first``, ``row``, ``weight``, ``chance`` are as in
``response.cover.kernel`` with the posts as sites, and ``count`` the idle units that reach each row.
"""

from __future__ import annotations

from functools import partial

import numba
import numpy as np

from anlan.response.cover import kernel as cover_kernel

_bare = partial(numba.njit, cache=True, nogil=True, _nrt=False)
_laid_in = partial(_bare, forceinline=True)
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
# on: of one that ends elsewhere, the way on in free traffic, how long its units stay there, and the place. Most years
# have none, and no such table: it would cost a tenth of the time.
CARRY, HANDOVER, ENDS = range(3)
# Of the rule.
KEEPS, KEEPS_FROM, MOVING, LONGEST_S, LEAST, CALL_OFF, QUEUES, WITHIN_S = range(8)
# Of the idle units (4, U): the list of those that drive to their posts, or have come there since somebody asked, and
# where in it each stands; of those known to wait, who is before and behind it at the same post, -1 if nobody is.
DRIVES, SLOT, BEFORE, BEHIND = range(4)
# Of the queues (2, priorities), and the tally.
HEAD, TAIL = 0, 1
N_LOG, N_BUSY, N_WAITING, N_CALLED_OFF, N_DRIVES = range(5)


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


@_laid_in()
def _factor(pace, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    return pace[(int(t) // 3600) % 24]


@_laid_in()
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


@_laid_in()
def _on_duty(uf, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    on, off = uf[ON_S, u], uf[OFF_S, u]
    return on == off or (t - on) % DAY_S < (off - on) % DAY_S


@_laid_in()
def _shift_end(uf, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    if uf[ON_S, u] == uf[OFF_S, u]:
        return np.inf
    ahead = (uf[OFF_S, u] - t) % DAY_S
    return t + (ahead if ahead > 0 else DAY_S)


@_laid_in()
def _comes(uf, bracket, u, moment):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Set the next moment of a unit, and play its matches again; of equal moments the first unit's is the sooner."""
    uf[NEXT, u] = moment
    a = u - u % 2
    k = (len(bracket) + u) >> 1
    bracket[k] = a if uf[NEXT, a] <= uf[NEXT, a + 1] else a + 1
    while k > 1:
        k >>= 1
        a, b = bracket[2 * k], bracket[2 * k + 1]
        bracket[k] = a if uf[NEXT, a] <= uf[NEXT, b] else b


@_laid_in()
def _set_out(idle, tally, u):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Count an idle unit among those that drive."""
    k = tally[N_DRIVES]
    idle[DRIVES, k], idle[SLOT, u] = u, k
    tally[N_DRIVES] = k + 1


@_laid_in()
def _strike(idle, at, tally, post, u):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Take an idle unit away from those that drive, or from those that wait at its post."""
    k = idle[SLOT, u]
    if k >= 0:
        last = tally[N_DRIVES] - 1
        other = idle[DRIVES, last]
        idle[DRIVES, k], idle[SLOT, other] = other, k
        tally[N_DRIVES] = last
        return
    before, behind = idle[BEFORE, u], idle[BEHIND, u]
    if before >= 0:
        idle[BEHIND, before] = behind
    else:
        at[post] = behind
    if behind >= 0:
        idle[BEFORE, behind] = before


@_laid_in()
def _settle(idle, at, tally, post, u):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Count a unit that drove among those that wait at its post."""
    _strike(idle, at, tally, post, u)
    other = at[post]
    idle[SLOT, u], idle[BEFORE, u], idle[BEHIND, u], at[post] = -1, -1, other, u
    if other >= 0:
        idle[BEFORE, other] = u


@_laid_in()
def _to_idle(to, post, pace, first, row, count, uf, ui, idle, at, bracket, tally, u, place, t, dest):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Let a unit drive from a place to a post and wait there."""
    factor = _factor(pace, t)
    way = to[post[dest], place] * factor
    ui[PHASE, u], ui[DEST, u], ui[LEG, u] = IDLE, dest, place
    uf[PACE, u], uf[HOME_AT, u] = factor, t + way
    uf[ROAD_S, u] += way
    _comes(uf, bracket, u, uf[SHIFT_END, u])
    _set_out(idle, tally, u)
    if len(count):
        cover_kernel.shift(first, row, count, dest, 1)


@_laid_in()
def _leave(first, row, count, uf, ui, idle, at, tally, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Take a unit out of the idle ones; what it did not drive is not counted."""
    _strike(idle, at, tally, ui[DEST, u], u)
    if uf[HOME_AT, u] > t:
        uf[ROAD_S, u] -= uf[HOME_AT, u] - t
    if len(count):
        cover_kernel.shift(first, row, count, ui[DEST, u], -1)


@_laid_in()
def _send(pace, df, di, on, uf, ui, bracket, log_i, log_f, tally, u, i, t, ready, place, way):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Send a unit that sets off at ``ready`` from a place; ``way`` is the time from there in free traffic."""
    arrive = ready + way * _factor(pace, ready)
    free = arrive + df[i, ON_SCENE]
    if len(on):
        free += on[i, CARRY] * _factor(pace, free) + on[i, HANDOVER]
    e = tally[N_LOG]
    log_i[e, 0], log_i[e, 1], log_i[e, 2], log_i[e, 3] = i, u, place, 0
    log_f[e, 0], log_f[e, 1], log_f[e, 2], log_f[e, 3] = t, ready, arrive, free
    tally[N_LOG] = e + 1
    tally[N_BUSY] += 1
    ui[PHASE, u], ui[DOING, u], ui[ORIGIN, u], ui[ENTRY, u] = BUSY, i, place, e
    uf[START_AT, u], uf[ARRIVE_AT, u] = ready, arrive
    _comes(uf, bracket, u, free)
    di[i, NEED] -= 1


@_laid_in()
def _send_idle(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, near, step, post, pace, first, row, count, df, di, on, uf, ui, idle, at, bracket, log_i, log_f, tally, u, i, t,
):  # fmt: skip
    """Send an idle unit: from its post after the turn-out, or from the road at once."""
    place = di[i, PLACE]
    if uf[HOME_AT, u] <= t:
        wait, origin, way = df[i, TURNOUT], post[ui[DEST, u]], near[place, ui[DEST, u]]
    else:
        wait = _where(to, step, post, uf, ui, u, t)
        origin = ui[LEG, u]
        way = to[place, origin]
    _leave(first, row, count, uf, ui, idle, at, tally, u, t)
    _send(pace, df, di, on, uf, ui, bracket, log_i, log_f, tally, u, i, t, t + wait, origin, way)


@_laid_in()
def _nearest(to, near, rank, step, post, pace, able, df, di, uf, ui, idle, at, tally, i, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Return the idle unit that is there first, the first of equals, and how soon; (-1, inf) if none is idle."""
    place, kind, turnout, factor = di[i, PLACE], di[i, KIND], df[i, TURNOUT], _factor(pace, t)
    best, soon, k = -1, np.inf, 0
    while k < tally[N_DRIVES]:
        u = idle[DRIVES, k]
        if uf[HOME_AT, u] <= t:  # it has come to its post since somebody asked last
            _settle(idle, at, tally, ui[DEST, u], u)
            continue
        k += 1
        if able[kind, u]:  # compared below: by then the table, too large to be at hand, has answered
            uf[ARRIVE, u] = _where(to, step, post, uf, ui, u, t) + to[place, ui[LEG, u]] * factor
    for k in range(rank.shape[1]):
        p = rank[place, k]
        arrive = turnout + near[place, p] * factor
        if arrive > soon:
            break
        u = at[p]
        while u >= 0:
            if able[kind, u] and (arrive < soon or u < best):
                best, soon = u, arrive
            u = idle[BEHIND, u]
    for k in range(tally[N_DRIVES]):
        u = idle[DRIVES, k]
        if able[kind, u] and (uf[ARRIVE, u] < soon or (uf[ARRIVE, u] == soon and u < best)):
            best, soon = u, uf[ARRIVE, u]
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


@_laid_in()
def _serve(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, near, rank, step, post, pace, able, first, row, weight, chance, count, rule, df, di, on, uf, ui, idle, at,
    bracket, queue, log_i, log_f, tally, i, t,
):  # fmt: skip
    """Send as many units as an incident lacks and as can be had; return whether somebody was called off for it."""
    called_off = False
    while di[i, NEED] > 0:
        if rule[KEEPS] and di[i, PRIORITY] >= rule[KEEPS_FROM]:
            u, soon = _keeping(
                to, step, post, pace, able, first, row, weight, chance, count, df, di, uf, ui, i, t, rule[WITHIN_S]
            )
        else:
            u, soon = _nearest(to, near, rank, step, post, pace, able, df, di, uf, ui, idle, at, tally, i, t)
        if tally[N_CALLED_OFF] < rule[CALL_OFF] and soon > rule[WITHIN_S] - (t - df[i, AT]):
            v, place, ready = _lesser(to, pace, able, di, uf, ui, i, t, soon)
            if v >= 0:
                _drop(di, queue, tally, ui, log_i, log_f, v, t)
                way = to[di[i, PLACE], place]
                _send(pace, df, di, on, uf, ui, bracket, log_i, log_f, tally, v, i, t, ready, place, way)
                called_off = True
                continue
        if u < 0:
            break
        _send_idle(
            to, near, step, post, pace, first, row, count, df, di, on, uf, ui, idle, at, bracket, log_i, log_f, tally,
            u, i, t,
        )  # fmt: skip
    return called_off


@_bare()
def _drain(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, near, rank, step, post, pace, able, first, row, count, df, di, on, uf, ui, idle, at, bracket, queue, log_i,
    log_f, tally, t,
):  # fmt: skip
    """Send idle units to whoever waits, by priority and time."""
    for p in range(queue.shape[1]):
        before, i = -1, queue[HEAD, p]
        while i >= 0:
            then = di[i, AFTER]
            while di[i, NEED] > 0:
                u, _ = _nearest(to, near, rank, step, post, pace, able, df, di, uf, ui, idle, at, tally, i, t)
                if u < 0:
                    break
                _send_idle(
                    to, near, step, post, pace, first, row, count, df, di, on, uf, ui, idle, at, bracket, log_i, log_f,
                    tally, u, i, t,
                )  # fmt: skip
            if di[i, NEED] == 0:
                _unlink(di, queue, tally, i, before)
            else:
                before = i
            i = then


@_laid_in()
def _take_next(to, pace, able, df, di, on, uf, ui, bracket, queue, log_i, log_f, tally, u, place, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Send a unit that has just come free to the first who waits and whom it can serve; tell whether there was one."""
    if tally[N_WAITING] == 0:
        return False
    for p in range(queue.shape[1]):
        before, i = -1, queue[HEAD, p]
        while i >= 0:
            if able[di[i, KIND], u]:
                way = to[di[i, PLACE], place]
                _send(pace, df, di, on, uf, ui, bracket, log_i, log_f, tally, u, i, t, t, place, way)
                if di[i, NEED] == 0:
                    _unlink(di, queue, tally, i, before)
                return True
            before, i = i, di[i, AFTER]
    return False


@_laid_in()
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
def _rebalance(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, step, post, pace, first, row, weight, chance, count, rule, uf, ui, idle, at, bracket, travel, tally, t
):
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
        _leave(first, row, count, uf, ui, idle, at, tally, mover, t)
        _to_idle(to, post, pace, first, row, count, uf, ui, idle, at, bracket, tally, mover, ui[LEG, mover], t, target)
        uf[HOME_AT, mover] += wait
        uf[ROAD_S, mover] += wait
        ui[MOVES, mover] += 1


@_laid_in()
def _finish(uf, ui, bracket, u, t):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """End a shift; the next one begins when the clock next shows its hour."""
    ui[PHASE, u] = OFF
    uf[DUTY_S, u] += t - uf[DUTY_FROM, u]
    _comes(uf, bracket, u, t + (uf[ON_S, u] - t) % DAY_S)


@_bare()
def run(  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    to, near, rank, step, post, pace, able, first, row, weight, chance, count, rule, df, di, on, uf, ui, idle, at,
    bracket, travel, queue, log_i, log_f, tally,
):  # fmt: skip
    """Run until every incident is over; return when that is."""
    n, n_incidents = ui.shape[1], len(df)
    for u in range(n):  # whose shift is on begins it at once
        ui[PHASE, u] = OFF
        _comes(uf, bracket, u, 0.0 if _on_duty(uf, u, 0.0) else uf[ON_S, u])
    i, t = 0, 0.0
    last = df[n_incidents - 1, AT] if n_incidents else 0.0
    while i < n_incidents or tally[N_BUSY] or tally[N_WAITING]:
        u = bracket[1]
        soonest = uf[NEXT, u]
        if i < n_incidents and df[i, AT] < soonest:
            t = df[i, AT]
            called_off = _serve(
                to, near, rank, step, post, pace, able, first, row, weight, chance, count, rule, df, di, on, uf, ui,
                idle, at, bracket, queue, log_i, log_f, tally, i, t,
            )  # fmt: skip
            if di[i, NEED] > 0 and rule[QUEUES]:
                _wait(di, queue, tally, i)
            if called_off:
                _drain(
                    to, near, rank, step, post, pace, able, first, row, count, df, di, on, uf, ui, idle, at, bracket,
                    queue, log_i, log_f, tally, t,
                )  # fmt: skip
            if rule[MOVING] == EACH:
                _rebalance(
                    to, step, post, pace, first, row, weight, chance, count, rule, uf, ui, idle, at, bracket, travel,
                    tally, t,
                )  # fmt: skip
            i += 1
            continue
        if soonest > last + LONGEST_QUEUE_S:
            break
        t = soonest
        if ui[PHASE, u] == IDLE:
            _leave(first, row, count, uf, ui, idle, at, tally, u, t)
            _finish(uf, ui, bracket, u, t)
            continue
        if ui[PHASE, u] == OFF:
            uf[SHIFT_END, u], uf[DUTY_FROM, u] = _shift_end(uf, u, t), t
            place, dest = post[ui[OWN, u]], ui[OWN, u]
            ui[DEST, u] = dest
        else:
            tally[N_BUSY] -= 1
            place, dest = np.int64(di[ui[DOING, u], PLACE]), -1
            if len(on):
                place = np.int64(on[ui[DOING, u], ENDS])
            if uf[SHIFT_END, u] <= t and _on_duty(uf, u, t):
                uf[SHIFT_END, u] = _shift_end(uf, u, t)
            if uf[SHIFT_END, u] <= t:
                _finish(uf, ui, bracket, u, t)
                continue
        if _take_next(to, pace, able, df, di, on, uf, ui, bracket, queue, log_i, log_f, tally, u, place, t):
            continue
        if dest < 0:
            dest = _dest(to, post, pace, first, row, weight, chance, count, rule, ui, travel, u, place, t)
            if dest != ui[DEST, u]:
                ui[MOVES, u] += 1
        _to_idle(to, post, pace, first, row, count, uf, ui, idle, at, bracket, tally, u, place, t, dest)
    for u in range(n):
        if ui[PHASE, u] != OFF:
            uf[DUTY_S, u] += t - uf[DUTY_FROM, u]
            if ui[PHASE, u] == IDLE and uf[HOME_AT, u] > t:
                uf[ROAD_S, u] -= uf[HOME_AT, u] - t
    return t


@_bare()
def outcomes(log_i, log_f, df, di, first, last, sent, busy):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Make of the log what came of each incident, s after it was known, and how long each unit was busy.

    ``first`` becomes when its first unit was there, ``last`` the last that it needs, ``sent`` when the first was sent;
    NaN where nobody came, or not enough.
    """
    first[:], last[:] = np.inf, -np.inf
    for e in range(len(log_i)):
        i, u, there = log_i[e, 0], log_i[e, 1], log_f[e, 2]
        busy[u] += log_f[e, 3] - log_f[e, 0]
        if log_i[e, 3]:
            continue
        if there <= first[i]:
            first[i], sent[i] = there, log_f[e, 0]
        last[i] = max(last[i], there)
    for i in range(len(df)):
        came = first[i] < np.inf
        first[i] = first[i] - df[i, AT] if came else np.nan
        sent[i] = sent[i] - df[i, AT] if came else np.nan
        last[i] = last[i] - df[i, AT] if came and di[i, NEED] <= 0 else np.nan
