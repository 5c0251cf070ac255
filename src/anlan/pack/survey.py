"""A pack folder read whole: its records, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from anlan.kernel.areas import Area, AreaTree
from anlan.kernel.geo import Area2D
from anlan.kernel.ladders import with_density
from anlan.kernel.pack import Pack
from anlan.kernel.records import (
    Calendar,
    Device,
    DeviceKind,
    Gateway,
    GridSpec,
    Label,
    Place,
    Post,
    Station,
    Street,
    Thresholds,
    Unit,
)
from anlan.pack.faults import Fault, Findings
from anlan.pack.footfall import check_usual, usual_of
from anlan.pack.forms import AREAS, AREAS_FOLDER, DISTRICT_FILE, FOREIGN, FORMS, GATEWAY_KINDS, GRID, Form
from anlan.pack.header import Header, read_header
from anlan.pack.ladders import check_ladders, ladder_of
from anlan.pack.tables import Row, Table, convert, read_table

_GEOJSON = (".geojson", ".geojson.gz")
_CSV = (".csv", ".csv.gz")
_PROSE = (".md", ".txt", ".rst")
_NOT_IN_TOPIC = frozenset("/+#")
_LINES = (DeviceKind.GATE, DeviceKind.PASSAGE, DeviceKind.ROAD)


@dataclass(frozen=True, slots=True)
class Survey:
    """The pack, where nothing blocks it, and its faults in the order of its files."""

    pack: Pack | None
    faults: tuple[Fault, ...]


def survey(folder: Path) -> Survey:
    """Read every file of a pack folder and tell everything that is wrong with it."""
    findings = Findings()
    header = read_header(folder, findings)
    tables = {form.stem: _table(folder, form, header, findings) for form in FORMS}
    areas = [(level.key, _area_table(folder, level.key, header, findings)) for level in header.levels]
    _tell_unknown_files(folder, header, findings)
    tree = _tree(header, areas, findings)
    if tree is not None:
        _check_links(tables, findings)
        check_ladders(tables["ladders"], tables["places"], tables["devices"], findings)
        _check_outline(tree, [tables["places"], tables["devices"], *(table for _, table in areas)], findings)
    _check_calendar(tables["calendar"], header, findings)
    check_usual(tables["usual"], header, findings)
    pack = None
    if tree is not None and not any(fault.blocking for fault in findings.faults):
        pack = _pack(folder, header, tree, tables)
    return Survey(pack, tuple(findings.faults))


def _found(folder: Path, stem: str, suffixes: Iterable[str], findings: Findings) -> Path | None:
    paths = [path for suffix in suffixes if (path := folder / f"{stem}{suffix}").is_file()]
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        findings.add((paths[0].name, None), names, "must not both be there", "remove one of the two")
    return paths[0] if paths else None


def _table(folder: Path, form: Form, header: Header, findings: Findings) -> Table:
    path = _found(folder, form.stem, _CSV if form.tabular else _GEOJSON, findings)
    if path is None:
        return Table(f"{form.stem}{_CSV[0] if form.tabular else _GEOJSON[0]}")
    return read_table(path, path.name, form, header.reading, findings)


def _area_table(folder: Path, level: str, header: Header, findings: Findings) -> Table:
    path = _found(folder / AREAS_FOLDER, level, _GEOJSON, findings)
    if path is None:
        file = f"{AREAS_FOLDER}/{level}.geojson"
        findings.add((file, None), "the file", "must be there for a declared level", "add it, or drop the level")
        return Table(file)
    return read_table(path, f"{AREAS_FOLDER}/{path.name}", AREAS, header.reading, findings)


def _tell_unknown_files(folder: Path, header: Header, findings: Findings) -> None:
    known = {DISTRICT_FILE, *FOREIGN}
    for form in FORMS:
        known |= {f"{form.stem}{suffix}" for suffix in (_CSV if form.tabular else _GEOJSON)}
    known |= {f"{AREAS_FOLDER}/{level.key}{suffix}" for level in header.levels for suffix in _GEOJSON}
    present = [path for path in folder.iterdir() if path.is_file()]
    present += [path for path in (folder / AREAS_FOLDER).glob("*") if path.is_file()]
    for path in sorted(present):
        name = path.relative_to(folder).as_posix()
        prose = path.suffix.lower() in _PROSE or path.stem.isupper()
        if name not in known and not prose and not path.name.startswith("."):
            findings.unknown((name, None), "file", name, known)


def _tree(header: Header, tables: list[tuple[str, Table]], findings: Findings) -> AreaTree | None:
    """Return the tree of areas, or None with its faults told."""
    if not tables:
        return None
    rank = {level.key: k for k, level in enumerate(header.levels)}
    level_of: dict[str, str] = {}
    for level, table in tables:
        for row in table.rows:
            code = row.values["code"]
            if level_of.setdefault(code, level) != level:
                findings.add(table.at(row), f"code={code!r}", f"must be unique ({level_of[code]} has it)", "rename one")
    for level, table in tables:
        for row in table.rows:
            _check_parent((table, row), rank, level, level_of, findings)
    top, others = tables[0][1], [level.key for level in header.levels[1:]]
    if len(top.rows) != 1:
        value = f"{len(top.rows)} areas of the top level"
        findings.add((top.file, None), value, "must be exactly one, the district", f"move the others to {others}")
    if any(fault.blocking and fault.file.startswith(AREAS_FOLDER) for fault in findings.faults):
        return None
    return AreaTree(
        header.levels,
        [
            Area(
                area_id=row.values["code"],
                level=level,
                parent_id=row.values["parent"],
                name=row.name,
                polygon=row.geometry,
                residents=row.values["residents"],
            )
            for level, table in tables
            for row in table.rows
        ],
    )


def _check_parent(
    at: tuple[Table, Row], rank: dict[str, int], level: str, level_of: dict[str, str], findings: Findings
) -> None:
    table, row = at
    code, parent = row.values["code"], row.values["parent"]
    if parent is None:
        if rank[level] > 0:
            findings.add(table.at(row), f"parent of {code!r}", "must be given below the top level", "name it")
    elif parent not in level_of:
        findings.add(table.at(row), f"parent={parent!r}", "must be the code of an area", "add or correct it")
    elif rank[level_of[parent]] >= rank[level]:
        rule = f"must be of a level above {level}"
        findings.add(table.at(row), f"parent={parent!r} ({level_of[parent]})", rule, "correct the parent")


def _check_links(tables: dict[str, Table], findings: Findings) -> None:
    """Tell what one file says of another that does not hold."""
    places = {row.values["id"]: row for row in tables["places"].rows}
    stations = {row.values["id"] for row in tables["stations"].rows}
    posts = {row.values["id"] for row in tables["posts"].rows}
    for row in tables["devices"].rows:
        _check_device(tables["devices"], row, places, findings)
    for row in tables["units"].rows:
        for column, known in (("station", stations), ("post", posts)):
            value = row.values[column]
            if value is not None and value not in known:
                at = tables["units"].at(row)
                findings.add(at, f"{column}={value!r}", f"must be in {column}s.geojson", "add it there or correct it")
    gated = {row.values["place"] for row in tables["devices"].rows if row.values["kind"] == DeviceKind.GATE}
    for row in tables["places"].rows:
        if row.values["closed"] and row.values["id"] not in gated:
            at = tables["places"].at(row)
            value = f"closed=true of {row.values['id']!r}"
            findings.advise(at, value, "should have a gate device at every entrance", "add gates or write closed=false")
        _check_thresholds(tables["places"], row, findings)
    for row in tables["gateways"].rows:
        kind = row.values["kind"]
        if kind is not None and kind not in GATEWAY_KINDS:
            rule = f"should be one of {', '.join(GATEWAY_KINDS)}"
            findings.advise(tables["gateways"].at(row), f"kind={kind!r}", rule, "nobody else knows another kind")


def _check_outline(tree: AreaTree, tables: Iterable[Table], findings: Findings) -> None:
    """Tell what lies wholly outside the district."""
    if tree.root.polygon is None:
        findings.advise(
            (f"{AREAS_FOLDER}/{tree.root.level}.geojson", None),
            "the root area",
            "should have a polygon: it is the district's outline",
            "draw it",
        )
        return
    for table in tables:
        _tell_outside(table, tree.root.polygon, findings)


def _check_device(table: Table, row: Row, places: dict[str, Row], findings: Findings) -> None:
    if row.values["kind"] is None:
        return
    kind, place, at = DeviceKind(row.values["kind"]), row.values["place"], table.at(row)
    wanted = "LineString" if kind in _LINES else "Polygon"
    if row.geometry is not None and not row.geometry.geom_type.endswith(wanted):
        findings.add(at, f"geometry={row.geometry.geom_type}", f"must be a {wanted} for kind {kind}", "redraw it")
    if place is not None and place not in places:
        findings.add(at, f"place={place!r}", "must be in places.geojson", "add the place or correct the id")
    if set(row.values["id"]) & _NOT_IN_TOPIC:
        findings.add(at, f"id={row.values['id']!r}", "must hold none of / + #: it names an MQTT topic", "rename it")
    if kind is DeviceKind.GATE and place is None:
        findings.add(at, f"place of gate {row.values['id']!r}", "must be given", "name the closed place it opens to")
    if kind is DeviceKind.GRID and row.values["grid"] is None:
        findings.add(at, "grid", "must be given for a grid", "give west_m, south_m, size_m, n_columns and n_rows")
    if row.values["border"] and (kind not in _LINES or row.values["directed"] is False):
        findings.add(
            at, f"border=true of {kind} {row.values['id']!r}", "must be a line that tells in from out", "drop it"
        )
    if row.values["grid"] is not None:
        _check_grid(at, row.values["grid"], findings)


def _check_grid(at: tuple[str, int | None], grid: Mapping[str, Any], findings: Findings) -> None:
    for name in grid:
        if name not in {column.name for column in GRID}:
            findings.unknown(at, "grid field", name, [column.name for column in GRID])
    for column in GRID:
        _, rule = convert(grid.get(column.name), column)
        if rule:
            findings.add(at, f"grid.{column.name}={grid.get(column.name)!r}", rule, f"correct {column.name}")


def _check_thresholds(table: Table, row: Row, findings: Findings) -> None:
    given = row.values["thresholds"]
    if given is None:
        return
    if len(given) != 4:
        rule = "must be four densities in 1/m²: notice, yellow, orange, red"
        findings.add(table.at(row), f"thresholds with {len(given)} numbers", rule, "give four")
    elif not all(low < high for low, high in zip((0.0, *given), given, strict=False)):
        rule = "must be above 0 and rise from notice to red"
        findings.add(table.at(row), f"thresholds={list(given)}", rule, "put them in rising order")


def _tell_outside(table: Table, boundary: Area2D, findings: Findings) -> None:
    drawn = [row for row in table.rows if row.geometry is not None]
    if not drawn:
        return
    shapely.prepare(boundary)
    inside = shapely.intersects(boundary, np.array([row.geometry for row in drawn], dtype=object))
    for row, is_inside in zip(drawn, inside, strict=True):
        if not is_inside:
            at = shapely.point_on_surface(row.geometry)
            key = row.values.get("id") or row.values.get("code")
            value = f"{key!r} at ({at.x:.5f}, {at.y:.5f})"
            findings.add(table.at(row), value, "must lie in the district", "move it, or widen the district's polygon")


def _check_calendar(table: Table, header: Header, findings: Findings) -> None:
    kinds: dict[object, Row] = {}
    for row in table.rows:
        on, kind = row.values["on"], row.values["kind"] or "?"
        before = kinds.setdefault(on, row)
        if before is not row:
            rule = f"must come once (row {before.number} says {before.values['kind']})"
            findings.add(table.at(row), f"{on} {kind}", rule, "keep one of the two")
    for year in sorted({row.values["on"].year for row in table.rows} - header.confirmed_years):
        rule = "should be confirmed: until then its other days are told from weekdays alone"
        findings.advise((table.file, None), f"year {year}", rule, f"add {year} to confirmed_years once it is complete")


def _pack(folder: Path, header: Header, tree: AreaTree, tables: dict[str, Table]) -> Pack:
    values = header.values
    lon, lat = header.centre_wgs84
    ladders = tuple(map(ladder_of, tables["ladders"].rows))
    chosen = {key: values[key] for key in ("cell_m", "block_share", "attribution") if values[key] is not None}
    return Pack(
        pack_id=values["id"],
        version=values["version"],
        name=values["name"],
        time_zone=values["time_zone"],
        languages=header.reading.languages,
        lon=lon,
        lat=lat,
        areas=tree,
        places=tuple(with_density(ladders, place_of(row)) for row in tables["places"].rows),
        streets=tuple(map(_street, tables["streets"].rows)),
        devices=tuple(map(_device, tables["devices"].rows)),
        gateways=tuple(
            Gateway(gateway_id=r.values["id"], kind=r.values["kind"], name=r.name, point=r.geometry)
            for r in tables["gateways"].rows
        ),
        water=tuple(row.geometry for row in tables["water"].rows),
        green=tuple(row.geometry for row in tables["green"].rows),
        stations=tuple(
            Station(station_id=r.values["id"], name=r.name, point=r.geometry) for r in tables["stations"].rows
        ),
        posts=tuple(Post(post_id=r.values["id"], name=r.name, point=r.geometry) for r in tables["posts"].rows),
        units=tuple(map(_unit, tables["units"].rows)),
        calendar=_calendar(tables["calendar"], header),
        ladders=ladders,
        usual=usual_of(tables["usual"], header),
        schematic=values["schematic"],
        notice=values["notice"],
        figures=values["figures"],
        folder=folder,
        **chosen,
    )


def _given(row: Row, *columns: str) -> dict[str, Any]:
    """Return the given optional values alone, so that the record's own defaults hold for the others."""
    return {column: row.values[column] for column in columns if row.values[column] is not None}


def place_of(row: Row) -> Place:
    """Return the place of a checked row."""
    given = _given(row, "capacity", "closed", "walkable_share", "key")
    if row.values["thresholds"] is not None:
        names = (field.name for field in fields(Thresholds))
        given["thresholds"] = Thresholds(**dict(zip(names, row.values["thresholds"], strict=True)))
    return Place(place_id=row.values["id"], name=row.name, kind=row.values["kind"], polygon=row.geometry, **given)


def _street(row: Row) -> Street:
    return Street(
        street_id=row.values["id"],
        name=row.name,
        street_class=row.values["class"],
        line=row.geometry,
        width_m=row.values["width_m"],
        speed_kmh=row.values["speed_kmh"],
        **_given(row, "oneway", "walk"),
    )


def _device(row: Row) -> Device:
    given = _given(row, "interval_s", "expected_error", "directed", "border")
    if row.values["grid"] is not None:
        numbers = {column.name: convert(row.values["grid"].get(column.name), column)[0] for column in GRID}
        given["grid"] = GridSpec(**{name: number for name, number in numbers.items() if number is not None})
    return Device(
        device_id=row.values["id"],
        kind=DeviceKind(row.values["kind"]),
        name=row.name,
        geometry=row.geometry,
        place_id=row.values["place"],
        **given,
    )


def _unit(row: Row) -> Unit:
    return Unit(
        unit_id=row.values["id"],
        name=row.name,
        kind=row.values["kind"],
        crew=row.values["crew"],
        station_id=row.values["station"],
        post_id=row.values["post"],
        capabilities=tuple(dict.fromkeys((row.values["capabilities"] or "").split())),
        agency=row.values["agency"] or "",
    )


def _calendar(table: Table, header: Header) -> Calendar:
    by_kind: dict[str, dict[date, Label]] = {"rest": {}, "work": {}}
    for row in table.rows:
        by_kind[row.values["kind"]][row.values["on"]] = row.name
    return Calendar(rest_days=by_kind["rest"], working_days=by_kind["work"], confirmed_years=header.confirmed_years)
