"""Runs whose worker went away without a word are ended; runs that anybody may still be working on are left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs, leases
from export_pipelines.db.database import Database
from export_pipelines.launching.requests import JOB_TAG
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.lost import end_lost_runs
from export_pipelines.orchestration.owners import jobs_of_run
from export_pipelines.orchestration.resources import services_of
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.sweep import find_lost
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.orders import order

JOB = build_definitions().resolve_job_def("export_bulk_csv")


@pytest.fixture
def services(deployment: Database, tmp_path: Path) -> Services:
    """In ten minutes from now, when whatever is not working any more has been silent for long."""
    return after(services_of(deployment, LocalStore(tmp_path / "store")), minutes=10)


def after(services: Services, *, minutes: int) -> Services:
    return replace(services, clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))


def started(instance: dg.DagsterInstance, **tags: str) -> str:
    """A run that says STARTED and has no worker at all."""
    run = instance.create_run_for_job(JOB, tags=tags)
    event = DagsterEvent(DagsterEventType.RUN_START.value, job_name=run.job_name)
    instance.report_dagster_event(event, run_id=run.run_id)
    return run.run_id


def being_worked_on(services: Services, instance: dg.DagsterInstance) -> tuple[ExportJob, str]:
    job = submit(after(services, minutes=0), order("BULK_CSV"))
    run_id = started(instance, **{JOB_TAG: job.id})
    jobs.claim(services.database, job.id, dagster_run_id=run_id, now=datetime.now(UTC))
    return job, run_id


def status(instance: dg.DagsterInstance, run_id: str) -> str:
    return instance.get_run_by_id(run_id).status.value


def test_the_run_of_a_job_whose_worker_died_is_ended_as_soon_as_another_run_shall_go_on(services, instance) -> None:
    job, run_id = being_worked_on(services, instance)
    assert end_lost_runs(services, instance) == ()

    assert find_lost(services) == (job.id,)
    assert jobs.get(services.database, job.id).waits
    assert end_lost_runs(services, instance) == (run_id,)
    assert jobs_of_run(services.database, instance.get_run_by_id(run_id)) == ()


def test_the_run_of_a_job_whose_worker_died_is_ended_once_the_job_has_been_failed(services, instance) -> None:
    services = replace(services, settings=replace(services.settings, max_resumes=0))
    job, run_id = being_worked_on(services, instance)
    assert end_lost_runs(services, instance) == ()

    assert find_lost(services) == (job.id,)
    assert end_lost_runs(services, instance) == ()

    later = after(services, minutes=20)
    assert end_lost_runs(later, instance) == (run_id,)
    assert status(instance, run_id) == "FAILURE"
    assert end_lost_runs(later, instance) == ()


def test_a_run_whose_worker_holds_the_lease_is_left_alone_however_silent_it_is(services, instance) -> None:
    job, run_id = being_worked_on(services, instance)
    jobs.cancel(services.database, job.id, now=datetime.now(UTC))
    with leases.hold(services.database, job.id):
        assert find_lost(services) == ()
        assert end_lost_runs(services, instance) == ()
    assert end_lost_runs(services, instance) == (run_id,)


def test_runs_that_never_named_a_job_or_one_that_is_gone_are_left_alone(services, instance) -> None:
    runs = [started(instance), started(instance, **{JOB_TAG: "c0nosuchjob"})]
    assert end_lost_runs(services, instance) == ()
    assert {status(instance, run_id) for run_id in runs} == {"STARTED"}


def test_the_sensor_says_what_it_found(deployment: Database, instance: dg.DagsterInstance) -> None:
    sensor = build_definitions().get_repository_def().get_sensor_def("end_work_of_lost_workers")
    with dg.build_sensor_context(instance=instance, resources=build_definitions().resources) as context:
        assert sensor(context).skip_message == "Every worker is alive."
