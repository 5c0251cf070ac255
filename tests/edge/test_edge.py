"""A drawn video, a network built here, and the numbers that come of them - through a real server's door."""

import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise

import numpy as np
import pytest
from tests.ingest.conftest import (  # noqa: F401 - fixtures of the door, the disk and the broker
    clock,
    door,
    history,
    loop,
)
from tests.waiting import wait_for
from typer.testing import CliRunner

from anlan.cli import afield
from anlan.cli.commands import app
from anlan.edge import Crossings, Detector, Line, MqttWay, Outbox, Watching, watch, watching
from anlan.edge.sending import Sender
from anlan.edge.watching import frames
from anlan.ingest import EmbeddedBroker, decode, encode
from anlan.kernel.errors import BadInput, NotFound, Unavailable

WIDTH, HEIGHT, RATE = 96, 64, 10
UPWARD = "0.5,1,0.5,0"
BEGIN = datetime(2026, 12, 31, 9, 59, tzinfo=UTC)
cv2 = pytest.importorskip("cv2", reason="install the extra: pip install 'anlan[edge]'")
onnx = pytest.importorskip("onnx", reason="install onnx to build the network of this test")
pytest.importorskip("onnxruntime", reason="install the extra: pip install 'anlan[edge]'")


def lane(nodes, constants, name, top):
    """Nodes that find the middle of what is bright in one half of the picture: a box and a score."""
    half = HEIGHT // 2
    weights = np.zeros((1, 1, HEIGHT, WIDTH), np.float32)
    weights[:, :, top : top + half] = 1
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    for key, value in (("one", weights), ("x", weights * x), ("y", weights * y)):
        constants[f"{name}{key}"] = value
        nodes.append(onnx.helper.make_node("Mul", ["grey", f"{name}{key}"], [f"{name}m{key}"]))
        nodes.append(onnx.helper.make_node("ReduceSum", [f"{name}m{key}", "axes"], [f"{name}s{key}"], keepdims=0))
    nodes.append(onnx.helper.make_node("Max", [f"{name}sone", "tiny"], [f"{name}mass"]))
    for key in "xy":
        nodes.append(onnx.helper.make_node("Div", [f"{name}s{key}", f"{name}mass"], [f"{name}c{key}"]))
        for sign, op in (("low", "Sub"), ("high", "Add")):
            nodes.append(onnx.helper.make_node(op, [f"{name}c{key}", "reach"], [f"{name}{key}{sign}"]))
    nodes.append(onnx.helper.make_node("Div", [f"{name}sone", "full"], [f"{name}share"]))
    nodes.append(onnx.helper.make_node("Min", [f"{name}share", "unit"], [f"{name}score"]))
    parts = [f"{name}{part}" for part in ("xlow", "ylow", "xhigh", "yhigh", "score")] + ["zero"]
    nodes.append(onnx.helper.make_node("Concat", parts, [f"{name}row"], axis=0))


@pytest.fixture(scope="session")
def net(tmp_path_factory):
    """A network that finds one bright square in the upper and one in the lower half of the picture."""
    nodes = [onnx.helper.make_node("ReduceMean", ["picture"], ["grey"], axes=[1], keepdims=1)]
    constants = {
        "axes": np.array([0, 1, 2, 3], np.int64),
        "tiny": np.array([1e-3], np.float32),
        "full": np.array([30], np.float32),
        "unit": np.array([1], np.float32),
        "reach": np.array([4], np.float32),
        "zero": np.array([0], np.float32),
    }
    nodes.append(onnx.helper.make_node("Constant", [], ["shape"], value_ints=[2, 6]))
    lane(nodes, constants, "a", 0)
    lane(nodes, constants, "b", HEIGHT // 2)
    nodes.append(onnx.helper.make_node("Concat", ["arow", "brow"], ["rows"], axis=0))
    nodes.append(onnx.helper.make_node("Reshape", ["rows", "shape"], ["boxes"]))
    entry = onnx.helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    made = onnx.helper.make_tensor_value_info("boxes", onnx.TensorProto.FLOAT, [2, 6])
    kept = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = onnx.helper.make_graph(nodes, "bright", [entry], [made], kept)
    whole = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path_factory.mktemp("net") / "bright.onnx"
    onnx.save(whole, path)
    return path


def drawn(path, rounds=3):
    """Draw a video: in each round a square goes rightwards above, and every second round one leftwards below."""
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (WIDTH, HEIGHT))
    assert video.isOpened()
    for k in range(rounds):
        for x in range(8, WIDTH - 8, 4):
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            picture[12:20, x - 4 : x + 4] = 255
            if k % 2 == 0:
                picture[44:52, WIDTH - x - 4 : WIDTH - x + 4] = 255
            video.write(picture)
        for _ in range(10):
            video.write(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    video.release()
    return path


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("video") / "drawn.avi")


def line():
    return Crossings(Line(*map(float, UPWARD.split(","))), reach=0.15)


def counted(video, net, **more):
    made = []
    asked = Watching(device_id="gate", begin_at=BEGIN, **more)
    watch(frames(str(video), BEGIN), Detector(net), asked, made.append)
    return made


def test_a_drawn_video_is_counted_right(video, net):
    [one] = counted(video, net, crossings=line())
    assert (one.n_in, one.n_out) == (3, 2)
    assert one.begin_at - BEGIN == timedelta(seconds=0.1)


def test_windows_hold_everybody_once(video, net):
    made = counted(video, net, crossings=line(), interval_s=2)
    assert len(made) > 3
    assert (sum(one.n_in for one in made), sum(one.n_out for one in made)) == (3, 2)
    assert all(a.end_at == b.begin_at for a, b in pairwise(made))


def test_people_in_view_are_counted_on_average(tmp_path, net):
    [one] = counted(drawn(tmp_path / "one.avi", 1), net)
    assert (one.n_in, one.n_present) == (None, 1)  # two for two thirds of the time


def test_only_numbers_leave(video, net):
    [one] = counted(video, net, crossings=line())
    assert set(json.loads(encode(one))) == {"device", "begin_at", "end_at", "sequence", "values"}
    assert json.loads(encode(one))["values"] == {"in": 3, "out": 2}


def test_nothing_is_lost_when_the_broker_is_away(video, net, loop, door, history, tmp_path):  # noqa: F811 - fixtures
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outbox = Outbox(tmp_path / "box.db")
    sender = Sender(outbox, MqttWay(f"mqtt://127.0.0.1:{port}", "gate"), every_s=0.1)
    for one in counted(video, net, crossings=line(), interval_s=2):
        outbox.put(encode(one))
    n = len(outbox)
    time.sleep(0.5)
    assert len(outbox) == n > 3
    broker = EmbeddedBroker("127.0.0.1", port, door)
    loop.run(broker.start())
    wait_for(lambda: len(outbox) == 0)
    sender.close()
    outbox.close()
    loop.run(broker.close())
    kept, _ = history.arrived(0)
    assert (len(kept), sum(one.n_in for one in kept), sum(one.n_out for one in kept)) == (n, 3, 2)


class Taking(BaseHTTPRequestHandler):
    """Answers 503 first, then takes; what it took is judged by the wire form."""

    taken: list = []  # noqa: RUF012 - one list for all requests of the test
    away = 2

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Taking.away:
            Taking.away -= 1
            self.send_error(503)
            return
        seen, refusals = decode(body)
        assert (self.path, refusals) == ("/api/v1/observations", [])
        Taking.taken += [one for _, one in seen]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_the_command_counts_a_video_and_hands_it_in_over_http(video, net, tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    asked = [
        "edge",
        str(video),
        "--net",
        str(net),
        "--device",
        "gate",
        "--to",
        f"http://127.0.0.1:{server.server_port}",
    ]
    asked += ["--line", UPWARD, "--reach", "0.15", "--from", BEGIN.isoformat(), "--outbox", str(tmp_path / "box.db")]
    done = CliRunner().invoke(app, asked)
    server.shutdown()
    thread.join()
    server.server_close()
    assert done.exit_code == 0, done.output
    assert [(one.device_id, one.n_in, one.n_out) for one in Taking.taken] == [("gate", 3, 2)]
    assert {path.name for path in tmp_path.iterdir()} <= {"box.db", "box.db-wal", "box.db-shm"}


def test_a_camera_that_takes_its_time_to_come_back_is_waited_for(net, tmp_path, monkeypatch):
    opened = []
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    def camera(_video, _begin_at):
        opened.append(True)
        if len(opened) in {2, 3}:
            raise Unavailable("the video", "must be readable", "it starts anew")
        yield datetime.now(UTC), picture
        if len(opened) == 1:
            raise Unavailable("the stream", "must go on", "it is opened again")

    monkeypatch.setattr(watching, "frames", camera)
    monkeypatch.setattr(afield, "TRY_AGAIN_S", 0.0)
    asked = ["edge", "rtsp://camera.example/1", "--net", str(net), "--device", "gate", "--to", "http://127.0.0.1:1"]
    done = CliRunner().invoke(app, [*asked, "--outbox", str(tmp_path / "box.db")])
    assert (done.exit_code, len(opened)) == (0, 4), done.output
    opened[:] = [True]  # and one that was never there is not
    done = CliRunner().invoke(app, [*asked, "--outbox", str(tmp_path / "box.db")])
    assert isinstance(done.exception, Unavailable)


def test_an_output_that_is_columns_is_thinned(net):
    detector = Detector(net)
    columns = np.array([[10.0, 11, 50], [10, 10, 50], [8, 8, 8], [8, 8, 8], [0.9, 0.8, 0.1]])
    assert detector._boxes(columns[None]).tolist() == [[6, 6, 14, 14]]
    with pytest.raises(BadInput, match="must be"):
        detector._boxes(np.zeros((3, 3)))


def test_what_cannot_be_opened_says_so(tmp_path):
    with pytest.raises(Unavailable, match="must be readable"):
        list(frames(str(tmp_path / "none.avi"), None))
    with pytest.raises(NotFound):
        Detector(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(BadInput, match="ONNX Runtime reads"):
        Detector(tmp_path / "bad.onnx")
