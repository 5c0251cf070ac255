"""What an indicator is, as data: what is counted, when it counts, of which, per what, how fine and how often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from anlan.indicators.periods import PeriodKind
from anlan.kernel.entries import Entry
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.records import Label
from anlan.kernel.written import is_id, is_label, read_toml, refuse


class Form(StrEnum):
    """How entries become a number."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    SHARE = "share"
    FRACTILE = "fractile"


class Counted(StrEnum):
    """Which entries belong to a period: those that began in it, ended in it, or stood at its end."""

    BEGUN = "begun"
    ENDED = "ended"
    STANDING = "standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a value must be: one of some, from a least to a most, or just told. Unknown is never enough."""

    name: str
    one_of: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None

    def holds(self, entry: Entry) -> bool:
        """Tell whether an entry tells such a value."""
        value = entry.values.get(self.name)
        if value is None:
            return False
        if self.one_of:
            return any(type(value) is type(one) and value == one for one in self.one_of)
        if self.least is None and self.most is None:
            return True
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.one_of:
            words = [str(one).lower() if isinstance(one, bool) else str(one) for one in self.one_of]
            return f"{self.name}={'|'.join(words)}"
        ends = [
            f">={self.least:g}" if self.least is not None else "",
            f"<={self.most:g}" if self.most is not None else "",
        ]
        return f"{self.name}{''.join(ends) or '=*'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Per:
    """What a number is divided by: the sum of a value over what stands at the end of the period; ``times`` 1,000."""

    source: str
    value: str
    times: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One number that a district goes by.

    ``of`` is what a share is a share of; ``value`` what is summed or ordered, ``weight`` by what a mean is weighted,
    ``fractile`` which one. ``level`` is the finest level of area at which it is told, ``least`` the count below which
    the public does not see it, ``better`` which way is good, ``by`` a value that breaks it down.
    """

    indicator_id: str
    label: Label
    unit: Label
    sources: tuple[str, ...]
    counted: Counted
    form: Form
    where: tuple[Condition, ...] = ()
    of: tuple[Condition, ...] = ()
    value: str | None = None
    weight: str | None = None
    fractile: float | None = None
    per: Per | None = None
    by: str | None = None
    level: str
    period: PeriodKind
    better: str
    least: int = 5

    @property
    def formula(self) -> str:
        """The formula in one line, as it is computed."""
        of = " and ".join(str(one) for one in self.of)
        what = {
            Form.COUNT: "n", Form.SUM: f"sum of {self.value}", Form.MEAN: f"mean of {self.value}",
            Form.SHARE: f"100 x n({of}) / n", Form.FRACTILE: f"{self.fractile} fractile of {self.value}",
        }[self.form]  # fmt: skip
        weight = f" weighted by {self.weight}" if self.weight else ""
        where = f" where {' and '.join(str(one) for one in self.where)}" if self.where else ""
        per = f" x {self.per.times:g} / sum of {self.per.source}.{self.per.value}" if self.per else ""
        return f"{what}{weight} over {' + '.join(self.sources)} {self.counted}{where}{per}"


_KEYS = {
    "label", "unit", "source", "counted", "form", "where", "of", "value", "weight", "fractile", "per", "by", "level",
    "period", "better", "least",
}  # fmt: skip


def read_indicators(text: str, where: str = "indicators") -> tuple[Indicator, ...]:
    """Return the indicators that a TOML text describes.

    Raises
    ------
    BadInput
        If anything in it is wrong; all of it is told at once.
    """
    told = read_toml(text, where)
    faults: list[str] = []
    made = []
    for name, one in told.items():
        try:
            made.append(_indicator(name, one))
        except BadInput as fault:
            faults.append(f"{name}: {fault.value} {fault.rule}")
    refuse(where, faults or ([] if made else ["there is none"]))
    return tuple(made)


def _indicator(name: str, told: Any) -> Indicator:
    if not is_id(name) or not isinstance(told, dict):
        raise BadInput(f"{name!r}", "must be a table with an id of small letters, digits and _", "correct it")
    spare = sorted(set(told) - _KEYS)
    if spare:
        raise BadInput(f"{spare[0]!r}", "is nothing that belongs here", "take it out, or correct its spelling")
    source = told.get("source", [])
    made = Indicator(
        indicator_id=name, label=_label(told, "label"), unit=_label(told, "unit"),
        sources=tuple(source if isinstance(source, list) else [source]), counted=_word(told, "counted", Counted),
        form=_word(told, "form", Form), where=tuple(_conditions(told.get("where", {}))),
        of=tuple(_conditions(told.get("of", {}))), value=told.get("value"), weight=told.get("weight"),
        fractile=told.get("fractile"), per=_per(told.get("per")), by=told.get("by"), level=str(told.get("level", "")),
        period=_word(told, "period", PeriodKind), better=str(told.get("better", "")), least=told.get("least", 5),
    )  # fmt: skip
    _check(made)
    return made


_OF_VALUES = {Form.SUM, Form.MEAN, Form.FRACTILE}


def _check(one: Indicator) -> None:
    rules = [
        (bool(one.sources) and all(isinstance(name, str) and name for name in one.sources), "source", "must be given"),
        (bool(one.level), "level", "must be given"),
        (one.better in {"more", "less", "neither"}, f"better={one.better!r}", "must be more, less or neither"),
        (isinstance(one.least, int) and one.least >= 1, f"least={one.least!r}", "must be a whole number >= 1"),
        ((one.form is Form.SHARE) == bool(one.of), "of", "must be given for a share, and only there"),
        ((one.form in _OF_VALUES) == bool(one.value), "value", "must be what is summed or ordered, and only there"),
        (one.weight is None or one.form is Form.MEAN, "weight", "must be of a mean"),
        (one.per is None or one.form in {Form.COUNT, Form.SUM}, "per", "must be of a count or a sum"),
    ]  # fmt: skip
    fractile = one.fractile if one.form is Form.FRACTILE else 0.5
    sound = isinstance(fractile, float) and 0 < fractile < 1 and (one.form is Form.FRACTILE or one.fractile is None)
    rules.append((sound, f"fractile={one.fractile!r}", "must be between 0 and 1 for a fractile, and only there"))
    for fits, value, rule in rules:
        if not fits:
            raise BadInput(value, rule, "correct it")


def _label(told: Mapping[str, Any], key: str) -> Label:
    label = told.get(key)
    if not is_label(label):
        raise BadInput(f"{key}={label!r}", "must say something in zh and in en", "give both")
    return dict(label)


def _word(told: Mapping[str, Any], key: str, kind: Any) -> Any:
    words = [str(one) for one in kind]
    if told.get(key) not in words:
        raise BadInput(f"{key}={told.get(key)!r}", f"must be one of {', '.join(words)}", "choose one")
    return kind(told[key])


def _conditions(told: Any) -> Iterator[Condition]:
    if not isinstance(told, dict):
        raise BadInput(f"{told!r}", "must be a table of conditions", "write it like { kind = ['a', 'b'] }")
    for name, one in told.items():
        if isinstance(one, dict) and set(one) <= {"least", "most", "given"} and one.get("given", True) is True:
            yield Condition(name=name, least=one.get("least"), most=one.get("most"))
        elif isinstance(one, str | bool | int | float):
            yield Condition(name=name, one_of=(one,))
        elif isinstance(one, list) and one:
            yield Condition(name=name, one_of=tuple(one))
        else:
            raise BadInput(f"{name}={one!r}", "must be a value, a list, or { least, most, given }", "correct it")


def _per(told: Any) -> Per | None:
    if told is None:
        return None
    if not isinstance(told, dict) or set(told) != {"source", "value", "times"}:
        raise BadInput(f"per={told!r}", "must have source, value and times", "correct it")
    return Per(source=told["source"], value=told["value"], times=float(told["times"]))


@cache
def shipped_indicators() -> tuple[Indicator, ...]:
    """Return the indicators that come with Anlan."""
    found = [one for one in files("anlan.indicators.library").iterdir() if one.name.endswith(".toml")]
    texts = [(one.name, one.read_text(encoding="utf-8")) for one in sorted(found, key=str)]
    return tuple(made for name, text in texts for made in read_indicators(text, name))


def indicator(indicator_id: str, among: Iterable[Indicator] | None = None) -> Indicator:
    """Return an indicator by its id.

    Raises
    ------
    NotFound
        If there is none.
    """
    known = {one.indicator_id: one for one in (shipped_indicators() if among is None else among)}
    if indicator_id not in known:
        raise NotFound(f"indicator {indicator_id!r}", "does not exist", f"choose one of {', '.join(known)}")
    return known[indicator_id]
