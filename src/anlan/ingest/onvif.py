"""ONVIF counting rules over MQTT.

References
----------
ONVIF Analytics Service Specification, Annex A (Line Counting, Occupancy Counting: a count is of objects since the last
reset) and ONVIF Core Specification, section "MQTT" (``onvif-ej``: topic, retained state, empty payload when an item is
deleted, numbers quoted or not).
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from anlan.ingest.foreign import Counted, Format, Message, local_or_zoned
from anlan.ingest.wire import FAULTS
from anlan.kernel.errors import BadInput

_TOPIC = re.compile(
    r"(?:(?P<prefix>.*)/)?onvif-ej/(?:\w+:)?RuleEngine/CountAggregation/(?:\w+:)?(?:Counter|OccupancyCounter)(?:/&?(?P<of>.*))?$"
)
_Total = Annotated[int, msgspec.Meta(ge=0)] | str


class _Source(msgspec.Struct):
    rule: str = msgspec.field(name="Rule")
    video: str | int = msgspec.field(name="VideoSource", default="")
    analytics: str | int = msgspec.field(name="AnalyticsConfiguration", default="")


class _Number(msgspec.Struct):
    count: _Total = msgspec.field(name="Count")


class _Sent(msgspec.Struct):
    source: _Source = msgspec.field(name="Source")
    number: _Number = msgspec.field(name="Data")
    utc_time: str = msgspec.field(name="UtcTime")


_sent = msgspec.json.Decoder(_Sent)


def _read(source: str, topic: str, payload: bytes) -> Message:
    found = _TOPIC.match(topic)
    if found is None:
        if not source or "/" in source:
            raise BadInput("topic", "must be that of a counting rule", "publish Counter and OccupancyCounter only")
    else:
        source = (found["prefix"] or "").removeprefix("onvif/")
    if not payload:
        return Message(source, [])  # the rule was deleted
    try:
        sent = _sent.decode(payload)
    except FAULTS:
        raise BadInput("message", f"must be {FORMAT.form}", "see docs/connect.md") from None
    of = sent.source
    return Message(
        source, [Counted(f"{of.video}/{of.analytics}/{of.rule}", int(sent.number.count), local_or_zoned(sent.utc_time))]
    )


FORMAT = Format(
    "onvif",
    _read,
    "the JSON of a counting rule with UtcTime, Source.Rule and Data.Count, 0 or more",
    (
        "onvif-ej/RuleEngine/CountAggregation/#",
        *("/".join(["+"] * depth) + "/onvif-ej/RuleEngine/CountAggregation/#" for depth in (1, 2, 3)),
    ),
)
