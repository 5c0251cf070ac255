"""The form in which a unit says by MQTT where it is: topic ``anlan/units/<unit>/position``, and three numbers."""

from __future__ import annotations

import re

import msgspec

from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput
from anlan.kernel.response import PositionReport

UNIT_TOPICS = "anlan/units/"
_TOPIC = re.compile(r"anlan/units/([^/+#]+)/position")


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    at: str
    lon: float
    lat: float


def position_from(topic: str, payload: bytes) -> PositionReport:
    """Return the position in a message.

    Raises
    ------
    BadInput
        If the topic is another, or the message is not exactly a moment, a longitude and a latitude.

    Examples
    --------
    >>> body = b'{"at": "2026-12-31T18:00:00+08:00", "lon": 121.49, "lat": 31.24}'
    >>> position_from("anlan/units/vehicle-1/position", body).unit_id
    'vehicle-1'
    """
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise BadInput(f"topic {topic[:80]!r}", "must be anlan/units/<unit>/position", "publish there")
    try:
        sent = msgspec.json.decode(payload, type=_Sent)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise BadInput("the position", f"must hold at, lon and lat, and nothing else ({fault})", "correct it") from None
    return PositionReport(unit_id=found[1], at=parse_moment(sent.at), lon=sent.lon, lat=sent.lat)
