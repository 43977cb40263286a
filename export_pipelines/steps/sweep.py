"""Sweep: what time or a crash left behind — dead jobs, expired files, staging nobody will use again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from export_pipelines.core.errors import NotFoundError
from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.steps.lost import resume_or_fail
from export_pipelines.steps.services import Services
from export_pipelines.steps.upload import MANIFEST_SUFFIX

STAGED = "staging/"
PUBLISHED = "exports/"
BETWEEN_STEPS = "dagster"
"""The folder of staging that belongs to runs, not to one job."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""At most so much between the database's clock and the store's."""

_MANY = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did.

    Attributes:
        lost: ids of jobs whose worker was dead; each goes on in a new run, or is FAILED.
        expired: ids of jobs whose file's time was over.
        objects: staged objects removed.
        bytes: their size.
    """

    lost: tuple[str, ...]
    expired: tuple[str, ...]
    objects: int
    bytes: int


def sweep(services: Services) -> Swept:
    """Bring rows and store in order; safe at any time, by any number of sweepers, as often as you like."""
    lost = find_lost(services)
    expired = tuple(_expire(services))
    objects, size = _clear_staging(services)
    return Swept(lost=lost, expired=expired, objects=objects, bytes=size)


def find_lost(services: Services) -> tuple[str, ...]:
    """Have the jobs that nobody works on any more go on in a new run, or fail them when that was tried often enough.

    Returns:
        Their ids.
    """
    return tuple(_find_lost(services))


def _find_lost(services: Services) -> Iterator[str]:
    """Jobs being processed by nobody: silent for long enough, and no worker holds their lease."""
    before = services.clock() - timedelta(seconds=services.settings.stale_after_seconds)
    for job in jobs.stale(services.database, before=before):
        if job.waits or leases.is_held(services.database, job.id):
            continue
        reason = (
            f"The worker died without a word (last heard of at {job.updated_at:%Y-%m-%d %H:%M:%S} UTC, "
            f"{job.progress_percent} % done)."
        )
        if resume_or_fail(services, job, reason=reason):
            yield job.id


def _expire(services: Services) -> Iterator[str]:
    """First the row, then the file: a row that says COMPLETED always has its file."""
    now = services.clock()
    for job in jobs.expired_candidates(services.database, now=now):
        jobs.expire(services.database, job.id, now=now)
        remove_output(services, job)
        yield job.id


def remove_output(services: Services, job: ExportJob) -> None:
    """Delete the published file and its sidecar; no error when they are gone."""
    if job.output_path is not None:
        services.store.delete(job.output_path)
        services.store.delete(job.output_path + MANIFEST_SUFFIX)


def _clear_staging(services: Services) -> tuple[int, int]:
    """Remove staging of jobs that no longer need it, and of runs long over; nothing younger than the grace period."""
    before = services.clock() - timedelta(seconds=services.settings.staging_grace_seconds)
    for prefix in (STAGED, PUBLISHED):
        services.store.abort_unfinished(prefix, older_than=before)
    disposable: dict[str, datetime] = {}
    objects = size = 0
    for facts in services.store.list(STAGED):
        owner = facts.key.split("/")[1]
        if owner not in disposable:
            disposable[owner] = _disposable_before(services, owner, before)
        if facts.modified_at < disposable[owner]:
            services.store.delete(facts.key)
            objects, size = objects + 1, size + facts.size
    return objects, size


def _disposable_before(services: Services, owner: str, before: datetime) -> datetime:
    """From which moment on objects of this folder in staging are kept; it is never later than ``before``."""
    if owner == BETWEEN_STEPS:
        # One run may go on from the records of another, so no job says which are its own.
        oldest = min((job.created_at for job in _unfinished(services, before)), default=services.clock())
        return min(before, oldest - CLOCKS_DIFFER)
    return _NEVER if _still_needed(services, owner, before) else before


def _unfinished(services: Services, before: datetime) -> Iterator[ExportJob]:
    yield from jobs.stale(services.database, before=services.clock())
    failed = jobs.list_jobs(services.database, status=JobStatus.FAILED, limit=_MANY)
    yield from (job for job in failed if job.updated_at >= before)


def _still_needed(services: Services, owner: str, before: datetime) -> bool:
    """Whether a job may go on from its staging: it is at work, or failed so recently that somebody may retry it."""
    try:
        job = jobs.get(services.database, owner)
    except NotFoundError:
        return False
    return job.status in UNFINISHED or (job.status is JobStatus.FAILED and job.updated_at >= before)
