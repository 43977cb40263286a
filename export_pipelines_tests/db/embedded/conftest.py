"""Homes for servers of a test's own, for tests that start, kill, stop or break one."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from export_pipelines.db import embedded
from export_pipelines_tests.postgres import reachable_folder

Starter = Callable[[Path], "subprocess.Popen[str]"]

_START = """
import sys
from pathlib import Path
from export_pipelines.db.embedded import ensure_running
print(ensure_running(Path(sys.argv[1])).pid)
"""


@contextmanager
def _reachable_folder() -> Iterator[Path]:
    """A folder that every user can reach; the server in it is removed afterwards."""
    folder = reachable_folder("export-pipelines-home-")
    try:
        yield folder
    finally:
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A home that never had a server."""
    with _reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def prepared_home() -> Iterator[Path]:
    """A home whose server was started once and stopped."""
    with _reachable_folder() as folder:
        embedded.ensure_running(folder)
        embedded.stop(folder)
        yield folder


@pytest.fixture
def home(prepared_home: Path) -> Iterator[Path]:
    """A home with data and no server running; a copy, which is quicker than making them anew."""
    with _reachable_folder() as folder:
        subprocess.run(["cp", "-a", f"{prepared_home}/.", folder], check=True)
        yield folder


@pytest.fixture
def private_home() -> Iterator[Path]:
    """A home in a folder that only we can enter, like a clone under ``/root``."""
    parent = Path(tempfile.mkdtemp(prefix="export-pipelines-private-"))
    folder = parent / "clone" / ".local"
    yield folder
    embedded.remove(folder)
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
def starter() -> Iterator[Starter]:
    """Call it to begin a process that makes sure a home's server runs, prints the server's process id and ends."""
    begun: list[subprocess.Popen[str]] = []

    def begin(folder: Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
