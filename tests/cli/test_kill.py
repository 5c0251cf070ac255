"""Killed at any instant, a server loses nothing that it acknowledged."""

import itertools
import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests.cli.conftest import Started, signed
from tests.small import ring, square
from tests.waiting import PATIENCE_S, wait_for

from anlan.ingest import encode
from anlan.kernel.records import Observation
from anlan.store import DuckHistory, SqlStore

QUAY = ring(square(100, -400, 80, 600))


class Load:
    """Devices and a desk that go on until the server is gone, and remember what it acknowledged."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.acknowledged = set()
        self.watches = set()

    def seen(self, device, **values):
        end_at = datetime.now(UTC).replace(microsecond=0)
        return Observation(
            device_id=device,
            begin_at=end_at - timedelta(minutes=1),
            end_at=end_at,
            sequence=next(self.numbers),
            **values,
        )

    def told(self):
        """Return how many of each kind were acknowledged."""
        kinds = Counter(device for device, _ in list(self.acknowledged))
        return kinds["quay-1"], kinds["garden-1"], len(self.watches)

    def over_http(self, url, stop):
        with httpx.Client(base_url=f"{url}/api/v1", timeout=PATIENCE_S, headers=signed(url)) as asking:
            while not stop.is_set():
                batch = [self.seen("quay-1", n_present=5) for _ in range(7)]
                body = b'{"observations":[' + b",".join(map(encode, batch)) + b"]}"
                try:
                    answer = asking.post("/observations", content=body)
                except httpx.TransportError:
                    return
                assert answer.status_code == 200
                assert answer.json()["accepted"] == 7
                self.acknowledged.update((one.device_id, one.sequence) for one in batch)

    def over_mqtt(self, url, stop):
        host, port = url.removeprefix("mqtt://").split(":")
        waiting = {}

        def confirmed(_client, _own, number, _reason, _properties):
            while number not in waiting and not stop.is_set():  # confirmed before publish() told its number
                time.sleep(0.001)
            if number in waiting:
                self.acknowledged.add(waiting.pop(number))

        client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.on_publish = confirmed
        client.connect(host, int(port))
        client.loop_start()
        while not stop.is_set() and not client.is_connected():
            time.sleep(0.001)
        while not stop.is_set() and client.is_connected():
            one = self.seen("garden-1", n_in=2, n_out=1)
            sent = client.publish(f"anlan/observations/{one.device_id}", encode(one), qos=1)
            waiting[sent.mid] = (one.device_id, one.sequence)
            time.sleep(0.003)
        client.disconnect()
        client.loop_stop()

    def at_the_desk(self, url, stop):
        with httpx.Client(base_url=f"{url}/api/v1", timeout=PATIENCE_S, headers=signed(url)) as asking:
            while not stop.is_set():
                try:
                    answer = asking.post("/watches", json={"name": f"w{next(self.numbers)}", "polygon": QUAY})
                except httpx.TransportError:
                    return
                assert answer.status_code == 201
                self.watches.add(answer.json()["id"])


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_kill_at_a_random_instant_loses_nothing_that_was_acknowledged(times, pack_folder, tmp_path):
    load, random_ = Load(), random.Random(times)
    for _ in range(times):
        server = Started("serve", "--district", pack_folder, "--data", tmp_path, "--port", 0, "--mqtt-port", 0)
        stop = threading.Event()
        ways = [(load.over_http, server.url), (load.over_mqtt, server.mqtt), (load.at_the_desk, server.url)]
        threads = [threading.Thread(target=way, args=(url, stop)) for way, url in ways]
        before = load.told()
        for thread in threads:
            thread.start()
        wait_for(lambda then=before: all(now - one >= 5 for now, one in zip(load.told(), then, strict=True)))
        time.sleep(random_.uniform(0.0, 1.2))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
    kinds = Counter(device for device, _ in load.acknowledged)
    history = DuckHistory.open(tmp_path)
    kept = Counter((one.device_id, one.sequence) for one in history.arrived(0, 10_000_000)[0])
    tallies = history.tallies()
    history.close()
    assert load.acknowledged - set(kept) == set()
    assert max(kept.values()) == 1
    assert all(tallies[name].n_accepted == sum(device == name for device, _ in kept) for name in kinds)
    store = SqlStore.open(f"sqlite:///{tmp_path / 'records.db'}")
    audit, watches = store.verify(), {record.record_id for record in store.records("watch")}
    store.close()
    assert audit.ok
    assert load.watches - watches == set()
