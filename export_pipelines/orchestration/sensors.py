"""Sensors that keep rows and runs true when a run ends in a way its own steps could not report."""

import dagster as dg

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.orchestration.clock import now
from export_pipelines.orchestration.failures import why
from export_pipelines.orchestration.owners import jobs_of_run, was_lost
from export_pipelines.orchestration.resources import services_of
from export_pipelines.storage.store import ObjectStore

_EXPORT_JOBS = frozenset(type_.job_name for type_ in EXPORT_TYPES)


@dg.run_failure_sensor(
    name="fail_jobs_of_failed_runs",
    description="Turns the export job of a failed run FAILED, or has it go on in a new run when the worker was killed "
    "and could not say so.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=2,
)
def fail_jobs_of_failed_runs(
    context: dg.RunFailureSensorContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SkipReason | None:
    """Dagster knows of a dead worker within a second; the worker itself can no longer tell the row."""
    from export_pipelines.steps.lost import how_to_continue, resume_or_fail  # noqa: PLC0415 - see build.py

    run = context.dagster_run
    if run.job_name not in _EXPORT_JOBS:
        return dg.SkipReason(f"{run.job_name} is no export.")
    reason = why(context.failure_event, run_id=run.run_id)
    lost = was_lost(context.get_step_failure_events())
    services = services_of(database, store)
    for job in jobs_of_run(database, run):
        # A run that failed before it began its job has done nothing that would fail again for certain.
        if lost or job.waits:
            resume_or_fail(services, job, reason=reason)
        else:
            error = f"{reason} {how_to_continue(job)}"
            jobs.fail(database, job_id=job.id, attempt=job.attempt, error=error, now=now())
    return None


@dg.run_status_sensor(
    name="cancel_jobs_of_canceled_runs",
    run_status=dg.DagsterRunStatus.CANCELED,
    description="Turns the export job of a run that somebody terminated CANCELLED, and takes back what it published.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=2,
)
def cancel_jobs_of_canceled_runs(
    context: dg.RunStatusSensorContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SkipReason | None:
    """Terminating a run in the UI means that nobody wants the file any more."""
    from export_pipelines.steps.terminated import cancel_terminated  # noqa: PLC0415 - see build.py

    run = context.dagster_run
    if run.job_name not in _EXPORT_JOBS:
        return dg.SkipReason(f"{run.job_name} is no export.")
    services = services_of(database, store)
    for job in jobs_of_run(database, run):
        cancel_terminated(services, job)
    return None


@dg.sensor(
    name="end_work_of_lost_workers",
    description="Has export jobs whose worker went away with its machine go on in a new run, and ends the runs they "
    "belonged to.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
)
def end_work_of_lost_workers(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SkipReason:
    """Nobody reports such an end, so it is looked for; the two sensors above hear of every other one."""
    from export_pipelines.orchestration.lost import end_lost_runs  # noqa: PLC0415 - see build.py
    from export_pipelines.steps.sweep import find_lost  # noqa: PLC0415 - see build.py

    services = services_of(database, store)
    lost = find_lost(services)
    ended = end_lost_runs(services, context.instance)
    if not lost and not ended:
        return dg.SkipReason("Every worker is alive.")
    return dg.SkipReason(f"Took {len(lost)} export jobs from dead workers and ended {len(ended)} runs.")


@dg.sensor(
    name="reconcile_jobs_and_runs",
    description="Repairs whatever rows and runs do not agree about: claims whose run never came, jobs whose run is "
    "over, runs whose job is over.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
)
def reconcile_jobs_and_runs(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SkipReason:
    """A sensor and no scheduled run, for a run would take one of the places that exports wait for."""
    from export_pipelines.orchestration.reconcile import reconcile  # noqa: PLC0415 - see build.py

    return dg.SkipReason(str(reconcile(services_of(database, store), context.instance)))
