"""End: cancel a job that is not over, or delete one that is, with its file."""

import enum
from dataclasses import dataclass

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps.access import manageable
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.services import Services
from export_pipelines.steps.sharing import delete


class Ending(enum.StrEnum):
    """What was done to a job."""

    CANCELLED = "cancelled"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The job as it was left, or last was, and what was done to it."""

    job: ExportJob
    done: Ending


def end(services: Services, caller: Caller, job_id: str) -> Ended:
    """Cancel the job when it is PENDING or PROCESSING, else delete its row and file.

    A cancelled job's worker stops within seconds by itself; ``queue.terminate_runs`` has Dagster end its run too.

    Raises:
        NotFoundError, ForbiddenError: it is not the caller's to end.
        ConflictError: it came to an end by itself meanwhile; nothing was done.
        StoreUnavailableError: the row is deleted, and the store keeps the file until the next sweep.
    """
    job = manageable(services, caller, job_id)
    if job.status not in UNFINISHED:
        delete(services, job, actor=caller.actor)
        return Ended(job=job, done=Ending.DELETED)
    after = jobs.cancel(services.database, job.id, now=services.clock(), actor=caller.actor)
    if after.status is not JobStatus.CANCELLED:
        # Whoever wanted to stop it did not ask for its file to be deleted.
        raise ConflictError(f"job {job.id} has become {after.status} meanwhile; ask again to delete it.")
    return Ended(job=after, done=Ending.CANCELLED)
