"""Retry: have a job that failed taken up again by the queue, or ask once more for what was cancelled or has expired."""

from datetime import datetime

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.db.jobs import Made
from export_pipelines.steps.access import manageable
from export_pipelines.steps.admit import order_of
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.create import Created, asking_of, created_of, fingerprint
from export_pipelines.steps.offers import require_offered
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import check, require_ready


def retry(services: Services, caller: Caller, job_id: str, *, key: str | None = None) -> Created:
    """The job itself, waiting again with all that it had finished; or a new job of the same input, for its owner.

    Raises:
        NotFoundError, ForbiddenError: it is not the caller's to retry.
        ConflictError: it is not over, or is completed; or somebody still works on it.
        ValidationError: what it exports is gone, or cannot be exported any more.
        KeyReusedError, TooManyRequestsError, UnavailableError: as for ``create``.
    """
    job = manageable(services, caller, job_id)
    require_offered(caller, job.type)
    asking = asking_of(services, caller, key=key, fingerprint=fingerprint(f"retry {job_id}"))
    earlier = jobs.made_before(services.database, asking, now=services.clock())
    if earlier is not None:
        return created_of(services, Made(job=earlier, replayed=True))
    once_more = _is_over(job, now=services.clock())
    if not once_more:
        _require_failed(services, job)
    request = check(services, order_of(job))
    require_ready(services)
    now = services.clock()
    if once_more:
        made = jobs.create_once(services.database, request, asking, now=now, retry_of=job.id)
    else:
        made = jobs.requeue_once(services.database, job, request, asking, now=now)
    return created_of(services, made)


def _is_over(job: ExportJob, *, now: datetime) -> bool:
    """Whether there is nothing to take up again and no file; a file's time may be over before the sweep has come."""
    expired = job.status is JobStatus.COMPLETED and job.expires_at is not None and job.expires_at <= now
    return expired or job.status in (JobStatus.CANCELLED, JobStatus.EXPIRED)


def _require_failed(services: Services, job: ExportJob) -> None:
    if job.status is not JobStatus.FAILED:
        raise ConflictError(
            f"job {job.id} is {job.status}; only a FAILED, CANCELLED or EXPIRED one can be retried. Make a new export."
        )
    if leases.is_held(services.database, job.id):
        raise ConflictError(f"job {job.id} is still being worked on; retry it in some seconds.")
