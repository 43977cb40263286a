"""What reporting progress costs: interleaved exports with and without it, ``python -m benchmarks.progress``.

``BENCH_ROWS`` (default 50 000) and ``BENCH_ROUNDS`` (default 7); exits 1 when the median ratio is over the limit.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest import mock

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
TYPES = ("BULK_JSONL", "BULK_CSV")


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
        ratio, seconds = compare(services, type_name, run_id, rounds=int(os.environ.get("BENCH_ROUNDS", "7")))
        over += ratio > LIMIT
        print(f"{type_name:<12} {seconds:6.2f} s with reporting, {ratio:.3f} of without (at most {LIMIT})")
    return 1 if over else 0


def compare(services: Services, type_name: str, run_id: str, *, rounds: int) -> tuple[float, float]:
    """Median of the rounds' ratios, and the median seconds with reporting; the two take turns at going first."""
    seconds(services, type_name, run_id)
    ratios, with_reports = [], []
    for number in range(rounds):
        taken = {}
        for reporting in (True, False) if number % 2 else (False, True):
            if reporting:
                taken[True] = seconds(services, type_name, run_id)
            else:
                with silence():
                    taken[False] = seconds(services, type_name, run_id)
        ratios.append(taken[True] / taken[False])
        with_reports.append(taken[True])
    return statistics.median(ratios), statistics.median(with_reports)


def seconds(services: Services, type_name: str, run_id: str) -> float:
    """One export, and its file removed again."""
    job = submit(services, Order(type=type_name, user=USER_EMAIL, run_id=run_id))
    began = time.perf_counter()
    done = run_export(services, job.id)
    taken = time.perf_counter() - began
    services.store.delete(done.output_path)
    for facts in list(services.store.list(f"staging/{job.id}")):
        services.store.delete(facts.key)
    return taken


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
