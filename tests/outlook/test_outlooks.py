"""A place with a history is forecast by its usual: the whole way from what is stored to what is told."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.small import small_pack

from anlan.crowd.forecast import PlannedEvent
from anlan.kernel.alerts import Basis
from anlan.kernel.answers import CurvePoint
from anlan.kernel.records import Estimate, UnknownReason
from anlan.outlook import Ground, Outlooks
from anlan.store import DuckHistory, Step

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def people(at):
    """Return a day with its height at noon in Shanghai."""
    return 600 + 400 * np.cos((at.hour + 8 + at.minute / 60 - 12) / 24 * 2 * np.pi)


def estimate(at, occupancy):
    return Estimate(at=at, walkable_m2=1e4, occupancy=occupancy, sd=50.0, low=occupancy - 80, high=occupancy + 80)


@pytest.fixture(scope="module")
def outlooks(tmp_path_factory):
    history = DuckHistory.open(tmp_path_factory.mktemp("history"))
    for k in range(10 * 96, -1, -1):
        at = NOW - k * QUARTER
        history.commit_step(
            Step(at=at, low=0, high=0, occupancy=None, estimates={"place:quay": estimate(at, people(at))}, state=None)
        )
    yield Outlooks(small_pack(), history)
    history.close()


def test_ten_days_make_a_usual(outlooks):
    made = outlooks.subject("place:quay", estimate(NOW, people(NOW)))
    assert made.basis is Basis.USUAL
    assert 9.9 < made.days < 10.1
    assert [point.at - NOW for point in made.points] == [
        timedelta(minutes=m) for m in (15, 30, 45, 60, 120, 180, 360, 720, 1440)
    ]
    for point in made.points:
        assert point.occupancy == pytest.approx(people(point.at), rel=0.05)
        assert point.low <= point.occupancy <= point.high


def test_what_was_told_of_a_minute_is_told_again(outlooks):
    present = estimate(NOW, people(NOW))
    assert outlooks.subject("place:quay", present) is outlooks.subject("place:quay", present)


def test_a_place_that_was_never_counted_tells_nothing(outlooks):
    made = outlooks.subject("place:garden", estimate(NOW, 100.0))
    assert made.basis is None
    assert made.points == ()


def test_a_place_that_is_nearly_empty_now_has_a_usual(outlooks):
    outlooks.forget()
    few = Estimate(at=NOW, walkable_m2=1e4, high=10.0, hidden=True)
    made = outlooks.subject("place:quay", few)
    assert made.basis is Basis.USUAL
    assert len(made.points) == 9
    outlooks.forget()
    lost = Estimate(at=NOW, walkable_m2=1e4, unknown=UnknownReason.STALE)
    assert outlooks.subject("place:quay", lost).points == ()
    outlooks.forget()


def test_what_is_planned_is_added_to_the_usual_of_its_place(outlooks):
    evening = NOW + timedelta(hours=6)
    fair = PlannedEvent(begin_at=evening, end_at=evening + timedelta(hours=3), added={"place:quay": 2_000.0})
    outlooks.forget()
    before = outlooks.subject("place:quay", estimate(NOW, people(NOW)))
    outlooks.forget()
    outlooks.planned = lambda _: (fair,)
    made = outlooks.subject("place:quay", estimate(NOW, people(NOW)))
    added = [told.occupancy - bare.occupancy for told, bare in zip(made.points, before.points, strict=True)]
    assert added[:5] == pytest.approx([0] * 5, abs=1)
    assert added[6] == pytest.approx(2_000, rel=0.1)
    assert added[8] == pytest.approx(0, abs=1)


class Asked:
    """A polygon of which so many days are kept; a quarter of the garden lies in it."""

    def __init__(self, days):
        self.since, self.read = NOW - timedelta(days=days), []
        self.ground = Ground(key=b"polygon", past=self.past, quarters=self.quarters, part_of=self.part_of)

    def quarters(self, begin_at, n):
        self.read.append(n)
        at = [begin_at + k * QUARTER for k in range(n)]
        return np.array([[people(one) if one >= self.since else np.nan] for one in at])

    def past(self):
        return [CurvePoint.told(NOW - timedelta(minutes=k), 500.0 - 2 * k, None, None) for k in range(30, -1, -1)]

    def part_of(self, subject_id):
        return 0.25 if subject_id == "place:garden" else 0.0


def test_a_polygon_has_a_usual_once_a_week_of_its_cells_is_kept(outlooks):
    outlooks.forget()
    outlooks.planned = lambda _: ()
    asked, late = Asked(20), NOW + timedelta(minutes=7)
    made = outlooks.polygon(asked.ground, estimate(late, people(NOW)))
    assert (made.basis, made.days) == (Basis.USUAL, 20.0)
    assert [point.at - NOW for point in made.points] == [
        timedelta(minutes=m) for m in (15, 30, 45, 60, 120, 180, 360, 720, 1440)
    ]
    for point in made.points:
        assert point.occupancy == pytest.approx(people(point.at - QUARTER), rel=0.03)
        assert point.low <= point.occupancy <= point.high
    assert outlooks.polygon(asked.ground, estimate(late + timedelta(seconds=20), people(NOW))) is made
    outlooks.polygon(asked.ground, estimate(NOW + QUARTER, people(NOW)))
    assert asked.read == [30 * 96, 1]  # the same minute is not read again, and of the next quarter only what is new


def test_a_polygon_of_few_days_goes_by_its_trend(outlooks):
    outlooks.forget()
    made = outlooks.polygon(Asked(5).ground, estimate(NOW, 500.0))
    assert (made.basis, made.days) == (Basis.TREND, 5.0)
    assert len(made.points) == 4
    outlooks.forget()
    lost = Estimate(at=NOW, walkable_m2=1e4, unknown=UnknownReason.STALE)
    assert outlooks.polygon(Asked(20).ground, lost).points == ()


def test_of_those_who_are_planned_a_polygon_has_its_part_of_the_place(outlooks):
    evening = NOW + timedelta(hours=6)
    outlooks.planned = lambda _: ()
    outlooks.forget()
    bare = outlooks.polygon(Asked(20).ground, estimate(NOW, people(NOW)))
    fair = PlannedEvent(
        begin_at=evening,
        end_at=evening + timedelta(hours=8),
        added={"place:quay": 5_000.0, "place:garden": 2_000.0},
    )
    outlooks.planned = lambda _: (fair,)
    outlooks.forget()
    made = outlooks.polygon(Asked(20).ground, estimate(NOW, people(NOW)))
    outlooks.planned = lambda _: ()
    outlooks.forget()
    added = [told.occupancy - before.occupancy for told, before in zip(made.points, bare.points, strict=True)]
    assert added[:5] == pytest.approx([0] * 5, abs=1)
    assert added[7] == pytest.approx(500, rel=0.1)
