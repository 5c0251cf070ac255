"""Read a case type from TOML. Everything that is wrong with it is told at once, each with its remedy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anlan.cases.definition import (
    Amount,
    CaseType,
    Climb,
    ClockRule,
    Confidentiality,
    Counted,
    CountRule,
    DocumentRule,
    Field,
    FieldKind,
    Gate,
    LiveRule,
    Measured,
    PublicSide,
    Refers,
    Retention,
    Service,
    State,
    Transition,
    Trial,
)
from anlan.cases.guards import Expression, read_guard
from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Label

_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_AMOUNT = re.compile(r"([1-9]\d{0,4}) (working |calendar )?(days|hours)")
_IDENTITY = re.compile(
    r"(^|_)(name|surname|face|plate|imei|imsi|msisdn|mac|phone|mobile|email|wechat|openid|ssid|track|person|id_card|id_number|"
    r"passport|gender|sex|ethnicity|biometric|birthday|citizen|complainant|caller|suspect)($|_)"
)
_NONE: Any = object()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a type: where, the value, the rule, the next step. Advice does not block."""

    where: str
    value: str
    rule: str
    next_step: str
    blocking: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.value} {self.rule}; {self.next_step}."


class Faults(list[Fault]):
    """Faults as they are found."""

    def add(self, where: str, value: str, rule: str, next_step: str = "correct it") -> None:
        """Note one that blocks."""
        self.append(Fault(where, value, rule, next_step))


class Table:
    """One table of the file: every key is taken once, of its kind; what is left over is a fault."""

    def __init__(self, told: Any, where: str, faults: Faults) -> None:
        self.where, self.faults = where, faults
        self._told: dict[str, Any] = dict(told) if isinstance(told, dict) else {}
        if not isinstance(told, dict):
            faults.add(where, repr(told)[:60], "must be a table")

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = _NONE) -> Any:
        """Return a value of a kind, or the default."""
        value = self._told.pop(key, default)
        if value is _NONE:
            self.faults.add(self.where, key, "must be given", f"add {key}")
            return _empty(kind)
        wrong = value is not default and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool))
        if wrong:
            told = kind.__name__ if isinstance(kind, type) else "number"
            self.faults.add(self.where, f"{key}={value!r}"[:80], f"must be of kind {told}")
            return _empty(kind) if default is _NONE else default
        return value

    def texts(self, key: str, default: Any = ()) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.take(key, list, list(default) if default is not _NONE else _NONE)
        if not all(isinstance(one, str) for one in value):
            self.faults.add(self.where, f"{key}={value!r}"[:80], "must be a list of texts")
            return ()
        return tuple(value)

    def label(self, key: str, default: Any = _NONE) -> Any:
        """Return a label in both languages."""
        return label_of(self.take(key, dict, default), f"{self.where} {key}", self.faults)

    def word(self, key: str, kind: Callable[[str], Any], allowed: Iterable[str], default: Any = _NONE) -> Any:
        """Return one of a few words."""
        value = self.take(key, str, default)
        words = tuple(allowed)
        if value is default and default is not _NONE:
            return default
        if value not in words:
            self.faults.add(self.where, f"{key}={value!r}", f"must be one of {', '.join(words)}")
            value = words[0]
        return kind(value)

    def amount(self, key: str, default: Any = _NONE) -> Any:
        """Return a length of time: ``"5 working days"``; the default where none is given."""
        value = self.take(key, str, default)
        if value is default and default is not _NONE:
            return default
        found = _AMOUNT.fullmatch(value)
        if found is None:
            self.faults.add(
                self.where, f"{key}={value!r}", "must be a length of time",
                "write it like '5 working days', '30 days' or '72 hours'",
            )  # fmt: skip
            return Amount(n=1, unit="days", measured=Measured.CALENDAR)
        measured = Measured.WORKING if found[2] == "working " else Measured.CALENDAR
        return Amount(n=int(found[1]), unit=found[3], measured=measured)

    def tables(self, key: str, *, required: bool = False) -> dict[str, Table]:
        """Return the tables below a key, by id."""
        told = self.take(key, dict, _NONE if required else {})
        for one in told:
            if not _ID.fullmatch(one):
                self.faults.add(key, repr(one), "must be an id", "use small letters, digits and _")
        return {one: Table(body, f"{key}.{one}", self.faults) for one, body in told.items()}

    def rows(self, key: str) -> list[Table]:
        """Return the tables of a list."""
        told = self.take(key, list, [])
        return [Table(body, f"{key} {k}", self.faults) for k, body in enumerate(told, 1)]

    def left(self) -> tuple[str, ...]:
        """Return the keys that nobody has taken yet."""
        return tuple(self._told)

    def done(self) -> None:
        """Tell whatever nobody asked for."""
        for key in self._told:
            self.faults.add(
                self.where, repr(key), "is nothing that belongs here", "take it out, or correct its spelling"
            )


def _empty(kind: type | tuple[type, ...]) -> Any:
    return (
        kind[0]() if isinstance(kind, tuple) else kind() if kind is not datetime else datetime.min.replace(tzinfo=UTC)
    )


def label_of(told: Any, where: str, faults: Faults) -> Any:
    """Return a label that says something in both languages."""
    if told is None:
        return None
    if (
        not isinstance(told, dict)
        or set(told) != {"zh", "en"}
        or not all(isinstance(text, str) and text.strip() for text in told.values())
    ):
        faults.add(where, repr(told)[:60], "must say something in zh and in en, and no more")
        return {"zh": where, "en": where}
    return told


def parse_type(text: str, where: str) -> tuple[CaseType | None, Faults]:
    """Return what a file says, as far as it can be told, with the faults of its form."""
    faults = Faults()
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        faults.add(where, "the file", f"must be TOML ({fault})", "correct that line")
        return None, faults
    top = Table(told, where, faults)
    type_id = top.take("id", str)
    if not _ID.fullmatch(type_id):
        faults.add(where, f"id={type_id!r}", "must be an id", "use small letters, digits and _")
    version = top.take("version", int)
    if version < 1:
        faults.add(where, f"version={version}", "must be >= 1")
    entry_level = top.take("entry_level", str)
    retention = Table(top.take("retention", dict), "retention", faults)
    made = CaseType(
        type_id=type_id, version=version, label=top.label("label"), purpose=top.label("purpose"),
        entry_level=entry_level, finest_level=top.take("finest_level", str, entry_level),
        owner_level=top.take("owner_level", str, entry_level), opens=top.take("opens", str),
        opened_by=frozenset(top.texts("opened_by", _NONE)),
        confidentiality=top.word("confidentiality", Confidentiality, Confidentiality),
        readers=frozenset(top.texts("readers")),
        roles=_labels(top, "roles"), evidence=_labels(top, "evidence"),
        fields={name: _field(name, one) for name, one in top.tables("fields").items()},
        states={name: _state(name, one) for name, one in top.tables("states", required=True).items()},
        transitions={name: _transition(name, one) for name, one in top.tables("transitions", required=True).items()},
        clocks=tuple(_clock(name, one) for name, one in top.tables("clocks").items()),
        gates=tuple(_gate(one) for one in top.rows("gates")), children=frozenset(top.texts("children")),
        retention=_retention(retention, entry_level), example=tuple(_trial(one) for one in top.rows("example")),
        opening=frozenset(top.texts("opening")), carried=frozenset(top.texts("carried")),
        documents={name: _document(name, one) for name, one in top.tables("documents").items()},
        public_side=_public_side(top),
        live=None if (live := top.take("live", dict, None)) is None else _live(Table(live, "live", faults)),
    )  # fmt: skip
    top.done()
    return made, faults


def _labels(top: Table, key: str) -> Mapping[str, Label]:
    told = top.take(key, dict, {})
    return {name: label_of(one, f"{key}.{name}", top.faults) for name, one in told.items()}


def _field(name: str, table: Table) -> Field:
    if _IDENTITY.search(name):
        table.faults.add(
            table.where,
            name,
            "must not be a field in which an identity would fit",
            "tell of the place, never the person",
        )
    kind = table.word("kind", FieldKind, FieldKind)
    least, most = (table.take(key, (int, float), None) for key in ("least", "most"))
    if (least is not None or most is not None) and kind not in {FieldKind.NUMBER, FieldKind.INTEGER, FieldKind.TABLE}:
        table.faults.add(table.where, "least, most", "must be of a number or a table's rows", "take them out")
    made = Field(
        field_id=name, kind=kind, label=table.label("label"), required=table.take("required", bool, False),
        public=table.take("public", bool, False), options=_labels(table, "options"), least=least, most=most,
        readers=frozenset(table.texts("readers")), own=table.take("own", bool, False),
        columns={key: _field(key, one) for key, one in table.tables("columns").items()},
        each=_guard(table, "each"), because=table.label("because", None), unique=table.texts("unique"),
        refers=table.word("refers", Refers, Refers, None), counted=_count_rule(table), after=table.texts("after"),
    )  # fmt: skip
    if made.refers is not None and kind is not FieldKind.TEXT:
        table.faults.add(table.where, "refers", "must be of a text", "take it out")
    if made.counted is not None and kind is not FieldKind.INTEGER:
        table.faults.add(table.where, "counted", "must be of a whole number", "take it out")
    if made.after and kind not in {FieldKind.DATE, FieldKind.MOMENT}:
        table.faults.add(table.where, "after", "must be of a date or a moment", "take it out")
    if (kind is FieldKind.CHOICE) != bool(made.options):
        table.faults.add(table.where, "options", "must be given for a choice, and only there")
    if made.public and (made.readers or made.own):
        table.faults.add(table.where, "public", "must not stand beside readers or own", "choose one")
    _check_table(made, table)
    table.done()
    return made


def _count_rule(table: Table) -> CountRule | None:
    told = table.take("counted", dict, None)
    if told is None:
        return None
    own = Table(told, f"{table.where} counted", table.faults)
    kinds = Table(own.take("kinds", dict, {}), f"{own.where} kinds", table.faults)
    made = CountRule(
        of=own.word("of", Counted, Counted), days=own.take("days", int, 0),
        near_m=float(own.take("near_m", (int, float), 100.0)), before=own.take("before", str, None),
        after=own.take("after", str, None), by=own.take("by", str, None),
        kinds={name: kinds.texts(name) for name in kinds.left()},
    )  # fmt: skip
    own.done()
    if made.of is Counted.INCIDENTS:
        if (made.before is None) == (made.after is None):
            own.faults.add(own.where, "before, after", "must be one of the two", "name the step from which days count")
        if not 1 <= made.days <= 3660 or not 0 < made.near_m <= 5000:
            wrong = f"days={made.days}, near_m={made.near_m:g}"
            own.faults.add(own.where, wrong, "must be 1..3660 days and up to 5000 m", "correct it")
    elif made != CountRule(of=made.of):
        own.faults.add(own.where, made.of, "must stand alone", "take the rest out")
    return made


def _live(table: Table) -> LiveRule:
    made = LiveRule(
        zones=table.take("zones", str), triggers=table.take("triggers", str), devices=table.take("devices", str),
        states=frozenset(table.texts("states", _NONE)), expected=table.take("expected", str, None),
        begins=table.take("begins", str, None), ends=table.take("ends", str, None),
        staffing=table.take("staffing", str, None), foreseen=frozenset(table.texts("foreseen")),
        repeats=table.take("repeats", str, None),
    )  # fmt: skip
    table.done()
    return made


def _check_table(made: Field, table: Table) -> None:
    is_table = made.kind is FieldKind.TABLE
    if is_table != bool(made.columns):
        table.faults.add(table.where, "columns", "must be given for a table, and only there")
    if not is_table and (made.each or made.unique):
        table.faults.add(table.where, "each, unique", "must be of a table", "take them out")
    for name, one in made.columns.items():
        if one.kind is FieldKind.TABLE or one.readers or one.own or one.public or one.counted or one.after:
            table.faults.add(table.where, f"column {name}", "must be a plain field", "let the table say who reads it")
    for name in set(made.unique) - set(made.columns):
        table.faults.add(table.where, repr(name), "is no column of this table", "correct unique")


def _state(name: str, table: Table) -> State:
    made = State(
        state_id=name, label=table.label("label"), closed=table.take("closed", bool, False),
        inform=table.take("inform", bool, False),
    )  # fmt: skip
    table.done()
    return made


def _guard(table: Table, key: str = "guard") -> Expression | None:
    text = table.take(key, str, None)
    if text is None:
        return None
    try:
        return read_guard(text)
    except BadInput as fault:
        table.faults.add(table.where, fault.value, fault.rule, fault.next_step)
        return None


def _transition(name: str, table: Table) -> Transition:
    made = Transition(
        transition_id=name, label=table.label("label"), sources=frozenset(table.texts("from", _NONE)),
        target=table.take("to", str), roles=frozenset(table.texts("roles", _NONE)),
        level=table.take("level", str, None),
        owner=table.take("owner", bool, False), guard=_guard(table), because=table.label("because", None),
        evidence=table.texts("evidence"), note=table.take("note", bool, False), fills=table.texts("fills"),
        needs=table.texts("needs"), other_than=frozenset(table.texts("other_than")),
        other_unit_than=frozenset(table.texts("other_unit_than")), moves_up=table.take("moves_up", bool, False),
        children_closed=table.take("children_closed", bool, False), anew=table.texts("anew"),
        apart=table.texts("apart"), unit=table.take("unit", str, None),
        clear_of=frozenset(table.texts("clear_of")), waits=table.amount("waits", None),
        within=table.amount("within", None),
    )  # fmt: skip
    table.done()
    return made


def _clock(name: str, table: Table) -> ClockRule:
    climbs = []
    for row in table.rows("climbs"):
        one = Climb(
            share=float(row.take("share", (int, float))), to=row.word("to", str, ("owner", "up", "top")),
            letter=row.take("letter", bool, False),
        )  # fmt: skip
        row.done()
        if one.share < 1:
            row.faults.add(table.where, f"share={one.share:g}", "must be >= 1: a climb follows a breach")
        climbs.append(one)
    made = ClockRule(
        clock_id=name, label=table.label("label"), starts=frozenset(table.texts("starts", _NONE)),
        stops=frozenset(table.texts("stops")), pauses=frozenset(table.texts("pauses")),
        limit=table.amount("limit", None), until=table.take("until", str, None),
        optional=table.take("optional", bool, False),
        stopped_by=frozenset(table.texts("stopped_by")),
        warn_share=float(table.take("warn_share", (int, float), 0.8)), climbs=tuple(climbs),
        extended_by=table.take("extended_by", str, None), public=table.take("public", bool, False),
    )  # fmt: skip
    if (made.limit is None) == (made.until is None):
        table.faults.add(table.where, "limit, until", "must be one of the two", "give a length, or a field with a date")
    if not 0 < made.warn_share < 1:
        table.faults.add(table.where, f"warn_share={made.warn_share:g}", "must be between 0 and 1")
    table.done()
    return made


def _gate(table: Table) -> Gate:
    made = Gate(
        transition=table.take("transition", str), type_id=table.take("type", str),
        states=frozenset(table.texts("states", _NONE)),
    )  # fmt: skip
    table.done()
    return made


def _document(name: str, table: Table) -> DocumentRule:
    made = DocumentRule(
        document_id=name, label=table.label("label"), paper=table.take("paper", str),
        states=frozenset(table.texts("states", _NONE)),
    )  # fmt: skip
    table.done()
    return made


def _retention(table: Table, entry_level: str) -> Retention:
    made = Retention(
        after=table.amount("after"), keeps=frozenset(table.texts("keeps")), level=table.take("level", str, entry_level),
        basis=table.label("basis"),
    )  # fmt: skip
    table.done()
    return made


def _public_side(top: Table) -> PublicSide | None:
    told = top.take("public", dict, None)
    if told is None:
        return None
    table = Table(told, "public", top.faults)
    source = Table(table.take("source", dict, {}), "public source", top.faults)
    tables = table.tables("services", required=True)
    services = {
        name: Service(
            option=name, about=one.label("about"), group=one.label("group"), keywords=one.label("keywords"),
            asks=one.texts("asks"), needs=frozenset(one.texts("needs")), place=one.take("place", str, "point"),
        )
        for name, one in tables.items()
    }  # fmt: skip
    made = PublicSide(
        role=table.take("role", str), by=table.take("by", str), words=table.take("words", str), services=services,
        where=table.take("where", str, None), source=source.take("field", str, None), page=source.take("page", str, ""),
        open311=source.take("open311", str, ""), photo=table.take("photo", str, None),
        tells=frozenset(table.texts("tells")), notes=frozenset(table.texts("notes")),
        shows=frozenset(table.texts("shows")), near_m=float(table.take("near_m", (int, float), 50)),
    )  # fmt: skip
    for one in (source, table, *tables.values()):
        one.done()
    return made


def _trial(table: Table) -> Trial:
    at = table.take("at", datetime)
    try:
        at = as_utc(at, "at")
    except BadInput as fault:
        table.faults.add(table.where, fault.value, fault.rule, fault.next_step)
        at = at.replace(tzinfo=UTC)
    made = Trial(
        at=at, do=table.take("do", str), by=table.take("by", str), role=table.take("role", str),
        level=table.take("level", str, ""), unit=table.take("unit", str, "unit"), filled=table.take("fields", dict, {}),
        evidence=table.texts("evidence"), note=table.take("note", str, ""), linked=table.take("linked", dict, {}),
        open_parts=table.texts("open_parts"),
        state=table.take("state", str, ""), refused=table.take("refused", str, ""),
    )  # fmt: skip
    table.done()
    return made
