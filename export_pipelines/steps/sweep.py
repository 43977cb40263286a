"""Sweep: what time or a crash left behind — dead jobs, expired files, staging nobody will use again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from export_pipelines.core.errors import NotFoundError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.steps.services import Services
from export_pipelines.steps.upload import MANIFEST_SUFFIX
from export_pipelines.storage.store import ObjectFacts

STAGED = "staging/"
PUBLISHED = "exports/"
BETWEEN_STEPS = "dagster"
"""The folder of staging that belongs to runs, not to one job."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""At most so much between the database's clock and the store's."""

_AT_WORK = (JobStatus.PENDING, JobStatus.PROCESSING)
_MANY = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did.

    Attributes:
        failed: ids of jobs whose worker was dead.
        expired: ids of jobs whose file's time was over.
        objects: staged objects, and published files that no job speaks of, removed.
        bytes: their size.
    """

    failed: tuple[str, ...]
    expired: tuple[str, ...]
    objects: int
    bytes: int


def sweep(services: Services) -> Swept:
    """Bring rows and store in order; safe at any time, by any number of sweepers, as often as you like."""
    failed = fail_dead(services)
    expired = tuple(_expire(services))
    removed = (*_clear_staging(services), *_clear_published(services))
    size = sum(facts.size for facts in removed)
    return Swept(failed=failed, expired=expired, objects=len(removed), bytes=size)


def fail_dead(services: Services) -> tuple[str, ...]:
    """Fail the jobs that nobody works on any more: silent for long enough, and no worker holds their lease.

    Returns:
        Their ids.
    """
    return tuple(_fail_dead(services))


def _fail_dead(services: Services) -> Iterator[str]:
    """Jobs being processed by nobody: silent for long enough, and no worker holds their lease."""
    now = services.clock()
    before = now - timedelta(seconds=services.settings.stale_after_seconds)
    for job in jobs.stale(services.database, before=before):
        if leases.is_held(services.database, job.id):
            continue
        reason = (
            f"the worker died without a word (last heard of at {job.updated_at:%Y-%m-%d %H:%M:%S} UTC, "
            f"{job.progress_percent} % done); `export-pipelines jobs retry {job.id}` continues where it stopped."
        )
        if jobs.fail(services.database, job_id=job.id, attempt=job.attempt, error=reason, now=now):
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


def _clear_staging(services: Services) -> Iterator[ObjectFacts]:
    """Remove staging of jobs that no longer need it, and of runs long over; nothing younger than the grace period."""
    before = services.clock() - timedelta(seconds=services.settings.staging_grace_seconds)
    for prefix in (STAGED, PUBLISHED):
        services.store.abort_unfinished(prefix, older_than=before)
    disposable: dict[str, datetime] = {}
    for facts in services.store.list(STAGED):
        owner = facts.key.split("/")[1]
        if owner not in disposable:
            disposable[owner] = _disposable_before(services, owner, before)
        if facts.modified_at < disposable[owner]:
            services.store.delete(facts.key)
            yield facts


def _clear_published(services: Services) -> Iterator[ObjectFacts]:
    """Remove published files that no job speaks of, since nobody else would ever remove them.

    A worker that dies between publishing and recording leaves one, and so does a sweep that dies between a row and its
    file. While the job may still go on, the file stays; where there is no such job, it may be another deployment's.
    """
    before = services.clock() - timedelta(seconds=services.settings.staging_grace_seconds)
    disposable: dict[str, bool] = {}
    for facts in services.store.list(PUBLISHED):
        folder, _, name = facts.key.rpartition("/")
        key = folder + "/" + name.removesuffix(MANIFEST_SUFFIX)
        if key not in disposable:
            disposable[key] = _spoken_of_by_nobody(services, key, before)
        if disposable[key] and facts.modified_at < before:
            services.store.delete(facts.key)
            yield facts


def _spoken_of_by_nobody(services: Services, key: str, before: datetime) -> bool:
    try:
        job = jobs.get(services.database, key.split("/")[2])
    except (IndexError, NotFoundError):
        return False
    is_its_file = job.status is JobStatus.COMPLETED and job.output_path == key
    return not is_its_file and not _still_needed(services, job.id, before)


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
    return job.status in _AT_WORK or (job.status is JobStatus.FAILED and job.updated_at >= before)
