"""A real HTTP server before an S3 server, which hands everything on until it is told to refuse some of it with 503."""

import http.client
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Refusing = Callable[[str, str], bool]
"""Whether a request is refused, by its method and path."""

_BUSY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)
_OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


class Gate(ThreadingHTTPServer):
    """What lies between a client and its S3 server.

    Attributes:
        behind: host and port of the S3 server.
        refused: requests that were answered with 503.
        refuses: decides; at first nothing is refused.
    """

    def __init__(self, server_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(server_url).netloc
        self.refused: list[str] = []
        self.refuses: Refusing = nothing

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may be killed in the middle of a request; anything else is worth its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def nothing(_method: str, _path: str) -> bool:
    """No request is refused."""
    return False


@contextmanager
def gate_before(server_url: str) -> Iterator[Gate]:
    """A gate before the server at this address."""
    gate = Gate(server_url)
    thread = threading.Thread(target=gate.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield gate
    finally:
        gate.shutdown()
        gate.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gate

    def pass_on(self) -> None:
        body = self._body()
        if self.server.refuses(self.command, self.path):
            self.server.refused.append(f"{self.command} {self.path}")
            self._answer(503, [("Content-Type", "application/xml")], b"" if self.command == "HEAD" else _BUSY)
            return
        with closing(http.client.HTTPConnection(self.server.behind, timeout=60)) as connection:
            # With the header Host as the client signed it, so that the signature stays good.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _OF_ONE_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        sizes = [value for name, value in headers if name.lower() == "content-length"]
        for name, value in headers:
            if name.lower() not in _OF_ONE_HOP:
                self.send_header(name, value)
        # The answer to HEAD tells a size and has no body.
        self.send_header("Content-Length", sizes[0] if self.command == "HEAD" and sizes else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests say nothing."""


for _method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.pass_on)
