"""Observations from an external MQTT broker: acknowledged after the commit, never on receipt."""

from __future__ import annotations

import logging
import queue
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from anlan.ingest.adapters import Adapter, OwnForm
from anlan.ingest.door import Door
from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.ingress import Receipt

log = logging.getLogger(__name__)

TRY_AGAIN_S = 1.0


class MqttIngress:
    """A lasting subscriber of an external broker.

    The client's name is fixed and its state lasts at the broker, so what was not acknowledged before a kill comes
    again; the inbox keeps it once. A message that the disk cannot take now is held unacknowledged and tried again,
    because a broker sends again only on a new connection.

    Parameters
    ----------
    url : str
        ``mqtt://user:password@host:1883`` or ``mqtts://...`` (TLS); percent-encode what is special in them.
    door : Door
        Where observations go.
    client_id : str
        Name at the broker; one per district.
    adapters : sequence of Adapter
        Formats that are understood; their topics are subscribed to.
    ca_file : Path, optional
        Certificates to trust for TLS; the machine's own where None.
    """

    def __init__(
        self,
        url: str,
        door: Door,
        client_id: str = "anlan",
        *,
        adapters: Sequence[Adapter] = (OwnForm(),),
        ca_file: Path | None = None,
    ) -> None:
        self._host, self._port, tls, user, password = _parts(url)
        self._door = door
        self._adapters = tuple(adapters)
        self.connected = False
        self.last_fault: str | None = None
        """Why it was last not connected, or a message not taken."""
        self._connection = 0  # a message id means something only on the connection it came by
        self._lock = threading.Lock()
        self._again: queue.Queue[tuple[int, paho.MQTTMessage] | None] = queue.Queue()
        self._trier = threading.Thread(target=self._try_again, name="mqtt-again", daemon=True)
        self._closing = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        self._client.reconnect_delay_set(1, 60)
        if user:
            self._client.username_pw_set(user, password)
        if tls:
            self._client.tls_set_context(_trusting(ca_file))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect, and reconnect by itself from then on.

        Raises
        ------
        Unavailable
            If the broker cannot be reached at all.
        """
        try:
            self._client.connect(self._host, self._port, keepalive=30)
        except OSError as fault:
            raise Unavailable(
                f"broker {self._host}:{self._port}", f"must be reachable ({fault})", "start it, or correct --broker"
            ) from fault
        self._trier.start()
        self._client.loop_start()

    def close(self) -> None:
        """Leave; the broker keeps what was not acknowledged and what comes meanwhile."""
        self._closing.set()
        self._again.put(None)
        self._client.disconnect()
        self._client.loop_stop()
        if self._trier.ident is not None:
            self._trier.join()
        self.connected = False

    def _on_connect(self, client: paho.Client, _own: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.last_fault = str(reason)
            log.error("the broker refuses: %s", reason)
            return
        with self._lock:
            self._connection += 1
        self.connected = True
        topics = [topic for adapter in self._adapters for topic in adapter.topics]
        client.subscribe([(topic, 1) for topic in (*topics, *(f"{begins}#" for begins in self._door.beside))])

    def _on_disconnect(self, _client: paho.Client, _own: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.connected = False
        if reason.is_failure:
            self.last_fault = str(reason)
            log.warning("connection to the broker lost (%s); connecting again", reason)

    def _on_message(self, _client: paho.Client, _own: Any, message: paho.MQTTMessage) -> None:
        self._submit(self._connection, message)

    def _submit(self, connection: int, message: paho.MQTTMessage) -> None:
        def settle(told: Future[Receipt]) -> None:
            fault = told.exception()
            if fault is None:
                self._acknowledge(connection, message)
            else:
                self.last_fault = str(fault)
                self._again.put((connection, message))

        try:
            told = self._door.receive(message.topic, bytes(message.payload), self._adapters)
        except Unavailable as fault:
            self.last_fault = str(fault)
            self._again.put((connection, message))
        else:
            told.add_done_callback(settle)

    def _acknowledge(self, connection: int, message: paho.MQTTMessage) -> None:
        with self._lock:
            if connection == self._connection:
                self._client.ack(message.mid, message.qos)

    def _try_again(self) -> None:
        while (held := self._again.get()) is not None and not self._closing.wait(TRY_AGAIN_S):
            waiting = [held]
            while not self._again.empty():
                if (further := self._again.get()) is None:
                    return
                waiting.append(further)
            for connection, message in waiting:
                # What came by an earlier connection comes again by this one.
                if connection == self._connection and not self._closing.is_set():
                    self._submit(connection, message)


def _parts(url: str) -> tuple[str, int, bool, str | None, str | None]:
    fault = BadInput(
        "broker address", "must be mqtt://host:port or mqtts://host:port", "correct it"
    )  # it holds a password
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise fault from None
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise fault
    tls = parts.scheme == "mqtts"
    user, password = (None if text is None else unquote(text) for text in (parts.username, parts.password))
    return parts.hostname, port or (8883 if tls else 1883), tls, user, password


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as fault:
        raise BadInput(f"certificates {ca_file}", f"must be readable ({fault})", "give a PEM file") from None
