"""Vehicle counters: counts by class and direction in a window, or running totals. Never a plate: no field holds one.

The adapters file says how many people one vehicle of a class stands for (``people``), so that a cordon counts those who
come by road.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from anlan.ingest.foreign import Counted, Format, Message, local_or_zoned

_Vehicles = Annotated[int, msgspec.Meta(ge=0)]
_Class = Annotated[str, msgspec.Meta(max_length=40)]


class _Ways(msgspec.Struct, forbid_unknown_fields=True):
    n_in: _Vehicles | None = msgspec.field(name="in", default=None)
    n_out: _Vehicles | None = msgspec.field(name="out", default=None)


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    end: str
    vehicles: dict[_Class, _Ways]
    begin: str | None = None


_sent = msgspec.json.Decoder(_Sent)


def _read(source: str, topic: str, payload: bytes) -> Message:  # noqa: ARG001 - every format is asked alike
    sent = _sent.decode(payload)
    end_at = local_or_zoned(sent.end)
    begin_at = None if sent.begin is None else local_or_zoned(sent.begin)
    return Message(
        source,
        [
            Counted(f"{kind}/{way}", number, end_at, begin_at)
            for kind, ways in sent.vehicles.items()
            for way, number in (("in", ways.n_in), ("out", ways.n_out))
            if number is not None
        ],
    )


FORMAT = Format(
    "vehicles", _read, "end, an optional begin, and vehicles by class with in and out, and no other field", sparse=True
)
