"""A call-out asks few and near ones first, nobody twice, and never lets more come than are needed."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.community.conftest import AT

from anlan.community import Answers, CallOut, Pool, Reply, next_wave, take_reply
from anlan.kernel.errors import BadInput, Conflict

HOUR = timedelta(hours=1)


def call(quota=12, **more):
    told = {"call_out_id": "c", "matter_id": "m", "quota": quota, "begun_at": AT, "ends_at": AT + 4 * HOUR}
    return CallOut(**(told | more))


class Evening:
    """A call-out that is played: who is asked answers by chance after a while, and time goes on."""

    def __init__(self, made, distance_m, yes, rng):
        self.call, self.distance_m, self.yes, self.rng = made, distance_m, yes, rng
        self.asked = np.full(len(distance_m), -1)
        self.replied = np.full(len(distance_m), "", dtype=object)
        self.circle, self.now, self.refused, self.waves = 0, 0, 0, []

    def answers(self):
        open_ones = (self.asked >= 0) & (self.replied == "")
        fresh = self.now - self.asked < self.call.patience_s
        return Answers(
            n_yes=int((self.replied == "yes").sum()), n_no=int((self.replied == "no").sum()),
            n_pending=int((open_ones & fresh).sum()), n_silent=int((open_ones & ~fresh).sum()),
        )  # fmt: skip

    def reply(self, k):
        said = Reply.YES if self.rng.random() < self.yes else Reply.NO
        try:
            n_yes = int((self.replied == "yes").sum())
            at = AT + timedelta(seconds=int(self.now))
            self.replied[k] = str(take_reply(self.call, said, n_yes, stopped=False, at=at))
        except Conflict:
            self.refused += 1

    def play(self, rounds=60):
        for _ in range(rounds):
            wave = next_wave(
                self.call, self.answers(), self.distance_m, self.asked < 0, circle=self.circle, rng=self.rng
            )
            assert (self.asked[wave.chosen] < 0).all()
            self.asked[wave.chosen] = self.now
            self.waves.append(wave)
            for k in np.flatnonzero((self.asked >= 0) & (self.replied == "")):
                if self.rng.random() < 0.5:
                    self.reply(k)
            self.now += 60
            self.circle = wave.circle + (self.now % 120 == 0)


def test_twelve_of_two_hundred_come_and_then_nobody_is_asked_any_more():
    rng = np.random.default_rng(1)
    evening = Evening(call(), rng.uniform(0, 2000, 200), 0.5, rng)
    evening.play()
    assert (evening.replied == "yes").sum() == 12
    n_asked = (evening.asked >= 0).sum()
    assert n_asked < 60
    assert sum(len(wave.chosen) for wave in evening.waves[-30:]) == 0


def test_the_nearest_are_asked_first_and_the_circle_grows_only_where_too_few_are_in_it():
    distance = np.concatenate([np.full(30, 200.0), np.full(30, 1000.0)])
    rng = np.random.default_rng(2)
    first = next_wave(call(quota=5), Answers(), distance, np.ones(60, bool), circle=0, rng=rng)
    assert (first.circle, len(first.chosen)) == (0, 10)
    assert (distance[first.chosen] == 200).all()
    wide = next_wave(call(quota=20), Answers(), distance, np.ones(60, bool), circle=0, rng=rng)
    assert (wide.circle, len(wide.chosen), wide.n_left) == (2, 40, 20)


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(0, 80), st.floats(0, 1), st.integers(0, 2**32))
def test_the_quota_is_never_passed_and_nobody_is_asked_twice(quota, n, yes, seed):
    rng = np.random.default_rng(seed)
    evening = Evening(call(quota=quota), rng.uniform(0, 8000, n), yes, rng)
    evening.play(30)
    assert (evening.replied == "yes").sum() <= quota
    chosen = np.concatenate([wave.chosen for wave in evening.waves])
    assert len(chosen) == len(set(chosen.tolist()))
    assert (evening.distance_m[chosen] <= 6000).all()


@given(st.integers(0, 2**32))
def test_the_same_generator_chooses_the_same(seed):
    distance = np.linspace(0, 3000, 100)
    made = [
        next_wave(call(), Answers(), distance, np.ones(100, bool), circle=0, rng=np.random.default_rng(seed))
        for _ in range(2)
    ]
    assert (made[0].chosen == made[1].chosen).all()


def test_who_may_not_be_asked_is_not():
    may = np.zeros(50, bool)
    may[[3, 7]] = True
    wave = next_wave(call(), Answers(), np.zeros(50), may, circle=0, rng=np.random.default_rng(0))
    assert wave.chosen.tolist() == [3, 7]


def test_a_yes_that_comes_too_late_is_refused_and_a_no_is_always_taken():
    made = call(quota=2)
    assert take_reply(made, Reply.YES, 1, stopped=False, at=AT) is Reply.YES
    for n_yes, stopped, at in ((2, False, AT), (0, True, AT), (0, False, made.ends_at)):
        with pytest.raises(Conflict):
            take_reply(made, Reply.YES, n_yes, stopped=stopped, at=at)
        assert take_reply(made, Reply.NO, n_yes, stopped=stopped, at=at) is Reply.NO


def test_the_pool_finds_who_has_every_skill_is_a_member_and_may_be_asked():
    pool = Pool(
        number=np.arange(4), home=np.zeros(4, np.int64), skills=np.array([3, 1, 3, 3], np.uint64),
        alliances=np.array([1, 1, 0, 1], np.uint64), free=np.array([1, 1, 1, 2], np.uint64),
    )  # fmt: skip
    assert pool.able(skills=3, alliance=1, slot=1).tolist() == [True, False, False, False]
    assert pool.able(skills=0, alliance=0, slot=2).tolist() == [False, False, False, True]
    assert pool.at([2, 9]).tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    "more", [{"quota": 0}, {"ends_at": AT}, {"radii_m": (5.0, 3.0)}, {"radii_m": ()}, {"patience_s": 1}]
)
def test_a_call_that_cannot_be_is_refused(more):
    with pytest.raises(BadInput):
        call(**more)
