"""Resume: find the job that an interrupted process left, so that asking again continues it."""

from datetime import timedelta

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import COMMAND_LINE, Order, check

QUIET = timedelta(seconds=2)
"""Between two steps of a living run nobody holds the lease for a moment; its last progress is younger than this."""

UNBEGUN = timedelta(minutes=1)
"""Nobody who is alive takes this long between making a job and beginning it."""


def interrupted_like(services: Services, order: Order) -> ExportJob | None:
    """The newest job for the same request that was begun, or only made, and that nobody works on.

    Raises:
        ValidationError, NotFoundError: the order itself is wrong.
    """
    request = check(services, order)
    now = services.clock()
    for status, silence in ((JobStatus.PROCESSING, QUIET), (JobStatus.PENDING, UNBEGUN)):
        for job in jobs.list_jobs(services.database, status=status, type=request.type, user_id=request.user_id):
            if job.status is JobStatus.PENDING and job.claimed_by != COMMAND_LINE:
                # It waits in the queue, where somebody else put it.
                continue
            same = jobs.request_of(job) == request
            if same and job.updated_at < now - silence and not leases.is_held(services.database, job.id):
                return job
    return None
