"""Appends and says what was acknowledged, to be killed: python appending.py records|history WHERE FROM."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from anlan.kernel.records import Draft, Estimate, Observation
from anlan.store import DuckHistory, SqlStore, Step

AT = datetime(2026, 12, 31, tzinfo=UTC)
EVERY = timedelta(minutes=10)
N_DEVICES = 5
N_CELLS = 200


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def append_records(url, begin):
    """Pairs of records that must always show the same number."""
    store = SqlStore.open(url)
    say("open")
    versions = {record.record_id: record.version for record in store.records("pair")}
    for k in range(begin, sys.maxsize):
        pair = [
            Draft(
                kind="pair",
                record_id=name,
                action="put",
                actor="desk",
                body={"k": k},
                expected_version=versions.get(name),
            )
            for name in ("left", "right")
        ]
        made = store.apply(pair, at=AT)
        versions = {change.record_id: change.version for change in made}
        say(k, made[-1].change_id, made[-1].hash)


def seen(k, device):
    end_at = AT + k * EVERY
    return Observation(
        device_id=f"d{device}", begin_at=end_at - EVERY, end_at=end_at, sequence=k, n_in=k % 50, n_out=device
    )


def made(k, n_arrived):
    at = AT + k * EVERY
    estimates = {f"place:{n}": Estimate(at=at, walkable_m2=1.0, occupancy=float(k)) for n in range(N_DEVICES)}
    state = json.dumps({"k": k, "high": n_arrived}) + " " * 300_000  # so large that checkpoints come often
    return Step(
        at=at,
        low=n_arrived,
        high=n_arrived,
        occupancy=np.full(N_CELLS, k, np.float32),
        estimates=estimates,
        state=state.encode() if k % 2 else None,
    )


def append_history(folder, begin):
    """Observations (the last batch sent once more), then a step; now and then a day is sealed."""
    history = DuckHistory.open(Path(folder))
    for k in range(begin, sys.maxsize):
        again = [seen(k - 1, device) for device in range(N_DEVICES)] if k else []
        history.accept([*again, *(seen(k, device) for device in range(N_DEVICES))], received_at=AT + k * EVERY)
        if k == begin:
            say("open")
        say("observed", k)
        history.commit_step(made(k, (k + 1) * N_DEVICES))
        say("made", k)
        if k % 40 == 0:
            history.seal(AT + k * EVERY)
            say("sealed", k)


if __name__ == "__main__":
    {"records": append_records, "history": append_history}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
