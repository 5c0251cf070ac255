from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.response.test_simulate import town, year

from anlan.kernel.errors import BadInput
from anlan.response.measures import (
    Allowance,
    Cause,
    Responses,
    broken,
    busy_share,
    fractile_of,
    in_time,
    in_time_by,
    patrols_per_km2_hour,
    planned_against_achieved,
    share_of,
)
from anlan.response.simulate import (
    KEEPING,
    NEAREST,
    Fleet,
    Incidents,
    batches,
    compare,
    each,
    figure,
    hours_of,
    late,
    late_by,
    responses_of,
    simulate,
    summary,
)

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
SEEDS = st.integers(0, 10_000)


def history(*rows, n_units=2, more=0):
    """Rows of incident, unit, received, dispatched, en route, on scene, available, expected."""
    columns = np.array(rows, float).T
    return Responses(
        incident=columns[0].astype(int),
        unit=columns[1].astype(int),
        area=columns[0].astype(int) % 2,
        received_s=columns[2],
        dispatched_s=columns[3],
        en_route_s=columns[4],
        on_scene_s=columns[5],
        available_s=columns[6],
        expected_s=columns[7],
        n_incidents=len(set(columns[0])) + more,
        n_units=n_units,
    )


@dataclass(frozen=True, kw_only=True)
class Told:
    incident_id: str
    unit_id: str
    received_at: datetime
    dispatched_at: datetime
    en_route_at: datetime | None = None
    on_scene_at: datetime | None = None
    available_at: datetime | None = None
    expected_s: float | None = None


def test_records_become_columns():
    at = MIDNIGHT + timedelta(hours=7)
    told = Told(incident_id="a", unit_id="v", received_at=at, dispatched_at=at + timedelta(seconds=9))
    there = Told(incident_id="a", unit_id="w", received_at=at, dispatched_at=at, on_scene_at=at + timedelta(seconds=80))
    made = Responses.of([told, there], midnight_at=MIDNIGHT, areas={"a": 3}, unanswered=1)
    assert made.response_s().tolist() == [80.0]
    assert (made.n_incidents, made.n_units, made.area.tolist()) == (2, 2, [3, 3])
    assert made.received_s.tolist() == [25200.0, 25200.0]
    assert np.isnan(made.en_route_s).all()


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ((0, 0, 0, 100, 110, 200, 900, 90), Cause.LATE_DISPATCH),
        ((0, 0, 0, 5, 120, 200, 900, 90), Cause.SLOW_TURNOUT),
        ((0, 0, 0, 5, 20, 400, 900, 390), Cause.FAR),
        ((0, 0, 0, 5, 20, 400, 900, 60), Cause.SLOW_TRAVEL),
        ((0, 0, 0, 5, 20, 400, 900, np.nan), Cause.FAR),
        ((0, 0, 0, 5, 20, np.nan, 900, 60), Cause.NOBODY_CAME),
    ],
)
def test_the_segment_that_is_most_over_is_the_cause(row, cause):
    made = broken(history(row), 180, Allowance(dispatch_s=30, turnout_s=60))
    assert [one.cause for one in made] == [cause]
    assert made[0].late_s == (np.inf if cause is Cause.NOBODY_CAME else row[5] - 180)


def test_with_everybody_busy_a_late_dispatch_is_nobodys_fault():
    first = [(0, 0, 0, 0, 10, 60, 900, 60), (1, 1, 5, 5, 10, 60, 700, 60)]
    waited = (2, 1, 100, 700, 700, 760, 1000, 60)
    made = broken(history(*first, waited), 180)
    assert [(one.incident, one.cause) for one in made] == [(2, Cause.NO_UNIT_FREE)]
    assert broken(history(*first, waited, n_units=3), 180)[0].cause is Cause.LATE_DISPATCH


def test_a_kept_promise_is_not_broken():
    assert broken(history((0, 0, 0, 5, 20, 180, 900, 60)), 180) == ()


def test_an_incident_that_nobody_was_sent_to_counts_as_late():
    made = history((0, 0, 0, 5, 20, 80, 900, 60), (1, 1, 7200, 7205, 7220, 7500, 9000, 60), more=2)
    assert in_time(made, 180).share == 0.25
    assert {k: one.share for k, one in in_time_by(made, 180).items()} == {0: 1.0, 1: 0.0}
    assert {k: one.of for k, one in in_time_by(made, 180, "hour").items()} == {0: 1, 2: 1}


def test_moments_out_of_order_are_refused():
    with pytest.raises(BadInput, match=r"on_scene_s\[0\]=10"):
        history((0, 0, 0, 5, 20, 10, 900, 60))


def test_busy_share_counts_until_now_for_whoever_is_not_free_yet():
    made = history((0, 0, 0, 0, 10, 60, 900, 60), (1, 1, 1000, 1000, 1010, 1100, np.nan, 60))
    assert busy_share(made, 3600, until_s=1900).tolist() == [0.25, 0.25]


def test_patrols_per_square_kilometre_and_hour_add_up():
    made = patrols_per_km2_hour([[1800, 1800], [3600, 0]], [0.5, 2.0], hours=2)
    assert made.tolist() == [1.5, 0.125]
    with pytest.raises(BadInput, match="> 0 km"):
        patrols_per_km2_hour([[1.0]], [0.0], hours=1)


@given(SEEDS, st.floats(0.02, 0.98))
@settings(max_examples=10)
def test_wilsons_interval_holds_the_truth_about_as_often_as_it_says(seed, p):
    draw = np.random.default_rng(seed)
    held = [(made := share_of(int(n), 80)).low <= p <= made.high for n in draw.binomial(80, p, 400)]
    assert np.mean(held) > 0.88


@given(SEEDS, st.sampled_from([0.5, 0.9]))
@settings(max_examples=10)
def test_the_interval_of_a_fractile_holds_the_truth_about_as_often_as_it_says(seed, f):
    draw, truth = np.random.default_rng(seed), -np.log(1 - f)
    made = [fractile_of(draw.exponential(1.0, 200), f) for _ in range(200)]
    assert np.mean([one.low_s <= truth <= one.high_s for one in made]) > 0.88


def test_a_fractile_that_few_cannot_tell_has_no_upper_end():
    assert fractile_of(np.arange(5.0), 0.9).high_s is None
    with pytest.raises(BadInput, match="at least one time"):
        fractile_of(np.array([np.nan]), 0.9)


def test_planned_is_missed_only_where_chance_cannot_explain_it():
    assert planned_against_achieved(0.9, share_of(85, 100)).kept is None
    assert planned_against_achieved(0.9, share_of(60, 100)).kept is False
    assert planned_against_achieved(0.5, share_of(60, 70)).kept is True


@given(SEEDS)
@settings(max_examples=8)
def test_a_simulated_history_says_what_the_run_says(seed):
    roads, posts, draw = town(seed)
    run = simulate(roads, Fleet(posts=posts), year(draw))
    made = responses_of(run)
    assert made.response_s() == pytest.approx(run.response_s)
    assert in_time(made, 180).share == pytest.approx(1 - late(run, 180).mean())
    assert busy_share(made, run.duty_s, run.ended_s) == pytest.approx(run.busy)
    assert len(broken(made, 180)) == late(run, 180).sum()


def repeated(n=6, policies=(NEAREST, KEEPING)):
    roads, posts, draw = town(5)
    return each(roads, Fleet(posts=posts), [year(draw) for _ in range(n)], policies)


def test_a_summary_holds_its_own_means():
    runs = repeated()[0]
    made = summary("nearest", runs)
    assert made.n_incidents == sum(len(run.incidents) for run in runs)
    assert made.within[180.0].value == pytest.approx(np.mean([1 - late(run, 180).mean() for run in runs]))
    assert made.within[180.0].low < made.within[180.0].value < made.within[180.0].high
    assert made.within[60.0].value <= made.within[180.0].value <= made.within[300.0].value


def test_a_policy_against_itself_is_one_and_other_years_cannot_be_compared():
    nearest, keeping = repeated()
    same = compare("a", nearest, "b", nearest, within_s=180).ratio
    assert (same.value, same.low, same.high) == (1.0, pytest.approx(1.0), pytest.approx(1.0))
    made = compare("keeping", keeping, "nearest", nearest, within_s=180)
    counted = [sum(late(run, 180).sum() for run in runs) for runs in (keeping, nearest)]
    assert made.ratio.value == pytest.approx(counted[0] / counted[1])
    with pytest.raises(BadInput, match="same incidents"):
        compare("a", nearest, "b", nearest[1:], within_s=180)
    with pytest.raises(BadInput, match="same incidents"):
        compare("a", nearest, "b", nearest[::-1], within_s=180)


def test_late_arrivals_are_told_by_hour():
    run = repeated(1, (NEAREST,))[0][0]
    made = late_by([run], [hours_of(run)], 180)
    assert sum(one.n_late for one in made) == late(run, 180).sum()
    assert sum(one.n for one in made) == len(run.incidents)
    assert list(made) == sorted(made, key=lambda one: -one.n_late)


def test_too_little_is_refused():
    with pytest.raises(BadInput, match="at least one number"):
        figure([])
    roads, posts, _ = town(1)
    short = simulate(roads, Fleet(posts=posts), Incidents(at_s=[0.0], place=[0], on_scene_s=1.0))
    with pytest.raises(BadInput, match="200 at least"):
        batches(short, short.response_s)
    with pytest.raises(BadInput, match="must be at least one"):
        compare("a", [short], "b", [short], within_s=1e9)
