import json
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anlan.store import DuckHistory, SqlStore

APPENDING = Path(__file__).with_name("appending.py")
AT = datetime(2026, 12, 31, tzinfo=UTC)
EVERY = timedelta(minutes=10)
ROUNDS = [3, pytest.param(20, marks=pytest.mark.slow)]


def killed(kind, where, begin, after_s):
    """Let the program append, kill it at a random instant, and return what it had acknowledged."""
    command = [sys.executable, APPENDING, kind, where, str(begin)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - our own program
        assert child.stdout.readline() == "open\n"
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        told = child.stdout.read()
        assert child.wait() == -signal.SIGKILL
    return [line.split() for line in told.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_no_acknowledged_change_is_lost_to_a_kill(store, rounds):
    chance = random.Random(rounds)
    begin, n_told, n_rounds = 0, 0, 0
    while n_rounds < rounds or n_told <= rounds:  # on a busy machine a kill may come before anything is told
        n_rounds += 1
        assert n_rounds <= 20 * rounds
        told = killed("records", store.url, begin, chance.uniform(0.02, 0.4))
        again = SqlStore.open(store.url)
        audit = again.verify()
        changes = {change.change_id: change for change in again.changes(limit=sys.maxsize)}
        pair = {record.body["k"] for record in again.records("pair")}
        again.close()
        assert audit.ok, audit
        assert [changes[int(line[1])].hash for line in told] == [line[2] for line in told]
        assert len(pair) <= 1, "both records of a pair change, or neither"
        n_told += len(told)
        begin = len(changes) // 2
        assert len(changes) % 2 == 0
        assert begin >= n_told


def check_whole(history, acknowledged):
    """Nothing acknowledged is missing, nothing is there twice, and what belongs together agrees."""
    kept, n_arrived = history.arrived(0, sys.maxsize // 2)
    found = {(s.device_id, s.sequence) for s in kept}
    n_observed = len(kept) // 5
    assert len(found) == len(kept) == n_arrived == 5 * n_observed
    assert found == {(f"d{d}", k) for k in range(n_observed) for d in range(5)}
    assert n_observed > acknowledged.get("observed", -1)
    assert sum(tally.n_accepted for tally in history.tallies().values()) == len(kept)
    whole = AT - EVERY, AT + timedelta(days=900)
    times, persons = history.occupancies(*whole)
    n_made = len(times)
    assert n_made > acknowledged.get("made", -1)
    assert n_made in {n_observed, n_observed - 1}
    assert [set(row) for row in persons.tolist()] == [{float(k)} for k in range(n_made)]
    for name in range(5):
        assert [e.occupancy for e in history.estimates(f"place:{name}", *whole)] == list(range(n_made))
    step = history.latest_step()
    if n_made > 1:
        state = json.loads(step.state)
        assert state["k"] == (n_made - 1 if n_made % 2 == 0 else n_made - 2)
        assert (step.at, step.high) == (times[state["k"]], state["high"])
    return n_made


@pytest.mark.parametrize("rounds", ROUNDS)
def test_no_acknowledged_observation_is_lost_and_no_step_torn_by_a_kill(tmp_path, rounds):
    chance = random.Random(rounds)
    begin = 0
    for _ in range(rounds):
        told = killed("history", str(tmp_path), begin, chance.uniform(0.05, 1.0))
        acknowledged = {line[0]: int(line[1]) for line in told}
        again = DuckHistory.open(tmp_path)
        begin = check_whole(again, acknowledged)
        again.close()
    assert begin > rounds  # it made progress between the kills
