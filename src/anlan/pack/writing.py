"""Write a pack as the plain files of format 1."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from anlan.kernel.areas import Area
from anlan.kernel.errors import Conflict, Unavailable
from anlan.kernel.ladders import Ladder, with_density
from anlan.kernel.pack import PACK_FORMAT, Pack, Usual
from anlan.kernel.records import Device, Label, Place, Street, Thresholds, Unit
from anlan.pack.forms import AREAS_FOLDER, DISTRICT_FILE, NAME_PREFIX, RUNGS, SOURCE_PREFIX

DECIMALS = 7
"""Digits of a written degree: 1 cm."""
_ZIPPED_FROM_BYTES = 200_000
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Rows of one file: properties beside geometries, or lines of a table."""

    stem: str
    rows: Sequence[Mapping[str, Any]]
    geometries: Sequence[BaseGeometry | None] | None


def write_pack(pack: Pack, folder: str | Path) -> None:
    """Write the pack into a folder (made if it is missing), replacing the files of the format that are there.

    Degrees are rounded to 7 decimals (1 cm); files above 200 kB are gzipped. Files of the folder that are not part
    of the format are left alone.

    Raises
    ------
    Unavailable
        If the folder cannot be written.
    """
    folder = Path(folder)
    try:
        (folder / AREAS_FOLDER).mkdir(parents=True, exist_ok=True)
        (folder / DISTRICT_FILE).unlink(missing_ok=True)
        for stale in (folder / AREAS_FOLDER).glob("*.geojson*"):
            stale.unlink()
        for sheet in _sheets(pack):
            _write(folder, sheet)
        # Last, for a folder without it is no pack: what was cut off midway is not taken for whole.
        (folder / DISTRICT_FILE).write_text(_header(pack), "utf-8")
    except OSError as fault:
        raise Unavailable(
            f"folder {str(folder)!r}", f"cannot be written ({fault.strerror})", "free the disk or choose another folder"
        ) from None


def refuse_existing(folder: Path) -> None:
    """Refuse to make a new pack where one is, for it may hold somebody's work.

    Raises
    ------
    Conflict
        If the folder holds a ``district.toml``.
    """
    if (folder / DISTRICT_FILE).exists():
        raise Conflict(
            f"folder {str(folder)!r}", "must not hold a pack already", "choose another folder, or move that pack away"
        )


def _sheets(pack: Pack) -> Iterable[_Sheet]:
    for level in pack.areas.levels:
        areas = pack.areas.of_level(level.key)
        rows = [
            _row({"code": a.area_id, "parent": a.parent_id, "residents": _plain(a.residents)}, a.name) for a in areas
        ]
        yield _Sheet(f"{AREAS_FOLDER}/{level.key}", rows, [a.polygon for a in areas])
    yield _Sheet("places", [_place(p, pack.ladders) for p in pack.places], [p.polygon for p in pack.places])
    yield _Sheet("streets", [_street(s) for s in pack.streets], [s.line for s in pack.streets])
    yield _Sheet("devices", [_device(d) for d in pack.devices], [d.geometry for d in pack.devices])
    yield _Sheet(
        "gateways",
        [_row({"id": g.gateway_id, "kind": g.kind}, g.name) for g in pack.gateways],
        [g.point for g in pack.gateways],
    )
    yield _Sheet("water", [{} for _ in pack.water], list(pack.water))
    yield _Sheet("green", [{} for _ in pack.green], list(pack.green))
    yield _Sheet(
        "stations", [_row({"id": s.station_id}, s.name) for s in pack.stations], [s.point for s in pack.stations]
    )
    yield _Sheet("posts", [_row({"id": p.post_id}, p.name) for p in pack.posts], [p.point for p in pack.posts])
    yield _Sheet(
        "units",
        [_unit(unit) for unit in pack.units],
        None,
    )
    days = [(on, "rest", name) for on, name in pack.calendar.rest_days.items()]
    days += [(on, "work", name) for on, name in pack.calendar.working_days.items()]
    rows = [_row({"on": on.isoformat(), "kind": kind}, name) for on, kind, name in sorted(days, key=lambda d: d[:2])]
    yield _Sheet("calendar", rows, None)
    yield _Sheet("ladders", [_ladder(one) for one in pack.ladders], None)
    yield _Sheet("usual", [] if pack.usual is None else _usual(pack.usual), None)


def _row(values: Mapping[str, Any], name: Label) -> dict[str, Any]:
    given = {key: value for key, value in values.items() if value is not None}
    return given | {NAME_PREFIX + language: text for language, text in name.items()}


def _area(area: Area) -> dict[str, Any]:
    return _row({"code": area.area_id, "parent": area.parent_id, "residents": _plain(area.residents)}, area.name)


def _unit(unit: Unit) -> dict[str, Any]:
    told = {"id": unit.unit_id, "kind": unit.kind, "crew": unit.crew, "station": unit.station_id, "post": unit.post_id}
    return _row(told | {"capabilities": " ".join(unit.capabilities), "agency": unit.agency}, unit.name)


def _place(place: Place, ladders: Iterable[Ladder]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": place.place_id,
        "kind": place.kind,
        "capacity": place.capacity,
        "closed": place.closed or None,
        "walkable_share": place.walkable_share if place.walkable_share != 1.0 else None,
        "key": place.key or None,
        "thresholds": list(asdict(place.thresholds).values())
        if place.thresholds != with_density(ladders, replace(place, thresholds=Thresholds())).thresholds
        else None,
    }
    return _row(values, place.name)


def _ladder(ladder: Ladder) -> dict[str, Any]:
    limits = dict(zip(RUNGS, ladder.limits, strict=True))
    values = {"of": ladder.of, "measure": str(ladder.measure)} | limits
    values |= {"also": ladder.also and str(ladder.also), "above": ladder.above}
    if isinstance(ladder.source, str):
        return values | {"source": ladder.source}
    return values | {SOURCE_PREFIX + language: text for language, text in ladder.source.items()}


def _usual(usual: Usual) -> list[dict[str, Any]]:
    """Return the squares of a survey; people in tenths."""
    names = [f"persons_{hour:02d}" for hour in usual.hours]
    where = zip(usual.lon.tolist(), usual.lat.tolist(), usual.size_m.tolist(), usual.persons.tolist(), strict=True)
    return [
        {"lon": round(lon, DECIMALS), "lat": round(lat, DECIMALS), "size_m": size_m}
        | {name: f"{n:.1f}".removesuffix(".0") for name, n in zip(names, persons, strict=True) if not math.isnan(n)}
        for lon, lat, size_m, persons in where
    ]


def _street(street: Street) -> dict[str, Any]:
    values = {
        "id": street.street_id,
        "class": street.street_class,
        "width_m": street.width_m,
        "speed_kmh": street.speed_kmh,
        "oneway": street.oneway or None,
        "walk": None if street.walk else False,
    }
    return _row(values, street.name)


def _device(device: Device) -> dict[str, Any]:
    values = {
        "id": device.device_id,
        "kind": str(device.kind),
        "place": device.place_id,
        "interval_s": device.interval_s,
        "expected_error": device.expected_error,
        "directed": None if device.directed else False,
        "border": device.border or None,
        "grid": asdict(device.grid) if device.grid is not None else None,
    }
    return _row(values, device.name)


def _write(folder: Path, sheet: _Sheet) -> None:
    for suffix in (".geojson", ".geojson.gz", ".csv", ".csv.gz"):
        (folder / f"{sheet.stem}{suffix}").unlink(missing_ok=True)
    if not sheet.rows:
        return
    content = _csv(sheet.rows) if sheet.geometries is None else _geojson(sheet.rows, sheet.geometries)
    name = f"{sheet.stem}.csv" if sheet.geometries is None else f"{sheet.stem}.geojson"
    if len(content) > _ZIPPED_FROM_BYTES:
        # No time stamp inside: the same pack gives the same bytes.
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
    else:
        (folder / name).write_bytes(content)


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _geojson(rows: Sequence[Mapping[str, Any]], geometries: Sequence[BaseGeometry | None]) -> bytes:
    written = shapely.to_geojson(_rounded(geometries))
    features = [
        f'{{"type":"Feature","properties":{json.dumps(row, ensure_ascii=False)},"geometry":{geometry or "null"}}}'
        for row, geometry in zip(rows, written, strict=True)
    ]
    return ('{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n").encode()


def _rounded(geometries: Sequence[BaseGeometry | None]) -> npt.NDArray[np.object_]:
    """Return the geometries in written digits; one that rounding would make cross itself is mended."""
    array = np.array(list(geometries), dtype=object)
    rounded = shapely.transform(array, lambda points: np.round(points, DECIMALS))
    crossed = ~shapely.is_valid(rounded) & shapely.is_valid(array)
    rounded[crossed] = shapely.set_precision(array[crossed], 10.0**-DECIMALS)
    return rounded


def _header(pack: Pack) -> str:
    lines = [
        f"format = {PACK_FORMAT}",
        f"id = {_toml(pack.pack_id)}",
        f"version = {_toml(pack.version)}",
        f"name = {_toml(pack.name)}",
        f"time_zone = {_toml(pack.time_zone)}",
        f"languages = {_toml(list(pack.languages))}",
        f"centre = {_toml([pack.lon, pack.lat])}",
        'datum = "wgs84"',
        f"cell_m = {_toml(pack.cell_m)}",
        f"block_share = {_toml(pack.block_share)}",
        f"schematic = {_toml(pack.schematic)}",
        f"notice = {_toml(pack.notice)}",
        f"attribution = {_toml(pack.attribution)}",
        f"confirmed_years = {_toml(sorted(pack.calendar.confirmed_years))}",
    ]
    for level in pack.areas.levels:
        lines += ["", "[[levels]]", f"key = {_toml(level.key)}", f"label = {_toml(level.label)}"]
    if pack.figures:
        lines += ["", "[figures]", *(f"{_key(name)} = {_toml(_plain(value))}" for name, value in pack.figures.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return one TOML value: texts as in JSON (every JSON escape but that of DEL is one of TOML too)."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(value: float | None) -> float | None:
    """Return a number as people write it: whole ones without a decimal point."""
    return int(value) if value is not None and float(value).is_integer() and abs(value) < 1e15 else value


def _key(name: str) -> str:
    return name if name and _BARE.issuperset(name) else _toml(name)
