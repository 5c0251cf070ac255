from datetime import UTC, datetime, timedelta

import pytest
from shapely.geometry import LineString, box

from anlan.ingest import Door
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
