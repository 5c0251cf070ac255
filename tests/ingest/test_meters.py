from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.conftest import NOW

from anlan.ingest.meters import Meter, difference
from anlan.kernel.errors import BadInput

MINUTE = timedelta(minutes=1)
steps = st.lists(st.integers(0, 1000), min_size=1, max_size=60)


def counted(totals, **more):
    """The sum of what a meter makes of totals, one a minute."""
    meter = Meter(["n"], 60, **more)
    made = [meter.take(NOW + k * MINUTE, {"n": total}) for k, total in enumerate(totals)]
    assert made[0] is None
    return sum(window.counted["n"] for window in made if window is not None)


@given(steps, st.sampled_from([2**16, 2**31, 2**32]), st.integers(0, 3000))
def test_a_counter_that_wraps_loses_nobody(people, width, below):
    total = width - 1 - below
    totals = [total]
    for n in people:
        total = (total + n) % width
        totals.append(total)
    assert counted(totals, widths=[width]) == sum(people)


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=60))
def test_a_reset_loses_at_most_the_people_of_its_own_window_and_invents_none(minutes):
    total, totals, sure, most = 0, [0], 0, 0
    for n, restarts in minutes:
        most += n
        total = n // 2 if restarts else total + n
        sure += n // 2 if restarts else n
        totals.append(total)
    assert 0 <= counted(totals, widths=[]) <= most
    assert counted(totals, widths=[]) <= sure


@given(steps, st.data())
def test_a_total_that_is_missed_or_sent_twice_changes_no_sum(people, draw):
    totals = [sum(people[:k]) for k in range(len(people) + 1)]
    sent = [(k, total) for k, total in enumerate(totals)]
    kept = sent[:1] + [one for one in sent[1:-1] if draw.draw(st.booleans())] + sent[-1:]
    twice = [one for one in kept for _ in range(draw.draw(st.integers(1, 3)))]
    meter = Meter(["n"], 60)
    made = {}
    for k, total in twice:
        window = meter.take(NOW + k * MINUTE, {"n": total})
        if window is not None:
            made[window.end_at] = window.counted["n"]
    assert sum(made.values()) == sum(people)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(65_535, 0, 1), (65_530, 4, 10), (2**32 - 1, 9, 10), (2**31 - 5, 5, 10), (40_000, 7, 7), (840, 0, 0), (5, 5, 0)],
)
def test_a_fall_is_a_wrap_or_a_reset(before, after, expected):
    assert difference(before, after, most=500) == expected


@pytest.mark.parametrize(("before", "after"), [(100, 2**31), (245_000, 244_990), (0, 501)])
def test_a_change_that_nothing_explains_is_not_counted(before, after):
    with pytest.raises(BadInput, match="must be at most 500 people"):
        difference(before, after, most=500)


def test_after_a_change_that_nothing_explains_it_counts_on():
    meter = Meter(["n"], 60)
    meter.take(NOW, {"n": 100})
    with pytest.raises(BadInput):
        meter.take(NOW + MINUTE, {"n": 9_000_000})
    assert meter.take(NOW + 2 * MINUTE, {"n": 9_000_005}).counted == {"n": 5}


def test_the_people_of_a_long_silence_are_not_put_into_one_window():
    meter = Meter(["n"], 60)
    meter.take(NOW, {"n": 100})
    with pytest.raises(BadInput, match="within 3600 s"):
        meter.take(NOW + timedelta(hours=2), {"n": 900})
    assert meter.take(NOW + timedelta(hours=2) + MINUTE, {"n": 905}).counted == {"n": 5}


def test_a_total_of_the_past_is_held_by_the_last_one():
    meter = Meter(["n"], 60)
    meter.take(NOW, {"n": 100})
    meter.take(NOW + 2 * MINUTE, {"n": 110})
    with pytest.raises(BadInput, match="the last one holds its people"):
        meter.take(NOW + MINUTE, {"n": 104})


def test_changes_within_a_window_are_gathered():
    meter = Meter(["n"], 60)
    seconds = [meter.take(NOW + timedelta(seconds=k), {"n": k}) for k in range(61)]
    windows = [window for window in seconds if window is not None]
    assert [window.counted["n"] for window in windows] == [30, 30]
