"""Playbooks: who must go to which kind of incident, how soon, and how each kind of unit moves. All of it is data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.records import Label, Unit
from anlan.response.travel import MODES

PRIORITIES = (1, 2, 3)
LONGEST_S = 3600.0
_KEY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """``units`` units, each with all of ``capabilities`` and a crew of ``crew`` or more, of ``agency`` where named."""

    units: int = 1
    capabilities: frozenset[str] = frozenset()
    crew: int = 1
    agency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A kind of incident: how urgent it is, within how many seconds help is to arrive, and who must go."""

    kind: str
    name: Label
    priority: int
    target_s: float
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitKind:
    """A kind of unit: its way of moving, what all of its kind can do, and how long it takes to set out."""

    kind: str
    name: Label
    mode: str
    turnout_s: float
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbooks:
    """Everything of a ``playbooks.toml``."""

    kinds: Mapping[str, Playbook]
    unit_kinds: Mapping[str, UnitKind]

    def of(self, kind: str) -> Playbook:
        """Return the playbook of a kind of incident; NotFound where there is none."""
        try:
            return self.kinds[kind]
        except KeyError:
            raise NotFound(f"kind={kind!r}", f"must be one of {', '.join(self.kinds)}", "choose one") from None

    def kind_of(self, unit: Unit) -> UnitKind | None:
        """Return how a unit moves, None where its kind stands in no playbook."""
        return self.unit_kinds.get(unit.kind)

    def capabilities_of(self, unit: Unit) -> frozenset[str]:
        """Return what a unit can do: what its kind can, and what it can beyond."""
        kind = self.kind_of(unit)
        return frozenset(unit.capabilities) | (kind.capabilities if kind else frozenset())


def read_playbooks(text: str, where: str = "playbooks.toml") -> Playbooks:
    """Return the playbooks in a text of TOML.

    Raises
    ------
    BadInput
        If it is no TOML or anything in it is wrong. All faults are told at once.

    Examples
    --------
    >>> made = read_playbooks('''
    ... [unit_kind.vehicle]
    ... name = { en = "Vehicle" }
    ... mode = "vehicle"
    ... turnout_s = 30
    ... capabilities = ["patrol"]
    ... [incident.fight]
    ... name = { en = "Fight" }
    ... priority = 1
    ... target_s = 180
    ... needs = [{ units = 2, capabilities = ["patrol"] }]
    ... ''')
    >>> made.of("fight").needs[0].units
    2
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(where, f"must be TOML ({fault})", "correct that line") from None
    reader = _Reader()
    for name in set(told) - {"incident", "unit_kind"}:
        reader.tell(name, "must be [incident.NAME] or [unit_kind.NAME]")
    unit_kinds = {key: reader.unit_kind(key, body) for key, body in reader.tables(told, "unit_kind")}
    kinds = {key: reader.playbook(key, body) for key, body in reader.tables(told, "incident")}
    if not kinds:
        reader.tell("incident", "must have at least one [incident.NAME]")
    if reader.faults:
        raise BadInput(where, "; ".join(reader.faults), "correct every one of these")
    return Playbooks(
        kinds={key: book for key, book in kinds.items() if book},
        unit_kinds={key: kind for key, kind in unit_kinds.items() if kind},
    )


class _Reader:
    """Reads tables, and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def tell(self, where: str, rule: str) -> None:
        self.faults.append(f"{where} {rule}")

    def tables(self, told: Mapping[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
        found = told.get(name, {})
        if not isinstance(found, dict):
            self.tell(name, f"must be tables [{name}.NAME]")
            return []
        made = []
        for key, body in found.items():
            if not isinstance(body, dict) or not _KEY.fullmatch(key):
                self.tell(f"{name}.{key}", "must be a table with a name of a-z, 0-9 and _")
            else:
                made.append((key, body))
        return made

    def only(self, where: str, body: Mapping[str, Any], wanted: set[str]) -> None:
        for key in sorted(set(body) - wanted):
            self.tell(f"{where}.{key}", f"must be one of {', '.join(sorted(wanted))}")

    def label(self, where: str, value: Any) -> Label:
        if not isinstance(value, dict) or not value or not all(isinstance(one, str) and one for one in value.values()):
            self.tell(f"{where}.name", 'must be a text per language, { zh = "…", en = "…" }')
            return {}
        return dict(value)

    def number(self, where: str, value: Any, least: float, most: float, unit: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.tell(f"{where}={value!r}", f"must be {least:g} to {most:g} {unit}".strip())
            return least
        return float(value)

    def words(self, where: str, value: Any) -> frozenset[str]:
        right = isinstance(value, list) and all(isinstance(one, str) and _KEY.fullmatch(one) for one in value)
        if not right:
            self.tell(f"{where}={value!r}", "must be a list of words of a-z, 0-9 and _")
            return frozenset()
        return frozenset(value)

    def unit_kind(self, key: str, body: dict[str, Any]) -> UnitKind | None:
        where = f"unit_kind.{key}"
        self.only(where, body, {"name", "mode", "turnout_s", "capabilities"})
        mode = body.get("mode")
        if mode not in MODES:
            self.tell(f"{where}.mode={mode!r}", f"must be one of {', '.join(MODES)}")
            return None
        return UnitKind(
            kind=key,
            name=self.label(where, body.get("name")),
            mode=str(mode),
            turnout_s=self.number(f"{where}.turnout_s", body.get("turnout_s"), 0, 600, "s"),
            capabilities=self.words(f"{where}.capabilities", body.get("capabilities", [])),
        )

    def playbook(self, key: str, body: dict[str, Any]) -> Playbook | None:
        where = f"incident.{key}"
        self.only(where, body, {"name", "priority", "target_s", "needs"})
        needs = body.get("needs")
        if not isinstance(needs, list) or not needs or not all(isinstance(one, dict) for one in needs):
            self.tell(f"{where}.needs", "must be a list of { units = …, capabilities = […], crew = … }")
            return None
        return Playbook(
            kind=key,
            name=self.label(where, body.get("name")),
            priority=self.whole(f"{where}.priority", body.get("priority"), PRIORITIES[0], PRIORITIES[-1]),
            target_s=self.number(f"{where}.target_s", body.get("target_s"), 1, LONGEST_S, "s"),
            needs=tuple(self.need(f"{where}.needs[{k}]", one) for k, one in enumerate(needs)),
        )

    def whole(self, where: str, value: Any, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.tell(f"{where}={value!r}", f"must be a whole number {least} to {most}")
            return least
        return value

    def need(self, where: str, body: dict[str, Any]) -> Need:
        self.only(where, body, {"units", "capabilities", "crew", "agency"})
        agency = body.get("agency")
        if agency is not None and not isinstance(agency, str):
            self.tell(f"{where}.agency={agency!r}", "must be a text")
            agency = None
        return Need(
            units=self.whole(f"{where}.units", body.get("units", 1), 1, 20),
            capabilities=self.words(f"{where}.capabilities", body.get("capabilities", [])),
            crew=self.whole(f"{where}.crew", body.get("crew", 1), 1, 100),
            agency=agency,
        )
