"""The proof of a running district: made beside, kept, and told by the minute."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from tests.crowd.test_withheld import PACK, VIEWS, observed
from tests.small import small_pack
from tests.waiting import PATIENCE_S

from anlan.crowd import Cells, Estimator
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.kernel.errors import BadInput, Conflict
from anlan.pack import read_pack, write_pack
from anlan.proof import Proofs
from anlan.proof.proofs import SOON
from anlan.store import DuckHistory

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOW = datetime(2026, 12, 31, 18, 0, tzinfo=UTC)
"""Two in the morning of the new year in Shanghai."""
YESTERDAY = date(2026, 12, 31)
MIDNIGHT = NOW - timedelta(hours=2)


def nobody():
    return frozenset()


def told(factor, n_views=12, n=32):
    """Return what a program beside would: so many views, each of whose counts need such a factor to be held."""
    one = {"factors": [factor] * n, "hours": n // 2, "counted": 100.0 * n, "off": 10.0 * n}
    return {"afresh": False, "views": {f"camera-{k}": one for k in range(n_views)}}


@pytest.fixture
def proofs(tmp_path):
    history, clock = DuckHistory.open(tmp_path), FollowedClock(NOW)
    made = Proofs(PACK, history, tmp_path, clock, nobody)
    made.again = lambda: Proofs(PACK, history, tmp_path, clock, nobody)
    made.clock = clock
    yield made
    made.close()
    history.close()


def test_where_nothing_is_proven_the_factor_is_one(proofs):
    assert proofs.factor_at(NOW) == 1.0
    now = proofs.now()
    assert (now.proven, now.days, now.proving, now.fault) == (None, (), None, None)


def test_a_factor_applies_from_a_moment_on_and_a_minute_made_again_is_told_the_same(proofs):
    proofs._keep(YESTERDAY, told(2.0))
    first = proofs.factor_at(NOW + SOON)
    assert 1.2 < first < 2.0
    assert [proofs.factor_at(NOW + k * MINUTE) for k in (-60, 0, 1)] == [1.0] * 3
    proofs.clock.set(NOW + DAY)
    proofs._keep(YESTERDAY + DAY, told(1.0))
    second = proofs.factor_at(NOW + DAY + SOON)
    assert 1.0 < second < first
    moments = [NOW + k * MINUTE for k in (0, 1, 2, 3, 1439, 1440, 1441, 1442, 1500)]
    assert [proofs.factor_at(at) for at in moments] == [1.0] * 2 + [first] * 5 + [second] * 2
    assert [proofs.again().factor_at(at) for at in moments] == [proofs.factor_at(at) for at in moments]
    assert proofs.again().now() == proofs.now()


def test_a_day_is_told_with_the_factor_before_and_after_it(proofs):
    proofs._keep(YESTERDAY, told(1.2))
    (day,) = proofs.now().days
    assert (day.on, day.before, day.n_counts, day.hours) == (YESTERDAY, 1.0, 12 * 32, 12 * 16)
    assert day.held(day.before) == 0.0
    assert day.held(1.25) == 1.0
    assert day.views["camera-3"].error == pytest.approx(0.1)
    assert proofs.now().proven.factor == day.after


def test_a_day_proved_again_counts_once(proofs):
    for _ in range(3):
        proofs._keep(YESTERDAY, told(1.5))
    assert len(proofs.now().days) == 1
    assert proofs.now().proven.hours == pytest.approx(12 * 16 * np.exp(-1 / 14))


def test_old_days_are_let_go(proofs):
    proofs._keep(YESTERDAY, told(1.5))
    proofs.clock.set(NOW + 60 * DAY)
    proofs._keep(YESTERDAY + 60 * DAY, told(1.5))
    assert [day.on for day in proofs.now().days] == [YESTERDAY + 60 * DAY]


def test_a_file_that_cannot_be_read_is_left(proofs, tmp_path):
    (tmp_path / "proof").mkdir(exist_ok=True)
    for text in ("{", '{"form": 99}', '{"form": 1, "days": [{}], "proven": []}'):
        (tmp_path / "proof" / "proof.json").write_text(text)
        assert proofs.again().factor_at(NOW) == 1.0


@pytest.mark.parametrize("on", [YESTERDAY + DAY, YESTERDAY + 9 * DAY, YESTERDAY - 40 * DAY])
def test_days_that_are_not_over_or_not_kept_are_refused(proofs, on):
    with pytest.raises(BadInput, match=f"on={on}"):
        proofs.begin(on)


def test_a_pack_in_no_folder_or_without_cameras_is_refused(proofs, tmp_path):
    with pytest.raises(BadInput, match="must be a folder"):
        proofs.begin()
    devices = tuple(one for one in small_pack().devices if one.device_id != "quay-1")
    blind = Proofs(replace(small_pack(), devices=devices), proofs._history, tmp_path, proofs.clock, nobody)
    with pytest.raises(BadInput, match="must have area cameras"):
        blind.begin()


def test_by_night_yesterday_is_proved_once_and_by_day_nothing(proofs, tmp_path):
    asked = []

    class Heard(Proofs):
        def _ask(self, day):
            asked.append(day)
            self._give_up("heard")

    pack = replace(PACK, folder=tmp_path)
    held = Heard(pack, proofs._history, tmp_path, proofs.clock, nobody)
    held.tend(NOW + timedelta(hours=8))
    assert asked == []
    for k in range(3):
        held.tend(NOW + k * timedelta(hours=1))
        held.wait(PATIENCE_S)
    assert asked == [YESTERDAY]
    held.tend(NOW + DAY)
    held.wait(PATIENCE_S)
    assert asked == [YESTERDAY, YESTERDAY + DAY]
    assert held.now().fault == "heard"


def test_states_of_four_in_the_morning_are_kept_few(proofs, tmp_path):
    four = datetime(2026, 12, 20, 20, 0, tzinfo=UTC)
    for day in range(6):
        for k in (-30, 0, 5, 90):
            proofs.keep_state(four + day * DAY + k * MINUTE, b"%d" % k)
    kept = sorted((tmp_path / "proof").glob("state-*"))
    assert [path.name for path in kept] == [f"state-2026-12-{day}.npz" for day in (24, 25, 26)]
    assert {path.read_bytes() for path in kept} == {b"0"}
    proofs.forget()
    assert not list((tmp_path / "proof").glob("state-*"))


# -- the program beside ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """Keep the last hours of a year, as a district counted them, and the state before them."""
    folder = tmp_path_factory.mktemp("district")
    write_pack(PACK, folder / "pack")
    pack = read_pack(folder / "pack")
    history, clock = DuckHistory.open(folder), FollowedClock(NOW)
    estimator, rng = Estimator(pack, Cells.cached(pack, folder / "cells.npz")), np.random.default_rng(5)
    begin = MIDNIGHT - timedelta(hours=1)
    state, every = estimator.start(begin - 20 * MINUTE), []
    for k in range(-19, 61):
        at = begin + k * MINUTE
        seen = [observed(one.device_id, at, MINUTE, k + 20, n_present=int(rng.poisson(30))) for one in VIEWS]
        if k % 15 == 0:
            seen.append(observed("grid", at, 15 * MINUTE, k + 20, counts=np.full(36, 60.0)))
        if k <= 0:
            state = estimator.advance(state, seen, at)
        every += seen
    history.accept(every, received_at=NOW)
    made = Proofs(pack, history, folder, clock, lambda: frozenset({"camera-11"}))
    made.settles = timedelta(minutes=30)
    (folder / "proof").mkdir()
    made._state_of(YESTERDAY).write_bytes(state.to_bytes())
    yield made
    made.close()
    history.close()


def test_yesterday_is_proved_beside(evening):
    evening.tend(NOW)
    with pytest.raises(Conflict, match="is being proved already"):
        evening.begin()
    evening.wait(900)
    now = evening.now()
    assert (now.fault, now.proving) == (None, None)
    (day,) = now.days
    assert (day.on, day.afresh) == (YESTERDAY, False)
    assert len(day.views) >= 10
    assert "camera-11" not in day.views
    assert {len(one.factors) for one in day.views.values()} == {2}  # at half past eleven and at midnight
    assert {one.hours for one in day.views.values()} == {2}
    assert now.proven.from_at == NOW + SOON
    assert evening.factor_at(NOW + SOON) == day.after >= 1.0
    assert now.proven.raw is not None
    assert not (evening._folder / "counts.parquet").exists()
    kept = json.loads((evening._folder / "proof.json").read_text())
    assert [one["factor"] for one in kept["proven"]] == [day.after]


def test_a_day_of_which_nothing_was_counted_comes_to_nothing(evening):
    before = evening.now().proven
    evening.begin(YESTERDAY - 3 * DAY)
    evening.wait(PATIENCE_S)
    now = evening.now()
    assert "nothing was counted" in now.fault
    assert (now.proven, now.proving) == (before, None)


# -- the district ----------------------------------------------------------------------------------------------------


def test_a_minute_has_the_width_of_its_moment_also_when_it_is_made_again(tmp_path):
    clock = FollowedClock(NOW)
    district = District.open(PACK, tmp_path, clock=clock)

    def minute():
        clock.set(clock.now() + MINUTE)
        at = clock.now()
        seen = [observed(one.device_id, at, MINUTE, at.minute + 60 * at.hour, n_present=30) for one in VIEWS]
        seen.append(observed("grid", at, 15 * MINUTE, at.minute, counts=np.full(36, 60.0)))
        district.observe(seen)
        clock.set(at + timedelta(seconds=20))
        district.advance()
        clock.set(at)
        return district.place("quay").estimate

    minute()
    district.proofs._keep(YESTERDAY, told(3.0))
    before, after = minute(), minute()
    assert district._counting.field.proven == district.proofs.factor_at(after.at) > 1.3
    assert after.sd / after.occupancy > 1.05 * before.sd / before.occupancy
    span = ("place:quay", NOW, after.at)
    stored = district.history.estimates(*span)
    assert [one.at for one in stored] == [before.at - MINUTE, before.at, after.at]
    district.close()
    again = District.open(PACK, tmp_path, clock=clock)
    clock.set(after.at + timedelta(seconds=20))
    assert again.advance() == 2  # the state of the first was kept
    assert again.history.estimates(*span) == stored
    again.close()
