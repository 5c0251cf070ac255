"""A server as a user starts and stops it, and what the verbs say of it."""

import json
import shutil
import socket
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.cli.conftest import Started, signed
from tests.small import ring, square
from tests.waiting import PATIENCE_S

from anlan.cli.serving import listening
from anlan.ingest import encode
from anlan.kernel.records import Observation
from anlan.store import SqlStore

QUAY = ring(square(100, -400, 80, 600))


@pytest.fixture(scope="module")
def served(pack_folder, tmp_path_factory):
    made = Started(
        "serve", "--district", pack_folder, "--data", tmp_path_factory.mktemp("served"), "--port", 0, "--mqtt-port", 0
    )
    now = datetime.now(UTC)
    seen = [
        Observation(device_id="quay-1", begin_at=now - timedelta(minutes=1), end_at=now, sequence=1, n_present=90),
        Observation(
            device_id="garden-1", begin_at=now - timedelta(minutes=1), end_at=now, sequence=1, n_in=60, n_out=10
        ),
    ]
    for one in seen:
        made.http.post("/observations", content=encode(one)).raise_for_status()
    made.http.post("/watches", json={"name": "前排", "polygon": QUAY}).raise_for_status()
    yield made
    made.interrupt()


def test_the_server_says_where_it_is_and_where_devices_publish(served):
    assert served.http.get("/healthz").json() == {"status": "ok"}
    said = "".join(served.said)
    assert "anlan/observations/<device>" in said


@pytest.mark.parametrize(
    ("ask", "path"),
    [(["places"], "/places"), (["areas"], "/areas/street"), (["devices"], "/devices"), (["watches"], "/watches")],
)
def test_a_verb_gives_a_program_what_the_api_gives(served, anlan, ask, path):
    status, out, _ = anlan(*ask, "--url", served.url, "--json")
    assert status == 0
    told, expected = json.loads(out), served.http.get(path).json()
    assert told.keys() == expected.keys()
    assert [one["id"] for one in next(iter(told.values()))] == [one["id"] for one in next(iter(expected.values()))]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (["places", "--lang", "zh"], ["场所", "园", "滩"]),
        (["places", "--lang", "en"], ["place", "Garden", "Quay"]),
        (["areas", "--lang", "zh"], ["西街", "东街"]),
        (["areas", "--lang", "en", "--level", "district"], ["Small"]),
        (["devices", "--lang", "zh"], ["滩一", "设备"]),
        (["devices", "--lang", "en"], ["Quay 1", "state", "ok", "never"]),
        (["watches", "--lang", "en"], ["前排"]),
    ],
)
def test_a_table_is_for_people_in_either_language(served, anlan, ask, words):
    status, out, _ = anlan(*ask, "--url", served.url)
    assert status == 0
    assert [word for word in words if word not in out] == []


def test_a_polygon_in_a_file_is_counted(served, anlan, tmp_path):
    file = tmp_path / "quay.geojson"
    file.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": QUAY}))
    status, out, _ = anlan("count", "--polygon", file, "--url", served.url, "--json")
    assert status == 0
    assert json.loads(out)["walkable_m2"] == pytest.approx(46_000, rel=0.1)
    status, out, _ = anlan("count", "--polygon", file, "--url", served.url, "--lang", "en")
    assert status == 0
    assert "people" in out


def test_a_measure_is_tried_and_a_gate_below_zero_is_refused(served, anlan):
    ask = ("try", "metering", "--place", "garden", "--minutes", "10", "--url", served.url)
    status, out, _ = anlan(*ask, "--per-minute", "5", "--lang", "en")
    assert status == 0
    assert "garden" in out
    status, _, told = anlan(*ask, "--per-minute", "-1")
    assert status == 2
    assert "per_minute=-1.0" in told


@pytest.mark.parametrize(
    ("text", "status", "word"),
    [
        ("{", 2, "GeoJSON"),
        ('{"type": "Point", "coordinates": [121.48, 31.22]}', 2, "Polygon"),
        (None, 2, "No such file"),
    ],
)
def test_a_file_that_is_no_polygon_is_told(served, anlan, tmp_path, text, status, word):
    file = tmp_path / "file.geojson"
    if text:
        file.write_text(text)
    got, out, err = anlan("count", "--polygon", file, "--url", served.url, "--lang", "en")
    assert (got, out) == (status, "")
    assert word in err
    assert len(err.strip().splitlines()) == 1


def test_an_error_of_the_server_keeps_its_kind(served, anlan):
    asked = ("areas", "--level", "nothing", "--url", served.url)
    status, _, err = anlan(*asked, "--lang", "en")
    assert status == 3
    assert "must be one of district, street" in err
    status, _, err = anlan(*asked)
    assert status == 3
    assert "须为以下之一：district, street" in err
    assert "must" not in err


def test_the_log_is_verified_by_the_server_and_from_the_folder(served, anlan, tmp_path):
    status, out, _ = anlan("audit", "verify", "--url", served.url)
    assert (status, "ok" in out) == (0, True)
    store = SqlStore.open(f"sqlite:///{tmp_path / 'records.db'}")
    store.close()
    assert anlan("audit", "verify", "--data", tmp_path)[0] == 0


def test_a_log_that_was_touched_is_found(started, anlan, pack_folder, tmp_path):
    one = started("serve", "--district", pack_folder, "--data", tmp_path / "d", "--port", 0, "--mqtt-port", 0)
    for k in range(3):
        one.http.post("/watches", json={"name": f"w{k}", "polygon": QUAY}).raise_for_status()
    assert one.interrupt()[0] == 0
    with sqlite3.connect(tmp_path / "d" / "records.db") as db:
        for name, text in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall():
            assert "change" in text
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE change SET body = replace(body, 'w1', 'w9') WHERE change_id = 2")
    db.close()
    status, out, _ = anlan("audit", "verify", "--data", tmp_path / "d")
    assert (status, "2" in out, "broken" in out) == (1, True, True)


def test_an_answer_on_a_connection_that_is_kept_open_does_not_wait_for_the_other_side():
    """Without its protocol named, asyncio leaves Nagle's delay on, and each answer comes 40 ms late."""
    with listening(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_no_server_where_one_is_asked_for_is_told(anlan):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    status, _, err = anlan("places", "--url", f"http://127.0.0.1:{port}")
    assert status == 7
    assert str(port) in err
    assert "--url" in err


def test_a_port_in_use_is_told_with_what_to_do(anlan, pack_folder, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for verb in ("serve", "demo"):
            status, _, err = anlan(verb, "--district", pack_folder, "--data", tmp_path / verb, "--port", port)
            assert status == 7
            assert f"port {port} must be free" in err
            assert "--port" in err
            assert "Traceback" not in err


def test_an_mqtt_port_in_use_is_told_and_ends_the_server(anlan, pack_folder, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = anlan("serve", "--district", pack_folder, "--data", tmp_path, "--port", 0, "--mqtt-port", port)
    assert status == 7
    assert f"MQTT port {port}" in err
    assert "Traceback" not in err


def test_a_folder_that_another_server_holds_is_told(started, anlan, pack_folder, tmp_path):
    started("serve", "--district", pack_folder, "--data", tmp_path, "--port", 0, "--mqtt-port", 0)
    status, _, err = anlan("serve", "--district", pack_folder, "--data", tmp_path, "--port", 0, "--mqtt-port", 0)
    assert status == 7
    assert "another process" in err
    assert "--data" in err


def test_a_folder_that_cannot_be_written_is_told(anlan, pack_folder):
    status, _, err = anlan("serve", "--district", pack_folder, "--data", "/proc/none", "--port", 0, "--mqtt-port", 0)
    assert status == 7
    assert "/proc/none must be writable" in err


def test_an_unknown_district_is_told(anlan):
    status, _, err = anlan("serve", "--district", "atlantis")
    assert status == 3
    assert "atlantis" in err
    assert len(err.strip().splitlines()) == 1


def test_a_faulty_pack_is_told_with_its_row(anlan, pack_folder, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(pack_folder, broken)
    places = json.loads((broken / "places.geojson").read_text())
    places["features"][1]["properties"]["capacity"] = "[/red] many"
    (broken / "places.geojson").write_text(json.dumps(places))
    status, _, err = anlan("serve", "--district", broken, "--port", 0, "--mqtt-port", 0)
    assert status == 2
    assert "places.geojson, row 2" in err
    status, out, _ = anlan("district", "check", broken)
    assert status == 2
    assert "[/red] many" in out
    assert anlan("district", "check", pack_folder)[0] == 0


def test_ctrl_c_ends_the_server_at_once_with_a_screen_connected(started, pack_folder, tmp_path):
    one = started("serve", "--district", pack_folder, "--data", tmp_path, "--port", 0, "--mqtt-port", 0)
    ended = threading.Event()

    def follow():
        with httpx.stream("GET", f"{one.url}/api/v1/live", timeout=PATIENCE_S, headers=signed(one.url)) as answer:
            for _ in answer.iter_raw():
                pass
        ended.set()

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(0.5)
    status, took = one.interrupt()
    thread.join(PATIENCE_S)
    assert status == 0
    assert took < one.began_s
    assert ended.is_set()
    assert "Traceback" not in "".join(one.said)
