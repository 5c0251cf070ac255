import socket
import subprocess
from pathlib import Path

import pytest
from tests.ingest.conftest import DEVICES, Sender, acknowledged, run_of, seen
from tests.ingest.test_door import Watched
from tests.ingest.test_kill import MOSQUITTO, free_port
from tests.waiting import until

from anlan.ingest import Door, MqttIngress, encode
from anlan.kernel.errors import BadInput, Unavailable

pytestmark = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed: install Debian's package mosquitto"
)


def serving(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Mosquitto:
    """The broker that most people run, on a free port of its own; it may be stopped and started."""

    def __init__(self, folder, *lines):
        self.port = free_port()
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            "\n".join([f"listener {self.port} 127.0.0.1", *(lines or ["allow_anonymous true"])]) + "\n"
        )
        self.start()

    def start(self):
        self.child = subprocess.Popen([MOSQUITTO, "-c", self.config], stderr=subprocess.DEVNULL)  # noqa: S603
        assert until(lambda: serving(self.port))

    def stop(self):
        self.child.terminate()
        self.child.wait()


@pytest.fixture
def mosquitto(tmp_path):
    mosquitto = Mosquitto(tmp_path)
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def watched(history):
    return Watched(history)


@pytest.fixture
def watched_door(watched, clock):
    door = Door(DEVICES, watched, clock)
    yield door
    watched.free.set()
    door.close()


def n_kept(history):
    return len(history.arrived(0)[0])


def test_what_is_published_elsewhere_comes_in(mosquitto, door, history):
    ingress = MqttIngress(f"mqtt://127.0.0.1:{mosquitto.port}", door)
    ingress.start()
    assert until(lambda: ingress.connected)
    with Sender(mosquitto.port) as sender:
        assert all(acknowledged(sender.send(encode(one))) for one in run_of(100))
        sender.send(b"{")
        assert until(lambda: n_kept(history) == 100)
        assert until(lambda: history.tallies()["gate"].n_refused == 1)
    ingress.close()
    assert not ingress.connected


def test_what_was_not_committed_comes_again_to_the_next_server(mosquitto, watched_door, watched, clock, history):
    url = f"mqtt://127.0.0.1:{mosquitto.port}"
    ingress = MqttIngress(url, watched_door)
    ingress.start()
    assert until(lambda: ingress.connected)
    watched.fault = Unavailable("the disk", "must have room", "free some")
    with Sender(mosquitto.port) as sender:
        assert all(acknowledged(sender.send(encode(one))) for one in run_of(30))
    assert until(lambda: ingress.last_fault is not None)
    ingress.close()
    assert n_kept(history) == 0
    next_door = Door(DEVICES, history, clock)
    ingress = MqttIngress(url, next_door)
    ingress.start()
    assert until(lambda: n_kept(history) == 30)
    ingress.close()
    next_door.close()


def test_what_could_not_be_committed_is_tried_again(mosquitto, watched_door, watched, history):
    ingress = MqttIngress(f"mqtt://127.0.0.1:{mosquitto.port}", watched_door)
    ingress.start()
    assert until(lambda: ingress.connected)
    watched.fault = Unavailable("the disk", "must have room", "free some")
    with Sender(mosquitto.port) as sender:
        assert all(acknowledged(sender.send(encode(one))) for one in run_of(50))
        assert until(lambda: "must have room" in (ingress.last_fault or ""))
        watched.fault = None
        assert until(lambda: n_kept(history) == 50)
    ingress.close()


def test_it_comes_back_when_the_broker_does(mosquitto, door, history):
    ingress = MqttIngress(f"mqtt://127.0.0.1:{mosquitto.port}", door)
    ingress.start()
    assert until(lambda: ingress.connected)
    mosquitto.stop()
    assert until(lambda: not ingress.connected)
    assert ingress.last_fault
    mosquitto.start()
    assert until(lambda: ingress.connected)
    with Sender(mosquitto.port) as sender:
        assert acknowledged(sender.send(encode(seen())))
        assert until(lambda: n_kept(history) == 1)
    ingress.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho drops a socket it cannot trust
def test_tls_and_password_are_taken_from_the_address(tmp_path, door):
    certificate(tmp_path)
    (tmp_path / "passwords").touch()
    subprocess.run(  # noqa: S603
        [Path(MOSQUITTO).parents[1] / "bin" / "mosquitto_passwd", "-b", tmp_path / "passwords", "anlan", "a:b/c"],
        check=True,
        capture_output=True,
    )
    (tmp_path / "passwords").chmod(0o644)
    tmp_path.chmod(0o755)
    lines = [f"certfile {tmp_path / 'cert.pem'}", f"keyfile {tmp_path / 'key.pem'}", "allow_anonymous false"]
    broker = Mosquitto(tmp_path, *lines, f"password_file {tmp_path / 'passwords'}", "user root")
    try:
        ingress = MqttIngress(f"mqtts://anlan:a%3Ab%2Fc@localhost:{broker.port}", door, ca_file=tmp_path / "cert.pem")
        ingress.start()
        assert until(lambda: ingress.connected)
        ingress.close()
        wrong = MqttIngress(f"mqtts://anlan:x@localhost:{broker.port}", door, ca_file=tmp_path / "cert.pem")
        wrong.start()
        assert until(lambda: wrong.last_fault is not None)
        assert not wrong.connected
        wrong.close()
        with pytest.raises(Unavailable, match="certificate"):
            MqttIngress(f"mqtts://anlan:x@localhost:{broker.port}", door).start()
    finally:
        broker.stop()


def certificate(folder):
    """Make a certificate for localhost, as an operator would."""
    ask = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*ask.split(), *files], check=True, capture_output=True)  # noqa: S603
    for name in ("key.pem", "cert.pem"):
        (folder / name).chmod(0o644)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mqtt://", "127.0.0.1:1883", "mqtt://u:secret@h:x"])
def test_a_wrong_address_is_refused_without_telling_its_password(door, url):
    with pytest.raises(BadInput, match="must be mqtt://host:port") as fault:
        MqttIngress(url, door)
    assert "secret" not in str(fault.value)


def test_a_broker_that_is_away_is_told(door):
    with pytest.raises(Unavailable, match="must be reachable"):
        MqttIngress(f"mqtt://127.0.0.1:{free_port()}", door).start()


def test_a_file_of_certificates_is_checked(door, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    for path in (tmp_path / "ca.pem", tmp_path / "none.pem"):
        with pytest.raises(BadInput, match="must be readable"):
            MqttIngress("mqtts://localhost", door, ca_file=path)
