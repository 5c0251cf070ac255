"""The estimator: every minute, from what was counted, how many people are in each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anlan.crowd import profile
from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.kalman import gained, relax, update
from anlan.crowd.layout import Params, layout_of
from anlan.crowd.rows import Rows, cordon_rows, grid_rows, passage_rows, unresolved, view_rows
from anlan.crowd.sources import Grid, sources_of
from anlan.crowd.state import Minute, Moment, State
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, Observation

Floats = npt.NDArray[np.float64]

STEEP = 4.0
"""A knot's log-ratio is held within this, a factor of fifty either way."""


class Estimator:
    """Infers people in public space from all counts of a district. It holds constants only; what changes is the state.

    The state is a vector of smooth log-ratios to what is expected (see :class:`anlan.crowd.layout.Layout`) with a bias
    for each device, and its covariance: a Kalman filter, linearised about the present guess every minute. People are
    positive by construction, and conserved in closed places by the balance of their gates.

    Parameters
    ----------
    pack : Pack
        The district.
    cells : Cells
        Its squares.
    params : Params
        Constants of the method.

    Notes
    -----
    A location grid comes minutes late. It is put at its place in time: the filter returns to that moment and makes the
    minutes since again.

    References
    ----------
    F. Lindgren, D. Bolin, H. Rue, *The SPDE approach for Gaussian and non-Gaussian fields*, Spatial Statistics 2022 (knots and hat functions);
    D. Simon, *Optimal State Estimation*, 2006, ch. 13 (linearised filter).
    """

    def __init__(self, pack: Pack, cells: Cells, params: Params | None = None) -> None:
        self.cells = cells
        self.params = params or Params()
        self.sources = sources_of(pack, cells)
        self.layout = layout_of(cells, self.sources, self.params) if self.sources.tell_presence else None
        self._zone = ZoneInfo(pack.time_zone)
        self._devices = {device.device_id: device for device in pack.devices}
        self._grids = {grid.device.device_id: k for k, grid in enumerate(self.sources.grids)}
        self._cordon_of = self.sources.cordons.cordon_of
        every = min((grid.device.interval_s for grid in self.sources.grids), default=0.0)
        self._anchor_every_s = max(every, 60.0) if self.sources.grids else None

    def start(self, at: datetime) -> State:
        """Return the state before anything is observed."""
        n_cordons = len(self.sources.cordons.place_ids)
        size = self.layout.size if self.layout else 0
        covariance = self.layout.stationary if self.layout else np.zeros((0, 0))
        nothing = np.zeros(n_cordons)
        present = Moment(at=at, mean=np.zeros(size), covariance=covariance, balance=nothing, through=nothing)
        return State(present=present, anchors=(present,) if self._anchor_every_s else ())

    def restore(self, body: bytes) -> State:
        """Return a state from its bytes, exactly as it was.

        Raises
        ------
        BadInput
            If the bytes are of another form.
        """
        anchor, minutes = State.parts(body)
        state = State(present=anchor, anchors=(anchor,) if self._anchor_every_s else ())
        return self._again(state, minutes)

    def advance(self, state: State, observations: Sequence[Observation], at: datetime) -> State:
        """Return the state at a later moment, with what was counted meanwhile.

        Pure: it asks no clock and draws no random number; the order of the observations does not matter.

        Parameters
        ----------
        state : State
        observations : sequence of Observation
            Whose windows end by ``at``; late ones may be among them.
        at : datetime
        """
        ordered = sorted(observations, key=lambda seen: (seen.end_at, seen.device_id, seen.sequence))
        if self.layout is None:
            return State(present=replace(state.present, at=at, newest=_newest(state.present.newest, ordered)))
        late = [seen for seen in ordered if seen.device_id in self._grids]
        rest = tuple(seen for seen in ordered if seen.device_id not in self._grids)
        for seen in late:
            state = self._absorb(state, seen)
        state = self._with_minute(state, Minute(at=at, observations=rest))
        oldest = at - timedelta(minutes=self.params.grid_wait_min)
        anchors = state.anchors
        while len(anchors) > 1 and anchors[1].at <= oldest:
            anchors = anchors[1:]
        since = anchors[0].at if anchors else at
        return replace(state, anchors=anchors, minutes=tuple(m for m in state.minutes if m.at > since))

    def field(self, state: State) -> Field:
        """Return the estimate of the state's moment."""
        moment = state.present
        if self.layout is None:
            nothing = np.full(len(self.cells), np.nan)
            return Field(
                at=moment.at,
                persons=nothing,
                informed_at=nothing,
                informed_until=nothing,
                lower=np.zeros((0, 0)),
                hats=None,
                size_m=self.cells.size_m,
                params=self.params,
            )
        informed_at, informed_until = self._informed(moment.newest)
        return Field(
            at=moment.at,
            persons=self._persons(moment.mean, moment.at),
            informed_at=informed_at,
            informed_until=informed_until,
            lower=moment.covariance[self.layout.out, self.layout.out],
            hats=self.layout.out_hats,
            size_m=self.cells.size_m,
            params=self.params,
        )

    # -- minutes ---------------------------------------------------------------------------------------------------

    def _with_minute(self, state: State, minute: Minute) -> State:
        counts = [seen for seen in minute.observations if seen.device_id not in self._grids]
        present = self._minute(state.present, counts, minute.at)
        for seen in minute.observations:
            if seen.device_id in self._grids:
                present = self._with_grid(present, seen)
        anchors = state.anchors
        if self._anchor_every_s and minute.at.timestamp() % self._anchor_every_s == 0:
            anchors = (*anchors, present)
        return State(present=present, anchors=anchors, minutes=(*state.minutes, minute))

    def _again(self, state: State, minutes: Iterable[Minute]) -> State:
        for minute in minutes:
            state = self._with_minute(state, minute)
        return state

    def _absorb(self, state: State, seen: Observation) -> State:
        """Put a location grid at its place in time, and make the minutes since again."""
        patience = timedelta(minutes=self.params.grid_wait_min)
        if seen.end_at < state.present.at - patience:
            return replace(state, present=replace(state.present, newest=_newest(state.present.newest, [seen])))
        nearest = min(range(len(state.anchors)), key=lambda k: abs(state.anchors[k].at - seen.end_at))
        anchor = self._with_grid(state.anchors[nearest], seen)
        before = [m for m in state.minutes if m.at < anchor.at]
        here = [replace(m, observations=(*m.observations, seen)) for m in state.minutes if m.at == anchor.at]
        after = [m for m in state.minutes if m.at > anchor.at]
        again = State(present=anchor, anchors=(*state.anchors[:nearest], anchor), minutes=(*before, *here))
        return self._again(again, after)

    def _minute(self, moment: Moment, counts: Sequence[Observation], at: datetime) -> Moment:
        layout = self.layout
        assert layout is not None  # noqa: S101 - only called where something tells presence
        elapsed = max((at - moment.at).total_seconds() / 60, 0.0)
        keep = layout.keep**elapsed
        mean, covariance = moment.mean * keep, relax(moment.covariance, layout.stationary, keep)
        newest = _newest(moment.newest, counts)
        balance, through, unsure = self._gates(moment, counts, newest, at)
        each = np.arange(layout.offset.start, layout.offset.stop)
        covariance[each, each] += unsure
        persons = self._persons(mean, at)
        fresh = self._fresh(counts, at)
        cordons = self.sources.cordons
        fine = unresolved(cordons.weights, persons, self.cells.size_m, self.params) if len(each) else np.empty(0)
        told = [
            passage_rows(layout, self.sources, fresh, mean, persons / self.cells.walkable_m2),
            view_rows(layout, self.sources, fresh, mean, persons),
            cordon_rows(layout, self.sources, balance, through, mean, persons, fine),
        ]
        mean, covariance = self._believe(mean, covariance, [rows for rows in told if rows is not None])
        return Moment(at=at, mean=mean, covariance=covariance, balance=balance, through=through, newest=newest)

    def _believe(self, mean: Floats, covariance: Floats, told: Sequence[Rows]) -> tuple[Floats, Floats]:
        """Update with the rows, leaving out single ones that surprise beyond belief."""
        if not told:
            return mean, covariance
        matrix = np.vstack([rows.matrix for rows in told])
        surprise = np.concatenate([rows.surprise for rows in told])
        noise = np.concatenate([rows.noise for rows in told])
        gated = np.concatenate([np.full(len(rows.noise), rows.gated) for rows in told])
        variance = np.einsum("ij,ji->i", matrix, gained(covariance, matrix)) + noise
        believed = ~gated | (surprise**2 / variance < self.params.surprise_limit)
        if not believed.any():
            return mean, covariance
        return update(mean, covariance, matrix[believed], surprise[believed], noise[believed])

    def _gates(
        self, moment: Moment, counts: Sequence[Observation], newest: Mapping[str, datetime], at: datetime
    ) -> tuple[Floats, Floats, Floats]:
        """Return balance and through-flow of the cordons, and what the offsets lose in certainty (thousands squared)."""
        n = len(self.sources.cordons.place_ids)
        balance, through = moment.balance.copy(), moment.through.copy()
        gross, silent = np.zeros(n), np.zeros(n)
        for seen in counts:
            cordon = self._cordon_of.get(seen.device_id)
            if cordon is None or seen.n_in is None or seen.n_out is None:
                continue
            balance[cordon] += (seen.n_in - seen.n_out) / (1 - self.params.gate_miss)
            through[cordon] += (seen.n_in + seen.n_out) / 2 / (1 - self.params.gate_miss)
            gross[cordon] += seen.n_in + seen.n_out
        for k, gates in enumerate(self.sources.cordons.gates):
            quiet = [gate for gate in gates if not _speaks(gate, newest, at)]
            silent[k] = len(quiet) / len(gates)
        inside = np.maximum(np.abs(balance), 100.0)
        lost = (0.02 * inside * silent) ** 2
        return balance, through, ((self.params.asymmetry * gross) ** 2 * 0.05 + gross * 0.05 + lost) / 1e6

    def _fresh(self, counts: Sequence[Observation], at: datetime) -> dict[str, Observation]:
        """Return the newest count of each device, where it is new enough to speak of this minute."""
        fresh = {}
        for seen in counts:
            device = self._devices.get(seen.device_id)
            if device and (at - seen.end_at).total_seconds() <= max(2 * device.interval_s, 120.0):
                fresh[seen.device_id] = seen  # they are ordered by time
        return fresh

    # -- location grids --------------------------------------------------------------------------------------------

    def _with_grid(self, moment: Moment, seen: Observation) -> Moment:
        """Update a moment with a location grid; the second pass is about the guess that the first one made."""
        layout, counts = self.layout, seen.counts
        assert layout is not None and counts is not None  # noqa: S101, PT018 - a grid tells presence, the door saw to counts
        number = self._grids[seen.device_id]
        grid = self.sources.grids[number]
        width = layout.share_hats.shape[1]
        knots = slice(layout.share.start + number * width, layout.share.start + (number + 1) * width)
        middle = seen.begin_at + (seen.end_at - seen.begin_at) / 2
        guess, believed = moment.mean, None
        for _ in range(2):
            fields = self._seen_by(grid, guess, knots, middle)
            fine = unresolved(grid.weights, fields[0] * fields[2], self.cells.size_m, self.params)
            rows, told = grid_rows(layout, grid, knots, counts, fields, self.params, fine)
            if not told.any():
                return moment
            surprise = rows.surprise - rows.matrix @ (moment.mean - guess)
            if believed is None:
                variance = np.einsum("ij,ji->i", rows.matrix, gained(moment.covariance, rows.matrix)) + rows.noise
                believed = np.zeros(len(told), bool)
                believed[told] = surprise**2 / variance < self.params.surprise_limit
            use = believed[told]
            mean, covariance = update(moment.mean, moment.covariance, rows.matrix[use], surprise[use], rows.noise[use])
            guess = mean
        return replace(moment, mean=mean, covariance=covariance, newest=_newest(moment.newest, [seen]))

    def _seen_by(self, grid: Grid, mean: Floats, knots: slice, at: datetime) -> tuple[Floats, Floats, Floats]:
        layout = self.layout
        assert layout is not None  # noqa: S101 - only called where something tells presence
        indoors = self.cells.indoors * profile.indoors(at, self._zone)
        indoors = indoors * np.exp(np.clip(layout.in_hats @ mean[layout.indoors], -STEEP, STEEP))
        share = grid.share * np.exp(np.clip(layout.share_hats @ mean[knots], -2, 2))
        return self._persons(mean, at), indoors, share

    # -- fields ----------------------------------------------------------------------------------------------------

    def _persons(self, mean: Floats, at: datetime) -> Floats:
        layout = self.layout
        assert layout is not None  # noqa: S101 - only called where something tells presence
        ratio = np.exp(np.clip(layout.out_hats @ mean[layout.out], -STEEP, STEEP))
        return np.asarray(self.cells.expected * profile.outdoors(at, self._zone) * ratio)

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
        for k, gates in enumerate(self.sources.cordons.gates):
            heard = [newest[gate.device_id] for gate in gates if gate.device_id in newest]
            if len(heard) == len(gates):
                say(self.sources.cordons.weights[k].indices, min(heard), 2 * gates[0].interval_s + 600)
        return np.where(np.isfinite(since), since, np.nan), np.where(np.isfinite(until), until, np.nan)


def _newest(newest: Mapping[str, datetime], seen: Iterable[Observation]) -> dict[str, datetime]:
    out = dict(newest)
    for one in seen:
        if one.device_id not in out or out[one.device_id] < one.end_at:
            out[one.device_id] = one.end_at
    return out


def _speaks(device: Device, newest: Mapping[str, datetime], at: datetime) -> bool:
    last = newest.get(device.device_id)
    return last is not None and (at - last).total_seconds() <= max(2 * device.interval_s, 120.0)
