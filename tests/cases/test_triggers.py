"""Triggers of a plan run over what was measured, simulated or real."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cases.walking import BEGIN, at_state, someone

from anlan.cases import Action, advance, replay, shipped_types
from anlan.cases.triggers import Trigger, fired, read_live
from anlan.kernel.errors import BadInput

HOLD = Trigger(zone="A", measure="density_per_m2", above=4, for_s=180, action="hold gate 2", office="gate 2")


def minutes(values):
    return {("A", "density_per_m2"): [(BEGIN + timedelta(minutes=k), value) for k, value in enumerate(values)]}


def fires(values):
    return [int((one.at - BEGIN).total_seconds() / 60) for one in fired([HOLD], minutes(values))]


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ([4.1, 4.1, 4.1, 4.1], [3]),
        ([4.1, 4.1, 4.1], []),
        ([4.0] * 9, []),
        ([5, 5, 4, 5, 5, 5, 5], [6]),
        ([5] * 9, [3]),
        ([5] * 4 + [3] + [5] * 4, [3, 8]),
        ([5, 5, None, 5, 5, 5, 5], [6]),
        ([None] * 9, []),
    ],
)
def test_a_trigger_fires_after_its_time_once_and_never_on_the_unknown(values, at):
    assert fires(values) == at


def test_a_gap_proves_nothing():
    late = [(BEGIN, 5.0), (BEGIN + timedelta(minutes=9), 5.0), (BEGIN + timedelta(minutes=10), 5.0)]
    assert fired([HOLD], {("A", "density_per_m2"): late}) == []
    with pytest.raises(BadInput, match="must not be before"):
        fired([HOLD], {("A", "density_per_m2"): late[::-1]})


def test_the_plan_of_the_example_is_rehearsed_on_a_simulated_crowd():
    values = next(told.case.values for told in replay(shipped_types().get("planned_event")) if told.trial.do == "end")
    triggers = read_live(shipped_types().get("planned_event").live, values).triggers
    swell = 4.4 * np.exp(-(((np.arange(180) - 90) / 30.0) ** 2)) + np.random.default_rng(1).normal(0, 0.02, 180)
    told = fired(triggers, minutes([float(one) for one in swell]))
    assert [one.trigger.action for one in told] == ["关闭二号入口，现场广播分流"]
    assert swell[:60].max() < 4 < told[0].highest
    assert told[0].at - told[0].since_at >= timedelta(minutes=3)


ROW = {"zone": "A", "measure": "occupancy", "above": 1, "for_min": 1, "action": "x", "office": "y"}
GROUND = {"zone": "A", "ground": "place:bund", "capacity": 10, "most_per_m2": 4}
DEVICE = {"device": "d", "zone": "A", "measure": "density_per_m2", "limit": 4}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"zones": [GROUND], "triggers": [{**ROW, "zone": "Z"}]}, "trigger of zone 'Z' must be one of A"),
        ({"zones": [GROUND], "devices": [{**DEVICE, "zone": "Z"}]}, "device of zone 'Z' must be one of A"),
        (
            {"zones": [GROUND], "devices": [DEVICE], "triggers": [{**ROW, "measure": "flow_per_min"}]},
            "flow in zone 'A' must be counted by a device of that zone",
        ),
    ],
)
def test_a_plan_that_could_never_run_is_refused(values, told):
    with pytest.raises(BadInput, match=told):
        read_live(shipped_types().get("planned_event").live, values)


def test_a_plan_is_refused_at_the_step_that_tells_it():
    kind, case = at_state("planned_event", "announced")
    values = {"zones": [{**GROUND, "area_m2": 9}], "triggers": [{**ROW, "zone": "Z"}]}
    with pytest.raises(BadInput, match="must be one of A"):
        advance(kind, case, Action(transition="plan", filled=values), someone("p", "planner"), at=case.history[-1].at)


@given(st.lists(st.one_of(st.none(), st.floats(0, 8)), max_size=60))
def test_it_never_fires_where_the_limit_was_not_passed(values):
    for k in fires(values):
        assert all(one is not None and one > HOLD.above for one in values[k - 3 : k + 1])
