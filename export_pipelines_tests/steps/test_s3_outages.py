"""An S3 store that refuses writes in the middle of an export, and one whose worker is killed there."""

import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from export_pipelines.core.errors import StoreUnavailableError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.sweep import sweep
from export_pipelines.steps.upload import MANIFEST_SUFFIX
from export_pipelines.steps.verify import verify_job
from export_pipelines.storage.open import open_store
from export_pipelines_tests.chaos.checks import undisturbed
from export_pipelines_tests.chaos.moments import STEPS
from export_pipelines_tests.chaos.plan import OF_PARTS, STREAMED, Route
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.dying import Point
from export_pipelines_tests.s3_refusals import Gate, gate_before, nothing
from export_pipelines_tests.s3_servers import BUCKET, aws_variables, client_with, rclone_server

BUNDLE, JSONL = OF_PARTS[0], STREAMED[0]
WRITES = ("PUT", "POST", "DELETE")
URL = f"s3://{BUCKET}/here"


@pytest.fixture(scope="module")
def shared_gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with rclone_server(tmp_path_factory.mktemp("s3")) as server, gate_before(server.url) as gate:
        yield gate


@pytest.fixture(scope="module")
def client(shared_gate: Gate):
    """Making one takes longer than most tests."""
    return client_with(aws_variables(shared_gate.url))


@pytest.fixture
def gate(shared_gate: Gate) -> Iterator[Gate]:
    """Open at first."""
    shared_gate.refused.clear()
    yield shared_gate
    shared_gate.refuses = nothing


@pytest.fixture
def local(services: Services) -> Services:
    """The same data with a folder for a store, to compare with."""
    return replace(services, clock=lambda: datetime.now(UTC))


@pytest.fixture
def remote(local: Services, client) -> Services:
    """With the store behind the gate."""
    store = open_store(URL, s3_client=client)
    return replace(local, store=store, settings=replace(local.settings, store_url=URL))


@pytest.mark.parametrize(
    ("route", "where"),
    [
        (BUNDLE, r"/frozen/00002"),
        (BUNDLE, r"/rendered/00001"),
        (BUNDLE, r"/exports/.*\.zip(?!\.manifest)"),
        (JSONL, r"/package/streamed"),
    ],
    ids=["frozen", "rendered", "published", "streamed"],
)
def test_a_store_that_refuses_writes_fails_the_job_with_the_reason_and_a_retry_completes_it(
    local: Services, remote: Services, gate: Gate, route: Route, where: str
) -> None:
    job = route.submit(remote)
    gate.refuses = lambda method, path: method in WRITES and re.search(where, path) is not None
    with pytest.raises(StoreUnavailableError, match="try again in a moment"):
        run_export(remote, job.id, alone=route.alone)
    assert len(gate.refused) > 1, "the client has not tried again"
    failed = jobs.get(remote.database, job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert "SlowDown" in failed.error
    assert published(remote) == []
    gate.refuses = nothing
    check_completed(local, remote, job.id, attempt=1 if "/frozen" not in where and route is BUNDLE else 2)


@pytest.mark.parametrize("route", [BUNDLE, JSONL], ids=str)
def test_a_worker_killed_while_it_publishes_to_s3_leaves_no_file_and_is_continued(
    local: Services, remote: Services, gate: Gate, route: Route, tmp_path: Path
) -> None:
    job = route.submit(remote)
    point = Point(target="export_pipelines.storage.s3:S3Store.compose", when="before", call=2, within=f"{STEPS}:upload")
    variables = {"EXPORT_PIPELINES_STORE_URL": URL, **aws_variables(gate.url)}
    died = Deployment(services=local).work(point, job.id, alone=route.alone, **variables).wait()
    assert died.status == -signal.SIGKILL, died
    assert published(remote) == []
    check_completed(local, remote, job.id, attempt=1)


def published(services: Services) -> list[str]:
    """The files in sight, without their manifests, which come first."""
    return [facts.key for facts in services.store.list("exports/") if not facts.key.endswith(MANIFEST_SUFFIX)]


def check_completed(local: Services, remote: Services, job_id: str, *, attempt: int) -> None:
    """Run again, the job completes with the usual bytes, and the sweep leaves nothing but the file."""
    done = run_export(remote, job_id)
    assert (done.status, done.attempt) == (JobStatus.COMPLETED, attempt)
    assert verify_job(remote, job_id).problems == ()
    assert done.checksum == undisturbed(local, done)
    later = datetime.now(UTC) + timedelta(hours=2)
    sweep(replace(remote, clock=lambda: later))
    assert {facts.key for facts in remote.store.list("")} == {done.output_path, f"{done.output_path}{MANIFEST_SUFFIX}"}
    for facts in list(remote.store.list("")):
        remote.store.delete(facts.key)
