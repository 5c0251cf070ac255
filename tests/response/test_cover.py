import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlan.kernel.errors import BadInput
from anlan.response.cover import ExpectedCover, offered_busy, unit_for

SEEDS = st.integers(0, 10_000)
BUSY = st.floats(0.0, 0.95)


def town(seed, n_sites=5, n_points=30):
    draw = np.random.default_rng(seed)
    sites, points = draw.random((n_sites, 2)) * 100, draw.random((n_points, 2)) * 100
    return np.hypot(*(sites[:, None] - points).transpose(2, 0, 1)), draw.random(n_points), draw


def by_hand(times, weight, at, within_s, busy):
    """Every set of busy units, one after the other."""
    total = 0.0
    for free in itertools.product([True, False], repeat=len(at)):
        chance = np.prod([1 - busy if one else busy for one in free])
        awake = [site for site, one in zip(at, free, strict=True) if one]
        if awake:
            total += chance * weight[(times[awake] <= within_s).any(axis=0)].sum()
    return total


@given(SEEDS, BUSY)
@settings(max_examples=40)
def test_value_is_the_mean_over_all_sets_of_busy_units(seed, busy):
    times, weight, draw = town(seed)
    at = draw.integers(0, 5, 4)
    cover = ExpectedCover.of(times, weight, within_s=35, busy=busy)
    assert cover.value(at) == pytest.approx(by_hand(times, weight, at, 35, busy))
    assert cover.by_point(at) @ weight == pytest.approx(cover.value(at))
    assert cover.share(at) == pytest.approx(cover.value(at) / weight.sum())


@given(SEEDS, BUSY)
@settings(max_examples=40)
def test_losses_and_gains_are_differences_of_value(seed, busy):
    times, weight, draw = town(seed)
    at = draw.integers(0, 5, 4)
    cover = ExpectedCover.of(times, weight, within_s=35, busy=busy)
    without = [cover.value(np.delete(at, k)) for k in range(4)]
    assert cover.losses(at) == pytest.approx(cover.value(at) - np.array(without))
    more = [cover.value([*at, site]) for site in range(5)]
    assert cover.gains(at) == pytest.approx(np.array(more) - cover.value(at))
    assert (cover.losses(at) >= -1e-12).all()


@given(SEEDS)
@settings(max_examples=20)
def test_a_freed_unit_goes_where_most_is_gained(seed):
    times, weight, draw = town(seed)
    at, travel = draw.integers(0, 5, 3), draw.random(5) * 600
    cover = ExpectedCover.of(times, weight, within_s=35, busy=0.4)
    site = cover.site_for(at, travel, longest_s=500)
    gains = np.where(travel <= 500, cover.gains(at), -np.inf)
    if site is None:
        assert (travel > 500).all()
    else:
        assert gains[site] == pytest.approx(gains.max())
        equals = np.isclose(gains, gains.max(), rtol=1e-9)
        assert travel[site] == pytest.approx(travel[equals].min())


def test_with_a_unit_that_is_never_busy_only_the_first_counts():
    cover = ExpectedCover.of([[0.0], [10.0]], within_s=20, busy=0.0)
    assert cover.value([0, 1]) == 1.0
    assert cover.losses([0, 1]).tolist() == [0.0, 0.0]
    assert cover.with_busy(0.5).losses([0, 1]).tolist() == [0.25, 0.25]


def test_what_is_out_of_reach_is_weighed_and_never_covered():
    cover = ExpectedCover.of([[10.0, np.inf]], [1.0, 3.0], within_s=20, busy=0.2)
    assert cover.share([0]) == pytest.approx(0.2)
    assert cover.by_point([0]).tolist() == [0.8, 0.0]
    assert cover.share([]) == 0.0


def test_the_cheapest_in_time_is_sent_and_else_the_first_to_arrive():
    assert unit_for([10, 50, 70], [5, 1, 0], within_s=60) == 1
    assert unit_for([50, 10, 70], [1, 1, 0], within_s=60) == 1
    assert unit_for([90, 80, np.inf], [1, 5, 0], within_s=60) == 1
    assert unit_for([np.inf, np.inf], [1, 5], within_s=60) is None
    assert unit_for([], [], within_s=60) is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"busy": 1.0}, r"busy=1.0 must be in 0..1"),
        ({"within_s": -1}, r"within_s=-1 must be >= 0 s"),
        ({"weight": [1.0, -1.0]}, r"must be 2 numbers >= 0"),
        ({"times_s": [[np.nan, 1.0]]}, r"without NaN"),
    ],
)
def test_what_cannot_be_is_refused(wrong, told):
    given = {"times_s": [[0.0, 1.0]], "weight": [1.0, 1.0], "within_s": 60, "busy": 0.3} | wrong
    with pytest.raises(BadInput, match=told):
        ExpectedCover.of(given.pop("times_s"), given.pop("weight"), **given)


def test_a_site_that_is_none_is_refused():
    cover = ExpectedCover.of([[0.0]], within_s=1, busy=0.3)
    with pytest.raises(BadInput, match=r"must be 0\.\.0"):
        cover.losses([1])
    with pytest.raises(BadInput, match="must be >= 0 per hour"):
        offered_busy(-1, 900, 3)
