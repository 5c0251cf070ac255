import hashlib
import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cases.walking import BEGIN, areas_of, someone, walks

from anlan.cases import (
    OPEN,
    Action,
    Catalogue,
    Light,
    Linked,
    Phase,
    advance,
    applied,
    closed_at,
    facts_of,
    firings,
    forget,
    forget_at,
    next_steps,
    open_case,
    public_fields,
    read_clocks,
    readable,
    readable_history,
    replay,
    shipped_types,
)
from anlan.cases.counting import entry_of
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound

KINDS = list(shipped_types())
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type_id)
MANY = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def opened(type_id, **filled):
    kind = shipped_types().get(type_id)
    by = someone("opener", min(kind.opened_by))
    return kind, open_case(kind, ("c-1", areas_of(kind)), Action(transition=OPEN, filled=filled), by, BEGIN)


def hazard():
    return opened("hazard", kind="barrier", source="patrol")


@EACH
@MANY
@given(choice=st.data())
def test_no_history_leaves_the_procedure(kind, choice):
    case = choice.draw(walks(kind)).case
    for before, change in zip(case.history, case.history[1:], strict=False):
        step = kind.transitions[change.transition]
        assert change.source == before.target
        assert change.source in step.sources
        assert change.target == step.target
        assert change.at >= before.at
        assert set(step.evidence) <= set(change.evidence)
        assert not step.note or change.note


@EACH
@MANY
@given(choice=st.data())
def test_four_eyes_are_never_two(kind, choice):
    case = choice.draw(walks(kind)).case
    for k, change in enumerate(case.history[1:], 1):
        step = kind.transitions[change.transition]
        for earlier in case.history[:k]:
            assert earlier.transition not in step.other_than or earlier.actor_id != change.actor_id
            assert earlier.transition not in step.other_unit_than or earlier.unit_id != change.unit_id


@EACH
@MANY
@given(choice=st.data())
def test_every_guard_held_when_its_step_was_taken(kind, choice):
    case = choice.draw(walks(kind)).case
    values, evidence, times = {}, set(), {}
    for change in case.history:
        values |= change.filled
        evidence |= set(change.evidence)
        guard = None if change.transition == OPEN else kind.transitions[change.transition].guard
        assert guard is None or guard.holds(facts_of(kind, values, evidence, times)) is True
        times[change.transition] = times.get(change.transition, 0) + 1
    assert values == dict(case.values)


@EACH
@MANY
@given(choice=st.data(), later=st.integers(0, 400 * 24 * 60))
def test_clocks_are_never_negative_and_rest_where_a_case_has_ended(kind, work, choice, later):
    case = choice.draw(walks(kind)).case
    at = BEGIN + timedelta(minutes=later)
    for one in read_clocks(kind, case, work, at):
        assert one.elapsed >= timedelta()
        assert (one.due_at is not None) == (one.phase is Phase.RUNNING)
        begun = one.phase is not Phase.NOT_STARTED
        assert (one.light is Light.RED) == (begun and one.elapsed >= one.limit)
    if closed_at(kind, case) is not None:
        last = read_clocks(kind, case, work, case.history[-1].at + timedelta(days=900))
        assert {one.phase for one in last} <= {Phase.STOPPED, Phase.NOT_STARTED}


@EACH
@MANY
@given(choice=st.data(), step_h=st.integers(7, 900))
def test_clocks_tell_the_same_asked_often_or_once(kind, work, choice, step_h):
    case = choice.draw(walks(kind)).case
    end = BEGIN + timedelta(days=200)
    asked, at = [], BEGIN
    while at < end:
        until = min(at + timedelta(hours=step_h), end)
        asked += firings(kind, case, work, since_at=at, until_at=until)
        at = until
    assert asked == firings(kind, case, work, since_at=BEGIN, until_at=end)


@EACH
@MANY
@given(choice=st.data(), later=st.integers(0, 400 * 24 * 60))
def test_what_a_case_counts_for_is_told_beforehand_by_its_last_change(kind, work, choice, later):
    """A tally is kept when a case changes, and read at any later moment: its verdicts are those of the clocks then."""
    case = choice.draw(walks(kind)).case
    at = case.history[-1].at + timedelta(minutes=later)
    entry = entry_of(kind, case, work, at)
    assert (entry.from_at, entry.until_at) == (case.opened_at, closed_at(kind, case))
    rules = {rule.clock_id: rule for rule in kind.clocks}
    for one in read_clocks(kind, case, work, at):
        told = rules[one.clock_id].until is None or rules[one.clock_id].until in kind.retention.keeps
        wanted = one.kept if told and one.phase is not Phase.NOT_STARTED else None
        assert entry.values.get(f"{one.clock_id}_kept") == wanted
        assert (f"{one.clock_id}_s" in entry.values) == (told and one.phase is Phase.STOPPED)


@EACH
@MANY
@given(choice=st.data())
def test_what_is_forgotten_is_gone_from_case_and_record(kind, work, choice):
    case = choice.draw(walks(kind)).case
    due_at = forget_at(kind, case, work)
    if due_at is None:
        with pytest.raises(Conflict, match="must be closed"):
            forget(kind, case, work, BEGIN + timedelta(days=9000))
        return
    with pytest.raises(Conflict, match="must not be before"):
        forget(kind, case, work, due_at - timedelta(microseconds=1))
    kept, record = forget(kind, case, work, due_at)
    assert set(kept.values) <= kind.retention.keeps
    assert not any(one.note or one.evidence or one.actor_id or one.unit_id for one in kept.history)
    assert list(kept.areas)[-1] == (kind.retention.level if kind.retention.level in case.areas else "district")
    assert [one.target for one in kept.history] == [one.target for one in case.history]
    assert set(record.fields) | set(kept.values) == set(case.values)
    assert len(record.digests) == len({one for change in case.history for one in change.evidence.values()})
    with pytest.raises(Conflict, match="forgotten already"):
        forget(kind, kept, work, due_at)


def test_talks_never_begin_without_the_consent_of_both():
    kind = shipped_types().get("mediation")
    for told in replay(kind):
        if told.case.state not in {"asked", "proposed", "withdrawn"}:
            assert told.case.values["consent_first"]
            assert told.case.values["consent_second"]


@pytest.mark.parametrize("without_file", ["", "consent_first", "consent_second", "no_stake"])
@pytest.mark.parametrize("told", list(itertools.product([None, False, True], repeat=3)))
def test_of_all_ways_to_begin_a_mediation_only_that_with_every_consent_is_taken(told, without_file):
    kind = shipped_types().get("mediation")
    before = next(one.case for one in replay(kind) if one.case.state == "proposed")
    names = ("consent_first", "consent_second", "chosen_by_both")
    filled = {name: value for name, value in zip(names, told, strict=True) if value is not None}
    files = {one: hashlib.sha256(one.encode()).hexdigest() for one in ("consent_first", "consent_second", "no_stake")}
    files.pop(without_file, None)
    action = Action(transition="begin", filled=filled | {"where_held": "station"}, evidence=files)
    by, at = someone("somebody else", "mediator"), before.history[-1].at + timedelta(hours=1)
    if all(told) and not without_file:
        assert advance(kind, before, action, by, at=at).target == "talks"
        return
    with pytest.raises((BadInput, Conflict)):
        advance(kind, before, action, by, at=at)


def test_private_notes_are_read_by_whoever_wrote_them_only():
    kind = shipped_types().get("mediation")
    case = replay(kind)[-1].case
    assert "private_notes" in readable(kind, case, someone("post-m", "mediator"), BEGIN)
    colleague = someone("post-m2", "mediator")
    assert "facts" in readable(kind, case, colleague, BEGIN)
    assert "private_notes" not in readable(kind, case, colleague, BEGIN)
    told = [one.filled for one in readable_history(kind, case, colleague, BEGIN)]
    assert not any("private_notes" in one for one in told)
    assert any("facts" in one for one in told)
    with pytest.raises(NotAllowed):
        readable_history(kind, case, someone("x", "administrator"), BEGIN)
    seen = readable(kind, case, someone("r", "registrar"), BEGIN)
    assert not {"private_notes", "facts", "terms"} & set(seen)
    for role in ("administrator", "commander", "desk"):
        with pytest.raises(NotAllowed):
            readable(kind, case, someone("x", role), BEGIN)
    assert public_fields(kind, case) == {}


def test_a_request_shows_the_public_its_kind_and_not_its_text():
    kind = shipped_types().get("resident_request")
    assert set(public_fields(kind, replay(kind)[-1].case)) == {"kind"}


def test_a_dispute_moves_the_case_one_level_up_once():
    kind = shipped_types().get("resident_request")
    owners = [told.case.owner_level for told in replay(kind) if told.trial.do == "dispute"]
    assert owners == ["street", "street"]


def test_a_decision_waits_for_its_assessment():
    kind = shipped_types().get("decision")
    refused = [str(told.refusal) for told in replay(kind) if told.refusal]
    assert len(refused) == 2
    assert all("must wait for a decision_assessment that is published" in one for one in refused)


def test_of_two_people_who_act_at_once_the_slower_is_told():
    kind, case = hazard()
    order = Action(transition="order", filled={"danger": "soon"}, seen=1)
    first = applied(case, advance(kind, case, order, someone("a", "grid_lead"), at=BEGIN))
    with pytest.raises(Conflict, match="somebody was faster"):
        advance(kind, first, order, someone("b", "grid_lead"), at=BEGIN)
    with pytest.raises(Conflict, match="must begin at"):
        applied(first, first.history[-1])


@pytest.mark.parametrize(
    ("action", "by", "kind_of_error", "said"),
    [
        (Action(transition="fly"), someone("a", "patrol"), NotFound, "secure, dismiss, order"),
        (Action(transition="accept"), someone("a", "patrol"), Conflict, "does not leave 'found'"),
        (Action(transition="order"), someone("a", "patrol"), NotAllowed, "grid_lead"),
        (Action(transition="order"), someone("a", "grid_lead", area="grid-2"), NotAllowed, "at grid level or above"),
        (Action(transition="order"), someone("a", "grid_lead", area="committee-1"), NotAllowed, "at grid level"),
        (Action(transition="order"), someone("a", "grid_lead"), BadInput, "field danger must be filled in"),
        (Action(transition="order", filled={"danger": "huge"}), someone("a", "grid_lead"), BadInput, "must be one of"),
        (Action(transition="order", filled={"what": "x"}), someone("a", "grid_lead"), BadInput, "that this step fills"),
        (Action(transition="dismiss"), someone("a", "patrol"), BadInput, "must say why"),
        (
            Action(transition="secure", filled={"danger": "soon", "measure": "tape"}),
            someone("a", "patrol"), BadInput, "evidence photo_before must come with secure",
        ),
        (
            Action(transition="secure", filled={"danger": "soon", "measure": "x" * 4001}),
            someone("a", "patrol"), BadInput, "must be <= 4000",
        ),
        (
            Action(transition="secure", filled={"danger": "soon", "measure": "x"}, evidence={"photo_before": "a.jpg"}),
            someone("a", "patrol"), BadInput, "must be a SHA-256",
        ),
    ],
)  # fmt: skip
def test_a_step_that_may_not_be_is_refused_with_what_is_missing(action, by, kind_of_error, said):
    kind, case = hazard()
    with pytest.raises(kind_of_error) as refused:
        advance(kind, case, action, by, at=BEGIN)
    assert said in str(refused.value)


def test_a_case_outside_the_district_is_not_opened():
    kind = shipped_types().get("hazard")
    with pytest.raises(BadInput, match="must reach the micro_grid"):
        open_case(kind, ("c", {"district": "d"}), Action(transition=OPEN), someone("a", "patrol"), BEGIN)


PLAN = {
    "title": "灯光秀", "kind": "show", "organised": False, "venue": "外滩", "n_expected": 500,
    "begins_at": "2026-10-01T19:00:00+08:00", "ends_at": "2026-10-01T22:00:00+08:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"ends_at": "2026-10-01T18:00:00+08:00"}, "ends_at=2026-10-01T10:00:00+00:00 must not be before begins_at"),
        ({"ends_at": "2026-10-01T13:00:00+02:00"}, "ends_at=2026-10-01T11:00:00+00:00 must be later than begins_at"),
        ({"repeats_at": "2027-10-01T19:00:00+08:00"}, "must not be before repeats_at=2027-10-01T11:00:00+00:00"),
    ],
)
def test_nothing_ends_before_it_begins_nor_repeats_what_is_yet_to_come(told, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        opened("planned_event", **{**PLAN, **told})
    kind, case = opened("planned_event", **{**PLAN, "repeats_at": "2025-10-01T19:00:00+08:00"})
    with pytest.raises(BadInput, match=re.escape(said)):  # a step is asked the same, of what stands there too
        advance(kind, case, Action(transition="plan", filled=told), someone("opener", "planner"), at=BEGIN)


def test_milestones_may_fall_on_one_day_and_not_the_other_way_round():
    plain = {one.field_id: "甲" for one in shipped_types().get("programme_task").fields.values() if one.required}
    dated = {**plain, "first_by": "2027-03-01", "second_by": "2027-03-01", "finish_by": "2027-03-01"}
    assert opened("programme_task", **dated)[1].values["finish_by"] == "2027-03-01"
    for late in ("first_by", "second_by"):
        with pytest.raises(BadInput, match=f"must not be before {late}=2027-03-02"):
            opened("programme_task", **{**dated, "second_by": "2027-03-02", late: "2027-03-02"})


def test_a_grant_that_has_ended_opens_nothing():
    kind, case = hazard()
    by = someone("a", "grid_lead")
    over = type(by.grants[0])(
        role_id="grid_lead", area_id="district-1", from_at=datetime(2020, 1, 1, tzinfo=UTC), until_at=BEGIN
    )
    late = type(by)(actor_id="a", unit_id="u", grants=(over,))
    assert next_steps(kind, case, late, BEGIN) == ()
    assert {one.transition_id for one in next_steps(kind, case, by, BEGIN)} == {"secure", "dismiss", "order"}


def test_children_are_closed_first():
    kind, case = hazard()
    waits = replace(kind.transitions["order"], children_closed=True)
    kind = replace(kind, transitions={**kind.transitions, "order": waits})
    child = Linked(case_id="c-2", type_id="hazard", state="found", closed=False, child=True)
    order = Action(transition="order", filled={"danger": "soon"})
    with pytest.raises(Conflict, match="open children c-2"):
        advance(kind, case, order, someone("a", "grid_lead"), at=BEGIN, linked=[child])
    assert advance(kind, case, order, someone("a", "grid_lead"), at=BEGIN).target == "in_repair"


def test_random_histories_do_reach_ends():
    reached = set()

    @settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(choice=st.data())
    def walk(choice):
        kind = choice.draw(st.sampled_from(KINDS))
        case = choice.draw(walks(kind)).case
        if closed_at(kind, case) is not None:
            reached.add(kind.type_id)

    walk()
    assert len(reached) >= 4, reached


def test_a_case_keeps_the_version_it_was_opened_under():
    kind, case = hazard()
    newer = replace(kind, version=2)
    with pytest.raises(Conflict, match="cannot run as hazard version 2"):
        advance(newer, case, Action(transition="order"), someone("a", "grid_lead"), at=BEGIN)
    both = Catalogue((kind, newer))
    assert both.get("hazard").version == 2
    assert both.get("hazard", case.version) is kind
    with pytest.raises(BadInput, match="each id once in one version"):
        Catalogue((kind, kind))


def test_a_gate_on_a_type_that_is_not_there_is_refused():
    with pytest.raises(BadInput, match="gate of decision on decision_assessment in published"):
        Catalogue((shipped_types().get("decision"),))


def test_a_call_for_help_is_forgotten_after_three_days(work):
    kind = shipped_types().get("co_response")
    case = replay(kind)[-1].case
    due_at = forget_at(kind, case, work)
    assert due_at == closed_at(kind, case) + timedelta(hours=72)
    kept, record = forget(kind, case, work, due_at)
    assert kept.values == {"outcome": "linked", "unsafe": False, "officer_asked": True}
    assert dict(kept.areas) == {"district": "district-1", "street": "street-1"}
    assert record.fields == ("follow_up", "needs")
    assert "夜间门诊" not in repr(kept) + repr(record)
