"""What a step may ask for: time, told anew, other files, its own unit, nothing open; and tables of rows."""

from datetime import timedelta

import pytest
from tests.cases.walking import BEGIN, areas_of, at_state, someone

from anlan.cases import (
    OPEN,
    Action,
    Catalogue,
    Light,
    Linked,
    Phase,
    advance,
    applied,
    carried,
    facts_of,
    firings,
    lint_type,
    next_steps,
    open_case,
    read_clocks,
    read_type,
    replay,
    shipped_types,
)
from anlan.cases.library import shipped_text
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, Conflict, NotAllowed


def opened(type_id, **filled):
    kind = shipped_types().get(type_id)
    by = someone("opener", min(kind.opened_by))
    return kind, open_case(kind, ("c-1", areas_of(kind)), Action(transition=OPEN, filled=filled), by, BEGIN)


def files(**kinds):
    return {name: digit * 64 for name, digit in kinds.items()}


def test_what_a_step_fills_cannot_be_slipped_in_at_the_opening():
    with pytest.raises(BadInput, match="field 'consent_first' must be one that this step fills"):
        opened("mediation", kind="rent", consent_first=True)
    with pytest.raises(BadInput, match="field 'satisfied'"):
        opened("resident_request", kind="road", source="web", what="hole", satisfied="yes")


def test_a_new_mediator_needs_the_consent_of_both_anew():
    kind, case = at_state("mediation", "talks")
    at = case.history[-1].at
    for name, role in (("refuse_mediator", "registrar"), ("propose", "registrar")):
        case = applied(case, advance(kind, case, Action(transition=name), someone("r", role), at=at))
    begin = Action(transition="begin", evidence=files(consent_first="1", consent_second="2", no_stake="3"))
    with pytest.raises(BadInput, match="field consent_first, consent_second, chosen_by_both must be filled in"):
        advance(kind, case, begin, someone("m2", "mediator"), at=at)


def test_one_picture_is_not_before_and_after():
    kind, case = at_state("resident_request", "in_work")
    at = case.history[-1].at
    same = Action(transition="fix", filled={"answer": "done"}, evidence=files(photo_before="a", photo_after="a"))
    with pytest.raises(BadInput, match="evidence photo_after of fix must be another file than photo_before"):
        advance(kind, case, same, someone("h", "handler"), at=at)


def test_a_picture_of_before_is_not_handed_in_later_as_after():
    kind, case = at_state("hazard", "in_repair")
    before = next(one.evidence["photo_before"] for one in case.history if one.evidence)
    again = Action(transition="repair", evidence={"photo_after": before})
    with pytest.raises(BadInput, match="must be another file than photo_before"):
        advance(kind, case, again, someone("w", "works"), at=case.history[-1].at)


def test_a_dispute_comes_within_thirty_days_and_is_not_answered_a_level_below():
    kind, case = at_state("resident_request", "fixed")
    dispute, reporter = Action(transition="dispute", note="dark still"), someone("r", "reporter")
    ended_at = case.history[-1].at
    assert advance(kind, case, dispute, reporter, at=ended_at + timedelta(days=30)).owner_level == "street"
    with pytest.raises(Conflict, match="must be there at most 30 days"):
        advance(kind, case, dispute, reporter, at=ended_at + timedelta(days=30, seconds=1))
    case = applied(case, advance(kind, case, dispute, reporter, at=ended_at))
    decline = Action(transition="decline", filled={"answer": "no", "reason": "law"}, evidence=files(photo_before="b"))
    with pytest.raises(NotAllowed, match="at street level or above"):
        advance(kind, case, decline, someone("g", "grid_lead", area="grid-1"), at=ended_at)
    assert advance(kind, case, decline, someone("s", "street_lead", area="street-1"), at=ended_at).target == "cannot"


def test_whoever_answered_does_not_answer_the_dispute():
    kind, case = at_state("resident_request", "reopened")
    again = Action(transition="fix", filled={"answer": "done"}, evidence=files(photo_before="a", photo_after="b"))
    with pytest.raises(NotAllowed, match="must not be done by whoever did fix"):
        advance(kind, case, again, someone("post-9", "handler"), at=case.history[-1].at)


def test_a_place_is_watched_ninety_days_before_it_ends():
    kind, case = at_state("place_improvement", "watched")
    finish, analyst = Action(transition="finish", filled={"n_after": 1}), someone("a", "analyst")
    due_at = case.history[-1].at + timedelta(days=90)
    with pytest.raises(Conflict, match="must be there at least 90 days"):
        advance(kind, case, finish, analyst, at=due_at - timedelta(seconds=1))
    assert advance(kind, case, finish, analyst, at=due_at).target == "closed"


def test_a_task_is_done_by_the_unit_that_holds_it_and_by_no_other():
    kind, case = at_state("programme_task", "in_work")
    report = Action(transition="report", filled={"share_done": 10, "progress": "begun"})
    with pytest.raises(NotAllowed, match="unit west must be street-east, as responsible_unit says"):
        advance(kind, case, report, someone("a", "responsible", unit="west"), at=case.history[-1].at)
    mine = someone("a", "responsible", unit="street-east")
    assert {one.transition_id for one in next_steps(kind, case, mine, BEGIN)} >= {"report", "submit"}
    assert next_steps(kind, case, someone("a", "responsible", unit="west"), BEGIN) == ()


def test_a_place_with_an_open_finding_is_not_certified():
    kind, case = at_state("certification", "certified")
    case = type(case)(
        case_id="c", type_id=case.type_id, version=1, areas=case.areas, history=case.history[:-1], values=case.values
    )
    certify = Action(transition="certify", filled={"valid_until": "2028-04-02", "certificate_no": "1"})
    by = someone("c", "certifier", unit="office")
    serious = Linked(case_id="f-9", type_id="finding", state="in_work", closed=False)
    with pytest.raises(Conflict, match="finding f-9 in 'in_work' must be closed before certify"):
        advance(kind, case, certify, by, at=case.history[-1].at, linked=[serious])
    assert advance(kind, case, certify, by, at=case.history[-1].at).target == "certified"


def test_nothing_waits_for_what_was_said_in_a_closed_circle():
    text = shipped_text("decision").replace('type = "decision_assessment"', 'type = "mediation"')
    text = text.replace('states = ["published", "review_due", "reviewed"]', 'states = ["performed"]')
    both = (read_type(text), shipped_types().get("mediation"))
    with pytest.raises(BadInput, match="must not rest on a type of a closed circle"):
        Catalogue(both)


def test_no_step_looks_at_whether_a_case_of_a_closed_circle_is_open():
    text = shipped_text("certification").replace('clear_of = ["finding"]', 'clear_of = ["mediation"]')
    with pytest.raises(BadInput, match="must not rest on a type of a closed circle"):
        Catalogue((read_type(text), shipped_types().get("mediation")))


def test_a_case_lies_no_finer_than_its_type_says():
    deep = {"district": "d", "street": "s", "grid": "g", "committee": "c"}
    assert shipped_types().get("programme").lies_in(deep) == {"district": "d"}
    assert shipped_types().get("programme_task").lies_in(deep) == {"district": "d", "street": "s"}
    assert shipped_types().get("certification").lies_in(deep) == deep
    assert shipped_types().get("programme_task").lies_in({"district": "d"}) == {"district": "d"}


def test_every_wrong_row_of_a_table_is_told():
    kind, case = at_state("planned_event", "announced")
    zones = [
        {"zone": "A", "ground": "place:x", "capacity": 100, "area_m2": 50, "most_per_m2": 9},
        {"zone": "B", "ground": "place:x", "capacity": 0.5, "area_m2": 50, "most_per_m2": 2},
        {"zone": "C", "ground": "place:x", "capacity": 10, "area_m2": 50, "most_per_m2": 2},
        {"zone": "C", "ground": "place:x", "capacity": 10, "area_m2": 50, "most_per_m2": 2, "colour": "red"},
        {"zone": "C", "ground": "place:x", "capacity": 11, "area_m2": 50, "most_per_m2": 2},
    ]
    plan = Action(transition="plan", filled={"zones": zones})
    with pytest.raises(BadInput) as refused:
        advance(kind, case, plan, someone("p", "planner"), at=case.history[-1].at)
    said = str(refused.value)
    assert "(4 faults in 5 rows)" in said
    assert "row 1: most_per_m2=9 must be from 0.1 to 6.5" in said
    assert "row 2: capacity=0.5 must be a whole number" in said
    assert "row 4: column 'colour'" in said
    assert "C must stand in one row only" in said


def test_a_heading_that_does_not_apply_has_a_reason():
    kind, case = at_state("planned_event", "planning")
    rows = [dict(row) for row in case.values["headings"]]
    rows[0] = {"heading": rows[0]["heading"], "applies": False}
    with pytest.raises(BadInput, match="what applies is answered, and what does not has a reason"):
        kind.fields["headings"].check(rows)


def test_a_plan_with_a_heading_short_is_not_submitted():
    kind, case = at_state("planned_event", "submitted")
    rows = case.values["headings"]
    guard = kind.transitions["submit"].guard
    for short in (rows, rows[1:]):
        values = {**case.values, "headings": short}
        assert guard.holds(facts_of(kind, values, ["application", "venue_consent"], {})) is (short is rows)


def test_next_year_begins_with_the_plan_of_this_year():
    kind = shipped_types().get("planned_event")
    last = replay(kind)[-1].case
    again = carried(kind, last)
    assert len(again["headings"]) == 30
    assert not {"n_peak", "lessons", "begins_at", "authority"} & set(again)
    fresh = {"begins_at": "2027-10-01T19:00:00+08:00", "ends_at": "2027-10-01T22:00:00+08:00"}
    action = Action(transition=OPEN, filled={**again, **fresh})
    case = open_case(kind, ("c-2", areas_of(kind)), action, someone("p", "planner"), BEGIN)
    assert case.values["triggers"] == last.values["triggers"]
    assert case.state == "announced"


def task(work, **dates):
    kind, case = opened("programme_task", title="t", item_no="1", measure="m", responsible_unit="u", **dates)
    return kind, case, lambda at: {one.clock_id: one for one in read_clocks(kind, case, work, parse_moment(at))}


def test_a_task_is_red_from_the_end_of_its_day_and_nobody_can_set_it(work):
    _, _, told = task(work, finish_by="2026-03-31")
    assert told("2026-03-31T23:59:59+08:00")["finish"].light is Light.YELLOW
    late = told("2026-04-01T00:00:00+08:00")["finish"]
    assert (late.light, late.kept) == (Light.RED, False)
    assert late.due_at.astimezone(work.zone).date().isoformat() == "2026-03-31"
    assert told("2026-03-31T00:00:00+08:00")["first"].phase is Phase.NOT_STARTED


def test_a_milestone_that_is_reached_stays_reached(work):
    kind, case, _ = task(work, finish_by="2026-06-30", first_by="2026-03-31")
    mine = someone("a", "responsible", unit="u")

    def go(case, name, at, **how):
        return applied(case, advance(kind, case, Action(transition=name, **how), mine, at=parse_moment(at)))

    case = go(case, "accept", "2026-02-11T09:00:00+08:00", filled={"lead_office": "desk"})
    case = go(case, "reach_first", "2026-03-30T09:00:00+08:00", evidence=files(proof="a"))
    case = go(case, "report", "2026-04-30T09:00:00+08:00", filled={"share_done": 50, "progress": "half"})
    first = read_clocks(kind, case, work, parse_moment("2026-05-30T09:00:00+08:00"))[1]
    assert (first.phase, first.kept) == (Phase.STOPPED, True)
    told = firings(kind, case, work, since_at=case.opened_at, until_at=parse_moment("2026-05-30T09:00:00+08:00"))
    assert [one.share for one in told if one.clock_id == "first"] == [0.8]


def test_a_date_moved_to_before_now_is_over_at_once_and_a_later_one_is_told_again(work):
    kind, case, _ = task(work, finish_by="2026-06-30")
    at = parse_moment("2026-04-10T09:00:00+08:00")
    accept = Action(transition="accept", filled={"lead_office": "desk"})
    case = applied(case, advance(kind, case, accept, someone("a", "responsible", unit="u"), at=at))
    earlier = Action(transition="reschedule", filled={"finish_by": "2026-04-01"}, note="sooner")
    case = applied(case, advance(kind, case, earlier, someone("s", "supervisor", unit="x"), at=at))
    told = firings(kind, case, work, since_at=case.opened_at, until_at=at)
    assert {(one.share, one.at) for one in told if one.clock_id == "finish"} == {(0.9, at), (1.0, at), (1.1, at)}


def test_the_promise_is_kept_as_it_was_first_told(work):
    kind, case = at_state("resident_request", "fixed")
    promise = read_clocks(kind, case, work, case.history[-1].at)[1]
    assert promise.first_due_at == parse_moment("2026-03-05T10:00:00+08:00")
    assert promise.kept is True


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('until = "finish_by"', 'until = "title"', "until=title must be a date or a moment"),
        ('limit = "5 working days"', 'until = "finish_by"\nlimit = "5 days"', "must be one of the two"),
        ('until = "first_by"\noptional = true', 'until = "first_by"', "until=first_by must be known at the opening"),
        ('stopped_by = ["reach_first"]', 'stopped_by = ["reach"]', "'reach' is no step"),
        ('anew = ["outcome"]', 'anew = ["title"]', "'title' is no field that the step fills"),
        ('roles = ["checker"]\nnote', 'roles = ["checker"]\nwaits = "3 working days"\nnote', "must be calendar time"),
        ('states = ["assigned", "in_work"]', 'states = ["late"]', "'late' is no state"),
        ('opened_by = ["planner"]', 'opened_by = ["planner"]\ncarried = ["outcome"]', "told at the opening"),
        ("[transitions.cancel]", "[transitions.migrate]", "is a name of the engine's own"),
    ],
)
def test_a_clock_or_step_that_cannot_be_is_refused(old, new, said):
    text = shipped_text("programme_task")
    assert old in text
    assert said in " ".join(str(one) for one in lint_type(text.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("covers(parts, part)", "covers(parts, answer)", "asks for the choices of parts.answer, which there are not"),
        ("covers(parts, part)", "covers(venue, part)", "asks for the table 'venue', which there is not"),
        ("rows(zones) >= 1", "rows(zones)", "must be true or false there"),
        ("rows(zones) >= 1", "some(zones, height > 2)", "asks for the field 'height', which there is not in zones"),
        ("rows(zones) >= 1", "zones == 1", "must not compare a table"),
        ("applies and given(answer)", "applies and given(venue)", "asks given(venue), which there is not"),
        ('unique = ["heading"]', 'unique = ["headline"]', "is no column of this table"),
        ('n_staff = { kind = "integer"', 'staff_phone = { kind = "integer"', "in which an identity would fit"),
    ],
)
def test_a_table_that_cannot_be_asked_is_refused(old, new, said):
    text = shipped_text("planned_event")
    assert old in text
    assert said in " ".join(str(one) for one in lint_type(text.replace(old, new, 1)))
