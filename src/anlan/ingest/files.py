"""Observations from tables (CSV, Parquet) and to them: recordings, and what other systems export."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from anlan.kernel.errors import AnlanError, BadInput, NotFound
from anlan.kernel.records import Device, DeviceKind, Observation

_SCALARS = ("n_in", "n_out", "n_passed", "n_present")
_HOUR = re.compile(r"^(\d{1,2})(?::(\d{2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How a foreign table tells time, device and count.

    A long table names the device in one column (``device``) and the count in another (``count``); in a wide one each
    device has a column of its own (``device`` and ``count`` None). Time is the beginning of the window, in ``time`` or
    in ``date`` and ``hour`` together, local to ``time_zone`` unless it carries its own offset.
    """

    time: str | None = None
    date: str | None = None
    hour: str | None = None
    device: str | None = None
    count: str | None = None
    time_zone: str = "UTC"


@dataclass(slots=True)
class Reading:
    """What a foreign table held beside its observations. Filled while it is read."""

    n_observations: int = 0
    n_missing: int = 0
    """Blank counts: not zero, not anything."""
    n_unknown: int = 0
    """Rows of devices that the district does not have."""
    n_doubled: int = 0
    """A device and hour that came before in the file; the door counts such a one once."""
    faults: list[str] = field(default_factory=list)


def write_observations(observations: Iterable[Observation], path: Path) -> int:
    """Write a recording as Parquet; return how many observations it holds."""
    seen = list(observations)
    moment = pa.timestamp("us", tz="UTC")
    counts = [None if s.counts is None else s.counts.astype(np.float32) for s in seen]
    table = pa.table(
        {
            "device_id": pa.array([s.device_id for s in seen], pa.string()),
            "begin_at": pa.array([s.begin_at for s in seen], moment),
            "end_at": pa.array([s.end_at for s in seen], moment),
            "sequence": pa.array([s.sequence for s in seen], pa.int64()),
            **{name: pa.array([getattr(s, name) for s in seen], pa.int32()) for name in _SCALARS},
            "counts": pa.array(counts, pa.list_(pa.float32())),
        }
    )
    pyarrow.parquet.write_table(table, path, compression="zstd")
    return len(seen)


def read_observations(
    path: Path, devices: Sequence[Device], columns: Columns | None = None, reading: Reading | None = None
) -> Iterator[Observation]:
    """Read observations from a recording (Parquet) or, with ``columns``, from a foreign table (CSV, .csv.gz).

    Parameters
    ----------
    path : Path
        The file.
    devices : sequence of Device
        Of the district. A foreign table may call them by id or by a name in any language.
    columns : Columns, optional
        How the foreign table is laid out; needed for CSV.
    reading : Reading, optional
        Receives what was missing, unknown, doubled or faulty.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If a column is missing, or the file is neither CSV nor Parquet.
    """
    if not path.is_file():
        raise NotFound(f"file {path}", "does not exist", "correct the path")
    if path.suffix == ".parquet":
        yield from _recorded(path)
        return
    if columns is None:
        raise BadInput(
            f"{path.name}", "must be described by its columns", "give --columns time=...,device=...,count=..."
        )
    yield from _foreign(path, devices, columns, reading or Reading())


def _recorded(path: Path) -> Iterator[Observation]:
    for batch in pyarrow.parquet.ParquetFile(path).iter_batches(10_000):
        for row in batch.to_pylist():
            if row["counts"] is not None:
                row["counts"] = np.array(row["counts"], float)
            yield Observation(**row)


def _foreign(path: Path, devices: Sequence[Device], columns: Columns, reading: Reading) -> Iterator[Observation]:
    table = _text_table(path)
    asked = [c for c in (columns.time, columns.date, columns.hour, columns.device, columns.count) if c is not None]
    absent = [name for name in asked if name not in table.column_names]
    if absent:
        raise BadInput(
            f"{path.name} column {absent[0]!r}", f"must be one of {', '.join(table.column_names)}", "correct --columns"
        )
    ours = {name: d for d in devices for name in (d.device_id, *d.name.values())}
    begins = [f"{a} {b}" for a, b in _paired(table, columns)]
    local = _Local(ZoneInfo(columns.time_zone))
    if columns.device is not None and columns.count is not None:
        names, values = table.column(columns.device).to_pylist(), table.column(columns.count).to_pylist()
        cells = ((row, begin, names[row], values[row]) for row, begin in enumerate(begins))
    else:
        wide = {name: table.column(name).to_pylist() for name in table.column_names if name in ours}
        cells = ((row, begin, name, found[row]) for row, begin in enumerate(begins) for name, found in wide.items())
    seen: set[tuple[str, datetime]] = set()
    for row, begin, name, value in cells:
        device = ours.get(name)
        if device is None:
            reading.n_unknown += 1
        elif value is None or not str(value).strip():
            reading.n_missing += 1
        else:
            try:
                made = _observation(device, local.moment(begin, device.device_id), str(value))
            except (AnlanError, ValueError) as fault:
                reading.faults.append(f"{path.name} row {row + 2}: {fault}")
                continue
            reading.n_doubled += (made.device_id, made.begin_at) in seen
            seen.add((made.device_id, made.begin_at))
            reading.n_observations += 1
            yield made


def _text_table(path: Path) -> pa.Table:
    try:
        with pyarrow.csv.open_csv(path) as head:
            names = head.schema.names
        as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
        return pyarrow.csv.read_csv(path, convert_options=as_text)
    except pa.ArrowInvalid as fault:
        raise BadInput(f"{path.name}", f"must be a CSV table ({fault})", "correct the file") from None


def _paired(table: pa.Table, columns: Columns) -> Iterator[tuple[str, str]]:
    if columns.time is not None:
        return ((str(t), "") for t in table.column(columns.time).to_pylist())
    if columns.date is None or columns.hour is None:
        raise BadInput("columns", "must name a time, or a date and an hour", "give time=... or date=...,hour=...")
    dates, hours = table.column(columns.date).to_pylist(), table.column(columns.hour).to_pylist()
    return ((str(d), str(h)) for d, h in zip(dates, hours, strict=True))


class _Local:
    """Local times to moments. In the hour that a clock set back makes twice, the second reading is the second hour."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._last: dict[str, datetime] = {}

    def moment(self, text: str, device_id: str) -> datetime:
        written = _written(text)
        if written.tzinfo is not None:
            return written.astimezone(UTC)
        first, second = (written.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first.astimezone(self._zone).replace(tzinfo=None) != written:
            raise BadInput(
                f"time {text.strip()!r}", f"must exist in {self._zone.key}", "the clock was set forward over it"
            )
        chosen = second if second != first and self._last.get(device_id) == first else first
        self._last[device_id] = chosen
        return chosen


def _written(text: str) -> datetime:
    day, _, hour = text.strip().partition(" ")
    found = _HOUR.match(hour)
    if found and not re.match(r"^\d{2}:\d{2}", hour):
        return datetime.fromisoformat(day) + timedelta(hours=int(found[1]), minutes=int(found[2] or 0))
    if found and "-" in hour:  # "10:00-10:59"
        return datetime.fromisoformat(f"{day} {hour.partition('-')[0]}")
    return datetime.fromisoformat(text.strip())


def _observation(device: Device, begin_at: datetime, value: str) -> Observation:
    number = float(value)
    if number != int(number):
        raise BadInput(f"count={value}", "must be a whole number of people", "correct the file")
    end_at = begin_at + timedelta(seconds=device.interval_s)
    present = int(number) if device.kind is DeviceKind.AREA else None
    if device.directed and present is None:
        raise BadInput(f"device {device.device_id!r}", "must be one that reports a single number", "send in and out")
    return Observation(
        device_id=device.device_id,
        begin_at=begin_at,
        end_at=end_at,
        sequence=int(end_at.timestamp() // device.interval_s),
        n_present=present,
        n_passed=int(number) if present is None else None,
    )
