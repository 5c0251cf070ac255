"""Who may ask, how much may be sent, and what every answer says to a browser."""

import socket

import httpx
import pytest
from tests.command.test_api import QUAY, refused
from tests.waiting import PATIENCE_S

from anlan.command import guard

EVERY_KIND = ["/", "/docs", "/openapi.json", "/api/v1/district", "/api/v1/density", "/api/v1/nothing", "/assets/no.js"]


def raw(url, text):
    """Send bytes as they are; return what comes back until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as line:
        line.sendall(text)
        got = b""
        while part := line.recv(65536):
            got += part
    return got


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "", "[::2]", "user@localhost"]
)
def test_another_hosts_name_is_refused(http, host):
    assert "127.0.0.1" in refused(http.get("/district", headers={"host": host}), 403, "not_allowed")["next_step"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_every_name_of_this_machine_is_taken(http, host):
    assert http.get("/district", headers={"host": host}).status_code == 200


def test_a_request_without_host_is_refused(live):
    assert b" 403 " in raw(live.url, b"GET /api/v1/district HTTP/1.0\r\nConnection: close\r\n\r\n").split(b"\r\n")[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/watches", "/observations", "/devices/walk-1/withdraw", "/simulation"])
def test_a_write_from_another_page_is_refused_and_changes_nothing(live, http, path, headers):
    before = len(live.district.changes())
    answer = http.post(path, json={"name": "x", "polygon": QUAY, "reason": "x"}, headers=headers)
    refused(answer, 403, "not_allowed")
    assert len(live.district.changes()) == before


def test_a_write_of_our_own_page_or_of_a_program_is_taken(live, http):
    for headers in ({"origin": live.url, "sec-fetch-site": "same-origin"}, {}):
        assert http.post("/count", json={"polygon": QUAY}, headers=headers).status_code == 200


def test_no_answer_allows_another_origin_to_read_it(http):
    answer = http.get("/district", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    asked = http.options(
        "/district", headers={"origin": "https://evil.example", "access-control-request-method": "GET"}
    )
    assert asked.status_code == 405


@pytest.mark.parametrize("path", EVERY_KIND)
def test_every_answer_carries_the_policy(live, http, path):
    headers = http.get(live.url + path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert "unsafe" not in headers["content-security-policy"]
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["worker-src"] == "'self' blob:"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_no_folder_is_listed_and_nothing_outside_the_page_is_given(live, http):
    for path in ("/assets/", "/%2e%2e/app.py", "/..%2fapp.py", "//etc/passwd"):
        assert http.get(live.url + path).status_code == 404


@pytest.mark.parametrize("path", ["/observations", "/count", "/watches"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_50_mb_is_refused_while_it_comes_and_the_server_lives_on(http, path, declared):
    size, sent = 50_000_000, 0

    def parts():
        nonlocal sent
        while sent < size:
            sent += 100_000
            yield b" " * 100_000

    headers = {"content-length": str(size)} if declared else {}
    told = refused(http.post(path, content=parts(), headers=headers), 413, "bad_input")
    assert str(guard.BODY_BYTES) in told["rule"]
    assert http.get("/district").status_code == 200


def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(live):
    head = b"POST /api/v1/observations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n"
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as line:
        line.sendall(head)
        assert b" 413 " in line.recv(4096).split(b"\r\n")[0]


def test_a_body_just_under_the_limit_is_read(http):
    answer = http.post("/observations", content=b" " * (guard.BODY_BYTES - 10) + b"{}")
    assert answer.status_code in {200, 422}
    assert "8000000" not in answer.text


def test_a_body_that_stops_midway_leaves_nothing_behind(live, http):
    head = b"POST /api/v1/observations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as line:
        line.sendall(head)
    assert http.get("/district").status_code == 200


def test_headers_that_are_no_text_do_not_break_anything(http):
    answer = http.get("/density", headers={b"if-none-match": b"\xff", b"accept-encoding": b"\xfe"})
    assert answer.status_code == 200
    refused(http.post("/count", json={}, headers={"origin": "http://["}), 403, "not_allowed")


def test_two_answers_share_a_connection_after_an_error(live):
    with httpx.Client(base_url=f"{live.url}/api/v1", limits=httpx.Limits(max_connections=1)) as one:
        assert one.get("/nothing").status_code == 404
        assert one.get("/district").status_code == 200
