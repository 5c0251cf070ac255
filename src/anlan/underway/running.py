"""Plans that run: their triggers over what is counted, each firing told once, done or overruled by somebody."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from anlan.cases import Case, CaseType
from anlan.cases.definition import LiveRule
from anlan.cases.triggers import (
    FLOW,
    LONGEST_GAP_S,
    OCCUPANCY,
    LivePlan,
    Progress,
    Trigger,
    Triggered,
    ZoneDevice,
    read_live,
    stepped,
)
from anlan.crowd.lines import OVER, Window
from anlan.kernel.clock import Clock, parse_moment
from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft, Estimate, Json, Record
from anlan.matters import Matters, Standing
from anlan.matters.follow import FIRING_NOTE
from anlan.store import DuckHistory, Keeping, SqlStore, casebook
from anlan.underway.measuring import MINUTE, flow_per_min, measured_now, of_estimate, summed, windows_of

log = logging.getLogger(__name__)

KIND = "trigger"
"""Of the lines of the log: that a trigger of a case fired, by its row; what it says stands in the case."""
JUDGE = "anlan"
DONE, OVERRULED = "done", "overruled"
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """That a trigger of a plan fired. ``row`` counts from 1; ``highest`` is the most until it was over.

    ``trigger`` is the row as the plan had it then, None where the case has been forgotten.
    """

    firing_id: str
    version: int
    case_id: str
    row: int
    measure: str
    above: float
    since_at: datetime
    at: datetime
    highest: float
    ended_at: datetime | None
    mark: str | None
    """How it was answered: done, or overruled; None while nobody has."""
    by: str | None
    marked_at: datetime | None
    note: str = ""
    """What was said with it; it is kept beside the log, and forgotten with the case."""
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneNow:
    """A zone of a plan at this minute."""

    zone: str
    ground: str
    capacity: int
    most_per_m2: float
    estimate: Estimate | None
    flow_per_min: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerNow:
    """A trigger at this minute: what its measure is, since when it is above the limit, and the firing that stands."""

    row: int
    trigger: Trigger
    value: float | None
    since_at: datetime | None
    firing_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """A device that watches a zone: what it measures, None where it is silent."""

    device_id: str
    zone: str
    measure: str
    limit: float
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveNow:
    """A plan at this minute. ``runs`` is whether its triggers fire; before and after, they are only shown."""

    at: datetime | None
    runs: bool
    zones: tuple[ZoneNow, ...]
    triggers: tuple[TriggerNow, ...]
    devices: tuple[DeviceNow, ...]
    firings: tuple[Firing, ...]


@dataclass(slots=True)
class _Run:
    """A plan that runs, and how far each trigger is."""

    plan: LivePlan
    progress: list[Progress]
    standing: dict[int, str] = field(default_factory=dict)
    """The firing that stands, by row from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    case_id: str
    row: int
    told: Triggered | None
    at: datetime
    firing_id: str
    highest: float = 0.0


class Underway:
    """The plans of a district that run. The district judges in one thread at a time; anybody may look."""

    def __init__(self, pack: Pack, matters: Matters, store: SqlStore, history: DuckHistory, clock: Clock) -> None:
        self._pack, self._matters, self._store, self._history, self._clock = pack, matters, store, history, clock
        self._kinds = {(one.type_id, one.version): one for one in matters.kinds.every() if one.live is not None}
        self._records = {one.record_id: one for one in store.records(KIND)}
        self._runs: dict[tuple[str, int], _Run] = {}
        self._untold: list[_News] = []
        self._estimates: Mapping[str, Estimate] = {}
        self._windows: Mapping[str, Sequence[Window]] = {}
        self._at: datetime | None = None

    # -- judging ---------------------------------------------------------------------------------------------------

    def judge(self, estimates: Mapping[str, Estimate], windows: Mapping[str, Sequence[Window]], at: datetime) -> None:
        """Take a minute; :meth:`tell` announces what came of it."""
        self._estimates, self._windows, self._at = estimates, dict(windows), at
        running = {(case.case_id, len(case.history)): (case, kind) for case, kind in self._running()}
        self._runs = {key: run for key, run in self._runs.items() if key in running}
        self._end({case.case_id for case, _ in running.values()}, at)
        for key, (case, kind) in running.items():
            run = self._runs.get(key)
            if run is None:
                try:
                    run = self._runs[key] = self._started(case, kind, at)
                except (BadInput, KeyError) as fault:  # a plan of a type that was written by hand
                    log.warning("the plan of case %s cannot run: %s", case.case_id, fault)
                    continue
            self._advance(case.case_id, run, at)

    def tell(self) -> tuple[Change, ...]:
        """Write what was judged into the log, in order; what could not be written is written next time."""
        made: list[Change] = []
        while self._untold:
            draft = self._draft(self._untold[0])
            if draft is not None:
                made += self._apply([draft], self._untold[0].at)
            self._untold.pop(0)
        return tuple(made)

    def reset(self, at: datetime) -> tuple[Change, ...]:
        """End whatever stands, where the district begins another day."""
        self._untold, self._estimates, self._windows, self._at = [], {}, {}, None
        self._runs = {}
        self._end(frozenset(), at)
        return self.tell()

    # -- answering -------------------------------------------------------------------------------------------------

    def look(self, case_id: str, who: Standing) -> LiveNow:
        """Return the plan of a case at this minute.

        Raises
        ------
        NotFound
            If there is no such case for them, or its type has no plan that runs.
        """
        case, kind, values = self._seen(case_id, who)
        assert kind.live is not None  # noqa: S101 - asked for by _seen
        plan = read_live(kind.live, values)
        values_now = measured_now(plan, self._estimates, self._windows, self._at or self._clock.now())
        run = self._runs.get((case_id, len(case.history)))
        return LiveNow(
            at=self._at,
            runs=case.state in kind.live.states,
            zones=tuple(
                ZoneNow(
                    zone=one.zone, ground=one.ground, capacity=one.capacity, most_per_m2=one.most_per_m2,
                    estimate=self._estimates.get(one.ground), flow_per_min=values_now[one.zone, FLOW],
                )
                for one in plan.zones.values()
            ),
            triggers=tuple(
                TriggerNow(
                    row=k + 1, trigger=one, value=values_now.get((one.zone, one.measure)),
                    since_at=None if run is None else run.progress[k].since_at,
                    firing_id=None if run is None else run.standing.get(k),
                )
                for k, one in enumerate(plan.triggers)
            ),
            devices=tuple(
                DeviceNow(
                    device_id=one.device_id, zone=one.zone, measure=one.measure, limit=one.limit,
                    value=self._seen_by(one),
                )
                for one in plan.devices
            ),
            firings=tuple(self._as_now(one, run) for one in self._of_case(case, kind)),
        )  # fmt: skip

    def firings(self, who: Standing, *, since_at: datetime | None = None) -> list[Firing]:
        """Return what fired and stands, or waits for an answer while its plan runs, where somebody may see it.

        Newest first; with ``since_at``, also what was over and answered after it.
        """
        running = {case_id for case_id, _ in self._runs}
        wanted = {
            record.record_id: str(record.body["case"])
            for record in list(self._records.values())
            if record.body["ended_at"] is None
            or (record.body.get("mark") is None and record.body["case"] in running)
            or (since_at is not None and record.changed_at >= since_at)
        }
        found: list[Firing] = []
        for case_id in set(wanted.values()):  # and no case of years ago is read for it
            try:
                case, kind, _ = self._seen(case_id, who)
            except NotFound:
                continue
            run = self._runs.get((case_id, len(case.history)))
            found += [self._as_now(one, run) for one in self._of_case(case, kind) if one.firing_id in wanted]
        return sorted(found, key=lambda one: (one.at, one.firing_id), reverse=True)

    def mark(self, firing_id: str, mark: str, note: str, who: Standing, actor: str) -> Change:
        """Note that what a trigger asks for was done, or overrule it with the reason.

        Raises
        ------
        NotFound
            If there is no such firing for them.
        NotAllowed
            If they hold no role in the case.
        Conflict
            If somebody was faster.
        BadInput
            If it is overruled without a reason.
        """
        if mark not in {DONE, OVERRULED}:
            raise BadInput(f"mark={mark[:40]!r}", f"must be {DONE} or {OVERRULED}", "choose one")
        if mark == OVERRULED and not note.strip():
            raise BadInput("note=''", "must say why it is not done", "write a few words")
        if len(note) > LONGEST_NOTE:
            raise BadInput(f"note of {len(note)} characters", f"must have at most {LONGEST_NOTE}", "shorten it")
        record = self._records.get(firing_id)
        if record is None:
            raise NotFound(f"firing {firing_id[:40]!r}", "does not exist, or not for you", "list what fired")
        self._matters.require_part(str(record.body["case"]), who)
        told = record.body.get("mark")
        if told is not None:
            raise Conflict(f"firing {firing_id!r}", f"was {told['as']} by {told['by']}", "read it again")
        at = self._clock.now()
        body = {**record.body, "mark": {"as": mark, "by": actor, "at": at.isoformat()}}
        said = Keeping(kind=FIRING_NOTE, key=f"{record.body['case']}-{firing_id}", body={"note": note.strip()})
        line = self._line(firing_id, mark, actor, body, record.version)
        return self._apply([line], at, [said] if note.strip() else [])[0]

    def n_fired(self, case_id: str) -> int:
        """Return how many triggers of a case fired."""
        return sum(one.body["case"] == case_id for one in list(self._records.values()))

    def most_present(self, case: Case, kind: CaseType, until_at: datetime) -> int | None:
        """Return the most people who were in the zones of a plan at once while it ran, None where that is not known."""
        assert kind.live is not None  # noqa: S101 - the caller's rule is of such a type
        began = [one.at for one in case.history if one.target in kind.live.states]
        plan = read_live(kind.live, case.values)
        if not began or not plan.zones:
            return None
        curves = [
            {one.at: of_estimate(OCCUPANCY, one) for one in self._history.estimates(ground, began[0], until_at)}
            for ground in {one.ground for one in plan.zones.values()}
        ]
        sums = [summed(curve[at] for curve in curves) for at in set(curves[0]).intersection(*curves[1:])]
        return (
            round(most) if (most := max((one for one in sums if one is not None), default=None)) is not None else None
        )

    # -- inside ----------------------------------------------------------------------------------------------------

    def _seen_by(self, one: ZoneDevice) -> float | None:
        """Return what a device itself measures at this minute; None where it is silent, or measures no such thing."""
        if self._at is None:
            return None
        if one.measure == FLOW:
            return flow_per_min(self._windows.get(one.device_id, ()), self._at)
        device = self._pack.device(one.device_id)
        lately = self._history.device_observations(one.device_id, self._at - OVER, self._at)
        persons = lately[-1].n_present if lately else None
        if persons is None or one.measure == OCCUPANCY:
            return persons
        m2 = self._pack.projection.project(device.geometry).area
        return persons / m2 if m2 > 0 else None

    @staticmethod
    def _as_now(one: Firing, run: _Run | None) -> Firing:
        """Return a firing that stands with the highest value until now; the log has it when it is over."""
        if run is None or one.ended_at is not None or run.standing.get(one.row - 1) != one.firing_id:
            return one
        return replace(one, highest=max(one.highest, run.progress[one.row - 1].highest))

    def _running(self) -> Iterator[tuple[Case, CaseType]]:
        states = {(key, state) for key, kind in self._kinds.items() for state in _live(kind).states}
        if not states:
            return
        with self._store.reading() as connection:
            rows = casebook.standing_in(connection, states)
        for row in rows:
            with self._store.reading() as connection:
                kind, case, _ = self._matters.load(connection, row["case_id"])
            yield case, kind

    def _seen(self, case_id: str, who: Standing) -> tuple[Case, CaseType, Mapping[str, Any]]:
        seen = self._matters.read(case_id, who)
        if seen.kind.live is None:
            raise NotFound(f"plan of case {case_id!r}", f"does not run: {seen.kind.type_id} has none", "see its type")
        return seen.case, seen.kind, seen.fields

    def _started(self, case: Case, kind: CaseType, at: datetime) -> _Run:
        """Return a plan as it stands: how far its triggers are is read from what was measured before."""
        plan = read_live(_live(kind), case.values)
        began_at = next(one.at for one in reversed(case.history) if one.source != one.target)
        run = _Run(plan=plan, progress=[Progress() for _ in plan.triggers])
        for record in self._records.values():
            if record.body["case"] == case.case_id and record.body["ended_at"] is None:
                run.standing[int(record.body["row"]) - 1] = record.record_id
        longest_s = max((one.for_s for one in plan.triggers), default=0.0) + LONGEST_GAP_S
        since_at = max(began_at, at - timedelta(seconds=longest_s))
        for k, trigger in enumerate(plan.triggers):
            progress = Progress(told=k in run.standing)
            for moment, value in self._past(plan, trigger, since_at, at - MINUTE / 2):
                # What is told here was told before, or is told by the minute that follows.
                progress = replace(stepped(trigger, progress, moment, value)[0], told=progress.told)
            run.progress[k] = progress
        return run

    def _past(
        self, plan: LivePlan, trigger: Trigger, begin_at: datetime, end_at: datetime
    ) -> list[tuple[datetime, float | None]]:
        if trigger.measure != FLOW:
            kept = self._history.estimates(plan.zones[trigger.zone].ground, begin_at, end_at)
            return [(one.at, of_estimate(trigger.measure, one)) for one in kept]
        every = [
            windows_of(self._history.device_observations(one, begin_at - OVER, end_at))
            for one in plan.counters(trigger.zone)
        ]
        found, at = [], begin_at.replace(second=0, microsecond=0) + MINUTE
        while at <= end_at:
            found.append((at, summed(flow_per_min(windows, at) for windows in every)))
            at += MINUTE
        return found

    def _advance(self, case_id: str, run: _Run, at: datetime) -> None:
        values = measured_now(run.plan, self._estimates, self._windows, at)
        for k, trigger in enumerate(run.plan.triggers):
            before = run.progress[k]
            if before.before_at is not None and at <= before.before_at:
                continue  # a minute that is made again
            value = values.get((trigger.zone, trigger.measure))
            run.progress[k], told = stepped(trigger, before, at, value)
            if told is not None:
                run.standing[k] = _id_of(case_id, k + 1, told.since_at)
                self._untold.append(
                    _News(case_id=case_id, row=k + 1, told=told, at=at, firing_id=run.standing[k], highest=told.highest)
                )
            elif k in run.standing and not run.progress[k].told:
                news = _News(
                    case_id=case_id, row=k + 1, told=None, at=at, firing_id=run.standing.pop(k), highest=before.highest
                )
                self._untold.append(news)

    def _end(self, running: Collection[str], at: datetime) -> None:
        """End what stands of plans that do not run any more."""
        for record in self._records.values():
            if record.body["ended_at"] is None and record.body["case"] not in running:
                self._untold.append(
                    _News(case_id=str(record.body["case"]), row=int(record.body["row"]), told=None, at=at,
                          firing_id=record.record_id)
                )  # fmt: skip

    def _draft(self, news: _News) -> Draft | None:
        """Return the line for a piece of news; None where the log has it already."""
        record = self._records.get(news.firing_id)
        if news.told is not None:
            if record is not None:
                return None
            trigger = news.told.trigger
            body: Json = {
                "case": news.case_id, "row": news.row, "measure": trigger.measure, "above": trigger.above,
                "since_at": news.told.since_at.isoformat(), "at": news.at.isoformat(), "highest": news.highest,
                "ended_at": None,
            }  # fmt: skip
            return self._line(news.firing_id, "fire", JUDGE, body, None)
        if record is None or record.body["ended_at"] is not None:
            return None
        highest = max(news.highest, float(record.body["highest"]))
        body = {**record.body, "ended_at": news.at.isoformat(), "highest": highest}
        return self._line(news.firing_id, "end", JUDGE, body, record.version)

    @staticmethod
    def _line(firing_id: str, action: str, actor: str, body: Json, version: int | None) -> Draft:
        return Draft(kind=KIND, record_id=firing_id, action=action, actor=actor, body=body, expected_version=version)

    def _apply(self, drafts: Sequence[Draft], at: datetime, keeping: Sequence[Keeping] = ()) -> tuple[Change, ...]:
        made = self._store.apply(drafts, at=at, keeping=keeping)
        for change in made:
            assert change.body is not None  # noqa: S101 - a firing's record never ends
            self._records[change.record_id] = Record(
                kind=KIND, record_id=change.record_id, version=change.version, body=change.body, changed_at=change.at
            )
        return made

    def _of_case(self, case: Case, kind: CaseType) -> Iterator[Firing]:
        """Return the firings of a case, newest first, each with the row of the plan as it was then."""
        own = [one for one in list(self._records.values()) if one.body["case"] == case.case_id]
        for record in sorted(own, key=lambda one: (str(one.body["at"]), one.record_id), reverse=True):
            said = self._store.kept(FIRING_NOTE, f"{case.case_id}-{record.record_id}") if "mark" in record.body else []
            note = str(said[0].body["note"]) if said else ""
            yield replace(_firing(record, _row_then(case, kind, record)), note=note)


def _live(kind: CaseType) -> LiveRule:
    assert kind.live is not None  # noqa: S101 - only such types are kept here
    return kind.live


def _row_then(case: Case, kind: CaseType, record: Record) -> Trigger | None:
    at = parse_moment(record.body["at"], "at")
    values: dict[str, Any] = {}
    for change in case.history:
        if change.at <= at:
            values |= change.filled
    triggers = read_live(_live(kind), values).triggers
    row = int(record.body["row"]) - 1
    return triggers[row] if row < len(triggers) else None


def _firing(record: Record, trigger: Trigger | None) -> Firing:
    body, mark = record.body, record.body.get("mark") or {}
    return Firing(
        firing_id=record.record_id, version=record.version, case_id=str(body["case"]), row=int(body["row"]),
        measure=str(body["measure"]), above=float(body["above"]), since_at=parse_moment(body["since_at"], "since_at"),
        at=parse_moment(body["at"], "at"), highest=float(body["highest"]),
        ended_at=None if body["ended_at"] is None else parse_moment(body["ended_at"], "ended_at"),
        mark=mark.get("as"), by=mark.get("by"),
        marked_at=parse_moment(mark["at"], "at") if mark else None, trigger=trigger,
    )  # fmt: skip


def _id_of(case_id: str, row: int, since_at: datetime) -> str:
    """Return the same id for the same firing, so that a minute that is made again writes nothing twice."""
    return hashlib.sha256(f"{case_id}/{row}/{since_at.isoformat()}".encode()).hexdigest()[:12]
