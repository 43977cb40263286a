"""What reporting progress costs: interleaved exports with and without it, ``python -m benchmarks.progress``.

``BENCH_ROWS`` (default 50 000), ``BENCH_ROUNDS`` (default 7), ``BENCH_TYPES``; exits 1 when a median ratio is over the
limit. The ratio that counts is of CPU seconds, ours and the server's: others' work on the machine upsets it less than
the clock on the wall, which is printed too.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest import mock

import psutil

from benchmarks.data import USER_EMAIL, fill
from export_pipelines.core.settings import read_settings
from export_pipelines.db import migrate
from export_pipelines.db.database import open_database
from export_pipelines.steps.export import run_export
from export_pipelines.steps.progress import Progress
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, submit
from export_pipelines.storage.open import open_store

LIMIT = 1.02
TYPES = os.environ.get("BENCH_TYPES", "BULK_JSONL BULK_CSV").split()


def main() -> int:
    """Print a line for each type; 1 when one is over the limit."""
    settings = read_settings(os.environ)
    database = open_database(settings)
    migrate.upgrade(database)
    run_id = fill(database, rows=int(os.environ.get("BENCH_ROWS", "50000")))
    services = Services(
        database=database,
        store=open_store(settings.effective_store_url),
        settings=settings,
        clock=lambda: datetime.now(UTC),
    )
    over = 0
    for type_name in TYPES:
        wall, cpu = compare(services, type_name, run_id, rounds=int(os.environ.get("BENCH_ROUNDS", "7")))
        over += cpu > LIMIT
        print(f"{type_name:<12} {cpu:.3f} of the CPU without reporting (at most {LIMIT}), {wall:.3f} of the time")
    return 1 if over else 0


def compare(services: Services, type_name: str, run_id: str, *, rounds: int) -> tuple[float, float]:
    """Medians of the rounds' ratios, of wall and of CPU seconds; the two take turns at going first."""
    seconds(services, type_name, run_id)
    ratios = []
    for number in range(rounds):
        taken = {}
        for reporting in (True, False) if number % 2 else (False, True):
            if reporting:
                taken[True] = seconds(services, type_name, run_id)
            else:
                with silence():
                    taken[False] = seconds(services, type_name, run_id)
        ratios.append([taken[True][kind] / taken[False][kind] for kind in (0, 1)])
    wall, cpu = (statistics.median(of_kind) for of_kind in zip(*ratios, strict=True))
    return wall, cpu


def seconds(services: Services, type_name: str, run_id: str) -> tuple[float, float]:
    """Wall and CPU seconds of one export, whose file is removed again."""
    job = submit(services, Order(type=type_name, user=USER_EMAIL, run_id=run_id))
    began, used = time.perf_counter(), cpu_seconds(services)
    done = run_export(services, job.id)
    taken = time.perf_counter() - began, cpu_seconds(services) - used
    services.store.delete(done.output_path)
    for facts in list(services.store.list(f"staging/{job.id}")):
        services.store.delete(facts.key)
    return taken


def cpu_seconds(services: Services) -> float:
    """CPU seconds so far, of this process and of the whole database server."""
    with services.database.raw_connection() as connection:
        (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        server = psutil.Process(backend).parent()
        times = [process.cpu_times() for process in (server, *server.children())]
    # Backends that ended are in their parent's account.
    ended = server.cpu_times()
    return time.process_time() + sum(of.user + of.system for of in times) + ended.children_user + ended.children_system


@contextmanager
def silence() -> Iterator[None]:
    """Nothing is counted, no thread runs, nothing is written."""
    with (
        mock.patch.object(Progress, "_tick", _nothing),
        mock.patch.object(Progress, "_report", _nothing),
        mock.patch.object(Progress, "advance", _nothing),
    ):
        yield


def _nothing(*_: object, **__: object) -> None:
    """Cheaper than a mock, which would note every call."""


if __name__ == "__main__":
    sys.exit(main())
