"""What the district counts for a case: incidents near a place before and after, and none that it cannot know."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from tests.matters.conftest import PLANE, picture, tall_pack
from tests.small import ring, square
from tests.waiting import PATIENCE_S

from anlan.cases import Action
from anlan.district import District
from anlan.kernel.access import Access, Actor, Grant
from anlan.kernel.clock import FollowedClock
from anlan.kernel.errors import BadInput, NotFound
from anlan.matters import NewCase, standing
from anlan.staff import read_roles

FIRST = datetime(2026, 1, 5, 2, tzinfo=UTC)
DAY = timedelta(days=1)
HERE, ELSEWHERE = (-300.0, -300.0), (300.0, 300.0)


class Street:
    """A district whose calls and whose improvement of one corner the test tells, day by day."""

    def __init__(self, folder):
        self.clock = FollowedClock(FIRST)
        self.district = District.open(tall_pack(), folder, clock=self.clock)
        # A first line of the log: from now on, what is not there did not happen.
        self.district.watch("begun", ring(square(0, 0, 90)), "t")

    def calls(self, n, at=HERE, kind="disturbance", outcome="resolved"):
        (lon,), (lat,) = PLANE.to_degrees([at[0]], [at[1]])
        for _ in range(n):
            one = self.district.reach.raise_incident(kind, float(lon), float(lat), "desk").incident
            self.district.reach.close(one.incident_id, outcome, "desk")

    def day(self, n):
        self.clock.set(FIRST + n * DAY)

    def open(self, **filled):
        (lon,), (lat,) = PLANE.to_degrees([HERE[0]], [HERE[1]])
        new = NewCase(type_id="place_improvement", lon=float(lon), lat=float(lat),
                      filled={"kind": "disorder", "grounds": "calls every night"} | filled)  # fmt: skip
        self.case_id = self.district.matters.open(new, self.who("analyst")).case_id

    def who(self, role, unit="", area="d"):
        grant = Grant(role_id="", area_id=area, from_at=FIRST, office_id=unit)
        rights = frozenset({"cases.read", "cases.act", f"cases.place_improvement.{role}"})
        access = Access(read_roles(), self.district.pack.areas)
        return standing(access, Actor(actor_id=f"a {role}", grants=(grant,), rights=rights), FIRST)

    def step(self, name, role, *, unit="", evidence=(), **filled):
        who = self.who(role, unit)
        files = {one: self.district.matters.room.put(picture(f"{name} {one}"), who.actor_id) for one in evidence}
        action = Action(transition=name, filled=filled, evidence=files)
        self.district.matters.act(self.case_id, action, who)

    def improve(self):
        """List, mend, accept and delist, all on one day."""
        self.step("list", "supervisor")
        finish_by = (self.clock.now() + DAY).date().isoformat()
        self.step("plan", "responsible", unit="u", evidence=["photo_before"], measures="lamps", finish_by=finish_by)
        self.step("report", "responsible", unit="u", evidence=["photo_after"])
        self.step("delist", "inspector", unit="other", evidence=["report"], n_defects=0)

    def counted(self):
        return self.district.counts.numbers(self.case_id, self.who("analyst"))

    def fields(self):
        return self.district.matters.read(self.case_id, self.who("analyst")).fields


@pytest.fixture
def street(tmp_path):
    made = Street(tmp_path)
    yield made
    made.district.close()


def test_calls_near_the_place_are_counted_by_kind_and_nearness(street):
    street.day(5)
    street.calls(9)  # more than ninety days before the listing
    street.day(50)
    street.calls(7)
    street.calls(2, kind="fight")
    street.calls(3, kind="medical")
    street.calls(4, outcome="duplicate")
    street.calls(20, at=ELSEWHERE)
    street.calls(1, at=(HERE[0] + 140, HERE[1]))
    street.day(100)
    street.open()
    assert street.fields()["n_before"] == 9


def test_a_number_that_is_told_by_hand_stands(street):
    street.day(100)
    street.open(n_before=31)
    assert street.fields()["n_before"] == 31
    numbers, _ = street.counted()
    assert [(one.field_id, one.value) for one in numbers] == [("n_before", 0), ("n_after", None)]


def test_what_lies_before_the_first_line_of_the_log_is_unknown_and_must_be_told(street):
    street.day(30)
    with pytest.raises(BadInput, match="field n_before must be filled in"):
        street.open()
    street.open(n_before=12)
    assert street.counted()[0][0].value is None


def test_the_days_after_are_compared_while_they_run_and_counted_when_they_are_over(street):
    street.day(60)
    street.calls(36)
    street.calls(40, at=ELSEWHERE)
    street.day(100)
    street.open()
    street.improve()
    street.day(130)
    street.calls(2)
    street.calls(13, at=ELSEWHERE)
    street.day(131)
    numbers, (one,) = street.counted()
    assert [(n.value, n.whole) for n in numbers] == [(36, True), (2, False)]
    assert (one.change.n_before, one.change.n_after, one.change.elsewhere) == (36, 2, (40, 13))
    assert one.change.days_after == pytest.approx(31)
    street.day(195)
    street.step("finish", "analyst")
    assert street.fields()["n_after"] == 2
    assert street.counted()[1][0].change.verdict == "fell"
    street_closed = street.district.matters.read(street.case_id, street.who("analyst"))
    assert street_closed.case.state == "closed"


def test_whoever_may_not_see_the_case_is_told_no_number(street):
    street.day(100)
    street.open()
    with pytest.raises(NotFound, match="does not exist, or not for you"):
        street.district.counts.numbers(street.case_id, street.who("analyst", area="d-e"))


def test_whoever_counts_holds_nobody_up_who_writes(street):
    """Counting may wait for the incidents, and whoever writes one waits for the store: neither waits for both."""
    street.day(100)
    street.open()
    street.improve()
    street.day(195)
    wrote = []

    def count(_rule, _lies):
        other = threading.Thread(
            target=lambda: wrote.append(street.district.watch("other", ring(square(0, 0, 90)), "t"))
        )
        other.start()
        other.join(PATIENCE_S)
        return 4

    street.district.matters.count = count
    street.step("finish", "analyst")
    assert len(wrote) == 1
    assert street.fields()["n_after"] == 4
