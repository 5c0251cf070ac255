import csv
import io
from dataclasses import replace

import pytest
from tests.matters.test_keeping import opened

from anlan.cases import Action
from anlan.cases.library import shipped_text
from anlan.kernel.errors import BadInput, NotAllowed, NotFound
from anlan.matters import Asked, NewCase, Sheet, import_sheet, kinds, list_cases, migrate_cases
from anlan.store.caselists import Query

HEADS = ("任务编号", "任务名称", "完成标准", "责任单位", "完成期限", "区域")


def tasks(rows):
    written = io.StringIO()
    csv.writer(written).writerows([HEADS, *rows])
    return Sheet(type_id="programme_task", content=written.getvalue().encode(), file="tasks.csv")


def row(k, **wrong):
    told = {"no": f"A-{k}", "name": f"任务 {k}", "measure": "在线", "unit": "o", "by": "2026-09-30", "area": "d-w"}
    return list((told | wrong).values())


def programme(kept, planner):
    filled = {"title": "t", "year": 2026, "goal": "g", "lead_unit": "l", "finish_by": "2026-12-20"}
    return kept.matters.open(NewCase(type_id="programme", area_id="d", filled=filled), planner).case_id


def test_a_sheet_becomes_parts_that_are_found_routed_and_in_the_log(kept):
    planner = kept.who("p", "planner")
    whole = programme(kept, planner)
    sheet = replace(tasks([row(k) for k in range(30)]), parent_id=whole)
    assert import_sheet(kept.matters, sheet, planner, dry_run=True).n_cases == 30
    assert list_cases(kept.matters, Asked(query=Query(type_ids=("programme_task",))), planner).cases == ()
    made = import_sheet(kept.matters, sheet, planner, dry_run=False)
    listed = list_cases(kept.matters, Asked(parent_id=whole, limit=200), planner).cases
    assert {one.case.case_id for one in listed} == set(made.case_ids)
    assert {one.row["area_id"] for one in listed} == {"d-w"}
    found = list_cases(kept.matters, Asked(sought="A-17"), planner).cases
    assert [one.fields["item_no"] for one in found] == ["A-17"]
    assert [one.action for one in kept.store.changes(kind="case")] == ["open"] * 31
    assert kept.store.verify().ok


def test_of_a_sheet_with_wrong_rows_all_are_told_and_nothing_is_opened(kept):
    planner = kept.who("p", "planner")
    wrong = {k: {"by": "2026-02-30"} if k % 2 else {"area": "nowhere"} for k in range(0, 1000, 27)}
    sheet = tasks([row(k, **wrong.get(k, {})) for k in range(1000)])
    made = import_sheet(kept.matters, sheet, planner, dry_run=False)
    assert [one.row for one in made.faults] == [k + 2 for k in wrong]
    assert (len(wrong), made.n_cases, made.case_ids) == (38, 962, ())
    assert kept.store.changes() == []


def test_a_row_where_one_may_open_nothing_is_a_fault_of_its_own(lite):
    west = lite.who("p", "planner", area="d-w")
    made = import_sheet(lite.matters, tasks([row(1), row(2, area="d-e")]), west, dry_run=False)
    assert [(one.row, one.value) for one in made.faults] == [(3, "right cases.act here")]
    assert made.case_ids == ()


def test_parts_go_into_an_open_whole_that_may_have_them(lite):
    planner = lite.who("p", "planner", "intake_desk")
    for parent_id, fault in ((opened(lite), BadInput), ("nothing", NotFound)):
        with pytest.raises(fault):
            import_sheet(lite.matters, replace(tasks([row(1)]), parent_id=parent_id), planner, dry_run=True)


def newer(kept, monkeypatch, *changes):
    """Let another version of the resident's request come into force."""
    text = shipped_text("resident_request").replace("version = 2", "version = 3")
    for one, other in changes:
        assert one in text
        text = text.replace(one, other)
    real = kinds.shipped_text
    monkeypatch.setattr(kinds, "shipped_text", lambda name: text if name == "resident_request" else real(name))
    kept.again()


def test_running_cases_go_over_to_a_newer_version_and_ended_ones_stay(kept, monkeypatch):
    desk = kept.who("desk", "intake_desk")
    first, second = opened(kept), opened(kept)
    merge = Action(transition="merge", filled={"duplicate_of": first})
    kept.matters.act(second, merge, desk)
    newer(kept, monkeypatch)
    kept.wait(minutes=1)
    assert migrate_cases(kept.matters, "resident_request", 3, desk, dry_run=True).n_cases == 1
    assert migrate_cases(kept.matters, "resident_request", 3, desk, dry_run=False).n_moved == 1
    assert kept.matters.read(first, desk).kind.version == 3
    assert kept.matters.read(second, desk).kind.version == 2
    kept.again()
    kept.matters.act(first, Action(transition="assign", seen=2), desk)
    assert [one.transition for one in kept.matters.read(first, desk).history] == ["open", "migrate", "assign"]
    assert migrate_cases(kept.matters, "resident_request", 3, desk, dry_run=False).n_cases == 0
    assert kept.store.verify().ok


def test_where_one_case_does_not_fit_none_is_moved(kept, monkeypatch):
    desk = kept.who("desk", "intake_desk")
    stays, fits = opened(kept), opened(kept)
    kept.matters.act(stays, Action(transition="assign"), desk)
    newer(kept, monkeypatch, ("[transitions.assign]", "[transitions.give_out]"), ('do = "assign"', 'do = "give_out"'))
    told = migrate_cases(kept.matters, "resident_request", 3, desk, dry_run=False)
    assert [(one.case_id, one.misfits[0].value) for one in told.misfits] == [(stays, "step 'assign'")]
    assert (told.n_cases, told.n_moved) == (2, 0)
    assert {kept.matters.read(one, desk).kind.version for one in (stays, fits)} == {2}


def test_only_who_holds_a_role_everywhere_moves_cases_or_learns_what_does_not_fit(lite, monkeypatch):
    newer(lite, monkeypatch)
    for who in (lite.who("s", "intake_desk", area="d-w"), lite.who("a", "analyst"), lite.reading("r")):
        with pytest.raises(NotAllowed, match="must be held in the whole district"):
            migrate_cases(lite.matters, "resident_request", 3, who, dry_run=True)
    with pytest.raises(NotAllowed):
        migrate_cases(lite.matters, "mediation", 1, lite.who("c", "commander"), dry_run=True)
    with pytest.raises(NotFound):
        migrate_cases(lite.matters, "resident_request", 9, lite.who("d", "intake_desk"), dry_run=True)


def test_a_task_waits_for_the_office_that_it_names_and_for_no_other(kept):
    planner = kept.who("p", "planner")
    offices = ["office_1", "office%1", "办公室"]
    sheet = replace(tasks([row(k, unit=offices[k % 3]) for k in range(9)]), parent_id=programme(kept, planner))
    made = import_sheet(kept.matters, sheet, planner, dry_run=False)
    for k, office in enumerate(offices):
        one = kept.who(f"w{k}", "responsible_unit", office=office)
        waiting = {each.case.case_id for each in list_cases(kept.matters, Asked(mine=True), one).cases}
        assert waiting == set(made.case_ids[k::3])
    assert list_cases(kept.matters, Asked(mine=True), kept.who("w", "responsible_unit", office="x")).cases == ()
