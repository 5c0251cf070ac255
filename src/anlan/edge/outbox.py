"""What was counted and is not confirmed yet, on the disk of the edge machine."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from pathlib import Path

from anlan.kernel.errors import Unavailable

log = logging.getLogger(__name__)

MOST = 100_000
"""More than two months of minutes; the oldest go first."""


class Outbox:
    """Bodies to send, oldest first; each stays until it is confirmed. Holds numbers only.

    A full disk neither ends the counting nor what is sent: bodies that it refuses wait in memory, and are written as
    soon as it takes them.

    Raises
    ------
    Unavailable
        If the file cannot be opened or written at the start.

    Examples
    --------
    >>> outbox = Outbox(Path(":memory:"))
    >>> outbox.put(b"first"); outbox.put(b"second")
    >>> outbox.waiting(10)
    [(1, b'first'), (2, b'second')]
    >>> outbox.confirmed([1]); len(outbox)
    1
    >>> outbox.close()
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._refused: deque[tuple[int, bytes]] = deque(maxlen=MOST)  # by the disk, newer than all that is on it
        self._gone: set[int] = set()  # confirmed, and not yet taken off the disk
        try:
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=FULL")
            self._file.execute("CREATE TABLE IF NOT EXISTS waiting (n INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)")
            (newest,) = self._file.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()
        except sqlite3.Error as fault:
            raise Unavailable(f"outbox {path}", f"must be writable ({fault})", "choose another with --outbox") from None
        self._newest = int(newest)

    def put(self, body: bytes) -> None:
        """Keep a body; it is on the disk when this returns, or in memory where the disk refuses it."""
        with self._lock:
            self._newest += 1
            self._refused.append((self._newest, body))
            self._write()

    def waiting(self, most: int) -> list[tuple[int, bytes]]:
        """Return the oldest bodies with their numbers."""
        with self._lock:
            asked = ("SELECT n, body FROM waiting ORDER BY n LIMIT ?", (most + len(self._gone),))
            kept = [(n, body) for n, body in self._file.execute(*asked) if n not in self._gone]
            return [*kept, *self._refused][:most]

    def confirmed(self, numbers: list[int]) -> None:
        """Forget what has arrived."""
        with self._lock:
            gone = set(numbers)
            on_disk = gone - {n for n, _ in self._refused}
            self._refused = deque((one for one in self._refused if one[0] not in gone), MOST)
            self._gone |= on_disk
            self._write()

    def __len__(self) -> int:
        with self._lock:
            (n,) = self._file.execute("SELECT count(*) FROM waiting").fetchone()
            return int(n) - len(self._gone) + len(self._refused)

    def close(self) -> None:
        """Let go of the file; tell what the disk has not taken to the last."""
        with self._lock:
            self._write()
            if self._refused:
                log.error("%d counts were not sent, and %s could not be written: lost", len(self._refused), self._path)
            self._file.close()

    def _write(self) -> None:
        """Bring the disk up to date, whole or not at all; what it refuses is tried again next time."""
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT INTO waiting (n, body) VALUES (?, ?)", self._refused)
            self._file.executemany("DELETE FROM waiting WHERE n = ?", [(n,) for n in self._gone])
            self._file.execute("DELETE FROM waiting WHERE n <= ?", (self._newest - MOST,))
            self._file.execute("COMMIT")
        except sqlite3.Error as fault:
            if len(self._refused) in {1, 100, 10_000}:
                log.warning("%s must be writable (%s); counts wait in memory: make room", self._path, fault)
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
        else:
            self._refused.clear()
            self._gone.clear()
