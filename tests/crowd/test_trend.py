"""What is foretold of a place: its growth, and not the wandering of its estimate."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlan.crowd.trend import followed, outlook
from anlan.kernel.records import Estimate

BEGIN = datetime(2026, 12, 31, 10, tzinfo=UTC)


def estimate(k, people, share=0.05):
    at = BEGIN + timedelta(minutes=k)
    return Estimate(at=at, walkable_m2=1e4, occupancy=float(people), sd=share * people)


def trends(numbers, share=0.05, gained=None):
    trend = None
    for k, people in enumerate(numbers):
        trend = followed(trend, estimate(k, people, share), gained=gained)
        yield trend


def test_a_wave_of_the_estimate_is_not_foretold_as_a_crowd():
    wave = 10_000 * np.exp(0.05 * np.sin(np.arange(360) / 60 * 2 * np.pi))
    told = [outlook(trend, (20,))[0].occupancy for trend in list(trends(wave))[120:]]
    line = (wave + 20 * np.gradient(wave))[120:]  # the last minute's slope, gone on with
    assert max(abs(np.array(told) / 10_000 - 1)) < 0.6 * max(abs(line / 10_000 - 1))


def test_steady_growth_is_found_and_goes_on():
    *_, trend = trends(5_000 + 25 * np.arange(180.0))
    assert trend.slope == pytest.approx(25, rel=0.1)
    assert outlook(trend, (20,))[0].occupancy == pytest.approx(5_000 + 25 * 199, rel=0.02)


def test_gates_tell_growth_that_the_estimate_hides():
    *_, blind = trends([5_000.0] * 30, share=0.2)
    *_, told = trends([5_000.0] * 30, share=0.2, gained=(40.0, 3.0))
    assert abs(blind.slope) < 5
    assert told.slope == pytest.approx(40, rel=0.1)
    assert told.sd_slope < 0.2 * blind.sd_slope


def test_nothing_is_expected_of_a_trend_that_has_just_begun_or_begun_anew():
    *_, young = trends([1_000.0] * 9)
    *_, old = trends([1_000.0] * 30)
    assert outlook(young, (10,)) == ()
    assert len(outlook(old, (10,))) == 1
    assert outlook(followed(old, estimate(60, 1_000)), (10,)) == ()


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1e6), min_size=12, max_size=60), st.floats(0, 2))
def test_whatever_is_estimated_the_outlook_is_of_people(numbers, share):
    *_, trend = trends(numbers, share)
    told = outlook(trend, (0, 5, 10, 20))
    assert all(one.occupancy >= 0 and math.isfinite(one.occupancy) and math.isfinite(one.sd) for one in told)
    assert np.linalg.eigvalsh(np.array(trend.cov)).min() > -1e-9
