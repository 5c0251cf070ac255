"""The files of a pack as checked rows: typed values, geometry in WGS84, and every fault with its row."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from anlan.kernel.geo import into_wgs84
from anlan.kernel.records import Label
from anlan.pack.faults import Findings
from anlan.pack.forms import Column, Form, Kind

_FAR_DEGREES = 2.0
_SHOWN = 40
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Row:
    """One feature or line: its number as the author counts, its values by column, its name and its geometry."""

    number: int
    values: Mapping[str, Any]
    name: Label
    geometry: Any


@dataclass(frozen=True, slots=True)
class Table:
    """One file of the pack."""

    file: str
    rows: list[Row] = field(default_factory=list)

    def at(self, row: Row) -> tuple[str, int | None]:
        """Return where a row stands, as faults tell it."""
        return self.file, row.number


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files of one pack are to be read."""

    languages: tuple[str, ...]
    datum: str
    centre: tuple[float, float] | None
    """Longitude and latitude as written, against which a swapped or misplaced coordinate is seen."""


class _Feature(msgspec.Struct):
    properties: dict[str, Any] | None = None
    geometry: msgspec.Raw = msgspec.Raw(b"null")


class _Collection(msgspec.Struct):
    features: list[_Feature]


def read_table(path: Path, file: str, form: Form, reading: Reading, findings: Findings) -> Table:
    """Return the rows of one file, its faults told in ``findings``.

    A faulty value or geometry reads as None, so that what other files say of the row can be checked all the same, and
    only a row without id is left out.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        findings.add((file, None), "the file", f"must be gzip ({fault})", "pack it again, or drop the .gz")
        return Table(file)
    rows = _lines(content, file, findings) if form.tabular else _features(content, file, form, reading, findings)
    _tell_unknown_columns(rows, file, form, reading.languages, findings)
    table = Table(file, [checked for row in rows if (checked := _typed(row, file, form, reading, findings))])
    if form.unique:
        _tell_doubles(table, form.columns[0].name, findings)
    return table


def _lines(content: bytes, file: str, findings: Findings) -> list[Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        findings.add((file, None), f"byte {fault.start}", "must be UTF-8", "save the file as CSV UTF-8")
        return []
    reader = csv.DictReader(io.StringIO(text))
    rows = []
    for values in reader:
        if None in values:
            findings.add(
                (file, reader.line_num), "the line", "must not have more values than the header", "quote commas"
            )
            continue
        rows.append(Row(reader.line_num, {k: (v or "").strip() for k, v in values.items()}, {}, None))
    return rows


def _features(content: bytes, file: str, form: Form, reading: Reading, findings: Findings) -> list[Row]:
    try:
        features = msgspec.json.decode(content.removeprefix(_BYTE_ORDER_MARK), type=_Collection).features
    except msgspec.DecodeError as fault:
        at = re.search(r"features\[(\d+)\]", str(fault))
        row = int(at[1]) + 1 if at else None
        findings.add((file, row), "the file", f"must be a GeoJSON FeatureCollection ({fault})", "see RFC 7946")
        return []
    written = np.array([bytes(feature.geometry) for feature in features], dtype=object)
    absent = written == b"null"
    written[absent] = None
    geometries = shapely.force_2d(shapely.from_geojson(written, on_invalid="ignore"))
    sound = np.ones(len(features), dtype=bool)
    _tell_geometry(geometries, absent, sound, _Seen(file, form, reading, findings))
    if reading.datum != "wgs84" and len(features):
        geometries = into_wgs84(geometries, reading.datum)
    return [
        Row(k + 1, feature.properties or {}, {}, geometries[k] if sound[k] else None)
        for k, feature in enumerate(features)
    ]


@dataclass(frozen=True, slots=True)
class _Seen:
    file: str
    form: Form
    reading: Reading
    findings: Findings


def _tell_geometry(
    geometries: npt.NDArray[Any], absent: npt.NDArray[np.bool_], sound: npt.NDArray[np.bool_], seen: _Seen
) -> None:
    """Tell every geometry that is missing, malformed, of the wrong type, misplaced or self-crossing."""
    form = seen.form

    def tell(wrong: npt.NDArray[np.bool_], words: Callable[[int], tuple[str, str, str]]) -> None:
        for k in np.flatnonzero(wrong & sound):
            seen.findings.add((seen.file, int(k) + 1), *words(int(k)))
            sound[k] = False

    wanted = " or ".join(form.shapes)
    if form.drawn:
        tell(absent, lambda _: ("geometry=null", f"must be a {wanted}", "draw it, or remove the row"))
    broken = shapely.is_missing(geometries) & ~absent
    tell(
        broken,
        lambda _: (
            "geometry",
            "must be a GeoJSON geometry",
            "see RFC 7946 section 3.1: a ring has four points and closes",
        ),
    )
    tell(shapely.is_empty(geometries) & ~absent, lambda _: ("geometry", "must not be empty", "draw it"))
    names = np.array([None if g is None else g.geom_type for g in geometries], dtype=object)
    odd = ~np.isin(names, np.array([*form.shapes, None], dtype=object)) if len(names) else np.zeros(0, dtype=bool)
    tell(odd, lambda k: (f"geometry={names[k]}", f"must be a {wanted}", "redraw it as that type"))
    misplaced = _misplaced(geometries, seen.reading.centre)
    tell(np.array([text is not None for text in misplaced], dtype=bool), lambda k: misplaced[k] or ("", "", ""))
    crossed = ~shapely.is_valid(geometries) & ~absent
    reasons = {int(k): shapely.is_valid_reason(geometries[k]) for k in np.flatnonzero(crossed & sound)}
    tell(
        crossed,
        lambda k: (
            f"polygon ({reasons[k]})", "must not cross itself", "redraw it without crossing edges at that point"
        ),
    )  # fmt: skip


def _misplaced(geometries: npt.NDArray[Any], centre: tuple[float, float] | None) -> list[tuple[str, str, str] | None]:
    """Return per geometry what is wrong with its coordinates: not degrees, latitude first, or far away."""
    told: list[tuple[str, str, str] | None] = [None] * len(geometries)
    points, owner = shapely.get_coordinates(geometries, return_index=True)
    if not len(points):
        return told
    lon, lat = points[:, 0], points[:, 1]
    off_globe = ~np.isfinite(points).all(axis=1) | (np.abs(lon) > 180) | (np.abs(lat) > 90)
    far, swapped_near = np.zeros(len(points), dtype=bool), np.zeros(len(points), dtype=bool)
    if centre is not None:
        far = (np.abs(lon - centre[0]) > _FAR_DEGREES) | (np.abs(lat - centre[1]) > _FAR_DEGREES)
        swapped_near = (np.abs(lat - centre[0]) <= _FAR_DEGREES) & (np.abs(lon - centre[1]) <= _FAR_DEGREES)
    swapped = (off_globe & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)) | (far & swapped_near)
    for k in np.flatnonzero(off_globe | far)[::-1]:  # backwards, so that a feature's first bad point is told
        value = f"coordinate ({lon[k]:g}, {lat[k]:g})"
        if swapped[k]:
            text = (value, "must be longitude first, then latitude", "swap the two numbers in this file")
        elif off_globe[k]:
            text = (value, "must be (longitude, latitude) in degrees", "convert it: metres are not degrees")
        else:
            text = (value, f"must lie within {_FAR_DEGREES:g}° of the district's centre", "correct it or the centre")
        told[int(owner[k])] = text
    return told


def _tell_unknown_columns(
    rows: Sequence[Row], file: str, form: Form, languages: tuple[str, ...], findings: Findings
) -> None:
    known = {column.name for column in form.columns}
    if form.named:
        known |= {form.label + language for language in languages}
    seen: dict[str, int] = {}
    for row in rows:
        for name in row.values:
            seen.setdefault(name, row.number)
    for name, number in seen.items():
        if name not in known:
            findings.unknown((file, None if form.tabular else number), "column", name, known)
    if form.tabular and rows:
        for column in form.columns:
            if column.required and column.name not in seen:
                findings.add((file, 1), f"column {column.name!r}", "must be in the header", "add the column")


def _typed(row: Row, file: str, form: Form, reading: Reading, findings: Findings) -> Row | None:
    values: dict[str, Any] = {}
    for column in form.columns:
        value, rule = convert(row.values.get(column.name), column)
        values[column.name] = value
        if rule is None or (form.tabular and column.name not in row.values):  # told once, for the header
            continue
        given = row.values.get(column.name)
        remedy = "give it" if given in (None, "") else f"give a {column.kind}"
        if column.one_of:
            remedy = f"choose one of {', '.join(column.one_of)}"
        findings.add((file, row.number), f"{column.name}={_shown(given, form)}", rule, remedy)
    first = form.columns[0]
    if first.required and values[first.name] is None:
        return None
    name = {}
    for language in reading.languages if form.named else ():
        text = row.values.get(form.label + language)
        if text not in (None, ""):
            name[language] = str(text)
    return Row(row.number, values, name, row.geometry)


def convert(value: object, column: Column) -> tuple[Any, str | None]:
    """Return the value in the type of its column, or None with the rule that it breaks.

    Examples
    --------
    >>> convert("12", Column(name="crew", kind=Kind.WHOLE, least=1))
    (12, None)
    >>> convert(0, Column(name="crew", kind=Kind.WHOLE, least=1, unit="persons"))
    (None, 'must be >= 1 persons')
    """
    if value is None or value == "":
        return None, "must be given" if column.required else None
    converted = _CONVERTERS[column.kind](value)
    if converted is None:
        return None, f"must be a {column.kind}"
    rule = _rule_broken(converted, column)
    return (None, rule) if rule else (converted, None)


def _rule_broken(value: Any, column: Column) -> str | None:
    unit = f" {column.unit}" if column.unit else ""
    if column.one_of and value not in column.one_of:
        return f"must be one of {', '.join(column.one_of)}"
    if column.above is not None and not value > column.above:
        return f"must be > {column.above:g}{unit}"
    if column.least is not None and not value >= column.least:
        return f"must be >= {column.least:g}{unit}"
    if column.most is not None and not value <= column.most:
        return f"must be <= {column.most:g}{unit}"
    return None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # what float() cannot take is told below
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(str(value).lower())


def _numbers(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    numbers = [_number(item) for item in value]
    return None if None in numbers else tuple(number for number in numbers if number is not None)


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


_CONVERTERS: Mapping[Kind, Callable[[object], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.FLAG: _flag,
    Kind.NUMBERS: _numbers,
    Kind.TABLE: lambda value: value if isinstance(value, Mapping) else None,
    Kind.DATE: _date,
}


def _tell_doubles(table: Table, column: str, findings: Findings) -> None:
    first: dict[str, int] = {}
    for row in table.rows:
        key = row.values[column]
        if key is None:
            continue
        if key in first:
            findings.add(table.at(row), f"{column}={key!r}", f"must be unique (row {first[key]} has it)", "rename one")
        first.setdefault(key, row.number)


def _shown(value: object, form: Form) -> str:
    """Return the value as its author wrote it, shortened: CSV knows no quotes round a text."""
    text = str(value) if form.tabular and value else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
