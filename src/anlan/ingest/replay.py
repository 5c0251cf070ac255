"""A recording, or a simulated district, played through MQTT as devices would send it, at any speed.

The player announces its time on standard output, one JSON line a step, only when everything due by then was
acknowledged; whoever follows that time never sees a count before its time, nor misses one. It obeys JSON lines on
standard input:
``{"speed": 30}``, ``{"paused": true}``, ``{"stop": true}``.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from anlan.ingest.adapters import TOPICS
from anlan.ingest.wire import encode
from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.records import Observation

IN_FLIGHT = 200
CHUNK = 10_000
"""Fewer than there are message ids (65,535), so that those of one chunk all differ."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is no observation and goes out beside them, as it is."""

    topic: str
    payload: bytes


Beat = tuple[datetime, Sequence[Observation | Message]]
"""A moment, and what was delivered by then."""


@dataclass(slots=True)
class Pace:
    """How fast to play. ``rush_until``: before that moment, as fast as possible (the way to the opening scene)."""

    speed: float = 1.0
    paused: bool = False
    stopped: bool = False
    rush_until: datetime | None = None
    changed: threading.Event = field(default_factory=threading.Event)

    def obey(self, line: str) -> None:
        """Take one line of control; refuse what is none.

        Raises
        ------
        BadInput
            If the line is no JSON object, or the speed is not positive.
        """
        try:
            asked = json.loads(line)
        except json.JSONDecodeError:
            asked = None
        if not isinstance(asked, dict):
            raise BadInput(f"control {line.strip()!r}", "must be a JSON object", 'send {"speed": 10}')
        speed = asked.get("speed", self.speed)
        if not isinstance(speed, int | float) or not 0 < speed <= 100_000:
            raise BadInput(f"speed={speed!r}", "must be > 0 and at most 100000", "give simulated seconds per second")
        self.speed = float(speed)
        self.paused = bool(asked.get("paused", self.paused))
        self.stopped = bool(asked.get("stop", self.stopped))
        self.changed.set()


def beats(observations: Iterable[Observation], begin_at: datetime, every: timedelta) -> Iterator[Beat]:
    """Return a recording as beats: each observation is due at the end of its window, ``every`` sets the step.

    A follower's clock stands at the beat before while a beat is sent, so a step longer than a minute would make its
    observations look as if they came from the future.
    """
    due = sorted((seen for seen in observations if seen.end_at > begin_at), key=lambda seen: seen.end_at)
    at, k = begin_at, 0
    while k < len(due):
        at += every
        first = k
        while k < len(due) and due[k].end_at <= at:
            k += 1
        yield at, due[first:k]


def replay(
    source: Iterable[Beat],
    url: str,
    pace: Pace,
    *,
    told: dict[str, str] | None = None,
    out: TextIO = sys.stdout,
    control: TextIO | None = None,
) -> None:
    """Play beats through an MQTT broker until they end or the pace is stopped.

    Parameters
    ----------
    source : iterable of (datetime, observations)
        In order of time.
    url : str
        ``mqtt://host:port``.
    pace : Pace
        Speed and pause; also changed by ``control``.
    told : dict, optional
        Said with every line on ``out`` (the scenario's name, for instance).
    out, control : text streams
        Where time is announced, and where control lines come from.

    Raises
    ------
    Unavailable
        If the broker cannot be reached.
    """
    if control is not None:
        threading.Thread(target=_listen, args=(control, pace), daemon=True).start()
    publisher = _Publisher(url, pace)
    try:
        wall, since = time.monotonic(), None
        for at, observations in source:
            rushing = pace.rush_until is not None and at <= pace.rush_until
            if since is None or rushing or pace.changed.is_set():
                pace.changed.clear()
                wall, since = time.monotonic(), at
            wall, since = _wait(at, wall, since, pace, rushing=rushing)
            if pace.stopped:
                return
            publisher.publish(observations)
            if pace.stopped:
                return
            lag_s = 0.0 if rushing else max(0.0, time.monotonic() - wall - (at - since).total_seconds() / pace.speed)
            line = {**(told or {}), "at": at.isoformat(), "speed": pace.speed, "paused": pace.paused}
            out.write(json.dumps({**line, "rushing": rushing, "lag_s": round(lag_s, 1)}) + "\n")
            out.flush()
    finally:
        publisher.close()


def _wait(at: datetime, wall: float, since: datetime, pace: Pace, *, rushing: bool) -> tuple[float, datetime]:
    """Sleep until ``at`` is due; return the anchor (wall time, its moment), which a change of pace moves."""
    while not pace.stopped:
        if not pace.paused:
            left = 0.0 if rushing else wall + (at - since).total_seconds() / pace.speed - time.monotonic()
            if left <= 0:
                break
        if pace.changed.wait(None if pace.paused else left):
            pace.changed.clear()
            wall, since = time.monotonic(), at
    return wall, since


def _listen(control: TextIO, pace: Pace) -> None:
    for line in control:
        try:
            pace.obey(line)
        except BadInput as fault:
            sys.stderr.write(f"{fault}\n")
    pace.stopped = True  # the supervisor is gone
    pace.changed.set()


class _Publisher:
    """Sends at QoS 1 and knows what is still unacknowledged; paho sends that again after a reconnect."""

    def __init__(self, url: str, pace: Pace) -> None:
        self._pace = pace
        self._acknowledged: set[int] = set()
        self._heard = threading.Event()
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname:
            raise BadInput("mqtt address", "must be mqtt://host:port", "correct it")
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="", clean_session=True)
        self._client.on_publish = self._on_publish
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.reconnect_delay_set(1, 5)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        try:
            self._client.connect(parts.hostname, parts.port or 1883, keepalive=60)
        except OSError as fault:
            raise Unavailable(
                f"broker {parts.hostname}:{parts.port or 1883}",
                f"must be reachable ({fault})",
                "start the server first",
            ) from fault
        self._client.loop_start()

    def publish(self, delivered: Sequence[Observation | Message]) -> None:
        """Send, and wait until each one was acknowledged, however long the broker is away; or until the end."""
        messages = [
            one if isinstance(one, Message) else Message(f"{TOPICS}{one.device_id}", encode(one)) for one in delivered
        ]
        for first in range(0, len(messages), CHUNK):
            self._acknowledged.clear()  # everything sent before was acknowledged, so its message ids are free again
            sent = [self._client.publish(one.topic, one.payload, qos=1).mid for one in messages[first : first + CHUNK]]
            # What paho itself tells of a message is an error where it was sent while the connection was away.
            while len(self._acknowledged) < len(sent) and not self._pace.stopped:
                self._heard.clear()
                if len(self._acknowledged) < len(sent):
                    self._heard.wait(0.2)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, _client: paho.Client, _own: Any, message_id: int, _reason: Any, _properties: Any) -> None:
        self._acknowledged.add(message_id)
        self._heard.set()
