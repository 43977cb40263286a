"""Begin: make a job ours to work on, for the first time or after an interruption."""

from export_pipelines.core.errors import ConflictError, SupersededError
from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobRef, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.jobs import ref_of
from export_pipelines.steps.admit import require_admitted
from export_pipelines.steps.load import frozen_before
from export_pipelines.steps.services import Services

_RESUMABLE = (JobStatus.PROCESSING, JobStatus.FAILED)


def begin(services: Services, job_id: str, *, dagster_run_id: str | None, run_key: str | None = None) -> ExportJob:
    """Claim a pending job, or take an interrupted one up again.

    What was frozen completely is used again under the same attempt; otherwise a new attempt begins, since the old
    snapshot is gone.

    Args:
        services: where the job and its staging are.
        job_id: the job.
        dagster_run_id: the run that will work on it.
        run_key: of a run that the queue launched: only the first run of the job's latest launch may begin.

    Raises:
        ConflictError: the job is completed, expired or cancelled.
        NotFoundError: there is no such job.
        SupersededError: another run has the job.
        ValidationError: it was inserted by plain SQL and cannot be exported; it is FAILED now.
    """
    now = services.clock()
    job = jobs.get(services.database, job_id)
    if run_key is not None:
        _require_promised(job, run_key, dagster_run_id=dagster_run_id)
    if job.status is JobStatus.PENDING:
        require_admitted(services, job)
        return jobs.claim(services.database, job_id, dagster_run_id=dagster_run_id, now=now)
    if job.status not in _RESUMABLE:
        raise ConflictError(f"job {job_id} is {job.status}; start a new export instead.")
    frozen = frozen_before(services, ref_of(job))
    return jobs.reopen(services.database, job_id, dagster_run_id=dagster_run_id, new_attempt=frozen is None, now=now)


def _require_promised(job: ExportJob, run_key: str, *, dagster_run_id: str | None) -> None:
    """Refuse a run that was launched twice, or that comes when the queue has given it up for lost."""
    is_same_run = job.dagster_run_id is not None and job.dagster_run_id == dagster_run_id
    if job.run_key == run_key and (job.waits or is_same_run):
        return
    if job.status in UNFINISHED:
        raise SupersededError(
            f"job {job.id} is in the hands of another run ({job.dagster_run_id or 'not begun yet'}); this one, "
            f"launched as {run_key}, leaves it alone."
        )
    raise SupersededError(f"job {job.id} is {job.status} already; this run leaves it alone.")


def take_up(services: Services, ref: JobRef, *, dagster_run_id: str) -> None:
    """Make sure that a step may work on the job: its attempt is current and the job is being processed.

    A run that re-executes an earlier one finds the row FAILED, or waiting for a worker in place of a lost one, and
    opens it again; a step of the earlier run itself does not.

    Raises:
        SupersededError: the job moved on.
    """
    job = jobs.get(services.database, ref.job_id)
    is_current = job.attempt == ref.attempt
    if job.status is JobStatus.PROCESSING and is_current and not job.waits:
        return
    is_new_run = job.dagster_run_id != dagster_run_id
    if (job.status is JobStatus.FAILED or job.waits) and is_current and is_new_run:
        now = services.clock()
        jobs.reopen(services.database, ref.job_id, dagster_run_id=dagster_run_id, new_attempt=False, now=now)
        return
    raise SupersededError(
        f"job {ref.job_id} is {job.status} at attempt {job.attempt}; this step worked for attempt {ref.attempt} "
        "and leaves it alone."
    )
