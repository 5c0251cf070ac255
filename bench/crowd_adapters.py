"""Adapters: every vendor's message read right, and how many a second one core reads, topic to observation."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from anlan.ingest import adapters_of, encode
from anlan.ingest.adapters import Adapter, adapter_of
from anlan.kernel.records import Observation
from row import Row

GOAL_PER_S = 20_000
N_DEVICES = 100
BEGIN = datetime(2026, 12, 31, 10, tzinfo=UTC)
WAYS = {
    "onvif": {"1/2/In": "in", "1/2/Out": "out"},
    "xovis": {"11": "in", "12": "out"},
    "hikvision": {"1/enter": "in", "1/exit": "out"},
    "axis": {"in": "in", "out": "out"},
    "milesight": {"line_1_total_in": "in", "line_1_total_out": "out"},
    "vehicles": {"car/in": "in", "car/out": "out"},
}
Messages = list[tuple[str, bytes]]


def onvif(source: str, at: datetime, n_in: int, n_out: int) -> Messages:
    topic = f"{source}/onvif-ej/RuleEngine/CountAggregation/Counter/&1/2/"
    told = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    body = (
        '{"UtcTime":"%s","Source":{"VideoSource":"1","AnalyticsConfiguration":"2","Rule":"%s"},"Data":{"Count":"%d"}}'
    )
    return [(topic + rule, (body % (told, rule, n)).encode()) for rule, n in (("In", n_in), ("Out", n_out))]


def xovis(source: str, at: datetime, n_in: int, n_out: int) -> Messages:
    happened = [
        {
            "category": "COUNT",
            "type": "COUNT_INCREMENT",
            "attributes": {"counter_id": k, "counter_value": n, "track_id": 9},
        }
        for k, n in ((11, n_in), (12, n_out))
    ]
    frame = {"framenumber": 1, "time": int(at.timestamp() * 1000), "tracked_objects": [], "events": happened}
    sensor = {"serial_number": source, "type": "SINGLE_SENSOR"}
    return [("xovis", json.dumps({"live_data": {"sensor_info": sensor, "frames": [frame]}}).encode())]


def hikvision(source: str, at: datetime, n_in: int, n_out: int) -> Messages:
    told = at.isoformat()
    body = (
        '<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><ipAddress>192.0.2.7</ipAddress>'
        f"<channelID>1</channelID><dateTime>{told}</dateTime><eventType>PeopleCounting</eventType><eventState>active"
        "</eventState><peopleCounting><statisticalMethods>realTime</statisticalMethods><RealTime>"
        f"<time>{told}</time></RealTime><enter>{n_in}</enter><exit>{n_out}</exit></peopleCounting></EventNotificationAlert>"
    )
    return [(f"hikvision/{source}", body.encode())]


def axis(source: str, at: datetime, n_in: int, n_out: int) -> Messages:
    local = (at + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    return [
        ("axis", json.dumps({"serial": source, "name": "Exit", "timestamp": local, "in": n_in, "out": n_out}).encode())
    ]


def milesight(source: str, at: datetime, n_in: int, n_out: int) -> Messages:
    packed = b"\x03\xd2" + n_in.to_bytes(4, "little") + b"\x04\xd2" + n_out.to_bytes(4, "little")
    return [(f"milesight/{source}", json.dumps({"data": b64encode(packed).decode(), "time": at.isoformat()}).encode())]


def vehicles(source: str, at: datetime, n_in: int, n_out: int) -> Messages:
    told = {"end": at.isoformat(), "vehicles": {"car": {"in": n_in, "out": n_out}}}
    return [(f"vehicles/{source}", json.dumps(told).encode())]


WRITERS = {one.__name__: one for one in (onvif, xovis, hikvision, axis, milesight, vehicles)}


def rate(name: str, n_minutes: int) -> tuple[float, bool]:
    """Return messages a second over a day's worth of totals that wrap, and whether every difference was right."""
    device = {"format": name, "counters": WAYS[name], "time_zone": "Asia/Shanghai", "wraps_at": 2**16}
    adapters = adapters_of({"device": [device | {"device": f"d{k}", "source": f"s{k}"} for k in range(N_DEVICES)]})
    rng = np.random.default_rng(1)
    people = rng.poisson(20, (n_minutes, N_DEVICES, 2))
    people[0] = 0
    totals = (65_000 + people.cumsum(axis=0)) % 2**16
    sent = [
        (BEGIN + timedelta(minutes=m), message)
        for m in range(n_minutes)
        for k in range(N_DEVICES)
        for message in WRITERS[name](f"s{k}", BEGIN + timedelta(minutes=m), *map(int, totals[m, k]))
    ]
    took, made = read(adapters, sent)
    right = sum(seen.n_in + seen.n_out for seen in made) == people.sum() and len(made) == (n_minutes - 1) * N_DEVICES
    return len(sent) / took, bool(right)


def read(
    adapters: Sequence[Adapter], sent: Sequence[tuple[datetime, tuple[str, bytes]]]
) -> tuple[float, list[Observation]]:
    """Return the seconds of one core, whatever else the machine does, and what was read."""
    made = []
    begin = time.process_time()
    for at, (topic, payload) in sent:
        taken, refusals = adapter_of(adapters, topic).decode(topic, payload, at)
        made += [seen for _, seen in taken]
        assert not refusals, refusals
    return time.process_time() - begin, made


def stateless(n: int) -> dict[str, tuple[float, bool]]:
    """Return the same for the forms without totals."""
    streams = {str(k): {"device": f"d{k}", "value": "passed", "interval_s": 60} for k in range(N_DEVICES)}
    adapters = adapters_of({"datastreams": streams})
    things, own = [], []
    for k in range(n):
        at = BEGIN + timedelta(minutes=k // N_DEVICES)
        body = b'{"phenomenonTime": "%s", "result": %d}' % (at.isoformat().encode(), k % 97)
        things.append((at, (f"v1.1/Datastreams({k % N_DEVICES})/Observations", body)))
        seen = Observation(device_id="d", begin_at=at - timedelta(minutes=1), end_at=at, sequence=k, n_passed=k % 97)
        own.append((at, ("anlan/observations/d", encode(seen))))
    told = {}
    for name, sent in (("sensorthings", things), ("own form", own)):
        took, made = read(adapters, sent)
        told[name] = n / took, [seen.n_passed for seen in made] == [k % 97 for k in range(n)]
    return told


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Each format: whether a day of wrapping totals comes out right, and the rate; json.loads stands beside."""
    n_minutes = 20 if quick else 200
    told = {name: rate(name, n_minutes) for name in WRITERS} | stateless(N_DEVICES * n_minutes)
    [(_, body)] = xovis("s1", BEGIN, 245, 9)
    begin = time.process_time()
    for _ in range(10_000):
        json.loads(body)
    peer = f"json.loads alone on a Xovis message {10_000 / (time.process_time() - begin):,.0f}/s"
    say(f"read {len(told)} formats")
    wrong = [name for name, (_, right) in told.items() if not right]
    yield Row(
        id="2.12a",
        what=f"formats whose sums are exact, counters wrapping ({', '.join(told)})",
        value=len(told) - len(wrong),
        unit=f"of {len(told)}",
        goal="all",
        ok=not wrong,
        peer=f"wrong: {', '.join(wrong)}" if wrong else None,
    )
    for name, (per_s, _) in told.items():
        yield Row(
            id=f"2.12b {name}",
            what=f"{name}: messages read per core",
            value=per_s,
            unit="1/s",
            goal=f">= {GOAL_PER_S:,}",
            ok=per_s >= GOAL_PER_S,
            peer=peer if name == "xovis" else None,
        )
