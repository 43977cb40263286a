"""Reconcile: rows and runs that disagree, for whatever reason, are brought together again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.launching.requests import JOB_TAG, RUN_KEY_TAG
from export_pipelines.orchestration.owners import named_job
from export_pipelines.steps.lost import resume_or_fail
from export_pipelines.steps.services import Services
from export_pipelines.steps.terminated import cancel_terminated

BETWEEN_STEPS = timedelta(seconds=10)
"""Between two steps of a living run nobody holds the job's lease, and nobody reports."""

_ALIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """Ids of what did not agree.

    Attributes:
        released: jobs whose promised run never came; they wait again.
        resumed: jobs whose run was over without them; they go on in a new run, or are FAILED.
        cancelled: jobs whose run was cancelled, and cancellations that nobody had put into the audit log.
        terminated: runs whose job was over.
    """

    released: tuple[str, ...]
    resumed: tuple[str, ...]
    cancelled: tuple[str, ...]
    terminated: tuple[str, ...]

    def __str__(self) -> str:
        """One sentence for the sensor's tick."""
        counts = {name: len(ids) for name, ids in vars(self).items() if ids}
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        return f"Rows and runs brought together: {said}." if said else "Every row agrees with its run."


def reconcile(services: Services, instance: dg.DagsterInstance) -> Repaired:
    """Repair what disagrees; safe at any time, by any number of processes.

    * A job that was promised a run that never appeared waits again; if the run came and is over, the job has lost it.
    * A job that is being processed by a run that is over, or that Dagster does not know, has lost it.
    * A run that waits or works for a job that is over is terminated.
    * A job that plain SQL cancelled gets its entry in the audit log.
    """
    settled = [*_forgotten(services, instance), *_abandoned(services, instance)]
    by_kind = {kind: tuple(job_id for done, job_id in settled if done == kind) for kind in ("released", "resumed")}
    cancelled = [job_id for done, job_id in settled if done == "cancelled"]
    told = jobs.audit_cancellations(services.database, now=services.clock())
    return Repaired(
        **by_kind,
        cancelled=(*cancelled, *told),
        terminated=tuple(_needless(services, instance)),
    )


def _forgotten(services: Services, instance: dg.DagsterInstance) -> Iterator[tuple[str, str]]:
    before = services.clock() - timedelta(seconds=services.settings.launch_grace_seconds)
    for job in jobs.forgotten(services.database, before=before):
        runs = _runs_of(instance, job)
        if any(_alive(services, instance, run, job) for run in runs):
            continue
        if runs:
            yield from _settle(services, job, runs[0])
        elif jobs.release(services.database, job, now=services.clock()):
            yield "released", job.id


def _runs_of(instance: dg.DagsterInstance, job: ExportJob) -> list[dg.DagsterRun]:
    """The runs of the job's latest launch, the newest first."""
    tagged = instance.get_runs(dg.RunsFilter(tags={JOB_TAG: job.id}))
    runs = [run for run in tagged if run.tags.get(RUN_KEY_TAG, job.run_key) == job.run_key]
    if runs or job.launch > 1 or job.dagster_run_id is None:
        return [run for run in runs if job.launch == 1 or RUN_KEY_TAG in run.tags]
    # Launched from the form in the UI: such a run makes its job's row, and tags itself later.
    maker = instance.get_run_by_id(job.dagster_run_id)
    return [] if maker is None else [maker]


def _alive(services: Services, instance: dg.DagsterInstance, run: dg.DagsterRun, job: ExportJob) -> bool:
    """Whether the run may still begin; one that has been about to for too long has lost its machine."""
    if run.is_finished:
        return False
    before = services.clock() - timedelta(seconds=services.settings.stale_after_seconds)
    if run.status is not dg.DagsterRunStatus.STARTED or leases.is_held(services.database, job.id):
        return True
    record = instance.get_run_record_by_id(run.run_id)
    if record is None or record.update_timestamp > before:
        return True
    instance.report_run_failed(run, f"The worker is gone; it never began with export job {job.id}.")
    return False


def _abandoned(services: Services, instance: dg.DagsterInstance) -> Iterator[tuple[str, str]]:
    for job in jobs.stale(services.database, before=services.clock() - BETWEEN_STEPS):
        if job.waits or job.dagster_run_id is None or leases.is_held(services.database, job.id):
            continue
        run = instance.get_run_by_id(job.dagster_run_id)
        if run is None or run.is_finished:
            yield from _settle(services, job, run)


def _settle(services: Services, job: ExportJob, run: dg.DagsterRun | None) -> Iterator[tuple[str, str]]:
    """What becomes of a job whose run is over, or unknown; a job that has moved on meanwhile is nobody's concern."""
    if run is not None and run.status is dg.DagsterRunStatus.CANCELED:
        after = cancel_terminated(services, job, seen=job)
        if after.status is JobStatus.CANCELLED:
            yield "cancelled", job.id
        return
    what = f"run {job.dagster_run_id} is unknown" if run is None else f"run {run.run_id} ended as {run.status.value}"
    if resume_or_fail(services, job, reason=f"Dagster's {what}, and the export was not finished."):
        yield "resumed", job.id


def _needless(services: Services, instance: dg.DagsterInstance) -> Iterator[str]:
    for run in instance.get_runs(dg.RunsFilter(statuses=_ALIVE)):
        job = named_job(services.database, run)
        if job is not None and _is_over(job, now=services.clock()) and _terminated(instance, run):
            yield run.run_id


def _is_over(job: ExportJob, *, now: datetime) -> bool:
    """Whether the run of this job has nothing left to do; the run of a completed one needs a moment to end itself."""
    if job.status in UNFINISHED:
        return False
    return job.status is JobStatus.CANCELLED or job.updated_at < now - timedelta(minutes=1)


def _terminated(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the run was told to end; not so when its worker cannot be reached, which others look after."""
    try:
        return instance.run_coordinator.cancel_run(run.run_id)
    except dg.DagsterError:
        return False
