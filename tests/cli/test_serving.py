"""In which order a server is set up, and that nothing is warned of on the way."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from tests.small import small_pack
from tests.waiting import PATIENCE_S, wait_for

from anlan.cli import serving
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.kernel.errors import Unavailable
from anlan.pack import write_pack
from anlan.staff import Staff, read_roles

MAKE = """
import sys
from pathlib import Path
from anlan.command import create_app
from anlan.district import District
district = District.open(sys.argv[1], Path(sys.argv[2]))
print(len(create_app(district).openapi()["paths"]))
district.close()
"""


class Enough(Exception):
    """Ends a server where its application would be made."""


def test_the_application_is_made_before_any_minute(tmp_path, monkeypatch):
    running = []

    def made(*_args, **_named):
        running.extend(thread.name for thread in threading.enumerate())
        raise Enough

    monkeypatch.setattr(serving, "create_app", made)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    district = District.open(small_pack(), tmp_path / "data")
    staff = Staff(district.store, read_roles(), district.pack.areas)
    with serving.listening(0) as listener, pytest.raises(Enough):
        serving.run_server(serving.Minutes(district), listener, broker=None, staff=staff)
    district.close()
    assert running
    assert not {"minutes", "warm"} & set(running)


def test_minutes_do_not_wait_for_a_day_that_is_put_away_nor_that_for_what_is_forgotten(tmp_path, monkeypatch, caplog):
    clock = FollowedClock(datetime(2026, 12, 31, 10, tzinfo=UTC))
    district = District.open(small_pack(), tmp_path, clock=clock)
    begun, may_end, retained = threading.Event(), threading.Event(), threading.Event()

    def seal(_now):
        begun.set()
        may_end.wait(PATIENCE_S)
        return []

    def retain(_now):
        retained.set()
        raise Unavailable("the disk", "must have room", "make some")

    monkeypatch.setattr(serving, "HOUSEKEEPING_S", 0.05)
    monkeypatch.setattr(district.history, "seal", seal)
    monkeypatch.setattr(district.history, "retain", retain)
    minutes = serving.Minutes(district)
    minutes.start()
    try:
        assert begun.wait(PATIENCE_S)
        for _ in range(3):
            before = clock.now()
            clock.set(before + timedelta(minutes=1))
            minutes.wake()
            wait_for(lambda at=before: district.estimated_at == at)
        assert retained.is_set()  # in vain, and a day is put away all the same
        may_end.set()
        wait_for(lambda: caplog.text.count("it is tried again") > 1)
    finally:
        may_end.set()
        minutes.stop()
        district.close()


def test_making_the_application_and_its_description_warns_of_nothing(tmp_path):
    write_pack(small_pack(), tmp_path / "pack")
    ask = [sys.executable, "-W", "error", "-c", MAKE, str(tmp_path / "pack"), str(tmp_path / "data")]
    told = subprocess.run(ask, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603 - ourselves
    assert (told.returncode, told.stderr) == (0, "")
    assert int(told.stdout) > 100
