"""The port of records: current state and the log that explains it, changed together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from anlan.kernel.records import Change, Draft, Json, Record

GENESIS = "0" * 64
"""The hash before the first change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Whether the log is whole. ``broken_at`` is the first change that does not fit, or None."""

    n_changes: int
    ok: bool
    broken_at: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """One thing to keep out of the log, or to forget (``body`` None). ``forget_at`` None: until somebody says so."""

    kind: str
    key: str
    body: Json | None
    forget_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing that is kept."""

    kind: str
    key: str
    body: Json
    forget_at: datetime | None


class Store(Protocol):
    """Records with an append-only, hash-chained log. Both change in one transaction, or neither."""

    def apply(self, drafts: Sequence[Draft], *, at: datetime, keeping: Sequence[Keeping] = ()) -> tuple[Change, ...]:
        """Write every draft, or none; refuse with Conflict where a record has moved on since it was read."""
        ...

    def kept(self, kind: str, key: str | None = None) -> list[Kept]:
        """Return what is kept beside the log."""
        ...

    def keep(self, keeping: Sequence[Keeping]) -> None:
        """Keep or forget without a line in the log: all of it, or nothing."""
        ...

    def forget_due(self, at: datetime) -> list[Kept]:
        """Forget whatever is due; return what it was."""
        ...

    def record(self, kind: str, record_id: str) -> Record:
        """Return the current record; NotFound where none lives."""
        ...

    def records(self, kind: str) -> list[Record]:
        """Return the living records of a kind, by id."""
        ...

    def changes(self, after: int = 0, limit: int = 1000, kind: str | None = None) -> list[Change]:
        """Return changes behind a change id, oldest first."""
        ...

    def verify(self) -> Audit:
        """Recompute the chain and the current state from the log."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


def canonical(body: Json | None) -> str:
    """Return the one text of a JSON value: sorted keys, no spaces, characters as they are."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def change_hash(previous_hash: str, parts: Sequence[str]) -> str:
    """Return the hash of a change: SHA-256 over the hash before it and its parts, each with its length.

    Examples
    --------
    >>> change_hash(GENESIS, ("a", "bc")) == change_hash(GENESIS, ("ab", "c"))
    False
    """
    digest = hashlib.sha256(previous_hash.encode())
    for part in parts:
        written = part.encode()
        digest.update(len(written).to_bytes(8, "big"))
        digest.update(written)
    return digest.hexdigest()
