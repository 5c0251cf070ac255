"""The conformal factor: what was understated is found, a device's own noise is not the estimate's error."""

import numpy as np
import pytest

from anlan.crowd.conformal import DOUBT_HOURS, LEAST, LEAST_DEVICES, MOST, factors_that_hold, proof_of
from anlan.crowd.count import intervals

N, HOURS = 60, 16


def counts(rng, sd, noise, n=N * HOURS * 2):
    """Draw counts of about a thousand people: the estimate's error and the device's own, as parts of them."""
    mean = np.full(n, 1000.0)
    there = rng.gamma(1 / sd**2, mean * sd**2) if sd else mean
    return mean, rng.gamma(1 / noise**2, there * noise**2)


def by_device(factors):
    return {f"camera-{k}": list(of) for k, of in enumerate(np.array_split(factors, N))}


def proved(seed, sd, said, noise, n=N * HOURS * 2):
    mean, counted = counts(np.random.default_rng(seed), sd, noise, n)
    return proof_of([(0.0, by_device(factors_that_hold(counted, mean, (said * mean) ** 2, (noise * mean) ** 2)))])


def test_a_spread_understated_by_two_is_doubled():
    assert proved(1, sd=0.2, said=0.1, noise=0.05).raw == pytest.approx(2.0, rel=0.06)


def test_a_spread_that_is_right_stays():
    made = proved(2, sd=0.2, said=0.2, noise=0.05)
    assert made.raw == pytest.approx(1.0, rel=0.05)
    assert made.factor == pytest.approx(1.0, rel=0.05)


def test_noise_of_the_devices_alone_is_no_error_of_the_estimate():
    made = proved(3, sd=0.0, said=0.2, noise=0.1)
    assert (made.raw, made.factor) == (LEAST, 1.0)


def test_the_factor_holds_nine_of_ten_counts_that_it_has_not_seen():
    made = proved(4, sd=0.3, said=0.15, noise=0.08)
    mean, counted = counts(np.random.default_rng(5), 0.3, 0.08)
    low, high = intervals(mean, (made.raw * 0.15 * mean) ** 2 + (0.08 * mean) ** 2)
    assert np.mean((low <= counted) & (counted <= high)) == pytest.approx(0.9, abs=0.02)


def test_the_factor_of_a_score_is_the_least_that_holds_it():
    rng = np.random.default_rng(6)
    mean, counted = counts(rng, 0.3, 0.05, 500)
    found = factors_that_hold(counted, mean, (0.1 * mean) ** 2, (0.05 * mean) ** 2)
    some = (found > 0) & np.isfinite(found)
    assert some.sum() > 300
    for factor, held in ((found * 1.001, True), (found * 0.999, False)):
        low, high = intervals(mean, (factor * 0.1 * mean) ** 2 + (0.05 * mean) ** 2)
        assert np.all(((low <= counted) & (counted <= high))[some] == held)


def test_few_hours_stay_near_one():
    few, many = proved(7, sd=0.2, said=0.1, noise=0.05, n=N), proved(8, sd=0.2, said=0.1, noise=0.05)
    assert few.hours == N / 2
    assert 1.0 < few.factor < 1.1
    assert many.factor > 1.5
    assert many.factor == pytest.approx(many.raw ** (many.hours / (many.hours + DOUBT_HOURS)))


def test_one_broken_camera_of_many_changes_little():
    mean, counted = counts(np.random.default_rng(9), 0.2, 0.05)
    well = by_device(factors_that_hold(counted, mean, (0.2 * mean) ** 2, (0.05 * mean) ** 2))
    broken = well | {"camera-7": [np.inf] * 2 * HOURS}
    assert proof_of([(0.0, broken)]).factor == pytest.approx(proof_of([(0.0, well)]).factor, rel=0.06)


def test_a_camera_that_counts_ten_times_as_long_does_not_count_for_ten():
    well = {f"camera-{k}": [0.9, 1.1] * 10 for k in range(12)}
    loud = well | {"camera-0": [2.5] * 200}
    assert proof_of([(0.0, loud)]).raw == proof_of([(0.0, well | {"camera-0": [2.5] * 40})]).raw


def test_too_few_cameras_prove_nothing():
    few = {f"camera-{k}": [3.0] * 30 for k in range(LEAST_DEVICES - 1)}
    made = proof_of([(0.0, few)])
    assert (made.raw, made.factor, made.n_devices) == (None, 1.0, 0)
    assert proof_of([(0.0, few | {"one-more": [3.0] * 30})]).factor > 1.2
    assert proof_of([]).factor == 1.0


def test_it_is_held_within_bounds_and_nothing_is_narrowed():
    long = {f"camera-{k}": [np.inf] * 20_000 for k in range(LEAST_DEVICES)}
    assert proof_of([(0.0, long)]).factor == pytest.approx(MOST, rel=0.01)
    narrow = proof_of([(0.0, {name: [0.0] * 20_000 for name in long})])
    assert (narrow.raw, narrow.factor) == (LEAST, 1.0)


def test_older_days_fade_and_one_day_of_fourteen_does_not_swing_it():
    usual = {f"camera-{k}": list(np.linspace(0.1, 1.3, 32)) for k in range(40)}
    odd = {name: [3.0] * 32 for name in usual}
    calm = proof_of([(float(age), usual) for age in range(1, 15)])
    assert proof_of([(1.0, odd), *((float(age), usual) for age in range(2, 15))]).factor < 1.12 * calm.factor
    newer, older = proof_of([(1.0, odd), (15.0, usual)]), proof_of([(15.0, odd), (1.0, usual)])
    assert newer.raw > older.raw
