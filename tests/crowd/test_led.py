"""What the estimate says of a device that is to be believed or not."""

import numpy as np
import pytest
import scipy.sparse as sp
import shapely
from tests.crowd.conftest import AT, MINUTE, degrees, seen, small_pack

from anlan.crowd import Cells, Estimator
from anlan.crowd.evidence import Led
from anlan.crowd.kalman import Innovation
from anlan.crowd.watch import Watcher
from anlan.crowd.watched import LATELY, Health, Limits, Surprise
from anlan.kernel.answers import Fault
from anlan.kernel.records import Device, DeviceKind

N_VIEWS = 6


def view(k):
    x, y = 150 + 60 * (k % 3), -250 + 60 * (k // 3)
    shape = degrees(shapely.box(x, y, x + 40, y + 40))
    return Device(device_id=f"view-{k}", kind=DeviceKind.AREA, name={}, geometry=shape)


@pytest.fixture(scope="module")
def pack():
    return small_pack([view(k) for k in range(N_VIEWS)])


def told(pack, level, *, left=1.0, from_minute=60, minutes=70, seed=1, led=True, limits=None):
    """Watch views of a level by minute, the first of which loses a part; return its first verdict, and its minute.

    The estimate knows the level, and believes a tenth of how far each count is off.
    """
    watcher, rng = Watcher(pack, limits), np.random.default_rng(seed)
    health, surprise, off = watcher.start(), {}, np.zeros(N_VIEWS)
    for k in range(minutes):
        at = AT + k * MINUTE
        mean = np.array([level(k) if d == 0 else level(0) for d in range(N_VIEWS)])
        counts = rng.poisson(mean * np.where((np.arange(N_VIEWS) == 0) & (k >= from_minute), left, 1))
        observations = [seen(f"view-{d}", at, k, n_present=int(counts[d])) for d in range(N_VIEWS)]
        health = watcher.watch(health, observations, surprise, at)
        if (verdict := watcher.verdicts(health).get("view-0")) is not None:
            return k, verdict.fault
        alone = np.log(np.maximum(counts, 0.5) / mean) - off
        off += 0.1 * alone
        surprise = {f"view-{d}": Surprise(alone[d], 0.1, alone[d], 0.1) for d in range(N_VIEWS)} if led else {}
    return None, None


def test_what_all_others_lead_to_expect_is_what_is_expected_without_a_count():
    rng = np.random.default_rng(5)
    rows, root = sp.csr_matrix(rng.normal(size=(5, 4))), rng.normal(size=(4, 4))
    covariance, noise, surprise = root @ root.T, rng.uniform(0.1, 1, 5), rng.normal(size=5)
    off, variance = Innovation.of(rows, rows @ covariance, noise).alone(surprise)
    for k in range(5):
        others = np.delete(np.arange(5), k)
        whole = rows @ covariance @ rows.T + np.diag(noise)
        weights = np.linalg.solve(whole[np.ix_(others, others)], whole[others, k])
        assert off[k] == pytest.approx(surprise[k] - weights @ surprise[others])
        assert variance[k] == pytest.approx(whole[k, k] - weights @ whole[others, k])


def test_what_an_estimate_has_learned_from_a_window_is_given_back():
    counts, level, off = np.array([90.0, 110.0, 50.0, 45.0, 52.0, 48.0]), np.log(100.0), []
    levels = []
    for count in counts[:-1]:
        levels.append(level)
        off.append(np.log(count) - level)
        level += 0.3 * off[-1]
    alone = np.array([[*off, np.nan]]).T
    led = Led.of(counts[:, None], alone, np.full((6, 1), 0.3))
    for k in range(2, 7):  # all of a window is held against the estimate of before it
        assert led.mean[k - 1, 0] == pytest.approx(k * np.exp(levels[6 - k]))
        assert led.counted[k - 1, 0] == counts[6 - k :].sum()
        assert led.number[k - 1, 0] == k


def test_minutes_that_are_not_known_are_left_out():
    counts = np.array([[20.0], [np.nan], [22.0], [21.0]])
    led = Led.of(counts, np.array([[0.0], [0.1], [0.0], [np.nan]]), np.full((4, 1), 0.2))
    assert led.number.ravel().tolist() == [1, 2, 2, 3]
    assert led.counted.ravel().tolist() == [21, 43, 43, 63]
    assert np.isfinite(led.mean).all()
    silent = Led.of(counts, np.full((4, 1), np.nan), np.full((4, 1), np.nan))
    assert not silent.number[:, 0].any()


def test_a_view_that_loses_half_while_people_come_is_found_sooner_with_the_estimate(pack):
    def filling(k):
        return 16.0 * np.exp(np.clip(k - 50, 0, 20) / 50)

    found = {
        led: [told(pack, filling, left=0.5, seed=seed, led=led)[0] for seed in range(30, 50)] for led in (True, False)
    }
    sooner = {led: sum(minute is not None and minute >= 60 for minute in minutes) for led, minutes in found.items()}
    assert sooner[True] >= sooner[False] + 3


def test_a_view_whose_crowd_the_estimate_sees_go_is_not_accused(pack):
    def going(k):
        return 900.0 * (1 if k < 62 else 0.4)

    assert told(pack, going, minutes=75, led=False)[1] is Fault.LOST
    assert told(pack, going, minutes=75)[1] is None


def test_a_view_that_people_leave_by_and_by_is_not_accused_of_losing_half(pack):
    def leaving(k):
        return 3000.0 * 0.7 ** np.clip(k - 60, 0, 6)

    assert told(pack, leaving, minutes=66, led=False, limits=Limits(slides=np.inf))[1] is Fault.LOST
    assert told(pack, leaving, minutes=66, led=False)[1] is None
    assert told(pack, lambda _: 3000.0, left=0.5, minutes=66, led=False)[1] is Fault.LOST


def test_the_estimate_tells_the_watcher_of_every_count_of_the_minute_before(pack):
    estimator, rng = Estimator(pack, Cells.of(pack)), np.random.default_rng(3)
    state = estimator.start(AT - MINUTE)
    for k in range(15):
        at = AT + k * MINUTE
        counts = rng.poisson(30, N_VIEWS)
        state = estimator.advance(
            state, [seen(f"view-{d}", at, k, n_present=int(counts[d])) for d in range(N_VIEWS)], at
        )
    assert state.health.alone.shape == (LATELY, N_VIEWS)
    assert np.isfinite(state.health.alone[:-1]).all()
    assert np.isnan(state.health.alone[-1]).all()
    assert ((state.health.believed_of[:-1] > 0) & (state.health.believed_of[:-1] < 1)).all()
    again = Health.of(state.health.arrays())
    np.testing.assert_array_equal(again.alone, state.health.alone)
    np.testing.assert_array_equal(again.believed_of, state.health.believed_of)
