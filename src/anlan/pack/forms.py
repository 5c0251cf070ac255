"""Format 1 of a district pack as data: every file, its geometry and its columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from anlan.kernel.ladders import Also, Measure
from anlan.kernel.records import DeviceKind

DISTRICT_FILE = "district.toml"
AREAS_FOLDER = "areas"
NAME_PREFIX = "name_"

DISTRICT_KEYS = (
    "format", "id", "version", "name", "time_zone", "languages", "centre", "datum", "cell_m", "block_share",
    "schematic", "notice", "attribution", "confirmed_years", "levels", "figures",
)  # fmt: skip


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    FLAG = "true or false"
    NUMBERS = "list of numbers"
    TABLE = "object"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, and what its values must keep to."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    one_of: tuple[str, ...] = ()
    above: float | None = None
    least: float | None = None
    most: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One kind of file: its columns, the first of which is the id, and the geometry its rows carry."""

    stem: str
    columns: tuple[Column, ...]
    shapes: tuple[str, ...] = ()
    drawn: bool = True
    """Whether a row must carry a geometry."""
    named: bool = True
    """Whether the form takes a text per language, in columns ``<label><language>``."""
    label: str = NAME_PREFIX
    unique: bool = True
    """Whether the first column may not repeat."""

    @property
    def tabular(self) -> bool:
        """True for a CSV file, False for GeoJSON."""
        return not self.shapes


GATEWAY_KINDS = ("metro", "bus", "ferry", "rail", "road")

POLYGONS = ("Polygon", "MultiPolygon")

_ID = Column(name="id", required=True)
_KIND = Column(name="kind", required=True)

AREAS = Form(
    stem=AREAS_FOLDER,
    columns=(
        Column(name="code", required=True),
        Column(name="parent"),
        Column(name="residents", kind=Kind.NUMBER, least=0, unit="persons"),
    ),
    shapes=POLYGONS,
    drawn=False,
)
PLACES = Form(
    stem="places",
    columns=(
        _ID,
        _KIND,
        Column(name="capacity", kind=Kind.WHOLE, least=1, unit="persons"),
        Column(name="closed", kind=Kind.FLAG),
        Column(name="walkable_share", kind=Kind.NUMBER, above=0, most=1),
        Column(name="key", kind=Kind.FLAG),
        Column(name="thresholds", kind=Kind.NUMBERS),
    ),
    shapes=POLYGONS,
)
STREETS = Form(
    stem="streets",
    columns=(
        _ID,
        Column(name="class", required=True),
        Column(name="width_m", kind=Kind.NUMBER, required=True, least=0, unit="m"),
        Column(name="speed_kmh", kind=Kind.NUMBER, required=True, above=0, unit="km/h"),
        Column(name="oneway", kind=Kind.FLAG),
        Column(name="walk", kind=Kind.FLAG),
    ),
    shapes=("LineString",),
)
DEVICES = Form(
    stem="devices",
    columns=(
        _ID,
        Column(name="kind", required=True, one_of=tuple(DeviceKind)),
        Column(name="place"),
        Column(name="interval_s", kind=Kind.NUMBER, above=0, unit="s"),
        Column(name="expected_error", kind=Kind.NUMBER, least=0, most=10),
        Column(name="directed", kind=Kind.FLAG),
        Column(name="border", kind=Kind.FLAG),
        Column(name="grid", kind=Kind.TABLE),
    ),
    shapes=("LineString", *POLYGONS),
)
GRID = (
    Column(name="west_m", kind=Kind.NUMBER, required=True, unit="m"),
    Column(name="south_m", kind=Kind.NUMBER, required=True, unit="m"),
    Column(name="size_m", kind=Kind.NUMBER, required=True, above=0, unit="m"),
    Column(name="n_columns", kind=Kind.WHOLE, required=True, least=1),
    Column(name="n_rows", kind=Kind.WHOLE, required=True, least=1),
    Column(name="suppressed_below", kind=Kind.WHOLE, least=0, unit="persons"),
    Column(name="market_share", kind=Kind.NUMBER, above=0, most=1),
    Column(name="blur_m", kind=Kind.NUMBER, least=0, unit="m"),
)
GATEWAYS = Form(stem="gateways", columns=(_ID, _KIND), shapes=("Point",))
WATER = Form(stem="water", columns=(Column(name="id"),), shapes=POLYGONS)
GREEN = Form(stem="green", columns=(Column(name="id"),), shapes=POLYGONS)
STATIONS = Form(stem="stations", columns=(_ID,), shapes=("Point",))
POSTS = Form(stem="posts", columns=(_ID,), shapes=("Point",))
UNITS = Form(
    stem="units",
    columns=(
        _ID,
        _KIND,
        Column(name="crew", kind=Kind.WHOLE, required=True, least=1, unit="persons"),
        Column(name="station"),
        Column(name="post"),
        Column(name="capabilities"),
        Column(name="agency"),
    ),
)
CALENDAR = Form(
    stem="calendar",
    columns=(
        Column(name="on", kind=Kind.DATE, required=True),
        Column(name="kind", required=True, one_of=("rest", "work")),
    ),
    unique=False,
)

USUAL = Form(
    stem="usual",
    columns=(
        Column(name="lon", kind=Kind.NUMBER, required=True, least=-180, most=180, unit="degrees"),
        Column(name="lat", kind=Kind.NUMBER, required=True, least=-90, most=90, unit="degrees"),
        Column(name="size_m", kind=Kind.NUMBER, required=True, least=5, most=500, unit="m"),
        *(Column(name=f"persons_{hour:02d}", kind=Kind.NUMBER, least=0, unit="persons") for hour in range(24)),
    ),
    named=False,
    unique=False,
)

SOURCE_PREFIX = "source_"
RUNGS = ("notice", "yellow", "orange", "red")
LADDERS = Form(
    stem="ladders",
    columns=(
        Column(name="of", required=True),
        Column(name="measure", required=True, one_of=tuple(Measure)),
        *(Column(name=rung, kind=Kind.NUMBER, above=0) for rung in RUNGS),
        Column(name="also", one_of=tuple(Also)),
        Column(name="above", kind=Kind.NUMBER, least=0),
        Column(name="source"),
    ),
    label=SOURCE_PREFIX,
    unique=False,
)

FORMS = (PLACES, STREETS, DEVICES, GATEWAYS, WATER, GREEN, STATIONS, POSTS, UNITS, CALENDAR, LADDERS, USUAL)

FOREIGN = ("twin.toml", "playbooks.toml", "community.toml", "service_points.csv")
"""Files of a pack folder that belong to other readers."""
