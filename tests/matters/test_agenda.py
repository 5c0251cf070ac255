from datetime import date, timedelta

import pytest
from tests.matters.conftest import ground_point
from tests.matters.test_keeping import HOME, opened

from anlan.cases import Action, shipped_types
from anlan.kernel.errors import BadInput
from anlan.matters import Asked, NewCase, agenda, list_cases
from anlan.matters.agenda import date_fields
from anlan.store.caselists import Query

CLASS = {"topic": "crowd", "form": "class", "audience": "merchants"}


def held(kept, who, on):
    new = NewCase(type_id="public_class", area_id="d-w-s-w", filled=CLASS | {"held_on": on})
    return kept.matters.open(new, who).case_id


def test_a_day_tells_how_many_are_due_on_it_and_names_the_first(kept):
    desk = kept.who("desk", "intake_desk", "grid_worker")
    many = [opened(kept) for _ in range(7)]
    due_on = list_cases(kept.matters, Asked(order="due"), desk).cases[0].row["due_at"]
    made = agenda(kept.matters, Asked(), desk, (date(2026, 2, 9), date(2026, 2, 15)))
    by_day = {day.on: day for day in made.days}
    assert sum(sum(day.n_due.values()) for day in made.days) == len(many)
    (on,) = [day.on for day in made.days if day.n_due]
    assert len(by_day[on].due) == 5
    assert {one.row["due_at"] for one in by_day[on].due} == {due_on}
    assert agenda(kept.matters, Asked(area_id="d-e"), desk, (on, on)).days[0].n_due == {}


def test_make_up_days_are_worked_and_holidays_are_not(lite):
    desk = lite.who("desk", "intake_desk")
    days = agenda(lite.matters, Asked(), desk, (date(2026, 2, 13), date(2026, 2, 16))).days
    assert [(day.on.day, day.working, (day.name or {}).get("en")) for day in days] == [
        (13, True, None), (14, True, "make-up day"), (15, False, "Spring Festival"), (16, False, "Spring Festival"),
    ]  # fmt: skip
    assert not agenda(lite.matters, Asked(), desk, (date(2027, 1, 1), date(2027, 1, 1))).days[0].confirmed


def test_what_is_held_stands_on_its_day_until_it_is_moved_or_over(kept):
    who = kept.who("organiser", "organiser")
    case_id, other = held(kept, who, "2026-03-20"), held(kept, who, "2026-04-02")
    month = (date(2026, 3, 1), date(2026, 3, 31))
    made = agenda(kept.matters, Asked(), who, month)
    assert [(one.seen.case.case_id, one.field.field_id, one.on.day) for one in made.dated] == [(case_id, "held_on", 20)]
    assert made.whole
    move = Action(transition="move", filled={"held_on": "2026-03-05"}, note="the hall")
    kept.matters.act(other, move, who)
    assert [one.on.day for one in agenda(kept.matters, Asked(), who, month).dated] == [5, 20]
    kept.matters.act(other, Action(transition="cancel", note="ill"), who)
    kept.wait(days=40)
    later = agenda(kept.matters, Asked(), who, (date(2026, 4, 1), date(2026, 4, 30)))
    assert later.dated == ()
    assert agenda(kept.matters, Asked(), kept.who("other", "organiser", area="d-e"), month).dated == ()


def test_only_public_dates_of_types_that_are_not_narrow_are_told():
    told = {kind.type_id: [one.field_id for one in date_fields(kind)] for kind in shipped_types()}
    assert told["planned_event"] == ["begins_at", "ends_at"]
    assert told["public_class"] == ["held_on"]
    assert told["mediation"] == told["co_response"] == []


@pytest.mark.parametrize(
    ("days", "sought"), [((1, 0), ""), ((0, 62), ""), ((0, 6), "lamp")], ids=["backwards", "too long", "words"]
)
def test_a_calendar_refuses_what_it_cannot_answer(lite, days, sought):
    first, last = (date(2026, 2, 1) + timedelta(days=k) for k in days)
    with pytest.raises(BadInput):
        agenda(lite.matters, Asked(sought=sought), lite.who("desk", "intake_desk"), (first, last))


@pytest.mark.parametrize("on", [date.min, date.max])
def test_a_calendar_ends_where_time_does(lite, on):
    with pytest.raises(BadInput, match="must lie within 1970 to 2200"):
        agenda(lite.matters, Asked(), lite.who("desk", "intake_desk"), (on, on))


def test_what_lies_around_a_point_is_found_and_what_has_no_point_is_not(kept):
    desk = kept.who("desk", "intake_desk")
    lon, lat = ground_point(HOME)
    filled = {"kind": "light", "source": "hotline", "what": "dark"}
    near = kept.matters.open(NewCase(type_id="resident_request", lon=lon, lat=lat, filled=filled), desk).case_id
    opened(kept)
    box = (lon - 1e-4, lat - 1e-4, lon + 1e-4, lat + 1e-4)
    found = list_cases(kept.matters, Asked(query=Query(box=box)), desk).cases
    assert [one.case.case_id for one in found] == [near]
    away = (lon + 1e-4, lat, lon + 2e-4, lat + 1e-4)
    assert list_cases(kept.matters, Asked(query=Query(box=away)), desk).cases == ()
