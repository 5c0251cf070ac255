"""The port of foreign formats: an adapter turns what a device publishes into observations, and says what it cannot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

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
    found = _pattern(tuple([tuple(adapter.topics) for adapter in adapters])).fullmatch(topic)
    return None if found is None or found.lastindex is None else adapters[found.lastindex - 1]


@lru_cache(maxsize=64)
def _pattern(filters: tuple[tuple[str, ...], ...]) -> re.Pattern[str]:
    """Return one pattern of all adapters' filters, with a group for each adapter."""
    return re.compile("|".join(f"({'|'.join(map(_matching, wanted))})" for wanted in filters), re.DOTALL)


def _matching(wanted: str) -> str:
    """Return an MQTT filter as a pattern: ``+`` is any one level; ``/#`` is all that follows, or nothing.

    A filter that begins with either is not for the broker's own topics, which begin with ``$``.
    """
    told = "/".join({"+": "[^/]*", "#": ".*"}.get(level, re.escape(level)) for level in wanted.split("/"))
    if told.endswith("/.*"):
        told = told.removesuffix("/.*") + "(?:/.*)?"
    return rf"(?!\$){told}" if wanted.startswith(("+", "#")) else told
