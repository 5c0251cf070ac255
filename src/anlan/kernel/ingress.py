"""What becomes of an observation at the door, and the tally that is kept of it for each device."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from anlan.kernel.records import Observation


class Verdict(StrEnum):
    """What became of an observation that was taken."""

    ACCEPTED = "accepted"
    """Committed, in time and in order."""
    LATE = "late"
    """Committed, but it came after its minute was estimated; the next step uses it."""
    OUT_OF_ORDER = "out_of_order"
    """Committed, but its window ends before one that the device sent earlier."""
    DUPLICATE = "duplicate"
    """Committed before; not stored again."""


class RefusalCode(StrEnum):
    """Why an observation was not taken."""

    MALFORMED = "malformed"
    UNKNOWN_DEVICE = "unknown_device"
    WRONG_KIND = "wrong_kind"
    FUTURE = "future"
    TOO_OLD = "too_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An observation that was not taken. The message names fields, never the content of an unknown one.

    ``index`` is its place in the batch; ``device_id`` is None where it could not be read or is not in the pack.
    """

    code: RefusalCode
    message: str
    index: int = 0
    device_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one batch. It exists only after the commit."""

    n_accepted: int = 0
    n_late: int = 0
    n_out_of_order: int = 0
    n_duplicate: int = 0
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one device has sent so far. The counts of a batch stand for good once it is committed.

    ``n_accepted`` counts everything committed, the late and out-of-order ones among it.
    """

    device_id: str
    n_accepted: int = 0
    n_late: int = 0
    n_out_of_order: int = 0
    n_duplicate: int = 0
    n_refused: int = 0
    refused_by_code: dict[str, int] = field(default_factory=dict)
    last_end_at: datetime | None = None
    """End of the newest window it reported."""
    last_received_at: datetime | None = None
    last: Observation | None = None
    """The newest observation by its window."""
