import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.disks import small_disk

from anlan.kernel.errors import Unavailable
from anlan.kernel.records import Draft, Observation
from anlan.store import DuckHistory, SqlStore, Step

AT = datetime(2026, 12, 31, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


SMALL = [(kind, megabytes) for kind in ("disk", "limit") for megabytes in (4, 18)]


@pytest.fixture(params=SMALL, ids=lambda small: f"{small[1]} MB {small[0]}")
def small(request, tmp_path):
    """A folder that takes a few megabytes, and a way to make room.

    In 4 MB a history's log does not fit; in 18 MB it does, and there is no room to fold it into the file.
    """
    with small_disk(tmp_path, *request.param) as made:
        yield made


def written_until_full(write):
    for k in range(10_000):
        try:
            write(k)
        except Unavailable as fault:
            return k, fault
    pytest.fail("the disk never filled")


def test_a_full_disk_is_told_and_the_records_live_on(small):
    folder, make_room = small
    store = SqlStore.open(f"sqlite:///{folder}/records.db")

    def write(k):
        body = {"text": "x" * 20_000}
        store.apply([Draft(kind="note", record_id=str(k), action="put", actor="desk", body=body)], at=AT)

    n, fault = written_until_full(write)
    assert fault.next_step.startswith(("free some space", "mend or free the disk"))
    assert len(store.records("note")) == n
    make_room()
    write(n)
    assert store.verify().ok
    assert store.verify().n_changes == n + 1
    store.close()


def seen(k):
    end_at = AT + k * MINUTE
    counts = np.full(400, k, float)
    return Observation(device_id="g", begin_at=end_at - MINUTE, end_at=end_at, sequence=k, counts=counts)


def step(k):
    noise = np.random.default_rng(k)
    persons = (1000 * noise.random(20_000)).astype(np.float32)
    return Step(at=AT + k * MINUTE, low=k, high=k, occupancy=persons, state=noise.bytes(100_000))


def as_a_kill_would_leave_it(folder, elsewhere):
    shutil.copytree(folder, elsewhere)
    copy = DuckHistory.open(elsewhere)
    found = len(copy.arrived(0)[0]), len(copy.occupancies(AT - MINUTE, AT + timedelta(days=9))[0])
    copy.close()
    return found


def test_a_full_disk_is_told_and_the_history_lives_on(small, tmp_path):
    folder, make_room = small
    history = DuckHistory.open(folder / "h")

    def write(k):
        history.accept([seen(k)], received_at=AT)
        history.commit_step(step(k))

    n, fault = written_until_full(write)
    assert fault.next_step.startswith("free some space")
    for _ in range(3):
        with pytest.raises(Unavailable, match="free some space"):
            history.commit_step(replace(step(n), state=bytes(5_000_000)))
    n_observed = len(history.arrived(0)[0])
    n_made = len(history.occupancies(AT - MINUTE, AT + timedelta(days=9))[0])
    assert n_observed in {n, n + 1}
    assert n_made >= n
    assert sum(tally.n_accepted for tally in history.tallies().values()) == n_observed
    make_room()
    assert as_a_kill_would_leave_it(folder / "h", tmp_path / "full") == (n_observed, n_made)
    history.accept([seen(n_observed)], received_at=AT)
    history.commit_step(step(n_made))
    assert as_a_kill_would_leave_it(folder / "h", tmp_path / "after") == (n_observed + 1, n_made + 1)
    history.close()
    again = DuckHistory.open(folder / "h")
    assert len(again.arrived(0)[0]) == n_observed + 1
    again.close()
