"""The world fails in the middle of an export: the database goes away, the disk fills up, a worker sleeps too long."""

import random
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.verify import verify_job
from export_pipelines_tests.chaos import volumes
from export_pipelines_tests.chaos.checks import check_completed_by_running_again, check_nothing_half_done, undisturbed
from export_pipelines_tests.chaos.moments import PHASES, STEPS
from export_pipelines_tests.chaos.plan import OF_PARTS, OUTAGES, STREAMED, Kill, Route
from export_pipelines_tests.chaos.rounds import lose_database, moment
from export_pipelines_tests.chaos.servers import OwnServer, own_server
from export_pipelines_tests.chaos.volumes import Volume
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.dying import Point

BUNDLE, BUNDLE_ALONE, PARQUET, JSONL, GZIPPED_CSV = *OF_PARTS, STREAMED[0], STREAMED[4]
WRITE = "export_pipelines.storage.local:LocalWriter.write"


@pytest.fixture
def services(services: Services) -> Services:
    """With the machine's clock, which the processes that meet the outage go by too."""
    return replace(services, clock=lambda: datetime.now(UTC))


@pytest.fixture
def deployment(services: Services) -> Deployment:
    return Deployment(services=services)


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A PostgreSQL server of this module's own, since others need theirs."""
    with own_server() as server:
        yield server


def stopping(target: str, when: str = "before", **more: object) -> Point:
    """A point at which a process stands still until it is told to go on."""
    return Point(target=target, when=when, number=signal.SIGSTOP, **more)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", OUTAGES)
def test_an_export_that_loses_its_database_says_so_or_goes_on_and_is_completed_by_running_it_again(
    server: OwnServer, tmp_path: Path, how: str, seed: int
) -> None:
    chance = random.Random(f"{how} {seed}")
    kill = Kill(phase=PHASES[seed % len(PHASES)], share=chance.random())
    route = chance.choice((BUNDLE, BUNDLE_ALONE, PARQUET, JSONL, GZIPPED_CSV))
    with server.deployment(tmp_path / "home") as deployment:
        job = route.submit(deployment.services)
        at = moment(deployment, route, kill, number=signal.SIGSTOP)
        lose_database(deployment, server, at, job.id, how=how, alone=route.alone)
        check_completed_by_running_again(deployment.services, job.id)


@pytest.fixture(params=["mounted", "limited"])
def volume(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[Volume]:
    """Under the store of the deployment."""
    with getattr(volumes, request.param)(deployment.store) as volume:
        yield volume


@pytest.mark.parametrize(
    ("route", "point"),
    [
        (BUNDLE, stopping(WRITE, call=3, within=f"{STEPS}:load")),
        (BUNDLE, stopping(WRITE, call=2, within=f"{STEPS}:render")),
        (BUNDLE, stopping(f"{STEPS}:package")),
        (BUNDLE, stopping(f"{STEPS}:upload")),
        (PARQUET, stopping(f"{STEPS}:render", call=2)),
        (JSONL, stopping(WRITE, call=3, within=f"{STEPS}:load")),
        (GZIPPED_CSV, stopping(f"{STEPS}:package")),
    ],
    ids=str,
)
def test_a_disk_that_fills_up_fails_the_job_with_the_way_out_and_a_retry_completes_it(
    deployment: Deployment, volume: Volume, route: Route, point: Point
) -> None:
    job_id, worker = stopped(deployment, route, point)
    advice = volume.fill(worker.pid)
    check_refused_and_completed(deployment, volume, job_id, worker, advice=advice)


@pytest.mark.parametrize("step", ["load", "render", "package", "upload"])
def test_a_folder_turned_read_only_fails_the_job_with_the_way_out_and_a_retry_completes_it(
    deployment: Deployment, volume: Volume, step: str
) -> None:
    job_id, worker = stopped(deployment, BUNDLE, stopping(f"{STEPS}:{step}"))
    advice = volume.deny(worker.pid)
    check_refused_and_completed(deployment, volume, job_id, worker, advice=advice)


def test_a_folder_turned_read_only_just_before_the_file_gets_its_second_name_is_no_surprise(
    deployment: Deployment, volume: Volume
) -> None:
    point = stopping("export_pipelines.storage.local_publishing:make_folders", "after", within=f"{STEPS}:upload")
    job_id, worker = stopped(deployment, JSONL, point)
    advice = volume.deny(worker.pid)
    worker.go_on()
    ended = worker.wait()
    volume.heal()
    row = jobs.get(deployment.database, job_id)
    # Root's limits leave a second name possible, for it takes no space.
    assert row.status is (JobStatus.FAILED if ended.status else JobStatus.COMPLETED)
    assert row.error is None or advice in row.error
    check_nothing_half_done(deployment.services, job_id, killed=False)
    check_completed_by_running_again(deployment.services, job_id)


def stopped(deployment: Deployment, route: Route, point: Point):
    """A job, and the worker that stands still in the middle of it."""
    job = route.submit(deployment.services)
    worker = deployment.work(point, job.id, alone=route.alone)
    worker.wait_until_stopped()
    return job.id, worker


def check_refused_and_completed(deployment: Deployment, volume: Volume, job_id: str, worker, *, advice: str) -> None:
    """The worker and the row say what to do; once it is done, the job completes with the usual bytes."""
    services = deployment.services
    worker.go_on()
    ended = worker.wait()
    volume.heal()
    assert (ended.status, ended.out) == (1, "")
    row = jobs.get(services.database, job_id)
    assert row.status is JobStatus.FAILED
    assert row.error is not None
    assert ended.err == f"error: {row.error}\n"
    assert advice in row.error
    check_nothing_half_done(services, job_id, killed=False)
    check_completed_by_running_again(services, job_id)


@pytest.mark.parametrize(
    ("route", "point"),
    [
        (BUNDLE, stopping("export_pipelines.db.ledger:commit_frozen", call=2)),
        (BUNDLE, stopping("export_pipelines.db.ledger:commit_rendered", call=2)),
        (PARQUET, stopping(f"{STEPS}:upload")),
        (BUNDLE, stopping("export_pipelines.storage.local:LocalStore.compose", call=2)),
        (BUNDLE, stopping(f"{STEPS}:record")),
        (BUNDLE_ALONE, stopping("export_pipelines.db.ledger:commit_streamed")),
        (JSONL, stopping("export_pipelines.db.ledger:commit_streamed")),
        (JSONL, stopping("export_pipelines.storage.local:LocalStore.compose", call=2)),
    ],
    ids=str,
)
def test_a_worker_that_wakes_up_when_another_has_completed_its_job_changes_nothing(
    deployment: Deployment, route: Route, point: Point
) -> None:
    services = deployment.services
    job_id, worker = stopped(deployment, route, point)
    with services.database.raw_connection(autocommit=True) as connection:
        # As when its machine had frozen for so long that the server took it for gone.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    done = run_export(services, job_id)
    worker.go_on()
    ended = worker.wait()
    assert jobs.get(services.database, job_id) == done
    assert verify_job(services, job_id).problems == ()
    assert done.checksum == undisturbed(services, done)
    # Whose last step comes too late finds the very file it made; everybody else is told.
    assert ended.status == 0 or ended.err.startswith("error: ")
    check_completed_by_running_again(services, job_id)
