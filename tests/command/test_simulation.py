"""A played district: its controls, and what the screens are told of its pace."""

import httpx
import pytest
from tests.command.conftest import Live, served
from tests.command.test_api import refused
from tests.command.test_live import following, take
from tests.waiting import PATIENCE_S, wait_for

from anlan.kernel.errors import NotFound


class Played:
    """Somebody who plays a district and remembers what was asked."""

    def __init__(self):
        self.scenario, self.speed, self.paused = "day", 10.0, False

    def status(self):
        return {
            "kind": "twin",
            "scenario": self.scenario,
            "scenarios": [{"id": one, "name": {"zh": one, "en": one}} for one in ("day", "eve")],
            "speed": self.speed,
            "paused": self.paused,
            "now": "2026-12-31T10:00:00Z",
        }

    def control(self, scenario, speed, paused):
        if scenario not in {None, "day", "eve"}:
            raise NotFound(f"scenario={scenario!r}", "must be one of day, eve", "choose one")
        self.scenario = scenario or self.scenario
        self.speed = speed or self.speed
        self.paused = self.paused if paused is None else paused
        return self.status()


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    made = Live(tmp_path_factory.mktemp("played"), simulation=Played())
    with served(made.app) as made.url, httpx.Client(base_url=f"{made.url}/api/v1", timeout=PATIENCE_S) as made.http:
        yield made
    made.district.close()


def test_a_played_district_says_that_it_is(played):
    assert played.http.get("/district").json()["simulated"] is True
    told = played.http.get("/simulation").json()
    assert (told["kind"], told["scenario"], [one["id"] for one in told["scenarios"]]) == ("twin", "day", ["day", "eve"])


def test_speed_and_pause_change_and_every_screen_is_told(played):
    with following(played) as feed:
        wait_for(lambda: played.app.state.hub.n_clients == 1)
        told = played.http.post("/simulation", json={"speed": 30, "paused": True}).json()
        assert (told["speed"], told["paused"]) == (30, True)
        until = [message for message in take(feed, 2, "clock") if message[2]["speed"] == 30]
    assert until
    assert until[-1][0] is None
    assert until[-1][2]["paused"] is True


def test_another_day_makes_every_screen_read_anew(played):
    played.minute()
    with following(played) as feed:
        take(feed, 1)
        assert played.http.post("/simulation", json={"scenario": "eve"}).json()["scenario"] == "eve"
        assert take(feed, 1, "resync")
    with following(played) as feed:
        assert next(feed)[1] == "clock"


@pytest.mark.parametrize(
    "body", [{"speed": 0}, {"speed": -1}, {"speed": "fast"}, {"speed": 1e9}, {"paused": "perhaps"}]
)
def test_a_pace_that_is_none_is_refused(played, body):
    refused(played.http.post("/simulation", json=body), 422, "bad_input")


def test_an_unknown_day_is_told(played):
    assert "eve" in refused(played.http.post("/simulation", json={"scenario": "never"}), 404, "not_found")["rule"]
