"""What residents may ask of a server, and how often: a file in the district's pack."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from anlan.kernel.errors import BadInput
from anlan.kernel.records import Label

FILE = "public.toml"
POSTING = ("anybody", "key", "nobody")
ANSWERS = ("service_request_id", "token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often one address, or one key, may do a thing."""

    reports_per_hour: int
    reports_per_hour_of_a_key: int
    asks_per_minute: int
    wrong_codes_per_hour: int
    least_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is open to residents. ``hosts`` are names under which the public pages alone are served."""

    hosts: tuple[str, ...]
    page: bool
    reading: bool
    posting: str
    answers: str
    contact: Label
    key_service: Label
    limits: Limits


def read_settings(folder: Path | None) -> Settings:
    """Return the settings of a district's pack, the shipped ones where it leaves them out.

    Raises
    ------
    BadInput
        If the file is no TOML, or something in it is nothing that belongs there.
    """
    shipped = tomllib.loads(files("anlan.command.residents").joinpath(FILE).read_text(encoding="utf-8"))
    own = None if folder is None else folder / FILE
    if own is None or not own.is_file():
        return _settings(shipped)
    try:
        told = tomllib.loads(own.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(str(own), f"must be TOML ({fault})", "correct that line") from None
    faults = list(_faults(told, shipped, ""))
    if faults:
        raise BadInput(str(own), "; ".join(faults), "correct every one of these")
    return _settings(_merged(shipped, told))


def _faults(told: Mapping[str, Any], shipped: Mapping[str, Any], where: str) -> list[str]:
    found = []
    for name, value in told.items():
        known = shipped.get(name)
        if known is None:
            found.append(f"{where}{name} is nothing that belongs here")
        elif isinstance(known, dict) and isinstance(value, dict):
            found += _faults(value, known, f"{where}{name}.")
        elif isinstance(known, bool) != isinstance(value, bool) or not isinstance(value, _alike(known)):
            found.append(f"{where}{name} must be like {known!r}")
        elif name in {"posting", "answers"} and value not in (POSTING if name == "posting" else ANSWERS):
            found.append(f"{where}{name} must be one of {', '.join(POSTING if name == 'posting' else ANSWERS)}")
        elif isinstance(value, int | float) and value < 0:
            found.append(f"{where}{name} must be >= 0")
        elif isinstance(value, list) and not all(isinstance(one, str) for one in value):
            found.append(f"{where}{name} must be a list of texts")
    return found


def _alike(known: Any) -> type | tuple[type, ...]:
    return (int, float) if isinstance(known, int | float) else type(known)


def _merged(shipped: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _merged(value, told.get(name, {})) if isinstance(value, dict) else told.get(name, value)
        for name, value in shipped.items()
    }


def _settings(told: Mapping[str, Any]) -> Settings:
    way = told["open311"]
    return Settings(
        hosts=tuple(one.lower() for one in told["hosts"]), page=told["page"]["open"], reading=way["reading"],
        posting=way["posting"], answers=way["answers"], contact=way["contact"], key_service=way["key_service"],
        limits=Limits(**told["limits"]),
    )  # fmt: skip
