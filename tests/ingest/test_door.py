import json
import threading
from concurrent.futures import wait
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from tests.ingest.conftest import DEVICES, NOW, run_of, seen
from tests.waiting import PATIENCE_S

from anlan.ingest import Door, Limits, encode
from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.ingress import RefusalCode
from anlan.kernel.records import Observation


class Watched:
    """A real history whose commits can be held up, fail, and be looked at."""

    def __init__(self, history):
        self.history = history
        self.free = threading.Event()
        self.free.set()
        self.entered = threading.Event()
        self.sizes = []
        self.fault = None
        self.cannot_take = None

    def accept(self, observations, **more):
        self.sizes.append(len(observations))
        self.entered.set()
        self.free.wait(PATIENCE_S)
        if self.fault is not None:
            raise self.fault
        if any(one.device_id == self.cannot_take for one in observations):
            raise ValueError(self.cannot_take)
        return self.history.accept(observations, **more)


@pytest.fixture
def watched(history):
    return Watched(history)


@pytest.fixture
def slow_door(watched, clock):
    door = Door(DEVICES, watched, clock, Limits(waiting=3))
    yield door
    watched.free.set()
    door.close()


def codes(receipt):
    return [refusal.code for refusal in receipt.refusals]


def put(door, *observations):
    return door.put(observations).result(PATIENCE_S)


def test_a_receipt_comes_after_the_commit(door, history):
    receipt = door.submit(encode(seen())).result(PATIENCE_S)
    assert (receipt.n_accepted, receipt.refusals) == (1, ())
    [kept], _ = history.arrived(0)
    assert (kept.device_id, kept.n_in, kept.n_out) == ("gate", 5, 3)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (seen("nobody"), RefusalCode.UNKNOWN_DEVICE),
        (seen("gate", n_present=5), RefusalCode.WRONG_KIND),
        (seen("gate", n_passed=5), RefusalCode.WRONG_KIND),
        (seen("sum", n_in=1, n_out=1), RefusalCode.WRONG_KIND),
        (seen("area", n_passed=5), RefusalCode.WRONG_KIND),
        (seen("grid", counts=np.zeros(3)), RefusalCode.WRONG_KIND),
        (seen("grid", n_present=5), RefusalCode.WRONG_KIND),
        (seen(end_at=NOW + timedelta(seconds=61)), RefusalCode.FUTURE),
        (seen(end_at=NOW + timedelta(days=1)), RefusalCode.FUTURE),
        (seen(end_at=NOW - timedelta(hours=24, seconds=1)), RefusalCode.TOO_OLD),
        (seen(minutes=61), RefusalCode.MALFORMED),
    ],
)
def test_what_is_refused_is_counted_and_not_kept(door, history, one, code):
    receipt = put(door, one)
    assert codes(receipt) == [code]
    assert "must be" in receipt.refusals[0].message or "must not" in receipt.refusals[0].message
    assert history.arrived(0) == ([], 0)
    counted = history.tallies()["" if one.device_id == "nobody" else one.device_id]
    assert counted.refused_by_code == {code: 1}


@pytest.mark.parametrize(
    "one",
    [
        seen(),
        seen("passage"),
        seen("sum", n_passed=5),
        seen("hourly", minutes=60, n_passed=5),
        seen("area", n_present=0),
        seen("grid", minutes=5, counts=np.array([np.nan, 10, 0, 20])),
        seen(end_at=NOW + timedelta(seconds=60)),
        seen(end_at=NOW - timedelta(hours=24)),
    ],
)
def test_what_its_device_can_say_is_taken(door, one):
    receipt = put(door, one)
    assert (receipt.n_accepted, receipt.refusals) == (1, ())


@pytest.mark.parametrize(
    ("device_id", "values", "patience_s"),
    [
        ("gate", {"n_in": 1, "n_out": 0}, 120),
        ("hourly", {"n_passed": 1}, 7200),
        ("grid", {"counts": np.zeros(4)}, 1200),
    ],
)
def test_late_is_older_than_two_intervals(door, history, device_id, values, patience_s):
    in_time = put(door, seen(device_id, NOW - timedelta(seconds=patience_s), 1, **values))
    late = put(door, seen(device_id, NOW - timedelta(seconds=patience_s - 1), 2, **values))
    assert (in_time.n_late, late.n_late) == (0, 0)
    late = put(door, seen(device_id, NOW - timedelta(seconds=patience_s + 1), 0, **values))
    assert (late.n_accepted, late.n_late) == (1, 1)
    assert history.tallies()[device_id].n_late == 1


def test_out_of_order_is_kept_and_counted(door, history):
    put(door, seen(sequence=2))
    receipt = put(door, seen(sequence=1, end_at=NOW - timedelta(minutes=1)))
    assert (receipt.n_accepted, receipt.n_out_of_order) == (1, 1)
    assert history.tallies()["gate"].n_out_of_order == 1


def test_a_duplicate_is_kept_once(door, history):
    put(door, seen())
    receipt = put(door, seen(), seen())
    assert (receipt.n_accepted, receipt.n_duplicate) == (0, 2)
    assert len(history.arrived(0)[0]) == 1
    assert history.tallies()["gate"].n_duplicate == 2


def test_an_unknown_device_leaves_no_name(door, history):
    receipt = door.submit(encode(seen("沪A12345"))).result(PATIENCE_S)
    assert receipt.refusals[0].device_id is None
    assert "A12345" not in receipt.refusals[0].message
    assert set(history.tallies()) == {""}


@pytest.mark.parametrize("raw", [b"{", b'{"device": 5}', b"x" * 101])
def test_what_cannot_be_read_is_counted_under_the_device_of_its_topic(history, clock, raw):
    door = Door(DEVICES, history, clock, Limits(body_bytes=100))
    receipt = door.receive("anlan/observations/gate", raw).result(PATIENCE_S)
    door.close()
    assert codes(receipt) == [RefusalCode.MALFORMED]
    counted = history.tallies()["" if len(raw) > 100 else "gate"]
    assert counted.refused_by_code == {"malformed": 1}


@pytest.mark.parametrize("raw", [b"{", b"x" * 101])
def test_a_body_that_is_no_body_is_refused_at_once_and_counted(history, clock, raw):
    door = Door(DEVICES, history, clock, Limits(body_bytes=100))
    with pytest.raises(BadInput):
        door.submit(raw)
    door.close()
    assert history.tallies()[""].refused_by_code == {"malformed": 1}


def test_a_message_under_another_topic_is_refused_and_counted(door, history):
    receipt = door.receive("counts/gate", encode(seen())).result(PATIENCE_S)
    assert "topic must be anlan/observations/<device>" in receipt.refusals[0].message
    assert history.tallies()[""].n_refused == 1


def test_a_faulty_adapter_loses_its_message_and_nothing_else(door):
    class Faulty:
        topics = ("x/+",)

        def decode(self, topic, payload, received_at):
            raise RuntimeError(topic, payload, received_at)

    receipt = door.receive("x/1", b"?", (Faulty(),)).result(PATIENCE_S)
    assert codes(receipt) == [RefusalCode.MALFORMED]
    assert put(door, seen()).n_accepted == 1


def test_whoever_takes_a_topic_beside_loses_a_message_by_its_fault_and_nothing_else(door):
    def faulty(topic, payload):
        raise OverflowError(topic, payload)

    door.beside["weather/"] = faulty
    receipt = door.receive("weather/roof", b"13812345678").result(PATIENCE_S)
    assert codes(receipt) == [RefusalCode.MALFORMED]
    assert "13812345678" not in receipt.refusals[0].message
    assert put(door, seen()).n_accepted == 1


def test_what_cannot_be_kept_beside_now_is_not_confirmed(door):
    def full(*_):
        raise Unavailable("the disk", "must have room", "free some space")

    door.beside["weather/"] = full
    with pytest.raises(Unavailable, match="must have room"):
        door.receive("weather/roof", b"{}")


def test_a_batch_tells_the_place_of_each_refusal(door):
    sent = [seen(), seen("nobody"), seen(sequence=1, end_at=NOW + timedelta(hours=1))]
    parts = [json.loads(encode(one)) for one in sent]
    parts.insert(1, {"device": "gate"})
    receipt = door.submit(json.dumps({"observations": parts}).encode()).result(PATIENCE_S)
    assert receipt.n_accepted == 1
    assert [(refusal.index, refusal.code, refusal.device_id) for refusal in receipt.refusals] == [
        (1, RefusalCode.MALFORMED, "gate"),
        (2, RefusalCode.UNKNOWN_DEVICE, None),
        (3, RefusalCode.FUTURE, "gate"),
    ]


def test_what_comes_while_the_disk_writes_shares_the_next_commit(watched, clock):
    door = Door(DEVICES, watched, clock)
    watched.free.clear()
    first = door.put([seen(sequence=1000)])
    assert watched.entered.wait(PATIENCE_S)
    rest = [door.put([one]) for one in run_of(50)]
    watched.free.set()
    assert not wait([first, *rest], PATIENCE_S).not_done
    door.close()
    assert watched.sizes == [1, 50]


def test_a_full_queue_turns_away_and_then_takes_again(slow_door, watched):
    watched.free.clear()
    sent = [slow_door.put([seen()])]
    assert watched.entered.wait(PATIENCE_S)
    sent += [slow_door.put([one]) for one in run_of(3, first=1)]
    with pytest.raises(Unavailable, match="must first reach the disk"):
        slow_door.put([seen(sequence=9)])
    watched.free.set()
    assert sum(one.result(PATIENCE_S).n_accepted for one in sent) == 4
    assert put(slow_door, seen(sequence=9)).n_accepted == 1


def test_bytes_that_wait_are_bounded_too(watched, clock):
    raw = encode(seen())
    door = Door(DEVICES, watched, clock, Limits(waiting_bytes=2 * len(raw)))
    watched.free.clear()
    sent = [door.submit(raw), door.submit(raw)]
    with pytest.raises(Unavailable, match="bytes waiting"):
        door.submit(raw)
    watched.free.set()
    assert sum(one.result(PATIENCE_S).n_accepted for one in sent) == 1
    door.close()


def test_a_failing_commit_fails_its_senders_and_the_door_lives_on(slow_door, watched, history):
    watched.fault = Unavailable("the disk", "must have room", "free some")
    with pytest.raises(Unavailable, match="must have room"):
        put(slow_door, seen())
    assert history.tallies() == {}
    watched.fault = None
    assert put(slow_door, seen()).n_accepted == 1


def test_one_body_that_the_disk_cannot_take_does_not_sink_the_others(watched, clock):
    door = Door(DEVICES, watched, clock)
    watched.cannot_take = "area"
    watched.free.clear()
    held = door.put([seen(sequence=1)])
    assert watched.entered.wait(PATIENCE_S)
    bad, good = door.put([seen("area", n_present=1)]), door.put([seen("passage")])
    watched.free.set()
    assert held.result(PATIENCE_S).n_accepted == good.result(PATIENCE_S).n_accepted == 1
    with pytest.raises(Unavailable, match="ValueError"):
        bad.result(PATIENCE_S)
    door.close()


def test_a_sender_who_leaves_does_not_take_the_others_along(slow_door, watched, history):
    watched.free.clear()
    left = slow_door.put([seen()])
    assert not left.cancel()
    watched.free.set()
    assert put(slow_door, seen(sequence=1)).n_accepted == 1
    assert len(history.arrived(0)[0]) == 2


def test_closing_commits_what_waits_and_then_refuses(watched, clock, history):
    door = Door(DEVICES, watched, clock)
    sent = [door.put([one]) for one in run_of(20)]
    door.close()
    door.close()
    assert all(one.done() for one in sent)
    assert len(history.arrived(0)[0]) == 20
    with pytest.raises(Unavailable, match="must be open"):
        door.put([seen()])


def test_many_threads_each_learn_of_their_own(door, history):
    got = {}

    def send(name):
        mine = [replace(one, n_in=name) for one in run_of(100, first=name * 1000)]
        got[name] = sum(door.submit(encode(one)).result(PATIENCE_S).n_accepted for one in mine)

    threads = [threading.Thread(target=send, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == dict.fromkeys(range(4), 100)
    assert len(history.arrived(0)[0]) == 400


def test_the_schema_has_no_room_for_who_it_was():
    assert set(Observation.__dataclass_fields__) == {
        "device_id",
        "begin_at",
        "end_at",
        "sequence",
        "n_in",
        "n_out",
        "n_passed",
        "n_present",
        "counts",
    }
