"""Alerts through the store, the log, the API and a restart."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from tests.command.conftest import MINUTE, Live
from tests.command.test_api import refused, strict

from anlan.command import create_app
from anlan.crowd import AlertState
from anlan.crowd.forecast import PlannedEvent
from anlan.district import District
from anlan.kernel.records import Estimate

QUAY_M2 = 10_000.0


class Crowded(Live):
    """A small district whose estimate of the quay is the test's, so that it is the alerts that are tested."""

    people: float | None = None

    def minute(self, n=1, *, people=None):
        if people is not None:
            self.people = people
        super().minute(n)


@pytest.fixture
def crowded(tmp_path, monkeypatch):
    made = Crowded(tmp_path)

    def many(counter, field, parts, at):
        estimates = real(counter, field, parts, at)
        if made.people is not None and len(parts) > 3:
            quay = Estimate(at=at, walkable_m2=QUAY_M2, occupancy=made.people, sd=0.02 * made.people)
            estimates[2] = quay  # the district itself, the garden, then the quay
        return estimates

    real = type(made.district._counting.counter).many
    monkeypatch.setattr(type(made.district._counting.counter), "many", many)
    made.grid()
    yield made
    made.district.close()


@pytest.fixture
def asked(crowded):
    transport = httpx.ASGITransport(app=crowded.app)

    class Asking:
        def __getattr__(self, verb):
            def ask(path, **more):
                async def once():
                    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as client:
                        return await getattr(client, verb)(path, **more)

                return asyncio.run(once())

            return ask

    return Asking()


def actions(district):
    return [(change.action, change.actor) for change in district.changes() if change.kind == "alert"]


def test_a_breach_is_a_record_and_a_line_of_the_log(crowded, asked):
    heard = []
    crowded.district.subscribe(lambda kind, content: heard.append((kind, content)))
    crowded.minute(8, people=19_000.0)
    assert actions(crowded.district) == [("raise", "anlan")]
    told = strict(asked.get("/alerts"))
    alert = told["alerts"][0]
    assert (alert["subject"]["id"], alert["rung"], alert["standing"]) == ("quay", "orange", True)
    assert alert["subject"]["name"] == {"zh": "滩", "en": "Quay"}
    assert alert["grounds"]["measure"] == "share_of_capacity"
    assert alert["grounds"]["value"] == pytest.approx(0.95)
    assert alert["grounds"]["devices"] == ["quay-1", "grid"]
    assert [content["change"].kind for kind, content in heard if kind == "change"] == ["alert"]
    assert crowded.district.verify().ok


def test_what_is_planned_is_announced_ahead_and_named_as_the_reason(crowded, asked):
    begin_at = crowded.clock.now() + timedelta(minutes=101)  # the first come an hour and a half before
    fair = PlannedEvent(begin_at=begin_at, end_at=begin_at + timedelta(hours=2), added={"place:quay": 150_000.0})
    crowded.district._outlooks.planned = lambda _: (fair,)
    crowded.minute(12, people=2_000.0)
    (alert,) = strict(asked.get("/alerts"))["alerts"]
    assert alert["subject"]["id"] == "quay"
    assert alert["reached_at"] is None
    assert alert["lead_s"] > 0
    assert alert["grounds"]["rests_on"] == ["trend", "plan"]
    told = asked.get("/places/quay/forecast").json()
    assert told["basis"] == "plan"
    assert told["points"][-1]["occupancy"] > 30_000


def test_an_alert_that_was_kept_before_reasons_were_told_is_read(crowded, asked):
    crowded.minute(3, people=19_000.0)
    alert_id = strict(asked.get("/alerts"))["alerts"][0]["id"]
    record = crowded.district._duty._records[alert_id]
    del record.body["alert"]["grounds"]["rests_on"]
    crowded.district._duty._state = AlertState()
    assert strict(asked.get(f"/alerts/{alert_id}"))["grounds"]["rests_on"] == []


def test_somebody_acknowledges_once_and_the_log_tells(crowded, asked):
    crowded.minute(3, people=19_000.0)
    alert_id = strict(asked.get("/alerts"))["alerts"][0]["id"]
    made = strict(asked.post(f"/alerts/{alert_id}/acknowledge", json={"note": "patrol is going"}))
    assert (made["action"], made["actor"]) == ("acknowledge", "desk")
    assert strict(asked.get(f"/alerts/{alert_id}"))["acknowledged"]["note"] == "patrol is going"
    refused(asked.post(f"/alerts/{alert_id}/acknowledge", json={"note": ""}), 409, "conflict")
    refused(asked.post("/alerts/place:moon@1/acknowledge", json={"note": ""}), 404, "not_found")
    refused(asked.post(f"/alerts/{alert_id}/close", json={"note": " "}), 422, "bad_input")
    refused(asked.post(f"/alerts/{alert_id}/close", json={"note": "x" * 501}), 422, "bad_input")


def test_a_closed_alert_stays_closed_until_it_is_worse(crowded, asked):
    crowded.minute(3, people=17_000.0)
    alert_id = strict(asked.get("/alerts"))["alerts"][0]["id"]
    asked.post(f"/alerts/{alert_id}/close", json={"note": "a known gathering"})
    crowded.minute(5)
    assert strict(asked.get("/alerts"))["alerts"] == []
    assert [one["id"] for one in strict(asked.get("/alerts?past_hours=1"))["alerts"]] == [alert_id]
    crowded.minute(1, people=29_000.0)
    assert [one["rung"] for one in strict(asked.get("/alerts"))["alerts"]] == ["red"]


def test_a_restart_repeats_nothing(crowded, tmp_path):
    crowded.minute(7, people=19_000.0)
    before = actions(crowded.district)
    crowded.district.close()
    crowded.district = District.open(crowded.district.pack, tmp_path, clock=crowded.clock)
    assert [one.alert.rung.name for one in crowded.district.alerts()] == ["ORANGE"]
    crowded.clock.set(crowded.clock.now() + MINUTE)
    assert crowded.district.advance() > 1  # minutes behind the kept state are made again
    crowded.minute(4)
    assert actions(crowded.district) == before
    crowded.minute(12, people=2_000.0)
    assert actions(crowded.district)[-1] == ("end", "anlan")
    assert crowded.district.alerts() == []


def untold(crowded, tmp_path, monkeypatch, people):
    """Let a state be kept of which the log was never told, as where the program is killed between the two."""
    with monkeypatch.context() as killed:
        killed.setattr(type(crowded.district._duty), "tell", lambda _: ())
        crowded.minute(6, people=people)  # in five minutes a state is kept
        crowded.district.close()
    crowded.district = District.open(crowded.district.pack, tmp_path, clock=crowded.clock)
    crowded.minute(2)


def test_what_the_log_was_not_told_before_a_kill_is_told_after_it(crowded, tmp_path, monkeypatch):
    untold(crowded, tmp_path, monkeypatch, 19_000.0)
    assert actions(crowded.district) == [("raise", "anlan")]
    untold(crowded, tmp_path, monkeypatch, 29_000.0)
    assert actions(crowded.district)[1:] == [("escalate", "anlan")]
    assert [one.alert.rung.name for one in crowded.district.alerts()] == ["RED"]
    crowded.minute(2, people=2_000.0)
    for _ in range(3):
        untold(crowded, tmp_path, monkeypatch, 2_000.0)
    assert actions(crowded.district)[2] == ("end", "anlan")
    assert "place:quay" not in {one.alert.subject_id for one in crowded.district.alerts()}


def test_a_district_that_begins_another_day_ends_what_stands(crowded):
    crowded.minute(3, people=19_000.0)
    crowded.district.reset_estimates()
    assert actions(crowded.district) == [("raise", "anlan"), ("end", "anlan")]
    assert crowded.district.alerts() == []


def test_a_day_that_is_played_again_announces_again_what_comes_at_the_same_minute(crowded):
    begin_at = crowded.clock.now()
    crowded.minute(2, people=2_000.0)
    crowded.minute(6, people=19_000.0)
    (first,) = crowded.district.alerts()
    crowded.district.close_alert(first.alert.alert_id, "a drill", "desk")
    crowded.minute(30, people=2_000.0)  # it is over before the day is
    crowded.clock.set(begin_at)
    crowded.district.reset_estimates()
    crowded.minute(2)
    crowded.minute(6, people=19_000.0)
    (second,) = crowded.district.alerts()
    assert second.alert.alert_id == first.alert.alert_id
    assert second.closed is None
    assert actions(crowded.district)[-1] == ("raise", "anlan")
    assert crowded.district.verify().ok


def test_a_day_that_is_played_again_is_another_day_after_a_restart_too(crowded, tmp_path):
    begin_at = crowded.clock.now()
    crowded.minute(2, people=2_000.0)
    crowded.minute(6, people=19_000.0)
    (first,) = crowded.district.alerts()
    crowded.minute(30, people=2_000.0)  # it is over before the day is
    crowded.clock.set(begin_at)
    crowded.district.reset_estimates()
    assert ("put_away", "anlan") in actions(crowded.district)
    crowded.district.close()
    crowded.district = District.open(crowded.district.pack, tmp_path, clock=crowded.clock)
    crowded.minute(2, people=2_000.0)
    crowded.minute(6, people=19_000.0)
    (second,) = crowded.district.alerts()
    assert second.alert.alert_id == first.alert.alert_id
    assert actions(crowded.district)[-1] == ("raise", "anlan")
    crowded.minute(30, people=2_000.0)
    crowded.district.reset_estimates()
    crowded.district.reset_estimates()
    n = len(actions(crowded.district))
    crowded.district.reset_estimates()
    assert len(actions(crowded.district)) == n  # what is put away is so once


def test_the_feed_tells_an_alert_as_it_is_raised(crowded):
    app = create_app(crowded.district)
    published = []
    app.state.hub.publish = lambda kind, content: published.append((kind, content))

    async def lived():
        async with app.router.lifespan_context(app):
            crowded.minute(2, people=19_000.0)

    asyncio.run(lived())
    told = [content for kind, content in published if kind == "change"]
    assert [(one["kind"], one["action"]) for one in told] == [("alert", "raise")]
    assert told[0]["body"]["alert"]["subject_id"] == "place:quay"
