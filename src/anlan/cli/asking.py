"""Where the terminal's answers come from: a running server, or the district's folder itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from anlan.cli.terminal import key_for
from anlan.kernel.errors import KINDS, AnlanError, BadInput, NotAllowed, Unavailable

USUAL = "http://127.0.0.1:8000"


class Server:
    """A running server, asked by HTTP."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"url={url!r}", "must begin with http:// or https://", "correct it")
        self.url = url.rstrip("/")

    def ask(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """Return the JSON of an answer; an error comes as the error it was."""
        packed = None if body is None else json.dumps(body).encode()
        return json.loads(self._open(path, packed, "application/json", method))

    def send(self, path: str, content: bytes) -> Any:
        """Send bytes as they are; return the JSON of the answer."""
        return json.loads(self._open(path, content, "application/octet-stream", "POST"))

    def fetch(self, path: str) -> bytes:
        """Return an answer that is not JSON."""
        return self._open(path, None, "application/json", None)

    def local(self, moment: str | None, form: str = "%Y-%m-%d %H:%M") -> str:
        """Return a moment as the district's clocks show it; a dash for none."""
        return "—" if moment is None else datetime.fromisoformat(moment).astimezone(self._zone).strftime(form)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.ask("/district")["time_zone"])

    def _open(self, path: str, content: bytes | None, media_type: str, method: str | None) -> bytes:
        key = key_for(self.url)
        headers = {"content-type": media_type} | ({"authorization": f"Bearer {key}"} if key else {})
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self.url}/api/v1{path}", data=content, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
                made: bytes = answer.read()
                return made
        except urllib.error.HTTPError as fault:
            raise _told(fault.read()) from None
        except OSError as fault:
            raise Unavailable(
                f"server {self.url}",
                f"must be reachable ({getattr(fault, 'reason', fault)})",
                "start it, or give --url",
            ) from None


def _told(body: bytes) -> AnlanError:
    try:
        told = json.loads(body)["error"]
    except (ValueError, KeyError):
        return Unavailable("the server", "must answer in Anlan's form", "check --url")
    if told["code"] == "not_signed_in":
        return NotAllowed(told["value"], told["rule"], "set ANLAN_KEY to a key: anlan staff key, where the server runs")
    kind = next((kind for kind in KINDS if kind.code == told["code"]), AnlanError)
    return kind(told["value"], told["rule"], told["next_step"])


def polygon_of(path: Path, name: str = "polygon") -> Any:
    """Return the GeoJSON in a file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise BadInput(f"{name}={path}", f"must be a readable file ({fault.strerror})", "correct the path") from None
    except ValueError as fault:
        raise BadInput(f"{name}={path}", f"must hold GeoJSON ({fault})", "correct the file") from None


def line_of(text: str) -> Any:
    """Return the GeoJSON of a line written as ``lon,lat lon,lat ...``, or in a file.

    Examples
    --------
    >>> line_of("121.49,31.24 121.491,31.24")
    {'type': 'LineString', 'coordinates': [[121.49, 31.24], [121.491, 31.24]]}
    """
    try:
        points = [[float(number) for number in point.split(",")] for point in text.split()]
    except ValueError:
        return polygon_of(Path(text), "line")
    if len(points) < 2 or any(len(point) != 2 for point in points):
        raise BadInput(f"line={text!r}", "must be two points or more", "write it like 121.490,31.240 121.491,31.240")
    return {"type": "LineString", "coordinates": points}
