"""The embedded MQTT broker: a device is told that its message arrived only when it has been committed."""

from __future__ import annotations

import asyncio
import functools
import logging
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from anlan.ingest.door import Door
from anlan.kernel.errors import BadInput, Unavailable

with warnings.catch_warnings():  # amqtt's dependency warns of a Python 3.13 change that does not concern us
    warnings.simplefilter("ignore", DeprecationWarning)
    from amqtt.broker import Broker
    from amqtt.errors import BrokerError

log = logging.getLogger(__name__)

TOPICS = "anlan/observations/"
"""Observations are published under this prefix and the device's id."""


class _CommittingBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt's broker, which lets observations through only behind the door.

    Its stock flow confirms QoS 1 as soon as a message is queued in memory; a kill between that and the commit would
    lose what the device believes delivered. Here each message waits for its commit in its own task (the reader goes
    on, so a connection is not held up), and only then takes the stock flow, which confirms.
    """

    def __init__(self, door: Door, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._door = door

    async def _initialize_client_session(self, *connection: Any) -> Any:
        handler, client = await super()._initialize_client_session(*connection)
        handler.handle_publish = functools.partial(self._through_the_door, handler.handle_publish)
        return handler, client

    async def _through_the_door(self, confirm: Callable[[Any], Awaitable[None]], packet: Any) -> None:
        if packet.topic_name and packet.topic_name.startswith(TOPICS):
            try:
                await asyncio.wrap_future(self._door.submit(bytes(packet.data)))
            except BadInput as fault:
                log.info("refused, and counted: %s", fault)  # confirmed below, or it would come back for ever
            except Unavailable as fault:
                log.warning("not confirmed, the device will send it again: %s", fault)
                return
        await confirm(packet)


class EmbeddedBroker:
    """An MQTT 3.1.1 broker on this machine whose observations go through a door.

    Parameters
    ----------
    host, port : str, int
        Where to listen; port 0 takes a free one, told by :attr:`port` after :meth:`start`.
    door : Door
        Where observations under ``anlan/observations/<device>`` go.
    """

    def __init__(self, host: str, port: int, door: Door) -> None:
        self.host = host
        self.port = port
        self._door = door
        self._broker: _CommittingBroker | None = None

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        Unavailable
            If the port is taken.
        """
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.ERROR)
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"{self.host}:{self.port}", "max_connections": 500}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        broker = _CommittingBroker(self._door, config)
        logging.getLogger("amqtt.broker").setLevel(logging.CRITICAL)  # our error says more than its traceback
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
        if self._broker is not None:
            await self._broker.shutdown()
            self._broker = None
