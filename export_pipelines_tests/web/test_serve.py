"""The service as a process of its own: large files, slow clients, being told to end, what it logs."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.storage.local import LocalStore
from export_pipelines.web.serve import listen, serve
from export_pipelines_tests.web.site import SECRET, Clock, Export, Site

MIB = 1024 * 1024
SCRIPT = """
import sys
from datetime import datetime
from pathlib import Path
from export_pipelines.db.database import Database
from export_pipelines.storage.local import LocalStore
from export_pipelines.web.app import create_app
from export_pipelines.web.serve import serve
from export_pipelines_tests.web.site import services_on
database, store, secret, clock = sys.argv[1:]
moment = datetime.fromisoformat(clock)
services = services_on(Database(database), LocalStore(Path(store)), lambda: moment)
app = create_app(services, secret=secret.encode())
serve(app, host="127.0.0.1", port=0)
"""


@dataclass(frozen=True, kw_only=True)
class Process:
    """The service in a process, and its site as this process sees it."""

    process: "subprocess.Popen[bytes]"
    log: Path
    site: Site

    def peak_kib(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert match
        return int(match[1])

    def resize(self, export: Export, size: int) -> None:
        """Make the file as large as that, without writing it."""
        assert export.job.output_path is not None
        path = self.site.store.local_path(export.job.output_path)
        assert path is not None
        os.truncate(path, size)
        with self.site.database.raw_connection(autocommit=True) as connection:
            connection.execute("UPDATE exports.export_jobs SET output_size_bytes = %s", [size])


@pytest.fixture
def process(database: Database, tmp_path: Path) -> Iterator[Process]:
    clock, log = Clock(), tmp_path / "log"
    arguments = [database.url, str(tmp_path / "store"), SECRET.decode(), clock.now.isoformat()]
    with log.open("wb") as output:
        started = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], stdout=output, stderr=output)
    try:
        wait_for(lambda: started.poll() is not None or "listening" in log.read_text())
        port = re.search(r"listening address=127.0.0.1 port=(\d+)", log.read_text())
        assert port, log.read_text()
        url = f"http://127.0.0.1:{port[1]}"
        with httpx.Client(base_url=url, timeout=30) as http:
            store = LocalStore(tmp_path / "store")
            site = Site(url=url, http=http, database=database, store=store, clock=clock)
            yield Process(process=started, log=log, site=site)
    finally:
        started.kill()
        started.wait()


def wait_for(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def begin(process: Process, export: Export) -> socket.socket:
    """A connection that asked for the file and reads nothing yet."""
    connection = socket.create_connection(("127.0.0.1", urlsplit(process.site.url).port), timeout=30)
    connection.sendall(f"GET {export.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return connection


def body_size(connection: socket.socket) -> int:
    """Read to the end; the number of bytes after the headers."""
    buffer, total = bytearray(MIB), 0
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)
    total = len(head.partition(b"\r\n\r\n")[2])
    while count := connection.recv_into(buffer):
        total += count
    return total


def test_a_large_file_is_sent_in_flat_memory(process: Process) -> None:
    export = process.site.publish()
    process.site.http.get(export.path)
    before = process.peak_kib()
    process.resize(export, 1024 * MIB)
    with begin(process, export) as connection:
        assert body_size(connection) == 1024 * MIB
    assert process.peak_kib() - before < 16 * 1024


def test_clients_that_read_nothing_hold_up_nobody_and_little_memory(process: Process) -> None:
    export = process.site.publish()
    process.resize(export, 200 * MIB)
    process.site.http.get("/healthz")
    before = process.peak_kib()
    slow = [begin(process, export) for _ in range(60)]
    wait_for(lambda: process.site.count(export) == 60)
    assert process.site.http.get("/healthz").status_code == 200
    with begin(process, export) as quick:
        assert body_size(quick) == 200 * MIB
    assert process.peak_kib() - before < 110 * 1024
    assert body_size(slow[0]) == 200 * MIB
    for connection in slow:
        connection.close()
    wait_for(lambda: len(os.listdir(f"/proc/{process.process.pid}/fd")) < 40)  # noqa: PTH208


def test_a_download_goes_on_though_the_file_expires_and_is_deleted(process: Process) -> None:
    export = process.site.publish()
    process.resize(export, 50 * MIB)
    with begin(process, export) as connection:
        wait_for(lambda: process.site.count(export) == 1)
        assert export.job.expires_at is not None
        jobs.expire(process.site.database, export.job.id, now=export.job.expires_at)
        assert export.job.output_path is not None
        process.site.store.delete(export.job.output_path)
        assert process.site.http.get(export.path).status_code == 410
        assert body_size(connection) == 50 * MIB


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_lets_downloads_finish(process: Process, number: signal.Signals) -> None:
    export = process.site.publish()
    process.resize(export, 50 * MIB)
    with begin(process, export) as connection:
        wait_for(lambda: process.site.count(export) == 1)
        process.process.send_signal(number)
        wait_for(lambda: refuses(process))
        assert process.process.poll() is None
        assert body_size(connection) == 50 * MIB
    assert process.process.wait(timeout=10) == (0 if number == signal.SIGINT else -signal.SIGTERM)
    assert "Traceback" not in process.log.read_text()


def refuses(process: Process) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(process.site.url).port), timeout=1).close()
    except OSError:
        return True
    return False


def test_tokens_never_reach_the_log(process: Process) -> None:
    export = process.site.publish()
    token = export.token
    http = process.site.http
    for path in (export.path, f"{export.path}/manifest", f"/downloads/{token}x", f"/{token}", f"/downloads/{token}/x"):
        http.get(path)
        http.head(path, headers={"Range": "bytes=5-"})
        http.post(f"{path}?token={token}")
    with begin(process, export) as connection:
        connection.sendall(f"GET /downloads/{token} HTTP/9\r\n\r\n".encode())
        connection.recv(10)
    process.resize(export, 10 * MIB)
    wait_for(lambda: "route=/downloads/{token}/manifest status=200" in process.log.read_text())
    log = process.log.read_text()
    assert "route=/downloads/{token} status=200 bytes=10 seconds=" in log
    assert f"job={export.job.id}" in log
    assert "address=127.0.0.1" in log
    assert token[:12] not in log
    assert "Traceback" not in log


def test_a_client_that_leaves_ends_the_reading(process: Process) -> None:
    export = process.site.publish()
    process.resize(export, 500 * MIB)
    with begin(process, export) as connection:
        connection.recv(1000)
    wait_for(lambda: "route=/downloads/{token} " in process.log.read_text())
    sent = re.findall(r"route=/downloads/\{token\} status=200 bytes=(\d+)", process.log.read_text())
    assert int(sent[-1]) < 100 * MIB
    assert "Traceback" not in process.log.read_text()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ValidationError, match=rf"Port {port} on 127\.0\.0\.1 is taken.*--port"):
            serve(None, host="127.0.0.1", port=port)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match=r"Cannot listen.*--host"):
        listen(host, 0)


def test_it_listens_on_the_newer_protocol_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        listener = listen("::1", 0)
    except ValidationError:
        pytest.skip("no IPv6 address here")
    with listener:
        assert listener.family == socket.AF_INET6
