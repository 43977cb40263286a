"""Runs whose worker is gone for good: nobody is left to end them, so they are ended from here."""

from datetime import timedelta

import dagster as dg

from export_pipelines.core.jobs import UNFINISHED, ExportJob
from export_pipelines.db import leases
from export_pipelines.orchestration.owners import has_moved_on, named_job
from export_pipelines.steps.services import Services


def end_lost_runs(services: Services, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """Report every run failed that says STARTED although its job has been over, or another run's, for a while.

    When a machine goes away, or a code server and its workers are killed together, Dagster's default launcher never
    asks after the run: it would say STARTED, and take one of the places in the queue, until ``max_runtime_seconds``.

    Returns:
        The ids of the runs.
    """
    before = services.clock() - timedelta(seconds=services.settings.stale_after_seconds)
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], updated_before=before)
    ended = []
    for run in instance.get_runs(started):
        job = named_job(services.database, run)
        if job is not None and (has_moved_on(job, run) or _is_over(services, job)):
            instance.report_run_failed(run, f"The worker is gone; export job {job.id} is {job.status}.")
            ended.append(run.run_id)
    return tuple(ended)


def _is_over(services: Services, job: ExportJob) -> bool:
    """Whether nobody has worked on the job for a while, and nobody will."""
    before = services.clock() - timedelta(seconds=services.settings.stale_after_seconds)
    return job.status not in UNFINISHED and job.updated_at < before and not leases.is_held(services.database, job.id)
