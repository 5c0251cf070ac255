import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlan.kernel.errors import BadInput
from anlan.response.queueing import (
    busy_levels,
    erlang_b,
    erlang_c,
    erlang_wait_s,
    nearest_order,
    settle,
    workloads,
)

# Larson and Odoni (1981), Urban Operations Research, section 5.4.3: ten atoms, merged where the order is the same.
LARSON_PER_HOUR = np.array([0.25, 0.25, 0.35, 0.25, 0.40])
LARSON_ORDER = np.array([[0, 1, 2], [0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 0, 1]])
LARSON_BUSY = [0.5574, 0.4734, 0.4693]
LARSON_ALL_BUSY = 0.23684


@given(st.floats(0.01, 60.0), st.integers(1, 40))
@settings(max_examples=60)
def test_erlang_b_is_the_sum_over_states(load, n):
    terms = [load**k / math.factorial(k) for k in range(n + 1)]
    assert erlang_b(load, n) == pytest.approx(terms[-1] / sum(terms), rel=1e-9)
    assert busy_levels(load, n, queue=False)[-1] == pytest.approx(erlang_b(load, n), rel=1e-9)


@given(st.floats(0.01, 0.98), st.integers(1, 40))
@settings(max_examples=60)
def test_erlang_c_is_the_chance_that_all_are_busy(share, n):
    load = share * n
    assert busy_levels(load, n, queue=True)[-1] == pytest.approx(erlang_c(load, n), rel=1e-9)
    assert erlang_b(load, n) <= erlang_c(load, n) <= 1
    assert erlang_wait_s(load, n, 600) == pytest.approx(erlang_c(load, n) * 600 / (n - load))


def test_one_unit_is_as_busy_as_its_load_and_a_full_one_never_ends():
    assert erlang_c(0.7, 1) == pytest.approx(0.7)
    assert erlang_c(3.0, 3) == 1.0
    assert erlang_wait_s(3.0, 3, 600) == math.inf
    with pytest.raises(BadInput, match="below the 3 units"):
        busy_levels(3.0, 3, queue=True)


def test_the_published_hypercube_of_three_units():
    made = workloads(LARSON_PER_HOUR, LARSON_ORDER, 3600.0)
    assert made.exact
    assert made.busy == pytest.approx(LARSON_BUSY, abs=5e-5)
    assert made.all_busy == pytest.approx(LARSON_ALL_BUSY, abs=5e-6)
    own = made.sent[LARSON_ORDER[:, 0], np.arange(5)]
    assert 1 - own @ LARSON_PER_HOUR / 1.5 == pytest.approx(0.43529, abs=5e-5)


@given(st.integers(0, 1000), st.integers(2, 6), st.booleans())
@settings(max_examples=25)
def test_work_is_conserved_and_blocking_is_erlangs(seed, n, queue):
    draw = np.random.default_rng(seed)
    rate = draw.random(8) + 0.01
    rate *= 0.6 * n / rate.sum()
    made = workloads(rate, nearest_order(draw.random((n, 8))), 3600.0, queue=queue)
    load = rate.sum()
    assert made.all_busy == pytest.approx(erlang_c(load, n) if queue else erlang_b(load, n), rel=1e-6)
    assert made.sent @ rate == pytest.approx(made.busy, rel=1e-6)  # each busy hour was one incident's
    assert made.sent.sum(axis=0) == pytest.approx(np.full(8, 1.0 if queue else 1 - made.all_busy), rel=1e-6)


@given(st.integers(0, 1000), st.booleans())
@settings(max_examples=12)
def test_larsons_approximation_is_within_two_per_cent_of_a_unit(seed, queue):
    draw = np.random.default_rng(seed)
    rate = draw.random(30)
    rate *= 0.45 * 8 / rate.sum()
    order = nearest_order(draw.random((8, 30)))
    near, full = (workloads(rate, order, 3600.0, queue=queue, exact=one) for one in (False, True))
    assert not near.exact
    assert np.abs(near.busy - full.busy).max() < 0.02
    assert near.mean_busy == pytest.approx(full.mean_busy, abs=1e-6)


def test_alike_units_share_alike():
    order = np.array(list(permutations(range(4))))
    made = workloads(np.full(24, 0.1), order, 3600.0)
    assert np.ptp(made.busy) < 1e-9
    far = workloads(np.full(24, 0.1), order, 3600.0, exact=False)
    assert far.busy == pytest.approx(made.busy, abs=1e-6)


def test_a_unit_with_longer_ways_is_busier():
    made = workloads([1.0, 1.0], [[0, 1], [1, 0]], [[900.0, 900.0], [1800.0, 1800.0]], queue=False)
    assert made.busy[1] > made.busy[0]
    assert made.busy == pytest.approx((made.sent * np.array([[0.25], [0.5]])).sum(axis=1), rel=1e-6)


def test_a_plan_agrees_with_its_own_busy_fraction_or_says_that_none_does():
    fine = settle(lambda q: round(10 * q), lambda plan: 0.2 + 0.02 * plan, begin=0.8)
    assert fine.agreed
    assert fine.busy == pytest.approx(fine.assumed, abs=1e-3)
    torn = settle(lambda q: q < 0.5, lambda low: 0.7 if low else 0.3)
    assert not torn.agreed
    assert torn.busy in {0.3, 0.7}


@pytest.mark.parametrize(
    ("per_hour", "order", "busy_s", "told"),
    [
        ([-1.0], [[0]], 60.0, "must be rates >= 0"),
        ([1.0], [[0, 0]], 60.0, "each of the 2 units once"),
        ([1.0], [[0]], 0.0, "must be > 0 s"),
        ([1.0], [[0]], 3600.0, "must be below the 1 units"),
    ],
)
def test_what_cannot_be_is_refused(per_hour, order, busy_s, told):
    with pytest.raises(BadInput, match=told):
        workloads(per_hour, order, busy_s)
