"""Indicators are data; every number has its list; what is not known is not zero."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.small import small_pack

from anlan.cases import WorkTime, forget, forget_at, replay, shipped_types
from anlan.cases.counting import entry_of
from anlan.indicators import (
    PeriodKind,
    Records,
    before,
    by_value,
    drilled,
    fractile,
    indicator,
    listed,
    measure,
    period_of,
    read_indicators,
    shipped_indicators,
    year_before,
)
from anlan.kernel.clock import parse_moment
from anlan.kernel.entries import Entry
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.records import Calendar

ZONE = ZoneInfo("Asia/Shanghai")
TREE = small_pack().areas
WEST, EAST = ({"district": "31", "street": one} for one in ("31-w", "31-e"))
LONG = (parse_moment("2020-01-01T00:00:00+08:00"), parse_moment("2030-01-01T00:00:00+08:00"))
MARCH = period_of(PeriodKind.MONTH, parse_moment("2026-03-10T12:00:00+08:00"), ZONE)
FIRST = period_of(PeriodKind.QUARTER, parse_moment("2026-03-10T12:00:00+08:00"), ZONE)
WORK = WorkTime(calendar=Calendar(), zone=ZONE)


def at(text):
    return parse_moment(f"{text}T12:00:00+08:00")


def entries(source, n, on="2026-03-10", areas=WEST, until=None, **values):
    return [
        Entry(entry_id=f"{source}-{on}-{areas['street']}-{k}-{sorted(values.items())}", source=source, from_at=at(on),
              until_at=at(until) if until else None, areas=areas, values=values)
        for k in range(n)
    ]  # fmt: skip


def records(*parts, kept=LONG):
    told = [one for part in parts for one in part]
    sources = {name for one in shipped_indicators() for name in one.sources}
    return Records(tuple(told), dict.fromkeys(sources, kept))


def test_every_shipped_indicator_says_how_it_is_computed():
    assert len(shipped_indicators()) >= 15
    for one in shipped_indicators():
        assert all(name in one.formula for name in one.sources)
        assert one.better in {"more", "less"}


def test_every_value_that_an_indicator_asks_of_a_case_is_kept_by_its_type():
    kinds = {kind.type_id: kind for kind in shipped_types()}
    for one in shipped_indicators():
        asked = {part.name for part in (*one.where, *one.of)} | {name for name in (one.value, one.by) if name}
        for source in set(one.sources) & set(kinds):
            kind = kinds[source]
            clocks = {f"{clock.clock_id}_{what}" for clock in kind.clocks for what in ("kept", "s")}
            assert asked <= kind.retention.keeps | clocks | {"state"}, one.indicator_id


def test_satisfaction_counts_those_who_answered():
    yes, no, silent = (
        entries("resident_request", n, until="2026-03-12", **told)
        for n, told in ((6, {"satisfied": "yes"}), (2, {"satisfied": "no"}), (9, {}))
    )
    told = measure(indicator("satisfaction"), records(yes, no, silent), TREE, "31", FIRST)
    assert (told.value, told.n, told.n_of) == (75.0, 8, 6)


def test_nobody_who_answered_is_unknown_and_not_zero():
    told = measure(indicator("satisfaction"), records(), TREE, "31", FIRST)
    assert (told.value, told.unknown) == (None, "nothing_to_measure")


def test_a_month_without_calls_is_zero_and_one_without_records_is_unknown():
    calls = indicator("calls_for_help")
    assert measure(calls, records(), TREE, "31", MARCH).value == 0
    late = (parse_moment("2026-03-02T00:00:00+08:00"), LONG[1])
    told = measure(calls, records(kept=late), TREE, "31", MARCH)
    assert (told.value, told.unknown) == (None, "no_records")


def test_calls_are_compared_with_the_same_month_a_year_before_by_kind():
    now = entries("incident", 6, kind="theft") + entries("incident", 3, kind="noise")
    ago = entries("incident", 8, on="2025-03-20", kind="theft")
    told = by_value(indicator("calls_for_help"), records(now, ago), TREE, "31", MARCH)
    assert (told["theft"].value, told["theft"].year_ago, told["theft"].change) == (6, 8, -0.25)
    assert (told["noise"].year_ago, told["noise"].change) == (0, None)


def test_new_disputes_are_told_per_thousand_households_and_the_backlog_stands():
    homes = [entry for k, n in enumerate((20_000, 38_000)) for entry in entries(
        "households", 1, on="2024-01-01", areas=(WEST, EAST)[k], n_households=n)]  # fmt: skip
    disputes = entries("mediation", 29, kind="rent") + entries("mediation", 7, on="2025-11-01", kind="rent")
    ended = entries("mediation", 4, on="2025-11-02", until="2026-02-01", kind="rent")
    kept = records(homes, disputes, ended)
    assert measure(indicator("new_disputes"), kept, TREE, "31", FIRST).value == pytest.approx(29 / 58)
    assert measure(indicator("dispute_backlog"), kept, TREE, "31", FIRST).value == 36
    alone = measure(indicator("new_disputes"), records(disputes), TREE, "31", FIRST)
    assert (alone.value, alone.unknown) == (None, "no_divisor")


def test_arrivals_have_their_fractiles():
    arrivals = [one for s in (45, 60, 100, 170, 180, 181, 190, 200, 300, 900) for one in entries(
        "response", 1, until="2026-03-10", response_s=float(s), key_area=s <= 60)]  # fmt: skip
    told = {name: measure(indicator(name), records(arrivals), TREE, "31", MARCH).value for name in (
        "arrival_p90_s", "arrival_median_s", "arrival_three_minutes", "arrival_one_minute")}  # fmt: skip
    assert told == {
        "arrival_p90_s": 300.0, "arrival_median_s": 180.0, "arrival_three_minutes": 50.0, "arrival_one_minute": 100.0
    }  # fmt: skip


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_a_fractile_was_measured_and_holds_its_share(values, share):
    told = fractile(values, share)
    assert told in values
    assert sum(one <= told for one in values) >= share * len(values) - 1e-6
    assert sum(one < told for one in values) < share * len(values) + 1e-6


def test_coverage_is_weighted_by_ground_and_hours_come_from_two_sources():
    seen = [one for share, m2 in ((100.0, 3000.0), (0.0, 1000.0)) for one in entries(
        "coverage", 1, on="2025-01-01", share_percent=share, area_m2=m2)]  # fmt: skip
    assert measure(indicator("coverage"), records(seen), TREE, "31", MARCH).value == 75.0
    given_hours = entries("public_class", 2, until="2026-03-11", hours_given=2.5) + entries(
        "shift", 3, until="2026-03-11", hours_given=4.0
    )
    assert measure(indicator("hours_given"), records(given_hours), TREE, "31", MARCH).value == 17.0


def test_an_area_is_the_sum_of_its_parts_and_each_opens_its_list():
    calls = entries("incident", 7, kind="theft") + entries("incident", 5, areas=EAST, kind="noise")
    kept, one = records(calls), indicator("calls_for_help")
    told = drilled(one, kept, TREE, "31", MARCH)
    assert {name: number.value for name, number in told.items()} == {"31": 12, "31-w": 7, "31-e": 5}
    for number in told.values():
        assert len(listed(number.query, one, kept, TREE)) == number.n
    theft = by_value(one, kept, TREE, "31", MARCH)["theft"]
    assert {entry.values["kind"] for entry in listed(theft.query, one, kept, TREE)} == {"theft"}
    assert str(theft.query).startswith("incident?begun=2026-02-28T16:00:00+00:00/2026-03-31T16:00:00+00:00&area=31")


def test_an_indicator_is_told_no_finer_than_it_may_be_and_in_its_own_period():
    one = indicator("team_there_s")
    with pytest.raises(BadInput, match="must not be finer than a district"):
        measure(one, records(), TREE, "31-w", FIRST)
    assert list(drilled(one, records(), TREE, "31", FIRST)) == ["31"]
    with pytest.raises(BadInput, match="must be a month"):
        measure(indicator("calls_for_help"), records(), TREE, "31", FIRST)
    with pytest.raises(NotFound):
        measure(one, records(), TREE, "32", FIRST)


@pytest.mark.parametrize("type_id", ["resident_request", "programme_task", "hazard", "public_class", "co_response"])
def test_a_number_is_the_same_after_its_cases_are_forgotten(type_id):
    kind = shipped_types().get(type_id)
    case = replay(kind)[-1].case
    due_at = forget_at(kind, case, WORK)
    kept, _ = forget(kind, case, WORK, due_at)
    assert entry_of(kind, kept, WORK, due_at) == entry_of(kind, case, WORK, due_at)


def test_a_case_is_counted_with_how_its_clocks_went():
    kind = shipped_types().get("programme_task")
    case = replay(kind)[-1].case
    told = entry_of(kind, case, WORK, case.history[-1].at).values
    assert told["finish_kept"] is False
    assert told["taken_kept"] is True
    assert not {"title", "progress", "responsible_unit"} & set(told)


def test_a_type_of_a_closed_circle_is_counted_without_what_was_said():
    kind = shipped_types().get("mediation")
    case = replay(kind)[-1].case
    told = entry_of(kind, case, WORK, case.history[-1].at)
    assert set(told.values) >= {"kind", "talks_kept", "state"}
    assert not any(isinstance(value, str) and len(value) > 20 for value in told.values.values())
    assert list(told.areas) == ["district", "street"]


def test_a_day_belongs_to_the_month_of_the_district():
    late = [Entry(entry_id="a", source="incident", from_at=parse_moment("2026-03-31T23:59:59+08:00"), areas=WEST)]
    next_day = [Entry(entry_id="b", source="incident", from_at=parse_moment("2026-04-01T00:00:00+08:00"), areas=WEST)]
    assert measure(indicator("calls_for_help"), records(late, next_day), TREE, "31", MARCH).n == 1


@settings(max_examples=80)
@given(st.dates(date(2001, 1, 2), date(2090, 1, 1)), st.times(), st.sampled_from(list(PeriodKind)))
def test_periods_follow_each_other_without_a_gap(on, at_time, kind):
    moment = datetime.combine(on, at_time, ZONE)
    period = period_of(kind, moment, ZONE)
    assert period.holds(moment)
    assert before(period).until_at == period.from_at
    assert year_before(period).kind is kind
    assert timedelta(300) < period.from_at - year_before(period).from_at < timedelta(430)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('form = "share"', 'form = "part"', "must be one of count, sum, mean, share, fractile"),
        ('of = { satisfied = ["yes", "partly"] }', "", "of must be given for a share"),
        ("level =", "lvl =", "'lvl' is nothing that belongs here"),
        ('counted = "ended"', 'counted = "sometime"', "must be one of begun, ended, standing"),
        ('better = "more"', 'better = "up"', "must be more, less or neither"),
        ('period = "quarter"', "period = 3", "must be one of week"),
        ("given = true", "given = false", "must be a value, a list"),
        ('zh = "诉求满意率", ', "", "must say something in zh and in en"),
    ],
)
def test_an_indicator_that_cannot_be_computed_is_refused(old, new, said):
    from importlib.resources import files  # noqa: PLC0415

    text = (files("anlan.indicators.library") / "district.toml").read_text()
    part = text[text.index("[satisfaction]") : text.index("[mediation_satisfaction]")]
    assert old in part
    assert [one.indicator_id for one in read_indicators(part)] == ["satisfaction"]
    with pytest.raises(BadInput, match=re.escape(said)):
        read_indicators(part.replace(old, new, 1))
