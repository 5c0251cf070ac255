"""Forecasts hear of what is approved: where, when and how many; of what is not, or is secret, they hear nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.matters.conftest import Kept
from tests.matters.test_keeping import play

from anlan.cases import shipped_types
from anlan.kernel.errors import BadInput
from anlan.underway import planned_events, planned_of

LATER = datetime(2027, 1, 1, tzinfo=UTC)
KIND = shipped_types().get("planned_event")


@pytest.mark.parametrize(
    ("until", "n"), [("submitted", 0), ("permitted", 1), ("ready", 1), ("running", 1), ("ended", 1)]
)
def test_what_is_approved_is_heard_of(tmp_path, until, n):
    kept = Kept(tmp_path, f"sqlite:///{tmp_path / 'records.db'}")
    play(kept, "planned_event", until=until)
    made = planned_events(kept.matters, kept.store, LATER)
    assert len(made) == n
    for one in made:
        assert one.begin_at == datetime(2026, 10, 1, 11, tzinfo=UTC)
        assert one.end_at == datetime(2026, 10, 1, 14, tzinfo=UTC)
        assert set(one.added) == {"place:bund-promenade", "place:bund-chenyi"}
        assert 0 < sum(one.added.values()) <= 12_000
    kept.store.close()


def test_what_is_approved_later_than_a_minute_is_not_known_in_it(tmp_path):
    kept = Kept(tmp_path, f"sqlite:///{tmp_path / 'records.db'}")
    case_id, _ = play(kept, "planned_event", until="running")
    with kept.store.reading() as connection:
        history = kept.matters.load(connection, case_id)[1].history
    permitted_at = next(one.at for one in history if one.target == "permitted")
    assert planned_events(kept.matters, kept.store, permitted_at - timedelta(seconds=1)) == ()
    assert len(planned_events(kept.matters, kept.store, permitted_at)) == 1
    kept.store.close()


def plan(**changed):
    zone = {"zone": "A", "ground": "place:a", "capacity": 3_000, "most_per_m2": 4.0}
    return {
        "n_expected": 2_000,
        "begins_at": "2026-10-01T19:00:00+08:00",
        "ends_at": "2026-10-01T22:00:00+08:00",
        "zones": [zone, zone | {"zone": "B", "ground": "place:b", "capacity": 1_000}],
    } | changed


def test_those_expected_are_shared_by_capacity_and_no_zone_holds_more():
    assert planned_of(KIND, plan()).added == {"place:a": 1_500, "place:b": 500}
    assert planned_of(KIND, plan(n_expected=9_000)).added == {"place:a": 3_000, "place:b": 1_000}


@pytest.mark.parametrize("missing", ["n_expected", "begins_at", "ends_at", "zones"])
def test_a_plan_that_lacks_a_part_is_expected_to_bring_nobody(missing):
    assert planned_of(KIND, {key: value for key, value in plan().items() if key != missing}) is None


def test_a_plan_that_ends_before_it_begins_is_refused():
    with pytest.raises(BadInput, match="must be after"):
        planned_of(KIND, plan(ends_at="2026-10-01T18:00:00+08:00"))


def test_a_type_without_a_plan_that_runs_is_expected_to_bring_nobody():
    assert planned_of(replace(KIND, live=None), plan()) is None


def test_a_plan_that_repeats_another_says_when_that_began():
    assert planned_of(KIND, plan()).like_at is None
    last = "2025-10-01T19:30:00+08:00"
    assert planned_of(KIND, plan(repeats_at=last)).like_at == datetime(2025, 10, 1, 11, 30, tzinfo=UTC)


def test_a_plan_that_repeats_what_is_not_earlier_keeps_its_own_numbers(caplog):
    assert planned_of(KIND, plan(repeats_at=plan()["begins_at"])) == planned_of(KIND, plan())
    assert "not earlier" in caplog.text
