"""Call-outs in a store: in waves, by distance, never twice for one matter, never too often, never past the quota."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.volunteers.conftest import AT, EVERYWHERE, Kept, spot

from anlan.community import Reply
from anlan.kernel.access import Scope
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.store import volunteerbook as book
from anlan.volunteers import Wanted, beat, call_out, keep_house, near
from anlan.volunteers.calling import answers_of, asked_of, call_outs, choose, one_call_out, reply, stop
from anlan.volunteers.joining import leave
from anlan.volunteers.rostering import enter

LEAVES = tuple(f"d-{a}-{b}-{c}" for a in "we" for b in "sn" for c in "we")


def wanted(at=(-300, -300), quota=2, **more):
    lon, lat = spot(*at)
    return Wanted(lon=lon, lat=lat, quota=quota, words="帮忙引导 guide people", **more)


def begin(kept, *args, **more):
    return call_out(kept.hall, wanted(*args, **more), EVERYWHERE, "test")


def asks(kept):
    with kept.store.reading() as connection:
        return book.rows(connection, book.ask)


def now(kept, key):
    return one_call_out(kept.hall, key, EVERYWHERE)[0]


def test_few_and_near_ones_are_asked_first_then_more_as_time_goes(kept):
    far = [kept.joined(f"F{k}", "d-e-n-e") for k in range(10)]
    close = [kept.joined(f"C{k}", "d-w-s-w") for k in range(4)]
    made = begin(kept, radii_m=(300.0, 3000.0))
    assert {one["volunteer_no"] for one in asks(kept)} == set(close)
    beat(kept.hall)
    assert len(asks(kept)) == 4
    kept.wait(seconds=121)
    beat(kept.hall)
    later = {one["volunteer_no"] for one in asks(kept)} - set(close)
    assert later < set(far)
    assert now(kept, made["call_out_id"])["n_asked"] == 4 + len(later)


def test_it_stops_by_itself_when_enough_come_and_goes_on_when_one_steps_back(kept):
    people = [kept.joined(f"P{k}") for k in range(20)]
    key = begin(kept)["call_out_id"]
    first = [one for one in people if asked_of(kept.hall, one)]
    assert len(first) == 4
    assert [reply(kept.hall, one, key, Reply.YES) for one in first[:2]] == ["open", "met"]
    with pytest.raises(Conflict, match="enough helpers"):
        reply(kept.hall, first[2], key, Reply.YES)
    kept.wait(minutes=30)
    beat(kept.hall)
    assert len(asks(kept)) == 4
    assert reply(kept.hall, first[0], key, Reply.NO) == "open"
    beat(kept.hall)
    assert len(asks(kept)) > 4
    row, names = one_call_out(kept.hall, key, EVERYWHERE)
    assert (row["n_yes"], row["n_no"], names) == (1, 1, ["P" + str(people.index(first[1]))])
    assert [change.action for change in kept.store.changes() if change.kind == "call_out"] == ["begin", "met"]


def test_nobody_is_asked_twice_for_one_matter_whatever_alliances_they_are_in(kept):
    people = [kept.joined(f"P{k}", alliances=("silk", "gold")) for k in range(5)]
    for alliance in ("silk", "gold", None):
        begin(kept, quota=5, matter_id="incident:1", alliance=alliance)
    numbers = [one["volunteer_no"] for one in asks(kept)]
    assert sorted(numbers) == sorted(people)


def test_nobody_is_asked_more_often_than_a_day_allows(kept):
    one = kept.joined()
    for _ in range(3):
        begin(kept)
        kept.wait(minutes=1)
    assert [ask["volunteer_no"] for ask in asks(kept)] == [one, one]
    kept.wait(hours=24)
    begin(kept)
    assert len(asks(kept)) == 3


def test_at_night_only_who_said_so_is_asked(lite):
    lite.joined("Day")
    owl = lite.joined("Owl", free=("night",))
    lite.clock.set(AT + timedelta(hours=14))
    begin(lite)
    assert [one["volunteer_no"] for one in asks(lite)] == [owl]


def test_who_is_on_a_shift_lacks_a_skill_or_is_no_member_is_not_asked(lite):
    busy = lite.joined("Busy", skills=("aed",), alliances=("silk",))
    lite.joined("No skill", alliances=("silk",))
    lite.joined("No member", skills=("aed",))
    fits = lite.joined("Fits", skills=("aed", "driving"), alliances=("silk",))
    enter(lite.hall, busy, lite.shift(1))
    lite.wait(hours=2)
    begin(lite, quota=5, skills=("aed",), alliance="silk")
    assert [one["volunteer_no"] for one in asks(lite)] == [fits]


def test_it_ends_with_its_time_with_its_matter_or_by_hand(lite):
    lite.joined()
    first, second, third = (begin(lite, matter_id=name)["call_out_id"] for name in ("a", "b", "c"))
    assert stop(lite.hall, first, EVERYWHERE, "test")["state"] == "stopped"
    beat(lite.hall, lambda matter_id: matter_id == "b")
    assert now(lite, second)["state"] == "over"
    assert now(lite, third)["state"] == "open"
    lite.wait(hours=2)
    beat(lite.hall)
    assert now(lite, third)["state"] == "over"
    for key in (first, second):
        with pytest.raises(Conflict):
            stop(lite.hall, key, EVERYWHERE, "test")


def test_a_late_yes_is_refused_and_a_stranger_has_no_say(lite):
    one, other = lite.joined("One"), lite.joined("Two", "d-e-n-e", free=("night",))
    key = begin(lite)["call_out_id"]
    with pytest.raises(NotFound):
        reply(lite.hall, other, key, Reply.YES)
    stop(lite.hall, key, EVERYWHERE, "test")
    with pytest.raises(Conflict, match="is over"):
        reply(lite.hall, one, key, Reply.YES)


def test_a_station_sees_and_stops_those_of_its_own_areas(lite):
    key, east = begin(lite)["call_out_id"], Scope(False, frozenset({"d-e"}))
    assert call_outs(lite.hall, east, AT) == []
    for refused in (
        lambda: one_call_out(lite.hall, key, east), lambda: stop(lite.hall, key, east, "x"),
        lambda: call_out(lite.hall, wanted(), east, "x"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            refused()


def test_after_a_month_nobody_knows_who_was_asked_but_how_many(lite):
    lite.joined()
    key = begin(lite)["call_out_id"]
    lite.wait(days=31)
    beat(lite.hall)
    keep_house(lite.hall)
    assert asks(lite) == []
    assert (now(lite, key)["n_asked"], now(lite, key)["words"]) == (1, "")


def test_how_many_could_be_asked_around_a_point(lite):
    for k in range(3):
        lite.joined(f"C{k}", "d-w-s-w", skills=("aed",))
    lite.joined("F", "d-e-n-e", skills=("aed",))
    lite.joined("N", "d-w-s-w")
    told = dict(near(lite.hall, *spot(-300, -300), ["aed"]))
    assert (told[300.0], told[6000.0]) == (3, 4)


@pytest.mark.parametrize(
    "more", [{"quota": 0}, {"hours": 25}, {"skills": ("flying",)}, {"alliance": "none"}, {"at": (9000, 0)}]
)
def test_a_call_that_cannot_be_is_refused_and_nothing_is_kept(lite, more):
    with pytest.raises(BadInput):
        begin(lite, **more)
    assert call_outs(lite.hall, EVERYWHERE, AT) == []


def test_who_has_left_since_the_pool_was_read_is_not_asked(lite):
    stays, goes = lite.joined("Stays"), lite.joined("Goes")
    begin(lite, quota=5)
    pool = lite.hall._pool
    leave(lite.hall, goes)
    lite.hall._pool = pool
    begin(lite, quota=5)
    assert {one["volunteer_no"] for one in asks(lite)} == {stays}


def test_the_same_seed_asks_the_same(lite):
    for k in range(30):
        lite.joined(f"P{k}")
    row = begin(lite, quota=3)
    with lite.store.reading() as connection:
        first = {one["volunteer_no"] for one in book.rows(connection, book.ask)}
        pool = lite.hall.pool(connection, alone=False)
        again = row | {"wave": 0, "circle": 0, "matter_id": "another"}
        made = choose(lite.hall, connection, again, (pool, answers_of(row | {"n_yes": 0}, [], AT)), AT)
    assert set(pool.number[made.chosen].tolist()) == first


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_answered_the_quota_holds_and_nobody_is_asked_twice_or_too_often(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("calls")
    kept = Kept(folder, f"sqlite:///{folder}/records.db")
    try:
        people = [kept.joined(f"P{k}", LEAVES[k % 8]) for k in range(12)]
        quota = data.draw(st.integers(1, 4))
        keys = [begin(kept, quota=quota, matter_id=m)["call_out_id"] for m in data.draw(st.sampled_from(["aa", "ab"]))]
        steps = st.tuples(st.sampled_from(["yes", "no", "wait"]), st.sampled_from(people), st.sampled_from(keys))
        for verb, one, key in data.draw(st.lists(steps, max_size=25)):
            if verb == "wait":
                kept.wait(seconds=61)
                beat(kept.hall)
                continue
            try:
                reply(kept.hall, one, key, Reply(verb))
            except (Conflict, NotFound):
                continue
        rows = asks(kept)
        matter = [(ask["matter_id"], ask["volunteer_no"]) for ask in rows]
        assert len(matter) == len(set(matter))
        assert max((sum(ask["volunteer_no"] == one for ask in rows) for one in people), default=0) <= 2
        for key in keys:
            row = now(kept, key)
            own = [ask for ask in rows if ask["call_out_no"] == row["call_out_no"]]
            assert row["n_yes"] == sum(ask["reply"] == "yes" for ask in own) <= quota
            assert row["n_asked"] == len(own)
            assert (row["state"] == "met") == (row["n_yes"] == quota)
    finally:
        kept.store.close()
