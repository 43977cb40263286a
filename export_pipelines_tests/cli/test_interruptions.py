"""Exports whose process is killed, stopped by its user, or run twice at once: asking again always completes them."""

import random
import signal
import time

import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import submit
from export_pipelines_tests.chaos.checks import wait_until_let_go, wait_until_quiet
from export_pipelines_tests.deployments import SCRIPT, SECONDS, Deployment, finished
from export_pipelines_tests.dying import Point
from export_pipelines_tests.steps.orders import order

EXPORT = ("export", "BULK_JSONL", "--run-id", SHOWCASE_RUN_ID)
OPS = "export_pipelines.orchestration.ops"
RENDERED = Point(target=f"{OPS}:render", when="after", call=2)


def undisturbed(deployment: Deployment) -> str | None:
    return run_export(deployment.services, submit(deployment.services, order("BULK_JSONL")).id).checksum


def only_job(deployment: Deployment) -> ExportJob:
    [job] = jobs.list_jobs(deployment.database)
    return job


def published(deployment: Deployment) -> list[str]:
    return sorted(path.name for path in (deployment.store / "exports").rglob("*") if path.is_file())


def wait_until_begun(deployment: Deployment) -> ExportJob:
    give_up = time.monotonic() + SECONDS
    while not (begun := [job for job in jobs.list_jobs(deployment.database) if job.status is not JobStatus.PENDING]):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return begun[0]


@pytest.mark.parametrize(
    "point",
    [
        Point(target=f"{OPS}:load", when="before"),
        Point(target=f"{OPS}:load", when="after"),
        RENDERED,
        Point(target=f"{OPS}:upload", when="after"),
    ],
    ids=str,
)
def test_the_same_command_again_completes_the_export_that_was_killed(deployment: Deployment, point: Point) -> None:
    assert deployment.fork(point, "cli", *EXPORT).wait().status == -signal.SIGKILL
    left = only_job(deployment)
    assert left.status is JobStatus.PROCESSING
    wait_until_quiet(deployment.database, left.id)
    again = deployment.run(*EXPORT, "--json")
    assert (again.status, again.err) == (0, f"continuing job {left.id}, which was interrupted\n")
    assert (again.json["id"], again.json["status"]) == (left.id, "COMPLETED")
    assert again.json["attempt"] == (2 if point.when == "before" else 1)
    assert len(published(deployment)) == 2
    assert again.json["checksum"] == undisturbed(deployment)


def test_an_export_killed_before_it_was_begun_is_begun_by_the_same_command(deployment: Deployment) -> None:
    point = Point(target=f"{OPS}:begin", when="before")
    assert deployment.fork(point, "cli", *EXPORT).wait().status == -signal.SIGKILL
    left = only_job(deployment)
    assert left.status is JobStatus.PENDING
    with deployment.database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET updated_at = updated_at - interval '2 minutes'")
        connection.commit()
    again = deployment.run(*EXPORT, "--json")
    assert (again.status, again.json["id"], again.json["status"]) == (0, left.id, "COMPLETED")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_script_killed_at_a_random_moment_is_completed_by_retry(deployment: Deployment, seed: int) -> None:
    process = deployment.start(SCRIPT, *EXPORT)
    job = wait_until_begun(deployment)
    time.sleep(random.Random(seed).uniform(0, 1.5))
    process.kill()
    finished(process)
    wait_until_let_go(deployment.database, job.id)
    left = jobs.get(deployment.database, job.id)
    if left.status is not JobStatus.COMPLETED:
        again = deployment.script("jobs", "retry", job.id, "--json")
        assert (again.status, again.json["status"]) == (0, "COMPLETED")
    assert deployment.run("verify", job.id).status == 0
    assert len(published(deployment)) == 2
    assert jobs.get(deployment.database, job.id).checksum == undisturbed(deployment)


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(deployment: Deployment) -> None:
    stopped = deployment.fork(
        Point(target=f"{OPS}:render", when="after", call=2, number=signal.SIGINT), "cli", *EXPORT
    ).wait()
    assert (stopped.status, stopped.out, stopped.err) == (130, "", "error: interrupted\n")
    assert published(deployment) == []
    wait_until_quiet(deployment.database, only_job(deployment).id)
    again = deployment.run(*EXPORT, "--json")
    assert (again.status, again.json["status"], again.json["attempt"]) == (0, "COMPLETED", 1)


def test_a_different_request_does_not_continue_the_interrupted_one(deployment: Deployment) -> None:
    deployment.fork(RENDERED, "cli", *EXPORT).wait()
    wait_until_quiet(deployment.database, only_job(deployment).id)
    other = deployment.run(*EXPORT, "--expiry-hours", "48", "--json")
    assert (other.status, other.err) == (0, "")
    assert sorted(job.status for job in jobs.list_jobs(deployment.database)) == ["COMPLETED", "PROCESSING"]


@pytest.mark.parametrize("killed", [False, True], ids=["new", "interrupted"])
def test_two_who_continue_a_job_at_once_get_one_file_and_both_are_told_where_it_is(
    deployment: Deployment, killed: bool
) -> None:
    job = submit(deployment.services, order("BULK_JSONL"))
    if killed:
        deployment.work(Point(target="export_pipelines.db.ledger:commit_streamed", when="before"), job.id).wait()
        wait_until_let_go(deployment.database, job.id)
    both = [deployment.fork(None, "cli", "jobs", "retry", job.id, "--json") for _ in range(2)]
    for ended in [worker.wait() for worker in both]:
        if ended.status:
            assert "is being worked on" in ended.err
            assert ended.err.count("error: ") == 1
        else:
            assert ended.json["status"] == "COMPLETED"
    done = jobs.get(deployment.database, job.id)
    assert done.status is JobStatus.COMPLETED
    assert done.checksum == undisturbed(deployment)
    # The other file is the one that nobody disturbed; each has its manifest.
    assert len(published(deployment)) == 4
