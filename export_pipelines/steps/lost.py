"""Lost: a job whose worker is gone goes on in a new run while it may, and is FAILED after that."""

from datetime import timedelta

from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.steps.services import Services


def resume_or_fail(services: Services, job: ExportJob, *, reason: str) -> ExportJob | None:
    """Put the job back into the queue, to be continued after a pause; or fail it, when that was done often enough.

    The row stays what it is (PENDING, or PROCESSING), so that FAILED always is the last word of the queue.

    Args:
        services: where the row is, and how often a job may go on.
        job: as it was when its worker was found to be lost; a row that has moved on since is left alone.
        reason: what happened, as a whole sentence, for people.

    Returns:
        The job as it is now; None when it had moved on.
    """
    now = services.clock()
    tries = job.launch
    if tries <= services.settings.max_resumes:
        # The formula of Dagster's exponential retries, so that every wait of ours grows alike: 30 s, then 90 s.
        wait = timedelta(seconds=(2**tries - 1) * services.settings.resume_delay_seconds)
        return jobs.put_back(services.database, job, launch_after=now + wait, now=now)
    times = f" This happened {tries} times." if tries > 1 else ""
    error = f"{reason}{times} {how_to_continue(job)}"
    return jobs.fail(services.database, job_id=job.id, attempt=job.attempt, error=error, now=now, seen=job)


def how_to_continue(job: ExportJob) -> str:
    """What a person can do about a job that failed, and might not fail again."""
    return (
        "To continue where it stopped: Re-execute from failure in the Dagster UI, or "
        f"`export-pipelines jobs retry {job.id}`."
    )
