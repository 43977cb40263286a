"""Sweep: what time or a crash left behind — dead jobs, expired files, objects nobody needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from export_pipelines.db import jobs, leases
from export_pipelines.steps.expiry import expire
from export_pipelines.steps.lost import resume_or_fail
from export_pipelines.steps.retention import remove
from export_pipelines.steps.services import Services


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did.

    Attributes:
        lost: ids of jobs whose worker was dead; each goes on in a new run, or is FAILED.
        expired: ids of jobs whose file's time was over.
        objects: staged objects removed.
        orphans: published files removed that had no row that wanted them.
        bytes: the size of both.
    """

    lost: tuple[str, ...]
    expired: tuple[str, ...]
    objects: int
    orphans: int
    bytes: int


def sweep(services: Services) -> Swept:
    """Bring rows and store in order; safe at any time, by any number of sweepers, as often as you like."""
    lost = find_lost(services)
    expired = tuple(job.id for job in expire(services))
    removed, orphans, size = 0, 0, 0
    for found in remove(services):
        removed, orphans, size = removed + 1, orphans + found.orphaned, size + found.size
    return Swept(lost=lost, expired=expired, objects=removed - orphans, orphans=orphans, bytes=size)


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
