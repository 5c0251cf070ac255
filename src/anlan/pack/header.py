"""``district.toml``: what a pack says of itself."""

from __future__ import annotations

import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapely.geometry import Point

from anlan.kernel.areas import Level
from anlan.kernel.geo import into_wgs84
from anlan.kernel.pack import PACK_FORMAT
from anlan.kernel.records import Label
from anlan.pack.faults import Findings
from anlan.pack.forms import DISTRICT_FILE, DISTRICT_KEYS, Column, Kind
from anlan.pack.tables import Reading, convert

DATUMS = ("wgs84", "gcj02", "bd09")

_NUMBERS = (
    Column(name="cell_m", kind=Kind.NUMBER, least=5, most=200, unit="m"),
    Column(name="block_share", kind=Kind.NUMBER, least=0, most=1),
)
_TEXTS = (
    Column(name="id", required=True),
    Column(name="version", required=True),
    Column(name="attribution"),
    Column(name="datum", one_of=DATUMS),
)


@dataclass(frozen=True, slots=True)
class Header:
    """The checked values of ``district.toml``; a faulty one has its default, so that the other files are read too."""

    values: Mapping[str, Any]
    levels: tuple[Level, ...]
    reading: Reading
    confirmed_years: frozenset[int]

    @property
    def centre_wgs84(self) -> tuple[float, float]:
        """Longitude and latitude of the centre in WGS84 degrees."""
        lon, lat = self.reading.centre or (0.0, 0.0)
        point = into_wgs84(Point(lon, lat), self.reading.datum)
        return point.x, point.y


def read_header(folder: Path, findings: Findings) -> Header:
    """Return what ``district.toml`` says; its faults go to ``findings``."""
    written = _toml(folder / DISTRICT_FILE, findings)
    for key in written:
        if key not in DISTRICT_KEYS:
            findings.unknown((DISTRICT_FILE, None), "key", key, DISTRICT_KEYS)
    values: dict[str, Any] = {}
    for column in (*_TEXTS, *_NUMBERS):
        value, rule = convert(written.get(column.name), column)
        if rule:
            _fault(findings, f"{column.name}={written.get(column.name)!r}", rule, f"correct {column.name}")
        values[column.name] = value
    if written.get("format") != PACK_FORMAT:
        _fault(findings, f"format={written.get('format')!r}", f"must be {PACK_FORMAT}", "write format = 1")
    languages = _languages(written, findings)
    for key in ("name", "notice"):
        values[key] = _label(written.get(key), key, languages, findings, required=key == "name")
    values["time_zone"] = _time_zone(written.get("time_zone"), findings)
    values["schematic"] = _flag(written.get("schematic", False), findings)
    values["figures"] = _figures(written.get("figures", {}), findings)
    return Header(
        values,
        _levels(written.get("levels"), languages, findings),
        Reading(languages, values["datum"] or "wgs84", _centre(written.get("centre"), findings)),
        _years(written.get("confirmed_years", []), findings),
    )


def _toml(path: Path, findings: Findings) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError as fault:
        _fault(findings, f"byte {fault.start}", "must be UTF-8", "save the file as UTF-8")
    except tomllib.TOMLDecodeError as fault:
        _fault(findings, "the file", f"must be TOML ({fault})", "correct that line")
    return {}


def _fault(findings: Findings, value: str, rule: str, remedy: str) -> None:
    findings.add((DISTRICT_FILE, None), value, rule, remedy)


def _languages(written: Mapping[str, Any], findings: Findings) -> tuple[str, ...]:
    languages = written.get("languages")
    if not isinstance(languages, list) or not languages or not all(isinstance(item, str) for item in languages):
        _fault(findings, f"languages={languages!r}", "must list at least one code", 'write languages = ["zh", "en"]')
        return ("zh", "en")
    return tuple(languages)


def _label(given: object, key: str, languages: tuple[str, ...], findings: Findings, *, required: bool = False) -> Label:
    if given is None and not required:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(text, str) for text in given.values()):
        example = ", ".join(f'{language} = "…"' for language in languages)
        _fault(findings, f"{key}={given!r}", "must be a text per language", f"write {key} = {{ {example} }}")
        return {}
    for language in given:
        if language not in languages:
            _fault(findings, f"{key}.{language}", f"must be one of {', '.join(languages)}", "add it to languages")
    if required and not given:
        _fault(findings, f"{key}={{}}", "must be given in one language at least", "name it")
    return dict(given)


def _time_zone(given: object, findings: Findings) -> str:
    try:
        return zoneinfo.ZoneInfo(str(given)).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        _fault(findings, f"time_zone={given!r}", "must be an IANA zone", 'write it like "Asia/Shanghai"')
        return "UTC"


def _flag(given: object, findings: Findings) -> bool:
    if not isinstance(given, bool):
        _fault(findings, f"schematic={given!r}", "must be true or false", "write true or false")
        return False
    return given


def _figures(given: object, findings: Findings) -> dict[str, float]:
    if not isinstance(given, Mapping):
        _fault(findings, f"figures={given!r}", "must be a table", "write them under [figures]")
        return {}
    figures = {}
    for name, value in given.items():
        number, rule = convert(value, Column(name=name, kind=Kind.NUMBER, required=True))
        if rule:
            _fault(findings, f"figures.{name}={value!r}", rule, "give a number")
        else:
            figures[name] = number
    return figures


def _centre(given: object, findings: Findings) -> tuple[float, float] | None:
    pair, rule = convert(given, Column(name="centre", kind=Kind.NUMBERS, required=True))
    if rule or len(pair) != 2:
        _fault(findings, f"centre={given!r}", "must be [longitude, latitude]", "write two numbers in degrees")
        return None
    lon, lat = pair
    if abs(lon) > 180 or abs(lat) > 90:
        hint = "swap the two numbers" if abs(lat) <= 180 and abs(lon) <= 90 else "give degrees"
        _fault(findings, f"centre=[{lon:g}, {lat:g}]", "must be [longitude, latitude] in degrees", hint)
        return None
    return lon, lat


def _years(given: object, findings: Findings) -> frozenset[int]:
    if not isinstance(given, list) or not all(isinstance(year, int) for year in given):
        _fault(findings, f"confirmed_years={given!r}", "must be a list of years", "write it like [2025, 2026]")
        return frozenset()
    return frozenset(given)


def _levels(given: object, languages: tuple[str, ...], findings: Findings) -> tuple[Level, ...]:
    if not isinstance(given, list) or not given:
        _fault(findings, f"levels={given!r}", "must list at least one level, top first", "add a [[levels]] table")
        return ()
    levels: list[Level] = []
    for item in given:
        key = item.get("key") if isinstance(item, Mapping) else None
        if not isinstance(key, str) or not re.fullmatch(r"\w+(-\w+)*", key):
            _fault(findings, f"levels.key={key!r}", "must be a word, for it names a file", 'write key = "street"')
        elif any(level.key == key for level in levels):
            _fault(findings, f"levels.key={key!r}", "must be unique", "rename one of the two")
        else:
            label = _label(item.get("label"), f"levels.{key}.label", languages, findings)
            levels.append(Level(key=key, label=label))
    return tuple(levels)
