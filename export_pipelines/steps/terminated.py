"""Terminated: somebody ended a job's run by hand, so the job is CANCELLED, and what the run had published goes."""

import logging

from export_pipelines.core.errors import StoreUnavailableError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.jobs import ref_of
from export_pipelines.steps.services import Services

logger = logging.getLogger(__name__)


def cancel_terminated(services: Services, job: ExportJob, *, seen: ExportJob | None = None) -> ExportJob:
    """Cancel the job whose run is over; a worker that was interrupted takes back nothing itself.

    Between sidecar, file and row there are moments at which that would leave objects that no row wants. A job that is
    not any more as it was ``seen``, where that is given, is left alone.

    Returns:
        The job as it is now; one that was over before stays what it was, with its file.
    """
    after = jobs.cancel(services.database, job.id, now=services.clock(), seen=seen)
    if after.status is JobStatus.CANCELLED:
        try:
            for found in services.store.list(f"{ref_of(after).final_prefix}/"):
                services.store.delete(found.key)
        except StoreUnavailableError as error:
            logger.warning("what was published is left to the sweep job=%s reason=%s", after.id, error)
    return after
