"""Files that come with cases, each under the SHA-256 of its content, until the case that took it is forgotten."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import sqlalchemy as sa
from PIL import Image, ImageOps

from anlan.kernel.clock import Clock
from anlan.kernel.errors import BadInput, NotFound
from anlan.store import SqlStore, casebook
from anlan.store.casebook import Row

MOST_BYTES = 7_500_000
"""The largest file; the server takes no body beyond 8,000,000."""
MOST_PIXELS = 60_000_000
"""A small file may hold a picture that fills the memory."""
WAITS = timedelta(days=1)
"""How long a file waits for a case to take it."""
STARTS = {
    b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"%PDF-": "application/pdf",
    b"PK\x03\x04": "application/zip",
}  # fmt: skip
"""What a file may be, by how it begins; office documents are zips."""


class FileRoom:
    """The folder of files. A file belongs to one case, so that none outlives what it was told for."""

    def __init__(self, folder: Path, store: SqlStore, clock: Clock) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock

    def put(self, content: bytes, actor_id: str) -> str:
        """Keep a file until a case takes it; return its digest.

        Raises
        ------
        BadInput
            If it is empty, too large, or of a kind that is not taken.
        """
        if not 0 < len(content) <= MOST_BYTES:
            raise BadInput(f"file of {len(content)} bytes", f"must have 1 to {MOST_BYTES}", "make it smaller")
        media = next((media for start, media in STARTS.items() if content.startswith(start)), None)
        if media is None:
            rule = "must be PNG, JPEG, PDF or an office document"
            raise BadInput(f"file that begins {content[:8]!r}", rule, "convert it")
        if media in {"image/png", "image/jpeg"}:
            content = strip_image(content, media)
        digest, at = hashlib.sha256(content).hexdigest(), self._clock.now()

        row = {
            "digest": digest, "case_no": 0, "put_at": casebook.micros(at), "n_bytes": len(content),
            "actor_id": actor_id, "media_type": media,
        }  # fmt: skip

        with self._store.writing() as connection:
            self._store_bytes(digest, content)
            if not any(_waits_for(one, actor_id) for one in casebook.files_of(connection, digest)):
                casebook.put_file(connection, row)
        return digest

    def take(self, connection: sa.Connection, digests: Iterable[str], number: int, actor_id: str) -> None:
        """Let a case take files, within the transaction of its step.

        Raises
        ------
        NotFound
            If a file is not stored, or was stored by somebody else.
        """
        for digest in set(digests):
            rows = casebook.files_of(connection, digest)
            if any(one["case_no"] == number for one in rows):
                continue
            if not any(_waits_for(one, actor_id) for one in rows):
                raise NotFound(f"file {digest[:12]}", "is not stored by you", "send the file first")
            casebook.take_file(connection, digest, actor_id, number)

    def read(self, digest: str, number: int) -> tuple[bytes, str]:
        """Return a file of a case, and its media type; NotFound where that case has none of that digest."""
        with self._store.reading() as connection:
            row = next((one for one in casebook.files_of(connection, digest) if one["case_no"] == number), None)
        if row is None:
            raise NotFound(f"file {digest[:12]!r}", "does not exist in this case", "see its history")
        try:
            return self._path(digest).read_bytes(), str(row["media_type"])
        except FileNotFoundError:
            raise NotFound(f"file {digest[:12]!r}", "has gone from the folder", "restore it from a copy") from None

    def remove(self, digests: Iterable[str]) -> None:
        """Take files away that were forgotten."""
        for digest in digests:
            self._path(digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Take away what no case took in time, and what a kill left."""
        at = self._clock.now()
        with self._store.writing() as connection:
            gone = casebook.unclaimed(connection, at - WAITS)
        self.remove(gone)
        with self._store.reading() as connection:
            known = casebook.file_digests(connection)
        for path in self._folder.glob("*/*") if self._folder.is_dir() else ():
            if path.name not in known and self._is_old(path):
                path.unlink(missing_ok=True)

    def _is_old(self, path: Path) -> bool:
        """Tell whether a file without a row is a remnant, and not one whose row is being written just now."""
        with suppress(FileNotFoundError):
            return time.time() - path.stat().st_mtime > WAITS.total_seconds()
        return False

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def _store_bytes(self, digest: str, content: bytes) -> None:
        path = self._path(digest)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix="part-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _waits_for(row: Row, actor_id: str) -> bool:
    return bool(row["case_no"] == 0 and row["actor_id"] == actor_id)


def strip_image(content: bytes, media: str) -> bytes:
    """Return a picture without what the camera wrote beside it: where, when, and by which device it was taken."""
    try:
        with Image.open(BytesIO(content)) as image:
            if image.width * image.height > MOST_PIXELS:
                told = f"picture of {image.width} x {image.height}"
                raise BadInput(told, f"must have at most {MOST_PIXELS} pixels", "shrink it")
            upright = ImageOps.exif_transpose(image)
            bare = Image.new(upright.mode, upright.size)
            bare.paste(upright)
            if upright.mode == "P":
                bare.putpalette(upright.getpalette() or [])
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:
        raise BadInput(f"picture of {len(content)} bytes", f"must be readable ({fault})", "save it again") from None
    written = BytesIO()
    bare.save(written, "PNG" if media == "image/png" else "JPEG", **({} if media == "image/png" else {"quality": 90}))
    return written.getvalue()
