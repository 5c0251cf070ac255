"""Observations from tables (CSV, Parquet) and to them: recordings, and what other systems export."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from anlan.ingest.wire import MOST
from anlan.kernel.clock import FIRST_YEAR, LAST_YEAR
from anlan.kernel.errors import AnlanError, BadInput, NotFound
from anlan.kernel.records import Device, DeviceKind, Observation

_SCALARS = ("n_in", "n_out", "n_passed", "n_present")
_RECORDED = {"device_id", "begin_at", "end_at", "sequence", *_SCALARS, "counts"}
_HOUR = re.compile(r"^(?P<day>\S+) (?P<hour>\d{1,2})(:(?P<minute>\d{2}))?( ?[-–] ?\d{1,2}:\d{2})?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How a foreign table tells time, device and count.

    A long table names the device in one column (``device``) and its count in another (``count``, or ``n_in`` and
    ``n_out``); in a wide one each device has a column of its own (none of these is given). Time is the beginning of
    the window, in ``time`` or in ``date`` and ``hour`` ("6", "6:00", "6:00-6:59") together, local to ``time_zone``
    unless it carries its own offset.
    """

    time: str | None = None
    date: str | None = None
    hour: str | None = None
    device: str | None = None
    count: str | None = None
    n_in: str | None = None
    n_out: str | None = None
    time_zone: str = "UTC"

    @property
    def asked(self) -> list[str]:
        """The columns that the table must have."""
        named = (self.time, self.date, self.hour, self.device, self.count, self.n_in, self.n_out)
        return [name for name in named if name is not None]

    @property
    def values(self) -> list[str]:
        """The columns of counts of a long table; none of a wide one."""
        return [name for name in (self.count, self.n_in, self.n_out) if name is not None]


@dataclass(slots=True)
class Reading:
    """What a table held beside its observations. Filled while it is read."""

    n_observations: int = 0
    n_missing: int = 0
    """Blank counts: not zero, not anything."""
    n_unknown: int = 0
    """Counts of devices that the district does not have."""
    n_doubled: int = 0
    """A device and window that came before in the file; the door takes the first of them."""
    n_ambiguous: int = 0
    """Counts in an hour that the clock, set back, showed twice: a device's first is taken for the first of the two."""
    n_impossible: int = 0
    """Counts in an hour that the clock, set forward, never showed: not taken, and among the faults."""
    faults: list[str] = field(default_factory=list)
    """What could not be taken, with row and next step."""


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
    """Read observations from a recording (Parquet) or, with ``columns``, from a foreign table (CSV, Parquet).

    Parameters
    ----------
    path : Path
        The file.
    devices : sequence of Device
        Of the district. A foreign table may call them by id or by a name in any language.
    columns : Columns, optional
        How the foreign table is laid out; needed for CSV.
    reading : Reading, optional
        Receives what was missing, unknown, doubled, ambiguous or faulty.

    Raises
    ------
    NotFound
        If there is no such file.
    BadInput
        If a column is missing, or the file is neither CSV nor Parquet. A faulty row is told in ``reading``.
    """
    if not path.is_file():
        raise NotFound(f"file {path}", "does not exist", "correct the path")
    reading = reading if reading is not None else Reading()
    if columns is None and path.suffix != ".parquet":
        raise BadInput(
            f"{path.name}", "must be described by its columns", "give --columns time=...,device=...,count=..."
        )
    try:
        yield from _recorded(path, reading) if columns is None else _foreign(path, devices, columns, reading)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as fault:
        told = str(fault).splitlines()[0]
        raise BadInput(f"{path.name}", f"must be a table of CSV or Parquet ({told})", "correct the file") from None


def _recorded(path: Path, reading: Reading) -> Iterator[Observation]:
    with pyarrow.parquet.ParquetFile(path) as table:
        if absent := _RECORDED - set(table.schema_arrow.names):
            raise BadInput(
                f"{path.name} without {min(absent)!r}", "must be a recording of Anlan's", "describe it with --columns"
            )
        row_number = 0
        for batch in table.iter_batches(10_000, columns=sorted(_RECORDED)):
            for row in batch.to_pylist():
                row_number += 1
                if row["counts"] is not None:
                    row["counts"] = np.array(row["counts"], float)
                try:
                    made = Observation(**row)
                except (AnlanError, TypeError, AttributeError) as fault:
                    reading.faults.append(f"{path.name} row {row_number}: {fault}")
                else:
                    reading.n_observations += 1
                    yield made


def _foreign(path: Path, devices: Sequence[Device], columns: Columns, reading: Reading) -> Iterator[Observation]:
    table = _text_table(path)
    if absent := [name for name in columns.asked if name not in table.column_names]:
        raise BadInput(
            f"{path.name} column {absent[0]!r}", f"must be one of {', '.join(table.column_names)}", "correct --columns"
        )
    ours = _by_name(devices)
    local = _Local(columns.time_zone, reading)
    seen: set[tuple[str, int]] = set()
    for row, begin, name, values in _cells(table, columns, ours, reading):
        device = ours.get(name)
        if name in ours and device is None:
            reading.faults.append(
                f"{path.name} row {row + 2}: device {name!r} must be one of its name; call it by its id."
            )
        elif device is None:
            reading.n_unknown += 1
        elif any(value is None or not value.strip() for value in values):
            reading.n_missing += 1
        else:
            try:
                made = _observation(device, local.moment(begin, device.device_id), [_whole(v) for v in values])
            except AnlanError as fault:
                reading.faults.append(f"{path.name} row {row + 2} ({device.device_id}): {fault}")
                continue
            key = (made.device_id, made.sequence)
            reading.n_doubled += key in seen
            seen.add(key)
            reading.n_observations += 1
            yield made


def _by_name(devices: Sequence[Device]) -> dict[str, Device | None]:
    """Return the devices by id and by every name that only one has; None for a name that several share."""
    found: dict[str, Device | None] = {}
    for device in devices:
        for name in set(device.name.values()):
            found[name] = None if name in found else device
    return found | {device.device_id: device for device in devices}


_Cell = tuple[int, str, str, Sequence[str | None]]


def _cells(table: pa.Table, columns: Columns, ours: Mapping[str, Device | None], reading: Reading) -> Iterator[_Cell]:
    """Return row, time, device and values of each count, of a long table or a wide one."""
    begins = _begins(table, columns)
    if columns.device is not None:
        if columns.values not in ([columns.count], [columns.n_in, columns.n_out]):
            raise BadInput("columns", "must name a count, or n_in and n_out, beside the device", "give count=...")
        names = table.column(columns.device).to_pylist()
        values = [table.column(name).to_pylist() for name in columns.values]
        for row, (begin, name, *counts) in enumerate(zip(begins, names, *values, strict=True)):
            yield row, begin, name, counts
        return
    wide = [name for name in table.column_names if name in ours]
    if not wide:
        raise BadInput("columns", "must name a device and a count, or be named after devices", "correct --columns")
    reading.faults += [
        f"column {name!r} must be a device of the district; it was passed over."
        for name in table.column_names
        if name not in ours and name not in columns.asked
    ]
    counts = [table.column(name).to_pylist() for name in wide]
    for row, (begin, *values) in enumerate(zip(begins, *counts, strict=True)):
        for name, value in zip(wide, values, strict=True):
            yield row, begin, name, (value,)


def _text_table(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        table = pyarrow.parquet.read_table(path)
        as_text = [
            pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string()) for column in table
        ]
        return pa.table(as_text, names=table.column_names)
    with pyarrow.csv.open_csv(path) as head:
        names = head.schema.names
    if len(set(names)) < len(names):
        raise BadInput(f"{path.name}", "must have a name of its own for each column", "rename the doubled one")
    as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
    return pyarrow.csv.read_csv(path, convert_options=as_text)


def _begins(table: pa.Table, columns: Columns) -> list[str]:
    if columns.time is not None:
        return [str(told) for told in table.column(columns.time).to_pylist()]
    if columns.date is None or columns.hour is None:
        raise BadInput("columns", "must name a time, or a date and an hour", "give time=... or date=...,hour=...")
    dates, hours = table.column(columns.date).to_pylist(), table.column(columns.hour).to_pylist()
    return [f"{on} {hour}" for on, hour in zip(dates, hours, strict=True)]


class _Local:
    """Local times to moments. In the hour that a clock set back shows twice, the second reading is the second hour."""

    def __init__(self, time_zone: str, reading: Reading) -> None:
        try:
            self._zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadInput(
                f"time_zone={time_zone!r}", "must be an IANA time zone", "write it like Asia/Shanghai"
            ) from None
        self._reading = reading
        self._last: dict[str, datetime] = {}
        self._read: tuple[str, tuple[datetime, datetime | None]] | None = (
            None  # a wide row has one time for many counts
        )

    def moment(self, text: str, device_id: str) -> datetime:
        if self._read is None or text != self._read[0]:
            self._read = (text, self._both(text))
        first, second = self._read[1]
        if second is None:
            chosen = first
        elif second < first:
            self._reading.n_impossible += 1
            raise BadInput(
                f"time {text.strip()!r}", f"must exist in {self._zone.key}", "the clock was set forward over it"
            )
        else:
            self._reading.n_ambiguous += 1
            chosen = second if self._last.get(device_id) == first else first
        self._last[device_id] = chosen
        return chosen

    def _both(self, text: str) -> tuple[datetime, datetime | None]:
        """Return the moment, and another where the clock was set: later if it was set back, earlier if forward."""
        written = _written(text)
        if not FIRST_YEAR <= written.year <= LAST_YEAR:
            raise BadInput(
                f"time {text.strip()!r}", f"must be of the years {FIRST_YEAR} to {LAST_YEAR}", "correct the file"
            )
        if written.tzinfo is not None:
            return written.astimezone(UTC), None
        first, second = (written.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return first, None if second == first else second


def _written(text: str) -> datetime:
    found = _HOUR.match(text.strip())
    try:
        if found is None:
            return datetime.fromisoformat(text.strip())
        since = timedelta(hours=int(found["hour"]), minutes=int(found["minute"] or 0))
        begins = datetime.combine(date.fromisoformat(found["day"]), time.min)
    except (ValueError, OverflowError):
        raise BadInput(f"time {text.strip()!r}", "must be a date and time", "write it like 2012-12-31 23:00") from None
    if int(found["minute"] or 0) > 59 or since > timedelta(hours=24):
        raise BadInput(f"time {text.strip()!r}", "must be an hour of the day, 0:00 to 24:00", "correct the file")
    return begins + since


def _whole(value: str | None) -> int:
    number = float("nan")
    with contextlib.suppress(TypeError, ValueError):
        number = float(value)  # type: ignore[arg-type]  # None is a TypeError, which is meant
    if not 0 <= number <= MOST or number != int(number):
        raise BadInput(f"count={value!r}", f"must be a whole number of people, 0 to {MOST}", "correct the file")
    return int(number)


def _observation(device: Device, begin_at: datetime, values: Sequence[int]) -> Observation:
    end_at = begin_at + timedelta(seconds=device.interval_s)
    pair = device.kind in {DeviceKind.GATE, DeviceKind.ROAD} or (device.kind is DeviceKind.PASSAGE and device.directed)
    asked = "in a recording" if device.kind is DeviceKind.GRID else "by n_in and n_out" if pair else "by a count"
    if device.kind is DeviceKind.GRID or pair != (len(values) == 2):
        raise BadInput(f"device {device.device_id!r}", f"must be told {asked}", "correct --columns")
    return Observation(
        device_id=device.device_id,
        begin_at=begin_at,
        end_at=end_at,
        sequence=max(0, int(end_at.timestamp() // device.interval_s)),
        n_in=values[0] if pair else None,
        n_out=values[1] if pair else None,
        n_present=values[0] if device.kind is DeviceKind.AREA else None,
        n_passed=values[0] if device.kind is not DeviceKind.AREA and not pair else None,
    )
