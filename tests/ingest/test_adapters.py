import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub
from tests.ingest.conftest import NOW, Sender, acknowledged, seen
from tests.waiting import until

from anlan.ingest import Datastream, EmbeddedBroker, OwnForm, SensorThings, encode
from anlan.ingest.adapters import adapter_of
from anlan.ingest.checks import ADAPTER_CHECKS, Sample
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.ingress import RefusalCode
from anlan.kernel.records import Observation

THINGS = SensorThings(
    {
        "7": Datastream(device_id="sum", value="passed", interval_s=60),
        "a-b": Datastream(device_id="gate", value="directions", interval_s=60),
        "9": Datastream(device_id="area", value="present", interval_s=60),
    }
)
WINDOW = "2026-12-31T09:59:00Z/2026-12-31T10:00:00Z"
OWN = "anlan/observations/gate"


def body(**changed):
    return json.dumps({"phenomenonTime": WINDOW, "result": 12, **changed}).encode()


def topic(key):
    return f"v1.1/Datastreams({key})/Observations"


CASES = {
    "own": (OwnForm(), Sample(OWN, encode(seen()))),
    "own batch": (
        OwnForm(),
        Sample(OWN, b'{"observations": [' + encode(seen()) + b"," + encode(seen("sum", n_passed=1)) + b"]}", 2),
    ),
    "things": (THINGS, Sample(topic(7), body(resultTime="2026-12-31T10:00:01Z"))),
    "things, text id": (THINGS, Sample(topic("'a-b'"), body(result={"in": 5, "out": 3}))),
    "things, instant": (THINGS, Sample(topic(9), body(phenomenonTime="2026-12-31T10:00:00.000Z"))),
    "things, no time": (THINGS, Sample(topic(9), b'{"result": 0}')),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
def test_every_adapter_does_its_duty(check, case):
    check(*CASES[case])


class Telling:
    """Breaks the duty on purpose."""

    topics = ("x/+",)

    def __init__(self, fault):
        self.fault = fault
        self.n = 0

    def decode(self, topic, payload, received_at):
        self.n += 1
        taken, refusals = OwnForm().decode(OWN, payload, received_at)
        if self.fault == "raises" and refusals:
            raise ValueError(topic)
        if self.fault == "drops":
            refusals = []
        if self.fault == "tells" and refusals:
            refusals = [type(one)(code=one.code, message=f"must not be {payload[:5000]!r}") for one in refusals]
        if self.fault == "remembers" and taken:
            taken = [(0, seen(sequence=self.n))]
        return taken, refusals


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("topics", "check_its_topics_hold_its_sample"),
        ("remembers", "check_the_sample_is_read_the_same_each_time"),
        ("raises", "check_what_is_spoilt_is_refused_and_nothing_raised"),
        ("drops", "check_what_is_spoilt_is_refused_and_nothing_raised"),
        ("tells", "check_nothing_foreign_is_told"),
    ],
)
def test_the_checks_find_a_planted_fault(fault, check):
    [found] = [one for one in ADAPTER_CHECKS if one.__name__ == check]
    with pytest.raises(AssertionError):
        found(Telling(fault), Sample("y/1" if fault == "topics" else "x/1", encode(seen())))


class Filtered:
    """Has filters, and reads nothing."""

    def __init__(self, *topics):
        self.topics = topics


levels = st.lists(st.sampled_from(["a", "b", "", "a.b", "(7)", "$a", "\n"]), min_size=1, max_size=4)
filters = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(st.sampled_from(["a", "b", "", "+", "a.b", "(7)", "$a"]), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
)


@given(st.lists(st.lists(filters | st.just("#"), min_size=1, max_size=2), min_size=1, max_size=4), levels)
def test_a_topic_comes_to_the_first_adapter_whose_filter_is_its_own_by_the_rules_of_mqtt(wanted, levels):
    adapters, topic = [Filtered(*one) for one in wanted], "/".join(levels)
    own = [one for one in adapters if any(topic_matches_sub(told, topic) for told in one.topics)]
    assert adapter_of(adapters, topic) is (own[0] if own else None)


@pytest.mark.parametrize(
    ("key", "payload", "expected"),
    [
        ("7", body(), {"n_passed": 12}),
        ("9", body(), {"n_present": 12}),
        ("'a-b'", body(result={"in": 5, "out": 3}), {"n_in": 5, "n_out": 3}),
        ("7", body(phenomenonTime="2026-12-31T18:00:00+08:00"), {"n_passed": 12}),
        ("7", b'{"result": 12}', {"n_passed": 12}),
    ],
)
def test_a_sensorthings_observation_is_read(key, payload, expected):
    [(_, one)], refusals = THINGS.decode(topic(key), payload, NOW)
    assert refusals == []
    assert (one.begin_at, one.end_at) == (NOW - timedelta(minutes=1), NOW)
    assert one == Observation(
        device_id={"7": "sum", "9": "area"}.get(key, "gate"),
        begin_at=one.begin_at,
        end_at=NOW,
        sequence=int(NOW.timestamp()),
        **expected,
    )


@pytest.mark.parametrize(
    ("key", "payload", "code"),
    [
        ("8", body(), RefusalCode.UNKNOWN_DEVICE),
        ("7", body(result=-1), RefusalCode.MALFORMED),
        ("7", body(result="12"), RefusalCode.MALFORMED),
        ("7", body(result={"in": 5, "out": 3}), RefusalCode.MALFORMED),
        ("a-b", body(result={"in": 5, "out": 3, "plate": "x"}), RefusalCode.MALFORMED),
        ("7", body(phenomenonTime="2026-12-31T10:00:00"), RefusalCode.MALFORMED),
        ("7", body(phenomenonTime="2026-12-31T10:00:00Z/2026-12-31T09:00:00Z"), RefusalCode.MALFORMED),
        ("7", body(phenomenonTime="0001-01-01T00:00:00+08:00"), RefusalCode.MALFORMED),
    ],
)
def test_a_sensorthings_fault_is_refused_under_its_device(key, payload, code):
    taken, [refusal] = THINGS.decode(topic(key), payload, NOW)
    assert (taken, refusal.code) == ([], code)
    assert refusal.device_id == {"7": "sum", "a-b": "gate"}.get(key)


def test_a_batch_of_a_gateway_counts_its_faults_under_the_device_they_name():
    taken, refusals = OwnForm().decode("anlan/observations/hall", b'{"observations": [5, {"device": "gate"}]}', NOW)
    assert taken == []
    assert [refusal.device_id for refusal in refusals] == ["hall", "gate"]


def test_the_mapping_is_read_from_toml(tmp_path):
    path = tmp_path / "things.toml"
    path.write_text('[datastreams.7]\ndevice = "sum"\nvalue = "passed"\ninterval_s = 60\n')
    [(_, one)], _ = SensorThings.read(path).decode(topic(7), body(), NOW)
    assert one.device_id == "sum"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "must hold"),
        ("", "must hold"),
        ("datastreams = 5", "must hold"),
        ("[datastreams]\n7 = 5", "must hold"),
        ('[datastreams.7]\nvalue = "passed"\ninterval_s = 60', "must name its device"),
        ('[datastreams.7]\ndevice = "a"\nvalue = "in"\ninterval_s = 60', "must be passed, present or directions"),
        ('[datastreams.7]\ndevice = "a"\nvalue = "passed"\ninterval_s = 0', "must be > 0"),
        ('[datastreams.7]\ndevice = "a"\nvalue = "passed"\ninterval_s = nan', "must be > 0"),
    ],
)
def test_a_faulty_mapping_is_refused(tmp_path, text, told):
    path = tmp_path / "things.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=told):
        SensorThings.read(path)
    with pytest.raises(NotFound):
        SensorThings.read(tmp_path / "none.toml")


def test_a_foreign_format_comes_in_through_the_broker(loop, door, history):
    broker = EmbeddedBroker("127.0.0.1", 0, door, adapters=[OwnForm(), THINGS])
    loop.run(broker.start())
    with Sender(broker.port) as sender:
        assert acknowledged(sender.send(body(), topic=topic(7)))
        assert acknowledged(sender.send(encode(seen())))
        assert until(lambda: len(history.arrived(0)[0]) == 2)
    loop.run(broker.close())
    assert {one.device_id for one in history.arrived(0)[0]} == {"sum", "gate"}
