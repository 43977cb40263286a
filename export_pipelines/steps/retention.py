"""Retention: what lies in the store and nobody needs — staging of dead attempts, files without a row that wants them.

Nothing younger than the grace period is touched, nor anything of a job that is at work or failed so recently that
somebody may take it up again.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from export_pipelines.core.errors import ConflictError, NotFoundError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobStatus
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

_MANY = 10_000
_AT_ONCE = 500
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Disposable:
    """An object that nobody needs.

    Attributes:
        job_id: whose it was, where it was one job's.
        orphaned: a published file; else staging.
        reason: why it may go, in a few words.
    """

    key: str
    size: int
    modified_at: datetime
    job_id: str | None
    orphaned: bool
    reason: str


def disposable(services: Services) -> Iterator[Disposable]:
    """Every object that nobody needs; nothing is deleted."""
    before = services.clock() - timedelta(seconds=services.settings.staging_grace_seconds)
    yield from _staged(services, before)
    yield from _orphans(services, before)


def remove(services: Services) -> Iterator[Disposable]:
    """Delete every object that nobody needs, and whatever interrupted writers left behind; those deleted."""
    before = services.clock() - timedelta(seconds=services.settings.staging_grace_seconds)
    for prefix in (STAGED, PUBLISHED):
        services.store.abort_unfinished(prefix, older_than=before, spare=partial(_is_at_work, services))
    for found in disposable(services):
        if not found.orphaned or found.job_id is None:
            services.store.delete(found.key)
            yield found
            continue
        # Whoever takes a failed job up again holds its lease, and would publish under this key.
        with suppress(ConflictError), leases.hold(services.database, found.job_id, exclusive=True):
            if _orphaned(_row(services, found.job_id), found.key, before) is not None:
                services.store.delete(found.key)
                yield found


def _is_at_work(services: Services, key: str) -> bool:
    """Whether the job of an unfinished object is not over: to write a large one takes longer than the grace period."""
    owners = key.split("/")[1 if key.startswith(STAGED) else 2 :]
    job = _row(services, owners[0]) if owners and looks_like_id(owners[0]) else None
    return job is not None and job.status in UNFINISHED


def _staged(services: Services, before: datetime) -> Iterator[Disposable]:
    until: dict[str, datetime] = {}
    for facts in services.store.list(STAGED):
        owner = facts.key.split("/")[1]
        if owner not in until:
            until[owner] = _disposable_before(services, owner, before)
        if facts.modified_at < until[owner]:
            job_id = None if owner == BETWEEN_STEPS else owner
            yield _found(facts, job_id, orphaned=False, reason="staging that no job goes on from")


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
    job = _row(services, owner)
    if job is None:
        return False
    return job.status in UNFINISHED or (job.status is JobStatus.FAILED and job.updated_at >= before)


def _orphans(services: Services, before: datetime) -> Iterator[Disposable]:
    """Published files without a row that wants them.

    A database without any job knows nothing of any file: more likely it is the wrong one, or a new one. All files stay.
    """
    if not jobs.list_jobs(services.database, limit=1):
        return
    for batch in _batches(services.store.list(PUBLISHED)):
        owners = {facts.key: parts[2] for facts in batch if len(parts := facts.key.split("/")) == 4}
        rows = jobs.by_ids(services.database, set(owners.values()))
        for facts in batch:
            if facts.key in owners and facts.modified_at < before:
                reason = _orphaned(rows.get(owners[facts.key]), facts.key, before)
                if reason is not None:
                    yield _found(facts, owners[facts.key], orphaned=True, reason=reason)


def _orphaned(job: ExportJob | None, key: str, before: datetime) -> str | None:
    """Why nobody needs this published file; None when somebody does, or may."""
    if job is None:
        return "its job's row is gone"
    if job.status in UNFINISHED or job.updated_at >= before:
        return None
    if job.status is JobStatus.COMPLETED:
        is_wanted = job.output_path in (key, key.removesuffix(MANIFEST_SUFFIX))
        return None if is_wanted else "its job has another file"
    return f"its job is {job.status}"


def _row(services: Services, job_id: str) -> ExportJob | None:
    try:
        return jobs.get(services.database, job_id)
    except NotFoundError:
        return None


def _batches(found: Iterable[ObjectFacts]) -> Iterator[list[ObjectFacts]]:
    objects = iter(found)
    while batch := list(islice(objects, _AT_ONCE)):
        yield batch


def _found(facts: ObjectFacts, job_id: str | None, *, orphaned: bool, reason: str) -> Disposable:
    return Disposable(
        key=facts.key,
        size=facts.size,
        modified_at=facts.modified_at,
        job_id=job_id,
        orphaned=orphaned,
        reason=reason,
    )
