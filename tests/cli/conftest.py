import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.small import small_pack
from tests.waiting import PATIENCE_S

from anlan.cli import main, say, terminal
from anlan.pack import write_pack


def signed(url):
    """Return what a program of this machine signs its requests with."""
    return {"authorization": f"Bearer {terminal.key_for(url)}"}


class Started:
    """A child of ours that serves: `python -m anlan serve|demo ...`."""

    def __init__(self, *ask, home=None, wait_s=PATIENCE_S):
        place = {**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"} | (
            {"XDG_STATE_HOME": str(home)} if home else {}
        )
        begun = time.monotonic()
        self.child = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "anlan", *map(str, ask)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=place,
        )
        self.said = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.url = self._find(r"http://127\.0\.0\.1:\d+", wait_s)
        self.mqtt = self._find(r"mqtt://127\.0\.0\.1:\d+", wait_s)
        self.began_s = time.monotonic() - begun  # what a busy machine is measured by
        self.http = httpx.Client(base_url=f"{self.url}/api/v1", timeout=PATIENCE_S)
        if home is None:
            self.http.headers.update(signed(self.url))

    def _read(self):
        for line in self.child.stdout:
            self.said.append(line)

    def _find(self, pattern, wait_s):
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            found = re.search(pattern, "".join(self.said))
            if found:
                return found[0]
            if self.child.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise AssertionError("".join(self.said))

    def players(self):
        """Return the process ids of the children of this child."""
        listed = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        threads = Path(f"/proc/{self.child.pid}/task").glob("*/children") if listed.exists() else ()
        return [int(word) for path in threads for word in path.read_text().split()]

    def interrupt(self):
        """Press Ctrl-C; return the exit status and how long it took."""
        begun = time.monotonic()
        self.child.send_signal(signal.SIGINT)
        status = self.child.wait(PATIENCE_S)
        took = time.monotonic() - begun
        self._end()
        return status, took

    def kill(self):
        self.child.kill()
        self.child.wait()
        self._end()

    def _end(self):
        self._reader.join(PATIENCE_S)
        if not self._reader.is_alive():  # a player that outlived its demo holds the pipe: closing would wait for it
            self.child.stdout.close()
        if hasattr(self, "http"):
            self.http.close()


@pytest.fixture
def started():
    """Start children; none outlives the test."""
    running = []

    def start(*ask, **how):
        running.append(Started(*ask, **how))
        return running[-1]

    yield start
    for one in running:
        if one.child.poll() is None:
            one.kill()


@pytest.fixture(scope="session")
def pack_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs") / "small"
    write_pack(small_pack(), folder)
    return folder


@pytest.fixture
def anlan(monkeypatch, capsys):
    """Run a command to its end as a terminal would, in this very program; return (status, out, err)."""

    def run(*ask):
        monkeypatch.setattr(sys, "argv", ["anlan", *map(str, ask)])
        monkeypatch.setattr(say.out, "width", 160)
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
        told = capsys.readouterr()
        return status, told.out, told.err

    return run
