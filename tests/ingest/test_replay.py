import io
import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.conftest import NOW, run_of, seen
from tests.ingest.test_kill import free_port
from tests.waiting import PATIENCE_S, until

from anlan.ingest import Columns, Door, EmbeddedBroker, Pace, beats, read_observations, replay
from anlan.kernel.clock import FollowedClock, parse_moment
from anlan.kernel.errors import BadInput, Unavailable
from anlan.pack import draft_pack
from anlan.store import DuckHistory

DATA = Path(os.environ.get("ANLAN_DATA", Path(__file__).parents[3] / "shared" / "data"))
MINUTE = timedelta(minutes=1)


class Told:
    """Where a player announces its time; the follower is told of each line, as a supervisor would be."""

    def __init__(self, follow=lambda _: None):
        self.lines = []
        self.follow = follow

    def write(self, text):
        self.lines.append(json.loads(text))
        self.follow(self.lines[-1])

    def flush(self):
        pass


class Playing:
    """A player in a thread of its own."""

    def __init__(self, source, port, pace, out=None, control=None):
        self.out = out or Told()
        self.pace = pace
        url = f"mqtt://127.0.0.1:{port}"
        self.thread = threading.Thread(
            target=replay, args=(source, url, pace), kwargs={"out": self.out, "control": control, "told": {"who": "me"}}
        )

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.pace.obey('{"stop": true}')
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


def minutes_of(n, device_id="gate"):
    return [seen(device_id, NOW + k * MINUTE, k) for k in range(n)]


@given(st.lists(st.integers(0, 600), max_size=30), st.integers(1, 120))
def test_each_observation_is_due_in_the_first_beat_at_or_after_its_end(seconds, every):
    sent = [seen(end_at=NOW + timedelta(seconds=s), sequence=k) for k, s in enumerate(seconds)]
    played = list(beats(sent, NOW, timedelta(seconds=every)))
    assert sorted(one.sequence for _, due in played for one in due) == [k for k, s in enumerate(seconds) if s > 0]
    for k, (at, due) in enumerate(played):
        assert at == NOW + (k + 1) * timedelta(seconds=every)
        assert all(at - timedelta(seconds=every) < one.end_at <= at for one in due)


def test_time_is_told_when_everything_due_by_then_is_committed(broker, history, clock):
    n_kept = []

    def follow(line):
        clock.set(parse_moment(line["at"]))
        n_kept.append(len(history.arrived(0)[0]))

    out = Told(follow)
    replay(beats(minutes_of(20), NOW - MINUTE, MINUTE), f"mqtt://127.0.0.1:{broker.port}", Pace(speed=1e5), out=out)
    assert n_kept == list(range(1, 21))
    assert [line["at"] for line in out.lines] == [(NOW + k * MINUTE).isoformat() for k in range(20)]
    assert set(out.lines[0]) == {"at", "speed", "paused", "rushing", "lag_s"}


def test_it_keeps_its_speed(broker):
    with Playing(beats(minutes_of(1000), NOW - MINUTE, MINUTE), broker.port, Pace(speed=600)) as playing:
        assert until(lambda: playing.out.lines)
        begin, n = time.monotonic(), len(playing.out.lines)
        time.sleep(1)

        def speed():
            return (len(playing.out.lines) - n) * 60 / (time.monotonic() - begin)

        assert until(lambda: 480 < speed() < 720)
        assert playing.out.lines[0]["who"] == "me"


def test_it_obeys_speed_pause_and_stop(broker):
    reading, writing = os.pipe()
    with (
        os.fdopen(reading) as control,
        os.fdopen(writing, "w") as say,
        Playing(beats(minutes_of(100), NOW - MINUTE, MINUTE), broker.port, Pace(speed=60), control=control) as playing,
    ):
        assert until(lambda: len(playing.out.lines) == 1)
        say.write('{"paused": true}\nnonsense\n{"speed": -1}\n')
        say.flush()
        assert until(lambda: playing.pace.paused)
        n = len(playing.out.lines)
        time.sleep(1.2)
        assert len(playing.out.lines) == n
        say.write('{"speed": 100000, "paused": false}\n')
        say.flush()
        assert until(lambda: len(playing.out.lines) == 100)
        assert playing.out.lines[-1]["speed"] == 100_000
    assert not playing.thread.is_alive()


def test_it_ends_with_its_supervisor(broker):
    out = Told()
    replay(
        beats(minutes_of(100), NOW - MINUTE, MINUTE),
        f"mqtt://127.0.0.1:{broker.port}",
        Pace(speed=1),
        out=out,
        control=io.StringIO(""),
    )
    assert len(out.lines) <= 1


def test_it_rushes_to_its_opening(broker):
    pace = Pace(speed=1, rush_until=NOW + 50 * MINUTE)
    with Playing(beats(minutes_of(100), NOW - MINUTE, MINUTE), broker.port, pace) as playing:
        assert until(lambda: len(playing.out.lines) >= 51)
        assert all(line["rushing"] for line in playing.out.lines[:51])
        time.sleep(0.2)
        assert len(playing.out.lines) <= 52


@pytest.mark.slow
def test_a_broker_that_goes_and_comes_back_loses_nothing(loop, door, history, clock):
    port = free_port()
    broker = EmbeddedBroker("127.0.0.1", port, door)
    loop.run(broker.start())
    follow = Told(lambda line: clock.set(parse_moment(line["at"])))
    with Playing(beats(minutes_of(60), NOW - MINUTE, MINUTE), port, Pace(speed=600), follow) as playing:
        assert until(lambda: len(playing.out.lines) > 5)
        loop.run(broker.close())
        n = len(playing.out.lines)
        time.sleep(0.5)
        assert len(playing.out.lines) <= n + 1
        broker = EmbeddedBroker("127.0.0.1", port, door)
        loop.run(broker.start())
        assert until(lambda: len(playing.out.lines) == 60)
    loop.run(broker.close())
    assert {one.sequence for one in history.arrived(0)[0]} == set(range(60))


def test_it_can_be_stopped_while_the_broker_is_away(loop, door):
    broker = EmbeddedBroker("127.0.0.1", 0, door)
    loop.run(broker.start())
    with Playing(beats(minutes_of(1000), NOW - MINUTE, MINUTE), broker.port, Pace(speed=600)) as playing:
        assert until(lambda: playing.out.lines)
        loop.run(broker.close())


def test_many_observations_share_a_beat(broker, history):
    sent = run_of(3000)
    replay([(NOW, sent)], f"mqtt://127.0.0.1:{broker.port}", Pace(), out=Told())
    assert len(history.arrived(0)[0]) == 3000


@pytest.mark.parametrize("line", ["", "5", "[]", '{"speed": 0}', '{"speed": "fast"}', '{"speed": 1e9}'])
def test_a_wrong_control_is_refused(line):
    with pytest.raises(BadInput, match="must be"):
        Pace().obey(line)


def test_a_broker_that_is_away_or_a_wrong_address_is_told():
    with pytest.raises(Unavailable, match="must be reachable"):
        replay([], f"mqtt://127.0.0.1:{free_port()}", Pace())
    with pytest.raises(BadInput, match="must be mqtt://host:port") as fault:
        replay([], "http://u:secret@h", Pace())
    assert "secret" not in str(fault.value)


@pytest.mark.slow
def test_melbournes_new_year_replays_through_the_door(loop, tmp_path):
    counts = DATA / "melbourne_pedestrians"
    if not counts.is_dir():
        pytest.skip("real counts are not here: set ANLAN_DATA to the folder that holds melbourne_pedestrians")
    pack = draft_pack(counts / "sensors.csv", tmp_path / "pack", "Melbourne", "Australia/Melbourne")
    columns = Columns(time="time", device="sensor_id", count="count", time_zone="Australia/Melbourne")
    begin_at = datetime(2012, 12, 31, 7, tzinfo=UTC)  # six in the evening there
    night = [
        one
        for one in read_observations(counts / "hourly_counts.csv.gz", pack.devices, columns)
        if begin_at < one.end_at <= begin_at + timedelta(hours=12)
    ]
    clock = FollowedClock(begin_at)
    history = DuckHistory.open(tmp_path / "history")
    door = Door(pack.devices, history, clock)
    broker = EmbeddedBroker("127.0.0.1", 0, door)
    loop.run(broker.start())
    out = Told(lambda line: clock.set(parse_moment(line["at"])))
    played = beats(night, begin_at, MINUTE)
    replay(played, f"mqtt://127.0.0.1:{broker.port}", Pace(speed=1800), out=out)
    loop.run(broker.close())
    door.close()
    tallies = history.tallies()
    kept, _ = history.arrived(0)
    history.close()
    assert len(kept) == len(night) > 200
    assert sum(one.n_passed for one in kept) == sum(one.n_passed for one in night)
    assert sum(tally.n_late + tally.n_refused + tally.n_duplicate for tally in tallies.values()) == 0
    assert max(line["lag_s"] for line in out.lines) < 5
