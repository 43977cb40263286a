"""Begin: make a job ours to work on, for the first time or after an interruption."""

from export_pipelines.core.errors import ConflictError, SupersededError
from export_pipelines.core.jobs import ExportJob, JobRef, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.jobs import ref_of
from export_pipelines.steps.load import frozen_before
from export_pipelines.steps.services import Services

_RESUMABLE = (JobStatus.PROCESSING, JobStatus.FAILED)


def begin(services: Services, job_id: str, *, dagster_run_id: str | None) -> ExportJob:
    """Claim a pending job, or take an interrupted one up again.

    What was frozen completely is used again under the same attempt; otherwise a new attempt begins, since the old
    snapshot is gone.

    Raises:
        ConflictError: the job is completed, expired or cancelled.
        NotFoundError: there is no such job.
    """
    now = services.clock()
    job = jobs.get(services.database, job_id)
    if job.status is JobStatus.PENDING:
        return jobs.claim(services.database, job_id, dagster_run_id=dagster_run_id, now=now)
    if job.status not in _RESUMABLE:
        raise ConflictError(f"job {job_id} is {job.status}; start a new export instead.")
    frozen = frozen_before(services, ref_of(job))
    return jobs.reopen(services.database, job_id, dagster_run_id=dagster_run_id, new_attempt=frozen is None, now=now)


def take_up(services: Services, ref: JobRef, *, dagster_run_id: str) -> None:
    """Make sure that a step may work on the job: its attempt is current and the job is being processed.

    A run that re-executes an earlier, failed one finds the row FAILED and opens it again; a step of the failed run
    itself does not.

    Raises:
        SupersededError: the job moved on.
    """
    job = jobs.get(services.database, ref.job_id)
    if job.status is JobStatus.PROCESSING and job.attempt == ref.attempt:
        return
    is_new_run = job.dagster_run_id != dagster_run_id
    if job.status is JobStatus.FAILED and job.attempt == ref.attempt and is_new_run:
        now = services.clock()
        jobs.reopen(services.database, ref.job_id, dagster_run_id=dagster_run_id, new_attempt=False, now=now)
        return
    raise SupersededError(
        f"job {ref.job_id} is {job.status} at attempt {job.attempt}; this step worked for attempt {ref.attempt} "
        "and leaves it alone."
    )
