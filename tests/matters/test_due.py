import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.matters.conftest import AT, Kept, tall_pack
from tests.matters.test_keeping import HOME, opened, play

from anlan.cases import Action
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import Conflict
from anlan.matters import Asked, NewCase, forget_due, list_cases, tell_due, told_to
from anlan.store import casebook
from anlan.store.caselists import Query

SHANGHAI = ZoneInfo("Asia/Shanghai")


def hazard(kept):
    patrol = kept.who("patrol", "grid_worker")
    filled = {"kind": "barrier", "source": "patrol"}
    return kept.matters.open(NewCase(type_id="hazard", area_id=HOME, filled=filled), patrol).case_id


def told(kept):
    rows = told_to(kept.matters, kept.who("commander", "commander"), datetime(2020, 1, 1, tzinfo=SHANGHAI))
    return [(casebook.moment(one["at"]) - AT, one["share"], one["area_id"], one["letter"]) for one in reversed(rows)]


WHOLE = [
    (timedelta(hours=1), 0.5, "d-w-s", 0),
    (timedelta(hours=2), 1.0, "d-w", 0),
    (timedelta(hours=4), 2.0, "d", 1),
]


def test_clocks_warn_the_owner_then_the_area_above_then_the_top(kept):
    hazard(kept)
    kept.wait(hours=5)
    assert tell_due(kept.matters, kept.clock.now()) == 3
    assert told(kept) == WHOLE
    assert [one.action for one in kept.store.changes(kind="case")] == ["open", "warn", "breach", "climb"]
    assert tell_due(kept.matters, kept.clock.now()) == 0


def test_what_was_due_while_nothing_ran_is_told_at_its_moment_once(kept):
    hazard(kept)
    kept.wait(minutes=61)
    assert tell_due(kept.matters, kept.clock.now()) == 1
    kept.again()
    kept.wait(hours=9)
    assert tell_due(kept.matters, kept.clock.now()) == 2
    kept.again()
    assert tell_due(kept.matters, kept.clock.now()) == 0
    assert told(kept) == WHOLE


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(waits=st.lists(st.integers(1, 200), max_size=6), restarts=st.integers(0, 63))
def test_asked_often_or_once_the_same_is_told(tmp_path_factory, waits, restarts):
    folder = tmp_path_factory.mktemp("often")
    made = Kept(folder, f"sqlite:///{folder}/records.db")
    hazard(made)
    for k, minutes in enumerate(waits):
        made.wait(minutes=minutes)
        tell_due(made.matters, made.clock.now())
        if restarts >> k & 1:
            made.again()
    made.clock.set(max(AT + timedelta(hours=5), made.clock.now()))
    tell_due(made.matters, made.clock.now())
    assert told(made) == WHOLE
    made.store.close()


def test_a_step_in_time_silences_what_would_have_come(kept):
    case_id = hazard(kept)
    kept.wait(minutes=90)
    patrol = kept.who("patrol", "grid_worker")
    evidence = {"photo_before": kept.photo(patrol, "x")}
    step = Action(transition="secure", filled={"danger": "soon", "measure": "fenced"}, evidence=evidence)
    kept.matters.act(case_id, step, patrol)
    kept.wait(days=30)
    tell_due(kept.matters, kept.clock.now())
    assert told(kept) == WHOLE[:1]


@pytest.mark.parametrize(("minutes", "light"), [(0, "green"), (59, "green"), (60, "yellow"), (120, "red")])
def test_a_light_is_a_matter_of_time_and_needs_no_tick(lite, minutes, light):
    hazard(lite)
    lite.wait(minutes=minutes)
    anybody = lite.who("commander", "commander")
    for asked in ("green", "yellow", "red"):
        query = Query(light=asked)
        found = list_cases(lite.matters, Asked(query=query), anybody).cases
        assert [one.light for one in found] == ([light] if asked == light else [])


def test_working_time_rests_over_the_feast_and_runs_on_the_make_up_day(lite):
    lite.clock.set(parse_moment("2026-02-14T16:00:00+08:00"))  # a Saturday that is worked
    case_id = opened(lite)
    anybody = lite.who("commander", "commander")
    owned = next(one for one in lite.matters.read(case_id, anybody).clocks if one.clock_id == "owned")
    assert owned.due_at == parse_moment("2026-02-24T16:00:00+08:00")
    tell_due(lite.matters, parse_moment("2026-02-24T16:00:01+08:00"))
    breach = [one for one in lite.store.changes(kind="case") if one.action == "breach"]
    assert [one.body["clock"] for one in breach] == ["owned"]


def test_another_calendar_moves_what_is_due(lite):
    lite.clock.set(parse_moment("2026-02-14T16:00:00+08:00"))
    case_id = opened(lite)
    calendar = type(lite.pack.calendar)(confirmed_years=frozenset({2026}))  # no feast, and no make-up day
    lite.store.close()
    lite.pack = tall_pack().__class__(**{**vars(tall_pack()), "calendar": calendar})
    lite.open()
    page = list_cases(lite.matters, Asked(order="due"), lite.who("commander", "commander"))
    assert page.cases[0].case.case_id == case_id
    assert casebook.moment(page.cases[0].row["due_at"]) == parse_moment("2026-02-16T17:00:00+08:00")


def needles(kept):
    """Tell which texts of a mediation are left anywhere in the folder, or in the files of the database."""
    sought = [text.encode() for text in ("楼上漏水", "NEEDLE", "安静时段")]
    files = [path for path in Path(kept.folder).rglob("*") if path.is_file()]
    if not kept.url.startswith("sqlite"):
        address = kept.url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            folder = connection.execute("SHOW data_directory").fetchone()[0]
        files += [path for path in (Path(folder) / "base").rglob("*") if path.is_file()]
    return {text for text in sought for path in files if text in path.read_bytes()}


def test_what_is_over_long_enough_leaves_no_trace(kept):
    registrar = kept.holding("r", "cases.mediation.registrar")
    kept.who("mediator", "mediator")
    case_id = kept.matters.open(
        NewCase(type_id="mediation", area_id="d-w-s-w", filled={"kind": "family"}, note="NEEDLE 楼上漏水"), registrar
    ).case_id
    kept.wait(hours=1)
    evidence = {"no_stake": kept.photo(registrar, "file")}
    step = Action(transition="withdraw", note="安静时段 NEEDLE", evidence=evidence)
    kept.matters.act(case_id, step, registrar)
    (stored,) = [path for path in (kept.folder / "files").rglob("*") if path.is_file()]
    assert needles(kept)
    kept.wait(days=30, seconds=-1)
    assert forget_due(kept.matters, kept.clock.now()) == 0
    kept.wait(seconds=1)
    assert forget_due(kept.matters, kept.clock.now()) == 1
    assert needles(kept) == set()
    assert not stored.exists()
    assert list_cases(kept.matters, Asked(sought="NEEDLE"), registrar).cases == ()
    with kept.store.reading() as connection:
        kind, case, row = kept.matters.load(connection, case_id)
        (record,) = casebook.destructions(connection, 10)
        left = {
            table.name
            for table in casebook.schema.tables.values()
            if "case_no" in table.c
            and connection.execute(sa.select(table).where(table.c.case_no == row["case_no"])).first()
        }
    assert left == {
        "matter",
        "matter_step",
        "matter_entry",
    }  # not by what it is found, nor files, nor whom it waits for
    assert (case.values, row["area_id"], row["forgotten"]) == ({"kind": "family"}, "d-w", 1)
    assert {one.actor_id for one in case.history} == {""}
    assert re.search(r'"n_notes":2', record["body"])
    assert kind.retention.basis["en"] in record["body"]
    assert kept.store.verify().ok
    assert forget_due(kept.matters, kept.clock.now()) == 0


def test_a_forgotten_case_takes_no_step_and_tells_no_clock(lite):
    case_id, _ = play(lite, "resident_request")
    lite.wait(days=366)
    assert forget_due(lite.matters, lite.clock.now()) == 1
    hotline = lite.who("h", "hotline")
    with pytest.raises(Conflict, match="has been forgotten"):
        lite.matters.act(case_id, Action(transition="rate", filled={"satisfied": "no"}), hotline)
    assert tell_due(lite.matters, lite.clock.now() + timedelta(days=900)) == 0
    assert lite.matters.read(case_id, lite.who("a", "analyst")).steps == ()


def test_a_file_that_two_cases_have_stays_for_the_other(lite):
    hotline = lite.who("h", "intake_desk", "hotline")
    told_of = {"kind": "light", "source": "hotline", "what": "x"}
    made = []
    for _ in range(2):
        evidence = {"photo_before": lite.photo(hotline, "same")}
        new = NewCase(type_id="resident_request", area_id=HOME, filled=told_of, evidence=evidence)
        made.append(lite.matters.open(new, hotline).case_id)
    lite.matters.act(made[0], Action(transition="merge", filled={"duplicate_of": made[1]}), hotline)
    lite.wait(days=366)
    assert forget_due(lite.matters, lite.clock.now()) == 1
    assert len([path for path in (lite.folder / "files").rglob("*") if path.is_file()]) == 1
    seen = lite.matters.read(made[1], hotline)
    assert lite.matters.room.read(seen.history[0].evidence["photo_before"], seen.row["case_no"])[1] == "image/png"
