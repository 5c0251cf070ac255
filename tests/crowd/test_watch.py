from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import shapely
from tests.crowd.conftest import AT, MINUTE, degrees, small_pack

from anlan.crowd import Cells, Estimator
from anlan.crowd.watch import Watcher
from anlan.crowd.watched import Health, Surprise
from anlan.kernel.answers import Fault
from anlan.kernel.records import Device, DeviceKind, Observation


def gate(k):
    line = degrees(shapely.LineString([(-60, 10.0 * k - 30), (-60, 10.0 * k - 25)]))
    return Device(device_id=f"gate-{k}", kind=DeviceKind.GATE, name={}, geometry=line, place_id="hall")


def view():
    shape = degrees(shapely.box(100, 100, 160, 160))
    return Device(device_id="view", kind=DeviceKind.AREA, name={}, geometry=shape)


GATES = [gate(k) for k in range(5)]


@pytest.fixture(scope="module")
def pack():
    return small_pack([*GATES, view()])


def window(device, at, sequence, **numbers):
    return Observation(device_id=device, begin_at=at - MINUTE, end_at=at, sequence=sequence, **numbers)


def watched(pack, minutes, spoil=None, *, n_in=24, n_out=8, from_minute=60, seed=1):
    """Watch a hall with five gates and a view, one device spoilt from a minute on; return each minute's verdicts."""
    watcher, rng = Watcher(pack), np.random.default_rng(seed)
    health, told, last = watcher.start(), [], {}
    for k in range(minutes):
        at = AT + k * MINUTE
        level = 1.0 if not callable(n_in) else n_in(k)
        mean_in, mean_out = (24 * level, 8 * level) if callable(n_in) else (n_in, n_out)
        seen = [
            window(f"gate-{g}", at, k, n_in=int(rng.poisson(mean_in)), n_out=int(rng.poisson(mean_out)))
            for g in range(5)
        ]
        seen.append(window("view", at, k, n_present=max(int(rng.normal(400 * level, 20 * level + 1)), 0)))
        if spoil and k >= from_minute:
            seen = [made for one in seen if (made := spoil(one, last.get(one.device_id), k, rng)) is not None]
        else:
            last = {one.device_id: one for one in seen}
        health = watcher.watch(health, seen, {}, at)
        told.append(watcher.verdicts(health))
    return health, told


def first(told, device):
    return next((k for k, verdicts in enumerate(told) if device in verdicts), None)


def only(device):
    """Spoil one device, and leave the others."""

    def outer(change):
        def spoil(one, last, k, rng):
            return change(one, last, k, rng) if one.device_id == device else one

        return spoil

    return outer


@only("gate-2")
def nobody(one, _last, _k, _rng):
    return replace(one, n_in=0, n_out=0)


@only("gate-2")
def half(one, _last, _k, rng):
    return replace(one, n_in=int(rng.binomial(one.n_in, 0.5)), n_out=int(rng.binomial(one.n_out, 0.5)))


@only("gate-2")
def turned(one, _last, _k, _rng):
    return replace(one, n_in=one.n_out, n_out=one.n_in)


@only("gate-2")
def repeating(one, last, _k, _rng):
    return replace(one, n_in=last.n_in, n_out=last.n_out)


@only("view")
def frozen(one, last, _k, _rng):
    return replace(one, n_present=last.n_present)


def test_healthy_devices_are_not_accused(pack):
    assert not any(watched(pack, 240)[1])


@pytest.mark.parametrize(
    ("spoil", "device", "fault", "within"),
    [
        (nobody, "gate-2", Fault.ZERO, 3),
        (frozen, "view", Fault.STUCK, 4),
        (turned, "gate-2", Fault.SWAPPED, 15),
    ],
)
def test_a_fault_is_found_and_named(pack, spoil, device, fault, within):
    _, told = watched(pack, 80, spoil)
    found = first(told, device)
    assert found is not None
    assert found < 60 + within
    assert told[found][device].fault is fault
    assert told[found][device].left_out
    assert all(set(verdicts) <= {device} for verdicts in told)


def test_a_device_that_loses_half_is_found_within_ten_minutes(pack):
    found = [first(watched(pack, 70, half, seed=seed)[1], "gate-2") for seed in range(2, 7)]
    assert sum(minute is not None and minute >= 60 for minute in found) >= 4


def test_a_line_of_a_dozen_that_repeats_itself_is_found_within_three_minutes(pack):
    found = [first(watched(pack, 63, repeating, n_in=11, n_out=1, seed=seed)[1], "gate-2") for seed in range(2, 12)]
    assert sum(minute is not None and minute >= 60 for minute in found) >= 9


def test_a_line_that_has_just_become_busy_and_repeats_itself_is_found_within_three_minutes(pack):
    def busy(one, _last, k, rng):
        if one.device_id != "gate-2":
            return one
        inward, outward = (3, 1) if k < 58 else (11, 2)
        n_in, n_out = (9, 2) if k >= 70 else (int(rng.poisson(inward)), int(rng.poisson(outward)))
        return replace(one, n_in=n_in, n_out=n_out)

    _, told = watched(pack, 80, busy, from_minute=0)
    assert first(told, "gate-2") == 73


def test_the_end_of_a_wave_of_people_is_no_fault(pack):
    @only("view")
    def wave(one, _last, k, _rng):
        return replace(one, n_present=5 * one.n_present) if k < 85 else one

    assert not any(watched(pack, 115, wave)[1])


def test_a_stream_of_one_direction_that_ends_is_no_device_at_fault(pack):
    def ended(one, _last, _k, rng):
        return replace(one, n_in=int(rng.poisson(5))) if one.device_id == "gate-2" else one

    _, told = watched(pack, 110, ended, n_in=40, n_out=20, from_minute=70)
    assert first(told, "gate-2") is None


def test_a_count_that_is_sent_twice_counts_once(pack):
    watcher = Watcher(pack)
    once = window("gate-2", AT, 1, n_in=7, n_out=3)
    health = watcher.watch(watcher.start(), [once, once], {}, AT)
    again = watcher.watch(health, [once], {}, AT + MINUTE)
    index = [device.device_id for device in watcher.devices].index("gate-2")
    assert health.counts[-1, index].tolist() == again.counts[-2, index].tolist() == [7, 3]


def test_a_line_that_repeats_itself_is_found_though_its_third_repeat_is_late(pack):
    def late(one, last, k, _rng):
        if one.device_id != "gate-2":
            return one
        return None if k == 72 else replace(one, n_in=last.n_in, n_out=last.n_out)

    _, told = watched(pack, 73, late, n_in=60, n_out=50, from_minute=70)
    assert first(told, "gate-2") == 71


def test_a_fault_does_not_teach_that_faults_are_usual(pack):
    before, _ = watched(pack, 60)
    during, told = watched(pack, 64, half)
    assert not any(told)
    assert during.strayed[2] / during.n_strayed[2] <= before.strayed[2] / before.n_strayed[2] + 0.002


def test_the_evidence_is_what_was_counted_and_expected(pack):
    _, told = watched(pack, 70, nobody)
    suspicion = told[-1]["gate-2"]
    assert suspicion.counted_per_min == 0
    assert suspicion.expected_per_min == pytest.approx(32, rel=0.25)
    assert suspicion.minutes == 10


def test_a_device_is_trusted_again_when_it_counts_as_before(pack):
    def for_a_while(one, last, k, rng):
        return nobody(one, last, k, rng) if k < 80 else one

    _, told = watched(pack, 100, for_a_while)
    assert "gate-2" in told[79]
    assert "gate-2" not in told[90]


def test_a_quiet_night_is_not_a_dead_device(pack):
    def emptying(k):
        return max(0.0, 1 - max(k - 60, 0) / 40)

    assert not any(watched(pack, 180, n_in=emptying)[1])


def test_a_place_that_closes_at_once_accuses_nobody(pack):
    def closing(k):
        return 1.0 if k < 60 else 0.05

    _, told = watched(pack, 120, n_in=closing)
    assert not any(verdict.fault is Fault.LOST for verdicts in told for verdict in verdicts.values())


def test_a_silent_device_is_not_a_zero_one(pack):
    _, told = watched(pack, 90, only("gate-2")(lambda *_: None))
    assert not any(told)


def test_a_clock_that_drifts_is_named_and_still_used(pack):
    @only("gate-1")
    def slow(one, _last, k, _rng):
        off = timedelta(seconds=0.5 * (k - 60))
        return replace(one, begin_at=one.begin_at - off, end_at=one.end_at - off)

    _, told = watched(pack, 85, slow)
    assert told[-1]["gate-1"].fault is Fault.CLOCK
    assert not told[-1]["gate-1"].left_out
    assert told[-1]["gate-1"].off_s == pytest.approx(-12, abs=1.5)


def test_a_restart_is_named_for_half_an_hour(pack):
    @only("gate-1")
    def again(one, _last, k, _rng):
        return replace(one, sequence=k - 60)

    _, told = watched(pack, 95, again)
    assert told[61]["gate-1"].fault is Fault.RESTARTED
    assert not told[-1]


def test_what_contradicts_all_others_is_named(pack):
    watcher = Watcher(pack)
    health = watcher.start()
    for k in range(90):
        at = AT + k * MINUTE
        seen = [window("view", at, k, n_present=100 + k % 7)]
        health = watcher.watch(health, seen, {"view": Surprise(1.5, 0.04)}, at)
    told = watcher.verdicts(health)
    assert told["view"].fault is Fault.CONTRADICTS
    assert told["view"].ratio == pytest.approx(np.exp(1.5))
    assert not told["view"].left_out


def test_the_order_of_observations_does_not_matter(pack):
    watcher, rng = Watcher(pack), np.random.default_rng(2)
    seen = [window(f"gate-{g}", AT, 0, n_in=int(rng.poisson(9)), n_out=3) for g in range(5)]
    forth = watcher.watch(watcher.start(), seen, {}, AT)
    back = watcher.watch(watcher.start(), seen[::-1], {}, AT)
    for name, values in forth.arrays().items():
        np.testing.assert_array_equal(values, back.arrays()[name])


def test_health_survives_its_bytes(pack):
    health, told = watched(pack, 70, nobody)
    again = Health.of(health.arrays())
    assert Watcher(pack).verdicts(again) == told[-1]


def test_a_device_at_fault_is_left_out_of_the_estimate_and_survives_a_restart(pack):
    estimator = Estimator(pack, Cells.of(pack))
    rng = np.random.default_rng(3)
    state = estimator.start(AT - MINUTE)
    for k in range(75):
        at = AT + k * MINUTE
        seen = [window(f"gate-{g}", at, k, n_in=int(rng.poisson(20)), n_out=int(rng.poisson(20))) for g in range(5)]
        seen.append(window("view", at, k, n_present=0 if k >= 60 else int(rng.normal(40, 3))))
        state = estimator.advance(state, seen, at)
    assert estimator.watcher.distrusted(state.health) == {"view"}
    assert state.present.newest["view"] < AT + 64 * MINUTE
    again = estimator.restore(state.to_bytes())
    assert estimator.watcher.distrusted(again.health) == {"view"}
