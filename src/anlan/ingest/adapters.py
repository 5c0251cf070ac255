"""The port of foreign formats: an adapter turns what a device publishes into observations, and says what it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from paho.mqtt.matcher import MQTTMatcher

from anlan.ingest.wire import Decoded, decode
from anlan.kernel.errors import BadInput
from anlan.kernel.ingress import Refusal, RefusalCode

TOPICS = "anlan/observations/"
"""Observations in Anlan's own form are published under this prefix and the device's id."""


class Adapter(Protocol):
    """A format in which devices publish. Add one by a class like this; :mod:`anlan.ingest.checks` holds it to its duty.

    It knows no district: whether a device exists, and may say this now, is judged by the door.
    """

    @property
    def topics(self) -> tuple[str, ...]:
        """MQTT filters of what it reads, such as ``v1.1/+/Observations``."""
        ...

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Return the observations with their place in the payload, and a refusal for each part that is malformed.

        It never raises on what it is given, and its refusals never tell the content of a field.
        """
        ...


class OwnForm:
    """Anlan's own wire form under ``anlan/observations/<device>``.

    A gateway may publish batches of many devices under its own name. What cannot be read is counted under the device
    of the topic.
    """

    topics = (TOPICS + "#",)

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:  # noqa: ARG002 - it carries its time
        """Return what :func:`anlan.ingest.wire.decode` finds."""
        device_id = topic.removeprefix(TOPICS)
        try:
            taken, refusals = decode(payload)
        except BadInput as fault:
            return [], [Refusal(code=RefusalCode.MALFORMED, message=str(fault), device_id=device_id)]
        unnamed = [k for k, refusal in enumerate(refusals) if refusal.device_id is None]
        for k in unnamed:
            told = refusals[k]
            refusals[k] = Refusal(code=told.code, message=told.message, index=told.index, device_id=device_id)
        return taken, refusals


def adapter_of(adapters: Sequence[Adapter], topic: str) -> Adapter | None:
    """Return the first adapter that reads a topic."""
    filters = tuple(tuple(adapter.topics) for adapter in adapters)
    found = min(_matcher(filters).iter_match(topic), default=None)  # type: ignore[no-untyped-call]  # paho's tree has no types
    return None if found is None else adapters[found]


@lru_cache(maxsize=64)
def _matcher(filters: tuple[tuple[str, ...], ...]) -> MQTTMatcher:
    """Return the tree that leads from a topic to the place of the adapter that reads it."""
    tree = MQTTMatcher()  # type: ignore[no-untyped-call]  # as above
    for place in reversed(range(len(filters))):
        for wanted in filters[place]:
            tree[wanted] = place
    return tree
