"""Connections: what comes before a request is one, over real sockets."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from export_pipelines.web import bodies, protocol
from export_pipelines.web.access import SAFE_HEADERS
from export_pipelines_tests.web.api_site import ApiSite

SHORT = 0.4


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SECONDS", SHORT)
    monkeypatch.setattr(bodies, "SECONDS", SHORT)


@contextmanager
def connected(api: ApiSite) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", urlsplit(api.url).port), timeout=10) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """Everything until the server ends it."""
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def drip(connection: socket.socket, data: bytes) -> bytes:
    """Send a byte each tenth of a second, until there is an answer."""
    connection.settimeout(0.1)
    for number in range(len(data)):
        connection.sendall(data[number : number + 1])
        try:
            heard = connection.recv(1 << 16)
        except TimeoutError:
            continue
        connection.settimeout(10)
        return heard + rest(connection)
    raise AssertionError("the server took all of it")


def problem(heard: bytes) -> tuple[int, str]:
    """Status and code of an answer that is whole, and safe."""
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.title(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert headers.items() >= dict(SAFE_HEADERS).items()
    assert headers["Content-Type"] == "application/problem+json"
    assert int(headers["Content-Length"]) == len(body)
    document = json.loads(body)
    assert int(first.split()[1]) == document["status"]
    return document["status"], document["code"]


def test_a_header_a_byte_at_a_time_holds_nobody_for_long(api: ApiSite, short: None) -> None:
    began = time.monotonic()
    with connected(api) as connection:
        connection.sendall(b"GET /api/me HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        heard = drip(connection, b"a" * 100)
    assert problem(heard) == (408, "headers-too-slow")
    assert time.monotonic() - began < SHORT + 5


@pytest.mark.parametrize("drops", [b"", b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"])
def test_a_connection_on_which_no_request_begins_is_ended(api: ApiSite, short: None, drops: bytes) -> None:
    with connected(api) as connection:
        heard = drip(connection, drops) if drops else rest(connection)
    assert problem(heard) == (408, "headers-too-slow")


def test_a_second_request_has_no_more_time_than_the_first(api: ApiSite, short: None) -> None:
    with connected(api) as connection:
        connection.sendall(b"GET /api/me HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"401 Unauthorized" in connection.recv(1 << 16)
        assert problem(drip(connection, b"GET /api/me HTTP/1.1\r\nX-Slow: " + b"a" * 100)) == (408, "headers-too-slow")


def test_a_body_that_does_not_come_is_given_up(api: ApiSite, short: None) -> None:
    with connected(api) as connection:
        connection.sendall(b"POST /api/exports HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        heard = rest(connection)
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b"body-too-slow" in heard


def test_slow_answers_are_not_cut_short(api: ApiSite, short: None) -> None:
    job = api.job()
    with api.owner.stream("GET", f"/api/exports/{job.id}/events") as answer:
        heard = answer.iter_raw()
        began = time.monotonic()
        while time.monotonic() - began < 6 * SHORT:
            assert next(heard)


def test_headers_without_end_are_refused(api: ApiSite) -> None:
    with connected(api) as connection:
        connection.sendall(b"GET /api/me HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (protocol.MOST_BYTES + 1))
        assert problem(rest(connection)) == (431, "headers-too-large")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /api/\x80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/me HTTP/1.1\r\nHost: x\r\nCookie: a\x00b\r\n\r\n",
        b"POST /api/exports HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /api/exports HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_request_is_a_problem_too(api: ApiSite, sent: bytes) -> None:
    with connected(api) as connection:
        connection.sendall(sent)
        assert problem(rest(connection)) == (400, "malformed")
    assert httpx.get(api.url + "/api/me").status_code == 401
