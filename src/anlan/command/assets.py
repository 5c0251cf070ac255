"""The files of the built page: packed when they were built, and kept by browsers for as long as they hold."""

from __future__ import annotations

import mimetypes
import os
from os import PathLike
from pathlib import Path

from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Scope

HASHED = "/assets/"
"""Under it a file's name holds a hash of what is in it: another content has another name."""
FOR_GOOD, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"


class Assets(StaticFiles):
    """Serves files, those that lie packed beside themselves (``name.js.gz``) as they lie there.

    Packing them for each who asks takes 60 ms of the processor that makes the minutes. Whoever cannot
    unpack gets them plain. A browser keeps a file with a hash in its name for good, and asks whether any other is new.
    """

    def file_response(
        self, full_path: str | PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the file, or that it is not new."""
        asked, file, found = Headers(scope=scope), Path(full_path), stat_result
        headers = {
            "cache-control": FOR_GOOD if HASHED in scope["path"] else ASK_AGAIN,
            "vary": "accept-encoding",
        }
        kind, _ = mimetypes.guess_type(file)
        packed = file.with_name(f"{file.name}.gz")
        if "gzip" in asked.get("accept-encoding", "") and "range" not in asked and packed.is_file():
            file, found = packed, packed.stat()
            headers["content-encoding"] = "gzip"
        made = FileResponse(file, status_code, headers, kind, stat_result=found)
        return NotModifiedResponse(made.headers) if self.is_not_modified(made.headers, asked) else made
