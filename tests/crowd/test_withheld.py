"""A view that is withheld is not heard by the estimate that it is held against."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.small import PLANE, label, small_pack, square

from anlan.crowd import Cells, Estimator
from anlan.crowd.withheld import folds_of, replayed, scored
from anlan.kernel.records import Device, DeviceKind, Observation

MINUTE = timedelta(minutes=1)
BEGIN = datetime(2026, 12, 31, 4, 0, tzinfo=UTC)
JUDGE = BEGIN + timedelta(minutes=20)
SPOTS = [(x, y) for y in (-340, -140, 60, 260) for x in (-190, 30, 200)]


def many_views():
    """Return the small pack with a dozen cameras along its streets."""
    cameras = tuple(
        Device(
            device_id=f"camera-{k}",
            kind=DeviceKind.AREA,
            name=label(f"机{k}", f"Camera {k}"),
            geometry=square(x, y, 90),
        )
        for k, (x, y) in enumerate(SPOTS)
    )
    return replace(small_pack(), devices=small_pack().devices + cameras)


PACK = many_views()
CELLS = Cells.of(PACK)
ESTIMATOR = Estimator(PACK, CELLS)
VIEWS = ESTIMATOR.sources.views.devices
FOLDS = folds_of(PACK, VIEWS)


def minutes(n=30, *, wild=(), stuck=()):
    """Return so many minutes, in which cameras count about 30; those that are ``wild`` a hundred times as many."""
    rng, made = np.random.default_rng(3), []
    for k in range(1, n + 1):
        at, seen = BEGIN + k * MINUTE, []
        counted = rng.poisson(30, len(VIEWS))
        for device, many in zip(VIEWS, counted, strict=True):
            value = 300_000 + int(many) if device.device_id in wild else 33 if device.device_id in stuck else int(many)
            seen.append(observed(device.device_id, at, MINUTE, k, n_present=value))
        if k % 15 == 0:
            seen.append(observed("grid", at, 15 * MINUTE, k, counts=np.full(36, 200.0)))
        made.append((at, seen))
    return made


def observed(device_id, at, length, sequence, **values):
    return Observation(device_id=device_id, begin_at=at - length, end_at=at, sequence=sequence, **values)


def scores(given, folds=FOLDS, start=None):
    told = replayed(ESTIMATOR, start or ESTIMATOR.start(BEGIN), given, folds, JUDGE)
    return [score for _, of in told for score in of]


def test_neighbours_are_withheld_together_and_folds_are_alike_in_size():
    assert set().union(*FOLDS) == {one.device_id for one in VIEWS}
    assert sorted(map(len, FOLDS)) == [3, 3, 3, 4]
    at = {one.device_id: PLANE.project(one.geometry).centroid for one in VIEWS}
    fold_of = {name: k for k, fold in enumerate(FOLDS) for name in fold}
    nearest = {a: min((b for b in at if b != a), key=lambda b: at[a].distance(at[b])) for a in at}
    assert sum(fold_of[a] == fold_of[b] for a, b in nearest.items()) > 0.6 * len(VIEWS)


def test_a_district_of_few_views_has_fewer_folds():
    assert sorted(len(fold) for fold in folds_of(PACK, VIEWS[:5])) == [1, 2, 2]
    assert [len(fold) for fold in folds_of(PACK, VIEWS[:1])] == [1]
    assert folds_of(PACK, ()) == ()


@pytest.fixture(scope="module")
def calm():
    return scores(minutes())


def test_views_are_held_against_the_estimate_every_half_hour(calm):
    assert {one.at for one in calm} == {BEGIN + timedelta(minutes=30)}
    assert len({one.device_id for one in calm}) == len(calm) >= 10
    for one in calm:
        assert one.expected >= 5
        assert one.factor >= 0


def test_what_a_withheld_view_counts_does_not_change_what_it_is_held_against(calm):
    withheld, heard = FOLDS[0], FOLDS[1]
    before = {one.device_id: one for one in calm}
    after = {one.device_id: one for one in scores(minutes(wild=withheld), folds=(withheld, heard))}
    assert len(withheld & after.keys()) >= 2
    for name in withheld & after.keys():
        assert after[name].expected == before[name].expected
        assert after[name].counted > 1000 * before[name].counted
        assert after[name].factor == np.inf
    assert all(after[name].expected != before[name].expected for name in heard & after.keys())


ONE = "camera-4"
ALONE = (frozenset({ONE}),)


def test_a_view_at_fault_is_held_against_nothing(calm):
    assert ONE in {one.device_id for one in calm}
    assert scores(minutes(stuck=(ONE,)), folds=ALONE) == []


def test_ground_that_nothing_else_informs_says_nothing():
    blind = [(at, [one for one in seen if one.device_id != "grid"]) for at, seen in minutes()]
    assert scores(blind, folds=ALONE) == []


def test_a_count_that_is_too_old_says_nothing():
    silent = [(at, [one for one in seen if one.device_id != ONE or at < JUDGE]) for at, seen in minutes()]
    assert scores(silent, folds=ALONE) == []
    assert len(scores(minutes(), folds=ALONE)) == 1


def test_devices_own_noise_is_known_and_not_the_estimates_error():
    state = ESTIMATOR.start(BEGIN)
    for at, seen in minutes(30):
        state = ESTIMATOR.advance(state, seen, at)
    field = ESTIMATOR.field(state)
    weights = ESTIMATOR.sources.views.weights
    mean, _, _ = field.parts(weights)
    near = {
        one.device_id: observed(one.device_id, field.at, MINUTE, 99, n_present=round(1.1 * mean[k]))
        for k, one in enumerate(VIEWS)
    }
    assert {one.factor for one in scored(ESTIMATOR, field, near)} == {0.0}


def test_what_is_proven_widens_open_ground_and_leaves_closed_places():
    state = ESTIMATOR.start(BEGIN)
    for at, seen in minutes(30):
        gates = [observed(f"garden-{k}", at, MINUTE, 1, n_in=20, n_out=5) for k in (1, 2)]
        state = ESTIMATOR.advance(state, [*seen, *gates], at)
    plain, wide = ESTIMATOR.field(state), ESTIMATOR.field(state, 1.5)
    assert np.array_equal(plain.persons, wide.persons)
    open_ground, closed = ESTIMATOR.sources.views.weights, ESTIMATOR.sources.cordons.weights
    for weights, factor in ((open_ground, 1.5**2), (closed, 1.0)):
        mean, spread, common = plain.parts(weights)
        assert wide.parts(weights)[1] == pytest.approx(factor * spread)
        assert np.array_equal(wide.parts(weights)[2], common)
        assert wide.sums(weights)[1] == pytest.approx(factor * spread + common)
        assert np.array_equal(plain.sums(weights)[0], mean)
