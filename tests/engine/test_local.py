"""The local engine keeps the order, reads everything once, and continues exactly."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from anlan.engine import Due, LocalEngine
from anlan.kernel.records import Observation

START = datetime(2026, 12, 31, 10, tzinfo=UTC)


class Memory:
    """A feed that holds what arrived in a list: arrival k has cursor k + 1."""

    def __init__(self):
        self.seen = []

    def arrive(self, end_s, sequence=0):
        end_at = START + timedelta(seconds=end_s)
        begin_at = end_at - timedelta(seconds=60)
        self.seen.append(Observation(device_id="a", begin_at=begin_at, end_at=end_at, sequence=sequence, n_present=1))

    def arrived(self, after, limit=100_000, *, until=None):
        stop = min(after + limit, len(self.seen) if until is None else until)
        return self.seen[after:stop], max(after, stop)


def engine_over(feed, made):
    def step(state, observations, at):
        return [*state, (at, tuple(seen.sequence for seen in observations))]

    return LocalEngine(feed, step, lambda _at: [], made.append, Due(settle=timedelta(seconds=10)))


def test_a_minute_runs_only_after_it_has_settled():
    made = []
    engine = engine_over(Memory(), made)
    assert engine.advance(START + timedelta(seconds=10)) == 1
    assert engine.advance(START + timedelta(seconds=69)) == 0
    assert engine.advance(START + timedelta(seconds=70)) == 1
    assert made[-1].at == START + timedelta(seconds=60)


def test_an_observation_of_a_later_window_waits_for_its_step():
    feed, made = Memory(), []
    engine = engine_over(feed, made)
    engine.advance(START + timedelta(seconds=10))
    feed.arrive(60, sequence=1)
    feed.arrive(65, sequence=2)
    engine.advance(START + timedelta(seconds=70))
    assert made[-1].state[-1][1] == (1,)
    engine.advance(START + timedelta(seconds=130))
    assert made[-1].state[-1][1] == (2,)


def test_a_late_observation_comes_with_the_next_step():
    feed, made = Memory(), []
    engine = engine_over(feed, made)
    engine.advance(START + timedelta(seconds=190))
    feed.arrive(60, sequence=7)
    engine.advance(START + timedelta(seconds=250))
    assert made[-1].state[-1] == (START + timedelta(seconds=240), (7,))


@given(st.lists(st.integers(-120, 600), max_size=40), st.integers(1, 9), st.integers(0, 600))
def test_a_restart_at_any_minute_uses_every_observation_exactly_once(ends_s, minutes_before, arrival_split):
    feed, made = Memory(), []
    engine = engine_over(feed, made)
    engine.advance(START)
    split = arrival_split % (len(ends_s) + 1)
    for k, end_s in enumerate(ends_s[:split]):
        feed.arrive(end_s, sequence=k)
    engine.advance(START + timedelta(minutes=minutes_before, seconds=10))
    again = engine_over(feed, made)
    again.resume(made[-1])
    for k, end_s in enumerate(ends_s[split:]):
        feed.arrive(end_s, sequence=split + k)
    again.advance(START + timedelta(minutes=20, seconds=10))
    used = [sequence for _, sequences in made[-1].state for sequence in sequences]
    assert sorted(used) == list(range(len(ends_s)))
    marks = [at for at, _ in made[-1].state]
    assert marks == sorted(set(marks))


def test_after_a_long_absence_the_state_starts_afresh_and_says_so_by_its_first_mark():
    made = []
    engine = engine_over(Memory(), made)
    engine.advance(START)
    n_steps = engine.advance(START + timedelta(days=2, seconds=10))
    assert n_steps == Due().catch_up // Due().every
    assert made[-1].state[0][0] == START + timedelta(days=2, minutes=1) - Due().catch_up
