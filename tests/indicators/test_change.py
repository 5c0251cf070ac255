"""Two counts of a place, and how sure it is that something has changed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.indicators.change import change_between
from anlan.kernel.errors import BadInput

DAYS = (90.0, 90.0)


def test_a_fall_beyond_the_rest_of_the_district_is_told_and_one_within_is_not():
    assert change_between((60, 20), DAYS, elsewhere=(900, 880)).verdict == "fell"
    everywhere = change_between((60, 30), DAYS, elsewhere=(900, 450))
    assert everywhere.verdict == "not_told_apart"
    assert everywhere.ratio.high < 1 < everywhere.against.high
    assert change_between((10, 40), DAYS).verdict == "rose"


def test_nothing_before_gives_no_ratio_and_an_open_interval():
    made = change_between((0, 4), DAYS)
    assert (made.ratio.value, made.ratio.high) == (None, None)
    assert made.ratio.low > 0
    nothing = change_between((0, 0), DAYS, elsewhere=(9, 9))
    assert nothing.verdict == "not_told_apart"
    assert nothing.against.low == 0


def test_days_that_are_not_over_are_weighed_by_their_length():
    assert change_between((30, 10), (90.0, 30.0)).ratio.value == pytest.approx(1.0)


def test_the_interval_holds_the_true_ratio_as_often_as_it_says():
    rng = np.random.default_rng(5)
    before, after = rng.poisson(12.0, 2000), rng.poisson(7.2, 2000)
    made = [change_between((int(a), int(b)), DAYS).ratio for a, b in zip(before, after, strict=True)]
    held = np.mean([one.low <= 0.6 <= (one.high or math.inf) for one in made])
    assert 0.90 <= held <= 0.97  # exact, so never below what it says


@given(st.integers(0, 300), st.integers(0, 300), st.floats(1, 400), st.floats(1, 400))
def test_the_interval_holds_the_ratio_itself(before, after, first, second):
    made = change_between((before, after), (first, second)).ratio
    if made.value is not None:
        assert made.low <= made.value * (1 + 1e-9)
        assert made.high is None or made.value <= made.high * (1 + 1e-9)


@pytest.mark.parametrize(("counts", "days"), [((-1, 2), DAYS), ((1, 2), (0, 90)), ((1, 2), (90, -1))])
def test_what_cannot_be_compared_is_refused(counts, days):
    with pytest.raises(BadInput, match="must be >= 0 in days > 0"):
        change_between(counts, days)
