"""Closed places whose gates send nothing for a while, send late, or never did."""

from datetime import timedelta

import numpy as np
import pytest
import shapely
from tests.crowd.conftest import AT, GRID, MINUTE, Small, gate, grid_counts, seen

from anlan.crowd.balance import Balance, begun_anew, taken, told, watched_at_night
from anlan.crowd.gates import PART_SPREAD, gates_of

GATES = gates_of([[("a", 4.0), ("b", 4.0), ("c", 4.0)], [("d", 4.0)]])
WAIT_S = 1200.0
FLOWS = {"a": (30, 6), "b": (6, 20), "c": (8, 12), "d": (5, 5)}


def window(name, minute, busy=1):
    n_in, n_out = FLOWS[name]
    return seen(name, AT + minute * MINUTE, minute, n_in=n_in * busy, n_out=n_out * busy)


def minute_of(kept, minute, windows):
    return taken(GATES, kept, windows, AT + minute * MINUTE, 0.0, WAIT_S)


def hours(silent=(), since=120, until=360, busy=1):
    """Count two hours whole and then four without some gates, with so many times the people; return also the loss."""
    kept, lost = Balance.nothing(4, 2), np.zeros(2)
    for k in range(1, until + 1):
        heard = [name for name in FLOWS if k <= since or name not in silent]
        kept, more = minute_of(kept, k, [window(name, k, 1 if k <= since else busy) for name in heard])
        lost += more
    return kept, lost


@pytest.mark.parametrize(("n_in", "minutes", "part"), [(164, 1, 0.5), (164, 10, 0.05), (1_000, 2, 1.0)])
def test_who_comes_by_a_full_gate_is_crowded_by_as_much_as_it_is_full(n_in, minutes, part):
    one = seen("a", AT + minutes * MINUTE, 1, minutes * MINUTE, n_in=n_in, n_out=0)
    kept, _ = taken(GATES, Balance.nothing(4, 2), [one], one.end_at, 0.0, WAIT_S)
    assert told(GATES, kept).crowded.tolist() == pytest.approx([part * n_in, 0.0])


def test_a_gate_that_falls_silent_passes_its_part_of_those_who_come_and_go():
    whole, dead = hours(busy=3)[0], hours({"a"}, busy=3)[0]
    put_in = 240 * 3 * sum(FLOWS["a"])
    assert told(GATES, dead).net == pytest.approx(told(GATES, whole).net, abs=0.01 * put_in)
    assert told(GATES, dead).through == pytest.approx(told(GATES, whole).through, abs=0.01 * put_in)


def test_what_is_put_in_strays_with_the_time_and_its_variance_goes_over_to_the_offset():
    kept, lost = hours({"a"})
    put_in = 240 * np.array([30.0, 6.0])
    assert lost[0] == pytest.approx((PART_SPREAD * np.hypot(*put_in)) ** 2 + put_in.sum(), rel=0.02)
    assert lost[1] == 0
    assert told(GATES, kept).missing_var[0] == pytest.approx(0, abs=1)
    assert told(GATES, kept).imputed_var[0] == pytest.approx(lost[0], rel=1e-6)


def test_a_short_silence_widens_the_place_itself():
    kept, lost = hours({"a"}, until=130)
    assert lost.tolist() == [0, 0]
    assert told(GATES, kept).missing_var[0] > 10 * 36


def test_windows_that_come_hours_late_take_the_place_of_what_was_put_in():
    kept, _ = hours({"a"}, busy=2)
    late = [window("a", k, 2) for k in range(121, 361)]
    kept, _ = minute_of(kept, 361, [*late, *(window(name, 361, 2) for name in FLOWS)])
    whole = hours(until=361, busy=2)[0]
    assert told(GATES, kept).net == pytest.approx(told(GATES, whole).net)
    assert told(GATES, kept).through == pytest.approx(told(GATES, whole).through)
    assert told(GATES, kept).imputed_var.tolist() == [0, 0]


def test_a_hole_is_settled_once_the_gate_has_spoken_again_for_a_while():
    kept, _ = hours({"a"}, until=180)
    for k in range(181, 205):
        kept, _ = minute_of(kept, k, [window(name, k) for name in FLOWS])
    settled = told(GATES, kept)
    assert settled.imputed_var.tolist() == [0, 0]
    again, _ = minute_of(kept, 204, [window("a", k) for k in range(121, 181)])
    assert told(GATES, again).net.tolist() == settled.net.tolist()


def test_where_all_gates_are_silent_as_many_go_as_come():
    before = told(GATES, hours(until=120)[0])
    after = told(GATES, hours(set("abc"))[0])
    assert after.net[0] == pytest.approx(before.net[0], abs=60)
    assert after.through[0] == pytest.approx(3 * before.through[0], rel=0.2)
    assert after.imputed_var[0] > told(GATES, hours({"a"})[0]).imputed_var[0]


def test_a_gate_that_never_spoke_passes_as_many_as_its_neighbours_and_tells_nothing_of_their_balance():
    kept, _ = hours({"c"}, since=0)
    of_c = kept.imputed_in[2], kept.imputed_out[2]
    assert of_c == pytest.approx((360 * 18, 360 * 13), rel=0.02)
    assert told(GATES, kept).imputed_var[0] > max(of_c) ** 2


def test_nothing_is_told_of_a_place_whose_gates_never_spoke():
    kept, _ = hours({"d"}, since=0)
    assert np.isinf(told(GATES, kept).missing_var).tolist() == [False, True]


def test_a_night_settles_what_was_put_in_and_the_balance_begins_anew():
    kept, _ = hours({"a"})
    kept = watched_at_night(kept, told(GATES, kept), night=True)
    assert kept.least_var[0] > 0
    anew = begun_anew(GATES, kept, np.array([True, False]), (AT + 360 * MINUTE).timestamp())
    assert told(GATES, anew).net[0] == pytest.approx(0)
    assert told(GATES, anew).imputed_var.tolist() == [0, 0]
    assert anew.dawns.tolist() == [1, 0]


def test_a_hall_with_a_dead_gate_stays_within_its_interval_as_it_fills():
    small = Small([gate(1, -40), gate(2, 30), GRID])
    hall, rng = shapely.box(-60, -60, 60, 60), np.random.default_rng(5)
    people = grid_counts(small, small.cells.expected + small.cells.indoors)
    inside = [0]

    def counts(at, k):
        n_in, n_out = rng.poisson((20, 5)), rng.poisson((4, 12))
        more = 3 if k > 60 else 1
        n_in, n_out = n_in * more, n_out * (1 if k > 60 else more)
        inside[0] += int(n_in.sum() - n_out.sum())
        heard = (1, 2) if k <= 90 else (2,)
        grid = [seen("lbs", at, k, 5 * MINUTE, counts=people)] if k % 5 == 0 else []
        return [seen(f"gate-{g}", at, k, n_in=int(n_in[g - 1]), n_out=int(n_out[g - 1])) for g in heard] + grid

    begun = small.run(90, counts)
    n_begun = inside[0]
    gone = small.run(120, counts, begun)
    before, after = (small.many(state, [hall])[0] for state in (begun, gone))
    assert before.low < n_begun < before.high
    assert after.low < inside[0] < after.high
    assert after.occupancy == pytest.approx(inside[0], rel=0.3)


def test_time_goes_on_in_steps_of_any_length():
    minutes, steps = Balance.nothing(4, 2), Balance.nothing(4, 2)
    for k in range(1, 241):
        minutes, _ = minute_of(minutes, k, [window(name, k) for name in FLOWS if name != "a" or k < 120])
        if k % 10 == 0:
            windows = [window(name, j) for j in range(k - 9, k + 1) for name in FLOWS if name != "a" or j < 120]
            steps, _ = taken(GATES, steps, windows, AT + timedelta(minutes=k), 0.0, WAIT_S)
    assert told(GATES, steps).net == pytest.approx(told(GATES, minutes).net, rel=0.02)


def test_a_window_of_many_hours_leaves_the_flow_that_it_tells():
    kept, _ = minute_of(Balance.nothing(4, 2), 0, [window("d", 0)])
    long = seen("d", AT + timedelta(hours=8), 1, timedelta(hours=8), n_in=960, n_out=480)
    kept, _ = minute_of(kept, 480, [long])
    assert (kept.usual_in[3], kept.usual_out[3]) == pytest.approx((2.0, 1.0))
    kept, _ = minute_of(kept, 960, [])
    assert 0 <= kept.usual_out[3] <= kept.usual_in[3] <= 2.0
