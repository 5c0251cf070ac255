"""The dispatcher of the moment: built once, kept up with the clock and the crowds, asked by whoever must know."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anlan.kernel.clock import Clock
from anlan.kernel.geo import Floats
from anlan.kernel.pack import Pack
from anlan.kernel.response import UnitNow
from anlan.reach.learning import Learned, demand_at
from anlan.response.dispatch import Demand, Dispatcher, Ground, Playbooks, soonest_s
from anlan.response.travel import Conditions

REACHED_S = 300.0
CROWDS_EVERY = timedelta(minutes=5)
"""How often the streets are looked at anew for people who are in the way."""

Crowds = Callable[[Floats, Floats], tuple[datetime, Floats] | None]
"""Tells of points (metres) a minute and people per m², NaN where unknown; None before the first estimate."""


@dataclass(frozen=True, slots=True)
class _Made:
    hour: int
    crowds_at: datetime | None
    dispatcher: Dispatcher


class Advice:
    """Holds the streets as they are: the traffic of the hour, and the people on them. Any thread may ask."""

    def __init__(
        self,
        pack: Pack,
        clock: Clock,
        playbooks: Playbooks,
        crowds: Crowds | None = None,
        past: Callable[[], Learned] = Learned,
    ) -> None:
        self._pack = pack
        self._clock = clock
        self._playbooks = playbooks
        self._crowds = crowds
        self._zone = ZoneInfo(pack.time_zone)
        self._lock = threading.Lock()
        self._made: _Made | None = None
        self._past = past
        self._learned = Learned()
        self._learned_on: date | None = None
        self._usual: Demand | None = None

    def learn(self) -> None:
        """Learn from what is kept, once a day of the district; it may take seconds."""
        today = self._clock.now().astimezone(self._zone).date()
        if today == self._learned_on:
            return
        self._learned, self._learned_on = self._past(), today
        if self._made is not None and (self._learned.demand or self._learned.fit):
            self._renew()

    def dispatcher(self) -> Dispatcher:
        """Return the dispatcher of this hour; the first one takes a second or two."""
        made = self._made
        if made is None or made.hour != self._hour():
            made = self._renew()
        return made.dispatcher

    def follow(self, units: Sequence[UnitNow]) -> None:
        """Take note of where units are now; nothing where nobody has asked yet."""
        if self._made is not None:
            self._made.dispatcher.follow(units)

    def expect(self, lon: float, lat: float) -> None:
        """Search the streets around a point (degrees) where units will be asked for, so that nobody waits for it."""
        if self._made is None:
            return
        x, y = (float(value) for value in self._pack.projection.to_metres(lon, lat))
        for mode in sorted({one.mode for one in self._playbooks.unit_kinds.values()}):
            self._made.dispatcher.ground.times_to_s(mode, x, y)

    def keep_up(self) -> bool:
        """Look at hour and crowds again where it is time, so that nobody who asks has to wait; tell whether it was."""
        made, told = self._made, self._told()
        if made is None or (made.hour == self._hour() and not _later(told, made.crowds_at)):
            return False
        self._renew()
        return True

    def _hour(self) -> int:
        return self._clock.now().astimezone(self._zone).hour

    def _told(self) -> datetime | None:
        """Return the minute that is known of crowds."""
        nowhere = np.empty(0)
        told = None if self._crowds is None else self._crowds(nowhere, nowhere)
        return None if told is None else told[0]

    def _renew(self) -> _Made:
        with self._lock:
            before, hour = self._made, self._hour()
            ground = Ground.of(self._pack, hour=hour) if before is None else before.dispatcher.ground
            graph = ground.graph
            x, y = ((of[graph.tail] + of[graph.head]) / 2 for of in (graph.x_m, graph.y_m))
            told = None if self._crowds is None else self._crowds(x, y)
            at, crowd = told or (None, None)
            if before is not None or crowd is not None:
                ground = ground.under(Conditions(hour=hour, siren=True, crowd_per_m2=crowd))
            self._usual = self._usual or ground.demand
            ground = ground.for_demand(demand_at(self._pack, self._usual, self._learned.demand, self._clock.now()))
            posts = {one.post_id: (one.point.x, one.point.y) for one in self._pack.posts}
            dispatcher = Dispatcher(
                pack=self._pack, ground=ground, playbooks=self._playbooks, posts=posts, fit=self._learned.fit
            )
            self._made = _Made(hour, at, dispatcher)
            return self._made

    def soonest_s(self, units: Sequence[UnitNow], x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return how soon the first free unit would be at each point (metres), s; infinite beyond five minutes."""
        x, y = np.atleast_1d(np.asarray(x_m, float)), np.atleast_1d(np.asarray(y_m, float))
        ready = [(one, kind) for one in units if one.is_free and (kind := self._playbooks.kind_of(one.unit))]
        lon = np.array([np.nan if one.lon is None else one.lon for one, _ in ready])
        lat = np.array([np.nan if one.lat is None else one.lat for one, _ in ready])
        known = np.flatnonzero(np.isfinite(lon))
        if not len(known):
            return np.full(len(x), np.inf)
        ground = self.dispatcher().ground
        modes = [ready[int(k)][1].mode for k in known]
        turnout = np.array([ready[int(k)][1].turnout_s for k in known])
        own_x, own_y = self._pack.projection.to_metres(lon[known], lat[known])
        best = soonest_s(ground, modes, own_x, own_y, turnout, REACHED_S)
        node, last_s = ground.nearest("foot", x, y)
        made = best[node] + last_s
        return np.where(made <= REACHED_S, made, np.inf)


def _later(told: datetime | None, before: datetime | None) -> bool:
    """Tell whether crowds are known of a moment that is later by enough, or of one at all where none was."""
    if told is None:
        return False
    return before is None or not timedelta(0) <= told - before < CROWDS_EVERY
