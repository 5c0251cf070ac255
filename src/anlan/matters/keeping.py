"""Cases that are kept: opened, moved and read, each change in one transaction with its line in the log."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from anlan.cases import (
    OPEN,
    Action,
    Case,
    CaseChange,
    CaseType,
    Linked,
    Reading,
    WorkTime,
    advance,
    applied,
    carried,
    next_steps,
    open_case,
    read_clocks,
    readable,
    readable_history,
)
from anlan.cases.definition import Transition
from anlan.kernel.clock import Clock
from anlan.kernel.entries import Source
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft, Json
from anlan.matters.ground import Ground
from anlan.matters.indicators import indicators_of
from anlan.matters.kinds import Kinds
from anlan.matters.room import FileRoom
from anlan.matters.routing import Route, Rule, check_rules, read_rules, remembered, route, rule_of
from anlan.matters.rows import Aside, aside_of, case_of, filed_of, step_of, texts_of
from anlan.matters.standing import NARROW, Standing
from anlan.matters.told import Count, Known, Lies, counted, lies_of
from anlan.matters.words import numbers_of
from anlan.store import Keeping, SqlStore, casebook
from anlan.store.casebook import Range, Row
from anlan.store.caselists import Sight, light_of
from anlan.store.private import put as keep_aside
from anlan.store.sql import version_of

KIND = "case"
"""Of the lines of the log. They say which case, which type and which step, and nothing of what was said."""
READ_KIND = "case_read"
RULE = "routing_rule"
LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """A case to be opened: its type, the place as a point (degrees) or an area, and what is told."""

    type_id: str
    lon: float | None = None
    lat: float | None = None
    area_id: str | None = None
    filled: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    parent_id: str | None = None
    like: str | None = None
    """A case of the same type whose plan this one begins with: last year's, say. What is told goes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A case as somebody may see it. ``fields`` are those they may read; linked cases those they may see."""

    kind: CaseType
    case: Case
    row: Row
    light: str
    fields: Mapping[str, Any]
    clocks: tuple[Reading, ...] = ()
    steps: tuple[Transition, ...] = ()
    parent_id: str | None = None
    children: tuple[Row, ...] = ()
    waits_for: tuple[Row, ...] = ()
    history: tuple[CaseChange, ...] = ()
    told: tuple[Row, ...] = ()
    files: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an opening or a step: enough to go on, and nothing that its actor might not read."""

    case_id: str
    type_id: str
    state: str
    n_changes: int
    area_id: str


class Matters:
    """The cases of a district. Any thread may call; whoever writes is alone for that moment.

    ``tell`` is called with the lines of the log, after they are written.
    """

    def __init__(
        self, pack: Pack, store: SqlStore, folder: Path, clock: Clock, tell: Callable[[Sequence[Change]], object]
    ) -> None:
        self.store = store
        self.clock = clock
        self.folder = folder
        self.pack_folder = pack.folder
        self.ground = Ground(pack.areas)
        self.known = Known(pack, store)
        self.work = WorkTime(calendar=pack.calendar, zone=ZoneInfo(pack.time_zone))
        self.kinds = Kinds(store, pack.folder, clock.now())
        self.indicators = indicators_of(pack.folder)
        self.sources: dict[str, Source] = {}  # what numbers are counted from beside cases; the district tells them
        self.count: Count = lambda _rule, _lies: None  # what the district counts by itself; it tells how
        self.room = FileRoom(folder / "files", store, clock)
        self._tell = tell
        self._remembered: list[Rule] | None = None  # read again after each ruling; no other process writes here
        self.rules, self.rulings = read_rules(pack.folder)
        in_force = self.kinds.in_force
        check_rules(
            [one for one in self.rules if one.type_id in in_force],
            [one for one in self.rulings if one.type_id in in_force], in_force, self.ground,
        )  # fmt: skip

    # -- opening and moving ----------------------------------------------------------------------------------------

    def route(self, new: NewCase) -> Route:
        """Return where a case would go and why; nothing is opened.

        Raises
        ------
        BadInput
            If no place is given, or it lies outside the district.
        """
        kind = self.kinds.current(new.type_id)
        areas = self._areas(kind, new.area_id if new.area_id is not None else _point(new))
        return route(kind, areas, new.filled, [*self.remembered(), *self.rules])

    def remembered(self) -> list[Rule]:
        """Return the rules that joint rulings left, newest first: they go before those of the district."""
        rules = self._remembered
        if rules is None:
            kept = sorted(self.store.kept(RULE), key=lambda one: str(one.body["at"]), reverse=True)
            rules = self._remembered = [rule_of(one.body) for one in kept]
        return rules

    def forget_rule(self, rule_id: str, actor: str) -> Change:
        """Withdraw a rule that was remembered."""
        if not self.store.kept(RULE, rule_id):
            raise NotFound(f"rule {rule_id!r}", "is not remembered", "list the rules")
        record = self.store.record(RULE, rule_id)
        draft = Draft(
            kind=RULE, record_id=rule_id, action="withdraw", actor=actor, body=None, expected_version=record.version
        )
        made = self.store.apply([draft], at=self.clock.now(), keeping=[Keeping(kind=RULE, key=rule_id, body=None)])
        self._remembered = None
        self._tell(made)
        return made[0]

    def open(
        self, new: NewCase, who: Standing, *, beside: Callable[[sa.Connection, str], None] = lambda _, __: None
    ) -> Taken:
        """Open a case where it lies, with the owner that the rules give it.

        ``beside`` keeps, in the same transaction, what belongs to the case of that id.

        Raises
        ------
        BadInput
            If it lies outside the district, or a field is missing or wrong.
        NotAllowed
            If the actor may not open such cases here.
        NotFound
            If there is no such type, parent or file.
        """
        kind, at = self.kinds.current(new.type_id), self.clock.now()
        if new.like is not None:
            new = replace(new, filled={**self.handed_on(new.like, kind, who), **new.filled})
        way = self.route(new)
        action = Action(transition=OPEN, filled=new.filled, evidence=new.evidence, note=_note(new.note))
        point = None if new.lon is None or new.lat is None else (new.lon, new.lat)
        made = self.begun(kind, way, action, who, at, point=point)

        def write(connection: sa.Connection) -> tuple[list[Draft], Taken]:
            number = casebook.next_number(connection)
            parent_no = self.part_of(connection, new.parent_id, kind, who)
            aside = Aside(number=number, parent_no=parent_no, lon=new.lon, lat=new.lat, post=way.post, told_at=at)
            self.write_new(connection, kind, [made], [aside])
            beside(connection, made.case_id)
            return [self.line(connection, made, made.history[0])], _taken(made)

        return self._together(at, write)

    def handed_on(self, case_id: str, kind: CaseType, who: Standing) -> dict[str, Any]:
        """Return what a case hands on to the next of its kind, of what somebody may read.

        Raises
        ------
        NotFound
            If there is no such case for them.
        BadInput
            If it is of another type, or of one that hands nothing on.
        """
        seen = self.read(case_id, who)
        if seen.case.type_id != kind.type_id or not kind.carried:
            told = f"case {case_id} of type {seen.case.type_id}"
            rule = f"must be a {kind.type_id}" if kind.carried else "must be of a type that hands something on"
            raise BadInput(told, rule, "open it without like")
        handed = carried(seen.kind, replace(seen.case, values=seen.fields))
        # Where the type has changed since, what it no longer knows stays behind.
        return {name: value for name, value in handed.items() if name in kind.handed_on}

    def begun(
        self, kind: CaseType, way: Route, action: Action, who: Standing, at: datetime,
        *, point: tuple[float, float] | None = None,
    ) -> Case:  # fmt: skip
        """Return a case that somebody opens, with the owner that the routing gave it; nothing is written."""
        by = who.by(kind, set(way.areas.values()), kind.opened_by)
        self._require_act(who, way.areas)
        filled = self.known.settled(kind, who.told(kind, action.filled))
        lies = Lies(values=filled, areas=way.areas, point=point, at=at)
        filled = {**filled, **counted(kind, kind.told_at_opening, filled, lambda rule: self.count(rule, lies))}
        action = replace(action, filled=filled)
        made = open_case(kind, (uuid.uuid4().hex[:12], way.areas), action, by, at)
        return replace(made, history=(replace(made.history[0], owner_level=way.owner_level),))

    def part_of(self, connection: sa.Connection, parent_id: str | None, kind: CaseType, who: Standing) -> int | None:
        """Return the number of the case of which another is to be a part; refuse one that takes no such parts."""
        if parent_id is None:
            return None
        above, parent, row = self.load(connection, parent_id)
        if not self.sight(who).sees(row):
            raise _missing(parent_id)
        self.kinds.check(kind.type_id, above)
        if row["closed"]:
            raise Conflict(f"case {parent.case_id}", "is closed, and takes no parts", "open one of its own")
        return int(row["case_no"])

    def write_new(
        self, connection: sa.Connection, kind: CaseType, cases: Sequence[Case], asides: Sequence[Aside]
    ) -> None:
        """Write cases that were just opened: rows, first lines, and what they are found by."""
        both = list(zip(cases, asides, strict=True))
        casebook.add_cases(
            connection,
            [filed_of(kind, case, aside, self.ground, self.work) for case, aside in both],
            [step_of(aside.number, 0, case.history[0]) for case, aside in both],
            {aside.number: numbers_of([case.case_id, *_texts(kind, case.history[0])]) for case, aside in both},
        )
        for case, aside in both:
            first = case.history[0]
            self.room.take(connection, first.evidence.values(), aside.number, first.actor_id)

    def act(self, case_id: str, action: Action, who: Standing) -> Taken:
        """Take one step of a case. ``action.seen`` is how many changes the actor had read.

        Raises
        ------
        Conflict
            If somebody was faster (it says what they did), or the step may not be taken now.
        NotAllowed, BadInput
            If the actor, a field, the evidence or the note does not do.
        NotFound
            If there is no such case for this actor.
        """
        action = replace(action, note=_note(action.note))
        numbers = self._counted(case_id, action)

        def write(connection: sa.Connection) -> tuple[list[Draft], Taken]:
            at = self.clock.now()  # while nobody else writes, or it might lie before what another has just done
            kind, case, row = self.load(connection, case_id)
            step = kind.transitions.get(action.transition)
            areas = set(case.areas.values())
            by = who.by(kind, areas, step.roles if step else ())
            if not by.grants and not self.sight(who).sees(row):
                raise _missing(case_id)
            self._require_act(who, case.areas)
            _require_seen(case, action)
            filled = {**numbers, **self.known.settled(kind, who.told(kind, action.filled))}
            told = replace(action, filled=filled)
            change = advance(kind, case, told, by, at=at, linked=self._linked(connection, row["case_no"]))
            change, rule = self._ruled(kind, case, change)
            case = applied(case, change)
            self._write(connection, kind, case, aside_of(row))
            drafts = [self.line(connection, case, change)]
            if rule is not None:
                drafts.append(self._remember(connection, rule, who.actor_id, at))
            return drafts, _taken(case)

        return self._together(self.clock.now(), write)

    def link(self, case_id: str, other_id: str, who: Standing) -> Taken:
        """Let a case wait for another, as a step of its type asks; both must be open to the actor."""
        at = self.clock.now()

        def write(connection: sa.Connection) -> tuple[list[Draft], Taken]:
            kind, case, row = self.load(connection, case_id)
            _, other, other_row = self.load(connection, other_id)
            sight = self.sight(who)
            for one in (row, other_row):
                if not sight.sees(one):
                    raise _missing(one["case_id"])
            self._require_act(who, case.areas)
            self._require_role(kind, case, who)
            waits_for = kind.waits_for
            if other.type_id not in waits_for:
                told = ", ".join(sorted(waits_for)) or "none"
                rule = f"must be one that {kind.type_id} waits for"
                raise BadInput(f"link to a {other.type_id}", rule, f"link any of: {told}")
            casebook.add_link(connection, row["case_no"], other_row["case_no"])
            body: Json = {"type": case.type_id, "transition": "link"}
            return [self.draft(connection, case_id, "link", who.actor_id, body)], _taken(case)

        return self._together(at, write)

    # -- reading ---------------------------------------------------------------------------------------------------

    def sight(self, who: Standing) -> Sight:
        """Return what somebody may see: the one filter of lists, counts, search, export and the live feed."""
        reads = self.ground.of_scope(who.reads)
        plain = tuple(f"{one.type_id}/{one.version}" for one in self.kinds.every() if one.confidentiality not in NARROW)
        parts: list[tuple[tuple[str, ...], tuple[Range, ...]]] = [(plain, reads)]
        for kind in self.kinds.every():
            if kind.confidentiality not in NARROW:
                continue
            held = [one.area_id for one in who.roles.get(kind.type_id, ()) if one.role_id in kind.readers]
            ranges = _both(self.ground.ranges(held), reads)
            if ranges:
                parts.append(((f"{kind.type_id}/{kind.version}",), ranges))
        return Sight(tuple(parts), self.ground.range_of(self.ground.root)[1])

    def sees(self, who: Standing, case_id: str) -> bool:
        """Tell whether somebody may know of a case."""
        with self.store.reading() as connection:
            row = casebook.row_of(connection, case_id)
        return row is not None and self.sight(who).sees(row)

    def read(self, case_id: str, who: Standing) -> Seen:
        """Return a case as somebody may see it. That a restricted one was read is a line of the log.

        Raises
        ------
        NotFound
            If there is none, or none for them: which of the two is not told.
        """
        at, sight = self.clock.now(), self.sight(who)
        with self.store.reading() as connection:
            kind, case, row = self.load(connection, case_id)
            if not sight.sees(row):
                raise _missing(case_id)
            children, waits = casebook.linked_to(connection, row["case_no"])
            parent = casebook.rows_of(connection, [row["parent_no"]]) if row["parent_no"] is not None else []
            told = casebook.tellings_of(connection, row["case_no"])
            files = casebook.files_in(connection, row["case_no"])
        seen = self.seen(kind, case, row, who)
        if kind.confidentiality in NARROW:
            body: Json = {"type": kind.type_id}
            self.store.together(
                at, lambda connection: ([self.draft(connection, case_id, "read", who.actor_id, body, READ_KIND)], None)
            )
        return replace(
            seen,
            clocks=() if case.forgotten_at else read_clocks(kind, case, self.work, at),
            steps=steps_for(kind, case, who, at),
            parent_id=next((one["case_id"] for one in parent if sight.sees(one)), None),
            children=tuple(one for one in children if sight.sees(one)),
            waits_for=tuple(one for one in waits if sight.sees(one)),
            told=tuple(told),
            files=tuple(files),
        )

    def seen(self, kind: CaseType, case: Case, row: Row, who: Standing) -> Seen:
        """Return a case with the fields and the history that somebody may read; refuse who may read none."""
        by = who.reader(kind, set(case.areas.values()), self.ground.root)
        if by is None:
            raise _missing(case.case_id)
        at = self.clock.now()
        fields = readable(kind, case, by, at)
        history = readable_history(kind, case, by, at)
        light = light_of(row, at)
        return Seen(kind=kind, case=case, row=row, light=light, fields=fields, history=history)

    def require_part(self, case_id: str, who: Standing) -> None:
        """Refuse whoever may not act in a case, or holds no role in it.

        Raises
        ------
        NotFound
            If there is no such case for them.
        NotAllowed
            If they only read it.
        """
        with self.store.reading() as connection:
            kind, case, row = self.load(connection, case_id)
        if not self.sight(who).sees(row):
            raise _missing(case_id)
        self._require_act(who, case.areas)
        self._require_role(kind, case, who)

    @staticmethod
    def _require_role(kind: CaseType, case: Case, who: Standing) -> None:
        if not who.by(kind, set(case.areas.values())).grants:
            raise NotAllowed(f"case {case.case_id}", "must be one in which you hold a role", "ask who holds one")

    def load(self, connection: sa.Connection, case_id: str) -> tuple[CaseType, Case, Row]:
        """Return a case with the type it is pinned to; NotFound where there is none."""
        row = casebook.row_of(connection, case_id)
        if row is None:
            raise _missing(case_id)
        steps = casebook.steps_of(connection, [row["case_no"]])[row["case_no"]]
        return self.kinds.of(row), case_of(row, steps, self.ground), row

    def announce(self, changes: Sequence[Change]) -> None:
        """Tell whoever listens of lines that were written."""
        self._tell(changes)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _together(self, at: datetime, write: Callable[[sa.Connection], tuple[list[Draft], Taken]]) -> Taken:
        changes, made = self.store.together(at, write)
        if any(one.kind == RULE for one in changes):
            self._remembered = None
        self._tell(changes)
        return made

    def _areas(self, kind: CaseType, place: tuple[float, float] | str) -> dict[str, str]:
        """Return the areas that hold a case of a type, down to the finest level of its kind."""
        if isinstance(place, str):
            self.ground.range_of(place)
            found: str | None = place
        else:
            found = self.ground.at(*place)
        if found is None:
            raise BadInput(f"at={place}", "must lie inside the district", "give lon,lat in degrees")
        return kind.lies_in(self.ground.lies(found))

    def _counted(self, case_id: str, action: Action) -> Mapping[str, int]:
        """Return the numbers that the district counts for a step where nobody told them.

        It is asked before the step is written: who counts may have to wait for somebody who is writing.
        """
        with self.store.reading() as connection:
            row = casebook.row_of(connection, case_id)
            step = None if row is None else self.kinds.of(row).transitions.get(action.transition)
            fields = {} if row is None else self.kinds.of(row).fields
            if step is None or not any(fields[name].counted for name in step.fills):
                return {}  # most steps, and their history need not be read twice
            kind, case, row = self.load(connection, case_id)
        if case.forgotten_at is not None:
            return {}
        lies = replace(lies_of(case, row, self.clock.now()), values={**case.values, **action.filled})
        return counted(kind, step.fills, action.filled, lambda rule: self.count(rule, lies))

    def _write(self, connection: sa.Connection, kind: CaseType, case: Case, aside: Aside) -> None:
        """Write the last line of a case's history, its row, and what it is found by."""
        change = case.history[-1]
        casebook.put_row(connection, filed_of(kind, case, aside, self.ground, self.work))
        casebook.add_step(connection, step_of(aside.number, len(case.history) - 1, change))
        casebook.add_words(connection, aside.number, numbers_of(_texts(kind, change)))
        self.room.take(connection, change.evidence.values(), aside.number, change.actor_id)

    def line(self, connection: sa.Connection, case: Case, change: CaseChange) -> Draft:
        """Return the line of the log for a change: which step, and nothing of what was said."""
        body: Json = {"type": case.type_id, "version": case.version, "transition": change.transition}
        return self.draft(connection, case.case_id, change.transition, change.actor_id, body)

    @staticmethod
    def draft(
        connection: sa.Connection, record_id: str, action: str, actor: str, body: Json, kind: str = KIND
    ) -> Draft:
        """Return a line of the log that follows whatever is known of its record."""
        version = version_of(connection, kind, record_id)
        return Draft(kind=kind, record_id=record_id, action=action, actor=actor, body=body, expected_version=version)

    def _linked(self, connection: sa.Connection, number: int) -> list[Linked]:
        children, waits = casebook.linked_to(connection, number)
        return [
            Linked(
                case_id=one["case_id"], type_id=one["type_id"], state=one["state"], closed=bool(one["closed"]),
                child=child,
            )
            for rows, child in ((children, True), (waits, False))
            for one in rows
        ]  # fmt: skip

    def _ruled(self, kind: CaseType, case: Case, change: CaseChange) -> tuple[CaseChange, Json | None]:
        """Return a joint ruling with the owner that it names, and the rule that it leaves behind."""
        for ruling in self.rulings:
            if (ruling.type_id, ruling.step) == (kind.type_id, change.transition):
                names = (f"ruled-{uuid.uuid4().hex[:12]}", case.case_id)
                rule = remembered(ruling, names, case.areas, {**case.values, **change.filled})
                if rule is not None and rule["level"] in case.areas:
                    return replace(change, owner_level=rule["level"]), rule
        return change, None

    def _remember(self, connection: sa.Connection, rule: Json, actor: str, at: datetime) -> Draft:
        """Keep a rule beside the log: what it says comes from a case, and the log cannot forget."""
        kept = Keeping(kind=RULE, key=rule["id"], body=rule | {"at": at.isoformat()})
        keep_aside(connection, [kept])
        return self.draft(connection, rule["id"], "remember", actor, {"type": rule["type"]}, RULE)

    def _require_act(self, who: Standing, areas: Mapping[str, str]) -> None:
        if not who.acts_here(set(areas.values())):
            raise NotAllowed("right cases.act here", "must be granted for this area", "ask whoever keeps the accounts")


def steps_for(kind: CaseType, case: Case, who: Standing, at: datetime) -> tuple[Transition, ...]:
    """Return the steps that somebody's roles allow from where a case stands; none of one that is forgotten."""
    areas = set(case.areas.values())
    if case.forgotten_at or not who.acts_here(areas):
        return ()
    every = {role for one in kind.transitions.values() for role in one.roles}
    return next_steps(kind, case, who.by(kind, areas, every), at)


def _point(new: NewCase) -> tuple[float, float]:
    if new.lon is None or new.lat is None:
        raise BadInput("the place", "must be given as lon and lat, or as an area", "say where it is")
    return new.lon, new.lat


def _texts(kind: CaseType, change: CaseChange) -> list[str]:
    return texts_of(kind, change.filled, change.note)


def _note(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"note of {len(note)} characters", f"must have at most {LONGEST_NOTE}", "shorten it")
    return note.strip()


def _taken(case: Case) -> Taken:
    area_id = list(case.areas.values())[-1]
    return Taken(
        case_id=case.case_id, type_id=case.type_id, state=case.state, n_changes=len(case.history), area_id=area_id
    )


def _require_seen(case: Case, action: Action) -> None:
    n = len(case.history)
    if action.seen is None or action.seen == n:
        return
    since = [f"{one.transition} to {one.target} at {one.at.isoformat()}" for one in case.history[action.seen :]]
    told = ", ".join(since) or "there are fewer"
    raise Conflict(f"seen={action.seen} of {n} changes", f"must be all of them; since then: {told}", "read it again")


def _missing(case_id: str) -> NotFound:
    return NotFound(f"case {case_id!r}", "does not exist, or not for you", "list the cases you may see")


def _both(ones: Sequence[Range], others: Sequence[Range]) -> tuple[Range, ...]:
    """Return what lies in both of two lists of ranges."""
    found = [(max(a, c), min(b, d)) for a, b in ones for c, d in others]
    return tuple(sorted(one for one in found if one[0] <= one[1]))
