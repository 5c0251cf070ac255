"""Make a district pack of an OpenStreetMap extract and boundary files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import shapely

from anlan.kernel.areas import Area, AreaTree
from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D, Projection
from anlan.kernel.pack import Pack
from anlan.kernel.records import Gateway, Label, Street
from anlan.pack import landmarks, streets
from anlan.pack.committees import committee_areas
from anlan.pack.given import Given, read_given
from anlan.pack.landmarks import Ground
from anlan.pack.osm import ATTRIBUTION, Extract, Progress, read_extract
from anlan.pack.outlines import COMMITTEE_LEVEL, level_of, read_committees, read_outlines, with_root
from anlan.pack.writing import refuse_existing, write_pack
from anlan.pack.zones import nearest_zone

_SNAP_M = 30.0
_NEAR_M = 150.0
_SOURCE: Label = {
    "zh": "地图数据 © OpenStreetMap 贡献者（ODbL）。",
    "en": "Map data © OpenStreetMap contributors (ODbL).",
}
_SCHEMATIC_COMMITTEES: Label = {
    "zh": "居委会界线为示意：按街道长度均分，非真实边界。",
    "en": "Committee outlines are schematic: equal shares of street length, not real borders.",
}
_GUESSED_WATER: Label = {
    "zh": "水面为推测：边界处远离道路的空地。",
    "en": "Water is guessed: wide gaps without streets at the border.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What an import may be told. What is not told is taken from the files."""

    pack_id: str = ""
    """The id of the pack; the name of its folder where empty."""
    name: Label | None = None
    """The name of the district; that of its top outline where None."""
    languages: tuple[str, ...] = ("zh", "en")
    """The first is the language of the tag ``name``."""
    time_zone: str = ""
    """IANA zone; that of the nearest city in the zone table where empty."""
    datum: str = "wgs84"
    """Of the boundaries and the given places: wgs84, gcj02 or bd09. An extract is always WGS84."""
    margin_m: float = 300.0
    """Streets this far outside the district are kept whole, so that people can walk in."""
    cell_m: float = 25.0
    water_beyond_m: float | None = 120.0
    """Where the extract holds no water: gaps at the border farther than this from any street count as water (a
    guess, which the notice tells). None: never."""


def import_osm(  # noqa: PLR0913 - four sources, where to, how, and who is told
    osm: str | Path,
    areas: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    committees: str | Path | None = None,
    places: Sequence[str | Path] = (),
    options: ImportOptions | None = None,
    progress: Progress = lambda _what, _share: None,
) -> Pack:
    """Make a district pack of an OpenStreetMap extract and boundary files, write it and return it.

    Parameters
    ----------
    osm : path
        Extract: ``.osm``, ``.osm.gz`` or ``.pbf``.
    areas : path or sequence of paths
        Boundary files (GeoJSON degrees), top level first; a folder stands for the files in it. Where the top
        level has several areas, the district is their union.
    out : path
        Folder of the pack.
    committees : path, optional
        CSV with the columns code, name and street_code: areas that have no outline anywhere. Each subdistrict is
        divided among its own by street length, and the pack says that these outlines are schematic.
    places : sequence of paths
        GeoJSON of further places (polygons), pedestrian streets (lines with ``width_m``) and gateways (points).
    options : ImportOptions, optional
    progress : callable
        Told what is being done, and which part of the work is behind (0..1).

    Raises
    ------
    NotFound
        If a file is missing.
    BadInput
        If a file is not what it must be, told with its row.
    Conflict
        If ``out`` holds a pack already.
    Unavailable
        If ``out`` cannot be written.
    """
    options = options or ImportOptions()
    out = Path(out)
    refuse_existing(out)
    pack_id = options.pack_id or re.sub(r"[^a-z0-9]+", "-", out.resolve().name.lower()).strip("-") or "district"
    progress("reading the boundaries", 0.0)
    files = [Path(areas)] if isinstance(areas, str | Path) else [Path(path) for path in areas]
    levels = with_root(read_outlines(files, options.languages, options.datum), pack_id, options.name or {})
    ground = _ground(levels[0][1][0], options)
    near = ground.near(options.margin_m)
    extract = read_extract(Path(osm), near.bounds, lambda what, _share: progress(what, 0.05))
    progress("reading the given places", 0.5)
    given = read_given([Path(path) for path in places], ground, options.datum)
    progress("joining the streets", 0.55)
    network = _streets(extract, given, near, ground)
    if not network:
        raise BadInput(f"osm={str(osm)!r}", "must hold streets of the district", "give an extract of the same place")
    if committees is not None:
        progress("dividing the subdistricts among the committees", 0.65)
        listed = read_committees(Path(committees), options.languages)
        levels.append((COMMITTEE_LEVEL, committee_areas(listed, levels[-1][1], network, ground.plane)))
    progress("collecting places and gateways", 0.8)
    pack = _assembled(_Found(extract, given, network, levels, ground), pack_id, options)
    progress("writing the pack", 0.9)
    write_pack(pack, out)
    progress("done", 1.0)
    return replace(pack, folder=out)


@dataclass(frozen=True, slots=True)
class _Found:
    extract: Extract
    given: Given
    network: Sequence[Street]
    levels: Sequence[tuple[str, Sequence[Area]]]
    ground: Ground


def _assembled(found: _Found, pack_id: str, options: ImportOptions) -> Pack:
    ground, languages = found.ground, options.languages
    near = ground.near(options.margin_m)
    water = landmarks.extract_polygons(found.extract, "water", near)
    guessed = not water and options.water_beyond_m is not None
    if options.water_beyond_m is not None and guessed:
        water = landmarks.guessed_water(found.network, ground, options.water_beyond_m)
    areas = [area for _, level in found.levels for area in level]
    places = [*found.given.places, *landmarks.extract_places(found.extract, ground)]
    told = [(COMMITTEE_LEVEL in dict(found.levels), _SCHEMATIC_COMMITTEES), (guessed and bool(water), _GUESSED_WATER)]
    return Pack(
        pack_id=pack_id,
        version="1",
        name=options.name or areas[0].name or {languages[0]: pack_id},
        time_zone=options.time_zone or nearest_zone(ground.plane.lon, ground.plane.lat),
        languages=languages,
        lon=ground.plane.lon,
        lat=ground.plane.lat,
        areas=AreaTree([level_of(key, languages) for key, _ in found.levels], areas),
        places=tuple(landmarks.distinct(places)),
        streets=tuple(found.network),
        gateways=tuple(_gateways(found)),
        water=tuple(water),
        green=tuple(landmarks.extract_polygons(found.extract, "green", near)),
        cell_m=options.cell_m,
        notice=_notice(languages, told),
        attribution=ATTRIBUTION,
        figures={"area_km2": round(ground.plane.project(ground.outline).area / 1e6, 3)},
    )


def _ground(root: Area, options: ImportOptions) -> Ground:
    outline = root.polygon or shapely.MultiPolygon()  # a boundary file has no area without outline
    middle = shapely.centroid(outline)
    return Ground(outline, Projection(round(middle.x, 6), round(middle.y, 6)), options.languages)


def _streets(extract: Extract, given: Given, near: Area2D, ground: Ground) -> list[Street]:
    joined = streets.snapped(given.ways, extract.ways, ground.plane, _SNAP_M)
    cut = streets.streets_of([*extract.ways, *joined], ground.languages)
    kept, _ = streets.walk_network(streets.touching(cut, near))
    return kept


def _gateways(found: _Found) -> list[Gateway]:
    """Return the gateways; given ones of a kind replace those of the extract, and only those near the district."""
    close = found.ground.near(_NEAR_M)
    shapely.prepare(close)
    mine = {gateway.gateway_id: gateway for gateway in found.given.gateways if close.intersects(gateway.point)}
    kinds = {gateway.kind for gateway in mine.values()}
    tagged = [g for g in landmarks.extract_gateways(found.extract, found.ground) if g.kind not in kinds]
    return [*mine.values(), *tagged, *landmarks.road_gateways(found.network, found.ground)]


def _notice(languages: Sequence[str], told: Sequence[tuple[bool, Label]]) -> Label:
    texts = [_SOURCE, *(text for holds, text in told if holds)]
    return {
        language: ("" if language == "zh" else " ").join(text.get(language, text["en"]) for text in texts)
        for language in languages
    }
