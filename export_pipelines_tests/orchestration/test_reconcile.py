"""Rows and runs that do not agree are brought together; those that may still agree are left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.db.database import Database
from export_pipelines.launching.requests import JOB_TAG, RUN_KEY_TAG, TYPE_TAG, USER_TAG
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.owners import has_moved_on, jobs_of_run, was_lost
from export_pipelines.orchestration.queue import run_request
from export_pipelines.orchestration.reconcile import reconcile
from export_pipelines.orchestration.resources import services_of
from export_pipelines.steps.begin import begin
from export_pipelines.steps.queue import claim
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.orders import order

DEFINITIONS = build_definitions()
JOB = DEFINITIONS.resolve_job_def("export_bulk_csv")


@pytest.fixture
def now(deployment: Database, tmp_path: Path) -> Services:
    return services_of(deployment, LocalStore(tmp_path / "store"))


@pytest.fixture
def later(now: Services) -> Services:
    """In five minutes: what was promised has long been forgotten, and who was silent is silent for long."""
    return replace(now, clock=lambda: datetime.now(UTC) + timedelta(minutes=5))


def promised(services: Services) -> ExportJob:
    submit(services, order("BULK_CSV"))
    [job] = claim(services, by="test")
    return job


def run_of(instance: dg.DagsterInstance, job: ExportJob, *events: DagsterEventType) -> dg.DagsterRun:
    """The run that the job was promised, as far as these events bring it."""
    tags = {JOB_TAG: job.id, USER_TAG: job.user_id, TYPE_TAG: job.type, RUN_KEY_TAG: job.run_key}
    run = instance.create_run_for_job(JOB, tags=tags)
    for event in events:
        instance.report_dagster_event(DagsterEvent(event.value, job_name=run.job_name), run_id=run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def test_what_agrees_is_left_alone(now: Services, later: Services, instance: dg.DagsterInstance) -> None:
    waiting = promised(now)
    run_of(instance, waiting)
    working = promised(now)
    run = run_of(instance, working, DagsterEventType.RUN_START)
    begin(now, working.id, dagster_run_id=run.run_id, run_key=working.run_key)
    with leases.hold(now.database, working.id):
        assert str(reconcile(later, instance)) == "Every row agrees with its run."
    assert str(reconcile(now, instance)) == "Every row agrees with its run."


def test_a_promised_run_that_never_came_is_promised_again_under_the_same_key(
    now: Services, later: Services, instance: dg.DagsterInstance
) -> None:
    job = promised(now)
    assert reconcile(now, instance).released == ()
    assert reconcile(later, instance).released == (job.id,)
    [again] = claim(later, by="test")
    assert again.run_key == job.run_key


def test_a_promised_run_that_failed_before_it_began_is_followed_by_another(
    now: Services, later: Services, instance: dg.DagsterInstance
) -> None:
    job = promised(now)
    run_of(instance, job, DagsterEventType.RUN_FAILURE)
    assert reconcile(later, instance).resumed == (job.id,)
    after = jobs.get(now.database, job.id)
    assert (after.status, after.launch, after.claimed_at) == (JobStatus.PENDING, 2, None)
    assert reconcile(later, instance).resumed == ()


def test_a_promised_run_whose_machine_went_away_before_it_began_is_ended_and_followed_by_another(
    now: Services, later: Services, instance: dg.DagsterInstance
) -> None:
    job = promised(now)
    run = run_of(instance, job, DagsterEventType.RUN_START)
    assert reconcile(later, instance).resumed == (job.id,)
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE


def test_a_promised_run_that_somebody_terminated_cancels_its_job(
    now: Services, later: Services, instance: dg.DagsterInstance
) -> None:
    job = promised(now)
    run = run_of(instance, job, DagsterEventType.RUN_CANCELED)
    assert jobs_of_run(now.database, run) == (job,)
    assert reconcile(later, instance).cancelled == (job.id,)
    assert jobs.get(now.database, job.id).status is JobStatus.CANCELLED


@pytest.mark.parametrize("known", [True, False])
def test_a_job_whose_run_is_over_or_unknown_goes_on_in_another(
    now: Services, later: Services, instance: dg.DagsterInstance, known: bool
) -> None:
    job = promised(now)
    run_id = run_of(instance, job, DagsterEventType.RUN_FAILURE).run_id if known else "no-such-run"
    begin(now, job.id, dagster_run_id=run_id, run_key=job.run_key)
    assert reconcile(now, instance).resumed == ()
    assert reconcile(later, instance).resumed == (job.id,)
    after = jobs.get(now.database, job.id)
    assert (after.status, after.waits, after.launch) == (JobStatus.PROCESSING, True, 2)


@pytest.mark.parametrize("ended", [DagsterEventType.RUN_CANCELED, DagsterEventType.RUN_FAILURE])
def test_a_job_that_another_run_takes_up_while_somebody_looks_is_left_to_it(
    now: Services,
    later: Services,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    ended: DagsterEventType,
) -> None:
    job = promised(now)
    begin(now, job.id, dagster_run_id=run_of(instance, job, ended).run_id, run_key=job.run_key)
    is_held = leases.is_held

    def looked_a_moment_too_early(database: Database, job_id: str) -> bool:
        held = is_held(database, job_id)
        begin(now, job_id, dagster_run_id="another")
        return held

    monkeypatch.setattr(leases, "is_held", looked_a_moment_too_early)
    assert str(reconcile(later, instance)) == "Every row agrees with its run."
    after = jobs.get(now.database, job.id)
    assert (after.status, after.dagster_run_id, after.waits) == (JobStatus.PROCESSING, "another", False)


def test_a_job_that_never_had_a_run_is_left_to_who_looks_for_dead_workers(
    now: Services, later: Services, instance: dg.DagsterInstance
) -> None:
    begin(now, promised(now).id, dagster_run_id=None)
    assert reconcile(later, instance).resumed == ()


def test_a_run_says_whose_job_it_works_on_until_another_run_has_it(now: Services, instance: dg.DagsterInstance) -> None:
    job = promised(now)
    first = run_of(instance, job, DagsterEventType.RUN_START)
    assert not has_moved_on(job, first)
    begun = begin(now, job.id, dagster_run_id=first.run_id, run_key=job.run_key)
    assert jobs_of_run(now.database, first) == (begun,)
    back = jobs.put_back(now.database, begun, launch_after=now.clock(), now=now.clock())
    assert back is not None
    assert has_moved_on(back, first)
    assert jobs_of_run(now.database, first) == ()
    second = run_of(instance, back)
    assert not has_moved_on(back, second)
    assert jobs_of_run(now.database, second) == (back,)


@pytest.mark.parametrize(
    ("errors", "lost"),
    [
        ([], True),
        (["DagsterExecutionInterruptedError"], True),
        (["ChildProcessCrashException", "DagsterExecutionInterruptedError"], True),
        (["Failure"], False),
        (["DagsterExecutionInterruptedError", "Failure"], False),
    ],
)
def test_a_run_is_lost_when_its_processes_were_ended_and_no_step_failed_by_itself(
    errors: list[str], lost: bool
) -> None:
    from dagster._core.events import StepFailureData
    from dagster._utils.error import SerializableErrorInfo

    events = [
        DagsterEvent(
            DagsterEventType.STEP_FAILURE.value,
            job_name="export_bulk_csv",
            event_specific_data=StepFailureData(error=SerializableErrorInfo("ended", [], name), user_failure_data=None),
        )
        for name in errors
    ]
    assert was_lost(events) is lost


def test_the_sensor_requests_one_run_a_job_with_its_tags_and_then_says_why_it_requests_none(
    now: Services, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPORT_PIPELINES_MAX_RUNNING", "1")
    sensor = DEFINITIONS.get_repository_def().get_sensor_def("launch_pending_jobs")
    made = [submit(now, order("BULK_CSV")) for _ in range(2)]
    with now.database.raw_connection() as connection:
        connection.execute(
            "INSERT INTO exports.export_jobs (id, user_id, type, input) VALUES ('cwrong', %s, 'X', '{}')",
            [made[0].user_id],
        )
        connection.commit()
    with dg.build_sensor_context(instance=instance, resources=DEFINITIONS.resources) as context:
        [request] = sensor(context)
        skipped = sensor(context).skip_message
    assert (request.run_key, request.job_name) == (f"{made[0].id}-1", "export_bulk_csv")
    assert request.tags["export/job_id"] == made[0].id
    assert request.tags["export/run_key"] == request.run_key
    assert request.run_config == {"ops": {"load_run": {"config": {"job_id": made[0].id}}}}
    assert skipped == (
        "1 export jobs are waiting while 1 run: as many as EXPORT_PIPELINES_MAX_RUNNING and "
        "EXPORT_PIPELINES_MAX_RUNNING_PER_USER allow."
    )
    assert jobs.get(now.database, "cwrong").status is JobStatus.FAILED


def test_a_job_cancelled_before_its_run_begins_makes_the_run_canceled_and_not_failed(
    now: Services, instance: dg.DagsterInstance
) -> None:
    job = promised(now)
    jobs.cancel(now.database, job.id, now=now.clock())
    request = run_request(now, job)
    result = JOB.execute_in_process(
        run_config=request.run_config, tags=request.tags, instance=instance, raise_on_error=False
    )
    assert not result.success
    assert instance.get_run_by_id(result.run_id).status is dg.DagsterRunStatus.CANCELED
