"""The embedded MQTT broker: a device is told that its message arrived only when it has been committed."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import warnings
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from anlan.ingest.adapters import Adapter, OwnForm
from anlan.ingest.door import Door
from anlan.kernel.errors import BadInput, Unavailable

with warnings.catch_warnings():  # amqtt's dependency warns of a Python 3.13 change that does not concern us
    warnings.simplefilter("ignore", DeprecationWarning)
    from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
    from amqtt.broker import Broker
    from amqtt.errors import AMQTTError, BrokerError
    from amqtt.mqtt import PubackPacket, PubcompPacket
    from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
    from amqtt.mqtt.pubrec import PubrecPacket

log = logging.getLogger(__name__)

GREETING_S = 10.0
"""How long a connection may take to say who it is."""

_PLUGINS = "amqtt.plugins.authentication."
_ENVELOPE_BYTES = 70_000  # the longest topic and its packet's head


class _Committing(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt has no types
    """One connection, in which a message is confirmed after its commit.

    The stock flow confirms as soon as a message is queued in memory; a kill between that and the commit would lose
    what the device believes delivered. Each packet has its own task, so messages wait for their commit side by side.
    Observations go to the door and to no other client.
    """

    def __init__(self, plugins: Any, take: Callable[[str, bytes], Awaitable[bool]]) -> None:
        super().__init__(plugins)
        self._take = take

    async def handle_publish(self, publish_packet: Any) -> None:
        if publish_packet.topic_name is None or publish_packet.data is None:
            return
        if not await self._take(publish_packet.topic_name, bytes(publish_packet.data)):
            # MQTT 3.1.1 sends again only on a new connection (4.4.0), so this one must end.
            await self.handle_connection_closed()
        elif publish_packet.qos == 1:
            await self._send_packet(PubackPacket.build(publish_packet.packet_id))
        elif publish_packet.qos == 2:
            await self._send_packet(PubrecPacket.build(publish_packet.packet_id))

    async def handle_pubrel(self, pubrel: Any) -> None:
        # What QoS 2 promises, once and only once, is kept by the inbox.
        await self._send_packet(PubcompPacket.build(pubrel.packet_id))


class _BoundedReader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """Reads no packet larger than the door would take: MQTT allows 256 MB, and it would be held in memory."""

    def __init__(self, reader: asyncio.StreamReader, most_bytes: int) -> None:
        super().__init__(reader)
        self._most_bytes = most_bytes

    async def read(self, n: int = -1) -> bytes:
        if n > self._most_bytes:
            log.warning("a connection was ended: a packet of %d bytes must be at most %d", n, self._most_bytes)
            raise ConnectionAbortedError
        found: bytes = await super().read(n)
        return found


class _CommittingBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt's broker, all of whose messages go through the door."""

    def __init__(self, door: Door, adapters: Sequence[Adapter], config: dict[str, Any]) -> None:
        super().__init__(config)
        self._door = door
        self._adapters = adapters
        self._turned_away = False

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        bounded = _BoundedReader(reader, self._door.limits.body_bytes + _ENVELOPE_BYTES)
        try:
            await self._client_connected(listener_name, bounded, StreamWriterAdapter(writer))
        finally:  # amqtt leaves the socket open where a greeting is no MQTT, or the client was gone first
            writer.close()

    async def _initialize_client_session(self, *connection: Any) -> Any:
        try:
            _, client = await asyncio.wait_for(super()._initialize_client_session(*connection), GREETING_S)
        except Exception as fault:  # noise of any kind; amqtt gives the place back for this error only
            raise AMQTTError(str(fault)) from fault
        return _Committing(self.plugins_manager, self._through_the_door), client

    async def _through_the_door(self, topic: str, payload: bytes) -> bool:
        try:
            receipt = await asyncio.wrap_future(self._door.receive(topic, payload, self._adapters))
        except Unavailable as fault:
            if not self._turned_away:
                log.warning("not confirmed, devices will send again: %s", fault)
            self._turned_away = True
            return False
        self._turned_away = False
        for refusal in receipt.refusals:
            log.info("refused, and counted: %s", refusal.message)
        return True


class EmbeddedBroker:
    """An MQTT 3.1.1 broker on this machine whose messages go through a door.

    Parameters
    ----------
    host, port : str, int
        Where to listen; port 0 takes a free one, told by :attr:`port` after :meth:`start`.
    door : Door
        Where observations go.
    adapters : sequence of Adapter
        Formats that are understood; the first whose topics fit reads a message.
    passwords : Path, optional
        File of ``name:hash`` lines with argon2 hashes; without one anybody may publish.
    """

    def __init__(
        self,
        host: str,
        port: int,
        door: Door,
        *,
        adapters: Sequence[Adapter] = (OwnForm(),),
        passwords: Path | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._door = door
        self._adapters = tuple(adapters)
        self._passwords = passwords
        self._broker: _CommittingBroker | None = None

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        BadInput
            If the file of passwords cannot be read, or has no ``name:hash`` lines.
        Unavailable
            If the port is taken.
        """
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # our errors say more than its tracebacks
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"{self.host}:{self.port}", "max_connections": 500}},
            "plugins": self._who_may(),
        }
        broker = _CommittingBroker(self._door, self._adapters, config)
        try:
            await broker.start()
        except BrokerError as fault:
            raise Unavailable(
                f"MQTT port {self.port} on {self.host}", "must be free", "stop what uses it, or choose --mqtt-port"
            ) from fault
        self._broker = broker
        server = broker._servers["default"].instance  # noqa: SLF001 - amqtt does not tell which free port it took
        self.port = server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Let every client go and stop listening."""
        broker, self._broker = self._broker, None
        if broker is not None:
            await broker.shutdown()

    def _who_may(self) -> dict[str, dict[str, Any]]:
        if self._passwords is None:
            if not _is_loopback(self.host):
                log.warning("anybody who reaches %s may publish; give a file of passwords", self.host)
            return {f"{_PLUGINS}AnonymousAuthPlugin": {"allow_anonymous": True}}
        try:
            lines = self._passwords.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as fault:
            raise BadInput(f"passwords {self._passwords}", f"must be readable ({fault})", "correct the path") from None
        for number, line in enumerate(lines, 1):
            name, _, hashed = line.partition(":")
            if line.strip() and not line.startswith("#") and not (name and hashed.startswith("$argon2")):
                raise BadInput(
                    f"{self._passwords.name} line {number}", "must be name:hash with argon2", "see docs/connect.md"
                )
        return {f"{_PLUGINS}FileAuthPlugin": {"password_file": str(self._passwords)}}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
