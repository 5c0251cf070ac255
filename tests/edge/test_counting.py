"""Counting, the outbox and the ways, which need no network and no video."""

import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.waiting import wait_for

from anlan.edge import Crossings, HttpWay, Line, Outbox, sending, way_to
from anlan.edge.detecting import needed
from anlan.edge.sending import MqttWay, Sender
from anlan.kernel.errors import BadInput, Unavailable


@given(st.lists(st.floats(0.02, 0.98), min_size=2, max_size=30))
def test_in_minus_out_is_where_somebody_ends(xs):
    crossings = Crossings(Line(0.5, 1, 0.5, 0), reach=1)
    n_in, n_out = np.sum([crossings.see(np.array([[x, 0.5]])) for x in xs], axis=0)
    assert n_in - n_out == int(xs[-1] >= 0.5) - int(xs[0] >= 0.5)


def test_who_goes_around_the_line_does_not_cross_it():
    crossings = Crossings(Line(0.5, 0.4, 0.5, 0), reach=1)
    assert [crossings.see(np.array([[x, 0.8]])) for x in (0.4, 0.6)] == [(0, 0), (0, 0)]


def test_two_who_meet_at_the_line_cross_it_both():
    crossings = Crossings(Line(0.5, 1, 0.5, 0), reach=0.1)
    made = [crossings.see(np.array([[x, 0.5], [1 - x, 0.6]])) for x in np.arange(0.3, 0.7, 0.03)]
    assert tuple(np.sum(made, axis=0)) == (1, 1)


def test_what_is_not_seen_for_a_while_is_forgotten():
    crossings = Crossings(Line(0.5, 1, 0.5, 0), reach=0.1, patience=2)
    crossings.see(np.array([[0.48, 0.5]]))
    for _ in range(4):
        crossings.see(np.zeros((0, 2)))
    assert crossings.see(np.array([[0.52, 0.5]])) == (0, 0)
    assert len(crossings._at) == 1


def test_the_outbox_survives_its_program(tmp_path):
    first = Outbox(tmp_path / "box.db")
    first.put(b"a")
    first.close()
    again = Outbox(tmp_path / "box.db")
    assert again.waiting(5) == [(1, b"a")]
    again.close()
    with pytest.raises(Unavailable, match="must be writable"):
        Outbox(tmp_path / "none" / "box.db")


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(BadInput, match="must be mqtt"):
        way_to("ftp://somewhere", "gate")
    assert isinstance(way_to("http://127.0.0.1:1", "gate"), HttpWay)


def test_the_edge_writes_no_picture():
    source = Path(__file__).parents[2] / "src" / "anlan" / "edge"
    text = "".join(path.read_text() for path in source.glob("*.py"))
    assert not [verb for verb in ("imwrite", "VideoWriter", "imencode", "tofile", "np.save") if verb in text]


@pytest.mark.parametrize("ends", [(0.5, 1, 0.5, 1), (0, 0, 2, 1), (-0.1, 0, 1, 1)])
def test_a_line_outside_the_picture_is_refused(ends):
    with pytest.raises(BadInput, match="two points"):
        Line(*ends)


def test_a_missing_extra_says_what_to_install():
    with pytest.raises(Unavailable, match=r"pip install 'anlan\[edge\]'"):
        needed("no_such_library_of_the_extra")


def test_the_outbox_keeps_what_a_way_did_not_confirm():
    class Half:
        def send(self, bodies):
            return len(bodies) // 2

        def close(self):
            pass

    outbox = Outbox(Path(":memory:"))
    for k in range(5):
        outbox.put(b"%d" % k)
    sender = Sender(outbox, Half(), every_s=60)
    sender.drain()
    assert outbox.waiting(9)[-1] == (5, b"4")
    assert len(outbox) >= 1
    sender.close(0.1)
    outbox.close()


class Odd(threading.Thread):
    """A server that answers what is sent to it by bytes of the test's."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer, self.heard = answer, bytearray()
        self.port = self._listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.heard += connection.recv(65_536)
                connection.sendall(self._answer)
                while self._answer.startswith(CONNACK) and (more := connection.recv(65_536)):
                    self.heard += more

    def close(self):
        self._listener.close()


CONNACK = b"\x20\x02\x00\x00"


@pytest.mark.parametrize("answer", [b"\x20\x02", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b""])
def test_an_answer_that_is_none_confirms_nothing_and_ends_nothing(answer):
    odd = Odd(answer)
    way = HttpWay(f"http://127.0.0.1:{odd.port}")
    assert way.send([b"{}"]) == 0
    odd.close()


def test_a_way_that_fails_does_not_end_the_sender():
    class Failing:
        n = 0

        def send(self, bodies):
            self.n += 1
            if self.n == 1:
                raise RuntimeError(bodies)
            return len(bodies)

        def close(self):
            pass

    outbox = Outbox(Path(":memory:"))
    outbox.put(b"1")
    sender = Sender(outbox, Failing(), every_s=0.01)
    sender.close()
    assert len(outbox) == 0
    outbox.close()


def test_what_waits_for_its_confirmation_is_not_published_again(monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.1)
    odd = Odd(CONNACK)
    way = MqttWay(f"mqtt://127.0.0.1:{odd.port}", "gate")
    bodies = [b"first of two", b"second of two"]
    wait_for(lambda: way.send(bodies) == 0 and odd.heard.count(b"of two") == 2)
    for _ in range(3):
        assert way.send(bodies) == 0
    assert odd.heard.count(b"of two") == 2
    way.close()
    odd.close()
