"""The estimator: every minute, from what was counted, how many people are in each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.crowd import balance, profile
from anlan.crowd.balance import Balance
from anlan.crowd.cells import Cells
from anlan.crowd.dawn import MISSED, Inside, dawned, inside_by_estimate, told_by_nights
from anlan.crowd.field import Field
from anlan.crowd.kalman import Innovation, crossed, dots, relax, whole
from anlan.crowd.layout import Params, layout_of
from anlan.crowd.parcels import Parcels
from anlan.crowd.pattern import drawn
from anlan.crowd.rows import (
    Blocks,
    GridNoise,
    Rows,
    Seen,
    asleep_rows,
    cordon_rows,
    doubted,
    grid_rows,
    passage_rows,
    unresolved,
    view_rows,
)
from anlan.crowd.sources import Passages, Views, sources_of, visited
from anlan.crowd.state import Minute, Moment, State
from anlan.crowd.unusual import Unusual
from anlan.crowd.watch import Watcher
from anlan.crowd.watched import Surprise
from anlan.crowd.why import Evidence
from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, Observation

Floats = npt.NDArray[np.float64]

STEEP = 8.0
"""A knot's log-ratio is held within this: a feast can fill a quay a thousand times above its usual."""
NIGHT, DAWN = time(2), time(9)
"""Local times between which closed places are emptiest; counting must have begun by then to tell."""

ASLEEP_AT = time(4)
"""Local time at which those are at home whom a census has there."""
SETTLED = 0.5
"""The part of a night in which people indoors are learned well enough."""


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
    F. Lindgren, D. Bolin, H. Rue, *The SPDE approach for Gaussian and non-Gaussian fields*, Spatial Statistics 2022
    (knots and hat functions); D. Simon, *Optimal State Estimation*, 2006, ch. 13 (linearised filter).
    """

    def __init__(self, pack: Pack, cells: Cells, params: Params | None = None) -> None:
        self.cells = cells
        self.params = (params or Params()).given(cells)
        self.sources = sources_of(pack, cells)
        self.layout = layout_of(cells, self.sources, self.params) if self.sources.tell_presence else None
        self.watcher = Watcher(pack)
        self._blocks = Blocks.of(cells, self.params.block_m, self.sources.cordons.weights)
        self._unusual = Unusual.of(cells, self.layout, self._blocks, self.sources, self.params) if self.layout else None
        self._parcels = Parcels.of(cells, pack)
        self._with_visitors = 1 + self.params.visitors * visited(cells)
        self._open_ground = np.full(len(cells), bool(self.sources.grids))
        self._open_ground[self.sources.cordons.weights.indices] = False
        self._behind_gates = np.unique(self.sources.cordons.weights.indices)
        self._zone = ZoneInfo(pack.time_zone)
        self._devices = {device.device_id: device for device in pack.devices}
        self._grids = {grid.device.device_id: k for k, grid in enumerate(self.sources.grids)}
        every = min((grid.device.interval_s for grid in self.sources.grids), default=0.0)
        self._anchor_every_s = max(every, 60.0) if self.sources.grids else None
        self._wait = timedelta(minutes=self.params.grid_wait_min)

    def start(self, at: datetime) -> State:
        """Return the state before anything is observed."""
        covariance = self.layout.stationary if self.layout else np.zeros((0, 0))
        gates = self.sources.cordons.gates
        nothing = Balance.nothing(len(gates.cordon), gates.n_cordons)
        unusual = self._unusual.start() if self._unusual else np.empty(0)
        mean = np.zeros(len(covariance))
        if self.layout is not None:
            mean[self.layout.crowding] = self.params.crowding[0]
        present = Moment(at=at, mean=mean, covariance=covariance, unusual=unusual, balance=nothing)
        return State(present=present, anchors=(present,) if self._anchor_every_s else (), health=self.watcher.start())

    def restore(self, body: bytes) -> State:
        """Return a state from its bytes, exactly as it was.

        Raises
        ------
        BadInput
            If the bytes are of another form, or of a district with other devices or cells.
        """
        anchor, minutes, health = State.parts(body)
        start = self.start(anchor.at)
        fresh = start.present
        here, there = (len(fresh.mean), len(fresh.balance.net)), (len(anchor.mean), len(anchor.balance.net))
        if health.counts.shape != start.health.counts.shape:
            health = start.health
        if here != there:
            raise BadInput(
                f"state of {there[0]} numbers and {there[1]} gates",
                f"must be of {here[0]} and {here[1]}, as the district's devices are now",
                "start the estimate afresh",
            )
        state = State(present=anchor, anchors=(anchor,) if self._anchor_every_s else (), health=health)
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
            Not before the state's own moment.
        """
        ordered = sorted(observations, key=lambda seen: (seen.end_at, seen.device_id, seen.sequence))
        counts = tuple(seen for seen in ordered if seen.device_id not in self._grids)
        health, _ = self.watcher.watch(state.health, counts, state.present.surprise, at)
        state = replace(state, health=health)
        if self.layout is None:
            return replace(state, present=replace(state.present, at=at, newest=_newest(state.present.newest, ordered)))
        left_out = self.watcher.distrusted(health)
        state = self._with_minute(state, Minute(at=at, observations=counts, distrusted=left_out))
        for seen in ordered:
            if seen.device_id in self._grids:
                state = self._absorb(state, seen)
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
        if self.layout is None:
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
        smooth, fine = self._persons(moment.mean, moment.at), self._fine(moment)
        persons, doubt = drawn(smooth, self.sources.views, moment.viewed, self._blocks, fine, self.params)
        return Field(
            at=moment.at,
            persons=self._parcels.spread(persons),
            informed_at=informed_at,
            informed_until=informed_until,
            covariance=whole(moment.covariance, self.layout.out.stop, np.float32),
            hats=self.layout.out_hats,
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
        layout, moment = self.layout, state.present
        if layout is None or self._unusual is None:
            return None
        at, mean = moment.at, moment.mean
        persons = self._parcels.spread(self._persons(mean, at))
        newest = [
            Observation(
                device_id=device_id, begin_at=end_at - timedelta(minutes=1), end_at=end_at, sequence=0, n_passed=1
            )
            for device_id, end_at in moment.newest.items()
        ]
        fresh, sources = self._fresh(newest, at), self.sources
        balances = balance.told(sources.cordons.gates, moment.balance)
        fine = unresolved(sources.cordons.weights, persons, self._blocks, self._fine(moment), self.params.patch_m)
        heard = np.flatnonzero(np.isfinite(balances.missing_var))
        gates = [tuple(gate.device_id for gate in sources.cordons.devices[k]) for k in heard]
        found = [
            (
                passage_rows(layout, sources, fresh, mean, persons / self.cells.walkable_m2),
                _each(sources.passages, fresh),
            ),
            (view_rows(layout, sources, fresh, mean, persons), _each(sources.views, fresh)),
            (cordon_rows(layout, sources.cordons, balances, mean, persons, fine), gates),
            *(self._grid_evidence(number, moment) for device_id, number in self._grids.items() if device_id in fresh),
        ]
        covariance, out = whole(moment.covariance), layout.out
        covariance[out, :], covariance[:, out] = 0.0, 0.0
        scale, level = self._unusual.scale(moment.unusual)[out], self._unusual.level(moment.unusual)[:, out]
        usually, now = (np.outer(one, one) for one in level)
        covariance[out, out] = (layout.stationary[out, out] - usually) * scale * scale[:, None] + now
        return Evidence.of([(rows, names) for rows, names in found if rows is not None], covariance, out.stop)

    def _grid_evidence(self, number: int, moment: Moment) -> tuple[Rows | None, list[tuple[str, ...]]]:
        layout, grid = self.layout, self.sources.grids[number]
        assert layout is not None  # noqa: S101 - only called where something tells presence
        mean = moment.mean
        fields = self._seen_by(number, mean, moment.at)
        expected = fields.by_square(grid)
        counts = np.where(expected < grid.suppressed_below, np.nan, expected)
        rows = grid_rows(layout, grid, number, counts, fields, self._noise(moment))
        return rows, [] if rows is None else [(grid.device.device_id,)] * len(rows.noise)

    # -- minutes ---------------------------------------------------------------------------------------------------

    def _with_minute(self, state: State, minute: Minute) -> State:
        present = self._minute(state.present, minute)
        for seen in minute.observations:
            if seen.device_id in self._grids:
                present = self._with_grid(present, seen)
        anchors = state.anchors
        every = self._anchor_every_s
        if every and state.present.at.timestamp() // every < minute.at.timestamp() // every:
            anchors = (*anchors, present)
        minutes = (*state.minutes, minute) if every else ()
        return replace(state, present=present, anchors=anchors, minutes=minutes)

    def _again(self, state: State, minutes: Iterable[Minute]) -> State:
        for minute in minutes:
            state = self._with_minute(state, minute)
        return state

    def _absorb(self, state: State, seen: Observation) -> State:
        """Put a location grid at its place in time, and make the minutes since again."""
        if seen.end_at < state.present.at - self._wait:
            return replace(state, present=replace(state.present, newest=_newest(state.present.newest, [seen])))
        nearest = min(range(len(state.anchors)), key=lambda k: abs(state.anchors[k].at - seen.end_at))
        anchor = self._with_grid(state.anchors[nearest], seen)
        before = [m for m in state.minutes if m.at < anchor.at]
        here = [replace(m, observations=(*m.observations, seen)) for m in state.minutes if m.at == anchor.at]
        after = [m for m in state.minutes if m.at > anchor.at]
        again = replace(state, present=anchor, anchors=(*state.anchors[:nearest], anchor), minutes=(*before, *here))
        return self._again(again, after)

    def _minute(self, moment: Moment, minute: Minute) -> Moment:
        layout, unusual, at = self.layout, self._unusual, minute.at
        assert layout is not None  # noqa: S101 - only called where something tells presence
        assert unusual is not None  # noqa: S101 - it stands where the layout does
        unused = minute.distrusted | self._grids.keys()
        counts = [seen for seen in minute.observations if seen.device_id not in unused]
        minutes = max((at - moment.at).total_seconds() / 60, 0.0)
        fresh = self._fresh(counts, at)
        usual = self._usual(at)
        today = unusual.after(moment.unusual, usual, fresh, minutes)
        mean, covariance = self._relaxed(moment, today, minutes)
        kept, lost = self._gates(moment.balance, counts, at)
        each = np.arange(layout.offset.start, layout.offset.stop)
        covariance[each, each] += lost / 1e6
        persons = usual * self._ratio(mean)
        cordons = self.sources.cordons
        told = balance.told(cordons.gates, kept)
        kept = balance.watched_at_night(kept, told, night=NIGHT <= self._hour(moment.at) < DAWN)
        if self._hour(moment.at) < DAWN <= self._hour(at):
            mean, watched = dawned(layout, kept, mean, covariance, at.timestamp(), self.params.belief)
            kept = balance.begun_anew(cordons.gates, kept, watched, at.timestamp())
            told = balance.told(cordons.gates, kept)
        fine = unresolved(cordons.weights, persons, self._blocks, self._fine(moment), self.params.patch_m)
        asleep = self.cells.counted_at_home and self._hour(moment.at) < ASLEEP_AT <= self._hour(at)
        rows = [
            passage_rows(layout, self.sources, fresh, mean, persons / self.cells.walkable_m2),
            view_rows(layout, self.sources, fresh, mean, persons),
            cordon_rows(layout, cordons, told, mean, persons, fine),
            asleep_rows(layout, mean) if asleep and layout.homes else None,
        ]
        fixed = told_by_nights(layout, kept)
        mean, covariance, off = self._believe(mean, covariance, [one for one in rows if one is not None], fixed)
        return Moment(
            at=at,
            mean=mean,
            covariance=covariance,
            unusual=today,
            balance=kept,
            newest=_newest(moment.newest, counts),
            nights=moment.nights + self._night_seen(moment, at),
            surprise=off,
            viewed=self._viewed(moment, fresh, minute),
        )

    def _relaxed(self, moment: Moment, today: Floats, minutes: float) -> tuple[Floats, Floats]:
        """Return mean and covariance some minutes later, before anything of them is heard, on a day as unusual as that.

        Before the first look of an eye nothing was known, not even how far people stray, unless a grid was heard.
        """
        layout, unusual = self.layout, self._unusual
        assert layout is not None  # noqa: S101 - only called where something tells presence
        assert unusual is not None  # noqa: S101 - it stands where the layout does
        keep, strays = layout.keep**minutes, moment.unusual
        if unusual.looked(today) and not unusual.looked(strays) and self._grids.keys().isdisjoint(moment.newest):
            strays, keep[layout.out] = today, 0.0
        may = unusual.scale(strays), unusual.level(strays)
        mean, covariance = moment.mean * keep, relax(moment.covariance, layout.stationary, layout.ends, keep, *may)
        inside = self._inside(moment)
        if inside is not None:
            inside.put(mean, covariance, keep)
        return mean, covariance

    def _inside(self, moment: Moment) -> Inside | None:
        """Return who is inside the closed places that no night has told of, as a moment has it."""
        if moment.balance.dawns.all():
            return None
        layout, cordons = self.layout, self.sources.cordons
        assert layout is not None  # noqa: S101 - only called where something tells presence
        there = self._behind_gates
        ratio = np.exp(layout.out_hats[there] @ moment.mean[layout.out])
        persons = np.zeros(len(self.cells))
        persons[there] = self._usual(moment.at)[there] * ratio
        return inside_by_estimate(layout, cordons, balance.told(cordons.gates, moment.balance), moment, persons)

    def _fine(self, moment: Moment) -> Floats:
        assert self._unusual is not None  # noqa: S101 - the same
        return self._unusual.fine(moment.unusual)

    def _noise(self, moment: Moment) -> GridNoise:
        return GridNoise(self.params, self._blocks, self._fine(moment))

    def _night_seen(self, moment: Moment, at: datetime) -> float:
        """Return what part of a night has passed since a moment with a location grid to learn from."""
        if not NIGHT <= self._hour(at) < DAWN or self._grids.keys().isdisjoint(moment.newest):
            return 0.0
        return (at - moment.at) / (datetime.combine(at, DAWN) - datetime.combine(at, NIGHT))

    def _hour(self, at: datetime) -> time:
        return at.astimezone(self._zone).time()

    def _believe(
        self, mean: Floats, covariance: Floats, told: Sequence[Rows], fixed: npt.NDArray[np.int64]
    ) -> tuple[Floats, Floats, dict[str, Surprise]]:
        """Update with the rows of a minute, over the covariance given; return also how far each device was off.

        What is ``fixed`` counts with its uncertainty and is not moved.
        """
        if not told:
            return mean, covariance, {}
        matrix = sp.vstack([rows.matrix for rows in told], format="csr")
        surprise = np.concatenate([rows.surprise for rows in told])
        noise = np.concatenate([rows.noise for rows in told])
        limits = [np.full(len(rows.noise), self.params.belief if rows.doubted else np.inf) for rows in told]
        spread = crossed(matrix, covariance)
        variance = dots(matrix, spread) + noise
        names = [name for rows in told for name in rows.devices or ("",) * len(rows.noise)]
        noise = doubted(surprise, variance, noise, np.concatenate(limits))
        step = Innovation.of(matrix, spread, noise)
        alone, loose = step.alone(surprise)
        each = zip(names, surprise, variance, alone, 1 - noise / loose, strict=True)
        off = {name: Surprise(*map(float, numbers)) for name, *numbers in each if name}
        return self._moved(step, mean, surprise, fixed), _narrowed(step, covariance, fixed, in_place=True), off

    def _moved(self, step: Innovation, mean: Floats, surprise: Floats, fixed: npt.NDArray[np.int64]) -> Floats:
        moved = self._held(step.moved(mean, surprise))
        moved[fixed] = mean[fixed]
        return moved

    def _held(self, mean: Floats) -> Floats:
        """Hold the log-ratios within reason, so that no misfit can drive two of them apart without end."""
        layout = self.layout
        assert layout is not None  # noqa: S101 - only called where something tells presence
        homes, share = (
            [(part, STEEP) for part in layout.homes],
            [(part, 1.0) for part in (*layout.share, *layout.holder)],
        )
        lopsided = (layout.asymmetry, 4 * self.params.asymmetry)
        for part, most in ((layout.out, STEEP), (layout.shift, 1.5), lopsided, *homes, *share):
            mean[part] = np.clip(mean[part], -most, most)
        return mean

    def _gates(self, kept: Balance, counts: Sequence[Observation], at: datetime) -> tuple[Balance, Floats]:
        """Return the new balance, and the variance (persons squared) by which each cordon's offset strays meanwhile."""
        gates = self.sources.cordons.gates
        now, lost = balance.taken(gates, kept, counts, at, self.params.gate_miss, self._wait.total_seconds())
        gross = 2 * np.bincount(gates.cordon, np.maximum(now.through - kept.through, 0.0), gates.n_cordons)
        return now, lost + MISSED * ((self.params.asymmetry * gross) ** 2 + gross)

    def _viewed(self, moment: Moment, fresh: Mapping[str, Observation], minute: Minute) -> dict[str, float]:
        """Return what each view counted last, where it still speaks of this minute and is believed."""
        found = {}
        for device in self.sources.views.devices:
            name, seen = device.device_id, fresh.get(device.device_id)
            if seen is not None:
                found[name] = float(seen.n_present or 0)
            elif (
                name in moment.viewed
                and name not in minute.distrusted
                and speaks(device, moment.newest[name], minute.at)
            ):
                found[name] = moment.viewed[name]
        return found

    def _fresh(self, counts: Sequence[Observation], at: datetime) -> dict[str, Observation]:
        """Return the newest count of each device, where it is new enough to speak of this minute."""
        fresh = {}
        for seen in counts:
            device = self._devices.get(seen.device_id)
            if device and speaks(device, seen.end_at, at):
                fresh[seen.device_id] = seen  # they are ordered by time
        return fresh

    # -- location grids --------------------------------------------------------------------------------------------

    def _with_grid(self, moment: Moment, seen: Observation) -> Moment:
        """Update a moment with a location grid; the rows are laid again about the guess that they first lead to."""
        layout, counts = self.layout, seen.counts
        assert layout is not None  # noqa: S101 - only called where something tells presence
        assert counts is not None  # noqa: S101 - the door lets only counts of squares come from a grid
        number = self._grids[seen.device_id]
        grid = self.sources.grids[number]
        middle = seen.begin_at + (seen.end_at - seen.begin_at) / 2
        newest = _newest(moment.newest, [seen])
        guess, step, full = moment.mean, None, whole(moment.covariance)
        fixed = told_by_nights(layout, moment.balance)
        for _ in range(2):
            fields = self._seen_by(number, guess, middle)
            rows = grid_rows(layout, grid, number, counts, fields, self._noise(moment))
            if rows is None:
                return replace(moment, newest=newest)
            surprise = rows.surprise - rows.matrix @ (moment.mean - guess)
            spread = rows.matrix @ full
            limit = np.full(len(surprise), self.params.belief)
            noise = doubted(surprise, dots(rows.matrix, spread) + rows.noise, rows.noise, limit)
            step = Innovation.of(rows.matrix, spread, noise)
            guess = self._moved(step, moment.mean, surprise, fixed)
        assert step is not None  # noqa: S101 - the loop runs
        return replace(moment, mean=guess, covariance=_narrowed(step, moment.covariance, fixed), newest=newest)

    def _seen_by(self, number: int, mean: Floats, at: datetime) -> Seen:
        layout, grid = self.layout, self.sources.grids[number]
        assert layout is not None  # noqa: S101 - only called where something tells presence
        share = grid.share * np.exp(layout.share_hats @ mean[layout.share[number]])
        persons, usual = self._persons(mean, at), self._usual(at)
        now, usually = np.maximum(grid.weights @ np.column_stack([persons, usual]), 1.0).T
        rhythm = profile.at_home if self.cells.counted_at_home else profile.indoors
        indoors = grid.share * grid.indoors * rhythm(at, self._zone)
        ratio = np.exp(mean[layout.homes[number]] + layout.shift_hats[number] @ mean[layout.shift])
        indoors[grid.lived_in] *= ratio
        holder = np.exp(layout.holder_hats[number] @ mean[layout.holder[number]])
        outdoors = self._with_visitors * persons * share
        return Seen(outdoors=outdoors, indoors=indoors, share=holder, grown=np.log(now / usually))

    # -- fields ----------------------------------------------------------------------------------------------------

    def _persons(self, mean: Floats, at: datetime) -> Floats:
        return self._usual(at) * self._ratio(mean)

    def _ratio(self, mean: Floats) -> Floats:
        layout = self.layout
        assert layout is not None  # noqa: S101 - only called where something tells presence
        return np.asarray(np.exp(layout.out_hats @ mean[layout.out]))

    def _usual(self, at: datetime) -> Floats:
        local = at.astimezone(self._zone)
        return self.cells.usual_at(local.hour + local.minute / 60)

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


def _narrowed(step: Innovation, covariance: Floats, fixed: npt.NDArray[np.int64], *, in_place: bool = False) -> Floats:
    """Return the covariance after the observations, with that of what is fixed as it was.

    References
    ----------
    S. F. Schmidt, *Application of State-Space Methods to Navigation Problems*, 1966: numbers that are considered and
    not estimated; all else is narrowed as if they were.
    """
    pairs = np.ix_(fixed, fixed)
    before = covariance[pairs]
    after = step.narrowed(covariance, in_place=in_place)
    after[pairs] = before
    return after


def _newest(newest: Mapping[str, datetime], seen: Iterable[Observation]) -> dict[str, datetime]:
    out = dict(newest)
    for one in seen:
        if one.device_id not in out or out[one.device_id] < one.end_at:
            out[one.device_id] = one.end_at
    return out


def speaks(device: Device, end_at: datetime, at: datetime) -> bool:
    """Tell whether a count that ended then is new enough to speak of a minute."""
    return (at - end_at).total_seconds() <= max(2 * device.interval_s, 120.0)


def _each(sources: Passages | Views, fresh: Mapping[str, Observation]) -> list[tuple[str, ...]]:
    """Return the devices that tell a row each, in the order of the rows."""
    return [(device.device_id,) for device in sources.devices if device.device_id in fresh]
