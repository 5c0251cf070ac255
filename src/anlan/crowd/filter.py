"""The filter: from one minute to the next, what is known of people and of those who count them."""

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
from anlan.crowd.kalman import Innovation, crossed, dots, relax, whole
from anlan.crowd.layout import Params, layout_of
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
from anlan.crowd.sources import Passages, Sources, Views, visited
from anlan.crowd.state import Minute, Moment
from anlan.crowd.unusual import Unusual
from anlan.crowd.watched import Surprise
from anlan.crowd.why import Evidence
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, Observation

Floats = npt.NDArray[np.float64]

STEEP = 8.0
"""A knot's log-ratio is held within this: a feast can fill a quay a thousand times above its usual."""
NIGHT, DAWN = time(2), time(9)
"""Local times between which closed places are emptiest; counting must have begun by then to tell."""
ASLEEP_AT = time(4)
"""Local time at which those are at home whom a census has there."""


class Filter:
    """Follows a district's people from one moment to another. It holds constants only; what changes is the moment.

    The vector is of smooth log-ratios to what is expected (see :class:`anlan.crowd.layout.Layout`) with a bias for each
    device; with its covariance it is a Kalman filter, linearised about the present guess every minute. People are
    positive by construction, and conserved in closed places by the balance of their gates.

    Parameters
    ----------
    pack : Pack
    cells : Cells
    sources : Sources
        Of which some tell how many are present.
    blocks : Blocks
        The finest parts whose sums are followed.
    params : Params

    References
    ----------
    F. Lindgren, D. Bolin, H. Rue, *The SPDE approach for Gaussian and non-Gaussian fields*, Spatial Statistics 2022
    (knots and hat functions); D. Simon, *Optimal State Estimation*, 2006, ch. 13 (linearised filter).
    """

    def __init__(self, pack: Pack, cells: Cells, sources: Sources, blocks: Blocks, params: Params) -> None:
        self.layout = layout_of(cells, sources, params)
        self.grids = {grid.device.device_id: k for k, grid in enumerate(sources.grids)}
        """The number of each location grid, by its id."""
        self._cells, self._sources, self._blocks, self._params = cells, sources, blocks, params
        self._unusual = Unusual.of(cells, self.layout, blocks, sources, params)
        self._with_visitors = 1 + params.visitors * visited(cells)
        self._behind_gates = np.unique(sources.cordons.weights.indices)
        self._zone = ZoneInfo(pack.time_zone)
        self._devices = {device.device_id: device for device in pack.devices}
        self._wait = timedelta(minutes=params.grid_wait_min)

    def start(self, at: datetime) -> Moment:
        """Return the moment before anything is observed."""
        gates, layout = self._sources.cordons.gates, self.layout
        mean = np.zeros(layout.size)
        mean[layout.crowding] = self._params.crowding[0]
        nothing = Balance.nothing(len(gates.cordon), gates.n_cordons)
        unusual = self._unusual.start()
        return Moment(at=at, mean=mean, covariance=layout.stationary, unusual=unusual, balance=nothing)

    def persons(self, moment: Moment) -> Floats:
        """Return the people by cell at a moment, (n,); nothing that may leave the estimator, it knows single cells."""
        return self._persons(moment.mean, moment.at)

    def fine(self, moment: Moment) -> Floats:
        """Return the spread of the pattern within blocks at a moment, (n_blocks,)."""
        return self._unusual.fine(moment.unusual)

    # -- minutes ---------------------------------------------------------------------------------------------------

    def after(self, moment: Moment, minute: Minute) -> Moment:
        """Return the moment that follows with what was counted in a minute, location grids left aside."""
        layout, unusual, at = self.layout, self._unusual, minute.at
        unused = minute.distrusted | self.grids.keys()
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
        cordons = self._sources.cordons
        told = balance.told(cordons.gates, kept)
        kept = balance.watched_at_night(kept, told, night=NIGHT <= self._hour(moment.at) < DAWN)
        if self._hour(moment.at) < DAWN <= self._hour(at):
            mean, watched = dawned(layout, kept, mean, covariance, at.timestamp(), self._params.belief)
            kept = balance.begun_anew(cordons.gates, kept, watched, at.timestamp())
            told = balance.told(cordons.gates, kept)
        fine = unresolved(cordons.weights, persons, self._blocks, self.fine(moment), self._params.patch_m)
        asleep = self._cells.counted_at_home and self._hour(moment.at) < ASLEEP_AT <= self._hour(at)
        rows = [
            passage_rows(layout, self._sources, fresh, mean, persons / self._cells.walkable_m2),
            view_rows(layout, self._sources, fresh, mean, persons),
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
            newest=newer(moment.newest, counts),
            nights=moment.nights + self._night_seen(moment, at),
            surprise=off,
            viewed=self._viewed(moment, fresh, minute),
        )

    def _relaxed(self, moment: Moment, today: Floats, minutes: float) -> tuple[Floats, Floats]:
        """Return mean and covariance some minutes later, before anything of them is heard, on a day as unusual as that.

        Before the first look of an eye nothing was known, not even how far people stray, unless a grid was heard.
        """
        layout, unusual = self.layout, self._unusual
        keep, strays = layout.keep**minutes, moment.unusual
        if unusual.looked(today) and not unusual.looked(strays) and self.grids.keys().isdisjoint(moment.newest):
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
        layout, cordons = self.layout, self._sources.cordons
        there = self._behind_gates
        ratio = np.exp(layout.out_hats[there] @ moment.mean[layout.out])
        persons = np.zeros(len(self._cells))
        persons[there] = self._usual(moment.at)[there] * ratio
        return inside_by_estimate(layout, cordons, balance.told(cordons.gates, moment.balance), moment, persons)

    def _noise(self, moment: Moment) -> GridNoise:
        return GridNoise(self._params, self._blocks, self.fine(moment))

    def _night_seen(self, moment: Moment, at: datetime) -> float:
        """Return what part of a night has passed since a moment with a location grid to learn from."""
        if not NIGHT <= self._hour(at) < DAWN or self.grids.keys().isdisjoint(moment.newest):
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
        limits = [np.full(len(rows.noise), self._params.belief if rows.doubted else np.inf) for rows in told]
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
        homes, share = (
            [(part, STEEP) for part in layout.homes],
            [(part, 1.0) for part in (*layout.share, *layout.holder)],
        )
        lopsided = (layout.asymmetry, 4 * self._params.asymmetry)
        for part, most in ((layout.out, STEEP), (layout.shift, 1.5), lopsided, *homes, *share):
            mean[part] = np.clip(mean[part], -most, most)
        return mean

    def _gates(self, kept: Balance, counts: Sequence[Observation], at: datetime) -> tuple[Balance, Floats]:
        """Return the new balance, and the variance (persons squared) by which each cordon's offset strays meanwhile."""
        gates = self._sources.cordons.gates
        now, lost = balance.taken(gates, kept, counts, at, self._params.gate_miss, self._wait.total_seconds())
        gross = 2 * np.bincount(gates.cordon, np.maximum(now.through - kept.through, 0.0), gates.n_cordons)
        return now, lost + MISSED * ((self._params.asymmetry * gross) ** 2 + gross)

    def _viewed(self, moment: Moment, fresh: Mapping[str, Observation], minute: Minute) -> dict[str, float]:
        """Return what each view counted last, where it still speaks of this minute and is believed."""
        found = {}
        for device in self._sources.views.devices:
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

    def with_grid(self, moment: Moment, seen: Observation) -> Moment:
        """Return a moment with a location grid; the rows are laid again about the guess that they first lead to."""
        number, counts = self.grids[seen.device_id], seen.counts
        grid, middle = self._sources.grids[number], seen.begin_at + (seen.end_at - seen.begin_at) / 2
        heard = replace(moment, newest=newer(moment.newest, [seen]))
        guess, full = moment.mean, whole(moment.covariance)
        fixed = told_by_nights(self.layout, moment.balance)
        for _ in range(2):
            fields = self._seen_by(number, guess, middle)
            rows = None if counts is None else grid_rows(self.layout, grid, number, counts, fields, self._noise(moment))
            if rows is None:
                return heard
            surprise = rows.surprise - rows.matrix @ (moment.mean - guess)
            spread = rows.matrix @ full
            limit = np.full(len(surprise), self._params.belief)
            noise = doubted(surprise, dots(rows.matrix, spread) + rows.noise, rows.noise, limit)
            step = Innovation.of(rows.matrix, spread, noise)
            guess = self._moved(step, moment.mean, surprise, fixed)
        return replace(heard, mean=guess, covariance=_narrowed(step, moment.covariance, fixed))

    def _seen_by(self, number: int, mean: Floats, at: datetime) -> Seen:
        layout, grid = self.layout, self._sources.grids[number]
        share = grid.share * np.exp(layout.share_hats @ mean[layout.share[number]])
        persons, usual = self._persons(mean, at), self._usual(at)
        now, usually = np.maximum(grid.weights @ np.column_stack([persons, usual]), 1.0).T
        rhythm = profile.at_home if self._cells.counted_at_home else profile.indoors
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
        return np.asarray(np.exp(layout.out_hats @ mean[layout.out]))

    def _usual(self, at: datetime) -> Floats:
        local = at.astimezone(self._zone)
        return self._cells.usual_at(local.hour + local.minute / 60)

    # -- why -------------------------------------------------------------------------------------------------------

    def evidence(self, moment: Moment, persons: Floats) -> Evidence | None:
        """Return what every source that reports says at a moment, about the persons told of each cell (n,)."""
        layout, at, mean = self.layout, moment.at, moment.mean
        newest = [
            Observation(
                device_id=device_id, begin_at=end_at - timedelta(minutes=1), end_at=end_at, sequence=0, n_passed=1
            )
            for device_id, end_at in moment.newest.items()
        ]
        fresh, sources = self._fresh(newest, at), self._sources
        balances = balance.told(sources.cordons.gates, moment.balance)
        fine = unresolved(sources.cordons.weights, persons, self._blocks, self.fine(moment), self._params.patch_m)
        heard = np.flatnonzero(np.isfinite(balances.missing_var))
        gates = [tuple(gate.device_id for gate in sources.cordons.devices[k]) for k in heard]
        found = [
            (
                passage_rows(layout, sources, fresh, mean, persons / self._cells.walkable_m2),
                _each(sources.passages, fresh),
            ),
            (view_rows(layout, sources, fresh, mean, persons), _each(sources.views, fresh)),
            (cordon_rows(layout, sources.cordons, balances, mean, persons, fine), gates),
            *(self._grid_evidence(number, moment) for device_id, number in self.grids.items() if device_id in fresh),
        ]
        covariance, out = whole(moment.covariance), layout.out
        covariance[out, :], covariance[:, out] = 0.0, 0.0
        scale, level = self._unusual.scale(moment.unusual)[out], self._unusual.level(moment.unusual)[:, out]
        usually, now = (np.outer(one, one) for one in level)
        covariance[out, out] = (layout.stationary[out, out] - usually) * scale * scale[:, None] + now
        return Evidence.of([(rows, names) for rows, names in found if rows is not None], covariance, out.stop)

    def _grid_evidence(self, number: int, moment: Moment) -> tuple[Rows | None, list[tuple[str, ...]]]:
        grid, fields = self._sources.grids[number], self._seen_by(number, moment.mean, moment.at)
        expected = fields.by_square(grid)
        counts = np.where(expected < grid.suppressed_below, np.nan, expected)
        rows = grid_rows(self.layout, grid, number, counts, fields, self._noise(moment))
        return rows, [] if rows is None else [(grid.device.device_id,)] * len(rows.noise)


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


def newer(newest: Mapping[str, datetime], seen: Iterable[Observation]) -> dict[str, datetime]:
    """Return the end of each device's newest window, with what was seen since."""
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
