"""What a case type says: fields, states, transitions, clocks, gates, who reads it, and when it is forgotten."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from anlan.cases.guards import Expression, Facts
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.records import Label

LONGEST_TEXT = 4000
LONGEST_TABLE = 500
OPEN = "open"
"""The name under which the opening of a case stands in its history."""
MIGRATE = "migrate"
"""The name under which it stands there that a case went over to another version of its type."""


class FieldKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    DATE = "date"
    MOMENT = "moment"
    TABLE = "table"


class Confidentiality(StrEnum):
    """Who may know that a case of the type exists, from everybody to its own roles only."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"
    SEALED = "sealed"


class Measured(StrEnum):
    """What time a clock counts."""

    CALENDAR = "calendar"
    WORKING = "working"


class Refers(StrEnum):
    """What a text stands for: something that the district holds, by its id."""

    GROUND = "ground"
    """What is counted every minute: ``place:ID`` or ``watch:ID``."""
    DEVICE = "device"
    """A device of the pack."""


class Counted(StrEnum):
    """What the district counts by itself."""

    INCIDENTS = "incidents"
    """Incidents near the case, before or after a step."""
    MOST_PRESENT = "most_present"
    """The most people who were in the zones of a live plan at once."""
    TRIGGERED = "triggered"
    """How many triggers of a live plan fired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRule:
    """What the district counts for a field that is left empty; what it cannot count is told by hand.

    Incidents are those within ``near_m`` metres of the case, or in its area where it has no point, over the ``days``
    ``before`` a step (``open`` too) or ``after`` it. Where the choice ``by`` has an option in ``kinds``, only incidents
    of those kinds count.
    """

    of: Counted
    days: int = 0
    near_m: float = 100.0
    before: str | None = None
    after: str | None = None
    by: str | None = None
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRule:
    """The tables of a plan that runs: its zones, what is to be done when, and the devices that watch them.

    Triggers run while a case stands in one of ``states``. Where fields tell how many are ``expected``, and when it
    ``begins`` and ``ends``, the plan can be rehearsed; ``staffing`` is the table of who is to be where.
    Forecasts count on what is planned in the states of ``foreseen`` and while it runs; where the field ``repeats``
    tells when the last one began, on what was counted then.
    """

    zones: str
    triggers: str
    devices: str
    states: frozenset[str]
    expected: str | None = None
    begins: str | None = None
    ends: str | None = None
    staffing: str | None = None
    foreseen: frozenset[str] = frozenset()
    repeats: str | None = None

    @property
    def can_be_rehearsed(self) -> bool:
        """Whether it tells all that a simulated crowd goes by."""
        return None not in {self.expected, self.begins, self.ends}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that a case tells. ``readers`` are the only roles that read it; empty where the type's rule holds.

    ``own`` is read by nobody but whoever wrote it last. A table has ``columns``, from ``least`` to ``most`` rows, a
    condition that holds of ``each`` row, and columns that are ``unique`` together. A text may be the id of what it
    ``refers`` to. A number that is ``counted`` need not be typed. A moment comes ``after`` those of the fields that it
    names, a date not before theirs.
    """

    field_id: str
    label: Label
    kind: FieldKind
    required: bool = False
    public: bool = False
    options: Mapping[str, Label] = field(default_factory=dict)
    least: float | None = None
    most: float | None = None
    readers: frozenset[str] = frozenset()
    own: bool = False
    columns: Mapping[str, Field] = field(default_factory=dict)
    each: Expression | None = None
    because: Label | None = None
    unique: tuple[str, ...] = ()
    refers: Refers | None = None
    counted: CountRule | None = None
    after: tuple[str, ...] = ()

    def check(self, value: Any) -> Any:
        """Return the value as it is kept; refuse one that does not fit.

        Raises
        ------
        BadInput
            If it is of another kind, not among the options, or out of range.
        """
        told = f"{self.field_id}={value!r}"
        if self.kind is FieldKind.TABLE:
            return self._rows(value, told[:80])
        return self._plain(value, told)

    def _plain(self, value: Any, told: str) -> Any:
        if self.kind is FieldKind.BOOLEAN:
            return self._keep(isinstance(value, bool), value, told, "must be true or false")
        if self.kind in {FieldKind.NUMBER, FieldKind.INTEGER}:
            whole = self.kind is FieldKind.INTEGER
            fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
            fits = fits and math.isfinite(value)
            self._keep(fits, value, told, "must be a whole number" if whole else "must be a number")
            low, high = self.least, self.most
            inside = (low is None or value >= low) and (high is None or value <= high)
            return self._keep(inside, value, told, f"must be from {_end(low)} to {_end(high)}")
        self._keep(
            isinstance(value, str) and bool(value.strip()), value, told[:80], "must be a text that says something"
        )
        if self.kind is FieldKind.CHOICE:
            return self._keep(value in self.options, value, told, f"must be one of {', '.join(self.options)}")
        if self.kind is FieldKind.DATE:
            try:
                return date.fromisoformat(value).isoformat()
            except ValueError:
                raise BadInput(told, "must be a date", "write it like 2026-12-31") from None
        if self.kind is FieldKind.MOMENT:
            return parse_moment(value, self.field_id).isoformat()
        short = len(value) <= LONGEST_TEXT
        return self._keep(short, value, f"{self.field_id} of {len(value)} characters", f"must be <= {LONGEST_TEXT}")

    def _rows(self, value: Any, told: str) -> list[dict[str, Any]]:
        """Return the rows of a table, each as it is kept; every row that is wrong is told."""
        fits = isinstance(value, list | tuple) and all(isinstance(row, Mapping) for row in value)
        self._keep(fits, value, told, "must be a list of rows, each a table of its columns")
        low, high = int(self.least or 1), int(self.most or LONGEST_TABLE)
        self._keep(
            low <= len(value) <= high, value, f"{self.field_id} of {len(value)} rows", f"must have {low} to {high}"
        )
        rows: list[dict[str, Any]] = []
        faults: list[str] = []
        for k, row in enumerate(value, 1):
            try:
                rows.append(self._row(row))
            except BadInput as fault:
                faults.append(f"row {k}: {fault.value} {fault.rule}")
        keys = [tuple(row.get(name) for name in self.unique) for row in rows] if self.unique else []
        twice = sorted({", ".join(map(str, key)) for key in keys if keys.count(key) > 1})
        faults += [f"{key} must stand in one row only" for key in twice]
        told = f"{self.field_id}: {'; '.join(faults[:20])}"
        self._keep(not faults, value, told, f"({len(faults)} faults in {len(value)} rows)")
        return rows

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        for name in row:
            if name not in self.columns:
                raise BadInput(f"column {name!r}", f"must be one of {', '.join(self.columns)}", "take it out")
        missing = [name for name, one in self.columns.items() if one.required and name not in row]
        if missing:
            raise BadInput(f"column {', '.join(missing)}", "must be filled in", "fill it in")
        kept = {name: self.columns[name].check(value) for name, value in row.items()}
        if self.each is not None and self.each.holds(Facts(kept, frozenset(), {})) is not True:
            why = (self.because or {}).get("en") or self.each.text
            raise BadInput(", ".join(map(str, kept.values()))[:60], f"must keep: {why}", "correct the row")
        return kept

    def _keep(self, fits: bool, value: Any, told: str, rule: str) -> Any:  # noqa: FBT001 - the claim that it fits
        if not fits:
            raise BadInput(told, rule, f"correct the field {self.field_id}")
        return value


def _end(limit: float | None) -> str:
    return "any" if limit is None else f"{limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a case may stand. ``closed`` ends it; ``inform`` tells whoever raised it."""

    state_id: str
    label: Label
    closed: bool = False
    inform: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One allowed step: from where, to where, who, and what it takes.

    ``level`` is the lowest level of area at which its roles may be held; ``owner`` asks for the area that owns the
    case, or one above it. ``other_than`` names earlier steps whose actor may not take this one, ``other_unit_than``
    those whose unit. Fields of ``anew`` must be told with this very step, whatever was told before. Evidence of the
    kinds in ``apart`` must be different files. ``unit`` is the field that holds the unit which alone may take the step.
    No linked case of a type in ``clear_of`` may be open. A step ``waits`` until its case has stood so long in its
    state, and is possible ``within`` so long.
    """

    transition_id: str
    label: Label
    sources: frozenset[str]
    target: str
    roles: frozenset[str]
    level: str | None = None
    owner: bool = False
    guard: Expression | None = None
    because: Label | None = None
    evidence: tuple[str, ...] = ()
    note: bool = False
    fills: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    other_than: frozenset[str] = frozenset()
    other_unit_than: frozenset[str] = frozenset()
    moves_up: bool = False
    children_closed: bool = False
    anew: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    unit: str | None = None
    clear_of: frozenset[str] = frozenset()
    waits: Amount | None = None
    within: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A length of calendar or working time. A working day is as long as the district works on one."""

    n: int
    unit: str
    measured: Measured

    def length(self, day_s: float) -> timedelta:
        """Return it as a duration, where a day of its kind of time has ``day_s`` seconds."""
        return timedelta(seconds=self.n * day_s) if self.unit == "days" else timedelta(hours=self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """Who is told when a share of a clock's time has gone: ``owner``, ``up`` (next area above), or ``top``."""

    share: float
    to: str
    letter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRule:
    """A time limit: it begins in a state of ``starts``, rests in ``pauses``, ends in ``stops`` and where a case ends.

    It has a ``limit``, or runs ``until`` the end of the date, or the moment, that a field holds. ``extended_by`` is the
    transition that gives the whole limit once more each time it is taken. A step of ``stopped_by`` stops it for good.
    Where ``optional``, the date may stay unknown, and then the clock does not begin.
    """

    clock_id: str
    label: Label
    starts: frozenset[str]
    stops: frozenset[str]
    pauses: frozenset[str]
    limit: Amount | None
    warn_share: float
    climbs: tuple[Climb, ...] = ()
    extended_by: str | None = None
    public: bool = False
    until: str | None = None
    optional: bool = False
    stopped_by: frozenset[str] = frozenset()

    @property
    def working(self) -> bool:
        """Whether it counts working time."""
        return self.limit is not None and self.limit.measured is Measured.WORKING


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A step that waits for a case of another type: it must stand in one of ``states``."""

    transition: str
    type_id: str
    states: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRule:
    """A document that a case gives: made by the template ``paper``, while it stands in one of ``states``."""

    document_id: str
    label: Label
    paper: str
    states: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """When a closed case is forgotten, which fields stay for statistics, and down to which ``level`` its area."""

    after: Amount
    keeps: frozenset[str]
    level: str
    basis: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One thing that residents may report: an option of the field that their reports go by.

    ``asks`` are public fields that are told with the report, ``needs`` those of them without which it is not taken.
    ``place`` is how finely the public reads where it is: ``point``, or a level of area.
    """

    option: str
    about: Label
    group: Label
    keywords: Label
    asks: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    place: str = "point"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSide:
    """What residents do with cases of a type, without an account and without being known.

    They act in ``role``. A report fills ``by`` with the option of a service, ``words`` with what is told, ``where`` (if
    there is one) with how to find it, and ``source`` with ``page`` or ``open311``; it may bring one ``photo``. Whoever
    holds the code of a report reads, beside the public fields, those in ``tells``, the notes of steps in ``notes``, and
    the evidence in ``shows``. Reports of one service within ``near_m`` metres may be of the same thing.
    """

    role: str
    by: str
    words: str
    services: Mapping[str, Service]
    where: str | None = None
    source: str | None = None
    page: str = ""
    open311: str = ""
    photo: str | None = None
    tells: frozenset[str] = frozenset()
    notes: frozenset[str] = frozenset()
    shows: frozenset[str] = frozenset()
    near_m: float = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One line of an example history. ``refused`` is the code of the error with which it must be refused.

    ``linked`` are the states of closed cases by their type, ``open_parts`` the types of its own parts that are open.
    """

    at: datetime
    do: str
    by: str
    role: str
    level: str
    unit: str
    filled: Mapping[str, Any]
    evidence: tuple[str, ...]
    note: str
    linked: Mapping[str, str]
    open_parts: tuple[str, ...]
    state: str
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseType:
    """A kind of matter with its procedure. Read it with `read_type`, which refuses what cannot run.

    A case lies in an area that reaches the ``entry_level``, and no finer than the ``finest_level``.
    """

    type_id: str
    version: int
    label: Label
    purpose: Label
    entry_level: str
    finest_level: str
    owner_level: str
    opens: str
    opened_by: frozenset[str]
    confidentiality: Confidentiality
    readers: frozenset[str]
    roles: Mapping[str, Label]
    evidence: Mapping[str, Label]
    fields: Mapping[str, Field]
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    clocks: tuple[ClockRule, ...]
    gates: tuple[Gate, ...]
    children: frozenset[str]
    retention: Retention
    example: tuple[Trial, ...]
    opening: frozenset[str] = frozenset()
    documents: Mapping[str, DocumentRule] = field(default_factory=dict)
    carried: frozenset[str] = frozenset()
    public_side: PublicSide | None = None
    live: LiveRule | None = None

    @property
    def told_at_opening(self) -> tuple[str, ...]:
        """The fields that may be filled at the opening: required ones, those of ``opening``, and what no step fills.

        What a step fills under its guard and its roles cannot be slipped in before.
        """
        stepwise = {name for step in self.transitions.values() for name in step.fills}
        return tuple(
            name for name, one in self.fields.items() if one.required or name in self.opening or name not in stepwise
        )

    @property
    def handed_on(self) -> dict[str, str]:
        """The fields that next year's case begins with, and of which field of this one each is made.

        Those that are carried are themselves; what it repeats began when this one begins.
        """
        handed = {name: name for name in sorted(self.carried)}
        if self.live is not None and self.live.repeats is not None and self.live.begins is not None:
            handed[self.live.repeats] = self.live.begins
        return handed

    @property
    def closed_circle(self) -> bool:
        """Whether nobody but the type's own readers may know of a case."""
        return self.confidentiality in {Confidentiality.RESTRICTED, Confidentiality.SEALED}

    def lies_in(self, areas: Mapping[str, str]) -> dict[str, str]:
        """Return the areas in which a case lies whose place lies in these, level to id, top first."""
        levels = list(areas)
        if self.finest_level in areas:
            levels = levels[: levels.index(self.finest_level) + 1]
        return {level: areas[level] for level in levels}

    @property
    def waits_for(self) -> frozenset[str]:
        """The types that its cases may wait for: those of its gates, and those of which none may be open."""
        clear = (step.clear_of for step in self.transitions.values())
        return frozenset({gate.type_id for gate in self.gates}).union(*clear)

    @property
    def unit_fields(self) -> frozenset[str]:
        """The fields that hold a unit: the office that alone may take a step."""
        return frozenset(step.unit for step in self.transitions.values() if step.unit is not None)

    def steps_from(self, state_id: str) -> tuple[Transition, ...]:
        """Return the transitions that leave a state, in the order of the file."""
        return tuple(step for step in self.transitions.values() if state_id in step.sources)


class Catalogue:
    """Case types by id and version: a running case stays with the version it was opened under.

    Raises
    ------
    BadInput
        If an id comes twice in one version, or a gate or child names a type or state that is not there.
    """

    def __init__(self, types: tuple[CaseType, ...]) -> None:
        self._types = {(one.type_id, one.version): one for one in types}
        if len(self._types) < len(types):
            raise BadInput("case types", "must have each id once in one version", "raise the version of the newer one")
        for one in types:
            secret = {other.type_id for other in types if other.closed_circle and other.type_id in one.waits_for}
            if secret:
                raise BadInput(
                    f"{one.type_id} waits for {min(secret)}", "must not rest on a type of a closed circle",
                    "take that out: what is said there is a ground for nothing else",
                )  # fmt: skip
            for gate in one.gates:
                states = frozenset(s for other in types if other.type_id == gate.type_id for s in other.states)
                if not gate.states <= states:
                    told = ", ".join(sorted(gate.states - states))
                    raise BadInput(
                        f"gate of {one.type_id} on {gate.type_id} in {told}",
                        "must name a type and states that there are", "correct the gate",
                    )  # fmt: skip
            asked = one.children.union(*(step.clear_of for step in one.transitions.values()))
            unknown = asked - {other.type_id for other in types}
            if unknown:
                told = f"children, clear_of={min(unknown)!r} of {one.type_id}"
                raise BadInput(told, "must be a type", "correct it")

    def __iter__(self) -> Iterator[CaseType]:
        return iter(self._types.values())

    def get(self, type_id: str, version: int | None = None) -> CaseType:
        """Return a type: the version asked for, or the newest.

        Raises
        ------
        NotFound
            If there is none.
        """
        versions = [one.version for one in self._types.values() if one.type_id == type_id]
        found = self._types.get((type_id, max(versions, default=0) if version is None else version))
        if found is None:
            known = ", ".join(sorted({one.type_id for one in self._types.values()}))
            told = type_id if version is None else f"{type_id} version {version}"
            raise NotFound(f"case type {told!r}", "does not exist", f"choose one of {known}")
        return found
