"""Expiry: files whose time is over go, after their rows say so."""

from collections.abc import Iterator

from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.steps.services import Services
from export_pipelines.steps.upload import MANIFEST_SUFFIX


def overdue(services: Services) -> tuple[ExportJob, ...]:
    """The jobs that :func:`expire` would expire, the longest overdue first."""
    return jobs.expired_candidates(services.database, now=services.clock())


def expire(services: Services) -> Iterator[ExportJob]:
    """Expire every job whose time is over, and delete its file; safe to repeat, and by many at once.

    First the row, then the file: a row that says COMPLETED always has its file. A process that dies in between leaves
    a file that no link leads to any more; the retention sweep finds it.
    """
    for job in overdue(services):
        expired = jobs.expire(services.database, job.id, now=services.clock())
        if expired is not None:
            remove_output(services, job)
            yield expired


def remove_output(services: Services, job: ExportJob) -> None:
    """Delete the published file and its sidecar; no error when they are gone."""
    if job.output_path is not None:
        services.store.delete(job.output_path)
        services.store.delete(job.output_path + MANIFEST_SUFFIX)
