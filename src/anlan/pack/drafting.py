"""Start a district: from the positions of counters, or from nothing but a point on the map."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import LineString, Point

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Projection, into_wgs84
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind, Label
from anlan.pack.faults import Findings, refusal
from anlan.pack.forms import DISTRICT_FILE, FORMS, Form
from anlan.pack.sources import read_lines
from anlan.pack.writing import refuse_existing, write_pack
from anlan.pack.zones import nearest_zone

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "sensor_id", "counter_id", "device", "device_id", "site_id"),
    "name": ("name", "sensor_name", "sensor_description", "address", "location", "site", "description"),
    "lat": ("lat", "latitude", "y"),
    "lon": ("lon", "lng", "long", "longitude", "x"),
}
_LEVEL_LABEL = {"zh": "区", "en": "District"}
_ACROSS_M = 10.0
_FAR_DEGREES = 1.0
_TEMPLATE_M = 1000.0
_NOT_IN_TOPIC = re.compile(r"[/+#]+")

_COMMENTS: Mapping[str, str] = {
    "format": "The version of this format.",
    "id": "Short name of the pack: letters, digits and hyphens.",
    "version": "Raise it when the pack changes.",
    "name": "Shown on the page, in each of the languages below.",
    "time_zone": "IANA name of the zone in which the district lives.",
    "languages": "Codes of the languages; a file may carry name_<code> for each.",
    "centre": "Longitude, latitude in degrees: the origin of the local plane in metres.",
    "datum": "Of every coordinate in this folder: wgs84, gcj02 or bd09 (the last two are converted when read).",
    "cell_m": "Edge of the cells in which people are counted, metres.",
    "block_share": "Part of the ground between streets that can be walked on (0..1).",
    "schematic": "true where the map is drawn by hand and not to be measured on.",
    "notice": "Shown on every map.",
    "attribution": "Whose data the map is; many licences ask for it.",
    "confirmed_years": "Years for which calendar.csv is complete.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOptions:
    """What a new district may be told."""

    pack_id: str = ""
    """The id of the pack; the name of its folder where empty."""
    languages: tuple[str, ...] = ("en",)
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column holds ``id``, ``name``, ``lat``, ``lon``, where their usual names do not tell."""
    centre: tuple[float, float] | None = None
    """Longitude and latitude (degrees) of a district without counters."""
    datum: str = "wgs84"
    """Of the counters' positions: wgs84, gcj02 or bd09."""
    margin_m: float = 300.0
    """How far the district reaches beyond the outermost counter."""
    interval_s: float = 3600.0
    expected_error: float = 0.1
    attribution: str = ""


@dataclass(frozen=True, slots=True)
class _Counter:
    counter_id: str
    name: str
    lon: float
    lat: float


def draft_pack(
    counters: str | Path | None,
    out: str | Path,
    name: str | Label,
    time_zone: str = "",
    *,
    options: DraftOptions | None = None,
) -> Pack:
    """Start a district pack, write it and return it.

    With a list of counters the district is their convex hull, widened by a margin, and every counter is a passage
    that tells the sum of both directions. Without one it is a square of 2 km about ``options.centre``, its files
    commented so that they can be filled in by hand.

    Parameters
    ----------
    counters : path or None
        CSV file with latitude and longitude in degrees, an id or a name. A device takes its counter's id, or
        the name where the file has no id; a character that cannot stand in an MQTT topic becomes a hyphen.
    out : path
        Folder of the pack.
    name : str or Label
        Name of the district; a bare text is in the first language.
    time_zone : str
        IANA zone; that of the nearest city in the zone table where empty.
    options : DraftOptions, optional

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If a column is missing or a row has no usable position or id: the first faults are told with their rows.
    Conflict
        If ``out`` holds a pack already.
    Unavailable
        If ``out`` cannot be written.
    """
    options = options or DraftOptions()
    out = Path(out)
    refuse_existing(out)
    label = {options.languages[0]: name} if isinstance(name, str) else name
    found = _read_counters(Path(counters), options) if counters is not None else []
    pack = _drafted(found, out, label, time_zone, options)
    write_pack(pack, out)
    if not found:
        _write_comments(out)
    return pack


def _drafted(found: Sequence[_Counter], out: Path, name: Label, time_zone: str, options: DraftOptions) -> Pack:
    if found:
        points = shapely.MultiPoint([(counter.lon, counter.lat) for counter in found])
        lon, lat = (round(value, 6) for value in points.envelope.centroid.coords[0])
        plane = Projection(lon, lat)
        outline = plane.project(points).convex_hull.buffer(options.margin_m, quad_segs=4)
    elif options.centre is not None:
        lon, lat = options.centre
        plane = Projection(lon, lat)
        outline = shapely.box(-_TEMPLATE_M, -_TEMPLATE_M, _TEMPLATE_M, _TEMPLATE_M)
    else:
        raise BadInput("centre=None", "must be given where there are no counters", "give longitude and latitude")
    pack_id = options.pack_id or re.sub(r"[^a-z0-9]+", "-", out.resolve().name.lower()).strip("-") or "district"
    root = Area(area_id=pack_id, level="district", parent_id=None, name=name, polygon=plane.unproject(outline))
    label = {language: _LEVEL_LABEL.get(language, _LEVEL_LABEL["en"]) for language in options.languages}
    return Pack(
        pack_id=pack_id,
        version="1",
        name=name,
        time_zone=time_zone or nearest_zone(lon, lat),
        languages=options.languages,
        lon=lon,
        lat=lat,
        areas=AreaTree([Level(key="district", label=label)], [root]),
        devices=tuple(_devices(found, plane, options)),
        attribution=options.attribution,
        folder=out,
    )


def _devices(found: Sequence[_Counter], plane: Projection, options: DraftOptions) -> list[Device]:
    """Return a passage per counter: a line of 10 m, each next one at the same point turned by a right angle."""
    turns: dict[tuple[float, float], int] = {}
    devices = []
    for counter in found:
        at = (counter.lon, counter.lat)
        turn = turns[at] = turns.get(at, -1) + 1
        x, y = (float(value) for value in plane.to_metres(*at))
        half = np.array([0.0, _ACROSS_M / 2] if turn % 2 == 0 else [_ACROSS_M / 2, 0.0])
        line = LineString([np.array([x, y]) - half, np.array([x, y]) + half])
        devices.append(
            Device(
                device_id=counter.counter_id,
                kind=DeviceKind.PASSAGE,
                name={options.languages[0]: counter.name},
                geometry=plane.unproject(line),
                interval_s=options.interval_s,
                expected_error=options.expected_error,
                directed=False,
            )
        )
    return devices


def _read_counters(path: Path, options: DraftOptions) -> list[_Counter]:
    findings = Findings()
    counters: dict[str, _Counter] = {}
    header, lines = read_lines(path)
    columns = _columns(header, path, options)
    for number, line in lines:
        counter = _counter(line, columns, (path.name, number), findings)
        if counter is None:
            continue
        if counter.counter_id in counters:
            where = (path.name, number)
            findings.add(where, f"id={counter.counter_id!r}", "must be unique", "rename one of the two")
        counters[counter.counter_id] = counter
    _tell_far(list(counters.values()), path, findings)
    if findings.faults:
        raise refusal(path, findings.faults)
    if not counters:
        raise BadInput(f"counters={str(path)!r}", "must hold a counter", "give a line per counter")
    return [
        _Counter(counter.counter_id, counter.name, point.x, point.y)
        for counter in counters.values()
        for point in [into_wgs84(Point(counter.lon, counter.lat), options.datum)]
    ]


def _columns(header: Sequence[str], path: Path, options: DraftOptions) -> dict[str, str]:
    columns = dict(options.columns)
    for key, usual in _COLUMNS.items():
        if key in columns and columns[key] not in header:
            raise BadInput(f"columns.{key}={columns[key]!r}", f"must be one of {', '.join(header)}", "correct it")
        found = next((name for word in usual for name in header if name.strip().lower() == word), None)
        if key not in columns and found:
            columns[key] = found
    for key in ("lat", "lon"):
        if key not in columns:
            raise BadInput(
                f"{path.name} with {', '.join(header)}", f"must have a column for {key}", f"say which: {key}=COLUMN"
            )
    if "id" not in columns and "name" not in columns:
        raise BadInput(f"{path.name}", "must have a column for id or name", "say which: id=COLUMN")
    return columns


def _counter(
    line: Mapping[str, str], columns: Mapping[str, str], where: tuple[str, int], findings: Findings
) -> _Counter | None:
    texts = {key: line[column] for key, column in columns.items()}
    key = _NOT_IN_TOPIC.sub("-", texts.get("id") or texts.get("name") or "")
    if not key:
        findings.add(where, "id", "must be given", "name the counter")
        return None
    try:
        lat, lon = float(texts["lat"]), float(texts["lon"])
    except ValueError:
        findings.add(where, f"position ({texts['lat']!r}, {texts['lon']!r})", "must be two numbers", "correct it")
        return None
    if not (abs(lat) <= 90 and abs(lon) <= 180) or (lat == 0 and lon == 0):
        hint = "swap them" if abs(lon) <= 90 and abs(lat) <= 180 and lat else "give degrees WGS84"
        findings.add(where, f"latitude {lat:g}, longitude {lon:g}", "must be a place in degrees", hint)
        return None
    return _Counter(key, texts.get("name") or key, lon, lat)


def _tell_far(found: Sequence[_Counter], path: Path, findings: Findings) -> None:
    """Tell counters that lie far from the middle one: one mistyped digit would else stretch the district."""
    if not found:
        return
    lon, lat = np.median([counter.lon for counter in found]), np.median([counter.lat for counter in found])
    for counter in found:
        if max(abs(counter.lon - lon), abs(counter.lat - lat)) > _FAR_DEGREES:
            findings.add(
                (path.name, None),
                f"{counter.counter_id!r} at ({counter.lon:g}, {counter.lat:g})",
                f"must lie within {_FAR_DEGREES:g}° of the others",
                "correct its position",
            )


def _write_comments(out: Path) -> None:
    """Explain every key of the header, and list the files that may be added."""
    header = out / DISTRICT_FILE
    lines = []
    for line in header.read_text("utf-8").splitlines():
        comment = _COMMENTS.get(line.split(" = ")[0])
        lines += [f"# {comment}", line] if comment else [line]
    lines += ["", "# Published figures of the district, shown with it.", "# [figures]", "# residents = 500000"]
    header.write_text("\n".join(lines) + "\n", "utf-8")
    (out / "README.md").write_text("\n".join(_file_list()) + "\n", "utf-8")


def _file_list() -> list[str]:
    lines = [
        "# Files of this district",
        "",
        "`district.toml` and `areas/district.geojson` are here; add any of these. GeoJSON is longitude first.",
    ]
    for form in FORMS:
        suffix = "csv" if form.tabular else "geojson"
        shapes = f" ({' or '.join(form.shapes)})" if form.shapes else ""
        lines += ["", f"## {form.stem}.{suffix}{shapes}", "", *_column_list(form)]
    return lines


def _column_list(form: Form) -> list[str]:
    lines = []
    for column in form.columns:
        notes = [column.kind.value, *([column.unit] if column.unit else []), *(["required"] if column.required else [])]
        choices = f": {', '.join(column.one_of)}" if column.one_of else ""
        lines.append(f"- `{column.name}` ({', '.join(notes)}){choices}")
    return [*lines, f"- `{form.label}<language>`"] if form.named else lines
