"""A real HTTP server in a process of its own, as the receiver of webhooks.

What it does with a message stands in the address: ``/status/500``, ``/redirect``, ``/drip`` (an answer a byte at a
time, for ever), ``/endless`` (an answer without end), ``/silent``, ``/early`` (takes it and hangs up in the answer).
"""

import contextlib
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import export_pipelines_tests

TREE = Path(export_pipelines_tests.__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Received:
    """One message as it arrived."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A running receiver."""

    port: int
    folder: Path
    process: "subprocess.Popen[bytes]"

    def url(self, path: str = "/status/200", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def received(self) -> list[Received]:
        """Everything so far, in order."""
        return [Received(**json.loads(path.read_text())) for path in sorted(self.folder.glob("*.json"))]


@contextlib.contextmanager
def receiver(folder: Path, *, certificate: Path | None = None) -> Iterator[Receiver]:
    """A receiver that keeps its messages in the folder; with a certificate it speaks TLS."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", __name__, str(folder), *([str(certificate)] if certificate else [])]
    process = subprocess.Popen(command, cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        yield Receiver(port=int(process.stdout.readline()), folder=folder, process=process)
    finally:
        process.kill()
        process.communicate()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        name = f"{time.time_ns():020}"
        facts = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body}
        unfinished = self.folder / name
        unfinished.write_text(json.dumps(facts))
        unfinished.rename(self.folder / f"{name}.json")
        _, mood, *rest = self.path.partition("?")[0].split("/")
        getattr(self, mood)(*rest)

    def status(self, code: str, wait: str = "") -> None:
        self.send_response(int(code))
        if wait:
            self.send_header("Retry-After", wait)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def redirect(self) -> None:
        self.send_response(307)
        self.send_header("Location", "/status/200/followed")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def drip(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"H")
                self.wfile.flush()
                time.sleep(0.05)

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"x" * 65536)

    def silent(self) -> None:
        time.sleep(30)

    def early(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def main(folder: str, certificate: str | None = None) -> None:
    """Serve until killed; the first line of standard output is the port."""
    _Handler.folder = Path(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
