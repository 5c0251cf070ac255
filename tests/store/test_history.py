import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pytest

from anlan.kernel.errors import Unavailable
from anlan.kernel.records import Estimate, Observation
from anlan.store import DuckHistory, Retention, Step
from anlan.store.checks import HISTORY_CHECKS

AT = datetime(2026, 12, 31, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def seen(minute, sequence=0, device_id="a"):
    end_at = AT + minute * MINUTE
    return Observation(
        device_id=device_id, begin_at=end_at - MINUTE, end_at=end_at, sequence=sequence, n_present=minute % 99
    )


def known(minute, occupancy):
    return Estimate(
        at=AT + minute * MINUTE, walkable_m2=100.0, occupancy=occupancy, sd=1.0, low=occupancy - 2, high=occupancy + 2
    )


def step(minute, persons=(1.0, 2.0), state=None):
    made = {"district": known(minute, float(sum(persons)))}
    return Step(
        at=AT + minute * MINUTE, low=0, high=0, occupancy=np.array(persons, np.float32), estimates=made, state=state
    )


@pytest.mark.parametrize("check", HISTORY_CHECKS, ids=lambda check: check.__name__)
def test_the_history_keeps_its_contract(history, check):
    check(history)


def test_tallies_outlive_a_restart(tmp_path):
    first = DuckHistory.open(tmp_path)
    first.accept([seen(1), seen(3, 1), seen(2, 2), seen(1)], received_at=AT)
    first.close()
    second = DuckHistory.open(tmp_path)
    tally = second.tallies()["a"]
    assert (tally.n_accepted, tally.n_out_of_order, tally.n_duplicate) == (3, 1, 1)
    assert tally.last_end_at == AT + 3 * MINUTE
    assert tally.last.n_present == 3
    assert [v.value for v in second.accept([seen(3, 1)], received_at=AT)] == ["duplicate"]
    second.close()


def test_another_process_is_told_that_the_folder_is_held(tmp_path):
    held = DuckHistory.open(tmp_path)
    code = f"from pathlib import Path; from anlan.store import DuckHistory; DuckHistory.open(Path({str(tmp_path)!r}))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    held.close()
    assert "is open in another process; stop it, or choose another --data folder." in child.stderr


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(Unavailable, match="must be writable"):
        DuckHistory.open(tmp_path / "x")


def test_the_last_hour_of_some_cells_comes_back_in_the_order_asked(history):
    for minute in range(5):
        history.commit_step(step(minute, (minute, 10.0 + minute, 20.0 + minute)))
    times, persons = history.occupancies(AT, AT + 4 * MINUTE, np.array([2, 0]))
    assert times == [AT + k * MINUTE for k in range(1, 5)]
    assert persons.tolist() == [[20.0 + k, float(k)] for k in range(1, 5)]
    at, last = history.occupancy_at(AT + 4 * MINUTE + timedelta(seconds=30))
    assert (at, last.tolist()) == (AT + 4 * MINUTE, [4.0, 14.0, 24.0])
    assert history.occupancy_at(AT + timedelta(hours=2)) is None


def test_a_step_made_again_replaces_what_came_after_it(history):
    for minute in range(4):
        history.commit_step(step(minute))
    history.commit_step(step(2, (5.0, 5.0)))
    curve = history.estimates("district", AT - MINUTE, AT + 9 * MINUTE)
    assert [e.occupancy for e in curve] == [3.0, 3.0, 10.0]


WHOLE = (AT - MINUTE, AT + timedelta(days=2))


def three_minutes_over_two_days(folder):
    opened = DuckHistory.open(folder)
    for minute in (0, 1, 24 * 60):
        opened.commit_step(step(minute))
    return opened, opened.occupancies(*WHOLE)[1].tolist()


def test_a_sealed_day_reads_as_before_also_after_opening_again(tmp_path):
    opened, before = three_minutes_over_two_days(tmp_path)
    assert opened.seal(AT + timedelta(days=1)) == [AT.date()]
    assert opened.seal(AT + timedelta(days=1)) == []
    assert opened.occupancies(*WHOLE)[1].tolist() == before
    assert opened.occupancies(*WHOLE, np.array([1]))[1].tolist() == [[row[1]] for row in before]
    opened.close()
    with duckdb.connect(tmp_path / "history.duckdb") as file:
        assert file.execute("SELECT count(*) FROM occupancy").fetchone() == (2,)
    again = DuckHistory.open(tmp_path)
    assert again.occupancies(*WHOLE)[1].tolist() == before
    again.close()


@pytest.mark.parametrize("left", ["2026-12-31.partial", "2026-12-31.parquet", "2026-12-31.quarters"])
def test_what_a_kill_leaves_while_sealing_is_no_day(tmp_path, left):
    opened, before = three_minutes_over_two_days(tmp_path)
    opened.close()
    (tmp_path / "occupancy" / left).write_bytes(b"half a file")
    again = DuckHistory.open(tmp_path)
    assert again.occupancies(*WHOLE)[1].tolist() == before
    assert again.seal(AT + timedelta(days=1)) == [AT.date()]
    assert again.occupancies(*WHOLE)[1].tolist() == before
    again.close()


def test_a_day_that_an_earlier_version_sealed_gets_its_quarters(tmp_path):
    opened, _ = three_minutes_over_two_days(tmp_path)
    file, asked = tmp_path / "occupancy" / "2026-12-31.quarters", (np.array([0, 1]), np.ones(2), AT, 4)
    before = opened.occupancy_quarters(*asked)
    assert np.isfinite(before).any()
    opened.seal(AT + timedelta(days=1))
    whole = file.read_bytes()
    file.unlink()
    assert np.array_equal(opened.occupancy_quarters(*asked), before, equal_nan=True)
    assert opened.seal(AT + timedelta(days=1)) == []
    assert file.read_bytes() == whole
    assert np.allclose(opened.occupancy_quarters(*asked), before, equal_nan=True, atol=0.02)
    opened.commit_step(step(1, (7.0, 8.0)))  # the day is made again
    assert not file.exists()
    assert opened.occupancy_quarters(*asked)[0] != before[0]
    opened.close()


def test_a_clock_set_back_makes_a_sealed_day_again(tmp_path):
    opened, before = three_minutes_over_two_days(tmp_path)
    opened.seal(AT + timedelta(days=1))
    opened.commit_step(step(1, (7.0, 8.0)))
    assert opened.occupancies(*WHOLE)[1].tolist() == [before[0], [7.0, 8.0]]
    opened.close()
    again = DuckHistory.open(tmp_path)
    assert again.occupancies(*WHOLE)[1].tolist() == [before[0], [7.0, 8.0]]
    again.close()


def test_a_sealed_day_that_somebody_took_away_is_unknown_and_the_rest_stays(tmp_path, caplog):
    opened, before = three_minutes_over_two_days(tmp_path)
    opened.seal(AT + timedelta(days=1))
    opened.close()
    (tmp_path / "occupancy" / "2026-12-31.parquet").unlink()
    again = DuckHistory.open(tmp_path)
    assert again.occupancies(*WHOLE)[1].tolist() == before[2:]
    assert "its minutes are unknown" in caplog.text
    again.close()


def test_arrivals_go_on_after_retention_took_every_observation(tmp_path):
    opened = DuckHistory.open(tmp_path)
    opened.accept([seen(0), seen(1, 1)], received_at=AT)
    opened.commit_step(Step(at=AT + MINUTE, low=2, high=2, state=b"s"))
    opened.retain(AT + timedelta(days=31))
    opened.close()
    again = DuckHistory.open(tmp_path)
    late = seen(31 * 24 * 60, 2)
    again.accept([late], received_at=AT)
    assert [s.sequence for s in again.arrived(2)[0]] == [2]
    again.close()


def test_readers_see_whole_steps_and_go_on_while_others_write(history):
    begun, stop, torn = threading.Barrier(3), threading.Event(), []

    def read():
        begun.wait()
        while not stop.is_set():
            times, persons = history.occupancies(AT - MINUTE, AT + 99 * MINUTE)
            curve = history.estimates("district", AT - MINUTE, AT + 99 * MINUTE)
            if len(curve) < len(times) or persons.tolist() != [[1.0, 2.0]] * len(times):
                torn.append((len(times), len(curve)))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    begun.wait()
    for minute in range(60):
        history.accept([seen(minute, minute)], received_at=AT)
        history.commit_step(step(minute, state=b"x" * 1000))
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert history.tallies()["a"].n_accepted == 60


def test_retention_forgets_by_age_and_keeps_what_may_be_sent_again(tmp_path):
    keep = Retention(observations=timedelta(days=1), occupancies=timedelta(days=1), estimates=timedelta(days=2))
    opened = DuckHistory.open(tmp_path, keep)
    opened.accept([seen(0)], received_at=AT)
    opened.commit_step(step(0))
    opened.retain(AT + timedelta(days=1, hours=1))
    assert opened.accept([seen(0)], received_at=AT)[0].value == "duplicate"
    assert opened.occupancy_at(AT) is None
    assert len(opened.estimates("district", AT - MINUTE, AT)) == 1
    opened.retain(AT + timedelta(days=3))
    assert opened.estimates("district", AT - MINUTE, AT) == []
    opened.close()


def test_forgetting_estimates_keeps_observations(history):
    history.accept([seen(0)], received_at=AT)
    history.commit_step(step(0, state=b"x"))
    assert history.clear_estimates() == 1
    assert history.latest_step() is None
    assert history.occupancy_at(AT) is None
    assert len(history.arrived(0)[0]) == 1
