"""Writers that are killed, and files far larger than memory should be: in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from export_pipelines.storage.store import ObjectStore
from export_pipelines_tests.storage.conftest import Place

MIB = 1024 * 1024
LATER = datetime.now(UTC) + timedelta(days=1)

WRITE_AND_WAIT = """
import sys
from export_pipelines.storage.open import open_store
store = open_store(sys.argv[1])
with store.writer("final/file") as writer:
    for _ in range(20):
        writer.write(bytes(1_000_000))
    print("written", flush=True)
    sys.stdin.read()
"""

COMPOSE_FOR_EVER = """
import sys
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.open import open_store
store = open_store(sys.argv[1])
with store.writer("staging/part") as writer:
    writer.write(bytes(8_000_000))
large, small = Segment(key="staging/part", offset=0, size=8_000_000), Segment(key="staging/part", offset=1, size=100)
print("written", flush=True)
store.compose("final/file", [large, small] * 500, media_type="text/plain")
"""

LARGE = """
import re, sys
from pathlib import Path
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.open import open_store
store = open_store(sys.argv[1])
list(store.list(""))
megabytes = int(sys.argv[2])

def peak():
    # Not getrusage: its peak includes that of the process that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

before = peak()
block = bytes(range(256)) * 4096
with store.writer("staging/large") as writer:
    for _ in range(megabytes):
        writer.write(block)
segments = [
    Segment(key="staging/large", offset=0, size=10),
    Segment(key="staging/large", offset=20, size=megabytes * 1_000_000),
]
store.compose("final/large", segments, media_type="text/plain")
with store.open("final/large") as file:
    size = sum(len(piece) for piece in iter(lambda: file.read(1_000_000), b""))
assert size == megabytes * 1_000_000 + 10, size
print(peak() - before)
"""


def start(script: str, place: Place, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", script, place.url, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | place.environment,
    )


@pytest.fixture
def processes() -> Iterator[list["subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("script", [WRITE_AND_WAIT, COMPOSE_FOR_EVER], ids=["writer", "compose"])
def test_a_killed_process_leaves_nothing_visible(
    place: Place, store: ObjectStore, script: str, processes: list["subprocess.Popen[bytes]"]
) -> None:
    process = start(script, place)
    processes.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert store.stat("final/file") is None
    assert [facts.key for facts in store.list("final/")] == []
    # A server may still be at what the process asked for last.
    give_up = time.monotonic() + 10
    while store.abort_unfinished("final/", older_than=LATER):
        assert time.monotonic() < give_up
    assert store.stat("final/file") is None


def test_a_large_file_takes_little_memory(place: Place, processes: list["subprocess.Popen[bytes]"]) -> None:
    if place.kind == "moto":
        pytest.skip("moto holds objects in its own memory; the same code is measured against rclone")
    # The same memory whatever the size: less where every byte passes through a server's checks.
    process = start(LARGE, place, "300" if place.kind == "local" else "120")
    processes.append(process)
    output, _ = process.communicate()
    assert process.returncode == 0
    assert int(output) * 1024 < 75 * MIB
    if place.kind == "local":
        assert int(output) * 1024 < 15 * MIB
