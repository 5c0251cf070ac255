"""The dispatcher of the hour: built once, kept up with the clock, asked by whoever must know who could go."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anlan.kernel.clock import Clock
from anlan.kernel.pack import Pack
from anlan.kernel.response import UnitNow
from anlan.response.dispatch import Dispatcher, Ground, Playbooks, soonest_s
from anlan.response.travel import Conditions

REACHED_S = 300.0


class Advice:
    """Holds the streets as they are in the present hour. Any thread may ask."""

    def __init__(self, pack: Pack, clock: Clock, playbooks: Playbooks) -> None:
        self._pack = pack
        self._clock = clock
        self._playbooks = playbooks
        self._zone = ZoneInfo(pack.time_zone)
        self._lock = threading.Lock()
        self._made: tuple[int, Dispatcher] | None = None

    def dispatcher(self) -> Dispatcher:
        """Return the dispatcher of this hour; the first one takes a second or two."""
        hour = self._clock.now().astimezone(self._zone).hour
        with self._lock:
            made = self._made
            if made is None or made[0] != hour:
                if made is None:
                    ground = Ground.of(self._pack, hour=hour)
                else:
                    ground = made[1].ground.under(Conditions(hour=hour, siren=True))
                posts = {one.post_id: (one.point.x, one.point.y) for one in self._pack.posts}
                dispatcher = Dispatcher(pack=self._pack, ground=ground, playbooks=self._playbooks, posts=posts)
                made = self._made = (hour, dispatcher)
            return made[1]

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
