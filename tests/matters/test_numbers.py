import io
from datetime import timedelta

import docx
import pytest
from tests.matters.test_keeping import HOME

from anlan.cases import Action
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, NotFound
from anlan.matters import NewCase, forget_due, numbers

MAY = parse_moment("2026-05-04T09:00:00+08:00")
MARCH = parse_moment("2026-03-02T09:00:00+08:00")


@pytest.fixture
def march(lite):
    """Hazards of March: seven in a committee of the west, two in one of the east, one of each made safe in time."""
    lite.clock.set(MARCH)
    patrol = lite.who("p", "grid_worker")
    for area, n in ((HOME, 7), ("d-e-n-e-n", 2)):
        for k in range(n):
            new = NewCase(type_id="hazard", area_id=area, filled={"kind": "barrier", "source": "patrol"})
            made = lite.matters.open(new, patrol)
            if k == 0:
                photo = {"photo_before": lite.photo(patrol, f"{area}{k}")}
                step = Action(transition="secure", filled={"danger": "soon", "measure": "fenced"}, evidence=photo)
                lite.matters.act(made.case_id, step, patrol)
    lite.clock.set(parse_moment("2026-04-02T09:00:00+08:00"))
    return lite


def ask(kept, who, area="d", period="2026-03", indicator="hazards_safe_on_time"):
    return numbers.answer(kept.matters, indicator, area, period, who)


def test_a_number_is_told_with_what_is_below_it_and_the_cases_behind(march):
    analyst = march.who("a", "analyst")
    made = ask(march, analyst)
    assert (made.whole.n, made.whole.n_of, made.complete) == (9, 2, True)
    assert made.whole.value == pytest.approx(100 * 2 / 9)
    assert {one.area_id: one.n for one in made.parts} == {"d-w": 7, "d-e": 2}
    below = ask(march, analyst, "d-w")
    assert {one.area_id: one.n for one in below.parts} == {"d-w-s": 7, "d-w-n": 0}
    found = numbers.behind(march.matters, "hazards_safe_on_time", "d-e", "2026-03", analyst)
    assert len(found) == 2
    assert {one.row["area_id"] for one in found} == {"d-e-n-e-n"}


def test_before_cases_were_kept_nothing_is_known_and_that_is_not_zero(march):
    made = ask(march, march.who("a", "analyst"), period="2026-01")
    assert (made.whole.value, made.whole.unknown) == (None, "no_records")
    assert ask(march, march.who("a", "analyst")).year_ago.unknown == "no_records"


def test_what_happened_so_far_is_told_as_such(march):
    made = ask(march, march.who("a", "analyst"), period="")
    assert (made.period.name, made.complete, made.change) == ("2026-04", False, None)
    assert made.before.n == 9


def test_whoever_reads_a_street_has_the_numbers_of_that_street_alone(march):
    west = march.who("w", "grid_lead", area="d-w")
    assert ask(march, west, "d-w").whole.n == 7
    for area in ("d", "d-e", "atlantis"):
        with pytest.raises(NotFound, match="or not for you"):
            ask(march, west, area)
        with pytest.raises(NotFound):
            numbers.behind(march.matters, "hazards_safe_on_time", area, "2026-03", west)
    with pytest.raises(BadInput, match="must not be finer"):
        ask(march, west, HOME)


@pytest.mark.parametrize("period", ["March", "2026-13", "2026", "2026-Q1", "2026-3"])
def test_what_is_no_period_of_its_own_is_refused(march, period):
    with pytest.raises(BadInput, match="must be a month"):
        ask(march, march.who("a", "analyst"), period=period)


def disputes(kept, n, area="d-w-s-w"):
    registrar = kept.holding("r", "cases.mediation.registrar")
    for _ in range(n):
        kept.matters.open(NewCase(type_id="mediation", area_id=area, filled={"kind": "rent"}), registrar)


def test_of_a_closed_circle_only_its_readers_are_told_of_single_cases(lite):
    lite.clock.set(MAY)
    disputes(lite, 2)
    disputes(lite, 9, "d-e-n-e")
    lite.clock.set(parse_moment("2026-07-02T09:00:00+08:00"))
    reader = lite.holding("r", "cases.mediation.registrar")
    commander = lite.who("c", "commander")
    asked = {"indicator": "dispute_backlog", "period": "2026-Q2"}
    assert {one.area_id: one.value for one in ask(lite, reader, **asked).parts} == {"d-w": 2, "d-e": 9}
    seen = ask(lite, commander, **asked)
    assert (seen.whole.value, seen.whole.n) == (11, None)
    assert all(one.hidden and one.value is None for one in seen.parts)
    assert numbers.behind(lite.matters, "dispute_backlog", "d", "2026-Q2", commander) == []
    assert len(numbers.behind(lite.matters, "dispute_backlog", "d", "2026-Q2", reader)) == 11
    going_on = ask(lite, commander, indicator="dispute_backlog", period="2026-Q3")
    assert going_on.whole.hidden
    assert all(one.hidden for one in going_on.parts)


def test_what_is_published_gives_no_small_count_away(march):
    told = numbers.public_numbers(march.matters, march.clock.now())
    shown = next(shown for one, shown in told if one.indicator_id == "hazards_safe_on_time")
    assert all(one.hidden for one in shown.values() if one.unknown is None)
    text = numbers.public_csv(told)
    assert "hazards_safe_on_time,d,2026-03,,%,hidden" in text.splitlines()
    assert "22.2" not in text


def test_a_bulletin_is_of_a_month_and_has_only_what_is_published(march):
    analyst = march.who("a", "analyst")
    paper = docx.Document(io.BytesIO(numbers.bulletin(march.matters, "d", "2026-03", analyst, ("docx", "en"))))
    cells = {row.cells[0].text: [cell.text for cell in row.cells] for row in paper.tables[0].rows}
    assert cells["hazards made safe in time"][1] == "not published"
    assert "disputes that stand open" in cells  # the quarter ends with March
    assert "hours given" in cells
    february = docx.Document(io.BytesIO(numbers.bulletin(march.matters, "d", "2026-02", analyst, ("docx", "en"))))
    assert "disputes that stand open" not in {row.cells[0].text for row in february.tables[0].rows}
    assert numbers.bulletin(march.matters, "d", "2026-03", analyst, ("pdf", "zh")).startswith(b"%PDF")
    with pytest.raises(NotFound):
        numbers.bulletin(march.matters, "d", "2026-03", march.who("w", "grid_lead", area="d-w"), ("pdf", "zh"))


def test_a_number_stays_when_its_cases_are_forgotten(lite):
    lite.clock.set(MAY)
    registrar = lite.holding("r", "cases.mediation.registrar")
    for k in range(6):
        made = lite.matters.open(NewCase(type_id="mediation", area_id="d-w-s-w", filled={"kind": "rent"}), registrar)
        evidence = {"no_stake": lite.photo(registrar, str(k))}
        lite.matters.act(made.case_id, Action(transition="withdraw", note="x", evidence=evidence), registrar)
    lite.clock.set(MAY + timedelta(days=70))
    asked = {"indicator": "new_disputes", "period": "2026-Q2"}
    before = ask(lite, registrar, **asked).whole
    assert (before.n, before.unknown) == (6, "no_divisor")  # households are not told by cases
    lite.wait(days=600)
    assert forget_due(lite.matters, lite.clock.now()) == 6
    assert ask(lite, registrar, **asked).whole == before
