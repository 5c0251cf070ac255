"""Location grids: people by square, as JSON or CSV, aggregated and suppressed by whoever holds the locations.

A suppressed square is unknown, which is not zero. A holder who forgot to suppress is helped: a count above 0 and below
the device's ``suppressed_below`` is made unknown here, before it is kept. A column or field beyond those of a grid
refuses the whole message, so that no record of a single phone can come in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import numpy as np

from anlan.ingest.foreign import local_or_zoned, zone_of
from anlan.ingest.wire import FAULTS, MOST, Decoded
from anlan.kernel.errors import BadInput
from anlan.kernel.ingress import Refusal, RefusalCode
from anlan.kernel.records import Observation

COLUMNS = {"begin", "end", "column", "row", "count", "low", "high"}
MOST_SQUARES = 250_000
MOST_COUNTS = 8_000_000
"""Squares of all windows of one message together: each window has the whole grid, however few it lists."""
_SUPPRESSED = re.compile(r"|\*|null|<\s*\d+|na|nan", re.IGNORECASE)
_People = Annotated[float, msgspec.Meta(ge=0, le=MOST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFeed:
    """A grid device, the source that tells it, and its shape as in the district pack."""

    device_id: str
    source: str
    n_columns: int
    n_rows: int
    suppressed_below: int = 10
    time_zone: str | None = None
    unlisted_is_zero: bool = False

    def __post_init__(self) -> None:
        if self.n_columns < 1 or self.n_rows < 1 or self.n_columns * self.n_rows > MOST_SQUARES:
            raise BadInput(
                f"grid of {self.device_id}",
                f"must have 1 to {MOST_SQUARES} squares",
                "give the pack's columns and rows",
            )
        if self.time_zone is not None:
            zone_of(self.time_zone)


class _Square(msgspec.Struct, forbid_unknown_fields=True):
    column: int
    row: int
    count: _People | None = None
    low: _People | None = None
    high: _People | None = None


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    begin: str
    end: str
    squares: Annotated[list[_Square], msgspec.Meta(max_length=MOST_SQUARES)]


_sent = msgspec.json.Decoder(_Sent)


class LocationGrids:
    """Reads ``grid/<source>``: JSON with ``begin``, ``end`` and ``squares``, or CSV with those columns in every row.

    A square has a ``count``, or an interval ``low`` to ``high`` of which the middle is taken.

    Examples
    --------
    >>> feed = GridFeed(device_id="phones", source="holder", n_columns=2, n_rows=1)
    >>> [(_, seen)], refusals = LocationGrids([feed]).decode(
    ...     "grid/holder",
    ...     b'''{"begin": "2026-12-31T10:00:00Z", "end": "2026-12-31T10:05:00Z",
    ...          "squares": [{"column": 0, "row": 0, "count": 40}, {"column": 1, "row": 0, "count": null}]}''',
    ...     datetime(2026, 12, 31, 10, 6, tzinfo=UTC),
    ... )
    >>> seen.counts
    array([40., nan])
    """

    topics = ("grid/#",)

    def __init__(self, feeds: Iterable[GridFeed]) -> None:
        self._feeds = {feed.source: feed for feed in feeds}

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Return one observation for each window of the message."""
        feed = self._feeds.get(topic.partition("/")[2])
        if feed is None:
            message = "source must be one of the adapters file under format grid; add it there."
            return [], [Refusal(code=RefusalCode.UNKNOWN_DEVICE, message=message)]
        try:
            whole = payload.lstrip()[:1] in (b"{", b"[")
            windows = [_sent.decode(payload)] if whole else list(_of_csv(payload))
            _check_number(len(windows), feed)
            return [(k, _observation(feed, sent, received_at)) for k, sent in enumerate(windows)], []
        except BadInput as fault:
            message = str(fault)
        except (*FAULTS, ValueError, csv.Error):
            message = (
                "grid must have begin, end, and squares with column, row, count (or low and high), and nothing else; "
                "see docs/connect.md."
            )
        return [], [Refusal(code=RefusalCode.MALFORMED, message=message, device_id=feed.device_id)]


def _check_number(n_windows: int, feed: GridFeed) -> None:
    most = MOST_COUNTS // (feed.n_columns * feed.n_rows)
    if n_windows > most:
        raise BadInput(f"{n_windows} windows of {feed.device_id}", f"must be at most {most} in a message", "split it")


def _of_csv(payload: bytes) -> Iterator[_Sent]:
    rows = csv.DictReader(io.StringIO(payload.decode("utf-8-sig")), strict=True)
    names = set(rows.fieldnames or ())
    doubled = len(names) < len(rows.fieldnames or ())
    if doubled or not {"begin", "end", "column", "row"} <= names <= COLUMNS or not names & {"count", "low"}:
        raise BadInput(
            "columns of the grid",
            "must be begin, end, column, row and count (or low and high), and no other",
            "aggregate with 'anlan grid' where the locations are held",
        )
    windows: dict[tuple[str, str], list[_Square]] = {}
    for row in rows:
        if None in row or None in row.values():
            raise BadInput("a row of the grid", "must have as many fields as the heading", "write it again")
        square = _Square(
            int(row["column"]), int(row["row"]), _number(row, "count"), _number(row, "low"), _number(row, "high")
        )
        windows.setdefault((row["begin"], row["end"]), []).append(square)
    if not windows:
        raise BadInput("grid", "must have a row for a square", "send none where there is no window")
    for (begin, end), squares in windows.items():
        yield _Sent(begin, end, squares)


def _number(row: dict[str, str], name: str) -> float | None:
    text = row.get(name, "").strip()
    if _SUPPRESSED.fullmatch(text):
        return None
    number = float(text)
    if not 0 <= number <= MOST:
        raise BadInput(f"{name} of a square", "must be people, 0 or more", "leave it blank where suppressed")
    return number


def _observation(feed: GridFeed, sent: _Sent, received_at: datetime) -> Observation:
    counts = np.full(feed.n_columns * feed.n_rows, 0.0 if feed.unlisted_is_zero else np.nan)
    listed = bytearray(len(counts))
    for square in sent.squares:
        if not (0 <= square.column < feed.n_columns and 0 <= square.row < feed.n_rows):
            raise BadInput(
                f"a square of {feed.device_id}",
                f"must be within {feed.n_columns} columns x {feed.n_rows} rows",
                "send the pack's grid; another size, projection or origin is another device",
            )
        number = square.row * feed.n_columns + square.column
        if listed[number]:
            raise BadInput(
                f"a square of {feed.device_id}",
                "must be listed once in a window",
                "add up who is counted apart before it is suppressed",
            )
        listed[number] = True
        counts[number] = _people(square, feed.suppressed_below)
    begin_at, end_at = (_moment(text, feed, received_at) for text in (sent.begin, sent.end))
    return Observation(
        device_id=feed.device_id,
        begin_at=begin_at,
        end_at=end_at,
        sequence=max(0, int(end_at.timestamp())),
        counts=counts,
    )


def _people(square: _Square, suppressed_below: int) -> float:
    number = square.count
    if number is None and square.low is not None and square.high is not None:
        if square.high < square.low:
            raise BadInput("interval of a square", "must have low <= high", "correct the interval")
        number = (square.low + square.high) / 2
    if number is None or 0 < number < suppressed_below:
        return np.nan
    return number


def _moment(text: str, feed: GridFeed, received_at: datetime) -> datetime:
    at = local_or_zoned(text)
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    if feed.time_zone is None:
        raise BadInput(
            f"a time without zone of {feed.device_id}",
            "must have the zone of the feed",
            'write the offset, or add time_zone = "Asia/Shanghai", or its own, in the adapters file',
        )
    both = [at.replace(tzinfo=zone_of(feed.time_zone), fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(both, key=lambda one: abs(one - received_at))
