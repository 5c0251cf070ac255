"""What volunteers are asked about, as data: trades, alliances, skills and languages, each in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from anlan.community.shifts import RestRule
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Label
from anlan.kernel.written import read_toml

FILE = "community.toml"
KEY = re.compile(r"[a-z][a-z0-9_]{0,31}")
MOST = 63
"""So many of one kind at most: a call-out weighs them as bits of one number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alliance:
    """Merchants of one trade and neighbourhood who look after it together; ``area_id`` is where it lies."""

    alliance_id: str
    name: Label
    trade: str
    area_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists of a district, with how it rests and asks.

    ``home_level`` is the finest level of areas that a volunteer may name as home, ``most_asked_a_day`` how often one
    of them is asked within 24 h, whoever calls.
    """

    trades: Mapping[str, Label]
    alliances: Mapping[str, Alliance]
    skills: Mapping[str, Label]
    languages: Mapping[str, Label]
    rest: RestRule
    home_level: str
    most_asked_a_day: int
    page: str = ""
    """Where volunteers find their pages, for messages and posters; empty where nobody said."""

    def check(
        self, *, skills: Iterable[str] = (), languages: Iterable[str] = (), alliances: Iterable[str] = ()
    ) -> None:
        """Refuse what is in none of the lists.

        Raises
        ------
        BadInput
            With what there is to choose from.
        """
        asked = (("skill", skills, self.skills), ("language", languages, self.languages),
                 ("alliance", alliances, self.alliances))  # fmt: skip
        for name, given, known in asked:
            for one in given:
                if one not in known:
                    raise BadInput(f"{name}={one!r}", f"must be one of {', '.join(known) or 'none'}", "choose one")

    def bits(self, kind: str, keys: Iterable[str]) -> int:
        """Return keys of one list as bits of a number."""
        order = {key: k for k, key in enumerate(getattr(self, kind))}
        return sum(1 << order[one] for one in set(keys) if one in order)


def read_lists(text: str, where: str = FILE) -> Lists:
    """Return the lists that a TOML text describes; what a district leaves out is as shipped.

    Raises
    ------
    BadInput
        If it is no TOML or anything in it is wrong. All faults are told at once.
    """
    told, shipped = read_toml(text, where), read_toml(_shipped(), FILE)
    faults = [f"{name!r} is nothing that belongs here" for name in sorted(set(told) - set(shipped))]
    whole = {name: told.get(name, value) for name, value in shipped.items()}
    labels = {name: _labels(whole[name], name, faults) for name in ("trades", "skills", "languages")}
    alliances = _alliances(whole["alliances"], labels["trades"], faults)
    rest = _rest(whole["rest"], faults)
    most = whole["most_asked_a_day"]
    if not isinstance(most, int) or not 1 <= most <= 10:
        faults.append(f"most_asked_a_day={most!r} must be 1 to 10")
    if not isinstance(whole["page"], str) or (whole["page"] and not whole["page"].startswith("https://")):
        faults.append(f"page={whole['page']!r} must begin with https://, or be empty")
    if faults:
        raise BadInput(where, f"has {len(faults)} faults: {'; '.join(faults)}", "correct every one of these")
    return Lists(
        trades=labels["trades"], alliances=alliances, skills=labels["skills"], languages=labels["languages"],
        rest=rest, home_level=str(whole["home_level"]), most_asked_a_day=int(most), page=whole["page"].rstrip("/"),
    )  # fmt: skip


def shipped_lists() -> Lists:
    """Return the lists that come with Anlan; they name no alliance, since these belong to a district.

    Examples
    --------
    >>> len(shipped_lists().trades)
    8
    """
    return read_lists("")


def _shipped() -> str:
    return files("anlan.community").joinpath(FILE).read_text(encoding="utf-8")


def _label(told: Any, where: str, faults: list[str]) -> Label:
    if (
        isinstance(told, dict)
        and set(told) == {"zh", "en"}
        and all(isinstance(one, str) and one for one in told.values())
    ):
        return dict(told)
    faults.append(f"{where}={told!r} must say something in zh and in en")
    return {"zh": "", "en": ""}


def _labels(told: Any, name: str, faults: list[str]) -> dict[str, Label]:
    if not isinstance(told, dict) or not 1 <= len(told) <= MOST:
        faults.append(f"[{name}] must name 1 to {MOST}")
        return {}
    faults += [f"{name}.{key} must be small letters, digits and _" for key in told if not KEY.fullmatch(key)]
    return {key: _label(one, f"{name}.{key}", faults) for key, one in told.items()}


def _alliances(told: Any, trades: Mapping[str, Label], faults: list[str]) -> dict[str, Alliance]:
    found: dict[str, Alliance] = {}
    if not isinstance(told, dict) or len(told) > MOST:
        faults.append(f"[alliances] must name at most {MOST}")
        return found
    for key, one in told.items():
        if not KEY.fullmatch(key) or not isinstance(one, dict) or set(one) != {"name", "trade", "area"}:
            faults.append(f"alliances.{key} must have name, trade and area, and nothing else")
            continue
        if one["trade"] not in trades:
            faults.append(f"alliances.{key} trade={one['trade']!r} must be one of {', '.join(trades)}")
        name = _label(one["name"], f"alliances.{key}.name", faults)
        found[key] = Alliance(alliance_id=key, name=name, trade=str(one["trade"]), area_id=str(one["area"]))
    return found


def _rest(told: Any, faults: list[str]) -> RestRule:
    try:
        return RestRule(**{name: float(value) for name, value in dict(told).items()})
    except (TypeError, ValueError):
        faults.append(f"[rest] {told!r} must be least_rest_h, most_day_h and most_week_h, as numbers")
    except BadInput as fault:
        faults.append(f"[rest] {fault.value} {fault.rule}")
    return RestRule()
