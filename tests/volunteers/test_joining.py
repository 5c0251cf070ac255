"""Joining by a link, agreeing every year, and leaving without a trace in any table, file or log."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.volunteers.conftest import AT, EVERYWHERE

from anlan.community import Reply
from anlan.kernel.access import Scope
from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput, NotAllowed, Unavailable
from anlan.volunteers import Profile, Wanted, call_out, keep_house
from anlan.volunteers.calling import asked_of, call_outs, reply
from anlan.volunteers.joining import (
    Invitation,
    Sought,
    UnknownLink,
    agree_again,
    behind_calendar,
    change_profile,
    counts,
    invitations,
    invite,
    invited_by,
    join,
    leave,
    mine,
    new_link,
    tallies,
    volunteers,
    who,
    withdraw_invitation,
)
from anlan.volunteers.rostering import enter, of_volunteer, offer_place, shifts, take_offer

CONTACT = "+86 138 0013 8000"


def everything(store):
    """Return all text of every table."""
    with store.reading() as connection:
        tables = [sa.table(name, sa.column("*", is_literal=True)) for name in sa.inspect(connection).get_table_names()]
        return "\n".join(str(tuple(row)) for one in tables for row in connection.execute(sa.select(*one.c)))


def test_who_joins_has_a_link_of_their_own_and_the_store_has_its_hash_only(kept):
    token = kept.token("Wang", skills=("first_aid",), contact=CONTACT)
    row = who(kept.hall, token)
    assert row["shown_name"] == "Wang"
    whole = everything(kept.store)
    assert token not in whole
    assert CONTACT not in whole
    assert mine(kept.hall, row["volunteer_no"])["contact"] == CONTACT
    with pytest.raises(UnknownLink):
        who(kept.hall, token + "x")


def test_an_invitation_ends_with_its_day_its_number_and_by_whoever_made_it(lite):
    key, token = invite(lite.hall, Invitation(label="fair", area_id="d-w", days=2, most=1), "test")
    told = Profile(shown_name="Li", home_id="d-w")
    assert invited_by(lite.hall, token)["area_id"] == "d-w"
    join(lite.hall, token, told)
    with pytest.raises(UnknownLink):
        join(lite.hall, token, told)
    other, second = invite(lite.hall, Invitation(label="fair", area_id="d-w", days=2), "test")
    east = Scope(False, frozenset({"d-e"}))
    with pytest.raises(NotAllowed):
        withdraw_invitation(lite.hall, other, east, "test")
    assert [one["invitation_id"] for one in invitations(lite.hall, EVERYWHERE)] in ([key, other], [other, key])
    assert invitations(lite.hall, east) == []
    withdraw_invitation(lite.hall, other, EVERYWHERE, "test")
    lite.wait(days=3)
    for one in (token, second):
        with pytest.raises(UnknownLink):
            invited_by(lite.hall, one)


@pytest.mark.parametrize(
    "more",
    [{"home": "d-w-s-w-s"}, {"home": "none"}, {"skills": ("flying",)}, {"alliances": ("none",)}, {"trade": "none"},
     {"spoken": "fr"}, {"contact": "x" * 81}, {"contact": "a\nb"}],
)  # fmt: skip
def test_what_is_in_no_list_or_finer_than_a_home_may_be_is_refused(lite, more):
    with pytest.raises(BadInput):
        lite.token(**more)
    assert counts(lite.hall, EVERYWHERE)["all"] == 0


def test_after_the_areas_have_changed_a_scope_shows_its_own_and_no_others(kept):
    kept.token("West", "d-w-s-w")
    shift_id = kept.shift(at=(-300, -300))
    areas = [one for one in kept.pack.areas if one.area_id != "d-e-n-e-n"]
    turned = sorted(areas, key=lambda one: (len(one.area_id), one.area_id))  # east goes before west now
    kept.pack = replace(kept.pack, areas=AreaTree(kept.pack.areas.levels, turned))
    before = kept.hall.ground.rank("d-w")
    kept.again()
    assert kept.hall.ground.rank("d-w") != before
    for area_id, names in (("d-w", ["West"]), ("d-e", [])):
        scope = Scope(False, frozenset({area_id}))
        assert [one["shown_name"] for one in volunteers(kept.hall, scope)] == names
        found = shifts(kept.hall, scope, AT, AT + timedelta(days=9))
        assert [one.shift_id for one in found] == [shift_id] * len(names)


def test_without_its_key_a_contact_is_not_read_by_anybody(lite):
    number = lite.joined(contact=CONTACT)
    path = lite.folder / "contacts.key"
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(bytes(32))
    with pytest.raises(Unavailable, match="sealed with"):
        mine(lite.hall, number)


def test_a_list_holds_who_lives_in_the_scope_and_never_a_contact(kept):
    kept.token("West", "d-w-s-w", alliances=("silk",), contact=CONTACT)
    kept.token("East", "d-e", skills=("aed",))
    west = Scope(False, frozenset({"d-w"}))
    found = volunteers(kept.hall, west)
    assert [one["shown_name"] for one in found] == ["West"]
    assert not {"contact", "token_key", "calendar_key"} & set(found[0])
    assert [one["shown_name"] for one in volunteers(kept.hall, EVERYWHERE, Sought(skill="aed"))] == ["East"]
    assert counts(kept.hall, west) == {"all": 1, "alliance:silk": 1}


def test_what_somebody_changes_is_changed_and_a_contact_stays_until_it_is_taken_away(lite):
    token = lite.token("Li", contact=CONTACT)
    number = who(lite.hall, token)["volunteer_no"]
    change_profile(lite.hall, number, Profile(shown_name="Lee", home_id="d-e", skills=("aed",)))
    told = mine(lite.hall, number)
    assert (told["shown_name"], told["home"], told["skills"], told["contact"]) == ("Lee", "d-e", ["aed"], CONTACT)
    change_profile(lite.hall, number, Profile(shown_name="Lee", home_id="d-e", contact=""))
    assert mine(lite.hall, number)["contact"] == ""


def test_another_link_ends_the_one_before_and_that_of_the_calendar_opens_nothing_else(lite):
    token = lite.token()
    number = who(lite.hall, token)["volunteer_no"]
    fresh, calendar = new_link(lite.hall, number), new_link(lite.hall, number, calendar=True)
    assert who(lite.hall, fresh)["volunteer_no"] == number
    assert behind_calendar(lite.hall, calendar)["volunteer_no"] == number
    for one in (token, calendar):
        with pytest.raises(UnknownLink):
            who(lite.hall, one)


def test_leaving_leaves_no_trace_in_tables_files_or_log_but_a_number(kept):
    kept.token("Somebody else")
    token = kept.token("Unforgettable", contact=CONTACT, skills=("first_aid",), alliances=("silk",))
    row = who(kept.hall, token)
    number, shift_id = row["volunteer_no"], kept.shift()
    enter(kept.hall, number, shift_id)
    offer_place(kept.hall, number, shift_id)
    made = call_out(kept.hall, Wanted(lon=121.479, lat=31.219, quota=1, words="help"), EVERYWHERE, "test")
    reply(kept.hall, number, made["call_out_id"], Reply.YES)
    marks = [row["volunteer_id"], row["shown_name"], row["token_key"], row["contact"]]
    assert all(mark in everything(kept.store) for mark in marks)
    leave(kept.hall, number)
    whole = everything(kept.store)
    assert not [mark for mark in marks if mark in whole]
    if "sqlite" in kept.url:
        raw = b"".join(path.read_bytes() for path in kept.folder.glob("records.db*"))
        assert not [mark for mark in marks if mark.encode() in raw]
    with pytest.raises(UnknownLink):
        who(kept.hall, token)
    assert {one["what"]: one["n"] for one in tallies(kept.hall, EVERYWHERE)} == {"joined": 2, "left": 1}
    log = json.dumps([change.body for change in kept.store.changes()])
    assert not [mark for mark in marks if mark in log]
    assert kept.store.verify().ok


def test_a_yes_of_somebody_who_leaves_is_asked_for_again(lite):
    number = lite.joined()
    made = call_out(lite.hall, Wanted(lon=121.479, lat=31.219, quota=1, words="help"), EVERYWHERE, "test")
    assert reply(lite.hall, number, made["call_out_id"], Reply.YES) == "met"
    leave(lite.hall, number)
    assert call_outs_now(lite)[0]["n_yes"] == 0
    assert call_outs_now(lite)[0]["state"] == "open"


def call_outs_now(lite):
    return call_outs(lite.hall, EVERYWHERE, AT)


def test_a_consent_that_is_not_given_again_is_the_same_as_leaving(kept):
    stays, goes = kept.joined("Stays"), kept.token("Goes", contact=CONTACT)
    kept.clock.set(datetime(2027, 11, 10, tzinfo=UTC))
    assert keep_house(kept.hall) == 0
    agree_again(kept.hall, stays)
    kept.clock.set(AT.replace(year=2027) - timedelta(hours=1))
    assert who(kept.hall, goes)["shown_name"] == "Goes"
    kept.clock.set(AT.replace(year=2027))
    with pytest.raises(UnknownLink):
        who(kept.hall, goes)
    assert keep_house(kept.hall) == 1
    assert counts(kept.hall, EVERYWHERE)["all"] == 1
    assert "Goes" not in everything(kept.store)
    assert {one["what"]: one["n"] for one in tallies(kept.hall, EVERYWHERE)} == {"joined": 2, "lapsed": 1}


def test_a_place_that_is_left_goes_to_whoever_waits_also_after_a_restart(kept):
    first, second = kept.joined("One"), kept.joined("Two")
    shift_id = kept.shift(places=1)
    assert enter(kept.hall, first, shift_id)
    assert not enter(kept.hall, second, shift_id)
    kept.again()
    leave(kept.hall, first)
    assert [one.seated for one in of_volunteer(kept.hall, second)] == [True]


def test_who_answered_an_offer_and_leaves_lets_it_stand_again(lite):
    first, second = lite.joined("One"), lite.joined("Two")
    shift_id = lite.shift(places=1)
    enter(lite.hall, first, shift_id)
    key = offer_place(lite.hall, first, shift_id)
    take_offer(lite.hall, second, key)
    leave(lite.hall, second)
    third = lite.joined("Three")
    take_offer(lite.hall, third, key)
    assert asked_of(lite.hall, third) == []


def test_a_list_is_narrowed_by_area_trade_alliance_and_a_consent_that_ends_soon(kept):
    kept.token("Old", "d-w-s-w", alliances=("silk",), trade="retail")
    kept.wait(days=300)
    kept.token("New", "d-w-s-w", trade="catering")
    kept.token("East", "d-e", alliances=("silk",))

    def names(**sought):
        return [one["shown_name"] for one in volunteers(kept.hall, EVERYWHERE, Sought(**sought))]

    assert names(area_id="d-w") == ["Old", "New"]
    assert names(alliance="silk") == ["Old", "East"]
    assert names(trade="catering") == ["New"]
    assert names(due_before=kept.clock.now() + timedelta(days=90)) == ["Old"]
    with pytest.raises(BadInput, match="must be in the district"):
        names(area_id="nowhere")
    west = Scope(False, frozenset({"d-e"}))
    assert volunteers(kept.hall, west, Sought(area_id="d-w")) == []
