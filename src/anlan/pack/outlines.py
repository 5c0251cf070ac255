"""Boundary files of one or several levels, put together into the tree of areas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from anlan.kernel.areas import Area, Level
from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D, polygon_from, to_geojson
from anlan.kernel.records import Label
from anlan.pack.sources import Feature, read_features, read_lines
from anlan.pack.streets import label_of

ROOT_LEVEL = "district"
COMMITTEE_LEVEL = "committee"
LEVEL_LABELS: Mapping[str, Label] = {
    "district": {"zh": "区", "en": "District"},
    "subdistrict": {"zh": "街道", "en": "Subdistrict"},
    "street": {"zh": "街道", "en": "Street"},
    "committee": {"zh": "居委会", "en": "Committee"},
    "grid": {"zh": "网格", "en": "Grid"},
    "micro_grid": {"zh": "微网格", "en": "Micro-grid"},
}
"""Labels of the levels that need none to be written; another level is called by its key."""

_CODES = ("code", "adcode", "id", "ref")
_PARENTS = ("parent", "parent_code")
_DECIMALS = 14


@dataclass(frozen=True, slots=True)
class Committee:
    """A line of a committee list."""

    code: str
    name: Label
    street_code: str


def read_outlines(paths: Sequence[Path], languages: Sequence[str], datum: str) -> list[tuple[str, list[Area]]]:
    """Return the areas of boundary files, level by level from the top, each with its parent.

    A file is one level, named after the file (``subdistricts.geojson`` is level ``subdistrict``), unless its features
    carry ``level``. A folder stands for the GeoJSON files in it, those with fewer features on top. A parent that is
    not given is the area of the level above that holds the outline.

    Raises
    ------
    BadInput
        If a feature has no code or no valid polygon, or lies in no area of the level above.
    NotFound
        If a file is missing.
    """
    levels: dict[str, list[Area]] = {}
    for path in _files(paths):
        for feature in read_features(path, datum):
            key = _level_key(str(feature.properties.get("level") or _singular(path.name.split(".")[0])))
            levels.setdefault(key, [])
            rank = list(levels).index(key)
            above = levels[list(levels)[rank - 1]] if rank else []
            levels[key].append(_area(feature, key, above, languages))
    return list(levels.items())


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.geojson*"), key=lambda file: len(read_features(file)))
            if not inside:
                raise BadInput(f"folder {str(path)!r}", "must hold a GeoJSON file", "give the boundary files")
            files += inside
        else:
            files.append(path)
    return files


def _level_key(text: str) -> str:
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "area"


def _singular(stem: str) -> str:
    return stem[:-1] if stem.endswith("s") and not stem.endswith("ss") else stem


def _area(feature: Feature, level: str, above: Sequence[Area], languages: Sequence[str]) -> Area:
    properties = feature.properties
    code = next((str(properties[key]) for key in _CODES if properties.get(key) not in (None, "")), None)
    if code is None:
        raise BadInput(f"{feature.where}: code", "must be given", f"add one of the properties {', '.join(_CODES)}")
    where = f"{feature.where} (code {code})"
    polygon = polygon_from(to_geojson(feature.geometry, _DECIMALS), where)
    parent = next((str(properties[key]) for key in _PARENTS if properties.get(key)), None)
    if above and parent not in {area.area_id for area in above}:
        parent = _holder(polygon, above, where)
    texts = {key: str(value) for key, value in properties.items() if value is not None}
    name = label_of(texts, languages)
    return Area(area_id=code, level=level, parent_id=parent if above else None, name=name, polygon=polygon)


def _holder(polygon: Area2D, above: Sequence[Area], where: str) -> str:
    """Return the area above that holds most of the outline: two sources never draw one border alike."""
    shares = [
        0.0 if area.polygon is None else shapely.area(shapely.intersection(area.polygon, polygon)) for area in above
    ]
    best = max(range(len(above)), key=lambda k: shares[k])
    if shares[best] == 0:
        raise BadInput(f"{where}", f"must lie in an area of level {above[0].level}", "check the datum and the files")
    return above[best].area_id


def with_root(levels: list[tuple[str, list[Area]]], root_id: str, name: Label) -> list[tuple[str, list[Area]]]:
    """Return the levels under one root: the union of the top level, where that has several areas."""
    top, areas = levels[0]
    if len(areas) == 1:
        return levels
    root = Area(
        area_id=root_id,
        level=ROOT_LEVEL,
        parent_id=None,
        name=name,
        polygon=shapely.union_all([area.polygon for area in areas]),
    )
    placed = [Area(area_id=a.area_id, level=a.level, parent_id=root_id, name=a.name, polygon=a.polygon) for a in areas]
    return [(ROOT_LEVEL, [root]), (top, placed), *levels[1:]]


def level_of(key: str, languages: Sequence[str]) -> Level:
    """Return the level of that key with its label in the district's languages."""
    plain = key.replace("_", " ").capitalize()
    return Level(key=key, label={lang: LEVEL_LABELS.get(key, {}).get(lang, plain) for lang in languages})


def read_committees(path: Path, languages: Sequence[str]) -> list[Committee]:
    """Return the lines of a committee list: a CSV file with the columns code, name and street_code.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If a column or a value is missing, or a code comes twice.
    """
    header, lines = read_lines(path)
    missing = {"code", "name", "street_code"} - set(header)
    if missing:
        raise BadInput(
            f"{path.name} without {', '.join(sorted(missing))}", "must have code, name, street_code", "add them"
        )
    committees: dict[str, Committee] = {}
    for number, line in lines:
        code, street_code = line["code"], line["street_code"]
        if not code or not street_code or code in committees:
            raise BadInput(
                f"{path.name}, row {number}: code={code!r} street_code={street_code!r}",
                "must both be given, and the code once",
                "correct the line",
            )
        texts = {key: value for key, value in line.items() if value}
        committees[code] = Committee(code, label_of(texts, languages), street_code)
    return list(committees.values())
