"""What nights tell of closed places whose gates miss a little more one way than the other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from tests.crowd.conftest import GRID, MINUTE, Small, degrees, gate, grid_counts, seen

from anlan.crowd import Estimator, Params, balance
from anlan.crowd.dawn import told_by_nights
from anlan.crowd.rows import cordon_rows

EVENING = datetime(2026, 12, 29, 18, tzinfo=UTC)  # 02:00 in Shanghai
LOPSIDED = 0.02
HALL = shapely.box(-60, -60, 60, 60)


def inside(at):
    """Persons in the hall: none at night, six hundred in the middle of the day."""
    hours = (at - EVENING).total_seconds() / 3600 % 24
    return 600 * max(np.sin(np.pi * (hours - 6) / 14), 0.0) if 6 < hours < 20 else 0.0


def crossings(at, k):
    """What a gate counts in ten minutes that misses five per cent, and two more of those who go in."""
    before, now = inside(at - 10 * MINUTE), inside(at)
    through = 0.4 * (before + now)
    n_in, n_out = through + max(now - before, 0.0), through + max(before - now, 0.0)
    counted = round(n_in * (0.95 - LOPSIDED)), round(n_out * 0.95)
    return seen("gate-1", at, k, 10 * MINUTE, n_in=counted[0], n_out=counted[1])


@pytest.fixture(scope="module")
def hall():
    return Small([gate(1, 0), GRID])


def lived(hall, hours, grid=None, state=None, since=EVENING):
    """Run in steps of ten minutes."""
    state = state or hall.estimator.start(since)
    for k in range(1, 6 * hours + 1):
        at = since + k * 10 * MINUTE
        more = [] if grid is None else [seen("lbs", at, k, 5 * MINUTE, counts=grid)]
        state = hall.estimator.advance(state, [crossings(at, k), *more], at)
    return state


@pytest.fixture(scope="module")
def days(hall):
    """Return the states in the afternoon of two days, with a grid that always sees a hundred in the hall."""
    people = hall.cells.expected.copy()
    shares = hall.counter.shares(degrees(HALL))
    people[shares[0]] *= 100.0 / (people[shares[0]] @ shares[1])
    grid = grid_counts(hall, people + hall.cells.indoors)
    first = lived(hall, 13, grid)
    return first, lived(hall, 48, grid, first, EVENING + timedelta(hours=13))


def told(hall, state):
    return hall.many(state, [HALL])[0]


def test_two_nights_tell_by_how_much_gates_miss_one_way(hall, days):
    layout, state = hall.estimator.layout, days[1]
    found = state.present.mean[layout.asymmetry][0]
    spread = np.sqrt(np.diag(state.present.covariance)[layout.asymmetry][0])
    assert found == pytest.approx(LOPSIDED / 0.95, abs=3 * spread)
    assert spread < 0.005


def test_after_two_nights_the_surroundings_do_not_move_who_is_inside(hall, days):
    first, third = (told(hall, state) for state in days)
    truth = inside(days[1].present.at)
    assert third.low < truth < third.high
    assert abs(third.occupancy - truth) < 0.1 * truth
    assert abs(third.occupancy - truth) < abs(first.occupancy - inside(days[0].present.at))


def test_only_nights_move_what_they_told(hall, days):
    fixed = told_by_nights(hall.estimator.layout, days[1].present.balance)
    later = lived(hall, 3, None, days[1], days[1].present.at)
    assert len(fixed) == 3  # offset, asymmetry, and what full gates miss more
    assert np.array_equal(later.present.mean[fixed], days[1].present.mean[fixed])
    first = told_by_nights(hall.estimator.layout, days[0].present.balance)
    assert first.tolist() == [hall.estimator.layout.crowding.start]


def test_counting_begun_at_breakfast_tells_no_night(hall):
    since = EVENING + timedelta(hours=5)
    state = lived(hall, 4, None, hall.estimator.start(since), since)
    assert state.present.balance.dawns.tolist() == [0.0]


def test_the_balance_begins_anew_at_the_lowest_of_a_night(days):
    kept = days[1].present.balance
    day = sum(crossings(EVENING + k * 10 * MINUTE, k).n_in for k in range(1, 6 * 24 + 1)) / 0.95
    assert kept.dawns.tolist() == [3.0]
    assert kept.base_through[0] == pytest.approx(2 * day, rel=0.05)


def test_the_covariance_stays_one(days):
    lower = days[1].present.covariance
    whole = np.tril(lower) + np.tril(lower, -1).T
    assert np.linalg.eigvalsh(whole).min() > -1e-8


def came(hall, state, windows):
    """Return mean and standard deviation of who is inside after minutes in which so many came, and nobody went."""
    for k, n_in in enumerate(np.random.default_rng(1).poisson(windows), 1):
        at = state.present.at + MINUTE
        state = hall.estimator.advance(state, [seen("gate-1", at, 10_000 + k, n_in=int(n_in), n_out=0)], at)
    mean, variance = hall.estimator.field(state).sums(hall.estimator.sources.cordons.weights)
    return float(mean[0]), float(np.sqrt(variance[0]))


def test_of_those_who_came_in_a_dense_stream_more_were_missed(hall, days):
    evenly, at_once = np.full(200, 15.0), np.r_[np.full(185, 3.0), np.full(15, 163.0)]
    thin, dense = came(hall, days[1], evenly), came(hall, days[1], at_once)
    assert 1.015 * thin[0] < dense[0] < 1.1 * thin[0]
    assert dense[1] > 1.1 * thin[1]


NOON = EVENING + timedelta(hours=10)


def begun_by_day(hall, minutes, *, grid, came=0):
    """Return mean and standard deviation in the hall from noon on: gates alone, or a grid that sees 5,000 inside."""
    people = hall.cells.expected.copy()
    weights = hall.estimator.sources.cordons.weights
    people[weights.indices] *= 5000.0 / float((weights @ people)[0])
    counts = grid_counts(hall, people + hall.cells.indoors)
    state, found = hall.estimator.start(NOON), []
    for k in range(1, minutes + 1):
        at = NOON + k * MINUTE
        sent = [seen("gate-1", at, k, n_in=20 + came, n_out=20)]
        sent += [seen("lbs", at, k, 5 * MINUTE, counts=counts)] if grid and k % 5 == 0 else []
        state = hall.estimator.advance(state, sent, at)
        mean, variance = replace(hall.estimator.field(state), unsettled=None).sums(weights)
        found.append((float(mean[0]), float(np.sqrt(variance[0]))))
    return found


def test_gates_that_begin_by_day_are_not_sure_of_how_many_there_were(hall):
    (first, sd_first), *_, (last, sd_last) = begun_by_day(hall, 30, grid=False)
    assert sd_last / last > 0.8 * sd_first / first


def test_gates_that_begin_by_day_tell_who_comes(hall):
    still, filling = (begun_by_day(hall, 30, grid=False, came=came)[-1][0] for came in (0, 3))
    assert 20 < filling - still < 130


def test_a_crowd_that_was_inside_before_counting_began_is_told_by_the_grid(hall):
    found = begun_by_day(hall, 40, grid=True)
    assert found[0][0] < 2500
    mean, sd = found[-1]
    assert mean > 3500
    assert abs(mean - 5000) < 2 * sd


@pytest.mark.parametrize(("indoors_per_person", "unsure"), [(2.0, 0.14), (20.0, 0.32), (500.0, 0.45)])
def test_before_the_first_night_a_district_is_less_sure_the_more_are_indoors(hall, indoors_per_person, unsure):
    plain = hall.cells
    indoors = np.full(len(plain), indoors_per_person * plain.usual_at(12.0).sum() / len(plain))
    known = replace(plain, surveyed=True, counted_at_home=True, indoors=indoors)
    bare, counted = (Estimator(hall.pack, cells) for cells in (plain, known))
    outside = counted.field(counted.start(NOON)).open_ground
    assert counted.field(counted.start(NOON)).unsettled[outside] == pytest.approx(unsure, abs=0.005)
    assert bare.field(bare.start(NOON)).unsettled == pytest.approx(Params().unsettled)


def test_behind_gates_it_is_less_sure_until_their_own_first_night_is_over(hall):
    known = Estimator(hall.pack, replace(hall.cells, surveyed=True, counted_at_home=True))
    state = known.start(NOON)
    field, inside = known.field(state), known.sources.cordons.weights
    whole = inside[0].indices[inside[0].data > 0.99]
    assert field.unsettled[whole] == pytest.approx(Params().counted_unsettled[2])
    night = replace(state.present, nights=1.0)
    field = known.field(replace(state, present=night))
    assert field.unsettled[whole] == pytest.approx(Params().counted_unsettled[2])
    assert field.unsettled[field.open_ground] == pytest.approx(0.0, abs=1e-9)
    over = replace(night, balance=replace(night.balance, dawns=np.ones_like(night.balance.dawns)))
    assert known.field(replace(state, present=over)).unsettled is None


@pytest.mark.parametrize(("indoors_per_person", "unsure"), [(8.0, None), (60.0, 0.2), (500.0, 0.45)])
def test_where_nearly_all_are_indoors_open_ground_is_doubted_in_any_night(hall, indoors_per_person, unsure):
    plain = hall.cells
    indoors = np.full(len(plain), indoors_per_person * plain.usual_at(12.0).sum() / len(plain))
    known = Estimator(hall.pack, replace(plain, surveyed=True, counted_at_home=True, indoors=indoors))
    state = known.start(NOON)
    settled = replace(state.present.balance, dawns=np.ones_like(state.present.balance.dawns))
    field = known.field(replace(state, present=replace(state.present, nights=1.0, balance=settled)))
    if unsure is None:
        assert field.unsettled is None
    else:
        assert field.unsettled[field.open_ground] == pytest.approx(unsure, abs=0.005)
        assert field.unsettled[~field.open_ground] == pytest.approx(0.0)


def test_the_balance_of_an_empty_hall_is_never_beyond_doubt(hall):
    estimator = hall.estimator
    state = estimator.advance(estimator.start(NOON), [seen("gate-1", NOON + MINUTE, 1, n_in=0, n_out=0)], NOON + MINUTE)
    cordons, moment = estimator.sources.cordons, state.present
    told = balance.told(cordons.gates, moment.balance)
    rows = cordon_rows(estimator.layout, cordons, told, moment.mean, np.zeros(len(hall.cells)), np.zeros(1))
    assert told.untold.all()
    assert (rows.noise > 0).all()
