"""Those who come for an event come beside those who come anyway, at its time, to its zones."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput
from anlan.rehearsal import Crowd, drawn
from anlan.twin import Pull, Scenario

ZONE = ZoneInfo("Asia/Shanghai")
BEGINS = parse_moment("2026-10-01T19:00:00+08:00")
DAY = Scenario(
    scenario_id="plain", name={"zh": "平日", "en": "plain"}, opens_at=BEGINS, visits=24_000.0,
    pulls={"quay": Pull(weight=(2.0,) * 24), "park": Pull(weight=(1.0,) * 24, stay_min=50.0)},
)  # fmt: skip


def crowd(n=6000, hours=2, **places):
    return Crowd(n_expected=n, begins_at=BEGINS, ends_at=BEGINS + timedelta(hours=hours), places=places or {"quay": 1})


def test_everybody_who_is_expected_comes_beside_the_day_itself():
    made = drawn(DAY, crowd(), ZONE, share=0.5)
    assert made.visits == pytest.approx(12_000 + 6000)
    assert sum(made.arrivals) == pytest.approx(made.visits)
    usual = [0.5 * DAY.visits * one / sum(DAY.arrivals) for one in DAY.arrivals]
    extra = [a - b for a, b in zip(made.arrivals, usual, strict=True)]
    assert [k for k, one in enumerate(extra) if one > 1e-6] == [17, 18, 19]
    assert extra[19] == pytest.approx(6000 * 0.5 / 2.5)


def test_they_go_to_the_zones_and_stay_until_the_end():
    made = drawn(DAY, crowd(), ZONE)
    assert made.pulls["quay"].hold_until == "21:00"
    assert made.pulls["quay"].stay_min == 120
    added = made.pulls["quay"].weight[18] - 2.0
    stops = made.arrivals[18] * made.stops * (1 - made.streets - made.buildings)
    assert stops * added / (added + 3.0) == pytest.approx(6000 / 2.5)  # of the stops of that hour, theirs are there
    assert made.pulls["quay"].weight[12] == 2.0
    assert made.pulls["park"] == DAY.pulls["park"]


def test_zones_share_them_by_their_capacity():
    made = drawn(DAY, crowd(quay=3000, shore=1000), ZONE)
    added = [made.pulls["quay"].weight[18] - 2.0, made.pulls["shore"].weight[18]]
    assert added[0] == pytest.approx(3 * added[1])


def test_an_event_that_ends_before_it_begins_is_refused():
    with pytest.raises(BadInput, match="must lie after the event begins"):
        crowd(hours=-1)


@given(st.integers(1, 2_000_000), st.floats(0, 3), st.integers(1, 8))
def test_no_weight_is_ever_negative_or_without_end(n, share, hours):
    made = drawn(DAY, crowd(n, hours), ZONE, share)
    assert all(0 <= one < 1e9 for pull in made.pulls.values() for one in pull.weight)
    assert 0 <= made.streets <= DAY.streets
