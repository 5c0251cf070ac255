"""The demo: a played district beside a real server, from the first line on the terminal to Ctrl-C."""

import os
import signal
import time
from pathlib import Path

import pytest
from tests.waiting import wait_for

from anlan.cli.demo import MARK
from anlan.kernel.clock import parse_moment

pytestmark = pytest.mark.slow


def now_of(one):
    return parse_moment(one.http.get("/simulation").json()["now"])


def gone(process_id):
    return not Path(f"/proc/{process_id}").exists()


@pytest.fixture(scope="module")
def playing(pack_folder, tmp_path_factory):
    from tests.cli.conftest import Started  # noqa: PLC0415 - a fixture of the same room

    one = Started("demo", "--district", pack_folder, "--port", 0, "--speed", 60, home=tmp_path_factory.mktemp("state"))
    begun = now_of(one)
    wait_for(lambda: now_of(one) > begun)
    yield one
    one.interrupt()


def test_time_runs_and_minutes_are_estimated(playing):
    wait_for(lambda: not playing.http.get("/simulation").json()["rushing"])
    wait_for(lambda: playing.http.get("/places/garden").json()["estimate"]["occupancy"] is not None)
    told = playing.http.get("/district").json()
    behind = parse_moment(told["now"]) - parse_moment(told["estimated_at"])
    assert told["simulated"] is True
    assert behind.total_seconds() < 300
    states = [device["state"] for device in playing.http.get("/devices").json()["devices"]]
    assert states.count("ok") >= 4


def test_a_pause_holds_the_districts_time_and_speed_moves_it(playing):
    assert playing.http.post("/simulation", json={"paused": True}).json()["paused"] is True
    time.sleep(1.0)
    held = now_of(playing)
    time.sleep(1.5)
    assert now_of(playing) == held
    playing.http.post("/simulation", json={"paused": False, "speed": 120})
    wait_for(lambda: (now_of(playing) - held).total_seconds() > 120)


def test_a_player_that_dies_is_told_and_the_page_goes_on(playing):
    (player,) = playing.players()
    os.kill(player, signal.SIGKILL)
    wait_for(lambda: playing.http.get("/simulation").json()["fault"])
    assert playing.http.get("/places").status_code == 200
    assert "the player ended" in "".join(playing.said)


def test_ctrl_c_ends_server_and_player_within_three_seconds(started, pack_folder, tmp_path):
    one = started("demo", "--district", pack_folder, "--port", 0, home=tmp_path)
    wait_for(one.players)
    players = one.players()
    status, took = one.interrupt()
    assert status == 0
    assert took < one.began_s
    assert all(gone(player) for player in players)
    assert "Traceback" not in "".join(one.said)


def test_a_player_whose_demo_was_killed_ends_by_itself(started, pack_folder, tmp_path):
    one = started("demo", "--district", pack_folder, "--port", 0, home=tmp_path)
    begun = now_of(one)
    wait_for(lambda: now_of(one) > begun)
    players = one.players()
    assert players
    one.kill()
    wait_for(lambda: all(gone(player) for player in players))


def test_two_demos_of_one_district_do_not_empty_each_others_folder(started, anlan, pack_folder, tmp_path, monkeypatch):
    one = started("demo", "--district", pack_folder, "--port", 0, home=tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    status, _, err = anlan("demo", "--district", pack_folder, "--port", 0)
    assert status == 7
    assert "another process" in err
    assert one.http.get("/district").status_code == 200


def test_a_folder_that_no_demo_made_is_never_emptied(anlan, pack_folder, tmp_path):
    (tmp_path / "precious").write_text("keep")
    status, _, err = anlan("demo", "--district", pack_folder, "--port", 0, "--data", tmp_path)
    assert status == 5
    assert str(tmp_path) in err
    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / MARK).exists()


def test_a_days_name_that_is_unknown_is_told(anlan, pack_folder, tmp_path):
    status, _, err = anlan(
        "demo", "--district", pack_folder, "--port", 0, "--data", tmp_path / "d", "--scenario", "never"
    )
    assert status == 3
    assert "never" in err
