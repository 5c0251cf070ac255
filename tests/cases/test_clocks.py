from datetime import timedelta

import pytest
from tests.cases.walking import areas_of, someone

from anlan.cases import (
    OPEN,
    Action,
    Light,
    Phase,
    advance,
    applied,
    firings,
    open_case,
    read_clocks,
    replay,
    shipped_types,
)
from anlan.kernel.clock import parse_moment


def request(at):
    kind = shipped_types().get("resident_request")
    filled = {"kind": "light", "source": "web", "what": "dark"}
    by = someone("desk", "desk")
    return kind, open_case(kind, ("c", areas_of(kind)), Action(transition=OPEN, filled=filled), by, parse_moment(at))


def step(kind, case, name, role, at, **how):
    return applied(case, advance(kind, case, Action(transition=name, **how), someone(role, role), at=parse_moment(at)))


def test_a_day_of_work_goes_over_a_make_up_saturday_and_not_over_the_holiday(work):
    kind, case = request("2026-02-13T16:00:00+08:00")
    told = {one.share: one for one in firings(
        kind, case, work, since_at=case.opened_at, until_at=parse_moment("2026-03-01T00:00:00+08:00")
    ) if one.clock_id == "owned"}  # fmt: skip
    assert told[0.8].at == parse_moment("2026-02-14T14:24:00+08:00")
    assert told[1].at == parse_moment("2026-02-14T16:00:00+08:00")
    assert told[2].at == parse_moment("2026-02-24T16:00:00+08:00")
    assert (told[1].to, told[2].to, told[2].letter) == ("up", "top", True)


@pytest.mark.parametrize(("off_us", "light"), [(-1, Light.YELLOW), (0, Light.RED)])
def test_red_begins_at_the_very_moment(work, off_us, light):
    kind, case = request("2026-02-13T16:00:00+08:00")
    due_at = read_clocks(kind, case, work, case.opened_at)[0].due_at
    assert read_clocks(kind, case, work, due_at + timedelta(microseconds=off_us))[0].light is light


def test_a_promise_rests_while_the_reporter_is_asked(work):
    kind, case = request("2026-02-24T09:00:00+08:00")
    case = step(kind, case, "assign", "desk", "2026-02-24T10:00:00+08:00")
    case = step(kind, case, "accept", "handler", "2026-02-24T11:00:00+08:00")
    before = read_clocks(kind, case, work, parse_moment("2026-02-24T11:00:00+08:00"))[1]
    case = step(kind, case, "ask", "handler", "2026-02-25T09:00:00+08:00", note="which lamp?")
    resting = read_clocks(kind, case, work, parse_moment("2026-02-26T17:00:00+08:00"))[1]
    assert (resting.phase, resting.due_at, resting.elapsed) == (Phase.RESTING, None, timedelta(hours=8))
    case = step(kind, case, "resume", "reporter", "2026-02-27T09:00:00+08:00")
    after = read_clocks(kind, case, work, parse_moment("2026-02-27T09:00:00+08:00"))[1]
    assert work.between(before.due_at, after.due_at) == timedelta(hours=16)


def test_an_extension_gives_the_limit_once_more_and_silences_what_has_not_fired(work):
    kind = shipped_types().get("mediation")
    told = [one for one in firings_of_example(kind, work) if one.clock_id == "talks"]
    assert [one.at for one in told] == [parse_moment("2026-03-27T09:30:00+08:00")]


def firings_of_example(kind, work):
    case = replay(kind)[-1].case
    return firings(kind, case, work, since_at=case.opened_at, until_at=case.history[-1].at)


def test_a_limit_that_reaches_into_an_unconfirmed_year_says_so(work):
    kind, case = request("2026-12-30T09:00:00+08:00")
    assert read_clocks(kind, case, work, case.opened_at)[1].provisional_years == (2027,)


def test_the_past_is_read_without_what_came_later(work):
    kind, case = request("2026-02-24T09:00:00+08:00")
    early = read_clocks(kind, case, work, parse_moment("2026-02-24T09:30:00+08:00"))
    later = step(kind, case, "assign", "desk", "2026-02-24T10:00:00+08:00")
    later = step(kind, later, "accept", "handler", "2026-02-24T11:00:00+08:00")
    assert read_clocks(kind, later, work, parse_moment("2026-02-24T09:30:00+08:00")) == early


def test_a_clock_that_starts_again_keeps_what_it_told_before(work):
    kind = shipped_types().get("hazard")
    filled = {"kind": "water", "source": "patrol"}
    opening = Action(transition=OPEN, filled=filled)
    case = open_case(
        kind, ("c", areas_of(kind)), opening, someone("p", "patrol"), parse_moment("2026-03-02T09:00:00+08:00")
    )
    photo = {"photo_after": "0" * 64}
    case = step(kind, case, "order", "grid_lead", "2026-03-02T10:00:00+08:00", filled={"danger": "soon"})
    case = step(kind, case, "repair", "works", "2026-03-10T10:00:00+08:00", evidence=photo)
    case = step(kind, case, "return", "grid_lead", "2026-03-11T10:00:00+08:00", note="drips still")
    case = step(kind, case, "repair", "works", "2026-03-12T10:00:00+08:00", evidence=photo)
    told = firings(kind, case, work, since_at=case.opened_at, until_at=case.history[-1].at + timedelta(days=99))
    assert [(one.share, one.at) for one in told if one.clock_id == "repaired"] == [
        (0.8, parse_moment("2026-03-06T10:00:00+08:00")),
        (1.0, parse_moment("2026-03-09T10:00:00+08:00")),
    ]
