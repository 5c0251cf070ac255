"""Each breach is announced once, ahead where it can be, with its reasons; unknown ends nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.small import small_pack

from anlan.crowd import AlertState, Judge, Outlook
from anlan.kernel.alerts import AlertAction, AlertKind
from anlan.kernel.errors import BadInput
from anlan.kernel.ladders import Also, Ladder, Measure, Rung, ladders_of_place
from anlan.kernel.records import Estimate, Observation, UnknownReason

BEGIN = datetime(2026, 12, 31, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACK = small_pack()
QUAY_M2 = 10_000.0
"""Its limits of density are 20, 30, 40 and 50 thousand people then; its capacity is 20,000."""


def judge_of(*ladders):
    wide = Ladder(of="quay", measure=Measure.SHARE, limits=(90, 91, 92, 93), source="out of the way")
    return Judge(replace(PACK, ladders=(wide, *ladders)))


def people(n, at, sd=0.05):
    return Estimate(at=at, walkable_m2=QUAY_M2, occupancy=float(n), sd=sd * n)


def unknown(at):
    return Estimate(at=at, walkable_m2=QUAY_M2, unknown=UnknownReason.STALE)


class Desk:
    """Judges one place minute by minute, and keeps what is announced."""

    def __init__(self, judge=None):
        self.judge = judge or judge_of()
        self.state, self.at, self.news = AlertState(), BEGIN, []

    def minute(self, n, *, seen=(), outlooks=None, sd=0.05):
        self.at += MINUTE
        estimate = unknown(self.at) if n is None else people(n, self.at, sd)
        self.state, news = self.judge.judge(self.state, {"place:quay": estimate}, self.at, seen, outlooks)
        self.news += news
        return [(one.action, one.alert.rung) for one in news]

    def minutes(self, *numbers):
        return [told for n in numbers for told in self.minute(n)]


def test_a_breach_is_announced_once_however_the_estimate_wavers():
    desk = Desk()
    assert desk.minute(33_000) == [(AlertAction.RAISE, Rung.YELLOW)]
    assert desk.minutes(*[29_500, 31_000, 28_900, 30_500] * 10) == []
    assert [alert.rung for alert in desk.state.standing()] == [Rung.YELLOW]


def test_it_escalates_eases_and_ends_each_once():
    desk = Desk()
    desk.minutes(*[33_000] * 5, *[56_000] * 12, *[35_000] * 40, *[9_000] * 40)
    told = [(one.action, one.alert.rung) for one in desk.news if one.action is not AlertAction.REACH]
    assert told[0] == (AlertAction.RAISE, Rung.YELLOW)
    assert (AlertAction.ESCALATE, Rung.RED) in told
    assert told[-1][0] is AlertAction.END
    assert len({one.alert.alert_id for one in desk.news}) == 1
    assert len(set(told)) == len(told)


def test_a_rising_crowd_is_announced_ahead_and_its_coming_in_the_same_alert():
    desk = Desk()
    told = [(k, *one) for k in range(60) for one in desk.minute(10_000 + 500 * k)]
    yellow_at = next(k for k, _, rung in told if rung is Rung.YELLOW)
    assert 40 - yellow_at >= 10  # 30,000 are reached at minute 40
    raised = next(one.alert for one in desk.news if one.alert.rung is Rung.YELLOW)
    assert raised.reached_at is None
    assert raised.expected_at > raised.since_at
    assert raised.grounds.ahead_s > 0
    assert [one.action for one in desk.news].count(AlertAction.RAISE) == 1


def test_a_forecast_of_another_takes_the_place_of_the_trend():
    desk = Desk()
    desk.minutes(*[15_000] * 10)
    looks = {"place:quay": (Outlook(ahead_s=1200.0, occupancy=45_000.0, sd=2_000.0),)}
    assert desk.minute(15_000, outlooks=looks) == [(AlertAction.RAISE, Rung.ORANGE)]
    alert = desk.state.standing()[0]
    assert alert.expected_at == desk.at + timedelta(minutes=20)
    assert desk.minutes(*[15_000] * 30)[-1] == (AlertAction.END, Rung.ORANGE)


def test_the_alert_says_why():
    desk = Desk()
    desk.minute(43_000)
    alert = desk.state.standing()[0]
    grounds = alert.grounds
    assert (grounds.measure, grounds.limit, grounds.ahead_s) == (Measure.DENSITY, 4.0, 0.0)
    assert grounds.value == pytest.approx(4.3)
    assert grounds.probability > 0.5
    assert all("Fruin" in text for text in (grounds.source["zh"], grounds.source["en"]))
    assert set(grounds.devices) == {"quay-1", "grid"}


def test_an_unsure_estimate_is_announced_by_probability_and_not_by_its_mean():
    assert Desk().minute(31_000, sd=0.8) == [(AlertAction.RAISE, Rung.NOTICE)]
    assert Desk().minute(31_000, sd=0.01) == [(AlertAction.RAISE, Rung.YELLOW)]


def test_unknown_ends_nothing_and_is_announced_itself():
    desk = Desk()
    desk.minutes(*[43_000] * 5)
    told = desk.minutes(*[None] * 40)
    assert told == [(AlertAction.RAISE, Rung.ORANGE)]
    kinds = {alert.kind for alert in desk.state.standing()}
    assert kinds == {AlertKind.CROWD, AlertKind.UNSEEN}
    assert desk.news[-1].alert.unknown is UnknownReason.STALE
    desk.minute(43_000)
    assert (desk.news[-1].action, desk.news[-1].alert.kind) == (AlertAction.END, AlertKind.UNSEEN)
    assert [alert.kind for alert in desk.state.standing()] == [AlertKind.CROWD]


def test_a_place_that_never_was_seen_raises_nothing():
    assert Desk().minutes(*[None] * 30) == []


def test_the_share_of_capacity_is_a_rule_of_its_own():
    desk = Desk(Judge(PACK))
    assert desk.minute(17_000) == [(AlertAction.RAISE, Rung.YELLOW)]
    assert desk.state.standing()[0].grounds.measure is Measure.SHARE


def passing(at, n_in, n_out, device="walk-1"):
    return Observation(
        device_id=device, begin_at=at - MINUTE, end_at=at, sequence=int(at.timestamp()), n_in=n_in, n_out=n_out
    )


def flows(n_in, n_out, minutes=8):
    desk = Desk()
    for _ in range(minutes):
        desk.minute(5_000, seen=[passing(desk.at + MINUTE, n_in, n_out)])
    return [alert for alert in desk.state.standing() if alert.kind is AlertKind.FLOW]


def test_a_stream_too_dense_for_its_width_is_announced_with_its_device():
    alert = flows(1_800, 0)[0]  # 20 m wide: 90 per metre and minute
    assert (alert.subject_id, alert.rung) == ("device:walk-1", Rung.ORANGE)
    assert alert.grounds.devices == ("walk-1",)
    assert flows(600, 0) == []


def test_a_line_that_has_calmed_down_is_announced_anew():
    desk = Desk()
    for n_in in ([1_800] * 8 + [0] * 12) * 2:
        desk.minute(5_000, seen=[passing(desk.at + MINUTE, n_in, 0)])
    told = [one.action for one in desk.news if one.alert.kind is AlertKind.FLOW]
    assert told.count(AlertAction.RAISE) == told.count(AlertAction.END) == 2
    assert desk.state.standing() == []


def test_a_line_that_falls_silent_keeps_its_alert():
    desk = Desk()
    for _ in range(8):
        desk.minute(5_000, seen=[passing(desk.at + MINUTE, 1_800, 0)])
    desk.minutes(*[5_000] * 30)
    assert [alert.subject_id for alert in desk.state.standing()] == ["device:walk-1"]


def test_opposing_streams_are_announced_earlier_than_one():
    assert flows(1_050, 0) == []
    alert = flows(550, 500)[0]
    assert alert.grounds.also is Also.COUNTERFLOW
    assert alert.grounds.other == pytest.approx(500 / 1050, abs=0.01)


def test_two_conditions_must_hold_together():
    stairs = Ladder(
        of="quay", measure=Measure.DENSITY, limits=(None, None, None, 3.5), source="IMO", also=Also.FILLING, above=1.5
    )
    still, filling = Desk(judge_of(stairs)), Desk(judge_of(stairs))
    still.minutes(*[36_500] * 30)
    filling.minutes(*[36_500 - 300 * (30 - k) for k in range(31)])
    assert still.state.standing()[0].rung is Rung.YELLOW
    assert filling.state.standing()[0].rung is Rung.RED
    assert filling.state.standing()[0].grounds.also is Also.FILLING


def test_a_closed_place_gains_what_its_gates_count():
    judge = judge_of(
        Ladder(of="garden", measure=Measure.NET_INFLOW, limits=(None, 1.0, None, None), source="its doors")
    )
    state = AlertState()
    for k in range(1, 7):
        at = BEGIN + k * MINUTE
        seen = [passing(at, 100, 5, "garden-1"), passing(at, 60, 5, "garden-2")]
        state, _ = judge.judge(state, {"place:garden": people(900, at)}, at, seen)
    alert = state.standing()[0]
    assert (alert.subject_id, alert.rung) == ("place:garden", Rung.YELLOW)
    assert alert.grounds.value == pytest.approx(150 / 60)


def garden(ladder, n_in, n_out, people_now=900):
    """Return what stands of the closed place after some minutes of so many people through each of its gates."""
    judge, state = judge_of(ladder), AlertState()
    for k in range(1, 7):
        at = BEGIN + k * MINUTE
        seen = [passing(at, n_in, n_out, "garden-1"), passing(at, n_in, n_out, "garden-2")]
        state, _ = judge.judge(state, {"place:garden": people(people_now, at)}, at, seen)
    return state.standing()


@pytest.mark.parametrize(
    ("also", "above", "crossing", "calm"),
    [(Also.COUNTERFLOW, 0.25, (60, 50), (60, 5)), (Also.IMBALANCE, 2.0, (60, 10), (60, 55))],
)
def test_a_place_is_judged_by_what_goes_through_its_gates_both_ways(also, above, crossing, calm):
    limits = (None, 0.05, None, None)
    ladder = Ladder(of="garden", measure=Measure.DENSITY, limits=limits, source="gates", also=also, above=above)
    (alert,) = garden(ladder, *crossing)
    assert (alert.rung, alert.grounds.also) == (Rung.YELLOW, also)
    assert alert.grounds.other == pytest.approx(min(crossing) / sum(crossing) if also is Also.COUNTERFLOW else 6.0)
    assert garden(ladder, *calm) == []


def test_nothing_is_gained_over_a_line_that_does_not_tell_in_from_out():
    net = Ladder(of="sum-1", measure=Measure.NET_INFLOW, limits=(None, 0.1, None, None), source="none")
    desk = Desk(judge_of(net))
    end_at = desk.at + MINUTE
    begin_at = end_at - timedelta(hours=1)
    passed = Observation(device_id="sum-1", begin_at=begin_at, end_at=end_at, sequence=1, n_passed=3_000)
    desk.minute(5_000, seen=[passed])
    assert desk.state.standing() == []


@settings(max_examples=30)
@given(numbers=st.lists(st.none() | st.integers(20, 70_000), min_size=2, max_size=40), cut=st.integers(0, 39))
def test_a_restart_repeats_nothing_and_changes_nothing(numbers, cut):
    whole, cut_off = Desk(), Desk()
    for k, n in enumerate(numbers):
        whole.minute(n)
        cut_off.minute(n)
        if k == cut:
            cut_off.state = AlertState.from_bytes(cut_off.state.to_bytes())
    assert cut_off.news == whole.news


@settings(max_examples=50)
@given(numbers=st.lists(st.none() | st.integers(20, 70_000), min_size=1, max_size=60))
def test_of_each_alert_a_raise_comes_first_an_end_last_and_every_rung_changes(numbers):
    desk = Desk()
    desk.minutes(*numbers)
    for alert_id in {one.alert.alert_id for one in desk.news}:
        news = [one for one in desk.news if one.alert.alert_id == alert_id]
        actions = [one.action for one in news]
        assert actions[0] is AlertAction.RAISE
        assert AlertAction.RAISE not in actions[1:]
        assert AlertAction.END not in actions[:-1]
        for before, after in pairwise(news):
            moved = after.alert.rung - before.alert.rung
            assert {AlertAction.ESCALATE: moved > 0, AlertAction.EASE: moved < 0}.get(after.action, moved == 0)


def test_the_state_of_another_form_is_refused():
    with pytest.raises(BadInput, match="start afresh"):
        AlertState.from_bytes(b'{"subjects": 3}')


def test_the_more_particular_ladder_holds():
    quay = PACK.place("quay")
    by_kind = Ladder(of="promenade", measure=Measure.SHARE, limits=(0.5, 0.6, 0.7, 0.8), source="kind")
    by_id = Ladder(of="quay", measure=Measure.SHARE, limits=(0.1, 0.2, 0.3, 0.4), source="place")
    found = {one.key: one.source for one in ladders_of_place((by_id, by_kind), quay)}
    assert found["share_of_capacity"] == "place"
    found = {one.key: one.source for one in ladders_of_place((by_kind,), quay)}
    assert found["share_of_capacity"] == "kind"
    assert "Seoul" in found["density"]["en"]


@pytest.mark.parametrize("limits", [(2, 4, 3, 5), (None, None, None, None), (0, 1, 2, 3), (2, 2, 3, 4)])
def test_a_ladder_that_does_not_rise_is_refused(limits):
    with pytest.raises(BadInput):
        Ladder(of="*", measure=Measure.DENSITY, limits=limits, source="none")


def without(place_id=None, device_id=None):
    """Return a judge of a pack that has lost a place, or a device."""
    places = tuple(place for place in PACK.places if place.place_id != place_id)
    devices = tuple(device for device in PACK.devices if device.device_id != device_id)
    return Judge(replace(PACK, places=places, devices=devices))


def test_a_line_that_the_pack_has_lost_since_does_not_stop_the_judging():
    desk = Desk()
    window = {"begin_at": BEGIN, "end_at": BEGIN + MINUTE}
    desk.minute(33_000, seen=[Observation(device_id="walk-1", sequence=0, n_in=20, n_out=30, **window)])
    assert set(desk.state.windows) == {"walk-1"}
    desk.judge = without(device_id="walk-1")
    desk.minute(56_000)
    assert desk.state.windows == {}
    assert (desk.news[-1].action, desk.news[-1].alert.rung) == (AlertAction.ESCALATE, Rung.RED)


def test_what_stands_of_a_place_that_the_pack_has_lost_since_ends():
    desk = Desk()
    desk.minute(33_000)
    [alert] = desk.state.standing()
    desk.judge = without(place_id="quay")
    desk.minute(33_000)
    assert (desk.news[-1].action, desk.news[-1].alert.alert_id) == (AlertAction.END, alert.alert_id)
    assert desk.state.standing() == []
    assert desk.minute(33_000) == []
