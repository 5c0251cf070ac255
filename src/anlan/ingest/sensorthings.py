"""Observations of the OGC SensorThings API, as its servers publish them over MQTT.

References
----------
OGC 18-088, SensorThings API Part 1: Sensing 1.1 (2021), sections 8.2.8 (Observation) and 14 (MQTT extension). Read
here are ``phenomenonTime`` and ``result``; every other property is passed over unread, and so never kept.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from anlan.ingest.wire import FAULTS, Decoded, People
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.ingress import Refusal, RefusalCode
from anlan.kernel.records import Observation

_TOPIC = re.compile(r"^v1\.[01]/Datastreams\((?P<id>[^)]*)\)/Observations$")


class _Directions(msgspec.Struct, forbid_unknown_fields=True):
    n_in: People = msgspec.field(name="in")
    n_out: People = msgspec.field(name="out")


class _Sent(msgspec.Struct):
    result: msgspec.Raw
    phenomenon_time: str | None = msgspec.field(default=None, name="phenomenonTime")


_sent = msgspec.json.Decoder(_Sent)
_people = msgspec.json.Decoder(People)
_directions = msgspec.json.Decoder(_Directions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Datastream:
    """What a datastream is here: whose it is, and what its result counts.

    ``value`` is ``passed`` or ``present`` (the result is a number), or ``directions`` (an object with in and out).
    ``interval_s`` is the window where the observation tells only an instant, which is taken as the window's end.
    """

    device_id: str
    value: str
    interval_s: float


class SensorThings:
    """Reads ``v1.1/Datastreams(<id>)/Observations``.

    Parameters
    ----------
    datastreams : mapping of str to Datastream
        By the id in the topic (quotes of a text id are left out).

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> stream = Datastream(device_id="bridge", value="passed", interval_s=900)
    >>> [(_, seen)], refusals = SensorThings({"7": stream}).decode(
    ...     "v1.1/Datastreams(7)/Observations",
    ...     b'{"phenomenonTime": "2026-12-31T10:00:00Z/2026-12-31T10:15:00Z", "result": 240}',
    ...     datetime(2026, 12, 31, 10, 15, 2, tzinfo=UTC),
    ... )
    >>> seen.device_id, seen.n_passed, seen.end_at.isoformat()
    ('bridge', 240, '2026-12-31T10:15:00+00:00')
    """

    topics = ("v1.1/+/Observations", "v1.0/+/Observations")

    def __init__(self, datastreams: Mapping[str, Datastream]) -> None:
        self._datastreams = dict(datastreams)

    @classmethod
    def read(cls, path: Path) -> SensorThings:
        """Read the mapping from TOML: ``[datastreams.7]`` with ``device``, ``value`` and ``interval_s``.

        Raises
        ------
        NotFound
            If there is no such file.
        BadInput
            If it is no such mapping.
        """
        try:
            return cls.of(tomllib.loads(path.read_text("utf-8"))["datastreams"])
        except FileNotFoundError:
            raise NotFound(f"file {path}", "does not exist", "correct the path") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, AttributeError) as fault:
            raise BadInput(path.name, f"must hold [datastreams.<id>] tables ({fault})", "see docs/connect.md") from None

    @classmethod
    def of(cls, told: Mapping[str, Mapping[str, Any]]) -> SensorThings:
        """Take the mapping as it is read from TOML: for each datastream its device, value and interval_s.

        Raises
        ------
        BadInput
            If one of these is missing or wrong.
        """
        return cls({str(key): _datastream(str(key), one) for key, one in told.items()})

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Return the observation, or why there is none."""
        found = _TOPIC.match(topic)
        stream = None if found is None else self._datastreams.get(found["id"].strip("'"))
        if stream is None:
            message = "datastream must be one of the mapping; add it to the SensorThings mapping file."
            return [], [Refusal(code=RefusalCode.UNKNOWN_DEVICE, message=message)]
        try:
            return [(0, _observation(stream, _sent.decode(payload), received_at))], []
        except BadInput as fault:
            message = str(fault)
        except FAULTS:
            message = (
                f"Observation must be JSON with phenomenonTime and a result that counts people ({stream.value}); "
                "send whole people, 0 or more."
            )
        return [], [Refusal(code=RefusalCode.MALFORMED, message=message, device_id=stream.device_id)]


def _datastream(key: str, told: Mapping[str, Any]) -> Datastream:
    if not isinstance(told, Mapping):
        raise BadInput(f"datastream {key!r}", "must hold device, value and interval_s", "see docs/connect.md")
    value, interval_s = told.get("value"), told.get("interval_s")
    if value not in {"passed", "present", "directions"}:
        raise BadInput(
            f"datastream {key!r} value={value!r}", "must be passed, present or directions", "say what its result counts"
        )
    if not isinstance(interval_s, int | float) or not 0 < interval_s < math.inf:
        raise BadInput(f"datastream {key!r} interval_s={interval_s!r}", "must be > 0", "give its window in seconds")
    if not isinstance(told.get("device"), str):
        raise BadInput(f"datastream {key!r}", "must name its device", "give the device's id in the district pack")
    return Datastream(device_id=told["device"], value=value, interval_s=float(interval_s))


def _observation(stream: Datastream, sent: _Sent, received_at: datetime) -> Observation:
    begin_at, end_at = _window(sent.phenomenon_time, stream.interval_s, received_at)
    directions = _directions.decode(sent.result) if stream.value == "directions" else None
    number = None if directions else _people.decode(sent.result)
    return Observation(
        device_id=stream.device_id,
        begin_at=begin_at,
        end_at=end_at,
        sequence=max(0, int(end_at.timestamp())),
        n_in=directions.n_in if directions else None,
        n_out=directions.n_out if directions else None,
        n_passed=number if stream.value == "passed" else None,
        n_present=number if stream.value == "present" else None,
    )


def _window(told: str | None, interval_s: float, received_at: datetime) -> tuple[datetime, datetime]:
    """Return the window; the standard lets the receiver fill in its own time where none is told."""
    if told is None:
        return received_at - timedelta(seconds=interval_s), received_at
    begin, _, end = told.partition("/")
    try:
        if end:
            return parse_moment(begin), parse_moment(end)
        end_at = parse_moment(begin)
    except BadInput:
        raise BadInput(
            "phenomenonTime",
            "must be an ISO 8601 moment or interval with its zone",
            "write it like 2026-12-31T10:00:00Z/2026-12-31T10:15:00Z",
        ) from None
    return end_at - timedelta(seconds=interval_s), end_at
