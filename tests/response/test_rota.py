import dataclasses
import io
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import icalendar
import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlan.kernel.errors import BadInput, NotFound
from anlan.response.posting import Stop
from anlan.response.rota import (
    Duty,
    Member,
    Replanned,
    Rota,
    RotaProblem,
    Rules,
    Shift,
    check_rota,
    loads_of,
    plan_rota,
    read_rota_problem,
    read_served,
    replan_rota,
    write_served,
)
from anlan.response.rota.conflict import Verdict, under, verdict
from anlan.response.rota.exporting import to_icalendar, to_xlsx
from anlan.response.rota.part import parts_of
from anlan.response.rota.problem import covers_of

MONDAY = date(2026, 12, 7)
EARLY = Shift(shift_id="early", label={"en": "early", "zh": "早班"}, begin_h=6, length_h=8)
LATE = Shift(shift_id="late", label={"en": "late", "zh": "中班"}, begin_h=14, length_h=8)
NIGHT = Shift(shift_id="night", label={"en": "night", "zh": "夜班"}, begin_h=22, length_h=8)
FULL = Shift(shift_id="full", label={"en": "24 h", "zh": "全天"}, begin_h=8, length_h=24, rest_after_h=48)
THREE = ("early", "late", "night")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def days(first, n):
    return frozenset(MONDAY + timedelta(days=first + k) for k in range(n))


def patrol(n=2, **more):
    return Duty(duty_id="bund", label={"en": "Bund", "zh": "外滩"}, shifts=THREE, least_by_hour=(n,) * 24, **more)


def problem(n_members=12, n_days=14, *, duty=None, leave=None, skills=None, **more):
    staff = tuple(
        Member(
            member_id=f"m{k}",
            leave=(leave or {}).get(k, frozenset()),
            skills=frozenset((skills or {}).get(k, ())),
        )
        for k in range(n_members)
    )
    return RotaProblem(
        begin_on=MONDAY,
        n_days=n_days,
        shifts=(EARLY, LATE, NIGHT, FULL),
        duties=(duty or patrol(),),
        members=staff,
        **more,
    )


@pytest.fixture(scope="module")
def planned():
    asked = problem(
        leave={3: days(2, 4)}, duty=patrol(needs={"sergeant": 1}), skills=dict.fromkeys(range(5), ("sergeant",))
    )
    return asked, plan_rota(asked, stop=Stop(seconds=300, gap=0.005))


def test_a_rota_keeps_every_rule_and_says_how_far_from_the_best_it_may_be(planned):
    asked, rota = planned
    assert rota.breaches == check_rota(asked, rota.served) == ()
    assert rota.duty_h == 14 * 24 * 2
    assert rota.bound_h <= rota.cost_h
    assert rota.gap <= 0.02
    assert not any(who == "m3" and on in days(2, 4) for who, on in rota.served)


def test_nights_and_days_of_rest_are_shared(planned):
    asked, rota = planned
    loads = [one for one in loads_of(asked, rota) if one.member_id != "m3"]
    for name in ("n_nights", "n_rest_days"):
        found = [getattr(one, name) for one in loads]
        assert max(found) - min(found) <= 2
    hours = [one.hours for one in loads if not asked.member_of[one.member_id].skills]  # the skilled must serve more
    assert max(hours) - min(hours) <= 8


def test_a_crew_of_four_is_on_a_vehicle_day_and_night_with_two_days_of_rest_after():
    crew = Duty.vehicle("engine", {"en": "engine"}, shifts=("full",), needs={"driver": 1})
    asked = problem(16, 14, duty=crew, skills=dict.fromkeys(range(0, 16, 2), ("driver",)))
    rota = plan_rota(asked, stop=Stop(seconds=300, gap=0.01))
    assert rota.kept
    begun = {on: [who for who, day in rota.served if day == on] for on in asked.days}
    assert {len(crew) for crew in begun.values()} == {4}
    assert all(any(int(who[1:]) % 2 == 0 for who in crew) for crew in begun.values())
    for one in asked.members:
        own = sorted(on for who, on in rota.served if who == one.member_id)
        assert all((b - a).days >= 3 for a, b in pairwise(own))


def cost_h(asked, served, fair):
    """What a rota costs, from the words of its documentation alone."""
    total, weights = 0.0, asked.weights
    for member, load in zip(
        asked.members, loads_of(asked, Rota(served=served, cost_h=0, bound_h=0, duty_h=0, seconds=0)), strict=True
    ):
        nights, weekends, hours, slack = fair[member.member_id]
        for value, share, price in (
            (load.n_nights, nights, weights.night_h),
            (load.n_rest_days, weekends, weights.weekend_h),
        ):
            total += price * (max(0, value - np.ceil(share)) + max(0, np.floor(share) - value))
        total += weights.share_h * (max(0, load.hours - hours - slack) + max(0, hours - slack - load.hours))
        total += load.hours + weights.overtime_h * max(0.0, load.hours - load.contract_h)
        total += weights.wish_h * sum(on in member.wishes for who, on in served if who == member.member_id)
    return total


@given(st.integers(0, 10_000))
@settings(max_examples=12)
def test_no_rota_is_cheaper_than_the_bound_and_the_best_of_all_is_found(seed):
    draw = np.random.default_rng(seed)
    gate = Duty(duty_id="gate", label={}, shifts=("early", "night"), least_by_hour=(0,) * 22 + (1, 0))
    wishes = [frozenset({MONDAY + timedelta(days=int(draw.integers(4)))}) for _ in range(3)]
    leave = [
        frozenset({MONDAY + timedelta(days=int(draw.integers(4)))}) if draw.random() < 0.5 else frozenset()
        for _ in range(3)
    ]
    staff = tuple(Member(member_id=f"m{k}", wishes=wishes[k], leave=leave[k]) for k in range(3))
    asked = RotaProblem(
        begin_on=MONDAY + timedelta(days=3), n_days=4, shifts=(EARLY, NIGHT), duties=(gate,), members=staff
    )
    staff = tuple(
        dataclasses.replace(
            m,
            leave=frozenset(d + timedelta(days=3) for d in m.leave),
            wishes=frozenset(d + timedelta(days=3) for d in m.wishes),
        )
        for m in staff
    )
    asked = dataclasses.replace(asked, members=staff)
    made = plan_rota(asked, stop=Stop(seconds=300, gap=0.0))
    kept = []
    # Four nights are asked, one a day; each member begins at most one turn a day.
    present = [1 - len(m.leave) / 4 for m in staff]
    weekend_nights = sum(asked.is_rest_day(on) for on in asked.days)
    fair = {
        m.member_id: (4 * p / sum(present), weekend_nights * p / sum(present), 32 * p / sum(present), 4.0)
        for m, p in zip(staff, present, strict=True)
    }
    for nights in product(range(3), repeat=4):
        served = {(f"m{who}", on): ("gate", "night") for who, on in zip(nights, asked.days, strict=True)}
        if not check_rota(asked, served):
            kept.append(cost_h(asked, served, fair))
    if isinstance(made, tuple):
        assert not kept
        return
    assert made.kept
    near = 0.05  # fair hours are rounded to minutes
    assert made.bound_h <= min(kept) + near
    assert made.cost_h == pytest.approx(min(kept), abs=near)
    assert cost_h(asked, made.served, fair) == pytest.approx(made.cost_h, abs=near)


def test_rules_that_clash_are_named_and_none_of_them_can_be_spared():
    asked = problem(
        4,
        7,
        duty=patrol(1, needs={"sergeant": 1}),
        skills={0: ("sergeant",), 1: ("sergeant",), 2: ("sergeant",)},
        leave={0: days(2, 2)},
    )
    (clash,) = plan_rota(asked, stop=Stop(seconds=300))
    assert clash.minimal
    assert {rule.kind for rule in clash.rules} >= {"cover"}
    (part,) = parts_of(asked)
    assert verdict(under(part, clash.rules), seconds=20) is Verdict.IMPOSSIBLE
    for rule in clash.rules:
        assert verdict(under(part, [one for one in clash.rules if one != rule]), seconds=20) is Verdict.POSSIBLE


def test_leave_of_everybody_who_has_a_skill_is_named_with_what_needs_it():
    asked = problem(10, 7, duty=patrol(1, needs={"medic": 1}), skills=dict.fromkeys(range(5), ("medic",)),
                    leave=dict.fromkeys(range(5), days(3, 1)))  # fmt: skip
    (clash,) = plan_rota(asked, stop=Stop(seconds=300))
    assert sorted(rule.kind for rule in clash.rules) == ["cover", *["leave"] * 5]
    told = clash.told
    assert any("with medic on bund, 2026-12-" in one for one in told)
    assert "leave of m0: 2026-12-10" in told


def test_a_duty_that_nobody_may_serve_is_named_alone():
    asked = problem(6, 7, duty=patrol(1))
    alone = Duty.vehicle("engine", {}, shifts=("full",), skill="fire")
    (clash,) = plan_rota(dataclasses.replace(asked, duties=(*asked.duties, alone)), stop=Stop(seconds=300))
    assert (len(clash.rules), clash.n_members, clash.duties, clash.minimal) == (1, 0, ("engine",), True)


def test_who_is_missing_is_replaced_with_as_few_changes_as_can_be(planned):
    asked, rota = planned
    on = MONDAY + timedelta(days=7)
    who = next(member for member, day in rota.served if day == on)
    away = frozenset({on, on + timedelta(days=1)})
    made = replan_rota(asked, rota, {who: away}, from_on=on, stop=Stop(seconds=300, gap=0.01))
    assert isinstance(made, Replanned)
    assert made.rota.kept
    assert made.proved
    assert len(made.gone) <= len(made.changes) <= 6
    assert not any(member == who and day in away for member, day in made.rota.served)
    before = {cell: turn for cell, turn in rota.served.items() if cell[1] < on}
    assert {cell: turn for cell, turn in made.rota.served.items() if cell[1] < on} == before


def test_where_nobody_is_missing_nothing_changes(planned):
    asked, rota = planned
    made = replan_rota(asked, rota, {}, from_on=MONDAY, stop=Stop(seconds=300))
    assert made.rota.served == rota.served
    assert made.changes == ()
    assert made.rota.cost_h == pytest.approx(rota.cost_h)


def test_rest_runs_on_over_the_first_day():
    before = {(f"m{k}", MONDAY - timedelta(days=1)): ("bund", "night") for k in range(2)}
    asked = problem(12, 7, before=before)
    rota = plan_rota(asked, stop=Stop(seconds=300, gap=0.01))
    assert rota.kept
    assert not any(rota.served.get((f"m{k}", MONDAY), ("", ""))[1] in {"early", "late"} for k in range(2))
    early = {(f"m{k}", MONDAY): ("bund", "early") for k in range(2)}
    assert {breach.kind for breach in check_rota(asked, {**rota.served, **early})} >= {"rest"}


def test_a_search_that_is_stopped_at_once_returns_what_it_has_and_says_what_it_breaks():
    asked = problem(26, 28, duty=patrol(4))
    rota = plan_rota(asked, stop=Stop(seconds=0.5))
    assert isinstance(rota, Rota)
    assert rota.bound_h <= rota.cost_h + 1e-6 or rota.breaches
    assert rota.breaches == check_rota(asked, rota.served)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        ({("m0", 0): "late", ("m0", 1): "early"}, "rest"),
        ({("m0", k): "early" for k in range(7)}, "weekly_rest"),
        ({("m0", k): "night" for k in range(5)}, "nights"),
        ({("m3", 3): "early"}, "leave"),
        ({("m3", 1): "night"}, "leave"),
        ({}, "cover"),
    ],
)
def test_each_breach_is_found(broken, kind):
    asked = problem(leave={3: days(2, 2)}, rules=Rules(least_rest_h=11, most_nights=4))
    served = {(who, MONDAY + timedelta(days=k)): ("bund", shift) for (who, k), shift in broken.items()}
    assert kind in {breach.kind for breach in check_rota(asked, served)}


def test_sixteen_to_the_square_kilometre_are_asked_in_every_hour():
    bund = Duty.patrol("bund", {}, shifts=THREE, area_km2=0.6, per_km2=(16.0,) * 12 + (4.0,) * 12)
    assert bund.least_by_hour == (10,) * 12 + (3,) * 12
    covers = [one for one in covers_of(problem(duty=bund)) if one.on == 1]
    assert [(one.begin_min // 60, one.end_min // 60, one.least) for one in covers] == [
        (0, 6, 10),
        (6, 12, 10),
        (14, 22, 3),
        (22, 24, 3),
    ]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Shift(shift_id="x", label={}, begin_h=25, length_h=8), "begin_h=25"),
        (lambda: Shift(shift_id="x", label={}, begin_h=6, length_h=0), "length_h=0"),
        (lambda: Shift(shift_id="x", label={}, begin_h=6.001, length_h=8), "whole minutes"),
        (lambda: Duty(duty_id="x", label={}, shifts=()), "at least one shift"),
        (lambda: Duty(duty_id="x", label={}, shifts=("early",), crew=4, least_by_hour=(1,) * 24), "not both"),
        (lambda: Duty.vehicle("x", {}, shifts=("full",), crew=2, needs={"driver": 3}), "driver=3"),
        (lambda: Duty.patrol("x", {}, shifts=THREE, area_km2=0.0, per_km2=16), "area_km2=0.0"),
        (lambda: Member(member_id="a", week_h=0), "week_h=0"),
        (lambda: Rules(weekly_rest_h=12), "weekly_rest_h=12"),
        (lambda: problem(0), "no member"),
        (lambda: problem(n_days=0), "n_days=0"),
        (lambda: problem(duty=Duty(duty_id="x", label={}, shifts=("gone",), crew=1)), "'gone'"),
        (lambda: problem(before={("m0", MONDAY): ("bund", "early")}), "before: 2026-12-07"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_value(make, told):
    with pytest.raises(BadInput, match=told.replace("(", r"\(")):
        make()


def test_a_missing_member_must_be_in_the_rota_and_the_past_stays(planned):
    with pytest.raises(BadInput, match="'nobody'"):
        replan_rota(*planned, {"nobody": days(3, 1)}, from_on=MONDAY)
    with pytest.raises(BadInput, match="must not be before"):
        replan_rota(*planned, {"m0": days(0, 1)}, from_on=MONDAY + timedelta(days=1))


def test_a_calendar_can_be_read_by_others_and_moves_with_the_rota(planned):
    asked, rota = planned
    at = datetime(2026, 12, 1, tzinfo=UTC)
    text = to_icalendar(asked, rota, zone=SHANGHAI, at=at, member_id="m0")
    assert max(map(len, text.split(b"\r\n"))) <= 75
    calendar = icalendar.Calendar.from_ical(text)
    entries = list(calendar.walk("VEVENT"))
    own = {on: turn for (who, on), turn in rota.served.items() if who == "m0"}
    assert len(entries) == len(own)
    assert calendar.walk("VTIMEZONE")
    for entry in entries:
        begin, end = entry.decoded("dtstart"), entry.decoded("dtend")
        shift = asked.shift_of[own[begin.date()][1]]
        assert (begin.hour, (end - begin).total_seconds()) == (shift.begin_h, shift.length_h * 3600)
        assert begin.utcoffset() == timedelta(hours=8)
    later = icalendar.Calendar.from_ical(
        to_icalendar(asked, rota, zone=SHANGHAI, at=at + timedelta(hours=1), member_id="m0")
    )
    first, second = (sorted(one.walk("VEVENT"), key=lambda e: str(e["uid"])) for one in (calendar, later))
    assert [str(a["uid"]) for a in first] == [str(b["uid"]) for b in second]
    assert all(int(a["sequence"]) < int(b["sequence"]) for a, b in zip(first, second, strict=True))
    with pytest.raises(NotFound):
        to_icalendar(asked, rota, zone=SHANGHAI, at=at, member_id="nobody")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_workbook_says_the_same(planned, language):
    asked, rota = planned
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(asked, rota, language=language)))
    grid, hours, cover = book.worksheets
    filled = sum(cell.value is not None for row in grid.iter_rows(min_row=2, min_col=2) for cell in row)
    assert filled == len(rota.served)
    assert sum(row[1] for row in hours.iter_rows(min_row=2, values_only=True)) == rota.duty_h
    assert list(cover.iter_rows(min_row=2, min_col=2, values_only=True)) == [(6,) * 14]
    assert ("外滩 夜班" if language == "zh" else "Bund night") in {
        cell.value for row in grid.iter_rows() for cell in row
    }


def test_a_name_that_looks_like_a_formula_stays_a_text():
    asked = dataclasses.replace(problem(6, 7, duty=patrol(1)), members=tuple(
        Member(member_id=f"m{k}", label="=1+1" if k == 0 else "") for k in range(6)
    ))  # fmt: skip
    rota = plan_rota(asked, stop=Stop(seconds=300, gap=0.02))
    grid = openpyxl.load_workbook(io.BytesIO(to_xlsx(asked, rota))).worksheets[0]
    assert (grid["A2"].value, grid["A2"].data_type) == ("=1+1", "s")


def test_a_rota_is_read_as_it_was_written(planned):
    asked, rota = planned
    assert read_served(write_served(rota.served), asked).served == rota.served
    with pytest.raises(BadInput, match="must be a member"):
        read_served("date,member,duty,shift\n2026-12-07,nobody,bund,early\n", asked)
    with pytest.raises(BadInput, match="one shift a day"):
        read_served("date,member,duty,shift\n" + 2 * "2026-12-07,m0,bund,early\n", asked)


GIVEN = """
begin_on = 2026-12-07
n_days = 7
[shifts.day]
begin = "08:00"
length_h = 8
[duties.gate]
shifts = ["day"]
crew = 1
[[staff]]
id = "a"
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("n_days = 7", "n_days = 'x'", "n_days='x'"),
        ("n_days = 7", "n_day = 7", "'n_day' in the rota"),
        ("begin_on = 2026-12-07", "", "without begin_on"),
        ('"08:00"', '"8"', "time of the day"),
        ("length_h = 8", "length_h = true", "must be a number"),
        ("crew = 1", "", "no number"),
        ("crew = 1", "crew = 1\nleast = 2", "must say one of"),
        ("crew = 1", "crew = 1\nneeds = 3", "numbers by skill"),
        ('id = "a"', "id = 3", "must be a text"),
        ('id = "a"', 'id = "a"\nleave = ["2026-12-09..2026-12-08"]', "within a year"),
        ('id = "a"', 'id = "a"\nphone = "1"', "'phone' in a member"),
        ("[[staff]]", "[staff]", "tables"),
        ("[shifts.day]", "[shifts", "must be TOML"),
    ],
)
def test_a_wrong_line_of_the_file_is_refused_with_its_remedy(old, new, told):
    assert read_rota_problem(GIVEN).duties[0].crew == 1
    with pytest.raises(BadInput, match=told):
        read_rota_problem(GIVEN.replace(old, new))


def test_a_table_of_staff_says_skills_leave_and_hours():
    table = "\ufeffid,skills,leave,week_h\na,driver;medic,2026-12-08..2026-12-09,20\nb,,,\n"
    text = GIVEN.replace('[[staff]]\nid = "a"\n', "").replace("n_days = 7", 'n_days = 7\nstaff = "staff.csv"')
    first, second = read_rota_problem(text, staff=table).members
    assert (first.skills, first.week_h, len(first.leave)) == ({"driver", "medic"}, 20.0, 2)
    assert (second.skills, second.week_h) == (frozenset(), 40.0)
    with pytest.raises(BadInput, match="columns id, phone"):
        read_rota_problem(text, staff="id,phone\na,1\n")
