"""What was counted and is not confirmed yet, on the disk of the edge machine."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from anlan.kernel.errors import Unavailable

MOST = 100_000
"""More than two months of minutes; the oldest go first."""


class Outbox:
    """Bodies to send, oldest first; each stays until it is confirmed. Holds numbers only.

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
        try:
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=FULL")
            self._file.execute("CREATE TABLE IF NOT EXISTS waiting (n INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)")
        except sqlite3.Error as fault:
            raise Unavailable(f"outbox {path}", f"must be writable ({fault})", "choose another with --outbox") from None

    def put(self, body: bytes) -> None:
        """Keep a body; it is on the disk when this returns."""
        with self._lock:
            self._file.execute("INSERT INTO waiting (body) VALUES (?)", (body,))
            self._file.execute("DELETE FROM waiting WHERE n <= (SELECT max(n) FROM waiting) - ?", (MOST,))

    def waiting(self, most: int) -> list[tuple[int, bytes]]:
        """Return the oldest bodies with their numbers."""
        with self._lock:
            return self._file.execute("SELECT n, body FROM waiting ORDER BY n LIMIT ?", (most,)).fetchall()

    def confirmed(self, numbers: list[int]) -> None:
        """Forget what has arrived."""
        with self._lock:
            self._file.executemany("DELETE FROM waiting WHERE n = ?", [(n,) for n in numbers])

    def __len__(self) -> int:
        with self._lock:
            (n,) = self._file.execute("SELECT count(*) FROM waiting").fetchone()
        return int(n)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()
