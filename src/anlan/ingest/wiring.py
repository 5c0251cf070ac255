"""The adapters file: which vendor's counter is which device of the district."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from anlan.ingest import axis, hikvision, milesight, onvif, vehicles, xovis
from anlan.ingest.adapters import Adapter, OwnForm
from anlan.ingest.foreign import Foreign, Wired
from anlan.ingest.meters import MOST_PER_S
from anlan.ingest.sensorthings import SensorThings
from anlan.ingest.squares import GridFeed, LocationGrids
from anlan.kernel.errors import BadInput, NotFound

FORMATS = {one.FORMAT.name: one.FORMAT for one in (axis, hikvision, milesight, onvif, vehicles, xovis)}
"""Each format is one module with a ``FORMAT``."""
FILE = "adapters.toml"

_T = TypeVar("_T")


class _Weighed(msgspec.Struct, forbid_unknown_fields=True):
    way: str = msgspec.field(name="as")
    people: float = 1.0


class _Device(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    counters: Annotated[dict[str, str | _Weighed], msgspec.Meta(min_length=1)]
    source: str = ""
    interval_s: float = 60.0
    time_zone: str | None = None
    most_per_s: float = MOST_PER_S
    wraps_at: int | None = None


class _Grid(msgspec.Struct, forbid_unknown_fields=True):
    device: str
    source: str
    n_columns: int
    n_rows: int
    suppressed_below: int = 10
    time_zone: str | None = None
    unlisted_is_zero: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    device: list[_Device] = []
    grid: list[_Grid] = []
    datastreams: dict[str, Any] = {}


def read_adapters(path: Path) -> tuple[Adapter, ...]:
    """Read an adapters file; Anlan's own form is always among what is returned.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If it is no TOML, has an unknown key or format, or maps a counter to nothing that is counted.
    """
    try:
        return adapters_of(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise NotFound(f"file {path}", "does not exist", "correct the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadInput(path.name, f"must be TOML ({fault})", "see docs/connect.md") from None


def adapters_of(told: Mapping[str, Any]) -> tuple[Adapter, ...]:
    """Return the adapters of an adapters file's content.

    Raises
    ------
    BadInput
        As :func:`read_adapters`.
    """
    file = _checked(lambda: msgspec.convert(dict(told), _File))
    unknown = sorted({one.format for one in file.device} - set(FORMATS))
    if unknown:
        raise BadInput(
            f"format={unknown[0]!r}", f"must be one of {', '.join(sorted(FORMATS))}", "a grid is a [[grid]] table"
        )
    made: list[Adapter] = [OwnForm()]
    if file.datastreams:
        made.append(SensorThings.of(file.datastreams))
    for name, form in FORMATS.items():
        wired = [_wired(one) for one in file.device if one.format == name]
        if wired:
            made.append(Foreign(form, wired))
    if file.grid:
        made.append(LocationGrids(_feed(one) for one in file.grid))
    return tuple(made)


def _checked(act: Callable[[], _T]) -> _T:
    try:
        return act()
    except msgspec.ValidationError as fault:
        raise BadInput(
            "adapters file", f"must hold [[device]], [[grid]], [datastreams.<id>] ({fault})", "see docs/connect.md"
        ) from None


def _wired(one: _Device) -> Wired:
    ways = {name: way if isinstance(way, str) else way.way for name, way in one.counters.items()}
    return Wired(
        device_id=one.device,
        source=one.source,
        counters=ways,
        interval_s=one.interval_s,
        time_zone=one.time_zone,
        people_per={name: way.people for name, way in one.counters.items() if not isinstance(way, str)},
        most_per_s=one.most_per_s,
        wraps_at=one.wraps_at,
    )


def _feed(one: _Grid) -> GridFeed:
    return GridFeed(
        device_id=one.device,
        source=one.source,
        n_columns=one.n_columns,
        n_rows=one.n_rows,
        suppressed_below=one.suppressed_below,
        time_zone=one.time_zone,
        unlisted_is_zero=one.unlisted_is_zero,
    )
