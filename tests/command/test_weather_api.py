"""Weather comes in by HTTP and by MQTT, is told to whoever is signed in and to the screens, and is refused whole."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.command.conftest import Live, served
from tests.command.test_live import following, take
from tests.command.test_staff import House, code
from tests.waiting import PATIENCE_S, wait_for

from anlan.kernel.access import Actor, Grant

HOUR = timedelta(hours=1)


@pytest.fixture
def fresh(tmp_path):
    made = Live(tmp_path)
    with served(made.app) as made.url, httpx.Client(base_url=f"{made.url}/api/v1", timeout=PATIENCE_S) as made.http:
        yield made
    made.district.close()


def hour(live, after, **values):
    begin_at = live.clock.now().replace(minute=0) + after * HOUR
    return {"time": begin_at.isoformat(), **values}


def test_what_comes_in_is_told(fresh):
    nothing = fresh.http.get("/weather").json()
    assert nothing["measured"] is None
    assert {(one["rain_mm"], one["temperature_c"]) for one in nothing["ahead"]} == {(None, None)}
    said = {"hours": [hour(fresh, -1, rain_mm=0.4, temperature_c=6.1)]}
    assert fresh.http.post("/weather", json=said).json() == {"measured": 1, "foreseen": 0}
    said = {"hours": [hour(fresh, 1, rain_mm=2.0)], "issued_at": fresh.clock.now().isoformat()}
    assert fresh.http.post("/weather", json=said).json() == {"measured": 0, "foreseen": 1}
    told = fresh.http.get("/weather").json()
    assert told["measured"] == {"time": "2026-12-31T09:00:00Z", "rain_mm": 0.4, "temperature_c": 6.1}
    assert told["ahead"][1] == {"time": "2026-12-31T11:00:00Z", "rain_mm": 2.0, "temperature_c": None}
    assert len(told["ahead"]) == 12


def test_bad_weather_is_refused_in_both_languages_and_nothing_of_it_is_kept(fresh):
    said = {"hours": [hour(fresh, -1, rain_mm=0.4), hour(fresh, -2, temperature_c=75)]}
    answer = fresh.http.post("/weather", json=said)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["value"], error["rule"]) == ("hours[1].temperature_c=75", "must be -60 to 60 °C")
    assert error["zh"] == {"value": None, "rule": "须为 -60 至 60 °C", "next_step": "未知的不要填写"}
    assert fresh.http.get("/weather").json()["measured"] is None
    assert fresh.http.post("/weather", content=b"\xff").json()["error"]["zh"]["rule"].startswith("须符合报文格式")


def test_a_station_may_speak_mqtt(fresh):
    body = b'{"hours": [{"time": "2026-12-31T09:00:00Z", "temperature_c": -3.5}]}'
    receipt = fresh.district.door.receive("anlan/weather/roof", body).result(PATIENCE_S)
    assert (receipt.n_accepted, receipt.refusals) == (1, ())
    assert fresh.http.get("/weather").json()["measured"]["temperature_c"] == -3.5
    [refused] = fresh.district.door.receive("anlan/weather/roof", b"{}").result(PATIENCE_S).refusals
    assert "must be of the wire form" in refused.message


def test_the_screens_are_told(fresh):
    with following(fresh) as feed:
        wait_for(lambda: fresh.app.state.hub.n_clients == 1)
        fresh.http.post("/weather", json={"hours": [hour(fresh, -1, rain_mm=0.4)]})
        [(_, _, told)] = take(feed, 1, "weather")
    assert told == fresh.http.get("/weather").json()


def test_a_forecast_that_no_weather_moved_does_not_claim_it(fresh):
    fresh.grid()
    fresh.minute(12)
    fresh.http.post("/weather", json={"hours": [hour(fresh, -1, rain_mm=0.4)]})
    place = fresh.district.pack.places[0].place_id
    assert fresh.http.get(f"/places/{place}/forecast").json()["by_weather"] is False


def test_the_door_takes_it_from_whoever_may_hand_in_observations_alone(tmp_path):
    made = House(tmp_path)
    said = {"hours": [{"time": "2026-12-31T09:00:00Z", "rain_mm": 0.0}]}
    try:
        with served(made.app) as made.url:
            now = datetime.now(UTC)
            maker = Actor(actor_id="m", grants=(Grant(role_id="engineer", area_id=made.root, from_at=now),))
            with made.asking() as program:
                assert code(program.post("/weather", json=said)) == (401, "not_signed_in")
                assert code(program.get("/weather")) == (401, "not_signed_in")
                token, _ = made.staff.make_key("roof", ["observations.act"], made.root, maker, now)
                program.headers["authorization"] = f"Bearer {token}"
                assert program.post("/weather", json=said).status_code == 200
                assert program.get("/weather").status_code == 200
            with made.as_role("commander") as client:
                assert code(client.post("/weather", json=said)) == (403, "not_allowed")
                assert client.get("/weather").json()["measured"]["rain_mm"] == 0.0
    finally:
        made.district.close()
