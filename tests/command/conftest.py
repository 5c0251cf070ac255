import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
import uvicorn
from tests.small import small_pack
from tests.waiting import PATIENCE_S

from anlan.command import create_app
from anlan.district import District
from anlan.ingest import encode
from anlan.kernel.clock import FollowedClock
from anlan.kernel.records import Observation

BEGIN = datetime(2026, 12, 31, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@contextmanager
def served(app):
    """Serve an application on a free loopback port; yield its address. Leave the clients connected that are."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1, lifespan="on")
    )
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as the server listens
    listening.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as asking:  # a busy machine may take its time to begin
            for _ in range(500):
                try:
                    asking.get("/api/v1/healthz")
                    break
                except httpx.ConnectError:
                    pass
        yield url
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        listening.close()


class Live:
    """A small district that is served, and whose time and devices the test drives."""

    def __init__(self, folder, *, simulation=None):
        self.clock = FollowedClock(BEGIN)
        self.district = District.open(small_pack(), folder, clock=self.clock)
        self.app = create_app(self.district, simulation=simulation)
        self.sent = 0

    def seen(self, device, end_at=None, length=MINUTE, **values):
        end_at = end_at or self.clock.now()
        self.sent += 1
        values = values or {"n_present": 90}
        return Observation(device_id=device, begin_at=end_at - length, end_at=end_at, sequence=self.sent, **values)

    def grid(self):
        """Let the holder of phone locations tell a quarter of an hour: 60 people in each square."""
        self.district.observe([self.seen("grid", length=15 * MINUTE, counts=np.full(36, 60.0))])

    def minute(self, n=1):
        """Let minutes pass in which the devices count."""
        for _ in range(n):
            self.clock.set(self.clock.now() + MINUTE)
            self.district.observe(
                [
                    self.seen("quay-1", n_present=90),
                    self.seen("garden-1", n_in=60, n_out=10),
                    self.seen("garden-2", n_in=20, n_out=25),
                    self.seen("walk-1", n_in=30, n_out=30),
                ]
            )
            self.district.advance()


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    made = Live(tmp_path_factory.mktemp("small"))
    made.grid()
    made.minute(12)
    with served(made.app) as made.url, httpx.Client(base_url=f"{made.url}/api/v1", timeout=PATIENCE_S) as made.http:
        yield made
    made.district.close()


@pytest.fixture
def http(live):
    return live.http


@pytest.fixture
def wire():
    """Return the body of a batch."""

    def of(*seen):
        return b'{"observations":[' + b",".join(encode(one) for one in seen) + b"]}"

    return of
