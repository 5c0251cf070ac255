"""What numbers are counted from: a thing of some source that lies in an area and lasts for a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anlan.kernel.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that can be counted: a case, an incident, a shift, the households of a street.

    Parameters
    ----------
    entry_id, source : str
        Its id, unique within its source, and the source (``resident_request``, ``incident``).
    from_at, until_at : datetime
        When it began and ended; None while it lasts.
    areas : mapping
        Level to area id, top first, as far down as is known.
    values : mapping
        What it tells: choices, numbers, truths. No free text, and nothing of anybody.
    """

    entry_id: str
    source: str
    from_at: datetime
    until_at: datetime | None = None
    areas: Mapping[str, str]
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.until_at is not None and self.until_at < self.from_at:
            raise BadInput(f"until_at={self.until_at.isoformat()}", "must not be before from_at", "correct the entry")


@dataclass(frozen=True, slots=True)
class Source:
    """A part of the district that numbers are counted from, beside its cases.

    ``right`` is without which nobody is told of single entries. ``since`` tells since when they
    are kept, None where none is. ``entries`` gives those that have to do with a time from one moment to another; there
    may be others among them.
    """

    name: str
    right: str
    since: Callable[[], datetime | None]
    entries: Callable[[datetime, datetime], Iterable[Entry]]
