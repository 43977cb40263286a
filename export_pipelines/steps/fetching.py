"""Fetching: a link to a finished export's file for whoever may read it, another one each time it is asked for."""

from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes

from export_pipelines.core.errors import ConflictError, ExpiredLinkError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps import access, shares
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.services import Services
from export_pipelines.storage.links import NONCE_BYTES, mint
from export_pipelines.storage.secret import link_secret


@dataclass(frozen=True, kw_only=True)
class FileLink:
    """A way to a file, and what is to be found there.

    Attributes:
        expires_at: when the link closes; an hour from now at most, and never after the file's own end.
        checksum: SHA-256, in hex.
    """

    url: str = field(repr=False)
    expires_at: datetime
    file_name: str
    size: int
    checksum: str


def fetch(services: Services, caller: Caller, job_id: str) -> FileLink:
    """A new link, which the audit log knows of; a viewer's is one of the share that makes them one.

    Raises:
        NotFoundError: there is no such job, or none that the caller may see.
        ConflictError: it has no file, or none yet.
        ExpiredLinkError: it has no file any more.
    """
    job = access.readable(services, caller, job_id)
    key, size, checksum = _file_of(services, job)
    if access.manages(caller, job):
        link = _link_of_job(services, caller, job)
    else:
        link = shares.link_for(services, job, user_id=caller.user.id, actor=caller.actor)
    file_name = key.rpartition("/")[2]
    return FileLink(url=link.url, expires_at=link.expires_at, file_name=file_name, size=size, checksum=checksum)


def _file_of(services: Services, job: ExportJob) -> tuple[str, int, str]:
    if job.status in (JobStatus.PENDING, JobStatus.PROCESSING):
        raise ConflictError(f"export {job.id} is {job.status} and has no file yet; ask again when it is COMPLETED.")
    over = job.expires_at is not None and job.expires_at <= services.clock()
    if job.status is JobStatus.EXPIRED or over:
        raise ExpiredLinkError(
            f"the file of export {job.id} was kept until {job.expires_at:%Y-%m-%d %H:%M} UTC; start a new export.",
            job_id=job.id,
        )
    if job.output_path is None or job.output_size_bytes is None or job.checksum is None:
        raise ConflictError(f"export {job.id} is {job.status} and has no file; retry it, or start a new export.")
    if services.store.stat(job.output_path) is None:
        raise ExpiredLinkError(
            f"the file of export {job.id} was removed from the store before its time; start a new export.",
            job_id=job.id,
        )
    return job.output_path, job.output_size_bytes, job.checksum


def _link_of_job(services: Services, caller: Caller, job: ExportJob) -> shares.Link:
    now = services.clock()
    expires_at = min(now + shares.LONGEST_LINK, job.expires_at or now)
    token = mint(
        link_secret(services.settings),
        job_id=job.id,
        expires_at=expires_at,
        person=caller.user.id,
        nonce=token_bytes(NONCE_BYTES),
    )
    # Written down before anybody has it.
    jobs.note_link(services.database, job.id, expires_at=expires_at, person=None, now=now, actor=caller.actor)
    return shares.Link(url=f"{services.settings.public_url}/downloads/{token}", expires_at=expires_at)
