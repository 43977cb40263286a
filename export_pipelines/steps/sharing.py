"""Sharing: a further link to a finished export, and the end of an export before its time."""

from datetime import datetime, timedelta

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.db.audit import Actor
from export_pipelines.db.evaluation import lookup
from export_pipelines.steps.expiry import remove_output
from export_pipelines.steps.services import Services
from export_pipelines.storage.links import mint
from export_pipelines.storage.secret import link_secret


def share(services: Services, job: ExportJob, *, person: str | None, hours: int | None) -> str:
    """A link to the job's file that lives as long as the file, or less.

    Args:
        services: collaborators.
        job: a completed one.
        person: e-mail address or id of the user it is made for; None for whoever has it.
        hours: how long it lives; None for as long as the file.

    Raises:
        NotFoundError: there is no such user.
        ConflictError: there is no file for so long.
    """
    now = services.clock()
    expires_at = _until(job, now=now, hours=hours)
    user_id = None if person is None else lookup.find_user(services.database, person).id
    token = mint(link_secret(services.settings), job_id=job.id, expires_at=expires_at, person=user_id)
    # Written down before anybody has it.
    jobs.note_link(services.database, job.id, expires_at=expires_at, person=user_id, now=now)
    return f"{services.settings.public_url}/downloads/{token}"


def delete(services: Services, job: ExportJob, *, actor: Actor | None = None) -> None:
    """Delete a job that is over, and its file: first the row, so that no row ever promises a file that is gone.

    Raises:
        ConflictError: it is waiting or being worked on.
    """
    remove_output(services, jobs.delete(services.database, job.id, now=services.clock(), actor=actor))


def _until(job: ExportJob, *, now: datetime, hours: int | None) -> datetime:
    if job.expires_at is None or job.expires_at <= now:
        raise ConflictError(f"job {job.id} is {job.status} and has no file to link to; start a new export.")
    return job.expires_at if hours is None else min(job.expires_at, now + timedelta(hours=hours))
