import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.conftest import NOW, seen

from anlan.ingest import decode, encode
from anlan.kernel.errors import BadInput
from anlan.kernel.ingress import RefusalCode

GOOD = {
    "device": "gate",
    "begin_at": "2026-12-31T17:59:00+08:00",
    "end_at": "2026-12-31T18:00:00+08:00",
    "sequence": 12,
    "values": {"in": 5, "out": 3},
}
N = st.integers(0, 100_000_000)
FORMS = st.one_of(
    st.fixed_dictionaries({"n_in": N, "n_out": N}),
    st.fixed_dictionaries({"n_passed": N}),
    st.fixed_dictionaries({"n_present": N}),
    st.fixed_dictionaries(
        {"counts": st.lists(st.one_of(st.just(np.nan), N), min_size=1, max_size=20).map(lambda n: np.array(n, float))}
    ),
)


def body(**changed):
    return json.dumps({**GOOD, **changed}).encode()


def told(raw):
    taken, refusals = decode(raw)
    assert taken == []
    assert [refusal.code for refusal in refusals] == [RefusalCode.MALFORMED]
    return refusals[0].message


@given(FORMS, st.integers(0, 2**62))
def test_every_form_survives_the_way_there_and_back(values, sequence):
    sent = seen("ε-1", sequence=sequence, **values)
    [(index, got)], refusals = decode(encode(sent))
    assert (index, refusals) == (0, [])
    assert (got.device_id, got.begin_at, got.end_at, got.sequence) == ("ε-1", sent.begin_at, NOW, sequence)
    assert (got.n_in, got.n_out, got.n_passed, got.n_present) == (
        sent.n_in,
        sent.n_out,
        sent.n_passed,
        sent.n_present,
    )
    np.testing.assert_array_equal(got.counts, sent.counts)


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"values": {"in": -5, "out": 1}}, ["values.in=-5", "must be `int` >= 0", "send whole people"]),
        ({"values": {"present": 1.5}}, ["values.present=1.5", "send whole people"]),
        ({"values": {"in": 1}}, ["in without out", "must come as a pair"]),
        ({"values": {}}, ["values must be one of in and out, passed, present, counts"]),
        ({"values": {"passed": 1, "present": 1}}, ["values must be one of"]),
        ({"values": {"counts": [1, None, -3]}}, ["values.counts[2]", "or null where suppressed"]),
        ({"begin_at": "2026-12-31T17:59:00"}, ["begin_at", "timezone", "+08:00"]),
        ({"begin_at": "31/12/2026"}, ["begin_at", "+08:00"]),
        ({"begin_at": 1_798_711_140}, ["begin_at", "not `int`"]),
        ({"begin_at": "0001-01-01T00:00:00+08:00"}, ["begin_at", "+08:00"]),
        ({"end_at": "2026-12-31T17:58:00+08:00"}, ["end_at=2026-12-31T09:58:00+00:00", "must be after begin_at"]),
        ({"sequence": -1}, ["sequence=-1", "must be `int` >= 0"]),
        ({"sequence": "12"}, ["sequence", "not `str`"]),
        ({"device": ""}, ["device", "length >= 1"]),
        ({"device": "x" * 101}, ["device", "length <= 100"]),
    ],
)
def test_a_fault_names_field_rule_and_next_step(changed, parts):
    message = told(body(**changed))
    for part in parts:
        assert part in message
    assert message.endswith(".")
    assert "; " in message


def test_a_missing_field_is_named():
    assert "sequence" in told(json.dumps({k: v for k, v in GOOD.items() if k != "sequence"}).encode())


@pytest.mark.parametrize(
    "raw",
    [
        body(plate="沪A12345"),
        body(沪A12345=1),
        body(**{"13812345678": 1}),
        body(values={"in": 1, "out": 1, "plate": "沪A12345"}),
        body(values={"in": 13812345678, "out": 1}),
        body(device="沪A12345" * 20),
        body(sequence="13812345678"),
        body(begin_at="沪A12345"),
        body(device="沪A12345", values={}),
        b'{"observations": [13812345678]}',
        '{"device": "沪A12345"}'.encode("gb18030"),
    ],
)
def test_no_content_of_a_refused_field_is_told(raw):
    message = told(raw)
    assert "A12345" not in message
    assert "13812345678" not in message


def test_an_unknown_field_is_named_and_none_fits_an_identity():
    assert "unknown field `plate`" in told(body(plate="x"))
    assert len(told(body(**{"x" * 100_000: 1}))) < 400


def test_a_fault_does_not_sink_the_others():
    raw = json.dumps({"observations": [GOOD, {**GOOD, "sequence": -1}, 5, {**GOOD, "sequence": 13}]}).encode()
    taken, refusals = decode(raw)
    assert [(index, one.sequence) for index, one in taken] == [(0, 12), (3, 13)]
    assert [(refusal.index, refusal.device_id) for refusal in refusals] == [(1, "gate"), (2, None)]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"\xff\xfe",
        b'{"observations": 5}',
        b'{"observations": [], "note": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"observations": [' + b"[" * 5000 + b"]" * 5000 + b"]}",
        b'{"observations": [' + b"1," * 50_000 + b"1]}",
    ],
)
def test_a_body_that_is_no_body_is_bad_input(raw):
    with pytest.raises(BadInput) as fault:
        decode(raw)
    assert fault.value.rule.startswith("must")
    assert len(str(fault.value)) < 400


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_in_order(raw):
    try:
        taken, refusals = decode(raw)
    except BadInput:
        return
    assert taken == []
    assert refusals
