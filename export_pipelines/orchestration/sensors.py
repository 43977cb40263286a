"""Sensors that keep rows and runs true when a run ends in a way its own steps could not report."""

import dagster as dg

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.orchestration.clock import now
from export_pipelines.orchestration.failures import fail_jobs_of_run, why
from export_pipelines.orchestration.lost import end_lost_runs
from export_pipelines.orchestration.resources import services_of
from export_pipelines.steps.sweep import fail_dead
from export_pipelines.storage.store import ObjectStore

_EXPORT_JOBS = frozenset(type_.job_name for type_ in EXPORT_TYPES)


@dg.run_failure_sensor(
    name="fail_jobs_of_failed_runs",
    description="Turns the export job of a failed run FAILED, also when the worker was killed and could not say so.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=2,
)
def fail_jobs_of_failed_runs(
    context: dg.RunFailureSensorContext, database: dg.ResourceParam[Database]
) -> dg.SkipReason | None:
    """Dagster knows of a dead worker within a second; its hooks do not run then, so the row hears it from here."""
    run = context.dagster_run
    if run.job_name not in _EXPORT_JOBS:
        return dg.SkipReason(f"{run.job_name} is no export.")
    fail_jobs_of_run(database, run.run_id, why(context.failure_event, run_id=run.run_id))
    return None


@dg.run_status_sensor(
    name="cancel_jobs_of_canceled_runs",
    run_status=dg.DagsterRunStatus.CANCELED,
    description="Turns the export job of a run that somebody terminated CANCELLED.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=2,
)
def cancel_jobs_of_canceled_runs(
    context: dg.RunStatusSensorContext, database: dg.ResourceParam[Database]
) -> dg.SkipReason | None:
    """Terminating a run in the UI means that nobody wants the file any more."""
    run = context.dagster_run
    if run.job_name not in _EXPORT_JOBS:
        return dg.SkipReason(f"{run.job_name} is no export.")
    for job in jobs.find_by_dagster_runs(database, [run.run_id]):
        jobs.cancel(database, job.id, now=now())
    return None


@dg.sensor(
    name="end_work_of_lost_workers",
    description="Fails export jobs whose worker went away with its machine, and ends the runs they belonged to.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
)
def end_work_of_lost_workers(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SkipReason:
    """Nobody reports such an end, so it is looked for; the two sensors above hear of every other one."""
    services = services_of(database, store)
    failed = fail_dead(services)
    ended = end_lost_runs(services, context.instance)
    if not failed and not ended:
        return dg.SkipReason("Every worker is alive.")
    return dg.SkipReason(f"Failed {len(failed)} export jobs and ended {len(ended)} runs whose worker was gone.")
