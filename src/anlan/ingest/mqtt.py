"""Observations from an external MQTT broker: acknowledged after the commit, never on receipt."""

from __future__ import annotations

import logging
import ssl
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from anlan.ingest.door import Door
from anlan.kernel.errors import AnlanError, BadInput, Unavailable
from anlan.kernel.ingress import Receipt

log = logging.getLogger(__name__)


class MqttIngress:
    """A lasting subscriber of an external broker.

    The client's name is fixed and its state lasts at the broker, so what was not acknowledged before a kill comes
    again; the inbox keeps it once.

    Parameters
    ----------
    url : str
        ``mqtt://user:password@host:1883`` or ``mqtts://...``.
    door : Door
        Where observations go.
    client_id : str
        Name at the broker; one per district.
    """

    def __init__(self, url: str, door: Door, client_id: str = "anlan", topic: str = "anlan/observations/#") -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise BadInput(f"broker={url!r}", "must be mqtt://host:port or mqtts://host:port", "correct the address")
        self._door = door
        self._topic = topic
        self._host, self._port = parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self.connected = False
        self.last_fault: str | None = None
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        self._client.max_inflight_messages_set(1000)
        if parts.username:
            self._client.username_pw_set(parts.username, parts.password)
        if parts.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context())
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
        self._client.loop_start()

    def close(self) -> None:
        """Leave; the broker keeps what comes meanwhile."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, _own: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.last_fault = str(reason)
            log.error("the broker refuses: %s", reason)
            return
        self.connected = True
        client.subscribe(self._topic, qos=1)

    def _on_disconnect(self, _client: paho.Client, _own: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.connected = False
        if reason.is_failure:
            self.last_fault = str(reason)
            log.warning("connection to the broker lost (%s); connecting again", reason)

    def _on_message(self, client: paho.Client, _own: Any, message: paho.MQTTMessage) -> None:
        def acknowledge(done: Future[Receipt] | None = None) -> None:
            if done is None or done.exception() is None:
                client.ack(message.mid, message.qos)

        try:
            self._door.submit(bytes(message.payload)).add_done_callback(acknowledge)
        except BadInput as fault:
            log.info("refused, and counted: %s", fault)
            acknowledge()  # or it would come back for ever
        except AnlanError as fault:
            log.warning("not acknowledged, it will come again: %s", fault)
