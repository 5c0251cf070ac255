"""Hikvision ISAPI: alarms of people counting (XML) and of people in a region (JSON, XML), with or without a picture.

Pictures that come along in the same POST are passed over unread. Alarms about single people or vehicles (faces, plates)
are refused by their kind.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from anlan.ingest.foreign import Counted, Format, Message, local_or_zoned
from anlan.ingest.markup import texts
from anlan.kernel.errors import BadInput

_KINDS = {"peoplecounting", "framespeoplecounting", "persondensitydetection", "heartbeat", "videoloss"}
_OPEN, _CLOSE = b"<EventNotificationAlert", b"</EventNotificationAlert>"
_COUNTERS = (("enter", "enter"), ("exit", "exit"), ("personcnt", "present"), ("framesPeopleCountingNum", "present"))
_People = Annotated[int, msgspec.Meta(ge=0)]


class _InView(msgspec.Struct):
    number: _People = msgspec.field(name="framesPeopleCountingNum")


class _Alarm(msgspec.Struct):
    kind: str = msgspec.field(name="eventType")
    channel: int | str = msgspec.field(name="channelID", default=1)
    at: str | None = msgspec.field(name="dateTime", default=None)
    address: str = msgspec.field(name="ipAddress", default="")
    in_view: _InView | None = msgspec.field(name="FramesPeopleCounting", default=None)


_alarm = msgspec.json.Decoder(_Alarm)


def _read(source: str, topic: str, payload: bytes) -> Message:  # noqa: ARG001 - every format is asked alike
    begin = payload.find(_OPEN)
    if begin >= 0:
        end = payload.find(_CLOSE, begin)
        return _of_xml(source, payload[begin : end + len(_CLOSE)] if end >= 0 else payload[begin:])
    if payload.lstrip()[:2] == b"--":  # JSON among the parts of a form
        payload = payload[payload.find(b"{") : _end_of_json(payload)]
    sent = _alarm.decode(payload)
    _refuse_others(sent.kind)
    counted = []
    if sent.in_view is not None:
        at = None if sent.at is None else local_or_zoned(sent.at)
        counted = [Counted(f"{sent.channel}/present", sent.in_view.number, at)]
    return Message(source or sent.address, counted)


def _end_of_json(payload: bytes) -> int:
    end = payload.find(b"\r\n--", payload.find(b"{"))
    return len(payload) if end < 0 else end


def _refuse_others(kind: str) -> None:
    if kind.lower() not in _KINDS:
        raise BadInput("eventType", "must be one of people counting", "turn the camera's other alarms to Anlan off")


def _of_xml(source: str, payload: bytes) -> Message:
    found = dict(reversed(texts(payload)))  # of elements of one name the first
    _refuse_others(found.get("eventType", ""))
    source = source or found.get("ipAddress", "")
    where = found.get("channelID", "1")
    if found.get("regionsID"):
        where += "/" + found["regionsID"]
    method = found.get("statisticalMethods", "realTime")
    if method != "realTime" and "enter" in found:
        return Message(source, [])  # the same people again, as a sum of a longer time
    told = found.get("time") or found.get("dateTime")
    at = None if told is None else local_or_zoned(told)
    counted = [Counted(f"{where}/{ours}", int(found[name]), at) for name, ours in _COUNTERS if name in found]
    if not counted and "peopleCounting" in found:
        raise BadInput("peopleCounting", "must have enter and exit", "see docs/connect.md")
    return Message(source, counted)


FORMAT = Format("hikvision", _read, "an ISAPI alarm of people counting with whole people, 0 or more")
