"""Who owns a case: rules that are data, an explanation that names each of them, and rulings that are remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from anlan.cases import CaseType, Expression, Facts, read_guard
from anlan.cases.definition import FieldKind
from anlan.cases.guards import Name
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Json, Label
from anlan.kernel.written import read_toml
from anlan.matters.ground import Ground

FILE = "routing.toml"
_SHIPPED_LEVELS = {"district", "street", "grid", "committee"}
"""The shipped rules name these; where a district has no such level, they never fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Empty ``area_ids`` hold everywhere; ``case_id`` is the ruling that it was remembered from."""

    rule_id: str
    type_id: str
    level: str | None
    post: str
    because: Label
    area_ids: tuple[str, ...] = ()
    when: Expression | None = None
    case_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Which step is a joint ruling, and which of the fields make another case alike. ``levels`` maps what it says."""

    type_id: str
    step: str
    field: str
    alike: tuple[str, ...]
    within: str
    levels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A rule that was looked at, and why it did not decide; empty where it did."""

    rule: Rule
    missed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a case goes and why. ``areas`` maps levels to ids, top first; ``rule`` is None where the type decides."""

    areas: Mapping[str, str]
    owner_level: str
    post: str
    rule: Rule | None
    weighed: tuple[Weighed, ...] = field(default=())

    @property
    def owner_area_id(self) -> str:
        """The area that owns it."""
        return owner_area(self.areas, self.owner_level)


def owner_area(areas: Mapping[str, str], level: str) -> str:
    """Return the area of a level, the finest there is where that has gone."""
    return areas.get(level) or list(areas.values())[-1]


def read_rules(folder: Path | None) -> tuple[tuple[Rule, ...], tuple[Ruling, ...]]:
    """Return the rules and rulings of a district's pack, the shipped ones where it has none.

    Raises
    ------
    BadInput
        If the file is no TOML, or a part of a rule is missing or wrong.
    """
    own = None if folder is None else folder / FILE
    if own is not None and own.is_file():
        text, where = own.read_text(encoding="utf-8"), str(own)
    else:
        text, where = files("anlan.matters").joinpath(FILE).read_text(encoding="utf-8"), FILE
    try:
        told = read_toml(text, where)
        rules = tuple(rule_of(one) for one in told.get("rule", []))
        rulings = tuple(
            Ruling(
                type_id=one["type"], step=one["step"], field=one["field"], alike=tuple(one["alike"]),
                within=one["within"], levels=dict(one["levels"]),
            )
            for one in told.get("ruling", [])
        )  # fmt: skip
    except (KeyError, TypeError) as fault:
        raise BadInput(where, f"must give {fault} in each rule", "see docs/cases.md") from None
    return rules, rulings


def rule_of(told: Mapping[str, Any]) -> Rule:
    """Read a rule."""
    return Rule(
        rule_id=told["id"], type_id=told["type"], level=told.get("level"), post=told.get("post", ""),
        because=told["because"], area_ids=tuple(told.get("areas", ())),
        when=read_guard(told["when"]) if told.get("when") else None, case_id=told.get("case"),
    )  # fmt: skip


def check_rules(
    rules: Iterable[Rule], rulings: Iterable[Ruling], kinds: Mapping[str, CaseType], ground: Ground
) -> None:
    """Refuse rules that can never hold, or that would remember what must be forgotten.

    Raises
    ------
    BadInput
        If a rule names an area, level or field that is not there, or a ruling would remember more than a choice that
        its type keeps.
    """
    levels = {one.key for one in ground.areas.levels} | _SHIPPED_LEVELS
    for rule in rules:
        kind = kinds.get(rule.type_id)
        unknown = [one for one in rule.area_ids if one not in ground.areas]
        if kind is not None and rule.when is not None:
            asked = {part.name for part in rule.when.parts() if isinstance(part, Name)}
            unknown += sorted(asked - set(kind.fields))
        if kind is None or unknown or (rule.level is not None and rule.level not in levels and not rule.case_id):
            told = rule.type_id if kind is None else unknown[0] if unknown else rule.level
            raise BadInput(
                f"routing rule {rule.rule_id!r} ({told})", "must name a type, areas, fields and a level that there are",
                "correct it",
            )  # fmt: skip
    for ruling in rulings:
        kind = kinds.get(ruling.type_id)
        if kind is None:
            raise BadInput(f"ruling of {ruling.type_id!r}", "must name a type that there is", "correct it")
        for name in ruling.alike:
            known = kind.fields.get(name)
            if known is None or known.kind is not FieldKind.CHOICE or name not in kind.retention.keeps:
                told = f"field {name!r} of the ruling of {ruling.type_id}"
                raise BadInput(told, "must be a choice that the type keeps", "name another")


def route(kind: CaseType, areas: Mapping[str, str], filled: Mapping[str, Any], rules: Iterable[Rule]) -> Route:
    """Return who owns a case that lies in ``areas``: the first rule that fits decides.

    Parameters
    ----------
    kind : CaseType
        Its type.
    areas : mapping of str to str
        Level to area id, top first.
    filled : mapping of str to Any
        What is told of it.
    rules : iterable of Rule
        In their order.
    """
    weighed: list[Weighed] = []
    for rule in rules:
        if rule.type_id != kind.type_id:
            continue
        missed = _missed(rule, areas, filled)
        weighed.append(Weighed(rule=rule, missed=missed))
        if not missed:
            level = rule.level or kind.owner_level
            return Route(areas=areas, owner_level=level, post=rule.post, rule=rule, weighed=tuple(weighed))
    return Route(areas=areas, owner_level=kind.owner_level, post="", rule=None, weighed=tuple(weighed))


def remembered(
    ruling: Ruling, names: tuple[str, str], areas: Mapping[str, str], values: Mapping[str, Any]
) -> Json | None:
    """Return the rule that a joint ruling leaves behind, as it is kept; None where it says nothing that can be kept.

    ``names`` are the id of the rule, and of the case in which it was ruled.
    """
    level = ruling.levels.get(str(values.get(ruling.field)))
    if level is None or ruling.within not in areas or any(name not in values for name in ruling.alike):
        return None
    when = " and ".join(f"{name} == '{values[name]}'" for name in ruling.alike)
    because = {"zh": "联合会商裁定", "en": "a joint ruling"}
    return {
        "id": names[0], "type": ruling.type_id, "areas": [areas[ruling.within]], "when": when, "level": level,
        "because": because, "case": names[1],
    }  # fmt: skip


def _missed(rule: Rule, areas: Mapping[str, str], filled: Mapping[str, Any]) -> str:
    if rule.area_ids and not set(rule.area_ids) & set(areas.values()):
        return f"does not lie in {', '.join(rule.area_ids)}"
    if rule.level is not None and rule.level not in areas:
        return f"lies in no {rule.level}"
    if rule.when is None:
        return ""
    try:
        truth = rule.when.holds(Facts(filled, frozenset(), {}))
    except TypeError:  # a number held against a text: such a rule never fits
        return f"cannot compare: {rule.when.text}"
    if truth is None:
        return f"cannot tell whether {rule.when.text}"
    return "" if truth else f"not so: {rule.when.text}"
