"""What every request passes: which hosts, which origins, how large; and how every answer is dressed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from anlan.kernel.errors import AnlanError, BadInput, NotAllowed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES = 8_000_000
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

# MapLibre makes its worker from a blob and sizes its canvas by style attributes; nothing else is let in from anywhere.
POLICY = (
    "default-src 'self'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
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
    content = {
        "code": fault.code,
        "value": fault.value,
        "rule": fault.rule,
        "next_step": fault.next_step,
        "message": str(fault),
    }
    return JSONResponse({"error": content}, status_code=status or fault.http_status)


class TooLarge(BadInput):
    """A body over the limit, noticed while it comes."""

    http_status = 413


class Guard:
    """Refuses foreign hosts, writes from other pages, and bodies that are too large, before anything is read.

    There is no sign-in yet, so the server answers to this machine only; a page of another origin must not be able to
    write through a visitor's browser, nor read by naming another host.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        fault = _fault(scope["method"], headers)
        if fault is not None:
            await told(fault)(scope, receive, _dressed(send))
            return
        seen = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > BODY_BYTES:
                raise _too_large(seen)
            return message

        try:
            await self._app(scope, counted, _dressed(send))
        except TooLarge as large:
            await told(large)(scope, receive, _dressed(send))


def _fault(method: str, headers: dict[str, str]) -> AnlanError | None:
    host = headers.get("host", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name not in LOOPBACK:
        return NotAllowed(f"host {host!r}", "must be this machine", "open http://127.0.0.1 with the server's port")
    origin = headers.get("origin")
    if method not in {"GET", "HEAD", "OPTIONS"} and origin is not None and urlsplit(origin).netloc != host:
        return NotAllowed(f"origin {origin!r}", "must be this server's own page", "write from the page or a program")
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > BODY_BYTES:
        return _too_large(int(length))
    return None


def _too_large(n_bytes: int) -> TooLarge:
    return TooLarge(f"body of {n_bytes} bytes", f"must be at most {BODY_BYTES}", "split it into batches")


def _dressed(send: Send) -> Send:
    async def with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *DRESS]
        await send(message)

    return with_headers
