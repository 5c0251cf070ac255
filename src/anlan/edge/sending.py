"""The ways from the outbox to a district: MQTT and HTTP, each confirmed before anything is forgotten."""

from __future__ import annotations

import http.client
import json
import logging
import os
import ssl
import threading
import urllib.error
import urllib.request
from typing import Protocol
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from anlan.edge.outbox import Outbox
from anlan.kernel.errors import BadInput

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
AT_ONCE = 100


class Way(Protocol):
    """How bodies reach the district."""

    def send(self, bodies: list[bytes]) -> int:
        """Return how many of the bodies, from the first, are confirmed."""
        ...

    def close(self) -> None:
        """Leave."""
        ...


class HttpWay:
    """``POST /api/v1/observations`` of a district; a 200 comes after its commit."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/api/v1/observations"
        key = os.environ.get("ANLAN_KEY")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def send(self, bodies: list[bytes]) -> int:
        """Send all in one batch. What is refused there can never be taken, and is confirmed like the rest."""
        body = b'{"observations": [' + b",".join(bodies) + b"]}"
        asked = urllib.request.Request(self._url, body, self._headers)  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:  # noqa: S310 - http or https, see way_to
                json.load(answer)
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError):
            return 0
        return len(bodies)

    def close(self) -> None:
        """Nothing is held open."""


class MqttWay:
    """QoS 1 under ``anlan/observations/<device>``; the PUBACK comes after the district's commit."""

    def __init__(self, url: str, device_id: str) -> None:
        parts = urlsplit(url)
        self._topic = f"anlan/observations/{device_id}"
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"edge-{device_id}", clean_session=True)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context())
        self._client.reconnect_delay_set(1, 30)
        self._client.connect_async(parts.hostname or "", parts.port or (8883 if parts.scheme == "mqtts" else 1883))
        self._client.loop_start()
        self._sent: dict[bytes, paho.MQTTMessageInfo] = {}

    def send(self, bodies: list[bytes]) -> int:
        """Publish in order; wait for each PUBACK. What waits for one is sent again by the client, and only by it."""
        if not self._client.is_connected():
            return 0
        self._sent = {body: self._sent.get(body) or self._client.publish(self._topic, body, qos=1) for body in bodies}
        for n, one in enumerate(self._sent.values()):
            try:
                one.wait_for_publish(TIMEOUT_S)
            except ValueError:  # the client has not even taken it
                self._sent = {}
                return n
            except RuntimeError:
                return n
            if not one.is_published():
                return n
        return len(bodies)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


def way_to(url: str, device_id: str) -> Way:
    """Return the way to an address: ``mqtt://``, ``mqtts://``, ``http://`` or ``https://``.

    Raises
    ------
    BadInput
        If it is none of these.
    """
    parts = urlsplit(url)
    if parts.hostname and parts.scheme in {"mqtt", "mqtts"}:
        return MqttWay(url, device_id)
    if parts.hostname and parts.scheme in {"http", "https"}:
        return HttpWay(url)
    raise BadInput("address to send to", "must be mqtt(s)://host or http(s)://host", "correct --to")


class Sender:
    """Empties the outbox in a thread of its own, for as long as there is something in it and the way is open."""

    def __init__(self, outbox: Outbox, way: Way, every_s: float = 1.0) -> None:
        self._outbox = outbox
        self._way = way
        self._every_s = every_s
        self._stuck = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def drain(self) -> int:
        """Send what waits, once; return how many were confirmed."""
        bodies = self._outbox.waiting(AT_ONCE)
        if not bodies:
            return 0
        n = self._way.send([body for _, body in bodies])
        if (n == 0) != self._stuck:
            self._stuck = n == 0
            log.warning("the district %s", "does not confirm; counts wait here" if n == 0 else "confirms again")
        self._outbox.confirmed([number for number, _ in bodies[:n]])
        return n

    def _run(self) -> None:
        while True:
            try:
                n = self.drain()
            except Exception:  # what is not sent waits; nobody would see that nothing is sent any more
                log.exception("sending failed and is tried again")
                n = 0
            if n < AT_ONCE and self._ending.wait(self._every_s):
                return

    def close(self, patience_s: float = 10.0) -> None:
        """Try to send what is left for a while; what cannot be sent stays in the outbox."""
        end = threading.Event()
        waited = 0.0
        while len(self._outbox) and waited < patience_s:
            end.wait(0.1)
            waited += 0.1
        self._ending.set()
        self._thread.join(TIMEOUT_S * 2)
        self._way.close()
