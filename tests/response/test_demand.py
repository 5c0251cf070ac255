from datetime import datetime

import numpy as np
import pytest
from scipy.stats import poisson

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.errors import BadInput, NotFound
from anlan.response.demand import SLOTS, Calls, fit_demand, hours_of, slot_of

N_STREETS, N_GRIDS = 6, 10


def town():
    levels = [Level(key=key, label={}) for key in ("district", "street", "grid")]
    areas = [Area(area_id="town", level="district", parent_id=None, name={}, polygon=None)]
    for i in range(N_STREETS):
        areas.append(Area(area_id=f"s{i}", level="street", parent_id="town", name={}, polygon=None))
        areas += [
            Area(area_id=f"g{i}-{j}", level="grid", parent_id=f"s{i}", name={}, polygon=None) for j in range(N_GRIDS)
        ]
    return AreaTree(levels, areas)


def week(peak):
    hour = np.arange(SLOTS) % 24
    shape = 1 + 0.8 * np.cos(2 * np.pi * (hour - peak) / 24)
    return shape / shape.mean()


PROFILES = {"fall": week(10), "fire": week(19)}


def truth(seed):
    """Calls per hour of each grid, by kind: streets differ, and grids within them."""
    draw = np.random.default_rng(seed)
    made = {}
    for kind, level in (("fall", 0.02), ("fire", 0.004)):
        street = np.repeat(draw.gamma(3, 1 / 3, N_STREETS), N_GRIDS)
        made[kind] = level * street * draw.gamma(4, 1 / 4, N_STREETS * N_GRIDS)
    return made


def drawn(rates, n_weeks, seed, present=1.0):
    draw = np.random.default_rng(seed)
    areas, kinds, slots = [], [], []
    ids = [area.area_id for area in town().of_level("grid")]
    for kind, per_hour in rates.items():
        n = draw.poisson(per_hour[:, None] * PROFILES[kind] * n_weeks * present)
        for i, slot in zip(*np.nonzero(n), strict=True):
            areas += [ids[i]] * int(n[i, slot])
            kinds += [kind] * int(n[i, slot])
            slots += [int(slot)] * int(n[i, slot])
    return Calls(area_id=areas, kind=kinds, slot=np.array(slots), hours=np.full(SLOTS, float(n_weeks)))


@pytest.fixture(scope="module")
def learned():
    return fit_demand(town(), "grid", drawn(truth(1), 20, 2))


def test_rates_are_nearer_the_truth_than_counts_are():
    true, calls = truth(1), drawn(truth(1), 5, 2)
    found = fit_demand(town(), "grid", calls)
    for k, kind in enumerate(found.kinds):
        raw = found._held(calls)[0][:, k].sum(axis=1) / (5 * SLOTS)
        ours = found.shape[:, k] / found.per[:, k]
        assert np.abs(ours - true[kind]).mean() < 0.9 * np.abs(raw - true[kind]).mean()


def test_the_week_of_each_kind_is_found(learned):
    for k, kind in enumerate(learned.kinds):
        assert np.abs(learned.profile[k] - PROFILES[kind]).mean() < 0.15


def test_intervals_hold_the_true_rate_nine_times_of_ten():
    inside = []
    for seed in range(4):
        true = truth(seed)
        found = fit_demand(town(), "grid", drawn(true, 20, seed + 50))
        for kind in found.kinds:
            for i, one in enumerate(found.area_ids):
                rate = found.rate(one, kind, 12)
                shape = found.profile[found.kinds.index(kind), 12]
                inside.append(rate.low_per_hour <= true[kind][i] * shape <= rate.high_per_hour)
    assert 0.85 <= np.mean(inside) <= 0.95


def test_calls_to_come_are_foreseen_better_than_by_flat_or_raw_rates(learned):
    before, after = drawn(truth(1), 20, 2), drawn(truth(1), 10, 3)
    n, _ = learned._held(after)
    seen, _ = learned._held(before)
    flat = np.broadcast_to(seen.sum(axis=(0, 2), keepdims=True) / len(learned.area_ids) / (20 * SLOTS) * 10, n.shape)
    raw = np.maximum(seen.sum(axis=2, keepdims=True), 0.5) / (20 * SLOTS) * 10 * np.ones(SLOTS)
    ours = learned.log_likelihood(after)
    assert ours > poisson.logpmf(n, flat).sum() + 50
    assert ours > poisson.logpmf(n, raw).sum() + 50


def test_an_area_without_a_call_is_not_without_need():
    true = {kind: np.where(np.arange(60) == 0, 0.0, rates) for kind, rates in truth(1).items()}
    found = fit_demand(town(), "grid", drawn(true, 20, 2))
    silent, usual = found.rate("g0-0", "fire", 12), np.median(found.per_hour("fire", 12))
    assert 0 < silent.per_hour < usual
    assert silent.low_per_hour < silent.per_hour < silent.high_per_hour


def test_more_people_more_calls():
    present = {area.area_id: np.where(np.arange(SLOTS) % 24 < 12, 100.0, 1000.0) for area in town().of_level("grid")}
    flat = {kind: np.full(60, 1e-5) for kind in PROFILES}
    calls = drawn(flat, 40, 5, present=np.where(np.arange(SLOTS) % 24 < 12, 100.0, 1000.0))
    found = fit_demand(town(), "grid", calls, people=present)
    assert found.rate("g0-0", "fire", 18).per_hour > 4 * found.rate("g0-0", "fire", 6).per_hour
    assert found.rate("g0-0", "fire", 18, people=3000).per_hour == pytest.approx(
        3 * found.rate("g0-0", "fire", 18, people=1000).per_hour
    )
    assert np.abs(found.profile - np.stack([PROFILES[kind] for kind in found.kinds])).mean() < 0.35
    with pytest.raises(BadInput, match="unknown is not zero"):
        fit_demand(town(), "grid", calls, people={"g0-0": np.ones(SLOTS)})


def test_hours_of_the_week_are_counted_from_monday():
    assert slot_of(datetime.fromisoformat("2026-12-07T00:59")) == 0
    part = hours_of(datetime.fromisoformat("2026-12-07T00:30"), datetime.fromisoformat("2026-12-08T01:15"))
    assert (part[0], part[23], part[24], part[25], part.sum()) == (0.5, 1.0, 1.0, 0.25, 24.75)


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"slot": np.array([168])}, "must be whole"),
        ({"slot": np.array([1.5])}, "must be whole"),
        ({"kind": []}, "0 kinds"),
        ({"hours": np.zeros(SLOTS)}, "not all 0"),
        ({"hours": np.where(np.arange(SLOTS) == 3, 0.0, 1.0)}, r"hours\[3\]=0"),
    ],
)
def test_wrong_calls_are_refused(spoilt, told):
    with pytest.raises(BadInput, match=told):
        Calls(**{"area_id": ["g0-0"], "kind": ["fire"], "slot": np.array([3]), "hours": np.ones(SLOTS), **spoilt})


def test_what_was_not_learned_is_not_told(learned):
    with pytest.raises(NotFound, match="'flood'"):
        learned.rate("g0-0", "flood", 3)
    with pytest.raises(BadInput, match="slot=168"):
        learned.rate("g0-0", "fire", 168)
    with pytest.raises(BadInput, match="people=5"):
        learned.rate("g0-0", "fire", 3, people=5)
    with pytest.raises(BadInput, match="must be an area of the level"):
        fit_demand(town(), "street", drawn(truth(1), 1, 2))
