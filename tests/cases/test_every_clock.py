"""Every clock of every type fires at its very second over a make-up Saturday and a holiday, reckoned in another way."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.cases.conftest import MAKE_UP, REST
from tests.cases.walking import areas_of

from anlan.cases import OPEN, Case, CaseChange, firings, shipped_types
from anlan.kernel.clock import parse_moment

ZONE = ZoneInfo("Asia/Shanghai")
FRIDAY = parse_moment("2026-02-13T16:30:00+08:00")
"""Half an hour before the end of work; Saturday the 14th is worked, and then there is no work until the 24th."""
RULES = [(kind, rule) for kind in shipped_types() for rule in kind.clocks]
SECOND = timedelta(seconds=1)


def works(day):
    return day in MAKE_UP or (day.weekday() < 5 and day not in REST)


def worked_s(begin_at, end_at):
    """Sum the seconds of work day by day, from nine to five."""
    total, day = 0.0, begin_at.astimezone(ZONE).date()
    while day <= end_at.astimezone(ZONE).date():
        opens, closes = (datetime.combine(day, time(hour), ZONE) for hour in (9, 17))
        spell = (min(closes, end_at) - max(opens, begin_at)).total_seconds()
        total += max(spell, 0.0) if works(day) else 0.0
        day += timedelta(days=1)
    return total


def gone_s(rule, at):
    return worked_s(FRIDAY, at) if rule.working else (at - FRIDAY).total_seconds()


def whole_s(rule, told):
    if rule.until is not None:
        end_at = parse_moment(told) if "T" in told else datetime.combine(date.fromisoformat(told), time.max, ZONE)
        return (end_at - FRIDAY).total_seconds()
    hours = {"hours": 1, "days": 8 if rule.working else 24}[rule.limit.unit]
    return rule.limit.n * hours * 3600.0


def standing(kind, rule, told):
    """A case that stands where a clock starts, since that Friday, and nobody does anything."""
    filled = {} if rule.until is None else {rule.until: told}
    first = CaseChange(
        transition=OPEN, source="", target=min(rule.starts), at=FRIDAY, actor_id="a", unit_id="u", filled=filled,
        evidence={}, note="", owner_level=kind.owner_level,
    )  # fmt: skip
    areas = areas_of(kind)
    return Case(case_id="c", type_id=kind.type_id, version=kind.version, areas=areas, history=(first,), values=filled)


@pytest.mark.parametrize(("kind", "rule"), RULES, ids=[f"{kind.type_id}-{rule.clock_id}" for kind, rule in RULES])
def test_every_clock_fires_at_its_very_second(work, kind, rule):
    moment = rule.until is not None and kind.fields[rule.until].kind == "moment"
    told = "2026-02-26T10:00:00+08:00" if moment else "2026-02-26"
    whole = whole_s(rule, told)
    found = [
        one
        for one in firings(
            kind, standing(kind, rule, told), work, since_at=FRIDAY, until_at=FRIDAY + timedelta(days=9000)
        )
        if one.clock_id == rule.clock_id
    ]
    assert [one.share for one in found] == sorted({rule.warn_share, *(one.share for one in rule.climbs)})
    for one in found:
        assert gone_s(rule, one.at) == pytest.approx(whole * one.share, abs=1e-3)
        assert gone_s(rule, one.at - SECOND) < whole * one.share
        assert not rule.working or works(one.at.astimezone(ZONE).date())


def test_there_are_clocks_of_either_kind_and_some_end_after_the_holiday():
    working = [rule for _, rule in RULES if rule.working]
    assert len(working) >= 5
    assert len(RULES) - len(working) >= 5
    assert worked_s(FRIDAY, parse_moment("2026-02-24T09:00:00+08:00")) == 8.5 * 3600
    assert any(whole_s(rule, "") > 8.5 * 3600 for rule in working)
