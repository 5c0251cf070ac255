"""Xovis sensors: JSON push of live counts, the REST forms of counts, and the older XML of lines.

What a frame tells of single people (``tracked_objects``, ``track_id``) is passed over unread and so never kept.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from anlan.ingest.foreign import Counted, Format, Message, from_epoch_ms, local_or_zoned
from anlan.ingest.markup import texts
from anlan.kernel.errors import BadInput

_People = Annotated[int, msgspec.Meta(ge=0)]


class _Attributes(msgspec.Struct):
    counter_id: int | None = None
    counter_value: _People | None = None


class _Happened(msgspec.Struct):
    attributes: _Attributes = msgspec.field(default_factory=_Attributes)


class _Frame(msgspec.Struct):
    time: int | str
    events: list[_Happened] = msgspec.field(default_factory=list)


class _Sensor(msgspec.Struct):
    serial_number: str = ""


class _Live(msgspec.Struct):
    frames: list[_Frame]
    sensor_info: _Sensor = msgspec.field(default_factory=_Sensor)


class _Value(msgspec.Struct):
    id: int
    value: _People


class _Measured(msgspec.Struct):
    begin: str
    end: str
    counts: list[_Value]


class _Sent(msgspec.Struct):
    live_data: _Live | None = None
    measurements: list[_Measured] | None = None
    time: str | None = None
    counts: list[_Value] | None = None


_sent = msgspec.json.Decoder(_Sent)


def _read(source: str, topic: str, payload: bytes) -> Message:  # noqa: ARG001 - every format is asked alike
    if payload.lstrip()[:1] == b"<":
        return Message(source, _of_xml(payload))
    sent = _sent.decode(payload)
    if sent.live_data is not None:
        return Message(source or sent.live_data.sensor_info.serial_number, _of_frames(sent.live_data.frames))
    if sent.measurements is not None:
        return Message(
            source,
            [
                Counted(str(one.id), one.value, local_or_zoned(told.end), local_or_zoned(told.begin))
                for told in sent.measurements
                for one in told.counts
            ],
        )
    if sent.counts is not None and sent.time is not None:
        at = local_or_zoned(sent.time)
        return Message(source, [Counted(str(one.id), one.value, at) for one in sent.counts])
    raise BadInput("message", f"must be {FORMAT.form}", "see docs/connect.md")


def _of_frames(frames: list[_Frame]) -> list[Counted]:
    """Return the last value of each counter: those before it in the same package are in it."""
    last: dict[int, int] = {}
    for frame in frames:
        for one in frame.events:
            if one.attributes.counter_id is not None and one.attributes.counter_value is not None:
                last[one.attributes.counter_id] = one.attributes.counter_value
    if not last:
        return []
    time = frames[-1].time
    at = local_or_zoned(time) if isinstance(time, str) else from_epoch_ms(time)
    return [Counted(str(counter), value, at) for counter, value in last.items()]


def _of_xml(payload: bytes) -> list[Counted]:
    counted = [
        Counted(name.removesuffix("-count"), int(text))
        for name, text in texts(payload)
        if name in {"fw-count", "bw-count"}
    ]
    if len(counted) != 2:
        raise BadInput("count-data", "must have one line with fw-count and bw-count", "push each line by itself")
    return counted


FORMAT = Format("xovis", _read, "Xovis live_data, measurements or counts, with whole people, 0 or more")
