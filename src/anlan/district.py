"""The one object that opens everything: a district, with a short method for each thing a user does."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from anlan.beside import sources_of
from anlan.counting import Counting, Shape
from anlan.crowd import (
    LINED,
    Cells,
    Estimator,
    Field,
    Flows,
    Lines,
    Sensing,
    State,
    Window,
    device_now,
    over_border,
)
from anlan.crowd.whatif import Clearance, Measure, Trial, Trials, clearance
from anlan.duty import Duty
from anlan.engine import LocalEngine, Made
from anlan.ingest import WEATHER_TOPICS, Door
from anlan.kernel.answers import (
    AlertNow,
    AreaNow,
    BorderNow,
    CurvePoint,
    DeviceNow,
    Forecast,
    LineFlow,
    PlaceNow,
    Suspicion,
    Watch,
    Why,
)
from anlan.kernel.clock import Clock, SystemClock
from anlan.kernel.errors import BadInput, NoData, NotFound, Unavailable
from anlan.kernel.geo import line_from, polygon_from, to_geojson
from anlan.kernel.ingress import Receipt, Tally
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Device, Draft, Estimate, Observation
from anlan.matters import Standing, open_matters
from anlan.outlook import FOLLOWED, Ground, Outlooks, WeatherBook
from anlan.pack import find_pack, read_pack
from anlan.planning.desk import PlanDesk
from anlan.proof import Proofs
from anlan.reach import UNIT_TOPICS, Reach
from anlan.store import Audit, DuckHistory, SqlStore, Step
from anlan.underway import Counts, RehearsalDesk, Staffed, Underway, planned_events, staffed
from anlan.volunteers import Hall

log = logging.getLogger(__name__)

Listener = Callable[[str, dict[str, Any]], None]
"""Takes a kind ("minute", "change", "weather") and its content, in the thread that made it."""

LONGEST_REASON = 500
"""Characters: the log keeps a reason for ever."""
STATE_EVERY = timedelta(minutes=5)
"""How often the estimator's state (some 10 MB) is written; a restart replays what was committed since."""


class District:
    """A district in operation: its pack, its stores, its door for observations, its estimate, its log.

    Open it with :meth:`open`; any thread may call. One process at a time may hold a district's folder.
    """

    def __init__(self, pack: Pack, folder: Path, store: SqlStore, history: DuckHistory, clock: Clock) -> None:
        self.pack = pack
        self.folder = folder
        self.store = store
        self.history = history
        self.clock = clock
        self.cells = Cells.cached(pack, folder / "cells.npz")
        self.estimator = Estimator(pack, self.cells)
        self.door = Door(pack.devices, history, clock)
        self._counting = Counting(pack, self.cells, self.estimator, history, clock, folder)
        self.sensing = Sensing(pack, self.estimator, lambda: self._counting.field, lambda: self._counting.area_shares)
        self._duty = Duty(pack, store)
        self._outlooks = Outlooks(pack, history, folder)
        self.reach = Reach(pack, store, clock, self._tell, self._counting.crowds)
        self.door.beside[UNIT_TOPICS] = self.reach.hear
        self.weather = WeatherBook(history, clock, lambda now: self._tell("weather", {"weather": now}))
        self.door.beside[WEATHER_TOPICS] = self.weather.hear
        self._withdrawn = frozenset(record.record_id for record in store.records("withdrawn_device"))
        self._watches = self._watches_of(store)
        self._listeners: list[Listener] = []
        self.matters = open_matters(pack, store, folder, clock, self._tell_changes)
        self.community = Hall(pack, store, folder, clock, self._tell_changes)
        self.matters.sources = sources_of(pack, store, self.reach, self.community)
        self.underway = Underway(pack, self.matters, store, history, clock)
        self.counts = Counts(pack, store, self.reach, self.matters, self.underway)
        self.matters.count = self.counts.count
        self._outlooks.planned = lambda at: planned_events(self.matters, store, at)
        self.rehearsals = RehearsalDesk(pack, folder, self.matters, store, clock, self._tell_changes)
        self.plans = PlanDesk(pack, folder, store, clock, self._tell_changes)
        self.proofs = Proofs(pack, history, folder, clock, lambda: self._withdrawn)
        self._stepping = threading.RLock()
        self._stored_state_at: datetime | None = None
        self._now: dict[str, Estimate] = {}
        self._suspected: dict[str, Suspicion] = {}
        self._levels: dict[str, tuple[datetime, list[AreaNow]]] = {}
        self._engine: LocalEngine[State] = LocalEngine(history, self._step, self.estimator.start, self._made)
        self._resume()

    @classmethod
    def open(
        cls,
        pack: Pack | str | Path,
        folder: str | Path | None = None,
        *,
        store_url: str | None = None,
        clock: Clock | None = None,
    ) -> District:
        """Open a district.

        Parameters
        ----------
        pack : Pack, name or path
            A pack, the name of a shipped one ("huangpu"), or the folder of one.
        folder : path, optional
            Where its data lies; ``anlan-data/<pack id>`` where None.
        store_url : str, optional
            Database of records and log; SQLite in the folder where None.
        clock : Clock, optional
            The machine's own where None.

        Raises
        ------
        BadInput, NotFound
            If the pack is faulty or missing.
        Unavailable
            If the folder cannot be written, or another process holds it.
        """
        if not isinstance(pack, Pack):
            pack = read_pack(find_pack(pack))
        folder = Path(folder) if folder is not None else Path("anlan-data") / pack.pack_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise Unavailable(
                f"folder {folder}", f"must be writable ({fault.strerror})", "give it to this user, or choose another"
            ) from fault
        if not os.access(folder, os.W_OK):
            raise Unavailable(f"folder {folder}", "must be writable", "give it to this user, or choose another")
        history = DuckHistory.open(folder)
        try:
            store = SqlStore.open(store_url or f"sqlite:///{folder / 'records.db'}")
        except BaseException:
            history.close()
            raise
        return cls(pack, folder, store, history, clock or SystemClock())

    def close(self) -> None:
        """Commit what waits, and let go of everything."""
        self.door.close()
        self._outlooks.close()
        self.proofs.close()
        self.plans.close()
        self.rehearsals.close()
        self.reach.flush()
        with self._stepping:
            self.history.close()
        self.store.close()

    # -- observing -------------------------------------------------------------------------------------------------

    def observe(self, observations: Sequence[Observation]) -> Receipt:
        """Commit observations; return what became of each kind, after the commit."""
        return self.door.put(observations).result()

    def advance(self) -> int:
        """Make every minute that is due by the clock; return how many."""
        with self._stepping:
            return self._engine.advance(self.clock.now())

    @property
    def estimated_at(self) -> datetime | None:
        """The last minute that was estimated, None before the first."""
        return None if self._counting.field is None else self._counting.field.at

    def reset_estimates(self) -> None:
        """Forget every estimate and begin anew at the clock's time; observations and the log stay."""
        with self._stepping:
            cursor = self.history.clear_estimates()
            self._engine.reset(cursor)
            self._counting.forget()
            self._stored_state_at = None
            self._now, self._levels, self._suspected = {}, {}, {}
            self._outlooks.forget()
            self.proofs.forget()
            self._tell_changes(self._duty.reset(self.clock.now()))
            self._tell_changes(self.underway.reset(self.clock.now()))
        self.reach.reset()

    # -- counting --------------------------------------------------------------------------------------------------

    def count(self, polygon: Shape, at: datetime | None = None) -> Estimate:
        """Return how many people are in a polygon (degrees), now or at a moment of the past.

        Raises
        ------
        BadInput
            If it is no polygon, crosses itself, or lies outside the district.
        """
        return self._counting.count(polygon, at)

    def curve(self, polygon: Shape, begin_at: datetime, end_at: datetime) -> list[CurvePoint]:
        """Return the people in a polygon (degrees) minute by minute; intervals where the uncertainty was kept."""
        return self._counting.curve(polygon, begin_at, end_at)

    def why(self, polygon: Shape) -> Why | None:
        """Return what makes the present number of a polygon (degrees), None where no number is told."""
        return self._counting.why(polygon)

    def density(self) -> tuple[datetime | None, npt.NDArray[np.float64]]:
        """Return the minute, and people per m² of walkable ground on the grid, northernmost row first.

        NaN where nobody can walk, infinity where the number is unknown.
        """
        return self._counting.density()

    def density_at(self, at: datetime) -> tuple[datetime | None, npt.NDArray[np.float64]]:
        """Return the same of a past minute; all unknown where none was kept."""
        return self._counting.density_at(at)

    def flow(self, line: Mapping[str, Any] | str) -> LineFlow:
        """Return the people per minute over a line (degrees), counted where devices stand on it, else inferred."""
        drawn = self.pack.projection.project(line_from(line))
        return self._flows.flow(drawn, self._counting.field, self._counted(), self.clock.now().timestamp())

    def border(self) -> BorderNow:
        """Return the people and the vehicles over the district's border, per minute, each way."""
        people, vehicles = over_border(self._lines, self._counted())
        return BorderNow(at=self.estimated_at, people=people, vehicles=vehicles)

    def _counted(self) -> dict[str, tuple[Window, ...]]:
        """Return what each line counted lately, but for lines that are withdrawn or cannot be believed."""
        unused = self._withdrawn | {name for name, of in self._suspected.items() if of.left_out}
        return {name: windows for name, windows in self._duty.windows.items() if name not in unused}

    def total(self) -> Estimate:
        """Return the people in the whole district's public space."""
        return self._now.get("district") or self._unknown()

    def places(self) -> list[PlaceNow]:
        """Return every named place with its estimate."""
        return [self.place(place.place_id) for place in self.pack.places]

    def place(self, place_id: str) -> PlaceNow:
        """Return one place with its estimate; NotFound where the pack has none of that id."""
        place = self.pack.place(place_id)
        estimate = self._now.get(f"place:{place_id}") or self._counting.nothing(
            self._counting.counter.shares(place.polygon)
        )
        known = estimate.occupancy is not None and place.capacity
        share = (
            estimate.occupancy / place.capacity if known and estimate.occupancy is not None and place.capacity else None
        )
        return PlaceNow(place=place, estimate=estimate, share_of_capacity=share)

    def place_curve(self, place_id: str, begin_at: datetime, end_at: datetime) -> list[CurvePoint]:
        """Return a place's people minute by minute, with intervals."""
        self.pack.place(place_id)
        return self._curve_of(f"place:{place_id}", begin_at, end_at)

    def place_forecast(self, place_id: str) -> Forecast:
        """Return the people expected in a place over the next hours; without points where nothing can be told."""
        return self._outlooks.subject(f"place:{place_id}", self.place(place_id).estimate)

    def forecast(self, polygon: Shape) -> Forecast:
        """Return the people expected in a polygon (degrees): over a day by what is usual of it, once a week is kept.

        Before, over the next hour, by how the last two have gone.
        """
        geometry = polygon if isinstance(polygon, BaseGeometry) else polygon_from(polygon)
        present = self.count(geometry)
        asked = Ground(
            key=geometry.wkb,
            past=lambda: self.curve(geometry, present.at - FOLLOWED, present.at),
            quarters=lambda begin_at, n: self._counting.quarters(geometry, begin_at, n)[:, None],
            part_of=lambda subject_id: self._counting.part_of(geometry, subject_id),
        )
        return self._outlooks.polygon(asked, present)

    def tend_forecasts(self) -> None:
        """Let forecasts learn from the history where it is time for it; nothing waits for that."""
        self._outlooks.tend(self.clock.now())

    def tend_proof(self) -> None:
        """Let yesterday be proved with views withheld, where it is night; nothing waits for that."""
        self.proofs.tend(self.clock.now())

    def areas(self, level: str) -> list[AreaNow]:
        """Return the areas of a level with their estimates.

        Raises
        ------
        NotFound
            If the district has no such level.
        """
        if level not in {one.key for one in self.pack.areas.levels}:
            known = ", ".join(one.key for one in self.pack.areas.levels)
            raise NotFound(f"level={level!r}", f"must be one of {known}", "choose one")
        kept = self._levels.get(level)
        field = self._counting.field
        if kept is None or field is None or kept[0] != field.at:
            areas = self.pack.areas.of_level(level)
            parts = [self._counting.area_shares[area.area_id] for area in areas]
            at = self.clock.now() if field is None else field.at
            made = [
                AreaNow(area_id=a.area_id, level=level, parent_id=a.parent_id, name=a.name, estimate=estimate)
                for a, estimate in zip(areas, self._counting.counter.many(field, parts, at), strict=True)
            ]
            kept = (at, made)
            if field is not None:
                self._levels[level] = kept
        return kept[1]

    def area(self, area_id: str) -> AreaNow:
        """Return one area with its estimate."""
        level = self.pack.areas.area(area_id).level
        return next(area for area in self.areas(level) if area.area_id == area_id)

    def try_measure(self, measure: Measure, *, minutes: int = 60) -> Trial:
        """Return what a measure would change within so many minutes, against doing nothing.

        Asked again within the same minute, it draws the same ensemble and answers the same.
        """
        field = self._field_for("try a measure")
        return self._trials.measure(field, measure, np.random.default_rng(int(field.at.timestamp())), minutes=minutes)

    def clearance(self, polygon: Shape | None = None) -> Clearance:
        """Return how long clearing a polygon (degrees) takes, or the whole district, from the present estimate on.

        NoData of a polygon whose people are not told: too few, on too little ground, or unknown.
        """
        field = self._field_for("compute a clearance")
        if polygon is None:
            return clearance(self._trials.ground, field.persons)
        geometry = polygon if isinstance(polygon, BaseGeometry) else polygon_from(polygon)
        inside = self._trials.inside(geometry)
        if self.count(geometry).occupancy is None:
            raise NoData(
                "the people of this polygon", "must be told to compute a clearance", "count it, which says why"
            )
        return clearance(self._trials.ground, field.persons, inside)

    @cached_property
    def _trials(self) -> Trials:
        return Trials(self.pack, self.cells)

    def _field_for(self, purpose: str) -> Field:
        field = self._counting.field
        if field is None or not np.isfinite(field.persons).all():
            raise NoData("the estimate", f"must know how many people are present to {purpose}", "wait for a minute")
        return field

    # -- devices ---------------------------------------------------------------------------------------------------

    def devices(self) -> list[DeviceNow]:
        """Return every device, how it is doing, and what it last counted."""
        tallies = self.history.tallies()
        return [self._device_now(device, tallies.get(device.device_id)) for device in self.pack.devices]

    def device(self, device_id: str) -> DeviceNow:
        """Return one device; NotFound where the pack has none of that id."""
        device = self.pack.device(device_id)
        return self._device_now(device, self.history.tallies().get(device_id))

    def _device_now(self, device: Device, tally: Tally | None) -> DeviceNow:
        name = device.device_id
        suspicion, withdrawn = self._suspected.get(name), name in self._withdrawn
        return device_now(device, tally, self.clock.now(), withdrawn=withdrawn, suspicion=suspicion)

    def device_curve(self, device_id: str, begin_at: datetime, end_at: datetime) -> list[Observation]:
        """Return what a device counted, window by window."""
        self.pack.device(device_id)
        return self.history.device_observations(device_id, begin_at, end_at)

    def withdraw_device(self, device_id: str, reason: str, actor: str) -> Change:
        """Take a device out of the estimate: what it sends is kept and not used."""
        self.pack.device(device_id)
        if not reason.strip():
            raise BadInput("reason=''", "must say why", "write a few words")
        if len(reason) > LONGEST_REASON:
            raise BadInput(f"reason of {len(reason)} characters", f"must have at most {LONGEST_REASON}", "shorten it")
        return self._write("withdrawn_device", device_id, "withdraw", actor, {"reason": reason.strip()}, None)

    def restore_device(self, device_id: str, actor: str) -> Change:
        """Use a withdrawn device again."""
        version = self.store.record("withdrawn_device", device_id).version
        return self._write("withdrawn_device", device_id, "restore", actor, None, version)

    # -- watches ---------------------------------------------------------------------------------------------------

    def watch(self, name: str, polygon: Mapping[str, Any] | str, actor: str) -> Watch:
        """Save a polygon (degrees) that is counted every minute from now on."""
        geometry = polygon_from(polygon)
        if not name.strip() or len(name) > 80:
            raise BadInput(f"name of {len(name)} characters", "must have 1 to 80", "give it a short name")
        self.count(geometry)
        watch_id = uuid.uuid4().hex[:12]
        outline = to_geojson(geometry, 7)
        polygon_from(outline)  # to the centimetre its corners may meet: what is written must be readable
        body = {"name": name.strip(), "polygon": outline}
        self._write("watch", watch_id, "watch", actor, body, None)
        return self._watches[watch_id]

    def watches(self) -> list[Watch]:
        """Return the saved polygons with their estimates."""
        return [
            replace(watch, estimate=self._now.get(f"watch:{watch.watch_id}") or self.count(watch.polygon))
            for watch in list(self._watches.values())
        ]

    def watched(self, watch_id: str) -> BaseGeometry | None:
        """Return the outline (degrees) of a saved polygon, None where there is none; nothing is counted for it."""
        found = self._watches.get(watch_id)
        return None if found is None else found.polygon

    def unwatch(self, watch_id: str, version: int, actor: str) -> Change:
        """End a saved polygon; Conflict where it has changed since."""
        self.store.record("watch", watch_id)
        return self._write("watch", watch_id, "unwatch", actor, None, version)

    # -- alerts ----------------------------------------------------------------------------------------------------

    def alerts(self, since_at: datetime | None = None) -> list[AlertNow]:
        """Return the alerts that stand, the most serious first, and those that were over after ``since_at``."""
        return self._duty.alerts(since_at=since_at)

    def alert(self, alert_id: str) -> AlertNow:
        """Return one alert; NotFound where there is none of that id."""
        return self._duty.alert(alert_id)

    def acknowledge_alert(self, alert_id: str, note: str, actor: str) -> Change:
        """Note that somebody on duty has seen an alert; Conflict where somebody has."""
        with self._stepping:
            change = self._duty.acknowledge(alert_id, note, actor, self.clock.now())
        return self._tell_changes([change])[0]

    def close_alert(self, alert_id: str, note: str, actor: str) -> Change:
        """Take an alert off the list, with the reason; it comes back only where it escalates further."""
        with self._stepping:
            change = self._duty.close(alert_id, note, actor, self.clock.now())
        return self._tell_changes([change])[0]

    def mark_firing(self, firing_id: str, mark: str, note: str, who: Standing, actor: str) -> Change:
        """Note that what a trigger of a planned event asks for was done, or overrule it with the reason."""
        with self._stepping:
            change = self.underway.mark(firing_id, mark, note, who, actor)
        return self._tell_changes([change])[0]

    def staffing(self, case_id: str, who: Standing) -> list[Staffed]:
        """Return who is asked for at each zone of a planned event, and what the volunteers' shifts there have."""
        return staffed(self.matters, self.community, self.pack, self.watched, case_id, who)

    # -- log and feed ----------------------------------------------------------------------------------------------

    def changes(self, after: int = 0, limit: int = 1000) -> list[Change]:
        """Return the log behind a change id, oldest first."""
        return self.store.changes(after, limit)

    def verify(self) -> Audit:
        """Recompute the log's chain."""
        return self.store.verify()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be told of every minute and change; the returned function ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _tell(self, kind: str, content: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            try:
                listener(kind, content)
            except Exception:
                log.exception("a listener failed")

    def _tell_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        for change in changes:
            self._tell("change", {"change": change})
        return changes

    def _write(
        self, kind: str, record_id: str, action: str, actor: str, body: dict[str, Any] | None, version: int | None
    ) -> Change:
        draft = Draft(kind=kind, record_id=record_id, action=action, actor=actor, body=body, expected_version=version)
        change = self.store.apply([draft], at=self.clock.now())[0]
        if kind == "watch" and body is not None:
            self._watches[record_id] = self._watch_of(change.version, record_id, body)
        elif kind == "watch":
            self._watches.pop(record_id, None)
        elif kind == "withdrawn_device":
            self._withdrawn = self._withdrawn ^ {record_id}
        self._tell("change", {"change": change})
        return change

    @classmethod
    def _watches_of(cls, store: SqlStore) -> dict[str, Watch]:
        """Return the saved polygons; one that cannot be read must not keep the district closed."""
        found = {}
        for record in store.records("watch"):
            try:
                found[record.record_id] = cls._watch_of(record.version, record.record_id, record.body)
            except BadInput as fault:
                log.warning("the watch %s is left out: %s", record.record_id, fault)
        return found

    @staticmethod
    def _watch_of(version: int, watch_id: str, body: Mapping[str, Any]) -> Watch:
        return Watch(
            watch_id=watch_id, version=version, name=body["name"], polygon=polygon_from(body["polygon"]), estimate=None
        )

    def _unknown(self) -> Estimate:
        return self._counting.nothing(self._counting.area_shares[self.pack.areas.root.area_id])

    @cached_property
    def _lines(self) -> Lines:
        return Lines.of(self.pack, LINED)

    @cached_property
    def _flows(self) -> Flows:
        return Flows.of(self.pack, self.cells)

    def _resume(self) -> None:
        last = self.history.latest_step()
        if last is None or last.state is None:
            return
        try:
            state = self.estimator.restore(last.state)
        except (BadInput, ValueError, KeyError) as fault:
            log.warning("the kept state does not fit this district any more, and is left: %s", fault)
            return
        if self.estimator.layout is not None and len(state.present.mean) != self.estimator.layout.size:
            log.warning("the district's devices have changed; the estimate starts afresh")
            return
        self._engine.resume(Made(at=last.at, state=state, low=last.low, high=last.high, n_observations=0))
        self._stored_state_at = last.at
        self._duty.resume(last.alerts)

    def _step(self, state: State, observations: Sequence[Observation], at: datetime) -> State:
        used = [seen for seen in observations if seen.device_id not in self._withdrawn]
        self._duty.hear(used)
        return self.estimator.advance(state, used, at)

    def _made(self, made: Made[State]) -> None:
        field = self.estimator.field(made.state, self.proofs.factor_at(made.at))
        parts = {
            **self._counting.subjects,
            **{f"watch:{w.watch_id}": self._counting.counter.shares(w.polygon) for w in self._watches.values()},
        }
        estimates = dict(zip(parts, self._counting.counter.many(field, list(parts.values()), made.at), strict=True))
        judged = self._duty.judge(estimates, made.at, self._outlooks.courses(estimates, made.at))
        due = self._stored_state_at is None or made.at - self._stored_state_at >= STATE_EVERY
        body = made.state.to_bytes() if due else None
        self.history.commit_step(
            Step(
                at=made.at,
                low=made.low,
                high=made.high,
                occupancy=self._counting.kept(field),
                estimates=estimates,
                state=body,
                alerts=judged if due else None,
            )
        )
        if body is not None:
            self._stored_state_at = made.at
            self.proofs.keep_state(made.at, body)
        self._suspected = self.estimator.watcher.verdicts(made.state.health)
        self._counting.take(field, made.state)
        self._now = estimates
        self.underway.judge(estimates, self._duty.windows, made.at)
        self._tell("minute", {"at": made.at, "estimates": estimates})
        self._tell_changes(self._duty.tell())
        self._tell_changes(self.underway.tell())

    def _curve_of(self, subject_id: str, begin_at: datetime, end_at: datetime) -> list[CurvePoint]:
        return [CurvePoint.of(one) for one in self.history.estimates(subject_id, begin_at, end_at)]
