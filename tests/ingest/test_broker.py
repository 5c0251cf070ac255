import socket

import pytest
from pwdlib import PasswordHash
from tests.ingest.conftest import DEVICES, Sender, acknowledged, run_of, seen
from tests.ingest.test_door import Watched
from tests.waiting import PATIENCE_S, until

from anlan.ingest import Door, EmbeddedBroker, Limits, encode
from anlan.kernel.errors import BadInput, Unavailable


@pytest.fixture
def watched(history):
    return Watched(history)


@pytest.fixture
def watched_broker(loop, watched, clock):
    door = Door(DEVICES, watched, clock)
    broker = EmbeddedBroker("127.0.0.1", 0, door)
    loop.run(broker.start())
    yield broker
    watched.free.set()
    loop.run(broker.close())
    door.close()


@pytest.mark.parametrize("qos", [1, 2])
def test_an_acknowledged_observation_is_committed(broker, history, qos):
    with Sender(broker.port) as sender:
        sent = [sender.send(encode(one), qos=qos) for one in run_of(30)]
        assert all(acknowledged(one) for one in sent)
        assert len(history.arrived(0)[0]) == 30


def test_nothing_is_acknowledged_before_its_commit(watched_broker, watched, history):
    watched.free.clear()
    with Sender(watched_broker.port) as sender:
        sent = sender.send(encode(seen()))
        assert watched.entered.wait(PATIENCE_S)
        assert not acknowledged(sent, 0.3)
        watched.free.set()
        assert acknowledged(sent)
    assert len(history.arrived(0)[0]) == 1


def test_a_connection_does_not_wait_for_one_commit_before_it_reads_on(watched_broker, watched):
    watched.free.clear()
    with Sender(watched_broker.port) as sender:
        first = sender.send(encode(seen(sequence=999)))
        assert watched.entered.wait(PATIENCE_S)
        sent = [first, *(sender.send(encode(one)) for one in run_of(15))]
        assert until(lambda: watched_broker._door._waiting.qsize() == 15)
        watched.free.set()
        assert all(acknowledged(one) for one in sent)
    assert watched.sizes == [1, 15]


def test_qos_0_is_taken_without_a_promise(broker, history):
    with Sender(broker.port) as sender:
        sender.send(encode(seen()), qos=0)
        assert until(lambda: len(history.arrived(0)[0]) == 1)


def test_what_cannot_be_read_is_acknowledged_and_counted(broker, history):
    with Sender(broker.port) as sender:
        assert acknowledged(sender.send(b"{"))
        assert acknowledged(sender.send(encode(seen()), topic="counts/gate"))
        assert acknowledged(sender.send(encode(seen()), retain=True))
    tallies = history.tallies()
    assert (tallies["gate"].n_refused, tallies["gate"].n_accepted, tallies[""].n_refused) == (1, 1, 1)


def test_what_could_not_be_committed_is_sent_again(watched_broker, watched, history):
    watched.fault = Unavailable("the disk", "must have room", "free some")
    with Sender(watched_broker.port, clean_session=False, client_id="device") as sender:
        sent = [sender.send(encode(one)) for one in run_of(5)]
        assert not acknowledged(sent[0], 0.5)
        watched.fault = None
        assert all(acknowledged(one, 10) for one in sent)
    assert len(history.arrived(0)[0]) == 5


def test_a_sender_who_leaves_in_the_middle_disturbs_nobody(watched_broker, watched):
    watched.free.clear()
    with Sender(watched_broker.port) as sender:
        for one in run_of(10):
            sender.send(encode(one))
        assert watched.entered.wait(PATIENCE_S)
        sender.client.socket().close()
    with Sender(watched_broker.port) as other:
        sent = other.send(encode(seen("passage")))
        watched.free.set()
        assert acknowledged(sent)


def test_observations_go_to_no_other_client(broker):
    with Sender(broker.port) as listener, Sender(broker.port) as sender:
        got = []
        listener.client.on_message = lambda *message: got.append(message)
        listener.client.subscribe("#", qos=1)
        assert acknowledged(sender.send(encode(seen())))
        assert not until(lambda: got, 0.3)


def test_a_packet_larger_than_the_door_takes_ends_its_connection(loop, history, clock):
    door = Door(DEVICES, history, clock, Limits(body_bytes=1000))
    broker = EmbeddedBroker("127.0.0.1", 0, door)
    loop.run(broker.start())
    with Sender(broker.port) as sender:
        sent = sender.send(b"x" * 200_000)
        assert not acknowledged(sent, 0.5)
    with Sender(broker.port) as other:
        assert acknowledged(other.send(encode(seen())))
    loop.run(broker.close())
    door.close()


def test_a_taken_port_is_told(loop, door):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"MQTT port {port} on 127.0.0.1 must be free"):
            loop.run(EmbeddedBroker("127.0.0.1", port, door).start())


def test_noise_on_the_port_disturbs_nobody(broker):
    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\x7f", b"\x00" * 100, b"\x30\x05abc"):
        with socket.create_connection(("127.0.0.1", broker.port)) as there:
            there.sendall(noise)
    with Sender(broker.port) as sender:
        assert acknowledged(sender.send(encode(seen())))


def test_only_who_knows_the_password_may_publish(loop, door, tmp_path):
    passwords = tmp_path / "passwords"
    passwords.write_text(f"# devices\ngate:{PasswordHash.recommended().hash('right')}\n")
    broker = EmbeddedBroker("127.0.0.1", 0, door, passwords=passwords)
    loop.run(broker.start())
    told = {}
    for name, password in {"gate": "right", "gates": "right", "gat": None, "": None}.items():
        sender = Sender(broker.port)
        if name:
            sender.client.username_pw_set(name, password)
        with sender:
            told[name] = sender.refused
            if not name:
                continue
            if sender.refused is None:
                assert acknowledged(sender.send(encode(seen())))
    loop.run(broker.close())
    assert told["gate"] is None
    assert all(told[name] for name in ("gates", "gat", ""))


def test_a_wrong_password_is_refused(loop, door, tmp_path):
    passwords = tmp_path / "passwords"
    passwords.write_text(f"gate:{PasswordHash.recommended().hash('right')}\n")
    broker = EmbeddedBroker("127.0.0.1", 0, door, passwords=passwords)
    loop.run(broker.start())
    sender = Sender(broker.port)
    sender.client.username_pw_set("gate", "wrong")
    with sender:
        assert sender.refused
    loop.run(broker.close())


@pytest.mark.parametrize("text", ["gate:plain", "gate", ":$argon2id$x"])
def test_a_file_of_passwords_is_checked(loop, door, tmp_path, text):
    passwords = tmp_path / "passwords"
    passwords.write_text(text)
    with pytest.raises(BadInput, match="line 1 must be name:hash"):
        loop.run(EmbeddedBroker("127.0.0.1", 0, door, passwords=passwords).start())
    with pytest.raises(BadInput, match="must be readable"):
        loop.run(EmbeddedBroker("127.0.0.1", 0, door, passwords=tmp_path / "none").start())
