"""Axis cameras: AXIS People Counter (totals of the camera's day) and AXIS Object Analytics (HTTP answers and MQTT).

The People Counter tells its camera's local time without a zone; its totals begin again at the camera's midnight.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from anlan.ingest.foreign import Counted, Format, Message, from_epoch_ms, local_or_zoned
from anlan.kernel.errors import BadInput

_People = Annotated[int, msgspec.Meta(ge=0)]
_Told = _People | str
_CLASSES = ("total", "human", "bike", "car", "bus", "truck", "motorcycle", "other_vehicle")


class _Answer(msgspec.Struct):
    timestamp: str | None = None
    total: _Told | None = None
    human: _Told | None = msgspec.field(name="totalHuman", default=None)
    bike: _Told | None = msgspec.field(name="totalBike", default=None)
    car: _Told | None = msgspec.field(name="totalCar", default=None)
    bus: _Told | None = msgspec.field(name="totalBus", default=None)
    truck: _Told | None = msgspec.field(name="totalTruck", default=None)
    motorcycle: _Told | None = msgspec.field(name="totalMotorcycle", default=None)
    other_vehicle: _Told | None = msgspec.field(name="totalOtherVehicle", default=None)


class _Wrapped(msgspec.Struct):
    answer: _Answer = msgspec.field(name="data")


class _Sent(msgspec.Struct):
    serial: str = ""
    timestamp: str | int | None = None
    n_in: _People | None = msgspec.field(name="in", default=None)
    n_out: _People | None = msgspec.field(name="out", default=None)
    occupancy: _People | None = None
    method: str | None = None
    answer: _Answer | None = msgspec.field(name="data", default=None)
    topic: str | None = None
    message: _Wrapped | None = None


_sent = msgspec.json.Decoder(_Sent)


def _read(source: str, topic: str, payload: bytes) -> Message:  # noqa: ARG001 - every format is asked alike
    sent = _sent.decode(payload)
    source = source or sent.serial
    if sent.message is not None:
        if "ObjectAnalytics" not in (sent.topic or ""):
            raise BadInput("topic in the message", "must be of Object Analytics", "publish its scenarios only")
        scenario = (sent.topic or "").rpartition("/")[2]
        return Message(source, _totals(sent.message.answer, f"{scenario}/", _moment(sent.timestamp)))
    if sent.answer is not None:
        told = "occupancy/" if sent.method == "getOccupancy" else ""
        return Message(source, _totals(sent.answer, told, _moment(sent.answer.timestamp)))
    numbers = {"in": sent.n_in, "out": sent.n_out, "occupancy": sent.occupancy}
    at = _moment(sent.timestamp)
    counted = [Counted(name, number, at) for name, number in numbers.items() if number is not None]
    if not counted:
        raise BadInput("message", f"must be {FORMAT.form}", "see docs/connect.md")
    return Message(source, counted)


def _moment(told: str | int | None) -> datetime | None:
    if told is None:
        return None
    return from_epoch_ms(told) if isinstance(told, int) else local_or_zoned(told)


def _totals(answer: _Answer, prefix: str, at: datetime | None) -> list[Counted]:
    found = [(name, getattr(answer, name)) for name in _CLASSES]
    return [Counted(prefix + name, int(number), at) for name, number in found if number is not None]


FORMAT = Format("axis", _read, "live-sum, live-occupancy or Object Analytics counts, with whole people, 0 or more")
