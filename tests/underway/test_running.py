"""Triggers of a planned event run over what is counted: once, over restarts, and never on the unknown."""

import json
from datetime import timedelta

import pytest
from tests.matters.conftest import Kept
from tests.matters.test_keeping import HOME, play

from anlan.cases import Action
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.kernel.records import Estimate, Observation, UnknownReason
from anlan.matters import NewCase
from anlan.matters.follow import drop_beside
from anlan.store import DuckHistory, Step, casebook
from anlan.store.records import canonical
from anlan.underway import Underway

MINUTE = timedelta(minutes=1)
GROUND = "place:bund-promenade"
M2 = 1000.0


def estimate(at, density):
    """What is counted of a ground; unknown where there is no density."""
    if density is None:
        return Estimate(at=at, walkable_m2=M2, unknown=UnknownReason.NO_DEVICE)
    n = density * M2
    return Estimate(at=at, walkable_m2=M2, occupancy=n, low=0.9 * n, high=1.1 * n, density_per_m2=density)


class Running(Kept):
    """A district in which the example's event is running, and whose crowd the test tells by the minute."""

    def __init__(self, folder, url, until="running"):
        self.history = None
        super().__init__(folder, url)
        self.case_id, _ = play(self, "planned_event", until=until)
        self.commander = self.holding("commander", "cases.planned_event.commander", area="d")
        self.clock.set(self.clock.now().replace(second=0, microsecond=0) + MINUTE)

    def open(self):
        super().open()
        if self.history is not None:
            self.history.close()
        self.history = DuckHistory.open(self.folder / "history")
        self.underway = Underway(self.pack, self.matters, self.store, self.history, self.clock)

    def minutes(self, *densities, windows=None):
        """Let as many minutes go by; return the actions of the log for what fired and ended."""
        said = []
        for density in densities:
            at = self.clock.now()
            estimates = {GROUND: estimate(at, density), "place:bund-chenyi": estimate(at, 0.2)}
            self.history.commit_step(
                Step(at=at, low=0, high=0, occupancy=None, estimates=estimates, state=None, alerts=None)
            )
            self.underway.judge(estimates, windows or {}, at)
            said += [one.action for one in self.underway.tell()]
            self.clock.set(at + MINUTE)
        return said

    def step(self, name, **filled):
        return self.matters.act(self.case_id, Action(transition=name, filled=filled), self.commander)


@pytest.fixture
def running(tmp_path):
    made = Running(tmp_path, f"sqlite:///{tmp_path / 'records.db'}")
    yield made
    made.history.close()
    made.store.close()


def test_a_trigger_fires_once_after_its_time_and_ends_when_the_crowd_thins(running):
    assert running.minutes(3.0, 4.2, 4.3, 4.4) == []
    assert running.minutes(4.5, 4.6, 4.7) == ["fire"]
    assert running.underway.firings(running.commander)[0].highest == 4.7
    assert running.minutes(3.9) == ["end"]
    (one,) = running.underway.look(running.case_id, running.commander).firings
    assert (one.trigger.action, one.trigger.office) == ("关闭二号入口，现场广播分流", "二号口带班")
    assert (one.highest, one.at - one.since_at) == (4.7, 3 * MINUTE)
    assert running.minutes(4.2, 4.2, 4.2, 4.2) == ["fire"]


def test_two_triggers_of_one_zone_fire_each_for_itself(running):
    assert running.minutes(5.5, 5.5, 5.5, 5.5) == ["fire", "fire"]
    found = running.underway.firings(running.commander)
    assert [(one.row, one.above) for one in found] == [(1, 4.0), (2, 5.0)]
    assert [one.measure for one in found] == ["density_per_m2"] * 2


def test_what_is_unknown_neither_fires_nor_ends(running):
    assert running.minutes(4.5, None, 4.5, 4.5, 4.5) == []
    assert running.minutes(4.5) == ["fire"]
    assert running.minutes(None, None) == []
    assert running.underway.firings(running.commander)[0].ended_at is None


@pytest.mark.parametrize("before", [(4.5, 4.5), (4.5, 4.5, 4.5, 4.5), (4.5, 3.0), ()])
def test_a_restart_goes_on_from_what_was_counted(running, before):
    said = running.minutes(*before)
    running.again()
    said += running.minutes(4.5, 4.5, 4.5, 4.5, 4.5)
    assert said == ["fire"]


def test_a_minute_that_is_made_again_writes_nothing_twice(running):
    running.minutes(4.5, 4.5, 4.5)
    at = running.clock.now()
    assert running.minutes(4.5) == ["fire"]
    running.clock.set(at)
    running.again()
    estimates = {GROUND: estimate(at, 4.5)}
    running.underway.judge(estimates, {}, at)
    assert running.underway.tell() == ()
    assert running.underway.n_fired(running.case_id) == 1


def test_before_an_event_its_triggers_are_shown_and_do_not_fire(tmp_path):
    made = Running(tmp_path, f"sqlite:///{tmp_path / 'records.db'}", until="ready")
    assert made.minutes(6.0, 6.0, 6.0, 6.0, 6.0) == []
    shown = made.underway.look(made.case_id, made.commander)
    assert (shown.runs, [one.value for one in shown.triggers]) == (False, [6.0, 6.0])
    assert [one.estimate.occupancy for one in shown.zones] == [6000.0, 200.0]
    made.history.close()
    made.store.close()


def test_whoever_acts_in_the_case_answers_it_once_and_with_a_reason_where_it_is_not_done(running):
    running.minutes(4.5, 4.5, 4.5, 4.5)
    (one,) = running.underway.firings(running.commander)
    with pytest.raises(BadInput, match="must say why it is not done"):
        running.underway.mark(one.firing_id, "overruled", " ", running.commander, "commander")
    with pytest.raises(NotAllowed):
        running.underway.mark(one.firing_id, "done", "", running.reading("visitor"), "visitor")
    running.underway.mark(one.firing_id, "done", "二号口已关", running.commander, "commander")
    with pytest.raises(Conflict, match="was done by commander"):
        running.underway.mark(one.firing_id, "overruled", "no", running.commander, "commander")
    (again,) = running.underway.firings(running.commander)
    assert (again.mark, again.by, again.note) == ("done", "commander", "二号口已关")
    running.minutes(3.0)
    assert running.underway.firings(running.commander) == []


def test_what_is_said_with_an_answer_is_forgotten_with_the_case(running):
    running.minutes(4.5, 4.5, 4.5, 4.5)
    (one,) = running.underway.firings(running.commander)
    running.underway.mark(one.firing_id, "overruled", "烟火延后", running.commander, "commander")
    running.again()
    assert running.underway.look(running.case_id, running.commander).firings[0].note == "烟火延后"
    assert "烟火延后" not in str([line.body for line in running.store.changes(0, 10_000)])
    with running.store.writing() as connection:
        drop_beside(connection, running.case_id)
    assert running.store.kept("firing_note") == []
    assert running.underway.look(running.case_id, running.commander).firings[0].mark == "overruled"


def test_another_area_sees_nothing_of_it(running):
    running.minutes(4.5, 4.5, 4.5, 4.5)
    stranger = running.holding("stranger", "cases.planned_event.commander", area="d-e")
    assert running.underway.firings(stranger) == []
    with pytest.raises(NotFound):
        running.underway.look(running.case_id, stranger)
    (one,) = running.underway.firings(running.commander)
    with pytest.raises(NotFound):
        running.underway.mark(one.firing_id, "done", "", stranger, "stranger")


def test_the_end_of_an_event_ends_what_stands(running):
    running.minutes(4.5, 4.5, 4.5, 4.5)
    running.step("end", n_peak=1, n_triggered=1)
    assert running.minutes(4.5) == ["end"]
    assert running.underway.firings(running.commander) == []


def test_an_event_that_ended_while_nothing_ran_is_ended_at_the_next_minute(running):
    running.minutes(4.5, 4.5, 4.5, 4.5)
    running.step("end", n_peak=1, n_triggered=1)
    running.again()
    assert running.minutes(4.5) == ["end"]


def test_the_log_says_nothing_that_the_plan_says(running):
    running.minutes(4.5, 4.5, 4.5, 4.5)
    lines = [one for one in running.store.changes(0, 10_000) if one.kind == "trigger"]
    assert set(lines[0].body) == {"case", "row", "measure", "above", "since_at", "at", "highest", "ended_at"}


def flow_plan(running, device="walk-1"):
    """A running event whose trigger waits for the flow over a line."""
    told = dict(running.matters.kinds.current("planned_event").example[0].filled)
    told |= {
        "zones": [{"zone": "W", "ground": "步行街口", "capacity": 10, "area_m2": 9, "most_per_m2": 4}],
        "devices": [{"device": device, "zone": "W", "measure": "flow_per_min", "limit": 80}],
        "triggers": [
            {"zone": "W", "measure": "flow_per_min", "above": 100, "for_min": 1, "action": "x", "office": "y"}
        ],
    }
    return NewCase(type_id="planned_event", area_id=HOME, filled=told)


def test_a_ground_that_nobody_counts_is_refused(running):
    planner = running.holding("p", "cases.planned_event.planner")
    with pytest.raises(NotFound, match="ground='步行街口' must be a named place or a watched polygon"):
        running.matters.open(flow_plan(running), planner)
    new = flow_plan(running, "nobody")
    new.filled["zones"][0]["ground"] = "place:quay"
    with pytest.raises(NotFound, match="device='nobody' must be a device of the district"):
        running.matters.open(new, planner)


def test_a_name_that_one_alone_has_stands_for_its_id(running):
    new = flow_plan(running, "步一")
    new.filled["zones"][0]["ground"] = "Quay"
    made = running.matters.open(new, running.holding("p", "cases.planned_event.planner"))
    fields = running.matters.read(made.case_id, running.holding("p", "cases.planned_event.planner")).fields
    assert fields["zones"][0]["ground"] == "place:quay"
    assert fields["devices"][0]["device"] == "walk-1"


def test_the_flow_of_a_zone_is_that_of_its_devices_and_unknown_where_one_is_silent(running):
    new = flow_plan(running)
    new.filled["zones"][0]["ground"] = "place:quay"
    planner = running.holding("p", "cases.planned_event.planner")
    made = running.matters.open(new, planner)
    at = running.clock.now()
    busy = {"walk-1": ((at.timestamp() - 60, at.timestamp(), 80, 40, True),)}
    running.underway.judge({}, busy, at)
    assert running.underway.look(made.case_id, planner).zones[0].flow_per_min == 120
    assert running.underway.look(made.case_id, planner).devices[0].value == 120
    running.underway.judge({}, {}, at + MINUTE)
    assert running.underway.look(made.case_id, planner).triggers[0].value is None


def test_a_linked_device_tells_what_it_sees_itself(running):
    assert running.underway.look(running.case_id, running.commander).devices[0].value is None
    at = running.clock.now()
    seen = Observation(device_id="bund-promenade-view-1", begin_at=at - MINUTE, end_at=at, sequence=1, n_present=7200)
    running.history.accept([seen], received_at=at)
    running.minutes(1.0)
    (one,) = running.underway.look(running.case_id, running.commander).devices
    assert (one.limit, round(one.value, 2)) == (4.0, 2.0)


def test_what_an_event_saw_needs_no_typing(running):
    running.minutes(1.0, 2.0, 4.5, 4.5, 4.5, 4.5, 3.0)
    case = running.matters.read(running.case_id, running.commander)
    assert running.underway.most_present(case.case, case.kind, running.clock.now()) == 4700
    assert running.underway.n_fired(running.case_id) == 1


def test_next_year_begins_like_this_year(running):
    planner = running.holding("p", "cases.planned_event.planner")
    fresh = {"begins_at": "2027-10-01T19:00:00+08:00", "ends_at": "2027-10-01T22:00:00+08:00", "title": "又一年"}
    new = NewCase(type_id="planned_event", area_id=HOME, filled=fresh, like=running.case_id)
    made = running.matters.read(running.matters.open(new, planner).case_id, planner)
    last = running.matters.read(running.case_id, planner)
    assert made.fields["triggers"] == last.fields["triggers"]
    assert (made.fields["title"], made.fields["begins_at"][:4]) == ("又一年", "2027")
    assert made.fields["repeats_at"] == last.fields["begins_at"]
    assert "authority" not in made.fields
    with pytest.raises(BadInput, match="must be a planned_event"):
        running.matters.open(
            NewCase(type_id="planned_event", area_id=HOME, filled=fresh, like=hazard(running)), planner
        )


def hazard(running):
    return play(running, "hazard", until="found")[0]


def replanned(running, **tables):
    """Write other tables into the plan of the running event, as if it had been planned so."""
    with running.store.writing() as connection:
        row = casebook.row_of(connection, running.case_id)
        lines = casebook.steps_of(connection, [row["case_no"]])[row["case_no"]]
        made = [one | {"filled": canonical(json.loads(one["filled"]) | tables)} if k else one
                for k, one in enumerate(lines)]  # fmt: skip
        casebook.rewrite_steps(connection, row["case_no"], made)


def test_a_flow_goes_on_over_a_restart(running):
    replanned(
        running, zones=[{"zone": "W", "ground": "place:quay", "capacity": 9, "area_m2": 9, "most_per_m2": 4}],
        devices=[{"device": "walk-1", "zone": "W", "measure": "flow_per_min", "limit": 80}],
        triggers=[{"zone": "W", "measure": "flow_per_min", "above": 100, "for_min": 3, "action": "x", "office": "y"}],
    )  # fmt: skip
    said, windows = [], ()
    for k in range(5):
        at = running.clock.now()
        seen = Observation(device_id="walk-1", begin_at=at - MINUTE, end_at=at, sequence=k, n_in=90, n_out=30)
        running.history.accept([seen], received_at=at)
        windows = (*windows, (at.timestamp() - 60, at.timestamp(), 90, 30, True))
        said += [(k, one) for one in running.minutes(0.1, windows={"walk-1": windows})]
        if k == 1:
            running.again()
    assert said == [(3, "fire")]
