import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from shapely.geometry import LineString, box
from tests.waiting import PATIENCE_S

from anlan.ingest import Door, EmbeddedBroker
from anlan.kernel.clock import FollowedClock
from anlan.kernel.records import Device, DeviceKind, GridSpec, Observation
from anlan.store import DuckHistory

NOW = datetime(2026, 12, 31, 10, 0, tzinfo=UTC)
LINE = LineString([(121.48, 31.22), (121.481, 31.22)])
FIELD = box(121.48, 31.22, 121.481, 31.221)


def device(device_id, kind, **more):
    geometry = LINE if kind in {DeviceKind.GATE, DeviceKind.PASSAGE} else FIELD
    return Device(device_id=device_id, kind=kind, name={"zh": device_id, "en": device_id}, geometry=geometry, **more)


DEVICES = (
    device("gate", DeviceKind.GATE),
    device("passage", DeviceKind.PASSAGE),
    device("sum", DeviceKind.PASSAGE, directed=False),
    device("hourly", DeviceKind.PASSAGE, directed=False, interval_s=3600.0),
    device("area", DeviceKind.AREA),
    device(
        "grid",
        DeviceKind.GRID,
        interval_s=300.0,
        grid=GridSpec(west_m=0, south_m=0, size_m=100, n_columns=2, n_rows=2),
    ),
)


def seen(device_id="gate", end_at=NOW, sequence=0, minutes=1, **values):
    values = values or {"n_in": 5, "n_out": 3}
    return Observation(
        device_id=device_id, begin_at=end_at - timedelta(minutes=minutes), end_at=end_at, sequence=sequence, **values
    )


def run_of(n, device_id="gate", first=0):
    """Return observations of one device that all differ and are all in time."""
    return [seen(device_id, NOW - timedelta(milliseconds=k), first + k) for k in range(n)]


@pytest.fixture
def clock():
    return FollowedClock(NOW)


@pytest.fixture
def history(tmp_path):
    history = DuckHistory.open(tmp_path / "history")
    yield history
    history.close()


@pytest.fixture
def door(history, clock):
    door = Door(DEVICES, history, clock)
    yield door
    door.close()


class Sender:
    """A paho client that publishes as a device would, and tells what was acknowledged."""

    def __init__(self, port, **more):
        self.refused = None
        self.connected = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=more.pop("client_id", ""), **more)
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(100)
        self.client.on_connect = self._on_connect
        self.port = port

    def _on_connect(self, _client, _own, _flags, reason, _properties):
        self.refused = str(reason) if reason.is_failure else None
        self.connected.set()

    def __enter__(self):
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        assert self.connected.wait(PATIENCE_S)
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, payload, topic="anlan/observations/gate", qos=1, **more):
        return self.client.publish(topic, payload, qos=qos, **more)


def acknowledged(message, timeout=PATIENCE_S):
    until = time.monotonic() + timeout  # paho refuses to wait for what was queued while the connection was cut
    while not message._published and time.monotonic() < until:
        time.sleep(0.005)
    return message._published


class Loop:
    """An event loop in a thread of its own, for a broker beside a blocking test."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.faults = []
        self.loop.set_exception_handler(lambda _, told: self.faults.append(told))
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE_S)

    def close(self):
        pending = self.run(self._pending())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        assert pending == []
        assert self.faults == []

    async def _pending(self):
        await asyncio.sleep(0.05)
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def broker(loop, door):
    broker = EmbeddedBroker("127.0.0.1", 0, door)
    loop.run(broker.start())
    yield broker
    loop.run(broker.close())
