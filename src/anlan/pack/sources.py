"""Files that a pack is made of: GeoJSON features and CSV lines from anywhere, each told by its row."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapely.geometry.base import BaseGeometry

from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.geo import geometry_from, into_wgs84


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a GeoJSON file, in WGS84 degrees."""

    where: str
    properties: Mapping[str, Any]
    geometry: BaseGeometry


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, gzipped or not.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If it is not UTF-8, or no gzip.
    """
    if not path.is_file():
        raise NotFound(f"file {str(path)!r}", "is not there", "correct the path")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadInput(f"{path.name} at byte {fault.start}", "must be UTF-8", "save the file as UTF-8") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadInput(f"{path.name}", f"must be gzip ({fault})", "pack it again, or drop the .gz") from None


def read_features(path: Path, datum: str = "wgs84") -> list[Feature]:
    """Return the features of a GeoJSON file, converted from its datum.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If it is no FeatureCollection, holds no feature, or one has no sound geometry, told with its row.
    """
    try:
        listed = json.loads(read_text(path))["features"]
    except (json.JSONDecodeError, KeyError, TypeError) as fault:
        raise BadInput(f"{path.name}", f"must be a GeoJSON FeatureCollection ({fault!r})", "see RFC 7946") from None
    if not isinstance(listed, list) or not listed:
        raise BadInput(f"{path.name}", "must hold a feature", "export it again with its features")
    features = []
    for row, feature in enumerate(listed, 1):
        where = f"{path.name}, row {row}"
        geometry = into_wgs84(geometry_from(feature, where), datum)
        features.append(Feature(where, feature.get("properties") or {}, geometry))
    return features


def read_lines(path: Path) -> tuple[tuple[str, ...], Iterator[tuple[int, dict[str, str]]]]:
    """Return the header of a CSV file, and its lines with their numbers, the header being line 1.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If it is not UTF-8.
    """
    reader = csv.DictReader(io.StringIO(read_text(path)))

    def lines() -> Iterator[tuple[int, dict[str, str]]]:
        for line in reader:
            yield reader.line_num, {key: (value or "").strip() for key, value in line.items() if key is not None}

    return tuple(reader.fieldnames or ()), lines()
