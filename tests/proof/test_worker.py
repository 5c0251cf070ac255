"""The program beside hands each minute what had come by then, and begins with the state that was kept, if it fits."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.crowd.test_withheld import ESTIMATOR, PACK, observed

from anlan.kernel.errors import NoData
from anlan.pack import write_pack
from anlan.proof.worker import AFRESH, _begun, _minutes, proved
from anlan.store import columns

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
BEGIN = datetime(2026, 12, 30, 16, 0, tzinfo=UTC)


def tables(*rows):
    """Return observations as the history keeps them: the minute whose window each is, and how long after it it came."""
    made = [(observed("camera-1", BEGIN + k * MINUTE, MINUTE, k, n_present=k), after) for k, after in rows]
    return pa.concat_tables([columns.observation_table([seen], 0, seen.end_at + after) for seen, after in made])


def came(*rows, known=("camera-1",)):
    found = _minutes(tables(*rows), known, BEGIN, BEGIN + 60 * MINUTE)
    return {round((at - BEGIN) / MINUTE): [seen.sequence for seen in seen_then] for at, seen_then in found if seen_then}


def test_a_count_comes_with_the_minute_by_which_it_was_committed():
    assert came((3, 4 * SECOND)) == {3: [3]}
    assert came((3, 11 * SECOND)) == {4: [3]}
    assert came((3, 5 * MINUTE)) == {8: [3]}


def test_what_was_read_in_afterwards_is_taken_as_in_time():
    assert came((3, timedelta(days=2)), (4, timedelta(hours=3))) == {3: [3], 4: [4]}


def test_every_minute_is_there_once_and_other_devices_are_not():
    found = list(_minutes(tables((3, SECOND)), (), BEGIN, BEGIN + 60 * MINUTE))
    assert [at for at, _ in found] == [BEGIN + k * MINUTE for k in range(1, 61)]
    assert not any(seen for _, seen in found)


def asked(**more):
    return {"begin_at": BEGIN.isoformat(), "settles_s": 600.0, "state": None} | more


def test_it_begins_with_the_state_that_was_kept_or_else_afresh(tmp_path):
    kept = ESTIMATOR.start(BEGIN + timedelta(hours=4))
    (tmp_path / "good").write_bytes(kept.to_bytes())
    (tmp_path / "bad").write_bytes(b"no state")
    state, judge_from = _begun(ESTIMATOR, asked(state=str(tmp_path / "good")))
    assert (state.present.at, judge_from) == (kept.present.at, kept.present.at + 10 * MINUTE)
    assert np.array_equal(state.present.mean, kept.present.mean)
    for name in (None, str(tmp_path / "bad"), str(tmp_path / "gone")):
        state, judge_from = _begun(ESTIMATOR, asked(state=name))
        assert (state.present.at, judge_from) == (BEGIN, BEGIN + AFRESH)


def test_a_day_without_views_says_so(tmp_path):
    write_pack(PACK, tmp_path / "pack")
    counts = tmp_path / "counts.parquet"
    pq.write_table(tables((3, SECOND)), counts)
    question = asked(
        pack=str(tmp_path / "pack"), cells=str(tmp_path / "cells.npz"), observations=str(counts),
        end_at=(BEGIN + 2 * MINUTE).isoformat(), withdrawn=["camera-1"],
    )  # fmt: skip
    told = []
    with pytest.raises(NoData, match="must have counts of views"):
        proved(question, lambda what, share: told.append((what, share)))
    assert told == []
