"""A job that is cancelled stops reading within seconds, also where the server says nothing meanwhile."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import SupersededError
from export_pipelines.core.frozen import Segment
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.snapshot import Snapshot, open_snapshot
from export_pipelines.steps.begin import begin
from export_pipelines.steps.export import run_export
from export_pipelines.steps.load import load
from export_pipelines.steps.progress import FREEZING, Progress
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.upload import MANIFEST_SUFFIX
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.orders import order

WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def waiting(services: Services) -> bool:
    """Whether anybody waits for a lock."""
    with services.database.raw_connection(autocommit=True) as connection:
        return connection.execute(WAITING).fetchone() is not None


def test_a_query_that_waits_for_a_lock_is_cancelled_with_its_job(services: Services) -> None:
    job = begin(services, submit(services, order("BULK_JSONL")).id, dagster_run_id=None)
    with psycopg.connect(services.database.libpq_url) as other:
        other.execute("LOCK TABLE evaluation.transcripts IN ACCESS EXCLUSIVE MODE")
        cancelled_at: list[float] = []

        def cancel_once_it_waits() -> None:
            while not waiting(services):
                time.sleep(0.05)
            jobs.cancel(services.database, job.id, now=services.clock())
            cancelled_at.append(time.monotonic())

        canceller = threading.Thread(target=cancel_once_it_waits, daemon=True)
        canceller.start()
        with pytest.raises(SupersededError, match="is CANCELLED"):
            load(services, export_type(job.type), job)
        canceller.join()
        assert time.monotonic() - cancelled_at[0] < 5
        assert not waiting(services)
    assert jobs.get(services.database, job.id).status is JobStatus.CANCELLED


def test_a_query_that_begins_just_after_the_order_to_stop_is_cancelled_too(services: Services) -> None:
    job = begin(services, submit(services, order("BULK_JSONL")).id, dagster_run_id=None)
    asked_at: list[float] = []
    asked = threading.Event()

    def work(snapshot: Snapshot) -> None:
        def interrupt() -> None:
            snapshot.cancel()
            asked_at.append(time.monotonic())
            asked.set()

        with Progress(services, jobs.ref_of(job), FREEZING, interrupt=interrupt):
            assert asked.wait(timeout=20)
            snapshot.value("SELECT pg_sleep(60)")

    jobs.cancel(services.database, job.id, now=services.clock())
    with open_snapshot(services.database) as snapshot, pytest.raises(SupersededError, match="is CANCELLED"):
        work(snapshot)
    assert time.monotonic() - asked_at[0] < 5


class LateStore(LocalStore):
    """Has a job cancelled in the moment in which its file has appeared."""

    cancelling: tuple[Services, str]

    def compose(self, key: str, segments: Sequence[Segment], **how: Any) -> None:
        super().compose(key, segments, **how)
        if not key.endswith(MANIFEST_SUFFIX):
            services, job_id = self.cancelling
            jobs.cancel(services.database, job_id, now=services.clock())
            assert self.stat(key) is not None


def test_a_file_that_appeared_as_its_job_was_cancelled_is_taken_back(services: Services) -> None:
    store = LateStore(services.settings.home / "store")
    job = submit(services, order("RUN_BUNDLE"))
    store.cancelling = (services, job.id)
    with pytest.raises(SupersededError, match="is CANCELLED"):
        run_export(replace(services, store=store), job.id)
    assert jobs.get(services.database, job.id).status is JobStatus.CANCELLED
    assert list(store.list("exports/")) == []
