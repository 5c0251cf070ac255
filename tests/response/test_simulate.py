import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.response.test_queueing import LARSON_BUSY, LARSON_ORDER, LARSON_PER_HOUR
from tests.response.test_travel import grid
from tests.small import PLANE

from anlan.kernel.errors import BadInput
from anlan.response.queueing import erlang_b, erlang_c, erlang_wait_s
from anlan.response.simulate import (
    BOTH,
    KEEPING,
    MOVING,
    NEAREST,
    Carrying,
    Fleet,
    Incidents,
    Kind,
    Policy,
    Roads,
    batches,
    cover_of,
    late,
    simulate,
)
from anlan.response.travel import FOOT, Network, StreetGraph

SEEDS = st.integers(0, 10_000)
POLICIES = [
    NEAREST,
    KEEPING,
    MOVING,
    BOTH,
    Policy(key="each", keeps_cover=True, moves_up="each", preempts=True, nearest_below=1),
    Policy(key="called off", preempts=True),
]


def town(seed, n_places=40, n_posts=6, side_m=2000.0):
    draw = np.random.default_rng(seed)
    at = draw.random((n_places, 2)) * side_m
    roads = Roads(times_s=np.hypot(*(at[:, None] - at).transpose(2, 0, 1)) / 6, pace=(1.0,) * 8 + (1.4,) * 16)
    return roads, draw.choice(n_places, n_posts, replace=False), draw


def year(draw, n_places=40, per_hour=12.0, days=2):
    kinds = [Kind(share=0.3, priority=0, n_units=2, on_scene_s=600), Kind(share=0.7, priority=1, on_scene_s=1200)]
    return Incidents.drawn(draw, per_hour=per_hour, weight=draw.random(n_places), days=days, kinds=kinds)


def one_place(n_units, **more):
    return Roads(times_s=np.zeros((1, 1))), Fleet(posts=[0], home=np.zeros(n_units, int), **more)


def stream(seed, per_hour, n, mean_s=3600.0):
    draw = np.random.default_rng(seed)
    at = np.cumsum(draw.exponential(3600 / per_hour, n))
    return Incidents(at_s=at, place=np.zeros(n, int), on_scene_s=draw.exponential(mean_s, n), turnout_s=0.0)


# -- against closed forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("load", "n"), [(1.5, 3), (4.2, 7), (16.0, 20)])
def test_loss_is_erlangs(load, n):
    roads, fleet = one_place(n)
    run = simulate(roads, fleet, stream(n, load, 200_000), Policy(queues=False))
    told = batches(run, run.lost.astype(float), level=0.999)
    assert told.low <= erlang_b(load, n) <= told.high
    assert told.high - told.low < 0.02


@pytest.mark.parametrize(("load", "n"), [(1.5, 3), (4.2, 7), (16.0, 20)])
def test_waits_are_erlangs(load, n):
    roads, fleet = one_place(n)
    run = simulate(roads, fleet, stream(n + 1, load, 200_000))
    waited, wait = (batches(run, one, level=0.999) for one in ((run.wait_s > 0).astype(float), run.wait_s))
    assert waited.low <= erlang_c(load, n) <= waited.high
    assert wait.low <= erlang_wait_s(load, n, 3600.0) <= wait.high
    assert not run.lost.any()


def test_with_units_enough_the_busy_ones_are_poisson():
    roads, fleet = one_place(60)
    run = simulate(roads, fleet, stream(3, 12.0, 200_000, mean_s=3600.0))
    seen = np.searchsorted(run.incidents.at_s, run.incidents.at_s) - np.searchsorted(
        np.sort(run.free_s), run.incidents.at_s
    )
    mean, spread = batches(run, seen.astype(float), level=0.999), batches(run, (seen - 12.0) ** 2, level=0.999)
    assert mean.low <= 12.0 <= mean.high
    assert spread.low <= 12.0 <= spread.high
    assert run.mean_busy == pytest.approx(12 / 60, rel=0.02)


def test_workloads_are_the_published_hypercubes():
    n = 300_000
    draw = np.random.default_rng(11)
    times = np.full((8, 8), 1e-3)  # five atoms, then three posts; who is asked first is a little nearer
    for atom, order in enumerate(LARSON_ORDER):
        times[5 + order, atom] = np.arange(1, 4) * 1e-3
    atoms = draw.choice(5, n, p=LARSON_PER_HOUR / LARSON_PER_HOUR.sum())
    at = np.cumsum(draw.exponential(3600 / LARSON_PER_HOUR.sum(), n))
    incidents = Incidents(at_s=at, place=atoms, on_scene_s=draw.exponential(3600, n), turnout_s=0.0)
    run = simulate(Roads(times_s=times), Fleet(posts=[5, 6, 7]), incidents)
    assert run.busy == pytest.approx(LARSON_BUSY, abs=0.01)


# -- against SimPy -----------------------------------------------------------------------------------------------------


def by_simpy(roads, posts, incidents):
    """The same rules as processes: nearest free unit, queue by priority, back to its post."""
    simpy = pytest.importorskip("simpy", reason="SimPy is not installed")
    times, there = np.asarray(roads.times_s, float), {}
    world, idle, queue = simpy.Environment(), set(range(len(posts))), []
    back = dict.fromkeys(idle, 0.0)
    left = dict.fromkeys(idle, 0)

    def job(u, i, ready, place):
        arrive = ready + times[place, incidents.place[i]]
        there[i] = min(there.get(i, np.inf), arrive)
        yield world.timeout(arrive + incidents.on_scene_s[i] - world.now)
        if queue:
            j = min(queue)
            queue.remove(j)
            world.process(job(u, j[1], world.now, incidents.place[i]))
            return
        left[u], back[u] = incidents.place[i], world.now + times[incidents.place[i], posts[u]]
        idle.add(u)

    def source():
        for i, at in enumerate(incidents.at_s):
            yield world.timeout(at - world.now)
            best = min(
                ((world.now + incidents.turnout_s[i] + times[posts[u], incidents.place[i]], u) for u in idle),
                default=None,
            )
            if best is None:
                queue.append((incidents.priority[i], i))
            else:
                idle.discard(best[1])
                world.process(job(best[1], i, world.now + incidents.turnout_s[i], posts[best[1]]))

    world.process(source())
    world.run()
    return np.array([there[i] - at for i, at in enumerate(incidents.at_s)])


@given(SEEDS)
@settings(max_examples=6)
def test_simpy_says_the_same_of_every_incident(seed):
    draw = np.random.default_rng(seed)
    roads, posts, _ = town(seed)
    flat = Roads(times_s=roads.times_s)
    kinds = [Kind(share=0.4, priority=0, on_scene_s=700), Kind(share=0.6, priority=1, on_scene_s=900)]
    incidents = Incidents.drawn(draw, per_hour=14, weight=np.ones(40), days=3, kinds=kinds)
    # whoever is under way may turn in ours only: so everybody is at his post at once
    none_away = flat.times_s.copy()
    none_away[:, posts] = 0.0
    swift = Roads(times_s=none_away)
    ours = simulate(swift, Fleet(posts=posts), incidents)
    assert ours.response_s == pytest.approx(by_simpy(swift, posts, incidents), abs=1e-2)


# -- what must hold for every run --------------------------------------------------------------------------------------


@given(SEEDS, st.sampled_from(POLICIES))
@settings(max_examples=40)
def test_no_incident_is_lost_and_none_gets_more_units_than_it_needs(seed, policy):
    roads, posts, draw = town(seed)
    incidents = year(draw)
    run = simulate(roads, Fleet(posts=posts), incidents, policy)
    came = np.bincount(run.incident[~run.broken_off], minlength=len(incidents))
    assert (came == incidents.needs).all()
    assert not run.lost.any()
    assert (run.response_s >= 0).all()
    assert (run.full_s >= run.response_s).all()


@given(SEEDS, st.sampled_from(POLICIES))
@settings(max_examples=40)
def test_a_unit_is_never_in_two_places(seed, policy):
    roads, posts, draw = town(seed)
    run = simulate(roads, Fleet(posts=posts), year(draw), policy)
    for u in range(6):
        mine = np.flatnonzero(run.unit == u)
        assert (run.sent_s[mine][1:] >= run.free_s[mine][:-1] - 1e-6).all()
    kept = ~run.broken_off
    assert (run.sent_s <= run.set_off_s + 1e-9)[kept].all()
    ways = roads.times_s[run.origin, run.incidents.place[run.incident]]
    assert (run.there_s - run.set_off_s >= ways - 1e-3)[kept].all()  # nobody is faster than the streets


@given(SEEDS, st.sampled_from(POLICIES))
@settings(max_examples=40)
def test_time_is_conserved(seed, policy):
    roads, posts, draw = town(seed)
    run = simulate(roads, Fleet(posts=posts), year(draw), policy)
    assert run.duty_s == pytest.approx(np.full(6, run.ended_s))
    assert (run.busy_s + run.road_s <= run.duty_s + 1e-6).all()
    assert (run.road_s >= -1e-6).all()
    assert run.busy_s.sum() == pytest.approx((run.free_s - run.sent_s).sum())
    stays = (run.free_s - run.there_s)[~run.broken_off]
    assert stays == pytest.approx(np.asarray(run.incidents.on_scene_s)[run.incident[~run.broken_off]])


@given(SEEDS)
@settings(max_examples=15)
def test_more_units_never_raise_the_late_share_beyond_noise(seed):
    roads, posts, draw = town(seed)
    incidents = year(draw, per_hour=8, days=5)
    few = simulate(roads, Fleet(posts=posts, home=np.arange(6)), incidents)
    more = simulate(roads, Fleet(posts=posts, home=np.array([*range(6), 0, 1, 2])), incidents)
    late = [float((run.response_s > 180).mean()) for run in (few, more)]
    assert late[1] <= late[0] + 2 / np.sqrt(len(incidents))


@given(SEEDS)
@settings(max_examples=15)
def test_the_urgent_are_served_first_and_those_alike_in_order(seed):
    draw = np.random.default_rng(seed)
    roads, fleet = one_place(1)
    n = 60
    incidents = Incidents(
        at_s=np.sort(draw.random(n)) * 600, place=np.zeros(n, int), on_scene_s=100.0, turnout_s=0.0,
        priority=draw.integers(0, 3, n),
    )  # fmt: skip
    run = simulate(roads, fleet, incidents)
    order = run.incident[np.argsort(run.sent_s, kind="stable")]
    late = order[run.sent_s[np.argsort(run.sent_s, kind="stable")] > 600]
    key = np.asarray(incidents.priority)[late] * n + late
    assert (np.diff(key) > 0).all()


# -- single cases ------------------------------------------------------------------------------------------------------


def road(n=6, step_s=60.0):
    place = np.arange(n) * step_s
    return Roads(times_s=np.abs(place[:, None] - place))


def test_a_unit_on_its_way_back_is_sent_from_where_it_is():
    incidents = Incidents(at_s=[0.0, 430.0], place=[5, 4], on_scene_s=100.0, turnout_s=0.0)
    run = simulate(road(), Fleet(posts=[0]), incidents)  # free at 400 at place 5; 30 s later halfway to 4
    assert run.origin.tolist() == [0, 4]
    assert run.response_s.tolist() == [300.0, 30.0]
    assert run.road_s[0] == pytest.approx(30.0)


def test_of_two_that_are_there_at_once_the_first_goes():
    three = Incidents(at_s=[0.0, 5000.0, 5001.0], place=[2, 2, 2], on_scene_s=[10.0, 10.0, 10.0], turnout_s=0.0)
    apart = simulate(road(), Fleet(posts=[3, 1]), three)
    assert apart.unit.tolist() == [0, 0, 1]
    beside = simulate(road(), Fleet(posts=[3], home=[0, 0, 0]), three)
    assert beside.unit.tolist() == [0, 0, 1]


def test_a_unit_comes_free_at_the_hospital_and_is_sent_from_there():
    two = Incidents(at_s=[0.0, 700.0], place=[1, 4], on_scene_s=300.0, turnout_s=0.0)
    taken = two.carried(np.random.default_rng(1), road(), Carrying(hospitals=[5], slower=1.5))
    run = simulate(road(), Fleet(posts=[0]), taken)
    assert run.free_s[0] == 60 + 300 + 4 * 60 * 1.5  # there, on scene, and to the hospital without a siren
    assert run.origin.tolist() == [0, 5]
    assert run.response_s[1] == run.free_s[0] + 60 - 700


def test_the_way_to_the_hospital_is_as_slow_as_its_hour_and_the_handover_is_not():
    late = Incidents(at_s=[3000.0], place=[0], on_scene_s=1000.0, turnout_s=0.0)
    taken = late.replaced(carry_s=100.0, handover_s=50.0, ends=[2])
    pace = tuple(3.0 if hour == 1 else 1.0 for hour in range(24))
    slow = Roads(times_s=road().times_s, pace=pace)
    assert simulate(slow, Fleet(posts=[0]), taken).free_s[0] == 4000 + 3 * 100 + 50


def test_as_many_are_carried_as_was_told():
    roads, posts, draw = town(3)
    told = year(draw, days=30)
    taken = told.carried(draw, roads, Carrying(hospitals=posts[:2], share=0.85, handover_s=240))
    gone = np.asarray(taken.ends) != told.place
    assert set(np.asarray(taken.ends)[gone]) <= set(posts[:2])
    assert np.asarray(taken.handover_s)[np.asarray(taken.handover_s) > 0].mean() == pytest.approx(240, rel=0.1)
    assert (np.asarray(taken.handover_s) > 0).mean() == pytest.approx(0.85, abs=0.02)
    assert (
        late(simulate(roads, Fleet(posts=posts), taken), 180).sum()
        > late(simulate(roads, Fleet(posts=posts), told), 180).sum()
    )


def test_nobody_free_means_waiting_and_the_next_one_goes_from_the_scene():
    incidents = Incidents(at_s=[0.0, 10.0], place=[1, 2], on_scene_s=100.0, turnout_s=30.0)
    run = simulate(road(), Fleet(posts=[0]), incidents)
    assert run.response_s.tolist() == [90.0, 30.0 + 60 + 100 + 60 - 10]
    assert run.wait_s.tolist() == [0.0, 180.0]


def test_the_pace_of_the_hour_slows_the_way():
    slow = Roads(times_s=road().times_s, pace=(2.0,) * 24)
    incidents = Incidents(at_s=[0.0], place=[3], on_scene_s=0.0, turnout_s=0.0)
    assert simulate(slow, Fleet(posts=[0]), incidents).response_s.tolist() == [360.0]


def test_whoever_is_on_the_way_to_a_lesser_incident_is_called_off():
    incidents = Incidents(at_s=[0.0, 90.0], place=[5, 2], on_scene_s=100.0, turnout_s=0.0, priority=[1, 0])
    plain = simulate(road(), Fleet(posts=[0]), incidents, within_s=60)
    assert plain.response_s.tolist() == [300.0, 400 + 180 - 90]
    run = simulate(road(), Fleet(posts=[0]), incidents, Policy(preempts=True), within_s=60)
    assert run.response_s.tolist() == [90 + 30 + 100 + 180.0, 30.0]  # at place 2 after 120 s
    assert run.broken_off.tolist() == [True, False, False]


def test_whoever_is_alike_is_not_called_off():
    incidents = Incidents(at_s=[0.0, 90.0], place=[5, 2], on_scene_s=100.0, turnout_s=0.0, priority=0)
    run = simulate(road(), Fleet(posts=[0]), incidents, Policy(preempts=True), within_s=60)
    assert not run.broken_off.any()


def test_units_are_sent_on_duty_only_and_finish_what_they_do():
    incidents = Incidents(at_s=[7 * 3600.0, 15.9 * 3600, 20 * 3600.0], place=[1, 1, 1], on_scene_s=1800, turnout_s=0.0)
    run = simulate(road(), Fleet(posts=[0], on_s=8 * 3600, off_s=16 * 3600), incidents)
    assert run.response_s.tolist() == [3660.0, 60.0, 12 * 3600 + 60.0]
    assert run.free_s[1] == 15.9 * 3600 + 60 + 1800
    assert run.duty_s[0] == pytest.approx(run.free_s[1] - 8 * 3600 + run.ended_s - 32 * 3600)


def test_a_shift_over_midnight_is_on_at_midnight():
    incidents = Incidents(at_s=[600.0, 12 * 3600.0], place=[0, 0], on_scene_s=60, turnout_s=0.0)
    run = simulate(road(), Fleet(posts=[0], on_s=22 * 3600, off_s=6 * 3600), incidents)
    assert run.response_s.tolist() == [0.0, 10 * 3600.0]


def test_only_units_that_can_are_sent():
    able = np.array([[True, False], [False, True]])
    incidents = Incidents(at_s=[0.0, 1.0], place=[1, 1], on_scene_s=60, turnout_s=0.0, kind=[1, 0])
    run = simulate(road(), Fleet(posts=[0, 5], able=able), incidents)
    assert run.unit.tolist() == [1, 0]
    with pytest.raises(BadInput, match="kind 1 with 0 able units"):
        simulate(road(), Fleet(posts=[0, 5], able=np.array([[True, True], [False, False]])), incidents)


def test_the_unit_that_is_missed_least_goes_if_it_is_in_time():
    roads = road()
    weighed = Incidents(at_s=np.arange(9) * 1e6, place=[1, 1, 1, 1, 4, 2, 2, 2, 2], on_scene_s=60, turnout_s=0.0)
    fleet = Fleet(posts=[1, 4])
    cover = cover_of(roads, fleet, weighed, 120.0, busy=0.3)
    only = Incidents(at_s=[0.0], place=[2], on_scene_s=60, turnout_s=0.0)
    assert simulate(roads, fleet, only, NEAREST, within_s=120).unit.tolist() == [0]
    assert simulate(roads, fleet, only, KEEPING, within_s=120, cover=cover).unit.tolist() == [1]
    assert simulate(roads, fleet, only, KEEPING, within_s=60, cover=cover).unit.tolist() == [0]


def test_who_comes_free_drives_to_where_it_is_missed():
    roads = road()
    fleet = Fleet(posts=[0, 5], home=[0, 0])
    incidents = Incidents(at_s=[0.0, 2000.0], place=[4, 5], on_scene_s=60, turnout_s=0.0)
    run = simulate(roads, fleet, incidents, MOVING, within_s=90)
    assert run.response_s.tolist() == [240.0, 0.0]
    assert run.n_moves.sum() == 1
    assert simulate(roads, fleet, incidents, NEAREST, within_s=90).response_s.tolist() == [240.0, 300.0]


def test_the_way_between_places_is_found_from_times_alone():
    network = Network.of(StreetGraph.of(grid(), PLANE), FOOT)
    roads = Roads.of(network, network.main_piece())
    step = roads.steps(np.array([0, 7]))
    for p, post in enumerate((0, 7)):
        for i in range(roads.n_places):
            onward = roads.times_s[i, step[p, i]] + roads.times_s[step[p, i], post]
            assert onward == pytest.approx(roads.times_s[i, post], abs=0.3)
            assert i == post or roads.times_s[i, step[p, i]] <= 51  # one block at 2 m/s


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda: Roads(times_s=[[0.0, np.inf], [1.0, 0.0]]), "finite"),
        (lambda: Fleet(posts=[]), "at least one place"),
        (lambda: Incidents(at_s=[2.0, 1.0], place=[0, 0], on_scene_s=1), "must not fall"),
        (lambda: Incidents(at_s=[0.0], place=[0], on_scene_s=1, n_units=0), "at least 1"),
        (lambda: Incidents(at_s=[0.0], place=[0], on_scene_s=-1), ">= 0 s"),
        (lambda: Incidents(at_s=[0.0], place=[0], on_scene_s=1, ends=[-1]), "ends of shape"),
        (lambda: Incidents(at_s=[0.0], place=[0], on_scene_s=1, handover_s=60), "must be told where"),
        (lambda: Carrying(hospitals=[]), "at least one place"),
        (lambda: Carrying(hospitals=[1], share=85), "must be 0..1"),
        (lambda: stream(1, 1, 1).carried(np.random.default_rng(1), road(), Carrying(hospitals=[9])), "place 9"),
        (lambda: Policy(moves_up="there"), "must be one of home, freed, each"),
        (lambda: simulate(road(), Fleet(posts=[9]), stream(1, 1, 1)), "posts with place 9"),
    ],
)
def test_what_cannot_be_is_refused(act, told):
    with pytest.raises(BadInput, match=told):
        act()
