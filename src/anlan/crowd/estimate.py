"""The estimator: every minute, from what was counted, how many people are in each cell."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from anlan.crowd.balance import Balance
from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.filter import Filter, newer
from anlan.crowd.kalman import whole
from anlan.crowd.layout import Layout, Params
from anlan.crowd.parcels import Parcels
from anlan.crowd.pattern import drawn
from anlan.crowd.rows import Blocks
from anlan.crowd.sources import sources_of
from anlan.crowd.state import Minute, Moment, Names, State
from anlan.crowd.watch import Watcher
from anlan.crowd.why import Evidence
from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import Observation

Floats = npt.NDArray[np.float64]

SETTLED = 0.5
"""The part of a night in which people indoors are learned well enough."""


class Estimator:
    """Infers people in public space from all counts of a district. It holds constants only; what changes is the state.

    Devices are watched, those at fault are left out, and all others are heard by the filter
    (:class:`anlan.crowd.filter.Filter`). A location grid comes minutes late: it is put at its place in time, for the
    estimator returns to that moment and makes the minutes since again. Where no device tells how many are present,
    there is no filter, and all is unknown.

    Parameters
    ----------
    pack : Pack
        The district.
    cells : Cells
        Its squares.
    params : Params
        Constants of the method.
    """

    def __init__(self, pack: Pack, cells: Cells, params: Params | None = None) -> None:
        self.cells = cells
        self.params = (params or Params()).given(cells)
        self.sources = sources_of(pack, cells)
        self.watcher = Watcher(pack)
        self._blocks = Blocks.of(cells, self.params.block_m, self.sources.cordons.weights)
        known = self.sources.tell_presence
        self._filter = Filter(pack, cells, self.sources, self._blocks, self.params) if known else None
        self._parcels = Parcels.of(cells, pack)
        self._open_ground = np.full(len(cells), bool(self.sources.grids))
        self._open_ground[self.sources.cordons.weights.indices] = False
        self._grids = frozenset(grid.device.device_id for grid in self.sources.grids)
        every = min((grid.device.interval_s for grid in self.sources.grids), default=0.0)
        self._anchor_every_s = max(every, 60.0) if self.sources.grids else None
        self._wait = timedelta(minutes=self.params.grid_wait_min)
        watched = tuple(device.device_id for device in self.watcher.devices)
        self._names = Names(self.sources.names if known else (), watched, _ground(self.layout))

    @property
    def layout(self) -> Layout | None:
        """What the numbers of the filter mean; None where there is none."""
        return None if self._filter is None else self._filter.layout

    def start(self, at: datetime) -> State:
        """Return the state before anything is observed."""
        present = self._nothing(at) if self._filter is None else self._filter.start(at)
        anchors = (present,) if self._anchor_every_s else ()
        return State(present=present, anchors=anchors, health=self.watcher.start(), names=self._names)

    def _nothing(self, at: datetime) -> Moment:
        gates = self.sources.cordons.gates
        return Moment(
            at=at,
            mean=np.zeros(0),
            covariance=np.zeros((0, 0)),
            unusual=np.empty(0),
            balance=Balance.nothing(len(gates.cordon), gates.n_cordons),
        )

    def restore(self, body: bytes) -> State:
        """Return a state from its bytes, exactly as it was.

        Raises
        ------
        BadInput
            If the bytes are of another form, or of a district with other devices or cells.
        """
        anchor, minutes, health, names = State.parts(body)
        start = self.start(anchor.at)
        names = names or start.names
        fresh = start.present
        here, there = (len(fresh.mean), len(fresh.balance.net)), (len(anchor.mean), len(anchor.balance.net))
        if names.watched != start.names.watched or health.counts.shape != start.health.counts.shape:
            health = start.health
        if names.numbers != start.names.numbers:
            odd = next(iter(sorted({*names.numbers} ^ {*start.names.numbers})), "their order")
            raise BadInput(
                f"state of other places and devices ({odd})",
                "must be of those that the district has now, in their order",
                "start the estimate afresh",
            )
        if names.ground and names.ground != start.names.ground:
            raise BadInput(
                "state of other ground",
                "must be of the district's boundary and places now",
                "start the estimate afresh",
            )
        if here != there:
            raise BadInput(
                f"state of {there[0]} numbers and {there[1]} gates",
                f"must be of {here[0]} and {here[1]}, as the district's devices are now",
                "start the estimate afresh",
            )
        state = replace(start, present=anchor, anchors=(anchor,) if self._anchor_every_s else (), health=health)
        return state if self._filter is None else self._again(self._filter, state, minutes)

    def advance(self, state: State, observations: Sequence[Observation], at: datetime) -> State:
        """Return the state at a later moment, with what was counted meanwhile.

        Pure: it asks no clock and draws no random number; the order of the observations does not matter.

        Parameters
        ----------
        state : State
        observations : sequence of Observation
            Whose windows end by ``at``; late ones may be among them.
        at : datetime
            Not before the state's own moment.
        """
        ordered = sorted(observations, key=lambda seen: (seen.end_at, seen.device_id, seen.sequence))
        counts = tuple(seen for seen in ordered if seen.device_id not in self._grids)
        health = self.watcher.watch(state.health, counts, state.present.surprise, at)
        state = replace(state, health=health)
        if self._filter is None:
            return replace(state, present=replace(state.present, at=at, newest=newer(state.present.newest, ordered)))
        left_out = self.watcher.distrusted(health)
        state = self._with_minute(self._filter, state, Minute(at=at, observations=counts, distrusted=left_out))
        for seen in ordered:
            if seen.device_id in self._grids:
                state = self._absorb(self._filter, state, seen)
        anchors = state.anchors
        while len(anchors) > 1 and anchors[1].at <= at - self._wait:
            anchors = anchors[1:]
        since = anchors[0].at if anchors else at
        return replace(state, anchors=anchors, minutes=tuple(m for m in state.minutes if m.at > since))

    def field(self, state: State, proven: float = 1.0) -> Field:
        """Return the estimate of the state's moment, told by parcels: nothing finer leaves the estimator.

        ``proven`` is the factor on the spread of what is told of open ground that withheld views have shown.
        """
        moment = state.present
        if self._filter is None:
            nothing = np.full(len(self.cells), np.nan)
            return Field(
                at=moment.at,
                persons=nothing,
                informed_at=nothing,
                informed_until=nothing,
                covariance=np.zeros((0, 0), np.float32),
                hats=None,
                blocks=self._blocks,
                fine=np.empty(0),
                doubt=np.ones(len(self.cells)),
                params=self.params,
                open_ground=self._open_ground,
            )
        informed_at, informed_until = self._informed(moment.newest)
        smooth, fine, layout = self._filter.persons(moment), self._filter.fine(moment), self._filter.layout
        persons, doubt = drawn(smooth, self.sources.views, moment.viewed, self._blocks, fine, self.params)
        return Field(
            at=moment.at,
            persons=self._parcels.spread(persons),
            informed_at=informed_at,
            informed_until=informed_until,
            covariance=whole(moment.covariance, layout.out.stop, np.float32),
            hats=layout.out_hats,
            blocks=self._blocks,
            fine=fine,
            doubt=doubt,
            params=self.params,
            open_ground=self._open_ground,
            unsettled=self._unsettled(moment, persons),
            proven=proven,
        )

    def _unsettled(self, moment: Moment, persons: Floats) -> Floats | None:
        """Return the spread of everything together before a night, and in any, by cell; None where there is none.

        The more are indoors beside those who are out, the wider; behind gates until their own first night is over.
        """
        untold, left = moment.balance.dawns == 0, max(1 - moment.nights / SETTLED, 0.0)
        most = behind = self.params.unsettled
        asleep = 0.0
        if self.cells.surveyed and self.cells.counted_at_home:
            indoors = float(self.cells.indoors.sum() / max(persons.sum(), 1.0))
            itself, for_each, behind = self.params.counted_unsettled
            more, beyond = self.params.counted_asleep
            asleep = min(more * max(indoors - beyond, 0.0), most)
            most = min(most, itself + for_each * indoors)
        if not self._grids or not (left or asleep or untold.any()):
            return None
        gated = np.asarray(self.sources.cordons.weights[untold].sum(axis=0)).ravel()
        return np.maximum(left * most * (1 - gated) + behind * gated, asleep * self._open_ground)

    def evidence(self, state: State) -> Evidence | None:
        """Return what every source that reports says at the state's moment, for :func:`anlan.crowd.why.why`.

        What is counted moves the mean only; how sure it makes a number depends on who counts, and where.
        """
        if self._filter is None:
            return None
        return self._filter.evidence(state.present, self._parcels.spread(self._filter.persons(state.present)))

    # -- minutes ---------------------------------------------------------------------------------------------------

    def _with_minute(self, its: Filter, state: State, minute: Minute) -> State:
        present = its.after(state.present, minute)
        for seen in minute.observations:
            if seen.device_id in self._grids:
                present = its.with_grid(present, seen)
        anchors = state.anchors
        every = self._anchor_every_s
        if every and state.present.at.timestamp() // every < minute.at.timestamp() // every:
            anchors = (*anchors, present)
        minutes = (*state.minutes, minute) if every else ()
        return replace(state, present=present, anchors=anchors, minutes=minutes)

    def _again(self, its: Filter, state: State, minutes: Iterable[Minute]) -> State:
        for minute in minutes:
            state = self._with_minute(its, state, minute)
        return state

    def _absorb(self, its: Filter, state: State, seen: Observation) -> State:
        """Put a location grid at its place in time, and make the minutes since again."""
        if seen.end_at < state.present.at - self._wait:
            return replace(state, present=replace(state.present, newest=newer(state.present.newest, [seen])))
        nearest = min(range(len(state.anchors)), key=lambda k: abs(state.anchors[k].at - seen.end_at))
        anchor = its.with_grid(state.anchors[nearest], seen)
        before = [m for m in state.minutes if m.at < anchor.at]
        here = [replace(m, observations=(*m.observations, seen)) for m in state.minutes if m.at == anchor.at]
        after = [m for m in state.minutes if m.at > anchor.at]
        again = replace(state, present=anchor, anchors=(*state.anchors[:nearest], anchor), minutes=(*before, *here))
        return self._again(its, again, after)

    # -- fields ----------------------------------------------------------------------------------------------------

    def _informed(self, newest: Mapping[str, datetime]) -> tuple[Floats, Floats]:
        """Return since when, and until when, each cell is informed by something that tells presence."""
        n = len(self.cells)
        since, until = np.full(n, -np.inf), np.full(n, -np.inf)

        def say(cells: npt.NDArray[np.int64], end_at: datetime, patience_s: float) -> None:
            since[cells] = np.maximum(since[cells], end_at.timestamp())
            until[cells] = np.maximum(until[cells], end_at.timestamp() + patience_s)

        for grid in self.sources.grids:
            if grid.device.device_id in newest:
                # it is made minutes after its window, so it stands for two intervals and the usual wait
                say(np.unique(grid.weights.indices), newest[grid.device.device_id], 2 * grid.device.interval_s + 900)
        for k, device in enumerate(self.sources.views.devices):
            if device.device_id in newest:
                say(self.sources.views.weights[k].indices, newest[device.device_id], 2 * device.interval_s + 60)
        for k, gates in enumerate(self.sources.cordons.devices):
            heard = [newest[gate.device_id] for gate in gates if gate.device_id in newest]
            if len(heard) == len(gates):
                say(self.sources.cordons.weights[k].indices, min(heard), 2 * gates[0].interval_s + 600)
        return np.where(np.isfinite(since), since, np.nan), np.where(np.isfinite(until), until, np.nan)


def _ground(layout: Layout | None) -> str:
    """Return a fingerprint of where the filter's knots and places are, to the metre."""
    if layout is None:
        return ""
    return hashlib.sha256(np.rint(layout.out_at).astype(np.int64).tobytes()).hexdigest()[:16]
