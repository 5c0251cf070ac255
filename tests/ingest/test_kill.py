"""What was acknowledged is in the history, once, however often and whenever the server is killed."""

import random
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.ingest.conftest import Sender, run_of
from tests.waiting import until, wait_for

from anlan.ingest import encode
from anlan.store import DuckHistory

ROOT = Path(__file__).parents[2]
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as there:
        return there.getsockname()[1]


def begin(command):
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own child
    assert child.stdout.readline() == "ready\n"
    return child


def end(child):
    child.kill()
    child.wait()
    child.stdout.close()


def kept_in(folder):
    history = DuckHistory.open(folder)
    found, after = history.arrived(0, 1_000_000)
    assert len(found) == after
    history.close()
    return Counter((one.device_id, one.sequence) for one in found)


class Load:
    """A device that keeps some hundred observations on their way, and sends again what was not acknowledged."""

    def __init__(self, sender):
        self.sender = sender
        self.sent = {}  # sequence by message id; there are fewer messages than ids
        self.confirmed = set()
        # What paho itself tells of a message is an error where it was sent while the connection was away.
        sender.client.on_publish = lambda _client, _own, message_id, *_: self.confirmed.add(message_id)

    def keep_up(self, seconds):
        end_at = time.monotonic() + seconds
        while time.monotonic() < end_at:
            if len(self.sent) - len(self.confirmed) < 200:
                for one in run_of(100, first=len(self.sent)):
                    self.sent[self.sender.send(encode(one)).mid] = one.sequence
            time.sleep(0.01)

    def keep_up_until_more(self):
        before = len(self.confirmed)
        wait_for(lambda: self.keep_up(0.05) or len(self.confirmed) > before)

    def acknowledged(self):
        return {("gate", self.sent[message_id]) for message_id in list(self.confirmed)}


def kill_again_and_again(folder, n_kills, seed):
    rng = random.Random(seed)
    port = free_port()
    command = [sys.executable, "-m", "tests.ingest.serving", str(folder), str(port)]
    child = begin(command)
    n_seen = []
    try:
        with Sender(port, client_id="device", clean_session=False) as sender:
            load = Load(sender)
            for k in range(n_kills):
                if k % 2 == 0:  # into full load; the others come at any moment, a start or a reconnection among them
                    load.keep_up_until_more()
                load.keep_up(rng.uniform(0.05, 1.0))
                end(child)
                acknowledged = load.acknowledged()
                kept = kept_in(folder)
                assert acknowledged <= set(kept), sorted(acknowledged - set(kept))[:5]
                assert set(kept.values()) <= {1}
                n_seen.append(len(acknowledged))
                child = begin(command)
            assert until(lambda: len(load.confirmed) == len(load.sent))
    finally:
        end(child)
    kept = kept_in(folder)
    assert len(load.sent) == len(set(load.sent.values())) < 65_535
    assert kept == Counter(load.acknowledged())
    assert n_seen[-1] > 0
    return n_seen


@pytest.mark.slow
def test_killing_the_server_twenty_times_loses_nothing_acknowledged(tmp_path):
    n_seen = kill_again_and_again(tmp_path / "history", 20, seed=2)
    assert len(set(n_seen)) >= 10, "at least every second kill came while observations were being acknowledged"
