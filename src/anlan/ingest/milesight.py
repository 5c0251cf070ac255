"""Milesight people counters: the bytes of LoRaWAN uplinks inside a network server's JSON, and decoded JSON.

References
----------
Milesight VS133 payload: a channel byte, a type byte, and a value, little-endian: ``03 D2`` total in of line 1
(4 bytes), ``05 CC`` period in and out (2 + 2), ``0F E3`` people in four regions (1 each), ``10 E4`` dwell time (5,
not read).
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from anlan.ingest.foreign import Counted, Format, Message, local_or_zoned
from anlan.kernel.errors import BadInput

_LENGTHS = {0xD2: 4, 0xCC: 4, 0xE3: 4, 0xE4: 5, 0x01: 1, 0x09: 2, 0x0A: 2, 0xFF: 2, 0x16: 8, 0x0F: 1, 0xFE: 1, 0x0B: 1}
_KEY = re.compile(r"(line_[1-4]_(?:total|period)_(?:in|out)|region_[1-4]_count)")
_People = Annotated[int, msgspec.Meta(ge=0, le=2**32)]


class _Uplink(msgspec.Struct):
    packed: str | None = msgspec.field(name="frm_payload", default=None)
    received_at: str | None = None


class _Sent(msgspec.Struct):
    packed: str | None = msgspec.field(name="data", default=None)
    time: str | None = None
    received_at: str | None = None
    uplink: _Uplink | None = msgspec.field(name="uplink_message", default=None)
    period_s: float | None = None


_sent = msgspec.json.Decoder(_Sent)
_flat = msgspec.json.Decoder(dict[str, msgspec.Raw])
_people = msgspec.json.Decoder(_People)


def _read(source: str, topic: str, payload: bytes) -> Message:
    if not source:  # ChirpStack: application/<id>/device/<source>/event/up
        parts = topic.split("/")
        source = parts[3] if len(parts) > 3 else ""
    sent = _sent.decode(payload)
    packed = sent.packed or (None if sent.uplink is None else sent.uplink.packed)
    text = sent.time or sent.received_at
    at = None if text is None else local_or_zoned(text)
    if packed is not None:
        try:
            numbers = unpacked(base64.b64decode(packed, validate=True))
        except binascii.Error:
            raise BadInput("the uplink's bytes", "must be base64", "see docs/connect.md") from None
    else:
        fields = _flat.decode(payload)
        numbers = {name: _people.decode(raw) for name, raw in fields.items() if _KEY.fullmatch(name)}
    if not numbers:
        raise BadInput("message", f"must be {FORMAT.form}", "see docs/connect.md")
    return Message(source, _counted(numbers, at, sent.period_s))


def unpacked(packed: bytes) -> dict[str, int]:
    """Return the numbers of an uplink by the names of the vendor's own decoder; times of dwelling are passed over.

    Raises
    ------
    BadInput
        If a channel is not one of a people counter, or is cut short.

    Examples
    --------
    >>> unpacked(bytes.fromhex("03D248000000 04D2C8000000".replace(" ", "")))
    {'line_1_total_in': 72, 'line_1_total_out': 200}
    >>> unpacked(bytes.fromhex("0FE302100709"))
    {'region_1_count': 2, 'region_2_count': 16, 'region_3_count': 7, 'region_4_count': 9}
    """
    numbers: dict[str, int] = {}
    place = 0
    while place < len(packed):
        channel, kind = packed[place], packed[place + 1] if place + 1 < len(packed) else 0
        value = packed[place + 2 : place + 2 + _LENGTHS.get(kind, 0)]
        if kind not in _LENGTHS or len(value) < _LENGTHS[kind]:
            raise BadInput("the uplink's bytes", "must be whole channels of a people counter", "see docs/connect.md")
        place += 2 + len(value)
        line, which = divmod(channel - 3, 3)
        if kind == 0xE3:
            numbers.update({f"region_{k}_count": number for k, number in enumerate(value, 1)})
        elif 0 <= line < 4 and kind == 0xD2 and which < 2:
            numbers[f"line_{line + 1}_total_{('in', 'out')[which]}"] = int.from_bytes(value, "little")
        elif 0 <= line < 4 and kind == 0xCC and which == 2:
            numbers[f"line_{line + 1}_period_in"] = int.from_bytes(value[:2], "little")
            numbers[f"line_{line + 1}_period_out"] = int.from_bytes(value[2:], "little")
    return numbers


def _counted(numbers: dict[str, int], at: datetime | None, period_s: float | None) -> list[Counted]:
    """Return totals and regions; the sums of a period only where the message tells how long that was."""
    counted = []
    for name, number in numbers.items():
        if "_period_" not in name:
            counted.append(Counted(name, number, at))
        elif at is not None and period_s is not None:
            counted.append(Counted(name, number, at, at - timedelta(seconds=period_s)))
    return counted


FORMAT = Format(
    "milesight",
    _read,
    "an uplink of a people counter: base64 in data or frm_payload, or line and region counts, 0 or more",
    ("application/+/device/+/event/up", "v3/+/devices/+/up"),
)
