"""Large exports of the command line: their shards are rendered by several processes, and it shows in nothing else."""

import os
import signal
import time
from dataclasses import replace

import dagster as dg
import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs, ledger
from export_pipelines.db.jobs import ref_of
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.orchestration.instance import DATABASE_VARIABLE
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import submit
from export_pipelines_tests.chaos.checks import wait_until_quiet
from export_pipelines_tests.deployments import SCRIPT, SECONDS, Deployment, finished
from export_pipelines_tests.steps.orders import order

EXPORT = ("export", "RUN_BUNDLE", "--run-id", SHOWCASE_RUN_ID)
SMALL, LARGE = 10_000, 60_000
IN_ONE = {"EXPORT_PIPELINES_EXECUTOR": "in_process"}


def workers(deployment: Deployment, run_id: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Host and process of each rendering step, as the run page shows them."""
    assert deployment.dagster_url is not None
    monkeypatch.setenv(DATABASE_VARIABLE, deployment.dagster_url.replace("postgresql:", "postgresql+psycopg2:"))
    with dg.DagsterInstance.from_config(str(deployment.home / "dagster")) as instance:
        records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_OUTPUT).records
        events = [record.event_log_entry.dagster_event for record in records]
        return {
            event.step_key: str(event.step_output_data.metadata["worker"].value)
            for event in events
            if event and event.step_key and event.step_key.startswith("render")
        }


def test_a_large_export_is_rendered_by_several_processes_to_the_same_bytes(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = {"EXPORT_PIPELINES_SHARD_BYTES": str(LARGE), "EXPORT_PIPELINES_PARALLEL_SHARDS": "3"}
    parallel = deployment.script(*EXPORT, "--json", **three)
    assert (parallel.status, parallel.err) == (0, "")
    assert parallel.json["checksum"] == in_this_process(deployment, LARGE)
    beside = workers(deployment, parallel.json["dagster_run_id"], monkeypatch)
    assert len(set(beside.values())) == len(beside) == 3


def in_this_process(deployment: Deployment, shard_bytes: int) -> str | None:
    """The checksum of the file that one process makes of the same shards."""
    services = replace(deployment.services, settings=replace(deployment.services.settings, shard_bytes=shard_bytes))
    return run_export(services, submit(services, order("RUN_BUNDLE")).id).checksum


def wait_until_rendering(deployment: Deployment) -> ExportJob:
    give_up = time.monotonic() + SECONDS
    while True:
        for job in jobs.list_jobs(deployment.database, status=JobStatus.PROCESSING):
            if ledger.reusable_part(deployment.database, ref_of(job), 0):
                return job
        assert time.monotonic() < give_up
        time.sleep(0.01)


def wait_until_all_are_gone(group: int) -> None:
    """Those that were forked from hear of the end of the run by a pipe that closes."""
    give_up = time.monotonic() + SECONDS
    while is_there(group):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_stops_all_processes_and_the_same_command_goes_on(deployment: Deployment) -> None:
    small = {"EXPORT_PIPELINES_SHARD_BYTES": str(SMALL), "EXPORT_PIPELINES_PARALLEL_SHARDS": "4"}
    stopped = deployment.start(SCRIPT, *EXPORT, foreground=True, **small)
    job = wait_until_rendering(deployment)
    # A terminal tells everybody in the foreground.
    os.killpg(stopped.pid, signal.SIGINT)
    ended = finished(stopped)
    assert (ended.status, ended.out, ended.err) == (130, "", "error: interrupted\n")
    wait_until_all_are_gone(stopped.pid)
    assert not (deployment.store / "exports").exists()
    assert jobs.get(deployment.database, job.id).status is JobStatus.PROCESSING
    wait_until_quiet(deployment.database, job.id)
    again = deployment.run(*EXPORT, "--json", **small, **IN_ONE)
    assert again.err == f"continuing job {job.id}, which was interrupted\n"
    assert (again.json["id"], again.json["status"], again.json["attempt"]) == (job.id, "COMPLETED", 1)
    assert again.json["checksum"] == in_this_process(deployment, SMALL)
