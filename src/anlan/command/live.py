"""The live feed: one message to every screen, in order, without a gap after a cut (server-sent events)."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

RING = 600
"""Messages kept for screens that come back: ten hours of minutes live, one hour at ten times the speed."""
WAITING = 64
"""Messages that may wait for one slow screen; then it is told to read everything anew."""
HEARTBEAT_S = 15.0

_HEARTBEAT = b": alive\n\n"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one screen may see.

    ``part`` returns its part of a message's content, None where nothing; ``still`` tells whether it may listen at all.
    """

    part: Callable[[str, Any], Any | None]
    still: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Message:
    """One message, written once for all who may see the whole of it."""

    message_id: int | None
    kind: str
    content: Any
    text: bytes

    def for_screen(self, seen: Seen | None) -> bytes:
        """Return it as a screen may see it; nothing where it may not."""
        if seen is None:
            return self.text
        part = seen.part(self.kind, self.content)
        if part is None:
            return b""
        return self.text if part is self.content else _text(self.kind, part, self.message_id)


@dataclass(slots=True, eq=False)
class Client:
    """One screen that listens. ``woken`` is set whenever there is something to do."""

    first: list[bytes]
    seen_id: int
    seen: Seen | None = None
    waiting: deque[bytes] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    left: bool = False

    def leave(self) -> None:
        """End this screen's stream."""
        self.left = True
        self.woken.set()


class Hub:
    """Hands each message to every client. Any thread may publish; clients are served in the server's loop.

    Ids grow over restarts too (they begin at the time of the start in milliseconds), so an id from an earlier run is
    never taken for one of this run.
    """

    def __init__(self, *, ring: int = RING, waiting: int = WAITING, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._last_id = time.time_ns() // 1_000_000
        self._ids = itertools.count(self._last_id + 1)
        self._ring: deque[Message] = deque(maxlen=ring)
        self._newest: dict[str, Message] = {}
        self._lock = threading.Lock()
        self._clients: set[Client] = set()
        self._limit = waiting
        self._heartbeat_s = heartbeat_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def n_clients(self) -> int:
        """How many listen."""
        return len(self._clients)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve clients in this loop."""
        self._loop = loop

    def publish(self, kind: str, content: Any) -> None:
        """Send a message that is kept for those who come back."""
        with self._lock:
            self._last_id = next(self._ids)
            made = Message(self._last_id, kind, content, _text(kind, content, self._last_id))
            self._ring.append(made)
            if kind == "minute":
                self._newest[kind] = made
            self._hand_on(made)

    def pass_on(self, kind: str, content: Any) -> None:
        """Send a message of which only the newest matters: it has no id and is not repeated."""
        with self._lock:
            made = Message(None, kind, content, _text(kind, content, None))
            self._newest[kind] = made
            self._hand_on(made)

    def forget(self) -> None:
        """Drop what was kept, where the district begins another day; every screen reads everything anew."""
        with self._lock:
            self._ring.clear()
            self._newest.pop("minute", None)
            self._last_id = next(self._ids)
            self._hand_on(_RESYNC)

    def close(self) -> None:
        """End every stream, so that the server can stop. Called in the server's loop."""
        self._closed = True
        for client in list(self._clients):
            client.leave()

    def join(self, last_id: int | None, seen: Seen | None = None) -> Client:
        """Add a client that has seen everything up to ``last_id`` of an earlier stream; None for a new one."""
        with self._lock:
            first = [made.for_screen(seen) for made in self._missed(last_id)]
            client = Client(first=first, seen_id=self._last_id, seen=seen)
            if self._closed:
                client.leave()
            self._clients.add(client)
        return client

    async def stream(self, client: Client) -> AsyncGenerator[bytes]:
        """Yield the feed for a client, until it leaves: what it missed, then whatever comes, and heartbeats."""
        try:
            yield b"retry: 2000\n\n" + b"".join(client.first)
            while not client.left:
                try:
                    async with asyncio.timeout(self._heartbeat_s):
                        await client.woken.wait()
                except TimeoutError:
                    if client.seen is not None and not client.seen.still():
                        return
                    yield _HEARTBEAT
                    continue
                client.woken.clear()
                if client.waiting:
                    together = b"".join(client.waiting)
                    client.waiting.clear()
                    yield together
        finally:
            self._clients.discard(client)

    def _missed(self, last_id: int | None) -> list[Message]:
        if last_id is None:  # a new screen: the newest minute at once, instead of a blank until the next
            return list(self._newest.values())
        known = self._ring[0].message_id or 0 if self._ring else self._last_id + 1
        passing = [made for kind, made in self._newest.items() if kind != "minute"]
        if not known - 1 <= last_id <= self._last_id:
            return [_RESYNC, *passing]
        return [*(made for made in self._ring if (made.message_id or 0) > last_id), *passing]

    def _hand_on(self, made: Message) -> None:
        if self._loop is not None and not self._loop.is_closed() and self._clients:
            self._loop.call_soon_threadsafe(self._deliver, made)

    def _deliver(self, made: Message) -> None:
        for client in self._clients:
            if made.message_id is not None and made.message_id <= client.seen_id:
                continue  # it joined after this was published and got it with what it had missed
            text = made.for_screen(client.seen)
            if not text:
                continue
            if len(client.waiting) >= self._limit:
                client.waiting.clear()
                client.waiting.append(_RESYNC.text)
            client.waiting.append(text)
            client.woken.set()


class LiveAnswer(Response):
    """The answer that never ends by itself."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, last_id: int | None, seen: Seen | None = None) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._last_id = last_id
        self._seen = seen

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the feed until the client goes or the hub closes."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        client = self._hub.join(self._last_id, self._seen)
        watch = asyncio.create_task(_leave_when_gone(client, receive))
        try:
            async with aclosing(self._hub.stream(client)) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            return  # the client went while we wrote
        finally:
            watch.cancel()


async def _leave_when_gone(client: Client, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    client.leave()


def _text(kind: str, content: Any, message_id: int | None) -> bytes:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    head = "" if message_id is None else f"id: {message_id}\n"
    return f"{head}event: {kind}\ndata: {text}\n\n".encode()


_RESYNC = Message(None, "resync", {}, _text("resync", {}, None))
