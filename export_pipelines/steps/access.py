"""Access: which jobs a caller may see, and which change. Who may not see a job is not told that it exists."""

from export_pipelines.core.errors import ForbiddenError, NotFoundError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs, shares
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.services import Services


def readable(services: Services, caller: Caller, job_id: str) -> ExportJob:
    """The job, for its owner, for those it is shared with and for administrators.

    Args:
        services: collaborators.
        caller: who asks.
        job_id: the whole id.

    Raises:
        NotFoundError: there is no such job, or none that the caller may see.
    """
    job = _find(services, job_id)
    if not manages(caller, job) and not _is_viewer(services, caller, job):
        raise unknown(job_id)
    return job


def manageable(services: Services, caller: Caller, job_id: str) -> ExportJob:
    """The job, for its owner and for administrators.

    Raises:
        NotFoundError: there is no such job, or none that the caller may see.
        ForbiddenError: it is only shared with the caller.
    """
    job = readable(services, caller, job_id)
    if not manages(caller, job):
        raise ForbiddenError(f"Export {job_id} is shared with you to read; ask its owner to change it.")
    return job


def manages(caller: Caller, job: ExportJob) -> bool:
    """Whether the caller may change the job."""
    return caller.is_administrator or job.user_id == caller.user.id


def _find(services: Services, job_id: str) -> ExportJob:
    if "\x00" in job_id:
        # PostgreSQL's text has none, so it would refuse to look.
        raise unknown(job_id)
    try:
        return jobs.get(services.database, job_id)
    except NotFoundError:
        raise unknown(job_id) from None


def _is_viewer(services: Services, caller: Caller, job: ExportJob) -> bool:
    return shares.is_viewer(services.database, job_id=job.id, user_id=caller.user.id, now=services.clock())


def unknown(job_id: str) -> NotFoundError:
    """The error for a job that there is not, or that the caller may not see: the same for both."""
    return NotFoundError(f"There is no export {job_id!r} that you may see; GET /api/exports lists yours.")
