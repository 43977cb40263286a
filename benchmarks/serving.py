"""The web service as a process of its own, with what its figures ask it for."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket

import psutil

from benchmarks.data import USER_ID
from benchmarks.workbench import Workbench
from export_pipelines.cli.processes import HOST, Family, Program
from export_pipelines.core.frozen import StoredFile
from export_pipelines.core.jobs import ExportJob, ExportRequest
from export_pipelines.db import jobs
from export_pipelines.db.evaluation import api_keys
from export_pipelines.storage.secret import link_secret

START_SECONDS = 60
CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Service:
    """The service, listening.

    Attributes:
        key: an API key of the benchmarks' user.
    """

    port: int
    pid: int
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def resident_mib(self) -> float:
        """The most memory it ever had resident."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


@contextmanager
def served(bench: Workbench, *, beside: Sequence[Program] = ()) -> Iterator[Service]:
    """Start ``export-pipelines serve``, and other programs beside it; all of them end with the block."""
    bench.run(bench.options.sizes[0])
    key = api_keys.create(
        bench.database,
        user_id=USER_ID,
        name="benchmarks",
        secret=link_secret(bench.settings),
        now=datetime.now(UTC),
    ).key
    port = free_port()
    command = (str(Path(sys.executable).parent / "export-pipelines"), "serve", f"--port={port}")
    with Family(environ=dict(bench.environ), logs=bench.options.home / "logs") as family:
        family.start((Program(name="serve", command=command, port=port), *beside), seconds=START_SECONDS)
        yield Service(port=port, pid=_pid_of(command), key=key)


def processing(bench: Workbench) -> ExportJob:
    """A job that is being worked on, by nobody."""
    now = datetime.now(UTC)
    request = ExportRequest(type="BULK_CSV", subject_id="cbench", user_id=USER_ID)
    return jobs.claim(bench.database, jobs.create(bench.database, request, now=now).id, dagster_run_id=None, now=now)


def published(bench: Workbench, *, size: int) -> ExportJob:
    """A completed job with a file of this size, which holds no zeros to be compressed or skipped."""
    ref = jobs.ref_of(processing(bench))
    key = f"{ref.final_prefix}/bench.bin"
    with bench.store.writer(key) as writer:
        for _ in range(size // CHUNK_BYTES):
            writer.write(os.urandom(CHUNK_BYTES))
    stored = StoredFile(
        job=ref,
        key=key,
        manifest_key=f"{key}.manifest.json",
        url=bench.store.url(key),
        size=writer.staged.size,
        sha256=writer.staged.sha256,
        record_count=1,
        media_type="application/octet-stream",
        fidelity=(),
        partial=False,
        local_path=bench.store.local_path(key),
    )
    now = datetime.now(UTC)
    return jobs.complete(bench.database, stored, url="", expires_at=now + timedelta(hours=24), now=now)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _pid_of(command: Sequence[str]) -> int:
    children = psutil.Process().children(recursive=True)
    return next(child.pid for child in children if child.cmdline()[-len(command) :] == list(command))
