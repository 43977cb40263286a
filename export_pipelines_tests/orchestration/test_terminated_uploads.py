"""A run that is terminated in the Dagster UI in the middle of a multipart upload leaves nothing in the bucket."""

from collections.abc import Iterator

import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_RUN_ID
from export_pipelines.storage.open import open_store
from export_pipelines_tests.dagster_parts import Parts, started
from export_pipelines_tests.dagster_ui import soon
from export_pipelines_tests.held_uploads import MIB, Held, grow, unfinished
from export_pipelines_tests.s3_refusals import Gate, gate_before
from export_pipelines_tests.s3_servers import BUCKET, aws_variables, client_with, moto_server

pytestmark = [pytest.mark.xdist_group("deployment"), pytest.mark.timeout(300)]

URL = f"s3://{BUCKET}/terminated"


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with moto_server() as server, gate_before(server.url) as gate:
        yield gate


@pytest.fixture(scope="module")
def parts(
    gate: Gate, tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedServer, seeded_template: str
) -> Iterator[Parts]:
    settings = {"EXPORT_PIPELINES_STORE_URL": URL, "EXPORT_PIPELINES_SHARD_BYTES": str(12 * MIB)}
    home = tmp_path_factory.mktemp("terminated")
    with started(postgres_server, seeded_template, home, **settings, **aws_variables(gate.url)) as parts:
        yield parts


@pytest.mark.parametrize(
    ("type_name", "answers", "below"),
    [("BULK_JSONL", 93, "/staging/"), ("RUN_BUNDLE", 40, "/exports/")],
    ids=["while rows are read", "while the file is put together"],
)
def test_a_run_terminated_between_two_parts_ends_canceled_its_job_cancelled_and_its_upload_aborted(
    parts: Parts, gate: Gate, type_name: str, answers: int, below: str
) -> None:
    grow(parts.database, answers=answers)
    held, client = Held(gate, below=below), client_with(aws_variables(gate.url))
    run_id = parts.ui.launch(f"export_{type_name.lower()}", user=DEMO_USER_EMAIL, run_id=SHOWCASE_RUN_ID)
    assert held.came.wait(90)
    assert len(unfinished(client)) == 1
    job = _job_of(parts, run_id)
    assert job.status is JobStatus.PROCESSING

    parts.ui.terminate(run_id)
    soon(lambda: parts.ui.run(run_id)["status"] in ("CANCELING", "CANCELED"), seconds=30)
    held.go_on.set()

    assert parts.ui.finished(run_id)["status"] == "CANCELED"
    soon(lambda: _job_of(parts, run_id).status is JobStatus.CANCELLED, seconds=60)
    soon(lambda: held.ended, seconds=5)
    assert held.ended == ["DELETE"]
    assert unfinished(client) == []
    # The sidecar comes before the file; it goes with the job.
    soon(lambda: not list(open_store(URL, s3_client=client).list("exports/")), seconds=5)
    assert [entry.action for entry in audit.list_for_job(parts.database, job.id)] == ["created", "started", "cancelled"]


def _job_of(parts: Parts, run_id: str) -> ExportJob:
    [job] = jobs.find_by_dagster_runs(parts.database, [run_id])
    return job
