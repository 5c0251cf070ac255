from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.matters.test_keeping import HOME, opened, play

from anlan.cases import Action
from anlan.kernel.errors import BadInput
from anlan.matters import Asked, NewCase, count_cases, export_cases, list_cases
from anlan.store import casebook
from anlan.store.caselists import Query


def ids(kept, who, **asked):
    return [one.case.case_id for one in list_cases(kept.matters, Asked(**asked), who).cases]


def test_the_tables_are_as_they_are_asked(kept):
    """Hold what the migrations made against what the queries speak of."""
    engine = sa.create_engine(kept.url)
    found = sa.inspect(engine)
    for table in casebook.schema.tables.values():
        made = {one["name"]: bool(one["nullable"]) for one in found.get_columns(table.name)}
        assert made == {one.name: bool(one.nullable) for one in table.columns}
        key = found.get_pk_constraint(table.name)["constrained_columns"]
        assert key == [one.name for one in table.primary_key.columns]
    engine.dispose()


def test_lists_come_by_type_state_area_owner_light_and_what_is_due(kept):
    desk = kept.who("desk", "intake_desk", "grid_worker")
    first = opened(kept)
    kept.wait(minutes=1)
    hazard = kept.matters.open(
        NewCase(type_id="hazard", area_id="d-e-n-e-n", filled={"kind": "water", "source": "patrol"}), desk
    ).case_id
    kept.wait(minutes=1)
    kept.matters.act(first, Action(transition="assign"), desk)
    assert ids(kept, desk) == [first, hazard]
    assert ids(kept, desk, order="opened") == [hazard, first]
    assert ids(kept, desk, order="due") == [hazard, first]
    assert ids(kept, desk, query=Query(type_ids=("hazard",))) == [hazard]
    assert ids(kept, desk, query=Query(states=("assigned",))) == [first]
    assert ids(kept, desk, query=Query(closed=True)) == []
    assert ids(kept, desk, area_id="d-w") == [first]
    assert ids(kept, desk, query=Query(owner_area_id="d-e-n")) == [hazard]
    assert ids(kept, desk, query=Query(due_before=kept.clock.now() + timedelta(hours=2))) == [hazard]
    kept.wait(hours=1)
    assert ids(kept, desk, query=Query(light="yellow")) == [hazard]
    counted = {(one.type_id, one.state, one.light): one.n_cases for one in count_cases(kept.matters, Asked(), desk)}
    assert counted == {("hazard", "found", "yellow"): 1, ("resident_request", "assigned", "green"): 1}


def test_search_and_export_on_either_database(kept):
    desk = kept.who("desk", "intake_desk")
    first, second = opened(kept), opened(kept, kind="road", what="=1+1 豫园路 LAMPS")
    kept.matters.act(second, Action(transition="assign", note="见附图说明"), desk)
    assert ids(kept, desk, sought="路灯") == [first]
    assert ids(kept, desk, sought="豫园 lamp") == [second]
    assert ids(kept, desk, sought="附图") == [second]
    assert ids(kept, desk, sought="street light") == [first]  # the label of what was chosen
    assert ids(kept, desk, sought=first) == [first]
    lines = list(export_cases(kept.matters, Asked(query=Query(type_ids=("resident_request",))), desk))
    assert len(lines) == 3
    assert "'=1+1 豫园路 LAMPS" in lines[1]
    assert kept.store.changes()[-1].kind == "case_export"


def test_what_stands_in_a_table_is_found_too(lite):
    case_id, _ = play(lite, "planned_event", until="closed")
    anybody = lite.who("p", "planner")
    for words in ("增设引导牌", "高处作业", "work at height"):  # a text, and the label of a choice in each language
        assert ids(lite, anybody, sought=words) == [case_id]


def test_notes_of_ones_own_are_read_and_found_by_their_writer_alone_each_as_told(lite):
    case_id, _ = play(lite, "mediation", until="talks")
    told = {"a": "first impression", "b": "second thoughts"}
    people = {name: lite.who(name, "mediator") for name in told}
    for name, notes in told.items():
        action = Action(transition="take_notes", filled={"facts": "noise", "private_notes": notes})
        lite.matters.act(case_id, action, people[name])
    for name, other in (("a", "b"), ("b", "a")):
        seen = lite.matters.read(case_id, people[name])
        lines = [one.filled["private_notes"] for one in seen.history if "private_notes" in one.filled]
        assert lines == [told[name]]
        assert ids(lite, people[name], sought=told[name]) == [case_id]
        assert ids(lite, people[name], sought=told[other]) == []
    assert lite.matters.read(case_id, people["b"]).fields["private_notes"] == told["b"]
    assert "private_notes" not in lite.matters.read(case_id, people["a"]).fields


@pytest.mark.parametrize(
    "asked",
    [{"order": "name"}, {"limit": 0}, {"limit": 201}, {"after": "x"}, {"after": "1.²"}, {"area_id": "atlantis"},
     {"query": Query(light="blue")}, {"after": "9" * 30 + ".1"}],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(lite, asked):
    with pytest.raises(BadInput):
        list_cases(lite.matters, Asked(**asked), lite.who("desk", "intake_desk"))


def test_counts_take_no_words(lite):
    with pytest.raises(BadInput, match="q with counts"):
        count_cases(lite.matters, Asked(sought="路灯"), lite.who("desk", "intake_desk"))


def test_who_has_no_right_sees_no_case(lite):
    opened(lite)
    nobody = lite.who("nobody", "device_feed")
    assert ids(lite, nobody) == []
    assert count_cases(lite.matters, Asked(), nobody) == []
    far = lite.who("far", "intake_desk", area="d-e")
    assert ids(lite, far) == []
    assert ids(lite, lite.who("near", "intake_desk", area=HOME)) != []


def test_what_waits_for_somebody_is_what_they_could_do_next(kept):
    desk, worker = kept.who("desk", "intake_desk"), kept.who("worker", "grid_worker", area="d-w-s")
    first, second, _ = opened(kept), opened(kept), opened(kept, kind="road")
    kept.matters.act(first, Action(transition="assign"), desk)
    elsewhere = kept.matters.open(
        NewCase(type_id="resident_request", area_id="d-e-n-e-n", filled={"kind": "road", "source": "web", "what": "x"}),
        desk,
    ).case_id
    kept.matters.act(elsewhere, Action(transition="assign"), desk)
    assert ids(kept, worker, mine=True) == [first]
    assert set(ids(kept, desk, mine=True)) == set(ids(kept, desk))  # forward, merge
    kept.matters.act(first, Action(transition="accept"), worker)
    kept.matters.act(first, Action(transition="ask", note="which number?"), worker)
    assert ids(kept, worker, mine=True) == [first]
    assert first not in ids(kept, desk, mine=True)
    assert second in ids(kept, desk, mine=True)
    assert ids(kept, kept.reading("reader"), mine=True) == []
    with pytest.raises(BadInput):
        count_cases(kept.matters, Asked(mine=True), desk)
