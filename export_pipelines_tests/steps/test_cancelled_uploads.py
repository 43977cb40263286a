"""An export that is cancelled in the middle of a multipart upload leaves nothing in the bucket, in no form."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from export_pipelines.core.errors import SupersededError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.sweep import sweep
from export_pipelines.storage.open import open_store
from export_pipelines_tests.held_uploads import MIB, Held, grow, unfinished
from export_pipelines_tests.s3_refusals import Gate, gate_before
from export_pipelines_tests.s3_servers import BUCKET, aws_variables, client_with, moto_server
from export_pipelines_tests.steps.orders import order

URL = f"s3://{BUCKET}/cancelled"


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with moto_server() as server, gate_before(server.url) as gate:
        yield gate


@pytest.fixture(scope="module")
def client(gate: Gate):
    return client_with(aws_variables(gate.url))


@pytest.fixture
def remote(services: Services, client) -> Services:
    """A deployment whose files go to the bucket."""
    chosen = replace(services.settings, store_url=URL, shard_bytes=12 * MIB)
    return replace(services, store=open_store(URL, s3_client=client), settings=chosen, clock=lambda: datetime.now(UTC))


def by_command(services: Services, job: ExportJob) -> None:
    jobs.cancel(services.database, job.id, now=services.clock())


def by_sql(services: Services, job: ExportJob) -> None:
    with services.database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET status = 'CANCELLED' WHERE id = %s", [job.id])
        connection.commit()


@pytest.mark.parametrize(
    ("type_name", "answers", "below", "cancel"),
    [("BULK_JSONL", 93, "/staging/", by_command), ("RUN_BUNDLE", 40, "/exports/", by_sql)],
    ids=["while rows are read", "while the file is put together"],
)
def test_a_job_that_is_cancelled_between_two_parts_stays_cancelled_and_its_upload_is_aborted(
    remote: Services,
    client,
    gate: Gate,
    type_name: str,
    answers: int,
    below: str,
    cancel: Callable[[Services, ExportJob], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grow(remote.database, answers=answers)
    heard = threading.Event()
    report = jobs.report_progress

    def report_and_hear(*arguments: Any, **more: Any) -> ExportJob:
        try:
            return report(*arguments, **more)
        except SupersededError:
            heard.set()
            raise

    monkeypatch.setattr(jobs, "report_progress", report_and_hear)
    job, held = submit(remote, order(type_name)), Held(gate, below=below)
    raised: list[BaseException] = []

    def work() -> None:
        with pytest.raises(SupersededError, match="is CANCELLED") as caught:
            run_export(remote, job.id)
        raised.append(caught.value)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    assert held.came.wait(60)
    assert len(unfinished(client)) == 1
    cancel(remote, job)
    # The worker asks how its job stands while its upload is held up.
    assert heard.wait(5)
    held.go_on.set()
    worker.join(5)
    assert len(raised) == 1
    assert held.ended == ["DELETE"]
    assert jobs.get(remote.database, job.id).status is JobStatus.CANCELLED
    assert unfinished(client) == []
    assert list(remote.store.list("exports/")) == []
    later = datetime.now(UTC) + timedelta(hours=2)
    sweep(replace(remote, clock=lambda: later))
    assert list(remote.store.list("")) == []
