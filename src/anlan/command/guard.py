"""What every request passes: which hosts, which origins, how large; and how every answer is dressed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.responses import JSONResponse, Response

from anlan.kernel.errors import AnlanError, BadInput, NotAllowed
from anlan.kernel.refusals import form_of

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES = 8_000_000
DROPPED_BYTES = 256_000_000
DROPPED_S = 20.0
"""How much of a body that is too large is taken and dropped, and for how long."""
SHOWN = 80
"""Of what was sent, so much is told back."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

# MapLibre makes its worker from a blob and draws symbols from data; styles are set by script, which needs no exception.
POLICY = (
    "default-src 'self'; script-src 'self'; worker-src 'self' blob:; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
DRESS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


def told(fault: AnlanError, status: int | None = None) -> JSONResponse:
    """Return an error in the one form that every error has."""
    return JSONResponse({"error": form_of(fault)}, status_code=status or fault.http_status)


BROKEN = AnlanError("this request", "met a fault of ours", "see the server's log; nothing was half done")


class TooLarge(BadInput):
    """A body over the limit, noticed while it comes."""

    http_status = 413


class Guard:
    """Refuses foreign hosts, writes from other pages, and bodies that are too large, before anything is read.

    The server answers to this machine only; a page of another origin must not be able to write through a visitor's
    browser, nor read by naming another host. Under the names ``hosts`` it serves paths below ``prefixes``, and nothing
    else. Whatever breaks inside ends here, in the one form of an error (that of ``refusal_for``, where the path has one
    of its own), and its cause goes to the log.
    """

    def __init__(
        self,
        app: App,
        refusal_for: Callable[[Scope, AnlanError], Response | None] = lambda _scope, _fault: None,
        hosts: Collection[str] = (),
        prefixes: Collection[str] = (),
    ) -> None:
        self._app = app
        self._refusal_for = refusal_for
        self._hosts = frozenset(hosts)
        self._prefixes = tuple(prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = _Body(receive)
        answer = _Answer(send, body)
        path = scope["path"]
        named = self._hosts if any(path == one or path.startswith(f"{one}/") for one in self._prefixes) else ()
        fault = _fault(scope["method"], headers, (*LOOPBACK, *named))
        if fault is not None:
            await self._told(scope, fault)(scope, body.receive, answer.send)
            return
        try:
            await self._app(scope, body.receive, answer.send)
        except TooLarge as large:
            await self._told(scope, large)(scope, body.receive, answer.send)
        except Exception:
            log.exception("%s %s broke", scope["method"], scope["path"])
            if answer.begun:
                raise
            await self._told(scope, BROKEN)(scope, body.receive, answer.send)

    def _told(self, scope: Scope, fault: AnlanError) -> Response:
        return self._refusal_for(scope, fault) or told(fault)


class _Body:
    """Counts a body while it comes, and hands nothing on past the limit."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._n_bytes = 0
        self._ended = False

    async def receive(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._n_bytes += len(message.get("body", b""))
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        if self._n_bytes > BODY_BYTES:
            raise _too_large(self._n_bytes)
        return message

    async def drop(self) -> None:
        """Let what still comes run out, for a while: a sender cut off while it writes often never sees why."""
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DROPPED_S):
                while not self._ended and dropped < DROPPED_BYTES:
                    message = await self._receive()
                    dropped += len(message.get("body", b""))
                    self._ended = message["type"] != "http.request" or not message.get("more_body", False)


class _Answer:
    """Dresses an answer. One that says "too large" goes out at once, then the rest of the body is dropped."""

    def __init__(self, send: Send, body: _Body) -> None:
        self._send = send
        self._body = body
        self._large = False
        self.begun = False

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self._large = message["status"] == TooLarge.http_status
            own = message.get("headers", [])
            named = {name.lower() for name, _ in own}
            message["headers"] = [*own, *(one for one in DRESS if one[0] not in named)]
        elif self._large and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.drop()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def _fault(method: str, headers: dict[str, str], hosts: Collection[str]) -> AnlanError | None:
    host = headers.get("host", "").lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name not in hosts:
        return NotAllowed(
            f"host {host[:SHOWN]!r}", "must be this machine", "open http://127.0.0.1 with the server's port"
        )
    if method not in {"GET", "HEAD", "OPTIONS"} and _is_foreign(headers, host):
        origin = headers.get("origin", "another site")[:SHOWN]
        return NotAllowed(f"origin {origin!r}", "must be this server's own page", "write from the page or a program")
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > BODY_BYTES:
        return _too_large(int(length))
    return None


def _is_foreign(headers: dict[str, str], host: str) -> bool:
    """Tell whether a browser sends this for a page of another site. Programs send neither header."""
    origin = headers.get("origin")
    if origin is not None and origin.lower().partition("://")[2] != host:
        return True
    return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


def _too_large(n_bytes: int) -> TooLarge:
    return TooLarge(f"body of {n_bytes} bytes", f"must be at most {BODY_BYTES}", "split it into batches")
