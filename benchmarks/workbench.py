"""Where everything is measured: a server, a store and a folder of the benchmarks' own, and workers there."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.measured import Measured, MeasureError
from benchmarks.options import Options
from benchmarks.usage import server_cpu_seconds
from export_pipelines.core.settings import PREFIX, Settings, read_settings
from export_pipelines.db import embedded, migrate
from export_pipelines.db.database import Database, open_database
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.storage.local import LocalStore

# What would lead to another database or store; every other setting of the person's is measured as it is.
_OURS = ("DATABASE_URL", "DAGSTER_DATABASE_URL", "STORE_URL")


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """The benchmarks' deployment.

    Attributes:
        folder: for files that are no export's; on the same disk as the store.
    """

    options: Options
    settings: Settings
    environ: Mapping[str, str]
    server: EmbeddedServer
    database: Database
    store: LocalStore
    folder: Path

    def run(self, rows: int) -> str:
        """The id of the run with so many transcripts, made when it is missing."""
        began = time.perf_counter()
        run_id = data.fill(self.database, rows=rows)
        if time.perf_counter() - began > 1:
            say(f"{rows} transcripts made in {time.perf_counter() - began:.0f} s")
        return run_id

    def export(self, type_name: str, run_id: str, **options: str) -> Measured:
        """One whole export, whose file is removed again."""
        measured = self.export_and_keep(type_name, run_id, **options)
        self.remove(measured)
        return measured

    def export_and_keep(self, type_name: str, run_id: str, **options: str) -> Measured:
        """One whole export."""
        return self.work("export", type_name, run_id, *(f"{name}={value}" for name, value in options.items()))

    def work(self, worker: str, *arguments: str | Path, **more: str) -> Measured:
        """What a module of ``benchmarks.workers`` measures of itself.

        Raises:
            MeasureError: it failed.
        """
        command = [sys.executable, "-m", f"benchmarks.workers.{worker}", *map(str, arguments)]
        self.settle()
        before, began = server_cpu_seconds(self.server.pid), time.perf_counter()
        done = subprocess.run(command, env={**self.environ, **more}, capture_output=True, text=True, check=False)
        process_seconds = time.perf_counter() - began
        server = server_cpu_seconds(self.server.pid) - before
        if done.returncode != 0:
            raise MeasureError(f"{' '.join(command[2:])} failed: {done.stderr.strip().splitlines()[-1:]}")
        facts: dict[str, Any] = {**json.loads(done.stdout), "process_seconds": process_seconds}
        return Measured(
            seconds=facts.pop("seconds"),
            cpu_seconds=facts.pop("cpu_seconds"),
            server_seconds=server,
            peak_mib=facts.pop("peak_mib", 0.0),
            facts=facts,
        )

    def file_of(self, measured: Measured) -> Path:
        """Where an export's file lies."""
        return Path(measured.facts["path"])

    def remove(self, measured: Measured) -> None:
        """Remove an export's file and what it staged."""
        job_id = measured.facts["job_id"]
        for prefix in (f"staging/{job_id}/", f"exports/{data.USER_ID}/{job_id}/"):
            for facts in list(self.store.list(prefix)):
                self.store.delete(facts.key)

    def settle(self) -> None:
        """Wait until the disk has what was written, so that nobody pays for what another left in memory."""
        os.sync()


@contextmanager
def open_workbench(options: Options) -> Iterator[Workbench]:
    """Start the server, or find it running; a server that was started is stopped in the end."""
    folder, store = options.home / "files", options.home / "store"
    for left_by_a_killed_run in (folder, store):
        shutil.rmtree(left_by_a_killed_run, ignore_errors=True)
    folder.mkdir(parents=True)
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DAGSTER_") and name not in {PREFIX + ours for ours in _OURS}
    } | {f"{PREFIX}HOME": str(options.home)}
    settings = read_settings(environ)
    was_running = embedded.status(options.home) is not None
    database = open_database(settings)
    try:
        server = embedded.status(options.home)
        assert server is not None
        migrate.upgrade(database)
        yield Workbench(
            options=options,
            settings=settings,
            environ=environ,
            server=server,
            database=database,
            store=LocalStore(store),
            folder=folder,
        )
    finally:
        database.close()
        if not was_running:
            embedded.stop(options.home)


def say(text: str) -> None:
    """Tell the person who waits; the table is for standard output."""
    print(text, file=sys.stderr, flush=True)
